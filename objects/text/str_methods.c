/* str_methods.c -- padding, translation, encoding: the rest of str's methods, and their table. */
#include "objects/text/text_priv.h"

/* -- padding -- */

/* `left` and `right` fill characters round s. */
static Value
padded(Thread *th, Value self, size_t left, size_t right, uint32_t fill)
{
    const Str *s = as_str(self);
    if (left == 0 && right == 0) {
        return str_exact(th, self);
    }
    if (left > STR_MAX_LENGTH || right > STR_MAX_LENGTH) {
        return raise_overflow(th, "padded string is too long");
    }
    Value v = str_new(th, left + s->length + right, str_max(self) | fill);
    if (v == NULL) {
        return NULL;
    }
    uint8_t *out = as_str(v)->data, width = (uint8_t)as_str(v)->width;
    if (width == 1) {
        memset(out, (int)fill, left);
        memset(out + left + s->length, (int)fill, right);
    } else {
        for (size_t i = 0; i < left; i++) {
            chars_put(out, width, i, fill);
        }
        for (size_t i = 0; i < right; i++) {
            chars_put(out, width, left + s->length + i, fill);
        }
    }
    chars_copy(out + left * width, width, chars_of(self));
    return v;
}

/* Arguments (width[, fillchar]): how much is to be filled. */
static bool
pad_args(Thread *th, Value self, const Arg *args, size_t nargs, size_t *missing, uint32_t *fill)
{
    int64_t width;
    if (!arg_ssize(th, arg(args, 0), &width)) {
        return false;
    }
    *fill = ' ';
    if (nargs > 1) {
        Value f = arg(args, 1);
        if (!is_str(f)) {
            raise_type_error(th, "The fill character must be a unicode character, not %T", f);
            return false;
        }
        if (str_length(f) != 1) {
            raise_type_error(th, "The fill character must be exactly one character long");
            return false;
        }
        *fill = str_char(as_str(f), 0);
    }
    int64_t length = (int64_t)str_length(self);
    *missing = width > length ? (size_t)(width - length) : 0;
    return true;
}

static Value
ljust_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    size_t missing;
    uint32_t fill;
    return pad_args(th, self, args, nargs, &missing, &fill) ? padded(th, self, 0, missing, fill)
                                                            : NULL;
}

static Value
rjust_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    size_t missing;
    uint32_t fill;
    return pad_args(th, self, args, nargs, &missing, &fill) ? padded(th, self, missing, 0, fill)
                                                            : NULL;
}

static Value
center_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    size_t missing;
    uint32_t fill;
    if (!pad_args(th, self, args, nargs, &missing, &fill)) {
        return NULL;
    }
    size_t width = str_length(self) + missing;
    size_t left = missing / 2 + (missing & width & 1);
    return padded(th, self, left, missing - left, fill);
}

static Value
zfill_method(Thread *th, Value self, Value width_value)
{
    int64_t width;
    if (!arg_ssize(th, width_value, &width)) {
        return NULL;
    }
    int64_t length = (int64_t)str_length(self);
    if (width <= length) {
        return str_exact(th, self);
    }
    size_t missing = (size_t)(width - length);
    Value v = padded(th, self, missing, 0, '0');
    if (v != NULL && length > 0) {
        uint32_t first = str_char(as_str(self), 0);
        if (first == '+' || first == '-') { /* v is not published yet */
            uint8_t unit = (uint8_t)as_str(v)->width;
            chars_put(as_str(v)->data, unit, 0, first);
            chars_put(as_str(v)->data, unit, missing, '0');
        }
    }
    return v;
}

