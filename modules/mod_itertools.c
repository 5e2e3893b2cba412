/* mod_itertools.c -- module itertools: the iterators over one or two others, count, repeat, cycle,
 * chain, islice, accumulate; the others are in itertools_combine.c and itertools_group.c.
 *
 * Locks and sharing: see itertools_priv.h.
 */
#include "modules/itertools_priv.h"
#include "gc/holds.h"

/* -- helpers -- */

Value
reduce_2(Thread *th, Value self, Value args)
{
    if (args == NULL)
        return NULL;
    Value result = tuple_pack(th, 2, value_of_type(type_of(self)), args);
    drop(th, args);
    return result;
}

Value
reduce_3(Thread *th, Value self, Value args, Value state)
{
    Value result = NULL;
    if (args != NULL && state != NULL)
        result = tuple_pack(th, 3, value_of_type(type_of(self)), args, state);
    drop_null(th, args);
    drop_null(th, state);
    return result;
}

bool
state_check(Thread *th, Value state, int64_t items)
{
    if (!is_tuple(state)) {
        raise_type_error(th, "state is not a tuple");
        return false;
    }
    if (tuple_length(state) != items) {
        raise_type_error(th, "function takes exactly %lld argument%s (%lld given)",
                         (long long)items, items == 1 ? "" : "s",
                         (long long)tuple_length(state));
        return false;
    }
    return true;
}

bool
no_keywords(Thread *th, const char *name, Type *type, Type *own, Value kwnames)
{
    if (kwnames == NULL || (type != own && SLOT(type, init) != SLOT(&object_type, init)))
        return true;
    return args_no_keywords(th, name, kwnames);
}

/* -- iterators that hold a function and an iterator: the plain ones -- */

typedef struct Pair {
    struct Object head;
    Value first, second;   /* [const] function and iterator, or two iterators */
    ATOMIC(uint8_t) flag;  /* dropwhile: dropping is over; takewhile: taking is over */
} Pair;

static inline Pair *
as_pair(Value v)
{
    return (Pair *)(void *)value_object(v);
}

HOLDS_VALUES(pair, Pair, first, second);

static Value
pair_new(Thread *th, Type *type, Value STEALS first, Value STEALS second)
{
    Value v = first && second ? type_alloc(th, type, 0) : NULL;
    if (v == NULL) {
        drop_null(th, first);
        drop_null(th, second);
        return NULL;
    }
    as_pair(v)->first = first;
    as_pair(v)->second = second;
    return v;
}

/* The constructor of (function, iterable). */
static Value
pair_make(Thread *th, const char *name, Type *type, Type *own, const Arg *args, size_t nargs,
          Value kwnames)
{
    if (!no_keywords(th, name, type, own, kwnames) || !args_count(th, name, nargs, 2, 2))
        return NULL;
    Value it = get_iter(th, arg(args, 1));
    return it ? pair_new(th, type, retain(th, arg(args, 0)), it) : NULL;
}

static Value
pair_reduce(Thread *th, Value self)
{
    return reduce_2(th, self, tuple_pack(th, 2, as_pair(self)->first, as_pair(self)->second));
}

static Value
pair_reduce_flag(Thread *th, Value self)
{
    return reduce_3(th, self, tuple_pack(th, 2, as_pair(self)->first, as_pair(self)->second),
                    value_from_fixnum(load_relaxed(&as_pair(self)->flag)));
}

static Value
pair_setstate_flag(Thread *th, Value self, Value state)
{
    Answer flag = is_true(th, state);
    if (flag == FAILED)
        return NULL;
    store_relaxed(&as_pair(self)->flag, flag == YES);
    return NONE;
}

/* The truth of function(v). */
static Answer
predicate(Thread *th, Value function, Value v)
{
    Value verdict = call_1(th, function, v);
    if (verdict == NULL)
        return FAILED;
    Answer answer = is_true(th, verdict);
    drop(th, verdict);
    return answer;
}

static const MethodDef pair_methods[] = {
    REDUCE(pair_reduce),
    NATIVE_END,
};

static const MethodDef pair_flag_methods[] = {
    REDUCE(pair_reduce_flag),
    SETSTATE(pair_setstate_flag),
    NATIVE_END,
};

#define PAIR_TYPE(symbol, method_table, text)                                                      \
    Type itertools_##symbol##_type;                                                                \
    const TypeSpec itertools_##symbol##_spec = {                                                   \
        ITERTOOL(symbol, Pair),                                                                    \
        .flags = TYPE_BASE,                                                                        \
        .doc = text,                                                                               \
        .methods = method_table,                                                                   \
        .slots = {.iter = iter_self, .next = symbol##_next, .new = symbol##_make},                 \
        .visit = pair_visit,                                                                       \
        .dealloc = pair_dealloc,                                                                   \
    }

