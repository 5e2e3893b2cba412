/* diagnose.c -- the second pass's rules for wrong expressions and statements.
 *
 * Each rule stands at the token where the right thing would begin, tries the
 * likely mistakes, and either leaves with an error or puts p->tok back.
 * Whatever is tried in between is diagnosed itself, inner mistakes first,
 * unless it is tried quietly.
 */
#include "core/syntax/syntax_error.h"

/* -- rules to try --------------------------------------------------------- */

static void *rule_expression(Parser *p) { return parse_expression(p); }
static void *rule_disjunction(Parser *p) { return parse_disjunction(p); }
static void *rule_bitwise_or(Parser *p) { return parse_bitwise_or(p); }
static void *rule_star_expressions(Parser *p) { return parse_star_expressions(p); }
static void *rule_star_named(Parser *p) { return parse_star_named_expression(p); }
static void *rule_yield(Parser *p) { return parse_yield(p); }

/* An AstComprehensions, as a rule: the last one of it. */
static void *
rule_clauses(Parser *p)
{
    AstComprehensions clauses = parse_for_if_clauses(p);
    return clauses.items[clauses.count - 1];
}

static inline AstExpr *
try_expr(Parser *p, void *(*rule)(Parser *))
{
    return parser_try(p, rule);
}

/* -- names of things ------------------------------------------------------ */

static const char *
expr_name(const AstExpr *e)
{
    switch (e->kind) {
    case AST_Attribute: return "attribute";
    case AST_Subscript: return "subscript";
    case AST_Starred: return "starred";
    case AST_Name: return "name";
    case AST_List: return "list";
    case AST_Tuple: return "tuple";
    case AST_Lambda: return "lambda";
    case AST_Call: return "function call";
    case AST_BoolOp:
    case AST_BinOp:
    case AST_UnaryOp: return "expression";
    case AST_GeneratorExp: return "generator expression";
    case AST_Yield:
    case AST_YieldFrom: return "yield expression";
    case AST_Await: return "await expression";
    case AST_ListComp: return "list comprehension";
    case AST_SetComp: return "set comprehension";
    case AST_DictComp: return "dict comprehension";
    case AST_Dict: return "dict literal";
    case AST_Set: return "set display";
    case AST_JoinedStr:
    case AST_FormattedValue: return "f-string expression";
    case AST_Compare: return "comparison";
    case AST_IfExp: return "conditional expression";
    case AST_NamedExpr: return "named expression";
    case AST_Constant:
        switch ((AstLiteral)e->literal) {
        case AST_LITERAL_NONE: return "None";
        case AST_LITERAL_TRUE: return "True";
        case AST_LITERAL_FALSE: return "False";
        case AST_LITERAL_ELLIPSIS: return "ellipsis";
        default: return "literal";
        }
    default: return "expression";
    }
}

typedef enum TargetKind { STAR_TARGET, DEL_TARGET, FOR_TARGET } TargetKind;

static const AstExpr *invalid_target(const AstExpr *e, TargetKind kind);

static const AstExpr *
invalid_item(const AstExprs *items, TargetKind kind)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const AstExpr *bad = invalid_target(items->items[i], kind);
        if (bad != NULL) {
            return bad;
        }
    }
    return NULL;
}

/* The part of an expression that cannot be a target, or NULL. */
static const AstExpr *
invalid_target(const AstExpr *e, TargetKind kind)
{
    switch (e->kind) {
    case AST_Name:
    case AST_Attribute:
    case AST_Subscript:
        return NULL;
    case AST_List:
        return invalid_item(&e->List.elts, kind);
    case AST_Tuple:
        return invalid_item(&e->Tuple.elts, kind);
    case AST_Starred:
        return kind == DEL_TARGET ? e : invalid_target(e->Starred.value, kind);
    case AST_Compare:
        /* `for a in b` was read as a comparison */
        if (kind == FOR_TARGET) {
            return e->Compare.ops.items[0] == AST_In ? invalid_target(e->Compare.left, kind)
                                                     : NULL;
        }
        return e;
    default:
        return e;
    }
}

static void
check_target(Parser *p, const AstExpr *target, TargetKind kind)
{
    const AstExpr *bad = invalid_target(target, kind);
    if (bad != NULL) {
        raise_at_node(p, bad, kind == DEL_TARGET ? "cannot delete %s" : "cannot assign to %s",
                      expr_name(bad));
    }
}

/* Whether an expression is the name of a statement of Python 2. */
static bool
is_legacy(Parser *p, const AstExpr *e)
{
    return e->kind == AST_Name && (e->Name.id == name_value(p, NAME_PRINT) ||
                                   e->Name.id == name_value(p, NAME_EXEC));
}

