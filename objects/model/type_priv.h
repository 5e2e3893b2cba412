/* type_priv.h -- what the files that make types work share: TypeExtra, slot table, steps of making.
 *
 * Locks: types_lock is a leaf lock over the subclass lists, the guards and the filling
 * of lookup tables of all types; nothing is allocated as an object, dropped or called
 * under it.  It may be taken while no object lock is held.
 */
#ifndef OBJECTS_MODEL_TYPE_PRIV_H
#define OBJECTS_MODEL_TYPE_PRIV_H

#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/shape.h"
#include "objects/text/str.h"
#include "threads/mutex.h"

/* attrs_offset of types whose instances vary in length: the AttrPart is found from the end
 * of the cell (instance.c). */
#define ATTRS_TAIL 1u

/* Types that keep their instances' attributes in a dict of their own making. */
enum OwnDict { OWN_DICT_NONE, OWN_DICT_MODULE, OWN_DICT_TYPE };

struct LookupTable;

typedef struct TypeExtra {
    ATOMIC(struct LookupTable *) cache; /* [lock] types_lock; read without */
    ATOMIC(uint8_t) guarded;            /* [lock] a guard was given since the last change */
    uint8_t own_dict;                   /* [const] enum OwnDict */
    bool tail;                          /* [const] instances vary in length */
    uint32_t slots_start;               /* [const] where the words of __slots__ begin */
    uint32_t tail_slots;                /* [const] words of __slots__ at the end of the cell */
    uint32_t inline_capacity;           /* [lock] of the newest root shape */
    uint32_t attributes;                /* [const] what instances were expected to have */
    ATOMIC(Shape *) shapes;             /* [lock] type's object lock; all shapes, newest first */
    ATOMIC(uint32_t) shape_count;
    ATOMIC(Shape *) dict_shape;         /* the shape of instances in dictionary mode, or NULL */
    ATOMIC(uint8_t) dict_promised;      /* a number is kept for it; who takes that makes it */
    Type **subs;                        /* [lock] types_lock; direct subclasses, uncounted */
    uint32_t sub_count, sub_capacity;
    Value linked;                       /* [lock] types_lock; the tuple of bases in whose lists the
                                           type stands, counted; NULL: in none */
    Interp *interp;                     /* [const] NULL for static types */
    /* What the nearest type written in C does with its part of an instance; NULL: nothing. */
    void (*native_visit)(Object *o, VisitFn visit, void *arg);
    void (*native_clear)(Thread *th, Object *o);
    void (*native_finalize)(Thread *th, Object *o);
    void (*native_dealloc)(Thread *th, Object *o);
    struct MemberDef *slot_members;     /* [const] definitions of the __slots__, owned */
    struct GetterDef *slot_getters;     /* [const] the same for types with a tail, owned */
    char **slot_texts;                  /* [const] names in them, owned */
    char *owned_name;                   /* [const] copy of a spec's name, owned; or NULL */
} TypeExtra;

extern ByteLock types_lock;

/* -- type_lookup.c -- */
/* Round every change of a type's dict, bases or mro: between them nothing about the type and
 * its subclasses is cached.  name NULL: any name.  They nest. */
void type_modify_begin(Thread *th, Type *type, Value name);
/* The same if neither the old nor the new value is a data descriptor and `name` is no dunder. */
void type_modify_begin_mild(Thread *th, Type *type, Value name);
void type_modify_end(Thread *th);
void type_lookup_forget(Thread *th, Type *type); /* drops the type's lookup table */
void type_lookup_visit(Type *type, VisitFn visit, void *arg);
/* Finds `name` in the mro behind `after`; new reference or NULL. */
Value type_lookup_after(Thread *th, Type *type, Type *after, Value name);
/* The first type in the mro whose dict has `name`, BORROWED; *v: what it has, new.  NULL with an
 * exception if a key's __eq__ raised one: it hides what comes later in the mro. */
Type *type_lookup_where(Thread *th, Type *type, Value name, Value *v);
/* Enters `sub` in the lists of its present bases, after taking it out of those it stood in.
 * Whoever assigns to `bases` calls this afterwards, so the last assignment decides. */
