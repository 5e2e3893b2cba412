/* str.h -- str: one header, three widths, and what the rest of the program does with it.
 *
 * A str is immutable.  Its characters follow the header in 1, 2 or 4 bytes each, the
 * narrowest that holds the largest one (never wider), and a zero character ends them.
 * A subclass's instance has the same layout.
 */
#ifndef OBJECTS_TEXT_STR_H
#define OBJECTS_TEXT_STR_H

#include "objects/model/type.h"

#include <stdarg.h>
#include <string.h>

typedef struct Str {
    struct Object head;
    uint64_t length : 56;     /* [const] characters */
    uint64_t width : 3;       /* [const] bytes a character: 1, 2, 4 */
    uint64_t ascii : 1;       /* [const] all below 128 */
    uint64_t unused : 4;
    ATOMIC(int64_t) hash;     /* [atomic] 0 until computed (then never 0 nor -1) */
    ATOMIC(uint8_t) interned; /* [lock] the intern table's; 1: in the table */
    ATOMIC(uint8_t) kind_cache; /* free for caching facts (is identifier...) */
    ATOMIC(char *) utf8;      /* [atomic] UTF-8 with final zero, made on demand; ASCII: not used */
    uint8_t data[];           /* [const] */
} Str;

static inline Str *as_str(Value v) { return (Str *)(void *)value_object(v); }
static inline size_t str_length(Value v) { return as_str(v)->length; }
static inline uint32_t
str_char(const Str *s, size_t i)
{
    switch (s->width) {
    case 1: return s->data[i];
    case 2: return ((const uint16_t *)(const void *)s->data)[i];
    default: return ((const uint32_t *)(const void *)s->data)[i];
    }
}

extern Value str_empty;                                   /* immortal "" */
/* Immortal one-character str. */
#define STR_LATIN1_CELL 64
extern char str_latin1_cells[256 * STR_LATIN1_CELL];
BORROWED static inline Value
str_latin1(uint8_t c)
{
    return value_of(str_latin1_cells + (size_t)c * STR_LATIN1_CELL);
}
RAISES Value str_new(Thread *th, size_t length, uint32_t max_char); /* characters unset; before publication */
RAISES Value str_from_utf8(Thread *th, const char *p, size_t n);    /* UnicodeDecodeError; surrogates rejected */
RAISES Value str_from_wtf8(Thread *th, const char *p, size_t n);    /* lone surrogates in 3-byte form accepted */
RAISES Value str_from_c(Thread *th, const char *zero_terminated);   /* UTF-8 */
RAISES Value str_from_ascii(Thread *th, const char *p, size_t n);
RAISES Value str_from_latin1(Thread *th, const uint8_t *p, size_t n);
RAISES Value str_from_ucs4(Thread *th, const uint32_t *p, size_t n);
RAISES Value str_from_char(Thread *th, uint32_t c);
RAISES Value str_format_c(Thread *th, const char *format, ...);    /* as raise_error's format */
RAISES Value str_format_c_va(Thread *th, const char *format, va_list ap);
RAISES Value str_substring(Thread *th, Value s, size_t start, size_t end);
/* s[start:stop:step], the bounds as slice_unpack() gives them; the step is not 0. */
RAISES Value str_slice(Thread *th, Value s, int64_t start, int64_t stop, int64_t step);
RAISES Value str_concat(Thread *th, Value a, Value b);
/* a += b where `a` is given up unless it fails: in place if nobody else has it. */
RAISES Value str_append(Thread *th, Value a, Value b);
RAISES Value str_join(Thread *th, Value separator, Value iterable);
RAISES Value str_join_array(Thread *th, Value separator, const Value *items, size_t n);
RAISES Value str_join_args(Thread *th, const Arg *parts, size_t n); /* f-strings: "" separator, all str */
bool str_equal(Value a, Value b);                         /* both str */
bool str_equal_ascii(Value a, const char *text);
int str_compare(Value a, Value b);                        /* by code point */
int64_t str_hash(Value s);                                /* cached */
/* UTF-8 of s (lives as long as s): NULL with UnicodeEncodeError for surrogates. */
RAISES const char *str_utf8(Thread *th, Value s, size_t *n);
/* The same without zero bytes inside: ValueError "embedded null character". */
RAISES const char *str_c(Thread *th, Value s);
/* For debug and messages: never fails, lossy. */
void str_to_buffer(Value s, char *buf, size_t size);
int64_t str_find(Value s, Value sub, int64_t start, int64_t end);  /* -1: absent */
bool str_contains_char(Value s, uint32_t c);
Answer str_contains(Thread *th, Value s, Value item);     /* TypeError unless item is a str */
RAISES Value str_replace(Thread *th, Value s, Value old, Value new_, int64_t count);
RAISES Value str_split(Thread *th, Value s, Value separator, int64_t max); /* list; separator NULL: spaces */
bool str_is_identifier(Value s);

