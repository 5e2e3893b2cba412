/* bytearray.c -- bytes that can change.
 *
 * All fields are under the object's lock.  `start` points into `buffer`, so that removing from
 * the front costs nothing; capacity - (start - buffer) is at least length + 1, and a zero byte
 * follows the last one (an empty array without memory has none).  Growing takes new memory;
 * the old is retired when other threads have seen the object, since one that has just become
 * shared may still be looked at by its owner.  While there are exports the length does not change.
 *
 * byte_view() gives a look at the bytes without the lock: once there are threads at a copy, which is
 * retired at once and so lives until the next safepoint.  byte_glance() copies shared arrays only.
 */
#include "objects/text/bytes_priv.h"

#include "objects/model/names.h"
#include "threads/interp.h"

#include <stdio.h>

#define BYTEARRAY_MAX ((int64_t)1 << 60)

static uint8_t no_bytes[1];

static inline ByteArray *
as_bytearray(Value v)
{
    return (ByteArray *)(void *)value_object(v);
}

bool
is_bytearray(Value v)
{
    uint32_t shape = shape_of(v);
    if (shape < SHAPE_FIXED_END) {
        return shape == SHAPE_BYTEARRAY;
    }
    return type_is_subtype(type_at(shape), &bytearray_type);
}

static void
free_memory(Thread *th, void *p)
{
    (void)th;
    mem_free(p);
}

static ByteView
look(Thread *th, Value v, bool keep_private)
{
    if (!is_bytearray(v)) {
        return (ByteView){as_bytes(v)->data, (size_t)as_bytes(v)->length};
    }
    ByteArray *a = as_bytearray(v);
    bool held = object_touch_lock(th, &a->head);
    ByteView b = {a->start, (size_t)a->length};
    uint8_t *copy = NULL;
    bool changes = load_relaxed(&threads_started) != 0 &&
                   (!keep_private || WEFT_TSAN || (object_bits(&a->head) & BIT_SHARED));
    if (UNLIKELY(changes && b.n > 0)) {
        copy = mem_alloc(b.n); /* without memory the look is at what others may be writing */
        if (copy != NULL) {
            memory_move_raced(copy, b.p, b.n); /* memoryviews may write it */
            b.p = copy;
        }
    }
    object_unlock(&a->head, held);
    if (copy != NULL) {
        retire_memory(th, copy, b.n, free_memory);
    }
    if (b.p == NULL) {
        b.p = no_bytes;
    }
    return b;
}

ByteView
byte_view(Thread *th, Value v)
{
    return look(th, v, false);
}

ByteView
byte_glance(Thread *th, Value v)
{
    return look(th, v, true);
}

int64_t
bytearray_byte(Thread *th, Value v, int64_t i)
{
    ByteArray *a = as_bytearray(v);
    bool held = object_touch_lock(th, &a->head);
    if (i < 0) {
        i += a->length;
    }
    int64_t byte = i >= 0 && i < a->length ? __atomic_load_n(a->start + i, __ATOMIC_RELAXED) : -1;
    object_unlock(&a->head, held);
    return byte;
}

int64_t
bytearray_length(Thread *th, Value v)
{
    ByteArray *a = as_bytearray(v);
    bool held = object_touch_lock(th, &a->head);
    int64_t n = a->length;
    object_unlock(&a->head, held);
    return n;
}

/* -- changing the length -- */

/* What a change under the lock leaves to be done after it. */
typedef struct After {
    enum { DONE, EXPORTED, NO_MEMORY, OUT_OF_RANGE } result;
    uint8_t *old;       /* memory no longer used, or NULL */
    size_t old_size;
    bool shared;
} After;

/* Gives up old memory and raises what went wrong. */
static bool
finish(Thread *th, const After *after)
{
    if (after->old != NULL) {
        if (after->shared) {
            retire_memory(th, after->old, after->old_size, free_memory);
        } else {
            mem_free(after->old);
        }
    }
    switch (after->result) {
    case DONE: return true;
    case EXPORTED:
        raise_error(th, &exc_BufferError,
                    "Existing exports of data: object cannot be re-sized");
        return false;
    case NO_MEMORY: raise_memory(th); return false;
    default: return false;
    }
}

/* Moves the bytes into memory for `length` ones with a gap: `head` bytes stay in front of it,
 * the rest from `tail` on comes behind head + gap.  Takes: the lock held. */
