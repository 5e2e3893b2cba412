/* parser_impl.h -- what the files of core/syntax share with each other.
 *
 * A Parser lives for one call of parse().  Text is lexed one logical line at
 * a time into a window of tokens; `p->tok` is the next token to be taken and
 * never passes a NEWLINE without the next line having been lexed, so looking
 * ahead inside a logical line needs no check.  A failure leaves through
 * longjmp (parser_fail() and friends): no parse function returns NULL for an
 * error, and nothing in them holds memory that is not in the arena, in
 * `p->ast->owned` or in the parser itself.
 *
 * Parsing happens twice when there is an error.  The first pass only finds
 * out that the text is wrong.  The second one (p->diagnosing) has the
 * whole text lexed beforehand, may go back freely, and runs the diagnose_*()
 * rules of syntax_error*.c where they may find something better to say than
 * "invalid syntax".
 */
#ifndef SYNTAX_PARSER_IMPL_H
#define SYNTAX_PARSER_IMPL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attrs.h"
#include "base/assert.h"
#include "base/vec.h"
#include "core/syntax/ast.h"
#include "core/syntax/parser.h"
#include "core/syntax/token.h"

/* -- source text (source.c) ----------------------------------------------- */

/* Text behind the last byte that may be read (zeros). */
#define SOURCE_PADDING 16

typedef struct Source {
    char *text;             /* UTF-8, "\n" newlines, zero bytes behind it */
    size_t length;
    char *encoding;         /* named by a cookie, or NULL */
    char *decoded;          /* while source_init() runs */
    bool mark;              /* the text began with a byte order mark */
} Source;

/* Decodes `bytes`; false with `err` filled. */
bool source_init(Source *source, const ParseOptions *options, const char *bytes,
                 size_t length, ParseError *err);
void source_free(Source *source);

/* -- lexer ---------------------------------------------------------------- */

#define LEXER_MAX_BRACKETS 200
#define LEXER_MAX_INDENTS 100

typedef struct Bracket {
    char open;
    int32_t lineno;
    int32_t col;
} Bracket;

/* How the lexer came to its end. */
typedef enum LexerState {
    LEXER_RUNNING,
    LEXER_FINISHED,         /* ENDMARKER was made */
    LEXER_FAILED,           /* the error stands in `error` */
    LEXER_EOF,              /* the text ended inside brackets or behind a "\" */
    LEXER_EOF_IN_STRING     /* the text ended inside a string */
} LexerState;

typedef struct LexerError {
    ParseErrorKind kind;
    const char *message;    /* in the arena */
    int32_t lineno;
    int32_t col;            /* bytes from 1 */
    int32_t end_lineno;
    int32_t end_col;
    bool newline;           /* the line is shown with its newline */
    bool in_bytes;          /* the columns count bytes to the end */
} LexerError;

typedef struct Lexer {
    const char *text;
    const char *cursor;
    const char *line_start;         /* of the physical line at `cursor` */
    int32_t lineno;
    int32_t first_lineno;
    int32_t first_col;              /* columns of the first line start here */
    LexerState state;
    bool at_line_start;
    int level;
    int indent_count;
    int async_indent;               /* of the `async def` we are in, or -1; see lex_async() */
    bool async_body;                /* and its header's line has ended */
    int32_t end_lineno;             /* of the last token that has a text */
    int32_t end_col;
    VEC(Token) tokens;
    LexerError error;
    uint32_t failed_at;             /* index of the token where the first pass stopped */
    uint32_t furthest;              /* of the last token that was looked at */
    uint32_t *diagnosed;            /* second pass: a bit a rule for each token */
    struct Lexer *nested;           /* kept for reuse */
    struct Lexer *nested_in;
    Token *outer_tok;               /* where the parser is in that one */
    int32_t indents[LEXER_MAX_INDENTS];
    int32_t tabbed_indents[LEXER_MAX_INDENTS];
    Bracket brackets[LEXER_MAX_BRACKETS];
} Lexer;

/* -- names ---------------------------------------------------------------- */

