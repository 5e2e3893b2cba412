/* format_spec.h -- the format specification language: what format(v, spec) asks for. */
#ifndef OBJECTS_TEXT_FORMAT_SPEC_H
#define OBJECTS_TEXT_FORMAT_SPEC_H

#include "objects/text/text_priv.h"

typedef struct FormatSpec {
    uint32_t fill;
    char align;          /* '<' '>' '^' '=' */
    bool fill_given, align_given;
    char sign;           /* 0, '+', '-', ' ' */
    bool no_negative_zero, alternate;
    char grouping;       /* 0, ',', '_' */
    int64_t width;       /* -1: none */
    int64_t precision;   /* -1: none */
    uint32_t type;       /* a character, 0: none */
} FormatSpec;

/* Parses `spec` for an object `v` (its type's name is for messages). */
RAISES bool format_spec_parse(Thread *th, Value v, Value spec, char default_align,
                              uint32_t default_type, FormatSpec *out);
COLD void *format_unknown_type(Thread *th, Value v, uint32_t type);

/* A double as text, sign included: ASCII, in `local` or in memory of its own. */
typedef struct DoubleText {
    char *p;
    size_t n;
    char local[352];
} DoubleText;

enum { DOUBLE_ALTERNATE = 1, DOUBLE_DOT_ZERO = 2 };

/* kind: e f g E F G or r (shortest; precision not used).  After success: double_text_free(). */
RAISES bool double_text(Thread *th, DoubleText *t, double d, char kind, int precision, int flags);
/* "-0.00" becomes "0.00". */
void double_text_drop_sign_of_zero(DoubleText *t);
static inline void
double_text_free(DoubleText *t)
{
    if (t->p != t->local) {
        mem_free(t->p);
    }
}

/* How the parts of a number are written in groups; from the locale or fixed. */
typedef struct Grouping {
    uint32_t point[4], separator[4];
    int point_length, separator_length;
    char sizes[16];      /* as struct lconv has them: ends with 0 (repeat the last) or CHAR_MAX */
} Grouping;
enum GroupingKind {
    GROUPING_LOCALE, GROUPING_COMMA, GROUPING_UNDERSCORE, GROUPING_FOUR, GROUPING_NONE
};
void grouping_init(Grouping *g, enum GroupingKind kind);

/* A number in its parts. */
typedef struct NumberParts {
    bool negative;
    char sign;              /* as in FormatSpec */
    const char *prefix;     /* "0x" */
    const char *digits;     /* of the integer part */
    size_t digit_count;
    bool point;
    const char *rest;       /* behind the point: digits, exponent, % */
    size_t rest_length;
} NumberParts;
/* Splits the text of a double (without its sign) into parts. */
void number_parts_split(NumberParts *parts, const char *p, size_t n);
/* Appends the number, padded as `spec` says. */
RAISES bool number_append(Thread *th, StrBuilder *b, const FormatSpec *spec,
                          const NumberParts *parts, const Grouping *g);

#endif
