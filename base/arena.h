/* arena.h -- allocate much, free once.
 *
 * An arena hands out zeroed or raw memory from blocks that grow with use and
 * gives all of it back in arena_free().  Nothing is freed one by one and
 * nothing moves.  Memory is aligned to 8 bytes.  An arena belongs to one
 * thread.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    char *next;             /* first free byte of the newest block */
    char *limit;            /* its end */
    ArenaBlock *blocks;     /* newest first */
    size_t total;           /* bytes taken from malloc */
} Arena;

#define ARENA_INIT ((Arena){NULL, NULL, NULL, 0})

/* Gives back every block; the arena is empty and may be used again. */
void arena_free(Arena *arena);

/* The rare half of arena_alloc(): a new block is needed. */
COLD void *arena_alloc_slow(Arena *arena, size_t size);

/* `size` bytes of uninitialised memory, or NULL when there is none. */
static inline void *
arena_alloc(Arena *arena, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (UNLIKELY(size > (size_t)(arena->limit - arena->next))) {
        return arena_alloc_slow(arena, size);
    }
    void *result = arena->next;
    arena->next += size;
    return result;
}

/* `size` bytes of zeros, or NULL. */
void *arena_calloc(Arena *arena, size_t size);

/* A copy of `length` bytes with a zero byte behind it, or NULL. */
char *arena_copy(Arena *arena, const char *bytes, size_t length);

#endif
