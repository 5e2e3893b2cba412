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

/* -- the last token ------------------------------------------------------- */

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

/* INDENT, DEDENT, ENDMARKER and a NEWLINE for the latter have no place. */
static bool
is_placeless(const Token *token)
{
    if (token->type == TOKEN_NEWLINE) {
        return token->flags != 0;
    }
    return token->type == TOKEN_INDENT || token->type == TOKEN_DEDENT ||
           token->type == TOKEN_ENDMARKER;
}

/* Where a token itself ends; see Token. */
static int
token_end_lineno(const Token *token)
{
    return token->type == TOKEN_NEWLINE ? token->lineno : token->end_lineno;
}

static int
token_end_col(const Token *token)
{
    return token->type == TOKEN_NEWLINE ? token->col + (int)(token->end - token->start)
                                        : token->end_col;
}

/* -- filling in ----------------------------------------------------------- */

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

/* Characters in the first `bytes` bytes of a line; its end counts as one. */
static int
characters(const char *line, int bytes)
{
    int count = 0;
    for (int i = 0; i < bytes; i++) {
        count += ((uint8_t)line[i] & 0xC0) != 0x80;
        if (line[i] == '\0') {
            break;
        }
    }
    return count;
}

/* Whether the line has a comment; strings are taken to begin in it. */
static bool
ends_in_comment(const char *line, const char *end)
{
    char quote = 0;
    for (; line < end; line++) {
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

/* The line that is shown for `lineno`.  When the lexer is there still, it holds
 * all lines of a string or continued line that ends there. */
static const char *
shown_line(Parser *p, int lineno, const Token *last, bool present)
{
    const Lexer *lexer = p->lexer;
    const Token *first = lexer->tokens.items;
    if (present && last != NULL) {
        for (const Token *t = last; t > first; t--) {
            if (t->type == TOKEN_STRING && t->end_lineno == lineno) {
                lineno = t->lineno;
            } else if (!is_placeless(t) && t->type != TOKEN_NEWLINE &&
                       t->end_lineno < lineno) {
                break;
            }
        }
    }
    const char *line = find_line(lexer, lineno);
    while (present && line - lexer->text >= 2 && line[-2] == '\\') {
        const char *before = line - 1;
        while (before > lexer->text && before[-1] != '\n') {
            before--;
        }
        bool blank = before[strspn(before, " \t\f")] == '\\';
        if (blank || ends_in_comment(before, line)) {
            break;
        }
        line = before;
    }
    return line;
}

/* Fills p->err.  When the lexer has not gone on (`present`), the text has its
 * newline. */
static void
fill(Parser *p, ParseErrorKind kind, const char *message, int lineno, int col,
     int end_lineno, int end_col, bool present, const Token *last)
{
    const Lexer *lexer = p->lexer;
    ParseError *err = p->err;
    const char *line = shown_line(p, lineno, last, present);
    const char *last_line = find_line(lexer, lineno);
    size_t length = (size_t)(last_line - line) + strcspn(last_line, "\n");
    bool nested = p->nesting > 0;
    char *text = malloc(length + 2);
    if (text != NULL) {
        memcpy(text, line, length);
        text[length] = '\0';
        if (present && (line[length] == '\n' || nested)) {
            text[length] = '\n';
            text[length + 1] = '\0';
        }
    }
    err->kind = kind;
    err->message = strdup(message);
    err->text = text;
    if (err->message == NULL || err->text == NULL) {
        err->kind = PARSE_ERROR_MEMORY;
        return;
    }
    err->lineno = lineno;
    err->col = col > 0 && !nested ? characters(text, col) : col;
    err->end_lineno = end_lineno;
    err->end_col = end_col > 0 && !nested ? characters(text, end_col) : end_col;
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
             (lexer->lineno == open->lineno + 1 && lexer->cursor == lexer->line_start),
         &vec_last(&lexer->tokens));
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
             token->col, token->lineno, -1, true, NULL);
        return;
    }
    fill(p, e->kind, e->message, e->lineno, e->col, e->end_lineno, e->end_col, e->newline,
         NULL);
    if (p->err->text != NULL) {
        const char *text = p->err->text;
        p->err->col = e->in_bytes ? e->col : characters(text, e->col);
        p->err->end_col = e->in_bytes || e->end_col < 0 ? e->end_col
                                                        : characters(text, e->end_col);
    }
}

