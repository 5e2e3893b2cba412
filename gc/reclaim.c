/* reclaim.c -- giving things up one grace period later.
 *
 * A thread collects what it retires in open batches.  To close a batch it takes its goal
 * from its own step of the process's epoch, after everything in the batch was unlinked;
 * when each other thread that is online has announced the goal or a later epoch (or was
 * seen offline since), nobody can hold a borrowed word that leads into the batch, and it
 * is carried out.
 *
 *     retiring thread                     reading thread
 *     unlink                              read (borrow) ... upgrade
 *     goal = ++epoch                      e = epoch
 *     ask whoever is online               announce e          (e >= goal)
 *     all announced?                      read again: sees the unlinking
 *     carry out
 *
 * Which of the ways is taken:
 *     only one context so far      upgrade, carry out everything at once
 *     alone online                 the protocol, to its end, as the instruction ends
 *     others online                a batch is closed when it is large, or old; carried
 *                                  out at a later safepoint of this thread
 *     going offline                batches go to the interpreter: the next of its threads
 *                                  at a safepoint, or the service thread, serves them
 *     depth 8 (rules B3)           with the interpreter stopped, to the end of the chain
 *
 * What is dropped while a batch of depth d is carried out, and has to be retired again, is
 * of depth d + 1.
 *
 * Locks: none.
 */
#include "gc/reclaim.h"

#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/clock.h"
#include "gc/credit.h"
#include "gc/gc_state.h"
#include "gc/pending.h"
#include "threads/interp.h"
#include "threads/safepoint.h"
#include "threads/stop_world.h"

/* What a retired reference may keep alive, as a guess. */
#define REFERENCE_BYTES 64

/* ---------------------------------------------------------------- filling */

static RetireBlock *
block_take(Reclaim *r)
{
    RetireBlock *b = r->spare;
    if (b)
        r->spare = NULL;
    else if ((b = mem_alloc(sizeof(*b))) == NULL)
        return NULL;
    b->next = b->next_batch = NULL;
    b->count = 0;
    b->cursor = 1;
    b->goal = 0;
    b->bytes = 0;
    b->last = b;
    return b;
}

static void
block_free(Reclaim *r, RetireBlock *b)
{
    if (r->spare == NULL)
        r->spare = b;
    else
        mem_free(b);
}

/* A block with room for two words in the open batch of the present depth. */
static RetireBlock *
room_slow(Reclaim *r)
{
    RetireBlock *b = block_take(r);
    if (b == NULL)
        return NULL;
    RetireBlock *batch = r->open[r->depth];
    if (batch) {
        batch->last->next = b;
        batch->last = b;
    } else {
        b->depth = r->depth;
        r->open[r->depth] = b;
    }
    return b;
}

static inline RetireBlock *
room(Reclaim *r)
{
    RetireBlock *batch = r->open[r->depth];
    if (LIKELY(batch != NULL && batch->last->count + 2 <= BLOCK_WORDS))
        return batch->last;
    return room_slow(r);
}

/* Whether the thread that was online when last looked at still is. */
static inline bool
blocker_online(Reclaim *r)
{
    return r->blocker && load_relaxed(&r->blocker->state) == THREAD_ATTACHED;
}

/* Makes sure that the service thread looks here from time to time. */
static void
set_busy(Reclaim *r)
{
    if (load_relaxed(&r->busy) != BUSY_YES)
        exchange_seq_cst(&r->busy, BUSY_YES); /* pairs with service.c's sleep [service.state] */
    service_wake();
}

void
reclaim_watch(Thread *th)
{
    th->offline_work = 1;
    if (load_relaxed(&th->reclaim->busy) == BUSY_NO && load_relaxed(&threads_started) != 0)
        set_busy(th->reclaim);
}

/* th has nothing queued any more, except calls. */
static void
set_idle(Thread *th)
{
    Reclaim *r = th->reclaim;
    store_relaxed(&r->busy, BUSY_NO);
    th->offline_work = r->late_next != r->late.count;
    if (th->credits->filled)
        reclaim_watch(th);
}

