"""Boots Debian's own kernel in QEMU, in software, with the folder of this machine as its root, read-only; its first
program is ``inside.py``, which says lines of JSON on the serial line.

The kernel is the package of this distribution, unpacked and not installed: ``apt-get download`` of the one package that
``linux-image-amd64`` depends on.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

QEMU: Final = "qemu-system-x86_64"
INSTALL: Final = "sudo apt-get update && sudo apt-get install -y --no-install-recommends qemu-system-x86 busybox-static"
MARK: Final = '{"vivid": '
ROOT: Final = Path(__file__).resolve().parents[3]
_TESTS: Final = ROOT / "tests"
_BOOT_MODULES: Final = ("virtio_pci", "9pnet_virtio", "9p")
_INIT: Final = """#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
for module in {modules}; do /bin/busybox insmod /$module; done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro root /system
for kind in proc sysfs:sys devtmpfs:dev tmpfs:tmp tmpfs:run; do
    /bin/busybox mount -t ${{kind%%:*}} none /system/${{kind##*:}}
done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /system/mnt
PYTHONDONTWRITEBYTECODE=1 HOME=/tmp PATH=/usr/bin:/bin /bin/busybox chroot /system {python} {inside} /mnt/order.json
/bin/busybox poweroff -f
"""


def lacking() -> str:
    """What is missing, as a sentence with what to type; empty when nothing is."""
    missing = [name for name in (QEMU, "busybox", "apt-get", "dpkg-deb") if shutil.which(name) is None]
    return f"{', '.join(missing)} not found; to have it, type: {INSTALL}" if missing else ""


def kernel(folder: Path) -> Path:
    """Unpack the kernel package into ``folder``, once; where."""
    unpacked = folder / "kernel"
    if not (unpacked / "lib/modules").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        said = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=True)
        found = re.search(r"Depends: (linux-image-\S+)", said.stdout)
        if found is None:
            raise SystemExit("apt-cache knows no linux-image-amd64: sudo apt-get update")
        subprocess.run(["apt-get", "download", found[1]], cwd=folder, check=True, capture_output=True)
        (package,) = folder.glob(f"{found[1]}_*.deb")
        subprocess.run(["dpkg-deb", "-x", str(package), str(unpacked)], check=True)
        package.unlink()
    return unpacked


def modules(unpacked: Path, wanted: tuple[str, ...]) -> list[Path]:
    """The files of modules and of all that they depend on, in the order to load them."""
    files = {path.stem.replace("-", "_"): path for path in unpacked.rglob("*.ko")}
    order: list[Path] = []

    def add(name: str) -> None:
        path = files[name.replace("-", "_")]
        said = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for other in said[1].decode().split(",") if said is not None and said[1] else ():
            add(other)
        if path not in order:
            order.append(path)

    for name in wanted:
        add(name)
    return order


def _archive(path: Path, files: list[tuple[str, bytes, int]]) -> None:
    """A cpio archive (newc), as the kernel wants its first root file system."""
    with path.open("wb") as out:
        for number, (name, data, mode) in enumerate([*files, ("TRAILER!!!", b"", 0)], 1):
            numbers = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
            head = b"070701" + b"".join(b"%08X" % value for value in numbers) + name.encode() + b"\0"
            for part in (head, data):
                out.write(part + bytes(-len(part) % 4))


def boot(order: dict[str, Any], folder: Path, *, seconds: float = 900) -> Iterator[dict[str, Any]]:
    """Run an order; yields what is said. ``folder``/share is /mnt there."""
    unpacked = kernel(folder)
    share = folder / "share"
    share.mkdir(exist_ok=True)
    more = {"modules": [str(path) for path in modules(unpacked, ("vivid",))], "path": [str(_TESTS), *sys.path]}
    (share / "order.json").write_text(json.dumps({**order, **more}))
    first = modules(unpacked, _BOOT_MODULES)
    init = _INIT.format(modules=" ".join(path.name for path in first), python=sys.executable,
                        inside=Path(__file__).with_name("inside.py"))  # fmt: skip
    busybox = shutil.which("busybox")
    assert busybox is not None
    folders = [(name, b"", stat.S_IFDIR | 0o755) for name in ("bin", "proc", "system", "dev")]
    programs = [("bin/busybox", Path(busybox).read_bytes()), ("init", init.encode())]
    programs += [(path.name, path.read_bytes()) for path in first]
    _archive(folder / "initrd", [*folders, *((name, data, stat.S_IFREG | 0o755) for name, data in programs)])
    (image,) = (unpacked / "boot").glob("vmlinuz-*")
    words = [
        "timeout", str(seconds), QEMU, "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "1024",
        "-M", "q35", "-nographic", "-no-reboot", "-monitor", "none", "-serial", "stdio", "-nic", "none",
        "-kernel", str(image), "-initrd", str(folder / "initrd"),
        "-append", "console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off no_timer_check",
        "-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap",
        "-virtfs", f"local,path={share},mount_tag=share,security_model=none",
    ]  # fmt: skip
    yield from _heard(words)


def _heard(words: list[str]) -> Iterator[dict[str, Any]]:
    noise: list[str] = []
    ended = False
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                at = line.find(MARK)
                if at < 0:
                    noise.append(line)
                    continue
                answer = json.loads(line[at:])["vivid"]
                ended = "end" in answer
                yield answer
        finally:
            process.terminate()
    if not ended:
        raise SystemExit(f"the machine ended before its work did:\n{''.join(noise[-40:])}")