static bool
move_locked(ByteArray *a, int64_t head, int64_t tail, int64_t gap, int64_t length, After *after)
{
    int64_t capacity = length + 1;
    if (a->capacity > 0 && length > a->length) {
        capacity += length / 8 + (length < 9 ? 3 : 6);
    }
    uint8_t *fresh = mem_alloc((size_t)capacity);
    if (fresh == NULL) {
        after->result = NO_MEMORY;
        return false;
    }
    if (a->length > 0) {
        memcpy(fresh, a->start, (size_t)head);
        memcpy(fresh + head + gap, a->start + tail, (size_t)(a->length - tail));
    }
    after->old = a->buffer;
    after->old_size = (size_t)a->capacity;
    after->shared = (object_bits(&a->head) & BIT_SHARED) != 0;
    a->buffer = a->start = fresh;
    a->capacity = capacity;
    return true;
}

/* Replaces `removed` bytes at `at` by `added` ones, whose contents are left unset.
 * Takes: the lock held. */
static bool
splice_locked(ByteArray *a, int64_t at, int64_t removed, int64_t added, After *after)
{
    if (removed == added) {
        return true;
    }
    if (a->exports > 0) {
        after->result = EXPORTED;
        return false;
    }
    int64_t length = a->length - removed + added, tail = at + removed;
    if (length > BYTEARRAY_MAX) {
        after->result = NO_MEMORY;
        return false;
    }
    int64_t room = a->buffer == NULL ? 0 : a->capacity - (a->start - a->buffer);
    bool too_big = a->capacity > 64 && length < a->capacity / 2;
    if (length + 1 > room || too_big) {
        if (!move_locked(a, at, tail, added, length, after)) {
            if (length + 1 > room) {
                return false;
            }
            after->result = DONE; /* no memory to shrink: stay */
            memmove(a->start + at + added, a->start + tail, (size_t)(a->length - tail));
        }
    } else if (at == 0 && removed > added) {
        a->start += removed - added;
    } else {
        memmove(a->start + at + added, a->start + tail, (size_t)(a->length - tail));
    }
    a->length = length;
    a->start[length] = 0;
    return true;
}

/* Puts the n bytes at p in place of those from..to, which are clipped to the length. */
static bool
replace_range(Thread *th, Value self, int64_t from, int64_t to, const uint8_t *p, size_t n)
{
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    bool held = object_touch_lock(th, &a->head);
    if (to > a->length) {
        to = a->length;
    }
    if (from > to) {
        from = to;
    }
    if (n > (size_t)BYTEARRAY_MAX) {
        after.result = NO_MEMORY;
    } else if (splice_locked(a, from, to - from, (int64_t)n, &after) && n > 0) {
        memcpy(a->start + from, p, n);
    }
    object_unlock(&a->head, held);
    return finish(th, &after);
}

static bool
append_bytes(Thread *th, Value self, const uint8_t *p, size_t n)
{
    return n == 0 || replace_range(th, self, INT64_MAX, INT64_MAX, p, n);
}

/* -- creation -- */

Value
bytearray_new(Thread *th, size_t n, uint8_t **data)
{
    if (n > (size_t)BYTEARRAY_MAX) {
        return raise_memory(th);
    }
    uint8_t *buffer = NULL;
    if (n > 0) {
        buffer = mem_alloc(n + 1);
        if (buffer == NULL) {
            return raise_memory(th);
        }
        buffer[n] = 0;
    }
    Object *o = object_new(th, SHAPE_BYTEARRAY, sizeof(ByteArray));
    if (o == NULL) {
        mem_free(buffer);
        return NULL;
    }
    ByteArray *a = (ByteArray *)(void *)o;
    a->buffer = a->start = buffer;
    a->length = (int64_t)n;
    a->capacity = n > 0 ? (int64_t)n + 1 : 0;
    *data = buffer == NULL ? no_bytes : buffer;
    return value_of(a);
}

Value
bytearray_from(Thread *th, const void *p, size_t n)
{
    uint8_t *data;
    Value v = bytearray_new(th, n, &data);
    if (v != NULL && n > 0) {
        memcpy(data, p, n);
    }
    return v;
}

