/* posix_sched.c -- module posix: scheduling policies, priorities and CPUs. */
#include "modules/posix.h"

#include <limits.h>
#include <sched.h>
#include <string.h>

static Value
none_or_error(Thread *th, int r)
{
    return r >= 0 ? NONE : posix_error(th);
}

/* -- sched_param ---------------------------------------------------------------------------------------------- */

static Value
param_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "sched_param", .names = {"sched_priority"}, .positional = 1,
                                     .required = 1};
    Value v[1];
    Value r = args_bind(th, &params, a, n, kwnames, v) ? struct_seq_new(th, type) : NULL;
    if (r)
        struct_seq_init(r, 0, retain(th, v[0]));
    return r;
}

static const StructSeqField param_fields[] = {{"sched_priority", "the scheduling priority"}, {NULL, NULL}};
const StructSeqSpec sched_param_spec = {
    .name = "posix.sched_param",
    .doc = "sched_param(sched_priority)\n--\n\nCurrently has only one field: sched_priority\n\n"
           "  sched_priority\n    A scheduling parameter.",
    .fields = param_fields, .visible = 1, .new = param_new,
};

bool
sched_param_arg(Thread *th, Value v, struct sched_param *out)
{
    if (type_of(v) != posix_state(th)->sched_param) {
        raise_type_error(th, "must have a sched_param object");
        return false;
    }
    int64_t n;
    if (!arg_long(th, tuple_item(v, 0), &n))
        return false;
    if (n < INT_MIN || n > INT_MAX) {
        raise_overflow(th, "sched_priority out of range");
        return false;
    }
    memset(out, 0, sizeof *out);
    out->sched_priority = (int)n;
    return true;
}

/* -- calls ------------------------------------------------------------------------------------------------------- */

static Value
posix_sched_yield(Thread *th, Value self)
{
    (void)self;
    blocking_begin(th);
    sched_yield();
    blocking_end(th);
    return NONE;
}

static Value
limit_of(Thread *th, Value v, int (*f)(int))
{
    int policy;
    if (!arg_int(th, v, &policy))
        return NULL;
    int r = f(policy);
    return r < 0 ? posix_error(th) : value_from_fixnum(r);
}

static Value
posix_sched_get_priority_max(Thread *th, Value self, Value v)
{
    (void)self;
    return limit_of(th, v, sched_get_priority_max);
}
WITH_KEYWORD(sched_get_priority_max, "policy")

static Value
posix_sched_get_priority_min(Thread *th, Value self, Value v)
{
    (void)self;
    return limit_of(th, v, sched_get_priority_min);
}
WITH_KEYWORD(sched_get_priority_min, "policy")

static Value
posix_sched_getscheduler(Thread *th, Value self, Value v)
{
    (void)self;
    int pid;
    if (!arg_int(th, v, &pid))
        return NULL;
    int r = sched_getscheduler(pid);
    return r < 0 ? posix_error(th) : value_from_fixnum(r);
}

static Value
posix_sched_setscheduler(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int pid, policy;
    struct sched_param param;
    if (!arg_int(th, arg(a, 0), &pid) || !arg_int(th, arg(a, 1), &policy) ||
        !sched_param_arg(th, arg(a, 2), &param))
        return NULL;
    return none_or_error(th, sched_setscheduler(pid, policy, &param));
}

static Value
posix_sched_getparam(Thread *th, Value self, Value v)
{
    (void)self;
    int pid;
    struct sched_param param;
    if (!arg_int(th, v, &pid))
        return NULL;
    if (sched_getparam(pid, &param) < 0)
        return posix_error(th);
    Value r = struct_seq_new(th, posix_state(th)->sched_param);
    if (r)
        struct_seq_init(r, 0, value_from_fixnum(param.sched_priority));
    return r;
}

static Value
posix_sched_setparam(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int pid;
    struct sched_param param;
    if (!arg_int(th, arg(a, 0), &pid) || !sched_param_arg(th, arg(a, 1), &param))
        return NULL;
    return none_or_error(th, sched_setparam(pid, &param));
}

