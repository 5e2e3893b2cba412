/* bytes.c -- bytes: creation, comparison, hash, subscripts, and the type.
 *
 * A published bytes never changes.  The empty one and those of length 1 are static.
 */
#include "objects/text/bytes_priv.h"

#include "objects/model/names.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

#define BYTES_OFFSET offsetof(Bytes, data)
#define BYTES_MAX_LENGTH ((size_t)1 << 60)

typedef struct StaticBytes {
    union {
        Bytes b;
        char space[BYTES_OFFSET + 16];
    };
} StaticBytes __attribute__((aligned(16)));

static StaticBytes single[256];
static StaticBytes empty;
Value bytes_empty;

bool
bytes_static_init(void)
{
    struct Object head = STATIC_OBJECT(SHAPE_BYTES);
    for (int i = 0; i < 256; i++) {
        single[i].b.head = head;
        single[i].b.length = 1;
        single[i].b.data[0] = (uint8_t)i;
    }
    empty.b.head = head;
    bytes_empty = value_of(&empty);
    return true;
}

Value
bytes_char(uint8_t c)
{
    return value_of(&single[c]);
}

Value
bytes_new(Thread *th, size_t n)
{
    if (n == 0) {
        return bytes_empty;
    }
    if (UNLIKELY(n > BYTES_MAX_LENGTH)) {
        return raise_memory(th);
    }
    Object *o = object_new_kind(th, SHAPE_BYTES, BYTES_OFFSET + n + 1, false);
    if (UNLIKELY(o == NULL)) {
        return NULL;
    }
    Bytes *b = (Bytes *)(void *)o;
    b->length = (int64_t)n;
    b->data[n] = 0;
    return value_of(b);
}

Value
bytes_from(Thread *th, const void *p, size_t n)
{
    if (n <= 1) {
        return n == 0 ? bytes_empty : bytes_char(*(const uint8_t *)p);
    }
    Value v = bytes_new(th, n);
    if (LIKELY(v != NULL)) {
        copy_bytes(as_bytes(v)->data, p, n);
    }
    return v;
}

Value
bytes_resize(Thread *th, Value STEALS v, size_t n)
{
    Bytes *b = as_bytes(v);
    if ((size_t)b->length == n) {
        return v;
    }
    if (n > 0 && v != bytes_empty && object_cell_size(&b->head) >= BYTES_OFFSET + n + 1 &&
        object_cell_size(&b->head) / 4 <= BYTES_OFFSET + n) {
        b->length = (int64_t)n; /* not published: nobody else looks */
        b->data[n] = 0;
        return v;
    }
    Value fresh = bytes_new(th, n);
    if (fresh != NULL && n > 0) {
        size_t keep = (size_t)b->length < n ? (size_t)b->length : n;
        memcpy(as_bytes(fresh)->data, b->data, keep);
    }
    drop(th, v);
    return fresh;
}

Value
bytes_or_bytearray(Thread *th, bool make_bytearray, const void *p, size_t n)
{
    return make_bytearray ? bytearray_from(th, p, n) : bytes_from(th, p, n);
}

/* -- arguments -- */

bool
byte_arg(Thread *th, Value v, ByteArg *out)
{
    out->pinned = false;
    if (LIKELY(is_exact(v, SHAPE_BYTES))) {
        out->p = as_bytes(v)->data;
        out->n = (size_t)as_bytes(v)->length;
        return true;
    }
    if (!has_buffer(v)) {
        raise_type_error(th, "a bytes-like object is required, not '%T'", v);
        return false;
    }
    if (!buffer_read(th, v, &out->buffer, BUFFER_SIMPLE)) {
        return false;
    }
    out->pinned = true;
    out->p = out->buffer.data;
    out->n = (size_t)out->buffer.length;
    return true;
}

bool
byte_arg_or_int(Thread *th, Value v, ByteArg *out)
{
    out->pinned = false;
    if (!has_buffer(v)) {
        if (!is_int(v) && SLOT(type_of(v), index) == NULL) {
            raise_type_error(th, "argument should be integer or bytes-like object, not '%T'", v);
            return false;
        }
        if (!byte_value(th, v, &out->byte)) {
            return false;
        }
        out->p = &out->byte;
        out->n = 1;
        return true;
    }
    return byte_arg(th, v, out);
}

