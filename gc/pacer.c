/* pacer.c -- when to collect.
 *
 * What counts is growth: tracked cells in use now, minus those in use after the last
 * collection.  A program that frees as much as it allocates never collects.  The fast path
 * counts nothing: heap.c tells gc_pace() when a context has taken a certain number of cells
 * from its slabs, and only then the slabs' own counts are summed up.
 *
 *     young   growth since any collection  >= the young limit
 *     full    what survived young ones since the last full one is more than a quarter of
 *             what was alive then, and at least the young limit; or numbers of shapes run
 *             short, which only types that die give back
 *
 * The young limit follows gc.set_threshold()'s first number; the default of 700 stands for
 * ten times as many, because a collection here costs a stop, and doubles up to 32 times as
 * long as collections find (almost) nothing: a program that builds a large structure is
 * not interrupted for each piece of it.
 */
#include "gc/pacer.h"

#include "gc/heap.h"
#include "gc/type_ops.h"
#include "threads/safepoint.h"

#define DEFAULT_THRESHOLD 700
#define YOUNG_DEFAULT 7000
#define SCALE_MAX 5
#define BUDGET_MIN 512

void
gc_pace_init(GcState *gc)
{
    store_relaxed(&gc->enabled, 1);
    store_relaxed(&gc->threshold[0], DEFAULT_THRESHOLD);
    store_relaxed(&gc->threshold[1], 10);
    store_relaxed(&gc->threshold[2], 10);
}

static uint64_t
young_limit(GcState *gc)
{
    uint64_t t = load_relaxed(&gc->threshold[0]);
    if (t == DEFAULT_THRESHOLD)
        t = (uint64_t)YOUNG_DEFAULT << load_relaxed(&gc->young_scale);
    return t;
}

static uint64_t
growth_since(uint64_t live, uint64_t before)
{
    return live > before ? live - before : 0;
}

/* The generation that is due with `live` tracked cells; -1: none. */
static int
due(GcState *gc, uint64_t live)
{
    uint64_t limit = young_limit(gc);
    if (limit == 0 || !load_relaxed(&gc->enabled))
        return -1;
    if (load_relaxed(&gc->shapes_due))
        return 2;
    if (growth_since(live, load_relaxed(&gc->live_young)) < limit)
        return -1;
    uint64_t full = load_relaxed(&gc->live_full);
    uint64_t survived = growth_since(load_relaxed(&gc->live_young), full);
    if (survived > full / 4 && survived >= limit)
        return 2;
    return load_relaxed(&gc->runs[0]) >= load_relaxed(&gc->threshold[1]) ? 1 : 0;
}

int
gc_pace_due(Interp *interp)
{
    return due(interp->gc, heap_tracked_cells(interp));
}

void
gc_pace(Thread *th)
{
    Interp *interp = th->interp;
    GcState *gc = interp->gc;
    uint64_t limit = young_limit(gc);
    if (limit == 0 || !load_relaxed(&gc->enabled)) {
        th->heap->budget = YOUNG_DEFAULT;
        return;
    }
    uint64_t live = heap_tracked_cells(interp);
    uint64_t growth = growth_since(live, load_relaxed(&gc->live_young));
    int64_t budget;
    if (due(gc, live) >= 0) {
        safepoint_request(th, REQUEST_GC);
        budget = (int64_t)limit; /* should the safepoint be far away */
    } else {
        uint32_t threads = load_relaxed(&interp->thread_count);
        budget = (int64_t)((limit > growth ? limit - growth : 0) / (threads ? threads : 1));
    }
    /* Summing up costs some ns for each 64 KiB: not more often than that is worth. */
    int64_t least = 0;
    if (load_relaxed(&gc->threshold[0]) == DEFAULT_THRESHOLD) {
        least = (int64_t)(live / 64);
        if (least < BUDGET_MIN)
            least = BUDGET_MIN;
    }
    th->heap->budget = budget > least ? budget : least;
}

void
gc_pace_shapes(Thread *th)
{
    store_relaxed(&th->interp->gc->shapes_due, 1);
    if (due(th->interp->gc, 0) >= 0)
        safepoint_request(th, REQUEST_GC);
}

void
gc_pace_collected_stopped(Interp *interp, int generation, uint64_t live, uint64_t garbage)
{
    GcState *gc = interp->gc;
    uint64_t grown = growth_since(live + garbage, load_relaxed(&gc->live_young));
    uint32_t scale = load_relaxed(&gc->young_scale);
    if (garbage * 8 > grown)
        store_relaxed(&gc->young_scale, scale ? scale - 1 : 0);
    else if (scale < SCALE_MAX && grown >= young_limit(gc))
        store_relaxed(&gc->young_scale, scale + 1);
    store_relaxed(&gc->live_young, live);
    if (generation == 2) {
        store_relaxed(&gc->live_full, live);
        store_relaxed(&gc->shapes_due, 0);
        shapes_collected();
        store_relaxed(&gc->runs[0], 0);
        store_relaxed(&gc->runs[1], 0);
    } else if (generation == 1) {
        store_relaxed(&gc->runs[0], 0);
        fetch_add_relaxed(&gc->runs[1], 1);
    } else {
        fetch_add_relaxed(&gc->runs[0], 1);
    }
    int64_t budget = (int64_t)young_limit(gc);
    uint32_t threads = load_relaxed(&interp->thread_count);
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next))
        if (t->heap)
            t->heap->budget = budget / (threads ? threads : 1);
}

/* ---------------------------------------------------------------- the gc module's questions */

void
gc_enable(Interp *interp, bool on)
{
    store_relaxed(&interp->gc->enabled, on);
}

bool
gc_is_enabled(Interp *interp)
{
    return load_relaxed(&interp->gc->enabled);
}

void
gc_set_threshold(Interp *interp, const uint64_t threshold[3])
{
    for (int g = 0; g < 3; g++)
        store_relaxed(&interp->gc->threshold[g], threshold[g]);
    store_relaxed(&interp->gc->young_scale, 0);
}

void
gc_get_threshold(Interp *interp, uint64_t threshold[3])
{
    for (int g = 0; g < 3; g++)
        threshold[g] = load_relaxed(&interp->gc->threshold[g]);
}

void
gc_get_count(Interp *interp, uint64_t count[3])
{
    GcState *gc = interp->gc;
    count[0] = growth_since(heap_tracked_cells(interp), load_relaxed(&gc->live_young));
    count[1] = load_relaxed(&gc->runs[0]);
    count[2] = load_relaxed(&gc->runs[1]);
}
