"""Region calibration templates: what may be measured where in the pictures of one scanner model, as a TOML file.

    model = "SonoX 3, 16 cm"
    rows = 768                      # of the source's own frames, before any crop
    columns = 1024
    samples = "RGB, 8 of 8 bits"    # only with marks: what their pixels are
    fixed_depth = true              # only without: somebody answers for it that depth and zoom are never others

    [[mark]]                        # what must be seen in a frame for the template to hold: the depth, a logo
    rectangle = "20,900,16,60"      # TOP,LEFT,ROWS,COLUMNS, as everywhere in the configuration
    tolerance = 0                   # most that a sample may differ
    pixels = "..."                  # zlib, base64

    [[region]]                      # an item of Sequence of Ultrasound Regions (PS3.3 C.8.5.5)
    rectangle = "60,100,600,800"
    spatial_format = "2d"           # words: agent/iod/region_words.py
    data_type = "tissue"
    units_x = "cm"
    units_y = "cm"
    delta_x = 0.0251                # units per pixel to the right, down
    delta_y = 0.0252

Every place is counted in the frames of the source, from 0, and before a crop: that is what somebody with a screen sees,
and one template serves whatever is cut off of them. The reference pixel, too, is a row and a column of the frame.

What a sonographer moves from picture to picture (sample volume, M line, Doppler angle) has no key: a fixed value would
be wrong in most pictures.

A key ``calibration`` names a file, or a folder: then all of its ``*.toml``, which tell themselves apart by their marks.
Raises ``ConfigError`` that names file and place.
"""

from __future__ import annotations

import base64
import os
import sys
import zlib
from array import array
from functools import partial

from agent.config.nearest import close_to, nearest
from agent.config.regions import REGIONS_MAX, SIDE_MAX, region
from agent.errors import ConfigError
from agent.iod.region_words import DATA_TYPES, FLAGS, FORMATS, UNITS, contradictions, word_of
from agent.iod.regions import Region
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.native.frame import PixelDescription

MAX_FILE_BYTES: Final = 256 * 1024
MAX_TEMPLATES: Final = 32  # depth settings of one scanner
MAX_MARKS: Final = 8
MAX_MARK_BYTES: Final = 64 * 1024  # a depth scale of 100 x 200 pixels in colour; it is compared in every frame
MAX_TOLERANCE: Final = 32_767
NUMBER_MAX: Final = 1e9  # of a worth or a value: TOML has whole numbers that no double holds
_BY_PLANE: Final = ", by plane"
HINT: Final = "Correct this file, or make it again with 'modality-agent calibrate'."

Rectangle = tuple[int, int, int, int]  # top, left, rows, columns


class Mark(NamedTuple):
    """Pixels that a frame must show; ``tolerance`` is the most that a sample may differ."""

    rectangle: Rectangle
    tolerance: int
    pixels: bytes


class Template(NamedTuple):
    """One template; ``regions`` are counted in the frames of the source."""

    name: str  # of its file, without the folder
    model: str
    rows: int
    columns: int
    samples: str
    marks: tuple[Mark, ...]
    regions: tuple[Region, ...]
    sha256: str  # of its file
    fixed_depth: bool = False  # without marks: the picture never has another scale


def samples_of(d: PixelDescription) -> str:
    """Say what the samples of frames are, in words that are the same for the same samples."""
    plane = _BY_PLANE if d.planar_configuration else ""
    signed = "signed " if d.pixel_representation else ""
    return f"{d.photometric_interpretation}, {signed}{d.bits_stored} of {d.bits_allocated} bits{plane}"


