/* module.c -- module objects: a namespace with a name.
 *
 * The dict is constant and counted; generic attribute access knows it.  A module made from
 * a ModuleSpec has zeroed memory of its own, given back (after spec->clear) when the
 * module dies.
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/model/type_priv.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/interp.h"

#include <stddef.h>
#include <string.h>

static inline Module *
as_module(Value v)
{
    return (Module *)(void *)value_object(v);
}

/* -- making -- */

/* Sets the five names that every module has. */
static bool
fill_dict(Thread *th, Value dict, Value name, Value doc)
{
    return dict_set(th, dict, NAME(__name__), name) && dict_set(th, dict, NAME(__doc__), doc) &&
           dict_set(th, dict, NAME(__package__), NONE) &&
           dict_set(th, dict, NAME(__loader__), NONE) && dict_set(th, dict, NAME(__spec__), NONE);
}

static Value
module_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    Value dict = dict_new(th);
    if (dict == NULL)
        return NULL;
    Value m = type_alloc(th, type, 0);
    if (m == NULL) {
        drop(th, dict);
        return NULL;
    }
    as_module(m)->dict = dict;
    return m;
}

static bool
module_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "module", .names = {"name", "doc"}, .positional = 2, .required = 1};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !arg_str(th, "module", "argument 'name'", v[0]))
        return false;
    return fill_dict(th, module_dict(self), v[0], v[1] ? v[1] : NONE);
}

Value
module_new(Thread *th, Value name)
{
    Value m = module_type_new(th, &module_type, NULL, 0, NULL);
    if (m != NULL && !fill_dict(th, module_dict(m), name, NONE))
        DROP_CLEAR(th, m);
    return m;
}

/* Adds functions bound to the module; `name` is what their __module__ says. */
static bool
add_methods(Thread *th, Value m, const MethodDef *defs, Value name)
{
    for (; defs != NULL && defs->name != NULL; defs++) {
        Value f = native_function_new(th, defs, m, name);
        if (f == NULL || !dict_set_c_steal(th, module_dict(m), defs->name, f))
            return false;
    }
    return true;
}

bool
module_add_methods(Thread *th, Value m, const MethodDef *defs)
{
    Value name = dict_get_str(th, module_dict(m), NAME(__name__));
    bool ok = add_methods(th, m, defs, name);
    drop_null(th, name);
    return ok;
}

Value
module_from_spec(Thread *th, const ModuleSpec *spec)
{
    Value name = str_intern_c(th, spec->name);
    if (name == NULL)
        return NULL;
    Value doc = spec->doc ? str_from_c(th, spec->doc) : NONE;
    Value m = doc ? module_type_new(th, &module_type, NULL, 0, NULL) : NULL;
    bool ok = m != NULL && fill_dict(th, module_dict(m), name, doc);
    if (ok && spec->state_size != 0) {
        as_module(m)->state = buffer_new_zeroed(th, spec->state_size);
        ok = as_module(m)->state != NULL;
    }
    if (ok) {
        as_module(m)->spec = spec;
        ok = add_methods(th, m, spec->methods, name);
    }
    drop_null(th, doc);
    drop(th, name);
    if (!ok && m != NULL)
        DROP_CLEAR(th, m);
    return m;
}

bool
module_execute(Thread *th, Value m)
{
    const ModuleSpec *spec = as_module(m)->spec;
    if (spec == NULL || spec->exec == NULL)
        return true;
    uint8_t no = 0;
    if (!cas_relaxed(&as_module(m)->executed, &no, 1)) /* who imports it holds its import lock */
        return true;
    return spec->exec(th, m);
}

bool
module_add(Thread *th, Value m, const char *name, Value STEALS v)
{
    if (v == NULL)
        return false;
    return dict_set_c_steal(th, module_dict(m), name, v);
}

bool
module_add_int(Thread *th, Value m, const char *name, int64_t n)
{
    return module_add(th, m, name, int_from_i64(th, n));
}

bool
module_add_str(Thread *th, Value m, const char *name, const char *text)
{
    return module_add(th, m, name, str_from_c(th, text));
}

