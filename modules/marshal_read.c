/* marshal_read.c -- bytes to values.
 *
 * The input is not trusted: every size is compared with what is left, every reference with what has
 * been read, and code objects go through code_check().  Data that ends early raises EOFError,
 * other damage ValueError or TypeError.  The reader belongs to one thread.
 */
#include "modules/marshal.h"

#include "base/decimal.h"
#include "core/vm/code.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/model/native.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

typedef struct Reader {
    const uint8_t *p, *end; /* memory; NULL for a file */
    Value file;
    uint8_t *piece;         /* what was read from the file last */
    size_t piece_capacity;
    int depth;
    Value *refs;            /* [i] is NULL while object i is being read */
    size_t ref_count, ref_capacity;
} Reader;

/* A new reference; NULL without exception for the code of "no value". */
static Value read_value(Thread *th, Reader *r);

/* -- bytes -- */

static COLD void *
raise_eof(Thread *th, const char *message)
{
    return raise_error(th, &exc_EOFError, "%s", message);
}

static COLD void *
bad_data(Thread *th, const char *what)
{
    return raise_value_error(th, "bad marshal data (%s)", what);
}

static bool
piece_reserve(Thread *th, Reader *r, size_t n)
{
    if (n <= r->piece_capacity)
        return true;
    uint8_t *p = r->piece ? buffer_resize(th, r->piece, n) : buffer_new(th, n);
    if (p == NULL)
        return false;
    r->piece = p;
    r->piece_capacity = n;
    return true;
}

/* Reads n bytes of the file into r->piece. */
static bool
read_file(Thread *th, Reader *r, size_t n)
{
    enum { STEP = 1 << 20 };
    for (size_t done = 0; done < n;) {
        size_t want = n - done < STEP ? n - done : STEP;
        if (!piece_reserve(th, r, done + want))
            return false;
        memset(r->piece + done, 0, want);
        Value space = bytearray_from(th, r->piece + done, want);
        if (space == NULL)
            return false;
        Value count = call_method_1(th, r->file, NAME(readinto), space);
        int64_t got = 0;
        bool good = count != NULL && (count == NONE || arg_ssize(th, count, &got));
        drop_null(th, count);
        if (good && got > (int64_t)want) {
            raise_value_error(
                th, "read() returned too much data: %zu bytes requested, %lld returned", want,
                (long long)got);
            good = false;
        }
        Buffer b;
        if (good && buffer_lend(th, space, &b, BUFFER_SIMPLE)) {
            if (got < (int64_t)want || b.length < (int64_t)want) {
                raise_eof(th, "EOF read where not expected");
                good = false;
            } else
                memcpy(r->piece + done, b.data, want);
            buffer_release(th, &b);
        } else
            good = false;
        drop(th, space);
        if (!good)
            return false;
        done += want;
    }
    return true;
}

