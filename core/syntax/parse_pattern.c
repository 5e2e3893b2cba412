/* parse_pattern.c -- the patterns of `case`. */
#include "core/syntax/parser_impl.h"
#include "core/syntax/syntax_error.h"

static inline bool
at_name(const Parser *p, NameIndex name)
{
    return at(p, TOKEN_NAME) && p->tok->name == (uint32_t)name;
}

/* -- values --------------------------------------------------------------- */

/* signed_number: ['-'] NUMBER */
static AstExpr *
parse_signed_number(Parser *p)
{
    Place start = here(p);
    if (!accept(p, TOKEN_MINUS)) {
        return parse_number(p);
    }
    if (!at(p, TOKEN_NUMBER)) {
        parser_fail(p);
    }
    AstExpr *operand = parse_number(p);
    return NEW(p, expr, UnaryOp, start, .op = AST_USub, .operand = operand);
}

static const AstExpr *
number_of(const AstExpr *number)
{
    return number->kind == AST_UnaryOp ? number->UnaryOp.operand : number;
}

/* complex_number: signed_real ('+' | '-') imaginary ; or a signed_number */
static AstExpr *
parse_number_value(Parser *p)
{
    Place start = here(p);
    AstExpr *real = parse_signed_number(p);
    if (!at(p, TOKEN_PLUS) && !at(p, TOKEN_MINUS)) {
        return real;
    }
    if (number_of(real)->literal == AST_LITERAL_COMPLEX) {
        if (p->diagnosing) {
            raise_at_node(p, real, "real number required in complex literal");
        }
        parser_fail(p);
    }
    AstOperator op = take(p)->type == TOKEN_PLUS ? AST_Add : AST_Sub;
    if (!at(p, TOKEN_NUMBER)) {
        parser_fail(p);
    }
    AstExpr *imag = parse_number(p);
    if (imag->literal != AST_LITERAL_COMPLEX) {
        if (p->diagnosing) {
            raise_at_node(p, imag, "imaginary number required in complex literal");
        }
        parser_fail(p);
    }
    return NEW(p, expr, BinOp, start, .left = real, .op = op, .right = imag);
}

/* name_or_attr: NAME ('.' NAME)* */
static AstExpr *
parse_name_or_attr(Parser *p)
{
    Place start = here(p);
    AstExpr *value = parse_name(p, AST_Load);
    while (accept(p, TOKEN_DOT)) {
        Value attr = take_name(p);
        value = NEW(p, expr, Attribute, start, .value = value, .attr = attr,
                    .ctx = AST_Load);
    }
    return value;
}

static AstPattern *
new_value_pattern(Parser *p, Place start, AstExpr *value)
{
    return NEW(p, pattern, MatchValue, start, .value = value);
}

static AstPattern *
parse_singleton_pattern(Parser *p, AstLiteral literal)
{
    Place start = here(p);
    take(p);
    Value value = literal_singleton(p, literal);
    AstPattern *pattern = NEW(p, pattern, MatchSingleton, start, .value = value);
    pattern->literal = (uint8_t)literal;
    return pattern;
}

/* -- sequences ------------------------------------------------------------ */

/* star_pattern: '*' (capture | '_') */
static AstPattern *
parse_star_pattern(Parser *p)
{
    Place start = here(p);
    take(p);
    Value name = NULL;
    if (at_name(p, NAME_UNDERSCORE)) {
        take(p);
    } else {
        name = take_name(p);
        if (at(p, TOKEN_DOT) || at(p, TOKEN_LPAR) || at(p, TOKEN_EQUAL)) {
            parser_fail(p);
        }
    }
    return NEW(p, pattern, MatchStar, start, .name = name);
}

static AstPattern *
parse_maybe_star_pattern(Parser *p)
{
    return at(p, TOKEN_STAR) ? parse_star_pattern(p) : parse_pattern(p);
}

/* Items up to `close`, which is not taken; the first one is parsed. */
static AstPatterns
parse_sequence_rest(Parser *p, AstPattern *first, TokenType close)
{
    size_t mark = seq_mark(p);
    seq_push(p, first);
    while (accept(p, TOKEN_COMMA)) {
        if (at(p, close) || (close == TOKEN_COLON && at(p, TOKEN_IF))) {
            break;
        }
        seq_push(p, parse_maybe_star_pattern(p));
    }
    return SEQ(pattern, p, mark);
}

