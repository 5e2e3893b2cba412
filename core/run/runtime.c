/* runtime.c -- start and stop of the process, in order, with the reasons.
 *
 * Start: memory and the main thread; the types (everything else is made of them); sys and builtins
 * (the import system is Python code that needs both); importlib; encodings and io (files are text);
 * site; the program.  Stop: threads that are no daemons; atexit; files are flushed; modules are
 * cleared so that finalizers run while the library still works; then the last garbage.
 */
#include "core/run/run.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "gc/collect.h"
#include "gc/gc_init.h"
#include "gc/pending.h"
#include "gc/reclaim.h"
#include "objects/container/dict_priv.h"
#include "objects/text/codecs.h"

extern const ModuleSpec sys_module, builtins_module;
#ifdef WEFT_PROFILING
void __gcov_dump(void);
#endif

static void
fatal(Thread *th, const char *where)
{
    fprintf(stderr, "Fatal Python error: %s\n", where);
    if (th && error_set(th)) {
        Value exc = error_take(th);
        char text[400] = "";
        Value s = to_str(th, exc);
        if (s)
            str_to_buffer(s, text, sizeof text);
        error_clear(th);
        fprintf(stderr, "%s: %s\n", type_name_of(exc), text);
    }
    exit(1);
}

static void
start_hash_key(const Settings *s)
{
    if (s->hash_seed_given)
        hash_set_seed(s->hash_seed);
    else
        hash_set_random_key();
}

/* -- standard streams ------------------------------------------------------------------------------- */

static Value
open_stream(Thread *th, Value io, int fd, bool writes, const char *name, const char *encoding,
            const char *errors, bool unbuffered)
{
    /* A closed descriptor gives None, as programs started by daemons expect. */
    if (fcntl(fd, F_GETFL) < 0)
        return retain(th, NONE);
    Value open_ = get_attr_c(th, io, "open");
    Value mode = str_from_c(th, writes ? "wb" : "rb");
    bool raw = unbuffered && writes;
    Value keywords = tuple_pack(th, 1, str_intern_immortal(th, "closefd"));
    Value stream = NULL, text_type = NULL;
    if (open_ && mode && keywords) {
        Value args[4] = {value_from_fixnum(fd), mode, value_from_fixnum(raw ? 0 : -1), FALSE};
        Value buffer = call(th, open_, args_of(args), 3, keywords);
        Value raw_file = NULL, file_name = str_from_c(th, name);
        if (buffer && file_name) {
            raw_file = raw ? retain(th, buffer) : get_attr_c(th, buffer, "raw");
            if (raw_file && !set_attr_c(th, raw_file, "name", file_name))
                error_clear(th);
            text_type = get_attr_c(th, io, "TextIOWrapper");
            Value enc = str_from_c(th, encoding), err = str_from_c(th, errors);
            Value newline = str_from_c(th, "\n");
            Value tty = text_type && raw_file ? call_method_0(th, raw_file, NAME(isatty)) : NULL;
            if (tty && enc && err && newline) {
                bool lines = !unbuffered && (tty == TRUE || fd == 2);
                Value a[6] = {buffer, enc, err, newline, bool_from(lines), bool_from(unbuffered)};
                stream = call(th, text_type, args_of(a), 6, NULL);
                if (stream) {
                    Value m = str_from_c(th, writes ? "w" : "r");
                    if (m == NULL || !set_attr_c(th, stream, "mode", m))
                        error_clear(th);
                    drop_null(th, m);
                }
            }
            drop_null(th, tty);
            drop_null(th, newline);
            drop_null(th, enc);
            drop_null(th, err);
        }
        drop_null(th, file_name);
        drop_null(th, raw_file);
        drop_null(th, buffer);
    }
    drop_null(th, text_type);
    drop_null(th, keywords);
    drop_null(th, mode);
    drop_null(th, open_);
    return stream;
}

/* Replaces the name of an encoding by the one its codec gives itself. */
static bool
codec_name(Thread *th, char *name, size_t size)
{
    Value codecs = import_module_c(th, "codecs");
    Value given = codecs ? str_from_c(th, name) : NULL;
    Value info = given ? call_method_1(th, codecs, str_intern_immortal(th, "lookup"), given) : NULL;
    Value own = info ? get_attr_c(th, info, "name") : NULL;
    bool ok = own && is_str(own);
    if (ok)
        str_to_buffer(own, name, size);
    drop_null(th, own);
    drop_null(th, info);
    drop_null(th, given);
    drop_null(th, codecs);
    return ok;
}