/* YES: *out is the byte; NO: the int is no byte; FAILED: no int. */
static Answer
as_byte(Thread *th, Value v, uint8_t *out)
{
    if (LIKELY(value_is_fixnum(v))) {
        int64_t n = value_fixnum(v);
        *out = (uint8_t)n;
        return n >= 0 && n <= 255 ? YES : NO;
    }
    Value index = to_index(th, v);
    if (index == NULL) {
        return FAILED;
    }
    int64_t n;
    bool good = int_fits_i64(index, &n) && n >= 0 && n <= 255;
    drop(th, index);
    *out = good ? (uint8_t)n : 0;
    return good ? YES : NO;
}

bool
byte_value(Thread *th, Value v, uint8_t *out)
{
    Answer answer = as_byte(th, v, out);
    if (answer == NO) {
        raise_value_error(th, "byte must be in range(0, 256)");
    }
    return answer == YES;
}

/* -- construction -- */

bool
bytes_collect(Thread *th, Value iterable, const char *range_message, uint8_t **p, size_t *n)
{
    bool is_list = is_exact(iterable, SHAPE_LIST);
    Value it = is_list ? retain(th, iterable) : get_iter(th, iterable);
    if (it == NULL) {
        return false;
    }
    size_t count = 0, capacity = 64;
    int64_t hint = length_hint(th, iterable, 64);
    if (hint < 0) {
        drop(th, it);
        return false;
    }
    if ((uint64_t)hint > capacity && (uint64_t)hint < (1u << 30)) {
        capacity = (size_t)hint;
    }
    uint8_t *data = mem_alloc(capacity);
    bool good = data != NULL;
    if (!good) {
        raise_memory(th);
    }
    while (good) {
        /* Of a list as its iterator would give it. */
        Value item = is_list ? list_get(th, it, (int64_t)count) : iter_next(th, it);
        if (item == NULL) {
            good = !error_set(th);
            break;
        }
        if (is_list && UNLIKELY((count & 1023) == 1023) && !safepoint_poll(th)) {
            drop(th, item);
            good = false;
            break;
        }
        uint8_t byte;
        Answer answer = as_byte(th, item, &byte);
        drop(th, item);
        if (answer != YES) {
            if (answer == NO) {
                raise_value_error(th, "%s", range_message);
            }
            good = false;
            break;
        }
        if (count == capacity) {
            uint8_t *grown = mem_resize(data, capacity * 2);
            if (grown == NULL) {
                raise_memory(th);
                good = false;
                break;
            }
            data = grown;
            capacity *= 2;
        }
        data[count++] = byte;
    }
    drop(th, it);
    if (!good) {
        mem_free(data);
        return false;
    }
    *p = data;
    *n = count;
    return true;
}

static Value
from_iterable(Thread *th, Value v)
{
    uint8_t *p;
    size_t n;
    if (!bytes_collect(th, v, "bytes must be in range(0, 256)", &p, &n)) {
        return NULL;
    }
    Value bytes = bytes_from(th, p, n);
    mem_free(p);
    return bytes;
}

Value
bytes_from_value(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_BYTES)) {
        return retain(th, v);
    }
    if (has_buffer(v)) {
        Buffer b;
        if (!buffer_get(th, v, &b, BUFFER_FULL_RO)) {
            return NULL;
        }
        Value bytes = buffer_to_bytes(th, &b);
        buffer_release(th, &b);
        return bytes;
    }
    if (is_str(v) || (SLOT(type_of(v), iter) == NULL && SLOT(type_of(v), item) == NULL &&
                      SLOT(type_of(v), getitem) == NULL)) {
        return raise_type_error(th, "cannot convert '%T' object to bytes", v);
    }
    return from_iterable(th, v);
}

Answer
bytes_source_encoded(Thread *th, Value source, Value encoding, Value errors,
                     const char *type_name, Value *out)
{
    const char *text[2] = {NULL, NULL};
    Value given[2] = {encoding, errors};
    for (int i = 0; i < 2; i++) {
        if (given[i] == NULL) {
            continue;
        }
        if (!is_str(given[i])) {
            raise_type_error(th, "%s() argument '%s' must be str, not %B", type_name,
                             i == 0 ? "encoding" : "errors", given[i]);
            return FAILED;
        }
        if ((text[i] = str_c(th, given[i])) == NULL) {
            return FAILED;
        }
    }
    if (source != NULL && is_str(source)) {
        if (encoding == NULL) {
            raise_type_error(th, "string argument without an encoding");
            return FAILED;
        }
        *out = str_encode(th, source, text[0], text[1]);
        return *out == NULL ? FAILED : YES;
    }
    if (encoding != NULL || errors != NULL) {
        raise_type_error(th, "%s without a string argument",
                         encoding != NULL ? "encoding" : "errors");
        return FAILED;
    }
    return NO;
}

