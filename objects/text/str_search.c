/* str_search.c -- find, count, replace and their kin.
 *
 * Texts are as narrow as they can be, so what is sought and is wider than the text does not
 * occur in it; what is narrower is widened first.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem(), memrchr() */
#endif
#include "objects/text/text_priv.h"

#include <wchar.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CHAR uint8_t
#define CHAR_SIZE 1
#define FN(name) name##_1
#include "objects/text/search_impl.h"
#define CHAR uint16_t
#define CHAR_SIZE 2
#define FN(name) name##_2
#include "objects/text/search_impl.h"
#define CHAR uint32_t
#define CHAR_SIZE 4
#define FN(name) name##_4
#include "objects/text/search_impl.h"

/* A pattern in the width of the text it is sought in. */
typedef struct Pattern {
    Chars chars;
    void *heap;
    uint64_t local[32];
} Pattern;

/* False: `sub` cannot occur in a text of that width. */
static bool
pattern_init(Pattern *p, Chars sub, uint8_t width)
{
    p->heap = NULL;
    if (sub.width > width) {
        return false;
    }
    if (sub.width == width) {
        p->chars = sub;
        return true;
    }
    void *at = p->local;
    if (sub.n * width > sizeof p->local) {
        at = p->heap = mem_alloc(sub.n * width);
        CHECK(at != NULL);
    }
    chars_copy(at, width, sub);
    p->chars = (Chars){at, sub.n, width};
    return true;
}

static inline void
pattern_free(Pattern *p)
{
    if (UNLIKELY(p->heap != NULL)) {
        mem_free(p->heap);
    }
}

int64_t
chars_find_char(Chars s, uint32_t c)
{
    switch (s.width) {
    case 1: return c > 0xff ? -1 : find_char_1(s.p, s.n, (uint8_t)c);
    case 2: return c > 0xffff ? -1 : find_char_2(s.p, s.n, (uint16_t)c);
    default: return find_char_4(s.p, s.n, c);
    }
}

int64_t
chars_rfind_char(Chars s, uint32_t c)
{
    switch (s.width) {
    case 1: return c > 0xff ? -1 : rfind_char_1(s.p, s.n, (uint8_t)c);
    case 2: return c > 0xffff ? -1 : rfind_char_2(s.p, s.n, (uint16_t)c);
    default: return rfind_char_4(s.p, s.n, c);
    }
}

static inline int64_t
find_same_width(Chars s, Chars sub)
{
    switch (s.width) {
    case 1: return find_1(s.p, s.n, sub.p, sub.n);
    case 2: return find_2(s.p, s.n, sub.p, sub.n);
    default: return find_4(s.p, s.n, sub.p, sub.n);
    }
}

int64_t
chars_find(Chars s, Chars sub)
{
    if (sub.n == 0) {
        return 0;
    }
    if (sub.n > s.n) {
        return -1;
    }
    if (sub.n == 1) {
        return chars_find_char(s, chars_get(sub, 0));
    }
    if (LIKELY(sub.width == s.width)) {
        return find_same_width(s, sub);
    }
    Pattern p;
    if (!pattern_init(&p, sub, s.width)) {
        return -1;
    }
    int64_t at = find_same_width(s, p.chars);
    pattern_free(&p);
    return at;
}

int64_t
chars_rfind(Chars s, Chars sub)
{
    if (sub.n == 0) {
        return (int64_t)s.n;
    }
    if (sub.n > s.n) {
        return -1;
    }
    Pattern p;
    if (!pattern_init(&p, sub, s.width)) {
        return -1;
    }
    int64_t at;
    switch (s.width) {
    case 1: at = rfind_1(s.p, s.n, p.chars.p, sub.n); break;
    case 2: at = rfind_2(s.p, s.n, p.chars.p, sub.n); break;
    default: at = rfind_4(s.p, s.n, p.chars.p, sub.n); break;
    }
    pattern_free(&p);
    return at;
}

