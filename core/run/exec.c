/* exec.c -- running what the command line names: a command, module, file or standard input. */
#include "core/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "threads/environment.h"
#include "threads/safepoint.h"

/* -- uncaught exceptions ---------------------------------------------------------------------------- */

void
exec_print_error(Thread *th)
{
    Value exc = error_take(th);
    if (exc == NULL)
        return;
    Value tb = retain_null(th, exception_traceback_peek(exc));
    if (!sys_set_object(th, "last_type", value_of_type(type_of(exc))) ||
        !sys_set_object(th, "last_value", exc) || !sys_set_object(th, "last_traceback", tb ? tb : NONE))
        error_clear(th);
    Value hook = sys_get_object(th, "excepthook");
    Value r = NULL;
    if (hook) {
        r = call_3(th, hook, value_of_type(type_of(exc)), exc, tb ? tb : NONE);
        if (r == NULL) {
            Value second = error_take(th);
            if (is_instance_of(second, &exc_SystemExit)) {
                drop_null(th, tb);
                drop(th, hook);
                drop(th, exc);
                error_restore(th, second);
                return;
            }
            if (!sys_write(th, "stderr", "Error in sys.excepthook:\n"))
                error_clear(th);
            r = hooks_excepthook(th, second);
            drop_null(th, r);
            drop(th, second);
            if (!sys_write(th, "stderr", "\nOriginal exception was:\n"))
                error_clear(th);
            r = hooks_excepthook(th, exc);
        }
    } else {
        if (!sys_write(th, "stderr", "sys.excepthook is missing\n"))
            error_clear(th);
        r = hooks_excepthook(th, exc);
    }
    drop_null(th, r);
    drop_null(th, hook);
    drop_null(th, tb);
    drop(th, exc);
    error_clear(th);
}

int
exec_exit_code(Thread *th)
{
    if (!error_set(th))
        return 0;
    if (!error_matches(th, &exc_SystemExit) || interp_state(th)->settings.inspect) {
        bool interrupt = error_matches(th, &exc_KeyboardInterrupt);
        exec_print_error(th);
        if (error_set(th)) { /* the hook raised SystemExit */
            interp_state(th)->settings.inspect = 0;
            return exec_exit_code(th);
        }
        return interrupt ? 130 : 1;
    }
    Value exc = error_take(th);
    Value code = get_attr_c(th, exc, "code");
    int result = 1;
    if (code == NULL)
        error_clear(th);
    else if (code == NONE)
        result = 0;
    else if (is_int(code)) {
        int64_t n;
        result = int_fits_i64(code, &n) ? (int)n : -1;
    } else {
        sys_flush(th);
        Value text = to_str(th, code);
        if (text == NULL)
            error_clear(th);
        else {
            Value file = sys_get_object(th, "stderr");
            if (file && file != NONE) {
                Value line = str_format_c(th, "%V\n", text);
                Value r = line ? call_method_1(th, file, NAME(write), line) : NULL;
                if (r == NULL)
                    error_clear(th);
                drop_null(th, r);
                drop_null(th, line);
            }
            drop_null(th, file);
            drop(th, text);
        }
    }
    drop_null(th, code);
    drop(th, exc);
    return result;
}

/* -- __main__ ---------------------------------------------------------------------------------------------- */

static Value
main_module(Thread *th)
{
    Value name = str_intern_c(th, "__main__");
    Value m = name ? module_new(th, name) : NULL;
    if (m && (!dict_set_c(th, module_dict(m), "__builtins__", interp_state(th)->builtins_module) ||
              !dict_set_c_steal(th, module_dict(m), "__annotations__", dict_new(th)) ||
              !dict_set(th, th->interp->modules, name, m)))
        DROP_CLEAR(th, m);
    drop_null(th, name);
    return m;
}

static bool
set_loader(Thread *th, Value dict, const char *class_name, Value filename)
{
    Value module = import_module_c(th, filename ? "_frozen_importlib_external" : "_frozen_importlib");
    Value cls = module ? get_attr_c(th, module, class_name) : NULL;
    Value loader = NULL;
    if (cls && filename) {
        Value name = str_from_c(th, "__main__");
        loader = name ? call_2(th, cls, name, filename) : NULL;
        drop_null(th, name);
    } else if (cls)
        loader = retain(th, cls);
    drop_null(th, cls);
    drop_null(th, module);
    return dict_set_c_steal(th, dict, "__loader__", loader);
}

