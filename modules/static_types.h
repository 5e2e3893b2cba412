/* static_types.h -- types of native modules that belong to the process, made ready once. */
#ifndef MODULES_STATIC_TYPES_H
#define MODULES_STATIC_TYPES_H

#include "objects/model/type.h"

typedef struct StaticType {
    Type *type;
    const TypeSpec *spec;
} StaticType;

/* Makes the types ready, bases first, unless that is done already.  Any thread, any time. */
RAISES bool static_types_ready(Thread *th, const StaticType *types, size_t n);

#endif
