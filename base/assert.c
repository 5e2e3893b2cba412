/* assert.c -- what happens when a claim about the program is false. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void
assert_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "weft: %s:%d: this should hold: %s\n", file, line, claim);
    fflush(stderr);
    abort();
}
