/* ops_flow.h -- bodies: jumps, loops, the start of a body. */
TARGET(JUMP)
{
    pc += 1 + instr_bc(pc);
    DISPATCH();
}

TARGET(JUMP_BACK)
{
    pc += 1 + instr_bc(pc);
    if (UNLIKELY(load_relaxed(&th->request) != 0))
        goto poll;
    DISPATCH();
}

/* `truth` is what the jump is taken for. */
#define JUMP_TRUTH(truth)                                                                         \
    do {                                                                                          \
        Value x = r[pc->a];                                                                       \
        bool yes;                                                                                 \
        if (reg_is(x, TRUE)) {                                                                    \
            yes = true;                                                                           \
        } else if (reg_is(x, FALSE) || reg_is(x, NONE)) {                                         \
            yes = false;                                                                          \
        } else if (value_is_fixnum(x)) {                                                          \
            yes = x != value_from_fixnum(0);                                                      \
        } else {                                                                                  \
            SAVE();                                                                               \
            Answer a = slow_truth(th, F, pc->a);                                                  \
            if (UNLIKELY(a == FAILED))                                                            \
                goto error;                                                                       \
            if (pc->flags & A_DEAD)                                                               \
                reg_drop(th, r[pc->a]);                                                           \
            if ((a == YES) == (truth))                                                            \
                pc += instr_bc(pc);                                                               \
            FINISH(0);                                                                            \
        }                                                                                         \
        pc += 1 + (yes == (truth) ? instr_bc(pc) : 0);                                            \
        DISPATCH();                                                                               \
    } while (0)

TARGET(JUMP_IF_TRUE)
{
    JUMP_TRUTH(true);
}

TARGET(JUMP_IF_FALSE)
{
    JUMP_TRUTH(false);
}

TARGET(JUMP_IF_NONE)
{
    Value x = r[pc->a];
    if (reg_is(x, NONE)) {
        pc += 1 + instr_bc(pc);
        DISPATCH();
    }
    bool slow = pc->flags & A_DEAD ? reg_drop(th, x) : false;
    FINISH_DROPS(0, slow);
}

TARGET(JUMP_IF_NOT_NONE)
{
    Value x = r[pc->a];
    if (reg_is(x, NONE))
        NEXT(0);
    bool slow = pc->flags & A_DEAD ? reg_drop(th, x) : false;
    pc += instr_bc(pc);
    FINISH_DROPS(0, slow);
}

/* r[b] = v, and on with the body of the loop. */
#define FOR_ITEM(v)                                                                               \
    do {                                                                                          \
        Value item_ = (v);                                                                        \
        if (pc->flags & A_LIVE) {                                                                 \
            Value old_ = r[pc->b];                                                                \
            r[pc->b] = item_;                                                                     \
            FINISH_DROPS(1, reg_drop(th, old_));                                                  \
        }                                                                                         \
        r[pc->b] = item_;                                                                         \
        NEXT(1);                                                                                  \
    } while (0)

TARGET(FOR_ITER)
{
    Value it = r[pc->a];
    if (LIKELY(value_is_object(it))) {
        switch (object_shape(reg_object(it))) {
        case SHAPE_RANGE_ITER:
            instr_set_op(pc, OP_FOR_ITER_RANGE);
            goto L_FOR_ITER_RANGE;
        case SHAPE_LIST_ITER:
            instr_set_op(pc, OP_FOR_ITER_LIST);
            goto L_FOR_ITER_LIST;
        case SHAPE_GENERATOR:
            instr_set_op(pc, OP_FOR_ITER_GENERATOR);
            goto L_FOR_ITER_GENERATOR;
        case SHAPE_TUPLE_ITER: {
            bool counted;
            Value v = tuple_iter_peek(th, (TupleIter *)(void *)reg_object(it), &counted);
            if (LIKELY(v != NULL))
                FOR_ITEM(reg_word(th, counted, v));
            break;
        }
        case SHAPE_DICT_ITEM_ITER:
        case SHAPE_ENUMERATE:
        case SHAPE_ZIP: {
            /* Unpacked at once: no tuple is needed. */
            const Instr *next = pc + 2;
            if (instr_op(next) == OP_UNPACK && next->b == pc->b && next->c == 2 &&
                (next->flags & B_DEAD) && iter_gives_pairs(value_of(reg_object(it)))) {
                SAVE();
                Value first, second;
                Answer got = iter_next_pair(th, value_of(reg_object(it)), &first, &second);
                if (LIKELY(got == YES)) {
                    Value *to = r + next->a;
                    Value old = NULL, other = NULL;
                    if (next->flags & A_LIVE) { /* variables */
                        old = to[0];
                        other = to[1];
                    }
                    to[0] = first;
                    to[1] = second;
                    reg_drop(th, old);
                    reg_drop(th, other);
                    pc += 2;
                    FINISH(0);
                }
                if (UNLIKELY(got == FAILED))
                    goto error;
                it = r[pc->a];
                r[pc->a] = NULL;
                reg_drop(th, it);
                pc += instr_offset(pc);
                FINISH(1);
            }
            break;
        }
        default:
            break;
        }
    }
for_iter_slow:
    SAVE();
    it = r[pc->a];
    if (LIKELY(value_is_object(it))) {
        NextFn next_fn = SLOT(type_at(object_shape(reg_object(it))), next);
        Value v = next_fn != NULL ? next_fn(th, value_of(reg_object(it))) : NULL;
        if (LIKELY(v != NULL)) {
            if (pc->flags & A_LIVE) {
                Value old = r[pc->b];
                r[pc->b] = v;
                reg_drop(th, old);
            } else {
                r[pc->b] = v;
            }
            FINISH(1);
        }
        if (LIKELY(next_fn != NULL && th->error == NULL)) {
            it = r[pc->a];
            r[pc->a] = NULL;
            reg_drop(th, it);
            pc += instr_offset(pc);
            FINISH(1);
        }
    }
    Answer a = slow_for_iter_end(th, F, pc);
    if (UNLIKELY(a == FAILED))
        goto error;
    if (a == NO)
        pc += instr_offset(pc);
    FINISH(1);
}

