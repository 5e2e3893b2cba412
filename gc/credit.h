/* credit.h -- references that a thread keeps in hand (docs/refcounts.md).
 *
 * What several threads count all the time -- functions, code objects, constants, names, what their
 * containers have in common -- is merged and has the owner OWNER_POOLED.  A thread that drops a
 * reference to such an object keeps it: the next one it takes comes from its own table, and nobody
 * writes the object's header.  The last reference that is not kept lets it die, unless another running
 * thread keeps one.
 *
 * Kept references are real ones, counted in `shared`.  They are given back when the thread goes
 * offline, when it announces an epoch, and within some 10 ms otherwise (service.c).  The
 * collector leaves them out of the counts it copies.
 */
#ifndef GC_CREDIT_H
#define GC_CREDIT_H

#include "gc/header.h"
#include "gc/refcount_priv.h"
#include "threads/thread.h"

#define CREDIT_SLOTS 256u
#define CREDIT_MAX 256u /* references kept of one object */
#define CREDIT_LOT 128u /* taken or given back at once */

/* Others read it while the world is stopped, or for a snapshot. */
typedef struct CreditSlot {
    ATOMIC(Object *) object; /* [owner] counts only with credit != 0, else it may be gone */
    ATOMIC(uint32_t) credit; /* [owner] references kept */
    uint32_t listed;         /* [owner] its bit in `used` is set */
} CreditSlot;

typedef struct CreditTable {
    CreditSlot slots[CREDIT_SLOTS];
    uint64_t used[CREDIT_SLOTS / 64]; /* [owner] a bit for each slot that may have credit */
    uint8_t filled;                   /* [owner] one of them is set */
} CreditTable;

CreditTable *credit_table_create(void);
void credit_table_destroy(CreditTable *t);

static inline CreditSlot *
credit_slot(CreditTable *t, const Object *o)
{
    return &t->slots[((uintptr_t)o >> 4 ^ (uintptr_t)o >> 12) % CREDIT_SLOTS];
}

/* Takes a kept reference to `o`; false: there is none. */
static inline bool
credit_take(Thread *th, Object *o)
{
    CreditSlot *s = credit_slot(th->credits, o);
    uint32_t n = load_relaxed(&s->credit);
    if (load_relaxed(&s->object) != o || n == 0)
        return false;
    store_relaxed(&s->credit, n - 1); /* its own */
    return true;
}

/* How many references to `o`, of which th keeps none, it had better take at once, as there is room for
 * them; it then gives all but one to credit_fill(). */
uint32_t credit_lot(Thread *th, Object *o);
void credit_fill(Thread *th, Object *o, uint32_t n);

/* credit_keep() where `o` has no place yet, too much is kept of it, or nobody else has it. */
bool credit_keep_slow(Thread *th, Object *o);

/* Keeps a reference to `o` that is given up; false: the caller has to count, as there are no others but
 * those that th kept and has given back now, or too many.  What was in its place is given back, and may
 * die. */
static inline bool
credit_keep(Thread *th, Object *o)
{
    CreditSlot *s = credit_slot(th->credits, o);
    uint32_t n = load_relaxed(&s->credit);
    if (LIKELY(load_relaxed(&s->object) == o && s->listed && n < CREDIT_MAX &&
               shared_count(load_relaxed(&o->shared)) > (int32_t)n + 1)) {
        store_relaxed(&s->credit, n + 1);
        return true;
    }
    return credit_keep_slow(th, o);
}

/* Gives back all that th keeps; objects may die.  th is at a safepoint, or about to go offline. */
void credit_return(Thread *th);
/* In the child of a fork: gives back what `gone` kept. */
void credit_return_of(Thread *th, Thread *gone);

/* How many references to `o` the threads of an interpreter keep; a snapshot. */
int64_t credit_count(Interp *interp, const Object *o);
/* Calls fn for every kept object; the world is stopped. */
void credit_each_stopped(Interp *interp, void (*fn)(void *arg, Object *o, uint32_t n), void *arg);

#endif
