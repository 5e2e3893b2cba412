/* chunk.c -- 4 MiB chunks from mimalloc, cut into slabs.
 *
 * Chunks with an unused slab are in a list, searched from its front; a chunk whose slabs are
 * all unused goes back to mimalloc, except two for each context.  A context gets slabs that it had
 * before, if it can: what another has written last lies in the caches of another processor, and
 * fetching 64 KiB from there costs more than fresh pages.  From the fifth chunk on the
 * kernel is asked for huge pages: a growing heap then costs a fraction of the page faults;
 * the first four stay in small pages so that a short program stays small.
 *
 * Process-wide state: the list of chunks (chunks_lock), the map of their addresses (one
 * bit for each 4 MiB of the address space, read without a lock), counters.
 */
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/mem.h"
#include "gc/slab.h"
#include "threads/lock_rank.h"
#include "threads/mutex.h"

static Mutex chunks_lock = MUTEX_INIT(RANK_CHUNKS);
static Chunk *with_room;   /* [lock] chunks with an unused slab */
static uint32_t chunks;    /* [lock] chunks that are cut into slabs */
static uint32_t free_slabs; /* [lock] unused slabs in all of them */
static ATOMIC(size_t) own_bytes;      /* [atomic] chunks for one object */
static ATOMIC(uint32_t) slabs_in_use; /* [atomic] */

/* Slabs a chunk has in all: every bit of `free_mask`. */
#define ALL_FREE (~(uint64_t)0)

#define ADDRESS_BITS 47
#define CHUNK_SHIFT 22
_Static_assert(CHUNK_SIZE == (size_t)1 << CHUNK_SHIFT, "4 MiB");
static ATOMIC(uint64_t) address_map[(size_t)1 << (ADDRESS_BITS - CHUNK_SHIFT - 6)];

static void
map_chunk(const void *chunk, bool present)
{
    uintptr_t n = (uintptr_t)chunk >> CHUNK_SHIFT;
    CHECK(n >> (ADDRESS_BITS - CHUNK_SHIFT) == 0);
    uint64_t bit = (uint64_t)1 << (n & 63);
    /* relaxed: who asks holds a pointer into the chunk, which came after this */
    if (present)
        fetch_or_relaxed(&address_map[n >> 6], bit);
    else
        fetch_and_relaxed(&address_map[n >> 6], ~bit);
}

bool
chunk_contains(const void *p)
{
    uintptr_t n = (uintptr_t)p >> CHUNK_SHIFT;
    return n >> (ADDRESS_BITS - CHUNK_SHIFT) == 0 &&
           (load_relaxed(&address_map[n >> 6]) >> (n & 63) & 1) != 0;
}

static void
list_add(Chunk *c)
{
    c->prev = NULL;
    c->next = with_room;
    if (with_room)
        with_room->prev = c;
    with_room = c;
}

static void
list_remove(Chunk *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        with_room = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->next = c->prev = NULL;
}

static Chunk *
chunk_new_locked(void)
{
    Chunk *c = mem_alloc_aligned(CHUNK_SIZE, CHUNK_SIZE);
    if (c == NULL)
        return NULL;
#ifdef MADV_HUGEPAGE
    bool huge_pages = chunks >= 4 && madvise(c, CHUNK_SIZE, MADV_HUGEPAGE) == 0;
#else
    bool huge_pages = false;
#endif
    memset((void *)c, 0, sizeof(*c));
    c->huge_pages = huge_pages;
    c->size = CHUNK_SIZE;
    c->free_mask = ALL_FREE;
    chunks++;
    free_slabs += CHUNK_SLABS;
    map_chunk(c, true);
    list_add(c);
    return c;
}

static void
chunk_free_locked(Chunk *c)
{
    list_remove(c);
    chunks--;
    free_slabs -= CHUNK_SLABS;
    map_chunk(c, false);
    memory_allow(c, CHUNK_SIZE);
#ifdef MADV_NOHUGEPAGE
    if (c->huge_pages)
        madvise(c, CHUNK_SIZE, MADV_NOHUGEPAGE);
#endif
    mem_free(c);
}

/* The first of `count` slabs in a row out of `mask` that hold `bytes`; -1: none. */
static int
find_run(uint64_t mask, unsigned count, size_t bytes)
{
    uint64_t runs = mask;
    for (unsigned k = 1; k < count && runs; k++)
        runs &= mask >> k;
    while (runs) {
        int i = __builtin_ctzll(runs);
        size_t room = (size_t)count * SLAB_SIZE - (i == 0 ? CHUNK_HEAD : 0);
        if (room >= bytes)
            return i;
        runs &= runs - 1;
    }
    return -1;
}

static uint64_t
run_mask(int first, unsigned count)
{
    uint64_t ones = count == 64 ? ALL_FREE : ((uint64_t)1 << count) - 1;
    return ones << first;
}

/* The slabs of `c` whose last user has the number `id`. */
static uint64_t
last_used_by(const Chunk *c, uint16_t id)
{
    uint64_t mask = 0;
    for (int i = 0; i < CHUNK_SLABS; i++)
        mask |= (uint64_t)(load_relaxed(&c->owner[i]) == id) << i;
    return mask;
}

