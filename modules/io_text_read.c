/* io_text_read.c -- TextIOWrapper: decoding, read(), readline(), iteration. */
#include "modules/io_text.h"

#include "objects/text/codecs.h"
#include "objects/text/text_priv.h"

#include <string.h>

/* Whether the state of reading may be used without the lock: until the next safepoint. */
static inline bool
alone(TextIo *t)
{
    return load_relaxed(&threads_started) == 0 && load_relaxed(&t->read_lock.owner) == 0;
}

/* -- decoders ----------------------------------------------------------------------------- */

/* UTF-8, with the bytes that wait in front. */
static Value
decode_utf8(Thread *th, TextIo *t, const uint8_t *p, size_t n, const char *errors, bool final)
{
    DecoderState *s = &t->state;
    uint8_t *joined = NULL;
    size_t consumed = 0;
    if (s->part_length > 0) {
        joined = buffer_new(th, s->part_length + n + 1);
        if (joined == NULL)
            return NULL;
        memcpy(joined, s->part, s->part_length);
        if (n > 0)
            memcpy(joined + s->part_length, p, n);
        n += s->part_length;
        p = joined;
    }
    Value text = codec_utf8_decode(th, p, n, errors, final ? NULL : &consumed);
    if (text != NULL) {
        size_t rest = final ? 0 : n - consumed;
        if (rest > sizeof s->part) {
            drop(th, text);
            text = raise_system_error(th, "too many bytes of one character");
        } else {
            if (rest > 0) /* p may be NULL */
                memmove(s->part, p + n - rest, rest);
            s->part_length = (uint8_t)rest;
        }
    }
    buffer_free(joined);
    return text;
}

static Value
decode_natively(Thread *th, TextIo *t, const uint8_t *p, size_t n, bool final)
{
    if (load_relaxed(&t->codec) == CODEC_LATIN1)
        return codec_latin1_decode(th, p, n);
    const char *errors = NULL;
    Value held = NULL;
    if (!load_relaxed(&t->strict) && !text_errors(th, t, &errors, &held))
        return NULL;
    Value text = load_relaxed(&t->codec) == CODEC_UTF8 ? decode_utf8(th, t, p, n, errors, final)
                                                       : codec_ascii_decode(th, p, n, errors);
    drop_null(th, held);
    return text;
}

static Value
decode_by_object(Thread *th, Value decoder, Value input, bool final)
{
    Value text = call_method_2(th, decoder, NAME(decode), input, bool_from(final));
    if (text != NULL && !is_str(text)) {
        raise_type_error(th, "decoder should return a string result, not '%T'", text);
        DROP_CLEAR(th, text);
    }
    return text;
}

/* Decodes `input`, whose bytes are p[0 .. n). */
static Value
decode(Thread *th, TextIo *t, Value input, const uint8_t *p, int64_t n, bool final)
{
    Value decoder = field_read(th, &t->head, &t->decoder), text;
    if (decoder == NULL) {
        text = decode_natively(th, t, p, (size_t)n, final);
    } else {
        Value bytes = input ? retain(th, input) : bytes_from(th, p, (size_t)n);
        text = bytes ? decode_by_object(th, decoder, bytes, final) : NULL;
        drop_null(th, bytes);
        drop(th, decoder);
    }
    if (text != NULL && text_is_universal(t)) {
        text = io_newlines_decode(th, &t->state.newlines, text, final);
        store_relaxed(&t->seen, t->state.newlines.seen);
    }
    return text;
}

Value
text_decode(Thread *th, TextIo *t, const uint8_t *p, int64_t n, bool final)
{
    return decode(th, t, NULL, p, n, final);
}

bool
text_decoder_get(Thread *th, TextIo *t, Value *waiting, int64_t *flags)
{
    Value decoder = field_read(th, &t->head, &t->decoder);
    if (decoder == NULL) {
        *waiting = bytes_from(th, t->state.part, t->state.part_length);
        if (*waiting == NULL)
            return false;
        *flags = 0;
    } else {
        Value state = call_method_0(th, decoder, NAME(getstate));
        drop(th, decoder);
        if (state == NULL)
            return false;
        bool good = is_tuple(state) && tuple_length(state) == 2 && is_int(tuple_item(state, 1));
        if (!good)
            raise_type_error(th, "illegal decoder state");
        else if (!is_bytes(tuple_item(state, 0)))
            raise_type_error(th, "illegal decoder state: the first item should be a bytes object, "
                                 "not '%T'",
                             tuple_item(state, 0));
        else if (int_to_i64(th, tuple_item(state, 1), flags))
            *waiting = retain(th, tuple_item(state, 0));
        drop(th, state);
        if (error_set(th))
            return false;
    }
    if (text_is_universal(t))
        *flags = (int64_t)((uint64_t)*flags << 1) | t->state.newlines.pending_cr;
    return true;
}

