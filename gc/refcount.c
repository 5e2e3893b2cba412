/* refcount.c -- the cold halves of counting, merging, dying.
 *
 * An object's count is local + shared, exact at any moment.  The life of `shared`'s state:
 *
 *     PLAIN -----> WEAK         an uncounted pointer to the object is published
 *     PLAIN, WEAK -> QUEUED     a foreign drop made the shared half negative; who did it
 *                               puts the object into its owner's merge queue
 *     any of these -> MERGED    the owner (its local half is zero, or it serves its
 *                               queue), or a helper that has claimed the detached owner
 *
 * From MERGED on everybody counts in `shared`; MERGED with count 0 is dead for ever, and
 * whoever made it so lets it die.  In the other states only the owner can find the count
 * to be zero.  An owner frees an object directly only when `shared` is 0 as a whole: PLAIN,
 * so nobody has an uncounted pointer, and no foreign count.  A QUEUED object is in the
 * queue, so it is left alone until the queue is served.
 *
 * Types (BIT_DEFERRED) do not die of a zero count: their instances name them without
 * counting.  The collector clears the bit when nothing does.
 *
 * Locks: MergeQueue.lock (a leaf).  Process-wide state: two statistics.
 */
#include "gc/refcount_priv.h"

#include "base/assert.h"
#include "gc/credit.h"
#include "gc/pending.h"
#include "gc/reclaim_priv.h"
#include "gc/weakref.h"
#include "threads/mutex.h"
#include "threads/safepoint.h"

__typeof__(refcount_saturated) refcount_saturated;
__typeof__(refcount_leaked) refcount_leaked;

/* Dealloc functions nest this deep in C; deeper ones wait in the list of the dead. */
#define DEALLOC_DEPTH_MAX 40

/* ---------------------------------------------------------------- saturation */

void
object_make_immortal(Object *o)
{
    /* relaxed: a thread that still reads the old owner counts once more, which does not
     * matter at counts this high (rules E1) */
    store_relaxed(&o->owner, OWNER_IMMORTAL);
}

static COLD void
saturate(Object *o)
{
    object_make_immortal(o);
    fetch_add_relaxed(&refcount_saturated, 1);
}

/* ---------------------------------------------------------------- retain */

void
object_retain_slow(Thread *th, Object *o)
{
    uint16_t owner = load_relaxed(&o->owner);
    if (owner == OWNER_IMMORTAL || (owner == OWNER_POOLED && LIKELY(credit_take(th, o))))
        return;
    if (owner == th->id) { /* local is at its limit */
        saturate(o);
        return;
    }
    uint32_t n = owner == OWNER_POOLED ? credit_lot(th, o) : 1;
    /* relaxed: the caller has the object already, by a count or inside an epoch */
    uint32_t before = fetch_add_relaxed(&o->shared, n * SHARED_ONE);
    if (n > 1)
        credit_fill(th, o, n - 1);
    ASSERT((before & SHARED_STATE) != SHARED_MERGED || shared_count(before) > 0 ||
           (object_bits(o) & BIT_DEFERRED));
    if (UNLIKELY(shared_count(before) >= SHARED_SATURATED))
        saturate(o);
}

void
retain_many(Thread *th, Value v, size_t n)
{
    if (v == NULL || !value_is_object(v) || n == 0)
        return;
    Object *o = value_object(v);
    uint16_t owner = load_relaxed(&o->owner);
    if (owner == OWNER_IMMORTAL)
        return;
    if (owner == th->id) {
        uint32_t local = load_relaxed(&o->local);
        if (n > (size_t)(INT32_MAX - local))
            saturate(o);
        else
            store_relaxed(&o->local, local + (uint32_t)n);
        return;
    }
    if (n >= (size_t)SHARED_SATURATED) {
        saturate(o);
        return;
    }
    uint32_t before = fetch_add_relaxed(&o->shared, (uint32_t)n * SHARED_ONE);
    if (shared_count(before) + (int64_t)n >= SHARED_SATURATED)
        saturate(o);
}

