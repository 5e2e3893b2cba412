/* slab.h -- how cells lie in memory, and how the fast paths find their way.
 *
 *     chunk: 4 MiB, aligned to 4 MiB
 *     +------------------+---------+--------+--------+-- - --+---------+
 *     | heads[64], owner | slab 0  | slab 1 | slab 2 |       | slab 63 |
 *     +------------------+---------+--------+--------+-- - --+---------+
 *      <---- 8,448 B ---->            64 KiB each
 *
 * A slab holds cells of one size and one kind (tracked by the collector or not) and
 * belongs to one heap.  The heads of a chunk's slabs lie together at its beginning, not
 * each in its slab: 64 heads at the same offset of 64 KiB blocks would all fall into the
 * same few cache sets.  A cell's head is found from its address by two masks and a shift.
 *
 * An object above CELL_MAX takes a run of slabs with one head; one above SPAN_MAX a chunk
 * of its own, as large as needed.
 *
 * A free cell has shape 0, and the link of its free list at offset 8; a cell that was
 * never handed out (behind `carved`) has undefined contents.
 */
#ifndef GC_SLAB_H
#define GC_SLAB_H

#include "base/sanitize.h"
#include "gc/header.h"
#include "threads/thread.h"

#define SLAB_SHIFT 16
#define SLAB_SIZE ((size_t)1 << SLAB_SHIFT)
#define CHUNK_SIZE ((size_t)4 << 20)
#define CHUNK_SLABS 64
#define CELL_MAX ((size_t)32768)

enum {
#define SIZE_CLASS(bytes) CLASS_##bytes,
#include "gc/size_class.def"
#undef SIZE_CLASS
    SIZE_CLASSES
};

/* The row of size_class.def for an object of `size` bytes, 1 .. CELL_MAX. */
ALWAYS_INLINE unsigned
size_class(size_t size)
{
    if (size <= 512)
        return (unsigned)((size - 1) >> 4);
    unsigned e = 63 - (unsigned)__builtin_clzll(size - 1); /* 2^e < size <= 2^(e+1) */
    return 32 + (e - 9) * 4 + (unsigned)(((size - 1) >> (e - 2)) & 3);
}

/* What a free cell looks like. */
typedef struct HeapCell {
    uint32_t shape; /* 0 */
    uint32_t filler;
    struct HeapCell *next;
} HeapCell;

enum SlabState {
    SLAB_UNUSED,    /* belongs to no heap */
    SLAB_CURRENT,   /* its heap allocates from it */
    SLAB_AVAILABLE, /* has free cells, in the heap's list */
    SLAB_FULL,      /* has none, or few */
    SLAB_LARGE,     /* one object on a run of slabs or a chunk of its own */
    SLAB_FROZEN,    /* nothing is allocated here until gc.unfreeze() */
};

struct Heap;

typedef struct Slab {
    /* -- the owner's line -- */
    HeapCell *free;             /* [owner] free cells, last freed first */
    ATOMIC(uint32_t) used;  /* [owner] cells handed out, those in `remote` included; others
                               may read it for statistics */
    uint32_t notify;        /* [owner] when a free makes `used` this, tell slab_freed() */
    uint32_t carved;        /* [owner] cells that have been handed out or on `free` */
    uint32_t capacity;      /* [const] */
    uint32_t cell_size;     /* [const] */
    uint32_t reciprocal;    /* [const] ceil(2^32 / cell_size), 0 if capacity is 1 */
    char *first;            /* [const] the first cell */
    size_t cell_bytes;      /* [const] cell_size, or the size of a SLAB_LARGE's cell */
    uint8_t class_index;    /* [const] */
    uint8_t tracked;        /* [const] kind */
    uint8_t state;          /* [owner] enum SlabState */
    uint8_t young;          /* [owner] objects were made here since the last collection */
    uint8_t frozen;         /* [stopped] gc.freeze(): the collector passes it by */
    uint8_t run;            /* [const] slabs of a SLAB_LARGE run; 0: chunk of its own */

    /* -- a line for others -- */
    ATOMIC(HeapCell *) remote __attribute__((aligned(64))); /* [atomic] cells freed by others */
    struct Slab *next_remote;             /* in the heap's list of slabs with remote frees */
    struct Heap *heap;                    /* [const] while in use */
    struct Slab *next, *prev;             /* [lock] heap: all slabs of the heap */
    struct Slab *next_free, *prev_free;   /* [owner] the heap's list of available slabs */
    int32_t *counts;                      /* [stopped] the collector's numbers, one a cell */
} Slab;

