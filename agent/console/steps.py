"""What a conversation asks of the session that drives it.

Whatever talks with the user (login, commands, setting a password) is a generator: it yields one of these and is sent
the answer. It therefore reads from top to bottom, does no I/O, and is ended at any point by closing it, which is what a
pulled cable, BREAK and the idle time-out do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from agent.console.editor import Assist, Entered
from agent.console.filters import Filters
from agent.console.history import History
from agent.typed import Any, NamedTuple, TypeAlias


class Ask(NamedTuple):
    """A line is asked for; the answer is ``Entered``. ``fresh``: what was typed ahead is not the answer."""

    prompt: str
    secret: bool = False
    history: History | None = None
    assist: Assist | None = None
    fresh: bool = False


class Show(NamedTuple):
    """Lines for the terminal, through filters and pager; no answer."""

    lines: tuple[str, ...]
    filters: Filters = Filters()


class Run(NamedTuple):
    """A child process; the answer is ``Ended``.

    ``argv`` without the interpreter: ``python -P -m`` is put before it. ``data`` goes to its standard input, which is
    then closed. With ``shown`` its output goes to the terminal through filters and pager, otherwise into ``Ended``.
    It is ended when it has been silent for ``wait_s`` (0: never). With ``raw`` it has the line to itself, bytes for
    bytes both ways, until it ends. ``whole``: q at the pager ends what is shown, not what is done.
    ``wording`` puts each line into words of this console (``wording.py``; 1: it is an error line).
    """

    argv: tuple[str, ...]
    data: bytes = b""
    shown: bool = True
    filters: Filters = Filters()
    wait_s: float = 20.0
    stream: bool = False
    raw: bool = False
    whole: bool = False
    wording: Callable[[str, int], str] | None = None


class Paste(NamedTuple):
    """Whole lines without echo or editing until one begins with ``end``; the answer is ``Entered``.

    At most ``limit`` characters; what is beyond ends it with ``how`` ``limit``, ^C with ``interrupt``.
    """

    end: str
    limit: int = 65_536


class Pause(NamedTuple):
    """Nothing for ``seconds``; what is typed meanwhile is thrown away. No answer."""

    seconds: float


class Ended(NamedTuple):
    """How a child ended; ``why``: empty, ``interrupted``, ``silent`` or ``quit`` (at the pager)."""

    status: int
    output: bytes
    why: str = ""


Step: TypeAlias = Ask | Show | Run | Paste | Pause
Talk: TypeAlias = Generator[Step, Any, Any]


class Interrupted(Exception):
    """^C at a question within a command: it ends without having done anything."""


def ask(prompt: str, *, secret: bool = False, fresh: bool = False) -> Generator[Step, Entered, str]:
    """Ask a question within a command; raises ``Interrupted`` on ^C, ^D and noise."""
    given = yield Ask(prompt, secret, fresh=fresh)
    if given.how != "enter":
        raise Interrupted("interrupted; nothing was changed")
    if given.tainted:
        raise Interrupted("the answer held what no keyboard sends (line noise?); nothing was changed")
    return given.text


def say(*lines: str) -> Show:
    """Lines without filters."""
    return Show(lines)
