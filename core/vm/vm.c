/* vm.c -- the machine's start, its per-thread state, and what lower levels ask of it. */
#include "core/vm/internal.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "gc/collect.h"
#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "threads/at_fork.h"
#include "threads/interp.h"
#include "threads/mutex.h"
#include "threads/safepoint.h"
#include "threads/stop_world.h"

/* The register stack of a thread: address space; memory comes as it is used. */
#define STACK_BYTES ((size_t)64 << 20)
#define STACK_BASE_WORDS 8 /* the ErrorItem at the bottom */

/* Lays out the registers of a thread that begins; th need not be the caller's. */
static bool
thread_begin(Thread *th)
{
    if (th->stack_base == NULL) {
        void *p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            return false;
        th->stack_base = (Value *)p + STACK_BASE_WORDS;
        th->stack_limit = (Value *)p + STACK_BYTES / sizeof(Value);
    }
    _Static_assert(sizeof(struct ErrorItem) <= STACK_BASE_WORDS * sizeof(Value), "it fits");
    th->handled = (struct ErrorItem *)(void *)(th->stack_base - STACK_BASE_WORDS);
    th->handled->value = NULL;
    th->handled->outer = NULL;
    th->frame = NULL;
    int32_t limit = load_relaxed(&th->interp->recursion_limit);
    if (limit == 0) {
        limit = 1000;
        store_relaxed(&th->interp->recursion_limit, limit);
    }
    th->recursion_limit = limit;
    th->recursion_left = limit;
    return true;
}

bool
vm_thread_init(Thread *th)
{
    return (th->handled != NULL && th->stack_base != NULL) || thread_begin(th) ||
           raise_memory(th) != NULL;
}

/* What a run of `gone` leaves behind besides its frames; `th` is the caller's, or gone itself. */
static void
drop_run(Thread *th, Thread *gone)
{
    DROP_CLEAR(th, gone->error);
    DROP_CLEAR(th, gone->thread_dict);
    DROP_CLEAR(th, gone->context);
    DROP_CLEAR(th, gone->async_exc);
    DROP_CLEAR(th, gone->trace_func);
    DROP_CLEAR(th, gone->profile_func);
    DROP_CLEAR(th, gone->asyncgen_firstiter);
    DROP_CLEAR(th, gone->asyncgen_finalizer);
    DROP_CLEAR(th, gone->current_sentinel);
    gone->coroutine_origin_depth = 0;
}

void
vm_thread_fini(Thread *th)
{
    if (th->stack_base == NULL)
        return;
    if (th->handled != NULL)
        DROP_CLEAR(th, th->handled->value);
    drop_run(th, th);
    /* The address space stays with the context; the memory goes back. */
    char *p = (char *)(th->stack_base - STACK_BASE_WORDS);
    th->handled = NULL;
    madvise(p + 65536, STACK_BYTES - 65536, MADV_DONTNEED);
}

/* In the child of a fork: the registers of a thread that does not exist any more.  All words are
 * counted, for the world was stopped. */
static void
adopt(Thread *th, Thread *gone)
{
    Frame *callee = NULL, *caller;
    for (Frame *f = gone->frame; f != NULL; callee = f, f = caller) {
        caller = frame_caller(f);
        frame_drop_temporaries(th, f, frame_limit(f, callee), UINT32_MAX);
        if (f->link & FRAME_GENERATOR) {
            Generator *g = frame_generator(f);
            Value handled = g->handled.value;
            g->handled.value = NULL;
            frame_end(th, f);
            f->link = FRAME_GENERATOR;
            store_release(&g->state, GEN_FINISHED);
            drop_null(th, handled);
            continue;
        }
        Value instance = f->link & FRAME_INIT ? ((Value *)(void *)f)[-1] : NULL;
        frame_end(th, f);
        if (instance)
            reg_drop(th, instance);
    }
    gone->frame = NULL;
    if (gone->stack_base != NULL) {
        struct ErrorItem *own = (struct ErrorItem *)(void *)(gone->stack_base - STACK_BASE_WORDS);
        if (gone->handled != NULL)
            DROP_CLEAR(th, own->value);
        gone->handled = NULL;
    }
    drop_run(th, gone);
}

