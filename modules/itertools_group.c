/* itertools_group.c -- groupby, tee, zip_longest.
 *
 * tee: the copies of one iterator share a chain of blocks of values.  Whoever needs a value that
 * is not there yet claims the block and draws it; other threads wait for it, offline, a tenth of a
 * second at most, and then get RuntimeError, like a thread that comes back to a block it is
 * filling itself.
 */
#include <unistd.h>

#include "modules/itertools_priv.h"
#include "gc/holds.h"
#include "threads/blocking.h"

/* -- groupby -- */

typedef struct GroupBy {
    struct Object head;
    Value it, key_function;                      /* [const] */
    Field target_key, current_key, current_value;
    ATOMIC(uintptr_t) group;                     /* address of the valid grouper; not followed */
} GroupBy;

typedef struct Grouper {
    struct Object head;
    Value parent, target_key; /* [const] */
} Grouper;

static inline GroupBy *
as_groupby(Value v)
{
    return (GroupBy *)(void *)value_object(v);
}

static Value
groupby_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "groupby", .names = {"iterable", "key"}, .positional = 2, .required = 1};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value it = get_iter(th, v[0]), self = it ? type_alloc(th, type, 0) : NULL;
    if (self == NULL) {
        drop_null(th, it);
        return NULL;
    }
    as_groupby(self)->it = it;
    as_groupby(self)->key_function = retain(th, v[1] ? v[1] : NONE);
    return self;
}

/* Draws the next value and computes its key: NO at the end. */
static Answer
groupby_step(Thread *th, GroupBy *g)
{
    Value v = next_item(th, g->it);
    if (v == NULL)
        return error_set(th) ? FAILED : NO;
    Value key = g->key_function == NONE ? retain(th, v) : call_1(th, g->key_function, v);
    if (key == NULL) {
        drop(th, v);
        return FAILED;
    }
    field_replace(th, &g->head, &g->current_value, v);
    field_replace(th, &g->head, &g->current_key, key);
    return YES;
}

static Value
grouper_new(Thread *th, Value parent, Value key)
{
    Value v = type_alloc(th, &itertools__grouper_type, 0);
    if (v == NULL)
        return NULL;
    Grouper *grouper = (Grouper *)(void *)value_object(v);
    grouper->parent = retain(th, parent);
    grouper->target_key = retain(th, key);
    store_relaxed(&as_groupby(parent)->group, (uintptr_t)grouper); /* only compared */
    return v;
}

static Value
groupby_next(Thread *th, Value self)
{
    GroupBy *g = as_groupby(self);
    store_relaxed(&g->group, 0);
    Value current;
    for (size_t step = 0;; step++) {
        current = field_read(th, &g->head, &g->current_key);
        if (current != NULL) {
            Value target = field_read(th, &g->head, &g->target_key);
            Answer same = target ? values_equal(th, target, current) : NO;
            drop_null(th, target);
            if (same == NO)
                break;
            drop(th, current);
            if (same == FAILED)
                return NULL;
        }
        if (groupby_step(th, g) != YES || !loop_poll(th, step))
            return NULL;
    }
    field_replace(th, &g->head, &g->target_key, retain(th, current));
    Value grouper = grouper_new(th, self, current), result = NULL;
    if (grouper != NULL) {
        result = tuple_pack(th, 2, current, grouper);
        drop(th, grouper);
    }
    drop(th, current);
    return result;
}

static Value
groupby_reduce(Thread *th, Value self)
{
    GroupBy *g = as_groupby(self);
    Value target = field_read(th, &g->head, &g->target_key);
    Value key = field_read(th, &g->head, &g->current_key);
    Value v = field_read(th, &g->head, &g->current_value);
    Value args = tuple_pack(th, 2, g->it, g->key_function), result;
    if (target != NULL && key != NULL && v != NULL)
        result = reduce_3(th, self, args, tuple_pack(th, 3, key, v, target));
    else
        result = reduce_2(th, self, args);
    drop_null(th, target);
    drop_null(th, key);
    drop_null(th, v);
    return result;
}

