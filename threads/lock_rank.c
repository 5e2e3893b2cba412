/* lock_rank.c -- the order in which locks are taken, checked in debug builds.
 *
 * Each OS thread keeps the ranked locks it holds in thread-local storage, in the order
 * it took them.
 */
#include "threads/lock_rank.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

static const struct {
    const char *name;
    bool python;
    const char *text;
} ranks[RANK_COUNT] = {
    {"RANK_NONE", true, "not ranked"},
#define LOCK_RANK(name, python, text) {#name, python, text},
#include "threads/lock_rank.def"
#undef LOCK_RANK
};

const char *
lock_rank_name(int rank)
{
    return rank >= 0 && rank < RANK_COUNT ? ranks[rank].name : "?";
}

const char *
lock_rank_text(int rank)
{
    return rank >= 0 && rank < RANK_COUNT ? ranks[rank].text : "?";
}

#if defined(WEFT_DEBUG) && WEFT_DEBUG >= 1
#define HELD_MAX 64

static _Thread_local struct {
    int count;
    struct {
        const void *lock;
        int rank;
    } held[HELD_MAX];
} mine;

void
lock_rank_before(const void *lock, int rank)
{
    if (rank == RANK_NONE)
        return;
    for (int i = 0; i < mine.count; i++) {
        int other = mine.held[i].rank;
        /* Locks for one interpreter each may be held together: world_stop_all() takes
         * them in the order of the interpreters' numbers. */
        if (other < rank ||
            (other == rank && (rank == RANK_STOP || rank == RANK_THREADS)))
            continue;
        fprintf(stderr, "weft: lock order: %s (%p) wanted while %s (%p) is held\n",
                ranks[rank].name, lock, ranks[other].name, mine.held[i].lock);
        abort();
    }
}

void
lock_rank_taken(const void *lock, int rank)
{
    if (rank == RANK_NONE)
        return;
    CHECK(mine.count < HELD_MAX);
    mine.held[mine.count].lock = lock;
    mine.held[mine.count].rank = rank;
    mine.count++;
}

void
lock_rank_released(const void *lock, int rank)
{
    if (rank == RANK_NONE)
        return;
    for (int i = mine.count; i-- > 0;)
        if (mine.held[i].lock == lock) {
            mine.count--;
            for (; i < mine.count; i++)
                mine.held[i] = mine.held[i + 1];
            return;
        }
    fprintf(stderr, "weft: lock order: %s (%p) released by a thread that does not hold it\n",
            ranks[rank].name, lock);
    abort();
}

void
lock_rank_check_python(void)
{
    for (int i = 0; i < mine.count; i++)
        if (!ranks[mine.held[i].rank].python) {
            fprintf(stderr, "weft: Python code would run while %s (%p) is held\n",
                    ranks[mine.held[i].rank].name, mine.held[i].lock);
            abort();
        }
}

void
lock_rank_reset(void)
{
    mine.count = 0;
}
#endif