bool
object_try_retain(Thread *th, Object *o)
{
    uint16_t owner = load_relaxed(&o->owner);
    if (owner == OWNER_IMMORTAL)
        return true;
    if (owner == th->id) {
        uint32_t local = load_relaxed(&o->local);
        if (local > 0 && local < INT32_MAX) {
            store_relaxed(&o->local, local + 1);
            return true;
        }
    }
    uint32_t s = load_relaxed(&o->shared);
    do {
        if (s == SHARED_MERGED && !(object_bits(o) & BIT_DEFERRED))
            return false; /* dead */
        /* acquire: pairs with merge() and other drops [refcount.shared] */
    } while (!cas_acquire(&o->shared, &s, s + SHARED_ONE));
    if (UNLIKELY(shared_count(s) >= SHARED_SATURATED))
        saturate(o);
    return true;
}

void
object_mark_weak_locked(Object *o)
{
    uint32_t s = load_relaxed(&o->shared);
    while ((s & SHARED_STATE) == SHARED_PLAIN && load_relaxed(&o->owner) != OWNER_IMMORTAL)
        /* relaxed: its death comes after the caller's reference is given up */
        if (cas_relaxed(&o->shared, &s, s | SHARED_WEAK))
            return;
}

void
object_mark_weak(Thread *th, Object *o)
{
    (void)th;
    object_mark_weak_locked(o);
    if ((object_bits(o) & BIT_SHARED) == 0)
        object_set_bits(o, BIT_SHARED);
}

/* ---------------------------------------------------------------- merging */

/* Gives up `n` references to a merged object; whether they were the last. */
static bool
drop_merged(Object *o, uint32_t n)
{
    /* release: what this thread did with the object; acquire: what the others did, in case
     * it dies here [refcount.shared] */
    uint32_t before = __atomic_fetch_sub(&o->shared.raw_, n * SHARED_ONE, __ATOMIC_ACQ_REL);
    ASSERT((before & SHARED_STATE) == SHARED_MERGED && shared_count(before) >= (int32_t)n);
    return before == (n * SHARED_ONE | SHARED_MERGED);
}

void
object_drop_many(Thread *th, Object *o, uint32_t n)
{
    if (load_relaxed(&o->owner) != OWNER_IMMORTAL && drop_merged(o, n))
        object_die(th, o);
}

/* Joins the halves of an object whose `local` the caller may write; whether it is dead.  One that
 * is, or now becomes, QUEUED is left to who serves the queue, if that is not the caller.  `pool`: its
 * new owner is OWNER_POOLED. */
