/* typing.h -- generic aliases (list[int]) and unions (int | str), for the rest of the program.
 *
 * Both are immutable but for what is computed on first use.
 */
#ifndef OBJECTS_TYPING_TYPING_H
#define OBJECTS_TYPING_TYPING_H

#include "objects/model/type.h"

typedef struct GenericAlias {
    struct Object head;
    Value origin;            /* [const] */
    Value args;              /* [const] tuple */
    Field parameters;        /* tuple, or NULL until asked for */
    ATOMIC(uint8_t) starred; /* *list[int]: iteration made it */
} GenericAlias;

typedef struct Union {
    struct Object head;
    Value args;              /* [const] tuple */
    Field parameters;        /* tuple, or NULL until asked for */
} Union;

/* The types a union consists of; lives as long as the union. */
BORROWED static inline Value
union_args(Value v)
{
    return ((Union *)(void *)value_object(v))->args;
}

/* Whether `v` is a generic alias (or of a subclass). */
bool is_generic_alias(Value v);

/* The type variables in a tuple of type arguments, each once, in order: a tuple. */
RAISES Value typing_parameters(Thread *th, Value args);

/* `args` with `parameters` replaced by what `item` gives: a tuple.  `self` is for messages. */
RAISES Value typing_substitute(Thread *th, Value self, Value args, Value parameters, Value item);

/* The union of the types in a tuple, as `a | b | c` gives it. */
RAISES Value union_of_tuple(Thread *th, Value types);

/* One type as annotations show it: "int", "module.Name", "...", "None". */
struct StrBuilder;
RAISES bool typing_repr_item(Thread *th, struct StrBuilder *b, Value v);

#endif
