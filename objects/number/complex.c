/* complex.c -- the type complex.
 *
 * Two doubles that never change: no locks.
 */
#include "objects/number/float_priv.h"

#include <errno.h>
#include <math.h>

#include "objects/container/container.h"
#include "objects/model/names.h"
#include "objects/model/native.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

typedef struct Parts {
    double real, imag;
} Parts;

static inline Parts
parts_of(Value v)
{
    const Complex *c = (const Complex *)(void *)value_object(v);
    return (Parts){c->real, c->imag};
}

Value
complex_from(Thread *th, double real, double imag)
{
    Complex *c = (Complex *)(void *)object_new_kind(th, SHAPE_COMPLEX, sizeof(Complex), false);
    if (c == NULL)
        return NULL;
    c->real = real;
    c->imag = imag;
    return value_of(c);
}

bool
is_complex(Value v)
{
    if (!value_is_object(v))
        return false;
    Type *t = type_of(v);
    return t == &complex_type || type_is_subtype(t, &complex_type);
}

/* Reads a complex, float or int.  False: another type, or, with *failed set, an exception. */
static bool
operand(Thread *th, Value v, Parts *out, bool *failed)
{
    if (is_exact(v, SHAPE_COMPLEX) || is_complex(v)) {
        *failed = false;
        *out = parts_of(v);
        return true;
    }
    out->imag = 0.0;
    return float_operand(th, v, &out->real, failed);
}

#define OPERANDS(th, a, b)                                                     \
    Parts x, y;                                                                \
    bool failed;                                                               \
    if (!operand(th, a, &x, &failed) || !operand(th, b, &y, &failed))          \
    return failed ? NULL : NOT_IMPLEMENTED

/* -- calculating -- */

static Parts
product(Parts x, Parts y)
{
    return (Parts){x.real * y.real - x.imag * y.imag, x.real * y.imag + x.imag * y.real};
}

/* Smith's division: scales by the larger part of y.  False: y is 0. */
static bool
quotient(Parts x, Parts y, Parts *out)
{
    double real = fabs(y.real), imag = fabs(y.imag);
    if (real >= imag) {
        if (real == 0.0)
            return false;
        double ratio = y.imag / y.real;
        double denominator = y.real + y.imag * ratio;
        out->real = (x.real + x.imag * ratio) / denominator;
        out->imag = (x.imag - x.real * ratio) / denominator;
    } else if (imag >= real) {
        double ratio = y.real / y.imag;
        double denominator = y.real * ratio + y.imag;
        out->real = (x.real * ratio + x.imag) / denominator;
        out->imag = (x.imag * ratio - x.real) / denominator;
    } else
        out->real = out->imag = (double)NAN;
    return true;
}

static Parts
power_unsigned(Parts x, long n)
{
    Parts r = {1.0, 0.0};
    for (; n > 0; n >>= 1) {
        if (n & 1)
            r = product(r, x);
        x = product(x, x);
    }
    return r;
}

static Value
slot_add(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    return complex_from(th, x.real + y.real, x.imag + y.imag);
}

static Value
slot_subtract(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    return complex_from(th, x.real - y.real, x.imag - y.imag);
}

static Value
slot_multiply(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    Parts r = product(x, y);
    return complex_from(th, r.real, r.imag);
}

static Value
slot_true_divide(Thread *th, Value a, Value b)
{
    OPERANDS(th, a, b);
    Parts r;
    if (!quotient(x, y, &r))
        return raise_error(th, &exc_ZeroDivisionError, "complex division by zero");
    return complex_from(th, r.real, r.imag);
}

