/* heap_check.c -- walks all slabs of an interpreter and proves their invariants. */
#include "base/assert.h"
#include "gc/heap.h"
#include "gc/refcount_priv.h"
#include "threads/interp.h"

static void
check_free_cell(const Slab *s, const HeapCell *cell)
{
    CHECK(slab_of(cell) == s);
    uint32_t i = s->state == SLAB_LARGE ? 0 : slab_cell_index(s, cell);
    CHECK(i < s->carved);
    CHECK((const void *)slab_cell(s, i) == (const void *)cell);
    CHECK(load_relaxed(&((const Object *)(const void *)cell)->shape) == 0);
#if defined(WEFT_DEBUG) && !WEFT_ASAN
    size_t size = slab_cell_size(s);
    for (size_t k = 16; k < size && k < 256; k++)
        CHECK(((const unsigned char *)cell)[k] == 0xdd); /* nobody writes to a freed object */
#endif
}

static void
check_object(const Slab *s, const Object *o)
{
    uint8_t bits = object_bits(o);
    if (!s->tracked)
        CHECK(!(bits & BIT_TRACKED));
    CHECK(load_relaxed(&o->shape) < SHAPE_MAX);
    CHECK(object_ops(o) != NULL);
    uint16_t owner = load_relaxed(&o->owner);
    uint32_t shared = load_relaxed(&o->shared);
    CHECK((owner != OWNER_MERGED && owner != OWNER_POOLED) || (shared & SHARED_STATE) == SHARED_MERGED);
    if (owner != OWNER_IMMORTAL && !object_is_dead(o))
        CHECK((int64_t)load_relaxed(&o->local) + shared_count(shared) >= 0);
}

static void
check_slab(const Slab *s)
{
    CHECK(s->capacity >= 1 && s->carved <= s->capacity);
    uint32_t free_cells = 0, remote = 0, live = 0;
    for (const HeapCell *cell = s->free; cell; cell = cell->next, free_cells++) {
        CHECK(free_cells < s->carved);
        check_free_cell(s, cell);
    }
    /* Others may push while we look (another interpreter's threads): at least these. */
    for (const HeapCell *cell = load_acquire(&s->remote); cell; cell = cell->next, remote++)
        CHECK(remote < s->carved);
    for (uint32_t i = 0; i < s->carved; i++) {
        Object *o = slab_cell(s, i);
        if (load_relaxed(&o->shape) == 0)
            continue;
        live++;
        check_object(s, o);
    }
    uint32_t used = load_relaxed(&s->used);
    CHECK(used + free_cells == s->carved);
    CHECK(live + remote == used || !s->tracked);
    switch (s->state) {
    case SLAB_CURRENT:
        CHECK(s->notify == UINT32_MAX);
        break;
    case SLAB_FULL:
        CHECK(s->carved == s->capacity && s->notify == slab_full_notify(s) && used > s->notify);
        break;
    case SLAB_AVAILABLE:
        CHECK(s->notify == 0 && used != 0 && (s->free || s->carved < s->capacity));
        break;
    case SLAB_LARGE:
        CHECK(s->notify == 0 && s->capacity == 1 && used == 1);
        break;
    case SLAB_FROZEN:
        CHECK(s->notify == 0 && s->frozen);
        break;
    default:
        CHECK(!"a slab in a heap's list has a state");
    }
}

static void
check_heap(const Heap *h)
{
    uint32_t n = 0;
    const Slab *before = NULL;
    for (const Slab *s = h->slabs; s; before = s, s = s->next, n++) {
        CHECK(s->heap == h && s->prev == before);
        check_slab(s);
    }
    CHECK(n == h->slab_count);
    for (int kind = 0; kind < 2; kind++)
        for (unsigned c = 0; c < SIZE_CLASSES; c++)
            for (const Slab *s = h->available[kind][c]; s; s = s->next_free)
                CHECK(s->state == SLAB_AVAILABLE && s->tracked == kind && s->class_index == c);
}

void
heap_check_stopped(Interp *interp)
{
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next))
        if (t->heap)
            check_heap(t->heap);
}
