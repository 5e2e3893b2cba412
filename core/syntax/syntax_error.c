/* syntax_error.c -- errors with their places, and what to say without a rule.
 *
 * A place is (line, column) with columns in bytes, counted from 1 as they end
 * up in SyntaxError.offset; 0 and -1 are passed on as they are.  They become
 * columns in characters when the error is filled in.
 *
 * "The last token looked at" is where several errors stand.  It is the
 * furthest one that any attempt of either pass has come to.
 */
#include "core/syntax/syntax_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* -- the last token ---------------------------------------------------------------- */

void
error_look(Parser *p, const Token *token)
{
    uint32_t index = (uint32_t)(token - p->lexer->tokens.items);
    if (index > p->lexer->furthest) {
        p->lexer->furthest = index;
    }
}

static const Token *
last_token(Parser *p)
{
    error_look(p, p->tok);
    return &p->lexer->tokens.items[p->lexer->furthest];
}

/* INDENT, DEDENT and ENDMARKER have no place of their own. */
static bool
is_placeless(const Token *token)
{
    return token->type == TOKEN_INDENT || token->type == TOKEN_DEDENT ||
           token->type == TOKEN_ENDMARKER;
}

/* -- filling in -------------------------------------------------------------------- */

/* The start of a line of the lexer's text. */
static const char *
find_line(const Lexer *lexer, int lineno)
{
    const char *line = lexer->text;
    for (int n = lexer->first_lineno; n < lineno; n++) {
        const char *next = strchr(line, '\n');
        if (next == NULL || next[1] == '\0') {
            break;
        }
        line = next + 1;
    }
    return line;
}

/* Characters in the first `bytes` bytes of a line. */
static int
characters(const char *line, int bytes)
{
    int count = 0;
    for (int i = 0; i < bytes && line[i] != '\0'; i++) {
        count += ((uint8_t)line[i] & 0xC0) != 0x80;
    }
    return count;
}

/* Fills p->err.  The line's text has its newline when `newline`. */
static void
fill(Parser *p, ParseErrorKind kind, const char *message, int lineno, int col,
     int end_lineno, int end_col, bool newline)
{
    const Lexer *lexer = p->lexer;
    ParseError *err = p->err;
    const char *line = find_line(lexer, lineno);
    size_t length = strcspn(line, "\n");
    bool nested = p->nesting > 0;
    char *text = malloc(length + 2);
    if (text != NULL) {
        memcpy(text, line, length);
        text[length] = '\0';
        if (newline && (line[length] == '\n' || nested)) {
            text[length] = '\n';
            text[length + 1] = '\0';
        }
    }
    err->kind = kind;
    err->message = strdup(message);
    err->lineno = lineno;
    err->col = col > 0 ? characters(line, col) : col;
    err->end_lineno = end_lineno;
    err->end_col = end_col;
    if (end_col > 0) {
        err->end_col = characters(end_lineno == lineno ? line : find_line(lexer, end_lineno),
                                  end_col);
    }
    err->text = text;
    if (err->message == NULL || err->text == NULL) {
        err->kind = PARSE_ERROR_MEMORY;
    }
}

/* The text ends and a bracket is open: that is what is wrong. */
static void
fill_unclosed(Parser *p)
{
    const Lexer *lexer = p->lexer;
    const Bracket *open = &lexer->brackets[lexer->level - 1];
    char message[32];
    snprintf(message, sizeof(message), "'%c' was never closed", open->open);
    fill(p, PARSE_ERROR_SYNTAX, message, open->lineno, open->col + 1, open->lineno, 0,
         lexer->lineno <= open->lineno ||
             (lexer->lineno == open->lineno + 1 && lexer->cursor == lexer->line_start));
}

static void
fill_lexer_error(Parser *p)
{
    const Lexer *lexer = p->lexer;
    const LexerError *e = &lexer->error;
    if (lexer->state == LEXER_EOF) {
        if (lexer->level > 0) {
            fill_unclosed(p);
            return;
        }
        const Token *token = &vec_last(&lexer->tokens);
        fill(p, PARSE_ERROR_SYNTAX, "unexpected EOF while parsing", token->lineno,
             token->col, token->lineno, -1, true);
        return;
    }
    fill(p, e->kind, e->message, e->lineno, e->col, e->end_lineno, e->end_col, e->newline);
}

/* Lexes on to the end: an error there goes before the one that was found. */
static void
check_rest(Parser *p, int error_lineno)
{
    Lexer *lexer = p->lexer = p->whole;
    p->nesting = 0;
    ParseError saved = *p->err;
    if (p->diagnosing || lexer->state != LEXER_RUNNING) {
        /* all of it was lexed before; did a rule come to the end? */
        if (lexer->furthest + 1 >= lexer->tokens.count) {
            return;
        }
    }
    while (lexer->state == LEXER_RUNNING) {
        lexer_line(p, lexer);
    }
    if (lexer->state == LEXER_FINISHED ||
        (lexer->state == LEXER_EOF &&
         (lexer->level == 0 || error_lineno <= lexer->brackets[lexer->level - 1].lineno))) {
        return;
    }
    fill_lexer_error(p);
    free(saved.message);
    free(saved.text);
}

