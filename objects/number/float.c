/* float.c -- the type float: making, comparing, calculating.
 *
 * A float is immediate if and only if float_encode() takes it; zeros and infinities are four static
 * objects; all others, each NaN included, are objects of their own.  Floats never change: no locks.
 */
#include "objects/number/float_priv.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "base/decimal.h"
#include "objects/container/container.h"
#include "objects/model/native.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#define STATIC_FLOAT __attribute__((aligned(16)))
static Float float_zero STATIC_FLOAT = {STATIC_OBJECT(SHAPE_FLOAT), 0.0};
static Float float_minus_zero STATIC_FLOAT = {STATIC_OBJECT(SHAPE_FLOAT), -0.0};
static Float float_infinity STATIC_FLOAT = {STATIC_OBJECT(SHAPE_FLOAT), HUGE_VAL};
static Float float_minus_infinity STATIC_FLOAT = {STATIC_OBJECT(SHAPE_FLOAT), -HUGE_VAL};

Value
float_from_double_slow(Thread *th, double d)
{
    if (d == 0.0)
        return value_of(signbit(d) ? &float_minus_zero : &float_zero);
    if (isinf(d))
        return value_of(d < 0 ? &float_minus_infinity : &float_infinity);
    Float *f = (Float *)(void *)object_new_kind(th, SHAPE_FLOAT, sizeof(Float), false);
    if (f == NULL)
        return NULL;
    f->value = d;
    return value_of(f);
}

bool
is_float(Value v)
{
    if (value_is_flonum(v))
        return true;
    if (value_is_fixnum(v))
        return false;
    Type *t = type_of(v);
    return t == &float_type || type_is_subtype(t, &float_type);
}

bool
float_operand(Thread *th, Value v, double *out, bool *failed)
{
    *failed = false;
    if (LIKELY(value_is_flonum(v))) {
        *out = float_decode(v);
        return true;
    }
    if (value_is_fixnum(v)) {
        *out = (double)value_fixnum(v);
        return true;
    }
    if (is_exact(v, SHAPE_FLOAT) || is_float(v)) {
        *out = float_value(v);
        return true;
    }
    if (is_int(v)) {
        *failed = !int_to_double(th, v, out);
        return !*failed;
    }
    return false;
}

/* Reads both operands of a slot into x and y, or returns from it. */
#define OPERANDS(th, a, b)                                                     \
    double x, y;                                                               \
    bool failed;                                                               \
    if (!float_operand(th, a, &x, &failed) || !float_operand(th, b, &y, &failed)) \
    return failed ? NULL : NOT_IMPLEMENTED

/* -- hash -- */

int64_t
double_hash(double d, Value identity)
{
    if (isinf(d))
        return d > 0 ? 314159 : -314159;
    if (isnan(d)) {
        uint64_t address = (uint64_t)value_bits(identity);
        int64_t h = (int64_t)(address >> 4 | address << 60);
        return h == -1 ? -2 : h;
    }
    if (fabs(d) < 0x1p60 && d == (double)(int64_t)d) {
        int64_t h = (int64_t)d; /* below the modulus: itself */
        return h == -1 ? -2 : h;
    }
    int exponent;
    uint64_t m = (uint64_t)ldexp(frexp(fabs(d), &exponent), 53);
    exponent -= 53;
    /* 2^61 is 1 modulo 2^61 - 1: a power of two is a rotation of 61 bits. */
    int turn = exponent % 61;
    if (turn < 0)
        turn += 61;
    const uint64_t modulus = ((uint64_t)1 << 61) - 1;
    uint64_t r = ((m << turn) & modulus) | (turn ? m >> (61 - turn) : 0);
    if (r == modulus)
        r = 0;
    int64_t h = d < 0 ? -(int64_t)r : (int64_t)r;
    return h == -1 ? -2 : h;
}

static bool
float_slot_hash(Thread *th, Value self, int64_t *hash)
{
    (void)th;
    *hash = double_hash(float_value(self), self);
    return true;
}

/* -- comparing -- */

