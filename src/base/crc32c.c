/* crc32c.c - the checksum, by a table or by the processor's instruction. */
#include <flashkv/crc32c.h>
#include <string.h>

enum { POLYNOMIAL_BITS = 8, WORD = sizeof(uint64_t) };

/* ---- by a table --------------------------------------------------------------------------------------------- */

/* Derived from the polynomial before main, never changed after. */
static uint32_t table[256];

__attribute__((constructor)) static void table_fill(void) {
    static const uint32_t reflected_polynomial = 0x82f63b78;

    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (int bit = 0; bit < POLYNOMIAL_BITS; bit++)
            crc = crc & 1 ? crc >> 1 ^ reflected_polynomial : crc >> 1;
        table[byte] = crc;
    }
}

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len) {
    const unsigned char *p = bytes;

    crc = ~crc;
    for (size_t i = 0; i < len; i++)
        crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
    return ~crc;
}

/* ---- by the processor --------------------------------------------------------------------------------------- */

#ifdef __x86_64__
#include <nmmintrin.h>

/* The last 0 to 7 bytes, in three steps: each waits for the one before it. */
__attribute__((target("sse4.2"))) static inline uint32_t rest(uint32_t crc, const unsigned char *p,
                                                              size_t len) {
    if (len & 4) {
        uint32_t word;

        memcpy(&word, p, sizeof(word));
        crc = _mm_crc32_u32(crc, word);
        p += sizeof(word);
    }
    if (len & 2) {
        uint16_t half;

        memcpy(&half, p, sizeof(half));
        crc = _mm_crc32_u16(crc, half);
        p += sizeof(half);
    }
    return len & 1 ? _mm_crc32_u8(crc, *p) : crc;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const void *bytes,
                                                                 size_t len) {
    const unsigned char *p = bytes;
    uint64_t wide = ~crc;

#pragma GCC unroll 4
    for (; len >= WORD; len -= WORD, p += WORD) {
        uint64_t word;

        memcpy(&word, p, WORD);
        wide = _mm_crc32_u64(wide, word);
    }
    return ~rest((uint32_t)wide, p, len);
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len) {
    return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, bytes, len)
                                            : crc32c_portable(crc, bytes, len);
}
#else
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len) {
    return crc32c_portable(crc, bytes, len);
}
#endif
