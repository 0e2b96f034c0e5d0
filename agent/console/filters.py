"""What stands behind bars: each filter takes lines and gives lines, and keeps no more than it must.

``match`` and ``except`` take a regular expression (``pattern.py``), without regard to case.
"""

from __future__ import annotations

from agent.console.pattern import Pattern
from agent.console.tree import Refused
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LAST_LIMIT: Final = 10_000
# Characters of a line that a filter looks at.
LINE_LIMIT: Final = 400

HELP: Final = {
    "match": "lines that match a regular expression: match RE",
    "except": "lines that do not: except RE",
    "count": "how many lines there are",
    "last": "the last lines: last N",
    "json": "as JSON, where the command has it",
    "no-more": "without stopping at each page",
}
VALUE: Final = {"match": "RE", "except": "RE", "last": "N"}


class Filters(NamedTuple):
    """The chain: ``stages`` are made of (word, value); ``json`` and ``no_more`` are for others to see."""

    stages: tuple[tuple[str, str], ...] = ()
    json: bool = False
    no_more: bool = False

    def start(self) -> Chain:
        """Return the chain, ready for lines."""
        return Chain([_STAGES[word](value) for word, value in self.stages])


class Chain:
    """Filters one behind the other."""

    __slots__ = ("_stages",)

    def __init__(self, stages: list[Any]) -> None:
        self._stages = stages

    def feed(self, lines: list[str]) -> list[str]:
        """Return what is left of ``lines``."""
        for stage in self._stages:
            lines = [out for line in lines for out in stage.feed(line)]
        return lines

    def end(self) -> list[str]:
        """Return what comes when there is no more."""
        lines: list[str] = []
        for stage in self._stages:
            lines = [out for line in lines for out in stage.feed(line)] + stage.end()
        return lines


def read(pieces: Sequence[Sequence[str]]) -> Filters:
    """Make filters of the words between bars; raises ``Refused``."""
    stages: list[tuple[str, str]] = []
    json = no_more = False
    for words in pieces:
        word = _named(words[0]) if words else ""
        if not word:
            shown = f"'{words[0]}'" if words else "nothing"
            raise Refused(f"behind the bar stands {shown}; there are: {', '.join(sorted(HELP))}")
        values = words[1:]
        if len(values) != (word in VALUE):
            raise Refused(f"'| {word}' takes {VALUE.get(word, 'no value')}" + " alone" * (word in VALUE))
        json, no_more = json or word == "json", no_more or word == "no-more"
        if word not in ("json", "no-more"):
            _STAGES[word](values[0] if values else "")  # a wrong value is said before anything runs
            stages.append((word, values[0] if values else ""))
    return Filters(tuple(stages), json, no_more)


def _named(typed: str) -> str:
    found = [word for word in HELP if word.startswith(typed)] if typed else []
    return typed if typed in HELP else found[0] if len(found) == 1 else ""


class _Match:
    def __init__(self, pattern: str, *, keep: bool = True) -> None:
        try:
            self._pattern = Pattern(pattern)
        except ValueError as error:
            raise Refused(f"'{pattern}' is no regular expression: {error}") from None
        self._keep = keep

    def feed(self, line: str) -> list[str]:
        return [line] if self._pattern.found_in(line[:LINE_LIMIT]) is self._keep else []

    def end(self) -> list[str]:
        return []


class _Count:
    def __init__(self, _value: str) -> None:
        self._count = 0

    def feed(self, _line: str) -> list[str]:
        self._count += 1
        return []

    def end(self) -> list[str]:
        return [f"{self._count} line{'s' * (self._count != 1)}"]


class _Last:
    def __init__(self, value: str) -> None:
        if not (value.isascii() and value.isdecimal() and 0 < int(value[:9]) <= LAST_LIMIT):
            raise Refused(f"'last' takes a number from 1 to {LAST_LIMIT}")
        self._limit = int(value)
        self._lines: list[str] = []

    def feed(self, line: str) -> list[str]:
        self._lines.append(line)
        if len(self._lines) > 2 * self._limit:
            del self._lines[: -self._limit]
        return []

    def end(self) -> list[str]:
        return self._lines[-self._limit :]


_STAGES: Final[dict[str, Callable[[str], Any]]] = {
    "match": _Match,
    "except": lambda value: _Match(value, keep=False),
    "count": _Count,
    "last": _Last,
}
