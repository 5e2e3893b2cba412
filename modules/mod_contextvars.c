/* mod_contextvars.c -- module _contextvars (PEP 567).
 *
 * A Context holds an immutable mapping from variables to values: a dict that is never changed after
 * it is published; set() publishes a changed copy.  copy_context() therefore only shares it.  A
 * thread's present context is th->context.
 */
#include "core/run/run.h"
#include "modules/modules.h"

#include "gc/object_lock.h"

typedef struct Context {
    struct Object head;
    Field vars;              /* dict, not changed once it is here */
    Value previous;          /* [owner] of the thread that runs it; counted, NULL: none */
    ATOMIC(uint8_t) entered;
} Context;

typedef struct ContextVar {
    struct Object head;
    Value name, fallback;    /* [const] fallback NULL: none */
} ContextVar;

typedef struct Token {
    struct Object head;
    Value context, var, old; /* [const] old NULL: was missing */
    ATOMIC(uint8_t) used;
} Token;

typedef struct ContextModule {
    Type *context, *var, *token;
    Value missing;
} ContextModule;

static ContextModule *
state(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_CONTEXTVARS]); /* pairs with native_publish() */
}

static Context *as_context(Value v) { return (Context *)(void *)v; }
static ContextVar *as_var(Value v) { return (ContextVar *)(void *)v; }
static Token *as_token(Value v) { return (Token *)(void *)v; }

static Value
context_make(Thread *th, Value STEALS vars)
{
    if (vars == NULL)
        vars = dict_new(th);
    Value v = vars ? type_alloc(th, state(th)->context, 0) : NULL;
    if (v == NULL) {
        drop_null(th, vars);
        return NULL;
    }
    field_init(&as_context(v)->vars, vars);
    return v;
}

/* The thread's context, BORROWED, made if need be. */
static Value
current(Thread *th)
{
    if (th->context == NULL)
        th->context = context_make(th, NULL);
    return th->context;
}

static Value
vars_of(Thread *th, Value context)
{
    return field_read(th, value_object(context), &as_context(context)->vars);
}

/* -- Context ------------------------------------------------------------------------------------------ */

static void
context_visit(Object *o, VisitFn visit, void *arg)
{
    field_visit(&((Context *)o)->vars, visit, arg);
    value_visit(((Context *)o)->previous, visit, arg);
}

static void
context_clear(Thread *th, Object *o)
{
    Value empty = dict_new(th);
    if (empty == NULL) {
        error_clear(th);
        return;
    }
    field_replace(th, o, &((Context *)o)->vars, empty);
}

static void
context_dealloc(Thread *th, Object *o)
{
    field_drop(th, &((Context *)o)->vars);
    drop_null(th, ((Context *)o)->previous);
}

static Value
context_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    (void)type, (void)a;
    if (n || kwnames)
        return raise_type_error(th, "Context() does not accept any arguments");
    return context_make(th, NULL);
}

static Value
context_run(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    if (n < 1)
        return raise_type_error(th, "run() missing 1 required positional argument");
    Context *c = as_context(self);
    uint8_t free_ = 0;
    if (!cas_acq_rel(&c->entered, &free_, 1)) /* pairs with the store below [context.entered] */
        return raise_error(th, &exc_RuntimeError, "cannot enter context: %R is already entered", self);
    c->previous = th->context;
    th->context = retain(th, self);
    Value r = call(th, arg(a, 0), a + 1, n - 1, kwnames);
    Value mine = th->context;
    th->context = c->previous;
    c->previous = NULL;
    store_release(&c->entered, 0); /* pairs with the compare-and-swap above [context.entered] */
    drop_null(th, mine);
    return r;
}

static Value
context_copy(Thread *th, Value self)
{
    return context_make(th, vars_of(th, self));
}

static bool
check_var(Thread *th, Value v)
{
    if (type_of(v) == state(th)->var)
        return true;
    raise_type_error(th, "a ContextVar key was expected, got %R", v);
    return false;
}

