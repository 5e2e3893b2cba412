/* mod_cmath.c -- module cmath: functions of complex numbers, by libm with Python's errors.
 *
 * C's complex functions define the results at zeros, infinities and NaNs as Python does; what is
 * added is when an infinity or NaN is an error.  Stateless: no locks.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* M_PI, CMPLX */
#endif

#include <complex.h>
#include <math.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"

#ifndef CMPLX
#define CMPLX(x, y) __builtin_complex((double)(x), (double)(y))
#endif

typedef double complex Z;

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

static bool
read_complex(Thread *th, Value v, Z *z)
{
    double x, y;
    if (!complex_value(th, v, &x, &y))
        return false;
    *z = CMPLX(x, y);
    return true;
}

static Value
result(Thread *th, Z z)
{
    return complex_from(th, creal(z), cimag(z));
}

static bool
is_finite_z(Z z)
{
    return isfinite(creal(z)) && isfinite(cimag(z));
}

static bool
is_infinite_z(Z z)
{
    return isinf(creal(z)) || isinf(cimag(z));
}

/* A function whose infinities from finite numbers are overflows; `bad` tells arguments outside its
 * domain. */
#define FUNCTION(name, expression, bad)                                        \
    static Value cmath_##name(Thread *th, Value self, Value v)                 \
    {                                                                          \
        (void)self;                                                            \
        Z z;                                                                   \
        if (!read_complex(th, v, &z))                                          \
            return NULL;                                                       \
        double x = creal(z), y = cimag(z);                                     \
        (void)x;                                                               \
        (void)y;                                                               \
        if (bad)                                                               \
            return raise_domain(th);                                           \
        Z w = expression;                                                      \
        if (is_infinite_z(w) && is_finite_z(z))                                          \
            return raise_range(th);                                            \
        return result(th, w);                                                  \
    }

FUNCTION(acos, cacos(z), false)
FUNCTION(acosh, x == 0.0 && isnan(y) ? CMPLX(NAN, NAN) : cacosh(z), false)
FUNCTION(asin, casin(z), false)
FUNCTION(asinh, casinh(z), false)
FUNCTION(atan, catan(z), x == 0.0 && fabs(y) == 1.0)
FUNCTION(atanh, catanh(z), y == 0.0 && fabs(x) == 1.0)
FUNCTION(cosh, ccosh(z), isinf(y) && !isnan(x))
FUNCTION(sinh, csinh(z), isinf(y) && !isnan(x))
FUNCTION(tanh, x == 0.0 && isnan(y) ? CMPLX(NAN, NAN) : ctanh(z), isinf(y) && isfinite(x))
FUNCTION(cos, ccos(z), isinf(x) && !isnan(y))
FUNCTION(sin, csin(z), isinf(x) && !isnan(y))
FUNCTION(tan, isnan(x) && y == 0.0 ? CMPLX(NAN, NAN) : ctan(z), isinf(x) && isfinite(y))
FUNCTION(exp, cexp(z), isinf(y) && (isfinite(x) || x == HUGE_VAL))

/* The root, by s = sqrt((|x| + |z|) / 2), scaled so that |z| does not overflow and subnormal parts
 * keep their digits. */
static Z
root(Z z)
{
    double x = creal(z), y = cimag(z);
    if (!is_finite_z(z) || (x == 0.0 && y == 0.0))
        return csqrt(z);
    double ax = fabs(x), ay = fabs(y), s;
    if (ax < 0x1p-1022 && ay < 0x1p-1022 && (ax > 0.0 || ay > 0.0)) {
        ax = ldexp(ax, 53); /* 2^53 twice, halved: an even power of two */
        s = ldexp(sqrt(ax + hypot(ax, ldexp(ay, 53))), -27);
    } else {
        ax /= 8.0;
        s = 2.0 * sqrt(ax + hypot(ax, ay / 8.0));
    }
    double d = fabs(y) / (2.0 * s);
    return x >= 0.0 ? CMPLX(s, copysign(d, y)) : CMPLX(d, copysign(s, y));
}

static Value
cmath_sqrt(Thread *th, Value self, Value v)
{
    (void)self;
    Z z;
    return read_complex(th, v, &z) ? result(th, root(z)) : NULL;
}

