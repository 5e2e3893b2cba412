/* str_percent.c -- `format % args` for str and for bytes.
 *
 *     %[(key)][flags][width][.precision][hlL]conversion
 *
 * Both kinds share all of it: bytes are built as characters below 256.
 */
#include "objects/text/format_spec.h"

#include "objects/model/names.h"
#include "objects/number/fast.h"

#include <limits.h>

enum { FLAG_LEFT = 1, FLAG_SIGN = 2, FLAG_BLANK = 4, FLAG_ALTERNATE = 8, FLAG_ZERO = 16,
       FLAG_NO_NEGATIVE_ZERO = 32 };

typedef struct Percent {
    bool bytes, ascii;   /* ascii: nothing else in the format */
    Chars format;
    size_t pos;
    Value args;          /* the right operand */
    Value current;       /* what arguments are taken from: args, or a value found by key */
    bool owned;          /* `current` is counted by this struct */
    bool single;         /* `current` is one argument, not a tuple of them */
    bool mapping;        /* keys may be used */
    int64_t next, count; /* of a tuple; single: 0 or 1 */
    StrBuilder out;
} Percent;

typedef struct Conversion {
    int flags;
    int64_t width, precision; /* -1: none */
    uint32_t type;
    size_t at;                /* where `type` stands */
} Conversion;

/* -- arguments -- */

/* The next argument, BORROWED from `current`. */
static Value
next_argument(Thread *th, Percent *p)
{
    if (p->next >= p->count) {
        return raise_type_error(th, "not enough arguments for format string");
    }
    int64_t i = p->next++;
    return p->single ? p->current : tuple_item(p->current, i);
}

static void
set_current(Thread *th, Percent *p, Value v, bool owned)
{
    if (p->owned) {
        drop(th, p->current);
    }
    p->current = v;
    p->owned = owned;
    p->single = owned || !is_tuple(v);
    p->next = 0;
    p->count = p->single ? 1 : tuple_length(v);
}

/* %(key): takes the value as the only argument. */
static bool
take_key(Thread *th, Percent *p)
{
    if (!p->mapping) {
        raise_type_error(th, "format requires a mapping");
        return false;
    }
    size_t start = ++p->pos;
    int depth = 1;
    while (depth > 0 && p->pos < p->format.n) {
        uint32_t x = chars_get(p->format, p->pos++);
        depth += x == '(' ? 1 : x == ')' ? -1 : 0;
    }
    if (depth > 0) {
        raise_value_error(th, "incomplete format key");
        return false;
    }
    Chars name = chars_sub(p->format, start, p->pos - 1);
    Value key = p->bytes ? bytes_from(th, name.p, name.n) : str_from_chars(th, name);
    if (key == NULL) {
        return false;
    }
    Value v = get_item(th, p->args, key);
    drop(th, key);
    if (v == NULL) {
        return false;
    }
    set_current(th, p, v, true);
    return true;
}

/* -- the specification -- */

/* A `*` or digits; *out stays if there are none. */
static bool
take_number(Thread *th, Percent *p, bool precision, int64_t *out)
{
    if (p->pos < p->format.n && chars_get(p->format, p->pos) == '*') {
        p->pos++;
        Value v = next_argument(th, p);
        if (v == NULL) {
            return false;
        }
        if (!is_int(v)) {
            raise_type_error(th, "* wants int");
            return false;
        }
        if (!int_fits_i64(v, out) || *out == INT64_MIN ||
            (precision && (*out > INT_MAX || *out < INT_MIN))) {
            raise_overflow(th, precision ? "Python int too large to convert to C int"
                                         : "Python int too large to convert to C ssize_t");
            return false;
        }
        return true;
    }
    int64_t n = 0, limit = precision ? INT_MAX : INT64_MAX;
    bool any = false;
    for (; p->pos < p->format.n; p->pos++, any = true) {
        uint32_t x = chars_get(p->format, p->pos);
        if (x < '0' || x > '9') {
            break;
        }
        if (n > (limit - (int64_t)(x - '0')) / 10) {
            raise_value_error(th, precision ? (p->bytes ? "prec too big" : "precision too big")
                                            : "width too big");
            return false;
        }
        n = n * 10 + (int64_t)(x - '0');
    }
    if (any) {
        *out = n;
    }
    return true;
}

