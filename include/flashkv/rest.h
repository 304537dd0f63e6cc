/* rest.h - what the REST front end needs in addition to commands: the results of its private ones (src/command/cmd_rest.c),
 * and notification of changes to a key. Layer: command. */
#ifndef FLASHKV_REST_H
#define FLASHKV_REST_H

#include <flashkv/server.h>
#include <flashkv/watch.h>

enum rest_outcome {
    REST_CREATED,
    REST_REPLACED,
    REST_REMOVED,
    REST_MISSING, /* there was nothing to remove, or to add to */
    REST_REFUSED, /* the condition does not hold */
};

/* Watches one key. `changed` is called after each change of the key (several may be reported by one call), under its shard's
 * lock: it signals, and never blocks. The caller has checked, by running a command, that the key may be read. */
struct rest_watch {
    struct key_watch watch; /* first */
    void (*changed)(struct rest_watch *w);
    struct key key; /* the bytes stay the caller's, and valid until rest_watch_end */
};
/* Starts the watch; false: no memory. */
bool rest_watch_begin(struct rest_watch *w, struct server *srv, struct slice key);
/* Ends it: `changed` is not called any more after the return. */
void rest_watch_end(struct rest_watch *w, struct server *srv);

#endif
