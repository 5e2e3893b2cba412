/* io_text.c -- TextIOWrapper: setting up, writing, closing, attributes, the type.
 *
 * What is written is encoded into `pending`, and goes to the buffer when that is full, at a
 * flush, or with each line or write if the stream was asked to.  See io_text.h for the locks.
 */
#include "modules/io_text.h"

#include "core/run/run.h"
#include "objects/text/codecs.h"
#include "objects/text/text_priv.h"

#include <langinfo.h>
#include <string.h>

#define TEXT_CHUNK 8192

/* -- state -------------------------------------------------------------------------------- */

bool
text_attached(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (LIKELY(load_relaxed(&t->ok)))
        return true;
    raise_value_error(th, load_relaxed(&t->detached) ? "underlying buffer has been detached"
                                                     : "I/O operation on uninitialized object");
    return false;
}

Value
text_buffer(Thread *th, Value self)
{
    Value buffer = field_read(th, value_object(self), &as_text(self)->buffer);
    if (buffer == NULL)
        raise_value_error(th, "underlying buffer has been detached");
    return buffer;
}

/* NO without asking Python code, if that is possible: a buffer of ours over a file of ours. */
static inline bool
plainly_open(Thread *th, TextIo *t)
{
    object_touch(th, &t->head);
    Value buffer = field_peek(&t->buffer); /* neither is used behind a safepoint */
    if (buffer == NULL || !io_is_exact_buffered(buffer))
        return false;
    Buffered *b = as_buffered(buffer);
    object_touch(th, &b->head);
    Value raw = field_peek(&b->raw);
    return raw != NULL && io_is_exact_file(raw) && !io_file_closed(raw) && load_relaxed(&b->ok);
}

/* Whether the stream is closed, by its attribute if a subclass may have changed that. */
static Answer
is_closed(Thread *th, Value self)
{
    if (type_of(self) != &io_text_type) {
        Value v = get_attr(th, self, NAME(closed));
        Answer a = v ? is_true(th, v) : FAILED;
        drop_null(th, v);
        return a;
    }
    Value buffer = text_buffer(th, self);
    if (buffer == NULL)
        return FAILED;
    Answer a = io_closed(th, buffer);
    drop(th, buffer);
    return a;
}

bool
text_open(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (!text_attached(th, self))
        return false;
    if (LIKELY(type_of(self) == &io_text_type && plainly_open(th, t)))
        return true;
    Answer closed = is_closed(th, self);
    if (closed == YES)
        raise_value_error(th, "I/O operation on closed file.");
    return closed == NO;
}

bool
text_errors(Thread *th, TextIo *t, const char **errors, Value *held)
{
    *held = field_read(th, &t->head, &t->errors);
    *errors = *held ? str_c(th, *held) : "strict";
    return *errors != NULL;
}

/* -- codecs ------------------------------------------------------------------------------- */

Value
io_locale_encoding(Thread *th)
{
    if (interp_state(th)->settings.utf8_mode)
        return str_from_c(th, "utf-8");
    const char *name = nl_langinfo(CODESET);
    return str_from_c(th, name != NULL && *name != 0 ? name : "UTF-8");
}

/* Which of the encodings that are coded here has that name. */
static enum TextCodec
codec_of(Value encoding)
{
    static const struct {
        const char *name;
        enum TextCodec codec;
    } rows[] = {{"utf_8", CODEC_UTF8},     {"utf8", CODEC_UTF8},        {"ascii", CODEC_ASCII},
                {"us_ascii", CODEC_ASCII}, {"ansi_x3.4_1968", CODEC_ASCII},
                {"latin_1", CODEC_LATIN1}, {"latin1", CODEC_LATIN1},    {"iso8859_1", CODEC_LATIN1},
                {"iso_8859_1", CODEC_LATIN1}};
    char name[32];
    size_t n = str_length(encoding);
    if (n >= sizeof name || !as_str(encoding)->ascii)
        return CODEC_OTHER;
    for (size_t i = 0; i < n; i++) {
        char c = (char)as_str(encoding)->data[i];
        name[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '-' || c == ' ' ? '_' : c;
    }
    name[n] = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].codec;
    }
    return CODEC_OTHER;
}

/* The codec with that name, if it makes bytes of text. */
static Value
text_codec(Thread *th, Value encoding)
{
    if (str_c(th, encoding) == NULL)
        return NULL;
    Value codec = codec_lookup(th, encoding), flag;
    if (codec == NULL || is_exact(codec, SHAPE_TUPLE))
        return codec;
    Answer has = get_attr_optional(th, codec, NAME(_is_text_encoding), &flag);
    Answer is_text = has == YES ? is_true(th, flag) : has == NO ? YES : FAILED;
    if (has == YES)
        drop(th, flag);
    if (is_text == YES)
        return codec;
    drop(th, codec);
    if (is_text == NO)
        raise_error(th, &exc_LookupError,
                    "'%V' is not a text encoding; use codecs.open() to handle arbitrary codecs",
                    encoding);
    return NULL;
}

