/* error.c -- the exception a thread is raising, and those it handles.
 *
 * th->error belongs to its thread alone and is counted.  Raising sets the __context__ of
 * the new exception to the innermost exception being handled; a chain that would lead
 * back to the new exception is cut where it does.
 *
 * MemoryError must be raised without memory: `reserve` holds ready instances, taken by
 * atomic exchange; when they are used up, one immortal instance is shared by all.
 */
#include "objects/error/error.h"

#include "objects/container/container.h"
#include "objects/error/exception_priv.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/safepoint.h"

#include <stdarg.h>

/* -- th->error -- */

void
error_restore(Thread *th, Value STEALS exc)
{
    Value old = th->error;
    th->error = exc;
    drop_null(th, old);
}

Value
error_take(Thread *th)
{
    Value exc = th->error;
    th->error = NULL;
    return exc;
}

void
error_clear(Thread *th)
{
    DROP_CLEAR(th, th->error);
}

bool
error_matches(Thread *th, Type *type)
{
    return th->error != NULL && is_instance_of(th->error, type);
}

bool
is_exception_class(Value v)
{
    return is_type(v) && (type_flags(as_type(v)) & TYPE_EXCEPTION_SUBCLASS) != 0;
}

Answer
error_matches_value(Thread *th, Value exc, Value cls)
{
    if (is_tuple(cls)) {
        for (int64_t i = 0; i < tuple_length(cls); i++) {
            if (!is_exception_class(tuple_item(cls, i)))
                goto bad;
        }
        for (int64_t i = 0; i < tuple_length(cls); i++) {
            if (is_instance_of(exc, as_type(tuple_item(cls, i))))
                return YES;
        }
        return NO;
    }
    if (is_exception_class(cls))
        return is_instance_of(exc, as_type(cls)) ? YES : NO;
bad:
    raise_type_error(th, "catching classes that do not inherit from BaseException is not allowed");
    return FAILED;
}

/* The innermost exception being handled, uncounted: the thread's own stack holds it. */
static Value
handled_peek(const Thread *th)
{
    for (const ErrorItem *item = th->handled; item != NULL; item = item->outer) {
        if (item->value != NULL && item->value != NONE)
            return value_strip(item->value);
    }
    return NULL;
}

Value
error_handled(Thread *th)
{
    return retain_null(th, handled_peek(th));
}

Value
error_handled_of_stopped(Thread *th, const Thread *t)
{
    return retain_null(th, handled_peek(t));
}

/* -- context -- */

/* Cuts the context chain that starts at `from` before it reaches `exc`.  A chain that
 * runs in a circle of its own is left at the second meeting (a slow pointer follows). */
static void
cut_chain(Thread *th, Value from, Value exc)
{
    Value at = retain(th, from);
    Value slow = retain(th, from);
    bool move_slow = false;
    for (;;) {
        BaseException *e = as_exception(at);
        Value next = field_read(th, &e->head, &e->context);
        if (next == NULL)
            break;
        if (next == exc) {
            field_replace(th, &e->head, &e->context, NULL);
            drop(th, next);
            break;
        }
        drop(th, at);
        at = next;
        if (at == slow)
            break;
        if (move_slow) {
            BaseException *s = as_exception(slow);
            Value ahead = field_read(th, &s->head, &s->context);
            drop(th, slow);
            slow = ahead;
            if (slow == NULL) { /* another thread cut the chain */
                drop(th, at);
                return;
            }
        }
        move_slow = !move_slow;
    }
    drop(th, at);
    drop(th, slow);
}

void
error_set_context(Thread *th, Value exc, Value context)
{
    if (context == NULL || context == exc)
        return;
    BaseException *c = as_exception(context);
    if (field_peek(&c->context) != NULL)
        cut_chain(th, context, exc);
    BaseException *e = as_exception(exc);
    if (field_peek(&e->context) == context)
        return;
    field_replace(th, &e->head, &e->context, retain(th, context));
}

