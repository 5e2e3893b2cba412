/* mod_codecs.c -- module _codecs: the built-in encodings and the registry, for codecs.py. */
#include "core/run/run.h"
#include "modules/modules.h"
#include "objects/text/codecs.h"

/* The error handler's name of argument i; false with an exception. */
static bool
errors_arg(Thread *th, const char *fname, const Arg *a, size_t n, size_t i, const char **errors)
{
    *errors = NULL;
    if (n <= i || arg(a, i) == NONE)
        return true;
    if (!is_str(arg(a, i))) {
        raise_type_error(th, "%s() argument %d must be str or None, not %B", fname, (int)i + 1, arg(a, i));
        return false;
    }
    *errors = str_c(th, arg(a, i));
    return *errors != NULL;
}

static bool
str_arg(Thread *th, const char *fname, Value v)
{
    if (is_str(v))
        return true;
    raise_type_error(th, "%s() argument 1 must be str, not %B", fname, v);
    return false;
}

/* (result, how much was taken); takes over `result`. */
static Value
with_length(Thread *th, Value STEALS result, size_t n)
{
    if (result == NULL)
        return NULL;
    Value t = tuple_pack(th, 2, result, value_from_fixnum((int64_t)n));
    drop(th, result);
    return t;
}

/* -- encoders ------------------------------------------------------------------------------------------ */