size_t
chars_count(Chars s, Chars sub, size_t max)
{
    if (sub.n == 0) {
        return s.n + 1 < max ? s.n + 1 : max;
    }
    if (sub.n > s.n) {
        return 0;
    }
    Pattern p;
    if (!pattern_init(&p, sub, s.width)) {
        return 0;
    }
    size_t n;
    switch (s.width) {
    case 1: n = count_1(s.p, s.n, p.chars.p, sub.n, max); break;
    case 2: n = count_2(s.p, s.n, p.chars.p, sub.n, max); break;
    default: n = count_4(s.p, s.n, p.chars.p, sub.n, max); break;
    }
    pattern_free(&p);
    return n;
}

int64_t
str_find(Value s, Value sub, int64_t start, int64_t end)
{
    if (!range_clip((int64_t)str_length(s), &start, &end)) {
        return -1;
    }
    int64_t at = chars_find(chars_sub(chars_of(s), (size_t)start, (size_t)end), chars_of(sub));
    return at < 0 ? -1 : at + start;
}

/* -- find, rfind, index, rindex, count -- */

/* Reads the arguments (sub[, start[, end]]); *part is NULL-width when nothing can match. */
static bool
search_args(Thread *th, const char *name, Value self, const Arg *args, size_t nargs, Chars *part,
            int64_t *start, bool *empty)
{
    int64_t end;
    if (!args_range(th, name, args, nargs, start, &end)) {
        return false;
    }
    Value sub = arg(args, 0);
    if (UNLIKELY(!is_text(sub))) {
        raise_type_error(th, "must be str, not %T", sub);
        return false;
    }
    *empty = !range_clip((int64_t)str_length(self), start, &end);
    if (!*empty) {
        *part = chars_sub(chars_of(self), (size_t)*start, (size_t)end);
    }
    return true;
}

static bool
find_common(Thread *th, const char *name, Value self, const Arg *args, size_t nargs,
            bool from_right, int64_t *at)
{
    Chars part;
    int64_t start;
    bool empty;
    if (!search_args(th, name, self, args, nargs, &part, &start, &empty)) {
        return false;
    }
    *at = -1;
    if (!empty) {
        Chars sub = chars_of(arg(args, 0));
        int64_t found = from_right ? chars_rfind(part, sub) : chars_find(part, sub);
        if (found >= 0) {
            *at = found + start;
        }
    }
    return true;
}

Value
str_find_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    return find_common(th, "find", self, args, nargs, false, &at) ? value_from_fixnum(at) : NULL;
}

Value
str_rfind_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    return find_common(th, "rfind", self, args, nargs, true, &at) ? value_from_fixnum(at) : NULL;
}

Value
str_index_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    if (!find_common(th, "index", self, args, nargs, false, &at)) {
        return NULL;
    }
    return at >= 0 ? value_from_fixnum(at) : raise_value_error(th, "substring not found");
}

Value
str_rindex_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t at;
    if (!find_common(th, "rindex", self, args, nargs, true, &at)) {
        return NULL;
    }
    return at >= 0 ? value_from_fixnum(at) : raise_value_error(th, "substring not found");
}

Value
str_count_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Chars part;
    int64_t start;
    bool empty;
    if (!search_args(th, "count", self, args, nargs, &part, &start, &empty)) {
        return NULL;
    }
    return value_from_fixnum(
        empty ? 0 : (int64_t)chars_count(part, chars_of(arg(args, 0)), SIZE_MAX));
}

Answer
str_contains(Thread *th, Value self, Value item)
{
    if (UNLIKELY(!is_text(item))) {
        raise_type_error(th, "'in <string>' requires string as left operand, not %T", item);
        return FAILED;
    }
    const Str *s = as_str(self), *x = as_str(item);
    if (LIKELY(x->length == 1 && (s->width | x->width) == 1)) {
        const uint8_t *p = s->data;
        size_t n = s->length;
        if (n > 16) {
            return memchr(p, x->data[0], n) != NULL ? YES : NO;
        }
        for (uint8_t c = x->data[0]; n > 0; n--) { /* a call costs more */
            if (*p++ == c) {
                return YES;
            }
        }
        return NO;
    }
    return chars_find(chars_of(self), chars_of(item)) >= 0 ? YES : NO;
}

