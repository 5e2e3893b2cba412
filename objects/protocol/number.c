/* number.c -- arithmetic on any two values: which type's slot is asked, and in which order.
 *
 * The right operand is asked first when its type is a proper subtype of the left one's
 * and has a slot of its own; a slot answers NOT_IMPLEMENTED when it does not know the
 * operands.  Two immediate ints or floats are computed here without asking anybody.
 * Sequences join in at + and * when no number does.  No state, no locks.
 */
#include "objects/protocol/protocol.h"

#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/protocol/slot.h"

#include <stddef.h>
#include <string.h>

static inline bool
both_fixnum(Value a, Value b)
{
    return (value_bits(a) & value_bits(b) & VALUE_INT_BIT) != 0;
}

static inline bool
both_flonum(Value a, Value b)
{
    return value_is_flonum(a) && value_is_flonum(b);
}

/* -- dispatch -- */

/* Asks the binary slot at `offset` of both operands.  NOT_IMPLEMENTED if neither knows. */
static Value
binary_ask(Thread *th, Value a, Value b, size_t offset)
{
    Type *ta = type_of(a);
    Type *tb = type_of(b);
    BinaryFn left = slot_binary(ta, offset);
    BinaryFn right = NULL;
    if (ta != tb) {
        right = slot_binary(tb, offset);
        if (right == left)
            right = NULL;
    }
    if (left != NULL) {
        if (right != NULL && type_is_subtype(tb, ta)) {
            Value r = right(th, a, b);
            if (r != NOT_IMPLEMENTED)
                return r;
            right = NULL;
        }
        Value r = left(th, a, b);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    if (right != NULL)
        return right(th, a, b);
    return NOT_IMPLEMENTED;
}

static COLD Value
binary_error(Thread *th, Value a, Value b, const char *symbol)
{
    if (strcmp(symbol, ">>") == 0 && is_exact(a, SHAPE_NATIVE_FUNCTION)) {
        const NativeFunction *f = (const NativeFunction *)(void *)value_object(a);
        if (strcmp(f->def->name, "print") == 0)
            return raise_type_error(th,
                                    "unsupported operand type(s) for %s: '%T' and '%T'. Did you "
                                    "mean \"print(<message>, file=<output_stream>)\"?",
                                    symbol, a, b);
    }
    return raise_type_error(th, "unsupported operand type(s) for %s: '%T' and '%T'", symbol, a, b);
}

static Value
binary(Thread *th, Value a, Value b, size_t offset, const char *symbol)
{
    Value r = binary_ask(th, a, b, offset);
    if (UNLIKELY(r == NOT_IMPLEMENTED))
        return binary_error(th, a, b, symbol);
    return r;
}

#define BINARY(a, b, slot, symbol) binary(th, (a), (b), offsetof(TypeSlots, slot), (symbol))

/* Asks the ternary slot at `offset` of all three operands. */
static Value
ternary_ask(Thread *th, Value a, Value b, Value c, size_t offset)
{
    Type *ta = type_of(a);
    Type *tb = type_of(b);
    Type *tc = type_of(c);
    TernaryFn left = slot_ternary(ta, offset);
    TernaryFn right = ta != tb ? slot_ternary(tb, offset) : NULL;
    if (right == left)
        right = NULL;
    TernaryFn third = slot_ternary(tc, offset);
    if (third == left || third == right)
        third = NULL;
    if (left != NULL) {
        if (right != NULL && type_is_subtype(tb, ta)) {
            Value r = right(th, a, b, c);
            if (r != NOT_IMPLEMENTED)
                return r;
            right = NULL;
        }
        Value r = left(th, a, b, c);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    if (right != NULL) {
        Value r = right(th, a, b, c);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    if (third != NULL)
        return third(th, a, b, c);
    return NOT_IMPLEMENTED;
}

/* -- sequences in arithmetic -- */

/* seq * n by `repeat`; n must be an index. */
static Value
repeat_by(Thread *th, IndexFn repeat, Value seq, Value n)
{
    if (!value_is_fixnum(n) && SLOT(type_of(n), index) == NULL)
        return raise_type_error(th, "can't multiply sequence by non-int of type '%T'", n);
    int64_t count;
    if (!to_ssize(th, n, &count, &exc_OverflowError))
        return NULL;
    return repeat(th, seq, count);
}

/* The rest of a + b, when no number slot knows the operands. */
static Value
add_sequences(Thread *th, Value a, Value b, const char *symbol)
{
    BinaryFn concat = SLOT(type_of(a), concat);
    if (concat != NULL) {
        Value r = concat(th, a, b);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    return binary_error(th, a, b, symbol);
}

static Value
multiply_sequences(Thread *th, Value a, Value b, const char *symbol)
{
    IndexFn repeat = SLOT(type_of(a), repeat);
    if (repeat != NULL)
        return repeat_by(th, repeat, a, b);
    repeat = SLOT(type_of(b), repeat);
    if (repeat != NULL)
        return repeat_by(th, repeat, b, a);
    return binary_error(th, a, b, symbol);
}

/* -- the operators -- */

Value
number_add(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b))) {
        int64_t sum;
        if (LIKELY(!__builtin_add_overflow((int64_t)value_bits(a) - 1, (int64_t)value_bits(b),
                                           &sum)))
            return value_from_bits((uintptr_t)sum);
        return int_add(th, a, b);
    }
    if (both_flonum(a, b))
        return float_from(th, float_decode(a) + float_decode(b));
    Value r = binary_ask(th, a, b, offsetof(TypeSlots, add));
    if (r == NOT_IMPLEMENTED)
        return add_sequences(th, a, b, "+");
    return r;
}

Value
number_subtract(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b))) {
        int64_t difference;
        if (LIKELY(!__builtin_sub_overflow((int64_t)value_bits(a), (int64_t)value_bits(b) - 1,
                                           &difference)))
            return value_from_bits((uintptr_t)difference);
        return int_subtract(th, a, b);
    }
    if (both_flonum(a, b))
        return float_from(th, float_decode(a) - float_decode(b));
    return BINARY(a, b, subtract, "-");
}

