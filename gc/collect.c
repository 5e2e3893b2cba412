/* collect.c -- one cycle collection, phase by phase.
 *
 * Reference counts free everything but cycles.  The collector finds those by trial
 * deletion: subtract from each candidate's count the references that candidates hold; what
 * is left with none, and cannot be reached from one that has some, is garbage.
 *
 *     stop     copy counts (candidates.c), subtract, mark (unreachable.c); count each
 *              garbage object once, clear weak references to it (finalize.c)
 *     world on run weak callbacks, then finalizers
 *     stop     only if a finalizer ran: the same again for the garbage alone; what can be
 *              reached from outside now was resurrected and survives
 *     world on clear() each garbage object, give up the collection's counts
 *
 * A young collection looks only at objects that no collection has seen: references from
 * older ones count as references from outside, so no write barrier is needed.  Types take
 * part in full collections only.
 *
 * Nothing in a stop runs Python code, drops a reference or drains a queue.  Collections of
 * one interpreter may overlap outside the stops: one's garbage is counted by it and hence
 * alive for the other.
 *
 * Process-wide state: the registered functions, gc_callback, gc_save.
 */
#include "gc/collect.h"

#include "base/assert.h"
#include "base/mem.h"
#include "gc/collect_priv.h"
#include "gc/pacer.h"
#include "gc/pending.h"
#include "threads/interp.h"
#include "threads/safepoint.h"
#include "threads/stop_world.h"

void (*gc_callback)(Thread *th, const char *phase, int generation, CollectResult result);
void (*gc_save)(Thread *th, Value v);

#define FUNCTIONS_MAX 16
static RootsFn roots[FUNCTIONS_MAX]; /* [const] once the process has started */
static int root_count;
static PurgeFn purges[FUNCTIONS_MAX]; /* [const] once the process has started */
static int purge_count;

void
gc_register_roots(RootsFn fn)
{
    CHECK(root_count < FUNCTIONS_MAX);
    roots[root_count++] = fn;
}

void
gc_register_purge(PurgeFn fn)
{
    CHECK(purge_count < FUNCTIONS_MAX);
    purges[purge_count++] = fn;
}

static void
visit_root(Value v, void *arg)
{
    if (value_is_object(v))
        unreachable_mark_root(arg, value_object(v));
}

void
collect_visit_roots(Collection *c)
{
    if (!c->full)
        return; /* what is not counted are types, and they are not candidates */
    for (int i = 0; i < root_count; i++)
        roots[i](c->interp, visit_root, c);
}

static bool
is_garbage(const Object *o)
{
    int32_t *number = candidate_of(o);
    return number && *number >= 0 && *number < CELL_MARKED;
}

static void
purge_caches(Collection *c)
{
    for (int i = 0; i < purge_count; i++)
        purges[i](c->interp, is_garbage);
}

/* What a tracked slab holds goes into the live count. */
static void
add_used(Collection *c, Slab *s)
{
    c->cells += load_relaxed(&s->used);
}

/* The first stop; whether there is garbage. */
static bool
find_garbage(Collection *c)
{
    world_stop(c->th);
    bool found = false;
    if (candidates_take(c)) {
        /* Other interpreters' grace periods wait for this thread: it announces now and then
         * (rules E5); its registers hold no borrowed word in a stop. */
        thread_announce(c->th);
        unreachable_subtract(c);
        thread_announce(c->th);
        unreachable_mark(c);
        thread_announce(c->th);
        found = finalize_gather_stopped(c);
        if (found) {
            purge_caches(c);
            finalize_weakrefs_stopped(c, true);
            finalize_condemn_types_stopped(c);
        }
        candidates_release(c);
    }
    c->cells = 0;
    candidates_each_slab(c, add_used);
    uint64_t live = c->cells - (c->garbage.count < c->cells ? c->garbage.count : c->cells);
    gc_pace_collected_stopped(c->interp, c->generation, live, c->garbage.count);
    world_start(c->th);
    return found;
}

/* The second stop: takes out of c->garbage what finalizers made reachable again; `alive`
 * receives it.  False: no memory, then all of it has to live. */
static bool
find_resurrected(Collection *c, ObjectList *alive)
{
    bool ok = true;
    for (size_t i = 0; i < c->garbage.count && ok; i++) /* room for all: no failure later */
        ok = object_list_push(alive, NULL);
    alive->count = 0;
    world_stop(c->th);
    ok = ok && candidates_take_garbage(c);
    if (ok) {
        unreachable_subtract_garbage(c);
        unreachable_mark_garbage(c);
        size_t kept = 0;
        for (size_t i = 0; i < c->garbage.count; i++) {
            Object *o = c->garbage.items[i];
            if (is_garbage(o))
                c->garbage.items[kept++] = o;
            else
                alive->items[alive->count++] = o;
        }
        c->garbage.count = kept;
        purge_caches(c);
        finalize_weakrefs_stopped(c, false);
        finalize_condemn_types_stopped(c);
        candidates_release(c);
    }
    world_start(c->th);
    return ok;
}

static void
drop_list(Thread *th, ObjectList *list)
{
    for (size_t i = 0; i < list->count; i++)
        object_drop(th, list->items[i]);
}