bool
text_decoder_reset(Thread *th, TextIo *t)
{
    t->state.part_length = 0;
    t->state.newlines.pending_cr = 0;
    t->state.newlines.seen = 0;
    store_relaxed(&t->seen, 0);
    Value decoder = field_read(th, &t->head, &t->decoder);
    if (decoder == NULL)
        return true;
    bool ok = io_call(th, decoder, NAME(reset));
    drop(th, decoder);
    return ok;
}

bool
text_decoder_set(Thread *th, TextIo *t, int64_t flags)
{
    t->state.part_length = 0;
    if (text_is_universal(t)) {
        t->state.newlines.pending_cr = flags & 1;
        flags >>= 1;
    }
    Value decoder = field_read(th, &t->head, &t->decoder);
    if (decoder == NULL)
        return true;
    Value number = int_from_i64(th, flags);
    Value state = number ? tuple_pack(th, 2, bytes_empty, number) : NULL;
    Value r = state ? call_method_1(th, decoder, NAME(setstate), state) : NULL;
    drop_null(th, number);
    drop_null(th, state);
    drop(th, decoder);
    if (r == NULL)
        return false;
    drop(th, r);
    return true;
}

/* -- what was decoded --------------------------------------------------------------------- */

void
text_forget(Thread *th, TextIo *t)
{
    if (field_peek(&t->decoded) != NULL)
        field_replace(th, &t->head, &t->decoded, NULL);
    if (field_peek(&t->snapshot) != NULL)
        field_replace(th, &t->head, &t->snapshot, NULL);
    store_relaxed(&t->used, 0);
}

/* Up to n characters (-1: all) of what was decoded. */
static Value
give_out(Thread *th, TextIo *t, int64_t n)
{
    Value decoded = field_read(th, &t->head, &t->decoded);
    if (decoded == NULL)
        return retain(th, str_empty);
    int64_t used = load_relaxed(&t->used), left = (int64_t)str_length(decoded) - used;
    if (n < 0 || n > left)
        n = left;
    Value r = used > 0 || n < left ? str_substring(th, decoded, (size_t)used, (size_t)(used + n))
                                   : retain(th, decoded);
    if (r != NULL)
        store_relaxed(&t->used, used + n);
    drop(th, decoded);
    return r;
}

/* Reads from the buffer: a bytes-like object. */
static Value
read_input(Thread *th, Value self, TextIo *t, int64_t n)
{
    Value buffer = text_buffer(th, self), input;
    if (buffer == NULL)
        return NULL;
    bool read1 = load_relaxed(&t->has_read1);
    if (read1 && io_is_exact_buffered(buffer) && type_of(buffer) != &io_writer_type &&
        !io_has_own(th, buffer, NAME(read1)))
        input = io_buffered_read1(th, buffer, n);
    else
        input = call_method_1(th, buffer, read1 ? NAME(read1) : NAME(read), value_from_fixnum(n));
    drop(th, buffer);
    if (input != NULL && !has_buffer(input)) {
        raise_type_error(th, "underlying %s() should have returned a bytes-like object, not '%T'",
                         read1 ? "read1" : "read", input);
        DROP_CLEAR(th, input);
    }
    return input;
}

/* `waiting` + input, as bytes: what the decoder was given since `flags`. */
static bool
take_snapshot(Thread *th, TextIo *t, Value waiting, int64_t flags, Value input, const Buffer *b)
{
    Value all;
    if (as_bytes(waiting)->length == 0 && is_exact(input, SHAPE_BYTES)) {
        all = retain(th, input);
    } else {
        size_t m = (size_t)as_bytes(waiting)->length, n = (size_t)b->length;
        all = bytes_new(th, m + n);
        if (all == NULL)
            return false;
        if (m > 0)
            memcpy(as_bytes(all)->data, as_bytes(waiting)->data, m);
        if (n > 0)
            memcpy(as_bytes(all)->data + m, b->data, n);
    }
    field_replace(th, &t->head, &t->snapshot, all);
    t->snapshot_flags = flags;
    return true;
}