static Value
new_slot(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

static bool
append_item(Thread *th, Value self, Value item)
{
    uint8_t byte;
    if (!byte_value(th, item, &byte)) {
        return false;
    }
    ByteArray *a = as_bytearray(self);
    bool held = object_touch_lock(th, &a->head);
    bool room = a->exports == 0 && a->length + 1 < a->capacity - (a->start - a->buffer);
    if (LIKELY(room)) {
        a->start[a->length++] = byte;
        a->start[a->length] = 0;
    }
    object_unlock(&a->head, held);
    return room || append_bytes(th, self, &byte, 1);
}

/* Appends what bytearray(source) is made of, a source without encoding. */
static bool
init_from(Thread *th, Value self, Value source)
{
    if (is_int(source) || SLOT(type_of(source), index) != NULL) {
        int64_t n;
        if (to_ssize(th, source, &n, &exc_OverflowError)) {
            if (n < 0) {
                raise_value_error(th, "negative count");
                return false;
            }
            uint8_t *zeros = n == 0 ? NULL : mem_alloc_zeroed((size_t)n);
            if (n > 0 && zeros == NULL) {
                raise_memory(th);
                return false;
            }
            bool good = append_bytes(th, self, zeros, (size_t)n);
            mem_free(zeros);
            return good;
        }
        if (!error_matches(th, &exc_TypeError)) {
            return false;
        }
        error_clear(th);
    }
    if (has_buffer(source)) {
        Buffer b;
        if (!buffer_get(th, source, &b, BUFFER_FULL_RO)) {
            return false;
        }
        Value bytes = buffer_to_bytes(th, &b);
        buffer_release(th, &b);
        bool good = bytes != NULL && append_bytes(th, self, as_bytes(bytes)->data,
                                                  (size_t)as_bytes(bytes)->length);
        drop_null(th, bytes);
        return good;
    }
    if (SLOT(type_of(source), iter) == NULL && SLOT(type_of(source), item) == NULL &&
        SLOT(type_of(source), getitem) == NULL) {
        raise_type_error(th, "cannot convert '%T' object to bytearray", source);
        return false;
    }
    /* One by one: the iterator may look at what is there already. */
    Value it = get_iter(th, source), item;
    bool good = it != NULL;
    while (good && (item = iter_next(th, it)) != NULL) {
        good = append_item(th, self, item);
        drop(th, item);
    }
    drop_null(th, it);
    return good && !error_set(th);
}

static bool
init_slot(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "bytearray", .names = {"source", "encoding", "errors"}, .positional = 3};
    Value v[3] = {NULL, NULL, NULL}, bytes;
    if (!args_bind(th, &params, args, nargs, kwnames, v)) {
        return false;
    }
    if (!replace_range(th, self, 0, INT64_MAX, NULL, 0)) {
        return false;
    }
    Answer encoded = bytes_source_encoded(th, v[0], v[1], v[2], "bytearray", &bytes);
    if (encoded == FAILED) {
        return false;
    }
    if (encoded == YES) {
        bool good = append_bytes(th, self, as_bytes(bytes)->data,
                                 (size_t)as_bytes(bytes)->length);
        drop(th, bytes);
        return good;
    }
    return v[0] == NULL || init_from(th, self, v[0]);
}

static void
dealloc_slot(Thread *th, Object *o)
{
    (void)th;
    ByteArray *a = (ByteArray *)(void *)o;
    mem_free(a->buffer);
    a->buffer = a->start = NULL;
}

/* -- subscripts -- */

static int64_t
length_slot(Thread *th, Value self)
{
    return bytearray_length(th, self);
}

static Value
item_slot(Thread *th, Value self, int64_t i)
{
    int64_t byte = i < 0 ? -1 : bytearray_byte(th, self, i);
    if (UNLIKELY(byte < 0)) {
        return raise_error(th, &exc_IndexError, "bytearray index out of range");
    }
    return value_from_fixnum(byte);
}

/* An index as an int; negative ones are still negative. */
static bool
index_of(Thread *th, Value key, int64_t *i)
{
    if (LIKELY(value_is_fixnum(key))) {
        *i = value_fixnum(key);
        return true;
    }
    if (!is_int(key) && SLOT(type_of(key), index) == NULL) {
        raise_type_error(th, "bytearray indices must be integers or slices, not %T", key);
        return false;
    }
    return to_ssize(th, key, i, &exc_IndexError);
}

