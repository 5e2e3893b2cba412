/* model.h -- the objects a class is made of: instances, modules, methods, cells, descriptors. */
#ifndef OBJECTS_MODEL_MODEL_H
#define OBJECTS_MODEL_MODEL_H

#include "objects/model/native.h"
#include "objects/model/type.h"

/* -- instance.c, shape.c: attributes of instances --
 * A type with attrs_offset != 0 has an AttrPart in its instances: `extra` and then inline slots.
 * The object's shape says which name is in which slot.  Slot i < inline capacity of the shape is
 * part->slots[i]; the others are in the overflow array that `extra` points to.  A slot belongs to
 * one name for the object's life (rules C1).  In dictionary mode the shape has `dict_mode` set and
 * `extra` is a dict. */
typedef struct AttrPart {
    ATOMIC(uintptr_t) extra; /* 0; overflow array | 1; or a dict (counted Value): see instance.c */
    Field slots[];           /* [lock], read without */
} AttrPart;

AttrPart *attr_part_tail(Object *o, const Type *t); /* instances of varying length: at the cell's end */

static inline AttrPart *
attr_part(Object *o, const Type *t)
{
    if (UNLIKELY(t->attrs_offset == 1))
        return attr_part_tail(o, t);
    return (AttrPart *)(void *)((char *)o + t->attrs_offset);
}

/* A new reference to instance attribute `name` (interned), or NULL: without exception, unless a key's
 * __eq__ raised one. */
Value instance_get(Thread *th, Value o, Value name);
RAISES bool instance_set(Thread *th, Value o, Value name, Value v);
Answer instance_delete(Thread *th, Value o, Value name);       /* NO: absent */
/* The instance's __dict__: a dict whose changes are the instance's (switches it to dictionary mode
 * on first use).  New reference. */
RAISES Value instance_dict(Thread *th, Value o);
RAISES bool instance_set_dict(Thread *th, Value o, Value dict);
/* For inline caches: byte offset of the inline slot that holds `name` in objects of shape `shape`,
 * 0 if there is none.  Valid for the shape for ever. */
uint32_t shape_slot_offset(uint32_t shape, Value name);
/* Shape after adding `name`, if its slot is inline: *offset is where.  0: no such transition. */
uint32_t shape_transition(Thread *th, uint32_t shape, Value name, uint32_t *offset);
/* The guard of a shape or type for caches, making one if it is 0 (may stay 0: do not cache). */
uint32_t shape_guard(Thread *th, uint32_t shape);
/* The same for `type->version`: attributes of the type object itself (Cls.name). */
uint32_t type_guard(Thread *th, Type *type);
/* For caches of class attributes found through `type`: an index into attr_cache whose entry is
 * `v` for as long as the guard is valid (rules C2, C3); 0: none left. */
#define ATTR_CACHE_MAX (1u << 20)
extern Field attr_cache[ATTR_CACHE_MAX];
uint32_t attr_cache_index(Thread *th, uint32_t guard, Value name, Value v);
void instance_visit(Object *o, VisitFn visit, void *arg);      /* slots, AttrPart, base's fields */
void instance_clear(Thread *th, Object *o);
void instance_dealloc(Thread *th, Object *o);

/* -- cell.c -- */
typedef struct Cell { struct Object head; Field content; } Cell;
RAISES Value cell_new(Thread *th, Value v);                    /* v may be NULL */

/* -- module.c -- */
typedef struct Module {
    struct Object head;
    Value dict;              /* [const] counted */
    const ModuleSpec *spec;  /* [const] NULL for modules made in Python */
    void *state;             /* [const] spec->state_size bytes */
    ATOMIC(uint8_t) executed; /* [atomic] spec->exec has been called */
} Module;
RAISES Value module_new(Thread *th, Value name);               /* with __name__, __doc__ ... set */
RAISES Value module_from_spec(Thread *th, const ModuleSpec *spec); /* functions added, not executed */
/* Fills a module made by module_from_spec(), once; later calls, and those for other modules, do nothing (PEP 489). */
RAISES bool module_execute(Thread *th, Value m);
static inline Value module_dict(Value m) { return ((Module *)(void *)value_object(m))->dict; } /* BORROWED, const */
static inline void *module_state(Value m) { return ((Module *)(void *)value_object(m))->state; }
RAISES bool module_add(Thread *th, Value m, const char *name, Value STEALS v); /* NULL v: fails */
RAISES bool module_add_int(Thread *th, Value m, const char *name, int64_t n);
RAISES bool module_add_str(Thread *th, Value m, const char *name, const char *text);
RAISES bool module_add_type(Thread *th, Value m, Type *type);  /* under its short name; keeps a reference */
RAISES bool module_add_methods(Thread *th, Value m, const MethodDef *defs);

/* -- method.c, descriptor.c, property.c, super.c, namespace.c, capsule.c -- */
typedef struct Method { struct Object head; Value function, self; } Method; /* [const] */
RAISES Value method_new(Thread *th, Value function, Value self);
typedef struct NativeFunction {
    struct Object head;
    const MethodDef *def;    /* [const] */
    Value self;              /* [const] or NULL */
    Value module;            /* [const] name of its module, or NULL */
    Type *owner;             /* [const] for METHOD_CLASS: defining type, or NULL */
} NativeFunction;
typedef struct MethodDescr {
    struct Object head;
    Type *type;              /* [const] counted */
    const MethodDef *def;    /* [const] */
    Value name;              /* [const] */
} MethodDescr;
typedef struct GetsetDescr {
    struct Object head;
    Type *type;              /* [const] counted */
    const GetterDef *def;    /* [const] */
    Value name;              /* [const] */
} GetsetDescr;
typedef struct MemberDescr {
    struct Object head;
    Type *type;              /* [const] counted */
    const MemberDef *def;    /* [const] */
    Value name;              /* [const] */
} MemberDescr;
typedef struct Property {
    struct Object head;
    Field get, set, del, doc, name;
    ATOMIC(uint8_t) getter_doc; /* doc was taken from the getter */
} Property;
RAISES Value property_new(Thread *th, Value get, Value set, Value del, Value doc);
RAISES Value classmethod_new(Thread *th, Value f);
RAISES Value staticmethod_new(Thread *th, Value f);
RAISES Value super_new(Thread *th, Type *type, Value object);  /* super(type, object) */
/* super(type, object).name, without making the super object; `name` is interned. */
RAISES Value super_get_attr(Thread *th, Type *type, Value object, Value name);
/* The same, but *unbound: the result is a function or method descriptor that is to be called with
 * `object` in front. */
RAISES Value super_get_method(Thread *th, Type *type, Value object, Value name, bool *unbound);
RAISES Value mappingproxy_new(Thread *th, Value mapping);
RAISES Value namespace_new(Thread *th, Value kwargs_dict);     /* SimpleNamespace; may be NULL */
RAISES Value capsule_new(Thread *th, void *p, const char *name);
void *capsule_pointer(Value v, const char *name);
RAISES Value weakref_new(Thread *th, Value referent, Value callback); /* weakref.ref; callback may be NULL */
RAISES Value weakproxy_new(Thread *th, Value referent, Value callback);
Value weakref_get(Thread *th, Value ref);                      /* new reference or NULL */

/* -- typing/ -- */
RAISES Value generic_alias_new(Thread *th, Value origin, Value args); /* list[int] */
RAISES Value union_new(Thread *th, Value a, Value b);          /* a | b of types; NOT_IMPLEMENTED */

#endif
