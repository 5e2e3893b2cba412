/* mod_sys.c -- module sys. */
#include "core/run/run.h"
#include "modules/modules.h"

#include <dlfcn.h>
#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gc/heap.h"
#include "threads/environment.h"
#include "threads/stop_world.h"

/* -- hooks --------------------------------------------------------------------------------------------- */

static Value
sys_displayhook(Thread *th, Value self, Value v)
{
    (void)self;
    if (v == NONE)
        return NONE;
    Value builtins = th->interp->builtins;
    if (!dict_set_c(th, builtins, "_", NONE))
        return NULL;
    Value out = sys_get_object(th, "stdout");
    if (out == NULL || out == NONE) {
        drop_null(th, out);
        return raise_error(th, &exc_RuntimeError, "lost sys.stdout");
    }
    Value text = to_repr(th, v);
    Value r = text ? call_method_1(th, out, NAME(write), text) : NULL;
    if (r == NULL && text && error_matches(th, &exc_UnicodeEncodeError)) {
        /* The stream cannot show it: escape what it cannot. */
        error_clear(th);
        Value encoding = get_attr(th, out, NAME(encoding));
        const char *name = encoding && is_str(encoding) ? str_c(th, encoding) : NULL;
        Value bytes = name ? str_encode(th, text, name, "backslashreplace") : NULL;
        Value again = bytes ? str_decode(th, as_bytes(bytes)->data, (size_t)as_bytes(bytes)->length, name,
                                         "strict")
                            : NULL;
        r = again ? call_method_1(th, out, NAME(write), again) : NULL;
        drop_null(th, again);
        drop_null(th, bytes);
        drop_null(th, encoding);
    }
    drop_null(th, text);
    if (r) {
        drop(th, r);
        r = call_method_1(th, out, NAME(write), str_latin1('\n'));
    }
    drop(th, out);
    if (r == NULL)
        return NULL;
    drop(th, r);
    return dict_set_c(th, builtins, "_", v) ? NONE : NULL;
}

static Value
sys_excepthook(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Value exc = arg(a, 1);
    if (!is_exception(exc)) {
        char text[256];
        snprintf(text, sizeof text, "TypeError: print_exception(): Exception expected for value, %.100s found\n",
                 type_name_of(exc));
        return sys_write(th, "stderr", text) ? NONE : NULL;
    }
    return hooks_excepthook(th, exc);
}

static Value
sys_breakpointhook(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    const char *name = interp_state(th)->settings.ignore_environment ? NULL : environment_get("PYTHONBREAKPOINT");
    if (name == NULL || !*name)
        name = "pdb.set_trace";
    if (strcmp(name, "0") == 0)
        return NONE;
    const char *dot = strrchr(name, '.');
    char module[256];
    snprintf(module, sizeof module, "%.*s", dot ? (int)(dot - name) : 8, dot ? name : "builtins");
    Value m = import_module_c(th, module);
    Value f = m ? get_attr_c(th, m, dot ? dot + 1 : name) : NULL;
    drop_null(th, m);
    if (f == NULL) {
        if (!error_matches(th, &exc_ImportError) && !error_matches(th, &exc_AttributeError))
            return NULL;
        error_clear(th);
        return warn(th, &exc_RuntimeWarning, 1, "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", name) ? NONE
                                                                                                        : NULL;
    }
    Value r = call(th, f, a, n, kwnames);
    drop(th, f);
    return r;
}

static Value
sys_unraisablehook(Thread *th, Value self, Value record)
{
    (void)self;
    Value exc = get_attr_c(th, record, "exc_value"), text = NULL, object = NULL;
    if (exc && (text = get_attr_c(th, record, "err_msg")))
        object = get_attr_c(th, record, "object");
    if (object)
        hooks_unraisablehook(th, exc, text, object);
    drop_null(th, object);
    drop_null(th, text);
    drop_null(th, exc);
    return error_set(th) ? NULL : NONE;
}

/* -- exceptions ------------------------------------------------------------------------------------------- */

static Value
sys_exc_info(Thread *th, Value self)
{
    (void)self;
    Value exc = error_handled(th);
    if (exc == NULL || exc == NONE)
        return tuple_pack(th, 3, NONE, NONE, NONE);
    Value tb = exception_traceback_peek(exc);
    Value t = tuple_pack(th, 3, value_of_type(type_of(exc)), exc, tb ? tb : NONE);
    drop(th, exc);
    return t;
}

static Value
sys_exception(Thread *th, Value self)
{
    (void)self;
    Value exc = error_handled(th);
    return exc ? exc : NONE;
}

static Value
sys_exit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    if (n == 0)
        return raise_none(th, &exc_SystemExit);
    Value v = arg(a, 0);
    if (is_tuple(v)) { /* its items are the arguments */
        Value e = call_tuple_dict(th, value_of_type(&exc_SystemExit), v, NULL);
        return e ? raise_instance(th, e) : NULL;
    }
    return v == NONE ? raise_none(th, &exc_SystemExit) : raise_value(th, &exc_SystemExit, v);
}

