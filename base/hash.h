/* hash.h -- hashing bytes and words.
 *
 * hash_bytes() is SipHash-1-3 (Aumasson and Bernstein, 2012; one round a word,
 * three at the end) under a key that the program sets once before it hashes
 * anything: with a secret key nobody outside can choose colliding keys.
 * hash_mix() spreads the bits of one word and has no key: for tables whose keys
 * are addresses or small numbers.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Sets the key.  Not after the first hash_bytes(). */
void hash_set_key(uint64_t k0, uint64_t k1);
/* Derives the key from PYTHONHASHSEED's number; 0 is the all-zero key. */
void hash_set_seed(uint32_t seed);
/* Takes the key from the operating system's random numbers. */
void hash_set_random_key(void);

/* 64 well-mixed bits of `length` bytes. */
uint64_t hash_bytes(const void *bytes, size_t length);

/* The same under a key of the caller's (import hashes of source files and the like). */
uint64_t hash_bytes_keyed(uint64_t k0, uint64_t k1, const void *bytes, size_t length);

/* Spreads the bits of `x`; a bijection. */
static inline uint64_t
hash_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return x;
}

#endif
