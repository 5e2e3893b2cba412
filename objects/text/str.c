/* str.c -- creation, comparison, hash, slicing of str, and the type.
 *
 * A published str never changes, so no function here takes a lock.  The three words that
 * are written later (hash, utf8, interned) are atomics whose value is the same whoever
 * writes it first.
 */
#include "objects/text/text_priv.h"

#include "base/hash.h"
#include "objects/model/names.h"
#include "objects/text/codecs.h"

/* -- the immortal ones -- */

typedef struct StaticStr {
    union {
        Str s;
        char space[STR_OFFSET + 16];
    };
} StaticStr __attribute__((aligned(16)));

char str_latin1_cells[256 * STR_LATIN1_CELL] __attribute__((aligned(64)));
static StaticStr empty_str;
_Static_assert(STR_OFFSET + 2 <= STR_LATIN1_CELL, "a character and its end");
Value str_empty;

static void
static_str_init(StaticStr *at, const uint8_t *p, size_t n)
{
    struct Object head = STATIC_OBJECT(SHAPE_STR);
    at->s.head = head;
    at->s.length = n;
    at->s.width = 1;
    at->s.ascii = n == 0 || p[0] < 0x80;
    memcpy(at->s.data, p, n);
    at->s.data[n] = 0;
}

bool
text_latin1_init(void)
{
    for (int i = 0; i < 256; i++) {
        uint8_t c = (uint8_t)i;
        static_str_init((StaticStr *)(void *)str_latin1(c), &c, 1);
    }
    static_str_init(&empty_str, (const uint8_t *)"", 0);
    store_relaxed(&empty_str.s.interned, (uint8_t)1); /* there is only one */
    str_empty = value_of(&empty_str);
    return true;
}

/* -- characters -- */

VECTORIZED uint32_t
chars_or(Chars c)
{
    uint32_t all = 0;
    switch (c.width) {
    case 1: {
        const uint8_t *p = c.p;
        return utf8_all_ascii(p, c.n) ? 0x7f : 0xff;
    }
    case 2: {
        const uint16_t *p = c.p;
        uint16_t bits = 0;
        for (size_t i = 0; i < c.n; i++) {
            bits |= p[i];
        }
        all = bits;
        break;
    }
    default: {
        const uint32_t *p = c.p;
        for (size_t i = 0; i < c.n; i++) {
            all |= p[i];
        }
    }
    }
    return all < 0x80 ? 0x7f : all < 0x100 ? 0xff : all < 0x10000 ? 0xffff : 0x10ffff;
}

#define COPY_LOOP(to_type, from_type)                                          \
    do {                                                                       \
        to_type *out_ = to;                                                    \
        const from_type *in_ = from.p;                                         \
        for (size_t i_ = 0; i_ < from.n; i_++) {                               \
            out_[i_] = (to_type)in_[i_];                                       \
        }                                                                      \
    } while (0)

VECTORIZED void
chars_convert(void *to, uint8_t to_width, Chars from)
{
    switch (to_width << 4 | from.width) {
    case 0x12: COPY_LOOP(uint8_t, uint16_t); break;
    case 0x14: COPY_LOOP(uint8_t, uint32_t); break;
    case 0x21: COPY_LOOP(uint16_t, uint8_t); break;
    case 0x24: COPY_LOOP(uint16_t, uint32_t); break;
    case 0x41: COPY_LOOP(uint32_t, uint8_t); break;
    default: COPY_LOOP(uint32_t, uint16_t); break;
    }
}

bool
chars_equal(Chars a, Chars b)
{
    if (a.n != b.n) {
        return false;
    }
    if (a.width == b.width) {
        return same_bytes(a.p, b.p, a.n * a.width);
    }
    for (size_t i = 0; i < a.n; i++) {
        if (chars_get(a, i) != chars_get(b, i)) {
            return false;
        }
    }
    return true;
}

/* -- creation -- */

