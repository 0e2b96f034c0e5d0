"""Luminance of a JND index against the printed table of PS3.14 Annex B."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from agent.display import gsdf
from agent.errors import DisplayError

# JND index, cd/m2 (PS3.14 Table B-1, 2024c)
TABLE = [
    (1, 0.0500),
    (2, 0.0547),
    (10, 0.0991),
    (50, 0.5574),
    (100, 1.8508),
    (200, 8.2179),
    (255, 15.0831),
    (400, 55.3643),
    (500, 119.1326),
    (512, 130.0662),
    (600, 243.012),
    (800, 933.1997),
    (1000, 3439.221),
    (1023, 3993.404),
]


@pytest.mark.parametrize(("index", "luminance"), TABLE)
def test_table_of_the_standard(index: int, luminance: float) -> None:
    assert gsdf.luminance(index) == pytest.approx(luminance, rel=3e-5, abs=5e-5)
    assert gsdf.jnd_index(luminance) == pytest.approx(index, abs=0.02)


def test_there_and_back() -> None:
    indices = [1 + step / 7 for step in range(7154)]
    worst = max(abs(gsdf.jnd_index(gsdf.luminance(index)) - index) for index in indices)
    assert worst < 1e-6


def test_the_printed_inverse_is_only_a_guess() -> None:
    off = [abs(gsdf._polynomial(gsdf._INVERSE, math.log10(gsdf.luminance(index))) - index) for index in range(1, 1024)]
    assert 0.05 < max(off) < 0.1


def test_function_rises() -> None:
    found = [gsdf.luminance(index) for index in range(1, 1024)]
    assert all(before < after for before, after in pairwise(found))


@pytest.mark.parametrize("index", [0.5, 1024, -3, math.nan])
def test_index_outside(index: float) -> None:
    with pytest.raises(DisplayError, match="outside 1 to 1023"):
        gsdf.luminance(index)


@pytest.mark.parametrize("luminance", [0.0, 0.04, 4000.0, -1.0, math.nan, math.inf])
def test_luminance_outside(luminance: float) -> None:
    with pytest.raises(DisplayError, match="outside the function"):
        gsdf.jnd_index(luminance)