/* group: '(' pattern ')' ; sequence: '(' ... ')' | '[' ... ']' */
static AstPattern *
parse_bracketed(Parser *p, TokenType close)
{
    Place start = here(p);
    take(p);
    if (accept(p, close)) {
        return NEW(p, pattern, MatchSequence, start, .patterns = {NULL, 0});
    }
    AstPattern *first = parse_maybe_star_pattern(p);
    if (close == TOKEN_RPAR && first->kind != AST_MatchStar && accept(p, close)) {
        return first;
    }
    if (close == TOKEN_RPAR && !at(p, TOKEN_COMMA)) {
        parser_fail(p);
    }
    AstPatterns patterns = parse_sequence_rest(p, first, close);
    expect(p, close);
    return NEW(p, pattern, MatchSequence, start, .patterns = patterns);
}

/* -- mappings ------------------------------------------------------------- */

/* key: a literal or a dotted name */
static AstExpr *
parse_mapping_key(Parser *p)
{
    switch (peek(p)) {
    case TOKEN_NUMBER:
    case TOKEN_MINUS:
        return parse_number_value(p);
    case TOKEN_STRING:
        return parse_strings(p);
    case TOKEN_NONE:
    case TOKEN_TRUE:
    case TOKEN_FALSE: {
        const Token *token = take(p);
        AstLiteral literal = token->type == TOKEN_NONE ? AST_LITERAL_NONE
                           : token->type == TOKEN_TRUE ? AST_LITERAL_TRUE
                                                       : AST_LITERAL_FALSE;
        return make_constant(p, token, literal, literal_singleton(p, literal));
    }
    case TOKEN_NAME: {
        AstExpr *key = parse_name_or_attr(p);
        if (key->kind != AST_Attribute) {
            parser_fail(p);
        }
        return key;
    }
    default:
        parser_fail(p);
    }
}

/* mapping: '{' [key ':' pattern, ...] ['**' NAME] '}' */
static AstPattern *
parse_mapping(Parser *p)
{
    Place start = here(p);
    take(p);
    size_t mark = seq_mark(p);
    Value rest = NULL;
    while (!at(p, TOKEN_RBRACE)) {
        if (accept(p, TOKEN_DOUBLESTAR)) {
            if (at_name(p, NAME_UNDERSCORE)) {
                parser_fail(p);
            }
            rest = take_name(p);
            accept(p, TOKEN_COMMA);
            break;
        }
        seq_push(p, parse_mapping_key(p));
        expect(p, TOKEN_COLON);
        seq_push(p, parse_pattern(p));
        if (!accept(p, TOKEN_COMMA)) {
            break;
        }
    }
    expect(p, TOKEN_RBRACE);
    uint32_t count = (uint32_t)(p->scratch.count - mark) / 2;
    AstExprs keys = {parser_alloc(p, count * sizeof(void *)), count};
    AstPatterns patterns = {parser_alloc(p, count * sizeof(void *)), count};
    for (uint32_t i = 0; i < count; i++) {
        keys.items[i] = p->scratch.items[mark + 2 * i];
        patterns.items[i] = p->scratch.items[mark + 2 * i + 1];
    }
    p->scratch.count = mark;
    return NEW(p, pattern, MatchMapping, start, .keys = keys, .patterns = patterns,
               .rest = rest);
}

/* -- classes -------------------------------------------------------------- */

/* class: name_or_attr '(' [pattern, ...] [NAME '=' pattern, ...] ')' */
static AstPattern *
parse_class(Parser *p, AstExpr *cls, Place start)
{
    DIAGNOSE(p, CLASS_PATTERN);
    take(p);
    size_t mark = seq_mark(p);
    uint32_t positional = 0;
    uint32_t count = 0;
    while (!at(p, TOKEN_RPAR)) {
        if (at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_EQUAL) {
            seq_push(p, take_name(p));
            take(p);
        } else {
            if (count > positional) {
                parser_fail(p);
            }
            positional++;
            seq_push(p, NULL);
        }
        seq_push(p, parse_pattern(p));
        count++;
        if (!accept(p, TOKEN_COMMA)) {
            break;
        }
    }
    expect(p, TOKEN_RPAR);
    void **items = p->scratch.items + mark;
    uint32_t named = count - positional;
    AstPatterns patterns = {parser_alloc(p, positional * sizeof(void *)), positional};
    AstIdentifiers names = {parser_alloc(p, named * sizeof(Value)), named};
    AstPatterns named_patterns = {parser_alloc(p, named * sizeof(void *)), named};
    for (uint32_t i = 0; i < positional; i++) {
        patterns.items[i] = items[2 * i + 1];
    }
    for (uint32_t i = 0; i < named; i++) {
        names.items[i] = items[2 * (positional + i)];
        named_patterns.items[i] = items[2 * (positional + i) + 1];
    }
    p->scratch.count = mark;
    return NEW(p, pattern, MatchClass, start, .cls = cls, .patterns = patterns,
               .kwd_attrs = names, .kwd_patterns = named_patterns);
}

