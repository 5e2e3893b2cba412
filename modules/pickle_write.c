/* pickle_write.c -- objects to a pickle.
 *
 * A Writer lives on the C stack of one dump; all it refers to is counted by it or its caller.
 * Other threads may change the containers meanwhile: items are read one by one, and a dict or set
 * that changes its size raises RuntimeError.
 *
 * From protocol 4 on the output is cut into frames: an opcode and the number of bytes that follow.
 * A frame ends between two objects once it is large enough; very large bytes stand between frames.
 */
#include "modules/pickle.h"

#include "objects/text/codecs.h"
#include "threads/safepoint.h"

#include <inttypes.h>
#include <stdio.h>

#define NO_FRAME SIZE_MAX

enum { FRAME_HEAD = 9, FAST_DEPTH_MAX = 50 };

typedef struct Writer {
    const PickleState *st;
    PickleJob j;
    int fast_depth;
    Memo fast_open;         /* containers being written in fast mode, once they are deep */
    uint8_t *data;
    size_t length, capacity;
    bool framing;
    size_t frame;           /* where the present frame begins, or NO_FRAME */
} Writer;

RAISES static bool save(Thread *th, Writer *w, Value v);
RAISES static bool save_as(Thread *th, Writer *w, Value v, bool persistent);
RAISES static bool save_reduction(Thread *th, Writer *w, Value reduction, Value object);

static COLD bool
pickling_error(Thread *th, const Writer *w, Value message)
{
    if (message != NULL) {
        raise_value(th, as_type(w->st->pickling_error), message);
        drop(th, message);
    }
    return false;
}

/* -- output ---------------------------------------------------------------------------------- */

static bool
reserve(Thread *th, Writer *w, size_t n)
{
    if (LIKELY(w->capacity - w->length >= n))
        return true;
    size_t capacity = w->capacity ? w->capacity * 2 : 512;
    while (capacity - w->length < n) {
        if (capacity > SIZE_MAX / 4) {
            raise_memory(th);
            return false;
        }
        capacity *= 2;
    }
    uint8_t *data = w->data ? buffer_resize(th, w->data, capacity) : buffer_new(th, capacity);
    if (data == NULL)
        return false;
    w->data = data;
    w->capacity = capacity;
    return true;
}

/* Room for n bytes; the caller fills them. */
static uint8_t *
put_space(Thread *th, Writer *w, size_t n)
{
    if (UNLIKELY(!reserve(th, w, n + FRAME_HEAD)))
        return NULL;
    if (w->framing && w->frame == NO_FRAME) {
        w->frame = w->length;
        w->length += FRAME_HEAD;
    }
    uint8_t *p = w->data + w->length;
    w->length += n;
    return p;
}

static bool
put(Thread *th, Writer *w, const void *bytes, size_t n)
{
    uint8_t *p = put_space(th, w, n);
    if (p == NULL)
        return false;
    memcpy(p, bytes, n);
    return true;
}

static inline bool
put_op(Thread *th, Writer *w, int op)
{
    uint8_t *p = put_space(th, w, 1);
    if (p == NULL)
        return false;
    *p = (uint8_t)op;
    return true;
}

static void
store_little(uint8_t *p, uint64_t n, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(n >> 8 * i);
}

/* An opcode with an unsigned number of 1, 2, 4 or 8 bytes. */
static bool
put_number(Thread *th, Writer *w, int op, uint64_t n, int bytes)
{
    uint8_t *p = put_space(th, w, 1 + (size_t)bytes);
    if (p == NULL)
        return false;
    p[0] = (uint8_t)op;
    store_little(p + 1, n, bytes);
    return true;
}

/* Writes the head of the present frame, or takes its place out if the frame is tiny. */
static void
close_frame(Writer *w)
{
    if (!w->framing || w->frame == NO_FRAME)
        return;
    uint8_t *head = w->data + w->frame;
    size_t n = w->length - w->frame - FRAME_HEAD;
    if (n >= PICKLE_FRAME_MIN) {
        head[0] = OP_FRAME;
        store_little(head + 1, n, 8);
    } else {
        memmove(head, head + FRAME_HEAD, n);
        w->length -= FRAME_HEAD;
    }
    w->frame = NO_FRAME;
}

/* Gives what has been written to the file. */
static bool
flush(Thread *th, Writer *w)
{
    close_frame(w);
    if (w->length == 0)
        return true;
    Value bytes = bytes_from(th, w->data, w->length);
    w->length = 0;
    Value r = bytes ? call_1(th, w->j.write, bytes) : NULL;
    drop_null(th, bytes);
    drop_null(th, r);
    return r != NULL;
}

/* Between two objects: ends a frame that is large enough. */
static bool
between_objects(Thread *th, Writer *w)
{
    if (!w->framing || w->frame == NO_FRAME || w->length - w->frame - FRAME_HEAD < PICKLE_FRAME)
        return true;
    close_frame(w);
    return w->j.write == NULL || flush(th, w);
}

/* A head and bytes of any number.  `owner`: bytes object that they are, or NULL. */
static bool
put_payload(Thread *th, Writer *w, const uint8_t *head, size_t head_size, const uint8_t *p,
            size_t n, Value owner)
{
    if (n < PICKLE_FRAME)
        return put(th, w, head, head_size) && put(th, w, p, n);
    bool framing = w->framing;
    close_frame(w);
    w->framing = false;
    bool ok = put(th, w, head, head_size);
    if (ok && w->j.write != NULL) {
        ok = flush(th, w);
        Value bytes = !ok ? NULL : owner ? retain(th, owner) : bytes_from(th, p, n);
        Value r = bytes ? call_1(th, w->j.write, bytes) : NULL;
        drop_null(th, bytes);
        drop_null(th, r);
        ok = r != NULL;
    } else if (ok)
        ok = put(th, w, p, n);
    w->framing = framing;
    return ok;
}

