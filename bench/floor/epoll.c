/* epoll.c - the floor of a server: one epoll loop that answers every REQUEST-BYTES bytes of input with the same reply and
 * looks at none of them. What a server costs above this is what its protocol, its commands and its store cost.
 *
 * usage: floor_epoll PORT REQUEST-BYTES REPLY-FILE      (all requests are of one size; the reply is the file's bytes)
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, EVENTS = 256, FDS_MAX = 65536 };

struct floor {
    int epoll, listener;
    size_t request_bytes, reply_bytes, output_replies; /* replies that output holds, one after the other */
    size_t pending[FDS_MAX]; /* by descriptor: bytes of a request not all there yet */
    char input[BUFFER_BYTES], output[BUFFER_BYTES];
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(struct floor *f, int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

static void take_connection(struct floor *f) {
    int on = 1, fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0 || fd >= FDS_MAX)
        die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    f->pending[fd] = 0;
    watch(f, fd);
}

/* One recv and, for all the requests in it, one send. A peer that does not read its replies is dropped. */
static void answer(struct floor *f, int fd) {
    ssize_t n = recv(fd, f->input, BUFFER_BYTES, 0);
    size_t all, replies, len;

    if (n > 0) {
        all = f->pending[fd] + (size_t)n;
        replies = all / f->request_bytes;
        f->pending[fd] = all % f->request_bytes;
        len = replies * f->reply_bytes;
        if (replies <= f->output_replies && send(fd, f->output, len, MSG_NOSIGNAL) == (ssize_t)len)
            return;
    }
    close(fd);
}

static void listen_on(struct floor *f, const char *port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    a.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(f->listener, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(f->listener, 16384) != 0)
        die("listen");
}

static void load_reply(struct floor *f, const char *path) {
    FILE *file = fopen(path, "rb");

    if (file == NULL || (f->reply_bytes = fread(f->output, 1, BUFFER_BYTES, file)) == 0)
        die(path);
    fclose(file);
    f->output_replies = BUFFER_BYTES / f->reply_bytes;
    for (size_t i = 1; i < f->output_replies; i++)
        memcpy(f->output + i * f->reply_bytes, f->output, f->reply_bytes);
}

int main(int argc, char **argv) {
    static struct floor f;
    struct epoll_event events[EVENTS];

    if (argc != 4 || (f.request_bytes = strtoul(argv[2], NULL, 10)) == 0) {
        fputs("usage: floor_epoll PORT REQUEST-BYTES REPLY-FILE\n", stderr);
        return 2;
    }
    load_reply(&f, argv[3]);
    f.epoll = epoll_create1(EPOLL_CLOEXEC);
    listen_on(&f, argv[1]);
    watch(&f, f.listener);
    for (;;) {
        int n = epoll_wait(f.epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (events[i].data.fd == f.listener)
                take_connection(&f);
            else
                answer(&f, events[i].data.fd);
    }
}