/* n bytes, valid until more is read. */
static const uint8_t *
take(Thread *th, Reader *r, size_t n)
{
    static const uint8_t nothing[1];
    if (r->p == NULL) {
        if (n == 0)
            return nothing;
        return read_file(th, r, n) ? r->piece : NULL;
    }
    if ((size_t)(r->end - r->p) < n)
        return raise_eof(th, "marshal data too short");
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

static bool
take_byte(Thread *th, Reader *r, uint8_t *out)
{
    if (r->p != NULL) {
        if (r->p == r->end) {
            raise_eof(th, "EOF read where not expected");
            return false;
        }
        *out = *r->p++;
        return true;
    }
    if (!read_file(th, r, 1))
        return false;
    *out = r->piece[0];
    return true;
}

static uint64_t
number_at(const uint8_t *p, int bytes)
{
    uint64_t n = 0;
    for (int i = bytes; i-- > 0;)
        n = n << 8 | p[i];
    return n;
}

static bool
take_u32(Thread *th, Reader *r, uint32_t *out)
{
    const uint8_t *p = take(th, r, 4);
    if (p == NULL)
        return false;
    *out = (uint32_t)number_at(p, 4);
    return true;
}

/* A size that is not negative; `what` names what is too large. */
static bool
take_size(Thread *th, Reader *r, const char *what, size_t *out)
{
    uint32_t n;
    if (!take_u32(th, r, &n))
        return false;
    if (n > INT32_MAX) {
        bad_data(th, what);
        return false;
    }
    *out = n;
    return true;
}

/* -- references -- */

/* Gives the next number to an object that is about to be read. */
static bool
ref_reserve(Thread *th, Reader *r, bool flagged, size_t *index)
{
    *index = SIZE_MAX;
    if (!flagged)
        return true;
    if (r->ref_count == r->ref_capacity) {
        size_t capacity = r->ref_capacity ? r->ref_capacity * 2 : 32;
        Value *refs = r->refs ? buffer_resize(th, r->refs, capacity * sizeof(Value))
                              : buffer_new(th, capacity * sizeof(Value));
        if (refs == NULL)
            return false;
        r->refs = refs;
        r->ref_capacity = capacity;
    }
    *index = r->ref_count;
    r->refs[r->ref_count++] = NULL;
    return true;
}

/* Object `index` is known now. */
static Value
ref_set(Thread *th, Reader *r, size_t index, Value v)
{
    if (v != NULL && index != SIZE_MAX)
        r->refs[index] = retain(th, v);
    return v;
}

static Value
read_ref(Thread *th, Reader *r)
{
    uint32_t i;
    if (!take_u32(th, r, &i))
        return NULL;
    if (i >= r->ref_count || r->refs[i] == NULL)
        return bad_data(th, "invalid reference");
    return retain(th, r->refs[i]);
}

/* -- numbers and text -- */

static Value
read_long(Thread *th, Reader *r)
{
    uint32_t word;
    if (!take_u32(th, r, &word))
        return NULL;
    int64_t count = (int32_t)word;
    bool negative = count < 0;
    size_t n = (size_t)(negative ? -count : count);
    if (count == INT32_MIN)
        return bad_data(th, "long size out of range");
    if (n == 0)
        return value_from_fixnum(0);
    const uint8_t *p = take(th, r, n * 2);
    if (p == NULL)
        return NULL;
    if (p[n * 2 - 1] == 0 && p[n * 2 - 2] == 0)
        return bad_data(th, "unnormalized long data");
    size_t size = n * 15 / 8 + 4;
    uint8_t *bytes = buffer_new_zeroed(th, size);
    if (bytes == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        uint32_t digit = (uint32_t)number_at(p + 2 * i, 2);
        if (digit >> 15) {
            buffer_free(bytes);
            return bad_data(th, "digit out of range in long");
        }
        size_t at = i * 15 / 8;
        digit <<= i * 15 % 8;
        bytes[at] |= (uint8_t)digit;
        bytes[at + 1] |= (uint8_t)(digit >> 8);
        bytes[at + 2] |= (uint8_t)(digit >> 16);
    }
    Value v = int_from_bytes(th, bytes, size, true, false);
    buffer_free(bytes);
    if (v != NULL && negative) {
        Value positive = v;
        v = int_negative(th, positive);
        drop(th, positive);
    }
    return v;
}

static bool
read_double(Thread *th, Reader *r, double *out)
{
    const uint8_t *p = take(th, r, 8);
    if (p == NULL)
        return false;
    uint64_t bits = number_at(p, 8);
    memcpy(out, &bits, 8);
    return true;
}

static bool
read_double_text(Thread *th, Reader *r, double *out)
{
    uint8_t n;
    if (!take_byte(th, r, &n))
        return false;
    const uint8_t *p = take(th, r, n);
    if (p == NULL)
        return false;
    Value text = str_from_latin1(th, p, n);
    Value f = text ? float_from_str(th, text) : NULL;
    drop_null(th, text);
    if (f == NULL)
        return false;
    *out = float_value(f);
    drop(th, f);
    return true;
}

static Value
read_complex(Thread *th, Reader *r, bool text)
{
    double x, y;
    if (text ? !read_double_text(th, r, &x) || !read_double_text(th, r, &y)
             : !read_double(th, r, &x) || !read_double(th, r, &y))
        return NULL;
    return complex_from(th, x, y);
}

static Value
read_ascii(Thread *th, Reader *r, size_t n, bool interned)
{
    const uint8_t *p = take(th, r, n);
    if (p == NULL)
        return NULL;
    Value s = str_from_latin1(th, p, n);
    return s != NULL && interned ? str_intern(th, s) : s;
}

static Value
read_utf8(Thread *th, Reader *r, bool interned)
{
    size_t n;
    if (!take_size(th, r, "string size out of range", &n))
        return NULL;
    const uint8_t *p = take(th, r, n);
    if (p == NULL)
        return NULL;
    Value s = str_decode_utf8(th, p, n, "surrogatepass", NULL);
    return s != NULL && interned ? str_intern(th, s) : s;
}

static Value
read_bytes(Thread *th, Reader *r)
{
    size_t n;
    if (!take_size(th, r, "bytes object size out of range", &n))
        return NULL;
    const uint8_t *p = take(th, r, n);
    return p ? bytes_from(th, p, n) : NULL;
}

/* -- containers -- */

/* A value that must be there. */
static Value
read_item(Thread *th, Reader *r, const char *where)
{
    Value v = read_value(th, r);
    if (v == NULL && !error_set(th))
        return raise_type_error(th, "NULL object in marshal data for %s", where);
    return v;
}

/* Whether n items can follow at all: each takes a byte. */
static bool
plausible(Thread *th, Reader *r, size_t n)
{
    if (r->p == NULL || (size_t)(r->end - r->p) >= n)
        return true;
    raise_eof(th, "EOF read where object expected");
    return false;
}

static Value
read_tuple(Thread *th, Reader *r, size_t n, size_t index)
{
    if (!plausible(th, r, n))
        return NULL;
    /* The tuple may be referred to by its own items: until they are read they are None. */
    Value tuple = tuple_new(th, n);
    if (tuple == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        tuple_init_item(tuple, (int64_t)i, NONE);
    ref_set(th, r, index, tuple);
    for (size_t i = 0; i < n; i++) {
        Value item = read_item(th, r, "tuple");
        if (item == NULL) {
            drop(th, tuple);
            return NULL;
        }
        tuple_init_item(tuple, (int64_t)i, item);
    }
    return tuple;
}

static Value
read_list(Thread *th, Reader *r, size_t index)
{
    size_t n;
    if (!take_size(th, r, "list size out of range", &n) || !plausible(th, r, n))
        return NULL;
    Value list = list_new(th, r->p != NULL ? n : 0);
    if (list == NULL)
        return NULL;
    ref_set(th, r, index, list);
    for (size_t i = 0; i < n; i++) {
        Value item = read_item(th, r, "list");
        if (item == NULL || !list_append_steal(th, list, item)) {
            drop(th, list);
            return NULL;
        }
    }
    return list;
}

static Value
read_dict(Thread *th, Reader *r, size_t index)
{
    Value dict = dict_new(th);
    if (dict == NULL)
        return NULL;
    ref_set(th, r, index, dict);
    Value key;
    while ((key = read_value(th, r)) != NULL) {
        Value v = read_value(th, r);
        if (v == NULL) {
            drop(th, key);
            break;
        }
        if (!dict_set_steal(th, dict, key, v))
            break;
    }
    if (error_set(th)) {
        drop(th, dict);
        return NULL;
    }
    return dict;
}

static Value
read_set(Thread *th, Reader *r, bool frozen, size_t index)
{
    size_t n;
    if (!take_size(th, r, "set size out of range", &n) || !plausible(th, r, n))
        return NULL;
    Value set = set_new(th);
    if (set == NULL)
        return NULL;
    if (!frozen)
        ref_set(th, r, index, set);
    for (size_t i = 0; i < n; i++) {
        Value item = read_item(th, r, "set");
        bool good = item != NULL && set_add(th, set, item);
        drop_null(th, item);
        if (!good) {
            drop(th, set);
            return NULL;
        }
    }
    if (!frozen)
        return set;
    Value result = frozenset_from(th, set);
    drop(th, set);
    return ref_set(th, r, index, result);
}

/* -- code -- */

/* A copy of n items of `bytes` bytes each; freed by the caller. */
static void *
take_array(Thread *th, Reader *r, size_t n, size_t bytes)
{
    const uint8_t *p = take(th, r, n * bytes);
    if (p == NULL)
        return NULL;
    uint8_t *copy = buffer_new(th, n * bytes + 8);
    if (copy == NULL)
        return NULL;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(copy, p, n * bytes);
#else
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < bytes; k++)
            copy[i * bytes + k] = p[i * bytes + bytes - 1 - k];
#endif
    return copy;
}

static bool
read_typed(Thread *th, Reader *r, Value *out, bool (*is_type_of)(Value), const char *what)
{
    *out = read_item(th, r, "code object");
    if (*out == NULL)
        return false;
    if (is_type_of(*out))
        return true;
    bad_data(th, what);
    return false;
}

static bool is_exact_tuple(Value v) { return is_exact(v, SHAPE_TUPLE); }
static bool is_exact_str(Value v) { return is_exact(v, SHAPE_STR); }

/* A tuple of names, interned: a new one in its place. */
static bool
intern_names(Thread *th, Value *names)
{
    int64_t n = tuple_length(*names);
    Value t = n ? tuple_new(th, (size_t)n) : retain(th, tuple_empty);
    for (int64_t i = 0; t != NULL && i < n; i++) {
        Value name = tuple_item(*names, i);
        if (!is_exact_str(name)) {
            DROP_CLEAR(th, t);
            bad_data(th, "code object");
            break;
        }
        Value s = str_intern(th, retain(th, name));
        if (s == NULL)
            DROP_CLEAR(th, t);
        else
            tuple_init_item(t, i, s);
    }
    if (t == NULL)
        return false;
    drop(th, *names);
    *names = t;
    return true;
}

static Value
read_code(Thread *th, Reader *r, size_t index)
{
    uint32_t numbers[16];
    void *arrays[7] = {NULL};
    Value values[6] = {NULL}, code = NULL;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (!take_u32(th, r, &numbers[i]))
            return NULL;
    uint32_t instr_count = numbers[0], temp_base = numbers[2], live_sets = numbers[12],
             live_count = numbers[13], exception_count = numbers[14], position_size = numbers[15];
    const struct {
        size_t n, bytes;
    } shapes[] = {
        {instr_count, 8},          {temp_base, 1},          {instr_count, 2},
        {live_sets ? (size_t)live_sets + 1 : 0, 4}, {live_count, 2},
        {(size_t)exception_count * 4, 4},           {position_size, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if ((arrays[i] = take_array(th, r, shapes[i].n, shapes[i].bytes)) == NULL)
            goto end;
    static bool (*const kinds[])(Value) = {is_exact_tuple, is_exact_tuple, is_exact_tuple,
                                           is_exact_str,   is_exact_str,   is_exact_str};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (!read_typed(th, r, &values[i], kinds[i], "code object"))
            goto end;
    if (!intern_names(th, &values[1]) || !intern_names(th, &values[2]))
        goto end;
    const uint32_t *starts = arrays[3];
    if (live_sets != 0 && starts[live_sets] != live_count) {
        bad_data(th, "code object");
        goto end;
    }
    const CodeInit init = {
        .instrs = arrays[0],
        .instr_count = instr_count,
        .register_count = numbers[1],
        .temp_base = temp_base,
        .flags = numbers[3],
        .arg_count = numbers[4],
        .posonly_count = numbers[5],
        .kwonly_count = numbers[6],
        .local_count = numbers[7],
        .cell_count = numbers[8],
        .free_count = numbers[9],
        .first_line = numbers[10],
        .self_attr_count = numbers[11],
        .const_tuple = values[0],
        .name_tuple = values[1],
        .var_names = values[2],
        .var_kinds = arrays[1],
        .name = values[3],
        .qualname = values[4],
        .filename = values[5],
        .live_index = arrays[2],
        .live_start = arrays[3],
        .live_registers = arrays[4],
        .live_sets = live_sets,
        .exceptions = arrays[5],
        .exception_count = exception_count,
        .position_table = arrays[6],
        .position_table_size = position_size,
    };
    CodeFault fault;
    if (code_check(&init, &fault))
        code = ref_set(th, r, index, code_new(th, &init));
    else if (fault.no_memory)
        raise_memory(th);
    else
        raise_value_error(th, "bad marshal data (code object: %s)", fault.what);
end:
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
        if (arrays[i] != NULL)
            buffer_free(arrays[i]);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        drop_null(th, values[i]);
    return code;
}

/* -- any value -- */

static Value
read_coded(Thread *th, Reader *r, uint8_t code, size_t index)
{
    uint32_t word;
    uint8_t byte;
    size_t n;
    double d;
    const uint8_t *p;
    switch (code) {
    case MARSHAL_INT:
        return take_u32(th, r, &word) ? value_from_fixnum((int32_t)word) : NULL;
    case MARSHAL_INT64:
        p = take(th, r, 8);
        return p ? int_from_i64(th, (int64_t)number_at(p, 8)) : NULL;
    case MARSHAL_LONG:
        return read_long(th, r);
    case MARSHAL_FLOAT:
        return read_double(th, r, &d) ? float_from(th, d) : NULL;
    case MARSHAL_FLOAT_TEXT:
        return read_double_text(th, r, &d) ? float_from(th, d) : NULL;
    case MARSHAL_COMPLEX:
    case MARSHAL_COMPLEX_TEXT:
        return read_complex(th, r, code == MARSHAL_COMPLEX_TEXT);
    case MARSHAL_BYTES:
        return read_bytes(th, r);
    case MARSHAL_ASCII:
    case MARSHAL_ASCII_INTERNED:
        if (!take_size(th, r, "string size out of range", &n))
            return NULL;
        return read_ascii(th, r, n, code == MARSHAL_ASCII_INTERNED);
    case MARSHAL_SHORT_ASCII:
    case MARSHAL_SHORT_ASCII_INTERNED:
        if (!take_byte(th, r, &byte))
            return NULL;
        return read_ascii(th, r, byte, code == MARSHAL_SHORT_ASCII_INTERNED);
    case MARSHAL_UNICODE:
    case MARSHAL_INTERNED:
        return read_utf8(th, r, code == MARSHAL_INTERNED);
    case MARSHAL_FROZENSET:
        return read_set(th, r, true, index);
    case MARSHAL_SET:
        return read_set(th, r, false, index);
    case MARSHAL_CODE:
        return read_code(th, r, index);
    case MARSHAL_SMALL_TUPLE:
        return take_byte(th, r, &byte) ? read_tuple(th, r, byte, index) : NULL;
    case MARSHAL_TUPLE:
        return take_size(th, r, "tuple size out of range", &n) ? read_tuple(th, r, n, index) : NULL;
    case MARSHAL_LIST:
        return read_list(th, r, index);
    case MARSHAL_DICT:
        return read_dict(th, r, index);
    default:
        return bad_data(th, "unknown type code");
    }
}

static Value
read_value(Thread *th, Reader *r)
{
    uint8_t code;
    if (r->depth > MARSHAL_DEPTH_MAX || thread_stack_low(th))
        return raise_value_error(th, "recursion limit exceeded");
    if (r->p != NULL && r->p == r->end)
        return raise_eof(th, "EOF read where object expected");
    if (!take_byte(th, r, &code))
        return NULL;
    bool flagged = code & MARSHAL_FLAG_REF;
    code &= ~MARSHAL_FLAG_REF;
    switch (code) {
    case MARSHAL_NULL: return NULL;
    case MARSHAL_NONE: return NONE;
    case MARSHAL_TRUE: return TRUE;
    case MARSHAL_FALSE: return FALSE;
    case MARSHAL_ELLIPSIS: return ELLIPSIS;
    case MARSHAL_STOP_ITERATION: return retain(th, value_of_type(&exc_StopIteration));
    case MARSHAL_REF: return read_ref(th, r);
    default: break;
    }
    size_t index;
    if (!ref_reserve(th, r, flagged, &index))
        return NULL;
    r->depth++;
    Value v = read_coded(th, r, code, index);
    r->depth--;
    if (v != NULL && index != SIZE_MAX && r->refs[index] == NULL)
        ref_set(th, r, index, v);
    return v;
}

/* Reads one value and gives back what the reader holds. */
static Value
read_all(Thread *th, Reader *r)
{
    Value v = read_item(th, r, "object");
    for (size_t i = 0; i < r->ref_count; i++)
        drop_null(th, r->refs[i]);
    if (r->refs != NULL)
        buffer_free(r->refs);
    if (r->piece != NULL)
        buffer_free(r->piece);
    return v;
}

Value
marshal_load(Thread *th, const uint8_t *p, size_t n)
{
    static const uint8_t nothing[1];
    Reader r = {.p = n ? p : nothing, .end = n ? p + n : nothing};
    return read_all(th, &r);
}

Value
marshal_load_file(Thread *th, Value file)
{
    Reader r = {.file = file};
    return read_all(th, &r);
}
