/* unparse.c -- an expression back to text, for `from __future__ import annotations`.
 *
 * Parentheses stand only where the precedence of the language asks for them.
 */
#include "core/compile/compile.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

enum {
    P_TUPLE, P_TEST, P_OR, P_AND, P_NOT, P_COMPARE, P_BITOR, P_BITXOR, P_BITAND, P_SHIFT, P_ARITH, P_TERM,
    P_FACTOR, P_POWER, P_AWAIT, P_ATOM
};

typedef struct Out {
    Thread *th;
    StrBuilder b;
} Out;

static bool put(Out *o, const AstExpr *e, int level);
static Value unparse_at(Thread *th, const AstExpr *e, int level);

static bool
text(Out *o, const char *s)
{
    return str_builder_c(o->th, &o->b, s);
}

static bool
string(Out *o, Value s)
{
    return str_builder_str(o->th, &o->b, s);
}

static bool
list(Out *o, AstExprs items, int level)
{
    for (uint32_t i = 0; i < items.count; i++)
        if ((i && !text(o, ", ")) || !put(o, items.items[i], level))
            return false;
    return true;
}

static bool
opened(Out *o, bool parentheses)
{
    return !parentheses || text(o, "(");
}

static bool
closed(Out *o, bool parentheses)
{
    return !parentheses || text(o, ")");
}

static bool
put_binop(Out *o, const AstExpr *e, int level)
{
    static const struct {
        const char *text;
        int level;
        bool right;
    } ops[] = {
        [AST_Add] = {" + ", P_ARITH, false},      [AST_Sub] = {" - ", P_ARITH, false},
        [AST_Mult] = {" * ", P_TERM, false},      [AST_MatMult] = {" @ ", P_TERM, false},
        [AST_Div] = {" / ", P_TERM, false},       [AST_Mod] = {" % ", P_TERM, false},
        [AST_FloorDiv] = {" // ", P_TERM, false}, [AST_LShift] = {" << ", P_SHIFT, false},
        [AST_RShift] = {" >> ", P_SHIFT, false},  [AST_BitOr] = {" | ", P_BITOR, false},
        [AST_BitXor] = {" ^ ", P_BITXOR, false},  [AST_BitAnd] = {" & ", P_BITAND, false},
        [AST_Pow] = {" ** ", P_POWER, true},
    };
    int own = ops[e->BinOp.op].level;
    bool right = ops[e->BinOp.op].right, paren = level > own;
    return opened(o, paren) && put(o, e->BinOp.left, own + right) && text(o, ops[e->BinOp.op].text) &&
           put(o, e->BinOp.right, own + !right) && closed(o, paren);
}

static bool
put_compare(Out *o, const AstExpr *e, int level)
{
    static const char *const ops[] = {
        [AST_Eq] = " == ", [AST_NotEq] = " != ", [AST_Lt] = " < ",          [AST_LtE] = " <= ",
        [AST_Gt] = " > ",  [AST_GtE] = " >= ",   [AST_Is] = " is ",         [AST_IsNot] = " is not ",
        [AST_In] = " in ", [AST_NotIn] = " not in ",
    };
    bool paren = level > P_COMPARE;
    if (!opened(o, paren) || !put(o, e->Compare.left, P_COMPARE + 1))
        return false;
    for (uint32_t i = 0; i < e->Compare.ops.count; i++)
        if (!text(o, ops[e->Compare.ops.items[i]]) ||
            !put(o, e->Compare.comparators.items[i], P_COMPARE + 1))
            return false;
    return closed(o, paren);
}

