/* mod_array.c -- module array: the type array.array.
 *
 * Storage, its lock and the items are in array_data.c.  Values are converted to items outside the
 * lock (that may run Python code), and an index that the conversion made invalid raises IndexError.
 */
#include "modules/array_data.h"
#include "gc/holds.h"
#include "modules/static_types.h"

#include <limits.h>

#include "objects/container/container.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

static Type array_type, array_iter_type;

static inline bool
is_array(Value v)
{
    return value_is_object(v) && is_instance_of(v, &array_type);
}

static Value
array_make(Thread *th, Type *type, const ItemKind *kind)
{
    Value v = type_alloc(th, type, 0);
    if (v != NULL)
        as_array(v)->kind = kind;
    return v;
}

/* A plain array of n items at p. */
static Value
array_of(Thread *th, const ItemKind *kind, const uint8_t *p, int64_t n)
{
    Value v = array_make(th, &array_type, kind);
    bool stale;
    if (v != NULL && n > 0 && !array_change(th, as_array(v), -1, 0, p, n, &stale))
        DROP_CLEAR(th, v);
    return v;
}

static COLD void *
raise_bad_argument(Thread *th)
{
    return raise_type_error(th, "bad argument type for built-in operation");
}

/* Appends one value. */
static bool
array_append(Thread *th, Array *a, Value v)
{
    uint8_t item[8];
    bool stale;
    return a->kind->set(th, v, item) && array_change(th, a, -1, 0, item, 1, &stale);
}

/* Appends the items at p, which may be no whole number of them. */
static bool
array_append_bytes(Thread *th, Array *a, const uint8_t *p, int64_t n)
{
    bool stale;
    if (n % a->kind->size != 0) {
        raise_value_error(th, "bytes length not a multiple of item size");
        return false;
    }
    return array_change(th, a, -1, 0, p, n / a->kind->size, &stale);
}

/* Appends the items of an array of the same kind. */
static bool
array_append_array(Thread *th, Array *a, Value other)
{
    if (as_array(other)->kind != a->kind) {
        raise_type_error(th, "can only extend with array of same kind");
        return false;
    }
    Value bytes = array_bytes(th, as_array(other));
    bool good = bytes != NULL &&
                array_append_bytes(th, a, as_bytes(bytes)->data, as_bytes(bytes)->length);
    drop_null(th, bytes);
    return good;
}

static bool
array_append_iterable(Thread *th, Array *a, Value iterable)
{
    Value it = get_iter(th, iterable), v;
    if (it == NULL)
        return false;
    while ((v = iter_next(th, it)) != NULL) {
        bool good = array_append(th, a, v);
        drop(th, v);
        if (!good) {
            drop(th, it);
            return false;
        }
    }
    drop(th, it);
    return !error_set(th);
}

static bool
array_append_text(Thread *th, Array *a, Value text)
{
    const Str *s = as_str(text);
    size_t n = s->length;
    uint32_t *wide = buffer_new(th, n * 4 + 4);
    if (wide == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        wide[i] = str_char(s, i);
    bool stale, good = array_change(th, a, -1, 0, (const uint8_t *)wide, (int64_t)n, &stale);
    buffer_free(wide);
    return good;
}

static Value
array_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (kwnames != NULL && type->s.init == array_type.s.init &&
        !args_no_keywords(th, "array.array", kwnames))
        return NULL;
    if (nargs < 1)
        return raise_type_error(th, "array() takes at least 1 argument (0 given)");
    if (nargs > 2)
        return raise_type_error(th, "array() takes at most 2 arguments (%zu given)", nargs);
    Value code = arg(args, 0), initial = nargs > 1 ? arg(args, 1) : NULL;
    if (!is_str(code) || str_length(code) != 1)
        return raise_type_error(th, "array() argument 1 must be a unicode character, not %B", code);
    uint32_t c = str_char(as_str(code), 0);
    if (initial != NULL && c != 'u') {
        if (is_str(initial))
            return raise_type_error(
                th, "cannot use a str to initialize an array with typecode '%V'", code);
        if (is_array(initial) && as_array(initial)->kind->code == 'u')
            return raise_type_error(
                th, "cannot use a unicode array to initialize an array with typecode '%V'", code);
    }
    const ItemKind *kind = item_kind_find(c);
    if (kind == NULL)
        return raise_value_error(
            th, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)");
    Value v = array_make(th, type, kind);
    if (v == NULL || initial == NULL)
        return v;
    Array *a = as_array(v);
    bool good;
    if (is_bytes(initial) || is_bytearray(initial)) {
        Buffer b;
        good = buffer_lend(th, initial, &b, BUFFER_SIMPLE);
        if (good) {
            good = array_append_bytes(th, a, b.data, b.length);
            buffer_release(th, &b);
        }
    } else if (is_str(initial))
        good = array_append_text(th, a, initial);
    else if (is_array(initial) && as_array(initial)->kind == kind)
        good = array_append_array(th, a, initial);
    else
        good = array_append_iterable(th, a, initial);
    if (good)
        return v;
    drop(th, v);
    return NULL;
}

static void
array_dealloc(Thread *th, Object *o)
{
    (void)th;
    Array *a = (Array *)(void *)o;
    buffer_free(plain_load(&a->data)); /* dying: nobody else sees it */
}

/* -- subscripts -- */

static int64_t
array_slot_length(Thread *th, Value self)
{
    (void)th;
    return array_length(as_array(self));
}

static Value
array_slot_item(Thread *th, Value self, int64_t i)
{
    Value v = array_item(th, as_array(self), i);
    if (v == NULL && !error_set(th))
        return raise_error(th, &exc_IndexError, "array index out of range");
    return v;
}

