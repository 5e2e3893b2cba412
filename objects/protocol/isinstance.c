/* isinstance.c -- isinstance() and issubclass(), with everything that may answer for a class.
 *
 * A class may be anything with an __instancecheck__, a tuple of such, a union, or an
 * object that has a tuple __bases__.  No state, no locks.
 */
#include "objects/protocol/protocol.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/slot.h"
#include "objects/typing/typing.h"
#include "threads/safepoint.h"

/* v.__bases__ if it is a tuple, new; NULL without an exception if there is none. */
static Value
bases_of(Thread *th, Value v)
{
    Value bases;
    if (get_attr_optional(th, v, NAME(__bases__), &bases) != YES)
        return NULL;
    if (!is_tuple(bases)) {
        drop(th, bases);
        return NULL;
    }
    return bases;
}

/* Whether `cls` passes for a class; a TypeError with `message` otherwise. */
static bool
check_class(Thread *th, Value cls, const char *message)
{
    Value bases = bases_of(th, cls);
    if (bases != NULL) {
        drop(th, bases);
        return true;
    }
    if (!error_set(th))
        raise_type_error(th, "%s", message);
    return false;
}

/* Whether `cls` is among derived's bases, by __bases__ alone. */
static Answer
derives_by_bases(Thread *th, Value derived, Value cls)
{
    retain(th, derived);
    for (;;) {
        if (derived == cls) {
            drop(th, derived);
            return YES;
        }
        Value bases = bases_of(th, derived);
        drop(th, derived);
        if (bases == NULL)
            return error_set(th) ? FAILED : NO;
        int64_t n = tuple_length(bases);
        if (n == 1) {
            derived = retain(th, tuple_item(bases, 0));
            drop(th, bases);
            continue;
        }
        Answer answer = NO;
        if (n > 0) {
            if (!recursion_enter(th, " in __issubclass__")) {
                drop(th, bases);
                return FAILED;
            }
            for (int64_t i = 0; i < n && answer == NO; i++)
                answer = derives_by_bases(th, tuple_item(bases, i), cls);
            recursion_leave(th);
        }
        drop(th, bases);
        return answer;
    }
}

/* Whether v.__class__ can only be its type: nothing overrides object's own __class__. */
static bool
class_is_type(Thread *th, const Type *t)
{
    if (SLOT(t, getattr) != generic_get_attr)
        return false;
    if ((type_flags(t) & TYPE_HEAP) == 0)
        return true;
    no_safepoint_begin(th);
    bool same = type_lookup_borrowed(th, (Type *)t, NAME(__class__)) ==
                type_lookup_borrowed(th, &object_type, NAME(__class__));
    no_safepoint_end(th);
    return same;
}

Answer
is_instance_real(Thread *th, Value v, Value cls)
{
    if (is_type(cls)) {
        if (is_instance_of(v, as_type(cls)))
            return YES;
        if (class_is_type(th, type_of(v)))
            return NO;
        Value claimed;
        Answer has = get_attr_optional(th, v, NAME(__class__), &claimed);
        if (has != YES)
            return has;
        Answer answer = NO;
        if (is_type(claimed) && as_type(claimed) != type_of(v))
            answer = type_is_subtype(as_type(claimed), as_type(cls)) ? YES : NO;
        drop(th, claimed);
        return answer;
    }
    if (!check_class(th, cls,
                     "isinstance() arg 2 must be a type, a tuple of types, or a union"))
        return FAILED;
    Value claimed;
    Answer has = get_attr_optional(th, v, NAME(__class__), &claimed);
    if (has != YES)
        return has;
    Answer answer = derives_by_bases(th, claimed, cls);
    drop(th, claimed);
    return answer;
}

Answer
is_subclass_real(Thread *th, Value c, Value cls)
{
    if (is_type(c) && is_type(cls))
        return type_is_subtype(as_type(c), as_type(cls)) ? YES : NO;
    if (!check_class(th, c, "issubclass() arg 1 must be a class"))
        return FAILED;
    if (!is_exact(cls, SHAPE_UNION) &&
        !check_class(th, cls,
                     "issubclass() arg 2 must be a class, a tuple of classes, or a union"))
        return FAILED;
    return derives_by_bases(th, c, cls);
}

typedef Answer (*CheckFn)(Thread *th, Value a, Value cls);

/* Any of the classes in a tuple. */
static Answer
check_any(Thread *th, Value v, Value classes, CheckFn check, const char *where)
{
    if (!recursion_enter(th, where))
        return FAILED;
    Answer answer = NO;
    for (int64_t i = 0; i < tuple_length(classes) && answer == NO; i++)
        answer = check(th, v, tuple_item(classes, i));
    recursion_leave(th);
    return answer;
}

/* What the hook `name` of cls says; *missing if there is none. */
static Answer
check_hook(Thread *th, Value v, Value cls, Value name, const char *where, bool *missing)
{
    *missing = false;
    if (!recursion_enter(th, where))
        return FAILED;
    Value r = call_special(th, cls, name, args_of(&v), 1, missing);
    recursion_leave(th);
    if (r == NULL)
        return FAILED;
    Answer answer = is_true(th, r);
    drop(th, r);
    return answer;
}

Answer
is_instance(Thread *th, Value v, Value cls)
{
    if (value_of_type(type_of(v)) == cls)
        return YES;
    if (is_exact(cls, SHAPE_TYPE))
        return is_instance_real(th, v, cls);
    if (is_exact(cls, SHAPE_UNION))
        cls = union_args(cls);
    if (is_tuple(cls))
        return check_any(th, v, cls, is_instance, " in __instancecheck__");
    bool missing;
    Answer answer = check_hook(th, v, cls, NAME(__instancecheck__), " in __instancecheck__",
                               &missing);
    if (!missing)
        return answer;
    return is_instance_real(th, v, cls);
}

Answer
is_subclass(Thread *th, Value c, Value cls)
{
    if (is_exact(cls, SHAPE_TYPE))
        return c == cls ? YES : is_subclass_real(th, c, cls);
    if (is_exact(cls, SHAPE_UNION))
        cls = union_args(cls);
    if (is_tuple(cls))
        return check_any(th, c, cls, is_subclass, " in __subclasscheck__");
    bool missing;
    Answer answer = check_hook(th, c, cls, NAME(__subclasscheck__), " in __subclasscheck__",
                               &missing);
    if (!missing)
        return answer;
    return is_subclass_real(th, c, cls);
}
