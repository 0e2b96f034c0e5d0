"""Source to instance: each frame in its place, each loss counted, each end of a clip, nothing left after an error."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.acquire import described, pipeline
from agent.acquire.exam import Exam
from agent.acquire.filesink import FileSink
from agent.acquire.frame_log import FrameLog, read_frame_log
from agent.acquire.pipeline import Captured, Order, capture
from agent.acquire.sources import Opened, open_source
from agent.acquire.writers import make_writer
from agent.config import load
from agent.config.settings import Settings, SourceSettings
from agent.config.words import LOSSLESS, MADE, transfer_syntax_uid
from agent.dataset.pixels import PixelDescription, near_excess
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, JPEG_LS_NEAR, is_encapsulated, is_lossy
from agent.errors import DeviceError, FileError, IodError, NativeArgumentError, SpoolFull, UsageError
from agent.iod.syntaxes import LOSSY_METHOD
from agent.media.reader import Instance, open_instance
from agent.native import compress
from agent.native._core import ffi
from agent.native.frame import Frame, read_mark
from agent.native.source import Counters

TOML = """
[agent]
institution_name = "Bench Hospital"
[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=48&columns=64&rate_hz=0"
clip_frames = 10
clip_s = 3600
"""


def settings_of(**changes: Any) -> tuple[Settings, SourceSettings]:
    settings = load.parse(TOML)
    return settings, settings.source[0]._replace(**changes)


def run(path: Path, source: SourceSettings, settings: Settings, **how: Any) -> Captured:
    sink = FileSink(str(path))
    try:
        with open_source(source.uri) as opened:
            order = Order(source, transfer_syntax_uid(source.transfer_syntax), how.get("digest"))
            done = capture(opened, order, how.get("exam") or Exam(settings), sink, how.get("stop") or threading.Event())
        sink.publish()
    finally:
        sink.abandon()
    return done


def read(path: Path) -> Instance:
    fd = os.open(path, os.O_RDONLY)
    return open_instance(partial(os.pread, fd), os.fstat(fd).st_size)


def native_frame(instance: Instance, index: int) -> bytes:
    data = instance.read_frame(index)
    syntax = instance.meta.transfer_syntax_uid
    if not is_encapsulated(syntax):
        return data
    assert instance.pixels is not None
    return bytes(compress.decode(data, syntax, instance.pixels.description))


@pytest.mark.parametrize("word", ["explicit", "implicit", "rle", "jpeg-ls", "deflated"])
def test_every_frame_arrives_as_the_source_made_it(tmp_path: Path, word: str) -> None:
    settings, source = settings_of(transfer_syntax=word)
    digests: list[tuple[int, int, str]] = []

    def note(_uid: str, frame: int, number: int, data: memoryview, *_: object) -> None:
        digests.append((frame, number, hashlib.sha256(data).hexdigest()))

    done = run(tmp_path / "a.dcm", source, settings, digest=note)
    assert (done.frames, done.dropped, done.ended_by) == (10, 0, "frames")
    instance = read(tmp_path / "a.dcm")
    assert instance.meta.sop_instance_uid == done.sop_instance_uid
    assert instance.number_of_frames == 10
    for index in range(10):
        data = native_frame(instance, index)
        assert (index + 1, index + 1, hashlib.sha256(data).hexdigest()) == digests[index]
        mark = read_mark(data, instance.pixels.description)
        assert mark is not None
        assert mark.number == index + 1
    ds = instance.dataset
    assert ds["NumberOfFrames"] == 10
    assert float(str(ds["FrameTime"])) == described.NOMINAL_FRAME_TIME_MS
    assert "nominal" in str(ds["ImageComments"])
    assert ds["InstitutionName"] == "Bench Hospital"
    assert ds["StudyInstanceUID"] == done.study_uid


def test_a_clip_ends_by_time_and_its_frame_time_is_measured(tmp_path: Path) -> None:
    settings, source = settings_of(uri="pattern:us-mono?rows=48&columns=64&rate_hz=100", clip_frames=0, clip_s=0.2)
    done = run(tmp_path / "a.dcm", source, settings)
    assert done.ended_by in ("time", "frames")
    assert 10 <= done.frames <= 21
    ds = read(tmp_path / "a.dcm").dataset
    if done.dropped == 0 and "FrameTime" in ds:
        assert abs(float(str(ds["FrameTime"])) - done.frame_time_ms) < 0.001
    assert done.counters.delivered + done.counters.waiting + done.counters.dropped == done.counters.last


def test_a_clip_that_is_stopped_is_completed(tmp_path: Path) -> None:
    settings, source = settings_of(clip_frames=0)
    stop = threading.Event()

    def note(_uid: str, frame: int, _number: int, _data: memoryview, *_: object) -> None:
        if frame == 4:
            stop.set()

    done = run(tmp_path / "a.dcm", source, settings, digest=note, stop=stop)
    assert (done.frames, done.ended_by) == (4, "stop")
    assert read(tmp_path / "a.dcm").number_of_frames == 4


@pytest.mark.parametrize(
    ("kind", "uri"),
    [("us", "us-rgb"), ("us", "us-mono"), ("dx", "dx16"), ("cr", "dx16"), ("sc", "us-rgb")],
)
def test_single_frame_kinds_take_one_frame(tmp_path: Path, kind: str, uri: str) -> None:
    settings, source = settings_of(sop_class=kind, uri=f"pattern:{uri}?rows=64&columns=64&rate_hz=0", clip_frames=0)
    done = run(tmp_path / "a.dcm", source, settings)
    assert done.frames == 1
    assert read(tmp_path / "a.dcm").dataset["Modality"] == {"us": "US", "dx": "DX", "cr": "CR", "sc": "OT"}[kind]


def test_one_exam_is_one_study_with_one_series_per_source(tmp_path: Path) -> None:
    settings, probe = settings_of(clip_frames=1)
    other = probe._replace(name="other")
    exam = Exam(settings)
    done = [run(tmp_path / f"{i}", source, settings, exam=exam) for i, source in enumerate((probe, probe, other))]
    sets = [read(tmp_path / f"{i}").dataset for i in range(3)]
    assert len({d.study_uid for d in done}) == 1
    assert done[0].series_uid == done[1].series_uid != done[2].series_uid
    assert [d["InstanceNumber"] for d in sets] == [1, 2, 1]
    assert [d["SeriesNumber"] for d in sets] == [1, 1, 2]
    assert len({(d["StudyDate"], d["StudyTime"]) for d in sets}) == 1
    assert Exam(settings).study_uid != exam.study_uid


def test_what_cannot_be_built_is_refused_before_the_first_frame(tmp_path: Path) -> None:
    settings, source = settings_of(sop_class="dx")
    frames: list[int] = []
    with pytest.raises(IodError):
        run(tmp_path / "a.dcm", source, settings, digest=lambda *given: frames.append(1))
    assert frames == []
    assert list(tmp_path.iterdir()) == []


def test_a_syntax_this_build_lacks_is_refused_with_what_it_has(tmp_path: Path) -> None:
    settings, source = settings_of(transfer_syntax="1.2.840.10008.1.2.4.50")
    with pytest.raises(UsageError, match=r"cannot make instances in 1.2.840.10008.1.2.4.50") as caught:
        run(tmp_path / "a.dcm", source, settings)
    assert (
        caught.value.hint
        == "Available: explicit, implicit, deflated, rle, jpeg-ls, jpeg-lossless, htj2k, jpeg-ls-near."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("word", "near"), [("jpeg-ls-near", 0), ("jpeg-ls", 1), ("explicit", 1)])
def test_loss_and_its_transfer_syntax_come_together(tmp_path: Path, word: str, near: int) -> None:
    settings, source = settings_of(transfer_syntax=word, near=near)
    with pytest.raises(UsageError, match="near"):
        run(tmp_path / "a.dcm", source, settings)
    assert list(tmp_path.iterdir()) == []


def test_loss_is_stated_as_the_encoder_says(tmp_path: Path) -> None:
    settings, source = settings_of(transfer_syntax="jpeg-ls-near", near=3, lossy_history="12.5 ISO_10918_1")
    frames: list[bytes] = []
    done = run(tmp_path / "a.dcm", source, settings, digest=lambda *given: frames.append(bytes(given[3])))
    instance = read(tmp_path / "a.dcm")
    coded = sum(len(instance.read_frame(index)) for index in range(10))
    ratio = sum(map(len, frames)) / coded
    assert done.report is not None
    assert (done.report.ratio, done.report.near) == (ratio, 3)
    dataset = instance.dataset
    assert dataset["LossyImageCompression"] == "01"
    assert list(map(float, dataset["LossyImageCompressionRatio"])) == [12.5, round(ratio, 3)]
    assert dataset["LossyImageCompressionMethod"] == ["ISO_10918_1", "ISO_14495_1"]
    assert "no sample differs by more than 3" in str(dataset["ImageComments"])
    worst = max(
        abs(a - b)
        for index, frame in enumerate(frames)
        for a, b in zip(frame, native_frame(instance, index), strict=True)
    )
    assert 0 < worst <= 3


def test_padding_is_not_for_loss(tmp_path: Path) -> None:
    path = tmp_path / "more.json"
    path.write_text('{"PixelPaddingValue": 0}')
    settings, source = settings_of(
        sop_class="dx", uri="pattern:dx16?rows=64&columns=64&rate_hz=0", clip_frames=0, transfer_syntax="jpeg-ls-near",
        near=1, attributes_file=str(path),
    )  # fmt: skip
    with pytest.raises(IodError, match="Pixel Padding Value"):
        run(tmp_path / "a.dcm", source, settings)


def test_the_words_of_the_configuration_are_what_the_core_compresses() -> None:
    encapsulated = {transfer_syntax_uid(word) for word in MADE if is_encapsulated(transfer_syntax_uid(word))}
    core = set(compress.TRANSFER_SYNTAXES) - {compress.JPEG_LOSSLESS}  # we make the narrower SV1
    assert encapsulated == core | {compress.HTJ2K_LOSSLESS}
    assert {word for word in MADE if is_lossy(transfer_syntax_uid(word))} == set(MADE) - {*LOSSLESS, "htj2k"}
    assert all(LOSSY_METHOD.get(syntax, "") == compress.lossy_method(syntax) for syntax in encapsulated)


def test_deflated_is_bounded(tmp_path: Path) -> None:
    description = PixelDescription(8192, 8192, bits_allocated=16, bits_stored=16, high_bit=15)
    with pytest.raises(UsageError, match="too large for the deflated"):
        make_writer(FileSink(str(tmp_path / "a")), DEFLATED_EXPLICIT_VR_LE, description, 1)


class FullSink:
    """A medium with room for a number of bytes, as a draft of the spool reports it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.data = bytearray()
        self.position = 0
        self.reserve_used = False

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int) -> None:
        self.position = offset

    def reserve(self, length: int) -> None:
        if length > self.limit and not self.reserve_used:
            raise SpoolFull("no room")

    def finishing(self) -> None:
        self.reserve_used = True

    def write(self, data: Any) -> int:
        done = self.write_at(self.position, data)
        self.position += done
        return done

    def write_at(self, offset: int, data: Any) -> int:
        view = bytes(data)
        self.data.extend(bytes(max(0, offset + len(view) - len(self.data))))
        self.data[offset : offset + len(view)] = view
        return len(view)


