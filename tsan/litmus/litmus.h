/* litmus.h -- two threads that race on one pair of accesses, again and again.
 *
 * litmus_run(n, a, b, check) runs a(i) and b(i) at the same time for i = 0 .. n - 1, each on
 * its own OS thread, and check(i) alone after both.  check returns false for an outcome
 * that the memory orders forbid.  Under ThreadSanitizer plain accesses in a and b show
 * whether the pair really orders what comes before it and after it.
 */
#ifndef TSAN_LITMUS_LITMUS_H
#define TSAN_LITMUS_LITMUS_H

#include "tests/unit/gc/fake.h"
#include "threads/os_thread.h"

typedef struct LitmusSide {
    void (*fn)(Thread *th, long i);
    Interp *interp;
    long n;
    int side;
} LitmusSide;

static ATOMIC(long) litmus_turn;     /* the iteration both may start */
static ATOMIC(long) litmus_ready[2]; /* iterations each side has finished */

static UNUSED void *
litmus_side(void *p)
{
    LitmusSide *s = p;
    Thread *th = thread_acquire(s->interp);
    CHECK(th);
    thread_attach(th);
    for (long i = 0; i < s->n; i++) {
        thread_detach(th);
        for (int spin = 0; load_acquire(&litmus_turn) <= i; spin++)
            if (spin > 100)
                os_yield();
        thread_attach(th);
        s->fn(th, i);
        store_release(&litmus_ready[s->side], i + 1);
    }
    thread_release(th);
    return NULL;
}

static UNUSED void
litmus_run(Thread *th, long n, void (*a)(Thread *th, long i), void (*b)(Thread *th, long i),
           bool (*check)(Thread *th, long i), const char *what)
{
    n = TAP_SCALE(n);
    LitmusSide side[2] = {{a, th->interp, n, 0}, {b, th->interp, n, 1}};
    pthread_t os[2];
    store_relaxed(&litmus_turn, 0);
    for (int s = 0; s < 2; s++) {
        store_relaxed(&litmus_ready[s], 0);
        CHECK(pthread_create(&os[s], NULL, litmus_side, &side[s]) == 0);
    }
    long bad = 0;
    for (long i = 0; i < n; i++) {
        store_release(&litmus_turn, i + 1);
        blocking_begin(th);
        for (int s = 0; s < 2; s++)
            for (int spin = 0; load_acquire(&litmus_ready[s]) <= i; spin++)
                if (spin > 100)
                    os_yield();
        blocking_end(th);
        bad += check != NULL && !check(th, i);
        POLL(th);
    }
    blocking_begin(th);
    for (int s = 0; s < 2; s++)
        pthread_join(os[s], NULL);
    blocking_end(th);
    OK(bad == 0, what);
}

#endif
