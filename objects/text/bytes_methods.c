/* bytes_methods.c -- the methods that bytes and bytearray share.
 *
 * Each works on a look at self's bytes, taken after the arguments are converted: until the
 * next call of Python code the look stays valid, also when another thread changes the
 * bytearray (its old memory is retired).  Results are of self's kind.
 */
#include "objects/text/bytes_priv.h"

#include "objects/container/fast.h"
#include "threads/safepoint.h"

static inline bool
makes_bytearray(Value self)
{
    return is_bytearray(self);
}

/* `n` bytes at p, of self's kind; self itself if that is all of an exact bytes. */
static Value
result_of(Thread *th, Value self, ByteView whole, const uint8_t *p, size_t n)
{
    if (n == whole.n && is_exact(self, SHAPE_BYTES)) {
        return retain(th, self);
    }
    return bytes_or_bytearray(th, makes_bytearray(self), p, n);
}

/* A new result of n bytes, to be filled in. */
static Value
result_new(Thread *th, Value self, size_t n, uint8_t **data)
{
    if (makes_bytearray(self)) {
        return bytearray_new(th, n, data);
    }
    Value v = bytes_new(th, n);
    *data = v == NULL ? NULL : as_bytes(v)->data;
    return v;
}

/* -- finding -- */

static bool
find_common(Thread *th, const char *name, Value self, const Arg *args, size_t nargs,
            bool from_right, int64_t *at)
{
    int64_t start, end;
    ByteArg sub;
    if (!args_range(th, name, args, nargs, &start, &end) ||
        !byte_arg_or_int(th, arg(args, 0), &sub)) {
        return false;
    }
    ByteView b = byte_glance(th, self);
    *at = -1;
    if (range_clip((int64_t)b.n, &start, &end)) {
        Chars part = chars_sub(view_chars(b), (size_t)start, (size_t)end);
        int64_t found = from_right ? chars_rfind(part, byte_arg_chars(&sub))
                                   : chars_find(part, byte_arg_chars(&sub));
        *at = found < 0 ? -1 : found + start;
    }
    byte_arg_free(th, &sub);
    return true;
}

Value
bytes_find_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    return find_common(th, "find", self, args, nargs, false, &at) ? value_from_fixnum(at) : NULL;
}

static Value
rfind_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    return find_common(th, "rfind", self, args, nargs, true, &at) ? value_from_fixnum(at) : NULL;
}

static Value
index_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    if (!find_common(th, "index", self, args, nargs, false, &at)) {
        return NULL;
    }
    return at >= 0 ? value_from_fixnum(at) : raise_value_error(th, "subsection not found");
}

static Value
rindex_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    if (!find_common(th, "rindex", self, args, nargs, true, &at)) {
        return NULL;
    }
    return at >= 0 ? value_from_fixnum(at) : raise_value_error(th, "subsection not found");
}

static Value
count_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t start, end;
    ByteArg sub;
    if (!args_range(th, "count", args, nargs, &start, &end) ||
        !byte_arg_or_int(th, arg(args, 0), &sub)) {
        return NULL;
    }
    ByteView b = byte_glance(th, self);
    size_t n = 0;
    if (range_clip((int64_t)b.n, &start, &end)) {
        n = chars_count(chars_sub(view_chars(b), (size_t)start, (size_t)end),
                        byte_arg_chars(&sub), SIZE_MAX);
    }
    byte_arg_free(th, &sub);
    return value_from_fixnum((int64_t)n);
}

Answer
bytes_contains(Thread *th, Value self, Value item)
{
    ByteArg sub;
    if (is_int(item) || (!has_buffer(item) && SLOT(type_of(item), index) != NULL)) {
        sub.pinned = false;
        sub.p = &sub.byte;
        sub.n = 1;
        if (!byte_value(th, item, &sub.byte)) {
            return FAILED;
        }
    } else if (!byte_arg(th, item, &sub)) {
        return FAILED;
    }
    bool found = chars_find(view_chars(byte_glance(th, self)), byte_arg_chars(&sub)) >= 0;
    byte_arg_free(th, &sub);
    return found ? YES : NO;
}

/* -- startswith, endswith -- */

static bool
tail_match(Thread *th, Value self, Value sub, int64_t start, int64_t end, bool at_end, bool *match)
{
    ByteArg x;
    if (!byte_arg(th, sub, &x)) {
        return false;
    }
    ByteView b = byte_glance(th, self);
    *match = false;
    if (range_clip((int64_t)b.n, &start, &end) && (int64_t)x.n <= end - start) {
        const uint8_t *p = at_end ? b.p + (size_t)end - x.n : b.p + start;
        *match = x.n == 0 || memcmp(p, x.p, x.n) == 0;
    }
    byte_arg_free(th, &x);
    return true;
}

static Value
tail_method(Thread *th, Value self, const Arg *args, size_t nargs, bool at_end, const char *name)
{
    int64_t start, end;
    bool match = false;
    if (!args_range(th, name, args, nargs, &start, &end)) {
        return NULL;
    }
    Value sub = arg(args, 0);
    if (is_tuple(sub)) {
        for (int64_t i = 0; i < tuple_length(sub); i++) {
            if (!tail_match(th, self, tuple_item(sub, i), start, end, at_end, &match)) {
                return NULL;
            }
            if (match) {
                return TRUE;
            }
        }
        return FALSE;
    }
    if (!has_buffer(sub)) {
        return raise_type_error(th, "%s first arg must be bytes or a tuple of bytes, not %T",
                                name, sub);
    }
    return tail_match(th, self, sub, start, end, at_end, &match) ? bool_from(match) : NULL;
}

static Value
startswith_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return tail_method(th, self, args, nargs, false, "startswith");
}

static Value
endswith_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return tail_method(th, self, args, nargs, true, "endswith");
}

static Value
removeprefix_method(Thread *th, Value self, Value prefix)
{
    ByteArg x;
    if (!byte_arg(th, prefix, &x)) {
        return NULL;
    }
    ByteView b = byte_view(th, self);
    size_t skip = x.n <= b.n && (x.n == 0 || memcmp(b.p, x.p, x.n) == 0) ? x.n : 0;
    Value v = result_of(th, self, b, b.p + skip, b.n - skip);
    byte_arg_free(th, &x);
    return v;
}