static Value
expandtabs_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "expandtabs", .names = {"tabsize"}, .positional = 1};
    Value v[1] = {NULL};
    int tab = 8;
    if ((nargs > 0 || kwnames != NULL) && !args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    if (!arg_int(th, v[0], &tab)) {
        return NULL;
    }
    Chars c = chars_of(self);
    if (chars_find_char(c, '\t') < 0) {
        return str_exact(th, self);
    }
    size_t column = 0, total = 0, size = tab > 0 ? (size_t)tab : 0;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        size_t step = x != '\t' ? 1 : size > 0 ? size - column % size : 0;
        if (step > STR_MAX_LENGTH - total) {
            return raise_overflow(th, "new string is too long");
        }
        total += step;
        column = x == '\n' || x == '\r' ? 0 : column + step;
    }
    Value result = str_new(th, total, str_max(self));
    if (result == NULL || result == str_empty) {
        return result;
    }
    uint8_t *out = as_str(result)->data, width = (uint8_t)as_str(result)->width;
    size_t at = 0;
    column = 0;
    for (size_t i = 0; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        size_t step = x != '\t' ? 1 : size > 0 ? size - column % size : 0;
        for (size_t k = 0; k < step; k++) {
            chars_put(out, width, at++, x == '\t' ? ' ' : x);
        }
        column = x == '\n' || x == '\r' ? 0 : column + step;
    }
    return result;
}

/* -- prefixes -- */

static Value
removeprefix_method(Thread *th, Value self, Value prefix)
{
    if (!is_str(prefix)) {
        return raise_type_error(th, "removeprefix() argument must be str, not %B", prefix);
    }
    Chars c = chars_of(self), x = chars_of(prefix);
    if (x.n <= c.n && chars_equal(chars_sub(c, 0, x.n), x)) {
        return str_substring(th, self, x.n, c.n);
    }
    return str_exact(th, self);
}

static Value
removesuffix_method(Thread *th, Value self, Value suffix)
{
    if (!is_str(suffix)) {
        return raise_type_error(th, "removesuffix() argument must be str, not %B", suffix);
    }
    Chars c = chars_of(self), x = chars_of(suffix);
    if (x.n <= c.n && chars_equal(chars_sub(c, c.n - x.n, c.n), x)) {
        return str_substring(th, self, 0, c.n - x.n);
    }
    return str_exact(th, self);
}

/* -- translate, maketrans -- */

/* What the table makes of c: *out is a new reference (a str, an int, or None for nothing),
 * or NULL: the character stays. */
static bool
translate_lookup(Thread *th, Value table, uint32_t c, Value *out)
{
    if (is_exact(table, SHAPE_DICT)) {
        return dict_get(th, table, value_from_fixnum(c), out) != FAILED ||
               (*out = NULL, false);
    }
    *out = get_item(th, table, value_from_fixnum(c));
    if (*out != NULL) {
        return true;
    }
    if (!error_matches(th, &exc_LookupError)) {
        return false;
    }
    error_clear(th);
    return true;
}

/* Appends what the table gives for c.  *simple: the one ASCII character it was, or -1. */
static bool
translate_char(Thread *th, StrBuilder *b, Value table, uint32_t c, int *simple)
{
    Value v = NULL;
    *simple = -1;
    if (!translate_lookup(th, table, c, &v)) {
        return false;
    }
    bool good;
    if (v == NULL) {
        *simple = c < 0x80 ? (int)c : -1;
        return str_builder_char(th, b, c);
    }
    if (v == NONE) {
        good = true;
    } else if (is_int(v)) {
        int64_t n;
        if (!int_fits_i64(v, &n) || n < 0 || n > (int64_t)UNICODE_MAX) {
            raise_value_error(th, "character mapping must be in range(0x110000)");
            good = false;
        } else {
            *simple = n < 0x80 ? (int)n : -1;
            good = str_builder_char(th, b, (uint32_t)n);
        }
    } else if (is_str(v)) {
        if (str_length(v) == 1 && str_char(as_str(v), 0) < 0x80) {
            *simple = (int)str_char(as_str(v), 0);
        }
        good = str_builder_str(th, b, v);
    } else {
        raise_type_error(th, "character mapping must return integer, None or str");
        good = false;
    }
    drop(th, v);
    return good;
}

