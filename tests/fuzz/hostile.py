"""The hostile values and steps of fuzz.py.  start_MODE(r, note) returns a function that does one step."""
import sys
import types
import weakref

# -- values that behave badly --------------------------------------------------------------------------

MODULES = ("builtins", "_abc", "_ast", "_bisect", "_codecs", "_collections", "_contextvars", "_functools", "_heapq",
           "_imp", "_io", "_md5", "_operator", "_random", "_sha1", "_sha256", "_sha3", "_sha512", "_signal", "_sre",
           "_stat", "_statistics", "_string", "_struct", "_thread", "_warnings", "_weakref", "array", "atexit",
           "binascii", "cmath", "errno", "gc", "itertools", "marshal", "math", "posix", "select", "sys", "time",
           "zlib", "unicodedata", "_pickle", "_socket", "_json", "_datetime", "_csv", "_queue", "_opcode", "_locale",
           "_symtable", "_tracemalloc", "_posixshmem", "_hashlib", "_blake2", "_bz2", "_lzma", "_decimal", "_asyncio",
           "fcntl", "grp", "pwd", "resource", "termios", "mmap", "pyexpat", "syslog", "_uuid", "_ctypes", "_sqlite3",
           "_elementtree", "_zoneinfo", "audioop", "_crypt", "_multiprocessing", "readline", "_ssl", "_lsprof",
           "faulthandler", "_curses", "_dbm", "_gdbm", "nis", "ossaudiodev", "spwd", "_typing", "_tkinter")

# What ends, stops or replaces this process, acts on others, damages files, or takes away what the fuzzer
# itself stands on.  Everything else is called.
SKIP = {
    "builtins": {"input", "breakpoint", "exit", "quit", "open", "print", "help", "copyright", "credits", "license",
                 "__import__", "__build_class__"},
    "posix": {"_exit", "abort", "kill", "killpg", "fork", "forkpty", "fork1", "execv", "execve", "posix_spawn",
              "posix_spawnp", "system", "close", "closerange", "dup", "dup2", "unlink", "remove", "rmdir", "rename",
              "replace", "truncate", "ftruncate", "chmod", "fchmod", "lchmod", "fchmodat", "chown", "fchown", "lchown",
              "chroot", "setuid", "setgid", "seteuid", "setegid", "setreuid", "setregid", "setresuid", "setresgid",
              "setgroups", "initgroups", "setsid", "setpgid", "setpriority", "nice", "mkfifo", "mknod", "link",
              "symlink", "wait", "wait3", "wait4", "waitpid", "waitid", "read", "readv", "pread", "preadv", "write",
              "writev", "pwrite", "pwritev", "open", "openpty", "chdir", "fchdir", "tcsetpgrp", "sendfile", "splice",
              "copy_file_range", "posix_fallocate", "sched_setaffinity", "sched_setscheduler", "sched_setparam",
              "setxattr", "removexattr", "utime", "login_tty", "putenv", "unsetenv", "umask", "lockf", "set_blocking",
              "set_inheritable", "fdopen", "mkdir", "pidfd_open", "eventfd", "memfd_create", "pipe", "pipe2",
              "register_at_fork", "fdatasync", "fsync", "sync", "listdir", "scandir", "walk", "unshare", "setns",
              "eventfd_read", "eventfd_write"},
    "_io": {"open", "open_code", "FileIO"},
    "_signal": {"raise_signal", "pthread_kill", "alarm", "setitimer", "pause", "sigwait", "sigwaitinfo",
                "sigtimedwait", "signal", "pthread_sigmask", "set_wakeup_fd", "siginterrupt", "pidfd_send_signal",
                "default_int_handler"},
    "_thread": {"exit", "exit_thread", "start_new_thread", "start_new", "interrupt_main", "_set_sentinel", "stack_size",
                "allocate_lock", "allocate", "RLock", "LockType", "lock"},
    "sys": {"exit", "setrecursionlimit", "settrace", "setprofile", "breakpointhook", "_clear_type_cache",
            "addaudithook", "set_int_max_str_digits", "displayhook", "set_asyncgen_hooks", "setdlopenflags",
            "unraisablehook", "excepthook", "setswitchinterval", "_current_frames"},
    "time": {"sleep", "clock_settime", "clock_settime_ns", "tzset"},
    "gc": {"set_debug", "freeze", "disable", "get_objects", "get_referrers", "set_threshold"},
    "atexit": {"register", "_run_exitfuncs", "_clear", "unregister"},
    "_imp": {"acquire_lock", "release_lock", "create_builtin", "exec_builtin", "create_dynamic", "exec_dynamic",
             "_fix_co_filename", "init_frozen"},
    "select": {"select", "poll", "epoll"},
    "_abc": {"_reset_registry", "_reset_caches"},
    "resource": {"setrlimit", "prlimit"},
    "faulthandler": {"_sigsegv", "_sigabrt", "_sigfpe", "_fatal_error", "_read_null", "_stack_overflow",
                     "_fatal_error_c_thread", "register", "enable", "dump_traceback_later", "dump_traceback"},
    "_ctypes": None, "termios": None, "_tkinter": None, "_curses": None, "syslog": None, "fcntl": None,
    "_posixshmem": None, "readline": None,
    "_socket": {"close", "dup", "sethostname", "fromfd", "getaddrinfo", "gethostbyname", "gethostbyname_ex",
                "gethostbyaddr", "getnameinfo", "socket", "SocketType"},
    "_warnings": {"filters"},
    "_codecs": {"register", "unregister", "register_error"},
}

