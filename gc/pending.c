/* pending.c -- what must run as Python code, but not here.
 *
 * Calls in the order they were queued, in two lists.
 *
 * `pending`: what th's own instruction made due.  A finalizer runs Python code whose instructions end
 * with a look at the list, too: that look makes the calls that were queued since the finalizer began
 * (it dropped something), and leaves those that were there before to whoever began it.  So the
 * finalizers of objects that die together run one after the other, as CPython runs them, and may take
 * a lock that is none of RLock.  Very deep nesting leaves the rest to the outer ones.
 *
 * `late`: what another thread's drop made due, or an earlier one of th's own that had to wait for a
 * grace period.  CPython would have run it at the drop; here it must not run inside a `with lock:` of
 * th, nor inside another finalizer.  So th makes these calls only while it holds no lock that a
 * program made and makes no other call; otherwise, and when it goes offline, they are given to the
 * interpreter: the next thread at a safepoint that may takes them, or a thread that the service thread
 * starts (decisions/0007).
 */
#include "gc/pending.h"

#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/mem.h"
#include "gc/gc_state.h"
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
    PendingList *list = r->others ? &r->late : &r->pending;
    if (UNLIKELY(list->count == list->capacity) && !grow(list)) {
        /* The call never comes, and what it would have been called with stays alive. */
        fetch_add_relaxed(&refcount_leaked, 1);
        return;
    }
    list->calls[list->count++] = (PendingCall){fn, a, b};
    th->pending_count++;
    if (UNLIKELY(th->releasing) || r->others)
        th->offline_work = 1; /* somebody else makes the call */
    if (!(load_relaxed(&th->request) & REQUEST_PENDING))
        safepoint_request(th, REQUEST_PENDING);
}

bool
pending_may_serve(Thread *th)
{
    Reclaim *r = th->reclaim;
    return r->pending_depth == 0 && !r->service &&
           (!thread_holds_locks(th) || r->settling ||
            (load_relaxed(&th->interp->flags) & INTERP_CLOSED));
}

/* The calls of `list` from `first` on go to the interpreter. */
static void
hand_over(Thread *th, PendingList *list, uint32_t first)
{
    uint32_t n = list->count - first;
    list->count = first;
    if (n == 0)
        return;
    th->pending_count -= n;
    HandedCalls *h = mem_alloc(sizeof(*h) + n * sizeof(h->calls[0]));
    if (h == NULL) {
        fetch_add_relaxed(&refcount_leaked, n);
        return;
    }
    h->count = n;
    memcpy(h->calls, list->calls + first, n * sizeof(h->calls[0]));
    cross_queue_put(&th->interp->gc->handed.calls, &h->handed);
    fetch_or_seq_cst(&th->interp->flags, INTERP_CALLS);
    for (Thread *t = load_acquire(&th->interp->threads); t; t = load_relaxed(&t->next))
        if (t != th && load_relaxed(&t->state) == THREAD_ATTACHED && !thread_holds_locks(t)) {
            safepoint_request(t, REQUEST_PENDING);
            break;
        }
    service_wake(); /* should that one go offline, or not be able to */
}

void
pending_hand_over(Thread *th)
{
    Reclaim *r = th->reclaim;
    hand_over(th, &r->late, r->late_next);
    r->late.count = r->late_next = 0;
}

void
pending_hand_over_all(Thread *th)
{
    pending_hand_over(th);
    hand_over(th, &th->reclaim->pending, 0); /* no call is being made */
}

void
pending_take(Thread *th)
{
    fetch_and_seq_cst(&th->interp->flags, ~INTERP_CALLS); /* before looking */
    bool before = th->reclaim->others;
    th->reclaim->others = true;
    for (CrossNode *node = cross_queue_take(&th->interp->gc->handed.calls), *next; node; node = next) {
        next = cross_next(node);
        HandedCalls *h = CONTAINER_OF(node, HandedCalls, handed);
        for (uint32_t i = 0; i < h->count; i++)
            pending_add(th, h->calls[i].fn, h->calls[i].a, h->calls[i].b);
        mem_free(h);
    }
    th->reclaim->others = before;
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

/* Takes the next call that th may make now out of its list. */
static bool
next_call(Thread *th, uint32_t *next, PendingCall *call)
{
    Reclaim *r = th->reclaim;
    *next = compact(&r->pending, r->pending_floor, *next);
    if (*next != r->pending.count) {
        PendingCall *c = &r->pending.calls[(*next)++];
        *call = *c;
        c->fn = NULL; /* made: see pending_adopt() */
        return true;
    }
    if (r->pending_depth || r->late_next == r->late.count)
        return false;
    if (!pending_may_serve(th)) {
        pending_hand_over(th);
        return false;
    }
    *call = r->late.calls[r->late_next++];
    if (r->late_next == r->late.count)
        r->late_next = r->late.count = 0;
    return true;
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
        PendingCall call;
        if (!next_call(th, &next, &call))
            break;
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

void
pending_adopt(Thread *th, Thread *gone)
{
    Reclaim *r = th->reclaim, *from = gone->reclaim;
    bool before = r->others;
    r->others = true;
    for (uint32_t i = 0; i < from->pending.count; i++)
        if (from->pending.calls[i].fn != NULL)
            pending_add(th, from->pending.calls[i].fn, from->pending.calls[i].a, from->pending.calls[i].b);
    for (uint32_t i = from->late_next; i < from->late.count; i++)
        pending_add(th, from->late.calls[i].fn, from->late.calls[i].a, from->late.calls[i].b);
    r->others = before;
    from->pending.count = from->late.count = from->late_next = 0;
    from->pending_floor = from->pending_depth = 0;
    from->settling = false;
    gone->pending_count = 0;
}

bool
pending_waits(Thread *th)
{
    return (load_relaxed(&th->interp->flags) & INTERP_CALLS) && pending_may_serve(th);
}

void
pending_settle(Thread *th)
{
    GcState *gc = gc_state(th);
    struct timespec tick = clock_timespec(NS_PER_MS);
    for (int ms = 0;; ms++) {
        reclaim_flush(th);
        pending_take(th);
        th->reclaim->settling = true;
        pending_serve(th);
        th->reclaim->settling = false;
        if (load_relaxed(&gc->carriers) == 0 || ms == 100)
            return;
        blocking_begin(th);
        nanosleep(&tick, NULL);
        blocking_end(th);
    }
}
