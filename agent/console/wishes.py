"""What a session wishes from the loop around it; the loop does it and reports back."""

from __future__ import annotations

from agent.typed import NamedTuple, TypeAlias


class Start(NamedTuple):
    """Start a child; ``raw``: its standard input stays open for ``Send``."""

    argv: tuple[str, ...]
    data: bytes
    raw: bool


class Send(NamedTuple):
    """Bytes for the standard input of the child."""

    data: bytes


class Stop(NamedTuple):
    """End the child: with SIGINT, or ``hard`` with SIGKILL."""

    hard: bool


class Abandon(NamedTuple):
    """Forget a child that SIGKILL does not end (it hangs in the kernel)."""


class Flush(NamedTuple):
    """Throw away what the line has not sent yet: the user has had enough of it."""


class HangUp(NamedTuple):
    """The session on a local terminal is over."""


Wish: TypeAlias = Start | Send | Stop | Abandon | Flush | HangUp
