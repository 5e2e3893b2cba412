/* str_split.c -- split, partition, strip and join. */
#include "objects/text/text_priv.h"

#include "objects/container/fast.h"
#include "threads/safepoint.h"

static inline bool
is_space(uint32_t c)
{
    if (c < 0x80) {
        return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
    }
    return unicode_is(c, UNICODE_SPACE);
}

/* The white space of Latin-1. */
static const uint8_t latin1_space[256] = {
    [9] = 1, [10] = 1, [11] = 1, [12] = 1, [13] = 1, [28] = 1, [29] = 1, [30] = 1, [31] = 1,
    [32] = 1, [0x85] = 1, [0xa0] = 1,
};

/* From `i` on: the first character that is (or is not) white space. */
static inline size_t
skip_spaces(Chars c, size_t i, bool spaces)
{
    if (c.width == 1) {
        const uint8_t *p = c.p;
        while (i < c.n && (latin1_space[p[i]] != 0) == spaces) {
            i++;
        }
        return i;
    }
    while (i < c.n && is_space(chars_get(c, i)) == spaces) {
        i++;
    }
    return i;
}

/* The same backwards: the end of what is left. */
static inline size_t
skip_spaces_back(Chars c, size_t i, bool spaces)
{
    if (c.width == 1) {
        const uint8_t *p = c.p;
        while (i > 0 && (latin1_space[p[i - 1]] != 0) == spaces) {
            i--;
        }
        return i;
    }
    while (i > 0 && is_space(chars_get(c, i - 1)) == spaces) {
        i--;
    }
    return i;
}

static inline bool
is_line_break(uint32_t c)
{
    if (c < 0x80) {
        return (c >= 10 && c <= 13) || (c >= 28 && c <= 30);
    }
    return unicode_is(c, UNICODE_LINE_BREAK);
}

/* -- pieces -- */

static inline bool
add_piece(Thread *th, Value list, Value s, size_t start, size_t end)
{
    Value piece = str_substring(th, s, start, end);
    return piece != NULL &&
           (LIKELY(list_append_fast(th, list, piece)) || list_append_steal(th, list, piece));
}

static Value
list_or_fail(Thread *th, Value list, bool good)
{
    if (!good) {
        drop(th, list);
        return NULL;
    }
    return list;
}

/* A list with s itself (as an exact str) as its only item. */
static Value
list_of_whole(Thread *th, Value s)
{
    Value list = list_new(th, 1);
    if (list == NULL) {
        return NULL;
    }
    Value whole = str_exact(th, s);
    return list_or_fail(th, list, whole != NULL && list_append_steal(th, list, whole));
}

static Value
split_spaces(Thread *th, Value s, size_t max)
{
    Value list = list_new(th, 12);
    if (list == NULL) {
        return NULL;
    }
    Chars c = chars_of(s);
    size_t i = 0, pieces = 0;
    bool good = true;
    while (good) {
        i = skip_spaces(c, i, true);
        if (i == c.n) {
            break;
        }
        size_t start = i;
        if (pieces++ == max) { /* the rest, with the spaces at its end */
            good = add_piece(th, list, s, start, c.n);
            break;
        }
        i = skip_spaces(c, i, false);
        good = add_piece(th, list, s, start, i);
    }
    return list_or_fail(th, list, good);
}

/* Splits a text of width 1 at a byte; pieces are short as a rule. */
static Value
split_by_byte(Thread *th, Value s, uint8_t sep, size_t max)
{
    Value list = list_new(th, 12);
    if (list == NULL) {
        return NULL;
    }
    const uint8_t *p = as_str(s)->data;
    size_t n = as_str(s)->length, start = 0, pieces = 0;
    bool good = true, ascii = as_str(s)->ascii;
    while (good) {
        size_t i = start, near = n - start > 16 ? start + 16 : n;
        if (pieces++ == max) {
            i = n;
        } else {
            while (i < near && p[i] != sep) {
                i++;
            }
            if (i == near && i < n) {
                const uint8_t *at = memchr(p + i, sep, n - i);
                i = at == NULL ? n : (size_t)(at - p);
            }
        }
        if (start == 0 && i == n) { /* nothing to split */
            drop(th, list);
            return list_of_whole(th, s);
        }
        Value piece = ascii ? str_from_ascii(th, (const char *)p + start, i - start)
                            : str_from_latin1(th, p + start, i - start);
        good = piece != NULL && (LIKELY(list_append_fast(th, list, piece)) ||
                                 list_append_steal(th, list, piece));
        if (i == n) {
            break;
        }
        start = i + 1;
    }
    return list_or_fail(th, list, good);
}