/* -- raising -- */

void *
raise_instance(Thread *th, Value STEALS instance)
{
    Value handled = handled_peek(th);
    if (handled != NULL)
        error_set_context(th, instance, handled);
    error_restore(th, instance);
    return NULL;
}

/* type(args...), checked to be an exception; NULL with another exception raised. */
static Value
make(Thread *th, Type *type, const Value *args, size_t n)
{
    if (type->s.new == exception_type_new && type->s.init == exception_type_init &&
        (type_flags(type) & TYPE_HEAP) == 0) {
        Value tuple = tuple_of(th, args, n);
        return tuple ? exception_alloc(th, type, tuple) : NULL;
    }
    Value exc = call(th, value_of_type(type), args_of(args), n, NULL);
    if (exc != NULL && !is_exception(exc)) {
        raise_type_error(th,
                         "calling %R should have returned an instance of BaseException, not %T",
                         value_of_type(type), exc);
        DROP_CLEAR(th, exc);
    }
    return exc;
}

void *
raise_value(Thread *th, Type *type, Value arg)
{
    retain(th, arg); /* clearing the error may give it up */
    error_clear(th);
    Value exc = make(th, type, &arg, 1);
    drop(th, arg);
    return exc ? raise_instance(th, exc) : NULL;
}

void *
raise_none(Thread *th, Type *type)
{
    error_clear(th);
    Value exc = make(th, type, NULL, 0);
    return exc ? raise_instance(th, exc) : NULL;
}

static void *
raise_va(Thread *th, Type *type, const char *format, va_list ap)
{
    /* What is being raised may be among the arguments: it is given up afterwards. */
    Value old = error_take(th);
    Value message = str_format_c_va(th, format, ap);
    drop_null(th, old);
    if (message == NULL)
        return NULL;
    Value exc = make(th, type, &message, 1);
    drop(th, message);
    return exc ? raise_instance(th, exc) : NULL;
}

void *
raise_error(Thread *th, Type *type, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    raise_va(th, type, format, ap);
    va_end(ap);
    return NULL;
}

#define RAISE_TYPED(name, type)                                                \
    void *name(Thread *th, const char *format, ...)                            \
    {                                                                          \
        va_list ap;                                                            \
        va_start(ap, format);                                                  \
        raise_va(th, &type, format, ap);                                       \
        va_end(ap);                                                            \
        return NULL;                                                           \
    }

RAISE_TYPED(raise_type_error, exc_TypeError)
RAISE_TYPED(raise_value_error, exc_ValueError)
RAISE_TYPED(raise_system_error, exc_SystemError)

void *
raise_overflow(Thread *th, const char *message)
{
    return raise_error(th, &exc_OverflowError, "%s", message);
}

void *
raise_recursion(Thread *th, const char *where)
{
    return raise_error(th, &exc_RecursionError, "maximum recursion depth exceeded%s", where);
}

void *
raise_key_error(Thread *th, Value key)
{
    return raise_value(th, &exc_KeyError, key);
}

void *
raise_stop_iteration(Thread *th, Value value)
{
    bool none = value == NULL || value == NONE;
    Value args = none ? retain(th, tuple_empty) : tuple_pack(th, 1, value);
    Value exc = args ? exception_alloc(th, &exc_StopIteration, args) : NULL;
    if (exc == NULL)
        return NULL;
    if (!none)
        field_init(&((StopIterationError *)(void *)value_object(exc))->value, retain(th, value));
    return raise_instance(th, exc);
}

/* An AttributeError with its name and obj set. */
static void *
raise_attribute_message(Thread *th, Value STEALS message, Value object, Value name)
{
    Value args = message ? tuple_pack(th, 1, message) : NULL;
    drop_null(th, message);
    Value exc = args ? exception_alloc(th, &exc_AttributeError, args) : NULL;
    if (exc == NULL)
        return NULL;
    AttributeErrorObject *e = (AttributeErrorObject *)(void *)value_object(exc);
    field_init(&e->obj, retain_null(th, object));
    field_init(&e->name, retain_null(th, name));
    return raise_instance(th, exc);
}