/* codec.NAME(errors) */
static Value
make_coder(Thread *th, Value codec, Value name, Value errors)
{
    Value factory = get_attr(th, codec, name);
    if (factory == NULL)
        return NULL;
    Value coder = call_1(th, factory, errors);
    drop(th, factory);
    return coder;
}

/* What a method without arguments of the buffer says: FAILED, NO, YES. */
static Answer
ask(Thread *th, Value buffer, Value name)
{
    Value v = call_method_0(th, buffer, name);
    Answer a = v ? is_true(th, v) : FAILED;
    drop_null(th, v);
    return a;
}

/* In development mode an unknown error handler is found at once. */
static bool
check_errors(Thread *th, Value errors)
{
    if (!interp_state(th)->settings.dev_mode)
        return true;
    Value handler = codec_lookup_error(th, errors);
    drop_null(th, handler);
    return handler != NULL;
}

bool
text_reset_encoder(Thread *th, TextIo *t, bool fresh)
{
    Value encoder = field_read(th, &t->head, &t->encoder);
    if (encoder == NULL)
        return true;
    io_lock(th, &t->write_lock);
    Value r = fresh ? call_method_0(th, encoder, NAME(reset))
                    : call_method_1(th, encoder, NAME(setstate), value_from_fixnum(0));
    io_unlock(&t->write_lock);
    drop(th, encoder);
    drop_null(th, r);
    return r != NULL;
}

/* Tells an encoder that writes a mark at the beginning where the stream stands. */
static bool
place_encoder(Thread *th, TextIo *t, Value buffer)
{
    if (!load_relaxed(&t->seekable) || field_peek(&t->encoder) == NULL)
        return true;
    Value at = call_method_0(th, buffer, NAME(tell));
    if (at == NULL)
        return false;
    Answer zero = values_equal(th, at, value_from_fixnum(0));
    drop(th, at);
    return zero != FAILED && (zero == YES || text_reset_encoder(th, t, false));
}

/* Sets encoding, errors and what follows from them. */
static bool
set_codec(Thread *th, TextIo *t, Value buffer, Value encoding, Value errors)
{
    enum TextCodec kind = codec_of(encoding);
    Value codec = NULL, decoder = NULL, encoder = NULL;
    if (str_c(th, errors) == NULL || !check_errors(th, errors))
        return false;
    if (kind == CODEC_OTHER && (codec = text_codec(th, encoding)) == NULL)
        return false;
    Answer reads = ask(th, buffer, NAME(readable)), writes = FAILED;
    if (reads == FAILED)
        goto fail;
    if (codec != NULL && reads == YES &&
        (decoder = make_coder(th, codec, NAME(incrementaldecoder), errors)) == NULL)
        goto fail;
    writes = ask(th, buffer, NAME(writable));
    if (writes == FAILED)
        goto fail;
    if (codec != NULL && writes == YES &&
        (encoder = make_coder(th, codec, NAME(incrementalencoder), errors)) == NULL)
        goto fail;
    drop_null(th, codec);
    io_lock(th, &t->read_lock);
    field_replace(th, &t->head, &t->decoder, decoder);
    memset(&t->state, 0, sizeof t->state);
    store_relaxed(&t->seen, 0);
    t->state.newlines.translate = load_relaxed(&t->newline) == NEWLINE_UNIVERSAL;
    t->bytes_per_char = 0;
    io_unlock(&t->read_lock);
    io_lock(th, &t->write_lock);
    field_replace(th, &t->head, &t->encoder, encoder);
    io_unlock(&t->write_lock);
    field_replace(th, &t->head, &t->encoding, retain(th, encoding));
    field_replace(th, &t->head, &t->errors, retain(th, errors));
    store_relaxed(&t->codec, kind);
    store_relaxed(&t->strict, str_equal_ascii(errors, "strict"));
    store_relaxed(&t->reads, reads == YES);
    store_relaxed(&t->writes, writes == YES);
    return true;
fail:
    drop_null(th, codec);
    drop_null(th, decoder);
    drop_null(th, encoder);
    return false;
}

/* -- setting up --------------------------------------------------------------------------- */