static Value
context_getitem(Thread *th, Value self, Value key)
{
    if (!check_var(th, key))
        return NULL;
    Value vars = vars_of(th, self), v = NULL;
    Answer a = dict_get(th, vars, key, &v);
    drop(th, vars);
    return a == YES ? v : a == NO ? raise_key_error(th, key) : NULL;
}

static Answer
context_contains(Thread *th, Value self, Value key)
{
    if (!check_var(th, key))
        return FAILED;
    Value vars = vars_of(th, self);
    Answer a = dict_contains(th, vars, key);
    drop(th, vars);
    return a;
}

static int64_t
context_length(Thread *th, Value self)
{
    Value vars = vars_of(th, self);
    int64_t n = dict_length(vars);
    drop(th, vars);
    return n;
}

static Value
context_get(Thread *th, Value self, const Arg *a, size_t n)
{
    if (!check_var(th, arg(a, 0)))
        return NULL;
    Value vars = vars_of(th, self), v = NULL;
    Answer have = dict_get(th, vars, arg(a, 0), &v);
    drop(th, vars);
    return have == YES ? v : have == NO ? (n > 1 ? retain(th, arg(a, 1)) : NONE) : NULL;
}

static Value
with_vars(Thread *th, Value self, const char *method)
{
    Value vars = vars_of(th, self), name = str_intern_c(th, method);
    Value r = name ? call_method_0(th, vars, name) : NULL;
    drop_null(th, name);
    drop(th, vars);
    return r;
}

static Value
context_keys(Thread *th, Value self)
{
    return with_vars(th, self, "keys");
}

static Value
context_values(Thread *th, Value self)
{
    return with_vars(th, self, "values");
}

static Value
context_items(Thread *th, Value self)
{
    return with_vars(th, self, "items");
}

static Value
context_iter(Thread *th, Value self)
{
    Value vars = vars_of(th, self), it = get_iter(th, vars);
    drop(th, vars);
    return it;
}

static Value
context_compare(Thread *th, Value a, Value b, int op)
{
    if (type_of(a) != type_of(b) || (op != OP_EQ && op != OP_NE))
        return NOT_IMPLEMENTED;
    Value x = vars_of(th, a), y = vars_of(th, b), r = compare(th, x, y, op);
    drop(th, x);
    drop(th, y);
    return r;
}

static const MethodDef context_methods[] = {
    NATIVE_K("run", context_run, "Call *callable* in this context."),
    NATIVE_0("copy", context_copy, "copy($self, /)\n--\n\nReturn a shallow copy of the context object."),
    NATIVE_N("get", context_get, 1, 2, "get($self, key, default=None, /)\n--\n\nReturn the value for `key` if `key` has the value in the context object."),
    NATIVE_0("keys", context_keys, "keys($self, /)\n--\n\nReturn a list of all variables in the context object."),
    NATIVE_0("values", context_values, "values($self, /)\n--\n\nReturn a list of all variables' values in the context object."),
    NATIVE_0("items", context_items, "items($self, /)\n--\n\nReturn all variables and their values in the context object."),
    NATIVE_END,
};

static const TypeSpec context_spec = {
    .name = "_contextvars.Context", .size = sizeof(Context), .ops_flags = OPS_TRACKED, .methods = context_methods,
    .slots = {.new = context_new, .getitem = context_getitem, .contains = context_contains,
              .length = context_length, .iter = context_iter, .compare = context_compare,
              .hash = hash_unhashable},
    .visit = context_visit, .clear = context_clear, .dealloc = context_dealloc,
};

/* -- ContextVar ----------------------------------------------------------------------------------------- */

static void
var_visit(Object *o, VisitFn visit, void *arg)
{
    value_visit(((ContextVar *)o)->name, visit, arg);
    value_visit(((ContextVar *)o)->fallback, visit, arg);
}

static void
var_dealloc(Thread *th, Object *o)
{
    drop_null(th, ((ContextVar *)o)->name);
    drop_null(th, ((ContextVar *)o)->fallback);
}

