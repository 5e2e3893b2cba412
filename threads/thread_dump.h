/* thread_dump.h -- who runs, who waits and for what, as text on a file descriptor. */
#ifndef THREADS_THREAD_DUMP_H
#define THREADS_THREAD_DUMP_H

/* Writes one line for each context in use.  Allocates nothing and takes no lock, so it may
 * be called from a debugger or a signal handler; what it shows is a snapshot. */
void thread_dump(int fd);

#endif
