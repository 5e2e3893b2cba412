/* parse_expr.c -- expressions: one function a rule, the rule above it.
 *
 * Binary operators, comparisons and boolean operators are parsed by
 * precedence climbing in parse_operators(); everything else is recursive
 * descent.  DIAGNOSE() does nothing in the first pass.
 */
#include "core/syntax/parser_impl.h"
#include "core/syntax/syntax_error.h"

static AstExpr *parse_operators(Parser *p, int least);

/* -- operators ------------------------------------------------------------ */

enum {
    PREC_NONE,
    PREC_OR,
    PREC_AND,
    PREC_NOT,
    PREC_COMPARE,
    PREC_BITOR,
    PREC_XOR,
    PREC_BITAND,
    PREC_SHIFT,
    PREC_SUM,
    PREC_TERM,
    PREC_UNARY
};

static const struct {
    uint8_t precedence;
    uint8_t op;
} infix[TOKEN_TYPE_COUNT] = {
    [TOKEN_OR] = {PREC_OR, AST_Or},
    [TOKEN_AND] = {PREC_AND, AST_And},
    [TOKEN_EQEQUAL] = {PREC_COMPARE, AST_Eq},
    [TOKEN_NOTEQUAL] = {PREC_COMPARE, AST_NotEq},
    [TOKEN_LESS] = {PREC_COMPARE, AST_Lt},
    [TOKEN_LESSEQUAL] = {PREC_COMPARE, AST_LtE},
    [TOKEN_GREATER] = {PREC_COMPARE, AST_Gt},
    [TOKEN_GREATEREQUAL] = {PREC_COMPARE, AST_GtE},
    [TOKEN_IN] = {PREC_COMPARE, AST_In},
    [TOKEN_NOT] = {PREC_COMPARE, AST_NotIn},
    [TOKEN_IS] = {PREC_COMPARE, AST_Is},
    [TOKEN_VBAR] = {PREC_BITOR, AST_BitOr},
    [TOKEN_CIRCUMFLEX] = {PREC_XOR, AST_BitXor},
    [TOKEN_AMPER] = {PREC_BITAND, AST_BitAnd},
    [TOKEN_LEFTSHIFT] = {PREC_SHIFT, AST_LShift},
    [TOKEN_RIGHTSHIFT] = {PREC_SHIFT, AST_RShift},
    [TOKEN_PLUS] = {PREC_SUM, AST_Add},
    [TOKEN_MINUS] = {PREC_SUM, AST_Sub},
    [TOKEN_STAR] = {PREC_TERM, AST_Mult},
    [TOKEN_SLASH] = {PREC_TERM, AST_Div},
    [TOKEN_DOUBLESLASH] = {PREC_TERM, AST_FloorDiv},
    [TOKEN_PERCENT] = {PREC_TERM, AST_Mod},
    [TOKEN_AT] = {PREC_TERM, AST_MatMult},
};

/* Whether a token can be the first one of an expression (not of `*a`). */
bool
token_starts_expression(TokenType type)
{
    switch (type) {
    case TOKEN_NAME:
    case TOKEN_NUMBER:
    case TOKEN_STRING:
    case TOKEN_LPAR:
    case TOKEN_LSQB:
    case TOKEN_LBRACE:
    case TOKEN_ELLIPSIS:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
    case TOKEN_TILDE:
    case TOKEN_NOT:
    case TOKEN_LAMBDA:
    case TOKEN_AWAIT:
    case TOKEN_NONE:
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        return true;
    default:
        return false;
    }
}

/* Whether another item of a list of expressions follows a comma. */
static inline bool
at_star_expression(const Parser *p)
{
    return at(p, TOKEN_STAR) || token_starts_expression(peek(p));
}

/* `<>` is `!=` under `from __future__ import barry_as_FLUFL` only, and then `!=`
 * is none. */
static void
check_not_equal(Parser *p)
{
    bool flufl = p->lexer->text[p->tok->start] == '<';
    if (flufl != ((p->options->flags & PARSE_BARRY_AS_BDFL) != 0)) {
        if (p->diagnosing && !flufl) {
            raise_at_token(p, p->tok, "with Barry as BDFL, use '<>' instead of '!='");
        }
        parser_fail(p);
    }
}

