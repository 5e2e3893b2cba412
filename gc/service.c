/* service.c -- the thread that serves what nobody else does.
 *
 * A thread that retires something and then computes for ever without retiring more, or
 * blocks for an hour, leaves a batch behind.  One OS thread for the process, started when
 * it is first needed and asleep while nothing is queued, looks every 10 ms: it reminds
 * online threads of their queues, and serves batches that were handed over in an
 * interpreter where nobody is online, on a context of its own.  It runs no finalizers, which may
 * block: for those that wait for a second tick, or where nobody is online, it starts a thread (a
 * carrier) that ends when there are no more.
 *
 * `state` and the queues: who queues something sets a busy flag, then looks at `state`;
 * who goes to sleep sets `state`, then looks at the flags once more.
 *
 * Locks: service_lock is held while the thread works; interps_lock, inside it, while it
 * walks the list of interpreters.  Process-wide state: these, `state`.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "gc/gc_state.h"
#include "gc/pending.h"
#include "threads/futex.h"
#include "threads/interp.h"
#include "threads/lock_rank.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"

#define TICK (10 * NS_PER_MS)
#define CARRIERS_MAX 64 /* of an interpreter: finalizers that block */

enum { NOT_STARTED, ASLEEP, AWAKE };

static FutexWord state;
static Mutex service_lock = MUTEX_INIT(RANK_SERVICE);

/* Somebody of `interp` who is online, or NULL. */
static Thread *
online_thread(Interp *interp)
{
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next))
        if (load_relaxed(&t->state) == THREAD_ATTACHED)
            return t;
    return NULL;
}

/* WEFT_WARN_POLL=1 in a debug build: tell who keeps others waiting (rules B5). */
#if defined(WEFT_DEBUG)
static bool
warn_of_silence(void)
{
    static int known; /* 0 unknown, 1 no, 2 yes; the service thread's own */
    if (known == 0) {
        const char *s = getenv("WEFT_WARN_POLL");
        known = s && *s && *s != '0' ? 2 : 1;
    }
    return known == 2;
}
#else
#define warn_of_silence() false
#endif

/* Whether the finalizers that wait in `i` need a carrier. */
static bool
calls_wait(Interp *i, bool remind)
{
    GcState *gc = i->gc;
    bool online = false;
    for (Thread *t = load_acquire(&i->threads); t; t = load_relaxed(&t->next)) {
        if (load_relaxed(&t->state) != THREAD_ATTACHED || thread_holds_locks(t))
            continue;
        online = true;
        if (remind)
            safepoint_request(t, REQUEST_PENDING);
        break;
    }
    if (remind && gc->calls_ticks < UINT8_MAX)
        gc->calls_ticks++;
    return (!online || gc->calls_ticks > 1) && load_relaxed(&gc->carriers) < CARRIERS_MAX;
}

/* Reminds whoever has something queued; *orphaned is an interpreter with batches and
 * nobody online, *waiting one whose finalizers need a carrier.  Whether anything is queued at all. */
static bool
look_round(Interp **orphaned, Interp **waiting, bool remind)
{
    bool any = false;
    *orphaned = *waiting = NULL;
    mutex_lock(NULL, &interps_lock);
    for (Interp *i = interps_first; i; i = i->next) {
        uint32_t flags = load_seq_cst(&i->flags); /* [service.state] */
        if (load_relaxed(&i->gc->no_service) || (flags & INTERP_CLOSED))
            continue;
        if (flags & INTERP_HANDED) {
            any = true;
            Thread *t = online_thread(i);
            if (t == NULL)
                *orphaned = i;
            else if (remind)
                safepoint_request(t, REQUEST_PENDING);
        }
        if (flags & INTERP_CALLS) {
            any = true;
            if (calls_wait(i, remind))
                *waiting = i;
        } else {
            i->gc->calls_ticks = 0;
        }
        for (Thread *t = load_acquire(&i->threads); t; t = load_relaxed(&t->next)) {
            if (t->reclaim == NULL || load_seq_cst(&t->reclaim->busy) == BUSY_NO)
                continue; /* [service.state] */
            any = true;
            uint8_t yes = BUSY_YES;
            if (remind && warn_of_silence() && load_relaxed(&t->reclaim->busy) == BUSY_NUDGED &&
                (load_relaxed(&t->request) & REQUEST_PENDING) &&
                load_relaxed(&t->state) == THREAD_ATTACHED)
                fprintf(stderr, "weft: thread %u has not passed a safepoint for 10 ms\n",
                        (unsigned)t->id);
            if (remind && load_relaxed(&t->state) == THREAD_ATTACHED) {
                (void)cas_relaxed(&t->reclaim->busy, &yes, BUSY_NUDGED);
                safepoint_request(t, REQUEST_PENDING);
            }
        }
    }
    mutex_unlock(&interps_lock);
    return any;
}

