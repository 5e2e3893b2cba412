/* safepoint.c -- where a thread answers requests.
 *
 * Each answer first clears its bit, then looks at what was asked: a request that comes
 * in between sets the bit again and is answered next time, none is lost.  For an epoch
 * this is rule B1: the epoch is opened before the bit is set, so who clears the bit and
 * then reads the epoch announces that one or a later one.
 *
 * Process-wide state: the handlers, filled in at process start.
 */
#include "threads/safepoint.h"

#include <stdlib.h>

#include "base/assert.h"
#include "threads/interp.h"
#include "threads/lock_rank.h"
#include "threads/stop_world.h"

SafepointHandlers safepoint_handlers;


void
safepoint_upgrade(Thread *th)
{
    if (safepoint_handlers.upgrade_registers && th->frame) {
        safepoint_handlers.upgrade_registers(th);
        ASSERT(safepoint_handlers.count_borrowed == NULL ||
               safepoint_handlers.count_borrowed(th) == 0);
    }
}

/* Clears `bit` of the request word; whether it was set. */
static bool
take(Thread *th, uint32_t bit)
{
    /* seq_cst: what was asked for is read after this, and was written before the bit was
     * set [safepoint.request] */
    return (load_relaxed(&th->request) & bit) &&
           (fetch_and_seq_cst(&th->request, ~bit) & bit);
}

#if defined(WEFT_DEBUG) && WEFT_DEBUG >= 1
/* WEFT_STRESS_EPOCH=1: every poll opens an epoch and announces it, so that a borrowed
 * word which outlives its section is found at once. */
bool
safepoint_stressed(void)
{
    static ATOMIC(uint8_t) known; /* [atomic] 0 unknown, 1 no, 2 yes */
    uint8_t k = load_relaxed(&known);
    if (k == 0) {
        const char *s = getenv("WEFT_STRESS_EPOCH");
        k = s && *s && *s != '0' ? 2 : 1;
        store_relaxed(&known, k);
    }
    return k == 2;
}
#endif

void
safepoint_quiet(Thread *th)
{
    ASSERT(th->no_safepoint == 0);
    ASSERT(load_relaxed(&th->state) == THREAD_ATTACHED);
    if (take(th, REQUEST_MERGE) && safepoint_handlers.merge)
        safepoint_handlers.merge(th);
    if (take(th, REQUEST_STOP)) {
        safepoint_upgrade(th);
        thread_offline(th);
        world_wait(th);
        thread_online(th);
    }
    bool stress = safepoint_stressed();
    if (take(th, REQUEST_EPOCH) || stress) {
        if (stress)
            fetch_add_seq_cst(&thread_epoch, 1);
        safepoint_upgrade(th);
        if (safepoint_handlers.announce)
            safepoint_handlers.announce(th);
        else
            thread_announce(th);
        if (stress)
            safepoint_request(th, REQUEST_EPOCH);
    }
}

bool
safepoint_slow(Thread *th)
{
    lock_rank_check_python();
    safepoint_quiet(th);
    if (take(th, REQUEST_GC) && safepoint_handlers.collect)
        safepoint_handlers.collect(th);
    if (take(th, REQUEST_PENDING) && safepoint_handlers.serve_pending)
        safepoint_handlers.serve_pending(th);
    if (take(th, REQUEST_CALLS) && safepoint_handlers.run_calls &&
        !safepoint_handlers.run_calls(th))
        return false;
    if (take(th, REQUEST_SIGNAL) && safepoint_handlers.run_signals &&
        !safepoint_handlers.run_signals(th))
        return false;
    if (take(th, REQUEST_ASYNC) && safepoint_handlers.raise_async &&
        !safepoint_handlers.raise_async(th))
        return false;
    return true;
}
