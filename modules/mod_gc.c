/* mod_gc.c -- module gc. */
#include "core/run/run.h"
#include "modules/modules.h"

#include <stdio.h>

#include "base/vec.h"
#include "gc/collect.h"
#include "threads/stop_world.h"

typedef struct GcModule {
    Value callbacks, garbage; /* [const] lists */
} GcModule;

/* gc.set_debug(): a piece of garbage is kept, or told of. */
static void
save(Thread *th, Value v)
{
    GcModule *s = load_acquire(&th->interp->slots[NATIVE_GC]);
    uint32_t debug = gc_get_debug(th->interp);
    Value saved = error_take(th);
    if (debug & GC_DEBUG_COLLECTABLE) {
        char line[200];
        snprintf(line, sizeof line, "gc: collectable <%.100s %p>\n", type_name_of(v), (void *)value_object(v));
        if (!sys_write(th, "stderr", line))
            error_clear(th);
    }
    if (s && (debug & GC_DEBUG_SAVEALL) && !list_append(th, s->garbage, v))
        error_clear(th);
    error_restore(th, saved);
}

/* The lines of DEBUG_STATS. */
static void
tell(Thread *th, const char *phase, int generation, CollectResult result)
{
    char line[200];
    if (phase[2] == 'a') /* start */
        snprintf(line, sizeof line, "gc: collecting generation %d...\n", generation);
    else
        snprintf(line, sizeof line, "gc: done, %zu unreachable, %zu uncollectable\n",
                 (size_t)(result.collected + result.uncollectable), (size_t)result.uncollectable);
    Value saved = error_take(th);
    if (!sys_write(th, "stderr", line))
        error_clear(th);
    error_restore(th, saved);
}

static void
call_callbacks(Thread *th, const char *phase, int generation, CollectResult result)
{
    GcModule *s = load_acquire(&th->interp->slots[NATIVE_GC]);
    if (gc_get_debug(th->interp) & GC_DEBUG_STATS)
        tell(th, phase, generation, result);
    if (s == NULL || list_length(s->callbacks) == 0)
        return;
    Value saved = error_take(th);
    Value info = dict_new(th), text = str_from_c(th, phase);
    if (info && text && dict_set_c(th, info, "generation", value_from_fixnum(generation)) &&
        dict_set_c(th, info, "collected", value_from_fixnum((int64_t)result.collected)) &&
        dict_set_c(th, info, "uncollectable", value_from_fixnum((int64_t)result.uncollectable)))
        for (int64_t i = 0;; i++) {
            Value f = list_get(th, s->callbacks, i);
            if (f == NULL)
                break;
            Value r = call_2(th, f, text, info);
            if (r == NULL)
                error_unraisable(th, NULL, f);
            drop_null(th, r);
            drop(th, f);
        }
    drop_null(th, info);
    drop_null(th, text);
    error_restore(th, saved);
}

static Value
gc_collect_(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "collect", .names = {"generation"}, .positional = 1};
    Value v[1];
    int generation = 2;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &generation))
        return NULL;
    if (generation < 0 || generation > 2)
        return raise_value_error(th, "invalid generation");
    CollectResult r = gc_collect(th, generation);
    return int_from_size(th, r.collected + r.uncollectable);
}

static Value
gc_enable_(Thread *th, Value self)
{
    (void)self;
    gc_enable(th->interp, true);
    return NONE;
}

static Value
gc_disable_(Thread *th, Value self)
{
    (void)self;
    gc_enable(th->interp, false);
    return NONE;
}

static Value
gc_isenabled_(Thread *th, Value self)
{
    (void)self;
    return bool_from(gc_is_enabled(th->interp));
}

static Value
gc_set_debug_(Thread *th, Value self, Value v)
{
    (void)self;
    int flags;
    if (!arg_int(th, v, &flags))
        return NULL;
    gc_set_debug(th->interp, (uint32_t)flags);
    return NONE;
}

static Value
gc_get_debug_(Thread *th, Value self)
{
    (void)self;
    return value_from_fixnum((int32_t)gc_get_debug(th->interp));
}

static Value
gc_set_threshold_(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    uint64_t t[3];
    gc_get_threshold(th->interp, t);
    for (size_t i = 0; i < n; i++) {
        int x;
        if (!arg_int(th, arg(a, i), &x))
            return NULL;
        t[i] = x < 0 ? 0 : (uint64_t)x;
    }
    gc_set_threshold(th->interp, t);
    return NONE;
}

static Value
three(Thread *th, const uint64_t t[3])
{
    return tuple_pack(th, 3, value_from_fixnum((int64_t)t[0]), value_from_fixnum((int64_t)t[1]),
                      value_from_fixnum((int64_t)t[2]));
}

static Value
gc_get_threshold_(Thread *th, Value self)
{
    (void)self;
    uint64_t t[3];
    gc_get_threshold(th->interp, t);
    return three(th, t);
}

static Value
gc_get_count_(Thread *th, Value self)
{
    (void)self;
    uint64_t t[3];
    gc_get_count(th->interp, t);
    return three(th, t);
}

