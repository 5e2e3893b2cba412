/* exit_check.c -- debug builds: nothing may be alive when the interpreter ends.
 *
 * stop() leaves what costs nothing to leave: sys, builtins, the import system, what native modules
 * keep for the process.  Here that goes, too, the garbage is collected, and the heap is walked.
 * What is left and hangs on no static type or other immortal object was counted once too often by somebody: it is told by
 * type, and the exit code becomes EXIT_ALIVE.
 *
 * Process-wide state: exit_forget_signals, set while the process starts.
 *
 * WEFT_CHECK_EXIT=1 asks for it; =2 names each object that something else
 * than another such object holds.
 */
#include "core/run/run.h"

void (*exit_forget_signals)(Thread *th);

#ifdef WEFT_DEBUG

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/vec.h"
#include "core/vm/frame.h"
#include "gc/collect.h"
#include "gc/pending.h"
#include "gc/reclaim.h"
#include "threads/stop_world.h"

enum { EXIT_ALIVE = 99 };

typedef VEC(Object *) Objects;

/* Gives up a counted word of a C structure. */
static void
give_up(Thread *th, Value *place)
{
    Value v = *place;
    *place = NULL;
    drop_null(th, v);
}

static void
settle(Thread *th)
{
    for (int i = 0; i < 3; i++) {
        pending_serve(th);
        gc_collect(th, 2);
        reclaim_flush(th);
    }
    pending_serve(th);
}

static void
take_apart(Thread *th)
{
    Interp *interp = th->interp;
    InterpState *s = interp_state(th);
    error_clear(th);
    settle(th);
    dict_clear(th, interp->sys_dict);
    dict_clear(th, interp->builtins);
    give_up(th, &s->import_function);
    interp->importlib = NULL; /* counted once, in s */
    give_up(th, &s->importlib);
    give_up(th, &s->importlib_external);
    give_up(th, &interp->modules);
    for (size_t i = 0; i < ARRAY_LEN(interp->objects); i++) {
        Value kept = load_acquire(&interp->objects[i]);
        store_relaxed(&interp->objects[i], NULL);
        drop_null(th, kept);
    }
    settle(th);
    for (size_t i = 0; i < ARRAY_LEN(interp->kept); i++)
        give_up(th, &interp->kept[i]);
    gc_callback = NULL;
    if (exit_forget_signals)
        exit_forget_signals(th);
    settle(th);
    vm_thread_fini(th);
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next)) /* [interp.threads] */
        DROP_CLEAR(th, t->ended_sentinel);
    settle(th);
    give_up(th, &s->sys_module);
    give_up(th, &s->builtins_module);
    settle(th);
    Value sys = interp->sys_dict, builtins = interp->builtins;
    interp->sys_dict = NULL;
    interp->builtins = NULL;
    drop(th, sys);
    drop(th, builtins);
    static_types_forget(th);
    settle(th);
    error_fini(th);
    settle(th);
}

/* -- what may stay: all that static types and immortal objects refer to -- */

static void
keep(Value v, void *arg)
{
    if (!value_is_object(v))
        return;
    Object *o = value_object(v);
    if (load_relaxed(&o->owner) == OWNER_IMMORTAL)
        return;
    object_make_immortal(o);
    if (object_ops(o)->visit)
        CHECK(vec_push((Objects *)arg, o));
}

static bool
keep_immortal(Object *o, void *arg)
{
    if (load_relaxed(&o->owner) == OWNER_IMMORTAL && object_ops(o)->visit)
        CHECK(vec_push((Objects *)arg, o));
    return true;
}

static void
keep_static(Interp *interp)
{
    Objects todo = VEC_INIT;
    heap_each_object_stopped(interp, keep_immortal, &todo);
    for (size_t i = 0; all_static_types[i]; i++) {
        Object *o = &all_static_types[i]->ops.head;
        object_ops(o)->visit(o, keep, &todo);
    }
    while (todo.count) {
        Object *o = vec_pop(&todo);
        object_ops(o)->visit(o, keep, &todo);
    }
    vec_free(&todo);
}

/* -- what is left -- */

typedef struct Left {
    Object *o;
    int64_t counted; /* references that other objects that are left do not explain */
} Left;
typedef VEC(Left) Lefts;

static bool
gather(Object *o, void *arg)
{
    if (load_relaxed(&o->owner) != OWNER_IMMORTAL) {
        int64_t n = (int32_t)load_relaxed(&o->shared) >> 2;
        uint16_t owner = load_relaxed(&o->owner);
        if (owner != OWNER_MERGED && owner != OWNER_POOLED)
            n += load_relaxed(&o->local);
        CHECK(vec_push((Lefts *)arg, ((Left){o, n})));
    }
    return true;
}