/* Takes a comparison's operator. */
static AstCmpop
take_comparison(Parser *p)
{
    const Token *token = p->tok;
    if (token->type == TOKEN_NOTEQUAL) {
        check_not_equal(p);
    }
    p->tok++;
    if (token->type == TOKEN_NOT) {
        expect(p, TOKEN_IN);
        return AST_NotIn;
    }
    if (token->type == TOKEN_IS && accept(p, TOKEN_NOT)) {
        return AST_IsNot;
    }
    return (AstCmpop)infix[token->type].op;
}

/* comparison: bitwise_or (operator bitwise_or)+ ; the first operand is parsed */
static AstExpr *
parse_comparison(Parser *p, AstExpr *left, Place start)
{
    size_t mark = seq_mark(p);
    do {
        seq_push(p, (void *)(uintptr_t)take_comparison(p));
        seq_push(p, parse_operators(p, PREC_BITOR));
    } while (infix[peek(p)].precedence == PREC_COMPARE &&
             (!at(p, TOKEN_NOT) || peek_at(p, 1) == TOKEN_IN));
    uint32_t count = (uint32_t)(p->scratch.count - mark) / 2;
    AstCmpops ops = {parser_alloc(p, count * sizeof(AstCmpop)), count};
    AstExprs operands = {parser_alloc(p, count * sizeof(AstExpr *)), count};
    for (uint32_t i = 0; i < count; i++) {
        ops.items[i] = (AstCmpop)(uintptr_t)p->scratch.items[mark + 2 * i];
        operands.items[i] = p->scratch.items[mark + 2 * i + 1];
    }
    p->scratch.count = mark;
    return NEW(p, expr, Compare, start, .left = left, .ops = ops, .comparators = operands);
}

/* disjunction: conjunction ('or' conjunction)+ ; the same for 'and' */
static AstExpr *
parse_boolean(Parser *p, AstExpr *left, Place start, TokenType type)
{
    size_t mark = seq_mark(p);
    seq_push(p, left);
    while (accept(p, type)) {
        seq_push(p, parse_operators(p, infix[type].precedence + 1));
    }
    AstExprs values = SEQ(expr, p, mark);
    return NEW(p, expr, BoolOp, start, .op = (AstBoolop)infix[type].op, .values = values);
}

/* What is read behind an expression to make a longer one. */
typedef struct Longer {
    AstExpr *left;
    Place start;
} Longer;

/* Reads on by `rule`, which begins at the next token.  It may fail when p->soft:
 * then the expression ends here, and NULL is returned. */
static inline AstExpr *
read_longer(Parser *p, AstExpr *left, Place start, void *(*rule)(Parser *p, void *longer))
{
    Longer longer = {left, start};
    if (UNLIKELY(p->soft)) {
        return parser_try_with(p, rule, &longer);
    }
    return rule(p, &longer);
}

/* '**' factor */
static void *
parse_exponent(Parser *p, void *longer)
{
    Longer *l = longer;
    take(p);
    AstExpr *exponent = parse_operators(p, PREC_UNARY);
    return NEW(p, expr, BinOp, l->start, .left = l->left, .op = AST_Pow,
               .right = exponent);
}

/* power: await_primary ['**' factor] */
static AstExpr *
parse_power(Parser *p)
{
    Place start = here(p);
    AstExpr *base;
    if (UNLIKELY(at(p, TOKEN_AWAIT))) {
        take(p);
        AstExpr *value = parse_primary(p);
        need_version(p, 5, "Await expressions are");
        base = NEW(p, expr, Await, start, .value = value);
    } else {
        base = parse_primary(p);
    }
    if (LIKELY(!at(p, TOKEN_DOUBLESTAR))) {
        return base;
    }
    AstExpr *power = read_longer(p, base, start, parse_exponent);
    return power == NULL ? base : power;
}

static AstExpr *
parse_prefix(Parser *p, AstUnaryop op, int least)
{
    Place start = here(p);
    take(p);
    AstExpr *operand = parse_operators(p, least);
    return NEW(p, expr, UnaryOp, start, .op = op, .operand = operand);
}

/* An operator of any precedence and what it takes on its right. */
ALWAYS_INLINE AstExpr *
parse_infix(Parser *p, AstExpr *left, Place start)
{
    TokenType type = peek(p);
    int precedence = infix[type].precedence;
    if (precedence >= PREC_BITOR) {
        take(p);
        AstExpr *right = parse_operators(p, precedence + 1);
        if (type == TOKEN_AT) {
            need_version(p, 5, "The '@' operator is");
        }
        return NEW(p, expr, BinOp, start, .left = left, .op = (AstOperator)infix[type].op,
                   .right = right);
    }
    if (precedence == PREC_COMPARE) {
        return parse_comparison(p, left, start);
    }
    return parse_boolean(p, left, start, type);
}

