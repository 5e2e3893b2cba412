/* signals.h -- from an operating system's signal to Python code.
 *
 *     C handler (any thread)      notes the signal, writes to the wakeup fd, asks the main
 *                                 thread (REQUEST_SIGNAL), interrupts what it blocks in
 *     main thread, safepoint      run_signals handler takes the noted signals one by one
 *                                 with signals_take() and runs Python's handlers
 *
 * Everything the C handler touches is a lock-free atomic.  Python handlers run on the main
 * interpreter's main thread only; signals_check() is for natives that block: after a system
 * call was interrupted (EINTR) they run handlers, and go on if none raised.
 */
#ifndef THREADS_SIGNALS_H
#define THREADS_SIGNALS_H

#include "threads/thread.h"

#define SIGNALS_MAX 65 /* numbers 1 .. SIGNALS_MAX - 1 */

typedef enum SignalAction { SIGNAL_DEFAULT, SIGNAL_IGNORE, SIGNAL_NOTE } SignalAction;

/* Declares who runs Python's handlers: the calling OS thread, as `th`. */
void signals_set_main(Thread *th);
/* Whether the calling OS thread is that one. */
bool signals_is_main_thread(void);

/* Sets what a signal does; SIGNAL_NOTE: the C handler above.  False: errno is set. */
bool signals_set_action(int signal, SignalAction action);
/* What it does now, as far as the system knows; -1: some other C handler, or errno. */
int signals_get_action(int signal);

/* Notes a signal as if it had come (_thread.interrupt_main). */
void signals_note(int signal);

/* The lowest noted signal, which is then no longer noted; 0: none.  Main thread. */
int signals_take(void);
/* Whether any is noted. */
bool signals_waiting(void);

/* The fd that the C handler writes each signal's number to, as one byte; -1: none.
 * Returns the old one.  `warn`: report a full pipe, too. */
int signals_set_wakeup_fd(int fd, bool warn);
/* The errno of a failed write to it since the last call; 0: none. */
int signals_wakeup_error(void);

/* Runs Python's handlers now if signals are noted and this is the main thread; false with
 * an exception set.  For natives after EINTR.  Attached. */
RAISES bool signals_check(Thread *th);

/* -- for at_fork.c -- */
void signals_reset_in_child(void);

#endif