def load(path: str) -> list[Template]:
    """Read the template of a file, or those of a folder in the order of their names."""
    if not os.path.isdir(path):
        one = parse(_read(path), path)
        if not one.marks and not one.fixed_depth:
            raise ConfigError(
                f"{path}: has no mark, so that nobody would notice when depth or zoom are others",
                hint="Give it a mark; of a scanner that has one depth alone it may say 'fixed_depth = true'.",
            )
        return [one]
    try:
        names = sorted(name for name in os.listdir(path) if name.endswith(".toml") and not name.startswith("."))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}", hint=HINT) from None
    if not 1 <= len(names) <= MAX_TEMPLATES:
        raise ConfigError(f"{path}: holds {len(names)} templates (*.toml); 1 to {MAX_TEMPLATES} can be used", hint=HINT)
    found = [parse(_read(file), file) for file in (os.path.join(path, name) for name in names)]
    for index, one in enumerate(found):
        if len(found) > 1 and not one.marks:
            raise ConfigError(f"{path}/{one.name}: has no mark, and nothing tells it from the others there", hint=HINT)
        same = next((other.name for other in found[:index] if _same_marks(one, other)), "")
        if same:
            raise ConfigError(f"{path}/{one.name}: has the marks of {same}, and nothing tells them apart", hint=HINT)
    return found


def _same_marks(one: Template, other: Template) -> bool:
    return {mark[::2] for mark in one.marks} == {mark[::2] for mark in other.marks}


def unfit(template: Template, d: PixelDescription) -> str:
    """Why a template is not for such frames, or ''."""
    if (template.rows, template.columns) != (d.rows, d.columns):
        return (
            f"{template.name} is for frames of {template.rows} rows and {template.columns} columns, and those of the "
            f"source have {d.rows} and {d.columns} (before any crop)"
        )
    if template.marks and d.photometric_interpretation == "YBR_FULL_422":
        return f"{template.name} has marks, and frames whose chroma is halved are not compared"
    if template.marks and template.samples != samples_of(d):
        return f"the marks of {template.name} are {template.samples}, and the frames {samples_of(d)}"
    return ""


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}", hint=HINT) from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: is longer than {MAX_FILE_BYTES} bytes", hint=HINT)
    return data


def parse(data: bytes, path: str) -> Template:
    """Read the text of a template; ``path`` is for messages."""
    import tomllib
    from hashlib import sha256

    try:
        table = _Table(tomllib.loads(data.decode("utf-8")), _TOP)
        rows, columns = table.whole("rows", 1, SIDE_MAX), table.whole("columns", 1, SIDE_MAX)
        planar = str(table.get("samples")).endswith(_BY_PLANE)
        marks = tuple(_each("mark", table.get("mark", []), MAX_MARKS, partial(_mark, planar=planar), rows, columns))
        found = tuple(_each("region", table.get("region", []), REGIONS_MAX, _region, rows, columns))
        if not found:
            raise ValueError("has no [[region]]")
        model, samples = table.text("model"), table.text("samples") if marks else ""
        fixed = table.switch("fixed_depth")
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}", hint=HINT) from None
    return Template(
        os.path.basename(path), model, rows, columns, samples, marks, found, sha256(data).hexdigest(), fixed
    )


_TOP: Final = ("model", "rows", "columns", "samples", "fixed_depth", "mark", "region")
_MARK: Final = ("rectangle", "tolerance", "pixels")
_REGION: Final = (
    "rectangle", "spatial_format", "data_type", "flags", "units_x", "units_y", "delta_x", "delta_y",
    "reference_column", "reference_row", "reference_value_x", "reference_value_y", "transducer_frequency_khz",
    "pulse_repetition_hz",
)  # fmt: skip


def _each(name: str, given: Any, most: int, read: Any, rows: int, columns: int) -> Iterator[Any]:
    if not isinstance(given, list):
        raise ValueError(f"{name}: is an array of tables: write [[{name}]]")
    if len(given) > most:
        raise ValueError(f"{name}: {len(given)} of them, at most {most} are allowed")
    for number, one in enumerate(given, 1):
        try:
            yield read(one, rows, columns)
        except ValueError as error:
            raise ValueError(f"{name} {number}: {error}") from None


