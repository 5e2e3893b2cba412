/* exception.c -- BaseException, and how the types of exceptions.def are made.
 *
 * Rows of exceptions.def that have no layout of their own inherit constructor, layout
 * and memory functions from their base's row.  The specs are filled in once, when the
 * first interpreter starts, and are constant after that.
 */
#include "objects/error/exception_priv.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <string.h>

#define EXCEPTION(name, base, doc) Type exc_##name;
#include "objects/error/exceptions.def"
#undef EXCEPTION

/* -- memory -- */

static void
visit_fields(Object *o, size_t extra, VisitFn visit, void *arg)
{
    BaseException *e = (BaseException *)(void *)o;
    field_visit(&e->args, visit, arg);
    field_visit(&e->traceback, visit, arg);
    field_visit(&e->context, visit, arg);
    field_visit(&e->cause, visit, arg);
    field_visit(&e->notes, visit, arg);
    for (size_t i = 0; i < extra; i++)
        field_visit(exception_field(value_of(o), i), visit, arg);
}

static void
clear_fields(Thread *th, Object *o, size_t extra)
{
    BaseException *e = (BaseException *)(void *)o;
    field_replace(th, o, &e->args, retain(th, tuple_empty));
    field_replace(th, o, &e->traceback, NULL);
    field_replace(th, o, &e->context, NULL);
    field_replace(th, o, &e->cause, NULL);
    field_replace(th, o, &e->notes, NULL);
    for (size_t i = 0; i < extra; i++)
        field_replace(th, o, exception_field(value_of(o), i), NULL);
}

static void
drop_fields(Thread *th, Object *o, size_t extra)
{
    BaseException *e = (BaseException *)(void *)o;
    field_drop(th, &e->args);
    field_drop(th, &e->traceback);
    field_drop(th, &e->context);
    field_drop(th, &e->cause);
    field_drop(th, &e->notes);
    for (size_t i = 0; i < extra; i++)
        field_drop(th, exception_field(value_of(o), i));
}

#define EXCEPTION_MEMORY(n)                                                    \
    void exception_visit_##n(Object *o, VisitFn visit, void *arg)              \
    {                                                                          \
        visit_fields(o, n, visit, arg);                                        \
    }                                                                          \
    void exception_clear_##n(Thread *th, Object *o) { clear_fields(th, o, n); } \
    void exception_dealloc_##n(Thread *th, Object *o) { drop_fields(th, o, n); }
EXCEPTION_MEMORY(0)
EXCEPTION_MEMORY(1)
EXCEPTION_MEMORY(2)
EXCEPTION_MEMORY(3)
EXCEPTION_MEMORY(4)
EXCEPTION_MEMORY(8)
#undef EXCEPTION_MEMORY

Value
exception_alloc(Thread *th, Type *type, Value STEALS args)
{
    Value self = type_alloc(th, type, 0);
    if (self == NULL) {
        drop(th, args);
        return NULL;
    }
    field_init(&as_exception(self)->args, args);
    return self;
}

/* -- construction -- */

Value
exception_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)kwnames;
    Value tuple = tuple_of_args(th, args, nargs);
    if (tuple == NULL)
        return NULL;
    return exception_alloc(th, type, tuple);
}

/* Whether the tuple holds just these arguments already. */
static bool
same_args(Value tuple, const Arg *args, size_t nargs)
{
    if (tuple == NULL || (size_t)tuple_length(tuple) != nargs)
        return false;
    for (size_t i = 0; i < nargs; i++) {
        if (tuple_item(tuple, (int64_t)i) != arg(args, i))
            return false;
    }
    return true;
}

bool
exception_type_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!args_no_keywords(th, type_name_of(self), kwnames))
        return false;
    BaseException *e = as_exception(self);
    Value now = field_read(th, &e->head, &e->args);
    bool same = same_args(now, args, nargs);
    drop_null(th, now);
    if (same)
        return true;
    Value tuple = tuple_of_args(th, args, nargs);
    if (tuple == NULL)
        return false;
    field_replace(th, &e->head, &e->args, tuple);
    return true;
}

bool
exception_keywords(Thread *th, const char *type_name, const char *const *names, const Arg *args,
                   size_t nargs, Value kwnames, Value *v)
{
    for (size_t k = 0; names[k] != NULL; k++)
        v[k] = NULL;
    int64_t n = kwnames ? tuple_length(kwnames) : 0;
    for (int64_t i = 0; i < n; i++) {
        Value name = tuple_item(kwnames, i);
        size_t k = 0;
        while (names[k] != NULL && !str_equal_ascii(name, names[k]))
            k++;
        if (names[k] == NULL) {
            raise_type_error(th, "'%V' is an invalid keyword argument for %s()", name, type_name);
            return false;
        }
        v[k] = arg(args, nargs + (size_t)i);
    }
    return true;
}

Value
exception_args(Thread *th, Value self)
{
    BaseException *e = as_exception(self);
    Value args = field_read(th, &e->head, &e->args);
    return args ? args : retain(th, tuple_empty);
}