static int
flag_of(const Percent *p, uint32_t x)
{
    switch (x) {
    case '-': return FLAG_LEFT;
    case '+': return FLAG_SIGN;
    case ' ': return FLAG_BLANK;
    case '#': return FLAG_ALTERNATE;
    case '0': return FLAG_ZERO;
    case 'z': return p->bytes ? FLAG_NO_NEGATIVE_ZERO : 0;
    default: return 0;
    }
}

/* Reads what stands behind a '%'. */
static bool
take_conversion(Thread *th, Percent *p, Conversion *c)
{
    *c = (Conversion){.width = -1, .precision = -1};
    Chars f = p->format;
    if (p->pos < f.n) {
        uint32_t x = chars_get(f, p->pos);
        if ((x | 32) >= 'a' && (x | 32) <= 'z' && x != 'l' && x != 'h' && x != 'L' && x != 'z') {
            c->at = p->pos++; /* nothing but a conversion, as it is most of the time */
            c->type = x;
            return true;
        }
        if (x == '(' && !take_key(th, p)) {
            return false;
        }
    }
    int flag;
    while (p->pos < f.n && (flag = flag_of(p, chars_get(f, p->pos))) != 0) {
        c->flags |= flag;
        p->pos++;
    }
    int64_t width = INT64_MIN;
    if (!take_number(th, p, false, &width)) {
        return false;
    }
    if (width != INT64_MIN) {
        if (width < 0) {
            c->flags |= FLAG_LEFT;
            width = -width;
        }
        c->width = width;
    }
    if (p->pos < f.n && chars_get(f, p->pos) == '.') {
        p->pos++;
        c->precision = 0;
        if (!take_number(th, p, true, &c->precision)) {
            return false;
        }
        if (c->precision < 0) {
            c->precision = 0;
        }
    }
    if (p->pos < f.n) {
        uint32_t x = chars_get(f, p->pos);
        if (x == 'h' || x == 'l' || x == 'L') {
            p->pos++;
        }
    }
    if (p->pos >= f.n) {
        raise_value_error(th, "incomplete format");
        return false;
    }
    c->at = p->pos;
    c->type = chars_get(f, p->pos++);
    return true;
}

/* -- output -- */

/* Text (characters start..end of `v`) padded with spaces. */
static bool
put_text(Thread *th, Percent *p, const Conversion *c, Value v)
{
    size_t n = str_length(v);
    if (c->precision >= 0 && (uint64_t)c->precision < n) {
        n = (size_t)c->precision;
    }
    size_t pad = c->width > 0 && (uint64_t)c->width > n ? (size_t)c->width - n : 0;
    bool left = (c->flags & FLAG_LEFT) != 0;
    return str_builder_fill(th, &p->out, ' ', left ? 0 : pad) &&
           str_builder_sub(th, &p->out, v, 0, n) &&
           str_builder_fill(th, &p->out, ' ', left ? pad : 0);
}

/* A number: sign, prefix, digits (zeros of its precision in front). */
static bool
put_number(Thread *th, Percent *p, const Conversion *c, bool negative, const char *prefix,
           const char *digits, size_t n)
{
    char sign = negative ? '-' : c->flags & FLAG_SIGN ? '+' : c->flags & FLAG_BLANK ? ' ' : 0;
    size_t prefix_size = strlen(prefix);
    bool integer = c->type != 'e' && c->type != 'E' && c->type != 'f' && c->type != 'F' &&
                   c->type != 'g' && c->type != 'G';
    size_t zeros = integer && c->precision > 0 && (uint64_t)c->precision > n
                       ? (size_t)c->precision - n : 0;
    size_t total = (sign != 0) + prefix_size + zeros + n;
    size_t pad = c->width > 0 && (uint64_t)c->width > total ? (size_t)c->width - total : 0;
    size_t before = 0, behind = 0;
    if (c->flags & FLAG_LEFT) {
        behind = pad;
    } else if (c->flags & FLAG_ZERO) {
        zeros += pad;
    } else {
        before = pad;
    }
    StrBuilder *b = &p->out;
    return str_builder_fill(th, b, ' ', before) &&
           (sign == 0 || str_builder_char(th, b, (uint8_t)sign)) &&
           str_builder_ascii(th, b, prefix, prefix_size) && str_builder_fill(th, b, '0', zeros) &&
           str_builder_ascii(th, b, digits, n) && str_builder_fill(th, b, ' ', behind);
}