typedef struct Chunk {
    Slab heads[CHUNK_SLABS];
    ATOMIC(uint16_t) owner[CHUNK_SLABS]; /* [const] while the slab is in use: its context; of an
                                            unused one who had it last, 0: nobody */
    uint64_t free_mask;                  /* [lock] chunks: bit i set: slab i is unused */
    struct Chunk *next, *prev;           /* [lock] chunks */
    size_t size;                         /* [const] bytes */
    uint8_t huge_pages;                  /* [lock] chunks: madvise was asked */
    uint8_t own;                         /* [const] holds one object only */
} __attribute__((aligned(64))) Chunk;

#define CHUNK_HEAD ((sizeof(Chunk) + 63) & ~(size_t)63)
_Static_assert(sizeof(Slab) == 128, "a slab's head is two cache lines");
_Static_assert(sizeof(Chunk) <= 8448, "heads and owners");

static inline Chunk *
chunk_of(const void *cell)
{
    return (Chunk *)((uintptr_t)cell & ~(CHUNK_SIZE - 1));
}

static inline unsigned
slab_index(const void *cell)
{
    return (unsigned)((uintptr_t)cell >> SLAB_SHIFT) & (CHUNK_SLABS - 1);
}

/* The head of the slab that holds `cell`, which was allocated here. */
static inline Slab *
slab_of(const void *cell)
{
    return &chunk_of(cell)->heads[slab_index(cell)];
}

static inline size_t
slab_cell_size(const Slab *s)
{
    return s->cell_bytes;
}

/* When `used` sinks to this, a SLAB_FULL is worth allocating from again. */
static inline uint32_t
slab_full_notify(const Slab *s)
{
    return s->capacity - 1 - s->capacity / 16;
}

/* The number of `cell` in its slab. */
static inline uint32_t
slab_cell_index(const Slab *s, const void *cell)
{
    uint32_t offset = (uint32_t)((const char *)cell - s->first);
    return (uint32_t)(((uint64_t)offset * s->reciprocal) >> 32);
}

static inline Object *
slab_cell(const Slab *s, uint32_t index)
{
    return (Object *)(void *)(s->first + (size_t)index * s->cell_size);
}

/* Free small buffers, of each size a few (heap.h, small_buffer_new()). */
#define SMALL_BUFFER_MAX ((size_t)512)
#define SMALL_BUFFER_KEPT 64
typedef struct SmallBuffer {
    struct SmallBuffer *next;
} SmallBuffer;

/* A context's heap: the part that the fast paths see. */
typedef struct Heap {
    uint64_t header_high[2];           /* [const] second half of a new object's header */
    Slab *current[2][SIZE_CLASSES];    /* [owner] never NULL: `slab_none` if there is none */
    Slab *available[2][SIZE_CLASSES];  /* [owner] */
    SmallBuffer *small[SMALL_BUFFER_MAX / 16];     /* [owner] free, by size */
    uint8_t small_count[SMALL_BUFFER_MAX / 16];    /* [owner] how many */
    Slab *slabs;                       /* [lock] all of them, changed by the owner only */
    Slab *empty[4];                    /* [owner] unused slabs kept for the next need */
    int64_t budget;                    /* [owner] tracked cells until gc_pace() is asked */
    Thread *th;                        /* [const] NULL: the orphans' heap */
    uint32_t slab_count;               /* [lock] */
    ATOMIC(uint8_t) lock;              /* the slab list; taken to walk it from outside */
    ATOMIC(Slab *) remote_slabs __attribute__((aligned(64))); /* [atomic] see remote_free.c */
} Heap;

