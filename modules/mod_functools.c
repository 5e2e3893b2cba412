/* mod_functools.c -- module _functools: partial, reduce, cmp_to_key, the LRU cache.
 *
 * partial       its three parts are Fields: __setstate__() replaces them.
 * LRU cache     the cache is a dict, which looks after itself; the order of use is a list of
 *               links under the wrapper's object lock.  The list counts its links, so a link that
 *               left the dict (cache_clear() in another thread) may stay in the list for a while.
 *               The user's function, hashing and comparing run without the lock.
 */
#include "modules/static_types.h"
#include "gc/holds.h"
#include "objects/container/container.h"
#include "objects/container/fast.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/shape.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/safepoint.h"

static Type partial_type, key_wrapper_type, lru_cache_type, lru_link_type;

/* Separates positional from keyword arguments in cache keys. */
static struct Object keyword_mark __attribute__((aligned(16))) = STATIC_OBJECT(SHAPE_OBJECT);

/* -- partial -- */

typedef struct Partial {
    struct Object head;
    Field function, args, kwargs; /* any callable, a tuple, a dict */
} Partial;

static Value partial_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);

static inline Partial *
as_partial(Value v)
{
    return (Partial *)(void *)value_object(v);
}

/* Whether the instance has attributes of its own. */
static bool
has_attributes(Value v)
{
    Object *o = value_object(v);
    const Shape *shape = shape_at(object_shape(o));
    if (!shape->dict_mode)
        return shape->count != 0;
    return load_acquire(&attr_part(o, type_of(v))->extra) != 0; /* pairs with instance.c */
}

static Value
partial_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (nargs < 1)
        return raise_type_error(th, "type 'partial' takes at least one argument");
    Value function = arg(args, 0), old_args = NULL, kwargs = NULL, all = NULL, result = NULL;
    if (is_callable(function) != YES)
        return raise_type_error(th, "the first argument must be callable");
    retain(th, function);
    if (SLOT(type_of(function), call) == partial_call && !has_attributes(function)) {
        /* partial(partial(f, a), b) is partial(f, a, b) */
        Partial *inner = as_partial(function);
        Value outer = function;
        function = field_read(th, &inner->head, &inner->function);
        old_args = field_read(th, &inner->head, &inner->args);
        Value old_kwargs = field_read(th, &inner->head, &inner->kwargs);
        drop(th, outer);
        if (old_kwargs != NULL)
            kwargs = dict_copy(th, old_kwargs);
        drop_null(th, old_kwargs);
    } else {
        kwargs = dict_new(th);
    }
    size_t n = old_args ? (size_t)tuple_length(old_args) : 0;
    if (kwargs != NULL)
        all = tuple_new(th, n + nargs - 1);
    if (all == NULL)
        goto done;
    for (size_t i = 0; i < n; i++)
        tuple_init_item(all, (int64_t)i, retain(th, tuple_item(old_args, (int64_t)i)));
    for (size_t i = 1; i < nargs; i++)
        tuple_init_item(all, (int64_t)(n + i - 1), retain(th, arg(args, i)));
    for (int64_t i = 0, k = kwnames ? tuple_length(kwnames) : 0; i < k; i++) {
        if (!dict_set(th, kwargs, tuple_item(kwnames, i), arg(args, nargs + (size_t)i)))
            goto done;
    }
    result = type_alloc(th, type, 0);
    if (result != NULL) {
        field_init(&as_partial(result)->function, retain(th, function));
        field_init(&as_partial(result)->args, retain(th, all));
        field_init(&as_partial(result)->kwargs, retain(th, kwargs));
    }
done:
    drop_null(th, function);
    drop_null(th, old_args);
    drop_null(th, kwargs);
    drop_null(th, all);
    return result;
}

/* Calls with keywords from the partial, which the call's own replace. */
static Value
partial_call_keywords(Thread *th, Value function, Value first, Value kwargs, const Arg *args,
                      size_t nargs, Value kwnames)
{
    size_t n = (size_t)tuple_length(first);
    Value all = tuple_new(th, n + nargs), merged = all ? dict_copy(th, kwargs) : NULL;
    Value result = NULL;
    bool ok = merged != NULL;
    for (size_t i = 0; ok && i < n + nargs; i++) {
        Value v = i < n ? tuple_item(first, (int64_t)i) : arg(args, i - n);
        tuple_init_item(all, (int64_t)i, retain(th, v));
    }
    for (int64_t i = 0, k = kwnames ? tuple_length(kwnames) : 0; ok && i < k; i++)
        ok = dict_set(th, merged, tuple_item(kwnames, i), arg(args, nargs + (size_t)i));
    if (ok)
        result = call_tuple_dict(th, function, all, merged);
    drop_null(th, all);
    drop_null(th, merged);
    return result;
}