/* -- frames and limits ---------------------------------------------------------------------------------------- */

static Value
sys_getframe(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int depth = 0;
    if (n && !arg_int(th, arg(a, 0), &depth))
        return NULL;
    Value f = frame_object_at(th, depth < 0 ? 0 : depth);
    return f || error_set(th) ? f : raise_value_error(th, "call stack is not deep enough");
}

static Value
sys_current_frames(Thread *th, Value self)
{
    (void)self;
    return vm_current_frames(th);
}

static Value
sys_current_exceptions(Thread *th, Value self)
{
    (void)self;
    return vm_current_exceptions(th);
}

static Value
sys_getallocatedblocks(Thread *th, Value self)
{
    (void)self;
    world_stop(th);
    size_t n = heap_count_live_stopped(th->interp);
    world_start(th);
    return int_from_u64(th, n);
}

static Value
sys_debugmallocstats(Thread *th, Value self)
{
    (void)self;
    world_stop(th);
    size_t n = heap_count_live_stopped(th->interp), bytes = heap_bytes();
    world_start(th);
    fprintf(stderr, "%zu objects, %zu bytes in slabs\n", n, bytes);
    return NONE;
}

/* What dlopen() is to be called with; no extension modules are loaded: kept for programs that ask. */
static ATOMIC(int) dlopen_flags = {RTLD_NOW};

static Value
sys_getdlopenflags(Thread *th, Value self)
{
    (void)th, (void)self;
    return value_from_fixnum(load_relaxed(&dlopen_flags));
}

static Value
sys_setdlopenflags(Thread *th, Value self, Value v)
{
    (void)self;
    int flags;
    if (!arg_int(th, v, &flags))
        return NULL;
    store_relaxed(&dlopen_flags, flags);
    return NONE;
}

static Value
sys_getrecursionlimit(Thread *th, Value self)
{
    (void)self;
    return value_from_fixnum(load_relaxed(&th->interp->recursion_limit));
}

static Value
sys_setrecursionlimit(Thread *th, Value self, Value v)
{
    (void)self;
    int limit;
    if (!arg_int(th, v, &limit))
        return NULL;
    if (limit < 1)
        return raise_value_error(th, "recursion limit must be greater or equal than 1");
    int depth = th->recursion_limit - th->recursion_left;
    if (depth >= limit)
        return raise_error(th, &exc_RecursionError,
                           "cannot set the recursion limit to %i at the recursion depth %i: the limit is too low",
                           limit, depth);

    vm_set_recursion_limit(th, limit);
    return NONE;
}

static Value
sys_getrefcount(Thread *th, Value self, Value v)
{
    (void)th, (void)self;
    if (!value_is_object(v))
        return value_from_fixnum(1000000000);
    return int_from_i64(th, object_refcount(value_object(v)) + 1);
}

static Value
sys_getsizeof(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "getsizeof", .names = {"object", "default"}, .positional = 2,
                                     .required = 1};
    Value v[2];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    bool missing = false;
    Value size = call_special(th, v[0], NAME(__sizeof__), NULL, 0, &missing);
    int64_t bytes = 0;
    if (size == NULL && missing)
        raise_type_error(th, "Type %T doesn't define __sizeof__", v[0]);
    if (size && arg_ssize(th, size, &bytes) && bytes < 0)
        raise_value_error(th, "__sizeof__() should return >= 0");
    drop_null(th, size);
    if (error_set(th)) {
        if (v[1] && error_matches(th, &exc_TypeError)) {
            error_clear(th);
            return retain(th, v[1]);
        }
        return NULL;
    }
    return int_from_i64(th, bytes);
}

static Value
sys_intern(Thread *th, Value self, Value s)
{
    (void)self;
    if (!is_exact(s, SHAPE_STR))
        return is_str(s) ? raise_type_error(th, "can't intern %T", s)
                         : raise_type_error(th, "intern() argument must be str, not %B", s);
    return str_intern(th, retain(th, s));
}

static Value
sys_getdefaultencoding(Thread *th, Value self)
{
    (void)self;
    return str_from_c(th, "utf-8");
}

static Value
sys_getfilesystemencodeerrors(Thread *th, Value self)
{
    (void)self;
    return str_from_c(th, "surrogateescape");
}

static Value
sys_is_finalizing(Thread *th, Value self)
{
    (void)self;
    return bool_from(load_relaxed(&th->interp->finalizing) != 0);
}

static Value
sys_is_gil_enabled(Thread *th, Value self)
{
    (void)th, (void)self;
    return FALSE;
}

/* Threads are never switched by us: the interval is kept for programs that ask. */
static ATOMIC(uint64_t) switch_interval = {4572414629676717179u}; /* bits of 0.005 */

static Value
sys_getswitchinterval(Thread *th, Value self)
{
    (void)self;
    uint64_t bits = load_relaxed(&switch_interval);
    double d;
    memcpy(&d, &bits, sizeof d);
    return float_from(th, d);
}

