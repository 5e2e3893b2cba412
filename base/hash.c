/* hash.c -- hashing bytes and words.
 *
 * Process-wide state: the key, written once before the first use.
 */
#include "base/hash.h"

#include <string.h>
#include <sys/random.h>

#include "base/attrs.h"
#include "base/clock.h"

static uint64_t key0, key1; /* [const] once set */

typedef struct SipState {
    uint64_t a, b, c, d;
} SipState;

ALWAYS_INLINE uint64_t
rotate_left(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

ALWAYS_INLINE void
sip_round(SipState *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = rotate_left(s->b, 13) ^ s->a;
    s->d = rotate_left(s->d, 16) ^ s->c;
    s->a = rotate_left(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = rotate_left(s->b, 17) ^ s->c;
    s->d = rotate_left(s->d, 21) ^ s->a;
    s->c = rotate_left(s->c, 32);
}

ALWAYS_INLINE uint64_t
read_word(const unsigned char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

ALWAYS_INLINE uint64_t
sip13(uint64_t k0, uint64_t k1, const unsigned char *p, size_t length)
{
    /* The constants spell "somepseudorandomlygeneratedbytes". */
    SipState s = {
        k0 ^ UINT64_C(0x736f6d6570736575),
        k1 ^ UINT64_C(0x646f72616e646f6d),
        k0 ^ UINT64_C(0x6c7967656e657261),
        k1 ^ UINT64_C(0x7465646279746573),
    };
    uint64_t last = (uint64_t)length << 56;
    for (; length >= 8; length -= 8, p += 8) {
        uint64_t w = read_word(p);
        s.d ^= w;
        sip_round(&s);
        s.a ^= w;
    }
    for (size_t i = 0; i < length; i++)
        last |= (uint64_t)p[i] << (8 * i);
    s.d ^= last;
    sip_round(&s);
    s.a ^= last;
    s.c ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t
hash_bytes(const void *bytes, size_t length)
{
    return sip13(key0, key1, bytes, length);
}

uint64_t
hash_bytes_keyed(uint64_t k0, uint64_t k1, const void *bytes, size_t length)
{
    return sip13(k0, k1, bytes, length);
}

void
hash_set_key(uint64_t k0, uint64_t k1)
{
    key0 = k0;
    key1 = k1;
}

void
hash_set_seed(uint32_t seed)
{
    if (seed == 0) {
        hash_set_key(0, 0);
        return;
    }
    /* The usual linear congruential generator, a byte a step: documented to give the
     * same str hashes as other Pythons under the same PYTHONHASHSEED. */
    unsigned char bytes[16];
    uint32_t x = seed;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        x = x * 214013u + 2531011u;
        bytes[i] = (unsigned char)(x >> 16);
    }
    hash_set_key(read_word(bytes), read_word(bytes + 8));
}

void
hash_set_random_key(void)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) == (ssize_t)sizeof(bytes)) {
        hash_set_key(read_word(bytes), read_word(bytes + 8));
        return;
    }
    /* Early in a boot there is no randomness yet: the clocks are better than nothing. */
    uint64_t a = hash_mix((uint64_t)clock_realtime_ns());
    uint64_t b = hash_mix((uint64_t)clock_monotonic_ns() ^ (uint64_t)(uintptr_t)bytes);
    hash_set_key(a, b ^ hash_mix(a));
}
