"""What may be typed next behind ``set`` and ``delete``, each word with its help: for completion and for ``?``.

Everything is read from the schema table and the candidate. A word in angle brackets stands for what a person makes up;
the other words can be completed. Which of them begin with what was typed already is for whoever shows them.
"""

from __future__ import annotations

from agent.config.check import expected
from agent.config.key import REQUIRED, Key, Section
from agent.config.key_path import find, parts_of, rows_of
from agent.config.kinds import KINDS
from agent.config.schema import SECTIONS
from agent.config.words import LOSSLESS, MADE
from agent.errors import UsageError
from agent.transcode.choose import AS_STORED, AUTO
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.key_path import Place

# Words that a kind of key takes, where its keys have no choices of their own.
_OF_KIND: Final[dict[str, tuple[str, ...]]] = {
    "sent-syntax": (AS_STORED, AUTO, *LOSSLESS),
    "source": ("pattern:us-rgb", "pattern:us-mono", "pattern:dx16", "replay:", "folder:"),
    "switch": ("true", "false"),
    "syntax": (*MADE, AUTO),
}


class Word(NamedTuple):
    """One word that may come next; a ``free`` one stands for anything of its kind."""

    text: str
    help: str
    free: bool = False


def next_words(action: str, words: Sequence[str], document: dict[str, Any]) -> list[Word]:
    """Return what may come behind ``set`` or ``delete`` (``action``) and ``words``; raises ``UsageError``."""
    if not parts_of(words):
        there = [one for one in SECTIONS if action == "set" or one.name in document]
        return [Word(one.name, one.help) for one in there]
    place = find(words, document)
    section = place.section
    if section.repeated and place.row is None:
        return _rows(action, section, document)
    if place.key is None:
        return _keys(action, place, document)
    return values(place.key, document) if action == "set" else []


def values(key: Key, document: dict[str, Any]) -> list[Word]:
    """Return the values that a key may have: words where there are some, and what it takes."""
    if key.completes:
        found = [row["name"] for row in rows_of(document, key.completes) if isinstance(row, dict) and "name" in row]
        words = tuple(str(name) for name in found)
    else:
        words = key.choices or _OF_KIND.get(key.kind, ())
    listed = [Word(word or "''", key.help if word else "as if it were not set") for word in words]
    if key.choices or KINDS[key.kind].word == "boolean":
        return listed
    return [*listed, Word(f"<{_what(key)}>", key_help(key), free=True)]


def key_help(key: Key) -> str:
    """Return the help of a key with what it takes, and what it has when it is not set."""
    default = "required" if key.default is REQUIRED else f"not set: {_shown(key.default)}"
    taken = expected(key) if KINDS[key.kind].word in ("integer", "number") else ""
    return f"{key.help} ({'; '.join(part for part in (taken, default) if part)})"


def _rows(action: str, section: Section, document: dict[str, Any]) -> list[Word]:
    rows = rows_of(document, section.name)
    names = [str(row["name"]) for row in rows if isinstance(row, dict) and row.get("name")]
    there = [Word(name, f"{section.name} {name}") for name in dict.fromkeys(names)]
    return [*there, Word("<name>", f"a new {section.name}", free=True)] if action == "set" else there


def _keys(action: str, place: Place, document: dict[str, Any]) -> list[Word]:
    table: Any = document.get(place.section.name, {})
    if place.row is not None:
        rows = rows_of(document, place.section.name)
        table = rows[place.row] if place.row < len(rows) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{' '.join(place.words)}: is of another shape in the file", hint="Correct it in an editor.")
    keys = [key for key in place.section.keys if action == "set" or key.name in table]
    return [Word(key.name, key_help(key)) for key in keys]


def _what(key: Key) -> str:
    word = KINDS[key.kind].word
    if word in ("integer", "number"):
        unit = f" {key.unit}" if key.unit else ""
        return f"{key.low:.16g} to {key.high:.16g}{unit}"
    return key.kind if key.kind != "text" else "text"


def _shown(value: object) -> str:
    if value in ("", ()):
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