#define PAIR_MAKE(symbol)                                                                          \
    static Value symbol##_make(Thread *th, Type *type, const Arg *args, size_t nargs,              \
                               Value kwnames)                                                      \
    {                                                                                              \
        return pair_make(th, #symbol, type, &itertools_##symbol##_type, args, nargs, kwnames);     \
    }

PAIR_MAKE(dropwhile)
PAIR_MAKE(takewhile)
PAIR_MAKE(filterfalse)
PAIR_MAKE(starmap)

static Value
dropwhile_next(Thread *th, Value self)
{
    Pair *p = as_pair(self);
    for (size_t step = 0;; step++) {
        Value v = next_item(th, p->second);
        if (v == NULL || load_relaxed(&p->flag))
            return v;
        Answer dropping = predicate(th, p->first, v);
        if (dropping == NO) {
            store_relaxed(&p->flag, 1);
            return v;
        }
        drop(th, v);
        if (dropping == FAILED || !loop_poll(th, step))
            return NULL;
    }
}

static Value
takewhile_next(Thread *th, Value self)
{
    Pair *p = as_pair(self);
    if (load_relaxed(&p->flag))
        return NULL;
    Value v = next_item(th, p->second);
    if (v == NULL)
        return NULL;
    Answer taking = predicate(th, p->first, v);
    if (taking == YES)
        return v;
    drop(th, v);
    if (taking == NO)
        store_relaxed(&p->flag, 1);
    return NULL;
}

static Value
filterfalse_next(Thread *th, Value self)
{
    Pair *p = as_pair(self);
    bool by_truth = p->first == NONE || p->first == value_of_type(&bool_type);
    for (size_t step = 0;; step++) {
        Value v = next_item(th, p->second);
        if (v == NULL)
            return NULL;
        Answer good = by_truth ? is_true(th, v) : predicate(th, p->first, v);
        if (good == NO)
            return v;
        drop(th, v);
        if (good == FAILED || !loop_poll(th, step))
            return NULL;
    }
}

static Value
starmap_next(Thread *th, Value self)
{
    Pair *p = as_pair(self);
    Value args = next_item(th, p->second);
    if (args == NULL)
        return NULL;
    if (!is_exact(args, SHAPE_TUPLE)) {
        Value tuple = sequence_tuple(th, args);
        drop(th, args);
        args = tuple;
        if (args == NULL)
            return NULL;
    }
    Value result = call(th, p->first, args_of(as_tuple(args)->items), (size_t)tuple_length(args),
                        NULL);
    drop(th, args);
    return result;
}

PAIR_TYPE(dropwhile, pair_flag_methods,
          "dropwhile(predicate, iterable, /)\n--\n\n"
          "Drop items from the iterable while predicate(item) is true.\n\n"
          "Afterwards, return every element until the iterable is exhausted.");
PAIR_TYPE(takewhile, pair_flag_methods,
          "takewhile(predicate, iterable, /)\n--\n\n"
          "Return successive entries from an iterable as long as the predicate evaluates to true "
          "for each entry.");
PAIR_TYPE(filterfalse, pair_methods,
          "filterfalse(function, iterable, /)\n--\n\n"
          "Return those items of iterable for which function(item) is false.\n\n"
          "If function is None, return the items that are false.");
PAIR_TYPE(starmap, pair_methods,
          "starmap(function, iterable, /)\n--\n\n"
          "Return an iterator whose values are returned from the function evaluated with an "
          "argument tuple taken from the given sequence.");

/* -- compress -- */

static Value
compress_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "compress", .names = {"data", "selectors"}, .positional = 2, .required = 2};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value data = get_iter(th, v[0]);
    return data ? pair_new(th, type, data, get_iter(th, v[1])) : NULL;
}

static Value
compress_next(Thread *th, Value self)
{
    Pair *p = as_pair(self);
    for (size_t step = 0;; step++) {
        Value v = next_item(th, p->first);
        if (v == NULL)
            return NULL;
        Value selector = next_item(th, p->second);
        Answer selected = selector ? is_true(th, selector) : FAILED;
        drop_null(th, selector);
        if (selected == YES)
            return v;
        drop(th, v);
        if (selected == FAILED || !loop_poll(th, step))
            return NULL;
    }
}

PAIR_TYPE(compress, pair_methods,
          "compress(data, selectors)\n--\n\n"
          "Return data elements corresponding to true selector elements.\n\n"
          "Forms a shorter iterator from selected data elements using the selectors to\n"
          "choose the data elements.");

/* -- count -- */

typedef struct Count {
    struct Object head;
    ATOMIC(int64_t) next; /* the next number; INT64_MAX: see big */
    Field big;            /* the next value when it or the step is not a small int */
    Value step;           /* [const] */
} Count;

static inline Count *
as_count(Value v)
{
    return (Count *)(void *)value_object(v);
}

static bool
is_number(Value v)
{
    const TypeSlots *s = &type_of(v)->s;
    return is_int(v) || s->index != NULL || s->to_int != NULL || s->to_float != NULL ||
           is_complex(v);
}

static Value
count_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "count", .names = {"start", "step"}, .positional = 2};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if ((v[0] != NULL && !is_number(v[0])) || (v[1] != NULL && !is_number(v[1])))
        return raise_type_error(th, "a number is required");
    Value start = v[0] ? v[0] : value_from_fixnum(0), step = v[1] ? v[1] : value_from_fixnum(1);
    Value self = type_alloc(th, type, 0);
    if (self == NULL)
        return NULL;
    Count *c = as_count(self);
    c->step = retain(th, step);
    int64_t next;
    bool small = step == value_from_fixnum(1) && is_exact(start, SHAPE_INT) &&
                 int_fits_i64(start, &next) && next < INT64_MAX;
    plain_store(&c->next, small ? next : INT64_MAX); /* plain: not published yet */
    if (!small)
        field_init(&c->big, retain(th, start));
    return self;
}

