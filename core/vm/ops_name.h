/* ops_name.h -- bodies: globals, builtins, locals mappings. */
#define GLOBALS_OF(f) ((Dict *)(void *)value_object(function_globals(frame_function(f))))

TARGET(LOAD_GLOBAL)
{
    SAVE();
    if (UNLIKELY(!slow_load_global(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(LOAD_GLOBAL_MODULE)
{
load_module:;
    CacheWord w = cache_load(pc);
    Dict *d = GLOBALS_OF(F);
    object_touch(th, &d->head);
    Value v = w >> 60 == FAMILY_LOAD_GLOBAL_MODULE
                  ? dict_cached_value(d, (uint32_t)w, cache_payload(w))
                  : NULL;
    if (UNLIKELY(v == NULL)) {
        cache_back_off(pc, opcode_generic(instr_op(pc)));
        DISPATCH();
    }
    v = reg_from(th, &d->head, v);
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
    object_touch(th, &b->head);
    Value v = NULL;
    if (LIKELY(w >> 60 == FAMILY_LOAD_GLOBAL_BUILTIN &&
               load_acquire(&dict_table(d)->guard) == (uint32_t)w &&
               value_of(b) == th->interp->builtins))
        v = dict_table_value(dict_table(b), cache_payload(w));
    if (UNLIKELY(v == NULL)) {
        cache_back_off(pc, opcode_generic(instr_op(pc)));
        DISPATCH();
    }
    v = reg_from(th, &b->head, v);
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
