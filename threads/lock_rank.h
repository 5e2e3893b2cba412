/* lock_rank.h -- the order in which locks are taken, checked in debug builds. */
#ifndef THREADS_LOCK_RANK_H
#define THREADS_LOCK_RANK_H

#include "base/attrs.h"

enum LockRank {
    RANK_NONE, /* not checked: locks that Python programs make, and such that their code may run under */
#define LOCK_RANK(name, python, text) name,
#include "threads/lock_rank.def"
#undef LOCK_RANK
    RANK_COUNT
};

/* The rank's name and what it protects. */
const char *lock_rank_name(int rank);
const char *lock_rank_text(int rank);

#if defined(WEFT_DEBUG) && WEFT_DEBUG >= 1
/* Notes that the calling OS thread is about to wait for, has, or gives up a lock. */
void lock_rank_before(const void *lock, int rank);
void lock_rank_taken(const void *lock, int rank);
void lock_rank_released(const void *lock, int rank);
/* Aborts if the calling OS thread holds a lock under which no Python code may run. */
void lock_rank_check_python(void);
/* Forgets everything this OS thread holds: in the child of a fork. */
void lock_rank_reset(void);
#else
static inline void lock_rank_before(const void *lock UNUSED, int rank UNUSED) {}
static inline void lock_rank_taken(const void *lock UNUSED, int rank UNUSED) {}
static inline void lock_rank_released(const void *lock UNUSED, int rank UNUSED) {}
static inline void lock_rank_check_python(void) {}
static inline void lock_rank_reset(void) {}
#endif

#endif
