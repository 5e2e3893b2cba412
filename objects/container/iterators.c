/* iterators.c -- iterators over lists, tuples, sequences and callables; enumerate; reversed.
 *
 * What an iterator walks over is a Field: it is given up when the iterator is exhausted, through
 * the protocol of gc/field.h, so a thread that is just reading it is safe.  The position is an
 * atomic word; iterators that threads share take it by compare-and-swap and yield each item once, and who
 * has an iterator for itself takes it in a section (iter_step_begin() in container.h).
 */
#include "objects/container/container_priv.h"
#include "gc/holds.h"
#include "objects/container/fast.h"

/* -- helpers for all iterators -- */

Value
iter_self(Thread *th, Value self)
{
    return retain(th, self);
}

Value
builtin_get(Thread *th, const char *name)
{
    Value v = dict_get_c(th, th->interp->builtins, name);
    if (v == NULL)
        raise_error(th, &exc_AttributeError, "module 'builtins' has no attribute '%s'", name);
    return v;
}

Value
reduce_builtin_state(Thread *th, const char *name, Value args, Value state)
{
    Value result = NULL, f = args && state ? builtin_get(th, name) : NULL;
    if (f != NULL) {
        result = tuple_pack(th, 3, f, args, state);
        drop(th, f);
    }
    drop_null(th, args);
    drop_null(th, state);
    return result;
}

Value
reduce_builtin(Thread *th, const char *name, Value args)
{
    Value result = NULL, f = args ? builtin_get(th, name) : NULL;
    if (f != NULL) {
        result = tuple_pack(th, 2, f, args);
        drop(th, f);
    }
    drop_null(th, args);
    return result;
}

Value
class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

/* Whether nobody else has used the iterator up to now. */
static inline bool
iter_alone(Thread *th, const Object *o)
{
    return object_is_owned(th, o) && !object_shared(o);
}

/* (name, (what,), index) for a walk that goes on, (iter, (empty,)) for one at its end. */
static Value
reduce_walk(Thread *th, const char *name, Value STEALS what, int64_t index, Value STEALS empty)
{
    bool at_end = what == NULL || (index < 0 && name[0] == 'i'); /* reversed: -1 is before the end */
    Value args = tuple_pack(th, 1, at_end ? empty : what);
    drop_null(th, what);
    drop_null(th, empty);
    if (at_end)
        return reduce_builtin(th, "iter", args);
    return reduce_builtin_state(th, name, args, int_from_i64(th, index));
}

/* -- list iterator -- */

static inline ListIter *
as_list_iter(Value v)
{
    return (ListIter *)(void *)value_object(v);
}

static Value
walk_new(Thread *th, uint32_t shape, Value sequence, int64_t index)
{
    Object *o = object_new_kind(th, shape, sizeof(ListIter), true);
    if (o == NULL)
        return NULL;
    ListIter *it = (ListIter *)(void *)o;
    plain_store(&it->index, index); /* plain: not published yet */
    field_init(&it->list, retain(th, sequence));
    return value_of(o);
}

Value
list_iter_new(Thread *th, Value list)
{
    return walk_new(th, SHAPE_LIST_ITER, list, 0);
}

/* Ends the walk: the sequence is given up. */
static void
walk_end(Thread *th, ListIter *it)
{
    store_relaxed(&it->index, -1);
    field_replace(th, &it->head, &it->list, NULL);
}

static Value
list_iter_next(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    object_touch(th, &it->head);
    Value list = field_peek(&it->list); /* no safepoint until the item is counted */
    if (list == NULL)
        return NULL;
    object_touch(th, value_object(list));
    int64_t i = iter_take_index(th, &it->head, &it->index);
    if (i < 0)
        return NULL;
    Value v = list_peek(list, i);
    if (LIKELY(v != NULL))
        return retain(th, v);
    walk_end(th, it);
    return NULL;
}

static Value
list_iter_length_hint(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value list = field_read(th, &it->head, &it->list);
    int64_t i = load_relaxed(&it->index), n = 0;
    if (list != NULL) {
        n = i < 0 ? 0 : list_length(list) - i;
        drop(th, list);
    }
    return value_from_fixnum(n < 0 ? 0 : n);
}

