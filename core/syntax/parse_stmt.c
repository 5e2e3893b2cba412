/* parse_stmt.c -- statements: one function a rule, the rule above it. */
#include "core/syntax/parser_impl.h"
#include "core/syntax/syntax_error.h"

static void parse_statement(Parser *p);
static AstStmts parse_block(Parser *p, const char *owner, int lineno);

/* The string of the type comment at the next token, or NULL. */
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

static inline bool
at_simple_end(const Parser *p)
{
    return at(p, TOKEN_NEWLINE) || at(p, TOKEN_SEMI);
}

/* -- assignments and expressions ------------------------------------------ */

/* yield_expr | star_expressions */
static AstExpr *
parse_yield_or_star(Parser *p)
{
    return at(p, TOKEN_YIELD) ? parse_yield(p) : parse_star_expressions(p);
}

/* '=' (yield_expr | star_expressions) */
static void *
parse_equal(Parser *p)
{
    take(p);
    return parse_yield_or_star(p);
}

/* target ':' expression ['=' (yield_expr | star_expressions)] */
static AstStmt *
parse_annotated(Parser *p, AstExpr *target, Place start)
{
    bool bare = (target->flags & AST_PARENTHESIZED) == 0;
    if (target->kind != AST_Name && target->kind != AST_Attribute &&
        target->kind != AST_Subscript) {
        parser_fail(p);
    }
    take(p);
    AstExpr *annotation = parse_expression(p);
    AstExpr *value = NULL;
    if (at(p, TOKEN_EQUAL)) {
        value = UNLIKELY(p->soft) ? parser_try(p, parse_equal) : parse_equal(p);
    }
    expr_to_store(p, target);
    need_version(p, 6, target->kind == AST_Name && bare ? "Variable annotation syntax is"
                                                        : "Variable annotations syntax is");
    return NEW(p, stmt, AnnAssign, start, .target = target, .annotation = annotation,
               .value = value, .simple = target->kind == AST_Name && bare);
}

static AstOperator
augmented_operator(TokenType type)
{
    static const uint8_t operators[TOKEN_TYPE_COUNT] = {
        [TOKEN_PLUSEQUAL] = AST_Add,
        [TOKEN_MINEQUAL] = AST_Sub,
        [TOKEN_STAREQUAL] = AST_Mult,
        [TOKEN_SLASHEQUAL] = AST_Div,
        [TOKEN_DOUBLESLASHEQUAL] = AST_FloorDiv,
        [TOKEN_PERCENTEQUAL] = AST_Mod,
        [TOKEN_ATEQUAL] = AST_MatMult,
        [TOKEN_DOUBLESTAREQUAL] = AST_Pow,
        [TOKEN_LEFTSHIFTEQUAL] = AST_LShift,
        [TOKEN_RIGHTSHIFTEQUAL] = AST_RShift,
        [TOKEN_AMPEREQUAL] = AST_BitAnd,
        [TOKEN_VBAREQUAL] = AST_BitOr,
        [TOKEN_CIRCUMFLEXEQUAL] = AST_BitXor,
    };
    return (AstOperator)operators[type];
}

/* (star_targets '=')+ (yield_expr | star_expressions) [TYPE_COMMENT] */
static AstStmt *
parse_assign(Parser *p, AstExpr *first, Place start)
{
    size_t mark = seq_mark(p);
    AstExpr *value = first;
    while (at(p, TOKEN_EQUAL)) {
        expr_to_store(p, value);
        take(p);
        seq_push(p, value);
        value = parse_yield_or_star(p);
    }
    Value type_comment = take_type_comment(p);
    AstExprs targets = SEQ(expr, p, mark);
    return NEW(p, stmt, Assign, start, .targets = targets, .value = value,
               .type_comment = type_comment);
}

/* An assignment of any kind, or an expression as a statement. */
AstStmt *
parse_assignment_or_expression(Parser *p)
{
    Place start = here(p);
    AstExpr *value = parse_yield_or_star(p);
    TokenType type = peek(p);
    if (type == TOKEN_EQUAL) {
        return parse_assign(p, value, start);
    }
    if (type == TOKEN_COLON) {
        return parse_annotated(p, value, start);
    }
    AstOperator op = augmented_operator(type);
    if (op != AST_operator_unset) {
        if (value->kind != AST_Name && value->kind != AST_Attribute &&
            value->kind != AST_Subscript) {
            parser_fail(p);
        }
        take(p);
        expr_to_store(p, value);
        AstExpr *operand = parse_yield_or_star(p);
        if (op == AST_MatMult) {
            need_version(p, 5, "The '@' operator is");
        }
        return NEW(p, stmt, AugAssign, start, .target = value, .op = op, .value = operand);
    }
    return NEW(p, stmt, Expr, start, .value = value);
}

