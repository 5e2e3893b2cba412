/* memoryview.c -- views of memory that other objects export.
 *
 * Views over one exporter share a Managed, which holds the exporter's buffer until the last of
 * them is released.  What a view shows never changes after its creation.  Whoever touches the
 * memory pins the view (memory_enter(), memory_leave()); release() marks it, and the last pin to
 * go gives up the Managed.  No lock is used.
 */
#include "objects/text/memory_priv.h"

#include "objects/model/names.h"
#include "threads/mutex.h"

static COLD bool
raise_released(Thread *th)
{
    raise_value_error(th, "operation forbidden on released memoryview object");
    return false;
}

/* -- the shared buffer -- */

static void
managed_drop(Thread *th, Managed *m)
{
    /* acq_rel: the last one sees what the others did to the memory [memory.views] */
    if (fetch_sub_acq_rel(&m->views, 1) == 1) {
        buffer_release(th, &m->master);
        mem_free(m);
    }
}

/* -- pins -- */

/* Adds to the state; cheap while there is one thread. */
static inline int64_t
state_add(MemoryView *m, int64_t n)
{
    if (LIKELY(load_relaxed(&threads_started) == 0)) {
        int64_t old = load_relaxed(&m->state);
        store_relaxed(&m->state, old + n);
        return old;
    }
    return fetch_add_acq_rel(&m->state, n); /* pairs with itself [memory.state] */
}

/* Gives up the Managed if the view is released and nobody uses it any more. */
static void
state_settle(Thread *th, MemoryView *m, int64_t state)
{
    if (UNLIKELY(state == MEMORY_RELEASED)) {
        Managed *managed = exchange_acq_rel(&m->managed, NULL);
        if (managed != NULL) {
            managed_drop(th, managed);
        }
    }
}

static inline void
memory_leave(Thread *th, MemoryView *m)
{
    state_settle(th, m, state_add(m, -MEMORY_PIN) - MEMORY_PIN);
}

RAISES static inline bool
memory_enter(Thread *th, MemoryView *m)
{
    if (LIKELY((state_add(m, MEMORY_PIN) & MEMORY_RELEASED) == 0)) {
        return true;
    }
    memory_leave(th, m);
    return raise_released(th);
}

static inline bool
is_released(const MemoryView *m)
{
    return (load_acquire(&m->state) & MEMORY_RELEASED) != 0;
}

static inline bool
check_released(Thread *th, const MemoryView *m)
{
    return LIKELY(!is_released(m)) || raise_released(th);
}

/* -- creation -- */

/* A view over `managed`, whose count of views it takes over. */
static Value
view_new(Thread *th, Managed *managed, const Layout *l, bool readonly)
{
    Object *o = object_new(th, SHAPE_MEMORYVIEW,
                           sizeof(MemoryView) + (size_t)l->ndim * 3 * sizeof(int64_t));
    if (o == NULL) {
        managed_drop(th, managed);
        return NULL;
    }
    MemoryView *m = (MemoryView *)(void *)o;
    m->data = l->data;
    m->length = l->length;
    m->item_size = l->item_size;
    m->format = l->format;
    m->ndim = l->ndim;
    m->readonly = readonly;
    m->has_suboffsets = l->suboffsets != NULL;
    m->native = item_format(l->format);
    if (m->native != 0 && item_format_size(m->native) != l->item_size) {
        m->native = 0;
    }
    for (int i = 0; i < l->ndim; i++) {
        m->dims[i] = l->shape[i];
        m->dims[l->ndim + i] = l->strides[i];
        m->dims[2 * l->ndim + i] = l->suboffsets != NULL ? l->suboffsets[i] : -1;
    }
    store_release(&m->managed, managed);
    return value_of(m);
}

/* Counts a view more over the memory of `m`; NULL with an exception if it is released. */
static Managed *
managed_of(Thread *th, MemoryView *m)
{
    if (!memory_enter(th, m)) {
        return NULL;
    }
    Managed *managed = load_acquire(&m->managed);
    fetch_add_relaxed(&managed->views, 1); /* m holds one */
    memory_leave(th, m);
    return managed;
}

/* Another view over the memory of `m`. */
static Value
view_of(Thread *th, MemoryView *m, const Layout *l, bool readonly)
{
    Managed *managed = managed_of(th, m);
    return managed == NULL ? NULL : view_new(th, managed, l, readonly);
}

static Value
view_of_buffer(Thread *th, Managed *managed)
{
    const Buffer *b = &managed->master;
    if (b->ndim > MEMORY_DIMS_MAX) {
        managed_drop(th, managed);
        return raise_value_error(th, "memoryview: number of dimensions must not exceed 64");
    }
    LayoutSpace space;
    Layout l = buffer_layout(b, &space);
    return view_new(th, managed, &l, b->readonly);
}

