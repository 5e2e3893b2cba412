/* type.h -- Type: what a class is; TypeSpec: how C code declares one.
 *
 * A Type is an object (its header comes first, inside TypeOps).  Its slots are C
 * functions, one for each operation of slots below; a class written in Python gets
 * slots that call its dunder methods (type_slots.c), a type written in C gets
 * wrapper descriptors for its slots.
 *
 * Every type has a root shape (shape.h); `object_shape(o) == SHAPE_LIST` is "exactly a
 * list", `is_list(v)` is "a list or of a subclass".
 *
 * Sharing: types are born shared and never counted in registers.  The dict and the
 * slots change under the type's object lock, after the versions of the type's shapes
 * and of all its subclasses' were set to 0 (rules C2-C4).
 */
#ifndef OBJECTS_MODEL_TYPE_H
#define OBJECTS_MODEL_TYPE_H

#include "gc/field.h"
#include "gc/heap.h"
#include "gc/type_ops.h"

/* A word among native arguments.  It may carry the borrowed bit: read it with arg(). */
typedef struct Arg {
    Value raw;
} Arg;

static inline Value
arg(const Arg *args, size_t i)
{
    return value_strip(args[i].raw);
}

/* An array of plain Values as arguments. */
static inline const Arg *
args_of(const Value *values)
{
    return (const Arg *)(const void *)values;
}

/* An answer that can fail; FAILED comes with an exception set. */
typedef enum { FAILED = -1, NO = 0, YES = 1 } Answer;

enum { OP_LT, OP_LE, OP_EQ, OP_NE, OP_GT, OP_GE };

/* Calls: `nargs` positional arguments, then one for each name in the tuple `kwnames`
 * (NULL: none).  Arguments are borrowed. */