static void *
parse_infix_rule(Parser *p, void *longer)
{
    Longer *l = longer;
    return parse_infix(p, l->left, l->start);
}

/* Everything from 'or' to unary operators whose precedence is `least` or more. */
static AstExpr *
parse_operators(Parser *p, int least)
{
    enter(p);
    Place start = here(p);
    AstExpr *left;
    switch (peek(p)) {
    case TOKEN_NOT:
        if (least > PREC_NOT) {
            parser_fail(p);
        }
        left = parse_prefix(p, AST_Not, PREC_NOT);
        break;
    case TOKEN_MINUS:
        left = parse_prefix(p, AST_USub, PREC_UNARY);
        break;
    case TOKEN_PLUS:
        left = parse_prefix(p, AST_UAdd, PREC_UNARY);
        break;
    case TOKEN_TILDE:
        left = parse_prefix(p, AST_Invert, PREC_UNARY);
        break;
    default:
        left = parse_power(p);
        break;
    }
    for (;;) {
        TokenType type = peek(p);
        int precedence = infix[type].precedence;
        if (precedence < least || precedence == PREC_NONE) {
            break;
        }
        if (UNLIKELY(type == TOKEN_NOT) && peek_at(p, 1) != TOKEN_IN) {
            error_look(p, p->tok + 1);
            break;
        }
        if (UNLIKELY(p->soft)) {
            AstExpr *longer = read_longer(p, left, start, parse_infix_rule);
            if (longer == NULL) {
                break;
            }
            left = longer;
        } else {
            left = parse_infix(p, left, start);
        }
    }
    leave(p);
    return left;
}

AstExpr *
parse_bitwise_or(Parser *p)
{
    return parse_operators(p, PREC_BITOR);
}

AstExpr *
parse_disjunction(Parser *p)
{
    return parse_operators(p, PREC_OR);
}

/* -- whole expressions ---------------------------------------------------- */

/* lambdef: 'lambda' [lambda_params] ':' expression */
static AstExpr *
parse_lambda(Parser *p)
{
    Place start = here(p);
    take(p);
    AstArguments *args = parse_lambda_params(p);
    expect(p, TOKEN_COLON);
    AstExpr *body = parse_expression(p);
    return NEW(p, expr, Lambda, start, .args = args, .body = body);
}

/* 'if' disjunction 'else' expression */
static void *
parse_conditional(Parser *p, void *longer)
{
    Longer *l = longer;
    take(p);
    AstExpr *test = parse_operators(p, PREC_OR);
    expect(p, TOKEN_ELSE);
    AstExpr *orelse = parse_expression(p);
    return NEW(p, expr, IfExp, l->start, .test = test, .body = l->left, .orelse = orelse);
}

/* expression: disjunction ['if' disjunction 'else' expression] | lambdef */
AstExpr *
parse_expression(Parser *p)
{
    enter(p);
    DIAGNOSE(p, EXPRESSION);
    Place start = here(p);
    AstExpr *result;
    if (UNLIKELY(at(p, TOKEN_LAMBDA))) {
        result = parse_lambda(p);
    } else {
        result = parse_operators(p, PREC_OR);
        if (UNLIKELY(at(p, TOKEN_IF))) {
            AstExpr *whole = read_longer(p, result, start, parse_conditional);
            result = whole == NULL ? result : whole;
        }
    }
    leave(p);
    return result;
}

/* assignment_expression | expression: NAME ':=' expression | expression !':=' */
AstExpr *
parse_assignment_expression(Parser *p)
{
    Place start = here(p);
    if (UNLIKELY(at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_COLONEQUAL)) {
        AstExpr *target = parse_name(p, AST_Store);
        take(p);
        AstExpr *value = parse_expression(p);
        need_version(p, 8, "Assignment expressions are");
        return NEW(p, expr, NamedExpr, start, .target = target, .value = value);
    }
    return parse_expression(p);
}

/* named_expression: the same, and "=" for "==" is told apart */
AstExpr *
parse_named_expression(Parser *p)
{
    if (UNLIKELY(p->diagnosing) &&
        !(at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_COLONEQUAL)) {
        diagnose(p, DIAGNOSE_NAMED_EXPRESSION);
    }
    return parse_assignment_expression(p);
}