static Value
getitem_slot(Thread *th, Value self, Value key)
{
    if (is_exact(key, SHAPE_SLICE)) {
        int64_t start, stop, step;
        if (!slice_unpack(th, key, &start, &stop, &step)) {
            return NULL;
        }
        ByteView b = byte_view(th, self);
        int64_t count = slice_adjust((int64_t)b.n, &start, &stop, step);
        if (count <= 0) {
            return bytearray_from(th, NULL, 0);
        }
        if (step == 1) {
            return bytearray_from(th, b.p + start, (size_t)count);
        }
        uint8_t *data;
        Value v = bytearray_new(th, (size_t)count, &data);
        for (int64_t k = 0; v != NULL && k < count; k++) {
            data[k] = b.p[start + k * step];
        }
        return v;
    }
    int64_t i, byte;
    if (!index_of(th, key, &i)) {
        return NULL;
    }
    byte = bytearray_byte(th, self, i);
    if (UNLIKELY(byte < 0)) {
        return raise_error(th, &exc_IndexError, "bytearray index out of range");
    }
    return value_from_fixnum(byte);
}

static COLD bool
bad_index(Thread *th)
{
    raise_error(th, &exc_IndexError, "bytearray index out of range");
    return false;
}

static bool
set_byte(Thread *th, Value self, int64_t i, Value value)
{
    uint8_t byte = 0;
    if (value != NULL && !byte_value(th, value, &byte)) {
        return false;
    }
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    bool held = object_touch_lock(th, &a->head);
    if (i < 0) {
        i += a->length;
    }
    if (i < 0 || i >= a->length) {
        after.result = OUT_OF_RANGE;
    } else if (value == NULL) {
        (void)!splice_locked(a, i, 1, 0, &after);
    } else {
        a->start[i] = byte;
    }
    object_unlock(&a->head, held);
    return after.result == OUT_OF_RANGE ? bad_index(th) : finish(th, &after);
}

/* Removes every step-th byte. */
static bool
delete_stepped(Thread *th, Value self, int64_t start, int64_t stop, int64_t step)
{
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    bool held = object_touch_lock(th, &a->head);
    int64_t count = slice_adjust(a->length, &start, &stop, step);
    if (count > 0 && a->exports > 0) {
        after.result = EXPORTED;
    } else if (count > 0) {
        if (step < 0) {
            start += step * (count - 1);
            step = -step;
        }
        int64_t to = start;
        for (int64_t k = 0; k < count; k++) { /* each removed byte and what stays behind it */
            int64_t from = start + k * step + 1;
            int64_t end = k + 1 < count ? from + step - 1 : a->length;
            memmove(a->start + to, a->start + from, (size_t)(end - from));
            to += end - from;
        }
        (void)!splice_locked(a, to, a->length - to, 0, &after);
    }
    object_unlock(&a->head, held);
    return finish(th, &after);
}

static bool
assign_slice(Thread *th, Value self, int64_t start, int64_t stop, int64_t step, const uint8_t *p,
             size_t n)
{
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    bool wrong_size = false;
    bool held = object_touch_lock(th, &a->head);
    int64_t count = slice_adjust(a->length, &start, &stop, step);
    if (step == 1) {
        if (splice_locked(a, start, count, (int64_t)n, &after) && n > 0) {
            memcpy(a->start + start, p, n);
        }
    } else if ((uint64_t)count != n) {
        wrong_size = true;
    } else {
        for (int64_t k = 0; k < count; k++) {
            a->start[start + k * step] = p[k];
        }
    }
    object_unlock(&a->head, held);
    if (wrong_size) {
        raise_value_error(th, "attempt to assign bytes of size %zd to extended slice of size %zd",
                          n, count);
        return false;
    }
    return finish(th, &after);
}

static bool
set_slice(Thread *th, Value self, Value key, Value value)
{
    int64_t start, stop, step;
    if (!slice_unpack(th, key, &start, &stop, &step)) {
        return false;
    }
    if (value == NULL) {
        return step == 1 ? assign_slice(th, self, start, stop, 1, NULL, 0)
                         : delete_stepped(th, self, start, stop, step);
    }
    Value copy = NULL;
    if (value == self || !has_buffer(value)) {
        if (value != self && (is_str(value) || is_int(value) ||
                              SLOT(type_of(value), index) != NULL)) {
            raise_type_error(th, "can assign only bytes, buffers, or iterables of ints in "
                                 "range(0, 256)");
            return false;
        }
        if (value == self) {
            copy = bytes_from_value(th, value);
        } else {
            Value made = call_1(th, value_of_type(&bytearray_type), value);
            copy = made == NULL ? NULL : bytes_from_value(th, made);
            drop_null(th, made);
        }
        if (copy == NULL) {
            return false;
        }
        value = copy;
    }
    ByteArg x;
    bool good = byte_arg(th, value, &x);
    if (good) {
        /* An empty value with a step deletes, as in CPython. */
        good = step != 1 && x.n == 0 ? delete_stepped(th, self, start, stop, step)
                                     : assign_slice(th, self, start, stop, step, x.p, x.n);
        byte_arg_free(th, &x);
    }
    drop_null(th, copy);
    return good;
}