/* Puts one thing into the queue.  `hurry`: somebody may notice when it goes. */
static void
push(Thread *th, uintptr_t word, uintptr_t second, size_t bytes, bool hurry)
{
    Reclaim *r = th->reclaim;
    RetireBlock *b = room(r);
    if (UNLIKELY(b == NULL)) {
        /* It is never given up: a leak is the only safe answer here. */
        fetch_add_relaxed(&refcount_leaked, 1);
        return;
    }
    b->words[b->count++] = word;
    if ((word & RETIRED_TAG) == RETIRED_MEMORY)
        b->words[b->count++] = second;
    r->open[r->depth]->bytes += bytes;
    r->open_bytes += bytes;
    th->offline_work = 1;
    if (r->serving)
        return; /* whoever serves goes on until all is done */
    bool single = load_relaxed(&threads_started) == 0;
    bool look = single || (hurry && !blocker_online(r)) || r->open_bytes >= RETIRE_SOFT ||
                r->open_bytes + r->waiting_bytes >= RETIRE_HARD ||
                (++r->pushed & 63) == 0;
    /* What is not looked at now dies in the middle of something else. */
    if (!look && (hurry || (word & RETIRED_TAG) == RETIRED_MEMORY))
        r->stale = true;
    if (look && !(load_relaxed(&th->request) & REQUEST_PENDING))
        safepoint_request(th, REQUEST_PENDING);
    else if (UNLIKELY(load_relaxed(&r->busy) == BUSY_NO) && !single)
        set_busy(r); /* should this thread retire nothing more */
}

void
retire(Thread *th, Value STEALS v)
{
    if (v == NULL || !value_is_object(v))
        return;
    Object *o = value_object(v);
    if (load_relaxed(&o->owner) == OWNER_IMMORTAL)
        return;
    if (th->reclaim->immediate) {
        object_drop(th, o);
        return;
    }
    bool hurry = (object_bits(o) & (BIT_TRACKED | BIT_WEAKREFS)) ||
                 (ops_flags_of(object_ops(o)) & OPS_FINALIZER);
    push(th, (uintptr_t)o | RETIRED_REFERENCE, 0, REFERENCE_BYTES, hurry);
}

void
retire_memory(Thread *th, void *p, size_t bytes, void (*free_fn)(Thread *th, void *p))
{
    if (p == NULL)
        return;
    if (th->reclaim->immediate == IMMEDIATE_ALL) {
        free_fn(th, p);
        return;
    }
    ASSERT(((uintptr_t)p & RETIRED_TAG) == 0);
    push(th, (uintptr_t)p | RETIRED_MEMORY, (uintptr_t)free_fn, bytes + sizeof(uintptr_t) * 2,
         false);
}

static void
free_buffer(Thread *th, void *p)
{
    (void)th;
    buffer_free(p);
}

void
retire_buffer(Thread *th, void *p, size_t bytes)
{
    retire_memory(th, p, bytes, free_buffer);
}

void
retire_dead(Thread *th, Object *o)
{
    push(th, (uintptr_t)o | RETIRED_DEAD, 0, object_cell_size(o), true);
}

void
retire_cell(Thread *th, Object *o)
{
    push(th, (uintptr_t)o | RETIRED_CELL, 0, object_cell_size(o), false);
}

void
reclaim_throttle(Thread *th)
{
    if (th->reclaim->throttled)
        return;
    th->reclaim->throttled = 1;
    safepoint_request(th, REQUEST_PENDING);
}

/* ---------------------------------------------------------------- carrying out */