static Value
list_iter_reduce(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value empty = list_new(th, 0);
    if (empty == NULL)
        return NULL;
    return reduce_walk(th, "iter", field_read(th, &it->head, &it->list), load_relaxed(&it->index),
                       empty);
}

static Value
list_iter_setstate(Thread *th, Value self, Value state)
{
    ListIter *it = as_list_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i))
        return NULL;
    Value list = field_read(th, &it->head, &it->list);
    if (list != NULL) {
        int64_t n = list_length(list);
        store_relaxed(&it->index, i < 0 ? 0 : i > n ? n : i);
        drop(th, list);
    }
    return NONE;
}

HOLDS_FIELDS(walk, ListIter, list);

#define LENGTH_HINT_DOC "Private method returning an estimate of len(list(it))."
#define REDUCE_DOC "Return state information for pickling."
#define SETSTATE_DOC "Set state information for unpickling."

#define WALK_TYPE(symbol, text)                                                                    \
    Type symbol##_type;                                                                            \
    const TypeSpec symbol##_spec = {                                                               \
        .name = text,                                                                              \
        .size = sizeof(ListIter),                                                                  \
        .flags = TYPE_DISALLOW_NEW,                                                                \
        .ops_flags = OPS_TRACKED,                                                                  \
        .methods = symbol##_methods,                                                               \
        .slots = {.iter = iter_self, .next = symbol##_next},                                       \
        .visit = walk_visit,                                                                       \
        .dealloc = walk_dealloc,                                                                   \
    }

#define WALK_METHODS(symbol)                                                                       \
    static const MethodDef symbol##_methods[] = {                                                  \
        NATIVE_0("__length_hint__", symbol##_length_hint, LENGTH_HINT_DOC),                        \
        NATIVE_0("__reduce__", symbol##_reduce, REDUCE_DOC),                                       \
        NATIVE_1("__setstate__", symbol##_setstate, SETSTATE_DOC),                                 \
        NATIVE_END,                                                                                \
    }

WALK_METHODS(list_iter);
WALK_TYPE(list_iter, "list_iterator");

/* -- reversed list iterator -- */

Value
list_reversed_new(Thread *th, Value list)
{
    return walk_new(th, SHAPE_LIST_REVERSED, list, list_length(list) - 1);
}

static Value
list_reversed_next(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    object_touch(th, &it->head);
    Value list = field_peek(&it->list); /* no safepoint until the item is counted */
    if (list == NULL)
        return NULL;
    object_touch(th, value_object(list));
    int64_t i;
    if (LIKELY(iter_step_begin(th, &it->head))) {
        i = load_relaxed(&it->index);
        store_relaxed(&it->index, i - 1);
        object_section_end(th);
    } else {
        i = load_relaxed(&it->index);
        while (i >= 0 && !cas_relaxed(&it->index, &i, i - 1)) {
        }
    }
    Value v = i >= 0 ? list_peek(list, i) : NULL;
    if (LIKELY(v != NULL))
        return retain(th, v);
    walk_end(th, it);
    return NULL;
}

static Value
list_reversed_length_hint(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value list = field_read(th, &it->head, &it->list);
    int64_t n = 0;
    if (list != NULL) {
        n = load_relaxed(&it->index) + 1;
        if (n > list_length(list))
            n = 0;
        drop(th, list);
    }
    return value_from_fixnum(n < 0 ? 0 : n);
}

static Value
list_reversed_reduce(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value empty = list_new(th, 0);
    if (empty == NULL)
        return NULL;
    return reduce_walk(th, "reversed", field_read(th, &it->head, &it->list),
                       load_relaxed(&it->index), empty);
}

static Value
list_reversed_setstate(Thread *th, Value self, Value state)
{
    ListIter *it = as_list_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i))
        return NULL;
    Value list = field_read(th, &it->head, &it->list);
    if (list != NULL) {
        int64_t n = list_length(list);
        store_relaxed(&it->index, i < -1 ? -1 : i > n - 1 ? n - 1 : i);
        drop(th, list);
    }
    return NONE;
}

