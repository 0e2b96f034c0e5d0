"""The icon of a Directory Record: a frame as a person would see it, 64 x 64 in 8 bits of grey (PS3.11 D.3.3).

Grey goes through the whole chain of PS3.3 (Modality LUT, VOI LUT or window, shape), as ``agent.display`` has it; an
image without window gets one from its histogram. Colour gives its luma. The shape is kept, black fills up the square.
The frame is the Representative Frame, else the first. What is not decoded here (lossy, video, palettes) gets the icon
that the instance brings along, if it is one, else none.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.errors import AgentError
from agent.media.reader import instance_of
from agent.transcode import frame_codec
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dataset.pixels import PixelDescription
    from agent.media.file import DicomFile

SIDE: Final = 64
# Enough samples for a good small picture; a large frame is thinned out to about this before it goes through the chain.
_ENOUGH: Final = 512
_WINDOWS: Final = (0x00281050, 0x00283010)  # Window Center, VOI LUT Sequence
_ICON: Final = 0x00880200
_PIXEL_DATA: Final = 0x7FE00010
_FRAME_LIMIT_BYTES: Final = 64 << 20


def icon_of(file: DicomFile) -> DataSet | None:
    """The item of an Icon Image Sequence for an open file; None where there is no picture of it."""
    try:
        return _made(file) or _brought(file)
    except (AgentError, ValueError):
        return None  # an icon is a courtesy: no image stays behind for it


def _made(file: DicomFile) -> DataSet | None:
    if file.pixel_value is None:
        return None
    instance = instance_of(file)
    if instance.pixels is None or instance.pixels.description.frame_bytes > _FRAME_LIMIT_BYTES:
        return None
    description, syntax = instance.pixels.description, file.meta.transfer_syntax_uid
    number = file.dataset.get("RepresentativeFrameNumber", 1)
    at = number - 1 if isinstance(number, int) and 0 < number <= instance.number_of_frames else 0
    if uid.is_lossy(syntax):
        return None
    native = frame_codec.decoder_of(file, description, instance.number_of_frames)(instance.read_frame(at))
    plain = frame_codec.coded(description, syntax, uid.EXPLICIT_VR_LE)
    if frame_codec.is_jpeg(syntax):
        plain = frame_codec.by_pixel(plain)
    rows, columns = _size(plain)
    grey = _grey(file.dataset, native, plain, rows, columns)
    return None if grey is None else _item(_squared(grey, rows, columns))


def _size(description: PixelDescription) -> tuple[int, int]:
    scale = min(1.0, SIDE / max(description.rows, description.columns))
    return max(1, int(description.rows * scale)), max(1, int(description.columns * scale))


def _grey(dataset: DataSet, native: bytes, description: PixelDescription, rows: int, columns: int) -> bytes | None:
    from agent.native.picture import Window, luma, thumbnail

    if description.samples_per_pixel == 3:
        return luma(thumbnail(native, description, rows, columns))
    if not any(tag in dataset for tag in _WINDOWS):
        return thumbnail(native, description, rows, columns)
    from agent.display.presentation import p_values, present

    thin, kept = _thinned(native, description)
    shown = present(thin, p_values(dataset))
    plain = kept._replace(
        bits_allocated=8, bits_stored=8, high_bit=7, pixel_representation=0, photometric_interpretation="MONOCHROME2"
    )
    return thumbnail(shown, plain, rows, columns, window=Window(0, 255))


def _thinned(native: bytes, description: PixelDescription) -> tuple[bytes, PixelDescription]:
    """Every n-th pixel of every n-th row."""
    step = max(1, max(description.rows, description.columns) // _ENOUGH)
    if step == 1:
        return native[: description.frame_bytes], description
    width = description.bits_allocated // 8
    samples = memoryview(native[: description.frame_bytes]).cast("B" if width == 1 else "H")
    rows = range(0, description.rows, step)
    lines = [samples[row * description.columns : (row + 1) * description.columns][::step].tobytes() for row in rows]
    columns = len(range(0, description.columns, step))
    return b"".join(lines), description._replace(rows=len(rows), columns=columns)


def _squared(grey: bytes, rows: int, columns: int) -> bytes:
    top, left = (SIDE - rows) // 2, (SIDE - columns) // 2
    right = SIDE - columns - left
    lines = [grey[row * columns : (row + 1) * columns] for row in range(rows)]
    body = b"".join(bytes(left) + line + bytes(right) for line in lines)
    return bytes(top * SIDE) + body + bytes((SIDE - rows - top) * SIDE)


def _item(grey: bytes) -> DataSet:
    item = DataSet(
        {
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": SIDE,
            "Columns": SIDE,
            "BitsAllocated": 8,
            "BitsStored": 8,
            "HighBit": 7,
            "PixelRepresentation": 0,
        }
    )
    item.set(_PIXEL_DATA, grey, vr="OB")
    return item


def _brought(file: DicomFile) -> DataSet | None:
    """The icon of the instance itself, where it is one that the profiles allow."""
    for item in file.dataset.items_of(_ICON):
        pixels = item.get(_PIXEL_DATA)
        if (
            item.text("PhotometricInterpretation") == "MONOCHROME2"
            and (item.get("Rows"), item.get("Columns"), item.get("BitsAllocated")) == (SIDE, SIDE, 8)
            and isinstance(pixels, bytes | bytearray | memoryview)
            and len(pixels) == SIDE * SIDE
        ):
            return _item(bytes(pixels))
    return None