static Value
removesuffix_method(Thread *th, Value self, Value suffix)
{
    ByteArg x;
    if (!byte_arg(th, suffix, &x)) {
        return NULL;
    }
    ByteView b = byte_view(th, self);
    size_t skip = x.n <= b.n && (x.n == 0 || memcmp(b.p + b.n - x.n, x.p, x.n) == 0) ? x.n : 0;
    Value v = result_of(th, self, b, b.p, b.n - skip);
    byte_arg_free(th, &x);
    return v;
}

/* -- replace -- */

static Value
interleave(Thread *th, Value self, ByteView b, const ByteArg *fill, size_t count)
{
    if (count > b.n + 1) {
        count = b.n + 1;
    }
    if (fill->n > 0 && count > (((size_t)1 << 60) - b.n) / fill->n) {
        return raise_overflow(th, "replace bytes is too long");
    }
    uint8_t *out;
    Value v = result_new(th, self, b.n + count * fill->n, &out);
    if (v == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(out, fill->p, fill->n);
        out += fill->n;
        if (i < b.n) {
            *out++ = b.p[i];
        }
    }
    if (count < b.n) {
        memcpy(out, b.p + count, b.n - count);
    }
    return v;
}

static Value
replace_found(Thread *th, Value self, ByteView b, const ByteArg *old, const ByteArg *new_,
              size_t max)
{
    size_t count = chars_count(view_chars(b), byte_arg_chars(old), max);
    if (count == 0) {
        return result_of(th, self, b, b.p, b.n);
    }
    if (new_->n > old->n && count > (((size_t)1 << 60) - b.n) / (new_->n - old->n)) {
        return raise_overflow(th, "replace bytes is too long");
    }
    uint8_t *out;
    Value v = result_new(th, self, b.n - count * old->n + count * new_->n, &out);
    if (v == NULL) {
        return NULL;
    }
    const uint8_t *p = b.p, *end = b.p + b.n;
    while (count-- > 0) {
        int64_t at = chars_find((Chars){p, (size_t)(end - p), 1}, byte_arg_chars(old));
        if (at < 0) { /* another thread writes into a bytearray: what is missing stays as it is */
            break;
        }
        memcpy(out, p, (size_t)at);
        out += at;
        memcpy(out, new_->p, new_->n);
        out += new_->n;
        p += (size_t)at + old->n;
    }
    memcpy(out, p, (size_t)(end - p));
    return v;
}

static Value
replace_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    ByteArg old, new_;
    int64_t count = -1;
    if (!byte_arg(th, arg(args, 0), &old)) {
        return NULL;
    }
    Value v = NULL;
    if (byte_arg(th, arg(args, 1), &new_)) {
        if (nargs <= 2 || arg_ssize(th, arg(args, 2), &count)) {
            /* A bytearray's bytes must not change between counting and replacing. */
            Value pinned = makes_bytearray(self) ? bytes_from_value(th, self) : retain(th, self);
            if (pinned != NULL) {
                ByteView b = byte_view(th, pinned);
                size_t max = count < 0 ? SIZE_MAX : (size_t)count;
                if (max == 0 || (old.n == 0 && new_.n == 0)) {
                    v = result_of(th, self, b, b.p, b.n);
                } else if (old.n == 0) {
                    v = interleave(th, self, b, &new_, max);
                } else {
                    v = replace_found(th, self, b, &old, &new_, max);
                }
                drop(th, pinned);
            }
        }
        byte_arg_free(th, &new_);
    }
    byte_arg_free(th, &old);
    return v;
}

/* -- split, partition, strip -- */

static inline bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

static bool
add_piece(Thread *th, Value list, bool make_bytearray, const uint8_t *p, size_t n)
{
    Value piece = bytes_or_bytearray(th, make_bytearray, p, n);
    return piece != NULL && list_append_steal(th, list, piece);
}

static bool
split_spaces(Thread *th, Value list, bool kind, ByteView b, size_t max)
{
    size_t i = 0, pieces = 0;
    for (;;) {
        while (i < b.n && is_space(b.p[i])) {
            i++;
        }
        if (i == b.n) {
            return true;
        }
        if (pieces++ == max) {
            return add_piece(th, list, kind, b.p + i, b.n - i);
        }
        size_t start = i;
        while (i < b.n && !is_space(b.p[i])) {
            i++;
        }
        if (!add_piece(th, list, kind, b.p + start, i - start)) {
            return false;
        }
    }
}

static bool
rsplit_spaces(Thread *th, Value list, bool kind, ByteView b, size_t max)
{
    size_t i = b.n, pieces = 0;
    for (;;) {
        while (i > 0 && is_space(b.p[i - 1])) {
            i--;
        }
        if (i == 0) {
            return true;
        }
        if (pieces++ == max) {
            return add_piece(th, list, kind, b.p, i);
        }
        size_t end = i;
        while (i > 0 && !is_space(b.p[i - 1])) {
            i--;
        }
        if (!add_piece(th, list, kind, b.p + i, end - i)) {
            return false;
        }
    }
}

/* At one byte; pieces are short as a rule. */
static bool
split_by_byte(Thread *th, Value list, bool kind, ByteView b, uint8_t sep, size_t max)
{
    size_t start = 0;
    for (size_t pieces = 0; pieces < max; pieces++) {
        size_t i = start, near = b.n - start > 16 ? start + 16 : b.n;
        while (i < near && b.p[i] != sep) {
            i++;
        }
        if (i == near && i < b.n) {
            const uint8_t *at = memchr(b.p + i, sep, b.n - i);
            i = at == NULL ? b.n : (size_t)(at - b.p);
        }
        if (i == b.n) {
            break;
        }
        if (!add_piece(th, list, kind, b.p + start, i - start)) {
            return false;
        }
        start = i + 1;
    }
    return add_piece(th, list, kind, b.p + start, b.n - start);
}

static bool
split_by(Thread *th, Value list, bool kind, ByteView b, const ByteArg *sep, size_t max)
{
    if (sep->n == 1) {
        return split_by_byte(th, list, kind, b, sep->p[0], max);
    }
    size_t start = 0;
    for (size_t pieces = 0; pieces < max; pieces++) {
        int64_t at = chars_find((Chars){b.p + start, b.n - start, 1}, byte_arg_chars(sep));
        if (at < 0) {
            break;
        }
        if (!add_piece(th, list, kind, b.p + start, (size_t)at)) {
            return false;
        }
        start += (size_t)at + sep->n;
    }
    return add_piece(th, list, kind, b.p + start, b.n - start);
}