NAMES = ["__add__", "__radd__", "__sub__", "__mul__", "__rmul__", "__matmul__", "__truediv__", "__floordiv__",
         "__mod__", "__divmod__", "__pow__", "__lshift__", "__rshift__", "__and__", "__or__", "__xor__", "__neg__",
         "__pos__", "__abs__", "__invert__", "__iadd__", "__isub__", "__imul__", "__ior__", "__eq__", "__ne__",
         "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__bool__", "__len__", "__length_hint__", "__getitem__",
         "__setitem__", "__delitem__", "__contains__", "__iter__", "__next__", "__reversed__", "__call__",
         "__enter__", "__exit__", "__index__", "__int__", "__float__", "__complex__", "__trunc__", "__round__",
         "__floor__", "__ceil__", "__str__", "__repr__", "__format__", "__bytes__", "__fspath__", "__get__",
         "__set__", "__delete__", "__getattr__", "__setattr__", "__delattr__", "__dir__", "__await__", "__aiter__",
         "__anext__", "__del__", "__instancecheck__", "__subclasscheck__", "__missing__", "__copy__", "__reduce__",
         "__reduce_ex__", "__mro_entries__", "__prepare__", "__set_name__", "__class_getitem__", "__init_subclass__",
         "__getnewargs__", "__getstate__", "__sizeof__", "keys", "read", "readinto", "readline", "write", "close",
         "flush", "seek", "tell", "closed", "fileno", "decode", "encode", "items", "__traceback__", "__bases__"]

BASES = [object, object, object, int, str, list, dict, tuple, set, frozenset, bytes, bytearray, float, complex, type,
         Exception, types.ModuleType, property, range, slice, OSError, UnicodeDecodeError, ExceptionGroup]


def deep_list(n):
    value = []
    for _ in range(n):
        value = [value]
    return value


def deep_tuple(n):
    value = ()
    for _ in range(n):
        value = (value,)
    return value


