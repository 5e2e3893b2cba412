/* ops_item_imm.h -- bodies: subscripts that are small ints, unpacking of tuples and lists. */

/* r[a] = v; b ends if it is dead, c is no register. */
#define PUT_B(words, v)                                                                           \
    do {                                                                                          \
        Value put_ = (v);                                                                         \
        if (LIKELY((pc->flags & (A_LIVE | B_DEAD)) == 0)) {                                       \
            r[pc->a] = put_;                                                                      \
            NEXT(words);                                                                          \
        }                                                                                         \
        FINISH_DROPS(words, put_result_b(th, F, pc, put_));                                       \
    } while (0)

TARGET(GET_ITEM_IMM)
{
    Value o = r[pc->b];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        uint32_t shape = object_shape(x);
        int64_t i = (int16_t)pc->c;
        Value v = NULL;
        bool counted = reg_touch(th, x);
        if (LIKELY(shape == SHAPE_LIST)) {
            if (UNLIKELY(i < 0))
                i += load_acquire(&((List *)(void *)x)->length);
            v = list_peek(value_of(x), i);
        } else if (shape == SHAPE_TUPLE) {
            if (UNLIKELY(i < 0))
                i += ((Tuple *)(void *)x)->length;
            v = tuple_peek(value_of(x), i);
        } else if (shape == SHAPE_DICT) {
            v = dict_peek_int(value_of(x), value_from_fixnum(i));
        } else if (shape == SHAPE_STR) {
            Str *s = (Str *)(void *)x;
            if (UNLIKELY(i < 0))
                i += (int64_t)s->length;
            uint32_t ch;
            if (LIKELY((uint64_t)i < s->length) && LIKELY((ch = str_char(s, (size_t)i)) < 256))
                PUT_B(0, REG_STATIC(str_latin1((uint8_t)ch)));
        }
        if (LIKELY(v != NULL))
            PUT_B(0, reg_word(th, counted, v));
    }
    SAVE();
    if (UNLIKELY(!slow_get_item_imm(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(SET_ITEM_IMM)
{
    Value o = r[pc->a];
    if (LIKELY(value_is_object(o) && object_shape(reg_object(o)) == SHAPE_LIST)) {
        List *l = (List *)(void *)reg_object(o);
        int64_t i = (int16_t)pc->b;
        object_touch(th, &l->head);
        Value v = r[pc->c];
        bool dead = (pc->flags & C_DEAD) != 0;
        Value owned = dead ? reg_take(th, v) : reg_own(th, v);
        if (LIKELY(list_store_fast(th, value_of(l), i, owned))) {
            if (pc->flags & A_DEAD)
                reg_drop(th, o);
            FINISH(0);
        }
        if (dead)
            r[pc->c] = owned;
        else
            drop(th, owned);
    }
    SAVE();
    if (UNLIKELY(!slow_set_item_imm(th, F, pc)))
        goto error;
    FINISH(0);
}

/* r[a + i] = v: a temporary, or a variable that may hold something. */
#define UNPACK_ITEM(i, v)                                                                         \
    do {                                                                                          \
        Value item_ = (v);                                                                        \
        if (live) {                                                                               \
            Value old_ = to[i];                                                                   \
            to[i] = item_;                                                                        \
            slow |= reg_drop(th, old_);                                                           \
        } else {                                                                                  \
            to[i] = item_;                                                                        \
        }                                                                                         \
    } while (0)

TARGET(UNPACK)
{
    /* The destinations are temporaries that may begin with b, or variables while b is none. */
    enum { MOST = 8 };
    Value o = r[pc->b];
    unsigned n = pc->c;
    Value *to = r + pc->a;
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        bool live = (pc->flags & A_LIVE) != 0, slow = false;
        if (LIKELY(object_shape(x) == SHAPE_TUPLE)) {
            const Tuple *t = (const Tuple *)(const void *)x;
            if (LIKELY((uint64_t)t->length == n)) {
                bool counted = reg_touch(th, x);
                for (unsigned i = 0; i < n; i++)
                    UNPACK_ITEM(i, reg_word(th, counted, t->items[i]));
                if (pc->flags & B_DEAD)
                    slow |= reg_drop(th, o);
                FINISH_DROPS(0, slow);
            }
        } else if (object_shape(x) == SHAPE_LIST && n <= MOST && object_is_private(th, x)) {
            List *l = (List *)(void *)x;
            ItemArray *items = load_acquire(&l->array); /* [list.array] */
            if (LIKELY((uint64_t)load_acquire(&l->length) == n && items != NULL &&
                       (uint64_t)items->capacity >= n)) {
                Value got[MOST];
                unsigned i = 0;
                while (i < n && (got[i] = load_acquire(&items->items[i])) != NULL) /* [list.item] */
                    i++;
                /* Private before and after: no other thread has changed it meanwhile. */
                if (LIKELY(i == n && object_is_private(th, x))) {
                    for (i = 0; i < n; i++)
                        got[i] = reg_word(th, true, got[i]);
                    for (i = 0; i < n; i++)
                        UNPACK_ITEM(i, got[i]);
                    if (pc->flags & B_DEAD)
                        slow |= reg_drop(th, o);
                    FINISH_DROPS(0, slow);
                }
            }
        }
    }
    SAVE();
    if (UNLIKELY(!slow_unpack(th, F, pc)))
        goto error;
    FINISH(0);
}
