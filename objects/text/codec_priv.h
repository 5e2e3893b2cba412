/* codec_priv.h -- errors of encodings: the built-in handlers, and calling the others.
 *
 * A codec keeps a Decode or an Encode while it runs.  When something is wrong it calls
 * decode_error() or encode_error(): these do what the handler says and tell where to go on.
 * What the handlers' names mean is decided at the first error.
 */
#ifndef OBJECTS_TEXT_CODEC_PRIV_H
#define OBJECTS_TEXT_CODEC_PRIV_H

#include "objects/text/codecs.h"
#include "objects/text/text_priv.h"

enum ErrorKind {
    ERRORS_UNKNOWN, /* not looked at yet */
    ERRORS_STRICT, ERRORS_IGNORE, ERRORS_REPLACE, ERRORS_BACKSLASHREPLACE,
    ERRORS_SURROGATEESCAPE, ERRORS_SURROGATEPASS, ERRORS_XMLCHARREFREPLACE,
    ERRORS_NAMEREPLACE,
    ERRORS_OTHER,   /* found in the registry */
};
enum ErrorKind error_kind(const char *errors);

/* -- decoding -- */

typedef struct Decode {
    const char *encoding, *errors;
    enum ErrorKind kind;
    const uint8_t *p;   /* all of the input; a handler may put another in its place */
    size_t n;
    size_t pos;         /* where to go on */
    Value object;       /* bytes of the input once an exception was made, counted */
    Value handler;      /* counted, or NULL */
    Value exc;          /* counted, or NULL: the UnicodeDecodeError, used again */
    StrBuilder out;
} Decode;

void decode_init(Decode *d, const char *encoding, const char *errors, const uint8_t *p, size_t n);
/* Handles bytes start..end: appends to `out`, sets `pos`. */
RAISES bool decode_error(Thread *th, Decode *d, size_t start, size_t end, const char *reason);
/* The str; frees everything.  `good` false: frees and returns NULL. */
RAISES Value decode_finish(Thread *th, Decode *d, bool good);

/* -- encoding -- */

typedef struct ByteBuffer {
    uint8_t *p;
    size_t n, capacity;
    uint8_t local[256];
} ByteBuffer;

void byte_buffer_init(ByteBuffer *b);
void byte_buffer_free(ByteBuffer *b);
/* Room for `extra` more bytes. */
COLD bool byte_buffer_grow(Thread *th, ByteBuffer *b, size_t extra);
RAISES static inline bool
byte_buffer_reserve(Thread *th, ByteBuffer *b, size_t extra)
{
    return LIKELY(b->capacity - b->n >= extra) || byte_buffer_grow(th, b, extra);
}
RAISES static inline bool
byte_buffer_put(Thread *th, ByteBuffer *b, uint8_t byte)
{
    if (!byte_buffer_reserve(th, b, 1)) {
        return false;
    }
    b->p[b->n++] = byte;
    return true;
}
RAISES static inline bool
byte_buffer_add(Thread *th, ByteBuffer *b, const void *p, size_t n)
{
    if (!byte_buffer_reserve(th, b, n)) {
        return false;
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return true;
}

typedef struct Encode {
    const char *encoding, *errors;
    enum ErrorKind kind;
    Value text;         /* BORROWED: the caller's str */
    Chars c;
    size_t pos;         /* where to go on */
    Value handler, exc; /* counted, or NULL */
    ByteBuffer out;
    /* Writes a replacement's character; NO: it cannot be encoded. */
    Answer (*put)(Thread *th, struct Encode *e, uint32_t c);
    Value mapping;      /* charmap: BORROWED */
    uint8_t unit;       /* bytes a unit of the encoding: 1, 2, 4 */
    bool big;           /* UTF-16, UTF-32 */
} Encode;

void encode_init(Encode *e, const char *encoding, const char *errors, Value text,
                 Answer (*put)(Thread *th, Encode *e, uint32_t c));
/* Handles characters start..end: appends to `out`, sets `pos`. */
RAISES bool encode_error(Thread *th, Encode *e, size_t start, size_t end, const char *reason);
RAISES Value encode_finish(Thread *th, Encode *e, bool good);

/* -- the handlers as Python sees them -- */

/* The built-in handler of that name: a new reference; NULL without an exception if unknown. */
Value error_handler_builtin(Thread *th, const char *name);

/* -- codec_registry.c: str to bytes and back, by codecs that are text encodings -- */
RAISES Value codec_encode_text(Thread *th, Value s, Value encoding, const char *errors);
RAISES Value codec_decode_text(Thread *th, Value bytes, Value encoding, const char *errors);

/* How "surrogatepass" writes a surrogate: by the encoding's name. */
enum SurrogateForm { SURROGATE_UTF8, SURROGATE_UTF16_LE, SURROGATE_UTF16_BE, SURROGATE_UTF32_LE,
                     SURROGATE_UTF32_BE, SURROGATE_UNKNOWN };
enum SurrogateForm surrogate_form(const char *encoding);

#endif
