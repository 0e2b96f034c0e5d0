"""A frame grabber: pixels of every format, every loss counted, every mistake told in words; an emulated device."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from fakes.command import COMMAND_S, Answer
from fakes.site import AGENT
from fakes.v4l2_device import BY_ID, DEVICE, Commands, FakeDevice, build, oracle

ROWS, COLUMNS = 16, 24
GREYS = ("GREY", "Y10", "Y12", "Y14", "Y16", "Y16_BE")
COLOURS = ("RGB3", "BGR3", "XR24", "YUYV", "UYVY", "NV12", "YU12")
PLAIN = f"format GREY {COLUMNS}x{ROWS}\nrates 200\n"


@pytest.fixture(scope="session")
def grabber(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeDevice, Commands]]:
    folder = tmp_path_factory.mktemp("v4l2")
    made = FakeDevice(folder, build(folder))
    commands = Commands(made)
    yield made, commands
    commands.close()


@pytest.fixture
def device(grabber: tuple[FakeDevice, Commands]) -> FakeDevice:
    return grabber[0]


@pytest.fixture
def run(grabber: tuple[FakeDevice, Commands]) -> Callable[..., Answer]:
    return grabber[1].run


def capture(run: Callable[..., Answer], tmp_path: Path, query: str, *, frames: int = 4, path: str = DEVICE) -> Answer:
    made = tmp_path / "made.dcm"
    made.unlink(missing_ok=True)
    wide = "format=Y1" in query
    kind = ("sc-mf-word", "--set", "burned_in_annotation=NO") if wide else ("us-mf",)
    words = ("--sop-class", *kind, "--frames", frames, "-o", made, "--json")
    return run("capture", "--source", f"v4l2:{path}?{query}", *words)


def pixels(tmp_path: Path) -> tuple[Any, pydicom.Dataset]:
    dataset = pydicom.dcmread(tmp_path / "made.dcm")
    return dataset.pixel_array, dataset


@pytest.mark.parametrize("api", ["", "planar\n"], ids=["single", "planar"])
@pytest.mark.parametrize("name", GREYS + COLOURS)
def test_pixels_of_every_format_come_through(
    name: str, api: str, device: FakeDevice, run: Callable[..., Answer], tmp_path: Path
) -> None:
    device.script(f"format MJPG 48x32\nformat {name} 48x32 {COLUMNS}x{ROWS}\nrates 200\npad 8\n{api}")
    answer = capture(run, tmp_path, f"format={name}&columns={COLUMNS}&rows={ROWS}")
    assert answer.returncode == 0, answer.stderr
    found, dataset = pixels(tmp_path)
    assert dataset.PhotometricInterpretation == ("MONOCHROME2" if name in GREYS else "RGB")
    bits = int(name[1:3]) if name in GREYS and name != "GREY" else 8
    assert (dataset.BitsStored, dataset.FrameTime) == (bits, pytest.approx(5, abs=0.01))
    for sequence, frame in enumerate(found):
        np.testing.assert_array_equal(frame, oracle(name, sequence, ROWS, COLUMNS, pad=8))


def test_losses_are_counted_each_as_what_it_is(device: FakeDevice, run: Callable[..., Answer], tmp_path: Path) -> None:
    device.script(f"{PLAIN}gap 2 3 7\nerror 4\nshort 5\nempty 9\n")
    answer = capture(run, tmp_path, "", frames=6)
    assert answer.json["dropped"] == 6
    assert answer.json["losses"] == {"lost": 3, "damaged": 3, "restarts": 0}
    found, dataset = pixels(tmp_path)
    for frame, sequence in zip(found, (0, 1, 6, 8, 10, 11), strict=True):
        np.testing.assert_array_equal(frame, oracle("GREY", sequence, ROWS, COLUMNS))
    np.testing.assert_allclose(
        np.diff([0, 0, *np.cumsum(dataset.FrameTimeVector[1:])])[1:], [5, 25, 10, 10, 5], atol=0.01
    )
    assert "Frames dropped during capture: 6" in dataset.ImageComments


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ("gone 5", "the device vanished while it was in use (VIDIOC_DQBUF: No such device, ENODEV)"),
        ("fatal 5", "reading from the file or device failed (VIDIOC_DQBUF: Input/output error, EIO)"),
        ("change 5", "the device now sends pictures of another size or kind (V4L2_EVENT_SOURCE_CHANGE)"),
    ],
)
def test_a_clip_is_kept_as_far_as_it_goes(
    end: str, says: str, device: FakeDevice, run: Callable[..., Answer], tmp_path: Path
) -> None:
    device.script(f"format GREY {COLUMNS}x{ROWS} 12x8\nrates 50\n{end}\n")
    answer = capture(run, tmp_path, "", frames=100)
    assert answer.returncode == 41
    assert f"v4l2 {DEVICE}: {says} [native.device]" in answer.stderr
    found, dataset = pixels(tmp_path)
    assert 1 < dataset.NumberOfFrames <= 5
    for sequence, frame in enumerate(found):
        np.testing.assert_array_equal(frame, oracle("GREY", sequence, ROWS, COLUMNS))


@pytest.mark.parametrize(
    ("lines", "query", "says"),
    [
        ("", "format=Y13", "it has no pixel format 'Y13'; of what it has can be taken: YUYV, Y12; did you mean 'Y12'?"),
        ("", "format=MJPG", "its MJPG cannot be taken; of what it has can be taken: YUYV, Y12"),
        ("", "columns=50", "asked for YUYV 50x48, it gives YUYV 64x48; it offers 64x48, 32x24"),
        ("stubborn format", "format=Y12", "asked for Y12 64x48, it gives YUYV 64x48"),
        ("", "rate_hz=40", "asked for 40 frames/s, it gives 50; for YUYV 64x48 it offers 50, 25"),
        ("stubborn rate", "rate_hz=25", "asked for 25 frames/s, it gives 50; for YUYV 64x48 it offers 50, 25"),
        ("", "input=svideo", "it has no input 'svideo'; it has Camera, HDMI"),
        ("", "input=hdmi", "no signal at its input 'HDMI'"),
        ("", "control.gian=5", "it has no control 'gian'; did you mean 'gain'?"),
        ("", "control.gain=500", "control 'gain' cannot be 500; it goes from 0 to 100 in steps of 5"),
        ("", "control.gain=53", "control 'gain': asked for 53, it took 50; it goes from 0 to 100 in steps of 5"),
        ("", "control.auto_gain=maybe", "control 'auto_gain' cannot be 'maybe'; it goes from 0 to 1"),
        ("", "control.mode=choice_1", "control 'mode' cannot be 'choice_1'; it is one of choice_0, choice_2"),
        ("fail REQBUFS EBUSY", "", "somebody else uses the device (VIDIOC_REQBUFS: Device or resource busy, EBUSY)"),
        ("fail S_FMT EBUSY", "", "somebody else uses the device (VIDIOC_S_FMT: Device or resource busy, EBUSY)"),
        ("fail S_EXT_CTRLS EIO", "control.gain=5", "control 'gain': reading from the file or device failed (VIDIOC_S_"),
        ("fail STREAMON ENOMEM", "", "not enough memory for the source (VIDIOC_STREAMON: Cannot allocate memory, ENOM"),
        ("absent", "", "cannot be opened: No such file or directory"),
        ("colour 10 6 0", "", "the device cannot do what was asked for (its colours are neither of ITU-R BT.601"),
        ("control Twist twist 0 90 90 0", "control.twist=90", "size or kind (columns 64, now 48; rows 48, now 64; b"),
        ("change_at S_FMT", "", "the device now sends pictures of another size or kind (V4L2_EVENT_SOURCE_CHANGE)"),
        ("buffers 1 1", "", "not enough memory for the source (VIDIOC_REQBUFS gave less than two buffers)"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(
    lines: str, query: str, says: str, device: FakeDevice, run: Callable[..., Answer], tmp_path: Path
) -> None:
    device.script(
        "format YUYV 64x48 32x24\nformat Y12 64x48\nformat MJPG 64x48\nrates 50 25\ninput Camera 0\ninput HDMI 2 50\n"
        f"control Gain int 0 100 5 20\ncontrol Auto,_Gain bool 0 1 1 1\ncontrol Mode menu 0 2 1 0\n{lines}\n"
    )
    answer = capture(run, tmp_path, query)
    assert answer.returncode == 41
    assert f"v4l2 {DEVICE}" in answer.stderr
    assert says in answer.stderr
    assert not (tmp_path / "made.dcm").exists()


def test_controls_input_and_rate_are_set_and_the_device_is_found_by_its_name(
    device: FakeDevice, run: Callable[..., Answer], tmp_path: Path
) -> None:
    device.script(
        f"format GREY {COLUMNS}x{ROWS}\nrates 50 100\ninput Camera 0\ninput HDMI 0 100\n"
        "control Gain int 0 100 5 20\ncontrol Mode menu 0 2 1 0\ncontrol Save button 0 0 0 0\n"
    )
    query = "input=hdmi&control.gain=55&control.mode=choice_2&control.save=1"
    answer = capture(run, tmp_path, query, path=BY_ID)
    assert answer.returncode == 0, answer.stderr
    found, dataset = pixels(tmp_path)
    assert found.shape[1:] == (ROWS, COLUMNS)
    assert float(dataset.FrameTime) == pytest.approx(10, abs=0.01)


def test_a_control_that_turns_the_picture_is_set_before_it_is_agreed_on(
    device: FakeDevice, run: Callable[..., Answer], tmp_path: Path
) -> None:
    device.script(f"{PLAIN}control Rotate turn 0 270 90 0\n")
    for query in (f"control.rotate=90&columns={ROWS}&rows={COLUMNS}", "control.rotate=90"):
        answer = capture(run, tmp_path, query)
        assert answer.returncode == 0, answer.stderr
        found, _ = pixels(tmp_path)
        for sequence, frame in enumerate(found):
            np.testing.assert_array_equal(frame, oracle("GREY", sequence, COLUMNS, ROWS))


def test_a_mirrored_bayer_picture_is_never_taken_for_what_it_was(
    device: FakeDevice, run: Callable[..., Answer], tmp_path: Path
) -> None:
    device.script(f"format RGGB {COLUMNS}x{ROWS}\nrates 200\ncontrol Mirror flip 0 1 1 0\n")
    answer = capture(run, tmp_path, "format=RGGB&control.mirror=on")
    assert answer.returncode == 41
    assert "it has no pixel format 'RGGB'; of what it has can be taken: GRBG" in answer.stderr
    assert capture(run, tmp_path, "format=GRBG&control.mirror=on").returncode == 0


def test_what_a_device_offers_is_shown(device: FakeDevice, run: Callable[..., Answer], tmp_path: Path) -> None:
    device.script(
        "format YUYV 64x48 32x24\nformat MJPG 64x48\nrates 50 25\ninput Camera 0\ncontrol Gain int 0 100 5 20\n"
    )
    told = json.loads(run("source", "show", f"v4l2:{DEVICE}", "--json").stdout)
    assert told["now"] == {"format": "YUYV", "columns": 64, "rows": 48, "rate_hz": 50}
    assert [(one["format"], one["usable"]) for one in told["formats"]] == [("YUYV", True), ("MJPG", False)]
    assert [one["size"] for one in told["formats"][0]["sizes"]] == ["64x48", "32x24"]
    assert told["formats"][0]["sizes"][0]["rates_hz"] == ["50", "25"]
    assert [(one["name"], one["value"], one["step"]) for one in told["controls"]] == [("gain", 20, 5)]
    text = run("source", "show", f"v4l2:{DEVICE}").stdout
    assert "set to: format=YUYV&columns=64&rows=48, 50 frames/s" in text
    assert "control.gain  20   0 to 100 in steps of 5" in text
    assert run("source", "show", "pattern:us-rgb").returncode == 2
    assert run("source", "show", "v4l2:/dev/null").returncode == 41


def test_devices_are_listed_by_the_names_that_stay(
    device: FakeDevice, run: Callable[..., Answer], tmp_path: Path
) -> None:
    folder = tmp_path / "dev"
    (folder / "v4l/by-id").mkdir(parents=True)
    for name in ("video0", "video10", "video2"):
        (folder / name).touch()
    (folder / "v4l/by-id/usb-Fake").symlink_to(folder / "video2")
    device.script(PLAIN, paths=f"{folder}/video2")
    code = "import json, sys; from agent.acquire.v4l2_offers import devices; print(json.dumps(devices(sys.argv[1])))"
    done = subprocess.run(
        [Path(AGENT).with_name("python"), "-c", code, str(folder)],
        env=device.environment(), capture_output=True, text=True, timeout=COMMAND_S, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [one["uri"].removeprefix(f"v4l2:{folder}") for one in found] == [
        "/video0",
        "/v4l/by-id/usb-Fake",
        "/video10",
    ]
    assert [bool(one["problem"]) for one in found] == [True, False, True]
    assert found[1]["card"] == "Fake grabber"


HELD = """
import sys, threading
from agent.acquire.sources import open_source
first = open_source(sys.argv[1]).source
threading.Timer(0.3, first.close).start()
with open_source(sys.argv[1]).source as second:
    second.start()
    while not (second.wait(5.0) and (frame := second.take())):
        pass
    print(frame.number)
    second.give_back(frame)
"""


def test_who_only_looks_at_a_device_costs_nobody_a_capture(device: FakeDevice) -> None:
    device.script(PLAIN)
    words = [Path(AGENT).with_name("python"), "-c", HELD, f"v4l2:{DEVICE}"]
    done = subprocess.run(
        words, env=device.environment(), capture_output=True, text=True, timeout=COMMAND_S, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
