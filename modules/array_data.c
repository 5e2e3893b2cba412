/* array_data.c -- the storage of array.array: items of one C type, in memory of their own.
 *
 * Writers hold the array's lock.  Readers take none: they read the pointer to the memory, go by the
 * capacity that stands in it, and copy an item of up to 8 bytes; memory that is replaced goes to
 * the retire queue.  While buffers are exported the memory stays.
 */
#include "modules/array_data.h"

#include <limits.h>

#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

/* -- items -- */

static COLD bool
raise_limit(Thread *th, const char *what, bool above)
{
    raise_error(th, &exc_OverflowError, "%s is %s", what,
                above ? "greater than maximum" : "less than minimum");
    return false;
}

/* An int by __index__, as a C long. */
static bool
read_long(Thread *th, Value v, int64_t *n)
{
    if (value_is_fixnum(v)) {
        *n = value_fixnum(v);
        return true;
    }
    Value i = to_index(th, v);
    if (i == NULL)
        return false;
    bool good = int_to_i64(th, i, n);
    drop(th, i);
    return good;
}

static bool
read_limited(Thread *th, Value v, int64_t least, int64_t most, const char *what, int64_t *n)
{
    if (!read_long(th, v, n))
        return false;
    if (*n < least || *n > most)
        return raise_limit(th, what, *n > most);
    return true;
}

#define SMALL_KIND(name, type)                                                 \
    static Value name##_get(Thread *th, const uint8_t *p)                      \
    {                                                                          \
        (void)th;                                                              \
        type x;                                                                \
        memcpy(&x, p, sizeof x);                                               \
        return value_from_fixnum((int64_t)x);                                  \
    }

SMALL_KIND(byte, int8_t)
SMALL_KIND(ubyte, uint8_t)
SMALL_KIND(short, int16_t)
SMALL_KIND(ushort, uint16_t)
SMALL_KIND(int, int32_t)
SMALL_KIND(uint, uint32_t)

static bool
byte_set(Thread *th, Value v, uint8_t *p)
{
    int64_t n;
    if (!read_limited(th, v, INT16_MIN, INT16_MAX, "signed short integer", &n))
        return false;
    if (n < INT8_MIN || n > INT8_MAX)
        return raise_limit(th, "signed char", n > 0);
    *p = (uint8_t)n;
    return true;
}

static bool
ubyte_set(Thread *th, Value v, uint8_t *p)
{
    int64_t n;
    if (!read_limited(th, v, 0, UINT8_MAX, "unsigned byte integer", &n))
        return false;
    *p = (uint8_t)n;
    return true;
}

static bool
short_set(Thread *th, Value v, uint8_t *p)
{
    int64_t n;
    if (!read_limited(th, v, INT16_MIN, INT16_MAX, "signed short integer", &n))
        return false;
    memcpy(p, &(int16_t){(int16_t)n}, 2);
    return true;
}

static bool
ushort_set(Thread *th, Value v, uint8_t *p)
{
    int64_t n;
    if (!read_limited(th, v, INT32_MIN, INT32_MAX, "signed integer", &n))
        return false;
    if (n < 0 || n > UINT16_MAX)
        return raise_limit(th, "unsigned short", n > 0);
    memcpy(p, &(uint16_t){(uint16_t)n}, 2);
    return true;
}

static bool
int_set(Thread *th, Value v, uint8_t *p)
{
    int64_t n;
    if (!read_limited(th, v, INT32_MIN, INT32_MAX, "signed integer", &n))
        return false;
    memcpy(p, &(int32_t){(int32_t)n}, 4);
    return true;
}

/* An unsigned number of up to 64 bits. */
static bool
read_unsigned(Thread *th, Value v, const char *too_large, const char *negative, uint64_t *n)
{
    Value i = to_index(th, v);
    if (i == NULL)
        return false;
    bool below = int_sign(i) < 0, good = !below && int_bit_length(i) <= 64;
    *n = int_to_u64_wrap(i);
    drop(th, i);
    if (!good)
        raise_overflow(th, below ? negative : too_large);
    return good;
}

static bool
uint_set(Thread *th, Value v, uint8_t *p)
{
    uint64_t n;
    if (!read_unsigned(th, v, "Python int too large to convert to C unsigned long",
                       "can't convert negative value to unsigned int", &n))
        return false;
    if (n > UINT32_MAX)
        return raise_limit(th, "unsigned int", true);
    memcpy(p, &(uint32_t){(uint32_t)n}, 4);
    return true;
}

static Value
long_get(Thread *th, const uint8_t *p)
{
    int64_t n;
    memcpy(&n, p, 8);
    return int_from_i64(th, n);
}

static bool
long_set(Thread *th, Value v, uint8_t *p)
{
    int64_t n;
    if (!read_long(th, v, &n))
        return false;
    memcpy(p, &n, 8);
    return true;
}

static Value
ulong_get(Thread *th, const uint8_t *p)
{
    uint64_t n;
    memcpy(&n, p, 8);
    return int_from_u64(th, n);
}