/* -- the memo -------------------------------------------------------------------------------- */

static bool
put_get(Thread *th, Writer *w, size_t number)
{
    char text[32];
    if (!w->j.bin) {
        int n = snprintf(text, sizeof text, "g%zu\n", number);
        return put(th, w, text, (size_t)n);
    }
    if (number < 256)
        return put_number(th, w, OP_BINGET, number, 1);
    if (number <= UINT32_MAX)
        return put_number(th, w, OP_LONG_BINGET, number, 4);
    return pickling_error(th, w, str_from_c(th, "memo id too large for LONG_BINGET"));
}

/* Refers to an object that has been written; NO: it has not. */
static Answer
save_known(Thread *th, Writer *w, Value v)
{
    const MemoEntry *known = memo_find(w->j.memo, v);
    if (known == NULL)
        return NO;
    return put_get(th, w, known->number) ? YES : FAILED;
}

static bool
remember(Thread *th, Writer *w, Value v)
{
    if (w->j.fast)
        return true;
    size_t number = w->j.memo->count;
    char text[32];
    if (!memo_add(th, w->j.memo, v, number))
        return false;
    if (w->j.protocol >= 4)
        return put_op(th, w, OP_MEMOIZE);
    if (!w->j.bin) {
        int n = snprintf(text, sizeof text, "p%zu\n", number);
        return put(th, w, text, (size_t)n);
    }
    if (number < 256)
        return put_number(th, w, OP_BINPUT, number, 1);
    if (number <= UINT32_MAX)
        return put_number(th, w, OP_LONG_BINPUT, number, 4);
    return pickling_error(th, w, str_from_c(th, "memo id too large for LONG_BINPUT"));
}

/* -- fast mode: no memo, so circles must be found otherwise ------------------------------------ */

static bool
fast_enter(Thread *th, Writer *w, Value v)
{
    if (!w->j.fast || ++w->fast_depth < FAST_DEPTH_MAX)
        return true;
    const MemoEntry *open = memo_find(&w->fast_open, v);
    if (open == NULL || open->number == 0)
        return memo_add(th, &w->fast_open, v, 1);
    raise_value_error(th, "fast mode: can't pickle cyclic objects including object type %T at %p",
                      v, (const void *)value_object(v));
    w->fast_depth = -1;
    return false;
}

static bool
fast_leave(Thread *th, Writer *w, Value v)
{
    /* Entries stay, marked as left. */
    if (w->j.fast && w->fast_depth-- >= FAST_DEPTH_MAX)
        return memo_add(th, &w->fast_open, v, 0);
    return true;
}

/* -- numbers and text -------------------------------------------------------------------------- */

static bool
save_bool(Thread *th, Writer *w, bool b)
{
    if (w->j.protocol >= 2)
        return put_op(th, w, b ? OP_NEWTRUE : OP_NEWFALSE);
    return put(th, w, b ? "I01\n" : "I00\n", 4);
}

static bool
save_long(Thread *th, Writer *w, Value v)
{
    int64_t small;
    bool fits = int_fits_i64(v, &small) && small >= INT32_MIN && small <= INT32_MAX;
    if (fits && w->j.bin) {
        if (small >= 0 && small <= 0xff)
            return put_number(th, w, OP_BININT1, (uint64_t)small, 1);
        if (small >= 0 && small <= 0xffff)
            return put_number(th, w, OP_BININT2, (uint64_t)small, 2);
        return put_number(th, w, OP_BININT, (uint64_t)small, 4);
    }
    if (w->j.protocol < 2) {
        Value text = int_to_str(th, v, 10, false);
        if (text == NULL)
            return false;
        bool ok = put_op(th, w, fits ? OP_INT : OP_LONG) &&
                  put(th, w, as_str(text)->data, str_length(text)) &&
                  put(th, w, fits ? "\n" : "L\n", fits ? 1 : 2);
        drop(th, text);
        return ok;
    }
    size_t size = (size_t)int_bit_length(v) / 8 + 1;
    if (size > INT32_MAX) {
        raise_overflow(th, "int too large to pickle");
        return false;
    }
    uint8_t *bytes = buffer_new(th, size);
    if (bytes == NULL)
        return false;
    bool ok = int_to_bytes(th, v, bytes, size, true, true);
    /* -128, -32768 ... fit one byte less. */
    if (ok && size > 1 && bytes[size - 1] == 0xff && (bytes[size - 2] & 0x80) != 0)
        size--;
    ok = ok && put_number(th, w, size < 256 ? OP_LONG1 : OP_LONG4, size, size < 256 ? 1 : 4) &&
         put(th, w, bytes, size);
    buffer_free(bytes);
    return ok;
}

