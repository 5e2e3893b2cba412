/* compare.c -- a < b and its kin for any two values.
 *
 * The right operand is asked first, with the operator mirrored, when its type is a
 * proper subtype of the left one's.  Without an answer == and != compare identity, the
 * others raise TypeError.  No state, no locks.
 */
#include "objects/protocol/protocol.h"

#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/slot.h"

static const uint8_t mirrored[] = {
    [OP_LT] = OP_GT, [OP_LE] = OP_GE, [OP_EQ] = OP_EQ,
    [OP_NE] = OP_NE, [OP_GT] = OP_LT, [OP_GE] = OP_LE,
};

static const char *const symbols[] = {
    [OP_LT] = "<", [OP_LE] = "<=", [OP_EQ] = "==", [OP_NE] = "!=", [OP_GT] = ">", [OP_GE] = ">=",
};

/* The answer for two immediate ints: their words compare as the ints do. */
static inline bool
fixnum_compare(Value a, Value b, int op)
{
    int64_t x = (int64_t)value_bits(a);
    int64_t y = (int64_t)value_bits(b);
    switch (op) {
    case OP_LT: return x < y;
    case OP_LE: return x <= y;
    case OP_EQ: return x == y;
    case OP_NE: return x != y;
    case OP_GT: return x > y;
    default: return x >= y;
    }
}

static inline bool
flonum_compare(Value a, Value b, int op)
{
    double x = float_decode(a);
    double y = float_decode(b);
    switch (op) {
    case OP_LT: return x < y;
    case OP_LE: return x <= y;
    case OP_EQ: return x == y;
    case OP_NE: return x != y;
    case OP_GT: return x > y;
    default: return x >= y;
    }
}

/* NOT_IMPLEMENTED if neither type knows. */
static Value
compare_ask(Thread *th, Value a, Value b, int op)
{
    Type *ta = type_of(a);
    Type *tb = type_of(b);
    bool tried = false;
    CompareFn fn;
    if (ta != tb && type_is_subtype(tb, ta) && (fn = SLOT(tb, compare)) != NULL) {
        tried = true;
        Value r = fn(th, b, a, mirrored[op]);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    if ((fn = SLOT(ta, compare)) != NULL) {
        Value r = fn(th, a, b, op);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    if (!tried && (fn = SLOT(tb, compare)) != NULL)
        return fn(th, b, a, mirrored[op]);
    return NOT_IMPLEMENTED;
}

static Value
compare_slots(Thread *th, Value a, Value b, int op)
{
    if (!recursion_enter(th, " in comparison"))
        return NULL;
    Value r = compare_ask(th, a, b, op);
    recursion_leave(th);
    if (r != NOT_IMPLEMENTED)
        return r;
    if (op == OP_EQ)
        return bool_from(a == b);
    if (op == OP_NE)
        return bool_from(a != b);
    return raise_type_error(th, "'%s' not supported between instances of '%T' and '%T'",
                            symbols[op], a, b);
}

Value
compare(Thread *th, Value a, Value b, int op)
{
    if (value_is_fixnum(a) && value_is_fixnum(b))
        return bool_from(fixnum_compare(a, b, op));
    if (value_is_flonum(a) && value_is_flonum(b))
        return bool_from(flonum_compare(a, b, op));
    return compare_slots(th, a, b, op);
}

Answer
compare_answer(Thread *th, Value a, Value b, int op)
{
    if (a == b) {
        if (op == OP_EQ)
            return YES;
        if (op == OP_NE)
            return NO;
    }
    if (value_is_fixnum(a) && value_is_fixnum(b))
        return fixnum_compare(a, b, op) ? YES : NO;
    Value r = compare(th, a, b, op);
    if (r == NULL)
        return FAILED;
    if (r == TRUE)
        return YES;
    if (r == FALSE)
        return NO;
    Answer answer = is_true(th, r);
    drop(th, r);
    return answer;
}

Answer
values_equal(Thread *th, Value a, Value b)
{
    return compare_answer(th, a, b, OP_EQ);
}