static Value
split_by(Thread *th, Value s, Value sep, size_t max)
{
    Chars c = chars_of(s), x = chars_of(sep);
    if (c.width == 1 && x.n == 1 && x.width == 1) {
        return split_by_byte(th, s, *(const uint8_t *)x.p, max);
    }
    int64_t hit = max == 0 ? -1 : chars_find(c, x);
    if (hit < 0) {
        return list_of_whole(th, s);
    }
    Value list = list_new(th, 12);
    if (list == NULL) {
        return NULL;
    }
    size_t start = 0, pieces = 0;
    bool good = true;
    while (good && hit >= 0) {
        size_t at = start + (size_t)hit;
        good = add_piece(th, list, s, start, at);
        start = at + x.n;
        pieces++;
        hit = pieces < max ? chars_find(chars_sub(c, start, c.n), x) : -1;
    }
    good = good && add_piece(th, list, s, start, c.n);
    return list_or_fail(th, list, good);
}

static Value
rsplit_spaces(Thread *th, Value s, size_t max)
{
    Value list = list_new(th, 12);
    if (list == NULL) {
        return NULL;
    }
    Chars c = chars_of(s);
    size_t i = c.n, pieces = 0;
    bool good = true;
    while (good) {
        i = skip_spaces_back(c, i, true);
        if (i == 0) {
            break;
        }
        size_t end = i;
        if (pieces++ == max) { /* the rest, with the spaces at its beginning */
            good = add_piece(th, list, s, 0, end);
            break;
        }
        i = skip_spaces_back(c, i, false);
        good = add_piece(th, list, s, i, end);
    }
    return list_or_fail(th, list, good && list_reverse(th, list));
}

static Value
rsplit_by(Thread *th, Value s, Value sep, size_t max)
{
    Chars c = chars_of(s), x = chars_of(sep);
    int64_t hit = max == 0 ? -1 : chars_rfind(c, x);
    if (hit < 0) {
        return list_of_whole(th, s);
    }
    Value list = list_new(th, 12);
    if (list == NULL) {
        return NULL;
    }
    size_t end = c.n, pieces = 0;
    bool good = true;
    while (good && hit >= 0) {
        good = add_piece(th, list, s, (size_t)hit + x.n, end);
        end = (size_t)hit;
        pieces++;
        hit = pieces < max ? chars_rfind(chars_sub(c, 0, end), x) : -1;
    }
    good = good && add_piece(th, list, s, 0, end);
    return list_or_fail(th, list, good && list_reverse(th, list));
}

Value
str_split(Thread *th, Value s, Value separator, int64_t max)
{
    size_t limit = max < 0 ? SIZE_MAX : (size_t)max;
    if (separator == NULL || separator == NONE) {
        return split_spaces(th, s, limit);
    }
    if (!is_text(separator)) {
        return raise_type_error(th, "must be str or None, not %T", separator);
    }
    if (str_length(separator) == 0) {
        return raise_value_error(th, "empty separator");
    }
    return split_by(th, s, separator, limit);
}

static bool
split_args(Thread *th, const ParamSpec *params, const Arg *args, size_t nargs, Value kwnames,
           Value *sep, int64_t *max)
{
    Value v[2] = {NULL, NULL};
    *max = -1;
    if (nargs <= 1 && kwnames == NULL) {
        v[0] = nargs == 1 ? arg(args, 0) : NULL;
    } else if (!args_bind(th, params, args, nargs, kwnames, v)) {
        return false;
    }
    *sep = v[0];
    return arg_ssize(th, v[1], max);
}

Value
str_split_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "split", .names = {"sep", "maxsplit"}, .positional = 2};
    Value sep;
    int64_t max;
    if (!split_args(th, &params, args, nargs, kwnames, &sep, &max)) {
        return NULL;
    }
    return str_split(th, self, sep, max);
}

Value
str_rsplit_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "rsplit", .names = {"sep", "maxsplit"}, .positional = 2};
    Value sep;
    int64_t max;
    if (!split_args(th, &params, args, nargs, kwnames, &sep, &max)) {
        return NULL;
    }
    size_t limit = max < 0 ? SIZE_MAX : (size_t)max;
    if (sep == NULL || sep == NONE) {
        return rsplit_spaces(th, self, limit);
    }
    if (!is_text(sep)) {
        return raise_type_error(th, "must be str or None, not %T", sep);
    }
    if (str_length(sep) == 0) {
        return raise_value_error(th, "empty separator");
    }
    return rsplit_by(th, self, sep, limit);
}

