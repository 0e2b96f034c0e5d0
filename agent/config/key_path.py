"""Which place of a configuration words name, and what a typed value is there.

Words are parted by blanks or dots: ``destination pacs port`` and ``destination.pacs.port``. One of several tables is
named by its ``name``; ``destination[0]``, as error messages say it, is the first one whatever its name.
"""

from __future__ import annotations

from agent.config.check import check_value, elsewhere, expected
from agent.config.key import Key, Section
from agent.config.kinds import KINDS
from agent.config.nearest import nearest
from agent.config.schema import SECTIONS
from agent.errors import ConfigError, UsageError
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.toml_text import Path

_TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_HINT: Final = "'modality-agent config example' shows every key; in the console '?' does."
# A number of more digits is an accident; Python takes long over it.
_DIGITS: Final = 40


class Place(NamedTuple):
    """A section, one of its tables (``row``, and the ``name`` it is asked for by) and a key, as far as they are named.

    ``row`` may be one more than there are: a new table.
    """

    section: Section
    row: int | None = None
    name: str = ""
    key: Key | None = None

    @property
    def path(self) -> Path:
        """Where it is in the document."""
        row = () if self.row is None else (self.row,)
        return (self.section.name, *row, *(() if self.key is None else (self.key.name,)))

    @property
    def words(self) -> tuple[str, ...]:
        """How it is named."""
        if self.row is None:
            first: tuple[str, ...] = (self.section.name,)
        else:
            first = (self.section.name, self.name) if self.name else (f"{self.section.name}[{self.row}]",)
        return first if self.key is None else (*first, self.key.name)


def parts_of(words: Sequence[str]) -> list[str]:
    """Split dotted words."""
    return [part for word in words for part in word.split(".") if part]


def find(words: Sequence[str], document: dict[str, Any]) -> Place:
    """Return the place that ``words`` name; raises ``UsageError`` with the nearest word that there is."""
    parts = parts_of(words)
    if not parts:
        raise UsageError("no key is named", hint=_HINT)
    title, bracket, index = parts[0].partition("[")
    section = next((one for one in SECTIONS if one.name == title), None)
    if section is None:
        raise UsageError(f"{title}: unknown section{nearest(title, [one.name for one in SECTIONS])}", hint=_HINT)
    place, rest = Place(section), parts[1:]
    rows = rows_of(document, section.name)
    if bracket:
        place = place._replace(row=_index(parts[0], index.removesuffix("]"), len(rows), repeated=section.repeated))
        place = place._replace(name=_unique_name(rows, place.row))
    elif section.repeated and rest:
        names = [row.get("name") if isinstance(row, dict) else None for row in rows]
        row = names.index(rest[0]) if rest[0] in names else len(rows)
        place, rest = Place(section, row, rest[0]), rest[1:]
    if not rest:
        return place
    before = " ".join(place.words)
    key = next((one for one in section.keys if one.name == rest[0]), None)
    if key is None:
        told = elsewhere(rest[0]) or nearest(rest[0], [one.name for one in section.keys])
        raise UsageError(f"{before} {rest[0]}: unknown key{told}", hint=_HINT)
    if len(rest) > 1:
        raise UsageError(f"{before} {rest[0]}: nothing is known about '{rest[1]}' behind it", hint=_HINT)
    return place._replace(key=key)


def is_set(words: Sequence[str], document: dict[str, Any]) -> bool:
    """Whether the place that ``words`` name is in a document."""
    above: Any = document
    for name in find(words, document).path:
        if isinstance(above, dict):
            there = name in above
        else:
            there = isinstance(above, list) and isinstance(name, int) and name < len(above)
        if not there:
            return False
        above = above[name]
    return True


def rows_of(document: dict[str, Any], name: str) -> list[Any]:
    """Return the tables of a repeated section."""
    rows = document.get(name, [])
    return rows if isinstance(rows, list) else []


def _unique_name(rows: list[Any], row: int | None) -> str:
    names = [one.get("name") if isinstance(one, dict) else None for one in rows]
    name = names[row] if row is not None and row < len(names) else None
    return name if isinstance(name, str) and names.count(name) == 1 else ""


def _index(word: str, digits: str, count: int, *, repeated: bool) -> int:
    if not repeated:
        raise UsageError(f"{word}: there is one of it only", hint=_HINT)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6 and int(digits) <= count):
        raise UsageError(f"{word}: there is no such one; there are {count}, counted from 0", hint=_HINT)
    return int(digits)


def value_of(place: Place, text: str) -> object:
    """Return what ``text`` is as a value of a key; raises ``ConfigError`` with what the key takes."""
    assert place.key is not None
    key = place.key
    value = _read(key, text)
    where = " ".join(place.words)
    if value is None:
        given = "this" if key.secret else f"'{text}'"
        raise ConfigError(f"{where}: {given} is not {expected(key)}", hint=key.help)
    _, reason = check_value(key, value)
    if reason:
        raise ConfigError(f"{where}: {reason}", hint=key.help)
    return value


def _read(key: Key, text: str) -> object:
    kind = KINDS[key.kind]
    if kind.word == "boolean":
        return _TRUTH.get(text.lower())
    if kind.word in ("integer", "number"):
        return _number(text, whole=kind.word == "integer")
    if kind.word == "array":
        return _array(text)
    if int in kind.types:
        if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
            return int(text)
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    return text


def _number(text: str, *, whole: bool) -> int | float | None:
    bare = text.lstrip("+-")
    try:
        if bare.isascii() and bare.isdigit() and len(bare) <= _DIGITS:
            return int(text)
        return None if whole or len(text) > _DIGITS or not text.isascii() else float(text)
    except ValueError:
        return None


def _array(text: str) -> object:
    """Read a TOML array, or one text as an array of it."""
    if not text.lstrip().startswith("["):
        return [text] if text else []
    import tomllib

    try:
        value = tomllib.loads(f"x = {text}")["x"]
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None