void *
raise_attribute_error(Thread *th, Value object, Value name)
{
    error_clear(th);
    Value message = is_type(object) ?
                        str_format_c(th, "type object '%N' has no attribute '%V'", as_type(object),
                                     name) :
                        str_format_c(th, "'%T' object has no attribute '%V'", object, name);
    return raise_attribute_message(th, message, object, name);
}

void
attribute_error_complete(Thread *th, Value object, Value name)
{
    if (!error_matches(th, &exc_AttributeError))
        return;
    AttributeErrorObject *e = (AttributeErrorObject *)(void *)value_object(th->error);
    if (field_peek(&e->name) != NULL || field_peek(&e->obj) != NULL)
        return;
    field_replace(th, &e->base.head, &e->name, retain(th, name));
    field_replace(th, &e->base.head, &e->obj, retain(th, object));
}

void *
raise_name_error(Thread *th, Type *type, const char *format, Value name)
{
    error_clear(th);
    Value message = str_format_c(th, format, name);
    Value args = message ? tuple_pack(th, 1, message) : NULL;
    drop_null(th, message);
    Value exc = args ? exception_alloc(th, type, args) : NULL;
    if (exc == NULL)
        return NULL;
    if (is_str(name))
        field_init(&((NameErrorObject *)(void *)value_object(exc))->name, retain(th, name));
    return raise_instance(th, exc);
}

void *
raise_import_error_type(Thread *th, Type *type, Value message, Value name, Value path)
{
    error_clear(th);
    Value args = tuple_pack(th, 1, message);
    Value exc = args ? exception_alloc(th, type, args) : NULL;
    if (exc == NULL)
        return NULL;
    ImportErrorObject *e = (ImportErrorObject *)(void *)value_object(exc);
    field_init(&e->msg, retain(th, message));
    field_init(&e->name, retain_null(th, name));
    field_init(&e->path, retain_null(th, path));
    return raise_instance(th, exc);
}

void *
raise_import_error(Thread *th, Value message, Value name, Value path)
{
    return raise_import_error_type(th, &exc_ImportError, message, name, path);
}

/* What `from` gives: an instance, NULL for None; false with an exception raised. */
static bool
make_cause(Thread *th, Value cause, Value *out)
{
    *out = NULL;
    if (is_exception_class(cause)) {
        Value made = call_0(th, cause);
        if (made == NULL)
            return false;
        if (!is_exception(made)) {
            raise_type_error(
                th, "calling %R should have returned an instance of BaseException, not %R", cause,
                value_of_type(type_of(made)));
            drop(th, made);
            return false;
        }
        *out = made;
        return true;
    }
    if (is_exception(cause)) {
        *out = retain(th, cause);
        return true;
    }
    if (cause == NONE)
        return true;
    raise_type_error(th, "exception causes must derive from BaseException");
    return false;
}

void *
raise_object(Thread *th, Value exc, Value cause)
{
    Value instance;
    if (exc == NULL) { /* raise the exception being handled again */
        Value handled = handled_peek(th);
        if (handled == NULL)
            return raise_error(th, &exc_RuntimeError, "No active exception to reraise");
        error_restore(th, retain(th, handled));
        return NULL;
    }
    if (is_exception_class(exc)) {
        instance = call_0(th, exc);
        if (instance == NULL)
            return NULL;
        if (!is_exception(instance)) {
            raise_type_error(
                th, "calling %R should have returned an instance of BaseException, not %R", exc,
                value_of_type(type_of(instance)));
            drop(th, instance);
            return NULL;
        }
    } else if (is_exception(exc)) {
        instance = retain(th, exc);
    } else {
        return raise_type_error(th, "exceptions must derive from BaseException");
    }
    if (cause != NULL) {
        Value from;
        if (!make_cause(th, cause, &from)) {
            drop(th, instance);
            return NULL;
        }
        exception_set_cause(th, instance, from);
    }
    return raise_instance(th, instance);
}