Value
str_splitlines_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "splitlines", .names = {"keepends"}, .positional = 1};
    Value v[1] = {NULL};
    bool keep = false;
    if ((nargs > 0 || kwnames != NULL) && !args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    if (!arg_flag(th, v[0], &keep)) {
        return NULL;
    }
    Value list = list_new(th, 12);
    if (list == NULL) {
        return NULL;
    }
    Chars c = chars_of(self);
    bool good = true;
    for (size_t i = 0; good && i < c.n;) {
        size_t start = i;
        if (as_str(self)->ascii) {
            const uint8_t *p = c.p;
            while (i < c.n && !((p[i] >= 10 && p[i] <= 13) || (p[i] >= 28 && p[i] <= 30))) {
                i++;
            }
        } else {
            while (i < c.n && !is_line_break(chars_get(c, i))) {
                i++;
            }
        }
        size_t end = i;
        if (i < c.n) {
            bool pair = chars_get(c, i) == '\r' && i + 1 < c.n && chars_get(c, i + 1) == '\n';
            i += pair ? 2 : 1;
            if (keep) {
                end = i;
            }
        }
        good = add_piece(th, list, self, start, end);
    }
    return list_or_fail(th, list, good);
}

/* -- partition -- */

/* (head, sep, tail) from new references, any of which may be NULL after a failure. */
static Value
triple(Thread *th, Value STEALS a, Value STEALS b, Value STEALS c)
{
    Value t = a != NULL && b != NULL && c != NULL ? tuple_new(th, 3) : NULL;
    if (t == NULL) {
        drop_null(th, a);
        drop_null(th, b);
        drop_null(th, c);
        return NULL;
    }
    tuple_init_item(t, 0, a);
    tuple_init_item(t, 1, b);
    tuple_init_item(t, 2, c);
    return t;
}

static Value
partition(Thread *th, Value self, Value sep, bool from_right)
{
    if (!is_text(sep)) {
        return raise_type_error(th, "must be str, not %T", sep);
    }
    Chars c = chars_of(self), x = chars_of(sep);
    if (x.n == 0) {
        return raise_value_error(th, "empty separator");
    }
    int64_t at = from_right ? chars_rfind(c, x) : chars_find(c, x);
    if (at < 0) {
        Value whole = str_exact(th, self);
        return from_right ? triple(th, str_empty, str_empty, whole)
                          : triple(th, whole, str_empty, str_empty);
    }
    Value head = str_substring(th, self, 0, (size_t)at);
    Value tail = head == NULL ? NULL : str_substring(th, self, (size_t)at + x.n, c.n);
    return triple(th, head, tail == NULL ? NULL : retain(th, sep), tail);
}

Value
str_partition_method(Thread *th, Value self, Value sep)
{
    return partition(th, self, sep, false);
}

Value
str_rpartition_method(Thread *th, Value self, Value sep)
{
    return partition(th, self, sep, true);
}

/* -- strip -- */

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

static Value
strip(Thread *th, Value self, const Arg *args, size_t nargs, int sides, const char *name)
{
    Value set = nargs > 0 ? arg(args, 0) : NONE;
    Chars c = chars_of(self);
    size_t start = 0, end = c.n;
    if (set == NONE) {
        if (sides & STRIP_LEFT) {
            start = skip_spaces(c, 0, true);
        }
        if (sides & STRIP_RIGHT) {
            end = start == c.n ? start : skip_spaces_back(c, end, true);
        }
    } else {
        if (!is_text(set)) {
            return raise_type_error(th, "%s arg must be None or str", name);
        }
        Chars x = chars_of(set);
        if (sides & STRIP_LEFT) {
            while (start < end && chars_find_char(x, chars_get(c, start)) >= 0) {
                start++;
            }
        }
        if (sides & STRIP_RIGHT) {
            while (end > start && chars_find_char(x, chars_get(c, end - 1)) >= 0) {
                end--;
            }
        }
    }
    return str_substring(th, self, start, end);
}

Value
str_strip_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return strip(th, self, args, nargs, STRIP_LEFT | STRIP_RIGHT, "strip");
}

Value
str_lstrip_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return strip(th, self, args, nargs, STRIP_LEFT, "lstrip");
}

Value
str_rstrip_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return strip(th, self, args, nargs, STRIP_RIGHT, "rstrip");
}

/* -- join -- */

static COLD Value
bad_item(Thread *th, size_t i, Value item)
{
    return raise_type_error(th, "sequence item %zd: expected str instance, %T found", i, item);
}

/* The first item that is no str; n if all are. */
static inline size_t
first_other(const Value *items, size_t n)
{
    size_t i = 0;
    while (i < n && LIKELY(is_text(items[i]))) {
        i++;
    }
    return i;
}

/* Joins strs.  Items are read twice and must not change: they are constant, or the
 * caller's own array.  No safepoint in here. */
