/* unreachable.c -- subtracting inner references, marking the rest.
 *
 * After the subtraction a candidate's number says how many references come from outside
 * the candidates.  Those above zero are roots; what can be reached from them is alive.
 * Types are reached from their instances, too, which name them without counting.
 *
 * Marking keeps its own stack, so a list of any length is no problem; if the stack cannot
 * grow, objects stay CELL_MARKED and another pass over the slabs finds them.
 */
#include "base/assert.h"
#include "gc/collect_priv.h"

static void
subtract(Value v, void *arg)
{
    (void)arg;
    if (!value_is_object(v))
        return;
    Object *o = value_object(v);
    int32_t *number = candidate_of(o);
    if (number == NULL || *number == CELL_NONE)
        return;
    if (LIKELY(*number > 0)) {
        --*number;
    } else if (!(object_bits(o) & BIT_DEFERRED)) {
        /* Visited more often than counted: a visit function is wrong.  Keep the object. */
        ASSERT(!"visit() reports a reference that is not counted");
        *number = CELL_ROOT;
    }
}

static void
subtract_slab(Collection *c, Slab *s)
{
    if (s->counts == NULL)
        return;
    for (uint32_t i = 0; i < s->carved; i++) {
        if (s->counts[i] == CELL_NONE)
            continue;
        Object *o = slab_cell(s, i);
        TypeOps *ops = object_ops(o);
        if (ops->visit)
            ops->visit(o, subtract, c);
    }
}

void
unreachable_subtract(Collection *c)
{
    candidates_each_slab(c, subtract_slab);
}

void
unreachable_subtract_garbage(Collection *c)
{
    for (size_t i = 0; i < c->garbage.count; i++) {
        Object *o = c->garbage.items[i];
        int32_t *number = candidate_of(o);
        TypeOps *ops = object_ops(o);
        if (number && *number != CELL_NONE && ops->visit)
            ops->visit(o, subtract, c);
    }
}

/* Marks a candidate that was found to be reachable. */
static inline void
reach(Collection *c, Object *o, int32_t *number)
{
    if (*number == CELL_NONE || *number >= CELL_MARKED)
        return;
    *number = CELL_MARKED;
    if (UNLIKELY(!object_list_push(&c->stack, o)))
        c->stack_overflow = true;
}

static void
mark(Value v, void *arg)
{
    if (!value_is_object(v))
        return;
    Object *o = value_object(v);
    int32_t *number = candidate_of(o);
    if (number)
        reach(arg, o, number);
}

void
unreachable_mark_root(Collection *c, const void *o)
{
    mark(value_of(o), c);
}

static void
scan(Collection *c, Object *o)
{
    TypeOps *ops = object_ops(o);
    if (ops->visit)
        ops->visit(o, mark, c);
    if (c->full)
        mark(value_of(ops), c); /* static types are no candidates */
}

static void
drain(Collection *c)
{
    while (c->stack.count) {
        Object *o = c->stack.items[--c->stack.count];
        *candidate_of(o) = CELL_SCANNED;
        scan(c, o);
    }
}

static void
mark_slab(Collection *c, Slab *s)
{
    if (s->counts == NULL)
        return;
    for (uint32_t i = 0; i < s->carved; i++) {
        int32_t n = s->counts[i];
        if (n > 0 && n < CELL_MARKED) {
            reach(c, slab_cell(s, i), &s->counts[i]);
            drain(c);
        }
    }
}

/* Goes on with objects that found no room in the stack. */
static void
rescan_slab(Collection *c, Slab *s)
{
    if (s->counts == NULL)
        return;
    for (uint32_t i = 0; i < s->carved; i++)
        if (s->counts[i] == CELL_MARKED) {
            s->counts[i] = CELL_SCANNED;
            scan(c, slab_cell(s, i));
            drain(c);
        }
}

static void
finish_marking(Collection *c)
{
    drain(c);
    while (c->stack_overflow) {
        c->stack_overflow = false;
        candidates_each_slab(c, rescan_slab);
    }
}

/* Marks the types of objects that are not candidates themselves: frozen ones, and in the
 * second stop those outside the garbage, of which finalizers may have made some. */
static void
mark_types_of_slab(Collection *c, Slab *s)
{
    for (uint32_t i = 0; i < s->carved; i++) {
        Object *o = slab_cell(s, i);
        if (load_relaxed(&o->shape) != 0 && (s->counts == NULL || s->counts[i] == CELL_NONE))
            mark(value_of(object_ops(o)), c);
    }
}

void
unreachable_mark(Collection *c)
{
    collect_visit_roots(c);
    if (c->full)
        candidates_each_frozen(c, mark_types_of_slab);
    candidates_each_slab(c, mark_slab);
    finish_marking(c);
}

void
unreachable_mark_garbage(Collection *c)
{
    if (c->types) {
        collect_visit_roots(c);
        candidates_each_slab(c, mark_types_of_slab);
        candidates_each_frozen(c, mark_types_of_slab);
    }
    for (size_t i = 0; i < c->garbage.count; i++) {
        Object *o = c->garbage.items[i];
        int32_t *number = candidate_of(o);
        if (number && *number > 0 && *number < CELL_MARKED) {
            reach(c, o, number);
            drain(c);
        }
    }
    finish_marking(c);
}
