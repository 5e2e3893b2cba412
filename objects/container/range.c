/* range.c -- range and its iterators.
 *
 * A range is immutable; its start, stop, step and length are ints of any size.  If all its values
 * are machine ints (below 2^62) its iterator is a RangeIter, whose step is one addition; else a
 * LongRangeIter.  Iterators shared by threads take their index by compare-and-swap.
 */
#include "objects/container/container_priv.h"
#include "gc/holds.h"

#define ONE value_from_fixnum(1)
#define ZERO value_from_fixnum(0)

static inline Range *
as_range(Value v)
{
    return (Range *)(void *)value_object(v);
}

static inline bool
is_range(Value v)
{
    return is_exact(v, SHAPE_RANGE);
}

/* -- lengths -- */

/* The number of items of a range of machine ints; step is not 0. */
static int64_t
small_length(int64_t start, int64_t stop, int64_t step)
{
    if (step > 0)
        return start < stop ? (stop - start - 1) / step + 1 : 0;
    return start > stop ? (start - stop - 1) / -step + 1 : 0;
}

/* The same for any ints: a new int. */
static Value
range_count(Thread *th, Value start, Value stop, Value step)
{
    if (LIKELY(value_is_fixnum(start) && value_is_fixnum(stop) && value_is_fixnum(step)))
        return int_from_i64(
            th, small_length(value_fixnum(start), value_fixnum(stop), value_fixnum(step)));
    bool up = int_sign(step) > 0;
    Value lo = up ? start : stop, hi = up ? stop : start;
    if (int_compare(lo, hi) >= 0)
        return ZERO;
    Value width = int_subtract(th, hi, lo), stride = up ? retain(th, step) : NULL, n = NULL;
    if (!up)
        stride = int_negative(th, step);
    if (width != NULL && stride != NULL) {
        Value less = int_subtract(th, width, ONE);
        Value whole = less ? int_floor_divide(th, less, stride) : NULL;
        n = whole ? int_add(th, whole, ONE) : NULL;
        drop_null(th, less);
        drop_null(th, whole);
    }
    drop_null(th, width);
    drop_null(th, stride);
    return n;
}

/* A range with the length given; takes all four over. */
static Value
range_build(Thread *th, Value STEALS start, Value STEALS stop, Value STEALS step,
            Value STEALS length)
{
    Object *o = NULL;
    if (start != NULL && stop != NULL && step != NULL && length != NULL)
        o = object_new_kind(th, SHAPE_RANGE, sizeof(Range), false);
    if (o == NULL) {
        drop_null(th, start);
        drop_null(th, stop);
        drop_null(th, step);
        drop_null(th, length);
        return NULL;
    }
    Range *r = (Range *)(void *)o;
    r->start = start;
    r->stop = stop;
    r->step = step;
    r->length = length;
    return value_of(o);
}

Value
range_new(Thread *th, Value start, Value stop, Value step)
{
    if (int_sign(step) == 0)
        return raise_value_error(th, "range() arg 3 must not be zero");
    Value length = range_count(th, start, stop, step);
    if (length == NULL)
        return NULL;
    return range_build(th, retain(th, start), retain(th, stop), retain(th, step), length);
}

/* start + i * step: a new int. */
static Value
range_value(Thread *th, Value start, Value step, Value i)
{
    int64_t offset, sum;
    if (LIKELY(value_is_fixnum(start) && value_is_fixnum(step) && value_is_fixnum(i)) &&
        !__builtin_mul_overflow(value_fixnum(i), value_fixnum(step), &offset) &&
        !__builtin_add_overflow(value_fixnum(start), offset, &sum))
        return int_from_i64(th, sum);
    Value distance = int_multiply(th, i, step);
    if (distance == NULL)
        return NULL;
    Value v = int_add(th, start, distance);
    drop(th, distance);
    return v;
}

/* -- construction -- */

static Value
range_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "range", kwnames) || !args_count(th, "range", nargs, 1, 3))
        return NULL;
    Value start = NULL, stop = NULL, step = NULL, result = NULL;
    start = nargs > 1 ? to_index(th, arg(args, 0)) : ZERO;
    if (start != NULL)
        stop = to_index(th, arg(args, nargs > 1 ? 1 : 0));
    if (stop != NULL)
        step = nargs > 2 ? to_index(th, arg(args, 2)) : ONE;
    if (step != NULL) {
        /* Bools and instances of subclasses become plain ints. */
        Value plain[3] = {int_plain(th, start), int_plain(th, stop), int_plain(th, step)};
        if (plain[0] && plain[1] && plain[2])
            result = range_new(th, plain[0], plain[1], plain[2]);
        for (int i = 0; i < 3; i++)
            drop_null(th, plain[i]);
    }
    drop_null(th, start);
    drop_null(th, stop);
    drop_null(th, step);
    return result;
}