static const ThreadHooks thread_hooks = {.start = thread_begin, .finish = vm_thread_fini};
static const ForkHooks fork_hooks = {.adopt = adopt};

void
vm_register(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    thread_register_hooks(&thread_hooks);
    fork_register_hooks(&fork_hooks);
}

void
vm_set_recursion_limit(Thread *th, int32_t limit)
{
    bool alone = !load_relaxed(&threads_started);
    if (!alone)
        world_stop(th);
    store_relaxed(&th->interp->recursion_limit, limit);
    for (Thread *t = load_acquire(&th->interp->threads); t != NULL; t = load_relaxed(&t->next)) {
        t->recursion_left += limit - t->recursion_limit;
        t->recursion_limit = limit;
    }
    if (!alone)
        world_start(th);
}

int32_t
vm_recursion_depth(const Thread *th)
{
    return th->recursion_limit - th->recursion_left;
}

/* -- the collector -- */

/* What running threads hold: not internal references, so their objects are roots anyway; the
 * visit tells which types and shapes are in use. */
static void
visit_threads(Interp *interp, VisitFn visit, void *arg)
{
    for (Thread *t = load_acquire(&interp->threads); t != NULL; t = load_relaxed(&t->next)) {
        const Frame *callee = NULL;
        for (const Frame *f = t->frame; f != NULL; callee = f, f = frame_caller(f)) {
            frame_visit(f, frame_limit(f, callee), visit, arg);
            if (f->link & FRAME_INIT)
                value_visit(((const Value *)(const void *)f)[-1], visit, arg);
            if (f->link & FRAME_GENERATOR)
                value_visit(frame_generator((Frame *)(uintptr_t)f)->handled.value, visit, arg);
        }
        for (struct ErrorItem *e = t->handled; e != NULL; e = e->outer) {
            if (e->outer == NULL) /* the thread's own; the others lie in generators */
                value_visit(e->value, visit, arg);
        }
        value_visit(t->error, visit, arg);
        value_visit(t->thread_dict, visit, arg);
        value_visit(t->context, visit, arg);
        value_visit(t->async_exc, visit, arg);
        value_visit(t->trace_func, visit, arg);
        value_visit(t->profile_func, visit, arg);
        value_visit(t->asyncgen_firstiter, visit, arg);
        value_visit(t->asyncgen_finalizer, visit, arg);
        value_visit(t->current_sentinel, visit, arg);
    }
}

static bool
is_borrowed(Value w)
{
    return reg_is_borrowed(w) && !reg_is_immortal(w);
}

/* For debug builds: borrowed words left behind by the scan. */
static uint32_t
count_borrowed(Thread *th)
{
    uint32_t n = 0;
    const Frame *callee = NULL;
    for (Frame *f = th->frame; f != NULL; callee = f, f = frame_caller(f)) {
        unsigned limit = frame_limit(f, callee);
        n += is_borrowed(f->function);
        for (uint32_t i = 0; i < f->code->temp_base; i++)
            n += is_borrowed(f->r[i]);
        uint32_t count;
        const uint16_t *live = code_live(f->code, frame_index(f), &count);
        for (uint32_t i = 0; i < count && live[i] < limit; i++)
            n += is_borrowed(f->r[live[i]]);
    }
    return n;
}

/* -- upcalls -- */

static Value
up_frame_globals(Thread *th)
{
    return th->frame ? retain(th, function_globals(frame_function(th->frame))) : NULL;
}

static Value
up_frame_builtins(Thread *th)
{
    return th->frame ? retain(th, function_builtins(frame_function(th->frame))) : NULL;
}

static Value
up_frame_locals(Thread *th)
{
    Frame *f = th->frame;
    if (f == NULL)
        return NULL;
    if (f->link & FRAME_LOCALS)
        return retain(th, f->locals);
    Value fo = frame_object(th, f);
    return fo ? frame_locals(th, fo) : NULL;
}