WALK_METHODS(list_reversed);
WALK_TYPE(list_reversed, "list_reverseiterator");

/* -- tuple iterator -- */

Value
tuple_iter_new(Thread *th, Value tuple)
{
    return walk_new(th, SHAPE_TUPLE_ITER, tuple, 0);
}

static Value
tuple_iter_next(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    object_touch(th, &it->head);
    Value tuple = field_peek(&it->list); /* no safepoint until the item is counted */
    if (tuple == NULL)
        return NULL;
    object_touch(th, value_object(tuple)); /* so that tuple_iter_peek() may read it */
    int64_t i = iter_take_index(th, &it->head, &it->index);
    if (LIKELY((uint64_t)i < (uint64_t)tuple_length(tuple)))
        return retain(th, tuple_item(tuple, i));
    walk_end(th, it);
    return NULL;
}

static Value
tuple_iter_length_hint(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value tuple = field_read(th, &it->head, &it->list);
    int64_t i = load_relaxed(&it->index), n = 0;
    if (tuple != NULL) {
        n = i < 0 ? 0 : tuple_length(tuple) - i;
        drop(th, tuple);
    }
    return value_from_fixnum(n < 0 ? 0 : n);
}

static Value
tuple_iter_reduce(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    return reduce_walk(th, "iter", field_read(th, &it->head, &it->list), load_relaxed(&it->index),
                       retain(th, tuple_empty));
}

static Value
tuple_iter_setstate(Thread *th, Value self, Value state)
{
    ListIter *it = as_list_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i))
        return NULL;
    Value tuple = field_read(th, &it->head, &it->list);
    if (tuple != NULL) {
        int64_t n = tuple_length(tuple);
        store_relaxed(&it->index, i < 0 ? 0 : i > n ? n : i);
        drop(th, tuple);
    }
    return NONE;
}

_Static_assert(sizeof(TupleIter) == sizeof(ListIter) &&
                   offsetof(TupleIter, tuple) == offsetof(ListIter, list),
               "the walks share their layout");
WALK_METHODS(tuple_iter);
WALK_TYPE(tuple_iter, "tuple_iterator");

/* -- sequence iterator: __getitem__ with 0, 1, 2 ... until IndexError -- */

Value
seq_iter_new(Thread *th, Value sequence)
{
    return walk_new(th, SHAPE_SEQ_ITER, sequence, 0);
}

/* After get_item_index() failed: whether that means the end (the exception is cleared then). */
static bool
item_missing(Thread *th)
{
    if (!error_matches(th, &exc_IndexError) && !error_matches(th, &exc_StopIteration))
        return false;
    error_clear(th);
    return true;
}

static Value
seq_iter_next(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value sequence = field_read(th, &it->head, &it->list);
    if (sequence == NULL)
        return NULL;
    bool alone = iter_alone(th, &it->head);
    int64_t i = alone ? load_relaxed(&it->index) : iter_take_index(th, &it->head, &it->index);
    Value v = NULL;
    if (i == INT64_MAX) {
        raise_overflow(th, "iter index too large");
    } else if (i >= 0) {
        v = get_item_index(th, sequence, i);
        if (v != NULL) {
            if (alone)
                store_relaxed(&it->index, i + 1);
        } else if (item_missing(th)) {
            walk_end(th, it);
        }
    }
    drop(th, sequence);
    return v;
}

static Value
seq_iter_length_hint(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value sequence = field_read(th, &it->head, &it->list);
    if (sequence == NULL)
        return value_from_fixnum(0);
    Value result = NOT_IMPLEMENTED;
    if (SLOT(type_of(sequence), length) != NULL) {
        int64_t n = length_of(th, sequence);
        if (n < 0) {
            result = NULL;
        } else {
            n -= load_relaxed(&it->index);
            result = value_from_fixnum(n < 0 ? 0 : n);
        }
    }
    drop(th, sequence);
    return result;
}

static Value
seq_iter_reduce(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    return reduce_walk(th, "iter", field_read(th, &it->head, &it->list), load_relaxed(&it->index),
                       retain(th, tuple_empty));
}