RAISES bool type_subclass_relink(Thread *th, Type *sub);
/* Takes a dying type, or one that is garbage, out of its bases' lists. */
void type_subclass_unlink(Thread *th, Type *sub);
/* Calls fn for each type below `type`, itself first, under types_lock; a type may come twice. */
void type_tree_locked(Type *type, void (*fn)(Type *t, void *arg), void *arg);

/* -- type_mro.c -- */
/* Computes the mro from bases (calling the metatype's mro()): a new tuple. */
RAISES Value mro_compute(Thread *th, Type *type, Value bases);
RAISES Value mro_c3(Thread *th, Type *type, Value bases);
/* The base that decides the layout, by CPython's rules; NULL with TypeError. */
Type *type_best_base(Thread *th, Value bases);
/* The nearest type that adds to the layout of instances. */
Type *type_solid(Type *t);
RAISES bool type_assign_bases(Thread *th, Type *type, Value bases);
RAISES Value type_subclasses_list(Thread *th, Type *type);
RAISES bool layout_compatible(Thread *th, Type *old, Type *new_, const char *what);

/* -- type_slots.c, slot_update.c, wrapper.c: the table of slots.def -- */
enum WrapKind {
    WRAP_UNARY, WRAP_BINARY_L, WRAP_BINARY_R, WRAP_INPLACE, WRAP_POWER_L, WRAP_POWER_R,
    WRAP_IPOWER, WRAP_LENGTH, WRAP_REPEAT, WRAP_IREPEAT, WRAP_ITEM, WRAP_SETITEM, WRAP_DELITEM,
    WRAP_CONTAINS, WRAP_HASH, WRAP_CALL, WRAP_LT, WRAP_LE, WRAP_EQ, WRAP_NE, WRAP_GT, WRAP_GE,
    WRAP_NEXT, WRAP_INIT, WRAP_GET, WRAP_SET, WRAP_DELETE, WRAP_GETATTR, WRAP_SETATTR,
    WRAP_DELATTR, WRAP_TRUTH, WRAP_DEL, WRAP_NONE,
};

typedef void (*SlotFn)(void); /* any slot function */

typedef struct SlotDef {
    const char *name;   /* "__add__" */
    uint16_t offset;    /* of the slot in TypeSlots; SLOT_FINALIZE for __del__ */
    uint8_t wrap;       /* enum WrapKind; WRAP_NONE: no wrapper is made */
    SlotFn generic;     /* calls the dunders; NULL: the slot is then empty */
    const char *doc;    /* with signature */
} SlotDef;

#define SLOT_FINALIZE 0xffffu
extern const SlotDef slot_defs[];
extern const size_t slot_def_count;
extern Value slot_names[]; /* interned names of slot_defs, [const] after slots_init() */

static inline SlotFn *
slot_at(Type *t, size_t offset)
{
    return (SlotFn *)(void *)((char *)&t->s + offset);
}

RAISES bool slots_init(Thread *th);
/* Fills the slots of a class from what its mro has; name NULL: all, else those of one dunder. */
void slots_update(Thread *th, Type *type, Value name);
/* The same for the type and all its subclasses, one thread at a time. */
void slots_update_tree(Thread *th, Type *type, Value name);
bool slot_name_is_dunder(Value name);
/* Wrapper descriptors for the slots that `own` fills, into the dict of `type`. */
RAISES bool slots_add_wrappers(Thread *th, Type *type, const TypeSlots *own, Value dict);
RAISES Value wrapper_descr_new(Thread *th, Type *type, const SlotDef *def, SlotFn fn);
/* Copies what a static type leaves empty from its base. */
void slots_inherit(Type *type, const Type *base);

typedef struct WrapperDescr {
    struct Object head;
    Type *type;          /* [const] counted */
    const SlotDef *def;  /* [const] */
    SlotFn fn;           /* [const] the slot function it calls */
    Value name;          /* [const] */
} WrapperDescr;

/* Generic slots that other files compare with. */
Value slot_getattr_hook(Thread *th, Value self, Value name);
Value slot_getattribute(Thread *th, Value self, Value name);
Value slot_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames);
bool slot_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
void slot_finalize(Thread *th, Object *o);
extern const MethodDef type_new_def; /* the def of every __new__ made for a C type */