static AstStmt *
parse_expression_statement(Parser *p)
{
    DIAGNOSE(p, ASSIGNMENT);
    return parse_assignment_or_expression(p);
}

/* -- small statements ----------------------------------------------------- */

/* return_stmt: 'return' [star_expressions] */
static AstStmt *
parse_return(Parser *p)
{
    Place start = here(p);
    take(p);
    AstExpr *value = at_simple_end(p) ? NULL : parse_star_expressions(p);
    return NEW(p, stmt, Return, start, .value = value);
}

/* raise_stmt: 'raise' [expression ['from' expression]] */
static AstStmt *
parse_raise(Parser *p)
{
    Place start = here(p);
    take(p);
    AstExpr *exc = NULL;
    AstExpr *cause = NULL;
    if (!at_simple_end(p)) {
        exc = parse_expression(p);
        if (accept(p, TOKEN_FROM)) {
            cause = parse_expression(p);
        }
    }
    return NEW(p, stmt, Raise, start, .exc = exc, .cause = cause);
}

/* global_stmt: 'global' NAME (',' NAME)* */
static AstIdentifiers
parse_names(Parser *p)
{
    size_t mark = seq_mark(p);
    do {
        seq_push(p, take_name(p));
    } while (accept(p, TOKEN_COMMA));
    return SEQ(identifier, p, mark);
}

static AstStmt *
parse_global(Parser *p)
{
    Place start = here(p);
    bool global = take(p)->type == TOKEN_GLOBAL;
    AstIdentifiers names = parse_names(p);
    if (global) {
        return NEW(p, stmt, Global, start, .names = names);
    }
    return NEW(p, stmt, Nonlocal, start, .names = names);
}

/* del_stmt: 'del' del_targets &(';' | NEWLINE) */
static AstStmt *
parse_del(Parser *p)
{
    Place start = here(p);
    DIAGNOSE(p, DEL);
    take(p);
    size_t mark = seq_mark(p);
    do {
        AstExpr *target = parse_primary(p);
        expr_to_del(p, target);
        seq_push(p, target);
    } while (accept(p, TOKEN_COMMA) && !at_simple_end(p));
    if (!at_simple_end(p)) {
        parser_fail(p);
    }
    AstExprs targets = SEQ(expr, p, mark);
    return NEW(p, stmt, Delete, start, .targets = targets);
}

/* assert_stmt: 'assert' expression [',' expression] */
static AstStmt *
parse_assert(Parser *p)
{
    Place start = here(p);
    take(p);
    AstExpr *test = parse_expression(p);
    AstExpr *msg = accept(p, TOKEN_COMMA) ? parse_expression(p) : NULL;
    return NEW(p, stmt, Assert, start, .test = test, .msg = msg);
}

/* -- imports -------------------------------------------------------------- */

/* dotted_name: NAME ('.' NAME)* ; one identifier with its dots */
static Value
parse_dotted_name(Parser *p)
{
    if (LIKELY(peek_at(p, 1) != TOKEN_DOT)) {
        return take_name(p);
    }
    size_t length = 0;
    Token *first = p->tok;
    do {
        const Token *name = expect(p, TOKEN_NAME);
        length += p->names.items[name->name].length + 1;
    } while (accept(p, TOKEN_DOT));
    char *text = parser_alloc(p, length + 8);
    char *end = text;
    for (const Token *name = first; name < p->tok; name += 2) {
        const NameEntry *entry = &p->names.items[name->name];
        memcpy(end, entry->text, entry->length);
        end += entry->length;
        *end++ = '.';
    }
    return name_value(p, name_lookup(p, text, (uint32_t)(length - 1)));
}

static AstAlias *
new_alias(Parser *p, Place start, Value name, Value asname)
{
    AstAlias *alias = NEW_PRODUCT(p, alias, start);
    alias->name = name;
    alias->asname = asname;
    return alias;
}

/* dotted_name ['as' NAME] */
static AstAlias *
parse_alias(Parser *p, bool dotted)
{
    Place start = here(p);
    Value name = dotted ? parse_dotted_name(p) : take_name(p);
    Value asname = accept(p, TOKEN_AS) ? take_name(p) : NULL;
    return new_alias(p, start, name, asname);
}

/* import_name: 'import' alias (',' alias)* */
static AstStmt *
parse_import(Parser *p)
{
    Place start = here(p);
    take(p);
    size_t mark = seq_mark(p);
    do {
        if (!at(p, TOKEN_NAME)) {
            parser_fail(p);
        }
        seq_push(p, parse_alias(p, true));
    } while (accept(p, TOKEN_COMMA));
    AstAliases names = SEQ(alias, p, mark);
    return NEW(p, stmt, Import, start, .names = names);
}

