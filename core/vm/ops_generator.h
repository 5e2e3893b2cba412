/* ops_generator.h -- bodies: making generators, yielding, delegating.
 *
 * A generator's frame is resumed from C (FRAME_ENTRY) or from an instruction of another frame,
 * FOR_ITER or YIELD_FROM, which then finds the value in `result`.  No borrowed word survives a
 * yield (rules A2).
 */
TARGET(RETURN_GENERATOR)
{
    SAVE();
    result = generator_of_frame(th, F);
    if (UNLIKELY(result == NULL))
        goto error;
    goto return_slow; /* the frame is empty now */
}

TARGET(YIELD)
{
    SAVE();
    if (pc->flags & B_DEAD) {
        result = reg_take(th, r[pc->b]);
        r[pc->b] = NULL; /* the live map still names it */
    } else {
        result = reg_own(th, r[pc->b]);
    }
}
yield_result:
{
    Frame *f = F;
    Generator *g = frame_generator(f);
    uintptr_t link = f->link;
    Frame *caller = frame_caller(f);
    frame_upgrade_generator(th, f);
    th->handled = g->handled.outer;
    th->frame = caller;
    th->recursion_left++;
    f->link = FRAME_GENERATOR | (link & (FRAME_LOCALS | FRAME_OBJECT));
    th->vm_depth = 0; /* it yielded: see generator_send() */
    store_release(&g->state, GEN_SUSPENDED); /* pairs with generator_claim() */
    if (link & FRAME_ENTRY)
        return result;
    r = caller->r;
    pc = (Instr *)(uintptr_t)caller->pc;
    if (UNLIKELY(instr_op(pc) == OP_YIELD_FROM))
        goto yield_result; /* r[c] was moved into the callee */
    if (pc->flags & A_LIVE) {
        Value old = r[pc->b];
        r[pc->b] = result;
        reg_drop(th, old);
    } else {
        r[pc->b] = result;
    }
    FINISH(1);
}

TARGET(YIELD_FROM)
{
    SAVE();
    Value it = value_strip(r[pc->b]);
    uint32_t shape = shape_of(it);
    if (LIKELY(shape == SHAPE_GENERATOR || shape == SHAPE_COROUTINE) &&
        LIKELY(th->recursion_left > 0)) {
        Generator *g = as_generator(it);
        if (generator_claim_for_send(th, g, value_strip(r[pc->c]))) {
            th->recursion_left--;
            generator_push(th, g, 0);
            Value sent = r[pc->c];
            r[pc->c] = NULL;
            r = g->frame.r;
            pc = generator_enter(g, sent);
            DISPATCH();
        }
    }
    Value got;
    Answer a = send_value(th, it, value_strip(r[pc->c]), &got);
    if (UNLIKELY(a == FAILED))
        goto error;
    result = got;
    if (a == YES) {
        Value sent = r[pc->c];
        r[pc->c] = NULL;
        reg_drop(th, sent);
        goto yield_result;
    }
    goto yield_from_done;
}

generator_returned: /* `result` is what it returned; this frame's instruction had resumed it */
    if (LIKELY(instr_op(pc) != OP_YIELD_FROM)) { /* FOR_ITER in some form */
        reg_drop(th, result);
        Value it = r[pc->a];
        r[pc->a] = NULL;
        reg_drop(th, it);
        pc += instr_offset(pc);
        FINISH(1);
    }
yield_from_done:
{
    Value it = r[pc->b], sent = r[pc->c];
    Value old = pc->flags & A_LIVE ? r[pc->a] : NULL;
    r[pc->b] = r[pc->c] = NULL;
    r[pc->a] = result;
    reg_drop(th, old);
    reg_drop(th, it);
    reg_drop(th, sent);
    FINISH(0);
}
