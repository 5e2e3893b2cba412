/* collect.h -- the cycle collector (stop-the-world; rules E4). */
#ifndef GC_COLLECT_H
#define GC_COLLECT_H

#include "gc/field.h"

typedef struct CollectResult {
    size_t collected;     /* unreachable objects freed */
    size_t uncollectable; /* found, but not freed */
} CollectResult;

/* Collects garbage cycles of th's interpreter.  `generation` 0..2 is only recorded.
 * Runs finalizers and weakref callbacks on this thread.  A safepoint. */
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
 * retain through the collector's list only: it returns false to stop. */
void gc_each_object_stopped(Interp *interp, bool (*fn)(Object *o, void *arg), void *arg);

/* Roots outside the heap: each level registers a function that visits what it
 * counts in C structures of a thread or an interpreter (registers included). */
typedef void (*RootsFn)(Interp *interp, VisitFn visit, void *arg);
void gc_register_roots(RootsFn fn);

/* gc.callbacks: called (if set) before ("start") and after ("stop") a collection. */
extern void (*gc_callback)(Thread *th, const char *phase, int generation, CollectResult result);

/* The per-generation totals that gc.get_stats() shows. */
typedef struct GcStats {
    uint64_t collections, collected, uncollectable;
} GcStats;
void gc_get_stats(Interp *interp, GcStats stats[3]);

#endif
