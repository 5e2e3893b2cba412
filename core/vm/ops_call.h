/* ops_call.h -- bodies: calls and returns.
 *
 * The plain case is in line: a Python function with as many positional arguments as it has
 * parameters.  Its arguments lie where its registers begin; only the header is written.  So are
 * native functions, static types and bound methods of plain functions with positional arguments.
 * All other callees: slow_call().
 */

/* Pushes a frame whose header is at `nf` (function word set, parameters 0 .. params-1 in place)
 * and goes on there.  The caller's SAVE() is done. */
#define PUSH_FRAME(nf_, code_, fn_, bits_, params_)                                               \
    do {                                                                                          \
        Frame *push_ = (nf_);                                                                     \
        Code *pushed_ = (code_);                                                                  \
        push_->link = frame_link(F, (bits_));                                                     \
        push_->pc = pushed_->instrs;                                                              \
        push_->code = pushed_;                                                                    \
        push_->locals = NULL;                                                                     \
        push_->object = NULL;                                                                     \
        frame_init_variables((fn_), pushed_, push_->r, (params_));                                \
        th->frame = push_;                                                                        \
        r = push_->r;                                                                             \
        pc = UNLIKELY(load_relaxed(&th->request)) ? pushed_->instrs : pushed_->start;             \
        DISPATCH();                                                                               \
    } while (0)

/* Tries the plain case: callee word `w` (a function if `test`), new registers at `nr`, `n`
 * arguments. */
#define CALL_PLAIN(test, w, nr_, n)                                                               \
    do {                                                                                          \
        if (LIKELY(test)) {                                                                       \
            if (UNLIKELY(F->link & FRAME_GENERATOR)) {                                            \
                args = (nr_);                                                                     \
                count = (n);                                                                      \
                goto call_in_generator;                                                           \
            }                                                                                     \
            Function *fn = (Function *)(void *)reg_object(w);                                     \
            function_touch(th, fn);                                                          \
            Code *code = as_code(load_acquire(&fn->code));                                        \
            Value *nr = (nr_);                                                                    \
            int32_t left = th->recursion_left - 1;                                                \
            if (LIKELY(code->simple_args == (n) && frame_fits(th, nr, code) && left >= 0)) {      \
                th->recursion_left = left;                                                        \
                SAVE();                                                                           \
                Frame *nf = frame_of(nr);                                                         \
                nf->function = (w);                                                               \
                PUSH_FRAME(nf, code, fn, 0, (n));                                                 \
            }                                                                                     \
        }                                                                                         \
    } while (0)

TARGET(CALL)
{
    Value w = r[pc->a];
    CALL_PLAIN(value_is_object(w) && object_shape(reg_object(w)) == SHAPE_FUNCTION, w,
               r + pc->a + FRAME_WORDS, pc->b);
    args = r + pc->a + FRAME_WORDS;
    count = pc->b;
    goto call_other;
}

TARGET(CALL_METHOD)
{
    Value w = r[pc->a];
    unsigned none = r[pc->a + FRAME_WORDS] == NULL;
    CALL_PLAIN(value_is_object(w) && object_shape(reg_object(w)) == SHAPE_FUNCTION, w,
               r + pc->a + FRAME_WORDS + none, pc->b + 1u - none);
    args = r + pc->a + FRAME_WORDS + none;
    count = pc->b + 1u - none;
    goto call_other;
}

call_in_generator:
{
    /* The caller's frame lies in the heap: the callee's begins on top of the stack. */
    Value w = r[pc->a];
    Function *fn = (Function *)(void *)reg_object(w);
    function_touch(th, fn);
    Code *code = as_code(load_acquire(&fn->code));
    Value *nr = frame_generator(F)->stack_top + FRAME_WORDS;
    if (LIKELY(code->simple_args == count && frame_fits(th, nr, code) &&
               th->recursion_left > 0)) {
        th->recursion_left--;
        SAVE();
        for (unsigned i = 0; i < count; i++)
            nr[i] = args[i];
        Frame *nf = frame_of(nr);
        nf->function = w;
        PUSH_FRAME(nf, code, fn, 0, count);
    }
    goto call_slow;
}

