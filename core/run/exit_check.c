/* exit_check.c -- debug builds: nothing may be alive when the interpreter ends.
 *
 * stop() leaves what costs nothing to leave: sys, builtins, the import system, what native modules
 * keep for the process.  Here that goes, too, the garbage is collected, and the heap is walked.
 * What is left and hangs on no static type was counted once too often by somebody: it is told by
 * type, and the exit code becomes EXIT_ALIVE.
 *
 * WEFT_CHECK_EXIT=1 asks for it; =2 names each object, too.
 */
#include "core/run/run.h"

#ifdef WEFT_DEBUG

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/vec.h"
#include "core/vm/vm.h"
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
    for (size_t i = 0; i < ARRAY_LEN(interp->hooks); i++)
        give_up(th, &interp->hooks[i]);
    settle(th);
    vm_thread_fini(th);
    settle(th);
    give_up(th, &s->sys_module);
    give_up(th, &s->builtins_module);
    settle(th);
    Value sys = interp->sys_dict, builtins = interp->builtins;
    interp->sys_dict = NULL;
    interp->builtins = NULL;
    drop(th, sys);
    drop(th, builtins);
    settle(th);
}

/* -- what may stay: all that static types refer to -- */

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

static void
keep_static(void)
{
    Objects todo = VEC_INIT;
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

static bool
gather(Object *o, void *arg)
{
    if (load_relaxed(&o->owner) != OWNER_IMMORTAL)
        CHECK(vec_push((Objects *)arg, o));
    return true;
}

static int
by_type(const void *a, const void *b)
{
    const TypeOps *x = object_ops(*(Object *const *)a), *y = object_ops(*(Object *const *)b);
    return x < y ? -1 : x > y;
}

static void
describe(Object *o)
{
    Value v = value_of(o);
    char text[120] = "";
    if (is_exact(v, SHAPE_STR))
        str_to_buffer(v, text, sizeof text);
    else if (is_type(v))
        snprintf(text, sizeof text, "%s", type_name(as_type(v)));
    fprintf(stderr, "  %s at %p, local %u shared %d owner %u bits %#x %s\n", type_name(type_of(v)),
            (void *)o, load_relaxed(&o->local), (int)load_relaxed(&o->shared) >> 2,
            load_relaxed(&o->owner), object_bits(o), text);
}

static size_t
report(Objects *left, bool each)
{
    if (left->count == 0)
        return 0;
    fprintf(stderr, "weft: %zu objects alive at exit:", left->count);
    qsort(left->items, left->count, sizeof *left->items, by_type);
    for (size_t i = 0, n; i < left->count; i += n) {
        const TypeOps *ops = object_ops(left->items[i]);
        for (n = 1; i + n < left->count && object_ops(left->items[i + n]) == ops;)
            n++;
        fprintf(stderr, " %zu %s%s", n, type_name((const Type *)(const void *)ops),
                i + n < left->count ? "," : "\n");
    }
    for (size_t i = 0; each && i < left->count; i++)
        describe(left->items[i]);
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
    keep_static();
    Objects left = VEC_INIT;
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
