"""Every kind in every transfer syntax that it may have: check and dciodvfy are content, all read the same pixels."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.documents import DOCUMENTS
from fakes.instances import DESCRIPTIONS, acquisition, frames, make, with_pixels
from pydicom import dcmread

from agent.app.checking import check_file
from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.encapsulate import fragments_of
from agent.dataset.encode import encode
from agent.iod.acquisition import LossyStep
from agent.iod.build import KINDS
from agent.iod.syntaxes import LOSSY_METHOD
from agent.media.part10 import FileMeta, encode_prefix
from agent.native import compress

NATIVE = (uid.EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE, uid.DEFLATED_EXPLICIT_VR_LE)
SYNTAXES = (*NATIVE, *compress.TRANSFER_SYNTAXES)
# How DCMTK makes a native file of each; all the others are dcmconv's.
DCMTK = {
    uid.RLE_LOSSLESS: "dcmdrle",
    uid.JPEG_LOSSLESS: "dcmdjpeg",
    uid.JPEG_LOSSLESS_SV1: "dcmdjpeg",
    uid.JPEG_LS_LOSSLESS: "dcmdjpls",
    uid.JPEG_LS_NEAR: "dcmdjpls",
}
DEFLATED_IN_DCMTK = "DeflatedLittleEndianExplicit"
NEAR = 2


def write(path: Path, ds: DataSet, syntax: str) -> None:
    meta = FileMeta(ds.text("SOPClassUID"), ds.text("SOPInstanceUID"), syntax)
    path.write_bytes(encode_prefix(meta) + encode(ds, syntax))


def judge(path: Path, syntax: str, need: Callable[[str], str]) -> None:
    """``check`` and dciodvfy have nothing to say; dciodvfy cannot inflate, so DCMTK does it for it."""
    assert [str(finding) for finding in check_file(str(path)).findings] == []
    if syntax == uid.DEFLATED_EXPLICIT_VR_LE:
        inflated = path.with_name("inflated.dcm")
        subprocess.run([need("dcmconv"), "+te", path, inflated], check=True, timeout=30)
        shown = subprocess.run([need("dcmdump"), path], capture_output=True, text=True, check=True, timeout=30)
        assert shown.stderr == ""
        assert f"={DEFLATED_IN_DCMTK}" in shown.stdout
        path = inflated
    judged = subprocess.run([need("dciodvfy"), path], capture_output=True, text=True, check=False, timeout=30)
    said = (judged.stdout + judged.stderr).splitlines()
    assert not [line for line in said if line.startswith(("Error", "Warning"))]
    assert said  # the name of the IOD


@pytest.mark.parametrize("syntax", SYNTAXES, ids=uid.uid_name)
@pytest.mark.parametrize("kind", KINDS)
def test_all_readers_agree(kind: str, syntax: str, need: Callable[[str], str], tmp_path: Path) -> None:
    description = DESCRIPTIONS[kind]
    pictures = frames(description, acquisition(kind).number_of_frames)
    method = LOSSY_METHOD.get(syntax)
    ds = make(kind, transfer_syntax_uid=syntax, **({"lossy_steps": (LossyStep(3, method),)} if method else {}))
    if syntax in NATIVE:
        ds = with_pixels(ds, pictures, syntax)
    else:
        near = NEAR if method else 0
        coded = [compress.encode(each, syntax, description=description, near=near) for each in pictures]
        ds = ds.copy()
        ds.set("PixelData", fragments_of(coded), "OB")
    path, back = tmp_path / "a.dcm", tmp_path / "back.dcm"
    write(path, ds, syntax)
    judge(path, syntax, need)
    read = [dcmread(path).pixel_array.tobytes()]
    command = DCMTK.get(syntax)
    subprocess.run(
        [need(command), path, back] if command else [need("dcmconv"), "+te", path, back], check=True, timeout=30
    )
    read.append(dcmread(back).pixel_array.tobytes())
    subprocess.run([need("gdcmconv"), "--raw", path, back], check=True, timeout=30)
    read.append(dcmread(back).pixel_array.tobytes())
    assert read[0] == read[1] == read[2]
    if not method:
        assert read[0] == b"".join(pictures)


@pytest.mark.parametrize("syntax", NATIVE, ids=uid.uid_name)
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_documents_in_every_syntax(kind: str, syntax: str, need: Callable[[str], str], tmp_path: Path) -> None:
    path, back = tmp_path / "a.dcm", tmp_path / "back.dcm"
    ds = DOCUMENTS[kind]()
    write(path, ds, syntax)
    judge(path, syntax, need)
    subprocess.run([need("dcmconv"), "+te", path, back], check=True, timeout=30)
    assert dcmread(back).get("EncapsulatedDocument") == ds.get("EncapsulatedDocument")
    assert dcmread(back).SOPClassUID == ds["SOPClassUID"]