static Value
sys_setswitchinterval(Thread *th, Value self, Value v)
{
    (void)self;
    double d;
    if (!arg_double(th, v, &d))
        return NULL;
    if (!(d > 0))
        return raise_value_error(th, "switch interval must be strictly positive");
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    store_relaxed(&switch_interval, bits);
    return NONE;
}

static Value
no_tracing(Thread *th, Value f, const char *name)
{
    if (f == NONE)
        return NONE;
    return raise_error(th, &exc_NotImplementedError, "sys.%s() is not available", name);
}

static Value
sys_settrace(Thread *th, Value self, Value f)
{
    (void)self;
    return no_tracing(th, f, "settrace");
}

static Value
sys_setprofile(Thread *th, Value self, Value f)
{
    (void)self;
    return no_tracing(th, f, "setprofile");
}

static Value
sys_none(Thread *th, Value self)
{
    (void)th, (void)self;
    return NONE;
}

static Value
sys_call_tracing(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    if (!is_tuple(arg(a, 1)))
        return raise_type_error(th, "call_tracing() argument 2 must be tuple, not %B", arg(a, 1));
    return call_tuple_dict(th, arg(a, 0), arg(a, 1), NULL);
}

static Value
sys_get_int_max_str_digits(Thread *th, Value self)
{
    (void)self;
    return value_from_fixnum(load_relaxed(&th->interp->int_max_str_digits));
}

static Value
sys_set_int_max_str_digits(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "set_int_max_str_digits", .names = {"maxdigits"},
                                     .positional = 1, .required = 1};
    Value v[1];
    int limit;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &limit))
        return NULL;
    if (limit != 0 && limit < 640)
        return raise_value_error(th, "maxdigits must be 0 or larger than 640");
    store_relaxed(&th->interp->int_max_str_digits, (uint32_t)limit);
    return NONE;
}

/* -- coroutines ------------------------------------------------------------------------------------------------ */

static Value
sys_get_asyncgen_hooks(Thread *th, Value self)
{
    (void)self;
    Value type = sys_get_object(th, "_asyncgen_hooks_type");
    Value pair = tuple_pack(th, 2, th->asyncgen_firstiter ? th->asyncgen_firstiter : NONE,
                            th->asyncgen_finalizer ? th->asyncgen_finalizer : NONE);
    Value r = type && pair ? call_1(th, type, pair) : NULL;
    drop_null(th, pair);
    drop_null(th, type);
    return r;
}

static bool
set_hook(Thread *th, Value *slot, Value v, const char *what)
{
    if (v == NULL)
        return true;
    if (v != NONE && is_callable(v) != YES) {
        raise_type_error(th, "callable %s expected, got %T", what, v);
        return false;
    }
    Value old = *slot;
    *slot = v == NONE ? NULL : retain(th, v);
    drop_null(th, old);
    return true;
}

static Value
sys_set_asyncgen_hooks(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "set_asyncgen_hooks", .names = {"firstiter", "finalizer"},
                                     .positional = 2};
    Value v[2];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    if (v[1] && v[1] != NONE && is_callable(v[1]) != YES)
        return raise_type_error(th, "callable finalizer expected, got %T", v[1]);
    return set_hook(th, &th->asyncgen_firstiter, v[0], "firstiter") &&
                   set_hook(th, &th->asyncgen_finalizer, v[1], "finalizer")
               ? NONE : NULL;
}

static Value
sys_get_coroutine_depth(Thread *th, Value self)
{
    (void)self;
    return value_from_fixnum(th->coroutine_origin_depth);
}

static Value
sys_set_coroutine_depth(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "set_coroutine_origin_tracking_depth", .names = {"depth"},
                                     .positional = 1, .required = 1};
    Value v[1];
    int depth;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &depth))
        return NULL;
    if (depth < 0)
        return raise_value_error(th, "depth must be >= 0");
    th->coroutine_origin_depth = depth;
    return NONE;
}

/* -- audit ----------------------------------------------------------------------------------------------------------- */

static Value
sys_audit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    if (!arg_str(th, "audit", "argument 1", arg(a, 0)))
        return NULL;
    const char *event = str_c(th, arg(a, 0));
    Value args = event ? tuple_of_args(th, a + 1, n - 1) : NULL;
    bool ok = args && upcalls.audit(th, event, args);
    drop_null(th, args);
    return ok ? NONE : NULL;
}

static Value
audit_hooks_new(Thread *th)
{
    return list_new(th, 1);
}

static Value
sys_addaudithook(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "addaudithook", .names = {"hook"}, .positional = 1, .required = 1};
    Value v[1];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    if (!upcalls.audit(th, "sys.addaudithook", NULL)) { /* a hook may refuse others */
        if (!error_matches(th, &exc_RuntimeError))
            return NULL;
        error_clear(th);
        return NONE;
    }
    Value hooks = interp_object_make(th, INTERP_AUDIT_HOOKS, audit_hooks_new);
    return hooks && list_append(th, hooks, v[0]) ? NONE : NULL;
}

