"""What a preview shows is what an imaging library would: grey levels, MONOCHROME1, signed and windowed samples."""

from __future__ import annotations

import io
import json
import struct
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from agent.app import cli
from agent.app.preview import RAMP, Picture, blocks, fitted, grey_png, letters
from agent.dataset.pixels import PixelDescription

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 96, 128


def scene(row: int, column: int) -> float:
    """A bright disc on a slope: 0 to 1."""
    disc = (row - 40) ** 2 + (column - 80) ** 2 < 24**2
    return 1.0 if disc else 0.7 * column / COLUMNS


def samples(one: PixelDescription, to: float, offset: int = 0) -> bytes:
    out = bytearray()
    for row in range(one.rows):
        for column in range(one.columns):
            level = scene(row, column)
            if one.photometric_interpretation == "MONOCHROME1":
                level = 1 - level
            value = int(level * to) + offset
            out += (
                struct.pack("<h" if one.pixel_representation else "<H", value)
                if one.bits_allocated == 16
                else bytes((value,))
            )
    return bytes(out)


TRUTH = Image.frombytes(
    "L", (COLUMNS, ROWS), bytes(int(255 * scene(r, c)) for r in range(ROWS) for c in range(COLUMNS))
)
GREY = {
    "8": (PixelDescription(ROWS, COLUMNS), 255, 0),
    "8 inverted": (PixelDescription(ROWS, COLUMNS, photometric_interpretation="MONOCHROME1"), 255, 0),
    "16": (PixelDescription(ROWS, COLUMNS, 1, 16, 12, 11), 4095, 0),
    "16 narrow": (PixelDescription(ROWS, COLUMNS, 1, 16, 16, 15), 900, 20000),
    "16 inverted": (PixelDescription(ROWS, COLUMNS, 1, 16, 14, 13, 0, "MONOCHROME1"), 3000, 500),
    "16 signed": (PixelDescription(ROWS, COLUMNS, 1, 16, 16, 15, 1), 2000, -1000),
}


@pytest.mark.parametrize("kind", GREY)
def test_cells_are_as_bright_as_the_judge_says(kind):
    one, to, offset = GREY[kind]
    picture = Picture(samples(one, to, offset), one)
    truth = TRUTH.resize((32, 24), Image.Resampling.BOX).tobytes()
    cells = [level for row in picture.cells(32, 24) for level in row]
    worst = max(abs(level - value / 255) for level, value in zip(cells, truth, strict=True))
    mean = sum(abs(level - value / 255) for level, value in zip(cells, truth, strict=True)) / len(cells)
    assert mean < 0.015, mean
    assert worst < (0.01 if one.bits_stored == 8 else 0.08), worst  # a window cuts both ends of a histogram


def test_letters_and_blocks_show_the_same_picture():
    one = PixelDescription(ROWS, COLUMNS)
    picture = Picture(samples(one, 255), one)
    lines = letters(picture, 80, 23)
    assert len(lines) <= 23
    assert {len(line) for line in lines} == {fitted(one, 80, 23)[0]}
    assert max(len(line) for line in lines) <= 80
    truth = TRUTH.resize((len(lines[0]), len(lines)), Image.Resampling.BOX).tobytes()
    shown = [RAMP.index(letter) / (len(RAMP) - 1) for line in lines for letter in line]
    assert sum(abs(level - value / 255) for level, value in zip(shown, truth, strict=True)) / len(shown) < 0.06
    dots = blocks(picture, 80, 23)
    bright = sum({" ": 0, "▄": 1, "▀": 1, "█": 2}[letter] for line in dots for letter in line)
    assert abs(bright / (2 * len(dots) * len(dots[0])) - sum(truth) / 255 / len(truth)) < 0.02
    inverted = blocks(picture, 80, 23, invert=True)
    assert inverted[0] == dots[0].translate(str.maketrans(" ▄▀█", "█▀▄ "))