/* Reads and decodes a chunk: YES; NO at the end. */
static Answer
read_chunk(Thread *th, Value self, TextIo *t, int64_t hint)
{
    bool telling = load_relaxed(&t->telling);
    Value waiting = NULL, input = NULL, text;
    int64_t flags = 0, n = load_relaxed(&t->chunk_size);
    Buffer b;
    Answer answer = FAILED;
    if (telling && !text_decoder_get(th, t, &waiting, &flags))
        return FAILED;
    if (hint > 0) {
        double want = (double)hint * (t->bytes_per_char > 1 ? t->bytes_per_char : 1);
        if (want > (double)n && want < 9e18)
            n = (int64_t)want;
    }
    input = read_input(th, self, t, n);
    if (input == NULL || !buffer_read(th, input, &b, BUFFER_SIMPLE))
        goto end;
    bool final = b.length == 0;
    text = decode(th, t, input, b.data, b.length, final);
    if (text != NULL) {
        int64_t chars = (int64_t)str_length(text);
        t->bytes_per_char = chars > 0 ? (double)b.length / (double)chars : 0;
        field_replace(th, &t->head, &t->decoded, text);
        store_relaxed(&t->used, 0);
        if (!telling || take_snapshot(th, t, waiting, flags, input, &b))
            answer = final && chars == 0 ? NO : YES;
    }
    buffer_release(th, &b);
end:
    drop_null(th, input);
    drop_null(th, waiting);
    return answer;
}

/* -- read() ------------------------------------------------------------------------------- */

static bool
can_read(Thread *th, Value self)
{
    if (!text_open(th, self))
        return false;
    if (load_relaxed(&as_text(self)->reads))
        return true;
    io_unsupported(th, "not readable");
    return false;
}

static Value
read_rest(Thread *th, Value self, TextIo *t)
{
    Value buffer = text_buffer(th, self);
    Value input = buffer ? call_method_0(th, buffer, NAME(read)) : NULL, rest = NULL;
    drop_null(th, buffer);
    if (input == NULL)
        return NULL;
    Buffer b;
    if (buffer_read(th, input, &b, BUFFER_SIMPLE)) {
        rest = decode(th, t, input, b.data, b.length, true);
        buffer_release(th, &b);
    }
    drop(th, input);
    if (rest == NULL)
        return NULL;
    Value first = give_out(th, t, -1);
    Value all = first == NULL               ? NULL
                : str_length(first) == 0 ? retain(th, rest)
                                         : str_concat(th, first, rest);
    drop_null(th, first);
    drop(th, rest);
    if (all != NULL)
        text_forget(th, t);
    return all;
}

static Value
read_count(Thread *th, Value self, TextIo *t, int64_t n)
{
    Value first = give_out(th, t, n);
    if (first == NULL)
        return NULL;
    int64_t left = n - (int64_t)str_length(first);
    if (left == 0)
        return first;
    StrBuilder all;
    str_builder_init(&all);
    bool ok = str_builder_str(th, &all, first);
    drop(th, first);
    while (ok && left > 0) {
        Answer more = read_chunk(th, self, t, left);
        if (more == FAILED) {
            ok = io_interrupted(th);
            continue;
        }
        if (more == NO)
            break;
        Value next = give_out(th, t, left);
        ok = next != NULL && str_builder_str(th, &all, next);
        if (next != NULL) {
            left -= (int64_t)str_length(next);
            drop(th, next);
        }
    }
    if (ok)
        return str_builder_finish(th, &all);
    str_builder_free(&all);
    return NULL;
}

Value
text_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    TextIo *t = as_text(self);
    int64_t n = -1;
    if (nargs > 0 && !io_size_arg(th, arg(args, 0), &n))
        return NULL;
    if (!can_read(th, self) || !text_write_out(th, self))
        return NULL;
    io_lock(th, &t->read_lock);
    Value r = n < 0 ? read_rest(th, self, t) : read_count(th, self, t, n);
    io_unlock(&t->read_lock);
    return r;
}

/* -- readline() --------------------------------------------------------------------------- */

/* Where the line that begins at the first unused character ends: with its end, or after
 * `limit` characters (-1: no limit); -1: not in what was decoded. */
static inline int64_t
line_in_decoded(const TextIo *t, const Str *s, int64_t limit)
{
    int64_t used = load_relaxed(&t->used), end = (int64_t)s->length;
    bool limited = limit >= 0 && end - used >= limit;
    if (limited)
        end = used + limit;
    int64_t at = io_line_end(s->data, (uint8_t)s->width, used, end, load_relaxed(&t->newline));
    return at >= 0 ? at : limited ? end : -1;
}

