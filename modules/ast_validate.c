/* ast_validate.c -- what the compiler may rely on in a tree that Python code made.
 *
 * The parser makes only trees that hold; a tree from objects is checked before it is compiled:
 * contexts fit, lists that must not be empty are not, lists of one length are, no None where an
 * expression must stand.  Messages as CPython's.
 */
#include "modules/ast_validate.h"

#include "core/run/run.h"

typedef struct V {
    Thread *th;
} V;

static bool expr(V *v, const AstExpr *e, AstContext ctx);
static bool body(V *v, AstStmts list, const char *owner);

static bool
bad(V *v, const char *format, const char *a, const char *b)
{
    raise_value_error(v->th, format, a, b);
    return false;
}

static bool
deep(V *v)
{
    if (!thread_stack_low(v->th))
        return false;
    raise_recursion(v->th, " during compilation");
    return true;
}

static const char *
context_name(AstContext c)
{
    return c == AST_Load ? "Load" : c == AST_Store ? "Store" : "Del";
}

/* A place must not end before it starts. */
static bool
place_ok(V *v, const void *node)
{
    const AstNode *n = node;
    if (n->lineno > n->end_lineno) {
        raise_value_error(v->th, "AST node line range (%d, %d) is not valid", n->lineno, n->end_lineno);
        return false;
    }
    if ((n->lineno < 0 && n->end_lineno != n->lineno) ||
        (n->col_offset < 0 && n->col_offset != n->end_col_offset)) {
        raise_value_error(v->th, "AST node column range (%d, %d) for line range (%d, %d) is not valid",
                          n->col_offset, n->end_col_offset, n->lineno, n->end_lineno);
        return false;
    }
    if (n->lineno == n->end_lineno && n->col_offset > n->end_col_offset) {
        raise_value_error(v->th, "line %d, column %d-%d is not a valid range", n->lineno, n->col_offset,
                          n->end_col_offset);
        return false;
    }
    return true;
}

static bool
exprs(V *v, AstExprs list, AstContext ctx, bool null_ok)
{
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.items[i] == NULL) {
            if (!null_ok)
                return bad(v, "None disallowed in expression list", "", "");
            continue;
        }
        if (!expr(v, list.items[i], ctx))
            return false;
    }
    return true;
}

static bool
optional(V *v, const AstExpr *e)
{
    return e == NULL || expr(v, e, AST_Load);
}

static bool
name_ok(V *v, Value name)
{
    static const char *const forbidden[] = {"None", "True", "False"};
    for (int i = 0; i < 3; i++)
        if (name && str_equal_ascii(name, forbidden[i]))
            return bad(v, "identifier field can't represent '%s' constant", forbidden[i], "");
    return true;
}

static bool
param(V *v, const AstArg *p)
{
    return p == NULL || (place_ok(v, p) && optional(v, p->annotation));
}

static bool
params(V *v, const AstArguments *a)
{
    const AstArgs *lists[3] = {&a->posonlyargs, &a->args, &a->kwonlyargs};
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < lists[k]->count; i++) {
            const AstArg *p = lists[k]->items[i];
            if (p == NULL)
                return bad(v, "None disallowed in argument list", "", "");
            if (!param(v, p))
                return false;
        }
    if (!param(v, a->vararg) || !param(v, a->kwarg))
        return false;
    if (a->defaults.count > a->posonlyargs.count + a->args.count)
        return bad(v, "more positional defaults than args on arguments", "", "");
    if (a->kw_defaults.count != a->kwonlyargs.count)
        return bad(v, "length of kwonlyargs is not the same as kw_defaults on arguments", "", "");
    return exprs(v, a->defaults, AST_Load, false) && exprs(v, a->kw_defaults, AST_Load, true);
}

static bool
keywords(V *v, AstKeywords list)
{
    for (uint32_t i = 0; i < list.count; i++)
        if (!expr(v, list.items[i]->value, AST_Load))
            return false;
    return true;
}

