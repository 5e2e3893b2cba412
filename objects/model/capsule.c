/* capsule.c -- a C pointer as an object, with a name that tells what it points to.
 *
 * Both are constant; the name is static text of the maker.
 */
#include "objects/model/model.h"

#include "objects/error/error.h"
#include "objects/text/str.h"

#include <string.h>

typedef struct Capsule {
    struct Object head;
    void *pointer;    /* [const] */
    const char *name; /* [const] or NULL */
} Capsule;

Value
capsule_new(Thread *th, void *p, const char *name)
{
    Object *o = object_new_fast(th, SHAPE_CAPSULE, sizeof(Capsule), false);
    if (o == NULL)
        return NULL;
    Capsule *c = (Capsule *)(void *)o;
    c->pointer = p;
    c->name = name;
    return value_of(c);
}

void *
capsule_pointer(Value v, const char *name)
{
    if (!is_exact(v, SHAPE_CAPSULE))
        return NULL;
    const Capsule *c = (const Capsule *)(const void *)value_object(v);
    bool same = name == NULL || c->name == NULL ? name == c->name : strcmp(name, c->name) == 0;
    return same ? c->pointer : NULL;
}

static Value
capsule_repr(Thread *th, Value self)
{
    const Capsule *c = (const Capsule *)(const void *)value_object(self);
    const char *quote = c->name ? "\"" : "";
    return str_format_c(th, "<capsule object %s%s%s at %p>", quote, c->name ? c->name : "NULL",
                        quote, (void *)self);
}

static void
dealloc(Thread *th, Object *o)
{
    (void)th;
    (void)o;
}

Type capsule_type;
const TypeSpec capsule_spec = {
    .name = "PyCapsule",
    .size = sizeof(Capsule),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_IMMUTABLE,
    .doc = "Capsule objects let you wrap a C \"void *\" pointer in a Python\n"
           "object.  They're a way of passing data through the Python interpreter\n"
           "without creating your own custom type.",
    .slots = {.repr = capsule_repr},
    .dealloc = dealloc,
};
