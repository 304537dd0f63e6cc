/* net.h - sockets: listening, for both front ends; receiving and sending; how many there can be. Layer: base. Thread-safe. */
#ifndef FLASHKV_NET_H
#define FLASHKV_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct epoll_event;
struct sockaddr;

enum { NET_LISTENERS_MAX = 16 };

/* Opens a non-blocking listening socket for each address of `bind` ("127.0.0.1,::1", "0.0.0.0", "localhost") at
 * *port. Port 0: the first gets a free one, the others the same. Fills `fds` and *port and returns how many; 0:
 * one failed, or there are more than NET_LISTENERS_MAX; none is left open, *port is unchanged, and `why` (cap
 * bytes) holds the error message. */
unsigned net_listen(const char *bind, uint16_t *port, int fds[NET_LISTENERS_MAX], char *why, size_t cap);

/* Are all addresses of such a `bind` loopback addresses? One that cannot be parsed counts as one; net_listen reports it. */
bool net_is_loopback(const char *bind);

/* Formats an address: "127.0.0.1:50123", "[::1]:6379"; "?:0" for other families. 56 bytes are enough. */
void net_address(const struct sockaddr *address, char *out, size_t cap);

/* recv(2) without flags, send(2) with MSG_NOSIGNAL, epoll_wait(2), for callers on the path of every request. glibc's wrappers
 * are cancellation points, which cost two atomic read-modify-writes a call; no thread is cancelled here. */
ssize_t net_recv(int fd, void *to, size_t room);
ssize_t net_send(int fd, const void *bytes, size_t len);
int net_wait(int epoll, struct epoll_event *events, int room, int timeout_ms);

/* Raises the soft limit of file descriptors, as far as the hard one lets it, to what so many connections at each of two ports
 * need. Returns how many it is enough for, `connections` at most. */
uint64_t net_room_for(uint64_t connections);

#endif
