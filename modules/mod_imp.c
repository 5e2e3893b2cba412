/* mod_imp.c -- module _imp: what importlib asks of the interpreter.
 *
 * Nothing is frozen and no extension module can be loaded: the packaged .so files are built for
 * another interpreter.
 */
#include "base/hash.h"
#include "core/run/run.h"
#include "modules/modules.h"

#include "threads/safepoint.h"

/* The import lock is recursive and belongs to a thread.  relaxed: whether the owner is th, only th changes; what else there is
 * lies under the lock. */
void
import_lock_take(Thread *th)
{
    InterpState *s = interp_state(th);
    if (load_relaxed(&s->import_owner) != th) {
        mutex_lock(th, &s->import_lock);
        store_relaxed(&s->import_owner, th);
    }
    s->import_depth++;
}

bool
import_lock_give(Thread *th)
{
    InterpState *s = interp_state(th);
    if (load_relaxed(&s->import_owner) != th)
        return false;
    if (--s->import_depth == 0) {
        store_relaxed(&s->import_owner, NULL);
        mutex_unlock(&s->import_lock);
    }
    return true;
}

static Value
imp_acquire_lock(Thread *th, Value self)
{
    (void)self;
    import_lock_take(th);
    return NONE;
}

static Value
imp_release_lock(Thread *th, Value self)
{
    (void)self;
    return import_lock_give(th) ? NONE : raise_error(th, &exc_RuntimeError, "not holding the import lock");
}

static Value
imp_lock_held(Thread *th, Value self)
{
    (void)self;
    return bool_from(load_relaxed(&interp_state(th)->import_owner) != NULL);
}

static Value
imp_extension_suffixes(Thread *th, Value self)
{
    (void)self;
    return list_new(th, 0);
}

static Value
imp_is_builtin(Thread *th, Value self, Value name)
{
    (void)self;
    if (!arg_str(th, "is_builtin", "argument", name))
        return NULL;
    for (const ModuleSpec *const *spec = interp_state(th)->natives; *spec; spec++)
        if (str_equal_ascii(name, (*spec)->name)) /* sys and builtins cannot be made again */
            return value_from_fixnum(str_equal_ascii(name, "sys") || str_equal_ascii(name, "builtins") ? -1
                                                                                                        : 1);
    return value_from_fixnum(0);
}

static Value
imp_is_frozen(Thread *th, Value self, Value name)
{
    (void)self;
    if (!arg_str(th, "is_frozen", "argument", name))
        return NULL;
    return FALSE;
}

static Value
imp_find_frozen(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "find_frozen", .names = {"", "withdata"}, .positional = 1,
                                     .posonly = 1, .required = 1};
    Value v[2];
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_str(th, "find_frozen", "argument", v[0]))
        return NULL;
    return NONE;
}

static Value
no_frozen(Thread *th, Value name)
{
    Value path = NULL;
    Value message = str_format_c(th, "No such frozen object named %V", name);
    if (message)
        raise_import_error(th, message, name, path);
    drop_null(th, message);
    return NULL;
}

static Value
imp_init_frozen(Thread *th, Value self, Value name)
{
    (void)self;
    return arg_str(th, "init_frozen", "argument", name) ? NONE : NULL;
}

static Value
imp_is_frozen_package(Thread *th, Value self, Value name)
{
    (void)self;
    return arg_str(th, "is_frozen_package", "argument", name) ? no_frozen(th, name) : NULL;
}

static Value
imp_get_frozen_object(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    return arg_str(th, "get_frozen_object", "argument 1", arg(a, 0)) ? no_frozen(th, arg(a, 0)) : NULL;
}

static Value
imp_frozen_module_names(Thread *th, Value self)
{
    (void)self;
    return list_new(th, 0);
}

static Value
imp_create_builtin(Thread *th, Value self, Value spec)
{
    (void)self;
    Value name = get_attr(th, spec, NAME(name));
    if (name == NULL)
        return NULL;
    Value m = arg_str(th, "create_builtin", "name", name) ? import_native_create(th, name) : NULL;
    if (m == NULL && !error_set(th)) {
        Value message = str_format_c(th, "no built-in module named %V", name);
        if (message)
            raise_import_error(th, message, name, NULL);
        drop_null(th, message);
    }
    drop(th, name);
    return m;
}

/* importlib has put the module into sys.modules with a spec that says it is being initialized: other threads that import
 * it wait. */
static Value
imp_exec_builtin(Thread *th, Value self, Value m)
{
    (void)self;
    return !is_instance_of(m, &module_type) || module_execute(th, m) ? value_from_fixnum(0) : NULL;
}

static Value
imp_create_dynamic(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Value name = get_attr(th, arg(a, 0), NAME(name));
    if (name == NULL)
        return NULL;
    Value message = str_format_c(th, "Weft cannot load the extension module %R: it is built for another "
                                     "interpreter", name);
    if (message)
        raise_import_error(th, message, name, NULL);
    drop_null(th, message);
    drop(th, name);
    return NULL;
}

