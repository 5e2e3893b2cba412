/* symbols.c -- scopes: who binds which name, in which block.
 *
 * First pass: one Scope a block, one Symbol a name in it, with flags for every way the block
 * uses the name.  Second pass: each name of each block is looked for outwards; a name found in an
 * enclosing function becomes a cell there and free in all blocks in between.
 *
 * Errors are sticky: after the first one the walk goes on without effect until it ends.
 */
#include "core/compile/symbols.h"

#include "core/vm/code.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <string.h>

static void visit_expr(Symbols *s, AstExpr *e);
static void visit_stmts(Symbols *s, AstStmts body);
static void visit_exprs(Symbols *s, AstExprs list);

static void
fail_memory(Symbols *s)
{
    if (!s->failed) {
        s->failed = true;
        raise_memory(s->th);
    }
}

#define ERROR_AT(s, n, ...)                                                                        \
    do {                                                                                           \
        if (!(s)->failed) {                                                                        \
            (s)->failed = true;                                                                    \
            compile_error_later((s)->th, (s)->filename, (n)->lineno, (n)->col_offset + 1,          \
                                (n)->end_lineno, (n)->end_col_offset + 1, __VA_ARGS__);            \
        }                                                                                          \
    } while (0)

/* -- scopes and symbols ------------------------------------------------------------------- */

static uint32_t
name_hash(Value name)
{
    return (uint32_t)((uintptr_t)name >> 4) * 0x9E3779B1u;
}

Symbol *
scope_find(const Scope *scope, Value name)
{
    if (scope->hash == NULL) {
        for (uint32_t i = 0; i < scope->count; i++)
            if (scope->symbols[i].name == name)
                return &scope->symbols[i];
        return NULL;
    }
    uint32_t mask = scope->hash_size - 1;
    for (uint32_t i = name_hash(name) & mask; scope->hash[i]; i = (i + 1) & mask) {
        Symbol *sym = &scope->symbols[scope->hash[i] - 1];
        if (sym->name == name)
            return sym;
    }
    return NULL;
}

static bool
scope_rehash(Symbols *s, Scope *scope)
{
    uint32_t size = 32;
    while (size < scope->capacity * 2)
        size *= 2;
    uint32_t *hash = arena_calloc(s->arena, size * sizeof *hash);
    if (hash == NULL)
        return false;
    for (uint32_t k = 0; k < scope->count; k++) {
        uint32_t i = name_hash(scope->symbols[k].name) & (size - 1);
        while (hash[i])
            i = (i + 1) & (size - 1);
        hash[i] = k + 1;
    }
    scope->hash = hash;
    scope->hash_size = size;
    return true;
}

/* Finds or adds; NULL without memory.  Pointers to symbols move when a scope grows. */
static Symbol *
scope_add(Symbols *s, Scope *scope, Value name)
{
    Symbol *sym = scope_find(scope, name);
    if (sym)
        return sym;
    if (scope->count == scope->capacity) {
        uint32_t capacity = scope->capacity ? scope->capacity * 2 : 8;
        Symbol *grown = arena_alloc(s->arena, capacity * sizeof *grown);
        if (grown == NULL) {
            fail_memory(s);
            return NULL;
        }
        if (scope->count)
            memcpy(grown, scope->symbols, scope->count * sizeof *grown);
        scope->symbols = grown;
        scope->capacity = capacity;
        if (capacity > 8 && !scope_rehash(s, scope)) {
            fail_memory(s);
            return NULL;
        }
    }
    sym = &scope->symbols[scope->count++];
    *sym = (Symbol){.name = name, .reg = -1};
    if (scope->hash) {
        uint32_t mask = scope->hash_size - 1, i = name_hash(name) & mask;
        while (scope->hash[i])
            i = (i + 1) & mask;
        scope->hash[i] = scope->count;
    }
    return sym;
}

static Value
mangled(Symbols *s, Value name)
{
    return s->mangle(s->context, s->current->private_class, name);
}

