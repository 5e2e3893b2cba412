/* sequence.c -- subscripts, membership, concatenation and repetition of any value.
 *
 * Exact lists and tuples with an immediate index are answered here; everything else
 * goes to the slots of the type.  No state, no locks.
 */
#include "objects/protocol/protocol.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/slot.h"
#include "threads/safepoint.h"

bool
is_sequence(Value v)
{
    Type *t = type_of(v);
    return (type_flags(t) & TYPE_DICT_SUBCLASS) == 0 && SLOT(t, item) != NULL;
}

bool
is_mapping(Value v)
{
    return SLOT(type_of(v), getitem) != NULL;
}

/* cls[key], when the metaclass has no say: __class_getitem__. */
static Value
class_get_item(Thread *th, Value cls, Value key)
{
    if (cls == value_of_type(&type_type))
        return generic_alias_new(th, cls, key);
    Value method;
    Answer has = get_attr_optional(th, cls, NAME(__class_getitem__), &method);
    if (has == FAILED)
        return NULL;
    if (has == YES && method != NONE) {
        Value r = call_1(th, method, key);
        drop(th, method);
        return r;
    }
    if (has == YES)
        drop(th, method);
    return raise_type_error(th, "type '%N' is not subscriptable", as_type(cls));
}

/* o[key] of a sequence whose type knows positions only. */
static Value
get_item_by_position(Thread *th, Value o, Value key)
{
    if (!value_is_fixnum(key) && SLOT(type_of(key), index) == NULL)
        return raise_type_error(th, "sequence index must be integer, not '%T'", key);
    int64_t i;
    if (!to_ssize(th, key, &i, &exc_IndexError))
        return NULL;
    return get_item_index(th, o, i);
}

Value
get_item(Thread *th, Value o, Value key)
{
    uint32_t shape = shape_of(o);
    if (value_is_fixnum(key)) {
        int64_t i = value_fixnum(key);
        if (shape == SHAPE_LIST) {
            Value v = list_get(th, o, i < 0 ? i + list_length(o) : i);
            if (LIKELY(v != NULL))
                return v;
        } else if (shape == SHAPE_TUPLE) {
            int64_t n = tuple_length(o);
            if (i < 0)
                i += n;
            if (LIKELY(i >= 0 && i < n))
                return retain(th, tuple_item(o, i));
        }
    }
    Type *t = type_at(shape);
    BinaryFn fn = SLOT(t, getitem);
    if (LIKELY(fn != NULL))
        return stack_check(th) ? fn(th, o, key) : NULL;
    if (SLOT(t, item) != NULL)
        return get_item_by_position(th, o, key);
    if (is_type(o))
        return class_get_item(th, o, key);
    return raise_type_error(th, "'%T' object is not subscriptable", o);
}

bool
set_item(Thread *th, Value o, Value key, Value v)
{
    Type *t = type_of(o);
    SetItemFn fn = SLOT(t, setitem);
    if (LIKELY(fn != NULL))
        return fn(th, o, key, v);
    if (v != NULL)
        raise_type_error(th, "'%T' object does not support item assignment", o);
    else if (SLOT(t, item) != NULL && (value_is_fixnum(key) || SLOT(type_of(key), index) != NULL))
        raise_type_error(th, "'%T' object doesn't support item deletion", o);
    else
        raise_type_error(th, "'%T' object does not support item deletion", o);
    return false;
}

Value
get_item_index(Thread *th, Value o, int64_t i)
{
    Type *t = type_of(o);
    IndexFn fn = SLOT(t, item);
    if (fn != NULL) {
        if (i < 0) {
            LengthFn length = SLOT(t, length);
            if (length != NULL) {
                int64_t n = length(th, o);
                if (n < 0)
                    return NULL;
                i += n;
            }
        }
        return fn(th, o, i);
    }
    if (SLOT(t, getitem) != NULL)
        return raise_type_error(th, "'%T' object is not a sequence", o);
    return raise_type_error(th, "'%T' object does not support indexing", o);
}

Value
sequence_concat(Thread *th, Value a, Value b)
{
    Type *t = type_of(a);
    BinaryFn fn = SLOT(t, concat);
    if (fn != NULL)
        return fn(th, a, b);
    /* Classes that look like sequences may define __add__ alone. */
    if (is_sequence(a) && is_sequence(b) && SLOT(t, add) != NULL) {
        Value r = SLOT(t, add)(th, a, b);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    return raise_type_error(th, "'%T' object can't be concatenated", a);
}

Value
sequence_repeat(Thread *th, Value a, int64_t n)
{
    Type *t = type_of(a);
    IndexFn fn = SLOT(t, repeat);
    if (fn != NULL)
        return fn(th, a, n);
    if (is_sequence(a) && SLOT(t, multiply) != NULL) {
        Value count = int_from_i64(th, n);
        if (count == NULL)
            return NULL;
        Value r = SLOT(t, multiply)(th, a, count);
        drop(th, count);
        if (r != NOT_IMPLEMENTED)
            return r;
    }
    return raise_type_error(th, "'%T' object can't be repeated", a);
}

Value
sequence_list(Thread *th, Value iterable)
{
    if (is_exact(iterable, SHAPE_LIST))
        return list_slice(th, iterable, 0, list_length(iterable));
    if (is_exact(iterable, SHAPE_TUPLE))
        return list_of(th, as_tuple(iterable)->items, (size_t)tuple_length(iterable));
    return list_from_iterable(th, iterable);
}

Value
sequence_tuple(Thread *th, Value iterable)
{
    if (is_exact(iterable, SHAPE_TUPLE))
        return retain(th, iterable);
    if (is_exact(iterable, SHAPE_LIST))
        return list_to_tuple(th, iterable);
    Value list = list_from_iterable(th, iterable), tuple = NULL;
    if (list != NULL) {
        tuple = list_to_tuple(th, list);
        drop(th, list);
    }
    return tuple;
}

/* Whether list_from_iterable() reads all of it at one moment. */
static bool
read_at_once(Value iterable)
{
    switch (shape_of(iterable)) {
    case SHAPE_DICT: case SHAPE_DICT_KEYS: case SHAPE_DICT_VALUES: case SHAPE_DICT_ITEMS:
    case SHAPE_SET: case SHAPE_FROZENSET:
        return true;
    default:
        return false;
    }
}

Value
sequence_fast(Thread *th, Value iterable, const char *message)
{
    if (is_exact(iterable, SHAPE_LIST) || is_exact(iterable, SHAPE_TUPLE))
        return retain(th, iterable);
    if (read_at_once(iterable))
        return list_from_iterable(th, iterable);
    Value it = get_iter(th, iterable);
    if (it == NULL) {
        if (error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th, "%s", message);
        }
        return NULL;
    }
    Value list = sequence_list(th, it);
    drop(th, it);
    return list;
}

Answer
contains(Thread *th, Value container, Value item)
{
    ContainsFn fn = SLOT(type_of(container), contains);
    if (LIKELY(fn != NULL))
        return stack_check(th) ? fn(th, container, item) : FAILED;
    Value it = get_iter(th, container);
    if (it == NULL) {
        if (error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th, "argument of type '%T' is not iterable", container);
        }
        return FAILED;
    }
    Answer answer = NO;
    Value v;
    uint32_t steps = 0;
    while (answer == NO && (v = iter_next(th, it)) != NULL) {
        answer = values_equal(th, v, item);
        drop(th, v);
        if ((++steps & 4095) == 0 && !safepoint_poll(th))
            answer = FAILED;
    }
    drop(th, it);
    if (answer == NO && error_set(th))
        return FAILED;
    return answer;
}
