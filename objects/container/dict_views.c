/* dict_views.c -- keys(), values(), items() of a dict, and the iterators over them.
 *
 * An iterator holds the dict until it is exhausted, the position in the table's entries, the
 * length the dict had when it began, and how many items are still to come.  Threads may share it:
 * the position is taken by compare-and-swap then, so that an item is yielded once; a dict that
 * changes its length meanwhile makes it raise RuntimeError, in every thread.
 */
#include "objects/container/container_priv.h"
#include "gc/holds.h"
#include "objects/container/dict_priv.h"

typedef struct DictView {
    struct Object head;
    Value dict; /* [const] */
} DictView;

typedef struct DictIter {
    struct Object head;
    Field dict;                 /* NULL once exhausted */
    ATOMIC(int64_t) position;   /* of the next entry; reverse: -1 at the end */
    ATOMIC(int64_t) length;     /* of the dict at the beginning; -1 after RuntimeError */
    ATOMIC(int64_t) remaining;  /* items still to come */
    Field pair;                 /* items: the last tuple yielded, used again if nobody kept it */
} DictIter;

static inline DictView *
as_view(Value v)
{
    return (DictView *)(void *)value_object(v);
}

static inline DictIter *
as_iter(Value v)
{
    return (DictIter *)(void *)value_object(v);
}

static inline Dict *
as_dict(Value v)
{
    return (Dict *)(void *)value_object(v);
}

/* -- iterators -- */

static bool
shape_is_reverse(uint32_t shape)
{
    return shape >= SHAPE_DICT_REV_KEY_ITER && shape <= SHAPE_DICT_REV_ITEM_ITER;
}

Value
dict_iter_new(Thread *th, Value dict, uint32_t shape)
{
    Object *o = object_new_kind(th, shape, sizeof(DictIter), true);
    if (o == NULL)
        return NULL;
    DictIter *it = (DictIter *)(void *)o;
    object_touch(th, value_object(dict));
    int64_t length = dict_length(dict);
    int64_t start = 0;
    if (shape_is_reverse(shape))
        start = (int64_t)load_acquire(&dict_table(as_dict(dict))->used) - 1; /* [dict.used] */
    plain_store(&it->position, start); /* plain: not published yet */
    plain_store(&it->length, length);
    plain_store(&it->remaining, length);
    field_init(&it->dict, retain(th, dict));
    return value_of(o);
}

/* Finds the next entry and takes it: true with new references (for pointers that are not NULL);
 * false at the end or with an exception. */
ALWAYS_INLINE bool
dict_iter_step(Thread *th, DictIter *it, bool reverse, Value *key, Value *value)
{
    object_touch(th, &it->head);
    Value dict = field_peek(&it->dict); /* no safepoint until the entry's words are counted */
    if (UNLIKELY(dict == NULL))
        return false;
    Dict *d = as_dict(dict);
    object_touch(th, &d->head);
    int64_t length = load_relaxed(&it->length); /* the dict's words are acquired themselves */
    if (UNLIKELY(length != load_acquire(&d->length))) { /* [dict.length] */
        raise_error(th, &exc_RuntimeError, "dictionary changed size during iteration");
        store_relaxed(&it->length, -1);
        return false;
    }
    DictTable *t = dict_table(d);
    int64_t i = load_relaxed(&it->position), used = load_acquire(&t->used); /* [dict.used] */
    Value k = NULL, v = NULL;
    int64_t remaining;
    for (;;) {
        int64_t at = i;
        if (!reverse) {
            for (; at < used; at++) {
                DictEntry *e = dict_entry(t, (size_t)at);
                k = load_acquire(&e->key);   /* [dict.key] */
                v = load_acquire(&e->value); /* [dict.value] */
                if (LIKELY(k != NULL && v != NULL))
                    break;
            }
        } else {
            if (at >= used)
                at = used - 1;
            for (; at >= 0; at--) {
                DictEntry *e = dict_entry(t, (size_t)at);
                k = load_acquire(&e->key);   /* [dict.key] */
                v = load_acquire(&e->value); /* [dict.value] */
                if (LIKELY(k != NULL && v != NULL))
                    break;
            }
        }
        if (at < 0 || at >= used) {
            field_replace(th, &it->head, &it->dict, NULL);
            return false;
        }
        int64_t after = reverse ? at - 1 : at + 1;
        if (LIKELY(iter_step_begin(th, &it->head))) {
            ASSERT(load_relaxed(&it->position) == i);
            store_relaxed(&it->position, after);
            remaining = load_relaxed(&it->remaining);
            store_relaxed(&it->remaining, remaining - 1);
            object_section_end(th);
            break;
        }
        if (cas_relaxed(&it->position, &i, after)) {
            remaining = fetch_add_relaxed(&it->remaining, -1);
            break;
        }
    }
    if (key != NULL)
        retain(th, k);
    if (value != NULL)
        retain(th, v);
    if (UNLIKELY(remaining <= 0)) {
        if (key != NULL)
            drop(th, k);
        if (value != NULL)
            drop(th, v);
        field_replace(th, &it->head, &it->dict, NULL);
        raise_error(th, &exc_RuntimeError, "dictionary keys changed during iteration");
        return false;
    }
    if (key != NULL)
        *key = k;
    if (value != NULL)
        *value = v;
    return true;
}

