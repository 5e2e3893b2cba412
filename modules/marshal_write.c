/* marshal_write.c -- values to bytes.
 *
 * Lists and sets are copied before they are written, so that what is said of their size is true
 * even if another thread changes them.  The writer belongs to one thread.
 */
#include "modules/marshal.h"

#include <stdlib.h>

#include "base/decimal.h"
#include "core/vm/code.h"
#include "core/vm/opcode.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

typedef struct Writer {
    uint8_t *p;
    size_t n, capacity;
    int version, depth;
    /* Objects written so far and their numbers: open addressing, NULL is free. */
    Value *objects;
    uint32_t *numbers;
    size_t table_size, table_used;
    /* Copies whose addresses are in the table, kept until the end. */
    Value *kept;
    size_t kept_count, kept_capacity;
} Writer;

static bool write_value(Thread *th, Writer *w, Value v);

/* -- bytes -- */

static bool
room(Thread *th, Writer *w, size_t n)
{
    if (LIKELY(w->capacity - w->n >= n))
        return true;
    size_t capacity = w->capacity + w->capacity / 2 + n + 64;
    void *p = w->p ? buffer_resize(th, w->p, capacity) : buffer_new(th, capacity);
    if (p == NULL)
        return false;
    w->p = p;
    w->capacity = capacity;
    return true;
}

static bool
put_bytes(Thread *th, Writer *w, const void *p, size_t n)
{
    if (!room(th, w, n))
        return false;
    memcpy(w->p + w->n, p, n);
    w->n += n;
    return true;
}

static bool
put_byte(Thread *th, Writer *w, int c)
{
    if (!room(th, w, 1))
        return false;
    w->p[w->n++] = (uint8_t)c;
    return true;
}

static bool
put_number(Thread *th, Writer *w, uint64_t v, int bytes)
{
    if (!room(th, w, 8))
        return false;
    for (int i = 0; i < bytes; i++, v >>= 8)
        w->p[w->n++] = (uint8_t)v;
    return true;
}

static COLD bool
unmarshallable(Thread *th)
{
    raise_value_error(th, "unmarshallable object");
    return false;
}

static bool
put_size(Thread *th, Writer *w, size_t n)
{
    if (n > INT32_MAX)
        return unmarshallable(th);
    return put_number(th, w, n, 4);
}

static bool
put_double(Thread *th, Writer *w, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    return put_number(th, w, bits, 8);
}

static bool
put_double_text(Thread *th, Writer *w, double d)
{
    char text[40];
    int n = decimal_print(text, sizeof text, 'g', 17, d);
    return put_byte(th, w, n) && put_bytes(th, w, text, (size_t)n);
}

/* -- references -- */

static size_t
table_place(const Writer *w, Value v)
{
    size_t mask = w->table_size - 1;
    size_t i = (size_t)(value_bits(v) * 0x9e3779b97f4a7c15u >> 20) & mask;
    while (w->objects[i] != NULL && w->objects[i] != v)
        i = (i + 1) & mask;
    return i;
}

static bool
table_grow(Thread *th, Writer *w)
{
    Writer bigger = *w;
    bigger.table_size = w->table_size ? w->table_size * 2 : 64;
    bigger.objects = buffer_new_zeroed(th, bigger.table_size * sizeof(Value));
    if (bigger.objects == NULL)
        return false;
    bigger.numbers = buffer_new(th, bigger.table_size * sizeof(uint32_t));
    if (bigger.numbers == NULL) {
        buffer_free(bigger.objects);
        return false;
    }
    for (size_t i = 0; i < w->table_size; i++) {
        if (w->objects[i] == NULL)
            continue;
        size_t to = table_place(&bigger, w->objects[i]);
        bigger.objects[to] = w->objects[i];
        bigger.numbers[to] = w->numbers[i];
    }
    buffer_free(w->objects);
    buffer_free(w->numbers);
    *w = bigger;
    return true;
}

/* Writes a reference to `v` if it was written before (YES), else numbers it (NO: *flag is what is
 * added to its type code). */
static Answer
put_reference(Thread *th, Writer *w, Value v, int *flag)
{
    *flag = 0;
    if (w->version < 3 || !value_is_object(v))
        return NO;
    if (w->table_used * 2 >= w->table_size && !table_grow(th, w))
        return FAILED;
    size_t i = table_place(w, v);
    if (w->objects[i] != NULL)
        return put_byte(th, w, MARSHAL_REF) && put_number(th, w, w->numbers[i], 4) ? YES : FAILED;
    if (w->table_used >= INT32_MAX)
        return NO;
    w->objects[i] = v;
    w->numbers[i] = (uint32_t)w->table_used++;
    *flag = MARSHAL_FLAG_REF;
    return NO;
}

