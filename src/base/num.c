/* num.c - strict numbers. */
#include <ctype.h>
#include <errno.h>
#include <flashkv/num.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool num_parse_u64(struct slice s, uint64_t *out) {
    uint64_t n = 0;

    if (s.len == 0 || s.len > 20 || (s.ptr[0] == '0' && s.len > 1))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.ptr[i] - '0';

        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

bool num_parse_i64(struct slice s, int64_t *out) {
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t n;

    if (negative)
        s = slice_of(s.ptr + 1, s.len - 1);
    if (!num_parse_u64(s, &n) || (negative && n == 0) || n > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

/* The checks after strtod and strtold: `rest` is where parsing stopped, `errno` as they left it. */
static bool is_whole_number(struct slice s, const char *text, const char *rest, long double n) {
    bool out_of_range = errno == ERANGE && (isinf(n) || n == 0);

    return rest == text + s.len && !isspace((unsigned char)s.ptr[0]) && !isnan(n) && !out_of_range;
}

/* Copies the bytes and terminates them; false: none, or too many. */
static bool terminate(struct slice s, char text[NUM_LONG_DOUBLE_MAX]) {
    if (s.len == 0 || s.len >= NUM_LONG_DOUBLE_MAX)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return true;
}

bool num_parse_double(struct slice s, double *out) {
    char text[NUM_LONG_DOUBLE_MAX], *end;
    int64_t n;
    double d;

    if (num_parse_i64(s, &n)) { /* the common case, and strtod is slow */
        *out = (double)n;
        return true;
    }
    if (!terminate(s, text))
        return false;
    errno = 0;
    d = strtod(text, &end);
    if (!is_whole_number(s, text, end, d))
        return false;
    *out = d;
    return true;
}

bool num_parse_long_double(struct slice s, long double *out) {
    char text[NUM_LONG_DOUBLE_MAX], *end;
    long double n;

    if (!terminate(s, text))
        return false;
    errno = 0;
    n = strtold(text, &end);
    if (!is_whole_number(s, text, end, n))
        return false;
    *out = n;
    return true;
}

size_t num_format_double(double d, char out[NUM_DOUBLE_MAX]) {
    /* Most scores are integers of up to 17 digits, which %.17g writes the same way; except -0. */
    if (d > -1e17 && d < 1e17 && (double)(int64_t)d == d && (d != 0 || !signbit(d)))
        return num_format_i64((int64_t)d, out);
    return (size_t)snprintf(out, NUM_DOUBLE_MAX, "%.17g", d);
}

size_t num_format_long_double(long double n, char out[NUM_LONG_DOUBLE_MAX]) {
    /* The greatest has 4933 digits before the point: it fits. */
    size_t len = (size_t)snprintf(out, NUM_LONG_DOUBLE_MAX, "%.17Lf", n);

    while (out[len - 1] == '0')
        len--;
    if (out[len - 1] == '.')
        len--;
    out[len] = '\0';
    if (strcmp(out, "-0") != 0)
        return len;
    memcpy(out, "0", sizeof("0"));
    return 1;
}

size_t num_format_u64(uint64_t n, char *out) {
    char digits[NUM_I64_MAX];
    size_t at = sizeof(digits), len;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    len = sizeof(digits) - at;
    memcpy(out, digits + at, len);
    out[len] = '\0';
    return len;
}

size_t num_format_i64(int64_t n, char *out) {
    if (n >= 0)
        return num_format_u64((uint64_t)n, out);
    *out = '-';
    return 1 + num_format_u64(0 - (uint64_t)n, out + 1);
}

void num_format_hex64(uint64_t n, char out[NUM_HEX64]) {
    for (int i = NUM_HEX64; i-- > 0; n >>= 4)
        out[i] = "0123456789abcdef"[n & 15];
}

bool num_parse_bytes(struct slice s, uint64_t *out) {
    static const struct {
        const char *suffix;
        uint64_t factor;
    } units[] = {
        {"", 1},          {"b", 1},         {"k", 1000},       {"kb", 1 << 10},
        {"m", 1000000},   {"mb", 1 << 20},  {"g", 1000000000}, {"gb", 1 << 30},
        {"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30},
    };
    size_t digits = 0;
    uint64_t n;

    while (digits < s.len && isdigit((unsigned char)s.ptr[digits]))
        digits++;
    if (!num_parse_u64(slice_of(s.ptr, digits), &n))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (slice_caseeq(slice_of(s.ptr + digits, s.len - digits), slice_str(units[i].suffix))) {
            if (n > UINT64_MAX / units[i].factor)
                return false;
            *out = n * units[i].factor;
            return true;
        }
    return false;
}
