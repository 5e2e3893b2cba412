/* os_thread.c -- threads of the operating system.
 *
 * A thread that is just being started, or has left its last context behind, uses the memory allocators
 * although it is offline: they make and take down what each keeps for a thread.  A fork in that moment
 * would leave the child with an allocator in the middle of something (mimalloc waits for ever for a
 * thread that was freeing a foreign block, AddressSanitizer's allocator for one that held a lock).  So
 * these stretches are counted in `changing`, and a fork waits until there is none.  The end is
 * counted down by the destructor of a thread-specific value, in the last of the rounds that the system
 * makes: the allocators have theirs in earlier rounds, or before it in the same, as their keys are older.
 *
 * Process-wide state: the stack size of new threads, `changing`, the key.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "threads/os_thread.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "threads/futex.h"

/* Left of the stack for C functions that do not ask. */
#define STACK_MARGIN ((size_t)192 * 1024 * (WEFT_ASAN || WEFT_TSAN ? 2 : 1))
/* A new thread gets at least this much. */
#define STACK_MIN ((size_t)512 * 1024 * (WEFT_ASAN || WEFT_TSAN ? 2 : 1))
/* What is assumed of a stack without a limit. */
#define STACK_UNLIMITED ((size_t)64 * 1024 * 1024)
/* What of a stack is used.  ThreadSanitizer notes the calls that are open in an array of 65,536
 * and looks at no bound; three MiB hold fewer of the smallest frames. */
#define STACK_USED (WEFT_TSAN ? (size_t)3 * 1024 * 1024 : SIZE_MAX)

static _Thread_local OsThread self_os __attribute__((tls_model("initial-exec")));
static ATOMIC(size_t) default_stack_size; /* [atomic] 0: the system's */

#define CHANGES_HELD (1u << 31) /* a fork is under way */
static FutexWord changing;      /* threads that are being started or ended, and that bit */

/* Rounds until a thread is over.  ThreadSanitizer takes the thread down in the last one, after which
 * nothing may be called; it has its own ways with fork(). */
#define END_ROUNDS (WEFT_TSAN ? 1 : PTHREAD_DESTRUCTOR_ITERATIONS)
static pthread_once_t end_once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key; /* rounds that are left, as a pointer */
static bool end_key_made;     /* [const] after end_once */

/* The main thread's stack grows on demand down to its limit.  pthread_getattr_np()
 * would read /proc/self/maps to find the top, which is close to where we are. */
static void
find_main_stack(OsThread *os)
{
    struct rlimit limit;
    size_t size = STACK_UNLIMITED;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        size = (size_t)limit.rlim_cur;
    /* The environment and arguments lie above this frame and count towards the limit. */
    extern char **environ;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t top = here;
    for (char **e = environ; e && *e; e++) {
        uintptr_t end = (uintptr_t)*e + strlen(*e) + 1;
        if (end > top && end - here < size) /* putenv() can point anywhere */
            top = end;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    top = (top + page) & ~(page - 1);
    os->stack_high = top;
    os->stack_low = top > size ? top - size + page : page;
}

static void
find_stack(OsThread *os)
{
    if ((pid_t)syscall(SYS_gettid) == getpid()) {
        find_main_stack(os);
        return;
    }
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &low, &size);
        pthread_attr_destroy(&attr);
    }
    if (low == NULL) {
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);
        os->stack_high = here;
        os->stack_low = here - STACK_MIN / 2;
        return;
    }
    os->stack_low = (uintptr_t)low;
    os->stack_high = (uintptr_t)low + size;
}

OsThread *
os_thread_self(void)
{
    OsThread *os = &self_os;
    if (UNLIKELY(os->ident == 0)) {
        os->native_id = (int32_t)syscall(SYS_gettid);
        if (os->stack_high == 0)
            find_stack(os);
        os->ident = (uint64_t)(uintptr_t)pthread_self();
    }
    return os;
}

uintptr_t
os_thread_stack_limit(OsThread *os)
{
    size_t size = os->stack_high - os->stack_low;
    size_t margin = STACK_MARGIN < size / 2 ? STACK_MARGIN : size / 2;
    if (size - margin > STACK_USED)
        margin = size - STACK_USED;
    return os->stack_low + margin;
}

void
os_thread_reset_in_child(void)
{
    self_os.ident = 0; /* the stack stays: a child runs on its parent's */
    store_relaxed(&self_os.waiting_on, NULL);
    store_relaxed(&changing, 0);
}

static void
change_begin(void)
{
    uint32_t n = load_relaxed(&changing);
    for (;;) {
        if (n & CHANGES_HELD) {
            futex_wait(&changing, n, INT64_MAX);
            n = load_relaxed(&changing);
        } else if (cas_acquire(&changing, &n, n + 1)) { /* pairs with os_thread_changes_go_on()
                                                           [os_thread.changing] */
            return;
        }
    }
}

static void
change_end(void)
{
    /* release: pairs with os_thread_hold_changes() [os_thread.changing] */
    if (fetch_add_acq_rel(&changing, -1u) == CHANGES_HELD + 1)
        futex_wake(&changing, FUTEX_ALL);
}

