/* mod_faulthandler.c -- module faulthandler: tracebacks on a file descriptor, asked for, after a time, at a
 * signal, or when the process crashes.
 *
 * Writing a traceback allocates nothing and takes no lock.  From Python code and after a time the world is
 * stopped, so every thread's frames stand still; a signal handler shows the thread it runs in, whose frames
 * do, and says of the others only that they exist (rules A12).
 *
 * What handlers read is atomic: files are descriptors (their objects are kept by the module). */
#include "core/run/run.h"
#include "core/vm/frame.h"
#include "modules/modules.h"
#include "modules/posix.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "threads/event.h"
#include "threads/lock_rank.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"
#include "threads/stop_world.h"

enum { MAX_FRAMES = 100, MAX_THREADS = 100, MAX_TEXT = 500, SIGNALS = 65 };

/* A signal that register() has asked for. */
typedef struct UserSignal {
    ATOMIC(int) fd;                    /* descriptor + 1; 0: not registered */
    ATOMIC(uint8_t) all_threads, chain;
    struct sigaction before;           /* [lock] state_lock; what was in force */
} UserSignal;

static const struct {
    int number;
    const char *text;
} fatal_signals[] = {
    {SIGBUS, "Bus error"},  {SIGILL, "Illegal instruction"}, {SIGFPE, "Floating point exception"},
    {SIGABRT, "Aborted"},   {SIGSEGV, "Segmentation fault"},
};

/* One a process, as signals are. */
static Mutex state_lock = MUTEX_INIT(RANK_STATE); /* enable, register and dump_traceback_later */
static ATOMIC(int) fatal_fd;           /* descriptor + 1; 0: not enabled */
static ATOMIC(uint8_t) fatal_all_threads;
static struct sigaction fatal_before[ARRAY_LEN(fatal_signals)]; /* [lock] state_lock */
static UserSignal user_signals[SIGNALS];
struct Watch;
static struct Watch *watch;            /* [lock] state_lock; what waits for dump_traceback_later(), or NULL */

typedef struct FaultModule {
    Field fatal_file, later_file;
    Field user_files[SIGNALS];
} FaultModule;

/* -- writing -- */

static void
put(int fd, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t r = write(fd, text, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return;
        text += r;
        n -= (size_t)r;
    }
}

static void
put_number(int fd, uint64_t n, unsigned base, int width)
{
    char digits[32];
    int at = sizeof digits - 1;
    digits[at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[n % base];
        width--;
    } while ((n /= base) != 0 || width > 0);
    put(fd, digits + at);
}