void *
raise_from_current(Thread *th, Type *type, const char *format, ...)
{
    Value current = error_take(th);
    va_list ap;
    va_start(ap, format);
    raise_va(th, type, format, ap);
    va_end(ap);
    if (current == NULL)
        return NULL;
    if (th->error != NULL && th->error != current) {
        exception_set_cause(th, th->error, retain(th, current));
        error_set_context(th, th->error, current);
    }
    drop(th, current);
    return NULL;
}

Answer
error_take_stop_iteration(Thread *th, Value *value)
{
    *value = NULL;
    if (th->error == NULL)
        return NO;
    if (!error_matches(th, &exc_StopIteration))
        return FAILED;
    Value exc = error_take(th);
    StopIterationError *e = (StopIterationError *)(void *)value_object(exc);
    Value v = field_read(th, &e->base.head, &e->value);
    drop(th, exc);
    *value = v ? v : NONE;
    return YES;
}

Value
exception_new(Thread *th, Type *type, const char *message)
{
    if (message == NULL)
        return make(th, type, NULL, 0);
    Value text = str_from_c(th, message);
    if (text == NULL)
        return NULL;
    Value exc = make(th, type, &text, 1);
    drop(th, text);
    return exc;
}

/* -- outward -- */

void
error_unraisable(Thread *th, const char *message, Value object)
{
    if (th->error == NULL)
        return;
    upcalls.unraisable(th, message, object);
    error_clear(th);
}

bool
warn(Thread *th, Type *category, int stack_level, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value message = str_format_c_va(th, format, ap);
    va_end(ap);
    if (message == NULL)
        return false;
    bool ok = upcalls.warn_explicit(th, category, stack_level, message);
    drop(th, message);
    return ok;
}

/* -- MemoryError -- */

enum { RESERVE = 16 };
static ATOMIC(Value) reserve[RESERVE];
static Value last_resort; /* [const] immortal */
static _Thread_local bool raising_memory;

static Value
new_memory_error(Thread *th)
{
    return exception_alloc(th, &exc_MemoryError, retain(th, tuple_empty));
}

void *
raise_memory(Thread *th)
{
    if (raising_memory) /* making the exception has failed: the caller below goes on */
        return NULL;
    error_clear(th);
    raising_memory = true;
    Value exc = last_resort ? new_memory_error(th) : NULL;
    raising_memory = false;
    for (int i = 0; exc == NULL && i < RESERVE; i++)
        exc = exchange_acq_rel(&reserve[i], NULL); /* pairs with its filling in error_init() */
    if (exc == NULL) {
        CHECK(last_resort != NULL);
        exc = last_resort;
        exception_set_traceback(th, exc, NULL);
    }
    return raise_instance(th, exc);
}

static void *
no_memory(Thread *th)
{
    return raise_memory(th);
}

bool
error_init(Thread *th)
{
    if (last_resort != NULL)
        return true;
    for (int i = 0; i < RESERVE; i++) {
        Value exc = new_memory_error(th);
        if (exc == NULL)
            return false;
        Value old = exchange_acq_rel(&reserve[i], exc); /* pairs with raise_memory() */
        drop_null(th, old);
    }
    Value exc = new_memory_error(th);
    if (exc == NULL)
        return false;
    object_make_immortal(value_object(exc));
    last_resort = exc;
    heap_no_memory = no_memory;
    return true;
}

void
error_fini(Thread *th)
{
    for (int i = 0; i < RESERVE; i++)
        drop_null(th, exchange_acq_rel(&reserve[i], NULL));
}
