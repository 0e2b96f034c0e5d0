"""Transcoding without the codecs' help: offset tables, proof, loss and what a file may not become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.data import get_testdata_file

from agent.app.cli import main
from agent.app.transcoding import transcode
from agent.dataset import encapsulate, uid
from agent.dataset.dataset import DataSet
from agent.dataset.decode import Limits
from agent.dataset.encode import encode
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import EXPLICIT_VR_LE, JPEG_LS_LOSSLESS, JPEG_LS_NEAR, RLE_LOSSLESS, SC_MF_COLOR
from agent.errors import DecodeError, EncodeError, IodError, NotDicomError
from agent.media.file import open_file
from agent.media.part10 import FileMeta, encode_prefix
from agent.media.reader import instance_of
from agent.transcode import frame_codec
from agent.transcode import job as page
from agent.transcode.part_writer import swapped

if TYPE_CHECKING:
    from pathlib import Path

PLANES = PixelDescription(2, 2, 3, 8, 8, 7, 0, "RGB", 1)
FRAMES = [bytes(range(12)), bytes(range(100, 112)), bytes(range(50, 62))]
ICON = bytes(range(4))


def source(folder: Path, **more: Any) -> Path:
    icon = DataSet({**PixelDescription(2, 2).to_elements(), "PixelData": ICON})
    dataset = DataSet({"SOPClassUID": SC_MF_COLOR, "SOPInstanceUID": "1.2.3", "ImageType": ["ORIGINAL", "PRIMARY"],
                       "NumberOfFrames": 3, **PLANES.to_elements(), "IconImageSequence": [icon],
                       "PixelData": b"".join(FRAMES), 0xFFFCFFFC: b"\1\2", **more})  # fmt: skip
    path = folder / "source.dcm"
    path.write_bytes(encode_prefix(FileMeta(SC_MF_COLOR, "1.2.3", EXPLICIT_VR_LE)) + encode(dataset, EXPLICIT_VR_LE))
    return path


def frames_of(path: Path, elements: int = 1000) -> tuple[DataSet, list[bytes]]:
    data = path.read_bytes()
    limits = Limits(elements=elements)
    instance = instance_of(open_file(lambda length, offset: data[offset : offset + length], len(data), limits=limits))
    return instance.dataset, [instance.read_frame(number) for number in range(instance.number_of_frames)]


@pytest.fixture
def plain_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    """A codec for every syntax that turns each byte around and loses its lowest bits where it may."""

    def codec(syntax: str, _description: PixelDescription, near: int = 0, _told: str = "", **_: object) -> Any:
        if not uid.is_encapsulated(syntax):
            return frame_codec.Codec(bytes, lambda data: data[:12])
        mask = 0xFF if syntax != JPEG_LS_NEAR else 0xFE if near < 9 else 0xC0
        return frame_codec.Codec(
            lambda frame: bytes(255 - (byte & mask) for byte in frame), lambda data: bytes(255 - b for b in data)
        )

    monkeypatch.setattr(frame_codec, "codec_of", codec)


@pytest.mark.usefixtures("plain_codec")
def test_planes_become_pixels_and_an_icon_stays(tmp_path: Path) -> None:
    done = transcode(str(source(tmp_path)), str(tmp_path / "out.dcm"), JPEG_LS_LOSSLESS)
    assert (done.frames, done.sop_instance_uid) == (3, "1.2.3")
    dataset, frames = frames_of(tmp_path / "out.dcm")
    assert dataset["PlanarConfiguration"] == 0
    assert dataset.items_of("IconImageSequence")[0]["PixelData"] == ICON
    assert dataset[0xFFFCFFFC] == b"\1\2"
    assert bytes(255 - byte for byte in frames[0]) == bytes([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    assert "LossyImageCompression" not in dataset
    back = transcode(str(tmp_path / "out.dcm"), str(tmp_path / "back.dcm"), EXPLICIT_VR_LE)
    assert (back.frames, back.sop_instance_uid) == (3, "1.2.3")
    assert frames_of(tmp_path / "back.dcm")[0]["PlanarConfiguration"] == 0


@pytest.mark.parametrize("largest", [0xFFFFFFFE, 10])
def test_offset_tables_lead_to_the_frames(largest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encapsulate, "MAX_BASIC_OFFSET", largest)
    transcode(str(source(tmp_path)), str(tmp_path / "out.dcm"), RLE_LOSSLESS)
    read = pydicom.dcmread(tmp_path / "out.dcm")
    extended = largest == 10
    assert ("ExtendedOffsetTable" in read) == extended
    table = memoryview(read.ExtendedOffsetTable).cast("Q") if extended else memoryview(read.PixelData[8:20]).cast("I")
    first = 8 if extended else 20
    at = [read.PixelData[first + offset :][:4] for offset in table]
    assert at == [b"\xfe\xff\x00\xe0"] * 3
    if extended:
        lengths = memoryview(read.ExtendedOffsetTableLengths).cast("Q").tolist()
        items = [int.from_bytes(read.PixelData[first + offset + 4 :][:4], "little") for offset in table]
        assert lengths == items
    assert frames_of(tmp_path / "out.dcm")[0]["PlanarConfiguration"] == 1
    assert pydicom.dcmread(tmp_path / "out.dcm").pixel_array.shape == (3, 2, 2, 3)


@pytest.mark.usefixtures("plain_codec")
def test_loss_makes_a_new_instance_that_says_so(tmp_path: Path) -> None:
    before = {"LossyImageCompression": "01", "LossyImageCompressionRatio": [4.5],
              "LossyImageCompressionMethod": ["ISO_10918_1"], "DerivationDescription": "subtracted"}  # fmt: skip
    done = transcode(str(source(tmp_path, **before)), str(tmp_path / "out.dcm"), JPEG_LS_NEAR, near=1)
    dataset, _ = frames_of(tmp_path / "out.dcm")
    assert dataset["SOPInstanceUID"] == done.sop_instance_uid != "1.2.3"
    assert dataset["ImageType"] == ["DERIVED", "PRIMARY"]
    assert dataset["DerivationDescription"] == "subtracted; JPEG-LS near-lossless, no sample differs by more than 1"
    assert dataset["LossyImageCompressionRatio"] == [4.5, 1.0]
    assert dataset["LossyImageCompressionMethod"] == ["ISO_10918_1", "ISO_14495_1"]
    assert dataset.items_of("SourceImageSequence")[0]["ReferencedSOPInstanceUID"] == "1.2.3"
    assert pydicom.dcmread(tmp_path / "out.dcm").file_meta.MediaStorageSOPInstanceUID == done.sop_instance_uid
    with pytest.raises(EncodeError, match="would differ by"):
        transcode(str(source(tmp_path)), str(tmp_path / "worse.dcm"), JPEG_LS_NEAR, near=9)
    assert not list(tmp_path.glob("worse*"))


@pytest.mark.usefixtures("plain_codec")
def test_padding_is_not_for_loss(tmp_path: Path) -> None:
    with pytest.raises(IodError, match="Pixel Padding Value"):
        transcode(str(source(tmp_path, PixelPaddingValue=0)), str(tmp_path / "out.dcm"), JPEG_LS_NEAR, near=1)
    assert not (tmp_path / "out.dcm").exists()


def test_as_many_elements_as_an_enhanced_instance_has_are_read(tmp_path: Path) -> None:
    items = [DataSet({"FrameReferenceDateTime": "20260101", "DimensionIndexValues": [1]}) for _ in range(5000)]
    groups = [DataSet({"FrameContentSequence": [item]}) for item in items]
    path = source(tmp_path, PerFrameFunctionalGroupsSequence=groups)
    transcode(str(path), str(tmp_path / "out.dcm"), "1.2.840.10008.1.2")
    assert frames_of(tmp_path / "out.dcm", elements=100_000)[1] == FRAMES


def test_a_frame_that_does_not_come_back_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_codec, "codec_of", lambda *_: frame_codec.Codec(bytes, lambda data: data[:11] + b"\0"))
    with pytest.raises(EncodeError, match="frame 1 does not come back as it was"):
        transcode(str(source(tmp_path)), str(tmp_path / "out.dcm"), RLE_LOSSLESS)
    assert [path.name for path in tmp_path.iterdir()] == ["source.dcm"]


def test_a_copy_that_lost_a_byte_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = page.write_plan
    monkeypatch.setattr(
        page, "write_plan", lambda plan, sink, _pread, _watch: real(plan, sink, lambda n, at: b"\7" * n)
    )
    with pytest.raises(EncodeError, match="does not hold the pixels"):
        transcode(str(source(tmp_path)), str(tmp_path / "out.dcm"), uid.IMPLICIT_VR_LE)
    assert [path.name for path in tmp_path.iterdir()] == ["source.dcm"]


@pytest.mark.parametrize(("word", "expected"), [(1, b"abcdefg"), (2, b"badcfeg"), (4, b"dcbaefg")])
def test_words_are_turned(word: int, expected: bytes) -> None:
    assert swapped(b"abcdefg", word) == expected


@pytest.mark.parametrize("target", [uid.IMPLICIT_VR_LE, EXPLICIT_VR_LE, uid.DEFLATED_EXPLICIT_VR_LE])
def test_native_frames_that_only_move_are_compared_and_counted(target: str, tmp_path: Path) -> None:
    done = transcode(str(source(tmp_path)), str(tmp_path / "out.dcm"), target)
    assert done.frames == 3
    assert frames_of(tmp_path / "out.dcm")[1] == FRAMES


def test_compressed_frames_that_only_move_are_decoded_and_kept(tmp_path: Path) -> None:
    transcode(str(source(tmp_path)), str(tmp_path / "rle.dcm"), RLE_LOSSLESS)
    seen: list[tuple[str, int, int]] = []
    done = transcode(str(tmp_path / "rle.dcm"), str(tmp_path / "again.dcm"), RLE_LOSSLESS,
                     watch=lambda *each: seen.append(each))  # fmt: skip
    assert done.frames == 3
    assert seen[:3] == [("frames decoded", number, 3) for number in (1, 2, 3)]
    assert [step for step, done, of in seen if done == of] == [
        "frames decoded",
        "bytes copied",
        *["bytes compared"] * 2,
    ]
    assert frames_of(tmp_path / "again.dcm")[1] == frames_of(tmp_path / "rle.dcm")[1]


def test_damage_is_not_copied(tmp_path: Path) -> None:
    transcode(str(source(tmp_path)), str(tmp_path / "rle.dcm"), RLE_LOSSLESS)
    data = (tmp_path / "rle.dcm").read_bytes()
    second = frames_of(tmp_path / "rle.dcm")[1][1]
    assert data.count(second) == 1
    (tmp_path / "rle.dcm").write_bytes(data.replace(second, bytes(len(second))))
    with pytest.raises(DecodeError, match="frame 2 cannot be decoded"):
        transcode(str(tmp_path / "rle.dcm"), str(tmp_path / "again.dcm"), RLE_LOSSLESS)
    assert not list(tmp_path.glob("again*"))


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE, uid.DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS])
def test_a_directory_stays_as_it_is(syntax: str, tmp_path: Path) -> None:
    found = str(get_testdata_file("DICOMDIR", download=False))
    with pytest.raises(EncodeError, match="a DICOMDIR is not rewritten") as caught:
        transcode(found, str(tmp_path / "out"), syntax)
    assert "dcmmkdir" in caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("frames", [0, 1, 2, 4, None])
@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE, uid.DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS])
def test_a_wrong_number_of_frames_does_not_go_on(syntax: str, frames: int | None, tmp_path: Path) -> None:
    path = source(tmp_path, NumberOfFrames=frames)
    with pytest.raises(DecodeError, match=r"more than \d frames|too few for 4 frames|not believable") as caught:
        transcode(str(path), str(tmp_path / "out.dcm"), syntax)
    assert not (tmp_path / "out.dcm").exists()
    if syntax == RLE_LOSSLESS:
        return
    assert "--lenient" in caught.value.hint
    done = transcode(str(path), str(tmp_path / "out.dcm"), syntax, lenient=True)
    assert any("they are copied as they are" in note for note in done.notes)
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == b"".join(FRAMES)


def test_hints_speak_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    palette = {"SamplesPerPixel": 1, "PhotometricInterpretation": "PALETTE COLOR"}
    path = source(tmp_path, **palette, PixelData=bytes(12))
    with pytest.raises(IodError, match="does not carry PALETTE COLOR") as caught:
        transcode(str(path), str(tmp_path / "out.dcm"), JPEG_LS_NEAR, near=1)
    assert "another transfer syntax" in caught.value.hint
    unknown = str(get_testdata_file("UN_sequence.dcm", download=False))
    with pytest.raises(EncodeError) as told:
        transcode(unknown, str(tmp_path / "out.dcm"), uid.IMPLICIT_VR_LE)
    assert "modality-agent check" in told.value.hint
    (tmp_path / "text").write_text("no DICOM file at all, whatever one tries; " * 9)
    with pytest.raises(NotDicomError) as seen:
        transcode(str(tmp_path / "text"), str(tmp_path / "out.dcm"), EXPLICIT_VR_LE, lenient=True)
    assert "--lenient" not in seen.value.hint
    big_endian = str(get_testdata_file("ExplVR_BigEnd.dcm", download=False))
    assert main(["transcode", big_endian, "--to", "explicit", "-o", str(tmp_path / "out.dcm")]) == 0
    assert " as Explicit VR Big Endian, " in capsys.readouterr().out
