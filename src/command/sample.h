/* sample.h - random samples of a collection's members, for HRANDFIELD, SRANDMEMBER, SPOP and the like.
 * Private to the command layer. */
#ifndef FLASHKV_COMMAND_SAMPLE_H
#define FLASHKV_COMMAND_SAMPLE_H

#include <flashkv/command.h>

/* The interface of a collection for sampling: handles of its members. */
struct sample_source {
    const void *object;
    size_t len;
    const void *(*random)(const void *object);
    void (*walk)(const void *object, void (*visit)(void *ctx, const void *place), void *ctx);
};

/* `count` (at most len) distinct members, sampled uniformly, as an array to be freed with mem_free; NULL: no
 * memory. O(count) for a small share of a large collection, else O(len). In no particular order. */
const void **sample_distinct(const struct sample_source *source, size_t count);

/* The count (negative: with repetition), and whether values or scores are replied too. */
struct sample_args {
    int64_t count;
    bool pairs;
};
/* Parses the arguments of HRANDFIELD and ZRANDMEMBER: the count in 2, `word` ("withscores") in 3. False: replied an error. */
bool arg_sample(struct call *c, const char *word, struct sample_args *out);
/* Replies a sample; `reply` emits one member, with its value or score if requested. */
void reply_sample(struct call *c, const struct sample_source *source, const struct sample_args *args,
                  void (*reply)(void *ctx, const void *place), void *ctx);

#endif