/* Holds `v` until all is written, so that its address is not used again. */
static bool
keep(Thread *th, Writer *w, Value STEALS v)
{
    if (w->kept_count == w->kept_capacity) {
        size_t capacity = w->kept_capacity ? w->kept_capacity * 2 : 16;
        Value *kept = w->kept ? buffer_resize(th, w->kept, capacity * sizeof(Value))
                              : buffer_new(th, capacity * sizeof(Value));
        if (kept == NULL) {
            drop(th, v);
            return false;
        }
        w->kept = kept;
        w->kept_capacity = capacity;
    }
    w->kept[w->kept_count++] = v;
    return true;
}

/* -- numbers and text -- */

static bool
write_int(Thread *th, Writer *w, Value v, int flag)
{
    int64_t n;
    if (int_fits_i64(v, &n) && n >= INT32_MIN && n <= INT32_MAX)
        return put_byte(th, w, MARSHAL_INT | flag) && put_number(th, w, (uint64_t)n, 4);
    /* Digits of 15 bits; their count carries the sign. */
    int64_t bits = int_bit_length(v);
    size_t digits = (size_t)(bits + 14) / 15;
    if (digits > INT32_MAX)
        return unmarshallable(th);
    bool negative = int_sign(v) < 0;
    size_t size = (size_t)bits / 8 + 4;
    Value positive = negative ? int_negative(th, v) : int_plain(th, v);
    uint8_t *bytes = positive ? buffer_new(th, size) : NULL;
    bool good = bytes != NULL && int_to_bytes(th, positive, bytes, size, true, false) &&
                put_byte(th, w, MARSHAL_LONG | flag) &&
                put_number(th, w, (uint64_t)(negative ? -(int64_t)digits : (int64_t)digits), 4) &&
                room(th, w, digits * 2);
    for (size_t i = 0; good && i < digits; i++) {
        size_t at = i * 15 / 8, shift = i * 15 % 8;
        uint32_t word = bytes[at];
        if (at + 1 < size)
            word |= (uint32_t)bytes[at + 1] << 8;
        if (at + 2 < size)
            word |= (uint32_t)bytes[at + 2] << 16;
        good = put_number(th, w, word >> shift & 0x7fff, 2);
    }
    if (bytes != NULL)
        buffer_free(bytes);
    drop_null(th, positive);
    return good;
}

static bool
write_float(Thread *th, Writer *w, double d, int flag)
{
    if (w->version > 1)
        return put_byte(th, w, MARSHAL_FLOAT | flag) && put_double(th, w, d);
    return put_byte(th, w, MARSHAL_FLOAT_TEXT | flag) && put_double_text(th, w, d);
}

static bool
write_complex(Thread *th, Writer *w, Value v, int flag)
{
    const Complex *c = (const Complex *)(void *)value_object(v);
    if (w->version > 1)
        return put_byte(th, w, MARSHAL_COMPLEX | flag) && put_double(th, w, c->real) &&
               put_double(th, w, c->imag);
    return put_byte(th, w, MARSHAL_COMPLEX_TEXT | flag) && put_double_text(th, w, c->real) &&
           put_double_text(th, w, c->imag);
}

static bool
write_str(Thread *th, Writer *w, Value v, int flag)
{
    const Str *s = as_str(v);
    bool interned = w->version >= 3 && str_is_interned(v);
    if (w->version >= 4 && s->ascii) {
        size_t n = s->length;
        if (n < 256) {
            int code = interned ? MARSHAL_SHORT_ASCII_INTERNED : MARSHAL_SHORT_ASCII;
            return put_byte(th, w, code | flag) && put_byte(th, w, (int)n) &&
                   put_bytes(th, w, s->data, n);
        }
        int code = interned ? MARSHAL_ASCII_INTERNED : MARSHAL_ASCII;
        return put_byte(th, w, code | flag) && put_size(th, w, n) && put_bytes(th, w, s->data, n);
    }
    Value utf8 = str_encode_utf8(th, v, "surrogatepass");
    if (utf8 == NULL)
        return false;
    size_t n = (size_t)as_bytes(utf8)->length;
    bool good = put_byte(th, w, (interned ? MARSHAL_INTERNED : MARSHAL_UNICODE) | flag) &&
                put_size(th, w, n) && put_bytes(th, w, as_bytes(utf8)->data, n);
    drop(th, utf8);
    return good;
}

static bool
write_buffer(Thread *th, Writer *w, Value v, int flag)
{
    Buffer b;
    if (!buffer_lend(th, v, &b, BUFFER_SIMPLE)) {
        error_clear(th);
        return unmarshallable(th);
    }
    bool good = put_byte(th, w, MARSHAL_BYTES | flag) && put_size(th, w, (size_t)b.length) &&
                put_bytes(th, w, b.data, (size_t)b.length);
    buffer_release(th, &b);
    return good;
}

