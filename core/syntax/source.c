/* source.c -- bytes to text: encoding, byte order mark, newlines.
 *
 * The text that comes out is valid UTF-8 without zero bytes, its lines end in
 * "\n" (the last one too in PARSE_EXEC), and SOURCE_PADDING zero bytes follow.
 */
#include "core/syntax/parser_impl.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

/* -- errors --------------------------------------------------------------- */

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
    err->col = -1;
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

/* -- the encoding cookie -------------------------------------------------- */

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

typedef enum Codec { CODEC_UTF8, CODEC_LATIN1, CODEC_ASCII, CODEC_OTHER } Codec;

/* Tells the encodings that need no codec from the others.  `*plain` says whether
 * the name is one that is known without looking for codecs. */
static Codec
known_codec(const char *name, size_t length, bool *plain)
{
    static const struct {
        char name[16];
        uint8_t codec;
    } aliases[] = {
        {"utf8", CODEC_UTF8},        {"u8", CODEC_UTF8},          {"utf", CODEC_UTF8},
        {"latin1", CODEC_LATIN1},    {"latin", CODEC_LATIN1},     {"l1", CODEC_LATIN1},
        {"iso8859-1", CODEC_LATIN1}, {"cp819", CODEC_LATIN1},     {"8859", CODEC_LATIN1},
        {"ascii", CODEC_ASCII},      {"us-ascii", CODEC_ASCII},   {"646", CODEC_ASCII},
    };
    char text[16];
    size_t n = length < 12 ? length : 12;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        text[i] = c == '_' ? '-' : (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c;
    }
    text[n] = '\0';
    *plain = true;
    if (strcmp(text, "utf-8") == 0 || strncmp(text, "utf-8-", 6) == 0) {
        return CODEC_UTF8;
    }
    if (strcmp(text, "latin-1") == 0 || strcmp(text, "iso-8859-1") == 0 ||
        strcmp(text, "iso-latin-1") == 0 || strncmp(text, "latin-1-", 8) == 0 ||
        strncmp(text, "iso-8859-1-", 11) == 0 || strncmp(text, "iso-latin-1-", 12) == 0) {
        return CODEC_LATIN1;
    }
    *plain = false;
    for (size_t i = 0; length < 12 && i < ARRAY_LEN(aliases); i++) {
        if (strcmp(text, aliases[i].name) == 0) {
            return (Codec)aliases[i].codec;
        }
    }
    return CODEC_OTHER;
}

/* Finds the cookie in the first two lines: its name, or NULL. */
static const char *
detect_encoding(const char *s, size_t size, size_t *length)
{
    const char *end = s + size;
    for (int lineno = 1; lineno <= 2 && s < end; lineno++) {
        const char *stop = s;
        while (stop < end && *stop != '\n' && *stop != '\r') {
            stop++;
        }
        bool blank;
        const char *name = find_cookie(s, stop, length, &blank);
        if (name != NULL || !blank) {
            return name;
        }
        s = stop;
        if (s < end) {
            s += *s == '\r' && s + 1 < end && s[1] == '\n' ? 2 : 1;
        }
    }
    return NULL;
}

/* -- newlines ------------------------------------------------------------- */

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

/* -- text that is not UTF-8 ----------------------------------------------- */

/* Describes the bad sequence at `bad` in [start, end) as the codec would. */
static void
describe_bad(const uint8_t *start, const uint8_t *bad, const uint8_t *end, char out[160])
{
    const char *what = "invalid start byte";
    int length = 1;
    int need = *bad < 0xC2 ? 0 : *bad < 0xE0 ? 1 : *bad < 0xF0 ? 2 : *bad < 0xF5 ? 3 : 0;
    if (need > 0) {
        what = "invalid continuation byte";
        uint8_t least = *bad == 0xE0 ? 0xA0 : *bad == 0xF0 ? 0x90 : 0x80;
        uint8_t most = *bad == 0xED ? 0x9F : *bad == 0xF4 ? 0x8F : 0xBF;
        while (length <= need && bad + length < end && bad[length] >= least &&
               bad[length] <= most) {
            least = 0x80;
            most = 0xBF;
            length++;
        }
        if (bad + length >= end) {
            what = "unexpected end of data";
        }
    }
    size_t at = (size_t)(bad - start);
    if (length == 1) {
        snprintf(out, 160, "'utf-8' codec can't decode byte 0x%02x in position %zu: %s",
                 *bad, at, what);
    } else {
        snprintf(out, 160, "'utf-8' codec can't decode bytes in position %zu-%zu: %s", at,
                 at + (size_t)length - 1, what);
    }
}

