/* io_text_seek.c -- TextIOWrapper: tell() and seek().
 *
 * A position in text is a number made of a position in the buffer where the decoder's state is
 * known by its flags alone, these flags, how many bytes to decode from there and how many
 * characters of the result to skip.  Where no more than the first is needed it is that
 * position itself.
 */
#include "modules/io_text.h"

#include <stdio.h>
#include <string.h>

typedef struct Cookie {
    int64_t start;        /* position in the buffer */
    int32_t flags;        /* of the decoder there */
    int32_t feed;         /* bytes to decode */
    int32_t skip;         /* characters of them to skip */
    bool final;           /* they are the last of the stream */
} Cookie;

/* Bytes of a cookie in its number, lowest first. */
enum { COOKIE_START = 0, COOKIE_FLAGS = 8, COOKIE_FEED = 12, COOKIE_SKIP = 16, COOKIE_FINAL = 20,
       COOKIE_SIZE = 21 };

static Value
cookie_pack(Thread *th, const Cookie *c)
{
    if (c->flags == 0 && c->feed == 0 && c->skip == 0 && !c->final && c->start >= 0)
        return int_from_i64(th, c->start);
    uint8_t bytes[COOKIE_SIZE];
    memcpy(bytes + COOKIE_START, &c->start, 8);
    memcpy(bytes + COOKIE_FLAGS, &c->flags, 4);
    memcpy(bytes + COOKIE_FEED, &c->feed, 4);
    memcpy(bytes + COOKIE_SKIP, &c->skip, 4);
    bytes[COOKIE_FINAL] = c->final;
    return int_from_bytes(th, bytes, sizeof bytes, true, false);
}

static bool
cookie_unpack(Thread *th, Value number, Cookie *c)
{
    uint8_t bytes[COOKIE_SIZE];
    Value n = to_index(th, number);
    if (n == NULL)
        return false;
    bool ok = int_to_bytes(th, n, bytes, sizeof bytes, true, false);
    drop(th, n);
    if (!ok)
        return false;
    memcpy(&c->start, bytes + COOKIE_START, 8);
    memcpy(&c->flags, bytes + COOKIE_FLAGS, 4);
    memcpy(&c->feed, bytes + COOKIE_FEED, 4);
    memcpy(&c->skip, bytes + COOKIE_SKIP, 4);
    c->final = bytes[COOKIE_FINAL] != 0;
    return true;
}

/* -- seek() ------------------------------------------------------------------------------- */

static bool
set_decoder_for(Thread *th, TextIo *t, const Cookie *c)
{
    return c->start == 0 && c->flags == 0 ? text_decoder_reset(th, t)
                                          : text_decoder_set(th, t, c->flags);
}

/* The decoder and what it has decoded, as the cookie says; read_lock is held and the buffer
 * stands at c->start. */
static bool
restore_reading(Thread *th, TextIo *t, Value buffer, const Cookie *c)
{
    text_forget(th, t);
    if (!load_relaxed(&t->reads))
        return true;
    if (!set_decoder_for(th, t, c))
        return false;
    if (c->skip == 0) {
        field_replace(th, &t->head, &t->snapshot, retain(th, bytes_empty));
        t->snapshot_flags = c->flags;
        return true;
    }
    Value input = call_method_1(th, buffer, NAME(read), value_from_fixnum(c->feed));
    if (input == NULL)
        return false;
    if (!is_bytes(input)) {
        raise_type_error(th, "underlying read() should have returned a bytes object, not '%T'",
                         input);
        drop(th, input);
        return false;
    }
    t->snapshot_flags = c->flags;
    field_replace(th, &t->head, &t->snapshot, retain(th, input));
    Value text = text_decode(th, t, as_bytes(input)->data, as_bytes(input)->length, c->final);
    drop(th, input);
    if (text == NULL)
        return false;
    int64_t length = (int64_t)str_length(text);
    field_replace(th, &t->head, &t->decoded, text);
    store_relaxed(&t->used, 0);
    if (length < c->skip) {
        raise_error(th, &exc_OSError, "can't restore logical file position");
        return false;
    }
    store_relaxed(&t->used, c->skip);
    return true;
}

static Value
seek_to_end(Thread *th, Value self, TextIo *t)
{
    if (!text_call_flush(th, self))
        return NULL;
    io_lock(th, &t->read_lock);
    text_forget(th, t);
    bool ok = !load_relaxed(&t->reads) || text_decoder_reset(th, t);
    io_unlock(&t->read_lock);
    Value buffer = ok ? text_buffer(th, self) : NULL;
    if (buffer == NULL)
        return NULL;
    Value at = call_method_2(th, buffer, NAME(seek), value_from_fixnum(0), value_from_fixnum(2));
    drop(th, buffer);
    if (at == NULL)
        return NULL;
    Answer fresh = values_equal(th, at, value_from_fixnum(0));
    if (fresh == FAILED || !text_reset_encoder(th, t, fresh == YES))
        DROP_CLEAR(th, at);
    return at;
}