/* -- containers -- */

static bool
write_items(Thread *th, Writer *w, Value tuple)
{
    for (int64_t i = 0; i < tuple_length(tuple); i++)
        if (!write_value(th, w, tuple_item(tuple, i)))
            return false;
    return true;
}

static bool
write_tuple(Thread *th, Writer *w, Value v, int flag)
{
    size_t n = (size_t)tuple_length(v);
    if (w->version >= 4 && n < 256) {
        if (!put_byte(th, w, MARSHAL_SMALL_TUPLE | flag) || !put_byte(th, w, (int)n))
            return false;
    } else if (!put_byte(th, w, MARSHAL_TUPLE | flag) || !put_size(th, w, n))
        return false;
    return write_items(th, w, v);
}

static bool
write_list(Thread *th, Writer *w, Value v, int flag)
{
    Value items = list_to_tuple(th, v);
    if (items == NULL || !keep(th, w, items))
        return false;
    return put_byte(th, w, MARSHAL_LIST | flag) && put_size(th, w, (size_t)tuple_length(items)) &&
           write_items(th, w, items);
}

static bool
write_dict(Thread *th, Writer *w, Value v, int flag)
{
    if (!put_byte(th, w, MARSHAL_DICT | flag))
        return false;
    size_t at = 0;
    Value key, value;
    while (dict_next(th, v, &at, &key, &value)) {
        bool good = write_value(th, w, key) && write_value(th, w, value);
        /* Immediates need no keeping; objects may have left the dict meanwhile. */
        good &= keep(th, w, key);
        good &= keep(th, w, value);
        if (!good)
            return false;
    }
    return put_byte(th, w, MARSHAL_NULL);
}

typedef struct SetItem {
    Value value, bytes;
} SetItem;

