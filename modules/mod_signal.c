/* mod_signal.c -- module _signal: what Python code does when a signal comes.
 *
 * The C handler of threads/signals.c notes a signal and asks the main thread, which calls
 * the Python handler at its next safepoint (run_signals).  Handlers belong to the process,
 * not to a module object: a table of counted references, written by the main thread only.
 *
 * Locks: table_lock, a leaf; held for one load or store with its count.
 */
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/posix.h"
#include "modules/static_types.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "threads/blocking.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"
#include "threads/signals.h"

_Static_assert(SIGNALS_MAX == 65, "the messages say 64");

typedef struct SignalModule {
    Type *siginfo; /* [const] counted */
} SignalModule;

/* What signal.signal() was given: a callable, the int 0 (SIG_DFL) or 1 (SIG_IGN); NULL: unknown. */
static Value handlers[SIGNALS_MAX]; /* [lock] table_lock; counted */
static ByteLock table_lock;
static ATOMIC(uint8_t) started; /* [atomic] the table is filled */

#define DEFAULT_ value_from_fixnum(0)
#define IGNORE_ value_from_fixnum(1)

static Type itimer_error;
static const TypeSpec itimer_error_spec = {.name = "signal.itimer_error", .base = &exc_OSError,
                                           .flags = TYPE_BASE};

/* A new reference to the handler of `sig`, or NULL. */
static Value
handler_get(Thread *th, int sig)
{
    byte_lock(&table_lock);
    Value v = handlers[sig];
    if (v)
        retain(th, v);
    byte_unlock(&table_lock);
    return v;
}

/* Puts `v` in the table; the result is what was there. */
static Value
handler_set(int sig, Value STEALS v)
{
    byte_lock(&table_lock);
    Value old = handlers[sig];
    handlers[sig] = v;
    byte_unlock(&table_lock);
    return old;
}

/* -- running handlers -------------------------------------------------------------------------------------- */

/* Reports that the C handler could not write to the wakeup fd. */
static COLD void
report_wakeup(Thread *th, int errnum)
{
    if (!sys_write(th, "stderr", "Exception ignored when trying to write to the signal wakeup fd:\n"))
        error_clear(th);
    raise_os_error(th, errnum);
    error_unraisable(th, NULL, NULL);
}

static bool
run_signals(Thread *th)
{
    int errnum = signals_wakeup_error();
    if (errnum)
        report_wakeup(th, errnum);
    int sig;
    while ((sig = signals_take()) != 0) {
        Value handler = handler_get(th, sig);
        if (handler == NULL || handler == DEFAULT_ || handler == IGNORE_) {
            drop_null(th, handler); /* it was changed after the signal had come */
            continue;
        }
        Value frame = frame_object_at(th, 0);
        Value r = NULL;
        if (frame != NULL || !error_set(th))
            r = call_2(th, handler, value_from_fixnum(sig), frame ? frame : NONE);
        drop_null(th, frame);
        drop(th, handler);
        if (r == NULL) {
            if (signals_waiting()) /* the others come at the next safepoint */
                safepoint_request(th, REQUEST_SIGNAL);
            return false;
        }
        drop(th, r);
    }
    return true;
}

/* Answers what a system call was interrupted by. */
static bool
after_interrupt(Thread *th)
{
    return safepoint_poll(th) && signals_check(th);
}

/* -- arguments --------------------------------------------------------------------------------------------- */

static bool
signal_number(Thread *th, Value v, int *sig)
{
    if (!arg_int(th, v, sig))
        return false;
    if (*sig < 1 || *sig >= SIGNALS_MAX) {
        raise_value_error(th, "signal number out of range");
        return false;
    }
    return true;
}

bool
sigset_from(Thread *th, Value iterable, sigset_t *set)
{
    sigemptyset(set);
    Value it = get_iter(th, iterable), item;
    if (it == NULL)
        return false;
    while ((item = iter_next(th, it)) != NULL) {
        Value n = to_index(th, item);
        drop(th, item);
        if (n == NULL)
            break;
        int64_t sig = -1;
        if (!int_fits_i64(n, &sig))
            sig = -1;
        drop(th, n);
        if (sig < 1 || sig >= SIGNALS_MAX) {
            raise_value_error(th, "signal number %lld out of range [1; %d]", (long long)sig,
                              SIGNALS_MAX - 1);
            break;
        }
        if (sigaddset(set, (int)sig) != 0 &&
            !warn(th, &exc_RuntimeWarning, 1, "invalid signal number %lld, please use valid_signals()",
                  (long long)sig))
            break;
    }
    drop(th, it);
    return !error_set(th);
}

