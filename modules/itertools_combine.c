/* itertools_combine.c -- product, combinations, combinations_with_replacement, permutations.
 *
 * All four are one structure: pools of items that do not change, and an array of indices that is
 * stepped.  The step is C only; it is made under the object lock, and the indices are copied there,
 * so that each thread builds its own tuple.
 */
#include "modules/itertools_priv.h"

typedef struct Combine {
    struct Object head;
    Value pools;        /* [const] product: a tuple of tuples; else the pool itself */
    int64_t n;          /* [const] items of the pool; product: number of pools */
    int64_t r;          /* [const] items of a result */
    int64_t count;      /* [const] words at `indices`, the cycles among them */
    int64_t *indices;   /* [lock] product, combinations: r of them; permutations: n */
    int64_t *cycles;    /* [lock] permutations: r, behind the indices; else NULL */
    bool started;       /* [lock] a result was made */
    bool stopped;       /* [lock] */
    uint8_t kept;       /* [owner] how often the last tuple could not be used again */
    Field result;       /* the last tuple, used again if nobody kept it */
} Combine;

/* Goes to the next state; returns the first position of the result that changed, or -1 at the
 * end.  The iterator is locked or alone. */
typedef int64_t (*StepFn)(Combine *c);

static inline Combine *
as_combine(Value v)
{
    return (Combine *)(void *)value_object(v);
}

/* A new iterator with `count` indices; takes `pools` over. */
static Value
combine_new(Thread *th, Type *type, Value STEALS pools, int64_t n, int64_t r, int64_t count,
            int64_t cycles)
{
    int64_t *indices = NULL;
    if (count < 0 || cycles < 0 || (uint64_t)count + (uint64_t)cycles > SIZE_MAX / 32)
        raise_memory(th);
    else
        indices = buffer_new_zeroed(th, ((size_t)count + (size_t)cycles + 1) * sizeof *indices);
    Value v = indices ? type_alloc(th, type, 0) : NULL;
    if (v == NULL) {
        buffer_free(indices);
        drop(th, pools);
        return NULL;
    }
    Combine *c = as_combine(v);
    c->pools = pools;
    c->n = n;
    c->r = r;
    c->count = count + cycles;
    c->indices = indices;
    c->cycles = cycles ? indices + count : NULL;
    return v;
}

/* The item that index `index` stands for at position i of the result. */
static inline Value
combine_item(const Combine *c, bool is_product, int64_t i, int64_t index)
{
    return tuple_item(is_product ? tuple_item(c->pools, i) : c->pools, index);
}

/* A tuple of the items at r indices. */
static Value
combine_build(Thread *th, const Combine *c, bool is_product, const int64_t *indices)
{
    Value t = tuple_new(th, (size_t)c->r);
    for (int64_t i = 0; t != NULL && i < c->r; i++)
        tuple_init_item(t, i, retain(th, combine_item(c, is_product, i, indices[i])));
    return t;
}

static Value
combine_next(Thread *th, Value self, bool is_product, StepFn step)
{
    Combine *c = as_combine(self);
    const int64_t *indices = c->indices;
    int64_t few[16], *copy = few;
    bool threads = load_relaxed(&threads_started) != 0, held = false;
    if (threads) {
        if (UNLIKELY(c->r > (int64_t)ARRAY_LEN(few)) &&
            (copy = buffer_new(th, (size_t)c->r * sizeof *copy)) == NULL)
            return NULL;
        indices = copy;
        held = object_touch_lock(th, &c->head);
    }
    int64_t from = 0;
    if (!c->started)
        c->started = !c->stopped;
    else if (!c->stopped && (from = step(c)) < 0)
        c->stopped = true;
    bool more = !c->stopped;
    if (threads) {
        for (int64_t i = 0; more && i < c->r; i++)
            copy[i] = c->indices[i];
        object_unlock(&c->head, held);
    }

    Value t = NULL;
    if (UNLIKELY(!more)) {
        field_replace(th, &c->head, &c->result, NULL);
    } else {
        /* A loop that keeps each result until it has the next one never lets a tuple be used
         * again: after some attempts it is not tried any more.  Nobody else has stepped an
         * iterator that is still alone, so the tuple lacks the positions after `from`. */
        bool again = c->r > 0 && iter_alone(th, &c->head) && c->kept < 4;
        Value items[16];
        bool fits = c->r - from <= (int64_t)ARRAY_LEN(items);
        t = again && fits ? result_reuse(th, &c->head, &c->result) : NULL;
        if (t != NULL) {
            for (int64_t i = from; i < c->r; i++)
                items[i - from] = retain(th, combine_item(c, is_product, i, indices[i]));
            tuple_exchange(th, t, from, items, (size_t)(c->r - from));
        } else {
            t = combine_build(th, c, is_product, indices);
            if (again && t != NULL) {
                if (++c->kept < 4)
                    result_keep(th, &c->head, &c->result, t);
                else
                    field_replace(th, &c->head, &c->result, NULL);
            }
        }
    }
    if (UNLIKELY(copy != few))
        buffer_free(copy);
    return t;
}

