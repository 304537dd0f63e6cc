/* peers.h - counts the connections of each client address, so that one client cannot take all of them.
 *
 * An IPv6 address is counted as its /64 prefix, which is what one customer is given. Layer: base.
 * Thread-safe except for init and destroy. */
#ifndef FLASHKV_PEERS_H
#define FLASHKV_PEERS_H

#include <flashkv/lock.h>
#include <stdbool.h>
#include <stdint.h>

struct sockaddr;
struct peer;

enum { PEERS_BUCKETS = 1024 };

/* The role of peers.mutex (thread_safety.h). */
extern struct mutex peers_role;

struct peers {
    uint64_t limit; /* connections per address; 0: no limit, and nothing is counted */
    struct mutex mutex;
    struct peer *buckets[PEERS_BUCKETS] GUARDED_BY(peers_role);
};

void peers_init(struct peers *p, uint64_t limit);
void peers_destroy(struct peers *p);
/* The id that an address is counted under; 0, which is not counted: there is no limit, or it is neither IPv4 nor IPv6. */
uint64_t peers_id(const struct peers *p, const struct sockaddr *address);
/* Counts one more connection. False: the limit is reached, or no memory. */
bool peers_enter(struct peers *p, uint64_t id);
/* Counts one less, after a peers_enter that returned true. */
void peers_leave(struct peers *p, uint64_t id);

#endif
