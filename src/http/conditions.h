/* conditions.h - what request headers ask for: entity tags and media types. Private to http. Pure.
 * Source: RFC 9110, sections 8.8.3, 12.5.1, 13.1. */
#ifndef FLASHKV_HTTP_CONDITIONS_H
#define FLASHKV_HTTP_CONDITIONS_H

#include "request.h"

/* The opaque tags of If-Match or If-None-Match, without quotes and W/; "*" is itself. Returns how many there are,
 * which may be more than were written to `tags`. */
size_t etag_parse(struct slice list, struct slice *tags, size_t cap);
/* Does the list name `etag` (16 hex digits; empty: what is there has none)? `weak`: W/ tags match too, as
 * If-None-Match wants; If-Match does not. */
bool etag_listed(struct slice list, struct slice etag, bool weak);
/* Does Accept (or a Content-Type) name this media type, and not with q=0? Wildcards do not count: whoever takes
 * anything gets what is there. */
bool accepts_type(struct slice accept, struct slice type);
bool accepts_json(struct slice accept);
/* SCAN's pattern for ?prefix= (its own wildcards escaped) or ?match=; left empty without them. False: both are
 * given, or no memory. */
bool keys_pattern(const struct request *r, struct buf *pattern);

#endif