static bool
comprehension(V *v, AstComprehensions list)
{
    if (list.count == 0)
        return bad(v, "comprehension with no generators", "", "");
    for (uint32_t i = 0; i < list.count; i++) {
        const AstComprehension *g = list.items[i];
        if (!expr(v, g->target, AST_Store) || !expr(v, g->iter, AST_Load) || !exprs(v, g->ifs, AST_Load, false))
            return false;
    }
    return true;
}

static bool
constant(V *v, Value k)
{
    if (k == NONE || k == ELLIPSIS || is_bool(k) || value_is_fixnum(k) || value_is_flonum(k))
        return true;
    switch (shape_of(k)) {
    case SHAPE_INT: case SHAPE_FLOAT: case SHAPE_COMPLEX: case SHAPE_STR: case SHAPE_BYTES:
        return true;
    case SHAPE_TUPLE:
        if (deep(v))
            return false;
        for (int64_t i = 0; i < tuple_length(k); i++)
            if (!constant(v, tuple_item(k, i)))
                return false;
        return true;
    case SHAPE_FROZENSET: {
        size_t pos = 0;
        Value item;
        while (set_next(v->th, k, &pos, &item)) {
            bool ok = constant(v, item);
            drop(v->th, item);
            if (!ok)
                return false;
        }
        return true;
    }
    default:
        raise_type_error(v->th, "got an invalid type in Constant: %T", k);
        return false;
    }
}

static bool
expr(V *v, const AstExpr *e, AstContext ctx)
{
    if (e == NULL)
        return bad(v, "None disallowed in expression list", "", "");
    if (deep(v) || !place_ok(v, e))
        return false;
    AstContext own = AST_Load;
    bool has_context = true;
    switch (e->kind) {
    case AST_Attribute: own = e->Attribute.ctx; break;
    case AST_Subscript: own = e->Subscript.ctx; break;
    case AST_Starred: own = e->Starred.ctx; break;
    case AST_Name: own = e->Name.ctx; break;
    case AST_List: own = e->List.ctx; break;
    case AST_Tuple: own = e->Tuple.ctx; break;
    default: has_context = false;
    }
    if (!has_context && ctx != AST_Load) {
        raise_value_error(v->th, "expression which can't be assigned to in %s context", context_name(ctx));
        return false;
    }
    if (has_context && own != ctx)
        return bad(v, "expression must have %s context but has %s instead", context_name(ctx), context_name(own));
    switch (e->kind) {
    case AST_BoolOp:
        if (e->BoolOp.values.count < 2)
            return bad(v, "BoolOp with less than 2 values", "", "");
        return exprs(v, e->BoolOp.values, AST_Load, false);
    case AST_BinOp:
        return expr(v, e->BinOp.left, AST_Load) && expr(v, e->BinOp.right, AST_Load);
    case AST_UnaryOp:
        return expr(v, e->UnaryOp.operand, AST_Load);
    case AST_Lambda:
        return params(v, e->Lambda.args) && expr(v, e->Lambda.body, AST_Load);
    case AST_IfExp:
        return expr(v, e->IfExp.test, AST_Load) && expr(v, e->IfExp.body, AST_Load) &&
               expr(v, e->IfExp.orelse, AST_Load);
    case AST_Dict:
        if (e->Dict.keys.count != e->Dict.values.count)
            return bad(v, "Dict doesn't have the same number of keys as values", "", "");
        return exprs(v, e->Dict.keys, AST_Load, true) && exprs(v, e->Dict.values, AST_Load, false);
    case AST_Set:
        return exprs(v, e->Set.elts, AST_Load, false);
    case AST_ListComp:
        return comprehension(v, e->ListComp.generators) && expr(v, e->ListComp.elt, AST_Load);
    case AST_SetComp:
        return comprehension(v, e->SetComp.generators) && expr(v, e->SetComp.elt, AST_Load);
    case AST_GeneratorExp:
        return comprehension(v, e->GeneratorExp.generators) && expr(v, e->GeneratorExp.elt, AST_Load);
    case AST_DictComp:
        return comprehension(v, e->DictComp.generators) && expr(v, e->DictComp.key, AST_Load) &&
               expr(v, e->DictComp.value, AST_Load);
    case AST_Await:
        return expr(v, e->Await.value, AST_Load);
    case AST_Yield:
        return optional(v, e->Yield.value);
    case AST_YieldFrom:
        return expr(v, e->YieldFrom.value, AST_Load);
    case AST_Compare:
        if (e->Compare.comparators.count == 0)
            return bad(v, "Compare has no comparators", "", "");
        if (e->Compare.comparators.count != e->Compare.ops.count)
            return bad(v, "Compare has a different number of comparators and operands", "", "");
        return exprs(v, e->Compare.comparators, AST_Load, false) && expr(v, e->Compare.left, AST_Load);
    case AST_Call:
        return expr(v, e->Call.func, AST_Load) && exprs(v, e->Call.args, AST_Load, false) &&
               keywords(v, e->Call.keywords);
    case AST_Constant:
        return e->Constant.value ? constant(v, e->Constant.value) : bad(v, "missing constant", "", "");
    case AST_JoinedStr:
        return exprs(v, e->JoinedStr.values, AST_Load, false);
    case AST_FormattedValue:
        return expr(v, e->FormattedValue.value, AST_Load) && optional(v, e->FormattedValue.format_spec);
    case AST_Attribute:
        return expr(v, e->Attribute.value, AST_Load);
    case AST_Subscript:
        return expr(v, e->Subscript.slice, AST_Load) && expr(v, e->Subscript.value, AST_Load);
    case AST_Starred:
        return expr(v, e->Starred.value, ctx);
    case AST_Slice:
        return optional(v, e->Slice.lower) && optional(v, e->Slice.upper) && optional(v, e->Slice.step);
    case AST_List:
        return exprs(v, e->List.elts, ctx, false);
    case AST_Tuple:
        return exprs(v, e->Tuple.elts, ctx, false);
    case AST_NamedExpr:
        if (e->NamedExpr.target == NULL || e->NamedExpr.target->kind != AST_Name) {
            raise_type_error(v->th, "NamedExpr target must be a Name");
            return false;
        }
        return expr(v, e->NamedExpr.target, AST_Store) && expr(v, e->NamedExpr.value, AST_Load);
    case AST_Name:
        return name_ok(v, e->Name.id);
    default:
        return true;
    }
}