static bool
rsplit_by(Thread *th, Value list, bool kind, ByteView b, const ByteArg *sep, size_t max)
{
    size_t end = b.n;
    for (size_t pieces = 0; pieces < max; pieces++) {
        int64_t at = chars_rfind((Chars){b.p, end, 1}, byte_arg_chars(sep));
        if (at < 0) {
            break;
        }
        size_t from = (size_t)at + sep->n;
        if (!add_piece(th, list, kind, b.p + from, end - from)) {
            return false;
        }
        end = (size_t)at;
    }
    return add_piece(th, list, kind, b.p, end);
}

static Value
split_common(Thread *th, Value self, const ParamSpec *params, const Arg *args, size_t nargs,
             Value kwnames, bool from_right)
{
    Value v[2] = {NULL, NULL};
    int64_t max = -1;
    if (!args_bind(th, params, args, nargs, kwnames, v) || !arg_ssize(th, v[1], &max)) {
        return NULL;
    }
    size_t limit = max < 0 ? SIZE_MAX : (size_t)max;
    bool spaces = v[0] == NULL || v[0] == NONE, kind = makes_bytearray(self);
    ByteArg sep = {.pinned = false};
    if (!spaces && !byte_arg(th, v[0], &sep)) {
        return NULL;
    }
    Value list = NULL;
    if (!spaces && sep.n == 0) {
        raise_value_error(th, "empty separator");
    } else if ((list = list_new(th, 12)) != NULL) {
        ByteView b = byte_view(th, self);
        bool good = spaces ? (from_right ? rsplit_spaces(th, list, kind, b, limit)
                                         : split_spaces(th, list, kind, b, limit))
                           : (from_right ? rsplit_by(th, list, kind, b, &sep, limit)
                                         : split_by(th, list, kind, b, &sep, limit));
        if (!good || (from_right && !list_reverse(th, list))) {
            DROP_CLEAR(th, list);
        }
    }
    byte_arg_free(th, &sep);
    return list;
}

static Value
split_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "split", .names = {"sep", "maxsplit"}, .positional = 2};
    return split_common(th, self, &params, args, nargs, kwnames, false);
}

static Value
rsplit_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "rsplit", .names = {"sep", "maxsplit"}, .positional = 2};
    return split_common(th, self, &params, args, nargs, kwnames, true);
}

static Value
splitlines_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "splitlines", .names = {"keepends"}, .positional = 1};
    Value v[1] = {NULL};
    bool keep = false, kind = makes_bytearray(self);
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_flag(th, v[0], &keep)) {
        return NULL;
    }
    Value list = list_new(th, 4);
    if (list == NULL) {
        return NULL;
    }
    ByteView b = byte_view(th, self);
    for (size_t i = 0; i < b.n;) {
        size_t start = i;
        while (i < b.n && b.p[i] != '\n' && b.p[i] != '\r') {
            i++;
        }
        size_t end = i;
        if (i < b.n) {
            i += b.p[i] == '\r' && i + 1 < b.n && b.p[i + 1] == '\n' ? 2 : 1;
        }
        if (!add_piece(th, list, kind, b.p + start, (keep ? i : end) - start)) {
            drop(th, list);
            return NULL;
        }
    }
    return list;
}

/* (a, b, c) of new references; NULL if one is. */
static Value
triple(Thread *th, Value STEALS a, Value STEALS b, Value STEALS c)
{
    Value items[3] = {a, b, c};
    Value t = a != NULL && b != NULL && c != NULL ? tuple_of(th, items, 3) : NULL;
    for (int i = 0; i < 3; i++) {
        drop_null(th, items[i]);
    }
    return t;
}

static Value
partition(Thread *th, Value self, Value sep, bool from_right)
{
    ByteArg x;
    bool kind = makes_bytearray(self);
    if (!byte_arg(th, sep, &x)) {
        return NULL;
    }
    Value v = NULL;
    if (x.n == 0) {
        raise_value_error(th, "empty separator");
    } else {
        ByteView b = byte_view(th, self);
        int64_t at = from_right ? chars_rfind(view_chars(b), byte_arg_chars(&x))
                                : chars_find(view_chars(b), byte_arg_chars(&x));
        if (at >= 0) {
            Value middle = is_exact(sep, SHAPE_BYTES) && !kind
                               ? retain(th, sep) : bytes_or_bytearray(th, kind, x.p, x.n);
            size_t tail = (size_t)at + x.n;
            v = triple(th, bytes_or_bytearray(th, kind, b.p, (size_t)at), middle,
                       bytes_or_bytearray(th, kind, b.p + tail, b.n - tail));
        } else {
            Value whole = result_of(th, self, b, b.p, b.n);
            Value none = bytes_or_bytearray(th, kind, NULL, 0);
            Value none_too = bytes_or_bytearray(th, kind, NULL, 0);
            v = from_right ? triple(th, none, none_too, whole) : triple(th, whole, none, none_too);
        }
    }
    byte_arg_free(th, &x);
    return v;
}

static Value
partition_method(Thread *th, Value self, Value sep)
{
    return partition(th, self, sep, false);
}

static Value
rpartition_method(Thread *th, Value self, Value sep)
{
    return partition(th, self, sep, true);
}

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

static Value
strip(Thread *th, Value self, const Arg *args, size_t nargs, int sides)
{
    bool strips[256] = {false};
    if (nargs > 0 && arg(args, 0) != NONE) {
        ByteArg x;
        if (!byte_arg(th, arg(args, 0), &x)) {
            return NULL;
        }
        for (size_t i = 0; i < x.n; i++) {
            strips[x.p[i]] = true;
        }
        byte_arg_free(th, &x);
    } else {
        strips[' '] = true;
        for (int i = 9; i <= 13; i++) {
            strips[i] = true;
        }
    }
    ByteView b = byte_view(th, self);
    size_t start = 0, end = b.n;
    while ((sides & STRIP_LEFT) && start < end && strips[b.p[start]]) {
        start++;
    }
    while ((sides & STRIP_RIGHT) && end > start && strips[b.p[end - 1]]) {
        end--;
    }
    return result_of(th, self, b, b.p + start, end - start);
}

static Value
strip_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return strip(th, self, args, nargs, STRIP_LEFT | STRIP_RIGHT);
}

