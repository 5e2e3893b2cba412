/* thread_list.h -- the table of contexts around a fork (for threads/ only). */
#ifndef THREADS_THREAD_LIST_H
#define THREADS_THREAD_LIST_H

#include "threads/thread.h"

void thread_ids_lock(void);
void thread_ids_unlock(void);
void thread_ids_reset(void);

/* Puts a context whose OS thread is gone into its pool; it holds nothing any more. */
void thread_forget(Thread *th);

#endif
