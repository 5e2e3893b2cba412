/* finalize.c -- what happens to garbage: weak callbacks, finalizers, resurrection.
 *
 * In the first stop every garbage object is counted once by the collection, so that none
 * dies while others are looked at, and the weak references to it are cleared: nobody can
 * find a way back in.  Callbacks are queued for weak references that are not garbage
 * themselves.
 */
#include "base/assert.h"
#include "gc/collect_priv.h"
#include "gc/pending.h"
#include "gc/weakref_priv.h"

static bool
is_unmarked(const void *o)
{
    int32_t *number = candidate_of(o);
    return number && *number >= 0 && *number < CELL_MARKED;
}


static void
gather_slab(Collection *c, Slab *s)
{
    if (s->counts == NULL)
        return;
    for (uint32_t i = 0; i < s->carved; i++) {
        int32_t n = s->counts[i];
        if (n == CELL_NONE)
            continue;
        Object *o = slab_cell(s, i);
        if (n >= CELL_MARKED) {
            if (!(object_bits(o) & BIT_OLD))
                object_set_bits(o, BIT_OLD);
            continue;
        }
        ASSERT(n == 0);
        if (object_list_push(&c->garbage, o)) {
            object_retain(c->th, o);
            if (object_bits(o) & BIT_DEFERRED)
                c->types = true;
        } else
            c->no_memory = true;
    }
    s->young = s->state == SLAB_CURRENT; /* its heap goes on making objects here */
}

/* Collects the unmarked candidates in c->garbage; whether there are any.  Without memory
 * for all of them none may be touched: an instance could be left out, and its type not. */
bool
finalize_gather_stopped(Collection *c)
{
    candidates_each_slab(c, gather_slab);
    return c->garbage.count != 0 && !c->no_memory;
}

static bool
wants_callback(WeakCell *cell, void *arg)
{
    (void)arg;
    return !is_unmarked(cell);
}

static bool
wants_none(WeakCell *cell, void *arg)
{
    (void)cell;
    (void)arg;
    return false;
}

void
finalize_weakrefs_stopped(Collection *c, bool callbacks)
{
    for (size_t i = 0; i < c->garbage.count; i++) {
        Object *o = c->garbage.items[i];
        if ((object_bits(o) & BIT_WEAKREFS) && is_unmarked(o))
            weak_cells_clear_if(c->th, o, callbacks ? wants_callback : wants_none, NULL);
    }
}

/* The finalizers of the garbage whose types have the flag `del`, 0: all; whether any ran. */
static bool
run_some(Collection *c, uint32_t del)
{
    bool ran = false;
    for (size_t i = 0; i < c->garbage.count; i++) {
        Object *o = c->garbage.items[i];
        TypeOps *ops = object_ops(o);
        uint32_t flags = ops_flags_of(ops);
        if (!(flags & OPS_FINALIZER) || (flags & del) != del || (object_bits(o) & BIT_FINALIZED) ||
            (ops->wants_finalize && !ops->wants_finalize(o)))
            continue;
        object_set_bits(o, BIT_FINALIZED);
        Value error = c->th->error;
        c->th->error = NULL;
        object_finalize(c->th, o);
        ASSERT(c->th->error == NULL);
        c->th->error = error;
        ran = true;
    }
    return ran;
}

/* Runs the finalizers of the garbage, each object's once; whether any ran.  Those of the program
 * come first: they may still want the files and sockets that native finalizers close. */
bool
finalize_run(Collection *c)
{
    bool ran = run_some(c, OPS_DEL);
    return run_some(c, 0) || ran;
}

/* Lists the types among the garbage that no cell of the garbage names any more: they may
 * die of their count.  The others are cleared like everything else, and stay for a later
 * collection: their instances may wait in a retire queue and still need them. */
void
finalize_condemn_types_stopped(Collection *c)
{
    c->condemned.count = 0;
    if (!c->types)
        return;
    for (size_t i = 0; i < c->garbage.count; i++) {
        int32_t *type = candidate_of(object_ops(c->garbage.items[i]));
        if (type && *type >= 0)
            *type = CELL_ROOT; /* has an instance */
    }
    for (size_t i = 0; i < c->garbage.count; i++) {
        Object *o = c->garbage.items[i];
        int32_t *number = candidate_of(o);
        if ((object_bits(o) & BIT_DEFERRED) && number && *number == 0)
            (void)object_list_push(&c->condemned, o); /* no memory: a later collection does it */
    }
}
