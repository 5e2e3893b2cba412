/* mod_random.c -- module _random: the Mersenne Twister MT19937 of Matsumoto and Nishimura.
 *
 * A generator's state is under its object's lock, a leaf: several threads may use one generator and
 * each gets numbers of its own.
 */
#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "modules/static_types.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"

enum { STATE_WORDS = 624, STATE_SHIFT = 397 };

typedef struct Twister {
    uint32_t words[STATE_WORDS];
    uint32_t next; /* STATE_WORDS: all are used up */
} Twister;

typedef struct Random {
    struct Object head;
    Twister t; /* [lock] */
} Random;

static Type random_type;

static inline Random *
as_random(Value v)
{
    return (Random *)(void *)value_object(v);
}

/* -- the generator -- */

static void
twist(Twister *t)
{
    uint32_t *w = t->words;
    for (int i = 0; i < STATE_WORDS; i++) {
        uint32_t y = (w[i] & 0x80000000u) | (w[(i + 1) % STATE_WORDS] & 0x7fffffffu);
        w[i] = w[(i + STATE_SHIFT) % STATE_WORDS] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    t->next = 0;
}

static inline uint32_t
next_word(Twister *t)
{
    if (t->next >= STATE_WORDS)
        twist(t);
    uint32_t y = t->words[t->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static void
seed_word(Twister *t, uint32_t seed)
{
    t->words[0] = seed;
    for (uint32_t i = 1; i < STATE_WORDS; i++)
        t->words[i] = 1812433253u * (t->words[i - 1] ^ (t->words[i - 1] >> 30)) + i;
    t->next = STATE_WORDS;
}

static void
seed_array(Twister *t, const uint32_t *key, size_t n)
{
    uint32_t *w = t->words;
    seed_word(t, 19650218u);
    size_t i = 1, j = 0;
    for (size_t k = n > STATE_WORDS ? n : STATE_WORDS; k > 0; k--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * 1664525u)) + key[j] + (uint32_t)j;
        if (++i == STATE_WORDS) {
            w[0] = w[STATE_WORDS - 1];
            i = 1;
        }
        if (++j == n)
            j = 0;
    }
    for (size_t k = STATE_WORDS - 1; k > 0; k--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * 1566083941u)) - (uint32_t)i;
        if (++i == STATE_WORDS) {
            w[0] = w[STATE_WORDS - 1];
            i = 1;
        }
    }
    w[0] = 0x80000000u;
}

/* Puts a state made outside the lock in place. */
static void
random_install(Value self, const Twister *t)
{
    Object *o = value_object(self);
    bool held = object_lock(o);
    as_random(self)->t = *t;
    object_unlock(o, held);
}

/* -- seeding -- */

static void
seed_from_system(Twister *t)
{
    uint32_t key[STATE_WORDS];
    if (getrandom(key, sizeof key, GRND_NONBLOCK) == (ssize_t)sizeof key) {
        seed_array(t, key, STATE_WORDS);
        return;
    }
    struct timespec now, up;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_MONOTONIC, &up);
    uint32_t poor[] = {(uint32_t)now.tv_nsec, (uint32_t)now.tv_sec, (uint32_t)getpid(),
                       (uint32_t)up.tv_nsec, (uint32_t)up.tv_sec};
    seed_array(t, poor, ARRAY_LEN(poor));
}

static bool
random_seed_with(Thread *th, Value self, Value v)
{
    Twister t;
    if (v == NULL || v == NONE) {
        seed_from_system(&t);
        random_install(self, &t);
        return true;
    }
    Value n;
    if (is_int(v))
        n = int_sign(v) < 0 ? int_negative(th, v) : int_plain(th, v);
    else {
        int64_t hash;
        if (!to_hash(th, v, &hash))
            return false;
        n = int_from_u64(th, (uint64_t)hash);
    }
    if (n == NULL)
        return false;
    size_t count = ((size_t)int_bit_length(n) + 31) / 32;
    if (count == 0)
        count = 1;
    uint32_t small[8], *key = small;
    if (count > ARRAY_LEN(small) && (key = buffer_new(th, count * 4)) == NULL) {
        drop(th, n);
        return false;
    }
    bool good = int_to_bytes(th, n, (uint8_t *)key, count * 4, true, false);
    drop(th, n);
    if (good) {
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
        for (size_t i = 0; i < count; i++)
            key[i] = __builtin_bswap32(key[i]);
#endif
        seed_array(&t, key, count);
        random_install(self, &t);
    }
    if (key != small)
        buffer_free(key);
    return good;
}

static Value
random_seed(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return random_seed_with(th, self, nargs ? arg(args, 0) : NULL) ? NONE : NULL;
}

static Value
random_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    Value v = type_alloc(th, type, 0);
    if (v != NULL)
        as_random(v)->t.next = STATE_WORDS;
    return v;
}

static bool
random_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (type_of(self)->s.init == random_type.s.init && !args_no_keywords(th, "Random", kwnames))
        return false;
    if (nargs > 1) {
        raise_type_error(th, "Random() requires 0 or 1 argument");
        return false;
    }
    return random_seed_with(th, self, nargs ? arg(args, 0) : NULL);
}