/* One spelling of an identifier or keyword; text is normalised (NFKC). */
typedef struct NameEntry {
    uint64_t head;          /* the first 8 bytes */
    const char *text;
    uint32_t length;
    uint32_t hash;
    Value value;            /* interned, owned by the tree; NULL until asked for */
    uint8_t type;           /* TOKEN_NAME or a keyword */
} NameEntry;

/* -- parser --------------------------------------------------------------- */

typedef struct Place {
    int32_t lineno;
    int32_t col;
} Place;

typedef struct Parser {
    Token *tok;             /* the next token */
    Lexer *lexer;           /* the present one: inside an f-string a nested one */
    Lexer *whole;           /* the one of the whole text */
    Ast *ast;
    const ParseOptions *options;
    const ParserHooks *hooks;
    void *context;
    ParseError *err;
    jmp_buf *escape;        /* where a failure goes */
    jmp_buf *top;           /* where an error goes that is described */
    const char *stack_limit;
    int depth;              /* of recursion */
    bool diagnosing;        /* the second pass: DIAGNOSE() looks for errors */
    bool only_braces;       /* before the second pass: only dicts are diagnosed */
    bool soft;              /* `a +` is `a`, and the error is what follows it */
    bool second_pass;       /* the whole text's second pass: warn no more */
    bool like_first_pass;   /* in it, but CPython raises this in its first one */
    bool final;             /* the error is one that no later one replaces */
    bool type_comments;
    int feature_version;    /* newer syntax than 3.N is refused */
    int nesting;            /* of f-strings */
    Value unicode_kind;     /* "u", or NULL until needed */
    Value singletons[AST_LITERAL_BYTES + 1];
    const Token *raised_token;  /* where a hook failed, or NULL */
    VEC(NameEntry) names;
    uint32_t *name_table;   /* index + 1 into names, 0: free */
    uint32_t name_mask;
    VEC(void *) scratch;    /* sequences being collected */
    VEC(char) buffer;       /* a string being put together */
    VEC(AstTypeIgnore *) type_ignores;
    Source source;
} Parser;

/* -- lexer.c, lex_string.c ------------------------------------------------ */

/* Prepares a lexer for `text`, which SOURCE_PADDING zeros follow. */
void lexer_init(Lexer *lexer, const char *text);
void lexer_free(Lexer *lexer);

/* Appends the tokens of the next logical line: the last of them is NEWLINE,
 * ENDMARKER or ERROR. */
void lexer_line(Parser *p, Lexer *lexer);

/* Stores an error at the character before `at` and makes the ERROR token.
 * Returns NULL. */
PRINTF_LIKE(4, 5) COLD const char *
lexer_error(Parser *p, Lexer *lexer, const char *at, const char *format, ...);
/* The same with all the particulars; columns count bytes from 1. */
COLD const char *lexer_error_at(Parser *p, Lexer *lexer, LexerError error);

/* Finds the end of the string literal whose prefix starts at `start` and
 * whose first quote is at `quote`; makes its token.  NULL after an error. */
const char *lex_string(Parser *p, Lexer *lexer, const char *start,
                       const char *quote, int flags);

Token *lexer_token(Parser *p, Lexer *lexer, TokenType type, const char *start,
                   const char *end);

/* Index of the name with this text; `text` must live as long as the parser
 * and have 8 readable bytes. */
uint32_t name_lookup(Parser *p, const char *text, uint32_t length);
/* The interned string of a name (borrowed from the tree). */
Value name_value(Parser *p, uint32_t index);
bool names_init(Parser *p);

/* -- parser.c: the parser's hands ----------------------------------------- */

/* Lexes the next logical line, after a NEWLINE was taken. */
void parser_next_line(Parser *p);

static inline TokenType
peek(const Parser *p)
{
    return (TokenType)p->tok->type;
}

static inline TokenType
peek_at(const Parser *p, int ahead)
{
    return (TokenType)p->tok[ahead].type;
}

static inline bool
at(const Parser *p, TokenType type)
{
    return p->tok->type == type;
}

/* Takes the next token, which is not a NEWLINE. */
static inline const Token *
take(Parser *p)
{
    return p->tok++;
}

static inline bool
accept(Parser *p, TokenType type)
{
    if (p->tok->type == type) {
        p->tok++;
        return true;
    }
    return false;
}

static inline void
take_newline(Parser *p)
{
    parser_next_line(p);
}