static bool
targets(V *v, AstExprs list, AstContext ctx, const char *owner)
{
    if (list.count == 0)
        return bad(v, "empty targets on %s", owner, "");
    return exprs(v, list, ctx, false);
}

/* What a name in a pattern binds. */
static bool
capture_ok(V *v, Value name)
{
    if (name && str_equal_ascii(name, "_"))
        return bad(v, "can't capture name '_' in patterns", "", "");
    return name_ok(v, name);
}

static bool
is_exact_real(Value k)
{
    return value_is_fixnum(k) || value_is_flonum(k) || is_exact(k, SHAPE_INT) || is_exact(k, SHAPE_FLOAT);
}

static bool
is_number_pattern(const AstExpr *e, bool real_ok, bool imaginary_ok)
{
    if (e == NULL || e->kind != AST_Constant || e->Constant.value == NULL || is_bool(e->Constant.value))
        return false;
    Value k = e->Constant.value;
    return (real_ok && is_exact_real(k)) || (imaginary_ok && is_exact(k, SHAPE_COMPLEX));
}

/* A value in a pattern: a literal, a signed number, a complex number or a dotted name. */
static bool
pattern_value(V *v, const AstExpr *e)
{
    static const char message[] = "patterns may only match literals and attribute lookups";
    if (!expr(v, e, AST_Load))
        return false;
    switch (e->kind) {
    case AST_Constant: {
        Value k = e->Constant.value;
        if (is_exact_real(k) || is_exact(k, SHAPE_COMPLEX) || is_exact(k, SHAPE_STR) ||
            is_exact(k, SHAPE_BYTES))
            return true;
        return bad(v, "unexpected constant inside of a literal pattern", "", "");
    }
    case AST_Attribute:
    case AST_JoinedStr: /* the compiler has the better message */
        return true;
    case AST_UnaryOp:
        if (e->UnaryOp.op == AST_USub && is_number_pattern(e->UnaryOp.operand, true, true))
            return true;
        return bad(v, message, "", "");
    case AST_BinOp: {
        const AstExpr *left = e->BinOp.left;
        if (left->kind == AST_UnaryOp && left->UnaryOp.op == AST_USub)
            left = left->UnaryOp.operand;
        if ((e->BinOp.op == AST_Add || e->BinOp.op == AST_Sub) && is_number_pattern(left, true, false) &&
            is_number_pattern(e->BinOp.right, false, true))
            return true;
        return bad(v, message, "", "");
    }
    default:
        return bad(v, message, "", "");
    }
}