#ifdef WEFT_DEBUG
static Value
sys_fail_allocation(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t n;
    if (!arg_ssize(th, v, &n))
        return NULL;
    bool failed = mem_has_failed();
    mem_fail_nth(n > 0 ? (uint64_t)n : 0);
    return bool_from(failed);
}
#endif

static const MethodDef sys_methods[] = {
#ifdef WEFT_DEBUG
    NATIVE_1("_fail_allocation", sys_fail_allocation,
             "_fail_allocation($module, n, /)\n--\n\n"
             "Makes the n-th allocation from now fail, once (0: none).\n\n"
             "Returns whether the one asked for before has failed."),
#endif
    NATIVE_1("displayhook", sys_displayhook, "displayhook($module, object, /)\n--\n\nPrint an object to sys.stdout and also save it in builtins._"),
    NATIVE_N("excepthook", sys_excepthook, 3, 3, "excepthook($module, exctype, value, traceback, /)\n--\n\nHandle an exception by displaying it with a traceback on sys.stderr."),
    NATIVE_K("breakpointhook", sys_breakpointhook, "breakpointhook(*args, **kws)\n\nThis hook function is called by built-in breakpoint().\n"),
    NATIVE_1("unraisablehook", sys_unraisablehook, "unraisablehook($module, unraisable, /)\n--\n\nHandle an unraisable exception."),
    NATIVE_0("exc_info", sys_exc_info, "exc_info($module, /)\n--\n\nReturn current exception information: (type, value, traceback)."),
    NATIVE_0("exception", sys_exception, "exception($module, /)\n--\n\nReturn the current exception."),
    NATIVE_N("exit", sys_exit, 0, 1, "exit($module, status=None, /)\n--\n\nExit the interpreter by raising SystemExit(status)."),
    NATIVE_N("_getframe", sys_getframe, 0, 1, "_getframe($module, depth=0, /)\n--\n\nReturn a frame object from the call stack."),
    NATIVE_0("_current_frames", sys_current_frames, "_current_frames($module, /)\n--\n\nReturn a dict mapping each thread's thread id to its current stack frame."),
    NATIVE_0("_current_exceptions", sys_current_exceptions, "_current_exceptions($module, /)\n--\n\nReturn a dict mapping each thread's identifier to its current raised exception."),
    NATIVE_0("getallocatedblocks", sys_getallocatedblocks, "getallocatedblocks($module, /)\n--\n\nReturn the number of memory blocks currently allocated."),
    NATIVE_0("_debugmallocstats", sys_debugmallocstats, "_debugmallocstats($module, /)\n--\n\nPrint summary info to stderr about the state of the heap."),
    NATIVE_0("getdlopenflags", sys_getdlopenflags, "getdlopenflags($module, /)\n--\n\nReturn the current value of the flags that are used for dlopen calls.\n\nThe flag constants are defined in the os module."),
    NATIVE_1("setdlopenflags", sys_setdlopenflags, "setdlopenflags($module, flags, /)\n--\n\nSet the flags used by the interpreter for dlopen calls."),
    NATIVE_0("getrecursionlimit", sys_getrecursionlimit, "getrecursionlimit($module, /)\n--\n\nReturn the current value of the recursion limit."),
    NATIVE_1("setrecursionlimit", sys_setrecursionlimit, "setrecursionlimit($module, limit, /)\n--\n\nSet the maximum depth of the Python interpreter stack to n."),
    NATIVE_1("getrefcount", sys_getrefcount, "getrefcount($module, object, /)\n--\n\nReturn the reference count of object."),
    NATIVE_K("getsizeof", sys_getsizeof, "getsizeof(object [, default]) -> int\n\nReturn the size of object in bytes."),
    NATIVE_1("intern", sys_intern, "intern($module, string, /)\n--\n\n``Intern'' the given string."),
    NATIVE_0("getdefaultencoding", sys_getdefaultencoding, "getdefaultencoding($module, /)\n--\n\nReturn the current default encoding used by the Unicode implementation."),
    NATIVE_0("getfilesystemencoding", sys_getdefaultencoding, "getfilesystemencoding($module, /)\n--\n\nReturn the encoding used to convert Unicode filenames to OS filenames."),
    NATIVE_0("getfilesystemencodeerrors", sys_getfilesystemencodeerrors, "getfilesystemencodeerrors($module, /)\n--\n\nReturn the error mode used for Unicode to OS filename conversion."),
    NATIVE_0("is_finalizing", sys_is_finalizing, "is_finalizing($module, /)\n--\n\nReturn True if Python is exiting."),
    NATIVE_0("_is_gil_enabled", sys_is_gil_enabled, "_is_gil_enabled($module, /)\n--\n\nReturn False: there is no global interpreter lock."),
    NATIVE_0("getswitchinterval", sys_getswitchinterval, "getswitchinterval($module, /)\n--\n\nReturn the current thread switch interval; see sys.setswitchinterval()."),
    NATIVE_1("setswitchinterval", sys_setswitchinterval, "setswitchinterval($module, interval, /)\n--\n\nSet the ideal thread switching delay; threads here run in parallel, it has no effect."),
    NATIVE_1("settrace", sys_settrace, "settrace(function)\n\nSet the global debug tracing function."),
    NATIVE_1("setprofile", sys_setprofile, "setprofile(function)\n\nSet the profiling function."),
    NATIVE_0("gettrace", sys_none, "gettrace($module, /)\n--\n\nReturn the global debug tracing function set with sys.settrace."),
    NATIVE_0("getprofile", sys_none, "getprofile($module, /)\n--\n\nReturn the profiling function set with sys.setprofile."),
    NATIVE_N("call_tracing", sys_call_tracing, 2, 2, "call_tracing($module, func, args, /)\n--\n\nCall func(*args), while tracing is enabled."),
    NATIVE_0("_clear_type_cache", sys_none, "_clear_type_cache($module, /)\n--\n\nClear the internal type lookup cache."),
    NATIVE_0("get_int_max_str_digits", sys_get_int_max_str_digits, "get_int_max_str_digits($module, /)\n--\n\nReturn the maximum string digits limit for non-binary int<->str conversions."),
    NATIVE_K("set_int_max_str_digits", sys_set_int_max_str_digits, "set_int_max_str_digits($module, /, maxdigits)\n--\n\nSet the maximum string digits limit for non-binary int<->str conversions."),
    NATIVE_0("get_asyncgen_hooks", sys_get_asyncgen_hooks, "get_asyncgen_hooks($module, /)\n--\n\nReturn the installed asynchronous generators hooks."),
    NATIVE_K("set_asyncgen_hooks", sys_set_asyncgen_hooks, "set_asyncgen_hooks(* [, firstiter] [, finalizer])\n\nSet a finalizer for async generators objects."),
    NATIVE_0("get_coroutine_origin_tracking_depth", sys_get_coroutine_depth, "get_coroutine_origin_tracking_depth($module, /)\n--\n\nCheck status of origin tracking for coroutine objects in this thread."),
    NATIVE_K("set_coroutine_origin_tracking_depth", sys_set_coroutine_depth, "set_coroutine_origin_tracking_depth($module, /, depth)\n--\n\nEnable or disable origin tracking for coroutine objects in this thread."),
    NATIVE_N("audit", sys_audit, 1, -1, "audit(event, *args)\n\nPasses the event to any hooks that are attached."),
    NATIVE_K("addaudithook", sys_addaudithook, "addaudithook($module, /, hook)\n--\n\nAdds a new audit hook callback."),
    NATIVE_END,
};

