"""P-values of stored values, by hand."""

from __future__ import annotations

import array

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.pixels import PixelDescription
from agent.display.presentation import p_values, present, window
from agent.errors import DisplayError


def image(bits: int = 12, photometric: str = "MONOCHROME2", *, signed: int = 0, **more: object) -> DataSet:
    allocated = 8 if bits <= 8 else 16
    ds = DataSet()
    ds.update(PixelDescription(1, 4, 1, allocated, bits, bits - 1, signed, photometric).to_elements())
    ds.update(more)
    return ds


def lut(entries: int, first: int, bits: int, data: list[int], *, words: bool = True) -> DataSet:
    item = DataSet()
    item.set("LUTDescriptor", [entries, first, bits], "US")
    if words:
        item.set("LUTData", b"".join(value.to_bytes(2, "little") for value in data), "OW")
    else:
        item.set("LUTData", bytes(data), "OW")
    return item


def test_full_range_without_a_window() -> None:
    table = p_values(image(8))
    assert table == bytes(range(256))
    wide = p_values(image(12))
    assert len(wide) == 65536
    assert (wide[0], wide[4095], wide[2048]) == (0, 255, 128)
    assert wide[4096:8192] == wide[:4096]  # bits above Bits Stored do not matter


def test_linear_window_is_that_of_the_standard() -> None:
    table = p_values(image(WindowCenter=2048, WindowWidth=4096))
    assert table[:4096] == bytes(round(255 * value / 4095) for value in range(4096))
    narrow = p_values(image(WindowCenter=[1000, 1], WindowWidth=[101, 1]))
    # y = 0 up to c - 0.5 - (w - 1) / 2 = 949.5, y = 1 above 1049.5
    assert (narrow[949], narrow[1050], narrow[999], narrow[1000]) == (0, 255, 126, 129)


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        ("LINEAR", 999.5, 0.5),
        ("LINEAR_EXACT", 1000, 0.5),
        ("LINEAR_EXACT", 950, 0.0),
        ("LINEAR_EXACT", 1075, 1.0),
        ("SIGMOID", 1000, 0.5),
        ("SIGMOID", 1100, 0.9820137900379085),
        ("SIGMOID", -1e9, 0.0),
    ],
)
def test_window_functions(function: str, value: float, expected: float) -> None:
    assert window(1000, 100, function)(value) == pytest.approx(expected, abs=1e-12)


def test_one_wide_window_is_a_threshold() -> None:
    table = p_values(image(WindowCenter=10, WindowWidth=1))
    assert (table[9], table[10]) == (0, 255)


@pytest.mark.parametrize(("photometric", "shape"), [("MONOCHROME1", None), ("MONOCHROME1", "INVERSE")])
def test_inverse(photometric: str, shape: str | None) -> None:
    more = {"PresentationLUTShape": shape} if shape else {}
    assert p_values(image(8, photometric, **more)) == bytes(range(255, -1, -1))


def test_rescale_and_signed_values() -> None:
    table = p_values(image(16, signed=1, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=0, WindowWidth=2001))
    assert table[500] == 128  # 2 * 500 - 1000 = 0, the middle
    assert table[65535] == 0  # stored -1
    assert table[1500] == 255


@pytest.mark.parametrize("words", [True, False])
def test_voi_lut(words: bool) -> None:
    curve = [0, 10, 100, 255]
    ds = image(VOILUTSequence=[lut(4, 100, 8, curve, words=words)], WindowCenter=1, WindowWidth=1)
    table = p_values(ds)
    assert [table[at] for at in (0, 99, 100, 101, 102, 103, 104, 4095)] == [0, 0, 0, 10, 100, 255, 255, 255]


def test_voi_lut_of_12_bits_and_negative_start() -> None:
    ds = image(16, signed=1, VOILUTSequence=[lut(2, 0x10000 - 1, 12, [0, 4095])])
    table = p_values(ds)
    assert (table[65534], table[65535], table[0]) == (0, 0, 255)


def test_modality_lut_comes_first() -> None:
    falling = list(range(4095, -1, -1))
    ds = image(ModalityLUTSequence=[lut(4096, 0, 12, falling)], WindowCenter=2048, WindowWidth=4096)
    table = p_values(ds)
    assert (table[0], table[4095]) == (255, 0)


def test_present_looks_each_sample_up() -> None:
    table = p_values(image(WindowCenter=2048, WindowWidth=4096))
    frame = array.array("H", [0, 2048, 4095, 1024]).tobytes()
    before = bytes(frame)
    assert list(present(frame, table)) == [0, 128, 255, 64]
    assert frame == before  # stored samples are an input
    assert present(b"\x00\x80\xff", bytes(range(255, -1, -1))) == b"\xff\x7f\x00"


@pytest.mark.parametrize(
    ("ds", "text"),
    [
        (image(photometric="RGB"), "RGB images have no P-values"),
        (image(WindowCenter=0, WindowWidth=0.5), "0.5 wide"),
        (image(WindowCenter=0, WindowWidth=10, VOILUTFunction="CURVED"), "CURVED"),
        (image(VOILUTSequence=[lut(9, 0, 8, [1, 2])]), "9 entries has 4"),
        (image(VOILUTSequence=[lut(2, 0, 33, [1, 2])]), "33 bits"),
        (image(VOILUTSequence=[DataSet()]), "three values"),
    ],
)
def test_chains_that_cannot_be(ds: DataSet, text: str) -> None:
    with pytest.raises(DisplayError, match=text):
        p_values(ds)