static bool
fix_filename(Thread *th, Code *c, Value name, int depth)
{
    /* A code object is immutable for everyone but its maker: importlib calls this on code that was
     * just unmarshalled and that nobody else has seen. */
    if (depth > 200)
        return true;
    Value old = c->filename;
    c->filename = retain(th, name);
    drop(th, old);
    for (int64_t i = 0; i < tuple_length(c->const_tuple); i++) {
        Value k = tuple_item(c->const_tuple, i);
        if (is_exact(k, SHAPE_CODE) && !fix_filename(th, as_code(k), name, depth + 1))
            return false;
    }
    return true;
}

static Value
imp_fix_co_filename(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    if (!is_exact(arg(a, 0), SHAPE_CODE))
        return raise_type_error(th, "_fix_co_filename() argument 1 must be code, not %B", arg(a, 0));
    if (!arg_str(th, "_fix_co_filename", "argument 2", arg(a, 1)))
        return NULL;
    if (!str_equal(as_code(arg(a, 0))->filename, arg(a, 1)) &&
        !fix_filename(th, as_code(arg(a, 0)), arg(a, 1), 0))
        return NULL;
    return NONE;
}

static Value
imp_source_hash(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int64_t key;
    Buffer b;
    if (!arg_long(th, arg(a, 0), &key) || !buffer_read(th, arg(a, 1), &b, BUFFER_SIMPLE))
        return NULL;
    uint64_t h = hash_bytes_keyed((uint64_t)key, 0, b.data, (size_t)b.length);
    buffer_release(th, &b);
    return bytes_from(th, &h, sizeof h);
}

/* Nothing is frozen, so there is nothing to override; test support asks. */
static Value
imp_override(Thread *th, Value self, Value v)
{
    (void)self;
    int n;
    return arg_int(th, v, &n) ? NONE : NULL;
}

static const MethodDef imp_methods[] = {
    NATIVE_1("_override_frozen_modules_for_tests", imp_override, "_override_frozen_modules_for_tests($module, override, /)\n--\n\n"),
    NATIVE_0("acquire_lock", imp_acquire_lock, "acquire_lock($module, /)\n--\n\nAcquires the interpreter's import lock for the current thread."),
    NATIVE_0("release_lock", imp_release_lock, "release_lock($module, /)\n--\n\nRelease the interpreter's import lock."),
    NATIVE_0("lock_held", imp_lock_held, "lock_held($module, /)\n--\n\nReturn True if the import lock is currently held, else False."),
    NATIVE_0("extension_suffixes", imp_extension_suffixes, "extension_suffixes($module, /)\n--\n\nReturns the list of file suffixes used to identify extension modules."),
    NATIVE_1("is_builtin", imp_is_builtin, "is_builtin($module, name, /)\n--\n\nReturns True if the module name corresponds to a built-in module."),
    NATIVE_1("is_frozen", imp_is_frozen, "is_frozen($module, name, /)\n--\n\nReturns True if the module name corresponds to a frozen module."),
    NATIVE_1("is_frozen_package", imp_is_frozen_package, "is_frozen_package($module, name, /)\n--\n\nReturns True if the module name is of a frozen package."),
    NATIVE_1("init_frozen", imp_init_frozen, "init_frozen($module, name, /)\n--\n\nInitializes a frozen module."),
    NATIVE_K("find_frozen", imp_find_frozen, "find_frozen($module, name, /, *, withdata=False)\n--\n\nReturn info about the corresponding frozen module (if there is one) or None."),
    NATIVE_N("get_frozen_object", imp_get_frozen_object, 1, 2, "get_frozen_object($module, name, data=None, /)\n--\n\nCreate a code object for a frozen module."),
    NATIVE_0("_frozen_module_names", imp_frozen_module_names, "_frozen_module_names($module, /)\n--\n\nReturns the list of available frozen modules."),
    NATIVE_1("create_builtin", imp_create_builtin, "create_builtin($module, spec, /)\n--\n\nCreate an extension module."),
    NATIVE_1("exec_builtin", imp_exec_builtin, "exec_builtin($module, mod, /)\n--\n\nInitialize a built-in module."),
    NATIVE_N("create_dynamic", imp_create_dynamic, 1, 2, "create_dynamic($module, spec, file=<unrepresentable>, /)\n--\n\nCreate an extension module."),
    NATIVE_1("exec_dynamic", imp_exec_builtin, "exec_dynamic($module, mod, /)\n--\n\nInitialize an extension module."),
    NATIVE_N("_fix_co_filename", imp_fix_co_filename, 2, 2, "_fix_co_filename($module, code, path, /)\n--\n\nChanges code.co_filename to specify the passed-in file path."),
    NATIVE_N("source_hash", imp_source_hash, 2, 2, "source_hash($module, key, source)\n--\n\n"),
    NATIVE_END,
};

static bool
imp_exec(Thread *th, Value m)
{
    return module_add_str(th, m, "check_hash_based_pycs", "default");
}

const ModuleSpec imp_module = {
    .name = "_imp",
    .doc = "(Extremely) low-level import machinery bits as used by importlib.",
    .methods = imp_methods,
    .exec = imp_exec,
};
