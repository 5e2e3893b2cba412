/* user_lock.h -- the locks that Python programs make: the state of _thread.lock and _thread.RLock.
 *
 * Such a lock has no rank and no holder: any thread may release it.  Its byte:
 *
 *     HELD    somebody holds it
 *     WAITED  somebody may sleep in the parking lot (threads/park.h)
 *     AWAKE   a waiter is up, or will be in a moment, and looks for itself: releasing wakes nobody
 *     HAND    who sleeps has tried in vain: the release gives the lock to the longest sleeper
 *
 * Taking a free lock is allowed to everybody, also past those who wait ("barging"): a thread that
 * takes and releases it in a loop goes on at full speed.  How a waiter gets it all the same, and
 * soon: user_lock.c.
 */
#ifndef THREADS_USER_LOCK_H
#define THREADS_USER_LOCK_H

#include "threads/mutex.h"

enum { USER_LOCK_HELD = 1, USER_LOCK_WAITED = 2, USER_LOCK_AWAKE = 4, USER_LOCK_HAND = 8 };

typedef struct UserLock {
    ATOMIC(uint8_t) state;
    ATOMIC(uint8_t) busy;    /* [atomic] a hint: how long waiters leave it alone, user_lock.c */
    ATOMIC(uint32_t) turns;  /* [atomic] written by the holder: how often it was taken */
    ATOMIC(uint32_t) passed; /* [atomic] when somebody who had left it alone took it, in 65 us */
} UserLock;

/* The rest of user_lock_release(). */
bool user_lock_release_slow(UserLock *l);

/* The caller has just set HELD. */
static inline void
user_lock_taken(UserLock *l)
{
    store_relaxed(&l->turns, load_relaxed(&l->turns) + 1);
}

/* Whether the lock was free and is now held. */
static inline bool
user_lock_try(UserLock *l)
{
    uint8_t s = load_relaxed(&l->state);
    while (LIKELY(!(s & USER_LOCK_HELD))) {
        if (LIKELY(cas_acquire(&l->state, &s, (uint8_t)(s | USER_LOCK_HELD)))) {
            user_lock_taken(l); /* acquire: pairs with the release [user_lock.state] */
            return true;
        }
    }
    return false;
}

/* Takes the lock, waiting until `deadline` (0: not at all; INT64_MAX: for ever).  While it waits for
 * long, th is offline.  LOCK_INTERRUPTED: an exception is set, by a signal handler or from another
 * thread.  The caller holds no internal lock and no borrowed word in C variables. */
LockResult user_lock_acquire(Thread *th, UserLock *l, int64_t deadline);

/* Lets one waiter go on.  False: it was not held. */
static inline bool
user_lock_release(UserLock *l)
{
    uint8_t s = load_relaxed(&l->state);
    if (LIKELY((s & USER_LOCK_HELD) && (s & (USER_LOCK_WAITED | USER_LOCK_AWAKE)) != USER_LOCK_WAITED) &&
        LIKELY(__atomic_compare_exchange_n(&l->state.raw_, &s, (uint8_t)(s & ~USER_LOCK_HELD), false,
                                           __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
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
    store_relaxed(&l->state, 0); /* relaxed: the only thread of the process */
}

#endif
