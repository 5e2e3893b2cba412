/* float_encode.h -- floats kept in the word itself.
 *
 * A double is s(1) e(11) m(52).  Exponent fields 0x300 .. 0x4ff (2^-255 .. 2^257) are the
 * common ones.  Adding 0x100 to the field makes them 0x400 .. 0x5ff, whose two top bits are 10;
 * the word is then  s 1 0 ...  and, rotated left by 3, ends in  s 1 0 : the tag of a float, with
 * the sign in bit 2 (rules A13).  Every other field gives another tag: 0x000 .. 0x2ff become
 * 0x100 .. 0x3ff (0.), 0x500 .. 0x6ff become 0x600 .. 0x7ff (11), and 0x700 .. 0x7ff carry into
 * the sign and leave 0x000 .. 0x0ff (00).
 *
 * The idea of self-tagging is from Melancon, Serrano, Feeley, "Float Self-Tagging" (OOPSLA 2025).
 */
#ifndef OBJECTS_NUMBER_FLOAT_ENCODE_H
#define OBJECTS_NUMBER_FLOAT_ENCODE_H

#include "base/value.h"

#include <string.h>

#define FLOAT_BIAS ((uint64_t)0x100 << 52)

/* The immediate float of `d`, or NULL if its exponent is not common. */
static inline Value
float_encode(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    bits += FLOAT_BIAS;
    uint64_t word = (bits << 3) | (bits >> 61);
    return (word & 3) == 2 ? (Value)word : NULL;
}

static inline double
float_decode(Value v)
{
    uint64_t word = (uint64_t)v;
    uint64_t bits = ((word >> 3) | (word << 61)) - FLOAT_BIAS;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

#endif