/* The next value, not stepped. */
static Value
count_value(Thread *th, Count *c)
{
    int64_t n = load_relaxed(&c->next);
    if (n != INT64_MAX)
        return int_from_i64(th, n);
    Value v = field_read(th, &c->head, &c->big);
    return v ? v : int_from_i64(th, INT64_MAX);
}

static Value
count_next_big(Thread *th, Count *c)
{
    for (;;) {
        Value seen = field_read(th, &c->head, &c->big);
        Value v = seen ? retain(th, seen) : int_from_i64(th, INT64_MAX);
        Value after = v ? number_add(th, v, c->step) : NULL;
        if (after == NULL) {
            drop_null(th, seen);
            drop_null(th, v);
            return NULL;
        }
        bool held = object_lock(&c->head);
        bool same = load_relaxed(&c->big) == seen; /* held: no other object has its address */
        if (same)
            store_release(&c->big, after); /* pairs with field_read() [field] */
        bool shared = (object_bits(&c->head) & BIT_SHARED) != 0;
        object_unlock(&c->head, held);
        if (same)
            drop_from(th, shared, seen); /* the field's reference */
        else
            drop(th, after);
        drop_null(th, seen);
        if (same)
            return v;
        drop(th, v);
    }
}

static Value
count_next(Thread *th, Value self)
{
    Count *c = as_count(self);
    int64_t n;
    if (LIKELY(iter_step_begin(th, &c->head))) {
        n = load_relaxed(&c->next);
        if (LIKELY(n != INT64_MAX))
            store_relaxed(&c->next, n + 1);
        object_section_end(th);
    } else {
        object_touch(th, &c->head);
        n = load_relaxed(&c->next);
        while (n != INT64_MAX && !cas_relaxed(&c->next, &n, n + 1)) {
        }
    }
    return n != INT64_MAX ? int_from_i64(th, n) : count_next_big(th, c);
}

static Value
count_repr(Thread *th, Value self)
{
    Count *c = as_count(self);
    Value v = count_value(th, c), text = NULL;
    if (v != NULL) {
        text = c->step == value_from_fixnum(1) ? str_format_c(th, "count(%R)", v)
                                               : str_format_c(th, "count(%R, %R)", v, c->step);
        drop(th, v);
    }
    return text;
}

static Value
count_reduce(Thread *th, Value self)
{
    Count *c = as_count(self);
    bool small = load_relaxed(&c->next) != INT64_MAX;
    Value v = count_value(th, c);
    if (v == NULL)
        return NULL;
    Value args = small ? tuple_pack(th, 1, v) : tuple_pack(th, 2, v, c->step);
    drop(th, v);
    return reduce_2(th, self, args);
}

HOLDS_BOTH(count, Count, (step), (big));

static const MethodDef count_methods[] = {
    REDUCE(count_reduce),
    NATIVE_END,
};

Type itertools_count_type;
const TypeSpec itertools_count_spec = {
    ITERTOOL(count, Count),
    .flags = TYPE_BASE,
    .doc = "count(start=0, step=1)\n--\n\n"
           "Return a count object whose .__next__() method returns consecutive values.\n\n"
           "Equivalent to:\n    def count(firstval=0, step=1):\n        x = firstval\n"
           "        while 1:\n            yield x\n            x += step",
    .methods = count_methods,
    .slots = {.repr = count_repr, .iter = iter_self, .next = count_next, .new = count_make},
    .visit = count_visit,
    .dealloc = count_dealloc,
};

/* -- repeat -- */

typedef struct Repeat {
    struct Object head;
    Value element;        /* [const] */
    ATOMIC(int64_t) left; /* -1: without end */
} Repeat;

static inline Repeat *
as_repeat(Value v)
{
    return (Repeat *)(void *)value_object(v);
}

static Value
repeat_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "repeat", .names = {"object", "times"}, .positional = 2, .required = 1};
    Value v[2];
    int64_t left = -1;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_ssize(th, v[1], &left))
        return NULL;
    if (v[1] != NULL && left < 0)
        left = 0;
    Value self = type_alloc(th, type, 0);
    if (self != NULL) {
        as_repeat(self)->element = retain(th, v[0]);
        plain_store(&as_repeat(self)->left, left); /* plain: not published yet */
    }
    return self;
}

static Value
repeat_next(Thread *th, Value self)
{
    Repeat *r = as_repeat(self);
    int64_t left = load_relaxed(&r->left);
    if (left < 0) /* for ever */
        return retain(th, r->element);
    if (LIKELY(iter_step_begin(th, &r->head))) {
        left = load_relaxed(&r->left);
        if (LIKELY(left > 0))
            store_relaxed(&r->left, left - 1);
        object_section_end(th);
    } else {
        object_touch(th, &r->head);
        left = load_relaxed(&r->left);
        while (left > 0 && !cas_relaxed(&r->left, &left, left - 1)) {
        }
    }
    return LIKELY(left > 0) ? retain(th, r->element) : NULL;
}

static Value
repeat_repr(Thread *th, Value self)
{
    Repeat *r = as_repeat(self);
    int64_t left = load_relaxed(&r->left);
    if (left < 0)
        return str_format_c(th, "repeat(%R)", r->element);
    return str_format_c(th, "repeat(%R, %lld)", r->element, (long long)left);
}

static Value
repeat_length_hint(Thread *th, Value self)
{
    int64_t left = load_relaxed(&as_repeat(self)->left);
    if (left < 0)
        return raise_type_error(th, "len() of unsized object");
    return int_from_i64(th, left);
}

