/* upcall.h -- the table of what objects/ asks of core/; see upcall.def. */
#ifndef OBJECTS_MODEL_UPCALL_H
#define OBJECTS_MODEL_UPCALL_H

#include "objects/model/type.h"

typedef struct Upcalls {
#define UPCALL(result, name, params, args) result(*name) params;
#include "objects/model/upcall.def"
#undef UPCALL
} Upcalls;

extern Upcalls upcalls; /* [const] after start */

#endif
