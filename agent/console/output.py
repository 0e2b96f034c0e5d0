"""What a command prints, on its way to the terminal: lines, filters, pager.

Lines of a child's standard output pass the filters, those of its error output do not: ``| match`` must not hide why
there is nothing to match. What cannot be printed is replaced, because an escape sequence in a status comment must not
move anybody's cursor. UIDs that go by are remembered for completion: nobody types one.
"""

from __future__ import annotations

from agent.console.filters import Filters
from agent.console.pager import Pager
from agent.console.paint import clean
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


# A line longer than this is cut into several.
LINE_LIMIT: Final = 4096
KEPT_LIMIT: Final = 65_536
UIDS_LIMIT: Final = 200
_MIN_UID: Final = 8


class Output:
    """The output of one step."""

    __slots__ = (
        "_chain", "_kept", "_muted", "_pager", "_seen", "_shown", "_tails", "_width", "_wording", "is_raw", "status",
    )  # fmt: skip

    def __init__(
        self,
        filters: Filters,
        length: int,
        width: int,
        seen: dict[str, None],
        *,
        shown: bool = True,
        raw: bool = False,
        wording: Callable[[str, int], str] | None = None,
    ) -> None:
        self._chain = filters.start()
        self._pager = Pager(0 if filters.no_more else length, width)
        self._seen = seen
        self._shown = shown
        self._width = width
        self._wording = None if filters.json else wording
        self._kept = bytearray()
        self._tails = [b"", b""]
        self._muted = False
        self.is_raw = raw
        self.status = 0

    @property
    def waiting(self) -> bool:
        """Whether ``--More--`` waits for a key."""
        return self._pager.waiting

    @property
    def quit(self) -> bool:
        """Whether the user has had enough."""
        return self._pager.quit

    @property
    def kept(self) -> bytes:
        """What a child printed that was not shown."""
        return bytes(self._kept)

    def key(self, name: str, text: str) -> str:
        """Take a key at ``--More--``."""
        return self._pager.key(name, text)

    def mute(self) -> None:
        """Show nothing more."""
        self._muted = True
        if self._pager.waiting:
            self._pager.key("interrupt", "")

    def show(self, lines: tuple[str, ...]) -> str:
        """Return what is shown of lines of our own."""
        return self._pager.feed(self._chain.feed([clean(line) for line in lines]) + self._chain.end())

    def raw(self, data: bytes) -> bytes:
        """Return the bytes of a child that has the line to itself."""
        return b"" if self._muted else data

    def take(self, data: bytes, error: bool) -> str:  # noqa: FBT001  which of two pipes
        """Return what is shown of a piece of a child's output."""
        if not self._shown and not error:
            self._kept += data[: KEPT_LIMIT - len(self._kept)]
            return ""
        if self._muted:
            return ""
        whole, newline, tail = (self._tails[error] + data).rpartition(b"\n")
        if len(tail) > LINE_LIMIT:
            whole, newline, tail = whole + newline + tail, b"\n", b""
        self._tails[error] = tail
        return self._lines(whole, error) if newline else ""

    def end(self, status: int, why: str) -> str:
        """Return what is shown once the child has ended."""
        self.status = status
        if self.is_raw or (self._muted and why == "quit"):
            return ""
        out = "".join(self._lines(tail, error) for error, tail in enumerate(self._tails) if tail and not self._muted)
        if self._shown and not self._muted:
            out += self._pager.feed(self._chain.end())
        return out + _last_word(why)

    def _lines(self, data: bytes, error: int) -> str:
        whole = [clean(line) for line in data.decode("utf-8", "replace").split("\n")]
        if self._wording is not None:
            whole = [self._wording(line, error) for line in whole]
        lines = [line[at : at + LINE_LIMIT] for line in whole for at in range(0, max(len(line), 1), LINE_LIMIT)]
        for line in lines:
            self._remember(line)
        return self._pager.feed(lines if error else self._chain.feed(lines))

    def _remember(self, line: str) -> None:
        for word in line.replace(",", " ").split():
            if len(word) > _MIN_UID and "." in word and word.replace(".", "").isdecimal() and len(word) <= 64:
                self._seen.pop(word, None)
                self._seen[word] = None
        while len(self._seen) > UIDS_LIMIT:
            del self._seen[next(iter(self._seen))]


def _last_word(why: str) -> str:
    if why == "silent":
        return "It does not answer: nothing came in the time it may take, and it was ended.\r\n"
    return ""