static Value
set_from_sigset(Thread *th, const sigset_t *set)
{
    Value r = set_new(th);
    for (int sig = 1; r != NULL && sig < SIGNALS_MAX; sig++)
        if (sigismember(set, sig) == 1 && !set_add(th, r, value_from_fixnum(sig))) {
            drop(th, r);
            r = NULL;
        }
    return r;
}

/* Seconds, an int or a float, as nanoseconds, rounded up. */
static bool
nanoseconds_from(Thread *th, Value v, int64_t *out)
{
    static const char too_large[] = "timestamp too large to convert to C _PyTime_t";
    if (is_float(v)) {
        double d = float_value(v);
        if (isnan(d)) {
            raise_value_error(th, "Invalid value NaN (not a number)");
            return false;
        }
        d = ceil(d * 1e9);
        if (!(d >= -0x1p63 && d < 0x1p63)) {
            raise_overflow(th, too_large);
            return false;
        }
        *out = (int64_t)d;
        return true;
    }
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    int64_t seconds;
    bool fits = int_fits_i64(n, &seconds) && !__builtin_mul_overflow(seconds, NS_PER_S, out);
    drop(th, n);
    if (!fits)
        raise_overflow(th, too_large);
    return fits;
}

/* -- handlers ---------------------------------------------------------------------------------------------- */

static Value
signal_default_int_handler(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int sig;
    if (!arg_int(th, arg(a, 0), &sig))
        return NULL;
    return raise_none(th, &exc_KeyboardInterrupt);
}

static Value
signal_signal(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int sig;
    Value handler = arg(a, 1);
    if (!arg_int(th, arg(a, 0), &sig))
        return NULL;
    if (!signals_is_main_thread())
        return raise_value_error(th, "signal only works in main thread of the main interpreter");
    if (sig < 1 || sig >= SIGNALS_MAX)
        return raise_value_error(th, "signal number out of range");
    SignalAction action = SIGNAL_NOTE;
    if (is_int(handler)) {
        Value plain = int_plain(th, handler);
        if (plain == NULL)
            return NULL;
        action = plain == DEFAULT_ ? SIGNAL_DEFAULT : plain == IGNORE_ ? SIGNAL_IGNORE : SIGNAL_NOTE;
        drop(th, plain);
        handler = action == SIGNAL_DEFAULT ? DEFAULT_ : IGNORE_;
    }
    if (action == SIGNAL_NOTE && (is_int(arg(a, 1)) || is_callable(handler) != YES))
        return raise_type_error(th, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, "
                                    "or a callable object");
    if (!after_interrupt(th)) /* what came before goes to the old handler */
        return NULL;
    if (!signals_set_action(sig, action))
        return raise_os_error(th, errno);
    Value old = handler_set(sig, retain(th, handler));
    return old ? old : retain(th, NONE);
}

static Value
signal_getsignal(Thread *th, Value self, Value a)
{
    (void)self;
    int sig;
    if (!signal_number(th, a, &sig))
        return NULL;
    Value v = handler_get(th, sig);
    return v ? v : retain(th, NONE);
}

static Value
signal_siginterrupt(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int sig, flag;
    if (!arg_int(th, arg(a, 0), &sig) || !arg_int(th, arg(a, 1), &flag))
        return NULL;
    if (sig < 1 || sig >= SIGNALS_MAX)
        return raise_value_error(th, "signal number out of range");
    struct sigaction sa;
    if (sigaction(sig, NULL, &sa) != 0)
        return raise_os_error(th, errno);
    if (flag)
        sa.sa_flags &= ~SA_RESTART;
    else
        sa.sa_flags |= SA_RESTART;
    if (sigaction(sig, &sa, NULL) != 0)
        return raise_os_error(th, errno);
    return NONE;
}

static Value
signal_set_wakeup_fd(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "set_wakeup_fd", .names = {"", "warn_on_full_buffer"},
                                     .positional = 1, .posonly = 1, .required = 1};
    if (kwnames == NULL && n != 1)
        return n == 0 ? raise_type_error(th, "set_wakeup_fd() takes exactly 1 positional argument "
                                             "(0 given)")
                      : raise_type_error(th, "set_wakeup_fd() takes at most 1 positional argument "
                                             "(%zu given)", n);
    Value v[2];
    int fd;
    bool warn_full = true;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &fd) ||
        !arg_bool(th, v[1], &warn_full))
        return NULL;
    if (!signals_is_main_thread())
        return raise_value_error(th, "set_wakeup_fd only works in main thread of the main interpreter");
    if (fd != -1) {
        struct stat st;
        int flags = fstat(fd, &st) == 0 ? fcntl(fd, F_GETFL) : -1;
        if (flags < 0)
            return raise_os_error(th, errno);
        if (!(flags & O_NONBLOCK))
            return raise_value_error(th, "the fd %i must be in non-blocking mode", fd);
    }
    return value_from_fixnum(signals_set_wakeup_fd(fd, warn_full));
}