static Value
groupby_setstate(Thread *th, Value self, Value state)
{
    GroupBy *g = as_groupby(self);
    if (!state_check(th, state, 3))
        return NULL;
    field_replace(th, &g->head, &g->current_key, retain(th, tuple_item(state, 0)));
    field_replace(th, &g->head, &g->current_value, retain(th, tuple_item(state, 1)));
    field_replace(th, &g->head, &g->target_key, retain(th, tuple_item(state, 2)));
    return NONE;
}

HOLDS_BOTH(groupby, GroupBy, (it, key_function), (target_key, current_key, current_value));

static const MethodDef groupby_methods[] = {
    REDUCE(groupby_reduce),
    SETSTATE(groupby_setstate),
    NATIVE_END,
};

Type itertools_groupby_type;
const TypeSpec itertools_groupby_spec = {
    ITERTOOL(groupby, GroupBy),
    .flags = TYPE_BASE,
    .doc = "groupby(iterable, key=None)\n--\n\n"
           "make an iterator that returns consecutive keys and groups from the iterable\n\n"
           "  iterable\n    Elements to divide into groups according to the key function.\n"
           "  key\n    A function for computing the group category for each element.\n"
           "    If the key function is not specified or is None, the element itself\n"
           "    is used for grouping.",
    .methods = groupby_methods,
    .slots = {.iter = iter_self, .next = groupby_next, .new = groupby_make},
    .visit = groupby_visit,
    .dealloc = groupby_dealloc,
};

static inline Grouper *
as_grouper(Value v)
{
    return (Grouper *)(void *)value_object(v);
}

static Value
grouper_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "_grouper", kwnames) ||
        !args_count(th, "_grouper", nargs, 2, 2))
        return NULL;
    if (!is_instance_of(arg(args, 0), &itertools_groupby_type))
        return raise_type_error(th, "_grouper() argument 1 must be itertools.groupby, not %B",
                                arg(args, 0));
    return grouper_new(th, arg(args, 0), arg(args, 1));
}

static bool
grouper_valid(const Grouper *grouper)
{
    return load_relaxed(&as_groupby(grouper->parent)->group) == (uintptr_t)grouper;
}

static Value
grouper_next(Thread *th, Value self)
{
    Grouper *grouper = as_grouper(self);
    GroupBy *g = as_groupby(grouper->parent);
    for (;;) {
        if (!grouper_valid(grouper))
            return NULL;
        Value key = field_read(th, &g->head, &g->current_key);
        object_touch(th, &g->head);
        if (key == NULL || field_peek(&g->current_value) == NULL) {
            drop_null(th, key);
            if (groupby_step(th, g) != YES)
                return NULL;
            continue;
        }
        Answer same = values_equal(th, grouper->target_key, key);
        drop(th, key);
        if (same != YES)
            return NULL;
        Value v = field_exchange(th, &g->head, &g->current_value, NULL);
        if (v != NULL) { /* else another thread took it */
            field_replace(th, &g->head, &g->current_key, NULL);
            return v;
        }
    }
}

static Value
grouper_reduce(Thread *th, Value self)
{
    Grouper *grouper = as_grouper(self);
    if (grouper_valid(grouper))
        return reduce_2(th, self, tuple_pack(th, 2, grouper->parent, grouper->target_key));
    Value iter = dict_get_c(th, th->interp->builtins, "iter"), result = NULL;
    Value args = tuple_pack(th, 1, tuple_empty);
    if (iter == NULL)
        raise_error(th, &exc_AttributeError, "module 'builtins' has no attribute 'iter'");
    else if (args != NULL)
        result = tuple_pack(th, 2, iter, args);
    drop_null(th, iter);
    drop_null(th, args);
    return result;
}

HOLDS_VALUES(grouper, Grouper, parent, target_key);

static const MethodDef grouper_methods[] = {
    REDUCE(grouper_reduce),
    NATIVE_END,
};

