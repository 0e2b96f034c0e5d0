"""``transcode`` as a command: what it refuses, what it leaves behind, and how much memory it takes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import resource
import shutil
import struct
import subprocess
import termios
import time
from functools import partial
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes.command import run_command
from fakes.real_images import wheel_file
from fakes.site import AGENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CT = wheel_file("CT_small.dcm")


def test_it_says_what_it_did(tmp_path: Path) -> None:
    done = run_command("transcode", CT, "--to", "rle", "-o", tmp_path / "x.dcm")
    assert done.returncode == 0
    assert done.stdout == f"{tmp_path}/x.dcm: 38.3 KiB as explicit, 26.9 KiB as rle, 1 frame compared\n"


def test_several_files_go_into_a_folder_and_one_failure_does_not_stop_them(tmp_path: Path) -> None:
    files = [wheel_file("JPEG-lossy.dcm"), CT, wheel_file("MR_small_RLE.dcm"), tmp_path / "none"]
    done = run_command("transcode", *files, "--to", "explicit", "-o", tmp_path, "--json")
    assert done.returncode == 36
    assert [(row["from"], row["to"], row["frames_compared"]) for row in done.json if "error" not in row] == [
        ("explicit", "explicit", 1), ("rle", "explicit", 1)]  # fmt: skip
    assert [(row["file"], row["error"]["code"]) for row in done.json if "error" in row] == [
        (str(files[0]), "dataset.encode"), (str(files[3]), "file")]  # fmt: skip
    assert "error: 2 of 4 files not transcoded [files.some]" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CT_small.dcm", "MR_small_RLE.dcm"]
    assert "frames in JPEG Extended (Process 2 and 4) are not decoded" in done.stderr
    again = run_command("transcode", CT, "--to", "explicit", "-o", tmp_path)
    assert (again.returncode, "already exists" in again.stderr) == (3, True)
    neither = run_command("transcode", files[0], files[0], "--to", "explicit", "-o", tmp_path)
    assert (neither.returncode, neither.stdout) == (30, "0 of 2 files transcoded\n")


def test_a_folder_is_made_and_takes_one_file_too(tmp_path: Path) -> None:
    done = run_command("transcode", CT, "--to", "implicit", "-o", f"{tmp_path}/new/sub/")
    assert (done.returncode, [path.name for path in tmp_path.rglob("*.dcm")]) == (0, ["CT_small.dcm"])
    assert (tmp_path / "new" / "sub" / "CT_small.dcm").exists()
    (tmp_path / "file").touch()
    done = run_command("transcode", CT, "--to", "implicit", "-o", f"{tmp_path}/file/")
    assert (done.returncode, f"{tmp_path}/file" in done.stderr) == (3, True)


def test_folders_are_gone_through_and_built_again(tmp_path: Path) -> None:
    given = tmp_path / "given"
    for place, name in (("b/one", "CT_small.dcm"), ("a/one", "MR_small_RLE.dcm"), ("DICOMDIR", "rtplan.dcm")):
        (given / place).parent.mkdir(parents=True, exist_ok=True)
        (given / place).write_bytes(wheel_file(name).read_bytes())
    for _ in range(2):  # what the first time made in the folder is not taken for another source
        out = given / "out"
        done = run_command("transcode", given, "--to", "explicit", "-o", f"{out}/")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 of 2 files transcoded"), done.stderr
        assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) == ["a/one", "b/one"]
        assert pydicom.dcmread(out / "a" / "one").SOPInstanceUID == pydicom.dcmread(given / "a" / "one").SOPInstanceUID
        shutil.rmtree(out)
        (out / "a").mkdir(parents=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run_command("transcode", empty, "--to", "explicit", "-o", f"{tmp_path}/new/")
    assert (done.returncode, "no file in it" in done.stderr) == (3, True)


def test_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    source = pydicom.dcmread(CT)
    source.Rows = source.Columns = 1024
    source.NumberOfFrames = 48
    source.PixelData = os.urandom(1024 * 1024 * 2 * 48)
    source.save_as(tmp_path / "big.dcm")
    words = ["transcode", tmp_path / "big.dcm", CT, "--to", "jpeg-ls", "-o", f"{tmp_path}/out/"]
    shown = on_a_terminal(words)
    assert re.search(r"\rfile 1 of 2: \S+/big.dcm: \d+ of 48 frames written\x1b\[K", shown), shown
    assert re.search(r"\rfile 1 of 2: \S+/big.dcm: \d+ of 48 frames compared\x1b\[K", shown), shown


def on_a_terminal(words: Sequence[object]) -> str:
    """What a command writes to a terminal that is its stderr."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
    with subprocess.Popen([AGENT, *words], stdout=subprocess.PIPE, stderr=theirs,
                          env={**os.environ, "TERM": "xterm"}) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: nobody has it open any more
            while piece := os.read(ours, 4096):
                shown += piece
        assert process.wait(60) == 0
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(("words", "status", "said"), [
    ((CT, "--to", "1.2.840.10008.1.2.4.50"), 2, "may lose information"),
    ((CT, "--to", "nonsense"), 2, "neither a word"),
    ((CT, "--to", "rle", "--near", "2"), 2, "--near is for JPEG-LS"),
    ((CT, "--to", "jpeg-ls", "--near", "0"), 2, "--near is 1 to"),
    ((wheel_file("SC_rgb_rle.dcm"), "--to", "jpeg-ls", "--near", "128"), 30, "128 is too much for samples of 8"),
    ((CT, CT, "--to", "rle"), 3, "not a folder"),
    ((CT, "--to", "1.2.840.10008.1.2.4.90"), 30, "there is no codec for JPEG 2000 (Lossless Only)"),
    ((CT, "--to", "1.2.840.10008.1.2.2"), 30, "retired and is not written"),
    ((wheel_file("rtplan.dcm"), "--to", "rle"), 30, "there are no pixels"),
    ((wheel_file("rtdose.dcm"), "--to", "rle"), 31, "bits_allocated 32"),
    ((wheel_file("liver_1frame.dcm"), "--to", "rle"), 31, "neither compressed nor decompressed"),
    ((wheel_file("SC_ybr_full_422_uncompressed.dcm"), "--to", "rle"), 31, "does not carry YBR_FULL_422"),
    ((wheel_file("examples_ybr_color.dcm"), "--to", "explicit"), 30, "are not decoded"),
    ((wheel_file("ExplVR_LitEndNoMeta.dcm"), "--to", "implicit"), 30, "no DICM prefix"),
])  # fmt: skip
def test_what_it_does_not_do_it_says(words: tuple[object, ...], status: int, said: str, tmp_path: Path) -> None:
    done = run_command("transcode", *words, "-o", tmp_path / "x.dcm")
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_lenient_copy_repairs_the_file(tmp_path: Path) -> None:
    done = run_command("transcode", wheel_file("ExplVR_LitEndNoMeta.dcm"), "--to", "explicit", "--lenient", "-o",
                       tmp_path / "x.dcm")  # fmt: skip
    assert (done.returncode, "tolerated: no preamble" in done.stderr) == (0, True)
    assert pydicom.dcmread(tmp_path / "x.dcm").file_meta.MediaStorageSOPClassUID


