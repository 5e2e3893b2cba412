/* codec_registry.c -- search functions for encodings, their cache, and error handlers by name.
 *
 * Each interpreter has one registry, INTERP_CODECS: a tuple (list of search functions,
 * dict of codecs by normalised name, dict of error handlers), made on first use; the list and
 * the dicts have their own locks.
 */
#include "objects/text/codec_priv.h"

#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "threads/interp.h"

enum { REGISTRY_SEARCH, REGISTRY_CACHE, REGISTRY_ERRORS, REGISTRY_SIZE };

static Value
registry_new(Thread *th)
{
    Value items[REGISTRY_SIZE] = {list_new(th, 2), NULL, NULL};
    Value t = NULL;
    if (items[0] != NULL && (items[1] = dict_new(th)) != NULL &&
        (items[2] = dict_new(th)) != NULL) {
        t = tuple_of(th, items, REGISTRY_SIZE);
    }
    for (int i = 0; i < REGISTRY_SIZE; i++) {
        drop_null(th, items[i]);
    }
    return t;
}

/* The registry's part `i`, BORROWED: it lives as long as the interpreter. */
static Value
registry(Thread *th, int i)
{
    Value t = interp_object_make(th, INTERP_CODECS, registry_new);
    return t ? tuple_item(t, i) : NULL;
}

bool
codec_register(Thread *th, Value search)
{
    if (is_callable(search) != YES) {
        raise_type_error(th, "argument must be callable");
        return false;
    }
    Value list = registry(th, REGISTRY_SEARCH);
    return list != NULL && list_append(th, list, search);
}

bool
codec_unregister(Thread *th, Value search)
{
    Value list = registry(th, REGISTRY_SEARCH), cache = registry(th, REGISTRY_CACHE);
    if (list == NULL || cache == NULL) {
        return false;
    }
    for (int64_t i = 0;; i++) {
        Value item = list_get(th, list, i);
        if (item == NULL) {
            return true;
        }
        bool same = item == search;
        drop(th, item);
        if (same) {
            dict_clear(th, cache);
            return list_delete_slice(th, list, i, i + 1);
        }
    }
}