static Value
lstrip_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return strip(th, self, args, nargs, STRIP_LEFT);
}

static Value
rstrip_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return strip(th, self, args, nargs, STRIP_RIGHT);
}

/* -- join -- */

/* The items as an array of pinned arguments. */
static bool
pin_items(Thread *th, Value sequence, ByteArg **args, size_t *count)
{
    size_t n = is_tuple(sequence) ? (size_t)tuple_length(sequence)
                                  : (size_t)list_length(sequence);
    ByteArg *a = mem_alloc_zeroed((n + 1) * sizeof *a);
    *args = a;
    *count = 0;
    if (a == NULL) {
        raise_memory(th);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        Value item = is_tuple(sequence) ? retain(th, tuple_item(sequence, (int64_t)i))
                                        : list_get(th, sequence, (int64_t)i);
        if (item == NULL) {
            break; /* another thread made the list shorter */
        }
        /* A buffer holds a reference to its owner. */
        if (!has_buffer(item) || !buffer_lend(th, item, &a[i].buffer, BUFFER_SIMPLE)) {
            error_clear(th);
            raise_type_error(th, "sequence item %zd: expected a bytes-like object, %T found", i,
                             item);
            drop(th, item);
            return false;
        }
        drop(th, item);
        a[i].pinned = true;
        a[i].p = a[i].buffer.data;
        a[i].n = (size_t)a[i].buffer.length;
        (*count)++;
    }
    return true;
}

/* Joins what is nothing but exact bytes: NULL without an exception if it is not.  The items are
 * looked at once and not counted, as in str_join(). */
static Value
join_exact(Thread *th, ByteView sep, Value sequence, bool make_bytearray)
{
    Value local[64];
    size_t n = 0;
    no_safepoint_begin(th);
    if (is_exact(sequence, SHAPE_TUPLE)) {
        n = (size_t)tuple_length(sequence);
        if (n <= ARRAY_LEN(local)) {
            memcpy(local, as_tuple(sequence)->items, n * sizeof *local);
        }
    } else {
        object_touch(th, value_object(sequence));
        while (n <= ARRAY_LEN(local)) {
            Value item = list_peek(sequence, (int64_t)n);
            if (item == NULL) {
                break;
            }
            if (n < ARRAY_LEN(local)) {
                local[n] = item;
            }
            n++;
        }
    }
    size_t total = n > 1 ? sep.n * (n - 1) : 0;
    bool good = n <= ARRAY_LEN(local) && n > 1;
    for (size_t i = 0; good && i < n; i++) {
        good = is_exact(local[i], SHAPE_BYTES) && as_bytes(local[i])->length < 1 << 30;
        total += good ? (size_t)as_bytes(local[i])->length : 0;
    }
    Value v = NULL;
    uint8_t *out;
    if (good) {
        v = make_bytearray ? bytearray_new(th, total, &out) : bytes_new(th, total);
        if (v != NULL && !make_bytearray) {
            out = as_bytes(v)->data;
        }
        for (size_t i = 0; v != NULL && i < n; i++) {
            const Bytes *b = as_bytes(local[i]);
            if (i > 0) {
                copy_bytes(out, sep.p, sep.n);
                out += sep.n;
            }
            copy_bytes(out, b->data, (size_t)b->length);
            out += b->length;
        }
    }
    no_safepoint_end(th);
    return v;
}

Value
bytes_join(Thread *th, ByteView sep, Value iterable, bool make_bytearray)
{
    if (is_exact(iterable, SHAPE_LIST) || is_exact(iterable, SHAPE_TUPLE)) {
        Value v = join_exact(th, sep, iterable, make_bytearray);
        if (v != NULL || error_set(th)) {
            return v;
        }
    }
    Value sequence = sequence_fast(th, iterable, "can only join an iterable");
    if (sequence == NULL) {
        return NULL;
    }
    ByteArg *a;
    size_t n;
    Value v = NULL;
    if (pin_items(th, sequence, &a, &n)) {
        size_t total = n > 1 ? sep.n * (n - 1) : 0;
        bool fits = true;
        for (size_t i = 0; i < n && fits; i++) {
            total += a[i].n;
            fits = total < ((size_t)1 << 60);
        }
        uint8_t *out;
        if (!fits) {
            raise_overflow(th, "join() result is too long");
        } else if (n == 1 && !make_bytearray && is_exact(a[0].buffer.owner, SHAPE_BYTES)) {
            v = retain(th, a[0].buffer.owner);
        } else {
            v = make_bytearray ? bytearray_new(th, total, &out) : bytes_new(th, total);
            if (v != NULL && !make_bytearray) {
                out = as_bytes(v)->data;
            }
            for (size_t i = 0; v != NULL && i < n; i++) {
                if (i > 0) {
                    memcpy(out, sep.p, sep.n);
                    out += sep.n;
                }
                memcpy(out, a[i].p, a[i].n);
                out += a[i].n;
            }
        }
    }
    if (a != NULL) {
        for (size_t i = 0; i < n; i++) {
            byte_arg_free(th, &a[i]);
        }
        mem_free(a);
    }
    drop(th, sequence);
    return v;
}

static Value
join_method(Thread *th, Value self, Value iterable)
{
    if (!makes_bytearray(self)) {
        return bytes_join(th, byte_view(th, self), iterable, false);
    }
    Buffer b;
    if (!buffer_read(th, self, &b, BUFFER_SIMPLE)) {
        return NULL;
    }
    Value v = bytes_join(th, (ByteView){b.data, (size_t)b.length}, iterable, true);
    buffer_release(th, &b);
    return v;
}

/* -- padding -- */

static Value
padded(Thread *th, Value self, size_t left, size_t right, uint8_t fill)
{
    ByteView b = byte_view(th, self);
    if (left + right == 0) {
        return result_of(th, self, b, b.p, b.n);
    }
    uint8_t *out;
    Value v = result_new(th, self, left + b.n + right, &out);
    if (v != NULL) {
        memset(out, fill, left);
        memcpy(out + left, b.p, b.n);
        memset(out + left + b.n, fill, right);
    }
    return v;
}

