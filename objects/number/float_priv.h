/* float_priv.h -- what the files of objects/number/ about floats and complex numbers share. */
#ifndef OBJECTS_NUMBER_FLOAT_PRIV_H
#define OBJECTS_NUMBER_FLOAT_PRIV_H

#include "objects/number/int_priv.h"

/* Reads a float or an int.  False: neither, or, with *failed set, an exception. */
bool float_operand(Thread *th, Value v, double *out, bool *failed);

/* -1, 0, 1: x (no NaN) against the int v, exactly. */
int double_compare_int(double x, Value v);

/* x % y and x // y of the language; y is not 0. */
double double_remainder(double x, double y);
double double_floor_divide(double x, double y, double *rest);

/* float_text.c */
RAISES Value float_hex(Thread *th, Value self);
RAISES Value float_fromhex(Thread *th, Value type, Value text);
/* The number, "inf", "infinity" or "nan" (any case, with a sign) that p[0 .. n) begins with: how
 * many bytes; 0: none. */
size_t double_from_text(const char *p, size_t n, double *out);

/* complex.c */
RAISES Value complex_power(Thread *th, double ar, double ai, double br, double bi);

#endif
