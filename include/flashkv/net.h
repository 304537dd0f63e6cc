/* net.h - listening sockets, for both front ends. Layer: base. Thread-safe. */
#ifndef FLASHKV_NET_H
#define FLASHKV_NET_H

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

enum { NET_LISTENERS_MAX = 16 };

/* Opens a non-blocking listening socket for each address of `bind` ("127.0.0.1,::1", "0.0.0.0", "localhost") at
 * *port. Port 0: the first gets a free one, the others the same. Fills `fds` and *port and returns how many; 0:
 * one failed, or there are more than NET_LISTENERS_MAX; none is left open, *port is as it was, and `why` (cap
 * bytes) says what failed. */
unsigned net_listen(const char *bind, uint16_t *port, int fds[NET_LISTENERS_MAX], char *why, size_t cap);

/* "127.0.0.1:50123", "[::1]:6379"; "?:0" for other families. 56 bytes are enough. */
void net_address(const struct sockaddr *address, char *out, size_t cap);

#endif
