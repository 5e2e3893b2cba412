/* str_codecs.c -- Latin-1, ASCII and charmaps, and encoding by name. */
#include "objects/text/codec_priv.h"

/* -- Latin-1 and ASCII -- */

Value
codec_latin1_decode(Thread *th, const uint8_t *p, size_t n)
{
    return str_from_latin1(th, p, n);
}

Value
codec_ascii_decode(Thread *th, const uint8_t *p, size_t n, const char *errors)
{
    if (utf8_all_ascii(p, n)) {
        return str_from_ascii(th, (const char *)p, n);
    }
    Decode d;
    decode_init(&d, "ascii", errors, p, n);
    bool good = true;
    while (good && d.pos < d.n) {
        size_t plain = utf8_ascii_prefix(d.p + d.pos, d.n - d.pos);
        good = str_builder_ascii(th, &d.out, (const char *)d.p + d.pos, plain);
        d.pos += plain;
        if (good && d.pos < d.n) {
            good = decode_error(th, &d, d.pos, d.pos + 1, "ordinal not in range(128)");
        }
    }
    return decode_finish(th, &d, good);
}

static Answer
put_latin1(Thread *th, Encode *e, uint32_t c)
{
    if (c > 0xff) {
        return NO;
    }
    return byte_buffer_put(th, &e->out, (uint8_t)c) ? YES : FAILED;
}

static Answer
put_ascii(Thread *th, Encode *e, uint32_t c)
{
    if (c > 0x7f) {
        return NO;
    }
    return byte_buffer_put(th, &e->out, (uint8_t)c) ? YES : FAILED;
}

/* Characters up to `max` as bytes. */
static Value
encode_narrow(Thread *th, Value s, const char *errors, uint32_t max)
{
    Encode e;
    encode_init(&e, max == 0x7f ? "ascii" : "latin-1", errors, s,
                max == 0x7f ? put_ascii : put_latin1);
    bool good = true;
    while (good && e.pos < e.c.n) {
        uint32_t x = chars_get(e.c, e.pos);
        if (x <= max) {
            good = byte_buffer_put(th, &e.out, (uint8_t)x);
            e.pos++;
            continue;
        }
        size_t end = e.pos + 1;
        while (end < e.c.n && chars_get(e.c, end) > max) {
            end++;
        }
        good = encode_error(th, &e, e.pos, end,
                            max == 0x7f ? "ordinal not in range(128)"
                                        : "ordinal not in range(256)");
    }
    return encode_finish(th, &e, good);
}

Value
codec_latin1_encode(Thread *th, Value s, const char *errors)
{
    const Str *str = as_str(s);
    return str->width == 1 ? bytes_from(th, str->data, str->length)
                           : encode_narrow(th, s, errors, 0xff);
}

Value
codec_ascii_encode(Thread *th, Value s, const char *errors)
{
    const Str *str = as_str(s);
    return str->ascii ? bytes_from(th, str->data, str->length)
                      : encode_narrow(th, s, errors, 0x7f);
}

/* -- charmaps -- */

/* Decodes by a str: the character at a byte's index, U+FFFE for none. */
static bool
charmap_str_step(Thread *th, Decode *d, Value table)
{
    Chars map = chars_of(table);
    while (d->pos < d->n) {
        uint8_t byte = d->p[d->pos];
        uint32_t c = byte < map.n ? chars_get(map, byte) : 0xfffe;
        if (c == 0xfffe) {
            return true;
        }
        if (!str_builder_char(th, &d->out, c)) {
            return false;
        }
        d->pos++;
    }
    return true;
}

/* Decodes one byte by any mapping; NO: it is not mapped. */
static Answer
charmap_mapping_step(Thread *th, Decode *d, Value mapping)
{
    Value v = get_item(th, mapping, value_from_fixnum(d->p[d->pos]));
    if (v == NULL) {
        if (!error_matches(th, &exc_LookupError)) {
            return FAILED;
        }
        error_clear(th);
        return NO;
    }
    Answer result = FAILED;
    if (v == NONE) {
        result = NO;
    } else if (is_int(v)) {
        int64_t c;
        if (!int_fits_i64(v, &c) || c < 0 || c > (int64_t)UNICODE_MAX) {
            raise_type_error(th, "character mapping must be in range(0x110000)");
        } else if (c == 0xfffe) {
            result = NO;
        } else {
            result = str_builder_char(th, &d->out, (uint32_t)c) ? YES : FAILED;
        }
    } else if (is_str(v)) {
        if (str_length(v) == 1 && str_char(as_str(v), 0) == 0xfffe) {
            result = NO;
        } else {
            result = str_builder_str(th, &d->out, v) ? YES : FAILED;
        }
    } else {
        raise_type_error(th, "character mapping must return integer, None or str");
    }
    drop(th, v);
    return result;
}

