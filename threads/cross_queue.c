/* cross_queue.c -- see cross_queue.h.
 *
 * liburcu's functions are called, not inlined, so that ThreadSanitizer does not see the accesses it
 * cannot understand; it is told what the queue orders.
 */
#include "threads/cross_queue.h"

#ifdef WEFT_SANITIZER_thread
#include <sanitizer/tsan_interface.h>
#define PUBLISHED(node) __tsan_release(node)
#define RECEIVED(node) __tsan_acquire(node)
#else
#define PUBLISHED(node) ((void)(node))
#define RECEIVED(node) ((void)(node))
#endif

void
cross_queue_init(CrossQueue *q)
{
    __cds_wfcq_init(&q->head, &q->tail);
    store_relaxed(&q->taking.state, 0);
}

void
cross_queue_put(CrossQueue *q, CrossNode *node)
{
    cds_wfcq_node_init(node);
    PUBLISHED(node); /* [cross.queue] */
    cds_wfcq_enqueue(&q->head, &q->tail, node);
}

CrossNode *
cross_queue_take(CrossQueue *q)
{
    CrossNode *first = NULL, **link = &first, *node;
    byte_lock(&q->taking);
    while ((node = __cds_wfcq_dequeue_blocking(&q->head, &q->tail)) != NULL) {
        RECEIVED(node); /* [cross.queue] */
        *link = node;
        link = &node->next; /* the queue's no more */
    }
    *link = NULL;
    byte_unlock(&q->taking);
    return first;
}
