/* heap.h -- where objects come from.
 *
 * Objects live in 64 KiB slabs, one size class and one kind (tracked by the
 * collector or not) each, cut from 4 MiB chunks.  A thread allocates from its own
 * slabs without atomics; a cell freed by another thread goes to the slab's remote
 * stack.  Objects above 32 KiB have a slab head of their own.  See slab.h.
 *
 * object_new() returns a cell whose header is filled: one local reference, owner
 * th, the body ZEROED.  It is tracked by the collector at once if its type is
 * (zeroed fields are valid: visit skips NULL).  NULL: MemoryError is set (through
 * heap_no_memory, which the error layer installs).
 */
#ifndef GC_HEAP_H
#define GC_HEAP_H

#include <string.h>

#include "base/mem.h"
#include "gc/refcount.h"
#include "gc/slab.h"

/* Allocates `size` bytes (header included, >= 16) for an object of shape `shape`.  Born
 * shared if its type is OPS_BORN_SHARED. */
RAISES Object *object_new(Thread *th, uint32_t shape, size_t size);

/* The same for a type that object_new's caller knows to be OPS_TRACKED (true) or
 * not (false): no table access; BIT_SHARED is the caller's business. */
RAISES Object *object_new_kind(Thread *th, uint32_t shape, size_t size, bool tracked);

/* The rare half: no free cell at hand, or a large object. */
RAISES COLD Object *object_new_slow(Thread *th, uint32_t shape, size_t size, bool tracked);

/* object_new_kind() in line, for a `size` known when compiling, at most CELL_MAX: about
 * 2 ns with object_free(). */
RAISES ALWAYS_INLINE Object *
object_new_fast(Thread *th, uint32_t shape, size_t size, bool tracked)
{
    Heap *heap = th->heap;
    Slab *slab = heap->current[tracked][size_class(size)];
    HeapCell *cell = slab->free;
    if (UNLIKELY(cell == NULL || mem_fails_now()))
        return object_new_slow(th, shape, size, tracked);
    slab->free = cell->next;
    store_relaxed(&slab->used, load_relaxed(&slab->used) + 1); /* only the owner writes it */
    /* Nobody else sees the cell before it is published. */
    uint64_t low = (uint64_t)shape | (uint64_t)1 << 32; /* shape, local = 1 */
    uint64_t high = heap->header_high[tracked];         /* shared = 0, owner, lock = 0, bits */
    memcpy((void *)cell, &low, 8);
    memcpy((char *)cell + 8, &high, 8);
    if (size > 16) {
        size = (size + 15) & ~(size_t)15;
        memory_allow((char *)cell + 16, size - 16);
        memset((char *)cell + 16, 0, size - 16);
    }
    return (Object *)(void *)cell;
}

/* object_new_kind() in line, but of the body only what object_new_slow() clears is clear: the
 * caller writes all of it, up to `size`, before anything that may reach a safepoint. */
RAISES ALWAYS_INLINE Object *
object_new_bare(Thread *th, uint32_t shape, size_t size, bool tracked)
{
    if (UNLIKELY(size > CELL_MAX))
        return object_new_slow(th, shape, size, tracked);
    Heap *heap = th->heap;
    Slab *slab = heap->current[tracked][size_class(size)];
    HeapCell *cell = slab->free;
    if (UNLIKELY(cell == NULL))
        return object_new_slow(th, shape, size, tracked);
    slab->free = cell->next;
    store_relaxed(&slab->used, load_relaxed(&slab->used) + 1); /* only the owner writes it */
    uint64_t low = (uint64_t)shape | (uint64_t)1 << 32; /* shape, local = 1 */
    uint64_t high = heap->header_high[tracked];         /* shared = 0, owner, lock = 0, bits */
    memcpy((void *)cell, &low, 8);
    memcpy((char *)cell + 8, &high, 8);
    memory_allow((char *)cell + 16, ((size + 15) & ~(size_t)15) - 16);
    return (Object *)(void *)cell;
}

