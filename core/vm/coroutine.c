/* coroutine.c -- coroutines, their __await__ wrapper, and what await and yield from accept.
 *
 * A coroutine is a generator that cannot be iterated.  cr_origin is kept in `origin`.
 */
#include "core/vm/generator.h"

#include "gc/holds.h"
#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/interp.h"

void
coroutine_set_origin(Thread *th, Generator *g, Frame *f)
{
    Value list = list_new(th, 0);
    bool ok = list != NULL;
    int depth = th->coroutine_origin_depth;
    for (; ok && f != NULL && depth > 0; f = frame_caller(f), depth--) {
        Value line = value_from_fixnum(code_line(f->code, frame_index(f)));
        Value t = tuple_pack(th, 3, f->code->filename, line, f->code->name);
        ok = t != NULL && list_append_steal(th, list, t);
    }
    Value t = ok ? list_to_tuple(th, list) : NULL;
    drop_null(th, list);
    if (t == NULL)
        error_clear(th); /* the coroutine goes without */
    field_init(&g->origin, t);
}

void
coroutine_warn_unawaited(Thread *th, Value coroutine)
{
    Generator *g = as_generator(coroutine);
    Value warnings = NULL, fn = NULL;
    if (th->interp->modules != NULL && is_exact(th->interp->modules, SHAPE_DICT))
        warnings = dict_get_str(th, th->interp->modules, NAME(warnings));
    if (warnings != NULL) {
        fn = get_attr_c(th, warnings, "_warn_unawaited_coroutine");
        if (fn == NULL)
            error_clear(th);
        drop(th, warnings);
    }
    if (fn != NULL) {
        Value r = call_1(th, fn, coroutine);
        drop(th, fn);
        drop_null(th, r);
        if (r != NULL)
            return;
        error_unraisable(th, NULL, coroutine);
    }
    Value qualname = field_read(th, &g->head, &g->qualname);
    if (!warn(th, &exc_RuntimeWarning, 1, "coroutine '%V' was never awaited", qualname))
        error_unraisable(th, NULL, coroutine);
    drop(th, qualname);
}

/* -- what may be awaited -- */

static bool
is_iterable_coroutine(Value v)
{
    return is_exact(v, SHAPE_GENERATOR) &&
           (as_code(as_generator(v)->code)->flags & CODE_ITERABLE_COROUTINE) != 0;
}

/* The iterator of an awaitable. */
static Value
awaitable_iter(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_COROUTINE) || is_iterable_coroutine(v))
        return retain(th, v);
    UnaryFn await = SLOT(type_of(v), await);
    if (await == NULL)
        return raise_type_error(th, "object %T can't be used in 'await' expression", v);
    Value it = await(th, v);
    if (it == NULL)
        return NULL;
    if (is_exact(it, SHAPE_COROUTINE) || is_iterable_coroutine(it)) {
        raise_type_error(th, "__await__() returned a coroutine");
        DROP_CLEAR(th, it);
    } else if (!is_iterator(it)) {
        raise_type_error(th, "__await__() returned non-iterator of type '%T'", it);
        DROP_CLEAR(th, it);
    }
    return it;
}

Value
vm_awaitable_iter(Thread *th, Value v)
{
    return awaitable_iter(th, v);
}

Value
get_awaitable(Thread *th, Value v, int where)
{
    Value it = awaitable_iter(th, v);
    if (it == NULL) {
        if (where != 0 && SLOT(type_of(v), await) == NULL && error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th,
                             "'async with' received an object from %s that does not implement "
                             "__await__: %T",
                             where == 1 ? "__aenter__" : "__aexit__", v);
        }
        return NULL;
    }
    if (is_exact(it, SHAPE_COROUTINE)) {
        Value inner = generator_yielded_from(th, as_generator(it));
        if (inner != NULL) {
            drop(th, inner);
            drop(th, it);
            return raise_error(th, &exc_RuntimeError, "coroutine is being awaited already");
        }
    }
    return it;
}

Value
get_yield_from_iter(Thread *th, Value v, const Code *code)
{
    if (is_exact(v, SHAPE_COROUTINE)) {
        if (!(code->flags & (CODE_COROUTINE | CODE_ITERABLE_COROUTINE)))
            return raise_type_error(th, "cannot 'yield from' a coroutine object in a "
                                        "non-coroutine generator");
        return retain(th, v);
    }
    if (is_exact(v, SHAPE_GENERATOR))
        return retain(th, v);
    return get_iter(th, v);
}

Value
get_aiter_checked(Thread *th, Value v)
{
    UnaryFn fn = SLOT(type_of(v), aiter);
    if (fn == NULL)
        return raise_type_error(
            th, "'async for' requires an object with __aiter__ method, got %T", v);
    Value it = fn(th, v);
    if (it != NULL && SLOT(type_of(it), anext) == NULL) {
        raise_type_error(th,
                         "'async for' received an object from __aiter__ that does not implement "
                         "__anext__: %T",
                         it);
        DROP_CLEAR(th, it);
    }
    return it;
}

