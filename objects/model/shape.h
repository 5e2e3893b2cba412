/* shape.h -- Shape: which attribute is where in the instances of a class.
 *
 * The shapes of a class form trees: a root for each inline capacity it ever had, and one
 * child for each (shape, next name).  A shape is a prefix of a ShapeKeys: name i is in
 * slot i.  Shapes along one line of descent share their ShapeKeys, which only grows.
 *
 * All of it is append-only and read without locks; a transition is added under the
 * object lock of the type.  Shapes live as long as their type and a grace period more.
 */
#ifndef OBJECTS_MODEL_SHAPE_H
#define OBJECTS_MODEL_SHAPE_H

#include "objects/model/type.h"

#define SHAPE_NAMES_MAX 64u   /* attributes an instance may have before dictionary mode */
#define SHAPES_PER_TYPE 128u  /* shapes of a class before new ones go to dictionary mode */

typedef struct ShapeKeys {
    ATOMIC(uint32_t) used;     /* [lock] type's */
    uint32_t capacity;         /* [const] */
    uint32_t mask;             /* [const] of index[] */
    uint32_t refs;             /* [lock] type's; shapes that use it */
    Value *names;              /* [lock] counted; names[0 .. used-1] never change */
    ATOMIC(uint8_t) index[];   /* 0: free, else slot + 1; probed linearly */
} ShapeKeys;

typedef struct Shape Shape;
struct Shape {
    uint32_t number;           /* [const] index into shape_type and its sisters */
    uint32_t count;            /* [const] names */
    uint32_t inline_capacity;  /* [const] slots inside the instance */
    bool dict_mode;            /* [const] */
    Type *type;                /* [const] */
    ShapeKeys *keys;           /* [const] NULL while count is 0 */
    ATOMIC(Shape *) children;  /* [lock] type's; newest first */
    ATOMIC(Shape *) sibling;   /* [const] after publication */
    Shape *next;               /* [const] the type's list */
};

static inline Shape *
shape_at(uint32_t number)
{
    /* pairs with shape_enter() [shape.table] */
    return __atomic_load_n(&shape_info[number], __ATOMIC_ACQUIRE);
}

static inline uint32_t
name_hash_word(Value name)
{
    return (uint32_t)((value_bits(name) >> 4) * 0x9e3779b97f4a7c15u >> 32);
}

/* The slot of `name` in a shape, -1 if it has none. */
static inline int
shape_find(const Shape *s, Value name)
{
    const ShapeKeys *k = s->keys;
    if (k == NULL)
        return -1;
    for (uint32_t i = name_hash_word(name);; i++) {
        uint32_t at = load_acquire(&k->index[i & k->mask]); /* pairs with keys_append() */
        if (at == 0)
            return -1;
        if (k->names[at - 1] == name)
            return at - 1 < s->count ? (int)(at - 1) : -1;
    }
}

/* The first shape of a type, which is promised what its dictionary mode needs; NULL: no memory, or
 * there are no numbers even after collections, which run Python code (no exception). */
Shape *shape_root_first(Thread *th, Type *type, uint32_t inline_capacity, bool dict_mode);
/* The one shape of a built-in type of shapes.def. */
void shape_root_fixed(Type *type, uint32_t number);
/* The child of `s` for `name`, made if there is none; NULL: the instance must go to
 * dictionary mode. */
Shape *shape_child(Thread *th, Shape *s, Value name);
/* The child if it exists. */
Shape *shape_child_find(const Shape *s, Value name);
/* The shape of instances in dictionary mode; NULL with MemoryError. */
RAISES Shape *shape_dict_mode(Thread *th, Type *type);
/* A root with that capacity; NULL: the instances must go to dictionary mode, or on as they are. */
Shape *shape_root_for(Thread *th, Type *type, uint32_t inline_capacity);
/* Instances of shape `s` outgrow their inline slots: the type's next ones get more. */
void shape_outgrown(Thread *th, Shape *s);
/* Frees all shapes of a dying type. */
void shapes_free(Thread *th, Type *type);

#endif
