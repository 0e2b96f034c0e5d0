"""``wrap`` knows every attribute before it writes: the file carries no room for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.app.checking import check_file
from agent.app.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "rle"])
@pytest.mark.parametrize("pictures", [1, 3])
def test_a_small_picture_makes_a_small_file(syntax: str, pictures: int, tmp_path: Path) -> None:
    names = [str(tmp_path / f"{number}.pgm") for number in range(pictures)]
    for name in names:
        with open(name, "wb") as file:
            file.write(b"P5 16 16 255\n" + bytes(256))
    made = tmp_path / "made.dcm"
    assert main(["wrap", *names, "--transfer-syntax", syntax, "-o", str(made)]) == 0
    assert made.stat().st_size < 8192
    assert not [each for each in check_file(str(made)).findings if each.severity == "error"]