static Value
partial_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (thread_stack_low(th))
        return raise_recursion(th, " while calling a Python object");
    Partial *p = as_partial(self);
    Value function = field_read(th, &p->head, &p->function);
    Value first = field_read(th, &p->head, &p->args);
    Value kwargs = field_read(th, &p->head, &p->kwargs);
    Value few[16], *values = few, result = NULL;
    if (function == NULL || first == NULL || kwargs == NULL) {
        raise_type_error(th, "invalid partial state");
    } else if (dict_length(kwargs) > 0) {
        result = partial_call_keywords(th, function, first, kwargs, args, nargs, kwnames);
    } else {
        size_t n = (size_t)tuple_length(first);
        size_t given = nargs + (kwnames ? (size_t)tuple_length(kwnames) : 0);
        if (n == 0) {
            result = call(th, function, args, nargs, kwnames);
        } else if (n + given <= ARRAY_LEN(few) ||
                   (values = buffer_new(th, (n + given) * sizeof(Value))) != NULL) {
            for (size_t i = 0; i < n; i++)
                values[i] = tuple_item(first, (int64_t)i);
            for (size_t i = 0; i < given; i++)
                values[n + i] = arg(args, i);
            result = call(th, function, args_of(values), n + nargs, kwnames);
            if (values != few)
                buffer_free(values);
        }
    }
    drop_null(th, function);
    drop_null(th, first);
    drop_null(th, kwargs);
    return result;
}

