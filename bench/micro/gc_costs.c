/* gc_costs.c -- what the basic operations of gc/ and threads/ cost, in ns.
 *
 * Prints name,threads,ns for one thread alone and, with an argument, beside an idle second
 * context, and what others' objects cost.  In a build folder:
 *
 *     gcc -O2 -no-pie -I$top_srcdir $top_srcdir/bench/micro/gc_costs.c -o gc_costs libgc.a libthreads.a libgc.a libthreads.a \
 *         libbase.a -lmimalloc -lurcu-common -lm
 */
#include "base/clock.h"
#include "tests/unit/gc/fake.h"

#define N 20000000L

static volatile uintptr_t sink;

#define MEASURE(name, count, body)                                             \
    do {                                                                       \
        double best = 1e9;                                                     \
        for (int round_ = 0; round_ < 5; round_++) {                           \
            int64_t start_ = clock_monotonic_ns();                             \
            for (long i = 0; i < (count); i++) {                               \
                body;                                                          \
            }                                                                  \
            double ns = (double)(clock_monotonic_ns() - start_) / (double)(count); \
            best = ns < best ? ns : best;                                      \
        }                                                                      \
        printf("%s,%d,%.2f\n", name, 1 + load_relaxed(&threads_started), best); \
        fflush(stdout);                                                        \
    } while (0)

static void *
second(void *interp)
{
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    thread_detach(th);
    for (;;)
        nanosleep(&(struct timespec){1000, 0}, NULL);
    return NULL;
}

static Value foreign;

static void
make_foreign(Thread *th, void *arg, int index)
{
    (void)arg;
    (void)index;
    foreign = leaf_new(th);
}

enum { BATCH = 100000, ROUNDS = 10 };
static Object *theirs[BATCH];
static double drops_best;
static ATOMIC(bool) dropped;

/* Frees, or drops, another thread's objects. */
static void
use_foreign(Thread *th, void *free_them, int index)
{
    (void)index;
    int64_t start = clock_monotonic_ns();
    for (int i = 0; i < BATCH; i++)
        if (free_them)
            object_free(th, theirs[i]);
        else
            object_drop(th, theirs[i]);
    double ns = (double)(clock_monotonic_ns() - start) / BATCH;
    drops_best = ns < drops_best ? ns : drops_best;
    store_release(&dropped, true);
}

static void *
use_foreign_beside(void *interp)
{
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    use_foreign(th, NULL, 0);
    thread_release(th);
    return NULL;
}

/* What a second thread does to th's objects, which polls meanwhile (`online`) or is offline. */
static void
measure_foreign(Thread *th, const char *name, bool free_them, bool online)
{
    drops_best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BATCH; i++)
            theirs[i] = object_new_fast(th, SHAPE_LEAF, 48, false);
        if (!online) {
            run_threads(th, 1, use_foreign, free_them ? th : NULL);
            continue;
        }
        store_relaxed(&dropped, false);
        pthread_t t;
        CHECK(pthread_create(&t, NULL, use_foreign_beside, th->interp) == 0);
        while (!load_acquire(&dropped))
            POLL(th);
        blocking_begin(th);
        pthread_join(t, NULL);
        blocking_end(th);
    }
    printf("%s,2,%.2f\n", name, drops_best);
}

