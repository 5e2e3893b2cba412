/* exception_group.c -- BaseExceptionGroup and ExceptionGroup, and what except* needs.
 *
 * A group has a message and a tuple of exceptions, both set in __new__.  split() walks
 * the tree of nested groups and makes, with derive(), a group of the same shape for the
 * leaves that match and one for the rest; empty branches vanish.
 *
 * ExceptionGroup is class ExceptionGroup(BaseExceptionGroup, Exception), made when the
 * first interpreter starts.
 */
#include "objects/error/exception_priv.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <stddef.h>

Type *exc_ExceptionGroup;

static inline GroupError *
as_group(Value v)
{
    return (GroupError *)(void *)value_object(v);
}

static bool
is_group(Value v)
{
    return is_instance_of(v, &exc_BaseExceptionGroup);
}

/* The exceptions of a group, a new reference to a tuple. */
static Value
group_exceptions(Thread *th, Value self)
{
    GroupError *g = as_group(self);
    Value v = field_read(th, &g->base.head, &g->exceptions);
    return v ? v : retain(th, tuple_empty);
}

static Value
group_message(Thread *th, Value self)
{
    GroupError *g = as_group(self);
    Value v = field_read(th, &g->base.head, &g->message);
    return v ? v : retain(th, str_empty);
}

/* -- construction -- */

/* Which class a group of these exceptions gets when `type` was called; NULL with an
 * exception set. */
static Type *
choose_type(Thread *th, Type *type, Value exceptions)
{
    bool only_exceptions = true;
    for (int64_t i = 0; i < tuple_length(exceptions); i++) {
        Value exc = tuple_item(exceptions, i);
        if (!is_exception(exc))
            return raise_value_error(
                th, "Item %lld of second argument (exceptions) is not an exception",
                (long long)i);
        if (!is_instance_of(exc, &exc_Exception))
            only_exceptions = false;
    }
    if (type == &exc_BaseExceptionGroup)
        return only_exceptions && exc_ExceptionGroup ? exc_ExceptionGroup : type;
    if (only_exceptions)
        return type;
    if (type == exc_ExceptionGroup)
        return raise_type_error(th, "Cannot nest BaseExceptions in an ExceptionGroup");
    if (type_is_subtype(type, &exc_Exception))
        return raise_type_error(th, "Cannot nest BaseExceptions in '%N'", type);
    return type;
}

static Value
group_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)kwnames; /* refused by __init__ */
    if (nargs != 2)
        return raise_type_error(
            th, "BaseExceptionGroup.__new__() takes exactly 2 arguments (%zu given)", nargs);
    Value message = arg(args, 0);
    Value given = arg(args, 1);
    if (!is_str(message))
        return raise_type_error(
            th, "BaseExceptionGroup.__new__() argument 1 must be str, not %B", message);
    if (!is_sequence(given))
        return raise_type_error(th, "second argument (exceptions) must be a sequence");
    Value exceptions = sequence_tuple(th, given);
    if (exceptions == NULL)
        return NULL;
    Value self = NULL;
    if (tuple_length(exceptions) == 0) {
        raise_value_error(th, "second argument (exceptions) must be a non-empty sequence");
        goto done;
    }
    type = choose_type(th, type, exceptions);
    if (type == NULL)
        goto done;
    Value tuple = tuple_of_args(th, args, nargs);
    self = tuple ? exception_alloc(th, type, tuple) : NULL;
    if (self != NULL) {
        field_init(&as_group(self)->message, retain(th, message));
        field_init(&as_group(self)->exceptions, retain(th, exceptions));
    }
done:
    drop(th, exceptions);
    return self;
}

static bool
group_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!args_no_keywords(th, type_name_of(self), kwnames))
        return false;
    return exception_type_init(th, self, args, nargs, NULL);
}

Value
exception_group_new(Thread *th, const char *message, Value exceptions)
{
    Value text = str_from_c(th, message);
    if (text == NULL)
        return NULL;
    Value group = call_2(th, value_of_type(&exc_BaseExceptionGroup), text, exceptions);
    drop(th, text);
    return group;
}

static Value
group_str(Thread *th, Value self)
{
    Value message = group_message(th, self);
    Value exceptions = group_exceptions(th, self);
    int64_t n = tuple_length(exceptions);
    Value text = str_format_c(th, "%V (%lld sub-exception%s)", message, (long long)n,
                              n > 1 ? "s" : "");
    drop(th, exceptions);
    drop(th, message);
    return text;
}

static Value
group_derive(Thread *th, Value self, Value exceptions)
{
    Value message = group_message(th, self);
    Value r = call_2(th, value_of_type(&exc_BaseExceptionGroup), message, exceptions);
    drop(th, message);
    return r;
}