static bool
pad_args(Thread *th, Value self, const Arg *args, size_t nargs, const char *name, size_t *missing,
         size_t *width, uint8_t *fill)
{
    int64_t want;
    *fill = ' ';
    if (!arg_ssize(th, arg(args, 0), &want)) {
        return false;
    }
    if (nargs > 1) {
        Value f = arg(args, 1);
        ByteView b = {NULL, 0};
        if (is_bytes(f) || is_bytearray(f)) {
            b = byte_view(th, f);
        }
        if (b.n != 1) {
            raise_type_error(th, "%s() argument 2 must be a byte string of length 1, not %B",
                             name, f);
            return false;
        }
        *fill = b.p[0];
    }
    int64_t n = makes_bytearray(self) ? bytearray_length(th, self) : as_bytes(self)->length;
    *missing = want > n ? (size_t)(want - n) : 0;
    *width = want > 0 ? (size_t)want : 0;
    return true;
}

static Value
ljust_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    size_t missing, width;
    uint8_t fill;
    return pad_args(th, self, args, nargs, "ljust", &missing, &width, &fill)
               ? padded(th, self, 0, missing, fill) : NULL;
}

static Value
rjust_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    size_t missing, width;
    uint8_t fill;
    return pad_args(th, self, args, nargs, "rjust", &missing, &width, &fill)
               ? padded(th, self, missing, 0, fill) : NULL;
}

static Value
center_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    size_t missing, width;
    uint8_t fill;
    if (!pad_args(th, self, args, nargs, "center", &missing, &width, &fill)) {
        return NULL;
    }
    size_t left = missing / 2 + (missing & width & 1);
    return padded(th, self, left, missing - left, fill);
}

static Value
zfill_method(Thread *th, Value self, Value width_value)
{
    int64_t width;
    if (!arg_ssize(th, width_value, &width)) {
        return NULL;
    }
    ByteView b = byte_view(th, self);
    if (width <= (int64_t)b.n) {
        return result_of(th, self, b, b.p, b.n);
    }
    size_t missing = (size_t)width - b.n;
    uint8_t *out;
    Value v = result_new(th, self, (size_t)width, &out);
    if (v != NULL) {
        memset(out, '0', missing);
        memcpy(out + missing, b.p, b.n);
        if (b.n > 0 && (out[missing] == '+' || out[missing] == '-')) {
            out[0] = out[missing];
            out[missing] = '0';
        }
    }
    return v;
}

static Value
expandtabs_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "expandtabs", .names = {"tabsize"}, .positional = 1};
    Value v[1] = {NULL};
    int tab = 8;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_int(th, v[0], &tab)) {
        return NULL;
    }
    Value pinned = makes_bytearray(self) ? bytes_from_value(th, self) : retain(th, self);
    if (pinned == NULL) {
        return NULL;
    }
    ByteView b = byte_view(th, pinned);
    size_t column = 0, total = 0, size = tab > 0 ? (size_t)tab : 0;
    Value result = NULL;
    bool fits = true;
    for (size_t i = 0; i < b.n && fits; i++) {
        size_t step = b.p[i] != '\t' ? 1 : size > 0 ? size - column % size : 0;
        total += step;
        fits = total < ((size_t)1 << 60);
        column = b.p[i] == '\n' || b.p[i] == '\r' ? 0 : column + step;
    }
    uint8_t *out;
    if (!fits) {
        raise_overflow(th, "result too long");
    } else {
        result = result_new(th, self, total, &out);
    }
    column = 0;
    for (size_t i = 0; result != NULL && i < b.n; i++) {
        size_t step = b.p[i] != '\t' ? 1 : size > 0 ? size - column % size : 0;
        memset(out, b.p[i] == '\t' ? ' ' : b.p[i], step);
        out += step;
        column = b.p[i] == '\n' || b.p[i] == '\r' ? 0 : column + step;
    }
    drop(th, pinned);
    return result;
}

/* -- translate -- */

static Value
translate_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "translate", .names = {"", "delete"},
                                     .positional = 2, .posonly = 1, .required = 1};
    Value v[2] = {NULL, NULL};
    if (!args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    uint8_t map[256];
    bool deleted[256] = {false};
    for (int i = 0; i < 256; i++) {
        map[i] = (uint8_t)i;
    }
    ByteArg x;
    if (v[0] != NONE) {
        if (!byte_arg(th, v[0], &x)) {
            return NULL;
        }
        bool good = x.n == 256;
        if (good) {
            memcpy(map, x.p, 256);
        }
        byte_arg_free(th, &x);
        if (!good) {
            return raise_value_error(th, "translation table must be 256 characters long");
        }
    }
    if (v[1] != NULL) {
        if (!byte_arg(th, v[1], &x)) {
            return NULL;
        }
        for (size_t i = 0; i < x.n; i++) {
            deleted[x.p[i]] = true;
        }
        byte_arg_free(th, &x);
    }
    ByteView b = byte_view(th, self);
    uint8_t *out = mem_alloc(b.n + 1);
    if (out == NULL) {
        return raise_memory(th);
    }
    size_t n = 0;
    bool changed = false;
    for (size_t i = 0; i < b.n; i++) {
        uint8_t c = b.p[i];
        if (deleted[c]) {
            changed = true;
        } else {
            out[n++] = map[c];
            changed |= map[c] != c;
        }
    }
    Value result = !changed ? result_of(th, self, b, out, n)
                            : bytes_or_bytearray(th, makes_bytearray(self), out, n);
    mem_free(out);
    return result;
}

static Value
maketrans_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    ByteArg from, to;
    if (!byte_arg(th, arg(args, 0), &from)) {
        return NULL;
    }
    Value v = NULL;
    if (byte_arg(th, arg(args, 1), &to)) {
        if (from.n != to.n) {
            raise_value_error(th, "maketrans arguments must have same length");
        } else if ((v = bytes_new(th, 256)) != NULL) {
            uint8_t *map = as_bytes(v)->data;
            for (int i = 0; i < 256; i++) {
                map[i] = (uint8_t)i;
            }
            for (size_t i = 0; i < from.n; i++) {
                map[from.p[i]] = to.p[i];
            }
        }
        byte_arg_free(th, &to);
    }
    byte_arg_free(th, &from);
    return v;
}

/* -- case and kinds: ASCII -- */

static inline bool is_lower(uint8_t c) { return (uint8_t)(c - 'a') < 26; }
static inline bool is_upper(uint8_t c) { return (uint8_t)(c - 'A') < 26; }
static inline bool is_letter(uint8_t c) { return (uint8_t)((c | 32) - 'a') < 26; }
static inline bool is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }
static inline uint8_t lower(uint8_t c) { return is_upper(c) ? (uint8_t)(c + 32) : c; }
static inline uint8_t upper(uint8_t c) { return is_lower(c) ? (uint8_t)(c - 32) : c; }

