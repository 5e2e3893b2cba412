/* gen_block.c -- loops, with, try, and what leaves them.
 *
 * Each construct pushes a Block.  return, break and continue walk the blocks outwards and emit what
 * each one owes: drop the iterator, call __exit__, run the finally part, end the handler.  While
 * that code is emitted the block's protected range is suspended, so an exception in it goes further
 * out.  A handler starts with the exception still being raised (see ENTER_HANDLER).
 */
#include "core/compile/gen.h"

#include <string.h>

/* -- the state that code after a jump must restore ------------------------------------------------- */

typedef struct Saved {
    uint16_t *live;
    size_t count;
    uint32_t top;
} Saved;

static Saved
save_state(Unit *u)
{
    Saved s = {NULL, u->live.count, u->top};
    s.live = arena_alloc(&u->c->arena, (s.count + 1) * sizeof(uint16_t));
    if (s.live == NULL) {
        if (!u->c->failed) {
            u->c->failed = true;
            raise_memory(u->th);
        }
        s.count = 0;
    } else if (s.count)
        memcpy(s.live, u->live.items, s.count * sizeof(uint16_t));
    return s;
}

static void
restore_state(Unit *u, Saved s)
{
    while (u->live.count)
        live_del(u, u->live.items[u->live.count - 1]);
    for (size_t i = 0; i < s.count; i++)
        live_add(u, s.live[i]);
    u->top = s.top;
}

/* -- leaving blocks ------------------------------------------------------------------------------------ */

static void
drop_temp(Unit *u, unsigned reg)
{
    emit(u, OP_DROP, 0, reg, 0, 0);
    live_del(u, reg);
}

/* name = None; del name: the end of `except E as name`. */
static void
unbind_name(Unit *u, AstExpr *name)
{
    Opnd t = {(uint16_t)temp_new(u), true};
    load_const(u, NONE, (Dest){t.reg, 0});
    gen_store_name(u, name->Name.id, t, name);
    gen_delete_name(u, name->Name.id, name);
}

static void
leave_handler(Unit *u, unsigned reg)
{
    emit(u, OP_LEAVE_HANDLER, 0, reg, 0, 0);
    live_del(u, reg);
    live_del(u, reg + 1);
}

/* Calls the exit method in `reg` and the register behind it with three Nones, or with the parts of
 * the exception in `exc`: WITH_EXIT.  The result is in the register returned. */
static unsigned
call_exit(Unit *u, unsigned reg, int exc, bool is_async)
{
    unsigned win = temps_new(u, FRAME_WORDS + 4);
    if (exc >= 0) {
        emit(u, OP_WITH_EXIT, FLAG_X, reg, (unsigned)exc, win);
    } else {
        emit(u, OP_WITH_EXIT, 0, reg, 0, win);
        live_del(u, reg);
        live_del(u, reg + 1);
    }
    live_add(u, win);
    for (unsigned i = 0; i < 4; i++)
        live_add(u, win + FRAME_WORDS + i);
    emit(u, OP_CALL_METHOD, 0, win, 3, win);
    emit_extra(u, 0);
    for (unsigned i = 0; i < 4; i++)
        live_del(u, win + FRAME_WORDS + i);
    u->top = win + 1;
    if (is_async)
        gen_await(u, win, (Dest){(uint16_t)win, 0}, 2);
    return win;
}

/* The same at the end of a block that has not raised. */
static void
call_exit_none(Unit *u, unsigned reg, bool is_async)
{
    unsigned result = call_exit(u, reg, -1, is_async);
    emit(u, OP_DROP, 0, result, 0, 0);
    temp_end(u, result);
}

/* Emits what leaving `b` owes. */
static void
leave_block(Unit *u, Block *b)
{
    switch (b->kind) {
    case BLOCK_LOOP:
        if (b->reg >= 0)
            drop_temp(u, (unsigned)b->reg);
        break;
    case BLOCK_FINALLY: {
        Block *inner = u->block;
        u->block = b->outer;
        gen_body(u, *b->final);
        u->block = inner;
        break;
    }
    case BLOCK_HANDLER:
        leave_handler(u, (unsigned)b->reg);
        if (b->name)
            unbind_name(u, b->name);
        break;
    case BLOCK_FINALLY_END:
        leave_handler(u, (unsigned)b->reg);
        break;
    case BLOCK_WITH:
        gen_at(u, b->where);
        call_exit_none(u, (unsigned)b->reg, b->is_async);
        break;
    case BLOCK_TRY:
    case BLOCK_STAR:
        break;
    }
}