/* Whether `cookie` is 0; else UnsupportedOperation(message). */
static bool
only_zero(Thread *th, Value cookie, const char *message)
{
    Answer zero = values_equal(th, cookie, value_from_fixnum(0));
    if (zero == NO)
        io_unsupported(th, message);
    return zero == YES;
}

/* Moves to where the cookie says; the result is the cookie. */
static Value
seek_cookie(Thread *th, Value self, TextIo *t, Value cookie)
{
    Cookie c;
    Answer negative = compare_answer(th, cookie, value_from_fixnum(0), OP_LT);
    if (negative == YES)
        raise_value_error(th, "negative seek position %R", cookie);
    if (negative != NO || !text_call_flush(th, self) || !cookie_unpack(th, cookie, &c))
        return NULL;
    Value buffer = text_buffer(th, self), start = int_from_i64(th, c.start);
    Value r = buffer && start ? call_method_1(th, buffer, NAME(seek), start) : NULL;
    bool ok = r != NULL;
    if (ok) {
        drop(th, r);
        io_lock(th, &t->read_lock);
        ok = restore_reading(th, t, buffer, &c);
        io_unlock(&t->read_lock);
    }
    drop_null(th, start);
    drop_null(th, buffer);
    if (!ok || !text_reset_encoder(th, t, c.start == 0 && c.flags == 0))
        return NULL;
    return retain(th, cookie);
}

Value
text_seek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    TextIo *t = as_text(self);
    Value cookie = arg(args, 0);
    int whence = SEEK_SET;
    if (nargs > 1 && !arg_int(th, arg(args, 1), &whence))
        return NULL;
    if (!text_open(th, self))
        return NULL;
    if (!load_relaxed(&t->seekable))
        return io_unsupported(th, "underlying stream is not seekable");
    switch (whence) {
    case SEEK_SET:
        return seek_cookie(th, self, t, cookie);
    case SEEK_CUR: {
        /* The buffer is put where the text is. */
        if (!only_zero(th, cookie, "can't do nonzero cur-relative seeks"))
            return NULL;
        Value here = call_method_0(th, self, NAME(tell));
        if (here == NULL)
            return NULL;
        Value r = seek_cookie(th, self, t, here);
        drop(th, here);
        return r;
    }
    case SEEK_END:
        if (!only_zero(th, cookie, "can't do nonzero end-relative seeks"))
            return NULL;
        return seek_to_end(th, self, t);
    default:
        return raise_value_error(th, "invalid whence (%d, should be %d, %d or %d)", whence,
                                 SEEK_SET, SEEK_CUR, SEEK_END);
    }
}

/* -- tell() ------------------------------------------------------------------------------- */

/* What the decoder remembers, to be put back. */
typedef struct SavedDecoder {
    DecoderState own;
    Value state; /* of a decoder of the codecs module, or NULL */
} SavedDecoder;

static bool
decoder_save(Thread *th, TextIo *t, SavedDecoder *saved)
{
    saved->own = t->state;
    saved->state = NULL;
    Value decoder = field_read(th, &t->head, &t->decoder);
    if (decoder == NULL)
        return true;
    saved->state = call_method_0(th, decoder, NAME(getstate));
    drop(th, decoder);
    return saved->state != NULL;
}

/* Keeps the exception that is being raised. */
static bool
decoder_restore(Thread *th, TextIo *t, SavedDecoder *saved)
{
    /* Which line ends were seen is no part of what is put back. */
    saved->own.newlines.seen = t->state.newlines.seen;
    t->state = saved->own;
    if (saved->state == NULL)
        return true;
    Value exc = error_take(th);
    Value decoder = field_read(th, &t->head, &t->decoder);
    Value r = decoder ? call_method_1(th, decoder, NAME(setstate), saved->state) : NONE;
    drop_null(th, decoder);
    drop(th, saved->state);
    bool ok = r != NULL;
    drop_null(th, r);
    io_chain(th, exc);
    return ok && exc == NULL;
}

/* Decodes some bytes: the number of characters; -1: exception. */
static int64_t
decode_length(Thread *th, TextIo *t, const uint8_t *p, int64_t n, bool final)
{
    Value text = text_decode(th, t, p, n, final);
    if (text == NULL)
        return -1;
    int64_t length = (int64_t)str_length(text);
    drop(th, text);
    return length;
}