/* -- expressions ---------------------------------------------------------- */

/* Whether the next token is match, case or _; CPython takes `m` or `cas` for one, too. */
static bool
at_soft_keyword(const Parser *p)
{
    static const uint8_t soft[] = {NAME_MATCH, NAME_CASE, NAME_UNDERSCORE};
    if (!at(p, TOKEN_NAME)) {
        return false;
    }
    const NameEntry *name = &p->names.items[p->tok->name];
    for (size_t i = 0; i < ARRAY_LEN(soft); i++) {
        const NameEntry *word = &p->names.items[soft[i]];
        if (name->length <= word->length && memcmp(name->text, word->text, name->length) == 0) {
            return true;
        }
    }
    return false;
}

static void
diagnose_expression(Parser *p)
{
    Token *start = p->tok;
    bool comma = !at_soft_keyword(p) &&
                 !(at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_STRING);
    AstExpr *a = try_expr(p, rule_disjunction);
    if (a != NULL) {
        Token *after = p->tok;
        AstExpr *b = comma ? parser_try_quietly(p, rule_expression) : NULL;
        if (b != NULL && p->tok[-1].level != 0 && !is_legacy(p, a)) {
            raise_range(p, place_of(a), b->end_lineno, b->end_col_offset,
                        "invalid syntax. Perhaps you forgot a comma?");
        }
        p->tok = after;
        if (accept(p, TOKEN_IF)) {
            b = try_expr(p, rule_disjunction);
            if (b != NULL && !at(p, TOKEN_ELSE) && !at(p, TOKEN_COLON)) {
                raise_range(p, place_of(a), b->end_lineno, b->end_col_offset,
                            "expected 'else' after 'if' expression");
            }
        }
    }
    p->tok = start;
    if (at(p, TOKEN_NAME) && peek_at(p, 1) != TOKEN_LPAR) {
        take(p);
        AstExpr *b = try_expr(p, rule_star_expressions);
        if (b != NULL && (start->name == NAME_PRINT || start->name == NAME_EXEC)) {
            const char *name = start->name == NAME_PRINT ? "print" : "exec";
            raise_range(p, (Place){start->lineno, start->col}, b->end_lineno,
                        b->end_col_offset,
                        "Missing parentheses in call to '%s'. Did you mean %s(...)?", name,
                        name);
        }
    }
    p->tok = start;
}

static inline bool
at_assignment(const Parser *p)
{
    return at(p, TOKEN_EQUAL) || at(p, TOKEN_COLONEQUAL);
}

