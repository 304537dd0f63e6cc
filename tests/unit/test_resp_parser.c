/* The parser: every input gives the same commands wherever it is cut, and nothing is taken for a mere claim. */
#include <flashkv/buf.h>
#include <stdio.h>
#include <stdlib.h>

#include "resp/parser.h"
#include "unit.h"

enum { MIB = 1 << 20 };

static const struct parser_limits limits = {.max_args = 1000, .max_bulk = 4 * MIB, .max_request = 8 * MIB};
static struct parser parser;
static struct buf said; /* "PING" "a b"; ERR Protocol error: ... */

static void setup(void) {
    parser_init(&parser, &limits);
    said = buf_make(64 * MIB);
}

static void teardown(void) {
    parser_free(&parser);
    buf_free(&said);
}

/* ---- an owner of a parser, as strict as can be: each piece moves the bytes to memory of their exact size ------ */

struct owner {
    char *bytes;
    size_t len;
    bool direct; /* receives large bulks into their blob */
};

static void owner_hold(struct owner *o, const char *from, size_t len, const char *more, size_t more_len) {
    char *fresh = malloc(len + more_len + 1);

    ck_assert_ptr_nonnull(fresh);
    if (len > 0)
        memcpy(fresh, from, len);
    if (more_len > 0)
        memcpy(fresh + len, more, more_len);
    free(o->bytes);
    o->bytes =
        realloc(fresh, len + more_len > 0 ? len + more_len : 1); /* so that AddressSanitizer sees its end */
    o->len = len + more_len;
}

static void say_command(void) {
    if (parser.argc == 0)
        return;
    for (size_t i = 0; i < parser.argc; i++) {
        ck_assert(buf_append(&said, "<", 1));
        ck_assert(buf_append(&said, parser.argv[i].ptr, parser.argv[i].len));
        ck_assert(buf_append(&said, ">", 1));
    }
    ck_assert(buf_append(&said, ";", 1));
}

/* False: an error has ended it. */
static bool owner_read(struct owner *o) {
    for (;;) {
        enum parse_result r = parser_read(&parser, o->bytes, o->len);

        if (r == PARSE_MORE) {
            owner_hold(o, o->bytes, parser_keeps(&parser, o->len), NULL, 0);
            return true;
        }
        if (r == PARSE_ERROR) {
            ck_assert(buf_append_slice(&said, slice_str(parser.error)));
            return false;
        }
        say_command();
        ck_assert_uint_gt(parser.at, 0);
        ck_assert_uint_le(parser.at, o->len);
        owner_hold(o, o->bytes + parser.at, o->len - parser.at, NULL, 0);
        parser_next(&parser);
    }
}

static size_t owner_receive(struct owner *o, const char *piece, size_t len) {
    size_t room;
    char *to;

    if (!o->direct || parser.blob == NULL) {
        owner_hold(o, o->bytes, o->len, piece, len);
        return len;
    }
    to = parser_room(&parser, &room);
    ck_assert_ptr_nonnull(to);
    ck_assert_uint_gt(room, 0);
    room = len < room ? len : room;
    memcpy(to, piece, room);
    parser_filled(&parser, room);
    return room;
}

/* What the parser makes of `in`, handed over in pieces: the first `cut` bytes, then `step` at a time. */
static const char *commands_of(struct slice in, size_t cut, size_t step, bool direct) {
    struct owner o = {.direct = direct};
    size_t at = 0;

    parser_free(&parser);
    said.len = 0;
    owner_hold(&o, NULL, 0, NULL, 0);
    for (bool going = true; going && at < in.len;) {
        size_t len = at == 0 ? cut : step;

        len = len < in.len - at ? len : in.len - at;
        at += owner_receive(&o, in.ptr + at, len);
        going = owner_read(&o);
    }
    free(o.bytes);
    ck_assert(buf_append(&said, "", 1));
    return said.data;
}

static void check_commands(struct slice in, const char *want) {
    ck_assert_str_eq(commands_of(in, in.len, 1, false), want);
    ck_assert_str_eq(commands_of(in, 1, 1, false), want);
    for (size_t cut = 1; cut < in.len; cut++)
        ck_assert_str_eq(commands_of(in, cut, in.len, false), want);
}

struct example {
    struct slice in;
    const char *commands;
};
#define EXAMPLE(in, commands)                                                                                \
    { {(in), sizeof(in) - 1}, commands }

static void check_examples(const struct example *examples, size_t count) {
    for (size_t i = 0; i < count; i++)
        check_commands(examples[i].in, examples[i].commands);
}
#define CHECK_EXAMPLES(examples) check_examples(examples, sizeof(examples) / sizeof(*(examples)))

