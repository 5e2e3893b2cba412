/* native.h -- how C code declares functions, methods, attributes and modules. */
#ifndef OBJECTS_MODEL_NATIVE_H
#define OBJECTS_MODEL_NATIVE_H

#include "objects/model/type.h"

typedef Value (*Native0)(Thread *th, Value self);
typedef Value (*Native1)(Thread *th, Value self, Value a);
typedef Value (*NativeN)(Thread *th, Value self, const Arg *args, size_t nargs);
typedef Value (*NativeK)(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);

enum MethodKind { METHOD_0, METHOD_1, METHOD_N, METHOD_K };
#define METHOD_KIND 0x0f
#define METHOD_CLASS 0x10  /* classmethod: self is the type */
#define METHOD_STATIC 0x20 /* staticmethod: self is NULL */
#define METHOD_COEXIST 0x40 /* replaces the slot's wrapper of the same name */

/* One function or method.  `self` of a module function is the module.
 * METHOD_N: no keywords, nmin <= nargs <= nmax is checked by the caller (nmax -1: any).
 * METHOD_K: the function takes keywords and checks everything (see ParamSpec). */
typedef struct MethodDef {
    const char *name;
    union {
        Native0 f0;
        Native1 f1;
        NativeN fn;
        NativeK fk;
    };
    uint16_t flags;
    int16_t nmin, nmax;
    const char *doc; /* may begin with "name($self, a, /)\n--\n\n": __text_signature__ */
} MethodDef;

#define NATIVE_0(nm, f, d) {.name = nm, .f0 = f, .flags = METHOD_0, .doc = d}
#define NATIVE_1(nm, f, d) {.name = nm, .f1 = f, .flags = METHOD_1, .nmin = 1, .nmax = 1, .doc = d}
#define NATIVE_N(nm, f, min, max, d)                                           \
    {.name = nm, .fn = f, .flags = METHOD_N, .nmin = min, .nmax = max, .doc = d}
#define NATIVE_K(nm, f, d) {.name = nm, .fk = f, .flags = METHOD_K, .nmax = -1, .doc = d}
#define NATIVE_END {.name = NULL}

/* A computed attribute. */
typedef struct GetterDef {
    const char *name;
    Value (*get)(Thread *th, Value self, void *closure);
    bool (*set)(Thread *th, Value self, Value value, void *closure); /* value NULL: del; NULL: read-only */
    const char *doc;
    void *closure;
} GetterDef;

/* The __dict__ of types whose spec has has_dict. */
Value getter_dict(Thread *th, Value self, void *closure);
bool setter_dict(Thread *th, Value self, Value value, void *closure);
#define GETTER_DICT {"__dict__", getter_dict, setter_dict, NULL, NULL}

enum MemberKind {
    MEMBER_VALUE,     /* a Field; NULL raises AttributeError */
    MEMBER_VALUE_NONE,/* a Field; NULL reads as None */
    MEMBER_INT, MEMBER_UINT, MEMBER_LONG, MEMBER_SIZE, MEMBER_BOOL, MEMBER_DOUBLE,
    MEMBER_CONST_VALUE, /* a plain Value that never changes; NULL reads as None */
    MEMBER_DICT,        /* the instance's __dict__, where it cannot be replaced; no offset */
};

/* An attribute stored in the struct. */
typedef struct MemberDef {
    const char *name;
    enum MemberKind kind;
    size_t offset;
    bool readonly;
    const char *doc;
} MemberDef;

/* A native module.  Functions see the module as self; module_state(module) is memory of
 * state_size bytes, zeroed, one per module object. */
typedef struct ModuleSpec {
    const char *name;
    const char *doc;
    const MethodDef *methods;
    bool (*exec)(Thread *th, Value module); /* fills the module; NULL: nothing to do */
    size_t state_size;
    void (*visit)(Value module, VisitFn visit, void *arg);
    void (*clear)(Thread *th, Value module);
} ModuleSpec;

/* Whose state is where in interp->slots. */
enum NativeSlot {
    NATIVE_POSIX,
    NATIVE_AST,
    NATIVE_GC,
    NATIVE_SRE,
    NATIVE_HASH,
    NATIVE_CONTEXTVARS,
    NATIVE_SOCKET,
    NATIVE_IO,
    NATIVE_PICKLE,
    NATIVE_CSV,
};

/* Makes `state` what interp->slots[slot] points at, unless another module was first (then that
 * stays), and keeps `holder`, whose state it is, as long as the interpreter lives.  Called when
 * the state is complete.  Returns what is there. */