/* import_from_targets: '*' | '(' aliases [','] ')' | aliases */
static AstAliases
parse_from_targets(Parser *p)
{
    size_t mark = seq_mark(p);
    if (at(p, TOKEN_STAR)) {
        Place start = here(p);
        const Token *star = take(p);
        Value name = name_value(p, name_lookup(p, p->lexer->text + star->start, 1));
        return SEQ_ONE(alias, p, new_alias(p, start, name, NULL));
    }
    bool parenthesized = accept(p, TOKEN_LPAR);
    do {
        if (parenthesized && at(p, TOKEN_RPAR) && p->scratch.count > mark) {
            break;
        }
        if (p->diagnosing && !parenthesized && p->scratch.count > mark &&
            at(p, TOKEN_NEWLINE)) {
            raise_here(p, PARSE_ERROR_SYNTAX,
                       "trailing comma not allowed without surrounding parentheses");
        }
        seq_push(p, parse_alias(p, false));
    } while (accept(p, TOKEN_COMMA));
    if (parenthesized) {
        expect(p, TOKEN_RPAR);
    }
    return SEQ(alias, p, mark);
}

/* import_from: 'from' ('.' | '...')* [dotted_name] 'import' import_from_targets */
static AstStmt *
parse_from(Parser *p)
{
    Place start = here(p);
    take(p);
    int level = 0;
    for (;;) {
        if (accept(p, TOKEN_DOT)) {
            level++;
        } else if (accept(p, TOKEN_ELLIPSIS)) {
            level += 3;
        } else {
            break;
        }
    }
    Value module = NULL;
    if (level == 0 || !at(p, TOKEN_IMPORT)) {
        if (!at(p, TOKEN_NAME)) {
            parser_fail(p);
        }
        module = parse_dotted_name(p);
    }
    expect(p, TOKEN_IMPORT);
    AstAliases names = parse_from_targets(p);
    return NEW(p, stmt, ImportFrom, start, .module = module, .names = names,
               .level = level);
}

/* -- simple statements ---------------------------------------------------- */

static AstStmt *
parse_simple(Parser *p)
{
    Place start = here(p);
    switch (peek(p)) {
    case TOKEN_RETURN:
        return parse_return(p);
    case TOKEN_IMPORT:
        return parse_import(p);
    case TOKEN_FROM:
        return parse_from(p);
    case TOKEN_RAISE:
        return parse_raise(p);
    case TOKEN_PASS:
        take(p);
        return NEW(p, stmt, Pass, start, );
    case TOKEN_BREAK:
        take(p);
        return NEW(p, stmt, Break, start, );
    case TOKEN_CONTINUE:
        take(p);
        return NEW(p, stmt, Continue, start, );
    case TOKEN_DEL:
        return parse_del(p);
    case TOKEN_ASSERT:
        return parse_assert(p);
    case TOKEN_GLOBAL:
    case TOKEN_NONLOCAL:
        return parse_global(p);
    default:
        return parse_expression_statement(p);
    }
}

/* simple_stmts: simple_stmt (';' simple_stmt)* [';'] NEWLINE ; pushes them */
static void
parse_simple_statements(Parser *p)
{
    do {
        seq_push(p, parse_simple(p));
    } while (accept(p, TOKEN_SEMI) && !at(p, TOKEN_NEWLINE));
    if (UNLIKELY(!at(p, TOKEN_NEWLINE))) {
        parser_fail(p);
    }
    take_newline(p);
}

/* -- blocks --------------------------------------------------------------- */

/* The indented lines of a block; its NEWLINE is taken. */
static AstStmts
parse_indented(Parser *p, const char *owner, int lineno)
{
    if (UNLIKELY(!at(p, TOKEN_INDENT))) {
        if (p->diagnosing && !at(p, TOKEN_ERROR)) {
            raise_here(p, PARSE_ERROR_INDENTATION,
                       "expected an indented block after %s on line %d", owner, lineno);
        }
        parser_fail(p);
    }
    take(p);
    size_t mark = seq_mark(p);
    while (!at(p, TOKEN_DEDENT)) {
        parse_statement(p);
    }
    take(p);
    return SEQ(stmt, p, mark);
}

/* block: NEWLINE INDENT statements DEDENT | simple_stmts ; `owner` is named when
 * there is none */
static AstStmts
parse_block(Parser *p, const char *owner, int lineno)
{
    if (LIKELY(at(p, TOKEN_NEWLINE))) {
        take_newline(p);
        return parse_indented(p, owner, lineno);
    }
    size_t mark = seq_mark(p);
    parse_simple_statements(p);
    return SEQ(stmt, p, mark);
}

