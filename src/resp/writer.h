/* writer.h - the reply sink that speaks RESP2 or RESP3, as the session's protocol says. Private to resp. */
#ifndef FLASHKV_RESP_WRITER_H
#define FLASHKV_RESP_WRITER_H

#include <flashkv/reply.h>
#include <flashkv/session.h>

#include "outq.h"

struct writer {
    struct reply reply; /* first: a handler's sink is this */
    const struct session *session;
    struct outq *out;
    uint64_t errors; /* error replies so far */
};

void writer_init(struct writer *w, const struct session *session, struct outq *out);

#endif
