"""From a plan to media: a folder or stick directly, everything else by way of a folder of our own.

A stick gets its files at once (``export``). A disc image, a ZIP and encrypted media are made of a finished set in a
folder that nobody else may read, which is removed whatever happens; each has its own proof (``carrier``). What is to be
encrypted never lies in clear on what is carried away: its folder is in the spool (``stage``).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial

from agent.errors import FileError, NotSafe, SpoolError, UsageError
from agent.exchange import carrier, volume
from agent.exchange.beside import folder_in, sweep
from agent.exchange.export import Media, export
from agent.exchange.plan import FAT_FILE_BYTES, volume_bytes
from agent.exchange.present import sizes_of
from agent.exchange.shelf import Shelf
from agent.exchange.volume import forget
from agent.exchange.writer import SetWriter
from agent.media import file_id
from agent.media.profile import BD, CD, DVD, ZIP
from agent.spool.durable import Medium
from agent.spool.exports import Exported
from agent.spool.stage import staged
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.exchange.cms import Keys
    from agent.exchange.export import Outcome, Request
    from agent.exchange.plan import Piece
    from agent.exchange.shelf import Rows
    from agent.exchange.volume import Run, Volume
    from agent.exchange.writer import Written
    from agent.media.profile import Profile
    from agent.spool.ops import Ops

    Watch = Callable[[str, int, int], None]

FOLDER, IMAGE, ARCHIVE = "folder", "image", "archive"
_SUFFIXES: Final = {".iso": IMAGE, ".zip": ARCHIVE}
# Where somebody expects a file of another kind, and not a folder of that name.
_NOT_MADE: Final = frozenset({".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".img", ".bin", ".dmg", ".udf",
                              ".nrg", ".raw", ".dcm", ".pdf"})  # fmt: skip
_KINDS: Final = (
    "An export is a folder, such as a stick's, FILE.iso or FILE.zip; a '/' behind a name says that it is a folder."
)
# Debian's genisoimage knows no later one; mkudffs makes empty ones, which no kernel and no sound program here fills.
_UDF: Final = (
    "{} wants UDF 2.50 or 2.60 (PS3.12 X); the image has UDF 1.02 beside ISO 9660, because nothing here makes a later "
    "one of files: many workstations read it, none must"
)
_LEDGER: Final = "ledger.db"


class Target(NamedTuple):
    """Where a set goes; ``keys`` make it an encrypted one."""

    path: str
    kind: str
    keys: Keys | None = None


class Made(NamedTuple):
    """One medium that is done."""

    path: str
    bytes: int  # of all files
    outcome: Outcome
    unmounted: bool


def target_of(path: str, keys: Keys | None) -> Target:
    """What a path stands for: ``.iso`` an image, ``.zip`` an archive, else a folder."""
    suffix = os.path.splitext(path)[1].lower()
    kind = _SUFFIXES.get(suffix, FOLDER)
    if suffix in _NOT_MADE and not path.endswith("/") and not os.path.lexists(path):
        raise UsageError(f"{path}: no {suffix} is made", hint=_KINDS)
    if os.path.isdir(path) or path.endswith("/"):
        kind = FOLDER
    return Target(path.rstrip("/") or "/", kind, keys)


def numbered(target: Target, volume_number: int, volumes: int) -> Target:
    """The target of one of several volumes: ``name-2.iso``, or a folder below."""
    if volumes < 2:
        return target
    if target.kind == FOLDER:
        return target._replace(path=f"{target.path}/VOL{volume_number}")
    stem, suffix = os.path.splitext(target.path)
    return target._replace(path=f"{stem}-{volume_number}{suffix}")


def require_target(target: Target, profile: Profile, spool: str) -> None:
    """Refuse what cannot be, before anything is looked at. Raises ``FileError`` or ``UsageError``."""
    if profile.secure != (target.keys is not None):
        if profile.secure:
            raise UsageError(f"{profile.name} encrypts every file", hint="Name who may read it: --recipient CERT.pem.")
        raise UsageError(
            f"{profile.name} does not encrypt", hint="'--profile STD-GEN-SEC-...' does; without '--recipient' none."
        )
    if target.kind == FOLDER and os.path.exists(target.path) and not os.path.isdir(target.path):
        if os.path.isfile(target.path):
            raise FileError(f"{target.path} is a file, not a folder", hint=_KINDS)
        hint = "Mount it, and name the folder that it is mounted on."
        raise FileError(f"{target.path} is a device, not a folder", hint=hint)
    real = os.path.realpath(target.path)
    if os.path.lexists(f"{real}/{_LEDGER}") or f"{real}/".startswith(f"{os.path.realpath(spool)}/"):
        raise FileError(f"{target.path} is a spool: nothing is exported into it", hint="Name another folder.")
    if target.kind == IMAGE:
        carrier.image_program(profile)
    if target.kind != FOLDER and os.path.lexists(target.path):
        raise FileError(f"{target.path} already exists", hint="Choose another name, or remove it first.")
    above = target.path if target.kind == FOLDER else os.path.dirname(real)
    if target.kind != FOLDER and not os.path.isdir(above):
        raise FileError(f"{target.path}: there is no folder {above}", hint="Make it first, or correct the path.")


def remarks(target: Target, profile: Profile) -> list[str]:
    """What of the claim the target cannot keep (PS3.11, PS3.12)."""
    if not profile.section:
        return []
    if target.kind == IMAGE:
        if profile.medium == BD:
            return [_UDF.format(profile.name)]
        fits = profile.medium in (CD, DVD)
    else:
        fits = (profile.medium == ZIP) == (target.kind == ARCHIVE)
    return [] if fits else [f"{profile.name} is for {profile.medium} and not for {target.path}"]


def strange(path: str) -> list[str]:
    """What is to be said of a folder that will be made under a name that looks like that of a file."""
    suffix = os.path.splitext(path)[1]
    if not suffix[1:].isalnum() or suffix.lower() in _SUFFIXES or os.path.lexists(path):
        return []
    return [f"{path} will be a folder: no file of the kind {suffix} is made"]


def file_limit(target: Target) -> int:
    """The largest file that such a target takes; 0: any."""
    if target.kind == IMAGE:
        return FAT_FILE_BYTES
    if target.kind == FOLDER and os.path.isdir(target.path):
        kind = volume.look(target.path).kind
        return FAT_FILE_BYTES if kind in ("vfat", "msdos") else 0
    return 0


def room_needed(target: Target, pieces: Rows[Piece], shelf: Shelf) -> int:
    """Bytes that a medium must have free: what it has already is not written again; an image is made of a whole set."""
    if target.kind != FOLDER or target.keys is not None:
        return volume_bytes(pieces) * (2 if target.keys is None else 1)
    if not os.path.isdir(target.path):  # it will be made
        return volume_bytes(pieces)
    there = sizes_of(target.path, shelf)
    new = (piece for piece in pieces if not _is_there(piece, there.find(piece.holding.sop_instance_uid)))
    left = sum(sizes_below(target.path, SetWriter(target.path).leftovers()))
    return max(0, volume_bytes(new) - left)


def stage_needed(target: Target, pieces: Rows[Piece]) -> int:
    """Bytes that the spool must have free for what is encrypted: the set, one file wrapped, all of them for a file."""
    if target.keys is None or not len(pieces):
        return 0
    largest = max(piece.decision.bytes for piece in pieces)
    return volume_bytes(pieces) * (1 if target.kind == FOLDER else 2) + largest


def _is_there(piece: Piece, found: tuple[str, int] | None) -> bool:
    """Whether a file of such a size may be what would be written; ``export`` compares."""
    return found is not None and (found[1] == piece.holding.size if piece.as_is else bool(piece.copies))


def sizes_below(root: str, names: Iterable[str]) -> Iterator[int]:
    """The sizes of those files that are there."""
    return (os.lstat(path).st_size for name in names if os.path.lexists(path := f"{root}/{name}"))


def make_folder(path: str) -> None:
    """The folder of a set where it does not exist; its parent does."""
    if not os.path.isdir(path):
        Medium(os.path.dirname(os.path.abspath(path))).make_folder(os.path.abspath(path), 0o777)


def carry(
    request: Request, target: Target, watch: Watch, *, remount: bool = False, ops: Ops | None = None, spool: str = "",
    shelf: Shelf | None = None,
) -> Made:  # fmt: skip
    """Make one medium and prove it.

    Args:
        request: What goes on it.
        target: A folder that exists, or a file that does not.
        watch: Called with the step, how far it is, and of how much.
        remount: Unmount the volume of a folder, mount it read-only to read back, and leave it unmounted.
        ops: The seam.
        spool: Where the clear set of encrypted media lies meanwhile; empty: where temporary files go (TMPDIR).
        shelf: Where the lists lie, those of what is made, too.

    Raises:
        NotSafe: What was written could not be proven.
    """
    shelf = shelf or Shelf()
    if target.kind == FOLDER and target.keys is None:
        return _direct(request, target.path, watch, shelf, remount=remount, ops=ops)
    swept = sweep(os.path.dirname(os.path.abspath(target.path))) if target.kind != FOLDER else []
    with _own_folder(target, spool) as folder:
        outcome = export(request, folder, Media(), watch, shelf)
        outcome.notes.extend(f"{name} is removed: an export that was killed had left it" for name in swept)
        files, source = outcome.files, folder
        try:
            if target.keys is not None:
                secure = target.path if target.kind == FOLDER else f"{folder}.SEC"
                if target.kind != FOLDER:
                    os.mkdir(secure, 0o700)
                files = carrier.encrypted(files, folder, secure, target.keys, ops, proven=target.kind != FOLDER)
                outcome = outcome._replace(exported=_wrapped(outcome, files, shelf))
                source = secure
            if target.kind == IMAGE:
                carrier.image(files, source, target.path, outcome.label, request.profile, ops)
            elif target.kind == ARCHIVE:
                carrier.archive(files, source, target.path, ops)
        except SpoolError as error:
            raise NotSafe(f"{error}: {target.path} is NOT complete") from error
    return Made(target.path, sum(one.size for one in files), outcome._replace(files=files), unmounted=False)


def _direct(request: Request, path: str, watch: Watch, shelf: Shelf, *, remount: bool, ops: Ops | None) -> Made:
    found = volume.look(path)
    media = Media(
        ops, _remounting(found, path) if remount else None, partial(forget, found) if found.is_fused else None
    )
    outcome = export(request, path, media, watch, shelf)
    if not outcome.uncached:
        raise NotSafe(
            f"{path}: what was read back came from memory, which proves nothing: the medium is NOT safe to remove",
            hint="Unmount it, mount it again, and look with 'modality-agent media check'; or export as root with "
            "'--unmount'.",
        )
    if remount:
        try:
            volume.unmount(found)
        except SpoolError as error:
            raise NotSafe(f"everything is on {path}, but it is still mounted: {error}") from error
    return Made(path, sum(one.size for one in outcome.files), outcome, unmounted=remount)


def _remounting(found: Volume, path: str, run: Run | None = None) -> Callable[[], None]:
    """Unmount and mount read-only, so that nothing in memory can answer for the medium."""
    if os.path.realpath(path) != os.path.realpath(found.point):
        raise UsageError(f"{path} is not where a volume is mounted ({found.point} is)", hint="Leave '--unmount' out.")

    def remount() -> None:
        volume.unmount(found, run)
        volume.mount_again(found, run, read_only=True)

    return remount


def _wrapped(outcome: Outcome, files: Rows[Written], shelf: Shelf) -> Rows[Exported]:
    """The receipts name the files as they are on the medium."""
    rows = shelf.rows(Exported._make, key=lambda one: one.sop_instance_uid)
    for row in outcome.exported:
        found = files.find(file_id.path_of(row.file_id))
        if found is None:
            raise NotSafe(f"{row.file_id} was not encrypted")
        rows.append(row._replace(sha256=found.sha256))
    return rows


@contextmanager
def _own_folder(target: Target, spool: str) -> Iterator[str]:
    """A folder for the set in clear: beside a file that will have it in clear, too; else in the spool."""
    if target.keys is not None and spool:
        with staged(spool) as stage:
            folder = f"{stage}/SET"
            os.mkdir(folder, 0o700)
            yield folder
        return
    beside = os.path.dirname(os.path.abspath(target.path)) if target.keys is None else None
    with folder_in(beside) as folder:
        yield folder