/* Leaves all blocks from the innermost out to `last` (not included; NULL: all). */
static void
leave_blocks(Unit *u, Block *last)
{
    Block *saved = u->block;
    for (Block *b = saved; b != last && !u->c->failed; b = b->outer) {
        block_suspend(u, b);
        if (b->kind == BLOCK_HANDLER) /* its guard ends the pair, which leave_block() does here */
            block_suspend(u, b->outer);
        u->block = b->outer;
        leave_block(u, b);
    }
    u->block = saved;
}

/* Drops the temporaries that are live beyond the first `kept` ones, but for `but` (-1: none): values of
 * return statements whose finally parts are being left by another return, by break or continue. */
static void
drop_pending(Unit *u, uint32_t kept, int but)
{
    for (size_t i = u->live.count; i-- > kept && !u->c->failed;)
        if (u->live.items[i] != but)
            drop_temp(u, u->live.items[i]);
}

static void
resume_blocks(Unit *u, Block *last)
{
    for (Block *b = u->block; b != last; b = b->outer)
        block_resume(u, b);
}

static bool
anything_to_leave(const Block *b, const Block *last)
{
    for (; b != last; b = b->outer)
        if (b->kind != BLOCK_TRY && b->kind != BLOCK_STAR)
            return true;
    return false;
}

void
gen_return(Unit *u, AstStmt *st)
{
    AstExpr *value = st->Return.value;
    if (!u->is_function) {
        gen_error(u, st, "'return' outside function");
        return;
    }
    if (value && (u->flags & CODE_ASYNC_GENERATOR)) {
        gen_error(u, st, "'return' with value in async generator");
        return;
    }
    for (Block *b = u->block; b; b = b->outer)
        if (b->kind == BLOCK_STAR) {
            bool at_value = value && fold_constant(u, value) && value->lineno == st->lineno;
            gen_error(u, at_value ? (const void *)value : st,
                      "'break', 'continue' and 'return' cannot appear in an except* block");
            return;
        }
    bool leave = anything_to_leave(u->block, NULL);
    Saved saved = save_state(u);
    Opnd v = {0, false};
    bool constant = value == NULL || fold_constant(u, value);
    if (!constant) {
        v = leave ? gen_expr_temp(u, value) : gen_expr(u, value);
        gen_at(u, st);
    }
    if (leave)
        leave_blocks(u, NULL);
    gen_at(u, st);
    drop_pending(u, 0, v.temp ? v.reg : -1);
    if (constant)
        emit_wide(u, OP_RETURN_CONST, 0, 0, (int32_t)gen_const(u, value ? value->Constant.value : NONE));
    else
        emit(u, OP_RETURN, v.temp ? A_DEAD : 0, v.reg, 0, 0);
    if (leave)
        resume_blocks(u, NULL);
    restore_state(u, saved);
    bound_unreachable(u);
}

void
gen_break(Unit *u, AstStmt *st, bool is_continue)
{
    Block *loop = u->block;
    for (; loop && loop->kind != BLOCK_LOOP; loop = loop->outer)
        if (loop->kind == BLOCK_STAR) {
            gen_error(u, st, "'break', 'continue' and 'return' cannot appear in an except* block");
            return;
        }
    if (loop == NULL) {
        gen_error(u, st, is_continue ? "'continue' not properly in loop" : "'break' outside loop");
        return;
    }
    Saved saved = save_state(u);
    leave_blocks(u, loop);
    drop_pending(u, loop->live_count, -1);
    if (!is_continue) {
        block_suspend(u, loop);
        leave_block(u, loop);
    }
    gen_at(u, st);
    emit_jump(u, is_continue ? OP_JUMP_BACK : OP_JUMP, 0, 0, is_continue ? loop->top : loop->end);
    if (!is_continue)
        block_resume(u, loop);
    resume_blocks(u, loop);
    restore_state(u, saved);
    bound_unreachable(u);
}

