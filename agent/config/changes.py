"""What is otherwise in a new configuration: sections and keys, and no values, for one may name a patient."""

from __future__ import annotations

from agent.config.schema import SECTIONS
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.config.settings import Settings


# Sections that belong to the process: a reload that changes one is refused, all of it.
AT_START = ("spool",)
# Sections that the console reads when somebody logs in; the daemon has no use for them.
AT_LOGIN = ("console",)


class Effects(NamedTuple):
    """What ``changes`` says, parted by when it takes effect: with a reload, with a restart, with the next log-in."""

    reload: list[str]
    restart: list[str]
    login: list[str]


def effects(changed: Sequence[str]) -> Effects:
    """Part what ``changes`` says."""
    late, login = ([one for one in changed if one.startswith(_heads(names))] for names in (AT_START, AT_LOGIN))
    return Effects([one for one in changed if one not in (*late, *login)], late, login)


def _heads(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"[{name}]" for name in names)


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
