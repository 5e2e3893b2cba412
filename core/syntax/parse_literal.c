/* parse_literal.c -- numbers and strings: from a token's text to a constant.
 *
 * A string's text is put together in p->buffer, as a stack: whoever appends
 * to it remembers how long it was and cuts it back to that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE     /* strtod_l() */
#endif
#include "base/unicode_db.h"
#include "core/syntax/parser_impl.h"
#include "core/syntax/syntax_error.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

AstExpr *
make_constant(Parser *p, const Token *t, AstLiteral literal, Value value)
{
    AstExpr *result = NEW(p, expr, Constant, ((Place){t->lineno, t->col}), .value = value);
    result->literal = (uint8_t)literal;
    return result;
}

Value
literal_singleton(Parser *p, AstLiteral literal)
{
    Value *slot = &p->singletons[literal];
    if (*slot == NULL) {
        *slot = parser_own(p, p->hooks->singleton(p->context, literal));
    }
    return *slot;
}

/* -- numbers -------------------------------------------------------------- */

/* The double that `text` (without underscores, zero-terminated) stands for. */
static double
parse_double(Parser *p, const char *text)
{
    /* glibc's "C" locale is a constant: nothing is allocated */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        parser_no_memory(p);
    }
    double result = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return result;
}

static int
number_base(const char *text, size_t length)
{
    if (length < 2 || text[0] != '0') {
        return 10;
    }
    switch (text[1]) {
    case 'x': case 'X': return 16;
    case 'o': case 'O': return 8;
    case 'b': case 'B': return 2;
    default: return 10;
    }
}

AstExpr *
parse_number(Parser *p)
{
    const Token *token = take(p);
    const char *text = p->lexer->text + token->start;
    size_t length = token->end - token->start;
    int base = number_base(text, length);
    if (base != 10) {
        text += 2;
        length -= 2;
    }
    bool simple = true;
    bool real = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            simple = false;
            real |= base == 10 && text[i] != '_';
        }
    }
    bool imaginary = real && (text[length - 1] | 0x20) == 'j';
    if (!simple) {
        if (UNLIKELY(memchr(text, '_', length) != NULL)) {
            need_version(p, 6, "Underscores in numeric literals are");
        }
        char *digits = parser_alloc(p, length + 1);
        size_t count = 0;
        for (size_t i = 0; i < length - imaginary; i++) {
            if (text[i] != '_') {
                digits[count++] = text[i];
            }
        }
        digits[count] = '\0';
        text = digits;
        length = count;
    }
    if (imaginary) {
        Value value = p->hooks->make_complex(p->context, parse_double(p, text));
        return make_constant(p, token, AST_LITERAL_COMPLEX, parser_own(p, value));
    }
    if (real) {
        Value value = p->hooks->make_float(p->context, parse_double(p, text));
        return make_constant(p, token, AST_LITERAL_FLOAT, parser_own(p, value));
    }
    Value value = p->hooks->make_int(p->context, text, length, base);
    if (value == NULL) {
        p->raised_token = token;
    }
    return make_constant(p, token, AST_LITERAL_INT, parser_own(p, value));
}

/* -- escapes -------------------------------------------------------------- */

void
literal_append(Parser *p, const char *bytes, size_t length)
{
    if (UNLIKELY(!vec_reserve(&p->buffer, length))) {
        parser_no_memory(p);
    }
    if (length > 0) {
        memcpy(p->buffer.items + p->buffer.count, bytes, length);
    }
    p->buffer.count += length;
}

/* Appends a code point in UTF-8, surrogates too. */
static void
append_code(Parser *p, uint32_t c)
{
    char bytes[4];
    size_t length;
    if (c < 0x80) {
        bytes[0] = (char)c;
        length = 1;
    } else if (c < 0x800) {
        bytes[0] = (char)(0xC0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3F));
        length = 2;
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xE0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (c & 0x3F));
        length = 3;
    } else {
        bytes[0] = (char)(0xF0 | c >> 18);
        bytes[1] = (char)(0x80 | (c >> 12 & 0x3F));
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3F));
        bytes[3] = (char)(0x80 | (c & 0x3F));
        length = 4;
    }
    literal_append(p, bytes, length);
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A bad escape from `escape` to `stop`.  The position counts in the text as
 * it is with every non-ASCII character written as \UXXXXXXXX. */