static Value
posix_sched_rr_get_interval(Thread *th, Value self, Value v)
{
    (void)self;
    int pid;
    struct timespec t;
    if (!arg_int(th, v, &pid))
        return NULL;
    if (sched_rr_get_interval(pid, &t) < 0)
        return posix_error(th);
    return float_from(th, (double)t.tv_sec + 1e-9 * (double)t.tv_nsec);
}

static Value
posix_sched_getaffinity(Thread *th, Value self, Value v)
{
    (void)self;
    int pid;
    cpu_set_t set;
    if (!arg_int(th, v, &pid))
        return NULL;
    if (sched_getaffinity(pid, sizeof set, &set) < 0)
        return posix_error(th);
    Value s = set_new(th);
    for (int i = 0; s && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && !set_add(th, s, value_from_fixnum(i)))
            DROP_CLEAR(th, s);
    return s;
}

static Value
posix_sched_setaffinity(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int pid, cpu;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (!arg_int(th, arg(a, 0), &pid))
        return NULL;
    Value it = get_iter(th, arg(a, 1)), v;
    if (it == NULL)
        return NULL;
    while ((v = iter_next(th, it))) {
        bool ok = arg_int(th, v, &cpu);
        drop(th, v);
        if (ok && (cpu < 0 || cpu >= CPU_SETSIZE)) {
            raise_value_error(th, "negative CPU number");
            ok = false;
        }
        if (!ok)
            break;
        CPU_SET(cpu, &set);
    }
    drop(th, it);
    if (error_set(th))
        return NULL;
    return none_or_error(th, sched_setaffinity(pid, sizeof set, &set));
}

const MethodDef posix_sched_methods[] = {
    NATIVE_0("sched_yield", posix_sched_yield, "sched_yield($module, /)\n--\n\nVoluntarily relinquish the CPU."),
    NATIVE_K("sched_get_priority_max", posix_sched_get_priority_max_keywords, "sched_get_priority_max($module, /, policy)\n--\n\nGet the maximum scheduling priority for policy."),
    NATIVE_K("sched_get_priority_min", posix_sched_get_priority_min_keywords, "sched_get_priority_min($module, /, policy)\n--\n\nGet the minimum scheduling priority for policy."),
    NATIVE_1("sched_getscheduler", posix_sched_getscheduler, "sched_getscheduler($module, pid, /)\n--\n\nGet the scheduling policy for the process identified by pid.\n\nPassing 0 for pid returns the scheduling policy for the calling process."),
    NATIVE_N("sched_setscheduler", posix_sched_setscheduler, 3, 3, "sched_setscheduler($module, pid, policy, param, /)\n--\n\nSet the scheduling policy for the process identified by pid.\n\nIf pid is 0, the calling process is changed.\nparam is an instance of sched_param."),
    NATIVE_1("sched_getparam", posix_sched_getparam, "sched_getparam($module, pid, /)\n--\n\nReturns scheduling parameters for the process identified by pid."),
    NATIVE_N("sched_setparam", posix_sched_setparam, 2, 2, "sched_setparam($module, pid, param, /)\n--\n\nSet scheduling parameters for the process identified by pid."),
    NATIVE_1("sched_rr_get_interval", posix_sched_rr_get_interval, "sched_rr_get_interval($module, pid, /)\n--\n\nReturn the round-robin quantum for the process identified by pid, in seconds.\n\nValue returned is a float."),
    NATIVE_1("sched_getaffinity", posix_sched_getaffinity, "sched_getaffinity($module, pid, /)\n--\n\nReturn the affinity of the process identified by pid (or the current process if zero).\n\nThe affinity is returned as a set of CPU identifiers."),
    NATIVE_N("sched_setaffinity", posix_sched_setaffinity, 2, 2, "sched_setaffinity($module, pid, mask, /)\n--\n\nSet the CPU affinity of the process identified by pid to mask."),
    NATIVE_END,
};
