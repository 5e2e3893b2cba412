/* settings.c -- options and environment variables, as python3.11 takes them. */
#include "core/run/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__clang__)
#define COMPILER "Clang " __clang_version__
#else
#define COMPILER "GCC " __VERSION__
#endif

/* platform.py parses this: version (branch, date, time) [compiler]. */
const char settings_version_text[] =
    "3.11.2 (weft " WEFT_VERSION ", " __DATE__ ", " __TIME__ ") [" COMPILER "] free-threaded";

static const char usage_line[] = "usage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\n";

static const char usage_text[] =
    "Options (and corresponding environment variables):\n"
    "-b     : issue warnings about converting bytes/bytearray to str and comparing\n"
    "         bytes/bytearray with str or bytes with int (-bb: issue errors)\n"
    "-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x\n"
    "-c cmd : program passed in as string (terminates option list)\n"
    "-d     : accepted, without effect; also PYTHONDEBUG=x\n"
    "-E     : ignore PYTHON* environment variables (such as PYTHONPATH)\n"
    "-h     : print this help message and exit (also -? or --help)\n"
    "-i     : inspect interactively after running script; forces a prompt even\n"
    "         if stdin does not appear to be a terminal; also PYTHONINSPECT=x\n"
    "-I     : isolate from the user's environment (implies -E, -P and -s)\n"
    "-m mod : run library module as a script (terminates option list)\n"
    "-O     : remove assert and __debug__-dependent statements; also PYTHONOPTIMIZE=x\n"
    "-OO    : do -O changes and also discard docstrings\n"
    "-P     : don't prepend a potentially unsafe path to sys.path; also PYTHONSAFEPATH\n"
    "-q     : don't print version messages on interactive startup\n"
    "-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE\n"
    "-S     : don't imply 'import site' on initialization\n"
    "-u     : force the stdout and stderr streams to be unbuffered; also PYTHONUNBUFFERED=x\n"
    "-v     : verbose (trace import statements); also PYTHONVERBOSE=x\n"
    "-V     : print the version number and exit (also --version); -VV: more\n"
    "-W arg : warning control; arg is action:message:category:module:lineno\n"
    "         also PYTHONWARNINGS=arg\n"
    "-x     : skip first line of source\n"
    "-X opt : set implementation-specific option: dev, utf8, int_max_str_digits=N,\n"
    "         warn_default_encoding, importtime, no_debug_ranges, gil=0;\n"
    "         --help-xoptions says more\n"
    "file   : program read from script file\n"
    "-      : program read from stdin (default; interactive mode if a tty)\n"
    "arg ...: arguments passed to program in sys.argv[1:]\n\n"
    "PYTHONPATH, PYTHONHOME, PYTHONSTARTUP, PYTHONHASHSEED, PYTHONIOENCODING, PYTHONUTF8,\n"
    "PYTHONINTMAXSTRDIGITS, PYTHONPYCACHEPREFIX, PYTHONDEVMODE are honoured.\n";

static const char environment_text[] =
    "Environment variables that are honoured (-E and -I ignore them):\n"
    "PYTHONPATH     : ':'-separated directories put in front of the module search path\n"
    "PYTHONHOME     : PREFIX or PREFIX:EXEC_PREFIX; the library is PREFIX/lib/python3.11\n"
    "PYTHONPLATLIBDIR : the name of that 'lib'\n"
    "PYTHONSTARTUP  : file executed when the prompt starts\n"
    "PYTHONSAFEPATH : as -P\n"
    "PYTHONOPTIMIZE : as -O; a number gives the level\n"
    "PYTHONDONTWRITEBYTECODE : as -B\n"
    "PYTHONNOUSERSITE : as -s\n"
    "PYTHONUNBUFFERED : as -u\n"
    "PYTHONVERBOSE  : as -v\n"
    "PYTHONINSPECT  : as -i, also when the program itself sets it\n"
    "PYTHONWARNINGS : as -W; several are separated by commas\n"
    "PYTHONDEVMODE  : as -X dev\n"
    "PYTHONUTF8     : as -X utf8; 0 turns it off\n"
    "PYTHONIOENCODING : encoding[:errors] of stdin, stdout and stderr\n"
    "PYTHONHASHSEED : 'random' (as -R), or a number that makes the hashes of str and bytes the same each time\n"
    "PYTHONINTMAXSTRDIGITS : as -X int_max_str_digits\n"
    "PYTHONFAULTHANDLER, PYTHONPYCACHEPREFIX, PYTHONWARNDEFAULTENCODING,\n"
    "PYTHONPROFILEIMPORTTIME, PYTHONNODEBUGRANGES : as the -X options\n"
    "PYTHONGIL      : 0 is accepted, 1 is refused\n";