static Value
partial_repr(Thread *th, Value self)
{
    Partial *p = as_partial(self);
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == YES ? str_from_ascii(th, "...", 3) : NULL;
    Value function = field_read(th, &p->head, &p->function);
    Value args = field_read(th, &p->head, &p->args);
    Value kwargs = field_read(th, &p->head, &p->kwargs);
    StrBuilder b;
    str_builder_init(&b);
    Value text = str_format_c(th, "%N(%R", type_of(self), function ? function : NONE);
    bool ok = text != NULL && str_builder_str(th, &b, text);
    drop_null(th, text);
    for (int64_t i = 0, n = args ? tuple_length(args) : 0; ok && i < n; i++) {
        text = str_format_c(th, ", %R", tuple_item(args, i));
        ok = text != NULL && str_builder_str(th, &b, text);
        drop_null(th, text);
    }
    size_t pos = 0;
    Value key, v;
    while (ok && kwargs != NULL && dict_next(th, kwargs, &pos, &key, &v)) {
        text = str_format_c(th, ", %V=%R", key, v);
        ok = text != NULL && str_builder_str(th, &b, text);
        drop_null(th, text);
        drop(th, key);
        drop(th, v);
    }
    ok = ok && str_builder_char(th, &b, ')');
    repr_leave(th, self);
    drop_null(th, function);
    drop_null(th, args);
    drop_null(th, kwargs);
    if (ok)
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static Value
partial_reduce(Thread *th, Value self)
{
    Partial *p = as_partial(self);
    Value function = field_read(th, &p->head, &p->function);
    Value args = field_read(th, &p->head, &p->args);
    Value kwargs = field_read(th, &p->head, &p->kwargs);
    Value dict = has_attributes(self) ? instance_dict(th, self) : NONE;
    Value first = NULL, state = NULL, result = NULL;
    if (function != NULL && dict != NULL)
        first = tuple_pack(th, 1, function);
    if (first != NULL)
        state = tuple_pack(th, 4, function, args, kwargs, dict);
    if (state != NULL)
        result = tuple_pack(th, 3, value_of_type(type_of(self)), first, state);
    drop_null(th, function);
    drop_null(th, args);
    drop_null(th, kwargs);
    drop_null(th, dict);
    drop_null(th, first);
    drop_null(th, state);
    return result;
}

static Value
partial_setstate(Thread *th, Value self, Value state)
{
    Partial *p = as_partial(self);
    if (!is_tuple(state) || tuple_length(state) != 4)
        return raise_type_error(th, "invalid partial state");
    Value function = tuple_item(state, 0), args = tuple_item(state, 1);
    Value kwargs = tuple_item(state, 2), dict = tuple_item(state, 3);
    if (is_callable(function) != YES || !is_tuple(args) || (kwargs != NONE && !is_dict(kwargs)))
        return raise_type_error(th, "invalid partial state");
    args = sequence_tuple(th, args);
    if (args == NULL)
        return NULL;
    if (kwargs == NONE)
        kwargs = dict_new(th);
    else if (is_exact(kwargs, SHAPE_DICT))
        retain(th, kwargs);
    else
        kwargs = dict_copy(th, kwargs);
    if (kwargs == NULL) {
        drop(th, args);
        return NULL;
    }
    bool ok = true;
    if (dict != NONE) {
        ok = instance_set_dict(th, self, dict);
    } else if (has_attributes(self)) {
        Value fresh = dict_new(th);
        ok = fresh != NULL && instance_set_dict(th, self, fresh);
        drop_null(th, fresh);
    }
    if (!ok) {
        drop(th, args);
        drop(th, kwargs);
        return NULL;
    }
    field_replace(th, &p->head, &p->function, retain(th, function));
    field_replace(th, &p->head, &p->args, args);
    field_replace(th, &p->head, &p->kwargs, kwargs);
    return NONE;
}

HOLDS_FIELDS(partial, Partial, function, args, kwargs);
CLEARS_FIELDS(partial, Partial, function, args, kwargs);

static Value
class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

static const MethodDef partial_methods[] = {
    NATIVE_0("__reduce__", partial_reduce, NULL),
    NATIVE_1("__setstate__", partial_setstate, NULL),
    {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

static const MemberDef partial_members[] = {
    {.name = "func", .kind = MEMBER_VALUE, .offset = offsetof(Partial, function), .readonly = true,
     .doc = "function object to use in future partial calls"},
    {.name = "args", .kind = MEMBER_VALUE, .offset = offsetof(Partial, args), .readonly = true,
     .doc = "tuple of arguments to future partial calls"},
    {.name = "keywords", .kind = MEMBER_VALUE, .offset = offsetof(Partial, kwargs),
     .readonly = true, .doc = "dictionary of keyword arguments to future partial calls"},
    {.name = NULL},
};

static const TypeSpec partial_spec = {
    .name = "functools.partial",
    .size = sizeof(Partial),
    .flags = TYPE_BASE | TYPE_IMMUTABLE | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED,
    .doc = "partial(func, *args, **keywords) - new function with partial application\n"
           "    of the given arguments and keywords.\n",
    .methods = partial_methods,
    .members = partial_members,
    .slots = {
        .repr = partial_repr,
        .call = partial_call,
        .new = partial_make,
        .getattr = generic_get_attr,
        .setattr = generic_set_attr,
    },
    .has_dict = true,
    .visit = partial_visit,
    .clear = partial_clear,
    .dealloc = partial_dealloc,
};

/* -- reduce -- */

static Value
functools_reduce(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module;
    Value function = arg(args, 0), sum = nargs > 2 ? retain(th, arg(args, 2)) : NULL;
    Value it = get_iter(th, arg(args, 1));
    if (it == NULL) {
        if (error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th, "reduce() arg 2 must support iteration");
        }
        drop_null(th, sum);
        return NULL;
    }
    for (size_t step = 0;; step++) {
        Value v = iter_next(th, it);
        if (v == NULL)
            break;
        if (sum == NULL) {
            sum = v;
            continue;
        }
        Value next = call_2(th, function, sum, v);
        drop(th, sum);
        drop(th, v);
        sum = next;
        if (sum == NULL || ((step & 1023) == 1023 && !safepoint_poll(th)))
            break;
    }
    drop(th, it);
    if (error_set(th)) {
        drop_null(th, sum);
        return NULL;
    }
    if (sum == NULL)
        return raise_type_error(th, "reduce() of empty iterable with no initial value");
    return sum;
}

/* -- cmp_to_key -- */

typedef struct KeyWrapper {
    struct Object head;
    Value compare; /* [const] */
    Field object;  /* NULL in what cmp_to_key() returns */
} KeyWrapper;

static inline KeyWrapper *
as_key_wrapper(Value v)
{
    return (KeyWrapper *)(void *)value_object(v);
}

static Value
key_wrapper_new(Thread *th, Type *type, Value compare, Value object)
{
    Value v = type_alloc(th, type, 0);
    if (v != NULL) {
        as_key_wrapper(v)->compare = retain(th, compare);
        field_init(&as_key_wrapper(v)->object, retain_null(th, object));
    }
    return v;
}

static Value
functools_cmp_to_key(Thread *th, Value module, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "cmp_to_key", .names = {"mycmp"}, .positional = 1, .required = 1};
    Value v[1];
    (void)module;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    return key_wrapper_new(th, &key_wrapper_type, v[0], NULL);
}

static Value
key_wrapper_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "K", .names = {"obj"}, .positional = 1, .required = 1};
    Value v[1];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    return key_wrapper_new(th, type_of(self), as_key_wrapper(self)->compare, v[0]);
}