static Value
var_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "ContextVar", .names = {"", "default"}, .positional = 1,
                                     .posonly = 1, .required = 1};
    Value v[2];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    if (!is_str(v[0]))
        return raise_type_error(th, "context variable name must be a str");
    Value r = type_alloc(th, type, 0);
    if (r) {
        as_var(r)->name = retain(th, v[0]);
        as_var(r)->fallback = retain_null(th, v[1]);
    }
    return r;
}

static Value
var_get(Thread *th, Value self, const Arg *a, size_t n)
{
    if (th->context) {
        Value vars = vars_of(th, th->context), v = NULL;
        Answer have = dict_get(th, vars, self, &v);
        drop(th, vars);
        if (have != NO)
            return have == YES ? v : NULL;
    }
    if (n)
        return retain(th, arg(a, 0));
    if (as_var(self)->fallback)
        return retain(th, as_var(self)->fallback);
    return raise_value(th, &exc_LookupError, self);
}

/* Publishes the context's mapping with `value` under the variable (NULL: without it). */
static bool
context_put(Thread *th, Value context, Value var, Value value)
{
    Value vars = vars_of(th, context), copy = dict_copy(th, vars);
    drop(th, vars);
    bool ok = copy && (value ? dict_set(th, copy, var, value) : dict_delete(th, copy, var) != FAILED);
    if (!ok) {
        drop_null(th, copy);
        return false;
    }
    field_replace(th, value_object(context), &as_context(context)->vars, copy);
    return true;
}

static Value
var_set(Thread *th, Value self, Value value)
{
    Value context = current(th);
    Value token = context ? type_alloc(th, state(th)->token, 0) : NULL;
    if (token == NULL)
        return NULL;
    Value vars = vars_of(th, context), old = NULL;
    Answer have = dict_get(th, vars, self, &old);
    drop(th, vars);
    as_token(token)->old = have == YES ? old : NULL;
    as_token(token)->context = retain(th, context);
    as_token(token)->var = retain(th, self);
    if (have == FAILED || !context_put(th, context, self, value))
        DROP_CLEAR(th, token);
    return token;
}

static Value
var_reset(Thread *th, Value self, Value token)
{
    if (type_of(token) != state(th)->token)
        return raise_type_error(th, "expected an instance of Token, got %R", token);
    Token *t = as_token(token);
    uint8_t fresh = 0;
    if (load_relaxed(&t->used))
        return raise_error(th, &exc_RuntimeError, "%R has already been used once", token);
    if (t->var != self)
        return raise_value_error(th, "%R was created by a different ContextVar", token);
    if (t->context != th->context)
        return raise_value_error(th, "%R was created in a different Context", token);
    if (!cas_relaxed(&t->used, &fresh, 1))
        return raise_error(th, &exc_RuntimeError, "%R has already been used once", token);
    return context_put(th, t->context, self, t->old) ? NONE : NULL;
}

static Value
class_getitem(Thread *th, Value cls, Value args)
{
    return generic_alias_new(th, cls, args);
}

static Value
var_repr(Thread *th, Value self)
{
    ContextVar *v = as_var(self);
    return v->fallback ? str_format_c(th, "<ContextVar name=%R default=%R at %p>", v->name, v->fallback, (void *)v)
                       : str_format_c(th, "<ContextVar name=%R at %p>", v->name, (void *)v);
}

#define GENERIC {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1, .nmax = 1, .doc = "See PEP 585"}
static const MethodDef var_methods[] = {
    NATIVE_N("get", var_get, 0, 1, "get($self, default=<unrepresentable>, /)\n--\n\nReturn a value for the context variable for the current context."),
    NATIVE_1("set", var_set, "set($self, value, /)\n--\n\nCall to set a new value for the context variable in the current context."),
    NATIVE_1("reset", var_reset, "reset($self, token, /)\n--\n\nReset the context variable."),
    GENERIC, NATIVE_END,
};
static const MemberDef var_members[] = {
    {"name", MEMBER_CONST_VALUE, offsetof(ContextVar, name), true, NULL}, {.name = NULL}};
