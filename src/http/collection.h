/* collection.h - what /lists, /hashes, /sets and /zsets have in common: pages with an entity tag, writes on a condition.
 * Private to http.
 *
 * The tag of a collection is of its elements, whatever the order they are kept in (rest.tag, cmd_rest_tag.c); a large one has
 * none. A page and its tag are read in one transaction. A write on a condition watches the key, so that it is checked and
 * acted on as if at once, and tries again when somebody comes in between. */
#ifndef FLASHKV_HTTP_COLLECTION_H
#define FLASHKV_HTTP_COLLECTION_H

#include "conditions.h"
#include "json_in.h"
#include "json_reply.h"
#include "params.h"

/* Writes the members of the JSON object that a page is, from the tokens at `at`: the reply of the command. */
typedef void collection_put(struct json_out *o, const struct capture *c, size_t at);
/* GET: runs `length` (LLEN, ...) and `page`, and answers with what `put` makes of it, and "length"; 404 where there is
 * nothing, 304 as If-None-Match says, 412 as If-Match does. */
enum MHD_Result respond_page(struct request *r, const char *length, struct words page, collection_put *put);
/* Runs a command that changes the path's key, if the request's If-Match or If-None-Match allow it. As ask. */
bool ask_if(struct request *r, struct capture *c, enum MHD_Result *result, struct words words);
/* The same of a command that answers a number: {name: number}; and of one that answers how many there were: 204, or 404
 * with `missing`. */
enum MHD_Result respond_changed(struct request *r, const char *name, struct words words);
enum MHD_Result respond_removed(struct request *r, const char *missing, struct words words);
/* DELETE of the whole: `length` tells whether it is of the right type. */
enum MHD_Result respond_deleted(struct request *r, const char *length, const char *missing);

/* "cursor" from the reply of a scan at `at`. Returns where its aggregate of elements is. */
size_t put_cursor(struct json_out *o, const struct capture *c, size_t at);
/* The elements of the aggregate at `at`, which are in pairs: {"name":{"a":"b", ...}}, all in one encoding, which is said. */
void put_pairs(struct json_out *o, const char *name, const struct capture *c, size_t at, bool numbers);
/* {"name":[...]}, likewise. */
void put_strings(struct json_out *o, const char *name, const struct capture *c, size_t at);

/* The arguments that a JSON body gives: an array of strings, or of an object its names, each followed by its value (before
 * it: `value_first`), a string or a number; with ?encoding=base64 strings are that. `head` (2 arguments) goes first. */
enum body_form { BODY_ARRAY, BODY_OBJECT, BODY_OBJECT_VALUE_FIRST };
/* False: answered. *argv is to be freed with mem_free. */
bool body_args(struct request *r, const struct arg *head, enum body_form form, struct words *words,
               enum MHD_Result *result);

#endif
