"""What a row of the table of commands is made of.

A command is words (``show queue``), then arguments. An argument is one word in its place, or, with ``keyword``, a word
of its own in any order: ``destination NAME`` or a bare switch. ``source`` names who completes it (``complete.py``).
It is done by a verb of the command line in a child process (``verb``, with ``option`` for each argument), or in the
console itself (``act``, a name of ``acts.py``).
"""

from __future__ import annotations

from agent.typed import Final, NamedTuple

# Each may do what the one before may.
ROLES: Final = ("viewer", "technician", "admin")
ROLE_HELP: Final = {
    "viewer": "look, change nothing",
    "technician": "configure and operate the box",
    "admin": "configure and operate the box; users, keys, factory reset",
}
OPERATIONAL: Final = "operational"
CONFIGURATION: Final = "configuration"
BOTH: Final = "both"


class Argument(NamedTuple):
    """One argument."""

    name: str  # how help shows it: NAME; of a keyword: the word that is typed
    help: str
    source: str = ""
    option: str = ""  # of the verb; empty: the value is a word in its place
    keyword: bool = False
    value: str = ""  # of a keyword: name of the value that follows; empty: a switch
    optional: bool = False
    rest: bool = False  # takes the rest of the line, word by word
    choices: tuple[str, ...] = ()


class Command(NamedTuple):
    """One row."""

    path: str
    role: str
    help: str
    arguments: tuple[Argument, ...] = ()
    verb: tuple[str, ...] = ()
    act: str = ""
    mode: str = OPERATIONAL
    changes: bool = False  # it changes something: no abbreviation below three letters, and it is in the record
    config: bool = True  # the verb takes --config
    json: bool = True  # the verb takes --json
    wait_s: float = 20.0  # the child is ended when it says nothing for so long; 0: never
    stream: bool = False  # no pager; idle time-out goes on
    question: str = ""  # must be answered with yes

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its path."""
        return tuple(self.path.split())

    @property
    def usage(self) -> str:
        """How it is typed."""
        return " ".join([self.path, *(_usage(one) for one in self.arguments)])


def _usage(one: Argument) -> str:
    text = f"{one.name} {one.value}" if one.keyword and one.value else one.name
    if one.rest:
        text += "..."
    return f"[{text}]" if one.optional or one.keyword else text


def may(role: str, needed: str) -> bool:
    """Whether ``role`` is enough for what needs ``needed``."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)