static bool
save_float(Thread *th, Writer *w, Value v)
{
    double d = float_value(v);
    if (!w->j.bin) {
        char text[40];
        int n = double_repr(d, text);
        return put_op(th, w, OP_FLOAT) && put(th, w, text, (size_t)n) && put(th, w, "\n", 1);
    }
    uint8_t *p = put_space(th, w, 9);
    if (p == NULL)
        return false;
    uint64_t bits;
    memcpy(&bits, &d, 8);
    p[0] = OP_BINFLOAT;
    for (int i = 0; i < 8; i++)
        p[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
    return true;
}

/* As "raw-unicode-escape", and what would end the line or the pickle is escaped, too. */
static Value
escape_line(Thread *th, Value s)
{
    StrBuilder b;
    str_builder_init(&b);
    char text[16];
    for (size_t i = 0; i < str_length(s); i++) {
        uint32_t c = str_char(as_str(s), i);
        bool ok;
        if (c > 0xffff || c >= 0x100 || c == '\\' || c == '\n' || c == '\r' || c == 0 || c == 0x1a) {
            int n = snprintf(text, sizeof text, c > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32, c);
            ok = str_builder_ascii(th, &b, text, (size_t)n);
        } else
            ok = str_builder_char(th, &b, c);
        if (!ok) {
            str_builder_free(&b);
            return NULL;
        }
    }
    return str_builder_finish(th, &b);
}

static bool
put_text(Thread *th, Writer *w, const uint8_t *p, size_t n, Value owner)
{
    uint8_t head[9];
    if (n <= 0xff && w->j.protocol >= 4) {
        uint8_t *space = put_space(th, w, 2 + n);
        if (space == NULL)
            return false;
        space[0] = OP_SHORT_BINUNICODE;
        space[1] = (uint8_t)n;
        memcpy(space + 2, p, n);
        return true;
    }
    bool large = n > UINT32_MAX;
    if (large && w->j.protocol < 4) {
        raise_overflow(th, "serializing a string larger than 4 GiB requires pickle protocol 4 or higher");
        return false;
    }
    head[0] = large ? (uint8_t)OP_BINUNICODE8 : (uint8_t)OP_BINUNICODE;
    store_little(head + 1, n, large ? 8 : 4);
    return put_payload(th, w, head, large ? 9 : 5, p, n, owner);
}

static bool
save_str(Thread *th, Writer *w, Value s)
{
    bool ok;
    if (!w->j.bin) {
        Value text = escape_line(th, s);
        if (text == NULL)
            return false;
        ok = put_op(th, w, OP_UNICODE) && put(th, w, as_str(text)->data, str_length(text)) &&
             put(th, w, "\n", 1);
        drop(th, text);
    } else if (as_str(s)->ascii)
        ok = put_text(th, w, as_str(s)->data, str_length(s), NULL);
    else {
        Value bytes = str_encode_utf8(th, s, "surrogatepass");
        if (bytes == NULL)
            return false;
        ok = put_text(th, w, as_bytes(bytes)->data, (size_t)as_bytes(bytes)->length, bytes);
        drop(th, bytes);
    }
    return ok && remember(th, w, s);
}

static bool
save_memory(Thread *th, Writer *w, Value v, const uint8_t *p, size_t n, Value owner)
{
    uint8_t head[9];
    bool large = n > UINT32_MAX;
    if (large && w->j.protocol < 4) {
        raise_overflow(
            th, "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher");
        return false;
    }
    int size = n <= 0xff ? 1 : large ? 8 : 4;
    head[0] = size == 1   ? (uint8_t)OP_SHORT_BINBYTES
              : size == 4 ? (uint8_t)OP_BINBYTES
                          : (uint8_t)OP_BINBYTES8;
    store_little(head + 1, n, size);
    return put_payload(th, w, head, 1 + (size_t)size, p, n, owner) && remember(th, w, v);
}

/* Writes f(*args) as the reduction of `v`; gives `args` up. */
static bool
save_call(Thread *th, Writer *w, Value f, Value STEALS args, Value v)
{
    Value reduction = args ? tuple_pack(th, 2, f, args) : NULL;
    drop_null(th, args);
    bool ok = reduction != NULL && save_reduction(th, w, reduction, v);
    drop_null(th, reduction);
    return ok;
}

static bool
save_bytes(Thread *th, Writer *w, Value v)
{
    const Bytes *b = as_bytes(v);
    if (w->j.protocol >= 3)
        return save_memory(th, w, v, b->data, (size_t)b->length, v);
    /* Old protocols have no bytes: they are made by calls. */
    if (b->length == 0)
        return save_call(th, w, value_of_type(&bytes_type), retain(th, tuple_empty), v);
    Value text = str_from_latin1(th, b->data, (size_t)b->length), name = str_from_c(th, "latin1");
    Value args = text && name ? tuple_pack(th, 2, text, name) : NULL;
    drop_null(th, text);
    drop_null(th, name);
    return save_call(th, w, w->st->codecs_encode, args, v);
}

static bool
save_mutable_memory(Thread *th, Writer *w, Value v, const uint8_t *p, size_t n)
{
    uint8_t head[9];
    head[0] = OP_BYTEARRAY8;
    store_little(head + 1, n, 8);
    return put_payload(th, w, head, 9, p, n, NULL) && remember(th, w, v);
}

static bool
save_bytearray(Thread *th, Writer *w, Value v)
{
    Buffer b;
    if (!buffer_lend(th, v, &b, BUFFER_SIMPLE))
        return false;
    bool ok;
    if (w->j.protocol >= 5)
        ok = save_mutable_memory(th, w, v, b.data, (size_t)b.length);
    else {
        Value args = NULL, bytes = NULL;
        if (b.length == 0)
            args = retain(th, tuple_empty);
        else if ((bytes = bytes_from(th, b.data, (size_t)b.length)) != NULL)
            args = tuple_pack(th, 1, bytes);
        drop_null(th, bytes);
        ok = save_call(th, w, value_of_type(&bytearray_type), args, v);
    }
    buffer_release(th, &b);
    return ok;
}

static bool
is_contiguous(const Buffer *b)
{
    if (b->suboffsets != NULL || b->strides == NULL || b->length == 0)
        return b->suboffsets == NULL;
    int64_t step = b->item_size;
    bool c = true, fortran = true;
    for (int i = b->ndim; i-- > 0; step *= b->shape[i])
        c = c && (b->shape[i] == 1 || b->strides[i] == step);
    step = b->item_size;
    for (int i = 0; i < b->ndim; step *= b->shape[i++])
        fortran = fortran && (b->shape[i] == 1 || b->strides[i] == step);
    return c || fortran;
}

static bool
save_buffer(Thread *th, Writer *w, Value v)
{
    if (w->j.protocol < 5)
        return pickling_error(
            th, w, str_from_c(th, "PickleBuffer can only pickled with protocol >= 5"));
    Buffer b;
    if (!pickle_buffer_memory(th, v, &b))
        return false;
    bool ok = is_contiguous(&b), in_band = true;
    if (!ok)
        pickling_error(th, w,
                       str_from_c(th, "PickleBuffer can not be pickled when pointing to a "
                                      "non-contiguous buffer"));
    else if (w->j.buffer_callback != NULL) {
        Value r = call_1(th, w->j.buffer_callback, v);
        ok = r != NULL && arg_bool(th, r, &in_band);
        drop_null(th, r);
    }
    if (!ok)
        ;
    else if (!in_band)
        ok = put_op(th, w, OP_NEXT_BUFFER) && (!b.readonly || put_op(th, w, OP_READONLY_BUFFER));
    else if (b.readonly)
        ok = save_memory(th, w, v, b.data, (size_t)b.length, NULL);
    else
        ok = save_mutable_memory(th, w, v, b.data, (size_t)b.length);
    buffer_release(th, &b);
    return ok;
}

/* -- tuples, lists, dicts, sets ------------------------------------------------------------------ */

static bool
put_pops(Thread *th, Writer *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!put_op(th, w, OP_POP))
            return false;
    return true;
}

