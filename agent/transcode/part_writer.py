"""The parts of a planned file (``agent.media.rewrite``) into a new file, in constant memory."""

from __future__ import annotations

from agent.dataset.values import Reference
from agent.errors import DecodeError
from agent.typed import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer

    from agent.media.rewrite import Part, Plan

# Large enough that system calls do not count, small beside everything else; a multiple of every word.
_STEP_BYTES: Final = 256 * 1024


class Sink(Protocol):
    """Where the file is written: a draft of the spool or a plain file."""

    def write(self, data: ReadableBuffer) -> int:
        """Append."""

    def write_at(self, offset: int, data: ReadableBuffer) -> int:
        """Write anywhere."""

    def seek(self, offset: int) -> None:
        """Let ``write`` go on at ``offset``."""

    def tell(self) -> int:
        """Where ``write`` goes on."""


class Writer:
    """Appends bytes and copied ranges to a file, through a deflater where one is wanted."""

    __slots__ = ("_copied", "_deflater", "_pread", "_sink", "_watch")

    def __init__(
        self, sink: Sink, pread: Callable[[int, int], bytes], watch: Callable[[int], None] = lambda _copied: None
    ) -> None:
        self._sink, self._pread, self._watch = sink, pread, watch
        self._copied = 0
        self._deflater: Any = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        self._sink.write(data if self._deflater is None else self._deflater.compress(data))

    def parts(self, parts: Iterable[Part]) -> None:
        """Append parts; raises ``DecodeError`` where the source is shorter than it was."""
        for part in parts:
            if isinstance(part, Reference):
                self._copy(part)
            else:
                self.write(part)

    def deflate(self) -> None:
        """Deflate what comes from here on (PS3.5 A.5)."""
        import zlib

        self._deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    def finish(self) -> None:
        """End what is deflated, with a byte of padding where its length is odd."""
        if self._deflater is not None:
            self._sink.write(self._deflater.flush())
            if self._sink.tell() & 1:  # the prefix in front of it is even
                self._sink.write(b"\0")

    def _copy(self, part: Reference) -> None:
        at, end = part.offset, part.offset + part.length
        while at < end:
            piece = self._pread(min(_STEP_BYTES, end - at), at)
            if not piece:
                raise DecodeError("the file ends before a value of it does", offset=at)
            self.write(swapped(piece, part.word))
            at += len(piece)
            self._copied += len(piece)
            self._watch(self._copied)


def write_plan(
    plan: Plan,
    sink: Sink,
    pread: Callable[[int, int], bytes],
    watch: Callable[[int], None] = lambda _copied: None,
) -> None:
    """Write a whole planned file; ``watch`` is called with the bytes copied so far."""
    writer = Writer(sink, pread, watch)
    writer.write(plan.prefix)
    if plan.deflate:
        writer.deflate()
    writer.parts(plan.parts)
    writer.finish()


def swapped(data: bytes, word: int) -> bytes:
    """The same words with their bytes in the other order; a rest that is no word stays as it is."""
    if word == 1:
        return data
    whole = len(data) - len(data) % word
    turned = bytearray(data)
    for place in range(word):
        turned[place:whole:word] = data[word - 1 - place : whole : word]
    return bytes(turned)
