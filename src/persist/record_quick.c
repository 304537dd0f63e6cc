/* record_quick.c - the frame of one command, copied and checked in one pass.
 *
 * That is what nearly all of a log is made of. The checksum takes its words from where they came from, for what has just been
 * written cannot be read back before it has left the processor's queue of stores, and waits for lines of the buffer there. */
#include "record_parts.h"

#ifdef __x86_64__
#include <nmmintrin.h>

enum { WORD = sizeof(uint64_t) };
#define QUICK __attribute__((target("sse4.2")))

/* What has been written, and the checksum of it. */
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

QUICK static inline void pass_word(struct pass *p, const char *from, size_t at) {
    uint64_t word;

    memcpy(&word, from + at, WORD);
    p->crc = _mm_crc32_u64(p->crc, word);
    memcpy(p->to + at, &word, WORD);
}

QUICK static inline void pass_bytes(struct pass *p, const char *from, size_t len) {
    size_t at = 0;

    for (; at + 4 * WORD <= len; at += 4 * WORD) {
        pass_word(p, from, at);
        pass_word(p, from, at + WORD);
        pass_word(p, from, at + 2 * WORD);
        pass_word(p, from, at + 3 * WORD);
    }
    for (; at + WORD <= len; at += WORD)
        pass_word(p, from, at);
    p->to += at;
    for (; at < len; at++)
        pass_byte(p, (unsigned char)from[at]);
}

QUICK static char *put_frame(char *frame, uint64_t place, const struct record_command *m) {
    struct pass p = {frame + CRC, (uint32_t)~short_seed(place)};
    uint32_t crc;

    pass_uint(&p, m->length);
    pass_byte(&p, m->kind);
    if (m->first == 0)
        pass_uint(&p, m->argc);
    for (size_t i = m->first; i < m->argc; i++) {
        pass_uint(&p, m->argv[i].len);
        pass_bytes(&p, m->argv[i].ptr, m->argv[i].len);
    }
    crc = ~(uint32_t)p.crc;
    memcpy(frame, &crc, CRC);
    return p.to;
}

bool record_put_quick(struct chain *c, uint64_t place, const struct record_command *m) {
    char *at;

    if (m->kind == EFFECT_COMMAND || m->by_reference || m->length > RECORD_QUICK_MAX ||
        !__builtin_cpu_supports("sse4.2"))
        return false;
    at = chain_room(c, CRC + UINT_MAX_BYTES + m->length);
    if (at != NULL)
        c->bytes.len = (size_t)(put_frame(at, place, m) - c->bytes.data);
    return true;
}
#else
bool record_put_quick(struct chain *c, uint64_t place, const struct record_command *m) {
    (void)c, (void)place, (void)m;
    return false;
}
#endif
