/* call.c -- calling any value.
 *
 * Arguments are borrowed words: positional ones, then one for each name in the tuple
 * `kwnames`.  A word may carry the borrowed bit of the evaluator's register it came
 * from; it is copied as it is when an argument must be put in front.  No locks.
 */
#include "objects/protocol/protocol.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

#include <stdlib.h>
#include <string.h>

enum { INLINE_ARGS = 12 };

Value
call(Thread *th, Value f, const Arg *args, size_t nargs, Value kwnames)
{
    CallFn fn = SLOT(type_of(f), call);
    if (UNLIKELY(fn == NULL))
        return raise_type_error(th, "'%T' object is not callable", f);
    if (thread_stack_low(th))
        return raise_recursion(th, " while calling a Python object");
    return fn(th, f, args, nargs, kwnames);
}

Value
call_0(Thread *th, Value f)
{
    return call(th, f, NULL, 0, NULL);
}

Value
call_1(Thread *th, Value f, Value a)
{
    return call(th, f, args_of(&a), 1, NULL);
}

Value
call_2(Thread *th, Value f, Value a, Value b)
{
    Value v[2] = {a, b};
    return call(th, f, args_of(v), 2, NULL);
}

Value
call_3(Thread *th, Value f, Value a, Value b, Value c)
{
    Value v[3] = {a, b, c};
    return call(th, f, args_of(v), 3, NULL);
}

Value
call_prepend(Thread *th, Value f, Value first, const Arg *args, size_t nargs, Value kwnames)
{
    size_t total = nargs + (kwnames ? (size_t)tuple_length(kwnames) : 0);
    Arg small[INLINE_ARGS];
    Arg *all = small;
    if (UNLIKELY(total + 1 > INLINE_ARGS)) {
        all = malloc((total + 1) * sizeof *all);
        if (all == NULL)
            return raise_memory(th);
    }
    all[0].raw = first;
    if (total != 0)
        memcpy(all + 1, args, total * sizeof *all);
    Value r = call(th, f, all, nargs + 1, kwnames);
    if (UNLIKELY(all != small))
        free(all);
    return r;
}

/* The keywords of `dict` behind `nargs` arguments; calls f.  `values` has room for all. */
static Value
call_keywords(Thread *th, Value f, Value tuple, Value dict)
{
    size_t nargs = (size_t)tuple_length(tuple);
    size_t room = (size_t)dict_length(dict);
    Value keys = tuple_new(th, room);
    if (keys == NULL)
        return NULL;
    Value small[INLINE_ARGS];
    Value *all = small;
    if (nargs + room > INLINE_ARGS) {
        all = malloc((nargs + room) * sizeof *all);
        if (all == NULL) {
            drop(th, keys);
            return raise_memory(th);
        }
    }
    for (size_t i = 0; i < nargs; i++)
        all[i] = tuple_item(tuple, (int64_t)i);
    size_t n = 0;
    size_t pos = 0;
    Value key, value;
    Value result = NULL;
    bool strings = true;
    /* A dict that another thread fills meanwhile is cut at the length seen first. */
    while (n < room && dict_next(th, dict, &pos, &key, &value)) {
        strings = strings && is_str(key);
        tuple_init_item(keys, (int64_t)n, key);
        all[nargs + n++] = value;
    }
    if (!strings) {
        raise_type_error(th, "keywords must be strings");
    } else if (n == room) {
        result = call(th, f, args_of(all), nargs, n ? keys : NULL);
    } else { /* it shrank */
        Value fewer = tuple_slice(th, keys, 0, (int64_t)n);
        if (fewer != NULL) {
            result = call(th, f, args_of(all), nargs, n ? fewer : NULL);
            drop(th, fewer);
        }
    }
    for (size_t i = 0; i < n; i++)
        drop(th, all[nargs + i]);
    drop(th, keys);
    if (all != small)
        free(all);
    return result;
}

Value
call_tuple_dict(Thread *th, Value f, Value tuple, Value dict)
{
    if (dict == NULL || dict_length(dict) == 0)
        return call(th, f, args_of(as_tuple(tuple)->items), (size_t)tuple_length(tuple), NULL);
    return call_keywords(th, f, tuple, dict);
}

Value
call_method(Thread *th, Value object, Value name, const Arg *args, size_t nargs, Value kwnames)
{
    Type *t = type_of(object);
    if (LIKELY(SLOT(t, getattr) == generic_get_attr)) {
        Value f = type_lookup(th, t, name);
        if (f != NULL) {
            if (value_has_flag(f, TYPE_METHOD_DESCR)) {
                /* The instance's own attribute of that name comes first. */
                Value own = t->attrs_offset ? instance_get(th, object, name) : NULL;
                Value r;
                if (own != NULL) {
                    r = call(th, own, args, nargs, kwnames);
                    drop(th, own);
                } else if (UNLIKELY(error_set(th))) { /* an odd key's __eq__ */
                    r = NULL;
                } else {
                    r = call_prepend(th, f, object, args, nargs, kwnames);
                }
                drop(th, f);
                return r;
            }
            drop(th, f);
        }
    }
    Value f = get_attr(th, object, name);
    if (f == NULL)
        return NULL;
    Value r = call(th, f, args, nargs, kwnames);
    drop(th, f);
    return r;
}

Value
call_method_0(Thread *th, Value object, Value name)
{
    return call_method(th, object, name, NULL, 0, NULL);
}

Value
call_method_1(Thread *th, Value object, Value name, Value a)
{
    return call_method(th, object, name, args_of(&a), 1, NULL);
}

Value
call_method_2(Thread *th, Value object, Value name, Value a, Value b)
{
    Value v[2] = {a, b};
    return call_method(th, object, name, args_of(v), 2, NULL);
}

Value
call_special(Thread *th, Value self, Value name, const Arg *args, size_t nargs, bool *missing)
{
    Type *t = type_of(self);
    if (missing != NULL)
        *missing = false;
    Value f = type_lookup(th, t, name);
    if (f == NULL) {
        if (missing != NULL)
            *missing = true;
        else
            raise_attribute_error(th, self, name);
        return NULL;
    }
    Value r;
    DescrGetFn get;
    if (LIKELY(value_has_flag(f, TYPE_METHOD_DESCR))) {
        r = call_prepend(th, f, self, args, nargs, NULL);
    } else if ((get = SLOT(type_of(f), descr_get)) != NULL) {
        Value bound = get(th, f, self, value_of_type(t));
        r = NULL;
        if (bound != NULL) {
            r = call(th, bound, args, nargs, NULL);
            drop(th, bound);
        }
    } else {
        r = call(th, f, args, nargs, NULL);
    }
    drop(th, f);
    return r;
}

Answer
is_callable(Value v)
{
    return SLOT(type_of(v), call) != NULL ? YES : NO;
}