static const char x_text[] =
    "Options given with -X:\n"
    "-X dev            : development mode: more checks and warnings\n"
    "-X utf8[=0|1]     : UTF-8 mode\n"
    "-X importtime     : shows how long each import takes\n"
    "-X int_max_str_digits=N : limit of digits in conversions between int and str; 0: none\n"
    "-X pycache_prefix=PATH  : sys.pycache_prefix; without a path: none\n"
    "-X warn_default_encoding : EncodingWarning where an encoding is left out\n"
    "-X no_debug_ranges : code has lines only, tracebacks no marks\n"
    "-X faulthandler   : shows where the program was when it crashes\n"
    "-X gil=0          : accepted; gil=1 is refused, there is no global lock\n"
    "Others are only shown in sys._xoptions.\n";

static const char *
environment(const Settings *s, const char *name)
{
    if (s->ignore_environment)
        return NULL;
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

static void
nothing(Settings *s, int code)
{
    s->what = RUN_NOTHING;
    s->exit_code = code;
}

static void
push(const char ***list, int *count, const char *item)
{
    const char **grown = realloc((void *)*list, sizeof(char *) * (size_t)(*count + 1));
    if (grown == NULL) {
        fputs("weft: no memory\n", stderr);
        exit(1);
    }
    *list = grown;
    grown[(*count)++] = item;
}

static void
flag_from_environment(const Settings *s, int *flag, const char *name)
{
    const char *v = environment(s, name);
    if (v == NULL)
        return;
    char *end;
    long n = strtol(v, &end, 10);
    if (*end || n < 0 || n > INT_MAX)
        n = 1;
    if (*flag < n)
        *flag = (int)n;
}

static char *
find_executable(const char *program)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n > 0) {
        path[n] = 0;
        return strdup(path);
    }
    return program && strchr(program, '/') ? realpath(program, NULL) : NULL;
}

static bool
parse_digits(const char *text, int *out)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || *end || end == text || n < 0 || (n > 0 && n < 640) || n > INT_MAX)
        return false;
    *out = (int)n;
    return true;
}

/* How many frames to trace: only 0 can be had. */
static bool
accept_tracemalloc(Settings *s, const char *what, const char *frames)
{
    char *end;
    errno = 0;
    long n = strtol(frames, &end, 10);
    if (errno || *end || end == frames || n < 0 || n > 65535)
        fprintf(stderr, "Fatal Python error: config_init_tracemalloc: %s: invalid number of frames\n", what);
    else if (n > 0)
        fprintf(stderr, "Fatal Python error: %s is not available: Weft does not trace allocations.\n", what);
    else
        return true;
    nothing(s, 1);
    return false;
}

