/* heap.c -- one context's heap: allocating and freeing without atomics.
 *
 * A heap has, for each kind and size class, one slab it allocates from (current) and a
 * list of slabs with room (available); slabs with (nearly) no free cell are in neither.
 *
 *     UNUSED -> CURRENT -> FULL -> AVAILABLE -> CURRENT
 *                                  AVAILABLE -> UNUSED    (its last object died)
 *
 * Invariants of a slab in use, for its owner (heap_check.c proves them):
 *     used + length of `free` == carved <= capacity   (used counts cells in `remote`)
 *     CURRENT: notify is never reached; FULL: less than a sixteenth of the cells is free,
 *     notify is where that ends; AVAILABLE, LARGE, FROZEN: notify == 0
 * Cells behind `carved` are touched for the first time when they are carved, a page's
 * worth at a time, so an unused slab costs no memory.
 *
 * Locks: Heap.lock (a leaf) is held while the list of all slabs changes, so that others
 * may walk it; everything else belongs to the thread that runs the context.
 *
 * Process-wide state: the orphans' heap (slabs of interpreters that ended which still hold
 * interned strings), heap_no_memory.
 */
#include "gc/heap.h"

#include "base/assert.h"
#include "gc/pacer.h"
#include "threads/interp.h"
#include "threads/mutex.h"

static void *
no_memory_default(Thread *th)
{
    (void)th;
    return NULL;
}

void *(*heap_no_memory)(Thread *th) = no_memory_default;

#define NEVER UINT32_MAX /* `used` never gets there */

static const uint32_t class_bytes[SIZE_CLASSES] = {
#define SIZE_CLASS(bytes) bytes,
#include "gc/size_class.def"
#undef SIZE_CLASS
};

/* Stands in `current` where there is no slab; its free list is empty for ever. */
static Slab slab_none;

/* Slabs of interpreters that are gone, and the lock of who plays their owner. */
static Heap orphans;
static ByteLock orphans_lock;

void
heap_lock(Heap *h)
{
    byte_lock((ByteLock *)(void *)&h->lock);
}

void
heap_unlock(Heap *h)
{
    byte_unlock((ByteLock *)(void *)&h->lock);
}

/* ---------------------------------------------------------------- slabs of a heap */

static void
link_slab(Heap *h, Slab *s)
{
    heap_lock(h);
    s->heap = h;
    s->prev = NULL;
    s->next = h->slabs;
    if (h->slabs)
        h->slabs->prev = s;
    h->slabs = s;
    h->slab_count++;
    heap_unlock(h);
}

static void
unlink_slab(Heap *h, Slab *s)
{
    heap_lock(h);
    if (s->prev)
        s->prev->next = s->next;
    else
        h->slabs = s->next;
    if (s->next)
        s->next->prev = s->prev;
    h->slab_count--;
    heap_unlock(h);
    s->next = s->prev = NULL;
}

static void
available_add(Heap *h, Slab *s)
{
    Slab **list = &h->available[s->tracked][s->class_index];
    s->state = SLAB_AVAILABLE;
    s->notify = 0;
    s->prev_free = NULL;
    s->next_free = *list;
    if (*list)
        (*list)->prev_free = s;
    *list = s;
}

/* A slab that ran out of cells is left alone until a sixteenth of them is free again:
 * otherwise a program that replaces objects here and there would change its current slab
 * with each of them. */
static void
make_full(Slab *s)
{
    s->state = SLAB_FULL;
    s->notify = slab_full_notify(s);
}

static void
available_remove(Heap *h, Slab *s)
{
    if (s->prev_free)
        s->prev_free->next_free = s->next_free;
    else
        h->available[s->tracked][s->class_index] = s->next_free;
    if (s->next_free)
        s->next_free->prev_free = s->prev_free;
    s->next_free = s->prev_free = NULL;
}

/* Gives back a slab without objects that is in no list but the heap's. */
static void
release_slab(Heap *h, Slab *s)
{
    ASSERT(load_relaxed(&s->used) == 0);
    ASSERT(load_relaxed(&s->remote) == NULL);
    unlink_slab(h, s);
    if (s->state == SLAB_LARGE) {
        if (s->run == 0)
            chunk_give_back_own(s);
        else
            chunk_give_back(s, s->run);
        return;
    }
    s->state = SLAB_UNUSED;
    for (size_t i = 0; i < ARRAY_LEN(h->empty); i++)
        if (h->empty[i] == NULL) {
            h->empty[i] = s;
            return;
        }
    chunk_give_back(s, 1);
}

