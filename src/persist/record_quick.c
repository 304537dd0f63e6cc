/* record_quick.c - the fast path for the frame of one command: copied and checksummed in one pass.
 *
 * Nearly all frames of a log are such. The checksum is computed from the source words, not from the copy: reading that back
 * would stall until it has left the processor's store buffer, where it may wait for the cache lines of the log's buffer. */
#include "record_parts.h"

#ifdef __x86_64__
#include <nmmintrin.h>

enum { WORD = sizeof(uint64_t) };
#define QUICK __attribute__((target("sse4.2")))

/* The write position, and the checksum so far. */
struct pass {
    char *to;
    uint64_t crc;
};

QUICK static inline void pass_byte(struct pass *p, unsigned char byte) {
    p->crc = _mm_crc32_u8((uint32_t)p->crc, byte);
    *p->to++ = (char)byte;
}

QUICK static inline void pass_uint(struct pass *p, uint64_t n) {
    for (; n >= 0x80; n >>= 7)
        pass_byte(p, (unsigned char)(n | 0x80));
    pass_byte(p, (unsigned char)n);
}

/* `n` 8-byte words; `n` is a compile-time constant. */
QUICK static inline void pass_words(struct pass *p, const char *from, unsigned n) {
    uint64_t word;

#pragma GCC unroll 8
    for (unsigned i = 0; i < n; i++) {
        memcpy(&word, from + i * WORD, WORD);
        p->crc = _mm_crc32_u64(p->crc, word);
    }
    memcpy(p->to, from, n * WORD);
    p->to += n * WORD;
}

QUICK static inline void pass_bytes(struct pass *p, const char *from, size_t len) {
    const char *end = from + len;

    for (; (size_t)(end - from) >= 8 * WORD; from += 8 * WORD)
        pass_words(p, from, 8);
    if ((len & 4 * WORD) != 0) {
        pass_words(p, from, 4);
        from += 4 * WORD;
    }
    if ((len & 2 * WORD) != 0) {
        pass_words(p, from, 2);
        from += 2 * WORD;
    }
    if ((len & WORD) != 0) {
        pass_words(p, from, 1);
        from += WORD;
    }
    while (from < end)
        pass_byte(p, (unsigned char)*from++);
}

QUICK bool record_put_quick(struct chain *c, uint64_t place, const struct key *k, size_t argc,
                            const struct arg *argv) {
    unsigned char kind = record_kind(k, argc, argv);
    size_t first = first_word(kind), length = 1 + words_bytes(first, argc, argv);
    struct pass p = {NULL, (uint32_t)~short_seed(place)};
    uint32_t crc;
    char *frame;

    if (kind == EFFECT_COMMAND || !chain_copies(length) || !__builtin_cpu_supports("sse4.2"))
        return false;
    frame = chain_room(c, CRC + UINT_MAX_BYTES + length);
    if (frame == NULL)
        return true;
    p.to = frame + CRC;
    pass_uint(&p, length);
    pass_byte(&p, kind);
    if (first == 0)
        pass_uint(&p, argc);
    for (size_t i = first; i < argc; i++) {
        pass_uint(&p, argv[i].len);
        pass_bytes(&p, argv[i].ptr, argv[i].len);
    }
    crc = ~(uint32_t)p.crc;
    memcpy(frame, &crc, CRC);
    c->bytes.len = (size_t)(p.to - c->bytes.data);
    return true;
}
#else
bool record_put_quick(struct chain *c, uint64_t place, const struct key *k, size_t argc,
                      const struct arg *argv) {
    (void)c, (void)place, (void)k, (void)argc, (void)argv;
    return false;
}
#endif
