/* function.c -- function objects: code, globals, defaults, closure.
 *
 * The evaluator reads `code` without counting it, also from a function that is private to its
 * thread: so whoever replaces it always retires the old one.  globals, builtins and closure
 * never change after publication.
 */
#include "core/vm/frame.h"

#include "core/vm/internal.h"
#include "gc/holds.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/interp.h"

/* The builtins that `globals` names, a dict as a rule: a new reference. */
Value
builtins_of_globals(Thread *th, Value globals)
{
    Value b = dict_get_str(th, globals, NAME(__builtins__));
    if (b != NULL) {
        if (is_instance_of(b, &module_type)) {
            Value d = retain(th, module_dict(b));
            drop(th, b);
            b = d;
        }
        return b; /* whatever it is: looking a name up there may fail */
    }
    Frame *f = th->frame;
    if (f != NULL)
        return retain(th, function_builtins(frame_function(f)));
    return retain(th, th->interp->builtins);
}

Value
function_new(Thread *th, Value code, Value globals, Value qualname)
{
    Value builtins = builtins_of_globals(th, globals);
    Value v = function_make(th, code, globals, builtins, qualname);
    drop(th, builtins);
    return v;
}

Value
function_make(Thread *th, Value code, Value globals, Value builtins, Value qualname)
{
    _Static_assert(sizeof(Function) % 8 == 0, "attributes follow it");
    Object *o = object_new_fast(th, SHAPE_FUNCTION, sizeof(Function) + sizeof(AttrPart), true);
    if (o == NULL)
        return NULL;
    Value v = value_of(o);
    Function *fn = as_function(v);
    Code *c = as_code(code);
    field_init(&fn->code, retain(th, code));
    field_init(&fn->globals, retain(th, globals));
    field_init(&fn->builtins, retain(th, builtins));
    field_init(&fn->name, retain(th, c->name));
    field_init(&fn->qualname, retain(th, qualname ? qualname : c->qualname));
    if (tuple_length(c->const_tuple) > 0 && is_str(c->consts[0]))
        field_init(&fn->doc, retain(th, c->consts[0]));
    field_init(&fn->module, dict_get_str(th, globals, NAME(__name__)));
    return v;
}

/* -- attributes -- */

static bool
set_type_error(Thread *th, const char *message)
{
    raise_type_error(th, "%s", message);
    return false;
}

static Value
get_code(Thread *th, Value self, void *closure)
{
    (void)closure;
    Function *fn = as_function(self);
    return field_read(th, &fn->head, &fn->code);
}

static int64_t
closure_size(const Function *fn)
{
    Value c = plain_load(&fn->closure);
    return c ? tuple_length(c) : 0;
}

static bool
set_code(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL || !is_exact(v, SHAPE_CODE))
        return set_type_error(th, "__code__ must be set to a code object");
    Function *fn = as_function(self);
    Code *c = as_code(v);
    if ((int64_t)c->free_count != closure_size(fn)) {
        raise_value_error(th, "%V() requires a code object with %lld free vars, not %u",
                          field_peek(&fn->name), (long long)closure_size(fn), c->free_count);
        return false;
    }
    object_share(&fn->head); /* running frames borrow the old one */
    field_replace(th, &fn->head, &fn->code, retain(th, v));
    return true;
}

/* A tuple whose items are read without counting (rules A5). */
static Value
shared_tuple(Thread *th, Value t)
{
    object_share(value_object(t)); /* one of a subclass has attributes, and may be another thread's */
    return retain(th, t);
}

static Value
get_defaults(Thread *th, Value self, void *closure)
{
    (void)closure;
    Function *fn = as_function(self);
    Value v = field_read(th, &fn->head, &fn->defaults);
    return v ? v : NONE;
}

static bool
set_defaults(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NONE)
        v = NULL;
    if (v != NULL && !is_tuple(v))
        return set_type_error(th, "__defaults__ must be set to a tuple object");
    Function *fn = as_function(self);
    field_replace(th, &fn->head, &fn->defaults, v ? shared_tuple(th, v) : NULL);
    return true;
}

