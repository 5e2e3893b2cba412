/* int_priv.h -- how the files of objects/number/ look at an int of any kind.
 *
 * An int is an immediate, a heap Int, an instance of a subclass (an Int that may be small) or a
 * bool.  IntView shows all of them as sign and magnitude in limbs.  Ints never change, so a view
 * is valid while its value is held; it may point into itself, so it is never copied.
 */
#ifndef OBJECTS_NUMBER_INT_PRIV_H
#define OBJECTS_NUMBER_INT_PRIV_H

#include <gmp.h>
#include <string.h>

#include "base/assert.h"
#include "objects/error/error.h"
#include "objects/number/number.h"

typedef mp_limb_t Limb;
typedef unsigned __int128 Wide;
typedef __int128 SignedWide;

_Static_assert(sizeof(Limb) == 8 && GMP_NAIL_BITS == 0, "GMP's limbs are 64-bit words");

typedef struct IntView {
    const Limb *p;  /* least significant first; the last one is not 0 */
    mp_size_t n;    /* 0 for zero */
    bool negative;
    Limb small;
} IntView;

static inline Int *
as_int(Value v)
{
    return (Int *)(void *)value_object(v);
}

static inline uint64_t
magnitude_of(int64_t n)
{
    return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

static inline void
int_view(IntView *w, Value v)
{
    if (value_is_fixnum(v)) {
        int64_t n = value_fixnum(v);
        w->negative = n < 0;
        w->small = magnitude_of(n);
        w->p = &w->small;
        w->n = n != 0;
    } else if (UNLIKELY(is_bool(v))) {
        w->negative = false;
        w->small = 1;
        w->p = &w->small;
        w->n = v == TRUE;
    } else {
        const Int *i = as_int(v);
        w->negative = i->size < 0;
        w->n = i->size < 0 ? -i->size : i->size;
        w->p = i->limbs;
    }
}

/* The value as an immediate, if it is an immediate, a bool or a small instance of a subclass. */
static inline bool
int_small(Value v, int64_t *out)
{
    if (LIKELY(value_is_fixnum(v))) {
        *out = value_fixnum(v);
        return true;
    }
    return int_fits_i64(v, out);
}

/* Most limbs an int may have: its bit length fits 63 bits, its bytes a size_t. */
#define INT_LIMBS_MAX ((mp_size_t)1 << 55)

/* Operands of this many limbs are worked on offline: others can stop the world meanwhile. */
#define INT_HEAVY 12000

/* A new int with room for n limbs, unpublished. */
RAISES Int *int_alloc(Thread *th, mp_size_t n);
/* Takes the magnitude in r->limbs[0 .. n): drops leading zeros, makes it immediate if it fits. */
RAISES Value int_finish(Thread *th, Int *r STEALS, mp_size_t n, bool negative);
/* A new int of the limbs at p (leading zeros allowed). */
RAISES Value int_from_limbs(Thread *th, const Limb *p, mp_size_t n, bool negative);
RAISES Value int_from_wide(Thread *th, SignedWide n);

static inline mp_size_t
limbs_used(const Limb *p, mp_size_t n)
{
    while (n > 0 && p[n - 1] == 0)
        n--;
    return n;
}

/* Working space: on the C stack when small. */
typedef struct Limbs {
    Limb *p;
    Limb local[48];
} Limbs;

RAISES static inline bool
limbs_get(Thread *th, Limbs *s, mp_size_t n)
{
    s->p = s->local;
    if (n <= (mp_size_t)ARRAY_LEN(s->local))
        return true;
    s->p = buffer_new(th, (size_t)n * sizeof(Limb));
    return s->p != NULL;
}

static inline void
limbs_free(Limbs *s)
{
    if (s->p != s->local)
        buffer_free(s->p);
}

/* Going offline around work on `n` limbs, when that takes long. */
static inline void
heavy_begin(Thread *th, mp_size_t n)
{
    if (UNLIKELY(n > INT_HEAVY))
        blocking_begin(th);
}

static inline void
heavy_end(Thread *th, mp_size_t n)
{
    if (UNLIKELY(n > INT_HEAVY))
        blocking_end(th);
}

/* int_space.c: GMP's functions that may want memory; false, without an exception, if there is none.
 * May be called offline. */
bool big_mul(Limb *r, const Limb *p, mp_size_t n, const Limb *q, mp_size_t m); /* n >= m */
bool big_sqr(Limb *r, const Limb *p, mp_size_t n);
bool big_divide(Limb *q, Limb *r, const Limb *p, mp_size_t n, const Limb *d, mp_size_t m);
bool big_sqrt(Limb *r, const Limb *p, mp_size_t n);
bool big_gcd(Limb *g, mp_size_t *gn, Limb *p, mp_size_t n, Limb *q, mp_size_t m);
bool big_gcdext(Limb *g, mp_size_t *gn, Limb *s, mp_size_t *sn, Limb *p, mp_size_t n, Limb *q, mp_size_t m);
bool big_get_str(uint8_t *digits, size_t *count, int base, Limb *p, mp_size_t n);
bool big_set_str(Limb *r, mp_size_t *n, const uint8_t *digits, size_t count, int base);

/* int_arith.c */
RAISES Value int_divide_nearest(Thread *th, Value a, Value b); /* a / b, half to even */
/* float.c */
RAISES Value float_power(Thread *th, double x, double y);
/* int_bits.c */
RAISES Value int_bitwise(Thread *th, Value a, Value b, int op); /* '&', '|', '^' */
/* int_text.c */
RAISES Value int_decimal(Thread *th, Value v); /* str(v) */
/* int_type.c: the methods shared with bool. */
RAISES Value int_slot_compare(Thread *th, Value a, Value b, int op);

/* number_text.c: the text of a number as ASCII: white space to ' ', decimal digits of any script to
 * '0'..'9', other characters beyond ASCII to '?'.  Stripped of white space at both ends. */
typedef struct NumberText {
    char *p;
    size_t n;
    char *memory; /* p is inside it or inside local */
    char local[200];
} NumberText;
RAISES bool number_text_from_str(Thread *th, NumberText *t, Value str);
/* The same from the bytes of a buffer. */
RAISES bool number_text_from_bytes(Thread *th, NumberText *t, const uint8_t *p, size_t n);
/* Removes underscores between digits; false if one stands elsewhere. */
bool number_text_underscores(NumberText *t);
void number_text_free(NumberText *t);

#endif
