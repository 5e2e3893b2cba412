/* mem_map.h -- blocks that are mappings of their own: large arrays that grow, and large ones that are
 * wanted only for a moment.
 *
 * They grow without being copied, and what is freed is the kernel's at once.  A general allocator
 * keeps each of the areas that a growing array leaves behind, together eight times its last size.
 * All of them lie in one part of the address space, so that mem_free() knows them by their address.
 */
#ifndef BASE_MEM_MAP_H
#define BASE_MEM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

#define MAP_LOW ((uintptr_t)1 << 46)
#define MAP_SPAN ((uintptr_t)1 << 44)

ALWAYS_INLINE bool
map_contains(const void *p)
{
    return (uintptr_t)p - MAP_LOW < MAP_SPAN;
}

/* A block of `size` bytes, all zero; NULL: the kernel gives none, here or at all. */
void *map_new(size_t size);
/* The block with another size; what it has more is zero.  NULL: it stays as it was. */
void *map_resize(void *p, size_t size);
void map_free(void *p);
size_t map_size(const void *p);

#endif