Value
memoryview_from(Thread *th, Value exporter)
{
    if (is_exact(exporter, SHAPE_MEMORYVIEW)) {
        MemoryView *m = as_memory(exporter);
        Layout l = memory_layout(m);
        return view_of(th, m, &l, m->readonly);
    }
    if (!has_buffer(exporter)) {
        return raise_type_error(th, "memoryview: a bytes-like object is required, not '%T'",
                                exporter);
    }
    Managed *managed = mem_alloc_zeroed(sizeof *managed);
    if (managed == NULL) {
        return raise_memory(th);
    }
    if (!buffer_get(th, exporter, &managed->master, BUFFER_FULL_RO)) {
        mem_free(managed);
        return NULL;
    }
    plain_store(&managed->views, 1);
    return view_of_buffer(th, managed);
}

Value
memoryview_from_memory(Thread *th, void *p, int64_t n, bool readonly)
{
    Managed *managed = mem_alloc_zeroed(sizeof *managed);
    if (managed == NULL) {
        return raise_memory(th);
    }
    if (!buffer_fill(th, &managed->master, NULL, p, n, readonly, BUFFER_FULL_RO)) {
        mem_free(managed);
        return NULL;
    }
    plain_store(&managed->views, 1);
    return view_of_buffer(th, managed);
}

static Value
new_slot(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "memoryview", .names = {"object"}, .positional = 1, .required = 1};
    (void)type;
    Value v[1];
    return args_bind(th, &params, args, nargs, kwnames, v) ? memoryview_from(th, v[0]) : NULL;
}

/* -- release -- */

/* NO: there are exports. */
static Answer
release(Thread *th, MemoryView *m)
{
    int64_t state = load_acquire(&m->state);
    do {
        if (state & MEMORY_RELEASED) {
            return YES;
        }
        int64_t exports = MEMORY_EXPORTS(state);
        if (exports > 0) {
            raise_error(th, &exc_BufferError, "memoryview has %zd exported buffer%s", exports,
                        exports == 1 ? "" : "s");
            return FAILED;
        }
    } while (!cas_acq_rel(&m->state, &state, state | MEMORY_RELEASED)); /* [memory.state] */
    state_settle(th, m, state | MEMORY_RELEASED);
    return YES;
}

static Value
release_method(Thread *th, Value self)
{
    return release(th, as_memory(self)) == YES ? NONE : NULL;
}

static Value
enter_method(Thread *th, Value self)
{
    return check_released(th, as_memory(self)) ? retain(th, self) : NULL;
}

static Value
exit_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)args;
    (void)nargs;
    return release_method(th, self);
}

static void
visit_slot(Object *o, VisitFn visit, void *arg)
{
    MemoryView *m = (MemoryView *)(void *)o;
    Managed *managed = plain_load(&m->managed); /* stopped or dying */
    /* The Managed's reference is visited once: by its only view.  If there are several the
     * exporter counts as referred to from outside. */
    if (managed != NULL && plain_load(&managed->views) == 1) {
        value_visit(managed->master.owner, visit, arg);
    }
}

static void
clear_slot(Thread *th, Object *o)
{
    MemoryView *m = (MemoryView *)(void *)o;
    if (MEMORY_EXPORTS(load_acquire(&m->state)) == 0 && release(th, m) == FAILED) {
        error_clear(th);
    }
}

static void
dealloc_slot(Thread *th, Object *o)
{
    MemoryView *m = (MemoryView *)(void *)o;
    Managed *managed = plain_load(&m->managed); /* dying: nobody else sees it */
    plain_store(&m->managed, NULL);
    if (managed != NULL) {
        managed_drop(th, managed);
    }
}

/* -- exporting -- */

static bool
export_error(Thread *th, const char *message)
{
    raise_error(th, &exc_BufferError, "%s", message);
    return false;
}

/* Whether the view can be shown as `flags` ask. */
static bool
export_allowed(Thread *th, const MemoryView *m, int flags)
{
    Layout l = memory_layout(m);
    if ((flags & BUFFER_WRITABLE) && m->readonly) {
        return export_error(th, "memoryview: underlying buffer is not writable");
    }
    if ((flags & BUFFER_C_CONTIGUOUS) == BUFFER_C_CONTIGUOUS && !layout_is_c(&l)) {
        return export_error(th, "memoryview: underlying buffer is not C-contiguous");
    }
    if ((flags & BUFFER_F_CONTIGUOUS) == BUFFER_F_CONTIGUOUS && !layout_is_fortran(&l)) {
        return export_error(th, "memoryview: underlying buffer is not Fortran contiguous");
    }
    if ((flags & BUFFER_ANY_CONTIGUOUS) == BUFFER_ANY_CONTIGUOUS && !layout_is_c(&l) &&
        !layout_is_fortran(&l)) {
        return export_error(th, "memoryview: underlying buffer is not contiguous");
    }
    if ((flags & BUFFER_INDIRECT) != BUFFER_INDIRECT && m->has_suboffsets) {
        return export_error(th, "memoryview: underlying buffer requires suboffsets");
    }
    if ((flags & BUFFER_STRIDES) != BUFFER_STRIDES && !layout_is_c(&l)) {
        return export_error(th, "memoryview: underlying buffer is not C-contiguous");
    }
    if ((flags & BUFFER_ND) != BUFFER_ND && (flags & BUFFER_FORMAT)) {
        return export_error(
            th, "memoryview: cannot cast to unsigned bytes if the format flag is present");
    }
    return true;
}

