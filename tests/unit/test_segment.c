/* The log's file: whatever is written to it, in runs of any length, past the page cache and through it, is there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "persist/segment.h"
#include "unit.h"

enum { RUNS = 40, RUN_MAX = 300 * 1024, BEGIN = 4711 };

static char dir[32];
static struct files files;
static struct segment_file segment;
static struct chain all; /* that was written */

static void setup(void) {
    char why[256];

    snprintf(dir, sizeof(dir), "/tmp/flashkv-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(files_open(&files, dir, FILES_MAKE, why, sizeof(why)), "%s", why);
    segment = segment_none();
    all = chain_make();
}

static void teardown(void) {
    char command[64];

    segment_close(&segment);
    chain_free(&all);
    files_close(&files);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* The next run, which lies in memory as in the file, or not. */
static void write_run(size_t len, bool placed) {
    uint64_t position = BEGIN + chain_len(&all);
    struct chain run = chain_make();
    struct slice bytes;
    char *at;

    ck_assert(chain_grow(&run, RUN_MAX + SEGMENT_BLOCK));
    chain_set_lead(&run, placed ? segment_place(&segment, position) : 1);
    at = chain_room(&run, len);
    ck_assert_ptr_nonnull(at);
    for (size_t i = 0; i < len; i++)
        at[i] = (char)(position + i + (position + i) / 251);
    bytes = slice_of(at, len);
    ck_assert(segment_write(&segment, bytes, position));
    chain_add(&all, bytes);
    chain_free(&run);
}

static void check_file(void) {
    struct mapped m;

    ck_assert(files_map(&files, RECORD_LOG, BEGIN, &m));
    ck_assert_uint_eq(m.bytes.len, RECORD_HEADER + chain_len(&all));
    ck_assert(memcmp(m.bytes.ptr + RECORD_HEADER, all.bytes.data, chain_len(&all)) == 0);
    files_unmap(&m);
}

static void write_runs(bool direct) {
    unsigned long state = 1;

    ck_assert(segment_begin(&segment, &files, BEGIN, false, direct));
    for (int i = 0; i < RUNS; i++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        write_run(state >> 33 & 1 ? state >> 34 & 255 : (state >> 34) % RUN_MAX, state >> 60 != 0);
        check_file();
    }
}

START_TEST(past_the_cache) {
    write_runs(true);
}
END_TEST

START_TEST(through_the_cache) {
    write_runs(false);
    ck_assert_int_eq(segment.direct, -1);
}
END_TEST

/* A file system that takes a descriptor with O_DIRECT, and then nothing that is written to it. */
START_TEST(refused) {
    int zeros[2];

    ck_assert(segment_begin(&segment, &files, BEGIN, false, false));
    ck_assert_int_eq(pipe(zeros), 0);
    close(zeros[0]);
    segment.direct = open("/dev/null", O_RDONLY); /* pwrite: EBADF */
    write_run(RUN_MAX, true);
    check_file();
    close(segment.direct);
    segment.direct = zeros[1]; /* ESPIPE */
    write_run(RUN_MAX, true);
    check_file();
}
END_TEST

START_TEST(begun_anew) {
    uint64_t newest;

    ck_assert(!files_newest(&files, &newest));
    ck_assert(segment_begin(&segment, &files, BEGIN, false, true));
    ck_assert(segment_begin(&segment, &files, BEGIN, false, true)); /* a file without frames is there */
    write_run(10, true);
    ck_assert(!segment_begin(&segment, &files, BEGIN, false, true));
    check_file();
    ck_assert(files_newest(&files, &newest) && newest == BEGIN);
    ck_assert(segment_begin(&segment, &files, BEGIN + 10, true, true));
    ck_assert_uint_eq(segment.position, BEGIN + 10);
    ck_assert(files_newest(&files, &newest) && newest == BEGIN); /* it does not count yet */
    ck_assert(files_note_newest(&files, BEGIN + 10) && files_newest(&files, &newest) && newest == BEGIN + 10);
    ck_assert(files_forget_newest(&files) && !files_newest(&files, &newest));
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("segment");
    TCase *tc = tcase_create("segment");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, past_the_cache);
    tcase_add_test(tc, through_the_cache);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, begun_anew);
    suite_add_tcase(s, tc);
    return s;
}