void
slab_freed(Slab *s)
{
    Heap *h = s->heap;
    switch (s->state) {
    case SLAB_FULL:
        available_add(h, s);
        if (load_relaxed(&s->used) == 0) {
            available_remove(h, s);
            release_slab(h, s);
        }
        return;
    case SLAB_AVAILABLE:
        available_remove(h, s);
        release_slab(h, s);
        return;
    case SLAB_LARGE:
    case SLAB_FROZEN:
        release_slab(h, s);
        return;
    default:
        CHECK(!"a free into a slab in this state");
    }
}

/* Where the cells of a heap's first slab of a kind and class begin.  What a thread with a new heap makes
 * lies in the first cells of such slabs: were they all at the beginning of a page, stores to one would
 * delay loads from another, as processors compare the low 12 bits of addresses first. */
static size_t
first_offset(unsigned c, bool tracked)
{
    return class_bytes[c] > 512 ? 0 : (c * 5 + tracked * 11) % 16 * 256;
}

/* An empty slab for cells of class `c`, the heap's first or another one, linked, not yet current; NULL: no
 * memory. */
static Slab *
new_slab(Heap *h, unsigned c, bool tracked, bool first)
{
    Slab *s = NULL;
    for (size_t i = ARRAY_LEN(h->empty); i-- > 0 && s == NULL;) {
        s = h->empty[i];
        h->empty[i] = NULL;
    }
    if (s == NULL && (s = chunk_take(1, 1, (uint16_t)h->th->id)) == NULL)
        return NULL;
    Chunk *chunk = chunk_of(s);
    unsigned index = (unsigned)(s - chunk->heads);
    memset((void *)s, 0, sizeof(*s));
    s->cell_bytes = s->cell_size = class_bytes[c];
    size_t offset = first ? first_offset(c, tracked) : 0;
    s->first = chunk_slab_start(chunk, index) + offset;
    s->capacity = (uint32_t)((chunk_slab_room(index) - offset) / s->cell_size);
    s->reciprocal = (uint32_t)((((uint64_t)1 << 32) + s->cell_size - 1) / s->cell_size);
    s->class_index = (uint8_t)c;
    s->tracked = tracked;
    memory_allow(s->first, chunk_slab_room(index) - offset);
    ASSERT(load_relaxed(&chunk->owner[index]) == h->th->id);
    link_slab(h, s);
    return s;
}

/* Makes the next cells of `s` free cells; how many. */
static uint32_t
carve(Slab *s)
{
    uint32_t n = s->capacity - s->carved;
    uint32_t page = 4096 / s->cell_size;
    if (page < 1)
        page = 1;
    if (n > page)
        n = page;
    HeapCell *list = s->free;
    for (uint32_t i = s->carved + n; i-- > s->carved;) {
        HeapCell *cell = (HeapCell *)(void *)slab_cell(s, i);
        store_relaxed(&((Object *)(void *)cell)->shape, 0); /* relaxed: its first use */
        cell->filler = 0;
        cell->next = list;
        cell_poison(cell, s->cell_size);
        list = cell;
    }
    s->free = list;
    s->carved += n;
    return n;
}

/* Makes a slab with a free cell current for kind and class; NULL: no memory. */
static Slab *
refill(Heap *h, unsigned c, bool tracked)
{
    Slab *s = h->current[tracked][c];
    uint32_t gained = 0;
    if (s->free == NULL && load_relaxed(&h->remote_slabs) != NULL) {
        heap_take_remote(h); /* may fill s->free, or make slabs available */
        gained = s->free ? s->carved - load_relaxed(&s->used) : 0;
    }
    if (s->free == NULL && s->carved < s->capacity)
        gained = carve(s);
    if (s->free == NULL) {
        if (s != &slab_none) {
            make_full(s);
        }
        s = h->available[tracked][c];
        if (s) {
            available_remove(h, s);
        } else {
            s = new_slab(h, c, tracked, h->current[tracked][c] == &slab_none);
            if (s == NULL) {
                /* The full slab is no longer current. */
                h->current[tracked][c] = &slab_none;
                return NULL;
            }
        }
        if (s->free == NULL)
            carve(s);
        s->state = SLAB_CURRENT;
        s->notify = NEVER;
        h->current[tracked][c] = s;
        gained = s->carved - load_relaxed(&s->used);
    }
    if (tracked) {
        s->young = 1;
        h->budget -= gained;
        if (UNLIKELY(h->budget < 0))
            gc_pace(h->th);
    }
    return s;
}

