"""Is the Data Set of a file complete, and which instance of which study and series is it (PS3.5 7.1, 7.5, A.4, A.5).

What the spool must know of a Data Set, and no more: that its headers lead exactly to the end of the file, and four
UIDs. Nothing is kept and no value is read besides those, so the walk costs as much memory for a 10 GB cine as for a
snapshot, and no limit of the decoder stands between an accepted instance and its recovery. Elements of the root that
nothing is unusual about are passed in runs, as the decoder takes them, within one window. ``seal`` walks every file,
so that whatever got into the spool can be taken back into it when the ledger is gone.

Raises ``DecodeError`` naming the byte where the file stops making sense.
"""

from __future__ import annotations

import struct
import zlib

from agent.dataset.charset import DEFAULT
from agent.dataset.runs import explicit_run, implicit_run
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, IMPLICIT_VR_LE
from agent.errors import DecodeError, LimitError
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SOP_CLASS, SOP_INSTANCE = 0x00080016, 0x00080018
STUDY, SERIES = 0x0020000D, 0x0020000E
WINDOW_BYTES = 4096  # read at once: small headers come together, and a fragment's header costs one page
DEPTH_LIMIT = 64  # open levels of undefined length; the deepest real objects have about ten
INFLATED_BYTES = 64 * 1024  # kept of a Deflated Data Set; study and series stand within the first few KiB

_KEPT = frozenset({SOP_CLASS, SOP_INSTANCE, STUDY, SERIES})
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_FIRST_DELIMITER = 0xFFFE0000
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})


class Origin(NamedTuple):
    """UIDs of study, series, SOP Class and SOP Instance; empty where the Data Set has none."""

    study_uid: str
    series_uid: str
    sop_class_uid: str = ""
    sop_instance_uid: str = ""

    def contradiction(self, sop_class_uid: str, sop_instance_uid: str) -> str:
        """In what the Data Set is something else than it is called; empty where it is that, or does not say."""
        for name, own, called in (
            ("SOP Instance", self.sop_instance_uid, sop_instance_uid),
            ("SOP Class", self.sop_class_uid, sop_class_uid),
        ):
            if own and own != called:
                return f"its Data Set has {name} UID {own}, not {called}"
        return ""


class _Header(NamedTuple):
    tag: int
    vr: bytes
    size: int  # bytes of the header
    length: int  # of the value, or _UNDEFINED


