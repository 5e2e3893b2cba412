/* unicode_ucd.c -- the Unicode Character Database: facts by table or libunistring, and normal
 * forms (Unicode, section 3.11); see unicode_ucd.h.
 *
 * libunistring knows version 14.0 but not the East Asian width, the named sequences and what was
 * otherwise in 3.2: these are tables of tools/unicode_tables.py.  Its own u32_normalize() knows one
 * version only and no lone surrogates, so the algorithm is here, on its decompositions.
 */
#include "base/unicode_ucd.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>
#include <unictype.h>

/* -- tables -- */

typedef struct Range {
    uint32_t first, last;
} Range;

typedef struct TextRange {
    uint32_t first, last;
    const char *text;
} TextRange;

typedef struct NumberRange {
    uint32_t first, last, number;
} NumberRange;

static const struct {
    uint32_t first;
    char text[4];
} widths[] = {
#define WIDTH(first, class) {first, #class},
#include "base/unicode_width.def"
#undef WIDTH
};

/* Each table takes its own rows of unicode_old.def. */
#define OLD_ASSIGNED(first, last)
#define OLD_CATEGORY(first, last, value)
#define OLD_BIDI(first, last, value)
#define OLD_WIDTH(first, last, value)
#define OLD_MIRRORED(first, last, value)
#define OLD_DECIMAL(first, last, value)
#define OLD_DECOMPOSITION(c, to)

static const Range old_assigned[] = {
#undef OLD_ASSIGNED
#define OLD_ASSIGNED(first, last) {first, last},
#include "base/unicode_old.def"
#undef OLD_ASSIGNED
#define OLD_ASSIGNED(first, last)
};
static const TextRange old_category[] = {
#undef OLD_CATEGORY
#define OLD_CATEGORY(first, last, value) {first, last, #value},
#include "base/unicode_old.def"
#undef OLD_CATEGORY
#define OLD_CATEGORY(first, last, value)
};
static const TextRange old_bidi[] = {
#undef OLD_BIDI
#define OLD_BIDI(first, last, value) {first, last, #value},
#include "base/unicode_old.def"
#undef OLD_BIDI
#define OLD_BIDI(first, last, value)
};
static const TextRange old_width[] = {
#undef OLD_WIDTH
#define OLD_WIDTH(first, last, value) {first, last, #value},
#include "base/unicode_old.def"
#undef OLD_WIDTH
#define OLD_WIDTH(first, last, value)
};
static const NumberRange old_mirrored[] = {
#undef OLD_MIRRORED
#define OLD_MIRRORED(first, last, value) {first, last, value},
#include "base/unicode_old.def"
#undef OLD_MIRRORED
#define OLD_MIRRORED(first, last, value)
};
static const NumberRange old_decimal[] = {
#undef OLD_DECIMAL
#define OLD_DECIMAL(first, last, value) {first, last, value},
#include "base/unicode_old.def"
#undef OLD_DECIMAL
#define OLD_DECIMAL(first, last, value)
};
static const NumberRange old_decomposition[] = {
#undef OLD_DECOMPOSITION
#define OLD_DECOMPOSITION(c, to) {c, c, to},
#include "base/unicode_old.def"
#undef OLD_DECOMPOSITION
};

static const struct {
    const char *name;
    uint32_t codes[UCD_SEQUENCE_MAX + 1];
} sequences[] = {
#define SEQUENCE(name, ...) {name, {__VA_ARGS__}},
#include "base/unicode_sequences.def"
#undef SEQUENCE
};

/* For bsearch(): the key is a code point, rows begin with first and last. */
static int
range_compare(const void *key, const void *row)
{
    uint32_t c = *(const uint32_t *)key;
    const Range *r = row;
    return c < r->first ? -1 : c > r->last;
}

#define FIND(table, c) bsearch(&(c), table, ARRAY_LEN(table), sizeof table[0], range_compare)

/* -- facts -- */

static bool
is_assigned(uint32_t c)
{
    return unicode_facts(c)->category != CATEGORY_Cn;
}

bool
ucd_old_assigned(uint32_t c)
{
    return is_assigned(c) && FIND(old_assigned, c) != NULL;
}

const char *
ucd_category(uint32_t c, UcdVersion version)
{
    if (version == UCD_OLD) {
        if (!ucd_old_assigned(c)) {
            return "Cn";
        }
        const TextRange *r = FIND(old_category, c);
        if (r != NULL) {
            return r->text;
        }
    }
    return unicode_category_names[unicode_facts(c)->category];
}

