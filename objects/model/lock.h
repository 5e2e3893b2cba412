/* lock.h -- the layout of _thread.lock and _thread.RLock, which `with` takes and releases in line.
 *
 * Their types are static and immutable (modules/mod_thread.c makes them ready): an object of shape
 * SHAPE_LOCK or SHAPE_RLOCK has the __enter__ and __exit__ that these functions carry out.
 */
#ifndef OBJECTS_MODEL_LOCK_H
#define OBJECTS_MODEL_LOCK_H

#include "objects/model/type.h"
#include "threads/user_lock.h"

typedef struct Lock {
    struct Object head;
    UserLock lock;
} Lock;

typedef struct RLock {
    struct Object head;
    UserLock lock;
    ATOMIC(uint64_t) owner;  /* ident of the holder, 0: free; written under the lock */
    uint64_t count;          /* [lock] how often the holder has taken it */
} RLock;

/* Takes `r` once more if th holds it. */
static inline bool
rlock_again(Thread *th, RLock *r)
{
    if (load_relaxed(&r->owner) != th->ident) /* relaxed: nobody else writes th's ident */
        return false;
    r->count++;
    return true;
}

/* th has just taken r->lock. */
static inline void
rlock_taken(Thread *th, RLock *r)
{
    store_relaxed(&r->owner, th->ident);
    r->count = 1;
}

/* False: th does not hold it. */
static inline bool
rlock_leave(Thread *th, RLock *r)
{
    if (UNLIKELY(load_relaxed(&r->owner) != th->ident))
        return false;
    if (--r->count == 0) {
        store_relaxed(&r->owner, 0);
        user_lock_release(&r->lock);
    }
    return true;
}

/* `with o:` where o is an object of shape `shape`: true if it is one of the two types and was
 * taken at once. */
static inline bool
lock_enter_at_once(Thread *th, Object *o, uint32_t shape)
{
    if (shape == SHAPE_LOCK)
        return user_lock_try(&((Lock *)(void *)o)->lock);
    if (shape != SHAPE_RLOCK)
        return false;
    RLock *r = (RLock *)(void *)o;
    if (rlock_again(th, r))
        return true;
    if (!user_lock_try(&r->lock))
        return false;
    rlock_taken(th, r);
    return true;
}

/* The end of the block; true if `o` is one of the two types, and was held. */
static inline bool
lock_exit_at_once(Thread *th, Object *o)
{
    uint32_t shape = object_shape(o);
    if (shape == SHAPE_LOCK)
        return user_lock_release(&((Lock *)(void *)o)->lock);
    return shape == SHAPE_RLOCK && rlock_leave(th, (RLock *)(void *)o);
}

#endif