static bool
put_params(Out *o, const AstArguments *a)
{
    bool first = true;
    uint32_t total = a->posonlyargs.count + a->args.count, plain = total - a->defaults.count;
    for (uint32_t i = 0; i < total; i++) {
        const AstArg *p = i < a->posonlyargs.count ? a->posonlyargs.items[i]
                                                   : a->args.items[i - a->posonlyargs.count];
        if ((!first && !text(o, ", ")) || !string(o, p->arg))
            return false;
        first = false;
        if (i >= plain && (!text(o, "=") || !put(o, a->defaults.items[i - plain], P_TEST)))
            return false;
        if (a->posonlyargs.count && i + 1 == a->posonlyargs.count && !text(o, ", /"))
            return false;
    }
    if (a->vararg || a->kwonlyargs.count) {
        if ((!first && !text(o, ", ")) || !text(o, "*") || (a->vararg && !string(o, a->vararg->arg)))
            return false;
        first = false;
    }
    for (uint32_t i = 0; i < a->kwonlyargs.count; i++) {
        if (!text(o, ", ") || !string(o, a->kwonlyargs.items[i]->arg))
            return false;
        if (a->kw_defaults.items[i] && (!text(o, "=") || !put(o, a->kw_defaults.items[i], P_TEST)))
            return false;
    }
    if (a->kwarg && ((!first && !text(o, ", ")) || !text(o, "**") || !string(o, a->kwarg->arg)))
        return false;
    return true;
}

static bool
put_generators(Out *o, AstComprehensions list)
{
    for (uint32_t i = 0; i < list.count; i++) {
        const AstComprehension *g = list.items[i];
        if (!text(o, g->is_async ? " async for " : " for ") || !put(o, g->target, P_TUPLE) ||
            !text(o, " in ") || !put(o, g->iter, P_TEST + 1))
            return false;
        for (uint32_t k = 0; k < g->ifs.count; k++)
            if (!text(o, " if ") || !put(o, g->ifs.items[k], P_TEST + 1))
                return false;
    }
    return true;
}

static bool
put_call(Out *o, const AstExpr *e)
{
    if (!put(o, e->Call.func, P_ATOM))
        return false;
    AstExprs args = e->Call.args;
    AstKeywords keywords = e->Call.keywords;
    if (args.count == 1 && keywords.count == 0 && args.items[0]->kind == AST_GeneratorExp)
        return put(o, args.items[0], P_ATOM);
    if (!text(o, "(") || !list(o, args, P_TEST))
        return false;
    for (uint32_t i = 0; i < keywords.count; i++) {
        if ((args.count || i) && !text(o, ", "))
            return false;
        if (keywords.items[i]->arg ? !string(o, keywords.items[i]->arg) || !text(o, "=") : !text(o, "**"))
            return false;
        if (!put(o, keywords.items[i]->value, P_TEST))
            return false;
    }
    return text(o, ")");
}

/* Constant text of an f-string: braces doubled. */
static bool
put_literal(Out *o, Value s)
{
    for (size_t i = 0; i < str_length(s); i++) {
        uint32_t c = str_char(as_str(s), i);
        if (!str_builder_char(o->th, &o->b, c) ||
            ((c == '{' || c == '}') && !str_builder_char(o->th, &o->b, c)))
            return false;
    }
    return true;
}

static bool
put_fstring_part(Out *o, const AstExpr *e, bool in_spec)
{
    if (e->kind == AST_Constant)
        return put_literal(o, e->Constant.value);
    if (e->kind == AST_JoinedStr) {
        for (uint32_t i = 0; i < e->JoinedStr.values.count; i++)
            if (!put_fstring_part(o, e->JoinedStr.values.items[i], in_spec))
                return false;
        return true;
    }
    Value inner = unparse_at(o->th, e->FormattedValue.value, P_TEST + 1);
    if (inner == NULL)
        return false;
    bool brace = str_length(inner) && str_char(as_str(inner), 0) == '{';
    bool ok = text(o, brace ? "{ " : "{") && string(o, inner);
    drop(o->th, inner);
    if (!ok)
        return false;
    int conversion = e->FormattedValue.conversion;
    if (conversion > 0 && (!text(o, "!") || !str_builder_char(o->th, &o->b, (uint32_t)conversion)))
        return false;
    if (e->FormattedValue.format_spec &&
        (!text(o, ":") || !put_fstring_part(o, e->FormattedValue.format_spec, true)))
        return false;
    return text(o, "}");
}

