"""Who completes what: the sources that arguments of the table name.

Names come from the configuration file by a look at its lines (no parser: a broken file still has names), UIDs from what
was on the screen in this session. Nothing here asks the agent, opens its ledger or takes longer than a key may.
"""

from __future__ import annotations

from agent.console.row import OPERATIONAL, ROLES
from agent.errors import FileError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.console.session import Session
    from agent.console.tree import Source

_FILE_LIMIT: Final = 1 << 20
_Rows = list[tuple[str, str]]


def source_of(session: Session) -> Source:
    """Return the function that completes for ``session``."""

    def complete(source: str, words: tuple[str, ...], part: str) -> _Rows:
        act = _SOURCES.get(source)
        return act(session, words, part) if act is not None else []

    return complete


def names_in(path: str, section: str) -> list[str]:
    """Return the names of the tables ``[[section]]`` of a configuration file, valid or not."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_FILE_LIMIT)
    except OSError:
        return []
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        row = line.strip()
        if row.startswith("["):
            inside = row.replace(" ", "").startswith(f"[[{section}]]")
        name, equals, value = row.partition("=")
        if inside and equals and name.strip() == "name":
            word = value.strip()
            found.append(word[1:].partition(word[:1])[0])
    return [name for name in found if name]


def _named(section: str) -> Callable[[Session, tuple[str, ...], str], _Rows]:
    return lambda session, _words, _part: [(name, section) for name in names_in(session.world.config, section)]


def _uids(session: Session, _words: tuple[str, ...], part: str) -> _Rows:
    return [(uid, "seen on the screen") for uid in reversed(session.seen) if uid.startswith(part)]


def _users(session: Session, _words: tuple[str, ...], _part: str) -> _Rows:
    try:
        return [(user.name, user.role) for user in session.world.users.all()]
    except FileError:
        return []


def _why(session: Session, words: tuple[str, ...], part: str) -> _Rows:
    return [*_named("destination")(session, words, part), *_uids(session, words, part)]


def _config(source: str) -> Callable[[Session, tuple[str, ...], str], _Rows]:
    def complete(session: Session, words: tuple[str, ...], _part: str) -> _Rows:
        from agent.console.acts_config import next_words

        return next_words(session, source, words)

    return complete


def _operational(session: Session, words: tuple[str, ...], part: str) -> _Rows:
    from agent.console.commands import COMMANDS
    from agent.console.tree import Tree

    assert session.user is not None
    choice = Tree(COMMANDS, OPERATIONAL, session.user.role, source_of(session)).following(words, part)
    return [*choice.words, *((f"<{name}>", about) for name, about in choice.values)]


_SOURCES: Final[dict[str, Callable[[Session, tuple[str, ...], str], _Rows]]] = {
    "destination": _named("destination"),
    "source": _named("source"),
    "uid": _uids,
    "why": _why,
    "user": _users,
    "role": lambda *_: [(role, "") for role in ROLES],
    "config-path": _config("config-path"),
    "config-value": _config("config-value"),
    "operational": _operational,
}
