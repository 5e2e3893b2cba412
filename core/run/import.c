/* import.c -- the import protocol on top of the standard library's own importlib.
 *
 * importlib/_bootstrap.py and _bootstrap_external.py are run from their files as the modules
 * _frozen_importlib and _frozen_importlib_external; everything but the common case of a module that
 * is in sys.modules already is theirs.
 */
#include "base/hash.h"
#include "core/run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- absolute names -------------------------------------------------------------------------------- */

static Value
globals_get(Thread *th, Value globals, Value name)
{
    Value v = NULL;
    if (dict_get(th, globals, name, &v) != YES)
        return NULL;
    if (v == NONE)
        return NULL;
    return v;
}

/* The package that relative names in `globals` refer to: a str, or NULL with an exception. */
static Value
calc_package(Thread *th, Value globals)
{
    if (globals == NULL || !is_dict(globals)) {
        raise_type_error(th, "globals must be a dict");
        return NULL;
    }
    Value package = globals_get(th, globals, NAME(__package__));
    if (package) {
        if (!is_str(package)) {
            drop(th, package);
            raise_type_error(th, "package must be a string");
            return NULL;
        }
        return package;
    }
    if (error_set(th))
        return NULL;
    Value spec = globals_get(th, globals, NAME(__spec__));
    if (spec) {
        package = get_attr_c(th, spec, "parent");
        drop(th, spec);
        if (package && !is_str(package)) {
            drop(th, package);
            raise_type_error(th, "__spec__.parent must be a string");
            return NULL;
        }
        return package;
    }
    if (error_set(th))
        return NULL;
    if (!warn(th, &exc_ImportWarning, 1,
              "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__"))
        return NULL;
    Value name = globals_get(th, globals, NAME(__name__));
    if (name == NULL) {
        if (!error_set(th))
            raise_error(th, &exc_KeyError, "'__name__' not in globals");
        return NULL;
    }
    if (!is_str(name)) {
        drop(th, name);
        raise_type_error(th, "__name__ must be a string");
        return NULL;
    }
    Answer path = dict_contains(th, globals, NAME(__path__));
    if (path != NO) {
        if (path == FAILED)
            DROP_CLEAR(th, name);
        return name;
    }
    int64_t n = (int64_t)str_length(name), dot = n;
    while (dot > 0 && str_char(as_str(name), (size_t)dot - 1) != '.')
        dot--;
    Value parent = str_substring(th, name, 0, dot > 0 ? (size_t)dot - 1 : 0);
    drop(th, name);
    return parent;
}

static Value
resolve_name(Thread *th, Value name, Value globals, int64_t level)
{
    Value package = calc_package(th, globals);
    if (package == NULL)
        return NULL;
    if (str_length(package) == 0) {
        drop(th, package);
        raise_error(th, &exc_ImportError, "attempted relative import with no known parent package");
        return NULL;
    }
    int64_t end = (int64_t)str_length(package);
    for (; level > 1; level--) {
        while (end > 0 && str_char(as_str(package), (size_t)end - 1) != '.')
            end--;
        if (end == 0) {
            drop(th, package);
            raise_error(th, &exc_ImportError, "attempted relative import beyond top-level package");
            return NULL;
        }
        end--;
    }
    Value base = str_substring(th, package, 0, (size_t)end);
    drop(th, package);
    if (base == NULL || str_length(name) == 0)
        return base;
    Value full = str_format_c(th, "%V.%V", base, name);
    drop(th, base);
    return full;
}

/* -- the module itself --------------------------------------------------------------------------------- */

/* sys.modules[name]: new, or NULL (an exception may be set). */
static Value
loaded_module(Thread *th, Value name)
{
    Value key = str_intern_c(th, "modules"), modules = NULL, m = NULL;
    if (key == NULL)
        return NULL;
    if (th->interp->sys_dict && dict_get(th, th->interp->sys_dict, key, &modules) != YES)
        modules = NULL;
    drop(th, key);
    if (modules == NULL) {
        if (!error_set(th))
            raise_error(th, &exc_RuntimeError, "unable to get sys.modules");
        return NULL;
    }
    if (is_dict(modules)) {
        if (dict_get(th, modules, name, &m) != YES)
            m = NULL;
    } else {
        m = get_item(th, modules, name);
        if (m == NULL && error_matches(th, &exc_KeyError))
            error_clear(th);
    }
    drop(th, modules);
    return m;
}