static Object *
fill_header(Heap *h, HeapCell *cell, uint32_t shape, size_t size, bool tracked)
{
    uint64_t low = (uint64_t)shape | (uint64_t)1 << 32;
    uint64_t high = h->header_high[tracked];
    memcpy((void *)cell, &low, 8);
    memcpy((char *)cell + 8, &high, 8);
    if (size > 16) {
        size = (size + 15) & ~(size_t)15;
        memory_allow((char *)cell + 16, size - 16);
        memset((char *)cell + 16, 0, size - 16);
    }
    return (Object *)(void *)cell;
}

/* An object above CELL_MAX: a run of slabs, or a chunk, with one cell. */
static Object *
new_large(Thread *th, uint32_t shape, size_t size, bool tracked)
{
    Heap *h = th->heap;
    size_t bytes = (size + 15) & ~(size_t)15;
    if (bytes < size)
        return heap_no_memory(th);
    Slab *s;
    size_t run = (bytes + SLAB_SIZE - 1) >> SLAB_SHIFT;
    if (run <= CHUNK_SLABS / 2) {
        s = chunk_take((unsigned)run, bytes, (uint16_t)th->id);
    } else {
        s = chunk_take_own(bytes);
        run = 0;
    }
    if (s == NULL)
        return heap_no_memory(th);
    Chunk *chunk = chunk_of(s);
    s->run = (uint8_t)run;
    s->state = SLAB_LARGE;
    s->tracked = tracked;
    s->young = 1;
    s->capacity = s->carved = 1;
    s->cell_bytes = bytes;
    s->cell_size = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
    s->notify = 0;
    store_relaxed(&s->used, 1);
    if (run == 0)
        store_relaxed(&chunk->owner[0], (uint16_t)th->id);
    memory_allow(s->first, bytes);
    /* The header first: whoever walks the slabs finds an object or a free cell. */
    Object *o = fill_header(h, (HeapCell *)(void *)s->first, shape, size, tracked);
    link_slab(h, s);
    if (tracked && --h->budget < 0)
        gc_pace(th);
    return o;
}

Object *
object_new_slow(Thread *th, uint32_t shape, size_t size, bool tracked)
{
    ASSERT(size >= sizeof(Object));
    ASSERT(thread_is_attached(th));
    if (UNLIKELY(size > CELL_MAX))
        return new_large(th, shape, size, tracked);
    Heap *h = th->heap;
#ifdef WEFT_DEBUG
    if (h->current[tracked][size_class(size)]->free) /* asked for by mem_fail_nth() */
        return heap_no_memory(th);
#endif
    Slab *s = refill(h, size_class(size), tracked);
    if (UNLIKELY(s == NULL))
        return heap_no_memory(th);
    HeapCell *cell = s->free;
    s->free = cell->next;
    store_relaxed(&s->used, load_relaxed(&s->used) + 1);
    return fill_header(h, cell, shape, size, tracked);
}

Object *
object_new_kind(Thread *th, uint32_t shape, size_t size, bool tracked)
{
    if (UNLIKELY(size > CELL_MAX))
        return new_large(th, shape, size, tracked);
    Heap *heap = th->heap;
    Slab *slab = heap->current[tracked][size_class(size)];
    HeapCell *cell = slab->free;
    if (UNLIKELY(cell == NULL || mem_fails_now()))
        return object_new_slow(th, shape, size, tracked);
    ASSERT(load_relaxed(&((Object *)(void *)cell)->shape) == 0);
    slab->free = cell->next;
    store_relaxed(&slab->used, load_relaxed(&slab->used) + 1);
    uint64_t low = (uint64_t)shape | (uint64_t)1 << 32;
    uint64_t high = heap->header_high[tracked];
    memcpy((void *)cell, &low, 8);
    memcpy((char *)cell + 8, &high, 8);
    size = ((size + 15) & ~(size_t)15) - 16;
    char *body = (char *)cell + 16;
    memory_allow(body, size);
    if (size <= 128) {
        for (char *end = body + size; body < end; body += 16)
            memset(body, 0, 16); /* two stores; a call would cost more */
    } else
        memset(body, 0, size);
    return (Object *)(void *)cell;
}