static Value
key_wrapper_compare(Thread *th, Value a, Value b, int op)
{
    if (SLOT(type_of(a), call) != key_wrapper_call || type_of(b) != type_of(a))
        return raise_type_error(th, "other argument must be K instance");
    KeyWrapper *x = as_key_wrapper(a), *y = as_key_wrapper(b);
    Value left = field_read(th, &x->head, &x->object), right = field_read(th, &y->head, &y->object);
    Value result = NULL;
    if (left == NULL || right == NULL) {
        raise_error(th, &exc_AttributeError, "object");
    } else {
        Value order = call_2(th, x->compare, left, right);
        if (order != NULL) {
            result = compare(th, order, value_from_fixnum(0), op);
            drop(th, order);
        }
    }
    drop_null(th, left);
    drop_null(th, right);
    return result;
}

HOLDS_BOTH(key_wrapper, KeyWrapper, (compare), (object));
CLEARS_FIELDS(key_wrapper, KeyWrapper, object);

static const MemberDef key_wrapper_members[] = {
    {.name = "obj", .kind = MEMBER_VALUE_NONE, .offset = offsetof(KeyWrapper, object),
     .doc = "Value wrapped by a key function."},
    {.name = NULL},
};

static const TypeSpec key_wrapper_spec = {
    .name = "functools.KeyWrapper",
    .size = sizeof(KeyWrapper),
    .flags = TYPE_DISALLOW_NEW | TYPE_IMMUTABLE,
    .ops_flags = OPS_TRACKED,
    .members = key_wrapper_members,
    .slots = {
        .call = key_wrapper_call,
        .compare = key_wrapper_compare,
        .hash = hash_unhashable,
    },
    .visit = key_wrapper_visit,
    .clear = key_wrapper_clear,
    .dealloc = key_wrapper_dealloc,
};

/* -- the LRU cache -- */

typedef struct LruLink {
    struct Object head;
    struct LruLink *prev, *next; /* [lock] of the wrapper; NULL: not in the list */
    Value key, result;           /* [const] */
    int64_t hash;                /* [const] of the key */
} LruLink;

typedef struct LruCache {
    struct Object head;
    Value function;          /* [const] */
    Value cache;             /* [const] dict: key to result, or to LruLink if bounded */
    Value cache_info_type;   /* [const] */
    int64_t maxsize;         /* [const] -1: unlimited */
    bool typed;              /* [const] */
    ATOMIC(int64_t) hits, misses;
    LruLink *first, *last;   /* [lock] least and most recently used; counted */
    int64_t linked;          /* [lock] links in the list */
} LruCache;

static inline LruCache *
as_lru(Value v)
{
    return (LruCache *)(void *)value_object(v);
}

static inline LruLink *
as_link(Value v)
{
    return (LruLink *)(void *)value_object(v);
}

static inline Dict *
cache_dict(const LruCache *c)
{
    return (Dict *)(void *)value_object(c->cache);
}

static void
list_add_locked(LruCache *c, LruLink *link)
{
    link->prev = c->last;
    link->next = NULL;
    if (c->last != NULL)
        c->last->next = link;
    else
        c->first = link;
    c->last = link;
    c->linked++;
}

