/* step.h -- loops of native code over iterators.
 */
#ifndef OBJECTS_PROTOCOL_STEP_H
#define OBJECTS_PROTOCOL_STEP_H

#include "objects/error/error.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "threads/safepoint.h"

/* iter_next() in line: the next item, a new reference; NULL: end or exception. */
static inline Value
next_item(Thread *th, Value it)
{
    NextFn next = SLOT(type_of(it), next);
    if (UNLIKELY(next == NULL))
        return iter_next(th, it); /* raises: its class changed meanwhile */
    if (!stack_check(th)) /* chains of iterators recurse here */
        return NULL;
    Value v = next(th, it);
    if (UNLIKELY(v == NULL && th->error != NULL) && error_matches(th, &exc_StopIteration))
        error_clear(th);
    return v;
}

/* Answers safepoint requests each 1,024 steps, in loops that may run long without Python code:
 * false with an exception. */
RAISES static inline bool
loop_poll(Thread *th, size_t step)
{
    return LIKELY((step & 1023) != 1023) || safepoint_poll(th);
}

#endif
