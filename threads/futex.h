/* futex.h -- sleeping on a 32-bit word, as the Linux kernel offers it.
 *
 * futex_wait() sleeps while the word is `expected`; it may return for no reason, so
 * callers test their condition again.  The word's change is what synchronises; a
 * wake-up carries nothing.  Both are async-signal-safe.
 */
#ifndef THREADS_FUTEX_H
#define THREADS_FUTEX_H

#include "base/atomic.h"

typedef enum FutexResult { FUTEX_AGAIN, FUTEX_TIMEOUT, FUTEX_INTERRUPTED } FutexResult;

typedef ATOMIC(uint32_t) FutexWord;

/* Sleeps until woken, until `deadline` on the monotonic clock (INT64_MAX: never), or
 * until a signal handler has run on this OS thread.  errno is kept. */
FutexResult futex_wait(FutexWord *word, uint32_t expected, int64_t deadline);

/* Wakes up to `count` sleepers. */
void futex_wake(FutexWord *word, int count);

#define FUTEX_ALL 0x7fffffff

#endif