#define MAP_METHOD(name, expression)                                           \
    static Value name(Thread *th, Value self)                                                  \
    {                                                                                          \
        ByteView b = byte_view(th, self);                                                      \
        uint8_t *out;                                                                          \
        Value v = result_new(th, self, b.n, &out);                                             \
        bool inside = false;                                                                   \
        (void)inside;                                                                          \
        for (size_t i = 0; v != NULL && i < b.n; i++) {                                        \
            uint8_t c = b.p[i];                                                                \
            out[i] = (expression);                                                             \
            inside = is_letter(c);                                                             \
        }                                                                                      \
        return v;                                                                              \
    }

MAP_METHOD(lower_method, lower(c))
MAP_METHOD(upper_method, upper(c))
MAP_METHOD(swapcase_method, is_letter(c) ? (uint8_t)(c ^ 32) : c)
MAP_METHOD(title_method, inside ? lower(c) : upper(c))
MAP_METHOD(capitalize_method, i == 0 ? upper(c) : lower(c))

#define KIND_METHOD(name, expression)                                          \
    static Value name(Thread *th, Value self)                                                  \
    {                                                                                          \
        ByteView b = byte_view(th, self);                                                      \
        for (size_t i = 0; i < b.n; i++) {                                                     \
            uint8_t c = b.p[i];                                                                \
            if (!(expression)) {                                                               \
                return FALSE;                                                                  \
            }                                                                                  \
        }                                                                                      \
        return bool_from(b.n > 0);                                                             \
    }

KIND_METHOD(isalpha_method, is_letter(c))
KIND_METHOD(isdigit_method, is_digit(c))
KIND_METHOD(isalnum_method, is_letter(c) || is_digit(c))
KIND_METHOD(isspace_method, is_space(c))

static Value
isascii_method(Thread *th, Value self)
{
    ByteView b = byte_view(th, self);
    return bool_from(utf8_all_ascii(b.p, b.n));
}

static Value
islower_method(Thread *th, Value self)
{
    ByteView b = byte_view(th, self);
    bool seen = false;
    for (size_t i = 0; i < b.n; i++) {
        if (is_upper(b.p[i])) {
            return FALSE;
        }
        seen |= is_lower(b.p[i]);
    }
    return bool_from(seen);
}

static Value
isupper_method(Thread *th, Value self)
{
    ByteView b = byte_view(th, self);
    bool seen = false;
    for (size_t i = 0; i < b.n; i++) {
        if (is_lower(b.p[i])) {
            return FALSE;
        }
        seen |= is_upper(b.p[i]);
    }
    return bool_from(seen);
}

static Value
istitle_method(Thread *th, Value self)
{
    ByteView b = byte_view(th, self);
    bool seen = false, inside = false;
    for (size_t i = 0; i < b.n; i++) {
        if (is_upper(b.p[i])) {
            if (inside) {
                return FALSE;
            }
            inside = seen = true;
        } else if (is_lower(b.p[i])) {
            if (!inside) {
                return FALSE;
            }
        } else {
            inside = false;
        }
    }
    return bool_from(seen);
}

/* -- decode, hex -- */

static Value
decode_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "decode", .names = {"encoding", "errors"}, .positional = 2};
    Value v[2] = {NULL, NULL};
    const char *text[2] = {NULL, NULL};
    if (nargs == 0 && kwnames == NULL && is_bytes(self)) {
        return str_decode_utf8(th, as_bytes(self)->data, (size_t)as_bytes(self)->length, NULL,
                               NULL);
    }
    if (!args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        if (v[i] == NULL) {
            continue;
        }
        if (!is_str(v[i])) {
            return raise_type_error(th, "decode() argument '%s' must be str, not %B",
                                    params.names[i], v[i]);
        }
        if ((text[i] = str_c(th, v[i])) == NULL) {
            return NULL;
        }
    }
    if (is_bytes(self)) {
        return str_decode(th, as_bytes(self)->data, (size_t)as_bytes(self)->length, text[0],
                          text[1]);
    }
    Buffer b;
    if (!buffer_read(th, self, &b, BUFFER_SIMPLE)) {
        return NULL;
    }
    Value s = str_decode(th, b.data, (size_t)b.length, text[0], text[1]);
    buffer_release(th, &b);
    return s;
}

/* The separator of hex(): one ASCII character. */
static bool
hex_separator(Thread *th, Value sep, uint8_t *out)
{
    int64_t n = length_of(th, sep);
    if (n < 0) {
        return false;
    }
    if (n != 1) {
        raise_value_error(th, "sep must be length 1.");
        return false;
    }
    if (is_str(sep)) {
        uint32_t c = str_char(as_str(sep), 0);
        if (c > 0x7f) {
            raise_value_error(th, "sep must be ASCII.");
            return false;
        }
        *out = (uint8_t)c;
        return true;
    }
    if (!is_bytes(sep)) {
        raise_type_error(th, "sep must be str or bytes.");
        return false;
    }
    *out = as_bytes(sep)->data[0];
    if (*out > 0x7f) {
        raise_value_error(th, "sep must be ASCII.");
        return false;
    }
    return true;
}

Value
bytes_hex_of(Thread *th, ByteView b, Value sep, Value per_sep)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t separator = 0;
    int group = 1;
    if (sep != NULL && !hex_separator(th, sep, &separator)) {
        return NULL;
    }
    if (!arg_int(th, per_sep, &group)) {
        return NULL;
    }
    size_t size = (size_t)(group < 0 ? -(int64_t)group : group), count = 0;
    if (sep == NULL || size == 0 || size >= b.n) {
        size = 0;
    } else {
        count = (b.n - 1) / size;
    }
    if (b.n > STR_MAX_LENGTH / 3) {
        return raise_memory(th);
    }
    Value v = str_new(th, b.n * 2 + count, 0x7f);
    if (v == NULL || b.n == 0) {
        return v;
    }
    char *out = (char *)as_str(v)->data;
    for (size_t i = 0; i < b.n; i++) {
        size_t from_end = group > 0 ? b.n - i : i; /* groups are counted from this side */
        if (size > 0 && i > 0 && from_end % size == 0) {
            *out++ = (char)separator;
        }
        *out++ = digits[b.p[i] >> 4];
        *out++ = digits[b.p[i] & 15];
    }
    return v;
}

