/* signals.c -- from an operating system's signal to Python code.
 *
 * The C handler must reach a main thread that blocks.  If the kernel chose another thread,
 * the handler sends the signal on to the main thread, which is thereby interrupted, and
 * marks it as forwarded so that it is not counted twice.
 *
 * Process-wide state: the noted signals, the wakeup fd, who the main thread is.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "threads/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "threads/os_thread.h"
#include "threads/safepoint.h"

static ATOMIC(uint8_t) noted[SIGNALS_MAX];     /* [atomic] */
static ATOMIC(uint8_t) forwarded[SIGNALS_MAX]; /* [atomic] on its way to the main thread */
static ATOMIC(uint32_t) any_noted;             /* [atomic] look at `noted` */
static ATOMIC(int) wakeup_fd = {-1};           /* [atomic] */
static ATOMIC(uint8_t) wakeup_warn;            /* [atomic] */
static ATOMIC(int) wakeup_errno;               /* [atomic] */
static ATOMIC(Thread *) main_thread;           /* [atomic] */
static ATOMIC(int32_t) main_native_id;         /* [atomic] */

_Static_assert(__atomic_always_lock_free(sizeof(void *), 0), "handlers use atomics");

void
signals_set_main(Thread *th)
{
    store_relaxed(&main_native_id, os_thread_self()->native_id);
    store_release(&main_thread, th); /* pairs with signals_note() [signals.main] */
}

bool
signals_is_main_thread(void)
{
    return load_relaxed(&main_native_id) == os_thread_self()->native_id;
}

void
signals_note(int signal)
{
    if (signal <= 0 || signal >= SIGNALS_MAX)
        return;
    store_relaxed(&noted[signal], 1);
    /* release: which one; pairs with signals_take() [signals.noted] */
    exchange_acq_rel(&any_noted, 1);
    int fd = load_relaxed(&wakeup_fd);
    if (fd >= 0) {
        unsigned char byte = (unsigned char)signal;
        ssize_t n;
        do
            n = write(fd, &byte, 1);
        while (n < 0 && errno == EINTR);
        if (n < 0 && (load_relaxed(&wakeup_warn) || (errno != EAGAIN && errno != EWOULDBLOCK)))
            store_relaxed(&wakeup_errno, errno);
    }
    Thread *th = load_acquire(&main_thread); /* [signals.main] */
    if (th)
        safepoint_request(th, REQUEST_SIGNAL);
}

static void
c_handler(int signal)
{
    int saved = errno;
    int32_t self = (int32_t)syscall(SYS_gettid);
    int32_t main_id = load_relaxed(&main_native_id);
    if (self == main_id && exchange_acq_rel(&forwarded[signal], 0)) {
        /* Noted already; this one only interrupted what the main thread was doing. */
        errno = saved;
        return;
    }
    signals_note(signal);
    if (self != main_id && main_id != 0) {
        Thread *th = load_acquire(&main_thread); /* [signals.main] */
        if (th && load_relaxed(&th->state) != THREAD_ATTACHED) {
            exchange_acq_rel(&forwarded[signal], 1);
            if (syscall(SYS_tgkill, getpid(), main_id, signal) != 0)
                exchange_acq_rel(&forwarded[signal], 0);
        }
    }
    errno = saved;
}

bool
signals_set_action(int signal, SignalAction action)
{
    struct sigaction sa = {0};
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = action == SIGNAL_NOTE     ? c_handler
                    : action == SIGNAL_IGNORE ? SIG_IGN
                                              : SIG_DFL;
    /* No SA_RESTART: blocked calls shall end with EINTR so that handlers get to run. */
    if (action == SIGNAL_NOTE)
        sa.sa_flags = SA_ONSTACK;
    if (signal <= 0 || signal >= SIGNALS_MAX) {
        errno = EINVAL;
        return false;
    }
    return sigaction(signal, &sa, NULL) == 0;
}

int
signals_get_action(int signal)
{
    struct sigaction sa;
    if (sigaction(signal, NULL, &sa) != 0)
        return -1;
    if (sa.sa_handler == SIG_DFL)
        return SIGNAL_DEFAULT;
    if (sa.sa_handler == SIG_IGN)
        return SIGNAL_IGNORE;
    return sa.sa_handler == c_handler ? (int)SIGNAL_NOTE : -1;
}

int
signals_take(void)
{
    /* acquire: which ones; a signal noted after this sets it again [signals.noted] */
    if (exchange_acq_rel(&any_noted, 0) == 0)
        return 0;
    for (int s = 1; s < SIGNALS_MAX; s++)
        if (load_relaxed(&noted[s]) && exchange_acq_rel(&noted[s], 0)) {
            exchange_acq_rel(&any_noted, 1); /* there may be more */
            return s;
        }
    return 0;
}

bool
signals_waiting(void)
{
    return load_relaxed(&any_noted) != 0;
}

int
signals_set_wakeup_fd(int fd, bool warn)
{
    store_relaxed(&wakeup_warn, warn);
    return exchange_acq_rel(&wakeup_fd, fd);
}

int
signals_wakeup_error(void)
{
    return exchange_acq_rel(&wakeup_errno, 0);
}

bool
signals_check(Thread *th)
{
    if (!signals_waiting() || load_relaxed(&main_thread) != th ||
        safepoint_handlers.run_signals == NULL)
        return true;
    fetch_and_seq_cst(&th->request, ~REQUEST_SIGNAL);
    return safepoint_handlers.run_signals(th);
}

void
signals_reset_in_child(void)
{
    for (int s = 0; s < SIGNALS_MAX; s++) {
        store_relaxed(&noted[s], 0); /* they were the parent's */
        store_relaxed(&forwarded[s], 0);
    }
    store_relaxed(&any_noted, 0);
    /* The forking thread is the child's main thread. */
    Thread *th = thread_current;
    if (load_relaxed(&main_thread))
        signals_set_main(th);
}