/* Chunks at the front of the list that are searched for slabs the taker had before. */
#define CHUNKS_SEARCHED 4

/* A run for context `id`: one it had, else one that nobody had, else any.  NULL: there is none. */
static Chunk *
choose_run_locked(unsigned count, size_t bytes, uint16_t id, int *first)
{
    Chunk *fresh = NULL, *c = with_room;
    int fresh_first = -1;
    for (int n = 0; c && n < CHUNKS_SEARCHED; c = c->next, n++) {
        uint64_t mine = c->free_mask & last_used_by(c, id);
        if ((*first = find_run(mine, count, bytes)) >= 0)
            return c;
        if (fresh == NULL) {
            mine |= c->free_mask & last_used_by(c, 0);
            if ((fresh_first = find_run(mine, count, bytes)) >= 0)
                fresh = c;
        }
    }
    *first = fresh_first;
    if (fresh)
        return fresh;
    for (c = with_room; c; c = c->next)
        if ((*first = find_run(c->free_mask, count, bytes)) >= 0)
            break;
    return c;
}

Slab *
chunk_take(unsigned count, size_t bytes, uint16_t id)
{
    ASSERT(count >= 1 && count <= CHUNK_SLABS);
    mutex_lock(NULL, &chunks_lock);
    int first = -1;
    Chunk *c = choose_run_locked(count, bytes, id, &first);
    if (c == NULL) {
        c = chunk_new_locked();
        if (c)
            first = find_run(c->free_mask, count, bytes);
    }
    Slab *s = NULL;
    if (first >= 0) {
        /* relaxed: who frees a cell there got the object after this */
        for (unsigned i = (unsigned)first; i < (unsigned)first + count; i++)
            if (load_relaxed(&c->owner[i]) != id)
                store_relaxed(&c->owner[i], id);
        c->free_mask &= ~run_mask(first, count);
        free_slabs -= count;
        if (c->free_mask == 0)
            list_remove(c);
        s = &c->heads[first];
        memset(s, 0, sizeof(*s));
        s->first = chunk_slab_start(c, (unsigned)first);
    }
    mutex_unlock(&chunks_lock);
    if (s)
        fetch_add_relaxed(&slabs_in_use, count);
    return s;
}

/* Unused slabs that are kept for the next need: two chunks' for each context, 8 in all, as threads may
 * all do what one does: make objects and drop them again. */
static uint32_t
slabs_kept(void)
{
    uint32_t contexts = load_relaxed(&thread_id_high);
    return CHUNK_SLABS * (contexts < 4 ? 2 * contexts : 8);
}

void
chunk_give_back(Slab *s, unsigned count)
{
    Chunk *c = chunk_of(s); /* a head lies in the first slab of its chunk */
    int first = (int)(s - c->heads);
    s->state = SLAB_UNUSED;
    fetch_add_relaxed(&slabs_in_use, -count);
    mutex_lock(NULL, &chunks_lock);
    ASSERT((c->free_mask & run_mask(first, count)) == 0);
    if (c->free_mask == 0)
        list_add(c);
    c->free_mask |= run_mask(first, count);
    free_slabs += count;
    if (c->free_mask == ALL_FREE && free_slabs > slabs_kept())
        chunk_free_locked(c);
    else if (!c->huge_pages && free_slabs > CHUNK_SLABS + slabs_kept() &&
             free_slabs > chunks * CHUNK_SLABS / 2) {
        /* Much is unused, but scattered: let the kernel have these pages. */
        char *start = chunk_slab_start(c, (unsigned)first);
        char *end = (char *)c + ((size_t)(first + (int)count) << SLAB_SHIFT);
        char *page = (char *)(((uintptr_t)start + 4095) & ~(uintptr_t)4095);
        if (page < end)
            madvise(page, (size_t)(end - page), MADV_DONTNEED);
    }
    mutex_unlock(&chunks_lock);
}

Slab *
chunk_take_own(size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        return NULL;
    size_t size = CHUNK_HEAD + bytes;
    Chunk *c = mem_alloc_aligned(size, CHUNK_SIZE);
    if (c == NULL)
        return NULL;
    memset((void *)c, 0, sizeof(*c));
    c->size = size;
    c->own = 1;
    c->heads[0].first = (char *)c + CHUNK_HEAD;
    map_chunk(c, true);
    fetch_add_relaxed(&own_bytes, size);
    return &c->heads[0];
}

void
chunk_give_back_own(Slab *s)
{
    Chunk *c = chunk_of(s);
    map_chunk(c, false);
    fetch_add_relaxed(&own_bytes, -c->size);
    memory_allow(c, c->size);
    mem_free(c);
}

size_t
chunk_bytes_in_use(void)
{
    return (size_t)load_relaxed(&slabs_in_use) * SLAB_SIZE + load_relaxed(&own_bytes);
}

void
chunk_lock_for_fork(void)
{
    mutex_lock(NULL, &chunks_lock);
}

void
chunk_unlock_after_fork(void)
{
    mutex_unlock(&chunks_lock);
}

void
chunk_reset_in_child(void)
{
    mutex_reset(&chunks_lock);
}