/* ---- tests --------------------------------------------------------------------------------------------------- */

START_TEST(multibulk) {
    static const struct example examples[] = {
        EXAMPLE("*1\r\n$4\r\nPING\r\n", "<PING>;"),
        EXAMPLE("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n", "<SET><k><>;"),
        EXAMPLE("*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n$11\r\nhello world\r\n*1\r\n$1\r\nc\r\n",
                "<a>;<b><hello world>;<c>;"),
        EXAMPLE("*0\r\n*-1\r\n*-9223372036854775808\r\n*1\r\n$1\r\na\r\n", "<a>;"),
        EXAMPLE("*2\r\n$4\r\n\r\n\r\n\r\n$2\r\n*1\r\n", "<\r\n\r\n><*1>;"),
        /* Redis does not look at what is behind a number or a bulk, only skips it. */
        EXAMPLE("*1\rX$4\rYPINGZZPING\r\n", "<PING>;<PING>;"),
        EXAMPLE("*2\r\n$1\r\na\r\n", ""),
        EXAMPLE("*12\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$"
                "1\r\n8\r\n$1\r\n"
                "9\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
                "<1><2><3><4><5><6><7><8><9><a><b><c>;"),
    };

    CHECK_EXAMPLES(examples);
}
END_TEST

START_TEST(bytes_of_any_kind) {
    static const char in[] = "*2\r\n$4\r\n\0\r\n\xff\r\n$1\r\n\0\r\n";
    struct owner o = {0};

    owner_hold(&o, in, sizeof(in) - 1, NULL, 0);
    ck_assert_int_eq(parser_read(&parser, o.bytes, o.len), PARSE_DONE);
    ck_assert_uint_eq(parser.argc, 2);
    ck_assert(slice_eq(arg_slice(&parser.argv[0]), slice_of("\0\r\n\xff", 4)));
    ck_assert(slice_eq(arg_slice(&parser.argv[1]), slice_of("\0", 1)));
    free(o.bytes);
}
END_TEST

START_TEST(inline_commands) {
    static const struct example examples[] = {
        EXAMPLE("PING\r\n", "<PING>;"),
        EXAMPLE("PING\n", "<PING>;"),
        EXAMPLE("\r\n\n  \r\n\t\nPING\r\n", "<PING>;"),
        EXAMPLE("  SET \t k  v \r\n*1\r\n$1\r\na\r\nGET k\n", "<SET><k><v>;<a>;<GET><k>;"),
        EXAMPLE("PING\r\r\n", "<PING>;"),
        EXAMPLE("ECHO \"a b\"\r\n", "<ECHO><a b>;"),
        EXAMPLE("ECHO a\"b c\"\r\n", "<ECHO><ab c>;"),
        EXAMPLE("ECHO \"\" ''\r\n", "<ECHO><><>;"),
        EXAMPLE("\"\" \r\n", "<>;"),
        EXAMPLE("ECHO 'it\\'s' 'a\\n\"'\r\n", "<ECHO><it's><a\\n\">;"),
        EXAMPLE("ECHO \"\\x41\\n\\r\\t\\b\\a\\q\\\"\\\\\"\r\n", "<ECHO><A\n\r\t\b\aq\"\\>;"),
        EXAMPLE("ECHO \"\\x4\" \"\\xg1\" \"\\x\"\r\n", "<ECHO><x4><xg1><x>;"),
        EXAMPLE("ECHO \xff\xfe\r\n", "<ECHO><\xff\xfe>;"),
        EXAMPLE("PING", ""),
        EXAMPLE("SET k \"v\r\n", "ERR Protocol error: unbalanced quotes in request"),
        EXAMPLE("SET k 'v\r\n", "ERR Protocol error: unbalanced quotes in request"),
        EXAMPLE("SET k \"v\"x\r\n", "ERR Protocol error: unbalanced quotes in request"),
        EXAMPLE("SET k 'v'x\r\n", "ERR Protocol error: unbalanced quotes in request"),
        EXAMPLE("SET k \"v\\\"\r\n", "ERR Protocol error: unbalanced quotes in request"),
        EXAMPLE("SET k \"v\\\r\n", "ERR Protocol error: unbalanced quotes in request"),
    };

    CHECK_EXAMPLES(examples);
}
END_TEST