/* -- loops --------------------------------------------------------------------------------------------------- */

void
gen_for(Unit *u, AstStmt *st)
{
    Label top = label_new(u), end = label_new(u), exhausted = label_new(u);
    unsigned mark = u->top;
    Opnd iterable = gen_expr_temp(u, st->For.iter);
    gen_at(u, st);
    emit(u, OP_GET_ITER, B_DEAD, iterable.reg, iterable.reg, 0);
    unsigned it = iterable.reg;
    uint64_t *before = bound_save(u);
    Block b;
    block_push(u, &b, BLOCK_LOOP, -1);
    b.reg = (int)it;
    b.top = top;
    b.end = end;
    label_bind(u, top);
    AstExpr *target = st->For.target;
    int reg = target->kind == AST_Name ? gen_local_register(u, target->Name.id) : -1;
    gen_at(u, st);
    if (reg >= 0 && target->Name.id != NAME(__debug__)) {
        emit_jump_extra(u, OP_FOR_ITER, A_LIVE, it, (unsigned)reg, 0, exhausted);
        bound_set(u, (unsigned)reg);
    } else {
        unsigned item = temp_new(u);
        emit_jump_extra(u, OP_FOR_ITER, 0, it, item, 0, exhausted);
        live_add(u, item);
        gen_store(u, target, (Opnd){(uint16_t)item, true});
    }
    gen_body(u, st->For.body);
    emit_jump(u, OP_JUMP_BACK, 0, 0, top);
    block_pop(u, &b);
    live_del(u, it);
    u->top = mark;
    label_bind(u, exhausted);
    bound_restore(u, before);
    gen_body(u, st->For.orelse);
    bound_restore(u, before);
    label_bind(u, end);
}

void
gen_async_for(Unit *u, AstStmt *st)
{
    if (!is_async_scope(u) && !((u->c->options->flags & COMPILE_TOP_LEVEL_AWAIT) &&
                                u->scope->kind == SCOPE_MODULE)) {
        gen_error(u, st, "'async for' outside async function");
        return;
    }
    if (!u->is_function)
        u->flags |= CODE_COROUTINE;
    Label top = label_new(u), end = label_new(u), handler = label_new(u), exhausted = label_new(u);
    unsigned mark = u->top;
    Opnd v = gen_expr_temp(u, st->AsyncFor.iter);
    gen_at(u, st->AsyncFor.iter);
    emit(u, OP_GET_AITER, B_DEAD, v.reg, v.reg, 0);
    unsigned it = v.reg;
    uint64_t *before = bound_save(u);
    Block b;
    block_push(u, &b, BLOCK_LOOP, -1);
    b.reg = (int)it;
    b.top = top;
    b.end = end;
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
    live_del(u, next);
    live_add(u, next);
    block_pop(u, &guard);
    gen_store(u, st->AsyncFor.target, (Opnd){(uint16_t)next, true});
    gen_body(u, st->AsyncFor.body);
    gen_at(u, st);
    emit_jump(u, OP_JUMP_BACK, 0, 0, top);
    block_pop(u, &b);
    label_bind(u, handler);
    gen_at(u, st->AsyncFor.iter);
    emit_jump_extra(u, OP_END_ASYNC_FOR, 0, it, 0, 0, exhausted);
    live_del(u, it);
    u->top = mark;
    label_bind(u, exhausted);
    bound_restore(u, before);
    gen_body(u, st->AsyncFor.orelse);
    bound_restore(u, before);
    label_bind(u, end);
}

