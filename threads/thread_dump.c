/* thread_dump.c -- who runs, who waits and for what, as text on a file descriptor. */
#include "threads/thread_dump.h"

#include <unistd.h>

#include "base/attrs.h"
#include "threads/interp.h"
#include "threads/os_thread.h"
#include "threads/thread.h"

typedef struct Line {
    char text[256];
    int length;
} Line;

static void
put(Line *l, const char *s)
{
    while (*s && l->length < (int)sizeof(l->text) - 1)
        l->text[l->length++] = *s++;
}

static void
put_number(Line *l, uint64_t n, unsigned base)
{
    char digits[24];
    int at = 0;
    do
        digits[at++] = "0123456789abcdef"[n % base];
    while ((n /= base) != 0);
    while (at > 0) {
        char one[2] = {digits[--at], '\0'};
        put(l, one);
    }
}

static void
put_requests(Line *l, uint32_t bits)
{
    static const char *const names[] = {"epoch", "stop", "merge", "pending",
                                        "signal", "gc", "async", "calls"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (bits >> i & 1) {
            put(l, " ");
            put(l, names[i]);
        }
}

static void
dump_one(int fd, Thread *t)
{
    static const char *const states[] = {"offline", "online", "claimed", "claimed"};
    Line l = {.length = 0};
    Interp *interp = t->interp;
    put(&l, "context ");
    put_number(&l, t->id, 10);
    if (interp) {
        put(&l, " interpreter ");
        put_number(&l, interp->id, 10);
    }
    if (t == thread_current)
        put(&l, " (this)");
    put(&l, t->is_main ? " main " : t->is_daemon ? " daemon " : " ");
    put(&l, states[load_relaxed(&t->state) & 3]);
    put(&l, " ident 0x");
    put_number(&l, t->ident, 16);
    put(&l, " epoch ");
    put_number(&l, load_relaxed(&t->epoch), 10);
    put(&l, " to merge ");
    put_number(&l, load_relaxed(&t->merge_count), 10);
    uint32_t requests = load_relaxed(&t->request);
    if (requests) {
        put(&l, " requests:");
        put_requests(&l, requests);
    }
    struct OsThread *os = t->os_thread;
    const void *on = os ? load_relaxed(&os->waiting_on) : NULL;
    if (on) {
        put(&l, " waits on 0x");
        put_number(&l, (uint64_t)(uintptr_t)on, 16);
    }
    put(&l, "\n");
    for (int done = 0; done < l.length;) {
        ssize_t n = write(fd, l.text + done, (size_t)(l.length - done));
        if (n <= 0)
            return;
        done += (int)n;
    }
}

void
thread_dump(int fd)
{
    uint32_t high = load_acquire(&thread_id_high); /* [thread.table] */
    for (uint32_t id = 1; id <= high; id++) {
        Thread *t = load_acquire(&thread_by_id[id]); /* [thread.table] */
        if (t && t->in_use)
            dump_one(fd, t);
    }
}
