/* parser.c -- parse(): the two passes, and the parser's hands. */
#include "core/syntax/parser_impl.h"
#include "core/syntax/syntax_error.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* -- leaving -------------------------------------------------------------- */

void
parser_fail(Parser *p)
{
    error_look(p, p->tok);
    if (p->diagnosing && at(p, TOKEN_ERROR)) {
        raise_lexer_error(p);
    }
    longjmp(*p->escape, 1);
}

void
parser_no_memory(Parser *p)
{
    p->err->kind = PARSE_ERROR_MEMORY;
    longjmp(*p->top, 1);
}

void
parser_too_deep(Parser *p)
{
    p->err->kind = PARSE_ERROR_MEMORY;
    p->err->message = strdup("too many levels of nesting in the source text");
    longjmp(*p->top, 1);
}

void
parser_raised(Parser *p)
{
    p->err->kind = PARSE_ERROR_RAISED;
    if (p->raised_token != NULL) {
        error_fill_token(p, PARSE_ERROR_RAISED, p->raised_token);
    }
    longjmp(*p->top, 1);
}

void
parser_expected(Parser *p, const char *what)
{
    if (at(p, TOKEN_ERROR)) {
        parser_fail(p);
    }
    raise_at_token(p, p->tok, "expected '%s'", what);
}

void
parser_too_new(Parser *p, int version, const char *what)
{
    raise_here(p, PARSE_ERROR_SYNTAX, "%s only supported in Python 3.%d and greater", what,
               version);
}

/* -- memory --------------------------------------------------------------- */

void *
parser_alloc(Parser *p, size_t size)
{
    void *result = arena_alloc(&p->ast->arena, size);
    if (UNLIKELY(result == NULL)) {
        parser_no_memory(p);
    }
    return result;
}

Value
parser_own(Parser *p, Value value)
{
    if (UNLIKELY(value == NULL)) {
        parser_raised(p);
    }
    if (UNLIKELY(ast_own(p->ast, value) == NULL)) {
        parser_no_memory(p);
    }
    return value;
}

char *
parser_format(Parser *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    char *copy = arena_copy(&p->ast->arena, text, strlen(text));
    if (copy == NULL) {
        parser_no_memory(p);
    }
    return copy;
}

AstSeq
seq_finish_any(Parser *p, size_t mark)
{
    size_t count = p->scratch.count - mark;
    AstSeq seq = {NULL, (uint32_t)count};
    if (count > 0) {
        seq.items = parser_alloc(p, count * sizeof(void *));
        memcpy(seq.items, p->scratch.items + mark, count * sizeof(void *));
        p->scratch.count = mark;
    }
    return seq;
}

AstSeq
seq_one_any(Parser *p, void *item)
{
    void **items = parser_alloc(p, sizeof(void *));
    items[0] = item;
    return (AstSeq){items, 1};
}

Value
take_name(Parser *p)
{
    if (UNLIKELY(!at(p, TOKEN_NAME))) {
        parser_fail(p);
    }
    return name_value(p, take(p)->name);
}

const char *
token_text(TokenType type)
{
    static const char *const texts[TOKEN_TYPE_COUNT] = {
#define TOKEN(name, text) text,
#define OPERATOR(name, text) text,
#define KEYWORD(name, text) text,
#include "core/syntax/token.def"
    };
    return texts[type];
}

/* -- tokens --------------------------------------------------------------- */

/* Puts the token before the first one, where the end of a node that has no
 * token yet would be looked for. */
static void
lexer_start(Parser *p, Lexer *lexer)
{
    if (!vec_reserve(&lexer->tokens, 1)) {
        parser_no_memory(p);
    }
    lexer->tokens.items[0] = (Token){
        .type = TOKEN_NEWLINE,
        .lineno = lexer->lineno,
        .end_lineno = lexer->lineno,
    };
    lexer->tokens.count = 1;
}

void
parser_next_line(Parser *p)
{
    Lexer *lexer = p->lexer;
    p->tok++;
    if (p->tok < lexer->tokens.items + lexer->tokens.count) {
        return;
    }
    lexer->tokens.items[0] = p->tok[-1];
    lexer->tokens.count = 1;
    lexer->furthest = 0;
    lexer_line(p, lexer);
    p->tok = lexer->tokens.items + 1;
}

/* -- passes --------------------------------------------------------------- */