void
gen_while(Unit *u, AstStmt *st)
{
    Label top = label_new(u), end = label_new(u), exhausted = label_new(u);
    uint64_t *before = bound_save(u);
    Block b;
    block_push(u, &b, BLOCK_LOOP, -1);
    b.end = end;
    bool forever = fold_constant(u, st->While.test);
    if (forever) {
        Answer a = is_true(u->th, st->While.test->Constant.value);
        forever = a == YES;
    }
    b.top = top;
    label_bind(u, top);
    if (!forever)
        gen_condition(u, st->While.test, exhausted, false);
    uint64_t *after_test = bound_save(u);
    gen_body(u, st->While.body);
    gen_at(u, st);
    emit_jump(u, OP_JUMP_BACK, 0, 0, top);
    block_pop(u, &b);
    label_bind(u, exhausted);
    bound_restore(u, forever ? before : after_test);
    if (forever)
        bound_unreachable(u);
    gen_body(u, st->While.orelse);
    bound_restore(u, before);
    label_bind(u, end);
}

/* -- try ---------------------------------------------------------------------------------------------------------- */

/* Starts a handler: two registers hold the pair.  The code is protected: an exception in it unwinds
 * the handler first (target `cleanup`). */
static unsigned
enter_handler(Unit *u)
{
    unsigned h = temps_new(u, 2);
    emit(u, OP_ENTER_HANDLER, 0, h, 0, 0);
    live_add(u, h);
    live_add(u, h + 1);
    return h;
}

static void
emit_cleanup(Unit *u, Label cleanup, unsigned h)
{
    label_bind(u, cleanup);
    live_add(u, h);
    live_add(u, h + 1);
    emit(u, OP_UNWIND_HANDLER, 0, h, 0, 0);
    live_del(u, h);
    live_del(u, h + 1);
}

static void
emit_reraise(Unit *u, unsigned h)
{
    emit(u, OP_RERAISE, 0, h, 0, 0);
    live_del(u, h);
    live_del(u, h + 1);
}

static void
gen_try_finally(Unit *u, AstStmt *st, const AstStmts *final,
                void (*body)(Unit *u, AstStmt *st))
{
    Label handler = label_new(u), cleanup = label_new(u), end = label_new(u);
    uint64_t *before = bound_save(u);
    Block b;
    block_push(u, &b, BLOCK_FINALLY, handler);
    b.final = final;
    body(u, st);
    block_pop(u, &b);
    gen_body(u, *final);
    emit_jump(u, OP_JUMP, 0, 0, end);
    uint64_t *after = bound_save(u);
    Saved saved = save_state(u);
    label_bind(u, handler);
    bound_restore(u, before);
    unsigned mark = u->top;
    unsigned h = enter_handler(u);
    Block f;
    block_push(u, &f, BLOCK_FINALLY_END, cleanup);
    f.reg = (int)h;
    gen_body(u, *final);
    block_pop(u, &f);
    emit_reraise(u, h);
    emit_cleanup(u, cleanup, h);
    u->top = mark;
    restore_state(u, saved);
    label_bind(u, end);
    bound_restore(u, after);
}

static void
gen_clause_body(Unit *u, AstExcepthandler *h)
{
    gen_body(u, h->ExceptHandler.body);
}

static AstExpr *
name_expr(Unit *u, AstExcepthandler *h)
{
    if (h->ExceptHandler.name == NULL)
        return NULL;
    AstExpr *name = arena_calloc(&u->c->arena, AST_SIZE(Name));
    if (name == NULL) {
        u->c->failed = true;
        raise_memory(u->th);
        return NULL;
    }
    name->kind = AST_Name;
    ast_copy_place((AstNode *)name, (const AstNode *)h);
    name->Name.id = h->ExceptHandler.name;
    name->Name.ctx = AST_Store;
    return name;
}

/* The body of a clause that binds a name: the name goes whatever happens. */
static void
gen_named_clause(Unit *u, AstExcepthandler *handler, AstExpr *name, unsigned h, Label after_all)
{
    Label unwind = label_new(u);
    Block inner;
    block_push(u, &inner, BLOCK_TRY, unwind);
    gen_clause_body(u, handler);
    block_pop(u, &inner);
    uint64_t *bound = bound_save(u);
    emit_jump(u, OP_JUMP, 0, 0, after_all);
    /* Raised in the body: unbind, then go on raising (the outer cleanup ends the handler). */
    Saved saved = save_state(u);
    label_bind(u, unwind);
    unsigned h2 = enter_handler(u);
    unbind_name(u, name);
    emit_reraise(u, h2);
    restore_state(u, saved);
    bound_restore(u, bound);
    (void)h;
}

