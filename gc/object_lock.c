/* object_lock.c -- the cold halves of object locks and sharing, and which thread a shared object favours.
 *
 * A thread looks at one in SAMPLE of the shared objects whose locks it takes, and notes it in a table.
 * An object that the same thread has met there MET times, without another one in between, has been
 * taken by that thread for some time: from then on it favours it.
 *
 * Process-wide state: that table, a hint.
 */
#include "gc/object_lock.h"

#include "gc/heap.h"

#define SAMPLE 61  /* no divisor of what a loop may do in turn */
#define MET 4
#define SEEN_SLOTS 256

/* The object's address, shifted up by 12, the thread's number and how often it was met. */
typedef ATOMIC(uint64_t) Seen;
static Seen seen[SEEN_SLOTS];

/* th has taken the lock of `o`, which is shared.  True if the object favours it now: instead of the
 * lock, th then has a section open on it. */
static bool
favour(Thread *th, Object *o)
{
    th->favour_in = SAMPLE;
    uint8_t tag = load_relaxed(&th->favour);
    if (tag == FAVOUR_NONE)
        return false;
    uint64_t who = (uint64_t)(uintptr_t)o << 12 | (uint64_t)tag << 6;
    Seen *slot = &seen[((uintptr_t)o >> 4 ^ (uintptr_t)o >> 12) % SEEN_SLOTS];
    uint64_t met = load_relaxed(slot); /* relaxed: a hint that may be lost */
    met = (met & ~(uint64_t)0xff) == who ? met + 1 : who + 1;
    bool enough = (met & 0xff) >= MET;
    store_relaxed(slot, enough ? who : met);
    if (!enough || !bias_favour_allowed())
        return false;
    store_relaxed(&th->section, o);
    /* The other side has the machine's barrier: it is this thread's bias that is switched off, or
     * it waits for the section [bias.section]. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (UNLIKELY(load_relaxed(&th->favour) != tag)) {
        section_clear(th);
        return false;
    }
    store_release(&o->lock, tag); /* pairs with lock_excluding() [bias.favour] */
    return true;
}

/* Takes the lock of an object that may be another thread's private one, or favour another thread,
 * which is then between two of its changes. */
static void
lock_excluding(Thread *th, Object *o)
{
    /* Who waits for another thread's section has none open that others wait for. */
    ASSERT(load_relaxed(&th->section) == NULL && load_relaxed(&th->section_2) == NULL);
    uint8_t s = load_relaxed(&o->lock);
    /* seq_cst: before the loads in bias_exclude() [bias.state] */
    if (s != 0 || !cas_seq_cst(&o->lock, &s, 1)) {
        byte_lock_slow((void *)&o->lock); /* the same; pairs with favour() [bias.favour] */
        uint32_t favoured = load_relaxed(&o->lock) >> 2;
        if (favoured != 0 && favoured != th->id) {
            store_relaxed(&o->lock, 1);
            bias_exclude_favoured(th, load_acquire(&thread_by_id[favoured]), o); /* [thread.table] */
        }
    }
    /* acquire: who sees it merged sees what its owner did in sections; pairs with merge() [refcount.shared] */
    uint32_t owner = load_acquire(&o->owner);
    if ((load_relaxed(&o->bits) & BIT_SHARED) == 0 && owner != OWNER_MERGED &&
        owner <= THREAD_ID_MAX && owner != th->id)
        bias_exclude(load_acquire(&thread_by_id[owner]), o); /* [thread.table] */
}

/* Takes the lock of an object that is not open to th, which has no section open. */
static bool
lock_really(Thread *th, Object *o)
{
    uint8_t free_state = 0;
    if (LIKELY((load_relaxed(&o->bits) & BIT_SHARED) && cas_acquire(&o->lock, &free_state, 1)))
        return LIKELY(--th->favour_in != 0) || !favour(th, o);
    lock_excluding(th, o);
    return true;
}

bool
object_lock_slow(Thread *th, Object *o)
{
    if (load_relaxed(&threads_started) == 0)
        return false; /* nobody else is there: the section stays */
    section_clear(th);
    return lock_really(th, o);
}

bool
object_touch_lock_slow(Thread *th, Object *o)
{
    if (load_relaxed(&threads_started) == 0) {
        object_touch(th, o);
        return false;
    }
    section_clear(th);
    object_touch(th, o);
    return lock_really(th, o);
}

bool
object_lock_two_slow(Thread *th, Object *a, Object *b)
{
    bool alone = load_relaxed(&threads_started) == 0;
    if (!alone)
        object_section_end_two(th);
    object_touch(th, a);
    object_touch(th, b);
    if (alone)
        return false; /* the sections stay */
    if (a > b) {
        Object *t = a;
        a = b;
        b = t;
    }
    lock_excluding(th, a);
    if (a != b)
        lock_excluding(th, b);
    return true;
}

/* An object that favours the caller goes on to. */
static void
unlock(Object *o)
{
    uint8_t s = load_relaxed(&o->lock);
    ASSERT(s & 1);
    store_release(&o->lock, (uint8_t)(s & ~1u)); /* pairs with object_lock() [mutex.state] */
}

void
object_unlock_two_slow(Object *a, Object *b)
{
    unlock(a);
    if (a != b)
        unlock(b);
}

void
object_share_slow(Object *o)
{
    if (ops_flags_of(object_ops(o)) & OPS_IMMUTABLE) {
        /* No lock: the owner's reads do not depend on it; its death sees the bit through
         * the count that this thread, or its container, gives up (rules A5). */
        object_set_bits(o, BIT_SHARED);
        return;
    }
    /* A writer tests the bit under the lock: it sees it now, or is done before this thread
     * looks [object.shared]. */
    if (load_relaxed(&threads_started) == 0) {
        object_set_bits(o, BIT_SHARED);
        return;
    }
    lock_excluding(thread_current, o);
    object_set_bits(o, BIT_SHARED);
    unlock(o);
}
