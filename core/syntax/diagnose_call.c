/* diagnose_call.c -- the second pass's rules for arguments and parameters. */
#include "core/syntax/syntax_error.h"

static void *rule_expression(Parser *p) { return parse_expression(p); }
static void *rule_argument(Parser *p) { return parse_one_argument(p); }

static void *
rule_clauses(Parser *p)
{
    AstComprehensions clauses = parse_for_if_clauses(p);
    return clauses.items[clauses.count - 1];
}

/* -- arguments ------------------------------------------------------------ */

/* What was read of a list of arguments. */
typedef struct Arguments {
    int positional;             /* positional ones and `*a` before keywords */
    int count;
    const AstExpr *last_positional;
    bool keywords;
    bool unpacked;              /* `**a` was read */
    bool last_unpacked;         /* as the last keyword */
} Arguments;

/* Mistakes at the place of a keyword argument. */
static void
diagnose_keyword(Parser *p)
{
    Token *start = p->tok;
    switch (peek(p)) {
    case TOKEN_TRUE:
    case TOKEN_FALSE:
    case TOKEN_NONE:
        if (peek_at(p, 1) == TOKEN_EQUAL) {
            p->tok++;
            raise_range(p, (Place){start->lineno, start->col}, start[1].end_lineno,
                        start[1].end_col, "cannot assign to %s", token_text(start->type));
        }
        break;
    case TOKEN_NAME:
        if (peek_at(p, 1) != TOKEN_EQUAL) {
            break;
        }
        p->tok += 2;
        if (parser_try(p, rule_expression) != NULL && token_starts_comprehension(p) &&
            parser_try(p, rule_clauses) != NULL) {
            raise_range(p, (Place){start->lineno, start->col}, start[1].end_lineno,
                        start[1].end_col,
                        "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
        }
        p->tok = start;
        return;
    default:
        break;
    }
    const AstExpr *a = parser_try(p, rule_expression);
    if (a != NULL && at(p, TOKEN_EQUAL)) {
        const Token *equal = p->tok;
        raise_range(p, place_of(a), equal->end_lineno, equal->end_col,
                    "expression cannot contain assignment, perhaps you meant \"==\"?");
    }
    p->tok = start;
}

/* Reads one argument if it may stand where it does. */
static bool
read_argument(Parser *p, Arguments *args)
{
    Token *start = p->tok;
    bool named = at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_EQUAL;
    if (at(p, TOKEN_STAR) ? args->unpacked : false) {
        return false;
    }
    if (!at(p, TOKEN_STAR) && !at(p, TOKEN_DOUBLESTAR) && !named) {
        if (!args->keywords) {
            const AstExpr *e = parser_try(p, rule_argument);
            if (e != NULL && !at(p, TOKEN_EQUAL) && !at(p, TOKEN_COLONEQUAL)) {
                args->last_positional = e;
                args->positional++;
                args->count++;
                return true;
            }
            p->tok = start;
        }
        diagnose_keyword(p);
        return false;
    }
    if (named) {
        diagnose_keyword(p);
    }
    bool star = at(p, TOKEN_STAR);
    const AstNode *node = parser_try(p, rule_argument);
    if (node == NULL) {
        return false;
    }
    args->count++;
    if (star) {
        args->positional++;
        args->last_positional = (const AstExpr *)node;
    } else {
        args->keywords = true;
        args->last_unpacked = !named;
        args->unpacked |= !named;
    }
    return true;
}

/* Reads as many arguments as there are; stops behind the last one. */
static Arguments
read_arguments(Parser *p)
{
    Arguments args = {0, 0, NULL, false, false, false};
    Token *after = p->tok;
    while (read_argument(p, &args)) {
        after = p->tok;
        if (!accept(p, TOKEN_COMMA)) {
            break;
        }
    }
    p->tok = after;
    return args;
}

/* Where a comprehension clause ends that has been read. */
static const AstExpr *
clause_end(const AstComprehension *clause)
{
    const AstExprs *ifs = &clause->ifs;
    return ifs->count > 0 ? ifs->items[ifs->count - 1] : clause->iter;
}

static const AstComprehension *
try_clauses(Parser *p)
{
    return token_starts_comprehension(p) ? parser_try(p, rule_clauses) : NULL;
}

/* Behind the "(" of a call or class. */
void
diagnose_arguments(Parser *p)
{
    static const char parenthesize[] = "Generator expression must be parenthesized";
    Token *start = p->tok;
    Arguments args = read_arguments(p);
    Token *after = p->tok;
    accept(p, TOKEN_COMMA);
    if (args.count > 0 && at(p, TOKEN_RPAR)) {
        p->tok = start;
        return;
    }
    p->tok = after;
    if (args.count > 0 && at(p, TOKEN_COMMA) && peek_at(p, 1) == TOKEN_STAR) {
        error_look(p, p->tok + 1);
        raise_range(p, (Place){start->lineno, start->col}, after[-1].end_lineno,
                    after[-1].end_col,
                    "iterable argument unpacking follows keyword argument unpacking");
    }
    p->tok = start;
    const AstExpr *a = parser_try(p, rule_expression);
    const AstComprehension *clause = a == NULL ? NULL : try_clauses(p);
    if (clause != NULL && accept(p, TOKEN_COMMA)) {
        const AstExpr *end = clause_end(clause);
        Token *behind = p->tok;
        Arguments more = read_arguments(p);
        (void)more;
        error_look(p, p->tok);
        p->tok = behind;
        raise_range(p, place_of(a), end->end_lineno, end->end_col_offset, parenthesize);
    }
    p->tok = start;
    diagnose_keyword(p);
    p->tok = after;
    clause = args.count > 0 ? try_clauses(p) : NULL;
    if (clause != NULL && args.positional > 1) {
        const AstExpr *end = clause_end(clause);
        raise_range(p, place_of(args.last_positional), end->end_lineno,
                    end->end_col_offset, parenthesize);
    }
    p->tok = after;
    if (args.count > 0 && accept(p, TOKEN_COMMA)) {
        Token *behind = p->tok;
        a = parser_try(p, rule_expression);
        clause = a == NULL ? NULL : try_clauses(p);
        if (clause != NULL) {
            raise_range(p, place_of(a), clause->target->end_lineno,
                        clause->target->end_col_offset, parenthesize);
        }
        p->tok = behind;
        Arguments more = read_arguments(p);
        if (more.count > 0) {
            raise_here(p, PARSE_ERROR_SYNTAX,
                       args.last_unpacked
                           ? "positional argument follows keyword argument unpacking"
                           : "positional argument follows keyword argument");
        }
    }
    p->tok = start;
}

/* -- parameters ----------------------------------------------------------- */

typedef struct ParamState {
    bool lambda;
    TokenType close;
    int count;
    bool defaults;
    bool slash;
    bool star;
} ParamState;

/* NAME [':' annotation], without its default. */
static bool
read_param(Parser *p, const ParamState *s)
{
    if (!at(p, TOKEN_NAME)) {
        return false;
    }
    take(p);
    if (!s->lambda && accept(p, TOKEN_COLON)) {
        accept(p, TOKEN_STAR);
        return parser_try(p, rule_expression) != NULL;
    }
    return true;
}

/* '(' NAME, ... ')' where a parameter should stand. */
static void
diagnose_parenthesized(Parser *p, const ParamState *s)
{
    const Token *open = take(p);
    while (at(p, TOKEN_NAME)) {
        if (!read_param(p, s)) {
            return;
        }
        if (!accept(p, TOKEN_COMMA)) {
            break;
        }
    }
    if (at(p, TOKEN_RPAR) && p->tok > open + 1) {
        const Token *close = take(p);
        raise_range(p, (Place){open->lineno, open->col}, close->end_lineno, close->end_col,
                    s->lambda ? "Lambda expression parameters cannot be parenthesized"
                              : "Function parameters cannot be parenthesized");
    }
}

/* '*' and what follows it; false when nothing more can be said. */
static bool
diagnose_star(Parser *p, ParamState *s)
{
    const Token *star = take(p);
    if (s->star) {
        if (at(p, TOKEN_NAME) || at(p, TOKEN_COMMA)) {
            take(p);
            raise_at_token(p, star, "* argument may appear only once");
        }
        return false;
    }
    s->star = true;
    if (at(p, s->close) ||
        (at(p, TOKEN_COMMA) &&
         (peek_at(p, 1) == s->close || peek_at(p, 1) == TOKEN_DOUBLESTAR))) {
        error_look(p, at(p, TOKEN_COMMA) ? p->tok + 1 : p->tok);
        if (s->lambda) {
            raise_here(p, PARSE_ERROR_SYNTAX, "named arguments must follow bare *");
        }
        raise_at_token(p, star, "named arguments must follow bare *");
    }
    if (at(p, TOKEN_COMMA)) {
        if (peek_at(p, 1) == TOKEN_TYPE_COMMENT) {
            p->tok++;
            raise_here(p, PARSE_ERROR_SYNTAX, "bare * has associated type comment");
        }
        return true;
    }
    const Token *name = p->tok;
    if (!read_param(p, s)) {
        return false;
    }
    bool star_annotation = name + 2 < p->tok && name[2].type == TOKEN_STAR;
    if (at(p, TOKEN_EQUAL) && !star_annotation) {
        raise_at_token(p, p->tok, "var-positional argument cannot have default value");
    }
    return true;
}

static void
diagnose_double_star(Parser *p, const ParamState *s)
{
    take(p);
    if (!read_param(p, s)) {
        return;
    }
    if (at(p, TOKEN_EQUAL)) {
        raise_at_token(p, p->tok, "var-keyword argument cannot have default value");
    }
    if (accept(p, TOKEN_COMMA)) {
        Token *next = p->tok;
        if (at(p, TOKEN_STAR) || at(p, TOKEN_DOUBLESTAR) || at(p, TOKEN_SLASH)) {
            raise_at_token(p, next, "arguments cannot follow var-keyword argument");
        }
        if (read_param(p, s)) {
            raise_range(p, (Place){next->lineno, next->col}, p->tok[-1].end_lineno,
                        p->tok[-1].end_col, "arguments cannot follow var-keyword argument");
        }
    }
}

static bool
diagnose_slash(Parser *p, ParamState *s)
{
    const Token *slash = take(p);
    if (s->slash) {
        raise_at_token(p, slash, "/ may appear only once");
    }
    if (s->star) {
        raise_at_token(p, slash, "/ must be ahead of *");
    }
    if (s->count == 0) {
        if (at(p, TOKEN_COMMA)) {
            raise_at_token(p, slash, "at least one argument must precede /");
        }
        return false;
    }
    if (at(p, TOKEN_STAR)) {
        raise_at_token(p, p->tok, "expected comma between / and *");
    }
    s->slash = true;
    return true;
}

/* One parameter with its default. */
static bool
diagnose_param(Parser *p, ParamState *s)
{
    Token *start = p->tok;
    if (!read_param(p, s)) {
        return false;
    }
    const Token *last = p->tok - 1;
    s->count++;
    if (at(p, TOKEN_EQUAL)) {
        const Token *equal = take(p);
        if (at(p, s->close) || at(p, TOKEN_COMMA)) {
            raise_at_token(p, equal, "expected default value expression");
        }
        s->defaults |= !s->star;
        return parser_try(p, rule_expression) != NULL;
    }
    if (s->defaults && !s->star && (at(p, TOKEN_COMMA) || at(p, s->close))) {
        raise_range(p, (Place){start->lineno, start->col}, last->end_lineno, last->end_col,
                    "non-default argument follows default argument");
    }
    return true;
}

/* At the first parameter of a function or lambda. */
void
diagnose_params(Parser *p, bool lambda)
{
    Token *start = p->tok;
    ParamState s = {.lambda = lambda, .close = lambda ? TOKEN_COLON : TOKEN_RPAR};
    bool more = true;
    while (more && !at(p, s.close)) {
        switch (peek(p)) {
        case TOKEN_SLASH:
            more = diagnose_slash(p, &s);
            break;
        case TOKEN_STAR:
            more = diagnose_star(p, &s);
            break;
        case TOKEN_DOUBLESTAR:
            diagnose_double_star(p, &s);
            more = false;
            break;
        case TOKEN_LPAR:
            if (!s.defaults && !s.slash && !s.star) {
                diagnose_parenthesized(p, &s);
            }
            more = false;
            break;
        default:
            more = diagnose_param(p, &s);
            break;
        }
        if (more && !accept(p, TOKEN_COMMA)) {
            break;
        }
        accept(p, TOKEN_TYPE_COMMENT);
    }
    p->tok = start;
}