static bool
list_has_locked(const LruCache *c, const LruLink *link)
{
    return link->prev != NULL || c->first == link;
}

static void
list_remove_locked(LruCache *c, LruLink *link)
{
    if (link->prev != NULL)
        link->prev->next = link->next;
    else
        c->first = link->next;
    if (link->next != NULL)
        link->next->prev = link->prev;
    else
        c->last = link->prev;
    link->prev = link->next = NULL;
    c->linked--;
}

/* The key of a call: the only argument if it is a str or int, else a tuple. */
static Value
lru_key(Thread *th, LruCache *c, const Arg *args, size_t nargs, Value kwnames)
{
    size_t nkw = kwnames ? (size_t)tuple_length(kwnames) : 0;
    if (!c->typed && nkw == 0 && nargs == 1) {
        Value only = arg(args, 0);
        if (is_exact(only, SHAPE_STR) || is_exact(only, SHAPE_INT))
            return retain(th, only);
    }
    size_t n = nargs + (nkw ? 1 + 2 * nkw : 0), put = 0;
    Value key = tuple_new(th, c->typed ? n + nargs + nkw : n);
    if (key == NULL)
        return NULL;
    Value *items = as_tuple(key)->items;
    for (size_t i = 0; i < nargs; i++)
        items[put++] = retain(th, arg(args, i));
    if (nkw > 0)
        items[put++] = value_of(&keyword_mark);
    for (size_t i = 0; i < nkw; i++) {
        items[put++] = retain(th, tuple_item(kwnames, (int64_t)i));
        items[put++] = retain(th, arg(args, nargs + i));
    }
    for (size_t i = 0; c->typed && i < nargs + nkw; i++)
        items[put++] = retain(th, value_of_type(type_of(arg(args, i))));
    return key;
}

static Value
lru_call_unlimited(Thread *th, LruCache *c, const Arg *args, size_t nargs, Value kwnames)
{
    Value key = lru_key(th, c, args, nargs, kwnames), result = NULL;
    int64_t hash;
    if (key == NULL)
        return NULL;
    if (!to_hash(th, key, &hash))
        goto done;
    Answer found = dict_lookup(th, cache_dict(c), key, hash, &result);
    if (found == YES)
        fetch_add_relaxed(&c->hits, 1); /* a statistic */
    if (found != NO)
        goto done;
    fetch_add_relaxed(&c->misses, 1);
    result = call(th, c->function, args, nargs, kwnames);
    if (result != NULL && dict_insert(th, cache_dict(c), retain(th, key), hash,
                                      retain(th, result), false, NULL) == FAILED)
        DROP_CLEAR(th, result);
done:
    drop(th, key);
    return result;
}

/* Puts a new result into the dict and the list, and the least recently used one out if they are
 * too many then. */
RAISES static bool
lru_add(Thread *th, LruCache *c, Value key, int64_t hash, Value result)
{
    Value v = type_alloc(th, &lru_link_type, 0);
    if (v == NULL)
        return false;
    LruLink *link = as_link(v);
    link->key = retain(th, key);
    link->result = retain(th, result);
    link->hash = hash;
    Answer added = dict_insert(th, cache_dict(c), retain(th, key), hash, retain(th, v), true, NULL);
    if (added != YES) { /* failed; or meanwhile somebody else computed it, too */
        drop(th, v);
        return added != FAILED;
    }
    LruLink *oldest = NULL;
    bool held = object_touch_lock(th, &c->head);
    list_add_locked(c, link); /* takes our reference over */
    if (c->linked > c->maxsize) {
        oldest = c->first;
        list_remove_locked(c, oldest); /* its reference is ours now */
    }
    object_unlock(&c->head, held);
    if (oldest == NULL)
        return true;
    Answer gone = dict_remove(th, cache_dict(c), oldest->key, oldest->hash, NULL);
    drop(th, value_of(oldest));
    return gone != FAILED;
}

