/* parse_params.c -- parameters of functions and lambdas, arguments of calls. */
#include "core/syntax/parser_impl.h"
#include "core/syntax/syntax_error.h"

/* -- parameters ----------------------------------------------------------- */

/* What has been seen of a list of parameters. */
typedef struct Params {
    bool lambda;
    bool slash;
    bool star;
    bool defaults;
    bool last;          /* `**kwargs`: nothing may follow */
    AstArg *vararg;
    AstArg *kwarg;
    AstArgs posonlyargs;
    size_t mark;        /* scratch: (arg, default) pairs of the present group */
    AstExprs defaults_before_slash;
} Params;

/* The type comment at the next token, or NULL. */
static Value
take_type_comment(Parser *p)
{
    if (LIKELY(!at(p, TOKEN_TYPE_COMMENT))) {
        return NULL;
    }
    const Token *t = take(p);
    return parser_own(p, p->hooks->make_str(p->context, p->lexer->text + t->start,
                                            t->end - t->start));
}

/* param: NAME [':' annotation] */
static AstArg *
parse_param(Parser *p, bool lambda, bool star_annotation)
{
    Place start = here(p);
    Value name = take_name(p);
    AstExpr *annotation = NULL;
    if (!lambda && accept(p, TOKEN_COLON)) {
        annotation = star_annotation ? parse_star_expression(p) : parse_expression(p);
    }
    AstArg *arg = NEW_PRODUCT(p, arg, start);
    arg->arg = name;
    arg->annotation = annotation;
    arg->type_comment = NULL;
    return arg;
}

/* Moves the group of parameters collected so far into `args`; returns the
 * defaults: of the last parameters, or one a parameter when `aligned`. */
static AstExprs
finish_group(Parser *p, Params *params, AstArgs *args, bool aligned)
{
    size_t mark = params->mark;
    uint32_t count = (uint32_t)(p->scratch.count - mark) / 2;
    void **items = p->scratch.items + mark;
    args->count = count;
    args->items = parser_alloc(p, count * sizeof(AstArg *));
    AstExprs defaults = {parser_alloc(p, count * sizeof(AstExpr *)), 0};
    for (uint32_t i = 0; i < count; i++) {
        args->items[i] = items[2 * i];
        if (aligned || items[2 * i + 1] != NULL) {
            defaults.items[defaults.count++] = items[2 * i + 1];
        }
    }
    p->scratch.count = mark;
    return defaults;
}

/* One parameter, "/" or star, without the comma behind it.  Returns the
 * parameter that a type comment behind the comma belongs to. */
static AstArg *
parse_one_param(Parser *p, Params *params, AstArguments *result)
{
    switch (peek(p)) {
    case TOKEN_SLASH:
        if (params->slash || params->star || p->scratch.count == params->mark) {
            parser_fail(p);
        }
        take(p);
        params->slash = true;
        need_version(p, 8, "Positional-only parameters are");
        params->defaults_before_slash =
            finish_group(p, params, &result->posonlyargs, false);
        return NULL;
    case TOKEN_STAR: {
        if (params->star) {
            parser_fail(p);
        }
        take(p);
        params->star = true;
        result->defaults = finish_group(p, params, &result->args, false);
        if (at(p, TOKEN_COMMA)) {
            /* a bare star: a keyword-only parameter must follow */
            if (peek_at(p, 1) != TOKEN_NAME) {
                take(p);
                parser_fail(p);
            }
            return NULL;
        }
        result->vararg = parse_param(p, params->lambda, true);
        return result->vararg;
    }
    case TOKEN_DOUBLESTAR:
        take(p);
        params->last = true;
        result->kwarg = parse_param(p, params->lambda, false);
        return result->kwarg;
    default: {
        AstArg *arg = parse_param(p, params->lambda, false);
        AstExpr *value = NULL;
        if (accept(p, TOKEN_EQUAL)) {
            value = parse_expression(p);
            params->defaults |= !params->star;
        } else if (params->defaults && !params->star) {
            parser_fail(p);
        }
        seq_push(p, arg);
        seq_push(p, value);
        return arg;
    }
    }
}

static AstArguments *
parse_params(Parser *p, bool lambda, TokenType close)
{
    Params params = {.lambda = lambda, .mark = seq_mark(p)};
    AstArguments *result = NEW_PRODUCT(p, arguments, here(p));
    memset(&result->posonlyargs, 0, sizeof(*result) - offsetof(AstArguments, posonlyargs));
    while (!at(p, close)) {
        AstArg *arg = parse_one_param(p, &params, result);
        bool more = accept(p, TOKEN_COMMA);
        if (UNLIKELY(at(p, TOKEN_TYPE_COMMENT)) && arg != NULL) {
            arg->type_comment = take_type_comment(p);
        }
        if (!more || params.last) {
            break;
        }
    }
    if (params.star) {
        result->kw_defaults = finish_group(p, &params, &result->kwonlyargs, true);
    } else {
        result->defaults = finish_group(p, &params, &result->args, false);
    }
    if (params.defaults_before_slash.count > 0) {
        /* defaults of both groups stand in one list */
        size_t mark = seq_mark(p);
        AstExprs *before = &params.defaults_before_slash;
        for (uint32_t i = 0; i < before->count; i++) {
            seq_push(p, before->items[i]);
        }
        for (uint32_t i = 0; i < result->defaults.count; i++) {
            seq_push(p, result->defaults.items[i]);
        }
        result->defaults = SEQ(expr, p, mark);
    }
    return result;
}