/* -- text -- */

Value
exception_type_str(Thread *th, Value self)
{
    Value args = exception_args(th, self);
    Value text;
    switch (tuple_length(args)) {
    case 0: text = retain(th, str_empty); break;
    case 1: text = to_str(th, tuple_item(args, 0)); break;
    default: text = to_str(th, args); break;
    }
    drop(th, args);
    return text;
}

static const char *
short_name(Value self)
{
    const char *name = type_name_of(self);
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static Value
exception_repr(Thread *th, Value self)
{
    Value args = exception_args(th, self);
    Value text = tuple_length(args) == 1 ?
                     str_format_c(th, "%s(%R)", short_name(self), tuple_item(args, 0)) :
                     str_format_c(th, "%s%R", short_name(self), args);
    drop(th, args);
    return text;
}

/* -- methods -- */

Value
exception_dict_if_any(Thread *th, Value self)
{
    if (type_of(self)->attrs_offset == 0)
        return NULL;
    Value dict = instance_dict(th, self);
    if (dict != NULL && dict_length(dict) == 0)
        DROP_CLEAR(th, dict);
    return dict;
}

Value
exception_reduce(Thread *th, Value self)
{
    Value dict = exception_dict_if_any(th, self);
    if (dict == NULL && error_set(th))
        return NULL;
    Value args = exception_args(th, self);
    Value type = value_of_type(type_of(self));
    Value r = dict ? tuple_pack(th, 3, type, args, dict) : tuple_pack(th, 2, type, args);
    drop(th, args);
    drop_null(th, dict);
    return r;
}

static Value
exception_setstate(Thread *th, Value self, Value state)
{
    if (state == NONE)
        return NONE;
    if (!is_dict(state))
        return raise_type_error(th, "state is not a dictionary");
    size_t pos = 0;
    Value key, value;
    while (dict_next(th, state, &pos, &key, &value)) {
        bool ok = set_attr(th, self, key, value);
        drop(th, key);
        drop(th, value);
        if (!ok)
            return NULL;
    }
    return NONE;
}

static bool
set_traceback(Thread *th, Value self, Value tb, void *closure)
{
    (void)closure;
    if (tb == NULL) {
        raise_type_error(th, "__traceback__ may not be deleted");
        return false;
    }
    if (tb != NONE && !is_exact(tb, SHAPE_TRACEBACK)) {
        raise_type_error(th, "__traceback__ must be a traceback or None");
        return false;
    }
    exception_set_traceback(th, self, tb);
    return true;
}

static Value
exception_with_traceback(Thread *th, Value self, Value tb)
{
    if (!set_traceback(th, self, tb, NULL))
        return NULL;
    return retain(th, self);
}

static Value
exception_add_note(Thread *th, Value self, Value note)
{
    if (!is_str(note))
        return raise_type_error(th, "note must be a str, not '%T'", note);
    Value notes;
    Answer has = get_attr_optional(th, self, NAME(__notes__), &notes);
    if (has == FAILED)
        return NULL;
    if (has == NO) {
        notes = list_new(th, 1);
        if (notes == NULL)
            return NULL;
        if (!set_attr(th, self, NAME(__notes__), notes))
            goto fail;
    } else if (!is_list(notes)) {
        raise_type_error(th, "Cannot add note: __notes__ is not a list");
        goto fail;
    }
    if (!list_append(th, notes, note))
        goto fail;
    drop(th, notes);
    return NONE;
fail:
    drop(th, notes);
    return NULL;
}

/* -- attributes -- */

static Value
get_args(Thread *th, Value self, void *closure)
{
    (void)closure;
    return exception_args(th, self);
}

static bool
set_args(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL) {
        raise_type_error(th, "args may not be deleted");
        return false;
    }
    Value args = sequence_tuple(th, v);
    if (args == NULL)
        return false;
    BaseException *e = as_exception(self);
    field_replace(th, &e->head, &e->args, args);
    return true;
}

/* `closure` is the field's offset. */
static Value
get_or_none(Thread *th, Value self, void *closure)
{
    Object *o = value_object(self);
    Value v = field_read(th, o, (Field *)(void *)((char *)o + (uintptr_t)closure));
    return v ? v : NONE;
}

static bool
set_context(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL) {
        raise_type_error(th, "__context__ may not be deleted");
        return false;
    }
    if (v != NONE && !is_exception(v)) {
        raise_type_error(th, "exception context must be None or derive from BaseException");
        return false;
    }
    BaseException *e = as_exception(self);
    field_replace(th, &e->head, &e->context, v == NONE ? NULL : retain(th, v));
    return true;
}

void
exception_set_cause(Thread *th, Value exc, Value STEALS cause)
{
    BaseException *e = as_exception(exc);
    store_relaxed(&e->suppress_context, 1);
    field_replace(th, &e->head, &e->cause, cause);
}

