/* utf8.h -- UTF-8 text as bytes: scanning, measuring, one character at a time.
 *
 * Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.  How
 * long an invalid sequence is follows Unicode's "maximal subpart" practice.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attrs.h"

#define UTF8_HIGH_BITS 0x8080808080808080ull

/* How many of the first bytes are below 0x80. */
static inline size_t
utf8_ascii_prefix(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i + 8 <= n) {
        uint64_t word;
        memcpy(&word, p + i, 8);
        word &= UTF8_HIGH_BITS;
        if (word != 0) {
            return i + (size_t)(__builtin_ctzll(word) >> 3);
        }
        i += 8;
    }
    while (i < n && p[i] < 0x80) {
        i++;
    }
    return i;
}

/* Whether all bytes are below 0x80. */
bool utf8_all_ascii(const uint8_t *p, size_t n);

/* What utf8_decode_char() answers when there is no character. */
enum {
    UTF8_TRUNCATED = 0,    /* a valid beginning, but the bytes end */
    UTF8_BAD_START = -1,   /* the first byte begins nothing */
    UTF8_BAD_NEXT_1 = -2,  /* the 1 (2, 3) first bytes are good, the next one is not */
    UTF8_BAD_NEXT_2 = -3,
    UTF8_BAD_NEXT_3 = -4,
};

/* Reads one character of at most `n` >= 1 bytes: its length in bytes, or one of the above. */
int utf8_decode_char(const uint8_t *p, size_t n, uint32_t *c);

/* Writes c (up to U+10FFFF; surrogates too) to out; returns the number of bytes. */
static inline int
utf8_encode_char(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | (c >> 6));
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | (c >> 12));
        out[1] = (uint8_t)(0x80 | ((c >> 6) & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | (c >> 18));
    out[1] = (uint8_t)(0x80 | ((c >> 12) & 0x3f));
    out[2] = (uint8_t)(0x80 | ((c >> 6) & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* Bytes of c in UTF-8. */
static inline int
utf8_size_of(uint32_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/* How many of the `n` bytes are valid UTF-8 from the start on, how many characters
 * they are, and the largest one (rounded up to 0x7f, 0xff, 0xffff or 0x10ffff). */
size_t utf8_measure(const uint8_t *p, size_t n, size_t *chars, uint32_t *max_char);

/* Decodes valid UTF-8 of exactly the characters measured into units of a width. */
void utf8_decode_1(const uint8_t *p, size_t n, uint8_t *out);
void utf8_decode_2(const uint8_t *p, size_t n, uint16_t *out);
void utf8_decode_4(const uint8_t *p, size_t n, uint32_t *out);

#endif