static Value
get_kwdefaults(Thread *th, Value self, void *closure)
{
    (void)closure;
    Function *fn = as_function(self);
    Value v = field_read(th, &fn->head, &fn->kwdefaults);
    return v ? v : NONE;
}

static bool
set_kwdefaults(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NONE)
        v = NULL;
    if (v != NULL && !is_dict(v))
        return set_type_error(th, "__kwdefaults__ must be set to a dict object");
    Function *fn = as_function(self);
    field_replace(th, &fn->head, &fn->kwdefaults, v ? retain(th, v) : NULL);
    return true;
}

/* The dict of annotations; the compiler gives a tuple (name, value, ...). */
Value
function_annotations(Thread *th, Value self)
{
    Function *fn = as_function(self);
    for (;;) {
        Value have = field_read(th, &fn->head, &fn->annotations);
        if (have != NULL && !is_tuple(have))
            return have;
        Value d = dict_new(th);
        bool ok = d != NULL;
        for (int64_t i = 0; ok && have != NULL && i + 1 < tuple_length(have); i += 2)
            ok = dict_set(th, d, tuple_item(have, i), tuple_item(have, i + 1));
        if (!ok) {
            drop_null(th, d);
            drop_null(th, have);
            return NULL;
        }
        bool held = object_lock(&fn->head);
        bool won = load_relaxed(&fn->annotations) == have;
        if (won)
            store_release(&fn->annotations, d); /* pairs with field_read() [field] */
        bool shared = (object_bits(&fn->head) & BIT_SHARED) != 0;
        object_unlock(&fn->head, held);
        if (won)
            retain(th, d);
        if (won && have != NULL)
            drop_from(th, shared, have);
        drop_null(th, have);
        if (won)
            return d;
        drop(th, d);
    }
}

static Value
get_annotations(Thread *th, Value self, void *closure)
{
    (void)closure;
    return function_annotations(th, self);
}

static bool
set_annotations(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NONE)
        v = NULL;
    if (v != NULL && !is_dict(v))
        return set_type_error(th, "__annotations__ must be set to a dict object");
    Function *fn = as_function(self);
    field_replace(th, &fn->head, &fn->annotations, v ? retain(th, v) : NULL);
    return true;
}

static Value
get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    Function *fn = as_function(self);
    return field_read(th, &fn->head, &fn->name);
}

static bool
set_name(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL || !is_str(v))
        return set_type_error(th, "__name__ must be set to a string object");
    Function *fn = as_function(self);
    field_replace(th, &fn->head, &fn->name, retain(th, v));
    return true;
}

static Value
get_qualname(Thread *th, Value self, void *closure)
{
    (void)closure;
    Function *fn = as_function(self);
    return field_read(th, &fn->head, &fn->qualname);
}

static bool
set_qualname(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL || !is_str(v))
        return set_type_error(th, "__qualname__ must be set to a string object");
    Function *fn = as_function(self);
    field_replace(th, &fn->head, &fn->qualname, retain(th, v));
    return true;
}

static Value
get_dict(Thread *th, Value self, void *closure)
{
    (void)closure;
    return instance_dict(th, self);
}

static bool
set_dict(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL)
        return set_type_error(th, "cannot delete __dict__");
    if (!is_dict(v)) {
        raise_type_error(th, "__dict__ must be set to a dictionary, not a '%T'", v);
        return false;
    }
    return instance_set_dict(th, self, v);
}