/* params, up to the ")" */
AstArguments *
parse_def_params(Parser *p)
{
    DIAGNOSE(p, PARAMS);
    return parse_params(p, false, TOKEN_RPAR);
}

/* lambda_params, up to the ":" */
AstArguments *
parse_lambda_params(Parser *p)
{
    DIAGNOSE(p, LAMBDA_PARAMS);
    return parse_params(p, true, TOKEN_COLON);
}

/* -- arguments ------------------------------------------------------------ */

static AstKeyword *
new_keyword(Parser *p, Place start, Value name, AstExpr *value)
{
    AstKeyword *keyword = NEW_PRODUCT(p, keyword, start);
    keyword->arg = name;
    keyword->value = value;
    return keyword;
}

/* NAME '=' expression | '**' expression | '*' expression | assignment_expression
 * | expression */
void *
parse_one_argument(Parser *p)
{
    Place start = here(p);
    switch (peek(p)) {
    case TOKEN_STAR: {
        take(p);
        AstExpr *value = parse_expression(p);
        return NEW(p, expr, Starred, start, .value = value, .ctx = AST_Load);
    }
    case TOKEN_DOUBLESTAR: {
        take(p);
        AstExpr *value = parse_expression(p);
        return new_keyword(p, start, NULL, value);
    }
    case TOKEN_NAME:
        if (peek_at(p, 1) == TOKEN_EQUAL) {
            Value name = take_name(p);
            take(p);
            AstExpr *value = parse_expression(p);
            return new_keyword(p, start, name, value);
        }
        break;
    default:
        break;
    }
    return parse_assignment_expression(p);
}

/* Splits the collected arguments. */
static void
finish_arguments(Parser *p, size_t mark, uint32_t keyword_count, AstExprs *args,
                 AstKeywords *keywords)
{
    uint32_t count = (uint32_t)(p->scratch.count - mark);
    uint32_t positional = count - keyword_count;
    void **all = parser_alloc(p, count * sizeof(void *));
    *args = (AstExprs){(AstExpr **)all, 0};
    *keywords = (AstKeywords){(AstKeyword **)(all + positional), 0};
    for (uint32_t i = 0; i < count; i++) {
        AstNode *node = p->scratch.items[mark + i];
        if (node->kind == AST_keyword) {
            keywords->items[keywords->count++] = (AstKeyword *)node;
        } else {
            args->items[args->count++] = (AstExpr *)node;
        }
    }
    p->scratch.count = mark;
}

/* '(' [arguments] ')' | genexp.  Positional arguments come first; `*a` may
 * stand among keywords, until the first `**a`. */
void
parse_arguments(Parser *p, bool genexp, AstExprs *args, AstKeywords *keywords)
{
    Place start = here(p);
    take(p);
    if (accept(p, TOKEN_RPAR)) {
        *args = (AstExprs){NULL, 0};
        *keywords = (AstKeywords){NULL, 0};
        return;
    }
    DIAGNOSE(p, ARGUMENTS);
    size_t mark = seq_mark(p);
    uint32_t keyword_count = 0;
    bool unpacked = false;
    do {
        if (unpacked && at(p, TOKEN_STAR)) {
            parser_fail(p);
        }
        if (keyword_count > 0 && !at(p, TOKEN_STAR) && !at(p, TOKEN_DOUBLESTAR) &&
            !(at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_EQUAL)) {
            error_look(p, p->tok + at(p, TOKEN_NAME));
            parser_fail(p);
        }
        AstNode *argument = parse_one_argument(p);
        if (argument->kind == AST_keyword) {
            keyword_count++;
            unpacked |= ((AstKeyword *)argument)->arg == NULL;
        } else if (genexp && p->scratch.count == mark && argument->kind != AST_Starred &&
                   token_starts_comprehension(p)) {
            AstComprehensions generators = parse_for_if_clauses(p);
            expect(p, TOKEN_RPAR);
            AstExpr *only = NEW(p, expr, GeneratorExp, start, .elt = (AstExpr *)argument,
                                .generators = generators);
            *args = SEQ_ONE(expr, p, only);
            *keywords = (AstKeywords){NULL, 0};
            return;
        }
        seq_push(p, argument);
    } while (accept(p, TOKEN_COMMA) && !at(p, TOKEN_RPAR));
    expect(p, TOKEN_RPAR);
    finish_arguments(p, mark, keyword_count, args, keywords);
}
