/* io_text.h -- TextIOWrapper: what its files share.
 *
 * Three encodings (UTF-8, ASCII, Latin-1) are coded here without asking the codecs module; the
 * others use its incremental encoders and decoders.  Line ends are always translated here.
 *
 * Two locks, never held together by one function: `write_lock` for what is pending and the
 * encoder, `read_lock` for what was decoded and the decoder.  They are held while the buffer or
 * a codec is called, so that text of two threads is never mixed within a write; a thread that
 * comes back into the stream it works on goes on with the state as it is.
 */
#ifndef MODULES_IO_TEXT_H
#define MODULES_IO_TEXT_H

#include "modules/io.h"

enum TextCodec { CODEC_OTHER, CODEC_UTF8, CODEC_ASCII, CODEC_LATIN1 };

/* What a decoder of ours remembers. */
typedef struct DecoderState {
    uint8_t part[8]; /* the beginning of a character */
    uint8_t part_length;
    Newlines newlines;
} DecoderState;

typedef struct TextIo {
    struct Object head;
    Field buffer, encoding, errors;
    ATOMIC(uint8_t) ok, detached, line_buffering, write_through, finalizing;
    ATOMIC(uint8_t) seekable, telling, has_read1;
    ATOMIC(uint8_t) reads, writes;       /* there is a decoder, an encoder */
    ATOMIC(uint8_t) codec;               /* enum TextCodec */
    ATOMIC(uint8_t) strict;              /* errors is "strict" */
    ATOMIC(uint8_t) newline;             /* enum NewlineMode */
    ATOMIC(int64_t) chunk_size;

    IoLock write_lock;
    Field encoder;                       /* of the codecs module, or NULL */
    uint8_t *pending;                    /* [lock] write_lock; encoded, not yet in the buffer */
    ATOMIC(int64_t) pending_length;      /* [lock] */
    int64_t pending_room;                /* [lock] */

    IoLock read_lock;
    Field decoder;                       /* of the codecs module, or NULL */
    Field decoded;                       /* str read ahead, or NULL */
    Field snapshot;                      /* bytes: the input behind `decoded`, or NULL */
    ATOMIC(int64_t) used;                /* [lock] read_lock; characters of `decoded` given out */
    int64_t snapshot_flags;              /* [lock] the decoder's flags before that input */
    double bytes_per_char;               /* [lock] in the last chunk; 0: not known */
    DecoderState state;                  /* [lock] */
    ATOMIC(uint8_t) seen;                /* copy of state.newlines.seen, for everybody */
} TextIo;

static inline TextIo *
as_text(Value v)
{
    return (TextIo *)(void *)value_object(v);
}

/* Line ends are looked at while decoding. */
static inline bool
text_is_universal(const TextIo *t)
{
    return load_relaxed(&t->newline) <= NEWLINE_KEEP;
}

/* -- io_text.c -- */

/* ValueError unless initialised and not detached (and not closed). */
RAISES bool text_attached(Thread *th, Value self);
RAISES bool text_open(Thread *th, Value self);
/* A new reference to the buffer; NULL with an exception. */
RAISES Value text_buffer(Thread *th, Value self);
/* Gives what is pending to the buffer. */
RAISES bool text_write_out(Thread *th, Value self);
/* self.flush() */
RAISES bool text_call_flush(Thread *th, Value self);
/* `fresh`: the next character is the first of the stream. */
RAISES bool text_reset_encoder(Thread *th, TextIo *t, bool fresh);
/* The name of the error handler for codecs; *held keeps it alive. */
RAISES bool text_errors(Thread *th, TextIo *t, const char **errors, Value *held);

/* -- io_text_read.c: the caller holds read_lock where state is concerned -- */

Value text_read(Thread *th, Value self, const Arg *args, size_t nargs);
Value text_readline(Thread *th, Value self, const Arg *args, size_t nargs);
Value text_next(Thread *th, Value self);
/* Forgets what was read ahead. */
void text_forget(Thread *th, TextIo *t);
/* Decodes bytes: a str. */
RAISES Value text_decode(Thread *th, TextIo *t, const uint8_t *p, int64_t n, bool final);
/* The decoder's state: bytes that wait, and flags; *waiting is new. */
RAISES bool text_decoder_get(Thread *th, TextIo *t, Value *waiting, int64_t *flags);
/* Sets it to (b"", flags), or as it was at the beginning. */
RAISES bool text_decoder_set(Thread *th, TextIo *t, int64_t flags);
RAISES bool text_decoder_reset(Thread *th, TextIo *t);

/* -- io_text_seek.c -- */

Value text_seek(Thread *th, Value self, const Arg *args, size_t nargs);
Value text_tell(Thread *th, Value self);

#endif