static Value
key_iter_next(Thread *th, Value self)
{
    Value key;
    return dict_iter_step(th, as_iter(self), false, &key, NULL) ? key : NULL;
}

static Value
value_iter_next(Thread *th, Value self)
{
    Value v;
    return dict_iter_step(th, as_iter(self), false, NULL, &v) ? v : NULL;
}

static Value
rev_key_iter_next(Thread *th, Value self)
{
    Value key;
    return dict_iter_step(th, as_iter(self), true, &key, NULL) ? key : NULL;
}

static Value
rev_value_iter_next(Thread *th, Value self)
{
    Value v;
    return dict_iter_step(th, as_iter(self), true, NULL, &v) ? v : NULL;
}

/* A tuple of two new references: the iterator's last one if nobody else has it. */
static Value
item_pair(Thread *th, DictIter *it, Value key, Value v)
{
    bool alone = object_is_owned(th, &it->head) && !object_shared(&it->head);
    Value pair = alone ? field_peek(&it->pair) : NULL;
    if (pair != NULL && object_unique(th, value_object(pair))) {
        Value *items = as_tuple(pair)->items;
        Value old_key = items[0], old_value = items[1];
        items[0] = key;
        items[1] = v;
        retain(th, pair);
        drop_null(th, old_key);
        drop_null(th, old_value);
        return pair;
    }
    Value fresh = tuple_new(th, 2);
    if (fresh == NULL) {
        drop(th, key);
        drop(th, v);
        return NULL;
    }
    as_tuple(fresh)->items[0] = key;
    as_tuple(fresh)->items[1] = v;
    if (alone)
        field_replace(th, &it->head, &it->pair, retain(th, fresh));
    return fresh;
}

static Value
item_iter_next(Thread *th, Value self)
{
    Value key, v;
    if (!dict_iter_step(th, as_iter(self), false, &key, &v))
        return NULL;
    return item_pair(th, as_iter(self), key, v);
}

Answer
dict_items_next_pair(Thread *th, Value self, Value *key, Value *v)
{
    if (LIKELY(dict_iter_step(th, as_iter(self), false, key, v)))
        return YES;
    return error_set(th) ? FAILED : NO;
}

static Value
rev_item_iter_next(Thread *th, Value self)
{
    Value key, v;
    if (!dict_iter_step(th, as_iter(self), true, &key, &v))
        return NULL;
    return item_pair(th, as_iter(self), key, v);
}

static Value
dict_iter_length_hint(Thread *th, Value self)
{
    DictIter *it = as_iter(self);
    Value dict = field_read(th, &it->head, &it->dict);
    int64_t n = 0;
    if (dict != NULL) {
        if (load_relaxed(&it->length) == dict_length(dict))
            n = load_relaxed(&it->remaining);
        drop(th, dict);
    }
    return value_from_fixnum(n);
}

