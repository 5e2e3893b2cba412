/* exception_priv.h -- layouts of the exception types, for the files of objects/error.
 *
 * Each layout begins with BaseException.  All values are Fields: an exception is an
 * object like any other, and two threads may use it at once.
 */
#ifndef OBJECTS_ERROR_EXCEPTION_PRIV_H
#define OBJECTS_ERROR_EXCEPTION_PRIV_H

#include "objects/error/error.h"
#include "objects/model/native.h"

typedef struct StopIterationError {
    BaseException base;
    Field value;
} StopIterationError;

typedef struct SystemExitError {
    BaseException base;
    Field code;
} SystemExitError;

typedef struct ImportErrorObject {
    BaseException base;
    Field msg, name, path;
} ImportErrorObject;

typedef struct NameErrorObject {
    BaseException base;
    Field name;
} NameErrorObject;

typedef struct AttributeErrorObject {
    BaseException base;
    Field obj, name;
} AttributeErrorObject;

typedef struct OsErrorObject {
    BaseException base;
    Field errnum, strerror, filename, filename2;
    ATOMIC(int64_t) written; /* characters_written; -1: not set */
} OsErrorObject;

typedef struct SyntaxErrorObject {
    BaseException base;
    Field msg, filename, lineno, offset, end_lineno, end_offset, text, print_file_and_line;
} SyntaxErrorObject;

typedef struct UnicodeErrorObject {
    BaseException base;
    Field encoding, object, reason;
    ATOMIC(int64_t) start, end;
} UnicodeErrorObject;

typedef struct GroupError {
    BaseException base;
    Field message;    /* str, set once */
    Field exceptions; /* tuple, set once */
} GroupError;

static inline BaseException *
as_exception(Value v)
{
    return (BaseException *)(void *)value_object(v);
}

/* The `index`th Field behind the BaseException part: the layouts above start with them. */
static inline Field *
exception_field(Value v, size_t index)
{
    return (Field *)(void *)((char *)value_object(v) + sizeof(BaseException)) + index;
}

/* exception.c: what all types share. */
Value exception_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames);
bool exception_type_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value exception_type_str(Thread *th, Value self);
Value exception_reduce(Thread *th, Value self);
/* The same with the first `extra` fields behind BaseException. */
#define EXCEPTION_MEMORY(n)                                                    \
    void exception_visit_##n(Object *o, VisitFn visit, void *arg);             \
    void exception_clear_##n(Thread *th, Object *o);                           \
    void exception_dealloc_##n(Thread *th, Object *o)
EXCEPTION_MEMORY(0);
EXCEPTION_MEMORY(1);
EXCEPTION_MEMORY(2);
EXCEPTION_MEMORY(3);
EXCEPTION_MEMORY(4);
EXCEPTION_MEMORY(8);
#undef EXCEPTION_MEMORY

/* A new instance of a static exception type, attributes not set: args is a tuple. */
RAISES Value exception_alloc(Thread *th, Type *type, Value STEALS args);
/* The first argument a field of `self` is to have, and so on: sets fields from args. */
/* The instance's attribute dict if it has any attributes, a new reference; else NULL. */
Value exception_dict_if_any(Thread *th, Value self);
/* The tuple of arguments, new. */
Value exception_args(Thread *th, Value self);
/* Binds keyword arguments only: names (NULL-terminated) into v, borrowed. */
RAISES bool exception_keywords(Thread *th, const char *type_name, const char *const *names,
                               const Arg *args, size_t nargs, Value kwnames, Value *v);

/* The specs that do not come from exceptions.def's simple rows. */
extern const TypeSpec exception_spec_BaseException;
extern const TypeSpec exception_spec_StopIteration, exception_spec_SystemExit;
extern const TypeSpec exception_spec_ImportError, exception_spec_NameError;
extern const TypeSpec exception_spec_AttributeError, exception_spec_KeyError;
extern const TypeSpec exception_spec_OSError, exception_spec_SyntaxError;
extern const TypeSpec exception_spec_UnicodeEncodeError, exception_spec_UnicodeDecodeError;
extern const TypeSpec exception_spec_UnicodeTranslateError;
extern const TypeSpec exception_spec_BaseExceptionGroup;

RAISES bool exception_group_init(Thread *th); /* makes ExceptionGroup */
RAISES bool exception_os_init(Thread *th);    /* errno -> class */
RAISES bool error_init(Thread *th);           /* reserve for MemoryError */

#endif