/* Whether `bad` stands in a comment, as far as its line tells. */
static bool
in_comment(const char *text, const char *bad)
{
    const char *line = bad;
    while (line > text && line[-1] != '\n' && line[-1] != '\r') {
        line--;
    }
    char quote = 0;
    for (; line < bad; line++) {
        if (quote != 0) {
            quote = *line == quote ? 0 : quote;
        } else if (*line == '#') {
            return true;
        } else if (*line == '"' || *line == '\'') {
            quote = *line;
        }
    }
    return false;
}

/* Says where text that claims to be UTF-8 is not. */
static COLD bool
bad_utf8(ParseError *err, const ParseOptions *options, const char *text, size_t length,
         const uint8_t *bad, bool claimed, bool plain)
{
    const char *end = text + length;
    int lineno = 1;
    const char *line = text;
    for (const char *c = text; c < (const char *)bad; c++) {
        if (*c == '\n' || (*c == '\r' && c[1] != '\n')) {
            lineno++;
            line = c + 1;
        }
    }
    if (!claimed) {
        return source_error(err, PARSE_ERROR_SYNTAX, 0,
                            "Non-UTF-8 code starting with '\\x%.2x' in file %s on line %i, "
                            "but no encoding declared; see "
                            "https://peps.python.org/pep-0263/ for details",
                            *bad, options->filename == NULL ? "<string>" : options->filename,
                            lineno);
    }
    char what[160];
    if (!plain) {
        describe_bad((const uint8_t *)text, bad, (const uint8_t *)end, what);
        return source_error(err, PARSE_ERROR_SYNTAX, 0, "%s", what);
    }
    /* the position counts in the string or name it stands in */
    const char *start = (const char *)bad;
    while (start > line && start[-1] != '"' && start[-1] != '\'') {
        start--;
    }
    const char *stop = (const char *)bad + 1;
    if (start > line) {
        while (stop < end && *stop != start[-1] && *stop != '\n') {
            stop++;
        }
    } else {
        start = (const char *)bad;
        while (start > line && (is_cookie_char(start[-1]) || (uint8_t)start[-1] >= 0x80)) {
            start--;
        }
        while (stop < end && (is_cookie_char(*stop) || (uint8_t)*stop >= 0x80)) {
            stop++;
        }
    }
    describe_bad((const uint8_t *)start, bad, (const uint8_t *)stop, what);
    source_error(err, PARSE_ERROR_SYNTAX, lineno, "(unicode error) %s", what);
    err->col = 1;
    for (const char *c = line; c < (const char *)bad; c++) {
        err->col += ((uint8_t)*c & 0xC0) != 0x80;
    }
    err->end_lineno = lineno;
    err->end_col = -1;
    size_t shown = 0; /* the text need not end with a null byte */
    while (line + shown < end && line[shown] != '\r' && line[shown] != '\n') {
        shown++;
    }
    err->text = malloc(shown + 2);
    if (err->text != NULL) {
        memcpy(err->text, line, shown);
        memcpy(err->text + shown, "\n", 2);
    }
    return false;
}

/* -- all of it ------------------------------------------------------------ */

/* Decodes by another codec, through the hook. */
static bool
decode_other(Source *source, const ParseOptions *options, const char **bytes,
             size_t *length, ParseError *err)
{
    const char *encoding = source->encoding;
    char *text = NULL;
    size_t size = 0;
    int result = options->hooks->decode == NULL
                     ? PARSE_DECODE_UNKNOWN
                     : options->hooks->decode(options->context, encoding, *bytes, *length,
                                              &text, &size);
    switch (result) {
    case PARSE_DECODED:
        free(source->decoded);
        source->decoded = text;
        *bytes = text;
        *length = size;
        return true;
    case PARSE_DECODE_REFUSED:
        if (!options->from_file) {
            source_error(err, PARSE_ERROR_SYNTAX, 0, "%s", text == NULL ? "" : text);
            free(text);
            return false;
        }
        free(text);
        /* fall through */
    case PARSE_DECODE_UNKNOWN:
        return source_error(err, PARSE_ERROR_SYNTAX, 0,
                            options->from_file ? "encoding problem: %s"
                                               : "unknown encoding: %s", encoding);
    default:
        memset(err, 0, sizeof(*err));
        err->kind = PARSE_ERROR_RAISED;
        return false;
    }
}

/* Finds the encoding and decodes.  `*plain`: the text is UTF-8 without having
 * been asked for by an unusual name. */
