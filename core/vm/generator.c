/* generator.c -- generators: a frame that leaves the stack and comes back.
 *
 * Whoever resumes, closes or clears a generator claims it first: `state` goes from CREATED or
 * SUSPENDED to RUNNING by compare-and-swap, so its frame has one user at a time (rules A2).
 * Coroutines and async generators have the same layout and share what is here; their own parts
 * are in coroutine.c and async_gen.c.
 */
#include "core/vm/generator.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/stop_world.h"

static const char *
kind_name(const Generator *g)
{
    switch (object_shape(&g->head)) {
    case SHAPE_COROUTINE: return "coroutine";
    case SHAPE_ASYNC_GEN: return "async generator";
    default: return "generator";
    }
}

Value
generator_of_frame(Thread *th, Frame *f)
{
    Code *c = f->code;
    uint32_t shape = c->flags & CODE_COROUTINE         ? SHAPE_COROUTINE
                     : c->flags & CODE_ASYNC_GENERATOR ? SHAPE_ASYNC_GEN
                                                       : SHAPE_GENERATOR;
    Generator *g = (Generator *)(void *)object_new_kind(
        th, shape, sizeof(Generator) + (size_t)c->register_count * sizeof(Value), true);
    if (g == NULL)
        return NULL;
    Function *fn = frame_function(f);
    g->code = retain(th, value_of(c));
    field_init(&g->name, field_read(th, &fn->head, &fn->name));
    field_init(&g->qualname, field_read(th, &fn->head, &fn->qualname));
    g->frame.function = reg_take(th, f->function);
    f->function = NULL;
    g->frame.code = c;
    g->frame.pc = f->pc;
    for (uint32_t i = 0; i < c->temp_base; i++) {
        Value w = f->r[i];
        f->r[i] = NULL;
        g->frame.r[i] = w ? reg_take(th, w) : NULL;
    }
    g->frame.link = FRAME_GENERATOR | (f->link & (FRAME_LOCALS | FRAME_OBJECT));
    g->frame.locals = f->locals;
    g->frame.object = f->object;
    f->locals = f->object = NULL;
    f->link &= ~(uintptr_t)(FRAME_LOCALS | FRAME_OBJECT);
    frame_object_moved(&g->frame);
    if (shape == SHAPE_COROUTINE && th->coroutine_origin_depth > 0)
        coroutine_set_origin(th, g, frame_caller(f));
    return value_of(g);
}

/* -- claiming -- */

bool
generator_claim(Thread *th, Generator *g)
{
    object_touch(th, &g->head);
    uint8_t state = load_acquire(&g->state);
    while (state == GEN_SUSPENDED || state == GEN_CREATED) {
        if (cas_acquire(&g->state, &state, GEN_RUNNING)) /* pairs with the yield's release */
            return true;
    }
    if (state == GEN_RUNNING)
        raise_value_error(th, "%s already executing", kind_name(g));
    return false;
}

void
generator_finish(Thread *th, Generator *g)
{
    Frame *f = &g->frame;
    Frame *caller = frame_caller(f);
    th->handled = g->handled.outer;
    Value handled = g->handled.value;
    g->handled.value = NULL;
    th->frame = caller;
    frame_end(th, f);
    f->link = FRAME_GENERATOR;
    drop_null(th, handled);
    store_release(&g->state, GEN_FINISHED);
}

/* The registers of a claimed generator that does not run: all go; it is finished. */
static void
discard_frame(Thread *th, Generator *g)
{
    frame_drop_temporaries(th, &g->frame, UINT16_MAX + 1u, UINT32_MAX);
    g->frame.link &= 0xffff; /* no caller */
    frame_end(th, &g->frame);
    g->frame.link = FRAME_GENERATOR;
    Value handled = g->handled.value;
    g->handled.value = NULL;
    drop_null(th, handled);
    store_release(&g->state, GEN_FINISHED);
}

/* Runs a claimed generator from where it stands.  *returned: it has returned; else it yielded. */
static Value
run(Thread *th, Generator *g, enum EvalHow how, bool *returned)
{
    *returned = false;
    if (UNLIKELY(th->recursion_left <= 0)) {
        generator_unclaim(g);
        return raise_recursion(th, "");
    }
    th->recursion_left--;
    generator_push(th, g, FRAME_ENTRY);
    if (how == EVAL_THROW && g->handled.value != NULL && th->error != NULL)
        error_set_context(th, th->error, g->handled.value);
    Value v = eval_frame(th, &g->frame, how);
    *returned = v != NULL && th->vm_depth != 0;
    return v;
}