Type itertools__grouper_type;
const TypeSpec itertools__grouper_spec = {
    ITERTOOL(_grouper, Grouper),
    .methods = grouper_methods,
    .slots = {.iter = iter_self, .next = grouper_next, .new = grouper_make},
    .visit = grouper_visit,
    .dealloc = grouper_dealloc,
};

/* -- tee -- */

#define BLOCK_VALUES 57

typedef struct TeeBlock {
    struct Object head;
    Value it;                    /* [const] */
    ATOMIC(uint32_t) filling;    /* number of the thread that draws from `it`, 0: none */
    ATOMIC(int32_t) count;       /* values there are; written by the thread that is filling */
    Field next;                  /* the block behind this one, or NULL */
    Field values[BLOCK_VALUES];
} TeeBlock;

typedef struct Tee {
    struct Object head;
    Field block;     /* the block of the next value */
    int32_t index;   /* [lock] where in the block; BLOCK_VALUES: in the block behind it */
} Tee;

static inline TeeBlock *
as_block(Value v)
{
    return (TeeBlock *)(void *)value_object(v);
}

static inline Tee *
as_tee(Value v)
{
    return (Tee *)(void *)value_object(v);
}

static Value
block_new(Thread *th, Value it)
{
    Value v = type_alloc(th, &itertools__tee_dataobject_type, 0);
    if (v != NULL)
        as_block(v)->it = retain(th, it);
    return v;
}

/* The block behind a full one, made if there is none. */
static Value
block_next(Thread *th, TeeBlock *b)
{
    Value next = field_read(th, &b->head, &b->next);
    if (next != NULL)
        return next;
    next = block_new(th, b->it);
    if (next == NULL || field_set_once(th, &b->head, &b->next, retain(th, next)))
        return next;
    drop(th, next); /* the reference for the field */
    drop(th, next);
    return field_read(th, &b->head, &b->next);
}

#define CLAIM_TRIES 2000
#define CLAIM_PAUSE 50 /* microseconds */

/* Claims a block for this thread; RuntimeError if that does not become possible soon. */
RAISES static bool
block_claim(Thread *th, TeeBlock *b)
{
    for (int tries = 0;; tries++) {
        uint32_t nobody = 0;
        if (cas_acquire(&b->filling, &nobody, th->id)) /* pairs with block_get() [tee.filling] */
            return true;
        if (nobody == th->id || tries == CLAIM_TRIES) {
            raise_error(th, &exc_RuntimeError, "cannot re-enter the tee iterator");
            return false;
        }
        blocking_begin(th);
        usleep(CLAIM_PAUSE);
        blocking_end(th);
    }
}

/* Value i of a block, drawn from the iterator if it is the next one; NULL: end or exception. */
static Value
block_get(Thread *th, TeeBlock *b, int32_t i)
{
    if (i >= load_acquire(&b->count)) { /* pairs with the release below [tee.count] */
        if (!block_claim(th, b))
            return NULL;
        bool ok = true;
        if (i >= load_relaxed(&b->count)) {
            Value v = next_item(th, b->it);
            ok = v != NULL;
            if (ok) {
                int32_t at = load_relaxed(&b->count);
                field_replace(th, &b->head, &b->values[at], v);
                store_release(&b->count, at + 1); /* [tee.count] */
            }
        }
        store_release(&b->filling, 0); /* pairs with block_claim() [tee.filling] */
        if (!ok)
            return NULL;
    }
    return field_read(th, &b->head, &b->values[i]);
}

