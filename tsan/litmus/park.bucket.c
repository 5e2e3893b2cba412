/* park.bucket.c -- the queues of two bytes in one bucket stay whole. */
#include "threads/park.h"
#include "tsan/litmus/litmus.h"

static Mutex mutex[512]; /* more locks than buckets */
static long count[512];

static void
many(Thread *th, long i)
{
    for (int k = 0; k < 8; k++) {
        int m = (int)(i + k) % 512;
        mutex_lock(th, &mutex[m]);
        count[m]++;
        if (k == 0) {
            thread_detach(th);
            os_yield(); /* the other side has to sleep */
            thread_attach(th);
        }
        mutex_unlock(&mutex[m]);
    }
}

static bool
check(Thread *th, long i)
{
    (void)th;
    return count[(i + 7) % 512] % 2 == 0;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 5000, many, many, check, "sleepers of many locks");
    fake_end(th);
    DONE();
}
