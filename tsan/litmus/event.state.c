/* event.state.c -- who sees that an event has happened sees what came before it. */
#include "threads/event.h"
#include "tsan/litmus/litmus.h"

static Event event;
static long message; /* plain */
static bool bad;

static void
setter(Thread *th, long i)
{
    (void)th;
    message = i + 1;
    event_set(&event);
}

static void
waiter(Thread *th, long i)
{
    bad |= !event_wait(th, &event, -1) || message != i + 1;
}

static bool
check(Thread *th, long i)
{
    (void)th;
    (void)i;
    store_relaxed(&event.state, 0);
    return !bad;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 30000, setter, waiter, check, "an event orders");
    fake_end(th);
    DONE();
}