/* What a failure must put back. */
typedef struct Saved {
    jmp_buf *escape;
    size_t scratch;
    size_t buffer;
    int depth;
    bool diagnosing;
} Saved;

static Saved
save(const Parser *p)
{
    return (Saved){p->escape, p->scratch.count, p->buffer.count, p->depth, p->diagnosing};
}

static void
put_back(Parser *p, const Saved *saved)
{
    p->escape = saved->escape;
    p->scratch.count = saved->scratch;
    p->buffer.count = saved->buffer;
    p->depth = saved->depth;
    p->diagnosing = saved->diagnosing;
}

/* Runs a rule; NULL when it fails. */
static NOINLINE void *
run(Parser *p, void *(*rule)(Parser *, void *), void *argument, bool diagnosing)
{
    jmp_buf here;
    Saved saved = save(p);
    if (setjmp(here) != 0) {
        put_back(p, &saved);
        return NULL;
    }
    p->escape = &here;
    p->diagnosing = diagnosing;
    void *result = rule(p, argument);
    error_look(p, p->tok);
    p->escape = saved.escape;
    p->diagnosing = saved.diagnosing;
    return result;
}

/* A rule without an argument. */
typedef struct Rule {
    void *(*function)(Parser *p);
} Rule;

static void *
run_rule(Parser *p, void *argument)
{
    return ((const Rule *)argument)->function(p);
}

void *
parser_try_with(Parser *p, void *(*rule)(Parser *, void *), void *argument)
{
    Token *before = p->tok;
    void *result = run(p, rule, argument, p->diagnosing);
    if (result == NULL) {
        p->tok = before;
    }
    return result;
}

void *
parser_try(Parser *p, void *(*rule)(Parser *))
{
    Rule r = {rule};
    return parser_try_with(p, run_rule, &r);
}

void *
parser_try_quietly(Parser *p, void *(*rule)(Parser *))
{
    Token *before = p->tok;
    bool soft = p->soft;
    bool only_braces = p->only_braces;
    Rule r = {rule};
    p->soft = p->only_braces = true;
    void *result = run(p, run_rule, &r, false);
    p->soft = soft;
    p->only_braces = only_braces;
    if (result == NULL) {
        p->tok = before;
    }
    return result;
}

/* Lexes all of the text into one window and goes to its start. */
static void
lex_everything(Parser *p, Lexer *lexer)
{
    lexer_init(lexer, lexer->text);
    lexer_start(p, lexer);
    while (lexer->state == LEXER_RUNNING) {
        lexer_line(p, lexer);
    }
}

/* Finds out what is wrong and leaves. */
static COLD NORETURN void
second_pass(Parser *p, void *(*rule)(Parser *))
{
    Lexer *lexer = p->lexer;
    size_t words = lexer->tokens.count;
    lexer->diagnosed = arena_calloc(&p->ast->arena, words * sizeof(uint32_t));
    if (lexer->diagnosed == NULL) {
        parser_no_memory(p);
    }
    Rule r = {rule};
    p->tok = lexer->tokens.items + 1;
    p->soft = true;
    p->only_braces = true;
    bool like_first_pass = p->like_first_pass;
    p->like_first_pass = true;
    run(p, run_rule, &r, false);
    p->like_first_pass = like_first_pass;
    p->only_braces = false;
    p->tok = lexer->tokens.items + 1;
    run(p, run_rule, &r, true);
    raise_generic(p);
}

/* Finds the token of the second pass where the first one stopped. */
static void
find_failed_token(Lexer *lexer, const Token *failed)
{
    uint32_t i = 1;
    while (i + 1 < lexer->tokens.count &&
           (lexer->tokens.items[i].start != failed->start ||
            lexer->tokens.items[i].type != failed->type)) {
        i++;
    }
    lexer->failed_at = lexer->furthest = i;
}

