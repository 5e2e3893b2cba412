/* collect.h -- the cycle collector (stop-the-world; rules E4). */
#ifndef GC_COLLECT_H
#define GC_COLLECT_H

#include "gc/field.h"

typedef struct CollectResult {
    size_t collected;     /* unreachable objects freed */
    size_t uncollectable; /* found, but not freed */
} CollectResult;

/* Collects garbage cycles of th's interpreter: all of them (generation 2), or those among
 * objects that no collection has seen yet (0, 1).  Runs finalizers and weakref callbacks on
 * this thread.  A safepoint.  Called from inside a collection of th's it does nothing. */
CollectResult gc_collect(Thread *th, int generation);

void gc_enable(Interp *interp, bool on);
bool gc_is_enabled(Interp *interp);
void gc_set_threshold(Interp *interp, const uint64_t threshold[3]);
void gc_get_threshold(Interp *interp, uint64_t threshold[3]);
void gc_get_count(Interp *interp, uint64_t count[3]);
void gc_freeze(Thread *th);
void gc_unfreeze(Thread *th);
size_t gc_freeze_count(Interp *interp);

/* Calls fn(o, arg) for each live tracked object, with the world stopped; fn may
 * retain (not drop, not allocate objects): it returns false to stop. */
void gc_each_object_stopped(Interp *interp, bool (*fn)(Object *o, void *arg), void *arg);

/* Whether the collector looks at `o` (gc.is_tracked). */
static inline bool
gc_is_tracked(const Object *o)
{
    return (object_bits(o) & BIT_TRACKED) != 0;
}

/* Roots that are not counted: each level registers a function that visits them (types in
 * registers of running frames; harmless for what is counted, too).  References counted in C
 * structures need no such function: whatever is counted and not visited by an object keeps
 * its referent alive.  The world is stopped. */
typedef void (*RootsFn)(Interp *interp, VisitFn visit, void *arg);
void gc_register_roots(RootsFn fn);

/* Caches with uncounted pointers: fn clears those whose object is_garbage() accepts.  The
 * world is stopped; called before anything of the garbage is freed. */
typedef void (*PurgeFn)(Interp *interp, bool (*is_garbage)(const Object *o));
void gc_register_purge(PurgeFn fn);

/* gc.callbacks: called (if set) before ("start") and after ("stop") a collection. */
extern void (*gc_callback)(Thread *th, const char *phase, int generation, CollectResult result);

/* gc.set_debug(): with GC_DEBUG_SAVEALL or GC_DEBUG_COLLECTABLE gc_save is called with each
 * garbage object; with the first it is not freed then. */
#define GC_DEBUG_STATS 1u
#define GC_DEBUG_COLLECTABLE 2u
#define GC_DEBUG_SAVEALL 32u
void gc_set_debug(Interp *interp, uint32_t flags);
uint32_t gc_get_debug(Interp *interp);
extern void (*gc_save)(Thread *th, Value v);

/* The per-generation totals that gc.get_stats() shows. */
typedef struct GcStats {
    uint64_t collections, collected, uncollectable;
} GcStats;
void gc_get_stats(Interp *interp, GcStats stats[3]);

#endif
