"""Templates of calibrated regions as files: what is written is read again, and every mistake is named by its place."""

from __future__ import annotations

import base64
import re
import zlib
from typing import TYPE_CHECKING

import pytest
from fakes.calibrated import SECTOR, template, write

from agent.acquire.region_template import (
    MAX_FILE_BYTES,
    MAX_MARK_BYTES,
    MAX_TEMPLATES,
    Mark,
    contrast_of,
    load,
    parse,
    text_of,
)
from agent.errors import ConfigError
from agent.iod.regions import (
    HERTZ,
    LOW_PRIORITY,
    SWEEP_THEN_SCROLL,
    Region,
    cropped,
    m_mode,
    spectrum,
    tissue,
)

if TYPE_CHECKING:
    from pathlib import Path

DOPPLER = spectrum((0, 30, 60, 47), 0.01, 2.5, 40)
EVERYTHING = (
    SECTOR._replace(flags=LOW_PRIORITY, transducer_frequency_khz=3500),
    m_mode((0, 0, 20, 20), 0.005, 0.03, mode=SWEEP_THEN_SCROLL),
    DOPPLER._replace(pulse_repetition_hz=4000),
    spectrum((0, 30, 60, 47), 0.01, 100.0, -5, frequency=True, continuous=True),
    Region(1, 2, 3, 4, 1.0, -1.0, 0, 6, spatial_format=5, data_type=17),
)


