/* math_priv.h -- what the files of module math share. */
#ifndef MODULES_MATH_PRIV_H
#define MODULES_MATH_PRIV_H

#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"

/* math_int.c */
Value math_factorial(Thread *th, Value self, Value n);
Value math_comb(Thread *th, Value self, const Arg *args, size_t nargs);
Value math_perm(Thread *th, Value self, const Arg *args, size_t nargs);
Value math_gcd(Thread *th, Value self, const Arg *args, size_t nargs);
Value math_lcm(Thread *th, Value self, const Arg *args, size_t nargs);
Value math_isqrt(Thread *th, Value self, Value n);

/* math_sum.c */
Value math_fsum(Thread *th, Value self, Value iterable);
Value math_prod(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);
Value math_hypot(Thread *th, Value self, const Arg *args, size_t nargs);
Value math_dist(Thread *th, Value self, const Arg *args, size_t nargs);

#endif