Value
complex_power(Thread *th, double ar, double ai, double br, double bi)
{
    Parts r;
    if (bi == 0.0 && br == floor(br) && fabs(br) <= 100.0) {
        long n = (long)br;
        r = power_unsigned((Parts){ar, ai}, n < 0 ? -n : n);
        if (n < 0 && !quotient((Parts){1.0, 0.0}, r, &r))
            goto zero;
    } else if (br == 0.0 && bi == 0.0)
        r = (Parts){1.0, 0.0};
    else if (ar == 0.0 && ai == 0.0) {
        if (bi != 0.0 || br < 0.0)
            goto zero;
        r = (Parts){0.0, 0.0};
    } else {
        double length = hypot(ar, ai), angle = atan2(ai, ar);
        double size = pow(length, br), phase = angle * br;
        if (bi != 0.0) {
            size /= exp(angle * bi);
            phase += bi * log(length);
        }
        r = (Parts){size * cos(phase), size * sin(phase)};
    }
    if (isinf(r.real) || isinf(r.imag))
        return raise_overflow(th, "complex exponentiation");
    return complex_from(th, r.real, r.imag);
zero:
    return raise_error(th, &exc_ZeroDivisionError, "0.0 to a negative or complex power");
}

static Value
slot_power(Thread *th, Value a, Value b, Value modulus)
{
    OPERANDS(th, a, b);
    if (modulus != NULL && modulus != NONE)
        return raise_value_error(th, "complex modulo");
    return complex_power(th, x.real, x.imag, y.real, y.imag);
}

static Value
slot_negative(Thread *th, Value a)
{
    Parts x = parts_of(a);
    return complex_from(th, -x.real, -x.imag);
}

static Value
complex_plain(Thread *th, Value a)
{
    if (is_exact(a, SHAPE_COMPLEX))
        return retain(th, a);
    Parts x = parts_of(a);
    return complex_from(th, x.real, x.imag);
}

static Value
slot_absolute(Thread *th, Value a)
{
    Parts x = parts_of(a);
    double d = hypot(x.real, x.imag);
    if (isinf(d) && isfinite(x.real) && isfinite(x.imag))
        return raise_overflow(th, "absolute value too large");
    return float_from(th, d);
}

static Answer
slot_truth(Thread *th, Value a)
{
    (void)th;
    Parts x = parts_of(a);
    return x.real != 0.0 || x.imag != 0.0 ? YES : NO;
}

static bool
slot_hash(Thread *th, Value self, int64_t *hash)
{
    (void)th;
    Parts x = parts_of(self);
    uint64_t h = (uint64_t)double_hash(x.real, self) +
                 (uint64_t)1000003 * (uint64_t)double_hash(x.imag, self);
    *hash = h == ~(uint64_t)0 ? -2 : (int64_t)h;
    return true;
}

static Value
slot_compare(Thread *th, Value a, Value b, int op)
{
    (void)th;
    if (op != OP_EQ && op != OP_NE)
        return NOT_IMPLEMENTED;
    if (!is_complex(a)) {
        Value t = a;
        a = b;
        b = t;
        if (!is_complex(a))
            return NOT_IMPLEMENTED;
    }
    Parts x = parts_of(a);
    bool equal;
    if (is_complex(b)) {
        Parts y = parts_of(b);
        equal = x.real == y.real && x.imag == y.imag;
    } else if (is_float(b))
        equal = x.imag == 0.0 && x.real == float_value(b);
    else if (is_int(b))
        equal = x.imag == 0.0 && !isnan(x.real) && double_compare_int(x.real, b) == 0;
    else
        return NOT_IMPLEMENTED;
    return bool_from(equal == (op == OP_EQ));
}

/* -- text -- */

static Value
slot_repr(Thread *th, Value self)
{
    Parts x = parts_of(self);
    char buf[80], *p = buf;
    bool both = x.real != 0.0 || signbit(x.real); /* NaN too */
    if (both) {
        *p++ = '(';
        p += double_repr_plain(x.real, p);
        if (isnan(x.imag) || !signbit(x.imag))
            *p++ = '+';
    }
    p += double_repr_plain(x.imag, p);
    *p++ = 'j';
    if (both)
        *p++ = ')';
    return str_from_ascii(th, buf, (size_t)(p - buf));
}