static inline Value
new_of_width(Thread *th, size_t length, uint8_t width, bool ascii)
{
    if (UNLIKELY(length > STR_MAX_LENGTH)) {
        return raise_memory(th);
    }
    Object *o = object_new_bare(th, SHAPE_STR, STR_OFFSET + (length + 1) * width, false);
    if (UNLIKELY(o == NULL)) {
        return NULL;
    }
    Str *s = (Str *)(void *)o;
    memset((char *)s + sizeof(struct Object), 0, STR_OFFSET - sizeof(struct Object));
    str_set_facts(s, length, width, ascii);
    chars_put(s->data, width, length, 0);
    return value_of(s);
}

Value
str_new(Thread *th, size_t length, uint32_t max_char)
{
    if (length == 0) {
        return str_empty;
    }
    return new_of_width(th, length, width_for(max_char), max_char < 0x80);
}

Value
str_from_ascii(Thread *th, const char *p, size_t n)
{
    if (n <= 1) {
        return n == 0 ? str_empty : str_latin1((uint8_t)*p);
    }
    Value v = new_of_width(th, n, 1, true);
    if (LIKELY(v != NULL)) {
        copy_bytes(as_str(v)->data, p, n);
    }
    return v;
}

Value
str_from_latin1(Thread *th, const uint8_t *p, size_t n)
{
    if (n <= 1) {
        return n == 0 ? str_empty : str_latin1(*p);
    }
    Value v = new_of_width(th, n, 1, utf8_all_ascii(p, n));
    if (LIKELY(v != NULL)) {
        copy_bytes(as_str(v)->data, p, n);
    }
    return v;
}

Value
str_from_chars(Thread *th, Chars c)
{
    if (c.n == 0) {
        return str_empty;
    }
    if (c.width == 1) {
        return str_from_latin1(th, c.p, c.n);
    }
    uint32_t max = chars_or(c);
    if (c.n == 1 && max < 0x100) {
        return str_latin1((uint8_t)chars_get(c, 0));
    }
    Value v = str_new(th, c.n, max);
    if (LIKELY(v != NULL)) {
        chars_copy(as_str(v)->data, width_for(max), c);
    }
    return v;
}

Value
str_from_ucs4(Thread *th, const uint32_t *p, size_t n)
{
    return str_from_chars(th, (Chars){p, n, 4});
}

Value
str_from_char(Thread *th, uint32_t c)
{
    if (c < 0x100) {
        return str_latin1((uint8_t)c);
    }
    Value v = str_new(th, 1, c);
    if (LIKELY(v != NULL)) {
        chars_put(as_str(v)->data, width_for(c), 0, c);
    }
    return v;
}

Value
str_from_c(Thread *th, const char *zero_terminated)
{
    return str_from_utf8(th, zero_terminated, strlen(zero_terminated));
}

Value
str_exact(Thread *th, Value s)
{
    if (is_exact(s, SHAPE_STR)) {
        return retain(th, s);
    }
    return str_from_chars(th, chars_of(s));
}

Value
str_substring(Thread *th, Value s, size_t start, size_t end)
{
    const Str *str = as_str(s);
    if (end > str->length) {
        end = str->length;
    }
    if (start >= end) {
        return str_empty;
    }
    if (start == 0 && end == str->length) {
        return str_exact(th, s);
    }
    if (str->ascii) {
        return str_from_ascii(th, (const char *)str->data + start, end - start);
    }
    return str_from_chars(th, chars_sub(chars_of(s), start, end));
}

Value
str_concat(Thread *th, Value a, Value b)
{
    const Str *x = as_str(a), *y = as_str(b);
    if (x->length == 0) {
        return str_exact(th, b);
    }
    if (y->length == 0) {
        return str_exact(th, a);
    }
    if (LIKELY(x->ascii & y->ascii)) {
        size_t n = x->length, m = y->length;
        Value v = new_of_width(th, n + m, 1, true);
        if (LIKELY(v != NULL)) {
            copy_bytes(as_str(v)->data, x->data, n);
            copy_bytes(as_str(v)->data + n, y->data, m);
        }
        return v;
    }
    uint8_t width = (uint8_t)(x->width > y->width ? x->width : y->width);
    Value v = new_of_width(th, (size_t)x->length + y->length, width, x->ascii & y->ascii);
    if (LIKELY(v != NULL)) {
        uint8_t *data = as_str(v)->data;
        chars_copy(data, width, chars_of(a));
        chars_copy(data + (size_t)x->length * width, width, chars_of(b));
    }
    return v;
}