static COLD NORETURN void
bad_escape(Parser *p, const char *start, const char *escape, const char *stop,
           const char *what)
{
    size_t position = 0;
    for (const char *s = start; s < escape; s++) {
        if ((uint8_t)*s < 0x80) {
            position++;
        } else if (((uint8_t)*s & 0xC0) != 0x80) {
            position += 10;
        }
    }
    size_t length = (size_t)(stop - escape);
    if (length == 1) {
        raise_here(p, PARSE_ERROR_SYNTAX,
                   "(unicode error) 'unicodeescape' codec can't decode byte 0x%02x in "
                   "position %zu: %s", (unsigned)(uint8_t)*escape, position, what);
    }
    raise_here(p, PARSE_ERROR_SYNTAX,
               "(unicode error) 'unicodeescape' codec can't decode bytes in position "
               "%zu-%zu: %s", position, position + length - 1, what);
}

void
literal_warn_escape(Parser *p, const Token *token, const char *escape)
{
    if (p->hooks->warn == NULL || p->second_pass) {
        return;
    }
    char *message =
        *escape >= '4' && *escape <= '7'
            ? parser_format(p, "invalid octal escape sequence '\\%.3s'", escape)
            : parser_format(p, "invalid escape sequence '\\%c'", *escape);
    int result = p->hooks->warn(p->context, PARSE_WARNING_DEPRECATION, message,
                                token->lineno);
    if (result < 0) {
        parser_raised(p);
    }
    if (result > 0) {
        raise_at_token(p, token, "%s", message);
    }
}

/* \x.., \u...., \U........: `s` stands behind the letter. */
static const char *
decode_hex(Parser *p, const char *start, const char *s, const char *end, int digits)
{
    const char *escape = s - 2;
    const char *what = digits == 2   ? "truncated \\xXX escape"
                       : digits == 4 ? "truncated \\uXXXX escape"
                                     : "truncated \\UXXXXXXXX escape";
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, s++) {
        int value = s < end ? hex_value(*s) : -1;
        if (value < 0) {
            bad_escape(p, start, escape, s, what);
        }
        c = c << 4 | (uint32_t)value;
    }
    if (c > 0x10FFFF) {
        bad_escape(p, start, escape, s, "illegal Unicode character");
    }
    append_code(p, c);
    return s;
}

/* \N{name}: `s` stands behind the N. */
static const char *
decode_named(Parser *p, const char *start, const char *s, const char *end)
{
    const char *escape = s - 2;
    static const char malformed[] = "malformed \\N character escape";
    if (s >= end || *s != '{') {
        bad_escape(p, start, escape, s, malformed);
    }
    const char *name = ++s;
    while (s < end && *s != '}') {
        s++;
    }
    if (s >= end) {
        bad_escape(p, start, escape, s, malformed);
    }
    size_t length = (size_t)(s - name);
    if (length == 0) {
        bad_escape(p, start, escape, s, malformed);
    }
    uint32_t c = 0;
    if (!unicode_by_name(name, length, &c)) {
        bad_escape(p, start, escape, s + 1, "unknown Unicode character name");
    }
    append_code(p, c);
    return s + 1;
}

/* \ooo: `s` stands on the first digit. */
static const char *
decode_octal(const char *s, const char *end, uint32_t *c)
{
    *c = 0;
    for (int i = 0; i < 3 && s < end && *s >= '0' && *s <= '7'; i++, s++) {
        *c = *c << 3 | (uint32_t)(*s - '0');
    }
    return s;
}

/* Whether three octal digits stand for more than a byte. */
static bool
is_big_octal(const char *s)
{
    return s[0] >= '4' && s[0] <= '7' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
           s[2] <= '7';
}