/* Items [start, start + count * step) of the bytes of all items. */
static uint8_t *
pick(Thread *th, const uint8_t *from, int64_t start, int64_t count, int64_t step, int64_t size)
{
    uint8_t *p = buffer_new(th, (size_t)(count * size) + 8);
    if (p == NULL)
        return NULL;
    for (int64_t i = 0; i < count; i++)
        memcpy(p + i * size, from + (start + i * step) * size, (size_t)size);
    return p;
}

static Value
array_slot_getitem(Thread *th, Value self, Value key)
{
    Array *a = as_array(self);
    int64_t i;
    if (value_is_fixnum(key) || type_of(key)->s.index != NULL) {
        if (!to_ssize(th, key, &i, &exc_IndexError))
            return NULL;
        return array_slot_item(th, self, i < 0 ? i + array_length(a) : i);
    }
    if (!is_exact(key, SHAPE_SLICE))
        return raise_type_error(th, "array indices must be integers");
    int64_t start, stop, step;
    if (!slice_unpack(th, key, &start, &stop, &step))
        return NULL;
    Value bytes = array_bytes(th, a), result = NULL;
    if (bytes == NULL)
        return NULL;
    int64_t size = a->kind->size;
    int64_t count = slice_adjust(as_bytes(bytes)->length / size, &start, &stop, step);
    if (step == 1 || count == 0)
        result = array_of(th, a->kind, as_bytes(bytes)->data + (count ? start * size : 0), count);
    else {
        uint8_t *picked = pick(th, as_bytes(bytes)->data, start, count, step, size);
        if (picked != NULL) {
            result = array_of(th, a->kind, picked, count);
            buffer_free(picked);
        }
    }
    drop(th, bytes);
    return result;
}

static COLD bool
raise_assign_index(Thread *th)
{
    raise_error(th, &exc_IndexError, "array assignment index out of range");
    return false;
}

/* del a[slice] for any step but 1: what stays replaces all. */
static bool
array_delete_extended(Thread *th, Array *a, int64_t start, int64_t stop, int64_t step)
{
    int64_t size = a->kind->size;
    for (;;) {
        Value bytes = array_bytes(th, a);
        if (bytes == NULL)
            return false;
        int64_t n = as_bytes(bytes)->length / size, first = start, last = stop;
        int64_t count = slice_adjust(n, &first, &last, step);
        int64_t every = step;
        if (every < 0) {
            first += every * (count - 1);
            every = -every;
        }
        uint8_t *items = buffer_new(th, (size_t)(n * size) + 8);
        bool good = items != NULL, stale = false;
        if (good) {
            int64_t kept = 0;
            for (int64_t i = 0; i < n; i++) {
                bool goes = i >= first && (i - first) % every == 0 && (i - first) / every < count;
                if (!goes)
                    memcpy(items + kept++ * size, as_bytes(bytes)->data + i * size, (size_t)size);
            }
            good = count == 0 || array_change(th, a, 0, n, items, kept, &stale);
            buffer_free(items);
        }
        drop(th, bytes);
        if (good || !stale)
            return good;
    }
}

static bool
array_assign_slice(Thread *th, Value self, Value key, Value value)
{
    Array *a = as_array(self);
    int64_t start, stop, step, size = a->kind->size;
    if (!slice_unpack(th, key, &start, &stop, &step))
        return false;
    Value bytes = NULL;
    int64_t n = 0;
    if (value != NULL) {
        if (!is_array(value)) {
            raise_type_error(th, "can only assign array (not \"%T\") to array slice", value);
            return false;
        }
        if (as_array(value)->kind != a->kind) {
            raise_bad_argument(th);
            return false;
        }
        bytes = array_bytes(th, as_array(value));
        if (bytes == NULL)
            return false;
        n = as_bytes(bytes)->length / size;
    }
    bool good = false, stale;
    const uint8_t *from = bytes ? as_bytes(bytes)->data : NULL;
    for (;;) {
        int64_t first = start, last = stop;
        int64_t count = slice_adjust(array_length(a), &first, &last, step);
        if (step == 1) {
            good = array_change(th, a, first, count, from, n, &stale);
            if (!good && stale)
                continue; /* another thread made it shorter */
            break;
        }
        if (value == NULL) {
            good = array_delete_extended(th, a, start, stop, step);
            break;
        }
        if (n != count) {
            raise_value_error(th,
                              "attempt to assign array of size %lld to extended slice of size %lld",
                              (long long)n, (long long)count);
            break;
        }
        good = true;
        for (int64_t i = 0; good && i < count; i++)
            good = array_write(th, a, first + i * step, from + i * size);
        if (!good)
            raise_assign_index(th);
        break;
    }
    drop_null(th, bytes);
    return good;
}

static bool
array_slot_setitem(Thread *th, Value self, Value key, Value value)
{
    Array *a = as_array(self);
    if (value_is_fixnum(key) || type_of(key)->s.index != NULL) {
        int64_t i;
        uint8_t item[8];
        bool stale;
        if (!to_ssize(th, key, &i, &exc_IndexError))
            return false;
        if (i < 0)
            i += array_length(a);
        if (i < 0 || i >= array_length(a))
            return raise_assign_index(th);
        if (value == NULL) {
            if (array_change(th, a, i, 1, NULL, 0, &stale))
                return true;
            return stale ? raise_assign_index(th) : false;
        }
        if (!a->kind->set(th, value, item))
            return false;
        return array_write(th, a, i, item) ? true : raise_assign_index(th);
    }
    if (is_exact(key, SHAPE_SLICE))
        return array_assign_slice(th, self, key, value);
    raise_type_error(th, "array indices must be integers");
    return false;
}

/* -- sequences -- */