static bool
put_fstring(Out *o, const AstExpr *e)
{
    Out inner = {.th = o->th};
    str_builder_init(&inner.b);
    Value body = put_fstring_part(&inner, e, false) ? str_builder_finish(o->th, &inner.b) : NULL;
    if (body == NULL) {
        str_builder_free(&inner.b);
        return false;
    }
    Value quoted = to_repr(o->th, body);
    drop(o->th, body);
    bool ok = quoted && text(o, "f") && string(o, quoted);
    drop_null(o->th, quoted);
    return ok;
}

static bool
put_constant(Out *o, Value v)
{
    if (v == ELLIPSIS)
        return text(o, "...");
    Value r = to_repr(o->th, v);
    if (r == NULL)
        return false;
    /* inf is written as a literal that overflows. */
    if (is_exact(v, SHAPE_FLOAT) || is_exact(v, SHAPE_COMPLEX)) {
        Value inf = str_from_c(o->th, "inf"), big = inf ? str_from_c(o->th, "1e309") : NULL;
        Value s = big ? str_replace(o->th, r, inf, big, -1) : NULL;
        drop_null(o->th, inf);
        drop_null(o->th, big);
        drop(o->th, r);
        if (s == NULL)
            return false;
        r = s;
    }
    bool ok = string(o, r);
    drop(o->th, r);
    return ok;
}

static bool
put_slice(Out *o, const AstExpr *e)
{
    return (!e->Slice.lower || put(o, e->Slice.lower, P_TEST)) && text(o, ":") &&
           (!e->Slice.upper || put(o, e->Slice.upper, P_TEST)) &&
           (!e->Slice.step || (text(o, ":") && put(o, e->Slice.step, P_TEST)));
}

