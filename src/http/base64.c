/* base64.c - base64 and UTF-8. */
#include "base64.h"

#include <stdint.h>

void base64_encode(struct slice s, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)s.ptr;

    for (size_t i = 0; i < s.len; i += 3) {
        unsigned left = s.len - i < 3 ? (unsigned)(s.len - i) : 3;
        unsigned bits =
            (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);

        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[bits & 63] : '=';
    }
}

static int digit(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(char *text, size_t *len) {
    size_t n = *len, padding = 0;
    char *out = text;

    if (n % 4 != 0)
        return false;
    while (padding < 2 && n > 0 && text[n - 1] == '=')
        n--, padding++;
    for (size_t i = 0; i < n; i += 4) {
        unsigned bits = 0, digits = n - i < 4 ? (unsigned)(n - i) : 4;

        for (unsigned k = 0; k < 4; k++) {
            int d = k < digits ? digit(text[i + k]) : 0;

            if (d < 0)
                return false;
            bits = bits << 6 | (unsigned)d;
        }
        *out++ = (char)(bits >> 16);
        if (digits > 2)
            *out++ = (char)(bits >> 8 & 255);
        if (digits > 3)
            *out++ = (char)(bits & 255);
    }
    *len = (size_t)(out - text);
    return true;
}

/* The first byte determines the length, and the range of the second byte (RFC 3629, section 4). */
size_t utf8_length(struct slice s) {
    static const struct {
        uint8_t first, last, length, low, high;
    } forms[] = {
        {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
        {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
    };
    const uint8_t *c = (const uint8_t *)s.ptr;
    size_t form = 0, length;

    while (form < sizeof(forms) / sizeof(*forms) && (*c < forms[form].first || *c > forms[form].last))
        form++;
    if (form == sizeof(forms) / sizeof(*forms))
        return 0;
    length = forms[form].length;
    if (length == 1)
        return 1;
    if (length > s.len || c[1] < forms[form].low || c[1] > forms[form].high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

bool utf8_valid(struct slice s) {
    size_t n;

    while (s.len > 0) {
        if ((unsigned char)*s.ptr < 0x80)
            n = 1;
        else if ((n = utf8_length(s)) == 0)
            return false;
        s = slice_of(s.ptr + n, s.len - n);
    }
    return true;
}