static bool
parse_newline(Thread *th, Value newline, enum NewlineMode *mode)
{
    if (newline != NULL && newline != NONE && str_c(th, newline) == NULL)
        return false;
    if (io_newline_mode(newline, mode))
        return true;
    raise_value_error(th, "illegal newline value: %V", newline);
    return false;
}

/* None, NULL or "locale": what the locale says. */
static Value
resolve_encoding(Thread *th, Value encoding)
{
    if (encoding == NULL || encoding == NONE || str_equal_ascii(encoding, "locale")) {
        /* An explicit "locale" means the locale in UTF-8 mode, too. */
        if (encoding != NULL && encoding != NONE && interp_state(th)->settings.utf8_mode) {
            const char *name = nl_langinfo(CODESET);
            return str_from_c(th, name != NULL && *name != 0 ? name : "UTF-8");
        }
        return io_locale_encoding(th);
    }
    return retain(th, encoding);
}

static bool
set_up(Thread *th, Value self, Value buffer, Value encoding, Value errors, Value newline,
       bool line_buffering, bool write_through)
{
    TextIo *t = as_text(self);
    enum NewlineMode mode;
    store_relaxed(&t->ok, 0);
    store_relaxed(&t->detached, 0);
    if (!parse_newline(th, newline, &mode))
        return false;
    Value name = resolve_encoding(th, encoding);
    if (name == NULL)
        return false;
    store_relaxed(&t->newline, mode);
    store_relaxed(&t->chunk_size, TEXT_CHUNK);
    store_relaxed(&t->line_buffering, line_buffering);
    store_relaxed(&t->write_through, write_through);
    bool ok = set_codec(th, t, buffer, name, errors ? errors : NAME(strict));
    drop(th, name);
    if (!ok)
        return false;
    io_lock(th, &t->read_lock);
    text_forget(th, t);
    io_unlock(&t->read_lock);
    field_replace(th, &t->head, &t->buffer, retain(th, buffer));
    Answer seekable = ask(th, buffer, NAME(seekable));
    if (seekable == FAILED)
        return false;
    store_relaxed(&t->seekable, seekable == YES);
    store_relaxed(&t->telling, seekable == YES);
    Answer read1 = has_attr(th, buffer, NAME(read1));
    if (read1 == FAILED)
        return false;
    store_relaxed(&t->has_read1, read1 == YES);
    if (!place_encoder(th, t, buffer))
        return false;
    store_relaxed(&t->ok, 1);
    return true;
}

static bool
str_or_none(Thread *th, const char *what, Value v)
{
    if (v == NULL || v == NONE || is_str(v))
        return true;
    raise_type_error(th, "TextIOWrapper() argument '%s' must be str or None, not %B", what, v);
    return false;
}

static bool
text_type_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "TextIOWrapper",
                                     .names = {"buffer", "encoding", "errors", "newline",
                                               "line_buffering", "write_through"},
                                     .positional = 6,
                                     .required = 1};
    Value v[6];
    int line_buffering = 0, write_through = 0;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return false;
    Value errors = v[2] == NONE ? NULL : v[2];
    if (!str_or_none(th, "encoding", v[1]) || !str_or_none(th, "newline", v[3]) ||
        !arg_int(th, v[4], &line_buffering) || !arg_int(th, v[5], &write_through))
        return false;
    if ((v[1] == NULL || v[1] == NONE) && interp_state(th)->settings.warn_default_encoding &&
        !warn(th, &exc_EncodingWarning, 1, "'encoding' argument not specified"))
        return false;
    if (!str_or_none(th, "errors", errors))
        return false;
    return set_up(th, self, v[0], v[1], errors, v[3], line_buffering != 0, write_through != 0);
}

