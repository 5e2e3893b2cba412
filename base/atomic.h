/* atomic.h -- shared words, with the memory order in the access's name.
 *
 * A field that several threads use is declared ATOMIC(type): a one-field
 * struct, so that a plain access does not compile.  There is no default
 * order.  `plain_load` and `plain_store` are for words that nobody else can
 * see at that moment; say why where they are used.
 */
#ifndef BASE_ATOMIC_H
#define BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define ATOMIC(type)                                                           \
    struct {                                                                   \
        type raw_;                                                             \
    }

#define plain_load(cell) ((cell)->raw_)
#define plain_store(cell, v) ((cell)->raw_ = (v))

#define load_relaxed(cell) __atomic_load_n(&(cell)->raw_, __ATOMIC_RELAXED)
#define load_acquire(cell) __atomic_load_n(&(cell)->raw_, __ATOMIC_ACQUIRE)
#define load_seq_cst(cell) __atomic_load_n(&(cell)->raw_, __ATOMIC_SEQ_CST)

#define store_relaxed(cell, v) __atomic_store_n(&(cell)->raw_, (v), __ATOMIC_RELAXED)
#define store_release(cell, v) __atomic_store_n(&(cell)->raw_, (v), __ATOMIC_RELEASE)
#define store_seq_cst(cell, v) __atomic_store_n(&(cell)->raw_, (v), __ATOMIC_SEQ_CST)

#define exchange_relaxed(cell, v) __atomic_exchange_n(&(cell)->raw_, (v), __ATOMIC_RELAXED)
#define exchange_acq_rel(cell, v) __atomic_exchange_n(&(cell)->raw_, (v), __ATOMIC_ACQ_REL)
#define exchange_seq_cst(cell, v) __atomic_exchange_n(&(cell)->raw_, (v), __ATOMIC_SEQ_CST)

/* Strong compare-and-swap; `expected` is a pointer and is updated on failure. */
#define cas_relaxed(cell, expected, v)                                         \
    __atomic_compare_exchange_n(&(cell)->raw_, (expected), (v), false,         \
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define cas_acquire(cell, expected, v)                                         \
    __atomic_compare_exchange_n(&(cell)->raw_, (expected), (v), false,         \
                                __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define cas_acq_rel(cell, expected, v)                                         \
    __atomic_compare_exchange_n(&(cell)->raw_, (expected), (v), false,         \
                                __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define cas_seq_cst(cell, expected, v)                                         \
    __atomic_compare_exchange_n(&(cell)->raw_, (expected), (v), false,         \
                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Each returns the value from before. */
#define fetch_add_relaxed(cell, v) __atomic_fetch_add(&(cell)->raw_, (v), __ATOMIC_RELAXED)
#define fetch_add_acq_rel(cell, v) __atomic_fetch_add(&(cell)->raw_, (v), __ATOMIC_ACQ_REL)
#define fetch_add_seq_cst(cell, v) __atomic_fetch_add(&(cell)->raw_, (v), __ATOMIC_SEQ_CST)
#define fetch_sub_acq_rel(cell, v) __atomic_fetch_sub(&(cell)->raw_, (v), __ATOMIC_ACQ_REL)
#define fetch_or_relaxed(cell, v) __atomic_fetch_or(&(cell)->raw_, (v), __ATOMIC_RELAXED)
#define fetch_or_acq_rel(cell, v) __atomic_fetch_or(&(cell)->raw_, (v), __ATOMIC_ACQ_REL)
#define fetch_or_seq_cst(cell, v) __atomic_fetch_or(&(cell)->raw_, (v), __ATOMIC_SEQ_CST)
#define fetch_and_acq_rel(cell, v) __atomic_fetch_and(&(cell)->raw_, (v), __ATOMIC_ACQ_REL)
#define fetch_and_relaxed(cell, v) __atomic_fetch_and(&(cell)->raw_, (v), __ATOMIC_RELAXED)
#define fetch_and_seq_cst(cell, v) __atomic_fetch_and(&(cell)->raw_, (v), __ATOMIC_SEQ_CST)

#endif
