/* stop_world.h -- every other thread of an interpreter at a safepoint or detached. */
#ifndef THREADS_STOP_WORLD_H
#define THREADS_STOP_WORLD_H

#include "threads/thread.h"

/* Stops all other threads of th's interpreter.  th goes on alone; a second stopper
 * waits (detached) until world_start().  A safepoint; nests are not allowed. */
void world_stop(Thread *th);
void world_start(Thread *th);

/* The same for all interpreters (fork, zeroing of caches), in id order. */
void world_stop_all(Thread *th);
void world_start_all(Thread *th);

/* Whether th is the one that has stopped its interpreter. */
bool world_is_stopped_by(Thread *th);

/* -- for threads/ -- */

/* Waits, offline, until nobody stops the interpreter. */
void world_wait(Thread *th);
/* Tells a stopper that a context went offline. */
void world_wake_stopper(Interp *interp);

/* Brings every thread of every interpreter to a safepoint, sets threads_started, and
 * lets them go on.  The caller is detached. */
void world_start_threads(Thread *th);

#endif
