/* thread.table.c -- a context found in the table is initialised. */
#include "tsan/litmus/litmus.h"

static Thread *made[64];

static void
maker(Thread *th, long i)
{
    if (i < 64)
        made[i] = thread_acquire(th->interp);
}

static void
looker(Thread *th, long i)
{
    (void)th;
    (void)i;
    uint32_t high = load_acquire(&thread_id_high);
    for (uint32_t id = 1; id <= high; id++) {
        Thread *t = load_acquire(&thread_by_id[id]);
        CHECK(t && t->id == id);
    }
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 1000, maker, looker, NULL, "contexts are published whole");
    int n = 0;
    for (int i = 0; i < 64 && made[i]; i++, n++) {
        thread_attach(made[i]);
        thread_release(made[i]);
    }
    OK(n > 0, "contexts were made");
    thread_bind(th);
    fake_end(th);
    DONE();
}
