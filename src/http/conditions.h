/* conditions.h - parsing request headers: entity tags, ranges and media types. Private to http. Pure.
 * Source: RFC 9110, sections 8.8.3, 12.5.1, 13.1 and 14.1.2. */
#ifndef FLASHKV_HTTP_CONDITIONS_H
#define FLASHKV_HTTP_CONDITIONS_H

#include "request.h"

enum { ETAG_LEN = 16, ETAGS_MAX = 16 };

/* If-Match or If-None-Match: any existing value ("*"), or a list of tags, of which only those that could be ours (16 bytes) are
 * kept. The slices refer to the header. */
struct etags {
    bool any;
    unsigned count;
    struct slice tags[ETAGS_MAX];
};
/* `weak`: W/ tags are kept too, as If-None-Match requires; for If-Match they match nothing. False: not a list of tags, or more
 * than ETAGS_MAX that could be ours. */
bool etags_parse(struct slice list, bool weak, struct etags *out);
/* Is `etag` among them? An empty `etag` (a value without a tag) matches "*" only. */
bool etags_include(const struct etags *e, struct slice etag);
/* Range against a value of `len` bytes. Several ranges, or another unit, are ignored, as RFC 9110, 14.2 allows. */
enum range_result { RANGE_IGNORED, RANGE_PART, RANGE_UNSATISFIABLE };
enum range_result range_parse(struct slice header, uint64_t len, uint64_t *from, uint64_t *count);
/* Does Accept (or a Content-Type) name this media type, and not with q=0? Wildcards do not count: a client that accepts anything
 * gets the default representation. */
bool accepts_type(struct slice accept, struct slice type);
bool accepts_json(struct slice accept);
/* Can this be stored as a value's media type and sent in a header: not too long, no control characters but tab? */
bool media_type_fits(struct slice type);
/* Appends SCAN's pattern for ?prefix= (whose wildcards are escaped) or ?match=; nothing without them. False: both are given, or
 * no memory. */
bool keys_pattern(const struct request *r, struct buf *pattern);

#endif
