/* zip_map.c -- zip, map, filter.
 *
 * What they hold never changes after construction (the tuple of iterators, the function), except
 * zip's result tuple, which is used again only while the zip object is private.  Threads that
 * share one draw from the same underlying iterators.
 */
#include "objects/container/container_priv.h"
#include "gc/holds.h"

#define REDUCE_DOC "Return state information for pickling."

/* The iterators over args[from ..], as a tuple. */
static Value
iterators_of(Thread *th, const Arg *args, size_t from, size_t nargs)
{
    Value iters = tuple_new(th, nargs - from);
    for (size_t i = from; iters != NULL && i < nargs; i++) {
        Value it = get_iter(th, arg(args, i));
        if (it == NULL)
            DROP_CLEAR(th, iters);
        else
            tuple_init_item(iters, (int64_t)(i - from), it);
    }
    return iters;
}

/* -- zip -- */

typedef struct Zip {
    struct Object head;
    Value iters;             /* [const] tuple of iterators */
    Field result;            /* the last tuple yielded, used again if nobody kept it */
    ATOMIC(uint8_t) strict;
} Zip;

static inline Zip *
as_zip(Value v)
{
    return (Zip *)(void *)value_object(v);
}

static Value
zip_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "zip", .names = {"strict"}};
    bool strict = false;
    if (kwnames != NULL) {
        Value v[1];
        if (!args_bind(th, &params, args + nargs, 0, kwnames, v) || !arg_bool(th, v[0], &strict))
            return NULL;
    }
    Value iters = iterators_of(th, args, 0, nargs);
    if (iters == NULL)
        return NULL;
    Value z = type_alloc(th, type, 0);
    if (z == NULL) {
        drop(th, iters);
        return NULL;
    }
    as_zip(z)->iters = iters;
    plain_store(&as_zip(z)->strict, strict); /* plain: not published yet */
    return z;
}

/* Iterator `i` ended before the ones in front of it, or, strict, behind them: raises ValueError
 * where strict wants it. */
static void
zip_ended(Thread *th, Zip *z, int64_t i)
{
    if (error_set(th) || !load_relaxed(&z->strict))
        return;
    if (i > 0) {
        raise_value_error(th, "zip() argument %d is shorter than argument%s%d", (int)i + 1,
                          i == 1 ? " " : "s 1-", (int)i);
        return;
    }
    int64_t n = tuple_length(z->iters);
    for (i = 1; i < n; i++) {
        Value v = iter_next(th, tuple_item(z->iters, i));
        if (v != NULL) {
            drop(th, v);
            raise_value_error(th, "zip() argument %d is longer than argument%s%d", (int)i + 1,
                              i == 1 ? " " : "s 1-", (int)i);
            return;
        }
        if (error_set(th))
            return;
    }
}

static Value
zip_next(Thread *th, Value self)
{
    Zip *z = as_zip(self);
    int64_t n = tuple_length(z->iters);
    if (n == 0)
        return NULL;
    /* Few items are kept apart until all are there: while Python code runs the last result must not
     * change, which gc.get_objects() and gc.get_referents() may give to anybody. */
    Value few[8] = {NULL}, result = NULL;
    bool apart = n <= (int64_t)ARRAY_LEN(few);
    if (!apart && (result = tuple_new(th, (size_t)n)) == NULL)
        return NULL;
    Value *items = apart ? few : as_tuple(result)->items;
    for (int64_t i = 0; i < n; i++) {
        Value v = next_item(th, tuple_item(z->iters, i));
        if (v == NULL) {
            for (int64_t k = 0; apart && k < i; k++)
                drop(th, few[k]);
            drop_null(th, result);
            zip_ended(th, z, i);
            return NULL;
        }
        items[i] = v;
    }
    bool alone = object_is_owned(th, &z->head) && !object_shared(&z->head);
    if (apart) {
        Value last = alone ? field_peek(&z->result) : NULL;
        if (last != NULL && object_unique(th, value_object(last))) {
            retain(th, last);
            tuple_exchange(th, last, 0, few, (size_t)n);
            return last;
        }
        result = tuple_of_taken(th, few, (size_t)n);
        if (result == NULL)
            return NULL;
    }
    /* If somebody kept the last one, the next ones will be kept, too: it is not tried any more, which
     * None in its place says. */
    if (alone) {
        Value last = field_peek(&z->result);
        if (last != NONE)
            field_replace(th, &z->head, &z->result, last == NULL ? retain(th, result) : NONE);
    }
    return result;
}

