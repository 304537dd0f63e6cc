/* The output queue: what a socket takes in any pieces arrives whole and in order, and blobs are let go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resp/outq.h"
#include "unit.h"

enum { MAX = 1 << 20, BLOBS = 200, SOCKET_ROOM = 4096 };

static struct outq q;
static struct buf want, got;
static int ours, theirs;
static struct blob *blobs[BLOBS];

static void setup(void) {
    static const int room = SOCKET_ROOM;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ours = pair[0];
    theirs = pair[1];
    setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    outq_init(&q, MAX);
    want = buf_make(64 << 20);
    got = buf_make(64 << 20);
    for (size_t i = 0; i < BLOBS; i++) {
        blobs[i] = blob_new(i * 50, i * 50);
        memset(blobs[i]->data, 'A' + (int)(i % 26), i * 50);
    }
}

static void teardown(void) {
    outq_free(&q);
    for (size_t i = 0; i < BLOBS; i++) {
        ck_assert(!blob_shared(blobs[i])); /* the queue has let go of all */
        blob_unref(blobs[i]);
    }
    buf_free(&want);
    buf_free(&got);
    close(ours);
    close(theirs);
}

static void add_text(struct outq *to, const char *text) {
    char *at = outq_room(to, strlen(text));

    ck_assert_ptr_nonnull(at);
    memcpy(at, text, strlen(text));
    outq_added(to, at + strlen(text));
    ck_assert(buf_append_slice(&want, slice_str(text)));
}

static void add_blob(struct outq *to, size_t i) {
    outq_add_blob(to, blobs[i]);
    ck_assert(!to->overflow);
    ck_assert(buf_append_slice(&want, blob_slice(blobs[i])));
}

static void take(size_t most) {
    char bytes[8192];
    ssize_t n = recv(theirs, bytes, most < sizeof(bytes) ? most : sizeof(bytes), 0);

    if (n > 0)
        ck_assert(buf_append(&got, bytes, (size_t)n));
    else
        ck_assert_int_eq(errno, EAGAIN);
}

/* Sends all, with a reader who takes `most` bytes whenever the socket is full. */
static void send_all(struct outq *from, size_t most) {
    uint64_t sent = 0;
    enum send_result r;

    while ((r = outq_send(from, ours, &sent)) == SEND_BLOCKED)
        take(most);
    ck_assert_int_eq(r, SEND_ALL);
    ck_assert_uint_eq(outq_size(from), 0);
    while (got.len < want.len)
        take(8192);
    ck_assert_uint_eq(sent, want.len);
    ck_assert(slice_eq(buf_slice(&got), buf_slice(&want)));
}

START_TEST(bytes) {
    for (int i = 0; i < 20000; i++) {
        char line[16];

        snprintf(line, sizeof(line), "%d\r\n", i);
        add_text(&q, line);
    }
    send_all(&q, 1000);
}
END_TEST

START_TEST(bytes_and_blobs) {
    for (size_t i = 0; i < BLOBS; i++) { /* more than one sendmsg takes, with some blobs side by side */
        if (i % 3 != 0)
            add_text(&q, "between");
        add_blob(&q, i);
    }
    send_all(&q, 777);
}
END_TEST

START_TEST(a_blob_at_either_end) {
    add_blob(&q, 199);
    add_text(&q, "-");
    add_blob(&q, 198);
    send_all(&q, 8192);
}
END_TEST

START_TEST(grows_while_it_is_sent) {
    uint64_t sent = 0;

    for (size_t round = 0; round < 2000; round++) { /* never empty, never larger for it */
        add_text(&q, "0123456789");
        add_blob(&q, 20 + round % 10);
        if (round % 4 == 3)
            ck_assert_int_ne(outq_send(&q, ours, &sent), SEND_FAILED);
        for (int i = 0; i < 2; i++)
            take(8192);
        ck_assert_uint_lt(q.bytes.cap, 64 * 1024);
        ck_assert_uint_lt(q.piece_cap, 1024);
    }
    while (outq_send(&q, ours, &sent) == SEND_BLOCKED)
        take(8192);
    while (got.len < want.len)
        take(8192);
    ck_assert_uint_eq(sent, want.len);
    ck_assert(slice_eq(buf_slice(&got), buf_slice(&want)));
}
END_TEST

START_TEST(moves_what_waits) {
    struct outq to;
    uint64_t sent = 0;

    for (int i = 0; i < 3000; i++)
        add_text(&q, "0123456789");
    add_blob(&q, 199);
    add_text(&q, "end");
    ck_assert_int_eq(outq_send(&q, ours, &sent), SEND_BLOCKED);
    ck_assert_uint_gt(sent, 0);
    outq_move(&q, &to);
    ck_assert_uint_eq(outq_size(&q), 0);
    ck_assert_uint_eq(outq_size(&to), want.len - sent);
    ck_assert_uint_le(to.bytes.cap, want.len);
    while (outq_send(&to, ours, &sent) == SEND_BLOCKED)
        take(8192);
    while (got.len < want.len)
        take(8192);
    ck_assert(slice_eq(buf_slice(&got), buf_slice(&want)));
    outq_free(&to);
}
END_TEST

START_TEST(has_a_ceiling) {
    outq_free(&q);
    outq_init(&q, 1000);
    add_blob(&q, 15);  /* 750 bytes */
    add_blob(&q, 199); /* one may pass it */
    outq_add_blob(&q, blobs[1]);
    ck_assert(q.overflow);
    outq_clear(&q);
    ck_assert(!q.overflow);
    ck_assert_ptr_nonnull(outq_room(&q, 1000));
    ck_assert_ptr_null(outq_room(&q, 1001));
    ck_assert(q.overflow);
}
END_TEST

START_TEST(gives_back_the_room_of_a_large_reply) {
    char *at = outq_room(&q, MAX);

    memset(at, 'x', MAX);
    outq_added(&q, at + MAX);
    outq_clear(&q);
    ck_assert_uint_eq(q.bytes.cap, 0);
}
END_TEST

START_TEST(tells_a_lost_socket) {
    uint64_t sent = 0;

    shutdown(ours, SHUT_RDWR);
    add_text(&q, "x");
    add_blob(&q, 5);
    ck_assert_int_eq(outq_send(&q, ours, &sent), SEND_FAILED);
    ck_assert_uint_eq(sent, 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("resp_outq");
    TCase *tc = tcase_create("outq");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, bytes);
    tcase_add_test(tc, bytes_and_blobs);
    tcase_add_test(tc, a_blob_at_either_end);
    tcase_add_test(tc, grows_while_it_is_sent);
    tcase_add_test(tc, moves_what_waits);
    tcase_add_test(tc, has_a_ceiling);
    tcase_add_test(tc, gives_back_the_room_of_a_large_reply);
    tcase_add_test(tc, tells_a_lost_socket);
    suite_add_tcase(suite, tc);
    return suite;
}