def test_an_interrupted_transcode_leaves_nothing(tmp_path: Path) -> None:
    pixels = 2 << 30
    with (tmp_path / "big.dcm").open("wb") as file:
        file.write(CT.read_bytes()[:6288] + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, pixels))
        file.truncate(file.tell() + pixels)
    (tmp_path / "out").mkdir()
    words = [AGENT, "transcode", tmp_path / "big.dcm", "--to", "implicit", "--lenient", "-o", tmp_path / "out"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 20
        while not list((tmp_path / "out").glob("*.part")) and time.monotonic() < until:
            time.sleep(0.01)
        process.terminate()
        _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (143, "")
    assert list((tmp_path / "out").iterdir()) == []


def test_many_frames_take_the_memory_of_a_few(tmp_path: Path) -> None:
    """192 MiB of native pixels through 60 MiB of data segment, there and back."""
    source = pydicom.dcmread(CT)
    source.Rows = source.Columns = 1024
    source.NumberOfFrames = 96
    source.PixelData = bytes(1024 * 1024 * 2 * 96)
    source.save_as(tmp_path / "big.dcm")
    del source
    limit = partial(resource.setrlimit, resource.RLIMIT_DATA, (60 << 20, 60 << 20))
    for given, word in (("big", "rle"), ("rle", "implicit"), ("implicit", "explicit")):
        words = [AGENT, "transcode", tmp_path / f"{given}.dcm", "--to", word, "-o", tmp_path / f"{word}.dcm"]
        done = subprocess.run(words, capture_output=True, text=True, preexec_fn=limit, check=False)
        assert done.returncode == 0, done.stderr
    assert pydicom.dcmread(tmp_path / "explicit.dcm").NumberOfFrames == 96
    assert len(pydicom.dcmread(tmp_path / "explicit.dcm").PixelData) == 1024 * 1024 * 2 * 96