static bool
save_items_of_tuple(Thread *th, Writer *w, Value t)
{
    for (int64_t i = 0; i < tuple_length(t); i++)
        if (!save(th, w, tuple_item(t, i)))
            return false;
    return true;
}

static bool
save_tuple(Thread *th, Writer *w, Value t)
{
    size_t n = (size_t)tuple_length(t);
    if (n == 0)
        return w->j.bin ? put_op(th, w, OP_EMPTY_TUPLE) : put(th, w, "(t", 2);
    bool small = n <= 3 && w->j.protocol >= 2;
    if ((!small && !put_op(th, w, OP_MARK)) || !save_items_of_tuple(th, w, t))
        return false;
    if (memo_find(w->j.memo, t) != NULL) {
        /* Its own items contain it: it is there by now, so the items go again. */
        bool ok = small ? put_pops(th, w, n) : w->j.bin ? put_op(th, w, OP_POP_MARK) : put_pops(th, w, n + 1);
        return ok && save_known(th, w, t) == YES;
    }
    return put_op(th, w, small ? OP_TUPLE1 + (int)n - 1 : OP_TUPLE) && remember(th, w, t);
}

/* One item of an iterator, or a pair of them; gives it up. */
static bool
save_yielded(Thread *th, Writer *w, Value STEALS item, bool pairs)
{
    bool ok;
    if (!pairs)
        ok = save(th, w, item);
    else if (is_tuple(item) && tuple_length(item) == 2)
        ok = save_items_of_tuple(th, w, item);
    else {
        raise_type_error(th, "dict items iterator must return 2-tuples");
        ok = false;
    }
    drop(th, item);
    return ok;
}

/* What an iterator yields, put into the list (pairs: dict) on the stack. */
static bool
save_iterated(Thread *th, Writer *w, Value it, bool pairs)
{
    int one = pairs ? OP_SETITEM : OP_APPEND, many = pairs ? OP_SETITEMS : OP_APPENDS;
    Value item;
    while ((item = iter_next(th, it)) != NULL) {
        Value next = w->j.bin ? iter_next(th, it) : NULL;
        if (next == NULL) {
            if (error_set(th))
                drop(th, item);
            if (error_set(th) || !save_yielded(th, w, item, pairs) || !put_op(th, w, one))
                return false;
            if (w->j.bin)
                return true;
            continue;
        }
        if (!put_op(th, w, OP_MARK)) {
            drop(th, item);
            drop(th, next);
            return false;
        }
        int n = 0;
        for (; item != NULL; n++) {
            bool ok = save_yielded(th, w, item, pairs);
            item = next;
            next = NULL;
            if (!ok) {
                drop_null(th, item);
                return false;
            }
            if (n + 2 < PICKLE_BATCH && item != NULL)
                next = iter_next(th, it);
            if (error_set(th)) {
                drop(th, item);
                return false;
            }
        }
        if (!put_op(th, w, many))
            return false;
        if (n < PICKLE_BATCH)
            return true;
    }
    return !error_set(th);
}

static bool
save_list_items(Thread *th, Writer *w, Value list)
{
    Value v;
    if (list_length(list) == 1) {
        v = list_get(th, list, 0);
        bool ok = v == NULL || (save(th, w, v) && put_op(th, w, OP_APPEND));
        drop_null(th, v);
        return ok;
    }
    for (int64_t i = 0; i < list_length(list);) {
        if (!put_op(th, w, OP_MARK))
            return false;
        for (int n = 0; n < PICKLE_BATCH && (v = list_get(th, list, i)) != NULL; n++, i++) {
            bool ok = save(th, w, v);
            drop(th, v);
            if (!ok)
                return false;
        }
        if (!put_op(th, w, OP_APPENDS))
            return false;
    }
    return true;
}

static bool
save_list(Thread *th, Writer *w, Value list)
{
    bool ok = fast_enter(th, w, list) &&
              (w->j.bin ? put_op(th, w, OP_EMPTY_LIST) : put(th, w, "(l", 2)) &&
              remember(th, w, list);
    if (ok && list_length(list) != 0) {
        if (w->j.bin)
            ok = save_list_items(th, w, list);
        else {
            Value it = get_iter(th, list);
            ok = it != NULL && save_iterated(th, w, it, false);
            drop_null(th, it);
        }
    }
    return fast_leave(th, w, list) && ok;
}