static Value
text_alloc(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

Value
io_text_new(Thread *th, Value buffer, Value encoding, Value errors, Value newline,
            bool line_buffering)
{
    Value v = type_alloc(th, &io_text_type, 0);
    if (v != NULL && !set_up(th, v, buffer, encoding, errors == NONE ? NULL : errors, newline,
                             line_buffering, false))
        DROP_CLEAR(th, v);
    return v;
}

/* -- writing ------------------------------------------------------------------------------ */

/* Whether the state of writing may be used without the lock: until the next safepoint. */
static inline bool
alone(TextIo *t)
{
    return load_relaxed(&threads_started) == 0 && load_relaxed(&t->write_lock.owner) == 0;
}

/* buffer.write(p[0 .. n)); `bytes` is the same as an object, or NULL. */
static bool
give_to_buffer(Thread *th, Value buffer, const uint8_t *p, int64_t n, Value bytes)
{
    if (io_is_exact_buffered(buffer) && type_of(buffer) != &io_reader_type &&
        !io_has_own(th, buffer, NAME(write)))
        return io_buffered_write(th, buffer, p, n);
    Value b = bytes ? retain(th, bytes) : bytes_from(th, p, (size_t)n), r;
    if (b == NULL)
        return false;
    do {
        r = call_method_1(th, buffer, NAME(write), b);
    } while (r == NULL && io_interrupted(th));
    drop(th, b);
    drop_null(th, r);
    return r != NULL;
}

/* write_lock is held. */
static bool
write_out(Thread *th, Value self, TextIo *t)
{
    int64_t n = load_relaxed(&t->pending_length);
    if (n == 0)
        return true;
    Value buffer = text_buffer(th, self);
    if (buffer == NULL)
        return false;
    /* Who writes here from inside the buffer's write() starts anew. */
    uint8_t *pending = t->pending;
    int64_t room = t->pending_room;
    t->pending = NULL;
    t->pending_room = 0;
    store_relaxed(&t->pending_length, 0);
    bool ok = give_to_buffer(th, buffer, pending, n, NULL);
    drop(th, buffer);
    if (t->pending == NULL) {
        t->pending = pending;
        t->pending_room = room;
    } else {
        buffer_free(pending);
    }
    return ok;
}

bool
text_write_out(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (load_relaxed(&t->pending_length) == 0)
        return true;
    io_lock(th, &t->write_lock);
    bool ok = write_out(th, self, t);
    io_unlock(&t->write_lock);
    return ok;
}

/* Makes room for n more bytes of at most a chunk. */
static bool
reserve(Thread *th, TextIo *t, int64_t n)
{
    int64_t need = load_relaxed(&t->pending_length) + n;
    if (LIKELY(need <= t->pending_room))
        return true;
    int64_t room = need < TEXT_CHUNK ? TEXT_CHUNK : 2 * need;
    uint8_t *grown = buffer_resize(th, t->pending, (size_t)room);
    if (grown == NULL)
        return false;
    t->pending = grown;
    t->pending_room = room;
    return true;
}

static inline void
append(TextIo *t, const void *p, int64_t n)
{
    int64_t at = load_relaxed(&t->pending_length);
    if (n > 0) /* nothing is pending where nothing was ever written */
        memcpy(t->pending + at, p, (size_t)n);
    store_relaxed(&t->pending_length, at + n);
}

/* Adds encoded text to what is pending.  write_lock is held. */
static bool
add_pending(Thread *th, Value self, TextIo *t, const uint8_t *p, int64_t n, Value bytes)
{
    int64_t chunk = load_relaxed(&t->chunk_size);
    if (n > chunk - load_relaxed(&t->pending_length) && !write_out(th, self, t))
        return false;
    if (n >= chunk) {
        Value buffer = text_buffer(th, self);
        bool ok = buffer && give_to_buffer(th, buffer, p, n, bytes);
        drop_null(th, buffer);
        return ok;
    }
    if (!reserve(th, t, n))
        return false;
    append(t, p, n);
    return load_relaxed(&t->pending_length) < chunk || write_out(th, self, t);
}

static Value
encode(Thread *th, TextIo *t, Value text)
{
    Value encoder = field_read(th, &t->head, &t->encoder), bytes;
    if (encoder != NULL) {
        bytes = call_method_1(th, encoder, NAME(encode), text);
        drop(th, encoder);
        if (bytes != NULL && !is_bytes(bytes)) {
            raise_type_error(th, "encoder should return a bytes object, not '%T'", bytes);
            DROP_CLEAR(th, bytes);
        }
        return bytes;
    }
    const char *errors = NULL;
    Value held = NULL;
    if (!load_relaxed(&t->strict) && !text_errors(th, t, &errors, &held))
        return NULL;
    switch (load_relaxed(&t->codec)) {
    case CODEC_UTF8: bytes = codec_utf8_encode(th, text, errors); break;
    case CODEC_ASCII: bytes = codec_ascii_encode(th, text, errors); break;
    default: bytes = codec_latin1_encode(th, text, errors); break;
    }
    drop_null(th, held);
    return bytes;
}

/* Encodes and adds.  write_lock is held. */
static bool
encode_pending(Thread *th, Value self, TextIo *t, Value text)
{
    if (as_str(text)->ascii && load_relaxed(&t->codec) != CODEC_OTHER)
        return add_pending(th, self, t, as_str(text)->data, (int64_t)str_length(text), NULL);
    Value bytes = encode(th, t, text);
    if (bytes == NULL)
        return false;
    bool ok = add_pending(th, self, t, as_bytes(bytes)->data, as_bytes(bytes)->length, bytes);
    drop(th, bytes);
    return ok;
}

/* What was read ahead is not valid behind a write. */
static bool
forget_reading(Thread *th, TextIo *t)
{
    if (!load_relaxed(&t->reads))
        return true;
    /* Somebody else may be waiting for input right now: then it is his business. */
    if (!io_lock_is_mine(th, &t->read_lock) && mutex_is_locked(&t->read_lock.mutex))
        return true;
    io_lock(th, &t->read_lock);
    text_forget(th, t);
    bool ok = text_decoder_reset(th, t);
    io_unlock(&t->read_lock);
    return ok;
}

static bool
buffer_flush(Thread *th, Value self)
{
    Value buffer = text_buffer(th, self);
    if (buffer == NULL)
        return false;
    bool ok = io_is_exact_buffered(buffer) && type_of(buffer) != &io_reader_type &&
                      !io_has_own(th, buffer, NAME(flush))
                  ? io_buffered_flush(th, buffer) != NULL
                  : io_call(th, buffer, NAME(flush));
    drop(th, buffer);
    return ok;
}

static bool
write_slow(Thread *th, Value self, Value text)
{
    TextIo *t = as_text(self);
    if (!load_relaxed(&t->writes)) {
        io_unsupported(th, "not writable");
        return false;
    }
    enum NewlineMode mode = load_relaxed(&t->newline);
    const char *line_end = mode == NEWLINE_CR ? "\r" : mode == NEWLINE_CRLF ? "\r\n" : NULL;
    bool buffering = load_relaxed(&t->line_buffering);
    bool has_lf = (line_end != NULL || buffering) && str_contains_char(text, '\n');
    Value changed = NULL;
    if (has_lf && line_end != NULL) {
        Value to = str_from_c(th, line_end);
        changed = to ? str_replace(th, text, str_latin1('\n'), to, -1) : NULL;
        drop_null(th, to);
        if (changed == NULL)
            return false;
    }
    bool flush = buffering && (has_lf || str_contains_char(text, '\r'));
    io_lock(th, &t->write_lock);
    bool ok = encode_pending(th, self, t, changed ? changed : text);
    if (ok && (flush || load_relaxed(&t->write_through)))
        ok = write_out(th, self, t);
    io_unlock(&t->write_lock);
    drop_null(th, changed);
    return ok && (!flush || buffer_flush(th, self)) && forget_reading(th, t);
}

bool
io_text_write(Thread *th, Value self, Value text)
{
    TextIo *t = as_text(self);
    if (!text_open(th, self))
        return false;
    const Str *s = as_str(text);
    int64_t n = (int64_t)s->length;
    /* The common case: ASCII that finds room, on a stream that is only written to. */
    if (LIKELY(alone(t) && s->ascii && load_relaxed(&t->codec) != CODEC_OTHER &&
               load_relaxed(&t->newline) <= NEWLINE_LF && load_relaxed(&t->writes) &&
               !load_relaxed(&t->reads) &&
               !(load_relaxed(&t->line_buffering) | load_relaxed(&t->write_through)) &&
               load_relaxed(&t->pending_length) + n < t->pending_room &&
               load_relaxed(&t->pending_length) + n < load_relaxed(&t->chunk_size))) {
        append(t, s->data, n);
        return true;
    }
    return write_slow(th, self, text);
}

static Value
text_write(Thread *th, Value self, Value text)
{
    if (!is_str(text))
        return raise_type_error(th, "write() argument must be str, not %B", text);
    return io_text_write(th, self, text) ? value_from_fixnum((int64_t)str_length(text)) : NULL;
}

bool
text_call_flush(Thread *th, Value self)
{
    return io_call(th, self, NAME(flush));
}

static Value
text_flush(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (!text_open(th, self))
        return NULL;
    store_relaxed(&t->telling, load_relaxed(&t->seekable));
    if (!text_write_out(th, self))
        return NULL;
    Value buffer = text_buffer(th, self);
    if (buffer == NULL)
        return NULL;
    Value r = call_method_0(th, buffer, NAME(flush));
    drop(th, buffer);
    return r;
}

/* -- closing and changing ----------------------------------------------------------------- */

static Value
text_close(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (!text_attached(th, self))
        return NULL;
    Value v = get_attr(th, self, NAME(closed));
    Answer closed = v ? is_true(th, v) : FAILED;
    drop_null(th, v);
    if (closed != NO)
        return closed == YES ? NONE : NULL;
    Value buffer = text_buffer(th, self), r;
    if (buffer == NULL)
        return NULL;
    if (load_relaxed(&t->finalizing)) {
        r = call_method_1(th, buffer, io_names._dealloc_warn, self);
        if (r == NULL)
            error_clear(th);
        drop_null(th, r);
    }
    Value exc = text_call_flush(th, self) ? NULL : error_take(th);
    r = call_method_0(th, buffer, NAME(close));
    drop(th, buffer);
    if (exc != NULL) {
        drop_null(th, r);
        r = NULL;
        io_chain(th, exc);
    }
    return r;
}

static Value
text_detach(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (!text_attached(th, self) || !text_call_flush(th, self))
        return NULL;
    Value buffer = field_exchange(th, &t->head, &t->buffer, NULL);
    store_relaxed(&t->detached, 1);
    store_relaxed(&t->ok, 0);
    if (buffer == NULL) /* another thread was faster */
        return raise_value_error(th, "underlying buffer has been detached");
    return buffer;
}

static bool
optional_bool(Thread *th, Value v, bool *out)
{
    int n;
    if (v == NULL || v == NONE)
        return true;
    if (!arg_int(th, v, &n))
        return false;
    *out = n != 0;
    return true;
}

static bool
optional_str(Thread *th, Value v)
{
    if (v == NULL || v == NONE || is_str(v))
        return true;
    raise_type_error(th, "bad argument type for built-in operation");
    return false;
}

static bool
change_codec(Thread *th, Value self, TextIo *t, Value encoding, Value errors)
{
    Value buffer = text_buffer(th, self), name, handler;
    if (buffer == NULL)
        return false;
    name = encoding == NULL ? field_read(th, &t->head, &t->encoding)
                            : resolve_encoding(th, encoding);
    handler = errors != NULL     ? retain(th, errors)
              : encoding != NULL ? retain(th, NAME(strict))
                                 : field_read(th, &t->head, &t->errors);
    bool ok = name && handler && set_codec(th, t, buffer, name, handler) &&
              place_encoder(th, t, buffer);
    drop_null(th, name);
    drop_null(th, handler);
    drop(th, buffer);
    return ok;
}

static Value
text_reconfigure(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "reconfigure",
        .names = {"encoding", "errors", "newline", "line_buffering", "write_through"}};
    TextIo *t = as_text(self);
    Value v[5];
    enum NewlineMode mode = load_relaxed(&t->newline);
    bool line_buffering = load_relaxed(&t->line_buffering);
    bool write_through = load_relaxed(&t->write_through);
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value encoding = v[0] == NONE ? NULL : v[0], errors = v[1] == NONE ? NULL : v[1];
    if (!text_attached(th, self))
        return NULL;
    if (field_peek(&t->decoded) != NULL && (encoding || errors || v[2]))
        return io_unsupported(th, "It is not possible to set the encoding or newline of stream "
                                  "after the first read");
    if (v[2] != NULL && (!optional_str(th, v[2]) || !parse_newline(th, v[2], &mode)))
        return NULL;
    if (!optional_bool(th, v[3], &line_buffering) || !optional_bool(th, v[4], &write_through) ||
        !text_call_flush(th, self) || !optional_str(th, encoding) || !optional_str(th, errors))
        return NULL;
    if (v[2] != NULL)
        store_relaxed(&t->newline, mode);
    if ((encoding || errors || v[2]) && !change_codec(th, self, t, encoding, errors))
        return NULL;
    store_relaxed(&t->line_buffering, line_buffering);
    store_relaxed(&t->write_through, write_through);
    return NONE;
}