static bool
put(Out *o, const AstExpr *e, int level)
{
    if (thread_stack_low(o->th)) {
        raise_recursion(o->th, " during compilation");
        return false;
    }
    bool paren;
    switch (e->kind) {
    case AST_Name:
        return string(o, e->Name.id);
    case AST_Constant:
        return (e->Constant.kind == NULL || string(o, e->Constant.kind)) && put_constant(o, e->Constant.value);
    case AST_Attribute:
        return put(o, e->Attribute.value, P_ATOM) &&
               text(o, e->Attribute.value->kind == AST_Constant && is_int(e->Attribute.value->Constant.value)
                           ? " ." : ".") && string(o, e->Attribute.attr);
    case AST_Subscript:
        return put(o, e->Subscript.value, P_ATOM) && text(o, "[") && put(o, e->Subscript.slice, P_TUPLE) &&
               text(o, "]");
    case AST_Slice:
        return put_slice(o, e);
    case AST_Starred:
        return text(o, "*") && put(o, e->Starred.value, P_BITOR);
    case AST_Call:
        return put_call(o, e);
    case AST_BinOp:
        return put_binop(o, e, level);
    case AST_UnaryOp: {
        static const char *const ops[] = {
            [AST_Invert] = "~", [AST_Not] = "not ", [AST_UAdd] = "+", [AST_USub] = "-"};
        int own = e->UnaryOp.op == AST_Not ? P_NOT : P_FACTOR;
        paren = level > own;
        return opened(o, paren) && text(o, ops[e->UnaryOp.op]) && put(o, e->UnaryOp.operand, own) &&
               closed(o, paren);
    }
    case AST_BoolOp: {
        int own = e->BoolOp.op == AST_And ? P_AND : P_OR;
        paren = level > own;
        if (!opened(o, paren))
            return false;
        for (uint32_t i = 0; i < e->BoolOp.values.count; i++)
            if ((i && !text(o, own == P_AND ? " and " : " or ")) ||
                !put(o, e->BoolOp.values.items[i], own + 1))
                return false;
        return closed(o, paren);
    }
    case AST_Compare:
        return put_compare(o, e, level);
    case AST_IfExp:
        paren = level > P_TEST;
        return opened(o, paren) && put(o, e->IfExp.body, P_TEST + 1) && text(o, " if ") &&
               put(o, e->IfExp.test, P_TEST + 1) && text(o, " else ") && put(o, e->IfExp.orelse, P_TEST) &&
               closed(o, paren);
    case AST_Lambda:
        paren = level > P_TEST;
        return opened(o, paren) && text(o, "lambda") &&
               (e->Lambda.args->posonlyargs.count + e->Lambda.args->args.count +
                        e->Lambda.args->kwonlyargs.count == 0 &&
                    !e->Lambda.args->vararg && !e->Lambda.args->kwarg
                    ? true
                    : text(o, " ")) &&
               put_params(o, e->Lambda.args) && text(o, ": ") && put(o, e->Lambda.body, P_TEST) &&
               closed(o, paren);
    case AST_Tuple:
        if (e->Tuple.elts.count == 0)
            return text(o, "()");
        paren = level > P_TUPLE;
        return opened(o, paren) && list(o, e->Tuple.elts, P_TEST) &&
               (e->Tuple.elts.count != 1 || text(o, ",")) && closed(o, paren);
    case AST_List:
        return text(o, "[") && list(o, e->List.elts, P_TEST) && text(o, "]");
    case AST_Set:
        return text(o, "{") && list(o, e->Set.elts, P_TEST) && text(o, "}");
    case AST_Dict:
        if (!text(o, "{"))
            return false;
        for (uint32_t i = 0; i < e->Dict.keys.count; i++) {
            if (i && !text(o, ", "))
                return false;
            if (e->Dict.keys.items[i] ? !put(o, e->Dict.keys.items[i], P_TEST) || !text(o, ": ")
                                      : !text(o, "**"))
                return false;
            if (!put(o, e->Dict.values.items[i], e->Dict.keys.items[i] ? P_TEST : P_BITOR))
                return false;
        }
        return text(o, "}");
    case AST_ListComp:
        return text(o, "[") && put(o, e->ListComp.elt, P_TEST) &&
               put_generators(o, e->ListComp.generators) && text(o, "]");
    case AST_SetComp:
        return text(o, "{") && put(o, e->SetComp.elt, P_TEST) && put_generators(o, e->SetComp.generators) &&
               text(o, "}");
    case AST_DictComp:
        return text(o, "{") && put(o, e->DictComp.key, P_TEST) && text(o, ": ") &&
               put(o, e->DictComp.value, P_TEST) && put_generators(o, e->DictComp.generators) &&
               text(o, "}");
    case AST_GeneratorExp:
        return text(o, "(") && put(o, e->GeneratorExp.elt, P_TEST) &&
               put_generators(o, e->GeneratorExp.generators) && text(o, ")");
    case AST_JoinedStr:
    case AST_FormattedValue:
        return put_fstring(o, e);
    case AST_NamedExpr:
        return text(o, "(") && put(o, e->NamedExpr.target, P_ATOM) && text(o, " := ") &&
               put(o, e->NamedExpr.value, P_ATOM) && text(o, ")");
    case AST_Await:
        paren = level > P_AWAIT;
        return opened(o, paren) && text(o, "await ") && put(o, e->Await.value, P_ATOM) && closed(o, paren);
    case AST_Yield:
        return text(o, e->Yield.value ? "(yield " : "(yield") &&
               (!e->Yield.value || put(o, e->Yield.value, P_TUPLE)) && text(o, ")");
    case AST_YieldFrom:
        return text(o, "(yield from ") && put(o, e->YieldFrom.value, P_TEST) && text(o, ")");
    default:
        raise_system_error(o->th, "unexpected expression");
        return false;
    }
}

static Value
unparse_at(Thread *th, const AstExpr *e, int level)
{
    Out o = {.th = th};
    str_builder_init(&o.b);
    if (!put(&o, e, level)) {
        str_builder_free(&o.b);
        return NULL;
    }
    return str_builder_finish(th, &o.b);
}

Value
ast_unparse_value(Thread *th, const AstExpr *e)
{
    return unparse_at(th, e, P_TEST);
}
