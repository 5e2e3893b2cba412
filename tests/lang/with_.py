"""The with statement: what is looked up, called, raised and suppressed, in which order and at which line."""
import sys
import threading
import traceback


def show(f, *args):
    try:
        got = f(*args)
        print(f.__name__, "->", type(got).__name__ if isinstance(got, Noisy) else got)
    except BaseException as e:
        print(f.__name__, "raised", type(e).__name__, e)
        print("   ", [(t.name, t.lineno - f.__code__.co_firstlineno) for t in traceback.extract_tb(e.__traceback__)],
              "context", repr(e.__context__))


class Noisy:
    def __init__(self, name="", enter=None, exit=None, result=None):
        self.name, self.enter, self.exit, self.result = name, enter, exit, result

    def __enter__(self):
        print("enter", self.name)
        if self.enter:
            raise self.enter
        return self

    def __exit__(self, kind, value, tb):
        print("exit", self.name, kind and kind.__name__, value, tb and tb.tb_lineno > 0)
        if self.exit:
            raise self.exit
        return self.result


class NoEnter:
    def __exit__(self, *args):
        pass


class NoExit:
    def __enter__(self):
        print("not called")


class Neither:
    pass


class OnInstance:
    def __init__(self):
        self.__enter__ = lambda: 1
        self.__exit__ = lambda *a: None


class Odd:
    """Methods that are bound by other descriptors, or not at all."""
    @staticmethod
    def __enter__():
        return "static"

    @classmethod
    def __exit__(cls, *args):
        print("class exit", cls.__name__, args[:2])


class Callable:
    def __init__(self, name):
        self.name = name

    def __call__(self, *args):
        print("called", self.name, args[:2])
        return self.name


class Unbound:
    __enter__ = Callable("enter")
    __exit__ = Callable("")


class Getter:
    def __init__(self, name, fails=False):
        self.name, self.fails = name, fails

    def __get__(self, obj, cls):
        print("get", self.name)
        if self.fails:
            raise AttributeError("no " + self.name)
        return Callable(self.name)


class Order:
    __enter__ = Getter("enter")
    __exit__ = Getter("exit")


class FailingExit:
    __enter__ = Getter("enter")
    __exit__ = Getter("exit", True)


class FailingEnter:
    __enter__ = Getter("enter", True)
    __exit__ = Getter("exit")


def plain(manager):
    with manager as x:
        print("body")
    return x


def no_target(manager):
    with manager:
        return "returned"


def raising(manager, error):
    with manager:
        raise error
    return "suppressed"


def two(a, b):
    with a as x, b as y:
        print("body", x.name, y.name)
        raise KeyError("body")
    return "suppressed"


def loops(manager):
    seen = []
    for i in range(5):
        with manager:
            if i == 1:
                continue
            if i == 3:
                break
            seen.append(i)
    while True:
        with manager:
            with manager:
                return seen


def in_finally(manager):
    try:
        with manager:
            return "first"
    finally:
        print("finally")


def bad_target(manager):
    with manager as (a, b):
        print("not reached")


def exit_raises_in_return(manager):
    with manager:
        return 1


def rebinds(manager):
    with manager:
        manager = None
    return manager


def deletes(manager):
    with manager:
        del manager
    return "deleted"


def changes_class(manager):
    with manager:
        del type(manager).__exit__
    return "the old __exit__ ran"


def unbound_variable():
    with nothing:
        pass
    nothing = 1


def generator(manager):
    with manager:
        got = yield 1
        print("got", got)
        yield 2


def uses_exc_info(manager):
    with manager:
        try:
            raise ValueError("inner")
        except ValueError:
            with manager:
                print("handled", repr(sys.exc_info()[1]))
    return sys.exc_info()