/* str_intern.c: one table for the process; an interned str dies like any other. */
RAISES Value str_intern(Thread *th, Value STEALS s);      /* the one str equal to s */
RAISES Value str_intern_c(Thread *th, const char *text);
RAISES Value str_intern_immortal(Thread *th, const char *text);
static inline bool str_is_interned(Value s) { return load_acquire(&as_str(s)->interned) != 0; }

/* str_build.c: a str piece by piece; C-stack object. */
typedef struct StrBuilder {
    void *data;        /* buffer */
    size_t length, capacity;
    uint32_t max_char;
    uint8_t width;
    uint8_t inline_data[128];
} StrBuilder;
void str_builder_init(StrBuilder *b);
RAISES bool str_builder_char(Thread *th, StrBuilder *b, uint32_t c);
RAISES bool str_builder_str(Thread *th, StrBuilder *b, Value s);
RAISES bool str_builder_sub(Thread *th, StrBuilder *b, Value s, size_t start, size_t end);
RAISES bool str_builder_ascii(Thread *th, StrBuilder *b, const char *p, size_t n);
RAISES bool str_builder_c(Thread *th, StrBuilder *b, const char *zero_terminated_utf8);
RAISES bool str_builder_fill(Thread *th, StrBuilder *b, uint32_t c, size_t n);
RAISES Value str_builder_finish(Thread *th, StrBuilder *b); /* also frees */
void str_builder_free(StrBuilder *b);

/* str_format.c: format(v, spec) for built-in types, str.format, and %. */
RAISES Value str_percent_format(Thread *th, Value format, Value args);
RAISES Value format_str(Thread *th, Value s, Value spec);
RAISES Value format_int(Thread *th, Value n, Value spec);
RAISES Value format_float(Thread *th, Value f, Value spec);
RAISES Value format_complex(Thread *th, Value c, Value spec);

/* codecs: encode and decode by name, with an error handler's name (NULL: "strict"). */
RAISES Value str_encode(Thread *th, Value s, const char *encoding, const char *errors); /* bytes */
RAISES Value str_decode(Thread *th, const uint8_t *p, size_t n, const char *encoding, const char *errors);
RAISES Value str_encode_utf8(Thread *th, Value s, const char *errors);
RAISES Value str_decode_utf8(Thread *th, const uint8_t *p, size_t n, const char *errors, size_t *consumed);
/* File names: UTF-8 with surrogateescape. */
RAISES Value str_from_fs(Thread *th, const char *p, size_t n);
/* bytes of a path (str, bytes, os.PathLike), without zero bytes. */
RAISES Value fs_encode(Thread *th, Value path);
RAISES Value fs_path(Thread *th, Value path);             /* os.fspath */
/* codec_registry.c (the codecs module's lookup, errors): */
RAISES Value codec_lookup(Thread *th, Value encoding);    /* CodecInfo tuple */
RAISES Value codec_encode(Thread *th, Value o, Value encoding, const char *errors);
RAISES Value codec_decode(Thread *th, Value o, Value encoding, const char *errors);
RAISES bool codec_register(Thread *th, Value search);
RAISES bool codec_unregister(Thread *th, Value search);
RAISES bool codec_register_error(Thread *th, Value name, Value handler);
RAISES Value codec_lookup_error(Thread *th, Value name);

RAISES bool text_init(Thread *th); /* static strings, intern table, names */
#endif
