/* heap.remote.c -- a cell freed by another thread is used again by its owner. */
#include "tsan/litmus/litmus.h"

#define BOX 64
static ATOMIC(Object *) box[BOX];

static void
make(Thread *th, long i)
{
    for (int k = 0; k < 16; k++) {
        Object *o = object_new_kind(th, SHAPE_LEAF, 30000, false); /* few to a slab */
        memset((char *)o + 16, (int)i, 64); /* plain */
        o = exchange_acq_rel(&box[k], o);
        if (o)
            object_free(th, o);
    }
}

static void
take(Thread *th, long i)
{
    (void)i;
    for (int k = 0; k < 16; k++) {
        Object *o = exchange_acq_rel(&box[k], NULL);
        if (o) {
            memset((char *)o + 16, 1, 64); /* plain */
            object_free(th, o);
        }
    }
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 5000, make, take, NULL, "cells go there and back");
    for (int k = 0; k < BOX; k++) {
        Object *o = exchange_acq_rel(&box[k], NULL);
        if (o)
            object_free(th, o);
    }
    OK(live_objects(th) == 0, "none is lost");
    fake_end(th);
    DONE();
}