@pytest.mark.parametrize("word", ["explicit", "rle"])
def test_a_full_medium_ends_the_clip_and_keeps_what_there_is(word: str) -> None:
    settings, source = settings_of(transfer_syntax=word, clip_frames=50)
    syntax = transfer_syntax_uid(word)
    sink = FullSink(100_000 if word == "explicit" else 50_000)
    with open_source(source.uri) as opened:
        done = capture(opened, Order(source, syntax), Exam(settings), sink, threading.Event())
    assert done.ended_by == "full"
    assert 0 < done.frames < 50
    assert sink.reserve_used
    data = bytes(sink.data)
    instance = open_instance(lambda length, offset: data[offset : offset + length], len(data))
    assert instance.number_of_frames == done.frames
    for index in range(done.frames):
        mark = read_mark(native_frame(instance, index), instance.pixels.description)
        assert mark is not None
        assert mark.number == index + 1


def test_a_medium_without_room_for_one_frame_refuses() -> None:
    settings, source = settings_of()
    with open_source(source.uri) as opened, pytest.raises(SpoolFull):
        capture(opened, Order(source, transfer_syntax_uid("explicit")), Exam(settings), FullSink(10), threading.Event())


class FakeSource:
    """A source that delivers what a test wants: gaps, silence, nothing."""

    description = PixelDescription(16, 16)

    def __init__(
        self, numbers: list[int], *, silent: bool = False, failure: DeviceError | None = None, rate_hz: float = 10.0
    ) -> None:
        self.numbers = numbers
        self.silent = silent
        self.failure = failure
        self.rate_hz = rate_hz
        self.given: list[int] = []
        self.stopped = False

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self.stopped = True

    @property
    def ended(self) -> bool:
        return not self.numbers and not self.silent and self.failure is None

    def wait(self, _timeout_s: float | None = None) -> bool:
        return bool(self.numbers) or self.failure is not None

    def take(self) -> Frame | None:
        if not self.numbers and self.failure is not None:
            raise self.failure
        number = self.numbers.pop(0)
        now = time.monotonic_ns()
        return Frame(number, now + number * 100_000_000, memoryview(bytes([number]) * 256), number % 8)

    def give_back(self, frame: Frame) -> None:
        self.given.append(frame.number)

    def counters(self) -> Counters:
        return Counters(1, 9, 6, 3, 0, 1, 8)

    def told(self) -> tuple[tuple[str, object], ...]:
        return (("peer_frame_time_ms", 100.0),)


