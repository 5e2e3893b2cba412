/* test_fork.c -- fork while other threads work: the child has one thread and a whole heap. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/gc/fake.h"
#include "threads/at_fork.h"

#if WEFT_TSAN
/* The children start threads, which ThreadSanitizer does not like but can do. */
const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
    return "die_after_fork=0";
}
#endif

static Node *shared_root[4];
static ATOMIC(int) quit;

static void *
worker(void *arg)
{
    Thread *th = thread_acquire(arg);
    CHECK(th);
    thread_attach(th);
    Frame frame = {{0}};
    th->frame = (void *)&frame;
    uint32_t seed = th->id;
    Mutex m = MUTEX_INIT(0);
    while (!load_relaxed(&quit)) {
        uint32_t r = random_next(&seed);
        Node *root = shared_root[r % 4];
        field_replace(th, &root->head, &root->field[r >> 4 & 3], leaf_new(th));
        reg_read(th, &frame, r >> 8 & 7, &root->head, &root->field[r >> 4 & 3]);
        if (r % 997 == 0) {
            blocking_begin(th);
            mutex_lock(NULL, &m);
            sched_yield();
            mutex_unlock(&m);
            blocking_end(th);
        }
        POLL(th);
    }
    for (int i = 0; i < REGISTERS; i++)
        reg_clear(th, &frame, i);
    th->frame = NULL;
    thread_release(th);
    return NULL;
}

/* What the evaluator does for a thread that is gone: its registers are all counted. */
static void
adopt(Thread *th, Thread *gone)
{
    Frame *f = (Frame *)gone->frame;
    for (int i = 0; f && i < REGISTERS; i++) {
        CHECK(f->r[i] == NULL || (value_bits(f->r[i]) & 7) == 0);
        drop_null(th, f->r[i]);
    }
}

static const ForkHooks hooks = {.adopt = adopt};

static void
late_thread(Thread *th, void *arg, int index)
{
    (void)arg;
    (void)index;
    for (int i = 0; i < 1000; i++) {
        Node *root = shared_root[i % 4];
        field_replace(th, &root->head, &root->field[0], leaf_new(th));
        POLL(th);
    }
}

static int
child(Thread *th)
{
    uint32_t in_use = 0;
    for (Thread *t = load_relaxed(&th->interp->threads); t; t = load_relaxed(&t->next))
        in_use += t->in_use;
    if (in_use != 1)
        return 1;
    reclaim_flush(th);
    gc_collect(th, 2);
    run_threads(th, 3, late_thread, NULL);
    for (int i = 0; i < 4; i++)
        drop(th, value_of(shared_root[i]));
    reclaim_flush(th);
    POLL(th);
    return live_objects(th) == 0 ? 0 : 2;
}

int
main(void)
{
    Thread *th = fake_start();
    fork_register_hooks(&hooks);
    for (int i = 0; i < 4; i++)
        shared_root[i] = node_new(th);
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, worker, th->interp);
    bool ok = true;
    long rounds = WEFT_TSAN ? 3 : TAP_SCALE(40);
    for (long i = 0; i < rounds && ok; i++) {
        POLL(th);
        struct timespec ts = clock_timespec(2 * NS_PER_MS);
        nanosleep(&ts, NULL);
        int pid = fork_process(th);
        if (pid == 0) {
            alarm(60);
            _exit(child(th));
        }
        int status = 0;
        blocking_begin(th);
        waitpid(pid, &status, 0);
        blocking_end(th);
        ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (!ok)
            printf("# round %ld status %x\n", i, status);
    }
    OK(ok, "children of a busy process free everything");
    store_relaxed(&quit, 1);
    blocking_begin(th);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    blocking_end(th);
    for (int i = 0; i < 4; i++)
        drop(th, value_of(shared_root[i]));
    reclaim_flush(th);
    POLL(th);
    OK(live_objects(th) == 0, "so does the parent");
    fake_end(th);
    DONE();
}
