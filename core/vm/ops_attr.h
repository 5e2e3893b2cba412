/* ops_attr.h -- bodies: attributes and methods.  Guards are versions of shapes or types. */
#define SHAPE_GUARD(x) load_acquire(&shape_version[load_acquire(&(x)->shape)])

TARGET(LOAD_ATTR)
{
    SAVE();
    if (UNLIKELY(!slow_load_attr(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(LOAD_ATTR_SLOT)
{
    Value o = r[pc->b];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        CacheWord w = cache_load(pc);
        uint32_t offset;
        if (LIKELY(cache_hit(w, SHAPE_GUARD(x), FAMILY_LOAD_ATTR_SLOT, &offset))) {
            Value v = reg_from_field(th, x, (Field *)(void *)((char *)x + offset));
            if (LIKELY(v != NULL)) {
                if (LIKELY(!(pc->flags & (A_LIVE | B_DEAD)))) {
                    r[pc->a] = v;
                    NEXT(1);
                }
                bool slow = false;
                if (pc->flags & A_LIVE) {
                    Value old = r[pc->a];
                    r[pc->a] = v;
                    slow = reg_drop(th, old);
                } else {
                    r[pc->a] = v;
                }
                if (pc->flags & B_DEAD)
                    slow |= reg_drop(th, o);
                FINISH_DROPS(1, slow);
            }
        }
    }
    goto load_attr_missed;
}

TARGET(LOAD_ATTR_MEMBER)
{
    Value o = r[pc->b];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        CacheWord w = cache_load(pc);
        if (LIKELY((w & CACHE_GUARD_MASK) ==
                   cache_expect(SHAPE_GUARD(x), FAMILY_LOAD_ATTR_MEMBER))) {
            Value v = reg_from_field(th, x, (Field *)(void *)((char *)x + cache_payload(w)));
            if (LIKELY(v != NULL))
                FINISH_DROPS(1, put_result_b(th, F, pc, v));
        }
    }
    goto load_attr_missed;
}

TARGET(LOAD_ATTR_CLASS)
{
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    uint32_t guard = load_acquire(&shape_version[shape_of(value_strip(o))]);
    uint32_t index;
    if (LIKELY(cache_hit(w, guard, FAMILY_LOAD_ATTR_CLASS, &index))) {
        Value v = load_acquire(&attr_cache[index]);
        if (LIKELY(v != NULL))
            FINISH_DROPS(1, put_result_b(th, F, pc, reg_borrowed(v)));
    }
    goto load_attr_missed;
}

TARGET(LOAD_ATTR_MODULE)
{
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    if (LIKELY(value_is_object(o) && object_shape(reg_object(o)) == SHAPE_MODULE &&
               w >> 60 == FAMILY_LOAD_ATTR_MODULE)) {
        Dict *d = (Dict *)(void *)value_object(module_dict(value_strip(o)));
        object_touch(th, &d->head);
        Value v = dict_cached_value(d, (uint32_t)w, cache_payload(w));
        if (LIKELY(v != NULL))
            FINISH_DROPS(1, put_result_b(th, F, pc, reg_from(th, &d->head, v)));
    }
    cache_back_off(pc, OP_LOAD_ATTR);
    goto L_LOAD_ATTR;
}

TARGET(LOAD_ATTR_TYPE)
{
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    if (LIKELY(value_is_object(o) && is_type(value_strip(o)))) {
        uint32_t guard = load_acquire(&as_type(value_strip(o))->version);
        if (LIKELY((w & CACHE_GUARD_MASK) == cache_expect(guard, FAMILY_LOAD_ATTR_TYPE))) {
            Value v = load_acquire(&attr_cache[cache_payload(w)]);
            if (LIKELY(v != NULL))
                FINISH_DROPS(1, put_result_b(th, F, pc, reg_borrowed(v)));
        }
    }
    cache_back_off(pc, OP_LOAD_ATTR);
    goto L_LOAD_ATTR;
}

TARGET(LOAD_ATTR_PROPERTY)
{
    /* A getter written in Python: its frame is pushed on top of the stack. */
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    Value p;
    if (LIKELY(value_is_object(o) &&
               (w & CACHE_GUARD_MASK) ==
                   cache_expect(SHAPE_GUARD(reg_object(o)), FAMILY_LOAD_ATTR_PROPERTY) &&
               (p = load_acquire(&attr_cache[cache_payload(w)])) != NULL)) {
        result = p;
        goto load_property;
    }
    goto load_attr_missed;
}
load_property: /* `result`: a property */
{
    Value o = r[pc->b];
    {
        Object *property = value_object(result);
        Value get = field_read(th, property, &((Property *)(void *)property)->get);
        if (LIKELY(get != NULL && is_function(get))) {
            Function *fn = as_function(get);
            function_touch(th, fn);
            Code *code = as_code(load_acquire(&fn->code));
            if (LIKELY(code->simple_args == 1)) {
                SAVE();
                Frame *nf = (Frame *)(void *)frame_stack_top(th);
                nf->function = get;
                nf->r[0] = reg_copy(th, o);
                if (UNLIKELY(!push_frame(th, nf, code, fn, FRAME_PROPERTY, 1))) {
                    reg_drop(th, nf->r[0]);
                    drop(th, get);
                    goto error;
                }
                r = nf->r;
                pc = load_relaxed(&th->request) ? code->instrs : code->start;
                DISPATCH();
            }
        }
        drop_null(th, get);
    }
    if (instr_op(pc) != OP_LOAD_ATTR_POLY)
        cache_back_off(pc, OP_LOAD_ATTR);
    goto L_LOAD_ATTR;
}

TARGET(LOAD_ATTR_POLY)
{
    Value o = r[pc->b];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        CacheWord w = poly_find(F->code, pc, FAMILY_LOAD_ATTR_POLY, SHAPE_GUARD(x));
        Value v;
        switch (w >> 60) {
        case FAMILY_LOAD_ATTR_SLOT:
        case FAMILY_LOAD_ATTR_MEMBER:
            v = reg_from_field(th, x, (Field *)(void *)((char *)x + cache_payload(w)));
            if (LIKELY(v != NULL))
                FINISH_DROPS(1, put_result_b(th, F, pc, v));
            break;
        case FAMILY_LOAD_ATTR_CLASS:
            v = load_acquire(&attr_cache[cache_payload(w)]);
            if (LIKELY(v != NULL))
                FINISH_DROPS(1, put_result_b(th, F, pc, reg_borrowed(v)));
            break;
        case FAMILY_LOAD_ATTR_PROPERTY:
            result = load_acquire(&attr_cache[cache_payload(w)]);
            if (LIKELY(result != NULL))
                goto load_property;
            break;
        default:
            break;
        }
    }
    if (LIKELY(cache_load(pc) >> 60 == FAMILY_LOAD_ATTR_POLY))
        goto L_LOAD_ATTR;
}
load_attr_missed:
    poly_begin(F->code, pc, OP_LOAD_ATTR_POLY, FAMILY_LOAD_ATTR_POLY, OP_LOAD_ATTR);
    goto L_LOAD_ATTR;

TARGET(STORE_ATTR)
{
    SAVE();
    if (UNLIKELY(!slow_store_attr(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(STORE_ATTR_SLOT)
{
    Value o = r[pc->a];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        CacheWord w = cache_load(pc);
        uint32_t offset;
        shape = load_acquire(&x->shape);
        if (LIKELY(cache_hit(w, load_acquire(&shape_version[shape]), FAMILY_STORE_ATTR_SLOT,
                             &offset))) {
            if (UNLIKELY(!object_section_private(th, x))) {
                cache = w;
                goto store_slot;
            }
            Field *f = (Field *)(void *)((char *)x + offset);
            Value old = load_relaxed(f);
            if (LIKELY(old != NULL)) { /* the shape is th's alone, too */
                Value v = r[pc->b];
                v = pc->flags & B_DEAD ? reg_take(th, v) : reg_own(th, v);
                store_release(f, v); /* pairs with instance_get() */
                object_section_end(th);
                bool slow = reg_drop(th, old);
                if (pc->flags & A_DEAD)
                    slow |= reg_drop(th, o);
                FINISH_DROPS(1, slow);
            }
            object_section_end(th);
            goto L_STORE_ATTR;
        }
    }
    goto store_attr_missed;
}
store_slot: /* of any object.  `cache`: the word, `shape`: that it was guarded for */
{
    Value o = r[pc->a];
    {
        Object *x = reg_object(o);
        {
            Field *f = (Field *)(void *)((char *)x + cache_payload(cache));
            bool held = object_touch_lock(th, x);
            Value old = load_relaxed(f);
            if (LIKELY(old != NULL && object_shape(x) == shape)) {
                Value v = r[pc->b];
                v = pc->flags & B_DEAD ? reg_take(th, v) : reg_own(th, v);
                store_release(f, v); /* pairs with instance_get() */
                bool shared = (object_bits(x) & BIT_SHARED) != 0;
                object_unlock_by(th, x, held);
                bool slow = false;
                if (UNLIKELY(shared)) {
                    drop_from(th, true, old);
                    slow = true;
                } else {
                    slow = reg_drop(th, old);
                }
                if (pc->flags & A_DEAD)
                    slow |= reg_drop(th, o);
                FINISH_DROPS(1, slow);
            }
            object_unlock_by(th, x, held);
            goto L_STORE_ATTR;
        }
    }
}

TARGET(STORE_ATTR_ADD)
{
    Value o = r[pc->a];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        CacheWord w = cache_load(pc);
        shape = load_acquire(&x->shape);
        if (LIKELY((w & CACHE_GUARD_MASK) == cache_expect(load_acquire(&shape_version[shape]),
                                                          FAMILY_STORE_ATTR_ADD))) {
            cache = w;
            if (UNLIKELY(!object_section_private(th, x)))
                goto store_add;
            uint32_t payload = cache_payload(w);
            Field *f = (Field *)(void *)((char *)x + (size_t)(payload >> 20) * 8);
            Value v = r[pc->b];
            v = pc->flags & B_DEAD ? reg_take(th, v) : reg_own(th, v);
            /* Both pair with instance_get(). */
            store_release(f, v);
            store_release(&x->shape, payload & (SHAPE_MAX - 1));
            object_section_end(th);
            bool slow = pc->flags & A_DEAD ? reg_drop(th, o) : false;
            FINISH_DROPS(1, slow);
        }
    }
    goto store_attr_missed;
}
store_add: /* the same */
{
    Value o = r[pc->a];
    {
        Object *x = reg_object(o);
        {
            uint32_t payload = cache_payload(cache);
            Field *f = (Field *)(void *)((char *)x + (size_t)(payload >> 20) * 8);
            bool held = object_touch_lock(th, x);
            if (LIKELY(object_shape(x) == shape)) {
                Value v = r[pc->b];
                v = pc->flags & B_DEAD ? reg_take(th, v) : reg_own(th, v);
                store_release(f, v); /* pairs with instance_get() */
                store_release(&x->shape, payload & (SHAPE_MAX - 1));
                object_unlock_by(th, x, held);
                bool slow = pc->flags & A_DEAD ? reg_drop(th, o) : false;
                FINISH_DROPS(1, slow);
            }
            object_unlock_by(th, x, held);
            goto L_STORE_ATTR;
        }
    }
}

TARGET(STORE_ATTR_MEMBER)
{
    Value o = r[pc->a];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        CacheWord w = cache_load(pc);
        if (LIKELY((w & CACHE_GUARD_MASK) ==
                   cache_expect(SHAPE_GUARD(x), FAMILY_STORE_ATTR_MEMBER))) {
            cache = w;
            goto store_member;
        }
    }
    goto store_attr_missed;
}
store_member:
{
    Value o = r[pc->a];
    {
        Object *x = reg_object(o);
        {
            Value v = r[pc->b];
            v = pc->flags & B_DEAD ? reg_take(th, v) : reg_own(th, v);
            field_replace(th, x, (Field *)(void *)((char *)x + cache_payload(cache)), v);
            if (pc->flags & A_DEAD)
                reg_drop(th, o);
            FINISH(1);
        }
    }
}

TARGET(STORE_ATTR_POLY)
{
    Value o = r[pc->a];
    if (LIKELY(value_is_object(o))) {
        Object *x = reg_object(o);
        shape = load_acquire(&x->shape);
        cache = poly_find(F->code, pc, FAMILY_STORE_ATTR_POLY, load_acquire(&shape_version[shape]));
        switch (cache >> 60) {
        case FAMILY_STORE_ATTR_SLOT: goto store_slot;
        case FAMILY_STORE_ATTR_ADD: goto store_add;
        case FAMILY_STORE_ATTR_MEMBER: goto store_member;
        default: break;
        }
    }
    if (LIKELY(cache_load(pc) >> 60 == FAMILY_STORE_ATTR_POLY))
        goto L_STORE_ATTR;
}
store_attr_missed:
    poly_begin(F->code, pc, OP_STORE_ATTR_POLY, FAMILY_STORE_ATTR_POLY, OP_STORE_ATTR);
    goto L_STORE_ATTR;

TARGET(LOAD_METHOD)
{
    SAVE();
    if (UNLIKELY(!slow_load_method(th, F, pc)))
        goto error;
    FINISH(1);
}

TARGET(LOAD_METHOD_CLASS)
{
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    uint32_t guard = load_acquire(&shape_version[shape_of(value_strip(o))]), index;
    if (LIKELY(cache_hit(w, guard, FAMILY_LOAD_METHOD_CLASS, &index))) {
        Value v = load_acquire(&attr_cache[index]);
        if (LIKELY(v != NULL)) {
            r[pc->a + FRAME_WORDS] = pc->flags & B_DEAD ? o : reg_copy(th, o);
            r[pc->a] = reg_borrowed(v);
            NEXT(1);
        }
    }
    goto load_method_missed;
}

TARGET(LOAD_METHOD_PLAIN)
{
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    uint32_t guard = load_acquire(&shape_version[shape_of(value_strip(o))]);
    if (LIKELY((w & CACHE_GUARD_MASK) == cache_expect(guard, FAMILY_LOAD_METHOD_PLAIN))) {
        Value v = load_acquire(&attr_cache[cache_payload(w)]);
        if (LIKELY(v != NULL)) {
            result = v;
            goto load_plain;
        }
    }
    goto load_method_missed;
}

TARGET(LOAD_METHOD_POLY)
{
    Value o = r[pc->b];
    uint32_t guard = load_acquire(&shape_version[shape_of(value_strip(o))]);
    CacheWord w = poly_find(F->code, pc, FAMILY_LOAD_METHOD_POLY, guard);
    Value v;
    switch (w >> 60) {
    case FAMILY_LOAD_METHOD_CLASS:
        v = load_acquire(&attr_cache[cache_payload(w)]);
        if (LIKELY(v != NULL)) {
            r[pc->a + FRAME_WORDS] = pc->flags & B_DEAD ? o : reg_copy(th, o);
            r[pc->a] = reg_borrowed(v);
            NEXT(1);
        }
        break;
    case FAMILY_LOAD_METHOD_PLAIN:
        result = load_acquire(&attr_cache[cache_payload(w)]);
        if (LIKELY(result != NULL))
            goto load_plain;
        break;
    default:
        break;
    }
    if (LIKELY(cache_load(pc) >> 60 == FAMILY_LOAD_METHOD_POLY))
        goto L_LOAD_METHOD;
}
load_method_missed:
    poly_begin(F->code, pc, OP_LOAD_METHOD_POLY, FAMILY_LOAD_METHOD_POLY, OP_LOAD_METHOD);
    goto L_LOAD_METHOD;

load_plain: /* `result`: an attribute of the type that is not bound, or a wrapper */
{
    if (is_wrapper(result))
        goto load_wrapped;
    Value o = r[pc->b];
    r[pc->a + FRAME_WORDS] = NULL;
    r[pc->a] = reg_borrowed(result);
    bool slow = pc->flags & B_DEAD ? reg_drop(th, o) : false;
    FINISH_DROPS(1, slow);
}

load_wrapped: /* `result` is a staticmethod or classmethod of r[b] or its type */
{
    Value o = r[pc->b];
    Value f = wrapper_function(th, result);
    if (UNLIKELY(f == NULL))
        goto L_LOAD_METHOD;
    Value self = NULL;
    bool kept = false;
    if (type_of(result) == &classmethod_type) {
        Value plain = value_strip(o);
        if (!is_type(plain)) {
            self = REG_STATIC(value_of_type(type_of(plain)));
        } else {
            kept = (pc->flags & B_DEAD) != 0;
            self = kept ? o : reg_copy(th, o);
        }
    }
    r[pc->a + FRAME_WORDS] = self;
    r[pc->a] = f;
    bool slow = (pc->flags & B_DEAD) && !kept ? reg_drop(th, o) : false;
    FINISH_DROPS(1, slow);
}

TARGET(LOAD_METHOD_MODULE)
{
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    if (LIKELY(value_is_object(o) && object_shape(reg_object(o)) == SHAPE_MODULE &&
               w >> 60 == FAMILY_LOAD_METHOD_MODULE)) {
        Dict *d = (Dict *)(void *)value_object(module_dict(value_strip(o)));
        object_touch(th, &d->head);
        Value v = dict_cached_value(d, (uint32_t)w, cache_payload(w));
        if (LIKELY(v != NULL)) {
            v = reg_from(th, &d->head, v);
            r[pc->a + FRAME_WORDS] = NULL;
            r[pc->a] = v;
            bool slow = pc->flags & B_DEAD ? reg_drop(th, o) : false;
            FINISH_DROPS(1, slow);
        }
    }
    cache_back_off(pc, OP_LOAD_METHOD);
    goto L_LOAD_METHOD;
}

TARGET(LOAD_METHOD_TYPE)
{
    Value o = r[pc->b];
    CacheWord w = cache_load(pc);
    if (LIKELY(value_is_object(o) && is_type(value_strip(o)))) {
        uint32_t guard = load_acquire(&as_type(value_strip(o))->version);
        if (LIKELY((w & CACHE_GUARD_MASK) == cache_expect(guard, FAMILY_LOAD_METHOD_TYPE))) {
            Value v = load_acquire(&attr_cache[cache_payload(w)]);
            if (LIKELY(v != NULL)) {
                if (is_wrapper(v)) {
                    result = v;
                    goto load_wrapped;
                }
                r[pc->a + FRAME_WORDS] = NULL;
                r[pc->a] = reg_borrowed(v);
                bool slow = pc->flags & B_DEAD ? reg_drop(th, o) : false;
                FINISH_DROPS(1, slow);
            }
        }
    }
    cache_back_off(pc, OP_LOAD_METHOD);
    goto L_LOAD_METHOD;
}
