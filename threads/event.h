/* event.h -- waiting once for something to have happened. */
#ifndef THREADS_EVENT_H
#define THREADS_EVENT_H

#include "threads/futex.h"
#include "threads/thread.h"

typedef struct Event {
    FutexWord state; /* 0 not yet, 1 it has happened, 2 not yet and somebody sleeps */
} Event;

#define EVENT_INIT {{0}}

/* It has happened; what the caller did before is visible to who waited. */
void event_set(Event *e);

static inline bool
event_is_set(Event *e)
{
    return load_acquire(&e->state) == 1; /* pairs with event_set() [event.state] */
}

/* Waits; th (may be NULL) is detached meanwhile.  False: `timeout` ns went by (negative:
 * never). */
bool event_wait(Thread *th, Event *e, int64_t timeout);

#endif
