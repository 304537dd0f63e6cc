/* wire.h - requests and replies of the protocols spoken: RESP2, HTTP/1.1, and memcached's text protocol.
 *
 * A request is bytes made once, with a hole for the key: its number in hexadecimal, padded to the key's size.
 * Of a reply only what tells where it ends and how it went is read.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_protocol { WIRE_RESP, WIRE_HTTP, WIRE_MEMCACHED };
enum wire_op { WIRE_GET, WIRE_SET };

struct wire_spec {
    enum wire_protocol protocol;
    size_t key_size, value_size; /* bytes */
    unsigned ttl;                /* RESP: seconds that a value is kept; 0: for ever */
    const char *target;          /* HTTP: the request target, %k where the key goes (it may be absent) */
};

struct wire_request {
    char *bytes;
    size_t len;
    size_t key_at; /* where the key is, or len if it is nowhere */
    size_t key_size;
};

enum wire_outcome { WIRE_HIT, WIRE_MISS, WIRE_ERROR };

struct wire_reply {
    enum wire_outcome outcome;
    size_t body; /* bytes that follow the head */
};

/* Makes the request; free(r->bytes) ends it. False: out of memory. */
bool wire_request_init(struct wire_request *r, const struct wire_spec *spec, enum wire_op op);

/* Copies the request for key `number` to `to`, which has room for r->len. */
void wire_request_put(const struct wire_request *r, uint64_t number, char *to);

/* Reads a reply's head from `len` bytes at `p`. Returns its length, or 0 if it is not all there yet. */
size_t wire_reply_head(enum wire_protocol protocol, const char *p, size_t len, struct wire_reply *out);

#endif
