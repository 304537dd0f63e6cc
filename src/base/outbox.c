/* outbox.c - sending what is kept. */
#include <flashkv/outbox.h>

void outbox_flush(struct outbox *o, outbox_send *send) {
    const char *at = o->bytes;

    for (unsigned i = 0; i < o->count; i++) {
        send(o->replies[i].to, at, o->replies[i].len);
        at += o->replies[i].len;
    }
    o->count = 0;
    o->used = 0;
}
