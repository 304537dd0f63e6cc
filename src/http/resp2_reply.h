/* resp2_reply.h - a reply sink that writes RESP2, for HTTP clients that request it. Private to http.
 *
 * (The RESP front has a writer of its own, into its connections; fronts do not see each other.) */
#ifndef FLASHKV_HTTP_RESP2_REPLY_H
#define FLASHKV_HTTP_RESP2_REPLY_H

#include <flashkv/reply.h>

#include "json_out.h"

struct resp2_reply {
    struct reply reply; /* first: a handler's sink is this */
    struct json_out *out;
};

/* Appends to `out`, which must outlive it; errors are sticky there (`failed`). */
void resp2_reply_init(struct resp2_reply *r, struct json_out *out);
/* Writes the header of an array that no command replies with. */
void resp2_put_array(struct json_out *out, size_t n);

#endif
