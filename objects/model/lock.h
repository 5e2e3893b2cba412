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
    ATOMIC(uint32_t) holder; /* [lock] context that took it, or LOCK_UNCOUNTED */
} Lock;

/* In Lock.holder: whoever holds it is not taken for being inside a section, see thread_holds_locks(). */
#define LOCK_UNCOUNTED UINT32_MAX

typedef struct RLock {
    struct Object head;
    UserLock lock;
    ATOMIC(uint64_t) owner;  /* ident of the holder, 0: free; written under the lock */
    ATOMIC(uint64_t) count;  /* [lock] how often the holder has taken it; repr() of others reads it */
} RLock;

/* th has taken a lock, or given one back that it had taken. */
static inline void
locks_count(Thread *th, uint32_t change)
{
    store_relaxed(&th->locks_taken, load_relaxed(&th->locks_taken) + change);
}

/* th has just taken l->lock. */
static inline void
lock_taken(Thread *th, Lock *l)
{
    if (UNLIKELY(load_relaxed(&l->holder) == LOCK_UNCOUNTED))
        return;
    store_relaxed(&l->holder, th->id);
    locks_count(th, 1);
}

/* Context `holder` does not hold it any more. */
static inline void
lock_given(Thread *th, uint32_t holder)
{
    if (LIKELY(holder == th->id))
        locks_count(th, -1u);
    else if (holder != 0 && holder != LOCK_UNCOUNTED)
        fetch_add_relaxed(&load_acquire(&thread_by_id[holder])->locks_given, 1); /* [thread.table] */
}

/* False: it was not held. */
static inline bool
lock_leave(Thread *th, Lock *l)
{
    uint32_t holder = load_relaxed(&l->holder);
    if (!user_lock_release(th, &l->lock))
        return false;
    lock_given(th, holder);
    return true;
}

/* Takes `r` once more if th holds it. */
static inline bool
rlock_again(Thread *th, RLock *r)
{
    if (load_relaxed(&r->owner) != th->ident) /* relaxed: nobody else writes th's ident */
        return false;
    store_relaxed(&r->count, load_relaxed(&r->count) + 1);
    return true;
}

/* th has just taken r->lock. */
static inline void
rlock_taken(Thread *th, RLock *r)
{
    store_relaxed(&r->owner, th->ident);
    store_relaxed(&r->count, 1);
    locks_count(th, 1);
}

/* False: th does not hold it. */
static inline bool
rlock_leave(Thread *th, RLock *r)
{
    if (UNLIKELY(load_relaxed(&r->owner) != th->ident))
        return false;
    uint64_t count = load_relaxed(&r->count) - 1;
    store_relaxed(&r->count, count);
    if (count == 0) {
        store_relaxed(&r->owner, 0);
        locks_count(th, -1u);
        user_lock_release(th, &r->lock);
    }
    return true;
}

/* `with o:` where o is an object of shape `shape`: true if it is one of the two types and was
 * taken at once. */
static inline bool
lock_enter_at_once(Thread *th, Object *o, uint32_t shape)
{
    if (shape == SHAPE_LOCK) {
        Lock *l = (Lock *)(void *)o;
        if (!user_lock_try(th, &l->lock))
            return false;
        lock_taken(th, l);
        return true;
    }
    if (shape != SHAPE_RLOCK)
        return false;
    RLock *r = (RLock *)(void *)o;
    if (rlock_again(th, r))
        return true;
    if (!user_lock_try(th, &r->lock))
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
        return lock_leave(th, (Lock *)(void *)o);
    return shape == SHAPE_RLOCK && rlock_leave(th, (RLock *)(void *)o);
}

#endif
