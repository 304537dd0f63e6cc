/* connection.c - the fixture of connection.h. */
#include "connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct loop loop;
struct conn *conn;
int client;

void connection_setup(void) {
    static const int room = SOCKET_ROOM;
    int pair[2];

    commands_setup();
    options.max_output_bytes = MAX_OUTPUT;
    ck_assert(loop_init(&loop, &server));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    client = pair[1];
    conn = conn_open(&loop, pair[0], 0);
    ck_assert_ptr_nonnull(conn);
    conn_attach(conn);
}

void connection_teardown(void) {
    loop_destroy(&loop);
    ck_assert_uint_eq(server.resp.connections, 0);
    close(client);
    commands_teardown();
}

bool is_open(void) {
    return loop.conns != NULL;
}

void settle(void) {
    struct epoll_event ev;

    while (atomic_load(&loop.post_due) || epoll_wait(loop.epoll, &ev, 1, 0) == 1) {
        struct source *s = ev.data.ptr;

        if (atomic_load(&loop.post_due))
            loop_deliver(&loop);
        else
            s->ready(s, ev.events);
    }
}

/* The client's sends and receives are made small enough, or polled, so that none has to wait. */
void tell(const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = send(client, bytes, len, MSG_NOSIGNAL);

        ck_assert_int_gt(n, 0);
        bytes += n;
        len -= (size_t)n;
        settle();
    }
}

void say(const char *text) {
    tell(text, strlen(text));
}

struct slice hear(void) {
    static char heard[8 << 20];
    size_t len = 0;
    ssize_t n;

    settle();
    while ((n = recv(client, heard + len, sizeof(heard) - len, 0)) > 0) {
        len += (size_t)n;
        settle();
    }
    return slice_of(heard, len);
}

void check_hears(const char *want) {
    struct slice heard = hear();

    ck_assert_msg(slice_eq(heard, slice_str(want)), "heard %.*s instead of %s", (int)heard.len, heard.ptr,
                  want);
}

bool client_sees_end(void) {
    char c;

    return recv(client, &c, 1, 0) == 0;
}

void tick(unsigned seconds) {
    while (seconds-- > 0 && is_open()) {
        loop.ticks++;
        conn_tick(conn);
    }
}