/* -- records ------------------------------------------------------------------------------------------------------------ */

#define F(name, doc) {name, doc}
static const StructSeqField flags_fields[] = {
    F("debug", "-d"), F("inspect", "-i"), F("interactive", "-i"), F("optimize", "-O or -OO"),
    F("dont_write_bytecode", "-B"), F("no_user_site", "-s"), F("no_site", "-S"), F("ignore_environment", "-E"),
    F("verbose", "-v"), F("bytes_warning", "-b"), F("quiet", "-q"), F("hash_randomization", "-R"),
    F("isolated", "-I"), F("dev_mode", "-X dev"), F("utf8_mode", "-X utf8"),
    F("warn_default_encoding", "-X warn_default_encoding"), F("safe_path", "-P"),
    F("int_max_str_digits", "-X int_max_str_digits"), F(NULL, NULL)};
static const StructSeqSpec flags_spec = {
    .name = "sys.flags", .doc = "Flags provided through command line arguments or environment vars.", .fields = flags_fields, .visible = 18, .no_new = true};
static const StructSeqField version_fields[] = {
    F("major", "Major release number"), F("minor", "Minor release number"), F("micro", "Patch release number"),
    F("releaselevel", "'alpha', 'beta', 'candidate', or 'final'"), F("serial", "Serial release number"),
    F(NULL, NULL)};
static const StructSeqSpec version_spec = {
    .name = "sys.version_info", .doc = "Version information as a named tuple.", .fields = version_fields, .visible = 5, .no_new = true};
static const StructSeqField float_fields[] = {
    F("max", "largest representable finite float"), F("max_exp", ""), F("max_10_exp", ""),
    F("min", "smallest positive normalized float"), F("min_exp", ""), F("min_10_exp", ""), F("dig", ""),
    F("mant_dig", ""), F("epsilon", ""), F("radix", ""), F("rounds", ""), F(NULL, NULL)};
static const StructSeqSpec float_spec_ = {
    .name = "sys.float_info", .doc = "A named tuple holding information about the float type.", .fields = float_fields, .visible = 11};
static const StructSeqField int_fields[] = {
    F("bits_per_digit", "size of a digit in bits"), F("sizeof_digit", "size in bytes of a digit"),
    F("default_max_str_digits", ""), F("str_digits_check_threshold", ""), F(NULL, NULL)};
