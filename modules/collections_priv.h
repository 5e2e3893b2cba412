/* collections_priv.h -- what the files of module _collections share. */
#ifndef MODULES_COLLECTIONS_PRIV_H
#define MODULES_COLLECTIONS_PRIV_H

#include "modules/static_types.h"
#include "objects/container/container.h"
#include "objects/container/fast.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

/* collections_deque.c */
extern Type deque_type, deque_iterator_type, deque_reverse_iterator_type;
extern const TypeSpec deque_spec, deque_iterator_spec, deque_reverse_iterator_spec;
/* collections_odict.c */
extern Type ordered_dict_type, odict_node_type, odict_iterator_type, odict_keys_type,
    odict_values_type, odict_items_type;
extern const TypeSpec ordered_dict_spec, odict_node_spec, odict_iterator_spec, odict_keys_spec,
    odict_values_spec, odict_items_spec;

/* __class_getitem__ */
Value collections_class_getitem(Thread *th, Value type, Value item);

#define CLASS_GETITEM                                                                              \
    {.name = "__class_getitem__", .f1 = collections_class_getitem,                                 \
     .flags = METHOD_1 | METHOD_CLASS, .nmin = 1, .nmax = 1, .doc = "See PEP 585"}

#endif
