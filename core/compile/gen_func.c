/* gen_func.c -- functions, lambdas, comprehensions, classes: code inside code. */
#include "core/compile/gen.h"

bool
body_docstring(AstStmts body, Value *doc)
{
    if (body.count == 0 || body.items[0]->kind != AST_Expr)
        return false;
    AstExpr *e = body.items[0]->Expr.value;
    if (e->kind != AST_Constant || !is_exact(e->Constant.value, SHAPE_STR))
        return false;
    *doc = e->Constant.value;
    return true;
}

/* Marks variables that a `del` or `except ... as` may unbind somewhere: checked at each use. */
static void mark_deleted(Unit *u, AstStmts body);

static void
mark_name(Unit *u, Value name)
{
    int reg = gen_local_register(u, name);
    if (reg >= 0)
        u->deleted[reg / 64] |= (uint64_t)1 << (reg % 64);
}

static void
mark_target(Unit *u, AstExpr *e)
{
    if (e->kind == AST_Name)
        mark_name(u, e->Name.id);
    else if (e->kind == AST_Tuple)
        for (uint32_t i = 0; i < e->Tuple.elts.count; i++)
            mark_target(u, e->Tuple.elts.items[i]);
    else if (e->kind == AST_List)
        for (uint32_t i = 0; i < e->List.elts.count; i++)
            mark_target(u, e->List.elts.items[i]);
}

static void
mark_handlers(Unit *u, AstExcepthandlers handlers)
{
    for (uint32_t i = 0; i < handlers.count; i++) {
        if (handlers.items[i]->ExceptHandler.name)
            mark_name(u, handlers.items[i]->ExceptHandler.name);
        mark_deleted(u, handlers.items[i]->ExceptHandler.body);
    }
}

static void
mark_deleted(Unit *u, AstStmts body)
{
    for (uint32_t i = 0; i < body.count && !u->c->failed; i++) {
        AstStmt *st = body.items[i];
        switch (st->kind) {
        case AST_Delete:
            for (uint32_t k = 0; k < st->Delete.targets.count; k++)
                mark_target(u, st->Delete.targets.items[k]);
            break;
        case AST_For:
            mark_deleted(u, st->For.body);
            mark_deleted(u, st->For.orelse);
            break;
        case AST_AsyncFor:
            mark_deleted(u, st->AsyncFor.body);
            mark_deleted(u, st->AsyncFor.orelse);
            break;
        case AST_While:
            mark_deleted(u, st->While.body);
            mark_deleted(u, st->While.orelse);
            break;
        case AST_If:
            mark_deleted(u, st->If.body);
            mark_deleted(u, st->If.orelse);
            break;
        case AST_With:
            mark_deleted(u, st->With.body);
            break;
        case AST_AsyncWith:
            mark_deleted(u, st->AsyncWith.body);
            break;
        case AST_Match:
            for (uint32_t k = 0; k < st->Match.cases.count; k++)
                mark_deleted(u, st->Match.cases.items[k]->body);
            break;
        case AST_Try:
            mark_deleted(u, st->Try.body);
            mark_handlers(u, st->Try.handlers);
            mark_deleted(u, st->Try.orelse);
            mark_deleted(u, st->Try.finalbody);
            break;
        case AST_TryStar:
            mark_deleted(u, st->TryStar.body);
            mark_handlers(u, st->TryStar.handlers);
            mark_deleted(u, st->TryStar.orelse);
            mark_deleted(u, st->TryStar.finalbody);
            break;
        default:
            break;
        }
    }
}

/* -- the start of a body ----------------------------------------------------------------------------- */

static void
start_body(Unit *u)
{
    u->pos = (Position){u->scope->lineno, u->scope->lineno, 0, 0};
    for (uint32_t i = 0; i < u->temp_base; i++)
        if (u->var_kinds.items[i] & VAR_CELL)
            emit(u, OP_MAKE_CELL, 0, i, 0, 0);
    if (u->flags & (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR))
        emit(u, OP_RETURN_GENERATOR, 0, 0, 0, 0);
    emit(u, OP_RESUME, 0, 0, 0, 0);
    /* Parameters hold values. */
    if (u->scope->kind == SCOPE_FUNCTION) {
        unsigned params = u->arg_count + u->kwonly_count + !!(u->flags & CODE_VARARGS) +
                          !!(u->flags & CODE_VARKEYWORDS);
        for (unsigned i = 0; i < params; i++)
            bound_set(u, i);
    }
}

