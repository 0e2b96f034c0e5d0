"""A stick that is pulled or fails at every step of an export: never a false "safe to remove"; the next completes it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes import exports
from fakes.peers import need
from fakes.stick import Stick

from agent.dataset import uid
from agent.errors import NotSafe
from agent.exchange.carry import carry, target_of
from agent.exchange.cms import Keys
from agent.exchange.export import Media, Request
from agent.exchange.iso9660 import image_of
from agent.exchange.writer import DIRECTORY
from agent.media.profile import PROFILES

if TYPE_CHECKING:
    from agent.exchange.export import Outcome

EVERY = {"pulled": 1, "fails once": 3, "fails": 4}  # step; all of them are in scripts/crash
TWO = (("us", uid.RLE_LOSSLESS), ("sc", uid.EXPLICIT_VR_LE))


def holds(stick: Stick, outcome: Outcome) -> list[str]:
    """What the medium lacks of a set that was called safe."""
    return [
        one.path for one in outcome.files if hashlib.sha256(stick.medium.get(one.path, b"")).hexdigest() != one.sha256
    ]


def named_files(stick: Stick) -> set[str]:
    """Files that the DICOMDIR on the medium names; all of them are there."""
    if "DICOMDIR" not in stick.medium:
        return set()
    directory = pydicom.dcmread(pydicom.filebase.DicomBytesIO(stick.medium["DICOMDIR"]))
    names = {"/".join(row.ReferencedFileID) for row in directory.DirectoryRecordSequence if "ReferencedFileID" in row}
    assert names <= set(stick.medium)
    return names


def steps_of(root: Path, folder: Path, before: Path | None = None) -> int:
    fresh(folder, before)
    stick = Stick(str(folder))
    outcome = exports.run(root, folder, media=Media(stick))
    assert holds(stick, outcome) == []
    return stick.steps


def fresh(folder: Path, before: Path | None = None) -> dict[str, bytes]:
    shutil.rmtree(folder, ignore_errors=True)
    if before is None:
        folder.mkdir()
        return {}
    shutil.copytree(before, folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def the_stick_alone_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is durable is the business of the model; the disk of the machine is not waited for."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    words = ("-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key", "-days", "2", "-subj", "/CN=reader")
    command = [need("openssl"), "req", "-x509", *map(str, words), "-out", str(folder / "pem")]
    subprocess.run(command, check=True, capture_output=True)
    return Keys((str(folder / "pem"),))


@pytest.mark.fault
@pytest.mark.parametrize("how", ["pulled", "fails once", "fails"])
@pytest.mark.parametrize("again", [False, True], ids=["empty", "with a set"])
def test_at_every_step(tmp_path: Path, how: str, again: bool) -> None:
    root = exports.filled(tmp_path, TWO)
    out = tmp_path / "stick"
    before = None
    if again:
        other = exports.filled(tmp_path / "other", (("dx", uid.EXPLICIT_VR_LE),))
        before = tmp_path / "before"
        before.mkdir()
        exports.run(other, before)
    wrong = []
    unsafe = 0
    for at in range(1, steps_of(root, out, before) + 1, EVERY[how] + again):
        stick = Stick(
            str(out),
            medium=fresh(out, before),
            **({"pull_at": at} if how == "pulled" else {"fail_at": at, "sticky": how == "fails"}),
        )
        old = named_files(stick)
        try:
            outcome = exports.run(root, out, media=Media(stick))
        except NotSafe as error:
            unsafe += "NOT safe" in str(error) and "repeat the export" in error.hint
        else:
            if missing := holds(stick, outcome):
                wrong.append(f"{how} at {at}: called safe, and {missing} are not there")
        if not old <= named_files(stick):
            wrong.append(f"{how} at {at}: the set that was there is damaged")
        stick.plug_in()
        stick.pull_at = stick.fail_at = 0
        outcome = exports.run(root, out, media=Media(stick))
        if len(outcome.exported) != len(TWO) or holds(stick, outcome):
            wrong.append(f"{how} at {at}: the second export is not complete: {outcome}")
        if left := set(stick.medium) - {one.path for one in outcome.files} - old:
            wrong.append(f"{how} at {at}: the second export leaves {left}")
    assert wrong == []
    assert unsafe > 10


def is_whole(path: str) -> bool:
    if path.endswith(".ZIP"):
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None and DIRECTORY in archive.namelist()
    data = Path(path).read_bytes()
    return DIRECTORY in {one.path for one in image_of(lambda length, at: data[at : at + length], len(data)).files}


@pytest.mark.fault
@pytest.mark.parametrize("how", ["pulled", "fails"])
@pytest.mark.parametrize("name", ["disc.iso", "DICOM.ZIP", "stick"])
def test_what_is_made_of_a_set(tmp_path: Path, name: str, how: str, keys: Keys) -> None:
    """A disc image, an archive, an encrypted stick: what has its name is whole, and the next attempt completes it."""
    need("xorriso")
    root = exports.filled(tmp_path, TWO[:1])
    place = tmp_path / "place"
    secure = name == "stick"
    profile = PROFILES["STD-GEN-SEC-USB-JPEG" if secure else "STD-GEN-CD"]
    request = Request(exports.pieces(root), profile, "TEST")
    path = str(place) if secure else str(place / name)
    target = target_of(path, keys if secure else None)
    wrong, at, unsafe = [], 0, 0
    while True:
        at += 5 if secure else 2
        fresh(place)
        stick = Stick(str(place), **({"pull_at": at} if how == "pulled" else {"fail_at": at, "sticky": True}))
        try:
            made = carry(request, target, lambda *_: None, ops=stick)
            if at > stick.steps:
                break
            if secure and holds(stick, made.outcome):
                wrong.append(f"{how} at {at}: called safe, and {holds(stick, made.outcome)} are not there")
        except NotSafe:
            unsafe += 1
        if not secure and os.path.exists(path) and not is_whole(path):
            wrong.append(f"{how} at {at}: {name} is there, and not proven")
        if list(tmp_path.rglob("*.set*")):
            wrong.append(f"{how} at {at}: the set in clear is left behind")
        stick.plug_in()
        if os.path.exists(path) and not secure:
            os.unlink(path)
        carry(request, target, lambda *_: None)
    assert wrong == []
    assert unsafe > 1