int
double_compare_int(double x, Value v)
{
    int64_t n;
    if (int_small(v, &n) && fixnum_fits(n)) {
        if (x >= 0x1p62)
            return 1;
        if (x < -0x1p62)
            return -1;
        int64_t whole = (int64_t)x;
        if (whole != n)
            return whole < n ? -1 : 1;
        double fraction = x - (double)whole; /* exact: below 2^53, or 0 */
        return (fraction > 0) - (fraction < 0);
    }
    IntView w;
    int_view(&w, v);
    if (fabs(x) < 0x1p62)
        return w.negative ? 1 : -1;
    if (isinf(x) || (x < 0) != w.negative)
        return x < 0 ? -1 : 1;
    int exponent;
    Limb m = (Limb)ldexp(frexp(fabs(x), &exponent), 64);
    int64_t bits = (int64_t)w.n * 64 - __builtin_clzll(w.p[w.n - 1]);
    int order;
    if (exponent != bits)
        order = exponent < bits ? -1 : 1;
    else {
        /* Same length: |x| is m * 2^(exponent - 64). */
        Limb limbs[1024 / 64 + 1] = {0};
        int shift = exponent - 64;
        if (shift < 0)
            limbs[0] = m >> -shift;
        else {
            limbs[shift / 64] = m << (shift % 64);
            if (shift % 64)
                limbs[shift / 64 + 1] = m >> (64 - shift % 64);
        }
        order = mpn_cmp(limbs, w.p, w.n);
        order = (order > 0) - (order < 0);
    }
    return x < 0 ? -order : order;
}

static Value
float_slot_compare(Thread *th, Value a, Value b, int op)
{
    (void)th;
    double x, y;
    if (is_float(a)) {
        x = float_value(a);
        if (is_float(b))
            y = float_value(b);
        else if (is_int(b)) {
            if (isnan(x))
                return bool_from(op == OP_NE);
            x = double_compare_int(x, b);
            y = 0.0;
        } else
            return NOT_IMPLEMENTED;
    } else if (is_int(a) && is_float(b)) {
        y = float_value(b);
        if (isnan(y))
            return bool_from(op == OP_NE);
        x = -double_compare_int(y, a);
        y = 0.0;
    } else
        return NOT_IMPLEMENTED;
    switch (op) {
    case OP_LT: return bool_from(x < y);
    case OP_LE: return bool_from(x <= y);
    case OP_EQ: return bool_from(x == y);
    case OP_NE: return bool_from(x != y);
    case OP_GT: return bool_from(x > y);
    default: return bool_from(x >= y);
    }
}

/* -- calculating -- */

static Value
float_slot_add(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    return float_from(th, x + y);
}

static Value
float_slot_subtract(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    return float_from(th, x - y);
}

static Value
float_slot_multiply(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    return float_from(th, x * y);
}

static COLD void *
raise_zero(Thread *th, const char *message)
{
    return raise_error(th, &exc_ZeroDivisionError, "%s", message);
}

static Value
float_slot_true_divide(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    if (y == 0.0)
        return raise_zero(th, "float division by zero");
    return float_from(th, x / y);
}

double
double_remainder(double x, double y)
{
    double r = fmod(x, y);
    if (r == 0.0)
        return copysign(0.0, y);
    return (r < 0) != (y < 0) ? r + y : r;
}

double
double_floor_divide(double x, double y, double *rest)
{
    double r = fmod(x, y);
    double q = (x - r) / y; /* close to an integer */
    if (r == 0.0)
        r = copysign(0.0, y);
    else if ((r < 0) != (y < 0)) {
        r += y;
        q -= 1.0;
    }
    *rest = r;
    if (q == 0.0)
        return copysign(0.0, x / y);
    double whole = floor(q);
    return q - whole > 0.5 ? whole + 1.0 : whole;
}

static Value
float_slot_remainder(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    if (y == 0.0)
        return raise_zero(th, "float modulo");
    return float_from(th, double_remainder(x, y));
}

static Value
float_slot_floor_divide(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    if (y == 0.0)
        return raise_zero(th, "float floor division by zero");
    double rest;
    return float_from(th, double_floor_divide(x, y, &rest));
}

static Value
float_slot_divmod(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    if (y == 0.0)
        return raise_zero(th, "float divmod()");
    double rest;
    double quotient = double_floor_divide(x, y, &rest);
    Value q = float_from(th, quotient), r = NULL, pair = NULL;
    if (q != NULL && (r = float_from(th, rest)) != NULL)
        pair = tuple_pack(th, 2, q, r);
    drop_null(th, q);
    drop_null(th, r);
    return pair;
}

/* OverflowError(34, 'Numerical result out of range') */
static COLD void *
raise_range(Thread *th)
{
    Value text = str_from_c(th, strerror(ERANGE));
    if (text == NULL)
        return NULL;
    Value exc = call_2(th, value_of_type(&exc_OverflowError), value_from_fixnum(ERANGE), text);
    drop(th, text);
    return exc != NULL ? raise_instance(th, exc) : NULL;
}

Value
float_power(Thread *th, double x, double y)
{
    if (x == 0.0 && y < 0.0 && isfinite(y))
        return raise_zero(th, "0.0 cannot be raised to a negative power");
    if (x < 0.0 && isfinite(x) && isfinite(y) && y != floor(y))
        return complex_power(th, x, 0.0, y, 0.0);
    double r = pow(x, y);
    if (UNLIKELY(isinf(r)) && isfinite(x) && isfinite(y))
        return raise_range(th);
    return float_from(th, r);
}