static Scope *
enter(Symbols *s, enum ScopeKind kind, const void *where, Value name)
{
    AstNode *node = (AstNode *)(uintptr_t)where;
    Scope *scope = arena_calloc(s->arena, sizeof *scope);
    if (scope == NULL) {
        fail_memory(s);
        return NULL;
    }
    scope->kind = kind;
    scope->node = node;
    scope->name = name;
    scope->lineno = node->lineno;
    scope->col = node->col_offset;
    Scope *parent = s->current;
    scope->parent = parent;
    if (parent) {
        scope->private_class = parent->private_class;
        scope->nested = parent->nested || parent->kind == SCOPE_FUNCTION;
        if (parent->child_count == parent->child_capacity) {
            uint32_t n = parent->child_capacity ? parent->child_capacity * 2 : 4;
            Scope **grown = arena_alloc(s->arena, n * sizeof *grown);
            if (grown == NULL) {
                fail_memory(s);
                return NULL;
            }
            if (parent->child_count)
                memcpy(grown, parent->children, parent->child_count * sizeof *grown);
            parent->children = grown;
            parent->child_capacity = n;
        }
        parent->children[parent->child_count++] = scope;
    }
    if (s->node_count == s->node_capacity) {
        uint32_t n = s->node_capacity ? s->node_capacity * 2 : 32;
        Scope **grown = arena_alloc(s->arena, n * sizeof *grown);
        if (grown == NULL) {
            fail_memory(s);
            return NULL;
        }
        if (s->node_count)
            memcpy(grown, s->by_node, s->node_count * sizeof *grown);
        s->by_node = grown;
        s->node_capacity = n;
    }
    s->by_node[s->node_count++] = scope;
    node->mark = s->node_count;
    s->current = scope;
    return scope;
}

static void
leave(Symbols *s)
{
    s->current = s->current->parent;
}

Scope *
symbols_of(Symbols *s, const AstNode *node)
{
    return node->mark ? s->by_node[node->mark - 1] : NULL;
}

/* Adds `flags` to name (already mangled) in the current scope. */
static void
define_in(Symbols *s, Scope *scope, Value name, unsigned flags, const AstNode *where)
{
    Symbol *sym = scope_add(s, scope, name);
    if (sym == NULL)
        return;
    if ((flags & DEF_PARAM) && (sym->flags & DEF_PARAM)) {
        ERROR_AT(s, where, "duplicate argument '%V' in function definition", name);
        return;
    }
    if ((flags & (DEF_GLOBAL | DEF_NONLOCAL)) && !(sym->flags & (DEF_GLOBAL | DEF_NONLOCAL))) {
        sym->lineno = where->lineno;
        sym->col = where->col_offset;
        sym->end_lineno = where->end_lineno;
        sym->end_col = where->end_col_offset;
    }
    sym->flags |= (uint16_t)flags;
}

static void
define(Symbols *s, Value name, unsigned flags, const void *where)
{
    if (s->failed || name == NULL)
        return;
    define_in(s, s->current, mangled(s, name), flags, where);
}

/* -- walrus ------------------------------------------------------------------------------------ */

static bool refuse_in_annotation(Symbols *s, const AstExpr *e, const char *what);

static void
visit_walrus(Symbols *s, AstExpr *e)
{
    AstExpr *target = e->NamedExpr.target;
    Scope *scope = s->current;
    if (refuse_in_annotation(s, e, "named expression"))
        return;
    if (scope->in_comp_iter) {
        ERROR_AT(s, e, "assignment expression cannot be used in a comprehension iterable expression");
        return;
    }
    scope->has_walrus = true;
    if (scope->comp == COMP_NONE) {
        visit_expr(s, e->NamedExpr.value);
        visit_expr(s, target);
        return;
    }
    Value name = mangled(s, target->Name.id);
    if (s->failed)
        return;
    /* The target belongs to the innermost block that is no comprehension. */
    Scope *owner = scope;
    for (; owner->comp != COMP_NONE; owner = owner->parent) {
        Symbol *sym = scope_find(owner, name);
        if (sym && (sym->flags & DEF_COMP_ITER)) {
            ERROR_AT(s, target, "assignment expression cannot rebind comprehension iteration variable '%V'",
                     target->Name.id);
            return;
        }
        owner->has_walrus = true;
    }
    if (owner->kind == SCOPE_CLASS) {
        ERROR_AT(s, target, "assignment expression within a comprehension cannot be used in a class body");
        return;
    }
    owner->has_walrus = true;
    unsigned inner;
    Symbol *in_owner = scope_find(owner, name);
    if (owner->kind == SCOPE_MODULE || (in_owner && (in_owner->flags & DEF_GLOBAL))) {
        inner = DEF_GLOBAL;
        define_in(s, owner, name, owner->kind == SCOPE_MODULE ? DEF_LOCAL : DEF_GLOBAL,
                  (const AstNode *)e);
    } else {
        inner = DEF_NONLOCAL;
        if (!(in_owner && (in_owner->flags & DEF_NONLOCAL)))
            define_in(s, owner, name, DEF_LOCAL, (const AstNode *)e);
    }
    for (Scope *c = scope; c != owner; c = c->parent)
        define_in(s, c, name, inner, (const AstNode *)e);
    visit_expr(s, e->NamedExpr.value);
}

/* -- comprehensions ------------------------------------------------------------------------------ */