static Answer
array_slot_contains(Thread *th, Value self, Value v)
{
    Value item;
    for (int64_t i = 0; (item = array_item(th, as_array(self), i)) != NULL; i++) {
        Answer same = values_equal(th, item, v);
        drop(th, item);
        if (same != NO)
            return same;
    }
    return error_set(th) ? FAILED : NO;
}

static Value
array_slot_concat(Thread *th, Value self, Value other)
{
    if (!is_array(other))
        return raise_type_error(th, "can only append array (not \"%T\") to array", other);
    Array *a = as_array(self);
    if (as_array(other)->kind != a->kind)
        return raise_bad_argument(th);
    Value bytes = array_bytes(th, a);
    if (bytes == NULL)
        return NULL;
    Value r = array_of(th, a->kind, as_bytes(bytes)->data, as_bytes(bytes)->length / a->kind->size);
    drop(th, bytes);
    if (r != NULL && !array_append_array(th, as_array(r), other))
        DROP_CLEAR(th, r);
    return r;
}

static Value
array_slot_iconcat(Thread *th, Value self, Value other)
{
    if (!is_array(other))
        return raise_type_error(th, "can only extend array with array (not \"%T\")", other);
    return array_append_array(th, as_array(self), other) ? retain(th, self) : NULL;
}

/* The bytes of an array n times over: a bytes object. */
static Value
repeated(Thread *th, Array *a, int64_t n)
{
    Value bytes = array_bytes(th, a);
    if (bytes == NULL)
        return NULL;
    int64_t length = as_bytes(bytes)->length, total;
    if (__builtin_mul_overflow(length, n, &total) || total > INT64_MAX / 2) {
        drop(th, bytes);
        return raise_memory(th);
    }
    Value all = bytes_new(th, (size_t)total);
    if (all != NULL)
        for (int64_t i = 0; i < n && length > 0; i++)
            memcpy(as_bytes(all)->data + i * length, as_bytes(bytes)->data, (size_t)length);
    drop(th, bytes);
    return all;
}

static Value
array_slot_repeat(Thread *th, Value self, int64_t n)
{
    Array *a = as_array(self);
    Value all = repeated(th, a, n < 0 ? 0 : n);
    if (all == NULL)
        return NULL;
    Value r = array_of(th, a->kind, as_bytes(all)->data, as_bytes(all)->length / a->kind->size);
    drop(th, all);
    return r;
}

static Value
array_slot_irepeat(Thread *th, Value self, int64_t n)
{
    Array *a = as_array(self);
    if (n == 1 || array_length(a) == 0)
        return retain(th, self);
    Value all = repeated(th, a, n < 0 ? 0 : n);
    if (all == NULL)
        return NULL;
    int64_t count = as_bytes(all)->length / a->kind->size;
    bool good, stale;
    do
        good = array_change(th, a, 0, array_length(a), as_bytes(all)->data, count, &stale);
    while (!good && stale);
    drop(th, all);
    return good ? retain(th, self) : NULL;
}

static Value
array_slot_compare(Thread *th, Value x, Value y, int op)
{
    if (!is_array(x) || !is_array(y))
        return NOT_IMPLEMENTED;
    Array *a = as_array(x), *b = as_array(y);
    int64_t n = array_length(a), m = array_length(b);
    if (n != m && (op == OP_EQ || op == OP_NE))
        return bool_from(op == OP_NE);
    int64_t i = 0;
    for (; i < n && i < m; i++) {
        Value v = array_item(th, a, i), w = v ? array_item(th, b, i) : NULL;
        if (w == NULL) {
            drop_null(th, v);
            if (error_set(th))
                return NULL;
            break; /* one has become shorter */
        }
        Answer same = v == w && value_is_fixnum(v) ? YES : compare_answer(th, v, w, OP_EQ);
        Value r = NULL;
        if (same == NO) {
            if (op == OP_EQ || op == OP_NE)
                r = bool_from(op == OP_NE);
            else
                r = compare(th, v, w, op);
        }
        drop(th, v);
        drop(th, w);
        if (same != YES)
            return r;
        if (i % 4096 == 0 && !safepoint_poll(th))
            return NULL;
    }
    switch (op) {
    case OP_LT: return bool_from(n < m);
    case OP_LE: return bool_from(n <= m);
    case OP_EQ: return bool_from(n == m);
    case OP_NE: return bool_from(n != m);
    case OP_GT: return bool_from(n > m);
    default: return bool_from(n >= m);
    }
}

/* -- methods -- */

static Value
array_method_append(Thread *th, Value self, Value v)
{
    return array_append(th, as_array(self), v) ? NONE : NULL;
}

static Value
array_method_extend(Thread *th, Value self, Value v)
{
    bool good = is_array(v) ? array_append_array(th, as_array(self), v)
                            : array_append_iterable(th, as_array(self), v);
    return good ? NONE : NULL;
}

static Value
array_method_insert(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Array *a = as_array(self);
    int64_t i;
    uint8_t item[8];
    bool stale;
    if (!arg_ssize(th, arg(args, 0), &i) || !a->kind->set(th, arg(args, 1), item))
        return NULL;
    for (;;) {
        int64_t n = array_length(a), at = i < 0 ? i + n : i;
        at = at < 0 ? 0 : at > n ? n : at;
        if (array_change(th, a, at, 0, item, 1, &stale))
            return NONE;
        if (!stale)
            return NULL;
    }
}

static Value
array_method_pop(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Array *a = as_array(self);
    int64_t i = -1;
    bool stale;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &i))
        return NULL;
    for (;;) {
        int64_t n = array_length(a), at = i < 0 ? i + n : i;
        if (n == 0)
            return raise_error(th, &exc_IndexError, "pop from empty array");
        if (at < 0 || at >= n)
            return raise_error(th, &exc_IndexError, "pop index out of range");
        Value v = array_item(th, a, at);
        if (v == NULL) {
            if (error_set(th))
                return NULL;
            continue;
        }
        if (array_change(th, a, at, 1, NULL, 0, &stale))
            return v;
        drop(th, v);
        if (!stale)
            return NULL;
    }
}