/* -- integers -- */

static bool
is_number(Value v)
{
    const Type *t = type_of(v);
    return SLOT(t, index) != NULL || SLOT(t, to_int) != NULL || SLOT(t, to_float) != NULL ||
           is_complex(v);
}

/* The int to be shown for v, a new reference. */
static Value
int_argument(Thread *th, Value v, uint32_t type)
{
    if (is_int(v)) {
        return retain(th, v);
    }
    bool exact = type == 'o' || type == 'x' || type == 'X';
    if (is_number(v)) {
        Value n = exact ? to_index(th, v) : number_to_int(th, v);
        if (n != NULL || !error_matches(th, &exc_TypeError)) {
            return n;
        }
        error_clear(th);
    }
    return raise_type_error(th, exact ? "%%%c format: an integer is required, not %T"
                                      : "%%%c format: a real number is required, not %T",
                            (int)type, v);
}

static bool
put_int(Thread *th, Percent *p, const Conversion *c, Value v)
{
    if (value_is_fixnum(v) && c->flags == 0 && c->width < 0 && c->precision < 0 &&
        (c->type == 'd' || c->type == 'i')) {
        return str_builder_i64(th, &p->out, value_fixnum(v));
    }
    Value n = int_argument(th, v, p->bytes && c->type == 'i' ? 'd' : c->type);
    if (n == NULL) {
        return false;
    }
    const char *prefix = "";
    int base = 10;
    switch (c->type) {
    case 'o': base = 8; prefix = "0o"; break;
    case 'x': base = 16; prefix = "0x"; break;
    case 'X': base = 16; prefix = "0X"; break;
    default: break;
    }
    if (base == 10 || !(c->flags & FLAG_ALTERNATE)) {
        prefix = "";
    }
    char buf[32], *end = buf + sizeof buf, *at = end;
    int64_t small;
    bool good;
    if (int_fits_i64(n, &small)) {
        uint64_t m = small < 0 ? 0 - (uint64_t)small : (uint64_t)small;
        const char *alphabet = c->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
        do {
            *--at = alphabet[m % (unsigned)base];
            m /= (unsigned)base;
        } while (m != 0);
        good = put_number(th, p, c, small < 0, prefix, at, (size_t)(end - at));
    } else {
        Value text = int_to_str(th, n, base, false);
        if (text != NULL && c->type == 'X') {
            Value upper = str_upper_method(th, text);
            drop(th, text);
            text = upper;
        }
        good = false;
        if (text != NULL) {
            const char *digits = (const char *)as_str(text)->data;
            bool negative = digits[0] == '-';
            good = put_number(th, p, c, negative, prefix, digits + negative,
                              str_length(text) - negative);
            drop(th, text);
        }
    }
    drop(th, n);
    return good;
}

/* -- floats, characters, texts -- */

static bool
put_float(Thread *th, Percent *p, const Conversion *c, Value v)
{
    double d;
    if (!arg_double(th, v, &d)) {
        if (p->bytes && error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th, "float argument required, not %T", v);
        }
        return false;
    }
    DoubleText t;
    int precision = c->precision < 0 ? 6 : (int)c->precision;
    if (!double_text(th, &t, d, (char)c->type, precision,
                     c->flags & FLAG_ALTERNATE ? DOUBLE_ALTERNATE : 0)) {
        return false;
    }
    if (c->flags & FLAG_NO_NEGATIVE_ZERO) {
        double_text_drop_sign_of_zero(&t);
    }
    bool negative = t.p[0] == '-';
    bool good = put_number(th, p, c, negative, "", t.p + negative, t.n - negative);
    double_text_free(&t);
    return good;
}

