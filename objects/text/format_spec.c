/* format_spec.c -- parsing the format specification language:
 *
 *     [[fill]align][sign][z][#][0][width][grouping][.precision][type]
 */
#include "objects/text/format_spec.h"

static bool
is_align(uint32_t c)
{
    return c == '<' || c == '>' || c == '=' || c == '^';
}

/* Reads decimal digits; *out is -1 when there are none. */
static bool
read_number(Thread *th, Chars c, size_t *pos, int64_t *out)
{
    int64_t n = 0;
    size_t i = *pos;
    for (; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        int digit = x < 0x80 ? (x >= '0' && x <= '9' ? (int)x - '0' : -1)
                             : unicode_facts(x)->decimal;
        if (digit < 0) {
            break;
        }
        if (n > (INT64_MAX - digit) / 10) {
            raise_value_error(th, "Too many decimal digits in format string");
            return false;
        }
        n = n * 10 + digit;
    }
    *out = i == *pos ? -1 : n;
    *pos = i;
    return true;
}

COLD void *
format_unknown_type(Thread *th, Value v, uint32_t type)
{
    if (type > 32 && type < 128) {
        return raise_value_error(th, "Unknown format code '%c' for object of type '%T'",
                                 (int)type, v);
    }
    return raise_value_error(th, "Unknown format code '\\x%x' for object of type '%T'",
                             (unsigned)type, v);
}

static COLD bool
bad_grouping(Thread *th, char grouping, uint32_t type)
{
    if (type > 32 && type < 128) {
        raise_value_error(th, "Cannot specify '%c' with '%c'.", grouping, (int)type);
    } else {
        raise_value_error(th, "Cannot specify '%c' with '\\x%x'.", grouping, (unsigned)type);
    }
    return false;
}

static bool
grouping_allowed(char grouping, uint32_t type)
{
    switch (type) {
    case 'd': case 'e': case 'f': case 'g': case 'E': case 'G': case '%': case 'F': case 0:
        return true;
    case 'b': case 'o': case 'x': case 'X':
        return grouping == '_';
    default:
        return false;
    }
}

bool
format_spec_parse(Thread *th, Value v, Value spec, char default_align, uint32_t default_type,
                  FormatSpec *out)
{
    Chars c = chars_of(spec);
    size_t i = 0;
    FormatSpec s = {.fill = ' ', .align = default_align, .type = default_type, .width = -1,
                    .precision = -1};
    if (c.n >= 2 && is_align(chars_get(c, 1))) {
        s.fill = chars_get(c, 0);
        s.align = (char)chars_get(c, 1);
        s.fill_given = s.align_given = true;
        i = 2;
    } else if (c.n >= 1 && is_align(chars_get(c, 0))) {
        s.align = (char)chars_get(c, 0);
        s.align_given = true;
        i = 1;
    }
#define NEXT_IS(x) (i < c.n && chars_get(c, i) == (x))
    if (NEXT_IS('+') || NEXT_IS('-') || NEXT_IS(' ')) {
        s.sign = (char)chars_get(c, i++);
    }
    if (NEXT_IS('z')) {
        s.no_negative_zero = true;
        i++;
    }
    if (NEXT_IS('#')) {
        s.alternate = true;
        i++;
    }
    if (!s.fill_given && NEXT_IS('0')) {
        s.fill = '0';
        s.fill_given = true;
        if (!s.align_given && default_align == '>') {
            s.align = '=';
        }
        i++;
    }
    if (!read_number(th, c, &i, &s.width)) {
        return false;
    }
    if (NEXT_IS(',')) {
        s.grouping = ',';
        i++;
    }
    if (NEXT_IS('_')) {
        if (s.grouping != 0) {
            raise_value_error(th, "Cannot specify both ',' and '_'.");
            return false;
        }
        s.grouping = '_';
        i++;
    }
    if (s.grouping == '_' && NEXT_IS(',')) {
        raise_value_error(th, "Cannot specify both ',' and '_'.");
        return false;
    }
    if (NEXT_IS('.')) {
        i++;
        if (!read_number(th, c, &i, &s.precision)) {
            return false;
        }
        if (s.precision < 0) {
            raise_value_error(th, "Format specifier missing precision");
            return false;
        }
    }
#undef NEXT_IS
    if (c.n - i > 1) {
        raise_value_error(th, "Invalid format specifier '%V' for object of type '%T'", spec, v);
        return false;
    }
    if (c.n - i == 1) {
        s.type = chars_get(c, i);
    }
    if (s.grouping != 0 && !grouping_allowed(s.grouping, s.type)) {
        return bad_grouping(th, s.grouping, s.type);
    }
    *out = s;
    return true;
}