static Value
float_slot_power(Thread *th, Value a, Value b, Value modulus)
{
    if (modulus != NULL && modulus != NONE)
        return raise_type_error(
            th, "pow() 3rd argument not allowed unless all arguments are integers");
    OPERANDS(th, a, b);
    return float_power(th, x, y);
}

static Value
float_slot_negative(Thread *th, Value a)
{
    return float_from(th, -float_value(a));
}

static Value
float_plain(Thread *th, Value a)
{
    if (is_exact(a, SHAPE_FLOAT))
        return retain(th, a);
    return float_from(th, float_value(a));
}

static Value
float_slot_absolute(Thread *th, Value a)
{
    return float_from(th, fabs(float_value(a)));
}

static Answer
float_slot_truth(Thread *th, Value a)
{
    (void)th;
    return float_value(a) != 0.0 ? YES : NO;
}

static Value
float_slot_to_int(Thread *th, Value a)
{
    return int_from_double(th, float_value(a));
}

/* -- the constructor -- */

static Value
float_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (kwnames != NULL && type->s.init == float_type.s.init &&
        !args_no_keywords(th, "float", kwnames))
        return NULL;
    if (!args_count(th, "float", nargs, 0, 1))
        return NULL;
    Value plain;
    if (nargs == 0)
        plain = float_from(th, 0.0);
    else {
        Value x = arg(args, 0);
        if (is_exact(x, SHAPE_FLOAT))
            plain = retain(th, x);
        else if (is_exact(x, SHAPE_STR))
            plain = float_from_str(th, x);
        else
            plain = number_to_float(th, x);
    }
    if (plain == NULL || LIKELY(type == &float_type))
        return plain;
    Value made = type_alloc(th, type, 0);
    if (made != NULL)
        ((Float *)(void *)value_object(made))->value = float_value(plain);
    drop(th, plain);
    return made;
}

/* -- methods -- */

static Value
float_floor(Thread *th, Value self)
{
    return int_from_double(th, floor(float_value(self)));
}

static Value
float_ceil(Thread *th, Value self)
{
    return int_from_double(th, ceil(float_value(self)));
}

static Value
float_round(Thread *th, Value self, const Arg *args, size_t nargs)
{
    double x = float_value(self);
    if (nargs == 0 || arg(args, 0) == NONE)
        return int_from_double(th, rint(x)); /* the rounding mode is to nearest, even */
    int64_t places;
    if (!to_ssize(th, arg(args, 0), &places, NULL))
        return NULL;
    if (!isfinite(x) || x == 0.0)
        return float_from(th, x);
    if (places > 400)
        places = 400;
    if (places < -400)
        places = -400;
    double r = decimal_round(x, (int)places);
    if (isinf(r))
        return raise_overflow(th, "rounded value too large to represent");
    return float_from(th, r);
}

static Value
float_as_integer_ratio(Thread *th, Value self)
{
    double x = float_value(self);
    if (isinf(x))
        return raise_overflow(th, "cannot convert Infinity to integer ratio");
    if (isnan(x))
        return raise_value_error(th, "cannot convert NaN to integer ratio");
    int exponent;
    int64_t m = (int64_t)ldexp(frexp(x, &exponent), 53);
    exponent -= 53;
    if (m == 0)
        exponent = 0;
    else {
        int zeros = __builtin_ctzll((uint64_t)m);
        m >>= zeros;
        exponent += zeros;
    }
    Value numerator = exponent > 0 ? int_lshift(th, value_from_fixnum(m), exponent)
                                   : value_from_fixnum(m);
    Value denominator = exponent < 0 ? int_lshift(th, value_from_fixnum(1), -exponent)
                                     : value_from_fixnum(1);
    Value pair = NULL;
    if (numerator != NULL && denominator != NULL)
        pair = tuple_pack(th, 2, numerator, denominator);
    drop_null(th, numerator);
    drop_null(th, denominator);
    return pair;
}

static Value
float_is_integer(Thread *th, Value self)
{
    (void)th;
    double x = float_value(self);
    return bool_from(isfinite(x) && floor(x) == x);
}

static Value
float_format(Thread *th, Value self, Value spec)
{
    if (!is_str(spec))
        return raise_type_error(th, "__format__() argument must be str, not %B", spec);
    return format_float(th, self, spec);
}

static Value
float_getnewargs(Thread *th, Value self)
{
    Value plain = float_plain(th, self);
    if (plain == NULL)
        return NULL;
    Value args = tuple_pack(th, 1, plain);
    drop(th, plain);
    return args;
}

