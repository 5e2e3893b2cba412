/* ops_error.h -- bodies: exceptions being raised and handled.
 *
 * th->handled->value is the exception that is handled; a handler keeps the one from before in
 * r[a] and its own in r[a+1].
 */
TARGET(ENTER_HANDLER)
{
    struct ErrorItem *item = th->handled;
    Value e = error_take(th);
    r[pc->a] = item->value ? item->value : REG_STATIC(NONE);
    r[pc->a + 1] = e;
    item->value = retain(th, e);
    NEXT(0);
}

TARGET(SET_HANDLED)
{
    struct ErrorItem *item = th->handled;
    Value old = item->value;
    item->value = reg_own(th, r[pc->a]);
    drop_null(th, old);
    FINISH(0);
}

/* r[a] is handled again, r[a+1] ends. */
#define LEAVE()                                                                                   \
    do {                                                                                          \
        Value before_ = r[pc->a], mine_ = r[pc->a + 1];                                           \
        r[pc->a] = r[pc->a + 1] = NULL;                                                           \
        struct ErrorItem *item_ = th->handled;                                                    \
        Value handled_ = item_->value;                                                            \
        if (before_ == NULL || reg_is(before_, NONE))                                             \
            item_->value = NULL;                                                                  \
        else                                                                                      \
            item_->value = reg_take(th, before_);                                                 \
        drop_null(th, handled_);                                                                  \
        reg_drop(th, mine_);                                                                      \
    } while (0)

TARGET(LEAVE_HANDLER)
{
    LEAVE();
    FINISH(0);
}

TARGET(UNWIND_HANDLER)
{
    LEAVE();
    SAVE();
    goto reraise;
}

TARGET(RERAISE)
{
    Value e = reg_take(th, r[pc->a + 1]);
    r[pc->a + 1] = NULL;
    LEAVE();
    error_restore(th, e);
    SAVE();
    goto reraise;
}

TARGET(RAISE_REST)
{
    Value e = reg_take(th, r[pc->a]);
    r[pc->a] = NULL;
    error_restore(th, e);
    SAVE();
    goto reraise;
}

TARGET(RAISE)
{
    SAVE();
    if (SUB(pc->flags) == 0) {
        Value e = error_handled(th);
        if (e != NULL) {
            error_restore(th, e);
            goto reraise;
        }
        raise_error(th, &exc_RuntimeError, "No active exception to reraise");
        goto error;
    }
    raise_object(th, value_strip(r[pc->a]),
                 SUB(pc->flags) == 2 ? value_strip(r[pc->b]) : NULL);
    goto error;
}

TARGET(JUMP_NO_MATCH)
{
    SAVE();
    Answer a = exception_matches_clause(th, value_strip(r[pc->b]), value_strip(r[pc->c]));
    if (UNLIKELY(a == FAILED))
        goto error;
    if (pc->flags & C_DEAD)
        reg_drop(th, r[pc->c]);
    if (a == NO)
        pc += instr_offset(pc);
    FINISH(1);
}

TARGET(END_ASYNC_FOR)
{
    SAVE();
    if (!error_matches(th, &exc_StopAsyncIteration))
        goto reraise;
    error_clear(th);
    reg_drop(th, r[pc->a]);
    pc += instr_offset(pc);
    FINISH(1);
}
