/* run.h -- a process that runs Python: the interpreter's state and what its parts offer. */
#ifndef CORE_RUN_RUN_H
#define CORE_RUN_RUN_H

#include "core/compile/compile.h"
#include "core/run/settings.h"
#include "core/syntax/parser.h"
#include "core/vm/vm.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"
#include "threads/interp.h"

typedef struct InterpState {
    Settings settings;                  /* [const] */
    const ModuleSpec *const *natives;   /* [const] NULL-terminated */
    Value sys_module, builtins_module;  /* [const] counted */
    Value importlib, importlib_external;/* [const] once imported */
    int64_t builtins_count;             /* [const] names of builtins when the streams are open */
    Value import_function;              /* [const] the original builtins.__import__ */
    Mutex import_lock;                  /* _imp.acquire_lock(): recursive */
    ATOMIC(Thread *) import_owner;
    int import_depth;
    ATOMIC(uint32_t) threads_running;   /* _thread._count(): started, and whoever joins them still waits */
    /* -X importtime: whether the head line is written, how many imports are under way, how many nanoseconds
     * the imports inside the present one took */
    ATOMIC(int) import_time_begun, import_time_depth;
    ATOMIC(int64_t) import_time_inner;
} InterpState;

static inline InterpState *
interp_state(Thread *th)
{
    return th->interp->state;
}

/* -- runtime.c -- */
/* The whole program: returns the exit code. `natives` is the NULL-terminated table of modules. */
int runtime_main(int argc, char **argv, const ModuleSpec *const *natives);

/* -- exit_check.c -- */
/* In debug builds: gives up all that the interpreter holds, and tells on stderr what is alive then
 * and should not be.  Returns the exit code, 99 if there was such a thing.  No Python code after it. */
int exit_check(Thread *th, int code);
/* Empties the table of signal handlers, which is the process's; set by module _signal. */
extern void (*exit_forget_signals)(Thread *th);
/* Calls what INTERP_ATEXIT lists, (function, args, kwargs or None), last first, and takes it out; what
 * the functions raise is reported. */
void exit_call_registered(Thread *th);

/* -- source.c: text to code -- */
enum { START_FILE = PARSE_EXEC, START_EVAL = PARSE_EVAL, START_SINGLE = PARSE_SINGLE,
       START_FUNC_TYPE = PARSE_FUNC_TYPE };
/* A flag beside those of compile(): the text is a script's as it was read, whose faults are told another way. */
#define SOURCE_FROM_FILE (1 << 30)
/* Parses: false with SyntaxError (or another exception) set.  Free with ast_free(). */
RAISES bool source_parse(Thread *th, const char *text, size_t n, Value filename, int start, int flags,
                         Ast *ast);
/* The same, refusing what is newer than Python 3.`feature_version` (0: nothing). */
RAISES bool source_parse_version(Thread *th, const char *text, size_t n, Value filename, int start, int flags,
                                 int feature_version, Ast *ast);
/* Code for source text; `flags` as compile()'s. */
RAISES Value source_compile(Thread *th, const char *text, size_t n, Value filename, int start, int flags,
                            int optimize);
/* Reads a file into malloc()ed memory; false with OSError. */
RAISES bool source_read(Thread *th, const char *path, char **text, size_t *n);
/* Whether what one read gave is many null bytes and nothing else: a device that never ends. */
bool source_endless(const char *p, size_t n);

/* -- import.c -- */
/* builtins.__import__ */
RAISES Value import_name(Thread *th, Value name, Value globals, Value fromlist, int64_t level);
/* importlib.import_module(name) for absolute names. */
RAISES Value import_module_c(Thread *th, const char *name);
/* The native module `name`, not executed and not in sys.modules; NULL without exception if there is none.  sys and
 * builtins are the ones there are. */
Value import_native_create(Thread *th, Value name);
/* The native module `name` from sys.modules, else made and executed; for the start, when one thread runs. */
Value import_native(Thread *th, Value name);
RAISES bool import_start(Thread *th);          /* importlib from its files */
RAISES bool import_start_external(Thread *th);
RAISES bool import_start_zip(Thread *th);      /* zip files on sys.path; after the codecs */

/* -- exec.c -- */
/* Runs what the settings say; returns the exit code. */
int exec_main(Thread *th);
/* The exit code for the exception being raised: prints it unless it is SystemExit; clears it. */
int exec_exit_code(Thread *th);
/* Prints the exception being raised through sys.excepthook; clears it. */
void exec_print_error(Thread *th);
int repl_run(Thread *th, Value main_dict);

/* -- hooks.c -- */
RAISES Value hooks_excepthook(Thread *th, Value exc);          /* default sys.excepthook */
/* Default sys.unraisablehook: tells of `exc`; `text` and `object` may be None. */
void hooks_unraisablehook(Thread *th, Value exc, Value text, Value object);
void hooks_init(Thread *th);
RAISES bool hooks_warn_ready(Thread *th);  /* warnings can be given from now on, to the very end */
RAISES bool sys_write(Thread *th, const char *stream, const char *text); /* sys.stderr.write */
void sys_flush(Thread *th);

/* mod_sys.c and mod_builtins.c hang on these: */
RAISES Value sys_get_object(Thread *th, const char *name); /* new; NULL without exception if absent */
bool sys_set_object(Thread *th, const char *name, Value v);

#endif
