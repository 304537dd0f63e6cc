/* The writer: each kind of reply in RESP2 and RESP3, byte by byte. */
#include <math.h>

#include "resp/writer.h"
#include "unit.h"

static _Atomic uint8_t protocol;
static struct outq out;
static struct writer writer;

static void setup(void) {
    outq_init(&out, 1 << 20);
    writer_init(&writer, &protocol, &out);
}

static void teardown(void) {
    outq_free(&out);
}

/* What `emit` writes at protocol `version`. */
static void check_wire(void (*emit)(struct reply *r), int version, const char *wire) {
    atomic_store(&protocol, (uint8_t)version);
    outq_clear(&out);
    emit(&writer.reply);
    ck_assert_msg(slice_eq(buf_slice(&out.bytes), slice_str(wire)), "RESP%d: %.*s instead of %s", version,
                  (int)out.bytes.len, out.bytes.data, wire);
}

#define REPLY(name, statement, resp2, resp3)                                                                 \
    static void emit_##name(struct reply *r) {                                                               \
        statement;                                                                                           \
    }                                                                                                        \
    START_TEST(name) {                                                                                       \
        check_wire(emit_##name, 2, resp2);                                                                   \
        check_wire(emit_##name, 3, resp3);                                                                   \
    }                                                                                                        \
    END_TEST
#define SAME(name, statement, wire) REPLY(name, statement, wire, wire)

SAME(status, reply_status(r, SLICE_LIT("PONG")), "+PONG\r\n")
SAME(ok, reply_ok(r), "+OK\r\n")
SAME(error, reply_error(r, "ERR no '%s'", "x\r\ny"), "-ERR no 'x  y'\r\n")
SAME(integers, for (int64_t n = 1; n > 0 && n < INT64_MAX / 100; n *= -97) reply_integer(r, n);
     reply_integer(r, 0); reply_integer(r, 9); reply_integer(r, 10); reply_integer(r, 99);
     reply_integer(r, 100); reply_integer(r, -1); reply_integer(r, INT64_MAX);
     reply_integer(r, INT64_MIN),
     ":1\r\n:0\r\n:9\r\n:10\r\n:99\r\n:100\r\n:-1\r\n:9223372036854775807\r\n:-9223372036854775808\r\n")
SAME(bulks, reply_text(r, ""); reply_text(r, "a");
     reply_bulk(r, SLICE_LIT("0123456789\r\n")), "$0\r\n\r\n$1\r\na\r\n$12\r\n0123456789\r\n\r\n")
SAME(array, reply_array(r, 0); reply_array(r, 123), "*0\r\n*123\r\n")
REPLY(null, reply_null(r), "$-1\r\n", "_\r\n")
REPLY(null_array, reply_null_array(r), "*-1\r\n", "_\r\n")
REPLY(map, reply_map(r, 7), "*14\r\n", "%7\r\n")
REPLY(set, reply_set(r, 7), "*7\r\n", "~7\r\n")
REPLY(push, reply_push(r, 3), "*3\r\n", ">3\r\n")
REPLY(booleans, reply_boolean(r, true); reply_boolean(r, false), ":1\r\n:0\r\n", "#t\r\n#f\r\n")
REPLY(verbatim, reply_verbatim(r, SLICE_LIT("Some string")), "$11\r\nSome string\r\n",
      "=15\r\ntxt:Some string\r\n")
REPLY(reals, reply_real(r, 3); reply_real(r, 0.1); reply_real(r, -1e100);
      reply_real(r, 17179869184.5),
      "$1\r\n3\r\n$19\r\n0.10000000000000001\r\n$7\r\n-1e+100\r\n$13\r\n17179869184.5\r\n",
      ",3\r\n,0.10000000000000001\r\n,-1e+100\r\n,17179869184.5\r\n")
REPLY(endless_reals, reply_real(r, INFINITY); reply_real(r, -INFINITY);
      reply_real(r, NAN), "$3\r\ninf\r\n$4\r\n-inf\r\n$3\r\nnan\r\n", ",inf\r\n,-inf\r\n,nan\r\n")

START_TEST(zero_bytes) {
    reply_bulk(&writer.reply, slice_of("\0a\0", 3));
    ck_assert(slice_eq(buf_slice(&out.bytes), slice_of("$3\r\n\0a\0\r\n", 9)));
}
END_TEST

START_TEST(a_blob_is_held_not_copied) {
    struct blob *b = blob_new(5, 5);

    reply_blob(&writer.reply, b);
    ck_assert(slice_eq(buf_slice(&out.bytes), SLICE_LIT("$5\r\n\r\n")));
    ck_assert_uint_eq(out.piece_count, 1);
    ck_assert_uint_eq(out.pieces[0].at, 4);
    ck_assert(blob_shared(b));
    outq_clear(&out);
    ck_assert(!blob_shared(b));
    blob_unref(b);
}
END_TEST

START_TEST(errors_are_counted) {
    reply_ok(&writer.reply);
    reply_error(&writer.reply, "ERR a");
    reply_error(&writer.reply, "ERR b");
    ck_assert_uint_eq(writer.errors, 2);
}
END_TEST

START_TEST(a_full_queue_is_remembered) {
    outq_free(&out);
    outq_init(&out, 100);
    for (int i = 0; i < 30; i++)
        reply_ok(&writer.reply);
    ck_assert(out.overflow);
    ck_assert_uint_le(out.bytes.len, 100);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("resp_writer");
    TCase *tc = tcase_create("writer");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, status);
    tcase_add_test(tc, ok);
    tcase_add_test(tc, error);
    tcase_add_test(tc, integers);
    tcase_add_test(tc, bulks);
    tcase_add_test(tc, array);
    tcase_add_test(tc, null);
    tcase_add_test(tc, null_array);
    tcase_add_test(tc, map);
    tcase_add_test(tc, set);
    tcase_add_test(tc, push);
    tcase_add_test(tc, booleans);
    tcase_add_test(tc, verbatim);
    tcase_add_test(tc, reals);
    tcase_add_test(tc, endless_reals);
    tcase_add_test(tc, zero_bytes);
    tcase_add_test(tc, a_blob_is_held_not_copied);
    tcase_add_test(tc, errors_are_counted);
    tcase_add_test(tc, a_full_queue_is_remembered);
    suite_add_tcase(suite, tc);
    return suite;
}