/* -- splitting -- */

/* How a leaf (or a whole group) is chosen. */
typedef struct Matcher {
    enum { MATCH_TYPE, MATCH_CALL, MATCH_LEAVES } how;
    Value what; /* class or tuple; callable; list of exceptions (by identity) */
} Matcher;

static bool
all_exception_classes(Value tuple)
{
    for (int64_t i = 0; i < tuple_length(tuple); i++) {
        if (!is_exception_class(tuple_item(tuple, i)))
            return false;
    }
    return true;
}

static bool
make_matcher(Thread *th, Value what, Matcher *m)
{
    m->what = what;
    if (is_exception_class(what) || (is_tuple(what) && all_exception_classes(what))) {
        m->how = MATCH_TYPE;
        return true;
    }
    if (!is_type(what) && is_callable(what) == YES) {
        m->how = MATCH_CALL;
        return true;
    }
    raise_type_error(th, "expected a function, exception type or tuple of exception types");
    return false;
}

static Answer
matches(Thread *th, const Matcher *m, Value exc)
{
    switch (m->how) {
    case MATCH_TYPE:
        return error_matches_value(th, exc, m->what);
    case MATCH_CALL: {
        Value r = call_1(th, m->what, exc);
        if (r == NULL)
            return FAILED;
        Answer answer = is_true(th, r);
        drop(th, r);
        return answer;
    }
    default: {
        if (is_group(exc))
            return NO;
        for (int64_t i = 0; i < list_length(m->what); i++) {
            Value leaf = list_get(th, m->what, i);
            drop_null(th, leaf);
            if (leaf == exc)
                return YES;
        }
        return NO;
    }
    }
}

/* Copies traceback, context, cause and notes of `from` to the new group `to`. */
static bool
copy_metadata(Thread *th, Value from, Value to)
{
    BaseException *f = as_exception(from);
    BaseException *t = as_exception(to);
    field_replace(th, &t->head, &t->traceback, field_read(th, &f->head, &f->traceback));
    field_replace(th, &t->head, &t->context, field_read(th, &f->head, &f->context));
    exception_set_cause(th, to, field_read(th, &f->head, &f->cause));
    Value notes;
    Answer has = get_attr_optional(th, from, NAME(__notes__), &notes);
    if (has != YES)
        return has == NO;
    bool ok = true;
    if (is_sequence(notes)) {
        Value copy = sequence_list(th, notes);
        ok = copy != NULL && set_attr(th, to, NAME(__notes__), copy);
        drop_null(th, copy);
    }
    drop(th, notes);
    return ok;
}

/* A group like `self` of the exceptions in a list; NONE if it is empty. */
static Value
subset(Thread *th, Value self, Value list)
{
    if (list_length(list) == 0)
        return NONE;
    Value name = str_intern_c(th, "derive");
    if (name == NULL)
        return NULL;
    Value group = call_method_1(th, self, name, list);
    drop(th, name);
    if (group == NULL)
        return NULL;
    if (!is_group(group)) {
        raise_type_error(th, "derive must return an instance of BaseExceptionGroup");
        goto fail;
    }
    if (!copy_metadata(th, self, group))
        goto fail;
    return group;
fail:
    drop(th, group);
    return NULL;
}

static bool split(Thread *th, Value exc, const Matcher *m, Value *match, Value *rest);

/* Splits the members of a group and makes groups of the parts. */
static bool
split_members(Thread *th, Value exc, const Matcher *m, Value *match, Value *rest)
{
    Value items = group_exceptions(th, exc);
    Value match_list = list_new(th, 0);
    Value rest_list = list_new(th, 0);
    bool ok = match_list != NULL && rest_list != NULL;
    for (int64_t i = 0; ok && i < tuple_length(items); i++) {
        Value part_match, part_rest = NONE;
        ok = split(th, tuple_item(items, i), m, &part_match, rest ? &part_rest : NULL);
        if (!ok)
            break;
        if (part_match != NONE)
            ok = list_append(th, match_list, part_match);
        if (ok && part_rest != NONE)
            ok = list_append(th, rest_list, part_rest);
        drop(th, part_match);
        drop(th, part_rest);
    }
    if (ok) {
        *match = subset(th, exc, match_list);
        ok = *match != NULL;
    }
    if (ok && rest != NULL) {
        *rest = subset(th, exc, rest_list);
        if (*rest == NULL) {
            DROP_CLEAR(th, *match);
            ok = false;
        }
    }
    drop(th, items);
    drop_null(th, match_list);
    drop_null(th, rest_list);
    return ok;
}