/* Calls the dunder found on the type: args[0] is self.  *missing: there is none. */
Value dunder_call(Thread *th, Value name, const Value *args, size_t n, bool *missing);

/* -- type_ready.c -- */
void types_init_c(void); /* the first half of types_init(): shapes, slots, sizes; no objects */
TypeExtra *type_extra_new(void);
/* Fills visit, clear, finalize, dealloc, sizes and flags from base and spec. */
void type_set_memory(Type *type, Type *base, const TypeSpec *spec);
RAISES bool type_make_root(Thread *th, Type *type);
/* Adds methods, getters, members and __doc__ of a spec to a dict. */
RAISES bool type_add_spec(Thread *th, Type *type, const TypeSpec *spec, Value dict);
void type_inherit_flags(Type *type);
/* New header for a type object of metatype `meta`; zeroed. */
RAISES Type *type_object_new(Thread *th, Type *meta);

/* -- type_new.c -- */
RAISES Type *metatype_derive(Thread *th, Type *meta, Value bases);
RAISES bool type_call_set_names(Thread *th, Type *type);
RAISES bool type_call_init_subclass(Thread *th, Type *type, const Arg *kwargs, Value kwnames);

/* -- type.c -- */
Value type_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value type_new(Thread *th, Type *meta, const Arg *args, size_t nargs, Value kwnames);
Value type_qualname(Thread *th, Type *type); /* new reference */
RAISES Value type_dict_proxy(Thread *th, Type *type); /* __dict__ of a type */
Value type_module(Thread *th, Type *type);   /* new reference; any object, NULL: error */
void type_visit(Object *o, VisitFn visit, void *arg);
void type_clear(Thread *th, Object *o);
void type_dealloc(Thread *th, Object *o);

/* -- attr.c: NO: absent, without making an AttributeError -- */
Answer generic_get_attr_optional(Thread *th, Value o, Value name, Value *out);
Answer type_get_attr_optional(Thread *th, Value type, Value name, Value *out);
Answer module_getattr_optional(Thread *th, Value module, Value name, Value *out); /* module.c */
Value module_getattr(Thread *th, Value module, Value name);

/* Whether the caches and tables of attributes can be asked for this name as it is. */
static inline bool
is_plain_name(Value name)
{
    return is_exact(name, SHAPE_STR) && str_is_interned(name);
}
/* Calls fn with the interned form of a name that is none; TypeError if it is no str. */
Value get_attr_by(Thread *th, Value o, Value name, GetAttrFn fn);
bool set_attr_by(Thread *th, Value o, Value name, Value v, SetAttrFn fn);

/* -- wrapper.c -- */
/* The text of a doc string behind its signature; `name` without module. */
const char *doc_body(const char *name, const char *doc);
/* "(self, a)" or None. */
RAISES Value doc_signature(Thread *th, const char *name, const char *doc);

/* -- object.c -- */
Value object_new_instance(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames);
bool object_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value object_repr(Thread *th, Value self);
Value object_str(Thread *th, Value self);
RAISES bool object_set_class(Thread *th, Value self, Value cls);
Value object_reduce_ex(Thread *th, Value self, Value protocol);
Value object_reduce(Thread *th, Value self);
Value object_getstate(Thread *th, Value self);
RAISES Value object_dir(Thread *th, Value self);
RAISES Value type_dir(Thread *th, Value self);

/* -- instance.c -- */
extern const GetterDef instance_dict_getter, instance_weakref_getter;
/* A copy of the attributes as a dict, without changing the instance; NULL without exception if
 * it can have none. */
Value instance_dict_copy(Thread *th, Value o, bool *has_none);
bool instance_has_dict(Value o);
/* Gives `o` the shape of `to` with the same names. */
RAISES bool instance_rebase(Thread *th, Object *o, Type *to);

/* An interned exact str equal to `name` (a str): new reference. */
RAISES Value name_interned(Thread *th, Value name);
/* TypeError for the name of an attribute that is no str: false. */
bool raise_bad_name(Thread *th, Value name);

RAISES bool names_fill(Thread *th);
#endif