static void
count_params(Unit *u, AstArguments *a)
{
    u->posonly_count = a->posonlyargs.count;
    u->arg_count = a->posonlyargs.count + a->args.count;
    u->kwonly_count = a->kwonlyargs.count;
}

/* -- making the function object -------------------------------------------------------------------------- */

/* The register of the enclosing unit that holds the cell of `name`. */
static int
cell_register(Unit *u, Value name)
{
    if (name == NAME(__class__) && u->class_cell_reg >= 0)
        return u->class_cell_reg;
    Symbol *sym = scope_find(u->scope, name);
    return sym ? sym->reg : -1;
}

/* Emits MAKE_FUNCTION for `code` (a reference is taken over).  The optional parts below lie in
 * consecutive temporaries from `parts`. */
static void
make_function(Unit *u, Unit *inner, Value STEALS code, unsigned parts, unsigned flags, Dest d)
{
    if (code == NULL || u->c->failed) {
        drop_null(u->th, code);
        return;
    }
    unsigned next = u->top;
    if (inner->free_count) {
        unsigned base = u->top;
        uint32_t n = 0;
        for (uint32_t i = 0; i < inner->temp_base; i++)
            if (inner->var_kinds.items[i] & VAR_FREE) {
                int reg = cell_register(u, inner->var_names.items[i]);
                CHECK(reg >= 0);
                unsigned t = temp_new(u);
                emit(u, OP_LOAD_CLOSURE, 0, t, (unsigned)reg, 0);
                live_add(u, t);
                n++;
            }
        emit(u, OP_BUILD_TUPLE, 0, base, base, n);
        for (unsigned i = n; i-- > 1;)
            live_del(u, base + i);
        u->top = base + 1;
        flags |= 4 << SUB_SHIFT;
        next = u->top;
    }
    unsigned index = gen_const(u, code);
    drop(u->th, code);
    if (index > 65535) {
        if (!u->c->failed) {
            u->c->failed = true;
            raise_error(u->th, &exc_OverflowError, "too many constants before a function");
        }
        return;
    }
    emit(u, OP_MAKE_FUNCTION, flags | d.flags, d.reg, index, parts);
    for (unsigned r = next; r-- > parts;)
        live_del(u, r);
    u->top = parts;
    dest_done(u, d);
}

static void
gen_defaults(Unit *u, AstArguments *a, unsigned *flags)
{
    if (a->defaults.count) {
        unsigned t = temp_new(u);
        gen_sequence(u, a->defaults, OP_BUILD_TUPLE, (Dest){(uint16_t)t, 0});
        *flags |= FLAG_X;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->kw_defaults.count; i++)
        n += a->kw_defaults.items[i] != NULL;
    if (n == 0)
        return;
    unsigned t = temp_new(u);
    emit(u, OP_BUILD_MAP, 0, t, u->top, 0);
    live_add(u, t);
    for (uint32_t i = 0; i < a->kw_defaults.count && !u->c->failed; i++) {
        if (a->kw_defaults.items[i] == NULL)
            continue;
        Opnd k = {(uint16_t)temp_new(u), true};
        load_const(u, gen_mangle(u, a->kwonlyargs.items[i]->arg), (Dest){k.reg, 0});
        Opnd v = gen_expr_temp(u, a->kw_defaults.items[i]);
        emit(u, OP_MAP_ADD, B_DEAD | C_DEAD, t, k.reg, v.reg);
        opnd_end(u, v);
        opnd_end(u, k);
    }
    *flags |= 1 << SUB_SHIFT;
}

static void
gen_annotation(Unit *u, Value name, AstExpr *annotation, uint32_t *count)
{
    if (annotation == NULL || u->c->failed)
        return;
    unsigned t = temp_new(u);
    load_const(u, gen_mangle(u, name), (Dest){(uint16_t)t, 0});
    t = temp_new(u);
    if (u->c->future & CODE_FUTURE_ANNOTATIONS)
        load_const(u, keep_value(u->c, ast_unparse_value(u->th, annotation)), (Dest){(uint16_t)t, 0});
    else if (annotation->kind == AST_Starred) { /* *args: *Ts */
        Opnd v = gen_expr_temp(u, annotation->Starred.value);
        gen_at(u, annotation);
        emit(u, OP_UNPACK, B_DEAD, t, v.reg, 1);
        live_add(u, t);
        opnd_end(u, v);
    } else
        gen_into(u, annotation, (Dest){(uint16_t)t, 0});
    *count += 2;
}

