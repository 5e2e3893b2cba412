/* credit.h -- references that a thread keeps in hand (docs/refcounts.md).
 *
 * What several threads count all the time -- functions, code objects -- is merged and has the owner
 * OWNER_POOLED.  A thread that drops a reference to such an object keeps it: the next one it
 * takes comes from its own table, and nobody writes the object's header.
 *
 * Kept references are real ones, counted in `shared`.  They are given back when the thread goes
 * offline, when it announces an epoch, and within some 10 ms otherwise (service.c).  The
 * collector leaves them out of the counts it copies.
 */
#ifndef GC_CREDIT_H
#define GC_CREDIT_H

#include "gc/header.h"
#include "threads/thread.h"

#define CREDIT_SLOTS 64u
#define CREDIT_MAX 64u /* references kept of one object */

/* Others read it while the world is stopped, or for a snapshot. */
typedef struct CreditSlot {
    ATOMIC(Object *) object; /* [owner] counts only with credit != 0, else it may be gone */
    ATOMIC(uint32_t) credit; /* [owner] references kept */
} CreditSlot;

typedef struct CreditTable {
    CreditSlot slots[CREDIT_SLOTS];
    uint8_t filled; /* [owner] there may be credit */
} CreditTable;

CreditTable *credit_table_create(void);
void credit_table_destroy(CreditTable *t);

static inline CreditSlot *
credit_slot(CreditTable *t, const Object *o)
{
    return &t->slots[((uintptr_t)o >> 4 ^ (uintptr_t)o >> 10) % CREDIT_SLOTS];
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

/* credit_keep() where `o` has no place yet, or too much is kept of it. */
bool credit_keep_slow(Thread *th, Object *o);

/* Keeps a reference to `o` that is given up; false: the caller has to count.  What was in its
 * place is given back, and may die. */
static inline bool
credit_keep(Thread *th, Object *o)
{
    CreditTable *t = th->credits;
    CreditSlot *s = credit_slot(t, o);
    uint32_t n = load_relaxed(&s->credit);
    if (LIKELY(load_relaxed(&s->object) == o && n < CREDIT_MAX && t->filled)) {
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