/* Lexes on to the end: an error there goes before the one that was found. */
static void
check_rest(Parser *p, int error_lineno)
{
    Lexer *lexer = p->lexer = p->whole;
    p->nesting = 0;
    ParseError saved = *p->err;
    if ((lexer->state != LEXER_RUNNING && lexer->furthest + 1 >= lexer->tokens.count) ||
        (p->options->mode != PARSE_EXEC && parser_stopped_at_end(p))) {
        return;     /* a rule came to the end */
    }
    while (lexer->state == LEXER_RUNNING) {
        lexer_line(p, lexer);
    }
    bool silent = lexer->state == LEXER_EOF ||
                  (lexer->state == LEXER_FAILED && lexer->error.newline);
    if (lexer->state == LEXER_FINISHED ||
        (silent && (lexer->level == 0 ||
                    error_lineno <= lexer->brackets[lexer->level - 1].lineno))) {
        return;
    }
    if (silent) {
        fill_unclosed(p);
    } else {
        fill_lexer_error(p);
    }
    free(saved.message);
    free(saved.text);
}

/* An error of the first pass is "incomplete input" if the text is at its end. */
static void
look_for_end(Parser *p)
{
    if ((p->options->flags & PARSE_ALLOW_INCOMPLETE_INPUT) == 0 ||
        (p->second_pass && !p->like_first_pass)) {
        return;
    }
    Token *before = p->tok;
    const Token *last = last_token(p);
    for (Lexer *lexer = p->lexer; lexer->nested_in != NULL; lexer = lexer->nested_in) {
        p->tok = lexer->outer_tok;
        last = p->tok;
    }
    if (p->nesting > 0 || p->second_pass) {
        p->whole->furthest = (uint32_t)(last - p->whole->tokens.items);
    }
    if (parser_stopped_at_end(p)) {
        p->lexer = p->whole;
        p->nesting = 0;
        p->lexer->failed_at = p->lexer->furthest;
        raise_incomplete(p);
    }
    p->tok = before;
}

static NORETURN void
raise_text(Parser *p, ParseErrorKind kind, const char *message, int lineno, int col,
           int end_lineno, int end_col)
{
    const Token *last = last_token(p);
    look_for_end(p);
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
             last_lineno <= lineno, last);
    } else {
        fill(p, kind, message, lineno, col, end_lineno, end_col, last_lineno <= lineno,
             last);
    }
    if (!p->final) {
        check_rest(p, last_lineno);
    }
    longjmp(*p->top, 1);
}

/* -- raising -------------------------------------------------------------- */

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
    raise_text(p, PARSE_ERROR_SYNTAX, text, token->lineno, token->col + 1,
               token_end_lineno(token), token_end_col(token) + 1);
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
    raise_text(p, kind, text, token->lineno, token->col + 1, token_end_lineno(token),
               token_end_col(token) + 1);
}

/* From a thing to where the lexer has come. */
void
raise_starting_from(Parser *p, Place start, const char *format, ...)
{
    FORMAT_MESSAGE(text, format);
    const Token *last = last_token(p);
    int end_col = token_end_col(last);
    if (p->nesting > 0 && token_end_lineno(last) == p->lexer->first_lineno) {
        end_col -= p->lexer->first_col; /* as CPython, which takes it off twice */
    }
    raise_text(p, PARSE_ERROR_SYNTAX, text, start.lineno, start.col + 1,
               token_end_lineno(last), end_col);
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
    if (p->nesting > 0) {
        look_for_end(p);
    }
    fill_lexer_error(p);
    longjmp(*p->top, 1);
}

void
raise_multiple_statements(Parser *p)
{
    p->tok--;
    p->lexer->furthest = 0;
    p->final = true;
    raise_here(p, PARSE_ERROR_SYNTAX,
               "multiple statements found while compiling a single statement");
}

void
raise_generic(Parser *p)
{
    Lexer *lexer = p->lexer;
    if (lexer->tokens.items[lexer->furthest].type == TOKEN_ERROR) {
        raise_lexer_error(p);
    }
    Token *failed = &lexer->tokens.items[lexer->failed_at];
    p->tok = failed;
    switch (failed->type) {
    case TOKEN_ERROR:
        raise_lexer_error(p);
    case TOKEN_INDENT:
        lexer->furthest = lexer->failed_at;
        p->final = true;
        raise_here(p, PARSE_ERROR_INDENTATION, "unexpected indent");
    case TOKEN_DEDENT:
        lexer->furthest = lexer->failed_at;
        p->final = true;
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
    bool in_string = p->lexer->state == LEXER_EOF_IN_STRING;
    fill(p, PARSE_ERROR_SYNTAX, "incomplete input", t->lineno,
         t->col + (!placeless || in_string), t->lineno,
         placeless ? -1 : token_end_col(t) + 1, true, t);
    if (in_string) {
        free(p->err->text);
        p->err->text = strdup(find_line(p->lexer, t->lineno));
    }
    longjmp(*p->top, 1);
}

void
error_fill_token(Parser *p, ParseErrorKind kind, const Token *t)
{
    fill(p, kind, "", t->lineno, t->col + 1, t->end_lineno, t->end_col + 1, true,
         t);
}