/* Does everything in `batch` and frees its blocks.  What it retires again is deeper. */
static void
carry_out(Thread *th, RetireBlock *batch)
{
    Reclaim *r = th->reclaim;
    uint32_t depth_before = r->depth;
    if (batch->depth < DEPTH_MAX)
        r->depth = batch->depth + 1;
    else
        r->depth = DEPTH_MAX;
    for (RetireBlock *b = batch, *next; b; b = next) {
        for (uint32_t i = 0; i < b->count; i++) {
            uintptr_t w = b->words[i];
            void *p = (void *)(w & ~RETIRED_TAG);
            switch (w & RETIRED_TAG) {
            case RETIRED_REFERENCE:
                object_drop(th, p);
                break;
            case RETIRED_DEAD:
                object_dealloc(th, p);
                break;
            case RETIRED_CELL:
                cell_free(th, p);
                break;
            default: {
                void (*fn)(Thread *, void *) = (void (*)(Thread *, void *))b->words[++i];
                fn(th, p);
            }
            }
        }
        next = b->next;
        block_free(r, b);
    }
    r->depth = depth_before;
}

/* Puts a closed batch behind the waiting ones. */
static void
wait_for_epoch(Reclaim *r, RetireBlock *batch)
{
    batch->next_batch = NULL;
    if (r->waiting_last)
        r->waiting_last->next_batch = batch;
    else
        r->waiting = batch;
    r->waiting_last = batch;
    r->waiting_bytes += batch->bytes;
}

/* Closes the open batches; returns their goal, 0 if there were none. */
static uint64_t
close_batches(Reclaim *r)
{
    if (r->open_bytes == 0)
        return 0;
    /* Release: all that was unlinked; who reads this epoch or a later one sees it.  Pairs
     * with thread_announce() and thread_online() [epoch.open] */
    uint64_t goal = fetch_add_seq_cst(&thread_epoch, 1) + 1;
    for (int d = 0; d <= DEPTH_MAX; d++)
        if (r->open[d]) {
            r->open[d]->goal = goal;
            wait_for_epoch(r, r->open[d]);
            r->open[d] = NULL;
        }
    r->open_bytes = 0;
    return goal;
}

/* Carries out the waiting batches whose goal is reached; th has announced the newest
 * epoch.  Whether all are gone. */
static bool
carry_out_due(Thread *th)
{
    Reclaim *r = th->reclaim;
    RetireBlock *batch = r->waiting;
    r->waiting = r->waiting_last = NULL;
    r->waiting_bytes = 0;
    bool all = true;
    uint64_t blocked_at = UINT64_MAX;
    for (RetireBlock *next; batch; batch = next) {
        next = batch->next_batch;
        if (batch->goal < blocked_at && /* goals that are behind a blocked one are blocked */
            thread_epoch_reached(th, batch->goal, &batch->cursor, &r->blocker)) {
            carry_out(th, batch);
            continue;
        }
        if (batch->goal < blocked_at) {
            blocked_at = batch->goal;
            if (!(load_relaxed(&r->blocker->request) & REQUEST_EPOCH))
                safepoint_request(r->blocker, REQUEST_EPOCH);
        }
        wait_for_epoch(r, batch);
        all = false;
    }
    return all;
}

/* Asks every online thread that has not announced `goal` to do so. */
static void
request_epoch(Thread *th, uint64_t goal)
{
    uint32_t high = load_acquire(&thread_id_high); /* [thread.table] */
    for (uint32_t id = 1; id <= high; id++) {
        Thread *t = load_acquire(&thread_by_id[id]); /* [thread.table] */
        if (t && t != th && load_seq_cst(&t->state) == THREAD_ATTACHED && /* [thread.state] */
            load_relaxed(&t->epoch) < goal && !(load_relaxed(&t->request) & REQUEST_EPOCH))
            safepoint_request(t, REQUEST_EPOCH);
    }
    th->reclaim->requested_ns = clock_coarse_ns();
}

/* Carries out everything at once, and whatever comes of it: nobody can hold a borrowed
 * word.  IMMEDIATE_OBJECTS leaves memory that other interpreters may be reading. */
