/* refcount_priv.h -- dying, for the other files of gc/. */
#ifndef GC_REFCOUNT_PRIV_H
#define GC_REFCOUNT_PRIV_H

#include "gc/heap.h"

/* The signed count in `shared`. */
static inline int32_t
shared_count(uint32_t shared)
{
    return (int32_t)shared >> 2;
}

/* At this many references an object becomes immortal (rules E1). */
#define SHARED_SATURATED ((int32_t)1 << 28)

/* Objects whose counts their owner is asked to merge; guarded by its lock (a leaf). */
typedef struct MergeQueue {
    ATOMIC(uint8_t) lock;
    uint32_t count, capacity; /* [lock] */
    Object **items;           /* [lock] */
} MergeQueue;

MergeQueue *merge_queue_create(void);
void merge_queue_destroy(MergeQueue *q);

/* Merges all that is queued for th, which is attached and the caller's. */
void merge_serve(Thread *th);
/* Merges what is queued for `owner`, which is detached, unless somebody else does; then
 * lets the dead die on `th`. */
void merge_help(Thread *th, Thread *owner);

/* The count has reached zero: finalizer, weak references, then dealloc now or later. */
void object_die(Thread *th, Object *o);

/* Deallocates `o`, or puts it into the thread's list of the dead if that is deep already. */
void object_dealloc(Thread *th, Object *o);

/* object_mark_weak() without keeping the cell readable: the weak-reference table has a
 * lock for that. */
void object_mark_weak_locked(Object *o);

/* Objects that were made immortal because their count overflowed. */
extern ATOMIC(uint64_t) refcount_saturated;
/* References that were never given up because there was no memory to queue them. */
extern ATOMIC(uint64_t) refcount_leaked;

#endif