/* -- items -- */

static int64_t
range_length(Thread *th, Value self)
{
    int64_t n;
    if (!int_fits_i64(as_range(self)->length, &n)) {
        raise_overflow(th, "Python int too large to convert to C ssize_t");
        return -1;
    }
    return n;
}

static Answer
range_truth(Thread *th, Value self)
{
    (void)th;
    return int_sign(as_range(self)->length) != 0 ? YES : NO;
}

/* Item `i` (an int), counted from the end if negative. */
static Value
range_item(Thread *th, Range *r, Value i)
{
    Value at = int_sign(i) < 0 ? int_add(th, i, r->length) : retain(th, i);
    if (at == NULL)
        return NULL;
    Value v;
    if (int_sign(at) < 0 || int_compare(at, r->length) >= 0)
        v = raise_error(th, &exc_IndexError, "range object index out of range");
    else
        v = range_value(th, r->start, r->step, at);
    drop(th, at);
    return v;
}

static Value
range_item_slot(Thread *th, Value self, int64_t i)
{
    Value index = int_from_i64(th, i);
    if (index == NULL)
        return NULL;
    if (i < 0) { /* already counted from the end by the caller */
        drop(th, index);
        return raise_error(th, &exc_IndexError, "range object index out of range");
    }
    Value v = range_item(th, as_range(self), index);
    drop(th, index);
    return v;
}

static Value
range_slice(Thread *th, Range *r, Value slice)
{
    /* slice.indices(length) clips the bounds, whatever the sizes. */
    Value bounds = slice_bounds(th, slice, r->length);
    if (bounds == NULL)
        return NULL;
    Value step = int_multiply(th, r->step, tuple_item(bounds, 2));
    Value start = range_value(th, r->start, r->step, tuple_item(bounds, 0));
    Value stop = range_value(th, r->start, r->step, tuple_item(bounds, 1));
    drop(th, bounds);
    Value result = start && stop && step ? range_new(th, start, stop, step) : NULL;
    drop_null(th, start);
    drop_null(th, stop);
    drop_null(th, step);
    return result;
}

static Value
range_getitem(Thread *th, Value self, Value key)
{
    if (is_index(key)) {
        Value i = to_index(th, key);
        if (i == NULL)
            return NULL;
        Value v = range_item(th, as_range(self), i);
        drop(th, i);
        return v;
    }
    if (is_slice(key))
        return range_slice(th, as_range(self), key);
    return raise_type_error(th, "range indices must be integers or slices, not %T", key);
}

/* -- searching -- */

/* Whether the exact int (or bool) `v` is in the range; *index its position then (new). */
static Answer
range_find_int(Thread *th, Range *r, Value v, Value *index)
{
    bool up = int_sign(r->step) > 0;
    if (index != NULL)
        *index = NULL;
    if (int_sign(r->length) == 0 || int_compare(v, r->start) * (up ? 1 : -1) < 0 ||
        int_compare(v, r->stop) * (up ? 1 : -1) >= 0)
        return NO;
    Value distance = int_subtract(th, v, r->start), q, rest;
    if (distance == NULL)
        return FAILED;
    bool ok = int_divmod(th, distance, r->step, &q, &rest);
    drop(th, distance);
    if (!ok)
        return FAILED;
    Answer inside = int_sign(rest) == 0 ? YES : NO;
    drop(th, rest);
    if (inside == YES && index != NULL)
        *index = q;
    else
        drop(th, q);
    return inside;
}

static bool
is_plain_int(Value v)
{
    return is_exact(v, SHAPE_INT) || is_exact(v, SHAPE_BOOL);
}

/* Compares with each item in turn: the position of the first equal one, or -1; counts all of them
 * if `count` is given.  False with an exception. */