def test_losses_are_counted_into_instance_and_result(tmp_path: Path) -> None:
    settings, source = settings_of()
    fake = FakeSource([1, 2, 5, 6, 8])
    sink = FileSink(str(tmp_path / "a"))
    done = capture(
        Opened(fake, 0), Order(source, transfer_syntax_uid("explicit")), Exam(settings), sink, threading.Event()
    )  # type: ignore[arg-type]
    sink.publish()
    assert (done.frames, done.dropped, done.ended_by) == (5, 3, "source")
    assert fake.given == [1, 2, 5, 6, 8]
    ds = read(tmp_path / "a").dataset
    assert "3" in str(ds["ImageComments"])
    assert len(ds["FrameTimeVector"]) == 5  # type: ignore[arg-type]


def test_a_native_error_of_the_encoder_comes_out_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its traceback keeps views of the frame, which must not make giving the frame back fail and hide it."""
    settings, source = settings_of(transfer_syntax="jpeg-ls-near", near=3)
    real = compress.encode

    def too_near(*what: Any, **options: Any) -> Any:
        return real(*what, **{**options, "near": 128})  # more than 8 bits may have

    monkeypatch.setattr(compress, "encode", too_near)
    with pytest.raises(NativeArgumentError, match="encoding a frame as JPEG-LS Near-lossless"):
        run(tmp_path / "a.dcm", source, settings)
    assert list(tmp_path.iterdir()) == []


def test_an_error_behind_an_error_lets_the_frame_go_too(tmp_path: Path) -> None:
    settings, source = settings_of()

    def fail(data: memoryview) -> None:
        held = ffi.from_buffer(data)
        raise ValueError(len(held))

    def digest(_uid: str, _frame: int, _number: int, data: memoryview, *_: object) -> None:
        try:
            fail(data)
        except ValueError as error:
            raise RuntimeError("the log broke") from error

    with pytest.raises(RuntimeError, match="the log broke"):
        run(tmp_path / "a.dcm", source, settings, digest=digest)


@pytest.mark.parametrize("uri", ["pattern:us-rgb?rows=48&columns=64&rate_hz=0", "replay:{}/clip.raw?rate_hz=0"])
def test_near_has_a_limit_that_is_named_before_the_first_frame(tmp_path: Path, uri: str) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(256))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    settings, source = settings_of(uri=uri.format(tmp_path), transfer_syntax="jpeg-ls-near", near=127)
    assert run(tmp_path / "a.dcm", source, settings).frames
    with pytest.raises(UsageError, match="near = 128 is too much for samples of 8 bits: 127 at most"):
        run(tmp_path / "b.dcm", source._replace(near=128), settings)


@pytest.mark.parametrize(("bits", "most"), [(2, 1), (8, 127), (9, 255), (16, 255)])
def test_the_limit_of_near_is_that_of_the_encoder(bits: int, most: int) -> None:
    description = PixelDescription(4, 4, bits_allocated=8 if bits <= 8 else 16, bits_stored=bits, high_bit=bits - 1)
    frame = bytes(description.frame_bytes)
    assert near_excess(most, bits) == ""
    assert compress.encode(frame, JPEG_LS_NEAR, description=description, near=most)
    assert f"{most} at most" in near_excess(most + 1, bits)
    with pytest.raises(NativeArgumentError):
        compress.encode(frame, JPEG_LS_NEAR, description=description, near=most + 1)


class Stopped(FakeSource):
    """A source whose clock stands still."""

    def take(self) -> Frame | None:
        frame = super().take()
        return frame and frame._replace(timestamp_ns=1)


def test_a_clip_whose_time_stands_still_gets_the_nominal_frame_time(tmp_path: Path) -> None:
    settings, source = settings_of()
    sink = FileSink(str(tmp_path / "a"))
    order = Order(source, transfer_syntax_uid("explicit"))
    capture(Opened(Stopped([1, 2, 3]), 0), order, Exam(settings), sink, threading.Event())  # type: ignore[arg-type]
    sink.publish()
    ds = read(tmp_path / "a").dataset
    assert ds["FrameTime"] == described.NOMINAL_FRAME_TIME_MS
    assert "nominal" in str(ds["ImageComments"])


def test_a_source_without_a_frame_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, source = settings_of()
    order = Order(source, transfer_syntax_uid("explicit"))
    sink = FileSink(str(tmp_path / "a"))
    nothing = FakeSource([])
    with pytest.raises(DeviceError, match="'probe' delivered no frame"):
        capture(Opened(nothing, 0), order, Exam(settings), sink, threading.Event())  # type: ignore[arg-type]
    assert nothing.stopped
    monkeypatch.setattr(pipeline, "SILENCE_S", 0.0)
    with pytest.raises(DeviceError, match="delivered nothing for"):
        capture(Opened(FakeSource([], silent=True), 0), order, Exam(settings), sink, threading.Event())  # type: ignore[arg-type]
    sink.abandon()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [DeviceError("the cable is out"), None])
def test_a_source_that_fails_in_mid_clip_loses_no_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: DeviceError | None
) -> None:
    monkeypatch.setattr(pipeline, "SILENCE_S", 0.0)
    monkeypatch.setattr(pipeline, "SILENCE_PERIODS", 0)
    settings, source = settings_of()
    fake: Any = FakeSource([1, 2, 3], silent=failure is None, failure=failure)
    sink = FileSink(str(tmp_path / "a"))
    order = Order(source, transfer_syntax_uid("explicit"))
    done = capture(Opened(fake, 0), order, Exam(settings), sink, threading.Event())
    sink.publish()
    assert (done.frames, done.ended_by) == (3, "failed")
    assert isinstance(done.failure, DeviceError)
    assert failure in (None, done.failure)
    assert fake.stopped
    instance = read(tmp_path / "a")
    assert [instance.read_frame(index) for index in range(3)] == [bytes([n]) * 256 for n in (1, 2, 3)]
    assert "The source failed before the clip was complete" in str(instance.dataset["ImageComments"])


def test_a_file_that_shrinks_in_mid_clip_loses_no_frame(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(b"".join(bytes([n]) * 256 for n in range(40)))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    settings, source = settings_of(uri=f"replay:{tmp_path}/clip.raw?rate_hz=200", clip_frames=40)

    def cut(_uid: str, frame: int, _number: int, _data: memoryview, *_: object) -> None:
        if frame == 2:
            os.truncate(tmp_path / "clip.raw", 256 * 20 + 10)

    done = run(tmp_path / "a", source, settings, digest=cut)
    assert done.ended_by == "failed"
    assert "the file ended inside a frame" in str(done.failure)
    instance = read(tmp_path / "a")
    assert done.frames == instance.number_of_frames == 20 - done.dropped
    assert instance.read_frame(done.frames - 1) == bytes([19]) * 256


def test_a_slow_source_is_not_taken_for_dead() -> None:
    assert pipeline.silence_s(0.0) == pipeline.silence_s(30.0) == pipeline.SILENCE_S
    assert pipeline.silence_s(0.02) > 2 / 0.02


def test_a_file_is_never_replaced_and_never_half(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with pytest.raises(FileError, match="already exists"):
        FileSink(str(tmp_path / "a"))
    with pytest.raises(FileError, match="there is no folder"):
        FileSink(str(tmp_path / "no" / "a"))
    sink = FileSink(str(tmp_path / "b"))
    sink.write(b"x" * 10)
    assert not (tmp_path / "b").exists()
    assert sink.publish() == 10
    sink.abandon()
    assert (tmp_path / "b").read_bytes() == b"x" * 10
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_what_a_killed_capture_left_is_in_nobodys_way(tmp_path: Path) -> None:
    killed = FileSink(str(tmp_path / "a"))
    again = FileSink(str(tmp_path / "a"))
    again.write(b"x")
    assert again.publish() == 1
    with pytest.raises(FileError, match="already exists"):
        killed.publish()
    killed.abandon()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_the_frame_log_reads_back(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    for uid in ("1.2", "1.3"):
        with FrameLog(path) as log:
            for frame in (1, 2):
                log.add(uid, frame, frame + 5, memoryview(bytes([frame])))
    found = read_frame_log(path)
    assert found["1.2"] == found["1.3"] == [hashlib.sha256(bytes([n])).hexdigest() for n in (1, 2)]
    with open(path, "a") as file:
        file.write("1.2 7\n")
    with pytest.raises(FileError, match="damaged in line 5"):
        read_frame_log(path)
    (tmp_path / "order").write_text("1.2 7 7 00\n")
    with pytest.raises(FileError, match="out of order"):
        read_frame_log(str(tmp_path / "order"))
    with pytest.raises(FileError, match="Is a directory"):
        FrameLog(str(tmp_path))


def test_a_frame_log_that_fails_remembers_why_and_raises_nothing() -> None:
    log = FrameLog("/dev/full")
    for frame in range(1, 1000):
        log.add("1.2", frame, frame, memoryview(b"x"))
    log.close()
    log.close()
    assert str(log.failure) == "frame log /dev/full: No space left on device"


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    import tracemalloc

    settings, source = settings_of(uri="pattern:us-rgb?rows=240&columns=320&rate_hz=0", transfer_syntax="rle")
    run(tmp_path / "warm", source, settings)
    peaks = []
    for frames in (5, 60):
        tracemalloc.start()
        run(tmp_path / str(frames), source._replace(clip_frames=frames), settings)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000