static Answer
answer(Value v, bool returned, Value *result)
{
    *result = v;
    return v == NULL ? FAILED : returned ? NO : YES;
}

/* Sends `v` into a claimed generator. */
static Answer
resume(Thread *th, Generator *g, Value v, Value *result)
{
    *result = NULL;
    if (instr_op(g->frame.pc) == OP_RETURN_GENERATOR && v != NONE) {
        generator_unclaim(g);
        raise_type_error(th, "can't send non-None value to a just-started %s", kind_name(g));
        return FAILED;
    }
    Frame *f = &g->frame;
    const Instr *at = f->pc;
    f->pc = generator_enter(g, retain(th, v));
    if (UNLIKELY(th->recursion_left <= 0)) {
        f->pc = at;
        if (instr_op(at) != OP_RETURN_GENERATOR)
            drop(th, v); /* what was put in its register */
        generator_unclaim(g);
        raise_recursion(th, "");
        return FAILED;
    }
    bool returned;
    Value r = run(th, g, EVAL_RUN, &returned);
    return answer(r, returned, result);
}

/* Lets a claimed generator see th->error where it stands. */
static Answer
resume_error(Thread *th, Generator *g, Value *result)
{
    bool returned;
    Value v = run(th, g, EVAL_THROW, &returned);
    return answer(v, returned, result);
}

/* Sending into one that is finished. */
static Answer
send_finished(Thread *th, Generator *g, Value *result)
{
    *result = NULL;
    if (object_shape(&g->head) == SHAPE_COROUTINE) {
        raise_error(th, &exc_RuntimeError, "cannot reuse already awaited coroutine");
        return FAILED;
    }
    *result = NONE;
    return NO;
}

Answer
generator_send(Thread *th, Value self, Value v, Value *result)
{
    Generator *g = as_generator(self);
    *result = NULL;
    if (!generator_claim(th, g))
        return error_set(th) ? FAILED : send_finished(th, g, result);
    return resume(th, g, v, result);
}

/* -- delegation -- */

/* The iterator a claimed generator delegates to: BORROWED, or NULL. */
static Value
delegate_of(const Generator *g)
{
    if (instr_op(g->frame.pc) != OP_YIELD_FROM)
        return NULL;
    return value_strip(g->frame.r[g->frame.pc->b]);
}

Value
generator_yielded_from(Thread *th, Generator *g)
{
    Value v = NULL;
    bool stopped = load_acquire(&g->state) != GEN_FINISHED;
    if (!stopped)
        return NULL;
    world_stop(th);
    if (load_relaxed(&g->state) == GEN_SUSPENDED)
        v = delegate_of(g);
    retain_null(th, v);
    world_start(th);
    return v;
}

/* Closes what a generator delegates to; false with an exception. */
static bool
close_delegate(Thread *th, Value it)
{
    if (is_exact(it, SHAPE_GENERATOR) || is_exact(it, SHAPE_COROUTINE))
        return generator_close(th, as_generator(it));
    Value close;
    Answer has = get_attr_optional(th, it, NAME(close), &close);
    if (has == FAILED) {
        error_unraisable(th, NULL, it);
        return true;
    }
    if (has == NO)
        return true;
    Value r = call_0(th, close);
    drop(th, close);
    drop_null(th, r);
    return r != NULL;
}

/* While a claimed generator's delegate runs, its frame is on the chain. */
static void
push_waiting(Thread *th, Generator *g, struct ErrorItem **handled)
{
    *handled = th->handled;
    g->stack_top = frame_stack_top(th);
    g->frame.link = frame_link(th->frame, FRAME_GENERATOR | FRAME_ENTRY |
                                              (g->frame.link & (FRAME_LOCALS | FRAME_OBJECT)));
    th->frame = &g->frame;
}

static void
pop_waiting(Thread *th, Generator *g, struct ErrorItem *handled)
{
    Frame *f = &g->frame;
    frame_upgrade(th, f, UINT16_MAX + 1u);
    th->frame = frame_caller(f);
    th->handled = handled;
    f->link = FRAME_GENERATOR | (f->link & (FRAME_LOCALS | FRAME_OBJECT));
}

/* The delegate of a claimed generator has returned `v`: the generator goes on behind it. */
static Answer
delegate_done(Thread *th, Generator *g, Value STEALS v, Value *result)
{
    Frame *f = &g->frame;
    const Instr *pc = f->pc;
    Value it = f->r[pc->b], sent = f->r[pc->c];
    Value old = pc->flags & A_LIVE ? f->r[pc->a] : NULL;
    f->r[pc->b] = f->r[pc->c] = NULL;
    f->r[pc->a] = v;
    reg_drop(th, old);
    reg_drop(th, it);
    reg_drop(th, sent);
    f->pc = pc + 1;
    bool returned;
    Value r = run(th, g, EVAL_RUN, &returned);
    return answer(r, returned, result);
}