Value
number_multiply(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b))) {
        int64_t product;
        if (LIKELY(!__builtin_mul_overflow(value_fixnum(a), (int64_t)value_bits(b) - 1, &product)))
            return value_from_bits((uintptr_t)product | VALUE_INT_BIT);
        return int_multiply(th, a, b);
    }
    if (both_flonum(a, b))
        return float_from(th, float_decode(a) * float_decode(b));
    Value r = binary_ask(th, a, b, offsetof(TypeSlots, multiply));
    if (r == NOT_IMPLEMENTED)
        return multiply_sequences(th, a, b, "*");
    return r;
}

/* Whether an int is a double without loss. */
static inline bool
exact_double(int64_t n)
{
    return n >= -((int64_t)1 << 53) && n <= ((int64_t)1 << 53);
}

Value
number_true_divide(Thread *th, Value a, Value b)
{
    if (both_fixnum(a, b)) {
        int64_t x = value_fixnum(a);
        int64_t y = value_fixnum(b);
        if (LIKELY(y != 0 && exact_double(x) && exact_double(y)))
            return float_from(th, (double)x / (double)y);
        return int_true_divide(th, a, b);
    }
    if (both_flonum(a, b)) /* an immediate float is never zero */
        return float_from(th, float_decode(a) / float_decode(b));
    return BINARY(a, b, true_divide, "/");
}

/* Rounds towards minus infinity; y is not 0. */
static inline int64_t
floor_quotient(int64_t x, int64_t y)
{
    int64_t q = x / y;
    return q - (((x % y) != 0) & ((x < 0) != (y < 0)));
}

static inline int64_t
floor_remainder(int64_t x, int64_t y)
{
    int64_t r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

Value
number_floor_divide(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b))) {
        int64_t y = value_fixnum(b);
        if (LIKELY(y != 0)) /* 63 bits: the quotient cannot overflow 64 */
            return int_from_i64(th, floor_quotient(value_fixnum(a), y));
        return int_floor_divide(th, a, b);
    }
    return BINARY(a, b, floor_divide, "//");
}