static bool
pattern(V *v, const AstPattern *p, bool star_ok)
{
    if (p == NULL)
        return bad(v, "None disallowed in pattern list", "", "");
    if (deep(v) || !place_ok(v, p))
        return false;
    switch (p->kind) {
    case AST_MatchValue:
        return pattern_value(v, p->MatchValue.value);
    case AST_MatchSingleton:
        if (p->MatchSingleton.value != NONE && !is_bool(p->MatchSingleton.value))
            return bad(v, "MatchSingleton can only contain True, False and None", "", "");
        return true;
    case AST_MatchSequence:
        for (uint32_t i = 0; i < p->MatchSequence.patterns.count; i++)
            if (!pattern(v, p->MatchSequence.patterns.items[i], true))
                return false;
        return true;
    case AST_MatchMapping:
        if (p->MatchMapping.keys.count != p->MatchMapping.patterns.count)
            return bad(v, "MatchMapping doesn't have the same number of keys as patterns", "", "");
        if (p->MatchMapping.rest && !capture_ok(v, p->MatchMapping.rest))
            return false;
        for (uint32_t i = 0; i < p->MatchMapping.keys.count; i++) {
            const AstExpr *key = p->MatchMapping.keys.items[i];
            if (key && key->kind == AST_Constant &&
                (key->Constant.value == NONE || (key->Constant.value && is_bool(key->Constant.value))))
                continue;
            if (!pattern_value(v, key))
                return false;
        }
        for (uint32_t i = 0; i < p->MatchMapping.patterns.count; i++)
            if (!pattern(v, p->MatchMapping.patterns.items[i], false))
                return false;
        return true;
    case AST_MatchClass: {
        if (p->MatchClass.kwd_attrs.count != p->MatchClass.kwd_patterns.count)
            return bad(v, "MatchClass doesn't have the same number of keyword attributes as patterns", "", "");
        const AstExpr *c = p->MatchClass.cls;
        while (c && c->kind == AST_Attribute)
            c = c->Attribute.value;
        if (c == NULL || c->kind != AST_Name)
            return bad(v, "MatchClass cls field can only contain Name or Attribute nodes.", "", "");
        if (!expr(v, p->MatchClass.cls, AST_Load))
            return false;
        for (uint32_t i = 0; i < p->MatchClass.kwd_attrs.count; i++)
            if (!name_ok(v, p->MatchClass.kwd_attrs.items[i]))
                return false;
        for (uint32_t i = 0; i < p->MatchClass.patterns.count; i++)
            if (!pattern(v, p->MatchClass.patterns.items[i], false))
                return false;
        for (uint32_t i = 0; i < p->MatchClass.kwd_patterns.count; i++)
            if (!pattern(v, p->MatchClass.kwd_patterns.items[i], false))
                return false;
        return true;
    }
    case AST_MatchStar:
        if (!star_ok)
            return bad(v, "can't use MatchStar here", "", "");
        return capture_ok(v, p->MatchStar.name);
    case AST_MatchAs:
        if (p->MatchAs.name == NULL && p->MatchAs.pattern)
            return bad(v, "MatchAs must specify a target name if a pattern is given", "", "");
        return capture_ok(v, p->MatchAs.name) && (!p->MatchAs.pattern || pattern(v, p->MatchAs.pattern, false));
    case AST_MatchOr:
        if (p->MatchOr.patterns.count < 2)
            return bad(v, "MatchOr requires at least 2 patterns", "", "");
        for (uint32_t i = 0; i < p->MatchOr.patterns.count; i++)
            if (!pattern(v, p->MatchOr.patterns.items[i], false))
                return false;
        return true;
    default:
        return true;
    }
}

