/* mod_select.c -- module select: select(), poll objects, epoll objects. */
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/posix.h"

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "base/clock.h"
#include "gc/object_lock.h"
#include "threads/safepoint.h"

/* Seconds (None: for ever) to a deadline in ns; INT64_MAX: none. */
static bool
deadline_arg(Thread *th, Value v, double scale, bool is_poll, int64_t *deadline)
{
    *deadline = INT64_MAX;
    if (v == NULL || v == NONE)
        return true;
    double d;
    if (!is_float(v) && !is_int(v) && !type_of(v)->s.index) {
        raise_type_error(th, "timeout must be %s or None", is_poll ? "an integer" : "a float");
        return false;
    }
    if (!arg_double(th, v, &d))
        return false;
    if (isnan(d)) {
        raise_value_error(th, "Invalid value NaN (not a number)");
        return false;
    }
    d *= scale;
    if (fabs(d) > 9.2233720368e9) {
        raise_overflow(th, "timestamp too large to convert to C _PyTime_t");
        return false;
    }
    if (is_poll && fabs(d) > INT_MAX / 1e3) { /* the system's timeout is an int of milliseconds */
        raise_overflow(th, "timeout is too large");
        return false;
    }
    if (d >= 0)
        *deadline = clock_deadline_ns((int64_t)ceil(d * 1e9));
    else if (scale == 1.0)
        *deadline = -1;
    return true;
}