/* A str, what is not ASCII as escapes. */
static void
put_str(int fd, Value v)
{
    if (v == NULL || !value_is_object(v) || !is_str(v)) {
        put(fd, "???");
        return;
    }
    const Str *s = as_str(v);
    size_t n = s->length < MAX_TEXT ? s->length : MAX_TEXT;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = str_char(s, i);
        char one[2] = {(char)c, 0};
        if (c >= ' ' && c < 127)
            put(fd, one);
        else {
            put(fd, c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
            put_number(fd, c, 16, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
        }
    }
    if (n < s->length)
        put(fd, "...");
}

static void
put_frames(int fd, const Thread *t)
{
    const Frame *f = t->frame;
    if (f == NULL)
        put(fd, "  <no Python frame>\n");
    for (int n = 0; f; f = frame_caller(f), n++) {
        if (n == MAX_FRAMES) {
            put(fd, "  ...\n");
            return;
        }
        const Code *c = f->code;
        put(fd, "  File \"");
        put_str(fd, c->filename);
        put(fd, "\", line ");
        int line = f->pc >= c->instrs ? code_line(c, (uint32_t)(f->pc - c->instrs)) : -1;
        if (line >= 0)
            put_number(fd, (uint64_t)line, 10, 0);
        else
            put(fd, "???");
        put(fd, " in ");
        put_str(fd, c->name);
        put(fd, "\n");
    }
}

static void
put_thread(int fd, const Thread *t, bool current, bool frames)
{
    put(fd, current ? "Current thread 0x" : "Thread 0x");
    put_number(fd, t->ident, 16, 16);
    put(fd, " (most recent call first):\n");
    if (frames)
        put_frames(fd, t);
    else
        put(fd, "  <running>\n");
}

/* The only thread that is shown. */
static void
put_stack(int fd, const Thread *th)
{
    put(fd, "Stack (most recent call first):\n");
    put_frames(fd, th);
}

/* All threads, the current one last.  `frames`: the world is stopped, others' frames may be read. */
static void
put_all(int fd, Interp *interp, const Thread *current, bool frames)
{
    int n = 0;
    for (Thread *t = load_acquire(&interp->threads); t; t = load_relaxed(&t->next)) {
        /* A context that goes back to the pool has no frame, and its `ident` is written meanwhile. */
        if (t == current || t->frame == NULL || t->ident == 0)
            continue;
        if (n++ == MAX_THREADS) {
            put(fd, "...\n");
            break;
        }
        put_thread(fd, t, false, frames);
        put(fd, "\n");
    }
    if (current && current->frame)
        put_thread(fd, current, true, true);
}

/* From a signal handler. */
static void
put_here(int fd, bool all)
{
    Thread *th = thread_current;
    if (th == NULL || th->interp == NULL)
        put(fd, "<no Python thread>\n");
    else if (all)
        put_all(fd, th->interp, th, false);
    else
        put_stack(fd, th);
}

/* -- arguments -- */

/* The descriptor of file= (sys.stderr by default) and, in *keep, the object that holds it open. */
static bool
file_arg(Thread *th, Value v, int *fd, Value *keep)
{
    *keep = NULL;
    Value file = v;
    Value own = NULL;
    if (v == NULL || v == NONE) {
        own = file = sys_get_object(th, "stderr");
        if (file == NULL || file == NONE) {
            drop_null(th, own);
            if (!error_set(th))
                raise_error(th, &exc_RuntimeError, own ? "sys.stderr is None" : "unable to get sys.stderr");
            return false;
        }
    } else if (is_int(v)) {
        if (!arg_int(th, v, fd))
            return false;
        if (*fd < 0)
            raise_value_error(th, "file is not a valid file descripter");
        return *fd >= 0;
    }
    Value fileno = get_attr(th, file, NAME(fileno));
    Value n = fileno ? call_0(th, fileno) : NULL;
    drop_null(th, fileno);
    int64_t number = -1;
    bool ok = n != NULL;
    if (ok && (!is_int(n) || !int_fits_i64(n, &number) || number < 0 || number > INT32_MAX)) {
        raise_error(th, &exc_RuntimeError, "file.fileno() is not a valid file descriptor");
        ok = false;
    }
    drop_null(th, n);
    *fd = (int)number;
    if (ok) {
        Value r = call_method_0(th, file, str_intern_immortal(th, "flush"));
        if (r == NULL)
            error_clear(th);
        drop_null(th, r);
        *keep = retain(th, file);
    }
    drop_null(th, own);
    return ok;
}

static Value
fault_dump_traceback(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "dump_traceback", .names = {"file", "all_threads"}, .positional = 2};
    Value v[2], keep;
    bool all = true;
    int fd;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_bool(th, v[1], &all) || !file_arg(th, v[0], &fd, &keep))
        return NULL;
    if (all) {
        world_stop(th);
        put_all(fd, th->interp, th, true);
        world_start(th);
    } else
        put_stack(fd, th);
    drop_null(th, keep);
    return NONE;
}

/* -- crashes -- */

/* Writes, puts back what was in force, and lets the signal come again. */
static void
on_fatal(int number)
{
    int fd = load_acquire(&fatal_fd) - 1, error = errno;
    if (fd < 0)
        return;
    size_t i = 0;
    while (i < ARRAY_LEN(fatal_signals) && fatal_signals[i].number != number)
        i++;
    if (i == ARRAY_LEN(fatal_signals))
        return;
    (void)sigaction(number, &fatal_before[i], NULL); /* unchanged while the handler is in force */
    put(fd, "Fatal Python error: ");
    put(fd, fatal_signals[i].text);
    put(fd, "\n\n");
    put_here(fd, load_relaxed(&fatal_all_threads));
    errno = error;
    (void)raise(number);
}