static bool
get_buffer_slot(Thread *th, Value self, Buffer *out, int flags)
{
    MemoryView *m = as_memory(self);
    if (!check_released(th, m) || !export_allowed(th, m, flags)) {
        return false;
    }
    if (state_add(m, MEMORY_EXPORT) & MEMORY_RELEASED) {
        state_settle(th, m, state_add(m, -MEMORY_EXPORT) - MEMORY_EXPORT);
        return raise_released(th);
    }
    out->data = m->data;
    out->length = m->length;
    out->item_size = m->item_size;
    out->readonly = m->readonly;
    out->format = flags & BUFFER_FORMAT ? m->format : NULL;
    out->ndim = m->ndim;
    out->shape = m->dims;
    out->strides = m->dims + m->ndim;
    out->suboffsets = m->has_suboffsets ? m->dims + 2 * m->ndim : NULL;
    if ((flags & BUFFER_STRIDES) != BUFFER_STRIDES) {
        out->strides = NULL;
    }
    if ((flags & BUFFER_ND) != BUFFER_ND) {
        out->ndim = 1;
        out->shape = NULL;
    }
    out->owner = retain(th, self);
    return true;
}

bool
memory_is_constant(Value exporter)
{
    if (is_exact(exporter, SHAPE_MEMORYVIEW)) {
        Managed *managed = load_acquire(&as_memory(exporter)->managed); /* stays while it exports */
        return managed != NULL && managed->master.owner != NULL && is_bytes(managed->master.owner);
    }
    return is_bytes(exporter);
}

static void
release_buffer_slot(Thread *th, Value self, Buffer *b)
{
    (void)b;
    MemoryView *m = as_memory(self);
    state_settle(th, m, state_add(m, -MEMORY_EXPORT) - MEMORY_EXPORT);
}

/* -- subscripts -- */

static COLD bool
bad_index(Thread *th, int dim)
{
    raise_error(th, &exc_IndexError, "index out of bounds on dimension %d", dim + 1);
    return false;
}

/* The item's format, NotImplementedError if it is no native one. */
static inline char
native_format(Thread *th, const MemoryView *m)
{
    if (UNLIKELY(m->native == 0)) {
        raise_error(th, &exc_NotImplementedError, "memoryview: format %s not supported",
                    m->format);
    }
    return m->native;
}

/* The address of the item at the indices; the view is not pinned yet. */
static bool
locate(Thread *th, const MemoryView *m, const int64_t *index, int count, uint8_t **p)
{
    Layout l = memory_layout(m);
    int64_t at[MEMORY_DIMS_MAX];
    for (int i = 0; i < count; i++) {
        at[i] = index[i] < 0 ? index[i] + l.shape[i] : index[i];
        if (at[i] < 0 || at[i] >= l.shape[i]) {
            return bad_index(th, i);
        }
    }
    *p = l.data;
    if (l.suboffsets == NULL) {
        for (int i = 0; i < count; i++) {
            *p += l.strides[i] * at[i];
        }
    } else { /* reads pointers in the memory: the caller has pinned the view */
        for (int i = 0; i < count; i++) {
            *p = layout_step(&l, i, *p, at[i]);
        }
    }
    return true;
}

static Value
read_item(Thread *th, MemoryView *m, const int64_t *index, int count)
{
    char format = native_format(th, m);
    if (format == 0 || !memory_enter(th, m)) {
        return NULL;
    }
    uint8_t *p, copy[8];
    if (LIKELY(count == 1 && !m->has_suboffsets)) {
        int64_t i = index[0] < 0 ? index[0] + m->dims[0] : index[0];
        bool inside = i >= 0 && i < m->dims[0];
        if (LIKELY(inside)) {
            p = m->data + i * m->dims[1];
            item_load(copy, p, m->item_size);
        }
        memory_leave(th, m);
        if (UNLIKELY(!inside)) {
            bad_index(th, 0);
            return NULL;
        }
        return item_unpack(th, copy, format);
    }
    bool good = locate(th, m, index, count, &p);
    if (good) {
        item_load(copy, p, m->item_size);
    }
    memory_leave(th, m);
    return good ? item_unpack(th, copy, format) : NULL;
}

