/* interp.c -- interpreters: made, listed, closed, freed.
 *
 * Process-wide state: the list of interpreters (interps_lock), interp_main, the
 * registered hooks.  An interpreter's number is not given out twice.
 */
#include "threads/interp.h"

#include "base/assert.h"
#include "base/mem.h"
#include "threads/lock_rank.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"
#include "threads/stop_state.h"
#include "threads/stop_world.h"

Mutex interps_lock = MUTEX_INIT(RANK_INTERPS);
Interp *interps_first;
Interp *interp_main;

static Interp *interps_last; /* [lock] interps_lock */
static uint32_t next_id;     /* [lock] interps_lock */

#define HOOKS_MAX 8
static const InterpHooks *hooks[HOOKS_MAX]; /* [const] once the process has started */
static int hook_count;

#define RECURSION_LIMIT 1000

void
interp_register_hooks(const InterpHooks *h)
{
    CHECK(hook_count < HOOKS_MAX);
    hooks[hook_count++] = h;
}

static void
run_destroy(Interp *interp, int created)
{
    while (created-- > 0)
        if (hooks[created]->destroy)
            hooks[created]->destroy(interp);
}

static void
run_closing(Interp *interp)
{
    for (int i = hook_count; i-- > 0;)
        if (hooks[i]->closing)
            hooks[i]->closing(interp);
}

Interp *
interp_create(void)
{
    Interp *interp = mem_alloc_zeroed(sizeof(*interp));
    if (interp == NULL)
        return NULL;
    interp->threads_lock.rank = RANK_THREADS;
    store_relaxed(&interp->recursion_limit, RECURSION_LIMIT);
    interp->stop = stop_state_create();
    if (interp->stop == NULL) {
        mem_free(interp);
        return NULL;
    }
    for (int i = 0; i < hook_count; i++)
        if (hooks[i]->create && !hooks[i]->create(interp)) {
            run_destroy(interp, i);
            mem_free(interp->stop);
            mem_free(interp);
            return NULL;
        }
    mutex_lock(thread_current, &interps_lock);
    interp->id = next_id++;
    if (interps_last)
        interps_last->next = interp;
    else
        interps_first = interp;
    interps_last = interp;
    if (interp_main == NULL)
        interp_main = interp;
    mutex_unlock(&interps_lock);
    return interp;
}

void
interp_close(Thread *th)
{
    Interp *interp = th->interp;
    run_closing(interp);
    store_relaxed(&interp->finalizer, th);
    world_stop(th);
    fetch_or_seq_cst(&interp->flags, INTERP_CLOSED); /* [stop.flags] */
    world_start(th);
}

void
interp_free(Interp *interp)
{
    run_closing(interp);
    mutex_lock(thread_current, &interps_lock);
    Interp *before = NULL;
    for (Interp *at = interps_first; at && at != interp; at = at->next)
        before = at;
    if (before)
        before->next = interp->next;
    else
        interps_first = interp->next;
    if (interps_last == interp)
        interps_last = before;
    if (interp_main == interp)
        interp_main = NULL;
    mutex_unlock(&interps_lock);

    /* Threads that sleep for ever in world_wait() still have their contexts and look at the
     * interpreter: then it stays, closed and empty-handed.
     * acquire: pairs with the last step of put_in_pool() [interp.count] */
    if (load_acquire(&interp->thread_count) != 0)
        return;
    thread_free_all(interp);
    run_destroy(interp, hook_count);
    mem_free(interp->stop);
    mem_free(interp);
}