const char *
ucd_bidi(uint32_t c, UcdVersion version)
{
    if (!is_assigned(c)) {
        return "";
    }
    if (version == UCD_OLD) {
        if (!ucd_old_assigned(c)) {
            return "";
        }
        const TextRange *r = FIND(old_bidi, c);
        if (r != NULL) {
            return r->text;
        }
    }
    int class = uc_bidi_class(c);
    switch (class) { /* libunistring has no names for these */
    case UC_BIDI_LRI: return "LRI";
    case UC_BIDI_RLI: return "RLI";
    case UC_BIDI_FSI: return "FSI";
    case UC_BIDI_PDI: return "PDI";
    default: return uc_bidi_class_name(class);
    }
}

const char *
ucd_width(uint32_t c, UcdVersion version)
{
    if (!is_assigned(c) || (version == UCD_OLD && !ucd_old_assigned(c))) {
        return "F"; /* as CPython 3.11 */
    }
    const TextRange *r = version == UCD_OLD ? FIND(old_width, c) : NULL;
    if (r != NULL) {
        return r->text;
    }
    size_t low = 0, high = ARRAY_LEN(widths); /* widths[low].first <= c */
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (widths[mid].first <= c) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return widths[low].text;
}

int
ucd_combining(uint32_t c, UcdVersion version)
{
    return version == UCD_OLD && !ucd_old_assigned(c) ? 0 : unicode_facts(c)->combining;
}

bool
ucd_mirrored(uint32_t c, UcdVersion version)
{
    if (version == UCD_OLD) {
        if (!ucd_old_assigned(c)) {
            return false;
        }
        const NumberRange *r = FIND(old_mirrored, c);
        if (r != NULL) {
            return r->number != 0;
        }
    }
    ucs4_t mirror;
    return uc_mirror_char(c, &mirror);
}

int
ucd_decimal(uint32_t c, UcdVersion version)
{
    if (version == UCD_OLD) {
        if (!ucd_old_assigned(c)) {
            return -1;
        }
        const NumberRange *r = FIND(old_decimal, c);
        if (r != NULL) {
            return (int)r->number;
        }
    }
    return unicode_facts(c)->decimal;
}

static bool
is_hangul_syllable(uint32_t c)
{
    return c >= 0xac00 && c <= 0xd7a3;
}

int
ucd_decomposition(uint32_t c, const char **tag, uint32_t out[UCD_DECOMPOSITION_MAX])
{
    static const char *const tags[] = {
        [UC_DECOMP_CANONICAL] = "",        [UC_DECOMP_FONT] = "font",
        [UC_DECOMP_NOBREAK] = "noBreak",   [UC_DECOMP_INITIAL] = "initial",
        [UC_DECOMP_MEDIAL] = "medial",     [UC_DECOMP_FINAL] = "final",
        [UC_DECOMP_ISOLATED] = "isolated", [UC_DECOMP_CIRCLE] = "circle",
        [UC_DECOMP_SUPER] = "super",       [UC_DECOMP_SUB] = "sub",
        [UC_DECOMP_VERTICAL] = "vertical", [UC_DECOMP_WIDE] = "wide",
        [UC_DECOMP_NARROW] = "narrow",     [UC_DECOMP_SMALL] = "small",
        [UC_DECOMP_SQUARE] = "square",     [UC_DECOMP_FRACTION] = "fraction",
        [UC_DECOMP_COMPAT] = "compat",
    };
    _Static_assert(UCD_DECOMPOSITION_MAX >= UC_DECOMPOSITION_MAX_LENGTH, "room for any mapping");
    int kind = UC_DECOMP_CANONICAL;
    int n = is_hangul_syllable(c) ? 0 : uc_decomposition(c, &kind, out);
    *tag = tags[kind];
    return n < 0 ? 0 : n;
}

