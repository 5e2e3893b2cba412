"""Type hints: aliases, unions, type variables, protocols and virtual subclasses that threads make and ask about at once."""
import abc
import collections.abc
import types
import typing
from race import race, together, done

T = typing.TypeVar("T")
P = typing.ParamSpec("P")


class Box(typing.Generic[T]):
    pass


@typing.runtime_checkable
class Sized(typing.Protocol):
    def __len__(self): ...


class Interface(abc.ABC):
    @abc.abstractmethod
    def method(self): ...


made = together(lambda i: [list[int], dict[str, T], int | None, typing.Optional[str], Box[int], typing.Callable[P, int],
                           typing.Union[int, str], tuple[int, ...], typing.Literal[1, "a"]])
for other in made[1:]:
    assert made[0] == other and list(map(hash, made[0])) == list(map(hash, other)) and list(map(repr, made[0])) == list(map(repr, other))
alias, generic, union = made[0][0], dict[str, T], made[0][2]


def ask():
    assert alias.__origin__ is list and alias.__args__ == (int,) and generic[int] == dict[str, int]
    assert generic.__parameters__ == (T,) and isinstance(None, union) and isinstance(3, int | str) and not isinstance("", union)
    assert repr(union) == "int | None" and union == typing.Optional[int] and list(alias((1, 2))) == [1, 2]
    assert Box[str]().__orig_class__ == Box[str] and typing.get_args(Box[str]) == (str,)
    assert typing.get_origin(typing.Callable[[int], str]) is collections.abc.Callable


def protocols():
    assert isinstance([], Sized) and issubclass(dict, Sized) and not isinstance(3, Sized)

    class New:
        def __len__(self):
            return 1

        def method(self):
            pass
    assert isinstance(New(), Sized) and issubclass(New, collections.abc.Sized) and not issubclass(New, Interface)
    Interface.register(New)
    assert issubclass(New, Interface) and isinstance(New(), Interface)


def clean():
    for f in typing._cleanups:
        f()
    Interface._abc_caches_clear() if hasattr(Interface, "_abc_caches_clear") else None
    typing.get_type_hints(hinted)


def hinted(a: "int", b: "typing.List[str]" = ()) -> "Box[T]":
    pass


def change():
    namespace.a = 1
    namespace.__dict__.pop("a", None)
    hinted.__annotations__ = {"a": "int", "b": "list[str]"}
    Box.__doc__ = "doc"
    repr(namespace), list[namespace.__class__], types.new_class("C", (Box[int],)).__orig_bases__


namespace = types.SimpleNamespace(b=2)
race(ask, protocols, clean, change, allow=(KeyError, AttributeError))
done()