/* log(z); false at 0. */
static bool
logarithm(Z z, Z *out)
{
    double x = creal(z), y = cimag(z);
    if (x == 0.0 && y == 0.0)
        return false;
    double ax = fabs(x), ay = fabs(y), modulus;
    if (!is_finite_z(z))
        modulus = creal(clog(z));
    else if (ax > 0x1p1021 || ay > 0x1p1021)
        modulus = log(hypot(ax / 2.0, ay / 2.0)) + M_LN2;
    else if (ax < 0x1p-1022 && ay < 0x1p-1022)
        modulus = log(hypot(ldexp(ax, 53), ldexp(ay, 53))) - 53 * M_LN2;
    else {
        double h = hypot(ax, ay);
        if (h >= 0.71 && h <= 1.73) { /* near 1: |z|^2 - 1 without cancellation */
            double large = fmax(ax, ay), small = fmin(ax, ay);
            modulus = log1p((large - 1) * (large + 1) + small * small) / 2.0;
        } else
            modulus = log(h);
    }
    *out = CMPLX(modulus, atan2(y, x));
    return true;
}

static Value
cmath_log(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    Z z, base = 0, w, b;
    if (!read_complex(th, arg(args, 0), &z))
        return NULL;
    if (nargs == 2 && !read_complex(th, arg(args, 1), &base))
        return NULL;
    if (!logarithm(z, &w))
        return raise_domain(th);
    if (nargs == 1)
        return result(th, w);
    if (!logarithm(base, &b) || (creal(b) == 0.0 && cimag(b) == 0.0))
        return raise_domain(th);
    Value above = result(th, w), below = above ? result(th, b) : NULL, r = NULL;
    if (below != NULL)
        r = complex_type.s.true_divide(th, above, below);
    drop_null(th, above);
    drop_null(th, below);
    return r;
}

static Value
cmath_log10(Thread *th, Value self, Value v)
{
    (void)self;
    Z z, w;
    if (!read_complex(th, v, &z))
        return NULL;
    if (!logarithm(z, &w))
        return raise_domain(th);
    return complex_from(th, creal(w) / M_LN10, cimag(w) / M_LN10);
}

static Value
cmath_phase(Thread *th, Value self, Value v)
{
    (void)self;
    Z z;
    return read_complex(th, v, &z) ? float_from(th, atan2(cimag(z), creal(z))) : NULL;
}

static Value
cmath_polar(Thread *th, Value self, Value v)
{
    (void)self;
    Z z;
    if (!read_complex(th, v, &z))
        return NULL;
    double size = hypot(creal(z), cimag(z));
    if (isinf(size) && is_finite_z(z))
        return raise_range(th);
    Value r = float_from(th, size), phi = NULL, pair = NULL;
    if (r != NULL && (phi = float_from(th, atan2(cimag(z), creal(z)))) != NULL)
        pair = tuple_pack(th, 2, r, phi);
    drop_null(th, r);
    drop_null(th, phi);
    return pair;
}

static Value
cmath_rect(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    double r, phi, x, y;
    if (!arg_double(th, arg(args, 0), &r) || !arg_double(th, arg(args, 1), &phi))
        return NULL;
    if (isinf(phi) && r != 0.0 && !isnan(r))
        return raise_domain(th);
    if (!isfinite(phi)) {
        /* r is 0, NaN or, with phi a NaN, anything. */
        x = r == 0.0 ? 0.0 : isinf(r) ? HUGE_VAL : (double)NAN;
        y = r == 0.0 ? 0.0 : (double)NAN;
    } else if (phi == 0.0) { /* on the real axis, also if r is infinite */
        x = r;
        y = isnan(r) ? 0.0 : copysign(0.0, signbit(r) != signbit(phi) ? -1.0 : 1.0);
    } else { /* cos() and sin() of other floats are never 0 */
        x = r * cos(phi);
        y = r * sin(phi);
    }
    return complex_from(th, x, y);
}

static Value
cmath_isfinite(Thread *th, Value self, Value v)
{
    (void)self;
    Z z;
    return read_complex(th, v, &z) ? bool_from(is_finite_z(z)) : NULL;
}

