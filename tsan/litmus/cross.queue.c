/* cross.queue.c -- what was done before a node was added is seen by who takes it; none is lost. */
#include "tsan/litmus/litmus.h"

#include "threads/cross_queue.h"

typedef struct Item {
    CrossNode node;
    long n; /* plain: ordered by the queue alone */
} Item;

static CrossQueue queue;
static long sum, expected; /* [taking thread], and alone in check() */

static void
put(Thread *th, long i)
{
    (void)th;
    for (long k = 0; k <= i % 4; k++) {
        Item *item = malloc(sizeof(*item));
        CHECK(item);
        item->n = i + k;
        cross_queue_put(&queue, &item->node);
    }
}

static void
empty(void)
{
    for (CrossNode *node = cross_queue_take(&queue), *next; node; node = next) {
        next = cross_next(node);
        Item *item = CONTAINER_OF(node, Item, node);
        sum += item->n;
        free(item);
    }
}

static void
take(Thread *th, long i)
{
    (void)th;
    (void)i;
    empty();
}

static bool
check(Thread *th, long i)
{
    (void)th;
    empty();
    for (long k = 0; k <= i % 4; k++)
        expected += i + k;
    return sum == expected;
}

int
main(void)
{
    Thread *th = fake_start();
    cross_queue_init(&queue);
    litmus_run(th, 50000, put, take, check, "what is added arrives once, whole");
    fake_end(th);
    DONE();
}
