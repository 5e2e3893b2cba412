/* mutex.h -- a lock in one byte, and the lock of an object.
 *
 * Object locks are LEAF locks: under one there is no safepoint, no Python code, no
 * drop, no blocking call, and no second object lock except through
 * object_touch_lock_two().  A waiter spins, then sleeps by the clock for longer and longer
 * without going offline: the holder is never far from the end, and unlocking is one
 * plain store, which wakes nobody.  Work that needs Python
 * code (comparisons, keys) is done outside and checked again under the lock.
 */
#ifndef THREADS_MUTEX_H
#define THREADS_MUTEX_H

#include "base/assert.h"
#include "base/atomic.h"
#include "threads/thread.h"

typedef struct ByteLock {
    ATOMIC(uint8_t) state; /* 0 free, 1 held; only the holder writes it then (gc/object_lock.h has more) */
} ByteLock;

void byte_lock_slow(void *state_byte);

static inline void
byte_lock(ByteLock *l)
{
    uint8_t free_state = 0;
    /* acquire: pairs with byte_unlock() [mutex.state] */
    if (UNLIKELY(!cas_acquire(&l->state, &free_state, 1)))
        byte_lock_slow(l);
}

static inline void
byte_unlock(ByteLock *l)
{
    ASSERT(load_relaxed(&l->state) & 1);
    store_release(&l->state, 0); /* pairs with byte_lock() [mutex.state] */
}

/* A lock for internal use that may be held across blocking calls; the waiter goes
 * offline (a safepoint).  Ranked: see lock_rank.def. */
typedef struct Mutex {
    ATOMIC(uint8_t) state; /* bit 0 held, bit 1 somebody sleeps */
    uint8_t rank;          /* enum LockRank; 0: not ranked */
} Mutex;

#define MUTEX_INIT(rank) {{0}, (rank)}

/* Locks; if `th` is not NULL and must wait, it detaches while it waits. */
void mutex_lock(Thread *th, Mutex *m);
void mutex_unlock(Mutex *m);
bool mutex_try_lock(Mutex *m);
static inline bool
mutex_is_locked(const Mutex *m)
{
    return (load_relaxed(&m->state) & 1) != 0;
}

typedef enum LockResult { LOCK_TAKEN, LOCK_TIMEOUT, LOCK_INTERRUPTED } LockResult;

/* Locks, but gives up after `timeout` ns (negative: never), and, if `interruptible`,
 * when a signal handler has run on this OS thread. */
LockResult mutex_lock_timed(Thread *th, Mutex *m, int64_t timeout, bool interruptible);

/* Makes `m` free whoever held it: in the child of a fork. */
void mutex_reset(Mutex *m);

/* False until a second Thread attaches for the first time; never false again. */
extern ATOMIC(uint8_t) threads_started;

#endif