Answer
zip_next_pair(Thread *th, Value self, Value *first, Value *second)
{
    Zip *z = as_zip(self);
    *first = next_item(th, tuple_item(z->iters, 0));
    if (UNLIKELY(*first == NULL)) {
        zip_ended(th, z, 0);
        return error_set(th) ? FAILED : NO;
    }
    *second = next_item(th, tuple_item(z->iters, 1));
    if (LIKELY(*second != NULL))
        return YES;
    drop(th, *first);
    zip_ended(th, z, 1);
    return error_set(th) ? FAILED : NO;
}

bool
zip_of_two(Value self)
{
    return tuple_length(as_zip(self)->iters) == 2;
}

static Value
zip_reduce(Thread *th, Value self)
{
    Zip *z = as_zip(self);
    Value type = value_of_type(type_of(self));
    if (load_relaxed(&z->strict))
        return tuple_pack(th, 3, type, z->iters, TRUE);
    return tuple_pack(th, 2, type, z->iters);
}

static Value
zip_setstate(Thread *th, Value self, Value state)
{
    Answer strict = is_true(th, state);
    if (strict == FAILED)
        return NULL;
    store_relaxed(&as_zip(self)->strict, strict == YES);
    return NONE;
}

HOLDS_BOTH(zip, Zip, (iters), (result));

static const MethodDef zip_methods[] = {
    NATIVE_0("__reduce__", zip_reduce, REDUCE_DOC),
    NATIVE_1("__setstate__", zip_setstate, "Set state information for unpickling."),
    NATIVE_END,
};

Type zip_type;
const TypeSpec zip_spec = {
    .name = "zip",
    .size = sizeof(Zip),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "zip(*iterables, strict=False) --> Yield tuples until an input is exhausted.\n\n"
           "   >>> list(zip('abcdefg', range(3), range(4)))\n"
           "   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]\n\n"
           "The zip object yields n-length tuples, where n is the number of iterables\n"
           "passed as positional arguments to zip().  The i-th element in every tuple\n"
           "comes from the i-th iterable argument to zip().  This continues until the\n"
           "shortest argument is exhausted.\n\n"
           "If strict is true and one of the arguments is exhausted before the others,\n"
           "raise a ValueError.",
    .methods = zip_methods,
    .slots = {.iter = iter_self, .next = zip_next, .new = zip_make},
    .visit = zip_visit,
    .dealloc = zip_dealloc,
};

/* -- map -- */

typedef struct Map {
    struct Object head;
    Value function, iters; /* [const] */
} Map;

static inline Map *
as_map(Value v)
{
    return (Map *)(void *)value_object(v);
}

static Value
map_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (kwnames != NULL && (type == &map_type || SLOT(type, init) == SLOT(&object_type, init)) &&
        !args_no_keywords(th, "map", kwnames))
        return NULL;
    if (nargs < 2)
        return raise_type_error(th, "map() must have at least two arguments.");
    Value iters = iterators_of(th, args, 1, nargs);
    if (iters == NULL)
        return NULL;
    Value m = type_alloc(th, type, 0);
    if (m == NULL) {
        drop(th, iters);
        return NULL;
    }
    as_map(m)->function = retain(th, arg(args, 0));
    as_map(m)->iters = iters;
    return m;
}

static Value
map_next(Thread *th, Value self)
{
    Map *m = as_map(self);
    int64_t n = tuple_length(m->iters);
    if (LIKELY(n == 1)) {
        Value v = next_item(th, tuple_item(m->iters, 0));
        if (v == NULL)
            return NULL;
        Value result = call_1(th, m->function, v);
        drop(th, v);
        return result;
    }
    Value few[8], *values = few, result = NULL;
    if (n > (int64_t)ARRAY_LEN(few) &&
        (values = buffer_new(th, (size_t)n * sizeof(Value))) == NULL)
        return NULL;
    int64_t got = 0;
    while (got < n && (values[got] = iter_next(th, tuple_item(m->iters, got))) != NULL)
        got++;
    if (got == n)
        result = call(th, m->function, args_of(values), (size_t)n, NULL);
    while (got > 0)
        drop(th, values[--got]);
    if (values != few)
        buffer_free(values);
    return result;
}

