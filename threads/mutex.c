/* mutex.c -- a lock in one byte.
 *
 * A Mutex: bit 0 held, bit 1 somebody sleeps in the parking lot.  Who finds the lock
 * held spins for a while, then sets bit 1 and sleeps.  Who unlocks with bit 1 set wakes
 * the longest sleeper, which competes for the lock like anybody else.  Who waits for a ByteLock
 * is not woken.
 *
 * Process-wide state: threads_started.
 */
#include "threads/mutex.h"

#include "base/assert.h"
#include "base/clock.h"
#include "threads/futex.h"
#include "threads/lock_rank.h"
#include "threads/os_thread.h"
#include "threads/park.h"

#define HELD 1u
#define SLEEPERS 2u
#define FIRST_SLEEP (20 * NS_PER_US) /* of who waits for a ByteLock */
#define LAST_SLEEP (1 * NS_PER_MS)

__typeof__(threads_started) threads_started;

/* Whether spinning got the lock. */
static bool
spin(ParkByte *state, int turns)
{
    for (int i = 0; i < turns; i++) {
        uint8_t s = load_relaxed(state);
        /* acquire: pairs with the unlock [mutex.state]; seq_cst for object locks [bias.state] */
        if ((s & HELD) == 0 && cas_seq_cst(state, &s, s | HELD))
            return true;
        if (s & SLEEPERS)
            return false; /* others have given up spinning already */
        if (i & 15)
            os_pause();
        else if (i > 32)
            os_yield();
    }
    return false;
}

/* Sleeps and tries until the lock is taken, time is up or a signal comes.  A thread that
 * was online (`th` not NULL) sleeps offline and comes back before it tries again: no lock
 * is held by somebody who waits for the world to go on. */
static LockResult
sleep_until_locked(Thread *th, ParkByte *state, int64_t deadline, bool interruptible)
{
    for (;;) {
        uint8_t s = load_relaxed(state);
        if ((s & HELD) == 0) {
            if (cas_acquire(state, &s, s | HELD)) /* pairs with the unlock [mutex.state] */
                return LOCK_TAKEN;
            continue;
        }
        if ((s & SLEEPERS) == 0 && !cas_relaxed(state, &s, s | SLEEPERS))
            continue;
        if (th)
            thread_detach(th);
        ParkResult r = park_wait(state, HELD | SLEEPERS, deadline, interruptible);
        if (th)
            thread_attach(th);
        if (r == PARK_TIMEOUT)
            return LOCK_TIMEOUT;
        if (r == PARK_INTERRUPTED)
            return LOCK_INTERRUPTED;
    }
}

void
byte_lock_slow(void *state_byte)
{
    ParkByte *state = state_byte;
    if (spin(state, 100))
        return;
    /* The holder has lost its processor. */
    OsThread *os = os_thread_self();
    store_relaxed(&os->waiting_on, (const void *)state);
    FutexWord nobody = {0};
    int64_t pause = FIRST_SLEEP;
    do {
        futex_wait(&nobody, 0, clock_monotonic_ns() + pause);
        pause = pause < LAST_SLEEP / 2 ? pause * 2 : LAST_SLEEP;
    } while (!spin(state, 1));
    store_relaxed(&os->waiting_on, NULL);
}

bool
mutex_try_lock(Mutex *m)
{
    uint8_t s = load_relaxed(&m->state);
    if ((s & HELD) == 0 && cas_acquire(&m->state, &s, s | HELD)) { /* [mutex.state] */
        lock_rank_taken(m, m->rank);
        return true;
    }
    return false;
}

LockResult
mutex_lock_timed(Thread *th, Mutex *m, int64_t timeout, bool interruptible)
{
    lock_rank_before(m, m->rank);
    LockResult result = LOCK_TAKEN;
    uint8_t free_state = 0;
    if (!cas_acquire(&m->state, &free_state, HELD) && /* [mutex.state] */
        !spin((ParkByte *)(void *)&m->state, timeout == 0 ? 1 : 50)) {
        if (timeout == 0)
            return LOCK_TIMEOUT;
        int64_t deadline = clock_deadline_ns(timeout);
        Thread *online = th != NULL && thread_is_attached(th) ? th : NULL;
        result = sleep_until_locked(online, (ParkByte *)(void *)&m->state, deadline,
                                    interruptible);
    }
    if (result == LOCK_TAKEN)
        lock_rank_taken(m, m->rank);
    return result;
}

void
mutex_lock(Thread *th, Mutex *m)
{
    (void)mutex_lock_timed(th, m, -1, false);
}

void
mutex_unlock(Mutex *m)
{
    lock_rank_released(m, m->rank);
    uint8_t held = HELD;
    /* release: pairs with mutex_lock() [mutex.state] */
    if (UNLIKELY(!__atomic_compare_exchange_n(&m->state.raw_, &held, 0, false, __ATOMIC_RELEASE,
                                              __ATOMIC_RELAXED))) {
        ASSERT(held & HELD);
        park_wake_one((ParkByte *)(void *)&m->state, SLEEPERS, 0);
    }
}

void
mutex_reset(Mutex *m)
{
    store_relaxed(&m->state, 0); /* relaxed: the only thread of the process */
}
