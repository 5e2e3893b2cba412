/* gen_stmt.c -- statements without blocks of their own, and bodies. */
#include "core/compile/gen.h"

static void
gen_if(Unit *u, AstStmt *st)
{
    Label other = label_new(u), end = label_new(u);
    gen_condition(u, st->If.test, other, false);
    uint64_t *at_test = bound_save(u);
    gen_body(u, st->If.body);
    if (st->If.orelse.count == 0) {
        label_bind(u, other);
        label_bind(u, end);
        bound_meet(u, at_test);
        return;
    }
    emit_jump(u, OP_JUMP, 0, 0, end);
    uint64_t *after_body = bound_save(u);
    label_bind(u, other);
    bound_restore(u, at_test);
    gen_body(u, st->If.orelse);
    bound_meet(u, after_body);
    label_bind(u, end);
}

static void
gen_raise(Unit *u, AstStmt *st)
{
    unsigned count = 0;
    Opnd exc = {0, false}, cause = {0, false};
    if (st->Raise.exc) {
        exc = gen_expr(u, st->Raise.exc);
        count = 1;
        if (st->Raise.cause) {
            cause = gen_expr(u, st->Raise.cause);
            count = 2;
        }
    }
    gen_at(u, st);
    emit(u, OP_RAISE, count << SUB_SHIFT | (exc.temp ? A_DEAD : 0) | (cause.temp ? B_DEAD : 0), exc.reg,
         cause.reg, 0);
    opnd_end(u, cause);
    opnd_end(u, exc);
    bound_unreachable(u);
}

static void
gen_assert(Unit *u, AstStmt *st)
{
    AstExpr *test = st->Assert.test;
    if ((test->kind == AST_Tuple && test->Tuple.elts.count > 0) ||
        (test->kind == AST_Constant && is_tuple(test->Constant.value) &&
         tuple_length(test->Constant.value) > 0))
        gen_warn(u, st, "assertion is always true, perhaps remove parentheses?");
    if (u->c->options->optimize)
        return;
    Label ok = label_new(u);
    gen_condition(u, test, ok, true);
    uint64_t *bound = bound_save(u);
    gen_at(u, st);
    unsigned win = temps_new(u, FRAME_WORDS);
    emit(u, OP_LOAD_ASSERTION_ERROR, 0, win, 0, 0);
    live_add(u, win);
    if (st->Assert.msg) {
        unsigned t = temp_new(u);
        gen_into(u, st->Assert.msg, (Dest){(uint16_t)t, 0});
        gen_at(u, st);
        gen_call_window(u, win, 1, (Dest){(uint16_t)win, 0});
    }
    gen_at(u, st);
    emit(u, OP_RAISE, 1 << SUB_SHIFT | A_DEAD, win, 0, 0);
    temp_end(u, win);
    bound_restore(u, bound);
    label_bind(u, ok);
}

static void
gen_import_name(Unit *u, Dest d, Value name, int level, Value fromlist)
{
    unsigned base = temps_new(u, 2);
    load_const(u, value_from_fixnum(level), (Dest){(uint16_t)base, 0});
    load_const(u, fromlist, (Dest){(uint16_t)(base + 1), 0});
    emit(u, OP_IMPORT_NAME, d.flags, d.reg, base, gen_name(u, name));
    temp_end(u, base + 1);
    temp_end(u, base);
    dest_done(u, d);
}

/* The part of a dotted name from `start` up to the next dot, interned and kept. */
static Value
name_part(Unit *u, Value name, size_t start, size_t *end)
{
    size_t n = str_length(name), i = start;
    while (i < n && str_char(as_str(name), i) != '.')
        i++;
    *end = i;
    if (start == 0 && i == n)
        return name;
    Value part = str_substring(u->th, name, start, i);
    return keep_value(u->c, part ? str_intern(u->th, part) : NULL);
}

static void
gen_import(Unit *u, AstStmt *st)
{
    for (uint32_t i = 0; i < st->Import.names.count && !u->c->failed; i++) {
        AstAlias *alias = st->Import.names.items[i];
        Opnd m = {(uint16_t)temp_new(u), true};
        gen_at(u, st);
        gen_import_name(u, (Dest){m.reg, 0}, alias->name, 0, NONE);
        size_t end, n = str_length(alias->name);
        Value part = name_part(u, alias->name, 0, &end);
        if (alias->asname == NULL) {
            gen_store_name(u, part, m, st);
            continue;
        }
        /* import a.b.c as d: the innermost module. */
        while (end < n && !u->c->failed) {
            part = name_part(u, alias->name, end + 1, &end);
            Opnd inner = {(uint16_t)temp_new(u), true};
            emit(u, OP_IMPORT_FROM, 0, inner.reg, m.reg, gen_name(u, part));
            live_add(u, inner.reg);
            emit(u, OP_DROP, 0, m.reg, 0, 0);
            live_del(u, m.reg);
            emit(u, OP_MOVE, 0, m.reg, inner.reg, 0);
            live_add(u, m.reg);
            temp_end(u, inner.reg);
        }
        gen_store_name(u, alias->asname, m, st);
    }
}

