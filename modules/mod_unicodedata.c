/* mod_unicodedata.c -- module unicodedata: the Unicode Character Database, 14.0.0 by the module's
 * functions, 3.2.0 by the methods of ucd_3_2_0.  Stateless: the tables are in base/. */
#include "base/mem.h"
#include "base/unicode_ucd.h"
#include "core/run/run.h"
#include "modules/modules.h"
#include "threads/safepoint.h"

#include <stdio.h>
#include <string.h>

/* Functions are called with the module or with an object of type UCD. */
static UcdVersion
version_of(Value self)
{
    return is_exact(self, SHAPE_MODULE) ? UCD_NEW : UCD_OLD;
}

/* The character that `v` is; `which` is what follows "argument" in the message. */
static bool
char_arg(Thread *th, const char *name, const char *which, Value v, uint32_t *c)
{
    if (!is_str(v) || str_length(v) != 1) {
        raise_type_error(th, "%s() argument%s must be a unicode character, not %B", name, which, v);
        return false;
    }
    *c = str_char(as_str(v), 0);
    return true;
}

/* The second argument, or ValueError. */
static Value
default_or_error(Thread *th, const Arg *a, size_t n, const char *message)
{
    return n > 1 ? retain(th, arg(a, 1)) : raise_value_error(th, "%s", message);
}

static Value
ucd_py_decimal(Thread *th, Value self, const Arg *a, size_t n)
{
    uint32_t c;
    if (!char_arg(th, "decimal", " 1", arg(a, 0), &c))
        return NULL;
    int value = ucd_decimal(c, version_of(self));
    return value < 0 ? default_or_error(th, a, n, "not a decimal") : value_from_fixnum(value);
}

static Value
ucd_py_digit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self; /* the same in both versions */
    uint32_t c;
    if (!char_arg(th, "digit", " 1", arg(a, 0), &c))
        return NULL;
    int value = unicode_facts(c)->digit;
    return value < 0 ? default_or_error(th, a, n, "not a digit") : value_from_fixnum(value);
}

static Value
ucd_py_numeric(Thread *th, Value self, const Arg *a, size_t n)
{
    uint32_t c;
    double value;
    if (!char_arg(th, "numeric", " 1", arg(a, 0), &c))
        return NULL;
    if ((version_of(self) == UCD_OLD && !ucd_old_assigned(c)) || !unicode_numeric(c, &value))
        return default_or_error(th, a, n, "not a numeric character");
    return float_from(th, value);
}

static Value
ucd_py_name(Thread *th, Value self, const Arg *a, size_t n)
{
    uint32_t c;
    char name[UNICODE_NAME_MAX];
    if (!char_arg(th, "name", " 1", arg(a, 0), &c))
        return NULL;
    if ((version_of(self) == UCD_OLD && !ucd_old_assigned(c)) || !unicode_name(c, name))
        return default_or_error(th, a, n, "no such name");
    return str_from_c(th, name);
}

static Value
ucd_py_category(Thread *th, Value self, Value v)
{
    uint32_t c;
    return char_arg(th, "category", "", v, &c) ? str_from_c(th, ucd_category(c, version_of(self))) : NULL;
}

static Value
ucd_py_bidirectional(Thread *th, Value self, Value v)
{
    uint32_t c;
    return char_arg(th, "bidirectional", "", v, &c) ? str_from_c(th, ucd_bidi(c, version_of(self))) : NULL;
}

static Value
ucd_py_combining(Thread *th, Value self, Value v)
{
    uint32_t c;
    return char_arg(th, "combining", "", v, &c) ? value_from_fixnum(ucd_combining(c, version_of(self))) : NULL;
}

static Value
ucd_py_mirrored(Thread *th, Value self, Value v)
{
    uint32_t c;
    return char_arg(th, "mirrored", "", v, &c) ? value_from_fixnum(ucd_mirrored(c, version_of(self))) : NULL;
}

static Value
ucd_py_east_asian_width(Thread *th, Value self, Value v)
{
    uint32_t c;
    return char_arg(th, "east_asian_width", "", v, &c) ? str_from_c(th, ucd_width(c, version_of(self))) : NULL;
}

static Value
ucd_py_decomposition(Thread *th, Value self, Value v)
{
    uint32_t c, parts[UCD_DECOMPOSITION_MAX];
    if (!char_arg(th, "decomposition", "", v, &c))
        return NULL;
    const char *tag;
    int n = 0;
    if (version_of(self) == UCD_NEW || ucd_old_assigned(c))
        n = ucd_decomposition(c, &tag, parts);
    char text[16 + UCD_DECOMPOSITION_MAX * 8] = "", *p = text;
    if (n > 0 && *tag)
        p += snprintf(p, 16, "<%s>", tag);
    for (int i = 0; i < n; i++)
        p += snprintf(p, 8, "%s%04X", p == text ? "" : " ", (unsigned)parts[i]);
    return str_from_c(th, text);
}