START_TEST(hostile_headers) {
    static const struct example examples[] = {
#define MULTIBULK "ERR Protocol error: invalid multibulk length"
        EXAMPLE("*1001\r\n", MULTIBULK),
        EXAMPLE("*2147483647\r\n", MULTIBULK),
        EXAMPLE("*1099511627776\r\n", MULTIBULK),
        EXAMPLE("*9223372036854775807\r\n", MULTIBULK),
        EXAMPLE("*9223372036854775808\r\n", MULTIBULK),
        EXAMPLE("*99999999999999999999\r\n", MULTIBULK),
        EXAMPLE("*\r\n", MULTIBULK),
        EXAMPLE("*01\r\n$1\r\na\r\n", MULTIBULK),
        EXAMPLE("*+1\r\n$1\r\na\r\n", MULTIBULK),
        EXAMPLE("*-0\r\n", MULTIBULK),
        EXAMPLE("*1 \r\n", MULTIBULK),
        EXAMPLE("*1\n$4\nPING\n\r\n", MULTIBULK),
        EXAMPLE("PING\n*x\r\n", "<PING>;" MULTIBULK),
#define BULK "ERR Protocol error: invalid bulk length"
        EXAMPLE("*1\r\n$4194305\r\n", BULK),
        EXAMPLE("*1\r\n$600000000\r\n", BULK),
        EXAMPLE("*1\r\n$9223372036854775807\r\n", BULK),
        EXAMPLE("*1\r\n$-5\r\n", BULK),
        EXAMPLE("*1\r\n$-1\r\n", BULK),
        EXAMPLE("*1\r\n$abc\r\n", BULK),
        EXAMPLE("*1\r\n$\r\n", BULK),
        EXAMPLE("*1\r\n$01\r\n", BULK),
        EXAMPLE("*1\r\n$1x\r\n", BULK),
        EXAMPLE("*2\r\n$1\r\na\r\n*1\r\n", "ERR Protocol error: expected '$', got '*'"),
        EXAMPLE("*1\r\nx\r\n", "ERR Protocol error: expected '$', got 'x'"),
        EXAMPLE("*1\r\n:1\r\n", "ERR Protocol error: expected '$', got ':'"),
        EXAMPLE("*1\r\n\r\n", "ERR Protocol error: expected '$', got '\r'"),
        EXAMPLE("*1\r\n\0\r\n", "ERR Protocol error: expected '$', got ' '"),
    };

    CHECK_EXAMPLES(examples);
    ck_assert_uint_le(parser.cap, 16);
}
END_TEST

START_TEST(lines_that_do_not_end) {
    static const struct {
        const char *start, *error;
    } lines[] = {
        {"*1", "ERR Protocol error: too big mbulk count string"},
        {"*1\r\n$1", "ERR Protocol error: too big bulk count string"},
        {"1", "ERR Protocol error: too big inline request"},
    };
    size_t len = PARSER_LINE_MAX + 100;
    char *in = malloc(len);

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        memset(in, '1', len);
        memcpy(in, lines[i].start, strlen(lines[i].start));
        ck_assert_str_eq(commands_of(slice_of(in, len), len, 1, false), lines[i].error);
        ck_assert_str_eq(commands_of(slice_of(in, len), PARSER_LINE_MAX - 10, 1, false), lines[i].error);
        ck_assert_str_eq(commands_of(slice_of(in, PARSER_LINE_MAX), len, 1, false), "");
    }
    free(in);
}
END_TEST

/* "*3 SET k <len bytes>" between two PINGs, and how that reads. */
static struct slice large_set(size_t len, struct buf *want) {
    static char value[3 * MIB];
    struct buf in = buf_make(64 * MIB);

    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + i * 7 % 26);
    *want = buf_make(64 * MIB);
    ck_assert(buf_printf(&in, "PING\r\n*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$%zu\r\n", len));
    ck_assert(buf_printf(want, "<PING>;<SET><k><"));
    ck_assert(buf_append(&in, value, len) && buf_append(want, value, len));
    ck_assert(buf_printf(&in, "\r\n$2\r\nNX\r\nPING\r\n"));
    ck_assert(buf_append(want, "><NX>;<PING>;", 14));
    return buf_slice(&in);
}

START_TEST(large_bulks) {
    static const size_t lengths[] = {PARSER_BLOB_MIN - 1, PARSER_BLOB_MIN, PARSER_BLOB_MIN + 1, 100000,
                                     3 * MIB};
    static const size_t steps[] = {977, 16384, 65536, 1 * MIB};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct buf want;
        struct slice in = large_set(lengths[i], &want);

        for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
            ck_assert_str_eq(commands_of(in, 70, steps[s], true), want.data);
            ck_assert_str_eq(commands_of(in, 70, steps[s], false), want.data);
        }
        for (size_t near = 0; near < 60 && lengths[i] <= 100000;
             near++) { /* around the header, and the end */
            ck_assert_str_eq(commands_of(in, near + 1, in.len, false), want.data);
            ck_assert_str_eq(commands_of(in, near + 1, in.len, true), want.data);
            ck_assert_str_eq(commands_of(in, in.len - near, in.len, true), want.data);
        }
        free((char *)in.ptr);
        buf_free(&want);
    }
}
END_TEST