static bool
setitem_slot(Thread *th, Value self, Value key, Value value)
{
    if (is_exact(key, SHAPE_SLICE)) {
        return set_slice(th, self, key, value);
    }
    int64_t i;
    return index_of(th, key, &i) && set_byte(th, self, i, value);
}

/* -- operators -- */

static Value
concat_slot(Thread *th, Value a, Value b)
{
    if (!has_buffer(a) || !has_buffer(b)) {
        return raise_type_error(th, "can't concat %T to %T", b, a);
    }
    ByteArg x, y;
    if (!byte_arg(th, a, &x)) {
        return NULL;
    }
    Value v = NULL;
    if (byte_arg(th, b, &y)) {
        uint8_t *data;
        v = bytearray_new(th, x.n + y.n, &data);
        if (v != NULL) {
            memcpy(data, x.p, x.n);
            memcpy(data + x.n, y.p, y.n);
        }
        byte_arg_free(th, &y);
    }
    byte_arg_free(th, &x);
    return v;
}

static Value
iconcat_slot(Thread *th, Value self, Value other)
{
    if (!has_buffer(other)) {
        return raise_type_error(th, "can't concat %T to %T", other, self);
    }
    ByteArg x;
    if (!byte_arg(th, other, &x)) {
        return NULL;
    }
    bool good = append_bytes(th, self, x.p, x.n);
    byte_arg_free(th, &x);
    return good ? retain(th, self) : NULL;
}

static Value
repeat_slot(Thread *th, Value self, int64_t n)
{
    return bytes_repeat_of(th, byte_view(th, self), n, true);
}

static Value
irepeat_slot(Thread *th, Value self, int64_t n)
{
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    bool held = object_touch_lock(th, &a->head);
    int64_t length = a->length;
    if (n < 0) {
        n = 0;
    }
    if (length > 0 && n > BYTEARRAY_MAX / length) {
        after.result = NO_MEMORY;
    } else if (n == 0) {
        (void)!splice_locked(a, 0, length, 0, &after);
    } else if (length > 0 && splice_locked(a, length, 0, length * (n - 1), &after)) {
        int64_t total = length * n;
        for (int64_t done = length; done < total;) {
            int64_t step = done < total - done ? done : total - done;
            memcpy(a->start + done, a->start, (size_t)step);
            done += step;
        }
    }
    object_unlock(&a->head, held);
    return finish(th, &after) ? retain(th, self) : NULL;
}

static Value
remainder_slot(Thread *th, Value a, Value b)
{
    if (!is_bytearray(a)) {
        return NOT_IMPLEMENTED;
    }
    Value format = bytes_from_value(th, a); /* arguments may change it */
    if (format == NULL) {
        return NULL;
    }
    Value v = bytes_percent_format(th, byte_view(th, format), b, true);
    drop(th, format);
    return v;
}

static Value
compare_slot(Thread *th, Value a, Value b, int op)
{
    Value result = bytes_compare(th, a, b, op);
    if (result != NOT_IMPLEMENTED) {
        return result;
    }
    if (is_str(a) || is_str(b) || !has_buffer(a) || !has_buffer(b)) {
        return bytes_compare_warning(th, a, b, op) ? NOT_IMPLEMENTED : NULL;
    }
    ByteArg x, y;
    if (!byte_arg(th, a, &x)) {
        error_clear(th);
        return NOT_IMPLEMENTED;
    }
    if (byte_arg(th, b, &y)) {
        size_t n = x.n < y.n ? x.n : y.n;
        int order = memcmp(x.p, y.p, n);
        if (order == 0) {
            order = x.n == y.n ? 0 : x.n < y.n ? -1 : 1;
        }
        switch (op) {
        case OP_EQ: result = bool_from(order == 0); break;
        case OP_NE: result = bool_from(order != 0); break;
        case OP_LT: result = bool_from(order < 0); break;
        case OP_LE: result = bool_from(order <= 0); break;
        case OP_GT: result = bool_from(order > 0); break;
        default: result = bool_from(order >= 0); break;
        }
        byte_arg_free(th, &y);
    } else {
        error_clear(th);
    }
    byte_arg_free(th, &x);
    return result;
}