static bool
write_item(Thread *th, MemoryView *m, const int64_t *index, int count, Value value)
{
    char format = native_format(th, m);
    uint8_t bytes[8];
    uint8_t *p;
    if (format == 0) {
        return false;
    }
    if (!memory_enter(th, m)) {
        return false;
    }
    bool good = locate(th, m, index, count, &p); /* the index is checked first */
    memory_leave(th, m);
    if (!good || !item_pack(th, bytes, format, m->format, value) || !memory_enter(th, m)) {
        return false;
    }
    good = locate(th, m, index, count, &p);
    if (good) {
        item_store(p, bytes, m->item_size);
    }
    memory_leave(th, m);
    return good;
}

static Value
item_slot(Thread *th, Value self, int64_t i)
{
    MemoryView *m = as_memory(self);
    if (!check_released(th, m)) {
        return NULL;
    }
    if (m->ndim == 0) {
        return raise_type_error(th, "invalid indexing of 0-dim memory");
    }
    if (m->ndim > 1) {
        return raise_error(th, &exc_NotImplementedError,
                           "multi-dimensional sub-views are not implemented");
    }
    return read_item(th, m, &i, 1);
}

/* The view of a slice of the first dimension. */
static bool
slice_layout(Thread *th, const MemoryView *m, Value key, Layout *l, int64_t shape[],
             int64_t strides[])
{
    int64_t start, stop, step;
    if (!slice_unpack(th, key, &start, &stop, &step)) {
        return false;
    }
    *l = memory_layout(m);
    memcpy(shape, l->shape, (size_t)l->ndim * sizeof *shape);
    memcpy(strides, l->strides, (size_t)l->ndim * sizeof *strides);
    int64_t count = slice_adjust(shape[0], &start, &stop, step);
    l->data += strides[0] * start; /* with suboffsets: the pointers are what is sliced */
    shape[0] = count;
    strides[0] *= step;
    l->shape = shape;
    l->strides = strides;
    l->length = l->item_size;
    for (int i = 0; i < l->ndim; i++) {
        l->length *= shape[i];
    }
    return true;
}

static bool
is_index(Value v)
{
    return is_int(v) || SLOT(type_of(v), index) != NULL;
}

/* Whether `key` is a tuple of nothing but indices (or slices). */
static bool
all_items(Value key, bool slices)
{
    for (int64_t i = 0; i < tuple_length(key); i++) {
        Value v = tuple_item(key, i);
        if (slices ? !is_exact(v, SHAPE_SLICE) : !is_index(v)) {
            return false;
        }
    }
    return true;
}

/* The indices of a tuple, one for each dimension. */
static bool
tuple_indices(Thread *th, const MemoryView *m, Value key, int64_t index[])
{
    int64_t n = tuple_length(key);
    if (n > m->ndim) {
        raise_type_error(th, "cannot index %d-dimension view with %zd-element tuple", m->ndim, n);
        return false;
    }
    if (n < m->ndim) {
        raise_error(th, &exc_NotImplementedError, "sub-views are not implemented");
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        if (!to_ssize(th, tuple_item(key, i), &index[i], &exc_IndexError)) {
            return false;
        }
    }
    return true;
}

static Value
getitem_slot(Thread *th, Value self, Value key)
{
    MemoryView *m = as_memory(self);
    int64_t index[MEMORY_DIMS_MAX], strides[MEMORY_DIMS_MAX];
    if (!check_released(th, m)) {
        return NULL;
    }
    if (m->ndim == 0) {
        if (is_tuple(key) && tuple_length(key) == 0) {
            return read_item(th, m, index, 0);
        }
        return key == ELLIPSIS ? retain(th, self)
                               : raise_type_error(th, "invalid indexing of 0-dim memory");
    }
    if (is_index(key)) {
        return to_ssize(th, key, &index[0], &exc_IndexError) ? item_slot(th, self, index[0])
                                                            : NULL;
    }
    if (is_exact(key, SHAPE_SLICE)) {
        Layout l;
        Managed *managed = managed_of(th, m); /* the slice's indices may release the view */
        if (managed == NULL) {
            return NULL;
        }
        if (!slice_layout(th, m, key, &l, index, strides)) {
            managed_drop(th, managed);
            return NULL;
        }
        return view_new(th, managed, &l, m->readonly);
    }
    if (is_tuple(key)) {
        if (all_items(key, false)) {
            return tuple_indices(th, m, key, index) ? read_item(th, m, index, m->ndim) : NULL;
        }
        if (all_items(key, true)) {
            return raise_error(th, &exc_NotImplementedError,
                               "multi-dimensional slicing is not implemented");
        }
    }
    return raise_type_error(th, "memoryview: invalid slice key");
}

static bool
same_structure(const Layout *to, const Layout *from)
{
    const char *a = to->format[0] == '@' ? to->format + 1 : to->format;
    const char *b = from->format[0] == '@' ? from->format + 1 : from->format;
    return strcmp(a, b) == 0 && to->item_size == from->item_size && to->ndim == from->ndim &&
           to->shape[0] == from->shape[0];
}

