/* format_number.c -- format() of int, float and complex, and numbers in groups. */
#include "objects/text/format_spec.h"

#include <limits.h>
#include <locale.h>
#include <math.h>

/* -- groups -- */

/* A text of the locale, at most 4 characters. */
static int
locale_text(const char *p, uint32_t out[4])
{
    int count = 0;
    size_t n = strlen(p);
    while (n > 0 && count < 4) {
        int size = utf8_decode_char((const uint8_t *)p, n, &out[count]);
        if (size <= 0) {
            out[count] = (uint8_t)*p;
            size = 1;
        }
        count++;
        p += size;
        n -= (size_t)size;
    }
    return count;
}

void
grouping_init(Grouping *g, enum GroupingKind kind)
{
    g->point[0] = '.';
    g->point_length = 1;
    g->separator_length = 0;
    g->sizes[0] = CHAR_MAX;
    g->sizes[1] = 0;
    switch (kind) {
    case GROUPING_NONE:
        return;
    case GROUPING_LOCALE: {
        const struct lconv *l = localeconv();
        g->point_length = locale_text(l->decimal_point, g->point);
        g->separator_length = locale_text(l->thousands_sep, g->separator);
        size_t n = strnlen(l->grouping, sizeof g->sizes - 1);
        memcpy(g->sizes, l->grouping, n);
        g->sizes[n] = 0;
        if (n == 0) {
            g->sizes[0] = CHAR_MAX;
            g->sizes[1] = 0;
        }
        return;
    }
    default:
        g->separator[0] = kind == GROUPING_COMMA ? ',' : '_';
        g->separator_length = 1;
        g->sizes[0] = kind == GROUPING_FOUR ? 4 : 3;
    }
}

static enum GroupingKind
grouping_kind(const FormatSpec *spec)
{
    switch (spec->grouping) {
    case ',': return GROUPING_COMMA;
    case '_':
        return spec->type == 'b' || spec->type == 'o' || spec->type == 'x' || spec->type == 'X'
                   ? GROUPING_FOUR
                   : GROUPING_UNDERSCORE;
    default: return spec->type == 'n' ? GROUPING_LOCALE : GROUPING_NONE;
    }
}

/* How the integer part comes out: its digits behind `zeros` zeros, with separators. */
typedef struct Run {
    size_t chars, zeros;
} Run;
typedef VEC(Run) Runs;

/* Cuts `digits` digits into groups, padded with zeros to at least min_width characters; the
 * last group comes first.  *total is the number of characters with separators. */
static bool
make_groups(Thread *th, const Grouping *g, size_t digits, int64_t min_width, Runs *runs,
            size_t *total)
{
    int64_t left = (int64_t)digits;
    int at = 0;
    *total = 0;
    for (bool first = true;; first = false) {
        int64_t want = left > min_width ? left : min_width;
        if (want < 1) {
            want = 1;
        }
        int64_t size = want;
        if (g->sizes[at] != CHAR_MAX && g->sizes[at] > 0 && g->sizes[at] < want) {
            size = g->sizes[at];
        }
        bool unlimited = g->sizes[at] == CHAR_MAX || g->sizes[at] == 0;
        int64_t chars = left < size ? left : size;
        if (!vec_push(runs, ((Run){(size_t)chars, (size_t)(size - chars)}))) {
            raise_memory(th);
            return false;
        }
        *total += (size_t)size + (first ? 0 : (size_t)g->separator_length);
        left -= chars;
        min_width -= size;
        if ((left <= 0 && min_width <= 0) || unlimited) {
            return true;
        }
        min_width -= g->separator_length;
        if (g->sizes[at + 1] != 0) {
            at++;
        }
    }
}

static bool
append_digits(Thread *th, StrBuilder *b, const Grouping *g, const Runs *runs, const char *digits)
{
    for (size_t i = runs->count; i-- > 0;) {
        const Run *r = &runs->items[i];
        if (!str_builder_fill(th, b, '0', r->zeros) ||
            !str_builder_ascii(th, b, digits, r->chars)) {
            return false;
        }
        digits += r->chars;
        for (int k = 0; i > 0 && k < g->separator_length; k++) {
            if (!str_builder_char(th, b, g->separator[k])) {
                return false;
            }
        }
    }
    return true;
}

void
number_parts_split(NumberParts *parts, const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] >= '0' && p[i] <= '9') {
        i++;
    }
    parts->digits = p;
    parts->digit_count = i;
    parts->point = i < n && p[i] == '.';
    if (parts->point) {
        i++;
    }
    parts->rest = p + i;
    parts->rest_length = n - i;
}

