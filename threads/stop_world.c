/* stop_world.c -- every other thread of an interpreter at a safepoint or detached.
 *
 * A stopped thread is simply detached and waits to attach again.  The stopper holds the
 * interpreter's stop lock, sets INTERP_STOPPING, asks all online threads, and sleeps
 * until each has gone offline:
 *
 *     stopper                              another thread
 *     flags |= STOPPING                    state = ATTACHED or DETACHED
 *     loads its state: ATTACHED?           loads flags: STOPPING?
 *       ask, sleep                           go offline / wake the stopper, wait
 *
 * All four are sequentially consistent, so either the stopper sees that the thread is
 * online, or the thread sees the stop.
 *
 * Locks: StopState.lock is held from world_stop() to world_start(); interps_lock as well
 * in world_stop_all().  thread_acquire_outside() holds it for a moment, too: the stopper visits all contexts.
 */
#include "threads/stop_world.h"

#include "base/assert.h"
#include "base/mem.h"
#include "threads/bias.h"
#include "threads/interp.h"
#include "threads/lock_rank.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"
#include "threads/stop_state.h"

StopState *
stop_state_create(void)
{
    StopState *s = mem_alloc_zeroed(sizeof(*s));
    if (s)
        s->lock.rank = RANK_STOP;
    return s;
}

bool
world_is_stopped_by(Thread *th)
{
    return load_relaxed(&th->interp->stop->stopper) == th;
}

void
world_wake_stopper(Interp *interp)
{
    StopState *s = interp->stop;
    fetch_add_seq_cst(&s->changes, 1); /* pairs with stop_interp() [stop.changes] */
    if (load_seq_cst(&s->sleeping))
        futex_wake(&s->changes, 1);
}

void
world_wait(Thread *th)
{
    Interp *interp = th->interp;
    StopState *s = interp->stop;
    for (;;) {
        uint32_t flags = load_seq_cst(&interp->flags); /* pairs with start_interp() [stop.flags] */
        bool closed = (flags & INTERP_CLOSED) && load_relaxed(&interp->finalizer) != th;
        if (!(flags & INTERP_STOPPING) && !closed)
            return;
        if ((flags & INTERP_STOPPING) && load_relaxed(&s->stopper) == th)
            return;
        fetch_add_seq_cst(&s->waiting, 1);
        futex_wait(&interp->flags, flags, INT64_MAX);
        fetch_add_seq_cst(&s->waiting, -1u);
    }
}

/* Somebody who still has to stop, or NULL.  Asks all that do. */
static Thread *
still_running(Interp *interp, Thread *self, bool ask)
{
    Thread *running = NULL;
    /* acquire: pairs with create() of thread.c [interp.threads] */
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next))
        if (t != self && load_seq_cst(&t->state) == THREAD_ATTACHED) { /* [thread.state] */
            running = t;
            if (!ask)
                break;
            safepoint_request(t, REQUEST_STOP);
        }
    return running;
}

/* Stops `interp`; `self` (NULL: nobody) is the one thread that goes on. */
static void
stop_interp(Interp *interp, Thread *self, Thread *waiter)
{
    StopState *s = interp->stop;
    mutex_lock(waiter, &s->lock);
    store_relaxed(&s->stopper, self);
    fetch_or_seq_cst(&interp->flags, INTERP_STOPPING); /* [stop.flags] */
    bool ask = true;
    for (int turn = 0; still_running(interp, self, ask); turn++) {
        ask = turn % 64 == 63; /* a thread may have answered an older stop */
        if (turn < 50) {
            os_pause();
            continue;
        }
        uint32_t seen = load_seq_cst(&s->changes); /* [stop.changes] */
        store_seq_cst(&s->sleeping, 1);
        if (still_running(interp, self, true))
            futex_wait(&s->changes, seen, INT64_MAX);
        store_seq_cst(&s->sleeping, 0);
    }
}

static void
start_interp(Interp *interp)
{
    StopState *s = interp->stop;
    store_relaxed(&s->stopper, NULL);
    /* release: what the stopper did; pairs with world_wait() and thread_online()
     * [stop.flags] */
    fetch_and_seq_cst(&interp->flags, ~INTERP_STOPPING);
    if (load_seq_cst(&s->waiting))
        futex_wake(&interp->flags, FUTEX_ALL);
    mutex_unlock(&s->lock);
}

Thread *
thread_acquire_outside(Interp *interp)
{
    StopState *s = interp->stop;
    mutex_lock(NULL, &s->lock);
    Thread *th = thread_acquire(interp);
    mutex_unlock(&s->lock);
    return th;
}

void
world_stop(Thread *th)
{
    ASSERT(th->no_safepoint == 0);
    ASSERT(!world_is_stopped_by(th));
    safepoint_upgrade(th);
    stop_interp(th->interp, th, th);
}

void
world_start(Thread *th)
{
    ASSERT(world_is_stopped_by(th));
    start_interp(th->interp);
}

void
world_stop_all(Thread *th)
{
    ASSERT(th->no_safepoint == 0);
    safepoint_upgrade(th);
    mutex_lock(th, &interps_lock);
    for (Interp *i = interps_first; i; i = i->next)
        stop_interp(i, i == th->interp ? th : NULL, th);
}

void
world_start_all(Thread *th)
{
    (void)th;
    for (Interp *i = interps_first; i; i = i->next)
        start_interp(i);
    mutex_unlock(&interps_lock);
}

void
world_start_threads(Thread *th)
{
    ASSERT(load_relaxed(&th->state) != THREAD_ATTACHED);
    (void)th;
    mutex_lock(NULL, &interps_lock);
    for (Interp *i = interps_first; i; i = i->next)
        stop_interp(i, NULL, NULL);
    /* Everybody is between two instructions: no section that skipped its lock is open
     * (rules D1).  Who goes on sees it by start_interp() [stop.flags]. */
    bias_before_threads();
    store_relaxed(&threads_started, 1);
    for (Interp *i = interps_first; i; i = i->next)
        start_interp(i);
    mutex_unlock(&interps_lock);
}
