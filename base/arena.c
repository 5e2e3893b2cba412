/* arena.c -- allocate much, free once.
 *
 * Blocks start at 8 KiB and double up to 1 MiB.  A request that is large for
 * the present block size gets a block of its own, put behind the newest one,
 * so that the newest one's rest stays usable.
 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct ArenaBlock {
    ArenaBlock *older;
    size_t size;
    char bytes[];
};

#define BLOCK_FIRST ((size_t)8 << 10)
#define BLOCK_LAST ((size_t)1 << 20)

static ArenaBlock *
block_new(Arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(ArenaBlock)) {
        return NULL;
    }
    ArenaBlock *block = malloc(sizeof(ArenaBlock) + size);
    if (block != NULL) {
        block->size = size;
        arena->total += sizeof(ArenaBlock) + size;
    }
    return block;
}

void *
arena_alloc_slow(Arena *arena, size_t size)
{
    size_t usual = BLOCK_FIRST;
    if (arena->blocks != NULL) {
        usual = arena->total < BLOCK_LAST ? arena->total : BLOCK_LAST;
    }
    usual = (usual & ~(size_t)4095) - sizeof(ArenaBlock) - 32;
    if (arena->blocks != NULL && size > usual / 4) {
        ArenaBlock *block = block_new(arena, size);
        if (block == NULL) {
            return NULL;
        }
        block->older = arena->blocks->older;
        arena->blocks->older = block;
        return block->bytes;
    }
    ArenaBlock *block = block_new(arena, size > usual ? size : usual);
    if (block == NULL) {
        return NULL;
    }
    block->older = arena->blocks;
    arena->blocks = block;
    arena->next = block->bytes + size;
    arena->limit = block->bytes + block->size;
    return block->bytes;
}

void *
arena_calloc(Arena *arena, size_t size)
{
    void *result = arena_alloc(arena, size);
    if (result != NULL) {
        memset(result, 0, size);
    }
    return result;
}

char *
arena_copy(Arena *arena, const char *bytes, size_t length)
{
    char *result = arena_alloc(arena, length + 1);
    if (result != NULL) {
        memcpy(result, bytes, length);
        result[length] = '\0';
    }
    return result;
}

void
arena_free(Arena *arena)
{
    ArenaBlock *block = arena->blocks;
    while (block != NULL) {
        ArenaBlock *older = block->older;
        free(block);
        block = older;
    }
    *arena = ARENA_INIT;
}
