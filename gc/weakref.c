/* weakref.c -- weak cells: clear once, upgrade safely.
 *
 * The cells of one referent form a list; the lists hang in a hash table keyed by the
 * referent's address and split into stripes, each with a lock and open addressing:
 *
 *     stripe -> [ {referent, first cell} | empty | ... ] -> cell <-> cell <-> cell
 *
 * In a list the plain reference comes first, then the plain proxy, as these are shared;
 * among the others the newest is first.  A cell's `referent` changes under the stripe's
 * lock only.
 *
 *     upgrade                        death
 *     lock stripe                    count becomes MERGED|0
 *     referent still set?            lock stripe, clear all its cells, unlock
 *     try to retain it, unlock       free it
 *
 * While the lock is held and `referent` is set, the referent's memory is there; whether it
 * is still alive is decided by its count.
 *
 * Locks: one a stripe (a leaf; skipped, like object locks, until a second thread starts).
 */
#include "gc/weakref.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "gc/gc_state.h"
#include "gc/pending.h"
#include "gc/weakref_priv.h"

#define STRIPES 64

typedef struct WeakEntry {
    Object *referent; /* NULL: empty */
    WeakCell *first;
} WeakEntry;

typedef struct Stripe {
    ATOMIC(uint8_t) lock;
    uint32_t used;        /* [lock] entries with a referent */
    uint32_t mask;        /* [lock] capacity - 1; `entries` NULL: none yet */
    WeakEntry *entries;   /* [lock] at most three quarters full */
} __attribute__((aligned(64))) Stripe;

typedef struct WeakTable {
    Stripe stripes[STRIPES];
} WeakTable;

WeakTable *
weak_table_create(void)
{
    WeakTable *t = mem_alloc_aligned(sizeof(*t), 64);
    if (t)
        memset((void *)t, 0, sizeof(*t));
    return t;
}

void
weak_table_destroy(WeakTable *t)
{
    for (int i = 0; i < STRIPES; i++)
        mem_free(t->stripes[i].entries);
    mem_free(t);
}

static inline uint64_t
referent_hash(const Object *o)
{
    return hash_mix((uintptr_t)o >> 4);
}

static inline Stripe *
stripe_of(Thread *th, const Object *o)
{
    return &th->interp->gc->weak->stripes[referent_hash(o) % STRIPES];
}

static inline bool
stripe_lock(Stripe *s)
{
    if (LIKELY(load_relaxed(&threads_started) == 0))
        return false;
    byte_lock((ByteLock *)(void *)&s->lock);
    return true;
}

static inline void
stripe_unlock(Stripe *s, bool held)
{
    if (held)
        byte_unlock((ByteLock *)(void *)&s->lock);
}

/* ---------------------------------------------------------------- one stripe's table */

static inline uint32_t
home(const Stripe *s, const Object *o)
{
    return (uint32_t)(referent_hash(o) >> 8) & s->mask;
}

static WeakEntry *
find(Stripe *s, const Object *o)
{
    if (s->entries == NULL)
        return NULL;
    for (uint32_t i = home(s, o);; i = (i + 1) & s->mask) {
        WeakEntry *e = &s->entries[i];
        if (e->referent == o)
            return e;
        if (e->referent == NULL)
            return NULL;
    }
}

/* Puts an entry without cells where `find` finds it; there is room. */
static WeakEntry *
insert(Stripe *s, Object *o)
{
    uint32_t i = home(s, o);
    while (s->entries[i].referent)
        i = (i + 1) & s->mask;
    s->entries[i] = (WeakEntry){o, NULL};
    s->used++;
    return &s->entries[i];
}

/* Makes room for one more entry; false: no memory. */
static bool
reserve(Stripe *s)
{
    if (s->entries && (s->used + 1) * 4 <= (s->mask + 1) * 3)
        return true;
    uint32_t capacity = s->entries ? (s->mask + 1) * 2 : 8;
    WeakEntry *entries = mem_alloc_zeroed(capacity * sizeof(*entries));
    if (entries == NULL)
        return false;
    WeakEntry *old = s->entries;
    uint32_t n = old ? s->mask + 1 : 0;
    s->entries = entries;
    s->mask = capacity - 1;
    s->used = 0;
    for (uint32_t i = 0; i < n; i++)
        if (old[i].referent)
            insert(s, old[i].referent)->first = old[i].first;
    mem_free(old);
    return true;
}

/* Takes an entry out and moves those up that were displaced past it. */
static void
erase(Stripe *s, WeakEntry *e)
{
    uint32_t hole = (uint32_t)(e - s->entries);
    s->used--;
    for (uint32_t i = (hole + 1) & s->mask; s->entries[i].referent; i = (i + 1) & s->mask) {
        uint32_t h = home(s, s->entries[i].referent);
        if (((i - h) & s->mask) >= ((i - hole) & s->mask)) {
            s->entries[hole] = s->entries[i];
            hole = i;
        }
    }
    s->entries[hole] = (WeakEntry){NULL, NULL};
}

/* ---------------------------------------------------------------- cells */

