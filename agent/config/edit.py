"""Change one key or table of a TOML text and nothing else: comments, order and layout are whoever's wrote it.

The text is edited by lines (``toml_text``) and then parsed again: only when it says exactly what was asked for, and
everything else as before, it is taken. Where that fails, for a layout that the scanner does not follow (inline tables,
a section made of dotted keys), the whole file is written anew, without its comments; ``Edited.anew`` says so.
"""

from __future__ import annotations

from itertools import pairwise

from agent.config.command_line import basic
from agent.config.toml_text import Path, Statement, statements
from agent.errors import ConfigError
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Edited(NamedTuple):
    """The text, what it says, and whether it had to be written anew."""

    text: str
    document: dict[str, Any]
    anew: bool = False


def set_value(text: str, document: dict[str, Any], path: Path, value: object) -> Edited:
    """Give the key ``path`` a value; a table that is missing is made, at the end of its kind."""
    wanted = copied(document)
    _put(wanted, path, value)
    if same(wanted, document):
        return Edited(text, document)
    return _proven(_set_in(text, path, literal(value)), wanted)


def delete(text: str, document: dict[str, Any], path: Path) -> Edited:
    """Take the key or table ``path`` out; it is there."""
    wanted = copied(document)
    _take_out(wanted, path)
    return _proven(_without(text, path), wanted)


def add_table(text: str, document: dict[str, Any], name: str) -> Edited:
    """Add an empty table to the array ``name``."""
    wanted = copied(document)
    rows = wanted.setdefault(name, [])
    rows.append({})
    return _proven(_set_in(text, (name, len(rows) - 1), ""), wanted)


def _proven(text: str, wanted: dict[str, Any]) -> Edited:
    if says(text, wanted):
        return Edited(text, wanted)
    text = written(wanted)
    if not says(text, wanted):
        raise ConfigError("this file cannot be changed by a command", hint="Correct it in an editor.")
    return Edited(text, wanted, anew=True)


def says(text: str, wanted: dict[str, Any]) -> bool:
    """Whether a text parses to exactly this."""
    import tomllib

    try:
        return same(tomllib.loads(text), wanted)
    except (ValueError, RecursionError):  # TOMLDecodeError is a ValueError
        return False


def same(one: object, other: object) -> bool:
    """Whether two documents are the same, types too: 1 is not 1.0 and not true."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other) if isinstance(one, float) else one == other


def copied(value: Any) -> Any:
    """Copy what ``tomllib`` gives."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list) else value


# --- the document --------------------------------------------------------------------------------


def _put(document: dict[str, Any], path: Path, value: object) -> None:
    table: Any = document
    for name, below in pairwise(path):
        if isinstance(name, int):
            if name == len(table):
                table.append({})
            table = table[name]
        else:
            table = table.setdefault(name, [] if isinstance(below, int) else {})
    table[path[-1]] = list(value) if isinstance(value, tuple) else value


def _take_out(document: dict[str, Any], path: Path) -> None:
    above: Any = document
    for name in path[:-1]:
        above = above[name]
    del above[path[-1]]
    if isinstance(above, list) and not above:
        del document[str(path[0])]


# --- the text ------------------------------------------------------------------------------------


def _set_in(text: str, path: Path, value: str) -> str:
    found = statements(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    for one in found:
        if one.path == path and not one.header:
            return text[: one.value] + value + text[one.value_end :]
    header = path if isinstance(path[-1], int) else path[:-1]
    statement = "" if header == path else f"{_name(str(path[-1]))} = {value}"
    last = _last(found, header)
    if last is not None:
        indent = text[last.start : last.end].removesuffix("\n").removesuffix("\r")
        indent = "" if last.header else indent[: len(indent) - len(indent.lstrip())]
        return _inserted(text, last.end, f"{indent}{statement}{newline}", newline)
    name = _name(str(header[0]))
    title = f"[[{name}]]" if len(header) > 1 else f"[{name}]"
    block = f"{title}{newline}{statement}{newline if statement else ''}"
    rows = [one for one in found if one.path[:1] == header[:1]] if len(header) > 1 else found
    at = max((one.end for one in rows), default=len(text)) if len(header) > 1 else len(text)
    return _inserted(text, at, (newline if at else "") + block, newline)


def _inserted(text: str, at: int, piece: str, newline: str) -> str:
    before = text[:at]
    if before and not before.endswith("\n"):
        before += newline
    return before + piece + text[at:]


def _last(found: list[Statement], table: Path) -> Statement | None:
    """Return the last statement that belongs to a table with a header of its own."""
    last = None
    for one in found:
        if one.header:
            last = one if one.path == table else last
        elif one.path[: len(table)] == table and last is not None:
            last = one
    return last


def _without(text: str, path: Path) -> str:
    found = statements(text)
    if len(path) == 1:
        gone = [one for one in found if one.path[:1] == path]
    else:
        gone = [one for one in found if one.path[: len(path)] == path]
    pieces: list[tuple[int, int]] = []
    for one in gone:
        start = one.start
        if pieces and not one.header and _is_within(found, pieces[-1][1], start):
            start = pieces.pop()[0]  # with the comments between two keys of a table that goes
        pieces.append((start, one.end))
    if gone and gone[0].header:
        pieces = [(start, _behind_blank(text, start, end)) for start, end in pieces]
    for start, end in reversed(pieces):
        text = text[:start] + text[end:]
    return text


def _is_within(found: list[Statement], start: int, end: int) -> bool:
    """Whether nothing that stays stands between two places."""
    return not any(start <= one.start < end for one in found)


def _behind_blank(text: str, start: int, end: int) -> int:
    """Take one empty line along with a table, if one is before it."""
    rest = text[end:]
    blank = len(rest) - len(rest.lstrip("\r\n"))
    if blank and (start == 0 or text[:start].endswith("\n\n") or text[:start].endswith("\r\n\r\n")):
        return end + text[end:].index("\n") + 1
    return end


# --- a whole document anew -----------------------------------------------------------------------


def written(document: dict[str, Any]) -> str:
    """Write a document, tables as sections, without comments."""
    lines = [f"{_name(key)} = {literal(value)}" for key, value in document.items() if not _is_section(value)]
    for key, value in document.items():
        if isinstance(value, dict):
            lines += [f"[{_name(key)}]", *_keys(value), ""]
        elif _is_section(value):
            for row in value:
                lines += [f"[[{_name(key)}]]", *_keys(row), ""]
    return "\n".join(lines).rstrip("\n") + "\n" if lines else ""


def _is_section(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
    )


def _keys(table: dict[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_name(key)} = {literal(value)}"


def _name(name: str) -> str:
    return name if name and set(name) <= _BARE else basic(name)


def literal(value: object) -> str:
    """One value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return basic(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_name(key)} = {literal(inner)}" for key, inner in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)
