/* environment.c -- setting and removing environment variables, see environment.h.
 *
 * Lock: environment_lock, a leaf.  Process-wide state: the array that is `environ`, and all strings ever set, in a
 * search tree, so that a variable that goes to and fro between a few values takes no more memory.
 */
#include "threads/environment.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "threads/mutex.h"

extern char **environ;

static ByteLock environment_lock;
static void *strings;   /* [lock] tsearch() tree of "name=value" */
static char **array;    /* [lock] environ points into it, unless others have changed that */
static size_t capacity; /* [lock] entries of `array`, the last NULL included */

static int
compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The place of a variable, or of the NULL at the end; *found is what was seen there. */
static char **
find(char **e, const char *name, size_t n, const char **found)
{
    for (; e != NULL; e++) {
        *found = __atomic_load_n(e, __ATOMIC_ACQUIRE); /* pairs with the stores [environment.entry] */
        if (*found == NULL || (strncmp(*found, name, n) == 0 && (*found)[n] == '='))
            break;
    }
    return e;
}

/* The kept string "name=value"; NULL: no memory. */
static char *
string_locked(const char *name, const char *value)
{
    size_t n = strlen(name), m = strlen(value);
    char *s = mem_alloc(n + m + 2);
    if (s == NULL)
        return NULL;
    memcpy(s, name, n);
    s[n] = '=';
    memcpy(s + n + 1, value, m + 1);
    char **node = tsearch(s, &strings, compare);
    if (node == NULL || *node != s)
        mem_free(s);
    return node ? *node : NULL;
}

/* Makes `environ` part of an array of our own with room in front of it. */
static bool
room_locked(void)
{
    if (array != NULL && environ > array && environ < array + capacity)
        return true;
    size_t n = 0;
    while (environ != NULL && environ[n] != NULL)
        n++;
    size_t wanted = 2 * n + 16;
    char **larger = mem_alloc_zeroed(wanted * sizeof *larger), **start = larger + (wanted - n - 1);
    if (larger == NULL)
        return false;
    if (n > 0)
        memcpy(start, environ, n * sizeof *start);
    array = larger;
    capacity = wanted;
    __atomic_store_n(&environ, start, __ATOMIC_RELEASE); /* pairs with environment_get() [environment.array] */
    return true;
}

bool
environment_set(const char *name, const char *value)
{
    const char *old = NULL;
    byte_lock(&environment_lock);
    char *s = string_locked(name, value), **e = s ? find(environ, name, strlen(name), &old) : NULL;
    bool ok = s != NULL && (old != NULL || room_locked());
    if (ok) {
        if (old == NULL)
            e = environ - 1;
        __atomic_store_n(e, s, __ATOMIC_RELEASE); /* [environment.entry] */
        if (old == NULL)
            __atomic_store_n(&environ, e, __ATOMIC_RELEASE); /* [environment.array] */
    }
    byte_unlock(&environment_lock);
    return ok;
}

bool
environment_unset(const char *name)
{
    const char *old = NULL;
    byte_lock(&environment_lock);
    bool ok = true;
    for (char **e; ok && (e = find(environ, name, strlen(name), &old)) != NULL && old != NULL;) {
        if (array == NULL || environ < array || environ >= array + capacity) {
            ok = room_locked(); /* not ours to change */
            continue;
        }
        /* Readers go forwards: what moves forwards is seen once or twice, never missed. */
        for (; e > environ; e--)
            __atomic_store_n(e, e[-1], __ATOMIC_RELEASE); /* [environment.entry] */
        __atomic_store_n(&environ, e + 1, __ATOMIC_RELEASE); /* [environment.array] */
    }
    byte_unlock(&environment_lock);
    return ok;
}

const char *
environment_get(const char *name)
{
    const char *s = NULL;
    find(__atomic_load_n(&environ, __ATOMIC_ACQUIRE), name, strlen(name), &s); /* [environment.array] */
    return s ? s + strlen(name) + 1 : NULL;
}
