/* user_lock.h -- the locks that Python programs make: the state of _thread.lock and _thread.RLock.
 *
 * One byte, parked on when contended: bit 0 held, bit 1 somebody may sleep.  It has no rank and no
 * holder: any thread may release it.
 */
#ifndef THREADS_USER_LOCK_H
#define THREADS_USER_LOCK_H

#include "threads/mutex.h"

enum { USER_LOCK_FREE = 0, USER_LOCK_HELD = 1, USER_LOCK_WAITED = 2 };

typedef struct UserLock {
    ATOMIC(uint8_t) state;
} UserLock;

/* The rest of the two functions below. */
bool user_lock_try_slow(UserLock *l);
bool user_lock_release_slow(UserLock *l);

/* Whether the lock was free and is now held. */
static inline bool
user_lock_try(UserLock *l)
{
    uint8_t s = USER_LOCK_FREE;
    if (LIKELY(cas_acquire(&l->state, &s, USER_LOCK_HELD))) /* pairs with the release [user_lock.state] */
        return true;
    return user_lock_try_slow(l);
}

/* Takes the lock, waiting until `deadline` (0: not at all; INT64_MAX: for ever).  While it waits for
 * long, th is offline.  LOCK_INTERRUPTED: an exception is set, by a signal handler or from another
 * thread.  The caller holds no internal lock and no borrowed word in C variables. */
LockResult user_lock_acquire(Thread *th, UserLock *l, int64_t deadline);

/* Lets one waiter go on.  False: it was not held. */
static inline bool
user_lock_release(UserLock *l)
{
    uint8_t s = USER_LOCK_HELD;
    if (LIKELY(__atomic_compare_exchange_n(&l->state.raw_, &s, USER_LOCK_FREE, false, __ATOMIC_RELEASE,
                                           __ATOMIC_RELAXED)))
        return true; /* release: pairs with user_lock_try() [user_lock.state] */
    return user_lock_release_slow(l);
}

static inline bool
user_lock_is_held(const UserLock *l)
{
    return (load_relaxed(&l->state) & USER_LOCK_HELD) != 0;
}

/* Makes it free whoever held it: in the child of a fork. */
static inline void
user_lock_reset(UserLock *l)
{
    store_relaxed(&l->state, USER_LOCK_FREE); /* relaxed: the only thread of the process */
}

#endif