static Value
repeat_reduce(Thread *th, Value self)
{
    Repeat *r = as_repeat(self);
    int64_t left = load_relaxed(&r->left);
    return reduce_2(th, self, left < 0 ? tuple_pack(th, 1, r->element)
                                       : tuple_pack(th, 2, r->element, value_from_fixnum(left)));
}

HOLDS_VALUES(repeat, Repeat, element);

static const MethodDef repeat_methods[] = {
    NATIVE_0("__length_hint__", repeat_length_hint,
             "Private method returning an estimate of len(list(it))."),
    REDUCE(repeat_reduce),
    NATIVE_END,
};

Type itertools_repeat_type;
const TypeSpec itertools_repeat_spec = {
    ITERTOOL(repeat, Repeat),
    .flags = TYPE_BASE,
    .doc = "repeat(object [,times]) -> create an iterator which returns the object\n"
           "for the specified number of times.  If not specified, returns the object\n"
           "endlessly.",
    .methods = repeat_methods,
    .slots = {.repr = repeat_repr, .iter = iter_self, .next = repeat_next, .new = repeat_make},
    .visit = repeat_visit,
    .dealloc = repeat_dealloc,
};

/* -- cycle -- */

typedef struct Cycle {
    struct Object head;
    Field it;               /* NULL once the first pass is over */
    Field saved;            /* list of the items of the first pass */
    ATOMIC(int64_t) index;  /* in `saved`, of the next item of a later pass */
    ATOMIC(uint8_t) first_pass; /* the items are saved already (after unpickling) */
} Cycle;

static inline Cycle *
as_cycle(Value v)
{
    return (Cycle *)(void *)value_object(v);
}

static Value
cycle_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (!no_keywords(th, "cycle", type, &itertools_cycle_type, kwnames) ||
        !args_count(th, "cycle", nargs, 1, 1))
        return NULL;
    Value it = get_iter(th, arg(args, 0)), saved = it ? list_new(th, 0) : NULL;
    Value self = saved ? type_alloc(th, type, 0) : NULL;
    if (self == NULL) {
        drop_null(th, it);
        drop_null(th, saved);
        return NULL;
    }
    field_init(&as_cycle(self)->it, it);
    field_init(&as_cycle(self)->saved, saved);
    return self;
}

static Value
cycle_next(Thread *th, Value self)
{
    Cycle *c = as_cycle(self);
    object_touch(th, &c->head);
    if (LIKELY(field_peek(&c->it) == NULL && iter_alone(th, &c->head))) { /* a later pass */
        Value list = field_peek(&c->saved); /* no safepoint until the item is counted */
        if (list == NULL)
            return NULL;
        object_touch(th, value_object(list));
        int64_t i = load_relaxed(&c->index);
        Value item = list_peek(list, i);
        if (item == NULL)
            item = list_peek(list, i = 0);
        if (item == NULL)
            return NULL;
        store_relaxed(&c->index, i + 1);
        return retain(th, item);
    }
    Value it = field_read(th, &c->head, &c->it), v = NULL;
    Value saved = field_read(th, &c->head, &c->saved);
    if (it != NULL) {
        v = next_item(th, it);
        if (v != NULL && saved != NULL && !load_relaxed(&c->first_pass) &&
            !list_append(th, saved, v))
            DROP_CLEAR(th, v);
        if (v == NULL && !error_set(th))
            field_clear_if(th, &c->head, &c->it, it);
        drop(th, it);
    }
    if (v == NULL && !error_set(th) && saved != NULL) {
        int64_t n = list_length(saved), i = load_relaxed(&c->index), at;
        if (n > 0) {
            bool alone = iter_alone(th, &c->head);
            do {
                at = i < n ? i : 0;
                if (alone)
                    store_relaxed(&c->index, at + 1);
            } while (!alone && !cas_relaxed(&c->index, &i, at + 1));
            v = list_get(th, saved, at);
        }
    }
    drop_null(th, saved);
    return v;
}

static Value
cycle_reduce(Thread *th, Value self)
{
    Cycle *c = as_cycle(self);
    Value it = field_read(th, &c->head, &c->it), saved = field_read(th, &c->head, &c->saved);
    bool later = it == NULL;
    if (saved == NULL)
        saved = list_new(th, 0);
    if (later && saved != NULL) {
        int64_t n = list_length(saved), i = load_relaxed(&c->index);
        it = get_iter(th, saved);
        if (it != NULL && i > 0 && i < n) {
            Value done = call_method_1(th, it, NAME(__setstate__), value_from_fixnum(i));
            if (done == NULL)
                DROP_CLEAR(th, it);
            drop_null(th, done);
        }
    }
    Value args = NULL, state = NULL;
    if (it != NULL && saved != NULL) {
        args = tuple_pack(th, 1, it);
        state = tuple_pack(th, 2, saved, bool_from(later || load_relaxed(&c->first_pass)));
    }
    drop_null(th, it);
    drop_null(th, saved);
    return reduce_3(th, self, args, state);
}

static Value
cycle_setstate(Thread *th, Value self, Value state)
{
    Cycle *c = as_cycle(self);
    int first_pass;
    if (!state_check(th, state, 2))
        return NULL;
    Value saved = tuple_item(state, 0);
    if (!is_list(saved))
        return raise_type_error(th, "argument 1 must be list, not %B", saved);
    if (!arg_int(th, tuple_item(state, 1), &first_pass))
        return NULL;
    field_replace(th, &c->head, &c->saved, retain(th, saved));
    store_relaxed(&c->first_pass, first_pass != 0);
    store_relaxed(&c->index, 0);
    return NONE;
}