static Value
seq_iter_setstate(Thread *th, Value self, Value state)
{
    ListIter *it = as_list_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i))
        return NULL;
    object_touch(th, &it->head);
    if (field_peek(&it->list) != NULL)
        store_relaxed(&it->index, i < 0 ? 0 : i);
    return NONE;
}

WALK_METHODS(seq_iter);
WALK_TYPE(seq_iter, "iterator");

/* -- callable iterator -- */

typedef struct CallIter {
    struct Object head;
    Field callable, sentinel; /* NULL once exhausted */
} CallIter;

Value
call_iter_new(Thread *th, Value callable, Value sentinel)
{
    Object *o = object_new_kind(th, SHAPE_CALL_ITER, sizeof(CallIter), true);
    if (o == NULL)
        return NULL;
    CallIter *it = (CallIter *)(void *)o;
    field_init(&it->callable, retain(th, callable));
    field_init(&it->sentinel, retain(th, sentinel));
    return value_of(o);
}

static Value
call_iter_next(Thread *th, Value self)
{
    CallIter *it = (CallIter *)(void *)value_object(self);
    Value callable = field_read(th, &it->head, &it->callable);
    Value sentinel = field_read(th, &it->head, &it->sentinel);
    Value v = NULL;
    bool end = false;
    if (callable != NULL && sentinel != NULL) {
        v = call_0(th, callable);
        if (v == NULL) {
            end = error_matches(th, &exc_StopIteration);
            if (end)
                error_clear(th);
        } else {
            Answer equal = items_equal(th, sentinel, v);
            end = equal == YES;
            if (equal != NO)
                DROP_CLEAR(th, v);
        }
    }
    if (end) {
        field_replace(th, &it->head, &it->callable, NULL);
        field_replace(th, &it->head, &it->sentinel, NULL);
    }
    drop_null(th, callable);
    drop_null(th, sentinel);
    return v;
}

static Value
call_iter_reduce(Thread *th, Value self)
{
    CallIter *it = (CallIter *)(void *)value_object(self);
    Value callable = field_read(th, &it->head, &it->callable);
    Value sentinel = field_read(th, &it->head, &it->sentinel);
    Value args = callable && sentinel ? tuple_pack(th, 2, callable, sentinel)
                                      : tuple_pack(th, 1, tuple_empty);
    drop_null(th, callable);
    drop_null(th, sentinel);
    return reduce_builtin(th, "iter", args);
}

HOLDS_FIELDS(call_iter, CallIter, callable, sentinel);

static const MethodDef call_iter_methods[] = {
    NATIVE_0("__reduce__", call_iter_reduce, REDUCE_DOC),
    NATIVE_END,
};

Type call_iter_type;
const TypeSpec call_iter_spec = {
    .name = "callable_iterator",
    .size = sizeof(CallIter),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = call_iter_methods,
    .slots = {.iter = iter_self, .next = call_iter_next},
    .visit = call_iter_visit,
    .dealloc = call_iter_dealloc,
};

/* -- enumerate -- */

typedef struct Enumerate {
    struct Object head;
    Value iter;              /* [const] */
    ATOMIC(int64_t) index;   /* the next number; INT64_MAX: see big */
    Field big;               /* the next number when it does not fit */
    Field pair;              /* the last tuple yielded, used again if nobody kept it */
} Enumerate;

static Value
enumerate_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "enumerate", .names = {"iterable", "start"}, .positional = 2, .required = 1};
    Value v[2], start = NULL;
    if (nargs == 0 && kwnames == NULL)
        return raise_type_error(th, "enumerate() missing required argument 'iterable'");
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    int64_t index = 0;
    if (v[1] != NULL) {
        start = to_index(th, v[1]);
        if (start == NULL)
            return NULL;
        if (int_fits_i64(start, &index) && index < INT64_MAX)
            DROP_CLEAR(th, start);
        else
            index = INT64_MAX;
    }
    Value result = type_alloc(th, type, 0);
    if (result == NULL) {
        drop_null(th, start);
        return NULL;
    }
    Enumerate *e = (Enumerate *)(void *)value_object(result);
    plain_store(&e->index, index); /* plain: not published yet */
    field_init(&e->big, start);
    e->iter = get_iter(th, v[0]);
    if (e->iter == NULL)
        DROP_CLEAR(th, result);
    return result;
}

