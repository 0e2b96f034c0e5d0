"""An export onto a real volume: unmounted and mounted again by itself, and shut down by the kernel in its middle."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes import exports
from fakes.media import LoopMedium, may_mount
from fakes.peers import need

from agent.dataset import uid
from agent.errors import NotSafe
from agent.exchange.carry import carry, target_of
from agent.exchange.export import Request
from agent.exchange.volume import look
from agent.media.profile import PROFILES
from agent.spool.ops import Ops

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(not may_mount(), reason="needs root and loop devices"),
]
KINDS = (("us", uid.RLE_LOSSLESS), ("sc", uid.EXPLICIT_VR_LE))


@pytest.fixture
def medium(tmp_path: Path) -> Iterator[LoopMedium]:
    made = LoopMedium(tmp_path / "image", tmp_path / "stick", 16)
    yield made
    if os.path.ismount(made.folder):
        made.close()


def request(tmp_path: Path) -> Request:
    root = tmp_path / "spool"
    if not root.exists():
        exports.filled(tmp_path, KINDS)
    profile = PROFILES["STD-GEN-USB-JPEG"]
    return Request(exports.pieces(root), profile, "TEST")


class Dying(Ops):
    """The kernel shuts the medium down before the Nth step."""

    __slots__ = ("left", "medium")

    def __init__(self, medium: LoopMedium, at: int) -> None:
        self.medium, self.left = medium, at

    def step(self, call: str, path: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.medium.die()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[str]:
    """A block device with ext4, which stays when it is unmounted, as a stick does."""
    image = tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, capture_output=True)
    shown = subprocess.run(["losetup", "-f", "--show", str(image)], check=True, capture_output=True, text=True)
    yield shown.stdout.strip()
    subprocess.run(["losetup", "-d", shown.stdout.strip()], check=True)


def test_it_unmounts_reads_back_and_leaves_it_so(tmp_path: Path, device: str) -> None:
    point = tmp_path / "point"
    point.mkdir()
    subprocess.run(["mount", device, str(point)], check=True)
    made = carry(request(tmp_path), target_of(str(point), None), lambda *_: None, remount=True)
    assert made.unmounted
    assert not os.path.ismount(point)
    assert list(point.iterdir()) == []
    subprocess.run(["mount", "-o", "ro", device, str(point)], check=True)
    try:
        directory = pydicom.dcmread(point / "DICOMDIR")
    finally:
        subprocess.run(["umount", str(point)], check=True)
    assert sum(row.DirectoryRecordType == "IMAGE" for row in directory.DirectoryRecordSequence) == len(KINDS)


@pytest.fixture
def exfat(tmp_path: Path) -> Iterator[str]:
    """A block device with exFAT, mounted at ``point`` by the kernel or, where it cannot, by exfat-fuse."""
    for name in ("mkfs.exfat", "fsck.exfat", "mount.exfat-fuse"):
        need(name)
    image, point = tmp_path / "disk", tmp_path / "point"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run([need("mkfs.exfat"), str(image)], check=True, capture_output=True)
    shown = subprocess.run(["losetup", "-f", "--show", str(image)], check=True, capture_output=True, text=True)
    yield shown.stdout.strip()
    if os.path.ismount(point):
        subprocess.run(["umount", str(point)], check=True)
    subprocess.run(["losetup", "-d", shown.stdout.strip()], check=True)


def mount_exfat(device: str, point: Path, *options: str) -> None:
    for kind in ("exfat", "exfat-fuse"):
        done = subprocess.run(["mount", "-t", kind, *options, device, str(point)], check=False, capture_output=True)
        if done.returncode == 0:
            return
    raise AssertionError(done.stderr)


@pytest.mark.parametrize("remount", [False, True])
def test_exfat_has_what_was_exported_when_it_is_mounted_again(tmp_path: Path, exfat: str, *, remount: bool) -> None:
    point = tmp_path / "point"
    mount_exfat(exfat, point)
    made = carry(request(tmp_path), target_of(str(point), None), lambda *_: None, remount=remount)
    assert made.unmounted == remount
    if not remount:
        subprocess.run(["umount", str(point)], check=True)
    subprocess.run([need("fsck.exfat"), "-n", exfat], check=True, capture_output=True)
    mount_exfat(exfat, point, "-o", "ro")
    for one in made.outcome.files:
        assert hashlib.sha256((point / one.path).read_bytes()).hexdigest() == one.sha256
    directory = pydicom.dcmread(point / "DICOMDIR")
    assert sum(row.DirectoryRecordType == "IMAGE" for row in directory.DirectoryRecordSequence) == len(KINDS)


def test_what_comes_from_the_memory_of_a_process_proves_nothing(
    tmp_path: Path, exfat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not root cannot let it be forgotten."""
    mount_exfat(exfat, tmp_path / "point")
    if not look(str(tmp_path / "point")).is_fused:
        pytest.skip("the kernel has exFAT itself")
    monkeypatch.setattr("agent.exchange.carry.forget", lambda _volume: False)
    with pytest.raises(NotSafe, match="came from memory"):
        carry(request(tmp_path), target_of(str(tmp_path / "point"), None), lambda *_: None)


@pytest.mark.parametrize("at", [3, 12, 25, 36])
def test_a_medium_that_dies_is_never_safe(tmp_path: Path, medium: LoopMedium, at: int) -> None:
    target = target_of(str(medium.folder), None)
    with pytest.raises(NotSafe, match="NOT safe"):
        carry(request(tmp_path), target, lambda *_: None, ops=Dying(medium, at))
    medium.revive()
    made = carry(request(tmp_path), target, lambda *_: None)
    assert len(made.outcome.exported) == len(KINDS)
    assert not (medium.folder / "EXPORT.NEW").exists()
