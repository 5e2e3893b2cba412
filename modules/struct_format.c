/* struct_format.c -- module _struct: formats compiled, values turned into bytes and back.
 *
 * A compiled format never changes: no locks.  Packing may run Python code (__index__, __bool__,
 * __float__); the caller holds the program and the memory meanwhile.
 */
#include "modules/struct_format.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>

#include "objects/container/container.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#define NATIVE_ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ORDER_LITTLE : ORDER_BIG)

/* -- compiling -- */

/* Bytes of one value and its alignment; 0: no such character. */
static int64_t
code_size(char code, int order, int64_t *align)
{
    int64_t size;
    switch (code) {
    case 'x': case 'b': case 'B': case '?': case 'c': case 's': case 'p':
        size = 1;
        break;
    case 'h': case 'H': case 'e':
        size = 2;
        break;
    case 'i': case 'I': case 'f':
        size = 4;
        break;
    case 'l': case 'L':
        size = order == ORDER_NATIVE ? (int64_t)sizeof(long) : 4;
        break;
    case 'q': case 'Q': case 'd':
        size = 8;
        break;
    case 'n': case 'N': case 'P':
        size = order == ORDER_NATIVE ? (int64_t)sizeof(void *) : 0;
        break;
    default:
        size = 0;
    }
    *align = order == ORDER_NATIVE ? size : 1;
    return size;
}

/* Reads p[0 .. n); fills program->items if `fill`, else only counts them. */
static bool
scan(Thread *th, const char *p, size_t n, StructProgram *program, bool fill)
{
    size_t i = 0;
    int order = ORDER_NATIVE;
    bool aligned = true;
    if (n > 0) {
        switch (p[0]) {
        case '@': i++; break;
        case '=': order = NATIVE_ORDER; aligned = false; i++; break;
        case '<': order = ORDER_LITTLE; aligned = false; i++; break;
        case '>': case '!': order = ORDER_BIG; aligned = false; i++; break;
        default: break;
        }
    }
    int64_t at = 0, values = 0, items = 0;
    while (i < n) {
        char c = p[i++];
        int64_t count = 1, align;
        if (isspace((unsigned char)c))
            continue;
        if (c >= '0' && c <= '9') {
            count = c - '0';
            while (i < n && p[i] >= '0' && p[i] <= '9')
                if (__builtin_mul_overflow(count, 10, &count) ||
                    __builtin_add_overflow(count, p[i++] - '0', &count))
                    goto too_long;
            if (i == n) {
                raise_error(th, &struct_error, "repeat count given without format specifier");
                return false;
            }
            c = p[i++];
        }
        int64_t size = code_size(c, order, &align);
        if (size == 0) {
            raise_error(th, &struct_error, "bad char in struct format");
            return false;
        }
        if (aligned && align > 1) {
            if (__builtin_add_overflow(at, align - 1, &at))
                goto too_long;
            at &= -align;
        }
        bool text = c == 's' || c == 'p';
        if (c != 'x' && (text || count > 0)) {
            if (fill)
                program->items[items] = (StructItem){
                    .code = c,
                    .order = (uint8_t)order,
                    .size = text ? count : size,
                    .offset = at,
                    .count = text ? 1 : count,
                };
            items++;
            if (__builtin_add_overflow(values, text ? 1 : count, &values))
                goto too_long;
        }
        int64_t bytes;
        if (__builtin_mul_overflow(size, count, &bytes) ||
            __builtin_add_overflow(at, bytes, &at))
            goto too_long;
    }
    program->size = at;
    program->values = values;
    program->items_count = items;
    return true;
too_long:
    raise_error(th, &struct_error, "total struct size too long");
    return false;
}

