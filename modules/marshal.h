/* marshal.h -- values as bytes and back, for compiled files and module marshal.
 *
 * Each value is a type code, with bit 7 set if it is referred to later, and what belongs to it.
 * Numbers are little-endian.  Everything but code objects has the layout of marshal's version 4.
 */
#ifndef MODULES_MARSHAL_H
#define MODULES_MARSHAL_H

#include "objects/model/type.h"

#define MARSHAL_VERSION 4
#define MARSHAL_DEPTH_MAX 2000

/* Type codes. */
enum {
    MARSHAL_NULL = '0',
    MARSHAL_NONE = 'N',
    MARSHAL_FALSE = 'F',
    MARSHAL_TRUE = 'T',
    MARSHAL_STOP_ITERATION = 'S',
    MARSHAL_ELLIPSIS = '.',
    MARSHAL_INT = 'i',
    MARSHAL_INT64 = 'I',
    MARSHAL_FLOAT_TEXT = 'f',
    MARSHAL_FLOAT = 'g',
    MARSHAL_COMPLEX_TEXT = 'x',
    MARSHAL_COMPLEX = 'y',
    MARSHAL_LONG = 'l',
    MARSHAL_BYTES = 's',
    MARSHAL_INTERNED = 't',
    MARSHAL_REF = 'r',
    MARSHAL_TUPLE = '(',
    MARSHAL_SMALL_TUPLE = ')',
    MARSHAL_LIST = '[',
    MARSHAL_DICT = '{',
    MARSHAL_CODE = 'c',
    MARSHAL_UNICODE = 'u',
    MARSHAL_SET = '<',
    MARSHAL_FROZENSET = '>',
    MARSHAL_ASCII = 'a',
    MARSHAL_ASCII_INTERNED = 'A',
    MARSHAL_SHORT_ASCII = 'z',
    MARSHAL_SHORT_ASCII_INTERNED = 'Z',
    MARSHAL_FLAG_REF = 0x80,
};

/* marshal_write.c: a bytes object; ValueError if something has no such form. */
RAISES Value marshal_dump(Thread *th, Value v, int version);
/* marshal_read.c: the value at the beginning of p[0 .. n), which nobody changes meanwhile. */
RAISES Value marshal_load(Thread *th, const uint8_t *p, size_t n);
/* The next value of a file object. */
RAISES Value marshal_load_file(Thread *th, Value file);

#endif
