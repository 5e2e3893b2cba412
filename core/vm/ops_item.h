/* ops_item.h -- bodies: subscripts, appending. */
TARGET(GET_ITEM)
{
    Value o = r[pc->b], k = r[pc->c];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        uint32_t shape = object_shape(x);
        Value v = NULL;
        if (value_is_fixnum(k)) {
            int64_t i = value_fixnum(k);
            if (shape == SHAPE_LIST) {
                object_touch(th, x);
                if (UNLIKELY(i < 0))
                    i += load_acquire(&((List *)(void *)x)->length);
                v = i >= 0 ? list_peek(value_of(x), i) : NULL;
            } else if (shape == SHAPE_TUPLE) {
                if (UNLIKELY(i < 0))
                    i += ((Tuple *)(void *)x)->length;
                object_touch(th, x);
                v = tuple_peek(value_of(x), i);
            } else if (shape == SHAPE_DICT) {
                object_touch(th, x);
                v = dict_peek_int(value_of(x), k);
            } else if (shape == SHAPE_STR) {
                Str *s = (Str *)(void *)x;
                if (UNLIKELY(i < 0))
                    i += (int64_t)s->length;
                if (LIKELY((uint64_t)i < s->length)) {
                    uint32_t ch = str_char(s, (size_t)i);
                    if (LIKELY(ch < 256)) {
                        v = REG_STATIC(str_latin1((uint8_t)ch));
                        FINISH_DROPS(1, put_result(th, F, pc, v));
                    }
                }
            }
        } else if (shape == SHAPE_DICT && value_is_object(k) &&
                   object_shape(reg_object(k)) == SHAPE_STR) {
            object_touch(th, x);
            v = dict_peek_str(value_of(x), value_of(reg_object(k)));
        }
        if (LIKELY(v != NULL))
            FINISH_DROPS(1, put_result(th, F, pc, reg_from(th, x, v)));
    }
    SAVE();
    if (UNLIKELY(!slow_get_item(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(SET_ITEM)
{
    Value o = r[pc->a], k = r[pc->b];
    if (value_is_object(o) && object_shape(reg_object(o)) == SHAPE_DICT &&
        dict_key_is_compact(value_strip(k))) {
        SAVE();
        Value v = r[pc->c];
        if (pc->flags & C_DEAD) {
            v = reg_take(th, v);
            r[pc->c] = NULL; /* given away, also on failure */
        } else {
            v = reg_own(th, v);
        }
        if (UNLIKELY(!dict_set_compact(th, value_of(reg_object(o)), value_strip(k), v)))
            goto error;
        if (pc->flags & (A_DEAD | B_DEAD)) {
            if (pc->flags & A_DEAD)
                reg_drop(th, r[pc->a]);
            if (pc->flags & B_DEAD)
                reg_drop(th, r[pc->b]);
        }
        FINISH(0);
    }
    if (LIKELY(value_is_object(o) && value_is_fixnum(k))) {
        Object *x = reg_object(o);
        int64_t i = value_fixnum(k);
        if (LIKELY(object_shape(x) == SHAPE_LIST)) {
            object_touch(th, x);
            if (LIKELY((uint64_t)i < (uint64_t)load_acquire(&((List *)(void *)x)->length)) || i < 0) {
                Value v = r[pc->c];
                bool dead = (pc->flags & C_DEAD) != 0;
                Value owned = dead ? reg_take(th, v) : reg_own(th, v);
                if (LIKELY(list_store_fast(th, value_of(x), i, owned))) {
                    if (pc->flags & A_DEAD)
                        reg_drop(th, o);
                    FINISH(0);
                }
                if (dead)
                    r[pc->c] = owned;
                else
                    drop(th, owned);
            }
        }
    }
    SAVE();
    if (UNLIKELY(!slow_set_item(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(LIST_APPEND)
{
    Value list = value_strip(r[pc->a]), v = r[pc->b];
    v = pc->flags & B_DEAD ? reg_take(th, v) : reg_own(th, v);
    if (UNLIKELY(!list_append_fast(th, list, v))) {
        SAVE();
        if (pc->flags & B_DEAD)
            r[pc->b] = NULL; /* given away, also on failure */
        if (!list_append_slow(th, list, v))
            goto error;
    }
    NEXT(0);
}

/* A test jumps at once if what follows is the jump on its result. */
TARGET(CONTAINS)
{
    Answer in = contains_quick(th, value_strip(r[pc->c]), value_strip(r[pc->b]));
    if (LIKELY(in != FAILED)) {
        bool yes = (in == YES) != ((pc->flags & FLAG_X) != 0);
        const Instr *next = pc + 1;
        uint8_t op = instr_op(next);
        if ((op == OP_JUMP_IF_FALSE || op == OP_JUMP_IF_TRUE) && next->a == pc->a &&
            (next->flags & A_DEAD)) {
            bool slow = pc->flags & B_DEAD ? reg_drop(th, r[pc->b]) : false;
            if (pc->flags & C_DEAD)
                slow |= reg_drop(th, r[pc->c]);
            pc++;
            if (yes == (op == OP_JUMP_IF_TRUE))
                pc += instr_bc(pc);
            FINISH_DROPS(0, slow);
        }
        FINISH_DROPS(0, put_result(th, F, pc, yes ? REG_STATIC(TRUE) : REG_STATIC(FALSE)));
    }
    SAVE();
    if (UNLIKELY(!slow_CONTAINS(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(BUILD_TUPLE)
{
    unsigned n = pc->c;
    SAVE();
    if (LIKELY(n - 1 < 8)) {
        Object *o = object_new_bare(th, SHAPE_TUPLE, sizeof(Tuple) + n * sizeof(Value), true);
        if (UNLIKELY(o == NULL))
            goto error;
        Tuple *t = (Tuple *)(void *)o;
        t->length = (int64_t)n;
        for (unsigned i = 0; i < n; i++)
            t->items[i] = reg_take(th, r[pc->b + i]);
        FINISH_DROPS(0, put_plain(th, F, pc, value_of(o)));
    }
    if (UNLIKELY(!slow_BUILD_TUPLE(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(FORMAT_VALUE)
{
    Value b = r[pc->b];
    if (value_is_object(b) && object_shape(reg_object(b)) == SHAPE_STR &&
        (pc->flags & FLAG_X) == 0 && SUB(pc->flags) < 2) { /* a str is its own text */
        Value v = pc->flags & B_DEAD ? b : reg_copy(th, b);
        FINISH_DROPS(0, put_plain(th, F, pc, v));
    }
    SAVE();
    if (UNLIKELY(!slow_FORMAT_VALUE(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(BUILD_SET)
{
    SAVE();
    if (instr_op(pc + 1) == OP_OR) { /* s | {x}: what is added needs no set of its own */
        Answer did = slow_union_display(th, F, pc);
        if (UNLIKELY(did == FAILED))
            goto error;
        if (did == YES)
            FINISH(1);
    }
    if (UNLIKELY(!slow_BUILD_SET(th, F, pc)))
        goto error;
    FINISH(0);
}
