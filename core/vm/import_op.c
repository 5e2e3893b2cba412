/* import_op.c -- the import instructions.  How modules are found is core/run's matter. */
#include "core/vm/internal.h"

#include <string.h>

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/interp.h"

Value (*vm_import_hook)(Thread *th, Value name, Value globals, Value fromlist, int64_t level);

Value
import_op_name(Thread *th, Frame *f, Value name, Value fromlist, Value level)
{
    Function *fn = frame_function(f);
    Value globals = function_globals(fn), builtins = function_builtins(fn);
    Value import = NULL;
    if (is_exact(builtins, SHAPE_DICT)) {
        import = dict_get_str(th, builtins, NAME(__import__));
    } else {
        import = get_item(th, builtins, NAME(__import__));
        if (import == NULL && error_matches(th, &exc_KeyError))
            error_clear(th);
    }
    if (import == NULL) {
        if (!error_set(th))
            raise_error(th, &exc_ImportError, "__import__ not found");
        return NULL;
    }
    Value result;
    if (vm_import_hook != NULL && is_exact(import, SHAPE_NATIVE_FUNCTION) &&
        strcmp(((NativeFunction *)(void *)value_object(import))->def->name, "__import__") == 0 &&
        value_is_fixnum(level)) {
        result = vm_import_hook(th, name, globals, fromlist, value_fixnum(level));
    } else {
        Value v[5] = {name, globals, f->locals ? f->locals : NONE, fromlist, level};
        result = call(th, import, args_of(v), 5, NULL);
    }
    drop(th, import);
    return result;
}

/* Whether module.__spec__._initializing is true; false also if that cannot be asked. */
static bool
is_initializing(Thread *th, Value module)
{
    Value spec, flag;
    bool yes = false;
    if (get_attr_optional(th, module, NAME(__spec__), &spec) == YES) {
        if (get_attr_optional(th, spec, NAME(_initializing), &flag) == YES) {
            yes = is_true(th, flag) == YES;
            drop(th, flag);
        }
        drop(th, spec);
    }
    error_clear(th);
    return yes;
}

Value
import_op_from(Thread *th, Value module, Value name)
{
    Value v;
    Answer a = get_attr_optional(th, module, name, &v);
    if (a != NO)
        return v;
    /* A submodule of a package that is still being imported may be in sys.modules only. */
    Value package;
    if (get_attr_optional(th, module, NAME(__name__), &package) == FAILED)
        return NULL;
    if (package != NULL && is_str(package)) {
        Value full = str_format_c(th, "%V.%V", package, name);
        v = NULL;
        if (full != NULL) {
            if (is_exact(th->interp->modules, SHAPE_DICT)) {
                (void)dict_get(th, th->interp->modules, full, &v);
            } else {
                v = get_item(th, th->interp->modules, full);
                if (v == NULL && error_matches(th, &exc_KeyError))
                    error_clear(th);
            }
            drop(th, full);
        }
        if (v != NULL || error_set(th)) {
            drop(th, package);
            return v;
        }
    }
    Value shown = package != NULL && is_str(package)
                      ? retain(th, package)
                      : str_from_c(th, "<unknown module name>");
    Value path = NULL;
    if (shown == NULL || get_attr_optional(th, module, NAME(__file__), &path) == FAILED) {
        drop_null(th, shown);
        drop_null(th, package);
        return NULL;
    }
    if (path != NULL && !is_str(path))
        DROP_CLEAR(th, path);
    Value message;
    if (path == NULL)
        message = str_format_c(th, "cannot import name %R from %R (unknown location)", name, shown);
    else if (is_initializing(th, module))
        message = str_format_c(th,
                               "cannot import name %R from partially initialized module %R (most "
                               "likely due to a circular import) (%V)",
                               name, shown, path);
    else
        message = str_format_c(th, "cannot import name %R from %R (%V)", name, shown, path);
    if (message != NULL)
        raise_import_error(th, message, package != NULL && is_str(package) ? package : NONE, path);
    drop_null(th, message);
    drop_null(th, path);
    drop(th, shown);
    drop_null(th, package);
    return NULL;
}

/* Raises the TypeError for a name that is no str. */
static void
raise_star_name(Thread *th, Value module, Value name, bool from_dict)
{
    Value modname = get_attr(th, module, NAME(__name__));
    if (modname == NULL)
        return;
    if (!is_str(modname))
        raise_type_error(th, "module __name__ must be a string, not %T", modname);
    else
        raise_type_error(th, "%s in %V.%s must be str, not %T", from_dict ? "Key" : "Item", modname,
                         from_dict ? "__dict__" : "__all__", name);
    drop(th, modname);
}

bool
import_op_star(Thread *th, Frame *f, Value module)
{
    if (f->locals == NULL) {
        raise_system_error(th, "no locals found during 'import *'");
        return false;
    }
    Value all;
    bool from_dict = false;
    if (get_attr_optional(th, module, NAME(__all__), &all) == FAILED)
        return false;
    if (all == NULL) {
        Value d;
        if (get_attr_optional(th, module, NAME(__dict__), &d) == FAILED)
            return false;
        if (d == NULL) {
            raise_error(th, &exc_ImportError, "from-import-* object has no __dict__ and no __all__");
            return false;
        }
        Value keys = is_exact(d, SHAPE_DICT) ? dict_keys_list(th, d)
                                             : call_method_0(th, d, NAME(keys));
        drop(th, d);
        all = keys ? sequence_list(th, keys) : NULL;
        drop_null(th, keys);
        if (all == NULL)
            return false;
        from_dict = true;
    }
    bool ok = true;
    for (int64_t i = 0; ok; i++) {
        Value name = get_item_index(th, all, i);
        if (name == NULL) {
            ok = error_matches(th, &exc_IndexError);
            if (ok)
                error_clear(th);
            break;
        }
        if (!is_str(name)) {
            raise_star_name(th, module, name, from_dict);
            ok = false;
        } else if (!(from_dict && str_length(name) != 0 && str_char(as_str(name), 0) == '_')) {
            Value interned = str_intern(th, retain(th, name));
            Value v = interned ? get_attr(th, module, interned) : NULL;
            ok = v != NULL && (is_exact(f->locals, SHAPE_DICT)
                                   ? dict_set(th, f->locals, interned, v)
                                   : set_item(th, f->locals, interned, v));
            drop_null(th, v);
            drop_null(th, interned);
        }
        drop(th, name);
    }
    drop(th, all);
    return ok;
}
