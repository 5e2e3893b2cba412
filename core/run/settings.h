/* settings.h -- what the environment and the command line decide. */
#ifndef CORE_RUN_SETTINGS_H
#define CORE_RUN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Settings {
    /* sys.flags, in its order */
    int debug, inspect, interactive, optimize, dont_write_bytecode, no_user_site, no_site,
        ignore_environment, verbose, bytes_warning, quiet, hash_randomization, isolated, dev_mode,
        utf8_mode, warn_default_encoding, safe_path;
    int int_max_str_digits;     /* -1: default */
    bool unbuffered, skip_first_line, import_time;
    bool utf8_given;            /* -X utf8 says what PYTHONUTF8 would */
    bool faulthandler, no_debug_ranges;
    enum { RUN_REPL, RUN_COMMAND, RUN_MODULE, RUN_FILE, RUN_STDIN, RUN_NOTHING } what;
    const char *target;         /* command text, module name or file name */
    char **argv;                /* sys.argv from the target on: [0] is the script's place */
    int argc;
    char **orig_argv;
    int orig_argc;
    const char **warn_options;  /* -W, in order */
    int warn_count;
    const char **x_options;     /* -X, in order */
    int x_count;
    const char *python_path;    /* PYTHONPATH or NULL */
    const char *home;           /* PYTHONHOME or NULL; it and PYTHONPLATLIBDIR decide the next three */
    const char *prefix, *exec_prefix;
    const char *stdlib;         /* the folder of the library's modules */
    const char *platlibdir;
    const char *program;        /* argv[0] */
    char *executable;           /* absolute path of it, or "" */
    const char *io_encoding;    /* PYTHONIOENCODING or NULL */
    const char *startup;        /* PYTHONSTARTUP or NULL */
    const char *pycache_prefix;
    bool pycache_prefix_given; /* by -X, even if it is none */
    bool tracemalloc_given;    /* by -X */
    bool hash_seed_given, hash_random_given;
    uint32_t hash_seed;
    int exit_code;              /* with RUN_NOTHING */
} Settings;

/* Fills `s` from the command line and environment.  Prints to standard output or error and sets
 * RUN_NOTHING for -h, -V and for errors. */
void settings_parse(Settings *s, int argc, char **argv);

extern const char settings_version_text[]; /* sys.version */

#endif
