"""The names of ``typing``, for who cannot pay for it: every file of ours takes them from here.

``typing`` brings ``re`` along, and its ``NamedTuple`` compiles the text of each annotation, four hundred times at a
start: together 0.8 MiB and 8 ms of ``send``, for nobody who runs. A type checker sees ``typing`` itself. What runs gets
names that stand for nothing, and a ``NamedTuple`` that makes the same classes without a look at their types.
"""

from __future__ import annotations

__all__ = ["IO", "TYPE_CHECKING", "Any", "Final", "Generic", "Literal", "NamedTuple", "NoReturn", "Protocol", "Self",
    "TextIO", "TypeAlias", "TypeVar", "cast", "overload"]  # fmt: skip

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import (
        IO,
        Any,
        Final,
        Generic,
        Literal,
        NamedTuple,
        NoReturn,
        Protocol,
        Self,
        TextIO,
        TypeAlias,
        TypeVar,
        cast,
        overload,
    )
else:
    from collections import namedtuple

    class _Nothing:
        """A type that nobody asks about: it may be called, subscripted, joined and inherited from."""

        __slots__ = ()

        def __call__(self, *_args, **_named):
            return self

        def __getitem__(self, _key):
            return self

        def __or__(self, _other):
            return self

        __ror__ = __or__

        def __mro_entries__(self, _bases):
            return ()

    Any = Final = Generic = IO = Literal = NoReturn = Protocol = Self = TextIO = TypeAlias = TypeVar = _Nothing()

    def cast(_type, value):
        """Return ``value``."""
        return value

    def overload(function):
        """Return ``function``; the definition that follows takes its place."""
        return function

    class _Maker(type):
        """Makes a class of ``collections.namedtuple`` out of the body of a class statement."""

        def __new__(cls, name, _bases, body):
            fields = body.pop("__annotations__", {})
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body.pop("__module__"))
            made.__qualname__ = body.pop("__qualname__")
            for key, value in body.items():
                setattr(made, key, value)
            return made

    class _NamedTuple:
        def __mro_entries__(self, _bases):
            return (type.__new__(_Maker, "NamedTuple", (), {}),)

    NamedTuple = _NamedTuple()