Value
codec_charmap_decode(Thread *th, const uint8_t *p, size_t n, const char *errors, Value mapping)
{
    if (mapping == NULL || mapping == NONE) {
        return codec_latin1_decode(th, p, n);
    }
    Decode d;
    decode_init(&d, "charmap", errors, p, n);
    bool good = true, by_str = is_exact(mapping, SHAPE_STR);
    while (good && d.pos < d.n) {
        if (by_str) {
            good = charmap_str_step(th, &d, mapping);
            if (!good || d.pos == d.n) {
                break;
            }
        } else {
            Answer found = charmap_mapping_step(th, &d, mapping);
            if (found != NO) {
                good = found == YES;
                d.pos++;
                continue;
            }
        }
        good = decode_error(th, &d, d.pos, d.pos + 1, "character maps to <undefined>");
    }
    return decode_finish(th, &d, good);
}

/* Writes what the mapping gives for c; NO: nothing. */
static Answer
put_charmap(Thread *th, Encode *e, uint32_t c)
{
    Value v = NULL;
    if (is_exact(e->mapping, SHAPE_DICT)) {
        Answer found = dict_get(th, e->mapping, value_from_fixnum(c), &v);
        if (found != YES) {
            return found;
        }
    } else {
        v = get_item(th, e->mapping, value_from_fixnum(c));
        if (v == NULL) {
            if (!error_matches(th, &exc_LookupError)) {
                return FAILED;
            }
            error_clear(th);
            return NO;
        }
    }
    Answer result = FAILED;
    if (v == NONE) {
        result = NO;
    } else if (is_int(v)) {
        int64_t byte;
        if (!int_fits_i64(v, &byte) || byte < 0 || byte > 255) {
            raise_type_error(th, "character mapping must be in range(256)");
        } else {
            result = byte_buffer_put(th, &e->out, (uint8_t)byte) ? YES : FAILED;
        }
    } else if (is_bytes(v)) {
        result = byte_buffer_add(th, &e->out, as_bytes(v)->data, (size_t)as_bytes(v)->length)
                     ? YES : FAILED;
    } else {
        raise_type_error(th, "character mapping must return integer, bytes or None, not %T", v);
    }
    drop(th, v);
    return result;
}

/* Whether the mapping has nothing for c (what it has is taken back). */
static Answer
charmap_lacks(Thread *th, Encode *e, uint32_t c)
{
    size_t before = e->out.n;
    Answer written = put_charmap(th, e, c);
    e->out.n = before;
    return written == FAILED ? FAILED : written == YES ? NO : YES;
}

Value
codec_charmap_encode(Thread *th, Value s, const char *errors, Value mapping)
{
    if (mapping == NULL || mapping == NONE) {
        return codec_latin1_encode(th, s, errors);
    }
    Encode e;
    encode_init(&e, "charmap", errors, s, put_charmap);
    e.mapping = mapping;
    bool good = true;
    while (good && e.pos < e.c.n) {
        Answer written = put_charmap(th, &e, chars_get(e.c, e.pos));
        if (written == YES) {
            e.pos++;
            continue;
        }
        if (written == FAILED) {
            good = false;
            break;
        }
        size_t end = e.pos + 1;
        while (good && end < e.c.n) {
            Answer lacks = charmap_lacks(th, &e, chars_get(e.c, end));
            good = lacks != FAILED;
            if (lacks != YES) {
                break;
            }
            end++;
        }
        good = good && encode_error(th, &e, e.pos, end, "character maps to <undefined>");
    }
    return encode_finish(th, &e, good);
}

Value
codec_charmap_build(Thread *th, Value table)
{
    Value map = dict_new(th);
    if (map == NULL) {
        return NULL;
    }
    Chars c = chars_of(table);
    for (size_t i = 0; i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        if (x == 0xfffe) {
            continue;
        }
        if (!dict_set(th, map, value_from_fixnum(x), value_from_fixnum((int64_t)i))) {
            drop(th, map);
            return NULL;
        }
    }
    return map;
}

/* -- by name -- */