static inline Place
here(const Parser *p)
{
    return (Place){p->tok->lineno, p->tok->col};
}

static inline Place
place_of(const void *node)
{
    const AstNode *n = node;
    return (Place){n->lineno, n->col_offset};
}

/* Parses `text` (zeros behind it), the inside of an f-string, by `rule`: both
 * passes.  Its first line starts at `place`. */
AstExpr *parser_run_nested(Parser *p, const char *text, Place place,
                           void *(*rule)(Parser *p));

/* Tries a rule where it may fail: NULL and back at the same token when it does. */
void *parser_try(Parser *p, void *(*rule)(Parser *p));
void *parser_try_with(Parser *p, void *(*rule)(Parser *p, void *argument), void *argument);
/* Whether the last token of the whole text that was looked at is the last one
 * there is. */
bool parser_stopped_at_end(const Parser *p);
/* The same without looking for errors in it. */
void *parser_try_quietly(Parser *p, void *(*rule)(Parser *p));

/* Leaves: the text is wrong at the next token. */
NORETURN COLD void parser_fail(Parser *p);
NORETURN COLD void parser_no_memory(Parser *p);
NORETURN COLD void parser_too_deep(Parser *p);
/* Leaves: a hook has set an exception. */
NORETURN COLD void parser_raised(Parser *p);

/* Takes a token of `type` or fails. */
static inline const Token *
expect(Parser *p, TokenType type)
{
    if (UNLIKELY(p->tok->type != type)) {
        parser_fail(p);
    }
    return p->tok++;
}

/* The same where nothing else can follow: the error says so. */
NORETURN COLD void parser_expected(Parser *p, const char *what);
static inline void
expect_forced(Parser *p, TokenType type)
{
    if (UNLIKELY(p->tok->type != type)) {
        parser_expected(p, token_text(type));
    }
    p->tok++;
}

/* Fails where `what` ("... are") came with Python 3.`version` and a version before
 * that is asked for. */
COLD void parser_too_new(Parser *p, int version, const char *what);
static inline void
need_version(Parser *p, int version, const char *what)
{
    if (UNLIKELY(p->feature_version < version)) {
        parser_too_new(p, version, what);
    }
}

/* Recursion.  Each enter() is followed by a leave(). */
#define PARSER_MAX_DEPTH 6000

static inline void
enter(Parser *p)
{
    char here_;
    if (UNLIKELY(++p->depth > PARSER_MAX_DEPTH ||
                 (uintptr_t)&here_ < (uintptr_t)p->stack_limit)) {
        parser_too_deep(p);
    }
}

static inline void
leave(Parser *p)
{
    p->depth--;
}

/* Nodes. */
static inline void *
node_alloc(Parser *p, AstKind kind, size_t size, Place start)
{
    AstNode *node = arena_alloc(&p->ast->arena, size);
    if (UNLIKELY(node == NULL)) {
        parser_no_memory(p);
    }
    node->kind = (uint8_t)kind;
    node->literal = 0;
    node->flags = 0;
    node->lineno = start.lineno;
    node->col_offset = start.col;
    node->end_lineno = p->tok[-1].end_lineno;
    node->end_col_offset = p->tok[-1].end_col;
    node->mark = 0;
    return node;
}