/* The character that `\c` stands for, or -1. */
static int
simple_escape(char c)
{
    switch (c) {
    case '\\': return '\\';
    case '\'': return '\'';
    case '"': return '"';
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return -1;
    }
}

void
literal_decode(Parser *p, const Token *token, const char *s, const char *end, bool raw)
{
    const char *start = s;
    const char *bad = NULL;
    for (;;) {
        const char *slash = raw ? NULL : memchr(s, '\\', (size_t)(end - s));
        if (slash == NULL) {
            literal_append(p, s, (size_t)(end - s));
            break;
        }
        literal_append(p, s, (size_t)(slash - s));
        s = slash + 1;
        if (s >= end || (uint8_t)*s >= 0x80) {
            literal_append(p, "\\", 1);
            continue;
        }
        int simple = simple_escape(*s);
        if (simple >= 0) {
            char c = (char)simple;
            literal_append(p, &c, 1);
            s++;
            continue;
        }
        uint32_t code;
        switch (*s) {
        case '\n':
            s++;
            break;
        case '0' ... '7':
            if (bad == NULL && s + 2 < end && is_big_octal(s)) {
                bad = s;
            }
            s = decode_octal(s, end, &code);
            append_code(p, code);
            break;
        case 'x':
            s = decode_hex(p, start, s + 1, end, 2);
            break;
        case 'u':
            s = decode_hex(p, start, s + 1, end, 4);
            break;
        case 'U':
            s = decode_hex(p, start, s + 1, end, 8);
            break;
        case 'N':
            s = decode_named(p, start, s + 1, end);
            break;
        default:
            if (bad == NULL) {
                bad = s;
            }
            literal_append(p, "\\", 1);
            break;
        }
    }
    if (UNLIKELY(bad != NULL)) {
        literal_warn_escape(p, token, bad);
    }
}

/* The same for a bytes literal. */
static void
decode_bytes(Parser *p, const Token *token, const char *s, const char *end)
{
    const char *start = s;
    const char *bad = NULL;
    while (s < end) {
        if (*s != '\\') {
            const char *slash = memchr(s, '\\', (size_t)(end - s));
            const char *stop = slash == NULL ? end : slash;
            literal_append(p, s, (size_t)(stop - s));
            s = stop;
            continue;
        }
        s++;
        int simple = simple_escape(*s);
        char c = (char)simple;
        if (simple >= 0) {
            s++;
        } else if (*s == '\n') {
            s++;
            continue;
        } else if (*s >= '0' && *s <= '7') {
            uint32_t code;
            if (bad == NULL && s + 2 < end && is_big_octal(s)) {
                bad = s;
            }
            s = decode_octal(s, end, &code);
            c = (char)code;
        } else if (*s == 'x') {
            int high = s + 1 < end ? hex_value(s[1]) : -1;
            int low = s + 2 < end ? hex_value(s[2]) : -1;
            if (high < 0 || low < 0) {
                raise_here(p, PARSE_ERROR_SYNTAX,
                           "(value error) invalid \\x escape at position %td",
                           s - 1 - start);
            }
            c = (char)(high << 4 | low);
            s += 3;
        } else {
            if (bad == NULL) {
                bad = s;
            }
            c = '\\';
        }
        literal_append(p, &c, 1);
    }
    if (UNLIKELY(bad != NULL)) {
        literal_warn_escape(p, token, bad);
    }
}

/* -- strings -------------------------------------------------------------- */

/* The text between the quotes of a STRING token. */
static const char *
string_body(Parser *p, const Token *token, const char **end)
{
    const char *s = p->lexer->text + token->start;
    while (*s != '"' && *s != '\'') {
        s++;
    }
    int quotes = token->flags & STRING_TRIPLE ? 3 : 1;
    *end = p->lexer->text + token->end - quotes;
    return s + quotes;
}

