"""The volume that an export goes to: what it is, whether it was closed properly, and unmounting it.

A FAT volume that was pulled without being unmounted may have lost clusters and broken chains; writing on makes that
worse. It is refused, or, where the operator allows it and we may, unmounted, repaired (``fsck.vfat -a``) and mounted
again. Without the right to read the device, the kernel's log is asked; without that, too, it is said that nobody knows.

Where a process is the file system (FUSE, as exFAT and NTFS without a driver in the kernel), what is read past the cache
of the kernel still comes from that of the process, which reads its device as everybody does: ``forget`` lets the kernel
drop what it has of the device.

Raises ``MediaError``.
"""

from __future__ import annotations

import errno
import fcntl
import os

from agent.errors import MediaError
from agent.exchange.fat import marks
from agent.spool import mount
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Run = Callable[[Sequence[str]], int]

FUSE: Final = "fuseblk"  # whatever it is: the kernel says no more
# What stands at byte 3 of the device, and what mount(8) calls it: the name of its helper.
_FUSED: Final = {b"EXFAT   ": "exfat-fuse", b"NTFS    ": "ntfs-3g"}
_FUSE_KINDS: Final = frozenset({FUSE, *_FUSED.values()})
_FUSE_OPTIONS: Final = ("user_id=", "group_id=", "default_permissions", "allow_other", "blksize=", "max_read=")
FAT_KINDS: Final = frozenset({"vfat", "msdos", "exfat", "exfat-fuse", FUSE})
_FSCK: Final = {"exfat": "fsck.exfat", "exfat-fuse": "fsck.exfat", "vfat": "fsck.vfat", "msdos": "fsck.vfat"}
_BLKFLSBUF: Final = 0x1261
_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_RUNS: Final = 4
KMSG: Final = "/dev/kmsg"
_KMSG_RECORD_BYTES: Final = 8192
# A stick of 32 GB at 20 MB/s is checked in seconds; a sick one may take minutes.
_COMMAND_S: Final = 600
# PS3.12 Annexes A and R know FAT only.
_OUTSIDE: Final = "{kind} is outside PS3.12: a workstation may not read it, and no profile for such media is kept"


class Volume(NamedTuple):
    """What holds a folder."""

    point: str
    kind: str  # of the file system; empty: nobody can tell
    device: str
    options: tuple[str, ...] = ()

    @property
    def is_fat(self) -> bool:
        """Whether it may carry a dirty mark."""
        return self.kind in FAT_KINDS

    @property
    def is_fused(self) -> bool:
        """Whether a process is the file system."""
        return self.kind in _FUSE_KINDS


def look(folder: str, *, mountinfo: str = mount.MOUNTINFO) -> Volume:
    """What is mounted there; refuses what cannot be written to."""
    found = mount.of(folder, mountinfo=mountinfo)
    if found is None:
        return Volume(folder, "", "")
    if "ro" in found.options:
        raise MediaError(f"{found.point} is mounted read-only", hint="Is a lock switch set? Else check the medium.")
    kind = found.kind if found.kind != FUSE else _fused(found.source)
    options = tuple(sorted(one for one in found.options if kind == found.kind or not one.startswith(_FUSE_OPTIONS)))
    return Volume(found.point, kind, found.source, options)


def _fused(device: str) -> str:
    """What such a file system is, where its device may be read."""
    try:
        fd = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return FUSE
    try:
        return _FUSED.get(os.pread(fd, 8, 3), FUSE)
    except OSError:
        return FUSE
    finally:
        os.close(fd)