static Value
dict_iter_reduce(Thread *th, Value self)
{
    DictIter *it = as_iter(self);
    Value list = NULL, dict = field_read(th, &it->head, &it->dict);
    if (dict == NULL) {
        list = list_new(th, 0);
    } else {
        Value copy = dict_iter_new(th, dict, object_shape(&it->head));
        if (copy != NULL) {
            DictIter *c = as_iter(copy);
            plain_store(&c->position, load_relaxed(&it->position)); /* plain: ours alone */
            plain_store(&c->length, load_relaxed(&it->length));
            plain_store(&c->remaining, load_relaxed(&it->remaining));
            list = sequence_list(th, copy);
            drop(th, copy);
        }
        drop(th, dict);
    }
    if (list == NULL)
        return NULL;
    Value args = tuple_pack(th, 1, list);
    drop(th, list);
    return reduce_builtin(th, "iter", args);
}

HOLDS_FIELDS(dict_iter, DictIter, dict, pair);

static const MethodDef dict_iter_methods[] = {
    NATIVE_0("__length_hint__", dict_iter_length_hint,
             "Private method returning an estimate of len(list(it))."),
    NATIVE_0("__reduce__", dict_iter_reduce, "Return state information for pickling."),
    NATIVE_END,
};

#define DICT_ITER_TYPE(symbol, text, next_function)                                                \
    Type symbol##_type;                                                                            \
    const TypeSpec symbol##_spec = {                                                               \
        .name = text,                                                                              \
        .size = sizeof(DictIter),                                                                  \
        .flags = TYPE_DISALLOW_NEW,                                                                \
        .ops_flags = OPS_TRACKED,                                                                  \
        .methods = dict_iter_methods,                                                              \
        .slots = {.iter = iter_self, .next = next_function},                                       \
        .visit = dict_iter_visit,                                                                  \
        .dealloc = dict_iter_dealloc,                                                              \
    }

DICT_ITER_TYPE(dict_key_iter, "dict_keyiterator", key_iter_next);
DICT_ITER_TYPE(dict_value_iter, "dict_valueiterator", value_iter_next);
DICT_ITER_TYPE(dict_item_iter, "dict_itemiterator", item_iter_next);
DICT_ITER_TYPE(dict_rev_key_iter, "dict_reversekeyiterator", rev_key_iter_next);
DICT_ITER_TYPE(dict_rev_value_iter, "dict_reversevalueiterator", rev_value_iter_next);
DICT_ITER_TYPE(dict_rev_item_iter, "dict_reverseitemiterator", rev_item_iter_next);

/* -- views -- */

Dict *
dict_of_view(Value view)
{
    return as_dict(as_view(view)->dict);
}

Value
dict_view_new(Thread *th, Value dict, uint32_t shape)
{
    Object *o = object_new_kind(th, shape, sizeof(DictView), true);
    if (o == NULL)
        return NULL;
    ((DictView *)(void *)o)->dict = retain(th, dict);
    return value_of(o);
}

Value
dict_view_new_type(Thread *th, Value dict, Type *type)
{
    Value v = type_alloc(th, type, 0);
    if (v != NULL)
        as_view(v)->dict = retain(th, dict);
    return v;
}

static int64_t
view_length(Thread *th, Value self)
{
    (void)th;
    return dict_length(as_view(self)->dict);
}

static Value
keys_iter(Thread *th, Value self)
{
    return dict_iter_new(th, as_view(self)->dict, SHAPE_DICT_KEY_ITER);
}

static Value
values_iter(Thread *th, Value self)
{
    return dict_iter_new(th, as_view(self)->dict, SHAPE_DICT_VALUE_ITER);
}

static Value
items_iter(Thread *th, Value self)
{
    return dict_iter_new(th, as_view(self)->dict, SHAPE_DICT_ITEM_ITER);
}

static Value
keys_reversed(Thread *th, Value self)
{
    return dict_iter_new(th, as_view(self)->dict, SHAPE_DICT_REV_KEY_ITER);
}

static Value
values_reversed(Thread *th, Value self)
{
    return dict_iter_new(th, as_view(self)->dict, SHAPE_DICT_REV_VALUE_ITER);
}

