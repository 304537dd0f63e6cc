/* num.h - strict numbers from and to text.
 *
 * "Strict" is Redis's string2ll: an optional minus, no plus, no leading zero, no space, nothing after,
 * in range. Layer: base. Pure functions. */
#ifndef FLASHKV_NUM_H
#define FLASHKV_NUM_H

#include <flashkv/slice.h>
#include <stdint.h>

enum { NUM_I64_MAX = 21 }; /* room for any int64_t in decimal and a NUL */

/* True and *out set iff the whole of `s` is a strict integer that fits. */
bool num_parse_i64(struct slice s, int64_t *out);
bool num_parse_u64(struct slice s, uint64_t *out);
/* A finite or infinite double as Redis reads it (no space around, "inf", "-inf"; NaN refused); shorter than
 * NUM_LONG_DOUBLE_MAX. */
bool num_parse_double(struct slice s, double *out);
/* The same in the wider type that INCRBYFLOAT and HINCRBYFLOAT count in. */
bool num_parse_long_double(struct slice s, long double *out);
/* Writes a double as Redis 7.0 replies with a score: 17 significant digits ("%.17g"), "inf" or "-inf";
 * NUL-terminated. Returns the length. */
enum { NUM_DOUBLE_MAX = 32 };
size_t num_format_double(double d, char out[NUM_DOUBLE_MAX]);
/* Writes what INCRBYFLOAT stores: 17 decimals without the zeros behind, never an exponent, no "-0";
 * NUL-terminated. `n` is finite. Returns the length. */
enum { NUM_LONG_DOUBLE_MAX = 5 * 1024 };
size_t num_format_long_double(long double n, char out[NUM_LONG_DOUBLE_MAX]);
/* Writes the decimal digits, NUL-terminated, and returns their count. `out` holds NUM_I64_MAX bytes. */
size_t num_format_i64(int64_t n, char *out);
size_t num_format_u64(uint64_t n, char *out);
/* Writes all 16 hex digits, lower case; no NUL. */
enum { NUM_HEX64 = 16 };
void num_format_hex64(uint64_t n, char out[NUM_HEX64]);
/* Bytes with an optional suffix k, kb, m, mb, g, gb, as Redis: k is 1000, kb is 1024. */
bool num_parse_bytes(struct slice s, uint64_t *out);

#endif
