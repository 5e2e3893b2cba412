/* str_format.c -- str.format(), format_map() and the syntax of replacement fields.
 *
 *     text       ::= (literal | "{{" | "}}" | "{" field "}")*
 *     field      ::= [name] ["!" conversion] [":" spec]
 *     name       ::= (number | word)? ("." attribute | "[" index "]")*
 *
 * A spec may hold replacement fields of its own, one level deep.
 */
#include "objects/text/format_spec.h"
#include "objects/text/text_string.h"

#include "objects/model/names.h"

/* A part of the format string. */
typedef struct Part {
    size_t start, end;
} Part;

static inline bool
part_empty(Part p)
{
    return p.start >= p.end;
}

/* One step through a format string: a literal, and perhaps a field behind it. */
typedef struct Step {
    Part literal;
    bool field;
    Part name, spec;
    bool spec_nested;      /* the spec holds fields */
    uint32_t conversion;   /* 0: none */
} Step;

typedef struct Scanner {
    Value text;
    Chars c;
    size_t pos, end;
} Scanner;

/* Reads the field whose '{' has been read. */
static bool
scan_field(Thread *th, Scanner *s, Step *step)
{
    step->field = true;
    step->name.start = s->pos;
    bool bracket = false;
    uint32_t x = 0;
    while (s->pos < s->end) {
        x = chars_get(s->c, s->pos++);
        if (x == '{' && !bracket) {
            raise_value_error(th, "unexpected '{' in field name");
            return false;
        }
        if (x == '[') {
            bracket = true;
        } else if (x == ']') {
            bracket = false;
        } else if (!bracket && (x == '}' || x == ':' || x == '!')) {
            break;
        }
        x = 0;
    }
    if (x == 0) {
        step->name.end = s->pos;
        raise_value_error(th, "expected '}' before end of string");
        return false;
    }
    step->name.end = s->pos - 1;
    if (x == '}') {
        return true;
    }
    if (x == '!') {
        if (s->pos >= s->end) {
            raise_value_error(th, "end of string while looking for conversion specifier");
            return false;
        }
        step->conversion = chars_get(s->c, s->pos++);
        if (s->pos < s->end) {
            x = chars_get(s->c, s->pos++);
            if (x == '}') {
                return true;
            }
            if (x != ':') {
                raise_value_error(th, "expected ':' after conversion specifier");
                return false;
            }
        }
    }
    step->spec.start = s->pos;
    int depth = 1;
    while (s->pos < s->end) {
        x = chars_get(s->c, s->pos++);
        if (x == '{') {
            step->spec_nested = true;
            depth++;
        } else if (x == '}' && --depth == 0) {
            step->spec.end = s->pos - 1;
            return true;
        }
    }
    raise_value_error(th, "unmatched '{' in format spec");
    return false;
}

/* The next step; NO at the end. */
static Answer
scan(Thread *th, Scanner *s, Step *step)
{
    memset(step, 0, sizeof *step);
    if (s->pos >= s->end) {
        return NO;
    }
    step->literal.start = s->pos;
    while (s->pos < s->end) {
        uint32_t x = chars_get(s->c, s->pos++);
        if (x != '{' && x != '}') {
            continue;
        }
        bool last = s->pos >= s->end;
        if (!last && chars_get(s->c, s->pos) == x) { /* doubled: the literal takes one */
            step->literal.end = s->pos++;
            return YES;
        }
        if (last || x == '}') {
            raise_value_error(th, "Single '%c' encountered in format string", (int)x);
            return FAILED;
        }
        step->literal.end = s->pos - 1;
        return scan_field(th, s, step) ? YES : FAILED;
    }
    step->literal.end = s->pos;
    return YES;
}

/* -- field names -- */

/* A number made of all the characters: -1 if it is none, -2 with an exception. */
static int64_t
whole_number(Thread *th, Chars c, Part p)
{
    if (part_empty(p)) {
        return -1;
    }
    int64_t n = 0;
    for (size_t i = p.start; i < p.end; i++) {
        uint32_t x = chars_get(c, i);
        int digit = x < 0x80 ? (x >= '0' && x <= '9' ? (int)x - '0' : -1)
                             : unicode_facts(x)->decimal;
        if (digit < 0) {
            return -1;
        }
        if (n > (INT64_MAX - digit) / 10) {
            raise_value_error(th, "Too many decimal digits in format string");
            return -2;
        }
        n = n * 10 + digit;
    }
    return n;
}

/* Where the first part of a name ends. */
static Part
name_first(Chars c, Part name)
{
    size_t i = name.start;
    while (i < name.end && chars_get(c, i) != '.' && chars_get(c, i) != '[') {
        i++;
    }
    return (Part){name.start, i};
}