class _Window:
    """Random reads of a few bytes, a page at a time."""

    __slots__ = ("_bytes", "_pread", "_start", "size")

    def __init__(self, pread: Callable[[int, int], bytes], size: int) -> None:
        self._pread = pread
        self._bytes = b""
        self._start = 0
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes; raises when the file ends before."""
        if offset + length > self.size:
            raise DecodeError("the Data Set is cut short", offset=self.size)
        at = offset - self._start
        if at < 0 or at + length > len(self._bytes):
            self._bytes, self._start, at = self._pread(max(length, WINDOW_BYTES), offset), offset, 0
            if len(self._bytes) < length:
                raise DecodeError("the file ends early", offset=offset + len(self._bytes))
        return self._bytes[at : at + length]

    def at_hand(self, offset: int) -> tuple[bytes, int, int]:
        """What was read last, where ``offset`` is in it, and where the file or it ends."""
        return self._bytes, offset - self._start, min(len(self._bytes), self.size - self._start)


def walk(pread: Callable[[int, int], bytes], size: int, offset: int, transfer_syntax: str) -> Origin:
    """Follow the Data Set from ``offset`` to the end of the file of ``size`` bytes; ``pread(length, offset)``."""
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
        return _deflated(pread, size, offset)
    return _Walker(_Window(pread, size), transfer_syntax).run(offset)


class _Root:
    """The root of the Data Set, for ``runs``."""

    __slots__ = ("charset", "last")

    def __init__(self) -> None:
        self.last = -1
        self.charset = DEFAULT  # no text is read


class _Walker:
    """Position, and what is open: for each level whether its content is Implicit VR."""

    __slots__ = ("_levels", "_order", "_root", "_root_implicit", "_uids", "_window")

    def __init__(self, window: _Window, transfer_syntax: str) -> None:
        self._window = window
        self._order = ">" if transfer_syntax == EXPLICIT_VR_BE else "<"
        self._root_implicit = transfer_syntax == IMPLICIT_VR_LE
        self._levels: list[bool] = []
        self._root = _Root()
        self._uids: dict[int, str] = {}

    def run(self, at: int, *, until: int | None = None) -> Origin:
        """Walk to the end, or to the first root element behind the tag ``until``."""
        while at < self._window.size:
            header = self._header(at)
            if until is not None and not self._levels and header.tag > until:
                break
            at = self._step(at, header)
            if until is None and not self._levels and self._order == "<":
                at = self._pass(at)
        else:
            if self._levels:
                raise DecodeError(f"the Data Set is cut short inside {len(self._levels)} open levels", offset=at)
        return self.origin()

    def origin(self) -> Origin:
        """What has been found so far."""
        return Origin(*(self._uids.get(tag, "") for tag in (STUDY, SERIES, SOP_CLASS, SOP_INSTANCE)))

    def _pass(self, at: int) -> int:
        """Pass what is at hand of unsuspicious elements of the root; the next one is for ``_step``."""
        data, here, room = self._window.at_hand(at)
        if not 0 <= here < room:
            return at
        held: dict[int, Any] = {}
        run = (data, here, self._root, held, (room, _FIRST_DELIMITER, WINDOW_BYTES, WINDOW_BYTES))
        end = implicit_run(*run, lambda _tag: "UN") if self._root_implicit else explicit_run(*run)
        for tag in held.keys() & _KEPT:
            _, _, start, stop, _ = held[tag]
            self._uids[tag] = _uid(data[start:stop])
        return at + end - here

    def _step(self, at: int, header: _Header) -> int:
        value = at + header.size
        if header.tag in {_ITEM_END, _SEQUENCE_END}:
            if not self._levels:
                raise DecodeError("a delimiter without its item or sequence", offset=at)
            self._levels.pop()
            return value
        if header.tag == _ITEM and not self._levels:
            raise DecodeError("an item outside of a sequence", offset=at)
        if header.length == _UNDEFINED:
            if len(self._levels) >= DEPTH_LIMIT:
                raise LimitError(f"more than {DEPTH_LIMIT} open levels", offset=at)
            # UN of undefined length is an Implicit VR sequence (PS3.5 6.2.2).
            self._levels.append(self._implicit() or header.vr == b"UN")
            return value
        if value + header.length > self._window.size:
            raise DecodeError("a value is cut short", tag=header.tag, offset=self._window.size)
        if header.tag in _KEPT and not self._levels and header.length <= WINDOW_BYTES:
            self._uids[header.tag] = _uid(self._window.read(value, header.length))
        return value + header.length

    def _header(self, at: int) -> _Header:
        head = self._window.read(at, 8)
        group, element = struct.unpack_from(f"{self._order}HH", head)
        tag = group << 16 | element
        if group == 0xFFFE or self._implicit():
            return _Header(tag, b"", 8, struct.unpack_from(f"{self._order}I", head, 4)[0])
        vr = head[4:6]
        if vr in _LONG:
            length = struct.unpack(f"{self._order}I", self._window.read(at + 8, 4))[0]
            return _Header(tag, vr, 12, length)
        if not vr.isalpha() or not vr.isupper():
            raise DecodeError(f"{vr!r} is no Value Representation", tag=tag, offset=at)
        return _Header(tag, vr, 8, struct.unpack_from(f"{self._order}H", head, 6)[0])

    def _implicit(self) -> bool:
        return self._levels[-1] if self._levels else self._root_implicit


def _uid(value: bytes) -> str:
    return value.decode("ascii", "replace").rstrip("\0 ")


def _deflated(pread: Callable[[int, int], bytes], size: int, offset: int) -> Origin:
    """A Deflated Data Set is complete when its stream is; the UIDs are read from its beginning."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    first = b""
    pending = b""
    try:
        while not inflater.eof:
            if not pending:
                pending = pread(min(INFLATED_BYTES, size - offset), offset) if offset < size else b""
                offset += len(pending)
                if not pending:
                    raise DecodeError("the deflated Data Set is cut short", offset=size)
            piece = inflater.decompress(pending, INFLATED_BYTES)
            pending = inflater.unconsumed_tail
            first += piece[: INFLATED_BYTES - len(first)]
    except zlib.error as error:
        raise DecodeError(f"the deflated Data Set is damaged: {error}", offset=offset) from None
    window = _Window(lambda length, at: first[at : at + length], len(first))
    walker = _Walker(window, "")
    try:
        return walker.run(0, until=SERIES)
    except DecodeError:
        return walker.origin()  # complete, but some of its UIDs stand beyond what is kept