/* Room for `n` characters in a cell that can grow further without moving. */
static Value
grown_copy(Thread *th, Value a, size_t n, uint8_t width, bool ascii)
{
    size_t room = n + (n > 64 ? n / 4 : 0);
    if (room > STR_MAX_LENGTH) {
        return raise_memory(th);
    }
    Object *o = object_new_kind(th, SHAPE_STR, STR_OFFSET + (room + 1) * width, false);
    if (o == NULL) {
        return NULL;
    }
    Str *s = (Str *)(void *)o;
    str_set_facts(s, n, width, ascii);
    chars_copy(s->data, width, chars_of(a));
    return value_of(s);
}

Value
str_append(Thread *th, Value a, Value b)
{
    if (UNLIKELY(!is_exact(a, SHAPE_STR) || !is_exact(b, SHAPE_STR) ||
                 as_str(a)->length == 0 || as_str(b)->length == 0 ||
                 as_str(a)->width < as_str(b)->width ||
                 !object_unique(th, value_object(a)))) {
        Value v = str_concat(th, a, b);
        if (v != NULL) {
            drop(th, a);
        }
        return v;
    }
    /* Nobody else can see `a`, so its plain fields may change. */
    Str *s = as_str(a);
    const Str *y = as_str(b);
    size_t at = s->length, n = at + y->length;
    uint8_t width = (uint8_t)s->width;
    bool ascii = s->ascii & y->ascii;
    if (object_cell_size(&s->head) >= STR_OFFSET + (n + 1) * width) {
        memory_allow(s, STR_OFFSET + (n + 1) * width); /* the cell's slack */
        char *utf8 = plain_load(&s->utf8);
        plain_store(&s->utf8, NULL);
        str_utf8_free(utf8);
        str_set_facts(s, n, width, ascii);
        plain_store(&s->hash, 0);
        plain_store(&s->kind_cache, 0);
    } else {
        Value grown = grown_copy(th, a, n, width, ascii);
        if (grown == NULL) {
            return NULL;
        }
        drop(th, a);
        a = grown;
        s = as_str(a);
    }
    chars_copy(s->data + at * width, width, chars_of(b));
    chars_put(s->data, width, n, 0);
    return a;
}

Value
str_repeat(Thread *th, Value v, int64_t n)
{
    const Str *s = as_str(v);
    if (n <= 0 || s->length == 0) {
        return str_empty;
    }
    if (n == 1) {
        return str_exact(th, v);
    }
    if ((uint64_t)n > INT64_MAX / (uint64_t)s->length) {
        return raise_overflow(th, "repeated string is too long");
    }
    size_t part = (size_t)s->length * s->width;
    Value result = new_of_width(th, (size_t)s->length * (size_t)n, (uint8_t)s->width, s->ascii);
    if (result == NULL) {
        return NULL;
    }
    uint8_t *data = as_str(result)->data;
    if (part == 1) {
        memset(data, s->data[0], (size_t)n);
        return result;
    }
    size_t total = part * (size_t)n, done = part;
    memcpy(data, s->data, part);
    while (done < total) {
        size_t step = done < total - done ? done : total - done;
        memcpy(data + done, data, step);
        done += step;
    }
    return result;
}

/* -- comparison and hash -- */

bool
str_equal(Value a, Value b)
{
    if (a == b) {
        return true;
    }
    const Str *x = as_str(a), *y = as_str(b);
    return x->length == y->length && x->width == y->width &&
           same_bytes(x->data, y->data, (size_t)x->length * x->width);
}

bool
str_equal_ascii(Value a, const char *text)
{
    const Str *s = as_str(a);
    size_t n = strlen(text);
    return s->ascii && s->length == n && memcmp(s->data, text, n) == 0;
}