void
os_thread_hold_changes(void)
{
    ASSERT(!(load_relaxed(&changing) & CHANGES_HELD));
    uint32_t n = fetch_add_acq_rel(&changing, CHANGES_HELD) + CHANGES_HELD;
    while (n != CHANGES_HELD) {
        futex_wait(&changing, n, INT64_MAX);
        n = load_acquire(&changing); /* pairs with change_end() [os_thread.changing] */
    }
}

void
os_thread_changes_go_on(void)
{
    /* release: pairs with change_begin() [os_thread.changing] */
    fetch_add_acq_rel(&changing, -CHANGES_HELD);
    futex_wake(&changing, FUTEX_ALL);
}

static void
end_round(void *left)
{
    uintptr_t n = (uintptr_t)left - 1;
    if (n == 0 || pthread_setspecific(end_key, (void *)n) != 0)
        change_end();
}

static void
make_end_key(void)
{
    end_key_made = pthread_key_create(&end_key, end_round) == 0;
}

typedef struct StartArgs {
    void (*fn)(void *arg);
    void *arg;
} StartArgs;

static void *
start_routine(void *p)
{
    StartArgs args = *(StartArgs *)p;
    mem_free(p);
    MemPins pins;
    mem_pin(&pins);
    change_end(); /* os_thread_start_ident() began it */
    args.fn(args.arg);
    change_begin();
    mem_unpin(&pins);
    if (!end_key_made || pthread_setspecific(end_key, (void *)(uintptr_t)END_ROUNDS) != 0)
        change_end();
    return NULL;
}

bool
os_thread_start(void (*fn)(void *arg), void *arg, size_t stack_size)
{
    uint64_t ident;
    return os_thread_start_ident(fn, arg, stack_size, &ident);
}

bool
os_thread_start_ident(void (*fn)(void *arg), void *arg, size_t stack_size, uint64_t *ident)
{
    StartArgs *args = mem_alloc(sizeof(*args));
    if (args == NULL)
        return false;
    *args = (StartArgs){fn, arg};
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) {
        mem_free(args);
        return false;
    }
    if (stack_size == 0)
        stack_size = load_relaxed(&default_stack_size);
    if (stack_size == 0) {
        size_t usual; /* as `ulimit -s` says: it may be small */
        if (pthread_attr_getstacksize(&attr, &usual) == 0 && usual < STACK_MIN)
            stack_size = STACK_MIN;
    }
    if (stack_size != 0) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        if (stack_size < STACK_MIN)
            stack_size = STACK_MIN;
        stack_size = (stack_size + page - 1) & ~(page - 1);
    }
    (void)pthread_once(&end_once, make_end_key);
    change_begin(); /* the new thread ends it */
    pthread_t handle;
    bool ok = (stack_size == 0 || pthread_attr_setstacksize(&attr, stack_size) == 0) &&
              pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&handle, &attr, start_routine, args) == 0;
    pthread_attr_destroy(&attr);
    if (ok) {
        *ident = (uint64_t)(uintptr_t)handle;
    } else {
        change_end();
        mem_free(args);
    }
    return ok;
}

bool
os_thread_set_stack_size(size_t size)
{
    if (size != 0 && (size < 32768 || size > (size_t)1 << 40))
        return false;
    store_relaxed(&default_stack_size, size);
    return true;
}

size_t
os_thread_stack_size(void)
{
    return load_relaxed(&default_stack_size);
}

void
os_thread_set_name(const char *name)
{
    char kept[16];
    size_t n = strlen(name);
    if (n > 15)
        n = 15;
    memcpy(kept, name, n);
    kept[n] = '\0';
    pthread_setname_np(pthread_self(), kept);
}

void
os_yield(void)
{
    sched_yield();
}

bool
os_pull_begin(OsPull *p)
{
    int saved = errno;
    p->cpu = -1;
    p->tid = os_thread_self()->native_id;
    /* A filter of system calls may end the process for what follows. */
    bool free = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0;
    errno = saved;
    return free;
}

void
os_pull(OsPull *p)
{
    cpu_set_t allowed, here;
    _Static_assert(sizeof allowed == sizeof p->allowed, "as many processors");
    int saved = errno, cpu = sched_getcpu();
    if (cpu >= 0 && cpu < OS_CPUS_MAX && sched_getaffinity(p->tid, sizeof allowed, &allowed) == 0 &&
        CPU_ISSET((size_t)cpu, &allowed) && CPU_COUNT(&allowed) > 1) {
        CPU_ZERO(&here);
        CPU_SET((size_t)cpu, &here);
        memcpy(p->allowed, &allowed, sizeof allowed);
        if (sched_setaffinity(p->tid, sizeof here, &here) == 0)
            p->cpu = cpu;
    }
    errno = saved;
}

void
os_pull_end(OsPull *p)
{
    cpu_set_t now, allowed;
    int saved = errno;
    if (p->cpu >= 0 && sched_getaffinity(0, sizeof now, &now) == 0 && CPU_COUNT(&now) == 1 &&
        CPU_ISSET((size_t)p->cpu, &now)) {
        memcpy(&allowed, p->allowed, sizeof allowed);
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
    }
    errno = saved;
}
