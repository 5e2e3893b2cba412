/* pending.c -- what must run as Python code, but not here.
 *
 * A ring of calls in the order they were queued.  Serving may nest: a finalizer runs
 * Python code whose instructions end with a look at the list, too; the inner one then
 * goes on where the outer one was.  Very deep nesting leaves the rest to the outer ones.
 */
#include "gc/pending.h"

#include "base/assert.h"
#include "base/mem.h"
#include "gc/reclaim_priv.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

#define NESTED_MAX 50

static bool
grow(Thread *th, Reclaim *r)
{
    uint32_t grown = r->pending_capacity ? r->pending_capacity * 2 : 16;
    PendingCall *ring = mem_alloc(grown * sizeof(*ring));
    if (ring == NULL)
        return false;
    for (uint32_t i = 0; i < th->pending_count; i++)
        ring[i] = r->pending[(r->pending_first + i) % r->pending_capacity];
    mem_free(r->pending);
    r->pending = ring;
    r->pending_first = 0;
    r->pending_capacity = grown;
    return true;
}

void
pending_add(Thread *th, void (*fn)(Thread *th, Value a, Value b), Value STEALS a, Value STEALS b)
{
    Reclaim *r = th->reclaim;
    if (UNLIKELY(th->pending_count == r->pending_capacity) && !grow(th, r)) {
        /* The call never comes, and what it would have been called with stays alive. */
        fetch_add_relaxed(&refcount_leaked, 1);
        return;
    }
    r->pending[(r->pending_first + th->pending_count++) % r->pending_capacity] =
        (PendingCall){fn, a, b};
    if (UNLIKELY(th->releasing))
        th->offline_work = 1; /* its run is over: somebody else makes the call */
    if (!(load_relaxed(&th->request) & REQUEST_PENDING))
        safepoint_request(th, REQUEST_PENDING);
}

void
pending_serve(Thread *th)
{
    Reclaim *r = th->reclaim;
    ASSERT(th->no_safepoint == 0);
    if (r->pending_depth >= NESTED_MAX)
        return;
    r->pending_depth++;
    Value error = th->error;
    th->error = NULL;
    for (;;) {
        reclaim_serve(th);
        if (th->pending_count == 0)
            break;
        PendingCall call = r->pending[r->pending_first];
        r->pending_first = (r->pending_first + 1) % r->pending_capacity;
        th->pending_count--;
        call.fn(th, call.a, call.b);
        ASSERT(th->error == NULL); /* fn reports and clears its own */
    }
    th->error = error;
    r->pending_depth--;
}
