"""What the console does itself: things of the session."""

from __future__ import annotations

import os

import agent
from agent.console.row import CONFIGURATION
from agent.console.steps import Interrupted, Show, say
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.console.filters import Filters
    from agent.console.session import Session
    from agent.console.steps import Talk
    from agent.console.tree import Call

_SESSIONS_SHOWN: Final = 2000
HELP: Final = (
    "?            what may come next, at any point of a line",
    "TAB          completes a word; words may be shortened (sh sta = show status)",
    "^P ^N ^R     lines before and behind; search in them",
    "^A ^E ^B ^F  begin, end, left, right;  ^W ^U ^K cut a word, the line, the rest",
    "^C           ends what runs, or the line;  ^V takes the next key as it is",
    "| match RE, | except RE, | count, | last N, | json, | no-more   behind a command",
    "--More--     space: a page, Enter: a line, q: enough; 'terminal length 0': never",
    "configure    then set, delete, compare, commit confirmed 10, confirm, rollback 1",
)


def version(session: Session, call: Call, chain: Filters) -> Talk:
    """Say what runs here."""
    facts = {
        "version": agent.__version__,
        "host": session.world.host,
        "kernel": f"{os.uname().sysname} {os.uname().release} {os.uname().machine}",
        "configuration": session.world.config,
        "up_s": _uptime_s(),
    }
    if chain.json:
        import json

        yield Show(tuple(json.dumps(facts, indent=2).split("\n")), chain)
        return
    days, rest = divmod(int(_uptime_s()), 86_400)
    lines = (
        f"modality-agent {facts['version']} on {facts['host']} ({facts['kernel']})",
        f"configuration {facts['configuration']}",
        f"the box is up for {days} d {rest // 3600} h {rest % 3600 // 60} min",
    )
    yield Show(lines, chain)


def _uptime_s() -> float:
    try:
        with open("/proc/uptime", encoding="ascii") as file:
            return float(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0


def sessions(session: Session, call: Call, chain: Filters) -> Talk:
    """Show the record of sessions."""
    lines = session.world.record.tail(_SESSIONS_SHOWN)
    if lost := session.world.record.lost:
        lines.append(f"({lost} event{'s' * (lost != 1)} of this console could not be recorded)")
    yield Show(tuple(lines), chain)


def history(session: Session, call: Call, chain: Filters) -> Talk:
    """Show what was typed."""
    yield Show(tuple(session.history.lines), chain)


def length(session: Session, call: Call, chain: Filters) -> None:
    """Set the lines of a page."""
    session.length = number(call.value("N"), 0, 500)
    if session.length == 1:
        session.length = 2


def width(session: Session, call: Call, chain: Filters) -> None:
    """Set the columns."""
    session.set_width(number(call.value("N"), 40, 500))


def number(text: str, low: int, high: int) -> int:
    """Read a whole number; raises ``Interrupted`` with a sentence."""
    if not (text.isascii() and text.isdecimal() and low <= int(text[:9]) <= high):
        raise Interrupted(f"'{text}' is not a number from {low} to {high}")
    return int(text)


def help_(session: Session, call: Call, chain: Filters) -> Talk:
    """Say how the console is used."""
    yield Show(HELP, chain)


def leave(session: Session, call: Call, chain: Filters) -> Talk:
    """Leave configuration mode, or log out."""
    if session.mode == CONFIGURATION:
        from agent.console.acts_config import leave_mode

        yield from leave_mode(session)
        return
    session.ending = "exit"
    session.user = None
    yield say("Bye.")
    session.finish()