/* Puts back what was in force before enable().  Needs: state_lock. */
static void
fatal_off(void)
{
    if (load_relaxed(&fatal_fd) == 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        (void)sigaction(fatal_signals[i].number, &fatal_before[i], NULL);
    store_release(&fatal_fd, 0); /* pairs with on_fatal() */
}

static Value
fault_enable(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "enable", .names = {"file", "all_threads"}, .positional = 2};
    Value v[2], keep;
    bool all = true;
    int fd, failed = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_bool(th, v[1], &all) || !file_arg(th, v[0], &fd, &keep))
        return NULL;
    field_replace(th, value_object(self), &((FaultModule *)module_state(self))->fatal_file, keep);
    mutex_lock(th, &state_lock);
    bool was = load_relaxed(&fatal_fd) != 0;
    store_relaxed(&fatal_all_threads, all);
    store_release(&fatal_fd, fd + 1); /* pairs with on_fatal() */
    if (!was) {
        struct sigaction action = {.sa_handler = on_fatal, .sa_flags = SA_NODEFER | SA_ONSTACK};
        for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
            if (sigaction(fatal_signals[i].number, &action, &fatal_before[i]) < 0)
                failed = errno;
    }
    mutex_unlock(&state_lock);
    return failed ? raise_os_error(th, failed) : NONE;
}

static Value
fault_disable(Thread *th, Value self)
{
    mutex_lock(th, &state_lock);
    bool was = load_relaxed(&fatal_fd) != 0;
    fatal_off();
    mutex_unlock(&state_lock);
    field_replace(th, value_object(self), &((FaultModule *)module_state(self))->fatal_file, NULL);
    return bool_from(was);
}

static Value
fault_is_enabled(Thread *th, Value self)
{
    (void)th, (void)self;
    return bool_from(load_relaxed(&fatal_fd) != 0);
}

/* -- signals of the program's -- */

static void
on_user(int number)
{
    UserSignal *u = &user_signals[number];
    int fd = load_acquire(&u->fd) - 1, error = errno;
    if (fd < 0)
        return;
    put_here(fd, load_relaxed(&u->all_threads));
    if (load_relaxed(&u->chain)) {
        struct sigaction own;
        (void)sigaction(number, &u->before, &own);
        errno = error;
        (void)raise(number);
        (void)sigaction(number, &own, NULL);
    }
    errno = error;
}

static bool
signal_arg(Thread *th, Value v, int *number)
{
    if (!arg_int(th, v, number))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        if (fatal_signals[i].number == *number) {
            raise_error(th, &exc_RuntimeError, "signal %i cannot be registered, use enable() instead", *number);
            return false;
        }
    if (*number < 1 || *number >= SIGNALS) {
        raise_value_error(th, "signal number out of range");
        return false;
    }
    return true;
}

static Value
fault_register(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "register", .names = {"signum", "file", "all_threads", "chain"},
                                     .positional = 4, .required = 1};
    Value v[4], keep;
    bool all = true, chain = false;
    int fd, number, failed = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !signal_arg(th, v[0], &number) || !arg_bool(th, v[2], &all) ||
        !arg_bool(th, v[3], &chain) || !file_arg(th, v[1], &fd, &keep))
        return NULL;
    UserSignal *u = &user_signals[number];
    field_replace(th, value_object(self), &((FaultModule *)module_state(self))->user_files[number], keep);
    mutex_lock(th, &state_lock);
    bool was = load_relaxed(&u->fd) != 0;
    store_relaxed(&u->all_threads, all);
    store_relaxed(&u->chain, chain);
    store_release(&u->fd, fd + 1); /* pairs with on_user() */
    if (!was) {
        /* With `chain` the handler is interrupted by the signal it sends itself. */
        struct sigaction action = {.sa_handler = on_user, .sa_flags = SA_RESTART | SA_ONSTACK | (chain ? SA_NODEFER : 0)};
        if (sigaction(number, &action, &u->before) < 0) {
            failed = errno;
            store_relaxed(&u->fd, 0);
        }
    }
    mutex_unlock(&state_lock);
    return failed ? raise_os_error(th, failed) : NONE;
}