static void
gen_try_except(Unit *u, AstStmt *st)
{
    AstExcepthandlers handlers = st->Try.handlers;
    Label handler = label_new(u), cleanup = label_new(u), end = label_new(u);
    uint64_t *before = bound_save(u);
    Block b;
    block_push(u, &b, BLOCK_TRY, handler);
    gen_body(u, st->Try.body);
    block_pop(u, &b);
    gen_body(u, st->Try.orelse);
    gen_at(u, st);
    emit_jump(u, OP_JUMP, 0, 0, end);
    uint64_t *joined = bound_save(u);
    Saved saved = save_state(u);
    label_bind(u, handler);
    unsigned mark = u->top;
    unsigned h = enter_handler(u);
    Block guard; /* everything in the handlers, so that the pair is ended */
    block_push(u, &guard, BLOCK_TRY, cleanup);
    for (uint32_t i = 0; i < handlers.count && !u->c->failed; i++) {
        AstExcepthandler *clause = handlers.items[i];
        Label next = label_new(u), leave = label_new(u);
        bound_restore(u, before);
        gen_at(u, clause);
        if (clause->ExceptHandler.type) {
            Opnd type = gen_expr(u, clause->ExceptHandler.type);
            gen_at(u, clause->ExceptHandler.type);
            emit_jump_extra(u, OP_JUMP_NO_MATCH, type.temp ? C_DEAD : 0, 0, h + 1, type.reg, next);
            opnd_end(u, type);
        } else if (i + 1 < handlers.count) {
            gen_error(u, clause, "default 'except:' must be last");
            return;
        }
        AstExpr *name = name_expr(u, clause);
        gen_at(u, clause);
        if (name) {
            unsigned t = temp_new(u);
            emit(u, OP_COPY, 0, t, h + 1, 0);
            live_add(u, t);
            gen_store(u, name, (Opnd){(uint16_t)t, true});
        }
        Block clause_block;
        block_push(u, &clause_block, BLOCK_HANDLER, -1);
        clause_block.reg = (int)h;
        clause_block.name = name;
        if (name)
            gen_named_clause(u, clause, name, h, leave);
        else
            gen_clause_body(u, clause);
        block_pop(u, &clause_block);
        label_bind(u, leave);
        block_suspend(u, &guard);
        Saved in_handler = save_state(u);
        leave_handler(u, h);
        if (name)
            unbind_name(u, name);
        bound_meet(u, joined);
        memcpy(joined, u->bound, u->bound_words * sizeof *joined);
        emit_jump(u, OP_JUMP, 0, 0, end);
        restore_state(u, in_handler);
        block_resume(u, &guard);
        label_bind(u, next);
    }
    block_pop(u, &guard);
    gen_at(u, st);
    if (handlers.items[handlers.count - 1]->ExceptHandler.type)
        emit_reraise(u, h);
    emit_cleanup(u, cleanup, h);
    u->top = mark;
    restore_state(u, saved);
    label_bind(u, end);
    bound_restore(u, joined);
}

static void
gen_plain_body(Unit *u, AstStmt *st)
{
    gen_body(u, st->Try.body);
}

void
gen_try(Unit *u, AstStmt *st)
{
    if (st->Try.finalbody.count == 0)
        gen_try_except(u, st);
    else if (st->Try.handlers.count)
        gen_try_finally(u, st, &st->Try.finalbody, gen_try_except);
    else
        gen_try_finally(u, st, &st->Try.finalbody, gen_plain_body);
}

/* try ... except*: each clause takes its part of the group; what clauses raise and what is left is
 * raised together at the end (PEP 654). */
