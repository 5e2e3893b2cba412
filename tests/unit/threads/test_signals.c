/* test_signals.c -- noted signals, the wakeup fd, waking a blocked main thread. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/tap.h"
#include "threads/interp.h"
#include "threads/safepoint.h"
#include "threads/signals.h"

static int handled[SIGNALS_MAX];

static bool
run_signals(Thread *th)
{
    (void)th;
    for (int s; (s = signals_take()) != 0;)
        handled[s]++;
    return true;
}

static void *
raise_here(void *arg)
{
    usleep(30000);
    pthread_kill(pthread_self(), (int)(intptr_t)arg); /* runs on this thread */
    return NULL;
}

int
main(void)
{
    Interp *interp = interp_create();
    Thread *th = thread_create_main(interp);
    safepoint_handlers.run_signals = run_signals;
    signals_set_main(th);
    OK(signals_is_main_thread(), "this is the main thread");
    OK(signals_get_action(SIGUSR1) == SIGNAL_DEFAULT, "nothing is set");
    OK(signals_set_action(SIGUSR1, SIGNAL_NOTE) && signals_get_action(SIGUSR1) == SIGNAL_NOTE,
       "set and asked");
    raise(SIGUSR1);
    OK(handled[SIGUSR1] == 0 && signals_waiting(), "a signal is noted");
    OK(safepoint_poll(th) && handled[SIGUSR1] == 1, "and handled at the safepoint");
    signals_note(SIGUSR1);
    signals_note(SIGINT);
    OK(safepoint_poll(th) && handled[SIGUSR1] == 2 && handled[SIGINT] == 1, "two at once");

    int fds[2];
    OK(pipe(fds) == 0, "a pipe");
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    OK(signals_set_wakeup_fd(fds[1], true) == -1, "set_wakeup_fd");
    raise(SIGUSR1);
    unsigned char byte = 0;
    OK(read(fds[0], &byte, 1) == 1 && byte == SIGUSR1, "the signal's number comes through it");
    OK(signals_set_wakeup_fd(-1, true) == fds[1], "and the old one back");
    OK(safepoint_poll(th), "");

    /* A signal that another thread receives interrupts the main thread's system call. */
    pthread_t t;
    int before = handled[SIGUSR1];
    pthread_create(&t, NULL, raise_here, (void *)(intptr_t)SIGUSR1);
    blocking_begin(th);
    struct timespec ten = {10, 0};
    int64_t start = clock_monotonic_ns();
    int r = nanosleep(&ten, NULL);
    int error = errno;
    blocking_end(th);
    OK(r != 0 && error == EINTR && clock_monotonic_ns() - start < 5 * NS_PER_S,
       "a blocked main thread is woken");
    OK(signals_check(th) && handled[SIGUSR1] == before + 1, "once");
    blocking_begin(th);
    pthread_join(t, NULL);
    blocking_end(th);
    OK(!signals_waiting(), "nothing is left");
    OK(!signals_set_action(SIGKILL, SIGNAL_NOTE), "SIGKILL cannot be caught");
    thread_release(th);
    interp_free(interp);
    DONE();
}