static int
remaining_ms(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return -1;
    int64_t left = deadline - clock_monotonic_ns();
    if (left <= 0)
        return 0;
    left = (left + NS_PER_MS - 1) / NS_PER_MS;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* -- select ----------------------------------------------------------------------------------------------- */

/* The descriptors of a sequence, and its items in *list.  A fileno() may change the sequence: what is in it
 * when its turn comes counts. */
static bool
fill_set(Thread *th, Value sequence, Value *list, fd_set *set, int *fds, int *max)
{
    FD_ZERO(set);
    Value items = sequence_fast(th, sequence, "arguments 1-3 must be sequences");
    *list = items ? list_new(th, 0) : NULL;
    if (*list == NULL) {
        drop_null(th, items);
        return false;
    }
    for (int64_t i = 0; i < (is_list(items) ? list_length(items) : tuple_length(items)); i++) {
        Value v = is_list(items) ? list_get(th, items, i) : retain(th, tuple_item(items, i));
        if (v == NULL)
            break;
        int fd;
        if (fd_arg(th, v, &fd) && (fd >= FD_SETSIZE || i >= FD_SETSIZE))
            raise_value_error(th, i >= FD_SETSIZE ? "too many file descriptors in select()"
                                                  : "filedescriptor out of range in select()");
        bool ok = !error_set(th) && list_append(th, *list, v);
        drop(th, v);
        if (!ok)
            break;
        fds[i] = fd;
        FD_SET(fd, set);
        if (fd > *max)
            *max = fd;
    }
    drop(th, items);
    return !error_set(th);
}

static Value
ready_list(Thread *th, Value list, const fd_set *set, const int *fds)
{
    Value r = list_new(th, 0);
    int64_t n = list_length(list);
    for (int64_t i = 0; r && i < n; i++) {
        if (!FD_ISSET(fds[i], set))
            continue;
        Value v = list_get(th, list, i);
        if (v == NULL || !list_append_steal(th, r, v))
            DROP_CLEAR(th, r);
    }
    return r;
}

static Value
select_select(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int64_t deadline;
    if (!deadline_arg(th, n > 3 ? arg(a, 3) : NULL, 1.0, false, &deadline))
        return NULL;
    if (deadline == -1)
        return raise_value_error(th, "timeout must be non-negative");
    Value lists[3] = {NULL, NULL, NULL}, results[3] = {NULL, NULL, NULL}, r = NULL;
    fd_set sets[3], work[3];
    static _Thread_local int fds[3][FD_SETSIZE];
    int max = -1, found = 0;
    for (int i = 0; i < 3; i++)
        if (!fill_set(th, arg(a, (size_t)i), &lists[i], &sets[i], fds[i], &max))
            goto done;
    for (;;) {
        memcpy(work, sets, sizeof work);
        int64_t left = deadline == INT64_MAX ? 0 : deadline - clock_monotonic_ns();
        struct timespec t = clock_timespec(left > 0 ? left : 0);
        blocking_begin(th);
        found = pselect(max + 1, &work[0], &work[1], &work[2], deadline == INT64_MAX ? NULL : &t, NULL);
        blocking_end(th);
        if (found >= 0 || errno != EINTR)
            break;
        if (!safepoint_poll(th))
            goto done;
    }
    if (found < 0) {
        posix_error(th);
        goto done;
    }
    if (found == 0)
        memset(work, 0, sizeof work);
    for (int i = 0; i < 3; i++)
        if ((results[i] = ready_list(th, lists[i], &work[i], fds[i])) == NULL)
            goto done;
    r = tuple_pack(th, 3, results[0], results[1], results[2]);
done:
    for (int i = 0; i < 3; i++) {
        drop_null(th, lists[i]);
        drop_null(th, results[i]);
    }
    return r;
}

/* -- poll --------------------------------------------------------------------------------------------------- */

typedef struct Poll {
    struct Object head;
    Value fds;               /* [const] dict fd -> events */
    ATOMIC(uint8_t) running;
} Poll;

typedef struct Epoll {
    struct Object head;
    ATOMIC(int) fd;          /* -1 once closed */
} Epoll;

typedef struct SelectModule {
    Type *poll, *epoll;
} SelectModule;

static bool
events_arg(Thread *th, Value v, unsigned *events)
{
    int64_t n;
    if (!arg_long(th, v, &n))
        return false;
    if (n < 0) {
        raise_value_error(th, "value must be positive");
        return false;
    }
    if (n > 65535) {
        raise_overflow(th, "Python int too large to convert to C unsigned short");
        return false;
    }
    *events = (unsigned)n;
    return true;
}

static Value
poll_register(Thread *th, Value self, const Arg *a, size_t n)
{
    int fd;
    unsigned events = POLLIN | POLLPRI | POLLOUT;
    if (!fd_arg(th, arg(a, 0), &fd) || (n > 1 && !events_arg(th, arg(a, 1), &events)))
        return NULL;
    return dict_set(th, ((Poll *)(void *)self)->fds, value_from_fixnum(fd), value_from_fixnum(events)) ? NONE : NULL;
}

static Value
poll_modify(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)n;
    int fd;
    unsigned events;
    if (!fd_arg(th, arg(a, 0), &fd) || !events_arg(th, arg(a, 1), &events))
        return NULL;
    Answer have = dict_contains(th, ((Poll *)(void *)self)->fds, value_from_fixnum(fd));
    if (have != YES)
        return have == NO ? raise_os_error(th, ENOENT) : NULL;
    return dict_set(th, ((Poll *)(void *)self)->fds, value_from_fixnum(fd), value_from_fixnum(events)) ? NONE : NULL;
}

static Value
poll_unregister(Thread *th, Value self, Value v)
{
    int fd;
    if (!fd_arg(th, v, &fd))
        return NULL;
    Answer a = dict_delete(th, ((Poll *)(void *)self)->fds, value_from_fixnum(fd));
    return a == YES ? NONE : a == NO ? raise_key_error(th, value_from_fixnum(fd)) : NULL;
}