int
str_compare(Value a, Value b)
{
    if (a == b) {
        return 0;
    }
    const Str *x = as_str(a), *y = as_str(b);
    size_t n = x->length < y->length ? x->length : y->length;
    if (x->width == 1 && y->width == 1) {
        int order = memcmp(x->data, y->data, n);
        if (order != 0) {
            return order < 0 ? -1 : 1;
        }
    } else {
        Chars cx = chars_of(a), cy = chars_of(b);
        for (size_t i = 0; i < n; i++) {
            uint32_t p = chars_get(cx, i), q = chars_get(cy, i);
            if (p != q) {
                return p < q ? -1 : 1;
            }
        }
    }
    return x->length == y->length ? 0 : x->length < y->length ? -1 : 1;
}

int64_t
bytes_hash_of(const void *p, size_t n)
{
    if (n == 0) {
        return 0;
    }
    int64_t h = (int64_t)hash_bytes(p, n);
    return h == -1 || h == 0 ? -2 : h; /* 0 means "not computed" in the cache */
}

int64_t
str_hash(Value v)
{
    Str *s = as_str(v);
    int64_t h = load_relaxed(&s->hash); /* every thread computes the same */
    if (LIKELY(h != 0)) {
        return h;
    }
    h = bytes_hash_of(s->data, (size_t)s->length * s->width);
    store_relaxed(&s->hash, h);
    return h;
}

static bool
hash_slot(Thread *th, Value self, int64_t *hash)
{
    (void)th;
    *hash = str_hash(self);
    return true;
}

static Value
compare_slot(Thread *th, Value a, Value b, int op)
{
    (void)th;
    if (!is_text(a) || !is_text(b)) {
        return NOT_IMPLEMENTED;
    }
    switch (op) {
    case OP_EQ: return bool_from(str_equal(a, b));
    case OP_NE: return bool_from(!str_equal(a, b));
    case OP_LT: return bool_from(str_compare(a, b) < 0);
    case OP_LE: return bool_from(str_compare(a, b) <= 0);
    case OP_GT: return bool_from(str_compare(a, b) > 0);
    default: return bool_from(str_compare(a, b) >= 0);
    }
}

/* -- subscripts -- */

static int64_t
length_slot(Thread *th, Value self)
{
    (void)th;
    return (int64_t)str_length(self);
}

static Value
char_at(Thread *th, Value self, size_t i)
{
    return str_from_char(th, str_char(as_str(self), i));
}

static Value
item_slot(Thread *th, Value self, int64_t i)
{
    if (UNLIKELY(i < 0 || (uint64_t)i >= str_length(self))) {
        return raise_error(th, &exc_IndexError, "string index out of range");
    }
    return char_at(th, self, (size_t)i);
}

/* Every `step`-th character of s. */
static Value
stepped(Thread *th, Value self, int64_t start, int64_t step, int64_t count)
{
    Chars c = chars_of(self);
    uint32_t all = 0;
    if (as_str(self)->ascii) {
        all = 0x7f;
    } else {
        int64_t at = start;
        for (int64_t i = 0; i < count; i++, at += step) {
            all |= chars_get(c, (size_t)at);
        }
    }
    if (count == 1) {
        return char_at(th, self, (size_t)start);
    }
    Value v = str_new(th, (size_t)count, all);
    if (v == NULL) {
        return NULL;
    }
    uint8_t *data = as_str(v)->data, width = (uint8_t)as_str(v)->width;
    int64_t at = start;
    for (int64_t i = 0; i < count; i++, at += step) {
        chars_put(data, width, (size_t)i, chars_get(c, (size_t)at));
    }
    return v;
}

Value
str_slice(Thread *th, Value self, int64_t start, int64_t stop, int64_t step)
{
    int64_t count = slice_adjust((int64_t)str_length(self), &start, &stop, step);
    if (count <= 0) {
        return str_empty;
    }
    if (LIKELY(step == 1)) {
        return str_substring(th, self, (size_t)start, (size_t)(start + count));
    }
    return stepped(th, self, start, step, count);
}

