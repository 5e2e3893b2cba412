/* mod_warnings.c -- module _warnings: filters, the once registry, warn and warn_explicit.
 *
 * The filters are a list of (action, message, category, module, line) that warnings.py shares; its
 * own attributes (filters, _defaultaction, _onceregistry, _showwarnmsg) are looked at first once
 * that module is loaded, because programs replace them.
 */
#include "core/run/run.h"
#include "modules/modules.h"

#include <stdio.h>
#include <string.h>

typedef struct State {
    Field filters, once_registry, default_action; /* [lock] the module's */
    ATOMIC(int64_t) version;                      /* of the filters */
} State;


/* warnings.NAME if that module is loaded (imported when `import` is set): new or NULL. */
static Value
from_library(Thread *th, const char *attribute, bool import)
{
    Value m = NULL;
    if (import) {
        m = import_module_c(th, "warnings");
        if (m == NULL) {
            if (error_matches(th, &exc_ImportError))
                error_clear(th);
            return NULL;
        }
    } else {
        Value name = str_intern_c(th, "warnings");
        if (name == NULL || dict_get(th, th->interp->modules, name, &m) != YES)
            m = NULL;
        drop_null(th, name);
        if (m == NULL)
            return NULL;
    }
    Value key = str_intern_c(th, attribute), v = NULL;
    if (key && get_attr_optional(th, m, key, &v) != YES)
        v = NULL;
    drop_null(th, key);
    drop(th, m);
    return v;
}

static Value
current(Thread *th, const char *attribute, Field *own, Value module)
{
    Value v = from_library(th, attribute, false);
    if (v || error_set(th))
        return v;
    return field_read(th, value_object(module), own);
}

/* 1 if `object` (None matches all) matches text `s`; -1: error. */
static int
matches(Thread *th, Value object, Value s)
{
    if (object == NONE)
        return 1;
    if (is_exact(object, SHAPE_STR))
        return str_equal(object, s);
    Value r = call_method_1(th, object, str_intern_immortal(th, "match"), s);
    if (r == NULL)
        return -1;
    Answer a = is_true(th, r);
    drop(th, r);
    return a == FAILED ? -1 : a == YES;
}

/* The action for a warning: a new str; *item the filter's tuple (new, or NULL). */
static Value
find_action(Thread *th, Value self, State *s, Value category, Value text, int64_t line, Value module)
{
    Value filters = current(th, "filters", &s->filters, self);
    if (filters == NULL)
        return NULL;
    if (!is_list(filters)) {
        drop(th, filters);
        raise_value_error(th, "_warnings.filters must be a list");
        return NULL;
    }
    Value action = NULL;
    for (int64_t i = 0; !action && !error_set(th); i++) {
        Value item = list_get(th, filters, i);
        if (item == NULL)
            break;
        if (!is_tuple(item) || tuple_length(item) != 5) {
            raise_value_error(th, "_warnings.filters item %lld isn't a 5-tuple", (long long)i);
            drop(th, item);
            break;
        }
        if (!is_str(tuple_item(item, 0))) {
            raise_type_error(th, "action must be a string, not '%T'", tuple_item(item, 0));
            drop(th, item);
            break;
        }
        int good = matches(th, tuple_item(item, 1), text);
        if (good > 0) {
            Answer sub = is_subclass(th, category, tuple_item(item, 2));
            good = sub == FAILED ? -1 : sub == YES;
        }
        if (good > 0)
            good = matches(th, tuple_item(item, 3), module);
        if (good > 0) {
            int64_t at;
            if (!arg_long(th, tuple_item(item, 4), &at))
                good = -1;
            else
                good = at == 0 || at == line;
        }
        if (good > 0)
            action = retain(th, tuple_item(item, 0));
        drop(th, item);
    }
    drop(th, filters);
    if (action || error_set(th))
        return action;
    action = current(th, "defaultaction", &s->default_action, self);
    if (action == NULL && !error_set(th))
        raise_value_error(th, "_warnings.defaultaction not found");
    if (action && !is_str(action)) {
        raise_type_error(th, "_warnings.defaultaction must be a string, not '%T'", action);
        DROP_CLEAR(th, action);
    }
    return action;
}