static Value
gc_get_stats_(Thread *th, Value self)
{
    (void)self;
    GcStats stats[3];
    gc_get_stats(th->interp, stats);
    Value list = list_new(th, 3);
    for (int i = 0; list && i < 3; i++) {
        Value d = dict_new(th);
        if (d == NULL || !dict_set_c(th, d, "collections", value_from_fixnum((int64_t)stats[i].collections)) ||
            !dict_set_c(th, d, "collected", value_from_fixnum((int64_t)stats[i].collected)) ||
            !dict_set_c(th, d, "uncollectable", value_from_fixnum((int64_t)stats[i].uncollectable)) ||
            !list_append(th, list, d))
            DROP_CLEAR(th, list);
        drop_null(th, d);
    }
    return list;
}

/* -- looking through the heap -------------------------------------------------------------------------------- */

typedef VEC(Object *) Objects;

typedef struct Search {
    Thread *th;
    Objects found;
    const Arg *targets;
    size_t count;
    bool hit, failed;
} Search;

static bool
note_any(Object *o, void *arg)
{
    Search *s = arg;
    if (container_filling(o))
        return true;
    if (!vec_push(&s->found, o)) {
        s->failed = true;
        return false;
    }
    return true;
}

/* Objects that no collection has seen are generation 0, the others generation 2; nothing is in between. */
static bool
note_young(Object *o, void *arg)
{
    return object_bits(o) & BIT_OLD ? true : note_any(o, arg);
}

static bool
note_old(Object *o, void *arg)
{
    return object_bits(o) & BIT_OLD ? note_any(o, arg) : true;
}

static void
match(Value v, void *context)
{
    Search *s = context;
    for (size_t i = 0; i < s->count; i++)
        if (arg(s->targets, i) == v)
            s->hit = true;
}

static bool
note_referrer(Object *o, void *context)
{
    Search *s = context;
    TypeOps *ops = object_ops(o);
    if (ops->visit == NULL)
        return true;
    s->hit = false;
    ops->visit(o, match, s);
    return s->hit ? note_any(o, s) : true;
}

/* Lists what `fn` notes, with the world stopped, except what is just being filled; what is found is retained before it goes on. */
static Value
search(Thread *th, bool (*fn)(Object *, void *), Search *s)
{
    s->th = th;
    world_stop(th);
    gc_each_object_stopped(th->interp, fn, s);
    for (size_t i = 0; i < s->found.count; i++)
        if (!object_try_retain(th, s->found.items[i]))
            s->found.items[i] = NULL;
    world_start(th);
    Value list = s->failed ? NULL : list_new(th, s->found.count);
    if (s->failed)
        raise_memory(th);
    for (size_t i = 0; i < s->found.count; i++) {
        if (s->found.items[i] == NULL)
            continue;
        if (list == NULL)
            drop(th, value_of(s->found.items[i]));
        else if (!list_append_steal(th, list, value_of(s->found.items[i])))
            DROP_CLEAR(th, list);
    }
    vec_free(&s->found);
    return list;
}

static Value
gc_get_objects_(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "get_objects", .names = {"generation"}, .positional = 1};
    Value v[1];
    int generation = -1;
    if (!args_bind(th, &params, a, n, kwnames, v) || (v[0] && v[0] != NONE && !arg_int(th, v[0], &generation)))
        return NULL;
    if (v[0] && v[0] != NONE && generation < 0)
        return raise_value_error(th, "generation parameter cannot be negative");
    if (generation > 2)
        return raise_value_error(th, "generation parameter must be less than the number of available generations (3)");
    if (generation == 1)
        return list_new(th, 0);
    Search s = {.th = th};
    return search(th, generation == 0 ? note_young : generation == 2 ? note_old : note_any, &s);
}

static Value
gc_get_referrers_(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    Search s = {.th = th, .targets = a, .count = n};
    return search(th, note_referrer, &s);
}

typedef struct Referents {
    VEC(Value) found;
    bool failed;
} Referents;

static void
add_referent(Value v, void *arg)
{
    Referents *s = arg;
    if (!s->failed)
        s->failed = !vec_push(&s->found, v);
}

static Value
gc_get_referents_(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    Referents s = {.failed = false};
    world_stop(th); /* visit() wants nobody to change the objects */
    for (size_t i = 0; i < n; i++) {
        Value v = arg(a, i);
        if (value_is_object(v) && object_ops(value_object(v))->visit &&
            (object_bits(value_object(v)) & BIT_TRACKED))
            object_ops(value_object(v))->visit(value_object(v), add_referent, &s);
    }
    for (size_t i = 0; i < s.found.count; i++)
        if (value_is_object(s.found.items[i]) && !object_try_retain(th, value_object(s.found.items[i])))
            s.found.items[i] = NULL;
    world_start(th);
    Value list = s.failed ? raise_memory(th) : list_new(th, s.found.count);
    for (size_t i = 0; i < s.found.count; i++) {
        if (s.found.items[i] == NULL)
            continue;
        if (list == NULL)
            drop(th, s.found.items[i]);
        else if (!list_append_steal(th, list, s.found.items[i]))
            DROP_CLEAR(th, list);
    }
    vec_free(&s.found);
    return list;
}

