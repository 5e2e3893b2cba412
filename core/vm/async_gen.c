/* async_gen.c -- asynchronous generators and their awaitables.
 *
 * The frame yields two kinds of values: those of `yield`, wrapped by ASYNC_GEN_WRAP, end an
 * awaitable as StopIteration(value); all others are passed on to whoever drives it.
 *
 *     asend      __anext__() and asend(v)
 *     athrow     athrow(...) and aclose() (without arguments)
 *     anext      anext(iterator, default)
 *
 * ag_running is claimed by compare-and-swap when an awaitable starts, so that two of them,
 * possibly in two threads, do not drive one generator at once.
 */
#include "core/vm/generator.h"

#include "gc/holds.h"
#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

enum AwaitState { AWAIT_INIT, AWAIT_ITER, AWAIT_CLOSED };

/* asend and athrow. */
typedef struct GenAwait {
    struct Object head;
    Value gen;               /* [const] */
    Value arg;               /* [const] value to send; athrow: tuple of arguments, NULL: aclose */
    ATOMIC(uint8_t) state;   /* enum AwaitState */
} GenAwait;

static GenAwait *
as_await(Value v)
{
    return (GenAwait *)(void *)value_object(v);
}

typedef struct Wrapped {
    struct Object head;
    Value value; /* [const] */
} Wrapped;

Value
async_gen_wrap(Thread *th, Value v)
{
    Wrapped *w = (Wrapped *)(void *)object_new_kind(th, SHAPE_ASYNC_GEN_WRAPPED, sizeof *w, true);
    if (w == NULL)
        return NULL;
    w->value = retain(th, v);
    return value_of(w);
}

/* What driving the generator gave, as the awaitable shows it: a value passed on; NULL with
 * StopIteration for a wrapped one; NULL with the exception at the end. */
static Value
unwrap(Thread *th, Generator *g, Answer a, Value v)
{
    if (a == YES && !is_exact(v, SHAPE_ASYNC_GEN_WRAPPED))
        return v;
    if (a == YES) {
        raise_stop_iteration(th, ((Wrapped *)(void *)value_object(v))->value);
        drop(th, v);
    } else {
        if (a == NO) {
            drop(th, v);
            raise_none(th, &exc_StopAsyncIteration);
        }
        if (error_matches(th, &exc_StopAsyncIteration) || error_matches(th, &exc_GeneratorExit))
            store_relaxed(&g->ag_closed, (uint8_t)1);
    }
    store_release(&g->ag_running, (uint8_t)0);
    return NULL;
}

/* Calls the hooks of sys.set_asyncgen_hooks() once. */
static bool
init_hooks(Thread *th, Generator *g)
{
    uint8_t no = 0;
    if (!cas_acq_rel(&g->ag_hooks, &no, 1))
        return true;
    if (th->asyncgen_finalizer != NULL)
        field_replace(th, &g->head, &g->origin, retain(th, th->asyncgen_finalizer));
    if (th->asyncgen_firstiter == NULL)
        return true;
    Value hook = retain(th, th->asyncgen_firstiter);
    Value r = call_1(th, hook, value_of(g));
    drop(th, hook);
    drop_null(th, r);
    return r != NULL;
}

static Value
await_new(Thread *th, uint32_t shape, Value gen, Value STEALS arg)
{
    if (!init_hooks(th, as_generator(gen))) {
        drop_null(th, arg);
        return NULL;
    }
    GenAwait *w = (GenAwait *)(void *)object_new_kind(th, shape, sizeof *w, true);
    if (w == NULL) {
        drop_null(th, arg);
        return NULL;
    }
    w->gen = retain(th, gen);
    w->arg = arg;
    return value_of(w);
}

/* -- the generator's methods -- */

static Value
gen_anext(Thread *th, Value self)
{
    return await_new(th, SHAPE_ASYNC_GEN_ASEND, self, NULL);
}

static Value
gen_asend(Thread *th, Value self, Value v)
{
    return await_new(th, SHAPE_ASYNC_GEN_ASEND, self, retain(th, v));
}

static Value
gen_athrow(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value t = tuple_of_args(th, args, nargs);
    return t ? await_new(th, SHAPE_ASYNC_GEN_ATHROW, self, t) : NULL;
}

static Value
gen_aclose(Thread *th, Value self)
{
    return await_new(th, SHAPE_ASYNC_GEN_ATHROW, self, NULL);
}

static Value
gen_aiter(Thread *th, Value self)
{
    if (!init_hooks(th, as_generator(self)))
        return NULL;
    return retain(th, self);
}

static Value
get_running(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    return bool_from(load_relaxed(&as_generator(self)->ag_running) != 0);
}