/* -- startswith, endswith -- */

static bool
tail_match(Value self, Value sub, int64_t start, int64_t end, bool at_end)
{
    Chars s = chars_of(self), x = chars_of(sub);
    if (!range_clip((int64_t)s.n, &start, &end)) {
        return false;
    }
    if ((int64_t)x.n > end - start) {
        return false;
    }
    size_t at = at_end ? (size_t)end - x.n : (size_t)start;
    return chars_equal(chars_sub(s, at, at + x.n), x);
}

static Value
tail_method(Thread *th, Value self, const Arg *args, size_t nargs, bool at_end, const char *name)
{
    int64_t start, end;
    if (!args_range(th, name, args, nargs, &start, &end)) {
        return NULL;
    }
    Value sub = arg(args, 0);
    if (is_text(sub)) {
        return bool_from(tail_match(self, sub, start, end, at_end));
    }
    if (!is_tuple(sub)) {
        return raise_type_error(th, "%s first arg must be str or a tuple of str, not %T", name,
                                sub);
    }
    for (int64_t i = 0; i < tuple_length(sub); i++) {
        Value item = tuple_item(sub, i);
        if (!is_text(item)) {
            return raise_type_error(th, "tuple for %s must only contain str, not %T", name, item);
        }
        if (tail_match(self, item, start, end, at_end)) {
            return TRUE;
        }
    }
    return FALSE;
}

Value
str_startswith_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return tail_method(th, self, args, nargs, false, "startswith");
}

Value
str_endswith_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return tail_method(th, self, args, nargs, true, "endswith");
}

/* -- replace -- */

/* A str whose characters may be narrower than its width, as the narrowest one. */
static Value
narrowed(Thread *th, Value STEALS v)
{
    if (v == NULL || as_str(v)->ascii) {
        return v;
    }
    Chars c = chars_of(v);
    uint32_t max = chars_or(c);
    if (max == str_max(v)) {
        return v;
    }
    if (width_for(max) == c.width) {
        as_str(v)->ascii = max < 0x80; /* not published yet */
        return v;
    }
    Value small = str_from_chars(th, c);
    drop(th, v);
    return small;
}

/* `fill` between all characters, at most `count` times. */
static Value
interleave(Thread *th, Value self, Value fill, size_t count)
{
    Chars s = chars_of(self), f = chars_of(fill);
    if (count > s.n + 1) {
        count = s.n + 1;
    }
    if (f.n > 0 && count > (STR_MAX_LENGTH - s.n) / f.n) {
        return raise_overflow(th, "replace string is too long");
    }
    Value v = str_new(th, s.n + count * f.n, str_max(self) | str_max(fill));
    if (v == NULL || v == str_empty) {
        return v;
    }
    uint8_t *out = as_str(v)->data, width = (uint8_t)as_str(v)->width;
    for (size_t i = 0; i < count; i++) {
        chars_copy(out, width, f);
        out += f.n * width;
        if (i < s.n) {
            chars_copy(out, width, chars_sub(s, i, i + 1));
            out += width;
        }
    }
    if (count < s.n) {
        chars_copy(out, width, chars_sub(s, count, s.n));
    }
    return v;
}

/* Where a text has been found; the first places need no memory. */
typedef struct Places {
    size_t *at;
    size_t count, capacity;
    size_t local[64];
} Places;

static bool
places_find(Thread *th, Places *places, Chars s, Chars sub, size_t max)
{
    places->at = places->local;
    places->count = 0;
    places->capacity = ARRAY_LEN(places->local);
    Pattern p;
    if (!pattern_init(&p, sub, s.width)) {
        return true;
    }
    for (size_t at = 0; places->count < max && at + sub.n <= s.n;) {
        int64_t hit = chars_find(chars_sub(s, at, s.n), p.chars);
        if (hit < 0) {
            break;
        }
        if (places->count == places->capacity) {
            size_t *old = places->at == places->local ? NULL : places->at;
            size_t *grown = mem_resize(old, places->capacity * 4 * sizeof *grown);
            if (grown == NULL) {
                pattern_free(&p);
                if (old != NULL) {
                    mem_free(old);
                }
                raise_memory(th);
                return false;
            }
            if (old == NULL) {
                memcpy(grown, places->local, sizeof places->local);
            }
            places->at = grown;
            places->capacity *= 4;
        }
        places->at[places->count++] = at + (size_t)hit;
        at += (size_t)hit + sub.n;
    }
    pattern_free(&p);
    return true;
}

