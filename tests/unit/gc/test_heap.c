/* test_heap.c -- allocation, freeing, remote freeing, large objects. */
#include "tests/unit/gc/fake.h"

/* Of a heap that is new. */
static void
test_first_cells(Thread *th)
{
    enum { SIZES = 32, LINES = 64 };
    int at[LINES] = {0}, most = 0;
    for (int i = 0; i < 2 * SIZES; i++) {
        Object *o = object_new_kind(th, SHAPE_LEAF, (size_t)(i / 2 + 1) * 16, i & 1);
        int *n = &at[((uintptr_t)o & 4095) / 64];
        if (++*n > most)
            most = *n;
        object_free(th, o);
    }
    OK(most <= 5, "the first cells of all kinds and sizes are spread over a page");
}

static void
test_sizes(Thread *th)
{
    bool ok = true, zeroed = true;
    for (size_t size = 16; size < 300000 && ok; size += size < 2000 ? 8 : size / 7) {
        Object *o = object_new_kind(th, SHAPE_LEAF, size, size & 8);
        ok = o && object_cell_size(o) >= size && ((uintptr_t)o & 15) == 0 && object_in_heap(o);
        for (size_t i = 16; i < size; i++)
            zeroed &= ((char *)o)[i] == 0;
        memset((char *)o + 16, 0x55, size - 16);
        object_free(th, o);
    }
    OK(ok, "every size gets a cell that is large enough");
    OK(zeroed, "bodies are zeroed");
    OK(live_objects(th) == 0, "and all are gone");
}

static void
test_random(Thread *th)
{
    enum { SLOTS = 20000 };
    static Object *slot[SLOTS];
    uint32_t seed = 7;
    size_t live = 0;
    for (long i = 0; i < TAP_SCALE(2000000); i++) {
        uint32_t k = random_next(&seed) % SLOTS;
        if (slot[k]) {
            object_free(th, slot[k]);
            slot[k] = NULL;
            live--;
        } else {
            uint32_t r = random_next(&seed);
            size_t size = r % 64 == 0 ? r % 40000 + 16 : r % 300 + 16;
            slot[k] = object_new_kind(th, SHAPE_LEAF, size, r & 1);
            live++;
        }
    }
    OK(live_objects(th) == live, "random allocation: the slabs know what lives");
    for (int k = 0; k < SLOTS; k++)
        if (slot[k]) {
            object_free(th, slot[k]);
            slot[k] = NULL;
        }
    OK(live_objects(th) == 0, "random allocation: all is given back");
    OK(heap_bytes() < (size_t)8 << 20, "empty slabs go back");
}

static void
test_fast(Thread *th)
{
    Object *o[1000];
    for (int i = 0; i < 1000; i++)
        o[i] = object_new_fast(th, SHAPE_LEAF, 48, true);
    bool ok = true;
    for (int i = 0; i < 1000; i++)
        ok &= object_refcount(o[i]) == 1 && object_is_owned(th, o[i]) &&
              (object_bits(o[i]) & BIT_TRACKED);
    OK(ok, "object_new_fast fills the header");
    for (int i = 0; i < 1000; i++)
        object_free(th, o[i]);
}

#define BOX 4096
static ATOMIC(Object *) box[BOX];

static void
exchange_objects(Thread *th, void *arg, int index)
{
    (void)arg;
    uint32_t seed = 99 + (uint32_t)index;
    for (long i = 0; i < TAP_SCALE(500000); i++) {
        uint32_t r = random_next(&seed);
        Object *o = object_new_kind(th, SHAPE_LEAF, 16 + r % 200, r & 1);
        o = exchange_acq_rel(&box[random_next(&seed) % BOX], o);
        if (o)
            object_free(th, o);
        if (i % 64 == 0)
            POLL(th);
    }
}

static void
test_remote(Thread *th)
{
    run_threads(th, 4, exchange_objects, NULL);
    size_t left = 0;
    for (int i = 0; i < BOX; i++)
        left += load_relaxed(&box[i]) != NULL;
    OK(live_objects(th) == left, "four threads free each other's cells: counts agree");
    for (int i = 0; i < BOX; i++) {
        Object *o = exchange_acq_rel(&box[i], NULL);
        if (o)
            object_free(th, o);
    }
    OK(live_objects(th) == 0, "nothing is left");
}

static void
test_slabs_of_ones_own(Thread *th)
{
    (void)th;
    enum { N = 24, RUN = 3 };
    const uint16_t me = 60001, other = 60002;
    Slab *mine[N], *others[N];
    for (int i = 0; i < N; i++) {
        mine[i] = chunk_take(1, 1, me);
        others[i] = chunk_take(1, 1, other);
    }
    for (int i = 0; i < N; i++) {
        chunk_give_back(others[i], 1);
        chunk_give_back(mine[i], 1);
    }
    Slab *again[N];
    int same = 0;
    for (int i = 0; i < N; i++) {
        again[i] = chunk_take(1, 1, me);
        for (int k = 0; k < N; k++)
            same += again[i] == mine[k];
    }
    OK(same == N, "a slab that is taken again is one that the same context had");
    for (int i = 0; i < N; i++)
        chunk_give_back(again[i], 1);
    Slab *run = chunk_take(RUN, RUN * SLAB_SIZE - CHUNK_HEAD, me), *first = run;
    chunk_give_back(run, RUN);
    run = chunk_take(RUN, RUN * SLAB_SIZE - CHUNK_HEAD, other);
    OK(run < first || run >= first + RUN, "a run goes to somebody else only when there is no other");
    chunk_give_back(run, RUN);
    Slab *all[CHUNK_SLABS * 6];
    bool any = true;
    for (int i = 0; i < CHUNK_SLABS * 6; i++)
        any &= (all[i] = chunk_take(1, 1, (uint16_t)(i % 7 + 1))) != NULL;
    OK(any, "what others had is better than nothing");
    for (int i = 0; i < CHUNK_SLABS * 6; i++)
        chunk_give_back(all[i], 1);
}

static void
test_no_memory(Thread *th)
{
#ifdef WEFT_DEBUG
    int failures = 0;
    for (uint64_t n = 1; n < 20; n++) {
        mem_fail_nth(n);
        Object *o = object_new_kind(th, SHAPE_LEAF, 10 << 20, false);
        failures += o == NULL;
        if (o)
            object_free(th, o);
        void *p = buffer_new(th, 100);
        failures += p == NULL;
        buffer_free(p);
        mem_fail_nth(0);
    }
    OK(failures == 2, "a failing allocation is reported, once");
#else
    (void)th;
#endif
}

int
main(void)
{
    Thread *th = fake_start();
    test_first_cells(th);
    test_sizes(th);
    test_random(th);
    test_fast(th);
    test_no_memory(th);
    test_slabs_of_ones_own(th);
    test_remote(th);
    fake_end(th);
    OK(heap_bytes() == 0, "all slabs are given back at the end");
    DONE();
}