/* The next number when it is beyond machine words. */
static Value
enumerate_big(Thread *th, Enumerate *e)
{
    Value n = field_read(th, &e->head, &e->big);
    if (n == NULL && (n = int_from_i64(th, INT64_MAX)) == NULL)
        return NULL;
    Value after = int_add(th, n, value_from_fixnum(1));
    if (after == NULL) {
        drop(th, n);
        return NULL;
    }
    field_replace(th, &e->head, &e->big, after);
    return n;
}

Answer
enumerate_next_pair(Thread *th, Value self, Value *number, Value *item)
{
    Enumerate *e = (Enumerate *)(void *)value_object(self);
    *item = next_item(th, e->iter);
    if (*item == NULL)
        return error_set(th) ? FAILED : NO;
    int64_t i;
    if (LIKELY(iter_step_begin(th, &e->head))) {
        i = load_relaxed(&e->index);
        if (i != INT64_MAX)
            store_relaxed(&e->index, i + 1);
        object_section_end(th);
    } else {
        object_touch(th, &e->head);
        i = load_relaxed(&e->index);
        while (i != INT64_MAX && !cas_relaxed(&e->index, &i, i + 1)) {
        }
    }
    *number = i == INT64_MAX ? enumerate_big(th, e) : int_from_i64(th, i);
    if (LIKELY(*number != NULL))
        return YES;
    drop(th, *item);
    return FAILED;
}

static Value
enumerate_next(Thread *th, Value self)
{
    Enumerate *e = (Enumerate *)(void *)value_object(self);
    Value number, item;
    if (enumerate_next_pair(th, self, &number, &item) != YES)
        return NULL;
    bool alone = iter_alone(th, &e->head);
    Value pair = alone ? field_peek(&e->pair) : NULL;
    if (pair != NULL && object_unique(th, value_object(pair))) {
        Value *items = as_tuple(pair)->items;
        Value old_number = items[0], old_item = items[1];
        items[0] = number;
        items[1] = item;
        retain(th, pair);
        drop(th, old_number);
        drop(th, old_item);
        return pair;
    }
    Value fresh = tuple_new(th, 2);
    if (fresh == NULL) {
        drop(th, number);
        drop(th, item);
        return NULL;
    }
    as_tuple(fresh)->items[0] = number;
    as_tuple(fresh)->items[1] = item;
    if (alone)
        field_replace(th, &e->head, &e->pair, retain(th, fresh));
    return fresh;
}

static Value
enumerate_reduce(Thread *th, Value self)
{
    Enumerate *e = (Enumerate *)(void *)value_object(self);
    int64_t i = load_relaxed(&e->index);
    Value n = i == INT64_MAX ? field_read(th, &e->head, &e->big) : NULL;
    if (n == NULL && (n = int_from_i64(th, i)) == NULL)
        return NULL;
    Value result = NULL, args = tuple_pack(th, 2, e->iter, n);
    drop(th, n);
    if (args != NULL) {
        result = tuple_pack(th, 2, value_of_type(type_of(self)), args);
        drop(th, args);
    }
    return result;
}

HOLDS_BOTH(enumerate, Enumerate, (iter), (big, pair));