/* Whether the delegate's exception is its return: YES and its value. */
static Answer
delegate_failed(Thread *th, Generator *g, Value *result)
{
    Value v;
    if (error_take_stop_iteration(th, &v) == YES)
        return delegate_done(th, g, v, result);
    return resume_error(th, g, result);
}

Answer
generator_throw_error(Thread *th, Generator *g, bool close_delegates, Value *result)
{
    *result = NULL;
    Value e = error_take(th);
    if (!generator_claim(th, g)) {
        if (!error_set(th)) { /* finished: it comes straight back */
            if (object_shape(&g->head) == SHAPE_COROUTINE) {
                drop(th, e);
                raise_error(th, &exc_RuntimeError, "cannot reuse already awaited coroutine");
            } else {
                error_restore(th, e);
            }
        } else {
            drop(th, e);
        }
        return FAILED;
    }
    Value it = delegate_of(g);
    if (it == NULL) {
        error_restore(th, e);
        return resume_error(th, g, result);
    }
    struct ErrorItem *handled;
    retain(th, it);
    push_waiting(th, g, &handled);
    Answer a = FAILED;
    bool resume_here = false;
    if (close_delegates && is_instance_of(e, &exc_GeneratorExit)) {
        if (close_delegate(th, it)) {
            error_restore(th, e);
        } else {
            drop(th, e);
        }
        resume_here = true;
    } else if (is_exact(it, SHAPE_GENERATOR) || is_exact(it, SHAPE_COROUTINE)) {
        Value got;
        error_restore(th, e);
        a = generator_throw_error(th, as_generator(it), close_delegates, &got);
        *result = got;
    } else {
        Value throw;
        Answer has = get_attr_optional(th, it, NAME(throw), &throw);
        if (has == NO) {
            error_restore(th, e);
            resume_here = true;
        } else if (has == YES) {
            *result = call_1(th, throw, e);
            drop(th, throw);
            drop(th, e);
            a = *result != NULL ? YES : FAILED;
        } else {
            drop(th, e);
            resume_here = true;
        }
    }
    pop_waiting(th, g, handled);
    drop(th, it);
    if (resume_here)
        return resume_error(th, g, result);
    if (a == YES) { /* a value to yield: the generator stays where it is */
        th->vm_depth = 0;
        generator_unclaim(g);
        return YES;
    }
    if (a == NO) {
        Value v = *result;
        *result = NULL;
        return delegate_done(th, g, v, result);
    }
    return delegate_failed(th, g, result);
}

bool
generator_close(Thread *th, Generator *g)
{
    object_touch(th, &g->head);
    uint8_t state = GEN_CREATED;
    if (cas_acquire(&g->state, &state, GEN_RUNNING)) { /* nothing of it ran yet */
        discard_frame(th, g);
        return true;
    }
    if (state == GEN_FINISHED)
        return true;
    Value result;
    raise_none(th, &exc_GeneratorExit);
    Answer a = generator_throw_error(th, g, true, &result);
    if (a == NO) {
        drop(th, result);
        return true;
    }
    if (a == YES) {
        drop(th, result);
        raise_error(th, &exc_RuntimeError, "%s ignored GeneratorExit", kind_name(g));
        return false;
    }
    if (error_matches(th, &exc_StopIteration) || error_matches(th, &exc_GeneratorExit)) {
        error_clear(th);
        return true;
    }
    return false;
}

/* -- methods, shared -- */

Value
generator_answer(Thread *th, Answer a, Value result)
{
    if (a == NO) {
        raise_stop_iteration(th, result);
        drop(th, result);
        return NULL;
    }
    return a == YES ? result : NULL;
}

Value
generator_send_method(Thread *th, Value self, Value v)
{
    Value result;
    Answer a = generator_send(th, self, v, &result);
    return generator_answer(th, a, result);
}

/* throw(type[, value[, traceback]]): puts the exception into th->error; false: the arguments are
 * wrong, and so says th->error. */