static Value
hex_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "hex", .names = {"sep", "bytes_per_sep"}, .positional = 2};
    Value v[2] = {NULL, NULL};
    if ((nargs > 0 || kwnames != NULL) && !args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    if (is_bytes(self)) {
        return bytes_hex_of(th, byte_view(th, self), v[0], v[1]);
    }
    Buffer b;
    if (!buffer_read(th, self, &b, BUFFER_SIMPLE)) {
        return NULL;
    }
    Value s = bytes_hex_of(th, (ByteView){b.data, (size_t)b.length}, v[0], v[1]);
    buffer_release(th, &b);
    return s;
}

static int
hex_value(uint32_t c)
{
    return c >= '0' && c <= '9'   ? (int)c - '0'
           : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10
           : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10 : -1;
}

Value
bytes_fromhex(Thread *th, Value text)
{
    if (!is_str(text)) {
        return raise_type_error(th, "fromhex() argument must be str, not %B", text);
    }
    Chars c = chars_of(text);
    Value v = bytes_new(th, c.n / 2);
    if (v == NULL) {
        return NULL;
    }
    size_t n = 0, i = 0;
    while (i < c.n) {
        uint32_t x = chars_get(c, i);
        if (x < 0x80 && is_space((uint8_t)x)) {
            i++;
            continue;
        }
        int high = hex_value(x), low = -1;
        if (high >= 0) {
            i++;
            low = i < c.n ? hex_value(chars_get(c, i)) : -1;
        }
        if (low < 0) {
            drop(th, v);
            return raise_value_error(
                th, "non-hexadecimal number found in fromhex() arg at position %zd", i);
        }
        as_bytes(v)->data[n++] = (uint8_t)(high << 4 | low);
        i++;
    }
    return bytes_resize(th, v, n);
}

static Value
fromhex_method(Thread *th, Value type, Value text)
{
    Value v = bytes_fromhex(th, text);
    if (v == NULL || as_type(type) == &bytes_type) {
        return v;
    }
    Value made = call_1(th, type, v);
    drop(th, v);
    return made;
}

/* -- bytes alone -- */

static Value
getnewargs_method(Thread *th, Value self)
{
    Value copy = bytes_from(th, as_bytes(self)->data, (size_t)as_bytes(self)->length);
    Value t = copy == NULL ? NULL : tuple_pack(th, 1, copy);
    drop_null(th, copy);
    return t;
}

static Value
bytes_dunder(Thread *th, Value self)
{
    if (is_exact(self, SHAPE_BYTES)) {
        return retain(th, self);
    }
    return bytes_from(th, as_bytes(self)->data, (size_t)as_bytes(self)->length);
}

static Value
sizeof_method(Thread *th, Value self)
{
    return int_from_size(th, offsetof(Bytes, data) + (size_t)as_bytes(self)->length + 1);
}

#define SIG(sig, text) sig "\n--\n\n" text

