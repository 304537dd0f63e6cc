/* net.h - sockets: listening, for both front ends; receiving and sending. Layer: base. Thread-safe. */
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
 * one failed, or there are more than NET_LISTENERS_MAX; none is left open, *port is as it was, and `why` (cap
 * bytes) says what failed. */
unsigned net_listen(const char *bind, uint16_t *port, int fds[NET_LISTENERS_MAX], char *why, size_t cap);

/* Can only this machine reach all addresses of such a `bind`? One that cannot be told is taken for one that it can:
 * net_listen says what is wrong with it. */
bool net_is_loopback(const char *bind);

/* "127.0.0.1:50123", "[::1]:6379"; "?:0" for other families. 56 bytes are enough. */
void net_address(const struct sockaddr *address, char *out, size_t cap);

/* recv(2) without flags, send(2) with MSG_NOSIGNAL, epoll_wait(2), for those who call them once a request. glibc's are
 * points where a thread can be cancelled, which costs two atomic read-modify-writes a call; nobody is cancelled here. */
ssize_t net_recv(int fd, void *to, size_t room);
ssize_t net_send(int fd, const void *bytes, size_t len);
int net_wait(int epoll, struct epoll_event *events, int room, int timeout_ms);

#endif
