/* net.c - listening sockets, receiving and sending. */
#include <arpa/inet.h>
#include <errno.h>
#include <flashkv/net.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BACKLOG = 1024, ADDRESS_MAX = 256 };

static uint16_t bound_port(int fd) {
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
                                          : ((struct sockaddr_in *)&ss)->sin_port);
}

/* One socket; -1 with errno. */
static int listen_at(const struct addrinfo *ai) {
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol), on = 1,
        saved;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* Resolves an address; returns as getaddrinfo. */
static int resolve(const char *address, uint16_t port, struct addrinfo **found) {
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                          .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    return getaddrinfo(address, service, &hints, found);
}

/* The next address of the list; advances *at. False: there is none. */
static bool next_address(const char **at, char address[ADDRESS_MAX]) {
    size_t len;

    if (*at == NULL)
        return false;
    len = strcspn(*at, ",");
    snprintf(address, ADDRESS_MAX, "%.*s", (int)len, *at);
    *at = (*at)[len] == ',' ? *at + len + 1 : NULL;
    return true;
}

static int listen_on(const char *address, uint16_t *port, char *why, size_t cap) {
    struct addrinfo *found = NULL;
    int fd, failed;

    if (*address == '\0') { /* getaddrinfo would take it for the wildcard address */
        snprintf(why, cap, "an address is empty");
        return -1;
    }
    failed = resolve(address, *port, &found);
    if (failed != 0) {
        snprintf(why, cap, "%s: %s", address, gai_strerror(failed));
        return -1;
    }
    fd = listen_at(found);
    if (fd < 0)
        snprintf(why, cap, "%s:%u: %s", address, *port, strerror(errno));
    else
        *port = bound_port(fd);
    freeaddrinfo(found);
    return fd;
}

unsigned net_listen(const char *bind, uint16_t *port, int fds[NET_LISTENERS_MAX], char *why, size_t cap) {
    uint16_t shared = *port;
    char address[ADDRESS_MAX];
    unsigned n = 0;

    while (next_address(&bind, address)) {
        if (n == NET_LISTENERS_MAX) {
            snprintf(why, cap, "%s: more than %d addresses", address, NET_LISTENERS_MAX);
            goto fail;
        }
        fds[n] = listen_on(address, &shared, why, cap);
        if (fds[n] < 0)
            goto fail;
        n++;
    }
    *port = shared;
    return n;
fail:
    while (n > 0)
        close(fds[--n]);
    return 0;
}

static bool is_loopback(const struct sockaddr *a) {
    const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    uint32_t four;

    if (a->sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(six))
        return IN6_IS_ADDR_LOOPBACK(six);
    if (a->sa_family == AF_INET6)
        memcpy(&four, &six->s6_addr[12], sizeof(four));
    else
        four = ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr;
    return ntohl(four) >> 24 == IN_LOOPBACKNET;
}

bool net_is_loopback(const char *bind) {
    char address[ADDRESS_MAX];
    bool all = true;

    while (all && next_address(&bind, address)) {
        struct addrinfo *found;

        if (*address != '\0' && resolve(address, 0, &found) == 0) {
            all = is_loopback(found->ai_addr);
            freeaddrinfo(found);
        }
    }
    return all;
}

void net_address(const struct sockaddr *address, char *out, size_t cap) {
    char ip[INET6_ADDRSTRLEN] = "?";
    struct sockaddr_in6 six;
    struct sockaddr_in four = {0};

    if (address->sa_family == AF_INET6) {
        memcpy(&six, address, sizeof(six));
        inet_ntop(AF_INET6, &six.sin6_addr, ip, sizeof(ip));
        snprintf(out, cap, "[%s]:%u", ip, ntohs(six.sin6_port));
        return;
    }
    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof(four));
        inet_ntop(AF_INET, &four.sin_addr, ip, sizeof(ip));
    }
    snprintf(out, cap, "%s:%u", ip, ntohs(four.sin_port));
}

/* ---- once a request -------------------------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* they intercept glibc's functions */

ssize_t net_recv(int fd, void *to, size_t room) {
    return recv(fd, to, room, 0);
}

ssize_t net_send(int fd, const void *bytes, size_t len) {
    return send(fd, bytes, len, MSG_NOSIGNAL);
}

int net_wait(int epoll, struct epoll_event *events, int room, int timeout_ms) {
    return epoll_wait(epoll, events, room, timeout_ms);
}

#else

ssize_t net_recv(int fd, void *to, size_t room) {
    return syscall(SYS_recvfrom, fd, to, room, 0, NULL, NULL);
}

ssize_t net_send(int fd, const void *bytes, size_t len) {
    return syscall(SYS_sendto, fd, bytes, len, MSG_NOSIGNAL, NULL, 0);
}

int net_wait(int epoll, struct epoll_event *events, int room, int timeout_ms) {
    return (int)syscall(SYS_epoll_pwait, epoll, events, room, timeout_ms, NULL, 0);
}

#endif

uint64_t net_room_for(uint64_t connections) {
    enum { SPARE = 64 };
    rlim_t want = 2 * connections + SPARE, got;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return connections;
    got = limit.rlim_cur;
    if (got < want) {
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            got = limit.rlim_cur;
    }
    if (got >= want)
        return connections;
    return got > SPARE ? (got - SPARE) / 2 : 0;
}