static void
gen_annotations(Unit *u, AstArguments *a, AstExpr *returns, unsigned *flags)
{
    unsigned base = u->top;
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->args.count; i++)
        gen_annotation(u, a->args.items[i]->arg, a->args.items[i]->annotation, &n);
    for (uint32_t i = 0; i < a->posonlyargs.count; i++)
        gen_annotation(u, a->posonlyargs.items[i]->arg, a->posonlyargs.items[i]->annotation, &n);
    if (a->vararg)
        gen_annotation(u, a->vararg->arg, a->vararg->annotation, &n);
    for (uint32_t i = 0; i < a->kwonlyargs.count; i++)
        gen_annotation(u, a->kwonlyargs.items[i]->arg, a->kwonlyargs.items[i]->annotation, &n);
    if (a->kwarg)
        gen_annotation(u, a->kwarg->arg, a->kwarg->annotation, &n);
    gen_annotation(u, NAME(return_), returns, &n);
    if (n == 0)
        return;
    emit(u, OP_BUILD_TUPLE, 0, base, base, n);
    for (unsigned i = n; i-- > 1;)
        live_del(u, base + i);
    live_add(u, base);
    u->top = base + 1;
    *flags |= 2 << SUB_SHIFT;
}

/* `where`: the function, at which an error stands. */
static void
check_params(Unit *u, AstArguments *a, const void *where)
{
    for (uint32_t i = 0; i < a->posonlyargs.count; i++)
        if (a->posonlyargs.items[i]->arg == NAME(__debug__))
            gen_error(u, where, "cannot assign to __debug__");
    for (uint32_t i = 0; i < a->args.count; i++)
        if (a->args.items[i]->arg == NAME(__debug__))
            gen_error(u, where, "cannot assign to __debug__");
    for (uint32_t i = 0; i < a->kwonlyargs.count; i++)
        if (a->kwonlyargs.items[i]->arg == NAME(__debug__))
            gen_error(u, where, "cannot assign to __debug__");
    if (a->vararg && a->vararg->arg == NAME(__debug__))
        gen_error(u, where, "cannot assign to __debug__");
    if (a->kwarg && a->kwarg->arg == NAME(__debug__))
        gen_error(u, where, "cannot assign to __debug__");
}

/* -- decorators --------------------------------------------------------------------------------------------- */

/* Decorators are called from the last to the first: their windows are opened first. */
static unsigned
open_decorators(Unit *u, AstExprs list, unsigned *windows)
{
    for (uint32_t i = 0; i < list.count && !u->c->failed; i++) {
        windows[i] = temps_new(u, FRAME_WORDS);
        gen_into(u, list.items[i], (Dest){(uint16_t)windows[i], 0});
    }
    return temp_new(u);
}

/* `value` lies in the innermost window's argument place; the result is stored in `name`. */
static void
close_decorators(Unit *u, AstExprs list, const unsigned *windows, unsigned value, Value name,
                 const AstStmt *st)
{
    for (uint32_t i = list.count; i-- > 0 && !u->c->failed;) {
        gen_at(u, list.items[i]);
        unsigned to = windows[i];
        gen_call_window(u, windows[i], 1, (Dest){(uint16_t)to, 0});
        value = to; /* windows are adjacent: this is the next one's first argument, or below all */
    }
    gen_at(u, st);
    gen_store_name(u, name, (Opnd){(uint16_t)value, true}, st);
}

static unsigned *
window_array(Unit *u, AstExprs list)
{
    unsigned *w = arena_alloc(&u->c->arena, (list.count + 1) * sizeof *w);
    if (w == NULL) {
        u->c->failed = true;
        raise_memory(u->th);
    }
    return w;
}

static void
first_line(Scope *scope, AstExprs decorators)
{
    if (decorators.count && decorators.items[0]->lineno < scope->lineno)
        scope->lineno = decorators.items[0]->lineno;
}

/* -- functions ------------------------------------------------------------------------------------------------ */