/* The whole of p[0 .. n), stripped: [(] a | bj | a+bj [)]. */
static bool
complex_from_text(const char *p, size_t n, Parts *out)
{
    if (n >= 2 && p[0] == '(' && p[n - 1] == ')') {
        p++;
        n -= 2;
        while (n > 0 && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
            p++;
            n--;
        }
        while (n > 0 && (p[n - 1] == ' ' || (p[n - 1] >= '\t' && p[n - 1] <= '\r')))
            n--;
    }
    *out = (Parts){0.0, 0.0};
    double first = 0.0;
    size_t used = double_from_text(p, n, &first);
    if (used == n && n > 0) {
        out->real = first;
        return true;
    }
    const char *rest = p + used;
    size_t left = n - used;
    if (used != 0 && (*rest == '+' || *rest == '-')) {
        out->real = first;
        used = double_from_text(rest, left, &first);
        rest += used;
        left -= used;
    }
    if (used == 0) { /* a sign or nothing before the j */
        first = 1.0;
        if (left > 0 && (*rest == '+' || *rest == '-')) {
            first = *rest == '-' ? -1.0 : 1.0;
            rest++;
            left--;
        }
    }
    if (left != 1 || (*rest | 32) != 'j')
        return false;
    out->imag = first;
    return true;
}

/* -- the constructor -- */

static Value
complex_make(Thread *th, Type *type, Parts x)
{
    if (type == &complex_type)
        return complex_from(th, x.real, x.imag);
    Value made = type_alloc(th, type, 0);
    if (made == NULL)
        return NULL;
    Complex *c = (Complex *)(void *)value_object(made);
    c->real = x.real;
    c->imag = x.imag;
    return made;
}

static Value
complex_from_str(Thread *th, Type *type, Value text)
{
    NumberText t;
    Parts x;
    if (!number_text_from_str(th, &t, text))
        return NULL;
    bool placed = number_text_underscores(&t);
    bool good = placed && complex_from_text(t.p, t.n, &x);
    number_text_free(&t);
    if (!placed)
        return raise_value_error(th, "could not convert string to complex: %R", text);
    if (!good)
        return raise_value_error(th, "complex() arg is a malformed string");
    return complex_make(th, type, x);
}

/* The result of v.__complex__(): new, or NULL without exception if there is no such method. */
static Value
special_complex(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_COMPLEX))
        return retain(th, v);
    bool missing = true;
    Value r = call_special(th, v, NAME(dunder_complex), NULL, 0, &missing);
    if (r == NULL)
        return NULL;
    if (is_exact(r, SHAPE_COMPLEX))
        return r;
    if (!is_complex(r)) {
        raise_type_error(th, "__complex__ returned non-complex (type %T)", r);
        drop(th, r);
        return NULL;
    }
    if (!warn(th, &exc_DeprecationWarning, 1,
              "__complex__ returned non-complex (type %T).  The ability to return an instance of "
              "a strict subclass of complex is deprecated, and may not be used in a future "
              "version of Python.",
              r)) {
        drop(th, r);
        return NULL;
    }
    return r;
}

static bool
is_number(Value v)
{
    Type *t = type_of(v);
    return t->s.to_float != NULL || t->s.index != NULL || is_complex(v);
}

static Value
complex_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "complex", .names = {"real", "imag"}, .positional = 2};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value r = v[0] ? v[0] : value_from_fixnum(0), i = v[1];
    if (i == NULL && type == &complex_type && is_exact(r, SHAPE_COMPLEX))
        return retain(th, r);
    if (is_str(r)) {
        if (i != NULL)
            return raise_type_error(th, "complex() can't take second arg if first is a string");
        return complex_from_str(th, type, r);
    }
    if (i != NULL && is_str(i))
        return raise_type_error(th, "complex() second arg can't be a string");
    Value special = special_complex(th, r);
    if (special == NULL && error_set(th))
        return NULL;
    if (special != NULL)
        r = special;
    Value result = NULL;
    Parts x = {0.0, 0.0}, y = {0.0, 0.0};
    bool x_complex = is_complex(r), y_complex = i != NULL && is_complex(i);
    if (!is_number(r)) {
        raise_type_error(th, "complex() first argument must be a string or a number, not '%T'", r);
        goto end;
    }
    if (i != NULL && !is_number(i)) {
        raise_type_error(th, "complex() second argument must be a number, not '%T'", i);
        goto end;
    }
    if (x_complex)
        x = parts_of(r);
    else {
        Value f = number_to_float(th, r);
        if (f == NULL)
            goto end;
        x.real = float_value(f);
        drop(th, f);
    }
    if (i == NULL)
        y.real = x.imag;
    else {
        if (y_complex)
            y = parts_of(i);
        else {
            Value f = number_to_float(th, i);
            if (f == NULL)
                goto end;
            y.real = float_value(f);
            drop(th, f);
        }
        if (y_complex)
            x.real -= y.imag;
        if (x_complex)
            y.real += x.imag;
    }
    result = complex_make(th, type, (Parts){x.real, y.real});