AstExpr *
parser_run_nested(Parser *p, const char *text, Place place, void *(*rule)(Parser *))
{
    Lexer *outer = p->lexer;
    Token *before = p->tok;
    if (outer->nested == NULL) {
        outer->nested = calloc(1, sizeof(Lexer));
        if (outer->nested == NULL) {
            parser_no_memory(p);
        }
    }
    Lexer *lexer = outer->nested;
    lexer_init(lexer, text);
    lexer->lineno = lexer->first_lineno = place.lineno;
    lexer->first_col = place.col;
    lexer->at_line_start = false;
    lexer->nested_in = outer;
    lexer->outer_tok = before;
    p->lexer = lexer;
    p->nesting++;
    lexer_start(p, lexer);
    while (lexer->state == LEXER_RUNNING) {
        lexer_line(p, lexer);
    }
    p->tok = lexer->tokens.items + 1;
    bool soft = p->soft;
    bool only_braces = p->only_braces;
    Rule r = {rule};
    p->soft = p->only_braces = false;
    AstExpr *result = run(p, run_rule, &r, false);
    p->soft = soft;
    p->only_braces = only_braces;
    if (result == NULL) {
        lexer->failed_at = lexer->furthest;
        second_pass(p, rule);
    }
    p->nesting--;
    p->lexer = outer;
    p->tok = before;
    return result;
}

bool
parser_stopped_at_end(const Parser *p)
{
    const Lexer *lexer = p->whole;
    const Token *token = &lexer->tokens.items[lexer->furthest];
    if (token->type == TOKEN_ERROR) {
        return lexer->state == LEXER_EOF || lexer->state == LEXER_EOF_IN_STRING;
    }
    size_t end = token->type == TOKEN_STRING ? token->start : token->end;
    return end >= p->source.length;
}

static void *
parse_module_rule(Parser *p)
{
    return parse_module(p);
}

/* Both passes over the whole text; false with p->err filled. */
static NOINLINE bool
parse_text(Parser *p)
{
    jmp_buf top;
    if (setjmp(top) != 0) {
        return false;
    }
    p->top = &top;
    if (!names_init(p) || !vec_reserve(&p->scratch, 64) || !vec_reserve(&p->buffer, 256)) {
        parser_no_memory(p);
    }
    p->lexer = calloc(1, sizeof(Lexer));
    if (p->lexer == NULL) {
        parser_no_memory(p);
    }
    p->whole = p->lexer;
    lexer_init(p->lexer, p->source.text);
    lexer_start(p, p->lexer);
    lexer_line(p, p->lexer);
    p->tok = p->lexer->tokens.items + 1;
    Rule r = {parse_module_rule};
    p->ast->root = run(p, run_rule, &r, false);
    if (LIKELY(p->ast->root != NULL)) {
        return true;
    }
    p->lexer->failed_at = p->lexer->furthest;
    Token failed = p->lexer->tokens.items[p->lexer->failed_at];
    if ((p->options->flags & PARSE_ALLOW_INCOMPLETE_INPUT) != 0 && parser_stopped_at_end(p)) {
        raise_incomplete(p);
    }
    if (failed.type == TOKEN_ERROR) {
        raise_lexer_error(p);
    }
    p->second_pass = true;
    lex_everything(p, p->lexer);
    find_failed_token(p->lexer, &failed);
    second_pass(p, parse_module_rule);
}

/* -- the entry ------------------------------------------------------------ */

#define DEFAULT_STACK ((size_t)256 << 10)

bool
parse(const ParseOptions *options, const char *source, size_t length, Ast *out,
      ParseError *err)
{
    char here_;
    Parser p;
    memset(&p, 0, sizeof(p));
    memset(err, 0, sizeof(*err));
    ast_init(out, options->hooks->release, options->context);
    p.ast = out;
    p.err = err;
    p.options = options;
    p.hooks = options->hooks;
    p.context = options->context;
    p.type_comments = (options->flags & PARSE_TYPE_COMMENTS) != 0 ||
                      options->mode == PARSE_FUNC_TYPE;
    p.feature_version = options->feature_version > 0 ? options->feature_version : INT_MAX;
    p.stack_limit = options->stack_limit;
    if (p.stack_limit == NULL) {
        p.stack_limit = (const char *)((uintptr_t)&here_ - DEFAULT_STACK);
    }
    if (!source_init(&p.source, options, source, length, err)) {
        return false;
    }
    bool ok = parse_text(&p);
    if (!ok && p.source.length == 0) {
        err->lineno = err->end_lineno = 0;
    }
    lexer_free(p.whole);
    free(p.name_table);
    vec_free(&p.names);
    vec_free(&p.scratch);
    vec_free(&p.buffer);
    vec_free(&p.type_ignores);
    source_free(&p.source);
    if (!ok) {
        ast_free(out);
    }
    return ok;
}

void
parse_error_free(ParseError *err)
{
    free(err->message);
    free(err->text);
    memset(err, 0, sizeof(*err));
}
