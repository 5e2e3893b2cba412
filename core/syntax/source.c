/* source.c -- bytes to text: encoding, byte order mark, newlines.
 *
 * The text that comes out is valid UTF-8 without zero bytes, its lines end in
 * "\n" (the last one too in PARSE_EXEC), and SOURCE_PADDING zero bytes follow.
 */
#include "core/syntax/parser_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

/* -- errors ---------------------------------------------------------------------- */

PRINTF_LIKE(4, 5) static COLD bool
source_error(ParseError *err, ParseErrorKind kind, int lineno, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    memset(err, 0, sizeof(*err));
    err->kind = kind;
    err->message = strdup(text);
    err->lineno = lineno;
    if (err->message == NULL) {
        err->kind = PARSE_ERROR_MEMORY;
    }
    return false;
}

static COLD bool
source_no_memory(ParseError *err)
{
    memset(err, 0, sizeof(*err));
    err->kind = PARSE_ERROR_MEMORY;
    return false;
}

/* -- the encoding cookie -------------------------------------------------------------- */

static bool
is_cookie_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '-' || c == '_' || c == '.';
}

/* Finds `coding[:=]\s*name` in a comment line; `*blank` says whether the line
 * has nothing but blanks and a comment. */
static const char *
find_cookie(const char *s, const char *end, size_t *length, bool *blank)
{
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\f')) {
        s++;
    }
    *blank = s == end || *s == '#' || *s == '\n' || *s == '\r';
    if (s == end || *s != '#') {
        return NULL;
    }
    for (; end - s > 6; s++) {
        if (memcmp(s, "coding", 6) != 0 || (s[6] != ':' && s[6] != '=')) {
            continue;
        }
        const char *name = s + 7;
        while (name < end && (*name == ' ' || *name == '\t')) {
            name++;
        }
        const char *stop = name;
        while (stop < end && is_cookie_char(*stop)) {
            stop++;
        }
        if (stop > name) {
            *length = (size_t)(stop - name);
            return name;
        }
    }
    return NULL;
}

/* The name in the form that tells UTF-8 and Latin-1 from others. */
static void
normalize_encoding(const char *name, size_t length, char out[32])
{
    size_t n = length < 12 ? length : 12;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        out[i] = c == '_' ? '-' : (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c;
    }
    out[n] = '\0';
    if (strcmp(out, "utf-8") == 0 || strncmp(out, "utf-8-", 6) == 0) {
        strcpy(out, "utf-8");
    } else if (strcmp(out, "latin-1") == 0 || strcmp(out, "iso-8859-1") == 0 ||
               strcmp(out, "iso-latin-1") == 0 || strncmp(out, "latin-1-", 8) == 0 ||
               strncmp(out, "iso-8859-1-", 11) == 0 ||
               strncmp(out, "iso-latin-1-", 12) == 0) {
        strcpy(out, "iso-8859-1");
    }
}

/* Stores the name from a cookie in the first two lines, or NULL. */
static bool
detect_encoding(const char *s, size_t size, char **encoding, int *lineno)
{
    const char *end = s + size;
    *encoding = NULL;
    for (*lineno = 1; *lineno <= 2 && s < end; (*lineno)++) {
        const char *stop = s;
        while (stop < end && *stop != '\n' && *stop != '\r') {
            stop++;
        }
        size_t length;
        bool blank;
        const char *name = find_cookie(s, stop, &length, &blank);
        if (name != NULL) {
            char normal[32];
            normalize_encoding(name, length, normal);
            bool known = strcmp(normal, "utf-8") == 0 || strcmp(normal, "iso-8859-1") == 0;
            *encoding = known ? strdup(normal) : strndup(name, length);
            return *encoding != NULL;
        }
        if (!blank) {
            return true;
        }
        s = stop;
        if (s < end) {
            s += *s == '\r' && s + 1 < end && s[1] == '\n' ? 2 : 1;
        }
    }
    return true;
}

/* -- newlines --------------------------------------------------------------------------- */

/* Copies the text with "\n" for "\r\n" and "\r", and one behind the last line
 * when `add_newline`. */
static bool
copy_lines(Source *source, const char *s, size_t size, bool add_newline)
{
    char *text = malloc(size + 1 + SOURCE_PADDING);
    if (text == NULL) {
        return false;
    }
    const char *end = s + size;
    char *out = text;
    while (s < end) {
        const char *cr = memchr(s, '\r', (size_t)(end - s));
        const char *stop = cr == NULL ? end : cr;
        memcpy(out, s, (size_t)(stop - s));
        out += stop - s;
        s = stop;
        if (cr != NULL) {
            *out++ = '\n';
            s += s + 1 < end && s[1] == '\n' ? 2 : 1;
        }
    }
    if (add_newline && out > text && out[-1] != '\n') {
        *out++ = '\n';
    }
    memset(out, 0, SOURCE_PADDING);
    source->text = text;
    source->length = (size_t)(out - text);
    return true;
}

