/* error.h -- the exception a thread is raising (th->error), and those it handles.
 *
 * th->error is an exception *instance*, counted, or NULL.  A function that fails leaves
 * it set; a function that succeeds leaves it NULL.  The traceback hangs on the instance.
 */
#ifndef OBJECTS_ERROR_ERROR_H
#define OBJECTS_ERROR_ERROR_H

#include "objects/model/type.h"

#define EXCEPTION(name, base, doc) extern Type exc_##name;
#include "objects/error/exceptions.def"
#undef EXCEPTION

/* The layout all exceptions begin with. */
typedef struct BaseException {
    struct Object head;
    Field args;              /* tuple */
    Field traceback;         /* Traceback or NULL */
    Field context, cause;    /* or NULL */
    Field notes;             /* __notes__ lives in the dict; unused here */
    ATOMIC(uint8_t) suppress_context;
} BaseException;

/* A stack item of the exceptions being handled (sys.exc_info()). */
typedef struct ErrorItem {
    Value value;             /* [owner] counted, or NULL */
    struct ErrorItem *outer;
} ErrorItem;

/* Raises `type` with a formatted message; returns NULL.  Besides printf's: %V the str() of a
 * Value, %R its repr(), %T the type name of a Value, %B the same but None for None, %N the name of
 * a Type*. */
COLD void *raise_error(Thread *th, Type *type, const char *format, ...);
COLD void *raise_value(Thread *th, Type *type, Value arg);      /* type(arg) */
COLD void *raise_none(Thread *th, Type *type);                  /* type() */
COLD void *raise_instance(Thread *th, Value STEALS instance);   /* sets context, too */
/* `raise exc [from cause]` of the language: classes are called, type checked. */
COLD void *raise_object(Thread *th, Value exc, Value cause);
COLD void *raise_type_error(Thread *th, const char *format, ...);
COLD void *raise_value_error(Thread *th, const char *format, ...);
COLD void *raise_memory(Thread *th);
COLD void *raise_recursion(Thread *th, const char *where);      /* "maximum recursion depth exceeded" + where */
COLD void *raise_os_error(Thread *th, int errnum);
COLD void *raise_os_error_path(Thread *th, int errnum, Value path);
COLD void *raise_os_error_paths(Thread *th, int errnum, Value path, Value path2);
COLD void *raise_key_error(Thread *th, Value key);
COLD void *raise_stop_iteration(Thread *th, Value value);
COLD void *raise_attribute_error(Thread *th, Value object, Value name); /* "'T' object has no attribute 'n'" */
COLD void *raise_overflow(Thread *th, const char *message);
COLD void *raise_system_error(Thread *th, const char *format, ...);
COLD void *raise_import_error(Thread *th, Value message, Value name, Value path);
COLD void *raise_import_error_type(Thread *th, Type *type, Value message, Value name, Value path);
COLD void *raise_os_error_type(Thread *th, Type *type, int errnum, Value path, Value path2);
/* `format` with one %V for the name; type is NameError or UnboundLocalError. */
COLD void *raise_name_error(Thread *th, Type *type, const char *format, Value name);
/* If an AttributeError without name and obj is being raised, sets them. */
COLD void attribute_error_complete(Thread *th, Value object, Value name);

/* Round C code that recurses on a program's data: counts as a Python call does, and watches
 * the C stack.  False with RecursionError; else recursion_leave() follows. */
RAISES static inline bool
recursion_enter(Thread *th, const char *where)
{
    if (UNLIKELY(th->recursion_left <= 0 || thread_stack_low(th))) {
        raise_recursion(th, where);
        return false;
    }
    th->recursion_left--;
    return true;
}

static inline void
recursion_leave(Thread *th)
{
    th->recursion_left++;
}

/* For C code that reaches itself through a slot of another object (hash, next, len ...) without
 * Python code between: false with RecursionError when the C stack is nearly used up. */
RAISES static inline bool
stack_check(Thread *th)
{
    if (UNLIKELY(thread_stack_low(th))) {
        raise_recursion(th, "");
        return false;
    }
    return true;
}

static inline bool
error_set(const Thread *th)
{
    return th->error != NULL;
}