static bool
save_dict_items(Thread *th, Writer *w, Value d)
{
    int64_t length = dict_length(d);
    size_t pos = 0;
    Value key, v;
    int n;
    do {
        bool marked = length > 1;
        if (marked && !put_op(th, w, OP_MARK))
            return false;
        n = 0;
        while (dict_next(th, d, &pos, &key, &v)) {
            bool ok = save(th, w, key) && save(th, w, v);
            drop(th, key);
            drop(th, v);
            if (!ok)
                return false;
            n++;
            if (n == PICKLE_BATCH || !marked)
                break;
        }
        if (n == 0 && !marked)
            break;
        if (!put_op(th, w, marked ? OP_SETITEMS : OP_SETITEM))
            return false;
        if (dict_length(d) != length) {
            raise_error(th, &exc_RuntimeError, "dictionary changed size during iteration");
            return false;
        }
    } while (n == PICKLE_BATCH);
    return true;
}

static bool
save_dict(Thread *th, Writer *w, Value d)
{
    bool ok = fast_enter(th, w, d) &&
              (w->j.bin ? put_op(th, w, OP_EMPTY_DICT) : put(th, w, "(d", 2)) && remember(th, w, d);
    if (ok && dict_length(d) != 0) {
        if (w->j.bin)
            ok = save_dict_items(th, w, d);
        else {
            Value items = call_method_0(th, d, NAME(items));
            Value it = items ? get_iter(th, items) : NULL;
            drop_null(th, items);
            ok = it != NULL && save_iterated(th, w, it, true);
            drop_null(th, it);
        }
    }
    return fast_leave(th, w, d) && ok;
}

/* type([items]): sets before protocol 4. */
static bool
save_set_as_call(Thread *th, Writer *w, Value set)
{
    Value items = sequence_list(th, set);
    Value args = items ? tuple_pack(th, 1, items) : NULL;
    drop_null(th, items);
    return save_call(th, w, value_of_type(type_of(set)), args, set);
}

static bool
save_set_items(Thread *th, Writer *w, Value set, int most, size_t *pos, int *n)
{
    Value v;
    for (*n = 0; *n < most && set_next(th, set, pos, &v); ++*n) {
        bool ok = save(th, w, v);
        drop(th, v);
        if (!ok)
            return false;
    }
    return true;
}

static bool
save_set(Thread *th, Writer *w, Value set)
{
    if (w->j.protocol < 4)
        return save_set_as_call(th, w, set);
    int64_t length = set_length(set);
    size_t pos = 0;
    int n;
    if (!put_op(th, w, OP_EMPTY_SET) || !remember(th, w, set))
        return false;
    if (length == 0)
        return true;
    do {
        if (!put_op(th, w, OP_MARK) || !save_set_items(th, w, set, PICKLE_BATCH, &pos, &n) ||
            !put_op(th, w, OP_ADDITEMS))
            return false;
        if (set_length(set) != length) {
            raise_error(th, &exc_RuntimeError, "set changed size during iteration");
            return false;
        }
    } while (n == PICKLE_BATCH);
    return true;
}

static bool
save_frozenset(Thread *th, Writer *w, Value set)
{
    size_t pos = 0;
    int n;
    if (w->j.protocol < 4)
        return save_set_as_call(th, w, set);
    if (!put_op(th, w, OP_MARK) || !save_set_items(th, w, set, INT32_MAX, &pos, &n))
        return false;
    if (memo_find(w->j.memo, set) != NULL) /* one of its items contains it */
        return put_op(th, w, OP_POP_MARK) && save_known(th, w, set) == YES;
    return put_op(th, w, OP_FROZENSET) && remember(th, w, set);
}

/* -- classes and functions: by name ---------------------------------------------------------- */

/* A number for (module, name) given out by copyreg.add_extension(); ABSENT: NO. */
static Answer
save_extension(Thread *th, Writer *w, Value object, Value module_name, Value name)
{
    Value key = tuple_pack(th, 2, module_name, name), number = NULL;
    Answer found = key ? dict_get(th, w->st->extension_registry, key, &number) : FAILED;
    drop_null(th, key);
    if (found != YES)
        return found;
    int64_t n = 0;
    bool ok = false;
    if (!is_int(number))
        pickling_error(th, w,
                       str_format_c(th, "Can't pickle %R: extension code %R isn't an integer",
                                    object, number));
    else if (!int_fits_i64(number, &n) || n <= 0 || n > INT32_MAX)
        raise_error(th, &exc_RuntimeError, "Can't pickle %R: extension code %V is out of range",
                    object, number);
    else
        ok = n <= 0xff     ? put_number(th, w, OP_EXT1, (uint64_t)n, 1)
             : n <= 0xffff ? put_number(th, w, OP_EXT2, (uint64_t)n, 2)
                           : put_number(th, w, OP_EXT4, (uint64_t)n, 4);
    drop(th, number);
    return ok ? YES : FAILED;
}

/* A name as a line: ASCII before protocol 3. */
static bool
put_name(Thread *th, Writer *w, Value name, const char *what)
{
    if (!is_str(name)) {
        raise_type_error(th, "%s name must be str, not %T", what, name);
        return false;
    }
    if (w->j.protocol < 3 && !as_str(name)->ascii)
        return pickling_error(th, w,
                              str_format_c(th, "can't pickle %s '%V' using pickle protocol %d",
                                           what, name, w->j.protocol));
    size_t n;
    const char *p = str_utf8(th, name, &n);
    return p != NULL && put(th, w, p, n) && put(th, w, "\n", 1);
}

static bool
put_global(Thread *th, Writer *w, Value module_name, Value name)
{
    Value module = retain(th, module_name), short_name = retain(th, name);
    bool ok = w->j.protocol >= 3 || !w->j.fix_imports ||
              pickle_names_3to2(th, &module, &short_name);
    ok = ok && put_op(th, w, OP_GLOBAL) && put_name(th, w, module, "module identifier") &&
         put_name(th, w, short_name, "global identifier");
    drop(th, module);
    drop(th, short_name);
    return ok;
}

/* Finds `object` by its name and makes sure that it is the one; *parent is a new reference to what
 * it is an attribute of, *module to the module. */
