"""What a program that is the first of a small Linux asks of its kernel: modules, mounts, loops, device mapper.

Everything is a system call from Python, because starting a program in user-mode Linux costs more than looking at a
disk. Needs root there, which the first program has, whoever started the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

SCRATCH: Final = "/boot"  # every Debian has it, and no checkout or temporary file of the host is below it
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_FINIT_MODULE: Final = 313  # x86-64, which is the only one that Debian has this kernel for
_POWER_OFF: Final = 0x4321FEDC
_RDONLY: Final = 1
_LAZY: Final = 2  # MNT_DETACH
_LOOP_SET_FD, _LOOP_CLR_FD, _LOOP_FREE = 0x4C00, 0x4C01, 0x4C82
_LOOP_CONTROL: Final = "/dev/loop-control"
_TURNS: Final = 100
_DROP: Final = "/proc/sys/vm/drop_caches"

_DM_HEAD: Final = struct.Struct("=3I I I I i I I I Q 128s 129s 7s")
_DM_TARGET: Final = struct.Struct("=QQiI16s")
_DM_BYTES: Final = 16384
_CREATE, _REMOVE, _SUSPEND, _LOAD, _MESSAGE = 3, 4, 6, 9, 14
_SUSPENDED, _NO_LOCK, _NO_FLUSH = 1 << 1, 1 << 10, 1 << 11


def begin() -> None:
    """Mount what every program expects; ``SCRATCH`` is memory."""
    for kind, where in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", SCRATCH)):
        mount(kind, where, kind)
    os.environ["TMPDIR"] = SCRATCH


def power_off() -> None:
    """The end."""
    os.sync()
    _LIBC.reboot(_POWER_OFF)


def load_modules(*names: str) -> None:
    """Load modules with those that they need."""
    base = Path("/usr/lib/uml/modules") / os.uname().release
    needs = {}
    for line in (base / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[Path(path).stem.replace("-", "_")] = [path, *rest.split()]
    loaded = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    for name in names:
        for path in reversed(needs[name.replace("-", "_")]):
            module = Path(path).stem.replace("-", "_")
            if module not in loaded:
                fd = os.open(base / path, os.O_RDONLY)
                _check(_LIBC.syscall(_FINIT_MODULE, fd, b"", 0), path)
                os.close(fd)
                loaded.add(module)


def mount(source: str, where: str, kind: str, data: str = "", *, read_only: bool = False) -> None:
    """mount(2)."""
    flags = _RDONLY if read_only else 0
    words = (source.encode(), where.encode(), kind.encode())
    _check(_LIBC.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {source} {where}")


def unmount(where: str, *, lazy: bool = False) -> None:
    """umount2(2)."""
    _check(_LIBC.umount2(where.encode(), _LAZY if lazy else 0), f"umount {where}")


def forget() -> None:
    """Let nothing be in memory that is on a medium."""
    with open(_DROP, "w", encoding="ascii") as file:
        file.write("3")


class Loop:
    """A block device over a file."""

    def __init__(self, path: str) -> None:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            for _turn in range(_TURNS):
                if self._take(file):
                    return
        finally:
            os.close(file)
        raise OSError(errno.EBUSY, "no loop device is free")

    def _take(self, file: int) -> bool:
        with open(_LOOP_CONTROL, "rb") as control:
            number = fcntl.ioctl(control, _LOOP_FREE)
        self.device = f"/dev/loop{number}"
        self._fd = os.open(self.device, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._fd, _LOOP_SET_FD, file)
        except OSError as error:
            os.close(self._fd)
            if error.errno == errno.EBUSY:  # another process was quicker
                return False
            raise
        return True

    def close(self) -> None:
        """Let go of the file."""
        fcntl.ioctl(self._fd, _LOOP_CLR_FD)
        os.close(self._fd)


class Mapped:
    """A device of the device mapper with one target."""

    def __init__(self, name: str, sectors: int, target: str) -> None:
        self.name, self.sectors = name, sectors
        self._control = os.open("/dev/mapper/control", os.O_RDWR | os.O_CLOEXEC)
        number = self._call(_CREATE)[10]
        self.device = f"/dev/dm-{os.minor(number)}"
        self.load(target)

    def load(self, target: str, *, at_once: bool = False) -> None:
        """Put another target in the place of the one there; ``at_once``: what is under way fails."""
        kind, _, words = target.partition(" ")
        text = words.encode() + b"\0"
        text += bytes(-len(text) % 8)
        spec = _DM_TARGET.pack(0, self.sectors, 0, _DM_TARGET.size + len(text), kind.encode())
        self._call(_LOAD, spec + text, targets=1)
        if at_once:
            self._call(_SUSPEND, flags=_SUSPENDED | _NO_LOCK | _NO_FLUSH)
        self._call(_SUSPEND)

    def message(self, text: str) -> None:
        """Tell the target something; no spaces but between its words."""
        self._call(_MESSAGE, struct.pack("=Q", 0) + text.encode() + b"\0")

    def close(self) -> None:
        """Remove it."""
        self._call(_REMOVE)
        os.close(self._control)

    def _call(self, number: int, payload: bytes = b"", *, targets: int = 0, flags: int = 0) -> tuple[int, ...]:
        head = _DM_HEAD.pack(
            4, 0, 0, _DM_BYTES, _DM_HEAD.size, targets, 0, flags, 0, 0, 0, self.name.encode(), b"", b""
        )
        buffer = bytearray(head + payload + bytes(_DM_BYTES - len(head) - len(payload)))
        fcntl.ioctl(self._control, 0xC0000000 | _DM_HEAD.size << 16 | 0xFD << 8 | number, buffer)
        return _DM_HEAD.unpack_from(buffer)


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