static Value
translate_method(Thread *th, Value self, Value table)
{
    Chars c = chars_of(self);
    /* What a dict says of an ASCII character is asked once a call; any other mapping may
     * answer as it likes each time, so long as it is asked in order. */
    int16_t known[128];
    memset(known, 0xff, sizeof known);
    bool remember = is_exact(table, SHAPE_DICT);
    StrBuilder b;
    str_builder_init(&b);
    for (size_t i = 0; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        bool good;
        if (x < 0x80 && known[x] >= 0) { /* a run of them */
            char run[128];
            size_t n = 0;
            while (n < sizeof run && i < c.n && (x = chars_get(c, i)) < 0x80 && known[x] >= 0) {
                run[n++] = (char)known[x];
                i++;
            }
            i--;
            good = str_builder_ascii(th, &b, run, n);
        } else {
            int simple;
            good = translate_char(th, &b, table, x, &simple);
            if (remember && x < 0x80 && simple >= 0) {
                known[x] = (int16_t)simple;
            }
        }
        if (!good) {
            str_builder_free(&b);
            return NULL;
        }
    }
    return str_builder_finish(th, &b);
}

/* maketrans(dict) */
static Value
trans_from_dict(Thread *th, Value source)
{
    Value table = dict_new(th);
    if (table == NULL) {
        return NULL;
    }
    size_t pos = 0;
    Value key, value;
    bool good = true;
    while (good && dict_next(th, source, &pos, &key, &value)) {
        Value number = NULL;
        if (is_str(key)) {
            if (str_length(key) == 1) {
                number = value_from_fixnum(str_char(as_str(key), 0));
            } else {
                raise_value_error(th, "string keys in translate table must be of length 1");
            }
        } else if (is_int(key)) {
            number = retain(th, key);
        } else {
            raise_type_error(th, "keys in translate table must be strings or integers");
        }
        good = number != NULL && dict_set(th, table, number, value);
        drop_null(th, number);
        drop(th, key);
        drop(th, value);
    }
    if (!good) {
        drop(th, table);
        return NULL;
    }
    return table;
}

static Value
maketrans_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    Value x = arg(args, 0);
    if (nargs == 1) {
        if (!is_dict(x)) {
            return raise_type_error(
                th, "if you give only one argument to maketrans it must be a dict");
        }
        return trans_from_dict(th, x);
    }
    Value y = arg(args, 1), z = nargs > 2 ? arg(args, 2) : NULL;
    if (!is_str(y)) {
        return raise_type_error(th, "maketrans() argument 2 must be str, not %B", y);
    }
    if (z != NULL && !is_str(z)) {
        return raise_type_error(th, "maketrans() argument 3 must be str, not %B", z);
    }
    if (!is_str(x)) {
        return raise_type_error(
            th, "first maketrans argument must be a string if there is a second argument");
    }
    if (str_length(x) != str_length(y)) {
        return raise_value_error(th,
                                 "the first two maketrans arguments must have equal length");
    }
    Value table = dict_new(th);
    bool good = table != NULL;
    for (size_t i = 0; good && i < str_length(x); i++) {
        good = dict_set(th, table, value_from_fixnum(str_char(as_str(x), i)),
                        value_from_fixnum(str_char(as_str(y), i)));
    }
    for (size_t i = 0; good && z != NULL && i < str_length(z); i++) {
        good = dict_set(th, table, value_from_fixnum(str_char(as_str(z), i)), NONE);
    }
    if (!good) {
        drop_null(th, table);
        return NULL;
    }
    return table;
}

/* -- encode, __format__, pickling -- */

static Value
encode_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "encode", .names = {"encoding", "errors"}, .positional = 2};
    Value v[2] = {NULL, NULL};
    if ((nargs > 0 || kwnames != NULL) && !args_bind(th, &params, args, nargs, kwnames, v)) {
        return NULL;
    }
    const char *text[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        if (v[i] == NULL) {
            continue;
        }
        if (!is_str(v[i])) {
            return raise_type_error(th, "encode() argument '%s' must be str, not %B",
                                    params.names[i], v[i]);
        }
        if ((text[i] = str_c(th, v[i])) == NULL) {
            return NULL;
        }
    }
    return str_encode(th, self, text[0], text[1]);
}

static Value
format_dunder(Thread *th, Value self, Value spec)
{
    if (!is_str(spec)) {
        return raise_type_error(th, "__format__() argument must be str, not %B", spec);
    }
    return format_str(th, self, spec);
}

