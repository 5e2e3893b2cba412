/* pickle.h -- what the files of module _pickle share: opcodes, the memos, the module's state.
 *
 * A Pickler or Unpickler works for one thread at a time: `user` is claimed for the duration of a
 * call, and another thread that comes meanwhile gets RuntimeError.  What the claim protects needs no
 * lock and no retiring, for nobody else can have read it.  dumps(), loads(), dump() and load() use no
 * shared object at all.
 */
#ifndef MODULES_PICKLE_H
#define MODULES_PICKLE_H

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

enum {
    PICKLE_HIGHEST = 5,
    PICKLE_DEFAULT = 4,
    PICKLE_BATCH = 1000,        /* items of a container that are put on the stack at once */
    PICKLE_FRAME = 64 * 1024,   /* a frame is closed when it has this many bytes */
    PICKLE_FRAME_MIN = 4,       /* fewer bytes get no frame */
};

enum PickleOp {
    OP_MARK = '(', OP_STOP = '.', OP_POP = '0', OP_POP_MARK = '1', OP_DUP = '2',
    OP_FLOAT = 'F', OP_INT = 'I', OP_BININT = 'J', OP_BININT1 = 'K', OP_LONG = 'L', OP_BININT2 = 'M',
    OP_NONE = 'N', OP_PERSID = 'P', OP_BINPERSID = 'Q', OP_REDUCE = 'R', OP_STRING = 'S',
    OP_BINSTRING = 'T', OP_SHORT_BINSTRING = 'U', OP_UNICODE = 'V', OP_BINUNICODE = 'X',
    OP_APPEND = 'a', OP_BUILD = 'b', OP_GLOBAL = 'c', OP_DICT = 'd', OP_EMPTY_DICT = '}',
    OP_APPENDS = 'e', OP_GET = 'g', OP_BINGET = 'h', OP_INST = 'i', OP_LONG_BINGET = 'j',
    OP_LIST = 'l', OP_EMPTY_LIST = ']', OP_OBJ = 'o', OP_PUT = 'p', OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r', OP_SETITEM = 's', OP_TUPLE = 't', OP_EMPTY_TUPLE = ')',
    OP_SETITEMS = 'u', OP_BINFLOAT = 'G', OP_BINBYTES = 'B', OP_SHORT_BINBYTES = 'C',
    /* protocol 2 */
    OP_PROTO = 0x80, OP_NEWOBJ, OP_EXT1, OP_EXT2, OP_EXT4, OP_TUPLE1, OP_TUPLE2, OP_TUPLE3,
    OP_NEWTRUE, OP_NEWFALSE, OP_LONG1, OP_LONG4,
    /* protocol 4 */
    OP_SHORT_BINUNICODE = 0x8c, OP_BINUNICODE8, OP_BINBYTES8, OP_EMPTY_SET, OP_ADDITEMS,
    OP_FROZENSET, OP_NEWOBJ_EX, OP_STACK_GLOBAL, OP_MEMOIZE, OP_FRAME,
    /* protocol 5 */
    OP_BYTEARRAY8 = 0x96, OP_NEXT_BUFFER, OP_READONLY_BUFFER,
};

/* Made once an interpreter; everything is [const], counted by the tuple that the interpreter keeps with it. */
typedef struct PickleState {
    Value error, pickling_error, unpickling_error;
    Value dispatch_table, extension_registry, inverted_registry, extension_cache; /* of copyreg */
    Value names_2to3, imports_2to3, names_3to2, imports_3to2;                     /* of _compat_pickle */
    Value codecs_encode, partial, getattr;
    Value dispatch, reducer_override, persistent_id, persistent_load, find_class, peek, main; /* interned */
} PickleState;

PickleState *pickle_state(Thread *th);

/* -- a memo: objects by identity, numbered from 0 -- */
typedef struct MemoEntry {
    Value object;  /* counted; NULL: free */
    size_t number;
} MemoEntry;

