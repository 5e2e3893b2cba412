/* credit.c -- references that a thread keeps in hand; see credit.h.
 *
 * The table is direct-mapped.  Only drops make room in it: a drop may let another object die and holds
 * no lock.  Who takes a reference may hold locks, and puts more of them only where there is room.
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

static void
list_slot(CreditTable *t, CreditSlot *s)
{
    uint32_t i = (uint32_t)(s - t->slots);
    t->used[i / 64] |= (uint64_t)1 << i % 64;
    s->listed = 1;
}

uint32_t
credit_lot(Thread *th, Object *o)
{
    CreditTable *t = th->credits;
    /* If it is filled already somebody will see that all goes back. */
    return t->filled && load_relaxed(&credit_slot(t, o)->credit) == 0 ? CREDIT_LOT : 1;
}

void
credit_fill(Thread *th, Object *o, uint32_t n)
{
    CreditSlot *s = credit_slot(th->credits, o);
    store_relaxed(&s->object, o);
    store_relaxed(&s->credit, n);
    list_slot(th->credits, s);
}

bool
credit_keep_slow(Thread *th, Object *o)
{
    CreditTable *t = th->credits;
    CreditSlot *s = credit_slot(t, o);
    uint32_t n = load_relaxed(&s->credit);
    if (load_relaxed(&s->object) != o)
        n = 0;
    /* Relaxed: who counts meanwhile makes it live a little longer, or finds the last one himself. */
    if (shared_count(load_relaxed(&o->shared)) <= (int32_t)n + 1) {
        if (n != 0)
            give_back(th, s); /* the caller has one more */
        return false;
    }
    if (n >= CREDIT_MAX) {
        store_relaxed(&s->credit, n - CREDIT_LOT);
        object_drop_many(th, o, CREDIT_LOT); /* it has more */
        return credit_keep(th, o);
    }
    if (load_relaxed(&s->object) != o) {
        give_back(th, s);
        if (load_relaxed(&s->credit) != 0) /* a death filled the place anew */
            return false;
        store_relaxed(&s->object, o);
    }
    store_relaxed(&s->credit, n + 1);
    list_slot(t, s);
    if (UNLIKELY(!t->filled)) {
        t->filled = 1;
        reclaim_watch(th);
    }
    return true;
}

static void
give_back_all(Thread *th, CreditTable *t)
{
    while (t->filled) {
        t->filled = 0;
        for (uint32_t word = 0; word < ARRAY_LEN(t->used); word++)
            while (t->used[word] != 0) {
                uint32_t i = (uint32_t)__builtin_ctzll(t->used[word]);
                t->used[word] &= t->used[word] - 1; /* first: a death may come back here */
                t->slots[word * 64 + i].listed = 0;
                give_back(th, &t->slots[word * 64 + i]);
            }
    }
}

void
credit_return(Thread *th)
{
    give_back_all(th, th->credits);
}

void
credit_return_of(Thread *th, Thread *gone)
{
    give_back_all(th, gone->credits);
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