/* capture: NAME | '_' ; value: NAME ('.' NAME)+ ; class */
static AstPattern *
parse_name_pattern(Parser *p)
{
    Place start = here(p);
    TokenType after = peek_at(p, 1);
    if (after != TOKEN_DOT && after != TOKEN_LPAR) {
        if (after == TOKEN_EQUAL) {
            take(p);
            parser_fail(p);
        }
        Value name = NULL;
        if (at_name(p, NAME_UNDERSCORE)) {
            take(p);
        } else {
            name = take_name(p);
        }
        return NEW(p, pattern, MatchAs, start, .name = name);
    }
    AstExpr *value = parse_name_or_attr(p);
    if (at(p, TOKEN_LPAR)) {
        return parse_class(p, value, start);
    }
    if (at(p, TOKEN_EQUAL)) {
        parser_fail(p);
    }
    return new_value_pattern(p, start, value);
}

/* -- patterns ------------------------------------------------------------- */

static AstPattern *
parse_closed_pattern(Parser *p)
{
    Place start = here(p);
    switch (peek(p)) {
    case TOKEN_NAME:
        return parse_name_pattern(p);
    case TOKEN_NUMBER:
    case TOKEN_MINUS:
        return new_value_pattern(p, start, parse_number_value(p));
    case TOKEN_STRING:
        return new_value_pattern(p, start, parse_strings(p));
    case TOKEN_NONE:
        return parse_singleton_pattern(p, AST_LITERAL_NONE);
    case TOKEN_TRUE:
        return parse_singleton_pattern(p, AST_LITERAL_TRUE);
    case TOKEN_FALSE:
        return parse_singleton_pattern(p, AST_LITERAL_FALSE);
    case TOKEN_LPAR:
        return parse_bracketed(p, TOKEN_RPAR);
    case TOKEN_LSQB:
        return parse_bracketed(p, TOKEN_RSQB);
    case TOKEN_LBRACE:
        return parse_mapping(p);
    default:
        parser_fail(p);
    }
}

/* or_pattern: closed_pattern ('|' closed_pattern)* */
static AstPattern *
parse_or_pattern(Parser *p)
{
    Place start = here(p);
    AstPattern *first = parse_closed_pattern(p);
    if (!at(p, TOKEN_VBAR)) {
        return first;
    }
    size_t mark = seq_mark(p);
    seq_push(p, first);
    while (accept(p, TOKEN_VBAR)) {
        seq_push(p, parse_closed_pattern(p));
    }
    AstPatterns patterns = SEQ(pattern, p, mark);
    return NEW(p, pattern, MatchOr, start, .patterns = patterns);
}

/* pattern: or_pattern ['as' capture] */
AstPattern *
parse_pattern(Parser *p)
{
    enter(p);
    Place start = here(p);
    AstPattern *pattern = parse_or_pattern(p);
    if (at(p, TOKEN_AS)) {
        DIAGNOSE(p, AS_PATTERN);
        take(p);
        if (at_name(p, NAME_UNDERSCORE)) {
            parser_fail(p);
        }
        Value name = take_name(p);
        if (at(p, TOKEN_DOT) || at(p, TOKEN_LPAR) || at(p, TOKEN_EQUAL)) {
            parser_fail(p);
        }
        pattern = NEW(p, pattern, MatchAs, start, .pattern = pattern, .name = name);
    }
    leave(p);
    return pattern;
}

/* patterns: maybe_star_pattern ',' [maybe_star_pattern, ...] | pattern */
AstPattern *
parse_patterns(Parser *p)
{
    Place start = here(p);
    AstPattern *first = parse_maybe_star_pattern(p);
    if (!at(p, TOKEN_COMMA)) {
        if (first->kind == AST_MatchStar) {
            parser_fail(p);
        }
        return first;
    }
    AstPatterns patterns = parse_sequence_rest(p, first, TOKEN_COLON);
    return NEW(p, pattern, MatchSequence, start, .patterns = patterns);
}