static Value
repr_slot(Thread *th, Value self)
{
    char prefix[256];
    const char *name = type_name_of(self), *dot = strrchr(name, '.');
    snprintf(prefix, sizeof prefix, "%s(", dot != NULL ? dot + 1 : name);
    return bytes_repr_of(th, byte_view(th, self), prefix, ")");
}

static Value
str_slot(Thread *th, Value self)
{
    if (th->interp->bytes_warning != 0 && !warn(th, &exc_BytesWarning, 1, "str() on a bytearray instance"))
        return NULL;
    return repr_slot(th, self);
}

static bool
get_buffer_slot(Thread *th, Value self, Buffer *out, int flags)
{
    ByteArray *a = as_bytearray(self);
    bool held = object_touch_lock(th, &a->head);
    uint8_t *p = a->start;
    int64_t n = a->length;
    a->exports++;
    object_unlock(&a->head, held);
    if (buffer_fill(th, out, self, p == NULL ? no_bytes : p, n, false, flags)) {
        return true;
    }
    held = object_lock(&a->head);
    a->exports--;
    object_unlock(&a->head, held);
    return false;
}

static void
release_buffer_slot(Thread *th, Value self, Buffer *b)
{
    (void)th;
    (void)b;
    ByteArray *a = as_bytearray(self);
    bool held = object_lock(&a->head);
    a->exports--;
    object_unlock(&a->head, held);
}

/* -- methods -- */

Value
bytearray_append(Thread *th, Value self, Value item)
{
    return append_item(th, self, item) ? NONE : NULL;
}

Value
bytearray_clear(Thread *th, Value self)
{
    return replace_range(th, self, 0, INT64_MAX, NULL, 0) ? NONE : NULL;
}

Value
bytearray_copy(Thread *th, Value self)
{
    ByteView b = byte_view(th, self);
    return bytearray_from(th, b.p, b.n);
}

Value
bytearray_extend(Thread *th, Value self, Value iterable)
{
    bool good;
    if (iterable == self) {
        Value copy = bytes_from_value(th, self);
        if (copy == NULL) {
            return NULL;
        }
        good = append_bytes(th, self, as_bytes(copy)->data, (size_t)as_bytes(copy)->length);
        drop(th, copy);
    } else if (has_buffer(iterable)) {
        ByteArg x;
        if (!byte_arg(th, iterable, &x)) {
            return NULL;
        }
        good = append_bytes(th, self, x.p, x.n);
        byte_arg_free(th, &x);
    } else {
        if (SLOT(type_of(iterable), iter) == NULL && SLOT(type_of(iterable), item) == NULL &&
            SLOT(type_of(iterable), getitem) == NULL) {
            return raise_type_error(th, "can't extend bytearray with %T", iterable);
        }
        uint8_t *p;
        size_t n;
        if (!bytes_collect(th, iterable, "byte must be in range(0, 256)", &p, &n)) {
            return NULL;
        }
        good = append_bytes(th, self, p, n);
        mem_free(p);
    }
    return good ? NONE : NULL;
}

Value
bytearray_insert(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    int64_t i;
    uint8_t byte;
    if (!arg_ssize(th, arg(args, 0), &i) || !byte_value(th, arg(args, 1), &byte)) {
        return NULL;
    }
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    bool held = object_touch_lock(th, &a->head);
    if (i < 0) {
        i = i + a->length < 0 ? 0 : i + a->length;
    }
    if (i > a->length) {
        i = a->length;
    }
    if (splice_locked(a, i, 0, 1, &after)) {
        a->start[i] = byte;
    }
    object_unlock(&a->head, held);
    return finish(th, &after) ? NONE : NULL;
}

Value
bytearray_pop(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t i = -1;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &i)) {
        return NULL;
    }
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    uint8_t byte = 0;
    bool held = object_touch_lock(th, &a->head);
    int64_t length = a->length;
    if (i < 0) {
        i += length;
    }
    if (i < 0 || i >= length) {
        after.result = OUT_OF_RANGE;
    } else {
        byte = a->start[i];
        (void)!splice_locked(a, i, 1, 0, &after);
    }
    object_unlock(&a->head, held);
    if (after.result == OUT_OF_RANGE) {
        return raise_error(th, &exc_IndexError, length == 0 ? "pop from empty bytearray"
                                                            : "pop index out of range");
    }
    return finish(th, &after) ? value_from_fixnum(byte) : NULL;
}