static const GetterDef function_getters[] = {
    {"__code__", get_code, set_code, NULL, NULL},
    {"__defaults__", get_defaults, set_defaults, NULL, NULL},
    {"__kwdefaults__", get_kwdefaults, set_kwdefaults, NULL, NULL},
    {"__annotations__", get_annotations, set_annotations, NULL, NULL},
    {"__dict__", get_dict, set_dict, NULL, NULL},
    {"__name__", get_name, set_name, NULL, NULL},
    {"__qualname__", get_qualname, set_qualname, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const MemberDef function_members[] = {
    {"__closure__", MEMBER_VALUE_NONE, offsetof(Function, closure), true, NULL},
    {"__doc__", MEMBER_VALUE_NONE, offsetof(Function, doc), false, NULL},
    {"__globals__", MEMBER_VALUE_NONE, offsetof(Function, globals), true, NULL},
    {"__module__", MEMBER_VALUE_NONE, offsetof(Function, module), false, NULL},
    {"__builtins__", MEMBER_VALUE_NONE, offsetof(Function, builtins), true, NULL},
    {NULL, MEMBER_VALUE, 0, false, NULL},
};

/* -- type -- */

static Value
function_repr(Thread *th, Value self)
{
    Function *fn = as_function(self);
    Value qualname = field_read(th, &fn->head, &fn->qualname);
    Value s = str_format_c(th, "<function %V at %p>", qualname, (void *)fn);
    drop(th, qualname);
    return s;
}

static Value
function_descr_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    if (object == NULL || object == NONE)
        return retain(th, self);
    return method_new(th, self, object);
}

static Value
make_function(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "function",
        .names = {"code", "globals", "name", "argdefs", "closure"},
        .positional = 5,
        .required = 2,
    };
    (void)type;
    Value v[5];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value code = v[0], globals = v[1], name = v[2], defaults = v[3], closure = v[4];
    if (!is_exact(code, SHAPE_CODE))
        return raise_type_error(th, "function() argument 'code' must be code, not %B", code);
    if (!is_dict(globals))
        return raise_type_error(th, "function() argument 'globals' must be dict, not %B", globals);
    if (name != NULL && name != NONE && !is_str(name))
        return raise_type_error(th, "arg 3 (name) must be None or string");
    if (defaults != NULL && defaults != NONE && !is_tuple(defaults))
        return raise_type_error(th, "arg 4 (defaults) must be None or tuple");
    Code *c = as_code(code);
    if (closure == NONE)
        closure = NULL;
    if (closure == NULL && c->free_count != 0)
        return raise_type_error(th, "arg 5 (closure) must be tuple");
    if (closure != NULL && !is_tuple(closure))
        return raise_type_error(th, "arg 5 (closure) must be None or tuple");
    int64_t n = closure ? tuple_length(closure) : 0;
    if (n != (int64_t)c->free_count)
        return raise_value_error(th, "%V requires closure of length %u, not %lld", c->name,
                                 c->free_count, (long long)n);
    for (int64_t i = 0; i < n; i++) {
        if (!is_exact(tuple_item(closure, i), SHAPE_CELL))
            return raise_type_error(th, "arg 5 (closure) expected cell, found %T",
                                    tuple_item(closure, i));
    }
    Value f = function_new(th, code, globals, NULL);
    if (f == NULL)
        return NULL;
    Function *fn = as_function(f);
    if (name != NULL && name != NONE)
        field_replace(th, &fn->head, &fn->name, retain(th, name));
    if (defaults != NULL && defaults != NONE)
        field_init(&fn->defaults, shared_tuple(th, defaults));
    if (n != 0)
        field_init(&fn->closure, shared_tuple(th, closure));
    return f;
}

HOLDS_FIELDS(function, Function, code, globals, builtins, defaults, kwdefaults, closure, name,
             qualname, doc, module, annotations);
CLEARS_FIELDS(function, Function, defaults, kwdefaults, doc, module, annotations);

/* code, globals, builtins and closure stay: a frame may run the function.  Cycles through
 * cells are broken by the cells, through globals by the dict. */
Type function_type;
const TypeSpec function_spec = {
    .name = "function",
    .size = sizeof(Function),
    .flags = TYPE_METHOD_DESCR | TYPE_VECTORCALL | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED | OPS_POOLED,
    .doc = "function(code, globals, name=None, argdefs=None, closure=None)\n--\n\n"
           "Create a function object.\n\n"
           "  code\n    a code object\n"
           "  globals\n    the globals dictionary\n"
           "  name\n    a string that overrides the name from the code object\n"
           "  argdefs\n    a tuple that specifies the default argument values\n"
           "  closure\n    a tuple that supplies the bindings for free variables",
    .getters = function_getters,
    .members = function_members,
    .has_dict = true,
    .slots = {
        .repr = function_repr,
        .call = function_call,
        .descr_get = function_descr_get,
        .new = make_function,
    },
    .visit = function_visit,
    .clear = function_clear,
    .dealloc = function_dealloc,
};
