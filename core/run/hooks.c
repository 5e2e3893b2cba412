/* hooks.c -- what the layers below call upwards: warnings, unraisable errors, audit, sys.NAME.
 *
 * The default excepthook is objects/error's error_print(); when that fails, plain text goes to
 * file descriptor 2.
 */
#include "core/run/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

Value
sys_get_object(Thread *th, const char *name)
{
    Value dict = th->interp->sys_dict;
    if (dict == NULL)
        return NULL;
    Value key = str_intern_c(th, name), v = NULL;
    if (key == NULL) {
        error_clear(th);
        return NULL;
    }
    if (dict_get(th, dict, key, &v) != YES)
        v = NULL;
    drop(th, key);
    return v;
}

bool
sys_set_object(Thread *th, const char *name, Value v)
{
    Value dict = th->interp->sys_dict;
    return dict && v && dict_set_c(th, dict, name, v);
}

bool
sys_write(Thread *th, const char *stream, const char *text)
{
    Value file = sys_get_object(th, stream);
    if (file == NULL || file == NONE) {
        drop_null(th, file);
        size_t n = strlen(text);
        return write(2, text, n) == (ssize_t)n;
    }
    Value s = str_decode_utf8(th, (const uint8_t *)text, strlen(text), "replace", NULL);
    Value r = s ? call_method_1(th, file, NAME(write), s) : NULL;
    drop_null(th, s);
    drop(th, file);
    drop_null(th, r);
    return r != NULL;
}

void
sys_flush(Thread *th)
{
    static const char *const streams[] = {"stdout", "stderr"};
    for (int i = 0; i < 2; i++) {
        Value file = sys_get_object(th, streams[i]);
        if (file == NULL || file == NONE) {
            drop_null(th, file);
            continue;
        }
        Value r = call_method_0(th, file, NAME(flush));
        if (r == NULL)
            error_clear(th);
        drop_null(th, r);
        drop(th, file);
    }
}

/* A few words about `exc` that need nothing of the library. */
static void
print_plainly(Thread *th, Value exc)
{
    char line[512];
    Value text = to_str(th, exc);
    if (text == NULL)
        error_clear(th);
    int n = snprintf(line, sizeof line, "%s%s", type_name_of(exc), text && str_length(text) ? ": " : "");
    if (text)
        str_to_buffer(text, line + n, sizeof line - (size_t)n - 2);
    drop_null(th, text);
    strcat(line, "\n");
    if (write(2, line, strlen(line)) < 0)
        return;
}

Value
hooks_excepthook(Thread *th, Value exc)
{
    Value file = sys_get_object(th, "stderr");
    if (file == NULL || file == NONE) {
        if (file == NULL) { /* taken away; None says that nothing is to be shown */
            print_plainly(th, exc);
            ssize_t written = write(2, "lost sys.stderr\n", 16);
            (void)written;
        }
        drop_null(th, file);
        return retain(th, NONE);
    }
    Value r = error_print(th, exc, file) ? retain(th, NONE) : NULL;
    drop(th, file);
    if (r == NULL) {
        error_clear(th);
        print_plainly(th, exc);
        r = retain(th, NONE);
    }
    return r;
}

/* -- upcalls --------------------------------------------------------------------------------------- */

static Value
up_import_module(Thread *th, const char *name)
{
    return import_module_c(th, name);
}

static Value
find_warn(Thread *th)
{
    Value module = import_module_c(th, "_warnings");
    Value f = module ? get_attr_c(th, module, "warn") : NULL;
    drop_null(th, module);
    return f;
}

bool
hooks_warn_ready(Thread *th)
{
    return interp_object_make(th, INTERP_WARN, find_warn) != NULL;
}

static bool
up_warn(Thread *th, Type *category, int stack_level, Value message)
{
    Value f = interp_object_make(th, INTERP_WARN, find_warn);
    if (f == NULL)
        return false;
    Value args[3] = {message, value_of_type(category), value_from_fixnum(stack_level)};
    Value r = call(th, f, args_of(args), 3, NULL);
    drop_null(th, r);
    return r != NULL;
}

