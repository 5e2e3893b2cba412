/* str_case.c -- upper and lower case, and what kinds of characters a str has. */
#include "objects/text/text_priv.h"

/* -- ASCII, without branches so that the compiler makes vectors of it -- */

static inline uint8_t
ascii_lower(uint8_t c)
{
    return (uint8_t)(c | (uint8_t)((uint8_t)(c - 'A') < 26) << 5);
}

static inline uint8_t
ascii_upper(uint8_t c)
{
    return (uint8_t)(c & ~((uint8_t)((uint8_t)(c - 'a') < 26) << 5));
}

static inline bool
ascii_is_alpha(uint8_t c)
{
    return (uint8_t)((c | 32) - 'a') < 26;
}

static Value
ascii_map(Thread *th, Value self, bool upper)
{
    const Str *s = as_str(self);
    Value v = str_new(th, s->length, 0x7f);
    if (v == NULL || v == str_empty) {
        return v;
    }
    uint8_t *out = as_str(v)->data;
    const uint8_t *in = s->data;
    size_t n = s->length, i = 0;
    /* Eight at a time: adding to a byte below 128 carries into its top bit, and no further. */
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t first = ones * (uint64_t)(0x80 - (upper ? 'a' : 'A')), behind = first - ones * 26;
    for (; i + 8 <= n; i += 8) {
        uint64_t x;
        memcpy(&x, in + i, 8);
        x ^= ((x + first) & ~(x + behind) & (ones << 7)) >> 2;
        memcpy(out + i, &x, 8);
    }
    for (; i < n; i++) {
        out[i] = upper ? ascii_upper(in[i]) : ascii_lower(in[i]);
    }
    return v;
}

/* -- all of Unicode: characters go through a buffer of full width -- */

typedef struct Mapped {
    uint32_t *out;
    size_t count;
    uint32_t all;       /* the characters put so far, ORed */
} Mapped;

static inline void
put(Mapped *m, uint32_t c)
{
    m->out[m->count++] = c;
    m->all |= c;
}

static inline void
put_mapped(Mapped *m, const uint32_t *c, int n)
{
    for (int i = 0; i < n; i++) {
        put(m, c[i]);
    }
}

/* A capital sigma is a final one if a cased letter stands before it and none behind,
 * case-ignorable ones not counted. */
static bool
sigma_is_final(const uint32_t *p, size_t n, size_t at)
{
    size_t i = at;
    bool before = false;
    while (i > 0) {
        uint32_t flags = unicode_facts(p[--i])->flags;
        if (!(flags & UNICODE_CASE_IGNORABLE)) {
            before = (flags & UNICODE_CASED) != 0;
            break;
        }
    }
    if (!before) {
        return false;
    }
    for (i = at + 1; i < n; i++) {
        uint32_t flags = unicode_facts(p[i])->flags;
        if (!(flags & UNICODE_CASE_IGNORABLE)) {
            return (flags & UNICODE_CASED) == 0;
        }
    }
    return true;
}

static inline void
put_lower(Mapped *m, const uint32_t *p, size_t n, size_t i)
{
    uint32_t buf[3];
    const UnicodeFacts *f = unicode_facts(p[i]);
    if (p[i] == 0x3a3) {
        put(m, sigma_is_final(p, n, i) ? 0x3c2 : 0x3c3);
    } else if (LIKELY(!(f->flags & UNICODE_SPECIAL_CASE))) {
        put(m, f->lower);
    } else {
        put_mapped(m, buf, unicode_to_lower(p[i], buf));
    }
}

static inline void
put_upper(Mapped *m, uint32_t x)
{
    uint32_t buf[3];
    const UnicodeFacts *f = unicode_facts(x);
    if (LIKELY(!(f->flags & UNICODE_SPECIAL_CASE))) {
        put(m, f->upper);
    } else {
        put_mapped(m, buf, unicode_to_upper(x, buf));
    }
}