Value
number_remainder(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b))) {
        int64_t y = value_fixnum(b);
        if (LIKELY(y != 0))
            return value_from_fixnum(floor_remainder(value_fixnum(a), y));
        return int_remainder(th, a, b);
    }
    return BINARY(a, b, remainder, "%");
}

Value
number_divmod(Thread *th, Value a, Value b)
{
    return BINARY(a, b, divmod, "divmod()");
}

Value
number_matrix_multiply(Thread *th, Value a, Value b)
{
    return BINARY(a, b, matrix_multiply, "@");
}

Value
number_lshift(Thread *th, Value a, Value b)
{
    if (both_fixnum(a, b)) {
        int64_t n = value_fixnum(b);
        int64_t x = value_fixnum(a);
        if (LIKELY(n >= 0 && n < 62)) {
            int64_t limit = (int64_t)1 << (62 - n);
            if (LIKELY(x >= -limit && x < limit))
                return value_from_fixnum((int64_t)((uint64_t)x << n));
        }
    }
    return BINARY(a, b, lshift, "<<");
}

Value
number_rshift(Thread *th, Value a, Value b)
{
    if (both_fixnum(a, b)) {
        int64_t n = value_fixnum(b);
        if (LIKELY(n >= 0))
            return value_from_fixnum(value_fixnum(a) >> (n > 63 ? 63 : n));
    }
    return BINARY(a, b, rshift, ">>");
}

Value
number_and(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b)))
        return value_from_bits(value_bits(a) & value_bits(b));
    return BINARY(a, b, and_, "&");
}

Value
number_or(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b)))
        return value_from_bits(value_bits(a) | value_bits(b));
    return BINARY(a, b, or_, "|");
}

Value
number_xor(Thread *th, Value a, Value b)
{
    if (LIKELY(both_fixnum(a, b)))
        return value_from_bits((value_bits(a) ^ value_bits(b)) | VALUE_INT_BIT);
    return BINARY(a, b, xor_, "^");
}

static Value
power_by(Thread *th, Value a, Value b, Value modulus, const char *symbol)
{
    Value r = ternary_ask(th, a, b, modulus, offsetof(TypeSlots, power));
    if (r != NOT_IMPLEMENTED)
        return r;
    if (modulus == NONE)
        return raise_type_error(th, "unsupported operand type(s) for %s: '%T' and '%T'", symbol, a,
                                b);
    return raise_type_error(th, "unsupported operand type(s) for %s: '%T', '%T', '%T'", symbol, a,
                            b, modulus);
}

Value
number_power(Thread *th, Value a, Value b, Value modulus)
{
    return power_by(th, a, b, modulus, "** or pow()");
}

/* -- by number -- */

typedef struct BinaryRow {
    Value (*fn)(Thread *th, Value a, Value b); /* NULL: power */
    size_t offset, inplace;                    /* of the slots in TypeSlots */
    const char *inplace_symbol;
} BinaryRow;

#define ROW(op, fn, slot, islot, isymbol)                                      \
    [op] = {fn, offsetof(TypeSlots, slot), offsetof(TypeSlots, islot), isymbol}

static const BinaryRow rows[BIN_COUNT] = {
    ROW(BIN_ADD, number_add, add, iadd, "+="),
    ROW(BIN_SUBTRACT, number_subtract, subtract, isubtract, "-="),
    ROW(BIN_MULTIPLY, number_multiply, multiply, imultiply, "*="),
    ROW(BIN_TRUE_DIVIDE, number_true_divide, true_divide, itrue_divide, "/="),
    ROW(BIN_FLOOR_DIVIDE, number_floor_divide, floor_divide, ifloor_divide, "//="),
    ROW(BIN_REMAINDER, number_remainder, remainder, iremainder, "%="),
    ROW(BIN_POWER, NULL, power, ipower, "**="),
    ROW(BIN_MATRIX_MULTIPLY, number_matrix_multiply, matrix_multiply, imatrix_multiply, "@="),
    ROW(BIN_LSHIFT, number_lshift, lshift, ilshift, "<<="),
    ROW(BIN_RSHIFT, number_rshift, rshift, irshift, ">>="),
    ROW(BIN_AND, number_and, and_, iand, "&="),
    ROW(BIN_OR, number_or, or_, ior, "|="),
    ROW(BIN_XOR, number_xor, xor_, ixor, "^="),
};

