/* mod_pickle.c -- module _pickle: dump, dumps, load, loads and the classes.
 *
 * The state is made when the module is executed for the first time in an interpreter, and stays.
 */
#include "modules/modules.h"
#include "modules/pickle.h"
#include "modules/static_types.h"

#include "objects/model/upcall.h"
#include "threads/interp.h"

PickleState *
pickle_state(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_PICKLE]); /* pairs with native_publish() */
}

/* class NAME(BASE) of this module. */
static Value
make_error(Thread *th, const char *name, Value base)
{
    Value bases = tuple_pack(th, 1, base), text = str_from_c(th, name), d = dict_new(th), cls = NULL;
    if (bases != NULL && text != NULL && d != NULL &&
        dict_set_c_steal(th, d, "__module__", str_from_c(th, "_pickle")))
        cls = call_3(th, value_of_type(&type_type), text, bases, d);
    drop_null(th, bases);
    drop_null(th, text);
    drop_null(th, d);
    return cls;
}

static Value
import_attr(Thread *th, const char *module_name, const char *name)
{
    Value module = upcalls.import_module(th, module_name);
    Value v = module ? get_attr_c(th, module, name) : NULL;
    drop_null(th, module);
    return v;
}

/* A dict of another module. */
static bool
import_dict(Thread *th, const char *module_name, const char *name, Value *out)
{
    *out = import_attr(th, module_name, name);
    if (*out == NULL || is_exact(*out, SHAPE_DICT))
        return *out != NULL;
    raise_error(th, &exc_RuntimeError, "%s.%s should be a dict, not %T", module_name, name, *out);
    return false;
}

static bool
fill_state(Thread *th, PickleState *st)
{
    st->error = make_error(th, "PickleError", value_of_type(&exc_Exception));
    st->pickling_error = st->error ? make_error(th, "PicklingError", st->error) : NULL;
    st->unpickling_error =
        st->pickling_error ? make_error(th, "UnpicklingError", st->error) : NULL;
    return st->unpickling_error != NULL &&
           import_dict(th, "copyreg", "dispatch_table", &st->dispatch_table) &&
           import_dict(th, "copyreg", "_extension_registry", &st->extension_registry) &&
           import_dict(th, "copyreg", "_inverted_registry", &st->inverted_registry) &&
           import_dict(th, "copyreg", "_extension_cache", &st->extension_cache) &&
           import_dict(th, "_compat_pickle", "NAME_MAPPING", &st->names_2to3) &&
           import_dict(th, "_compat_pickle", "IMPORT_MAPPING", &st->imports_2to3) &&
           import_dict(th, "_compat_pickle", "REVERSE_NAME_MAPPING", &st->names_3to2) &&
           import_dict(th, "_compat_pickle", "REVERSE_IMPORT_MAPPING", &st->imports_3to2) &&
           (st->codecs_encode = import_attr(th, "codecs", "encode")) != NULL &&
           (st->partial = import_attr(th, "functools", "partial")) != NULL &&
           (st->getattr = import_attr(th, "builtins", "getattr")) != NULL &&
           (st->dispatch = str_intern_c(th, "dispatch_table")) != NULL &&
           (st->reducer_override = str_intern_c(th, "reducer_override")) != NULL &&
           (st->persistent_id = str_intern_c(th, "persistent_id")) != NULL &&
           (st->persistent_load = str_intern_c(th, "persistent_load")) != NULL &&
           (st->find_class = str_intern_c(th, "find_class")) != NULL &&
           (st->peek = str_intern_c(th, "peek")) != NULL &&
           (st->main = str_intern_c(th, "__main__")) != NULL;
}

static void
free_state(Thread *th, PickleState *st)
{
    Value *all = (Value *)st;
    for (size_t i = 0; i < sizeof *st / sizeof(Value); i++)
        drop_null(th, all[i]);
    buffer_free(st);
}