/* Frees the garbage; returns how many objects it was. */
static size_t
free_garbage(Collection *c)
{
    Thread *th = c->th;
    uint32_t debug = load_relaxed(&c->interp->gc->debug);
    if ((debug & (GC_DEBUG_SAVEALL | GC_DEBUG_COLLECTABLE)) && gc_save)
        for (size_t i = 0; i < c->garbage.count; i++)
            gc_save(th, value_of(c->garbage.items[i]));
    if (debug & GC_DEBUG_SAVEALL) {
        drop_list(th, &c->garbage);
        return c->garbage.count;
    }
    for (size_t i = 0; i < c->condemned.count; i++)
        fetch_and_relaxed(&c->condemned.items[i]->bits, (uint8_t)~BIT_DEFERRED);
    for (size_t i = 0; i < c->garbage.count; i++) {
        Object *o = c->garbage.items[i];
        TypeOps *ops = object_ops(o);
        if (ops->clear)
            ops->clear(th, o);
        if ((i & 1023) == 1023)
            safepoint_quiet(th);
    }
    for (size_t i = 0; i < c->garbage.count; i++) {
        object_drop(th, c->garbage.items[i]);
        if ((i & 1023) == 1023)
            safepoint_quiet(th);
    }
    return c->garbage.count;
}

static CollectResult
collect(Thread *th, int generation)
{
    CollectResult result = {0, 0};
    Reclaim *r = th->reclaim;
    if (r->collecting)
        return result;
    r->collecting = 1;
    if (gc_callback)
        gc_callback(th, "start", generation, result);

    Collection c = {
        .th = th,
        .interp = th->interp,
        .generation = generation,
        .full = generation >= 2,
    };
    if (find_garbage(&c)) {
        pending_serve(th); /* the weak callbacks */
        bool ok = true;
        if (finalize_run(&c)) {
            ObjectList alive = {0};
            ok = find_resurrected(&c, &alive);
            drop_list(th, &alive);
            object_list_free(&alive);
        }
        if (ok)
            result.collected = free_garbage(&c);
        else
            drop_list(th, &c.garbage);
    } else {
        drop_list(th, &c.garbage); /* of a list that found no memory */
    }
    object_list_free(&c.garbage);
    object_list_free(&c.condemned);
    object_list_free(&c.stack);

    GcState *gc = th->interp->gc;
    fetch_add_relaxed(&gc->stats[generation].collections, 1);
    fetch_add_relaxed(&gc->stats[generation].collected, result.collected);
    fetch_add_relaxed(&gc->stats[generation].uncollectable, result.uncollectable);
    if (gc_callback)
        gc_callback(th, "stop", generation, result);
    r->collecting = 0;
    return result;
}

CollectResult
gc_collect(Thread *th, int generation)
{
    ASSERT(generation >= 0 && generation <= 2);
    if (th->reclaim->collecting)
        return (CollectResult){0, 0};
    if (generation == 2) { /* what waits in the merge queue, or for an epoch, would count as reachable */
        safepoint_quiet(th);
        reclaim_flush(th);
    }
    pending_serve(th);
    CollectResult result = collect(th, generation);
    pending_serve(th);
    return result;
}

void
gc_collect_due(Thread *th)
{
    int generation = gc_pace_due(th->interp);
    if (generation >= 0)
        collect(th, generation);
}

/* ---------------------------------------------------------------- the gc module's questions */

typedef struct EachObject {
    bool (*fn)(Object *o, void *arg);
    void *arg;
} EachObject;

static bool
each_tracked(Object *o, void *arg)
{
    EachObject *each = arg;
    if (!(object_bits(o) & BIT_TRACKED) || object_is_dead(o) || object_refcount(o) <= 0)
        return true;
    return each->fn(o, each->arg);
}

void
gc_each_object_stopped(Interp *interp, bool (*fn)(Object *o, void *arg), void *arg)
{
    EachObject each = {fn, arg};
    heap_each_object_stopped(interp, each_tracked, &each);
}

void
gc_freeze(Thread *th)
{
    uint64_t n = 0;
    world_stop(th);
    for (Thread *t = load_acquire(&th->interp->threads); t; t = load_relaxed(&t->next)) {
        if (t->heap == NULL)
            continue;
        heap_freeze_stopped(t->heap);
        for (Slab *s = t->heap->slabs; s; s = s->next)
            if (s->frozen)
                n += load_relaxed(&s->used);
    }
    store_relaxed(&th->interp->gc->frozen, n);
    world_start(th);
}

void
gc_unfreeze(Thread *th)
{
    world_stop(th);
    for (Thread *t = load_acquire(&th->interp->threads); t; t = load_relaxed(&t->next))
        if (t->heap)
            heap_unfreeze_stopped(t->heap);
    store_relaxed(&th->interp->gc->frozen, 0);
    world_start(th);
}

size_t
gc_freeze_count(Interp *interp)
{
    return load_relaxed(&interp->gc->frozen);
}

void
gc_set_debug(Interp *interp, uint32_t flags)
{
    store_relaxed(&interp->gc->debug, flags);
}

uint32_t
gc_get_debug(Interp *interp)
{
    return load_relaxed(&interp->gc->debug);
}

void
gc_get_stats(Interp *interp, GcStats stats[3])
{
    for (int g = 0; g < 3; g++) {
        stats[g].collections = load_relaxed(&interp->gc->stats[g].collections);
        stats[g].collected = load_relaxed(&interp->gc->stats[g].collected);
        stats[g].uncollectable = load_relaxed(&interp->gc->stats[g].uncollectable);
    }
}