static Value
function_code(Unit *u, Unit *inner, AstStmt *st, Value name, AstArguments *args, AstStmts body)
{
    Scope *scope = symbols_of(&u->c->symbols, (const AstNode *)st);
    if (!unit_begin(inner, u->c, u, scope, name))
        return NULL;
    count_params(inner, args);
    Value doc = NONE;
    bool has_doc = body_docstring(body, &doc);
    if (u->c->options->optimize >= 2)
        doc = NONE;
    gen_const(inner, doc);
    mark_deleted(inner, body);
    start_body(inner);
    if (has_doc) {
        body.items++;
        body.count--;
    }
    gen_body(inner, body);
    emit_wide(inner, OP_RETURN_CONST, 0, 0, (int32_t)gen_const(inner, NONE));
    return unit_finish(inner);
}

void
gen_function_def(Unit *u, AstStmt *st)
{
    bool async = st->kind == AST_AsyncFunctionDef;
    Value name = async ? st->AsyncFunctionDef.name : st->FunctionDef.name;
    AstArguments *args = async ? st->AsyncFunctionDef.args : st->FunctionDef.args;
    AstExprs decorators = async ? st->AsyncFunctionDef.decorator_list : st->FunctionDef.decorator_list;
    AstExpr *returns = async ? st->AsyncFunctionDef.returns : st->FunctionDef.returns;
    AstStmts body = async ? st->AsyncFunctionDef.body : st->FunctionDef.body;
    check_params(u, args, st);
    unsigned *windows = window_array(u, decorators);
    if (u->c->failed)
        return;
    unsigned mark = u->top;
    unsigned value = open_decorators(u, decorators, windows);
    gen_at(u, st);
    first_line(symbols_of(&u->c->symbols, (const AstNode *)st), decorators);
    unsigned parts = u->top, flags = 0;
    gen_defaults(u, args, &flags);
    gen_annotations(u, args, returns, &flags);
    Unit inner;
    Value code = function_code(u, &inner, st, name, args, body);
    make_function(u, &inner, code, parts, flags, (Dest){(uint16_t)value, 0});
    unit_free(&inner);
    close_decorators(u, decorators, windows, value, name, st);
    u->top = mark;
}

void
gen_lambda(Unit *u, AstExpr *e, Dest d)
{
    check_params(u, e->Lambda.args, e);
    unsigned parts = u->top, flags = 0;
    gen_defaults(u, e->Lambda.args, &flags);
    Scope *scope = symbols_of(&u->c->symbols, (const AstNode *)e);
    Unit inner;
    if (!unit_begin(&inner, u->c, u, scope, scope->name)) {
        unit_free(&inner);
        return;
    }
    count_params(&inner, e->Lambda.args);
    gen_const(&inner, NONE);
    start_body(&inner);
    Opnd v = gen_expr(&inner, e->Lambda.body);
    gen_at(&inner, e->Lambda.body);
    emit(&inner, OP_RETURN, v.temp ? A_DEAD : 0, v.reg, 0, 0);
    opnd_end(&inner, v);
    Value code = unit_finish(&inner);
    make_function(u, &inner, code, parts, flags, d);
    unit_free(&inner);
}

/* -- comprehensions ------------------------------------------------------------------------------------------- */

static void
comp_loop(Unit *u, AstExpr *e, AstComprehensions generators, uint32_t pos, AstExpr *element,
          AstExpr *value, enum CompKind kind, unsigned result);

static void
comp_innermost(Unit *u, AstExpr *e, AstExpr *element, AstExpr *value, enum CompKind kind, unsigned result)
{
    (void)e;
    switch (kind) {
    case COMP_GENERATOR: {
        Opnd v = gen_expr_temp(u, element);
        gen_at(u, element);
        if (u->flags & CODE_ASYNC_GENERATOR)
            emit(u, OP_ASYNC_GEN_WRAP, B_DEAD, v.reg, v.reg, 0);
        emit(u, OP_YIELD, B_DEAD, v.reg, v.reg, 0);
        emit(u, OP_DROP, 0, v.reg, 0, 0);
        opnd_end(u, v);
        break;
    }
    case COMP_DICT: {
        Opnd k = gen_expr_temp(u, element);
        Opnd v = gen_expr(u, value);
        gen_at(u, element);
        emit(u, OP_MAP_ADD, B_DEAD | (v.temp ? C_DEAD : 0), result, k.reg, v.reg);
        opnd_end(u, v);
        opnd_end(u, k);
        break;
    }
    default: {
        Opnd v = gen_expr(u, element);
        gen_at(u, element);
        emit(u, kind == COMP_LIST ? OP_LIST_APPEND : OP_SET_ADD, v.temp ? B_DEAD : 0, result, v.reg, 0);
        opnd_end(u, v);
    }
    }
}