/* Whether the exception being raised is an instance of `type`. */
bool error_matches(Thread *th, Type *type);
/* except-clause matching: cls may be a tuple; FAILED when it is no exception class. */
Answer error_matches_value(Thread *th, Value exc, Value cls);
void error_clear(Thread *th);
/* Takes the exception out of th (a new reference; NULL if none). */
Value error_take(Thread *th);
/* Puts it back (replaces; NULL clears). */
void error_restore(Thread *th, Value STEALS exc);
/* The innermost exception being handled (sys.exception()), new reference or NULL. */
Value error_handled(Thread *th);
/* The same of thread `t`, by th; the world is stopped. */
Value error_handled_of_stopped(Thread *th, const Thread *t);
/* Sets __context__ of the exception being raised to `context` (cycles are cut). */
void error_set_context(Thread *th, Value exc, Value context);
/* Makes the exception being raised the __cause__ of a new one with the message. */
COLD void *raise_from_current(Thread *th, Type *type, const char *format, ...);
/* Clears StopIteration; NO if none was set, YES if it was (value in *out), FAILED else. */
Answer error_take_stop_iteration(Thread *th, Value *value);

/* Prints an exception that cannot be raised (sys.unraisablehook); clears it. */
void error_unraisable(Thread *th, const char *message, Value object);
/* Issues a warning; false: it became an exception. */
RAISES bool warn(Thread *th, Type *category, int stack_level, const char *format, ...);

RAISES Value exception_new(Thread *th, Type *type, const char *message); /* an instance */
bool is_exception_class(Value v);
BORROWED Value exception_traceback_peek(Value exc);
void exception_set_traceback(Thread *th, Value exc, Value tb);  /* NULL or None: no traceback */
Value exception_traceback(Thread *th, Value exc);               /* new reference or NULL */
void exception_set_cause(Thread *th, Value exc, Value STEALS cause); /* as `raise exc from cause` */
RAISES bool exceptions_init(Thread *th);
void error_fini(Thread *th); /* gives up the MemoryErrors made ahead (the end of an interpreter) */

/* -- exception_unicode.c: for codecs -- `encoding` NULL: UnicodeTranslateError */
RAISES Value unicode_error_new(Thread *th, Type *type, const char *encoding, Value object,
                               int64_t start, int64_t end, const char *reason);
COLD void *raise_unicode_error(Thread *th, Type *type, const char *encoding, Value object,
                               int64_t start, int64_t end, const char *reason);
bool is_unicode_error(Value v); /* one of the three, or of a subclass */
/* Of an instance of one of the three; the attributes' types are checked. */
RAISES Value unicode_error_object(Thread *th, Value exc);
RAISES Value unicode_error_encoding(Thread *th, Value exc);
/* start and end, put inside the object. */
RAISES bool unicode_error_range(Thread *th, Value exc, int64_t *start, int64_t *end);
RAISES bool unicode_error_update(Thread *th, Value exc, int64_t start, int64_t end,
                                 const char *reason);

/* -- exception_group.c -- */
extern Type *exc_ExceptionGroup; /* [const] after start: class ExceptionGroup(BaseExceptionGroup, Exception) */
/* `except* cls` on exc: the part of it that matches (a group; NONE: nothing), and in *rest
 * what is left (NONE: nothing); both new references.  exc may be NONE: nothing is left. */
RAISES Value exception_group_match(Thread *th, Value exc, Value cls, Value *rest);
/* What a try statement with except* clauses raises at its end: `raised` is the list of the
 * exceptions that its clauses raised, and of what was left.  NONE: nothing to raise. */
RAISES Value exception_group_reraise(Thread *th, Value orig, Value raised);
RAISES Value exception_group_new(Thread *th, const char *message, Value exceptions);

/* traceback.c: adds an entry at the front of the traceback of th->error.  `frame` is a
 * frame object (core/vm), lasti its instruction, line its line number, or -1: computed when
 * somebody asks (upcalls.frame_line). */
RAISES Value traceback_new(Thread *th, Value next, Value frame, int lasti, int line);
void traceback_add(Thread *th, Value frame, int lasti, int line);

typedef struct Traceback {
    struct Object head;
    Field next;            /* Traceback or NULL */
    Value frame;           /* [const] */
    int32_t lasti;         /* [const] */
    ATOMIC(int32_t) line;  /* -1 until asked for */
} Traceback;
int traceback_line(Value tb); /* -1: unknown */

/* suggest.c: the name that was probably meant, as a str; NULL without exception if there
 * is none.  exc is any exception. */
Value error_suggestion(Thread *th, Value exc);

/* traceback_print.c: exc with its chain, groups, notes and source lines, as the default
 * excepthook prints it; false when writing to `file` (has a write method) failed. */
RAISES bool error_print(Thread *th, Value exc, Value file);
/* The same into a str. */
RAISES Value error_to_text(Thread *th, Value exc);
/* Only the entries of a traceback, with "Traceback (most recent call last):" if `header`. */
RAISES bool traceback_print(Thread *th, Value tb, Value file, bool header, int64_t limit);

#endif