/* m[slice] = value */
static bool
assign_slice(Thread *th, MemoryView *m, Value key, Value value)
{
    Buffer b;
    LayoutSpace space;
    if (!buffer_get(th, value, &b, BUFFER_FULL_RO)) {
        return false;
    }
    int64_t shape[MEMORY_DIMS_MAX], strides[MEMORY_DIMS_MAX];
    Layout to, from = buffer_layout(&b, &space);
    bool good = slice_layout(th, m, key, &to, shape, strides);
    if (good && !same_structure(&to, &from)) {
        raise_value_error(
            th, "memoryview assignment: lvalue and rvalue have different structures");
        good = false;
    }
    if (good && (good = memory_enter(th, m))) {
        good = layout_copy(th, &to, &from);
        memory_leave(th, m);
    }
    buffer_release(th, &b);
    return good;
}

static bool
setitem_slot(Thread *th, Value self, Value key, Value value)
{
    MemoryView *m = as_memory(self);
    int64_t index[MEMORY_DIMS_MAX];
    if (!check_released(th, m)) {
        return false;
    }
    if (native_format(th, m) == 0) {
        return false;
    }
    if (m->readonly) {
        raise_type_error(th, "cannot modify read-only memory");
        return false;
    }
    if (value == NULL) {
        raise_type_error(th, "cannot delete memory");
        return false;
    }
    if (m->ndim == 0) {
        if (key == ELLIPSIS || (is_tuple(key) && tuple_length(key) == 0)) {
            return write_item(th, m, index, 0, value);
        }
        raise_type_error(th, "invalid indexing of 0-dim memory");
        return false;
    }
    if (is_index(key)) {
        if (m->ndim > 1) {
            raise_error(th, &exc_NotImplementedError, "sub-views are not implemented");
            return false;
        }
        return to_ssize(th, key, &index[0], &exc_IndexError) && write_item(th, m, index, 1, value);
    }
    if (is_exact(key, SHAPE_SLICE) && m->ndim == 1) {
        return assign_slice(th, m, key, value);
    }
    if (is_tuple(key) && all_items(key, false)) {
        return tuple_indices(th, m, key, index) && write_item(th, m, index, m->ndim, value);
    }
    if (is_exact(key, SHAPE_SLICE) || (is_tuple(key) && all_items(key, true))) {
        raise_error(th, &exc_NotImplementedError,
                    "memoryview slice assignments are currently restricted to ndim = 1");
        return false;
    }
    raise_type_error(th, "memoryview: invalid slice key");
    return false;
}

static int64_t
length_slot(Thread *th, Value self)
{
    MemoryView *m = as_memory(self);
    if (!check_released(th, m)) {
        return -1;
    }
    return m->ndim == 0 ? 1 : m->dims[0];
}

static Value
iter_slot(Thread *th, Value self)
{
    MemoryView *m = as_memory(self);
    if (!check_released(th, m) || native_format(th, m) == 0) {
        return NULL;
    }
    if (m->ndim == 0) {
        return raise_type_error(th, "invalid indexing of 0-dim memory");
    }
    if (m->ndim > 1) {
        return raise_error(th, &exc_NotImplementedError,
                           "multi-dimensional sub-views are not implemented");
    }
    return memory_iter_new(th, self);
}

/* -- comparison and hash -- */

static Value
compare_slot(Thread *th, Value a, Value b, int op)
{
    if (op != OP_EQ && op != OP_NE) {
        return NOT_IMPLEMENTED;
    }
    if (!is_exact(a, SHAPE_MEMORYVIEW)) { /* the operands are symmetric */
        Value swap = a;
        a = b;
        b = swap;
    }
    MemoryView *m = as_memory(a);
    if (a == b && is_released(m)) {
        return bool_from(op == OP_EQ);
    }
    if (is_released(m) || (is_exact(b, SHAPE_MEMORYVIEW) && is_released(as_memory(b)))) {
        return bool_from(op == OP_NE);
    }
    if (!has_buffer(b)) {
        return NOT_IMPLEMENTED;
    }
    Buffer x, y;
    if (!buffer_get(th, b, &y, BUFFER_FULL_RO)) {
        error_clear(th);
        return NOT_IMPLEMENTED;
    }
    Answer same = FAILED;
    if (buffer_get(th, a, &x, BUFFER_FULL_RO)) {
        LayoutSpace sx, sy;
        Layout lx = buffer_layout(&x, &sx), ly = buffer_layout(&y, &sy);
        same = layout_equal(th, &lx, &ly);
        buffer_release(th, &x);
    }
    buffer_release(th, &y);
    return same == FAILED ? NULL : bool_from((same == YES) == (op == OP_EQ));
}