static AstExpr *
parse_starred(Parser *p, AstExpr *(*rule)(Parser *p))
{
    Place start = here(p);
    take(p);
    AstExpr *value = rule(p);
    return NEW(p, expr, Starred, start, .value = value, .ctx = AST_Load);
}

/* star_expression: '*' bitwise_or | expression */
AstExpr *
parse_star_expression(Parser *p)
{
    if (UNLIKELY(at(p, TOKEN_STAR))) {
        return parse_starred(p, parse_bitwise_or);
    }
    return parse_expression(p);
}

/* star_named_expression: '*' bitwise_or | named_expression */
AstExpr *
parse_star_named_expression(Parser *p)
{
    if (UNLIKELY(at(p, TOKEN_STAR))) {
        return parse_starred(p, parse_bitwise_or);
    }
    return parse_named_expression(p);
}

/* Runs the rule that `rule` points to. */
static void *
parse_item(Parser *p, void *rule)
{
    return (*(AstExpr *(**)(Parser *))rule)(p);
}

/* The rest of a tuple without brackets; its first item is parsed. */
static AstExpr *
parse_tuple_rest(Parser *p, AstExpr *first, Place start, AstExpr *(*rule)(Parser *p))
{
    size_t mark = seq_mark(p);
    seq_push(p, first);
    while (accept(p, TOKEN_COMMA) && at_star_expression(p)) {
        AstExpr *item = UNLIKELY(p->soft) ? parser_try_with(p, parse_item, &rule) : rule(p);
        if (UNLIKELY(item == NULL)) {
            break;
        }
        seq_push(p, item);
    }
    AstExprs elts = SEQ(expr, p, mark);
    return NEW(p, expr, Tuple, start, .elts = elts, .ctx = AST_Load);
}

/* star_expressions: star_expression (',' star_expression)* [','] */
AstExpr *
parse_star_expressions(Parser *p)
{
    Place start = here(p);
    AstExpr *first = parse_star_expression(p);
    if (LIKELY(!at(p, TOKEN_COMMA))) {
        return first;
    }
    return parse_tuple_rest(p, first, start, parse_star_expression);
}

/* yield_expr: 'yield' 'from' expression | 'yield' [star_expressions] */
AstExpr *
parse_yield(Parser *p)
{
    Place start = here(p);
    take(p);
    if (accept(p, TOKEN_FROM)) {
        AstExpr *value = parse_expression(p);
        return NEW(p, expr, YieldFrom, start, .value = value);
    }
    AstExpr *value = at_star_expression(p) ? parse_star_expressions(p) : NULL;
    return NEW(p, expr, Yield, start, .value = value);
}

/* -- targets -------------------------------------------------------------- */

static void
set_context(Parser *p, AstExpr *target, AstContext context)
{
    switch (target->kind) {
    case AST_Name:
        target->Name.ctx = context;
        return;
    case AST_Attribute:
        target->Attribute.ctx = context;
        return;
    case AST_Subscript:
        target->Subscript.ctx = context;
        return;
    case AST_Starred:
        if (context == AST_Store) {
            target->Starred.ctx = context;
            set_context(p, target->Starred.value, context);
            return;
        }
        break;
    case AST_Tuple:
        target->Tuple.ctx = context;
        for (uint32_t i = 0; i < target->Tuple.elts.count; i++) {
            set_context(p, target->Tuple.elts.items[i], context);
        }
        return;
    case AST_List:
        target->List.ctx = context;
        for (uint32_t i = 0; i < target->List.elts.count; i++) {
            set_context(p, target->List.elts.items[i], context);
        }
        return;
    }
    parser_fail(p);
}

void
expr_to_store(Parser *p, AstExpr *target)
{
    set_context(p, target, AST_Store);
}

void
expr_to_del(Parser *p, AstExpr *target)
{
    set_context(p, target, AST_Del);
}

/* star_target: '*' star_target | a name, attribute, item, or a list of targets */
static AstExpr *
parse_unchecked_target(Parser *p)
{
    if (at(p, TOKEN_STAR)) {
        return parse_starred(p, parse_primary);
    }
    return parse_primary(p);
}

AstExpr *
parse_star_target(Parser *p)
{
    AstExpr *target = parse_unchecked_target(p);
    expr_to_store(p, target);
    return target;
}

