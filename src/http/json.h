/* json.h - JSON texts built with jansson, whose only user in http this is. Private to http.
 *
 * Bytes that are not UTF-8 cannot be represented in JSON: such strings are base64, and an "encoding" member next to them says
 * which it is ("utf8" or "base64"). Returned texts are the caller's, freed with mem_free; NULL: no memory. */
#ifndef FLASHKV_HTTP_JSON_H
#define FLASHKV_HTTP_JSON_H

#include "capture.h"
#include "request.h"

/* Upstash's form of an error: {"error": detail}. */
char *json_upstash_problem(const char *detail);
char *json_problem(unsigned status, const char *title, const char *detail);
/* {key, type, value, encoding, ttl_ms, etag} and key_encoding, from the reply of rest.get. */
char *json_key(const struct request *r, struct slice key, const struct capture *c, struct slice etag);
/* {keys, keys_base64, cursor} from the reply of SCAN; names that are not UTF-8 are in keys_base64. */
char *json_keys(const struct capture *c);
/* {values, encoding, length?} from the aggregate at token `at`; `length` -1: omitted. */
char *json_values(const struct capture *c, size_t at, int64_t length);
/* {name: n} */
char *json_number(const char *name, int64_t n);
char *json_stats(const struct server *s);
/* The response to GET / for programs. */
char *json_about(void);

#endif