/* Lower case; runs of what is neither alphanumeric nor a dot become one "_". */
static Value
normalised(Thread *th, Value encoding)
{
    size_t n;
    const char *p = str_utf8(th, encoding, &n);
    if (p == NULL) {
        return NULL;
    }
    ByteBuffer b;
    byte_buffer_init(&b);
    bool punctuation = false, good = true;
    for (size_t i = 0; good && i < n; i++) {
        uint8_t c = (uint8_t)p[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '.';
        if (!word) {
            punctuation = true;
            continue;
        }
        good = !(punctuation && b.n > 0) || byte_buffer_put(th, &b, '_');
        punctuation = false;
        good = good && byte_buffer_put(th, &b, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
    }
    Value v = good ? str_from_ascii(th, (const char *)b.p, b.n) : NULL;
    byte_buffer_free(&b);
    return v == NULL ? NULL : str_intern(th, v);
}

static Value
search_codec(Thread *th, Value list, Value name, Value encoding)
{
    for (int64_t i = 0;; i++) {
        Value search = list_get(th, list, i);
        if (search == NULL) {
            return raise_error(th, &exc_LookupError, "unknown encoding: %V", encoding);
        }
        Value found = call_1(th, search, name);
        drop(th, search);
        if (found == NULL) {
            return NULL;
        }
        if (found == NONE) {
            continue;
        }
        if (!is_tuple(found) || tuple_length(found) != 4) {
            drop(th, found);
            return raise_type_error(th, "codec search functions must return 4-tuples");
        }
        return found;
    }
}

Value
codec_lookup(Thread *th, Value encoding)
{
    Value list = registry(th, REGISTRY_SEARCH), cache = registry(th, REGISTRY_CACHE);
    if (list == NULL || cache == NULL) {
        return NULL;
    }
    Value name = normalised(th, encoding), found = NULL;
    if (name == NULL) {
        return NULL;
    }
    Answer cached = dict_get(th, cache, name, &found);
    if (cached == NO && list_length(list) == 0) {
        /* The package registers its search function when it is imported. */
        Value package = upcalls.import_module(th, "encodings");
        if (package == NULL) {
            cached = FAILED;
        } else {
            drop(th, package);
        }
    }
    if (cached == NO) {
        found = search_codec(th, list, name, encoding);
        if (found != NULL && !dict_set(th, cache, name, found)) {
            DROP_CLEAR(th, found);
        }
    }
    drop(th, name);
    return cached == FAILED ? NULL : found;
}

bool
codec_forget(Thread *th, Value encoding)
{
    Value cache = registry(th, REGISTRY_CACHE);
    Value name = cache == NULL ? NULL : normalised(th, encoding);
    if (name == NULL) {
        return false;
    }
    Answer gone = dict_delete(th, cache, name);
    drop(th, name);
    return gone != FAILED;
}

/* -- encoding and decoding by codecs -- */

/* Says which codec failed, if the exception can be remade from a message alone. */
static COLD void
name_codec_in_error(Thread *th, const char *operation, Value encoding)
{
    Value exc = th->error;
    Type *type = type_of(exc);
    if (type->s.init != exc_BaseException.s.init || type->s.new != exc_BaseException.s.new ||
        type->basic_size != exc_BaseException.basic_size) {
        return;
    }
    BaseException *base = (BaseException *)(void *)value_object(exc);
    Value args = field_read(th, value_object(exc), &base->args);
    bool plain = args != NULL && is_tuple(args) &&
                 (tuple_length(args) == 0 ||
                  (tuple_length(args) == 1 && is_exact(tuple_item(args, 0), SHAPE_STR)));
    drop_null(th, args);
    if (!plain) {
        return;
    }
    exc = error_take(th);
    Value dict = NULL;
    Answer has = get_attr_optional(th, exc, NAME(__dict__), &dict);
    plain = has == NO || (has == YES && is_dict(dict) && dict_length(dict) == 0);
    drop_null(th, dict);
    if (!plain) {
        error_clear(th);
        error_restore(th, exc);
        return;
    }
    Value text = to_str(th, exc);
    if (text == NULL) {
        error_clear(th);
        error_restore(th, exc);
        return;
    }
    error_restore(th, exc);
    raise_from_current(th, type, "%s with '%V' codec failed (%N: %V)", operation, encoding, type,
                       text);
    drop(th, text);
}

/* Calls function `i` of a codec with (o[, errors]); the first item of its answer. */
static Value
run_codec(Thread *th, Value codec, int i, Value o, Value encoding, const char *errors)
{
    Value args[2] = {o, NULL};
    if (errors != NULL && (args[1] = str_from_c(th, errors)) == NULL) {
        return NULL;
    }
    Value result = call(th, tuple_item(codec, i), args_of(args), args[1] != NULL ? 2 : 1, NULL);
    drop_null(th, args[1]);
    if (result == NULL) {
        name_codec_in_error(th, i == 0 ? "encoding" : "decoding", encoding);
        return NULL;
    }
    if (!is_tuple(result) || tuple_length(result) != 2) {
        drop(th, result);
        return raise_type_error(th, i == 0 ? "encoder must return a tuple (object, integer)"
                                           : "decoder must return a tuple (object,integer)");
    }
    Value v = retain(th, tuple_item(result, 0));
    drop(th, result);
    return v;
}

Value
codec_encode(Thread *th, Value o, Value encoding, const char *errors)
{
    Value codec = codec_lookup(th, encoding);
    if (codec == NULL) {
        return NULL;
    }
    Value v = run_codec(th, codec, 0, o, encoding, errors);
    drop(th, codec);
    return v;
}

Value
codec_decode(Thread *th, Value o, Value encoding, const char *errors)
{
    Value codec = codec_lookup(th, encoding);
    if (codec == NULL) {
        return NULL;
    }
    Value v = run_codec(th, codec, 1, o, encoding, errors);
    drop(th, codec);
    return v;
}

/* The codec, if it turns text into bytes. */
static Value
lookup_text_codec(Thread *th, Value encoding, const char *alternative)
{
    Value codec = codec_lookup(th, encoding);
    if (codec == NULL || is_exact(codec, SHAPE_TUPLE)) {
        return codec; /* a plain tuple is trusted */
    }
    Value flag = NULL;
    Answer has = get_attr_optional(th, codec, NAME(_is_text_encoding), &flag);
    Answer is_text = has == YES ? is_true(th, flag) : has == NO ? YES : FAILED;
    drop_null(th, flag);
    if (is_text == YES) {
        return codec;
    }
    drop(th, codec);
    if (is_text == NO) {
        raise_error(th, &exc_LookupError,
                    "'%V' is not a text encoding; use %s to handle arbitrary codecs", encoding,
                    alternative);
    }
    return NULL;
}

Value
codec_encode_text(Thread *th, Value s, Value encoding, const char *errors)
{
    Value codec = lookup_text_codec(th, encoding, "codecs.encode()");
    if (codec == NULL) {
        return NULL;
    }
    Value v = run_codec(th, codec, 0, s, encoding, errors);
    drop(th, codec);
    if (v == NULL || is_bytes(v)) {
        return v;
    }
    if (is_bytearray(v)) {
        Value bytes = NULL;
        if (warn(th, &exc_RuntimeWarning, 1,
                 "encoder %V returned bytearray instead of bytes; use codecs.encode() to encode "
                 "to arbitrary types", encoding)) {
            bytes = bytes_from_value(th, v);
        }
        drop(th, v);
        return bytes;
    }
    raise_type_error(th, "'%V' encoder returned '%T' instead of 'bytes'; use codecs.encode() to "
                         "encode to arbitrary types", encoding, v);
    drop(th, v);
    return NULL;
}

Value
codec_decode_text(Thread *th, Value bytes, Value encoding, const char *errors)
{
    Value codec = lookup_text_codec(th, encoding, "codecs.decode()");
    if (codec == NULL) {
        return NULL;
    }
    Value v = run_codec(th, codec, 1, bytes, encoding, errors);
    drop(th, codec);
    if (v == NULL || is_str(v)) {
        return v;
    }
    raise_type_error(th, "'%V' decoder returned '%T' instead of 'str'; use codecs.decode() to "
                         "decode to arbitrary types", encoding, v);
    drop(th, v);
    return NULL;
}

/* -- error handlers -- */

bool
codec_register_error(Thread *th, Value name, Value handler)
{
    if (is_callable(handler) != YES) {
        raise_type_error(th, "handler must be callable");
        return false;
    }
    Value errors = registry(th, REGISTRY_ERRORS);
    return errors != NULL && dict_set(th, errors, name, handler);
}

Value
codec_lookup_error(Thread *th, Value name)
{
    Value errors = registry(th, REGISTRY_ERRORS), handler = NULL;
    if (errors == NULL) {
        return NULL;
    }
    Value key = name == NULL ? str_from_c(th, "strict") : retain(th, name);
    if (key == NULL) {
        return NULL;
    }
    Answer found = dict_get(th, errors, key, &handler);
    if (found == NO) {
        size_t n;
        const char *text = str_utf8(th, key, &n);
        if (text != NULL) {
            handler = error_handler_builtin(th, text);
            if (handler != NULL) { /* the first one asked for is the one for all */
                Value first = dict_set_default(th, errors, key, handler);
                drop(th, handler);
                handler = first;
            } else if (!error_set(th)) {
                raise_error(th, &exc_LookupError, "unknown error handler name '%V'", key);
            }
        }
    }
    drop(th, key);
    return handler;
}
