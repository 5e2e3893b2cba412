/* slice.c -- slice objects, and what a slice means for a length.
 *
 * Immutable; no locks.
 */
#include "objects/container/container_priv.h"
#include "gc/holds.h"

Value
slice_new(Thread *th, Value start, Value stop, Value step)
{
    Object *o = object_new_kind(th, SHAPE_SLICE, sizeof(Slice), true);
    if (o == NULL)
        return NULL;
    Slice *s = (Slice *)(void *)o;
    s->start = retain(th, start ? start : NONE);
    s->stop = retain(th, stop ? stop : NONE);
    s->step = retain(th, step ? step : NONE);
    return value_of(o);
}

/* One of the three: None leaves *out, ints beyond machine words are clamped. */
RAISES static inline bool
slice_part(Thread *th, Value v, int64_t *out)
{
    if (LIKELY(value_is_fixnum(v))) {
        *out = value_fixnum(v);
        return true;
    }
    return v == NONE || arg_ssize_clamped(th, v, out);
}

bool
slice_unpack(Thread *th, Value slice, int64_t *start, int64_t *stop, int64_t *step)
{
    Slice *s = as_slice(slice);
    *step = 1;
    if (s->step != NONE) {
        if (!slice_part(th, s->step, step))
            return false;
        if (*step == 0) {
            raise_value_error(th, "slice step cannot be zero");
            return false;
        }
        if (*step == INT64_MIN) /* so that it can be negated */
            *step = -INT64_MAX;
    }
    *start = *step < 0 ? INT64_MAX : 0;
    *stop = *step < 0 ? INT64_MIN : INT64_MAX;
    return slice_part(th, s->start, start) && slice_part(th, s->stop, stop);
}

/* Brings one bound into what a walk over `length` items in that direction can meet. */
static inline int64_t
bound_adjust(int64_t length, int64_t bound, int64_t step)
{
    if (bound < 0) {
        bound += length;
        return bound >= 0 ? bound : step < 0 ? -1 : 0;
    }
    return bound < length ? bound : step < 0 ? length - 1 : length;
}

int64_t
slice_adjust(int64_t length, int64_t *start, int64_t *stop, int64_t step)
{
    *start = bound_adjust(length, *start, step);
    *stop = bound_adjust(length, *stop, step);
    if (LIKELY(step == 1))
        return *start < *stop ? *stop - *start : 0;
    if (step == -1)
        return *stop < *start ? *start - *stop : 0;
    if (step < 0)
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

/* -- o[start:stop:step] without a slice object -- */

/* The bounds as slice_unpack() gives them, if each is None or a small int; the step is not 0. */
static inline bool
bounds_simple(Value start, Value stop, Value step, int64_t *from, int64_t *to, int64_t *by)
{
    *by = 1;
    if (UNLIKELY(step != NULL)) {
        if (value_is_fixnum(step))
            *by = value_fixnum(step);
        else if (step != NONE)
            return false;
        if (*by == 0)
            return false;
    }
    *from = *by < 0 ? INT64_MAX : 0;
    *to = *by < 0 ? INT64_MIN : INT64_MAX;
    if (value_is_fixnum(start))
        *from = value_fixnum(start);
    else if (start != NONE)
        return false;
    if (value_is_fixnum(stop))
        *to = value_fixnum(stop);
    else if (stop != NONE)
        return false;
    return true;
}

Value
item_get_slice(Thread *th, Value o, Value start, Value stop, Value step)
{
    int64_t from, to, by;
    if (LIKELY(bounds_simple(start, stop, step, &from, &to, &by))) {
        switch (shape_of(o)) {
        case SHAPE_LIST:
            return list_slice_step(th, o, from, to, by);
        case SHAPE_STR:
            return str_slice(th, o, from, to, by);
        case SHAPE_TUPLE:
            return tuple_slice_step(th, o, from, to, by);
        default:
            break;
        }
    }
    Value slice = slice_new(th, start, stop, step);
    if (slice == NULL)
        return NULL;
    Value v = get_item(th, o, slice);
    drop(th, slice);
    return v;
}

bool
item_set_slice(Thread *th, Value o, Value start, Value stop, Value step, Value v)
{
    int64_t from, to, by;
    if (LIKELY(is_exact(o, SHAPE_LIST) && bounds_simple(start, stop, step, &from, &to, &by)))
        return list_assign_slice(th, o, from, to, by, v);
    Value slice = slice_new(th, start, stop, step);
    if (slice == NULL)
        return false;
    bool ok = set_item(th, o, slice, v);
    drop(th, slice);
    return ok;
}

/* -- slice.indices(): any size of ints -- */

static Value
slice_index(Thread *th, Value v)
{
    if (!is_index(v))
        return raise_type_error(
            th, "slice indices must be integers or None or have an __index__ method");
    return to_index(th, v);
}

/* bound_adjust() for ints of any size; `v` is a slice's start or stop, not None. */
static Value
indices_bound(Thread *th, Value v, Value length, bool backwards)
{
    Value bound = slice_index(th, v);
    if (bound == NULL)
        return NULL;
    if (int_sign(bound) < 0) {
        Value sum = int_add(th, bound, length);
        drop(th, bound);
        if (sum == NULL)
            return NULL;
        if (int_sign(sum) >= 0)
            return sum;
        drop(th, sum);
        return value_from_fixnum(backwards ? -1 : 0);
    }
    if (int_compare(bound, length) < 0)
        return bound;
    drop(th, bound);
    return backwards ? int_subtract(th, length, value_from_fixnum(1)) : retain(th, length);
}

Value
slice_bounds(Thread *th, Value self, Value length)
{
    Slice *s = as_slice(self);
    Value start = NULL, stop = NULL, step = NULL, result = NULL;
    step = s->step == NONE ? value_from_fixnum(1) : slice_index(th, s->step);
    if (step == NULL)
        goto done;
    int sign = int_sign(step);
    if (sign == 0) {
        raise_value_error(th, "slice step cannot be zero");
        goto done;
    }
    bool backwards = sign < 0;
    if (s->start != NONE)
        start = indices_bound(th, s->start, length, backwards);
    else
        start = backwards ? int_subtract(th, length, value_from_fixnum(1)) : value_from_fixnum(0);
    if (start == NULL)
        goto done;
    if (s->stop != NONE)
        stop = indices_bound(th, s->stop, length, backwards);
    else
        stop = backwards ? value_from_fixnum(-1) : retain(th, length);
    if (stop != NULL)
        result = tuple_pack(th, 3, start, stop, step);
done:
    drop_null(th, start);
    drop_null(th, stop);
    drop_null(th, step);
    return result;
}

static Value
slice_indices(Thread *th, Value self, Value length_arg)
{
    Value length = to_index(th, length_arg);
    if (length == NULL)
        return NULL;
    Value bounds = int_sign(length) < 0 ? raise_value_error(th, "length should not be negative")
                                        : slice_bounds(th, self, length);
    drop(th, length);
    return bounds;
}

/* -- the type -- */

static Value
slice_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "slice", kwnames) || !args_count(th, "slice", nargs, 1, 3))
        return NULL;
    if (nargs == 1)
        return slice_new(th, NULL, arg(args, 0), NULL);
    return slice_new(th, arg(args, 0), arg(args, 1), nargs > 2 ? arg(args, 2) : NULL);
}

