"""HTJ2K before judges that we did not write: OpenJPEG, pydicom with its own OpenJPEG, dciodvfy; and back again."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from fakes.command import run_command
from fakes.iod_judge import iod_lines
from fakes.real_images import frames_of, wheel_file

from agent.dataset.uid import HTJ2K_LOSSLESS
from agent.native.compress import encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.peer


def transcode(source: Path, word: str, made: Path) -> Path:
    done = run_command("transcode", source, "--to", word, "-o", made)
    assert done.returncode == 0, done.stderr
    return made


def errors(path: Path, need: Callable[[str], str]) -> set[str]:
    return {line for line in iod_lines(path, need) if line.startswith("Error")}


@pytest.mark.parametrize("bits", [1, 5, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("samples", [(), (3,)])
def test_openjpeg_reads_every_depth(
    bits: int, signed: bool, samples: tuple[int, ...], need: Callable[[str], str], tmp_path: Path
) -> None:
    rng = np.random.default_rng(bits)
    kind = np.dtype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")
    low = -(1 << bits - 1) if signed else 0
    for shape in ((64, 80), (1, 1), (1, 37), (41, 1), (5, 7)):
        frame = rng.integers(low, low + (1 << bits), (*shape, *samples)).astype(kind)
        (tmp_path / "a.j2k").write_bytes(encode(frame, HTJ2K_LOSSLESS, bits_stored=bits))
        subprocess.run(
            [need("opj_decompress"), "-i", tmp_path / "a.j2k", "-o", tmp_path / "a.rawl"],
            check=True, capture_output=True, timeout=30,
        )  # fmt: skip
        planes = np.fromfile(tmp_path / "a.rawl", kind.newbyteorder("<"))
        back = planes.reshape(3, *shape).transpose(1, 2, 0) if samples else planes.reshape(shape)
        assert (back == frame).all()


SOURCES = ("CT_small.dcm", "MR_small_RLE.dcm", "SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_small_odd.dcm",
           "examples_overlay.dcm", "examples_palette.dcm")  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_transcoded_there_and_back(name: str, need: Callable[[str], str], tmp_path: Path) -> None:
    source = wheel_file(name)
    made = transcode(source, "htj2k", tmp_path / "made.dcm")
    before, read = pydicom.dcmread(source), pydicom.dcmread(made)
    assert read.file_meta.TransferSyntaxUID == HTJ2K_LOSSLESS
    colour = before.PhotometricInterpretation == "RGB"
    assert read.PhotometricInterpretation == ("YBR_RCT" if colour else before.PhotometricInterpretation)
    assert (frames_of(made) == frames_of(source)).all()
    assert errors(made, need) <= errors(source, need)
    assert run_command("check", made).returncode == run_command("check", source).returncode
    back = transcode(made, "explicit", tmp_path / "back.dcm")
    native = pydicom.dcmread(back)
    assert native.PhotometricInterpretation == before.PhotometricInterpretation
    assert (frames_of(back) == frames_of(source)).all()


@pytest.mark.parametrize(("uri", "kind"), [("us-rgb?rows=96&columns=128", "us-mf"), ("dx16?rows=80&columns=70", "dx")])
def test_captured(uri: str, kind: str, need: Callable[[str], str], tmp_path: Path) -> None:
    plain, made = tmp_path / "plain.dcm", tmp_path / "made.dcm"
    for word, path in (("explicit", plain), ("htj2k", made)):
        frames = ["--frames", "4"] if kind == "us-mf" else []
        done = run_command(
            "capture", "--source", f"pattern:{uri}&rate_hz=0&seed=1", "--sop-class", kind, "--transfer-syntax", word,
            "-o", path, "--json", *frames,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["frames_verified"] == facts["frames"]
    assert pydicom.dcmread(made).PhotometricInterpretation == ("YBR_RCT" if kind == "us-mf" else "MONOCHROME2")
    assert errors(made, need) == set()
    assert run_command("check", made).returncode == 0
    back = transcode(made, "explicit", tmp_path / "back.dcm")
    assert pydicom.dcmread(back).PhotometricInterpretation == pydicom.dcmread(plain).PhotometricInterpretation
    assert (frames_of(back) == frames_of(made)).all()


def test_a_damaged_frame_is_found(tmp_path: Path) -> None:
    made = transcode(wheel_file("CT_small.dcm"), "htj2k", tmp_path / "made.dcm")
    data = bytearray(made.read_bytes())
    at = data.index(b"\xff\x4f\xff\x51")
    data[at + 8 : at + 12] = (4000).to_bytes(4, "big")
    made.write_bytes(data)
    done = run_command("check", made)
    assert done.returncode != 0
    assert "cannot be decoded" in done.stdout + done.stderr


def test_an_irreversible_frame_is_found_and_never_decoded(tmp_path: Path) -> None:
    made = transcode(wheel_file("CT_small.dcm"), "htj2k", tmp_path / "made.dcm")
    read = pydicom.dcmread(made)
    coded = imagecodecs.htj2k_encode(frames_of(made)[0], reversible=False, planar=False)
    read.PixelData = pydicom.encaps.encapsulate([coded + b"\0" * (len(coded) % 2)])
    read.save_as(made)
    done = run_command("check", made)
    assert done.returncode != 0
    assert "irreversible, and its transfer syntax says lossless" in done.stdout
    for word in ("explicit", "htj2k"):
        done = run_command("transcode", made, "--to", word, "-o", tmp_path / f"{word}.dcm")
        assert done.returncode != 0
        assert "irreversible" in done.stderr
        assert not (tmp_path / f"{word}.dcm").exists()
