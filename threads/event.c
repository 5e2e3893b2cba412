/* event.c -- waiting once for something to have happened. */
#include "threads/event.h"

#include "base/clock.h"

void
event_set(Event *e)
{
    /* release: pairs with event_wait() and event_is_set() [event.state] */
    if (exchange_acq_rel(&e->state, 1) == 2)
        futex_wake(&e->state, FUTEX_ALL);
}

bool
event_wait(Thread *th, Event *e, int64_t timeout)
{
    if (event_is_set(e))
        return true;
    int64_t deadline = clock_deadline_ns(timeout);
    bool was_online = th != NULL && thread_is_attached(th);
    if (was_online)
        thread_detach(th);
    bool happened = true;
    for (;;) {
        uint32_t s = load_acquire(&e->state); /* pairs with event_set() [event.state] */
        if (s == 1)
            break;
        if (s == 0 && !cas_relaxed(&e->state, &s, 2))
            continue;
        if (futex_wait(&e->state, 2, deadline) == FUTEX_TIMEOUT) {
            happened = event_is_set(e);
            break;
        }
    }
    if (was_online)
        thread_attach(th);
    return happened;
}