/* PYTHONMALLOC: there is one heap, whose debug build checks; only that the name is a known one. */
static bool
known_allocator(const char *name)
{
    static const char *const names[] = {"default", "debug", "malloc", "malloc_debug", "pymalloc", "pymalloc_debug"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool
x_option(Settings *s, const char *option)
{
    push(&s->x_options, &s->x_count, option);
    if (strcmp(option, "dev") == 0)
        s->dev_mode = 1;
    else if (strcmp(option, "utf8") == 0 || strncmp(option, "utf8=", 5) == 0) {
        const char *value = option[4] ? option + 5 : "1";
        if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
            fprintf(stderr, "Fatal Python error: preconfig_init_utf8_mode: invalid -X utf8 option value\n");
            nothing(s, 1);
            return false;
        }
        s->utf8_mode = value[0] == '1';
        s->utf8_given = true;
    } else if (strcmp(option, "importtime") == 0)
        s->import_time = true;
    else if (strcmp(option, "faulthandler") == 0)
        s->faulthandler = true;
    else if (strncmp(option, "tracemalloc", 11) == 0 && (option[11] == '=' || option[11] == 0)) {
        s->tracemalloc_given = true; /* whatever the environment says */
        return accept_tracemalloc(s, "-X tracemalloc", option[11] ? option + 12 : "1");
    }
    else if (strcmp(option, "no_debug_ranges") == 0)
        s->no_debug_ranges = true;
    else if (strcmp(option, "warn_default_encoding") == 0)
        s->warn_default_encoding = 1;
    else if (strncmp(option, "pycache_prefix", 14) == 0 && (option[14] == '=' || option[14] == 0)) {
        s->pycache_prefix_given = true; /* without a path: none, whatever the environment says */
        s->pycache_prefix = option[14] && option[15] ? option + 15 : NULL;
    }
    else if (strncmp(option, "int_max_str_digits", 18) == 0) {
        if (option[18] != '=' || !parse_digits(option + 19, &s->int_max_str_digits)) {
            fprintf(stderr, "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid limit; must be >= 640 "
                            "or 0 for unlimited.\n");
            nothing(s, 1);
            return false;
        }
    } else if (strncmp(option, "gil", 3) == 0 && (option[3] == '=' || option[3] == 0)) {
        if (strcmp(option, "gil=0") != 0) {
            fprintf(stderr, "Fatal Python error: -X gil=1: Weft has no global interpreter lock and "
                            "cannot enable one; use gil=0 or leave the option out.\n");
            nothing(s, 1);
            return false;
        }
    }
    return true;
}

/* PYTHONHOME: PREFIX, or PREFIX:EXEC_PREFIX; and PYTHONPLATLIBDIR. */
static void
use_home(Settings *s, const char *home)
{
    size_t n = strcspn(home, ":");
    char *prefix = strndup(home, n), *stdlib = NULL;
    if (prefix == NULL || asprintf(&stdlib, "%s/%s/python3.11", prefix, s->platlibdir) < 0) {
        free(prefix);
        fputs("Fatal Python error: out of memory\n", stderr);
        nothing(s, 1);
        return;
    }
    s->prefix = prefix;
    s->stdlib = stdlib;
    if (home[n] == 0)
        s->exec_prefix = prefix;
    else if (home[n + 1] != 0)
        s->exec_prefix = home + n + 1;
}

static void
environment_settings(Settings *s)
{
    const char *v = environment(s, "PYTHONMALLOC");
    if (v && !known_allocator(v)) {
        fputs("Fatal Python error: preconfig_init_allocator: PYTHONMALLOC: unknown allocator\n", stderr);
        nothing(s, 1);
        return;
    }
    v = s->tracemalloc_given ? NULL : environment(s, "PYTHONTRACEMALLOC");
    if (v && !accept_tracemalloc(s, "PYTHONTRACEMALLOC", v))
        return;
    v = environment(s, "PYTHONPLATLIBDIR");
    if (v)
        s->platlibdir = v;
    s->home = environment(s, "PYTHONHOME");
    if (s->home || v)
        use_home(s, s->home ? s->home : "/usr");
    flag_from_environment(s, &s->debug, "PYTHONDEBUG");
    flag_from_environment(s, &s->verbose, "PYTHONVERBOSE");
    flag_from_environment(s, &s->optimize, "PYTHONOPTIMIZE");
    flag_from_environment(s, &s->inspect, "PYTHONINSPECT");
    if (environment(s, "PYTHONDONTWRITEBYTECODE"))
        s->dont_write_bytecode = 1;
    if (environment(s, "PYTHONNOUSERSITE"))
        s->no_user_site = 1;
    if (environment(s, "PYTHONUNBUFFERED"))
        s->unbuffered = true;
    if (environment(s, "PYTHONSAFEPATH"))
        s->safe_path = 1;
    if (environment(s, "PYTHONFAULTHANDLER"))
        s->faulthandler = true;
    if (environment(s, "PYTHONDEVMODE"))
        s->dev_mode = 1;
    if (environment(s, "PYTHONWARNDEFAULTENCODING"))
        s->warn_default_encoding = 1;
    if (environment(s, "PYTHONNODEBUGRANGES"))
        s->no_debug_ranges = true;
    if (environment(s, "PYTHONPROFILEIMPORTTIME"))
        s->import_time = true;
    v = environment(s, "PYTHONUTF8");
    if (v && !s->utf8_given) {
        if (strcmp(v, "0") != 0 && strcmp(v, "1") != 0) {
            fprintf(stderr, "Fatal Python error: preconfig_init_utf8_mode: invalid PYTHONUTF8 environment "
                            "variable value\n");
            nothing(s, 1);
            return;
        }
        s->utf8_mode = v[0] == '1';
        s->utf8_given = true;
    }
    s->python_path = environment(s, "PYTHONPATH");
    s->io_encoding = environment(s, "PYTHONIOENCODING");
    s->startup = environment(s, "PYTHONSTARTUP");
    if (!s->pycache_prefix_given)
        s->pycache_prefix = environment(s, "PYTHONPYCACHEPREFIX");
    v = environment(s, "PYTHONGIL");
    if (v && strcmp(v, "0") != 0) {
        fprintf(stderr, "Fatal Python error: PYTHONGIL=1: Weft has no global interpreter lock and cannot "
                        "enable one.\n");
        nothing(s, 1);
    }
    v = environment(s, "PYTHONINTMAXSTRDIGITS");
    if (v && s->int_max_str_digits < 0 && !parse_digits(v, &s->int_max_str_digits)) {
        fprintf(stderr, "Fatal Python error: config_init_int_max_str_digits: PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 "
                        "for unlimited.\n");
        nothing(s, 1);
    }
    v = s->hash_random_given ? NULL : environment(s, "PYTHONHASHSEED");
    if (v && strcmp(v, "random") != 0) {
        char *end;
        errno = 0;
        unsigned long n = strtoul(v, &end, 10);
        if (errno || *end || v[0] == '-' || n > 4294967295ul) {
            fprintf(stderr, "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range "
                            "[0; 4294967295]\n");
            nothing(s, 1);
            return;
        }
        s->hash_seed_given = true;
        s->hash_seed = (uint32_t)n;
        s->hash_randomization = n != 0;
    }
}

static void
bad_option(Settings *s, const char *message)
{
    fputs(message, stderr);
    fprintf(stderr, usage_line, s->program);
    fputs("Try `weft -h' for more information.\n", stderr);
    nothing(s, 2);
}

void
settings_parse(Settings *s, int argc, char **argv)
{
    memset(s, 0, sizeof *s);
    s->program = argc > 0 ? argv[0] : "weft";
    s->orig_argv = argv;
    s->orig_argc = argc;
    s->executable = find_executable(s->program);
    s->prefix = s->exec_prefix = "/usr";
    s->platlibdir = "lib";
    s->stdlib = WEFT_STDLIB;
    s->hash_randomization = 1;
    s->int_max_str_digits = -1;
    s->what = RUN_REPL;
    int i = 1, version = 0;
    for (; i < argc && s->what == RUN_REPL; i++) {
        const char *a = argv[i];
        if (a[0] != '-' || a[1] == 0)
            break;
        if (strcmp(a, "--") == 0) {
            i++;
            break;
        }
        if (a[1] == '-') {
            if (strcmp(a, "--help") == 0) {
                printf(usage_line, s->program);
                fputs(usage_text, stdout);
                nothing(s, 0);
            } else if (strcmp(a, "--help-env") == 0) {
                fputs(environment_text, stdout);
                nothing(s, 0);
            } else if (strcmp(a, "--help-xoptions") == 0) {
                fputs(x_text, stdout);
                nothing(s, 0);
            } else if (strcmp(a, "--help-all") == 0) {
                printf(usage_line, s->program);
                printf("%s\n%s\n%s", usage_text, environment_text, x_text);
                nothing(s, 0);
            } else if (strcmp(a, "--version") == 0)
                version++;
            else if (strcmp(a, "--check-hash-based-pycs") == 0) {
                const char *value = i + 1 < argc ? argv[++i] : NULL;
                if (value == NULL)
                    bad_option(s, "Argument expected for the --check-hash-based-pycs options\n");
                else if (strcmp(value, "default") != 0 && strcmp(value, "always") != 0 &&
                         strcmp(value, "never") != 0)
                    bad_option(s, "--check-hash-based-pycs must be one of 'default', 'always', or 'never'\n");
            } else {
                char message[200];
                snprintf(message, sizeof message, "unknown option %.100s\n", a);
                bad_option(s, message);
            }
            continue;
        }
        for (const char *p = a + 1; *p && s->what == RUN_REPL; p++) {
            const char *value = NULL;
            if (strchr("cmWX", *p)) {
                value = p[1] ? p + 1 : i + 1 < argc ? argv[++i] : NULL;
                if (value == NULL) {
                    char message[80];
                    snprintf(message, sizeof message, "Argument expected for the -%c option\n", *p);
                    bad_option(s, message);
                    break;
                }
            }
            switch (*p) {
            case 'c':
                s->what = RUN_COMMAND;
                s->target = value;
                break;
            case 'm':
                s->what = RUN_MODULE;
                s->target = value;
                break;
            case 'W':
                push(&s->warn_options, &s->warn_count, value);
                break;
            case 'X':
                x_option(s, value);
                break;
            case 'b': s->bytes_warning++; break;
            case 'B': s->dont_write_bytecode++; break;
            case 'd': s->debug++; break;
            case 'E': s->ignore_environment++; break;
            case 'i': s->inspect++; s->interactive++; break;
            case 'I': s->isolated++; s->ignore_environment++; s->no_user_site++; s->safe_path++; break;
            case 'O': s->optimize++; break;
            case 'P': s->safe_path++; break;
            case 'q': s->quiet++; break;
            case 'R': s->hash_random_given = true; break;
            case 's': s->no_user_site++; break;
            case 'S': s->no_site++; break;
            case 't': break;
            case 'u': s->unbuffered = true; break;
            case 'v': s->verbose++; break;
            case 'V': version++; break;
            case 'x': s->skip_first_line = true; break;
            case 'h': case '?':
                printf(usage_line, s->program);
                fputs(usage_text, stdout);
                nothing(s, 0);
                break;
            case 'J':
                bad_option(s, "-J is reserved for Jython\n");
                break;
            default: {
                char message[80];
                snprintf(message, sizeof message, "Unknown option: -%c\n", *p);
                bad_option(s, message);
            }
            }
            if (value)
                break;
        }
    }
    if (s->what == RUN_NOTHING)
        return;
    if (version) {
        if (version == 1)
            printf("Python 3.11.2 (Weft " WEFT_VERSION ")\n");
        else
            printf("Python %s\n", settings_version_text);
        nothing(s, 0);
        return;
    }
    s->argv = argv + i;
    s->argc = argc - i;
    if (s->what == RUN_REPL && i < argc) {
        s->what = strcmp(argv[i], "-") == 0 ? RUN_STDIN : RUN_FILE;
        s->target = argv[i];
    }
    environment_settings(s);
    if (s->what == RUN_REPL && !s->interactive && !isatty(STDIN_FILENO))
        s->what = RUN_STDIN;
}
