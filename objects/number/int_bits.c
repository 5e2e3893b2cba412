/* int_bits.c -- and, or, xor and the complement of ints, as endless two's complement numbers.
 *
 * Ints never change: no locks.
 */
#include "objects/number/int_priv.h"

/* Limb i of the two's complement of a view; *carry is 1 before limb 0. */
static inline Limb
complement_limb(const IntView *w, mp_size_t i, Limb *carry)
{
    Limb m = i < w->n ? w->p[i] : 0;
    if (!w->negative)
        return m;
    Limb out = ~m + *carry;
    *carry = *carry && out == 0;
    return out;
}

Value
int_bitwise(Thread *th, Value a, Value b, int op)
{
    if (value_is_fixnum(a) && value_is_fixnum(b)) {
        int64_t x = value_fixnum(a), y = value_fixnum(b);
        return value_from_fixnum(op == '&' ? x & y : op == '|' ? x | y : x ^ y);
    }
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    mp_size_t n = v.n > w.n ? v.n : w.n;
    if (op == '&') { /* a number that is not negative bounds the result */
        if (!v.negative && (w.negative || v.n < w.n))
            n = v.n;
        else if (!w.negative)
            n = w.n;
    }
    bool negative = op == '&'   ? v.negative && w.negative
                    : op == '|' ? v.negative || w.negative
                                : v.negative != w.negative;
    Int *r = int_alloc(th, n + 1);
    if (r == NULL)
        return NULL;
    Limb carry_v = 1, carry_w = 1;
    mp_size_t count = negative ? n + 1 : n;
    for (mp_size_t i = 0; i < count; i++) {
        Limb x = complement_limb(&v, i, &carry_v);
        Limb y = complement_limb(&w, i, &carry_w);
        r->limbs[i] = op == '&' ? x & y : op == '|' ? x | y : x ^ y;
    }
    if (negative)
        mpn_neg(r->limbs, r->limbs, count);
    return int_finish(th, r, count, negative);
}