/* ':' block, where "expected ':'" is said at the end of the line only. */
static void
expect_colon(Parser *p)
{
    if (UNLIKELY(!at(p, TOKEN_COLON))) {
        if (p->diagnosing && at(p, TOKEN_NEWLINE)) {
            raise_here(p, PARSE_ERROR_SYNTAX, "expected ':'");
        }
        parser_fail(p);
    }
    take(p);
}

/* else_block: 'else' ':' block */
static AstStmts
parse_else(Parser *p)
{
    if (!at(p, TOKEN_ELSE)) {
        return (AstStmts){NULL, 0};
    }
    int lineno = take(p)->lineno;
    expect_forced(p, TOKEN_COLON);
    return parse_block(p, "'else' statement", lineno);
}

/* -- if, while, for ------------------------------------------------------- */

/* if_stmt: 'if' named_expression ':' block (elif_stmt | [else_block]) */
static AstStmt *
parse_if(Parser *p)
{
    enter(p);
    Place start = here(p);
    bool elif = take(p)->type == TOKEN_ELIF;
    AstExpr *test = parse_named_expression(p);
    expect_colon(p);
    AstStmts body = parse_block(p, elif ? "'elif' statement" : "'if' statement",
                                start.lineno);
    AstStmts orelse;
    if (at(p, TOKEN_ELIF)) {
        orelse = SEQ_ONE(stmt, p, parse_if(p));
    } else {
        orelse = parse_else(p);
    }
    leave(p);
    return NEW(p, stmt, If, start, .test = test, .body = body, .orelse = orelse);
}

/* while_stmt: 'while' named_expression ':' block [else_block] */
static AstStmt *
parse_while(Parser *p)
{
    Place start = here(p);
    take(p);
    AstExpr *test = parse_named_expression(p);
    expect_colon(p);
    AstStmts body = parse_block(p, "'while' statement", start.lineno);
    AstStmts orelse = parse_else(p);
    return NEW(p, stmt, While, start, .test = test, .body = body, .orelse = orelse);
}

/* for_stmt: ['async'] 'for' star_targets 'in' star_expressions ':' [TYPE_COMMENT]
 *           block [else_block] */
static AstStmt *
parse_for(Parser *p, bool is_async, Place start)
{
    int lineno = take(p)->lineno;
    DIAGNOSE(p, FOR_TARGET);
    AstExpr *target = parse_star_targets(p);
    expect(p, TOKEN_IN);
    AstExpr *iter = parse_star_expressions(p);
    expect_colon(p);
    Value comment = take_type_comment(p);
    AstStmts body = parse_block(p, "'for' statement", lineno);
    AstStmts orelse = parse_else(p);
    if (is_async) {
        need_version(p, 5, "Async for loops are");
        return NEW(p, stmt, AsyncFor, start, .target = target, .iter = iter, .body = body,
                   .orelse = orelse, .type_comment = comment);
    }
    return NEW(p, stmt, For, start, .target = target, .iter = iter, .body = body,
               .orelse = orelse, .type_comment = comment);
}

/* -- with ----------------------------------------------------------------- */

static AstWithitem *
new_withitem(Parser *p, Place start, AstExpr *expr, AstExpr *vars)
{
    AstWithitem *item = NEW_PRODUCT(p, withitem, start);
    item->context_expr = expr;
    item->optional_vars = vars;
    return item;
}

/* with_item: expression ['as' star_target] */
static AstWithitem *
parse_with_item(Parser *p)
{
    Place start = here(p);
    DIAGNOSE(p, WITH_ITEM);
    AstExpr *expr = parse_expression(p);
    AstExpr *vars = NULL;
    if (accept(p, TOKEN_AS)) {
        vars = parse_star_target(p);
        if (!at(p, TOKEN_COMMA) && !at(p, TOKEN_RPAR) && !at(p, TOKEN_COLON)) {
            if (p->diagnosing && at(p, TOKEN_NEWLINE)) {
                raise_here(p, PARSE_ERROR_SYNTAX, "expected ':'");
            }
            parser_fail(p);
        }
    }
    return new_withitem(p, start, expr, vars);
}

/* Whether the ")" that closes the "(" at the next token stands before a ":".
 * If there is none, it might. */
static bool
parentheses_end_header(const Parser *p)
{
    int level = p->tok->level;
    for (const Token *t = p->tok + 1;; t++) {
        if (t->type == TOKEN_AS && t->level == level) {
            return true;    /* no expression has an `as` */
        }
        if (t->level < level || t->type == TOKEN_NEWLINE || t->type == TOKEN_ERROR) {
            return t->type == TOKEN_ERROR ||
                   (t->type == TOKEN_RPAR && t[1].type == TOKEN_COLON);
        }
    }
}

/* '(' with_item (',' with_item)* [','] ')'
 * The same text may be an expression in parentheses: false when it must be. */
