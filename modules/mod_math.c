/* mod_math.c -- module math: functions of floats, by libm with Python's errors.
 *
 * A NaN out of numbers is a ValueError; an infinity out of finite numbers is an OverflowError, or a
 * ValueError where the function has a pole there.  Stateless: no locks.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* M_PI, exp2, lgamma_r */
#endif

#include "modules/math_priv.h"

#include <float.h>
#include <math.h>

#include "objects/container/container.h"
#include "objects/model/names.h"
#include "objects/protocol/protocol.h"
#include "threads/safepoint.h"

static COLD void *
raise_domain(Thread *th)
{
    return raise_value_error(th, "math domain error");
}

static COLD void *
raise_range(Thread *th)
{
    return raise_overflow(th, "math range error");
}

/* What becomes of the result r of a function of x. */
static inline Value
checked(Thread *th, double x, double r, bool pole)
{
    if (UNLIKELY(!isfinite(r))) {
        if (isnan(r) && !isnan(x))
            return raise_domain(th);
        if (isinf(r) && isfinite(x))
            return pole ? raise_domain(th) : raise_range(th);
    }
    return float_from(th, r);
}

#define READ_ONE(th, v, x)                                                     \
    double x;                                                                  \
    if (value_is_flonum(v))                                                    \
        x = float_decode(v);                                                   \
    else if (!arg_double(th, v, &x))                                           \
    return NULL

/* A function whose infinities are overflows (pole false) or poles (true). */
#define FUNCTION(name, expression, pole)                                       \
    static Value math_##name(Thread *th, Value self, Value v)                  \
    {                                                                          \
        (void)self;                                                            \
        READ_ONE(th, v, x);                                                    \
        return checked(th, x, expression, pole);                               \
    }

FUNCTION(acos, acos(x), true)
FUNCTION(acosh, acosh(x), true)
FUNCTION(asin, asin(x), true)
FUNCTION(asinh, asinh(x), true)
FUNCTION(atan, atan(x), true)
FUNCTION(atanh, atanh(x), true)
FUNCTION(cbrt, cbrt(x), true)
FUNCTION(cos, cos(x), true)
FUNCTION(cosh, cosh(x), false)
FUNCTION(erf, erf(x), true)
FUNCTION(erfc, erfc(x), true)
FUNCTION(exp, exp(x), false)
FUNCTION(exp2, exp2(x), false)
FUNCTION(expm1, expm1(x), false)
FUNCTION(fabs, fabs(x), true)
FUNCTION(log1p, log1p(x), true)
FUNCTION(sin, sin(x), true)
FUNCTION(sinh, sinh(x), false)
FUNCTION(sqrt, sqrt(x), true)
FUNCTION(tan, tan(x), true)
FUNCTION(tanh, tanh(x), true)

static Value
math_gamma(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    if (x == -HUGE_VAL || (x <= 0.0 && x == floor(x)))
        return raise_domain(th);
    /* Far left of 0 the value is below the least double; its sign alternates. */
    return checked(th, x, tgamma(x), false);
}

static Value
math_lgamma(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    if (isfinite(x) && x <= 0.0 && x == floor(x))
        return raise_domain(th);
    int sign;
    return checked(th, x, isinf(x) ? HUGE_VAL : lgamma_r(x, &sign), false);
}

static Value
math_degrees(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    return float_from(th, x * (180.0 / M_PI));
}

static Value
math_radians(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    return float_from(th, x * (M_PI / 180.0));
}

static Value
math_isfinite(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    return bool_from(isfinite(x));
}

static Value
math_isinf(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    return bool_from(isinf(x));
}

static Value
math_isnan(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    return bool_from(isnan(x));
}

static Value
math_ulp(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    x = fabs(x);
    if (!isfinite(x))
        return float_from(th, x);
    double above = nextafter(x, HUGE_VAL);
    if (isinf(above))
        return float_from(th, x - nextafter(x, 0.0));
    return float_from(th, above - x);
}

/* -- logarithms -- */

/* The logarithm of v by fn; ints may be larger than any double. */
static bool
log_of(Thread *th, Value v, double (*fn)(double), double *out)
{
    if (is_int(v)) {
        if (int_sign(v) <= 0) {
            raise_domain(th);
            return false;
        }
        int64_t bits = int_bit_length(v);
        if (bits > 1023) {
            int64_t exponent;
            double f = int_frexp(v, &exponent);
            *out = fn(f) + fn(2.0) * (double)exponent;
            return true;
        }
        double x;
        if (!int_to_double(th, v, &x))
            return false;
        *out = fn(x);
        return true;
    }
    double x;
    if (!arg_double(th, v, &x))
        return false;
    if (isnan(x) || x > 0.0) {
        *out = fn(x);
        return true;
    }
    raise_domain(th);
    return false;
}

