/* rest.h - what the REST front needs beside commands: the answers of its private ones (src/command/cmd_rest.c), and a
 * way to be told that a key changed. Layer: command. */
#ifndef FLASHKV_REST_H
#define FLASHKV_REST_H

#include <flashkv/server.h>
#include <flashkv/watch.h>

enum rest_outcome {
    REST_CREATED,
    REST_REPLACED,
    REST_REMOVED,
    REST_MISSING, /* nothing was there to remove, or to add to */
    REST_REFUSED, /* the condition does not hold */
};

/* Watches one key. `changed` is called for each change of it, and once for several at times, under its shard's lock: it
 * signals, and never blocks. Whoever begins has asked a command whether the key may be read. */
struct rest_watch {
    struct key_watch watch; /* first */
    void (*changed)(struct rest_watch *w);
    struct key key; /* its bytes are the caller's until the end */
};
/* From here on; false: no memory. */
bool rest_watch_begin(struct rest_watch *w, struct server *srv, struct slice key);
/* Afterwards `changed` is not called any more. */
void rest_watch_end(struct rest_watch *w, struct server *srv);

#endif