static Value
join(Thread *th, Value separator, const Value *items, size_t n)
{
    if (n == 0) {
        return str_empty;
    }
    if (n == 1) {
        return is_exact(items[0], SHAPE_STR) ? retain(th, items[0]) : str_exact(th, items[0]);
    }
    Chars sep = separator == NULL ? (Chars){"", 0, 1} : chars_of(separator);
    uint32_t max = sep.n > 0 ? str_max(separator) : 0x7f;
    size_t total = 0;
    if (sep.n > 0 && n - 1 > STR_MAX_LENGTH / sep.n) {
        return raise_overflow(th, "join() result is too long for a Python string");
    }
    total = sep.n * (n - 1);
    for (size_t i = 0; i < n; i++) {
        total += str_length(items[i]);
        max |= str_max(items[i]);
        if (UNLIKELY(total > STR_MAX_LENGTH)) {
            return raise_overflow(th, "join() result is too long for a Python string");
        }
    }
    Value v = str_new(th, total, max);
    if (v == NULL || v == str_empty) {
        return v;
    }
    uint8_t *out = as_str(v)->data, width = (uint8_t)as_str(v)->width;
    if (width == 1) {
        for (size_t i = 0; i < n; i++) {
            const Str *s = as_str(items[i]);
            size_t length = s->length;
            if (i > 0) {
                if (sep.n == 1) {
                    *out++ = *(const uint8_t *)sep.p;
                } else if (sep.n > 0) {
                    copy_bytes(out, sep.p, sep.n);
                    out += sep.n;
                }
            }
            copy_bytes(out, s->data, length);
            out += length;
        }
        return v;
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && sep.n > 0) {
            chars_copy(out, width, sep);
            out += sep.n * width;
        }
        Chars c = chars_of(items[i]);
        chars_copy(out, width, c);
        out += c.n * width;
    }
    return v;
}

Value
str_join_array(Thread *th, Value separator, const Value *items, size_t n)
{
    size_t bad = first_other(items, n);
    if (UNLIKELY(bad < n)) {
        return bad_item(th, bad, items[bad]);
    }
    return join(th, separator, items, n);
}

Value
str_join_args(Thread *th, const Arg *parts, size_t n)
{
    Value local[32];
    Value *items = n <= ARRAY_LEN(local) ? local : mem_alloc(n * sizeof *items);
    if (items == NULL) {
        return raise_memory(th);
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = arg(parts, i);
    }
    Value v = join(th, NULL, items, n);
    if (items != local) {
        mem_free(items);
    }
    return v;
}

/* Joins a list that others may change: its items are looked at once, without counting them.
 * What is removed meanwhile lives until this thread's next safepoint, which is not in here. */
static Value
join_list(Thread *th, Value separator, Value list)
{
    Value local[64];
    Value *items = local;
    object_touch(th, value_object(list));
    no_safepoint_begin(th);
    List *l = as_list(list);
    ItemArray *array = load_acquire(&l->array); /* pairs with list's writers */
    size_t n = (size_t)load_acquire(&l->length), count = 0;
    if (array == NULL) {
        n = 0;
    } else if (n > (size_t)array->capacity) {
        n = (size_t)array->capacity;
    }
    Value v = NULL, other = NULL;
    size_t bad = 0;
    if (n > ARRAY_LEN(local)) {
        items = mem_alloc(n * sizeof *items);
    }
    if (items != NULL) {
        for (size_t i = 0; i < n; i++) {
            Value item = field_peek(&array->items[i]);
            if (item != NULL) { /* NULL: removed this moment */
                items[count++] = item;
            }
        }
        bad = first_other(items, count);
        if (UNLIKELY(bad < count)) {
            other = retain(th, items[bad]);
        } else {
            v = join(th, separator, items, count);
        }
    }
    no_safepoint_end(th);
    if (items == NULL) {
        return raise_memory(th);
    }
    if (UNLIKELY(other != NULL)) {
        bad_item(th, bad, other);
        drop(th, other);
    }
    if (items != local) {
        mem_free(items);
    }
    return v;
}

Value
str_join(Thread *th, Value separator, Value iterable)
{
    if (is_exact(iterable, SHAPE_LIST)) {
        return join_list(th, separator, iterable);
    }
    if (is_tuple(iterable)) {
        return str_join_array(th, separator, as_tuple(iterable)->items,
                              (size_t)tuple_length(iterable));
    }
    Value items = sequence_fast(th, iterable, "can only join an iterable");
    if (items == NULL) {
        return NULL;
    }
    Value v = is_tuple(items)
                  ? str_join_array(th, separator, as_tuple(items)->items,
                                   (size_t)tuple_length(items))
                  : join_list(th, separator, items);
    drop(th, items);
    return v;
}

Value
str_join_method(Thread *th, Value self, Value iterable)
{
    return str_join(th, self, iterable);
}