Value
bytearray_remove(Thread *th, Value self, Value item)
{
    uint8_t byte;
    if (!byte_value(th, item, &byte)) {
        return NULL;
    }
    ByteArray *a = as_bytearray(self);
    After after = {.result = DONE};
    bool held = object_touch_lock(th, &a->head);
    uint8_t *at = a->length > 0 ? memchr(a->start, byte, (size_t)a->length) : NULL;
    if (at != NULL) {
        (void)!splice_locked(a, at - a->start, 1, 0, &after);
    }
    object_unlock(&a->head, held);
    if (at == NULL) {
        return raise_value_error(th, "value not found in bytearray");
    }
    return finish(th, &after) ? NONE : NULL;
}

Value
bytearray_reverse(Thread *th, Value self)
{
    ByteArray *a = as_bytearray(self);
    bool held = object_touch_lock(th, &a->head);
    for (int64_t i = 0, k = a->length - 1; i < k; i++, k--) {
        uint8_t byte = a->start[i];
        a->start[i] = a->start[k];
        a->start[k] = byte;
    }
    object_unlock(&a->head, held);
    return NONE;
}

static int64_t
capacity_of(Thread *th, Value self)
{
    ByteArray *a = as_bytearray(self);
    bool held = object_touch_lock(th, &a->head);
    int64_t capacity = a->capacity;
    object_unlock(&a->head, held);
    return capacity;
}

Value
bytearray_alloc(Thread *th, Value self)
{
    return int_from_i64(th, capacity_of(th, self));
}

Value
bytearray_sizeof(Thread *th, Value self)
{
    return int_from_i64(th, (int64_t)sizeof(ByteArray) + capacity_of(th, self));
}

static Value
reduce(Thread *th, Value self, int64_t protocol)
{
    Value state = call_method_0(th, self, NAME(__getstate__));
    if (state == NULL) {
        return NULL;
    }
    ByteView b = byte_view(th, self);
    Value args = NULL, first = NULL, second = NULL;
    if (protocol < 3) {
        first = str_from_latin1(th, b.p, b.n);
        second = first == NULL ? NULL : str_from_c(th, "latin-1");
        args = second == NULL ? NULL : tuple_pack(th, 2, first, second);
    } else if (b.n > 0) {
        first = bytes_from(th, b.p, b.n);
        args = first == NULL ? NULL : tuple_pack(th, 1, first);
    } else {
        args = retain(th, tuple_empty);
    }
    Value v = args == NULL ? NULL : tuple_pack(th, 3, value_of_type(type_of(self)), args, state);
    drop_null(th, first);
    drop_null(th, second);
    drop_null(th, args);
    drop(th, state);
    return v;
}

Value
bytearray_reduce(Thread *th, Value self)
{
    return reduce(th, self, 2);
}

Value
bytearray_reduce_ex(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t protocol = 0;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &protocol)) {
        return NULL;
    }
    return reduce(th, self, protocol);
}

Type bytearray_type;
const TypeSpec bytearray_spec = {
    .name = "bytearray",
    .size = sizeof(ByteArray),
    .flags = TYPE_BASE | TYPE_MATCH_SELF,
    .doc = "bytearray(iterable_of_ints) -> bytearray\n"
           "bytearray(string, encoding[, errors]) -> bytearray\n"
           "bytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\n"
           "bytearray(int) -> bytearray of that many zero bytes\n"
           "bytearray() -> empty bytearray",
    .methods = bytearray_method_table,
    .slots = {.repr = repr_slot,
              .str = str_slot,
              .hash = hash_unhashable,
              .compare = compare_slot,
              .iter = bytearray_iter_new,
              .init = init_slot,
              .new = new_slot,
              .remainder = remainder_slot,
              .length = length_slot,
              .getitem = getitem_slot,
              .setitem = setitem_slot,
              .item = item_slot,
              .contains = bytes_contains,
              .concat = concat_slot,
              .iconcat = iconcat_slot,
              .repeat = repeat_slot,
              .irepeat = irepeat_slot,
              .get_buffer = get_buffer_slot,
              .release_buffer = release_buffer_slot},
    .dealloc = dealloc_slot,
};
