/* bytes.h -- bytes, bytearray, memoryview, for the rest of the program. */
#ifndef OBJECTS_TEXT_BYTES_H
#define OBJECTS_TEXT_BYTES_H

#include "objects/model/type.h"

typedef struct Bytes {
    struct Object head;
    int64_t length;        /* [const] */
    ATOMIC(int64_t) hash;  /* [atomic] 0 until computed */
    uint8_t data[];        /* [const]; a zero byte follows */
} Bytes;

static inline Bytes *as_bytes(Value v) { return (Bytes *)(void *)value_object(v); }
extern Value bytes_empty;
RAISES Value bytes_new(Thread *th, size_t n);                     /* data unset; before publication */
RAISES Value bytes_from(Thread *th, const void *p, size_t n);
RAISES Value bytes_resize(Thread *th, Value STEALS unpublished, size_t n); /* shorter or longer */
RAISES Value bytes_from_value(Thread *th, Value v);               /* bytes(v) of buffers and iterables */

/* bytearray: data in a buffer [lock]; exports > 0 forbids resizing. */
typedef struct ByteArray {
    struct Object head;
    uint8_t *buffer;       /* [lock] allocation, NULL when empty */
    uint8_t *start;        /* [lock] first byte (del from the front moves it) */
    int64_t length;        /* [lock] */
    int64_t capacity;      /* [lock] bytes of the allocation */
    int64_t exports;       /* [lock] live buffers */
} ByteArray;
bool is_bytearray(Value v);
RAISES Value bytearray_from(Thread *th, const void *p, size_t n);
RAISES Value memoryview_from(Thread *th, Value exporter);
/* Whether the memory that `exporter` exports never changes: bytes, or a view of bytes. */
bool memory_is_constant(Value exporter);
/* A memoryview over memory the caller guarantees. */
RAISES Value memoryview_from_memory(Thread *th, void *p, int64_t n, bool readonly);
#endif
