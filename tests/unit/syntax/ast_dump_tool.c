/* ast_dump_tool.c -- parses files and prints a tree or an error a line.
 *
 *     ast_dump_tool [-e|-s|-f] [-t] [-i] [-d] [-w] [-0] FILE...
 *     ast_dump_tool -b FILE...        parses each file 20 times: lines a second
 *
 * -e eval, -s single, -f func_type, -t type comments, -i incomplete input is
 * told apart, -d no implied dedents, -u no encodings, -w print warnings, -S the
 * default stack limit instead of 4 MiB.  With -0, the files
 * hold many texts each, separated by zero bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/syntax/ast_dump.h"
#include "plain_hooks.h"

static char *
read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*length + 1);
    if (fread(bytes, 1, *length, file) != *length) {
        exit(2);
    }
    bytes[*length] = '\0';
    fclose(file);
    return bytes;
}

static void
print_quoted(const char *text)
{
    if (text == NULL) {
        printf("None");
        return;
    }
    Value v = plain_hooks.make_str(NULL, text, strlen(text));
    plain_show(stdout, v, NULL);
    plain_hooks.release(NULL, v);
}

static void
show(const ParseOptions *options, const char *bytes, size_t length)
{
    static const char *const kinds[] = {"SyntaxError", "IndentationError", "TabError",
                                        "ValueError", "MemoryError", "raised"};
    Ast ast;
    ParseError err;
    if (parse(options, bytes, length, &ast, &err)) {
        ast_dump(stdout, ast.root, true, plain_show, NULL);
        ast_free(&ast);
    } else {
        printf("%s: ", kinds[err.kind]);
        print_quoted(err.message);
        printf(" %d:%d-%d:%d ", err.lineno, err.col, err.end_lineno, err.end_col);
        print_quoted(err.text);
        parse_error_free(&err);
    }
    putchar('\n');
    if (plain_live != 0) {
        printf("LEAK %ld\n", plain_live);
        plain_live = 0;
    }
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static Value
no_value(void)
{
    return value_from_fixnum(1);
}

static Value bench_int(void *c, const char *d, size_t n, int b)
{ (void)c; (void)d; (void)n; (void)b; return no_value(); }
static Value bench_double(void *c, double d) { (void)c; (void)d; return no_value(); }
static Value bench_str(void *c, const char *s, size_t n)
{ (void)c; (void)s; (void)n; return no_value(); }
static Value bench_singleton(void *c, AstLiteral l) { (void)c; (void)l; return no_value(); }
static void bench_release(void *c, Value v) { (void)c; (void)v; }

static void
bench(ParseOptions options, char **names, int count)
{
    static const ParserHooks hooks = {
        .make_int = bench_int, .make_float = bench_double, .make_complex = bench_double,
        .make_str = bench_str, .make_bytes = bench_str, .intern_name = bench_str,
        .singleton = bench_singleton, .release = bench_release};
    options.hooks = &hooks;
    double lines = 0;
    double bytes_total = 0;
    double best = 0;
    double memory = 0;
    for (int i = 0; i < count; i++) {
        size_t length;
        char *bytes = read_file(names[i], &length);
        double least = 1e9;
        for (int k = 0; k < 20; k++) {
            Ast ast;
            ParseError err;
            double start = now();
            if (!parse(&options, bytes, length, &ast, &err)) {
                printf("%s: %s\n", names[i], err.message);
                break;
            }
            if (k == 0) {
                memory += (double)ast.arena.total;
            }
            ast_free(&ast);
            double spent = now() - start;
            least = spent < least ? spent : least;
        }
        best += least;
        bytes_total += (double)length;
        for (size_t k = 0; k < length; k++) {
            lines += bytes[k] == '\n';
        }
        free(bytes);
    }
    printf("%.0f lines, %.1f MB, %.3f s: %.0f lines/s, %.1f MB/s, arenas %.1f MB\n", lines,
           bytes_total / 1e6, best, lines / best, bytes_total / 1e6 / best, memory / 1e6);
}

int
main(int argc, char **argv)
{
    ParseOptions options = {.hooks = &plain_hooks, .mode = PARSE_EXEC};
    bool split = false;
    options.stack_limit =
        (const char *)((uintptr_t)__builtin_frame_address(0) - ((uintptr_t)4 << 20));
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        switch (argv[i][1]) {
        case 'e': options.mode = PARSE_EVAL; break;
        case 's': options.mode = PARSE_SINGLE; break;
        case 'f': options.mode = PARSE_FUNC_TYPE; break;
        case 't': options.flags |= PARSE_TYPE_COMMENTS; break;
        case 'i': options.flags |= PARSE_ALLOW_INCOMPLETE_INPUT; break;
        case 'd': options.flags |= PARSE_DONT_IMPLY_DEDENT; break;
        case 'u': options.flags |= PARSE_SOURCE_IS_UTF8; break;
        case 'S': options.stack_limit = NULL; break;
        case 'w': plain_print_warnings = true; break;
        case '0': split = true; break;
        case 'b': bench(options, argv + i + 1, argc - i - 1); return 0;
        }
    }
    for (; i < argc; i++) {
        size_t length;
        char *bytes = read_file(argv[i], &length);
        if (!split) {
            show(&options, bytes, length);
        } else {
            for (size_t at = 0; at < length; at += strlen(bytes + at) + 1) {
                show(&options, bytes + at, strlen(bytes + at));
            }
        }
        free(bytes);
    }
    return 0;
}