typedef struct Memo {
    MemoEntry *table; /* capacity is a power of two; NULL while empty */
    size_t capacity, count;
} Memo;

BORROWED const MemoEntry *memo_find(const Memo *m, Value object);
/* Adds an object or gives it another number. */
RAISES bool memo_add(Thread *th, Memo *m, Value object, size_t number);
RAISES bool memo_copy(Thread *th, Memo *to, const Memo *from);
void memo_clear(Thread *th, Memo *m);
void memo_visit(const Memo *m, VisitFn visit, void *arg);

/* -- the memo of a reader: values by number.  Numbers far beyond the number of values, which no
 * writer gives out, go into a dict. -- */
typedef struct Slots {
    Value *items; /* counted or NULL */
    size_t capacity, count;
    Value others; /* dict or NULL: numbers from `capacity` on */
} Slots;

RAISES bool slots_put(Thread *th, Slots *s, uint64_t number, Value v);
/* A new reference; NULL without exception if there is none. */
Value slots_get(Thread *th, const Slots *s, uint64_t number);
RAISES bool slots_copy(Thread *th, Slots *to, const Slots *from);
void slots_clear(Thread *th, Slots *s);
void slots_visit(const Slots *s, VisitFn visit, void *arg);

/* -- what the attribute `memo` of a Pickler or Unpickler gives: the two types differ in name, clear() and copy() -- */
typedef struct MemoProxy {
    struct Object head;
    Value owner; /* [const] the Pickler or Unpickler */
} MemoProxy;

RAISES Value memo_proxy_new(Thread *th, Type *type, Value owner);
BORROWED Value memo_proxy_of(Value proxy);
/* Pickled as the dict that its copy() returns. */
RAISES Value memo_proxy_reduce(Thread *th, Value proxy);
void memo_proxy_visit(Object *o, VisitFn visit, void *arg);
void memo_proxy_dealloc(Thread *th, Object *o);

/* -- the claim -- */
enum PickleClaim { CLAIM_FAILED, CLAIM_NEW, CLAIM_NESTED };
/* Claims an object for this thread.  CLAIM_NESTED: it was claimed by it already. */
RAISES enum PickleClaim pickle_claim(Thread *th, uint32_t *user);
static inline void
pickle_release(uint32_t *user, enum PickleClaim claim)
{
    if (claim == CLAIM_NEW)
        __atomic_store_n(user, 0, __ATOMIC_RELEASE); /* pairs with pickle_claim() */
}

typedef struct Pickler {
    struct Object head;
    uint32_t user;          /* [atomic] see pickle_claim() */
    bool ready;             /* [claim] __init__() has been called */
    bool fix_imports;       /* [claim] */
    int64_t protocol;       /* [claim] */
    ATOMIC(int) bin, fast;  /* attributes */
    Field write;            /* file.write */
    Field dispatch_table;   /* attribute, may be NULL */
    Field persistent_id;    /* attribute, may be NULL */
    Field buffer_callback;  /* may be NULL */
    Memo memo;              /* [claim] */
} Pickler;

typedef struct Unpickler {
    struct Object head;
    uint32_t user;          /* [atomic] */
    bool ready;             /* [claim] */
    bool fix_imports;       /* [claim] */
    int protocol;           /* [claim] of the pickle being read */
    Field read, readline, readinto, peek; /* the file's methods; the last two may be NULL */
    Field persistent_load;  /* attribute, may be NULL */
    Field encoding, errors; /* str */
    Field buffers;          /* iterator, or NULL */
    Slots memo;             /* [claim] */
} Unpickler;

extern Type pickler_type, unpickler_type, pickle_buffer_type, pickle_raw_type, pickler_memo_type,
    unpickler_memo_type;
extern const TypeSpec pickler_spec, unpickler_spec, pickle_buffer_spec, pickle_raw_spec,
    pickler_memo_spec, unpickler_memo_spec;