bool
number_append(Thread *th, StrBuilder *b, const FormatSpec *spec, const NumberParts *parts,
              const Grouping *g)
{
    char sign = parts->negative ? '-' : parts->sign == '+' || parts->sign == ' ' ? parts->sign : 0;
    size_t prefix = strlen(parts->prefix);
    size_t fixed = (sign != 0) + prefix + (parts->point ? (size_t)g->point_length : 0) +
                   parts->rest_length;
    size_t width = spec->width > 0 ? (size_t)spec->width : 0;
    int64_t min_width = 0;
    if (spec->fill == '0' && spec->align == '=') {
        min_width = (int64_t)width - (int64_t)fixed;
    }
    Runs runs = VEC_INIT;
    size_t digits = 0, zeros = 0;
    bool good = false, grouped = g->separator_length > 0 && g->sizes[0] != CHAR_MAX;
    if (!grouped && parts->digit_count > 0) {
        digits = parts->digit_count;
        if (min_width > (int64_t)digits) {
            zeros = (size_t)min_width - digits;
            digits += zeros;
        }
    } else if (parts->digit_count > 0 &&
               !make_groups(th, g, parts->digit_count, min_width, &runs, &digits)) {
        goto fail;
    }
    size_t pad = width > fixed + digits ? width - fixed - digits : 0;
    size_t left = 0, inner = 0, right = 0;
    switch (spec->align) {
    case '<': right = pad; break;
    case '^':
        left = pad / 2;
        right = pad - left;
        break;
    case '=': inner = pad; break;
    default: left = pad; break;
    }
    good = str_builder_fill(th, b, spec->fill, left) &&
           (sign == 0 || str_builder_char(th, b, (uint8_t)sign)) &&
           str_builder_ascii(th, b, parts->prefix, prefix) &&
           str_builder_fill(th, b, spec->fill, inner) &&
           (grouped ? append_digits(th, b, g, &runs, parts->digits)
                    : str_builder_fill(th, b, '0', zeros) &&
                          str_builder_ascii(th, b, parts->digits, parts->digit_count));
    for (int i = 0; good && parts->point && i < g->point_length; i++) {
        good = str_builder_char(th, b, g->point[i]);
    }
    good = good && str_builder_ascii(th, b, parts->rest, parts->rest_length) &&
           str_builder_fill(th, b, spec->fill, right);
fail:
    vec_free(&runs);
    return good;
}

/* -- int -- */

/* `n` as digits of a base at the end of `end`; returns where they begin. */
static char *
digits_of(uint64_t n, uint32_t type, char *end)
{
    const char *alphabet = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char *p = end;
    switch (type) {
    case 'b': case 'o': case 'x': case 'X': {
        int shift = type == 'b' ? 1 : type == 'o' ? 3 : 4;
        do {
            *--p = alphabet[n & (((uint64_t)1 << shift) - 1)];
            n >>= shift;
        } while (n != 0);
        return p;
    }
    default:
        do {
            *--p = (char)('0' + n % 10);
            n /= 10;
        } while (n != 0);
        return p;
    }
}

static const char *
int_prefix(const FormatSpec *spec)
{
    if (!spec->alternate) {
        return "";
    }
    switch (spec->type) {
    case 'b': return "0b";
    case 'o': return "0o";
    case 'x': return "0x";
    case 'X': return "0X";
    default: return "";
    }
}

static Value
padded_text(Thread *th, const FormatSpec *spec, Value s, size_t length)
{
    size_t width = spec->width > 0 ? (size_t)spec->width : 0;
    size_t pad = width > length ? width - length : 0;
    size_t left = spec->align == '>' || spec->align == '=' ? pad : spec->align == '^' ? pad / 2 : 0;
    StrBuilder b;
    str_builder_init(&b);
    if (str_builder_fill(th, &b, spec->fill, left) && str_builder_sub(th, &b, s, 0, length) &&
        str_builder_fill(th, &b, spec->fill, pad - left)) {
        return str_builder_finish(th, &b);
    }
    str_builder_free(&b);
    return NULL;
}

static Value
format_as_char(Thread *th, Value n, const FormatSpec *spec)
{
    if (spec->sign != 0) {
        return raise_value_error(th, "Sign not allowed with integer format specifier 'c'");
    }
    if (spec->alternate) {
        return raise_value_error(
            th, "Alternate form (#) not allowed with integer format specifier 'c'");
    }
    int64_t code;
    if (!int_fits_i64(n, &code)) {
        return raise_overflow(th, "Python int too large to convert to C long");
    }
    if (code < 0 || code > (int64_t)UNICODE_MAX) {
        return raise_overflow(th, "%c arg not in range(0x110000)");
    }
    Value c = str_from_char(th, (uint32_t)code);
    if (c == NULL) {
        return NULL;
    }
    Value v = padded_text(th, spec, c, 1);
    drop(th, c);
    return v;
}

