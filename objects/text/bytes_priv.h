/* bytes_priv.h -- what bytes, bytearray and their methods share. */
#ifndef OBJECTS_TEXT_BYTES_PRIV_H
#define OBJECTS_TEXT_BYTES_PRIV_H

#include "objects/text/text_priv.h"

/* The bytes of an argument, pinned until byte_arg_free(); of one that other threads may be
 * writing, a copy. */
typedef struct ByteArg {
    const uint8_t *p;
    size_t n;
    uint8_t byte;       /* where an int argument's byte is */
    bool pinned;
    Buffer buffer;
} ByteArg;

/* A bytes-like object: TypeError "a bytes-like object is required, not 'T'". */
RAISES bool byte_arg(Thread *th, Value v, ByteArg *out);
/* The same or an int: what find() and its kin take. */
RAISES bool byte_arg_or_int(Thread *th, Value v, ByteArg *out);
static inline void
byte_arg_free(Thread *th, ByteArg *a)
{
    if (a->pinned) {
        buffer_release(th, &a->buffer);
    }
}

static inline Chars
byte_arg_chars(const ByteArg *a)
{
    return (Chars){a->p, a->n, 1};
}

static inline Chars
view_chars(ByteView b)
{
    return (Chars){b.p, b.n, 1};
}

/* bytes of a growing array of ints, for constructors */
RAISES bool bytes_collect(Thread *th, Value iterable, const char *range_message, uint8_t **p,
                          size_t *n); /* *p from mem_alloc */

/* Rich comparison of anything with bytes; NOT_IMPLEMENTED if one has none. */
/* -b: warns of a comparison with str or int by == and != ; false with BytesWarning as an exception. */
RAISES bool bytes_compare_warning(Thread *th, Value a, Value b, int op);
Value bytes_compare(Thread *th, Value a, Value b, int op);
Value bytes_find_method(Thread *th, Value self, const Arg *args, size_t nargs);
Answer bytes_contains(Thread *th, Value self, Value item);
/* The text encoding arguments of bytes(...) and bytearray(...): encodes, or checks that there is
 * nothing to encode.  YES: *out is the encoded bytes; NO: `source` is no str. */
Answer bytes_source_encoded(Thread *th, Value source, Value encoding, Value errors,
                            const char *type_name, Value *out);
/* Makes room: like bytes_new() for both types. */
RAISES Value bytes_repeat_of(Thread *th, ByteView b, int64_t n, bool make_bytearray);
RAISES Value bytes_join(Thread *th, ByteView separator, Value iterable, bool make_bytearray);

/* -- memoryview.c: the items of any buffer in C order -- */
RAISES Value buffer_to_bytes(Thread *th, const Buffer *b);

/* -- bytearray.c -- */
RAISES Value bytearray_new(Thread *th, size_t n, uint8_t **data); /* contents unset */
extern const struct MethodDef bytearray_method_table[];
Value bytearray_append(Thread *th, Value self, Value item);
Value bytearray_clear(Thread *th, Value self);
Value bytearray_copy(Thread *th, Value self);
Value bytearray_extend(Thread *th, Value self, Value iterable);
Value bytearray_insert(Thread *th, Value self, const Arg *args, size_t nargs);
Value bytearray_pop(Thread *th, Value self, const Arg *args, size_t nargs);
Value bytearray_remove(Thread *th, Value self, Value item);
Value bytearray_reverse(Thread *th, Value self);
Value bytearray_alloc(Thread *th, Value self);
Value bytearray_reduce(Thread *th, Value self);
Value bytearray_reduce_ex(Thread *th, Value self, const Arg *args, size_t nargs);
Value bytearray_sizeof(Thread *th, Value self);

#endif