static void
diagnose_named_expression(Parser *p)
{
    Token *start = p->tok;
    AstExpr *a = try_expr(p, rule_expression);
    if (a != NULL && accept(p, TOKEN_COLONEQUAL) && try_expr(p, rule_expression) != NULL) {
        raise_at_node(p, a, "cannot use assignment expressions with %s", expr_name(a));
    }
    p->tok = start;
    if (at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_EQUAL) {
        p->tok += 2;
        AstExpr *b = try_expr(p, rule_bitwise_or);
        if (b != NULL && !at_assignment(p)) {
            raise_range(p, (Place){start->lineno, start->col}, b->end_lineno,
                        b->end_col_offset,
                        "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
        }
        p->tok = start;
    }
    if (at(p, TOKEN_TRUE) || at(p, TOKEN_FALSE) || at(p, TOKEN_NONE)) {
        return;
    }
    a = try_expr(p, rule_bitwise_or);
    bool display = a != NULL && start->type != TOKEN_NAME &&
        (a->kind == AST_List || a->kind == AST_Tuple || a->kind == AST_GeneratorExp) &&
        (a->flags & AST_PARENTHESIZED) == 0;
    if (a != NULL && !display && accept(p, TOKEN_EQUAL) &&
        try_expr(p, rule_bitwise_or) != NULL && !at_assignment(p)) {
        raise_at_node(p, a, "cannot assign to %s here. Maybe you meant '==' instead of '='?",
                      expr_name(a));
    }
    p->tok = start;
}

/* -- brackets ------------------------------------------------------------- */

/* '*' expression */
static void *
rule_starred(Parser *p)
{
    Place start = here(p);
    take(p);
    AstExpr *value = parse_expression(p);
    return NEW(p, expr, Starred, start, .value = value, .ctx = AST_Load);
}

/* `*a for ...` and `a, b for ...` behind a bracket. */
static void
diagnose_comprehension(Parser *p, bool round)
{
    Token *start = p->tok;
    take(p);
    AstExpr *a = try_expr(p, at(p, TOKEN_STAR) ? rule_starred : rule_star_named);
    if (a == NULL) {
        p->tok = start;
        return;
    }
    if (a->kind == AST_Starred && token_starts_comprehension(p) &&
        parser_try(p, rule_clauses) != NULL) {
        raise_at_node(p, a, "iterable unpacking cannot be used in comprehension");
    }
    if (!round && at(p, TOKEN_COMMA)) {
        static const char message[] =
            "did you forget parentheses around the comprehension target?";
        const Token *comma = take(p);
        int end_lineno = comma->end_lineno;
        int end_col = comma->end_col;
        for (;;) {
            AstExpr *next = try_expr(p, rule_star_named);
            if (next == NULL) {
                break;
            }
            end_lineno = next->end_lineno;
            end_col = next->end_col_offset;
            if (!accept(p, TOKEN_COMMA)) {
                break;
            }
        }
        if (token_starts_comprehension(p) && parser_try(p, rule_clauses) != NULL) {
            raise_range(p, place_of(a), end_lineno, end_col, message);
        }
    }
    p->tok = start;
}

static void
diagnose_parentheses(Parser *p)
{
    Token *start = p->tok;
    take(p);
    if (accept(p, TOKEN_DOUBLESTAR)) {
        AstExpr *a = try_expr(p, rule_expression);
        if (a != NULL && at(p, TOKEN_RPAR)) {
            raise_at_token(p, start + 1, "cannot use double starred expression here");
        }
    } else {
        AstExpr *a = try_expr(p, rule_star_named);
        if (a != NULL && a->kind == AST_Starred && at(p, TOKEN_RPAR)) {
            raise_at_node(p, a, "cannot use starred expression here");
        }
    }
    p->tok = start;
    diagnose_comprehension(p, true);
}

/* expression ':' expression | '**' bitwise_or */
static void *
rule_pair(Parser *p)
{
    if (accept(p, TOKEN_DOUBLESTAR)) {
        return parse_bitwise_or(p);
    }
    AstExpr *key = parse_expression(p);
    expect(p, TOKEN_COLON);
    parse_expression(p);
    return key;
}

/* A key whose ":" or value is missing or wrong. */
static void
diagnose_pair(Parser *p, bool first)
{
    Token *start = p->tok;
    AstExpr *key = try_expr(p, rule_expression);
    if (key != NULL) {
        if (!at(p, TOKEN_COLON)) {
            if (!first) {
                raise_at(p, PARSE_ERROR_SYNTAX, key->lineno, key->end_col_offset - 1,
                         key->end_lineno, -1, "':' expected after dictionary key");
            }
        } else {
            const Token *colon = take(p);
            if (at(p, TOKEN_STAR)) {
                Place place = here(p);
                take(p);
                if (try_expr(p, rule_bitwise_or) != NULL) {
                    raise_starting_from(p, place, "cannot use a starred expression in a "
                                                  "dictionary value");
                }
            } else if (at(p, TOKEN_RBRACE) || at(p, TOKEN_COMMA)) {
                raise_at_token(p, colon, "expression expected after dictionary key and ':'");
            }
        }
    }
    p->tok = start;
}

static void
diagnose_braces(Parser *p)
{
    Token *start = p->tok;
    take(p);
    Token *inside = p->tok;
    int pairs = 0;
    while (parser_try(p, rule_pair) != NULL) {
        pairs++;
        if (!at(p, TOKEN_COMMA) || peek_at(p, 1) == TOKEN_RBRACE) {
            break;
        }
        take(p);
    }
    if (!at(p, TOKEN_RBRACE) && !(pairs > 0 && at(p, TOKEN_COMMA))) {
        if (pairs > 0 && p->tok[-1].type == TOKEN_COMMA) {
            diagnose_pair(p, false);
        }
        p->tok = inside;
        diagnose_pair(p, true);
        if (p->diagnosing && accept(p, TOKEN_DOUBLESTAR)) {
            if (try_expr(p, rule_bitwise_or) != NULL && token_starts_comprehension(p) &&
                parser_try(p, rule_clauses) != NULL && at(p, TOKEN_RBRACE)) {
                raise_at_token(p, inside, "dict unpacking cannot be used in dict "
                                          "comprehension");
            }
        }
        p->tok = start;
        if (p->diagnosing) {
            diagnose_comprehension(p, false);
        }
    }
    p->tok = start;
}

/* -- targets -------------------------------------------------------------- */

static void *
rule_for_in(Parser *p)
{
    AstExpr *target = parse_star_targets(p);
    expect(p, TOKEN_IN);
    return target;
}

static void
diagnose_for_target(Parser *p)
{
    Token *start = p->tok;
    if (parser_try(p, rule_for_in) == NULL) {
        AstExpr *a = try_expr(p, rule_star_expressions);
        if (a != NULL) {
            check_target(p, a, FOR_TARGET);
        }
    }
    p->tok = start;
}

static void
diagnose_with_item(Parser *p)
{
    Token *start = p->tok;
    if (try_expr(p, rule_expression) != NULL && accept(p, TOKEN_AS)) {
        AstExpr *target = try_expr(p, rule_expression);
        if (target != NULL &&
            (at(p, TOKEN_COMMA) || at(p, TOKEN_RPAR) || at(p, TOKEN_COLON))) {
            check_target(p, target, STAR_TARGET);
        }
    }
    p->tok = start;
}

static void
diagnose_del(Parser *p)
{
    Token *start = p->tok;
    take(p);
    AstExpr *targets = try_expr(p, rule_star_expressions);
    if (targets != NULL) {
        check_target(p, targets, DEL_TARGET);
    }
    p->tok = start;
}

/* -- assignments ---------------------------------------------------------- */

static bool
at_augmented(const Parser *p)
{
    return p->tok->type >= TOKEN_PLUSEQUAL && p->tok->type <= TOKEN_CIRCUMFLEXEQUAL;
}

/* A whole assignment of any kind. */
static void *
rule_assignment(Parser *p)
{
    AstStmt *statement = parse_assignment_or_expression(p);
    if (statement->kind == AST_Expr) {
        parser_fail(p);
    }
    return statement;
}

static bool
try_annotation(Parser *p)
{
    return accept(p, TOKEN_COLON) && try_expr(p, rule_expression) != NULL;
}

static void
diagnose_annotation(Parser *p)
{
    Token *start = p->tok;
    AstExpr *a = try_expr(p, rule_star_named);
    if (a == NULL) {
        return;
    }
    Token *after = p->tok;
    if ((a->kind == AST_Tuple || a->kind == AST_List) && try_annotation(p)) {
        raise_at_node(p, a, "only single target (not %s) can be annotated", expr_name(a));
    }
    p->tok = after;
    if (at(p, TOKEN_COMMA)) {
        take(p);
        while (try_expr(p, rule_star_named) != NULL) {
            accept(p, TOKEN_COMMA);
        }
        if (try_annotation(p)) {
            raise_at_node(p, a, "only single target (not tuple) can be annotated");
        }
    }
    p->tok = after;
    if (a->kind != AST_Starred && try_annotation(p)) {
        raise_at_node(p, a, "illegal target for annotation");
    }
    p->tok = start;
}

static void *
rule_targets_equal(Parser *p)
{
    AstExpr *targets = parse_star_targets(p);
    expect(p, TOKEN_EQUAL);
    return targets;
}

static void
diagnose_assignment(Parser *p)
{
    Token *start = p->tok;
    if (parser_try(p, rule_assignment) != NULL) {
        p->tok = start;
        return;
    }
    diagnose_annotation(p);
    while (parser_try(p, rule_targets_equal) != NULL) {
    }
    Token *after = p->tok;
    AstExpr *a = at(p, TOKEN_YIELD) ? NULL : try_expr(p, rule_star_expressions);
    if (a != NULL && at(p, TOKEN_EQUAL)) {
        check_target(p, a, STAR_TARGET);
    }
    p->tok = after;
    if (at(p, TOKEN_YIELD)) {
        a = try_expr(p, rule_yield);
        if (a != NULL && at(p, TOKEN_EQUAL)) {
            raise_at_node(p, a, "assignment to yield expression not possible");
        }
    }
    p->tok = start;
    a = at(p, TOKEN_YIELD) ? NULL : try_expr(p, rule_star_expressions);
    if (a != NULL && at_augmented(p)) {
        take(p);
        if (try_expr(p, at(p, TOKEN_YIELD) ? rule_yield : rule_star_expressions) != NULL) {
            raise_at_node(p, a, "'%s' is an illegal expression for augmented assignment",
                          expr_name(a));
        }
    }
    p->tok = start;
}

/* -- except and case ------------------------------------------------------ */

static void
diagnose_except(Parser *p)
{
    Token *start = p->tok;
    take(p);
    bool star = accept(p, TOKEN_STAR);
    AstExpr *a = try_expr(p, rule_expression);
    if (a != NULL) {
        Token *after = p->tok;
        if (accept(p, TOKEN_COMMA) && try_expr(p, rule_star_expressions) != NULL) {
            if (accept(p, TOKEN_AS)) {
                accept(p, TOKEN_NAME);
            }
            if (at(p, TOKEN_COLON)) {
                take(p);
                raise_starting_from_to(p, place_of(a), p->tok - 1,
                                       "multiple exception types must be parenthesized");
            }
        }
        p->tok = after;
        if (accept(p, TOKEN_AS)) {
            accept(p, TOKEN_NAME);
        }
        if (at(p, TOKEN_NEWLINE)) {
            raise_here(p, PARSE_ERROR_SYNTAX, "expected ':'");
        }
    } else if (at(p, TOKEN_NEWLINE) && !star) {
        raise_here(p, PARSE_ERROR_SYNTAX, "expected ':'");
    } else if (star && (at(p, TOKEN_NEWLINE) || at(p, TOKEN_COLON))) {
        raise_here(p, PARSE_ERROR_SYNTAX, "expected one or more exception types");
    }
    p->tok = start;
}

/* At the `as` of a pattern. */
static void
diagnose_as_pattern(Parser *p)
{
    Token *start = p->tok;
    take(p);
    if (at(p, TOKEN_NAME)) {
        if (p->tok->name == NAME_UNDERSCORE) {
            raise_at_token(p, p->tok, "cannot use '_' as a target");
        }
    } else {
        AstExpr *a = try_expr(p, rule_expression);
        if (a != NULL) {
            raise_at_node(p, a, "invalid pattern target");
        }
    }
    p->tok = start;
}

static void *rule_pattern(Parser *p) { return parse_pattern(p); }

/* At the "(" of a class pattern: positional patterns behind keywords. */
static void
diagnose_class_pattern(Parser *p)
{
    Token *start = p->tok;
    const AstPattern *first = NULL;
    const AstPattern *last = NULL;
    bool keyword = false;
    do {
        take(p);
        if (at(p, TOKEN_NAME) && peek_at(p, 1) == TOKEN_EQUAL) {
            if (first != NULL) {
                break;
            }
            keyword = true;
            p->tok += 2;
            if (parser_try(p, rule_pattern) == NULL) {
                break;
            }
        } else {
            const AstPattern *pattern = parser_try(p, rule_pattern);
            if (pattern == NULL) {
                break;
            }
            if (keyword) {
                first = first == NULL ? pattern : first;
                last = pattern;
            }
        }
    } while (at(p, TOKEN_COMMA));
    if (first != NULL) {
        raise_range(p, place_of(first), last->end_lineno, last->end_col_offset,
                    "positional patterns follow keyword patterns");
    }
    p->tok = start;
}

/* -- dispatch ------------------------------------------------------------- */

void
diagnose(Parser *p, Diagnosis rule)
{
    Lexer *lexer = p->lexer;
    uint32_t *done = &lexer->diagnosed[p->tok - lexer->tokens.items];
    uint32_t bit = (uint32_t)1 << rule;
    if (*done & bit) {
        return;
    }
    *done |= bit;
    switch (rule) {
    case DIAGNOSE_EXPRESSION:
        diagnose_expression(p);
        break;
    case DIAGNOSE_NAMED_EXPRESSION:
        diagnose_named_expression(p);
        break;
    case DIAGNOSE_FOR_TARGET:
        diagnose_for_target(p);
        break;
    case DIAGNOSE_PARENTHESES:
        diagnose_parentheses(p);
        break;
    case DIAGNOSE_BRACKETS:
        diagnose_comprehension(p, false);
        break;
    case DIAGNOSE_BRACES:
    case DIAGNOSE_PAIRS:
        diagnose_braces(p);
        break;
    case DIAGNOSE_ARGUMENTS:
        diagnose_arguments(p);
        break;
    case DIAGNOSE_PARAMS:
        diagnose_params(p, false);
        break;
    case DIAGNOSE_LAMBDA_PARAMS:
        diagnose_params(p, true);
        break;
    case DIAGNOSE_ASSIGNMENT:
        diagnose_assignment(p);
        break;
    case DIAGNOSE_DEL:
        diagnose_del(p);
        break;
    case DIAGNOSE_WITH_ITEM:
        diagnose_with_item(p);
        break;
    case DIAGNOSE_EXCEPT:
        diagnose_except(p);
        break;
    case DIAGNOSE_AS_PATTERN:
        diagnose_as_pattern(p);
        break;
    case DIAGNOSE_CLASS_PATTERN:
        diagnose_class_pattern(p);
        break;
    }
}