/* The index of the first item in start .. stop - 1 that equals v; -1: none, -2: error. */
static int64_t
array_find(Thread *th, Array *a, Value v, int64_t start, int64_t stop)
{
    Value item;
    for (int64_t i = start; i < stop && (item = array_item(th, a, i)) != NULL; i++) {
        Answer same = values_equal(th, item, v);
        drop(th, item);
        if (same == YES)
            return i;
        if (same == FAILED)
            return -2;
    }
    return error_set(th) ? -2 : -1;
}

static Value
array_method_index(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Array *a = as_array(self);
    int64_t start = 0, stop = INT64_MAX, n = array_length(a);
    if (nargs > 1 && !to_ssize(th, arg(args, 1), &start, NULL))
        return NULL;
    if (nargs > 2 && !to_ssize(th, arg(args, 2), &stop, NULL))
        return NULL;
    if (start < 0)
        start = start + n < 0 ? 0 : start + n;
    if (stop < 0)
        stop += n;
    int64_t i = array_find(th, a, arg(args, 0), start, stop);
    if (i == -1)
        return raise_value_error(th, "array.index(x): x not in array");
    return i < 0 ? NULL : value_from_fixnum(i);
}

static Value
array_method_remove(Thread *th, Value self, Value v)
{
    Array *a = as_array(self);
    bool stale;
    int64_t i = array_find(th, a, v, 0, INT64_MAX);
    if (i == -2)
        return NULL;
    if (i >= 0) {
        if (array_change(th, a, i, 1, NULL, 0, &stale))
            return NONE;
        if (!stale)
            return NULL;
    }
    return raise_value_error(th, "array.remove(x): x not in array");
}

static Value
array_method_count(Thread *th, Value self, Value v)
{
    Value item;
    int64_t count = 0;
    for (int64_t i = 0; (item = array_item(th, as_array(self), i)) != NULL; i++) {
        Answer same = values_equal(th, item, v);
        drop(th, item);
        if (same == FAILED)
            return NULL;
        count += same == YES;
    }
    return error_set(th) ? NULL : value_from_fixnum(count);
}

static Value
array_method_reverse(Thread *th, Value self)
{
    Array *a = as_array(self);
    size_t size = (size_t)a->kind->size;
    bool held = object_touch_lock(th, &a->head);
    int64_t n = array_length(a);
    if (n > 1) {
        uint8_t *low = load_relaxed(&a->data)->bytes, *high = low + (size_t)(n - 1) * size, t[8];
        for (; low < high; low += size, high -= size) {
            memcpy(t, low, size);
            memcpy(low, high, size);
            memcpy(high, t, size);
        }
    }
    object_unlock(&a->head, held);
    return NONE;
}

static void
swap_bytes(uint8_t *p, int64_t n, int64_t size)
{
    for (int64_t i = 0; i < n; i++, p += size) {
        uint8_t item[8];
        for (int64_t k = 0; k < size; k++)
            item[k] = p[size - 1 - k];
        memory_move_raced(p, item, (size_t)size); /* others may be reading it */
    }
}

static Value
array_method_byteswap(Thread *th, Value self)
{
    Array *a = as_array(self);
    bool held = object_touch_lock(th, &a->head);
    int64_t n = array_length(a);
    if (n > 0)
        swap_bytes(load_relaxed(&a->data)->bytes, n, a->kind->size);
    object_unlock(&a->head, held);
    return NONE;
}

static Value
array_method_buffer_info(Thread *th, Value self)
{
    Array *a = as_array(self);
    Value address = int_from_u64(th, (uint64_t)(uintptr_t)load_acquire(&a->data));
    if (load_acquire(&a->data) != NULL) {
        drop_null(th, address);
        address = int_from_u64(th, (uint64_t)(uintptr_t)load_acquire(&a->data)->bytes);
    }
    if (address == NULL)
        return NULL;
    Value pair = tuple_pack(th, 2, address, value_from_fixnum(array_length(a)));
    drop(th, address);
    return pair;
}

static Value
array_method_tobytes(Thread *th, Value self)
{
    return array_bytes(th, as_array(self));
}

static Value
array_method_frombytes(Thread *th, Value self, Value v)
{
    Buffer b;
    if (!buffer_lend(th, v, &b, BUFFER_SIMPLE))
        return NULL;
    bool good;
    if (b.item_size != 1) {
        raise_type_error(th, "a bytes-like object is required");
        good = false;
    } else
        good = array_append_bytes(th, as_array(self), b.data, b.length);
    buffer_release(th, &b);
    return good ? NONE : NULL;
}

static Value
array_method_fromlist(Thread *th, Value self, Value list)
{
    Array *a = as_array(self);
    if (!is_list(list))
        return raise_type_error(th, "arg must be list");
    int64_t n = list_length(list), size = a->kind->size;
    uint8_t *items = buffer_new(th, (size_t)(n * size) + 8);
    if (items == NULL)
        return NULL;
    bool good = true, stale;
    for (int64_t i = 0; good && i < n; i++) {
        Value v = list_get(th, list, i);
        if (v == NULL) {
            raise_error(th, &exc_RuntimeError, "list changed size during iteration");
            good = false;
            break;
        }
        good = a->kind->set(th, v, items + i * size);
        drop(th, v);
        if (good && list_length(list) != n) {
            raise_error(th, &exc_RuntimeError, "list changed size during iteration");
            good = false;
        }
    }
    good = good && array_change(th, a, -1, 0, items, n, &stale);
    buffer_free(items);
    return good ? NONE : NULL;
}

