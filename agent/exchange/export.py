"""One File-set onto one medium: copies, DICOMDIR, pages, and the proof that all of it is there.

``export`` returns only after every file was read back from the medium and compared; whatever fails before that is a
``NotSafe``, and nothing says that the medium may be removed. What concerns one instance alone, as a damaged file, does
not stop the others: it is in ``refused``, and the set is whole without it.

A File-set that is there already is added to: its directory stays in force until the new one, which names its instances
and ours, is whole. An instance that it has already is kept where its bytes are ours, else written anew under another
File ID; the old file goes when no directory names it. So an export that failed is simply made again.

Whatever there is one of for each instance lies on a ``Shelf``, the records in a ``RecordIndex``: memory does not grow
with their number. The spool's files are only read. An instance that is here is not released by its export (P4).
"""

from __future__ import annotations

import hashlib
import os
from functools import partial
from itertools import chain

from agent.dataset import uid
from agent.errors import DataSetError, EncodeError, FileUnreadable, NativeError, NotSafe, SpoolDamaged, SpoolError
from agent.exchange import pages
from agent.exchange.icon import icon_of
from agent.exchange.plan import Refusal, open_ours, opened
from agent.exchange.present import Present, present_set
from agent.exchange.shelf import Shelf
from agent.exchange.writer import SetWriter, Written
from agent.media import dicomdir, file_id, records
from agent.media.profile import keys_of
from agent.spool.exports import Exported
from agent.spool.names import file_path
from agent.transcode.job import job_of
from agent.typed import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.exchange.plan import Piece
    from agent.exchange.shelf import Rows
    from agent.exchange.writer import FileSink
    from agent.media.file import DicomFile
    from agent.media.profile import Profile
    from agent.spool.ops import Ops
    from agent.spool.record_index import RecordIndex

    class Pieces(Protocol):
        """What goes: gone through more than once."""

        def __iter__(self) -> Iterator[Piece]: ...


_COPY_BYTES: Final = 1 << 18
# File IDs that another box has given on this medium: the first component gets a digit.
_TURNS: Final = 10
# A directory is read as a whole: records with icons have 5 KiB each, 20 MiB in all, and without them 0.5 KiB.
MAX_ICONS: Final = 4096
_OURS: Final = (DataSetError, NativeError, FileUnreadable, SpoolDamaged)  # of one instance, not of the medium
_AGAIN: Final = "Do not hand the medium out. Put it in again, check it, and repeat the export: it is completed."


class Request(NamedTuple):
    """What to write; ``label`` is the File-set ID."""

    pieces: Pieces
    profile: Profile
    label: str
    institution: str = ""
    made: str = ""  # when, as people read it
    software: str = ""
    volume: int = 1
    volumes: int = 1
    file_set_uid: str = ""  # empty: a new one


class Outcome(NamedTuple):
    """A set that is on its medium, compared."""

    label: str
    file_set_uid: str
    exported: Rows[Exported]
    kept: int  # of them: they were there already
    refused: Rows[Refusal]
    notes: Rows[str]
    copies: dict[str, int]  # why lossless copies were made, and of how many
    files: Rows[Written]  # by their paths
    label_text: list[str]
    uncached: bool  # everything was read from the medium itself


