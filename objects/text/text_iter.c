/* text_iter.c -- iterators over str, bytes, bytearray and memoryview.
 *
 * An iterator gives its sequence up when it is exhausted.  Two threads that share one may get
 * an item twice or miss one; neither meets anything freed: the sequence is read after
 * object_touch(), and used before the next safepoint.
 */
#include "objects/text/text_priv.h"

#include "threads/interp.h"

typedef struct TextIter {
    struct Object head;
    ATOMIC(int64_t) index; /* relaxed: see above */
    Field sequence;        /* NULL once exhausted */
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
    field_init(&it->sequence, retain(th, sequence));
    return value_of(it);
}

static void
visit_slot(Object *o, VisitFn visit, void *arg)
{
    field_visit(&((TextIter *)(void *)o)->sequence, visit, arg);
}

static void
dealloc_slot(Thread *th, Object *o)
{
    field_drop(th, &((TextIter *)(void *)o)->sequence);
}

static void
clear_slot(Thread *th, Object *o)
{
    field_replace(th, o, &((TextIter *)(void *)o)->sequence, NULL);
}

static Value
self_slot(Thread *th, Value self)
{
    return retain(th, self);
}

/* The sequence without a count, or NULL: to be used before the next safepoint. */
static inline Value
sequence_peek(Thread *th, TextIter *it)
{
    object_touch(th, &it->head);
    return field_peek(&it->sequence);
}

/* The next index below `length`, or -1: then the sequence is given up. */
static inline int64_t
take_index(Thread *th, TextIter *it, int64_t length)
{
    int64_t i = load_relaxed(&it->index);
    if (UNLIKELY(i >= length)) {
        field_replace(th, &it->head, &it->sequence, NULL);
        return -1;
    }
    store_relaxed(&it->index, i + 1);
    return i;
}

static Value
str_next(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    Value s = sequence_peek(th, it);
    if (UNLIKELY(s == NULL)) {
        return NULL;
    }
    int64_t i = take_index(th, it, (int64_t)str_length(s));
    return i < 0 ? NULL : str_from_char(th, str_char(as_str(s), (size_t)i));
}

static Value
bytes_next(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    Value b = sequence_peek(th, it);
    if (UNLIKELY(b == NULL)) {
        return NULL;
    }
    int64_t i = take_index(th, it, as_bytes(b)->length);
    return i < 0 ? NULL : value_from_fixnum(as_bytes(b)->data[i]);
}

static Value
bytearray_next(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    Value a = sequence_peek(th, it);
    if (UNLIKELY(a == NULL)) {
        return NULL;
    }
    int64_t i = take_index(th, it, bytearray_length(th, a));
    int64_t byte = i < 0 ? -1 : bytearray_byte(th, a, i);
    return byte < 0 ? NULL : value_from_fixnum(byte);
}

static Value
memory_next(Thread *th, Value self)
{
    TextIter *it = as_iter(self);
    Value m = field_read(th, &it->head, &it->sequence), v = NULL;
    if (m == NULL) {
        return NULL;
    }
    int64_t length = length_of(th, m);
    if (length >= 0) {
        int64_t i = take_index(th, it, length);
        v = i < 0 ? NULL : get_item_index(th, m, i);
    }
    drop(th, m);
    return v;
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
    Value sequence = field_read(th, &it->head, &it->sequence);
    if (sequence == NULL) {
        return value_from_fixnum(0);
    }
    int64_t i = load_relaxed(&it->index), length = length_of(th, sequence);
    drop(th, sequence);
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
    Value sequence = field_read(th, &it->head, &it->sequence), v = NULL;
    Value empty = is_exact(self, SHAPE_STR_ITER) ? str_empty : tuple_empty;
    Value args = tuple_pack(th, 1, sequence == NULL ? empty : sequence);
    if (args != NULL) {
        v = sequence == NULL
                ? tuple_pack(th, 2, iter, args)
                : tuple_pack(th, 3, iter, args, value_from_fixnum(load_relaxed(&it->index)));
    }
    drop_null(th, args);
    drop_null(th, sequence);
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
    Value sequence = field_read(th, &it->head, &it->sequence);
    if (sequence != NULL) {
        int64_t length = length_of(th, sequence);
        drop(th, sequence);
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
        .ops_flags = OPS_TRACKED,                                              \
        .methods = method_table,                                               \
        .slots = {.iter = self_slot, .next = next_fn},                         \
        .visit = visit_slot,                                                   \
        .clear = clear_slot,                                                   \
        .dealloc = dealloc_slot,                                               \
    }

ITER_SPEC(str_iter_type, str_iter_spec, "str_iterator", str_next, iter_methods);
ITER_SPEC(bytes_iter_type, bytes_iter_spec, "bytes_iterator", bytes_next, iter_methods);
ITER_SPEC(bytearray_iter_type, bytearray_iter_spec, "bytearray_iterator", bytearray_next,
          iter_methods);
ITER_SPEC(memory_iter_type, memory_iter_spec, "memory_iterator", memory_next, NULL);