static Value
ucd_py_lookup(Thread *th, Value self, Value v)
{
    size_t n;
    const char *name;
    Buffer b = {.owner = NULL};
    if (is_str(v)) {
        name = str_utf8(th, v, &n);
        if (name == NULL)
            return NULL;
    } else {
        if (!buffer_read(th, v, &b, BUFFER_SIMPLE))
            return NULL;
        name = (const char *)b.data;
        n = (size_t)b.length;
    }
    Value r = NULL;
    uint32_t codes[UCD_SEQUENCE_MAX];
    bool old = version_of(self) == UCD_OLD;
    if (n > UNICODE_NAME_MAX) {
        Value text = str_from_c(th, "name too long");
        if (text)
            raise_key_error(th, text);
        drop_null(th, text);
    } else if (old ? unicode_by_own_name(name, n, codes) && ucd_old_assigned(codes[0])
                   : unicode_by_name(name, n, codes)) {
        r = str_from_char(th, codes[0]);
    } else {
        int count = old ? 0 : ucd_sequence(name, n, codes);
        if (count > 0) {
            r = str_from_ucs4(th, codes, (size_t)count);
        } else {
            char shown[UNICODE_NAME_MAX + 1];
            memcpy(shown, name, n);
            shown[n] = 0;
            Value text = str_format_c(th, "undefined character name '%s'", shown);
            if (text)
                raise_key_error(th, text);
            drop_null(th, text);
        }
    }
    if (b.owner)
        buffer_release(th, &b);
    return r;
}

/* -- normal forms -- */

/* Texts above this size are normalised with the thread offline. */
#define LONG_TEXT 10000

static bool
form_arg(Thread *th, const char *fname, Value form, Value text, NormalForm *out)
{
    static const char *const names[] = {"NFC", "NFD", "NFKC", "NFKD"};
    if (!is_str(form) || !is_str(text)) {
        bool first = !is_str(form);
        raise_type_error(th, "%s() argument %d must be str, not %B", fname, first ? 1 : 2, first ? form : text);
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_equal_ascii(form, names[i])) {
            *out = (NormalForm)i;
            return true;
        }
    raise_value_error(th, "invalid normalization form");
    return false;
}

/* Whether no code point of `s` can be part of a change. */
static bool
is_plain(const Str *s, NormalForm form)
{
    if (s->ascii)
        return true;
    uint32_t limit = form == NORMAL_C ? 0x300 : form == NORMAL_D ? 0xc0 : 0xa0;
    for (size_t i = 0; i < s->length; i++)
        if (str_char(s, i) >= limit)
            return false;
    return true;
}

/* The normal form of `text` in *codes (mem_free), or *codes NULL if it is that already. */
static bool
normalize(Thread *th, Value text, NormalForm form, UcdVersion version, uint32_t **codes, size_t *n)
{
    const Str *s = as_str(text);
    *codes = NULL;
    if (is_plain(s, form))
        return true;
    size_t length = s->length;
    uint32_t *given = mem_alloc((length + 1) * sizeof *given), *made = NULL;
    bool same = false;
    if (given != NULL) {
        for (size_t i = 0; i < length; i++)
            given[i] = str_char(s, i);
        bool offline = length > LONG_TEXT;
        if (offline)
            blocking_begin(th);
        made = ucd_normalize(given, length, form, version, n);
        same = made != NULL && *n == length && memcmp(given, made, *n * sizeof *made) == 0;
        if (offline)
            blocking_end(th);
    }
    mem_free(given);
    if (made == NULL) {
        raise_memory(th);
        return false;
    }
    if (same)
        mem_free(made);
    else
        *codes = made;
    return true;
}

static Value
ucd_py_normalize(Thread *th, Value self, const Arg *a, size_t nargs)
{
    (void)nargs;
    NormalForm form = NORMAL_C;
    uint32_t *codes;
    size_t n;
    Value text = arg(a, 1);
    /* An empty text is accepted with any form, as CPython does. */
    if (!is_str(arg(a, 0)) || !is_str(text) || str_length(text) > 0) {
        if (!form_arg(th, "normalize", arg(a, 0), text, &form))
            return NULL;
    }
    if (!normalize(th, text, form, version_of(self), &codes, &n))
        return NULL;
    if (codes == NULL)
        return retain(th, text);
    Value r = str_from_ucs4(th, codes, n);
    mem_free(codes);
    return r;
}