static const StructSeqSpec int_spec_ = {
    .name = "sys.int_info", .doc = "A named tuple that holds information about the int type.", .fields = int_fields, .visible = 4};
static const StructSeqField hash_fields[] = {
    F("width", ""), F("modulus", ""), F("inf", ""), F("nan", ""), F("imag", ""), F("algorithm", ""),
    F("hash_bits", ""), F("seed_bits", ""), F("cutoff", ""), F(NULL, NULL)};
static const StructSeqSpec hash_spec = {
    .name = "sys.hash_info", .doc = "A named tuple providing parameters used for computing hashes.", .fields = hash_fields, .visible = 9};
static const StructSeqField thread_fields[] = {F("name", ""), F("lock", ""), F("version", ""), F(NULL, NULL)};
static const StructSeqSpec thread_spec = {
    .name = "sys.thread_info", .doc = "A named tuple holding information about the thread implementation.", .fields = thread_fields, .visible = 3};
static const StructSeqField unraisable_fields[] = {
    F("exc_type", ""), F("exc_value", ""), F("exc_traceback", ""), F("err_msg", ""), F("object", ""), F(NULL, NULL)};
static const StructSeqSpec unraisable_spec = {
    .name = "UnraisableHookArgs", .doc = "Type used to pass arguments to sys.unraisablehook.", .fields = unraisable_fields, .visible = 5};
static const StructSeqField asyncgen_fields[] = {F("firstiter", ""), F("finalizer", ""), F(NULL, NULL)};
static const StructSeqSpec asyncgen_spec = {
    .name = "sys.asyncgen_hooks", .doc = "", .fields = asyncgen_fields, .visible = 2};
#undef F

/* Makes the type, an instance with these values (references taken over), and stores it. */
static bool
add_record(Thread *th, Value m, const char *name, const StructSeqSpec *spec, Value *values, int n)
{
    Type *type = struct_seq_type(th, spec);
    Value record = type ? struct_seq_new(th, type) : NULL;
    bool ok = record != NULL;
    for (int i = 0; i < n; i++) {
        ok = ok && values[i];
        if (record && values[i])
            struct_seq_init(record, i, values[i]);
        else
            drop_null(th, values[i]);
    }
    if (type) {
        /* Programs cannot make another one. */
        fetch_or_relaxed(&type->flags, strcmp(name, "float_info") == 0 ? 0 : TYPE_DISALLOW_NEW);
        drop(th, value_of_type(type));
    }
    if (!ok) {
        drop_null(th, record);
        return false;
    }
    return module_add(th, m, name, record);
}

#define INT(n) value_from_fixnum(n)

static bool
add_records(Thread *th, Value m, Settings *s)
{
    Value flags[] = {INT(s->debug), INT(s->inspect), INT(s->interactive), INT(s->optimize),
                     INT(s->dont_write_bytecode), INT(s->no_user_site), INT(s->no_site),
                     INT(s->ignore_environment), INT(s->verbose), INT(s->bytes_warning), INT(s->quiet),
                     INT(s->hash_randomization), INT(s->isolated), bool_from(s->dev_mode),
                     INT(s->utf8_mode), INT(s->warn_default_encoding), bool_from(s->safe_path),
                     INT(s->int_max_str_digits)};
    Value version[] = {INT(3), INT(11), INT(2), str_from_c(th, "final"), INT(0)};
    Value floats[] = {float_from(th, DBL_MAX), INT(DBL_MAX_EXP), INT(DBL_MAX_10_EXP), float_from(th, DBL_MIN),
                      INT(DBL_MIN_EXP), INT(DBL_MIN_10_EXP), INT(DBL_DIG), INT(DBL_MANT_DIG),
                      float_from(th, DBL_EPSILON), INT(FLT_RADIX), INT(1)};
    Value ints[] = {INT(64), INT(8), INT(4300), INT(640)};
    Value hashes[] = {INT(64), INT(((int64_t)1 << 61) - 1), INT(314159), INT(0), INT(1000003),
                      str_from_c(th, "siphash13"), INT(64), INT(128), INT(0)};
    /* Signals interrupt waiting for a lock: what programs take "semaphore" for.  The locks are our own. */
    char library[64];
    size_t n = confstr(_CS_GNU_LIBPTHREAD_VERSION, library, sizeof library);
    Value thread[] = {str_from_c(th, "pthread"), str_from_c(th, "semaphore"),
                      n > 0 && n <= sizeof library ? str_from_c(th, library) : NONE};
    return add_record(th, m, "flags", &flags_spec, flags, 18) &&
           add_record(th, m, "version_info", &version_spec, version, 5) &&
           add_record(th, m, "float_info", &float_spec_, floats, 11) &&
           add_record(th, m, "int_info", &int_spec_, ints, 4) &&
           add_record(th, m, "hash_info", &hash_spec, hashes, 9) &&
           add_record(th, m, "thread_info", &thread_spec, thread, 3);
}