static PickleState *
make_state(Thread *th)
{
    PickleState *st = pickle_state(th);
    if (st != NULL)
        return st;
    st = buffer_new_zeroed(th, sizeof *st);
    if (st == NULL)
        return NULL;
    if (!fill_state(th, st)) {
        free_state(th, st);
        return NULL;
    }
    /* The references go over to a tuple, which is kept. */
    size_t n = sizeof *st / sizeof(Value);
    Value *all = (Value *)st, holder = tuple_new(th, n);
    if (holder == NULL) {
        free_state(th, st);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        tuple_init_item(holder, (int64_t)i, all[i]);
    PickleState *now = native_publish(th, NATIVE_PICKLE, st, holder);
    drop(th, holder);
    if (now != st)
        buffer_free(st); /* another thread was faster */
    return now;
}

/* -- functions ---------------------------------------------------------------------------------- */

static Value
pickle_function_dump(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "dump",
        .names = {"obj", "file", "protocol", "fix_imports", "buffer_callback"},
        .positional = 3,
        .required = 2};
    PickleOptions o;
    Value v[5];
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !pickle_options(th, &o, v[2], v[3], v[4]))
        return NULL;
    Value write = pickle_file_write(th, v[1]);
    Value r = write ? pickle_dump(th, v[0], &o, write) : NULL;
    drop_null(th, write);
    return r;
}

static Value
pickle_function_dumps(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "dumps",
                                     .names = {"obj", "protocol", "fix_imports", "buffer_callback"},
                                     .positional = 2,
                                     .required = 1};
    PickleOptions o;
    Value v[4];
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !pickle_options(th, &o, v[1], v[2], v[3]))
        return NULL;
    return pickle_dump(th, v[0], &o, NULL);
}

/* v: fix_imports, encoding, errors, buffers */
static bool
load_options(Thread *th, const char *name, UnpickleOptions *o, const Value *v)
{
    *o = (UnpickleOptions){.fix_imports = true, .encoding = v[1], .errors = v[2], .buffers = v[3]};
    return arg_bool(th, v[0], &o->fix_imports) &&
           pickle_codec_name(th, name, "argument 'encoding'", v[1]) &&
           pickle_codec_name(th, name, "argument 'errors'", v[2]);
}

static Value
pickle_function_load(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "load",
        .names = {"file", "fix_imports", "encoding", "errors", "buffers"},
        .positional = 1,
        .required = 1};
    UnpickleOptions o;
    Value v[5];
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !load_options(th, "load", &o, v + 1))
        return NULL;
    return pickle_load_file(th, v[0], &o);
}

static Value
pickle_function_loads(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "loads",
                                     .names = {"", "fix_imports", "encoding", "errors", "buffers"},
                                     .positional = 1,
                                     .posonly = 1,
                                     .required = 1};
    UnpickleOptions o;
    Value v[5];
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !load_options(th, "loads", &o, v + 1))
        return NULL;
    return pickle_load_memory(th, v[0], &o);
}

static const MethodDef pickle_methods[] = {
    NATIVE_K("dump", pickle_function_dump,
             "dump($module, /, obj, file, protocol=None, *, fix_imports=True,\n"
             "     buffer_callback=None)\n--\n\n"
             "Writes a pickle of the object to a binary file, as Pickler(...).dump(obj) does."),
    NATIVE_K("dumps", pickle_function_dumps,
             "dumps($module, /, obj, protocol=None, *, fix_imports=True,\n"
             "      buffer_callback=None)\n--\n\n"
             "A pickle of the object as bytes."),
    NATIVE_K("load", pickle_function_load,
             "load($module, /, file, *, fix_imports=True, encoding='ASCII',\n"
             "     errors='strict', buffers=())\n--\n\n"
             "Reads an object from a binary file, as Unpickler(...).load() does."),
    NATIVE_K("loads", pickle_function_loads,
             "loads($module, data, /, *, fix_imports=True, encoding='ASCII',\n"
             "      errors='strict', buffers=())\n--\n\n"
             "Reads an object from bytes; what follows it is ignored."),
    NATIVE_END,
};

static bool
pickle_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&pickler_type, &pickler_spec},
        {&pickler_memo_type, &pickler_memo_spec},
        {&unpickler_type, &unpickler_spec},
        {&unpickler_memo_type, &unpickler_memo_spec},
        {&pickle_buffer_type, &pickle_buffer_spec},
        {&pickle_raw_type, &pickle_raw_spec},
    };
    if (!static_types_ready(th, types, ARRAY_LEN(types)))
        return false;
    PickleState *st = make_state(th);
    return st != NULL && module_add_type(th, module, &pickler_type) &&
           module_add_type(th, module, &unpickler_type) &&
           module_add_type(th, module, &pickle_buffer_type) &&
           module_add(th, module, "PickleError", retain(th, st->error)) &&
           module_add(th, module, "PicklingError", retain(th, st->pickling_error)) &&
           module_add(th, module, "UnpicklingError", retain(th, st->unpickling_error));
}

const ModuleSpec pickle_module = {
    .name = "_pickle",
    .doc = "Optimized C implementation for the Python pickle module.",
    .methods = pickle_methods,
    .exec = pickle_exec,
};