void
hooks_unraisablehook(Thread *th, Value exc, Value text, Value object)
{
    bool ok = true;
    if (object != NONE) {
        Value r = to_repr(th, object);
        if (r == NULL) {
            error_clear(th);
            r = str_from_c(th, "<object repr() failed>");
        }
        Value line = r ? (text == NONE ? str_format_c(th, "Exception ignored in: %V\n", r)
                                       : str_format_c(th, "%V: %V\n", text, r))
                       : NULL;
        const char *p = line ? str_utf8(th, line, NULL) : NULL;
        ok = p && sys_write(th, "stderr", p);
        drop_null(th, line);
        drop_null(th, r);
    } else if (text != NONE) {
        Value line = str_format_c(th, "%V:\n", text);
        const char *p = line ? str_utf8(th, line, NULL) : NULL;
        ok = p && sys_write(th, "stderr", p);
        drop_null(th, line);
    }
    if (!ok)
        error_clear(th);
    if (is_exception(exc)) {
        Value r = hooks_excepthook(th, exc);
        drop_null(th, r);
    }
    error_clear(th);
}

static void
up_unraisable(Thread *th, const char *message, Value object)
{
    Value exc = error_take(th);
    if (exc == NULL)
        return;
    Value hook = sys_get_object(th, "unraisablehook");
    Value text = message ? str_from_c(th, message) : NULL;
    Value make = hook ? sys_get_object(th, "UnraisableHookArgs") : NULL;
    bool done = false;
    if (hook == NULL || hook == NONE) {
        error_clear(th);
        hooks_unraisablehook(th, exc, text ? text : NONE, object ? object : NONE);
        done = true;
    } else if (make) {
        Value tb = exception_traceback_peek(exc);
        Value fields = tuple_pack(th, 5, value_of_type(type_of(exc)), exc, tb ? tb : NONE,
                                  text ? text : NONE, object ? object : NONE);
        Value record = fields ? call_1(th, make, fields) : NULL;
        Value r = record ? call_1(th, hook, record) : NULL;
        done = r != NULL;
        drop_null(th, r);
        drop_null(th, record);
        drop_null(th, fields);
        Value failed = done ? NULL : error_take(th), where = NULL;
        if (failed && (where = str_from_c(th, "Exception ignored in sys.unraisablehook"))) {
            hooks_unraisablehook(th, failed, where, hook);
            done = true;
        }
        drop_null(th, where);
        drop_null(th, failed);
    }
    if (!done) {
        error_clear(th);
        print_plainly(th, exc);
    }
    drop_null(th, make);
    drop_null(th, text);
    drop_null(th, hook);
    drop(th, exc);
}

static bool
up_audit(Thread *th, const char *event, Value args)
{
    Value hooks = interp_object(th, INTERP_AUDIT_HOOKS);
    if (LIKELY(hooks == NULL))
        return true;
    Value name = str_from_c(th, event);
    if (name == NULL)
        return false;
    bool ok = true;
    for (int64_t i = 0; ok; i++) {
        Value hook = list_get(th, hooks, i);
        if (hook == NULL)
            break;
        Value r = call_2(th, hook, name, args ? args : tuple_empty);
        ok = r != NULL;
        drop_null(th, r);
        drop(th, hook);
    }
    drop(th, name);
    return ok;
}

static Value
up_sys_get(Thread *th, const char *name)
{
    return sys_get_object(th, name);
}

void
hooks_init(Thread *th)
{
    (void)th;
    upcalls.import_module = up_import_module;
    upcalls.warn_explicit = up_warn;
    upcalls.unraisable = up_unraisable;
    upcalls.audit = up_audit;
    upcalls.sys_get = up_sys_get;
}
