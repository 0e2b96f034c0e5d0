"""A hundredth of ``fuzz.rubbish``: random bytes log nobody in, random lines give nobody a right, nothing grows."""

from __future__ import annotations

import random

import pytest
from fuzz.rubbish import any_bytes, any_lines


def test_random_bytes() -> None:
    assert any_bytes(10_000, random.Random(3)) < 5


@pytest.mark.parametrize("role", ["viewer", "technician", "admin"])
def test_random_lines(role: str) -> None:
    longest, ran = any_lines(330, random.Random(5), role)
    assert longest < 5
    assert ran > 10  # else it tests nothing