static Value
format_as_int(Thread *th, Value n, const FormatSpec *spec)
{
    if (spec->precision >= 0) {
        return raise_value_error(th, "Precision not allowed in integer format specifier");
    }
    if (spec->no_negative_zero) {
        return raise_value_error(
            th, "Negative zero coercion (z) not allowed in integer format specifier");
    }
    if (spec->type == 'c') {
        return format_as_char(th, n, spec);
    }
    NumberParts parts = {.sign = spec->sign, .prefix = int_prefix(spec), .rest = ""};
    char buf[72];
    Value text = NULL, upper = NULL;
    int64_t small;
    if (int_fits_i64(n, &small)) {
        parts.negative = small < 0;
        parts.digits = digits_of(small < 0 ? 0 - (uint64_t)small : (uint64_t)small, spec->type,
                                 buf + sizeof buf);
        parts.digit_count = (size_t)(buf + sizeof buf - parts.digits);
    } else {
        int base = spec->type == 'b' ? 2 : spec->type == 'o' ? 8
                   : spec->type == 'x' || spec->type == 'X' ? 16 : 10;
        text = int_to_str(th, n, base, false);
        if (text == NULL) {
            return NULL;
        }
        if (spec->type == 'X') {
            upper = str_upper_method(th, text);
            drop(th, text);
            if (upper == NULL) {
                return NULL;
            }
            text = upper;
        }
        const char *p = (const char *)as_str(text)->data;
        parts.negative = p[0] == '-';
        parts.digits = p + parts.negative;
        parts.digit_count = str_length(text) - parts.negative;
    }
    Grouping g;
    grouping_init(&g, grouping_kind(spec));
    StrBuilder b;
    str_builder_init(&b);
    Value v = NULL;
    if (number_append(th, &b, spec, &parts, &g)) {
        v = str_builder_finish(th, &b);
    } else {
        str_builder_free(&b);
    }
    drop_null(th, text);
    return v;
}

/* -- float -- */

static Value
format_as_float(Thread *th, double d, const FormatSpec *spec)
{
    if (spec->precision > INT_MAX) {
        return raise_value_error(th, "precision too big");
    }
    int precision = (int)spec->precision, flags = spec->alternate ? DOUBLE_ALTERNATE : 0;
    char kind = (char)spec->type;
    switch (spec->type) {
    case 0:
        flags |= DOUBLE_DOT_ZERO;
        kind = precision < 0 ? 'r' : 'g';
        break;
    case 'n': kind = 'g'; break;
    case '%':
        kind = 'f';
        d *= 100;
        break;
    default: break;
    }
    if (precision < 0) {
        precision = 6;
    }
    DoubleText t;
    if (!double_text(th, &t, d, kind, precision, flags)) {
        return NULL;
    }
    if (spec->no_negative_zero) {
        double_text_drop_sign_of_zero(&t);
    }
    if (spec->type != '%' && spec->width <= 0 && spec->grouping == 0 && spec->type != 'n' &&
        (spec->sign == 0 || spec->sign == '-')) {
        Value v = str_from_ascii(th, t.p, t.n);
        double_text_free(&t);
        return v;
    }
    NumberParts parts = {.sign = spec->sign, .prefix = "", .negative = t.p[0] == '-'};
    const char *p = t.p + parts.negative;
    size_t n = t.n - parts.negative;
    char *with_percent = NULL;
    if (spec->type == '%') {
        with_percent = mem_alloc(n + 1);
        if (with_percent == NULL) {
            double_text_free(&t);
            return raise_memory(th);
        }
        memcpy(with_percent, p, n);
        with_percent[n++] = '%';
        p = with_percent;
    }
    number_parts_split(&parts, p, n);
    Grouping g;
    grouping_init(&g, grouping_kind(spec));
    StrBuilder b;
    str_builder_init(&b);
    Value v = NULL;
    if (number_append(th, &b, spec, &parts, &g)) {
        v = str_builder_finish(th, &b);
    } else {
        str_builder_free(&b);
    }
    mem_free(with_percent);
    double_text_free(&t);
    return v;
}

Value
format_int(Thread *th, Value n, Value spec_value)
{
    if (str_length(spec_value) == 0) {
        return is_exact(n, SHAPE_INT) ? int_to_str(th, n, 10, false) : to_str(th, n);
    }
    FormatSpec spec;
    if (!format_spec_parse(th, n, spec_value, '>', 'd', &spec)) {
        return NULL;
    }
    switch (spec.type) {
    case 'b': case 'c': case 'd': case 'o': case 'x': case 'X': case 'n':
        return format_as_int(th, n, &spec);
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case '%': {
        double d;
        return int_to_double(th, n, &d) ? format_as_float(th, d, &spec) : NULL;
    }
    default:
        return format_unknown_type(th, n, spec.type);
    }
}