static int
compare_items(const void *a, const void *b)
{
    const Bytes *x = as_bytes(((const SetItem *)a)->bytes);
    const Bytes *y = as_bytes(((const SetItem *)b)->bytes);
    size_t n = (size_t)(x->length < y->length ? x->length : y->length);
    int order = memcmp(x->data, y->data, n);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* The items in the order of what they look like in bytes, so that equal sets look alike. */
static bool
write_set(Thread *th, Writer *w, Value v, int code)
{
    size_t capacity = (size_t)set_length(v) + 8, n = 0, at = 0;
    SetItem *items = buffer_new(th, capacity * sizeof(SetItem));
    if (items == NULL)
        return false;
    bool good = true;
    Value item;
    while (good && set_next(th, v, &at, &item)) {
        if (n == capacity) { /* another thread adds */
            SetItem *more = buffer_resize(th, items, 2 * capacity * sizeof(SetItem));
            if (more == NULL) {
                drop(th, item);
                good = false;
                break;
            }
            items = more;
            capacity *= 2;
        }
        Value bytes = marshal_dump(th, item, w->version);
        if (bytes == NULL) {
            drop(th, item);
            good = false;
        } else
            items[n++] = (SetItem){item, bytes};
    }
    if (good) {
        qsort(items, n, sizeof(SetItem), compare_items);
        good = put_byte(th, w, code) && put_size(th, w, n);
    }
    for (size_t i = 0; i < n; i++) {
        good = good && write_value(th, w, items[i].value);
        good &= keep(th, w, items[i].value);
        drop(th, items[i].bytes);
    }
    buffer_free(items);
    return good;
}

/* -- code -- */

/* The instructions as the compiler wrote them: no specialised opcodes, empty caches. */
static bool
write_instructions(Thread *th, Writer *w, const Code *c)
{
    for (uint32_t i = 0; i < c->instr_count;) {
        Instr in;
        CacheWord word = __atomic_load_n((const CacheWord *)(const void *)&c->instrs[i],
                                         __ATOMIC_RELAXED);
        memcpy(&in, &word, sizeof in);
        in.op = opcode_generic(in.op);
        if (!put_number(th, w, (uint64_t)in.op | (uint64_t)in.flags << 8 | (uint64_t)in.a << 16 |
                                   (uint64_t)in.b << 32 | (uint64_t)in.c << 48,
                        8))
            return false;
        int extra = opcode_words(in.op);
        bool cache = opcode_has_cache(in.op);
        for (i++; extra > 0 && i < c->instr_count; extra--, i++) {
            word = 0;
            if (!cache)
                memcpy(&word, &c->instrs[i], sizeof word);
            if (!put_number(th, w, word, 8))
                return false;
        }
    }
    return true;
}

static bool
put_u32s(Thread *th, Writer *w, const uint32_t *p, size_t n)
{
    bool good = true;
    for (size_t i = 0; good && i < n; i++)
        good = put_number(th, w, p[i], 4);
    return good;
}

static bool
put_u16s(Thread *th, Writer *w, const uint16_t *p, size_t n)
{
    bool good = true;
    for (size_t i = 0; good && i < n; i++)
        good = put_number(th, w, p[i], 2);
    return good;
}

static bool
write_code(Thread *th, Writer *w, Value v, int flag)
{
    const Code *c = as_code(v);
    uint32_t live_count = c->live_sets ? c->live_start[c->live_sets] : 0;
    const uint32_t numbers[] = {
        c->instr_count,   c->register_count,  c->temp_base,   c->flags,
        c->arg_count,     c->posonly_count,   c->kwonly_count, c->local_count,
        c->cell_count,    c->free_count,      c->first_line,  c->self_attr_count,
        c->live_sets,     live_count,         c->exception_count, c->position_table_size,
    };
    if (!put_byte(th, w, MARSHAL_CODE | flag) || !put_u32s(th, w, numbers, ARRAY_LEN(numbers)) ||
        !write_instructions(th, w, c) || !put_bytes(th, w, c->var_kinds, c->temp_base) ||
        !put_u16s(th, w, c->live_index, c->instr_count) ||
        !put_u32s(th, w, c->live_start, c->live_sets ? (size_t)c->live_sets + 1 : 0) ||
        !put_u16s(th, w, c->live_registers, live_count))
        return false;
    for (uint32_t i = 0; i < c->exception_count; i++) {
        const ExceptionEntry *e = &c->exceptions[i];
        const uint32_t entry[] = {e->start, e->end, e->target, e->depth};
        if (!put_u32s(th, w, entry, ARRAY_LEN(entry)))
            return false;
    }
    return put_bytes(th, w, c->position_table, c->position_table_size) &&
           write_value(th, w, c->const_tuple) && write_value(th, w, c->name_tuple) &&
           write_value(th, w, c->var_names) && write_value(th, w, c->name) &&
           write_value(th, w, c->qualname) && write_value(th, w, c->filename);
}

/* -- any value -- */

static bool
write_object(Thread *th, Writer *w, Value v)
{
    if (v == NONE)
        return put_byte(th, w, MARSHAL_NONE);
    if (v == TRUE || v == FALSE)
        return put_byte(th, w, v == TRUE ? MARSHAL_TRUE : MARSHAL_FALSE);
    if (v == ELLIPSIS)
        return put_byte(th, w, MARSHAL_ELLIPSIS);
    if (v == value_of_type(&exc_StopIteration))
        return put_byte(th, w, MARSHAL_STOP_ITERATION);
    int flag;
    Answer done = put_reference(th, w, v, &flag);
    if (done != NO)
        return done == YES;
    switch (shape_of(v)) {
    case SHAPE_INT: return write_int(th, w, v, flag);
    case SHAPE_FLOAT: return write_float(th, w, float_value(v), flag);
    case SHAPE_COMPLEX: return write_complex(th, w, v, flag);
    case SHAPE_STR: return write_str(th, w, v, flag);
    case SHAPE_TUPLE: return write_tuple(th, w, v, flag);
    case SHAPE_LIST: return write_list(th, w, v, flag);
    case SHAPE_DICT: return write_dict(th, w, v, flag);
    case SHAPE_SET: return write_set(th, w, v, MARSHAL_SET | flag);
    case SHAPE_FROZENSET: return write_set(th, w, v, MARSHAL_FROZENSET | flag);
    case SHAPE_CODE: return write_code(th, w, v, flag);
    default: return has_buffer(v) ? write_buffer(th, w, v, flag) : unmarshallable(th);
    }
}

static bool
write_value(Thread *th, Writer *w, Value v)
{
    if (w->depth >= MARSHAL_DEPTH_MAX || thread_stack_low(th)) {
        raise_value_error(th, "object too deeply nested to marshal");
        return false;
    }
    w->depth++;
    bool good = write_object(th, w, v);
    w->depth--;
    return good;
}

Value
marshal_dump(Thread *th, Value v, int version)
{
    Writer w = {.version = version};
    Value bytes = NULL;
    if (write_value(th, &w, v))
        bytes = bytes_from(th, w.p, w.n);
    for (size_t i = 0; i < w.kept_count; i++)
        drop(th, w.kept[i]);
    if (w.kept != NULL)
        buffer_free(w.kept);
    if (w.objects != NULL) {
        buffer_free(w.objects);
        buffer_free(w.numbers);
    }
    if (w.p != NULL)
        buffer_free(w.p);
    return bytes;
}