static bool
set_cause(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL) {
        raise_type_error(th, "__cause__ may not be deleted");
        return false;
    }
    if (v != NONE && !is_exception(v)) {
        raise_type_error(th, "exception cause must be None or derive from BaseException");
        return false;
    }
    exception_set_cause(th, self, v == NONE ? NULL : retain(th, v));
    return true;
}

BORROWED Value
exception_traceback_peek(Value exc)
{
    return field_peek(&as_exception(exc)->traceback);
}

Value
exception_traceback(Thread *th, Value exc)
{
    BaseException *e = as_exception(exc);
    return field_read(th, &e->head, &e->traceback);
}

void
exception_set_traceback(Thread *th, Value exc, Value tb)
{
    BaseException *e = as_exception(exc);
    if (tb == NONE)
        tb = NULL;
    field_replace(th, &e->head, &e->traceback, retain_null(th, tb));
}

static const MethodDef methods[] = {
    NATIVE_0("__reduce__", exception_reduce, NULL),
    NATIVE_1("__setstate__", exception_setstate, NULL),
    NATIVE_1("with_traceback", exception_with_traceback,
             "Exception.with_traceback(tb) --\n    set self.__traceback__ to tb and return self."),
    NATIVE_1("add_note", exception_add_note,
             "Exception.add_note(note) --\n    add a note to the exception"),
    NATIVE_END,
};

#define AT(field) ((void *)offsetof(BaseException, field))

static const GetterDef getters[] = {
    GETTER_DICT,
    {"args", get_args, set_args, NULL, NULL},
    {"__traceback__", get_or_none, set_traceback, NULL, AT(traceback)},
    {"__context__", get_or_none, set_context, "exception context", AT(context)},
    {"__cause__", get_or_none, set_cause, "exception cause", AT(cause)},
    {.name = NULL},
};

static const MemberDef members[] = {
    {"__suppress_context__", MEMBER_BOOL, offsetof(BaseException, suppress_context), false, NULL},
    {.name = NULL},
};

const TypeSpec exception_spec_BaseException = {
    .size = sizeof(BaseException),
    .methods = methods,
    .getters = getters,
    .members = members,
    .slots = {.repr = exception_repr,
              .str = exception_type_str,
              .getattr = generic_get_attr,
              .setattr = generic_set_attr,
              .new = exception_type_new,
              .init = exception_type_init},
    .visit = exception_visit_0,
    .clear = exception_clear_0,
    .dealloc = exception_dealloc_0,
};

/* -- making the types -- */

typedef struct Row {
    Type *type;
    Type *base;
    const char *name;
    const char *doc;
} Row;

#define exc_object object_type
#define EXCEPTION(name, base, doc) {&exc_##name, &exc_##base, #name, doc},
static const Row rows[] = {
#include "objects/error/exceptions.def"
};
#undef EXCEPTION
#undef exc_object

typedef struct Special {
    Type *type;
    const TypeSpec *spec;
} Special;

#define SPECIAL(name) {&exc_##name, &exception_spec_##name}
static const Special specials[] = {
    SPECIAL(BaseException),     SPECIAL(StopIteration),      SPECIAL(SystemExit),
    SPECIAL(ImportError),       SPECIAL(NameError),          SPECIAL(AttributeError),
    SPECIAL(KeyError),          SPECIAL(OSError),            SPECIAL(SyntaxError),
    SPECIAL(UnicodeEncodeError), SPECIAL(UnicodeDecodeError), SPECIAL(UnicodeTranslateError),
    SPECIAL(BaseExceptionGroup),
};

static TypeSpec specs[ARRAY_LEN(rows)];

static const TypeSpec *
special_of(const Type *type)
{
    for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
        if (specials[i].type == type)
            return specials[i].spec;
    }
    return NULL;
}

/* Fills the spec of row `i`; its base's row comes before it. */
static void
fill_spec(size_t i)
{
    const Row *row = &rows[i];
    TypeSpec *spec = &specs[i];
    const TypeSpec *special = special_of(row->type);
    const TypeSpec *base = NULL;
    for (size_t k = 0; k < i; k++) {
        if (rows[k].type == row->base)
            base = &specs[k];
    }
    if (special != NULL)
        *spec = *special;
    spec->name = row->name;
    spec->base = row->base;
    spec->doc = row->doc;
    spec->flags |= TYPE_BASE | TYPE_EXCEPTION_SUBCLASS;
    spec->ops_flags |= OPS_TRACKED;
    spec->has_dict = true;
    if (base == NULL)
        return;
    if (spec->slots.new == NULL)
        spec->slots.new = base->slots.new;
    if (spec->slots.init == NULL)
        spec->slots.init = base->slots.init;
    if (spec->visit == NULL) {
        spec->size = base->size;
        spec->visit = base->visit;
        spec->clear = base->clear;
        spec->dealloc = base->dealloc;
    }
}

bool
exceptions_init(Thread *th)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fill_spec(i);
        if (!type_ready_static(th, rows[i].type, 0, &specs[i]))
            return false;
    }
    return exception_os_init(th) && exception_group_init(th) && error_init(th);
}