static void
comp_async_loop(Unit *u, AstExpr *e, AstComprehensions generators, uint32_t pos, AstExpr *element,
                AstExpr *value, enum CompKind kind, unsigned result)
{
    AstComprehension *g = generators.items[pos];
    Label top = label_new(u), handler = label_new(u), end = label_new(u), again = label_new(u);
    unsigned it = temp_new(u);
    if (pos == 0) {
        emit(u, OP_COPY, 0, it, 0, 0); /* .0 is asynchronous already */
        live_add(u, it);
    } else {
        gen_into(u, g->iter, (Dest){(uint16_t)it, 0});
        emit(u, OP_GET_AITER, B_DEAD, it, it, 0);
    }
    label_bind(u, top);
    Block guard;
    block_push(u, &guard, BLOCK_TRY, handler);
    unsigned next = temp_new(u);
    emit(u, OP_GET_ANEXT, 0, next, it, 0);
    live_add(u, next);
    unsigned sent = temp_new(u);
    load_const(u, NONE, (Dest){(uint16_t)sent, 0});
    emit(u, OP_YIELD_FROM, 0, next, next, sent);
    temp_end(u, sent);
    block_pop(u, &guard);
    gen_store(u, g->target, (Opnd){(uint16_t)next, true});
    for (uint32_t i = 0; i < g->ifs.count; i++)
        gen_condition(u, g->ifs.items[i], again, false);
    if (pos + 1 < generators.count)
        comp_loop(u, e, generators, pos + 1, element, value, kind, result);
    else
        comp_innermost(u, e, element, value, kind, result);
    label_bind(u, again);
    emit_jump(u, OP_JUMP_BACK, 0, 0, top);
    label_bind(u, handler);
    emit_jump_extra(u, OP_END_ASYNC_FOR, 0, it, 0, 0, end);
    live_del(u, it);
    u->top = it;
    label_bind(u, end);
}

static void
comp_loop(Unit *u, AstExpr *e, AstComprehensions generators, uint32_t pos, AstExpr *element,
          AstExpr *value, enum CompKind kind, unsigned result)
{
    AstComprehension *g = generators.items[pos];
    if (thread_stack_low(u->th) || u->c->failed) {
        if (!u->c->failed) {
            u->c->failed = true;
            raise_recursion(u->th, " during compilation");
        }
        return;
    }
    uint64_t *before = bound_save(u);
    if (g->is_async) {
        comp_async_loop(u, e, generators, pos, element, value, kind, result);
        bound_restore(u, before);
        return;
    }
    Label top = label_new(u), end = label_new(u);
    unsigned it = temp_new(u);
    if (pos == 0) {
        emit(u, OP_COPY, 0, it, 0, 0);
        live_add(u, it);
    } else {
        gen_into(u, g->iter, (Dest){(uint16_t)it, 0});
        gen_at(u, g->iter);
        emit(u, OP_GET_ITER, B_DEAD, it, it, 0);
    }
    label_bind(u, top);
    gen_at(u, g->target);
    int reg = g->target->kind == AST_Name ? gen_local_register(u, g->target->Name.id) : -1;
    if (reg >= 0) {
        emit_jump_extra(u, OP_FOR_ITER, A_LIVE, it, (unsigned)reg, 0, end);
        bound_set(u, (unsigned)reg);
    } else {
        unsigned item = temp_new(u);
        emit_jump_extra(u, OP_FOR_ITER, 0, it, item, 0, end);
        live_add(u, item);
        gen_store(u, g->target, (Opnd){(uint16_t)item, true});
    }
    for (uint32_t i = 0; i < g->ifs.count; i++) {
        Label pass = label_new(u);
        gen_condition(u, g->ifs.items[i], pass, true);
        emit_jump(u, OP_JUMP_BACK, 0, 0, top);
        label_bind(u, pass);
    }
    if (pos + 1 < generators.count)
        comp_loop(u, e, generators, pos + 1, element, value, kind, result);
    else
        comp_innermost(u, e, element, value, kind, result);
    gen_at(u, e);
    emit_jump(u, OP_JUMP_BACK, 0, 0, top);
    live_del(u, it);
    u->top = it;
    label_bind(u, end);
    bound_restore(u, before);
}

