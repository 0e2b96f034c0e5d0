"""The vocabulary: its page says what the table says, and what is none of it is not understood."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from fakes import firmware  # noqa: F401  the modules of hw/ by their own names
from lights import PATTERNS

from agent.panel import messages
from agent.panel.framing import LIMIT, OVERHEAD, encode
from agent.panel.messages import DIGEST, MESSAGES, OFFER, WRITE, Numbers, pack, tail, unpack

PAGE = (Path(__file__).resolve().parents[3] / "hw/PROTOCOL.md").read_text()


def test_the_page_has_the_table() -> None:
    heading = (
        r"### `(\w+)`, ([0-9A-F]{2}), (\w+) to \w+, (\d+) bytes.*\n\n\| at \| type \| field \| meaning \|\n\|[-|]+\|\n"
    )
    told = []
    for name, kind, sender, size, rows in re.findall(heading + r"((?:\|.*\|\n)+)", PAGE):
        fields = re.findall(r"\| (\d+) \| (\w) \| (\w+) \| [^|]*\|\n", rows)
        assert sender == ("agent" if int(kind, 16) & 0x40 else "panel")
        told.append((int(kind, 16), name, int(size), [(int(at), letter, field) for at, letter, field in fields]))
    known = []
    for kind, name, fields in MESSAGES:
        letters = [letter for _, letter in fields]
        places = [2 + struct.calcsize("<" + "".join(letters[:at])) for at in range(len(letters))]
        rows = [(at, letter, field) for at, (field, letter) in zip(places, fields, strict=True)]
        known.append((kind, name, tail(kind), rows))
    assert told == known


@pytest.mark.parametrize(
    "title", ["Lights", "Inputs", "Causes", "Abilities", "Flags", "Statuses", "Boards", "Slots", "Outcomes"]
)
def test_the_page_has_the_words(title: str) -> None:
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in PAGE.split("## Words")[1].strip().splitlines()]
    column = [re.sub(r" .*", "", cell) for cell in rows[0]].index(title)
    words = [row[column] for row in rows[2:] if row[column]]
    assert words == list(getattr(messages, title.upper()))
    assert [row[0] for row in rows[2:]] == [str(number) for number in range(len(messages.STATUSES))]


def test_the_page_has_the_patterns() -> None:
    rows = re.findall(r"\| (\w+) \| `(.{8})` \| `(.{8})` \| `(.{8})` \| `(.{8})` \|", PAGE)
    assert [name for name, *_ in rows] == list(messages.LIGHTS)
    told = tuple(tuple(int(one.replace("#", "1").replace(".", "0"), 2) for one in patterns) for _, *patterns in rows)
    assert told == PATTERNS


def test_the_page_has_the_numbers_and_an_example() -> None:
    frame = bytearray(LIMIT + OVERHEAD)
    payload = bytearray(LIMIT)
    length = encode(frame, payload, pack(payload, messages.PING, 0, 0x0102))
    assert f"\n{frame[:length].hex(' ').upper()}\n" in PAGE
    assert f"Version {messages.VERSION}." in PAGE
    assert f"{messages.BAUD} baud" in PAGE
    assert f"A payload has 1 to {LIMIT} bytes" in PAGE
    assert f"4 to {LIMIT + OVERHEAD - 2} " in PAGE


@pytest.mark.parametrize(("kind", "fields"), [(kind, fields) for kind, _, fields in MESSAGES])
def test_a_message_is_as_long_as_its_type(kind: int, fields: tuple[tuple[str, str], ...]) -> None:
    payload = bytearray(LIMIT)
    values = tuple(-5 if letter == "h" else at + 1 for at, (_, letter) in enumerate(fields))
    size = pack(payload, kind, 9, *values)
    long = size + {WRITE: 1, OFFER: DIGEST}.get(kind, 0)
    assert unpack(payload, long) == values
    assert (payload[0], payload[1]) == (kind, 9)
    assert unpack(payload, long + 1 if kind != WRITE else size) is None
    assert unpack(payload, size - 1) is None
    assert unpack(payload, LIMIT + 1) is None


def test_an_unknown_type_is_not_understood() -> None:
    assert unpack(bytes([0x7F, 0, 0]), 3) is None


def test_a_number_is_taken_once_and_in_order() -> None:
    numbers = Numbers()
    assert not numbers.take(7, 1)
    assert numbers.greeted(7, 0xFFFFFFFF) == 0
    assert [numbers.take(7, number) for number in (0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 2, 1)] == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]


def test_a_panel_that_repeats_itself_takes_nothing_back() -> None:
    numbers = Numbers(7, 5)
    assert numbers.greeted(7, 3) == 0
    assert not numbers.take(7, 4)
    assert numbers.take(7, 5)


def test_what_is_gone_for_ever_is_counted() -> None:
    numbers = Numbers(7, 5)
    assert numbers.greeted(7, 8) == 3
    assert numbers.take(7, 8)
    assert numbers.greeted(8, 1) == 0
    assert numbers.take(8, 1)