static inline void
put_title(Mapped *m, uint32_t x)
{
    uint32_t buf[3];
    put_mapped(m, buf, unicode_to_title(x, buf));
}

static void
map_lower(Mapped *m, const uint32_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_lower(m, p, n, i);
    }
}

static void
map_upper(Mapped *m, const uint32_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_upper(m, p[i]);
    }
}

static void
map_fold(Mapped *m, const uint32_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t buf[3];
        const UnicodeFacts *f = unicode_facts(p[i]);
        if (LIKELY(!(f->flags & UNICODE_FOLDS))) {
            put(m, f->lower);
        } else {
            put_mapped(m, buf, unicode_fold(p[i], buf));
        }
    }
}

static void
map_capitalize(Mapped *m, const uint32_t *p, size_t n)
{
    put_title(m, p[0]);
    for (size_t i = 1; i < n; i++) {
        put_lower(m, p, n, i);
    }
}

static void
map_swapcase(Mapped *m, const uint32_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t flags = unicode_facts(p[i])->flags;
        if (flags & UNICODE_UPPER) {
            put_lower(m, p, n, i);
        } else if (flags & UNICODE_LOWER) {
            put_upper(m, p[i]);
        } else {
            put(m, p[i]);
        }
    }
}

static void
map_title(Mapped *m, const uint32_t *p, size_t n)
{
    bool inside = false;
    for (size_t i = 0; i < n; i++) {
        if (inside) {
            put_lower(m, p, n, i);
        } else {
            put_title(m, p[i]);
        }
        inside = unicode_is(p[i], UNICODE_CASED);
    }
}

static Value
map_text(Thread *th, Value self, void (*map)(Mapped *m, const uint32_t *p, size_t n))
{
    Chars c = chars_of(self);
    if (c.n == 0) {
        return str_empty;
    }
    /* A character becomes three at most; the text in full width stands behind the result. */
    uint32_t local[256];
    Mapped m = {local, 0, 0};
    size_t n = c.n;
    if (n > ARRAY_LEN(local) / 4) {
        m.out = n > STR_MAX_LENGTH / 4 ? NULL : mem_alloc(n * 4 * sizeof *m.out);
        if (m.out == NULL) {
            return raise_memory(th);
        }
    }
    uint32_t *in = m.out + n * 3;
    chars_copy(in, 4, c);
    map(&m, in, n);
    Value v;
    if (m.count == 1 && m.all < 0x100) {
        v = str_latin1((uint8_t)m.all);
    } else {
        v = str_new(th, m.count, m.all);
        if (v != NULL) {
            chars_copy(as_str(v)->data, width_for(m.all), (Chars){m.out, m.count, 4});
        }
    }
    if (m.out != local) {
        mem_free(m.out);
    }
    return v;
}

Value
str_lower_method(Thread *th, Value self)
{
    return as_str(self)->ascii ? ascii_map(th, self, false) : map_text(th, self, map_lower);
}

Value
str_upper_method(Thread *th, Value self)
{
    return as_str(self)->ascii ? ascii_map(th, self, true) : map_text(th, self, map_upper);
}

Value
str_casefold_method(Thread *th, Value self)
{
    return as_str(self)->ascii ? ascii_map(th, self, false) : map_text(th, self, map_fold);
}

Value
str_capitalize_method(Thread *th, Value self)
{
    if (!as_str(self)->ascii) {
        return map_text(th, self, map_capitalize);
    }
    const Str *s = as_str(self);
    if (s->length <= 1) {
        return s->length == 0 ? str_empty : str_latin1(ascii_upper(s->data[0]));
    }
    Value v = ascii_map(th, self, false);
    if (v != NULL) {
        as_str(v)->data[0] = ascii_upper(s->data[0]);
    }
    return v;
}

