/* memory_items.c -- items of buffers: native formats, copying in some order, comparing. */
#include "objects/text/memory_priv.h"

#include "objects/model/upcall.h"

#include <math.h>

/* -- layouts -- */

Layout
buffer_layout(const Buffer *b, LayoutSpace *space)
{
    Layout l = {b->data, b->length, b->item_size, b->format != NULL ? b->format : "B", b->ndim,
                b->shape, b->strides, b->suboffsets};
    if (l.item_size <= 0) {
        l.item_size = 1;
    }
    if (l.shape == NULL && l.ndim > 0) { /* the exporter was asked for plain bytes */
        l.ndim = 1;
        space->shape[0] = l.length / l.item_size;
        l.shape = space->shape;
        l.strides = NULL;
    }
    if (l.strides == NULL) {
        int64_t step = l.item_size;
        for (int i = l.ndim - 1; i >= 0; i--) {
            space->strides[i] = step;
            step *= l.shape[i];
        }
        l.strides = space->strides;
    }
    return l;
}

bool
layout_is_c(const Layout *l)
{
    if (l->suboffsets != NULL) {
        return false;
    }
    if (l->length == 0) {
        return true;
    }
    int64_t step = l->item_size;
    for (int i = l->ndim - 1; i >= 0; i--) {
        if (l->shape[i] > 1 && l->strides[i] != step) {
            return false;
        }
        step *= l->shape[i];
    }
    return true;
}

bool
layout_is_fortran(const Layout *l)
{
    if (l->suboffsets != NULL) {
        return false;
    }
    if (l->length == 0) {
        return true;
    }
    int64_t step = l->item_size;
    for (int i = 0; i < l->ndim; i++) {
        if (l->shape[i] > 1 && l->strides[i] != step) {
            return false;
        }
        step *= l->shape[i];
    }
    return true;
}

/* Copies the items below dimension `dim` at p to places of their own strides. */
static void
copy_out(const Layout *l, int dim, uint8_t *p, uint8_t *out, const int64_t *out_strides)
{
    if (dim == l->ndim) {
        memory_move_raced(out, p, (size_t)l->item_size);
        return;
    }
    for (int64_t i = 0; i < l->shape[dim]; i++) {
        copy_out(l, dim + 1, layout_step(l, dim, p, i), out + out_strides[dim] * i, out_strides);
    }
}

void
layout_copy_out(const Layout *l, uint8_t *out, bool fortran)
{
    if (fortran ? layout_is_fortran(l) : layout_is_c(l)) {
        memory_move_raced(out, l->data, (size_t)l->length);
        return;
    }
    int64_t strides[MEMORY_DIMS_MAX], step = l->item_size;
    for (int i = 0; i < l->ndim; i++) {
        int dim = fortran ? i : l->ndim - 1 - i;
        strides[dim] = step;
        step *= l->shape[dim];
    }
    copy_out(l, 0, l->data, out, strides);
}

bool
layout_copy(Thread *th, const Layout *to, const Layout *from)
{
    int64_t n = to->shape[0];
    size_t size = (size_t)to->item_size;
    if (to->strides[0] == to->item_size && from->strides[0] == from->item_size &&
        to->suboffsets == NULL && from->suboffsets == NULL) {
        memory_move_raced(to->data, from->data, (size_t)n * size);
        return true;
    }
    uint8_t *copy = mem_alloc((size_t)n * size + 1);
    if (copy == NULL) {
        raise_memory(th);
        return false;
    }
    layout_copy_out(from, copy, false);
    for (int64_t i = 0; i < n; i++) {
        memory_move_raced(layout_step(to, 0, to->data, i), copy + (size_t)i * size, size);
    }
    mem_free(copy);
    return true;
}

/* -- items -- */

char
item_format(const char *format)
{
    if (format[0] == '@') {
        format++;
    }
    if (format[0] == 0 || format[1] != 0) {
        return 0;
    }
    return strchr("cbBhHiIlLqQnNfd?P", format[0]) != NULL ? format[0] : 0;
}

int64_t
item_format_size(char format)
{
    switch (format) {
    case 'c': case 'b': case 'B': case '?': return 1;
    case 'h': case 'H': return 2;
    case 'i': case 'I': case 'f': return 4;
    default: return 8;
    }
}

#define UNPACK_AS(type, convert)                                               \
    do {                                                                       \
        type x_;                                                               \
        memcpy(&x_, p, sizeof x_);                                             \
        return convert;                                                        \
    } while (0)