void *native_publish(Thread *th, enum NativeSlot slot, void *state, Value holder);

/* Objects that an interpreter has one of, in interp->objects. */
enum InterpObject {
    INTERP_CODECS,      /* tuple of the codec registry's parts */
    INTERP_AUDIT_HOOKS, /* list */
    INTERP_ATEXIT,      /* list of (function, args, kwargs) */
    INTERP_WARN,        /* _warnings.warn, which the end of the interpreter needs when no module is left */
};

/* The object, or NULL as long as nobody has needed it; it lives as long as the interpreter. */
BORROWED Value interp_object(Thread *th, enum InterpObject which);
/* The same, made by `make` if there is none yet. */
BORROWED RAISES Value interp_object_make(Thread *th, enum InterpObject which, Value (*make)(Thread *th));

/* A function object for `def` bound to `self` (may be NULL); `module_name` a str or NULL. */
RAISES Value native_function_new(Thread *th, const MethodDef *def, Value self, Value module_name);
/* Descriptors for a type's dict. */
RAISES Value method_descr_new(Thread *th, Type *type, const MethodDef *def);
RAISES Value classmethod_descr_new(Thread *th, Type *type, const MethodDef *def);
RAISES Value getset_descr_new(Thread *th, Type *type, const GetterDef *def);
RAISES Value member_descr_new(Thread *th, Type *type, const MemberDef *def);

/* The text of a doc without its signature, and the signature "(...)": None if there is none.
 * `name` is the function's or type's name (what is before a last dot is ignored). */
RAISES Value native_doc(Thread *th, const char *name, const char *doc);
RAISES Value native_signature(Thread *th, const char *name, const char *doc);

/* (getattr, (holder, name)): how things found by attribute are pickled. */
RAISES Value reduce_as_attribute(Thread *th, Value holder, const char *name);

/* Calls a native by its definition, checking the argument count and keywords. */
Value native_call(Thread *th, const MethodDef *def, Value self, const Arg *args, size_t nargs,
                  Value kwnames);

/* The parameters of a METHOD_K function, bound to C variables in order:
 *
 *     static const ParamSpec params = {.name = "sorted", .names = {"", "key", "reverse"},
 *                                      .positional = 1, .posonly = 1, .required = 1};
 *     Value v[3];
 *     if (!args_bind(th, &params, args, nargs, kwnames, v)) return NULL;
 *
 * `names`: all parameters, positional ones first ("" for positional-only), NULL-terminated.
 * `positional`: how many may be given by position; `posonly`: of these, how many only so;
 * `required`: how many of the first must be given; `kwonly_required`: bit i for names[i].
 * v[i] is borrowed (stripped), NULL if not given.  Messages as CPython's. */
typedef struct ParamSpec {
    const char *name;
    const char *names[20];
    uint8_t positional, posonly, required;
    uint32_t kwonly_required;
} ParamSpec;
RAISES bool args_bind(Thread *th, const ParamSpec *spec, const Arg *args, size_t nargs,
                      Value kwnames, Value *v);

/* TypeError unless min <= nargs <= max (max -1: any); message "NAME expected at most ...". */
RAISES bool args_count(Thread *th, const char *name, size_t nargs, int min, int max);
/* TypeError "NAME() takes no keyword arguments" if there are any. */
RAISES bool args_no_keywords(Thread *th, const char *name, Value kwnames);

/* Conversions with CPython's messages; false with an exception. `v` NULL leaves *out alone. */
RAISES bool arg_ssize(Thread *th, Value v, int64_t *out);      /* __index__, clamps nothing: OverflowError */
RAISES bool arg_ssize_clamped(Thread *th, Value v, int64_t *out); /* as slices: clamps; None leaves it */
RAISES bool arg_int(Thread *th, Value v, int *out);            /* C int */
RAISES bool arg_long(Thread *th, Value v, int64_t *out);
RAISES bool arg_ulong(Thread *th, Value v, uint64_t *out);
RAISES bool arg_double(Thread *th, Value v, double *out);      /* __float__, __index__ */
RAISES bool arg_bool(Thread *th, Value v, bool *out);          /* truth */
RAISES bool arg_flag(Thread *th, Value v, bool *out);          /* an int that is not 0 */
RAISES bool arg_str(Thread *th, const char *fname, const char *what, Value v); /* TypeError unless str */

#endif
