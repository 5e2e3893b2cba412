/* names.h -- interned names the runtime itself uses: NAME(append), NAME(__init__). */
#ifndef OBJECTS_MODEL_NAMES_H
#define OBJECTS_MODEL_NAMES_H

#include "base/value.h"

typedef struct Names {
#define N(x) Value x;
#include "objects/model/names.def"
#undef N
    Value end_;
} Names;

/* [const] after text_init(); immortal interned strs. */
extern Names names;
#define NAME(x) (names.x)

#endif
