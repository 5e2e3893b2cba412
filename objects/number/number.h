/* number.h -- int, float, complex, bool and the singletons, for the rest of the program. */
#ifndef OBJECTS_NUMBER_NUMBER_H
#define OBJECTS_NUMBER_NUMBER_H

#include "objects/model/type.h"

/* -- singletons: static, immortal -- */
extern struct Object none_object, not_implemented_object, ellipsis_object;
#define NONE value_of(&none_object)
#define NOT_IMPLEMENTED value_of(&not_implemented_object)
#define ELLIPSIS value_of(&ellipsis_object)
typedef struct Bool { struct Object head; } Bool __attribute__((aligned(16)));
extern Bool true_object, false_object;
#define TRUE value_of(&true_object)
#define FALSE value_of(&false_object)
static inline Value bool_from(bool b) { return b ? TRUE : FALSE; }
static inline bool is_bool(Value v) { return v == TRUE || v == FALSE; }

/* -- int -- An int that fits 63 bits is ALWAYS immediate; others are heap objects (Int). */
typedef struct Int {
    struct Object head;
    int64_t size;        /* [const] number of limbs; negative for a negative int */
    uint64_t limbs[];    /* [const] magnitude, least significant first (GMP's mp_limb_t) */
} Int;
/* int subclasses and nothing else hold small values in an Int, too. A bool is no Int. */

RAISES Value int_from_i64_slow(Thread *th, int64_t n);
static inline Value
int_from_i64(Thread *th, int64_t n)
{
    return LIKELY(fixnum_fits(n)) ? value_from_fixnum(n) : int_from_i64_slow(th, n);
}
RAISES Value int_from_u64(Thread *th, uint64_t n);
static inline Value int_from_size(Thread *th, size_t n) { return int_from_u64(th, n); }
RAISES Value int_from_double(Thread *th, double d);              /* truncates; OverflowError, ValueError */
RAISES Value int_from_text(Thread *th, const char *text, size_t n, int base); /* ValueError */
RAISES Value int_from_str(Thread *th, Value str, int base);      /* int("..."): Unicode digits, spaces */
/* int() of bytes; `shown` stands in the message, NULL: a bytes object is made. */
RAISES Value int_from_buffer(Thread *th, const uint8_t *p, size_t n, Value shown, int base);
RAISES Value int_from_bytes(Thread *th, const uint8_t *p, size_t n, bool little, bool is_signed);
RAISES bool int_to_bytes(Thread *th, Value v, uint8_t *p, size_t n, bool little, bool is_signed);
RAISES Value int_to_str(Thread *th, Value v, int base, bool prefix); /* a str; base 2 8 10 16 */
/* v is an int (or subclass): false with OverflowError if it does not fit. */
RAISES bool int_to_i64(Thread *th, Value v, int64_t *out);
RAISES bool int_to_u64(Thread *th, Value v, uint64_t *out);      /* negative: OverflowError */
uint64_t int_to_u64_wrap(Value v);                               /* low 64 bits, two's complement */
/* Without exception: false if it does not fit. */
bool int_fits_i64(Value v, int64_t *out);
RAISES bool int_to_double(Thread *th, Value v, double *out);     /* OverflowError "int too large to convert to float" */
int int_sign(Value v);                                           /* -1, 0, 1 */
int64_t int_bit_length(Value v);
/* Exact copy of a subclass instance or bool as plain int. */
RAISES Value int_plain(Thread *th, Value v);
RAISES Value int_add(Thread *th, Value a, Value b);              /* a, b ints */
RAISES Value int_subtract(Thread *th, Value a, Value b);
RAISES Value int_multiply(Thread *th, Value a, Value b);
RAISES Value int_floor_divide(Thread *th, Value a, Value b);
RAISES Value int_remainder(Thread *th, Value a, Value b);
RAISES bool int_divmod(Thread *th, Value a, Value b, Value *q, Value *r);
RAISES Value int_true_divide(Thread *th, Value a, Value b);
RAISES Value int_power(Thread *th, Value a, Value b, Value modulus);
RAISES Value int_lshift(Thread *th, Value a, int64_t n);
RAISES Value int_rshift(Thread *th, Value a, int64_t n);
RAISES Value int_negative(Thread *th, Value a);
void int_space_init(void); /* once, while there is one thread: where GMP takes memory from */
RAISES Value int_gcd(Thread *th, Value a, Value b);
RAISES Value int_isqrt(Thread *th, Value a);                     /* a >= 0 */
/* The value as f * 2^*exponent, 0.5 <= |f| < 1 (f may be rounded up to 1); 0: 0. */
double int_frexp(Value v, int64_t *exponent);
int int_compare(Value a, Value b);                               /* -1, 0, 1 */
int64_t int_hash(Value v);

/* -- float -- Immediate if and only if encodable (rules G1): see
 * float_encode.h.  0.0, -0.0, inf and -inf are static objects; each NaN result is a new object. */
typedef struct Float { struct Object head; double value; } Float;
RAISES Value float_from_double_slow(Thread *th, double d);
#include "objects/number/float_encode.h"
RAISES static inline Value
float_from(Thread *th, double d)
{
    Value v = float_encode(d);
    return LIKELY(v != NULL) ? v : float_from_double_slow(th, d);
}
/* v is a float (immediate, heap or subclass). */
static inline double
float_value(Value v)
{
    return LIKELY(value_is_flonum(v)) ? float_decode(v) : ((Float *)(void *)value_object(v))->value;
}
int64_t double_hash(double d, Value identity); /* NaN hashes by identity */
/* The double nearest to m * 2^exponent, or to a little more if `rest`, half to even; m is not 0. */
double double_from_scaled(uint64_t m, bool rest, int64_t exponent);
RAISES Value float_from_str(Thread *th, Value str);
RAISES Value float_repr(Thread *th, double d);
/* Writes the shortest repr to buf (>= 32 bytes); returns the length. */
int double_repr(double d, char *buf);
/* The same without the ".0" behind an integer, as complex numbers show their parts. */
int double_repr_plain(double d, char *buf);
/* float(x) of a bytes-like object. */
RAISES Value float_from_buffer(Thread *th, Value v);

/* -- complex -- */
typedef struct Complex { struct Object head; double real, imag; } Complex;
RAISES Value complex_from(Thread *th, double real, double imag);
bool is_complex(Value v);
RAISES bool complex_value(Thread *th, Value v, double *real, double *imag); /* any number */

/* format(int/float/complex, spec): objects/text/str_format.c calls these. */
#endif
