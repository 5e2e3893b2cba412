/* signals.main.c -- the C handler finds the main thread while it changes:
 * the context that it asks is whole. */
#include "threads/signals.h"
#include "tsan/litmus/litmus.h"

static int taken;

static void
noter(Thread *th, long i)
{
    (void)th;
    signals_note(1 + (int)(i % 64));
}

static void
taker(Thread *th, long i)
{
    (void)i;
    (void)th;
    signals_set_main(th);
    taken += signals_take() != 0;
}

static bool
check(Thread *th, long i)
{
    (void)th;
    while (signals_take())
        taken++;
    return taken == i + 1;
}

int
main(void)
{
    Thread *th = fake_start();
    signals_set_main(th);
    litmus_run(th, 30000, noter, taker, check, "each is taken once");
    fake_end(th);
    DONE();
}