static bool
merge(Object *o, uint16_t owner, bool serving, bool pool)
{
    int64_t local = load_relaxed(&o->local);
    uint32_t s = load_acquire(&o->shared);
    int64_t count;
    uint16_t merged = pool || ops_flags_of(object_ops(o)) & OPS_POOLED ? OWNER_POOLED : OWNER_MERGED;
    do {
        if (!serving && (s & SHARED_STATE) == SHARED_QUEUED)
            return false;
        count = shared_count(s) + local;
        ASSERT(count >= 0);
        if (count >= SHARED_SATURATED) {
            saturate(o);
            return false;
        }
        /* As soon as the word says MERGED, the others may drop the object to death: one
         * more reference keeps it until `local` and `owner` are written.
         * release: what the owner did; acquire: what others did before they dropped
         * [refcount.shared] */
    } while (!cas_acq_rel(&o->shared, &s,
                          (uint32_t)(count ? count + 1 : 0) * SHARED_ONE | SHARED_MERGED));
    store_relaxed(&o->local, 0);
    /* Compare-and-swap: a foreign retain may have saturated it meanwhile. */
    if (!__atomic_compare_exchange_n(&o->owner.raw_, &owner, merged, false,
                                     __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        return false;
    return count == 0 || drop_merged(o, 1);
}

void
object_merge(Thread *th, Object *o)
{
    if (load_relaxed(&o->owner) != th->id ||
        (load_relaxed(&o->shared) & SHARED_STATE) == SHARED_QUEUED)
        return;
    bool dead = merge(o, (uint16_t)th->id, false, false);
    ASSERT(!dead);
    (void)dead;
}

MergeQueue *
merge_queue_create(void)
{
    return mem_alloc_lines(sizeof(MergeQueue));
}

void
merge_queue_destroy(MergeQueue *q)
{
    mem_free(q->items);
    mem_free(q);
}

static void
queue_lock(MergeQueue *q)
{
    byte_lock((ByteLock *)(void *)&q->lock);
}

static void
queue_unlock(MergeQueue *q)
{
    byte_unlock((ByteLock *)(void *)&q->lock);
}

static void help(Thread *th, Thread *owner, const Object *own);

/* In an entry of a merge queue: the object is to be pooled. */
#define ENTRY_POOL ((uintptr_t)1)

/* Puts an object that has just become QUEUED into its owner's queue, to be merged, or pooled. */
static void
queue_to_owner(Thread *th, Object *o, uint16_t id, bool pool)
{
    Thread *owner = load_acquire(&thread_by_id[id]); /* [thread.table] */
    MergeQueue *q = owner->merge;
    queue_lock(q);
    if (UNLIKELY(q->count == q->capacity)) {
        uint32_t grown = q->capacity ? q->capacity * 2 : 64;
        Object **items = mem_resize(q->items, grown * sizeof(*items));
        if (items == NULL) {
            /* Nobody will merge it: it is never freed, and counted as such. */
            queue_unlock(q);
            fetch_add_relaxed(&refcount_leaked, 1);
            return;
        }
        q->items = items;
        q->capacity = grown;
    }
    q->items[q->count++] = (Object *)((uintptr_t)o | (pool ? ENTRY_POOL : 0));
    /* The owner going offline writes `state`, then reads merge_count; this is the other
     * order, so one of the two sees the other [refcount.merge]. */
    uint32_t before = fetch_add_seq_cst(&owner->merge_count, 1);
    queue_unlock(q);
    if (load_seq_cst(&owner->state) == THREAD_ATTACHED) {
        if (before == 0)
            safepoint_request(owner, REQUEST_MERGE);
        else if (UNLIKELY(before >= RETIRE_HARD / 64))
            reclaim_throttle(th); /* the owner does not keep up */
    } else
        help(th, owner, o);
}

/* Takes the queue of `owner` as one array; *n entries.  The caller frees it. */
static Object **
take_queue(Thread *owner, uint32_t *n)
{
    MergeQueue *q = owner->merge;
    queue_lock(q);
    Object **items = q->items;
    *n = q->count;
    q->items = NULL;
    q->count = q->capacity = 0;
    fetch_add_seq_cst(&owner->merge_count, -*n); /* [refcount.merge] */
    queue_unlock(q);
    return items;
}

/* Merges all of `items`; moves the dead to the front and returns how many. */
static uint32_t
merge_all(Object **items, uint32_t n, uint16_t id)
{
    uint32_t dead = 0;
    for (uint32_t i = 0; i < n; i++) {
        Object *o = (Object *)((uintptr_t)items[i] & ~ENTRY_POOL);
        if (load_relaxed(&o->owner) == OWNER_IMMORTAL)
            continue;
        ASSERT(load_relaxed(&o->owner) == id);
        if (merge(o, id, true, (uintptr_t)items[i] & ENTRY_POOL))
            items[dead++] = o;
    }
    return dead;
}

void
merge_serve(Thread *th)
{
    while (load_relaxed(&th->merge_count) != 0) {
        uint32_t n;
        Object **items = take_queue(th, &n);
        uint32_t dead = merge_all(items, n, (uint16_t)th->id);
        bool before = th->reclaim->others;
        th->reclaim->others = true;
        for (uint32_t i = 0; i < dead; i++)
            object_die(th, items[i]);
        th->reclaim->others = before;
        mem_free(items);
    }
}

/* merge_help(), because th has dropped `own` (or NULL). */
static void
help(Thread *th, Thread *owner, const Object *own)
{
    while (load_seq_cst(&owner->merge_count) != 0) {
        if (!thread_claim(owner)) {
            /* Somebody else helps, who looks at the queue once more after that; or it came back, and
             * looks when it is asked.  Asking too often does no harm. */
            safepoint_request(owner, REQUEST_MERGE);
            return;
        }
        uint32_t n;
        Object **items = take_queue(owner, &n);
        uint32_t dead = merge_all(items, n, (uint16_t)owner->id);
        thread_unclaim(owner);
        /* The dead die without the claim: their dealloc may take long (rules E2). */
        bool before = th->reclaim->others;
        for (uint32_t i = 0; i < dead; i++) {
            th->reclaim->others = before || items[i] != own;
            object_die(th, items[i]);
        }
        th->reclaim->others = before;
        mem_free(items);
    }
}

void
merge_help(Thread *th, Thread *owner)
{
    help(th, owner, NULL);
}

/* ---------------------------------------------------------------- dealloc */

/* The dead object's second to twelfth byte carry the link of the list of the dead: its
 * counts are zero and nobody else looks at it, neither by a count nor by a weak one. */
static void
dead_push(Reclaim *r, Object *o)
{
    uintptr_t link = (uintptr_t)r->dead;
    store_relaxed(&o->local, (uint32_t)link);
    store_relaxed(&o->shared, (uint32_t)(link >> 32));
    r->dead = o;
}

static Object *
dead_pop(Reclaim *r)
{
    Object *o = r->dead;
    if (o)
        r->dead = (Object *)((uintptr_t)load_relaxed(&o->local) |
                             (uintptr_t)load_relaxed(&o->shared) << 32);
    return o;
}

/* Gives up what the object holds, and its cell. */
static inline void
dispose(Thread *th, Object *o, TypeOps *ops)
{
    if (ops->dealloc)
        ops->dealloc(th, o);
    if (UNLIKELY(load_relaxed(&o->bits) & BIT_SHARED) && ops->visit == NULL &&
        !th->reclaim->immediate)
        retire_cell(th, o);
    else
        cell_free(th, o);
}

static inline void
dealloc(Thread *th, Object *o, TypeOps *ops)
{
    if (ops->visit == NULL) { /* a leaf: does not nest */
        dispose(th, o, ops);
        return;
    }
    if (UNLIKELY(th->dealloc_depth >= DEALLOC_DEPTH_MAX)) {
        dead_push(th->reclaim, o);
        return;
    }
    th->dealloc_depth++;
    dispose(th, o, ops);
    if (UNLIKELY(th->dealloc_depth == 1 && th->reclaim->dead))
        while ((o = dead_pop(th->reclaim)) != NULL)
            dispose(th, o, object_ops(o));
    th->dealloc_depth--;
}

void
object_dealloc(Thread *th, Object *o)
{
    dealloc(th, o, object_ops(o));
}

/* ---------------------------------------------------------------- drop */

/* One in so many drops of objects that others made, or made and share, asks for the object to be
 * pooled: what threads count often is met soon. */
#define POOL_EVERY 13

/* Whether threads may keep references to `o`: not where its death would be noticed, which they may put off.
 * Types die in a collection only, and that leaves out what is kept. */
static inline bool
may_be_kept(Object *o)
{
    return (object_bits(o) & (BIT_WEAKREFS | BIT_DEFERRED)) != BIT_WEAKREFS;
}

/* Whether th, which drops a reference to `o`, asks for it. */
static bool
draw_pool(Thread *th, Object *o)
{
    if (LIKELY(th->pool_in-- != 0))
        return false;
    th->pool_in = POOL_EVERY - 1;
    return may_be_kept(o) && !(ops_flags_of(object_ops(o)) & OPS_FINALIZER);
}

/* A reference that the owner did not count, or counted in `shared`. */
static NOINLINE void
drop_shared(Thread *th, Object *o, uint16_t owner)
{
    uint32_t s = load_relaxed(&o->shared);
    if (owner == th->id) {
        /* The owner's half is zero, but the object is not merged: it is in the queue, or a
         * type.  The reference was a foreign one. */
        ASSERT(load_relaxed(&o->local) == 0);
        while (!cas_acq_rel(&o->shared, &s, s - SHARED_ONE)) { /* [refcount.shared] */
        }
        return;
    }
    bool pool = owner != OWNER_POOLED && draw_pool(th, o);
    if (pool && owner == OWNER_MERGED) {
        /* relaxed: th has a reference, so nothing but a saturating retain writes the owner meanwhile */
        if (cas_relaxed(&o->owner, &owner, OWNER_POOLED) && credit_keep(th, o))
            return;
        s = load_relaxed(&o->shared);
    }
    for (;;) {
        uint32_t after = s - SHARED_ONE;
        bool queue = false;
        if ((s & SHARED_STATE) < SHARED_QUEUED &&
            (shared_count(s) <= 0 || pool || (ops_flags_of(object_ops(o)) & OPS_POOLED))) {
            after = (after & ~SHARED_STATE) | SHARED_QUEUED;
            queue = true;
        }
        /* release: what this thread did with the object; acquire: what the others did, in
         * case it dies here.  Pairs with itself and merge() [refcount.shared] */
        if (!cas_acq_rel(&o->shared, &s, after))
            continue;
        if (after == SHARED_MERGED)
            object_die(th, o);
        else if (queue)
            queue_to_owner(th, o, owner, pool);
        return;
    }
}

void
object_drop_slow(Thread *th, Object *o)
{
    /* acquire: who sees MERGED here sees it in `shared`; pairs with merge()
     * [refcount.shared] */
    uint16_t owner = load_acquire(&o->owner);
    if (owner == OWNER_IMMORTAL)
        return;
    if (owner == OWNER_POOLED && may_be_kept(o) && LIKELY(credit_keep(th, o)))
        return;
    drop_shared(th, o, owner);
}

void
object_drop_last(Thread *th, Object *o)
{
    /* acquire: what others did before they dropped [refcount.shared] */
    uint32_t s = load_acquire(&o->shared);
    if (LIKELY(s == 0)) {
        uint8_t bits = load_relaxed(&o->bits);
        TypeOps *ops = object_ops(o);
        if (LIKELY(!(bits & (BIT_DEFERRED | BIT_WEAKREFS | BIT_SHARED)) &&
                   !(ops_flags_of(ops) & OPS_FINALIZER)))
            dealloc(th, o, ops); /* what object_die() comes to in most cases */
        else
            object_die(th, o);
        return;
    }
    if ((s & SHARED_STATE) == SHARED_QUEUED)
        return; /* dies, if it does, when the queue is served */
    if (merge(o, (uint16_t)th->id, false, false))
        object_die(th, o);
}

void
object_pool(Thread *th, Object *o)
{
    uint16_t owner = load_relaxed(&o->owner);
    if (owner == th->id || owner == OWNER_MERGED || owner > THREAD_ID_MAX)
        return;
    uint32_t s = load_relaxed(&o->shared);
    while ((s & SHARED_STATE) < SHARED_QUEUED)
        /* relaxed: the queue's lock publishes it */
        if (cas_relaxed(&o->shared, &s, (s & ~SHARED_STATE) | SHARED_QUEUED)) {
            queue_to_owner(th, o, owner, true);
            return;
        }
}

int64_t
object_refcount(Object *o)
{
    if (load_relaxed(&o->owner) == OWNER_IMMORTAL)
        return UINT32_MAX;
    if (object_is_dead(o))
        return 0;
    int64_t n = (int64_t)load_relaxed(&o->local) + shared_count(load_relaxed(&o->shared));
    if (load_relaxed(&o->owner) == OWNER_POOLED)
        n -= credit_count(thread_current->interp, o);
    return n;
}

/* ---------------------------------------------------------------- dying */

static void
run_finalizer(Thread *th, Value v, Value unused)
{
    (void)unused;
    Object *o = value_object(v);
    object_finalize(th, o);
    drop(th, v);
}

void
object_die(Thread *th, Object *o)
{
    ASSERT(th->no_safepoint == 0);
    TypeOps *ops = object_ops(o);
    uint8_t bits = load_relaxed(&o->bits);
    if (UNLIKELY(bits & BIT_DEFERRED))
        return;
    if (UNLIKELY(ops_flags_of(ops) & OPS_FINALIZER) && !(bits & BIT_FINALIZED) &&
        (ops->wants_finalize == NULL || ops->wants_finalize(o))) {
        object_set_bits(o, BIT_FINALIZED);
        /* The pending list holds a reference; dropping it brings the object here again. */
        if (load_relaxed(&o->owner) == th->id)
            store_relaxed(&o->local, 1);
        else
            store_release(&o->shared, SHARED_ONE | SHARED_MERGED); /* nobody can count on 0 */
        pending_add(th, run_finalizer, value_of(o), NULL);
        return;
    }
    if (UNLIKELY(bits & BIT_WEAKREFS))
        weak_cells_clear(th, o);
    if (UNLIKELY(bits & BIT_SHARED) && ops->visit && !th->reclaim->immediate) {
        /* Others may have borrowed what it holds (rules A5, B4). */
        if (load_relaxed(&o->owner) == th->id)
            store_release(&o->shared, SHARED_MERGED);
        store_relaxed(&o->owner, OWNER_MERGED);
        store_relaxed(&o->local, LOCAL_DEAD);
        retire_dead(th, o);
        return;
    }
    object_dealloc(th, o);
}