static bool
ulong_set(Thread *th, Value v, uint8_t *p)
{
    uint64_t n;
    if (!read_unsigned(th, v, "Python int too large to convert to C unsigned long",
                       "can't convert negative value to unsigned int", &n))
        return false;
    memcpy(p, &n, 8);
    return true;
}

static bool
longlong_set(Thread *th, Value v, uint8_t *p)
{
    Value i = to_index(th, v);
    if (i == NULL)
        return false;
    int64_t n;
    bool good = int_fits_i64(i, &n);
    drop(th, i);
    if (!good) {
        raise_overflow(th, "int too big to convert");
        return false;
    }
    memcpy(p, &n, 8);
    return true;
}

static bool
ulonglong_set(Thread *th, Value v, uint8_t *p)
{
    uint64_t n;
    if (!read_unsigned(th, v, "int too big to convert", "can't convert negative int to unsigned",
                       &n))
        return false;
    memcpy(p, &n, 8);
    return true;
}

static Value
float_get(Thread *th, const uint8_t *p)
{
    float f;
    memcpy(&f, p, 4);
    return float_from(th, (double)f);
}

static bool
float_set(Thread *th, Value v, uint8_t *p)
{
    double d;
    if (!arg_double(th, v, &d))
        return false;
    memcpy(p, &(float){(float)d}, 4);
    return true;
}

static Value
double_get(Thread *th, const uint8_t *p)
{
    double d;
    memcpy(&d, p, 8);
    return float_from(th, d);
}

static bool
double_set(Thread *th, Value v, uint8_t *p)
{
    double d;
    if (!arg_double(th, v, &d))
        return false;
    memcpy(p, &d, 8);
    return true;
}

static Value
unicode_get(Thread *th, const uint8_t *p)
{
    uint32_t c;
    memcpy(&c, p, 4);
    if (c > 0x10ffff)
        return raise_value_error(th, "character U+%x is not in range [U+0000; U+10ffff]", c);
    return str_from_char(th, c);
}

static bool
unicode_set(Thread *th, Value v, uint8_t *p)
{
    if (!is_str(v) || str_length(v) != 1) {
        raise_type_error(th, "array item must be unicode character");
        return false;
    }
    uint32_t c = str_char(as_str(v), 0);
    memcpy(p, &c, 4);
    return true;
}

#define BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
const ItemKind item_kinds[] = {
    {'b', 1, true, true, 1, "b", byte_get, byte_set},
    {'B', 1, true, false, 0, "B", ubyte_get, ubyte_set},
    {'u', 4, false, false, 20 + BIG, "w", unicode_get, unicode_set},
    {'h', 2, true, true, 4 + BIG, "h", short_get, short_set},
    {'H', 2, true, false, 2 + BIG, "H", ushort_get, ushort_set},
    {'i', 4, true, true, 8 + BIG, "i", int_get, int_set},
    {'I', 4, true, false, 6 + BIG, "I", uint_get, uint_set},
    {'l', 8, true, true, 12 + BIG, "l", long_get, long_set},
    {'L', 8, true, false, 10 + BIG, "L", ulong_get, ulong_set},
    {'q', 8, true, true, 12 + BIG, "q", long_get, longlong_set},
    {'Q', 8, true, false, 10 + BIG, "Q", ulong_get, ulonglong_set},
    {'f', 4, false, false, 14 + BIG, "f", float_get, float_set},
    {'d', 8, false, false, 16 + BIG, "d", double_get, double_set},
    {.code = 0},
};
#undef BIG

const ItemKind *
item_kind_find(uint32_t code)
{
    for (const ItemKind *k = item_kinds; k->code != 0; k++)
        if ((uint32_t)(unsigned char)k->code == code)
            return k;
    return NULL;
}

/* -- memory -- */

/* Copies n bytes that another thread may be writing. */
static void
copy_shared(uint8_t *to, const uint8_t *from, int8_t size)
{
    switch (size) {
    case 1: {
        *to = __atomic_load_n(from, __ATOMIC_RELAXED);
        break;
    }
    case 2: {
        uint16_t x = __atomic_load_n((const uint16_t *)(const void *)from, __ATOMIC_RELAXED);
        memcpy(to, &x, 2);
        break;
    }
    case 4: {
        uint32_t x = __atomic_load_n((const uint32_t *)(const void *)from, __ATOMIC_RELAXED);
        memcpy(to, &x, 4);
        break;
    }
    default: {
        uint64_t x = __atomic_load_n((const uint64_t *)(const void *)from, __ATOMIC_RELAXED);
        memcpy(to, &x, 8);
    }
    }
}

static ArrayData *
data_new(Thread *th, int64_t bytes)
{
    ArrayData *d = buffer_new(th, sizeof(ArrayData) + (size_t)bytes);
    if (d != NULL)
        d->capacity = bytes;
    return d;
}

/* Fills items [at, at + n) of d from src (NULL: zeros). */
static void
fill(ArrayData *d, int64_t at, const uint8_t *src, int64_t n, int64_t size)
{
    if (n == 0)
        return;
    if (src != NULL)
        memory_move_raced(d->bytes + at * size, src, (size_t)(n * size));
    else
        memset(d->bytes + at * size, 0, (size_t)(n * size));
}

