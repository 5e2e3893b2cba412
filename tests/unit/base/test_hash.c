/* test_hash.c -- SipHash-1-3 and its keys. */
#include <string.h>

#include "base/hash.h"
#include "tests/tap.h"

int
main(void)
{
    /* What CPython 3.11 prints for hash(text) under PYTHONHASHSEED=0 and =42. */
    hash_set_seed(0);
    OK((int64_t)hash_bytes("abc", 3) == INT64_C(-4594863902769663758), "seed 0, three bytes");
    OK((int64_t)hash_bytes("hello world, this is long", 25) == INT64_C(7650859633215404784),
       "seed 0, 25 bytes");
    hash_set_seed(42);
    OK((int64_t)hash_bytes("abc", 3) == INT64_C(3869580338025362921), "seed 42");
    hash_set_random_key();
    uint64_t a = hash_bytes("abc", 3);
    hash_set_random_key();
    OK(a != hash_bytes("abc", 3), "random keys differ");
    OK(hash_bytes_keyed(1, 2, "x", 1) != hash_bytes_keyed(1, 3, "x", 1), "the key counts");
    bool distinct = true;
    for (uint64_t i = 1; i < 1000; i++)
        distinct &= hash_mix(i) != hash_mix(i - 1) && (hash_mix(i) & 7) < 8;
    OK(distinct, "hash_mix");
    char zeros[64] = {0};
    bool lengths = true;
    for (size_t n = 1; n < 64; n++)
        lengths &= hash_bytes(zeros, n) != hash_bytes(zeros, n - 1);
    OK(lengths, "the length counts");
    DONE();
}