enum Known { KNOWN_NONE, KNOWN_UTF8, KNOWN_LATIN1, KNOWN_ASCII, KNOWN_UTF16, KNOWN_UTF32 };

/* The encodings that need no lookup; spelling as in "UTF-8", "latin_1", "us-ascii". */
static enum Known
known_encoding(const char *name)
{
    char low[16];
    size_t n = 0;
    for (const char *p = name; *p != 0; p++) {
        char c = *p;
        if (n + 1 >= sizeof low) {
            return KNOWN_NONE;
        }
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c + 32);
        } else if (c == '-' || c == ' ') {
            c = '_';
        }
        low[n++] = c;
    }
    low[n] = 0;
    static const struct {
        const char *name;
        enum Known known;
    } table[] = {
        {"utf_8", KNOWN_UTF8},       {"utf8", KNOWN_UTF8},
        {"latin_1", KNOWN_LATIN1},   {"latin1", KNOWN_LATIN1},
        {"iso_8859_1", KNOWN_LATIN1}, {"iso8859_1", KNOWN_LATIN1},
        {"ascii", KNOWN_ASCII},      {"us_ascii", KNOWN_ASCII},
        {"utf_16", KNOWN_UTF16},     {"utf16", KNOWN_UTF16},
        {"utf_32", KNOWN_UTF32},     {"utf32", KNOWN_UTF32},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(low, table[i].name) == 0) {
            return table[i].known;
        }
    }
    return KNOWN_NONE;
}

/* The encoding's name as a str for messages and lookup. */
static Value
name_value(Thread *th, const char *encoding)
{
    return str_from_wtf8(th, encoding, strlen(encoding));
}

bool codec_check_names;

bool
codec_check(Thread *th, const char *encoding, const char *errors)
{
    if (LIKELY(!codec_check_names)) {
        return true;
    }
    if (encoding != NULL && known_encoding(encoding) == KNOWN_NONE) {
        Value name = name_value(th, encoding);
        Value codec = name == NULL ? NULL : codec_lookup(th, name);
        drop_null(th, name);
        if (codec == NULL) {
            return false;
        }
        drop(th, codec);
    }
    if (errors != NULL && error_kind(errors) == ERRORS_OTHER) {
        Value name = name_value(th, errors);
        Value handler = name == NULL ? NULL : codec_lookup_error(th, name);
        drop_null(th, name);
        if (handler == NULL) {
            return false;
        }
        drop(th, handler);
    }
    return true;
}

Value
str_encode(Thread *th, Value s, const char *encoding, const char *errors)
{
    if (!codec_check(th, encoding, errors)) {
        return NULL;
    }
    switch (encoding == NULL ? KNOWN_UTF8 : known_encoding(encoding)) {
    case KNOWN_UTF8: return codec_utf8_encode(th, s, errors);
    case KNOWN_LATIN1: return codec_latin1_encode(th, s, errors);
    case KNOWN_ASCII: return codec_ascii_encode(th, s, errors);
    case KNOWN_UTF16: return codec_utf16_encode(th, s, errors, 0);
    case KNOWN_UTF32: return codec_utf32_encode(th, s, errors, 0);
    default: break;
    }
    Value name = name_value(th, encoding);
    if (name == NULL) {
        return NULL;
    }
    Value v = codec_encode_text(th, s, name, errors);
    drop(th, name);
    return v;
}

Value
str_decode(Thread *th, const uint8_t *p, size_t n, const char *encoding, const char *errors)
{
    int order = 0;
    if (!codec_check(th, encoding, errors)) {
        return NULL;
    }
    switch (encoding == NULL ? KNOWN_UTF8 : known_encoding(encoding)) {
    case KNOWN_UTF8: return codec_utf8_decode(th, p, n, errors, NULL);
    case KNOWN_LATIN1: return codec_latin1_decode(th, p, n);
    case KNOWN_ASCII: return codec_ascii_decode(th, p, n, errors);
    case KNOWN_UTF16: return codec_utf16_decode(th, p, n, errors, &order, NULL);
    case KNOWN_UTF32: return codec_utf32_decode(th, p, n, errors, &order, NULL);
    default: break;
    }
    Value name = name_value(th, encoding);
    Value bytes = name == NULL ? NULL : bytes_from(th, p, n);
    Value v = bytes == NULL ? NULL : codec_decode_text(th, bytes, name, errors);
    drop_null(th, bytes);
    drop_null(th, name);
    return v;
}