static Value
array_method_tolist(Thread *th, Value self)
{
    Array *a = as_array(self);
    Value list = list_new(th, (size_t)array_length(a)), v;
    if (list == NULL)
        return NULL;
    for (int64_t i = 0; (v = array_item(th, a, i)) != NULL; i++) {
        if (!list_append_steal(th, list, v)) {
            drop(th, list);
            return NULL;
        }
    }
    if (error_set(th))
        DROP_CLEAR(th, list);
    return list;
}

static Value
array_method_fromunicode(Thread *th, Value self, Value text)
{
    Array *a = as_array(self);
    if (!is_str(text))
        return raise_type_error(th, "fromunicode() argument must be str, not %B", text);
    if (a->kind->code != 'u')
        return raise_value_error(th, "fromunicode() may only be called on unicode type arrays");
    return array_append_text(th, a, text) ? NONE : NULL;
}

static Value
array_method_tounicode(Thread *th, Value self)
{
    Array *a = as_array(self);
    if (a->kind->code != 'u')
        return raise_value_error(th, "tounicode() may only be called on unicode type arrays");
    Value bytes = array_bytes(th, a), text = NULL;
    if (bytes == NULL)
        return NULL;
    size_t n = (size_t)as_bytes(bytes)->length / 4;
    const uint32_t *chars = (const uint32_t *)(const void *)as_bytes(bytes)->data;
    for (size_t i = 0; i < n; i++)
        if (chars[i] > 0x10ffff) {
            raise_value_error(th, "character U+%x is not in range [U+0000; U+10ffff]", chars[i]);
            goto end;
        }
    text = str_from_ucs4(th, chars, n);
end:
    drop(th, bytes);
    return text;
}

static Value
array_method_fromfile(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Array *a = as_array(self);
    int64_t n, bytes_wanted;
    if (!arg_ssize(th, arg(args, 1), &n))
        return NULL;
    if (n < 0)
        return raise_value_error(th, "negative count");
    if (__builtin_mul_overflow(n, (int64_t)a->kind->size, &bytes_wanted) ||
        !fixnum_fits(bytes_wanted))
        return raise_memory(th);
    Value bytes = call_method_1(th, arg(args, 0), NAME(read), value_from_fixnum(bytes_wanted));
    if (bytes == NULL)
        return NULL;
    bool good = false;
    if (!is_bytes(bytes))
        raise_type_error(th, "read() didn't return bytes");
    else if (array_append_bytes(th, a, as_bytes(bytes)->data, as_bytes(bytes)->length)) {
        good = as_bytes(bytes)->length == bytes_wanted;
        if (!good)
            raise_error(th, &exc_EOFError, "read() didn't return enough bytes");
    }
    drop(th, bytes);
    return good ? NONE : NULL;
}

static Value
array_method_tofile(Thread *th, Value self, Value file)
{
    enum { BLOCK = 64 * 1024 };
    Value all = array_bytes(th, as_array(self));
    if (all == NULL)
        return NULL;
    int64_t n = as_bytes(all)->length;
    bool good = true;
    for (int64_t at = 0; good && at < n; at += BLOCK) {
        Value block = bytes_from(th, as_bytes(all)->data + at,
                                 (size_t)(n - at < BLOCK ? n - at : BLOCK));
        Value r = block ? call_method_1(th, file, NAME(write), block) : NULL;
        drop_null(th, block);
        good = r != NULL;
        drop_null(th, r);
    }
    drop(th, all);
    return good ? NONE : NULL;
}

static Value
array_method_copy(Thread *th, Value self)
{
    Array *a = as_array(self);
    Value bytes = array_bytes(th, a);
    if (bytes == NULL)
        return NULL;
    Value r = array_of(th, a->kind, as_bytes(bytes)->data, as_bytes(bytes)->length / a->kind->size);
    drop(th, bytes);
    return r;
}

static Value
array_method_deepcopy(Thread *th, Value self, Value memo)
{
    (void)memo;
    return array_method_copy(th, self);
}

static Value
array_method_sizeof(Thread *th, Value self)
{
    Array *a = as_array(self);
    ArrayData *d = load_acquire(&a->data); /* its capacity never changes */
    return int_from_size(th, sizeof(Array) + (d ? sizeof(ArrayData) + (size_t)d->capacity : 0));
}

static Value
code_str(Thread *th, const ItemKind *kind)
{
    return retain(th, str_latin1((uint8_t)kind->code));
}

static Value
array_method_reduce_ex(Thread *th, Value self, Value protocol_value)
{
    Array *a = as_array(self);
    int64_t protocol;
    if (!is_int(protocol_value))
        return raise_type_error(th, "__reduce_ex__ argument should be an integer");
    if (!arg_long(th, protocol_value, &protocol))
        return NULL;
    Value dict = NULL, items = NULL, code = NULL, result = NULL, maker = NULL, inner = NULL;
    Value type = value_of_type(type_of(self));
    if (get_attr_optional(th, self, NAME(__dict__), &dict) == FAILED)
        return NULL;
    if (dict == NULL)
        dict = NONE;
    if ((code = code_str(th, a->kind)) == NULL)
        goto end;
    if (protocol < 3) {
        items = array_method_tolist(th, self);
        inner = items ? tuple_pack(th, 2, code, items) : NULL;
        result = inner ? tuple_pack(th, 3, type, inner, dict) : NULL;
    } else {
        Value module = upcalls.import_module(th, "array");
        maker = module ? get_attr_c(th, module, "_array_reconstructor") : NULL;
        drop_null(th, module);
        items = maker ? array_bytes(th, a) : NULL;
        Value format = value_from_fixnum(a->kind->machine_code);
        inner = items ? tuple_pack(th, 4, type, code, format, items) : NULL;
        result = inner ? tuple_pack(th, 3, maker, inner, dict) : NULL;
    }
end:
    drop_null(th, dict);
    drop_null(th, items);
    drop_null(th, code);
    drop_null(th, maker);
    drop_null(th, inner);
    return result;
}

