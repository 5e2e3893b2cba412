/* cross_queue.h -- a queue that any thread adds to and one at a time empties: liburcu's wait-free
 * concurrent queue (Desnoyers and Lai, after McKenney's), with nodes inside what is queued.
 *
 * Adding never waits; what the adding thread did before is seen by who takes the node [cross.queue].
 */
#ifndef THREADS_CROSS_QUEUE_H
#define THREADS_CROSS_QUEUE_H

#include <urcu/wfcqueue.h>

#include "threads/mutex.h"

typedef struct cds_wfcq_node CrossNode;

typedef struct CrossQueue {
    struct __cds_wfcq_head head;
    ByteLock taking; /* a leaf: one thread takes */
    struct cds_wfcq_tail tail;
} CrossQueue;

void cross_queue_init(CrossQueue *q);
/* Adds a node that is in no queue; it stays the queue's until taken. */
void cross_queue_put(CrossQueue *q, CrossNode *node);
/* Takes everything out: a list in the order of adding, linked by cross_next(); NULL if the queue
 * is empty.  Waits at most for others that are taking or in the middle of adding. */
CrossNode *cross_queue_take(CrossQueue *q);

/* The next node of a taken list. */
static inline CrossNode *
cross_next(const CrossNode *node)
{
    return node->next;
}

#endif