Value
number_binary(Thread *th, Value a, Value b, int op)
{
    const BinaryRow *row = &rows[op];
    if (row->fn == NULL)
        return number_power(th, a, b, NONE);
    return row->fn(th, a, b);
}

static Value
inplace_power(Thread *th, Value a, Value b)
{
    TernaryFn fn = SLOT(type_of(a), ipower);
    if (fn != NULL) {
        Value r = fn(th, a, b, NONE);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    return power_by(th, a, b, NONE, "**=");
}

/* What += and *= do for sequences when no number slot knows the operands. */
static Value
inplace_sequences(Thread *th, Value a, Value b, int op)
{
    Type *t = type_of(a);
    if (op == BIN_ADD) {
        BinaryFn concat = SLOT(t, iconcat);
        if (concat != NULL) {
            Value r = concat(th, a, b);
            if (r != NOT_IMPLEMENTED)
                return r;
        }
        return add_sequences(th, a, b, "+=");
    }
    IndexFn repeat = SLOT(t, irepeat);
    if (repeat != NULL)
        return repeat_by(th, repeat, a, b);
    return multiply_sequences(th, a, b, "*=");
}

Value
number_inplace(Thread *th, Value a, Value b, int op)
{
    if (!value_is_object(a) && !value_is_object(b)) /* immediates have no in-place slots */
        return op == BIN_POWER ? power_by(th, a, b, NONE, "**=") :
               op != BIN_MATRIX_MULTIPLY && (both_fixnum(a, b) || both_flonum(a, b)) ? rows[op].fn(th, a, b) :
               binary(th, a, b, rows[op].offset, rows[op].inplace_symbol);
    if (op == BIN_POWER)
        return inplace_power(th, a, b);
    const BinaryRow *row = &rows[op];
    BinaryFn fn = slot_binary(type_of(a), row->inplace);
    if (fn != NULL) {
        Value r = fn(th, a, b);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    Value r = binary_ask(th, a, b, row->offset);
    if (r != NOT_IMPLEMENTED)
        return r;
    if (op == BIN_ADD || op == BIN_MULTIPLY)
        return inplace_sequences(th, a, b, op);
    return binary_error(th, a, b, row->inplace_symbol);
}

/* -- one operand -- */

Value
number_negative(Thread *th, Value v)
{
    if (value_is_fixnum(v))
        return int_from_i64(th, -value_fixnum(v));
    UnaryFn fn = SLOT(type_of(v), negative);
    if (fn != NULL)
        return fn(th, v);
    return raise_type_error(th, "bad operand type for unary -: '%T'", v);
}

Value
number_positive(Thread *th, Value v)
{
    UnaryFn fn = SLOT(type_of(v), positive);
    if (fn != NULL)
        return fn(th, v);
    return raise_type_error(th, "bad operand type for unary +: '%T'", v);
}

Value
number_absolute(Thread *th, Value v)
{
    if (value_is_fixnum(v)) {
        int64_t n = value_fixnum(v);
        return int_from_i64(th, n < 0 ? -n : n);
    }
    UnaryFn fn = SLOT(type_of(v), absolute);
    if (fn != NULL)
        return fn(th, v);
    return raise_type_error(th, "bad operand type for abs(): '%T'", v);
}

Value
number_invert(Thread *th, Value v)
{
    if (value_is_fixnum(v))
        return value_from_fixnum(~value_fixnum(v));
    UnaryFn fn = SLOT(type_of(v), invert);
    if (fn != NULL)
        return fn(th, v);
    return raise_type_error(th, "bad operand type for unary ~: '%T'", v);
}