RAISES static bool
range_search(Thread *th, Value self, Value item, int64_t *first, int64_t *count)
{
    Value it = get_iter(th, self);
    if (it == NULL)
        return false;
    *first = -1;
    for (int64_t i = 0;; i++) {
        Value v = iter_next(th, it);
        if (v == NULL)
            break;
        Answer equal = items_equal(th, v, item);
        drop(th, v);
        if (equal == FAILED || !loop_poll(th, (size_t)i))
            break;
        if (equal == YES) {
            if (*first < 0)
                *first = i;
            if (count == NULL)
                break;
            ++*count;
        }
    }
    drop(th, it);
    return !error_set(th);
}

static Answer
range_contains(Thread *th, Value self, Value item)
{
    if (is_plain_int(item))
        return range_find_int(th, as_range(self), item, NULL);
    int64_t first;
    if (!range_search(th, self, item, &first, NULL))
        return FAILED;
    return first >= 0 ? YES : NO;
}

static Value
range_index(Thread *th, Value self, Value item)
{
    if (is_plain_int(item)) {
        Value index;
        Answer inside = range_find_int(th, as_range(self), item, &index);
        return inside == NO ? raise_value_error(th, "%R is not in range", item) : index;
    }
    int64_t first;
    if (!range_search(th, self, item, &first, NULL))
        return NULL;
    if (first < 0)
        return raise_value_error(th, "sequence.index(x): x not in sequence");
    return int_from_i64(th, first);
}

static Value
range_count_method(Thread *th, Value self, Value item)
{
    if (is_plain_int(item)) {
        Answer inside = range_find_int(th, as_range(self), item, NULL);
        return inside == FAILED ? NULL : value_from_fixnum(inside == YES);
    }
    int64_t first, count = 0;
    if (!range_search(th, self, item, &first, &count))
        return NULL;
    return int_from_i64(th, count);
}

/* -- comparison, hash, text -- */

static Value
range_compare(Thread *th, Value a, Value b, int op)
{
    (void)th;
    if ((op != OP_EQ && op != OP_NE) || !is_range(a) || !is_range(b))
        return NOT_IMPLEMENTED;
    Range *x = as_range(a), *y = as_range(b);
    bool equal = x == y;
    if (!equal && int_compare(x->length, y->length) == 0) {
        if (int_sign(x->length) == 0)
            equal = true;
        else if (int_compare(x->start, y->start) == 0)
            equal = int_compare(x->length, ONE) == 0 || int_compare(x->step, y->step) == 0;
    }
    return bool_from(equal == (op == OP_EQ));
}

static bool
range_hash(Thread *th, Value self, int64_t *hash)
{
    Range *r = as_range(self);
    bool empty = int_sign(r->length) == 0, one = int_compare(r->length, ONE) == 0;
    Value key = tuple_pack(th, 3, r->length, empty ? NONE : r->start,
                           empty || one ? NONE : r->step);
    if (key == NULL)
        return false;
    bool ok = to_hash(th, key, hash);
    drop(th, key);
    return ok;
}

static Value
range_repr(Thread *th, Value self)
{
    Range *r = as_range(self);
    if (int_compare(r->step, ONE) == 0)
        return str_format_c(th, "range(%R, %R)", r->start, r->stop);
    return str_format_c(th, "range(%R, %R, %R)", r->start, r->stop, r->step);
}

static Value
range_reduce(Thread *th, Value self)
{
    Value args = tuple_of(th, &as_range(self)->start, 3);
    if (args == NULL)
        return NULL;
    Value result = tuple_pack(th, 2, value_of_type(&range_type), args);
    drop(th, args);
    return result;
}

/* -- iterators -- */

typedef struct LongRangeIter {
    struct Object head;
    Value start, step, length; /* [const] */
    Field index;               /* an int, of the next item */
} LongRangeIter;

static Value
range_iter_make(Thread *th, int64_t start, int64_t step, int64_t count)
{
    Object *o = object_new_kind(th, SHAPE_RANGE_ITER, sizeof(RangeIter), false);
    if (o == NULL)
        return NULL;
    RangeIter *it = (RangeIter *)(void *)o;
    it->start = start;
    it->step = step;
    it->count = count;
    return value_of(o);
}

static Value
long_range_iter_make(Thread *th, Value start, Value step, Value length)
{
    Object *o = object_new_kind(th, SHAPE_LONG_RANGE_ITER, sizeof(LongRangeIter), false);
    if (o == NULL)
        return NULL;
    LongRangeIter *it = (LongRangeIter *)(void *)o;
    it->start = retain(th, start);
    it->step = retain(th, step);
    it->length = retain(th, length);
    field_init(&it->index, ZERO);
    return value_of(o);
}

