/* sha256.c - SHA-256. Source: FIPS 180-4, https://csrc.nist.gov/pubs/fips/180-4/upd1/final */
#include <flashkv/secret.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, ROUNDS = 64, WORDS = 8 };

/* 4.2.2: the fractions of the cube roots of the first 64 primes. */
static const uint32_t k[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n) {
    return x >> n | x << (32 - n);
}

/* 6.2.2, step 1: the message schedule. */
static void schedule(const unsigned char *block, uint32_t w[ROUNDS]) {
    for (unsigned t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (unsigned t = 16; t < ROUNDS; t++)
        w[t] = (rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
               (rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
}

/* 6.2.2, steps 2 to 4; v is a to h. */
static void add_block(uint32_t h[WORDS], const unsigned char *block) {
    uint32_t w[ROUNDS], v[WORDS];

    schedule(block, w);
    memcpy(v, h, sizeof(v));
    for (unsigned t = 0; t < ROUNDS; t++) {
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choice + k[t] + w[t];
        uint32_t t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;

        memmove(v + 1, v, (WORDS - 1) * sizeof(*v));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (unsigned i = 0; i < WORDS; i++)
        h[i] += v[i];
}

struct sha256 sha256(struct slice data) {
    uint32_t h[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    unsigned char tail[2 * BLOCK] = {0};
    size_t whole = data.len / BLOCK * BLOCK, rest = data.len - whole;
    size_t tail_len = rest < BLOCK - sizeof(uint64_t) ? BLOCK : 2 * BLOCK;
    uint64_t bits = (uint64_t)data.len * 8;
    struct sha256 out;

    for (size_t at = 0; at < whole; at += BLOCK)
        add_block(h, (const unsigned char *)data.ptr + at);
    if (rest > 0)
        memcpy(tail, data.ptr + whole, rest);
    tail[rest] = 0x80;
    for (size_t i = 0; i < sizeof(bits); i++)
        tail[tail_len - 1 - i] = (unsigned char)(bits >> 8 * i);
    for (size_t at = 0; at < tail_len; at += BLOCK)
        add_block(h, tail + at);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        out.bytes[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
    return out;
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b) {
    unsigned char different = 0;

    for (size_t i = 0; i < SHA256_SIZE; i++)
        different |= a->bytes[i] ^ b->bytes[i];
    return different == 0;
}

void sha256_hex(const struct sha256 *digest, char out[SHA256_HEX]) {
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", digest->bytes[i]);
}