static Value
math_log(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    if (nargs < 1 || nargs > 2)
        return raise_type_error(th, "math.log requires 1 to 2 arguments");
    double x, base;
    if (!log_of(th, arg(args, 0), log, &x))
        return NULL;
    if (nargs == 1)
        return float_from(th, x);
    if (!log_of(th, arg(args, 1), log, &base))
        return NULL;
    if (base == 0.0)
        return raise_error(th, &exc_ZeroDivisionError, "float division by zero");
    return float_from(th, x / base);
}

static Value
math_log2(Thread *th, Value self, Value v)
{
    (void)self;
    double x;
    return log_of(th, v, log2, &x) ? float_from(th, x) : NULL;
}

static Value
math_log10(Thread *th, Value self, Value v)
{
    (void)self;
    double x;
    return log_of(th, v, log10, &x) ? float_from(th, x) : NULL;
}

/* -- functions of two floats -- */

#define READ_TWO(th, args, x, y)                                               \
    double x, y;                                                               \
    if (!arg_double(th, arg(args, 0), &x) || !arg_double(th, arg(args, 1), &y)) \
    return NULL;                                                               \
    (void)self;                                                                \
    (void)nargs

static Value
math_atan2(Thread *th, Value self, const Arg *args, size_t nargs)
{
    READ_TWO(th, args, y, x);
    return float_from(th, atan2(y, x));
}

static Value
math_copysign(Thread *th, Value self, const Arg *args, size_t nargs)
{
    READ_TWO(th, args, x, y);
    return float_from(th, copysign(x, y));
}

static Value
math_nextafter(Thread *th, Value self, const Arg *args, size_t nargs)
{
    READ_TWO(th, args, x, y);
    return float_from(th, nextafter(x, y));
}

static Value
math_fmod(Thread *th, Value self, const Arg *args, size_t nargs)
{
    READ_TWO(th, args, x, y);
    double r = isinf(y) && isfinite(x) ? x : fmod(x, y);
    if (isnan(r) && !isnan(x) && !isnan(y))
        return raise_domain(th);
    return float_from(th, r);
}

static Value
math_remainder(Thread *th, Value self, const Arg *args, size_t nargs)
{
    READ_TWO(th, args, x, y);
    double r = remainder(x, y);
    if (isnan(r) && !isnan(x) && !isnan(y))
        return raise_domain(th);
    return float_from(th, r);
}

static Value
math_pow(Thread *th, Value self, const Arg *args, size_t nargs)
{
    READ_TWO(th, args, x, y);
    double r = pow(x, y);
    if (!isfinite(r) && isfinite(x) && isfinite(y)) {
        if (isnan(r) || x == 0.0)
            return raise_domain(th);
        return raise_range(th);
    }
    return float_from(th, r);
}

static Value
math_ldexp(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    double x;
    int64_t exponent;
    if (!arg_double(th, arg(args, 0), &x))
        return NULL;
    Value e = arg(args, 1);
    if (!is_int(e))
        return raise_type_error(th, "Expected an int as second argument to ldexp.");
    if (!int_fits_i64(e, &exponent))
        exponent = int_sign(e) < 0 ? -100000 : 100000;
    if (exponent > 100000)
        exponent = 100000;
    if (exponent < -100000)
        exponent = -100000;
    double r = ldexp(x, (int)exponent);
    if (isinf(r) && isfinite(x))
        return raise_range(th);
    return float_from(th, r);
}

/* -- pairs -- */

static Value
float_pair(Thread *th, double x, double y)
{
    Value a = float_from(th, x), b = a ? float_from(th, y) : NULL;
    Value pair = b ? tuple_pack(th, 2, a, b) : NULL;
    drop_null(th, a);
    drop_null(th, b);
    return pair;
}

static Value
math_frexp(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    int exponent = 0;
    double f = isfinite(x) ? frexp(x, &exponent) : x;
    Value a = float_from(th, f);
    Value pair = a ? tuple_pack(th, 2, a, value_from_fixnum(exponent)) : NULL;
    drop_null(th, a);
    return pair;
}