/* The iterator over length items from start on. */
static Value
iter_over(Thread *th, Value start, Value step, Value length)
{
    int64_t last, offset;
    if (LIKELY(value_is_fixnum(start) && value_is_fixnum(step) && value_is_fixnum(length)) &&
        !__builtin_mul_overflow(value_fixnum(length), value_fixnum(step), &offset) &&
        !__builtin_add_overflow(value_fixnum(start), offset, &last) && fixnum_fits(last))
        return range_iter_make(th, value_fixnum(start), value_fixnum(step), value_fixnum(length));
    return long_range_iter_make(th, start, step, length);
}

static Value
range_iter(Thread *th, Value self)
{
    Range *r = as_range(self);
    return iter_over(th, r->start, r->step, r->length);
}

static Value
range_reversed(Thread *th, Value self)
{
    Range *r = as_range(self);
    Value step = int_negative(th, r->step), last = int_subtract(th, r->length, ONE), it = NULL;
    if (step != NULL && last != NULL) {
        Value start = range_value(th, r->start, r->step, last);
        if (start != NULL) {
            it = iter_over(th, start, step, r->length);
            drop(th, start);
        }
    }
    drop_null(th, step);
    drop_null(th, last);
    return it;
}

static inline RangeIter *
as_range_iter(Value v)
{
    return (RangeIter *)(void *)value_object(v);
}

static Value
range_iter_next(Thread *th, Value self)
{
    RangeIter *it = as_range_iter(self);
    int64_t i; /* alone decides */
    if (LIKELY(iter_step_begin(th, &it->head))) {
        i = load_relaxed(&it->next);
        if (LIKELY(i < it->count))
            store_relaxed(&it->next, i + 1);
        object_section_end(th);
        if (UNLIKELY(i >= it->count))
            return NULL;
    } else {
        object_touch(th, &it->head);
        i = load_relaxed(&it->next);
        do {
            if (i >= it->count)
                return NULL;
        } while (!cas_relaxed(&it->next, &i, i + 1));
    }
    return value_from_fixnum(it->start + i * it->step);
}

static Value
range_iter_length_hint(Thread *th, Value self)
{
    RangeIter *it = as_range_iter(self);
    return int_from_i64(th, it->count - load_relaxed(&it->next));
}

/* (iter, (range(start, start + length * step, step),), index) */
static Value
iter_reduce(Thread *th, Value start, Value step, Value length, Value STEALS index)
{
    Value stop = range_value(th, start, step, length);
    Value range = stop && index ? range_new(th, start, stop, step) : NULL;
    Value args = range ? tuple_pack(th, 1, range) : NULL;
    drop_null(th, stop);
    drop_null(th, range);
    return reduce_builtin_state(th, "iter", args, index);
}

static Value
range_iter_reduce(Thread *th, Value self)
{
    RangeIter *it = as_range_iter(self);
    return iter_reduce(th, value_from_fixnum(it->start), value_from_fixnum(it->step),
                       value_from_fixnum(it->count), int_from_i64(th, load_relaxed(&it->next)));
}

static Value
range_iter_setstate(Thread *th, Value self, Value state)
{
    RangeIter *it = as_range_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i))
        return NULL;
    store_relaxed(&it->next, i < 0 ? 0 : i > it->count ? it->count : i);
    return NONE;
}

static inline LongRangeIter *
as_long_iter(Value v)
{
    return (LongRangeIter *)(void *)value_object(v);
}

static Value
long_range_iter_next(Thread *th, Value self)
{
    LongRangeIter *it = as_long_iter(self);
    for (;;) {
        Value i = field_read(th, &it->head, &it->index);
        if (int_compare(i, it->length) >= 0) {
            drop(th, i);
            return NULL;
        }
        Value after = int_add(th, i, ONE);
        if (after == NULL) {
            drop(th, i);
            return NULL;
        }
        bool held = object_lock(&it->head);
        bool same = load_relaxed(&it->index) == i; /* held: no other int has its address */
        if (same)
            store_release(&it->index, after); /* pairs with field_read() [field] */
        bool shared = object_shared(&it->head);
        object_unlock(&it->head, held);
        if (LIKELY(same)) {
            drop_from(th, shared, i); /* the field's reference */
            Value v = range_value(th, it->start, it->step, i);
            drop(th, i);
            return v;
        }
        drop(th, after);
        drop(th, i);
    }
}