static Value
ucd_py_is_normalized(Thread *th, Value self, const Arg *a, size_t nargs)
{
    (void)nargs;
    NormalForm form = NORMAL_C;
    uint32_t *codes;
    size_t n;
    Value text = arg(a, 1);
    if (!is_str(arg(a, 0)) || !is_str(text) || str_length(text) > 0) {
        if (!form_arg(th, "is_normalized", arg(a, 0), text, &form))
            return NULL;
    }
    if (!normalize(th, text, form, version_of(self), &codes, &n))
        return NULL;
    bool same = codes == NULL;
    mem_free(codes);
    return bool_from(same);
}

/* -- the module -- */

/* The functions, once for the module and once for type UCD. */
static const MethodDef ucd_methods[] = {
    NATIVE_N("decimal", ucd_py_decimal, 1, 2, "decimal($self, chr, default=<unrepresentable>, /)\n--\n\nThe decimal value of a character as an int; if it has none, default, or ValueError."),
    NATIVE_N("digit", ucd_py_digit, 1, 2, "digit($self, chr, default=<unrepresentable>, /)\n--\n\nThe digit value of a character as an int; if it has none, default, or ValueError."),
    NATIVE_N("numeric", ucd_py_numeric, 1, 2, "numeric($self, chr, default=<unrepresentable>, /)\n--\n\nThe numeric value of a character as a float; if it has none, default, or ValueError."),
    NATIVE_1("category", ucd_py_category, "category($self, chr, /)\n--\n\nThe general category of a character, two letters."),
    NATIVE_1("bidirectional", ucd_py_bidirectional, "bidirectional($self, chr, /)\n--\n\nThe bidirectional class of a character; '' if there is none."),
    NATIVE_1("combining", ucd_py_combining, "combining($self, chr, /)\n--\n\nThe canonical combining class of a character; 0 if there is none."),
    NATIVE_1("mirrored", ucd_py_mirrored, "mirrored($self, chr, /)\n--\n\n1 if a character is mirrored in bidirectional text, else 0."),
    NATIVE_1("east_asian_width", ucd_py_east_asian_width, "east_asian_width($self, chr, /)\n--\n\nThe East Asian width of a character."),
    NATIVE_1("decomposition", ucd_py_decomposition, "decomposition($self, chr, /)\n--\n\nThe decomposition mapping of a character; '' if there is none."),
    NATIVE_N("name", ucd_py_name, 1, 2, "name($self, chr, default=<unrepresentable>, /)\n--\n\nThe name of a character; if it has none, default, or ValueError."),
    NATIVE_1("lookup", ucd_py_lookup, "lookup($self, name, /)\n--\n\nThe character (or sequence) of a name; KeyError if there is none."),
    NATIVE_N("is_normalized", ucd_py_is_normalized, 2, 2, "is_normalized($self, form, unistr, /)\n--\n\nWhether a text is in a normal form: 'NFC', 'NFKC', 'NFD' or 'NFKD'."),
    NATIVE_N("normalize", ucd_py_normalize, 2, 2, "normalize($self, form, unistr, /)\n--\n\nThe normal form of a text: 'NFC', 'NFKC', 'NFD' or 'NFKD'."),
    NATIVE_END,
};

static Value
ucd_get_version(Thread *th, Value self, void *closure)
{
    (void)self, (void)closure;
    return str_from_c(th, "3.2.0");
}

static const GetterDef ucd_getters[] = {{"unidata_version", ucd_get_version, NULL, NULL, NULL}, {.name = NULL}};
static const TypeSpec ucd_spec = {
    .name = "unicodedata.UCD", .size = sizeof(struct Object), .flags = TYPE_DISALLOW_NEW | TYPE_IMMUTABLE,
    .methods = ucd_methods, .getters = ucd_getters,
};

static bool
unicodedata_exec(Thread *th, Value m)
{
    Type *type = type_from_spec(th, &ucd_spec, m, NULL);
    if (type == NULL)
        return false;
    bool ok = module_add_type(th, m, type) && module_add(th, m, "ucd_3_2_0", type_alloc(th, type, 0)) &&
              module_add_str(th, m, "unidata_version", "14.0.0");
    drop(th, value_of_type(type));
    return ok;
}

const ModuleSpec unicodedata_module = {
    .name = "unicodedata",
    .doc = "This module gives access to the Unicode Character Database, version 14.0.0.\n\nThe names are those of the "
           "file UnicodeData.txt.",
    .methods = ucd_methods, .exec = unicodedata_exec,
};
