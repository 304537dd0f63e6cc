/* collection.h - what /lists, /hashes, /sets and /zsets have in common: pages with an entity tag, writes on a condition.
 * Private to http.
 *
 * The tag of a collection covers its elements, independent of their internal order (rest.tag, cmd_rest_tag.c); a large
 * collection has none. A page and its tag are read in one transaction. A conditional write watches the key, so that the check
 * and the write are atomic, and retries when another client changed the key in between. */
#ifndef FLASHKV_HTTP_COLLECTION_H
#define FLASHKV_HTTP_COLLECTION_H

#include "conditions.h"
#include "json_in.h"
#include "json_reply.h"
#include "params.h"

/* Writes the members of the page's JSON object, from the command's reply, which begins at token `at`. */
typedef void collection_put(struct json_out *o, const struct capture *c, size_t at);
/* GET: runs `length` (LLEN, ...) and `page`, and responds with what `put` writes, and "length"; 404 if the key does not exist,
 * 304 or 412 as If-None-Match and If-Match demand. */
enum MHD_Result respond_page(struct request *r, const char *length, struct words page, collection_put *put);
/* Runs a command that changes the path's key, if the request's If-Match and If-None-Match allow it. Otherwise as ask. */
bool ask_if(struct request *r, struct capture *c, enum MHD_Result *result, struct words words);
/* The same for a command that replies with a number, as {name: number}; and for one that replies with the number of removed
 * elements: 204, or 404 with `missing`. */
enum MHD_Result respond_changed(struct request *r, const char *name, struct words words);
enum MHD_Result respond_removed(struct request *r, const char *missing, struct words words);
/* DELETE of the whole collection: `length` is run first and fails if the key is of another type. */
enum MHD_Result respond_deleted(struct request *r, const char *length, const char *missing);

/* Writes "cursor" from a scan's reply at token `at`. Returns the token of its aggregate of elements. */
size_t put_cursor(struct json_out *o, const struct capture *c, size_t at);
/* Writes the aggregate of pairs at token `at`: "name":{"a":"b", ...}, all in one encoding, preceded by "encoding". `numbers`: the
 * values are numbers, written as such, but infinities as strings. */
void put_pairs(struct json_out *o, const char *name, const struct capture *c, size_t at, bool numbers);
/* Writes "name":[...], likewise. */
void put_strings(struct json_out *o, const char *name, const struct capture *c, size_t at);

/* The arguments in a JSON body: an array of strings; the names of an object, each followed by its value, a string or a number;
 * or each preceded by its value, a number (BODY_OBJECT_VALUE_FIRST). With ?encoding=base64 the strings are decoded. `head`
 * (2 arguments) is put first. */
enum body_form { BODY_ARRAY, BODY_OBJECT, BODY_OBJECT_VALUE_FIRST };
/* False: *result is the response that was queued. True: words->argv is the caller's, freed with mem_free; it refers to the
 * body, which was decoded in place. */
bool body_args(struct request *r, const struct arg *head, enum body_form form, struct words *words,
               enum MHD_Result *result);

#endif