def test_what_is_written_is_read_again() -> None:
    one = template(16, *EVERYTHING, tolerance=7, model='Größe "3"')
    found = parse(text_of(one).encode(), "/x/deep.toml")
    assert found == one._replace(name="deep.toml", sha256=found.sha256)
    assert found.regions[3].units_y == HERTZ
    assert len(found.sha256) == 64
    bare = parse(text_of(template(None)).encode(), "bare.toml")
    assert (bare.marks, bare.samples) == ((), "")


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rows = 48", "", "'rows' is missing"),
        ("rows = 48", "rows = 0", "rows: 0 is no whole number from 1 to 65535"),
        ("rows = 48", "rows = true", "rows: True is no whole number"),
        ("rows = 48", "rows = 43", 'region 1: rectangle: 8,10,36,40 leaves frames of 43 rows'),
        ("model", "modell", "unknown key 'modell'; did you mean 'model'?"),
        ('"SonoX 3"', '""', "model: is no printable text"),
        ('"SonoX 3"', '"a\\u0007"', "model: is no printable text"),
        ('"RGB, 8', '3 # "', "samples: is no printable text"),
        ("[[mark]]", "[mark]", "mark: is an array of tables"),
        ("[[mark]]", "mark = [3]\n[[other]]", "unknown key 'other'"),
        ("[[region]]", "[[mark]]", "mark 2: unknown key 'spatial_format'"),
        ('"2,50,6,8"', '"2,60,6,8"', "mark 1: rectangle: 2,60,6,8 leaves frames of 48 rows and 64 columns"),
        ('"2,50,6,8"', '"2,50,6"', "mark 1: a region is TOP,LEFT,ROWS,COLUMNS"),
        ('"2,50,6,8"', '"2,50,6,7"', "mark 1: pixels: 144 bytes are no 6 rows of 7"),
        ("tolerance = 0", "tolerance = 100", "it would be found in an empty picture with a tolerance of 100"),
        ("tolerance = 0", "tolerance = -1", "tolerance: -1 is no whole number"),
        (r'pixels = ".*"', 'pixels = "*"', "pixels: are not zlib in base64"),
        (r'pixels = ".*"', 'pixels = "AAAA"', "pixels: are not zlib in base64"),
        (r'pixels = ".*"', f'pixels = "{_packed(b"")}"', "pixels: 0 bytes"),
        (r'pixels = ".*"', f'pixels = "{_packed(bytes([9] * 144))}"', "differ by 0 among themselves"),
        (r'pixels = ".*"', f'pixels = "{_packed(bytes(MAX_MARK_BYTES + 1))}"', f"more than {MAX_MARK_BYTES} bytes"),
        (r'pixels = "(.*)...."', r'pixels = "\1"', "pixels: are damaged"),
        ("[[region]]", "[[region]]\ncolour = 1", "region 1: unknown key 'colour'; known are rectangle"),
        ("delta_x = 0.05", "", "region 1: 'delta_x' is missing"),
        ("delta_x = 0.05", "delta_x = 0", "region 1: delta_x is 0, and a pixel is at most 1 cm"),
        ("delta_x = 0.05", "delta_x = 1.5", "region 1: delta_x is 1.5, and a pixel is at most 1 cm"),
        ("delta_x = 0.05", "delta_x = nan", "region 1: delta_x: nan is no number"),
        ("delta_x = 0.05", f"delta_x = 1{'0' * 400}", "region 1: delta_x: 1000"),
        ("delta_x = 0.05", "delta_x = -1e300", "region 1: delta_x: -1e+300 is no number up to 1e+09"),
        ("delta_x = 0.05", "delta_x = true", "region 1: delta_x: True is no number"),
        ("rows = 48", f"rows = 1{'0' * 400}", "is no whole number from 1 to 65535"),
        ("delta_x = 0.05", 'delta_x = "1"', "region 1: delta_x: '1' is no number"),
        ('"2d"', '"3d"', "spatial_format: '3d' is none of none, 2d, m-mode, spectral, waveform, graphics"),
        ('"tissue"', '"tisue"', "did you mean 'tissue'?"),
        ('"tissue"', "1", "data_type: 1 is none of"),
        ('units_y = "cm"', 'units_y = "s"', "region 1: units_y is s, and of 2d it is cm"),
        ('units_y = "cm"', 'units_y = "cm"\nflags = "sweeping"', "flags: is an array of words"),
        ('units_y = "cm"', 'units_y = "cm"\nflags = ["fast"]', "flags: 'fast' is none of low-priority"),
        ('units_y = "cm"', 'units_y = "cm"\nflags = ["sweeping", "scrolling"]', "one of scrolling, sweeping"),
        ('"2d"', '"spectral"', "units_x is cm, and of spectral it is s"),
        ("delta_x = 0.05", "delta_x = 0.05\nreference_row = 3", "reference_row and reference_value_y belong together"),
        ("delta_x = 0.05", "delta_x = 0.05\npulse_repetition_hz = 0", "pulse_repetition_hz: 0 is no whole number"),
        (r"(?s)\[\[region\]\].*", "", "has no [[region]]"),
        (r"(?s).*", "\x00", "Invalid"),
        (r"(?s).*", "a = " + "[" * 5000, "recursion"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_place(old: str, new: str, said: str) -> None:
    pattern = old if "\\" in old or ".*" in old else re.escape(old)
    text, found = re.subn(pattern, new if "\\1" in new else lambda _match: new, text_of(template(16)), count=1)
    assert found == 1
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "/x/deep.toml")
    assert str(caught.value).startswith("/x/deep.toml: ")
    assert said in str(caught.value)
    assert "calibrate" in caught.value.hint


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (DOPPLER._replace(reference_y=None, reference_value_y=None), "a spectrum needs its base line"),
        (DOPPLER._replace(flags=4), "of a spectrum in Hz, and of no other, the flag doppler-frequency"),
        (DOPPLER._replace(units_y=HERTZ), "of a spectrum in Hz, and of no other, the flag doppler-frequency"),
        (m_mode((0, 0, 9, 9), 0.1, 2.0), "delta_y is 2"),
    ],
)
def test_what_nobody_could_measure_with_is_refused(region: Region, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse(text_of(template(None, region)).encode(), "a.toml")


def test_a_plain_colour_has_no_contrast_whatever_its_samples_are() -> None:
    blue, wide = bytes((0, 0, 200)) * 9, b"\x00\x01" * 9
    assert contrast_of(blue, 9) == contrast_of(wide, 9) == 0
    assert contrast_of(bytes(9) + bytes(9) + bytes([200]) * 9, 9, planar=True) == 0
    assert contrast_of(blue[:-1] + b"\x00", 9) == 200
    assert contrast_of(wide[:-2] + b"\x00\x03", 9) == 512
    assert contrast_of(bytes(range(9)), 9) == 8
    text = text_of(template(16, marks=(Mark((0, 0, 3, 3), 0, blue),)))
    with pytest.raises(ConfigError, match="differ by 0 among themselves"):
        parse(text.encode(), "a.toml")


def test_bytes_that_are_no_text_and_files_without_end(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.toml: "):
        parse(b"\xff", "a.toml")
    (tmp_path / "a.toml").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match=f"longer than {MAX_FILE_BYTES}"):
        load(str(tmp_path / "a.toml"))


def test_a_folder_is_read_in_the_order_of_names_and_must_tell_its_templates_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds 0 templates"):
        load(str(tmp_path))
    write(tmp_path / "b.toml", template(16))
    write(tmp_path / "a.toml", template(8))
    assert [one.name for one in load(str(tmp_path))] == ["a.toml", "b.toml"]
    write(tmp_path / "c.toml", template(8, tolerance=2))
    with pytest.raises(ConfigError, match=r"c\.toml: has the marks of a\.toml"):
        load(str(tmp_path))
    write(tmp_path / "c.toml", template(None, fixed_depth=True))
    with pytest.raises(ConfigError, match=r"c\.toml: has no mark"):
        load(str(tmp_path))
    for number in range(MAX_TEMPLATES):
        write(tmp_path / f"d{number}.toml", template(number + 20))
    with pytest.raises(ConfigError, match=f"holds {MAX_TEMPLATES + 3} templates"):
        load(str(tmp_path))


def test_a_crop_keeps_what_each_pixel_is_worth() -> None:
    one = tissue((10, 10, 29, 29), 0.1)._replace(
        reference_x=0, reference_y=5, sample_volume=(15, 16), line=(10, 11, 29, 28)
    )
    left = cropped(one, 15, 5, 100, 10)
    assert left is not None
    assert left[:4] == (5, 0, 9, 14)
    assert (left.reference_x, left.reference_y) == (0, 0)
    assert left.sample_volume == (10, 1)
    assert left.line == (5, -4, 24, 13)
    assert cropped(one, 30, 0, 5, 5) is None
    assert cropped(one, 0, 0, 10, 10) is None
    inside = cropped(one, 12, 12, 5, 5)
    assert inside is not None
    assert (*inside[:4], inside.reference_x, inside.reference_y) == (0, 0, 4, 4, -2, 3)