def each():
    show(plain, Noisy("a"))
    show(no_target, Noisy("a"))
    show(raising, Noisy("a"), ValueError("v"))
    show(raising, Noisy("a", result=True), ValueError("v"))
    show(raising, Noisy("a", result=[]), ValueError("v"))
    show(raising, Noisy("a", exit=OSError("exit")), ValueError("v"))
    show(raising, Noisy("a", enter=OSError("enter")), ValueError("v"))
    show(raising, Noisy("a"), KeyboardInterrupt("k"))
    show(two, Noisy("a"), Noisy("b"))
    show(two, Noisy("a"), Noisy("b", result=1))
    show(two, Noisy("a", result=1), Noisy("b", enter=OSError("enter b")))
    show(two, Noisy("a", result=1), Neither())
    show(plain, NoEnter())
    show(plain, NoExit())
    show(plain, Neither())
    show(plain, OnInstance())
    show(plain, 5)
    show(plain, None)
    show(plain, Odd())
    show(raising, Odd(), ValueError("v"))
    show(plain, Unbound())
    show(raising, Unbound(), ValueError("v"))
    show(plain, Order())
    show(plain, FailingExit())
    show(plain, FailingEnter())
    show(loops, Noisy("l"))
    show(in_finally, Noisy("f"))
    show(bad_target, Noisy("t"))
    show(bad_target, Noisy("t", result=True))
    show(exit_raises_in_return, Noisy("r", exit=OSError("exit")))
    show(rebinds, Noisy("r"))
    show(deletes, Noisy("r"))
    show(changes_class, type("Changing", (Noisy,), {"__exit__": Noisy.__exit__})("c"))
    show(unbound_variable)
    show(uses_exc_info, Noisy("u"))
    g = generator(Noisy("g"))
    print(next(g), g.send("x"), next(g, "end"))
    g = generator(Noisy("g"))
    next(g)
    try:
        g.throw(ValueError("thrown"))
    except ValueError as e:
        print("thrown", e)
    g = generator(Noisy("g"))
    next(g)
    g.close()


for i in range(3):
    each()
print("--- warm")
for i in range(12):
    plain(Noisy())
each()

print("--- locks")
lock, rlock = threading.Lock(), threading.RLock()


def locked(lock):
    with lock as x:
        return x


def releases(lock):
    with lock:
        lock.release()


def raises_locked(lock):
    with lock:
        raise ValueError("in the block")


def releases_and_raises(lock):
    with lock:
        lock.release()
        raise ValueError("in the block")


def nested(lock):
    with lock, lock:
        with lock:
            return repr(lock).split()[:3] + repr(lock).split()[4:5]


class MyRLock(type(rlock)):
    def __enter__(self):
        print("my enter")
        return super().__enter__()

    def __exit__(self, *args):
        print("my exit", args[0])
        return super().__exit__(*args)


class Plain(type(rlock)):
    pass


def state(lock):
    return lock.locked() if hasattr(lock, "locked") else lock._is_owned()


for i in range(10):
    for l in lock, rlock, MyRLock(), Plain(), threading.Condition(), threading.Semaphore(1):
        if i in (0, 9):
            print(type(l).__name__)
            show(locked, l)
            if l is lock or isinstance(l, type(rlock)):
                show(releases, l)
                show(raises_locked, l)
                show(releases_and_raises, l)
                print(state(l))
        else:
            locked(l)
    nested(rlock)
show(nested, rlock)
for name in "__enter__", "__exit__", "x":
    for kind in type(lock), type(rlock):
        try:
            setattr(kind, name, 1)
        except TypeError as e:
            print(e)

print("--- async")


class Async:
    def __init__(self, result=None):
        self.result = result

    async def __aenter__(self):
        print("aenter")
        return self

    async def __aexit__(self, kind, value, tb):
        print("aexit", kind)
        return self.result


class AsyncNoExit:
    async def __aenter__(self):
        pass


class NotAwaitable:
    def __aenter__(self):
        return 1

    def __aexit__(self, *args):
        return 2


class BadExit(Async):
    def __aexit__(self, *args):
        return 2


async def a_plain(manager):
    async with manager as x:
        return x is manager


async def a_raising(manager):
    async with manager:
        raise ValueError("v")
    return "suppressed"


def run(f, *args):
    try:
        f(*args).send(None)
    except StopIteration as e:
        return e.value


for i in range(9):
    if i in (0, 8):
        for m in Async(), Async(1), AsyncNoExit(), Noisy(), NotAwaitable(), BadExit(), lock, 3:
            for f in a_plain, a_raising:
                try:
                    print(f.__name__, run(f, m))
                except Exception as e:
                    print(f.__name__, type(e).__name__, e)
    else:
        run(a_plain, Async())
print(lock.locked())
