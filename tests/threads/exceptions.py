"""One exception object raised, caught and changed by several threads."""
import traceback
from race import race, done

e = ValueError("shared")
other = KeyError("other")


def raise_it():
    try:
        raise e
    except ValueError as x:
        assert x is e


def chain():
    try:
        try:
            raise e
        except ValueError:
            raise other from e
    except KeyError:
        pass


def read():
    "".join(traceback.format_tb(e.__traceback__)[:5])
    e.__context__, e.__cause__, e.args, str(e), repr(e)


def change():
    e.__traceback__ = None
    e.args = ("shared", 1)
    e.__cause__ = None
    e.with_traceback(None)
    e.add_note("n")
    e.__notes__.clear()
    other.__traceback__ = None
    e.__context__ = None
    other.__context__ = None


def deep():
    def f(n):
        if n == 0:
            raise e
        f(n - 1)
    try:
        f(20)
    except ValueError:
        pass
    change()


race(raise_it, chain, change, change, allow=AttributeError)
race(deep, deep, read, change, allow=AttributeError, seconds=0.5)
done()