static bool
with_items(V *v, AstWithitems list, const char *owner)
{
    if (list.count == 0)
        return bad(v, "empty items on %s", owner, "");
    for (uint32_t i = 0; i < list.count; i++)
        if (!expr(v, list.items[i]->context_expr, AST_Load) ||
            (list.items[i]->optional_vars && !expr(v, list.items[i]->optional_vars, AST_Store)))
            return false;
    return true;
}

static bool stmts(V *v, AstStmts list);

static bool
try_stmt(V *v, AstStmts main, AstExcepthandlers handlers, AstStmts orelse, AstStmts final, const char *owner)
{
    if (!body(v, main, owner))
        return false;
    if (handlers.count == 0 && final.count == 0)
        return bad(v, "%s has neither except handlers nor finalbody", owner, "");
    if (handlers.count == 0 && orelse.count)
        return bad(v, "%s has orelse but no except handlers", owner, "");
    for (uint32_t i = 0; i < handlers.count; i++) {
        const AstExcepthandler *h = handlers.items[i];
        if (h == NULL)
            return bad(v, "None disallowed in handler list", "", "");
        if (!place_ok(v, h) || !optional(v, h->ExceptHandler.type) ||
            !body(v, h->ExceptHandler.body, "ExceptHandler"))
            return false;
    }
    return stmts(v, final) && stmts(v, orelse);
}