static int
by_address(const void *a, const void *b)
{
    const Left *x = a, *y = b;
    return x->o < y->o ? -1 : x->o > y->o;
}

static int
by_type(const void *a, const void *b)
{
    const Left *x = a, *y = b;
    const TypeOps *s = object_ops(x->o), *t = object_ops(y->o);
    return s < t ? -1 : s > t ? 1 : by_address(a, b);
}

static void
explain(Value v, void *arg)
{
    Lefts *left = arg;
    Left key = {value_is_object(v) ? value_object(v) : NULL, 0};
    Left *found = key.o ? bsearch(&key, left->items, left->count, sizeof key, by_address) : NULL;
    if (found)
        found->counted--;
}

/* What a leak can be recognised by; nothing may be called any more that could raise. */
static void
show(Value v, int depth)
{
    char text[120] = "";
    fprintf(stderr, " %s", type_name(type_of(v)));
    if (is_exact(v, SHAPE_STR))
        str_to_buffer(v, text, sizeof text);
    else if (is_type(v))
        snprintf(text, sizeof text, "%s", type_name(as_type(v)));
    else if (is_exact(v, SHAPE_NATIVE_FUNCTION))
        snprintf(text, sizeof text, "%s", ((NativeFunction *)(void *)value_object(v))->def->name);
    else if (is_exact(v, SHAPE_FUNCTION))
        str_to_buffer(as_code(field_peek(&as_function(v)->code))->qualname, text, sizeof text);
    else if (is_exact(v, SHAPE_CODE))
        str_to_buffer(as_code(v)->qualname, text, sizeof text);
    fprintf(stderr, " %s", text);
    if (is_exact(v, SHAPE_TUPLE) && depth < 2)
        for (int64_t i = 0; i < tuple_length(v) && i < 6; i++)
            show(tuple_item(v, i), depth + 1);
    if (is_exact(v, SHAPE_DICT) && depth < 2) {
        Value keys = dict_keys_list(thread_current, v);
        for (int64_t i = 0; keys && i < list_length(keys) && i < 6; i++) {
            Value key = list_get(thread_current, keys, i);
            if (key)
                show(key, depth + 1);
            drop_null(thread_current, key);
        }
    }
}

static void
describe(const Left *l)
{
    fprintf(stderr, "  %lld counted from elsewhere, owner %u, bits %#x:", (long long)l->counted,
            load_relaxed(&l->o->owner), object_bits(l->o));
    show(value_of(l->o), 0);
    fputc('\n', stderr);
}

/* Rings of tuples and code, which only marshal data can make: nothing in them can be cleared. */
static bool
only_immutable_rings(const Lefts *left)
{
    for (size_t i = 0; i < left->count; i++)
        if (left->items[i].counted != 0 || object_ops(left->items[i].o)->clear)
            return false;
    return true;
}

/* All by type, and each that something other than these holds. */
static size_t
report(Lefts *left, bool each)
{
    if (left->count == 0)
        return 0;
    qsort(left->items, left->count, sizeof *left->items, by_address);
    for (size_t i = 0; i < left->count; i++) {
        Object *o = left->items[i].o;
        if (object_ops(o)->visit)
            object_ops(o)->visit(o, explain, left);
    }
    if (only_immutable_rings(left))
        return 0;
    qsort(left->items, left->count, sizeof *left->items, by_type);
    fprintf(stderr, "weft: %zu objects alive at exit:", left->count);
    for (size_t i = 0, n; i < left->count; i += n) {
        const TypeOps *ops = object_ops(left->items[i].o);
        for (n = 1; i + n < left->count && object_ops(left->items[i + n].o) == ops;)
            n++;
        fprintf(stderr, " %zu %s%s", n, type_name((const Type *)(const void *)ops),
                i + n < left->count ? "," : "\n");
    }
    for (size_t i = 0; each && i < left->count; i++)
        if (left->items[i].counted != 0)
            describe(&left->items[i]);
    return left->count;
}

int
exit_check(Thread *th, int code)
{
    const char *s = getenv("WEFT_CHECK_EXIT");
    if (s == NULL || *s == '0')
        return code;
    /* Daemon threads sleep for ever with all that is in their frames. */
    if (load_relaxed(&th->interp->thread_count) > 1)
        return code;
    take_apart(th);
    world_stop(th);
    heap_check_stopped(th->interp);
    keep_static(th->interp);
    Lefts left = VEC_INIT;
    heap_each_object_stopped(th->interp, gather, &left);
    size_t n = report(&left, s && *s == '2');
    vec_free(&left);
    world_start(th);
    return n ? EXIT_ALIVE : code;
}

#else

int
exit_check(Thread *th, int code)
{
    (void)th;
    return code;
}

#endif