static void
gen_star_clauses(Unit *u, AstStmt *st)
{
    AstExcepthandlers handlers = st->TryStar.handlers;
    Label handler = label_new(u), cleanup = label_new(u), end = label_new(u), done = label_new(u);
    uint64_t *before = bound_save(u);
    Block b;
    block_push(u, &b, BLOCK_TRY, handler);
    gen_body(u, st->TryStar.body);
    block_pop(u, &b);
    gen_body(u, st->TryStar.orelse);
    gen_at(u, st);
    emit_jump(u, OP_JUMP, 0, 0, end);
    Saved saved = save_state(u);
    label_bind(u, handler);
    unsigned mark = u->top;
    unsigned h = enter_handler(u);
    Block guard;
    block_push(u, &guard, BLOCK_STAR, cleanup);
    unsigned original = temp_new(u);
    emit(u, OP_COPY, 0, original, h + 1, 0);
    live_add(u, original);
    unsigned rest = temp_new(u);
    emit(u, OP_COPY, 0, rest, h + 1, 0);
    live_add(u, rest);
    unsigned results = temp_new(u);
    emit(u, OP_BUILD_LIST, 0, results, u->top, 0);
    live_add(u, results);
    for (uint32_t i = 0; i < handlers.count && !u->c->failed; i++) {
        AstExcepthandler *clause = handlers.items[i];
        if (clause->ExceptHandler.type == NULL) { /* only a tree that Python code made */
            gen_error(u, clause, "expected one or more exception types");
            return;
        }
        Label next = label_new(u), raised = label_new(u), leave = label_new(u);
        bound_restore(u, before);
        gen_at(u, clause);
        emit_jump(u, OP_JUMP_IF_NONE, 0, rest, next);
        Opnd type = gen_expr_temp(u, clause->ExceptHandler.type);
        unsigned match = type.reg;
        gen_at(u, clause->ExceptHandler.type);
        emit(u, OP_CHECK_EG_MATCH, C_DEAD, match, rest, type.reg);
        /* A None that jumps is forgotten: it is not counted. */
        emit_jump(u, OP_JUMP_IF_NONE, 0, match, next);
        AstExpr *name = name_expr(u, clause);
        gen_at(u, clause);
        emit(u, OP_SET_HANDLED, 0, match, 0, 0);
        if (name) {
            unsigned t = temp_new(u);
            emit(u, OP_COPY, 0, t, match, 0);
            live_add(u, t);
            gen_store(u, name, (Opnd){(uint16_t)t, true});
        }
        Block body;
        block_push(u, &body, BLOCK_TRY, raised);
        gen_clause_body(u, clause);
        block_pop(u, &body);
        emit_jump(u, OP_JUMP, 0, 0, leave);
        Saved in_clause = save_state(u);
        label_bind(u, raised);
        unsigned h2 = enter_handler(u);
        emit(u, OP_LIST_APPEND, 0, results, h2 + 1, 0);
        leave_handler(u, h2);
        restore_state(u, in_clause);
        label_bind(u, leave);
        if (name)
            unbind_name(u, name);
        emit(u, OP_DROP, 0, match, 0, 0);
        temp_end(u, match);
        label_bind(u, next);
    }
    /* What no clause took is the last result. */
    Label none_left = label_new(u);
    gen_at(u, st);
    emit_jump(u, OP_JUMP_IF_NONE, 0, rest, none_left);
    emit(u, OP_LIST_APPEND, 0, results, rest, 0);
    label_bind(u, none_left);
    unsigned again = temp_new(u);
    emit(u, OP_PREP_RERAISE_STAR, 0, again, original, results);
    live_add(u, again);
    block_pop(u, &guard);
    emit(u, OP_DROP, 0, results, 0, 0);
    live_del(u, results);
    emit(u, OP_DROP, 0, rest, 0, 0);
    live_del(u, rest);
    emit(u, OP_DROP, 0, original, 0, 0);
    live_del(u, original);
    leave_handler(u, h);
    emit_jump(u, OP_JUMP_IF_NONE, 0, again, done);
    emit(u, OP_RAISE_REST, 0, again, 0, 0);
    live_del(u, again);
    emit_cleanup(u, cleanup, h);
    u->top = mark;
    restore_state(u, saved);
    label_bind(u, done);
    label_bind(u, end);
    bound_restore(u, before);
}