HOLDS_FIELDS(cycle, Cycle, it, saved);
CLEARS_FIELDS(cycle, Cycle, it, saved);

static const MethodDef cycle_methods[] = {
    REDUCE(cycle_reduce),
    SETSTATE(cycle_setstate),
    NATIVE_END,
};

Type itertools_cycle_type;
const TypeSpec itertools_cycle_spec = {
    ITERTOOL(cycle, Cycle),
    .flags = TYPE_BASE,
    .doc = "cycle(iterable, /)\n--\n\n"
           "Return elements from the iterable until it is exhausted. "
           "Then repeat the sequence indefinitely.",
    .methods = cycle_methods,
    .slots = {.iter = iter_self, .next = cycle_next, .new = cycle_make},
    .visit = cycle_visit,
    .clear = cycle_clear,
    .dealloc = cycle_dealloc,
};

/* -- chain -- */

typedef struct Chain {
    struct Object head;
    Field source; /* iterator over the iterables; NULL once exhausted */
    Field active; /* iterator over the present one, or NULL */
} Chain;

static inline Chain *
as_chain(Value v)
{
    return (Chain *)(void *)value_object(v);
}

static Value
chain_new(Thread *th, Type *type, Value iterables)
{
    Value source = get_iter(th, iterables), self = source ? type_alloc(th, type, 0) : NULL;
    if (self == NULL) {
        drop_null(th, source);
        return NULL;
    }
    field_init(&as_chain(self)->source, source);
    return self;
}

static Value
chain_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (!no_keywords(th, "chain", type, &itertools_chain_type, kwnames))
        return NULL;
    Value iterables = tuple_of_args(th, args, nargs);
    if (iterables == NULL)
        return NULL;
    Value self = chain_new(th, type, iterables);
    drop(th, iterables);
    return self;
}

static Value
chain_from_iterable(Thread *th, Value type, Value iterables)
{
    return chain_new(th, as_type(type), iterables);
}

static Value
chain_next(Thread *th, Value self)
{
    Chain *c = as_chain(self);
    for (size_t step = 0; loop_poll(th, step); step++) {
        Value active = field_read(th, &c->head, &c->active);
        if (active == NULL) {
            Value source = field_read(th, &c->head, &c->source);
            if (source == NULL)
                return NULL;
            Value iterable = next_item(th, source);
            active = iterable ? get_iter(th, iterable) : NULL;
            drop_null(th, iterable);
            if (active == NULL) { /* the end, or an exception: the chain is over */
                field_clear_if(th, &c->head, &c->source, source);
                drop(th, source);
                return NULL;
            }
            drop(th, source);
            field_replace(th, &c->head, &c->active, retain(th, active));
        }
        Value v = next_item(th, active);
        if (v == NULL && !error_set(th))
            field_clear_if(th, &c->head, &c->active, active);
        drop(th, active);
        if (v != NULL || error_set(th))
            return v;
    }
    return NULL;
}

static Value
chain_reduce(Thread *th, Value self)
{
    Chain *c = as_chain(self);
    Value source = field_read(th, &c->head, &c->source);
    Value active = field_read(th, &c->head, &c->active), result;
    if (source == NULL)
        result = reduce_2(th, self, tuple_empty);
    else
        result = reduce_3(th, self, tuple_empty, active ? tuple_pack(th, 2, source, active)
                                                        : tuple_pack(th, 1, source));
    drop_null(th, source);
    drop_null(th, active);
    return result;
}

static Value
chain_setstate(Thread *th, Value self, Value state)
{
    Chain *c = as_chain(self);
    if (!is_tuple(state))
        return raise_type_error(th, "state is not a tuple");
    int64_t n = tuple_length(state);
    if (n < 1 || n > 2)
        return raise_type_error(th, "function takes at %s (%lld given)",
                                n < 1 ? "least 1 argument" : "most 2 arguments", (long long)n);
    Value source = tuple_item(state, 0), active = n > 1 ? tuple_item(state, 1) : NULL;
    if (!is_iterator(source) || (active != NULL && !is_iterator(active)))
        return raise_type_error(th, "Arguments must be iterators.");
    field_replace(th, &c->head, &c->source, retain(th, source));
    field_replace(th, &c->head, &c->active, retain_null(th, active));
    return NONE;
}

HOLDS_FIELDS(chain, Chain, source, active);
CLEARS_FIELDS(chain, Chain, source, active);

static Value
chain_class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

