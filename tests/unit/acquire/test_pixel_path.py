"""The pixel path of a source: instances hold what numpy makes of the frames, and say what was done."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import pixel_array

from agent.acquire.described import Order
from agent.acquire.exam import Exam
from agent.acquire.filesink import FileSink
from agent.acquire.pipeline import capture
from agent.acquire.rehearsal import rehearse_sources
from agent.acquire.sources import open_configured
from agent.config import load
from agent.config.words import transfer_syntax_uid
from agent.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import SourceSettings

ROWS, COLUMNS, BITS = 24, 40, 12
DX = {
    "sop_class": "dx", "intensity_relationship": "LIN", "intensity_sign": 1, "patient_orientation": "L/F",
    "burned_in_annotation": "NO", "pixel_spacing_mm": 0.14, "laterality": "U", "view": "PA", "anatomy": "CHEST",
}  # fmt: skip


def source_of(**keys: Any) -> SourceSettings:
    return load.parse('[[source]]\nname = "probe"\nuri = "pattern:us-rgb"\n').source[0]._replace(**keys)


def panel(folder: Path, **keys: Any) -> tuple[SourceSettings, np.ndarray[Any, Any]]:
    """A replay of one frame of 12 bits, and the frame."""
    frame = np.random.default_rng(1).integers(0, 1 << BITS, (ROWS, COLUMNS), dtype=np.uint16)
    (folder / "panel.raw").write_bytes(frame.astype("<u2").tobytes())
    sidecar = f"rows = {ROWS}\ncolumns = {COLUMNS}\nbits_allocated = 16\nbits_stored = {BITS}\n"
    (folder / "panel.toml").write_text(sidecar)
    return source_of(uri=f"replay:{folder}/panel.raw", transfer_syntax="explicit", **{**DX, **keys}), frame


def made(folder: Path, source: SourceSettings) -> tuple[Any, np.ndarray[Any, Any]]:
    """The Data Set, and all samples of the frames as pydicom reads them."""
    settings = load.parse('[patient]\nname = "DOE^JANE"\n[[source]]\nname = "probe"\nuri = "pattern:us-rgb"\n')
    path = folder / f"{len(list(folder.iterdir()))}.dcm"
    sink = FileSink(str(path))
    try:
        with open_configured(source) as opened:
            order = Order(source, transfer_syntax_uid(source.transfer_syntax))
            capture(opened, order, Exam(settings), sink, threading.Event())
        sink.publish()
    finally:
        sink.abandon()
    data_set = dcmread(path)
    return data_set, data_set.pixel_array


def contribution(data_set: Any) -> str:
    [item] = data_set.ContributingEquipmentSequence
    return str(item.ContributionDescription)


def test_a_panel_is_corrected_bent_hidden_and_cropped(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    offset = rng.integers(0, 300, (ROWS, COLUMNS), dtype=np.uint16)
    gain = rng.integers(12000, 22000, (ROWS, COLUMNS), dtype=np.uint16)
    (tmp_path / "dark.raw").write_bytes(offset.astype("<u2").tobytes())
    (tmp_path / "gain.raw").write_bytes(gain.astype("<u2").tobytes())
    (tmp_path / "dead.txt").write_text("# of this panel\n3 4\n\n3 5  # a pair\n")
    source, frame = panel(
        tmp_path, offset_file=str(tmp_path / "dark.raw"), gain_file=str(tmp_path / "gain.raw"), pedestal=50,
        defects_file=str(tmp_path / "dead.txt"), curve="log", intensity_relationship="",
        blackout=("4,6,2,3", "20,30,4,10"), blackout_value=4095, crop="2,3,20,30",
    )  # fmt: skip
    apart = frame.astype(np.int64) - offset
    want = np.clip(np.sign(apart) * ((np.abs(apart) * gain + 8192) >> 14) + 50, 0, 4095)
    good = want.copy()
    dead = ((3, 4), (3, 5))
    for row, column in dead:
        places = [(r, c) for r in range(2, 5) for c in range(column - 1, column + 2) if (r, c) not in dead]
        want[row, column] = (sum(good[place] for place in places) + len(places) // 2) // len(places)
    want = np.floor(4095 * np.log1p(want) / np.log1p(4095) + 0.5).astype("<u2")
    want[4:6, 6:9] = want[20:24, 30:40] = 4095
    want = want[2:22, 3:33]
    ds, stored = made(tmp_path, source)
    assert np.array_equal(stored, want)
    assert (ds.Rows, ds.Columns, ds.BitsStored) == (20, 30, BITS)
    assert ds.PixelIntensityRelationship == "LOG"
    assert ds.BurnedInAnnotation == "NO"
    assert ds.ImageType[0] == "ORIGINAL"
    assert contribution(ds).endswith(
        "; dark frame and gain corrected, dead pixels replaced, logarithm of samples, 2 regions blacked out, "
        "cropped to 2,3,20,30"
    )


def test_a_curve_keeps_how_samples_are_allocated(tmp_path: Path) -> None:
    """Eight bits in two bytes stay so: the table's entries are made as wide."""
    frame = np.arange(256, dtype="<u2").reshape(16, 16)
    (tmp_path / "a.raw").write_bytes(frame.tobytes())
    (tmp_path / "a.toml").write_text("rows = 16\ncolumns = 16\nbits_allocated = 16\nbits_stored = 8\n")
    source = source_of(uri=f"replay:{tmp_path}/a.raw", curve="sqrt")
    with open_configured(source) as opened:
        opened.source.start()
        assert opened.source.wait(5)
        taken = opened.source.take()
        assert taken is not None
        want = np.floor(np.sqrt(frame * 255.0) + 0.5).astype("<u2")
        assert bytes(taken.data) == want.tobytes()
        opened.source.give_back(taken)


