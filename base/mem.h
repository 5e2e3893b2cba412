/* mem.h -- memory that is not an object: checked allocation.
 *
 * Blocks come from mimalloc, or from libc's malloc in builds with a sanitizer
 * (WEFT_LIBC_MALLOC).  Every function returns NULL when there is no memory and
 * raises nothing: this level knows no exceptions.  Blocks are aligned to 16 bytes.
 *
 * In debug builds the n-th allocation can be made to fail, so that a test can walk
 * through every out-of-memory path of a scenario.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdint.h>

#include "base/attrs.h"
#include "base/sanitize.h"

void *mem_alloc(size_t size);
void *mem_alloc_zeroed(size_t size);
/* Like realloc: on failure the old block stays as it was. */
void *mem_resize(void *p, size_t size);
/* The same; of a block whose first `used` bytes count, what follows them is zero afterwards. */
void *mem_resize_zeroed(void *p, size_t used, size_t size);
/* For what is freed again soon, and may be large: then it goes back to the system at once. */
void *mem_alloc_brief(size_t size);
/* A block that is resized to this many bytes or more becomes a mapping of its own (mem_map.h). */
#define MEM_MAPPED ((size_t)1 << 20)
/* `align` is a power of two. */
void *mem_alloc_aligned(size_t size, size_t align);
/* Zeroed, for what one thread writes all the time: no other block lies in its cache lines, nor in those
 * that the processor fetches along with them (the other line of a pair, the next lines). */
void *mem_alloc_lines(size_t size);
/* Frees what any of the above returned; NULL is nothing. */
void mem_free(void *p);

/* Around the life of an OS thread: keeps one block of each middle size in use, whose memory is never
 * touched.  mimalloc gives a page back when its last block is freed, and makes it again for the next;
 * a thread whose only table of some size comes and goes would pay for that each time. */
#define MEM_PINS 24
typedef struct MemPins {
    void *block[MEM_PINS];
} MemPins;
void mem_pin(MemPins *pins);
void mem_unpin(MemPins *pins);

/* How many bytes of the block at `p` may be used; at least what was asked for. */
size_t mem_usable_size(void *p);

/* Makes the n-th allocation (of a block, an object, or room in a VEC) from now fail (1: the next one), once; 0: none.  Only
 * in debug builds; elsewhere it does nothing. */
void mem_fail_nth(uint64_t n);
/* Whether the failure asked for by mem_fail_nth() has happened. */
int mem_has_failed(void);
/* Whether the allocation that is being made is the one that fails: asked by whatever does not
 * come from the functions above. */
#ifdef WEFT_DEBUG
int mem_fails_now(void);
#else
#define mem_fails_now() 0
#endif

#endif
