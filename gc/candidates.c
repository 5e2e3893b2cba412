/* candidates.c -- walking the heap, copying counts.
 *
 * Each candidate's count is copied into an array beside its slab, so that the collector can
 * subtract from it without touching the object.  Objects that must live get CELL_ROOT:
 * immortal ones, those in a merge queue, and dead ones that wait in a retire queue (rules
 * E4: nothing is drained in the stop, a queued reference is a reference from outside).
 */
#include "base/assert.h"
#include "base/mem.h"
#include "gc/collect_priv.h"
#include "gc/credit.h"

bool
object_list_push(ObjectList *list, Object *o)
{
    if (UNLIKELY(list->count == list->capacity)) {
        size_t grown = list->capacity ? list->capacity * 2 : 256;
        Object **items = list->stuck ? NULL : mem_resize(list->items, grown * sizeof(*items));
        if (items == NULL) {
            list->stuck = true;
            return false;
        }
        list->items = items;
        list->capacity = grown;
    }
    list->items[list->count++] = o;
    return true;
}

void
object_list_free(ObjectList *list)
{
    mem_free(list->items);
    *list = (ObjectList){0};
}

static void
each_slab(Collection *c, bool frozen, void (*fn)(Collection *c, Slab *s))
{
    for (Thread *t = load_acquire(&c->interp->threads); t; t = load_relaxed(&t->next))
        for (Slab *s = t->heap ? t->heap->slabs : NULL, *next; s; s = next) {
            next = s->next;
            if (s->tracked && s->frozen == frozen)
                fn(c, s);
        }
}

void
candidates_each_slab(Collection *c, void (*fn)(Collection *c, Slab *s))
{
    each_slab(c, false, fn);
}

void
candidates_each_frozen(Collection *c, void (*fn)(Collection *c, Slab *s))
{
    each_slab(c, true, fn);
}

static void
count_cells(Collection *c, Slab *s)
{
    if (c->full || s->young)
        c->cells += s->carved;
}

static int32_t
number_of(Collection *c, Object *o)
{
    uint8_t bits = load_relaxed(&o->bits);
    if (load_relaxed(&o->shape) == 0 || !(bits & BIT_TRACKED))
        return CELL_NONE;
    if (!c->full && (bits & (BIT_OLD | BIT_DEFERRED)))
        return CELL_NONE;
    uint32_t shared = load_relaxed(&o->shared);
    if (load_relaxed(&o->owner) == OWNER_IMMORTAL || object_is_dead(o) ||
        (shared & SHARED_STATE) == SHARED_QUEUED)
        return CELL_ROOT;
    int64_t n = (int64_t)load_relaxed(&o->local) + shared_count(shared);
    ASSERT(n >= 0);
    if (n == 0 && !(bits & BIT_DEFERRED))
        return CELL_ROOT; /* somebody is about to let it die */
    return n < CELL_ROOT ? (int32_t)n : CELL_ROOT;
}

static void
number_slab(Collection *c, Slab *s)
{
    s->counts = NULL;
    if (!c->full && !s->young)
        return;
    s->counts = c->counts + c->cells;
    c->cells += s->carved;
    for (uint32_t i = 0; i < s->carved; i++)
        s->counts[i] = number_of(c, slab_cell(s, i));
}

/* What threads keep in hand is no reference from outside. */
static void
leave_out_credit(void *arg, Object *o, uint32_t n)
{
    (void)arg;
    int32_t *number = candidate_of(o);
    if (number == NULL || *number < 0 || *number >= CELL_ROOT)
        return;
    ASSERT(*number >= (int32_t)n);
    *number -= (int32_t)n;
}

bool
candidates_take(Collection *c)
{
    c->cells = 0;
    candidates_each_slab(c, count_cells);
    c->counts = mem_alloc_brief((c->cells + 1) * sizeof(*c->counts));
    if (c->counts == NULL)
        return false;
    c->cells = 0;
    candidates_each_slab(c, number_slab);
    credit_each_stopped(c->interp, leave_out_credit, NULL);
    return true;
}

static void
number_slab_none(Collection *c, Slab *s)
{
    s->counts = c->counts + c->cells;
    c->cells += s->carved;
    for (uint32_t i = 0; i < s->carved; i++)
        s->counts[i] = CELL_NONE;
}

/* Numbers for the garbage only, as it is now, this collection's own count left out. */
bool
candidates_take_garbage(Collection *c)
{
    bool full = c->full;
    c->full = true; /* the world went on: any slab may have become old, or young */
    c->cells = 0;
    candidates_each_slab(c, count_cells);
    c->full = full;
    c->counts = mem_alloc_brief((c->cells + 1) * sizeof(*c->counts));
    if (c->counts == NULL)
        return false;
    c->cells = 0;
    candidates_each_slab(c, number_slab_none);
    for (size_t i = 0; i < c->garbage.count; i++) {
        Object *o = c->garbage.items[i];
        int32_t *number = candidate_of(o);
        if (number == NULL)
            continue; /* frozen meanwhile */
        uint32_t shared = load_relaxed(&o->shared);
        int64_t n = (int64_t)load_relaxed(&o->local) + shared_count(shared) - 1;
        ASSERT(n >= 0);
        if (load_relaxed(&o->owner) == OWNER_IMMORTAL || n > CELL_ROOT ||
            (shared & SHARED_STATE) == SHARED_QUEUED)
            n = CELL_ROOT;
        *number = (int32_t)n;
    }
    credit_each_stopped(c->interp, leave_out_credit, NULL);
    return true;
}

static void
release_slab_numbers(Collection *c, Slab *s)
{
    (void)c;
    s->counts = NULL;
}

void
candidates_release(Collection *c)
{
    candidates_each_slab(c, release_slab_numbers);
    mem_free(c->counts);
    c->counts = NULL;
}