/* `count` ints as a tuple. */
static Value
indices_tuple(Thread *th, const int64_t *indices, int64_t count)
{
    Value t = tuple_new(th, (size_t)count);
    for (int64_t i = 0; t != NULL && i < count; i++)
        tuple_init_item(t, i, value_from_fixnum(indices[i]));
    return t;
}

/* What __reduce__() needs, read at one moment; *indices, a copy of all words, is for buffer_free(). */
RAISES static bool
combine_state(Thread *th, Combine *c, bool *started, bool *stopped, int64_t **indices)
{
    size_t size = (size_t)c->count * sizeof **indices;
    *indices = buffer_new(th, size + sizeof **indices);
    if (*indices == NULL)
        return false;
    bool held = object_touch_lock(th, &c->head);
    *started = c->started;
    *stopped = c->stopped;
    memcpy(*indices, c->indices, size);
    object_unlock(&c->head, held);
    return true;
}

static void
raise_invalid(Thread *th)
{
    raise_value_error(th, "invalid arguments");
}

/* Reads `count` ints of a state tuple into `out`, each brought into low .. high(i). */
RAISES static bool
indices_from(Thread *th, Value state, int64_t count, int64_t *out)
{
    for (int64_t i = 0; i < count; i++) {
        if (!arg_ssize(th, tuple_item(state, i), &out[i]))
            return false;
    }
    return true;
}

static inline int64_t
clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static void
combine_visit(Object *o, VisitFn visit, void *arg)
{
    value_visit(((Combine *)(void *)o)->pools, visit, arg);
    field_visit(&((Combine *)(void *)o)->result, visit, arg);
}

static void
combine_dealloc(Thread *th, Object *o)
{
    Combine *c = (Combine *)(void *)o;
    drop_null(th, c->pools);
    field_drop(th, &c->result);
    buffer_free(c->indices);
    c->indices = NULL;
}

static Value
combine_sizeof(Thread *th, Value self)
{
    Combine *c = as_combine(self);
    size_t count = (size_t)(c->cycles ? c->n + c->r : c->r);
    return int_from_size(th, object_ops(&c->head)->cell_size + count * sizeof(int64_t));
}

#define SIZEOF NATIVE_0("__sizeof__", combine_sizeof, "Returns size in memory, in bytes.")

/* -- product -- */

static Value
product_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "product", .names = {"repeat"}};
    int64_t repeat = 1;
    if (kwnames != NULL) {
        Value v[1];
        if (!args_bind(th, &params, args + nargs, 0, kwnames, v) || !arg_ssize(th, v[0], &repeat))
            return NULL;
        if (repeat < 0)
            return raise_value_error(th, "repeat argument cannot be negative");
    }
    if (repeat == 0)
        nargs = 0;
    else if (nargs > (size_t)(INT64_MAX / 8) / (size_t)repeat)
        return raise_overflow(th, "repeat argument too large");
    size_t n = nargs * (size_t)repeat;
    Value pools = tuple_new(th, n);
    if (pools == NULL)
        return NULL;
    bool empty = false;
    for (size_t i = 0; i < nargs; i++) {
        Value pool = sequence_tuple(th, arg(args, i));
        if (pool == NULL) {
            drop(th, pools);
            return NULL;
        }
        empty = empty || tuple_length(pool) == 0;
        tuple_init_item(pools, (int64_t)i, pool);
    }
    for (size_t i = nargs; i < n; i++)
        tuple_init_item(pools, (int64_t)i, retain(th, tuple_item(pools, (int64_t)(i - nargs))));
    Value v = combine_new(th, type, pools, (int64_t)n, (int64_t)n, (int64_t)n, 0);
    if (v != NULL)
        as_combine(v)->stopped = empty;
    return v;
}

static int64_t
product_step(Combine *c)
{
    for (int64_t i = c->r - 1; i >= 0; i--) {
        if (++c->indices[i] < tuple_length(tuple_item(c->pools, i)))
            return i;
        c->indices[i] = 0;
    }
    return -1;
}