/* A node from `start` to the end of the last token taken. */
#define NEW(p, sum, Node, start, ...)                                          \
    ({                                                                         \
        struct AST_STRUCT_##sum *new_ =                                        \
            node_alloc(p, AST_##Node, AST_SIZE(Node), start);                  \
        new_->Node = (struct AstFields_##Node){__VA_ARGS__};                   \
        new_;                                                                  \
    })

/* The same for a family with one kind; its fields are unset. */
#define NEW_PRODUCT(p, product, start)                                         \
    ((struct AST_STRUCT_##product *)node_alloc(                                \
        p, AST_##product, sizeof(struct AST_STRUCT_##product), start))

/* Arena memory, never NULL. */
void *parser_alloc(Parser *p, size_t size);
/* Hands a value from a hook to the tree; fails when it is NULL. */
Value parser_own(Parser *p, Value value);
PRINTF_LIKE(2, 3) char *parser_format(Parser *p, const char *format, ...);

/* Sequences: mark, push any number of items, then finish. */
static inline size_t
seq_mark(const Parser *p)
{
    return p->scratch.count;
}

static inline void
seq_push(Parser *p, void *item)
{
    if (UNLIKELY(!vec_push(&p->scratch, item))) {
        parser_no_memory(p);
    }
}

AstSeq seq_finish_any(Parser *p, size_t mark);
#define SEQ(type, p, mark)                                                     \
    ({                                                                         \
        AstSeq any_ = seq_finish_any(p, mark);                                 \
        (AstSeq_##type){any_.items, any_.count};                               \
    })

/* A sequence with one item. */
AstSeq seq_one_any(Parser *p, void *item);
#define SEQ_ONE(type, p, item)                                                 \
    ({                                                                         \
        AstSeq any_ = seq_one_any(p, item);                                    \
        (AstSeq_##type){any_.items, any_.count};                               \
    })

/* Takes a NAME and gives its interned string. */
Value take_name(Parser *p);

/* Turns an expression into a target; fails when it cannot be one. */
void expr_to_store(Parser *p, AstExpr *target);
void expr_to_del(Parser *p, AstExpr *target);

/* -- parse_expr.c --------------------------------------------------------- */

AstExpr *parse_expression(Parser *p);
AstExpr *parse_named_expression(Parser *p);
AstExpr *parse_star_expression(Parser *p);
AstExpr *parse_star_expressions(Parser *p);
AstExpr *parse_star_named_expression(Parser *p);
AstExpr *parse_assignment_expression(Parser *p);
AstExpr *parse_yield(Parser *p);
AstExpr *parse_disjunction(Parser *p);
AstExpr *parse_bitwise_or(Parser *p);
AstExpr *parse_primary(Parser *p);
AstExpr *parse_star_targets(Parser *p);
AstExpr *parse_star_target(Parser *p);
AstExpr *parse_name(Parser *p, AstContext context);
AstComprehensions parse_for_if_clauses(Parser *p);
bool token_starts_comprehension(Parser *p);
bool token_starts_expression(TokenType type);

/* -- parse_params.c ------------------------------------------------------- */

AstArguments *parse_def_params(Parser *p);
AstArguments *parse_lambda_params(Parser *p);
/* The arguments of a call, or of a class when `genexp` is false: "(" to ")". */
void parse_arguments(Parser *p, bool genexp, AstExprs *args, AstKeywords *keywords);
/* An AstExpr or AstKeyword. */
void *parse_one_argument(Parser *p);

/* -- parse_pattern.c ------------------------------------------------------ */

AstPattern *parse_patterns(Parser *p);
AstPattern *parse_pattern(Parser *p);

/* -- parse_literal.c, parse_fstring.c ------------------------------------- */

AstExpr *parse_strings(Parser *p);
AstExpr *parse_number(Parser *p);
AstExpr *make_constant(Parser *p, const Token *t, AstLiteral literal, Value value);
Value literal_singleton(Parser *p, AstLiteral literal);

/* Appends [s, end) to p->buffer with its escapes decoded. */
void literal_decode(Parser *p, const Token *token, const char *s, const char *end,
                    bool raw);
void literal_append(Parser *p, const char *bytes, size_t length);
/* Warns about "\\c", `escape` being at the c. */
void literal_warn_escape(Parser *p, const Token *token, const char *escape);
/* The `kind` of string constants whose first token is `first`: "u" or NULL. */
Value literal_kind(Parser *p, const Token *first);

/* Parses the text of an f-string: text is appended to p->buffer and pushed as a
 * Constant before each FormattedValue.  `base` is where the text begins that
 * is not pushed yet, `first` the first of the implicitly joined tokens. */
void fstring_parse(Parser *p, const Token *token, const Token *first, size_t base,
                   const char *s, const char *end, bool raw);
/* Pushes the text behind `base` as a Constant, if there is any. */
void fstring_flush(Parser *p, const Token *first, const Token *last, size_t base);

/* -- parse_stmt.c --------------------------------------------------------- */

AstStmt *parse_assignment_or_expression(Parser *p);
AstMod *parse_module(Parser *p);

#endif
