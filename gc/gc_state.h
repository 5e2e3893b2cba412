/* gc_state.h -- what gc/ keeps for one interpreter (for gc/ only). */
#ifndef GC_GC_STATE_H
#define GC_GC_STATE_H

#include "gc/collect.h"
#include "gc/reclaim_priv.h"
#include "threads/interp.h"
#include "threads/mutex.h"

struct WeakTable; /* weakref.c */

typedef struct GcState {
    ReclaimShared handed;        /* retired batches of threads that went offline */
    struct WeakTable *weak;      /* [const] */

    ATOMIC(uint8_t) enabled;
    ATOMIC(uint8_t) shapes_due;  /* a full collection for the sake of shapes' numbers */
    ATOMIC(uint32_t) carriers;   /* threads that service.c started to run finalizers */
    uint8_t calls_ticks;         /* [lock] service_lock; how long finalizers have waited */
    ATOMIC(uint8_t) no_service;  /* it ends: the service thread stays away */
    ATOMIC(uint64_t) threshold[3];
    ATOMIC(uint64_t) live_young; /* tracked cells after the last collection of any kind */
    ATOMIC(uint64_t) live_full;  /* tracked cells after the last full collection */
    ATOMIC(uint32_t) young_scale;/* the young limit is doubled this many times */
    ATOMIC(uint64_t) runs[2];    /* collections of generation 0, 1 since the next older one */
    ATOMIC(uint64_t) frozen;     /* objects in frozen slabs */
    ATOMIC(uint32_t) debug;      /* gc.set_debug() */
    struct {
        ATOMIC(uint64_t) collections, collected, uncollectable;
    } stats[3];
} GcState;

static inline GcState *
gc_state(Thread *th)
{
    return th->interp->gc;
}

#endif