static const GetterDef async_gen_getters[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the async generator", NULL},
    {"__qualname__", generator_get_qualname, generator_set_qualname,
     "qualified name of the async generator", NULL},
    {"ag_await", generator_get_yieldfrom, NULL, "object being awaited on, or None", NULL},
    {"ag_frame", generator_get_frame, NULL, NULL, NULL},
    {"ag_running", get_running, NULL, NULL, NULL},
    {"ag_code", generator_get_code, NULL, NULL, NULL},
    {"ag_suspended", generator_get_suspended, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static Value
gen_class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

static const MethodDef async_gen_methods[] = {
    NATIVE_1("asend", gen_asend, "asend(v) -> send 'v' in generator."),
    NATIVE_N("athrow", gen_athrow, 1, 3,
             "athrow(typ[,val[,tb]]) -> raise exception in generator."),
    NATIVE_0("aclose", gen_aclose, "aclose() -> raise GeneratorExit inside generator."),
    {.name = "__class_getitem__", .f1 = gen_class_getitem, .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1, .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

Type async_gen_type;
const TypeSpec async_gen_spec = {
    .name = "async_generator",
    .size = sizeof(Generator),
    .flags = TYPE_DISALLOW_NEW | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED | OPS_FINALIZER,
    .methods = async_gen_methods,
    .getters = async_gen_getters,
    .slots = {
        .repr = generator_repr,
        .aiter = gen_aiter,
        .anext = gen_anext,
        .send = generator_send,
    },
    .visit = generator_visit,
    .clear = generator_clear,
    .finalize = generator_finalize,
    .dealloc = generator_dealloc,
};

/* -- asend -- */

static Value
await_closed(Thread *th, GenAwait *w)
{
    (void)th;
    store_relaxed(&w->state, (uint8_t)AWAIT_CLOSED);
    return NULL;
}

/* Starts an awaitable: false with RuntimeError if another one drives the generator. */
static bool
await_start(Thread *th, GenAwait *w, const char *what)
{
    uint8_t idle = 0;
    if (!cas_acq_rel(&as_generator(w->gen)->ag_running, &idle, 1)) {
        raise_error(th, &exc_RuntimeError, "%s: asynchronous generator is already running", what);
        return false;
    }
    store_relaxed(&w->state, (uint8_t)AWAIT_ITER);
    return true;
}

static Value
asend_send(Thread *th, Value self, Value v)
{
    GenAwait *w = as_await(self);
    Generator *g = as_generator(w->gen);
    uint8_t state = load_relaxed(&w->state);
    if (state == AWAIT_CLOSED)
        return raise_error(th, &exc_RuntimeError,
                           "cannot reuse already awaited __anext__()/asend()");
    if (state == AWAIT_INIT) {
        if (!await_start(th, w, "anext()"))
            return NULL;
        if (v == NONE && w->arg != NULL)
            v = w->arg;
    }
    Value got;
    Answer a = generator_send(th, w->gen, v, &got);
    Value r = unwrap(th, g, a, got);
    return r ? r : await_closed(th, w);
}

static Value
asend_next(Thread *th, Value self)
{
    return asend_send(th, self, NONE);
}

static Value
asend_throw(Thread *th, Value self, const Arg *args, size_t nargs)
{
    GenAwait *w = as_await(self);
    Generator *g = as_generator(w->gen);
    if (load_relaxed(&w->state) == AWAIT_CLOSED)
        return raise_error(th, &exc_RuntimeError,
                           "cannot reuse already awaited __anext__()/asend()");
    if (!throw_arguments(th, args, nargs))
        return NULL;
    Value got;
    Answer a = generator_throw_error(th, g, true, &got);
    Value r = unwrap(th, g, a, got);
    return r ? r : await_closed(th, w);
}

static Value
asend_close(Thread *th, Value self)
{
    (void)th;
    store_relaxed(&as_await(self)->state, (uint8_t)AWAIT_CLOSED);
    return NONE;
}

static Value
self_iter(Thread *th, Value self)
{
    return retain(th, self);
}

HOLDS_VALUES(await, GenAwait, gen, arg);

static const MethodDef asend_methods[] = {
    NATIVE_1("send", asend_send, NULL),
    NATIVE_N("throw", asend_throw, 1, 3, NULL),
    NATIVE_0("close", asend_close, NULL),
    NATIVE_END,
};

Type async_gen_asend_type;
const TypeSpec async_gen_asend_spec = {
    .name = "async_generator_asend",
    .size = sizeof(GenAwait),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = asend_methods,
    .slots = {.iter = self_iter, .next = asend_next, .await = self_iter},
    .visit = await_visit,
    .dealloc = await_dealloc,
};

/* -- athrow, aclose -- */

/* aclose(): the generator went on although it was closed. */
static Value
ignored_exit(Thread *th, GenAwait *w)
{
    store_release(&as_generator(w->gen)->ag_running, (uint8_t)0);
    store_relaxed(&w->state, (uint8_t)AWAIT_CLOSED);
    return raise_error(th, &exc_RuntimeError, "async generator ignored GeneratorExit");
}

/* aclose(): the end of the generator is the end of the awaitable. */
static void
end_of_close(Thread *th)
{
    if (error_matches(th, &exc_StopAsyncIteration) || error_matches(th, &exc_GeneratorExit)) {
        error_clear(th);
        raise_stop_iteration(th, NULL);
    }
}

/* What aclose()'s driving of the generator gave. */
static Value
aclose_result(Thread *th, GenAwait *w, Answer a, Value v)
{
    if (a == YES && !is_exact(v, SHAPE_ASYNC_GEN_WRAPPED))
        return v;
    if (a == YES) {
        drop(th, v);
        return ignored_exit(th, w);
    }
    store_relaxed(&w->state, (uint8_t)AWAIT_CLOSED);
    store_release(&as_generator(w->gen)->ag_running, (uint8_t)0);
    if (a == NO) {
        drop(th, v);
        raise_stop_iteration(th, NULL);
    } else {
        end_of_close(th);
    }
    return NULL;
}

/* The first send() of athrow() and aclose(). */
static Value
athrow_begin(Thread *th, GenAwait *w, Value v)
{
    Generator *g = as_generator(w->gen);
    if (!await_start(th, w, w->arg ? "athrow()" : "aclose()"))
        return await_closed(th, w);
    if (load_relaxed(&g->ag_closed)) {
        store_release(&g->ag_running, (uint8_t)0);
        await_closed(th, w);
        return raise_none(th, &exc_StopAsyncIteration);
    }
    if (v != NONE) {
        store_relaxed(&w->state, (uint8_t)AWAIT_INIT);
        store_release(&g->ag_running, (uint8_t)0);
        return raise_error(th, &exc_RuntimeError,
                           "can't send non-None value to a just-started coroutine");
    }
    Value got;
    Answer a;
    if (w->arg == NULL) {
        store_relaxed(&g->ag_closed, (uint8_t)1);
        raise_none(th, &exc_GeneratorExit);
        a = generator_throw_error(th, g, false, &got);
        return aclose_result(th, w, a, got);
    }
    if (!throw_arguments(th, args_of(as_tuple(w->arg)->items), (size_t)tuple_length(w->arg))) {
        store_release(&g->ag_running, (uint8_t)0);
        return await_closed(th, w);
    }
    a = generator_throw_error(th, g, false, &got);
    Value r = unwrap(th, g, a, got);
    return r ? r : await_closed(th, w);
}

static Value
athrow_send(Thread *th, Value self, Value v)
{
    GenAwait *w = as_await(self);
    Generator *g = as_generator(w->gen);
    uint8_t state = load_relaxed(&w->state);
    if (state == AWAIT_CLOSED)
        return raise_error(th, &exc_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
    if (load_acquire(&g->state) == GEN_FINISHED) {
        await_closed(th, w);
        return raise_stop_iteration(th, NULL);
    }
    if (state == AWAIT_INIT)
        return athrow_begin(th, w, v);
    Value got;
    Answer a = generator_send(th, w->gen, v, &got);
    return w->arg ? unwrap(th, g, a, got) : aclose_result(th, w, a, got);
}

static Value
athrow_next(Thread *th, Value self)
{
    return athrow_send(th, self, NONE);
}

/* Neither claims the generator nor, but for ignored_exit(), ends the awaitable, as in CPython: what comes after it finds the
 * generator as it is. */
static Value
athrow_throw(Thread *th, Value self, const Arg *args, size_t nargs)
{
    GenAwait *w = as_await(self);
    Generator *g = as_generator(w->gen);
    if (load_relaxed(&w->state) == AWAIT_CLOSED)
        return raise_error(th, &exc_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
    if (!throw_arguments(th, args, nargs))
        return NULL;
    Value got;
    Answer a = generator_throw_error(th, g, true, &got);
    if (w->arg != NULL)
        return unwrap(th, g, a, got);
    if (a == YES && is_exact(got, SHAPE_ASYNC_GEN_WRAPPED)) {
        drop(th, got);
        return ignored_exit(th, w);
    }
    if (a == NO) {
        drop(th, got);
        raise_stop_iteration(th, NULL);
    } else if (a == FAILED) {
        end_of_close(th);
    }
    return a == YES ? got : NULL;
}

static const MethodDef athrow_methods[] = {
    NATIVE_1("send", athrow_send, NULL),
    NATIVE_N("throw", athrow_throw, 1, 3, NULL),
    NATIVE_0("close", asend_close, NULL),
    NATIVE_END,
};

Type async_gen_athrow_type;
const TypeSpec async_gen_athrow_spec = {
    .name = "async_generator_athrow",
    .size = sizeof(GenAwait),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = athrow_methods,
    .slots = {.iter = self_iter, .next = athrow_next, .await = self_iter},
    .visit = await_visit,
    .dealloc = await_dealloc,
};

/* -- wrapped values: never seen by Python code -- */

HOLDS_VALUES(wrapped, Wrapped, value);

Type async_gen_wrapped_type;
const TypeSpec async_gen_wrapped_spec = {
    .name = "async_generator_wrapped_value",
    .size = sizeof(Wrapped),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .visit = wrapped_visit,
    .dealloc = wrapped_dealloc,
};

/* -- anext(iterator, default) -- */

typedef struct Anext {
    struct Object head;
    Value awaitable, otherwise; /* [const] */
} Anext;

Value
anext_awaitable_new(Thread *th, Value awaitable, Value otherwise)
{
    Anext *w = (Anext *)(void *)object_new_kind(th, SHAPE_ANEXT_AWAITABLE, sizeof *w, true);
    if (w == NULL)
        return NULL;
    w->awaitable = retain(th, awaitable);
    w->otherwise = retain(th, otherwise);
    return value_of(w);
}

/* The iterator that drives the awaitable. */
static Value
anext_iter(Thread *th, Value self)
{
    Anext *w = (Anext *)(void *)value_object(self);
    Value it = vm_awaitable_iter(th, w->awaitable);
    if (it == NULL || SLOT(type_of(it), next) != NULL)
        return it;
    UnaryFn await = SLOT(type_of(it), await); /* a coroutine */
    if (await == NULL) {
        drop(th, it);
        return raise_type_error(th, "object %T can't be used in 'await' expression", w->awaitable);
    }
    Value inner = await(th, it);
    drop(th, it);
    if (inner != NULL && !is_iterator(inner)) {
        raise_type_error(th, "__await__ must return an iterable");
        DROP_CLEAR(th, inner);
    }
    return inner;
}

/* The end of the iterator is the end of the awaitable, with the default. */
static Value
anext_result(Thread *th, Value self, Value v)
{
    if (v == NULL && error_set(th) && error_matches(th, &exc_StopAsyncIteration)) {
        error_clear(th);
        raise_stop_iteration(th, ((Anext *)(void *)value_object(self))->otherwise);
    }
    return v;
}

static Value
anext_next(Thread *th, Value self)
{
    Value it = anext_iter(th, self);
    if (it == NULL)
        return NULL;
    NextFn next = SLOT(type_of(it), next);
    Value v = next ? next(th, it) : raise_type_error(th, "'%T' object is not an iterator", it);
    drop(th, it);
    return anext_result(th, self, v);
}

static Value
anext_call(Thread *th, Value self, Value name, const Arg *args, size_t nargs)
{
    Value it = anext_iter(th, self);
    if (it == NULL)
        return NULL;
    Value v = call_method(th, it, name, args, nargs, NULL);
    drop(th, it);
    return anext_result(th, self, v);
}

static Value
anext_send(Thread *th, Value self, Value v)
{
    return anext_call(th, self, NAME(send), args_of(&v), 1);
}

static Value
anext_throw(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return anext_call(th, self, NAME(throw), args, nargs);
}

static Value
anext_close(Thread *th, Value self)
{
    return anext_call(th, self, NAME(close), NULL, 0);
}

HOLDS_VALUES(anext, Anext, awaitable, otherwise);

static const MethodDef anext_methods[] = {
    NATIVE_1("send", anext_send, "send(arg) -> send 'arg' into the wrapped iterator,\nreturn next "
                                 "yielded value or raise StopIteration."),
    NATIVE_N("throw", anext_throw, 1, 3,
             "throw(value)\nthrow(typ[,val[,tb]])\n\nraise exception in the wrapped iterator, "
             "return next yielded value\nor raise StopIteration."),
    NATIVE_0("close", anext_close,
             "close() -> raise GeneratorExit inside generator."),
    NATIVE_END,
};

Type anext_awaitable_type;
const TypeSpec anext_awaitable_spec = {
    .name = "anext_awaitable",
    .size = sizeof(Anext),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .methods = anext_methods,
    .slots = {.iter = self_iter, .next = anext_next, .await = self_iter},
    .visit = anext_visit,
    .dealloc = anext_dealloc,
};