static void
gen_import_from(Unit *u, AstStmt *st)
{
    AstAliases names = st->ImportFrom.names;
    Value module = st->ImportFrom.module ? st->ImportFrom.module : str_empty;
    if (st->ImportFrom.level == 0 && str_equal_ascii(module, "__future__") &&
        st->mark != FUTURE_ACCEPTED) {
        gen_error(u, st, "from __future__ imports must occur at the beginning of the file");
        return;
    }
    Value list = u->c->failed ? NULL : tuple_new(u->th, names.count);
    if (list == NULL || keep_value(u->c, list) == NULL) {
        u->c->failed = true;
        return;
    }
    for (uint32_t i = 0; i < names.count; i++)
        tuple_init_item(list, i, retain(u->th, names.items[i]->name));
    Opnd m = {(uint16_t)temp_new(u), true};
    gen_import_name(u, (Dest){m.reg, 0}, module, st->ImportFrom.level, list);
    for (uint32_t i = 0; i < names.count && !u->c->failed; i++) {
        AstAlias *alias = names.items[i];
        if (i == 0 && str_equal_ascii(alias->name, "*")) {
            emit(u, OP_IMPORT_STAR, A_DEAD, m.reg, 0, 0);
            opnd_end(u, m);
            return;
        }
        Opnd item = {(uint16_t)temp_new(u), true};
        gen_at(u, st);
        emit(u, OP_IMPORT_FROM, 0, item.reg, m.reg, gen_name(u, alias->name));
        live_add(u, item.reg);
        gen_store_name(u, alias->asname ? alias->asname : alias->name, item, st);
    }
    emit(u, OP_DROP, 0, m.reg, 0, 0);
    opnd_end(u, m);
}

static void
gen_expr_stmt(Unit *u, AstStmt *st)
{
    AstExpr *e = st->Expr.value;
    if (u->c->interactive && u->scope->kind == SCOPE_MODULE) {
        Opnd v = gen_expr_temp(u, e);
        gen_at(u, st);
        emit(u, OP_PRINT_EXPR, A_DEAD, v.reg, 0, 0);
        opnd_end(u, v);
        return;
    }
    if (e->kind == AST_Constant)
        return;
    Opnd v = gen_expr(u, e);
    if (v.temp) {
        emit(u, OP_DROP, 0, v.reg, 0, 0);
        opnd_end(u, v);
    }
}

void
gen_stmt(Unit *u, AstStmt *st)
{
    if (u->c->failed)
        return;
    if (thread_stack_low(u->th)) {
        u->c->failed = true;
        raise_recursion(u->th, " during compilation");
        return;
    }
    gen_at(u, st);
    switch (st->kind) {
    case AST_FunctionDef:
    case AST_AsyncFunctionDef:
        gen_function_def(u, st);
        break;
    case AST_ClassDef:
        gen_class_def(u, st);
        break;
    case AST_Return:
        gen_return(u, st);
        break;
    case AST_Delete:
        for (uint32_t i = 0; i < st->Delete.targets.count; i++)
            gen_delete(u, st->Delete.targets.items[i]);
        break;
    case AST_Assign:
        gen_assign(u, st);
        break;
    case AST_AugAssign:
        gen_aug_assign(u, st);
        break;
    case AST_AnnAssign:
        gen_ann_assign(u, st);
        break;
    case AST_For:
        gen_for(u, st);
        break;
    case AST_AsyncFor:
        gen_async_for(u, st);
        break;
    case AST_While:
        gen_while(u, st);
        break;
    case AST_If:
        gen_if(u, st);
        break;
    case AST_With:
        gen_with(u, st, false);
        break;
    case AST_AsyncWith:
        gen_with(u, st, true);
        break;
    case AST_Match:
        gen_match(u, st);
        break;
    case AST_Raise:
        gen_raise(u, st);
        break;
    case AST_Try:
        gen_try(u, st);
        break;
    case AST_TryStar:
        gen_try_star(u, st);
        break;
    case AST_Assert:
        gen_assert(u, st);
        break;
    case AST_Import:
        gen_import(u, st);
        break;
    case AST_ImportFrom:
        gen_import_from(u, st);
        break;
    case AST_Expr:
        gen_expr_stmt(u, st);
        break;
    case AST_Break:
        gen_break(u, st, false);
        break;
    case AST_Continue:
        gen_break(u, st, true);
        break;
    default: /* Pass, Global, Nonlocal */
        break;
    }
}

void
gen_body(Unit *u, AstStmts body)
{
    for (uint32_t i = 0; i < body.count && !u->c->failed; i++)
        gen_stmt(u, body.items[i]);
}