static bool
start_streams(Thread *th)
{
    Settings *s = &interp_state(th)->settings;
    Value io = import_module_c(th, "io");
    if (io == NULL)
        return false;
    char encoding[64] = "utf-8", errors[64] = "strict";
    const char *ctype = setlocale(LC_CTYPE, NULL);
    if (s->utf8_mode || (ctype && (strcmp(ctype, "C") == 0 || strcmp(ctype, "POSIX") == 0 ||
                                   strcmp(ctype, "C.UTF-8") == 0)))
        strcpy(errors, "surrogateescape");
    if (s->io_encoding) { /* ENCODING[:ERRORS] */
        const char *colon = strchr(s->io_encoding, ':');
        size_t n = colon ? (size_t)(colon - s->io_encoding) : strlen(s->io_encoding);
        if (n && n < sizeof encoding)
            snprintf(encoding, sizeof encoding, "%.*s", (int)n, s->io_encoding);
        if (colon && colon[1])
            snprintf(errors, sizeof errors, "%s", colon + 1);
        else if (n)
            strcpy(errors, "strict");
    }
    if (s->io_encoding && !codec_name(th, encoding, sizeof encoding)) {
        drop(th, io);
        fatal(th, "init_stdio_encoding: failed to get the Python codec name of the stdio encoding");
    }
    static const struct {
        const char *name, *backup, *file;
    } streams[] = {{"stdin", "__stdin__", "<stdin>"}, {"stdout", "__stdout__", "<stdout>"},
                 {"stderr", "__stderr__", "<stderr>"}};
    bool ok = true;
    Value open_ = get_attr_c(th, io, "open");
    ok = open_ && dict_set_c(th, th->interp->builtins, "open", open_);
    drop_null(th, open_);
    for (int fd = 2; ok && fd >= 0; fd--) { /* stderr first, so that the others' errors can be shown */
        Value f = open_stream(th, io, fd, fd > 0, streams[fd].file, encoding,
                              fd == 2 ? "backslashreplace" : errors, s->unbuffered);
        ok = f && sys_set_object(th, streams[fd].name, f) && sys_set_object(th, streams[fd].backup, f);
        drop_null(th, f);
    }
    drop(th, io);
    return ok;
}

/* -- start -------------------------------------------------------------------------------------------- */

static Value
start_native(Thread *th, const ModuleSpec *spec)
{
    Value m = module_from_spec(th, spec);
    Value name = m ? str_intern_c(th, spec->name) : NULL;
    if (name == NULL || !dict_set(th, th->interp->modules, name, m))
        fatal(th, "a core module could not be made");
    drop(th, name);
    return m;
}

static Thread *
start(Settings *settings, const ModuleSpec *const *natives)
{
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(setlocale(LC_CTYPE, NULL), "C") == 0) {
        const char *all = getenv("LC_ALL");
        if (setlocale(LC_CTYPE, "C.UTF-8") && (all == NULL || *all == 0))
            (void)setenv("LC_CTYPE", "C.UTF-8", 1); /* PEP 538 */
        if (!settings->utf8_given)
            settings->utf8_mode = 1; /* PEP 540 */
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    start_hash_key(settings);
    gc_init();
    vm_register();
    Interp *interp = interp_create();
    Thread *th = interp ? thread_create_main(interp) : NULL;
    InterpState *state = calloc(1, sizeof *state);
    if (th == NULL || state == NULL)
        fatal(NULL, "no memory for the main thread");
    interp->state = state;
    interp->bytes_warning = (uint8_t)(settings->bytes_warning > 255 ? 255 : settings->bytes_warning);
    interp->lines_only = settings->no_debug_ranges;
    state->settings = *settings;
    state->natives = natives;
    if (settings->int_max_str_digits >= 0)
        store_relaxed(&interp->int_max_str_digits, (uint32_t)settings->int_max_str_digits);
    else
        store_relaxed(&interp->int_max_str_digits, 4300);
    if (!types_init(th))
        fatal(th, "the built-in types could not be made");
    if (!exceptions_init(th) || !container_init(th) || !vm_init(th))
        fatal(th, "the exceptions or the machine could not be made");
    hooks_init(th);
    interp->modules = dict_new(th);
    if (interp->modules == NULL)
        fatal(th, "no memory for sys.modules");
    state->builtins_module = start_native(th, &builtins_module);
    interp->builtins = retain(th, module_dict(state->builtins_module));
    if (!dict_make_stable(th, interp->builtins))
        fatal(th, "no memory for builtins");
    state->sys_module = start_native(th, &sys_module);
    interp->sys_dict = retain(th, module_dict(state->sys_module));
    if (!module_execute(th, state->builtins_module) || !module_execute(th, state->sys_module))
        fatal(th, "builtins or sys could not be filled");
    state->import_function = dict_get_c(th, interp->builtins, "__import__");
    vm_import_hook = import_name;
    return th;
}