static const MethodDef enumerate_methods[] = {
    NATIVE_0("__reduce__", enumerate_reduce, REDUCE_DOC),
    {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

Type enumerate_type;
const TypeSpec enumerate_spec = {
    .name = "enumerate",
    .size = sizeof(Enumerate),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "enumerate(iterable, start=0)\n--\n\n"
           "Return an enumerate object.\n\n"
           "  iterable\n    an object supporting iteration\n\n"
           "The enumerate object yields pairs containing a count (from start, which\n"
           "defaults to zero) and a value yielded by the iterable argument.\n\n"
           "enumerate is useful for obtaining an indexed list:\n"
           "    (0, seq[0]), (1, seq[1]), (2, seq[2]), ...",
    .methods = enumerate_methods,
    .slots = {.iter = iter_self, .next = enumerate_next, .new = enumerate_make},
    .visit = enumerate_visit,
    .dealloc = enumerate_dealloc,
};

/* -- reversed -- */

static Value
reversed_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (kwnames != NULL && type == &reversed_type && !args_no_keywords(th, "reversed", kwnames))
        return NULL;
    if (!args_count(th, "reversed", nargs, 1, 1))
        return NULL;
    Value sequence = arg(args, 0);
    Value method = lookup_special(th, sequence, NAME(__reversed__));
    if (method == NULL && error_set(th))
        return NULL;
    if (method != NULL && method != NONE) {
        Value result = call_0(th, method);
        drop(th, method);
        return result;
    }
    if (method == NONE || !is_sequence(sequence))
        return raise_type_error(th, "'%T' object is not reversible", sequence);
    int64_t n = length_of(th, sequence);
    if (n < 0)
        return NULL;
    if (type == &reversed_type)
        return walk_new(th, SHAPE_REVERSED, sequence, n - 1);
    Value v = type_alloc(th, type, 0);
    if (v != NULL) {
        plain_store(&as_list_iter(v)->index, n - 1); /* plain: not published yet */
        field_init(&as_list_iter(v)->list, retain(th, sequence));
    }
    return v;
}

static Value
reversed_next(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value sequence = field_read(th, &it->head, &it->list);
    if (sequence == NULL)
        return NULL;
    bool alone = iter_alone(th, &it->head);
    int64_t i = load_relaxed(&it->index);
    while (!alone && i >= 0 && !cas_relaxed(&it->index, &i, i - 1)) {
    }
    Value v = NULL;
    if (i >= 0) {
        v = get_item_index(th, sequence, i);
        if (v != NULL && alone)
            store_relaxed(&it->index, i - 1);
    }
    if (v == NULL && (i < 0 || item_missing(th)))
        walk_end(th, it);
    drop(th, sequence);
    return v;
}

static Value
reversed_length_hint(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value sequence = field_read(th, &it->head, &it->list);
    if (sequence == NULL)
        return value_from_fixnum(0);
    int64_t n = length_of(th, sequence), i = load_relaxed(&it->index);
    drop(th, sequence);
    if (n < 0)
        return NULL;
    return value_from_fixnum(n < i ? 0 : i + 1);
}

static Value
reversed_reduce(Thread *th, Value self)
{
    ListIter *it = as_list_iter(self);
    Value type = value_of_type(type_of(self)), sequence = field_read(th, &it->head, &it->list);
    Value args = tuple_pack(th, 1, sequence ? sequence : tuple_empty), result = NULL;
    if (args != NULL) {
        Value index = sequence ? int_from_i64(th, load_relaxed(&it->index)) : NONE;
        if (index != NULL) {
            result = sequence ? tuple_pack(th, 3, type, args, index) : tuple_pack(th, 2, type, args);
            drop(th, index);
        }
        drop(th, args);
    }
    drop_null(th, sequence);
    return result;
}

static Value
reversed_setstate(Thread *th, Value self, Value state)
{
    ListIter *it = as_list_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i))
        return NULL;
    Value sequence = field_read(th, &it->head, &it->list);
    if (sequence != NULL) {
        int64_t n = length_of(th, sequence);
        drop(th, sequence);
        if (n < 0)
            return NULL;
        store_relaxed(&it->index, i < -1 ? -1 : i > n - 1 ? n - 1 : i);
    }
    return NONE;
}

WALK_METHODS(reversed);

Type reversed_type;
const TypeSpec reversed_spec = {
    .name = "reversed",
    .size = sizeof(ListIter),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "reversed(sequence, /)\n--\n\n"
           "Return a reverse iterator over the values of the given sequence.",
    .methods = reversed_methods,
    .slots = {.iter = iter_self, .next = reversed_next, .new = reversed_make},
    .visit = walk_visit,
    .dealloc = walk_dealloc,
};