int
main(int argc, char **argv)
{
    (void)argv;
    Thread *th = fake_start();
    leaf_ops.dealloc = NULL;
    if (argc > 1) {
        pthread_t t;
        pthread_create(&t, NULL, second, th->interp);
        while (load_relaxed(&threads_started) == 0)
            POLL(th);
    }
    Value v = leaf_new(th);
    Object *o = value_object(v);
    Node *n = node_new(th);
    MEASURE("loop", N, sink = (uintptr_t)i);
    MEASURE("alloc+free 32 inline", N, {
        Object *x = object_new_fast(th, SHAPE_LEAF, 32, false);
        sink = (uintptr_t)x;
        object_free(th, x);
    });
    MEASURE("alloc+drop 32 inline", N, {
        Object *x = object_new_fast(th, SHAPE_LEAF, 32, false);
        sink = (uintptr_t)x;
        object_drop(th, x);
    });
    MEASURE("alloc+drop 64 inline", N, {
        Object *x = object_new_fast(th, SHAPE_LEAF, 64, false);
        sink = (uintptr_t)x;
        object_drop(th, x);
    });
    MEASURE("alloc+drop 64 object_new_kind", N, {
        Object *x = object_new_kind(th, SHAPE_LEAF, 64, false);
        sink = (uintptr_t)x;
        object_drop(th, x);
    });
    MEASURE("alloc+drop 64 object_new", N, {
        Object *x = object_new(th, SHAPE_LEAF, 64);
        sink = (uintptr_t)x;
        object_drop(th, x);
    });
    MEASURE("alloc+drop 72 container", N, {
        Object *x = object_new_fast(th, SHAPE_NODE, sizeof(Node), true);
        ((Node *)(void *)x)->magic = MAGIC;
        sink = (uintptr_t)x;
        object_drop(th, x);
    });
    static Object *batch[1000];
    MEASURE("batch of 1000, 48", N / 1000, {
        for (int k = 0; k < 1000; k++)
            batch[k] = object_new_fast(th, SHAPE_LEAF, 48, false);
        for (int k = 0; k < 1000; k++)
            object_drop(th, batch[k]);
    });
    enum { LIVE = 100000 };
    static Object *live[LIVE];
    uint32_t seed = 1;
    for (int k = 0; k < LIVE; k++)
        live[k] = object_new_fast(th, SHAPE_LEAF, 48, false);
    MEASURE("random replace 100k live, 48", N / 4, {
        uint32_t k = random_next(&seed) % LIVE;
        object_drop(th, live[k]);
        live[k] = object_new_fast(th, SHAPE_LEAF, 48, false);
    });
    for (int k = 0; k < LIVE; k++)
        object_drop(th, live[k]);
    enum { FILL = 2000000 };
    Object **fill = mem_alloc(FILL * sizeof(*fill));
    gc_enable(th->interp, false);
    MEASURE("fill 2M tracked, 48 (and free)", 1, {
        int64_t s = clock_monotonic_ns();
        for (int k = 0; k < FILL; k++)
            fill[k] = object_new_fast(th, SHAPE_LEAF, 48, true);
        double ns = (double)(clock_monotonic_ns() - s) / FILL;
        printf("# fill %.2f ns each\n", ns);
        for (int k = 0; k < FILL; k++)
            object_drop(th, fill[k]);
    });
    mem_free(fill);
    MEASURE("retain+drop owner", N, {
        retain(th, v);
        __asm__ volatile("" ::: "memory");
        drop(th, v);
    });
    MEASURE("field_replace leaf", N, field_replace(th, &n->head, &n->field[0], retain(th, v)));
    MEASURE("field_read+drop", N, drop(th, field_read(th, &n->head, &n->field[0])));
    MEASURE("object_lock+unlock", N, {
        bool held = object_lock(o);
        __asm__ volatile("" ::: "memory");
        object_unlock(o, held);
    });
    ByteLock b = {{0}};
    MEASURE("byte_lock+unlock", N, {
        byte_lock(&b);
        byte_unlock(&b);
    });
    Mutex m = MUTEX_INIT(0);
    MEASURE("mutex_lock+unlock", N, {
        mutex_lock(th, &m);
        mutex_unlock(&m);
    });
    MEASURE("detach+attach", N, {
        thread_detach(th);
        thread_attach(th);
    });
    MEASURE("poll", N, POLL(th));
    Node *s = node_new(th);
    object_set_bits(&s->head, BIT_SHARED);
    MEASURE("shared replace leaf + poll", N / 10, {
        field_replace(th, &s->head, &s->field[0], leaf_new(th));
        POLL(th);
    });
    MEASURE("shared replace container + poll", N / 10, {
        field_replace(th, &s->head, &s->field[0], value_of(node_new(th)));
        POLL(th);
    });
    WeakCell *w = weakref_new(th, o, NULL);
    MEASURE("weak_cell_get+drop", N / 4, drop(th, weak_cell_get(th, w)));
    if (argc > 1) {
        run_threads(th, 1, make_foreign, NULL);
        object_set_bits(value_object(foreign), BIT_WEAKREFS); /* such are not pooled */
        MEASURE("retain+drop foreign", N, {
            retain(th, foreign);
            drop(th, foreign);
        });
        fetch_and_relaxed(&value_object(foreign)->bits, (uint8_t)~BIT_WEAKREFS);
        MEASURE("retain+drop foreign, pooled", N, {
            retain(th, foreign);
            drop(th, foreign);
        });
        measure_foreign(th, "free foreign", true, false);
        measure_foreign(th, "drop foreign, owner online", false, true);
        measure_foreign(th, "drop foreign, owner offline", false, false);
    }
    MEASURE("world_stop+start", N / 100, {
        world_stop(th);
        world_start(th);
    });
    return 0;
}
