/* lex_string.c -- the end of a string literal.
 *
 * What is in it, parse_literal.c and parse_fstring.c find out: an f-string is
 * one token here.
 */
#include "core/syntax/parser_impl.h"

#include <stdio.h>

/* The text or the line ends before the string does. */
static COLD const char *
unterminated(Parser *p, Lexer *lexer, const char *start, const char *line_start,
             int32_t lineno, bool triple, bool at_end)
{
    int detected = lexer->lineno;
    char text[80];
    snprintf(text, sizeof(text), "unterminated %sstring literal (detected at line %d)",
             triple ? "triple-quoted " : "", detected);
    char *message = arena_copy(&p->ast->arena, text, strlen(text));
    if (message == NULL) {
        parser_no_memory(p);
    }
    lexer->cursor = start;
    lexer->line_start = line_start;
    lexer->lineno = lineno;
    int col = (int)(start - line_start) + 1;
    lexer_error_at(p, lexer, (LexerError){.message = message, .lineno = lineno, .col = col,
                                          .end_lineno = lineno, .end_col = col});
    if (at_end) {
        lexer->state = LEXER_EOF_IN_STRING;
    }
    return NULL;
}

const char *
lex_string(Parser *p, Lexer *lexer, const char *start, const char *quote, int flags)
{
    char q = *quote;
    const char *s = quote + 1;
    if (s[0] != q || s[1] != q) {
        /* '...' or '' */
        for (;; s++) {
            char c = *s;
            if (c == q) {
                break;
            }
            if (UNLIKELY(c == '\\')) {
                s++;
                if (*s == '\n') {
                    goto lines;
                }
                c = *s;
            }
            if (UNLIKELY(c == '\n' || c == '\0')) {
                return unterminated(p, lexer, start, lexer->line_start, lexer->lineno,
                                    false, c == '\0');
            }
        }
        s++;
        lexer_token(p, lexer, TOKEN_STRING, start, s)->flags = (uint8_t)flags;
        return s;
    }
    flags |= STRING_TRIPLE;
    s += 2;

lines:;
    /* The string may go on in the next line. */
    bool triple = (flags & STRING_TRIPLE) != 0;
    Token token = *lexer_token(p, lexer, TOKEN_STRING, start, s);
    lexer->tokens.count--;
    const char *first_line = lexer->line_start;
    int32_t first_lineno = lexer->lineno;
    if (!triple) {
        s++;
        lexer->line_start = s;
        lexer->lineno++;
    }
    for (;; s++) {
        char c = *s;
        if (c == q && (!triple || (s[1] == q && s[2] == q))) {
            break;
        }
        if (c == '\\') {
            s++;
            c = *s;
            if (c == '\n') {
                lexer->line_start = s + 1;
                lexer->lineno++;
                continue;
            }
        }
        if (UNLIKELY(c == '\0')) {
            if (s == lexer->line_start && lexer->lineno > first_lineno) {
                lexer->lineno--;
            }
            return unterminated(p, lexer, start, first_line, first_lineno, triple, true);
        }
        if (c == '\n') {
            if (!triple) {
                return unterminated(p, lexer, start, first_line, first_lineno, false, false);
            }
            lexer->line_start = s + 1;
            lexer->lineno++;
        }
    }
    s += triple ? 3 : 1;
    token.flags = (uint8_t)flags;
    token.end = (uint32_t)(s - lexer->text);
    token.end_lineno = lexer->lineno;
    token.end_col = (int32_t)(s - lexer->line_start);
    if (lexer->lineno == lexer->first_lineno) {
        token.end_col += lexer->first_col;
    } else if (first_lineno == lexer->first_lineno) {
        token.col -= lexer->first_col;
    }
    lexer->tokens.items[lexer->tokens.count++] = token;
    return s;
}
