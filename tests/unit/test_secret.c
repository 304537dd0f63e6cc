/* SHA-256 against the examples of FIPS 180-4, and passwords. */
#include <flashkv/secret.h>
#include <stdlib.h>

#include "unit.h"

static void check_digest(struct slice data, const char *expected) {
    struct sha256 digest = sha256(data);
    char hex[SHA256_HEX];

    sha256_hex(&digest, hex);
    ck_assert_str_eq(hex, expected);
}

START_TEST(digests_are_those_of_the_standard) {
    char *million = malloc(1000000);

    ck_assert_ptr_nonnull(million);
    memset(million, 'a', 1000000);
    check_digest(slice_of(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_digest(SLICE_LIT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_digest(SLICE_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_digest(slice_of(million, 1000000),
                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}
END_TEST

START_TEST(passwords) {
    struct secret s;

    secret_init(&s);
    ck_assert(!secret_is_set(&s) && !secret_matches(&s, SLICE_LIT("")));
    secret_set(&s, SLICE_LIT("abc"));
    ck_assert(secret_is_set(&s) && secret_matches(&s, SLICE_LIT("abc")));
    ck_assert(!secret_matches(&s, SLICE_LIT("abcd")) && !secret_matches(&s, SLICE_LIT("ab")) &&
              !secret_matches(&s, SLICE_LIT("")));
    secret_set(&s, SLICE_LIT(""));
    ck_assert(!secret_is_set(&s) && !secret_matches(&s, SLICE_LIT("abc")) &&
              !secret_matches(&s, SLICE_LIT("")));
    secret_destroy(&s);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("secret");
    TCase *tc = tcase_create("secret");

    tcase_add_test(tc, digests_are_those_of_the_standard);
    tcase_add_test(tc, passwords);
    suite_add_tcase(suite, tc);
    return suite;
}
