/* exception_os.c -- OSError: an errno chooses the class, files join the text.
 *
 * OSError(errno, text[, filename[, winerror[, filename2]]]) gives an instance of the
 * subclass that belongs to errno.  The arguments are read in __new__, because they decide
 * the class; a subclass that overrides only __init__ gets them read by __init__.
 */
#include "objects/error/exception_priv.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

typedef struct ErrnoRow {
    int errnum;
    Type *type;
} ErrnoRow;

static const ErrnoRow errno_rows[] = {
    {EAGAIN, &exc_BlockingIOError},
    {EALREADY, &exc_BlockingIOError},
    {EINPROGRESS, &exc_BlockingIOError},
#if EWOULDBLOCK != EAGAIN
    {EWOULDBLOCK, &exc_BlockingIOError},
#endif
    {EPIPE, &exc_BrokenPipeError},
    {ESHUTDOWN, &exc_BrokenPipeError},
    {ECHILD, &exc_ChildProcessError},
    {ECONNABORTED, &exc_ConnectionAbortedError},
    {ECONNREFUSED, &exc_ConnectionRefusedError},
    {ECONNRESET, &exc_ConnectionResetError},
    {EEXIST, &exc_FileExistsError},
    {ENOENT, &exc_FileNotFoundError},
    {EISDIR, &exc_IsADirectoryError},
    {ENOTDIR, &exc_NotADirectoryError},
    {EINTR, &exc_InterruptedError},
    {EACCES, &exc_PermissionError},
    {EPERM, &exc_PermissionError},
    {ESRCH, &exc_ProcessLookupError},
    {ETIMEDOUT, &exc_TimeoutError},
};

static inline OsErrorObject *
as_os_error(Value v)
{
    return (OsErrorObject *)(void *)value_object(v);
}

/* The subclass for an errno given as any value, or NULL. */
static Type *
type_for_errno(Value errnum)
{
    int64_t n;
    if (!is_int(errnum) || !int_fits_i64(errnum, &n))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(errno_rows); i++) {
        if (errno_rows[i].errnum == n)
            return errno_rows[i].type;
    }
    return NULL;
}

static bool os_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
static Value os_error_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames);

/* Whether the arguments are read by __init__: a subclass overrides it, and not __new__. */
static bool
init_reads(const Type *type)
{
    return type->s.init != os_error_init && type->s.new == os_error_new;
}

/* Fills `self` from two to five arguments, and sets args (the file names are left out). */
static bool
fill(Thread *th, Value self, const Arg *args, size_t nargs)
{
    OsErrorObject *e = as_os_error(self);
    Object *o = &e->base.head;
    size_t kept = nargs;
    if (nargs >= 2 && nargs <= 5) {
        Value filename = nargs > 2 ? arg(args, 2) : NONE;
        if (filename != NONE) {
            if (type_of(self) == &exc_BlockingIOError &&
                (is_int(filename) || type_of(filename)->s.index != NULL ||
                 type_of(filename)->s.to_int != NULL || type_of(filename)->s.to_float != NULL)) {
                int64_t written;
                if (!to_ssize(th, filename, &written, &exc_ValueError))
                    return false;
                store_relaxed(&e->written, written);
            } else {
                field_replace(th, o, &e->filename, retain(th, filename));
                if (nargs > 4 && arg(args, 4) != NONE)
                    field_replace(th, o, &e->filename2, retain(th, arg(args, 4)));
                kept = 2;
            }
        }
        field_replace(th, o, &e->errnum, retain(th, arg(args, 0)));
        field_replace(th, o, &e->strerror, retain(th, arg(args, 1)));
    }
    Value tuple = tuple_of_args(th, args, kept);
    if (tuple == NULL)
        return false;
    field_replace(th, o, &e->base.args, tuple);
    return true;
}

static Value
os_error_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    bool later = init_reads(type);
    if (!later) {
        if (!args_no_keywords(th, type_name(type), kwnames))
            return NULL;
        if (type == &exc_OSError && nargs >= 2 && nargs <= 5) {
            Type *mapped = type_for_errno(arg(args, 0));
            if (mapped != NULL)
                type = mapped;
        }
    }
    Value self = exception_alloc(th, type, retain(th, tuple_empty));
    if (self == NULL)
        return NULL;
    plain_store(&as_os_error(self)->written, -1); /* not published yet */
    if (!later && !fill(th, self, args, nargs)) {
        drop(th, self);
        return NULL;
    }
    return self;
}

static bool
os_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!init_reads(type_of(self)))
        return true;
    return args_no_keywords(th, type_name_of(self), kwnames) && fill(th, self, args, nargs);
}