static bool
put_char(Thread *th, Percent *p, const Conversion *c, Value v)
{
    uint32_t limit = p->bytes ? 256 : UNICODE_MAX + 1, x = 0;
    bool found = false;
    if (p->bytes && (is_bytes(v) || is_bytearray(v))) {
        ByteView b = byte_view(th, v);
        if (b.n == 1) {
            x = b.p[0];
            found = true;
        }
    } else if (!p->bytes && is_str(v)) {
        if (str_length(v) == 1) {
            x = str_char(as_str(v), 0);
            found = true;
        }
    } else if (is_int(v) || SLOT(type_of(v), index) != NULL) {
        Value n = to_index(th, v);
        if (n == NULL) {
            return false;
        }
        int64_t code;
        found = int_fits_i64(n, &code) && code >= 0 && code < (int64_t)limit;
        drop(th, n);
        if (!found) {
            raise_overflow(th, p->bytes ? "%c arg not in range(256)"
                                        : "%c arg not in range(0x110000)");
            return false;
        }
        x = (uint32_t)code;
    }
    if (!found) {
        raise_type_error(th, p->bytes
                                 ? "%%c requires an integer in range(256) or a single byte"
                                 : "%%c requires int or char");
        return false;
    }
    size_t pad = c->width > 1 ? (size_t)c->width - 1 : 0;
    bool left = (c->flags & FLAG_LEFT) != 0;
    return str_builder_fill(th, &p->out, ' ', left ? 0 : pad) &&
           str_builder_char(th, &p->out, x) &&
           str_builder_fill(th, &p->out, ' ', left ? pad : 0);
}

/* The bytes of v as a str of characters below 256. */
static Value
bytes_argument(Thread *th, Value v)
{
    if (is_bytes(v) || is_bytearray(v)) {
        ByteView b = byte_view(th, v);
        return str_from_latin1(th, b.p, b.n);
    }
    bool missing = false;
    Value made = call_special(th, v, NAME(__bytes__), NULL, 0, &missing);
    if (!missing) {
        if (made == NULL) {
            return NULL;
        }
        if (!is_bytes(made)) {
            raise_type_error(th, "__bytes__ returned non-bytes (type %T)", made);
            drop(th, made);
            return NULL;
        }
        Value s = str_from_latin1(th, as_bytes(made)->data, (size_t)as_bytes(made)->length);
        drop(th, made);
        return s;
    }
    if (has_buffer(v)) {
        Buffer b;
        if (!buffer_read(th, v, &b, BUFFER_SIMPLE)) {
            return NULL;
        }
        Value s = str_from_latin1(th, b.data, (size_t)b.length);
        buffer_release(th, &b);
        return s;
    }
    return raise_type_error(th, "%%b requires a bytes-like object, or an object that implements "
                                "__bytes__, not '%T'", v);
}

static bool
put_object(Thread *th, Percent *p, const Conversion *c, Value v)
{
    Value text;
    if (p->bytes) {
        text = c->type == 's' || c->type == 'b' ? bytes_argument(th, v) : to_ascii(th, v);
    } else {
        text = c->type == 's' ? to_str(th, v) : c->type == 'r' ? to_repr(th, v) : to_ascii(th, v);
    }
    if (text == NULL) {
        return false;
    }
    bool good = put_text(th, p, c, text);
    drop(th, text);
    return good;
}

static bool
put_argument(Thread *th, Percent *p, const Conversion *c)
{
    Value v = next_argument(th, p);
    if (v == NULL) {
        return false;
    }
    switch (c->type) {
    case 's':
        if (!p->bytes && c->width < 0 && c->precision < 0 && is_exact(v, SHAPE_STR)) {
            return str_builder_str(th, &p->out, v);
        }
        return put_object(th, p, c, v);
    case 'r': case 'a':
        return put_object(th, p, c, v);
    case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
        return put_int(th, p, c, v);
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        return put_float(th, p, c, v);
    case 'c':
        return put_char(th, p, c, v);
    case 'b':
        if (p->bytes) {
            return put_object(th, p, c, v);
        }
        break;
    default: break;
    }
    uint32_t shown = p->bytes || (c->type >= 31 && c->type <= 126) ? c->type : '?';
    raise_value_error(th, "unsupported format character '%c' (0x%x) at index %zd", (int)shown,
                      (unsigned)c->type, c->at);
    return false;
}