Value
struct_compile(Thread *th, Value format)
{
    Value text;
    if (is_str(format))
        text = str_encode(th, format, "ascii", NULL);
    else if (is_bytes(format))
        text = retain(th, format);
    else
        return raise_type_error(
            th, "Struct() argument 1 must be a str or bytes object, not %T", format);
    if (text == NULL)
        return NULL;
    const char *p = (const char *)as_bytes(text)->data;
    size_t n = (size_t)as_bytes(text)->length;
    StructProgram head;
    Value program = NULL;
    if (memchr(p, 0, n) != NULL)
        raise_error(th, &struct_error, "embedded null character");
    else if (scan(th, p, n, &head, false)) {
        program = bytes_new(th, sizeof(StructProgram) +
                                    (size_t)head.items_count * sizeof(StructItem));
        if (program != NULL &&
            !scan(th, p, n, (StructProgram *)(void *)as_bytes(program)->data, true))
            DROP_CLEAR(th, program);
    }
    drop(th, text);
    return program;
}

/* -- bytes of integers -- */

static inline void
put_integer(uint8_t *p, uint64_t n, int64_t size, int order)
{
    if (order == ORDER_NATIVE)
        order = NATIVE_ORDER;
    if (order == ORDER_LITTLE)
        for (int64_t i = 0; i < size; i++, n >>= 8)
            p[i] = (uint8_t)n;
    else
        for (int64_t i = size; i-- > 0; n >>= 8)
            p[i] = (uint8_t)n;
}

static inline uint64_t
get_integer(const uint8_t *p, int64_t size, int order)
{
    uint64_t n = 0;
    if (order == ORDER_NATIVE)
        order = NATIVE_ORDER;
    if (order == NATIVE_ORDER && size == 8) {
        memcpy(&n, p, 8);
        return n;
    }
    if (order == ORDER_LITTLE)
        for (int64_t i = size; i-- > 0;)
            n = n << 8 | p[i];
    else
        for (int64_t i = 0; i < size; i++)
            n = n << 8 | p[i];
    return n;
}

static inline int64_t
sign_extend(uint64_t n, int64_t size)
{
    int unused = 64 - (int)size * 8;
    return (int64_t)(n << unused) >> unused;
}

/* -- half floats -- */

/* The bits of the half nearest to d; -1 when it is too large. */
static int
half_from_double(double d)
{
    int sign = signbit(d) ? 0x8000 : 0;
    if (isnan(d))
        return sign | 0x7e00;
    if (isinf(d))
        return sign | 0x7c00;
    d = fabs(d);
    if (d >= 65520.0)
        return -1;
    int exponent;
    frexp(d, &exponent);
    if (d == 0.0)
        return sign;
    /* Units of the last place: 2^(exponent - 11), no smaller than 2^-24. */
    int unit = exponent - 11 < -24 ? -24 : exponent - 11;
    int whole = (int)rint(ldexp(d, -unit));
    if (unit == -24)
        return sign | whole; /* subnormal, or carries into the least normal number */
    return sign | (((unit + 24) << 10) + whole);
}

static double
double_from_half(unsigned bits)
{
    int exponent = (int)(bits >> 10) & 0x1f;
    double m = bits & 0x3ff;
    double d;
    if (exponent == 0x1f)
        d = m == 0.0 ? HUGE_VAL : (double)NAN;
    else if (exponent == 0)
        d = ldexp(m, -24);
    else
        d = ldexp(m + 1024.0, exponent - 25);
    return bits & 0x8000 ? -d : d;
}

/* -- packing -- */

/* The int of v, by __index__ if it has to be: a new reference. */
static Value
integer_of(Thread *th, Value v)
{
    if (is_int(v))
        return retain(th, v);
    if (type_of(v)->s.index == NULL)
        return raise_error(th, &struct_error, "required argument is not an integer");
    return to_index(th, v);
}

static COLD bool
raise_out_of_range(Thread *th)
{
    raise_error(th, &struct_error, "argument out of range");
    return false;
}

static COLD bool
raise_too_large(Thread *th)
{
    raise_error(th, &struct_error, "int too large to convert");
    return false;
}

/* Whether the byte order is not the machine's. */
static bool
is_swapped(const StructItem *item)
{
    return item->order != ORDER_NATIVE && item->order != NATIVE_ORDER;
}