void
gen_comprehension(Unit *u, AstExpr *e, Dest d)
{
    AstComprehensions generators;
    AstExpr *element, *value = NULL;
    switch (e->kind) {
    case AST_ListComp:
        generators = e->ListComp.generators;
        element = e->ListComp.elt;
        break;
    case AST_SetComp:
        generators = e->SetComp.generators;
        element = e->SetComp.elt;
        break;
    case AST_DictComp:
        generators = e->DictComp.generators;
        element = e->DictComp.key;
        value = e->DictComp.value;
        break;
    default:
        generators = e->GeneratorExp.generators;
        element = e->GeneratorExp.elt;
    }
    Scope *scope = symbols_of(&u->c->symbols, (const AstNode *)e);
    enum CompKind kind = scope->comp;
    bool async = scope->is_coroutine;
    if (async && kind != COMP_GENERATOR && !is_async_scope(u) && u->scope->comp == COMP_NONE) {
        if (!((u->c->options->flags & COMPILE_TOP_LEVEL_AWAIT) && u->scope->kind == SCOPE_MODULE)) {
            gen_error(u, e, "asynchronous comprehension outside of an asynchronous function");
            return;
        }
        u->flags |= CODE_COROUTINE;
    }
    Unit inner;
    if (!unit_begin(&inner, u->c, u, scope, scope->name)) {
        unit_free(&inner);
        return;
    }
    inner.arg_count = 1;
    gen_const(&inner, NONE); /* no docstring */
    start_body(&inner);
    gen_at(&inner, e);
    unsigned result = 0;
    if (kind != COMP_GENERATOR) {
        result = temp_new(&inner);
        emit(&inner, kind == COMP_LIST ? OP_BUILD_LIST : kind == COMP_SET ? OP_BUILD_SET : OP_BUILD_MAP, 0,
             result, inner.top, 0);
        live_add(&inner, result);
    }
    comp_loop(&inner, e, generators, 0, element, value, kind, result);
    gen_at(&inner, e);
    if (kind == COMP_GENERATOR)
        emit_wide(&inner, OP_RETURN_CONST, 0, 0, (int32_t)gen_const(&inner, NONE));
    else
        emit(&inner, OP_RETURN, A_DEAD, result, 0, 0);
    Value code = unit_finish(&inner);
    unsigned win = temps_new(u, FRAME_WORDS);
    unsigned parts = u->top;
    gen_at(u, e);
    make_function(u, &inner, code, parts, 0, (Dest){(uint16_t)win, 0});
    unit_free(&inner);
    if (u->c->failed)
        return;
    unsigned it = temp_new(u);
    AstComprehension *outer = generators.items[0];
    gen_into(u, outer->iter, (Dest){(uint16_t)it, 0});
    gen_at(u, outer->iter);
    emit(u, outer->is_async ? OP_GET_AITER : OP_GET_ITER, B_DEAD, it, it, 0);
    gen_at(u, e);
    if (async && kind != COMP_GENERATOR) {
        gen_call_window(u, win, 1, (Dest){(uint16_t)win, 0});
        gen_await(u, win, d, 0);
    } else
        gen_call_window(u, win, 1, d);
}

/* -- classes ---------------------------------------------------------------------------------------------------- */