static void
carry_out_now(Thread *th, uint8_t immediate, uint32_t from_depth)
{
    Reclaim *r = th->reclaim;
    r->immediate = immediate;
    RetireBlock *batch;
    while ((batch = r->waiting) != NULL && immediate == IMMEDIATE_ALL) {
        r->waiting = batch->next_batch;
        if (r->waiting == NULL)
            r->waiting_last = NULL;
        r->waiting_bytes -= batch->bytes;
        carry_out(th, batch);
    }
    for (uint32_t d = from_depth; d <= DEPTH_MAX; d++)
        while ((batch = r->open[d]) != NULL) {
            r->open[d] = NULL;
            r->open_bytes -= batch->bytes;
            if (immediate == IMMEDIATE_ALL) {
                carry_out(th, batch);
                continue;
            }
            /* Cells and memory wait like everybody's; objects of this interpreter need not. */
            r->depth = 0;
            for (RetireBlock *b = batch, *next; b; b = next) {
                for (uint32_t i = 0; i < b->count; i++) {
                    uintptr_t w = b->words[i];
                    Object *o = (Object *)(w & ~RETIRED_TAG);
                    if ((w & RETIRED_TAG) == RETIRED_REFERENCE)
                        object_drop(th, o);
                    else if ((w & RETIRED_TAG) == RETIRED_DEAD)
                        object_dealloc(th, o);
                    else {
                        bool two = (w & RETIRED_TAG) == RETIRED_MEMORY;
                        push(th, w, two ? b->words[i + 1] : 0, 16, false);
                        i += two;
                    }
                }
                next = b->next;
                block_free(r, b);
            }
        }
    r->immediate = 0;
}

/* The chain has reached depth 8: to its end, with everybody's registers counted. */
static void
carry_out_stopped(Thread *th)
{
    world_stop(th);
    carry_out_now(th, IMMEDIATE_OBJECTS, DEPTH_MAX);
    world_start(th);
}

static bool
nothing_queued(const Reclaim *r)
{
    return r->open_bytes == 0 && r->waiting == NULL;
}

/* th is alone online: closes, announces and carries out until nothing is left, or until
 * somebody comes online.  `may_stop`: deep chains may stop the world. */
static void
serve_alone(Thread *th, bool may_stop)
{
    Reclaim *r = th->reclaim;
    safepoint_upgrade(th); /* once: nothing below reads a borrowed word */
    do {
        if (r->open[DEPTH_MAX] && may_stop)
            carry_out_stopped(th);
        close_batches(r);
        thread_announce(th);
    } while (carry_out_due(th) && r->open_bytes != 0);
}

/* Takes the batches of threads that went offline. */
static void
take_handed(Thread *th)
{
    ReclaimShared *s = &th->interp->gc->handed;
    fetch_and_seq_cst(&th->interp->flags, ~INTERP_HANDED); /* before looking */
    for (CrossNode *node = cross_queue_take(&s->batches), *next; node; node = next) {
        next = cross_next(node);
        wait_for_epoch(th->reclaim, CONTAINER_OF(node, RetireBlock, handed));
        th->offline_work = 1;
        th->reclaim->stale = true;
    }
}

/* From here on what dies was dropped by others, or earlier; returns what others_end() takes. */
static bool
others_begin(Reclaim *r)
{
    bool before = r->others;
    r->others = true;
    return before;
}

static void
others_end(Reclaim *r, bool before)
{
    r->others = before;
}

/* Gives back what th keeps in hand. */
static void
empty_hands(Thread *th)
{
    bool before = others_begin(th->reclaim);
    credit_return(th);
    others_end(th->reclaim, before);
}

/* Sleeps offline for a moment, without handing over. */
static void
nap(Thread *th, int64_t ns)
{
    safepoint_upgrade(th);
    thread_offline(th);
    struct timespec t = clock_timespec(ns);
    nanosleep(&t, NULL);
    thread_online(th);
}

