/* pickle_buffer.c -- PickleBuffer: something with a buffer that may travel beside the pickle.
 *
 * `view` is a memoryview that keeps the object's memory where it is until release().
 */
#include "modules/pickle.h"

#include "gc/holds.h"
#include "objects/text/memory_priv.h"

typedef struct PickleBuffer {
    struct Object head;
    Field object; /* NULL once released */
    Field view;   /* NULL once released */
} PickleBuffer;

/* The object inside, a new reference. */
static Value
buffer_object(Thread *th, Value self)
{
    PickleBuffer *b = (PickleBuffer *)(void *)value_object(self);
    Value v = field_read(th, &b->head, &b->object);
    return v ? v
             : raise_value_error(th, "operation forbidden on released PickleBuffer object");
}

bool
pickle_buffer_memory(Thread *th, Value self, Buffer *out)
{
    Value object = buffer_object(th, self);
    bool ok = object != NULL && buffer_get(th, object, out, BUFFER_FULL_RO);
    drop_null(th, object);
    return ok;
}

static bool
pickle_buffer_get(Thread *th, Value self, Buffer *out, int flags)
{
    Value object = buffer_object(th, self);
    bool ok = object != NULL && buffer_get(th, object, out, flags);
    drop_null(th, object);
    return ok;
}

static Value
pickle_buffer_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "PickleBuffer", .names = {""}, .positional = 1, .posonly = 1, .required = 1};
    Value v[1], self;
    if (!args_no_keywords(th, "PickleBuffer", kwnames) ||
        !args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value view = memoryview_from(th, v[0]);
    if (view == NULL)
        return NULL;
    self = type_alloc(th, type, 0);
    if (self == NULL) {
        drop(th, view);
        return NULL;
    }
    PickleBuffer *b = (PickleBuffer *)(void *)value_object(self);
    field_init(&b->object, retain(th, v[0]));
    field_init(&b->view, view);
    return self;
}

/* -- raw(): the bytes in their order in memory, whatever the shape -------------------------------- */

typedef struct RawMemory {
    struct Object head;
    Value object; /* [const] */
} RawMemory;

/* The object's own buffer, described as plain bytes. */
static bool
raw_get_buffer(Thread *th, Value self, Buffer *out, int flags)
{
    if (!buffer_get(th, ((RawMemory *)(void *)value_object(self))->object, out,
                    BUFFER_FULL_RO | (flags & BUFFER_WRITABLE)))
        return false;
    out->format = "B";
    out->item_size = 1;
    out->ndim = 1;
    out->local_shape[0] = out->length;
    out->local_strides[0] = 1;
    out->shape = out->local_shape;
    out->strides = out->local_strides;
    return true;
}

HOLDS_VALUES(raw, RawMemory, object);

Type pickle_raw_type;
const TypeSpec pickle_raw_spec = {
    .name = "_pickle.RawMemory",
    .size = sizeof(RawMemory),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .slots = {.get_buffer = raw_get_buffer},
    .visit = raw_visit,
    .dealloc = raw_dealloc,
};

static Value
pickle_buffer_raw(Thread *th, Value self)
{
    Buffer b;
    if (!pickle_buffer_memory(th, self, &b))
        return NULL;
    LayoutSpace space;
    Layout l = buffer_layout(&b, &space);
    Value raw = NULL, view = NULL;
    if (!layout_is_c(&l) && !layout_is_fortran(&l))
        raise_error(th, &exc_BufferError, "cannot extract raw buffer from non-contiguous buffer");
    else
        raw = type_alloc(th, &pickle_raw_type, 0);
    if (raw != NULL) {
        ((RawMemory *)(void *)value_object(raw))->object = buffer_object(th, self);
        if (((RawMemory *)(void *)value_object(raw))->object != NULL)
            view = memoryview_from(th, raw);
        drop(th, raw);
    }
    buffer_release(th, &b);
    return view;
}

static Value
pickle_buffer_release(Thread *th, Value self)
{
    PickleBuffer *b = (PickleBuffer *)(void *)value_object(self);
    Value view = field_exchange(th, &b->head, &b->view, NULL);
    field_replace(th, &b->head, &b->object, NULL);
    if (view == NULL)
        return NONE;
    Value name = str_intern_c(th, "release");
    Value r = name ? call_method_0(th, view, name) : NULL;
    drop_null(th, name);
    drop(th, view);
    return r;
}

HOLDS_FIELDS(pickle_buffer, PickleBuffer, object, view);
CLEARS_FIELDS(pickle_buffer, PickleBuffer, object, view);

static const MethodDef pickle_buffer_methods[] = {
    NATIVE_0("raw", pickle_buffer_raw,
             "raw($self, /)\n--\n\n"
             "A memoryview of the bytes: one dimension, format 'B', in their order in memory.\n\n"
             "BufferError if they are not contiguous."),
    NATIVE_0("release", pickle_buffer_release,
             "release($self, /)\n--\n\nLets go of the memory."),
    NATIVE_END,
};

Type pickle_buffer_type;
const TypeSpec pickle_buffer_spec = {
    .name = "pickle.PickleBuffer",
    .size = sizeof(PickleBuffer),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED,
    .doc = "Wrapper for potentially out-of-band buffers",
    .methods = pickle_buffer_methods,
    .slots = {.new = pickle_buffer_new, .get_buffer = pickle_buffer_get},
    .visit = pickle_buffer_visit,
    .clear = pickle_buffer_clear,
    .dealloc = pickle_buffer_dealloc,
};