static Value
signal_strsignal(Thread *th, Value self, Value a)
{
    (void)self;
    int sig;
    if (!signal_number(th, a, &sig))
        return NULL;
    const char *text = strsignal(sig);
    if (text == NULL || strstr(text, "Unknown signal"))
        return NONE;
    return str_from_fs(th, text, strlen(text));
}

static Value
signal_valid_signals(Thread *th, Value self)
{
    (void)self;
    sigset_t set;
    sigfillset(&set); /* without those that libc keeps to itself */
    return set_from_sigset(th, &set);
}

/* -- sending ----------------------------------------------------------------------------------------------- */

static Value
signal_raise_signal(Thread *th, Value self, Value a)
{
    (void)self;
    int sig;
    if (!arg_int(th, a, &sig))
        return NULL;
    if (raise(sig) != 0)
        return raise_os_error(th, errno);
    return after_interrupt(th) ? NONE : NULL;
}

/* Whether a thread of this interpreter has this ident; a thread that has just been started
 * tells its own only once it runs. */
static bool
ident_is_known(Thread *th, uint64_t ident)
{
    for (int tries = 0; tries < 1000; tries++) {
        bool found = false, starting = false;
        mutex_lock(th, &th->interp->threads_lock);
        for (Thread *t = load_relaxed(&th->interp->threads); t; t = load_relaxed(&t->next)) {
            uint64_t id = __atomic_load_n(&t->ident, __ATOMIC_RELAXED);
            found |= t->in_use && id == ident;
            starting |= t->in_use && id == 0;
        }
        mutex_unlock(&th->interp->threads_lock);
        if (found || !starting)
            return found;
        blocking_begin(th);
        os_yield();
        blocking_end(th);
    }
    return false;
}

static Value
signal_pthread_kill(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int sig;
    if (!is_int(arg(a, 0)))
        return raise_type_error(th, "pthread_kill() argument 1 must be int, not %B", arg(a, 0));
    uint64_t ident = int_to_u64_wrap(arg(a, 0));
    if (!arg_int(th, arg(a, 1), &sig))
        return NULL;
    /* A number that is no thread's would be an address to libc. */
    if (!ident_is_known(th, ident))
        return raise_os_error(th, ESRCH);
    int err = pthread_kill((pthread_t)ident, sig);
    if (err)
        return raise_os_error(th, err);
    return after_interrupt(th) ? NONE : NULL;
}

static Value
signal_pidfd_send_signal(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int fd, sig, flags = 0;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &sig) ||
        (n > 3 && !arg_int(th, arg(a, 3), &flags)))
        return NULL;
    if (n > 2 && arg(a, 2) != NONE)
        return raise_type_error(th, "siginfo must be None");
    if (syscall(SYS_pidfd_send_signal, fd, sig, NULL, flags) < 0)
        return raise_os_error(th, errno);
    return NONE;
}

/* -- timers ------------------------------------------------------------------------------------------------ */

static Value
signal_alarm(Thread *th, Value self, Value a)
{
    (void)self;
    int seconds;
    if (!arg_int(th, a, &seconds))
        return NULL;
    return value_from_fixnum(alarm((unsigned)seconds));
}

static Value
seconds_from_timeval(Thread *th, struct timeval tv)
{
    return float_from(th, (double)tv.tv_sec + (double)tv.tv_usec * 1e-6);
}

static Value
tuple_from_timer(Thread *th, const struct itimerval *it)
{
    Value value = seconds_from_timeval(th, it->it_value);
    Value interval = value ? seconds_from_timeval(th, it->it_interval) : NULL;
    Value t = interval ? tuple_pack(th, 2, value, interval) : NULL;
    drop_null(th, value);
    drop_null(th, interval);
    return t;
}