static const MethodDef chain_methods[] = {
    {.name = "from_iterable", .f1 = chain_from_iterable, .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1, .nmax = 1,
     .doc = "from_iterable($type, iterable, /)\n--\n\n"
            "Alternative chain() constructor taking a single iterable argument that evaluates "
            "lazily."},
    REDUCE(chain_reduce),
    SETSTATE(chain_setstate),
    {.name = "__class_getitem__", .f1 = chain_class_getitem, .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1, .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

Type itertools_chain_type;
const TypeSpec itertools_chain_spec = {
    ITERTOOL(chain, Chain),
    .flags = TYPE_BASE,
    .doc = "chain(*iterables) --> chain object\n\n"
           "Return a chain object whose .__next__() method returns elements from the\n"
           "first iterable until it is exhausted, then elements from the next\n"
           "iterable, until all of the iterables are exhausted.",
    .methods = chain_methods,
    .slots = {.iter = iter_self, .next = chain_next, .new = chain_make},
    .visit = chain_visit,
    .clear = chain_clear,
    .dealloc = chain_dealloc,
};

/* -- islice -- */

typedef struct ISlice {
    struct Object head;
    Field it;                       /* NULL once exhausted */
    ATOMIC(int64_t) next, count;    /* index of the next item wanted; items drawn so far */
    int64_t stop, step;             /* [const] stop -1: none */
} ISlice;

static inline ISlice *
as_islice(Value v)
{
    return (ISlice *)(void *)value_object(v);
}

/* An index that is None (then *out stays) or an int not below `low`; false without exception. */
static bool
islice_index(Thread *th, Value v, int64_t low, int64_t *out)
{
    if (v == NONE)
        return true;
    if ((!value_is_fixnum(v) && SLOT(type_of(v), index) == NULL) || !arg_ssize(th, v, out)) {
        error_clear(th);
        return false;
    }
    return *out >= low;
}

static Value
islice_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    int64_t start = 0, stop = -1, step = 1;
    if (!no_keywords(th, "islice", type, &itertools_islice_type, kwnames) ||
        !args_count(th, "islice", nargs, 2, 4))
        return NULL;
    if (!islice_index(th, arg(args, nargs == 2 ? 1 : 2), 0, &stop))
        return raise_value_error(th, "Stop argument for islice() must be None or an integer: "
                                     "0 <= x <= sys.maxsize.");
    if (nargs > 2 && !islice_index(th, arg(args, 1), 0, &start))
        return raise_value_error(
            th, "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
    if (nargs > 3 && !islice_index(th, arg(args, 3), 1, &step))
        return raise_value_error(th,
                                 "Step for islice() must be a positive integer or None.");
    Value it = get_iter(th, arg(args, 0)), self = it ? type_alloc(th, type, 0) : NULL;
    if (self == NULL) {
        drop_null(th, it);
        return NULL;
    }
    ISlice *s = as_islice(self);
    field_init(&s->it, it);
    plain_store(&s->next, start); /* plain: not published yet */
    s->stop = stop;
    s->step = step;
    return self;
}

static Value
islice_next(Thread *th, Value self)
{
    ISlice *s = as_islice(self);
    Value it = field_read(th, &s->head, &s->it), v = NULL;
    if (it == NULL)
        return NULL;
    int64_t next = load_relaxed(&s->next), count = load_relaxed(&s->count);
    bool more = true;
    for (; more && count < next; count++) {
        v = next_item(th, it);
        more = v != NULL;
        drop_null(th, v);
        v = NULL;
        store_relaxed(&s->count, count + 1);
        if (more && !loop_poll(th, (size_t)count)) {
            drop(th, it);
            return NULL;
        }
    }
    if (more && (s->stop == -1 || count < s->stop))
        v = next_item(th, it);
    if (v != NULL) {
        store_relaxed(&s->count, count + 1);
        if (__builtin_add_overflow(next, s->step, &next) || (s->stop != -1 && next > s->stop))
            next = s->stop;
        store_relaxed(&s->next, next);
    } else {
        field_clear_if(th, &s->head, &s->it, it);
    }
    drop(th, it);
    return v;
}

static Value
islice_reduce(Thread *th, Value self)
{
    ISlice *s = as_islice(self);
    Value it = field_read(th, &s->head, &s->it), args = NULL;
    if (it == NULL) {
        Value list = list_new(th, 0);
        it = list ? get_iter(th, list) : NULL;
        if (it != NULL)
            args = tuple_pack(th, 2, it, value_from_fixnum(0));
        drop_null(th, list);
        drop_null(th, it);
        return reduce_3(th, self, args, value_from_fixnum(0));
    }
    Value next = int_from_i64(th, load_relaxed(&s->next)), step = int_from_i64(th, s->step);
    Value stop = s->stop == -1 ? NONE : int_from_i64(th, s->stop);
    if (next && step && stop)
        args = tuple_pack(th, 4, it, next, stop, step);
    drop(th, it);
    drop_null(th, next);
    drop_null(th, stop);
    drop_null(th, step);
    return reduce_3(th, self, args, int_from_i64(th, load_relaxed(&s->count)));
}

static Value
islice_setstate(Thread *th, Value self, Value state)
{
    int64_t count;
    if (!arg_ssize(th, state, &count))
        return NULL;
    store_relaxed(&as_islice(self)->count, count);
    return NONE;
}

HOLDS_FIELDS(islice, ISlice, it);
CLEARS_FIELDS(islice, ISlice, it);

static const MethodDef islice_methods[] = {
    REDUCE(islice_reduce),
    SETSTATE(islice_setstate),
    NATIVE_END,
};

Type itertools_islice_type;
const TypeSpec itertools_islice_spec = {
    ITERTOOL(islice, ISlice),
    .flags = TYPE_BASE,
    .doc = "islice(iterable, stop) --> islice object\n"
           "islice(iterable, start, stop[, step]) --> islice object\n\n"
           "Return an iterator whose next() method returns selected values from an\n"
           "iterable.  If start is specified, will skip all preceding elements;\n"
           "otherwise, start defaults to zero.  Step defaults to one.  If\n"
           "specified as another value, step determines how many values are\n"
           "skipped between successive calls.  Works like a slice() on a list\n"
           "but returns an iterator.",
    .methods = islice_methods,
    .slots = {.iter = iter_self, .next = islice_next, .new = islice_make},
    .visit = islice_visit,
    .clear = islice_clear,
    .dealloc = islice_dealloc,
};

/* -- accumulate -- */

typedef struct Accumulate {
    struct Object head;
    Value it, function;   /* [const] function NONE: addition */
    Field total, initial; /* NULL: no total yet; no initial value (any more) */
} Accumulate;

static inline Accumulate *
as_accumulate(Value v)
{
    return (Accumulate *)(void *)value_object(v);
}

static Value
accumulate_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "accumulate",
                                     .names = {"iterable", "func", "initial"},
                                     .positional = 2,
                                     .required = 1};
    Value v[3];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value it = get_iter(th, v[0]), self = it ? type_alloc(th, type, 0) : NULL;
    if (self == NULL) {
        drop_null(th, it);
        return NULL;
    }
    Accumulate *a = as_accumulate(self);
    a->it = it;
    a->function = retain(th, v[1] ? v[1] : NONE);
    field_init(&a->initial, v[2] && v[2] != NONE ? retain(th, v[2]) : NULL);
    return self;
}