static bool
stmt(V *v, const AstStmt *s)
{
    if (s == NULL)
        return bad(v, "None disallowed in statement list", "", "");
    if (deep(v) || !place_ok(v, s))
        return false;
    switch (s->kind) {
    case AST_FunctionDef:
        return body(v, s->FunctionDef.body, "FunctionDef") && params(v, s->FunctionDef.args) &&
               exprs(v, s->FunctionDef.decorator_list, AST_Load, false) && optional(v, s->FunctionDef.returns);
    case AST_AsyncFunctionDef:
        return body(v, s->AsyncFunctionDef.body, "AsyncFunctionDef") && params(v, s->AsyncFunctionDef.args) &&
               exprs(v, s->AsyncFunctionDef.decorator_list, AST_Load, false) &&
               optional(v, s->AsyncFunctionDef.returns);
    case AST_ClassDef:
        return body(v, s->ClassDef.body, "ClassDef") && exprs(v, s->ClassDef.bases, AST_Load, false) &&
               keywords(v, s->ClassDef.keywords) && exprs(v, s->ClassDef.decorator_list, AST_Load, false);
    case AST_Return:
        return optional(v, s->Return.value);
    case AST_Delete:
        return targets(v, s->Delete.targets, AST_Del, "Delete");
    case AST_Assign:
        return targets(v, s->Assign.targets, AST_Store, "Assign") && expr(v, s->Assign.value, AST_Load);
    case AST_AugAssign:
        return expr(v, s->AugAssign.target, AST_Store) && expr(v, s->AugAssign.value, AST_Load);
    case AST_AnnAssign:
        if (s->AnnAssign.target && s->AnnAssign.target->kind != AST_Name && s->AnnAssign.simple) {
            raise_type_error(v->th, "AnnAssign with simple non-Name target");
            return false;
        }
        return expr(v, s->AnnAssign.target, AST_Store) && optional(v, s->AnnAssign.value) &&
               expr(v, s->AnnAssign.annotation, AST_Load);
    case AST_For:
        return expr(v, s->For.target, AST_Store) && expr(v, s->For.iter, AST_Load) &&
               body(v, s->For.body, "For") && stmts(v, s->For.orelse);
    case AST_AsyncFor:
        return expr(v, s->AsyncFor.target, AST_Store) && expr(v, s->AsyncFor.iter, AST_Load) &&
               body(v, s->AsyncFor.body, "AsyncFor") && stmts(v, s->AsyncFor.orelse);
    case AST_While:
        return expr(v, s->While.test, AST_Load) && body(v, s->While.body, "While") && stmts(v, s->While.orelse);
    case AST_If:
        return expr(v, s->If.test, AST_Load) && body(v, s->If.body, "If") && stmts(v, s->If.orelse);
    case AST_With:
        return with_items(v, s->With.items, "With") && body(v, s->With.body, "With");
    case AST_AsyncWith:
        return with_items(v, s->AsyncWith.items, "AsyncWith") && body(v, s->AsyncWith.body, "AsyncWith");
    case AST_Match:
        if (s->Match.cases.count == 0)
            return bad(v, "empty cases on Match", "", "");
        if (!expr(v, s->Match.subject, AST_Load))
            return false;
        for (uint32_t i = 0; i < s->Match.cases.count; i++) {
            const AstMatchCase *c = s->Match.cases.items[i];
            if (!pattern(v, c->pattern, false) || !optional(v, c->guard) || !body(v, c->body, "match_case"))
                return false;
        }
        return true;
    case AST_Raise:
        if (s->Raise.exc == NULL && s->Raise.cause)
            return bad(v, "Raise with cause but no exception", "", "");
        return optional(v, s->Raise.exc) && optional(v, s->Raise.cause);
    case AST_Try:
        return try_stmt(v, s->Try.body, s->Try.handlers, s->Try.orelse, s->Try.finalbody, "Try");
    case AST_TryStar:
        return try_stmt(v, s->TryStar.body, s->TryStar.handlers, s->TryStar.orelse, s->TryStar.finalbody,
                        "TryStar");
    case AST_Assert:
        return expr(v, s->Assert.test, AST_Load) && optional(v, s->Assert.msg);
    case AST_Import:
        return s->Import.names.count ? true : bad(v, "empty names on Import", "", "");
    case AST_ImportFrom:
        if (s->ImportFrom.level < 0)
            return bad(v, "Negative ImportFrom level", "", "");
        return s->ImportFrom.names.count ? true : bad(v, "empty names on ImportFrom", "", "");
    case AST_Global:
        return s->Global.names.count ? true : bad(v, "empty names on Global", "", "");
    case AST_Nonlocal:
        return s->Nonlocal.names.count ? true : bad(v, "empty names on Nonlocal", "", "");
    case AST_Expr:
        return expr(v, s->Expr.value, AST_Load);
    default:
        return true;
    }
}

static bool
stmts(V *v, AstStmts list)
{
    for (uint32_t i = 0; i < list.count; i++)
        if (!stmt(v, list.items[i]))
            return false;
    return true;
}

static bool
body(V *v, AstStmts list, const char *owner)
{
    if (list.count == 0)
        return bad(v, "empty body on %s", owner, "");
    return stmts(v, list);
}

bool
ast_validate(Thread *th, const AstMod *mod)
{
    V v = {th};
    switch (mod->kind) {
    case AST_Module:
        return stmts(&v, mod->Module.body);
    case AST_Interactive:
        return stmts(&v, mod->Interactive.body);
    case AST_Expression:
        return expr(&v, mod->Expression.body, AST_Load);
    default:
        raise_value_error(th, "impossible module node");
        return false;
    }
}

static void
release(void *context, Value value)
{
    drop((Thread *)context, value);
}

void
ast_start(Ast *ast, Thread *th)
{
    ast_init(ast, release, th);
}