static bool
parse_parenthesized_items(Parser *p, AstWithitems *items)
{
    if (!at(p, TOKEN_LPAR) || !parentheses_end_header(p)) {
        return false;
    }
    Token *before = p->tok;
    size_t mark = seq_mark(p);
    bool named = false;
    take(p);
    do {
        if (p->scratch.count > mark && at(p, TOKEN_RPAR)) {
            break;
        }
        if (!token_starts_expression(peek(p))) {
            goto expression;
        }
        AstWithitem *item = parse_with_item(p);
        named |= item->optional_vars != NULL;
        seq_push(p, item);
    } while (accept(p, TOKEN_COMMA));
    if (!accept(p, TOKEN_RPAR)) {
        goto expression;
    }
    *items = SEQ(withitem, p, mark);
    return true;

expression:
    if (named) {
        parser_fail(p);
    }
    p->tok = before;
    p->scratch.count = mark;
    return false;
}

/* with_stmt: ['async'] 'with' with_items ':' [TYPE_COMMENT] block */
static AstStmt *
parse_with(Parser *p, bool is_async, Place start)
{
    int lineno = take(p)->lineno;
    AstWithitems items;
    Value comment = NULL;
    bool parenthesized = parse_parenthesized_items(p, &items);
    if (!parenthesized) {
        size_t mark = seq_mark(p);
        do {
            seq_push(p, parse_with_item(p));
        } while (accept(p, TOKEN_COMMA));
        items = SEQ(withitem, p, mark);
    }
    expect_colon(p);
    comment = take_type_comment(p);
    AstStmts body = parse_block(p, "'with' statement", lineno);
    if (parenthesized) {
        need_version(p, 9, "Parenthesized context managers are");
    }
    if (is_async) {
        need_version(p, 5, "Async with statements are");
        return NEW(p, stmt, AsyncWith, start, .items = items, .body = body,
                   .type_comment = comment);
    }
    return NEW(p, stmt, With, start, .items = items, .body = body,
               .type_comment = comment);
}

/* -- try ------------------------------------------------------------------ */

/* except_block: 'except' ['*'] [expression ['as' NAME]] ':' block */
static AstExcepthandler *
parse_handler(Parser *p, bool star)
{
    Place start = here(p);
    DIAGNOSE(p, EXCEPT);
    take(p);
    AstExpr *type = NULL;
    Value name = NULL;
    if (star) {
        take(p);
    }
    if (star || !at(p, TOKEN_COLON)) {
        type = parse_expression(p);
        if (accept(p, TOKEN_AS)) {
            name = take_name(p);
        }
    }
    expect_colon(p);
    AstStmts body = parse_block(p, star ? "'except*' statement" : "'except' statement",
                                start.lineno);
    return NEW(p, excepthandler, ExceptHandler, start, .type = type, .name = name,
               .body = body);
}

/* The same up to the ":". */
static void *
parse_handler_header(Parser *p)
{
    take(p);
    bool star = accept(p, TOKEN_STAR);
    if (star || !at(p, TOKEN_COLON)) {
        parse_expression(p);
        if (accept(p, TOKEN_AS)) {
            take_name(p);
        }
    }
    expect(p, TOKEN_COLON);
    return p;
}

static inline bool
at_except_star(const Parser *p)
{
    return at(p, TOKEN_EXCEPT) && peek_at(p, 1) == TOKEN_STAR;
}

/* try_stmt: 'try' ':' block ((except_block+ | except_star_block+) [else_block]
 *           [finally_block] | finally_block) */
static AstStmt *
parse_try(Parser *p)
{
    Place start = here(p);
    take(p);
    expect_forced(p, TOKEN_COLON);
    AstStmts body = parse_block(p, "'try' statement", start.lineno);
    size_t mark = seq_mark(p);
    bool star = at_except_star(p);
    if (p->diagnosing && !at(p, TOKEN_EXCEPT) && !at(p, TOKEN_FINALLY) &&
        !at(p, TOKEN_ERROR)) {
        raise_here(p, PARSE_ERROR_SYNTAX, "expected 'except' or 'finally' block");
    }
    while (at(p, TOKEN_EXCEPT)) {
        if (at_except_star(p) != star) {
            error_look(p, p->tok + 1);
            if (p->diagnosing) {
                DIAGNOSE(p, EXCEPT);
                const Token *first = p->tok;
                const Token *last = p->tok + !star;
                if (parser_try(p, parse_handler_header) != NULL) {
                    raise_range(p, (Place){first->lineno, first->col}, last->end_lineno,
                                last->end_col, "cannot have both 'except' and 'except*' "
                                               "on the same 'try'");
                }
            }
            parser_fail(p);
        }
        seq_push(p, parse_handler(p, star));
    }
    AstExcepthandlers handlers = SEQ(excepthandler, p, mark);
    AstStmts orelse = {NULL, 0};
    AstStmts finalbody = {NULL, 0};
    if (handlers.count > 0) {
        orelse = parse_else(p);
    } else if (!at(p, TOKEN_FINALLY)) {
        parser_fail(p);
    }
    if (at(p, TOKEN_FINALLY)) {
        int lineno = take(p)->lineno;
        expect_forced(p, TOKEN_COLON);
        finalbody = parse_block(p, "'finally' statement", lineno);
    }
    if (star) {
        need_version(p, 11, "Exception groups are");
        return NEW(p, stmt, TryStar, start, .body = body, .handlers = handlers,
                   .orelse = orelse, .finalbody = finalbody);
    }
    return NEW(p, stmt, Try, start, .body = body, .handlers = handlers, .orelse = orelse,
               .finalbody = finalbody);
}

