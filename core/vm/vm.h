/* vm.h -- what the rest of the program asks of the machine. */
#ifndef CORE_VM_VM_H
#define CORE_VM_VM_H

#include "core/vm/code.h"

/* Function objects.  Every field may be replaced from Python. */
typedef struct Function {
    struct Object head;
    /* What calls read lies a cache line behind the count words, which other threads change. */
    Field name, qualname, doc, module, annotations, dict;
    Field code;               /* Code */
    Field globals;            /* dict; never replaced */
    Field builtins;           /* dict; never replaced */
    Field defaults;           /* tuple or NULL */
    Field kwdefaults;         /* dict or NULL */
    Field closure;            /* tuple of cells or NULL; never replaced */
    ATOMIC(uint32_t) version; /* guard for call caches: changes with code, defaults; 0: none */
} Function;

RAISES Value function_new(Thread *th, Value code, Value globals, Value qualname);

/* Runs code as a module, exec or eval body: `locals` may be any mapping (NULL: globals).  `closure`
 * for code with free variables, or NULL.  Result: the value of an 'eval' code, else None. */
RAISES Value eval_code(Thread *th, Value code, Value globals, Value locals, Value closure);

/* Frames as Python sees them: a new reference to the frame object of the innermost frame, `depth`
 * frames out; NULL without exception if there is none. */
Value frame_object_at(Thread *th, int depth);
RAISES Value frame_locals(Thread *th, Value frame);   /* f_locals: a dict snapshot, or the mapping */
BORROWED Code *frame_code(Value frame);               /* [const] */
int frame_line(Value frame);

/* sys._current_frames(): a dict {ident: frame} (the world stops for it). */
RAISES Value vm_current_frames(Thread *th);
/* sys._current_exceptions(): a dict {ident: sys.exc_info() there} (the world stops for it). */
RAISES Value vm_current_exceptions(Thread *th);

/* __build_class__(func, name, *bases, metaclass=..., **kw) */
Value vm_build_class(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);

/* anext(it, default): an awaitable that gives `fallback` where `awaitable` ends with
 * StopAsyncIteration. */
RAISES Value anext_awaitable_new(Thread *th, Value awaitable, Value fallback);

/* What IMPORT_NAME calls while builtins.__import__ is the original; set by core/run. */
#ifndef VM_IMPORT_HOOK
#define VM_IMPORT_HOOK
extern Value (*vm_import_hook)(Thread *th, Value name, Value globals, Value fromlist, int64_t level);
#endif

/* The awaitable of anext(iterator, default); `awaitable` is what iterator.__anext__() gave. */
RAISES Value anext_awaitable_new(Thread *th, Value awaitable, Value otherwise);
/* The iterator that `await v` drives. */
RAISES Value vm_awaitable_iter(Thread *th, Value v);

/* What IMPORT_NAME does when builtins.__import__ is the native function of that name: set by
 * core/run.  `name` is absolute when level is 0. */
extern Value (*vm_import_hook)(Thread *th, Value name, Value globals, Value fromlist,
                               int64_t level);

RAISES bool vm_init(Thread *th);         /* types of this level, upcalls, safepoint handlers */
void vm_register(void);                  /* hooks for threads and fork; before any Thread exists */
RAISES bool vm_thread_init(Thread *th);  /* register stack; by hand where the hooks are not registered */
void vm_thread_fini(Thread *th);         /* the thread ends: all frames are gone */
/* sys.setrecursionlimit(), for the interpreter and the calling thread; frames in use. */
void vm_set_recursion_limit(Thread *th, int32_t limit);
int32_t vm_recursion_depth(const Thread *th);

#endif
