/* conditions.h - what request headers ask for: entity tags and media types. Private to http. Pure.
 * Source: RFC 9110, sections 8.8.3, 12.5.1, 13.1. */
#ifndef FLASHKV_HTTP_CONDITIONS_H
#define FLASHKV_HTTP_CONDITIONS_H

#include "request.h"

enum { ETAG_LEN = 16, ETAGS_MAX = 16 };

/* What If-Match or If-None-Match names: any value there is ("*"), or tags, of which only those that could be ours
 * are kept (16 bytes). */
struct etags {
    bool any;
    unsigned count;
    struct slice tags[ETAGS_MAX];
};
/* `weak`: W/ tags count too, as If-None-Match wants; for If-Match they match nothing. False: the text is no such list,
 * or there are too many. */
bool etags_parse(struct slice list, bool weak, struct etags *out);
/* Is `etag` among them? Empty: what is there has none, so only "*" fits. */
bool etags_include(const struct etags *e, struct slice etag);
/* What Range asks for of `len` bytes: one range of them. Several, or another unit, are ignored, as RFC 9110, 14.2 allows. */
enum range_result { RANGE_IGNORED, RANGE_PART, RANGE_UNSATISFIABLE };
enum range_result range_parse(struct slice header, uint64_t len, uint64_t *from, uint64_t *count);
/* Does Accept (or a Content-Type) name this media type, and not with q=0? Wildcards do not count: whoever takes
 * anything gets what is there. */
bool accepts_type(struct slice accept, struct slice type);
bool accepts_json(struct slice accept);
/* Can this be kept as a value's media type, and come back in a header: not too long, no line break or other control character? */
bool media_type_fits(struct slice type);
/* SCAN's pattern for ?prefix= (its own wildcards escaped) or ?match=; left empty without them. False: both are
 * given, or no memory. */
bool keys_pattern(const struct request *r, struct buf *pattern);

#endif