/* Waits for a module that another thread is importing. */
static bool
ensure_initialized(Thread *th, Value module, Value name)
{
    Value spec = NULL, initializing = NULL;
    if (get_attr_optional(th, module, NAME(__spec__), &spec) == FAILED)
        return false;
    if (spec == NULL)
        return true;
    Answer busy = get_attr_optional(th, spec, NAME(_initializing), &initializing);
    drop(th, spec);
    if (busy == YES)
        busy = is_true(th, initializing);
    drop_null(th, initializing);
    if (busy == FAILED) {
        error_clear(th);
        return true;
    }
    if (busy == NO)
        return true;
    Value r = call_method_1(th, interp_state(th)->importlib, NAME(_lock_unlock_module), name);
    drop_null(th, r);
    return r != NULL;
}

/* Frames of importlib do not help who reads a traceback of a failed import. */
static void
trim_traceback(Thread *th)
{
    if (interp_state(th)->settings.verbose || !error_set(th))
        return;
    Value exc = error_take(th);
    bool import_error = is_instance_of(exc, &exc_ImportError);
    Value tb = retain_null(th, exception_traceback_peek(exc)), head = NULL, last = NULL;
    Value chunk_head = NULL; /* where a run of import frames begins */
    Value before_chunk = NULL;
    bool in_import = false;
    Value at = retain_null(th, tb);
    head = retain_null(th, tb);
    while (at && is_exact(at, SHAPE_TRACEBACK)) {
        Value frame = get_attr_c(th, at, "tb_frame");
        Value next = frame ? get_attr_c(th, at, "tb_next") : NULL;
        if (next == NULL) {
            error_clear(th);
            drop_null(th, frame);
            break;
        }
        Code *code = frame_code(frame);
        bool now = str_equal_ascii(code->filename, "<frozen importlib._bootstrap>") ||
                   str_equal_ascii(code->filename, "<frozen importlib._bootstrap_external>");
        if (now && !in_import) {
            drop_null(th, chunk_head);
            drop_null(th, before_chunk);
            chunk_head = retain(th, at);
            before_chunk = retain_null(th, last);
        }
        in_import = now;
        bool cut = now && (import_error || str_equal_ascii(code->name, "_call_with_frames_removed"));
        drop(th, frame);
        if (cut) { /* what was before the run continues behind this entry */
            if (before_chunk) {
                if (!set_attr_c(th, before_chunk, "tb_next", next))
                    error_clear(th);
            } else {
                drop_null(th, head);
                head = next == NONE ? NULL : retain(th, next);
            }
        } else if (!now || !cut) {
            drop_null(th, last);
            last = retain(th, at);
        }
        drop(th, at);
        at = next == NONE ? NULL : next;
        if (next == NONE)
            drop(th, next);
        if (!now) {
            DROP_CLEAR(th, chunk_head);
            DROP_CLEAR(th, before_chunk);
        }
    }
    drop_null(th, at);
    drop_null(th, last);
    drop_null(th, chunk_head);
    drop_null(th, before_chunk);
    exception_set_traceback(th, exc, head ? head : NONE);
    drop_null(th, head);
    drop_null(th, tb);
    error_restore(th, exc);
}

static int64_t
nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static Value
find_and_load(Thread *th, Value name)
{
    InterpState *s = interp_state(th);
    if (s->importlib == NULL)
        return import_native(th, name);
    Value args[2] = {name, s->import_function ? s->import_function : NONE};
    if (LIKELY(!s->settings.import_time))
        return call_method(th, s->importlib, NAME(_find_and_load), args_of(args), 2, NULL);
    /* -X importtime: what imports inside this one took is told apart.  One thread imports at a time as
     * far as these figures go, as in CPython. */
    if (fetch_add_relaxed(&s->import_time_depth, 1) == 0 && !exchange_acq_rel(&s->import_time_begun, 1))
        fputs("import time: self [us] | cumulative | imported package\n", stderr);
    int64_t before = load_relaxed(&s->import_time_inner), start = nanoseconds();
    store_relaxed(&s->import_time_inner, 0);
    Value m = call_method(th, s->importlib, NAME(_find_and_load), args_of(args), 2, NULL);
    int64_t all = nanoseconds() - start, self = all - load_relaxed(&s->import_time_inner);
    store_relaxed(&s->import_time_inner, before + all);
    int level = fetch_add_relaxed(&s->import_time_depth, -1) - 1;
    const char *text = str_utf8(th, name, NULL);
    if (text == NULL)
        error_clear(th);
    else if (m != NULL)
        fprintf(stderr, "import time: %9ld | %10ld | %*s%s\n", (long)((self + 999) / 1000),
                (long)((all + 999) / 1000), level * 2, "", text);
    return m;
}

