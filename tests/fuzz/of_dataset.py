"""Targets of PS3.5 and what is built on it: Data Sets, character sets, the JSON model, the IOD check.

The first byte chooses the transfer syntax, the second how the bytes are cut and which limits hold.
"""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING

from agent.app.dump_text import data_set_lines
from agent.dataset.charset import REPLACEMENT, charset_to_read
from agent.dataset.dataset import DataSet
from agent.dataset.decode import Decoder, Limits, decode
from agent.dataset.encode import encode
from agent.dataset.tag import PIXEL_DATA, SPECIFIC_CHARACTER_SET
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_BE,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    RLE_LOSSLESS,
)
from agent.dataset.values import Element, Fragments, Raw, Reference
from agent.errors import DecodeError, EncodeError, IodError
from agent.iod import dose_events, modules
from agent.iod.encoding import check_encoding
from agent.media.json_model import from_json, to_json
from agent.media.lenient import odd_lengths

if TYPE_CHECKING:
    from agent.dataset.decode import Stop

SYNTAXES = (EXPLICIT_VR_LE, IMPLICIT_VR_LE, EXPLICIT_VR_BE, DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS)
# The smallest for which the decoder takes its quick way, and the largest for which it does not; nothing else differs.
QUICK = Limits(total_bytes=1 << 18, value_bytes=1 << 16, text_bytes=1 << 16, elements=400, fragments=64)
SLOW = QUICK._replace(text_bytes=0xFFFF)
TIGHT = Limits(total_bytes=1024, value_bytes=128, text_bytes=64, elements=12, depth=2, fragments=3)
REFER_ABOVE_BYTES = 6
UNWRITABLE = {REPLACEMENT, "\x1b"}  # damage; an escape sequence that nobody knows, shown as it is
HEADER_BYTES = 16  # the longest header, and the item tag that tells a sequence
# A Data Set that was within QUICK is within these once it is written.
ROOMY = QUICK._replace(elements=1000, value_bytes=1 << 18, text_bytes=1 << 18, total_bytes=1 << 20)
CHARACTER_SETS = (
    "", "ISO_IR 6", "ISO_IR 100", "ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 144", "ISO_IR 127", "ISO_IR 126",
    "ISO_IR 138", "ISO_IR 148", "ISO_IR 203", "ISO_IR 166", "ISO_IR 13", "ISO_IR 192", "GB18030", "GBK",
    "ISO 2022 IR 6", "ISO 2022 IR 100", "ISO 2022 IR 13\\ISO 2022 IR 87", "\\ISO 2022 IR 87",
    "\\ISO 2022 IR 87\\ISO 2022 IR 159", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58", "\\ISO 2022 IR 144",
    "ISO 2022 IR 126\\ISO 2022 IR 127", "ISO 2022 IR 166\\ISO 2022 IR 101", "\\ISO_IR 192", "ISO_IR 999", "\\\\",
)  # fmt: skip


def run_dataset(data: bytes) -> None:
    """Whole and quick, in pieces and slow: the same. What can be written is a fixed point. Bounds hold."""
    if len(data) < 2:
        return
    syntax, how, body = SYNTAXES[data[0] % len(SYNTAXES)], data[1], data[2:]
    stop_before = PIXEL_DATA if how & 1 else None
    tight = bool(how & 2)
    whole = outcome(body, syntax, len(body) or 1, TIGHT if tight else QUICK, stop_before)
    pieces = outcome(body, syntax, 1 + (how >> 3), TIGHT if tight else SLOW, stop_before)
    if syntax == DEFLATED_EXPLICIT_VR_LE and stop_before is not None and isinstance(whole, DecodeError):
        return  # in pieces it may have stopped before it came to what does not inflate
    if isinstance(whole, DecodeError) or isinstance(pieces, DecodeError):
        assert isinstance(whole, DecodeError), f"in pieces only: {pieces}"
        assert isinstance(pieces, DecodeError), f"whole only: {whole}"
        # Where inflation or a limit strikes depends on what has come; nothing else does.
        free = tight or syntax == DEFLATED_EXPLICIT_VR_LE or "above the limit" in f"{whole}{pieces}"
        assert free or str(whole) == str(pieces), f"{whole} | {pieces}"
        return
    assert whole[1] == pieces[1]
    assert same(whole[0], pieces[0])
    if how & 4 and not tight and stop_before is None and syntax != DEFLATED_EXPLICIT_VR_LE:
        refer(body, syntax, 1 + (how >> 3), whole[0])
    look(whole[0])
    write_and_read(whole[0], EXPLICIT_VR_LE if syntax == EXPLICIT_VR_BE else syntax)


def same(one: DataSet, other: DataSet) -> bool:
    """Whether all bytes are the same; values would not do, because what is no number is never equal to itself."""
    pending = [(one, other)]
    while pending:
        left, right = pending.pop()
        if left.tags() != right.tags():
            return False
        for tag in left.tags():
            mine, its = left.stored[tag], right.stored[tag]
            if mine.vr == its.vr == "SQ" and isinstance(mine, Element) and isinstance(its, Element):
                items, others = left.items_of(tag), right.items_of(tag)
                if len(items) != len(others) or mine._replace(value=None) != its._replace(value=None):
                    return False
                pending += zip(items, others, strict=True)
            elif mine != its:
                return False
    return True