static bool
check_global(Thread *th, Writer *w, Value object, Value name, Value parts, Value module_name,
             Value *module, Value *parent)
{
    *module = is_str(module_name) ? pickle_import(th, module_name) : NULL;
    if (*module == NULL)
        return pickling_error(th, w, str_format_c(th, "Can't pickle %R: import of module %R failed",
                                                  object, module_name));
    Value found = pickle_attribute(th, *module, parts, parent);
    if (found == NULL)
        return pickling_error(
            th, w, str_format_c(th, "Can't pickle %R: attribute lookup %V on %V failed", object,
                                name, module_name));
    drop(th, found);
    if (found != object)
        return pickling_error(
            th, w, str_format_c(th, "Can't pickle %R: it's not the same object as %V.%V", object,
                                module_name, name));
    return true;
}

static bool
put_found_global(Thread *th, Writer *w, Value object, Value module_name, Value name, Value last,
                 bool nested, Value parent)
{
    Answer extended =
        w->j.protocol >= 2 ? save_extension(th, w, object, module_name, name) : NO;
    if (extended != NO)
        return extended == YES;
    if (!nested)
        name = last;
    if (w->j.protocol >= 4)
        return save(th, w, module_name) && save(th, w, name) && put_op(th, w, OP_STACK_GLOBAL) &&
               remember(th, w, object);
    if (!nested)
        return put_global(th, w, module_name, name) && remember(th, w, object);
    return save_call(th, w, w->st->getattr, tuple_pack(th, 2, parent, last), object);
}

/* `name` NULL: the object's own. */
static bool
save_global(Thread *th, Writer *w, Value object, Value name)
{
    Value parts = NULL, module_name = NULL, module = NULL, parent = NULL, last = NULL;
    bool ok = false;
    if (name != NULL)
        retain(th, name);
    else {
        Answer has = get_attr_optional(th, object, NAME(__qualname__), &name);
        if (has == NO)
            name = get_attr(th, object, NAME(__name__));
        if (name == NULL)
            return false;
    }
    if (!is_str(name))
        raise_type_error(th, "__qualname__ must be str, not %T", name);
    else
        parts = pickle_name_parts(th, name, NULL);
    module_name = parts ? pickle_which_module(th, object, parts) : NULL;
    if (module_name != NULL &&
        check_global(th, w, object, name, parts, module_name, &module, &parent)) {
        last = list_get(th, parts, list_length(parts) - 1);
        ok = put_found_global(th, w, object, module_name, name, last, parent != module, parent);
    }
    drop(th, name);
    drop_null(th, parts);
    drop_null(th, module_name);
    drop_null(th, module);
    drop_null(th, parent);
    drop_null(th, last);
    return ok;
}

static bool
save_type(Thread *th, Writer *w, Value type)
{
    Value only = type == value_of_type(type_of(NONE))              ? NONE
                 : type == value_of_type(type_of(ELLIPSIS))        ? ELLIPSIS
                 : type == value_of_type(type_of(NOT_IMPLEMENTED)) ? NOT_IMPLEMENTED
                                                                   : NULL;
    if (only == NULL)
        return save_global(th, w, type, NULL);
    return save_call(th, w, value_of_type(&type_type), tuple_pack(th, 1, only), type);
}

/* -- reductions ------------------------------------------------------------------------------- */

typedef struct Reduction {
    Value f, args, state, list_items, dict_items, state_setter; /* borrowed; NULL: none */
} Reduction;

static bool
unpack_reduction(Thread *th, const Writer *w, Value tuple, Reduction *r)
{
    int64_t n = tuple_length(tuple);
    if (n < 2 || n > 6)
        return pickling_error(th, w,
                              str_from_c(th, "tuple returned by __reduce__ must contain 2 through 6 "
                                             "elements"));
    Value v[6] = {NULL};
    for (int64_t i = 0; i < n; i++)
        v[i] = tuple_item(tuple, i) == NONE && i >= 2 ? NULL : tuple_item(tuple, i);
    *r = (Reduction){v[0], v[1], v[2], v[3], v[4], v[5]};
    if (is_callable(r->f) != YES)
        return pickling_error(th, w,
                              str_from_c(th, "first item of the tuple returned by __reduce__ must "
                                             "be callable"));
    if (!is_tuple(r->args))
        return pickling_error(th, w,
                              str_from_c(th, "second item of the tuple returned by __reduce__ must "
                                             "be a tuple"));
    static const char *const names[] = {"fourth", "fifth"};
    for (int i = 3; i <= 4; i++)
        if (v[i] != NULL && !is_iterator(v[i]))
            return pickling_error(th, w,
                                  str_format_c(th, "%s element of the tuple returned by __reduce__ "
                                                   "must be an iterator, not %T",
                                               names[i - 3], v[i]));
    if (v[5] != NULL && is_callable(v[5]) != YES)
        return pickling_error(th, w,
                              str_format_c(th, "sixth element of the tuple returned by __reduce__ "
                                               "must be a function, not %T",
                                           v[5]));
    return true;
}