/* star_targets: star_target (',' star_target)* [','] */
AstExpr *
parse_star_targets(Parser *p)
{
    Place start = here(p);
    AstExpr *target = parse_unchecked_target(p);
    if (at(p, TOKEN_COMMA)) {
        target = parse_tuple_rest(p, target, start, parse_unchecked_target);
    }
    expr_to_store(p, target);
    return target;
}

/* -- comprehensions ------------------------------------------------------- */

static inline bool
at_comprehension(Parser *p)
{
    if (UNLIKELY(at(p, TOKEN_ASYNC))) {
        error_look(p, p->tok + 1);
        return peek_at(p, 1) == TOKEN_FOR;
    }
    return at(p, TOKEN_FOR);
}

bool
token_starts_comprehension(Parser *p)
{
    return at_comprehension(p);
}

/* for_if_clause: ['async'] 'for' star_targets 'in' disjunction ('if' disjunction)* */
static AstComprehension *
parse_for_if(Parser *p)
{
    Place start = here(p);
    bool is_async = accept(p, TOKEN_ASYNC);
    take(p);
    DIAGNOSE(p, FOR_TARGET);
    AstExpr *target = parse_star_targets(p);
    expect(p, TOKEN_IN);
    AstExpr *iter = parse_disjunction(p);
    size_t mark = seq_mark(p);
    while (accept(p, TOKEN_IF)) {
        seq_push(p, parse_disjunction(p));
    }
    AstExprs ifs = SEQ(expr, p, mark);
    if (is_async) {
        need_version(p, 6, "Async comprehensions are");
    }
    AstComprehension *result = NEW_PRODUCT(p, comprehension, start);
    result->target = target;
    result->iter = iter;
    result->ifs = ifs;
    result->is_async = is_async;
    return result;
}

/* for_if_clauses: for_if_clause+ */
AstComprehensions
parse_for_if_clauses(Parser *p)
{
    if (!at_comprehension(p)) {
        parser_fail(p);
    }
    size_t mark = seq_mark(p);
    do {
        seq_push(p, parse_for_if(p));
    } while (at_comprehension(p));
    return SEQ(comprehension, p, mark);
}

/* -- brackets ------------------------------------------------------------- */

/* Items up to a closing bracket, after the first one. */
static AstExprs
parse_items_rest(Parser *p, AstExpr *first, TokenType close)
{
    size_t mark = seq_mark(p);
    seq_push(p, first);
    while (accept(p, TOKEN_COMMA)) {
        if (!at_star_expression(p)) {
            break;
        }
        seq_push(p, parse_star_named_expression(p));
    }
    expect(p, close);
    return SEQ(expr, p, mark);
}

/* A comprehension whose element, not starred, is parsed. */
static AstComprehensions
parse_clauses_after(Parser *p, const AstExpr *element, TokenType close)
{
    if (element->kind == AST_Starred) {
        parser_fail(p);
    }
    AstComprehensions generators = parse_for_if_clauses(p);
    expect(p, close);
    return generators;
}

/* tuple:  '(' [star_named_expression ',' [star_named_expressions]] ')'
 * group:  '(' (yield_expr | named_expression) ')'
 * genexp: '(' named_expression for_if_clauses ')' */
static AstExpr *
parse_parentheses(Parser *p)
{
    Place start = here(p);
    DIAGNOSE(p, PARENTHESES);
    take(p);
    AstExpr *inner;
    if (accept(p, TOKEN_RPAR)) {
        return NEW(p, expr, Tuple, start, .ctx = AST_Load);
    }
    if (at(p, TOKEN_YIELD)) {
        inner = parse_yield(p);
    } else {
        inner = parse_star_named_expression(p);
        if (at(p, TOKEN_COMMA)) {
            AstExprs elts = parse_items_rest(p, inner, TOKEN_RPAR);
            return NEW(p, expr, Tuple, start, .elts = elts, .ctx = AST_Load);
        }
        if (at_comprehension(p)) {
            AstComprehensions generators = parse_clauses_after(p, inner, TOKEN_RPAR);
            return NEW(p, expr, GeneratorExp, start, .elt = inner,
                       .generators = generators);
        }
        if (inner->kind == AST_Starred) {
            parser_fail(p);
        }
    }
    expect(p, TOKEN_RPAR);
    inner->flags |= AST_PARENTHESIZED;
    return inner;
}

