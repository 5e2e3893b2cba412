/* test_interp.c -- interpreters side by side: heaps, ends, orphans, the service thread. */
#include "base/clock.h"
#include "tests/unit/gc/fake.h"

static Value kept; /* a leaf of an interpreter that ended */
static ATOMIC(int) go_on;

static void
use_interp(Thread *th, int rounds)
{
    Node *root = node_new(th);
    object_set_bits(&root->head, BIT_SHARED);
    for (int i = 0; i < rounds; i++) {
        Node *n = node_new(th);
        field_replace(th, &n->head, &n->field[0], retain(th, value_of(n)));
        field_replace(th, &root->head, &root->field[i & 3], value_of(n));
        POLL(th);
    }
    drop(th, value_of(root));
    gc_collect(th, 2);
}

static void *
run_interp(void *arg)
{
    (void)arg;
    for (long i = 0; i < TAP_SCALE(50); i++) {
        Interp *interp = interp_create();
        Thread *th = thread_create_main(interp);
        use_interp(th, 500);
        CHECK(live_objects(th) == 0);
        interp_close(th);
        thread_release(th);
        interp_free(interp);
    }
    return NULL;
}

static void *
sleeper(void *arg)
{
    Interp *interp = arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    store_release(&go_on, 1);
    for (;;)
        POLL(th); /* until the interpreter is closed under it: then it sleeps for ever */
    return NULL;
}

int
main(void)
{
    Thread *main_th = fake_start();
    thread_detach(main_th);

    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, run_interp, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    OK(load_relaxed(&nodes_made) == load_relaxed(&nodes_died),
       "interpreters come and go at the same time");

    Interp *other = interp_create();
    Thread *th = thread_create_main(other);
    size_t before = heap_bytes();
    kept = leaf_new(th);
    Value gone = value_of(node_new(th));
    (void)gone; /* dies with its interpreter */
    thread_release(th);
    interp_free(other);
    OK(((Leaf *)(void *)value_object(kept))->magic == MAGIC, "a leaf outlives its interpreter");
    OK(heap_bytes() <= before + 2 * SLAB_SIZE, "the rest is given back");
    thread_attach(main_th);
    OK(object_refcount(value_object(kept)) == 1, "with its count");
    drop(main_th, kept);
    POLL(main_th);
    thread_detach(main_th);

    other = interp_create();
    th = thread_create_main(other);
    pthread_t sleeping;
    pthread_create(&sleeping, NULL, sleeper, other);
    while (!load_acquire(&go_on))
        POLL(th);
    interp_close(th);
    use_interp(th, 100);
    OK(true, "the thread that closed an interpreter goes on alone");
    thread_release(th);
    interp_free(other);

    thread_attach(main_th);
    OK(live_objects(main_th) == 0, "the main interpreter never noticed");
    fake_end(main_th);
    DONE();
}
