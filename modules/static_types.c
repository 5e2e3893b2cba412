/* static_types.c -- types of native modules that belong to the process, made ready once.
 *
 * A module that is executed in several interpreters, or by several threads at once, shares its
 * static types; `busy` lets one thread at a time make types ready, and the others wait offline.
 */
#include "modules/static_types.h"

#include "threads/blocking.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"

static ATOMIC(uint8_t) busy;

/* The number that shapes.def gives to instances of `type`; 0: any. */
static uint32_t
fixed_shape(const Type *type)
{
#define SHAPE(number, symbol, where) SHAPE_##where(number, symbol)
#define SHAPE_objects(number, symbol)
#define SHAPE_vm(number, symbol)
#define SHAPE_modules(number, symbol)                                                             \
    if (type == &symbol##_type)                                                                   \
        return SHAPE_##number;
#include "objects/model/shapes.def"
#undef SHAPE
#undef SHAPE_objects
#undef SHAPE_vm
#undef SHAPE_modules
    return 0;
}

bool
static_types_ready(Thread *th, const StaticType *types, size_t n)
{
    uint8_t idle = 0;
    while (!cas_acquire(&busy, &idle, 1)) { /* pairs with the release below [static_types.busy] */
        blocking_begin(th);
        os_yield();
        blocking_end(th);
        idle = 0;
    }
    bool good = true;
    for (size_t i = 0; good && i < n; i++)
        good = (type_flags(types[i].type) & TYPE_READY) != 0 ||
               type_ready_static(th, types[i].type, fixed_shape(types[i].type), types[i].spec);
    store_release(&busy, 0); /* pairs with the acquire above [static_types.busy] */
    return good;
}
