/* mem_map.c -- blocks that are mappings of their own.
 *
 * A block begins with MAP_HEAD bytes that hold the size of its mapping.  Addresses are given out
 * upwards, each block with room to grow behind it; at the end of the part it begins again, and
 * what is still in use there is passed by: the kernel refuses.
 *
 * Process-wide state: the next address; whether the kernel lets us choose at all.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap */
#endif
#include "base/mem_map.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "base/atomic.h"

#define MAP_HEAD ((size_t)64)
#define MAP_PAGE ((size_t)4096)
#define MAP_STEP ((size_t)2 << 20)
#define MAP_TRIES 8

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0 /* then the address is a wish */
#endif

static ATOMIC(uintptr_t) next_address; /* [atomic] 0: nothing was given out yet */
static ATOMIC(uint8_t) refused;        /* [atomic] the kernel gives no addresses there */

static size_t
mapping_size(size_t size)
{
    return (size + MAP_HEAD + MAP_PAGE - 1) & ~(MAP_PAGE - 1);
}

static void *
block_mapping(const void *p)
{
    return (char *)(uintptr_t)p - MAP_HEAD;
}

/* Where the part of the address space begins for this process: different in each. */
static uintptr_t
first_address(void)
{
    uint64_t random = 0;
    const void *bytes = (const void *)getauxval(AT_RANDOM);
    if (bytes != NULL)
        memcpy(&random, bytes, sizeof(random));
    return MAP_LOW + ((random >> 8) & (MAP_SPAN / 2 - 1) & ~(MAP_STEP - 1));
}

/* A range of addresses for `bytes` and for growing to four times as much. */
static uintptr_t
choose_address(size_t bytes)
{
    size_t room = (4 * bytes + 2 * MAP_STEP - 1) & ~(MAP_STEP - 1);
    uintptr_t at = load_relaxed(&next_address), next;
    do {
        uintptr_t from = at;
        if (from == 0)
            from = first_address();
        if (from + room > MAP_LOW + MAP_SPAN)
            from = MAP_LOW;
        next = from + room;
    } while (!cas_relaxed(&next_address, &at, next));
    return next - room;
}

/* A fresh mapping of `bytes`; NULL: there is none. */
static void *
new_mapping(size_t bytes)
{
    if (bytes > MAP_SPAN / 16 || load_relaxed(&refused))
        return NULL;
    for (int i = 0; i < MAP_TRIES; i++) {
        void *wanted = (void *)choose_address(bytes);
        void *p = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (p == wanted)
            return p;
        if (p == MAP_FAILED && errno == ENOMEM)
            return NULL;
        if (p != MAP_FAILED)
            munmap(p, bytes);
    }
    store_relaxed(&refused, 1);
    return NULL;
}

void *
map_new(size_t size)
{
    size_t bytes = mapping_size(size);
    char *start = new_mapping(bytes);
    if (start == NULL)
        return NULL;
    *(size_t *)(void *)start = bytes;
    return start + MAP_HEAD;
}

void *
map_resize(void *p, size_t size)
{
    char *start = block_mapping(p);
    size_t old = *(size_t *)(void *)start, bytes = mapping_size(size);
    if (bytes == old)
        return p;
    void *moved = mremap(start, old, bytes, 0);
    if (moved == MAP_FAILED) {
        void *there = new_mapping(bytes);
        if (there == NULL)
            return NULL;
        moved = mremap(start, old, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, there);
        if (moved == MAP_FAILED) {
            munmap(there, bytes);
            return NULL;
        }
        start = moved;
    }
    *(size_t *)(void *)start = bytes;
    return start + MAP_HEAD;
}

void
map_free(void *p)
{
    char *start = block_mapping(p);
    munmap(start, *(size_t *)(void *)start);
}

size_t
map_size(const void *p)
{
    return *(const size_t *)block_mapping(p) - MAP_HEAD;
}