static Value
poll_poll(Thread *th, Value self, const Arg *a, size_t n)
{
    Poll *p = (Poll *)(void *)self;
    int64_t deadline;
    if (!deadline_arg(th, n ? arg(a, 0) : NULL, 0.001, true, &deadline))
        return NULL;
    uint8_t idle = 0;
    if (!cas_acquire(&p->running, &idle, 1))
        return raise_error(th, &exc_RuntimeError, "concurrent poll() invocation");
    int64_t count = dict_length(p->fds);
    struct pollfd *fds = buffer_new(th, ((size_t)count + 16) * sizeof *fds);
    Value list = NULL;
    if (fds) {
        size_t pos = 0, used = 0;
        Value k, v;
        while (dict_next(th, p->fds, &pos, &k, &v)) {
            if (used < (size_t)count + 16)
                fds[used++] = (struct pollfd){(int)value_fixnum(k), (short)value_fixnum(v), 0};
        }
        int found;
        for (;;) {
            int ms = remaining_ms(deadline);
            blocking_begin(th);
            found = poll(fds, used, ms);
            blocking_end(th);
            if (found >= 0 || errno != EINTR || !safepoint_poll(th))
                break;
        }
        if (found < 0 && !error_set(th))
            posix_error(th);
        list = found >= 0 ? list_new(th, (size_t)found) : NULL;
        for (size_t i = 0; list && i < used; i++) {
            if (fds[i].revents == 0)
                continue;
            Value t = tuple_pack(th, 2, value_from_fixnum(fds[i].fd), value_from_fixnum(fds[i].revents & 0xffff));
            if (t == NULL || !list_append_steal(th, list, t))
                DROP_CLEAR(th, list);
        }
        buffer_free(fds);
    }
    store_release(&p->running, 0); /* pairs with the compare-and-swap above [poll.running] */
    return list;
}

static void
poll_visit(Object *o, VisitFn visit, void *arg)
{
    value_visit(((Poll *)o)->fds, visit, arg);
}

static void
poll_dealloc(Thread *th, Object *o)
{
    drop_null(th, ((Poll *)o)->fds);
}

static const MethodDef poll_methods[] = {
    NATIVE_N("register", poll_register, 1, 2, "register($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)\n--\n\nRegister a file descriptor with the polling object."),
    NATIVE_N("modify", poll_modify, 2, 2, "modify($self, fd, eventmask, /)\n--\n\nModify an already registered file descriptor."),
    NATIVE_1("unregister", poll_unregister, "unregister($self, fd, /)\n--\n\nRemove a file descriptor being tracked by the polling object."),
    NATIVE_N("poll", poll_poll, 0, 1, "poll($self, timeout=None, /)\n--\n\nPolls the set of registered file descriptors."),
    NATIVE_END,
};
static const TypeSpec poll_spec = {
    .name = "select.poll", .size = sizeof(Poll), .flags = TYPE_DISALLOW_NEW, .ops_flags = OPS_TRACKED,
    .methods = poll_methods, .visit = poll_visit, .dealloc = poll_dealloc,
};

static Value
select_poll(Thread *th, Value self)
{
    Value v = type_alloc(th, ((SelectModule *)module_state(self))->poll, 0);
    if (v && (((Poll *)(void *)v)->fds = dict_new(th)) == NULL)
        DROP_CLEAR(th, v);
    return v;
}

/* -- epoll ---------------------------------------------------------------------------------------------------- */

static int
epoll_fd(Thread *th, Value self)
{
    int fd = load_relaxed(&((Epoll *)(void *)self)->fd);
    if (fd < 0)
        raise_value_error(th, "I/O operation on closed epoll object");
    return fd;
}

static Value
epoll_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "epoll", .names = {"sizehint", "flags"}, .positional = 2};
    Value v[2];
    int size = -1, flags = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &size) || !arg_int(th, v[1], &flags))
        return NULL;
    if (size == 0 || size < -1)
        return raise_value_error(th, "sizehint must be positive or -1");
    if (flags & ~EPOLL_CLOEXEC)
        return raise_os_error(th, EINVAL);
    Value r = type_alloc(th, type, 0);
    if (r == NULL)
        return NULL;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    plain_store(&((Epoll *)(void *)r)->fd, fd);
    if (fd < 0) {
        posix_error(th);
        DROP_CLEAR(th, r);
    }
    return r;
}

static Value
epoll_fromfd(Thread *th, Value type, Value v)
{
    int fd;
    if (!arg_int(th, v, &fd))
        return NULL;
    Value r = type_alloc(th, as_type(type), 0);
    if (r)
        plain_store(&((Epoll *)(void *)r)->fd, fd);
    return r;
}