class _Table:
    """The keys of one table, each of its type or a ``ValueError``."""

    def __init__(self, given: Any, known: tuple[str, ...]) -> None:
        if not isinstance(given, dict):
            raise ValueError("is no table")
        for name in given:
            if name not in known:
                raise ValueError(f"unknown key '{name}'{nearest(name, known)}")
        self._given = given
        self.get = given.get

    def _need(self, name: str) -> Any:
        if name not in self._given:
            raise ValueError(f"'{name}' is missing")
        return self._given[name]

    def text(self, name: str) -> str:
        """Printable text."""
        found = self._need(name)
        if not isinstance(found, str) or not 1 <= len(found) <= MAX_FILE_BYTES or not found.isprintable():
            raise ValueError(f"{name}: is no printable text")
        return found

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number."""
        found = self._need(name)
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            raise ValueError(f"{name}: {found!r} is no whole number from {low} to {high}")
        return found

    def switch(self, name: str) -> bool:
        """True or false; false where it is not there."""
        found = self.get(name, False)
        if not isinstance(found, bool):
            raise ValueError(f"{name}: {found!r:.40} is neither true nor false")
        return found

    def number(self, name: str) -> float:
        """A number that is none of those that nobody measures."""
        found = self._need(name)
        if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) <= NUMBER_MAX:  # NaN, too
            raise ValueError(f"{name}: {found!r:.40} is no number up to {NUMBER_MAX:g}")
        return float(found)

    def word(self, name: str, words: dict[str, int]) -> int:
        """The number of a word."""
        return _word(name, self._need(name), words)

    def rectangle(self, rows: int, columns: int) -> Rectangle:
        """A rectangle inside of the frame."""
        text = self.text("rectangle")
        found = region(text)
        if found[0] + found[2] > rows or found[1] + found[3] > columns:
            raise ValueError(f"rectangle: {text} leaves frames of {rows} rows and {columns} columns")
        return found


def _word(name: str, found: Any, words: dict[str, int]) -> int:
    if not isinstance(found, str) or found not in words:
        raise ValueError(f"{name}: {found!r} is none of {', '.join(words)}{close_to(str(found), [*words])}")
    return words[found]


def _mark(given: Any, rows: int, columns: int, *, planar: bool) -> Mark:
    table = _Table(given, _MARK)
    rectangle = table.rectangle(rows, columns)
    tolerance = table.whole("tolerance", 0, MAX_TOLERANCE) if "tolerance" in given else 0
    try:
        packed = zlib.decompressobj()
        pixels = packed.decompress(base64.b64decode(table.text("pixels"), validate=True), MAX_MARK_BYTES + 1)
    except (zlib.error, ValueError) as error:
        raise ValueError(f"pixels: are not zlib in base64: {error}") from None
    if len(pixels) > MAX_MARK_BYTES or not packed.eof:
        raise ValueError(f"pixels: are damaged, or more than {MAX_MARK_BYTES} bytes")
    area = rectangle[2] * rectangle[3]
    if not pixels or len(pixels) % area or len(pixels) // area not in (1, 2, 3, 6):
        raise ValueError(f"pixels: {len(pixels)} bytes are no {rectangle[2]} rows of {rectangle[3]}")
    contrast = contrast_of(pixels, area, planar=planar)
    if 2 * tolerance >= contrast:
        raise ValueError(f"its samples differ by {contrast} among themselves: it would be found in an empty picture"
                         + (f" with a tolerance of {tolerance}" if tolerance else ""))  # fmt: skip
    return Mark(rectangle, tolerance, pixels)


def contrast_of(pixels: bytes, area: int, *, planar: bool = False) -> int:
    """Return how far the samples of one colour in a mark of ``area`` pixels lie apart at most."""
    samples, wide = (3, len(pixels) // area == 6) if len(pixels) >= 3 * area else (1, len(pixels) == 2 * area)
    values = array("H" if wide else "B", pixels)
    if wide and sys.byteorder == "big":
        values.byteswap()
    rows = [values[one * area :][:area] if planar else values[one::samples] for one in range(samples)]
    return max(max(row) - min(row) for row in rows)


def _region(given: Any, rows: int, columns: int) -> Region:
    table = _Table(given, _REGION)
    top, left, height, width = table.rectangle(rows, columns)
    flags = table.get("flags", [])
    if not isinstance(flags, list):
        raise ValueError("flags: is an array of words")
    optional: dict[str, Any] = {
        f"reference_{axis}": table.whole(key, -SIDE_MAX, SIDE_MAX) - corner
        for axis, key, corner in (("x", "reference_column", left), ("y", "reference_row", top))
        if key in given
    }
    optional |= {key: table.number(key) for key in ("reference_value_x", "reference_value_y") if key in given}
    facts = ("transducer_frequency_khz", "pulse_repetition_hz")
    optional |= {key: table.whole(key, 1, 2**31) for key in facts if key in given}
    found = Region(
        left, top, left + width - 1, top + height - 1, table.number("delta_x"), table.number("delta_y"),
        table.word("units_x", UNITS), table.word("units_y", UNITS), table.word("spatial_format", FORMATS),
        table.word("data_type", DATA_TYPES), sum({_word("flags", word, FLAGS) for word in flags}),
        **optional,
    )  # fmt: skip
    if len([word for word in flags if FLAGS[word] & FLAGS["sweep-then-scroll"]]) > 1:
        raise ValueError("flags: one of scrolling, sweeping and sweep-then-scroll")
    for reason in contradictions(found):
        raise ValueError(reason)
    return found


# --- written -----------------------------------------------------------------------------------


def text_of(template: Template) -> str:
    """Write a template as the file that ``parse`` reads."""
    lines = ["# Calibrated regions of ultrasound frames (PS3.3 C.8.5.5); places are of the source's frames, from 0.",
             f"model = {_quoted(template.model)}", f"rows = {template.rows}",
             f"columns = {template.columns}"]  # fmt: skip
    if template.marks:
        lines.append(f"samples = {_quoted(template.samples)}")
    else:
        lines.append(f"fixed_depth = {str(template.fixed_depth).lower()}")
    for mark in template.marks:
        packed = base64.b64encode(zlib.compress(mark.pixels, 9)).decode()
        lines += ["", "[[mark]]", f'rectangle = "{",".join(map(str, mark.rectangle))}"',
                  f"tolerance = {mark.tolerance}", f'pixels = "{packed}"']  # fmt: skip
    for one in template.regions:
        lines += ["", "[[region]]", *_region_lines(one)]
    return "\n".join(lines) + "\n"


def _region_lines(one: Region) -> Iterator[str]:
    yield f'rectangle = "{one.min_y},{one.min_x},{one.max_y - one.min_y + 1},{one.max_x - one.min_x + 1}"'
    yield f'spatial_format = "{word_of(FORMATS, one.spatial_format)}"'
    yield f'data_type = "{word_of(DATA_TYPES, one.data_type)}"'
    motion = one.flags & FLAGS["sweep-then-scroll"]
    words = [word for word, bits in FLAGS.items()
             if (bits == motion if bits & FLAGS["sweep-then-scroll"] else one.flags & bits)]  # fmt: skip
    if words:
        yield f"flags = [{', '.join(map(_quoted, words))}]"
    yield f'units_x = "{word_of(UNITS, one.units_x)}"'
    yield f'units_y = "{word_of(UNITS, one.units_y)}"'
    optional = {
        "delta_x": one.delta_x,
        "delta_y": one.delta_y,
        "reference_column": None if one.reference_x is None else one.reference_x + one.min_x,
        "reference_row": None if one.reference_y is None else one.reference_y + one.min_y,
        "reference_value_x": one.reference_value_x,
        "reference_value_y": one.reference_value_y,
        "transducer_frequency_khz": one.transducer_frequency_khz,
        "pulse_repetition_hz": one.pulse_repetition_hz,
    }
    yield from (f"{key} = {value!r}" for key, value in optional.items() if value is not None)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
