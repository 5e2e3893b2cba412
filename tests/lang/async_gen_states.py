"""The awaitables of asynchronous generators, driven by hand in every order of two calls; frames of generators after
they end."""
import itertools
import sys
import warnings

warnings.simplefilter('ignore')
sys.unraisablehook = lambda args: None


class Pause:
    def __await__(self):
        return (yield 'pause')


async def simple():
    yield 1
    yield 2


async def pausing_end():
    try:
        yield 1
    finally:
        await Pause()


async def goes_on():
    try:
        yield 1
    except GeneratorExit:
        yield 2


async def swallows():
    try:
        yield 1
    except BaseException:
        await Pause()


async def pausing_start():
    await Pause()
    yield 1


async def other_error():
    try:
        yield 1
    except GeneratorExit:
        raise ValueError('other')
    except KeyError:
        yield 'KeyError'


def result(f, *args):
    try:
        return repr(f(*args))
    except BaseException as e:
        return f'{type(e).__name__}({e})'


OPS = [('send', None), ('send', 1), ('throw', KeyError), ('throw', GeneratorExit), ('throw', StopIteration),
       ('close',)]
for make in simple, pausing_end, goes_on, swallows, pausing_start, other_error:
    for started in 0, 1:
        for method in 'aclose', 'asend', 'athrow':
            for calls in itertools.product(OPS, repeat=2):
                a = make()
                if started:
                    result(a.__anext__().send, None)
                w = getattr(a, method)(*{'asend': (None,), 'athrow': (OSError,)}.get(method, ()))
                line = [make.__name__, started, method]
                for name, *args in calls:
                    line += [name, *[getattr(v, '__name__', v) for v in args], result(getattr(w, name), *args)]
                print(*line, a.ag_running, a.ag_frame is None, result(a.__anext__().send, None))


# Frames of generators that ended, or were cleared, have no caller.

def back(frame):
    return frame.f_back and frame.f_back.f_code.co_name


def generator():
    x = 1
    yield sys._getframe()
    1 / 0


async def asynchronous():
    yield sys._getframe()


async def coroutine():
    1 / 0


def backs(t):
    while t:
        yield t.tb_frame.f_code.co_name, back(t.tb_frame)
        t = t.tb_next


def delegating():
    try:
        yield from generator()
    except ZeroDivisionError as e:
        print(*backs(e.__traceback__))


def main():
    g = generator()
    f = next(g)
    print(back(f))
    try:
        next(g)
    except ZeroDivisionError as e:
        print(*backs(e.__traceback__))
    print(back(f))
    list(delegating())
    g = generator()
    f = next(g)
    f.clear()
    print(back(f), f.f_locals, g.gi_frame)
    f.clear()
    print(f.f_locals)
    a = asynchronous()
    try:
        a.__anext__().send(None)
    except StopIteration as e:
        f = e.value
    f.clear()
    print(back(f), f.f_locals, a.ag_frame)
    try:
        coroutine().send(None)
    except ZeroDivisionError as e:
        print(*backs(e.__traceback__))
    f = next(generator())
    print(back(f), f.f_locals)


main()