static Value
getnewargs_method(Thread *th, Value self)
{
    Value copy = str_from_chars(th, chars_of(self));
    if (copy == NULL) {
        return NULL;
    }
    Value t = tuple_pack(th, 1, copy);
    drop(th, copy);
    return t;
}

static Value
sizeof_method(Thread *th, Value self)
{
    /* What is not ASCII counts a UTF-8 copy's pointer, length and terminator, as elsewhere. */
    const Str *s = as_str(self);
    size_t copy = s->ascii ? 0 : 3 * sizeof(size_t);
    return int_from_size(th, STR_OFFSET + copy + ((size_t)s->length + 1) * s->width);
}

#define SIG(sig, text) sig "\n--\n\n" text

const MethodDef str_method_table[] = {
    NATIVE_K("encode", encode_method,
             SIG("encode($self, /, encoding='utf-8', errors='strict')",
                 "The characters as bytes of an encoding.")),
    NATIVE_N("replace", str_replace_method, 2, 3,
             SIG("replace($self, old, new, count=-1, /)",
                 "A copy with occurrences of old replaced by new, at most count if not -1.")),
    NATIVE_K("split", str_split_method,
             SIG("split($self, /, sep=None, maxsplit=-1)",
                 "A list of the parts between separators (runs of white space if None).")),
    NATIVE_K("rsplit", str_rsplit_method,
             SIG("rsplit($self, /, sep=None, maxsplit=-1)",
                 "Like split(), beginning at the end.")),
    NATIVE_1("join", str_join_method,
             SIG("join($self, iterable, /)", "The strings of iterable with self between them.")),
    NATIVE_0("capitalize", str_capitalize_method,
             SIG("capitalize($self, /)", "First character in title case, the rest in lower case.")),
    NATIVE_0("casefold", str_casefold_method,
             SIG("casefold($self, /)", "A form for comparisons without regard to case.")),
    NATIVE_0("title", str_title_method,
             SIG("title($self, /)", "Words begin in title case, the rest is in lower case.")),
    NATIVE_N("center", center_method, 1, 2,
             SIG("center($self, width, fillchar=' ', /)", "Centered in width columns.")),
    NATIVE_N("count", str_count_method, 0, -1,
             "S.count(sub[, start[, end]]) -> int\n\nHow often sub occurs without overlap."),
    NATIVE_K("expandtabs", expandtabs_method,
             SIG("expandtabs($self, /, tabsize=8)", "Tabs as spaces up to the next column.")),
    NATIVE_N("find", str_find_method, 0, -1,
             "S.find(sub[, start[, end]]) -> int\n\nThe lowest index of sub, -1 if absent."),
    NATIVE_1("partition", str_partition_method,
             SIG("partition($self, sep, /)", "(before, sep, after) of the first sep.")),
    NATIVE_N("index", str_index_method, 0, -1,
             "S.index(sub[, start[, end]]) -> int\n\nLike find(), but ValueError if absent."),
    NATIVE_N("ljust", ljust_method, 1, 2,
             SIG("ljust($self, width, fillchar=' ', /)", "At the left of width columns.")),
    NATIVE_0("lower", str_lower_method, SIG("lower($self, /)", "In lower case.")),
    NATIVE_N("lstrip", str_lstrip_method, 0, 1,
             SIG("lstrip($self, chars=None, /)", "Without white space (or chars) at the left.")),
    NATIVE_N("rfind", str_rfind_method, 0, -1,
             "S.rfind(sub[, start[, end]]) -> int\n\nThe highest index of sub, -1 if absent."),
    NATIVE_N("rindex", str_rindex_method, 0, -1,
             "S.rindex(sub[, start[, end]]) -> int\n\nLike rfind(), but ValueError if absent."),
    NATIVE_N("rjust", rjust_method, 1, 2,
             SIG("rjust($self, width, fillchar=' ', /)", "At the right of width columns.")),
    NATIVE_N("rstrip", str_rstrip_method, 0, 1,
             SIG("rstrip($self, chars=None, /)", "Without white space (or chars) at the right.")),
    NATIVE_1("rpartition", str_rpartition_method,
             SIG("rpartition($self, sep, /)", "(before, sep, after) of the last sep.")),
    NATIVE_K("splitlines", str_splitlines_method,
             SIG("splitlines($self, /, keepends=False)", "A list of the lines.")),
    NATIVE_N("strip", str_strip_method, 0, 1,
             SIG("strip($self, chars=None, /)", "Without white space (or chars) at both ends.")),
    NATIVE_0("swapcase", str_swapcase_method,
             SIG("swapcase($self, /)", "Upper case as lower case and the reverse.")),
    NATIVE_1("translate", translate_method,
             SIG("translate($self, table, /)", "Each character as the table's item of its code.")),
    NATIVE_0("upper", str_upper_method, SIG("upper($self, /)", "In upper case.")),
    NATIVE_N("startswith", str_startswith_method, 0, -1,
             "S.startswith(prefix[, start[, end]]) -> bool\n\nPrefix may be a tuple of strings."),
    NATIVE_N("endswith", str_endswith_method, 0, -1,
             "S.endswith(suffix[, start[, end]]) -> bool\n\nSuffix may be a tuple of strings."),
    NATIVE_1("removeprefix", removeprefix_method,
             SIG("removeprefix($self, prefix, /)", "Without the prefix, if it is there.")),
    NATIVE_1("removesuffix", removesuffix_method,
             SIG("removesuffix($self, suffix, /)", "Without the suffix, if it is there.")),
    NATIVE_0("isascii", str_isascii_method,
             SIG("isascii($self, /)", "Whether all characters are below U+0080.")),
    NATIVE_0("islower", str_islower_method,
             SIG("islower($self, /)", "Whether what has case is lower case.")),
    NATIVE_0("isupper", str_isupper_method,
             SIG("isupper($self, /)", "Whether what has case is upper case.")),
    NATIVE_0("istitle", str_istitle_method,
             SIG("istitle($self, /)", "Whether words begin with an upper case letter only.")),
    NATIVE_0("isspace", str_isspace_method,
             SIG("isspace($self, /)", "Whether it is nothing but white space.")),
    NATIVE_0("isdecimal", str_isdecimal_method,
             SIG("isdecimal($self, /)", "Whether all characters are decimal digits.")),
    NATIVE_0("isdigit", str_isdigit_method,
             SIG("isdigit($self, /)", "Whether all characters are digits.")),
    NATIVE_0("isnumeric", str_isnumeric_method,
             SIG("isnumeric($self, /)", "Whether all characters have a numeric value.")),
    NATIVE_0("isalpha", str_isalpha_method,
             SIG("isalpha($self, /)", "Whether all characters are letters.")),
    NATIVE_0("isalnum", str_isalnum_method,
             SIG("isalnum($self, /)", "Whether all characters are letters or numbers.")),
    NATIVE_0("isidentifier", str_isidentifier_method,
             SIG("isidentifier($self, /)", "Whether it is a valid name.")),
    NATIVE_0("isprintable", str_isprintable_method,
             SIG("isprintable($self, /)", "Whether repr() escapes nothing of it.")),
    NATIVE_1("zfill", zfill_method,
             SIG("zfill($self, width, /)", "With zeros at the left, behind a sign.")),
    NATIVE_K("format", str_format_method,
             "S.format(*args, **kwargs) -> str\n\nWith fields in braces replaced by arguments."),
    NATIVE_1("format_map", str_format_map_method,
             "S.format_map(mapping) -> str\n\nLike format(**mapping), without copying it."),
    {.name = "__format__", .f1 = format_dunder, .flags = METHOD_1, .nmin = 1, .nmax = 1,
     .doc = SIG("__format__($self, format_spec, /)", "What format() calls.")},
    {.name = "maketrans", .fn = maketrans_method, .flags = METHOD_N | METHOD_STATIC, .nmin = 1,
     .nmax = 3, .doc = "maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)\n--\n\n"
                       "A translation table for str.translate()."},
    NATIVE_0("__sizeof__", sizeof_method, SIG("__sizeof__($self, /)", "Bytes in memory.")),
    NATIVE_0("__getnewargs__", getnewargs_method, NULL),
    NATIVE_END,
};