/* Returns the cell to its slab.  The object's count is zero and it holds nothing;
 * called by refcount.c and reclaim.c only. */
void object_free(Thread *th, Object *o);

/* Bytes of the cell that holds `o`. */
size_t object_cell_size(const Object *o);

/* Whether `o` lies in a heap (false: in static storage). */
bool object_in_heap(const Object *o);

/* Takes `o` out of the collector's sight, or puts it back; th holds the only reference, or
 * it is immutable.  For containers that turn out to hold nothing tracked.  Only for objects
 * made as tracked. */
static inline void
object_untrack(Object *o)
{
    fetch_and_relaxed(&o->bits, (uint8_t)~BIT_TRACKED);
}

static inline void
object_track(Object *o)
{
    fetch_or_relaxed(&o->bits, BIT_TRACKED);
}

/* Raises MemoryError; installed by objects/error.  Returns NULL. */
extern void *(*heap_no_memory)(Thread *th);

/* Buffers outside cells: item arrays, tables, text.  NULL with MemoryError set. */
RAISES void *buffer_new(Thread *th, size_t size);
RAISES void *buffer_new_zeroed(Thread *th, size_t size);
/* Like realloc; on failure the old buffer stays.  Only for unpublished buffers. */
RAISES void *buffer_resize(Thread *th, void *p, size_t size);
void buffer_free(void *p);

/* The same for buffers that come and go all the time: small ones are kept by the thread that
 * frees them.  small_buffer_free() is told the size; buffer_free() may be used instead.  In debug
 * builds and under sanitizers nothing is kept. */
#if defined(WEFT_DEBUG) || WEFT_ASAN || WEFT_TSAN
#define KEEP_SMALL_BUFFERS 0
#else
#define KEEP_SMALL_BUFFERS 1
#endif
RAISES ALWAYS_INLINE void *
small_buffer_new(Thread *th, size_t size)
{
    if (KEEP_SMALL_BUFFERS && LIKELY(size - 1 < SMALL_BUFFER_MAX)) {
        Heap *heap = th->heap;
        size_t i = (size - 1) >> 4;
        SmallBuffer *b = heap->small[i];
        if (LIKELY(b != NULL)) {
            heap->small[i] = b->next;
            heap->small_count[i]--;
            return b;
        }
        size = (size + 15) & ~(size_t)15;
    }
    return buffer_new(th, size);
}

/* `size` as it was given to small_buffer_new(); `p` is not NULL. */
ALWAYS_INLINE void
small_buffer_free(Thread *th, void *p, size_t size)
{
    if (KEEP_SMALL_BUFFERS && LIKELY(size - 1 < SMALL_BUFFER_MAX)) {
        Heap *heap = th->heap;
        size_t i = (size - 1) >> 4;
        if (LIKELY(heap->small_count[i] < SMALL_BUFFER_KEPT)) {
            SmallBuffer *b = p;
            b->next = heap->small[i];
            heap->small[i] = b;
            heap->small_count[i]++;
            return;
        }
    }
    buffer_free(p);
}

/* Bytes in use by slabs of the process, for statistics. */
size_t heap_bytes(void);
/* Live objects (immortals aside) of the interpreter; the world is stopped. */
size_t heap_count_live_stopped(Interp *interp);

/* Calls fn(o, arg) for every object in `interp`'s slabs, tracked or not, until it returns
 * false.  The world is stopped; fn allocates and frees nothing. */
void heap_each_object_stopped(Interp *interp, bool (*fn)(Object *o, void *arg), void *arg);

/* Tracked cells in use by all contexts of `interp`; a snapshot. */
size_t heap_tracked_cells(Interp *interp);

/* Proves the invariants of all slabs of `interp` (heap_check.c); aborts on a broken one.
 * The world is stopped. */
void heap_check_stopped(Interp *interp);

#endif