static Value
text_truncate(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (!text_attached(th, self) || !text_call_flush(th, self))
        return NULL;
    Value buffer = text_buffer(th, self);
    if (buffer == NULL)
        return NULL;
    Value r = call_method_1(th, buffer, NAME(truncate), nargs > 0 ? arg(args, 0) : NONE);
    drop(th, buffer);
    return r;
}

/* -- asking the buffer -------------------------------------------------------------------- */

static Value
forward_call(Thread *th, Value self, Value name)
{
    Value buffer = text_attached(th, self) ? text_buffer(th, self) : NULL;
    if (buffer == NULL)
        return NULL;
    Value r = call_method_0(th, buffer, name);
    drop(th, buffer);
    return r;
}

static Value
forward_get(Thread *th, Value self, Value name)
{
    Value buffer = text_attached(th, self) ? text_buffer(th, self) : NULL;
    if (buffer == NULL)
        return NULL;
    Value r = get_attr(th, buffer, name);
    drop(th, buffer);
    return r;
}

static Value
text_fileno(Thread *th, Value self)
{
    return forward_call(th, self, NAME(fileno));
}

static Value
text_seekable(Thread *th, Value self)
{
    return forward_call(th, self, NAME(seekable));
}

static Value
text_readable(Thread *th, Value self)
{
    return forward_call(th, self, NAME(readable));
}

