/* Server-sent events from replies, in both forms, and the times of long polls. */
#include "http/poll.h"
#include "http/sse_forms.h"
#include "unit.h"

static void say_message(struct reply *r, const void *payload) {
    reply_push(r, 3);
    reply_text(r, "message");
    reply_text(r, "news");
    reply_bulk(r, *(const struct slice *)payload);
}

static void say_pattern(struct reply *r, const void *payload) {
    reply_push(r, 3);
    reply_text(r, "psubscribe");
    reply_text(r, "n*");
    reply_integer(r, 1);
    reply_push(r, 4);
    reply_text(r, "pmessage");
    reply_text(r, "n*");
    reply_text(r, "news");
    reply_bulk(r, *(const struct slice *)payload);
}

static void say_error(struct reply *r, const void *unused) {
    (void)unused;
    reply_error(r, "NOPERM no");
}

static void check(sse_put *put, sse_emit *emit, struct slice payload, const char *want,
                  const char *want_error) {
    struct buf out = buf_make(1000);
    char error[SSE_ERROR];

    ck_assert(put(&out, emit, &payload, error));
    ck_assert_msg(slice_eq(buf_slice(&out), slice_str(want)), "%.*s", (int)out.len, out.data);
    ck_assert_str_eq(error, want_error);
    buf_free(&out);
}

START_TEST(upstash) {
    check(sse_put_upstash, say_message, SLICE_LIT("hello"), "data: message,news,hello\n\n", "");
    check(sse_put_upstash, say_message, SLICE_LIT("a\nb\r\nc\rd\n"),
          "data: message,news,a\ndata: b\ndata: c\ndata: d\ndata: \n\n", "");
    check(sse_put_upstash, say_pattern, SLICE_LIT(""), "data: psubscribe,n*,1\n\ndata: pmessage,n*,news,\n\n",
          "");
    check(sse_put_upstash, say_error, SLICE_LIT(""), "", "NOPERM no");
}
END_TEST

START_TEST(ours) {
    check(sse_put_json, say_message, SLICE_LIT("a\nb\""),
          "event: message\ndata: {\"channel\":\"news\",\"message\":\"a\\nb\\\"\"}\n\n", "");
    check(sse_put_json, say_message, SLICE_LIT("\xff"),
          "event: message\ndata: "
          "{\"channel\":\"news\",\"message\":\"/w==\",\"message_encoding\":\"base64\"}\n\n",
          "");
    check(sse_put_json, say_pattern, SLICE_LIT("m"),
          "event: subscribe\ndata: {\"pattern\":\"n*\",\"subscriptions\":1}\n\n"
          "event: message\ndata: {\"pattern\":\"n*\",\"channel\":\"news\",\"message\":\"m\"}\n\n",
          "");
    check(sse_put_json, say_error, SLICE_LIT(""), "", "NOPERM no");
}
END_TEST

START_TEST(no_room) {
    static char large[2000];
    sse_put *const puts[] = {sse_put_upstash, sse_put_json};

    memset(large, 'x', sizeof(large));
    for (size_t i = 0; i < 2; i++) {
        struct slice payload = slice_of(large, sizeof(large));
        struct buf out = buf_make(1000);
        char error[SSE_ERROR];

        ck_assert(!puts[i](&out, say_message, &payload, error));
        ck_assert_uint_le(out.len, 1000);
        buf_free(&out);
    }
}
END_TEST

START_TEST(times) {
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},       {"30", 30000},    {"30s", 30000},
                {"500ms", 500}, {"300s", 300000}, {"300000ms", 300000}};
    static const char *const bad[] = {"",
                                      "s",
                                      "ms",
                                      "m",
                                      "-1",
                                      "-1s",
                                      "301",
                                      "300001ms",
                                      "1.5s",
                                      "1 s",
                                      "1S",
                                      "+1",
                                      "01",
                                      "9223372036854775807",
                                      "9223372036854775807ms",
                                      "1sms",
                                      "1mss"};
    int64_t ms;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ck_assert_msg(poll_time(slice_str(good[i].text), &ms), "%s", good[i].text);
        ck_assert_int_eq(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!poll_time(slice_str(bad[i]), &ms), "%s", bad[i]);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("http_events");
    TCase *tc = tcase_create("http_events");

    tcase_add_test(tc, upstash);
    tcase_add_test(tc, ours);
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, times);
    suite_add_tcase(suite, tc);
    return suite;
}
