/* array_data.h -- the storage of array.array: items of one C type, in memory of their own. */
#ifndef MODULES_ARRAY_DATA_H
#define MODULES_ARRAY_DATA_H

#include "objects/error/error.h"
#include "objects/model/model.h"

/* What an item is. */
typedef struct ItemKind {
    char code;            /* typecode */
    int8_t size;          /* bytes */
    bool is_integer, is_signed;
    int8_t machine_code;  /* how pickles name the layout on this machine */
    const char *format;   /* of the buffer protocol */
    Value (*get)(Thread *th, const uint8_t *p);
    bool (*set)(Thread *th, Value v, uint8_t *p);
} ItemKind;

extern const ItemKind item_kinds[]; /* ended by code 0 */
const ItemKind *item_kind_find(uint32_t code); /* NULL: none */

/* Memory for items; readers without lock go by its capacity. */
typedef struct ArrayData {
    int64_t capacity;     /* [const] bytes */
    uint8_t bytes[];      /* items: written under the lock, read without */
} ArrayData;

typedef struct Array {
    struct Object head;
    const ItemKind *kind;        /* [const] */
    ATOMIC(int64_t) length;      /* [lock], read without: items */
    ATOMIC(ArrayData *) data;    /* [lock], read without; NULL when empty; old ones are retired */
    int64_t exports;             /* [lock] buffers that pin `data` */
} Array;

static inline Array *
as_array(Value v)
{
    return (Array *)(void *)value_object(v);
}

static inline int64_t
array_length(const Array *a)
{
    return load_acquire(&a->length); /* pairs with the stores of array_change() */
}

/* Replaces `remove` items from `at` on by n items at src.  `at` -1 means the end.  src may be NULL:
 * zeros.  False with IndexError-less exception: BufferError, MemoryError; *stale is set, without an
 * exception, when the items at `at` do not exist (any more). */
RAISES bool array_change(Thread *th, Array *a, int64_t at, int64_t remove, const uint8_t *src,
                         int64_t n, bool *stale);
/* Copies the bytes of item i to p; false if there is no such item. */
bool array_read(Thread *th, Array *a, int64_t i, uint8_t *p);
/* Writes item i; false if there is no such item. */
bool array_write(Thread *th, Array *a, int64_t i, const uint8_t *p);
/* A snapshot of all items as bytes: a bytes object. */
RAISES Value array_bytes(Thread *th, Array *a);
/* Item i as a value; NULL without exception if there is none. */
Value array_item(Thread *th, Array *a, int64_t i);

#endif