static Value
product_next(Thread *th, Value self)
{
    return combine_next(th, self, true, product_step);
}

static Value
product_reduce(Thread *th, Value self)
{
    Combine *c = as_combine(self);
    bool started, stopped;
    int64_t *indices;
    if (!combine_state(th, c, &started, &stopped, &indices))
        return NULL;
    Value result;
    if (stopped)
        result = reduce_2(th, self, tuple_pack(th, 1, tuple_empty));
    else if (!started)
        result = reduce_2(th, self, retain(th, c->pools));
    else
        result = reduce_3(th, self, retain(th, c->pools), indices_tuple(th, indices, c->r));
    buffer_free(indices);
    return result;
}

static Value
product_setstate(Thread *th, Value self, Value state)
{
    Combine *c = as_combine(self);
    if (!is_tuple(state) || tuple_length(state) != c->r) {
        raise_invalid(th);
        return NULL;
    }
    int64_t *fresh = buffer_new(th, ((size_t)c->r + 1) * sizeof *fresh);
    if (fresh == NULL || !indices_from(th, state, c->r, fresh)) {
        buffer_free(fresh);
        return NULL;
    }
    bool held = object_touch_lock(th, &c->head);
    for (int64_t i = 0; i < c->r; i++) {
        int64_t length = tuple_length(tuple_item(c->pools, i));
        if (length == 0)
            c->stopped = true;
        else
            c->indices[i] = clamp(fresh[i], 0, length - 1);
    }
    c->started = true;
    object_unlock(&c->head, held);
    field_replace(th, &c->head, &c->result, NULL);
    buffer_free(fresh);
    return NONE;
}

static const MethodDef product_methods[] = {
    REDUCE(product_reduce),
    SETSTATE(product_setstate),
    SIZEOF,
    NATIVE_END,
};

Type itertools_product_type;
const TypeSpec itertools_product_spec = {
    ITERTOOL(product, Combine),
    .flags = TYPE_BASE,
    .doc = "product(*iterables, repeat=1) --> product object\n\n"
           "Cartesian product of input iterables.  Equivalent to nested for-loops.\n\n"
           "For example, product(A, B) returns the same as:  ((x,y) for x in A for y in B).\n"
           "The leftmost iterators are in the outermost for-loop, so the output tuples\n"
           "cycle in a manner similar to an odometer (with the rightmost element changing\n"
           "on every iteration).\n\n"
           "To compute the product of an iterable with itself, specify the number\n"
           "of repetitions with the optional repeat keyword argument. For example,\n"
           "product(A, repeat=4) means the same as product(A, A, A, A).\n\n"
           "product('ab', range(3)) --> ('a',0) ('a',1) ('a',2) ('b',0) ('b',1) ('b',2)\n"
           "product((0,1), (0,1), (0,1)) --> (0,0,0) (0,0,1) (0,1,0) (0,1,1) (1,0,0) ...",
    .methods = product_methods,
    .slots = {.iter = iter_self, .next = product_next, .new = product_make},
    .visit = combine_visit,
    .dealloc = combine_dealloc,
};

/* -- combinations, with and without replacement -- */

/* Binds (iterable, r): the pool as a tuple, and r. */
RAISES static bool
pool_and_r(Thread *th, const ParamSpec *params, const Arg *args, size_t nargs, Value kwnames,
           Value *pool, int64_t *r)
{
    Value v[2];
    if (!args_bind(th, params, args, nargs, kwnames, v) || !arg_ssize(th, v[1], r))
        return false;
    *pool = sequence_tuple(th, v[0]);
    if (*pool != NULL && *r < 0) {
        raise_value_error(th, "r must be non-negative");
        DROP_CLEAR(th, *pool);
    }
    return *pool != NULL;
}

static Value
combinations_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "combinations", .names = {"iterable", "r"}, .positional = 2, .required = 2};
    Value pool;
    int64_t r;
    if (!pool_and_r(th, &params, args, nargs, kwnames, &pool, &r))
        return NULL;
    int64_t n = tuple_length(pool);
    Value v = combine_new(th, type, pool, n, r, r, 0);
    if (v != NULL) {
        for (int64_t i = 0; i < r; i++)
            as_combine(v)->indices[i] = i;
        as_combine(v)->stopped = r > n;
    }
    return v;
}

static int64_t
combinations_step(Combine *c)
{
    int64_t i = c->r - 1;
    while (i >= 0 && c->indices[i] == i + c->n - c->r)
        i--;
    if (i < 0)
        return -1;
    c->indices[i]++;
    for (int64_t k = i + 1; k < c->r; k++)
        c->indices[k] = c->indices[k - 1] + 1;
    return i;
}