class Pool:
    """Values for arguments.  Fresh ones are made for most calls; results of calls are used again."""

    def __init__(self, r):
        self.r = r
        self.shared = [[], {}, set(), bytearray(b"shared"), [1, 2, 3], {"a": 1, 2: 3}]
        self.kept = []
        self.depth = 0

    # A method of a hostile class: what it does is drawn at each call.
    def misbehave(self, *args, **keywords):
        r = self.r
        if self.depth > 3:
            return None
        self.depth += 1
        try:
            choice = r.randrange(16)
            if choice == 0:
                raise r.choice((ValueError, TypeError, KeyError, IndexError, StopIteration, AttributeError,
                                MemoryError, ZeroDivisionError, RecursionError, OSError, GeneratorExit))("hostile")
            if choice <= 3:
                self.mutate(r.choice(self.shared + [a for a in args if a.__class__ in (list, dict, set, bytearray)]))
            if choice == 4:
                return NotImplemented
            if choice == 5:
                return args[0] if args else self
            if choice == 6:
                return r.choice((0, 1, -1, 2, True, False, 1 << 62, 1 << 63, -1 << 63, 1 << 200))
            if choice == 7:
                return r.choice((None, "", "x", b"", b"x", (), (1, 2), [], {}))
            if choice == 8:
                return r.choice(self.shared)
            if choice == 9 and args:
                return r.choice(args)
            if choice == 10:
                import gc
                gc.collect(r.randrange(3))
            if choice == 11:
                return iter([1, 2, 3])
            if choice == 12 and args:
                args[0].__class__ = self.hostile_class()
            return self.value()
        finally:
            self.depth -= 1

    def mutate(self, value):
        r = self.r
        try:
            what = r.randrange(6)
            if what == 0:
                value.clear()
            elif what == 1:
                value.pop()
            elif what == 2 and isinstance(value, list):
                value.extend([r.random()] * r.randrange(50))
            elif what == 2 and isinstance(value, dict):
                for i in range(r.randrange(50)):
                    value[i] = i
            elif what == 2 and isinstance(value, set):
                value.update(range(r.randrange(50)))
            elif what == 2:
                value.extend(b"y" * r.randrange(5000))
            elif what == 3 and isinstance(value, list):
                value[:] = []
            elif what == 3 and isinstance(value, dict):
                value.popitem()
            elif what == 4 and isinstance(value, list):
                value.append(value)
        except Exception:
            pass

    def hostile_class(self):
        r = self.r
        misbehave = self.misbehave
        body = {}
        for name in r.sample(NAMES, r.choice((1, 2, 3, 6, 20))):
            if r.random() < 0.85:
                body[name] = lambda *args, **keywords: misbehave(*args, **keywords)
            else:
                body[name] = self.simple()
        if r.random() < 0.2:
            body["__slots__"] = r.choice(((), ("a", "b"), ("__dict__",), ("__weakref__", "x")))
        bases = [r.choice(BASES)]
        if r.random() < 0.1 and self.kept:
            bases.append(self.keep_choice())
        try:
            return type("Hostile", tuple(bases), body)
        except Exception:
            return type("Hostile", (), {k: v for k, v in body.items() if k not in ("__slots__", "__init_subclass__",
                                                                                   "__set_name__")})

    def hostile_object(self):
        cls = self.hostile_class()
        try:
            return cls.__new__(cls)
        except Exception:
            try:
                return cls(*[self.simple() for _ in range(self.r.randrange(6))])
            except Exception:
                return cls

    def keep(self, value):
        if type(value) is dict and ("__name__" in value.keys() or "__builtins__" in value.keys()):
            return
        if value is self or type(value) in (types.FrameType, types.ModuleType) and self.r.random() < 0.9:
            return
        if type(value) is type and value.__module__ != "__main__" and self.r.random() < 0.5:
            return
        if len(self.kept) < 60:
            self.kept.append(value)
        else:
            self.kept[self.r.randrange(60)] = value

    def keep_choice(self):
        return self.r.choice(self.kept) if self.kept else None

    def simple(self):
        r = self.r
        what = r.randrange(12)
        if what == 0:
            return r.choice((0, 1, -1, 2, 3, 7, 8, 64, 100, 255, 256, 1000, 65536))
        if what == 1:
            return r.choice((1 << 31, (1 << 31) - 1, -(1 << 31), 1 << 32, (1 << 63) - 1, 1 << 63, -(1 << 63), 1 << 64,
                             (1 << 62) - 1, 1 << 62, -(1 << 62), -(1 << 62) - 1, 10 ** 30, 1 << 1000, -(1 << 3000)))
        if what == 2:
            return r.choice((0.0, -0.0, 1.5, -1e308, 1e-320, float("inf"), float("-inf"), float("nan"), 2.0 ** 63,
                             1e22, 1j, complex("nan+infj"), True, False))
        if what == 3:
            return r.choice(("", "a", "abc", "\0", "\ud800", "é" * 5, "\U0001F600", "%s %d %(x)n %", "{0!r:{1}} {}", "x" * 300,
                             "utf-8", "latin-1", "strict", "surrogateescape", "ascii", "rb", "w", "r", "exec", "eval", "__class__",
                             "__dict__", "a,b", "\n", "\r\n", "1e400", "0x1p-1074", " 12_3 ", "ignore", "utf-16", "idna",
                             "iI2sPQ", "<h", "(a+)+$", "re"))
        if what == 4:
            return r.choice((b"", b"a", b"\0", b"\xff\xfe\x80", b"abc" * 100, b"\xed\xa0\x80", b"12", b"\n", b"i"))
        if what == 5:
            return r.choice((None, Ellipsis, NotImplemented, True, False, None))
        if what == 6:
            return r.choice((int, str, list, dict, type, object, Exception, len, print, iter, tuple, set, bytes,
                             property, super, staticmethod, KeyError, StopIteration, range, slice, memoryview))
        if what == 7:
            return r.choice(([], {}, (), set(), frozenset(), bytearray(), [1, 2, 3], (1, "a", None), {"a": 1},
                             {1, 2, 3}, frozenset("ab"), bytearray(b"abcdef"), [None] * 20, ["a", "b"], [b"x"], [[]]))
        if what == 8:
            return r.choice((range(5), range(1 << 70), range(0, -10, -3), slice(None), slice(1, None, -2),
                             slice(1 << 80, "a", None), slice(None, None, 0)))
        if what == 9:
            return r.choice(self.shared)
        if what == 10:
            return r.randrange(-20, 20)
        return r.choice(("%c", "{:>{w}}", "a" * 40, "key", "sep", "end", "ÿ", "日本語"))

    def value(self):
        r = self.r
        what = r.randrange(34)
        if what < 12:
            return self.simple()
        if what < 15:
            return self.hostile_object()
        if what == 15:
            return self.hostile_class()
        if what < 20:
            return self.keep_choice()
        if what == 20:
            value = []
            value.append(value)
            return value
        if what == 21:
            value = {}
            value["x"] = value
            return value
        if what == 22:
            value = [self.simple() for _ in range(r.randrange(8))]
            return r.choice((value, tuple(value), iter(value), reversed(value), enumerate(value)))
        if what == 23:
            return r.choice((iter(()), iter([]), iter({}), iter(set()), iter("ab"), iter(b"ab"), iter(range(3)),
                             zip([1], [2]), map(len, ["a"]), filter(None, [1]), iter(int, 1), iter([].__len__, 0),
                             iter({1: 2}.items()), reversed({1: 2}), iter((1, 2))))
        if what == 24:
            def generator():
                x = yield 1
                try:
                    yield x
                finally:
                    yield 3
            g = generator()
            state = r.randrange(4)
            if state:
                next(g)
            if state == 2:
                g.send(5)
            if state == 3:
                for _ in g:
                    pass
            return g
        if what == 25:
            b = bytearray(b"0123456789abcdef")
            m = memoryview(b)
            state = r.randrange(6)
            if state == 1:
                m.release()
            if state == 2:
                return m[::-2]
            if state == 3:
                return m.cast("i")
            if state == 4:
                return m.cast("B", (4, 4))
            if state == 5:
                return memoryview(self.shared[3])
            return m
        if what == 26:
            class Referent:
                pass
            o = Referent()
            if r.random() < 0.5:
                self.kept.append(o)
                del self.kept[:max(0, len(self.kept) - 60)]
            return r.choice((weakref.ref, weakref.proxy))(o, r.choice((None, self.misbehave)))
        if what == 27:
            try:
                raise ExceptionGroup("g", [ValueError(1), TypeError("x")]) if r.random() < 0.3 else \
                    r.choice((ValueError("x"), OSError(2, "x"), KeyError(self.simple()), StopIteration(4),
                              SyntaxError("m", ("f", 1, 2, "text", 3, 4)), UnicodeDecodeError("utf-8", b"abc", 1, 2, "r"),
                              UnicodeEncodeError("ascii", "abc", 1, 2, "r"), AttributeError("q"), ImportError("z")))
            except Exception as error:
                if r.random() < 0.3:
                    error.__context__ = error
                return r.choice((error, error.__traceback__))
        if what == 28:
            async def coroutine():
                return 1

            async def async_generator():
                yield 1
            if r.random() < 0.5:
                value = coroutine()
                value.close()
                return value
            return async_generator()
        if what == 29:
            return r.choice((deep_list, deep_tuple))(r.choice((10, 500, 5000)))
        if what == 30:
            return r.choice((lambda *a: None, self.misbehave, lambda x: x, (lambda x: lambda: x)(1), int.__add__, [].append,
                             "".join, str.upper, (lambda: 0).__code__, type.__call__, dict.fromkeys, int.from_bytes,
                             object().__repr__, types.CellType(), types.CellType(1), types.SimpleNamespace(a=1),
                             list[int], int | str, types.MappingProxyType({1: 2}), types.MappingProxyType(self.shared[1]),
                             property(len), staticmethod(len), classmethod(len), super(int, 1), sys.flags, str.__dict__["join"],
                             int.__dict__["real"], types.FunctionType.__dict__["__code__"]))
        if what == 31:
            import io
            value = r.choice((io.BytesIO(b"abc\ndef\n"), io.StringIO("a\nb"), io.TextIOWrapper(io.BytesIO(b"a\nb")),
                              io.BufferedReader(io.BytesIO(b"abc" * 100)), io.BufferedWriter(io.BytesIO()),
                              io.BufferedRandom(io.BytesIO(b"xx")), io.BufferedRWPair(io.BytesIO(b"a"), io.BytesIO())))
            if r.random() < 0.3:
                value.close()
            return value
        if what == 32:
            import array
            return r.choice((array.array("i", [1, 2]), array.array("d"), array.array("u", "ab"), array.array("b", b"zz")))
        import collections
        import itertools
        import re
        return r.choice((collections.deque([1, 2, 3], 5), collections.OrderedDict(a=1), collections.defaultdict(list),
                         itertools.count(), itertools.tee([1, 2])[0], itertools.chain([1], [2]), itertools.cycle([1]),
                         itertools.groupby([1, 1]), itertools.islice([1, 2], 1), re.compile("a(b)?"),
                         re.compile("(a*)*").match("aaa"), itertools.product([1], [2]), itertools.permutations([1, 2]),
                         itertools.accumulate([1, 2]), itertools.zip_longest([1], []), itertools.repeat(1, 3)))

    def arguments(self, most=4):
        r = self.r
        args = [self.value() for _ in range(r.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, most)))]
        keywords = {}
        if r.random() < 0.1:
            for _ in range(r.randrange(1, 3)):
                keywords[r.choice(("key", "default", "start", "sep", "end", "encoding", "errors", "maxsplit", "reverse", "x",
                                   "file", "strict", "flags", "mode", "initial", "n", "r", "step", "func", "name"))] = self.value()
        return args, keywords


