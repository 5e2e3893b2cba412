/* unicode_db.h -- what Unicode 14 says about a code point.
 *
 * A thin face over libunistring.  Facts are looked up once for 256 code points and
 * kept in pages that are never freed; pages are published by compare-and-swap, so
 * every function may be called by any thread at any time.
 */
#ifndef BASE_UNICODE_DB_H
#define BASE_UNICODE_DB_H

#include "base/atomic.h"
#include "base/attrs.h"

#include <stddef.h>

#define UNICODE_MAX 0x10ffffu

enum {
    UNICODE_ALPHA = 1 << 0,     /* categories Lm Lt Lu Ll Lo */
    UNICODE_DECIMAL = 1 << 1,
    UNICODE_DIGIT = 1 << 2,
    UNICODE_NUMERIC = 1 << 3,
    UNICODE_LOWER = 1 << 4,     /* property Lowercase */
    UNICODE_UPPER = 1 << 5,     /* property Uppercase */
    UNICODE_TITLE = 1 << 6,     /* category Lt */
    UNICODE_SPACE = 1 << 7,
    UNICODE_LINE_BREAK = 1 << 8,
    UNICODE_PRINTABLE = 1 << 9,
    UNICODE_XID_START = 1 << 10,
    UNICODE_XID_CONTINUE = 1 << 11,
    UNICODE_CASED = 1 << 12,
    UNICODE_CASE_IGNORABLE = 1 << 13,
    UNICODE_SPECIAL_CASE = 1 << 14, /* a case mapping has several characters */
    UNICODE_FOLDS = 1 << 15,        /* case folding is not lower() */
    UNICODE_ALNUM = UNICODE_ALPHA | UNICODE_DECIMAL | UNICODE_DIGIT | UNICODE_NUMERIC,
};

typedef struct UnicodeFacts {
    uint32_t flags;
    uint32_t lower, upper, title; /* simple mappings */
    int8_t decimal, digit;        /* -1: none */
    uint8_t category;             /* enum UnicodeCategory */
    uint8_t combining;            /* canonical combining class */
} UnicodeFacts;

enum UnicodeCategory {
    CATEGORY_Cn, CATEGORY_Lu, CATEGORY_Ll, CATEGORY_Lt, CATEGORY_Lm, CATEGORY_Lo, CATEGORY_Mn,
    CATEGORY_Mc, CATEGORY_Me, CATEGORY_Nd, CATEGORY_Nl, CATEGORY_No, CATEGORY_Zs, CATEGORY_Zl,
    CATEGORY_Zp, CATEGORY_Cc, CATEGORY_Cf, CATEGORY_Cs, CATEGORY_Co, CATEGORY_Pc, CATEGORY_Pd,
    CATEGORY_Ps, CATEGORY_Pe, CATEGORY_Pi, CATEGORY_Pf, CATEGORY_Po, CATEGORY_Sm, CATEGORY_Sc,
    CATEGORY_Sk, CATEGORY_So
};
/* Two letters each, by enum UnicodeCategory. */
extern const char *const unicode_category_names[];

typedef struct UnicodePage {
    UnicodeFacts facts[256];
} UnicodePage;

typedef ATOMIC(UnicodePage *) UnicodePageRef;
extern UnicodePageRef unicode_pages[0x1100];
COLD const UnicodePage *unicode_page_make(uint32_t page);

/* c <= UNICODE_MAX. */
static inline const UnicodeFacts *
unicode_facts(uint32_t c)
{
    /* acquire: pairs with unicode_page_make() */
    const UnicodePage *p = load_acquire(&unicode_pages[c >> 8]);
    if (UNLIKELY(p == NULL)) {
        p = unicode_page_make(c >> 8);
    }
    return &p->facts[c & 0xff];
}

static inline bool
unicode_is(uint32_t c, uint32_t flags)
{
    return (unicode_facts(c)->flags & flags) != 0;
}

/* Full mappings of one character, without context: up to 3 characters; returns how many. */
int unicode_to_lower(uint32_t c, uint32_t out[3]);
int unicode_to_upper(uint32_t c, uint32_t out[3]);
int unicode_to_title(uint32_t c, uint32_t out[3]);
int unicode_fold(uint32_t c, uint32_t out[3]);

/* The numeric value; false if there is none. */
bool unicode_numeric(uint32_t c, double *value);

/* The character's name in `name` (UNICODE_NAME_MAX bytes), or false. */
#define UNICODE_NAME_MAX 256
bool unicode_name(uint32_t c, char *name);
/* The character of a name or name alias; false if there is none.  Case does not matter but for
 * unified ideographs and Hangul syllables. */
bool unicode_by_name(const char *name, size_t length, uint32_t *c);
/* The same without aliases: only the name that unicode_name() gives. */
bool unicode_by_own_name(const char *name, size_t length, uint32_t *c);

#endif