/* bytes(source) of what is no str and has no encoding. */
static Value
from_source(Thread *th, Value source)
{
    bool missing = false;
    Value v = call_special(th, source, NAME(__bytes__), NULL, 0, &missing);
    if (!missing) {
        if (v != NULL && !is_bytes(v)) {
            raise_type_error(th, "__bytes__ returned non-bytes (type %T)", v);
            DROP_CLEAR(th, v);
        }
        return v;
    }
    if (is_str(source)) {
        return raise_type_error(th, "string argument without an encoding");
    }
    if (is_int(source) || SLOT(type_of(source), index) != NULL) {
        int64_t n;
        if (to_ssize(th, source, &n, &exc_OverflowError)) {
            if (n < 0) {
                return raise_value_error(th, "negative count");
            }
            Value bytes = bytes_new(th, (size_t)n);
            if (bytes != NULL && n > 0) {
                memset(as_bytes(bytes)->data, 0, (size_t)n);
            }
            return bytes;
        }
        if (!error_matches(th, &exc_TypeError)) {
            return NULL;
        }
        error_clear(th);
    }
    return bytes_from_value(th, source);
}

static Value
subclass_copy(Thread *th, Type *type, Value bytes)
{
    size_t n = (size_t)as_bytes(bytes)->length;
    Value v = type_alloc(th, type, n + 1);
    if (v != NULL) {
        as_bytes(v)->length = (int64_t)n;
        memcpy(as_bytes(v)->data, as_bytes(bytes)->data, n + 1);
    }
    return v;
}

static Value
new_slot(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "bytes", .names = {"source", "encoding", "errors"}, .positional = 3};
    Value v[3] = {NULL, NULL, NULL}, bytes;
    if (nargs == 1 && kwnames == NULL) {
        v[0] = arg(args, 0);
    } else if (!args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    Answer encoded = NO;
    if (v[1] != NULL || v[2] != NULL) {
        encoded = bytes_source_encoded(th, v[0], v[1], v[2], "bytes", &bytes);
    }
    if (encoded == FAILED) {
        return NULL;
    }
    if (encoded == NO) {
        bytes = v[0] == NULL ? bytes_empty : from_source(th, v[0]);
    }
    if (bytes == NULL || type == &bytes_type) {
        return bytes;
    }
    Value result = subclass_copy(th, type, bytes);
    drop(th, bytes);
    return result;
}

/* -- slots -- */

static bool
hash_slot(Thread *th, Value self, int64_t *hash)
{
    (void)th;
    Bytes *b = as_bytes(self);
    int64_t h = load_relaxed(&b->hash); /* every thread computes the same */
    if (h == 0) {
        h = bytes_hash_of(b->data, (size_t)b->length);
        store_relaxed(&b->hash, h);
    }
    *hash = h;
    return true;
}

