/* sample.h - members of a collection picked at random, for HRANDFIELD, SRANDMEMBER, SPOP and their like.
 * Private to the command layer. */
#ifndef FLASHKV_COMMAND_SAMPLE_H
#define FLASHKV_COMMAND_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A collection as sampling sees it: places of its members. */
struct sample_source {
    const void *object;
    size_t len;
    const void *(*random)(const void *object);
    void (*walk)(const void *object, void (*visit)(void *ctx, const void *place), void *ctx);
};

/* `count` (at most len) different places, each choice with the same chance, as an array for mem_free; NULL: no
 * memory. O(count) for a small share of a large collection, else O(len). Order: none in particular. */
const void **sample_distinct(const struct sample_source *source, size_t count);

#endif