static Value
items_reversed(Thread *th, Value self)
{
    return dict_iter_new(th, as_view(self)->dict, SHAPE_DICT_REV_ITEM_ITER);
}

static Answer
keys_contains(Thread *th, Value self, Value key)
{
    return dict_contains(th, as_view(self)->dict, key);
}

static Answer
items_contains(Thread *th, Value self, Value item)
{
    if (!is_tuple(item) || tuple_length(item) != 2)
        return NO;
    Value v;
    Answer found = dict_get(th, as_view(self)->dict, tuple_item(item, 0), &v);
    if (found != YES)
        return found;
    found = items_equal(th, v, tuple_item(item, 1));
    drop(th, v);
    return found;
}

static Value
view_repr(Thread *th, Value self)
{
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == YES ? str_from_ascii(th, "...", 3) : NULL;
    Value text = NULL, list = sequence_list(th, self);
    if (list != NULL) {
        text = str_format_c(th, "%s(%R)", type_name_of(self), list);
        drop(th, list);
    }
    repr_leave(th, self);
    return text;
}

/* Whether `v` is a set, frozenset, or a view of keys or items. */
static bool
is_set_like(Value v)
{
    return is_any_set(v) || is_instance_of(v, &dict_keys_type) ||
           is_instance_of(v, &dict_items_type);
}

/* Whether everything in `part` is in `whole`. */
static Answer
all_contained(Thread *th, Value part, Value whole)
{
    Value it = get_iter(th, part);
    if (it == NULL)
        return FAILED;
    Answer answer = YES;
    while (answer == YES) {
        Value v = iter_next(th, it);
        if (v == NULL) {
            if (error_set(th))
                answer = FAILED;
            break;
        }
        answer = contains(th, whole, v);
        drop(th, v);
    }
    drop(th, it);
    return answer;
}

static Value
view_compare(Thread *th, Value self, Value other, int op)
{
    if (!is_set_like(other))
        return NOT_IMPLEMENTED;
    int64_t n = length_of(th, self), m = n < 0 ? -1 : length_of(th, other);
    if (n < 0 || m < 0)
        return NULL;
    Answer answer = NO;
    switch (op) {
    case OP_EQ:
    case OP_NE:
        if (n == m)
            answer = all_contained(th, self, other);
        if (op == OP_NE && answer != FAILED)
            answer = answer == YES ? NO : YES;
        break;
    case OP_LT: answer = n < m ? all_contained(th, self, other) : NO; break;
    case OP_LE: answer = n <= m ? all_contained(th, self, other) : NO; break;
    case OP_GT: answer = n > m ? all_contained(th, other, self) : NO; break;
    default: answer = n >= m ? all_contained(th, other, self) : NO; break;
    }
    return answer == FAILED ? NULL : bool_from(answer == YES);
}

/* A new set from `a`, changed by the set method `name` with argument `b`. */
static Value
set_changed_by(Thread *th, Value a, const char *name, Value b)
{
    Value set = set_from(th, a);
    if (set == NULL)
        return NULL;
    Value method = str_intern_c(th, name);
    Value done = method ? call_method_1(th, set, method, b) : NULL;
    drop_null(th, method);
    if (done == NULL)
        DROP_CLEAR(th, set);
    drop_null(th, done);
    return set;
}

static Value
view_subtract(Thread *th, Value a, Value b)
{
    return set_changed_by(th, a, "difference_update", b);
}

static Value
view_or(Thread *th, Value a, Value b)
{
    return set_changed_by(th, a, "update", b);
}

static Value
view_xor(Thread *th, Value a, Value b)
{
    return set_changed_by(th, a, "symmetric_difference_update", b);
}

static bool
is_view(Value v)
{
    return is_instance_of(v, &dict_keys_type) || is_instance_of(v, &dict_items_type);
}

