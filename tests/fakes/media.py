"""A local medium that can fill up and die: ext4 in a file, mounted through a loop device (root only).

``die`` asks the kernel to shut the file system down without writing its journal: from then on every call fails with an
I/O error and what was not synced is gone, which is what a power cut leaves behind. ``revive`` unmounts, mounts and
lets the journal be replayed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_SHUTDOWN: Final = 0x8004587D  # EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32)
_NO_LOG_FLUSH: Final = (2).to_bytes(4, "little")  # EXT4_GOING_FLAGS_NOLOGFLUSH
_UNMOUNT_S: Final = 10.0


def may_mount() -> bool:
    """Tell whether this user can have a loop mount of its own (root outside a restricted container)."""
    return os.geteuid() == 0 and os.path.exists("/dev/loop-control")


class LoopMedium:
    """One ext4 file system of ``mib`` MiB at ``folder``."""

    def __init__(self, image: Path, folder: Path, mib: int) -> None:
        self.folder = folder
        self._image = image
        self._filler = folder / "filler"
        with image.open("wb") as file:
            file.truncate(mib << 20)
        self._run("mkfs.ext4", "-q", "-F", str(image))
        folder.mkdir(parents=True, exist_ok=True)
        self._mount()

    def fill(self, leave_bytes: int) -> None:
        """Take all the room but so much."""
        with self._filler.open("wb") as file:
            room = os.statvfs(self.folder)
            os.posix_fallocate(file.fileno(), 0, max(4096, room.f_bavail * room.f_frsize - leave_bytes))

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    def die(self) -> None:
        """Cut the power of the medium."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(descriptor)

    def revive(self) -> None:
        """Give it back; whoever had files open on it must have ended."""
        self._unmount()
        self._mount()

    def pull(self) -> None:
        """Take it out although files are open on it: its place is empty, and what is open there is dead."""
        self._run("umount", "-l", str(self.folder))

    def spoil(self) -> None:
        """Let the file system find an error in itself: it is read-only until it is mounted anew."""
        device = os.path.basename(self._said("findmnt", "-no", "SOURCE", str(self.folder)).strip())
        with open(f"/sys/fs/ext4/{device}/trigger_fs_error", "w", encoding="ascii") as file:
            file.write("a test")

    def put_in(self) -> None:
        """Put a medium that was pulled in again; the kernel takes it for a new one."""
        self._mount()

    def close(self) -> None:
        self._unmount()
        with contextlib.suppress(OSError):
            self._image.unlink()

    def _mount(self) -> None:
        self._run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.folder))

    def _unmount(self) -> None:
        deadline = time.monotonic() + _UNMOUNT_S
        while subprocess.run(["umount", str(self.folder)], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise OSError(f"{self.folder} is still in use")
            time.sleep(0.05)

    @staticmethod
    def _said(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, timeout=60, text=True).stdout

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