static bool
hash_slot(Thread *th, Value self, int64_t *hash)
{
    MemoryView *m = as_memory(self);
    *hash = load_relaxed(&m->hash); /* every thread computes the same */
    if (*hash != 0) {
        return true; /* also after release() */
    }
    if (!check_released(th, m)) {
        return false;
    }
    if (!m->readonly) {
        raise_value_error(th, "cannot hash writable memoryview object");
        return false;
    }
    char format = item_format(m->format);
    if (format != 'B' && format != 'b' && format != 'c') {
        raise_value_error(th, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
        return false;
    }
    Buffer b;
    if (!buffer_get(th, self, &b, BUFFER_FULL_RO)) {
        return false;
    }
    Managed *managed = load_acquire(&m->managed);
    bool good = managed->master.owner == NULL || to_hash(th, managed->master.owner, hash);
    Value bytes = good ? buffer_to_bytes(th, &b) : NULL;
    if (bytes != NULL) {
        *hash = bytes_hash_of(as_bytes(bytes)->data, (size_t)as_bytes(bytes)->length);
        store_relaxed(&m->hash, *hash);
        drop(th, bytes);
    }
    buffer_release(th, &b);
    return bytes != NULL;
}

/* -- methods -- */

Value
buffer_to_bytes(Thread *th, const Buffer *b)
{
    LayoutSpace space;
    Layout l = buffer_layout(b, &space);
    Value bytes = bytes_new(th, (size_t)l.length);
    if (bytes != NULL && l.length > 0) {
        layout_copy_out(&l, as_bytes(bytes)->data, false);
    }
    return bytes;
}

static Value
tobytes_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "tobytes", .names = {"order"}, .positional = 1};
    MemoryView *m = as_memory(self);
    Value v[1] = {NULL};
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !check_released(th, m)) {
        return NULL;
    }
    Layout l = memory_layout(m);
    bool fortran = false;
    if (v[0] != NULL && v[0] != NONE) {
        if (!is_str(v[0])) {
            return raise_type_error(th, "tobytes() argument 'order' must be str or None, not %B",
                                    v[0]);
        }
        if (str_equal_ascii(v[0], "F")) {
            fortran = true;
        } else if (str_equal_ascii(v[0], "A")) {
            fortran = layout_is_fortran(&l) && !layout_is_c(&l);
        } else if (!str_equal_ascii(v[0], "C")) {
            return raise_value_error(th, "order must be 'C', 'F' or 'A'");
        }
    }
    Value bytes = bytes_new(th, (size_t)m->length);
    if (bytes == NULL) {
        return NULL;
    }
    if (!memory_enter(th, m)) {
        drop(th, bytes);
        return NULL;
    }
    if (m->length > 0) {
        layout_copy_out(&l, as_bytes(bytes)->data, fortran);
    }
    memory_leave(th, m);
    return bytes;
}

static Value
hex_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "hex", .names = {"sep", "bytes_per_sep"}, .positional = 2};
    Value v[2] = {NULL, NULL};
    Buffer b;
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !buffer_get(th, self, &b, BUFFER_FULL_RO)) {
        return NULL;
    }
    Value bytes = buffer_to_bytes(th, &b);
    buffer_release(th, &b);
    Value s = bytes == NULL ? NULL : bytes_hex_of(th, byte_view(th, bytes), v[0], v[1]);
    drop_null(th, bytes);
    return s;
}

static Value
tolist_method(Thread *th, Value self)
{
    MemoryView *m = as_memory(self);
    char format;
    if (!check_released(th, m) || (format = native_format(th, m)) == 0 || !memory_enter(th, m)) {
        return NULL;
    }
    Layout l = memory_layout(m);
    Value list = layout_to_list(th, &l, format);
    memory_leave(th, m);
    return list;
}

static Value
toreadonly_method(Thread *th, Value self)
{
    MemoryView *m = as_memory(self);
    Layout l = memory_layout(m);
    return view_of(th, m, &l, true);
}

/* The shape argument of cast(). */
static bool
cast_shape(Thread *th, Value v, int64_t item_size, int64_t length, int64_t shape[], int *ndim)
{
    int64_t n = is_tuple(v) ? tuple_length(v) : list_length(v), product = item_size;
    if (n > MEMORY_DIMS_MAX) {
        raise_value_error(th, "memoryview: number of dimensions must not exceed 64");
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        Value item = is_tuple(v) ? retain(th, tuple_item(v, i)) : list_get(th, v, i);
        bool is_number = item != NULL && is_int(item);
        bool good = is_number && int_fits_i64(item, &shape[i]) && shape[i] > 0;
        drop_null(th, item);
        if (!is_number) {
            raise_type_error(th, "memoryview.cast(): elements of shape must be integers");
            return false;
        }
        if (!good) {
            raise_value_error(th, "memoryview.cast(): elements of shape must be integers > 0");
            return false;
        }
        if (__builtin_mul_overflow(product, shape[i], &product)) {
            raise_value_error(th, "memoryview.cast(): product(shape) > SSIZE_MAX");
            return false;
        }
    }
    if (product != length) {
        raise_type_error(th, "memoryview: product(shape) * itemsize != buffer size");
        return false;
    }
    *ndim = (int)n;
    return true;
}

