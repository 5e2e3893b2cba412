/* repl.c -- the plain interactive prompt: reads a statement, runs it, shows its value.
 *
 * Whether a statement goes on is asked of the parser: "incomplete input" wants another line.  A
 * compound statement ends at an empty line.
 */
#include "core/run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "threads/safepoint.h"

/* sys.ps1 or sys.ps2 as text; "" on trouble. */
static void
show_prompt(Thread *th, const char *name)
{
    Value prompt = sys_get_object(th, name);
    Value text = prompt ? to_str(th, prompt) : NULL;
    const char *p = text ? str_utf8(th, text, NULL) : NULL;
    if (p == NULL)
        error_clear(th);
    sys_flush(th);
    if (p) {
        fputs(p, stderr);
        fflush(stderr);
    }
    drop_null(th, text);
    drop_null(th, prompt);
}

/* Reads a line (with its newline) into *text; 1: a line, 0: end, -1: interrupted. */
static int
read_line(Thread *th, char **text, size_t *n, size_t *capacity)
{
    for (;;) {
        if (*n + 1 >= *capacity) {
            size_t size = *capacity ? *capacity * 2 : 4096;
            char *grown = realloc(*text, size);
            if (grown == NULL)
                return 0;
            *text = grown;
            *capacity = size;
        }
        blocking_begin(th);
        ssize_t got = read(0, *text + *n, 1);
        int error = errno;
        blocking_end(th);
        if (got < 0 && error == EINTR) {
            if (!safepoint_poll(th))
                return -1;
            continue;
        }
        if (got <= 0)
            return 0;
        if ((*text)[(*n)++] == '\n')
            return 1;
    }
}

/* Whether there is nothing but blanks and comments. */
static bool
is_blank(const char *text, size_t n)
{
    bool comment = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            comment = false;
        else if (text[i] == '#')
            comment = true;
        else if (!comment && strchr(" \t\r\f", text[i]) == NULL)
            return false;
    }
    return true;
}

/* Whether `text` is the start of something that needs more lines.  It must be
 * complete without its last newline, too: a compound statement ends with an empty line. */
static bool
needs_more(Thread *th, const char *text, size_t n, Value filename, int flags)
{
    Ast ast;
    for (int newline = 1; newline >= 0; newline--) {
        size_t cut = newline == 0 && n > 0 && text[n - 1] == '\n';
        if (!source_parse(th, text, n - cut, filename, START_SINGLE,
                          flags | COMPILE_ALLOW_INCOMPLETE | COMPILE_DONT_IMPLY_DEDENT, &ast))
            break;
        ast_free(&ast);
        if (newline == 0)
            return false;
    }
    Value exc = error_take(th);
    bool more = false;
    if (is_instance_of(exc, &exc_SyntaxError)) {
        Value message = get_attr_c(th, exc, "msg");
        more = message && is_str(message) && str_equal_ascii(message, "incomplete input");
        if (message == NULL)
            error_clear(th);
        drop_null(th, message);
    }
    drop(th, exc);
    return more;
}

int
repl_run(Thread *th, Value dict)
{
    Settings *s = &interp_state(th)->settings;
    if (!s->quiet && s->what == RUN_REPL)
        fprintf(stderr, "Python %s on linux\nType \"help\", \"copyright\", \"credits\" or \"license\" for "
                        "more information.\n", settings_version_text);
    Value ps1 = str_from_c(th, ">>> "), ps2 = str_from_c(th, "... ");
    Value filename = str_from_c(th, "<stdin>");
    if (ps1 == NULL || ps2 == NULL || filename == NULL || !sys_set_object(th, "ps1", ps1) ||
        !sys_set_object(th, "ps2", ps2))
        return exec_exit_code(th);
    drop(th, ps1);
    drop(th, ps2);
    s->inspect = 0; /* from here on SystemExit ends the process */
    char *text = NULL;
    size_t capacity = 0;
    int code = 0, future = 0; /* bits of __future__ that statements have turned on */
    for (;;) {
        size_t n = 0;
        show_prompt(th, "ps1");
        int got = read_line(th, &text, &n, &capacity);
        while (got == 1 && !is_blank(text, n) && needs_more(th, text, n, filename, future)) {
            show_prompt(th, "ps2");
            got = read_line(th, &text, &n, &capacity);
        }
        if (got < 0) { /* interrupted */
            fputs("\n", stderr);
            if (error_matches(th, &exc_KeyboardInterrupt)) {
                exec_print_error(th);
                continue;
            }
            code = exec_exit_code(th);
            break;
        }
        if (got == 0 && n == 0)
            break;
        if (is_blank(text, n))
            continue;
        Value c = source_compile(th, text, n, filename, START_SINGLE, future, s->optimize);
        if (c)
            future |= (int)(as_code(c)->flags & COMPILE_FUTURE_MASK);
        Value r = c ? eval_code(th, c, dict, NULL, NULL) : NULL;
        drop_null(th, c);
        drop_null(th, r);
        if (r == NULL) {
            if (error_matches(th, &exc_SystemExit)) {
                code = exec_exit_code(th);
                break;
            }
            exec_print_error(th);
        }
        sys_flush(th);
    }
    if (code == 0)
        fputs("\n", stderr);
    free(text);
    drop(th, filename);
    return code;
}