/* Serves the batches of an interpreter; service_lock keeps it from ending. */
static void
serve_interp(Interp *interp)
{
    Thread *th = thread_acquire_outside(interp);
    if (th == NULL)
        return;
    th->is_daemon = 1;
    fetch_add_relaxed(&interp->thread_count, -1u); /* programs do not count this one */
    thread_attach(th);
    th->reclaim->service = th->reclaim->others = true; /* until the run ends: finalizers are handed over */
    reclaim_serve(th);
    fetch_add_relaxed(&interp->thread_count, 1);
    thread_release(th);
}

static void
carry(Thread *th, void *gc)
{
    pending_serve(th);
    fetch_add_relaxed(&((GcState *)gc)->carriers, -1u);
}

/* Starts a thread for the finalizers of an interpreter; service_lock keeps it from ending. */
static void
start_carrier(Interp *interp)
{
    Thread *th = thread_acquire_outside(interp);
    if (th == NULL)
        return;
    th->is_daemon = 1;
    fetch_add_relaxed(&interp->gc->carriers, 1);
    interp->gc->calls_ticks = 0;
    /* Without the evaluator's `start` hook a context cannot run Python code: then finalizers
     * wait for one of the interpreter's own threads. */
    if (thread_can_run_python(th) && thread_start(th, carry, interp->gc, 0))
        return;
    fetch_add_relaxed(&interp->gc->carriers, -1u);
    thread_release(th);
}

static void
service_main(void *unused)
{
    (void)unused;
    os_thread_set_name("weft-service");
    sigset_t all; /* signals are for threads that may have Python code to interrupt */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        struct timespec tick = clock_timespec(TICK);
        nanosleep(&tick, NULL);
        Interp *orphaned, *waiting;
        mutex_lock(NULL, &service_lock);
        bool any = look_round(&orphaned, &waiting, true);
        if (orphaned)
            serve_interp(orphaned);
        if (waiting)
            start_carrier(waiting);
        mutex_unlock(&service_lock);
        if (any)
            continue;
        exchange_seq_cst(&state, ASLEEP); /* [service.state] */
        mutex_lock(NULL, &service_lock);
        any = look_round(&orphaned, &waiting, false);
        mutex_unlock(&service_lock);
        uint32_t asleep = ASLEEP;
        if (any)
            (void)cas_seq_cst(&state, &asleep, AWAKE);
        else
            while (load_acquire(&state) == ASLEEP)
                futex_wait(&state, ASLEEP, INT64_MAX);
    }
}

void
service_wake(void)
{
    uint32_t s = load_seq_cst(&state); /* [service.state] */
    if (LIKELY(s == AWAKE))
        return;
    if (!cas_seq_cst(&state, &s, AWAKE))
        return; /* somebody else just did it, or it went to sleep and looks again */
    if (s == ASLEEP)
        futex_wake(&state, 1);
    else if (!os_thread_start(service_main, NULL, 0))
        store_seq_cst(&state, NOT_STARTED); /* the next one tries again */
}

void
service_leave(Interp *interp)
{
    Thread *th = thread_current;
    mutex_lock(th && thread_is_attached(th) ? th : NULL, &service_lock);
    store_relaxed(&interp->gc->no_service, 1);
    mutex_unlock(&service_lock);
}

void
service_lock_for_fork(Thread *th)
{
    mutex_lock(th, &service_lock);
}

void
service_unlock_after_fork(void)
{
    mutex_unlock(&service_lock);
}

void
service_reset_in_child(void)
{
    mutex_reset(&service_lock);
    store_relaxed(&state, NOT_STARTED); /* the only thread of the process */
    for (Interp *i = interps_first; i; i = i->next)
        store_relaxed(&i->gc->carriers, 0);
}