/* The static text of a native format, with '@' if the argument has one. */
static const char *
format_text(char format, bool at)
{
    static const char all[] = "c\0b\0B\0h\0H\0i\0I\0l\0L\0q\0Q\0n\0N\0f\0d\0?\0P";
    static const char all_at[] = "@c\0@b\0@B\0@h\0@H\0@i\0@I\0@l\0@L\0@q\0@Q\0@n\0@N\0"
                                 "@f\0@d\0@?\0@P";
    for (size_t i = 0; i < sizeof all / 2; i++) {
        if (all[2 * i] == format) {
            return at ? &all_at[3 * i] : &all[2 * i];
        }
    }
    return "B";
}

static bool
is_byte_format(char format)
{
    return format == 'B' || format == 'b' || format == 'c';
}

static Value
cast_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "cast", .names = {"format", "shape"}, .positional = 2, .required = 1};
    MemoryView *m = as_memory(self);
    Value v[2] = {NULL, NULL};
    if (!args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    if (!is_str(v[0])) {
        return raise_type_error(th, "cast() argument 'format' must be str, not %B", v[0]);
    }
    if (!check_released(th, m)) {
        return NULL;
    }
    Layout l = memory_layout(m);
    if (!layout_is_c(&l)) {
        return raise_type_error(th, "memoryview: casts are restricted to C-contiguous views");
    }
    if (v[1] != NULL || m->ndim != 1) {
        for (int i = 0; i < m->ndim; i++) {
            if (l.shape[i] == 0 || l.strides[i] == 0) {
                return raise_type_error(
                    th, "memoryview: cannot cast view with zeros in shape or strides");
            }
        }
    }
    if (v[1] != NULL && !is_list(v[1]) && !is_tuple(v[1])) {
        return raise_type_error(th, "shape must be a list or a tuple");
    }
    if (v[1] != NULL && m->ndim != 1 &&
        (is_tuple(v[1]) ? tuple_length(v[1]) : list_length(v[1])) != 1) {
        return raise_type_error(th, "memoryview: cast must be 1D -> ND or ND -> 1D");
    }
    const char *text = str_utf8(th, v[0], NULL);
    if (text == NULL) {
        return NULL;
    }
    char from = item_format(m->format), to = item_format(text);
    if (from == 0) {
        return raise_value_error(th, "memoryview: source format must be a native single "
                                     "character format prefixed with an optional '@'");
    }
    if (to == 0 || strlen(text) != str_length(v[0])) {
        return raise_value_error(th, "memoryview: destination format must be a native single "
                                     "character format prefixed with an optional '@'");
    }
    if (!is_byte_format(from) && !is_byte_format(to)) {
        return raise_type_error(th, "memoryview: cannot cast between two non-byte formats");
    }
    l.item_size = item_format_size(to);
    if (l.length % l.item_size != 0) {
        return raise_type_error(th, "memoryview: length is not a multiple of itemsize");
    }
    l.format = format_text(to, text[0] == '@');
    int64_t shape[MEMORY_DIMS_MAX] = {l.length / l.item_size}, strides[MEMORY_DIMS_MAX];
    l.ndim = 1;
    if (v[1] != NULL && !cast_shape(th, v[1], l.item_size, l.length, shape, &l.ndim)) {
        return NULL;
    }
    int64_t step = l.item_size;
    for (int i = l.ndim - 1; i >= 0; i--) {
        strides[i] = step;
        step *= shape[i];
    }
    l.shape = shape;
    l.strides = strides;
    l.suboffsets = NULL;
    return view_of(th, m, &l, m->readonly);
}

/* -- attributes -- */

static Value
repr_slot(Thread *th, Value self)
{
    return str_format_c(th, is_released(as_memory(self)) ? "<released memory at %p>"
                                                         : "<memory at %p>",
                        (void *)value_object(self));
}

static Value
get_obj(Thread *th, Value self, void *closure)
{
    (void)closure;
    MemoryView *m = as_memory(self);
    if (!memory_enter(th, m)) {
        return NULL;
    }
    Value owner = load_acquire(&m->managed)->master.owner;
    Value v = owner == NULL ? NONE : retain(th, owner);
    memory_leave(th, m);
    return v;
}

/* The tuple of one of shape, strides, suboffsets. */
static Value
get_dims(Thread *th, Value self, void *closure)
{
    MemoryView *m = as_memory(self);
    if (!check_released(th, m)) {
        return NULL;
    }
    int which = (int)(intptr_t)closure;
    if (which == 2 && !m->has_suboffsets) {
        return retain(th, tuple_empty);
    }
    Value t = tuple_new(th, (size_t)m->ndim);
    for (int i = 0; t != NULL && i < m->ndim; i++) {
        Value n = int_from_i64(th, m->dims[which * m->ndim + i]);
        if (n == NULL) {
            drop(th, t);
            return NULL;
        }
        tuple_init_item(t, i, n);
    }
    return t;
}

