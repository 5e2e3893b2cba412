/* mod_resource.c -- module resource: limits and use of the process. */
#include "modules/posix.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct ResourceModule {
    Type *rusage; /* [const] counted */
} ResourceModule;

static Value
limit_value(Thread *th, rlim_t limit)
{
    return limit == RLIM_INFINITY ? value_from_fixnum(-1) : int_from_u64(th, limit);
}

static Value
limits_value(Thread *th, const struct rlimit *r)
{
    Value soft = limit_value(th, r->rlim_cur), hard = soft ? limit_value(th, r->rlim_max) : NULL;
    Value t = hard ? tuple_pack(th, 2, soft, hard) : NULL;
    drop_null(th, soft);
    drop_null(th, hard);
    return t;
}

static bool
resource_arg(Thread *th, Value v, int *resource)
{
    if (!arg_int(th, v, resource))
        return false;
    if (*resource < 0 || *resource >= RLIM_NLIMITS) {
        raise_value_error(th, "invalid resource specified");
        return false;
    }
    return true;
}

static bool
limit_from(Thread *th, Value v, rlim_t *out)
{
    int64_t n;
    if (!arg_long(th, v, &n))
        return false;
    *out = (rlim_t)n; /* -1: RLIM_INFINITY */
    return true;
}

static bool
limits_from(Thread *th, Value v, struct rlimit *r)
{
    Value t = sequence_tuple(th, v);
    if (t == NULL)
        return false;
    bool ok = tuple_length(t) == 2;
    if (!ok)
        raise_value_error(th, "expected a tuple of 2 integers");
    ok = ok && limit_from(th, tuple_item(t, 0), &r->rlim_cur) && limit_from(th, tuple_item(t, 1), &r->rlim_max);
    drop(th, t);
    return ok;
}

static Value
limit_failed(Thread *th)
{
    if (errno == EINVAL)
        return raise_value_error(th, "current limit exceeds maximum limit");
    if (errno == EPERM)
        return raise_value_error(th, "not allowed to raise maximum limit");
    return posix_error(th);
}

static Value
resource_getrlimit(Thread *th, Value self, Value v)
{
    (void)self;
    int resource;
    struct rlimit r;
    if (!resource_arg(th, v, &resource))
        return NULL;
    return getrlimit((__rlimit_resource_t)resource, &r) < 0 ? posix_error(th) : limits_value(th, &r);
}

static Value
resource_setrlimit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int resource;
    struct rlimit r;
    if (!resource_arg(th, arg(a, 0), &resource))
        return NULL;
    Value audited = tuple_pack(th, 2, arg(a, 0), arg(a, 1));
    bool allowed = audited && upcalls.audit(th, "resource.setrlimit", audited);
    drop_null(th, audited);
    if (!allowed || !limits_from(th, arg(a, 1), &r))
        return NULL;
    return setrlimit((__rlimit_resource_t)resource, &r) < 0 ? limit_failed(th) : NONE;
}

static Value
resource_prlimit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int pid, resource;
    struct rlimit new, old;
    bool set = n > 2 && arg(a, 2) != NONE;
    if (!arg_int(th, arg(a, 0), &pid) || !resource_arg(th, arg(a, 1), &resource))
        return NULL;
    Value audited = tuple_pack(th, 3, arg(a, 0), arg(a, 1), n > 2 ? arg(a, 2) : NONE);
    bool allowed = audited && upcalls.audit(th, "resource.prlimit", audited);
    drop_null(th, audited);
    if (!allowed || (set && !limits_from(th, arg(a, 2), &new)))
        return NULL;
    if (prlimit(pid, (__rlimit_resource_t)resource, set ? &new : NULL, &old) < 0)
        return errno == EINVAL ? raise_value_error(th, "current limit exceeds maximum limit") : posix_error(th);
    return limits_value(th, &old);
}

Value
rusage_value(Thread *th, Type *type, const struct rusage *u)
{
    Value r = struct_seq_new(th, type);
    if (r == NULL)
        return NULL;
    Value times[] = {float_from(th, (double)u->ru_utime.tv_sec + 1e-6 * (double)u->ru_utime.tv_usec),
                     float_from(th, (double)u->ru_stime.tv_sec + 1e-6 * (double)u->ru_stime.tv_usec)};
    long counts[] = {u->ru_maxrss,  u->ru_ixrss,   u->ru_idrss,  u->ru_isrss,    u->ru_minflt,
                     u->ru_majflt,  u->ru_nswap,   u->ru_inblock, u->ru_oublock, u->ru_msgsnd,
                     u->ru_msgrcv,  u->ru_nsignals, u->ru_nvcsw, u->ru_nivcsw};
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        ok = ok && times[i];
        if (times[i])
            struct_seq_init(r, i, times[i]);
    }
    for (int i = 0; i < 14; i++)
        struct_seq_init(r, i + 2, value_from_fixnum(counts[i]));
    if (!ok)
        DROP_CLEAR(th, r);
    return r;
}