static Value
lru_call_bounded(Thread *th, LruCache *c, const Arg *args, size_t nargs, Value kwnames)
{
    Value key = lru_key(th, c, args, nargs, kwnames), result = NULL, found;
    int64_t hash;
    if (key == NULL)
        return NULL;
    if (!to_hash(th, key, &hash))
        goto done;
    Answer hit = dict_lookup(th, cache_dict(c), key, hash, &found);
    if (hit == YES) {
        LruLink *link = as_link(found);
        bool held = object_touch_lock(th, &c->head);
        if (c->last != link && list_has_locked(c, link)) {
            list_remove_locked(c, link);
            list_add_locked(c, link);
        }
        object_unlock(&c->head, held);
        fetch_add_relaxed(&c->hits, 1); /* a statistic */
        result = retain(th, link->result);
        drop(th, found);
        goto done;
    }
    if (hit == FAILED)
        goto done;
    fetch_add_relaxed(&c->misses, 1);
    result = call(th, c->function, args, nargs, kwnames);
    if (result != NULL && !lru_add(th, c, key, hash, result))
        DROP_CLEAR(th, result);
done:
    drop(th, key);
    return result;
}

static Value
lru_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (thread_stack_low(th))
        return raise_recursion(th, " while calling a Python object");
    LruCache *c = as_lru(self);
    if (c->maxsize < 0)
        return lru_call_unlimited(th, c, args, nargs, kwnames);
    if (c->maxsize > 0)
        return lru_call_bounded(th, c, args, nargs, kwnames);
    fetch_add_relaxed(&c->misses, 1); /* a statistic */
    return call(th, c->function, args, nargs, kwnames);
}

static Value
lru_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "lru_cache",
        .names = {"user_function", "maxsize", "typed", "cache_info_type"},
        .positional = 4,
        .required = 4};
    Value v[4];
    int64_t maxsize = -1;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (is_callable(v[0]) != YES)
        return raise_type_error(th, "the first argument must be callable");
    Answer typed = is_true(th, v[2]);
    if (typed == FAILED)
        return NULL;
    if (v[1] != NONE) {
        if (!value_is_fixnum(v[1]) && SLOT(type_of(v[1]), index) == NULL)
            return raise_type_error(th, "maxsize should be integer or None");
        if (!arg_ssize(th, v[1], &maxsize))
            return NULL;
        if (maxsize < 0)
            maxsize = 0;
    }
    Value cache = dict_new(th), self = cache ? type_alloc(th, type, 0) : NULL;
    if (self == NULL) {
        drop_null(th, cache);
        return NULL;
    }
    LruCache *c = as_lru(self);
    c->function = retain(th, v[0]);
    c->cache = cache;
    c->cache_info_type = retain(th, v[3]);
    c->maxsize = maxsize;
    c->typed = typed == YES;
    return self;
}

static Value
lru_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    if (object == NULL || object == NONE)
        return retain(th, self);
    return method_new(th, self, object);
}

static Value
lru_cache_info(Thread *th, Value self)
{
    LruCache *c = as_lru(self);
    Value v[4] = {
        int_from_i64(th, load_relaxed(&c->hits)),
        int_from_i64(th, load_relaxed(&c->misses)),
        c->maxsize < 0 ? NONE : int_from_i64(th, c->maxsize),
        int_from_i64(th, dict_length(c->cache)),
    };
    Value info = NULL;
    if (v[0] && v[1] && v[2] && v[3])
        info = call(th, c->cache_info_type, args_of(v), 4, NULL);
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        drop_null(th, v[i]);
    return info;
}

/* Empties the list; its links are given up. */
static void
lru_unlink_all(Thread *th, LruCache *c)
{
    for (;;) {
        bool held = object_touch_lock(th, &c->head);
        LruLink *link = c->first;
        if (link != NULL)
            list_remove_locked(c, link);
        object_unlock(&c->head, held);
        if (link == NULL)
            return;
        drop(th, value_of(link));
    }
}

static Value
lru_cache_clear(Thread *th, Value self)
{
    LruCache *c = as_lru(self);
    store_relaxed(&c->hits, 0);
    store_relaxed(&c->misses, 0);
    lru_unlink_all(th, c);
    dict_clear(th, c->cache);
    return NONE;
}

static Value
lru_reduce(Thread *th, Value self)
{
    return get_attr(th, self, NAME(__qualname__));
}

static Value
lru_copy(Thread *th, Value self)
{
    return retain(th, self);
}

static Value
lru_deepcopy(Thread *th, Value self, Value memo)
{
    (void)memo;
    return retain(th, self);
}