def forget(volume: Volume) -> bool:
    """Let nothing of the device be in memory; whether that could be done (root may)."""
    try:
        fd = os.open(volume.device, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.ioctl(fd, _BLKFLSBUF, 0)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def remarks(volume: Volume, *, claimed: bool) -> list[str]:
    """What is to be said about such a volume as an export medium; ``claimed``: a profile is."""
    if volume.kind in _MEMORY:
        return [f"{volume.point} is memory ({volume.kind}): nothing of it is left after a restart"]
    if claimed and (volume.is_fused or volume.kind in ("exfat", "ntfs3")):
        return [_OUTSIDE.format(kind=volume.kind)]
    return []


def require_closed(volume: Volume, *, kmsg: str = KMSG) -> list[str]:
    """Refuse a volume that was not closed; gives what nobody could tell, for the report."""
    if not volume.is_fat:
        return []
    hint = f"Unmount it, run 'fsck.vfat -a {volume.device}', mount it again; '--repair' does this as root."
    told = [_device_says(volume), _log_says(volume, kmsg)]
    if True in told:
        raise MediaError(f"{volume.device} ({volume.point}) was taken away without being unmounted", hint=hint)
    if told == [None, None]:
        return [f"whether {volume.device} was unmounted the last time is unknown: its device may not be read"]
    return []


def repair(volume: Volume, run: Run | None = None) -> list[str]:
    """Unmount, check, repair where it is dirty, mount again; gives what was done."""
    run = run or run_command
    if not volume.is_fat:
        return []
    unmount(volume, run)
    done = []
    try:
        if _marked(volume.device, mounted=False):
            program = _FSCK.get(volume.kind, "fsck.vfat")
            # 1: repaired (fsck.fat(8)), which may leave something that only the next run sees.
            status = next((status for _ in range(_RUNS) if (status := run((program, "-a", volume.device))) != 1), 1)
            if status or _marked(volume.device, mounted=False):
                raise MediaError(f"{program} could not repair {volume.device}", hint="Use another medium.")
            done = [f"{volume.device} had not been unmounted the last time: repaired with {program}"]
    finally:
        mount_again(volume, run)
    return done


def unmount(volume: Volume, run: Run | None = None) -> None:
    """Unmount it; whoever uses it must have ended."""
    run = run or run_command
    if run(("umount", volume.point)):
        raise MediaError(f"{volume.point} cannot be unmounted", hint="Another program may use it; root may do it.")


def mount_again(volume: Volume, run: Run | None = None, *, read_only: bool = False) -> None:
    """Mount it where and as it was, or read-only."""
    run = run or run_command
    options = [option for option in volume.options if option not in ("rw", "ro")]
    words = ",".join(["ro" if read_only else "rw", *options])
    if run(("mount", "-t", volume.kind, "-o", words, volume.device, volume.point)):
        raise MediaError(f"{volume.device} cannot be mounted at {volume.point} again", hint="Mount it by hand.")


def run_command(words: Sequence[str]) -> int:
    """Run a command of the system; its exit status, 127 where there is none."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603  fixed commands, no shell; paths are those that the kernel told
            words, capture_output=True, timeout=_COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 127
    return done.returncode


def _device_says(volume: Volume) -> bool | None:
    try:
        return _marked(volume.device, mounted=True)
    except MediaError:
        return None


def _marked(device: str, *, mounted: bool) -> bool:
    try:
        fd = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise MediaError(f"read {device}: {error.strerror}") from error
    try:
        return marks(lambda length, offset: os.pread(fd, length, offset), mounted=mounted).dirty
    except OSError as error:
        raise MediaError(f"read {device}: {error.strerror}") from error
    finally:
        os.close(fd)


def _log_says(volume: Volume, path: str) -> bool | None:
    """What the kernel said when it mounted the volume; None where its log may not be read."""
    name = os.path.basename(volume.device)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    found = False
    try:
        while record := _record(fd):
            if f"({name}): Volume was not properly unmounted" in record:
                found = True
            elif f"[{name.rstrip('0123456789')}] Attached" in record:
                found = False  # plugged in again since
    finally:
        os.close(fd)
    return found


def _record(fd: int) -> str:
    """The next record of the log; empty at its end."""
    while True:
        try:
            return os.read(fd, _KMSG_RECORD_BYTES).decode("utf-8", "replace")
        except OSError as error:
            if error.errno == errno.EPIPE:  # overwritten meanwhile: go on with the next
                continue
            return ""
