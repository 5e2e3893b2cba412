/* repr_guard.c -- which containers a thread is just making the repr of.
 *
 * A container that contains itself shows as [...]: repr() of a container enters it here
 * and finds out whether it is inside already.  Each thread has a stack of its own; the
 * containers on it are kept alive by the frames that are inside their repr.
 */
#include "objects/protocol/protocol.h"

#include "objects/error/error.h"

#include <stdlib.h>

struct ReprGuard {
    size_t count, capacity;
    Value items[]; /* uncounted */
};

enum { FIRST_CAPACITY = 16 };

Answer
repr_enter(Thread *th, Value v)
{
    struct ReprGuard *g = th->repr_guard;
    if (g != NULL) {
        for (size_t i = g->count; i-- > 0;) {
            if (g->items[i] == v)
                return YES;
        }
    }
    if (g == NULL || g->count == g->capacity) {
        size_t capacity = g ? g->capacity * 2 : FIRST_CAPACITY;
        struct ReprGuard *grown = realloc(g, sizeof *g + capacity * sizeof g->items[0]);
        if (grown == NULL) {
            raise_memory(th);
            return FAILED;
        }
        if (g == NULL)
            grown->count = 0;
        grown->capacity = capacity;
        th->repr_guard = g = grown;
    }
    g->items[g->count++] = v;
    return NO;
}

void
repr_leave(Thread *th, Value v)
{
    struct ReprGuard *g = th->repr_guard;
    if (g == NULL)
        return;
    for (size_t i = g->count; i-- > 0;) {
        if (g->items[i] == v) {
            for (size_t k = i + 1; k < g->count; k++)
                g->items[k - 1] = g->items[k];
            g->count--;
            return;
        }
    }
}
