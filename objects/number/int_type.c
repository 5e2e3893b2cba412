/* int_type.c -- the type int: its slots, methods and constructor; and bool.
 *
 * The slots get their operands in source order and answer NOT_IMPLEMENTED for what is no int.  They
 * work on immediates, Ints, instances of subclasses and bools alike.  Nothing here changes after
 * publication: no locks.
 */
#include "objects/number/int_priv.h"

#include "objects/container/container.h"
#include "objects/model/native.h"
#include "objects/model/names.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

#define NEED_INTS(a, b)                                                        \
    if (UNLIKELY(!is_int(a) || !is_int(b)))                                    \
    return NOT_IMPLEMENTED

/* -- slots -- */

static bool
int_slot_hash(Thread *th, Value self, int64_t *hash)
{
    (void)th;
    *hash = int_hash(self);
    return true;
}

Value
int_slot_compare(Thread *th, Value a, Value b, int op)
{
    (void)th;
    NEED_INTS(a, b);
    int order = int_compare(a, b);
    switch (op) {
    case OP_LT: return bool_from(order < 0);
    case OP_LE: return bool_from(order <= 0);
    case OP_EQ: return bool_from(order == 0);
    case OP_NE: return bool_from(order != 0);
    case OP_GT: return bool_from(order > 0);
    default: return bool_from(order >= 0);
    }
}

static Value
int_slot_add(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_add(th, a, b);
}

static Value
int_slot_subtract(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_subtract(th, a, b);
}

static Value
int_slot_multiply(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_multiply(th, a, b);
}

static Value
int_slot_remainder(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_remainder(th, a, b);
}

static Value
int_slot_floor_divide(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_floor_divide(th, a, b);
}

static Value
int_slot_true_divide(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_true_divide(th, a, b);
}

static Value
int_slot_divmod(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    Value q, r;
    if (!int_divmod(th, a, b, &q, &r))
        return NULL;
    Value pair = tuple_pack(th, 2, q, r);
    drop(th, q);
    drop(th, r);
    return pair;
}

static Value
int_slot_power(Thread *th, Value a, Value b, Value modulus)
{
    NEED_INTS(a, b);
    if (modulus != NULL && modulus != NONE && !is_int(modulus))
        return NOT_IMPLEMENTED;
    return int_power(th, a, b, modulus);
}

static Value
int_slot_negative(Thread *th, Value a)
{
    return int_negative(th, a);
}

static Value
int_slot_positive(Thread *th, Value a)
{
    return int_plain(th, a);
}

static Value
int_slot_absolute(Thread *th, Value a)
{
    return int_sign(a) < 0 ? int_negative(th, a) : int_plain(th, a);
}

static Answer
int_slot_truth(Thread *th, Value a)
{
    (void)th;
    return int_sign(a) != 0 ? YES : NO;
}

static Value
int_slot_invert(Thread *th, Value a)
{
    if (value_is_fixnum(a))
        return value_from_fixnum(~value_fixnum(a));
    return int_subtract(th, value_from_fixnum(-1), a);
}

/* The shift count: false with *done set to the result, or with NULL there and an exception. */
static bool
shift_count(Thread *th, Value a, Value b, bool left, int64_t *n, Value *done)
{
    *done = NULL;
    if (int_sign(b) < 0) {
        raise_value_error(th, "negative shift count");
        return false;
    }
    if (int_fits_i64(b, n))
        return true;
    if (!left)
        *done = value_from_fixnum(int_sign(a) < 0 ? -1 : 0);
    else if (int_sign(a) == 0)
        *done = value_from_fixnum(0);
    else if (int_bit_length(b) > 65)
        raise_overflow(th, "too many digits in integer");
    else
        raise_memory(th);
    return false;
}

static Value
int_slot_lshift(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    int64_t n;
    Value done;
    if (!shift_count(th, a, b, true, &n, &done))
        return done;
    return int_lshift(th, a, n);
}

static Value
int_slot_rshift(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    int64_t n;
    Value done;
    if (!shift_count(th, a, b, false, &n, &done))
        return done;
    return int_rshift(th, a, n);
}

static Value
int_slot_and(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_bitwise(th, a, b, '&');
}

static Value
int_slot_or(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_bitwise(th, a, b, '|');
}

static Value
int_slot_xor(Thread *th, Value a, Value b)
{
    NEED_INTS(a, b);
    return int_bitwise(th, a, b, '^');
}

static Value
int_slot_to_float(Thread *th, Value a)
{
    double d;
    return int_to_double(th, a, &d) ? float_from(th, d) : NULL;
}

/* -- the constructor -- */