static Value
fault_unregister(Thread *th, Value self, Value v)
{
    int number;
    if (!signal_arg(th, v, &number))
        return NULL;
    UserSignal *u = &user_signals[number];
    mutex_lock(th, &state_lock);
    bool was = load_relaxed(&u->fd) != 0;
    if (was) {
        (void)sigaction(number, &u->before, NULL);
        store_relaxed(&u->fd, 0);
    }
    mutex_unlock(&state_lock);
    field_replace(th, value_object(self), &((FaultModule *)module_state(self))->user_files[number], NULL);
    return bool_from(was);
}

/* -- after a time -- */

/* What a thread of its own waits for. */
typedef struct Watch {
    Event cancelled;
    ATOMIC(int) users; /* that thread, and `watch`; the last one frees it */
    int64_t timeout;   /* ns */
    int fd;
    bool repeat, exit;
    char header[64];
} Watch;

static void
watch_unuse(Watch *w)
{
    if (fetch_add_acq_rel(&w->users, -1) == 1) /* pairs with the other user's */
        mem_free(w);
}

static void
watch_run(Thread *th, void *arg)
{
    Watch *w = arg;
    do {
        if (event_wait(th, &w->cancelled, w->timeout))
            break;
        world_stop(th);
        put(w->fd, w->header);
        put_all(w->fd, th->interp, th, true);
        world_start(th);
        if (w->exit)
            _exit(1);
    } while (w->repeat);
    watch_unuse(w);
}

/* Ends what is waiting.  Needs: state_lock. */
static void
watch_cancel(void)
{
    if (watch) {
        event_set(&watch->cancelled);
        watch_unuse(watch);
        watch = NULL;
    }
}

static Value
fault_dump_traceback_later(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "dump_traceback_later", .names = {"timeout", "repeat", "file", "exit"},
                                     .positional = 4, .required = 1};
    Value v[4], keep;
    bool repeat = false, quit = false;
    int fd;
    double seconds;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_double(th, v[0], &seconds))
        return NULL;
    if (isnan(seconds))
        return raise_value_error(th, "Invalid value NaN (not a number)");
    if (seconds <= 0)
        return raise_value_error(th, "timeout must be greater than 0");
    if (seconds > 9.2e9)
        return raise_overflow(th, "timeout value is too large");
    if (!arg_bool(th, v[1], &repeat) || !arg_bool(th, v[3], &quit) || !file_arg(th, v[2], &fd, &keep))
        return NULL;
    Watch *w = mem_alloc_zeroed(sizeof *w);
    Thread *runner = w ? thread_acquire(th->interp) : NULL;
    if (runner == NULL) {
        mem_free(w);
        drop_null(th, keep);
        return raise_memory(th);
    }
    field_replace(th, value_object(self), &((FaultModule *)module_state(self))->later_file, keep);
    w->timeout = (int64_t)ceil(seconds * 1e9);
    w->fd = fd;
    w->repeat = repeat;
    w->exit = quit;
    plain_store(&w->users, 2); /* not published yet */
    uint64_t us = (uint64_t)w->timeout / 1000, whole = us / 1000000;
    int used = snprintf(w->header, sizeof w->header, "Timeout (%llu:%02llu:%02llu", (unsigned long long)(whole / 3600),
                        (unsigned long long)(whole / 60 % 60), (unsigned long long)(whole % 60));
    if (us % 1000000)
        used += snprintf(w->header + used, sizeof w->header - (size_t)used, ".%06u", (unsigned)(us % 1000000));
    snprintf(w->header + used, sizeof w->header - (size_t)used, ")!\n");
    runner->is_daemon = 1;
    mutex_lock(th, &state_lock);
    watch_cancel();
    bool started = thread_start(runner, watch_run, w, 0);
    if (started)
        watch = w;
    mutex_unlock(&state_lock);
    if (!started) {
        thread_release(runner);
        mem_free(w);
        return raise_error(th, &exc_RuntimeError, "unable to start watchdog thread");
    }
    return NONE;
}

static Value
fault_cancel_dump_traceback_later(Thread *th, Value self)
{
    mutex_lock(th, &state_lock);
    watch_cancel();
    mutex_unlock(&state_lock);
    field_replace(th, value_object(self), &((FaultModule *)module_state(self))->later_file, NULL);
    return NONE;
}