static NORETURN void
raise_text(Parser *p, ParseErrorKind kind, const char *message, int lineno, int col,
           int end_lineno, int end_col)
{
    const Token *last = last_token(p);
    if (last->type == TOKEN_ERROR) {
        raise_lexer_error(p);
    }
    int last_lineno = is_placeless(last) || last->type == TOKEN_NEWLINE ? last->lineno
                                                                        : last->end_lineno;
    if (p->nesting > 0) {
        char text[600];
        snprintf(text, sizeof(text), "f-string: %s", message);
        int shift = p->lexer->first_col;
        fill(p, kind, text, lineno, col - shift, end_lineno, end_col - shift,
             last_lineno <= lineno);
    } else {
        fill(p, kind, message, lineno, col, end_lineno, end_col, last_lineno <= lineno);
    }
    check_rest(p, last_lineno);
    longjmp(*p->top, 1);
}

/* -- raising ------------------------------------------------------------------------- */

#define FORMAT_MESSAGE(text, format)                                           \
    char text[512];                                                            \
    do {                                                                       \
        va_list args_;                                                         \
        va_start(args_, format);                                               \
        vsnprintf(text, sizeof(text), format, args_);                          \
        va_end(args_);                                                         \
    } while (0)

void
raise_at(Parser *p, ParseErrorKind kind, int lineno, int col, int end_lineno, int end_col,
         const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    raise_text(p, kind, text, lineno, col + 1, end_lineno, end_col + 1);
}

/* From the start of one thing to the end of another. */
void
raise_range(Parser *p, Place start, int end_lineno, int end_col, const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    raise_text(p, PARSE_ERROR_SYNTAX, text, start.lineno, start.col + 1, end_lineno,
               end_col + 1);
}

void
raise_at_token(Parser *p, const Token *token, const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    if (is_placeless(token)) {
        raise_text(p, PARSE_ERROR_SYNTAX, text, token->lineno, 0, token->lineno, 0);
    }
    if (token->type == TOKEN_NEWLINE) {
        raise_text(p, PARSE_ERROR_SYNTAX, text, token->lineno, token->col + 1,
                   token->lineno, token->col + 1);
    }
    raise_text(p, PARSE_ERROR_SYNTAX, text, token->lineno, token->col + 1,
               token->end_lineno, token->end_col + 1);
}

void
raise_at_node(Parser *p, const void *node, const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    const AstNode *n = node;
    raise_text(p, PARSE_ERROR_SYNTAX, text, n->lineno, n->col_offset + 1, n->end_lineno,
               n->end_col_offset + 1);
}

void
raise_here(Parser *p, ParseErrorKind kind, const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    const Token *token = last_token(p);
    if (is_placeless(token)) {
        raise_text(p, kind, text, token->lineno, token->col, token->lineno, -1);
    }
    if (token->type == TOKEN_NEWLINE) {
        raise_text(p, kind, text, token->lineno, token->col + 1, token->lineno,
                   token->col + 1);
    }
    raise_text(p, kind, text, token->lineno, token->col + 1, token->end_lineno,
               token->end_col + 1);
}

/* From a thing to where the lexer has come. */
void
raise_starting_from(Parser *p, Place start, const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    const Token *last = last_token(p);
    int end_col = last->type == TOKEN_NEWLINE ? last->col + 1 : last->end_col;
    raise_text(p, PARSE_ERROR_SYNTAX, text, start.lineno, start.col + 1, last->end_lineno,
               end_col);
}

/* The same, `last` being the last token. */
void
raise_starting_from_to(Parser *p, Place start, const Token *last, const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    raise_text(p, PARSE_ERROR_SYNTAX, text, start.lineno, start.col + 1, last->end_lineno,
               last->end_col);
}

void
raise_lexer_error(Parser *p)
{
    fill_lexer_error(p);
    longjmp(*p->top, 1);
}

void
raise_multiple_statements(Parser *p)
{
    raise_here(p, PARSE_ERROR_SYNTAX,
               "multiple statements found while compiling a single statement");
}

void
raise_generic(Parser *p)
{
    Lexer *lexer = p->lexer;
    lexer->furthest = lexer->failed_at;
    Token *failed = &lexer->tokens.items[lexer->failed_at];
    p->tok = failed;
    switch (failed->type) {
    case TOKEN_ERROR:
        raise_lexer_error(p);
    case TOKEN_INDENT:
        raise_here(p, PARSE_ERROR_INDENTATION, "unexpected indent");
    case TOKEN_DEDENT:
        raise_here(p, PARSE_ERROR_INDENTATION, "unexpected unindent");
    default:
        raise_at_token(p, failed, "invalid syntax");
    }
}

void
raise_incomplete(Parser *p)
{
    p->tok = &p->lexer->tokens.items[p->lexer->failed_at];
    const Token *t = p->tok;
    bool placeless = is_placeless(t) || t->type == TOKEN_ERROR;
    fill(p, PARSE_ERROR_SYNTAX, "incomplete input", t->lineno, t->col + !placeless,
         t->lineno, placeless ? -1 : t->col + 1, true);
    longjmp(*p->top, 1);
}

void
error_fill_token(Parser *p, ParseErrorKind kind, const Token *t)
{
    fill(p, kind, "", t->lineno, t->col + 1, t->end_lineno, t->end_col + 1, true);
}