static Value
block_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "teedataobject", kwnames) ||
        !args_count(th, "teedataobject", nargs, 3, 3))
        return NULL;
    Value it = arg(args, 0), values = arg(args, 1), next = arg(args, 2);
    if (!is_list(values))
        return raise_type_error(th, "teedataobject() argument 2 must be list, not %B", values);
    Value tuple = list_to_tuple(th, values), self = tuple ? block_new(th, it) : NULL;
    if (self == NULL) {
        drop_null(th, tuple);
        return NULL;
    }
    TeeBlock *b = as_block(self);
    int64_t n = tuple_length(tuple);
    bool valid = n <= BLOCK_VALUES &&
                 (next == NONE ||
                  (n == BLOCK_VALUES && is_instance_of(next, &itertools__tee_dataobject_type)));
    for (int64_t i = 0; valid && i < n; i++)
        field_init(&b->values[i], retain(th, tuple_item(tuple, i)));
    plain_store(&b->count, valid ? (int32_t)n : 0); /* plain: not published yet */
    if (valid && next != NONE)
        field_init(&b->next, retain(th, next));
    drop(th, tuple);
    if (!valid) {
        drop(th, self);
        return raise_value_error(th, "Invalid arguments");
    }
    return self;
}

static Value
block_reduce(Thread *th, Value self)
{
    TeeBlock *b = as_block(self);
    int32_t n = load_acquire(&b->count); /* [tee.count] */
    Value values = list_new(th, (size_t)n);
    for (int32_t i = 0; values != NULL && i < n; i++) {
        Value v = field_read(th, &b->head, &b->values[i]);
        if (v != NULL && !list_append_steal(th, values, v))
            DROP_CLEAR(th, values);
    }
    Value next = field_read(th, &b->head, &b->next), args = NULL;
    if (values != NULL)
        args = tuple_pack(th, 3, b->it, values, next ? next : NONE);
    drop_null(th, values);
    drop_null(th, next);
    return reduce_2(th, self, args);
}

static void
block_visit(Object *o, VisitFn visit, void *arg)
{
    TeeBlock *b = (TeeBlock *)(void *)o;
    value_visit(b->it, visit, arg);
    field_visit(&b->next, visit, arg);
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        field_visit(&b->values[i], visit, arg);
}

static void
block_clear(Thread *th, Object *o)
{
    TeeBlock *b = (TeeBlock *)(void *)o;
    field_replace(th, o, &b->next, NULL);
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        field_replace(th, o, &b->values[i], NULL);
}

static void
block_dealloc(Thread *th, Object *o)
{
    TeeBlock *b = (TeeBlock *)(void *)o;
    drop_null(th, b->it);
    field_drop(th, &b->next);
    for (size_t i = 0; i < BLOCK_VALUES; i++)
        field_drop(th, &b->values[i]);
}

static const MethodDef block_methods[] = {
    REDUCE(block_reduce),
    NATIVE_END,
};

Type itertools__tee_dataobject_type;
const TypeSpec itertools__tee_dataobject_spec = {
    ITERTOOL(_tee_dataobject, TeeBlock),
    .doc = "teedataobject(iterable, values, next, /)\n--\n\n"
           "Data container common to multiple tee objects.",
    .methods = block_methods,
    .slots = {.new = block_make},
    .visit = block_visit,
    .clear = block_clear,
    .dealloc = block_dealloc,
};

/* A tee object at `index` of a block. */
static Value
tee_at(Thread *th, Value block, int32_t index)
{
    Value v = type_alloc(th, &itertools__tee_type, 0);
    if (v != NULL) {
        field_init(&as_tee(v)->block, retain(th, block));
        as_tee(v)->index = index;
    }
    return v;
}

/* Where a tee object is: block (new reference) and index. */
static Value
tee_position(Thread *th, Tee *t, int32_t *index)
{
    bool held = object_touch_lock(th, &t->head);
    Value block = load_relaxed(&t->block);
    retain_null(th, block);
    *index = t->index;
    object_unlock(&t->head, held);
    return block;
}

/* Moves a tee object on, if it still is where it was. */
static bool
tee_move(Thread *th, Tee *t, Value from, int32_t from_index, Value to, int32_t to_index)
{
    bool held = object_lock(&t->head);
    bool same = load_relaxed(&t->block) == from && t->index == from_index;
    if (same) {
        if (to != from)
            store_release(&t->block, retain(th, to)); /* pairs with field_read() [field] */
        t->index = to_index;
    }
    bool shared = (object_bits(&t->head) & BIT_SHARED) != 0;
    object_unlock(&t->head, held);
    if (same && to != from)
        drop_from(th, shared, from);
    return same;
}