void
gen_try_star(Unit *u, AstStmt *st)
{
    if (st->TryStar.finalbody.count)
        gen_try_finally(u, st, &st->TryStar.finalbody, gen_star_clauses);
    else
        gen_star_clauses(u, st);
}

/* -- with ----------------------------------------------------------------------------------------------------------- */

static void
gen_with_item(Unit *u, AstStmt *st, AstWithitems items, uint32_t pos, AstStmts body, bool is_async)
{
    if (u->c->failed)
        return;
    AstWithitem *item = items.items[pos];
    Label handler = label_new(u), cleanup = label_new(u), end = label_new(u), suppress = label_new(u);
    unsigned mark = u->top;
    unsigned exit_reg = temps_new(u, 2); /* the method, and self or nothing */
    Opnd manager = gen_expr(u, item->context_expr);
    unsigned win = temps_new(u, FRAME_WORDS + 1);
    gen_at(u, st);
    emit(u, OP_WITH_PREPARE, (manager.temp ? B_DEAD : 0) | (is_async ? FLAG_X : 0), exit_reg,
         manager.reg, win);
    emit_extra(u, 0);
    emit_extra(u, 0);
    if (manager.temp)
        live_del(u, manager.reg);
    live_add(u, exit_reg);
    live_add(u, exit_reg + 1);
    live_add(u, win);
    live_add(u, win + FRAME_WORDS);
    /* The value of __enter__ goes to the first free register above the exit method. */
    unsigned value = exit_reg + 2;
    emit(u, OP_CALL_METHOD, 0, win, 0, value);
    emit_extra(u, 0);
    live_del(u, win);
    live_del(u, win + FRAME_WORDS);
    u->top = value + 1;
    live_add(u, value);
    if (is_async)
        gen_await(u, value, (Dest){(uint16_t)value, 0}, 1);
    uint64_t *before = bound_save(u);
    Block b;
    block_push(u, &b, BLOCK_WITH, handler);
    b.reg = (int)exit_reg;
    b.is_async = is_async;
    b.where = (const AstNode *)st;
    if (item->optional_vars)
        gen_store(u, item->optional_vars, (Opnd){(uint16_t)value, true});
    else {
        emit(u, OP_DROP, 0, value, 0, 0);
        temp_end(u, value);
    }
    u->top = exit_reg + 2;
    if (pos + 1 < items.count)
        gen_with_item(u, st, items, pos + 1, body, is_async);
    else
        gen_body(u, body);
    block_pop(u, &b);
    gen_at(u, st);
    uint64_t *after = bound_save(u);
    call_exit_none(u, exit_reg, is_async);
    emit_jump(u, OP_JUMP, 0, 0, end);
    /* The body raised. */
    label_bind(u, handler);
    live_add(u, exit_reg);
    live_add(u, exit_reg + 1);
    unsigned h = enter_handler(u);
    Block guard;
    block_push(u, &guard, BLOCK_TRY, cleanup);
    unsigned win2 = call_exit(u, exit_reg, (int)h + 1, is_async);
    emit_jump(u, OP_JUMP_IF_TRUE, A_DEAD, win2, suppress);
    live_del(u, win2);
    block_pop(u, &guard);
    Saved in_handler = save_state(u);
    emit_reraise(u, h);
    emit_cleanup(u, cleanup, h);
    restore_state(u, in_handler);
    label_bind(u, suppress);
    leave_handler(u, h);
    drop_temp(u, exit_reg);
    drop_temp(u, exit_reg + 1);
    u->top = mark;
    label_bind(u, end);
    bound_restore(u, before);
    bound_meet(u, after);
}

void
gen_with(Unit *u, AstStmt *st, bool is_async)
{
    if (is_async) {
        if (!is_async_scope(u) && !((u->c->options->flags & COMPILE_TOP_LEVEL_AWAIT) &&
                                    u->scope->kind == SCOPE_MODULE)) {
            gen_error(u, st, "'async with' outside async function");
            return;
        }
        if (!u->is_function)
            u->flags |= CODE_COROUTINE;
        gen_with_item(u, st, st->AsyncWith.items, 0, st->AsyncWith.body, true);
    } else
        gen_with_item(u, st, st->With.items, 0, st->With.body, false);
}
