/* text_priv.h -- what the files of objects/text share: looks at characters and bytes. */
#ifndef OBJECTS_TEXT_TEXT_PRIV_H
#define OBJECTS_TEXT_TEXT_PRIV_H

#include "base/mem.h"
#include "base/unicode_db.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/native.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

#include "base/assert.h"

#include <stdlib.h>

/* For functions that are one loop over many items. */
#if defined(__GNUC__) && !defined(__clang__)
#define VECTORIZED __attribute__((optimize("O3")))
#else
#define VECTORIZED
#endif

#define STR_OFFSET offsetof(Str, data)
#define STR_MAX_LENGTH ((size_t)1 << 55)

/* A run of characters of one width; two words, so that it is passed in registers. */
typedef struct Chars {
    const void *p;
    uint64_t n : 56;
    uint64_t width : 8;
} Chars;

/* is_str() for what is mostly an exact one. */
static inline bool
is_text(Value v)
{
    return LIKELY(is_exact(v, SHAPE_STR)) || is_str(v);
}

static inline Chars
chars_of(Value s)
{
    const Str *str = as_str(s);
    return (Chars){str->data, str->length, (uint8_t)str->width};
}

static inline uint32_t
chars_get(Chars c, size_t i)
{
    switch (c.width) {
    case 1: return ((const uint8_t *)c.p)[i];
    case 2: return ((const uint16_t *)c.p)[i];
    default: return ((const uint32_t *)c.p)[i];
    }
}

static inline void
chars_put(void *p, uint8_t width, size_t i, uint32_t c)
{
    switch (width) {
    case 1: ((uint8_t *)p)[i] = (uint8_t)c; break;
    case 2: ((uint16_t *)p)[i] = (uint16_t)c; break;
    default: ((uint32_t *)p)[i] = c;
    }
}

static inline Chars
chars_sub(Chars c, size_t start, size_t end)
{
    return (Chars){(const uint8_t *)c.p + start * (size_t)c.width, end - start, c.width};
}

/* memcpy() for what is mostly short. */
static inline void
copy_bytes(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (n > 16) {
        if (n > 32) {
            memcpy(to, from, n);
            return;
        }
        char a[16], b[16]; /* two vectors that may overlap */
        memcpy(a, f, 16);
        memcpy(b, f + n - 16, 16);
        memcpy(t, a, 16);
        memcpy(t + n - 16, b, 16);
        return;
    }
    if (n >= 8) { /* two words that may overlap */
        uint64_t a, b;
        memcpy(&a, f, 8);
        memcpy(&b, f + n - 8, 8);
        memcpy(t, &a, 8);
        memcpy(t + n - 8, &b, 8);
    } else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, f, 4);
        memcpy(&b, f + n - 4, 4);
        memcpy(t, &a, 4);
        memcpy(t + n - 4, &b, 4);
    } else if (n > 0) {
        t[0] = f[0];
        t[n - 1] = f[n - 1];
        if (n > 2) {
            t[1] = f[1];
        }
    }
}

