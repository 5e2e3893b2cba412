/* remote_free.c -- cells freed by a thread that does not own their slab.
 *
 * Two Treiber stacks, both emptied as a whole: each slab's `remote` (cells) and each
 * heap's `remote_slabs` (slabs whose `remote` is not empty).  Who pushes the first cell
 * of a slab pushes the slab, too; the owner takes the list of slabs, then each slab's
 * cells.  Between the two others may push cells that the owner then finds as well; who
 * finds `remote` empty after that pushes the slab again.
 *
 *     operation x operation   push            take all
 *     push                    lock-free       lock-free (exchange)
 *     take all                                the owner only
 *
 * No ABA: nothing is popped singly.  Memory of cells and heads stays while the owner's
 * heap lives: a slab whose `remote` is not empty counts those cells as used.
 */
#include "base/assert.h"
#include "gc/slab.h"

void
cell_free_remote(Slab *s, HeapCell *cell)
{
    HeapCell *head = load_relaxed(&s->remote);
    do
        cell->next = head;
    while (!cas_acq_rel(&s->remote, &head, cell)); /* release: the cell [heap.remote] */
    if (head != NULL)
        return; /* the slab is listed, or about to be */
    Heap *h = s->heap;
    Slab *first = load_relaxed(&h->remote_slabs);
    do
        s->next_remote = first;
    while (!cas_acq_rel(&h->remote_slabs, &first, s)); /* release: next_remote [heap.remote] */
}

bool
heap_take_remote(Heap *h)
{
    if (load_relaxed(&h->remote_slabs) == NULL)
        return false;
    Slab *next;
    /* acquire: pairs with cell_free_remote() [heap.remote] */
    for (Slab *s = exchange_acq_rel(&h->remote_slabs, NULL); s; s = next) {
        next = s->next_remote; /* before the exchange below: after it s may be pushed again */
        HeapCell *after;
        for (HeapCell *cell = exchange_acq_rel(&s->remote, NULL); cell; cell = after) {
            after = cell->next;
            cell->next = s->free;
            s->free = cell;
            uint32_t used = load_relaxed(&s->used) - 1;
            ASSERT(used < s->carved);
            store_relaxed(&s->used, used);
            /* The last cell may take the slab away: then there is no cell after it. */
            if (used == s->notify)
                slab_freed(s);
        }
    }
    return true;
}