def describe(value, depth=0):
    """Never calls anything of `value`."""
    cls = type(value)
    if cls in (int, float, complex, bool, type(None)):
        if cls is int and not -10 ** 40 < value < 10 ** 40:
            return "<int of %d bits>" % value.bit_length()
        return repr(value)
    if cls in (str, bytes):
        return repr(value[:40])
    if cls in (list, tuple, set, frozenset, dict) and depth < 2 and len(value) < 6:
        if cls is dict:
            return "{%s}" % ", ".join(describe(k, 2) + ": " + describe(v, depth + 1) for k, v in list(value.items()))
        return "%s(%s)" % (cls.__name__, ", ".join(describe(v, depth + 1) for v in list(value)))
    if cls is type:
        return "class " + type.__repr__(value)
    if cls in (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType,
               types.MethodWrapperType, types.ClassMethodDescriptorType):
        return repr(cls) if cls is types.MethodWrapperType else getattr(value, "__qualname__", "?")
    bases = [b.__name__ for b in type.mro(cls)[1:]] if isinstance(cls, type) else []
    return "<%s%s>" % (type.__getattribute__(cls, "__name__"), bases or "")


# -- calls -------------------------------------------------------------------------------------------------

def callables():
    """[(name, callable, wants self type or None)] of the native modules and the types they show."""
    import importlib
    result = []
    seen = set()

    def add_type(cls, name):
        if cls in seen or cls is type(None):
            return
        seen.add(cls)
        for key, value in sorted(cls.__dict__.items()):
            if key in ("__subclasshook__", "__abstractmethods__", "__del__"):
                continue
            if callable(value) or hasattr(value, "__get__"):
                result.append((name + "." + key, cls, key))

    for module_name in MODULES:
        skip = SKIP.get(module_name, set())
        if skip is None:
            continue
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        for key in sorted(vars(module)):
            value = vars(module)[key]
            if key in skip or (module_name == "builtins" and isinstance(value, type) and False):
                continue
            if isinstance(value, type):
                result.append((module_name + "." + key, value, None))
                add_type(value, module_name + "." + key)
            elif callable(value):
                result.append((module_name + "." + key, value, None))
    for name in dir(types):
        value = getattr(types, name)
        if isinstance(value, type):
            add_type(value, "types." + name)
    for sample in (iter([]), iter(()), iter({}), iter({}.items()), iter({}.values()), {}.keys(), {}.items(), {}.values(),
                   iter(set()), iter(""), iter("é"), iter(b""), iter(bytearray()), iter(range(0)), iter(range(1 << 70)), reversed([]),
                   reversed({}), iter(int, 0), enumerate([]), weakref.ref(Pool), weakref.proxy(Pool), memoryview(b""),
                   iter(memoryview(b"")), list[int], iter(list[int]), int | str, (lambda: 0).__code__.co_lines(),
                   (lambda: 0).__code__.co_positions(), sys.flags, sys._getframe(), NotImplemented, Ellipsis):
        add_type(type(sample), type(sample).__name__)
    import contextvars
    import io
    import re
    for cls in (contextvars.Context, contextvars.ContextVar, contextvars.Token, type(re.compile("")),
                type(re.match("", "")), type(re.compile("").scanner("")), io.TextIOWrapper, io.IncrementalNewlineDecoder):
        add_type(cls, cls.__name__)
    return result


def start_calls(r, note):
    import operator
    pool = Pool(r)
    table = callables()
    operators = [getattr(operator, n) for n in sorted(dir(operator)) if not n.startswith("_")
                 and callable(getattr(operator, n))]
    for n in range(30):
        pool.keep(pool.value())

    def step(i):
        what = r.random()
        args, keywords = pool.arguments()
        if what < 0.12:
            f = r.choice(operators)
            note("%d operator.%s %s" % (i, f.__name__ if hasattr(f, "__name__") else f, [describe(a) for a in args]))
            result = f(*args)
        elif what < 0.20:
            target = pool.value()
            if isinstance(target, (types.ModuleType, types.FunctionType, types.FrameType)):
                return
            names = sorted(n for n in dir(type(target)) if isinstance(n, str))
            if not names:
                return
            name = r.choice(names)
            value = pool.value()
            note("%d setattr %s %s %s" % (i, describe(target), name, describe(value)))
            if r.random() < 0.8:
                setattr(target, name, value)
            else:
                delattr(target, name)
            result = None
        elif what < 0.28:
            target = pool.value()
            names = sorted(n for n in dir(type(target)) if isinstance(n, str))
            if not names:
                return
            name = r.choice(names)
            note("%d getattr %s %s" % (i, describe(target), name))
            result = getattr(target, name)
            if callable(result):
                note("%d   called with %s" % (i, [describe(a) for a in args]))
                result = result(*args, **keywords)
        elif what < 0.36:
            result = statement(pool, r, note, i)
        else:
            name, f, method = r.choice(table)
            if method is not None:
                if name.endswith(("._exit", ".sleep")) or method in ("__subclasshook__", "acquire", "acquire_lock",
                                                                      "__enter__") and "ock" in name:
                    return
                cls = f
                if r.random() < 0.75:
                    target = instance_of(pool, cls)
                else:
                    target = pool.value()
                note("%d %s self=%s %s %s" % (i, name, describe(target), [describe(a) for a in args],
                                              {k: describe(v) for k, v in keywords.items()}))
                f = cls.__dict__[method]
                if not callable(f) or r.random() < 0.2:
                    f = f.__get__(target, cls if r.random() < 0.9 else None)
                    if callable(f):
                        result = f(*args, **keywords)
                    else:
                        result = f
                else:
                    result = f(target, *args, **keywords)
            else:
                note("%d %s %s %s" % (i, name, [describe(a) for a in args],
                                      {k: describe(v) for k, v in keywords.items()}))
                result = f(*args, **keywords)
        pool.keep(result)
        if r.random() < 0.3:
            note("%d   iterating %s" % (i, describe(result)))
            for number, item in enumerate(result):
                pool.keep(item)
                if number > 20:
                    break
        elif r.random() < 0.1:
            note("%d   repr, hash, == %s" % (i, describe(result)))
            repr(result)
            hash(result)
            result == pool.keep_choice()

    return step


