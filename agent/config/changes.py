"""What is otherwise in a new configuration: sections and keys, and no values, for one may name a patient."""

from __future__ import annotations

from agent.config.schema import SECTIONS
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.config.settings import Settings


# Sections that belong to the process: a reload that changes one is refused, all of it.
AT_START = ("spool",)


def effects(changed: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part what ``changes`` says: what takes effect with a reload, and what keeps all of it waiting for a restart."""
    late = [one for one in changed if one.startswith(tuple(f"[{name}]" for name in AT_START))]
    return [one for one in changed if one not in late], late


def changes(old: Settings, new: Settings) -> list[str]:
    """Say section by section which keys have another value, and which destinations and sources came and went."""
    found: list[str] = []
    for section in SECTIONS:
        before, after = getattr(old, section.name), getattr(new, section.name)
        if section.repeated:
            found += _rows(section.name, before, after)
        elif before != after:
            found.append(f"[{section.name}] {_keys(before, after)}")
    return found


def _rows(section: str, before: Any, after: Any) -> Iterator[str]:
    was, now = ({row.name: row for row in rows} for rows in (before, after))
    for name in dict.fromkeys([*was, *now]):
        if name not in now:
            yield f"{section} {name} is gone"
        elif name not in was:
            yield f"{section} {name} is new"
        elif was[name] != now[name]:
            yield f"{section} {name}: {_keys(was[name], now[name])}"


def _keys(before: Any, after: Any) -> str:
    return ", ".join(key for key, one, other in zip(after._fields, before, after, strict=True) if one != other)