/* list: '[' [star_named_expressions] ']' ; listcomp: '[' named_expression clauses ']' */
static AstExpr *
parse_brackets(Parser *p)
{
    Place start = here(p);
    DIAGNOSE(p, BRACKETS);
    take(p);
    if (accept(p, TOKEN_RSQB)) {
        return NEW(p, expr, List, start, .ctx = AST_Load);
    }
    AstExpr *first = parse_star_named_expression(p);
    if (at_comprehension(p)) {
        AstComprehensions generators = parse_clauses_after(p, first, TOKEN_RSQB);
        return NEW(p, expr, ListComp, start, .elt = first, .generators = generators);
    }
    AstExprs elts = parse_items_rest(p, first, TOKEN_RSQB);
    return NEW(p, expr, List, start, .elts = elts, .ctx = AST_Load);
}

/* The rest of a dict: `**a` or the first key (whose ":" comes next) is parsed. */
static AstExpr *
parse_dict_rest(Parser *p, AstExpr *key, AstExpr *value, Place start)
{
    size_t mark = seq_mark(p);
    for (;;) {
        seq_push(p, key);
        seq_push(p, value);
        if (!accept(p, TOKEN_COMMA) || at(p, TOKEN_RBRACE)) {
            break;
        }
        if (accept(p, TOKEN_DOUBLESTAR)) {
            key = NULL;
            value = parse_bitwise_or(p);
        } else {
            key = parse_expression(p);
            expect(p, TOKEN_COLON);
            value = parse_expression(p);
        }
    }
    expect(p, TOKEN_RBRACE);
    uint32_t count = (uint32_t)(p->scratch.count - mark) / 2;
    AstExprs keys = {parser_alloc(p, count * sizeof(AstExpr *)), count};
    AstExprs values = {parser_alloc(p, count * sizeof(AstExpr *)), count};
    for (uint32_t i = 0; i < count; i++) {
        keys.items[i] = p->scratch.items[mark + 2 * i];
        values.items[i] = p->scratch.items[mark + 2 * i + 1];
    }
    p->scratch.count = mark;
    return NEW(p, expr, Dict, start, .keys = keys, .values = values);
}

/* dict:     '{' [(expression ':' expression | '**' bitwise_or), ...] '}'
 * dictcomp: '{' expression ':' expression for_if_clauses '}'
 * set:      '{' star_named_expressions '}'
 * setcomp:  '{' named_expression for_if_clauses '}' */
static AstExpr *
parse_braces(Parser *p)
{
    Place start = here(p);
    if (UNLIKELY(p->diagnosing || p->only_braces)) {
        diagnose(p, p->diagnosing ? DIAGNOSE_BRACES : DIAGNOSE_PAIRS);
    }
    take(p);
    if (accept(p, TOKEN_RBRACE)) {
        return NEW(p, expr, Dict, start, .keys = {NULL, 0});
    }
    if (accept(p, TOKEN_DOUBLESTAR)) {
        AstExpr *value = parse_bitwise_or(p);
        return parse_dict_rest(p, NULL, value, start);
    }
    AstExpr *first = parse_star_named_expression(p);
    bool bare = first->kind != AST_Starred &&
        (first->kind != AST_NamedExpr || (first->flags & AST_PARENTHESIZED) != 0);
    if (at(p, TOKEN_COLON) && bare) {
        take(p);
        AstExpr *value = parse_expression(p);
        if (at_comprehension(p)) {
            AstComprehensions generators = parse_clauses_after(p, first, TOKEN_RBRACE);
            return NEW(p, expr, DictComp, start, .key = first, .value = value,
                       .generators = generators);
        }
        return parse_dict_rest(p, first, value, start);
    }
    if (at_comprehension(p)) {
        AstComprehensions generators = parse_clauses_after(p, first, TOKEN_RBRACE);
        return NEW(p, expr, SetComp, start, .elt = first, .generators = generators);
    }
    AstExprs elts = parse_items_rest(p, first, TOKEN_RBRACE);
    return NEW(p, expr, Set, start, .elts = elts);
}

/* -- atoms ---------------------------------------------------------------- */

AstExpr *
parse_name(Parser *p, AstContext context)
{
    Value id = name_value(p, p->tok->name);
    Place start = here(p);
    take(p);
    return NEW(p, expr, Name, start, .id = id, .ctx = context);
}

static AstExpr *
parse_singleton(Parser *p, AstLiteral literal)
{
    const Token *token = take(p);
    return make_constant(p, token, literal, literal_singleton(p, literal));
}