Value
get_anext(Thread *th, Value v)
{
    UnaryFn fn = SLOT(type_of(v), anext);
    if (fn == NULL)
        return raise_type_error(
            th, "'async for' requires an iterator with __anext__ method, got %T", v);
    Value next = fn(th, v);
    if (next == NULL || is_exact(v, SHAPE_ASYNC_GEN))
        return next;
    Value it = awaitable_iter(th, next);
    if (it == NULL)
        raise_from_current(th, &exc_TypeError,
                           "'async for' received an invalid object from __anext__: %T", next);
    drop(th, next);
    return it;
}

/* -- the type -- */

static Value
get_origin(Thread *th, Value self, void *closure)
{
    (void)closure;
    Generator *g = as_generator(self);
    Value v = field_read(th, &g->head, &g->origin);
    return v ? v : NONE;
}

static const GetterDef coroutine_getters[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the coroutine", NULL},
    {"__qualname__", generator_get_qualname, generator_set_qualname,
     "qualified name of the coroutine", NULL},
    {"cr_await", generator_get_yieldfrom, NULL, "object being awaited on, or None", NULL},
    {"cr_running", generator_get_running, NULL, NULL, NULL},
    {"cr_frame", generator_get_frame, NULL, NULL, NULL},
    {"cr_code", generator_get_code, NULL, NULL, NULL},
    {"cr_suspended", generator_get_suspended, NULL, NULL, NULL},
    {"cr_origin", get_origin, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const MethodDef coroutine_methods[] = {
    NATIVE_1("send", generator_send_method,
             "send(arg) -> send 'arg' into coroutine,\nreturn next iterated value or raise "
             "StopIteration."),
    NATIVE_N("throw", generator_throw_method, 1, 3,
             "throw(value)\nthrow(type[,value[,traceback]])\n\nRaise exception in coroutine, "
             "return next iterated value or raise\nStopIteration."),
    NATIVE_0("close", generator_close_method,
             "close() -> raise GeneratorExit inside coroutine."),
    NATIVE_END,
};

typedef struct CoroutineWrapper {
    struct Object head;
    Value coroutine; /* [const] */
} CoroutineWrapper;

static Value
coroutine_await(Thread *th, Value self)
{
    CoroutineWrapper *w = (CoroutineWrapper *)(void *)object_new_kind(th, SHAPE_COROUTINE_WRAPPER,
                                                                      sizeof *w, true);
    if (w == NULL)
        return NULL;
    w->coroutine = retain(th, self);
    return value_of(w);
}

Type coroutine_type;
const TypeSpec coroutine_spec = {
    .name = "coroutine",
    .size = sizeof(Generator),
    .flags = TYPE_DISALLOW_NEW | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED | OPS_FINALIZER,
    .methods = coroutine_methods,
    .getters = coroutine_getters,
    .slots = {
        .repr = generator_repr,
        .await = coroutine_await,
        .send = generator_send,
    },
    .visit = generator_visit,
    .clear = generator_clear,
    .finalize = generator_finalize,
    .dealloc = generator_dealloc,
};

/* -- coroutine.__await__() -- */

static Value
wrapped(Value self)
{
    return ((CoroutineWrapper *)(void *)value_object(self))->coroutine;
}

static Value
wrapper_send(Thread *th, Value self, Value v)
{
    return generator_send_method(th, wrapped(self), v);
}

static Value
wrapper_throw(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return generator_throw_method(th, wrapped(self), args, nargs);
}

static Value
wrapper_close(Thread *th, Value self)
{
    return generator_close_method(th, wrapped(self));
}

static Value
wrapper_next(Thread *th, Value self)
{
    return generator_send_method(th, wrapped(self), NONE);
}

static Value
wrapper_iter(Thread *th, Value self)
{
    return retain(th, self);
}

static const MethodDef wrapper_methods[] = {
    NATIVE_1("send", wrapper_send,
             "send(arg) -> send 'arg' into coroutine,\nreturn next iterated value or raise "
             "StopIteration."),
    NATIVE_N("throw", wrapper_throw, 1, 3,
             "throw(value)\nthrow(type[,value[,traceback]])\n\nRaise exception in coroutine, "
             "return next iterated value or raise\nStopIteration."),
    NATIVE_0("close", wrapper_close, "close() -> raise GeneratorExit inside coroutine."),
    NATIVE_END,
};

HOLDS_VALUES(wrapper, CoroutineWrapper, coroutine);

Type coroutine_wrapper_type;
const TypeSpec coroutine_wrapper_spec = {
    .name = "coroutine_wrapper",
    .size = sizeof(CoroutineWrapper),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .doc = "A wrapper object implementing __await__ for coroutines.",
    .methods = wrapper_methods,
    .slots = {.iter = wrapper_iter, .next = wrapper_next},
    .visit = wrapper_visit,
    .dealloc = wrapper_dealloc,
};