static COLD bool
raise_limits(Thread *th, const StructItem *item, int64_t least, uint64_t most)
{
    static const struct {
        char code;
        const char *name;
    } names[] = {{'b', "byte"}, {'B', "ubyte"}, {'h', "short"}, {'H', "ushort"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].code == item->code && (item->size == 1 || !is_swapped(item))) {
            raise_error(th, &struct_error, "%s format requires %lld <= number <= %llu",
                        names[i].name, (long long)least, (unsigned long long)most);
            return false;
        }
    }
    raise_error(th, &struct_error, "'%c' format requires %lld <= number <= %llu", item->code,
                (long long)least, (unsigned long long)most);
    return false;
}

static bool
pack_signed(Thread *th, const StructItem *item, Value v, uint8_t *p)
{
    int64_t n;
    if (value_is_fixnum(v))
        n = value_fixnum(v);
    else {
        Value i = integer_of(th, v);
        if (i == NULL)
            return false;
        bool fits = int_fits_i64(i, &n);
        drop(th, i);
        if (!fits)
            return item->code == 'q' && is_swapped(item) ? raise_too_large(th)
                                                         : raise_out_of_range(th);
    }
    if (item->size < 8) {
        int64_t limit = (int64_t)1 << (item->size * 8 - 1);
        if (n < -limit || n >= limit)
            return raise_limits(th, item, -limit, (uint64_t)limit - 1);
    }
    put_integer(p, (uint64_t)n, item->size, item->order);
    return true;
}

static bool
pack_unsigned(Thread *th, const StructItem *item, Value v, uint8_t *p)
{
    uint64_t most = item->size == 8 ? UINT64_MAX : ((uint64_t)1 << (item->size * 8)) - 1, n;
    Value i = integer_of(th, v);
    if (i == NULL)
        return false;
    bool negative = int_sign(i) < 0, fits = !negative && int_bit_length(i) <= 64;
    n = int_to_u64_wrap(i);
    int64_t as_signed;
    bool fits_signed = int_fits_i64(i, &as_signed);
    drop(th, i);
    /* Small ones of the machine's own order are read as signed numbers first. */
    if (item->size == 1 || (item->size == 2 && !is_swapped(item))) {
        if (!fits_signed)
            return raise_out_of_range(th);
        if (negative || n > most)
            return raise_limits(th, item, 0, most);
    } else if (!fits)
        return item->code == 'Q' && is_swapped(item) ? raise_too_large(th) : raise_out_of_range(th);
    else if (n > most)
        return raise_limits(th, item, 0, most);
    put_integer(p, n, item->size, item->order);
    return true;
}

static bool
pack_pointer(Thread *th, const StructItem *item, Value v, uint8_t *p)
{
    Value i = integer_of(th, v);
    if (i == NULL)
        return false;
    int64_t n;
    bool fits = int_fits_i64(i, &n) || (int_sign(i) > 0 && int_bit_length(i) <= 64);
    uint64_t bits = int_to_u64_wrap(i);
    drop(th, i);
    if (!fits)
        return raise_too_large(th);
    put_integer(p, bits, item->size, item->order);
    return true;
}

static bool
pack_float(Thread *th, const StructItem *item, Value v, uint8_t *p)
{
    double d;
    if (value_is_flonum(v))
        d = float_decode(v);
    else if (!arg_double(th, v, &d)) {
        error_clear(th);
        raise_error(th, &struct_error, "required argument is not a float");
        return false;
    }
    uint64_t bits;
    if (item->code == 'd')
        memcpy(&bits, &d, 8);
    else if (item->code == 'f') {
        float f = (float)d;
        if (isinf(f) && isfinite(d) && item->order != ORDER_NATIVE)
            goto too_large;
        uint32_t word;
        memcpy(&word, &f, 4);
        bits = word;
    } else {
        int half = half_from_double(d);
        if (half < 0)
            goto too_large;
        bits = (uint64_t)half;
    }
    put_integer(p, bits, item->size, item->order);
    return true;
too_large:
    if (is_int(v))
        return raise_too_large(th);
    raise_error(th, &exc_OverflowError, "float too large to pack with %c format", item->code);
    return false;
}