def instance_of(pool, cls):
    for value in pool.kept:
        if type(value) is cls:
            return value
    r = pool.r
    for _ in range(12):
        value = pool.value()
        if type(value) is cls:
            return value
    for _ in range(3):
        try:
            if r.random() < 0.7:
                return cls(*[pool.simple() for _ in range(r.randrange(4))])
            return cls.__new__(cls)
        except Exception:
            pass
    return pool.value()


def statement(pool, r, note, i):
    """Operations of the language with hostile operands."""
    a, b, c = pool.value(), pool.value(), pool.value()
    what = r.randrange(24)
    note("%d statement %d %s %s %s" % (i, what, describe(a), describe(b), describe(c)))
    if what == 0:
        return [*a, *b]
    if what == 1:
        return {**a, **b}
    if what == 2:
        x, *y, z = a
        return y
    if what == 3:
        a[b] = c
    elif what == 4:
        del a[b]
    elif what == 5:
        return f"{a!r:>{b}}{c}"
    elif what == 6:
        with a as x, b as y:
            raise ValueError(c)
    elif what == 7:
        for x in a:
            pool.mutate(r.choice(pool.shared))
    elif what == 8:
        match a:
            case {"x": x, **rest}:
                return rest
            case [x, *y]:
                return y
            case int(x) | str(x):
                return x
    elif what == 9:
        try:
            raise a from b
        except c:
            pass
    elif what == 10:
        try:
            raise a
        except* b:
            pass
    elif what == 11:
        return (lambda *p, **k: (p, k))(*a, **b)
    elif what == 12:
        class Made(a, metaclass=type if r.random() < 0.5 else b):
            x = c
        return Made
    elif what == 13:
        def g():
            return (yield from a)
        x = g()
        x.send(None)
        x.throw(b if isinstance(b, BaseException) else ValueError)
    elif what == 14:
        async def f():
            async with a as x:
                async for y in b:
                    await c
        x = f()
        try:
            x.send(None)
        finally:
            x.close()
    elif what == 15:
        return a < b < c, a in b, a is b, not a
    elif what == 16:
        a += b
        a **= c
        return a
    elif what == 17:
        return a[b:c], a[b, c]
    elif what == 18:
        a[b:c] = r.choice(pool.shared)
    elif what == 19:
        return isinstance(a, b), issubclass(b, c)
    elif what == 20:
        return [x for x in a if x in b], {x: y for x, y in b}, {x for x in c}
    elif what == 21:
        return sorted(a, key=b if callable(b) else None), min(a, b), sum(c)
    elif what == 22:
        return a % b, "%s %r %a" % (a, b, c), "{} {!r:{}}".format(a, b, c)
    else:
        return type("N", (a,), {"__slots__": b, "x": c})
    return None


# -- damaged code ----------------------------------------------------------------------------------------------

def code_samples():
    source = '''
import sys
def f(a, b=2, *c, d=4, **e):
    x = [i for i in range(a) if i % 2]
    y = {k: v for k, v in e.items()}
    try:
        z = x[0] + b
    except (IndexError, KeyError) as error:
        z = str(error)
    finally:
        b = 1
    with open("/dev/null") as file:
        z = file.read()
    return f"{z!r:>10}{y}"
def g(n):
    for i in range(n):
        try:
            got = yield i
        except ValueError:
            yield from [1, 2]
    return 7
def h(n):
    count = 0
    def inner(m):
        nonlocal count
        count += m
        return lambda: count
    return inner(n)()
def m(x):
    match x:
        case [1, *rest]: return rest
        case {"a": y}: return y
        case str() as s: return s
    class C(list, metaclass=type):
        def __init__(self): super().__init__()
        z: int = 1
    del x
    try:
        raise ExceptionGroup("g", [ValueError()])
    except* ValueError as e:
        C()
async def co(x):
    async with x as y:
        async for z in y:
            await z
    return [w async for w in x]
def star(*a, **k):
    p, *q = a
    p += 1
    del q[0:1]
    assert p, "no"
    global G
    G = p if a and k else not q
    return f(*a, **k) or -p ** 2 < 3 < 4
'''
    space = {}
    exec(compile(source, "<sample>", "exec"), space)
    return [space[n].__code__ for n in ("f", "g", "h", "m", "co", "star")], space


