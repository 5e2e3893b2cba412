/* weakref.h -- weak cells: who points at an object without keeping it alive.
 *
 * A weak reference object (objects/model/weakref_type.c) starts with a WeakCell.
 * The cells of one referent form a list that hangs in a striped hash table keyed by
 * the referent's address, so no object pays for what few have.  When the referent's
 * count reaches zero (or the collector condemns it), its cells are cleared first,
 * then callbacks are queued, newest first, as CPython does.
 */
#ifndef GC_WEAKREF_H
#define GC_WEAKREF_H

#include "gc/field.h"

typedef struct WeakCell {
    struct Object head;
    ATOMIC(Object *) referent;     /* [lock] stripe; uncounted; NULL once cleared */
    Field callback;                /* called with the weak reference, or NULL */
    struct WeakCell *next, *prev;  /* [lock] stripe */
    uint8_t rank;                  /* [const] WEAK_ values: its place in the list */
} WeakCell;

/* The cells of one referent stand in this order: the two kinds that are shared first, then
 * all others (with a callback, or of a subclass), newest first.  It can be seen through
 * weakref.getweakrefs() and `__weakref__`. */
enum { WEAK_PLAIN_REF, WEAK_PLAIN_PROXY, WEAK_OTHER };

/* A cell's `callback` and `rank` are set before it is linked.  Its type's dealloc calls
 * weak_cell_unlink() before anything else. */

/* Links a new cell (referent not yet set) to `o`.  th holds a reference to both. */
RAISES bool weak_cell_link(Thread *th, WeakCell *cell, Object *o);
/* Unlinks a cell that dies or is cleared by hand; does nothing if it is cleared. */
void weak_cell_unlink(Thread *th, WeakCell *cell);
/* A new reference to the referent, or NULL if it is dead. */
Value weak_cell_get(Thread *th, WeakCell *cell);
/* A new reference to an existing cell of `o` of exactly shape `shape` that is not of rank
 * WEAK_OTHER, or NULL: plain weak references without callback are shared. */
Value weak_cell_reuse(Thread *th, Object *o, uint32_t shape);
/* How many cells `o` has; and calls fn(cell, arg) for each under the stripe's lock
 * (fn may retain, must not drop or allocate objects). */
size_t weak_cells_of(Object *o, void (*fn)(Thread *th, WeakCell *cell, void *arg), Thread *th,
                     void *arg);
/* Clears all cells of a dying object, queues callbacks to th's pending list. */
void weak_cells_clear(Thread *th, Object *o);

/* Calls a weak reference's callback with it and reports what it raises; installed by
 * objects/model/weakref_type.c. */
extern void (*weak_callback)(Thread *th, Value cell, Value callback);

#endif
