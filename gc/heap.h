/* heap.h -- where objects come from.
 *
 * Objects live in 64 KiB slabs, one size class and one kind (tracked by the
 * collector or not) each, cut from 4 MiB chunks.  A thread allocates from its own
 * slabs without atomics; a cell freed by another thread goes to the slab's remote
 * stack.  Objects above 32 KiB have a slab head of their own.
 *
 * object_new() returns a cell whose header is filled: one local reference, owner
 * th, the body ZEROED.  It is tracked by the collector at once if its type is
 * (zeroed fields are valid: visit skips NULL).  NULL: MemoryError is set (through
 * heap_no_memory, which the error layer installs).
 */
#ifndef GC_HEAP_H
#define GC_HEAP_H

#include "gc/refcount.h"

/* Allocates `size` bytes (header included, >= 16) for an object of shape `shape`. */
RAISES Object *object_new(Thread *th, uint32_t shape, size_t size);

/* The same for a type that object_new's caller knows to be OPS_TRACKED (true) or
 * not (false): no table access. */
RAISES Object *object_new_kind(Thread *th, uint32_t shape, size_t size, bool tracked);

/* Returns the cell to its slab.  The object's count is zero and it holds nothing;
 * called by refcount.c and reclaim.c only. */
void object_free(Thread *th, Object *o);

/* Bytes of the cell that holds `o`. */
size_t object_cell_size(const Object *o);

/* Raises MemoryError; installed by objects/error.  Returns NULL. */
extern void *(*heap_no_memory)(Thread *th);

/* Buffers outside cells: item arrays, tables, text.  NULL with MemoryError set. */
RAISES void *buffer_new(Thread *th, size_t size);
RAISES void *buffer_new_zeroed(Thread *th, size_t size);
/* Like realloc; on failure the old buffer stays.  Only for unpublished buffers. */
RAISES void *buffer_resize(Thread *th, void *p, size_t size);
void buffer_free(void *p);

/* Bytes in use by slabs of the process, for statistics. */
size_t heap_bytes(void);
/* Live objects (immortals aside) of the interpreter; the world is stopped. */
size_t heap_count_live_stopped(Interp *interp);

#endif