static void
places_free(Places *places)
{
    if (places->at != places->local) {
        mem_free(places->at);
    }
}

/* Puts new_ in the places where old is. */
static Value
replace_at(Thread *th, Value self, Value old, Value new_, const Places *places)
{
    Chars s = chars_of(self), x = chars_of(old), y = chars_of(new_);
    if (y.n > x.n && places->count > (STR_MAX_LENGTH - s.n) / (y.n - x.n)) {
        return raise_overflow(th, "replace string is too long");
    }
    size_t length = s.n - places->count * x.n + places->count * y.n;
    uint32_t max = str_max(self) | (y.n > 0 ? str_max(new_) : 0);
    Value v = str_new(th, length, max);
    if (v == NULL || v == str_empty) {
        return v;
    }
    uint8_t *out = as_str(v)->data, width = (uint8_t)as_str(v)->width;
    size_t from = 0;
    for (size_t i = 0; i < places->count; i++) {
        size_t at = places->at[i];
        chars_copy(out, width, chars_sub(s, from, at));
        out += (at - from) * width;
        chars_copy(out, width, y);
        out += y.n * width;
        from = at + x.n;
    }
    chars_copy(out, width, chars_sub(s, from, s.n));
    return as_str(self)->ascii ? v : narrowed(th, v);
}

/* One ASCII (or Latin-1) character by another in a text of width 1. */
static VECTORIZED Value
replace_byte(Thread *th, Value self, uint8_t old, uint8_t new_)
{
    Chars s = chars_of(self);
    int64_t first = find_char_1(s.p, s.n, old);
    if (first < 0) {
        return str_exact(th, self);
    }
    Value v = str_new(th, s.n, str_max(self) | new_);
    if (v == NULL) {
        return NULL;
    }
    const uint8_t *in = s.p;
    uint8_t *out = as_str(v)->data;
    for (size_t i = 0; i < s.n; i++) {
        out[i] = in[i] == old ? new_ : in[i];
    }
    return old < 0x80 ? v : narrowed(th, v);
}

Value
str_replace(Thread *th, Value self, Value old, Value new_, int64_t count)
{
    Chars s = chars_of(self), x = chars_of(old);
    size_t max = count < 0 ? SIZE_MAX : (size_t)count;
    if (max == 0 || (x.n == 0 && str_length(new_) == 0) || x.n > s.n || x.width > s.width ||
        str_equal(old, new_)) {
        return str_exact(th, self);
    }
    if (x.n == 0) {
        return interleave(th, self, new_, max);
    }
    if (s.width == 1 && x.n == 1 && max >= s.n && str_length(new_) == 1 &&
        as_str(new_)->width == 1) {
        return replace_byte(th, self, *(const uint8_t *)x.p, as_str(new_)->data[0]);
    }
    Places places;
    if (!places_find(th, &places, s, x, max)) {
        return NULL;
    }
    Value v = places.count == 0 ? str_exact(th, self) : replace_at(th, self, old, new_, &places);
    places_free(&places);
    return v;
}

Value
str_replace_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value old = arg(args, 0), new_ = arg(args, 1);
    if (!is_text(old)) {
        return raise_type_error(th, "replace() argument 1 must be str, not %B", old);
    }
    if (!is_text(new_)) {
        return raise_type_error(th, "replace() argument 2 must be str, not %B", new_);
    }
    int64_t count = -1;
    if (nargs > 2 && !arg_ssize(th, arg(args, 2), &count)) {
        return NULL;
    }
    return str_replace(th, self, old, new_, count);
}