/* The module `name` (absolute): from sys.modules, else imported. */
static Value
load_absolute(Thread *th, Value name)
{
    Value m = loaded_module(th, name);
    if (m && m != NONE) {
        if (!ensure_initialized(th, m, name))
            DROP_CLEAR(th, m);
        return m;
    }
    if (m == NULL && error_set(th))
        return NULL;
    drop_null(th, m);
    m = find_and_load(th, name);
    if (m == NULL && !error_set(th))
        raise_error(th, &exc_ModuleNotFoundError, "No module named %R", name);
    return m;
}

static Value
top_package(Thread *th, Value name, Value given, Value module, int64_t level)
{
    /* import a.b.c gives a; from . import without names gives the part that was written. */
    size_t n = str_length(given), dot = 0;
    while (dot < n && str_char(as_str(given), dot) != '.')
        dot++;
    if (dot == n)
        return retain(th, module);
    if (level == 0) {
        Value front = str_substring(th, given, 0, dot);
        Value top = front ? load_absolute(th, front) : NULL;
        drop_null(th, front);
        return top;
    }
    size_t cut = n - dot;
    Value front = str_substring(th, name, 0, str_length(name) - cut);
    Value top = front ? loaded_module(th, front) : NULL;
    if (front && top == NULL && !error_set(th))
        raise_error(th, &exc_KeyError, "%R not in sys.modules as expected", front);
    drop_null(th, front);
    return top;
}

Value
import_name(Thread *th, Value name, Value globals, Value fromlist, int64_t level)
{
    if (!is_str(name)) {
        raise_type_error(th, "module name must be a string");
        return NULL;
    }
    if (level < 0) {
        raise_value_error(th, "level must be >= 0");
        return NULL;
    }
    Value full;
    if (level > 0)
        full = resolve_name(th, name, globals, level);
    else {
        if (str_length(name) == 0) {
            raise_value_error(th, "Empty module name");
            return NULL;
        }
        full = retain(th, name);
    }
    if (full == NULL)
        return NULL;
    Value module = load_absolute(th, full), result = NULL;
    if (module) {
        Answer from = fromlist && fromlist != NONE ? is_true(th, fromlist) : NO;
        if (from == NO)
            result = level == 0 || str_length(name) ? top_package(th, full, name, module, level)
                                                    : retain(th, module);
        else if (from == YES) {
            Value path = NULL;
            Answer package = get_attr_optional(th, module, NAME(__path__), &path);
            drop_null(th, path);
            if (package == YES) {
                InterpState *s = interp_state(th);
                Value args[3] = {module, fromlist, s->import_function};
                result = call_method(th, s->importlib, NAME(_handle_fromlist), args_of(args), 3, NULL);
            } else if (package == NO)
                result = retain(th, module);
        }
        drop(th, module);
    }
    drop(th, full);
    if (result == NULL)
        trim_traceback(th);
    return result;
}

Value
import_module_c(Thread *th, const char *text)
{
    Value name = str_intern_c(th, text);
    if (name == NULL)
        return NULL;
    Value m = load_absolute(th, name);
    drop(th, name);
    if (m == NULL)
        trim_traceback(th);
    return m;
}

/* -- native modules ------------------------------------------------------------------------------------------ */

Value
import_native_create(Thread *th, Value name)
{
    InterpState *s = interp_state(th);
    if (str_equal_ascii(name, "sys"))
        return retain(th, s->sys_module);
    if (str_equal_ascii(name, "builtins"))
        return retain(th, s->builtins_module);
    for (const ModuleSpec *const *spec = s->natives; *spec; spec++)
        if (str_equal_ascii(name, (*spec)->name))
            return module_from_spec(th, *spec);
    return NULL;
}