/* cls.__new__(cls, *args, **kwargs) */
static bool
save_newobj_ex(Thread *th, Writer *w, const Reduction *r)
{
    if (tuple_length(r->args) != 3)
        return pickling_error(th, w,
                              str_format_c(th, "length of the NEWOBJ_EX argument tuple must be "
                                               "exactly 3, not %lld",
                                           (long long)tuple_length(r->args)));
    Value cls = tuple_item(r->args, 0), args = tuple_item(r->args, 1), kwargs = tuple_item(r->args, 2);
    static const char text[] = "%s item from NEWOBJ_EX argument tuple must be a %s, not %T";
    if (!is_type(cls))
        return pickling_error(th, w, str_format_c(th, text, "first", "class", cls));
    if (!is_tuple(args))
        return pickling_error(th, w, str_format_c(th, text, "second", "tuple", args));
    if (!is_dict(kwargs))
        return pickling_error(th, w, str_format_c(th, text, "third", "dict", kwargs));
    if (w->j.protocol >= 4)
        return save(th, w, cls) && save(th, w, args) && save(th, w, kwargs) &&
               put_op(th, w, OP_NEWOBJ_EX);
    /* partial(cls.__new__, cls, *args, **kwargs)() */
    Value make = get_attr(th, cls, NAME(__new__)), first = make ? tuple_pack(th, 2, make, cls) : NULL;
    Value all = first ? sequence_concat(th, first, args) : NULL;
    Value f = all ? call_tuple_dict(th, w->st->partial, all, kwargs) : NULL;
    drop_null(th, make);
    drop_null(th, first);
    drop_null(th, all);
    bool ok = f != NULL && save(th, w, f) && save(th, w, tuple_empty) && put_op(th, w, OP_REDUCE);
    drop_null(th, f);
    return ok;
}

static bool
save_newobj(Thread *th, Writer *w, const Reduction *r, Value object)
{
    if (tuple_length(r->args) < 1)
        return pickling_error(th, w, str_from_c(th, "__newobj__ arglist is empty"));
    Value cls = tuple_item(r->args, 0);
    if (!is_type(cls))
        return pickling_error(
            th, w, str_from_c(th, "args[0] from __newobj__ args is not a type"));
    if (object != NULL) {
        Value own = get_attr(th, object, NAME(__class__));
        if (own == NULL)
            return false;
        drop(th, own);
        if (own != cls)
            return pickling_error(
                th, w, str_from_c(th, "args[0] from __newobj__ args has the wrong class"));
    }
    Value args = tuple_slice(th, r->args, 1, tuple_length(r->args));
    bool ok = args != NULL && save(th, w, cls) && save(th, w, args) && put_op(th, w, OP_NEWOBJ);
    drop_null(th, args);
    return ok;
}

/* The call that makes the object. */
static bool
save_making(Thread *th, Writer *w, const Reduction *r, Value object)
{
    if (w->j.protocol >= 2) {
        Value name = NULL;
        if (get_attr_optional(th, r->f, NAME(__name__), &name) == FAILED)
            return false;
        bool named = name != NULL && is_str(name);
        bool ex = named && str_equal_ascii(name, "__newobj_ex__");
        bool plain = named && str_equal_ascii(name, "__newobj__");
        drop_null(th, name);
        if (ex)
            return save_newobj_ex(th, w, r);
        if (plain)
            return save_newobj(th, w, r, object);
    }
    return save(th, w, r->f) && save(th, w, r->args) && put_op(th, w, OP_REDUCE);
}

static bool
save_reduction(Thread *th, Writer *w, Value reduction, Value object)
{
    Reduction r = {0};
    if (!unpack_reduction(th, w, reduction, &r) || !save_making(th, w, &r, object))
        return false;
    if (object != NULL) {
        const MemoEntry *known = memo_find(w->j.memo, object);
        /* Its own arguments contain it: what was put on the stack goes again. */
        if (known != NULL) {
            size_t number = known->number;
            if (!put_op(th, w, OP_POP) || !put_get(th, w, number))
                return false;
        } else if (!remember(th, w, object))
            return false;
    }
    if ((r.list_items && !save_iterated(th, w, r.list_items, false)) ||
        (r.dict_items && !save_iterated(th, w, r.dict_items, true)))
        return false;
    if (r.state == NULL)
        return true;
    if (r.state_setter == NULL)
        return save(th, w, r.state) && put_op(th, w, OP_BUILD);
    /* state_setter(object, state), whose result is thrown away */
    return save(th, w, r.state_setter) && save(th, w, object) && save(th, w, r.state) &&
           put_op(th, w, OP_TUPLE2) && put_op(th, w, OP_REDUCE) && put_op(th, w, OP_POP);
}

/* What copyreg or the pickler's own table has for the type; NO: nothing. */
static Answer
find_reducer(Thread *th, Writer *w, Value type, Value *f)
{
    *f = NULL;
    if (w->j.dispatch_table == NULL)
        return dict_get(th, w->st->dispatch_table, type, f);
    *f = get_item(th, w->j.dispatch_table, type);
    if (*f != NULL)
        return YES;
    if (!error_matches(th, &exc_KeyError))
        return FAILED;
    error_clear(th);
    return NO;
}

/* Asks the object itself. */
static Value
reduce_by_method(Thread *th, Writer *w, Value v)
{
    Value f, r;
    Answer has = get_attr_optional(th, v, NAME(__reduce_ex__), &f);
    if (has == YES) {
        r = call_1(th, f, value_from_fixnum(w->j.protocol));
        drop(th, f);
        return r;
    }
    if (has == NO)
        has = get_attr_optional(th, v, NAME(__reduce__), &f);
    if (has == YES) {
        r = call_0(th, f);
        drop(th, f);
        return r;
    }
    if (has == NO)
        pickling_error(th, w, str_format_c(th, "can't pickle '%T' object: %R", v, v));
    return NULL;
}

/* An object of any other type. */
static bool
save_object(Thread *th, Writer *w, Value v)
{
    Value reduction = NULL, f;
    Type *type = type_of(v);
    if (w->j.reducer_override != NULL) {
        reduction = call_1(th, w->j.reducer_override, v);
        if (reduction == NULL)
            return false;
        if (reduction == NOT_IMPLEMENTED)
            reduction = NULL;
    }
    if (reduction == NULL) {
        if (type == &type_type)
            return save_type(th, w, v);
        if (type == &function_type)
            return save_global(th, w, v, NULL);
        Answer found = find_reducer(th, w, value_of_type(type), &f);
        if (found == FAILED)
            return false;
        if (found == YES) {
            reduction = call_1(th, f, v);
            drop(th, f);
        } else if (is_type(v))
            return save_global(th, w, v, NULL);
        else
            reduction = reduce_by_method(th, w, v);
        if (reduction == NULL)
            return false;
    }
    bool ok;
    if (is_str(reduction))
        ok = save_global(th, w, v, reduction);
    else if (is_tuple(reduction))
        ok = save_reduction(th, w, reduction, v);
    else
        ok = pickling_error(th, w, str_from_c(th, "__reduce__ must return a string or tuple"));
    drop(th, reduction);
    return ok;
}

