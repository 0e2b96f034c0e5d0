"""Takes a new firmware from the line into the slot that nothing runs from, and puts it on trial.

The panel goes on with all of its work meanwhile: a turn of the loop takes one block, removes one file, or reads one
piece again. A block that is not the one wanted is not taken, so whatever is lost, doubled or damaged costs time alone.
When all has come, each file is read again from the flash and held against its SHA-256; only then can it be installed,
which is the renaming of one small file (``slots``).
"""

import binascii
import hashlib

from clock import since
from image import IMAGE_LIMIT, MANIFEST_LIMIT, parse
from messages import BOARDS, STATUSES, VERSION
from slots import FOLDERS, Slots
from store import File

PIECE = 256  # bytes that are read again in one turn: a tenth of a millisecond
RESERVE = 16384  # bytes of flash that stay free: the file system itself needs some
RESET_MS = 200  # until the answer to `install` is out
MANIFEST = "/manifest"
(_MORE, _WAIT, _COMPLETE, _INSTALLING, _DAMAGED, _REFUSED, _UNKNOWN, _BUSY, _OTHER_BOARD, _OTHER_PROTOCOL, _OLDER,
 _NO_ROOM, _FAILED) = range(len(STATUSES))  # fmt: skip
_DOWNGRADE = 1  # option of an offer; the other bits tell one from the next


class Update:
    """At most one at a time; ``status`` and ``offset`` are the answer to everything."""

    def __init__(self, slots: Slots, board: int, version: tuple[int, int, int]) -> None:
        self.status = _UNKNOWN
        self.offset = 0
        self.image = identity(slots.store.load(FOLDERS[slots.running] + MANIFEST, MANIFEST_LIMIT))  # that runs
        self._slots = slots
        self._store = slots.store
        self._board = board
        self._version = version
        self._ms = 0
        self._digest = b""
        self._folder = ""
        self._total = 0
        self._manifest = bytearray(0)
        self._options = 0
        self._clearing = []  # type: list[str]
        self._files = []  # type: list[tuple[str, int, bytes]]
        self._at = 0  # file that is written, or read again
        self._left = 0  # bytes of it
        self._file = File()
        self._hash = hashlib.sha256()
        self._piece = bytearray(PIECE)

    def offer(self, total: int, manifest: int, options: int, digest: bytes) -> None:
        """Hear of an image; the same offer again is the question how far it is."""
        again = digest == self._digest and options == self._options
        if self.status == _INSTALLING or (again and self.status != _BUSY):
            return
        self._close()
        self.offset = 0
        self._digest, self._options = digest, options
        if self._slots.waits():
            self.status = _BUSY
        elif len(digest) != 32 or not 0 < manifest <= MANIFEST_LIMIT or not manifest < total <= IMAGE_LIMIT:
            self.status = _REFUSED
        else:
            self._total = total
            self._manifest = bytearray(manifest)
            self._files = []
            self._folder = FOLDERS[self._slots.spare()]
            self.status = _WAIT
            try:
                self._clearing = self._store.names(self._folder)
            except OSError:
                self.status = _FAILED

    def write(self, offset: int, crc32: int, block: memoryview) -> None:
        """Take a block."""
        if self.status != _MORE or offset != self.offset or binascii.crc32(block) & 0xFFFFFFFF != crc32:
            return
        try:
            self._take(block)
        except OSError:
            self._stop(_FAILED)

    def install(self, image: int, ms: int) -> None:
        """Put it on trial; the processor is reset a moment later."""
        if self.status == _COMPLETE and image == int.from_bytes(self._digest[:4], "little"):
            if self._slots.install(FOLDERS.index(self._folder)):
                self._ms = ms
                self.status = _INSTALLING
            else:
                self._stop(_FAILED)

    def look(self, ms: int) -> None:
        """Do a piece of what takes long."""
        if self.status == _INSTALLING:
            if since(ms, self._ms) >= RESET_MS:
                self._store.reset()
        elif self.status == _WAIT:
            try:
                if self._files:
                    self._check()
                else:
                    self._clear()
            except OSError:
                self._stop(_FAILED)

    def _clear(self) -> None:
        if self._clearing:
            self._store.remove(self._folder + "/" + self._clearing.pop())
        else:
            self.status = _MORE if self._store.free() >= self._total + RESERVE else _NO_ROOM

    def _take(self, block: memoryview) -> None:
        size = len(self._manifest)
        if self.offset + len(block) > self._total:
            self._stop(_REFUSED)
            return
        if self.offset < size:
            part = block[: size - self.offset]
            self._manifest[self.offset : self.offset + len(part)] = part
            self.offset += len(part)
            block = block[len(part) :]
            if self.offset == size and not self._accept():
                return
        while len(block):
            part = block[: self._left]
            self._file.write(part)
            self.offset += len(part)
            self._left -= len(part)
            block = block[len(part) :]
            if not self._left:
                self._store.close(self._file, self._path())
                self._at += 1
                self._next("wb")
        if self.offset == self._total:
            self._at = 0
            self._next("rb")
            self.status = _WAIT

    def _accept(self) -> bool:
        why = self._objection()
        if why != _MORE:
            self._stop(why)
            return False
        file = self._store.open(self._folder + MANIFEST, "wb")
        file.write(self._manifest)
        self._store.close(file, self._folder + MANIFEST)
        self._at = 0
        self._next("wb")
        return True

    def _objection(self) -> int:
        try:
            said = parse(self._manifest)
        except ValueError:
            return _DAMAGED
        whole = len(self._manifest) + said.size() == self._total
        if not whole or hashlib.sha256(self._manifest).digest() != self._digest:
            return _DAMAGED
        if said.board != BOARDS[self._board]:
            return _OTHER_BOARD
        if said.protocol < VERSION:
            return _OTHER_PROTOCOL
        if said.version < self._version and not self._options & _DOWNGRADE:
            return _OLDER
        self._files = said.files
        return _MORE

    def _check(self) -> None:
        got = self._file.readinto(self._piece)
        self._hash.update(memoryview(self._piece)[:got])
        self._left -= got
        if got:
            return
        self._close()
        if self._left or self._hash.digest() != self._files[self._at][2]:
            self._stop(_DAMAGED)
            return
        self._at += 1
        self._next("rb")
        if self._at == len(self._files):
            written = self._store.load(self._folder + MANIFEST, MANIFEST_LIMIT + 1)
            if written == self._manifest:
                self.status = _COMPLETE
            else:
                self._stop(_DAMAGED)

    def _next(self, mode: str) -> None:
        """Begin with the next file, if there is one."""
        self._file = File()
        if self._at < len(self._files):
            self._left = self._files[self._at][1]
            self._hash = hashlib.sha256()
            self._file = self._store.open(self._path(), mode)

    def _path(self) -> str:
        return self._folder + "/" + self._files[self._at][0]

    def _close(self) -> None:
        self._file.close()
        self._file = File()

    def _stop(self, why: int) -> None:
        self._close()
        self.offset = 0
        self.status = why


def identity(manifest: bytes) -> int:
    """Return the first four bytes of what an image is called by; 0: none, for the frozen firmware has no manifest."""
    return int.from_bytes(hashlib.sha256(manifest).digest()[:4], "little") if manifest else 0
