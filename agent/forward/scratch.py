"""Lossless copies where there is no spool: ``modality-agent send --lossless-copy``.

The copy is made in a file of its own under ``TMPDIR`` or ``/var/tmp``: a folder that is memory on many boxes is no
place for a clip. It is gone when it was sent; what a power cut leaves is called ``modality-agent-*.part``.
"""

from __future__ import annotations

import os

from agent.errors import DataSetError, FileError, NativeError, SpoolError
from agent.forward.copying import make_copy, master_of, opened
from agent.forward.deliver import Outcome, failed, unchangeable
from agent.spool.draft import Measured, measure
from agent.spool.durable import Medium
from agent.transcode.choose import AS_STORED, choose
from agent.transcode.learn import recall
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from agent.forward.deliver import Delivery
    from agent.forward.files import Instance


class Scratch:
    """One file being written, without a name that anybody waits for; raises ``SpoolError``."""

    __slots__ = ("_medium", "_position", "file")

    def __init__(self) -> None:
        folder = os.environ.get("TMPDIR") or "/var/tmp"  # noqa: S108 - the name is random and the file must be new
        self._medium = Medium(folder)
        self.file = self._medium.create(f"{folder}/modality-agent-{os.urandom(8).hex()}.part")
        self._position = 0

    def write(self, data: ReadableBuffer) -> int:
        """Append all of ``data``; returns its length in bytes."""
        done = self.file.write_at(self._position, data)
        self._position += done
        return done

    def write_at(self, offset: int, data: ReadableBuffer) -> int:
        """Write all of ``data`` at ``offset``; returns its length in bytes."""
        return self.file.write_at(offset, data)

    def seek(self, offset: int) -> None:
        """Let ``write`` go on at ``offset``."""
        self._position = offset

    def tell(self) -> int:
        """Return where ``write`` goes on."""
        return self._position

    def measure(self) -> Measured:
        """Read everything back."""
        return measure(self.file.read_into, self.file.size)

    def abandon(self) -> None:
        """Remove the file; idempotent."""
        self.file.close()
        self._medium.remove(self.file.path, sync=False)


def send_or_copy(delivery: Delivery, instance: Instance) -> Outcome:
    """Send a file as it is, or a lossless copy where the peer refuses its transfer syntax; never raises for either."""
    taken = delivery.taken(instance.sop_class_uid)
    if delivery.takes(instance) or not taken or delivery.broken is not None:
        return delivery.send(instance)
    try:
        with opened(instance.path, instance.size) as file:
            master = master_of(file, instance, "")
            choice = choose(master, taken, AS_STORED, recall(None, ""))
            if choice is None:
                return unchangeable(delivery.send(instance))
            copy = make_copy(Scratch(), instance, file, master, choice, lambda: None)
    except SpoolError as error:
        return failed(instance, FileError(f"no copy can be made: {error}"), begun=False)
    except (DataSetError, NativeError) as error:
        error.message = f"{instance.path}: no copy can be made: {error.message}"
        return failed(instance, error, begun=False)
    try:
        outcome = delivery.send(copy.instance)
    finally:
        copy.room.abandon()
    return outcome._replace(instance=instance, copied_to=copy.instance.transfer_syntax_uid)