def start_code(r, note):
    codes, space = code_samples()
    pool = Pool(r)
    inner = [k for c in codes for k in c.co_consts if isinstance(k, types.CodeType)]
    codes += inner

    def damage(data):
        data = bytearray(data)
        for _ in range(r.choice((1, 1, 1, 2, 3, 8))):
            what = r.randrange(5)
            at = r.randrange(len(data)) if data else 0
            if what == 0 and data:
                data[at] = r.randrange(256)
            elif what == 1 and data:
                data[at] ^= 1 << r.randrange(8)
            elif what == 2:
                del data[at:at + r.choice((1, 2, 4, 8, 16))]
            elif what == 3:
                data[at:at] = data[r.randrange(len(data) or 1):][:r.choice((1, 2, 8, 16))]
            elif data:
                data[at:at + 2] = r.choice((b"\xff\xff", b"\0\0", b"\x7f\xff"))
        return bytes(data)

    def step(i):
        code = r.choice(codes)
        changes = {}
        for name in r.sample(("co_code", "co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags",
                              "co_stacksize", "co_nlocals", "co_argcount", "co_kwonlyargcount", "co_posonlyargcount",
                              "co_linetable", "co_exceptiontable", "co_firstlineno", "co_name", "co_filename",
                              "co_qualname"), r.choice((1, 1, 2, 3))):
            old = getattr(code, name)
            if isinstance(old, bytes):
                new = damage(old)
            elif isinstance(old, tuple):
                new = list(old)
                if new and r.random() < 0.5:
                    del new[r.randrange(len(new)):]
                elif r.random() < 0.5:
                    new.append(r.choice(("x", "y", pool.simple())))
                elif new:
                    new[r.randrange(len(new))] = pool.simple()
                new = tuple(new)
            elif isinstance(old, int):
                new = r.choice((old ^ (1 << r.randrange(26)), old + 1, old - 1, 0, -1, 1 << 31, 1 << 16, 255))
            else:
                new = pool.simple()
            changes[name] = new
        note("%d %s.replace(%r)" % (i, code.co_name, changes))
        new = code.replace(**changes)
        list(new.co_lines())
        list(new.co_positions())
        closure = tuple(types.CellType(1) for _ in new.co_freevars)
        f = types.FunctionType(new, space, "damaged", None, closure)
        args = [r.choice((3, "x", [1, 2], {"a": 1})) for _ in range(r.randrange(4))]
        note("%d   called with %r" % (i, args))
        result = f(*args)
        if hasattr(result, "send"):
            note("%d   resumed" % i)
            result.send(None)
            result.send(None)

    return step


# -- damaged source ------------------------------------------------------------------------------------------------

TOKENS = """False None True and as assert async await break class continue def del elif else except finally for from global
if import in is lambda nonlocal not or pass raise return try while with yield match case _ print x y self 0 1 1.5 1j 0x1f
0b11 'a' "b" '''c''' b'd' f'{x}' f'{x!r:>{y}}' f'{' rb'x' ( ) [ ] { } : , ; . ... = == != < > <= >= <> -> := + - * ** / // % @ &
| ^ ~ << >> += **= ! $ ? ` \\ # """.split(" ")
TOKENS = [t for group in TOKENS for t in group.split("\n")] + ["\n", "\n ", "\n    ", "\n\t", "\\\n", "\f", "\r", "\0", "é", "\u200b", "𝐱", "#\n"]


def start_source(r, note):
    import os
    library = os.path.dirname(os.__file__)
    files = sorted(n for n in os.listdir(library) if n.endswith(".py"))

    def mutate(data):
        data = bytearray(data)
        for _ in range(r.choice((1, 1, 2, 4, 20))):
            what = r.randrange(7)
            at = r.randrange(len(data) + 1)
            if what == 0 and at < len(data):
                data[at] = r.randrange(256)
            elif what == 1:
                del data[at:at + r.choice((1, 2, 10, 100))]
            elif what == 2:
                start = r.randrange(len(data) + 1)
                data[at:at] = data[start:start + r.choice((1, 5, 50, 500))]
            elif what in (3, 4):
                data[at:at] = r.choice(TOKENS).encode("utf-8", "surrogatepass")
            elif what == 5:
                data[at:at] = r.choice((b"(", b"[", b"{", b"-", b"lambda:", b"f'{", b"not ", b"if x: ", b"x if y else ", b"\n ")) * r.choice((1, 100, 5000))
            else:
                del data[at:]
        return bytes(data)

    def step(i):
        if r.random() < 0.4:
            text = "".join(r.choice(TOKENS) + r.choice((" ", "", " ")) for _ in range(r.randrange(1, 60)))
            if r.random() < 0.3:
                text = text.encode("utf-8", "surrogatepass")
        else:
            with open(os.path.join(library, r.choice(files)), "rb") as f:
                text = f.read(1 << 17)
            start = r.randrange(max(1, len(text) - 3000))
            start = text.rfind(b"\n", 0, start) + 1
            text = mutate(text[start:start + 3000])
            if r.random() < 0.3:
                text = text.decode("utf-8", "replace")
        mode = r.choice(("exec", "exec", "exec", "eval", "single"))
        note("%d compile(%r, mode=%r)" % (i, text, mode))
        import ast
        flags = r.choice((0, 0, 0, ast.PyCF_ONLY_AST, ast.PyCF_TYPE_COMMENTS | ast.PyCF_ONLY_AST, 0x200, 0x4000, 0x2000))
        result = compile(text, "<damaged>", mode, flags, optimize=r.choice((-1, 0, 1, 2)))
        if isinstance(result, ast.AST):
            compile(result, "<damaged>", mode)

    return step


# -- damaged trees ---------------------------------------------------------------------------------------------------