Value
format_float(Thread *th, Value f, Value spec_value)
{
    if (str_length(spec_value) == 0) {
        return is_exact(f, SHAPE_FLOAT) ? float_repr(th, float_value(f)) : to_str(th, f);
    }
    FormatSpec spec;
    if (!format_spec_parse(th, f, spec_value, '>', 0, &spec)) {
        return NULL;
    }
    switch (spec.type) {
    case 0: case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'n': case '%':
        return format_as_float(th, float_value(f), &spec);
    default:
        return format_unknown_type(th, f, spec.type);
    }
}

/* -- complex -- */

/* Appends one part of a complex number. */
static bool
append_part(Thread *th, StrBuilder *b, double d, char kind, int precision, int flags, char sign,
            const FormatSpec *spec, const Grouping *g)
{
    DoubleText t;
    if (!double_text(th, &t, d, kind, precision, flags)) {
        return false;
    }
    if (spec->no_negative_zero) {
        double_text_drop_sign_of_zero(&t);
    }
    bool negative = t.p[0] == '-';
    NumberParts parts = {.sign = sign, .prefix = "", .negative = negative};
    number_parts_split(&parts, t.p + negative, t.n - negative);
    FormatSpec plain = {.fill = ' ', .align = '<', .width = -1, .precision = -1};
    bool good = number_append(th, b, &plain, &parts, g);
    double_text_free(&t);
    return good;
}

static Value
format_as_complex(Thread *th, double real, double imag, const FormatSpec *spec)
{
    if (spec->precision > INT_MAX) {
        return raise_value_error(th, "precision too big");
    }
    if (spec->fill == '0' && spec->fill_given) {
        return raise_value_error(th, "Zero padding is not allowed in complex format specifier");
    }
    if (spec->align == '=') {
        return raise_value_error(
            th, "'=' alignment flag is not allowed in complex format specifier");
    }
    int precision = (int)spec->precision, flags = spec->alternate ? DOUBLE_ALTERNATE : 0;
    char kind = (char)spec->type;
    bool parens = false, skip_real = false;
    if (spec->type == 0) {
        kind = precision < 0 ? 'r' : 'g';
        skip_real = real == 0 && !signbit(real);
        parens = !skip_real;
    } else if (spec->type == 'n') {
        kind = 'g';
    }
    if (precision < 0) {
        precision = 6;
    }
    Grouping g;
    grouping_init(&g, grouping_kind(spec));
    StrBuilder b;
    str_builder_init(&b);
    Value text = NULL, v = NULL;
    if ((!parens || str_builder_char(th, &b, '(')) &&
        (skip_real || append_part(th, &b, real, kind, precision, flags, spec->sign, spec, &g)) &&
        append_part(th, &b, imag, kind, precision, flags, skip_real ? spec->sign : '+', spec,
                    &g) &&
        str_builder_ascii(th, &b, "j)", parens ? 2 : 1)) {
        text = str_builder_finish(th, &b);
    } else {
        str_builder_free(&b);
    }
    if (text != NULL) {
        v = padded_text(th, spec, text, str_length(text));
        drop(th, text);
    }
    return v;
}

Value
format_complex(Thread *th, Value c, Value spec_value)
{
    if (str_length(spec_value) == 0) {
        return to_str(th, c);
    }
    FormatSpec spec;
    double real, imag;
    if (!format_spec_parse(th, c, spec_value, '>', 0, &spec) ||
        !complex_value(th, c, &real, &imag)) {
        return NULL;
    }
    switch (spec.type) {
    case 0: case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'n':
        return format_as_complex(th, real, imag, &spec);
    default:
        return format_unknown_type(th, c, spec.type);
    }
}

/* -- str -- */

Value
format_str(Thread *th, Value s, Value spec_value)
{
    if (str_length(spec_value) == 0) {
        return is_exact(s, SHAPE_STR) ? retain(th, s) : to_str(th, s);
    }
    FormatSpec spec;
    if (!format_spec_parse(th, s, spec_value, '<', 's', &spec)) {
        return NULL;
    }
    if (spec.type != 's') {
        return format_unknown_type(th, s, spec.type);
    }
    if (spec.sign != 0) {
        return raise_value_error(th, "%s not allowed in string format specifier",
                                 spec.sign == ' ' ? "Space" : "Sign");
    }
    if (spec.no_negative_zero) {
        return raise_value_error(
            th, "Negative zero coercion (z) not allowed in string format specifier");
    }
    if (spec.alternate) {
        return raise_value_error(th,
                                 "Alternate form (#) not allowed in string format specifier");
    }
    if (spec.align == '=') {
        return raise_value_error(th, "'=' alignment not allowed in string format specifier");
    }
    size_t length = str_length(s);
    if (spec.precision >= 0 && (uint64_t)spec.precision < length) {
        length = (size_t)spec.precision;
    }
    if (spec.width <= (int64_t)length) {
        return str_substring(th, s, 0, length);
    }
    return padded_text(th, &spec, s, length);
}
