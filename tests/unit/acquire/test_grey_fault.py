"""Grey frames that cannot be coded anew in colour cost the compression, at worst the colour, never the clip."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.grey_clips import COLUMNS, FRAMES, LOSSLESS, ROWS, GreyClip, grey_clip, settings_of
from pydicom import dcmread
from pydicom.encaps import generate_frames

from agent.acquire.exam import Exam
from agent.acquire.recorder import Recorder
from agent.config.words import transfer_syntax_uid
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import EXPLICIT_VR_LE, is_encapsulated
from agent.errors import EncoderFault, NativeDataError, SpoolFull
from agent.native import compress
from agent.spool.core import Destination
from agent.spool.draft import Draft
from agent.spool.quota import Policy
from agent.spool.store import Spool

if TYPE_CHECKING:
    from pydicom import FileDataset

CODED = [word for word in LOSSLESS if is_encapsulated(transfer_syntax_uid(word))]
GREY = 4  # frames before the first in colour
IN_COLOUR = FRAMES - GREY


def broken_once_all_frames_are_there(monkeypatch: pytest.MonkeyPatch, then: str = "") -> None:
    """The second grey frame that is coded anew does not come back; no coloured one failed."""
    encode, decode, room, calls = compress.encode, compress.decode, Draft.reserve, [0]

    def broken() -> bool:
        return calls[0] > IN_COLOUR + 1

    def encode_wrong(frame: Any, syntax: str, *, description: PixelDescription, out: memoryview, **more: Any) -> int:
        count = encode(frame, syntax, description=description, out=out, **more)
        calls[0] += description.samples_per_pixel == 3
        out[count // 2] ^= 0x10 * broken()
        return count

    def decode_wrong(*frame: Any, **more: Any) -> Any:
        if then == "damage" and broken():
            raise NativeDataError("damage")
        return decode(*frame, **more)

    def reserve(draft: Draft, length: int) -> None:
        if then == "no room" and broken() and length > FRAMES * ROWS * COLUMNS * 3:
            raise SpoolFull("no room")
        room(draft, length)

    monkeypatch.setattr(compress, "encode", encode_wrong)
    monkeypatch.setattr(compress, "decode", decode_wrong)
    monkeypatch.setattr(Draft, "reserve", reserve)


def recorded(folder: Path, clip: GreyClip, word: str) -> tuple[FileDataset, dict[str, str], str]:
    """The only instance of the spool, what its receipt says, and the failure that the role is told."""
    (folder / "spool").mkdir()
    settings, source = settings_of(uri=clip.uri, transfer_syntax=word, icon=True)
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    with Spool.open(str(folder / "spool"), destinations=[Destination("pacs")], policy=policy) as spool:
        sealed = []
        unit = Recorder(source, Exam(settings), spool, lambda _source, done: sealed.append(done.sealed))
        with pytest.raises(EncoderFault) as failure:
            unit.record(threading.Event())
        assert spool.reader.verify().faults == ()
        assert list((folder / "spool").rglob("*.part")) == []
        assert spool.admission._outstanding == 0
        receipt = spool.receipt(sealed[0].sop_instance_uid)
        assert receipt is not None
        return dcmread(sealed[0].path), dict(receipt.events[0].detail), str(failure.value)


@pytest.mark.parametrize("word", CODED)
def test_the_clip_is_whole_without_compression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    broken_once_all_frames_are_there(monkeypatch)
    clip = grey_clip(tmp_path, FRAMES, [GREY, GREY + 2])
    made, receipt, failure = recorded(tmp_path, clip, word)
    assert f"of {FRAMES} frames all {FRAMES} are stored uncompressed" in failure
    assert (receipt["ended_by"], receipt["failure"], receipt["pixels"]) == ("frames", "native.encoder", "colour8")
    assert (made.file_meta.TransferSyntaxUID, made.PhotometricInterpretation) == (EXPLICIT_VR_LE, "RGB")
    assert int(made.NumberOfFrames) == FRAMES
    wanted = b"".join(clip.native(at) for at in range(FRAMES))
    assert made.PixelData == wanted + b"\0" * (len(wanted) % 2)


@pytest.mark.parametrize("then", ["no room", "damage"])
@pytest.mark.parametrize("word", CODED)
def test_or_else_the_grey_frames_are_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, then: str
) -> None:
    broken_once_all_frames_are_there(monkeypatch, then=then)
    clip = grey_clip(tmp_path, FRAMES, [GREY, GREY + 2])
    made, receipt, failure = recorded(tmp_path, clip, word)
    monkeypatch.undo()
    assert f"the first {GREY} are stored in grey, {IN_COLOUR} from the first with colour on are lost" in failure
    assert failure.endswith(f"cannot be stored uncompressed: {then}")
    assert (receipt["ended_by"], receipt["failure"], receipt["pixels"]) == ("failed", "native.encoder", "grey8")
    assert (receipt["frames"], int(made.NumberOfFrames)) == (str(GREY), GREY)
    syntax = transfer_syntax_uid(word)
    assert (made.file_meta.TransferSyntaxUID, made.PhotometricInterpretation) == (syntax, "MONOCHROME2")
    coded = generate_frames(made.PixelData, number_of_frames=GREY)
    back = [bytes(compress.decode(body, syntax, PixelDescription(ROWS, COLUMNS))) for body in coded]
    assert back == [clip.frames[at, ..., 0].tobytes() for at in range(GREY)]
    end = bytes.fromhex("feffdde000000000")
    assert Path(made.filename).read_bytes().endswith(end), "of the attempt something is left behind the frames"