static bool
timeval_from(Thread *th, Value v, struct timeval *tv)
{
    int64_t ns;
    if (!nanoseconds_from(th, v, &ns))
        return false;
    int64_t us = ns / 1000 + (ns > 0 && ns % 1000 != 0);
    tv->tv_sec = us / 1000000;
    tv->tv_usec = us % 1000000;
    if (tv->tv_usec < 0) {
        tv->tv_usec += 1000000;
        tv->tv_sec--;
    }
    return true;
}

static Value
signal_setitimer(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int which;
    struct itimerval new = {0}, old;
    if (!arg_int(th, arg(a, 0), &which) || !timeval_from(th, arg(a, 1), &new.it_value) ||
        (n > 2 && !timeval_from(th, arg(a, 2), &new.it_interval)))
        return NULL;
    if (setitimer((__itimer_which_t)which, &new, &old) != 0)
        return raise_os_error_type(th, &itimer_error, errno, NULL, NULL);
    return tuple_from_timer(th, &old);
}

static Value
signal_getitimer(Thread *th, Value self, Value a)
{
    (void)self;
    int which;
    struct itimerval now;
    if (!arg_int(th, a, &which))
        return NULL;
    if (getitimer((__itimer_which_t)which, &now) != 0)
        return raise_os_error_type(th, &itimer_error, errno, NULL, NULL);
    return tuple_from_timer(th, &now);
}

/* -- masks and waiting ------------------------------------------------------------------------------------- */

static Value
signal_pthread_sigmask(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int how;
    sigset_t set, old;
    if (!arg_int(th, arg(a, 0), &how) || !sigset_from(th, arg(a, 1), &set))
        return NULL;
    int err = pthread_sigmask(how, &set, &old);
    if (err)
        return raise_os_error(th, err);
    if (!after_interrupt(th)) /* signals that were blocked until now */
        return NULL;
    return set_from_sigset(th, &old);
}

static Value
signal_sigpending(Thread *th, Value self)
{
    (void)self;
    sigset_t set;
    if (sigpending(&set) != 0)
        return raise_os_error(th, errno);
    return set_from_sigset(th, &set);
}

static Value
signal_pause(Thread *th, Value self)
{
    (void)self;
    int r;
    BLOCKING(th, r, pause());
    (void)r;
    return after_interrupt(th) ? NONE : NULL;
}

static Value
signal_sigwait(Thread *th, Value self, Value a)
{
    (void)self;
    sigset_t set;
    if (!sigset_from(th, a, &set))
        return NULL;
    for (;;) {
        int err, sig = 0;
        BLOCKING(th, err, sigwait(&set, &sig));
        if (err == 0)
            return value_from_fixnum(sig);
        if (err != EINTR)
            return raise_os_error(th, err);
        if (!after_interrupt(th))
            return NULL;
    }
}

static Value
siginfo_new(Thread *th, Value module, const siginfo_t *info)
{
    Value r = struct_seq_new(th, ((SignalModule *)module_state(module))->siginfo);
    if (r == NULL)
        return NULL;
    const int64_t fields[] = {info->si_signo, info->si_code, info->si_errno, info->si_pid,
                              info->si_uid, info->si_status, info->si_band};
    for (int i = 0; i < (int)ARRAY_LEN(fields); i++) {
        Value v = int_from_i64(th, fields[i]);
        if (v == NULL) {
            drop(th, r);
            return NULL;
        }
        struct_seq_init(r, i, v);
    }
    return r;
}

/* Waits until `deadline` (INT64_MAX: for ever); NONE when that has gone by. */
static Value
wait_info(Thread *th, Value module, const sigset_t *set, int64_t deadline)
{
    for (;;) {
        siginfo_t info;
        int sig;
        if (deadline == INT64_MAX)
            BLOCKING(th, sig, sigwaitinfo(set, &info));
        else {
            int64_t left = deadline - clock_monotonic_ns();
            struct timespec ts = clock_timespec(left > 0 ? left : 0);
            BLOCKING(th, sig, sigtimedwait(set, &info, &ts));
        }
        if (sig > 0)
            return siginfo_new(th, module, &info);
        if (errno == EAGAIN)
            return NONE;
        if (errno != EINTR)
            return raise_os_error(th, errno);
        if (!after_interrupt(th))
            return NULL;
    }
}

static Value
signal_sigwaitinfo(Thread *th, Value self, Value a)
{
    sigset_t set;
    return sigset_from(th, a, &set) ? wait_info(th, self, &set, INT64_MAX) : NULL;
}