static Value
text_writable(Thread *th, Value self)
{
    return forward_call(th, self, NAME(writable));
}

static Value
text_isatty(Thread *th, Value self)
{
    return forward_call(th, self, NAME(isatty));
}

static Value
text_get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    return forward_get(th, self, NAME(name));
}

static Value
text_get_closed(Thread *th, Value self, void *closure)
{
    (void)closure;
    if (!text_attached(th, self))
        return NULL;
    return LIKELY(plainly_open(th, as_text(self))) ? FALSE
                                                   : forward_get(th, self, NAME(closed));
}

static Value
text_get_newlines(Thread *th, Value self, void *closure)
{
    (void)closure;
    TextIo *t = as_text(self);
    if (!text_attached(th, self))
        return NULL;
    return load_relaxed(&t->reads) && text_is_universal(t)
               ? io_newlines_seen(th, load_relaxed(&t->seen))
               : NONE;
}

static Value
text_get_errors(Thread *th, Value self, void *closure)
{
    (void)closure;
    TextIo *t = as_text(self);
    if (!load_relaxed(&t->detached) && !text_attached(th, self))
        return NULL;
    Value errors = field_read(th, &t->head, &t->errors);
    return errors ? errors : NONE;
}

static Value
text_get_chunk_size(Thread *th, Value self, void *closure)
{
    (void)closure;
    if (!text_attached(th, self))
        return NULL;
    return int_from_i64(th, load_relaxed(&as_text(self)->chunk_size));
}

