/* environment.h -- the environment of the process, which any thread may change while others read it.
 *
 * getenv() is called by C libraries without a lock, and setenv() frees the array that it reads.  What has once been
 * visible is therefore never freed nor written over here: a variable is set by exchanging a pointer, and an array that
 * is full is left behind by one twice as large.  A reader may see a variable twice, but misses none.
 */
#ifndef THREADS_ENVIRONMENT_H
#define THREADS_ENVIRONMENT_H

#include <stdbool.h>

/* `name` is not empty and has no '='.  false: no memory, and nothing has changed. */
bool environment_set(const char *name, const char *value);
bool environment_unset(const char *name);
/* The value of a variable, or NULL; it stays what it is for ever. */
const char *environment_get(const char *name);

#endif