/* -- pickle_write.c: the writer; pickle_pickler.c: class Pickler -- */
typedef struct PickleOptions {
    int protocol;
    bool fix_imports;
    Value buffer_callback; /* borrowed or NULL */
} PickleOptions;
/* protocol: None or int; callback: None or callable, both may be NULL. */
RAISES bool pickle_options(Thread *th, PickleOptions *o, Value protocol, Value fix_imports,
                           Value buffer_callback);
/* What one dump needs; all Values are borrowed and may be NULL. */
typedef struct PickleJob {
    Value write;            /* NULL: the pickle is returned as bytes */
    Value persistent_id, reducer_override, dispatch_table, buffer_callback;
    int protocol;
    bool bin, fast, fix_imports;
    Memo *memo;             /* [claim] */
} PickleJob;
/* The pickle as bytes, or None if it was written. */
RAISES Value pickle_write(Thread *th, Value object, const PickleJob *job);
/* The same with a memo of its own. */
RAISES Value pickle_dump(Thread *th, Value object, const PickleOptions *o, Value write);
RAISES Value pickle_file_write(Thread *th, Value file);

/* -- pickle_read.c: the reader; pickle_unpickler.c: class Unpickler -- */
typedef struct UnpickleOptions {
    bool fix_imports;
    Value encoding, errors; /* borrowed str, or NULL */
    Value buffers;          /* borrowed iterable, None or NULL */
} UnpickleOptions;
/* The methods of a file; all counted or NULL. */
typedef struct PickleFile {
    Value read, readline, peek; /* peek may be missing */
} PickleFile;
/* TypeError or ValueError unless `v` is NULL or the name of a codec or error handler. */
static inline bool
pickle_codec_name(Thread *th, const char *fname, const char *what, Value v)
{
    return arg_str(th, fname, what, v) && (v == NULL || str_c(th, v) != NULL);
}
RAISES bool pickle_file_get(Thread *th, Value file, PickleFile *f);
void pickle_file_drop(Thread *th, PickleFile *f);
/* What one load needs; all Values are borrowed and may be NULL. */
typedef struct UnpickleJob {
    PickleFile file;        /* NULLs: `data` is read */
    Value data;             /* bytes */
    Value self;             /* the Unpickler if find_class() may be overridden */
    Value persistent_load;
    Value buffers;          /* iterator */
    Value encoding, errors; /* str; NULL: ASCII, strict */
    bool fix_imports;
    int *protocol;          /* [claim] set when the pickle says it */
    Slots *memo;            /* [claim] */
} UnpickleJob;
RAISES Value pickle_read(Thread *th, const UnpickleJob *job);
RAISES Value pickle_load_memory(Thread *th, Value data, const UnpickleOptions *o);
RAISES Value pickle_load_file(Thread *th, Value file, const UnpickleOptions *o);

/* -- pickle_global.c: objects by name -- */
/* The parts of a dotted name, a list; AttributeError for "<locals>". `where` may be NULL. */
RAISES Value pickle_name_parts(Thread *th, Value name, Value where);
/* What `parts` name, from `from` on; in *parent (may be NULL) whose attribute the last one is. */
RAISES Value pickle_attribute(Thread *th, Value from, Value parts, Value *parent);
/* Unpickler.find_class(). */
RAISES Value pickle_find_class(Thread *th, Value module, Value name, int protocol, bool fix_imports);
/* The module where `object` can be found under its name. */
RAISES Value pickle_which_module(Thread *th, Value object, Value parts);
RAISES Value pickle_import(Thread *th, Value module_name);
/* Names as Python 2 had them: *module and *name (counted) are replaced. */
RAISES bool pickle_names_3to2(Thread *th, Value *module, Value *name);

/* -- pickle_buffer.c -- */
/* The memory of a PickleBuffer; `b` is released by the caller. */
RAISES bool pickle_buffer_memory(Thread *th, Value self, Buffer *b);

#endif