static bool
decode(Source *source, const ParseOptions *options, const char **bytes, size_t *length,
       bool *plain, ParseError *err)
{
    bool mark = *length >= 3 && memcmp(*bytes, "\xEF\xBB\xBF", 3) == 0;
    source->mark = mark;
    *bytes += mark ? 3 : 0;
    *length -= mark ? 3 : 0;
    size_t name_length = 0;
    const char *name = detect_encoding(*bytes, *length, &name_length);
    if (name == NULL) {
        return true;
    }
    Codec codec = known_codec(name, name_length, plain);
    const char *normal = codec == CODEC_UTF8 && *plain     ? "utf-8"
                         : codec == CODEC_LATIN1 && *plain ? "iso-8859-1"
                                                           : NULL;
    source->encoding = normal != NULL ? strdup(normal) : strndup(name, name_length);
    if (source->encoding == NULL) {
        return source_no_memory(err);
    }
    if (mark && !(codec == CODEC_UTF8 && *plain)) {
        return source_error(err, PARSE_ERROR_SYNTAX, 0, "encoding problem: %s with BOM",
                            source->encoding);
    }
    switch (codec) {
    case CODEC_UTF8:
        return true;
    case CODEC_LATIN1:
    {
        char *before = source->decoded;
        bool ok = decode_latin1(*bytes, *length, &source->decoded, length);
        free(before);
        if (!ok) {
            source->decoded = NULL;
            return source_no_memory(err);
        }
        *bytes = source->decoded;
        return true;
    }
    case CODEC_ASCII:
        for (size_t i = 0; i < *length; i++) {
            if ((uint8_t)(*bytes)[i] >= 0x80) {
                if (options->from_file) {
                    return source_error(err, PARSE_ERROR_SYNTAX, 0, "encoding problem: %s",
                                        source->encoding);
                }
                return source_error(err, PARSE_ERROR_SYNTAX, 0,
                                    "'ascii' codec can't decode byte 0x%02x in position "
                                    "%zu: ordinal not in range(128)",
                                    (unsigned)(uint8_t)(*bytes)[i], i);
            }
        }
        return true;
    default:
        return decode_other(source, options, bytes, length, err);
    }
}

/* u8_check(), past the ASCII that most texts begin with, or are, at once. */
static const uint8_t *
first_bad(const char *text, size_t length)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t ascii = utf8_ascii_prefix(p, length);
    return ascii == length ? NULL : u8_check(p + ascii, length - ascii);
}

/* A copy of text whose comments are not UTF-8 all over. */
static char *
without_bad_comments(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, text, length);
    const uint8_t *bad;
    while ((bad = first_bad(copy, length)) != NULL &&
           in_comment(copy, (const char *)bad)) {
        copy[(const char *)bad - copy] = '?';
    }
    return copy;
}

/* A copy without the null bytes: each ends its line there, and the next one goes on. */
static char *
without_nulls(const char *bytes, size_t *length)
{
    char *copy = malloc(*length + 1);
    if (copy == NULL) {
        return NULL;
    }
    const char *end = bytes + *length;
    char *out = copy;
    while (bytes < end) {
        if (*bytes != '\0') {
            *out++ = *bytes++;
            continue;
        }
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        bytes = newline == NULL ? end : newline + 1;
    }
    *length = (size_t)(out - copy);
    return copy;
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
        if (!options->from_file) {
            return source_error(err, PARSE_ERROR_VALUE, 0,
                                "source code string cannot contain null bytes");
        }
        source->decoded = without_nulls(bytes, &length);
        if (source->decoded == NULL) {
            return source_no_memory(err);
        }
        bytes = source->decoded;
    }
    bool plain = true;
    if ((options->flags & PARSE_SOURCE_IS_UTF8) == 0 &&
        !decode(source, options, &bytes, &length, &plain, err)) {
        goto fail;
    }
    if (memchr(bytes, '\0', length) != NULL) {
        source_error(err, PARSE_ERROR_VALUE, 0,
                     "source code string cannot contain null bytes");
        goto fail;
    }
    const uint8_t *bad = first_bad(bytes, length);
    bool claimed = !options->from_file || source->encoding != NULL || source->mark;
    if (bad != NULL && plain && claimed && in_comment(bytes, (const char *)bad)) {
        char *copy = without_bad_comments(bytes, length);
        if (copy == NULL) {
            source_no_memory(err);
            goto fail;
        }
        free(source->decoded);
        bytes = source->decoded = copy;
        bad = first_bad(bytes, length);
    }
    if (bad != NULL) {
        bad_utf8(err, options, bytes, length, bad, claimed, plain);
        goto fail;
    }
    if (!copy_lines(source, bytes, length, options->mode == PARSE_EXEC)) {
        source_no_memory(err);
        goto fail;
    }
    free(source->decoded);
    source->decoded = NULL;
    return true;

fail:
    source_free(source);
    return false;
}

void
source_free(Source *source)
{
    free(source->text);
    free(source->decoded);
    free(source->encoding);
    memset(source, 0, sizeof(*source));
}