/* -- chunk.c -- */

/* A run of `count` slabs (1 .. CHUNK_SLABS) that holds `bytes`, for context `id`; NULL: no memory.
 * The head of the first is zeroed. */
Slab *chunk_take(unsigned count, size_t bytes, uint16_t id);
void chunk_give_back(Slab *s, unsigned count);
/* A chunk for one object of `bytes`. */
Slab *chunk_take_own(size_t bytes);
void chunk_give_back_own(Slab *s);
/* Whether `p` lies where a cell can begin: in a chunk of ours, not in static storage. */
bool chunk_contains(const void *p);
/* Bytes that lie in one slab of a chunk for cells: the first has to share. */
static inline char *
chunk_slab_start(Chunk *c, unsigned index)
{
    return (char *)c + (index == 0 ? CHUNK_HEAD : (size_t)index << SLAB_SHIFT);
}
static inline size_t
chunk_slab_room(unsigned index)
{
    return index == 0 ? SLAB_SIZE - CHUNK_HEAD : SLAB_SIZE;
}
size_t chunk_bytes_in_use(void);
void chunk_lock_for_fork(void);
void chunk_unlock_after_fork(void);
void chunk_reset_in_child(void);

/* -- heap.c, remote_free.c -- */

Heap *heap_create(Thread *th);
/* Gives back all slabs, whatever lies in them; leaf slabs with objects go to the orphans. */
void heap_destroy(Heap *h);
/* Gives back what is empty: before its context goes to the pool. */
void heap_trim(Heap *h);
COLD void slab_freed(Slab *s);
void cell_free_remote(Slab *s, HeapCell *cell);
/* Takes in the cells that others have freed; whether there were any. */
bool heap_take_remote(Heap *h);
/* gc.freeze(): the tracked slabs take no more objects; and back.  The world is stopped. */
void heap_freeze_stopped(Heap *h);
void heap_unfreeze_stopped(Heap *h);
void heap_lock(Heap *h);
void heap_unlock(Heap *h);

/* A free cell's body is made unusable in debug builds and under sanitizers. */
static inline void
cell_poison(HeapCell *cell, size_t size)
{
#if defined(WEFT_DEBUG) || WEFT_TSAN
    /* 0xdd.. looks like no address and no small number; the write also lets
     * ThreadSanitizer see readers that come too late. */
    if (size > 16)
        __builtin_memset((char *)cell + 16, 0xdd, size - 16 < 256 ? size - 16 : 256);
#endif
    if (size > 16)
        memory_forbid((char *)cell + 16, size - 16);
}

/* Puts a cell back; its object holds nothing any more. */
static inline void
cell_free(Thread *th, Object *o)
{
    Chunk *chunk = chunk_of(o);
    unsigned i = slab_index(o);
    Slab *s = &chunk->heads[i];
    HeapCell *cell = (HeapCell *)(void *)o;
#if defined(WEFT_DEBUG) || WEFT_ASAN || WEFT_TSAN
    cell_poison(cell, slab_cell_size(s));
#endif
    store_relaxed(&o->shape, 0); /* relaxed: other threads look only with the world stopped */
    if (LIKELY(load_relaxed(&chunk->owner[i]) == th->id)) {
        cell->next = s->free;
        s->free = cell;
        uint32_t used = load_relaxed(&s->used) - 1;
        store_relaxed(&s->used, used);
        if (UNLIKELY(used == s->notify))
            slab_freed(s);
    } else
        cell_free_remote(s, cell);
}

#endif
