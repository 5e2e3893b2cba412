/* container.c -- starting the containers: nothing must be made at run time. */
#include "objects/container/container.h"

bool
container_init(Thread *th)
{
    (void)th; /* the static objects (empty tuple, empty tables) are complete as they are */
    return true;
}