/* -- for tests: real crashes -- */

static Value
crash(int number)
{
    (void)raise(number);
    return NONE;
}

static Value
fault_read_null(Thread *th, Value self)
{
    (void)th, (void)self;
    volatile const int *nothing = NULL;
    return value_from_fixnum(*nothing);
}

static Value fault_sigsegv(Thread *th, Value self, const Arg *a, size_t n) { (void)th, (void)self, (void)a, (void)n; return crash(SIGSEGV); }
static Value fault_sigfpe(Thread *th, Value self) { (void)th, (void)self; return crash(SIGFPE); }
static Value fault_sigabrt(Thread *th, Value self) { (void)th, (void)self; return crash(SIGABRT); }

static const MethodDef fault_methods[] = {
    NATIVE_K("enable", fault_enable, "enable(file=sys.stderr, all_threads=True): enable the fault handler"),
    NATIVE_0("disable", fault_disable, "disable(): disable the fault handler"),
    NATIVE_0("is_enabled", fault_is_enabled, "is_enabled()->bool: check if the handler is enabled"),
    NATIVE_K("dump_traceback", fault_dump_traceback, "dump_traceback(file=sys.stderr, all_threads=True): dump the traceback of the current thread, or of all threads if all_threads is True, into file"),
    NATIVE_K("dump_traceback_later", fault_dump_traceback_later, "dump_traceback_later(timeout, repeat=False, file=sys.stderr, exit=False):\ndump the traceback of all threads in timeout seconds,\nor each timeout seconds if repeat is True. If exit is True, end the process then."),
    NATIVE_0("cancel_dump_traceback_later", fault_cancel_dump_traceback_later, "cancel_dump_traceback_later():\ncancel the previous call to dump_traceback_later()."),
    NATIVE_K("register", fault_register, "register(signum, file=sys.stderr, all_threads=True, chain=False): register a handler for the signal 'signum': dump the traceback of the current thread, and name the others if all_threads is True, into file"),
    NATIVE_1("unregister", fault_unregister, "unregister(signum): unregister the handler of the signal 'signum' registered by register()"),
    NATIVE_0("_read_null", fault_read_null, "_read_null(): read from NULL, raise a SIGSEGV or SIGBUS signal depending on the platform"),
    NATIVE_N("_sigsegv", fault_sigsegv, 0, 1, "_sigsegv(release_gil=False): raise a SIGSEGV signal"),
    NATIVE_0("_sigfpe", fault_sigfpe, "_sigfpe(): raise a SIGFPE signal"),
    NATIVE_0("_sigabrt", fault_sigabrt, "_sigabrt(): raise a SIGABRT signal"),
    NATIVE_END,
};

static void
fault_visit(Value m, VisitFn visit, void *arg)
{
    FaultModule *s = module_state(m);
    field_visit(&s->fatal_file, visit, arg);
    field_visit(&s->later_file, visit, arg);
    for (int i = 0; i < SIGNALS; i++)
        field_visit(&s->user_files[i], visit, arg);
}

/* The module goes: so does what it has put in force. */
static void
fault_clear(Thread *th, Value m)
{
    FaultModule *s = module_state(m);
    mutex_lock(th, &state_lock);
    fatal_off();
    watch_cancel();
    for (int i = 0; i < SIGNALS; i++)
        if (load_relaxed(&user_signals[i].fd)) {
            (void)sigaction(i, &user_signals[i].before, NULL);
            store_relaxed(&user_signals[i].fd, 0);
        }
    mutex_unlock(&state_lock);
    field_replace(th, value_object(m), &s->fatal_file, NULL);
    field_replace(th, value_object(m), &s->later_file, NULL);
    for (int i = 0; i < SIGNALS; i++)
        field_replace(th, value_object(m), &s->user_files[i], NULL);
}

const ModuleSpec faulthandler_module = {
    .name = "faulthandler", .doc = "faulthandler module.", .methods = fault_methods, .state_size = sizeof(FaultModule),
    .visit = fault_visit, .clear = fault_clear,
};