static Value
tee_next(Thread *th, Value self)
{
    Tee *t = as_tee(self);
    object_touch(th, &t->head);
    Value at = field_peek(&t->block); /* no safepoint until the item is counted */
    if (LIKELY(at != NULL)) {         /* a value that another copy drew */
        TeeBlock *b = as_block(at);
        object_touch(th, &b->head);
        int32_t count = load_acquire(&b->count); /* pairs with block_get() [tee.count] */
        if (LIKELY(iter_step_begin(th, &t->head))) {
            int32_t i = field_peek(&t->block) == at ? t->index : BLOCK_VALUES;
            if (i < count)
                t->index = i + 1;
            object_section_end(th);
            if (i < count)
                return retain(th, field_peek(&b->values[i]));
        }
    }
    for (;;) {
        int32_t index;
        Value block = tee_position(th, t, &index), v = NULL;
        if (block == NULL)
            return NULL;
        bool done = true;
        if (index >= BLOCK_VALUES) {
            Value next = block_next(th, as_block(block));
            if (next != NULL) {
                tee_move(th, t, block, index, next, 0);
                drop(th, next);
                done = false;
            }
        } else {
            v = block_get(th, as_block(block), index);
            if (v != NULL && !tee_move(th, t, block, index, block, index + 1)) {
                drop(th, v); /* another thread took it */
                done = false;
            }
        }
        drop(th, block);
        if (done)
            return v;
    }
}

static Value
tee_copy(Thread *th, Value self)
{
    int32_t index;
    Value block = tee_position(th, as_tee(self), &index);
    if (block == NULL)
        return raise_type_error(th, "the tee iterator was cleared");
    Value copy = tee_at(th, block, index);
    drop(th, block);
    return copy;
}

static Value
tee_from(Thread *th, Value iterable)
{
    Value it = get_iter(th, iterable), result = NULL;
    if (it == NULL)
        return NULL;
    if (is_instance_of(it, &itertools__tee_type)) {
        result = tee_copy(th, it);
    } else {
        Value block = block_new(th, it);
        if (block != NULL) {
            result = tee_at(th, block, 0);
            drop(th, block);
        }
    }
    drop(th, it);
    return result;
}

static Value
tee_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "_tee", kwnames) || !args_count(th, "_tee", nargs, 1, 1))
        return NULL;
    return tee_from(th, arg(args, 0));
}

static Value
tee_reduce(Thread *th, Value self)
{
    int32_t index;
    Value block = tee_position(th, as_tee(self), &index);
    Value args = tuple_pack(th, 1, tuple_empty);
    Value state = tuple_pack(th, 2, block ? block : NONE, value_from_fixnum(index));
    drop_null(th, block);
    return reduce_3(th, self, args, state);
}

static Value
tee_setstate(Thread *th, Value self, Value state)
{
    Tee *t = as_tee(self);
    int index;
    if (!state_check(th, state, 2))
        return NULL;
    Value block = tuple_item(state, 0);
    if (!is_instance_of(block, &itertools__tee_dataobject_type))
        return raise_type_error(th, "argument 1 must be itertools._tee_dataobject, not %B", block);
    if (!arg_int(th, tuple_item(state, 1), &index))
        return NULL;
    if (index < 0 || index > BLOCK_VALUES)
        return raise_value_error(th, "Index out of range");
    bool held = object_touch_lock(th, &t->head);
    Value old = load_relaxed(&t->block);
    store_release(&t->block, retain(th, block)); /* pairs with field_read() [field] */
    t->index = index;
    bool shared = (object_bits(&t->head) & BIT_SHARED) != 0;
    object_unlock(&t->head, held);
    drop_from(th, shared, old);
    return NONE;
}

HOLDS_FIELDS(tee, Tee, block);
CLEARS_FIELDS(tee, Tee, block);