/* sys.path[0]; false with an exception. */
static bool
prepend_path(Thread *th, const char *dir)
{
    if (interp_state(th)->settings.safe_path)
        return true;
    Value path = sys_get_object(th, "path");
    Value entry = path ? str_from_fs(th, dir, strlen(dir)) : NULL;
    bool ok = entry && is_list(path) && list_insert(th, path, 0, entry);
    drop_null(th, entry);
    drop_null(th, path);
    return ok;
}

static bool
run_text(Thread *th, Value dict, const char *text, size_t n, Value filename)
{
    Value code = source_compile(th, text, n, filename, START_FILE, SOURCE_FROM_FILE,
                                interp_state(th)->settings.optimize);
    if (code == NULL)
        return false;
    Value r = eval_code(th, code, dict, NULL, NULL);
    drop(th, code);
    drop_null(th, r);
    return r != NULL;
}

static bool
run_command(Thread *th, Value dict)
{
    const char *text = interp_state(th)->settings.target;
    Value decoded = str_from_fs(th, text, strlen(text));
    bool encodes = decoded && str_utf8(th, decoded, NULL) != NULL;
    drop_null(th, decoded);
    if (!encodes) {
        fputs("Unable to decode the command from the command line:\n", stderr);
        return false;
    }
    if (!prepend_path(th, "") || !set_loader(th, dict, "BuiltinImporter", NULL))
        return false;
    Value filename = str_from_c(th, "<string>");
    if (filename == NULL)
        return false;
    /* A command line is in the locale's encoding, that is UTF-8. */
    char *copy = NULL;
    size_t n = strlen(text);
    copy = malloc(n + 2);
    bool ok = copy != NULL;
    if (ok) {
        memcpy(copy, text, n);
        copy[n] = '\n';
        copy[n + 1] = 0;
        Value code = source_compile(th, copy, n + 1, filename, START_FILE, PARSE_SOURCE_IS_UTF8,
                                    interp_state(th)->settings.optimize);
        Value r = code ? eval_code(th, code, dict, NULL, NULL) : NULL;
        drop_null(th, code);
        drop_null(th, r);
        ok = r != NULL;
    } else
        raise_memory(th);
    free(copy);
    drop(th, filename);
    return ok;
}

static bool
run_module_as_main(Thread *th, Value name, bool set_argv0)
{
    Value runpy = import_module_c(th, "runpy");
    Value f = runpy ? get_attr_c(th, runpy, "_run_module_as_main") : NULL;
    Value r = f ? call_2(th, f, name, bool_from(set_argv0)) : NULL;
    drop_null(th, f);
    drop_null(th, runpy);
    drop_null(th, r);
    return r != NULL;
}

/* Whether the file ends as a zip file does: with the record that zipimport looks for. */
static bool
ends_as_zip(int fd, int64_t size)
{
    enum { RECORD = 22, COMMENT_MAX = 65535 };
    int64_t from = size > RECORD + COMMENT_MAX ? size - RECORD - COMMENT_MAX : 0;
    size_t n = (size_t)(size - from);
    char *tail = size >= RECORD ? malloc(n) : NULL;
    if (tail == NULL)
        return false;
    ssize_t got = pread(fd, tail, n, from);
    bool found = got >= RECORD && memmem(tail, (size_t)got, "PK\5\6", 4) != NULL;
    free(tail);
    return found;
}

/* Whether sys.path can hold `path` (a directory with __main__.py or a zip file). */
static bool
importable_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    if (S_ISDIR(st.st_mode))
        return true;
    if (!S_ISREG(st.st_mode)) /* a pipe can be read only once */
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool zip = ends_as_zip(fd, st.st_size);
    close(fd);
    return zip;
}

/* The absolute form of a script's path, as it is shown in tracebacks: malloc()ed, NULL without memory.
 * Nothing is followed or shortened but a leading "./". */
static char *
absolute_path(const char *path)
{
    if (path[0] == '/')
        return strdup(path);
    char *cwd = getcwd(NULL, 0);
    if (cwd == NULL)
        return strdup(path);
    if (path[0] == '.' && path[1] == '/')
        path += 2;
    if (strcmp(path, ".") == 0)
        return cwd;
    size_t n = strlen(cwd), m = strlen(path);
    char *joined = malloc(n + m + 2);
    if (joined) {
        memcpy(joined, cwd, n);
        if (n == 0 || cwd[n - 1] != '/')
            joined[n++] = '/';
        memcpy(joined + n, path, m + 1);
    }
    free(cwd);
    return joined;
}

/* The number that compiled files begin with: four bytes, false with an exception. */
static bool
magic_number(Thread *th, uint8_t number[4])
{
    Value magic = get_attr_c(th, interp_state(th)->importlib_external, "MAGIC_NUMBER");
    bool ok = magic && is_bytes(magic) && as_bytes(magic)->length == 4;
    if (ok)
        memcpy(number, as_bytes(magic)->data, 4);
    else if (magic)
        raise_error(th, &exc_RuntimeError, "importlib has no magic number");
    drop_null(th, magic);
    return ok;
}