static const TypeSpec var_spec = {
    .name = "_contextvars.ContextVar", .size = sizeof(ContextVar), .ops_flags = OPS_TRACKED,
    .methods = var_methods, .members = var_members, .slots = {.new = var_new, .repr = var_repr, .hash = hash_identity},
    .visit = var_visit, .dealloc = var_dealloc,
};

/* -- Token ------------------------------------------------------------------------------------------------ */

static void
token_visit(Object *o, VisitFn visit, void *arg)
{
    Token *t = (Token *)o;
    value_visit(t->context, visit, arg);
    value_visit(t->var, visit, arg);
    value_visit(t->old, visit, arg);
}

static void
token_dealloc(Thread *th, Object *o)
{
    Token *t = (Token *)o;
    drop_null(th, t->context);
    drop_null(th, t->var);
    drop_null(th, t->old);
}

static Value
token_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    (void)type, (void)a, (void)n, (void)kwnames;
    return raise_error(th, &exc_RuntimeError, "Tokens can only be created by ContextVars");
}

static Value
token_old_value(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, as_token(self)->old ? as_token(self)->old : state(th)->missing);
}

static Value
token_var(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, as_token(self)->var);
}

static Value
token_repr(Thread *th, Value self)
{
    return str_format_c(th, "<Token%s var=%R at %p>", load_relaxed(&as_token(self)->used) ? " used" : "",
                        as_token(self)->var, (void *)value_object(self));
}

static const MethodDef token_methods[] = {GENERIC, NATIVE_END};
static const GetterDef token_getters[] = {
    {"var", token_var, NULL, NULL, NULL}, {"old_value", token_old_value, NULL, NULL, NULL}, {.name = NULL}};
static const TypeSpec token_spec = {
    .name = "_contextvars.Token", .size = sizeof(Token), .ops_flags = OPS_TRACKED, .methods = token_methods,
    .getters = token_getters, .slots = {.new = token_new, .repr = token_repr, .hash = hash_unhashable},
    .visit = token_visit, .dealloc = token_dealloc,
};

static Value
missing_repr(Thread *th, Value self)
{
    (void)self;
    return str_from_c(th, "<Token.MISSING>");
}

static const TypeSpec missing_spec = {
    .name = "Token.MISSING", .size = sizeof(struct Object), .flags = TYPE_DISALLOW_NEW,
    .slots = {.repr = missing_repr},
};

/* -- the module --------------------------------------------------------------------------------------------- */

static Value
copy_context(Thread *th, Value self)
{
    (void)self;
    Value c = current(th);
    return c ? context_copy(th, c) : NULL;
}

static const MethodDef contextvars_methods[] = {
    NATIVE_0("copy_context", copy_context, "copy_context($module, /)\n--\n\n"),
    NATIVE_END,
};

static bool
contextvars_exec(Thread *th, Value m)
{
    ContextModule *s = module_state(m);
    s->context = type_from_spec(th, &context_spec, m, NULL);
    s->var = s->context ? type_from_spec(th, &var_spec, m, NULL) : NULL;
    s->token = s->var ? type_from_spec(th, &token_spec, m, NULL) : NULL;
    Type *missing = s->token ? type_from_spec(th, &missing_spec, m, NULL) : NULL;
    s->missing = missing ? type_alloc(th, missing, 0) : NULL;
    if (missing)
        drop(th, value_of_type(missing));
    if (s->missing == NULL)
        return false;
    return native_publish(th, NATIVE_CONTEXTVARS, s, m) && set_attr_c(th, value_of_type(s->token), "MISSING", s->missing) && module_add_type(th, m, s->context) &&
           module_add_type(th, m, s->var) && module_add_type(th, m, s->token);
}

static void
contextvars_visit(Value m, VisitFn visit, void *arg)
{
    ContextModule *s = module_state(m);
    Type *types[] = {s->context, s->var, s->token};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i])
            visit(value_of_type(types[i]), arg);
    value_visit(s->missing, visit, arg);
}

const ModuleSpec contextvars_module = {
    .name = "_contextvars", .doc = "Context Variables", .methods = contextvars_methods, .exec = contextvars_exec,
    .state_size = sizeof(ContextModule), .visit = contextvars_visit,
};
