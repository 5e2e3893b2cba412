/* pending.c -- what must run as Python code, but not here.
 *
 * A list of calls in the order they were queued.  A finalizer runs Python code whose
 * instructions end with a look at the list, too: that look makes the calls that were queued
 * since the finalizer began (it dropped something), and leaves those that were there before
 * to whoever began it.  So the finalizers of objects that die together run one after the
 * other, as CPython runs them, and may take a lock that is none of RLock.  For the same
 * reason what a grace period or another thread made due during a finalizer waits in `late`
 * until the outermost one is done.  Very deep nesting leaves the rest to the outer ones.
 */
#include "gc/pending.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "gc/reclaim_priv.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

#define NESTED_MAX 50

static bool
grow(PendingList *list)
{
    uint32_t grown = list->capacity ? list->capacity * 2 : 16;
    PendingCall *calls = mem_resize(list->calls, grown * sizeof(*calls));
    if (calls == NULL)
        return false;
    list->calls = calls;
    list->capacity = grown;
    return true;
}

void
pending_add(Thread *th, void (*fn)(Thread *th, Value a, Value b), Value STEALS a, Value STEALS b)
{
    Reclaim *r = th->reclaim;
    PendingList *list = r->others && r->pending_depth ? &r->late : &r->pending;
    if (UNLIKELY(list->count == list->capacity) && !grow(list)) {
        /* The call never comes, and what it would have been called with stays alive. */
        fetch_add_relaxed(&refcount_leaked, 1);
        return;
    }
    list->calls[list->count++] = (PendingCall){fn, a, b};
    th->pending_count++;
    if (UNLIKELY(th->releasing))
        th->offline_work = 1; /* its run is over: somebody else makes the call */
    if (!(load_relaxed(&th->request) & REQUEST_PENDING))
        safepoint_request(th, REQUEST_PENDING);
}

/* The entries before `next`, from `floor` on, have been made: drops them when that moves few others. */
static uint32_t
compact(PendingList *list, uint32_t floor, uint32_t next)
{
    uint32_t rest = list->count - next;
    if (next - floor < rest || next == floor)
        return next;
    memmove(list->calls + floor, list->calls + next, rest * sizeof(list->calls[0]));
    list->count = floor + rest;
    return floor;
}

void
pending_serve(Thread *th)
{
    Reclaim *r = th->reclaim;
    ASSERT(th->no_safepoint == 0);
    if (r->pending_depth >= NESTED_MAX)
        return;
    Value error = th->error;
    th->error = NULL;
    uint32_t floor = r->pending_floor, next = floor;
    for (;;) {
        reclaim_serve(th);
        next = compact(&r->pending, floor, next);
        if (next == r->pending.count) {
            if (r->pending_depth || r->late.count == 0)
                break;
            PendingList all = r->pending; /* empty */
            r->pending = r->late;
            r->late = all;
        }
        PendingCall call = r->pending.calls[next++];
        th->pending_count--;
        r->pending_floor = r->pending.count;
        r->pending_depth++;
        call.fn(th, call.a, call.b);
        r->pending_depth--;
        r->pending_floor = floor;
        ASSERT(th->error == NULL); /* fn reports and clears its own */
    }
    th->error = error;
}
