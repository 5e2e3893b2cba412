/* ops_move.h -- bodies: moving words between registers, constants, cells. */
TARGET(NOP)
{
    NEXT(0);
}

TARGET(COPY)
{
    Value v = reg_copy(th, r[pc->b]);
    if (pc->flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        FINISH_DROPS(0, reg_drop(th, old));
    }
    r[pc->a] = v;
    NEXT(0);
}

TARGET(MOVE)
{
    Value v = r[pc->b];
    if (pc->flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        FINISH_DROPS(0, reg_drop(th, old));
    }
    r[pc->a] = v;
    NEXT(0);
}

TARGET(LOAD_CONST)
{
    PUT_IMMEDIATE(0, reg_borrowed(F->code->consts[instr_bc(pc)]));
}

TARGET(LOAD_INT)
{
    PUT_IMMEDIATE(0, value_from_fixnum(instr_bc(pc)));
}

TARGET(DROP)
{
    FINISH_DROPS(0, reg_drop(th, r[pc->a]));
}

TARGET(CHECK_BOUND)
{
    if (UNLIKELY(r[pc->a] == NULL)) {
        SAVE();
        raise_unbound(th, F->code, pc->a);
        goto error;
    }
    NEXT(0);
}

TARGET(DELETE_FAST)
{
    Value old = r[pc->a];
    if (UNLIKELY(old == NULL)) {
        SAVE();
        raise_unbound(th, F->code, pc->a);
        goto error;
    }
    r[pc->a] = NULL;
    FINISH_DROPS(0, reg_drop(th, old));
}

TARGET(CLEAR_FAST)
{
    Value old = r[pc->a];
    r[pc->a] = NULL;
    FINISH_DROPS(0, reg_drop(th, old));
}

TARGET(MAKE_CELL)
{
    SAVE();
    Value content = r[pc->a] ? reg_own(th, r[pc->a]) : NULL;
    Value cell = cell_new(th, content);
    drop_null(th, content);
    if (UNLIKELY(cell == NULL))
        goto error;
    Value old = r[pc->a];
    r[pc->a] = cell;
    FINISH_DROPS(0, reg_drop(th, old));
}

TARGET(LOAD_DEREF)
{
    Cell *cell = (Cell *)(void *)reg_object(r[pc->b]);
    Value v = reg_from_field(th, &cell->head, &cell->content);
    if (UNLIKELY(v == NULL)) {
        SAVE();
        raise_unbound_deref(th, F->code, pc->b);
        goto error;
    }
    if (pc->flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        FINISH_DROPS(0, reg_drop(th, old));
    }
    r[pc->a] = v;
    NEXT(0);
}

TARGET(STORE_DEREF)
{
    Cell *cell = (Cell *)(void *)reg_object(r[pc->a]);
    Value v = r[pc->b];
    v = pc->flags & B_DEAD ? reg_take(th, v) : reg_own(th, v);
    field_replace(th, &cell->head, &cell->content, v);
    FINISH(0);
}

TARGET(DELETE_DEREF)
{
    Cell *cell = (Cell *)(void *)reg_object(r[pc->a]);
    Value old = field_exchange(th, &cell->head, &cell->content, NULL);
    if (UNLIKELY(old == NULL)) {
        SAVE();
        raise_unbound_deref(th, F->code, pc->a);
        goto error;
    }
    drop(th, old);
    FINISH(0);
}

TARGET(LOAD_CLOSURE)
{
    Value v = reg_copy(th, r[pc->b]);
    if (pc->flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        FINISH_DROPS(0, reg_drop(th, old));
    }
    r[pc->a] = v;
    NEXT(0);
}