static Value
combinations_next(Thread *th, Value self)
{
    return combine_next(th, self, false, combinations_step);
}

/* For both: (type, (pool, r)) and the indices. */
static Value
combinations_reduce(Thread *th, Value self)
{
    Combine *c = as_combine(self);
    bool started, stopped;
    int64_t *indices;
    if (!combine_state(th, c, &started, &stopped, &indices))
        return NULL;
    Value args = tuple_pack(th, 2, started && stopped ? tuple_empty : c->pools,
                            value_from_fixnum(c->r));
    Value result = !started || stopped
                       ? reduce_2(th, self, args)
                       : reduce_3(th, self, args, indices_tuple(th, indices, c->r));
    buffer_free(indices);
    return result;
}

static Value
combinations_set(Thread *th, Value self, Value state, bool replacement)
{
    Combine *c = as_combine(self);
    if (!is_tuple(state) || tuple_length(state) != c->r) {
        raise_invalid(th);
        return NULL;
    }
    int64_t *fresh = buffer_new(th, ((size_t)c->r + 1) * sizeof *fresh);
    if (fresh == NULL || !indices_from(th, state, c->r, fresh)) {
        buffer_free(fresh);
        return NULL;
    }
    bool held = object_touch_lock(th, &c->head);
    bool possible = replacement ? c->n > 0 : c->r <= c->n;
    for (int64_t i = 0; possible && i < c->r; i++)
        c->indices[i] = clamp(fresh[i], 0, replacement ? c->n - 1 : i + c->n - c->r);
    c->started = true;
    object_unlock(&c->head, held);
    field_replace(th, &c->head, &c->result, NULL);
    buffer_free(fresh);
    return NONE;
}

static Value
combinations_setstate(Thread *th, Value self, Value state)
{
    return combinations_set(th, self, state, false);
}

static const MethodDef combinations_methods[] = {
    REDUCE(combinations_reduce),
    SETSTATE(combinations_setstate),
    SIZEOF,
    NATIVE_END,
};

Type itertools_combinations_type;
const TypeSpec itertools_combinations_spec = {
    ITERTOOL(combinations, Combine),
    .flags = TYPE_BASE,
    .doc = "combinations(iterable, r)\n--\n\n"
           "Return successive r-length combinations of elements in the iterable.\n\n"
           "combinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)",
    .methods = combinations_methods,
    .slots = {.iter = iter_self, .next = combinations_next, .new = combinations_make},
    .visit = combine_visit,
    .dealloc = combine_dealloc,
};

static Value
replacement_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "combinations_with_replacement",
                                     .names = {"iterable", "r"},
                                     .positional = 2,
                                     .required = 2};
    Value pool;
    int64_t r;
    if (!pool_and_r(th, &params, args, nargs, kwnames, &pool, &r))
        return NULL;
    int64_t n = tuple_length(pool);
    Value v = combine_new(th, type, pool, n, r, r, 0);
    if (v != NULL)
        as_combine(v)->stopped = n == 0 && r > 0;
    return v;
}

static int64_t
replacement_step(Combine *c)
{
    int64_t i = c->r - 1;
    while (i >= 0 && c->indices[i] == c->n - 1)
        i--;
    if (i < 0)
        return -1;
    int64_t index = c->indices[i] + 1;
    for (int64_t k = i; k < c->r; k++)
        c->indices[k] = index;
    return i;
}

static Value
replacement_next(Thread *th, Value self)
{
    return combine_next(th, self, false, replacement_step);
}

static Value
replacement_setstate(Thread *th, Value self, Value state)
{
    return combinations_set(th, self, state, true);
}

static const MethodDef replacement_methods[] = {
    REDUCE(combinations_reduce),
    SETSTATE(replacement_setstate),
    SIZEOF,
    NATIVE_END,
};

Type itertools_combinations_with_replacement_type;
const TypeSpec itertools_combinations_with_replacement_spec = {
    ITERTOOL(combinations_with_replacement, Combine),
    .flags = TYPE_BASE,
    .doc = "combinations_with_replacement(iterable, r)\n--\n\n"
           "Return successive r-length combinations of elements in the iterable allowing "
           "individual elements to have successive repeats.\n\n"
           "combinations_with_replacement('ABC', 2) --> "
           "('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')",
    .methods = replacement_methods,
    .slots = {.iter = iter_self, .next = replacement_next, .new = replacement_make},
    .visit = combine_visit,
    .dealloc = combine_dealloc,
};

/* -- permutations -- */