/* Whether the text is a compiled file: by its name, or by the beginning of the magic number. */
static bool
is_compiled(const char *path, const char *text, size_t n, const uint8_t number[4])
{
    size_t length = strlen(path);
    return (length >= 4 && strcmp(path + length - 4, ".pyc") == 0) || (n >= 2 && memcmp(text, number, 2) == 0);
}

static bool
run_compiled(Thread *th, Value dict, const char *text, size_t n, const uint8_t number[4])
{
    enum { HEADER = 16 };
    if (n < 4 || memcmp(text, number, 4) != 0) {
        raise_error(th, n < 4 ? &exc_EOFError : &exc_RuntimeError,
                    n < 4 ? "EOF read where not expected" : "Bad magic number in .pyc file");
        return false;
    }
    if (n < HEADER) {
        raise_error(th, &exc_EOFError, "EOF read where not expected");
        return false;
    }
    Value marshal = import_module_c(th, "marshal"), loads = marshal ? get_attr_c(th, marshal, "loads") : NULL;
    Value data = loads ? bytes_from(th, (const uint8_t *)text + HEADER, n - HEADER) : NULL;
    Value code = data ? call_1(th, loads, data) : NULL, r = NULL;
    if (code && is_exact(code, SHAPE_CODE))
        r = eval_code(th, code, dict, NULL, NULL);
    else if (code)
        raise_error(th, &exc_RuntimeError, "Bad code object in .pyc file");
    drop_null(th, r);
    drop_null(th, code);
    drop_null(th, data);
    drop_null(th, loads);
    drop_null(th, marshal);
    return r != NULL;
}

static bool
run_path(Thread *th, Value dict, const char *path)
{
    InterpState *s = interp_state(th);
    if (importable_path(path)) {
        Value entry = str_from_fs(th, path, strlen(path));
        Value sys_path = sys_get_object(th, "path");
        bool ok = entry && sys_path && list_insert(th, sys_path, 0, entry);
        drop_null(th, sys_path);
        drop_null(th, entry);
        Value name = ok ? str_from_c(th, "__main__") : NULL;
        ok = name && run_module_as_main(th, name, false);
        drop_null(th, name);
        return ok;
    }
    char *text;
    size_t n;
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "%s: can't open file '%s': [Errno %d] %s\n", s->settings.program, path, errno,
                strerror(errno));
        raise_value(th, &exc_SystemExit, value_from_fixnum(2));
        return false;
    }
    /* sys.path[0] is the directory of the script, symbolic links followed. */
    char *real = realpath(path, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    if (slash)
        *(slash == real ? slash + 1 : slash) = 0;
    bool ok = prepend_path(th, slash ? real : "");
    free(real);
    if (!ok || !source_read(th, path, &text, &n))
        return false;
    char *absolute = absolute_path(path);
    Value filename = absolute ? str_from_fs(th, absolute, strlen(absolute)) : raise_memory(th);
    free(absolute);
    uint8_t number[4];
    bool compiled = filename && magic_number(th, number) && is_compiled(path, text, n, number);
    ok = !error_set(th) && filename && dict_set_c(th, dict, "__file__", filename) &&
         dict_set_c(th, dict, "__cached__", NONE) &&
         set_loader(th, dict, compiled ? "SourcelessFileLoader" : "SourceFileLoader", filename);
    if (ok && compiled)
        ok = run_compiled(th, dict, text, n, number);
    else if (ok) {
        const char *start = text;
        if (s->settings.skip_first_line) {
            const char *newline = memchr(text, '\n', n);
            start = newline ? newline : text + n;
        }
        ok = run_text(th, dict, start, n - (size_t)(start - text), filename);
    }
    free(text);
    if (ok) {
        if (dict_delete(th, dict, str_intern_immortal(th, "__file__")) == FAILED)
            error_clear(th);
    }
    drop_null(th, filename);
    return ok;
}

