"""One File-set onto one medium: copies, DICOMDIR, pages, and the proof that all of it is there.

``export`` returns only after every file was read back from the medium and compared; whatever fails before that is a
``NotSafe``, and nothing says that the medium may be removed. What concerns one instance alone, as a damaged file, does
not stop the others: it is in ``refused``, and the set is whole without it.

A File-set that is there already is added to: its directory stays in force until the new one, which names its instances
and ours, is whole. An instance that it has already is kept where its bytes are ours, else written anew under another
File ID; the old file goes when no directory names it. So an export that failed is simply made again.

The spool's files are only read. An instance that is here is not released by having been exported (P4).
"""

from __future__ import annotations

import hashlib
import os
from functools import partial

from agent.dataset import uid
from agent.errors import DataSetError, FileUnreadable, NativeError, NotSafe, SpoolDamaged, SpoolError
from agent.exchange import pages
from agent.exchange.icon import icon_of
from agent.exchange.plan import Refusal, open_ours, opened
from agent.exchange.present import Present, present_set
from agent.exchange.writer import SetWriter, Written
from agent.media import dicomdir, file_id, records
from agent.media.profile import keys_of
from agent.spool.exports import Exported
from agent.spool.names import file_path
from agent.transcode.job import job_of
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.exchange.plan import Piece
    from agent.exchange.writer import FileSink
    from agent.media.file import DicomFile
    from agent.media.profile import Profile
    from agent.spool.ops import Ops

_COPY_BYTES: Final = 1 << 18
# File IDs that another box has given on this medium: the first component gets a digit.
_TURNS: Final = 10
# Records with icons are kept until the directory is written: 5 KiB each, 20 MiB in all; without them 0.5 KiB.
MAX_ICONS: Final = 4096
_OURS: Final = (DataSetError, NativeError, FileUnreadable, SpoolDamaged)  # of one instance, not of the medium
_AGAIN: Final = "Do not hand the medium out. Put it in again, check it, and repeat the export: it is completed."


class Request(NamedTuple):
    """What to write; ``label`` is the File-set ID."""

    pieces: list[Piece]
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
    exported: list[Exported]
    kept: int  # of them: they were there already
    refused: list[Refusal]
    notes: list[str]
    copies: dict[str, int]  # why lossless copies were made, and of how many
    files: list[Written]
    label_text: list[str]
    uncached: bool  # everything was read from the medium itself


def _unwatched(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""


class Media(NamedTuple):
    """How a set is put on its medium; tests put something else in the place of both."""

    ops: Ops | None = None
    # Unmounts and mounts again read-only, between the last sync and reading back; None: the cache is gone round.
    remount: Callable[[], None] | None = None


def export(
    request: Request,
    folder: str,
    media: Media = Media(),  # noqa: B008  (immutable)
    watch: Callable[[str, int, int], None] = _unwatched,
) -> Outcome:
    """Write the set below ``folder``, which exists, and prove it.

    Raises:
        MediaError: There is a File-set already that is not one to add to; nothing was changed.
        NotSafe: The medium failed; what is on it must not be trusted.
    """
    leaving = {piece.holding.sop_instance_uid for piece in request.pieces}
    before = present_set(os.path.abspath(folder), request.profile, leaving)
    try:
        return _Export(request, folder, media, watch).run(before)
    except SpoolError as error:
        raise NotSafe(f"{error}: the medium is NOT safe to remove", hint=_AGAIN) from error


class _Export:
    def __init__(self, request: Request, folder: str, media: Media, watch: Callable[[str, int, int], None]) -> None:
        self.request, self.media, self.watch = request, media, watch
        self.writer = SetWriter(folder, media.ops)
        self.exported: list[Exported] = []
        self.refused: list[Refusal] = []
        self.notes: list[str] = []
        self.copies: dict[str, int] = {}
        self.entries: list[records.Entry] = []
        self.others: list[records.Entry] = []  # of what is on the medium beside them
        self.label = request.label
        self.kept = 0
        self._done = 0
        self._of = sum(piece.decision.bytes for piece in request.pieces)

    def run(self, before: Present) -> Outcome:
        """Every step of the protocol, in its order."""
        self.label = before.label or self.request.label
        left = set(self.writer.leftovers())
        self.writer.drop(left - {file_id.path_of(name) for name in before.named})
        taken = set(before.named)
        names = [self._name(piece.holding.id, taken) for piece in self.request.pieces]
        written = self._own_pages()
        self.writer.begin([*map(file_id.path_of, names), *written])
        dropped: list[str] = []
        for piece, name in zip(self.request.pieces, names, strict=True):
            self._piece(piece, name, before, dropped)
        self.others = [*before.entries, *self._not_replaced(before)]
        self._pages(written)
        file_set = dicomdir.FileSet(before.file_set_uid or self.request.file_set_uid or _new_uid(), self.label)
        entries = [*self.others, *self.entries]
        arranged = dicomdir.Arrangement(entries)
        self.notes += [f"{name}: {note}" for name, note in arranged.notes]
        self.writer.settle()
        self.writer.direct(dicomdir.stream(arranged, file_set))
        self.writer.drop(set(dropped) - {file_id.path_of(entry.file_id) for entry in entries})
        self.writer.end()
        if self.media.remount is not None:
            self.media.remount()
        uncached = self._compare() or self.media.remount is not None
        facts, patients = self._facts(), pages.patients_of([*self.others, *self.entries])
        return Outcome(
            file_set.label, file_set.uid, self.exported, self.kept, self.refused, self.notes, self.copies,
            self.writer.written, pages.label_text(facts, patients), uncached,
        )  # fmt: skip

    def _not_replaced(self, before: Present) -> list[records.Entry]:
        """What was there of instances that could not be written anew: it stays."""
        done = {row.sop_instance_uid for row in self.exported}
        failed = {refusal.sop_instance_uid for refusal in self.refused} & set(before.files) - done
        if not failed:
            return []
        return present_set(self.writer.root, self.request.profile, set(before.files) - failed).entries

    # --- one instance ----------------------------------------------------------------------

    def _piece(self, piece: Piece, name: str, before: Present, dropped: list[str]) -> None:
        there = before.files.get(piece.holding.sop_instance_uid)
        done_before = self._done
        try:
            if there is not None and self._keep(piece, there):
                return
            self._write(piece, name)
            if there is not None:
                dropped.append(file_id.path_of(there))
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

    def _name(self, number: int, taken: set[str]) -> str:
        path = file_path("", number)[1:]
        first, slash, rest = path.partition("/")
        for turn in range(_TURNS):
            name = file_id.of_path(f"{first}{turn or ''}{slash}{rest}")
            if name not in taken and not self.writer.holds(file_id.path_of(name)):
                taken.add(name)
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
        icon = icon_of(file) if len(self.entries) < MAX_ICONS else None
        return records.entry_of(name, file.meta, file.dataset, extra=keys_of(self.request.profile), icon=icon)

    def _record(self, piece: Piece, entry: records.Entry, file: DicomFile, sha256: str, data_set_sha256: str) -> None:
        self.entries.append(entry)
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
            len(self.others) + len(self.entries), request.software,
        )  # fmt: skip

    def _compare(self) -> bool:
        whole = sum(one.size for one in self.writer.written)
        done = 0

        def watch(count: int) -> None:
            nonlocal done
            done += count
            self.watch("read back", done, whole)

        return self.writer.compare(watch)


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