static Value
slice_repr(Thread *th, Value self)
{
    Slice *s = as_slice(self);
    return str_format_c(th, "slice(%R, %R, %R)", s->start, s->stop, s->step);
}

static Value
slice_compare(Thread *th, Value a, Value b, int op)
{
    if (!is_slice(a) || !is_slice(b))
        return NOT_IMPLEMENTED;
    if (a == b)
        return bool_from(op == OP_EQ || op == OP_LE || op == OP_GE);
    Value x = tuple_of(th, &as_slice(a)->start, 3), y = tuple_of(th, &as_slice(b)->start, 3);
    Value result = x != NULL && y != NULL ? compare(th, x, y, op) : NULL;
    drop_null(th, x);
    drop_null(th, y);
    return result;
}

static Value
slice_reduce(Thread *th, Value self)
{
    Value args = tuple_of(th, &as_slice(self)->start, 3);
    if (args == NULL)
        return NULL;
    Value result = tuple_pack(th, 2, value_of_type(&slice_type), args);
    drop(th, args);
    return result;
}

HOLDS_VALUES(slice, Slice, start, stop, step);

static const MethodDef slice_methods[] = {
    NATIVE_1("indices", slice_indices,
             "S.indices(len) -> (start, stop, stride)\n\n"
             "Assuming a sequence of length len, calculate the start and stop\n"
             "indices, and the stride length of the extended slice described by\n"
             "S. Out of bounds indices are clipped in a manner consistent with the\n"
             "handling of normal slices."),
    NATIVE_0("__reduce__", slice_reduce, "Return state information for pickling."),
    NATIVE_END,
};

static const MemberDef slice_members[] = {
    {.name = "start", .kind = MEMBER_CONST_VALUE, .offset = offsetof(Slice, start), .readonly = true},
    {.name = "stop", .kind = MEMBER_CONST_VALUE, .offset = offsetof(Slice, stop), .readonly = true},
    {.name = "step", .kind = MEMBER_CONST_VALUE, .offset = offsetof(Slice, step), .readonly = true},
    {.name = NULL},
};

Type slice_type;
const TypeSpec slice_spec = {
    .name = "slice",
    .size = sizeof(Slice),
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .doc = "slice(stop)\nslice(start, stop[, step])\n\n"
           "Create a slice object.  This is used for extended slicing (e.g. a[0:10:2]).",
    .methods = slice_methods,
    .members = slice_members,
    .slots = {
        .repr = slice_repr,
        .hash = hash_unhashable,
        .compare = slice_compare,
        .new = slice_make,
    },
    .visit = slice_visit,
    .dealloc = slice_dealloc,
};