static bool
pack_text(Thread *th, const StructItem *item, Value v, uint8_t *p)
{
    Buffer b;
    if (!is_bytes(v) && !is_bytearray(v)) {
        raise_error(th, &struct_error, "argument for '%c' must be a bytes object", item->code);
        return false;
    }
    if (!buffer_get(th, v, &b, BUFFER_SIMPLE))
        return false;
    int64_t n = b.length, room = item->size;
    if (item->code == 'p') {
        if (room > 0) {
            n = n > room - 1 ? room - 1 : n;
            memcpy(p + 1, b.data, (size_t)n);
            p[0] = (uint8_t)(n > 255 ? 255 : n);
        }
    } else
        memcpy(p, b.data, (size_t)(n > room ? room : n));
    buffer_release(th, &b);
    return true;
}

static bool
pack_one(Thread *th, const StructItem *item, Value v, uint8_t *p)
{
    switch (item->code) {
    case 'b': case 'h': case 'i': case 'l': case 'q': case 'n':
        return pack_signed(th, item, v, p);
    case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N':
        return pack_unsigned(th, item, v, p);
    case 'P':
        return pack_pointer(th, item, v, p);
    case 'e': case 'f': case 'd':
        return pack_float(th, item, v, p);
    case 's': case 'p':
        return pack_text(th, item, v, p);
    case '?': {
        Answer truth = is_true(th, v);
        *p = truth == YES;
        return truth != FAILED;
    }
    default: /* 'c' */
        if (!is_bytes(v) || as_bytes(v)->length != 1) {
            raise_error(th, &struct_error, "char format requires a bytes object of length 1");
            return false;
        }
        *p = as_bytes(v)->data[0];
        return true;
    }
}

bool
struct_pack_values(Thread *th, const StructProgram *program, uint8_t *p, const Arg *args)
{
    memset(p, 0, (size_t)program->size);
    size_t at = 0;
    for (int64_t k = 0; k < program->items_count; k++) {
        const StructItem *item = &program->items[k];
        uint8_t *to = p + item->offset;
        for (int64_t i = 0; i < item->count; i++, to += item->size)
            if (!pack_one(th, item, arg(args, at++), to))
                return false;
    }
    return true;
}

/* -- unpacking -- */

static Value
unpack_one(Thread *th, const StructItem *item, const uint8_t *p)
{
    uint64_t n;
    switch (item->code) {
    case 'b': case 'h': case 'i': case 'l': case 'q': case 'n':
        return int_from_i64(th, sign_extend(get_integer(p, item->size, item->order), item->size));
    case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N': case 'P':
        return int_from_u64(th, get_integer(p, item->size, item->order));
    case '?':
        return bool_from(*p != 0);
    case 'c':
        return bytes_from(th, p, 1);
    case 's':
        return bytes_from(th, p, (size_t)item->size);
    case 'p': {
        int64_t length = item->size > 0 ? *p : 0;
        if (length >= item->size)
            length = item->size > 0 ? item->size - 1 : 0;
        return bytes_from(th, p + 1, (size_t)length);
    }
    case 'd': {
        double d;
        n = get_integer(p, 8, item->order);
        memcpy(&d, &n, 8);
        return float_from(th, d);
    }
    case 'f': {
        float f;
        uint32_t word = (uint32_t)get_integer(p, 4, item->order);
        memcpy(&f, &word, 4);
        return float_from(th, (double)f);
    }
    default: /* 'e' */
        return float_from(th, double_from_half((unsigned)get_integer(p, 2, item->order)));
    }
}

Value
struct_unpack_values(Thread *th, const StructProgram *program, const uint8_t *p)
{
    Value tuple = tuple_new(th, (size_t)program->values);
    if (tuple == NULL)
        return NULL;
    int64_t at = 0;
    for (int64_t k = 0; k < program->items_count; k++) {
        const StructItem *item = &program->items[k];
        const uint8_t *from = p + item->offset;
        for (int64_t i = 0; i < item->count; i++, from += item->size) {
            Value v = unpack_one(th, item, from);
            if (v == NULL) {
                drop(th, tuple);
                return NULL;
            }
            tuple_init_item(tuple, at++, v);
        }
    }
    return tuple;
}