/* super() without arguments: the class from the cell of __class__, the first parameter. */
static bool
up_super_arguments(Thread *th, Type **type, Value *object)
{
    Frame *f = th->frame;
    *type = NULL;
    *object = NULL;
    if (f == NULL) {
        raise_error(th, &exc_RuntimeError, "super(): no current frame");
        return false;
    }
    Code *c = f->code;
    if (c->arg_count == 0) {
        raise_error(th, &exc_RuntimeError, "super(): no arguments");
        return false;
    }
    Value first = f->r[0] ? reg_own(th, f->r[0]) : NULL;
    if (first != NULL && (c->var_kinds[0] & VAR_CELL) && is_exact(first, SHAPE_CELL)) {
        Cell *cell = (Cell *)(void *)value_object(first);
        Value content = field_read(th, &cell->head, &cell->content);
        drop(th, first);
        first = content;
    }
    if (first == NULL) {
        raise_error(th, &exc_RuntimeError, "super(): arg[0] deleted");
        return false;
    }
    for (uint32_t i = c->temp_base - c->free_count; i < c->temp_base; i++) {
        if (tuple_item(c->var_names, i) != NAME(__class__))
            continue;
        Value w = f->r[i] ? value_strip(f->r[i]) : NULL;
        if (w == NULL || !is_exact(w, SHAPE_CELL)) {
            drop(th, first);
            raise_error(th, &exc_RuntimeError, "super(): bad __class__ cell");
            return false;
        }
        Cell *cell = (Cell *)(void *)value_object(w);
        Value cls = field_read(th, &cell->head, &cell->content);
        if (cls == NULL || !is_type(cls)) {
            if (cls == NULL)
                raise_error(th, &exc_RuntimeError, "super(): empty __class__ cell");
            else
                raise_error(th, &exc_RuntimeError, "super(): __class__ is not a type (%T)", cls);
            drop_null(th, cls);
            drop(th, first);
            return false;
        }
        *type = as_type(cls);
        *object = first;
        return true;
    }
    drop(th, first);
    raise_error(th, &exc_RuntimeError, "super(): __class__ cell not found");
    return false;
}

static int
up_self_attribute_count(Value function)
{
    if (!is_function(function))
        return 0;
    return (int)as_code(field_peek(&as_function(function)->code))->self_attr_count;
}

/* The line of a traceback entry. */
static int
up_frame_line(Value frame, int lasti)
{
    Code *c = frame_code(frame);
    uint32_t i = (uint32_t)lasti / 2;
    return lasti >= 0 && i < c->instr_count ? code_line(c, i) : -1;
}

/* -- start -- */

bool
vm_init(Thread *th)
{
#define SHAPE(number, symbol, where) SHAPE_##where(number, symbol)
#define SHAPE_objects(number, symbol)
#define SHAPE_modules(number, symbol)
#define SHAPE_vm(number, symbol)                                                                  \
    if (!type_ready_static(th, &symbol##_type, SHAPE_##number, &symbol##_spec))                   \
        return false;
#include "objects/model/shapes.def"
#undef SHAPE
#undef SHAPE_objects
#undef SHAPE_modules
#undef SHAPE_vm
    CHECK(function_type.attrs_offset == sizeof(Function) && function_type.root_shape == SHAPE_FUNCTION);
    generator_type.ops.wants_finalize = generator_wants_finalize;
    coroutine_type.ops.wants_finalize = generator_wants_finalize;
    async_gen_type.ops.wants_finalize = generator_wants_finalize;
    upcalls.frame_globals = up_frame_globals;
    upcalls.frame_locals = up_frame_locals;
    upcalls.frame_builtins = up_frame_builtins;
    upcalls.super_arguments = up_super_arguments;
    upcalls.self_attribute_count = up_self_attribute_count;
    upcalls.frame_line = up_frame_line;
    safepoint_handlers.upgrade_registers = frame_upgrade_all;
    safepoint_handlers.count_borrowed = count_borrowed;
    gc_register_roots(visit_threads);
    return true;
}