int
ucd_sequence(const char *name, size_t length, uint32_t out[UCD_SEQUENCE_MAX])
{
    size_t low = 0, high = ARRAY_LEN(sequences);
    while (low < high) {
        size_t mid = (low + high) / 2;
        const char *have = sequences[mid].name;
        size_t i = 0;
        int order = 0;
        for (; i < length && order == 0; i++) {
            char b = name[i];
            b = (char)(b >= 'a' && b <= 'z' ? b - 32 : b);
            order = (unsigned char)b - (unsigned char)have[i]; /* have's final zero differs */
        }
        if (order == 0 && have[i] != 0) {
            order = -1;
        }
        if (order == 0) {
            int n = 0;
            for (; sequences[mid].codes[n] != 0; n++) {
                out[n] = sequences[mid].codes[n];
            }
            return n;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return 0;
}

/* -- normal forms -- */

/* A growing text; `failed`: no memory, what is written is lost. */
typedef struct Text {
    uint32_t *codes;
    size_t length, capacity;
    bool failed;
} Text;

static void
text_add(Text *t, uint32_t c)
{
    if (t->length == t->capacity) {
        size_t capacity = t->capacity * 2 + 64;
        uint32_t *codes = mem_resize(t->codes, capacity * sizeof *codes);
        if (codes == NULL) {
            t->failed = true;
            return;
        }
        t->codes = codes;
        t->capacity = capacity;
    }
    t->codes[t->length++] = c;
}

/* The first code point that has a decomposition. */
#define FIRST_DECOMPOSED 0xa0

/* Adds the full decomposition of `c`. */
static void
text_add_decomposed(Text *t, uint32_t c, bool compatible, UcdVersion version)
{
    if (c < FIRST_DECOMPOSED) {
        text_add(t, c);
        return;
    }
    /* A mapping's parts are decomposed in turn, first part first. */
    uint32_t todo[2 * UCD_DECOMPOSITION_MAX], parts[UCD_DECOMPOSITION_MAX];
    size_t left = 0;
    todo[left++] = c;
    while (left > 0) {
        c = todo[--left];
        const NumberRange *r = NULL;
        int n = -1;
        if (version == UCD_OLD && !ucd_old_assigned(c)) {
            n = 0;
        } else if (version == UCD_OLD && (r = FIND(old_decomposition, c)) != NULL) {
            parts[0] = r->number;
            n = 1;
        } else if (compatible) {
            int kind;
            n = uc_decomposition(c, &kind, parts);
        } else {
            n = uc_canonical_decomposition(c, parts);
        }
        if (n <= 0 || left + (size_t)n > ARRAY_LEN(todo)) {
            text_add(t, c);
        }
        for (int i = n; i > 0; i--) {
            todo[left++] = parts[i - 1];
        }
    }
}

/* Sorts codes[0..n) by combining class, equal ones in their order: by insertion if there are few,
 * by counting if there are many (`spare` has room for n).  All classes are above 0. */
static void
sort_marks(uint32_t *codes, size_t n, uint32_t *spare)
{
    if (n <= 20) {
        for (size_t i = 1; i < n; i++) {
            uint32_t c = codes[i];
            uint8_t class = unicode_facts(c)->combining;
            size_t j = i;
            for (; j > 0 && unicode_facts(codes[j - 1])->combining > class; j--) {
                codes[j] = codes[j - 1];
            }
            codes[j] = c;
        }
        return;
    }
    size_t starts[257] = {0};
    for (size_t i = 0; i < n; i++) {
        starts[unicode_facts(codes[i])->combining + 1]++;
    }
    for (size_t i = 1; i < ARRAY_LEN(starts); i++) {
        starts[i] += starts[i - 1];
    }
    for (size_t i = 0; i < n; i++) {
        spare[starts[unicode_facts(codes[i])->combining]++] = codes[i];
    }
    memcpy(codes, spare, n * sizeof *codes);
}

/* Puts the marks behind each starter into canonical order; false: no memory. */
static bool
order_marks(Text *t)
{
    uint32_t *spare = NULL;
    size_t i = 0;
    while (i < t->length) {
        if (t->codes[i] < 0x300 || unicode_facts(t->codes[i])->combining == 0) {
            i++;
            continue;
        }
        size_t first = i, before = 0;
        bool sorted = true;
        for (; i < t->length; i++) {
            size_t class = unicode_facts(t->codes[i])->combining;
            if (class == 0) {
                break;
            }
            sorted &= class >= before;
            before = class;
        }
        if (sorted) {
            continue;
        }
        if (i - first > 20 && spare == NULL) {
            spare = mem_alloc(t->length * sizeof *spare);
            if (spare == NULL) {
                return false;
            }
        }
        sort_marks(t->codes + first, i - first, spare);
    }
    mem_free(spare);
    return true;
}

/* Joins starters with what follows them, in place. */
static void
compose(Text *t)
{
    size_t out = 0, starter = SIZE_MAX;
    int before = 0; /* class of the last code point kept behind the starter */
    for (size_t i = 0; i < t->length; i++) {
        uint32_t c = t->codes[i];
        int class = c < 0x300 ? 0 : unicode_facts(c)->combining;
        if (c >= 0x300 && starter != SIZE_MAX && (out == starter + 1 || (before != 0 && before < class))) {
            uint32_t joined = uc_composition(t->codes[starter], c);
            if (joined != 0) {
                t->codes[starter] = joined;
                continue;
            }
        }
        if (class == 0) {
            starter = out;
        }
        before = class;
        t->codes[out++] = c;
    }
    t->length = out;
}

uint32_t *
ucd_normalize(const uint32_t *text, size_t n, NormalForm form, UcdVersion version, size_t *out_n)
{
    Text t = {.codes = mem_alloc((n + 16) * sizeof *t.codes), .capacity = n + 16};
    t.failed = t.codes == NULL;
    for (size_t i = 0; i < n && !t.failed; i++) {
        text_add_decomposed(&t, text[i], form >= NORMAL_KC, version);
    }
    if (t.failed || !order_marks(&t)) {
        mem_free(t.codes);
        return NULL;
    }
    if (form == NORMAL_C || form == NORMAL_KC) {
        compose(&t);
    }
    *out_n = t.length;
    return t.codes;
}
