/* value.h -- the one 64-bit word that every Python value is.
 *
 * A Value is an opaque pointer type, so that C keeps it apart from integers,
 * but it need not point anywhere.  The low bits tell what it is:
 *
 *     ...xxx1   an int of 63 bits (the word is 2*n + 1)
 *     ...xx10   a float kept in the word itself (objects/number/float_encode.h)
 *     ...0000   a pointer to an Object, 16-byte aligned
 *     ...0100   the same pointer "borrowed": only in registers of the VM
 *
 * NULL is no value: an error result, an empty slot, an unbound variable.
 * Two equal words are the same object (`is`), once the borrowed bit is
 * stripped with value_strip().
 */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct value_word *Value;
typedef struct Object Object;
typedef struct Thread Thread;
typedef struct Interp Interp;
typedef struct Type Type;

#define VALUE_INT_BIT ((uintptr_t)1)
#define VALUE_TAG_MASK ((uintptr_t)3)
#define VALUE_FLOAT_TAG ((uintptr_t)2)
#define VALUE_BORROWED ((uintptr_t)4)

/* The ints a Value holds by itself: -2^62 .. 2^62 - 1. */
#define FIXNUM_MIN (-((int64_t)1 << 62))
#define FIXNUM_MAX (((int64_t)1 << 62) - 1)

static inline uintptr_t
value_bits(Value v)
{
    return (uintptr_t)v;
}

static inline Value
value_from_bits(uintptr_t bits)
{
    return (Value)bits;
}

static inline bool
value_is_fixnum(Value v)
{
    return (value_bits(v) & VALUE_INT_BIT) != 0;
}

static inline bool
value_is_flonum(Value v)
{
    return (value_bits(v) & VALUE_TAG_MASK) == VALUE_FLOAT_TAG;
}

/* Whether `v` (not NULL) is a pointer to an Object. */
static inline bool
value_is_object(Value v)
{
    return (value_bits(v) & VALUE_TAG_MASK) == 0;
}

static inline int64_t
value_fixnum(Value v)
{
    return (int64_t)value_bits(v) >> 1;
}

/* Makes the immediate int `n`, which must fit (FIXNUM_MIN .. FIXNUM_MAX). */
static inline Value
value_from_fixnum(int64_t n)
{
    return (Value)(((uintptr_t)n << 1) | VALUE_INT_BIT);
}

static inline bool
fixnum_fits(int64_t n)
{
    return n >= FIXNUM_MIN && n <= FIXNUM_MAX;
}

/* The object `v` points to; `v` is an object and carries no borrowed bit. */
static inline Object *
value_object(Value v)
{
    return (Object *)(void *)v;
}

static inline Value
value_of(const void *object)
{
    return (Value)(void *)object;
}

/* Removes the borrowed bit from a register's word.  Only a word whose two
 * low bits are 00 can carry it: bit 2 of an immediate is part of its value. */
static inline Value
value_strip(Value v)
{
    uintptr_t bits = value_bits(v);
    uintptr_t is_pointer = (bits & VALUE_TAG_MASK) == 0;
    return (Value)(bits & ~(is_pointer << 2));
}

#endif