def outcome(
    body: bytes, syntax: str, step: int, limits: Limits, stop_before: int | None
) -> DecodeError | tuple[DataSet, Stop | None]:
    """What decoding in pieces of ``step`` bytes gives; checks what is held meanwhile."""
    decoder = Decoder(syntax, limits=limits, stop_before=stop_before)
    held_most = max(limits.value_bytes, limits.text_bytes) + HEADER_BYTES
    try:
        for at in range(0, len(body), step):
            decoder.feed(body[at : at + step])
            assert len(decoder._data) + len(decoder._arrived) <= held_most or decoder.stop
        return decoder.finish(), decoder.stop
    except DecodeError as error:
        for again in (decoder.finish, lambda: decoder.feed(b"x")):
            try:
                again()
            except DecodeError:
                continue
            raise AssertionError("a dead decoder lives") from error
        return error


def refer(body: bytes, syntax: str, step: int, whole: DataSet) -> None:
    """Leave values where they are: the same elements, and each reference points at the bytes that were held."""
    decoder = Decoder(syntax, limits=QUICK, refer_above=REFER_ABOVE_BYTES)
    at = 0
    while at < len(body):
        decoder.feed(body[at : at + step])
        at = decoder.skip(len(body))
    referred = decoder.finish()
    assert referred.tags() == whole.tags()
    for tag in referred.tags():
        reference, held = referred.stored[tag], whole.stored[tag]
        if not isinstance(reference, Raw) and isinstance(reference.value, Reference):
            found = body[reference.value.offset : reference.value.offset + reference.value.length]
            assert len(found) == reference.value.length
            assert reference.value.word > 1 or not isinstance(held, Raw) or found == held.data
        elif isinstance(held, Raw):
            assert reference == held


def look(ds: DataSet) -> None:
    """Every value, at every level, by every way of asking."""
    pending = [ds]
    while pending:
        level = pending.pop()
        assert level.tags() == sorted(level.stored)
        for element in level:
            value = element.value
            assert value is None or isinstance(value, str | int | float | bytes | list | Fragments), type(value)
            level.text(element.tag)
            pending += level.items_of(element.tag)


def write_and_read(ds: DataSet, syntax: str) -> None:
    """Encode, decode, encode: the same bytes, for all that our strict writer agrees to write."""
    try:
        first = encode(ds, syntax)
    except EncodeError:
        return
    again = decode(first, syntax, limits=ROOMY)
    assert encode(again, syntax) == first


def run_charset(data: bytes) -> None:
    """First byte: the character set, or by its highest bit the length of one that follows; then text."""
    if not data:
        return
    body = data[1:]
    if data[0] & 0x80:
        size = data[0] & 0x3F
        terms, body = body[:size].decode("latin-1"), body[size:]
    else:
        terms = CHARACTER_SETS[data[0] % len(CHARACTER_SETS)]
    assert isinstance(charset_to_read(terms).decode(body), str)
    ds = decode(_with_text(terms, body[:2000]), IMPLICIT_VR_LE)
    look(ds)
    write_and_read(ds, EXPLICIT_VR_LE)
    new = DataSet({SPECIFIC_CHARACTER_SET: ds.get(SPECIFIC_CHARACTER_SET)})
    for element in ds:
        if element.tag != SPECIFIC_CHARACTER_SET and not UNWRITABLE & set(str(element.value)):
            new[element.tag] = element.value
    try:
        written = encode(new, IMPLICIT_VR_LE)
    except EncodeError:
        return
    back = decode(written, IMPLICIT_VR_LE)
    for element in new.between(SPECIFIC_CHARACTER_SET + 1, 1 << 32):
        assert back.get(element.tag) == new.get(element.tag), (terms, element)


def _with_text(terms: str, text: bytes) -> bytes:
    """A Data Set in Implicit VR that has the text as UC, PN, LO and LT."""
    parts = []
    charset = terms.encode("latin-1")
    for tag, value in (
        (SPECIFIC_CHARACTER_SET, charset),
        (0x00080119, text),
        (0x00100010, text),
        (0x00104000, text),
        (0x00081030, text),
    ):
        parts.append((tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little"))
        parts.append(len(value).to_bytes(4, "little") + value)
    return b"".join(parts)


def run_check(data: bytes) -> None:
    """Whatever decodes can be checked, shown and said as JSON; the JSON says the same when it is read."""
    if len(data) < 2:
        return
    try:
        ds = decode(data[2:], SYNTAXES[data[0] % len(SYNTAXES)], limits=QUICK)
    except DecodeError:
        return
    for finding in modules.check(ds, pixel_data=bool(data[1] & 1)):
        assert str(finding)
    for finding in check_encoding(ds):
        assert str(finding)
    for line in data_set_lines(ds, full=bool(data[1] & 2)):
        assert line.isprintable()
    odd_lengths(ds, 0)
    text = json.dumps(to_json(ds), allow_nan=False)
    assert json.dumps(to_json(from_json(json.loads(text))), allow_nan=False) == text


def run_json(data: bytes) -> None:
    """Any JSON: a Data Set or DecodeError; what comes out of it is a fixed point, and writing it is safe."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        ds = from_json(found)
    except DecodeError:
        return
    look(ds)
    with contextlib.suppress(EncodeError):
        encode(ds, EXPLICIT_VR_LE)
    shown = to_json(ds)
    assert to_json(from_json(json.loads(json.dumps(shown, allow_nan=False)))) == shown


def run_dose(data: bytes) -> None:
    """Exposure events: the facts of a dose report or IodError; numbers are finite."""
    try:
        found = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError):
        return
    try:
        report = dose_events.read(found, lambda: "2.25.1")
    except IodError:
        return
    for event in report.events:
        assert all(value.is_finite() for value in event if isinstance(value, Decimal))