bool
throw_arguments(Thread *th, const Arg *args, size_t nargs)
{
    Value type = arg(args, 0), value = nargs > 1 ? arg(args, 1) : NULL;
    Value tb = nargs > 2 ? arg(args, 2) : NULL, e = NULL;
    if (tb == NONE)
        tb = NULL;
    if (tb != NULL && !is_exact(tb, SHAPE_TRACEBACK)) {
        raise_type_error(th, "throw() third argument must be a traceback object");
        return false;
    }
    if (is_exception_class(type)) {
        if (value == NULL || value == NONE)
            e = call_0(th, type);
        else if (is_exception(value) && is_instance_of(value, as_type(type)))
            e = retain(th, value);
        else if (is_tuple(value))
            e = call_tuple_dict(th, type, value, NULL);
        else
            e = call_1(th, type, value);
        if (e != NULL && !is_exception(e)) {
            raise_type_error(th, "calling %R should have returned an instance of BaseException, "
                                 "not %R",
                             type, value_of_type(type_of(e)));
            DROP_CLEAR(th, e);
        }
        if (e == NULL) /* what was raised in making it is thrown in its stead */
            e = error_take(th);
    } else if (is_exception(type)) {
        if (value != NULL && value != NONE) {
            raise_type_error(th, "instance exception may not have a separate value");
            return false;
        }
        e = retain(th, type);
    } else {
        raise_type_error(th, "exceptions must be classes or instances deriving from "
                             "BaseException, not %T",
                         type);
        return false;
    }
    if (tb != NULL)
        exception_set_traceback(th, e, tb);
    error_restore(th, e);
    return true;
}

Value
generator_throw_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (!throw_arguments(th, args, nargs))
        return NULL;
    Value result;
    Answer a = generator_throw_error(th, as_generator(self), true, &result);
    return generator_answer(th, a, result);
}

Value
generator_close_method(Thread *th, Value self)
{
    return generator_close(th, as_generator(self)) ? NONE : NULL;
}

static Value
generator_next(Thread *th, Value self)
{
    Value result;
    Answer a;
    Generator *g = as_generator(self);
    if (LIKELY(th->recursion_left > 0 && generator_claim_for_send(th, g, NONE))) {
        th->recursion_left--;
        generator_push(th, g, FRAME_ENTRY);
        g->frame.pc = generator_enter(g, REG_STATIC(NONE));
        result = eval_frame(th, &g->frame, EVAL_RUN);
        if (LIKELY(result == NULL || th->vm_depth == 0))
            return result; /* it yielded, or failed */
        a = NO;
    } else {
        a = generator_send(th, self, NONE, &result);
    }
    if (a == NO) {
        if (result != NONE)
            raise_stop_iteration(th, result);
        drop(th, result);
        return NULL;
    }
    return a == YES ? result : NULL;
}

/* -- attributes, shared -- */

Value
generator_get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    Generator *g = as_generator(self);
    return field_read(th, &g->head, &g->name);
}

bool
generator_set_name(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL || !is_str(v)) {
        raise_type_error(th, "__name__ must be set to a string object");
        return false;
    }
    Generator *g = as_generator(self);
    field_replace(th, &g->head, &g->name, retain(th, v));
    return true;
}

Value
generator_get_qualname(Thread *th, Value self, void *closure)
{
    (void)closure;
    Generator *g = as_generator(self);
    return field_read(th, &g->head, &g->qualname);
}

bool
generator_set_qualname(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL || !is_str(v)) {
        raise_type_error(th, "__qualname__ must be set to a string object");
        return false;
    }
    Generator *g = as_generator(self);
    field_replace(th, &g->head, &g->qualname, retain(th, v));
    return true;
}

Value
generator_get_frame(Thread *th, Value self, void *closure)
{
    (void)closure;
    Generator *g = as_generator(self);
    if (load_acquire(&g->state) == GEN_FINISHED)
        return NONE;
    Value v = NULL;
    world_stop(th);
    bool failed = false;
    if (load_relaxed(&g->state) != GEN_FINISHED) {
        v = frame_object(th, &g->frame);
        failed = v == NULL;
        retain_null(th, v);
    }
    world_start(th);
    return failed ? NULL : v ? v : NONE;
}

Value
generator_get_running(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    return bool_from(load_relaxed(&as_generator(self)->state) == GEN_RUNNING);
}

Value
generator_get_suspended(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    return bool_from(load_relaxed(&as_generator(self)->state) == GEN_SUSPENDED);
}

Value
generator_get_code(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, as_generator(self)->code);
}

Value
generator_get_yieldfrom(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value v = generator_yielded_from(th, as_generator(self));
    return v ? v : NONE;
}

Value
generator_repr(Thread *th, Value self)
{
    Generator *g = as_generator(self);
    Value qualname = field_read(th, &g->head, &g->qualname);
    Value s = str_format_c(th, "<%T object %V at %p>", self, qualname, (void *)g);
    drop(th, qualname);
    return s;
}

/* -- memory -- */