def _unwatched(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""


class Media(NamedTuple):
    """How a set is put on its medium; tests put something else in the place of both."""

    ops: Ops | None = None
    # Unmounts and mounts again read-only, between the last sync and reading back; None: the cache is gone round.
    remount: Callable[[], None] | None = None
    # Asked before reading back where going round the cache is not enough: whether nothing of the medium is in memory.
    forget: Callable[[], bool] | None = None


def export(
    request: Request,
    folder: str,
    media: Media = Media(),  # noqa: B008  (immutable)
    watch: Callable[[str, int, int], None] = _unwatched,
    shelf: Shelf | None = None,
) -> Outcome:
    """Write the set below ``folder``, which exists, and prove it.

    Raises:
        MediaError: There is a File-set already that is not one to add to; nothing was changed.
        NotSafe: The medium failed; what is on it must not be trusted.
    """
    shelf = shelf or Shelf()
    with shelf.index() as index:
        index.begin()  # and no end: nothing of it is kept
        work = _Export(request, folder, media, watch, shelf, index)
        before = work.found()
        try:
            return work.run(before)
        except SpoolError as error:
            raise NotSafe(f"{error}: the medium is NOT safe to remove", hint=_AGAIN) from error


class _Export:
    def __init__(
        self, request: Request, folder: str, media: Media, watch: Callable[[str, int, int], None], shelf: Shelf,
        index: RecordIndex,
    ) -> None:  # fmt: skip
        self.request, self.media, self.watch = request, media, watch
        self.shelf, self.index = shelf, index
        self.files = shelf.rows(Written._make, key=lambda one: one.path)
        self.writer = SetWriter(folder, media.ops, self.files)
        self.exported = shelf.rows(Exported._make, key=lambda one: one.sop_instance_uid)
        self.refused = shelf.rows(Refusal._make)
        self.notes = shelf.rows(str)
        self.copies: dict[str, int] = {}
        self.listed = shelf.rows(str, key=str)  # File IDs and SOP Instance UIDs that have a record
        self.own = 0  # records of what we write
        self.label = request.label
        self.kept = 0
        self._done = 0
        self._of = sum(piece.decision.bytes for piece in request.pieces)

    def found(self) -> Present:
        """What the medium has already; its records are ours from here on."""
        leaving = self.shelf.rows(str, key=str)
        leaving.extend(piece.holding.sop_instance_uid for piece in self.request.pieces)
        return present_set(self.writer.root, self.request.profile, leaving, self._list, self.shelf)

    def run(self, before: Present) -> Outcome:
        """Every step of the protocol, in its order."""
        self.label = before.label or self.request.label
        ids = self.shelf.rows(str, key=str)
        left = (name for name in self.writer.leftovers() if file_id.of_path(name) not in before.named)
        self.writer.drop(left)
        ids.extend(self._name(piece.holding.id, before.named) for piece in self.request.pieces)
        written = self._own_pages()
        self.writer.begin(chain(map(file_id.path_of, ids), written))
        dropped = self.shelf.rows(str)
        for piece, name in zip(self.request.pieces, ids, strict=True):
            self._piece(piece, name, before, dropped)
        self._list_what_stays(before)
        self._pages(written)
        file_set = dicomdir.FileSet(before.file_set_uid or self.request.file_set_uid or _new_uid(), self.label)
        self.writer.settle()
        self.writer.direct(dicomdir.stream(self.index, file_set))
        self.writer.drop(file_id.path_of(name) for name in dropped if f"F{name}" not in self.listed)
        self.writer.end()
        if self.media.remount is not None:
            self.media.remount()
        forgotten = self.media.forget is None or self.media.forget()
        uncached = (self._compare() and forgotten) or self.media.remount is not None
        patients = pages.patients_of(self.index, self.shelf)
        return Outcome(
            file_set.label, file_set.uid, self.exported, self.kept, self.refused, self.notes, self.copies,
            self.files, pages.label_text(self._facts(), patients, patients.times), uncached,
        )  # fmt: skip

    def _list_what_stays(self, before: Present) -> None:
        """What was there of instances that could not be written anew."""
        failed = self.shelf.rows(str, key=str)
        for refusal in self.refused:
            uid_ = refusal.sop_instance_uid
            if uid_ in before.files and uid_ not in self.exported:
                failed.append(uid_)
        if len(failed):
            present_set(self.writer.root, self.request.profile, _AllBut(failed), self._list, self.shelf)

    def _list(self, entry: records.Entry) -> None:
        """Let the directory have an instance, each once."""
        for key, name, tag in (("F", entry.file_id, 0x00041500), ("U", entry.sop_instance_uid, 0x00041511)):
            if key + name in self.listed:
                raise EncodeError(f"two instances are called {name}; a File-set has each once", tag=tag)
        self.listed.extend((f"F{entry.file_id}", f"U{entry.sop_instance_uid}"))
        self.index.add(len(self.listed), entry)
        self.notes.extend(f"{entry.file_id}: {note}" for _, note in self.index.notes)
        self.index.notes.clear()

    # --- one instance ----------------------------------------------------------------------

    def _piece(self, piece: Piece, name: str, before: Present, dropped: Rows[str]) -> None:
        found = before.files.find(piece.holding.sop_instance_uid)
        there = None if found is None else found.file_id
        done_before = self._done
        try:
            if there is not None and self._keep(piece, there):
                return
            self._write(piece, name)
            if there is not None:
                dropped.append(there)
        except _OURS as error:
            self.refused.append(Refusal(piece.holding.sop_instance_uid, error.code, str(error)))
        finally:
            self._done = done_before + piece.decision.bytes
            self.watch("written", self._done, self._of)

    def _keep(self, piece: Piece, there: str) -> bool:
        """Whether the medium has these very bytes already; they are compared with everything else at the end."""
        holding, path = piece.holding, file_id.path_of(there)
        whole = f"{self.writer.root}/{path}"
        wanted = {holding.file_sha256} if piece.as_is else piece.copies
        try:
            found = self.writer.reread(path) if wanted else None
        except SpoolError:
            return False
        if found is None or found.sha256 not in wanted:
            return False
        with opened(piece.path if piece.as_is else whole) as file:
            if file.meta.transfer_syntax_uid != piece.decision.syntax:
                return False
            digest = holding.data_set_sha256 if piece.as_is else _data_set_sha256(file, found.size)
            self._record(piece, self._entry(there, file), file, found.sha256, digest)
        self.writer.keep(Written(path, found.size, found.sha256))
        self.kept += 1
        return True

    def _name(self, number: int, taken: Rows[str]) -> str:
        path = file_path("", number)[1:]
        first, slash, rest = path.partition("/")
        for turn in range(_TURNS):
            name = file_id.of_path(f"{first}{turn or ''}{slash}{rest}")
            if name not in taken and not self.writer.holds(file_id.path_of(name)):
                return name
        raise SpoolError(f"no File ID is free for instance {number:08X}", hint="Use an empty medium.")

    def _write(self, piece: Piece, name: str) -> None:
        """One new file; one that no record can be made of is none."""
        holding, path = piece.holding, file_id.path_of(name)
        with opened(piece.path) as file:
            if piece.as_is:
                entry = self._entry(name, file)
                done = self.writer.put(path, lambda sink: self._copy(piece, sink))
                self._record(piece, entry, file, done.sha256, holding.data_set_sha256)
                return
            self._transcode(piece, name, file)
        self.copies[piece.decision.why] = self.copies.get(piece.decision.why, 0) + 1

    def _transcode(self, piece: Piece, name: str, file: DicomFile) -> None:
        def make(sink: FileSink) -> None:
            job = job_of(file, piece.decision.syntax)
            job.write(sink, lambda _step, done, of: self._tell(piece.decision.bytes * done // max(of, 1)))
            with opened(sink.path) as made:
                job.prove(made)
                entries.append(self._entry(name, made))

        entries: list[records.Entry] = []
        done = self.writer.put(file_id.path_of(name), make)
        with opened(f"{self.writer.root}/{done.path}") as made:
            self._record(piece, entries[0], made, done.sha256, _data_set_sha256(made, done.size))

    def _copy(self, piece: Piece, sink: FileSink) -> None:
        """The master, byte for byte, and as it was sealed."""
        fd = open_ours(piece.path)
        try:
            while data := os.pread(fd, _COPY_BYTES, sink.tell()):
                sink.write(data)
                self._tell(sink.tell())
        except OSError as error:
            raise FileUnreadable(f"read {piece.path}: {error.strerror or error}") from error
        finally:
            os.close(fd)
        if sink.sha256() != piece.holding.file_sha256:
            raise SpoolDamaged(f"{piece.path} is not what was sealed: it does not go out")

    def _entry(self, name: str, file: DicomFile) -> records.Entry:
        icon = icon_of(file) if self.own < MAX_ICONS else None
        return records.entry_of(name, file.meta, file.dataset, extra=keys_of(self.request.profile), icon=icon)

    def _record(self, piece: Piece, entry: records.Entry, file: DicomFile, sha256: str, data_set_sha256: str) -> None:
        self._list(entry)
        self.own += 1
        uid_, syntax = piece.holding.sop_instance_uid, file.meta.transfer_syntax_uid
        label = self.label
        self.exported.append(Exported(uid_, label, entry.file_id, syntax, sha256, data_set_sha256))

    def _tell(self, of_this: int) -> None:
        """Say how far it is, ``of_this`` bytes into an instance."""
        self.watch("written", min(self._done + of_this, self._of), self._of)

    # --- the rest --------------------------------------------------------------------------

    def _own_pages(self) -> list[str]:
        """Which of the pages are written: none in the place of what somebody else has put there."""
        names = []
        for name in (pages.README, pages.INDEX):
            path = f"{self.writer.root}/{name}"
            if not self.writer.holds(name):
                names.append(name)
            elif pages.is_ours(path):
                self.writer.drop([name])
                names.append(name)
            else:
                self.notes.append(f"{name} is there already and not ours: it stays as it is")
        return names

    def _pages(self, names: list[str]) -> None:
        facts = self._facts()
        texts = {pages.README: pages.readme, pages.INDEX: pages.index}
        for name in names:
            self.writer.put(name, partial(_write_all, texts[name](facts)))

    def _facts(self) -> pages.Facts:
        request = self.request
        return pages.Facts(
            self.label, request.volume, request.volumes, request.profile, request.institution, request.made,
            len(self.listed) // 2, request.software,
        )  # fmt: skip

    def _compare(self) -> bool:
        whole = sum(one.size for one in self.files)
        done = 0

        def watch(count: int) -> None:
            nonlocal done
            done += count
            self.watch("read back", done, whole)

        return self.writer.compare(watch)


class _AllBut:
    """Every UID but some."""

    def __init__(self, some: Rows[str]) -> None:
        self._some = some

    def __contains__(self, uid_: object) -> bool:
        return uid_ not in self._some


def _write_all(data: bytes, sink: FileSink) -> None:
    sink.write(data)


def _data_set_sha256(file: DicomFile, size: int) -> str:
    """Of what stands behind the File Meta Information, as the receipt has it of the master."""
    digest, at = hashlib.sha256(), file.data_set_offset
    while at < size:
        data = file.file_pread(min(_COPY_BYTES, size - at), at)
        if not data:
            raise SpoolDamaged("the file ends before it was written to its end")
        digest.update(data)
        at += len(data)
    return digest.hexdigest()


def _new_uid() -> str:
    return uid.uid_from_int128(int.from_bytes(os.urandom(16)))
