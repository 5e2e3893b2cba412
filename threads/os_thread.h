/* os_thread.h -- threads of the operating system. */
#ifndef THREADS_OS_THREAD_H
#define THREADS_OS_THREAD_H

#include <stddef.h>

#include "base/atomic.h"
#include "base/attrs.h"

/* One OS thread that has to do with Weft; lives in thread-local storage. */
typedef struct OsThread {
    uint64_t ident;                  /* [const] pthread_self() as a number; never 0 */
    int32_t native_id;               /* [const] the kernel's number */
    uintptr_t stack_low;             /* [const] lowest address of its stack */
    uintptr_t stack_high;            /* [const] highest address */
    ATOMIC(const void *) waiting_on; /* [atomic] byte it is parked on, or NULL */
} OsThread;

/* The calling thread's; filled in on first use. */
OsThread *os_thread_self(void);

/* The lowest address C code of this thread may reach: the rest of the stack is for
 * functions that recurse without asking. */
uintptr_t os_thread_stack_limit(OsThread *os);

/* Starts a detached thread.  `stack_size` 0: the default set below.  False: the system
 * has no thread left. */
bool os_thread_start(void (*fn)(void *arg), void *arg, size_t stack_size);
/* The same; *ident becomes the new thread's. */
bool os_thread_start_ident(void (*fn)(void *arg), void *arg, size_t stack_size, uint64_t *ident);

/* The stack size of new threads; 0: the system's default.  False: not possible. */
bool os_thread_set_stack_size(size_t size);
size_t os_thread_stack_size(void);

/* Names the calling thread for debuggers (15 bytes are kept). */
void os_thread_set_name(const char *name);

/* Waits until no thread is being started or taken down, when it uses the allocators although it is
 * offline, and lets none begin: before a fork, while the world is stopped. */
void os_thread_hold_changes(void);
void os_thread_changes_go_on(void);

/* Forgets the cached identity, and the above: in the child of a fork. */
void os_thread_reset_in_child(void);

/* Lets other threads run. */
void os_yield(void);

/* Moving a thread that sleeps to the processor of who wakes it.  Linux wakes a thread on a processor that is
 * idle; where two threads take turns, the one on which the other has just run is better: awake, and
 * what both use is in its caches. */
#define OS_CPUS_MAX 1024
typedef struct OsPull {
    int32_t tid;                        /* of the sleeper */
    int32_t cpu;                        /* where it was moved to; -1: it was not */
    uint64_t allowed[OS_CPUS_MAX / 64]; /* where it might run before */
} OsPull;

/* By the sleeper, before it sleeps.  False: it cannot be moved; what follows is not called. */
bool os_pull_begin(OsPull *p);
/* By another thread, while the sleeper exists: when that is woken, it goes on on the processor of the caller, if it may run
 * there.  If it does not sleep yet it is stopped for that, which takes some 40 us. */
void os_pull(OsPull *p);
/* By the sleeper, when it runs again: it may run where it might before, or where somebody else has said meanwhile. */
void os_pull_end(OsPull *p);

/* Tells the processor that this is a spin loop. */
static inline void
os_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