static Value
permutations_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "permutations", .names = {"iterable", "r"}, .positional = 2, .required = 1};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value pool = sequence_tuple(th, v[0]);
    if (pool == NULL)
        return NULL;
    int64_t n = tuple_length(pool), r = n;
    if (v[1] != NULL && v[1] != NONE) {
        if (!is_int(v[1]))
            raise_type_error(th, "Expected int as r");
        else if (arg_ssize(th, v[1], &r) && r < 0)
            raise_value_error(th, "r must be non-negative");
        if (error_set(th)) {
            drop(th, pool);
            return NULL;
        }
    }
    /* The indices are also read as those of the result, so there must be r of them. */
    Value self = combine_new(th, type, pool, n, r, n > r ? n : r, r);
    if (self != NULL) {
        Combine *c = as_combine(self);
        for (int64_t i = 0; i < n; i++)
            c->indices[i] = i;
        for (int64_t i = 0; i < r; i++)
            c->cycles[i] = n - i;
        c->stopped = r > n;
    }
    return self;
}

static int64_t
permutations_step(Combine *c)
{
    for (int64_t i = c->r - 1; i >= 0; i--) {
        if (--c->cycles[i] == 0) {
            int64_t first = c->indices[i];
            for (int64_t k = i; k + 1 < c->n; k++)
                c->indices[k] = c->indices[k + 1];
            c->indices[c->n - 1] = first;
            c->cycles[i] = c->n - i;
        } else {
            int64_t k = c->n - c->cycles[i], swap = c->indices[i];
            c->indices[i] = c->indices[k];
            c->indices[k] = swap;
            return i;
        }
    }
    return -1;
}

static Value
permutations_next(Thread *th, Value self)
{
    return combine_next(th, self, false, permutations_step);
}

static Value
permutations_reduce(Thread *th, Value self)
{
    Combine *c = as_combine(self);
    bool started, stopped;
    int64_t *now;
    if (!combine_state(th, c, &started, &stopped, &now))
        return NULL;
    Value args = tuple_pack(th, 2, started && stopped ? tuple_empty : c->pools,
                            value_from_fixnum(c->r));
    if (!started || stopped) {
        buffer_free(now);
        return reduce_2(th, self, args);
    }
    Value indices = indices_tuple(th, now, c->n);
    Value cycles = indices ? indices_tuple(th, now + (c->count - c->r), c->r) : NULL;
    Value state = cycles ? tuple_pack(th, 2, indices, cycles) : NULL;
    drop_null(th, indices);
    drop_null(th, cycles);
    buffer_free(now);
    return reduce_3(th, self, args, state);
}

static Value
permutations_setstate(Thread *th, Value self, Value state)
{
    Combine *c = as_combine(self);
    if (!state_check(th, state, 2))
        return NULL;
    Value indices = tuple_item(state, 0), cycles = tuple_item(state, 1);
    if (!is_tuple(indices) || !is_tuple(cycles) || tuple_length(indices) != c->n ||
        tuple_length(cycles) != c->r) {
        raise_invalid(th);
        return NULL;
    }
    int64_t *fresh = buffer_new(th, ((size_t)c->n + (size_t)c->r + 1) * sizeof *fresh);
    if (fresh == NULL || !indices_from(th, indices, c->n, fresh) ||
        !indices_from(th, cycles, c->r, fresh + c->n)) {
        buffer_free(fresh);
        return NULL;
    }
    bool held = object_touch_lock(th, &c->head);
    for (int64_t i = 0; i < c->n; i++)
        c->indices[i] = clamp(fresh[i], 0, c->n - 1);
    for (int64_t i = 0; i < c->r && c->r <= c->n; i++)
        c->cycles[i] = clamp(fresh[c->n + i], 1, c->n - i);
    c->started = true;
    object_unlock(&c->head, held);
    field_replace(th, &c->head, &c->result, NULL);
    buffer_free(fresh);
    return NONE;
}

static const MethodDef permutations_methods[] = {
    REDUCE(permutations_reduce),
    SETSTATE(permutations_setstate),
    SIZEOF,
    NATIVE_END,
};

Type itertools_permutations_type;
const TypeSpec itertools_permutations_spec = {
    ITERTOOL(permutations, Combine),
    .flags = TYPE_BASE,
    .doc = "permutations(iterable, r=None)\n--\n\n"
           "Return successive r-length permutations of elements in the iterable.\n\n"
           "permutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)",
    .methods = permutations_methods,
    .slots = {.iter = iter_self, .next = permutations_next, .new = permutations_make},
    .visit = combine_visit,
    .dealloc = combine_dealloc,
};
