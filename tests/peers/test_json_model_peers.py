"""The DICOM JSON Model beside pydicom's and DCMTK's, over real files."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.real_images import wheel_file

from agent.dataset.tag import PIXEL_DATA
from agent.media.json_model import from_json, to_json
from agent.media.reader import open_instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet

FILES = ["CT_small.dcm", "MR_small_implicit.dcm", "rtplan.dcm", "reportsi.dcm", "test-SR.dcm", "liver_1frame.dcm",
         "examples_palette.dcm", "SC_rgb_small_odd.dcm", "waveform_ecg.dcm"]  # fmt: skip

NUMBERS = {"DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "SV", "UV"}


def attributes_of(path: str) -> DataSet:
    fd = os.open(path, os.O_RDONLY)
    try:
        found = open_instance(lambda length, offset: os.pread(fd, length, offset), os.stat(path).st_size)
        return found.dataset.between(0, PIXEL_DATA)
    finally:
        os.close(fd)


def plain(found: Any) -> Any:
    """One form of what may be written in several: numbers as text, digits beyond a VR's own, what has no value."""
    if isinstance(found, list):
        return [plain(value) for value in found]
    if not isinstance(found, dict):
        return found
    if "vr" not in found:
        return {key: plain(value) for key, value in found.items() if key != "00080005"}
    values = found.get("Value", [])
    if found["vr"] in NUMBERS:
        values = [struct.unpack("f", struct.pack("f", float(value)))[0] for value in values if value is not None]
    elif found["vr"] == "PN":
        values = [{group: text.rstrip("^") for group, text in (name or {}).items()} for name in values]
    empty = not any(values) and found["vr"] not in NUMBERS | {"SQ"}
    return {**found, "Value": [] if empty else plain(values)}


@pytest.mark.parametrize("name", FILES)
def test_pydicom_writes_the_same(name: str) -> None:
    path = str(wheel_file(name))
    theirs = pydicom.dcmread(path, stop_before_pixels=True).to_json_dict(bulk_data_threshold=1 << 30)
    assert plain(to_json(attributes_of(path))) == plain(theirs)


@pytest.mark.parametrize("name", FILES)
def test_pydicom_reads_ours(name: str) -> None:
    path = str(wheel_file(name))
    ours = json.dumps(to_json(attributes_of(path)), allow_nan=False)
    again = pydicom.Dataset.from_json(ours)
    assert plain(again.to_json_dict()) == plain(json.loads(ours))
    assert plain(to_json(from_json(json.loads(ours)))) == plain(json.loads(ours))


@pytest.mark.parametrize("name", FILES)
def test_dcm2json_writes_the_same(name: str, need: Callable[[str], str], tmp_path: Path) -> None:
    path = str(wheel_file(name))
    cut = tmp_path / "cut.dcm"
    source = pydicom.dcmread(path, stop_before_pixels=True)
    source.save_as(cut)
    done = subprocess.run([need("dcm2json"), str(cut)], capture_output=True, timeout=60, check=True)
    ours = plain(to_json(attributes_of(str(cut))))
    assert ours == plain(json.loads(done.stdout))
