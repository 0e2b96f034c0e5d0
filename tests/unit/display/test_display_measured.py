"""Files of measurements: what is read, and what is refused because it can be read in two ways."""

from __future__ import annotations

import pytest

from agent.display.measured import read
from agent.errors import DisplayError

ROWS = [(0, 0.4), (15, 2.37), (255, 250.0)]


@pytest.mark.parametrize(
    "text",
    [
        "0,0.4\n15,2.37\n255,250\n",
        "0, 0.4\n15, 2.37\n255, 250\n",
        "0 ,0.4\n15 ,2.37\n255 ,250\n",
        "0;0.4\n15;2.37\n255;250\n",
        "0;0,4\n15;2,37\n255;250\n",
        "0 ; 0,4\r\n15 ; 2,37\r\n255 ; 250\r\n",
        "0\t0,4\n15\t2,37\n255\t250,0\n",
        "0 0,4\n15   2,37\n255 250,00\n",
        "level;cd/m2\n\n0;4e-1\n# a pause\n15;2.37\n\n255;2.5E+2",
        "\ufeff0;0,4\n15;2,37\n255;250\n",
        "\ufeffLevel,cd/m2\n0,0.4\n15,2.37\n255,250\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_is_read(text: str, encoding: str) -> None:
    if encoding == "utf-16":
        text = text.removeprefix("\ufeff")
    assert read(text.encode(encoding)) == ROWS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,5;2,5\n", "line 1 has '1,5' in the place of a whole level"),
        ("15,2,37\n", "line 1 can be read in more than one way"),
        ("15, 2,37\n", "line 1 can be read in more than one way"),
        ("0,0,0.9,0.9\n", "line 1 has 4 columns, not a level and a luminance"),
        ("0;0,4\n15;2.37\n", "line 2 is unlike line 1, where fractions are marked by ','"),
        ("0;0.4\n7;1\n15;2,37\n", "line 3 is unlike line 1, where fractions are marked by '.'"),
        ("0;0,4\n15,2\n", "line 2 is unlike line 1, where columns are parted by ';'"),
        ("0,1\n15;2\n", "line 2 is unlike line 1, where columns are parted by ','"),
        ("0;1.234,5\n", "line 1 has '1.234,5' in the place of a luminance"),
        ("0;1,234.5\n", "'1,234.5' in the place"),
        ("0;nan\n", "'nan' in the place"),
        ("0;inf\n", "'inf' in the place"),
        ("0;1_0\n", "'1_0' in the place"),
        ("0;-1\n", "'-1' in the place"),
        ("0;1e999\n", "'1e999' in the place"),
        ("0;\u0663\n", "in the place of a luminance"),
        ("0.5;1\n", "'0.5' in the place of a whole level"),
        ("0;1;2\n", "has 3 columns"),
        ("0\n", "has 1 column, not a level"),
        ("0;1\n-1;2\n", "line 2 has '-1' in the place of a whole level"),
        ("0;1\nend\n", "line 2 has 1 column"),
        ("0;2.37 cd/m2\n", "has 3 columns"),
        ("", "no line of it is a measurement"),
        ("level\n", "no line of it"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(DisplayError, match=message.replace(".", r"\.")) as caught:
        read(text.encode())
    assert "LEVEL;LUMINANCE" in caught.value.hint