bool
weak_cell_link(Thread *th, WeakCell *cell, Object *o)
{
    ASSERT(load_relaxed(&cell->referent) == NULL);
    object_mark_weak_locked(o); /* before the pointer is published */
    object_mark_weak_locked(&cell->head); /* the table points to the cell, too */
    if (!(object_bits(o) & BIT_WEAKREFS))
        object_set_bits(o, BIT_WEAKREFS);
    Stripe *s = stripe_of(th, o);
    bool held = stripe_lock(s);
    WeakEntry *e = find(s, o);
    if (e == NULL) {
        if (!reserve(s)) {
            stripe_unlock(s, held);
            heap_no_memory(th);
            return false;
        }
        e = insert(s, o);
    }
    WeakCell *before = NULL, *after = e->first;
    while (after && after->rank < cell->rank) {
        before = after;
        after = after->next;
    }
    cell->prev = before;
    cell->next = after;
    if (before)
        before->next = cell;
    else
        e->first = cell;
    if (after)
        after->prev = cell;
    store_release(&cell->referent, o); /* pairs with weak_cell_get() [weakref.referent] */
    stripe_unlock(s, held);
    return true;
}

/* Takes a cell out of its list; the stripe is locked and the cell is linked. */
static void
unlink_locked(Stripe *s, WeakCell *cell, Object *o)
{
    if (cell->next)
        cell->next->prev = cell->prev;
    if (cell->prev) {
        cell->prev->next = cell->next;
    } else {
        WeakEntry *e = find(s, o);
        ASSERT(e && e->first == cell);
        e->first = cell->next;
        if (e->first == NULL)
            erase(s, e);
    }
    cell->next = cell->prev = NULL;
    /* Release, and last: after it a dying cell does not take the lock and may be freed;
     * pairs with weak_cell_unlink() [weakref.referent] */
    store_release(&cell->referent, NULL);
}

void
weak_cell_unlink(Thread *th, WeakCell *cell)
{
    /* The referent can only change to NULL: then somebody else unlinked the cell. */
    Object *o = load_acquire(&cell->referent); /* [weakref.referent] */
    if (o == NULL)
        return;
    Stripe *s = stripe_of(th, o);
    bool held = stripe_lock(s);
    if (load_relaxed(&cell->referent) == o)
        unlink_locked(s, cell, o);
    stripe_unlock(s, held);
}

Value
weak_cell_get(Thread *th, WeakCell *cell)
{
    Object *o = load_acquire(&cell->referent); /* pairs with weak_cell_link() [weakref.referent] */
    if (o == NULL)
        return NULL;
    Stripe *s = stripe_of(th, o);
    bool held = stripe_lock(s);
    bool alive = load_relaxed(&cell->referent) == o && object_try_retain(th, o);
    stripe_unlock(s, held);
    return alive ? value_of(o) : NULL;
}

Value
weak_cell_reuse(Thread *th, Object *o, uint32_t shape)
{
    if (!(object_bits(o) & BIT_WEAKREFS))
        return NULL;
    Value found = NULL;
    Stripe *s = stripe_of(th, o);
    bool held = stripe_lock(s);
    WeakEntry *e = find(s, o);
    for (WeakCell *c = e ? e->first : NULL; c && c->rank != WEAK_OTHER; c = c->next)
        /* A cell whose count is zero is about to unlink itself. */
        if (object_shape(&c->head) == shape && object_try_retain(th, &c->head)) {
            found = value_of(c);
            break;
        }
    stripe_unlock(s, held);
    return found;
}

size_t
weak_cells_of(Object *o, void (*fn)(Thread *th, WeakCell *cell, void *arg), Thread *th, void *arg)
{
    if (!(object_bits(o) & BIT_WEAKREFS))
        return 0;
    size_t n = 0;
    Stripe *s = stripe_of(th, o);
    bool held = stripe_lock(s);
    WeakEntry *e = find(s, o);
    for (WeakCell *c = e ? e->first : NULL; c; c = c->next) {
        n++;
        if (fn)
            fn(th, c, arg);
    }
    stripe_unlock(s, held);
    return n;
}

static void
run_callback(Thread *th, Value cell, Value callback)
{
    weak_callback(th, cell, callback);
    drop(th, cell);
    drop(th, callback);
}

static void
callback_default(Thread *th, Value cell, Value callback)
{
    (void)th;
    (void)cell;
    (void)callback;
}

void (*weak_callback)(Thread *th, Value cell, Value callback) = callback_default;

void
weak_cells_clear_if(Thread *th, Object *o, bool (*wants)(WeakCell *cell, void *arg), void *arg)
{
    Stripe *s = stripe_of(th, o);
    for (;;) {
        bool held = stripe_lock(s);
        Value callback = NULL;
        bool call = false;
        WeakEntry *e;
        WeakCell *c;
        /* Those without a callback need nothing but clearing. */
        while (!call && (e = find(s, o)) != NULL) {
            c = e->first;
            if (field_peek(&c->callback) && (wants == NULL || wants(c, arg)) &&
                object_try_retain(th, &c->head)) {
                callback = retain(th, field_peek(&c->callback));
                call = true;
            }
            unlink_locked(s, c, o);
        }
        stripe_unlock(s, held);
        if (!call)
            return;
        pending_add(th, run_callback, value_of(c), callback);
    }
}

void
weak_cells_clear(Thread *th, Object *o)
{
    weak_cells_clear_if(th, o, NULL, NULL);
}