static void
lru_visit(Object *o, VisitFn visit, void *arg)
{
    LruCache *c = (LruCache *)(void *)o;
    value_visit(c->function, visit, arg);
    value_visit(c->cache, visit, arg);
    value_visit(c->cache_info_type, visit, arg);
    for (LruLink *link = c->first; link != NULL; link = link->next)
        visit(value_of(link), arg);
}

static void
lru_clear(Thread *th, Object *o)
{
    LruCache *c = (LruCache *)(void *)o;
    lru_unlink_all(th, c);
    if (c->cache != NULL)
        dict_clear(th, c->cache);
}

static void
lru_dealloc(Thread *th, Object *o)
{
    LruCache *c = (LruCache *)(void *)o;
    while (c->first != NULL) {
        LruLink *link = c->first;
        list_remove_locked(c, link); /* dying: nobody else has it */
        drop(th, value_of(link));
    }
    drop_null(th, c->function);
    drop_null(th, c->cache);
    drop_null(th, c->cache_info_type);
}

HOLDS_VALUES(link, LruLink, key, result);

static const TypeSpec lru_link_spec = {
    .name = "functools._lru_list_elem",
    .size = sizeof(LruLink),
    .flags = TYPE_DISALLOW_NEW | TYPE_IMMUTABLE,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .visit = link_visit,
    .dealloc = link_dealloc,
};

static const MethodDef lru_methods[] = {
    NATIVE_0("cache_info", lru_cache_info, "Report cache statistics"),
    NATIVE_0("cache_clear", lru_cache_clear, "Clear the cache and cache statistics"),
    NATIVE_0("__reduce__", lru_reduce, NULL),
    NATIVE_0("__copy__", lru_copy, NULL),
    NATIVE_1("__deepcopy__", lru_deepcopy, NULL),
    NATIVE_END,
};

static const TypeSpec lru_cache_spec = {
    .name = "functools._lru_cache_wrapper",
    .size = sizeof(LruCache),
    .flags = TYPE_IMMUTABLE | TYPE_METHOD_DESCR | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED,
    .doc = "Create a cached callable that wraps another function.\n\n"
           "user_function:      the function being cached\n\n"
           "maxsize:  0         for no caching\n"
           "          None      for unlimited cache size\n"
           "          n         for a bounded cache\n\n"
           "typed:    False     cache f(3) and f(3.0) as identical calls\n"
           "          True      cache f(3) and f(3.0) as distinct calls\n\n"
           "cache_info_type:    namedtuple class with the fields:\n"
           "                        hits misses currsize maxsize\n",
    .methods = lru_methods,
    .slots = {
        .call = lru_call,
        .descr_get = lru_get,
        .new = lru_make,
    },
    .has_dict = true,
    .visit = lru_visit,
    .clear = lru_clear,
    .dealloc = lru_dealloc,
};

/* -- the module -- */

static bool
functools_exec(Thread *th, Value module)
{
    static const StaticType types[] = {{&partial_type, &partial_spec},
                                       {&key_wrapper_type, &key_wrapper_spec},
                                       {&lru_cache_type, &lru_cache_spec},
                                       {&lru_link_type, &lru_link_spec}};
    return static_types_ready(th, types, ARRAY_LEN(types)) &&
           module_add_type(th, module, &partial_type) &&
           module_add_type(th, module, &lru_cache_type);
}

static const MethodDef functools_methods[] = {
    NATIVE_N("reduce", functools_reduce, 2, 3,
             "reduce(function, iterable[, initial]) -> value\n\n"
             "Apply a function of two arguments cumulatively to the items of a sequence\n"
             "or iterable, from left to right, so as to reduce the iterable to a single\n"
             "value.  For example, reduce(lambda x, y: x+y, [1, 2, 3, 4, 5]) calculates\n"
             "((((1+2)+3)+4)+5).  If initial is present, it is placed before the items\n"
             "of the iterable in the calculation, and serves as a default when the\n"
             "iterable is empty."),
    NATIVE_K("cmp_to_key", functools_cmp_to_key,
             "cmp_to_key($module, /, mycmp)\n--\n\n"
             "Convert a cmp= function into a key= function.\n\n"
             "  mycmp\n    Function that compares two objects."),
    NATIVE_END,
};

const ModuleSpec functools_module = {
    .name = "_functools",
    .doc = "Tools that operate on functions.",
    .methods = functools_methods,
    .exec = functools_exec,
};