static Value
array_slot_repr(Thread *th, Value self)
{
    Array *a = as_array(self);
    const char *name = type_name_of(self);
    const char *dot = strrchr(name, '.');
    if (dot != NULL)
        name = dot + 1;
    if (array_length(a) == 0)
        return str_format_c(th, "%s('%c')", name, a->kind->code);
    Value items = a->kind->code == 'u' ? array_method_tounicode(th, self)
                                       : array_method_tolist(th, self);
    if (items == NULL)
        return NULL;
    Value text = str_format_c(th, "%s('%c', %R)", name, a->kind->code, items);
    drop(th, items);
    return text;
}

static Value
array_get_typecode(Thread *th, Value self, void *closure)
{
    (void)closure;
    return code_str(th, as_array(self)->kind);
}

static Value
array_get_itemsize(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    return value_from_fixnum(as_array(self)->kind->size);
}

/* -- buffers -- */

static bool
array_get_buffer(Thread *th, Value self, Buffer *out, int flags)
{
    static uint8_t nothing[8];
    Array *a = as_array(self);
    bool held = object_touch_lock(th, &a->head);
    a->exports++;
    ArrayData *d = load_relaxed(&a->data);
    int64_t n = array_length(a);
    object_unlock(&a->head, held);
    int64_t size = a->kind->size;
    out->data = d ? d->bytes : nothing;
    out->length = n * size;
    out->item_size = size;
    out->readonly = false;
    out->format = (flags & BUFFER_FORMAT) != 0 ? a->kind->format : NULL;
    out->ndim = 1;
    out->local_shape[0] = n;
    out->local_strides[0] = size;
    out->shape = (flags & BUFFER_ND) != 0 ? out->local_shape : NULL;
    out->strides = (flags & BUFFER_STRIDES) == BUFFER_STRIDES ? out->local_strides : NULL;
    out->suboffsets = NULL;
    out->internal = NULL;
    out->owner = retain(th, self);
    return true;
}

static void
array_release_buffer(Thread *th, Value self, Buffer *b)
{
    (void)th;
    (void)b;
    Array *a = as_array(self);
    bool held = object_lock(&a->head);
    a->exports--;
    object_unlock(&a->head, held);
}

/* -- iterators -- */

typedef struct ArrayIter {
    struct Object head;
    Field array;             /* NULL once exhausted */
    ATOMIC(int64_t) index;   /* of the next item */
} ArrayIter;

static inline ArrayIter *
as_array_iter(Value v)
{
    return (ArrayIter *)(void *)value_object(v);
}

static Value
array_slot_iter(Thread *th, Value self)
{
    Value v = type_alloc(th, &array_iter_type, 0);
    if (v != NULL)
        field_init(&as_array_iter(v)->array, retain(th, self));
    return v;
}

static Value
array_iter_self(Thread *th, Value self)
{
    return retain(th, self);
}

static Value
array_iter_next(Thread *th, Value self)
{
    ArrayIter *it = as_array_iter(self);
    Value array = field_read(th, &it->head, &it->array), v = NULL;
    if (array == NULL)
        return NULL;
    int64_t i = load_relaxed(&it->index);
    for (;;) {
        v = array_item(th, as_array(array), i);
        if (v == NULL) {
            if (!error_set(th))
                field_replace(th, &it->head, &it->array, NULL);
            break;
        }
        if (LIKELY(object_is_owned(th, &it->head) && (object_bits(&it->head) & BIT_SHARED) == 0)) {
            store_relaxed(&it->index, i + 1);
            break;
        }
        if (cas_relaxed(&it->index, &i, i + 1))
            break;
        drop(th, v); /* another thread took it */
    }
    drop(th, array);
    return v;
}

static Value
array_iter_reduce(Thread *th, Value self)
{
    ArrayIter *it = as_array_iter(self);
    Value iter = dict_get_c(th, th->interp->builtins, "iter");
    if (iter == NULL)
        return raise_error(th, &exc_AttributeError, "iter");
    Value array = field_read(th, &it->head, &it->array), result = NULL;
    Value inner = tuple_pack(th, 1, array ? array : tuple_empty);
    if (inner != NULL)
        result = array ? tuple_pack(th, 3, iter, inner, value_from_fixnum(load_relaxed(&it->index)))
                       : tuple_pack(th, 2, iter, inner);
    drop_null(th, inner);
    drop_null(th, array);
    drop(th, iter);
    return result;
}

static Value
array_iter_setstate(Thread *th, Value self, Value state)
{
    ArrayIter *it = as_array_iter(self);
    int64_t i;
    if (!arg_ssize(th, state, &i))
        return NULL;
    Value array = field_read(th, &it->head, &it->array);
    if (array != NULL) {
        int64_t n = array_length(as_array(array));
        store_relaxed(&it->index, i < 0 ? 0 : i > n ? n : i);
        drop(th, array);
    }
    return NONE;
}

HOLDS_FIELDS(array_iter, ArrayIter, array);
CLEARS_FIELDS(array_iter, ArrayIter, array);

static const MethodDef array_iter_methods[] = {
    NATIVE_0("__reduce__", array_iter_reduce,
             "__reduce__($self, /)\n--\n\nReturn state information for pickling."),
    NATIVE_1("__setstate__", array_iter_setstate,
             "__setstate__($self, state, /)\n--\n\nSet state information for unpickling."),
    NATIVE_END,
};