static Value
math_modf(Thread *th, Value self, Value v)
{
    (void)self;
    READ_ONE(th, v, x);
    double whole, f = modf(x, &whole);
    return float_pair(th, f, whole);
}

/* -- rounding to int -- */

static Value
round_special(Thread *th, Value v, Value name, double (*fn)(double))
{
    if (value_is_fixnum(v))
        return v;
    if (is_exact(v, SHAPE_FLOAT))
        return int_from_double(th, fn(float_value(v)));
    bool missing = true;
    Value r = call_special(th, v, name, NULL, 0, &missing);
    if (r != NULL || error_set(th))
        return r;
    double x;
    return arg_double(th, v, &x) ? int_from_double(th, fn(x)) : NULL;
}

static Value
math_floor(Thread *th, Value self, Value v)
{
    (void)self;
    return round_special(th, v, NAME(__floor__), floor);
}

static Value
math_ceil(Thread *th, Value self, Value v)
{
    (void)self;
    return round_special(th, v, NAME(__ceil__), ceil);
}

static Value
math_trunc(Thread *th, Value self, Value v)
{
    (void)self;
    if (value_is_fixnum(v))
        return v;
    if (is_exact(v, SHAPE_FLOAT))
        return int_from_double(th, float_value(v));
    bool missing = true;
    Value r = call_special(th, v, NAME(__trunc__), NULL, 0, &missing);
    if (r == NULL && !error_set(th))
        return raise_type_error(th, "type %T doesn't define __trunc__ method", v);
    return r;
}

static Value
math_isclose(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "isclose",
                                     .names = {"a", "b", "rel_tol", "abs_tol"},
                                     .positional = 2,
                                     .required = 2};
    Value v[4];
    double a, b, relative = 1e-9, absolute = 0.0;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (!arg_double(th, v[0], &a) || !arg_double(th, v[1], &b) ||
        (v[2] && !arg_double(th, v[2], &relative)) || (v[3] && !arg_double(th, v[3], &absolute)))
        return NULL;
    if (relative < 0.0 || absolute < 0.0)
        return raise_value_error(th, "tolerances must be non-negative");
    if (a == b)
        return TRUE;
    if (isinf(a) || isinf(b))
        return FALSE;
    double difference = fabs(b - a);
    return bool_from(difference <= fabs(relative * b) || difference <= fabs(relative * a) ||
                     difference <= absolute);
}

/* -- the module -- */

#define ONE(name, doc) NATIVE_1(#name, math_##name, #name "($module, x, /)\n--\n\n" doc)