TARGET(FOR_ITER_RANGE)
{
    Value w = r[pc->a];
    RangeIter *it = (RangeIter *)(void *)reg_object(w);
    if (LIKELY(value_is_object(w) && object_shape(&it->head) == SHAPE_RANGE_ITER)) {
        if (LIKELY(iter_step_begin(th, &it->head))) {
            int64_t i = load_relaxed(&it->next);
            if (LIKELY(i < it->count)) {
                int64_t n = it->start + i * it->step;
                if (LIKELY(fixnum_fits(n))) {
                    store_relaxed(&it->next, i + 1);
                    object_section_end(th);
                    FOR_ITEM(value_from_fixnum(n));
                }
            }
            object_section_end(th);
        }
        goto for_iter_slow;
    }
    instr_set_op(pc, OP_FOR_ITER);
    DISPATCH();
}

TARGET(FOR_ITER_LIST)
{
    Value w = r[pc->a];
    ListIter *it = (ListIter *)(void *)reg_object(w);
    if (LIKELY(value_is_object(w) && object_shape(&it->head) == SHAPE_LIST_ITER)) {
        bool counted;
        Value v = list_iter_peek(th, it, &counted);
        if (LIKELY(v != NULL))
            FOR_ITEM(reg_word(th, counted, v));
        goto for_iter_slow;
    }
    instr_set_op(pc, OP_FOR_ITER);
    DISPATCH();
}

TARGET(FOR_ITER_GENERATOR)
{
    Value w = r[pc->a];
    Generator *g = (Generator *)(void *)reg_object(w);
    if (UNLIKELY(!value_is_object(w) || object_shape(&g->head) != SHAPE_GENERATOR)) {
        instr_set_op(pc, OP_FOR_ITER);
        DISPATCH();
    }
    SAVE();
    if (UNLIKELY(th->recursion_left <= 0 || !generator_claim_for_send(th, g, NONE)))
        goto for_iter_slow; /* finished, running, too deep */
    th->recursion_left--;
    generator_push(th, g, 0);
    r = g->frame.r;
    pc = generator_enter(g, REG_STATIC(NONE));
    DISPATCH();
}

TARGET(RESUME)
{
    if (UNLIKELY(load_relaxed(&th->request) != 0)) {
        pc++;
        goto poll;
    }
    NEXT(0);
}

TARGET(WITH_PREPARE)
{
    SAVE();
    if (UNLIKELY(!slow_with_prepare(th, F, pc)))
        goto error;
    FINISH(2);
}

TARGET(WITH_PREPARE_CLASS)
{
    Value o = r[pc->b];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        uint32_t at = load_acquire(&x->shape);
        uint32_t guard = load_acquire(&shape_version[at]), enter, leave;
        Value enter_fn, leave_fn;
        if (LIKELY(cache_hit(cache_load(pc), guard, FAMILY_WITH_PREPARE_CLASS, &enter) &&
                   cache_hit(cache_load(pc + 1), guard, FAMILY_WITH_PREPARE_CLASS, &leave) &&
                   (enter_fn = load_acquire(&attr_cache[enter])) != NULL &&
                   (leave_fn = load_acquire(&attr_cache[leave])) != NULL)) {
            Value *pair = r + pc->a;
            const Instr *call = pc + 3;
            bool at_once = instr_op(call) == OP_CALL_METHOD && call->a == pc->c && call->b == 0 &&
                           !(call->flags & A_LIVE) && !(pc->flags & FLAG_X) &&
                           lock_enter_at_once(th, x, at);
            Value self = pc->flags & B_DEAD ? o : reg_copy(th, o);
            pair[0] = reg_borrowed(leave_fn);
            pair[1] = self;
            if (at_once) {
                r[call->c] = REG_STATIC(TRUE);
                NEXT(4);
            }
            r[pc->c] = reg_borrowed(enter_fn);
            r[pc->c + FRAME_WORDS] = reg_copy(th, self);
            NEXT(2);
        }
    }
    cache_back_off(pc, OP_WITH_PREPARE);
    goto L_WITH_PREPARE;
}

TARGET(WITH_EXIT)
{
    Value *pair = r + pc->a;
    const Instr *call = pc + 1;
    if (!(pc->flags & FLAG_X) && pair[1] != NULL && value_is_object(pair[1]) &&
        instr_op(call) == OP_CALL_METHOD && call->a == pc->c && call->b == 3 &&
        !(call->flags & A_LIVE) && instr_op(call + 2) == OP_DROP && call[2].a == call->c &&
        lock_exit_at_once(th, reg_object(pair[1]))) {
        bool slow = reg_drop(th, pair[0]);
        slow |= reg_drop(th, pair[1]);
        FINISH_DROPS(3, slow);
    }
    slow_with_exit(th, F, pc);
    NEXT(0);
}
