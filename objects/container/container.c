/* container.c -- starting the containers (nothing must be made at run time); what concerns several of them. */
#include "objects/container/container_priv.h"
#include "objects/container/fast.h"

bool
container_init(Thread *th)
{
    (void)th; /* the static objects (empty tuple, empty tables) are complete as they are */
    return true;
}

Answer
contains_quick(Thread *th, Value container, Value v)
{
    switch (shape_of(container)) {
    case SHAPE_SET:
    case SHAPE_FROZENSET:
        return set_contains_quick(th, container, v);
    case SHAPE_DICT: {
        Dict *d = (Dict *)(void *)value_object(container);
        object_touch(th, &d->head);
        DictTable *t = dict_table(d);
        if (UNLIKELY(t->stride != DICT_COMPACT || !dict_key_is_compact(v)))
            return FAILED;
        size_t slot;
        DictEntry *e = dict_compact_search(t, v, dict_compact_hash(v), &slot);
        return e != NULL && load_acquire(&e->value) != NULL ? YES : NO; /* [dict.value] */
    }
    case SHAPE_STR:
        if (!is_exact(v, SHAPE_STR))
            return FAILED;
        return str_contains(th, container, v);
    default:
        return FAILED;
    }
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