static Value
epoll_control(Thread *th, Value self, int op, Value target, uint32_t events)
{
    int ep = epoll_fd(th, self), fd;
    if (ep < 0 || !fd_arg(th, target, &fd))
        return NULL;
    struct epoll_event e = {.events = events, .data = {.fd = fd}};
    blocking_begin(th);
    int r = epoll_ctl(ep, op, fd, &e);
    blocking_end(th);
    return r < 0 ? posix_error(th) : NONE;
}

static Value
epoll_change(Thread *th, Value self, const Arg *a, size_t n, Value kwnames, const char *name, int op)
{
    ParamSpec params = {.name = name, .names = {"fd", "eventmask"}, .positional = 2,
                        .required = op == EPOLL_CTL_MOD ? 2 : 1};
    Value v[2];
    int64_t events = EPOLLIN | EPOLLPRI | EPOLLOUT;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_long(th, v[1], &events))
        return NULL;
    return epoll_control(th, self, op, v[0], (uint32_t)events);
}

static Value
epoll_register(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return epoll_change(th, self, a, n, kwnames, "register", EPOLL_CTL_ADD);
}

static Value
epoll_modify(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return epoll_change(th, self, a, n, kwnames, "modify", EPOLL_CTL_MOD);
}

static Value
epoll_unregister(Thread *th, Value self, Value fd)
{
    return epoll_control(th, self, EPOLL_CTL_DEL, fd, 0);
}

static Value
epoll_poll(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "poll", .names = {"timeout", "maxevents"}, .positional = 2};
    Value v[2];
    int ep = epoll_fd(th, self), max = -1;
    int64_t deadline;
    if (ep < 0 || !args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &max) ||
        !deadline_arg(th, v[0], 1.0, true, &deadline))
        return NULL;
    if (deadline == -1)
        deadline = INT64_MAX;
    if (max == -1)
        max = FD_SETSIZE - 1;
    if (max < 1)
        return raise_value_error(th, "maxevents must be greater than 0, got %d", max);
    struct epoll_event *events = buffer_new(th, (size_t)max * sizeof *events);
    if (events == NULL)
        return NULL;
    int found;
    for (;;) {
        int ms = remaining_ms(deadline);
        blocking_begin(th);
        found = epoll_wait(ep, events, max, ms);
        blocking_end(th);
        if (found >= 0 || errno != EINTR || !safepoint_poll(th))
            break;
    }
    if (found < 0 && !error_set(th))
        posix_error(th);
    Value list = found >= 0 ? list_new(th, (size_t)found) : NULL;
    for (int i = 0; list && i < found; i++) {
        Value t = tuple_pack(th, 2, value_from_fixnum(events[i].data.fd), value_from_fixnum(events[i].events));
        if (t == NULL || !list_append_steal(th, list, t))
            DROP_CLEAR(th, list);
    }
    buffer_free(events);
    return list;
}

static Value
epoll_close(Thread *th, Value self)
{
    int fd = exchange_acq_rel(&((Epoll *)(void *)self)->fd, -1);
    if (fd >= 0) {
        blocking_begin(th);
        int r = close(fd);
        blocking_end(th);
        if (r < 0)
            return posix_error(th);
    }
    return NONE;
}

static Value
epoll_fileno(Thread *th, Value self)
{
    int fd = epoll_fd(th, self);
    return fd < 0 ? NULL : value_from_fixnum(fd);
}

static Value
epoll_closed(Thread *th, Value self, void *closure)
{
    (void)th, (void)closure;
    return bool_from(load_relaxed(&((Epoll *)(void *)self)->fd) < 0);
}

static Value
epoll_enter(Thread *th, Value self)
{
    return epoll_fd(th, self) < 0 ? NULL : retain(th, self);
}

static Value
epoll_exit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)a, (void)n;
    return epoll_close(th, self);
}

static void
epoll_dealloc(Thread *th, Object *o)
{
    (void)th;
    if (plain_load(&((Epoll *)o)->fd) > 0) /* dying; a cell that was never opened is 0 */
        close(plain_load(&((Epoll *)o)->fd));
}