static AstExpr *
parse_atom(Parser *p)
{
    switch (peek(p)) {
    case TOKEN_NAME:
        return parse_name(p, AST_Load);
    case TOKEN_NUMBER:
        return parse_number(p);
    case TOKEN_STRING:
        return parse_strings(p);
    case TOKEN_LPAR:
        return parse_parentheses(p);
    case TOKEN_LSQB:
        return parse_brackets(p);
    case TOKEN_LBRACE:
        return parse_braces(p);
    case TOKEN_NONE:
        return parse_singleton(p, AST_LITERAL_NONE);
    case TOKEN_TRUE:
        return parse_singleton(p, AST_LITERAL_TRUE);
    case TOKEN_FALSE:
        return parse_singleton(p, AST_LITERAL_FALSE);
    case TOKEN_ELLIPSIS:
        return parse_singleton(p, AST_LITERAL_ELLIPSIS);
    default:
        parser_fail(p);
    }
}

/* slice: [expression] ':' [expression] [':' [expression]] | named_expression
 * | '*' expression */
static AstExpr *
parse_slice(Parser *p)
{
    Place start = here(p);
    AstExpr *lower = NULL;
    AstExpr *upper = NULL;
    AstExpr *step = NULL;
    if (!at(p, TOKEN_COLON)) {
        if (at(p, TOKEN_STAR)) {
            return parse_starred(p, parse_expression);
        }
        lower = parse_named_expression(p);
        if (LIKELY(!at(p, TOKEN_COLON)) ||
            (lower->kind == AST_NamedExpr && (lower->flags & AST_PARENTHESIZED) == 0)) {
            return lower;
        }
    }
    take(p);
    if (token_starts_expression(peek(p))) {
        upper = parse_expression(p);
    }
    if (accept(p, TOKEN_COLON) && token_starts_expression(peek(p))) {
        step = parse_expression(p);
    }
    return NEW(p, expr, Slice, start, .lower = lower, .upper = upper, .step = step);
}

/* slices: slice !',' | (slice | starred_expression) (',' ...)* [','] */
static AstExpr *
parse_slices(Parser *p)
{
    Place start = here(p);
    AstExpr *first = parse_slice(p);
    if (LIKELY(!at(p, TOKEN_COMMA)) && first->kind != AST_Starred) {
        return first;
    }
    size_t mark = seq_mark(p);
    seq_push(p, first);
    while (accept(p, TOKEN_COMMA) && (at_star_expression(p) || at(p, TOKEN_COLON))) {
        seq_push(p, parse_slice(p));
    }
    AstExprs elts = SEQ(expr, p, mark);
    return NEW(p, expr, Tuple, start, .elts = elts, .ctx = AST_Load);
}

/* '.' NAME | '(' [arguments] ')' | '[' slices ']' */
ALWAYS_INLINE AstExpr *
parse_trailer(Parser *p, AstExpr *left, Place start)
{
    switch (peek(p)) {
    case TOKEN_DOT: {
        take(p);
        Value attr = take_name(p);
        return NEW(p, expr, Attribute, start, .value = left, .attr = attr,
                   .ctx = AST_Load);
    }
    case TOKEN_LPAR: {
        AstExprs args;
        AstKeywords keywords;
        parse_arguments(p, true, &args, &keywords);
        return NEW(p, expr, Call, start, .func = left, .args = args,
                   .keywords = keywords);
    }
    default: {
        take(p);
        AstExpr *slice = parse_slices(p);
        expect(p, TOKEN_RSQB);
        return NEW(p, expr, Subscript, start, .value = left, .slice = slice,
                   .ctx = AST_Load);
    }
    }
}

static void *
parse_trailer_rule(Parser *p, void *longer)
{
    Longer *l = longer;
    return parse_trailer(p, l->left, l->start);
}

/* primary: atom ('.' NAME | '(' [arguments] ')' | '[' slices ']')* */
AstExpr *
parse_primary(Parser *p)
{
    Place start = here(p);
    AstExpr *left = parse_atom(p);
    while (at(p, TOKEN_DOT) || at(p, TOKEN_LPAR) || at(p, TOKEN_LSQB)) {
        if (UNLIKELY(p->soft)) {
            AstExpr *longer = read_longer(p, left, start, parse_trailer_rule);
            if (longer == NULL) {
                break;
            }
            left = longer;
        } else {
            left = parse_trailer(p, left, start);
        }
    }
    return left;
}