/* Appends what a bytes token stands for. */
static void
append_bytes(Parser *p, const Token *token)
{
    const char *end;
    const char *s = string_body(p, token, &end);
    for (const char *c = s; c < end; c++) {
        if ((uint8_t)*c >= 0x80) {
            raise_here(p, PARSE_ERROR_SYNTAX, "bytes can only contain ASCII literal characters");
        }
    }
    if (token->flags & STRING_RAW) {
        literal_append(p, s, (size_t)(end - s));
    } else {
        decode_bytes(p, token, s, end);
    }
}

/* The `kind` of constants in a string whose first token is `first`. */
Value
literal_kind(Parser *p, const Token *first)
{
    if (LIKELY(p->lexer->text[first->start] != 'u')) {
        return NULL;
    }
    if (p->unicode_kind == NULL) {
        p->unicode_kind = parser_own(p, p->hooks->make_str(p->context, "u", 1));
    }
    return p->unicode_kind;
}

static AstExpr *
string_constant(Parser *p, const Token *first, AstLiteral literal, const char *text,
                size_t length)
{
    Value value = literal == AST_LITERAL_BYTES
                      ? p->hooks->make_bytes(p->context, text, length)
                      : p->hooks->make_str(p->context, text, length);
    AstExpr *result = make_constant(p, first, literal, parser_own(p, value));
    if (literal == AST_LITERAL_STR) {
        result->Constant.kind = literal_kind(p, first);
    }
    return result;
}

/* strings: STRING+ ; a Constant, or a JoinedStr when one of them is an f-string */
AstExpr *
parse_strings(Parser *p)
{
    const Token *first = p->tok;
    int all = 0;
    do {
        all |= p->tok->flags;
        p->tok++;
    } while (at(p, TOKEN_STRING));
    if (UNLIKELY(at(p, TOKEN_ERROR))) {
        parser_fail(p);
    }
    const Token *stop = p->tok;
    size_t base = p->buffer.count;
    if (UNLIKELY(all & STRING_BYTES)) {
        for (const Token *token = first; token < stop; token++) {
            const char *end, *s = string_body(p, token, &end);
            bool raw = (token->flags & STRING_RAW) != 0;
            if (token->flags & STRING_BYTES) {
                append_bytes(p, token);
            } else if ((token->flags & STRING_FORMATTED) == 0) {
                literal_decode(p, token, s, end, raw);
            }
            if ((token->flags ^ first->flags) & STRING_BYTES) {
                raise_here(p, PARSE_ERROR_SYNTAX, "cannot mix bytes and nonbytes literals");
            }
            if (token->flags & STRING_FORMATTED) { /* its errors come before what follows it */
                fstring_parse(p, token, first, base, s, end, raw);
            }
        }
        AstExpr *result = string_constant(p, first, AST_LITERAL_BYTES,
                                          p->buffer.items + base, p->buffer.count - base);
        p->buffer.count = base;
        return result;
    }
    if (LIKELY(stop - first == 1 && (all & STRING_FORMATTED) == 0)) {
        const char *end;
        const char *s = string_body(p, first, &end);
        size_t length = (size_t)(end - s);
        if ((all & STRING_RAW) != 0 || memchr(s, '\\', length) == NULL) {
            return string_constant(p, first, AST_LITERAL_STR, s, length);
        }
    }
    size_t mark = seq_mark(p);
    for (const Token *token = first; token < stop; token++) {
        const char *end;
        const char *s = string_body(p, token, &end);
        bool raw = (token->flags & STRING_RAW) != 0;
        if (token->flags & STRING_FORMATTED) {
            fstring_parse(p, token, first, base, s, end, raw);
        } else {
            literal_decode(p, token, s, end, raw);
        }
    }
    AstExpr *result;
    if (all & STRING_FORMATTED) {
        fstring_flush(p, first, stop - 1, base);
        AstExprs values = SEQ(expr, p, mark);
        result = NEW(p, expr, JoinedStr, ((Place){first->lineno, first->col}),
                     .values = values);
    } else {
        result = string_constant(p, first, AST_LITERAL_STR, p->buffer.items + base,
                                 p->buffer.count - base);
    }
    p->buffer.count = base;
    return result;
}