static int
compare_views(ByteView a, ByteView b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return order != 0 ? (order < 0 ? -1 : 1) : a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static Value
ordered(int order, int op)
{
    switch (op) {
    case OP_EQ: return bool_from(order == 0);
    case OP_NE: return bool_from(order != 0);
    case OP_LT: return bool_from(order < 0);
    case OP_LE: return bool_from(order <= 0);
    case OP_GT: return bool_from(order > 0);
    default: return bool_from(order >= 0);
    }
}

Value
bytes_compare(Thread *th, Value a, Value b, int op)
{
    if ((is_bytes(a) || is_bytearray(a)) && (is_bytes(b) || is_bytearray(b))) {
        return ordered(compare_views(byte_glance(th, a), byte_glance(th, b)), op);
    }
    return NOT_IMPLEMENTED;
}

bool
bytes_compare_warning(Thread *th, Value a, Value b, int op)
{
    if (LIKELY(th->interp->bytes_warning == 0) || (op != OP_EQ && op != OP_NE))
        return true;
    const char *other = is_str(a) || is_str(b) ? "string" : is_int(a) || is_int(b) ? "int" : NULL;
    return other == NULL || warn(th, &exc_BytesWarning, 1, "Comparison between bytes and %s", other);
}

/* bytes compares with bytes only; the other side knows the rest. */
static Value
compare_slot(Thread *th, Value a, Value b, int op)
{
    if (!is_bytes(a) || !is_bytes(b)) {
        return bytes_compare_warning(th, a, b, op) ? NOT_IMPLEMENTED : NULL;
    }
    if (a == b) {
        return ordered(0, op);
    }
    if ((op == OP_EQ || op == OP_NE) && as_bytes(a)->length != as_bytes(b)->length) {
        return bool_from(op == OP_NE);
    }
    return ordered(compare_views(byte_glance(th, a), byte_glance(th, b)), op);
}

static int64_t
length_slot(Thread *th, Value self)
{
    (void)th;
    return as_bytes(self)->length;
}

static Value
item_slot(Thread *th, Value self, int64_t i)
{
    if (UNLIKELY(i < 0 || i >= as_bytes(self)->length)) {
        return raise_error(th, &exc_IndexError, "index out of range");
    }
    return value_from_fixnum(as_bytes(self)->data[i]);
}

static Value
getitem_slot(Thread *th, Value self, Value key)
{
    Bytes *b = as_bytes(self);
    int64_t i;
    if (LIKELY(value_is_fixnum(key))) {
        i = value_fixnum(key);
    } else if (is_exact(key, SHAPE_SLICE)) {
        int64_t start, stop, step;
        if (slice_simple(key, b->length, &start, &stop)) {
            if (stop - start == b->length && is_exact(self, SHAPE_BYTES)) {
                return retain(th, self);
            }
            return bytes_from(th, b->data + start, (size_t)(stop - start));
        }
        if (!slice_unpack(th, key, &start, &stop, &step)) {
            return NULL;
        }
        int64_t count = slice_adjust(b->length, &start, &stop, step);
        if (count <= 0) {
            return bytes_empty;
        }
        if (step == 1) {
            if (count == b->length && is_exact(self, SHAPE_BYTES)) {
                return retain(th, self);
            }
            return bytes_from(th, b->data + start, (size_t)count);
        }
        Value v = bytes_new(th, (size_t)count);
        for (int64_t k = 0; v != NULL && k < count; k++) {
            as_bytes(v)->data[k] = b->data[start + k * step];
        }
        return v;
    } else {
        if (!is_int(key) && SLOT(type_of(key), index) == NULL) {
            return raise_type_error(th, "byte indices must be integers or slices, not %T", key);
        }
        if (!to_ssize(th, key, &i, &exc_IndexError)) {
            return NULL;
        }
    }
    return item_slot(th, self, i < 0 ? i + b->length : i);
}

static Value
concat_slot(Thread *th, Value a, Value b)
{
    if (is_bytes(a) && as_bytes(a)->length == 0 && is_exact(b, SHAPE_BYTES)) {
        return retain(th, b);
    }
    if (is_exact(a, SHAPE_BYTES) && is_exact(b, SHAPE_BYTES) && as_bytes(b)->length == 0) {
        return retain(th, a);
    }
    ByteArg x, y;
    if (!has_buffer(a) || !has_buffer(b)) {
        return raise_type_error(th, "can't concat %T to %T", b, a);
    }
    if (!byte_arg(th, a, &x)) {
        return NULL;
    }
    Value v = NULL;
    if (byte_arg(th, b, &y)) {
        v = bytes_new(th, x.n + y.n);
        if (v != NULL && v != bytes_empty) {
            memcpy(as_bytes(v)->data, x.p, x.n);
            memcpy(as_bytes(v)->data + x.n, y.p, y.n);
        }
        byte_arg_free(th, &y);
    }
    byte_arg_free(th, &x);
    return v;
}

/* Fills `total` bytes with repetitions of the `n` at p. */
static void
fill_repeated(uint8_t *out, const uint8_t *p, size_t n, size_t total)
{
    if (n == 1) {
        memset(out, p[0], total);
        return;
    }
    memcpy(out, p, n);
    for (size_t done = n; done < total;) {
        size_t step = done < total - done ? done : total - done;
        memcpy(out + done, out, step);
        done += step;
    }
}

Value
bytes_repeat_of(Thread *th, ByteView b, int64_t n, bool make_bytearray)
{
    size_t total = 0;
    if (n > 0 && b.n > 0) {
        if ((uint64_t)n > BYTES_MAX_LENGTH / b.n) {
            return raise_memory(th);
        }
        total = b.n * (size_t)n;
    }
    uint8_t *data;
    Value v;
    if (make_bytearray) {
        v = bytearray_new(th, total, &data);
    } else {
        v = bytes_new(th, total);
        data = v == NULL ? NULL : as_bytes(v)->data;
    }
    if (v != NULL && total > 0) {
        fill_repeated(data, b.p, b.n, total);
    }
    return v;
}

static Value
repeat_slot(Thread *th, Value self, int64_t n)
{
    if (n == 1 && is_exact(self, SHAPE_BYTES)) {
        return retain(th, self);
    }
    return bytes_repeat_of(th, byte_view(th, self), n, false);
}

static Value
remainder_slot(Thread *th, Value a, Value b)
{
    if (!is_bytes(a)) {
        return NOT_IMPLEMENTED;
    }
    return bytes_percent_format(th, byte_view(th, a), b, false);
}

/* -- repr -- */

Value
bytes_repr_of(Thread *th, ByteView b, const char *prefix, const char *suffix)
{
    static const char hex[] = "0123456789abcdef";
    bool single_quote = memchr(b.p, '\'', b.n) != NULL;
    uint8_t quote = single_quote && memchr(b.p, '"', b.n) == NULL ? '"' : '\'';
    size_t prefix_size = strlen(prefix), suffix_size = strlen(suffix);
    /* A bytearray escapes single quotes whatever it stands in. */
    uint8_t escaped = suffix_size > 0 ? '\'' : quote;
    size_t size = prefix_size + suffix_size + 3;
    for (size_t i = 0; i < b.n; i++) {
        uint8_t c = b.p[i];
        size += c == escaped || c == '\\' || c == '\t' || c == '\n' || c == '\r' ? 2
                : c < ' ' || c >= 0x7f ? 4 : 1;
    }
    Value v = str_new(th, size, 0x7f);
    if (v == NULL) {
        return NULL;
    }
    uint8_t *out = as_str(v)->data;
    memcpy(out, prefix, prefix_size);
    out += prefix_size;
    *out++ = 'b';
    *out++ = quote;
    for (size_t i = 0; i < b.n; i++) {
        uint8_t c = b.p[i];
        if (c == escaped || c == '\\' || c == '\t' || c == '\n' || c == '\r') {
            *out++ = '\\';
            *out++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
        } else if (c < ' ' || c >= 0x7f) {
            *out++ = '\\';
            *out++ = 'x';
            *out++ = (uint8_t)hex[c >> 4];
            *out++ = (uint8_t)hex[c & 15];
        } else {
            *out++ = c;
        }
    }
    *out++ = quote;
    memcpy(out, suffix, suffix_size);
    return v;
}

static Value
repr_slot(Thread *th, Value self)
{
    return bytes_repr_of(th, byte_view(th, self), "", "");
}

static Value
str_slot(Thread *th, Value self)
{
    if (th->interp->bytes_warning != 0 && !warn(th, &exc_BytesWarning, 1, "str() on a bytes instance"))
        return NULL;
    return repr_slot(th, self);
}

static bool
get_buffer_slot(Thread *th, Value self, Buffer *out, int flags)
{
    return buffer_fill(th, out, self, as_bytes(self)->data, as_bytes(self)->length, true, flags);
}

Type bytes_type;
const TypeSpec bytes_spec = {
    .name = "bytes",
    .size = BYTES_OFFSET,
    .item_size = 1,
    .flags = TYPE_BASE | TYPE_BYTES_SUBCLASS | TYPE_MATCH_SELF,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "bytes(iterable_of_ints) -> bytes\n"
           "bytes(string, encoding[, errors]) -> bytes\n"
           "bytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\n"
           "bytes(int) -> bytes object of that many zero bytes\n"
           "bytes() -> empty bytes object",
    .methods = bytes_method_table,
    .slots = {.repr = repr_slot,
              .str = str_slot,
              .hash = hash_slot,
              .compare = compare_slot,
              .iter = bytes_iter_new,
              .new = new_slot,
              .remainder = remainder_slot,
              .length = length_slot,
              .getitem = getitem_slot,
              .item = item_slot,
              .contains = bytes_contains,
              .concat = concat_slot,
              .repeat = repeat_slot,
              .get_buffer = get_buffer_slot},
};
