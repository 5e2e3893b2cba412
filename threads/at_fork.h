/* at_fork.h -- what fork() means for threads, locks and queues.
 *
 *     fork_prepare(th);               every other thread of the process is stopped
 *     pid = fork();
 *     if (pid == 0) fork_child(th); else fork_parent(th);
 *
 * In the child only the calling thread exists.  The other contexts are marked dead: what
 * their registers hold is given up by the upper levels' `adopt`, what they had queued is
 * carried out by the caller, then they go to the pool.
 */
#ifndef THREADS_AT_FORK_H
#define THREADS_AT_FORK_H

#include "threads/thread.h"

/* What a level does around a fork.  A member may be NULL. */
typedef struct ForkHooks {
    /* Takes locks that threads may hold while they are offline; all others still run.  In
     * the reverse order of registration; the following in the order of registration. */
    void (*prepare)(Thread *th);
    void (*stopped)(void);                 /* takes leaf locks; the world is stopped */
    void (*parent)(void);                  /* gives both back; still stopped */
    void (*child)(void);                   /* makes both new */
    void (*adopt)(Thread *th, Thread *gone); /* gives up what `gone` held; of th's interpreter */
} ForkHooks;
void fork_register_hooks(const ForkHooks *hooks);

/* Between fork_prepare() and the end no object is touched. */
void fork_prepare(Thread *th);
void fork_parent(Thread *th);
void fork_child(Thread *th);

/* The three around fork(); errno is fork's. */
int fork_process(Thread *th);

#endif