static Value
accumulate_next(Thread *th, Value self)
{
    Accumulate *a = as_accumulate(self);
    object_touch(th, &a->head);
    if (UNLIKELY(field_peek(&a->initial) != NULL)) {
        Value first = field_exchange(th, &a->head, &a->initial, NULL);
        if (first != NULL) {
            field_replace(th, &a->head, &a->total, retain(th, first));
            return first;
        }
    }
    Value v = next_item(th, a->it);
    if (v == NULL)
        return NULL;
    Value total = field_read(th, &a->head, &a->total);
    if (total == NULL) {
        field_replace(th, &a->head, &a->total, retain(th, v));
        return v;
    }
    Value sum = a->function == NONE ? number_add(th, total, v) : call_2(th, a->function, total, v);
    drop(th, total);
    drop(th, v);
    if (sum != NULL)
        field_replace(th, &a->head, &a->total, retain(th, sum));
    return sum;
}

/* chain([first], it) */
static Value
chain_before(Thread *th, Value first, Value it)
{
    Value one = tuple_pack(th, 1, first), result = NULL;
    if (one != NULL) {
        Value args[2] = {one, it};
        result = call(th, value_of_type(&itertools_chain_type), args_of(args), 2, NULL);
        drop(th, one);
    }
    return result;
}

static Value
accumulate_reduce(Thread *th, Value self)
{
    Accumulate *a = as_accumulate(self);
    Value initial = field_read(th, &a->head, &a->initial), result;
    Value total = field_read(th, &a->head, &a->total);
    if (initial != NULL || total == NONE) {
        /* A total of None would say "no total yet": the value goes in front of the iterator. */
        Value it = chain_before(th, initial ? initial : NONE, a->it);
        Value args = it ? tuple_pack(th, 2, it, a->function) : NULL;
        drop_null(th, it);
        if (initial != NULL) {
            result = reduce_3(th, self, args, NONE);
        } else { /* islice(accumulate(chain((None,), it), function), 1, None) */
            Value again = args ? call_tuple_dict(th, value_of_type(type_of(self)), args, NULL) : NULL;
            Value rest = again ? tuple_pack(th, 3, again, value_from_fixnum(1), NONE) : NULL;
            result = rest ? tuple_pack(th, 2, value_of_type(&itertools_islice_type), rest) : NULL;
            drop_null(th, args);
            drop_null(th, again);
            drop_null(th, rest);
        }
    } else {
        result = reduce_3(th, self, tuple_pack(th, 2, a->it, a->function),
                          total ? retain(th, total) : NONE);
    }
    drop_null(th, initial);
    drop_null(th, total);
    return result;
}

static Value
accumulate_setstate(Thread *th, Value self, Value state)
{
    field_replace(th, value_object(self), &as_accumulate(self)->total, retain(th, state));
    return NONE;
}

HOLDS_BOTH(accumulate, Accumulate, (it, function), (total, initial));
CLEARS_FIELDS(accumulate, Accumulate, total, initial);

static const MethodDef accumulate_methods[] = {
    REDUCE(accumulate_reduce),
    SETSTATE(accumulate_setstate),
    NATIVE_END,
};

Type itertools_accumulate_type;
const TypeSpec itertools_accumulate_spec = {
    ITERTOOL(accumulate, Accumulate),
    .flags = TYPE_BASE,
    .doc = "accumulate(iterable, func=None, *, initial=None)\n--\n\n"
           "Return series of accumulated sums (or other binary function results).",
    .methods = accumulate_methods,
    .slots = {.iter = iter_self, .next = accumulate_next, .new = accumulate_make},
    .visit = accumulate_visit,
    .clear = accumulate_clear,
    .dealloc = accumulate_dealloc,
};

/* -- pairwise -- */

typedef struct Pairwise {
    struct Object head;
    Field it;   /* NULL once exhausted */
    Field last; /* the item before, or NULL */
    Field result;
} Pairwise;

static inline Pairwise *
as_pairwise(Value v)
{
    return (Pairwise *)(void *)value_object(v);
}

static Value
pairwise_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (!no_keywords(th, "pairwise", type, &itertools_pairwise_type, kwnames) ||
        !args_count(th, "pairwise", nargs, 1, 1))
        return NULL;
    Value it = get_iter(th, arg(args, 0)), self = it ? type_alloc(th, type, 0) : NULL;
    if (self == NULL) {
        drop_null(th, it);
        return NULL;
    }
    field_init(&as_pairwise(self)->it, it);
    return self;
}