bool
array_change(Thread *th, Array *a, int64_t at, int64_t remove, const uint8_t *src, int64_t n,
             bool *stale)
{
    int64_t size = a->kind->size;
    bool append = at < 0;
    *stale = false;
    object_touch(th, &a->head);
    for (;;) {
        int64_t length = array_length(a);
        ArrayData *now = load_acquire(&a->data); /* pairs with the release below */
        int64_t place = append ? length : at;
        if (place > length || remove > length - place) {
            *stale = true;
            return false;
        }
        if (n > INT64_MAX / 16 - length) {
            raise_memory(th);
            return false;
        }
        int64_t wanted = length - remove + n, capacity = now ? now->capacity : 0;
        bool replace = wanted * size > capacity || (capacity > 256 && wanted * size < capacity / 4);
        ArrayData *fresh = NULL;
        if (replace && wanted > 0) {
            int64_t room = n > remove ? wanted + (wanted >> 3) + 4 : wanted;
            fresh = data_new(th, room * size);
            if (fresh == NULL)
                return false;
        }
        bool held = object_lock(&a->head);
        bool changed = array_length(a) != length || load_relaxed(&a->data) != now;
        bool pinned = a->exports > 0 && n != remove;
        if (changed || pinned) {
            object_unlock(&a->head, held);
            buffer_free(fresh);
            if (changed)
                continue;
            raise_error(th, &exc_BufferError,
                        "cannot resize an array that is exporting buffers");
            return false;
        }
        int64_t rest = length - place - remove;
        if (replace) {
            if (fresh != NULL) {
                if (place > 0)
                    memcpy(fresh->bytes, now->bytes, (size_t)(place * size));
                fill(fresh, place, src, n, size);
                if (rest > 0)
                    memcpy(fresh->bytes + (place + n) * size,
                           now->bytes + (place + remove) * size, (size_t)(rest * size));
            }
            if (wanted < length)
                store_release(&a->length, wanted);
            store_release(&a->data, fresh); /* pairs with the acquire loads [array.data] */
        } else if (now != NULL) {
            if (n != remove && rest > 0)
                memory_move_raced(now->bytes + (place + n) * size,
                                  now->bytes + (place + remove) * size, (size_t)(rest * size));
            fill(now, place, src, n, size);
        }
        store_release(&a->length, wanted); /* pairs with array_length() */
        bool shared = (object_bits(&a->head) & BIT_SHARED) != 0;
        object_unlock(&a->head, held);
        if (replace && now != NULL) {
            if (shared)
                retire_buffer(th, now, (size_t)capacity);
            else
                buffer_free(now);
        }
        return true;
    }
}

bool
array_read(Thread *th, Array *a, int64_t i, uint8_t *p)
{
    int64_t size = a->kind->size;
    object_touch(th, &a->head);
    if (i < 0 || i >= array_length(a))
        return false;
    ArrayData *d = load_acquire(&a->data); /* pairs with array_change() [array.data] */
    if (d == NULL || (i + 1) * size > d->capacity)
        return false;
    copy_shared(p, d->bytes + i * size, (int8_t)size);
    return true;
}

bool
array_write(Thread *th, Array *a, int64_t i, const uint8_t *p)
{
    int64_t size = a->kind->size;
    bool held = object_touch_lock(th, &a->head);
    bool good = i >= 0 && i < array_length(a);
    if (good) {
        uint8_t *to = load_relaxed(&a->data)->bytes + i * size;
        switch (size) {
        case 1: __atomic_store_n(to, *p, __ATOMIC_RELAXED); break;
        case 2: {
            uint16_t x;
            memcpy(&x, p, 2);
            __atomic_store_n((uint16_t *)(void *)to, x, __ATOMIC_RELAXED);
            break;
        }
        case 4: {
            uint32_t x;
            memcpy(&x, p, 4);
            __atomic_store_n((uint32_t *)(void *)to, x, __ATOMIC_RELAXED);
            break;
        }
        default: {
            uint64_t x;
            memcpy(&x, p, 8);
            __atomic_store_n((uint64_t *)(void *)to, x, __ATOMIC_RELAXED);
        }
        }
    }
    object_unlock(&a->head, held);
    return good;
}

Value
array_bytes(Thread *th, Array *a)
{
    int64_t size = a->kind->size;
    object_touch(th, &a->head);
    for (;;) {
        int64_t length = array_length(a);
        Value bytes = bytes_new(th, (size_t)(length * size));
        if (bytes == NULL)
            return NULL;
        bool held = object_lock(&a->head);
        bool same = array_length(a) == length;
        if (same && length > 0)
            memory_move_raced(as_bytes(bytes)->data, load_relaxed(&a->data)->bytes,
                              (size_t)(length * size));
        object_unlock(&a->head, held);
        if (same)
            return bytes;
        drop(th, bytes);
    }
}

Value
array_item(Thread *th, Array *a, int64_t i)
{
    uint8_t item[8];
    if (!array_read(th, a, i, item))
        return NULL;
    return a->kind->get(th, item);
}