Object *
object_new(Thread *th, uint32_t shape, size_t size)
{
    uint32_t flags = ops_flags_of(shape_type[shape]);
    Object *o = object_new_kind(th, shape, size, (flags & OPS_TRACKED) != 0);
    if (UNLIKELY(flags & OPS_BORN_SHARED) && o)
        store_relaxed(&o->bits, load_relaxed(&o->bits) | BIT_SHARED); /* not published yet */
    return o;
}

void
object_free(Thread *th, Object *o)
{
    cell_free(th, o);
}

size_t
object_cell_size(const Object *o)
{
    return slab_cell_size(slab_of(o));
}

bool
object_in_heap(const Object *o)
{
    return chunk_contains(o);
}

/* ---------------------------------------------------------------- heaps */

Heap *
heap_create(Thread *th)
{
    for (size_t size = 1; size <= CELL_MAX; size += 13)
        ASSERT_SLOW(class_bytes[size_class(size)] >= size &&
                    (size_class(size) == 0 || class_bytes[size_class(size) - 1] < size));
    Heap *h = mem_alloc_lines(sizeof(*h));
    if (h == NULL)
        return NULL;
    h->th = th;
    for (int kind = 0; kind < 2; kind++) {
        struct Object header = {{0}, {1}, {0}, {(uint16_t)th->id}, {0}, {kind ? BIT_TRACKED : 0}};
        memcpy(&h->header_high[kind], (char *)&header + 8, 8);
        for (unsigned c = 0; c < SIZE_CLASSES; c++)
            h->current[kind][c] = &slab_none;
    }
    return h;
}

static void
free_small_buffers(Heap *h)
{
    for (size_t i = 0; i < ARRAY_LEN(h->small); i++) {
        SmallBuffer *next;
        for (SmallBuffer *b = h->small[i]; b; b = next) {
            next = b->next;
            mem_free(b);
        }
        h->small[i] = NULL;
        h->small_count[i] = 0;
    }
}

void
heap_trim(Heap *h)
{
    heap_take_remote(h);
    free_small_buffers(h);
    for (int kind = 0; kind < 2; kind++)
        for (unsigned c = 0; c < SIZE_CLASSES; c++) {
            Slab *s = h->current[kind][c];
            if (s == &slab_none || load_relaxed(&s->used) != 0)
                continue;
            h->current[kind][c] = &slab_none;
            release_slab(h, s);
        }
    for (size_t i = 0; i < ARRAY_LEN(h->empty); i++)
        if (h->empty[i]) {
            chunk_give_back(h->empty[i], 1);
            h->empty[i] = NULL;
        }
}

/* Hands a leaf slab with objects over to the orphans: interned strings may be in use by
 * other interpreters.  Their counts are merged, so that the dead context's number may be
 * used again (rules E3). */
static void
orphan_slab(Heap *h, Slab *s)
{
    uint32_t n = s->carved;
    for (uint32_t i = 0; i < n; i++) {
        Object *o = slab_cell(s, i);
        if (load_relaxed(&o->shape) == 0)
            continue;
        if (load_relaxed(&o->owner) == h->th->id)
            object_merge(h->th, o);
    }
    unlink_slab(h, s);
    s->state = s->state == SLAB_LARGE ? SLAB_LARGE : SLAB_FULL;
    s->notify = NEVER;
    Chunk *chunk = chunk_of(s);
    store_relaxed(&chunk->owner[s - chunk->heads], 0); /* every free is a remote one */
    byte_lock(&orphans_lock);
    link_slab(&orphans, s);
    byte_unlock(&orphans_lock);
}