static Value
int_construct(Thread *th, Value x)
{
    if (value_is_fixnum(x))
        return x;
    if (is_str(x)) {
        /* A subclass may define __int__ or __index__. */
        if (is_exact(x, SHAPE_STR))
            return int_from_str(th, x, 10);
    } else if (is_exact(x, SHAPE_BYTES))
        return int_from_buffer(th, as_bytes(x)->data, (size_t)as_bytes(x)->length, x, 10);
    return number_to_int(th, x);
}

static Value
int_construct_base(Thread *th, Value x, Value base_value)
{
    int64_t base;
    if (!to_ssize(th, base_value, &base, NULL))
        return NULL;
    if ((base != 0 && base < 2) || base > 36)
        return raise_value_error(th, "int() base must be >= 2 and <= 36, or 0");
    if (is_str(x))
        return int_from_str(th, x, (int)base);
    if (is_bytes(x))
        return int_from_buffer(th, as_bytes(x)->data, (size_t)as_bytes(x)->length, x, (int)base);
    if (is_bytearray(x)) {
        Buffer b;
        if (!buffer_read(th, x, &b, BUFFER_SIMPLE))
            return NULL;
        Value v = int_from_buffer(th, b.data, (size_t)b.length, x, (int)base);
        buffer_release(th, &b);
        return v;
    }
    return raise_type_error(th, "int() can't convert non-string with explicit base");
}

/* An instance of a subclass with the value of the plain int v. */
static Value
int_subclass_instance(Thread *th, Type *type, Value v)
{
    IntView w;
    int_view(&w, v);
    Value made = type_alloc(th, type, (size_t)w.n);
    if (made == NULL)
        return NULL;
    Int *i = as_int(made);
    mpn_copyi(i->limbs, w.p, w.n);
    i->size = w.negative ? -w.n : w.n;
    return made;
}

static Value
int_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "int", .names = {"", "base"}, .positional = 2, .posonly = 1};
    Value v[2] = {NULL, NULL};
    if (LIKELY(nargs == 1 && kwnames == NULL))
        v[0] = arg(args, 0);
    else if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value plain;
    if (v[0] == NULL) {
        if (v[1] != NULL)
            return raise_type_error(th, "int() missing string argument");
        plain = value_from_fixnum(0);
    } else if (v[1] == NULL)
        plain = int_construct(th, v[0]);
    else
        plain = int_construct_base(th, v[0], v[1]);
    if (plain == NULL || LIKELY(type == &int_type))
        return plain;
    Value made = int_subclass_instance(th, type, plain);
    drop(th, plain);
    return made;
}

/* -- methods -- */

static Value
int_bit_length_method(Thread *th, Value self)
{
    return int_from_i64(th, int_bit_length(self));
}

static Value
int_bit_count(Thread *th, Value self)
{
    IntView w;
    int_view(&w, self);
    return int_from_u64(th, w.n ? mpn_popcount(w.p, w.n) : 0);
}

static Value
int_as_integer_ratio(Thread *th, Value self)
{
    Value n = int_plain(th, self);
    if (n == NULL)
        return NULL;
    Value pair = tuple_pack(th, 2, n, value_from_fixnum(1));
    drop(th, n);
    return pair;
}

static Value
int_self(Thread *th, Value self)
{
    return int_plain(th, self);
}

static Value
int_round(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (nargs == 0)
        return int_plain(th, self);
    Value places = to_index(th, arg(args, 0));
    if (places == NULL)
        return NULL;
    int64_t n;
    bool fits = int_fits_i64(places, &n);
    bool negative = int_sign(places) < 0;
    drop(th, places);
    if (!negative)
        return int_plain(th, self);
    if (!fits || -(n + 1) > int_bit_length(self) / 3 + 1)
        return value_from_fixnum(0); /* the place is above all digits */
    Value unit = int_power(th, value_from_fixnum(10), value_from_fixnum(-n), NULL);
    if (unit == NULL)
        return NULL;
    Value count = int_divide_nearest(th, self, unit);
    Value result = count ? int_multiply(th, count, unit) : NULL;
    drop_null(th, count);
    drop(th, unit);
    return result;
}

static Value
int_format(Thread *th, Value self, Value spec)
{
    if (!is_str(spec))
        return raise_type_error(th, "__format__() argument must be str, not %B", spec);
    return format_int(th, self, spec);
}

static Value
int_getnewargs(Thread *th, Value self)
{
    Value n = int_plain(th, self);
    if (n == NULL)
        return NULL;
    Value args = tuple_pack(th, 1, n);
    drop(th, n);
    return args;
}

static Value
int_sizeof(Thread *th, Value self)
{
    IntView w;
    int_view(&w, self);
    return int_from_size(th, sizeof(Int) + (size_t)(w.n ? w.n : 1) * sizeof(Limb));
}