static const MethodDef math_methods[] = {
    ONE(acos, "The arc cosine of x, in radians, from 0 to pi."),
    ONE(acosh, "The inverse hyperbolic cosine of x."),
    ONE(asin, "The arc sine of x, in radians, from -pi/2 to pi/2."),
    ONE(asinh, "The inverse hyperbolic sine of x."),
    ONE(atan, "The arc tangent of x, in radians, from -pi/2 to pi/2."),
    NATIVE_N("atan2", math_atan2, 2, 2,
             "atan2($module, y, x, /)\n--\n\n"
             "The arc tangent of y/x, in radians; the signs of both decide the quadrant."),
    ONE(atanh, "The inverse hyperbolic tangent of x."),
    ONE(cbrt, "The cube root of x."),
    ONE(ceil, "The smallest int >= x."),
    NATIVE_N("comb", math_comb, 2, 2,
             "comb($module, n, k, /)\n--\n\n"
             "Number of ways to choose k of n items without repetition and without order."),
    NATIVE_N("copysign", math_copysign, 2, 2,
             "copysign($module, x, y, /)\n--\n\nThe absolute value of x with the sign of y."),
    ONE(cos, "The cosine of x radians."),
    ONE(cosh, "The hyperbolic cosine of x."),
    ONE(degrees, "The angle x, given in radians, in degrees."),
    NATIVE_N("dist", math_dist, 2, 2,
             "dist($module, p, q, /)\n--\n\n"
             "The Euclidean distance of two points, given as sequences of coordinates."),
    ONE(erf, "The error function at x."),
    ONE(erfc, "The complementary error function at x."),
    ONE(exp, "e to the power x."),
    ONE(exp2, "2 to the power x."),
    ONE(expm1, "exp(x) - 1, without loss of precision for small x."),
    ONE(fabs, "The absolute value of x as a float."),
    NATIVE_1("factorial", math_factorial, "factorial($module, n, /)\n--\n\nn!, for n >= 0."),
    ONE(floor, "The largest int <= x."),
    NATIVE_N("fmod", math_fmod, 2, 2,
             "fmod($module, x, y, /)\n--\n\nfmod(x, y) of C: the sign is that of x."),
    NATIVE_1("frexp", math_frexp,
             "frexp($module, x, /)\n--\n\n"
             "The pair (m, e) with x = m * 2**e and 0.5 <= abs(m) < 1, or m = 0."),
    NATIVE_1("fsum", math_fsum,
             "fsum($module, seq, /)\n--\n\nThe exact sum of floats, rounded once."),
    ONE(gamma, "The Gamma function at x."),
    NATIVE_N("gcd", math_gcd, 0, -1, "gcd($module, *integers)\n--\n\nGreatest Common Divisor."),
    NATIVE_N("hypot", math_hypot, 0, -1,
             "hypot(*coordinates) -> value\n\nThe Euclidean distance of a point from the origin."),
    NATIVE_K("isclose", math_isclose,
             "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\n"
             "Whether two floats differ by no more than a relative or an absolute tolerance."),
    ONE(isfinite, "Whether x is neither an infinity nor a NaN."),
    ONE(isinf, "Whether x is an infinity."),
    ONE(isnan, "Whether x is a NaN (not a number)."),
    NATIVE_1("isqrt", math_isqrt,
             "isqrt($module, n, /)\n--\n\nThe integer part of the square root of n."),
    NATIVE_N("lcm", math_lcm, 0, -1, "lcm($module, *integers)\n--\n\nLeast Common Multiple."),
    NATIVE_N("ldexp", math_ldexp, 2, 2,
             "ldexp($module, x, i, /)\n--\n\nx * (2**i): the inverse of frexp()."),
    ONE(lgamma, "The natural logarithm of the absolute value of the Gamma function at x."),
    NATIVE_N("log", math_log, 0, -1,
             "log(x, [base=math.e])\n"
             "The logarithm of x to the base, the natural one if none is given."),
    ONE(log10, "The logarithm of x to the base 10."),
    ONE(log1p, "The natural logarithm of 1+x, accurate for x near 0."),
    ONE(log2, "The logarithm of x to the base 2."),
    ONE(modf, "The fractional and the integer part of x, both with its sign, as floats."),
    NATIVE_N("nextafter", math_nextafter, 2, 2,
             "nextafter($module, x, y, /)\n--\n\nThe float next to x in the direction of y."),
    NATIVE_N("perm", math_perm, 1, 2,
             "perm($module, n, k=None, /)\n--\n\n"
             "Number of ways to choose k of n items without repetition, in order."),
    NATIVE_N("pow", math_pow, 2, 2, "pow($module, x, y, /)\n--\n\nx to the power y, as floats."),
    NATIVE_K("prod", math_prod,
             "prod($module, iterable, /, *, start=1)\n--\n\n"
             "The product of all items and a start value."),
    ONE(radians, "The angle x, given in degrees, in radians."),
    NATIVE_N("remainder", math_remainder, 2, 2,
             "remainder($module, x, y, /)\n--\n\n"
             "x minus the multiple of y that is nearest to it, the even one of two."),
    ONE(sin, "The sine of x radians."),
    ONE(sinh, "The hyperbolic sine of x."),
    ONE(sqrt, "The square root of x."),
    ONE(tan, "The tangent of x radians."),
    ONE(tanh, "The hyperbolic tangent of x."),
    ONE(trunc, "x without its fractional part, by its method __trunc__."),
    ONE(ulp, "The value of the least significant bit of the float x."),
    NATIVE_END,
};

static bool
math_exec(Thread *th, Value module)
{
    return module_add(th, module, "pi", float_from(th, M_PI)) &&
           module_add(th, module, "e", float_from(th, M_E)) &&
           module_add(th, module, "tau", float_from(th, 2 * M_PI)) &&
           module_add(th, module, "inf", float_from(th, HUGE_VAL)) &&
           module_add(th, module, "nan", float_from(th, (double)NAN));
}

const ModuleSpec math_module = {
    .name = "math",
    .doc = "This module provides access to the mathematical functions\ndefined by the C standard.",
    .methods = math_methods,
    .exec = math_exec,
};