static Value
pairwise_next(Thread *th, Value self)
{
    Pairwise *p = as_pairwise(self);
    Value it = field_read(th, &p->head, &p->it), result = NULL;
    if (it == NULL)
        return NULL;
    Value last = field_read(th, &p->head, &p->last);
    if (last == NULL) {
        last = next_item(th, it);
        if (last != NULL)
            field_replace(th, &p->head, &p->last, retain(th, last));
    }
    Value v = last ? next_item(th, it) : NULL;
    if (v == NULL) {
        field_clear_if(th, &p->head, &p->it, it);
        field_replace(th, &p->head, &p->last, NULL);
    } else {
        field_replace(th, &p->head, &p->last, retain(th, v));
        result = result_reuse(th, &p->head, &p->result);
        if (result != NULL) {
            tuple_exchange(th, result, 0, (Value[]){retain(th, last), retain(th, v)}, 2);
        } else {
            result = tuple_pack(th, 2, last, v);
            if (result != NULL)
                result_keep(th, &p->head, &p->result, result);
        }
        drop(th, v);
    }
    drop_null(th, last);
    drop(th, it);
    return result;
}

HOLDS_FIELDS(pairwise, Pairwise, it, last, result);
CLEARS_FIELDS(pairwise, Pairwise, it, last, result);

Type itertools_pairwise_type;
const TypeSpec itertools_pairwise_spec = {
    ITERTOOL(pairwise, Pairwise),
    .flags = TYPE_BASE,
    .doc = "pairwise(iterable, /)\n--\n\n"
           "Return an iterator of overlapping pairs taken from the input iterator.\n\n"
           "    s -> (s0,s1), (s1,s2), (s2, s3), ...",
    .slots = {.iter = iter_self, .next = pairwise_next, .new = pairwise_make},
    .visit = pairwise_visit,
    .clear = pairwise_clear,
    .dealloc = pairwise_dealloc,
};

/* -- the module -- */

#define ROW(symbol) {&itertools_##symbol##_type, &itertools_##symbol##_spec}
static const StaticType itertools_types[] = {
    ROW(accumulate), ROW(combinations), ROW(combinations_with_replacement), ROW(cycle),
    ROW(dropwhile), ROW(takewhile), ROW(islice), ROW(starmap), ROW(chain), ROW(compress),
    ROW(filterfalse), ROW(count), ROW(zip_longest), ROW(pairwise), ROW(permutations),
    ROW(product), ROW(repeat), ROW(groupby), ROW(_grouper), ROW(_tee), ROW(_tee_dataobject),
};

static bool
itertools_exec(Thread *th, Value module)
{
    bool ok = static_types_ready(th, itertools_types, ARRAY_LEN(itertools_types));
    for (size_t i = 0; ok && i < ARRAY_LEN(itertools_types); i++)
        ok = module_add_type(th, module, itertools_types[i].type);
    return ok;
}

static const MethodDef itertools_methods[] = {
    NATIVE_N("tee", itertools_tee, 1, 2,
             "tee($module, iterable, n=2, /)\n--\n\nReturns a tuple of n independent iterators."),
    NATIVE_END,
};

const ModuleSpec itertools_module = {
    .name = "itertools",
    .doc = "Functional tools for creating and using iterators.\n\n"
           "Infinite iterators:\n"
           "count(start=0, step=1) --> start, start+step, start+2*step, ...\n"
           "cycle(p) --> p0, p1, ... plast, p0, p1, ...\n"
           "repeat(elem [,n]) --> elem, elem, elem, ... endlessly or up to n times\n\n"
           "Iterators terminating on the shortest input sequence:\n"
           "accumulate(p[, func]) --> p0, p0+p1, p0+p1+p2\n"
           "chain(p, q, ...) --> p0, p1, ... plast, q0, q1, ...\n"
           "chain.from_iterable([p, q, ...]) --> p0, p1, ... plast, q0, q1, ...\n"
           "compress(data, selectors) --> (d[0] if s[0]), (d[1] if s[1]), ...\n"
           "dropwhile(pred, seq) --> seq[n], seq[n+1], starting when pred fails\n"
           "groupby(iterable[, keyfunc]) --> sub-iterators grouped by value of keyfunc(v)\n"
           "filterfalse(pred, seq) --> elements of seq where pred(elem) is False\n"
           "islice(seq, [start,] stop [, step]) --> elements from\n"
           "       seq[start:stop:step]\n"
           "pairwise(s) --> (s[0],s[1]), (s[1],s[2]), (s[2], s[3]), ...\n"
           "starmap(fun, seq) --> fun(*seq[0]), fun(*seq[1]), ...\n"
           "tee(it, n=2) --> (it1, it2 , ... itn) splits one iterator into n\n"
           "takewhile(pred, seq) --> seq[0], seq[1], until pred fails\n"
           "zip_longest(p, q, ...) --> (p[0], q[0]), (p[1], q[1]), ...\n\n"
           "Combinatoric generators:\n"
           "product(p, q, ... [repeat=1]) --> cartesian product\n"
           "permutations(p[, r])\n"
           "combinations(p, r)\n"
           "combinations_with_replacement(p, r)\n",
    .methods = itertools_methods,
    .exec = itertools_exec,
};
