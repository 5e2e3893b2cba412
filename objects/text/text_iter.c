/* text_iter.c -- iterators over str, bytes, bytearray and memoryview.
 *
 * An iterator keeps its sequence until it dies itself; `index` is -1 once it is exhausted.
 * Two threads that share one may get an item twice or miss one; neither meets anything freed.
 */
#include "objects/text/text_priv.h"

#include "threads/interp.h"

typedef struct TextIter {
    struct Object head;
    ATOMIC(int64_t) index; /* relaxed: see above */
    Value sequence;        /* [const] */
} TextIter;

static inline TextIter *
as_iter(Value v)
{
    return (TextIter *)(void *)value_object(v);
}

static Value
iter_new(Thread *th, uint32_t shape, Value sequence)
{
    Object *o = object_new(th, shape, sizeof(TextIter));
    if (o == NULL) {
        return NULL;
    }
    TextIter *it = (TextIter *)(void *)o;
    it->sequence = retain(th, sequence);
    return value_of(it);
}

static void
visit_slot(Object *o, VisitFn visit, void *arg)
{
    value_visit(((TextIter *)(void *)o)->sequence, visit, arg);
}

static void
dealloc_slot(Thread *th, Object *o)
{
    drop_null(th, ((TextIter *)(void *)o)->sequence);
}

static Value
self_slot(Thread *th, Value self)
{
    return retain(th, self);
}

/* The next index below `length`, or -1. */
static inline int64_t
take_index(TextIter *it, int64_t length)
{
    int64_t i = load_relaxed(&it->index);
    if (UNLIKELY(i < 0)) {
        return -1;
    }
    if (UNLIKELY(i >= length)) {
        store_relaxed(&it->index, -1);
        return -1;
    }
    store_relaxed(&it->index, i + 1);
    return i;
}

static Value
str_next(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    const Str *s = as_str(it->sequence);
    int64_t i = take_index(it, (int64_t)s->length);
    return i < 0 ? NULL : str_from_char(th, str_char(s, (size_t)i));
}

static Value
bytes_next(Thread *th, Value self)
{
    (void)th;
    TextIter *it = as_iter(self);
    const Bytes *b = as_bytes(it->sequence);
    int64_t i = take_index(it, b->length);
    return i < 0 ? NULL : value_from_fixnum(b->data[i]);
}

static Value
bytearray_next(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    ByteView b = byte_view(th, it->sequence);
    int64_t i = take_index(it, (int64_t)b.n);
    return i < 0 ? NULL : value_from_fixnum(b.p[i]);
}

static Value
memory_next(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    if (load_relaxed(&it->index) < 0) {
        return NULL;
    }
    int64_t length = length_of(th, it->sequence);
    if (length < 0) {
        return NULL;
    }
    int64_t i = take_index(it, length);
    return i < 0 ? NULL : get_item_index(th, it->sequence, i);
}

Value
str_iter_new(Thread *th, Value s)
{
    return iter_new(th, SHAPE_STR_ITER, s);
}

Value
bytes_iter_new(Thread *th, Value b)
{
    return iter_new(th, SHAPE_BYTES_ITER, b);
}

Value
bytearray_iter_new(Thread *th, Value b)
{
    return iter_new(th, SHAPE_BYTEARRAY_ITER, b);
}

Value
memory_iter_new(Thread *th, Value m)
{
    return iter_new(th, SHAPE_MEMORY_ITER, m);
}

/* -- methods -- */

static Value
length_hint_method(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    int64_t i = load_relaxed(&it->index);
    if (i < 0) {
        return value_from_fixnum(0);
    }
    int64_t length = length_of(th, it->sequence);
    if (length < 0) {
        return NULL;
    }
    return value_from_fixnum(length > i ? length - i : 0);
}

/* (iter, (sequence,), index); an empty sequence once it is exhausted. */
static Value
reduce_method(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    Value iter = dict_get_c(th, th->interp->builtins, "iter");
    if (iter == NULL) {
        return raise_error(th, &exc_AttributeError, "iter");
    }
    int64_t i = load_relaxed(&it->index);
    Value empty = is_str(it->sequence) ? str_empty : tuple_empty;
    Value args = tuple_pack(th, 1, i < 0 ? empty : it->sequence), v = NULL;
    if (args != NULL) {
        v = i < 0 ? tuple_pack(th, 2, iter, args)
                  : tuple_pack(th, 3, iter, args, value_from_fixnum(i));
    }
    drop_null(th, args);
    drop(th, iter);
    return v;
}

static Value
setstate_method(Thread *th, Value self, Value state)
{
    TextIter *it = as_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i)) {
        return NULL;
    }
    if (load_relaxed(&it->index) >= 0) {
        int64_t length = length_of(th, it->sequence);
        if (length < 0) {
            return NULL;
        }
        store_relaxed(&it->index, i < 0 ? 0 : i > length ? length : i);
    }
    return NONE;
}

static const MethodDef iter_methods[] = {
    NATIVE_0("__length_hint__", length_hint_method, "How many items are left, perhaps."),
    NATIVE_0("__reduce__", reduce_method, "For pickling."),
    NATIVE_1("__setstate__", setstate_method, "Sets the index of the next item."),
    NATIVE_END,
};

#define ITER_SPEC(type_symbol, spec_symbol, type_text, next_fn, method_table)                 \
    Type type_symbol;                                                          \
    const TypeSpec spec_symbol = {                                             \
        .name = type_text,                                                     \
        .size = sizeof(TextIter),                                              \
        .flags = TYPE_DISALLOW_NEW,                                            \
        .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,                              \
        .methods = method_table,                                               \
        .slots = {.iter = self_slot, .next = next_fn},                         \
        .visit = visit_slot,                                                   \
        .dealloc = dealloc_slot,                                               \
    }

ITER_SPEC(str_iter_type, str_iter_spec, "str_iterator", str_next, iter_methods);
ITER_SPEC(bytes_iter_type, bytes_iter_spec, "bytes_iterator", bytes_next, iter_methods);
ITER_SPEC(bytearray_iter_type, bytearray_iter_spec, "bytearray_iterator", bytearray_next,
          iter_methods);
ITER_SPEC(memory_iter_type, memory_iter_spec, "memory_iterator", memory_next, NULL);
