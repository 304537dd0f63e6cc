/* Hash flooding: keys chosen to collide under the hash as published (unkeyed XXH3-64, which the ETag shows to anybody) spread
 * evenly under the store's secret, and the keys that collide in one process do not in the next.
 * Source: Crosby and Wallach, "Denial of Service via Algorithmic Complexity Attacks", 2003. */
#include <flashkv/store.h>
#include <stdio.h>

#include "unit.h"

enum {
    ATTACK = 256, /* keys whose unkeyed hashes begin with the same 16 bits: one shard, neighbouring slots */
    SHARD_MOST = 40,    /* of them in one shard: 4 are expected, and so many have a chance below 10^-27 */
    NEIGHBOUR_BITS = 16 /* what "neighbouring" is */
};

static char names[ATTACK][24];

static struct slice name(unsigned n) {
    return slice_str(names[n]);
}

static void find_collisions(void) {
    unsigned found = 0;

    for (uint64_t i = 0; found < ATTACK; i++) {
        snprintf(names[found], sizeof(names[found]), "attack:%llu", (unsigned long long)i);
        found += store_digest(name(found)) >> (64 - NEIGHBOUR_BITS) == 0;
    }
}

static unsigned fullest_shard(const struct store *s) {
    unsigned in_shard[STORE_SHARDS] = {0}, most = 0;

    for (unsigned n = 0; n < ATTACK; n++) {
        struct key k = store_key(s, name(n));
        unsigned count = ++in_shard[key_shard(&k)];

        if (count > most)
            most = count;
    }
    return most;
}

START_TEST(chosen_keys_spread) {
    struct store *s = store_create(&(struct store_config){.max_value = 1 << 20});

    ck_assert_ptr_nonnull(s);
    ck_assert_uint_le(fullest_shard(s), SHARD_MOST);
    store_destroy(s);
}
END_TEST

START_TEST(collisions_are_of_one_process) {
    struct store *a = store_create(&(struct store_config){.max_value = 1 << 20});
    struct store *b = store_create(&(struct store_config){.max_value = 1 << 20});
    unsigned same = 0;

    ck_assert(a != NULL && b != NULL);
    for (unsigned n = 0; n < ATTACK; n++) {
        struct key in_a = store_key(a, name(n)), in_b = store_key(b, name(n));

        same += key_shard(&in_a) == key_shard(&in_b);
    }
    ck_assert_uint_le(same, SHARD_MOST); /* 4 are expected */
    store_destroy(a);
    store_destroy(b);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("flooding");
    TCase *c = tcase_create("flooding");

    tcase_add_unchecked_fixture(c, find_collisions, NULL);
    tcase_add_test(c, chosen_keys_spread);
    tcase_add_test(c, collisions_are_of_one_process);
    suite_add_tcase(s, c);
    return s;
}