/* -- functions and classes ------------------------------------------------ */

/* [NEWLINE] TYPE_COMMENT before a function's block, and the block. */
static AstStmts
parse_function_body(Parser *p, int lineno, Value *comment)
{
    static const char owner[] = "function definition";
    *comment = take_type_comment(p);
    if (LIKELY(!p->type_comments) || !at(p, TOKEN_NEWLINE)) {
        return parse_block(p, owner, lineno);
    }
    take_newline(p);
    if (!at(p, TOKEN_TYPE_COMMENT)) {
        return parse_indented(p, owner, lineno);
    }
    bool second = *comment != NULL;
    *comment = take_type_comment(p);
    if (!at(p, TOKEN_NEWLINE)) {
        parser_fail(p);
    }
    take_newline(p);
    if (second && at(p, TOKEN_INDENT)) {
        raise_here(p, PARSE_ERROR_SYNTAX, "Cannot have two type comments on def");
    }
    return parse_indented(p, owner, lineno);
}

/* '->' expression */
static void *
parse_arrow(Parser *p)
{
    take(p);
    return parse_expression(p);
}

/* function_def: ['async'] 'def' NAME '(' [params] ')' ['->' expression] ':'
 *               [func_type_comment] block */
static AstStmt *
parse_def(Parser *p, bool is_async, AstExprs decorators, Place start)
{
    int lineno = take(p)->lineno;
    Value name = take_name(p);
    expect_forced(p, TOKEN_LPAR);
    AstArguments *args = parse_def_params(p);
    expect(p, TOKEN_RPAR);
    AstExpr *returns = NULL;
    if (at(p, TOKEN_RARROW)) {
        Token *arrow = p->tok;
        if (UNLIKELY(p->diagnosing) && parser_try_quietly(p, parse_arrow) == NULL) {
            parser_expected(p, ":");
        }
        p->tok = arrow;
        returns = parse_arrow(p);
    }
    expect_forced(p, TOKEN_COLON);
    Value comment;
    AstStmts body = parse_function_body(p, lineno, &comment);
    if (is_async) {
        need_version(p, 5, "Async functions are");
        return NEW(p, stmt, AsyncFunctionDef, start, .name = name, .args = args,
                   .body = body, .decorator_list = decorators, .returns = returns,
                   .type_comment = comment);
    }
    return NEW(p, stmt, FunctionDef, start, .name = name, .args = args, .body = body,
               .decorator_list = decorators, .returns = returns, .type_comment = comment);
}

/* class_def: 'class' NAME ['(' [arguments] ')'] ':' block */
static AstStmt *
parse_class(Parser *p, AstExprs decorators)
{
    Place start = here(p);
    take(p);
    Value name = take_name(p);
    AstExprs bases = {NULL, 0};
    AstKeywords keywords = {NULL, 0};
    if (at(p, TOKEN_LPAR)) {
        parse_arguments(p, false, &bases, &keywords);
    }
    expect_colon(p);
    AstStmts body = parse_block(p, "class definition", start.lineno);
    return NEW(p, stmt, ClassDef, start, .name = name, .bases = bases,
               .keywords = keywords, .body = body, .decorator_list = decorators);
}

/* decorators: ('@' named_expression NEWLINE)+ (class_def | function_def) */
static AstStmt *
parse_decorated(Parser *p)
{
    size_t mark = seq_mark(p);
    while (accept(p, TOKEN_AT)) {
        seq_push(p, parse_named_expression(p));
        if (!at(p, TOKEN_NEWLINE)) {
            parser_fail(p);
        }
        take_newline(p);
    }
    AstExprs decorators = SEQ(expr, p, mark);
    Place start = here(p);
    switch (peek(p)) {
    case TOKEN_CLASS:
        return parse_class(p, decorators);
    case TOKEN_ASYNC:
        take(p);
        if (!at(p, TOKEN_DEF)) {
            parser_fail(p);
        }
        return parse_def(p, true, decorators, start);
    case TOKEN_DEF:
        return parse_def(p, false, decorators, start);
    default:
        parser_fail(p);
    }
}

