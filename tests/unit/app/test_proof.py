"""The proof believes nobody: one changed sample, a missing frame or a gap in the numbers is found."""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from pathlib import Path

import pytest
from fakes.instances import make as acquired

from agent.acquire.exam import Exam
from agent.acquire.filesink import FileSink
from agent.acquire.pipeline import Order, capture
from agent.acquire.sources import open_source
from agent.app.picture_file import png, sheet
from agent.app.proof import THUMB_COLUMNS, THUMB_ROWS, Proof, prove, received_files
from agent.config import load
from agent.config.words import transfer_syntax_uid
from agent.dataset.encode import encode
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.media.part10 import FileMeta, encode_prefix

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=48&columns=64&rate_hz=0"
clip_frames = 6
clip_s = 3600
"""


def make(path: Path, word: str = "explicit") -> tuple[str, list[str]]:
    settings = load.parse(TOML)
    digests: list[str] = []
    order = Order(
        settings.source[0],
        transfer_syntax_uid(word),
        lambda _uid, _frame, _number, data, _beside: digests.append(hashlib.sha256(data).hexdigest()),
    )
    sink = FileSink(str(path))
    with open_source(settings.source[0].uri) as opened:
        done = capture(opened, order, Exam(settings), sink, threading.Event())
    sink.publish()
    return done.sop_instance_uid, digests


def proof_of(path: Path, uid: str, digests: list[str], pictures: list[bytes] | None = None) -> Proof:
    return prove(str(path), uid, digests, [] if pictures is None else pictures, lambda _done: None)


@pytest.mark.parametrize("word", ["explicit", "rle"])
def test_what_is_the_same_is_proven(tmp_path: Path, word: str) -> None:
    uid, digests = make(tmp_path / "a", word)
    pictures: list[bytes] = []
    proof = proof_of(tmp_path / "a", uid, digests, pictures)
    assert proof.faults == ()
    assert (proof.frames, proof.identical, proof.first_mark, proof.last_mark) == (6, 6, 1, 6)
    assert [len(picture) for picture in pictures] == [THUMB_ROWS * THUMB_COLUMNS * 3] * 6


def test_one_changed_sample_is_found(tmp_path: Path) -> None:
    uid, digests = make(tmp_path / "a")
    data = bytearray((tmp_path / "a").read_bytes())
    data[-64 * 48 * 3 * 2 - 100] ^= 1
    (tmp_path / "a").write_bytes(data)
    proof = proof_of(tmp_path / "a", uid, digests)
    assert proof.identical == 5
    assert proof.faults == ("frame 4 is not what was captured",)


def test_a_damaged_code_stream_is_a_fault_and_no_end(tmp_path: Path) -> None:
    uid, digests = make(tmp_path / "a", "rle")
    data = (tmp_path / "a").read_bytes()
    at = data.rindex(struct.pack("<I", 3) + struct.pack("<I", 64))  # the RLE header of the last frame
    (tmp_path / "a").write_bytes(data[:at] + struct.pack("<I", 9) + data[at + 4 :])
    proof = proof_of(tmp_path / "a", uid, digests)
    assert proof.identical == 5
    assert proof.faults[0].startswith("frame 6: ")


def test_missing_frames_gaps_and_another_instance_are_found(tmp_path: Path) -> None:
    uid, digests = make(tmp_path / "a")
    assert "6 frames were received, 7 were captured" in proof_of(tmp_path / "a", uid, [*digests, "x"]).faults
    assert proof_of(tmp_path / "a", "1.2.3", digests).faults == (f"holds {uid}",)
    data = (tmp_path / "a").read_bytes()
    size = 64 * 48 * 3
    swapped = data[: -2 * size] + data[-size:] + data[-2 * size : -size]
    (tmp_path / "a").write_bytes(swapped)
    faults = proof_of(tmp_path / "a", uid, digests).faults
    assert "frame 5 shows number 6 after 4" in faults
    assert "frame 5 is not what was captured" in faults


def test_received_files_are_found_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    uid, _ = make(tmp_path / "x" / "0001")
    (tmp_path / "index.db").write_bytes(b"x" * 500)
    (tmp_path / "empty").write_bytes(b"")
    assert received_files(str(tmp_path)) == {uid: str(tmp_path / "x" / "0001")}


def test_the_sheet_is_a_png(tmp_path: Path) -> None:
    data = sheet([b"\x00" * 12, b"\x80" * 4], 2, 2, 2)
    width, height = struct.unpack(">II", data[16:24])
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (width, height) == (16, 10)
    at = data.index(b"IDAT")
    length = struct.unpack(">I", data[at - 4 : at])[0]
    rows = zlib.decompress(data[at + 4 : at + 4 + length])
    assert len(rows) == height * (1 + width * 3)
    assert rows[4 * (1 + 48) + 1 + 12 :][:6] == b"\x00" * 6
    assert rows[4 * (1 + 48) + 1 + 30 :][:6] == b"\x80" * 6
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "a.png").write_bytes(png(bytes(range(27)), 3, 3))
    with image.open(tmp_path / "a.png") as opened:
        assert opened.size == (3, 3)
        assert opened.tobytes() == bytes(range(27))


def test_contact_sheet_shows_x_ray_through_its_voi(tmp_path: Path) -> None:
    """A window that ends below every sample makes the whole picture white; without VOI it would be stretched."""
    picture = _xray_picture(tmp_path / "plain")
    assert max(picture) > min(picture)
    white = _xray_picture(tmp_path / "white", WindowCenter=-100, WindowWidth=2)
    assert set(white) == {255}
    inverse = _xray_picture(
        tmp_path / "inverse", PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE"
    )
    assert [255 - value for value in inverse[40 * THUMB_COLUMNS + 40 :][:40]] == pytest.approx(
        list(picture[40 * THUMB_COLUMNS + 40 :][:40]), abs=1
    )


def _xray_picture(path: Path, **changes: object) -> bytes:
    frame = struct.pack("<19200H", *(at * 3 % 65536 for at in range(19200)))
    ds = acquired("dx", description=PixelDescription(120, 160, 1, 16, 16, 15))
    ds.update(changes)
    ds.set("PixelData", frame, "OW")
    meta = FileMeta(ds.text("SOPClassUID"), ds.text("SOPInstanceUID"), EXPLICIT_VR_LE)
    path.write_bytes(encode_prefix(meta) + encode(ds, EXPLICIT_VR_LE))
    pictures: list[bytes] = []
    prove(str(path), meta.sop_instance_uid, [hashlib.sha256(frame).hexdigest()], pictures, lambda _done: None)
    return pictures[0]