Value
item_unpack(Thread *th, const uint8_t *p, char format)
{
    switch (format) {
    case 'B': return value_from_fixnum(*p);
    case 'b': return value_from_fixnum((int8_t)*p);
    case 'c': return bytes_from(th, p, 1);
    case '?': return bool_from(*p != 0);
    case 'h': UNPACK_AS(int16_t, value_from_fixnum(x_));
    case 'H': UNPACK_AS(uint16_t, value_from_fixnum(x_));
    case 'i': UNPACK_AS(int32_t, value_from_fixnum(x_));
    case 'I': UNPACK_AS(uint32_t, value_from_fixnum(x_));
    case 'l': case 'q': case 'n': UNPACK_AS(int64_t, int_from_i64(th, x_));
    case 'L': case 'Q': case 'N': case 'P': UNPACK_AS(uint64_t, int_from_u64(th, x_));
    case 'f': UNPACK_AS(float, float_from(th, (double)x_));
    case 'd': UNPACK_AS(double, float_from(th, x_));
    default: return raise_error(th, &exc_NotImplementedError,
                                "memoryview: format %c not supported", (int)format);
    }
}

/* Turns the errors of a conversion into those of memoryview. */
static bool
pack_failed(Thread *th, const char *shown)
{
    if (error_matches(th, &exc_TypeError)) {
        error_clear(th);
        raise_type_error(th, "memoryview: invalid type for format '%s'", shown);
    } else if (error_matches(th, &exc_OverflowError) || error_matches(th, &exc_ValueError)) {
        error_clear(th);
        raise_value_error(th, "memoryview: invalid value for format '%s'", shown);
    }
    return false;
}

static bool
bad_value(Thread *th, const char *shown)
{
    raise_value_error(th, "memoryview: invalid value for format '%s'", shown);
    return false;
}

static bool
pack_int(Thread *th, uint8_t out[8], char format, const char *shown, Value v)
{
    Value n = to_index(th, v);
    if (n == NULL) {
        return pack_failed(th, shown);
    }
    int64_t size = item_format_size(format), s = 0;
    uint64_t u = 0;
    bool is_signed = strchr("bhilqn", format) != NULL, good;
    if (is_signed) {
        int64_t limit = size == 8 ? INT64_MAX : ((int64_t)1 << (8 * size - 1)) - 1;
        good = int_fits_i64(n, &s) && s <= limit && s >= -limit - 1;
        u = (uint64_t)s;
    } else {
        good = int_sign(n) >= 0 && int_bit_length(n) <= 8 * size;
        u = int_to_u64_wrap(n);
    }
    drop(th, n);
    if (!good) {
        return bad_value(th, shown);
    }
    memcpy(out, &u, 8); /* little endian: the low bytes come first */
    return true;
}

bool
item_pack(Thread *th, uint8_t out[8], char format, const char *shown, Value v)
{
    switch (format) {
    case 'f': case 'd': {
        double d;
        if (!arg_double(th, v, &d)) {
            return pack_failed(th, shown);
        }
        if (format == 'd') {
            memcpy(out, &d, 8);
        } else {
            float f = (float)d;
            memcpy(out, &f, 4);
        }
        return true;
    }
    case '?': {
        Answer truth = is_true(th, v);
        out[0] = truth == YES;
        return truth != FAILED;
    }
    case 'c':
        if (!is_bytes(v)) {
            raise_type_error(th, "memoryview: invalid type for format '%s'", shown);
            return false;
        }
        if (as_bytes(v)->length != 1) {
            return bad_value(th, shown);
        }
        out[0] = as_bytes(v)->data[0];
        return true;
    default:
        return pack_int(th, out, format, shown, v);
    }
}

/* -- lists -- */

static Value
to_list(Thread *th, const Layout *l, int dim, uint8_t *p, char format)
{
    if (dim == l->ndim) {
        uint8_t item[8] = {0};
        item_load(item, p, item_format_size(format));
        return item_unpack(th, item, format);
    }
    Value list = list_new(th, (size_t)l->shape[dim]);
    for (int64_t i = 0; list != NULL && i < l->shape[dim]; i++) {
        Value item = to_list(th, l, dim + 1, layout_step(l, dim, p, i), format);
        if (item == NULL || !list_append_steal(th, list, item)) {
            DROP_CLEAR(th, list);
        }
    }
    return list;
}