static Value
signal_sigtimedwait(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)n;
    sigset_t set;
    int64_t timeout;
    if (!nanoseconds_from(th, arg(a, 1), &timeout))
        return NULL;
    if (timeout < 0)
        return raise_value_error(th, "timeout must be non-negative");
    if (!sigset_from(th, arg(a, 0), &set))
        return NULL;
    return wait_info(th, self, &set, clock_deadline_ns(timeout));
}

/* -- the module -------------------------------------------------------------------------------------------- */

static const MethodDef signal_methods[] = {
    NATIVE_N("default_int_handler", signal_default_int_handler, 2, 2, "default_int_handler($module, signalnum, frame, /)\n--\n\nThe default handler for SIGINT installed by Python.\n\nIt raises KeyboardInterrupt."),
    NATIVE_1("alarm", signal_alarm, "alarm($module, seconds, /)\n--\n\nArrange for SIGALRM to arrive after the given number of seconds."),
    NATIVE_N("setitimer", signal_setitimer, 2, 3, "setitimer($module, which, seconds, interval=0.0, /)\n--\n\nSets a timer of the kind `which` to fire after `seconds`, and then every `interval`.\n\nZero seconds clear it.  Returns the old values as a tuple: (delay, interval)."),
    NATIVE_1("getitimer", signal_getitimer, "getitimer($module, which, /)\n--\n\nReturns current value of given itimer."),
    NATIVE_N("signal", signal_signal, 2, 2, "signal($module, signalnum, handler, /)\n--\n\nSet the action for the given signal: SIG_DFL, SIG_IGN, or a callable.\n\nReturns the action from before.  A handler is called with the signal's number and\nthe frame that was interrupted."),
    NATIVE_1("raise_signal", signal_raise_signal, "raise_signal($module, signalnum, /)\n--\n\nSend a signal to the executing process."),
    NATIVE_1("strsignal", signal_strsignal, "strsignal($module, signalnum, /)\n--\n\nReturn the system's description of the given signal, None if it has none."),
    NATIVE_1("getsignal", signal_getsignal, "getsignal($module, signalnum, /)\n--\n\nReturn the current action for the given signal: SIG_IGN, SIG_DFL, a callable,\nor None if it is a handler that Python did not set."),
    NATIVE_K("set_wakeup_fd", signal_set_wakeup_fd, "set_wakeup_fd(fd, *, warn_on_full_buffer=True) -> fd\n\nSets the fd that the number of each signal is written to, as a byte; -1: none.\nReturns the previous one.  It must be non-blocking."),
    NATIVE_N("siginterrupt", signal_siginterrupt, 2, 2, "siginterrupt($module, signalnum, flag, /)\n--\n\nChange whether a signal interrupts system calls (flag true) or lets them go on."),
    NATIVE_0("pause", signal_pause, "pause($module, /)\n--\n\nWait until a signal arrives."),
    NATIVE_N("pthread_kill", signal_pthread_kill, 2, 2, "pthread_kill($module, thread_id, signalnum, /)\n--\n\nSend a signal to a thread."),
    NATIVE_N("pthread_sigmask", signal_pthread_sigmask, 2, 2, "pthread_sigmask($module, how, mask, /)\n--\n\nFetch and/or change the signal mask of the calling thread."),
    NATIVE_0("sigpending", signal_sigpending, "sigpending($module, /)\n--\n\nReturns the set of the signals that wait to be delivered to the calling thread."),
    NATIVE_1("sigwait", signal_sigwait, "sigwait($module, sigset, /)\n--\n\nWait for one of the signals in `sigset`; accepts it and returns its number."),
    NATIVE_1("sigwaitinfo", signal_sigwaitinfo, "sigwaitinfo($module, sigset, /)\n--\n\nWait until one of the signals in `sigset` comes; returns a struct_siginfo."),
    NATIVE_N("sigtimedwait", signal_sigtimedwait, 2, 2, "sigtimedwait($module, sigset, timeout, /)\n--\n\nLike sigwaitinfo(), but with a timeout in seconds; None if it goes by."),
    NATIVE_0("valid_signals", signal_valid_signals, "valid_signals($module, /)\n--\n\nReturn the set of the signal numbers that can be used on this platform."),
    NATIVE_N("pidfd_send_signal", signal_pidfd_send_signal, 2, 4, "pidfd_send_signal($module, pidfd, signalnum, siginfo=None, flags=0, /)\n--\n\nSend a signal to a process referred to by a pid file descriptor."),
    NATIVE_END,
};

