/* struct_format.h -- formats of module _struct, compiled. */
#ifndef MODULES_STRUCT_FORMAT_H
#define MODULES_STRUCT_FORMAT_H

#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/text/bytes.h"

enum { ORDER_NATIVE, ORDER_LITTLE, ORDER_BIG };

/* One or several values of the same kind. */
typedef struct StructItem {
    char code;        /* the format character */
    uint8_t order;    /* ORDER_ */
    int64_t size;     /* bytes of one value */
    int64_t offset;   /* of the first */
    int64_t count;    /* how many */
} StructItem;

/* Lives in a bytes object, so that it is counted like any other. */
typedef struct StructProgram {
    int64_t size;     /* bytes in all */
    int64_t values;   /* how many values are packed */
    int64_t items_count;
    StructItem items[];
} StructProgram;

static inline const StructProgram *
program_of(Value bytes)
{
    return (const StructProgram *)(const void *)as_bytes(bytes)->data;
}

extern Type struct_error; /* struct.error */

/* Compiles a format (str or bytes): a bytes object with a StructProgram. */
RAISES Value struct_compile(Thread *th, Value format);
/* Writes the values to p, which has room for program->size bytes. */
RAISES bool struct_pack_values(Thread *th, const StructProgram *program, uint8_t *p,
                               const Arg *args);
/* Reads the values at p: a tuple. */
RAISES Value struct_unpack_values(Thread *th, const StructProgram *program, const uint8_t *p);

#endif