static const TypeSpec array_iter_spec = {
    .name = "array.arrayiterator",
    .size = sizeof(ArrayIter),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = array_iter_methods,
    .slots = {.iter = array_iter_self, .next = array_iter_next},
    .visit = array_iter_visit,
    .clear = array_iter_clear,
    .dealloc = array_iter_dealloc,
};

/* -- pickles -- */

/* What the machine code of a pickle means. */
typedef struct MachineFormat {
    int8_t size;
    bool is_integer, is_signed, is_big;
} MachineFormat;

static const MachineFormat machine_formats[] = {
    {1, true, false, false}, {1, true, true, false},  {2, true, false, false},
    {2, true, false, true},  {2, true, true, false},  {2, true, true, true},
    {4, true, false, false}, {4, true, false, true},  {4, true, true, false},
    {4, true, true, true},   {8, true, false, false}, {8, true, false, true},
    {8, true, true, false},  {8, true, true, true},   {4, false, false, false},
    {4, false, false, true}, {8, false, false, false}, {8, false, false, true},
    {4, false, false, false}, {4, false, false, true}, {8, false, false, false},
    {8, false, false, true}, /* texts: the length is checked as CPython does */
};

enum { FORMAT_FLOAT = 14, FORMAT_UTF16 = 18, FORMAT_UTF32 = 20 };

/* The array that bytes of another machine stand for. */
static Value
reconstruct_foreign(Thread *th, Type *type, const ItemKind *kind, int format, Value bytes)
{
    const MachineFormat *m = &machine_formats[format];
    const uint8_t *p = as_bytes(bytes)->data;
    int64_t n = as_bytes(bytes)->length;
    bool big_here = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (n % m->size != 0)
        return raise_value_error(th, format >= FORMAT_UTF16
                                         ? "string length not a multiple of item size"
                                         : "bytes length not a multiple of item size");
    if (format >= FORMAT_UTF16) {
        static const char *const encodings[] = {"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"};
        Value text = str_decode(th, p, (size_t)n, encodings[format - FORMAT_UTF16], NULL);
        if (text == NULL)
            return NULL;
        Value v = array_make(th, type, kind);
        bool good = v != NULL;
        if (good && kind->code == 'u')
            good = array_append_text(th, as_array(v), text);
        else if (good)
            good = array_append_iterable(th, as_array(v), text);
        drop(th, text);
        if (!good && v != NULL)
            DROP_CLEAR(th, v);
        return v;
    }
    if (m->is_integer) {
        /* The kind with that layout here, the last one of several. */
        for (const ItemKind *k = item_kinds; k->code != 0; k++)
            if (k->is_integer && k->size == m->size && k->is_signed == m->is_signed)
                kind = k;
    }
    Value v = array_make(th, type, kind);
    if (v == NULL)
        return NULL;
    uint8_t *copy = buffer_new(th, (size_t)n + 8);
    bool good = copy != NULL;
    if (good) {
        memcpy(copy, p, (size_t)n);
        if (m->is_big != big_here)
            swap_bytes(copy, n / m->size, m->size);
        if (m->is_integer || kind->size == m->size)
            good = array_append_bytes(th, as_array(v), copy, n);
        else { /* floats of the other size */
            for (int64_t i = 0; good && i < n; i += m->size) {
                const ItemKind *from = item_kind_find(m->size == 4 ? 'f' : 'd');
                Value f = from->get(th, copy + i);
                good = f != NULL && array_append(th, as_array(v), f);
                drop_null(th, f);
            }
        }
        buffer_free(copy);
    }
    if (!good)
        DROP_CLEAR(th, v);
    return v;
}

static Value
array_reconstructor(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    Value type_value = arg(args, 0), code = arg(args, 1), bytes = arg(args, 3);
    int format;
    if (!is_type(type_value))
        return raise_type_error(
            th, "first argument must be a type object, not %T", type_value);
    if (!is_str(code) || str_length(code) != 1)
        return raise_type_error(
            th, "_array_reconstructor() argument 2 must be a unicode character, not %B", code);
    if (!arg_int(th, arg(args, 2), &format))
        return NULL;
    if (!is_bytes(bytes))
        return raise_type_error(th, "fourth argument should be bytes, not %T", bytes);
    Type *type = as_type(type_value);
    if (!type_is_subtype(type, &array_type))
        return raise_type_error(th, "%N is not a subtype of array.array", type);
    const ItemKind *kind = item_kind_find(str_char(as_str(code), 0));
    if (kind == NULL)
        return raise_value_error(th, "second argument must be a valid type code");
    if (format < 0 || format >= (int)ARRAY_LEN(machine_formats))
        return raise_value_error(th, "third argument must be a valid machine format code.");
    if (format != kind->machine_code)
        return reconstruct_foreign(th, type, kind, format, bytes);
    Value v = array_make(th, type, kind);
    if (v != NULL && !array_append_bytes(th, as_array(v), as_bytes(bytes)->data,
                                         as_bytes(bytes)->length))
        DROP_CLEAR(th, v);
    return v;
}

/* -- the module -- */

