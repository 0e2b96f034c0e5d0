"""Shortened words of the configuration: sections and keys, as the words of commands.

Names of destinations and sources may not be shortened, because a new one may be meant. What may come next, and what
each word means, is ``agent.config.words_of``'s.
"""

from __future__ import annotations

from agent.config.key import Key, Section
from agent.config.schema import SECTIONS
from agent.typed import TYPE_CHECKING

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


def _section(word: str) -> Section | None:
    name = word.partition("[")[0].partition(".")[0]
    found = [one for one in SECTIONS if one.name.startswith(name)] if name else []
    exact = next((one for one in found if one.name == name), None)
    return exact or (found[0] if len(found) == 1 else None)


def _key(section: Section, word: str) -> Key | None:
    found = [one for one in section.keys if one.name.startswith(word)] if word else []
    exact = next((one for one in found if one.name == word), None)
    return exact or (found[0] if len(found) == 1 else None)