/* -- all of it ---------------------------------------------------------------------------- */

/* Latin-1 needs no codec. */
static bool
decode_latin1(const char *s, size_t size, char **text, size_t *text_size)
{
    char *out = malloc(2 * size + 1);
    if (out == NULL) {
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = (uint8_t)s[i];
        if (c < 0x80) {
            out[n++] = (char)c;
        } else {
            out[n++] = (char)(0xC0 | c >> 6);
            out[n++] = (char)(0x80 | (c & 0x3F));
        }
    }
    *text = out;
    *text_size = n;
    return true;
}

/* Says where the text is not UTF-8. */
static COLD bool
bad_utf8(ParseError *err, const char *text, const uint8_t *bad, bool cookie,
         const char *filename)
{
    int lineno = 1;
    for (const char *c = text; c < (const char *)bad; c++) {
        lineno += *c == '\n' || (*c == '\r' && c[1] != '\n');
    }
    if (cookie) {
        size_t position = (size_t)((const char *)bad - text);
        return source_error(err, PARSE_ERROR_SYNTAX, 0,
                            "(unicode error) 'utf-8' codec can't decode byte 0x%02x in "
                            "position %zu: %s", *bad, position,
                            *bad < 0xC2 || *bad > 0xF4 ? "invalid start byte"
                                                       : "invalid continuation byte");
    }
    return source_error(err, PARSE_ERROR_SYNTAX, lineno,
                        "Non-UTF-8 code starting with '\\x%.2x' in file %s on line %i, but "
                        "no encoding declared; see https://peps.python.org/pep-0263/ "
                        "for details",
                        *bad, filename == NULL ? "<string>" : filename, lineno);
}

bool
source_init(Source *source, const ParseOptions *options, const char *bytes,
            size_t length, ParseError *err)
{
    memset(source, 0, sizeof(*source));
    if (length > INT32_MAX - 64) {
        return source_no_memory(err);
    }
    if (memchr(bytes, '\0', length) != NULL) {
        return source_error(err, PARSE_ERROR_VALUE, 0,
                            "source code string cannot contain null bytes");
    }
    bool is_utf8 = (options->flags & PARSE_SOURCE_IS_UTF8) != 0;
    bool mark = !is_utf8 && length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0;
    char *decoded = NULL;
    if (mark) {
        bytes += 3;
        length -= 3;
    }
    if (!is_utf8) {
        int lineno;
        if (!detect_encoding(bytes, length, &source->encoding, &lineno)) {
            return source_no_memory(err);
        }
        const char *encoding = source->encoding;
        if (encoding != NULL && strcmp(encoding, "utf-8") != 0) {
            if (mark) {
                source_error(err, PARSE_ERROR_SYNTAX, 0, "encoding problem: %s with BOM",
                             encoding);
                goto fail;
            }
            if (strcmp(encoding, "iso-8859-1") == 0) {
                if (!decode_latin1(bytes, length, &decoded, &length)) {
                    source_no_memory(err);
                    goto fail;
                }
            } else {
                int result = options->hooks->decode == NULL
                                 ? PARSE_DECODE_UNKNOWN
                                 : options->hooks->decode(options->context, encoding,
                                                          bytes, length, &decoded, &length);
                if (result != PARSE_DECODED) {
                    source_error(err, result == PARSE_DECODE_FAILED ? PARSE_ERROR_RAISED
                                                                    : PARSE_ERROR_SYNTAX,
                                 0, "unknown encoding: %s", encoding);
                    goto fail;
                }
            }
            bytes = decoded;
        }
        if (mark && encoding == NULL) {
            source->encoding = strdup("utf-8");
        }
    }
    const uint8_t *bad = u8_check((const uint8_t *)bytes, length);
    if (bad != NULL) {
        bad_utf8(err, bytes, bad, source->encoding != NULL, options->filename);
        goto fail;
    }
    if (!copy_lines(source, bytes, length, options->mode == PARSE_EXEC)) {
        source_no_memory(err);
        goto fail;
    }
    free(decoded);
    return true;

fail:
    free(decoded);
    source_free(source);
    return false;
}

void
source_free(Source *source)
{
    free(source->text);
    free(source->encoding);
    memset(source, 0, sizeof(*source));
}