Value
str_swapcase_method(Thread *th, Value self)
{
    if (!as_str(self)->ascii) {
        return map_text(th, self, map_swapcase);
    }
    const Str *s = as_str(self);
    Value v = str_new(th, s->length, 0x7f);
    if (v == NULL || v == str_empty) {
        return v;
    }
    uint8_t *out = as_str(v)->data;
    for (size_t i = 0; i < s->length; i++) {
        uint8_t c = s->data[i];
        out[i] = (uint8_t)(c ^ (ascii_is_alpha(c) ? 32 : 0));
    }
    return v;
}

Value
str_title_method(Thread *th, Value self)
{
    if (!as_str(self)->ascii) {
        return map_text(th, self, map_title);
    }
    const Str *s = as_str(self);
    Value v = str_new(th, s->length, 0x7f);
    if (v == NULL || v == str_empty) {
        return v;
    }
    uint8_t *out = as_str(v)->data;
    bool inside = false;
    for (size_t i = 0; i < s->length; i++) {
        uint8_t c = s->data[i];
        out[i] = inside ? ascii_lower(c) : ascii_upper(c);
        inside = ascii_is_alpha(c);
    }
    return v;
}

/* -- kinds -- */

/* Whether there are characters and all have one of the flags. */
static Value
all_have(Value self, uint32_t flags)
{
    Chars c = chars_of(self);
    for (size_t i = 0; i < c.n; i++) {
        if (!unicode_is(chars_get(c, i), flags)) {
            return FALSE;
        }
    }
    return bool_from(c.n > 0);
}

Value
str_isalpha_method(Thread *th, Value self)
{
    (void)th;
    return all_have(self, UNICODE_ALPHA);
}

Value
str_isalnum_method(Thread *th, Value self)
{
    (void)th;
    return all_have(self, UNICODE_ALNUM);
}

Value
str_isdecimal_method(Thread *th, Value self)
{
    (void)th;
    return all_have(self, UNICODE_DECIMAL);
}

Value
str_isdigit_method(Thread *th, Value self)
{
    (void)th;
    return all_have(self, UNICODE_DIGIT);
}

Value
str_isnumeric_method(Thread *th, Value self)
{
    (void)th;
    return all_have(self, UNICODE_NUMERIC);
}

Value
str_isspace_method(Thread *th, Value self)
{
    (void)th;
    return all_have(self, UNICODE_SPACE);
}

Value
str_isprintable_method(Thread *th, Value self)
{
    (void)th;
    return str_length(self) == 0 ? TRUE : all_have(self, UNICODE_PRINTABLE);
}

Value
str_isascii_method(Thread *th, Value self)
{
    (void)th;
    return bool_from(as_str(self)->ascii);
}

Value
str_isidentifier_method(Thread *th, Value self)
{
    (void)th;
    return bool_from(str_is_identifier(self));
}

Value
str_islower_method(Thread *th, Value self)
{
    (void)th;
    Chars c = chars_of(self);
    bool seen = false;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t flags = unicode_facts(chars_get(c, i))->flags;
        if (flags & (UNICODE_UPPER | UNICODE_TITLE)) {
            return FALSE;
        }
        seen |= (flags & UNICODE_LOWER) != 0;
    }
    return bool_from(seen);
}

Value
str_isupper_method(Thread *th, Value self)
{
    (void)th;
    Chars c = chars_of(self);
    bool seen = false;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t flags = unicode_facts(chars_get(c, i))->flags;
        if (flags & (UNICODE_LOWER | UNICODE_TITLE)) {
            return FALSE;
        }
        seen |= (flags & UNICODE_UPPER) != 0;
    }
    return bool_from(seen);
}

Value
str_istitle_method(Thread *th, Value self)
{
    (void)th;
    Chars c = chars_of(self);
    bool seen = false, inside = false;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t flags = unicode_facts(chars_get(c, i))->flags;
        if (flags & (UNICODE_UPPER | UNICODE_TITLE)) {
            if (inside) {
                return FALSE;
            }
            inside = seen = true;
        } else if (flags & UNICODE_LOWER) {
            if (!inside) {
                return FALSE;
            }
        } else {
            inside = false;
        }
    }
    return bool_from(seen);
}