static const MethodDef epoll_methods[] = {
    {.name = "fromfd", .f1 = epoll_fromfd, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1, .nmax = 1,
     .doc = "fromfd($type, fd, /)\n--\n\nCreate an epoll object from a given control fd."},
    NATIVE_K("register", epoll_register, "register($self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)\n--\n\nRegisters a new fd or raises an OSError if the fd is already registered."),
    NATIVE_K("modify", epoll_modify, "modify($self, /, fd, eventmask)\n--\n\nModify event mask for a registered file descriptor."),
    NATIVE_1("unregister", epoll_unregister, "unregister($self, /, fd)\n--\n\nRemove a registered file descriptor from the epoll object."),
    NATIVE_K("poll", epoll_poll, "poll($self, /, timeout=None, maxevents=-1)\n--\n\nWait for events on the epoll file descriptor."),
    NATIVE_0("close", epoll_close, "close($self, /)\n--\n\nClose the epoll control file descriptor."),
    NATIVE_0("fileno", epoll_fileno, "fileno($self, /)\n--\n\nReturn the epoll control file descriptor."),
    NATIVE_0("__enter__", epoll_enter, NULL), NATIVE_N("__exit__", epoll_exit, 0, -1, NULL), NATIVE_END,
};
static const GetterDef epoll_getters[] = {{"closed", epoll_closed, NULL, "True if the epoll handler is closed", NULL}, {.name = NULL}};
static const TypeSpec epoll_spec = {
    .name = "select.epoll", .size = sizeof(Epoll), .methods = epoll_methods, .getters = epoll_getters,
    .slots = {.new = epoll_new}, .dealloc = epoll_dealloc,
};

static const MethodDef select_methods[] = {
    NATIVE_N("select", select_select, 3, 4, "select($module, rlist, wlist, xlist, timeout=None, /)\n--\n\nWait until one or more file descriptors are ready for some kind of I/O."),
    NATIVE_0("poll", select_poll, "poll($module, /)\n--\n\nReturns a polling object."),
    NATIVE_END,
};

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define C(x) {#x, x},
    C(POLLIN) C(POLLPRI) C(POLLOUT) C(POLLERR) C(POLLHUP) C(POLLNVAL) C(POLLRDNORM) C(POLLRDBAND) C(POLLWRNORM)
    C(POLLWRBAND) C(POLLMSG) C(POLLRDHUP) C(EPOLLIN) C(EPOLLOUT) C(EPOLLPRI) C(EPOLLERR) C(EPOLLHUP)
    C(EPOLLRDHUP) C(EPOLLONESHOT) C(EPOLLEXCLUSIVE) C(EPOLLRDNORM) C(EPOLLRDBAND) C(EPOLLWRNORM)
    C(EPOLLWRBAND) C(EPOLLMSG) C(EPOLL_CLOEXEC)
#undef C
    {"EPOLLET", 0x80000000}, {"PIPE_BUF", 4096},
};

static bool
select_exec(Thread *th, Value m)
{
    SelectModule *s = module_state(m);
    s->poll = type_from_spec(th, &poll_spec, m, NULL);
    s->epoll = s->poll ? type_from_spec(th, &epoll_spec, m, NULL) : NULL;
    if (s->epoll == NULL || !module_add_type(th, m, s->epoll) ||
        !module_add(th, m, "error", retain(th, value_of_type(&exc_OSError))))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return true;
}

static void
select_visit(Value m, VisitFn visit, void *arg)
{
    SelectModule *s = module_state(m);
    if (s->poll)
        visit(value_of_type(s->poll), arg);
    if (s->epoll)
        visit(value_of_type(s->epoll), arg);
}

const ModuleSpec select_module = {
    .name = "select", .doc = "This module supports asynchronous I/O on multiple file descriptors.",
    .methods = select_methods, .exec = select_exec, .state_size = sizeof(SelectModule), .visit = select_visit,
};