static AstStmt *
parse_async(Parser *p)
{
    Place start = here(p);
    take(p);
    switch (peek(p)) {
    case TOKEN_DEF:
        return parse_def(p, true, (AstExprs){NULL, 0}, start);
    case TOKEN_FOR:
        return parse_for(p, true, start);
    case TOKEN_WITH:
        return parse_with(p, true, start);
    default:
        parser_fail(p);
    }
}

/* -- match ---------------------------------------------------------------- */

/* Whether the logical line from the next token on ends in ":". */
static bool
line_ends_in_colon(const Parser *p)
{
    const Token *t = p->tok;
    while (t->type != TOKEN_NEWLINE && t->type != TOKEN_ERROR &&
           t->type != TOKEN_ENDMARKER) {
        t++;
    }
    return t[-1].type == TOKEN_COLON;
}

/* Whether `match` at the next token is the keyword. */
static bool
at_match_statement(const Parser *p)
{
    TokenType after = peek_at(p, 1);
    switch (after) {
    case TOKEN_LPAR:
    case TOKEN_LSQB:
    case TOKEN_STAR:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
        return line_ends_in_colon(p);
    case TOKEN_NOT:
        return peek_at(p, 2) != TOKEN_IN;
    default:
        return token_starts_expression(after);
    }
}

/* case_block: "case" patterns ['if' named_expression] ':' block */
static AstMatchCase *
parse_case(Parser *p)
{
    Place start = here(p);
    take(p);
    AstPattern *pattern = parse_patterns(p);
    AstExpr *guard = accept(p, TOKEN_IF) ? parse_named_expression(p) : NULL;
    expect_colon(p);
    AstStmts body = parse_block(p, "'case' statement", start.lineno);
    AstMatchCase *result = NEW_PRODUCT(p, match_case, start);
    result->pattern = pattern;
    result->guard = guard;
    result->body = body;
    return result;
}

/* subject_expr: star_named_expression ',' [star_named_expressions] | named_expression */
static AstExpr *
parse_subject(Parser *p)
{
    Place start = here(p);
    AstExpr *first = parse_star_named_expression(p);
    if (!at(p, TOKEN_COMMA)) {
        if (first->kind == AST_Starred) {
            parser_fail(p);
        }
        return first;
    }
    size_t mark = seq_mark(p);
    seq_push(p, first);
    while (accept(p, TOKEN_COMMA) && !at(p, TOKEN_COLON)) {
        seq_push(p, parse_star_named_expression(p));
    }
    AstExprs elts = SEQ(expr, p, mark);
    return NEW(p, expr, Tuple, start, .elts = elts, .ctx = AST_Load);
}

/* match_stmt: "match" subject_expr ':' NEWLINE INDENT case_block+ DEDENT */
static AstStmt *
parse_match(Parser *p)
{
    Place start = here(p);
    take(p);
    AstExpr *subject = parse_subject(p);
    expect_colon(p);
    if (!at(p, TOKEN_NEWLINE)) {
        parser_fail(p);
    }
    take_newline(p);
    if (!at(p, TOKEN_INDENT)) {
        if (p->diagnosing && !at(p, TOKEN_ERROR)) {
            raise_here(p, PARSE_ERROR_INDENTATION,
                       "expected an indented block after 'match' statement on line %d",
                       start.lineno);
        }
        parser_fail(p);
    }
    take(p);
    size_t mark = seq_mark(p);
    do {
        if (!at(p, TOKEN_NAME) || p->tok->name != NAME_CASE) {
            parser_fail(p);
        }
        seq_push(p, parse_case(p));
    } while (!accept(p, TOKEN_DEDENT));
    AstMatchCases cases = SEQ(match_case, p, mark);
    need_version(p, 10, "Pattern matching is");
    return NEW(p, stmt, Match, start, .subject = subject, .cases = cases);
}

/* -- statements ----------------------------------------------------------- */

/* statement: compound_stmt | simple_stmts ; pushes what it finds */
static void
parse_statement(Parser *p)
{
    enter(p);
    AstStmt *statement;
    switch (peek(p)) {
    case TOKEN_NAME:
        if (UNLIKELY(p->tok->name == NAME_MATCH) && at_match_statement(p)) {
            statement = parse_match(p);
            break;
        }
        parse_simple_statements(p);
        leave(p);
        return;
    case TOKEN_IF:
        statement = parse_if(p);
        break;
    case TOKEN_DEF:
        statement = parse_def(p, false, (AstExprs){NULL, 0}, here(p));
        break;
    case TOKEN_CLASS:
        statement = parse_class(p, (AstExprs){NULL, 0});
        break;
    case TOKEN_FOR:
        statement = parse_for(p, false, here(p));
        break;
    case TOKEN_WHILE:
        statement = parse_while(p);
        break;
    case TOKEN_TRY:
        statement = parse_try(p);
        break;
    case TOKEN_WITH:
        statement = parse_with(p, false, here(p));
        break;
    case TOKEN_AT:
        statement = parse_decorated(p);
        break;
    case TOKEN_ASYNC:
        statement = parse_async(p);
        break;
    default:
        parse_simple_statements(p);
        leave(p);
        return;
    }
    seq_push(p, statement);
    leave(p);
}