@pytest.mark.parametrize(("signed", "centre", "width"), [(0, 1000, 1500), (0, 2047.5, 1), (1, -300.5, 801.25)])
def test_a_window_is_burnt_into_a_secondary_capture_and_said(
    tmp_path: Path, signed: int, centre: float, width: float
) -> None:
    source, frame = panel(tmp_path, sop_class="sc", window_center=centre, window_width=width)
    values = frame.astype(np.int64)
    if signed:
        values = (values + 2048) % 4096 - 2048
        (tmp_path / "panel.raw").write_bytes(values.astype("<i2").tobytes())
        with (tmp_path / "panel.toml").open("a") as file:
            file.write("pixel_representation = 1\n")
    ds, stored = made(tmp_path, source)
    assert (ds.WindowCenter, ds.WindowWidth, ds.BitsStored) == (centre, width, BITS)
    assert np.array_equal(stored, values)
    ds, stored = made(tmp_path, source._replace(burn_window=True, blackout=("0,0,2,2",), blackout_value=255))
    # PS3.3 C.11.2.1.2.1 with y from 0 to 255
    c, w = centre - 0.5, width - 1
    linear = ((values - c) / w + 0.5) * 255 if w else np.where(values <= c, 0.0, 255.0)
    want = np.where(values <= c - w / 2, 0, np.where(values > c + w / 2, 255, np.floor(linear + 0.5)))
    want[:2, :2] = 255
    assert np.array_equal(stored, want)
    assert (ds.BitsAllocated, ds.BitsStored, ds.PixelRepresentation) == (8, 8, 0)
    assert "WindowCenter" not in ds
    assert contribution(ds).endswith(f"; window {centre:g}/{width:g} burnt in, 1 region blacked out")