static Value
getitem_slot(Thread *th, Value self, Value key)
{
    int64_t i;
    if (LIKELY(value_is_fixnum(key))) {
        i = value_fixnum(key);
    } else if (is_exact(key, SHAPE_SLICE)) {
        int64_t start, stop, step;
        if (slice_simple(key, (int64_t)str_length(self), &start, &stop)) {
            return str_substring(th, self, (size_t)start, (size_t)stop);
        }
        if (!slice_unpack(th, key, &start, &stop, &step)) {
            return NULL;
        }
        return str_slice(th, self, start, stop, step);
    } else {
        Answer has_index = YES;
        if (!is_int(key) && SLOT(type_of(key), index) == NULL) {
            has_index = NO;
        }
        if (has_index == NO) {
            return raise_type_error(th, "string indices must be integers, not '%T'", key);
        }
        if (!to_ssize(th, key, &i, &exc_IndexError)) {
            return NULL;
        }
    }
    if (i < 0) {
        i += (int64_t)str_length(self);
    }
    return item_slot(th, self, i);
}

bool
args_range(Thread *th, const char *name, const Arg *args, size_t nargs, int64_t *start,
           int64_t *end)
{
    *start = 0;
    *end = INT64_MAX;
    if (LIKELY(nargs == 1)) {
        return true;
    }
    if (nargs == 0 || nargs > 3) {
        raise_type_error(th, "%s() takes at %s %d argument%s (%zd given)", name,
                         nargs == 0 ? "least" : "most", nargs == 0 ? 1 : 3,
                         nargs == 0 ? "" : "s", nargs);
        return false;
    }
    return arg_ssize_clamped(th, arg(args, 1), start) &&
           arg_ssize_clamped(th, nargs > 2 ? arg(args, 2) : NULL, end);
}

static Value
concat_slot(Thread *th, Value a, Value b)
{
    if (UNLIKELY(!is_text(b))) {
        return raise_type_error(th, "can only concatenate str (not \"%T\") to str", b);
    }
    return str_concat(th, a, b);
}

static Value
remainder_slot(Thread *th, Value a, Value b)
{
    if (!is_text(a)) {
        return NOT_IMPLEMENTED;
    }
    return str_percent_format(th, a, b);
}

/* -- repr -- */

/* Characters of c's escape in repr(): 1 means as it is. */
static int
repr_size(uint32_t c, uint32_t quote)
{
    if (c == quote || c == '\\' || c == '\t' || c == '\n' || c == '\r') {
        return 2;
    }
    if (c >= ' ' && c < 0x7f) {
        return 1;
    }
    if (c < 0x80) {
        return 4;
    }
    if (unicode_is(c, UNICODE_PRINTABLE)) {
        return 1;
    }
    return c < 0x100 ? 4 : c < 0x10000 ? 6 : 10;
}

/* Writes the escape of c; returns its length. */
static size_t
write_escape(char *out, uint32_t c)
{
    static const char hex[] = "0123456789abcdef";
    char *p = out;
    *p++ = '\\';
    switch (c) {
    case '\t': *p++ = 't'; return 2;
    case '\n': *p++ = 'n'; return 2;
    case '\r': *p++ = 'r'; return 2;
    case '\\': case '\'': case '"': *p++ = (char)c; return 2;
    default: break;
    }
    int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
    *p++ = digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
        *p++ = hex[(c >> shift) & 15];
    }
    return (size_t)(p - out);
}

/* repr() of ASCII that needs no escape, or NULL without an exception. */
static VECTORIZED Value
plain_repr(Thread *th, Chars c, bool *plain)
{
    const uint8_t *p = c.p;
    uint8_t odd = 0;
    for (size_t i = 0; i < c.n; i++) {
        odd |= (uint8_t)(p[i] - ' ') >= 0x5f || p[i] == '\'' || p[i] == '\\';
    }
    *plain = odd == 0;
    if (odd != 0) {
        return NULL;
    }
    Value v = new_of_width(th, c.n + 2, 1, true);
    if (v != NULL) {
        uint8_t *out = as_str(v)->data;
        out[0] = out[c.n + 1] = '\'';
        copy_bytes(out + 1, p, c.n);
    }
    return v;
}