def start_ast(r, note):
    import ast
    import os
    library = os.path.dirname(os.__file__)
    files = ["dataclasses.py", "contextlib.py", "asyncio/tasks.py", "enum.py", "textwrap.py", "abc.py"]
    texts = []
    for name in files:
        with open(os.path.join(library, name), encoding="utf-8") as f:
            texts.append(f.read())
    texts.append("match x:\n case [1, *a, {'k': v, **r}] | C(x, y=2) | None | 'a' as q if z: pass\n"
                 "try: pass\nexcept* E as e: pass\nx: int = f'{a!r:>{b}}'\n"
                 "async def f(a, /, b, *c, d=1, **e) -> x:\n async with a as b: return [i async for i in j]\n")
    pool = Pool(r)
    classes = [c for c in vars(ast).values() if isinstance(c, type) and issubclass(c, ast.AST)]
    classes.sort(key=lambda c: c.__name__)

    def small(depth):
        node = r.choice(classes)()
        for field in node._fields:
            what = r.random()
            if depth and what < 0.6:
                value = small(depth - 1)
                setattr(node, field, [value] if r.random() < 0.4 else value)
            elif what < 0.8:
                setattr(node, field, r.choice(([], None, "name", 1, [None], pool.simple(), "None", "__debug__", [[]])))
        for attribute in node._attributes:
            if r.random() < 0.8:
                setattr(node, attribute, r.choice((1, 0, 5, -1, 1 << 31, None, 10)))
        return node

    def step(i):
        if r.random() < 0.5:
            tree = small(4)
            mode = "exec"
            if r.random() < 0.8:
                tree = r.choice((lambda: ast.Module([tree], []), lambda: ast.Expression(tree),
                                 lambda: ast.Interactive([tree]), lambda: ast.Module([ast.Expr(tree)], [])))()
                if isinstance(tree, ast.Expression):
                    mode = "eval"
                elif isinstance(tree, ast.Interactive):
                    mode = "single"
                ast.fix_missing_locations(tree)
        else:
            tree = ast.parse(r.choice(texts))
            if hasattr(tree, "body") and len(tree.body) > 3:
                start = r.randrange(len(tree.body) - 2)
                tree.body = tree.body[start:start + 2]
            mode = "exec"
            nodes = list(ast.walk(tree))
            for _ in range(r.choice((1, 1, 2, 5))):
                node = r.choice(nodes)
                names = list(node._fields) + list(node._attributes)
                if not names:
                    continue
                name = r.choice(names)
                what = r.randrange(6)
                if what == 0:
                    try:
                        delattr(node, name)
                    except AttributeError:
                        pass
                elif what == 1:
                    setattr(node, name, r.choice(nodes))
                elif what == 2:
                    setattr(node, name, pool.value())
                elif what == 3:
                    setattr(node, name, [r.choice(nodes) for _ in range(r.randrange(3))])
                elif what == 4:
                    setattr(node, name, small(2))
                else:
                    old = getattr(node, name, None)
                    if isinstance(old, list):
                        if old and r.random() < 0.5:
                            old.pop()
                        else:
                            old.append(r.choice((None, r.choice(nodes), pool.simple())))
                    else:
                        setattr(node, name, r.choice((None, [], 0, "x", -1)))
        note("%d %s %s" % (i, mode, type(tree).__name__))
        code = compile(tree, "<tree>", mode)
        note("%d   compiled" % i)
        if isinstance(code, types.CodeType) and r.random() < 0.3:
            list(code.co_lines())
            list(code.co_positions())
        ast.unparse(tree) if r.random() < 0.2 else None

    return step


# -- regular expressions ------------------------------------------------------------------------------------------------

def start_sre(r, note):
    import _sre
    import re
    from re import _compiler, _parser
    patterns = ["a", "(a+)+b", "(?P<n>x)|y(?P=n)?", "[a-z0-9_]*?[^\\d]", "(?i:abc)(?=d)(?!e)(?<=f)(?<!g)", "(a|b|cd)*e", "a{2,5}?b{3}",
                "(?>a*)b", "a++b?+", "(?(1)a|b)(c)", "^$\\b\\B\\A\\Z", "[\\w\\s]+[éà\u4e00-\u9fff]", "(?s:.)(?-s:.)", "((a)|b)*\\2", "(?i)[a-zſ]"]
    subjects = ["", "a", "aaaaaaaaaaaaaaaaaaaab", "abcdef" * 20, "xyx", "é\u4e00" * 5, "\U0001F600a" * 4, b"", b"aaaa", b"abc" * 30, bytearray(b"ab\n"),
                memoryview(b"abcabc")]
    compiled = [list(_compiler._code(_parser.parse(p), 0)) for p in patterns]
    pool = Pool(r)

    def step(i):
        if r.random() < 0.15:
            code = [r.choice((r.randrange(45), r.randrange(1 << 32), 0, 1, 5)) for _ in range(r.randrange(30))]
        else:
            code = list(r.choice(compiled))
            for _ in range(r.choice((1, 1, 2, 4))):
                what = r.randrange(5)
                at = r.randrange(len(code)) if code else 0
                if what == 0 and code:
                    code[at] = r.randrange(45)
                elif what == 1 and code:
                    code[at] = r.choice((0, 1, 0xffffffff, 0xfffffffe, 1 << 31, len(code), len(code) - at, at))
                elif what == 2:
                    del code[at:at + r.choice((1, 2))]
                elif what == 3:
                    code[at:at] = code[r.randrange(len(code) or 1):][:3]
                elif code:
                    code[at] += r.choice((1, -1))
        groups = r.choice((0, 1, 2, 3, 100, 1 << 31))
        note("%d _sre.compile(%r, groups=%r)" % (i, code, groups))
        p = _sre.compile(r.choice(("p", b"p", None)), r.choice((0, 2, 32, 34, 256)), code, groups, {}, (None,) * (r.randrange(3)))
        subject = r.choice(subjects)
        name = r.choice(("match", "search", "fullmatch", "findall", "split", "sub", "subn", "finditer", "scanner"))
        note("%d   %s %r" % (i, name, subject))
        if name in ("sub", "subn"):
            getattr(p, name)(r.choice(("x", b"x", "\\1", lambda m: m.group(0))), subject)
        elif name == "finditer":
            for m in p.finditer(subject):
                m.groups(), m.span(), m.lastgroup, m.regs
        elif name == "scanner":
            s = p.scanner(subject)
            s.search(), s.match()
        else:
            m = getattr(p, name)(subject)
            if m is not None and hasattr(m, "groups"):
                m.groups(), m.groupdict(), m.regs, m.expand("\\1")
        p == p, hash(p), repr(p)

    return step


# -- format strings, patterns, struct ---------------------------------------------------------------------------------------