def test_rgb_becomes_ybr_full_as_dicom_says_and_grey_comes_back(tmp_path: Path) -> None:
    frame = np.random.default_rng(4).integers(0, 256, (15, 17, 3), dtype=np.uint8)
    frame[:8] = frame[:8, :, :1]
    frame[14, :8] = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)])
    (tmp_path / "a.ppm").write_bytes(b"P6 17 15 255\n" + frame.tobytes())
    source = source_of(
        uri=f"replay:{tmp_path}/a.ppm", sop_class="us", transfer_syntax="rle", ybr_full=True, blackout=("2,1,3,4",),
        blackout_value=9, crop="1,0,14,17",
    )  # fmt: skip
    ds, back = made(tmp_path, source)  # pydicom's way back to RGB
    # PS3.3 C.7.6.3.1.2, in ten thousandths
    turn = np.array([[2990, 5870, 1140], [-1687, -3313, 5000], [5000, -4187, -813]])
    want = np.clip((frame.astype(np.int64) @ turn.T + [0, 1280000, 1280000] + 5000) // 10000, 0, 255)
    want[2:5, 1:5] = (9, 128, 128)
    assert ds.PhotometricInterpretation == "YBR_FULL"
    assert np.array_equal(pixel_array(ds, raw=True), want[1:])
    assert (want[:8, :, 1:] == 128).all()
    assert contribution(ds).endswith("; RGB to YBR_FULL, 1 region blacked out, cropped to 1,0,14,17")
    frame[2:5, 1:5] = 9
    assert np.array_equal(back[:7], frame[1:8])
    assert np.abs(back.astype(int) - frame[1:]).max() <= 2


def test_a_black_out_alone_says_nothing_of_burned_in_annotation(tmp_path: Path) -> None:
    picture = tmp_path / "a.ppm"
    picture.write_bytes(b"P6 16 16 255\n" + bytes(range(256)) * 3)
    source = source_of(uri=f"replay:{picture}", sop_class="us", transfer_syntax="explicit", blackout=("0,0,2,16",))
    assert "BurnedInAnnotation" not in made(tmp_path, source)[0]
    ds, stored = made(tmp_path, source._replace(burned_in_annotation="NO", blackout_value=7))
    assert ds.BurnedInAnnotation == "NO"
    assert stored.tobytes() == b"\x07" * 96 + (bytes(range(256)) * 3)[96:]
    assert contribution(ds).endswith("; 1 region blacked out")


@pytest.mark.parametrize("grey", [False, True])
def test_a_cropped_clip_is_compressed_and_may_be_grey(tmp_path: Path, *, grey: bool) -> None:
    picture = tmp_path / "a.ppm"
    picture.write_bytes(b"P6 16 16 255\n" + bytes(value for value in range(256) for _ in range(3)))
    source = source_of(
        uri=f"replay:{tmp_path}/a.ppm?repeat=1", transfer_syntax="rle", clip_frames=3, crop="2,1,9,14",
        grey_as_monochrome=grey,
    )  # fmt: skip
    ds, stored = made(tmp_path, source)
    assert ds.PhotometricInterpretation == ("MONOCHROME2" if grey else "RGB")
    assert np.array_equal(stored if grey else stored[..., 1], [np.arange(256).reshape(16, 16)[2:11, 1:15]] * 3)
    assert "; cropped to 2,1,9,14" in contribution(ds)


def test_the_slot_is_free_as_soon_as_the_frame_is_done(tmp_path: Path) -> None:
    source, frame = panel(tmp_path, crop="0,0,1,2")
    with open_configured(source) as opened:
        opened.source.start()
        assert opened.source.wait(5)
        taken = opened.source.take()
        assert taken is not None
        assert bytes(taken.data) == frame[0, :2].astype("<u2").tobytes()
        assert taken.data.readonly
        opened.source.give_back(taken)
        with pytest.raises(ValueError, match="released"):
            bytes(taken.data)
        opened.source.wait(5)
        assert opened.source.take() is None
        assert opened.source.ended
        assert opened.source.counters().delivered == 1
        opened.source.stop()


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ({"crop": "0,0,25,40"}, "crop", "0,0,25,40 leaves its frames of 24 rows and 40 columns"),
        ({"blackout": ("0,0,1,1", "3,40,1,1")}, "blackout", "3,40,1,1 leaves its frames"),
        ({"blackout": ("0,0,1,1",), "blackout_value": 4096}, "blackout_value", "4096 is no sample of 12 bits"),
        ({"burn_window": True, "window_width": 0.5}, "window_width", "LINEAR is 0.5 wide"),
        ({"offset_file": "panel.toml"}, "offset_file", "bytes, a frame has 1920"),
        ({"gain_file": "long"}, "gain_file", "holds more than 1920 bytes"),
        ({"gain_file": "none"}, "gain_file", "No such file"),
        ({"offset_file": "panel.raw", "pedestal": 4096}, "pedestal", "4096 needs more than the 12 bits"),
        ({"defects_file": "words"}, "defects_file", "words:2: a dead pixel is ROW COLUMN"),
        ({"defects_file": "outside"}, "defects_file", "dead pixel 24, 0 is outside of 24 x 40"),
        ({"defects_file": "all"}, "defects_file", "outside of its limits"),
        ({"defects_file": "endless"}, "defects_file", "holds more than 1048576 bytes"),
    ],
)
def test_what_does_not_fit_names_its_key_before_the_first_trigger(
    tmp_path: Path, keys: dict[str, Any], key: str, words: str
) -> None:
    (tmp_path / "long").write_bytes(bytes(1921))
    (tmp_path / "words").write_text("1 2\n1\n")
    (tmp_path / "outside").write_text("24 0\n")
    (tmp_path / "all").write_text("".join(f"{row} {column}\n" for row in range(ROWS) for column in range(COLUMNS)))
    (tmp_path / "endless").write_bytes(b"#" * ((1 << 20) + 1))
    keys = {name: str(tmp_path / value) if name.endswith("_file") else value for name, value in keys.items()}
    source, _ = panel(tmp_path, **keys)
    with pytest.raises(ConfigError, match="source 'probe', ") as caught:
        open_configured(source)
    assert words in str(caught.value)
    settings = load.parse('[[source]]\nname = "probe"\nuri = "pattern:us-rgb"\n')._replace(source=(source,))
    [(where, said)] = rehearse_sources(settings).problems
    assert where == f"source[0].{key}"
    assert words in said