end:
    drop_null(th, special);
    return result;
}

bool
complex_value(Thread *th, Value v, double *real, double *imag)
{
    *imag = 0.0;
    if (value_is_flonum(v)) {
        *real = float_decode(v);
        return true;
    }
    if (is_complex(v)) {
        Parts x = parts_of(v);
        *real = x.real;
        *imag = x.imag;
        return true;
    }
    if (!value_is_fixnum(v) && !is_float(v)) {
        Value special = special_complex(th, v);
        if (special != NULL) {
            Parts x = parts_of(special);
            drop(th, special);
            *real = x.real;
            *imag = x.imag;
            return true;
        }
        if (error_set(th))
            return false;
    }
    return arg_double(th, v, real);
}

/* -- methods -- */

static Value
complex_conjugate(Thread *th, Value self)
{
    Parts x = parts_of(self);
    return complex_from(th, x.real, -x.imag);
}

static Value
complex_getnewargs(Thread *th, Value self)
{
    Parts x = parts_of(self);
    Value real = float_from(th, x.real), imag = NULL, pair = NULL;
    if (real != NULL && (imag = float_from(th, x.imag)) != NULL)
        pair = tuple_pack(th, 2, real, imag);
    drop_null(th, real);
    drop_null(th, imag);
    return pair;
}

static Value
complex_format(Thread *th, Value self, Value spec)
{
    if (!is_str(spec))
        return raise_type_error(th, "__format__() argument must be str, not %B", spec);
    return format_complex(th, self, spec);
}

static Value
get_real(Thread *th, Value self, void *closure)
{
    (void)closure;
    return float_from(th, parts_of(self).real);
}

static Value
get_imag(Thread *th, Value self, void *closure)
{
    (void)closure;
    return float_from(th, parts_of(self).imag);
}

static const MethodDef complex_methods[] = {
    NATIVE_0("conjugate", complex_conjugate,
             "conjugate($self, /)\n--\n\nThe complex conjugate.\n\n>>> (3-4j).conjugate()\n(3+4j)"),
    NATIVE_0("__complex__", complex_plain,
             "__complex__($self, /)\n--\n\nThe value as exactly a complex."),
    NATIVE_0("__getnewargs__", complex_getnewargs, "__getnewargs__($self, /)\n--\n\n"),
    NATIVE_1("__format__", complex_format,
             "__format__($self, format_spec, /)\n--\n\n"
             "Formats the number according to format_spec."),
    NATIVE_END,
};

static const GetterDef complex_getters[] = {
    {.name = "real", .get = get_real, .doc = "the real part of a complex number"},
    {.name = "imag", .get = get_imag, .doc = "the imaginary part of a complex number"},
    {.name = NULL},
};

Type complex_type;
const TypeSpec complex_spec = {
    .name = "complex",
    .size = sizeof(Complex),
    .flags = TYPE_BASE,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "complex(real=0, imag=0)\n--\n\n"
           "Create a complex number from a real part and an optional imaginary part.\n\n"
           "This is equivalent to (real + imag*1j) where imag defaults to 0.",
    .methods = complex_methods,
    .getters = complex_getters,
    .slots =
        {
            .repr = slot_repr,
            .hash = slot_hash,
            .compare = slot_compare,
            .new = complex_new,
            .add = slot_add,
            .subtract = slot_subtract,
            .multiply = slot_multiply,
            .power = slot_power,
            .negative = slot_negative,
            .positive = complex_plain,
            .absolute = slot_absolute,
            .truth = slot_truth,
            .true_divide = slot_true_divide,
        },
};