/* Whether `key` was warned about before in `registry`; puts it there if `add`.  -1: error. */
static int
already_warned(Thread *th, State *s, Value registry, Value key, bool add)
{
    Value version_name = str_intern_immortal(th, "version");
    Value version = NULL;
    if (dict_get(th, registry, version_name, &version) == FAILED)
        return -1;
    int64_t now = load_relaxed(&s->version), seen = -1;
    bool same = version && is_int(version) && int_fits_i64(version, &seen) && seen == now;
    drop_null(th, version);
    if (!same) {
        dict_clear(th, registry);
        if (!dict_set(th, registry, version_name, value_from_fixnum(now)))
            return -1;
    } else {
        Value old = NULL;
        if (dict_get(th, registry, key, &old) == FAILED)
            return -1;
        if (old) {
            Answer a = is_true(th, old);
            drop(th, old);
            if (a != NO)
                return a == FAILED ? -1 : 1;
        }
    }
    if (add && !dict_set(th, registry, key, TRUE))
        return -1;
    return 0;
}

/* Prints without the library's help. */
static void
show_plainly(Thread *th, Value filename, int64_t line, Value text, Value category)
{
    Value name = get_attr(th, category, NAME(__name__));
    Value message = name ? str_format_c(th, "%V:%lld: %V: %V\n", filename, (long long)line, name, text) : NULL;
    const char *utf8 = message ? str_utf8(th, message, NULL) : NULL;
    if (utf8 == NULL || !sys_write(th, "stderr", utf8))
        error_clear(th);
    drop_null(th, message);
    drop_null(th, name);
}

static bool
show(Thread *th, Value filename, int64_t line, Value text, Value category, Value message, Value source)
{
    Value f = from_library(th, "_showwarnmsg", source != NULL);
    if (f == NULL) {
        if (error_set(th))
            return false;
        show_plainly(th, filename, line, text, category);
        return true;
    }
    bool ok = false;
    Value cls = from_library(th, "WarningMessage", false);
    if (cls) {
        Value args[7] = {message, category, filename, value_from_fixnum(line), NONE, NONE,
                         source ? source : NONE};
        Value record = call(th, cls, args_of(args), 7, NULL);
        Value r = record ? call_1(th, f, record) : NULL;
        ok = r != NULL;
        drop_null(th, r);
        drop_null(th, record);
    } else if (!error_set(th))
        raise_error(th, &exc_RuntimeError, "unable to get warnings.WarningMessage");
    drop_null(th, cls);
    drop(th, f);
    return ok;
}

static bool
do_warn(Thread *th, Value self, Value category, Value message, Value filename, int64_t line, Value module,
        Value registry, Value source)
{
    State *s = module_state(self);
    if (registry && registry != NONE && !is_dict(registry)) {
        raise_type_error(th, "'registry' must be a dict or None");
        return false;
    }
    Value own_module = NULL;
    if (module == NULL) { /* from the file name, without .py */
        int64_t n = (int64_t)str_length(filename);
        bool py = n >= 3 && str_char(as_str(filename), (size_t)n - 3) == '.' &&
                  str_char(as_str(filename), (size_t)n - 2) == 'p' &&
                  str_char(as_str(filename), (size_t)n - 1) == 'y';
        own_module = n == 0 ? str_from_c(th, "<unknown>")
                            : str_substring(th, filename, 0, (size_t)(py ? n - 3 : n));
        if (own_module == NULL)
            return false;
        module = own_module;
    }
    Value text, own_message = NULL;
    if (is_instance_of(message, &exc_Warning)) {
        text = to_str(th, message);
        category = value_of_type(type_of(message));
    } else {
        text = retain(th, message);
        own_message = message = call_1(th, category, message);
    }
    bool ok = false;
    Value key = NULL, action = NULL;
    if (text == NULL || message == NULL)
        goto done;
    if (!is_str(text)) { /* warn(x): the text is str(x) only for keys */
        Value t = to_str(th, text);
        if (t == NULL)
            goto done;
        drop(th, text);
        text = t;
    }
    key = tuple_pack(th, 3, text, category, value_from_fixnum(line));
    if (key == NULL)
        goto done;
    if (registry && registry != NONE) {
        int known = already_warned(th, s, registry, key, false);
        if (known) {
            ok = known > 0;
            goto done;
        }
    }
    action = find_action(th, self, s, category, text, line, module);
    if (action == NULL)
        goto done;
    if (str_equal_ascii(action, "error")) {
        raise_object(th, message, NULL);
        goto done;
    }
    if (str_equal_ascii(action, "ignore")) {
        ok = true;
        goto done;
    }
    int known = 0;
    if (!str_equal_ascii(action, "always")) {
        bool have = registry && registry != NONE;
        if (have && !dict_set(th, registry, key, TRUE))
            goto done;
        if (str_equal_ascii(action, "once")) {
            Value once = have ? retain(th, registry) : current(th, "onceregistry", &s->once_registry, self);
            Value short_key = once ? tuple_pack(th, 2, text, category) : NULL;
            known = short_key ? already_warned(th, s, once, short_key, true) : -1;
            drop_null(th, short_key);
            drop_null(th, once);
        } else if (str_equal_ascii(action, "module")) {
            if (have) {
                Value short_key = tuple_pack(th, 3, text, category, value_from_fixnum(0));
                known = short_key ? already_warned(th, s, registry, short_key, true) : -1;
                drop_null(th, short_key);
            }
        } else if (!str_equal_ascii(action, "default")) {
            raise_error(th, &exc_RuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R", action,
                        action);
            goto done;
        }
    }
    if (known < 0)
        goto done;
    ok = known > 0 || show(th, filename, line, text, category, message, source);
done:
    drop_null(th, key);
    drop_null(th, action);
    drop_null(th, text);
    drop_null(th, own_message);
    drop_null(th, own_module);
    return ok;
}