/* -- any object --------------------------------------------------------------------------------- */

/* Writes what persistent_id() says; NO: nothing. */
static Answer
save_persistent(Thread *th, Writer *w, Value v)
{
    Value id = call_1(th, w->j.persistent_id, v);
    if (id == NULL)
        return FAILED;
    if (id == NONE)
        return NO;
    bool ok;
    if (w->j.bin)
        ok = save_as(th, w, id, false) && put_op(th, w, OP_BINPERSID);
    else {
        Value text = to_str(th, id);
        if (text != NULL && !as_str(text)->ascii)
            ok = pickling_error(
                th, w, str_from_c(th, "persistent IDs in protocol 0 must be ASCII strings"));
        else
            ok = text != NULL && put_op(th, w, OP_PERSID) &&
                 put(th, w, as_str(text)->data, str_length(text)) && put(th, w, "\n", 1);
        drop_null(th, text);
    }
    drop(th, id);
    return ok ? YES : FAILED;
}

static bool
save_compound(Thread *th, Writer *w, Value v)
{
    switch (shape_of(v)) {
    case SHAPE_DICT: return save_dict(th, w, v);
    case SHAPE_LIST: return save_list(th, w, v);
    case SHAPE_TUPLE: return save_tuple(th, w, v);
    case SHAPE_SET: return save_set(th, w, v);
    case SHAPE_FROZENSET: return save_frozenset(th, w, v);
    case SHAPE_BYTEARRAY: return save_bytearray(th, w, v);
    default: break;
    }
    if (type_of(v) == &pickle_buffer_type)
        return save_buffer(th, w, v);
    return save_object(th, w, v);
}

static bool
save_as(Thread *th, Writer *w, Value v, bool persistent)
{
    if (!between_objects(th, w))
        return false;
    if (persistent && w->j.persistent_id != NULL) {
        Answer done = save_persistent(th, w, v);
        if (done != NO)
            return done == YES;
    }
    if (v == NONE)
        return put_op(th, w, OP_NONE);
    uint32_t shape = shape_of(v);
    if (shape == SHAPE_INT)
        return save_long(th, w, v);
    if (shape == SHAPE_FLOAT)
        return save_float(th, w, v);
    if (is_bool(v))
        return save_bool(th, w, v == TRUE);
    Answer known = save_known(th, w, v);
    if (known != NO)
        return known == YES;
    if (shape == SHAPE_STR)
        return save_str(th, w, v);
    if (shape == SHAPE_BYTES)
        return save_bytes(th, w, v);
    if (!recursion_enter(th, " while pickling an object"))
        return false;
    bool ok = safepoint_poll(th) && save_compound(th, w, v);
    recursion_leave(th);
    return ok;
}

static bool
save(Thread *th, Writer *w, Value v)
{
    return save_as(th, w, v, true);
}

/* The whole pickle. */
static bool
save_all(Thread *th, Writer *w, Value v)
{
    if (w->j.protocol >= 2 && !put_number(th, w, OP_PROTO, (uint64_t)w->j.protocol, 1))
        return false;
    w->framing = w->j.protocol >= 4;
    if (!save(th, w, v) || !put_op(th, w, OP_STOP))
        return false;
    close_frame(w);
    w->framing = false;
    return w->j.write == NULL || flush(th, w);
}

bool
pickle_options(Thread *th, PickleOptions *o, Value protocol, Value fix_imports, Value callback)
{
    int n = PICKLE_DEFAULT;
    o->fix_imports = true;
    o->buffer_callback = callback == NONE ? NULL : callback;
    if (protocol != NULL && protocol != NONE && !arg_int(th, protocol, &n))
        return false;
    if (n < 0)
        n = PICKLE_HIGHEST;
    if (n > PICKLE_HIGHEST) {
        raise_value_error(th, "pickle protocol must be <= %d", PICKLE_HIGHEST);
        return false;
    }
    o->protocol = n;
    if (!arg_bool(th, fix_imports, &o->fix_imports))
        return false;
    if (o->buffer_callback != NULL && n < 5) {
        raise_value_error(th, "buffer_callback needs protocol >= 5");
        return false;
    }
    return true;
}

Value
pickle_file_write(Thread *th, Value file)
{
    Value write = NULL;
    if (get_attr_optional(th, file, NAME(write), &write) == NO)
        raise_type_error(th, "file must have a 'write' attribute");
    return write;
}

Value
pickle_write(Thread *th, Value object, const PickleJob *job)
{
    Writer w = {.st = pickle_state(th), .j = *job, .frame = NO_FRAME};
    Value r = NULL;
    if (save_all(th, &w, object))
        r = job->write ? NONE : bytes_from(th, w.data, w.length);
    buffer_free(w.data);
    memo_clear(th, &w.fast_open);
    return r;
}

Value
pickle_dump(Thread *th, Value object, const PickleOptions *o, Value write)
{
    Memo memo = {0};
    const PickleJob job = {
        .write = write,
        .buffer_callback = o->buffer_callback,
        .protocol = o->protocol,
        .bin = o->protocol > 0,
        .fix_imports = o->fix_imports,
        .memo = &memo,
    };
    Value r = pickle_write(th, object, &job);
    memo_clear(th, &memo);
    return r;
}
