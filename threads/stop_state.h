/* stop_state.h -- one interpreter's stop-the-world domain (for threads/ only). */
#ifndef THREADS_STOP_STATE_H
#define THREADS_STOP_STATE_H

#include "threads/futex.h"
#include "threads/mutex.h"

typedef struct StopState {
    Mutex lock;              /* held while the world is stopped */
    ATOMIC(Thread *) stopper;/* [lock] who stopped it; NULL: nobody of this interpreter */
    FutexWord changes;       /* [atomic] grows when a thread goes offline during a stop */
    ATOMIC(uint32_t) sleeping; /* [atomic] the stopper sleeps on `changes` */
    ATOMIC(uint32_t) waiting;  /* [atomic] threads that sleep on the interpreter's flags */
} StopState;

StopState *stop_state_create(void);

#endif