static const StructSeqField siginfo_fields[] = {
    {"si_signo", "signal number"},
    {"si_code", "signal code"},
    {"si_errno", "errno associated with this signal"},
    {"si_pid", "sending process ID"},
    {"si_uid", "real user ID of sending process"},
    {"si_status", "exit value or signal"},
    {"si_band", "band event for SIGPOLL"},
    {NULL, NULL},
};

static const StructSeqSpec siginfo_spec = {
    .name = "signal.struct_siginfo",
    .doc = "What sigwaitinfo() and sigtimedwait() return: a tuple of (si_signo, si_code,\n"
           "si_errno, si_pid, si_uid, si_status, si_band), which are attributes, too.",
    .fields = siginfo_fields,
    .visible = 7,
};

static const struct {
    const char *name;
    int value;
} constants[] = {
#define C(name) {#name, name}
    {"NSIG", SIGNALS_MAX},
    {"SIG_DFL", 0}, {"SIG_IGN", 1},
    C(SIG_BLOCK), C(SIG_UNBLOCK), C(SIG_SETMASK),
    C(ITIMER_REAL), C(ITIMER_VIRTUAL), C(ITIMER_PROF),
    C(SIGHUP), C(SIGINT), C(SIGQUIT), C(SIGILL), C(SIGTRAP), C(SIGABRT), C(SIGIOT), C(SIGBUS),
    C(SIGFPE), C(SIGKILL), C(SIGUSR1), C(SIGSEGV), C(SIGUSR2), C(SIGPIPE), C(SIGALRM), C(SIGTERM),
    {"SIGCLD", SIGCHLD}, C(SIGCHLD), C(SIGCONT), C(SIGSTOP), C(SIGTSTP), C(SIGTTIN), C(SIGTTOU),
    C(SIGURG), C(SIGXCPU), C(SIGXFSZ), C(SIGVTALRM), C(SIGPROF), C(SIGWINCH), C(SIGIO), C(SIGPOLL),
    C(SIGPWR), C(SIGSYS),
#ifdef SIGSTKFLT
    C(SIGSTKFLT),
#endif
#undef C
};

/* Fills the table with what the process was started with; Ctrl-C raises KeyboardInterrupt. */
static bool
start(Thread *th, Value module)
{
    if (exchange_acq_rel(&started, 1))
        return true;
    signals_set_main(th);
    safepoint_handlers.run_signals = run_signals;
    for (int sig = 1; sig < SIGNALS_MAX; sig++) {
        int action = signals_get_action(sig);
        drop_null(th, handler_set(sig, action == SIGNAL_DEFAULT  ? DEFAULT_
                                       : action == SIGNAL_IGNORE ? IGNORE_
                                                                 : NULL));
    }
    if (signals_get_action(SIGINT) != SIGNAL_DEFAULT)
        return true;
    Value f = get_attr_c(th, module, "default_int_handler");
    if (f == NULL)
        return false;
    drop_null(th, handler_set(SIGINT, f));
    if (!signals_set_action(SIGINT, SIGNAL_NOTE))
        return raise_os_error(th, errno) != NULL;
    return true;
}

static void
forget_handlers(Thread *th)
{
    for (int i = 0; i < SIGNALS_MAX; i++)
        drop_null(th, handler_set(i, NULL));
}

static bool
signal_exec(Thread *th, Value m)
{
    static const StaticType types[] = {{&itimer_error, &itimer_error_spec}};
    SignalModule *s = module_state(m);
    exit_forget_signals = forget_handlers;
    if (!static_types_ready(th, types, ARRAY_LEN(types)))
        return false;
    s->siginfo = struct_seq_type(th, &siginfo_spec);
    if (s->siginfo == NULL ||
        !module_add(th, m, "struct_siginfo", retain(th, value_of_type(s->siginfo))) ||
        !module_add(th, m, "ItimerError", value_of_type(&itimer_error)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return module_add_int(th, m, "SIGRTMIN", SIGRTMIN) && module_add_int(th, m, "SIGRTMAX", SIGRTMAX) &&
           start(th, m);
}

static void
signal_visit(Value m, VisitFn visit, void *arg)
{
    SignalModule *s = module_state(m);
    if (s->siginfo)
        visit(value_of_type(s->siginfo), arg);
}

const ModuleSpec signal_module = {
    .name = "_signal",
    .doc = "This module provides mechanisms to use signal handlers in Python.\n\n"
           "A handler is a function of the signal's number and the interrupted frame; it runs in\n"
           "the main thread, soon after the signal has come.",
    .methods = signal_methods,
    .exec = signal_exec,
    .state_size = sizeof(SignalModule),
    .visit = signal_visit,
};
