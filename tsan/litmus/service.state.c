/* service.state.c -- the service thread does not go to sleep over a queue: what a computing
 * thread retired is given up although it never retires again. */
#include "base/clock.h"
#include "tsan/litmus/litmus.h"

static Node *box;

static void
retirer(Thread *th, long i)
{
    (void)i;
    field_replace(th, &box->head, &box->field[0], leaf_new(th));
    field_replace(th, &box->head, &box->field[0], NULL);
    int64_t end = clock_monotonic_ns() + 10 * NS_PER_S;
    while (load_relaxed(&leaves_died) != load_relaxed(&leaves_made) && clock_monotonic_ns() < end)
        POLL(th);
    CHECK(load_relaxed(&leaves_died) == load_relaxed(&leaves_made));
}

static void
computer(Thread *th, long i)
{
    while (load_acquire(&litmus_ready[0]) <= i)
        POLL(th);
}

int
main(void)
{
    Thread *th = fake_start();
    box = node_new(th);
    litmus_run(th, 200, retirer, computer, NULL, "nothing waits for ever");
    drop(th, value_of(box));
    reclaim_flush(th);
    fake_end(th);
    DONE();
}