/* memcmp() == 0 for what is mostly short. */
static inline bool
same_bytes(const void *a, const void *b, size_t n)
{
    const char *p = a, *q = b;
    if (n >= 8 && n <= 16) {
        uint64_t x[2], y[2];
        memcpy(&x[0], p, 8);
        memcpy(&x[1], p + n - 8, 8);
        memcpy(&y[0], q, 8);
        memcpy(&y[1], q + n - 8, 8);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    if (n >= 4 && n < 8) {
        uint32_t x[2], y[2];
        memcpy(&x[0], p, 4);
        memcpy(&x[1], p + n - 4, 4);
        memcpy(&y[0], q, 4);
        memcpy(&y[1], q + n - 4, 4);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    if (n < 4) {
        return n == 0 || (p[0] == q[0] && p[n - 1] == q[n - 1] && p[n / 2] == q[n / 2]);
    }
    return memcmp(p, q, n) == 0;
}

/* Fills in what a new str is; one store, so that the next load of any part need not wait. */
static inline void
str_set_facts(Str *s, size_t length, uint8_t width, bool ascii)
{
    uint64_t word = (uint64_t)length | (uint64_t)width << 56 | (uint64_t)ascii << 59;
    memcpy((char *)s + sizeof(struct Object), &word, sizeof word);
}

static inline uint8_t
width_for(uint32_t max_char)
{
    return max_char < 0x100 ? 1 : max_char < 0x10000 ? 2 : 4;
}

/* An upper bound for s's characters: 0x7f, 0xff, 0xffff or 0x10ffff. */
static inline uint32_t
str_max(Value v)
{
    const Str *s = as_str(v);
    return s->ascii ? 0x7f : s->width == 1 ? 0xff : s->width == 2 ? 0xffff : 0x10ffff;
}

/* -- str.c -- */
uint32_t chars_or(Chars c);                                   /* all characters ORed */
void chars_convert(void *to, uint8_t to_width, Chars from);
/* Widens, or narrows what fits. */
static inline void
chars_copy(void *to, uint8_t to_width, Chars from)
{
    if (LIKELY(to_width == from.width)) {
        copy_bytes(to, from.p, (size_t)from.n * from.width);
    } else {
        chars_convert(to, to_width, from);
    }
}
RAISES Value str_from_chars(Thread *th, Chars c);             /* the narrowest str */
bool chars_equal(Chars a, Chars b);
RAISES Value str_exact(Thread *th, Value s);                  /* s as an exact str */
RAISES Value str_repeat(Thread *th, Value s, int64_t n);
RAISES Value str_repr(Thread *th, Value s);
RAISES Value str_as_ascii_repr(Thread *th, Value repr);       /* ascii(): escapes the rest */
/* The arguments of find() and its kin, (sub[, start[, end]]): their number, and the range. */
RAISES bool args_range(Thread *th, const char *name, const Arg *args, size_t nargs,
                       int64_t *start, int64_t *end);
/* Puts start and end into 0..length the way slices do; false: empty even for "". */
static inline bool
range_clip(int64_t length, int64_t *start, int64_t *end)
{
    if (*end > length) {
        *end = length;
    } else if (*end < 0) {
        *end += length;
        if (*end < 0) {
            *end = 0;
        }
    }
    if (*start < 0) {
        *start += length;
        if (*start < 0) {
            *start = 0;
        }
    }
    return *start <= *end;
}

/* -- str_utf8.c: the cached UTF-8 has its length, a size_t, in front -- */
static inline void
str_utf8_free(char *utf8)
{
    if (utf8 != NULL) {
        buffer_free(utf8 - sizeof(size_t));
    }
}

/* -- str_intern.c -- */
void str_intern_forget(Thread *th, Str *s);                   /* from dealloc */
bool intern_init(void);

/* The bounds of a slice of ints without a step in a sequence of that length; false: it is
 * another one (slice_unpack() it). */
static inline bool
slice_simple(Value slice, int64_t length, int64_t *start, int64_t *stop)
{
    const Slice *s = as_slice(slice);
    if (s->step != NONE) {
        return false;
    }
    int64_t from = 0, to = length;
    if (s->start != NONE) {
        if (!value_is_fixnum(s->start)) {
            return false;
        }
        from = value_fixnum(s->start);
        from = from < 0 ? (from + length < 0 ? 0 : from + length) : from > length ? length : from;
    }
    if (s->stop != NONE) {
        if (!value_is_fixnum(s->stop)) {
            return false;
        }
        to = value_fixnum(s->stop);
        to = to < 0 ? (to + length < 0 ? 0 : to + length) : to > length ? length : to;
    }
    *start = from;
    *stop = to < from ? from : to;
    return true;
}

/* -- str_build.c -- */
RAISES bool str_builder_chars(Thread *th, StrBuilder *b, Chars c);
RAISES bool str_builder_i64(Thread *th, StrBuilder *b, int64_t n);      /* decimal digits */

/* -- str_search.c -- */
int64_t chars_find(Chars s, Chars sub);                       /* -1: absent */
int64_t chars_rfind(Chars s, Chars sub);
size_t chars_count(Chars s, Chars sub, size_t max);
int64_t chars_find_char(Chars s, uint32_t c);
int64_t chars_rfind_char(Chars s, uint32_t c);
Value str_find_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_rfind_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_index_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_rindex_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_count_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_startswith_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_endswith_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_replace_method(Thread *th, Value self, const Arg *args, size_t nargs);

/* -- str_split.c -- */
Value str_split_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value str_rsplit_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value str_splitlines_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value str_partition_method(Thread *th, Value self, Value sep);
Value str_rpartition_method(Thread *th, Value self, Value sep);
Value str_strip_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_lstrip_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_rstrip_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value str_join_method(Thread *th, Value self, Value iterable);

/* -- str_case.c -- */
Value str_lower_method(Thread *th, Value self);
Value str_upper_method(Thread *th, Value self);
Value str_title_method(Thread *th, Value self);
Value str_swapcase_method(Thread *th, Value self);
Value str_capitalize_method(Thread *th, Value self);
Value str_casefold_method(Thread *th, Value self);
Value str_isalpha_method(Thread *th, Value self);
Value str_isalnum_method(Thread *th, Value self);
Value str_isascii_method(Thread *th, Value self);
Value str_isdecimal_method(Thread *th, Value self);
Value str_isdigit_method(Thread *th, Value self);
Value str_isnumeric_method(Thread *th, Value self);
Value str_islower_method(Thread *th, Value self);
Value str_isupper_method(Thread *th, Value self);
Value str_istitle_method(Thread *th, Value self);
Value str_isspace_method(Thread *th, Value self);
Value str_isprintable_method(Thread *th, Value self);
Value str_isidentifier_method(Thread *th, Value self);

/* -- str_format.c -- */
Value str_format_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value str_format_map_method(Thread *th, Value self, Value map);

/* -- str_methods.c, bytes_methods.c, bytearray.c -- */
extern const struct MethodDef str_method_table[];
extern const struct MethodDef bytes_method_table[];

/* -- text_iter.c -- */
RAISES Value str_iter_new(Thread *th, Value s);
RAISES Value bytes_iter_new(Thread *th, Value b);
RAISES Value bytearray_iter_new(Thread *th, Value b);
RAISES Value memory_iter_new(Thread *th, Value m);

/* -- bytes: a look at the bytes of a bytes or bytearray, see bytearray.c -- */
typedef struct ByteView {
    const uint8_t *p;
    size_t n;
} ByteView;
/* `v` is a bytes or bytearray (or subclass).  Valid until the thread's next safepoint,
 * and until this thread itself changes `v`. */
ByteView byte_view(Thread *th, Value v);
/* The same for code that looks at a byte once, or that any mix of bytes is right for: a private
 * array that becomes shared while it is looked at may change. */
ByteView byte_glance(Thread *th, Value v);
/* A bytearray's byte at i (from the end if negative), -1 if there is none; its length. */
int64_t bytearray_byte(Thread *th, Value v, int64_t i);
int64_t bytearray_length(Thread *th, Value v);
BORROWED Value bytes_char(uint8_t c);                         /* immortal bytes of length 1 */
int64_t bytes_hash_of(const void *p, size_t n);               /* as str and bytes hash */
RAISES Value bytes_repr_of(Thread *th, ByteView b, const char *prefix, const char *suffix);
/* An object with __index__ as a byte: ValueError "byte must be in range(0, 256)". */
RAISES bool byte_value(Thread *th, Value v, uint8_t *out);
RAISES Value bytes_hex_of(Thread *th, ByteView b, Value sep, Value per_sep);
/* Parses hexadecimal digits of a str into bytes. */
RAISES Value bytes_fromhex(Thread *th, Value text);
RAISES Value bytes_percent_format(Thread *th, ByteView format, Value args, bool make_bytearray);
RAISES Value bytes_or_bytearray(Thread *th, bool make_bytearray, const void *p, size_t n);

bool text_latin1_init(void);
bool bytes_static_init(void);

#endif