typedef Value (*CallFn)(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
typedef Value (*UnaryFn)(Thread *th, Value self);
/* Returns NOT_IMPLEMENTED (static) when it does not know the operands.  Called with the
 * operands in source order: either may be of this type. */
typedef Value (*BinaryFn)(Thread *th, Value a, Value b);
typedef Value (*TernaryFn)(Thread *th, Value a, Value b, Value c);
typedef Value (*CompareFn)(Thread *th, Value a, Value b, int op);
typedef Answer (*AnswerFn)(Thread *th, Value self);
typedef bool (*HashFn)(Thread *th, Value self, int64_t *hash); /* never yields -1 */
typedef int64_t (*LengthFn)(Thread *th, Value self);           /* -1: exception */
typedef Value (*IndexFn)(Thread *th, Value self, int64_t i);
typedef bool (*SetItemFn)(Thread *th, Value self, Value key, Value value); /* NULL value: del */
typedef Answer (*ContainsFn)(Thread *th, Value self, Value item);
typedef Value (*GetAttrFn)(Thread *th, Value self, Value name);
typedef bool (*SetAttrFn)(Thread *th, Value self, Value name, Value value); /* NULL: del */
typedef Value (*NextFn)(Thread *th, Value self); /* NULL without exception: exhausted */
typedef Value (*DescrGetFn)(Thread *th, Value self, Value object, Value type); /* NULL: none */
typedef bool (*DescrSetFn)(Thread *th, Value self, Value object, Value value); /* NULL: del */
typedef Value (*NewFn)(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames);
typedef bool (*InitFn)(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
/* send: *result is the yielded (YES: more) or returned (NO: finished) value. */
typedef Answer (*SendFn)(Thread *th, Value self, Value v, Value *result);

/* The buffer protocol: who exports pins its memory until release. */
typedef struct Buffer {
    uint8_t *data;
    int64_t length;        /* bytes */
    int64_t item_size;
    bool readonly;
    const char *format;    /* struct syntax; "B" if NULL */
    int ndim;
    int64_t *shape, *strides, *suboffsets; /* NULL where simple */
    Value owner;           /* counted; the exporting object */
    void *internal;        /* the exporter's */
    int64_t local_shape[1], local_strides[1];
} Buffer;

enum {
    BUFFER_SIMPLE = 0, BUFFER_WRITABLE = 1, BUFFER_FORMAT = 4, BUFFER_ND = 8,
    BUFFER_STRIDES = 0x18, BUFFER_C_CONTIGUOUS = 0x38, BUFFER_F_CONTIGUOUS = 0x58,
    BUFFER_ANY_CONTIGUOUS = 0x98, BUFFER_INDIRECT = 0x118,
    BUFFER_FULL_RO = 0x11c, BUFFER_FULL = 0x11d, BUFFER_CONTIG = 9, BUFFER_CONTIG_RO = 8,
};
typedef bool (*BufferGetFn)(Thread *th, Value self, Buffer *out, int flags);
typedef void (*BufferReleaseFn)(Thread *th, Value self, Buffer *b);

/* The operations of a type.  The dunder that each makes or calls is in slots.def. */
#define TYPE_SLOTS                                                             \
    UnaryFn repr, str;                                                         \
    HashFn hash;                                                               \
    CallFn call;                                                               \
    GetAttrFn getattr;                                                         \
    SetAttrFn setattr;                                                         \
    CompareFn compare;                                                         \
    UnaryFn iter;                                                              \
    NextFn next;                                                               \
    DescrGetFn descr_get;                                                      \
    DescrSetFn descr_set;                                                      \
    InitFn init;                                                               \
    NewFn new;                                                                 \
    /* numbers */                                                              \
    BinaryFn add, subtract, multiply, remainder, divmod;                       \
    TernaryFn power;                                                           \
    UnaryFn negative, positive, absolute;                                      \
    AnswerFn truth;                                                            \
    UnaryFn invert;                                                            \
    BinaryFn lshift, rshift, and_, xor_, or_;                                  \
    UnaryFn to_int, to_float, index;                                           \
    BinaryFn iadd, isubtract, imultiply, iremainder;                           \
    TernaryFn ipower;                                                          \
    BinaryFn ilshift, irshift, iand, ixor, ior;                                \
    BinaryFn floor_divide, true_divide, ifloor_divide, itrue_divide;           \
    BinaryFn matrix_multiply, imatrix_multiply;                                \
    /* sequences and mappings */                                               \
    LengthFn length;                                                           \
    BinaryFn getitem;       /* x[key]: any key */                              \
    SetItemFn setitem;      /* x[key] = v, del x[key] */                       \
    IndexFn item;           /* x[i] by position, 0 <= i; sequences only */     \
    ContainsFn contains;                                                       \
    BinaryFn concat, iconcat;                                                  \
    IndexFn repeat, irepeat;                                                   \
    /* awaiting */                                                             \
    UnaryFn await, aiter, anext;                                               \
    SendFn send;                                                               \
    /* memory */                                                               \
    BufferGetFn get_buffer;                                                    \
    BufferReleaseFn release_buffer

typedef struct TypeSlots {
    TYPE_SLOTS;
} TypeSlots;

/* `flags` of a type.  The low bits have CPython's public values (__flags__). */
#define TYPE_WEAKREFS (1u << 2)       /* instances may have weak references (not a public bit) */
#define TYPE_SEQUENCE (1u << 5)       /* matches sequence patterns */
#define TYPE_MAPPING (1u << 6)        /* matches mapping patterns */
#define TYPE_DISALLOW_NEW (1u << 7)
#define TYPE_IMMUTABLE (1u << 8)      /* attributes cannot be set */
#define TYPE_HEAP (1u << 9)
#define TYPE_BASE (1u << 10)          /* may be subclassed */
#define TYPE_VECTORCALL (1u << 11)
#define TYPE_READY (1u << 12)
#define TYPE_GC (1u << 14)
#define TYPE_METHOD_DESCR (1u << 17)  /* f(obj, ...) is what obj.f(...) calls: no bound method */
#define TYPE_ABSTRACT (1u << 20)
#define TYPE_MATCH_SELF (1u << 22)    /* class pattern C(x) binds the subject itself */
#define TYPE_INT_SUBCLASS (1u << 24)
#define TYPE_LIST_SUBCLASS (1u << 25)
#define TYPE_TUPLE_SUBCLASS (1u << 26)
#define TYPE_BYTES_SUBCLASS (1u << 27)
#define TYPE_STR_SUBCLASS (1u << 28)
#define TYPE_DICT_SUBCLASS (1u << 29)
#define TYPE_EXCEPTION_SUBCLASS (1u << 30)
#define TYPE_TYPE_SUBCLASS (1u << 31)

struct MethodDef;
struct GetterDef;
struct MemberDef;

/* A type written in C. */
typedef struct TypeSpec {
    const char *name;            /* "list", or "module.Name": __module__ is what is before the last dot */
    Type *base;                  /* NULL: object */
    size_t size;                 /* sizeof the instance struct; 0: the base's */
    size_t item_size;            /* for tuple, int, bytes: bytes of an item */
    uint32_t flags;              /* TYPE_BASE, TYPE_DISALLOW_NEW ... */
    uint32_t ops_flags;          /* OPS_ bits */
    const char *doc;             /* may begin with "name(signature)\n--\n\n" */
    const struct MethodDef *methods;
    const struct GetterDef *getters;
    const struct MemberDef *members;
    TypeSlots slots;
    bool has_dict;               /* instances have a __dict__ (attributes at run time) */
    void (*visit)(Object *o, VisitFn visit, void *arg);
    void (*clear)(Thread *th, Object *o);
    void (*finalize)(Thread *th, Object *o);
    void (*dealloc)(Thread *th, Object *o);
} TypeSpec;

struct Type {
    TypeOps ops;                 /* header, visit, clear, finalize, dealloc */
    TypeSlots s;                 /* [lock]; single words, read without lock */
    const char *name;            /* [const] of static types; heap types: UTF-8 of name_value */
    ATOMIC(uint32_t) flags;      /* TYPE_ bits */
    uint32_t root_shape;         /* [lock] shape of an instance without attributes */
    uint32_t item_size;          /* [const] */
    uint32_t attrs_offset;       /* [const] where an instance's AttrPart is; 0: no __dict__ */
    uint32_t basic_size;         /* [const] instance bytes before the AttrPart */
    uint32_t own_shape;          /* [const] the shape of the type object itself */
    ATOMIC(uint32_t) version;    /* guard for attributes of the type object; 0: none */
    Field dict;                  /* the namespace (a dict) */
    Field bases;                 /* tuple of the bases */
    Field mro;                   /* tuple, method resolution order, itself first */
    Type *base;                  /* [atomic] the base that decides the layout, read by type_base(); counted */
    Field subclasses;            /* [lock] dict or list of weak references, NULL: none */
    Field name_value, qualname;  /* str */
    Field doc_value;             /* __doc__ of static types lives in dict */
    Value slots_names;           /* [const] tuple of __slots__ names of this class, or NULL */
    uint32_t slots_offset;       /* [const] where they start */
    uint32_t slots_count;        /* [const] */
    const TypeSpec *spec;        /* [const] NULL for heap types made by a class statement */
    void *module_state;          /* for native modules' heap types */
    struct TypeExtra *extra;     /* type_lookup.c, shape.c: caches */
};

/* The base that decides the layout, NULL for object; it lives at least until the next
 * safepoint, whoever assigns to __bases__. */
static inline Type *
type_base(const Type *t)
{
    return __atomic_load_n(&t->base, __ATOMIC_ACQUIRE); /* pairs with set_base() [type.base] */
}

/* Drops what is cached about all static types (the end of an interpreter). */
void static_types_forget(Thread *th);

extern Type **const all_static_types; /* NULL-terminated; filled as types become ready */

#define SHAPE(number, symbol, where) SHAPE_##number,
enum ShapeNumber {
    SHAPE_FREE = 0, /* a free cell */
#include "objects/model/shapes.def"
    SHAPE_FIXED_END
};
#undef SHAPE

#define SHAPE(number, symbol, where)                                           \
    extern Type symbol##_type;                                                 \
    extern const TypeSpec symbol##_spec;
#include "objects/model/shapes.def"
#undef SHAPE

static inline Type *
type_at(uint32_t shape)
{
    /* relaxed: an object's shape is published after its entry, and the address depends on it */
    return (Type *)(void *)__atomic_load_n(&shape_type[shape], __ATOMIC_RELAXED);
}

/* The shape of any value: immediates have their type's root shape. */
static inline uint32_t
shape_of(Value v)
{
    if (LIKELY(value_is_object(v)))
        return object_shape(value_object(v));
    return value_is_fixnum(v) ? (uint32_t)SHAPE_INT : (uint32_t)SHAPE_FLOAT;
}

/* The type of any value (borrowed: types are not counted by holders of instances). */
static inline Type *
type_of(Value v)
{
    return type_at(shape_of(v));
}

static inline uint32_t
type_flags(const Type *t)
{
    return load_relaxed(&t->flags);
}

/* "Exactly of that type": a comparison with a constant. */
static inline bool
is_exact(Value v, uint32_t shape)
{
    return shape_of(v) == shape;
}

static inline bool
value_has_flag(Value v, uint32_t flag)
{
    return (type_flags(type_of(v)) & flag) != 0;
}

static inline bool is_int(Value v) { return value_is_fixnum(v) || value_has_flag(v, TYPE_INT_SUBCLASS); }
static inline bool is_list(Value v) { return value_has_flag(v, TYPE_LIST_SUBCLASS); }
static inline bool is_tuple(Value v) { return value_has_flag(v, TYPE_TUPLE_SUBCLASS); }
static inline bool is_bytes(Value v) { return value_has_flag(v, TYPE_BYTES_SUBCLASS); }
static inline bool is_str(Value v) { return value_has_flag(v, TYPE_STR_SUBCLASS); }
static inline bool is_dict(Value v) { return value_has_flag(v, TYPE_DICT_SUBCLASS); }
static inline bool is_type(Value v) { return value_has_flag(v, TYPE_TYPE_SUBCLASS); }
static inline bool is_exception(Value v) { return value_has_flag(v, TYPE_EXCEPTION_SUBCLASS); }
bool is_float(Value v); /* float or subclass */

static inline Value
value_of_type(const Type *t)
{
    return value_of(t);
}

static inline Type *
as_type(Value v)
{
    return (Type *)(void *)value_object(v);
}

/* Whether `t` is `base` or derives from it (by MRO; no Python code). */
bool type_is_subtype(Type *t, Type *base);

/* Whether v is an instance of `t` or of a subclass, by real type. */
static inline bool
is_instance_of(Value v, Type *t)
{
    Type *own = type_of(v);
    return own == t || type_is_subtype(own, t);
}

/* Makes a static type ready: shape, MRO, inherited slots, descriptors in its dict. */
RAISES bool type_ready_static(Thread *th, Type *type, uint32_t shape, const TypeSpec *spec);

/* Makes all types of shapes.def with where == objects ready, in order.  Start only. */
RAISES bool types_init(Thread *th);

/* Makes a type at run time from a spec, for native modules: a new reference.  `bases` is a
 * tuple or NULL (then spec->base).  `module` sets __module__ and may be NULL. */
RAISES Type *type_from_spec(Thread *th, const TypeSpec *spec, Value module, Value bases);

/* type(name, bases, namespace, **kwargs): class creation in full. */
RAISES Value type_create(Thread *th, Type *metatype, Value name, Value bases, Value namespace,
                         const Arg *kwargs, Value kwnames);

/* Allocates an instance: generic `new`.  Zeroed body; slots NULL; tracked if the type is.
 * `items`: number of items for variable-size types. */
RAISES Value type_alloc(Thread *th, Type *type, size_t items);

/* Finds `name` (an interned str) along the MRO: a new reference, or NULL without an exception. */
Value type_lookup(Thread *th, Type *type, Value name);
/* The same where no Python code may run: false if only the __eq__ of a namespace's key can tell. */
bool type_lookup_quiet(Thread *th, Type *type, Value name, Value *v);
/* The same, not counted: valid until the next safepoint, drop or call (no_safepoint section). */
BORROWED Value type_lookup_borrowed(Thread *th, Type *type, Value name);

/* After the dict, bases or mro of `type` changed: versions to 0, slots recomputed, for it and
 * all subclasses.  name NULL: everything. */
void type_modified(Thread *th, Type *type, Value name);

/* The name shown in messages: without module for builtins as CPython's tp_name. */
const char *type_name(const Type *type);
static inline const char *
type_name_of(Value v)
{
    return type_name(type_of(v));
}

/* Adds an attribute to a static type while the runtime starts. */
RAISES bool type_set_static(Thread *th, Type *type, const char *name, Value STEALS v);

#endif