static Value
cmath_isinf(Thread *th, Value self, Value v)
{
    (void)self;
    Z z;
    return read_complex(th, v, &z) ? bool_from(is_infinite_z(z)) : NULL;
}

static Value
cmath_isnan(Thread *th, Value self, Value v)
{
    (void)self;
    Z z;
    return read_complex(th, v, &z) ? bool_from(isnan(creal(z)) || isnan(cimag(z))) : NULL;
}

static Value
cmath_isclose(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "isclose",
                                     .names = {"a", "b", "rel_tol", "abs_tol"},
                                     .positional = 2,
                                     .required = 2};
    Value v[4];
    Z a, b;
    double relative = 1e-9, absolute = 0.0;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (!read_complex(th, v[0], &a) || !read_complex(th, v[1], &b) ||
        (v[2] && !arg_double(th, v[2], &relative)) || (v[3] && !arg_double(th, v[3], &absolute)))
        return NULL;
    if (relative < 0.0 || absolute < 0.0)
        return raise_value_error(th, "tolerances must be non-negative");
    if (creal(a) == creal(b) && cimag(a) == cimag(b))
        return TRUE;
    if (is_infinite_z(a) || is_infinite_z(b))
        return FALSE;
    double difference = cabs(a - b);
    return bool_from(difference <= relative * cabs(b) || difference <= relative * cabs(a) ||
                     difference <= absolute);
}

#define ONE(name, doc) NATIVE_1(#name, cmath_##name, #name "($module, z, /)\n--\n\n" doc)

static const MethodDef cmath_methods[] = {
    ONE(acos, "The arc cosine of z."),
    ONE(acosh, "The inverse hyperbolic cosine of z."),
    ONE(asin, "The arc sine of z."),
    ONE(asinh, "The inverse hyperbolic sine of z."),
    ONE(atan, "The arc tangent of z."),
    ONE(atanh, "The inverse hyperbolic tangent of z."),
    ONE(cos, "The cosine of z."),
    ONE(cosh, "The hyperbolic cosine of z."),
    ONE(exp, "e to the power z."),
    NATIVE_K("isclose", cmath_isclose,
             "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\n"
             "Whether two numbers differ by no more than a relative or an absolute tolerance."),
    ONE(isfinite, "Whether both parts of z are finite."),
    ONE(isinf, "Whether a part of z is infinite."),
    ONE(isnan, "Whether a part of z is a NaN."),
    NATIVE_N("log", cmath_log, 1, 2,
             "log(z[, base]) -> the logarithm of z to the given base.\n\n"
             "The natural logarithm without a base."),
    ONE(log10, "The logarithm of z to the base 10."),
    ONE(phase, "The argument of z: the angle from the positive real axis."),
    ONE(polar, "z in polar coordinates: the pair (r, phi)."),
    NATIVE_N("rect", cmath_rect, 2, 2,
             "rect($module, r, phi, /)\n--\n\nThe number with the polar coordinates r and phi."),
    ONE(sin, "The sine of z."),
    ONE(sinh, "The hyperbolic sine of z."),
    ONE(sqrt, "The square root of z."),
    ONE(tan, "The tangent of z."),
    ONE(tanh, "The hyperbolic tangent of z."),
    NATIVE_END,
};

static bool
cmath_exec(Thread *th, Value module)
{
    return module_add(th, module, "pi", float_from(th, M_PI)) &&
           module_add(th, module, "e", float_from(th, M_E)) &&
           module_add(th, module, "tau", float_from(th, 2 * M_PI)) &&
           module_add(th, module, "inf", float_from(th, HUGE_VAL)) &&
           module_add(th, module, "infj", complex_from(th, 0.0, HUGE_VAL)) &&
           module_add(th, module, "nan", float_from(th, (double)NAN)) &&
           module_add(th, module, "nanj", complex_from(th, 0.0, (double)NAN));
}

const ModuleSpec cmath_module = {
    .name = "cmath",
    .doc = "This module provides access to mathematical functions for complex\nnumbers.",
    .methods = cmath_methods,
    .exec = cmath_exec,
};