/* Splits exc in *match and *rest (new references, NONE for nothing); rest may be NULL. */
static bool
split(Thread *th, Value exc, const Matcher *m, Value *match, Value *rest)
{
    *match = NONE;
    if (rest != NULL)
        *rest = NONE;
    Answer whole = matches(th, m, exc);
    if (whole == FAILED)
        return false;
    if (whole == YES) {
        *match = retain(th, exc);
        return true;
    }
    if (!is_group(exc)) {
        if (rest != NULL)
            *rest = retain(th, exc);
        return true;
    }
    if (!recursion_enter(th, " in exceptiongroup_split_recursive"))
        return false;
    bool ok = split_members(th, exc, m, match, rest);
    recursion_leave(th);
    return ok;
}

static Value
group_split(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Matcher m;
    Value match, rest;
    if (!make_matcher(th, arg(args, 0), &m) || !split(th, self, &m, &match, &rest))
        return NULL;
    Value r = tuple_pack(th, 2, match, rest);
    drop(th, match);
    drop(th, rest);
    return r;
}

static Value
group_subgroup(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Matcher m;
    Value match;
    if (!make_matcher(th, arg(args, 0), &m) || !split(th, self, &m, &match, NULL))
        return NULL;
    return match;
}

static Value
group_class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

/* -- except* -- */