static bool
add_implementation(Thread *th, Value m)
{
    Value ns = dict_new(th);
    Value version = dict_get_c(th, module_dict(m), "version_info");
    bool ok = ns && version && dict_set_c_steal(th, ns, "name", str_from_c(th, "weft")) &&
              dict_set_c_steal(th, ns, "cache_tag", str_from_c(th, "weft-311")) && dict_set_c(th, ns, "version", version) &&
              dict_set_c_steal(th, ns, "hexversion", INT(0x030b02f0)) &&
              dict_set_c_steal(th, ns, "_multiarch", str_from_c(th, "x86_64-linux-gnu"));
    Value object = ok ? namespace_new(th, ns) : NULL;
    drop_null(th, version);
    drop_null(th, ns);
    return module_add(th, m, "implementation", object);
}

static Value
strings(Thread *th, int n, char **items)
{
    Value list = list_new(th, (size_t)n);
    for (int i = 0; list && i < n; i++) {
        Value s = str_from_fs(th, items[i], strlen(items[i]));
        if (s == NULL || !list_append_steal(th, list, s))
            DROP_CLEAR(th, list);
    }
    return list;
}

static Value
make_argv(Thread *th, Settings *s)
{
    Value list = list_new(th, (size_t)s->argc + 1);
    const char *first = s->what == RUN_COMMAND ? "-c" : s->what == RUN_MODULE ? "-m" : "";
    bool own = s->what == RUN_COMMAND || s->what == RUN_MODULE || s->argc == 0;
    if (list && own && !list_append_steal(th, list, str_from_c(th, first)))
        DROP_CLEAR(th, list);
    for (int i = 0; list && i < s->argc; i++) {
        Value v = str_from_fs(th, s->argv[i], strlen(s->argv[i]));
        if (v == NULL || !list_append_steal(th, list, v))
            DROP_CLEAR(th, list);
    }
    return list;
}

/* PYTHONPATH, then the library. */
static Value
make_path(Thread *th, Settings *s)
{
    Value list = list_new(th, 6);
    const char *p = s->python_path;
    while (list && p && *p) {
        const char *end = strchr(p, ':');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        Value v = str_from_fs(th, p, n);
        if (v == NULL || !list_append_steal(th, list, v))
            DROP_CLEAR(th, list);
        p += n + (end != NULL);
    }
    if (list && !list_append_steal(th, list, str_from_fs(th, s->stdlib, strlen(s->stdlib))))
        DROP_CLEAR(th, list);
    return list;
}

static Value
warn_options(Thread *th, Settings *s)
{
    Value list = list_new(th, 4);
    bool ok = list != NULL;
    if (ok && s->dev_mode)
        ok = list_append_steal(th, list, str_from_c(th, "default"));
    const char *p = s->ignore_environment ? NULL : environment_get("PYTHONWARNINGS");
    while (ok && p && *p) {
        const char *end = strchr(p, ',');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        ok = list_append_steal(th, list, str_from_fs(th, p, n));
        p += n + (end != NULL);
    }
    for (int i = 0; ok && i < s->warn_count; i++)
        ok = list_append_steal(th, list, str_from_fs(th, s->warn_options[i], strlen(s->warn_options[i])));
    if (ok && s->bytes_warning)
        ok = list_append_steal(th, list, str_from_c(th, s->bytes_warning > 1 ? "error::BytesWarning"
                                                                             : "default::BytesWarning"));
    if (!ok)
        DROP_CLEAR(th, list);
    return list;
}

