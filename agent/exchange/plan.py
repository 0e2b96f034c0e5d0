"""What goes on which medium, before anything is written: the dry run, and the order of work.

Instances of one study stay together as long as they fit: a study is begun on a new medium rather than cut, unless it is
larger than a medium. The sizes of copies are estimates on the large side; each medium keeps some room for its DICOMDIR.
Whatever there is one of for each instance lies on a ``Shelf``.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from agent.dataset.decode import Limits
from agent.errors import AgentError, FileUnreadable
from agent.exchange.decide import Decision, decide
from agent.exchange.shelf import Shelf
from agent.media.file import open_file
from agent.spool.names import file_path
from agent.spool.receipt import Holding
from agent.transcode.job import REFER_BYTES
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.exchange.shelf import Rows
    from agent.media.file import DicomFile
    from agent.media.profile import Profile
    from agent.typed import Any

# An enhanced multi-frame instance has a hundred elements for each frame; these files are our own.
LIMITS: Final = Limits(elements=1_000_000)
# A record of an image with its icon takes 5 KiB; each file wastes half a cluster of 32 KiB on the average stick.
RECORD_BYTES: Final = 6 << 10
_CLUSTER_BYTES: Final = 16 << 10
_BASE_BYTES: Final = 256 << 10  # README, INDEX, folders
FAT_FILE_BYTES: Final = (4 << 30) - 1


class Piece(NamedTuple):
    """One instance to export."""

    holding: Holding
    path: str
    decision: Decision
    copies: frozenset[str] = frozenset()  # digests of the files that we have made of it so before

    @property
    def as_is(self) -> bool:
        """Whether the master itself goes."""
        return self.decision.syntax == self.holding.transfer_syntax_uid

    @property
    def bytes(self) -> int:
        """What it takes on a medium, about."""
        return self.decision.bytes + RECORD_BYTES + _CLUSTER_BYTES


class Refusal(NamedTuple):
    """One instance that does not go, and why."""

    sop_instance_uid: str
    code: str  # of the error, or ``profile``
    why: str


class Plan(NamedTuple):
    """Media, in their order, and what goes on none."""

    volumes: list[Rows[Piece]]
    refused: Rows[Refusal]
    shelf: Shelf

    @property
    def going(self) -> int:
        """How many go."""
        return sum(map(len, self.volumes))


def pieces_on(shelf: Shelf) -> Rows[Piece]:
    """An empty list of pieces, which knows what each study takes."""
    return shelf.rows(
        _piece_of, key=lambda piece: piece.holding.study_uid, weight=lambda piece: piece.bytes,
        plain=lambda piece: [*piece[:3], sorted(piece.copies)],
    )  # fmt: skip


def _piece_of(row: Any) -> Piece:
    return Piece(Holding._make(row[0]), row[1], Decision._make(row[2]), frozenset(row[3]))


def volume_bytes(pieces: Iterable[Piece]) -> int:
    """What a medium must hold, about."""
    return _BASE_BYTES + sum(piece.bytes for piece in pieces)


def plan(
    root: str,
    holdings: Iterable[Holding],
    profile: Profile,
    *,
    shelf: Shelf | None = None,
    volume_limit: int = 0,
    file_limit: int = 0,
    watch: Callable[[int], None] = lambda _done: None,
) -> Plan:
    """Decide about every instance of the spool ``root`` and distribute them.

    Args:
        root: The spool folder.
        holdings: Instances in the order they are to go.
        profile: What the set will claim.
        shelf: Where the lists lie.
        volume_limit: Bytes of one medium; 0: one medium takes all.
        file_limit: Largest file that the medium takes; 0: any.
        watch: Called with how many were looked at.
    """
    shelf = shelf or Shelf()
    pieces = pieces_on(shelf)
    refused = shelf.rows(Refusal._make)
    for number, holding in enumerate(holdings, 1):
        found = _piece(root, holding, profile, file_limit or 0)
        if isinstance(found, Refusal):
            refused.append(found)
        elif volume_limit and volume_bytes([found]) > volume_limit:
            refused.append(_refusal(holding, _too_large(found.decision.bytes, volume_limit)))
        else:
            pieces.append(found)
        watch(number)
    return Plan(_volumes(pieces, volume_limit, shelf), refused, shelf)


def open_ours(path: str) -> int:
    """Open a file of the spool; one that is gone meanwhile is a ``FileUnreadable``, too: it concerns itself alone."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        hint = "It may have been evicted meanwhile."
        raise FileUnreadable(f"read {path}: {error.strerror or error}", hint=hint) from error


@contextmanager
def opened(path: str) -> Iterator[DicomFile]:
    """Open a DICOM file that is ours, for its attributes and a job; raises ``FileUnreadable`` or ``DecodeError``."""
    fd = open_ours(path)

    def pread(length: int, offset: int) -> bytes:
        try:
            return os.pread(fd, length, offset)
        except OSError as error:
            raise FileUnreadable(f"read {path}: {error.strerror}") from error

    try:
        yield open_file(pread, os.fstat(fd).st_size, limits=LIMITS, refer_above=REFER_BYTES)
    finally:
        os.close(fd)


def _piece(root: str, holding: Holding, profile: Profile, file_limit: int) -> Piece | Refusal:
    if holding.state != "live":
        return _refusal(holding, f"its file is {holding.state}, not in the spool any more")
    path = file_path(root, holding.id)
    try:
        with opened(path) as file:
            decision = decide(profile, file, holding.size)
    except AgentError as error:
        return Refusal(holding.sop_instance_uid, error.code, str(error))
    if not decision.syntax:
        return _refusal(holding, decision.why)
    if file_limit and decision.bytes > file_limit:
        return _refusal(holding, f"{decision.bytes} bytes are more than a file on this medium may have")
    return Piece(holding, path, decision)


def _refusal(holding: Holding, why: str) -> Refusal:
    return Refusal(holding.sop_instance_uid, "profile", why)


def _too_large(size: int, limit: int) -> str:
    return f"{size} bytes are more than a medium holds, of the {limit} of --volume-size: it wants a larger one"


def _volumes(pieces: Rows[Piece], limit: int, shelf: Shelf) -> list[Rows[Piece]]:
    """Studies in the order of their first instance, onto as many media as it takes."""
    volumes: list[Rows[Piece]] = []
    room = 0
    for study, need in pieces.groups():
        if limit and volumes and len(volumes[-1]) and need > room >= 0 and need + _BASE_BYTES <= limit:
            volumes.append(pieces_on(shelf))
            room = limit - _BASE_BYTES
        for piece in pieces.of(study):
            if not volumes or (limit and piece.bytes > room):
                volumes.append(pieces_on(shelf))
                room = limit - _BASE_BYTES
            volumes[-1].append(piece)
            room -= piece.bytes
    pieces.clear()
    return volumes
