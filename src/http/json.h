/* json.h - the only user of jansson in http: building JSON texts. Private to http.
 *
 * Bytes that are not UTF-8 cannot stand in JSON: such strings are given as base64, and an "encoding" beside them
 * says which it is ("utf8" or "base64"). Texts returned are to be freed with mem_free; NULL: no memory. */
#ifndef FLASHKV_HTTP_JSON_H
#define FLASHKV_HTTP_JSON_H

#include "capture.h"
#include "request.h"

/* What Upstash's clients want of an error: {"error": detail}. */
char *json_upstash_problem(const char *detail);
char *json_problem(unsigned status, const char *title, const char *detail);
/* {key, type, value, encoding, ttl_ms, etag}, from the reply of rest.read. */
char *json_key(const struct request *r, struct slice key, const struct capture *c, struct slice etag);
/* {keys, cursor} from the reply of SCAN; keys that are not UTF-8 stand in keys_base64. */
char *json_keys(const struct capture *c);
/* {values, encoding, length?} from the aggregate at token `at`; `length` -1: left out. */
char *json_values(const struct capture *c, size_t at, int64_t length);
/* {name: n} */
char *json_number(const char *name, int64_t n);
char *json_stats(const struct server *s);
/* What GET / says to programs. */
char *json_about(void);

#endif