/* -- where a warning comes from ------------------------------------------------------------------------- */

static bool
is_internal_frame(Thread *th, Value frame)
{
    (void)th;
    Value name = frame_code(frame)->filename;
    char text[512];
    str_to_buffer(name, text, sizeof text);
    return strstr(text, "importlib") && strstr(text, "_bootstrap");
}

/* The frame `level` levels out (1: the caller), importlib's not counted: new, or NULL. */
static Value
frame_at_level(Thread *th, int64_t level)
{
    Value frame = frame_object_at(th, 0);
    bool skip = frame && !is_internal_frame(th, frame);
    while (frame && level > 1) {
        Value back = NULL;
        do {
            back = get_attr_c(th, frame, "f_back");
            drop(th, frame);
            frame = back == NONE ? NULL : back;
        } while (frame && skip && is_internal_frame(th, frame));
        level--;
    }
    return frame;
}

static Value
warnings_warn(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "warn",
                                     .names = {"message", "category", "stacklevel", "source"},
                                     .positional = 4, .required = 1};
    Value v[4];
    int64_t level = 1;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[2], &level))
        return NULL;
    Value category = v[1];
    if (is_instance_of(v[0], &exc_Warning))
        category = value_of_type(type_of(v[0]));
    else if (category == NULL || category == NONE)
        category = value_of_type(&exc_UserWarning);
    Answer sub = is_type(category) ? is_subclass(th, category, value_of_type(&exc_Warning)) : NO;
    if (sub == FAILED)
        return NULL;
    if (sub == NO)
        return raise_type_error(th, "category must be a Warning subclass, not '%T'", category);
    Value frame = frame_at_level(th, level);
    if (frame == NULL && error_set(th))
        return NULL;
    Value globals, filename;
    int64_t line;
    if (frame) {
        globals = get_attr_c(th, frame, "f_globals");
        filename = retain(th, frame_code(frame)->filename);
        line = frame_line(frame);
        drop(th, frame);
    } else {
        globals = retain(th, th->interp->sys_dict);
        filename = str_from_c(th, "sys");
        line = 1;
    }
    Value registry = NULL, module = NULL, r = NULL;
    if (globals && filename && is_dict(globals)) {
        Value fresh = dict_new(th);
        registry = fresh ? dict_set_default(th, globals, NAME(__warningregistry__), fresh) : NULL;
        drop_null(th, fresh);
        if (registry && dict_get(th, globals, NAME(__name__), &module) != FAILED) {
            if (module == NULL || !is_str(module)) {
                drop_null(th, module);
                module = str_from_c(th, "<string>");
            }
            if (module && do_warn(th, self, category, v[0], filename, line, module, registry, v[3]))
                r = NONE;
        }
    }
    drop_null(th, registry);
    drop_null(th, module);
    drop_null(th, globals);
    drop_null(th, filename);
    return r;
}

