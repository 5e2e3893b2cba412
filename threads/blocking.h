/* blocking.h -- leaving Python round a call that may block.
 *
 *     blocking_begin(th);
 *     ssize_t n = read(fd, buffer, size);
 *     blocking_end(th);              // errno is still read()'s
 *
 * Between the two the thread is offline: other threads' grace periods and stops do not
 * wait for it, so it must touch no object, not even a borrowed one.  What the call needs
 * (a buffer, a path) is held by a count or an export.  Signal handlers do not run inside:
 * after EINTR the caller runs them (safepoint_poll) and decides whether to go on.
 *
 * blocking_begin() and blocking_end() are in thread.h.  A call that is known to be short
 * (under 10 us) needs neither.
 */
#ifndef THREADS_BLOCKING_H
#define THREADS_BLOCKING_H

#include <errno.h>

#include "base/sanitize.h"
#include "threads/thread.h"

/* Evaluates `call`, a system call, offline and stores its value. */
#define BLOCKING(th, result, call)                                             \
    do {                                                                       \
        blocking_begin(th);                                                    \
        system_call_begin();                                                   \
        (result) = (call);                                                     \
        system_call_end();                                                     \
        blocking_end(th);                                                      \
    } while (0)

#endif