def test_a_png_is_read_by_the_judge():
    one = PixelDescription(ROWS, COLUMNS)
    made = Image.open(io.BytesIO(grey_png(Picture(samples(one, 255), one), 64)))
    assert (made.mode, made.size) == ("L", (64, 48))
    truth = TRUTH.resize((64, 48), Image.Resampling.BOX).tobytes()
    assert max(abs(a - b) for a, b in zip(made.tobytes(), truth, strict=True)) < 90
    assert sum(abs(a - b) for a, b in zip(made.tobytes(), truth, strict=True)) / len(truth) < 4


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_is_shown_by_its_luminance(planar):
    one = PixelDescription(2, 2, 3, 8, 8, 7, 0, "RGB", planar)
    red, green, blue, white = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
    dots = (red, green, blue, white)
    data = bytes(v for dot in dots for v in dot) if not planar else bytes(dot[c] for c in range(3) for dot in dots)
    picture = Picture(data, one)
    truth = Image.frombytes("RGB", (2, 2), bytes(v for dot in dots for v in dot)).convert("L").tobytes()
    for at, value in enumerate(truth):
        assert abs(picture.level(at // 2, at % 2) - value / 255) < 0.01


def test_luma_is_found_in_ybr():
    one = PixelDescription(1, 4, 3, 8, 8, 7, 0, "YBR_FULL_422")
    picture = Picture(bytes((10, 20, 128, 128, 30, 40, 128, 128)), one)
    assert [round(picture.level(0, column) * 255) for column in range(4)] == [10, 20, 30, 40]
    full = Picture(bytes((10, 0, 0, 20, 0, 0)), PixelDescription(1, 2, 3, 8, 8, 7, 0, "YBR_FULL"))
    assert [round(full.level(0, column) * 255) for column in range(2)] == [10, 20]


def test_a_window_of_the_configuration_counts():
    one = PixelDescription(1, 3, 1, 16, 16, 15)
    picture = Picture(struct.pack("<3H", 0, 1000, 2000), one, (1000, 1001))
    assert [picture.level(0, column) for column in range(3)] == pytest.approx([0.0, 0.5, 1.0], abs=0.01)


def test_a_black_frame_is_black_and_no_error():
    one = PixelDescription(8, 8, 1, 16, 16, 15)
    assert set("".join(letters(Picture(bytes(128), one), 8, 4))) == {" "}


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2000, 10), (10, 2000), (480, 640)])
def test_any_shape_fits(rows, columns):
    one = PixelDescription(rows, columns)
    lines = letters(Picture(bytes(rows * columns), one), 80, 23)
    assert 1 <= len(lines) <= 23
    assert 1 <= len(lines[0]) <= 80


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(
        '[agent]\nae_title = "BOX"\n[spool]\npath = "spool"\n[[source]]\nname = "probe"\n'
        'uri = "pattern:dx16?rows=64&columns=64"\nsop_class = "sc"\n'
    )
    return path


def test_one_frame_is_shown(config, capsys):
    assert cli.main(["test", "frame", "probe", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "64 x 64, MONOCHROME" in lines[-1]
    assert len(set("".join(lines[:-1]))) > 4  # there is a picture
    assert (
        cli.main(["test", "frame", "pattern:us-rgb?rows=64&columns=64", "--blocks", "--json", "--config", str(config)])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["photometric_interpretation"], found["rows"]) == ("RGB", 64)
    assert set("".join(found["lines"])) <= set(" ▄▀█")


def test_one_frame_is_written(config, tmp_path, capsys):
    path = tmp_path / "frame.png"
    assert cli.main(["test", "frame", "probe", "-o", str(path), "--width", "32", "--config", str(config)]) == 0
    with Image.open(path) as made:
        assert made.size == (32, 32)
    assert cli.main(["test", "frame", "probe", "-o", str(path), "--config", str(config)]) == 3  # never replaced


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("frame", "nothing"), 4, "there are: probe"),
        (("frame",), 2, "needs a source"),
        (("frame", "probe", "--width", "0"), 2, "--width"),
        (("frame", "probe", "--timeout", "0"), 2, "--timeout"),
        (("send",), 2, "needs a destination"),
        (("send", "pacs"), 4, "there are: none"),
        (("worklist",), 4, "has no worklist"),
    ],
)
def test_mistakes_are_said(config, capsys, words, status, text):
    assert cli.main(["test", *words, "--config", str(config)]) == status
    assert text in capsys.readouterr().err
