/* ops_name.h -- bodies: globals, builtins, locals mappings. */
#define GLOBALS_OF(f) ((Dict *)(void *)value_object(function_globals(frame_function(f))))

TARGET(LOAD_GLOBAL)
{
    SAVE();
    if (UNLIKELY(!slow_load_global(th, F, pc)))
        goto error;
    FINISH(1);
}

/* A cached form does not apply: the names have changed, or this function has other globals. */
load_global_missed:
    if (opcode_generic(instr_op(pc)) == OP_LOAD_GLOBAL &&
        load_relaxed(&F->code->globals_seen) != (const void *)GLOBALS_OF(F))
        poly_begin(F->code, pc, OP_LOAD_GLOBAL_POLY, FAMILY_LOAD_GLOBAL_POLY, OP_LOAD_GLOBAL);
    else
        cache_back_off(pc, opcode_generic(instr_op(pc)));
    DISPATCH();

TARGET(LOAD_GLOBAL_MODULE)
{
load_module:;
    CacheWord w = cache_load(pc);
    Dict *d = GLOBALS_OF(F);
    bool counted = reg_touch(th, &d->head);
    DictTable *t = dict_table(d);
    Value v = NULL; /* the guard pairs with the stores of 0 [dict.guard] */
    uint32_t entry;
    if (LIKELY(cache_hit(w, load_acquire(&t->guard), FAMILY_LOAD_GLOBAL_MODULE, &entry)))
        v = dict_table_value(t, entry);
    if (UNLIKELY(v == NULL))
        goto load_global_missed;
    v = reg_word(th, counted, v);
    if (pc->flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        FINISH_DROPS(1, reg_drop(th, old));
    }
    r[pc->a] = v;
    NEXT(1);
}

TARGET(LOAD_GLOBAL_POLY)
{
    Function *fn = frame_function(F);
    Dict *d = GLOBALS_OF(F);
    bool counted = reg_touch(th, &d->head);
    DictTable *t = dict_table(d);
    /* The guard pairs with the stores of 0 [dict.guard]. */
    CacheWord w = poly_find(F->code, pc, FAMILY_LOAD_GLOBAL_POLY, load_acquire(&t->guard));
    Value v = NULL;
    if (LIKELY(w >> 60 == FAMILY_LOAD_GLOBAL_MODULE)) {
        v = dict_table_value(t, cache_payload(w));
        if (LIKELY(v != NULL))
            v = reg_word(th, counted, v);
    } else if (w != 0 && function_builtins(fn) == th->interp->builtins) {
        v = dict_table_value(dict_table((Dict *)(void *)value_object(function_builtins(fn))), cache_payload(w));
        if (LIKELY(v != NULL))
            v = reg_borrowed(v); /* shared since there are such words */
    }
    if (UNLIKELY(v == NULL)) {
        if (UNLIKELY(cache_load(pc) >> 60 != FAMILY_LOAD_GLOBAL_POLY))
            poly_begin(F->code, pc, OP_LOAD_GLOBAL_POLY, FAMILY_LOAD_GLOBAL_POLY, OP_LOAD_GLOBAL);
        goto L_LOAD_GLOBAL;
    }
    if (pc->flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        FINISH_DROPS(1, reg_drop(th, old));
    }
    r[pc->a] = v;
    NEXT(1);
}

TARGET(LOAD_GLOBAL_BUILTIN)
{
load_builtin:;
    CacheWord w = cache_load(pc);
    Function *fn = frame_function(F);
    Dict *d = (Dict *)(void *)value_object(function_globals(fn));
    Dict *b = (Dict *)(void *)value_object(function_builtins(fn));
    Value v = NULL;
    object_touch(th, &d->head); /* the guard, too, is in memory that a private dict gives up at once */
    if (LIKELY((w & CACHE_GUARD_MASK) ==
                   cache_expect(load_acquire(&dict_table(d)->guard), FAMILY_LOAD_GLOBAL_BUILTIN) &&
               value_of(b) == th->interp->builtins)) /* shared since such a word was made */
        v = dict_table_value(dict_table(b), cache_payload(w));
    if (UNLIKELY(v == NULL))
        goto load_global_missed;
    v = reg_borrowed(v);
    if (pc->flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        FINISH_DROPS(1, reg_drop(th, old));
    }
    r[pc->a] = v;
    NEXT(1);
}

TARGET(LOAD_NAME)
{
    SAVE();
    if (UNLIKELY(!slow_load_name(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(LOAD_NAME_MODULE)
{
    if (LIKELY(F->locals == function_globals(frame_function(F))))
        goto load_module;
    cache_back_off(pc, OP_LOAD_NAME);
    DISPATCH();
}

TARGET(LOAD_NAME_BUILTIN)
{
    if (LIKELY(F->locals == function_globals(frame_function(F))))
        goto load_builtin;
    cache_back_off(pc, OP_LOAD_NAME);
    DISPATCH();
}

TARGET(STORE_GLOBAL)
{
    SAVE();
    if (UNLIKELY(!slow_store_global(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(STORE_GLOBAL_MODULE)
{
store_module:;
    CacheWord w = cache_load(pc);
    Dict *d = GLOBALS_OF(F);
    uint32_t entry;
    bool held = object_touch_lock(th, &d->head);
    DictTable *t = load_relaxed(&d->table); /* changed under the lock only, as its guard is */
    if (LIKELY(cache_hit(w, load_relaxed(&t->guard), FAMILY_STORE_GLOBAL_MODULE, &entry))) {
        Field *f = &dict_entry(t, entry)->value;
        Value old = load_relaxed(f);
        if (LIKELY(old != NULL)) {
            Value v = r[pc->a];
            v = pc->flags & A_DEAD ? reg_take(th, v) : reg_own(th, v);
            store_release(f, v); /* [dict.value] */
            bool shared = (object_bits(&d->head) & BIT_SHARED) != 0;
            object_unlock_by(th, &d->head, held);
            bool slow = true;
            if (UNLIKELY(shared))
                drop_from(th, true, old);
            else
                slow = reg_drop(th, old);
            FINISH_DROPS(1, slow);
        }
    }
    object_unlock_by(th, &d->head, held);
    cache_back_off(pc, opcode_generic(instr_op(pc)));
    DISPATCH();
}

TARGET(STORE_NAME)
{
    SAVE();
    if (UNLIKELY(!slow_store_name(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(STORE_NAME_MODULE)
{
    if (LIKELY(F->locals == function_globals(frame_function(F))))
        goto store_module;
    cache_back_off(pc, OP_STORE_NAME);
    DISPATCH();
}