static Value
read_line(Thread *th, Value self, TextIo *t, int64_t limit)
{
    StrBuilder line;
    bool started = false, split = false; /* split: "\r" is the last character of `line` */
    Value r = NULL;
    int64_t length = 0;
    str_builder_init(&line);
    for (;;) {
        Value decoded = field_read(th, &t->head, &t->decoded);
        if (decoded != NULL) {
            const Str *s = as_str(decoded);
            int64_t used = load_relaxed(&t->used), left = (int64_t)s->length - used;
            if (left > 0) {
                int64_t end;
                if (split && str_char(s, (size_t)used) == '\n')
                    end = used + 1;
                else
                    end = line_in_decoded(t, s, limit < 0 ? -1 : limit - length);
                int64_t stop = end >= 0 ? end : (int64_t)s->length;
                if (end >= 0 && !started) {
                    r = str_substring(th, decoded, (size_t)used, (size_t)stop);
                    if (r != NULL)
                        store_relaxed(&t->used, stop);
                    drop(th, decoded);
                    return r;
                }
                if (!str_builder_sub(th, &line, decoded, (size_t)used, (size_t)stop)) {
                    drop(th, decoded);
                    goto fail;
                }
                started = true;
                length += stop - used;
                split = load_relaxed(&t->newline) == NEWLINE_CRLF &&
                        str_char(s, (size_t)stop - 1) == '\r';
                store_relaxed(&t->used, stop);
                if (end >= 0) {
                    drop(th, decoded);
                    break;
                }
            }
            drop(th, decoded);
        }
        if (limit >= 0 && length >= limit)
            break;
        Answer more = read_chunk(th, self, t, 0);
        if (more == FAILED) {
            if (io_interrupted(th))
                continue;
            goto fail;
        }
        if (more == NO) {
            text_forget(th, t);
            break;
        }
    }
    return str_builder_finish(th, &line);
fail:
    str_builder_free(&line);
    return NULL;
}

static Value
readline_limited(Thread *th, Value self, int64_t limit)
{
    TextIo *t = as_text(self);
    if (!text_open(th, self))
        return NULL;
    if (LIKELY(alone(t) && load_relaxed(&t->pending_length) == 0)) {
        Value decoded = field_peek(&t->decoded); /* no safepoint until it is used */
        if (decoded != NULL && load_relaxed(&t->used) < (int64_t)str_length(decoded)) {
            int64_t end = line_in_decoded(t, as_str(decoded), limit);
            if (end >= 0) {
                Value r = str_substring(th, decoded, (size_t)load_relaxed(&t->used), (size_t)end);
                if (r != NULL)
                    store_relaxed(&t->used, end);
                return r;
            }
        }
    }
    if (!text_write_out(th, self))
        return NULL;
    if (!load_relaxed(&t->reads))
        return io_unsupported(th, "not readable");
    io_lock(th, &t->read_lock);
    Value r = limit == 0 ? retain(th, str_empty) : read_line(th, self, t, limit);
    io_unlock(&t->read_lock);
    return r;
}

Value
text_readline(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t limit = -1;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &limit))
        return NULL;
    return readline_limited(th, self, limit < 0 ? -1 : limit);
}

Value
text_next(Thread *th, Value self)
{
    TextIo *t = as_text(self);
    if (!text_attached(th, self))
        return NULL;
    if (load_relaxed(&t->telling))
        store_relaxed(&t->telling, 0);
    Value line;
    if (LIKELY(type_of(self) == &io_text_type)) {
        line = readline_limited(th, self, -1);
    } else {
        line = call_method_0(th, self, NAME(readline));
        if (line != NULL && !is_str(line)) {
            raise_error(th, &exc_OSError, "readline() should have returned a str object, not '%T'",
                        line);
            drop(th, line);
            return NULL;
        }
    }
    if (line == NULL)
        return NULL;
    if (LIKELY(str_length(line) > 0))
        return line;
    drop(th, line);
    io_lock(th, &t->read_lock);
    if (field_peek(&t->snapshot) != NULL)
        field_replace(th, &t->head, &t->snapshot, NULL);
    io_unlock(&t->read_lock);
    store_relaxed(&t->telling, load_relaxed(&t->seekable));
    return NULL;
}