/* The whole format into p->out. */
static bool
run(Thread *th, Percent *p)
{
    Chars f = p->format;
    while (p->pos < f.n) {
        int64_t percent = chars_find_char(chars_sub(f, p->pos, f.n), '%');
        size_t end = percent < 0 ? f.n : p->pos + (size_t)percent;
        if (end > p->pos) {
            Chars plain = chars_sub(f, p->pos, end);
            if (!(p->ascii ? str_builder_ascii(th, &p->out, plain.p, plain.n)
                           : str_builder_chars(th, &p->out, plain))) {
                return false;
            }
        }
        if (percent < 0) {
            break;
        }
        p->pos = end + 1;
        if (p->pos < f.n && chars_get(f, p->pos) == '%') {
            p->pos++;
            if (!str_builder_char(th, &p->out, '%')) {
                return false;
            }
            continue;
        }
        bool had_key = p->pos < f.n && chars_get(f, p->pos) == '(';
        Conversion c;
        if (!take_conversion(th, p, &c) || !put_argument(th, p, &c)) {
            return false;
        }
        if (had_key && p->next < p->count) {
            raise_type_error(th, "not all arguments converted during %s formatting",
                             p->bytes ? "bytes" : "string");
            return false;
        }
    }
    if (!p->mapping && p->next < p->count) {
        raise_type_error(th, "not all arguments converted during %s formatting",
                         p->bytes ? "bytes" : "string");
        return false;
    }
    return true;
}

static void
percent_init(Thread *th, Percent *p, Chars format, Value args, bool bytes)
{
    p->bytes = bytes;
    p->ascii = !bytes && format.width == 1 && utf8_all_ascii(format.p, format.n);
    p->format = format;
    p->pos = 0;
    p->args = args;
    p->owned = false;
    p->mapping = SLOT(type_of(args), getitem) != NULL && !is_tuple(args) && !is_str(args) &&
                 !(bytes && (is_bytes(args) || is_bytearray(args)));
    set_current(th, p, args, false);
    str_builder_init(&p->out);
}

static void
percent_free(Thread *th, Percent *p)
{
    if (p->owned) {
        drop(th, p->current);
    }
    str_builder_free(&p->out);
}

enum { QUICK_MAX = 256 };

/* The most common by far: an ASCII format with %s, %d and %% only, ASCII strs and small ints for
 * them, a short result: true with what str_percent_format() returns.  False: something else. */
static bool
percent_quick(Thread *th, Value format, Value args, Value *result)
{
    const Str *f = as_str(format);
    if (!f->ascii || f->length > QUICK_MAX) {
        return false;
    }
    const Value *item = &args;
    int64_t left = 1;
    if (is_exact(args, SHAPE_TUPLE)) {
        item = as_tuple(args)->items;
        left = tuple_length(args);
    }
    char buf[QUICK_MAX];
    size_t n = 0;
    const uint8_t *p = f->data, *end = p + f->length;
    while (p < end) {
        uint8_t c = *p++;
        if (c == '%') {
            if (p == end) {
                return false;
            }
            c = *p++;
            if (c != '%') {
                if ((c != 's' && c != 'd') || left == 0) {
                    return false;
                }
                left--;
                Value v = *item++;
                char digits[24];
                const void *from;
                size_t size;
                if (value_is_fixnum(v)) {
                    from = int_digits_before(digits + sizeof digits, value_fixnum(v));
                    size = (size_t)(digits + sizeof digits - (const char *)from);
                } else if (c == 's' && is_exact(v, SHAPE_STR) && as_str(v)->ascii) {
                    from = as_str(v)->data;
                    size = as_str(v)->length;
                } else {
                    return false;
                }
                if (size > QUICK_MAX - n) {
                    return false;
                }
                copy_bytes(buf + n, from, size);
                n += size;
                continue;
            }
        }
        if (n == QUICK_MAX) {
            return false;
        }
        buf[n++] = (char)c;
    }
    if (left != 0) {
        return false;
    }
    *result = str_from_ascii(th, buf, n);
    return true;
}

Value
str_percent_format(Thread *th, Value format, Value args)
{
    Value v;
    if (LIKELY(percent_quick(th, format, args, &v))) {
        return v;
    }
    Percent p;
    percent_init(th, &p, chars_of(format), args, false);
    v = run(th, &p) ? str_builder_finish(th, &p.out) : NULL;
    percent_free(th, &p);
    return v;
}

Value
bytes_percent_format(Thread *th, ByteView format, Value args, bool make_bytearray)
{
    Percent p;
    percent_init(th, &p, (Chars){format.p, format.n, 1}, args, true);
    Value v = run(th, &p) ? bytes_or_bytearray(th, make_bytearray, p.out.data, p.out.length) : NULL;
    percent_free(th, &p);
    return v;
}