static Value
gc_is_tracked_(Thread *th, Value self, Value v)
{
    (void)th, (void)self;
    return bool_from(value_is_object(v) && (object_bits(value_object(v)) & BIT_TRACKED));
}

static Value
gc_is_finalized_(Thread *th, Value self, Value v)
{
    (void)th, (void)self;
    return bool_from(value_is_object(v) && (object_bits(value_object(v)) & BIT_FINALIZED));
}

static Value
gc_freeze_(Thread *th, Value self)
{
    (void)self;
    gc_freeze(th);
    return NONE;
}

static Value
gc_unfreeze_(Thread *th, Value self)
{
    (void)self;
    gc_unfreeze(th);
    return NONE;
}

static Value
gc_get_freeze_count_(Thread *th, Value self)
{
    (void)self;
    return int_from_size(th, gc_freeze_count(th->interp));
}

static const MethodDef gc_methods[] = {
    NATIVE_0("enable", gc_enable_, "enable($module, /)\n--\n\nEnable automatic garbage collection."),
    NATIVE_0("disable", gc_disable_, "disable($module, /)\n--\n\nDisable automatic garbage collection."),
    NATIVE_0("isenabled", gc_isenabled_, "isenabled($module, /)\n--\n\nReturns true if automatic garbage collection is enabled."),
    NATIVE_1("set_debug", gc_set_debug_, "set_debug($module, flags, /)\n--\n\nSet the garbage collection debugging flags."),
    NATIVE_0("get_debug", gc_get_debug_, "get_debug($module, /)\n--\n\nGet the garbage collection debugging flags."),
    NATIVE_0("get_count", gc_get_count_, "get_count($module, /)\n--\n\nReturn a three-tuple of the current collection counts."),
    NATIVE_N("set_threshold", gc_set_threshold_, 1, 3, "set_threshold(threshold0, [threshold1, threshold2]) -> None\n\nSets the collection thresholds."),
    NATIVE_0("get_threshold", gc_get_threshold_, "get_threshold($module, /)\n--\n\nReturn the current collection thresholds."),
    NATIVE_K("collect", gc_collect_, "collect($module, /, generation=2)\n--\n\nRun the garbage collector."),
    NATIVE_K("get_objects", gc_get_objects_, "get_objects($module, /, generation=None)\n--\n\nReturn a list of objects tracked by the collector (excluding the list returned)."),
    NATIVE_0("get_stats", gc_get_stats_, "get_stats($module, /)\n--\n\nReturn a list of dictionaries containing per-generation statistics."),
    NATIVE_1("is_tracked", gc_is_tracked_, "is_tracked($module, obj, /)\n--\n\nReturns true if the object is tracked by the garbage collector."),
    NATIVE_1("is_finalized", gc_is_finalized_, "is_finalized($module, obj, /)\n--\n\nReturns true if the object has been already finalized by the GC."),
    NATIVE_N("get_referrers", gc_get_referrers_, 0, -1, "get_referrers(*objs) -> list\nReturn the list of objects that directly refer to any of objs."),
    NATIVE_N("get_referents", gc_get_referents_, 0, -1, "get_referents(*objs) -> list\nReturn the list of objects that are directly referred to by objs."),
    NATIVE_0("freeze", gc_freeze_, "freeze($module, /)\n--\n\nFreeze all current tracked objects and ignore them for future collections."),
    NATIVE_0("unfreeze", gc_unfreeze_, "unfreeze($module, /)\n--\n\nUnfreeze all objects in the permanent generation."),
    NATIVE_0("get_freeze_count", gc_get_freeze_count_, "get_freeze_count($module, /)\n--\n\nReturn the number of objects in the permanent generation."),
    NATIVE_END,
};

static bool
gc_exec(Thread *th, Value m)
{
    GcModule *s = module_state(m);
    s->callbacks = list_new(th, 0);
    s->garbage = s->callbacks ? list_new(th, 0) : NULL;
    if (s->garbage == NULL || !module_add(th, m, "callbacks", retain(th, s->callbacks)) ||
        !module_add(th, m, "garbage", retain(th, s->garbage)))
        return false;
    native_publish(th, NATIVE_GC, s, m);
    gc_callback = call_callbacks;
    gc_save = save;
    return module_add_int(th, m, "DEBUG_STATS", 1) && module_add_int(th, m, "DEBUG_COLLECTABLE", 2) &&
           module_add_int(th, m, "DEBUG_UNCOLLECTABLE", 4) && module_add_int(th, m, "DEBUG_SAVEALL", 32) &&
           module_add_int(th, m, "DEBUG_LEAK", 38);
}

static void
gc_module_visit(Value m, VisitFn visit, void *arg)
{
    GcModule *s = module_state(m);
    value_visit(s->callbacks, visit, arg);
    value_visit(s->garbage, visit, arg);
}

const ModuleSpec gc_module = {
    .name = "gc",
    .doc = "This module provides access to the garbage collector for reference cycles.",
    .methods = gc_methods,
    .exec = gc_exec,
    .state_size = sizeof(GcModule),
    .visit = gc_module_visit,
};
