/* reclaim.h -- giving things up one grace period later.
 *
 * A reference that leaves a *shared* container (BIT_SHARED), and memory that a
 * lock-free reader may still be looking at, go into the thread's retire queue and
 * are given up when every online thread has passed a safepoint since.  Epochs are
 * ours: a global counter, and in each Thread the last one it announced (rules B).
 *
 * A thread that is the only one online serves its queue as the instruction that
 * filled it ends (REQUEST_PENDING is set by retiring).
 */
#ifndef GC_RECLAIM_H
#define GC_RECLAIM_H

#include "gc/refcount.h"

/* Gives up the reference `v` (may be NULL or immediate) a grace period later. */
void retire(Thread *th, Value STEALS v);

/* Calls free_fn(th, p) a grace period later; `bytes` counts towards the limits.
 * free_fn runs no Python code and takes at most a leaf lock. */
void retire_memory(Thread *th, void *p, size_t bytes, void (*free_fn)(Thread *th, void *p));

/* retire_memory() with buffer_free. */
void retire_buffer(Thread *th, void *p, size_t bytes);

/* Gives up `v` now if `holder` is private, else a grace period later.  `shared` is
 * the holder's BIT_SHARED as read under its lock. */
static inline void
drop_from(Thread *th, bool shared, Value STEALS v)
{
    if (v == NULL || !value_is_object(v))
        return;
    if (shared)
        retire(th, v);
    else
        drop(th, v);
}

/* Waits until every reference retired before the call is given up.  A safepoint. */
void reclaim_flush(Thread *th);

#endif
