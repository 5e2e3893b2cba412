/* credit.c -- references that a thread keeps in hand; see credit.h.
 *
 * The table is direct-mapped.  Only drops put something in: a drop may let another object die, as
 * the one that has to make room, and holds no lock; taking a reference may do neither.
 *
 * Locks: none.  Process-wide state: none.
 */
#include "gc/credit.h"

#include "base/mem.h"
#include "gc/reclaim_priv.h"
#include "gc/refcount.h"
#include "threads/interp.h"

CreditTable *
credit_table_create(void)
{
    return mem_alloc_lines(sizeof(CreditTable));
}

void
credit_table_destroy(CreditTable *t)
{
    mem_free(t);
}

static void
give_back(Thread *th, CreditSlot *s)
{
    uint32_t n = load_relaxed(&s->credit);
    Object *o = load_relaxed(&s->object);
    store_relaxed(&s->credit, 0); /* first: a death may come back here */
    if (n != 0)
        object_drop_many(th, o, n);
}

bool
credit_keep_slow(Thread *th, Object *o)
{
    CreditTable *t = th->credits;
    CreditSlot *s = credit_slot(t, o);
    uint32_t n = load_relaxed(&s->credit);
    if (load_relaxed(&s->object) != o) {
        if (n != 0)
            give_back(th, s);
        if (load_relaxed(&s->credit) != 0) /* a death filled the place anew */
            return false;
        store_relaxed(&s->object, o);
        n = 0;
    }
    if (n >= CREDIT_MAX)
        return false;
    store_relaxed(&s->credit, n + 1);
    if (UNLIKELY(!t->filled)) {
        t->filled = 1;
        reclaim_watch(th);
    }
    return true;
}

void
credit_return(Thread *th)
{
    CreditTable *t = th->credits;
    while (t->filled) {
        t->filled = 0;
        for (uint32_t i = 0; i < CREDIT_SLOTS; i++)
            give_back(th, &t->slots[i]);
    }
}

void
credit_return_of(Thread *th, Thread *gone)
{
    CreditTable *t = gone->credits;
    t->filled = 0;
    for (uint32_t i = 0; i < CREDIT_SLOTS; i++)
        give_back(th, &t->slots[i]);
}

int64_t
credit_count(Interp *interp, const Object *o)
{
    int64_t n = 0;
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next)) {
        const CreditSlot *s = credit_slot(t->credits, o);
        if (load_relaxed(&s->object) == o)
            n += load_relaxed(&s->credit);
    }
    return n;
}

void
credit_each_stopped(Interp *interp, void (*fn)(void *arg, Object *o, uint32_t n), void *arg)
{
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next)) {
        for (uint32_t i = 0; i < CREDIT_SLOTS; i++) {
            uint32_t n = load_relaxed(&t->credits->slots[i].credit);
            if (n != 0)
                fn(arg, load_relaxed(&t->credits->slots[i].object), n);
        }
    }
}
