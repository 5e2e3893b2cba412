/* interp.count.c -- an interpreter is freed after its last thread has let go of it. */
#include "tsan/litmus/litmus.h"

static Interp *interp;
static ATOMIC(int) started;

static void *
short_thread(void *arg)
{
    Thread *th = arg;
    thread_attach(th);
    store_release(&started, 1);
    thread_release(th);
    return NULL;
}

int
main(void)
{
    Thread *th = fake_start();
    for (long i = 0; i < TAP_SCALE(2000); i++) {
        interp = interp_create();
        Thread *other = thread_acquire(interp);
        store_relaxed(&started, 0);
        pthread_t t;
        pthread_create(&t, NULL, short_thread, other);
        blocking_begin(th);
        while (!load_acquire(&started) || load_relaxed(&interp->thread_count) != 0)
            os_yield();
        blocking_end(th);
        interp_free(interp);
        pthread_join(t, NULL);
    }
    OK(true, "freed after the last step");
    fake_end(th);
    DONE();
}
