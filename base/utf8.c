/* utf8.c -- UTF-8 text as bytes; see utf8.h. */
#include "base/utf8.h"

bool
utf8_all_ascii(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        uint64_t w[4];
        memcpy(w, p + i, 32);
        if (((w[0] | w[1] | w[2] | w[3]) & UTF8_HIGH_BITS) != 0) {
            return false;
        }
    }
    return utf8_ascii_prefix(p + i, n - i) == n - i;
}

static inline bool
is_next(uint8_t b)
{
    return (b & 0xc0) == 0x80;
}

ALWAYS_INLINE int
decode_char(const uint8_t *p, size_t n, uint32_t *c)
{
    uint8_t b = p[0];
    if (b < 0x80) {
        *c = b;
        return 1;
    }
    if (b < 0xc2 || b > 0xf4) {
        return UTF8_BAD_START;
    }
    if (n < 2) {
        return UTF8_TRUNCATED;
    }
    uint8_t second = p[1];
    if (b < 0xe0) {
        if (!is_next(second)) {
            return UTF8_BAD_NEXT_1;
        }
        *c = (uint32_t)(b & 0x1f) << 6 | (second & 0x3f);
        return 2;
    }
    /* The second byte's range keeps out overlong forms, surrogates and what is too big. */
    uint8_t low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
    uint8_t high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) {
        return UTF8_BAD_NEXT_1;
    }
    if (n < 3) {
        return UTF8_TRUNCATED;
    }
    if (!is_next(p[2])) {
        return UTF8_BAD_NEXT_2;
    }
    if (b < 0xf0) {
        *c = (uint32_t)(b & 0x0f) << 12 | (uint32_t)(second & 0x3f) << 6 | (p[2] & 0x3f);
        return 3;
    }
    if (n < 4) {
        return UTF8_TRUNCATED;
    }
    if (!is_next(p[3])) {
        return UTF8_BAD_NEXT_3;
    }
    *c = (uint32_t)(b & 0x07) << 18 | (uint32_t)(second & 0x3f) << 12 |
         (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    return 4;
}

int
utf8_decode_char(const uint8_t *p, size_t n, uint32_t *c)
{
    return decode_char(p, n, c);
}

size_t
utf8_measure(const uint8_t *p, size_t n, size_t *chars, uint32_t *max_char)
{
    size_t i = 0, count = 0;
    uint32_t all = 0x7f; /* bits above the width of what was seen */
    while (i < n) {
        size_t plain = utf8_ascii_prefix(p + i, n - i);
        i += plain;
        count += plain;
        while (i < n && p[i] >= 0x80) {
            uint32_t c;
            int size = decode_char(p + i, n - i, &c);
            if (UNLIKELY(size <= 0)) {
                goto end;
            }
            all |= c;
            i += (size_t)size;
            count++;
        }
    }
end:
    *chars = count;
    *max_char = all < 0x80 ? 0x7f : all < 0x100 ? 0xff : all < 0x10000 ? 0xffff : 0x10ffff;
    return i;
}

/* One unit from valid UTF-8 at p; moves p on. */
static inline uint32_t
take_char(const uint8_t **at)
{
    const uint8_t *p = *at;
    uint8_t b = p[0];
    if (b < 0x80) {
        *at = p + 1;
        return b;
    }
    if (b < 0xe0) {
        *at = p + 2;
        return (uint32_t)(b & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (b < 0xf0) {
        *at = p + 3;
        return (uint32_t)(b & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    }
    *at = p + 4;
    return (uint32_t)(b & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
           (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

#define DECODE(name, type)                                                     \
    void name(const uint8_t *p, size_t n, type *out)                           \
    {                                                                          \
        const uint8_t *end = p + n;                                            \
        while (p < end) {                                                      \
            if (*p >= 0x80) {                                                  \
                *out++ = (type)take_char(&p);                                  \
                continue;                                                      \
            }                                                                  \
            while (end - p >= 8) {                                             \
                uint64_t word;                                                 \
                memcpy(&word, p, 8);                                           \
                if ((word & UTF8_HIGH_BITS) != 0) {                            \
                    break;                                                     \
                }                                                              \
                for (int i = 0; i < 8; i++) {                                  \
                    out[i] = p[i];                                             \
                }                                                              \
                p += 8;                                                        \
                out += 8;                                                      \
            }                                                                  \
            while (p < end && *p < 0x80) {                                     \
                *out++ = *p++;                                                 \
            }                                                                  \
        }                                                                      \
    }

DECODE(utf8_decode_1, uint8_t)
DECODE(utf8_decode_2, uint16_t)
DECODE(utf8_decode_4, uint32_t)
