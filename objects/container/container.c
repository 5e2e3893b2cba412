/* container.c -- starting the containers (nothing must be made at run time); what concerns several of them. */
#include "objects/container/container_priv.h"
#include "objects/container/fast.h"

bool
container_init(Thread *th)
{
    (void)th; /* the static objects (empty tuple, empty tables) are complete as they are */
    return true;
}

bool
iter_gives_pairs(Value it)
{
    switch (shape_of(it)) {
    case SHAPE_DICT_ITEM_ITER:
    case SHAPE_ENUMERATE:
        return true;
    case SHAPE_ZIP:
        return zip_of_two(it);
    default:
        return false;
    }
}

Answer
iter_next_pair(Thread *th, Value it, Value *first, Value *second)
{
    switch (shape_of(it)) {
    case SHAPE_DICT_ITEM_ITER:
        return dict_items_next_pair(th, it, first, second);
    case SHAPE_ENUMERATE:
        return enumerate_next_pair(th, it, first, second);
    default:
        return zip_next_pair(th, it, first, second);
    }
}
