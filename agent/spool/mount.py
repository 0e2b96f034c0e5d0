"""What the spool demands of the file system it stands on, read from ``/proc/self/mountinfo`` (proc(5)).

A spool on ext4 keeps its promises only where a flush is a flush and data reach the disk before the metadata that name
them. Mounted ``nobarrier`` (``barrier=0``) a power cut can leave the file system unmountable; with ``data=writeback`` a
synced rename may show old blocks. Neither can be repaired from above, so such a mount is refused, with the reason.

Nor may it stand where no order can be relied on at all: FAT and its kin write names and data as they like, network and
shared folders answer for a server that nobody asked, and a medium that is read-only by nature keeps nothing. They are
media to export to.

A site that keeps its spool on a card names the mount point (``require_mount``): a card that is not there then is a
``MediaError`` and not an empty folder that fills the root file system.
"""

from __future__ import annotations

import os
import re
import stat

from agent.errors import MediaError
from agent.spool.names import INSTANCES, QUARANTINE, folder_path, folders
from agent.typed import NamedTuple

MOUNTINFO = "/proc/self/mountinfo"

REFUSED_OPTIONS = {
    "nobarrier": "flushes are switched off, a power cut can destroy the file system",
    "barrier=0": "flushes are switched off, a power cut can destroy the file system",
    "data=writeback": "a file may hold old blocks after a power cut",
    "volatile": "the overlay ignores every fsync",
}

# Where one syncfs(2) writes everything, waits for it and flushes the device. vfat does not flush; of others nothing is
# known, and there every file is synced by itself.
WHOLE_KINDS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs"})
WHOLE_SINCE = (5, 8)  # before this Linux syncfs did not say that something could not be written
_FAT = "it keeps no order between a file's data, its name and its size, so that a power cut takes what was promised"
_AFAR = "what is synced there is somebody else's word"
_FIXED = "it cannot be written"
# By what mountinfo calls it; "fuse.NAME" counts as NAME.
REFUSED_KINDS = {
    **dict.fromkeys(("vfat", "msdos", "fat", "exfat", "ntfs", "ntfs3", "ntfs-3g", "fuseblk", "hfs", "hfsplus"), _FAT),
    **dict.fromkeys(
        ("9p", "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "afs", "vboxsf", "virtiofs", "sshfs"), _AFAR
    ),
    **dict.fromkeys(("iso9660", "udf", "squashfs", "cramfs", "erofs", "romfs"), _FIXED),
}


_ONE = "A spool is one file system: put all of {root} there, without links and mounts in it."


class Mount(NamedTuple):
    """One line of mountinfo."""

    point: str
    kind: str
    options: frozenset[str]  # of the mount and of the file system together
    source: str = ""  # the device, or what the file system calls its own


def parse(text: str) -> list[Mount]:
    """Read mountinfo text; lines that are not of its form are skipped."""
    mounts = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        head, tail = left.split(" "), right.split(" ")
        if len(head) >= 6 and len(tail) >= 3:
            options = frozenset(head[5].split(",")) | frozenset(tail[2].split(","))
            mounts.append(Mount(_unescape(head[4]), tail[0], options, _unescape(tail[1])))
    return mounts


def find(path: str, mounts: list[Mount]) -> Mount | None:
    """Return the mount that holds ``path`` (absolute, no symbolic links): the last of the longest matching points."""
    best: Mount | None = None
    for mount in mounts:
        inside = path == mount.point or path.startswith(mount.point.rstrip("/") + "/")
        if inside and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def check(root: str, require_mount: str | None = None, *, mountinfo: str = MOUNTINFO) -> Mount | None:
    """Refuse a root that is missing, read-only, not on the demanded medium or mounted in a way that loses images.

    Returns the mount, or None where mountinfo cannot be read. Raises ``MediaError``.
    """
    mounts = _read(mountinfo)
    if require_mount is not None and mounts is not None:
        point = os.path.realpath(require_mount)
        if not any(mount.point == point for mount in mounts):
            raise MediaError(f"no medium is mounted at {require_mount}", hint="Insert or mount the medium, then retry.")
        if not (os.path.realpath(root) + "/").startswith(point.rstrip("/") + "/"):
            raise MediaError(f"spool {root} is not on the medium {require_mount}", hint="Correct the spool folder.")
    if not os.path.isdir(root):
        raise MediaError(f"spool folder {root} does not exist", hint="Create the folder, or mount its medium.")
    found = find(os.path.realpath(root), mounts) if mounts is not None else None
    if found is not None:
        _check_options(root, found)
    inside = tuple(f"{os.path.realpath(root)}/{name}" for name in (INSTANCES, QUARANTINE))
    for mount in mounts or ():
        if mount.point.startswith(inside):  # also one of the same file system: no rename goes over it
            raise MediaError(f"something is mounted in the spool, at {mount.point}", hint=_ONE.format(root=root))
    if not os.access(root, os.W_OK | os.X_OK):
        raise MediaError(f"spool folder {root} is not writable", hint="Check owner, mode and mount options.")
    return found


def check_folders(root: str) -> None:
    """Refuse a spool one of whose folders is somewhere else; raises ``MediaError``."""
    for path in (f"{root}/{INSTANCES}", f"{root}/{QUARANTINE}"):
        check_folder(root, path)
        if not os.path.isdir(path):
            raise MediaError(f"{path} is not a folder", hint="Move away what is there, then retry.")
    for number in folders(root):
        check_folder(root, folder_path(root, number))


def check_folder(root: str, path: str) -> None:
    """Refuse a folder that is a symbolic link or on another file system than ``root``; raises ``MediaError``.

    What is made durable, and where room is kept, is asked of ``root`` for everything in it; a rename goes no further.
    """
    try:
        found = os.lstat(path)
        whole = os.stat(root)
    except OSError as error:
        raise MediaError(f"look at {path}: {error.strerror}") from error
    hint = _ONE.format(root=root)
    if stat.S_ISLNK(found.st_mode):
        raise MediaError(f"{path} is a symbolic link, so that its images would not be where the spool is", hint=hint)
    if stat.S_ISDIR(found.st_mode) and found.st_dev != whole.st_dev:
        raise MediaError(f"{path} is on another file system than the spool {root}", hint=hint)


def syncs_whole(found: Mount | None) -> bool:
    """Whether one flush may stand for many files on this mount."""
    numbers = re.match(r"(\d+)\.(\d+)", os.uname().release)
    recent = numbers is not None and (int(numbers[1]), int(numbers[2])) >= WHOLE_SINCE
    return recent and found is not None and found.kind in WHOLE_KINDS


def _check_options(root: str, found: Mount) -> None:
    if "ro" in found.options:
        raise MediaError(f"spool folder {root} is on a read-only file system ({found.point})")
    reason = REFUSED_KINDS.get(found.kind.removeprefix("fuse."))
    if reason is not None:
        text = f"spool folder {root} is on {found.kind} ({found.point}): {reason}"
        raise MediaError(text, hint="Put the spool on ext4; other media are for export.")
    for option, reason in REFUSED_OPTIONS.items():
        if option in found.options:
            text = f"spool folder {root} is on {found.kind} mounted with {option} ({found.point}): {reason}"
            raise MediaError(text, hint=f"Mount {found.point} without {option}.")


def of(path: str, *, mountinfo: str = MOUNTINFO) -> Mount | None:
    """Return the mount that holds ``path``; None where mountinfo cannot be read."""
    mounts = _read(mountinfo)
    return None if mounts is None else find(os.path.realpath(path), mounts)


def _read(path: str) -> list[Mount] | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return parse(file.read())
    except OSError:
        return None


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
