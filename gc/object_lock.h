/* object_lock.h -- the one-byte lock in an object's header; see threads/mutex.h.
 *
 * The pattern of every writer of a container:
 *
 *     bool held = object_lock(o);
 *     ... change it with release stores; remember what was removed ...
 *     bool shared = object_bits(o) & BIT_SHARED;
 *     object_unlock(o, held);
 *     drop_from(th, shared, removed);
 */
#ifndef GC_OBJECT_LOCK_H
#define GC_OBJECT_LOCK_H

#include "gc/header.h"
#include "gc/refcount.h"
#include "threads/mutex.h"

/* Locks `o` (a leaf lock; see above).  Returns whether it was really taken: pass it
 * to object_unlock(). */
static inline bool
object_lock(Object *o)
{
    if (LIKELY(load_relaxed(&threads_started) == 0))
        return false;
    byte_lock((ByteLock *)(void *)&o->lock);
    return true;
}

static inline void
object_unlock(Object *o, bool taken)
{
    if (taken)
        byte_unlock((ByteLock *)(void *)&o->lock);
}

/* Locks two objects (or one, given twice) in address order. */
bool object_lock_two(Object *a, Object *b);
void object_unlock_two(Object *a, Object *b, bool taken);

/* Called before reading or changing a mutable container: if `th` is not its owner
 * and it is still private, marks it shared, under its lock.  After that, what it
 * holds is given up only through the retire queue. */
void object_share_slow(Object *o);

static inline void
object_touch(Thread *th, Object *o)
{
    if (UNLIKELY(load_relaxed(&o->owner) != th->id &&
                 (load_relaxed(&o->bits) & BIT_SHARED) == 0))
        object_share_slow(o);
}

#endif