static const MethodDef array_methods[] = {
    NATIVE_0("__copy__", array_method_copy, "__copy__($self, /)\n--\n\nA copy of the array."),
    NATIVE_1("__deepcopy__", array_method_deepcopy,
             "__deepcopy__($self, unused, /)\n--\n\nA copy of the array."),
    NATIVE_1("__reduce_ex__", array_method_reduce_ex,
             "__reduce_ex__($self, value, /)\n--\n\nReturn state information for pickling."),
    NATIVE_0("__sizeof__", array_method_sizeof,
             "__sizeof__($self, /)\n--\n\nSize of the array in memory, in bytes."),
    NATIVE_1("append", array_method_append,
             "append($self, v, /)\n--\n\nAppends v to the end of the array."),
    NATIVE_0("buffer_info", array_method_buffer_info,
             "buffer_info($self, /)\n--\n\n"
             "The pair (address, length): where the items are in memory, and how many."),
    NATIVE_0("byteswap", array_method_byteswap,
             "byteswap($self, /)\n--\n\nTurns the byte order of all items."),
    NATIVE_1("count", array_method_count,
             "count($self, v, /)\n--\n\nHow many items equal v."),
    NATIVE_1("extend", array_method_extend,
             "extend($self, bb, /)\n--\n\nAppends the items of an array or another iterable."),
    NATIVE_1("frombytes", array_method_frombytes,
             "frombytes($self, buffer, /)\n--\n\nAppends the items that the bytes hold."),
    NATIVE_N("fromfile", array_method_fromfile, 2, 2,
             "fromfile($self, f, n, /)\n--\n\nReads n items from a file and appends them."),
    NATIVE_1("fromlist", array_method_fromlist,
             "fromlist($self, list, /)\n--\n\nAppends the items of a list."),
    NATIVE_1("fromunicode", array_method_fromunicode,
             "fromunicode($self, ustr, /)\n--\n\nAppends the characters of a str to an array of "
             "type 'u'."),
    NATIVE_N("index", array_method_index, 1, 3,
             "index($self, v, start=0, stop=sys.maxsize, /)\n--\n\n"
             "The index of the first item that equals v; ValueError if there is none."),
    NATIVE_N("insert", array_method_insert, 2, 2,
             "insert($self, i, v, /)\n--\n\nInserts v before position i."),
    NATIVE_N("pop", array_method_pop, 0, 1,
             "pop($self, i=-1, /)\n--\n\nRemoves and returns item i, by default the last."),
    NATIVE_1("remove", array_method_remove,
             "remove($self, v, /)\n--\n\nRemoves the first item that equals v."),
    NATIVE_0("reverse", array_method_reverse,
             "reverse($self, /)\n--\n\nTurns the order of the items."),
    NATIVE_1("tofile", array_method_tofile,
             "tofile($self, f, /)\n--\n\nWrites all items to a file, as they are in memory."),
    NATIVE_0("tolist", array_method_tolist, "tolist($self, /)\n--\n\nThe items as a list."),
    NATIVE_0("tobytes", array_method_tobytes,
             "tobytes($self, /)\n--\n\nThe items as bytes, as they are in memory."),
    NATIVE_0("tounicode", array_method_tounicode,
             "tounicode($self, /)\n--\n\nThe characters of an array of type 'u' as a str."),
    NATIVE_END,
};

static const GetterDef array_getters[] = {
    {.name = "typecode",
     .get = array_get_typecode,
     .doc = "the typecode character used to create the array"},
    {.name = "itemsize", .get = array_get_itemsize, .doc = "the size, in bytes, of one array item"},
    {.name = NULL},
};

static const TypeSpec array_spec = {
    .name = "array.array",
    .size = sizeof(Array),
    .flags = TYPE_BASE | TYPE_SEQUENCE | TYPE_WEAKREFS,
    .doc = "array(typecode [, initializer]) -> array\n\n"
           "A sequence of numbers or characters of one C type, which the typecode names:\n\n"
           "  b B  signed, unsigned char      h H  short      i I  int\n"
           "  l L  long                       q Q  long long  f d  float, double\n"
           "  u    character\n\n"
           "The initializer is a bytes-like object, a str (for 'u'), or an iterable of items.",
    .methods = array_methods,
    .getters = array_getters,
    .slots =
        {
            .repr = array_slot_repr,
            .hash = hash_unhashable,
            .compare = array_slot_compare,
            .iter = array_slot_iter,
            .new = array_new,
            .length = array_slot_length,
            .getitem = array_slot_getitem,
            .setitem = array_slot_setitem,
            .item = array_slot_item,
            .contains = array_slot_contains,
            .concat = array_slot_concat,
            .iconcat = array_slot_iconcat,
            .repeat = array_slot_repeat,
            .irepeat = array_slot_irepeat,
            .get_buffer = array_get_buffer,
            .release_buffer = array_release_buffer,
        },
    .dealloc = array_dealloc,
};

static const MethodDef module_methods[] = {
    NATIVE_N("_array_reconstructor", array_reconstructor, 4, 4,
             "_array_reconstructor($module, arraytype, typecode, mformat_code, items,\n"
             "                     /)\n--\n\nFor pickles: makes an array."),
    NATIVE_END,
};

/* Makes isinstance(array, MutableSequence) true. */
static bool
register_sequence(Thread *th)
{
    Value abc = upcalls.import_module(th, "collections.abc");
    Value class = abc ? get_attr_c(th, abc, "MutableSequence") : NULL;
    drop_null(th, abc);
    Value name = class ? str_intern_c(th, "register") : NULL;
    Value r = name ? call_method_1(th, class, name, value_of_type(&array_type)) : NULL;
    drop_null(th, class);
    drop_null(th, name);
    drop_null(th, r);
    return r != NULL;
}

static bool
array_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&array_type, &array_spec},
        {&array_iter_type, &array_iter_spec},
    };
    char codes[32];
    size_t n = 0;
    for (const ItemKind *k = item_kinds; k->code != 0; k++)
        codes[n++] = k->code;
    codes[n] = 0;
    return static_types_ready(th, types, ARRAY_LEN(types)) && register_sequence(th) &&
           module_add(th, module, "array", value_of_type(&array_type)) &&
           module_add(th, module, "ArrayType", value_of_type(&array_type)) &&
           module_add_str(th, module, "typecodes", codes);
}

const ModuleSpec array_module = {
    .name = "array",
    .doc = "This module defines an object type which can efficiently represent\n"
           "an array of basic values: characters, integers, floating point\n"
           "numbers.",
    .methods = module_methods,
    .exec = array_exec,
};