/* -v: importlib writes to sys.stderr before there is one. */
static bool
start_early_stderr(Thread *th)
{
    static const char text[] =
        "import posix, sys\n"
        "class EarlyStream:\n"
        "    def write(self, text, write=posix.write):\n"
        "        write(2, text.encode('utf-8', 'backslashreplace'))\n"
        "    def flush(self):\n"
        "        pass\n"
        "sys.stderr = EarlyStream()\n";
    Value filename = str_from_c(th, "<early>"), dict = dict_new(th);
    Value code = filename && dict ? source_compile(th, text, sizeof text - 1, filename, START_FILE, 0, 0) : NULL;
    bool ok = code && dict_set_c(th, dict, "__builtins__", interp_state(th)->builtins_module);
    Value r = ok ? eval_code(th, code, dict, NULL, NULL) : NULL;
    drop_null(th, r);
    drop_null(th, code);
    drop_null(th, dict);
    drop_null(th, filename);
    return r != NULL;
}

/* -X faulthandler, PYTHONFAULTHANDLER, development mode: crashes show where they happened. */
static bool
start_faulthandler(Thread *th)
{
    Value module = import_module_c(th, "faulthandler");
    Value r = module ? call_method_0(th, module, str_intern_immortal(th, "enable")) : NULL;
    if (module && r == NULL)
        error_clear(th); /* there is no stderr to write to */
    drop_null(th, r);
    drop_null(th, module);
    return module != NULL;
}

static bool
start_library(Thread *th)
{
    Settings *s = &interp_state(th)->settings;
    if (s->verbose && !start_early_stderr(th))
        return false;
    if (!import_start(th) || !import_start_external(th) || !hooks_warn_ready(th))
        return false;
    Value signals = import_module_c(th, "_signal"); /* from here on Ctrl-C is KeyboardInterrupt */
    if (signals == NULL)
        return false;
    drop(th, signals);
    Value encodings = import_module_c(th, "encodings");
    if (encodings == NULL)
        return false;
    drop(th, encodings);
    codec_check_names = s->dev_mode;
    if (!start_streams(th) || !import_start_zip(th))
        return false;
    interp_state(th)->builtins_count = dict_length(th->interp->builtins);
    if ((s->faulthandler || s->dev_mode) && !start_faulthandler(th))
        return false;
    if (s->warn_count || s->dev_mode || s->bytes_warning || (!s->ignore_environment && getenv("PYTHONWARNINGS"))) {
        Value w = import_module_c(th, "warnings");
        if (w == NULL)
            return false;
        drop(th, w);
    }
    return true;
}

static bool
start_site(Thread *th)
{
    if (interp_state(th)->settings.no_site)
        return true;
    Value site = import_module_c(th, "site");
    Value r = site ? call_method_0(th, site, str_intern_immortal(th, "main")) : NULL;
    drop_null(th, site);
    drop_null(th, r);
    return r != NULL;
}

/* -- stop ---------------------------------------------------------------------------------------------- */

