/* decimal.h -- double to the shortest text that reads back the same, and exact back.
 *
 * Nothing here depends on the locale of the process or of the thread, and nothing knows Python:
 * no underscores, no white space, no "nan".  All functions may be called from any thread.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most digits that decimal_shortest() writes. */
#define DECIMAL_SHORTEST_MAX 17

/* The shortest decimal digits that identify `v` (finite, above 0), the nearest to it among the
 * shortest.  Writes them without trailing zeros and without a final zero byte; returns how many.
 * The value is 0.d1d2d3... times ten to the power *point. */
int decimal_shortest(double v, char digits[DECIMAL_SHORTEST_MAX], int *point);

/* Reads [+-] digits [. digits] [e [+-] digits] (a digit before or after the point) from the `n`
 * bytes at `p`, rounding correctly; too large gives an infinity.  Returns how many bytes belong to
 * the number; 0: none, or no memory. */
size_t decimal_parse(const char *p, size_t n, double *out);

/* What snprintf() does for "%.*KIND" in the C locale; kind is one of e, f, g, a. */
int decimal_print(char *buf, size_t size, char kind, int precision, double v);

/* `v` (finite) rounded to `places` decimal places, half to even on the exact value. */
double decimal_round(double v, int places);

#endif