Value
str_repr(Thread *th, Value v)
{
    Chars c = chars_of(v);
    if (as_str(v)->ascii) {
        bool plain;
        Value result = plain_repr(th, c, &plain);
        if (plain) {
            return result;
        }
    }
    bool single = chars_find_char(c, '\'') >= 0;
    uint32_t quote = single && chars_find_char(c, '"') < 0 ? '"' : '\'';
    size_t size = 2;
    uint32_t max = 0x7f;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        int part = repr_size(x, quote);
        size += (size_t)part;
        if (part == 1) {
            max |= x;
        }
    }
    Value result = str_new(th, size, max);
    if (result == NULL) {
        return NULL;
    }
    uint8_t *data = as_str(result)->data, width = (uint8_t)as_str(result)->width;
    chars_put(data, width, 0, quote);
    if (size == c.n + 2) {
        chars_copy(data + width, width, c);
    } else {
        size_t at = 1;
        for (size_t i = 0; i < c.n; i++) {
            uint32_t x = chars_get(c, i);
            if (repr_size(x, quote) == 1) {
                chars_put(data, width, at++, x);
                continue;
            }
            char escape[12];
            size_t n = write_escape(escape, x);
            for (size_t k = 0; k < n; k++) {
                chars_put(data, width, at++, (uint8_t)escape[k]);
            }
        }
    }
    chars_put(data, width, size - 1, quote);
    return result;
}

Value
str_as_ascii_repr(Thread *th, Value repr)
{
    if (as_str(repr)->ascii) {
        return retain(th, repr);
    }
    Chars c = chars_of(repr);
    size_t size = 0;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        size += x < 0x80 ? 1 : x < 0x100 ? 4 : x < 0x10000 ? 6 : 10;
    }
    Value result = str_new(th, size, 0x7f);
    if (result == NULL) {
        return NULL;
    }
    char *out = (char *)as_str(result)->data;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        if (x < 0x80) {
            *out++ = (char)x;
        } else {
            out += write_escape(out, x);
        }
    }
    return result;
}

static Value
str_slot(Thread *th, Value self)
{
    return str_exact(th, self);
}

/* -- str(...) -- */

/* A new instance of the subclass `type` with s's characters. */
static Value
subclass_copy(Thread *th, Type *type, Value s)
{
    const Str *from = as_str(s);
    size_t bytes = ((size_t)from->length + 1) * from->width;
    Value v = type_alloc(th, type, bytes);
    if (v == NULL) {
        return NULL;
    }
    Str *to = as_str(v);
    str_set_facts(to, from->length, (uint8_t)from->width, from->ascii);
    store_relaxed(&to->hash, load_relaxed(&from->hash));
    memcpy(to->data, from->data, bytes);
    return v;
}

/* str(object, encoding, errors) of an object with a buffer. */
static Value
decode_object(Thread *th, Value o, Value encoding, Value errors)
{
    const char *encoding_c = NULL, *errors_c = NULL;
    if (encoding != NULL) {
        if (!is_text(encoding)) {
            return raise_type_error(th, "str() argument 'encoding' must be str, not %B", encoding);
        }
        if ((encoding_c = str_c(th, encoding)) == NULL) {
            return NULL;
        }
    }
    if (errors != NULL) {
        if (!is_text(errors)) {
            return raise_type_error(th, "str() argument 'errors' must be str, not %B", errors);
        }
        if ((errors_c = str_c(th, errors)) == NULL) {
            return NULL;
        }
    }
    if (o == NULL) {
        return codec_check(th, encoding_c, errors_c) ? str_empty : NULL;
    }
    if (is_bytes(o)) {
        if (as_bytes(o)->length == 0) {
            return codec_check(th, encoding_c, errors_c) ? str_empty : NULL;
        }
        return str_decode(th, as_bytes(o)->data, (size_t)as_bytes(o)->length, encoding_c, errors_c);
    }
    if (is_str(o)) {
        return raise_type_error(th, "decoding str is not supported");
    }
    if (!has_buffer(o)) {
        return raise_type_error(th, "decoding to str: need a bytes-like object, %T found", o);
    }
    Buffer b;
    if (!buffer_read(th, o, &b, BUFFER_SIMPLE)) {
        return NULL;
    }
    Value v = NULL;
    if (b.length != 0) {
        v = str_decode(th, b.data, (size_t)b.length, encoding_c, errors_c);
    } else if (codec_check(th, encoding_c, errors_c)) {
        v = str_empty;
    }
    buffer_release(th, &b);
    return v;
}