call_other:
{
    /* Native functions with positional arguments; `args` and `count` are set. */
    Value w = r[pc->a];
    if (UNLIKELY(!value_is_object(w)))
        goto call_slow;
    Object *x = reg_object(w);
    const MethodDef *def;
    const Arg *given = args_of(args);
    size_t n = count;
    Value self;
    if (object_shape(x) == SHAPE_NATIVE_FUNCTION) {
        def = ((NativeFunction *)(void *)x)->def;
        self = ((NativeFunction *)(void *)x)->self;
    } else if (object_shape(x) == SHAPE_METHOD_DESCR && n != 0) {
        const MethodDescr *d = (MethodDescr *)(void *)x;
        self = value_strip(args[0]);
        if (UNLIKELY(type_of(self) != d->type && !type_is_subtype(type_of(self), d->type)))
            goto call_slow;
        def = d->def;
        given++;
        n--;
        if (def->f1 == list_append_method && n == 1 && is_exact(self, SHAPE_LIST)) {
            args[1] = reg_take(th, args[1]);
            if (LIKELY(list_append_fast(th, self, args[1]))) {
                reg_drop(th, args[0]);
                reg_drop(th, w);
                Value old = pc->flags & A_LIVE ? r[pc->c] : NULL;
                r[pc->c] = REG_STATIC(NONE);
                reg_drop(th, old);
                POLL(1);
            }
        }
    } else if (object_shape(x) == SHAPE_METHOD &&
               is_function(((Method *)(void *)x)->function)) {
        const Method *m = (Method *)(void *)x;
        Function *fn = as_function(m->function);
        function_touch(th, fn);
        Code *code = as_code(load_acquire(&fn->code));
        if (UNLIKELY(code->simple_args != n + 1 || (F->link & FRAME_GENERATOR) ||
                     !frame_fits(th, args, code) || th->recursion_left <= 0))
            goto call_slow;
        th->recursion_left--;
        SAVE();
        for (size_t i = n; i-- > 0;) /* upwards */
            args[i + 1] = args[i];
        args[0] = retain(th, m->self);
        Frame *nf = frame_of(args);
        nf->function = retain(th, m->function);
        reg_drop(th, w);
        PUSH_FRAME(nf, code, fn, 0, (uint32_t)n + 1);
    } else {
        if (SLOT(type_at(object_shape(x)), call) == type_call &&
            !(type_flags((const Type *)(const void *)x) & TYPE_HEAP)) { /* a class written in C */
            SAVE();
            result = type_call(th, value_of(x), given, n, NULL);
            goto called_native;
        }
        /* A function with attributes of its own. */
        CALL_PLAIN(object_ops(x) == &function_type.ops, w, args, count);
        goto call_slow;
    }
    SAVE();
    switch (def->flags & METHOD_KIND) {
    case METHOD_0:
        if (UNLIKELY(n != 0))
            goto call_slow;
        result = def->f0(th, self);
        break;
    case METHOD_1:
        if (UNLIKELY(n != 1))
            goto call_slow;
        result = def->f1(th, self, value_strip(given[0].raw));
        break;
    case METHOD_N:
        if (UNLIKELY((int)n < def->nmin || ((int)n > def->nmax && def->nmax >= 0)))
            goto call_slow;
        result = def->fn(th, self, given, n);
        break;
    default:
        result = def->fk(th, self, given, n, NULL);
        break;
    }
called_native:
    if (UNLIKELY(result == NULL))
        goto error;
    for (unsigned i = 0; i < count; i++)
        reg_drop(th, args[i]);
    reg_drop(th, r[pc->a]);
    if (pc->flags & A_LIVE) {
        Value old = r[pc->c];
        r[pc->c] = result;
        reg_drop(th, old);
    } else {
        r[pc->c] = result;
    }
    POLL(1);
}

/* A class with object's __new__ and a plain Python __init__. `first`: where the arguments are. */
#define CALL_INIT(w, first_, n_)                                                                  \
    do {                                                                                          \
        CacheWord cw = cache_load(pc);                                                            \
        if (LIKELY(value_is_object(w) && (F->link & FRAME_GENERATOR) == 0 &&                      \
                   SLOT(type_at(object_shape(reg_object(w))), call) == type_call)) {              \
            Type *t = (Type *)(void *)reg_object(w);                                              \
            uint32_t root = __atomic_load_n(&t->root_shape, __ATOMIC_ACQUIRE);                    \
            Value init;                                                                           \
            if (LIKELY((cw & CACHE_GUARD_MASK) ==                                                 \
                           cache_expect(load_acquire(&shape_version[root]), 1) &&                 \
                       (init = load_acquire(&attr_cache[cache_payload(cw)])) != NULL)) {          \
                Function *fn = as_function(init);                                                 \
                function_touch(th, fn);                                                      \
                Code *code = as_code(load_acquire(&fn->code));                                    \
                unsigned n = (n_);                                                                \
                Value *from = r + (first_);                                                       \
                Value *nr = r + pc->a + 1 + FRAME_WORDS;                                          \
                if (LIKELY(code->simple_args == n + 1 && frame_fits(th, nr, code) &&              \
                           th->recursion_left > 0)) {                                             \
                    SAVE();                                                                       \
                    Value self = type_alloc(th, t, 0);                                            \
                    if (UNLIKELY(self == NULL))                                                   \
                        goto error;                                                               \
                    th->recursion_left--;                                                         \
                    for (unsigned i = n; i-- > 0;) /* upwards */                                  \
                        nr[1 + i] = from[i];                                                      \
                    Value class_word = r[pc->a];                                                  \
                    r[pc->a] = self;                                                              \
                    nr[0] = value_from_bits(value_bits(self) | VALUE_BORROWED);                   \
                    reg_drop(th, class_word);                                                     \
                    Frame *nf = frame_of(nr);                                                     \
                    nf->function = reg_borrowed(init);                                            \
                    PUSH_FRAME(nf, code, fn, FRAME_INIT, n + 1);                                  \
                }                                                                                 \
                goto call_slow;                                                                   \
            }                                                                                     \
        }                                                                                         \
    } while (0)