Value
layout_to_list(Thread *th, const Layout *l, char format)
{
    return to_list(th, l, 0, l->data, format);
}

/* -- comparing -- */

/* How the items of one side are read: natively, or by module struct. */
typedef struct Reader {
    char format;       /* 0: by `unpack` */
    Value unpack;      /* struct.Struct(format).unpack_from, counted */
    int64_t item_size;
} Reader;

static bool
reader_init(Thread *th, Reader *r, const Layout *l)
{
    r->format = item_format(l->format);
    r->unpack = NULL;
    r->item_size = l->item_size;
    if (r->format != 0 && item_format_size(r->format) == l->item_size) {
        return true;
    }
    r->format = 0;
    Value module = upcalls.import_module(th, "struct");
    Value make = module == NULL ? NULL : get_attr_c(th, module, "Struct");
    Value format = make == NULL ? NULL : str_from_c(th, l->format);
    Value made = format == NULL ? NULL : call_1(th, make, format);
    r->unpack = made == NULL ? NULL : get_attr_c(th, made, "unpack");
    drop_null(th, made);
    drop_null(th, format);
    drop_null(th, make);
    drop_null(th, module);
    return r->unpack != NULL;
}

static Value
reader_read(Thread *th, const Reader *r, const uint8_t *p)
{
    if (r->format != 0) {
        uint8_t item[8];
        item_load(item, p, r->item_size);
        return item_unpack(th, item, r->format);
    }
    Value bytes = bytes_new(th, (size_t)r->item_size);
    if (bytes != NULL) {
        memory_move_raced(as_bytes(bytes)->data, p, (size_t)r->item_size);
    }
    Value v = bytes == NULL ? NULL : call_1(th, r->unpack, bytes);
    drop_null(th, bytes);
    return v;
}

/* memcmp() of what others may be writing. */
static bool
equal_bytes(const uint8_t *p, const uint8_t *q, size_t n)
{
    uint8_t a[256], b[256];
    for (size_t done = 0; done < n; done += sizeof a) {
        size_t some = n - done < sizeof a ? n - done : sizeof a;
        memory_move_raced(a, p + done, some);
        memory_move_raced(b, q + done, some);
        if (memcmp(a, b, some) != 0) {
            return false;
        }
    }
    return true;
}

/* Both sides' items below dimension `dim`. */
static Answer
equal_from(Thread *th, const Layout *a, const Layout *b, int dim, uint8_t *p, uint8_t *q,
           const Reader *ra, const Reader *rb)
{
    if (dim < a->ndim) {
        for (int64_t i = 0; i < a->shape[dim]; i++) {
            Answer same = equal_from(th, a, b, dim + 1, layout_step(a, dim, p, i),
                                     layout_step(b, dim, q, i), ra, rb);
            if (same != YES) {
                return same;
            }
        }
        return YES;
    }
    /* Integers of one format are equal if their bytes are. */
    if (ra->format != 0 && ra->format == rb->format && strchr("fd?", ra->format) == NULL) {
        return equal_bytes(p, q, (size_t)a->item_size) ? YES : NO;
    }
    Value x = reader_read(th, ra, p), y = x == NULL ? NULL : reader_read(th, rb, q);
    Answer same = y == NULL ? FAILED : compare_answer(th, x, y, OP_EQ);
    if (same == YES && x == y && value_is_object(x) && is_float(x)) {
        double d = float_value(x);
        same = d == d ? YES : NO;
    }
    drop_null(th, x);
    drop_null(th, y);
    return same;
}

Answer
layout_equal(Thread *th, const Layout *a, const Layout *b)
{
    if (a->ndim != b->ndim) {
        return NO;
    }
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] != b->shape[i]) {
            return NO;
        }
        if (a->shape[i] == 0) {
            break;
        }
    }
    Reader ra, rb = {.unpack = NULL};
    Answer same;
    if (!reader_init(th, &ra, a) || !reader_init(th, &rb, b)) {
        error_clear(th); /* what cannot be understood is not equal */
        same = NO;
    } else if (ra.format != 0 && ra.format == rb.format && strchr("fd?", ra.format) == NULL &&
               layout_is_c(a) && layout_is_c(b)) {
        same = equal_bytes(a->data, b->data, (size_t)a->length) ? YES : NO;
    } else {
        same = equal_from(th, a, b, 0, a->data, b->data, &ra, &rb);
    }
    drop_null(th, ra.unpack);
    drop_null(th, rb.unpack);
    return same;
}
