/* The checksum of files: known values, and both ways of computing it alike. */
#include <flashkv/crc32c.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

enum { LONGEST = 300 };

static unsigned char bytes[LONGEST];

/* RFC 3720, B.4. */
START_TEST(known) {
    ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, 32);
    ck_assert_uint_eq(crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    ck_assert_uint_eq(crc32c(0, bytes, 32), 0x62a8ab43);
    ck_assert_uint_eq(crc32c(0, bytes, 0), 0);
}
END_TEST

START_TEST(portable_is_the_same) {
    for (size_t i = 0; i < LONGEST; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 3);
    for (size_t len = 0; len < LONGEST; len++)
        ck_assert_uint_eq(crc32c(0, bytes, len), crc32c_portable(0, bytes, len));
}
END_TEST

START_TEST(in_pieces) {
    for (size_t cut = 0; cut <= LONGEST; cut += 13)
        ck_assert_uint_eq(crc32c(crc32c(0, bytes, cut), bytes + cut, LONGEST - cut),
                          crc32c(0, bytes, LONGEST));
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("crc32c");
    TCase *tc = tcase_create("crc32c");

    tcase_add_test(tc, known);
    tcase_add_test(tc, portable_is_the_same);
    tcase_add_test(tc, in_pieces);
    suite_add_tcase(s, tc);
    return s;
}
