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