static Value
view_and(Thread *th, Value a, Value b)
{
    Value self = is_view(a) ? a : b, other = self == a ? b : a;
    /* Which one is gone over decides whose of two equal items the result has. */
    if (is_exact(other, SHAPE_SET) && view_length(th, self) <= set_length(other)) {
        Value method = str_intern_c(th, "intersection");
        Value common = method ? call_method_1(th, other, method, self) : NULL;
        drop_null(th, method);
        return common;
    }
    if (is_view(other) && view_length(th, other) > view_length(th, self)) {
        Value swap = self;
        self = other;
        other = swap;
    }
    Value it = get_iter(th, other);
    if (it == NULL)
        return NULL;
    Value result = set_new(th);
    while (result != NULL) {
        Value v = iter_next(th, it);
        if (v == NULL) {
            if (error_set(th))
                DROP_CLEAR(th, result);
            break;
        }
        Answer inside = contains(th, self, v);
        bool ok = inside != FAILED && (inside == NO || set_add(th, result, v));
        drop(th, v);
        if (!ok)
            DROP_CLEAR(th, result);
    }
    drop(th, it);
    return result;
}

static Value
view_isdisjoint(Thread *th, Value self, Value other)
{
    if (self == other)
        return bool_from(view_length(th, self) == 0);
    if (is_any_set(other) || is_view(other)) {
        int64_t n = length_of(th, other);
        if (n < 0)
            return NULL;
        if (n > view_length(th, self)) {
            Value swap = self;
            self = other;
            other = swap;
        }
    }
    Value it = get_iter(th, other);
    if (it == NULL)
        return NULL;
    Answer inside = NO;
    while (inside == NO) {
        Value v = iter_next(th, it);
        if (v == NULL) {
            if (error_set(th))
                inside = FAILED;
            break;
        }
        inside = contains(th, self, v);
        drop(th, v);
    }
    drop(th, it);
    return inside == FAILED ? NULL : bool_from(inside == NO);
}

static Value
view_mapping(Thread *th, Value self, void *closure)
{
    (void)closure;
    return mappingproxy_new(th, as_view(self)->dict);
}

HOLDS_VALUES(view, DictView, dict);

static const GetterDef view_getters[] = {
    {.name = "mapping", .get = view_mapping, .doc = "dictionary that this view refers to"},
    {.name = NULL},
};

#define ISDISJOINT                                                                                 \
    NATIVE_1("isdisjoint", view_isdisjoint,                                                        \
             "Return True if the view and the given iterable have a null intersection.")

static const MethodDef keys_methods[] = {
    ISDISJOINT,
    NATIVE_0("__reversed__", keys_reversed, "Return a reverse iterator over the dict keys."),
    NATIVE_END,
};

static const MethodDef values_methods[] = {
    NATIVE_0("__reversed__", values_reversed, "Return a reverse iterator over the dict values."),
    NATIVE_END,
};

static const MethodDef items_methods[] = {
    ISDISJOINT,
    NATIVE_0("__reversed__", items_reversed, "Return a reverse iterator over the dict items."),
    NATIVE_END,
};

#define DICT_VIEW_TYPE(symbol, text, ...)                                                          \
    Type symbol##_type;                                                                            \
    const TypeSpec symbol##_spec = {                                                               \
        .name = text,                                                                              \
        .size = sizeof(DictView),                                                                  \
        .flags = TYPE_DISALLOW_NEW,                                                                \
        .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,                                                  \
        .getters = view_getters,                                                                   \
        .slots = {.repr = view_repr, .length = view_length, __VA_ARGS__},                          \
        .visit = view_visit,                                                                       \
        .dealloc = view_dealloc,

#define VIEW_SET_SLOTS                                                                             \
    .hash = hash_unhashable, .compare = view_compare, .subtract = view_subtract,                   \
    .and_ = view_and, .xor_ = view_xor, .or_ = view_or

DICT_VIEW_TYPE(dict_keys, "dict_keys", VIEW_SET_SLOTS, .iter = keys_iter,
               .contains = keys_contains)
    .methods = keys_methods,
};

DICT_VIEW_TYPE(dict_values, "dict_values", .iter = values_iter)
    .methods = values_methods,
};

DICT_VIEW_TYPE(dict_items, "dict_items", VIEW_SET_SLOTS, .iter = items_iter,
               .contains = items_contains)
    .methods = items_methods,
};