static bool
text_set_chunk_size(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    int64_t n;
    if (!text_attached(th, self))
        return false;
    if (v == NULL) {
        raise_error(th, &exc_AttributeError, "cannot delete attribute");
        return false;
    }
    if (!to_ssize(th, v, &n, &exc_ValueError))
        return false;
    if (n <= 0) {
        raise_value_error(th, "a strictly positive integer is required");
        return false;
    }
    store_relaxed(&as_text(self)->chunk_size, n);
    return true;
}

/* " NAME=repr" of an attribute, if there is one. */
static bool
repr_attribute(Thread *th, Value self, Value name, StrBuilder *out)
{
    Value v;
    Answer has = get_attr_optional(th, self, name, &v);
    if (has == FAILED && error_matches(th, &exc_ValueError)) {
        error_clear(th); /* the buffer is detached */
        has = NO;
    }
    if (has != YES)
        return has == NO;
    Value text = str_format_c(th, " %V=%R", name, v);
    drop(th, v);
    bool ok = text != NULL && str_builder_str(th, out, text);
    drop_null(th, text);
    return ok;
}

static Value
text_repr(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (!load_relaxed(&t->detached) && !text_attached(th, self))
        return NULL;
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == FAILED ? NULL
                                : raise_error(th, &exc_RuntimeError,
                                              "reentrant call inside %T.__repr__", self);
    StrBuilder out;
    str_builder_init(&out);
    Value encoding = field_read(th, &t->head, &t->encoding), r = NULL, tail = NULL;
    bool ok = str_builder_c(th, &out, "<_io.TextIOWrapper") &&
              repr_attribute(th, self, NAME(name), &out) &&
              repr_attribute(th, self, NAME(mode), &out) &&
              (tail = str_format_c(th, " encoding=%R>", encoding ? encoding : NONE)) != NULL &&
              str_builder_str(th, &out, tail);
    if (ok)
        r = str_builder_finish(th, &out);
    else
        str_builder_free(&out);
    drop_null(th, tail);
    drop_null(th, encoding);
    repr_leave(th, self);
    return r;
}

/* -- the type ----------------------------------------------------------------------------- */

static void
text_visit(Object *o, VisitFn visit, void *arg)
{
    TextIo *t = (TextIo *)(void *)o;
    field_visit(&t->buffer, visit, arg);
    field_visit(&t->encoding, visit, arg);
    field_visit(&t->errors, visit, arg);
    field_visit(&t->encoder, visit, arg);
    field_visit(&t->decoder, visit, arg);
    field_visit(&t->decoded, visit, arg);
    field_visit(&t->snapshot, visit, arg);
}

static void
text_clear(Thread *th, Object *o)
{
    TextIo *t = (TextIo *)(void *)o;
    store_relaxed(&t->ok, 0);
    field_replace(th, o, &t->buffer, NULL);
    field_replace(th, o, &t->encoder, NULL);
    field_replace(th, o, &t->decoder, NULL);
}