static void
serve(Thread *th, bool force)
{
    Reclaim *r = th->reclaim;
    uint32_t flags = load_relaxed(&th->interp->flags);
    if (UNLIKELY(flags & (INTERP_HANDED | INTERP_CALLS))) {
        if (flags & INTERP_HANDED)
            take_handed(th);
        if ((flags & INTERP_CALLS) && pending_may_serve(th))
            pending_take(th);
    }
    if (UNLIKELY(load_relaxed(&r->busy) == BUSY_NUDGED) && !r->serving) {
        empty_hands(th);
        if (nothing_queued(r))
            set_idle(th);
    }
    if (nothing_queued(r) || r->serving)
        return;
    r->serving = 1;
    if (load_relaxed(&threads_started) == 0) {
        safepoint_upgrade(th);
        carry_out_now(th, IMMEDIATE_ALL, 0);
    } else {
        if (!blocker_online(r))
            r->blocker = thread_other_online(th);
        bool before = r->others;
        if (r->blocker == NULL) {
            r->others = before || r->stale;
            serve_alone(th, true);
        } else {
            r->others = true;
            if (r->open[DEPTH_MAX])
                carry_out_stopped(th);
            bool old = force || load_relaxed(&r->busy) == BUSY_NUDGED ||
                       (r->waiting == NULL && clock_coarse_ns() - r->requested_ns > NS_PER_MS);
            uint64_t goal = 0;
            if (r->open_bytes >= RETIRE_SOFT || old)
                goal = close_batches(r);
            if (goal)
                request_epoch(th, goal);
            if (r->waiting) {
                safepoint_upgrade(th);
                thread_announce(th);
                carry_out_due(th);
            }
        }
        others_end(r, before);
    }
    r->serving = 0;
    r->stale = !nothing_queued(r);
    if (r->stale)
        set_busy(r);
    else
        set_idle(th);
}

void
reclaim_serve(Thread *th)
{
    Reclaim *r = th->reclaim;
    if (UNLIKELY(r->throttled)) {
        r->throttled = 0;
        nap(th, 200 * NS_PER_US);
    }
    serve(th, false);
    /* Too much waits: give the processor to the threads waited for (rules B5). */
    for (int64_t ns = 50 * NS_PER_US; r->open_bytes + r->waiting_bytes > RETIRE_HARD && !r->serving;
         ns = ns < NS_PER_MS ? ns * 2 : ns) {
        nap(th, ns);
        serve(th, true);
    }
}

void
reclaim_announce(Thread *th)
{
    thread_announce(th);
    Reclaim *r = th->reclaim;
    if (!r->serving)
        empty_hands(th);
    if (r->waiting && !r->serving) {
        r->serving = 1;
        bool before = others_begin(r);
        carry_out_due(th);
        others_end(r, before);
        r->serving = 0;
        if (nothing_queued(r))
            set_idle(th);
        else if (!(load_relaxed(&th->request) & REQUEST_PENDING) && r->open[DEPTH_MAX])
            safepoint_request(th, REQUEST_PENDING);
    }
}

void
reclaim_flush(Thread *th)
{
    Reclaim *r = th->reclaim;
    for (int64_t ns = 20 * NS_PER_US;; ns = ns < NS_PER_MS ? ns * 2 : ns) {
        if (!r->serving)
            empty_hands(th);
        serve(th, true);
        if ((nothing_queued(r) && !(load_relaxed(&th->interp->flags) & INTERP_HANDED)) ||
            r->serving)
            return;
        nap(th, ns);
    }
}

/* ---------------------------------------------------------------- going offline */

/* Tells another thread of the interpreter that there are batches to serve. */
static void
wake_somebody(Thread *th)
{
    for (Thread *t = load_acquire(&th->interp->threads); t; t = load_relaxed(&t->next))
        if (t != th && load_relaxed(&t->state) == THREAD_ATTACHED) {
            safepoint_request(t, REQUEST_PENDING);
            break;
        }
    service_wake(); /* should that one go offline, too */
}