/* "little" or "big"; NULL means big. */
static bool
read_byte_order(Thread *th, const char *function, Value order, bool *little)
{
    *little = false;
    if (order == NULL)
        return true;
    if (!is_str(order)) {
        raise_type_error(th, "%s() argument 'byteorder' must be str, not %B", function, order);
        return false;
    }
    if (str_equal_ascii(order, "little"))
        *little = true;
    else if (!str_equal_ascii(order, "big")) {
        raise_value_error(th, "byteorder must be either 'little' or 'big'");
        return false;
    }
    return true;
}

static Value
int_to_bytes_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "to_bytes", .names = {"length", "byteorder", "signed"}, .positional = 2};
    Value v[3];
    int64_t length = 1;
    bool little, is_signed = false;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[0] != NULL && !arg_ssize(th, v[0], &length))
        return NULL;
    if (v[1] != NULL && !is_str(v[1])) {
        read_byte_order(th, "to_bytes", v[1], &little);
        return NULL;
    }
    if (v[2] != NULL && !arg_bool(th, v[2], &is_signed))
        return NULL;
    if (!read_byte_order(th, "to_bytes", v[1], &little))
        return NULL;
    if (length < 0)
        return raise_value_error(th, "length argument must be non-negative");
    Value bytes = bytes_new(th, (size_t)length);
    if (bytes == NULL)
        return NULL;
    if (!int_to_bytes(th, self, as_bytes(bytes)->data, (size_t)length, little, is_signed)) {
        drop(th, bytes);
        return NULL;
    }
    return bytes;
}

static Value
int_from_bytes_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "from_bytes",
                                     .names = {"bytes", "byteorder", "signed"},
                                     .positional = 2,
                                     .required = 1};
    Value v[3];
    bool little, is_signed = false;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[1] != NULL && !is_str(v[1])) {
        read_byte_order(th, "from_bytes", v[1], &little);
        return NULL;
    }
    if (v[2] != NULL && !arg_bool(th, v[2], &is_signed))
        return NULL;
    if (!read_byte_order(th, "from_bytes", v[1], &little))
        return NULL;
    Value bytes = to_bytes(th, v[0]);
    if (bytes == NULL)
        return NULL;
    Value n = int_from_bytes(th, as_bytes(bytes)->data, (size_t)as_bytes(bytes)->length, little,
                             is_signed);
    drop(th, bytes);
    if (n == NULL || self == value_of_type(&int_type))
        return n;
    Value made = call_1(th, self, n);
    drop(th, n);
    return made;
}

static Value
int_get_self(Thread *th, Value self, void *closure)
{
    (void)closure;
    return int_plain(th, self);
}

static Value
int_get_constant(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)self;
    return value_from_fixnum((int64_t)(intptr_t)closure);
}

static const MethodDef int_methods[] = {
    NATIVE_0("conjugate", int_self,
             "conjugate($self, /)\n--\n\nThe complex conjugate: the int itself."),
    NATIVE_0("bit_length", int_bit_length_method,
             "bit_length($self, /)\n--\n\nHow many bits the absolute value has in binary.\n\n"
             ">>> (37).bit_length()\n6"),
    NATIVE_0("bit_count", int_bit_count,
             "bit_count($self, /)\n--\n\nHow many ones the absolute value has in binary.\n\n"
             ">>> (13).bit_count()\n3"),
    NATIVE_K("to_bytes", int_to_bytes_method,
             "to_bytes($self, /, length=1, byteorder='big', *, signed=False)\n--\n\n"
             "The int as an array of bytes.\n\n"
             "length: how many bytes; OverflowError if the int needs more.\n"
             "byteorder: 'big' puts the most significant byte first, 'little' last.\n"
             "signed: whether two's complement is used."),
    {.name = "from_bytes",
     .fk = int_from_bytes_method,
     .flags = METHOD_K | METHOD_CLASS,
     .nmax = -1,
     .doc = "from_bytes($type, /, bytes, byteorder='big', *, signed=False)\n--\n\n"
            "The int that an array of bytes stands for.\n\n"
            "bytes: a bytes-like object or an iterable of ints from 0 to 255.\n"
            "byteorder: 'big' if the most significant byte is first, 'little' if it is last.\n"
            "signed: whether the bytes are two's complement."},
    NATIVE_0("as_integer_ratio", int_as_integer_ratio,
             "as_integer_ratio($self, /)\n--\n\nThe pair (self, 1).\n\n"
             ">>> (10).as_integer_ratio()\n(10, 1)"),
    NATIVE_0("__trunc__", int_self, "Truncating an Integral returns itself."),
    NATIVE_0("__floor__", int_self, "Flooring an Integral returns itself."),
    NATIVE_0("__ceil__", int_self, "Ceiling of an Integral returns itself."),
    NATIVE_N("__round__", int_round, 0, 1,
             "__round__($self, ndigits=<unrepresentable>, /)\n--\n\n"
             "Rounding an Integral returns itself.\n\n"
             "Rounding with an ndigits argument also returns an integer."),
    NATIVE_0("__getnewargs__", int_getnewargs, "__getnewargs__($self, /)\n--\n\n"),
    NATIVE_1("__format__", int_format, "__format__($self, format_spec, /)\n--\n\n"),
    NATIVE_0("__sizeof__", int_sizeof,
             "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."),
    NATIVE_END,
};