static Value
os_error_str(Thread *th, Value self)
{
    OsErrorObject *e = as_os_error(self);
    Object *o = &e->base.head;
    Value errnum = field_read(th, o, &e->errnum);
    Value text = field_read(th, o, &e->strerror);
    Value filename = field_read(th, o, &e->filename);
    Value filename2 = field_read(th, o, &e->filename2);
    Value shown_errno = errnum ? errnum : NONE;
    Value shown_text = text ? text : NONE;
    Value r;
    if (filename != NULL && filename2 != NULL)
        r = str_format_c(th, "[Errno %V] %V: %R -> %R", shown_errno, shown_text, filename,
                         filename2);
    else if (filename != NULL)
        r = str_format_c(th, "[Errno %V] %V: %R", shown_errno, shown_text, filename);
    else if (errnum != NULL && text != NULL)
        r = str_format_c(th, "[Errno %V] %V", errnum, text);
    else
        r = exception_type_str(th, self);
    drop_null(th, errnum);
    drop_null(th, text);
    drop_null(th, filename);
    drop_null(th, filename2);
    return r;
}

static Value
os_error_reduce(Thread *th, Value self)
{
    OsErrorObject *e = as_os_error(self);
    Value args = exception_args(th, self);
    Value filename = field_read(th, &e->base.head, &e->filename);
    Value filename2 = field_read(th, &e->base.head, &e->filename2);
    Value dict = exception_dict_if_any(th, self);
    Value r = NULL;
    if (dict == NULL && error_set(th))
        goto done;
    if (tuple_length(args) == 2 && filename != NULL) {
        Value first = tuple_item(args, 0);
        Value second = tuple_item(args, 1);
        Value more = filename2 ? tuple_pack(th, 5, first, second, filename, NONE, filename2) :
                                 tuple_pack(th, 3, first, second, filename);
        if (more == NULL)
            goto done;
        drop(th, args);
        args = more;
    }
    Value type = value_of_type(type_of(self));
    r = dict ? tuple_pack(th, 3, type, args, dict) : tuple_pack(th, 2, type, args);
done:
    drop(th, args);
    drop_null(th, dict);
    drop_null(th, filename);
    drop_null(th, filename2);
    return r;
}

static Value
get_written(Thread *th, Value self, void *closure)
{
    (void)closure;
    int64_t n = load_relaxed(&as_os_error(self)->written);
    if (n == -1)
        return raise_value(th, &exc_AttributeError, NAME(characters_written));
    return int_from_i64(th, n);
}

static bool
set_written(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    OsErrorObject *e = as_os_error(self);
    if (v == NULL) {
        if (load_relaxed(&e->written) == -1) {
            raise_value(th, &exc_AttributeError, NAME(characters_written));
            return false;
        }
        store_relaxed(&e->written, -1);
        return true;
    }
    int64_t n;
    if (!to_ssize(th, v, &n, &exc_ValueError))
        return false;
    store_relaxed(&e->written, n);
    return true;
}

static const MethodDef methods[] = {
    NATIVE_0("__reduce__", os_error_reduce, NULL),
    NATIVE_END,
};

static const GetterDef getters[] = {
    {"characters_written", get_written, set_written, NULL, NULL},
    {.name = NULL},
};

static const MemberDef members[] = {
    {"errno", MEMBER_VALUE_NONE, offsetof(OsErrorObject, errnum), false, "POSIX exception code"},
    {"strerror", MEMBER_VALUE_NONE, offsetof(OsErrorObject, strerror), false,
     "exception strerror"},
    {"filename", MEMBER_VALUE_NONE, offsetof(OsErrorObject, filename), false,
     "exception filename"},
    {"filename2", MEMBER_VALUE_NONE, offsetof(OsErrorObject, filename2), false,
     "second exception filename"},
    {.name = NULL},
};

const TypeSpec exception_spec_OSError = {
    .size = sizeof(OsErrorObject),
    .methods = methods,
    .getters = getters,
    .members = members,
    .slots = {.str = os_error_str, .new = os_error_new, .init = os_error_init},
    .visit = exception_visit_4,
    .clear = exception_clear_4,
    .dealloc = exception_dealloc_4,
};

bool
exception_os_init(Thread *th)
{
    (void)th;
    return true;
}

/* -- raising -- */

void *
raise_os_error_type(Thread *th, Type *type, int errnum, Value path, Value path2)
{
    Value text = errnum != 0 ? str_from_fs(th, strerror(errnum), strlen(strerror(errnum))) :
                               str_from_c(th, "Error");
    if (text == NULL)
        return NULL;
    Value v[5] = {value_from_fixnum(errnum), text, path, NONE, path2};
    size_t n = path2 ? 5 : path ? 3 : 2;
    Value exc = call(th, value_of_type(type), args_of(v), n, NULL);
    drop(th, text);
    if (exc == NULL)
        return NULL;
    return raise_instance(th, exc);
}

void *
raise_os_error(Thread *th, int errnum)
{
    return raise_os_error_type(th, &exc_OSError, errnum, NULL, NULL);
}

void *
raise_os_error_path(Thread *th, int errnum, Value path)
{
    return raise_os_error_type(th, &exc_OSError, errnum, path, NULL);
}

void *
raise_os_error_paths(Thread *th, int errnum, Value path, Value path2)
{
    return raise_os_error_type(th, &exc_OSError, errnum, path, path2);
}