static void
call_and_report(Thread *th, const char *module, const char *function, bool only_if_loaded)
{
    Value name = str_intern_c(th, module), m = NULL;
    if (name && only_if_loaded) {
        if (dict_get(th, th->interp->modules, name, &m) != YES)
            m = NULL;
    } else if (name)
        m = import_module_c(th, module);
    drop_null(th, name);
    if (m) {
        Value f = get_attr_c(th, m, function);
        Value r = f ? call_0(th, f) : NULL;
        if (r == NULL)
            error_unraisable(th, "Exception ignored on threading shutdown", m);
        drop_null(th, r);
        drop_null(th, f);
        drop(th, m);
    }
    error_clear(th);
}

/* Clears module dicts: main first, then the others from the newest to the oldest, sys and builtins
 * last; names with one underscore go before the others, as CPython does it. */
static void
clear_module(Thread *th, Value module)
{
    if (!is_exact(module, SHAPE_MODULE))
        return;
    Value dict = module_dict(module);
    if (dict == NULL)
        return;
    for (int pass = 0; pass < 2; pass++) {
        Value keys = dict_keys_list(th, dict);
        if (keys == NULL) {
            error_clear(th);
            return;
        }
        for (int64_t i = 0;; i++) {
            Value key = list_get(th, keys, i);
            if (key == NULL)
                break;
            if (is_exact(key, SHAPE_STR)) {
                bool single = str_length(key) > 0 && str_char(as_str(key), 0) == '_' &&
                              !(str_length(key) > 1 && str_char(as_str(key), 1) == '_');
                bool keep = str_equal_ascii(key, "__builtins__");
                if (!keep && (pass == 0 ? single : true))
                    if (!dict_set(th, dict, key, NONE))
                        error_clear(th);
            }
            drop(th, key);
            if (object_bits(value_object(dict)) & BIT_SHARED)
                reclaim_flush(th); /* what went dies before the next name does */
            pending_serve(th);
        }
        drop(th, keys);
    }
}

/* The loaded modules in their order.  Python modules by weak reference: what only sys.modules kept is
 * collected as garbage, so its finalizers still see their globals.  Native modules stay, for the state
 * that their types use is theirs.  NULL: no memory, then nothing is cleared. */
static Value
list_modules(Thread *th)
{
    Value modules = dict_values_list(th, th->interp->modules), list = list_new(th, 0), m;
    for (int64_t i = 0; modules && list && (m = list_get(th, modules, i)) != NULL; i++) {
        bool python = is_exact(m, SHAPE_MODULE) &&
                      ((Module *)(void *)value_object(m))->spec == NULL;
        Value entry = python ? weakref_new(th, m, NULL) : retain(th, m);
        drop(th, m);
        if (entry == NULL || !list_append_steal(th, list, entry))
            DROP_CLEAR(th, list);
    }
    drop_null(th, modules);
    error_clear(th);
    return list;
}

/* A new reference to the module that stands in the list, or NULL if it is gone. */
static Value
listed_module(Thread *th, Value entry)
{
    return is_instance_of(entry, &weakref_type) ? weakref_get(th, entry) : retain(th, entry);
}

/* Takes out of builtins what site and the program put there. */
static void
restore_builtins(Thread *th)
{
    Value dict = th->interp->builtins, keys = dict_keys_list(th, dict), key;
    for (int64_t i = interp_state(th)->builtins_count; keys && (key = list_get(th, keys, i)) != NULL; i++) {
        if (dict_delete(th, dict, key) == FAILED)
            error_clear(th);
        drop(th, key);
        pending_serve(th);
    }
    drop_null(th, keys);
    error_clear(th);
}

/* sys.stdin, stdout and stderr are those of the start again: what programs put there goes. */
static void
restore_streams(Thread *th)
{
    static const char *const names[] = {"__stdin__", "stdin", "__stdout__", "stdout", "__stderr__", "stderr"};
    for (size_t i = 0; i < ARRAY_LEN(names); i += 2) {
        Value f = sys_get_object(th, names[i]);
        if (!dict_set_c(th, th->interp->sys_dict, names[i + 1], f ? f : NONE))
            error_clear(th);
        drop_null(th, f);
    }
}

