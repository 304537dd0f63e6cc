/* writer.h - the reply sink for RESP2 or RESP3, by the session's protocol. Private to resp. */
#ifndef FLASHKV_RESP_WRITER_H
#define FLASHKV_RESP_WRITER_H

#include <flashkv/reply.h>
#include <stdatomic.h>

#include "outq.h"

struct writer {
    struct reply reply;              /* first: a handler's sink is this */
    const _Atomic uint8_t *protocol; /* 2 or 3; HELLO changes it */
    struct outq *out;
    uint64_t errors; /* error replies so far */
};

void writer_init(struct writer *w, const _Atomic uint8_t *protocol, struct outq *out);

#endif