Value
import_native(Thread *th, Value name)
{
    Value modules = th->interp->modules, m = NULL;
    if (dict_get(th, modules, name, &m) == YES)
        return m;
    if (error_set(th) || (m = import_native_create(th, name)) == NULL)
        return NULL;
    if (!module_execute(th, m) || !dict_set(th, modules, name, m))
        DROP_CLEAR(th, m);
    return m;
}

/* Runs `file` of the standard library as module `name`. */
static Value
run_library_file(Thread *th, const char *name, const char *file, const char *shown)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", interp_state(th)->settings.stdlib, file);
    char *text;
    size_t n;
    if (!source_read(th, path, &text, &n))
        return NULL;
    Value module_name = str_intern_c(th, name);
    Value filename = module_name ? str_from_c(th, shown) : NULL;
    Value code = filename ? source_compile(th, text, n, filename, START_FILE, 0, 0) : NULL;
    free(text);
    Value m = code ? module_new(th, module_name) : NULL;
    Value result = NULL;
    if (m && dict_set_c(th, module_dict(m), "__builtins__", interp_state(th)->builtins_module) &&
        dict_set(th, th->interp->modules, module_name, m)) {
        Value r = eval_code(th, code, module_dict(m), NULL, NULL);
        if (r) {
            drop(th, r);
            result = retain(th, m);
        }
    }
    drop_null(th, m);
    drop_null(th, code);
    drop_null(th, filename);
    drop_null(th, module_name);
    return result;
}

bool
import_start(Thread *th)
{
    InterpState *s = interp_state(th);
    Value lib = run_library_file(th, "_frozen_importlib", "importlib/_bootstrap.py",
                                 "<frozen importlib._bootstrap>");
    if (lib == NULL)
        return false;
    Value imp_name = str_intern_c(th, "_imp");
    Value imp = imp_name ? import_native(th, imp_name) : NULL;
    Value r = imp ? call_method_2(th, lib, str_intern_immortal(th, "_install"), s->sys_module, imp) : NULL;
    drop_null(th, imp_name);
    drop_null(th, imp);
    s->importlib = lib; /* kept for good */
    th->interp->importlib = lib;
    if (r == NULL)
        return false;
    drop(th, r);
    return true;
}

/* The version, and the instructions with their sizes and operands, as text. */
static const char instructions[] = WEFT_VERSION
#define OP(name, words, a, b, c, rest, text) #name #words a b c rest
#include "core/vm/opcodes.def"
#undef OP
    ;

bool
import_start_external(Thread *th)
{
    InterpState *s = interp_state(th);
    Value lib = run_library_file(th, "_frozen_importlib_external", "importlib/_bootstrap_external.py",
                                 "<frozen importlib._bootstrap_external>");
    if (lib == NULL)
        return false;
    s->importlib_external = lib;
    /* Our code objects are not CPython's, nor those of another version or a Weft with other instructions. */
    uint64_t hash = hash_bytes_keyed(1, 1, instructions, sizeof instructions);
    uint8_t number[4] = {(uint8_t)hash, (uint8_t)(hash >> 8), '\r', '\n'};
    Value magic = bytes_from(th, number, sizeof number);
    if (magic == NULL || !set_attr_c(th, lib, "MAGIC_NUMBER", magic)) {
        drop_null(th, magic);
        return false;
    }
    drop(th, magic);
    Value raw = int_from_bytes(th, number, sizeof number, true, false);
    if (raw == NULL || !set_attr_c(th, lib, "_RAW_MAGIC_NUMBER", raw)) {
        drop_null(th, raw);
        return false;
    }
    drop(th, raw);
    Value r = call_method_0(th, s->importlib, str_intern_immortal(th, "_install_external_importers"));
    drop_null(th, r);
    return r != NULL;
}

bool
import_start_zip(Thread *th)
{
    Value module = import_module_c(th, "zipimport");
    Value importer = module ? get_attr_c(th, module, "zipimporter") : NULL;
    Value hooks = sys_get_object(th, "path_hooks");
    bool ok = importer && hooks && is_list(hooks) && list_insert(th, hooks, 0, importer);
    /* What was imported so far has asked about all of sys.path, when no hook took zip files. */
    Value cache = sys_get_object(th, "path_importer_cache");
    if (cache && is_dict(cache))
        dict_clear(th, cache);
    drop_null(th, cache);
    drop_null(th, hooks);
    drop_null(th, importer);
    drop_null(th, module);
    return ok;
}