static Value
x_options(Thread *th, Settings *s)
{
    Value d = dict_new(th);
    for (int i = 0; d && i < s->x_count; i++) {
        const char *eq = strchr(s->x_options[i], '=');
        Value k = str_from_fs(th, s->x_options[i], eq ? (size_t)(eq - s->x_options[i])
                                                      : strlen(s->x_options[i]));
        Value v = eq ? str_from_fs(th, eq + 1, strlen(eq + 1)) : TRUE;
        if (k == NULL || v == NULL || !dict_set_steal(th, d, k, v))
            DROP_CLEAR(th, d);
    }
    return d;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static Value
builtin_names(Thread *th)
{
    const char *list[256];
    size_t n = 0;
    for (const ModuleSpec *const *spec = native_modules; *spec && n < ARRAY_LEN(list); spec++)
        list[n++] = (*spec)->name;
    qsort(list, n, sizeof *list, compare_names);
    Value t = tuple_new(th, n);
    for (size_t i = 0; t && i < n; i++) {
        Value s = str_intern_c(th, list[i]);
        if (s == NULL)
            DROP_CLEAR(th, t);
        else
            tuple_init_item(t, (int64_t)i, s);
    }
    return t;
}

/* Names of all standard modules: what is in the library's folder, and the native ones. */
static Value
stdlib_names(Thread *th)
{
    static const char text[] =
        "__future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn "
        "_codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc "
        "_compat_pickle _compression _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm "
        "_decimal _elementtree _functools _gdbm _hashlib _heapq _imp _io _json _locale _lsprof _lzma "
        "_markupbase _md5 _msi _multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped "
        "_pickle _posixshmem _posixsubprocess _py_abc _pydecimal _pyio _queue _random _scproxy _sha1 _sha256 "
        "_sha3 _sha512 _signal _sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime "
        "_struct _symtable _thread _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings "
        "_weakref _weakrefset _winapi _zoneinfo abc aifc antigravity argparse array ast asynchat asyncio "
        "asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk "
        "cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib "
        "contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis "
        "distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch "
        "fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq "
        "hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword "
        "lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib "
        "msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os "
        "ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath "
        "pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re "
        "readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal "
        "site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl "
        "stat statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny "
        "tarfile telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib "
        "trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid "
        "venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile "
        "zipimport zlib zoneinfo";
    Value s = str_from_ascii(th, text, sizeof text - 1);
    Value list = s ? str_split(th, s, NULL, -1) : NULL;
    Value set = list ? frozenset_from(th, list) : NULL;
    drop_null(th, s);
    drop_null(th, list);
    return set;
}

static Value
text(Thread *th, const char *s)
{
    return str_from_c(th, s);
}

static bool
add_path(Thread *th, Value m, const char *name, const char *path)
{
    return module_add(th, m, name, str_from_fs(th, path, strlen(path)));
}

static bool
sys_exec(Thread *th, Value m)
{
    Settings *s = &interp_state(th)->settings;
    static const char *const twice[] = {"displayhook", "excepthook", "breakpointhook", "unraisablehook"};
    for (size_t i = 0; i < ARRAY_LEN(twice); i++) {
        char name[40];
        snprintf(name, sizeof name, "__%s__", twice[i]);
        if (!module_add(th, m, name, dict_get_c(th, module_dict(m), twice[i])))
            return false;
    }
    Type *unraisable = struct_seq_type(th, &unraisable_spec);
    Type *asyncgen = unraisable ? struct_seq_type(th, &asyncgen_spec) : NULL;
    if (asyncgen == NULL || !module_add(th, m, "UnraisableHookArgs", value_of_type(unraisable)) ||
        !module_add(th, m, "_asyncgen_hooks_type", value_of_type(asyncgen)))
        return false;
    const char *executable = s->executable ? s->executable : "";
    return add_records(th, m, s) && add_implementation(th, m) &&
           module_add(th, m, "modules", retain(th, th->interp->modules)) &&
           module_add(th, m, "version", text(th, settings_version_text)) &&
           module_add_int(th, m, "hexversion", 0x030b02f0) && module_add_int(th, m, "api_version", 1013) &&
           module_add(th, m, "_git", tuple_pack(th, 3, str_empty, str_empty, str_empty)) &&
           module_add(th, m, "copyright", text(th, "Copyright (c) the authors of Weft. Licensed under the Apache License 2.0.")) &&
           module_add_str(th, m, "platform", "linux") && module_add_str(th, m, "byteorder", "little") &&
           module_add_int(th, m, "maxsize", INT64_MAX) && module_add_int(th, m, "maxunicode", 0x10ffff) &&
           module_add(th, m, "float_repr_style", text(th, "short")) &&
           module_add(th, m, "builtin_module_names", builtin_names(th)) &&
           module_add(th, m, "stdlib_module_names", stdlib_names(th)) &&
           add_path(th, m, "executable", executable) &&
           add_path(th, m, "_base_executable", executable) &&
           add_path(th, m, "prefix", s->prefix) && add_path(th, m, "base_prefix", s->prefix) &&
           add_path(th, m, "exec_prefix", s->exec_prefix) && add_path(th, m, "base_exec_prefix", s->exec_prefix) &&
           add_path(th, m, "platlibdir", s->platlibdir) && module_add_str(th, m, "abiflags", "") &&
           module_add(th, m, "_home", NONE) && module_add(th, m, "_framework", retain(th, str_empty)) &&
           add_path(th, m, "_stdlib_dir", s->stdlib) &&
           module_add(th, m, "argv", make_argv(th, s)) &&
           module_add(th, m, "orig_argv", strings(th, s->orig_argc, s->orig_argv)) &&
           module_add(th, m, "path", make_path(th, s)) &&
           module_add(th, m, "meta_path", list_new(th, 0)) && module_add(th, m, "path_hooks", list_new(th, 0)) &&
           module_add(th, m, "path_importer_cache", dict_new(th)) &&
           module_add(th, m, "warnoptions", warn_options(th, s)) &&
           module_add(th, m, "_xoptions", x_options(th, s)) &&
           module_add(th, m, "dont_write_bytecode", bool_from(s->dont_write_bytecode)) &&
           module_add(th, m, "pycache_prefix",
                      s->pycache_prefix ? str_from_fs(th, s->pycache_prefix, strlen(s->pycache_prefix)) : NONE);
}

const ModuleSpec sys_module = {
    .name = "sys",
    .doc = "This module provides access to some objects used or maintained by the\n"
           "interpreter and to functions that interact strongly with the interpreter.",
    .methods = sys_methods,
    .exec = sys_exec,
};