static Value
resource_getrusage(Thread *th, Value self, Value v)
{
    int who;
    struct rusage u;
    if (!arg_int(th, v, &who))
        return NULL;
    if (getrusage((__rusage_who_t)who, &u) < 0)
        return errno == EINVAL ? raise_value_error(th, "invalid who parameter") : posix_error(th);
    return rusage_value(th, ((ResourceModule *)module_state(self))->rusage, &u);
}

static Value
resource_getpagesize(Thread *th, Value self)
{
    (void)th, (void)self;
    return value_from_fixnum(sysconf(_SC_PAGESIZE));
}

#define F(n, d) {n, d}
static const StructSeqField rusage_fields[] = {
    F("ru_utime", "user time used"), F("ru_stime", "system time used"), F("ru_maxrss", "max. resident set size"),
    F("ru_ixrss", "shared memory size"), F("ru_idrss", "unshared data size"), F("ru_isrss", "unshared stack size"),
    F("ru_minflt", "page faults not requiring I/O"), F("ru_majflt", "page faults requiring I/O"),
    F("ru_nswap", "number of swap outs"), F("ru_inblock", "block input operations"),
    F("ru_oublock", "block output operations"), F("ru_msgsnd", "IPC messages sent"),
    F("ru_msgrcv", "IPC messages received"), F("ru_nsignals", "signals received"),
    F("ru_nvcsw", "voluntary context switches"), F("ru_nivcsw", "involuntary context switches"), F(NULL, NULL)};
static const StructSeqSpec rusage_spec = {
    .name = "resource.struct_rusage", .doc = "struct_rusage: Result from getrusage.", .fields = rusage_fields,
    .visible = 16};

static const MethodDef resource_methods[] = {
    NATIVE_1("getrusage", resource_getrusage, "getrusage($module, who, /)\n--\n\nWhat a process has used."),
    NATIVE_1("getrlimit", resource_getrlimit, "getrlimit($module, resource, /)\n--\n\nA limit as (soft, hard)."),
    NATIVE_N("setrlimit", resource_setrlimit, 2, 2, "setrlimit($module, resource, limits, /)\n--\n\nSets a limit."),
    NATIVE_N("prlimit", resource_prlimit, 2, 3, "prlimit(pid, resource, [limits])\n\nThe limit of a process, which may be set."),
    NATIVE_0("getpagesize", resource_getpagesize, "getpagesize($module, /)\n--\n\nBytes of a page of memory."),
    NATIVE_END,
};

static const struct {
    const char *name;
    int value;
} constants[] = {
#define C(x) {#x, (int)(x)},
    C(RLIMIT_CPU) C(RLIMIT_FSIZE) C(RLIMIT_DATA) C(RLIMIT_STACK) C(RLIMIT_CORE) C(RLIMIT_NOFILE) C(RLIMIT_OFILE)
    C(RLIMIT_AS) C(RLIMIT_RSS) C(RLIMIT_NPROC) C(RLIMIT_MEMLOCK) C(RLIMIT_MSGQUEUE) C(RLIMIT_NICE) C(RLIMIT_RTPRIO)
    C(RLIMIT_RTTIME) C(RLIMIT_SIGPENDING) C(RUSAGE_SELF) C(RUSAGE_CHILDREN) C(RUSAGE_THREAD)
#undef C
    {"RLIM_INFINITY", -1},
};

static bool
resource_exec(Thread *th, Value m)
{
    ResourceModule *s = module_state(m);
    s->rusage = struct_seq_type(th, &rusage_spec);
    if (s->rusage == NULL || !module_add(th, m, "struct_rusage", retain(th, value_of_type(s->rusage))) ||
        !module_add(th, m, "error", retain(th, value_of_type(&exc_OSError))))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return true;
}

static void
resource_visit(Value m, VisitFn visit, void *arg)
{
    ResourceModule *s = module_state(m);
    if (s->rusage)
        visit(value_of_type(s->rusage), arg);
}

const ModuleSpec resource_module = {
    .name = "resource", .methods = resource_methods, .exec = resource_exec, .state_size = sizeof(ResourceModule),
    .visit = resource_visit,
};