#define BYTES_SHARED_METHODS                                                                   \
    NATIVE_0("capitalize", capitalize_method,                                                  \
             SIG("capitalize($self, /)",                                                       \
                 "First byte in upper case, the rest in lower case.")),                        \
    NATIVE_N("center", center_method, 1, 2,                                                    \
             SIG("center($self, width, fillchar=b' ', /)", "Centered in width bytes.")),       \
    NATIVE_N("count", count_method, 0, -1,                                                     \
             "B.count(sub[, start[, end]]) -> int\n\nHow often sub occurs without overlap."),  \
    NATIVE_K("decode", decode_method,                                                          \
             SIG("decode($self, /, encoding='utf-8', errors='strict')",                        \
                 "The text that the bytes encode.")),                                          \
    NATIVE_N("endswith", endswith_method, 0, -1,                                               \
             "B.endswith(suffix[, start[, end]]) -> bool\n\nSuffix may be a tuple."),          \
    NATIVE_K("expandtabs", expandtabs_method,                                                  \
             SIG("expandtabs($self, /, tabsize=8)", "Tabs as spaces up to the next column.")), \
    NATIVE_N("find", bytes_find_method, 0, -1,                                                 \
             "B.find(sub[, start[, end]]) -> int\n\nThe lowest index of sub, -1 if absent."),  \
    NATIVE_K("hex", hex_method,                                                                \
             "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\n"                   \
             "Hexadecimal digits, perhaps in groups.\n\n"                                     \
             ">>> value = bytes([185, 1, 239])\n>>> value.hex()\n'b901ef'\n"                   \
             ">>> bytearray(value).hex(':')\n'b9:01:ef'\n>>> value.hex('-', -2)\n'b901-ef'"),                                        \
    NATIVE_N("index", index_method, 0, -1,                                                     \
             "B.index(sub[, start[, end]]) -> int\n\nLike find(), but ValueError if absent."), \
    NATIVE_0("isalnum", isalnum_method,                                                        \
             SIG("isalnum($self, /)", "Whether all bytes are ASCII letters or digits.")),      \
    NATIVE_0("isalpha", isalpha_method,                                                        \
             SIG("isalpha($self, /)", "Whether all bytes are ASCII letters.")),                \
    NATIVE_0("isascii", isascii_method,                                                        \
             SIG("isascii($self, /)", "Whether all bytes are below 128.")),                    \
    NATIVE_0("isdigit", isdigit_method,                                                        \
             SIG("isdigit($self, /)", "Whether all bytes are ASCII digits.")),                 \
    NATIVE_0("islower", islower_method,                                                        \
             SIG("islower($self, /)", "Whether all letters are lower case.")),                 \
    NATIVE_0("isspace", isspace_method,                                                        \
             SIG("isspace($self, /)", "Whether it is nothing but white space.")),              \
    NATIVE_0("istitle", istitle_method,                                                        \
             SIG("istitle($self, /)", "Whether words begin in upper case only.")),             \
    NATIVE_0("isupper", isupper_method,                                                        \
             SIG("isupper($self, /)", "Whether all letters are upper case.")),                 \
    NATIVE_1("join", join_method,                                                              \
             SIG("join($self, iterable_of_bytes, /)", "The items with self between them.")),   \
    NATIVE_N("ljust", ljust_method, 1, 2,                                                      \
             SIG("ljust($self, width, fillchar=b' ', /)", "At the left of width bytes.")),     \
    NATIVE_0("lower", lower_method, SIG("lower($self, /)", "ASCII letters in lower case.")),   \
    NATIVE_N("lstrip", lstrip_method, 0, 1,                                                    \
             SIG("lstrip($self, bytes=None, /)",                                               \
                 "Without white space (or bytes) at the left.")),                              \
    {.name = "maketrans", .fn = maketrans_method,                                              \
     .flags = METHOD_N | METHOD_STATIC, .nmin = 2, .nmax = 2,                                  \
     .doc = SIG("maketrans(frm, to, /)", "A table for translate().")},                         \
    NATIVE_1("partition", partition_method,                                                    \
             SIG("partition($self, sep, /)", "(before, sep, after) of the first sep.")),       \
    NATIVE_1("removeprefix", removeprefix_method,                                              \
             SIG("removeprefix($self, prefix, /)", "Without the prefix, if it is there.")),    \
    NATIVE_1("removesuffix", removesuffix_method,                                              \
             SIG("removesuffix($self, suffix, /)", "Without the suffix, if it is there.")),    \
    NATIVE_N("replace", replace_method, 2, 3,                                                  \
             SIG("replace($self, old, new, count=-1, /)", "With new in place of old.")),       \
    NATIVE_N("rfind", rfind_method, 0, -1,                                                     \
             "B.rfind(sub[, start[, end]]) -> int\n\nThe highest index of sub, -1 if absent."), \
    NATIVE_N("rindex", rindex_method, 0, -1,                                                   \
             "B.rindex(sub[, start[, end]]) -> int\n\nLike rfind(), but ValueError if absent."), \
    NATIVE_N("rjust", rjust_method, 1, 2,                                                      \
             SIG("rjust($self, width, fillchar=b' ', /)", "At the right of width bytes.")),    \
    NATIVE_1("rpartition", rpartition_method,                                                  \
             SIG("rpartition($self, sep, /)", "(before, sep, after) of the last sep.")),       \
    NATIVE_K("rsplit", rsplit_method,                                                          \
             SIG("rsplit($self, /, sep=None, maxsplit=-1)",                                    \
                 "Like split(), beginning at the end.")),                                      \
    NATIVE_N("rstrip", rstrip_method, 0, 1,                                                    \
             SIG("rstrip($self, bytes=None, /)",                                               \
                 "Without white space (or bytes) at the right.")),                             \
    NATIVE_K("split", split_method,                                                            \
             SIG("split($self, /, sep=None, maxsplit=-1)",                                     \
                 "A list of the parts between separators.")),                                  \
    NATIVE_K("splitlines", splitlines_method,                                                  \
             SIG("splitlines($self, /, keepends=False)", "A list of the lines.")),             \
    NATIVE_N("startswith", startswith_method, 0, -1,                                           \
             "B.startswith(prefix[, start[, end]]) -> bool\n\nPrefix may be a tuple."),        \
    NATIVE_N("strip", strip_method, 0, 1,                                                      \
             SIG("strip($self, bytes=None, /)",                                                \
                 "Without white space (or bytes) at both ends.")),                             \
    NATIVE_0("swapcase", swapcase_method,                                                      \
             SIG("swapcase($self, /)", "Upper case as lower case and the reverse.")),          \
    NATIVE_0("title", title_method,                                                            \
             SIG("title($self, /)", "Words begin in upper case, the rest is lower case.")),    \
    NATIVE_K("translate", translate_method,                                                    \
             SIG("translate($self, table, /, delete=b'')", "Each byte as the table's item.")), \
    NATIVE_0("upper", upper_method, SIG("upper($self, /)", "ASCII letters in upper case.")),   \
    NATIVE_1("zfill", zfill_method,                                                            \
             SIG("zfill($self, width, /)", "With zeros at the left, behind a sign."))

const MethodDef bytes_method_table[] = {
    BYTES_SHARED_METHODS,
    {.name = "fromhex", .f1 = fromhex_method, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = "fromhex($type, string, /)\n--\n\nThe bytes of a hexadecimal text."},
    NATIVE_0("__getnewargs__", getnewargs_method, NULL),
    NATIVE_0("__bytes__", bytes_dunder, "__bytes__($self, /)\n--\n\nThis as an exact bytes."),
    NATIVE_0("__sizeof__", sizeof_method, "__sizeof__($self, /)\n--\n\nBytes in memory."),
    NATIVE_END,
};

const MethodDef bytearray_method_table[] = {
    BYTES_SHARED_METHODS,
    {.name = "fromhex", .f1 = fromhex_method, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = SIG("fromhex($type, string, /)", "The bytes of a hexadecimal text.")},
    NATIVE_1("append", bytearray_append, SIG("append($self, item, /)", "Adds a byte at the end.")),
    NATIVE_0("clear", bytearray_clear, SIG("clear($self, /)", "Removes all bytes.")),
    NATIVE_0("copy", bytearray_copy, SIG("copy($self, /)", "A copy.")),
    NATIVE_1("extend", bytearray_extend,
             SIG("extend($self, iterable_of_ints, /)", "Adds the bytes of an iterable or buffer.")),
    NATIVE_N("insert", bytearray_insert, 2, 2,
             SIG("insert($self, index, item, /)", "Puts a byte in front of the index.")),
    NATIVE_N("pop", bytearray_pop, 0, 1,
             SIG("pop($self, index=-1, /)", "Removes the byte at the index and returns it.")),
    NATIVE_1("remove", bytearray_remove,
             SIG("remove($self, value, /)", "Removes the first byte of that value.")),
    NATIVE_0("reverse", bytearray_reverse, SIG("reverse($self, /)", "Reverses it in place.")),
    NATIVE_0("__alloc__", bytearray_alloc, "B.__alloc__() -> int\n\nBytes allocated."),
    NATIVE_0("__reduce__", bytearray_reduce, SIG("__reduce__($self, /)", "For pickling.")),
    NATIVE_N("__reduce_ex__", bytearray_reduce_ex, 0, 1,
             SIG("__reduce_ex__($self, proto=0, /)", "For pickling.")),
    NATIVE_0("__sizeof__", bytearray_sizeof, SIG("__sizeof__($self, /)", "Bytes in memory.")),
    NATIVE_END,
};