static bool
run_stdin(Thread *th, Value dict)
{
    if (!prepend_path(th, "") || !set_loader(th, dict, "BuiltinImporter", NULL))
        return false;
    char *text = NULL;
    size_t n = 0, capacity = 0;
    for (;;) {
        if (n == capacity) {
            capacity = capacity ? capacity * 2 : 1 << 16;
            char *grown = realloc(text, capacity + 1);
            if (grown == NULL) {
                free(text);
                raise_memory(th);
                return false;
            }
            text = grown;
        }
        blocking_begin(th);
        ssize_t got = read(0, text + n, capacity - n);
        int error = errno;
        blocking_end(th);
        if (got < 0 && error == EINTR) {
            if (safepoint_poll(th))
                continue;
            free(text);
            return false;
        }
        if (got <= 0)
            break;
        n += (size_t)got;
        if (source_endless(text + n - got, (size_t)got)) {
            free(text);
            raise_error(th, &exc_SyntaxError, "source code cannot contain null bytes");
            return false;
        }
    }
    text[n] = 0;
    Value filename = str_from_c(th, "<stdin>");
    bool ok = filename && run_text(th, dict, text, n, filename);
    drop_null(th, filename);
    free(text);
    return ok;
}

static bool
run_file(Thread *th, Value dict)
{
    char *path = absolute_path(interp_state(th)->settings.target);
    if (path == NULL) {
        raise_memory(th);
        return false;
    }
    bool ok = run_path(th, dict, path);
    free(path);
    return ok;
}

/* A prompt, or a script read from a terminal: the file that PYTHONSTARTUP names, then the hook that site
 * made.  Their errors are shown and end nothing. */
static void
run_startup(Thread *th, Value dict)
{
    const char *path = interp_state(th)->settings.startup;
    char *text;
    size_t n;
    if (path != NULL) {
        if (source_read(th, path, &text, &n)) {
            Value filename = str_from_fs(th, path, strlen(path));
            static const char *const own[] = {"__file__", "__cached__"};
            if (filename == NULL || !dict_set_c(th, dict, own[0], filename) ||
                !dict_set_c(th, dict, own[1], NONE) || !run_text(th, dict, text, n, filename))
                exec_print_error(th);
            for (int i = 0; i < 2; i++) {
                Value name = str_intern_c(th, own[i]);
                if (name == NULL || dict_delete(th, dict, name) == FAILED)
                    error_clear(th);
                drop_null(th, name);
            }
            drop_null(th, filename);
            free(text);
        } else {
            Value exc = error_take(th);
            if (!sys_write(th, "stderr", "Could not open PYTHONSTARTUP\n"))
                error_clear(th);
            error_restore(th, exc);
            exec_print_error(th);
        }
    }
    Value hook = sys_get_object(th, "__interactivehook__");
    Value r = hook ? call_0(th, hook) : NULL;
    if (hook && r == NULL) {
        Value exc = error_take(th);
        if (!sys_write(th, "stderr", "Failed calling sys.__interactivehook__\n"))
            error_clear(th);
        error_restore(th, exc);
        exec_print_error(th);
    }
    drop_null(th, r);
    drop_null(th, hook);
}

/* Whether a program that has ended is looked at from the prompt. */
static bool
inspects(const Settings *s)
{
    const char *later = s->ignore_environment ? NULL : environment_get("PYTHONINSPECT");
    return (s->inspect || (later && *later)) && (s->interactive || isatty(STDIN_FILENO));
}

int
exec_main(Thread *th)
{
    Settings *s = &interp_state(th)->settings;
    Value m = main_module(th);
    int code = 0;
    bool ok = false;
    if (m) {
        Value dict = module_dict(m);
        switch (s->what) {
        case RUN_COMMAND:
            ok = run_command(th, dict);
            break;
        case RUN_MODULE: {
            Value name = prepend_path(th, "") ? str_from_fs(th, s->target, strlen(s->target)) : NULL;
            if (name && !s->safe_path) { /* -m puts the full current directory first */
                char *cwd = getcwd(NULL, 0);
                Value path = sys_get_object(th, "path"), entry = cwd ? str_from_fs(th, cwd, strlen(cwd)) : NULL;
                if (path && entry && is_list(path) && !list_set(th, path, 0, retain(th, entry)))
                    error_clear(th);
                drop_null(th, entry);
                drop_null(th, path);
                free(cwd);
            }
            ok = name && run_module_as_main(th, name, true);
            drop_null(th, name);
            break;
        }
        case RUN_FILE:
            ok = run_file(th, dict);
            break;
        case RUN_STDIN:
            ok = run_stdin(th, dict);
            break;
        case RUN_REPL:
            ok = prepend_path(th, "") && set_loader(th, dict, "BuiltinImporter", NULL);
            if (ok) {
                run_startup(th, dict);
                code = repl_run(th, dict);
            }
            break;
        case RUN_NOTHING:
            break;
        }
    }
    if (!ok)
        code = exec_exit_code(th);
    if (m && s->what != RUN_REPL && s->what != RUN_NOTHING && inspects(s))
        code = repl_run(th, module_dict(m));
    drop_null(th, m);
    return code;
}