/* The next ".attribute" or "[index]" from *pos on; NO at the end. */
static Answer
name_next(Thread *th, Chars c, size_t *pos, size_t end, bool *attribute, Part *part,
          int64_t *number)
{
    if (*pos >= end) {
        return NO;
    }
    uint32_t x = chars_get(c, (*pos)++);
    part->start = *pos;
    *number = -1;
    if (x == '.') {
        *attribute = true;
        while (*pos < end && chars_get(c, *pos) != '.' && chars_get(c, *pos) != '[') {
            (*pos)++;
        }
        part->end = *pos;
    } else if (x == '[') {
        *attribute = false;
        while (*pos < end && chars_get(c, *pos) != ']') {
            (*pos)++;
        }
        if (*pos >= end) {
            raise_value_error(th, "Missing ']' in format string");
            return FAILED;
        }
        part->end = (*pos)++;
        *number = whole_number(th, c, *part);
        if (*number == -2) {
            return FAILED;
        }
    } else {
        raise_value_error(th,
                          "Only '.' or '[' may follow ']' in format field specifier");
        return FAILED;
    }
    if (part_empty(*part)) {
        raise_value_error(th, "Empty attribute in format string");
        return FAILED;
    }
    return YES;
}

/* -- formatting -- */

enum Numbering { NUMBERING_UNKNOWN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL };

typedef struct Formatter {
    const Arg *args;
    size_t nargs;
    Value kwnames;         /* names of the keyword arguments behind the positional ones, or NULL */
    Value map;             /* format_map(): the mapping, else NULL */
    enum Numbering numbering;
    int64_t next;          /* number of the next automatic field */
} Formatter;

static Value
keyword_argument(Thread *th, const Formatter *f, Value key)
{
    if (f->map != NULL) {
        return get_item(th, f->map, key);
    }
    if (f->kwnames != NULL) {
        for (int64_t i = 0; i < tuple_length(f->kwnames); i++) {
            if (str_equal(tuple_item(f->kwnames, i), key)) {
                return retain(th, arg(f->args, f->nargs + (size_t)i));
            }
        }
    }
    return raise_key_error(th, key);
}

static Value
first_argument(Thread *th, Formatter *f, Value text, Part first)
{
    Chars c = chars_of(text);
    int64_t n = whole_number(th, c, first);
    if (n == -2) {
        return NULL;
    }
    bool automatic = part_empty(first);
    if (automatic || n >= 0) {
        enum Numbering want = automatic ? NUMBERING_AUTOMATIC : NUMBERING_MANUAL;
        if (f->numbering != NUMBERING_UNKNOWN && f->numbering != want) {
            return raise_value_error(
                th, automatic ? "cannot switch from manual field specification to automatic "
                                "field numbering"
                              : "cannot switch from automatic field numbering to manual field "
                                "specification");
        }
        f->numbering = want;
        if (automatic) {
            n = f->next++;
        }
        if (f->map != NULL) {
            return raise_value_error(th, "Format string contains positional fields");
        }
        if ((uint64_t)n >= f->nargs) {
            return raise_error(th, &exc_IndexError,
                               "Replacement index %zd out of range for positional args tuple", n);
        }
        return retain(th, arg(f->args, (size_t)n));
    }
    Value key = str_substring(th, text, first.start, first.end);
    if (key == NULL) {
        return NULL;
    }
    Value v = keyword_argument(th, f, key);
    drop(th, key);
    return v;
}

/* The object a field's name stands for. */
static Value
field_object(Thread *th, Formatter *f, Value text, Part name)
{
    Chars c = chars_of(text);
    Part first = name_first(c, name);
    Value v = first_argument(th, f, text, first);
    size_t pos = first.end;
    while (v != NULL) {
        bool attribute;
        Part part;
        int64_t number;
        Answer more = name_next(th, c, &pos, name.end, &attribute, &part, &number);
        if (more == NO) {
            break;
        }
        Value next = NULL;
        if (more == YES && number >= 0) {
            Value index = int_from_i64(th, number);
            next = index == NULL ? NULL : get_item(th, v, index);
            drop_null(th, index);
        } else if (more == YES) {
            Value key = str_substring(th, text, part.start, part.end);
            if (key != NULL && attribute) {
                key = str_intern(th, key);
            }
            if (key != NULL) {
                next = attribute ? get_attr(th, v, key) : get_item(th, v, key);
                drop(th, key);
            }
        }
        drop(th, v);
        v = next;
    }
    return v;
}

static Value
convert(Thread *th, Value v, uint32_t conversion)
{
    switch (conversion) {
    case 'r': return to_repr(th, v);
    case 's': return to_str(th, v);
    case 'a': return to_ascii(th, v);
    default: break;
    }
    if (conversion > 32 && conversion < 127) {
        return raise_value_error(th, "Unknown conversion specifier %c", (int)conversion);
    }
    return raise_value_error(th, "Unknown conversion specifier \\x%x", (unsigned)conversion);
}

/* Appends format(v, spec). */
static bool
append_formatted(Thread *th, StrBuilder *b, Value v, Value spec)
{
    Value text;
    switch (shape_of(v)) {
    case SHAPE_STR:
        if (str_length(spec) == 0) {
            return str_builder_str(th, b, v);
        }
        text = format_str(th, v, spec);
        break;
    case SHAPE_INT:
        if (value_is_fixnum(v) && str_length(spec) == 0) {
            return str_builder_i64(th, b, value_fixnum(v));
        }
        text = format_int(th, v, spec);
        break;
    case SHAPE_FLOAT: text = format_float(th, v, spec); break;
    default: text = to_format(th, v, spec); break;
    }
    if (text == NULL) {
        return false;
    }
    bool good = str_builder_str(th, b, text);
    drop(th, text);
    return good;
}