static const MethodDef tee_methods[] = {
    NATIVE_0("__copy__", tee_copy, "Returns an independent iterator."),
    REDUCE(tee_reduce),
    SETSTATE(tee_setstate),
    NATIVE_END,
};

Type itertools__tee_type;
const TypeSpec itertools__tee_spec = {
    ITERTOOL(_tee, Tee),
    .flags = TYPE_WEAKREFS,
    .doc = "Iterator wrapped to make it copyable.",
    .methods = tee_methods,
    .slots = {.iter = iter_self, .next = tee_next, .new = tee_make},
    .visit = tee_visit,
    .clear = tee_clear,
    .dealloc = tee_dealloc,
};

Value
itertools_tee(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module;
    int64_t n = 2;
    if (nargs > 1 && !arg_ssize(th, arg(args, 1), &n))
        return NULL;
    if (n < 0)
        return raise_value_error(th, "n must be >= 0");
    Value result = tuple_new(th, (size_t)n);
    if (result == NULL || n == 0)
        return result;
    Value it = get_iter(th, arg(args, 0)), copy = NULL;
    if (it == NULL)
        goto fail;
    Answer copies = get_attr_optional(th, it, NAME(__copy__), &copy);
    if (copies == NO) {
        Value first = tee_from(th, it);
        drop(th, it);
        it = first;
        if (it != NULL)
            copy = get_attr(th, it, NAME(__copy__));
    }
    if (copy == NULL)
        goto fail;
    tuple_init_item(result, 0, it);
    for (int64_t i = 1; i < n; i++) {
        Value next = call_0(th, copy);
        if (next == NULL) {
            drop(th, copy);
            drop(th, result);
            return NULL;
        }
        tuple_init_item(result, i, next);
    }
    drop(th, copy);
    return result;
fail:
    drop_null(th, it);
    drop(th, result);
    return NULL;
}

/* -- zip_longest -- */

typedef struct ZipLongest {
    struct Object head;
    Field *iters;           /* [const] array; an item is NULL once exhausted */
    int64_t n;              /* [const] */
    ATOMIC(int64_t) active; /* iterators that are not exhausted */
    Field fill, result;
} ZipLongest;

static inline ZipLongest *
as_zip(Value v)
{
    return (ZipLongest *)(void *)value_object(v);
}

static Value
zip_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    Value fill = NONE;
    if (kwnames != NULL) {
        int64_t n = tuple_length(kwnames);
        if (n == 1 && str_equal_ascii(tuple_item(kwnames, 0), "fillvalue"))
            fill = arg(args, nargs);
        else if (n > 0)
            return raise_type_error(th, "zip_longest() got an unexpected keyword argument");
    }
    Value v = type_alloc(th, type, 0);
    if (v == NULL)
        return NULL;
    ZipLongest *z = as_zip(v);
    field_init(&z->fill, retain(th, fill));
    z->iters = buffer_new_zeroed(th, (nargs + 1) * sizeof(Field));
    bool ok = z->iters != NULL;
    for (size_t i = 0; ok && i < nargs; i++) {
        Value it = get_iter(th, arg(args, i));
        ok = it != NULL;
        field_init(&z->iters[i], it);
        z->n = (int64_t)i + 1;
    }
    plain_store(&z->active, z->n); /* plain: not published yet */
    if (!ok)
        DROP_CLEAR(th, v);
    return v;
}

/* The item for position i: from the iterator, or the fill value; NULL: all are exhausted, or an
 * exception. */
static Value
zip_item(Thread *th, ZipLongest *z, int64_t i)
{
    Value it = field_read(th, &z->head, &z->iters[i]);
    if (it != NULL) {
        Value v = next_item(th, it);
        if (v == NULL && !error_set(th)) {
            bool last = fetch_add_relaxed(&z->active, -1) <= 1;
            if (!last)
                field_clear_if(th, &z->head, &z->iters[i], it);
            if (last) {
                drop(th, it);
                return NULL;
            }
        }
        drop(th, it);
        if (v != NULL)
            return v;
        if (error_set(th)) {
            store_relaxed(&z->active, 0);
            return NULL;
        }
    }
    Value fill = field_read(th, &z->head, &z->fill);
    return fill ? fill : NONE;
}