static bool
annotates(AstStmts body)
{
    for (uint32_t i = 0; i < body.count; i++) {
        AstStmt *st = body.items[i];
        switch (st->kind) {
        case AST_AnnAssign:
            return true;
        case AST_For:
            if (annotates(st->For.body) || annotates(st->For.orelse))
                return true;
            break;
        case AST_While:
            if (annotates(st->While.body) || annotates(st->While.orelse))
                return true;
            break;
        case AST_If:
            if (annotates(st->If.body) || annotates(st->If.orelse))
                return true;
            break;
        case AST_With:
            if (annotates(st->With.body))
                return true;
            break;
        case AST_Try:
        case AST_TryStar: /* same fields, same layout */
            if (annotates(st->Try.body) || annotates(st->Try.orelse) || annotates(st->Try.finalbody))
                return true;
            for (uint32_t k = 0; k < st->Try.handlers.count; k++)
                if (annotates(st->Try.handlers.items[k]->ExceptHandler.body))
                    return true;
            break;
        case AST_Match:
            for (uint32_t k = 0; k < st->Match.cases.count; k++)
                if (annotates(st->Match.cases.items[k]->body))
                    return true;
            break;
        default:
            break;
        }
    }
    return false;
}

/* Docstring and annotations of a module or class body; `body` loses the docstring. */
void
gen_module_start(Unit *u, AstStmts *body, bool docstring)
{
    if (annotates(*body))
        emit(u, OP_SETUP_ANNOTATIONS, 0, 0, 0, 0);
    Value doc;
    if (docstring && body_docstring(*body, &doc)) {
        if (u->c->options->optimize < 2) {
            Opnd t = {(uint16_t)temp_new(u), true};
            gen_at(u, body->items[0]);
            load_const(u, doc, (Dest){t.reg, 0});
            gen_store_name(u, NAME(__doc__), t, body->items[0]);
        }
        body->items++;
        body->count--;
    }
}

static Value
class_code(Unit *u, Unit *inner, AstStmt *st)
{
    Scope *scope = symbols_of(&u->c->symbols, (const AstNode *)st);
    if (!unit_begin(inner, u->c, u, scope, st->ClassDef.name))
        return NULL;
    start_body(inner);
    Opnd t = {(uint16_t)temp_new(inner), true};
    gen_load_name(inner, NAME(__name__), (Dest){t.reg, 0}, st);
    gen_store_name(inner, NAME(__module__), t, st);
    t.reg = (uint16_t)temp_new(inner);
    load_const(inner, inner->qualname, (Dest){t.reg, 0});
    gen_store_name(inner, NAME(__qualname__), t, st);
    AstStmts body = st->ClassDef.body;
    gen_module_start(inner, &body, true);
    gen_body(inner, body);
    inner->pos = (Position){scope->lineno, scope->lineno, 0, 0};
    if (scope->needs_class_cell) {
        t.reg = (uint16_t)temp_new(inner);
        emit(inner, OP_LOAD_CLOSURE, 0, t.reg, (unsigned)inner->class_cell_reg, 0);
        live_add(inner, t.reg);
        unsigned copy = temp_new(inner);
        emit(inner, OP_COPY, 0, copy, t.reg, 0);
        live_add(inner, copy);
        gen_store_name(inner, NAME(__classcell__), (Opnd){(uint16_t)copy, true}, st);
        emit(inner, OP_RETURN, A_DEAD, t.reg, 0, 0);
        opnd_end(inner, t);
    } else
        emit_wide(inner, OP_RETURN_CONST, 0, 0, (int32_t)gen_const(inner, NONE));
    return unit_finish(inner);
}

void
gen_class_def(Unit *u, AstStmt *st)
{
    AstExprs decorators = st->ClassDef.decorator_list;
    unsigned *windows = window_array(u, decorators);
    if (u->c->failed)
        return;
    unsigned mark = u->top;
    unsigned value = open_decorators(u, decorators, windows);
    gen_at(u, st);
    first_line(symbols_of(&u->c->symbols, (const AstNode *)st), decorators);
    unsigned win = temps_new(u, FRAME_WORDS);
    emit(u, OP_LOAD_BUILD_CLASS, 0, win, 0, 0);
    live_add(u, win);
    unsigned body = temp_new(u);
    Unit inner;
    Value code = class_code(u, &inner, st);
    make_function(u, &inner, code, u->top, 0, (Dest){(uint16_t)body, 0});
    unit_free(&inner);
    unsigned name = temp_new(u);
    load_const(u, st->ClassDef.name, (Dest){(uint16_t)name, 0});
    gen_at(u, st);
    gen_call_args(u, win, false, st->ClassDef.bases, st->ClassDef.keywords, (Dest){(uint16_t)value, 0}, 2);
    if (u->c->failed)
        return;
    close_decorators(u, decorators, windows, value, st->ClassDef.name, st);
    u->top = mark;
}