TARGET(CALL_CLASS)
{
    Value w = r[pc->a];
    CALL_INIT(w, pc->a + FRAME_WORDS, pc->b);
    cache_back_off(pc, OP_CALL);
    DISPATCH();
}

TARGET(CALL_METHOD_CLASS)
{
    Value w = r[pc->a];
    if (LIKELY(r[pc->a + FRAME_WORDS] == NULL))
        CALL_INIT(w, pc->a + FRAME_WORDS + 1, pc->b);
    cache_back_off(pc, OP_CALL_METHOD);
    DISPATCH();
}

TARGET(CALL_KW)
TARGET(CALL_METHOD_KW)
TARGET(CALL_EX)
call_slow:
{
    SAVE();
    enum CallResult did = slow_call(th, F, pc);
    if (LIKELY(did == CALL_DONE))
        POLL(instr_op(pc) == OP_CALL_EX ? 0 : 1);
    if (UNLIKELY(did == CALL_FAILED))
        goto error;
    r = th->frame->r;
    pc = UNLIKELY(load_relaxed(&th->request)) ? th->frame->code->instrs : th->frame->code->start;
    DISPATCH();
}

TARGET(RETURN_CONST)
{
    Value v = reg_borrowed(F->code->consts[instr_bc(pc)]);
    /* Borrowed, also when this code object dies now: it is born shared (rules A5). */
    if (UNLIKELY((F->link & 0xffff & ~(uintptr_t)FRAME_CLEAN) != 0)) {
        SAVE();
        result = v;
        goto return_slow;
    }
    result = v;
    goto return_plain;
}

TARGET(RETURN)
{
    unsigned at = pc->a;
    result = r[at];
    r[at] = NULL;
    if (UNLIKELY((F->link & 0xffff & ~(uintptr_t)FRAME_CLEAN) != 0)) {
        SAVE();
        goto return_slow;
    }
return_plain:;
    Frame *f = F;
    bool slow = false;
    for (uint32_t i = 0, n = f->code->temp_base; i < n; i++)
        slow |= reg_drop(th, r[i]);
    if (reg_is_counted(f->function))
        slow |= reg_drop(th, f->function);
    Frame *caller = frame_caller(f);
    th->recursion_left++;
    th->frame = caller;
    r = caller->r;
    pc = (Instr *)(uintptr_t)caller->pc;
    if (pc->flags & A_LIVE) {
        Value old = r[pc->c];
        r[pc->c] = result;
        slow |= reg_drop(th, old);
    } else {
        r[pc->c] = result;
    }
    FINISH_DROPS(1, slow);
}

return_slow:
{
    /* `result` is a register's word that belongs to nobody yet. */
    Frame *f = F;
    uintptr_t link = f->link;
    Frame *caller = frame_caller(f);
    if (link & FRAME_GENERATOR) {
        generator_finish(th, frame_generator(f));
        th->recursion_left++;
        th->vm_depth = 1; /* it returned: see generator.c, run() */
        if (link & FRAME_ENTRY)
            return reg_take(th, result);
        r = caller->r;
        pc = (Instr *)(uintptr_t)caller->pc;
        goto generator_returned;
    }
    frame_end(th, f);
    th->recursion_left++;
    th->frame = caller;
    if (UNLIKELY(link & FRAME_INIT)) {
        Value self = ((Value *)(void *)f)[-1];
        if (UNLIKELY(!reg_is(result, NONE))) {
            raise_init_result(th, result);
            reg_drop(th, result);
            reg_drop(th, self);
            r = caller->r;
            pc = (Instr *)(uintptr_t)caller->pc;
            goto error_in_call;
        }
        result = self;
    }
    if (link & FRAME_ENTRY)
        return reg_take(th, result);
    r = caller->r;
    pc = (Instr *)(uintptr_t)caller->pc;
    if (link & FRAME_PROPERTY) {
        put_result_b(th, F, pc, result);
        FINISH(1);
    }
    if (pc->flags & A_LIVE) {
        Value old = r[pc->c];
        r[pc->c] = result;
        reg_drop(th, old);
    } else {
        r[pc->c] = result;
    }
    FINISH(link & FRAME_ONE_WORD ? 0 : 1);
}