static Value
zip_next(Thread *th, Value self)
{
    ZipLongest *z = as_zip(self);
    if (z->n == 0 || load_relaxed(&z->active) <= 0)
        return NULL;
    /* As in zip(): the last result does not change while Python code runs. */
    Value few[8] = {NULL}, result = NULL;
    bool apart = z->n <= (int64_t)ARRAY_LEN(few);
    if (!apart && (result = tuple_new(th, (size_t)z->n)) == NULL)
        return NULL;
    Value *items = apart ? few : as_tuple(result)->items;
    for (int64_t i = 0; i < z->n; i++) {
        Value v = zip_item(th, z, i);
        if (v == NULL) {
            for (int64_t k = 0; apart && k < i; k++)
                drop(th, few[k]);
            drop_null(th, result);
            return NULL;
        }
        items[i] = v;
    }
    if (apart) {
        result = result_reuse(th, &z->head, &z->result);
        if (result != NULL) {
            tuple_exchange(th, result, 0, few, (size_t)z->n);
            return result;
        }
        if ((result = tuple_of_taken(th, few, (size_t)z->n)) == NULL)
            return NULL;
    }
    result_keep(th, &z->head, &z->result, result);
    return result;
}

static Value
zip_reduce(Thread *th, Value self)
{
    ZipLongest *z = as_zip(self);
    Value args = tuple_new(th, (size_t)z->n);
    for (int64_t i = 0; args != NULL && i < z->n; i++) {
        Value it = field_read(th, &z->head, &z->iters[i]);
        tuple_init_item(args, i, it ? it : tuple_empty);
    }
    Value fill = field_read(th, &z->head, &z->fill);
    return reduce_3(th, self, args, fill ? fill : NONE);
}

static Value
zip_setstate(Thread *th, Value self, Value state)
{
    field_replace(th, value_object(self), &as_zip(self)->fill, retain(th, state));
    return NONE;
}

static void
zip_visit(Object *o, VisitFn visit, void *arg)
{
    ZipLongest *z = (ZipLongest *)(void *)o;
    for (int64_t i = 0; i < z->n; i++)
        field_visit(&z->iters[i], visit, arg);
    field_visit(&z->fill, visit, arg);
    field_visit(&z->result, visit, arg);
}

static void
zip_dealloc(Thread *th, Object *o)
{
    ZipLongest *z = (ZipLongest *)(void *)o;
    for (int64_t i = 0; i < z->n; i++)
        field_drop(th, &z->iters[i]);
    buffer_free(z->iters);
    z->iters = NULL;
    z->n = 0;
    field_drop(th, &z->fill);
    field_drop(th, &z->result);
}

static const MethodDef zip_methods[] = {
    REDUCE(zip_reduce),
    SETSTATE(zip_setstate),
    NATIVE_END,
};

Type itertools_zip_longest_type;
const TypeSpec itertools_zip_longest_spec = {
    ITERTOOL(zip_longest, ZipLongest),
    .flags = TYPE_BASE,
    .doc = "zip_longest(iter1 [,iter2 [...]], [fillvalue=None]) --> zip_longest object\n\n"
           "Return a zip_longest object whose .__next__() method returns a tuple where\n"
           "the i-th element comes from the i-th iterable argument.  The .__next__()\n"
           "method continues until the longest iterable in the argument sequence\n"
           "is exhausted and then it raises StopIteration.  When the shorter iterables\n"
           "are exhausted, the fillvalue is substituted in their place.  The fillvalue\n"
           "defaults to None or can be specified by a keyword argument.\n",
    .methods = zip_methods,
    .slots = {.iter = iter_self, .next = zip_next, .new = zip_make},
    .visit = zip_visit,
    .dealloc = zip_dealloc,
};