/* How many bytes wait in the decoder, and its flags; -1: exception. */
static int64_t
decoder_waits(Thread *th, TextIo *t, int64_t *flags)
{
    Value waiting;
    if (!text_decoder_get(th, t, &waiting, flags))
        return -1;
    int64_t n = as_bytes(waiting)->length;
    drop(th, waiting);
    return n;
}

/* A place as far into the n bytes as it can be guessed where the decoder has at most c->skip
 * characters and nothing waits: moves the cookie there.  Returns the bytes before it; -1:
 * exception. */
static int64_t
guess_start(Thread *th, TextIo *t, Cookie *c, const uint8_t *p, int64_t n)
{
    double bytes = t->bytes_per_char * (double)c->skip;
    int64_t at = bytes < (double)n ? (int64_t)bytes : n, back = 1;
    while (at > 0) {
        if (!set_decoder_for(th, t, c))
            return -1;
        int64_t chars = decode_length(th, t, p, at, false), flags;
        if (chars < 0)
            return -1;
        if (chars > c->skip) {
            at -= back;
            back *= 2;
            continue;
        }
        int64_t waits = decoder_waits(th, t, &flags);
        if (waits < 0)
            return -1;
        if (waits == 0) {
            c->start += at;
            c->flags = (int32_t)flags;
            c->skip -= (int32_t)chars;
            return at;
        }
        at -= waits;
        back = 1;
    }
    return set_decoder_for(th, t, c) ? 0 : -1;
}

/* Finds the cookie for the place c->skip characters behind c->start; `input` is what was
 * decoded from there.  The decoder's state is lost. */
static bool
locate(Thread *th, TextIo *t, Cookie *c, Value input)
{
    const uint8_t *p = as_bytes(input)->data;
    int64_t n = as_bytes(input)->length, at = guess_start(th, t, c, p, n);
    if (at < 0)
        return false;
    if (c->skip == 0)
        return true;
    /* Byte by byte: the last place before the goal where nothing waits in the decoder. */
    int64_t chars = 0;
    for (; at < n; at++) {
        int64_t flags, more = decode_length(th, t, p + at, 1, false);
        if (more < 0)
            return false;
        chars += more;
        c->feed++;
        int64_t waits = decoder_waits(th, t, &flags);
        if (waits < 0)
            return false;
        if (waits == 0 && chars <= c->skip) {
            c->start += c->feed;
            c->skip -= (int32_t)chars;
            c->flags = (int32_t)flags;
            c->feed = 0;
            chars = 0;
            if (c->skip == 0)
                return true;
        }
        if (chars >= c->skip)
            return true;
    }
    /* The rest comes out when the decoder is told that the input ends. */
    int64_t more = decode_length(th, t, NULL, 0, true);
    if (more < 0)
        return false;
    c->final = true;
    if (chars + more < c->skip) {
        raise_error(th, &exc_OSError, "can't reconstruct logical file position");
        return false;
    }
    return true;
}

static Value
tell_locked(Thread *th, TextIo *t, Value STEALS at)
{
    Cookie c = {0};
    Value input = load_relaxed(&t->reads) ? field_read(th, &t->head, &t->snapshot) : NULL;
    if (input == NULL)
        return at;
    Value r = NULL;
    bool ok = io_offset(th, at, &c.start, &exc_OverflowError);
    drop(th, at);
    if (ok) {
        c.start -= as_bytes(input)->length;
        c.flags = (int32_t)t->snapshot_flags;
        int64_t used = field_peek(&t->decoded) ? load_relaxed(&t->used) : 0;
        c.skip = (int32_t)used;
        if (used > 0) {
            SavedDecoder saved;
            ok = decoder_save(th, t, &saved);
            if (ok) {
                ok = locate(th, t, &c, input);
                ok = decoder_restore(th, t, &saved) && ok;
            }
        }
        if (ok)
            r = cookie_pack(th, &c);
    }
    drop(th, input);
    return r;
}

Value
text_tell(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (!text_open(th, self))
        return NULL;
    if (!load_relaxed(&t->seekable))
        return io_unsupported(th, "underlying stream is not seekable");
    if (!load_relaxed(&t->telling))
        return raise_error(th, &exc_OSError, "telling position disabled by next() call");
    if (!text_write_out(th, self) || !text_call_flush(th, self))
        return NULL;
    Value buffer = text_buffer(th, self);
    if (buffer == NULL)
        return NULL;
    io_lock(th, &t->read_lock);
    Value at = call_method_0(th, buffer, NAME(tell));
    if (at != NULL)
        at = tell_locked(th, t, at);
    io_unlock(&t->read_lock);
    drop(th, buffer);
    return at;
}