static Value
new_slot(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "str", .names = {"object", "encoding", "errors"}, .positional = 3};
    Value v[3] = {NULL, NULL, NULL};
    if (nargs == 1 && kwnames == NULL) {
        v[0] = arg(args, 0);
        if (LIKELY(type == &str_type)) {
            return to_str(th, v[0]);
        }
    } else if (!args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    Value s;
    if (v[1] != NULL || v[2] != NULL) {
        s = decode_object(th, v[0], v[1], v[2]);
    } else {
        s = v[0] == NULL ? str_empty : to_str(th, v[0]);
    }
    if (s == NULL || type == &str_type) {
        return s;
    }
    Value result = subclass_copy(th, type, s);
    drop(th, s);
    return result;
}

static void
dealloc_slot(Thread *th, Object *o)
{
    Str *s = (Str *)(void *)o;
    if (UNLIKELY(plain_load(&s->interned))) { /* dying: nobody else writes it */
        str_intern_forget(th, s);
    }
    char *utf8 = plain_load(&s->utf8);
    str_utf8_free(utf8);
}

/* -- other small things -- */

bool
str_contains_char(Value s, uint32_t c)
{
    return chars_find_char(chars_of(s), c) >= 0;
}

bool
str_is_identifier(Value v)
{
    Str *s = as_str(v);
    enum { YES_CACHED = 1, NO_CACHED = 2 };
    uint8_t known = load_relaxed(&s->kind_cache); /* every thread computes the same */
    if (known != 0) {
        return known == YES_CACHED;
    }
    Chars c = chars_of(v);
    bool good = c.n > 0;
    for (size_t i = 0; i < c.n && good; i++) {
        uint32_t x = chars_get(c, i);
        if (x < 0x80) {
            good = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || x == '_' ||
                   (i > 0 && x >= '0' && x <= '9');
        } else {
            good = unicode_is(x, i == 0 ? UNICODE_XID_START : UNICODE_XID_CONTINUE);
        }
    }
    store_relaxed(&s->kind_cache, good ? YES_CACHED : NO_CACHED);
    return good;
}

void
str_to_buffer(Value v, char *buf, size_t size)
{
    if (size == 0) {
        return;
    }
    size_t at = 0;
    if (v != NULL && value_is_object(v) && is_str(v)) {
        Chars c = chars_of(v);
        for (size_t i = 0; i < c.n; i++) {
            uint8_t bytes[4];
            uint32_t x = chars_get(c, i);
            int n = utf8_encode_char(x >= 0xd800 && x <= 0xdfff ? '?' : x, bytes);
            if (at + (size_t)n >= size) {
                break;
            }
            memcpy(buf + at, bytes, (size_t)n);
            at += (size_t)n;
        }
    }
    buf[at] = 0;
}

Type str_type;
const TypeSpec str_spec = {
    .name = "str",
    .size = STR_OFFSET,
    .item_size = 1,
    .flags = TYPE_BASE | TYPE_STR_SUBCLASS | TYPE_MATCH_SELF,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
           "Text: what object.__str__() answers, or the characters of a buffer decoded\n"
           "with an encoding (UTF-8 if not given) and an error handler ('strict').",
    .methods = str_method_table,
    .slots = {.repr = str_repr,
              .str = str_slot,
              .hash = hash_slot,
              .compare = compare_slot,
              .iter = str_iter_new,
              .new = new_slot,
              .remainder = remainder_slot,
              .length = length_slot,
              .getitem = getitem_slot,
              .item = item_slot,
              .contains = str_contains,
              .concat = concat_slot,
              .repeat = str_repeat},
    .dealloc = dealloc_slot,
};