static void
clear_modules(Thread *th)
{
    Value list = list_modules(th);
    static const char *const names[] = {"path", "argv", "ps1", "ps2", "last_type", "last_value",
                                        "last_traceback", "path_hooks", "path_importer_cache",
                                        "meta_path", "__interactivehook__"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!dict_set_c(th, th->interp->sys_dict, names[i], NONE))
            error_clear(th);
    restore_streams(th);
    dict_clear(th, th->interp->modules);
    pending_serve(th);
    gc_collect(th, 2);
    if (list == NULL)
        return;
    InterpState *s = interp_state(th);
    for (int64_t i = list_length(list); i-- > 0;) {
        Value entry = list_get(th, list, i), m = entry ? listed_module(th, entry) : NULL;
        drop_null(th, entry);
        if (m == NULL)
            continue;
        if (m != s->sys_module && m != s->builtins_module)
            clear_module(th, m);
        drop(th, m);
        pending_serve(th);
    }
    drop(th, list);
    pending_serve(th);
    gc_collect(th, 2);
    restore_builtins(th);
}

/* Flushes sys.stdout and sys.stderr unless they are closed; whether both could be.  That stdout
 * could not is told, too. */
static bool
flush_streams(Thread *th)
{
    static const char *const streams[] = {"stdout", "stderr"};
    bool good = true;
    for (int i = 0; i < 2; i++) {
        Value out = sys_get_object(th, streams[i]);
        Value closed = out && out != NONE ? get_attr_c(th, out, "closed") : NULL;
        Answer is = closed ? is_true(th, closed) : NO; /* what does not say counts as open */
        drop_null(th, closed);
        error_clear(th);
        if (out && out != NONE && is != YES) {
            Value r = call_method_0(th, out, NAME(flush));
            if (r == NULL) {
                good = false;
                if (i == 0)
                    error_unraisable(th, NULL, out);
                error_clear(th);
            }
            drop_null(th, r);
        }
        drop_null(th, out);
    }
    return good;
}

void
exit_call_registered(Thread *th)
{
    Value list = interp_object(th, INTERP_ATEXIT);
    while (list != NULL && list_length(list) > 0) {
        Value entry = list_pop(th, list, -1);
        if (entry == NULL) { /* another thread took the last one */
            error_clear(th);
            break;
        }
        Value f = tuple_item(entry, 0), keywords = tuple_item(entry, 2);
        Value r = call_tuple_dict(th, f, tuple_item(entry, 1), keywords == NONE ? NULL : keywords);
        if (r == NULL)
            error_unraisable(th, "Exception ignored in atexit callback", f);
        drop_null(th, r);
        drop(th, entry);
    }
}

static int
stop(Thread *th, int code)
{
    call_and_report(th, "threading", "_shutdown", true);
    exit_call_registered(th); /* whatever has become of sys.modules */
    pending_settle(th);
    bool flushed = flush_streams(th);
    store_release(&th->interp->finalizing, 1);
    interp_close(th); /* daemon threads sleep from here on */
    clear_modules(th);
    flushed = flush_streams(th) && flushed;
    pending_serve(th);
    return flushed ? code : 120; /* a last write that fails is told by the exit code, as CPython does */
}

int
runtime_main(int argc, char **argv, const ModuleSpec *const *natives)
{
    Settings settings;
    settings_parse(&settings, argc, argv);
    if (settings.what == RUN_NOTHING)
        return settings.exit_code;
    Thread *th = start(&settings, natives);
    if (!start_library(th)) {
        if (error_set(th)) {
            Value exc = error_take(th);
            error_restore(th, exc);
        }
        fprintf(stderr, "Python path configuration:\n  PYTHONHOME = %s\n  stdlib dir = '%s'\n",
                settings.home ? settings.home : "(not set)", settings.stdlib);
        fatal(th, "the standard library could not be started (is libpython3.11-stdlib installed?)");
    }
    int code;
    if (!start_site(th)) {
        code = exec_exit_code(th);
        if (code != 0)
            fputs("Fatal Python error: init_import_site: Failed to import the site module\n", stderr);
    } else
        code = exec_main(th);
    code = exit_check(th, stop(th, code));
    fflush(NULL);
    if (code == 130 && settings.what != RUN_REPL) { /* die of SIGINT, so that a shell knows */
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
    }
#ifdef WEFT_PROFILING
    __gcov_dump(); /* a destructor would do it */
#endif
    /* Daemon threads may still sleep in the kernel: no C destructors run under them. */
    _exit(code & 0xff);
}
