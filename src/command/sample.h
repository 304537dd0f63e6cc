/* sample.h - members of a collection picked at random, for HRANDFIELD, SRANDMEMBER, SPOP and their like.
 * Private to the command layer. */
#ifndef FLASHKV_COMMAND_SAMPLE_H
#define FLASHKV_COMMAND_SAMPLE_H

#include <flashkv/command.h>

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

/* How many are asked for, less than 0: with repeats; and whether as pairs with what belongs to them. */
struct sample_args {
    int64_t count;
    bool pairs;
};
/* HRANDFIELD and ZRANDMEMBER: the count in argument 2, `word` ("withscores") in 3. False: replied an error. */
bool arg_sample(struct call *c, const char *word, struct sample_args *out);
/* Replies so many members; `reply` emits one, or one and what belongs to it. */
void reply_sample(struct call *c, const struct sample_source *source, const struct sample_args *args,
                  void (*reply)(void *ctx, const void *place), void *ctx);

#endif