START_TEST(a_large_bulk_that_is_cut_is_a_blob) {
    char in[] = "*1\r\n$40000\r\nabc";
    size_t room, sum = 3;

    ck_assert_int_eq(parser_read(&parser, in, sizeof(in) - 1), PARSE_MORE);
    ck_assert_ptr_nonnull(parser.blob);
    ck_assert_uint_eq(parser_keeps(&parser, sizeof(in) - 1), 12);
    while (sum < 40002) {
        char *to = parser_room(&parser, &room);

        memset(to, 'x', room);
        parser_filled(&parser, room);
        sum += room;
    }
    ck_assert_uint_eq(sum, 40002); /* no room for a byte of the next command */
    ck_assert_int_eq(parser_read(&parser, in, 12), PARSE_DONE);
    ck_assert_uint_eq(parser.argc, 1);
    ck_assert_ptr_nonnull(parser.argv[0].blob);
    ck_assert_ptr_eq(parser.argv[0].ptr, parser.argv[0].blob->data);
    ck_assert_uint_eq(parser.argv[0].len, 40000);
    ck_assert_uint_eq(parser.argv[0].blob->len, 40000);
    ck_assert_int_eq(memcmp(parser.argv[0].ptr, "abcx", 4), 0);
}
END_TEST

START_TEST(claims_take_no_memory) {
    static const struct parser_limits wide = {1 << 20, UINT64_C(1) << 40, UINT64_C(1) << 41};
    char bulk[] = "*1\r\n$500000000000\r\n", many[] = "*1048576\r\n$1\r\na\r\n";
    size_t room, got = 0;

    parser_init(&parser, &wide);
    ck_assert_int_eq(parser_read(&parser, many, sizeof(many) - 1), PARSE_MORE);
    ck_assert_uint_le(parser.cap, 16);
    parser_next(&parser);
    ck_assert_int_eq(parser_read(&parser, bulk, sizeof(bulk) - 1), PARSE_MORE);
    while (got < 4 * MIB) { /* room grows with what has arrived */
        ck_assert_uint_le(parser.blob->cap, 64 * 1024 + 8 * got);
        ck_assert_ptr_nonnull(parser_room(&parser, &room));
        room = room < 10000 ? room : 10000;
        parser_filled(&parser, room);
        got += room;
    }
}
END_TEST

START_TEST(a_whole_request_has_a_ceiling) {
    static const struct parser_limits tight = {1000, 4 * MIB, 200};
    struct example examples[] = {
        EXAMPLE("*2\r\n$90\r\n", ""),
        EXAMPLE("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$125\r\n",
                "ERR Protocol error: request over max-request-bytes"),
        EXAMPLE("*1\r\n$10\r\n0123456789\r\n*1\r\n$170\r\n", "<0123456789>;"), /* each for itself */
    };

    parser_init(&parser, &tight);
    CHECK_EXAMPLES(examples);
}
END_TEST

START_TEST(room_for_many_arguments_is_given_back) {
    static const struct parser_limits wide = {1 << 20, MIB, 64 * MIB};
    struct buf in = buf_make(64 * MIB);
    size_t count = 5000;

    parser_init(&parser, &wide);
    ck_assert(buf_printf(&in, "*%zu\r\n", count));
    for (size_t i = 0; i < count; i++)
        ck_assert(buf_printf(&in, "$4\r\n%04zu\r\n", i));
    ck_assert_int_eq(parser_read(&parser, in.data, in.len), PARSE_DONE);
    ck_assert_uint_eq(parser.argc, count);
    ck_assert(slice_eq(arg_slice(&parser.argv[4999]), SLICE_LIT("4999")));
    parser_next(&parser);
    ck_assert_uint_eq(parser.cap, 0);
    buf_free(&in);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("resp_parser");
    TCase *tc = tcase_create("parser");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, multibulk);
    tcase_add_test(tc, bytes_of_any_kind);
    tcase_add_test(tc, inline_commands);
    tcase_add_test(tc, hostile_headers);
    tcase_add_test(tc, lines_that_do_not_end);
    tcase_add_test(tc, large_bulks);
    tcase_add_test(tc, a_large_bulk_that_is_cut_is_a_blob);
    tcase_add_test(tc, claims_take_no_memory);
    tcase_add_test(tc, a_whole_request_has_a_ceiling);
    tcase_add_test(tc, room_for_many_arguments_is_given_back);
    suite_add_tcase(suite, tc);
    return suite;
}