bool
module_add_type(Thread *th, Value m, Type *type)
{
    const char *name = type->name;
    const char *dot = strrchr(name, '.');
    return module_add(th, m, dot ? dot + 1 : name, retain(th, value_of_type(type)));
}

/* -- attributes -- */

/* Whether spec.`flag` is true; errors count as no. */
static bool
spec_flag(Thread *th, Value spec, Value flag)
{
    Value v;
    if (spec == NULL || get_attr_optional(th, spec, flag, &v) != YES) {
        error_clear(th);
        return false;
    }
    Answer answer = is_true(th, v);
    drop(th, v);
    if (answer == FAILED)
        error_clear(th);
    return answer == YES;
}

/* Whether `name` is a submodule that is just being imported. */
static bool
submodule_unfinished(Thread *th, Value spec, Value name)
{
    Value list;
    if (spec == NULL ||
        get_attr_optional(th, spec, NAME(_uninitialized_submodules), &list) != YES) {
        error_clear(th);
        return false;
    }
    Answer answer = contains(th, list, name);
    drop(th, list);
    if (answer == FAILED)
        error_clear(th);
    return answer == YES;
}

/* The attribute is missing: asks the module's __getattr__, or says what is missing. */
static COLD Value
missing_attribute(Thread *th, Value self, Value name)
{
    Value dict = module_dict(self);
    Value hook = dict_get_c(th, dict, "__getattr__");
    if (hook != NULL) {
        error_clear(th);
        Value r = call_1(th, hook, name);
        drop(th, hook);
        return r;
    }
    Value module_name = dict_get_str(th, dict, NAME(__name__));
    Value spec = dict_get_str(th, dict, NAME(__spec__));
    error_clear(th);
    if (module_name == NULL || !is_str(module_name))
        raise_error(th, &exc_AttributeError, "module has no attribute '%V'", name);
    else if (spec_flag(th, spec, NAME(_initializing)))
        raise_error(th, &exc_AttributeError,
                    "partially initialized module '%V' has no attribute '%V' (most likely due to "
                    "a circular import)",
                    module_name, name);
    else if (submodule_unfinished(th, spec, name))
        raise_error(th, &exc_AttributeError,
                    "cannot access submodule '%V' of module '%V' (most likely due to a circular "
                    "import)",
                    name, module_name);
    else
        raise_error(th, &exc_AttributeError, "module '%V' has no attribute '%V'", module_name,
                    name);
    attribute_error_complete(th, self, name);
    drop_null(th, module_name);
    drop_null(th, spec);
    return NULL;
}

Value
module_getattr(Thread *th, Value self, Value name)
{
    Value v = NULL;
    Answer there = is_plain_name(name) ? generic_get_attr_optional(th, self, name, &v) : FAILED;
    if (LIKELY(there == YES))
        return v;
    if (there == FAILED) {
        if (!error_set(th))
            v = generic_get_attr(th, self, name);
        if (v != NULL || !error_matches(th, &exc_AttributeError))
            return v;
    }
    return missing_attribute(th, self, name);
}

Answer
module_getattr_optional(Thread *th, Value self, Value name, Value *out)
{
    Answer there = generic_get_attr_optional(th, self, name, out);
    if (LIKELY(there == YES))
        return YES;
    if (there == NO && is_dict(module_dict(self))) {
        Value hook = dict_get_str(th, module_dict(self), NAME(__getattr__));
        drop_null(th, hook);
        if (hook == NULL && !error_set(th))
            return NO;
        error_clear(th);
    } else if (there == FAILED && !error_matches(th, &exc_AttributeError)) {
        return FAILED;
    }
    *out = missing_attribute(th, self, name);
    return *out != NULL ? YES : FAILED;
}

static Value
module_repr(Thread *th, Value self)
{
    Value importlib = th->interp->importlib;
    if (importlib != NULL)
        return call_method_1(th, importlib, NAME(_module_repr), self);
    Value name = dict_get_str(th, module_dict(self), NAME(__name__));
    Value r = str_format_c(th, "<module %R>", name ? name : NONE);
    drop_null(th, name);
    return r;
}