static void
text_dealloc(Thread *th, Object *o)
{
    TextIo *t = (TextIo *)(void *)o;
    buffer_free(t->pending);
    field_drop(th, &t->buffer);
    field_drop(th, &t->encoding);
    field_drop(th, &t->errors);
    field_drop(th, &t->encoder);
    field_drop(th, &t->decoder);
    field_drop(th, &t->decoded);
    field_drop(th, &t->snapshot);
}

static const MethodDef text_methods[] = {
    NATIVE_0("detach", text_detach,
             "detach($self, /)\n--\n\nFlushes, and gives the buffer back."),
    NATIVE_K("reconfigure", text_reconfigure,
             "reconfigure($self, /, *, encoding=None, errors=None, newline=None,\n"
             "            line_buffering=None, write_through=None)\n--\n\n"
             "Changes what the stream was made with."),
    NATIVE_1("write", text_write,
             "write($self, text, /)\n--\n\nWrites a string; returns the number of characters."),
    NATIVE_N("read", text_read, 0, 1,
             "read($self, size=-1, /)\n--\n\nUp to `size` characters; all if it is negative."),
    NATIVE_N("readline", text_readline, 0, 1,
             "readline($self, size=-1, /)\n--\n\nA line, at most `size` characters of it."),
    NATIVE_0("flush", text_flush, "flush($self, /)\n--\n\nWrites out what is pending."),
    NATIVE_0("close", text_close, "close($self, /)\n--\n\nFlushes and closes the stream."),
    NATIVE_0("fileno", text_fileno, "fileno($self, /)\n--\n\nThe file descriptor."),
    NATIVE_0("seekable", text_seekable, "seekable($self, /)\n--\n\nWhether seek() works."),
    NATIVE_0("readable", text_readable,
             "readable($self, /)\n--\n\nWhether the stream can be read."),
    NATIVE_0("writable", text_writable,
             "writable($self, /)\n--\n\nWhether the stream can be written to."),
    NATIVE_0("isatty", text_isatty,
             "isatty($self, /)\n--\n\nWhether the stream is interactive."),
    NATIVE_N("seek", text_seek, 1, 2,
             "seek($self, cookie, whence=0, /)\n--\n\n"
             "Moves to a position that tell() returned, to the beginning or the end."),
    NATIVE_0("tell", text_tell,
             "tell($self, /)\n--\n\nThe position, as a number for seek()."),
    NATIVE_N("truncate", text_truncate, 0, 1,
             "truncate($self, pos=None, /)\n--\n\nCuts the file off."),
    NATIVE_END,
};

static const GetterDef text_getters[] = {
    {.name = "name", .get = text_get_name},
    {.name = "closed", .get = text_get_closed},
    {.name = "newlines", .get = text_get_newlines},
    {.name = "errors", .get = text_get_errors},
    {.name = "_CHUNK_SIZE", .get = text_get_chunk_size, .set = text_set_chunk_size},
    {.name = NULL},
};

static const MemberDef text_members[] = {
    {.name = "encoding", .kind = MEMBER_VALUE_NONE, .offset = offsetof(TextIo, encoding),
     .readonly = true},
    {.name = "buffer", .kind = MEMBER_VALUE_NONE, .offset = offsetof(TextIo, buffer),
     .readonly = true},
    {.name = "line_buffering", .kind = MEMBER_BOOL, .offset = offsetof(TextIo, line_buffering),
     .readonly = true},
    {.name = "write_through", .kind = MEMBER_BOOL, .offset = offsetof(TextIo, write_through),
     .readonly = true},
    {.name = "_finalizing", .kind = MEMBER_BOOL, .offset = offsetof(TextIo, finalizing)},
    {.name = NULL},
};

Type io_text_type;
const TypeSpec io_text_spec = {
    .name = "_io.TextIOWrapper",
    .base = &io_text_base_type,
    .size = sizeof(TextIo),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "TextIOWrapper(buffer, encoding=None, errors=None, newline=None,\n"
           "              line_buffering=False, write_through=False)\n--\n\n"
           "Text over a buffered stream of bytes.\n\n"
           "`encoding` is the locale's by default, `errors` \"strict\".  `newline` is None, '',\n"
           "'\\n', '\\r' or '\\r\\n'.  Reading: with None every line end becomes \"\\n\"; with ''\n"
           "all end lines and stay as they are; else only the one given does.  Writing: with\n"
           "None, '' and '\\n' nothing changes; else \"\\n\" becomes the string given.\n"
           "With line_buffering a write() that contains a line end is followed by flush().",
    .methods = text_methods,
    .getters = text_getters,
    .members = text_members,
    .slots = {.repr = text_repr, .next = text_next, .init = text_type_init, .new = text_alloc},
    .visit = text_visit,
    .clear = text_clear,
    .dealloc = text_dealloc,
};