def test_colour_is_not_corrected_nor_bent() -> None:
    for keys, words in (
        ({"gain_file": "x"}, "16 bits"),
        ({"curve": "sqrt"}, "one unsigned sample"),
        ({"burn_window": True, "window_width": 9.0}, "a window is for grey"),
        ({"uri": "pattern:us-mono", "ybr_full": True}, "are not RGB of 8 bits by pixel"),
    ):
        with pytest.raises(ConfigError, match=words):
            open_configured(source_of(**{"uri": "pattern:us-rgb?rows=32&columns=32", **keys}))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('crop = "1,2,3"', "a region is TOP,LEFT,ROWS,COLUMNS"),
        ('crop = "0,0,0,4"', "1 to 65535 rows"),
        ('blackout = ["0,0,1,1", "a"]', "a region is TOP,LEFT,ROWS,COLUMNS"),
        ('blackout = "0,0,1,1"', 'write ["0,0,1,1"]'),
        (f"blackout = {['0,0,1,1'] * 65}".replace("'", '"'), "has 65 regions, at most 64"),
        ("pedestal = 5", "needs an offset_file or a gain_file"),
        ('curve = "log"\nintensity_relationship = "LIN"', "makes the Pixel Intensity Relationship LOG"),
        ('curve = "sqrt"\nintensity_relationship = "LOG"', "neither LIN nor LOG"),
        ('curve = "sqrt"\nsop_class = "dx"', "dx has no word for it"),
        ('ybr_full = true\nsop_class = "us"', "'us' is YBR_FULL in rle alone, and transfer_syntax is explicit"),
        ("ybr_full = true", "'xa' keeps its photometric interpretation"),
        ('ybr_full = true\nsop_class = "sc"\ngrey_as_monochrome = true', "grey_as_monochrome exclude each other"),
        ("burn_window = true\nwindow_width = 9", "is for sc and sc-mf-byte; 'xa' carries its window beside"),
        ('burn_window = true\nsop_class = "sc"', "needs window_center and window_width"),
        ('curve = "cube"', "is not one of '', log, sqrt"),
    ],
)
def test_keys_that_contradict_themselves(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load.parse(f'[[source]]\nname = "probe"\nuri = "pattern:dx16"\nsop_class = "xa"\n{line}\n'.replace(
            'sop_class = "xa"\n' if "sop_class" in line else "\0", ""))  # fmt: skip
    assert said in str(caught.value) + str(caught.value.problems)
