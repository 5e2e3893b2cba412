/* gc_init.c -- bringing the memory manager up: everything that gc/ hooks into threads/. */
#include "gc/gc_init.h"

#include "base/assert.h"
#include "base/mem.h"
#include "gc/credit.h"
#include "gc/gc_state.h"
#include "gc/pacer.h"
#include "gc/pending.h"
#include "gc/reclaim_priv.h"
#include "gc/weakref_priv.h"
#include "threads/at_fork.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

static void
context_destroy(Thread *th)
{
    if (th->merge)
        merge_queue_destroy(th->merge);
    if (th->credits)
        credit_table_destroy(th->credits);
    if (th->reclaim)
        reclaim_destroy(th->reclaim);
    if (th->heap)
        heap_destroy(th->heap);
    th->merge = NULL;
    th->credits = NULL;
    th->reclaim = NULL;
    th->heap = NULL;
    store_relaxed(&th->merge_count, 0);
}

static bool
context_create(Thread *th)
{
    th->merge = merge_queue_create();
    th->credits = credit_table_create();
    th->reclaim = reclaim_create();
    th->heap = heap_create(th);
    if (th->merge && th->credits && th->reclaim && th->heap)
        return true;
    context_destroy(th);
    return false;
}

/* The run ends: nothing that it queued may wait for the next run. */
static void
context_finish(Thread *th)
{
    merge_serve(th);
    th->reclaim->others = th->reclaim->service = false;
    if (th->pending_count)
        th->offline_work = 1; /* handed over as it detaches */
    heap_trim(th->heap);
}

static const ThreadHooks thread_hooks = {
    .create = context_create,
    .finish = context_finish,
    .destroy = context_destroy,
};

static void
interp_destroyed(Interp *interp)
{
    GcState *gc = interp->gc;
    if (gc == NULL)
        return;
    reclaim_shared_destroy(&gc->handed);
    if (gc->weak)
        weak_table_destroy(gc->weak);
    mem_free(gc);
    interp->gc = NULL;
}

static bool
interp_created(Interp *interp)
{
    GcState *gc = mem_alloc_zeroed(sizeof(*gc));
    interp->gc = gc;
    if (gc == NULL)
        return false;
    gc_pace_init(gc);
    reclaim_shared_init(&gc->handed);
    gc->weak = weak_table_create();
    if (gc->weak == NULL) {
        interp_destroyed(interp);
        return false;
    }
    return true;
}

static const InterpHooks interp_hooks = {
    .create = interp_created,
    .closing = service_leave,
    .destroy = interp_destroyed,
};

/* What other threads had queued is carried out by the only thread that is left. */
static void
child_adopts(Thread *th, Thread *gone)
{
    reclaim_adopt(th, gone);
    credit_return_of(th, gone);
    merge_help(th, gone);
}

static void
parent_goes_on(void)
{
    chunk_unlock_after_fork();
    service_unlock_after_fork();
}

static void
child_goes_on(void)
{
    chunk_reset_in_child();
    service_reset_in_child();
}

static const ForkHooks fork_hooks = {
    .prepare = service_lock_for_fork,
    .stopped = chunk_lock_for_fork,
    .parent = parent_goes_on,
    .child = child_goes_on,
    .adopt = child_adopts,
};

void
gc_init(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    thread_register_hooks(&thread_hooks);
    interp_register_hooks(&interp_hooks);
    fork_register_hooks(&fork_hooks);
    safepoint_handlers.merge = merge_serve;
    safepoint_handlers.announce = reclaim_announce;
    safepoint_handlers.serve_pending = pending_serve;
    safepoint_handlers.offline = reclaim_hand_over;
    safepoint_handlers.collect = gc_collect_due;
}