enum {
    FACT_NBYTES, FACT_ITEMSIZE, FACT_NDIM, FACT_READONLY, FACT_C, FACT_FORTRAN, FACT_CONTIGUOUS
};

static Value
get_fact(Thread *th, Value self, void *closure)
{
    MemoryView *m = as_memory(self);
    if (!check_released(th, m)) {
        return NULL;
    }
    Layout l = memory_layout(m);
    switch ((int)(intptr_t)closure) {
    case FACT_NBYTES: return int_from_i64(th, m->length);
    case FACT_ITEMSIZE: return int_from_i64(th, m->item_size);
    case FACT_NDIM: return value_from_fixnum(m->ndim);
    case FACT_READONLY: return bool_from(m->readonly);
    case FACT_C: return bool_from(layout_is_c(&l));
    case FACT_FORTRAN: return bool_from(layout_is_fortran(&l));
    default: return bool_from(layout_is_c(&l) || layout_is_fortran(&l));
    }
}

static Value
get_format(Thread *th, Value self, void *closure)
{
    (void)closure;
    MemoryView *m = as_memory(self);
    if (!memory_enter(th, m)) {
        return NULL;
    }
    Value s = str_from_c(th, m->format);
    memory_leave(th, m);
    return s;
}

static const GetterDef getters[] = {
    {.name = "obj", .get = get_obj, .doc = "The underlying object of the memoryview."},
    {.name = "nbytes", .get = get_fact, .doc = "Bytes that tobytes() would give.",
     .closure = (void *)FACT_NBYTES},
    {.name = "readonly", .get = get_fact, .doc = "Whether the memory is read only.",
     .closure = (void *)FACT_READONLY},
    {.name = "itemsize", .get = get_fact, .doc = "Bytes of an item.",
     .closure = (void *)FACT_ITEMSIZE},
    {.name = "format", .get = get_format, .doc = "The items' format as in module struct."},
    {.name = "ndim", .get = get_fact, .doc = "How many dimensions there are.",
     .closure = (void *)FACT_NDIM},
    {.name = "shape", .get = get_dims, .doc = "Items in each dimension.", .closure = (void *)0},
    {.name = "strides", .get = get_dims, .doc = "Bytes from one item to the next.",
     .closure = (void *)1},
    {.name = "suboffsets", .get = get_dims, .doc = "For arrays of pointers.",
     .closure = (void *)2},
    {.name = "c_contiguous", .get = get_fact, .doc = "Whether it is contiguous in C order.",
     .closure = (void *)FACT_C},
    {.name = "f_contiguous", .get = get_fact, .doc = "Whether it is contiguous in Fortran order.",
     .closure = (void *)FACT_FORTRAN},
    {.name = "contiguous", .get = get_fact, .doc = "Whether it is contiguous.",
     .closure = (void *)FACT_CONTIGUOUS},
    {.name = NULL},
};

#define SIG(sig, text) sig "\n--\n\n" text

static const MethodDef methods[] = {
    NATIVE_0("release", release_method,
             SIG("release($self, /)", "Gives up the memory; the view is unusable afterwards.")),
    NATIVE_K("tobytes", tobytes_method,
             SIG("tobytes($self, /, order='C')", "The items as bytes.")),
    NATIVE_K("hex", hex_method,
             "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\nHexadecimal digits.\n\n"
             ">>> view = memoryview(bytes([185, 1, 239]))\n>>> view.hex()\n'b901ef'\n"
             ">>> view.hex(':', 2)\n'b9:01ef'"),
    NATIVE_0("tolist", tolist_method, SIG("tolist($self, /)", "The items as a list.")),
    NATIVE_K("cast", cast_method,
             SIG("cast($self, /, format, shape=<unrepresentable>)",
                 "A view with another format or shape.")),
    NATIVE_0("toreadonly", toreadonly_method,
             SIG("toreadonly($self, /)", "A view that cannot be written to.")),
    NATIVE_0("__enter__", enter_method, NULL),
    NATIVE_N("__exit__", exit_method, 0, -1, NULL),
    NATIVE_END,
};

Type memoryview_type;
const TypeSpec memoryview_spec = {
    .name = "memoryview",
    .size = sizeof(MemoryView),
    .item_size = 3 * sizeof(int64_t),
    .flags = TYPE_SEQUENCE,
    .ops_flags = OPS_TRACKED,
    .doc = SIG("memoryview(object)", "A view of the memory of an object."),
    .methods = methods,
    .getters = getters,
    .slots = {.repr = repr_slot,
              .hash = hash_slot,
              .compare = compare_slot,
              .iter = iter_slot,
              .new = new_slot,
              .length = length_slot,
              .getitem = getitem_slot,
              .setitem = setitem_slot,
              .item = item_slot,
              .get_buffer = get_buffer_slot,
              .release_buffer = release_buffer_slot},
    .visit = visit_slot,
    .clear = clear_slot,
    .dealloc = dealloc_slot,
};