static void
visit_target_of_comp(Symbols *s, AstExpr *target)
{
    if (s->failed)
        return;
    switch (target->kind) {
    case AST_Name: {
        Value name = mangled(s, target->Name.id);
        Symbol *sym = s->failed ? NULL : scope_find(s->current, name);
        if (sym && (sym->flags & (DEF_GLOBAL | DEF_NONLOCAL))) {
            ERROR_AT(s, target, "comprehension inner loop cannot rebind assignment expression target '%V'",
                     target->Name.id);
            return;
        }
        define_in(s, s->current, name, DEF_LOCAL | DEF_COMP_ITER, (const AstNode *)target);
        break;
    }
    case AST_Tuple:
        for (uint32_t i = 0; i < target->Tuple.elts.count; i++)
            visit_target_of_comp(s, target->Tuple.elts.items[i]);
        break;
    case AST_List:
        for (uint32_t i = 0; i < target->List.elts.count; i++)
            visit_target_of_comp(s, target->List.elts.items[i]);
        break;
    case AST_Starred:
        visit_target_of_comp(s, target->Starred.value);
        break;
    default:
        visit_expr(s, target);
    }
}

static void
visit_comprehension(Symbols *s, AstExpr *e, enum CompKind kind, AstComprehensions generators,
                    AstExpr *element, AstExpr *value)
{
    static const char *const names[] = {"", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"};
    AstComprehension *outer = generators.items[0];
    /* The outermost iterable is evaluated in the enclosing block. */
    bool saved = s->current->in_comp_iter;
    s->current->in_comp_iter = true;
    visit_expr(s, outer->iter);
    s->current->in_comp_iter = saved;
    Value name = s->failed ? NULL : str_intern_immortal(s->th, names[kind]);
    if (name == NULL) {
        s->failed = true;
        return;
    }
    Scope *scope = enter(s, SCOPE_FUNCTION, e, name);
    if (scope == NULL)
        return;
    scope->comp = kind;
    scope->in_comp_iter = saved;
    if (outer->is_async)
        scope->is_coroutine = true;
    if (kind == COMP_GENERATOR)
        scope->is_generator = true;
    Value dot0 = str_intern_immortal(s->th, ".0");
    if (dot0 == NULL)
        s->failed = true;
    else
        define_in(s, scope, dot0, DEF_PARAM, (const AstNode *)e);
    for (uint32_t i = 0; i < generators.count && !s->failed; i++) {
        AstComprehension *g = generators.items[i];
        if (g->is_async)
            scope->is_coroutine = true;
        if (i > 0) {
            /* Targets so far are known: a walrus in here is an error. */
            bool before = scope->in_comp_iter;
            scope->in_comp_iter = true;
            visit_expr(s, g->iter);
            scope->in_comp_iter = before;
        }
        visit_target_of_comp(s, g->target);
        visit_exprs(s, g->ifs);
    }
    if (value)
        visit_expr(s, value);
    visit_expr(s, element);
    bool async = scope->is_coroutine;
    leave(s);
    if (async && kind != COMP_GENERATOR)
        s->current->is_coroutine = s->current->is_coroutine || s->current->comp != COMP_NONE;
}

/* -- functions ------------------------------------------------------------------------------------ */

/* With `from __future__ import annotations` an annotation is text: what it names does not count, but it
 * must not have what would work only where it stands. */
static void
visit_annotation(Symbols *s, AstExpr *annotation)
{
    if (annotation == NULL || s->failed)
        return;
    if (!s->future_annotations) {
        visit_expr(s, annotation);
        return;
    }
    Scope *scope = arena_calloc(s->arena, sizeof *scope);
    if (scope == NULL) {
        fail_memory(s);
        return;
    }
    Scope *outside = s->current;
    scope->kind = SCOPE_FUNCTION;
    scope->is_annotation = true;
    scope->node = (const AstNode *)annotation;
    scope->parent = outside;
    scope->private_class = outside->private_class;
    s->current = scope;
    visit_expr(s, annotation);
    s->current = outside;
}

static bool
refuse_in_annotation(Symbols *s, const AstExpr *e, const char *what)
{
    if (!s->current->is_annotation)
        return false;
    ERROR_AT(s, e, "'%s' can not be used within an annotation", what);
    return true;
}

static void
visit_params(Symbols *s, AstArguments *a)
{
    for (uint32_t i = 0; i < a->posonlyargs.count; i++)
        define(s, a->posonlyargs.items[i]->arg, DEF_PARAM, a->posonlyargs.items[i]);
    for (uint32_t i = 0; i < a->args.count; i++)
        define(s, a->args.items[i]->arg, DEF_PARAM, a->args.items[i]);
    for (uint32_t i = 0; i < a->kwonlyargs.count; i++)
        define(s, a->kwonlyargs.items[i]->arg, DEF_PARAM, a->kwonlyargs.items[i]);
    if (a->vararg) {
        define(s, a->vararg->arg, DEF_PARAM, a->vararg);
        s->current->has_varargs = true;
    }
    if (a->kwarg) {
        define(s, a->kwarg->arg, DEF_PARAM, a->kwarg);
        s->current->has_varkeywords = true;
    }
}

static void
visit_annotations(Symbols *s, AstArguments *a, AstExpr *returns)
{
    for (uint32_t i = 0; i < a->posonlyargs.count; i++)
        visit_annotation(s, a->posonlyargs.items[i]->annotation);
    for (uint32_t i = 0; i < a->args.count; i++)
        visit_annotation(s, a->args.items[i]->annotation);
    if (a->vararg)
        visit_annotation(s, a->vararg->annotation);
    for (uint32_t i = 0; i < a->kwonlyargs.count; i++)
        visit_annotation(s, a->kwonlyargs.items[i]->annotation);
    if (a->kwarg)
        visit_annotation(s, a->kwarg->annotation);
    visit_annotation(s, returns);
}

static void
visit_defaults(Symbols *s, AstArguments *a)
{
    visit_exprs(s, a->defaults);
    for (uint32_t i = 0; i < a->kw_defaults.count; i++)
        if (a->kw_defaults.items[i])
            visit_expr(s, a->kw_defaults.items[i]);
}

static void
visit_function(Symbols *s, AstStmt *st, Value name, AstArguments *args, AstExprs decorators,
               AstExpr *returns, AstStmts body, bool async)
{
    define(s, name, DEF_LOCAL, st);
    visit_defaults(s, args);
    visit_annotations(s, args, returns);
    visit_exprs(s, decorators);
    if (s->failed)
        return;
    Scope *scope = enter(s, SCOPE_FUNCTION, st, name);
    if (scope == NULL)
        return;
    scope->is_coroutine = async;
    visit_params(s, args);
    visit_stmts(s, body);
    leave(s);
}

static void
visit_lambda(Symbols *s, AstExpr *e)
{
    visit_defaults(s, e->Lambda.args);
    Value name = s->failed ? NULL : str_intern_immortal(s->th, "<lambda>");
    if (name == NULL || enter(s, SCOPE_FUNCTION, e, name) == NULL) {
        s->failed = true;
        return;
    }
    s->current->in_comp_iter = s->current->parent->in_comp_iter;
    visit_params(s, e->Lambda.args);
    visit_expr(s, e->Lambda.body);
    leave(s);
}

/* -- expressions ---------------------------------------------------------------------------------- */

static void
visit_exprs(Symbols *s, AstExprs list)
{
    for (uint32_t i = 0; i < list.count && !s->failed; i++)
        if (list.items[i])
            visit_expr(s, list.items[i]);
}

static void
visit_keywords(Symbols *s, AstKeywords list)
{
    for (uint32_t i = 0; i < list.count && !s->failed; i++)
        visit_expr(s, list.items[i]->value);
}

static bool
check_depth(Symbols *s)
{
    if (s->failed)
        return false;
    if (thread_stack_low(s->th)) {
        s->failed = true;
        raise_recursion(s->th, " during compilation");
        return false;
    }
    return true;
}

static void
visit_name(Symbols *s, AstExpr *e)
{
    define(s, e->Name.id, e->Name.ctx == AST_Load ? USE : DEF_LOCAL, e);
    Scope *scope = s->current;
    if (e->Name.ctx == AST_Load && scope->kind == SCOPE_FUNCTION && e->Name.id == NAME(super) &&
        !s->failed)
        define_in(s, scope, NAME(__class__), USE, (const AstNode *)e);
}

static const char *
comp_text(enum CompKind kind)
{
    switch (kind) {
    case COMP_LIST: return "'yield' inside list comprehension";
    case COMP_SET: return "'yield' inside set comprehension";
    case COMP_DICT: return "'yield' inside dict comprehension";
    default: return "'yield' inside generator expression";
    }
}

static void
visit_yield(Symbols *s, AstExpr *e, AstExpr *value)
{
    if (refuse_in_annotation(s, e, "yield expression"))
        return;
    if (value)
        visit_expr(s, value);
    if (s->failed)
        return;
    s->current->is_generator = true;
    if (s->current->comp != COMP_NONE)
        ERROR_AT(s, e, "%s", comp_text(s->current->comp));
}

static void
visit_expr(Symbols *s, AstExpr *e)
{
    if (e == NULL || !check_depth(s))
        return;
    switch (e->kind) {
    case AST_Name:
        visit_name(s, e);
        break;
    case AST_Constant:
        break;
    case AST_Attribute:
        visit_expr(s, e->Attribute.value);
        break;
    case AST_Call:
        visit_expr(s, e->Call.func);
        visit_exprs(s, e->Call.args);
        visit_keywords(s, e->Call.keywords);
        break;
    case AST_BinOp: {
        /* Long chains of one operator lean to the left: walk them in a loop. */
        AstExpr *left = e;
        uint32_t depth = 0;
        while (left->kind == AST_BinOp && depth < 1000000) {
            left = left->BinOp.left;
            depth++;
        }
        if (depth < 50) {
            visit_expr(s, e->BinOp.left);
            visit_expr(s, e->BinOp.right);
        } else {
            AstExpr **chain = arena_alloc(s->arena, depth * sizeof *chain);
            if (chain == NULL) {
                fail_memory(s);
                return;
            }
            AstExpr *at = e;
            for (uint32_t i = 0; i < depth; i++, at = at->BinOp.left)
                chain[i] = at;
            visit_expr(s, at);
            for (uint32_t i = depth; i-- > 0;)
                visit_expr(s, chain[i]->BinOp.right);
        }
        break;
    }
    case AST_BoolOp:
        visit_exprs(s, e->BoolOp.values);
        break;
    case AST_UnaryOp:
        visit_expr(s, e->UnaryOp.operand);
        break;
    case AST_Compare:
        visit_expr(s, e->Compare.left);
        visit_exprs(s, e->Compare.comparators);
        break;
    case AST_Subscript:
        visit_expr(s, e->Subscript.value);
        visit_expr(s, e->Subscript.slice);
        break;
    case AST_Slice:
        visit_expr(s, e->Slice.lower);
        visit_expr(s, e->Slice.upper);
        visit_expr(s, e->Slice.step);
        break;
    case AST_Starred:
        visit_expr(s, e->Starred.value);
        break;
    case AST_IfExp:
        visit_expr(s, e->IfExp.test);
        visit_expr(s, e->IfExp.body);
        visit_expr(s, e->IfExp.orelse);
        break;
    case AST_Tuple:
        visit_exprs(s, e->Tuple.elts);
        break;
    case AST_List:
        visit_exprs(s, e->List.elts);
        break;
    case AST_Set:
        visit_exprs(s, e->Set.elts);
        break;
    case AST_Dict:
        visit_exprs(s, e->Dict.keys);
        visit_exprs(s, e->Dict.values);
        break;
    case AST_NamedExpr:
        visit_walrus(s, e);
        break;
    case AST_Lambda:
        visit_lambda(s, e);
        break;
    case AST_ListComp:
        visit_comprehension(s, e, COMP_LIST, e->ListComp.generators, e->ListComp.elt, NULL);
        break;
    case AST_SetComp:
        visit_comprehension(s, e, COMP_SET, e->SetComp.generators, e->SetComp.elt, NULL);
        break;
    case AST_DictComp:
        visit_comprehension(s, e, COMP_DICT, e->DictComp.generators, e->DictComp.key,
                            e->DictComp.value);
        break;
    case AST_GeneratorExp:
        visit_comprehension(s, e, COMP_GENERATOR, e->GeneratorExp.generators, e->GeneratorExp.elt,
                            NULL);
        break;
    case AST_Await:
        if (refuse_in_annotation(s, e, "await expression"))
            return;
        visit_expr(s, e->Await.value);
        if (s->current->kind == SCOPE_FUNCTION && s->current->comp != COMP_NONE)
            s->current->is_coroutine = true;
        break;
    case AST_Yield:
        visit_yield(s, e, e->Yield.value);
        break;
    case AST_YieldFrom:
        visit_yield(s, e, e->YieldFrom.value);
        break;
    case AST_FormattedValue:
        visit_expr(s, e->FormattedValue.value);
        visit_expr(s, e->FormattedValue.format_spec);
        break;
    case AST_JoinedStr:
        visit_exprs(s, e->JoinedStr.values);
        break;
    default:
        break;
    }
}

/* -- statements ----------------------------------------------------------------------------------- */

static void
visit_pattern(Symbols *s, AstPattern *p)
{
    if (p == NULL || !check_depth(s))
        return;
    switch (p->kind) {
    case AST_MatchValue:
        visit_expr(s, p->MatchValue.value);
        break;
    case AST_MatchSequence:
        for (uint32_t i = 0; i < p->MatchSequence.patterns.count; i++)
            visit_pattern(s, p->MatchSequence.patterns.items[i]);
        break;
    case AST_MatchMapping:
        visit_exprs(s, p->MatchMapping.keys);
        for (uint32_t i = 0; i < p->MatchMapping.patterns.count; i++)
            visit_pattern(s, p->MatchMapping.patterns.items[i]);
        define(s, p->MatchMapping.rest, DEF_LOCAL, p);
        break;
    case AST_MatchClass:
        visit_expr(s, p->MatchClass.cls);
        for (uint32_t i = 0; i < p->MatchClass.patterns.count; i++)
            visit_pattern(s, p->MatchClass.patterns.items[i]);
        for (uint32_t i = 0; i < p->MatchClass.kwd_patterns.count; i++)
            visit_pattern(s, p->MatchClass.kwd_patterns.items[i]);
        break;
    case AST_MatchStar:
        define(s, p->MatchStar.name, DEF_LOCAL, p);
        break;
    case AST_MatchAs:
        visit_pattern(s, p->MatchAs.pattern);
        define(s, p->MatchAs.name, DEF_LOCAL, p);
        break;
    case AST_MatchOr:
        for (uint32_t i = 0; i < p->MatchOr.patterns.count; i++)
            visit_pattern(s, p->MatchOr.patterns.items[i]);
        break;
    default:
        break;
    }
}

static void
visit_global(Symbols *s, AstStmt *st, AstIdentifiers names, unsigned flag)
{
    const char *what = flag == DEF_GLOBAL ? "global" : "nonlocal";
    for (uint32_t i = 0; i < names.count && !s->failed; i++) {
        Value name = mangled(s, names.items[i]);
        if (s->failed)
            return;
        if (flag == DEF_NONLOCAL && s->current->kind == SCOPE_MODULE) {
            ERROR_AT(s, st, "nonlocal declaration not allowed at module level");
            return;
        }
        Symbol *sym = scope_find(s->current, name);
        if (sym && (sym->flags & (DEF_PARAM | DEF_LOCAL | USE | DEF_ANNOT | DEF_IMPORT))) {
            if (sym->flags & DEF_PARAM)
                ERROR_AT(s, st, "name '%V' is parameter and %s", names.items[i], what);
            else if (sym->flags & USE)
                ERROR_AT(s, st, "name '%V' is used prior to %s declaration", names.items[i], what);
            else if (sym->flags & DEF_ANNOT)
                ERROR_AT(s, st, "annotated name '%V' can't be %s", names.items[i], what);
            else
                ERROR_AT(s, st, "name '%V' is assigned to before %s declaration", names.items[i],
                         what);
            return;
        }
        define_in(s, s->current, name, flag, (const AstNode *)st);
        /* The module's own stores go to the globals, too, whatever its locals are. */
        if (flag == DEF_GLOBAL && s->current != s->module)
            define_in(s, s->module, name, flag, (const AstNode *)st);
    }
}

static void
visit_alias(Symbols *s, AstAlias *alias, bool from)
{
    Value name = alias->asname;
    if (name == NULL) {
        name = alias->name;
        if (!from) { /* import a.b binds a */
            int64_t dot = 0, n = (int64_t)str_length(name);
            while (dot < n && str_char(as_str(name), (size_t)dot) != '.')
                dot++;
            if (dot < n) {
                Value head = str_substring(s->th, name, 0, (size_t)dot);
                if (head)
                    head = str_intern(s->th, head);
                head = s->keep(s->context, head);
                if (head == NULL) {
                    s->failed = true;
                    return;
                }
                define(s, head, DEF_IMPORT, alias);
                return;
            }
        }
    }
    if (str_equal_ascii(name, "*")) {
        if (s->current->kind != SCOPE_MODULE)
            ERROR_AT(s, alias, "import * only allowed at module level");
        s->current->has_star_import = true;
        return;
    }
    define(s, name, DEF_IMPORT, alias);
}

static void
visit_class(Symbols *s, AstStmt *st)
{
    define(s, st->ClassDef.name, DEF_LOCAL, st);
    visit_exprs(s, st->ClassDef.bases);
    visit_keywords(s, st->ClassDef.keywords);
    visit_exprs(s, st->ClassDef.decorator_list);
    if (s->failed)
        return;
    Scope *scope = enter(s, SCOPE_CLASS, st, st->ClassDef.name);
    if (scope == NULL)
        return;
    scope->private_class = st->ClassDef.name;
    visit_stmts(s, st->ClassDef.body);
    leave(s);
}

static void
visit_ann_assign(Symbols *s, AstStmt *st)
{
    AstExpr *target = st->AnnAssign.target;
    if (target->kind == AST_Name) {
        Value name = mangled(s, target->Name.id);
        if (s->failed)
            return;
        Symbol *sym = scope_find(s->current, name);
        if (sym && (sym->flags & (DEF_GLOBAL | DEF_NONLOCAL)) &&
            (s->current->kind != SCOPE_MODULE || (sym->flags & DEF_NONLOCAL)) &&
            st->AnnAssign.simple) {
            ERROR_AT(s, st, "annotated name '%V' can't be %s", target->Name.id,
                     sym->flags & DEF_GLOBAL ? "global" : "nonlocal");
            return;
        }
        if (st->AnnAssign.simple)
            define_in(s, s->current, name, DEF_ANNOT | DEF_LOCAL, (const AstNode *)target);
        else if (st->AnnAssign.value)
            define_in(s, s->current, name, DEF_LOCAL, (const AstNode *)target);
    } else
        visit_expr(s, target);
    visit_annotation(s, st->AnnAssign.annotation);
    visit_expr(s, st->AnnAssign.value);
}

static void
visit_handlers(Symbols *s, AstExcepthandlers handlers)
{
    for (uint32_t i = 0; i < handlers.count && !s->failed; i++) {
        AstExcepthandler *h = handlers.items[i];
        visit_expr(s, h->ExceptHandler.type);
        define(s, h->ExceptHandler.name, DEF_LOCAL, h);
        visit_stmts(s, h->ExceptHandler.body);
    }
}

static void
visit_withitems(Symbols *s, AstWithitems items)
{
    for (uint32_t i = 0; i < items.count && !s->failed; i++) {
        visit_expr(s, items.items[i]->context_expr);
        visit_expr(s, items.items[i]->optional_vars);
    }
}

static void
visit_stmt(Symbols *s, AstStmt *st)
{
    if (!check_depth(s))
        return;
    switch (st->kind) {
    case AST_FunctionDef:
        visit_function(s, st, st->FunctionDef.name, st->FunctionDef.args,
                       st->FunctionDef.decorator_list, st->FunctionDef.returns,
                       st->FunctionDef.body, false);
        break;
    case AST_AsyncFunctionDef:
        visit_function(s, st, st->AsyncFunctionDef.name, st->AsyncFunctionDef.args,
                       st->AsyncFunctionDef.decorator_list, st->AsyncFunctionDef.returns,
                       st->AsyncFunctionDef.body, true);
        break;
    case AST_ClassDef:
        visit_class(s, st);
        break;
    case AST_Return:
        if (st->Return.value) {
            visit_expr(s, st->Return.value);
            s->current->returns_value = true;
        }
        break;
    case AST_Delete:
        visit_exprs(s, st->Delete.targets);
        break;
    case AST_Assign:
        visit_exprs(s, st->Assign.targets);
        visit_expr(s, st->Assign.value);
        break;
    case AST_AugAssign:
        visit_expr(s, st->AugAssign.target);
        visit_expr(s, st->AugAssign.value);
        break;
    case AST_AnnAssign:
        visit_ann_assign(s, st);
        break;
    case AST_For:
        visit_expr(s, st->For.target);
        visit_expr(s, st->For.iter);
        visit_stmts(s, st->For.body);
        visit_stmts(s, st->For.orelse);
        break;
    case AST_AsyncFor:
        visit_expr(s, st->AsyncFor.target);
        visit_expr(s, st->AsyncFor.iter);
        visit_stmts(s, st->AsyncFor.body);
        visit_stmts(s, st->AsyncFor.orelse);
        break;
    case AST_While:
        visit_expr(s, st->While.test);
        visit_stmts(s, st->While.body);
        visit_stmts(s, st->While.orelse);
        break;
    case AST_If:
        visit_expr(s, st->If.test);
        visit_stmts(s, st->If.body);
        visit_stmts(s, st->If.orelse);
        break;
    case AST_With:
        visit_withitems(s, st->With.items);
        visit_stmts(s, st->With.body);
        break;
    case AST_AsyncWith:
        visit_withitems(s, st->AsyncWith.items);
        visit_stmts(s, st->AsyncWith.body);
        break;
    case AST_Match:
        visit_expr(s, st->Match.subject);
        for (uint32_t i = 0; i < st->Match.cases.count; i++) {
            AstMatchCase *c = st->Match.cases.items[i];
            visit_pattern(s, c->pattern);
            visit_expr(s, c->guard);
            visit_stmts(s, c->body);
        }
        break;
    case AST_Raise:
        visit_expr(s, st->Raise.exc);
        visit_expr(s, st->Raise.cause);
        break;
    case AST_Try:
        visit_stmts(s, st->Try.body);
        visit_stmts(s, st->Try.orelse);
        visit_handlers(s, st->Try.handlers);
        visit_stmts(s, st->Try.finalbody);
        break;
    case AST_TryStar:
        visit_stmts(s, st->TryStar.body);
        visit_stmts(s, st->TryStar.orelse);
        visit_handlers(s, st->TryStar.handlers);
        visit_stmts(s, st->TryStar.finalbody);
        break;
    case AST_Assert:
        visit_expr(s, st->Assert.test);
        visit_expr(s, st->Assert.msg);
        break;
    case AST_Import:
        for (uint32_t i = 0; i < st->Import.names.count; i++)
            visit_alias(s, st->Import.names.items[i], false);
        break;
    case AST_ImportFrom:
        for (uint32_t i = 0; i < st->ImportFrom.names.count; i++)
            visit_alias(s, st->ImportFrom.names.items[i], true);
        break;
    case AST_Global:
        visit_global(s, st, st->Global.names, DEF_GLOBAL);
        break;
    case AST_Nonlocal:
        visit_global(s, st, st->Nonlocal.names, DEF_NONLOCAL);
        break;
    case AST_Expr:
        visit_expr(s, st->Expr.value);
        break;
    default:
        break;
    }
}

static void
visit_stmts(Symbols *s, AstStmts body)
{
    for (uint32_t i = 0; i < body.count && !s->failed; i++)
        visit_stmt(s, body.items[i]);
}

/* -- second pass: places ------------------------------------------------------------------------ */

static bool
is_class_cell(const Scope *scope, Value name)
{
    return scope->kind == SCOPE_CLASS && name == NAME(__class__);
}

/* The block that owns `name` seen from inside `scope`'s children, or NULL if it is global. */
static Scope *
find_owner(Scope *scope, Value name)
{
    for (Scope *p = scope; p && p->kind != SCOPE_MODULE; p = p->parent) {
        if (is_class_cell(p, name))
            return p;
        if (p->kind == SCOPE_CLASS)
            continue;
        Symbol *sym = scope_find(p, name);
        if (sym == NULL || (sym->flags & DEF_NONLOCAL))
            continue;
        if (sym->flags & DEF_GLOBAL)
            return NULL;
        if (sym->flags & DEF_BOUND)
            return p;
    }
    return NULL;
}

/* Makes `name` free in `scope` and every block out to its owner, a cell there. */
static void
capture(Symbols *s, Scope *scope, Scope *owner, Value name)
{
    if (is_class_cell(owner, name))
        owner->needs_class_cell = true;
    else {
        Symbol *sym = scope_find(owner, name);
        sym->place = PLACE_CELL;
        sym->captured = true;
    }
    for (Scope *p = scope; p != owner; p = p->parent) {
        Symbol *sym = scope_add(s, p, name);
        if (sym == NULL)
            return;
        if (p->kind == SCOPE_CLASS && (sym->flags & (DEF_BOUND | DEF_GLOBAL)) &&
            !(sym->flags & DEF_NONLOCAL))
            sym->flags |= DEF_FREE_CLASS; /* passes through beside its own name */
        else {
            sym->place = PLACE_FREE;
            sym->flags |= DEF_FREE;
        }
    }
}

static void
resolve(Symbols *s, Scope *scope)
{
    uint32_t count = scope->count; /* pass-through names added below are placed already */
    for (uint32_t i = 0; i < count && !s->failed; i++) {
        Symbol *sym = &scope->symbols[i];
        Value name = sym->name;
        if (sym->flags & DEF_GLOBAL) {
            if (sym->flags & DEF_NONLOCAL) {
                ERROR_AT(s, (&(AstNode){.lineno = sym->lineno, .col_offset = sym->col,
                                        .end_lineno = sym->end_lineno, .end_col_offset = sym->end_col}),
                         "name '%V' is nonlocal and global", name);
                return;
            }
            sym->place = PLACE_GLOBAL_EXPLICIT;
        } else if (sym->flags & DEF_NONLOCAL) {
            Scope *owner = find_owner(scope->parent, name);
            if (owner == NULL) {
                ERROR_AT(s, (&(AstNode){.lineno = sym->lineno, .col_offset = sym->col,
                                        .end_lineno = sym->end_lineno, .end_col_offset = sym->end_col}),
                         "no binding for nonlocal '%V' found", name);
                return;
            }
            capture(s, scope, owner, name);
        } else if (sym->flags & DEF_BOUND) {
            if (sym->place != PLACE_CELL)
                sym->place = PLACE_LOCAL;
        } else if (sym->place == PLACE_NONE) {
            Scope *owner = scope->parent ? find_owner(scope->parent, name) : NULL;
            if (owner)
                capture(s, scope, owner, name);
            else
                sym->place = PLACE_GLOBAL_IMPLICIT;
        }
    }
    for (uint32_t i = 0; i < scope->child_count && !s->failed; i++)
        resolve(s, scope->children[i]);
}

bool
symbols_build(Symbols *s, const AstNode *tree)
{
    AstMod *mod = (AstMod *)(uintptr_t)tree;
    Value name = str_intern_immortal(s->th, "<module>");
    if (name == NULL)
        return false;
    s->module = enter(s, SCOPE_MODULE, tree, name);
    if (s->module == NULL)
        return false;
    switch (mod->kind) {
    case AST_Module:
        visit_stmts(s, mod->Module.body);
        break;
    case AST_Interactive:
        visit_stmts(s, mod->Interactive.body);
        break;
    case AST_Expression:
        visit_expr(s, mod->Expression.body);
        break;
    default:
        raise_type_error(s->th, "expected Module, Interactive or Expression node");
        return false;
    }
    if (!s->failed)
        resolve(s, s->module);
    return !s->failed;
}
