/* user_lock.h -- the locks that Python programs make: the state of _thread.lock and _thread.RLock.
 *
 * Such a lock has no rank and no holder: any thread may release it.  Its byte:
 *
 *     HELD    somebody holds it
 *     WAITED  somebody may sleep in the parking lot (threads/park.h)
 *     AWAKE   a waiter is up, or will be in a moment, and looks for itself: releasing wakes nobody
 *     HAND    who sleeps has tried in vain: the release gives the lock to the longest sleeper
 *     TURN    with HELD: it is the turn of the thread in `favour`, and `inside` says whether that holds the lock
 *
 * In a turn the lock looks held to all others, and its thread takes and releases it without atomic operations: it
 * writes the lock's address to th->section, as for an object that favours it (threads/bias.h), looks whether the turn
 * is still its own and sets `inside`.  Who else needs to know takes `favour` away, waits for the end of the section,
 * and finds in `inside` whether the lock is held.  A turn begins where a lock is handed over that others leave alone for a
 * millisecond and more, and ends with the next one, or when somebody does not find the lock in use.
 *
 * Taking a free lock is allowed to everybody, also past those who wait ("barging"): a thread that
 * takes and releases it in a loop goes on at full speed.  How a waiter gets it all the same, and
 * soon: user_lock.c.
 */
#ifndef THREADS_USER_LOCK_H
#define THREADS_USER_LOCK_H

#include "threads/bias.h"
#include "threads/mutex.h"

enum {
    USER_LOCK_HELD = 1,
    USER_LOCK_WAITED = 2,
    USER_LOCK_AWAKE = 4,
    USER_LOCK_HAND = 8,
    USER_LOCK_TURN = 16,
};

typedef struct UserLock {
    ATOMIC(uint8_t) state;
    ATOMIC(uint8_t) busy;    /* [atomic] a hint: how long waiters leave it alone, user_lock.c */
    ATOMIC(uint8_t) favour;  /* [atomic] in a turn: the `favour` of its thread; 0: it is about to end, or there is none */
    ATOMIC(uint8_t) inside;  /* [section on the lock] in a turn: whether its thread holds the lock */
    ATOMIC(uint32_t) turns;  /* [atomic] written by the holder: how often it was taken */
    ATOMIC(uint32_t) passed; /* [atomic] when somebody who had left it alone took it, in 65 us */
} UserLock;

/* The rest of user_lock_release(). */
bool user_lock_release_slow(Thread *th, UserLock *l);

/* th, which holds the lock, has it for a turn, unless it has no bias.  For tests: nobody else may release it meanwhile. */
void user_lock_begin_turn(Thread *th, UserLock *l);

/* The caller has just taken the lock. */
static inline void
user_lock_taken(UserLock *l)
{
    store_relaxed(&l->turns, load_relaxed(&l->turns) + 1);
}

/* Opens a section on the lock: whether it is th's turn, until user_lock_section_end(). */
static inline bool
user_lock_section_begin(Thread *th, UserLock *l)
{
    ASSERT(load_relaxed(&th->section) == NULL);
    store_relaxed(&th->section, l);
    /* The other side has the machine's barrier: end_turn() [bias.section]. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return LIKELY(load_relaxed(&l->favour) == load_relaxed(&th->favour));
}

static inline void
user_lock_section_end(Thread *th)
{
    store_release(&th->section, NULL); /* pairs with bias_exclude() [bias.section] */
}

/* There is a turn.  True: it is th's, and th has taken the lock. */
static inline bool
user_lock_turn_take(Thread *th, UserLock *l)
{
    bool free = user_lock_section_begin(th, l) && !load_relaxed(&l->inside);
    if (LIKELY(free)) {
        store_relaxed(&l->inside, 1);
        user_lock_taken(l);
    }
    user_lock_section_end(th);
    return free;
}

/* There is a turn.  True: it is th's, th has released the lock, and nobody is to be woken. */
static inline bool
user_lock_turn_release(Thread *th, UserLock *l)
{
    bool held = user_lock_section_begin(th, l) && load_relaxed(&l->inside) &&
                (load_relaxed(&l->state) & (USER_LOCK_WAITED | USER_LOCK_AWAKE)) != USER_LOCK_WAITED;
    if (LIKELY(held))
        store_relaxed(&l->inside, 0);
    user_lock_section_end(th);
    return held;
}

/* Whether the lock was free and is now held.  False also if that cannot be told at once. */
static inline bool
user_lock_try(Thread *th, UserLock *l)
{
    uint8_t s = load_relaxed(&l->state);
    while (LIKELY(!(s & USER_LOCK_HELD))) {
        if (LIKELY(cas_acquire(&l->state, &s, (uint8_t)(s | USER_LOCK_HELD)))) {
            user_lock_taken(l); /* acquire: pairs with the release [user_lock.state] */
            return true;
        }
    }
    return (s & USER_LOCK_TURN) && user_lock_turn_take(th, l);
}

/* Takes the lock, waiting until `deadline` (0: not at all; INT64_MAX: for ever).  While it waits for
 * long, th is offline.  LOCK_INTERRUPTED: an exception is set, by a signal handler or from another
 * thread.  The caller holds no internal lock and no borrowed word in C variables. */
LockResult user_lock_acquire(Thread *th, UserLock *l, int64_t deadline);

/* Lets one waiter go on.  False: it was not held.  th is the caller; NULL: it has no context, or is offline. */
static inline bool
user_lock_release(Thread *th, UserLock *l)
{
    uint8_t s = load_relaxed(&l->state);
    if (LIKELY((s & (USER_LOCK_HELD | USER_LOCK_TURN)) == USER_LOCK_HELD)) {
        if (LIKELY((s & (USER_LOCK_WAITED | USER_LOCK_AWAKE)) != USER_LOCK_WAITED) &&
            LIKELY(__atomic_compare_exchange_n(&l->state.raw_, &s, (uint8_t)(s & ~USER_LOCK_HELD), false,
                                               __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
            return true; /* release: pairs with user_lock_try() [user_lock.state] */
    } else if ((s & USER_LOCK_TURN) && th != NULL && user_lock_turn_release(th, l)) {
        return true;
    }
    return user_lock_release_slow(th, l);
}

static inline bool
user_lock_is_held(const UserLock *l)
{
    uint8_t s = load_relaxed(&l->state);
    return s & USER_LOCK_TURN ? load_relaxed(&l->inside) != 0 : (s & USER_LOCK_HELD) != 0;
}

/* Makes it free whoever held it: in the child of a fork. */
static inline void
user_lock_reset(UserLock *l)
{
    store_relaxed(&l->favour, 0); /* relaxed: the only thread of the process */
    store_relaxed(&l->state, 0);
}

#endif
