/* reclaim_priv.h -- a thread's retire queues, dead list and pending list (for gc/ only). */
#ifndef GC_RECLAIM_PRIV_H
#define GC_RECLAIM_PRIV_H

#include "gc/reclaim.h"
#include "gc/refcount_priv.h"
#include "threads/cross_queue.h"

/* One thing to do a grace period later is a tagged word, or two. */
#define RETIRED_REFERENCE 0u /* drop the object */
#define RETIRED_DEAD 1u      /* dealloc the object: its count is zero already */
#define RETIRED_CELL 2u      /* free the cell: it was dealloced already */
#define RETIRED_MEMORY 3u    /* fn(th, p); fn is in the word after */
#define RETIRED_TAG ((uintptr_t)3)

/* What was retired between two epochs, at one depth, is a batch: a list of blocks. */
typedef struct RetireBlock {
    struct RetireBlock *next; /* in the same batch */
    uint32_t count;           /* words in use */

    /* Only in a batch's first block: */
    uint32_t depth;           /* generations of dead containers before it (rules B3) */
    uint32_t cursor;          /* context to go on from when asking who has announced `goal` */
    uint64_t goal;            /* epoch at which it may be carried out; 0 while open */
    size_t bytes;             /* estimate of what it keeps from being freed */
    struct RetireBlock *last;
    struct RetireBlock *next_batch;
    CrossNode handed;         /* while it is handed over */

    uintptr_t words[499];
} RetireBlock;

#define BLOCK_WORDS ((uint32_t)ARRAY_LEN(((RetireBlock *)0)->words))
#define DEPTH_MAX 8

typedef struct PendingCall {
    void (*fn)(Thread *th, Value a, Value b); /* NULL: made already */
    Value a, b;
} PendingCall;

typedef struct PendingList {
    PendingCall *calls;
    uint32_t count, capacity;
} PendingList;

typedef struct Reclaim {
    RetireBlock *open[DEPTH_MAX + 1];     /* [owner] the open batches, by depth */
    RetireBlock *waiting, *waiting_last;  /* [owner] closed batches */
    size_t open_bytes, waiting_bytes;     /* [owner] */
    RetireBlock *spare;                   /* [owner] one block for the next need */
    Thread *blocker;                 /* [owner] was online when last looked at; a hint */
    int64_t requested_ns;            /* [owner] when an epoch was last asked for */
    uint32_t depth;                  /* [owner] of what is retired now */
    uint32_t pushed;                 /* [owner] entries so far, for a look now and then */
    uint8_t immediate;               /* [owner] IMMEDIATE_: do not wait for an epoch */
    uint8_t serving;                 /* [owner] inside reclaim_serve() */
    uint8_t collecting;              /* [owner] inside gc_collect() */
    uint8_t throttled;               /* [owner] sleep a moment at the next safepoint */
    ATOMIC(uint8_t) busy;            /* [atomic] BUSY_: the service thread looks here */
    Object *dead;                    /* [owner] list of the dead, see refcount.c */

    PendingList pending;             /* [owner] calls to make, see pending.c */
    PendingList late;                /* [owner] calls that others' drops made due, see pending.c */
    uint32_t late_next;              /* [owner] the first of them that was not yet made */
    uint32_t pending_floor;          /* [owner] entries of `pending` that outer levels take care of */
    uint32_t pending_depth;          /* [owner] calls that are being made */
    bool others;                     /* [owner] what dies now was not dropped by th's instruction */
    bool stale;                      /* [owner] something queued is from an earlier instruction */
    bool service;                    /* [owner] of the service thread, which makes no calls */
    bool settling;                   /* [owner] inside pending_settle() */
} Reclaim;

/* While a batch is carried out where nobody can hold a borrowed word: */
#define IMMEDIATE_OBJECTS 1 /* of this interpreter: it is stopped */
#define IMMEDIATE_ALL 2     /* of the whole process */

#define BUSY_NO 0
#define BUSY_YES 1    /* something is queued */
#define BUSY_NUDGED 2 /* and it is time to open an epoch for it */

Reclaim *reclaim_create(void);
void reclaim_destroy(Reclaim *r);

/* The object's count is zero; it holds references that others may have borrowed through
 * it: dealloc it a grace period later. */
void retire_dead(Thread *th, Object *o);
/* Free its cell a grace period later. */
void retire_cell(Thread *th, Object *o);

/* Carries out what is due; opens an epoch if something waits for one.  th is at a
 * safepoint. */
void reclaim_serve(Thread *th);
/* Announces the newest epoch and carries out what is due. */
void reclaim_announce(Thread *th);
/* Others do not keep up with what th queues: it sleeps a moment at its next safepoint. */
void reclaim_throttle(Thread *th);
/* th keeps references in hand: the service thread looks at it, and it gives them back when it goes
 * offline. */
void reclaim_watch(Thread *th);
/* Before th goes offline: its batches go to the interpreter. */
void reclaim_hand_over(Thread *th);
/* In the child of a fork: takes over what other threads had queued. */
void reclaim_adopt(Thread *th, Thread *gone);

/* service.c: the thread that serves what nobody else does. */
void service_wake(void);
/* Keeps the service thread away from an interpreter that ends. */
void service_leave(Interp *interp);
void service_reset_in_child(void);
void service_lock_for_fork(Thread *th);
void service_unlock_after_fork(void);

/* Whether th, at a safepoint, may make calls that others' drops made due. */
bool pending_may_serve(Thread *th);
/* Gives th's late calls to the interpreter: whoever may takes them. */
void pending_hand_over(Thread *th);
/* The run of th is over: all its calls go to the interpreter. */
void pending_hand_over_all(Thread *th);
/* Takes what pending_hand_over() gave: into th's late calls. */
void pending_take(Thread *th);
/* In the child of a fork: the calls that another thread had yet to make become th's late calls.  A call
 * that it was just making is not made again. */
void pending_adopt(Thread *th, Thread *gone);

/* Pending calls that others may make. */
typedef struct HandedCalls {
    CrossNode handed;
    uint32_t count;
    PendingCall calls[];
} HandedCalls;

/* Per interpreter: what threads that went offline left to do.  Who puts something there then sets
 * INTERP_HANDED; who takes clears it first. */
typedef struct ReclaimShared {
    CrossQueue batches; /* RetireBlock.handed */
    CrossQueue calls;   /* HandedCalls.handed */
} ReclaimShared;
void reclaim_shared_init(ReclaimShared *s);
void reclaim_shared_destroy(ReclaimShared *s);

#define RETIRE_SOFT ((size_t)1 << 20)
#define RETIRE_HARD ((size_t)16 << 20)

#endif
