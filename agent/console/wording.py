"""What a verb says of command lines, in the words of this console: nobody here has a shell.

A quoted command line (``'modality-agent queue release --destination pacs'``) becomes the command of the table that does
the same (``'release destination pacs'``), with ``run`` before it where that is needed; one that no command does stays
as it is. In an error also a bare option of the command that failed becomes its word: ``--same-key`` is ``same-key``.
"""

from __future__ import annotations

import re

from agent.console.commands import COMMANDS
from agent.console.row import CONFIGURATION, OPERATIONAL
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.console.row import Command

_QUOTED: Final = re.compile(r"'(?:modality-agent ([a-z]+(?: [^']+)?)|([a-z]+ [^']+))'")
_OPTION: Final = re.compile(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*")
# Command lines that acts of the console do: how they begin, and the command.
_ACTS: Final[dict[tuple[str, ...], str]] = {
    ("config", "check", "--candidate"): "commit check",
    ("config", "commit"): "commit",
    ("config", "compare"): "compare",
    ("config", "discard"): "discard",
    ("config", "rollback"): "rollback",
    ("config", "update"): "update",
    ("reset", "--factory"): "factory reset",
    ("tls", "import"): "tls import",
}
_OF_ACTS: Final = {
    "--add": "add",
    "--comment": "comment",
    "--confirm": "confirmed",
    "--destination": "destination",
    "--no-tests": "no-tests",
    "--tests": "tests",
}


def spoken(command: Command | None = None, mode: str = OPERATIONAL) -> Callable[[str, int], str]:
    """Return what puts a line of a verb's output (1: of its errors) into words for ``mode``; no command: of an act."""
    own = _OF_ACTS if command is None else _options(command)

    def say(line: str, error: int) -> str:
        text = _QUOTED.sub(lambda found: _told(found, mode), line) if "'" in line else line
        return _OPTION.sub(lambda found: own.get(found[0], found[0]), text) if error else text

    return say


def _told(found: re.Match[str], mode: str) -> str:
    words = (found[1] or found[2]).split()
    rows = [row for row in COMMANDS if row.verb and tuple(words[: len(row.verb)]) == row.verb]
    if rows:
        row = max(rows, key=lambda one: (len(one.verb), one.mode == mode))
        rest = _rest(words[len(row.verb) :], _options(row))
        ahead = "run " if mode == CONFIGURATION and row.mode == OPERATIONAL else ""
        return found[0] if rest is None else f"'{' '.join([ahead + row.path, *rest])}'"
    for began, path in _ACTS.items():
        if tuple(words[: len(began)]) == began:
            rest = _rest([word for word in words[len(began) :] if word != "FILE"], _OF_ACTS)
            return found[0] if rest is None else f"'{' '.join([path, *rest])}'"
    return found[0]


def _rest(words: list[str], options: dict[str, str]) -> list[str] | None:
    """Return words behind a command as they are typed here; None where there is no word for one."""
    if any(word.startswith("-") and word not in options for word in words):
        return None
    return [said for word in words if (said := options.get(word, word))]


def _options(command: Command) -> dict[str, str]:
    """Return the options of a row and the words for them; a value in its place has none."""
    return {one.option: one.name if one.keyword else "" for one in command.arguments if one.option}
