"""Transcoded files before judges that we did not write: the same pixels for all of them, and no new complaint."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from fakes.command import run_command
from fakes.real_images import frames_of, wheel_file

from agent.config.words import TRANSFER_SYNTAX_WORDS
from agent.dataset import uid
from agent.native import compress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NATIVE = ["explicit", "implicit", "deflated"]
CODED = [word for word, syntax in TRANSFER_SYNTAX_WORDS.items()
         if syntax in compress.TRANSFER_SYNTAXES and not uid.is_lossy(syntax)]  # fmt: skip
SOURCES = ["CT_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "SC_rgb_rle_16bit_2frame.dcm",
           "SC_rgb_small_odd.dcm", "examples_palette.dcm", "image_dfl.dcm"]  # fmt: skip
# Who writes a compressed file as Explicit VR Little Endian.
DECODERS = {"rle": ["dcmdrle"], "jpeg-ls": ["dcmdjpls"], "jpeg-lossless": ["dcmdjpeg"]}


def run(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=60, check=False)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, f"{command}: {text[-2000:]}"
    return text


def transcoded(source: Path, word: str, folder: Path) -> Path:
    made = folder / f"{source.stem}-{word}.dcm"
    done = run_command("transcode", source, "--to", word, "-o", made)
    assert done.returncode == 0, done.stderr
    return made


def complaints(path: Path, need: Callable[[str], str]) -> set[str]:
    done = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, timeout=60, check=False)
    return {re.sub(r"0x[0-9a-f]+|<[^>]*>", "", line) for line in (done.stdout + done.stderr).splitlines()
            if line.startswith("Error")}  # fmt: skip


@pytest.mark.parametrize("word", [*NATIVE, *CODED])
@pytest.mark.parametrize("name", SOURCES)
def test_the_pixels_are_the_same_for_all(name: str, word: str, tmp_path: Path, need: Callable[[str], str]) -> None:
    source = wheel_file(name)
    expected = frames_of(source)
    made = transcoded(source, word, tmp_path)
    read = pydicom.dcmread(made)
    assert read.file_meta.TransferSyntaxUID == TRANSFER_SYNTAX_WORDS[word]
    assert read.SOPInstanceUID == pydicom.dcmread(source).SOPInstanceUID
    outs = {}
    if name != "SC_rgb_rle_16bit_2frame.dcm":  # which gdcmconv cannot copy as it is in the wheel either
        outs["gdcmconv"] = tmp_path / "gdcm.dcm"
        run(need("gdcmconv"), "--raw", made, outs["gdcmconv"])
    for tool in DECODERS.get(word, ["dcmconv"]):
        outs[tool] = tmp_path / f"{tool}.dcm"
        run(need(tool), *(["+te"] if tool == "dcmconv" else []), made, outs[tool])
    for tool, out in outs.items():
        found = frames_of(out)
        assert np.array_equal(found, expected), tool
    if word in (*NATIVE, "rle"):
        assert np.array_equal(frames_of(made), expected)


@pytest.mark.parametrize("word", ["explicit", "implicit", *CODED])  # dciodvfy reads no deflated file of anybody
def test_dciodvfy_has_no_new_complaint(word: str, tmp_path: Path, need: Callable[[str], str]) -> None:
    for name in ("CT_small.dcm", "examples_palette.dcm"):
        source = wheel_file(name)
        assert complaints(transcoded(source, word, tmp_path), need) <= complaints(source, need)


@pytest.mark.parametrize("name", ["rtdose_expb.dcm", "liver_expb_1frame.dcm", "SC_rgb_small_odd_big_endian.dcm"])
def test_big_endian_words_are_turned(name: str, tmp_path: Path) -> None:
    assert np.array_equal(frames_of(transcoded(wheel_file(name), "explicit", tmp_path)), frames_of(wheel_file(name)))


def test_rle_by_others_becomes_native(tmp_path: Path, need: Callable[[str], str]) -> None:
    run(need("dcmcrle"), wheel_file("examples_rgb_color.dcm"), tmp_path / "theirs.dcm")
    made = transcoded(tmp_path / "theirs.dcm", "explicit", tmp_path)
    assert np.array_equal(frames_of(made), frames_of(wheel_file("examples_rgb_color.dcm")))


@pytest.mark.skipif(uid.JPEG_LS_NEAR not in compress.TRANSFER_SYNTAXES, reason="this build has no JPEG-LS")
def test_near_lossless_is_a_new_instance_that_names_its_source(tmp_path: Path, need: Callable[[str], str]) -> None:
    source, made = wheel_file("MR_small.dcm"), tmp_path / "near.dcm"
    done = run_command("transcode", source, "--to", "jpeg-ls", "--near", "3", "-o", made, "--json")
    assert done.returncode == 0, done.stderr
    read, before = pydicom.dcmread(made), pydicom.dcmread(source)
    assert read.SOPInstanceUID == done.json[0]["sop_instance_uid"] != before.SOPInstanceUID
    assert (read.LossyImageCompression, read.LossyImageCompressionMethod) == ("01", "ISO_14495_1")
    assert float(read.LossyImageCompressionRatio) > 1
    assert read.ImageType[0] == "DERIVED"
    assert read.SourceImageSequence[0].ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert read.DerivationCodeSequence[0].CodeValue == "113040"
    run(need("dcmdjpls"), made, tmp_path / "back.dcm")
    worst = np.abs(frames_of(tmp_path / "back.dcm").astype(int) - frames_of(source)).max()
    assert 0 < worst <= 3
    assert complaints(made, need) <= complaints(source, need)