/* Gives back the orphans' slabs that are empty by now. */
static void
sweep_orphans(void)
{
    byte_lock(&orphans_lock);
    heap_take_remote(&orphans);
    Slab *next;
    for (Slab *s = orphans.slabs; s; s = next) {
        next = s->next;
        if (load_relaxed(&s->used) != 0)
            continue;
        unlink_slab(&orphans, s);
        if (s->state != SLAB_LARGE)
            chunk_give_back(s, 1);
        else if (s->run == 0)
            chunk_give_back_own(s);
        else
            chunk_give_back(s, s->run);
    }
    byte_unlock(&orphans_lock);
}

void
heap_destroy(Heap *h)
{
    heap_take_remote(h);
    free_small_buffers(h);
    Slab *next;
    for (Slab *s = h->slabs; s; s = next) {
        next = s->next;
        if (!s->tracked && load_relaxed(&s->used) != 0 && interps_first != NULL) {
            orphan_slab(h, s);
            continue;
        }
        store_relaxed(&s->used, 0);
        store_relaxed(&s->remote, NULL);
        release_slab(h, s);
    }
    for (size_t i = 0; i < ARRAY_LEN(h->empty); i++)
        if (h->empty[i])
            chunk_give_back(h->empty[i], 1);
    mem_free(h);
    sweep_orphans();
}

void
heap_freeze_stopped(Heap *h)
{
    Slab *next;
    for (Slab *s = h->slabs; s; s = next) {
        next = s->next;
        if (!s->tracked || s->frozen)
            continue;
        s->frozen = 1;
        s->young = 0;
        if (s->state == SLAB_LARGE)
            continue;
        if (s->state == SLAB_AVAILABLE)
            available_remove(h, s);
        else if (s->state == SLAB_CURRENT)
            h->current[1][s->class_index] = &slab_none;
        s->state = SLAB_FROZEN;
        s->notify = 0;
        if (load_relaxed(&s->used) == 0)
            release_slab(h, s);
    }
}

void
heap_unfreeze_stopped(Heap *h)
{
    for (Slab *s = h->slabs; s; s = s->next) {
        if (!s->frozen)
            continue;
        s->frozen = 0;
        s->young = 1;
        if (s->state != SLAB_FROZEN)
            continue;
        if (load_relaxed(&s->used) <= slab_full_notify(s)) {
            available_add(h, s);
        } else {
            make_full(s);
        }
    }
}

/* ---------------------------------------------------------------- looking at all of it */

static bool
each_in_heap(Heap *h, bool (*fn)(Object *o, void *arg), void *arg)
{
    for (Slab *s = h->slabs; s; s = s->next)
        for (uint32_t i = 0; i < s->carved; i++) {
            Object *o = slab_cell(s, i);
            if (load_relaxed(&o->shape) != 0 && !fn(o, arg))
                return false;
        }
    return true;
}

void
heap_each_object_stopped(Interp *interp, bool (*fn)(Object *o, void *arg), void *arg)
{
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next))
        if (t->heap && !each_in_heap(t->heap, fn, arg))
            return;
}

static bool
count_one(Object *o, void *arg)
{
    if (load_relaxed(&o->owner) != OWNER_IMMORTAL)
        ++*(size_t *)arg;
    return true;
}

size_t
heap_count_live_stopped(Interp *interp)
{
    size_t n = 0;
    heap_each_object_stopped(interp, count_one, &n);
    return n;
}

size_t
heap_tracked_cells(Interp *interp)
{
    size_t n = 0;
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next)) {
        Heap *h = t->heap;
        if (h == NULL)
            continue;
        heap_lock(h);
        for (Slab *s = h->slabs; s; s = s->next)
            if (s->tracked)
                n += load_relaxed(&s->used);
        heap_unlock(h);
    }
    return n;
}

size_t
heap_bytes(void)
{
    return chunk_bytes_in_use();
}

/* ---------------------------------------------------------------- buffers */

void *
buffer_new(Thread *th, size_t size)
{
    void *p = mem_alloc(size);
    return LIKELY(p != NULL) ? p : heap_no_memory(th);
}

void *
buffer_new_zeroed(Thread *th, size_t size)
{
    void *p = mem_alloc_zeroed(size);
    return LIKELY(p != NULL) ? p : heap_no_memory(th);
}

void *
buffer_resize(Thread *th, void *p, size_t size)
{
    void *moved = mem_resize(p, size);
    return LIKELY(moved != NULL) ? moved : heap_no_memory(th);
}

void
buffer_free(void *p)
{
    mem_free(p);
}