static const GetterDef int_getters[] = {
    {.name = "real", .get = int_get_self, .doc = "the real part of a complex number"},
    {.name = "imag",
     .get = int_get_constant,
     .doc = "the imaginary part of a complex number",
     .closure = (void *)0},
    {.name = "numerator",
     .get = int_get_self,
     .doc = "the numerator of a rational number in lowest terms"},
    {.name = "denominator",
     .get = int_get_constant,
     .doc = "the denominator of a rational number in lowest terms",
     .closure = (void *)1},
    {.name = NULL},
};

Type int_type;
const TypeSpec int_spec = {
    .name = "int",
    .size = sizeof(Int),
    .item_size = sizeof(Limb),
    .flags = TYPE_BASE | TYPE_INT_SUBCLASS | TYPE_MATCH_SELF,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "int([x]) -> integer\nint(x, base=10) -> integer\n\n"
           "Makes an int of a number or a text; 0 without arguments.  A number x gives\n"
           "x.__int__(); floats are truncated towards zero.\n\n"
           "If x is no number, or a base is given, x is a str, bytes or bytearray with an\n"
           "integer literal in that base, which may have a sign, white space around it and\n"
           "underscores between digits.  Bases are 0 and 2 to 36; base 0 takes the base from\n"
           "the literal's prefix.\n>>> int('0b100', base=0)\n4",
    .methods = int_methods,
    .getters = int_getters,
    .slots =
        {
            .repr = int_decimal,
            .hash = int_slot_hash,
            .compare = int_slot_compare,
            .new = int_new,
            .add = int_slot_add,
            .subtract = int_slot_subtract,
            .multiply = int_slot_multiply,
            .remainder = int_slot_remainder,
            .divmod = int_slot_divmod,
            .power = int_slot_power,
            .negative = int_slot_negative,
            .positive = int_slot_positive,
            .absolute = int_slot_absolute,
            .truth = int_slot_truth,
            .invert = int_slot_invert,
            .lshift = int_slot_lshift,
            .rshift = int_slot_rshift,
            .and_ = int_slot_and,
            .xor_ = int_slot_xor,
            .or_ = int_slot_or,
            .to_int = int_self,
            .to_float = int_slot_to_float,
            .index = int_self,
            .floor_divide = int_slot_floor_divide,
            .true_divide = int_slot_true_divide,
        },
};

/* -- bool -- */

Bool true_object = {STATIC_OBJECT(SHAPE_BOOL)};
Bool false_object = {STATIC_OBJECT(SHAPE_BOOL)};

static Value
bool_repr(Thread *th, Value self)
{
    return str_intern_c(th, self == TRUE ? "True" : "False");
}

static Value
bool_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "bool", kwnames) || !args_count(th, "bool", nargs, 0, 1))
        return NULL;
    if (nargs == 0)
        return FALSE;
    Answer truth = is_true(th, arg(args, 0));
    return truth == FAILED ? NULL : bool_from(truth == YES);
}

static Value
bool_and(Thread *th, Value a, Value b)
{
    if (is_bool(a) && is_bool(b))
        return bool_from(a == TRUE && b == TRUE);
    return int_slot_and(th, a, b);
}

static Value
bool_or(Thread *th, Value a, Value b)
{
    if (is_bool(a) && is_bool(b))
        return bool_from(a == TRUE || b == TRUE);
    return int_slot_or(th, a, b);
}

static Value
bool_xor(Thread *th, Value a, Value b)
{
    if (is_bool(a) && is_bool(b))
        return bool_from(a != b);
    return int_slot_xor(th, a, b);
}

Type bool_type;
const TypeSpec bool_spec = {
    .name = "bool",
    .base = &int_type,
    .flags = TYPE_INT_SUBCLASS | TYPE_MATCH_SELF,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "bool(x) -> bool\n\nTrue if x is true, else False.  True and False are the only\n"
           "instances of the class bool, a subclass of int that cannot be subclassed.",
    .slots =
        {
            .repr = bool_repr,
            .new = bool_new,
            .and_ = bool_and,
            .xor_ = bool_xor,
            .or_ = bool_or,
        },
};