static Value
float_getformat(Thread *th, Value type, Value kind)
{
    (void)type;
    if (!is_str(kind))
        return raise_type_error(th, "__getformat__() argument must be str, not %B", kind);
    if (!str_equal_ascii(kind, "double") && !str_equal_ascii(kind, "float"))
        return raise_value_error(th, "__getformat__() argument 1 must be 'double' or 'float'");
    return str_from_c(th, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "IEEE, little-endian"
                                                                    : "IEEE, big-endian");
}

static Value
float_get_real(Thread *th, Value self, void *closure)
{
    (void)closure;
    return float_plain(th, self);
}

static Value
float_get_imag(Thread *th, Value self, void *closure)
{
    (void)self;
    (void)closure;
    return float_from(th, 0.0);
}

static const MethodDef float_methods[] = {
    NATIVE_0("conjugate", float_plain,
             "conjugate($self, /)\n--\n\nThe complex conjugate: the float itself."),
    NATIVE_0("__trunc__", float_slot_to_int,
             "__trunc__($self, /)\n--\n\nThe Integral closest to x between 0 and x."),
    NATIVE_0("__floor__", float_floor,
             "__floor__($self, /)\n--\n\nThe floor as an Integral."),
    NATIVE_0("__ceil__", float_ceil,
             "__ceil__($self, /)\n--\n\nThe ceiling as an Integral."),
    NATIVE_N("__round__", float_round, 0, 1,
             "__round__($self, ndigits=None, /)\n--\n\n"
             "The Integral closest to x, rounding half toward even.\n\n"
             "With ndigits, a float rounded to so many decimal places."),
    NATIVE_0("as_integer_ratio", float_as_integer_ratio,
             "as_integer_ratio($self, /)\n--\n\n"
             "The pair of ints whose ratio is exactly the float, with a positive denominator.\n\n"
             ">>> (10.0).as_integer_ratio()\n(10, 1)\n>>> (-.25).as_integer_ratio()\n(-1, 4)"),
    {.name = "fromhex",
     .f1 = float_fromhex,
     .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1,
     .nmax = 1,
     .doc = "fromhex($type, string, /)\n--\n\nThe float of a hexadecimal text.\n\n"
            ">>> float.fromhex('0x1.ffffp10')\n2047.984375"},
    NATIVE_0("hex", float_hex,
             "hex($self, /)\n--\n\nThe float as a hexadecimal text.\n\n"
             ">>> (-0.1).hex()\n'-0x1.999999999999ap-4'"),
    NATIVE_0("is_integer", float_is_integer,
             "is_integer($self, /)\n--\n\nWhether the float is an integer."),
    NATIVE_0("__getnewargs__", float_getnewargs, "__getnewargs__($self, /)\n--\n\n"),
    {.name = "__getformat__",
     .f1 = float_getformat,
     .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1,
     .nmax = 1,
     .doc = "__getformat__($type, typestr, /)\n--\n\n"
            "For the test suite: how C's 'double' or 'float' is laid out in memory."},
    NATIVE_1("__format__", float_format, "__format__($self, format_spec, /)\n--\n\n"
                                         "Formats the float according to format_spec."),
    NATIVE_END,
};

static const GetterDef float_getters[] = {
    {.name = "real", .get = float_get_real, .doc = "the real part of a complex number"},
    {.name = "imag", .get = float_get_imag, .doc = "the imaginary part of a complex number"},
    {.name = NULL},
};

static Value
float_slot_repr(Thread *th, Value self)
{
    return float_repr(th, float_value(self));
}

Type float_type;
const TypeSpec float_spec = {
    .name = "float",
    .size = sizeof(Float),
    .flags = TYPE_BASE | TYPE_MATCH_SELF,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "float(x=0, /)\n--\n\n"
           "Convert a string or number to a floating point number, if possible.",
    .methods = float_methods,
    .getters = float_getters,
    .slots =
        {
            .repr = float_slot_repr,
            .hash = float_slot_hash,
            .compare = float_slot_compare,
            .new = float_new,
            .add = float_slot_add,
            .subtract = float_slot_subtract,
            .multiply = float_slot_multiply,
            .remainder = float_slot_remainder,
            .divmod = float_slot_divmod,
            .power = float_slot_power,
            .negative = float_slot_negative,
            .positive = float_plain,
            .absolute = float_slot_absolute,
            .truth = float_slot_truth,
            .to_int = float_slot_to_int,
            .to_float = float_plain,
            .floor_divide = float_slot_floor_divide,
            .true_divide = float_slot_true_divide,
        },
};