def start_text(r, note):
    import binascii
    import re
    import string
    import struct
    pool = Pool(r)

    def characters(alphabet, most):
        return "".join(r.choice(alphabet) for _ in range(r.randrange(most)))

    def step(i):
        what = r.randrange(11)
        values = tuple(pool.value() for _ in range(r.randrange(4)))
        if what == 0:
            text = characters("%%%%-+ #0123456789.*lLhsdrabcxXoeEfFgG()n\0é", 14)
            note("%d %r %% %s" % (i, text, [describe(v) for v in values]))
            text % values
        elif what == 1:
            text = characters("%%%%-+ #0123456789.*lsdrabcxXeEfFgG()", 14).encode()
            note("%d %r %% %s" % (i, text, [describe(v) for v in values]))
            text % values
        elif what == 2:
            text = characters("{{{}}}!:rsa01.x[]<>^=+-#,_fdnbceg%é\0", 16)
            note("%d %r.format %s" % (i, text, [describe(v) for v in values]))
            text.format(*values)
        elif what == 3:
            text = characters("<>^=+- #0123456789,_.bcdeEfFgGnosxX%z", 9)
            value = pool.value()
            note("%d format(%s, %r)" % (i, describe(value), text))
            format(value, text)
        elif what == 4:
            text = characters("@=<>!0123456789xcbB?hHiIlLqQnNefdspP ", 8)
            note("%d struct %r %s" % (i, text, [describe(v) for v in values]))
            n = struct.calcsize(text)
            if r.random() < 0.5:
                struct.pack(text, *values)
            elif n < 1 << 20:
                struct.unpack_from(text, bytearray(n + r.randrange(3)), r.choice((0, 1, -1, 1 << 70)))
        elif what == 5:
            text = characters("abc()[]{}*+?|.^$\\\\dwsbBAZ1023,-<>=!:P#iLmsux \n&\u0130", 18)
            note("%d re.compile(%r)" % (i, text))
            p = re.compile(text, r.choice((0, re.I, re.X, re.A, re.S | re.M, re.I | re.X)))
            note("%d   used" % i)
            p.search(characters("abc123\n\u0131K", 24))
            p.sub(characters("\\\\g<>01a", 6), "abcabc")
        elif what == 6:
            data = bytes(r.randrange(256) for _ in range(r.randrange(12)))
            name = r.choice(("utf-8", "utf-7", "utf-16", "utf-32", "utf-16-le", "utf-32-be", "unicode_escape", "raw_unicode_escape", "latin-1", "ascii",
                             "cp1252", "idna", "punycode", "utf-8-sig", "charmap", "mbcs", "\0", "é", "x" * 500))
            errors = r.choice(("strict", "ignore", "replace", "surrogateescape", "surrogatepass", "backslashreplace", "xmlcharrefreplace", "namereplace", "\ud800", "unknown"))
            note("%d %r decode %s %s" % (i, data, name, errors))
            text = data.decode(name, errors)
            text.encode(r.choice(("utf-8", "utf-7", "ascii", "utf-16", "cp1252", "unicode_escape")), errors)
        elif what == 7:
            text = characters(" \t+-_0123456789abcdefxXoBjJ.eEnifyt()\0é\u0663", 14)
            note("%d numbers from %r" % (i, text))
            for f in (int, float, complex, lambda t: int(t, r.choice((0, 2, 16, 36, 37, -1, 1 << 70))), float.fromhex):
                try:
                    f(text)
                except (ValueError, OverflowError):
                    pass
        elif what == 8:
            f = r.choice((binascii.a2b_base64, binascii.a2b_hex, binascii.a2b_qp, binascii.a2b_uu, binascii.b2a_base64, binascii.b2a_qp, binascii.b2a_uu,
                          binascii.crc32, bytes.fromhex, bytearray.fromhex, binascii.hexlify))
            value = r.choice((characters("AB=+/09 \n%z~", 20), characters("AB=+/09 \n%z~", 20).encode(), pool.value()))
            note("%d %s %s" % (i, f.__name__, describe(value)))
            f(value)
        elif what == 9:
            text = characters("${}$abc_1", 12)
            string.Template(text).safe_substitute(a=1)
        else:
            a = r.choice((1, -1)) * r.getrandbits(r.choice((1, 60, 64, 200, 5000)))
            b = r.choice((1, -1)) * r.getrandbits(r.choice((1, 5, 63, 64, 300)))
            note("%d arithmetic of %d and %d bits" % (i, a.bit_length(), b.bit_length()))
            for f in (lambda: a // b, lambda: a % b, lambda: divmod(b, a), lambda: a << abs(b), lambda: a >> abs(b), lambda: pow(a, b, r.choice((b, a, 7, 1, 0))),
                      lambda: a ** (abs(b) & 1023), lambda: a / b, lambda: round(a, -abs(b)), lambda: a.to_bytes(abs(b) & 0xffff, "big", signed=True), lambda: str(a),
                      lambda: hash(a) ^ hash(b), lambda: float(a), lambda: a & b | a ^ ~b):
                try:
                    f()
                except (ArithmeticError, ValueError, MemoryError):
                    pass

    return step


# -- marshal --------------------------------------------------------------------------------------------------------------------

def start_marshal(r, note):
    import marshal
    codes, space = code_samples()
    module = compile("def f(x):\n return [y for y in x]\nclass A: pass\nprint", "m", "exec")
    samples = [marshal.dumps(v) for v in (codes[0], codes[1], codes[3], module, [1, 2.5, "a", b"b", None, (1,), {1: 2}, {3}, 1 << 100, 1j, "é"],
                                          deep_tuple(100))]

    def step(i):
        data = bytearray(r.choice(samples))
        for _ in range(r.choice((1, 1, 2, 5))):
            at = r.randrange(len(data) or 1)
            what = r.randrange(4)
            if what == 0 and data:
                data[at] = r.randrange(256)
            elif what == 1:
                del data[at:at + r.choice((1, 4))]
            elif what == 2:
                data[at:at] = r.choice((b"\xff\xff\xff\x7f", b"(", b"[", b"{", b"c", b"r\0\0\0\0", b"\x80"))
            else:
                del data[at:]
        note("%d marshal.loads(%r)" % (i, bytes(data)))
        value = marshal.loads(data)
        if isinstance(value, types.CodeType):
            note("%d   run" % i)
            closure = tuple(types.CellType(1) for _ in value.co_freevars)
            result = types.FunctionType(value, {"__builtins__": __builtins__, "__name__": "m"}, None, None, closure)(
                *[3] * min(5, value.co_argcount))
            if hasattr(result, "send"):
                result.send(None)
        else:
            repr(value)

    return step
