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

#define STR_OFFSET offsetof(Str, data)
#define STR_MAX_LENGTH ((size_t)1 << 55)

/* A run of characters of one width. */
typedef struct Chars {
    const void *p;
    size_t n;
    uint8_t width;
} Chars;

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
    return (Chars){(const uint8_t *)c.p + start * c.width, end - start, c.width};
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
void chars_copy(void *to, uint8_t to_width, Chars from);      /* widens, or narrows what fits */
RAISES Value str_from_chars(Thread *th, Chars c);             /* the narrowest str */
bool chars_equal(Chars a, Chars b);
RAISES Value str_exact(Thread *th, Value s);                  /* s as an exact str */
RAISES Value str_repeat(Thread *th, Value s, int64_t n);
RAISES Value str_repr(Thread *th, Value s);
RAISES Value str_as_ascii_repr(Thread *th, Value repr);       /* ascii(): escapes the rest */
/* Slice arguments of find() and friends: [start[, end]] from args[at] on. */
RAISES bool args_range(Thread *th, const Arg *args, size_t nargs, size_t at, int64_t *start,
                       int64_t *end);
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

/* -- str_build.c -- */
RAISES bool str_builder_chars(Thread *th, StrBuilder *b, Chars c);

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
Answer str_contains(Thread *th, Value self, Value item);

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