static Value
module_dir(Thread *th, Value self)
{
    Value dict = get_attr(th, self, NAME(__dict__));
    if (dict == NULL)
        return NULL;
    Value r = NULL;
    if (!is_dict(dict)) {
        raise_type_error(th, "<module>.__dict__ is not a dictionary");
    } else {
        Value hook = dict_get_str(th, dict, NAME(__dir__));
        if (hook != NULL) {
            r = call_0(th, hook);
            drop(th, hook);
        } else {
            r = dict_keys_list(th, dict);
        }
    }
    drop(th, dict);
    return r;
}

static Value
get_annotations(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value dict = module_dict(self);
    Value v = dict_get_str(th, dict, NAME(__annotations__));
    if (v != NULL)
        return v;
    Value fresh = dict_new(th);
    if (fresh == NULL)
        return NULL;
    v = dict_set_default(th, dict, NAME(__annotations__), fresh);
    drop(th, fresh);
    return v;
}

static bool
set_annotations(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    Value dict = module_dict(self);
    if (v != NULL)
        return dict_set(th, dict, NAME(__annotations__), v);
    Answer removed = dict_delete(th, dict, NAME(__annotations__));
    if (removed == NO)
        raise_value(th, &exc_AttributeError, NAME(__annotations__));
    return removed == YES;
}

static const MethodDef methods[] = {
    NATIVE_0("__dir__", module_dir, "__dir__() -> list\nspecialized dir() implementation"),
    NATIVE_END,
};

static const MemberDef members[] = {
    {.name = "__dict__", .kind = MEMBER_CONST_VALUE, .offset = offsetof(Module, dict), .readonly = true},
    {.name = NULL},
};

static const GetterDef getters[] = {
    {"__annotations__", get_annotations, set_annotations, NULL, NULL},
    {.name = NULL},
};

void *
native_publish(Thread *th, enum NativeSlot slot, void *state, Value holder)
{
    void *other = NULL;
    if (!cas_acq_rel(&th->interp->slots[slot], &other, state)) /* pairs with the modules' own reads */
        return other;
    th->interp->kept[slot] = retain(th, holder);
    return state;
}

Value
interp_object(Thread *th, enum InterpObject which)
{
    return load_acquire(&th->interp->objects[which]); /* pairs with interp_object_make() [interp.objects] */
}

Value
interp_object_make(Thread *th, enum InterpObject which, Value (*make)(Thread *th))
{
    Value there = interp_object(th, which), made = there ? NULL : make(th);
    if (made == NULL)
        return there;
    /* release: what was made; acquire: what another thread made first [interp.objects] */
    if (cas_acq_rel(&th->interp->objects[which], &there, made))
        return made;
    drop(th, made);
    return there;
}

static void
visit(Object *o, VisitFn fn, void *arg)
{
    Module *m = (Module *)(void *)o;
    value_visit(m->dict, fn, arg);
    if (m->spec != NULL && m->spec->visit != NULL && m->state != NULL)
        m->spec->visit(value_of(o), fn, arg);
}

static void
clear(Thread *th, Object *o)
{
    Module *m = (Module *)(void *)o;
    if (m->spec != NULL && m->spec->clear != NULL && m->state != NULL)
        m->spec->clear(th, value_of(o)); /* the dict may live longer: functions use it */
}

static void
give_up(Value v, void *th)
{
    drop(th, v);
}

static void
dealloc(Thread *th, Object *o)
{
    Module *m = (Module *)(void *)o;
    if (m->spec != NULL && m->spec->clear != NULL && m->state != NULL)
        m->spec->clear(th, value_of(o));
    /* What is visited in the state is what it counts. */
    if (m->spec != NULL && m->spec->visit != NULL && m->state != NULL)
        m->spec->visit(value_of(o), give_up, th);
    drop_null(th, m->dict);
    buffer_free(m->state);
}

Type module_type;
const TypeSpec module_spec = {
    .name = "module",
    .size = sizeof(Module),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "module(name, doc=None)\n--\n\n"
           "Create a module object.\n\n"
           "The name must be a string; the optional doc argument can have any type.",
    .methods = methods,
    .members = members,
    .getters = getters,
    .slots = {.repr = module_repr,
              .getattr = module_getattr,
              .setattr = generic_set_attr,
              .init = module_init,
              .new = module_type_new},
    .visit = visit,
    .clear = clear,
    .dealloc = dealloc,
};