static Value
warnings_warn_explicit(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "warn_explicit",
                                     .names = {"message", "category", "filename", "lineno", "module",
                                               "registry", "module_globals", "source"},
                                     .positional = 8, .required = 4};
    Value v[8];
    int line = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) ||
        !arg_str(th, "warn_explicit", "argument 'filename'", v[2]) || !arg_int(th, v[3], &line))
        return NULL;
    Value category = v[1];
    if (v[6] && v[6] != NONE && !is_dict(v[6]))
        return raise_type_error(th, "module_globals must be a dict, not '%T'", v[6]);
    if (!is_instance_of(v[0], &exc_Warning) && !is_type(category))
        return raise_type_error(th, "category must be a Warning subclass, not '%T'", category);
    Value module = v[4] && v[4] != NONE ? v[4] : NULL;
    return do_warn(th, self, category, v[0], v[2], line, module, v[5], v[7]) ? NONE : NULL;
}

static Value
warnings_filters_mutated(Thread *th, Value self)
{
    (void)th;
    fetch_add_relaxed(&((State *)module_state(self))->version, 1);
    return NONE;
}

static const MethodDef warnings_methods[] = {
    NATIVE_K("warn", warnings_warn,
             "warn($module, /, message, category=None, stacklevel=1, source=None)\n--\n\nIssue a warning, or maybe ignore it or raise an exception."),
    NATIVE_K("warn_explicit", warnings_warn_explicit,
             "warn_explicit($module, /, message, category, filename, lineno,\n              module=<unrepresentable>, registry=None,\n              module_globals=None, source=None)\n--\n\nIssue a warning, or maybe ignore it or raise an exception."),
    NATIVE_0("_filters_mutated", warnings_filters_mutated, NULL),
    NATIVE_END,
};

static bool
add_filter(Thread *th, Value list, Type *category, const char *action, const char *module)
{
    Value act = str_from_c(th, action), mod = module ? str_from_c(th, module) : NONE;
    Value item = act && mod ? tuple_pack(th, 5, act, NONE, value_of_type(category), mod,
                                         value_from_fixnum(0))
                            : NULL;
    bool ok = item && list_append(th, list, item);
    drop_null(th, item);
    drop_null(th, act);
    drop_null(th, mod);
    return ok;
}

static bool
warnings_exec(Thread *th, Value m)
{
    State *s = module_state(m);
    Value filters = list_new(th, 5), once = dict_new(th), action = str_from_c(th, "default");
    bool ok = filters && once && action && add_filter(th, filters, &exc_DeprecationWarning, "default", "__main__") &&
              add_filter(th, filters, &exc_DeprecationWarning, "ignore", NULL) &&
              add_filter(th, filters, &exc_PendingDeprecationWarning, "ignore", NULL) &&
              add_filter(th, filters, &exc_ImportWarning, "ignore", NULL) &&
              add_filter(th, filters, &exc_ResourceWarning, "ignore", NULL) &&
              module_add(th, m, "filters", retain(th, filters)) &&
              module_add(th, m, "_onceregistry", retain(th, once)) &&
              module_add(th, m, "_defaultaction", retain(th, action));
    field_init(&s->filters, filters);
    field_init(&s->once_registry, once);
    field_init(&s->default_action, action);
    return ok;
}

static void
warnings_visit(Value m, VisitFn visit, void *arg)
{
    State *s = module_state(m);
    field_visit(&s->filters, visit, arg);
    field_visit(&s->once_registry, visit, arg);
    field_visit(&s->default_action, visit, arg);
}

static void
warnings_clear(Thread *th, Value m)
{
    State *s = module_state(m);
    field_replace(th, value_object(m), &s->filters, NULL);
    field_replace(th, value_object(m), &s->once_registry, NULL);
    field_replace(th, value_object(m), &s->default_action, NULL);
}

const ModuleSpec warnings_module = {
    .name = "_warnings",
    .doc = "_warnings provides basic warning filtering support.\n"
           "It is a helper module to speed up interpreter start-up.",
    .methods = warnings_methods,
    .exec = warnings_exec,
    .state_size = sizeof(State),
    .visit = warnings_visit,
    .clear = warnings_clear,
};