/* -- numbers -- */

static Value
random_random(Thread *th, Value self)
{
    Object *o = value_object(self);
    bool held = object_lock(o);
    uint32_t high = next_word(&as_random(self)->t) >> 5, low = next_word(&as_random(self)->t) >> 6;
    object_unlock(o, held);
    return float_from(th, ((double)high * 67108864.0 + (double)low) * (1.0 / 9007199254740992.0));
}

static Value
random_getrandbits(Thread *th, Value self, Value v)
{
    int bits;
    if (!arg_int(th, v, &bits))
        return NULL;
    if (bits < 0)
        return raise_value_error(th, "number of bits must be non-negative");
    if (bits == 0)
        return value_from_fixnum(0);
    Object *o = value_object(self);
    size_t n = ((size_t)bits + 31) / 32;
    uint32_t small[16], *words = small;
    if (n > ARRAY_LEN(small) && (words = buffer_new(th, n * 4)) == NULL)
        return NULL;
    bool held = object_lock(o);
    for (size_t i = 0; i < n; i++)
        words[i] = next_word(&as_random(self)->t);
    object_unlock(o, held);
    if (bits % 32 != 0)
        words[n - 1] >>= 32 - bits % 32;
    Value r;
    if (n == 1)
        r = value_from_fixnum(words[0]);
    else {
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
        for (size_t i = 0; i < n; i++)
            words[i] = __builtin_bswap32(words[i]);
#endif
        r = int_from_bytes(th, (const uint8_t *)words, n * 4, true, false);
    }
    if (words != small)
        buffer_free(words);
    return r;
}

/* -- the state -- */

static Value
random_getstate(Thread *th, Value self)
{
    Object *o = value_object(self);
    Twister copy;
    bool held = object_lock(o);
    copy = as_random(self)->t;
    object_unlock(o, held);
    Value tuple = tuple_new(th, STATE_WORDS + 1);
    if (tuple == NULL)
        return NULL;
    for (int i = 0; i < STATE_WORDS; i++)
        tuple_init_item(tuple, i, value_from_fixnum(copy.words[i]));
    tuple_init_item(tuple, STATE_WORDS, value_from_fixnum(copy.next));
    return tuple;
}

static Value
random_setstate(Thread *th, Value self, Value state)
{
    if (!is_tuple(state))
        return raise_type_error(th, "state vector must be a tuple");
    if (tuple_length(state) != STATE_WORDS + 1)
        return raise_value_error(th, "state vector is the wrong size");
    Twister t;
    for (int i = 0; i < STATE_WORDS; i++) {
        Value item = tuple_item(state, i);
        if (!is_int(item))
            return raise_type_error(th, "an integer is required");
        if (int_sign(item) >= 0 && int_bit_length(item) > 64)
            return raise_overflow(th, "Python int too large to convert to C unsigned long");
        uint64_t word;
        if (!int_to_u64(th, item, &word))
            return NULL;
        t.words[i] = (uint32_t)word;
    }
    int64_t next;
    if (!arg_long(th, tuple_item(state, STATE_WORDS), &next))
        return NULL;
    if (next < 0 || next > STATE_WORDS)
        return raise_value_error(th, "invalid state");
    t.next = (uint32_t)next;
    random_install(self, &t);
    return NONE;
}

static const MethodDef random_methods[] = {
    NATIVE_0("random", random_random,
             "random($self, /)\n--\n\nrandom() -> x in the interval [0, 1)."),
    NATIVE_N("seed", random_seed, 0, 1,
             "seed($self, n=None, /)\n--\n\n"
             "Begins anew with an int, or the hash of another object; by default with\n"
             "random numbers of the system."),
    NATIVE_0("getstate", random_getstate,
             "getstate($self, /)\n--\n\ngetstate() -> tuple containing the current state."),
    NATIVE_1("setstate", random_setstate,
             "setstate($self, state, /)\n--\n\nGoes on from what getstate() returned."),
    NATIVE_1("getrandbits", random_getrandbits,
             "getrandbits($self, k, /)\n--\n\n"
             "getrandbits(k) -> x.  Generates an int with k random bits."),
    NATIVE_END,
};

static const TypeSpec random_spec = {
    .name = "_random.Random",
    .size = sizeof(Random),
    .flags = TYPE_BASE,
    .doc = "Random() -> create a random number generator with its own internal state.",
    .methods = random_methods,
    .slots = {.new = random_new, .init = random_init},
};

static bool
random_exec(Thread *th, Value module)
{
    static const StaticType types[] = {{&random_type, &random_spec}};
    return static_types_ready(th, types, ARRAY_LEN(types)) &&
           module_add(th, module, "Random", value_of_type(&random_type));
}

const ModuleSpec random_module = {
    .name = "_random",
    .doc = "Module implements the Mersenne Twister random number generator.",
    .exec = random_exec,
};