/* -- whole texts ---------------------------------------------------------- */

static AstMod *
parse_exec(Parser *p)
{
    size_t mark = seq_mark(p);
    while (!at(p, TOKEN_ENDMARKER)) {
        parse_statement(p);
    }
    AstStmts body = SEQ(stmt, p, mark);
    mark = seq_mark(p);
    for (size_t i = 0; i < p->type_ignores.count; i++) {
        seq_push(p, p->type_ignores.items[i]);
    }
    AstTypeIgnores ignores = SEQ(type_ignore, p, mark);
    return NEW(p, mod, Module, ((Place){1, 0}), .body = body, .type_ignores = ignores);
}

/* expressions NEWLINE* ENDMARKER */
static AstMod *
parse_eval(Parser *p)
{
    if (at(p, TOKEN_STAR)) {
        parser_fail(p);
    }
    AstExpr *body = parse_star_expressions(p);
    while (at(p, TOKEN_NEWLINE)) {
        take_newline(p);
    }
    expect(p, TOKEN_ENDMARKER);
    return NEW(p, mod, Expression, ((Place){1, 0}), .body = body);
}

/* Whether nothing but blanks and comments follows. */
static bool
rest_is_blank(const char *s)
{
    for (;;) {
        s += strspn(s, " \t\n\f");
        if (*s != '#') {
            return *s == '\0';
        }
        s += strcspn(s, "\n");
    }
}

/* compound_stmt NEWLINE | simple_stmts | NEWLINE */
static AstMod *
parse_single(Parser *p)
{
    size_t mark = seq_mark(p);
    Place start = here(p);
    if (at(p, TOKEN_NEWLINE)) {
        seq_push(p, NEW(p, stmt, Pass, start, ));
    } else {
        size_t before = p->scratch.count;
        parse_statement(p);
        const AstStmt *statement = p->scratch.items[before];
        bool compound = p->scratch.count == before + 1 &&
            statement->kind >= AST_FunctionDef && statement->kind <= AST_Continue;
        switch (compound ? statement->kind : 0) {
        case AST_FunctionDef: case AST_AsyncFunctionDef: case AST_ClassDef: case AST_For:
        case AST_AsyncFor: case AST_While: case AST_If: case AST_With: case AST_AsyncWith:
        case AST_Match: case AST_Try: case AST_TryStar:
            if (!at(p, TOKEN_NEWLINE)) {
                parser_fail(p);
            }
            break;
        default:
            if (!rest_is_blank(p->lexer->text + p->tok[-1].end)) {
                raise_multiple_statements(p);
            }
        }
    }
    AstStmts body = SEQ(stmt, p, mark);
    return NEW(p, mod, Interactive, ((Place){1, 0}), .body = body);
}

/* '(' [type_expressions] ')' '->' expression NEWLINE* ENDMARKER */
static AstMod *
parse_func_type(Parser *p)
{
    expect(p, TOKEN_LPAR);
    size_t mark = seq_mark(p);
    bool star = false;
    bool double_star = false;
    if (!at(p, TOKEN_RPAR)) {
        do {
            if (accept(p, TOKEN_DOUBLESTAR)) {
                double_star = true;
            } else if (star) {
                parser_fail(p);
            } else {
                star = accept(p, TOKEN_STAR);
            }
            seq_push(p, parse_expression(p));
        } while (!double_star && accept(p, TOKEN_COMMA));
    }
    expect(p, TOKEN_RPAR);
    AstExprs argtypes = SEQ(expr, p, mark);
    expect(p, TOKEN_RARROW);
    AstExpr *returns = parse_expression(p);
    while (at(p, TOKEN_NEWLINE)) {
        take_newline(p);
    }
    expect(p, TOKEN_ENDMARKER);
    return NEW(p, mod, FunctionType, ((Place){1, 0}), .argtypes = argtypes,
               .returns = returns);
}

AstMod *
parse_module(Parser *p)
{
    switch (p->options->mode) {
    case PARSE_EVAL:
        return parse_eval(p);
    case PARSE_SINGLE:
        return parse_single(p);
    case PARSE_FUNC_TYPE:
        return parse_func_type(p);
    default:
        return parse_exec(p);
    }
}