static Value
map_reduce(Thread *th, Value self)
{
    Map *m = as_map(self);
    int64_t n = tuple_length(m->iters);
    Value args = tuple_new(th, (size_t)n + 1);
    if (args == NULL)
        return NULL;
    tuple_init_item(args, 0, retain(th, m->function));
    for (int64_t i = 0; i < n; i++)
        tuple_init_item(args, i + 1, retain(th, tuple_item(m->iters, i)));
    Value result = tuple_pack(th, 2, value_of_type(type_of(self)), args);
    drop(th, args);
    return result;
}

HOLDS_VALUES(map, Map, function, iters);

static const MethodDef map_methods[] = {
    NATIVE_0("__reduce__", map_reduce, REDUCE_DOC),
    NATIVE_END,
};

Type map_type;
const TypeSpec map_spec = {
    .name = "map",
    .size = sizeof(Map),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "map(func, *iterables) --> map object\n\n"
           "Make an iterator that computes the function using arguments from\n"
           "each of the iterables.  Stops when the shortest iterable is exhausted.",
    .methods = map_methods,
    .slots = {.iter = iter_self, .next = map_next, .new = map_make},
    .visit = map_visit,
    .dealloc = map_dealloc,
};

/* -- filter -- */

typedef struct Filter {
    struct Object head;
    Value function, iter; /* [const] */
} Filter;

static inline Filter *
as_filter(Value v)
{
    return (Filter *)(void *)value_object(v);
}

static Value
filter_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (kwnames != NULL && (type == &filter_type || SLOT(type, init) == SLOT(&object_type, init)) &&
        !args_no_keywords(th, "filter", kwnames))
        return NULL;
    if (!args_count(th, "filter", nargs, 2, 2))
        return NULL;
    Value it = get_iter(th, arg(args, 1));
    if (it == NULL)
        return NULL;
    Value f = type_alloc(th, type, 0);
    if (f == NULL) {
        drop(th, it);
        return NULL;
    }
    as_filter(f)->function = retain(th, arg(args, 0));
    as_filter(f)->iter = it;
    return f;
}

static Value
filter_next(Thread *th, Value self)
{
    Filter *f = as_filter(self);
    bool by_truth = f->function == NONE || f->function == value_of_type(&bool_type);
    for (size_t step = 0;; step++) {
        Value v = next_item(th, f->iter);
        if (v == NULL)
            return NULL;
        Answer good;
        if (by_truth) {
            good = is_true(th, v);
        } else {
            Value verdict = call_1(th, f->function, v);
            good = verdict ? is_true(th, verdict) : FAILED;
            drop_null(th, verdict);
        }
        if (good == YES)
            return v;
        drop(th, v);
        if (good == FAILED || !loop_poll(th, step))
            return NULL;
    }
}

static Value
filter_reduce(Thread *th, Value self)
{
    Filter *f = as_filter(self);
    Value args = tuple_pack(th, 2, f->function, f->iter);
    if (args == NULL)
        return NULL;
    Value result = tuple_pack(th, 2, value_of_type(type_of(self)), args);
    drop(th, args);
    return result;
}

HOLDS_VALUES(filter, Filter, function, iter);

static const MethodDef filter_methods[] = {
    NATIVE_0("__reduce__", filter_reduce, REDUCE_DOC),
    NATIVE_END,
};

Type filter_type;
const TypeSpec filter_spec = {
    .name = "filter",
    .size = sizeof(Filter),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "filter(function or None, iterable) --> filter object\n\n"
           "Return an iterator yielding those items of iterable for which function(item)\n"
           "is true. If function is None, return the items that are true.",
    .methods = filter_methods,
    .slots = {.iter = iter_self, .next = filter_next, .new = filter_make},
    .visit = filter_visit,
    .dealloc = filter_dealloc,
};
