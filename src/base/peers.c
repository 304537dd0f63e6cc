/* peers.c - a chained hash table of the addresses that have connections. */
#include <flashkv/mem.h>
#include <flashkv/peers.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct mutex peers_role;

struct peer {
    struct peer *next;
    uint64_t id, connections;
};

static void peers_lock(struct peers *p) ACQUIRE(peers_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&p->mutex);
}

static void peers_unlock(struct peers *p) RELEASE(peers_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&p->mutex);
}

/* An IPv4 address is mapped to a value that is no /64 of IPv6: 0000:ffff:... is reserved. */
static uint64_t id_of_four(uint32_t network_order) {
    return UINT64_C(0x0000ffff) << 32 | ntohl(network_order);
}

static uint64_t id_of(const struct sockaddr *address) {
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    uint64_t id = 0;

    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof(four));
        return id_of_four(four.sin_addr.s_addr);
    }
    if (address->sa_family != AF_INET6)
        return 0;
    memcpy(&six, address, sizeof(six));
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
        uint32_t mapped;

        memcpy(&mapped, &six.sin6_addr.s6_addr[12], sizeof(mapped));
        return id_of_four(mapped);
    }
    for (unsigned i = 0; i < 8; i++)
        id = id << 8 | six.sin6_addr.s6_addr[i];
    return id != 0 ? id : 1; /* ::1 */
}

uint64_t peers_id(const struct peers *p, const struct sockaddr *address) {
    return p->limit > 0 ? id_of(address) : 0;
}

/* Fibonacci hashing, without a secret: an attacker would have to own the addresses that collide. */
static struct peer **find(struct peers *p, uint64_t id) REQUIRES(peers_role) {
    struct peer **at = &p->buckets[id * UINT64_C(0x9e3779b97f4a7c15) >> 54];

    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

_Static_assert(PEERS_BUCKETS == 1 << (64 - 54), "find takes the top bits");

void peers_init(struct peers *p, uint64_t limit) NO_THREAD_SAFETY_ANALYSIS {
    p->limit = limit;
    mutex_init(&p->mutex, LOCK_RANK_LEAF);
    memset(p->buckets, 0, sizeof(p->buckets));
}

void peers_destroy(struct peers *p) NO_THREAD_SAFETY_ANALYSIS {
    for (unsigned i = 0; i < PEERS_BUCKETS; i++)
        while (p->buckets[i] != NULL) {
            struct peer *gone = p->buckets[i];

            p->buckets[i] = gone->next;
            mem_free(gone);
        }
    mutex_destroy(&p->mutex);
}

static bool count(struct peers *p, uint64_t id) REQUIRES(peers_role) {
    struct peer **at = find(p, id);

    if (*at == NULL) {
        struct peer *fresh = mem_alloc(sizeof(*fresh));

        if (fresh == NULL)
            return false;
        *fresh = (struct peer){NULL, id, 0};
        *at = fresh;
    }
    if ((*at)->connections >= p->limit)
        return false;
    (*at)->connections++;
    return true;
}

bool peers_enter(struct peers *p, uint64_t id) {
    bool in;

    if (id == 0)
        return true;
    peers_lock(p);
    in = count(p, id);
    peers_unlock(p);
    return in;
}

void peers_leave(struct peers *p, uint64_t id) {
    struct peer **at, *gone = NULL;

    if (id == 0)
        return;
    peers_lock(p);
    at = find(p, id);
    if (*at != NULL && --(*at)->connections == 0) {
        gone = *at;
        *at = gone->next;
    }
    peers_unlock(p);
    mem_free(gone);
}