void
generator_visit(Object *o, VisitFn visit, void *arg)
{
    Generator *g = (Generator *)(void *)o;
    value_visit(g->code, visit, arg);
    field_visit(&g->name, visit, arg);
    field_visit(&g->qualname, visit, arg);
    field_visit(&g->origin, visit, arg);
    uint8_t state = load_relaxed(&g->state);
    if (state == GEN_RUNNING) /* its registers are roots */
        return;
    value_visit(g->handled.value, visit, arg);
    if (state != GEN_FINISHED)
        frame_visit(&g->frame, UINT16_MAX + 1u, visit, arg);
}

void
generator_clear(Thread *th, Object *o)
{
    Generator *g = (Generator *)(void *)o;
    object_touch(th, o);
    uint8_t state = load_acquire(&g->state);
    while (state == GEN_SUSPENDED || state == GEN_CREATED) {
        if (cas_acquire(&g->state, &state, GEN_RUNNING)) {
            discard_frame(th, g);
            break;
        }
    }
    field_replace(th, o, &g->origin, NULL);
}

bool
generator_wants_finalize(Object *o)
{
    Generator *g = (Generator *)(void *)o;
    uint8_t state = load_relaxed(&g->state);
    return state == GEN_SUSPENDED ||
           (state == GEN_CREATED && object_shape(o) == SHAPE_COROUTINE);
}

void
generator_finalize(Thread *th, Object *o)
{
    Generator *g = (Generator *)(void *)o;
    uint8_t state = load_acquire(&g->state);
    if (state == GEN_FINISHED || state == GEN_RUNNING)
        return;
    Value error = th->error;
    th->error = NULL;
    uint32_t shape = object_shape(o);
    bool done = false;
    if (shape == SHAPE_ASYNC_GEN && !load_relaxed(&g->ag_closed)) {
        Value finalizer = field_read(th, o, &g->origin);
        if (finalizer != NULL) {
            Value r = call_1(th, finalizer, value_of(o));
            if (r == NULL)
                error_unraisable(th, NULL, value_of(o));
            drop_null(th, r);
            drop(th, finalizer);
            done = true;
        }
    }
    if (!done && shape == SHAPE_COROUTINE && state == GEN_CREATED) {
        coroutine_warn_unawaited(th, value_of(o));
        generator_clear(th, o);
    } else if (!done && !generator_close(th, g)) {
        error_unraisable(th, NULL, value_of(o));
    }
    if (th->error != NULL)
        error_unraisable(th, NULL, value_of(o));
    th->error = error;
}

void
generator_dealloc(Thread *th, Object *o)
{
    Generator *g = (Generator *)(void *)o;
    if (plain_load(&g->state) != GEN_FINISHED)
        discard_frame(th, g);
    drop_null(th, g->code);
    field_drop(th, &g->name);
    field_drop(th, &g->qualname);
    field_drop(th, &g->origin);
}

/* -- the type -- */

static const GetterDef generator_getters[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the generator", NULL},
    {"__qualname__", generator_get_qualname, generator_set_qualname,
     "qualified name of the generator", NULL},
    {"gi_yieldfrom", generator_get_yieldfrom, NULL,
     "object being iterated by yield from, or None", NULL},
    {"gi_running", generator_get_running, NULL, NULL, NULL},
    {"gi_frame", generator_get_frame, NULL, NULL, NULL},
    {"gi_suspended", generator_get_suspended, NULL, NULL, NULL},
    {"gi_code", generator_get_code, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const MethodDef generator_methods[] = {
    NATIVE_1("send", generator_send_method,
             "send(arg) -> send 'arg' into generator,\nreturn next yielded value or raise "
             "StopIteration."),
    NATIVE_N("throw", generator_throw_method, 1, 3,
             "throw(value)\nthrow(type[,value[,tb]])\n\nRaise exception in generator, return next "
             "yielded value or raise\nStopIteration."),
    NATIVE_0("close", generator_close_method,
             "close() -> raise GeneratorExit inside generator."),
    NATIVE_END,
};

static Value
generator_iter(Thread *th, Value self)
{
    return retain(th, self);
}

Type generator_type;
const TypeSpec generator_spec = {
    .name = "generator",
    .size = sizeof(Generator),
    .flags = TYPE_DISALLOW_NEW | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED | OPS_FINALIZER,
    .methods = generator_methods,
    .getters = generator_getters,
    .slots = {
        .repr = generator_repr,
        .iter = generator_iter,
        .next = generator_next,
        .send = generator_send,
    },
    .visit = generator_visit,
    .clear = generator_clear,
    .finalize = generator_finalize,
    .dealloc = generator_dealloc,
};