/* Whether cls may stand in an except* clause. */
static bool
check_star_class(Thread *th, Value cls)
{
    int64_t n = is_tuple(cls) ? tuple_length(cls) : 1;
    for (int64_t i = 0; i < n; i++) {
        Value one = is_tuple(cls) ? tuple_item(cls, i) : cls;
        if (!is_exception_class(one)) {
            raise_type_error(
                th, "catching classes that do not inherit from BaseException is not allowed");
            return false;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        Value one = is_tuple(cls) ? tuple_item(cls, i) : cls;
        if (type_is_subtype(as_type(one), &exc_BaseExceptionGroup)) {
            raise_type_error(
                th, "catching ExceptionGroup with except* is not allowed. Use except instead.");
            return false;
        }
    }
    return true;
}

Value
exception_group_match(Thread *th, Value exc, Value cls, Value *rest)
{
    *rest = NONE;
    if (!check_star_class(th, cls))
        return NULL;
    if (exc == NONE)
        return NONE;
    Answer whole = error_matches_value(th, exc, cls);
    if (whole == FAILED)
        return NULL;
    if (whole == YES) {
        if (is_group(exc))
            return retain(th, exc);
        Value one = tuple_pack(th, 1, exc);
        Value wrapped = one ? exception_group_new(th, "", one) : NULL;
        drop_null(th, one);
        if (wrapped != NULL) {
            Value tb = exception_traceback(th, exc);
            exception_set_traceback(th, wrapped, tb);
            drop_null(th, tb);
        }
        return wrapped;
    }
    if (is_group(exc)) {
        Value name = NAME(split);
        Value pair = call_method_1(th, exc, name, cls);
        if (pair == NULL)
            return NULL;
        if (!is_tuple(pair) || tuple_length(pair) < 2) {
            raise_type_error(th, "%N.split must return a %s", type_of(exc),
                             is_tuple(pair) ? "2-tuple" : "tuple");
            drop(th, pair);
            return NULL;
        }
        for (int64_t i = 0; i < 2; i++) { /* a subclass's split() may give anything */
            Value part = tuple_item(pair, i);
            if (part != NONE && !is_exception(part)) {
                raise_type_error(th, "%N.split must return exceptions or None, not %T",
                                 type_of(exc), part);
                drop(th, pair);
                return NULL;
            }
        }
        Value match = retain(th, tuple_item(pair, 0));
        *rest = retain(th, tuple_item(pair, 1));
        drop(th, pair);
        return match;
    }
    *rest = retain(th, exc);
    return NONE;
}

/* Whether `exc` is a part of `orig` that was raised again: it has the same history. */
static bool
same_metadata(Value exc, Value orig)
{
    if (!is_group(exc) || !is_group(orig))
        return false;
    BaseException *a = as_exception(exc);
    BaseException *b = as_exception(orig);
    return field_peek(&a->traceback) == field_peek(&b->traceback) &&
           field_peek(&a->context) == field_peek(&b->context) &&
           field_peek(&a->cause) == field_peek(&b->cause);
}

/* Appends the leaves of exc to a list. */
static bool
collect_leaves(Thread *th, Value exc, Value list)
{
    if (exc == NONE)
        return true;
    if (!is_group(exc))
        return list_append(th, list, exc);
    if (!recursion_enter(th, " in collect_exception_group_leaf_ids"))
        return false;
    Value items = group_exceptions(th, exc);
    bool ok = true;
    for (int64_t i = 0; ok && i < tuple_length(items); i++)
        ok = collect_leaves(th, tuple_item(items, i), list);
    recursion_leave(th);
    drop(th, items);
    return ok;
}

/* The part of `orig` that consists of the leaves of the groups in a list. */
static Value
projection(Thread *th, Value orig, Value kept)
{
    Value leaves = list_new(th, 0);
    if (leaves == NULL)
        return NULL;
    bool ok = true;
    for (int64_t i = 0; ok && i < list_length(kept); i++) {
        Value exc = list_get(th, kept, i);
        ok = exc != NULL && collect_leaves(th, exc, leaves);
        drop_null(th, exc);
    }
    Value match = NULL;
    if (ok) {
        Matcher m = {MATCH_LEAVES, leaves};
        if (!split(th, orig, &m, &match, NULL))
            match = NULL;
    }
    drop(th, leaves);
    return match;
}

/* The exception at i of what except* clauses have left, new; NONE: there is none.  Code from outside
 * may have put anything there. */
static Value
raised_at(Thread *th, Value raised, int64_t i)
{
    Value exc = list_get(th, raised, i);
    if (exc == NULL)
        return NONE;
    if (exc != NONE && !is_exception(exc)) {
        drop(th, exc);
        return raise_system_error(th, "except* has collected what is no exception");
    }
    return exc;
}

Value
exception_group_reraise(Thread *th, Value orig, Value raised)
{
    int64_t n = list_length(raised);
    if (n == 0)
        return NONE;
    if (!is_group(orig)) { /* a single exception: only one clause can have taken it */
        for (int64_t i = 0; i < n; i++) {
            Value exc = raised_at(th, raised, i);
            if (exc != NONE)
                return exc;
        }
        return NONE;
    }
    Value result = NULL;
    Value again = NULL;
    Value fresh = list_new(th, 0); /* raised by the clauses */
    Value kept = list_new(th, 0);  /* parts of orig, raised again or never caught */
    if (fresh == NULL || kept == NULL)
        goto done;
    for (int64_t i = 0; i < n; i++) {
        Value exc = raised_at(th, raised, i);
        if (exc == NULL)
            goto done;
        if (exc == NONE)
            continue;
        bool ok = list_append(th, same_metadata(exc, orig) ? kept : fresh, exc);
        drop(th, exc);
        if (!ok)
            goto done;
    }
    again = projection(th, orig, kept);
    if (again == NULL)
        goto done;
    if (list_length(fresh) == 0) {
        result = again;
        again = NULL;
        goto done;
    }
    if (again != NONE && !list_append(th, fresh, again))
        goto done;
    result = exception_group_new(th, "", fresh);
done:
    drop_null(th, again);
    drop_null(th, fresh);
    drop_null(th, kept);
    return result;
}

/* -- the types -- */

static const MethodDef methods[] = {
    {.name = "__class_getitem__", .f1 = group_class_getitem, .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1, .nmax = 1, .doc = "See PEP 585"},
    NATIVE_1("derive", group_derive, NULL),
    NATIVE_N("split", group_split, 1, 1, NULL),
    NATIVE_N("subgroup", group_subgroup, 1, 1, NULL),
    NATIVE_END,
};

static const MemberDef members[] = {
    {"message", MEMBER_VALUE, offsetof(GroupError, message), true, "exception message"},
    {"exceptions", MEMBER_VALUE, offsetof(GroupError, exceptions), true, "nested exceptions"},
    {.name = NULL},
};

const TypeSpec exception_spec_BaseExceptionGroup = {
    .size = sizeof(GroupError),
    .methods = methods,
    .members = members,
    .slots = {.str = group_str, .new = group_new, .init = group_init},
    .visit = exception_visit_2,
    .clear = exception_clear_2,
    .dealloc = exception_dealloc_2,
};

bool
exception_group_init(Thread *th)
{
    if (exc_ExceptionGroup != NULL)
        return true;
    Value name = str_intern_c(th, "ExceptionGroup");
    Value module = name ? str_intern_c(th, "builtins") : NULL;
    Value namespace = module ? dict_new(th) : NULL;
    Value bases = namespace ? tuple_pack(th, 2, value_of_type(&exc_BaseExceptionGroup),
                                         value_of_type(&exc_Exception)) :
                              NULL;
    if (bases != NULL && dict_set(th, namespace, NAME(__module__), module)) {
        Value made = type_create(th, &type_type, name, bases, namespace, NULL, NULL);
        if (made != NULL) {
            object_make_immortal(value_object(made));
            exc_ExceptionGroup = as_type(made);
        }
    }
    drop_null(th, name);
    drop_null(th, module);
    drop_null(th, namespace);
    drop_null(th, bases);
    return exc_ExceptionGroup != NULL;
}