static Value build(Thread *th, Formatter *f, Value text, Part part, int depth);

static bool
append_field(Thread *th, StrBuilder *b, Formatter *f, Value text, const Step *step, int depth)
{
    Value v = field_object(th, f, text, step->name);
    if (v != NULL && step->conversion != 0) {
        Value converted = convert(th, v, step->conversion);
        drop(th, v);
        v = converted;
    }
    if (v == NULL) {
        return false;
    }
    Value spec;
    if (part_empty(step->spec)) {
        spec = str_empty;
    } else if (step->spec_nested) {
        spec = build(th, f, text, step->spec, depth - 1);
    } else {
        spec = str_substring(th, text, step->spec.start, step->spec.end);
    }
    bool good = spec != NULL && append_formatted(th, b, v, spec);
    drop_null(th, spec);
    drop(th, v);
    return good;
}

static Value
build(Thread *th, Formatter *f, Value text, Part part, int depth)
{
    if (depth <= 0) {
        return raise_value_error(th, "Max string recursion exceeded");
    }
    StrBuilder b;
    str_builder_init(&b);
    Scanner s = {text, chars_of(text), part.start, part.end};
    Step step;
    Answer more;
    while ((more = scan(th, &s, &step)) == YES) {
        if (!str_builder_sub(th, &b, text, step.literal.start, step.literal.end) ||
            (step.field && !append_field(th, &b, f, text, &step, depth))) {
            more = FAILED;
            break;
        }
    }
    if (more == FAILED) {
        str_builder_free(&b);
        return NULL;
    }
    return str_builder_finish(th, &b);
}

Value
str_format_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Formatter f = {.args = args, .nargs = nargs, .kwnames = kwnames};
    return build(th, &f, self, (Part){0, str_length(self)}, 2);
}

Value
str_format_map_method(Thread *th, Value self, Value map)
{
    Formatter f = {.map = map};
    return build(th, &f, self, (Part){0, str_length(self)}, 2);
}

/* -- module _string -- */

/* The tuple of new references, which are given up if one is NULL. */
static Value
pack(Thread *th, Value *items, size_t n)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        good = good && items[i] != NULL;
    }
    Value t = good ? tuple_of(th, items, n) : NULL;
    for (size_t i = 0; i < n; i++) {
        drop_null(th, items[i]);
    }
    return t;
}

static Value
step_tuple(Thread *th, Value text, const Step *step)
{
    Value items[4];
    items[0] = str_substring(th, text, step->literal.start, step->literal.end);
    items[1] = step->field ? str_substring(th, text, step->name.start, step->name.end) : NONE;
    items[2] = step->field ? str_substring(th, text, step->spec.start, step->spec.end) : NONE;
    items[3] = step->conversion != 0 ? str_from_char(th, step->conversion) : NONE;
    return pack(th, items, 4);
}

Value
format_parser(Thread *th, Value text)
{
    if (!is_str(text)) {
        return raise_type_error(th, "expected str, got %T", text);
    }
    Value list = list_new(th, 4);
    if (list == NULL) {
        return NULL;
    }
    Scanner s = {text, chars_of(text), 0, str_length(text)};
    Step step;
    Answer more;
    while ((more = scan(th, &s, &step)) == YES) {
        Value t = step_tuple(th, text, &step);
        if (t == NULL || !list_append_steal(th, list, t)) {
            more = FAILED;
            break;
        }
    }
    Value it = more == FAILED ? NULL : get_iter(th, list);
    drop(th, list);
    return it;
}

Value
format_field_name_split(Thread *th, Value name)
{
    if (!is_str(name)) {
        return raise_type_error(th, "expected str, got %T", name);
    }
    Chars c = chars_of(name);
    Part first = name_first(c, (Part){0, c.n});
    int64_t number = whole_number(th, c, first);
    if (number == -2) {
        return NULL;
    }
    Value list = list_new(th, 4);
    if (list == NULL) {
        return NULL;
    }
    size_t pos = first.end;
    Answer more;
    bool attribute;
    Part part;
    while ((more = name_next(th, c, &pos, c.n, &attribute, &part, &number)) == YES) {
        Value items[2] = {bool_from(attribute), NULL};
        items[1] = number >= 0 ? int_from_i64(th, number)
                               : str_substring(th, name, part.start, part.end);
        Value t = pack(th, items, 2);
        if (t == NULL || !list_append_steal(th, list, t)) {
            more = FAILED;
            break;
        }
    }
    Value items[2] = {NULL, NULL};
    if (more != FAILED) {
        int64_t n = whole_number(th, c, first);
        items[0] = n >= 0 ? int_from_i64(th, n) : str_substring(th, name, first.start, first.end);
        items[1] = get_iter(th, list);
    }
    drop(th, list);
    return more == FAILED ? NULL : pack(th, items, 2);
}