static Value
long_range_iter_length_hint(Thread *th, Value self)
{
    LongRangeIter *it = as_long_iter(self);
    Value i = field_read(th, &it->head, &it->index);
    Value n = int_subtract(th, it->length, i);
    drop(th, i);
    return n;
}

static Value
long_range_iter_reduce(Thread *th, Value self)
{
    LongRangeIter *it = as_long_iter(self);
    return iter_reduce(th, it->start, it->step, it->length,
                       field_read(th, &it->head, &it->index));
}

static Value
long_range_iter_setstate(Thread *th, Value self, Value state)
{
    LongRangeIter *it = as_long_iter(self);
    if (!is_int(state))
        return raise_type_error(th, "state must be an int, not %T", state);
    Value i = int_plain(th, state);
    if (i == NULL)
        return NULL;
    if (int_sign(i) < 0) {
        drop(th, i);
        i = ZERO;
    } else if (int_compare(i, it->length) > 0) {
        drop(th, i);
        i = retain(th, it->length);
    }
    field_replace(th, &it->head, &it->index, i);
    return NONE;
}

HOLDS_BOTH(long_range_iter, LongRangeIter, (start, step, length), (index));

/* -- the types -- */

HOLDS_VALUES(range, Range, start, stop, step, length);

static const MethodDef range_methods[] = {
    NATIVE_0("__reversed__", range_reversed, "Return a reverse iterator."),
    NATIVE_0("__reduce__", range_reduce, NULL),
    NATIVE_1("count", range_count_method,
             "rangeobject.count(value) -> integer -- return number of occurrences of value"),
    NATIVE_1("index", range_index,
             "rangeobject.index(value) -> integer -- return index of value.\n"
             "Raise ValueError if the value is not present."),
    NATIVE_END,
};

static const MemberDef range_members[] = {
    {.name = "start", .kind = MEMBER_CONST_VALUE, .offset = offsetof(Range, start), .readonly = true},
    {.name = "stop", .kind = MEMBER_CONST_VALUE, .offset = offsetof(Range, stop), .readonly = true},
    {.name = "step", .kind = MEMBER_CONST_VALUE, .offset = offsetof(Range, step), .readonly = true},
    {.name = NULL},
};

Type range_type;
const TypeSpec range_spec = {
    .name = "range",
    .size = sizeof(Range),
    .flags = TYPE_SEQUENCE,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\n"
           "Return an object that produces a sequence of integers from start (inclusive)\n"
           "to stop (exclusive) by step.  range(i, j) produces i, i+1, i+2, ..., j-1.\n"
           "start defaults to 0, and stop is omitted!  range(4) produces 0, 1, 2, 3.\n"
           "These are exactly the valid indices for a list of 4 elements.\n"
           "When step is given, it specifies the increment (or decrement).",
    .methods = range_methods,
    .members = range_members,
    .slots = {
        .repr = range_repr,
        .hash = range_hash,
        .compare = range_compare,
        .iter = range_iter,
        .new = range_make,
        .truth = range_truth,
        .length = range_length,
        .getitem = range_getitem,
        .item = range_item_slot,
        .contains = range_contains,
    },
    .visit = range_visit,
    .dealloc = range_dealloc,
};

#define RANGE_ITER_METHODS(symbol)                                                                 \
    static const MethodDef symbol##_methods[] = {                                                  \
        NATIVE_0("__length_hint__", symbol##_length_hint,                                          \
                 "Private method returning an estimate of len(list(it))."),                        \
        NATIVE_0("__reduce__", symbol##_reduce, "Return state information for pickling."),         \
        NATIVE_1("__setstate__", symbol##_setstate, "Set state information for unpickling."),      \
        NATIVE_END,                                                                                \
    }

RANGE_ITER_METHODS(range_iter);
RANGE_ITER_METHODS(long_range_iter);

Type range_iter_type;
const TypeSpec range_iter_spec = {
    .name = "range_iterator",
    .size = sizeof(RangeIter),
    .flags = TYPE_DISALLOW_NEW,
    .methods = range_iter_methods,
    .slots = {.iter = iter_self, .next = range_iter_next},
};

Type long_range_iter_type;
const TypeSpec long_range_iter_spec = {
    .name = "longrange_iterator",
    .size = sizeof(LongRangeIter),
    .flags = TYPE_DISALLOW_NEW,
    .methods = long_range_iter_methods,
    .slots = {.iter = iter_self, .next = long_range_iter_next},
    .visit = long_range_iter_visit,
    .dealloc = long_range_iter_dealloc,
};