#define ENCODER(name, call)                                                                        \
    static Value name##_encode(Thread *th, Value self, const Arg *a, size_t n)                     \
    {                                                                                              \
        (void)self;                                                                                \
        const char *errors;                                                                        \
        Value s = arg(a, 0);                                                                       \
        if (!str_arg(th, #name "_encode", s) || !errors_arg(th, #name "_encode", a, n, 1, &errors)) \
            return NULL;                                                                           \
        return with_length(th, call, str_length(s));                                               \
    }
ENCODER(utf_8, codec_utf8_encode(th, s, errors))
ENCODER(utf_7, codec_utf7_encode(th, s, errors))
ENCODER(latin_1, codec_latin1_encode(th, s, errors))
ENCODER(ascii, codec_ascii_encode(th, s, errors))
ENCODER(utf_16_le, codec_utf16_encode(th, s, errors, -1))
ENCODER(utf_16_be, codec_utf16_encode(th, s, errors, 1))
ENCODER(utf_32_le, codec_utf32_encode(th, s, errors, -1))
ENCODER(utf_32_be, codec_utf32_encode(th, s, errors, 1))
ENCODER(unicode_escape, codec_unicode_escape_encode(th, s))
ENCODER(raw_unicode_escape, codec_raw_unicode_escape_encode(th, s))

static bool
order_arg(Thread *th, const Arg *a, size_t n, size_t i, int *order)
{
    *order = 0;
    return n <= i || arg_int(th, arg(a, i), order);
}

#define ORDER_ENCODER(name, function)                                                              \
    static Value name##_encode(Thread *th, Value self, const Arg *a, size_t n)                     \
    {                                                                                              \
        (void)self;                                                                                \
        const char *errors;                                                                        \
        int order;                                                                                 \
        Value s = arg(a, 0);                                                                       \
        if (!str_arg(th, #name "_encode", s) ||                                                    \
            !errors_arg(th, #name "_encode", a, n, 1, &errors) || !order_arg(th, a, n, 2, &order)) \
            return NULL;                                                                           \
        return with_length(th, function(th, s, errors, order), str_length(s));                     \
    }
ORDER_ENCODER(utf_16, codec_utf16_encode)
ORDER_ENCODER(utf_32, codec_utf32_encode)

static Value
charmap_encode(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    const char *errors;
    if (!str_arg(th, "charmap_encode", arg(a, 0)) || !errors_arg(th, "charmap_encode", a, n, 1, &errors))
        return NULL;
    return with_length(th, codec_charmap_encode(th, arg(a, 0), errors, n > 2 ? arg(a, 2) : NULL),
                       str_length(arg(a, 0)));
}

static Value
charmap_build(Thread *th, Value self, Value map)
{
    (void)self;
    return str_arg(th, "charmap_build", map) ? codec_charmap_build(th, map) : NULL;
}

static Value
escape_encode(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    const char *errors;
    if (!is_bytes(arg(a, 0)))
        return raise_type_error(th, "escape_encode() argument 1 must be bytes, not %B", arg(a, 0));
    if (!errors_arg(th, "escape_encode", a, n, 1, &errors))
        return NULL;
    return with_length(th, codec_escape_encode(th, arg(a, 0)), (size_t)as_bytes(arg(a, 0))->length);
}

static Value
readbuffer_encode(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    const char *errors;
    if (!errors_arg(th, "readbuffer_encode", a, n, 1, &errors))
        return NULL;
    if (is_str(arg(a, 0))) {
        size_t size;
        const char *p = str_utf8(th, arg(a, 0), &size);
        return p ? with_length(th, bytes_from(th, p, size), size) : NULL;
    }
    Buffer b;
    if (!buffer_read(th, arg(a, 0), &b, BUFFER_SIMPLE))
        return NULL;
    Value r = with_length(th, bytes_from(th, b.data, (size_t)b.length), (size_t)b.length);
    buffer_release(th, &b);
    return r;
}

/* -- decoders ----------------------------------------------------------------------------------------------- */

/* `final` false: an incomplete end is left for the next call. */
static bool
final_arg(Thread *th, const Arg *a, size_t n, size_t i, bool *final)
{
    return n <= i || arg_flag(th, arg(a, i), final);
}

/* Bodies see: b (the bytes), errors, taken, incomplete (pointer to taken or NULL). */
#define DECODER(name, final_default, call)                                                         \
    static Value name##_decode(Thread *th, Value self, const Arg *a, size_t n)                     \
    {                                                                                              \
        (void)self;                                                                                \
        const char *errors;                                                                        \
        bool final = final_default;                                                                \
        Buffer b;                                                                                  \
        if (!errors_arg(th, #name "_decode", a, n, 1, &errors) || !final_arg(th, a, n, 2, &final) || \
            !buffer_read(th, arg(a, 0), &b, BUFFER_SIMPLE))                                         \
            return NULL;                                                                           \
        size_t taken = (size_t)b.length;                                                           \
        size_t *incomplete = final ? NULL : &taken;                                                \
        (void)incomplete;                                                                          \
        Value r = call;                                                                            \
        buffer_release(th, &b);                                                                    \
        return with_length(th, r, taken);                                                          \
    }
#define P b.data, (size_t)b.length
DECODER(utf_8, false, codec_utf8_decode(th, P, errors, incomplete))
DECODER(utf_7, false, codec_utf7_decode(th, P, errors, incomplete))
DECODER(latin_1, true, codec_latin1_decode(th, P))
DECODER(ascii, true, codec_ascii_decode(th, P, errors))
DECODER(utf_16, false, codec_utf16_decode(th, P, errors, &(int){0}, incomplete))
DECODER(utf_16_le, false, codec_utf16_decode(th, P, errors, &(int){-1}, incomplete))
DECODER(utf_16_be, false, codec_utf16_decode(th, P, errors, &(int){1}, incomplete))
DECODER(utf_32, false, codec_utf32_decode(th, P, errors, &(int){0}, incomplete))
DECODER(utf_32_le, false, codec_utf32_decode(th, P, errors, &(int){-1}, incomplete))
DECODER(utf_32_be, false, codec_utf32_decode(th, P, errors, &(int){1}, incomplete))

#define EX_DECODER(name, function)                                                                 \
    static Value name##_ex_decode(Thread *th, Value self, const Arg *a, size_t n)                  \
    {                                                                                              \
        (void)self;                                                                                \
        const char *errors;                                                                        \
        bool final = false;                                                                        \
        int order;                                                                                 \
        Buffer b;                                                                                  \
        if (!errors_arg(th, #name "_ex_decode", a, n, 1, &errors) || !order_arg(th, a, n, 2, &order) || \
            !final_arg(th, a, n, 3, &final) || !buffer_read(th, arg(a, 0), &b, BUFFER_SIMPLE))      \
            return NULL;                                                                           \
        size_t taken = (size_t)b.length;                                                           \
        Value s = function(th, P, errors, &order, final ? NULL : &taken);                          \
        buffer_release(th, &b);                                                                    \
        Value t = s ? tuple_pack(th, 3, s, value_from_fixnum((int64_t)taken), value_from_fixnum(order)) \
                    : NULL;                                                                        \
        drop_null(th, s);                                                                          \
        return t;                                                                                  \
    }
EX_DECODER(utf_16, codec_utf16_decode)
EX_DECODER(utf_32, codec_utf32_decode)

/* The escape decoders take str, too: as UTF-8. */
#define ESCAPE_DECODER(name, call)                                                                 \
    static Value name##_decode(Thread *th, Value self, const Arg *a, size_t n)                     \
    {                                                                                              \
        (void)self;                                                                                \
        const char *errors;                                                                        \
        bool final = true;                                                                         \
        Buffer b = {.data = NULL};                                                                 \
        bool text = is_str(arg(a, 0));                                                             \
        if (!errors_arg(th, #name "_decode", a, n, 1, &errors) || !final_arg(th, a, n, 2, &final)) \
            return NULL;                                                                           \
        if (text) {                                                                                \
            size_t size;                                                                           \
            const char *p = str_utf8(th, arg(a, 0), &size);                                        \
            if (p == NULL)                                                                         \
                return NULL;                                                                       \
            b.data = (uint8_t *)(uintptr_t)p;                                                      \
            b.length = (int64_t)size;                                                              \
        } else if (!buffer_read(th, arg(a, 0), &b, BUFFER_SIMPLE))                                  \
            return NULL;                                                                           \
        size_t taken = (size_t)b.length;                                                           \
        size_t *incomplete = final ? NULL : &taken;                                                \
        (void)incomplete;                                                                          \
        Value r = call;                                                                            \
        if (!text)                                                                                 \
            buffer_release(th, &b);                                                                \
        return with_length(th, r, taken);                                                          \
    }
ESCAPE_DECODER(unicode_escape, codec_unicode_escape_decode(th, P, errors, incomplete))
ESCAPE_DECODER(raw_unicode_escape, codec_raw_unicode_escape_decode(th, P, errors, incomplete))
ESCAPE_DECODER(escape, codec_escape_decode(th, P, errors))

static Value
charmap_decode(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    const char *errors;
    Buffer b;
    if (!errors_arg(th, "charmap_decode", a, n, 1, &errors) || !buffer_read(th, arg(a, 0), &b, BUFFER_SIMPLE))
        return NULL;
    size_t taken = (size_t)b.length;
    Value s = codec_charmap_decode(th, P, errors, n > 2 && arg(a, 2) != NONE ? arg(a, 2) : NULL);
    buffer_release(th, &b);
    return with_length(th, s, taken);
}

/* -- the registry ----------------------------------------------------------------------------------------------- */

static Value
codecs_register(Thread *th, Value self, Value f)
{
    (void)self;
    return codec_register(th, f) ? NONE : NULL;
}

static Value
codecs_unregister(Thread *th, Value self, Value f)
{
    (void)self;
    return codec_unregister(th, f) ? NONE : NULL;
}

static Value
codecs_lookup(Thread *th, Value self, Value name)
{
    (void)self;
    return arg_str(th, "lookup", "argument", name) ? codec_lookup(th, name) : NULL;
}

static Value
codecs_forget(Thread *th, Value self, Value name)
{
    (void)self;
    return arg_str(th, "_forget_codec", "argument", name) && codec_forget(th, name) ? NONE : NULL;
}

static Value
recode(Thread *th, const char *name, const Arg *a, size_t n, Value kwnames, bool encode)
{
    ParamSpec params = {.name = name, .names = {"obj", "encoding", "errors"}, .positional = 3, .required = 1};
    Value v[3];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    for (int i = 1; i < 3; i++)
        if (v[i] && !is_str(v[i]))
            return raise_type_error(th, "%s() argument '%s' must be str, not %B", name, params.names[i], v[i]);
    const char *errors = v[2] ? str_c(th, v[2]) : NULL;
    if (v[2] && errors == NULL)
        return NULL;
    Value encoding = v[1] ? retain(th, v[1]) : str_from_c(th, "utf-8");
    if (encoding == NULL)
        return NULL;
    Value r = encode ? codec_encode(th, v[0], encoding, errors) : codec_decode(th, v[0], encoding, errors);
    drop(th, encoding);
    return r;
}

static Value
codecs_encode(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    return recode(th, "encode", a, n, kwnames, true);
}

static Value
codecs_decode(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    return recode(th, "decode", a, n, kwnames, false);
}

static Value
codecs_register_error(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    if (!is_str(arg(a, 0)))
        return raise_type_error(th, "register_error() argument 1 must be str, not %B", arg(a, 0));
    return codec_register_error(th, arg(a, 0), arg(a, 1)) ? NONE : NULL;
}

static Value
codecs_lookup_error(Thread *th, Value self, Value name)
{
    (void)self;
    return arg_str(th, "lookup_error", "argument", name) ? codec_lookup_error(th, name) : NULL;
}

#define FIX(name, min, max, parameters)                                                           \
    NATIVE_N(#name, name, min, max, #name "($module, " parameters "/)\n--\n\n")
#define ENCODE(name) FIX(name, 1, 2, "str, errors=None, ")
#define DECODE(name) FIX(name, 1, 2, "data, errors=None, ")
#define DECODE_FINAL(name) FIX(name, 1, 3, "data, errors=None, final=False, ")
#define DECODE_WHOLE(name) FIX(name, 1, 3, "data, errors=None, final=True, ")
#define ENCODE_ORDER(name) FIX(name, 1, 3, "str, errors=None, byteorder=0, ")
#define DECODE_ORDER(name) FIX(name, 1, 4, "data, errors=None, byteorder=0, final=False,\n                 ")
static const MethodDef codecs_methods[] = {
    NATIVE_1("register", codecs_register, "register($module, search_function, /)\n--\n\nRegister a codec search function."),
    NATIVE_1("unregister", codecs_unregister, "unregister($module, search_function, /)\n--\n\nUnregister a codec search function and clear the registry's cache."),
    NATIVE_1("lookup", codecs_lookup, "lookup($module, encoding, /)\n--\n\nLooks up a codec tuple in the Python codec registry and returns a CodecInfo object."),
    NATIVE_1("_forget_codec", codecs_forget, "_forget_codec($module, encoding, /)\n--\n\nPurge the named codec from the internal codec lookup cache"),
    NATIVE_K("encode", codecs_encode, "encode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\nEncodes obj using the codec registered for encoding."),
    NATIVE_K("decode", codecs_decode, "decode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\nDecodes obj using the codec registered for encoding."),
    NATIVE_N("register_error", codecs_register_error, 2, 2, "register_error($module, errors, handler, /)\n--\n\nRegister the specified error handler under the name errors."),
    NATIVE_1("lookup_error", codecs_lookup_error, "lookup_error($module, name, /)\n--\n\nlookup_error(errors) -> handler"),
    ENCODE(utf_8_encode), DECODE_FINAL(utf_8_decode), ENCODE(utf_7_encode),
    DECODE_FINAL(utf_7_decode), ENCODE(utf_16_le_encode), DECODE_FINAL(utf_16_le_decode),
    ENCODE(utf_16_be_encode), DECODE_FINAL(utf_16_be_decode), ENCODE(utf_32_le_encode),
    DECODE_FINAL(utf_32_le_decode), ENCODE(utf_32_be_encode), DECODE_FINAL(utf_32_be_decode),
    ENCODE_ORDER(utf_16_encode), DECODE_FINAL(utf_16_decode), DECODE_ORDER(utf_16_ex_decode),
    ENCODE_ORDER(utf_32_encode), DECODE_FINAL(utf_32_decode), DECODE_ORDER(utf_32_ex_decode),
    ENCODE(unicode_escape_encode), DECODE_WHOLE(unicode_escape_decode),
    ENCODE(raw_unicode_escape_encode), DECODE_WHOLE(raw_unicode_escape_decode),
    ENCODE(latin_1_encode), DECODE(latin_1_decode), ENCODE(ascii_encode), DECODE(ascii_decode),
    FIX(charmap_encode, 1, 3, "str, errors=None, mapping=None, "),
    FIX(charmap_decode, 1, 3, "data, errors=None, mapping=None, "), DECODE(escape_encode),
    DECODE(escape_decode), DECODE(readbuffer_encode),
    NATIVE_1("charmap_build", charmap_build, "charmap_build($module, map, /)\n--\n\n"),
    NATIVE_END,
};

const ModuleSpec codecs_module = {
    .name = "_codecs",
    .methods = codecs_methods,
};