/* Carries out what it can, and gives the rest of the batches to the interpreter. */
static void
hand_over_batches(Thread *th)
{
    Reclaim *r = th->reclaim;
    r->serving = 1;
    bool before = r->others;
    if (load_relaxed(&threads_started) == 0) {
        carry_out_now(th, IMMEDIATE_ALL, 0);
    } else if (!blocker_online(r) && (r->blocker = thread_other_online(th)) == NULL) {
        r->others = true; /* somebody else makes the calls: th may be away for long */
        serve_alone(th, false);
    }
    others_end(r, before);
    r->serving = 0;
    r->stale = false;
    store_relaxed(&r->busy, BUSY_NO);
    if (nothing_queued(r))
        return;

    close_batches(r);
    for (RetireBlock *batch = r->waiting, *next; batch; batch = next) {
        next = batch->next_batch;
        cross_queue_put(&th->interp->gc->handed.batches, &batch->handed);
    }
    fetch_or_seq_cst(&th->interp->flags, INTERP_HANDED);
    r->waiting = r->waiting_last = NULL;
    r->waiting_bytes = 0;
    wake_somebody(th);
}

void
reclaim_hand_over(Thread *th)
{
    Reclaim *r = th->reclaim;
    if (r->serving)
        return; /* a short wait in the middle of it */
    do { /* a death may queue, and keep, something again */
        empty_hands(th);
        if (!nothing_queued(r))
            hand_over_batches(th);
    } while (th->credits->filled || !nothing_queued(r));
    if (th->releasing) {
        pending_hand_over_all(th); /* what the batches made due, too */
    } else if (r->late_next != r->late.count) {
        bool may = pending_may_serve(th);
        pending_hand_over(th);
        if (may)
            safepoint_request(th, REQUEST_PENDING); /* if nobody else has taken them until it is back */
    }
    th->offline_work = 0;
}

void
reclaim_adopt(Thread *th, Thread *gone)
{
    Reclaim *r = th->reclaim, *from = gone->reclaim;
    for (int d = 0; d <= DEPTH_MAX; d++) {
        RetireBlock *b = from->open[d];
        if (b == NULL)
            continue;
        from->open[d] = NULL;
        b->goal = 1; /* reached: there is nobody else */
        wait_for_epoch(r, b);
    }
    for (RetireBlock *b = from->waiting, *next; b; b = next) {
        next = b->next_batch;
        wait_for_epoch(r, b);
    }
    from->waiting = from->waiting_last = NULL;
    from->open_bytes = from->waiting_bytes = 0;
    from->serving = from->immediate = from->collecting = from->throttled = 0;
    from->depth = 0;
    from->others = from->stale = from->service = false;
    store_relaxed(&gone->locks_taken, load_relaxed(&gone->locks_given)); /* nobody holds them any more */
    r->stale = true;
    pending_adopt(th, gone);
    from->blocker = NULL;
    th->offline_work = 1;
}

/* ---------------------------------------------------------------- life */

Reclaim *
reclaim_create(void)
{
    return mem_alloc_lines(sizeof(Reclaim));
}

/* Frees blocks whose contents die with their interpreter. */
static void
free_batches(RetireBlock *batch)
{
    for (RetireBlock *next; batch; batch = next) {
        next = batch->next_batch;
        for (RetireBlock *b = batch, *n; b; b = n) {
            n = b->next;
            mem_free(b);
        }
    }
}

void
reclaim_destroy(Reclaim *r)
{
    for (int d = 0; d <= DEPTH_MAX; d++)
        free_batches(r->open[d]);
    free_batches(r->waiting);
    mem_free(r->spare);
    mem_free(r->pending.calls);
    mem_free(r->late.calls);
    mem_free(r);
}

void
reclaim_shared_init(ReclaimShared *s)
{
    cross_queue_init(&s->batches);
    cross_queue_init(&s->calls);
}

void
reclaim_shared_destroy(ReclaimShared *s)
{
    for (CrossNode *node = cross_queue_take(&s->batches), *next; node; node = next) {
        next = cross_next(node);
        RetireBlock *batch = CONTAINER_OF(node, RetireBlock, handed);
        batch->next_batch = NULL;
        free_batches(batch);
    }
    for (CrossNode *node = cross_queue_take(&s->calls), *next; node; node = next) {
        next = cross_next(node);
        mem_free(CONTAINER_OF(node, HandedCalls, handed));
    }
}
