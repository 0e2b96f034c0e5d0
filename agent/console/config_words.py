"""Words of the configuration for completion and help, from its schema: sections, names, keys, values.

Words may be shortened as those of commands; names of destinations and sources may not, because a new one may be meant.
"""

from __future__ import annotations

from agent.config.kinds import KINDS
from agent.config.schema import REQUIRED, SECTIONS, Key, Section
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def expanded(words: Sequence[str]) -> tuple[str, ...]:
    """Return ``words`` of a key with shortened ones written out, as far as they are known."""
    if not words:
        return ()
    section = _section(words[0])
    if section is None:
        return tuple(words)
    depth = 2 if section.repeated and "[" not in words[0] else 1
    head = (words[0] if "[" in words[0] or "." in words[0] else section.name, *words[1:depth])
    rest = list(words[depth:])
    if rest:
        key = _key(section, rest[0])
        rest[0] = key.name if key is not None else rest[0]
    return (*head, *rest)


def key_of(words: Sequence[str]) -> Key | None:
    """Return the key that ``words`` (written out, perhaps with a value behind them) name."""
    section = _section(words[0]) if words else None
    if section is None:
        return None
    depth = 2 if section.repeated and "[" not in words[0] else 1
    return next((key for key in section.keys if len(words) > depth and key.name == words[depth]), None)


def following(words: Sequence[str], names: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return what may stand behind ``words`` (written out); what is only told, not typed, stands in ``<>``."""
    if not words:
        return [(section.name, section.help) for section in SECTIONS]
    section = _section(words[0])
    if section is None:
        return []
    depth = 2 if section.repeated and "[" not in words[0] else 1
    if len(words) < depth:
        return [*((name, section.help) for name in names.get(section.name, [])), ("<NAME>", "of a new one")]
    if len(words) == depth:
        return [(key.name, key.help) for key in section.keys if not (section.repeated and key.name == "name")]
    key = key_of(words)
    return _values(key) if key is not None and len(words) == depth + 1 else []


def _values(key: Key) -> list[tuple[str, str]]:
    """Return the values of a key as far as they can be listed, and what it takes."""
    kind = KINDS[key.kind]
    rows: list[tuple[str, str]] = [(choice or '""', "") for choice in key.choices]
    if kind.word == "boolean":
        rows = [("true", ""), ("false", "")]
    bounds = f" {key.low:g} to {key.high:g}" if key.low is not None and key.high is not None else ""
    unit = f" {key.unit}" if key.unit else ""
    default = "" if key.default is REQUIRED or key.secret else f" Default: {_shown(key.default)}."
    return [*rows, (f"<{kind.word}{bounds}{unit}>", f"{key.help}{default}")]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value not in ("", ()) else "empty"


def _section(word: str) -> Section | None:
    name = word.partition("[")[0].partition(".")[0]
    found = [one for one in SECTIONS if one.name.startswith(name)] if name else []
    exact = next((one for one in found if one.name == name), None)
    return exact or (found[0] if len(found) == 1 else None)


def _key(section: Section, word: str) -> Key | None:
    found = [one for one in section.keys if one.name.startswith(word)] if word else []
    exact = next((one for one in found if one.name == word), None)
    return exact or (found[0] if len(found) == 1 else None)
