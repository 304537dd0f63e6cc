/* peers.h - how many connections each address has, so that one client cannot have them all.
 *
 * An IPv4 address counts for itself, an IPv6 address for its /64, since that is what one customer is given. Layer: base.
 * Thread-safe but for init and destroy. */
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
    uint64_t limit; /* of connections that an address may have; 0: none, and nothing is counted */
    struct mutex mutex;
    struct peer *buckets[PEERS_BUCKETS] GUARDED_BY(peers_role);
};

void peers_init(struct peers *p, uint64_t limit);
void peers_destroy(struct peers *p);
/* What an address counts as; 0, whose connections are not counted: there is no limit, or it is of another family. */
uint64_t peers_id(const struct peers *p, const struct sockaddr *address);
/* One connection more, unless there are as many as the limit allows. False: there are, or no memory. */
bool peers_enter(struct peers *p, uint64_t id);
/* One less, of those that peers_enter let in. */
void peers_leave(struct peers *p, uint64_t id);

#endif
