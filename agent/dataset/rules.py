"""Writing values: what each Value Representation demands (PS3.5 6.2), enforced.

``format_value`` turns a value into bytes, padded to even length, or raises ``EncodeError`` saying which rule it breaks.
It repairs nothing: text that is too long is not cut, a lower-case code string is not raised, because a changed value
would be believed. One exception is arithmetic: a ``float`` for a DS is written with as many digits as sixteen
characters hold.

Limits count characters where the character set applies and bytes elsewhere; PN counts each component group.
"""

from __future__ import annotations

import re
import struct

from agent.dataset.charset import DEFAULT, REPLACEMENT, Charset
from agent.dataset.uid import is_valid_uid
from agent.dataset.values import Fragments, Scalar, Value
from agent.dataset.vr import BYTES, NUMBER, TAG, TEXT, VRS
from agent.errors import EncodeError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

IS_RANGE = range(-(2**31), 2**31)
PN_GROUPS, PN_COMPONENTS = 3, 5  # alphabetic, ideographic, phonetic; family to suffix (PS3.5 6.2.1)
DS_CHARACTERS = 16
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATE_TIME = (  # each part only behind the one before it
    r"\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?)?)?)?"
    r"([+-](0\d|1[0-4])[0-5]\d)?"
)
_PATTERNS = {
    "AE": (r"[ -\[\]-~]*[!-\[\]-~][ -\[\]-~]*", "is no AE Title: printable ASCII, no backslash, not only spaces"),
    "AS": (r"\d{3}[DWMY]", "is no age: nnnD, nnnW, nnnM or nnnY"),
    "CS": (r"[A-Z0-9 _]*", "is no code string: only A-Z, 0-9, space and underscore"),
    "DA": (r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", "is no date: YYYYMMDD"),
    "DS": (r" *[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)? *", "is no decimal string"),
    "DT": (
        _DATE_TIME,
        "is no date and time: YYYYMMDDHHMMSS.FFFFFF&ZZXX",
    ),
    "IS": (r" *[+-]?\d+ *", "is no integer string"),
    "TM": (r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?", "is no time: HHMMSS.FFFFFF"),
    "UR": (r"[!-~]([ -~]*[!-~])?", "is no URI: printable ASCII without outer spaces"),
}
_matchers: dict[str, Callable[[str], object]] = {}  # of _PATTERNS, compiled when first needed
_SINGLE_LINE = re.compile(r"[^\x00-\x1a\x1c-\x1f\x7f-\x9f\\]*")  # no control character but ESC, no delimiter
_MANY_LINES = re.compile(r"[^\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f]*")  # also TAB LF FF CR


def format_value(vr: str, value: Value, charset: Charset = DEFAULT) -> bytes:
    """The bytes of a value, even in number.

    Raises:
        EncodeError: The value breaks a rule of its VR; the caller adds the tag.
        UnicodeEncodeError: The character set lacks a character.
    """
    row = VRS.get(vr)
    if row is None:
        raise EncodeError(f"{vr!r} is not a Value Representation")
    if value is None:
        return b""
    if type(value) is str and row.kind is TEXT:  # nine values of ten
        data = (charset if row.charset else DEFAULT).encode(checked_text(vr, value), name=vr == "PN")
        return data + row.pad if len(data) & 1 else data
    if row.kind is BYTES:
        return _bytes(vr, value, row.size)
    values = _scalars(vr, value)
    if row.kind is NUMBER:
        return _numbers(vr, values, f"<{len(values)}{row.code}")
    if row.kind is TAG:
        return _tags(values)
    if len(values) > 1 and not row.multi:
        raise EncodeError(f"{vr} holds one value, not {len(values)}")
    texts = [checked_text(vr, v) for v in values]
    data = (charset if row.charset else DEFAULT).encode("\\".join(texts), name=vr == "PN")
    return data + row.pad if len(data) & 1 else data


def decimal_string(number: float) -> str:
    """A number in at most sixteen characters, as precisely as they allow (PS3.5 6.2, DS).

    Raises:
        EncodeError: The number is infinite or not a number.
    """
    text = repr(number)
    if len(text) <= DS_CHARACTERS and text[-1].isdigit():
        return text
    for digits in range(16, 0, -1):
        text = f"{number:.{digits}g}"
        if len(text) <= DS_CHARACTERS and text[-1].isdigit():
            return text
    raise EncodeError(f"{number!r} cannot be written as a decimal string")


def _scalars(vr: str, value: Value) -> list[Scalar]:
    """One value or several as a list; an empty one inside a list is the empty text."""
    if isinstance(value, (str, int, float)):  # a union takes three times as long
        return [value]
    if isinstance(value, list | tuple):
        values = ["" if v is None else v for v in value]
        if all(isinstance(v, (str, int, float)) for v in values):
            return values
    raise EncodeError(f"{vr} cannot hold a {type(value).__name__}")


def _bytes(vr: str, value: Value, size: int) -> bytes:
    if isinstance(value, Fragments):
        raise EncodeError("fragments are only for Pixel Data of an encapsulated transfer syntax")
    if not isinstance(value, bytes | bytearray | memoryview):
        raise EncodeError(f"{vr} holds bytes, not {type(value).__name__}")
    data = bytes(value)
    if size > 1 and len(data) % size:
        raise EncodeError(f"{vr} needs a multiple of {size} bytes, not {len(data)}")
    return data + b"\0" if len(data) & 1 else data


def _numbers(vr: str, values: list[Scalar], layout: str) -> bytes:
    kinds = (int, float) if vr in {"FL", "FD"} else (int,)
    for value in values:
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise EncodeError(f"{vr} holds numbers, not {value!r}")
    try:
        return struct.pack(layout, *values)
    except (struct.error, OverflowError):
        raise EncodeError(f"{values[0] if len(values) == 1 else values!r} is out of the range of {vr}") from None


def _tags(values: list[Scalar]) -> bytes:
    for value in values:
        if not isinstance(value, int) or not 0 <= value <= 0xFFFFFFFF:
            raise EncodeError(f"AT holds tags, not {value!r}")
    return b"".join(struct.pack("<HH", int(tag) >> 16, int(tag) & 0xFFFF) for tag in values)


# --- text ---------------------------------------------------------------------------------------


def checked_text(vr: str, value: Scalar) -> str:
    """The text of one value, after the rules of its VR; an empty value is always allowed.

    Raises:
        EncodeError: It breaks one of them.
    """
    text = value if isinstance(value, str) else _number_text(vr, value)
    if not text:
        return text
    ascii_only = text.isascii()
    if not ascii_only and REPLACEMENT in text:
        raise EncodeError("the text holds U+FFFD: it was read with the wrong Specific Character Set")
    if vr in _PATTERNS:
        matches = _matchers.get(vr) or _matchers.setdefault(vr, re.compile(_PATTERNS[vr][0]).fullmatch)
        if not ascii_only or not matches(text):
            raise EncodeError(f"{text!r} {_PATTERNS[vr][1]}")
    limit = VRS[vr].limit
    if limit and vr != "PN" and len(text) > limit:
        raise EncodeError(f"{len(text)} characters are more than the {limit} of {vr}")
    check = _CHECKS.get(vr)
    if check is not None:
        check(text)
    return text


def _number_text(vr: str, value: Scalar) -> str:
    if isinstance(value, bool) or vr not in {"DS", "IS"} or (vr == "IS" and not isinstance(value, int)):
        raise EncodeError(f"{vr} holds text, not {value!r}")
    if vr == "IS" or (isinstance(value, int) and len(str(value)) <= DS_CHARACTERS):
        return str(value)
    return decimal_string(float(value))


def _check_integer(text: str) -> None:
    if int(text) not in IS_RANGE:
        raise EncodeError(f"{text} is out of the range of IS")


def _check_date(text: str) -> None:
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _DAYS[month - 1] or (month == 2 and day == 29 and not leap):
        raise EncodeError(f"{text} is not in the calendar")


def _check_date_time(text: str) -> None:
    if text[:8].isdigit() and len(text) >= 8:
        _check_date(text)


def _check_uid(text: str) -> None:
    if not is_valid_uid(text):
        raise EncodeError(f"{text!r} is no UID")


def _check_single_line(text: str) -> None:
    if not _SINGLE_LINE.fullmatch(text):
        raise EncodeError(f"{text!r} holds a control character or a backslash")


def _check_many_lines(text: str) -> None:
    if not _MANY_LINES.fullmatch(text):
        raise EncodeError("the text holds a control character other than TAB, LF, FF, CR, ESC")


def _check_person_name(text: str) -> None:
    _check_single_line(text)
    groups = text.split("=")
    if len(groups) > PN_GROUPS:
        raise EncodeError(f"a Person Name has at most {PN_GROUPS} component groups, not {len(groups)}")
    for name in groups:
        if len(name) > VRS["PN"].limit:
            raise EncodeError(f"{len(name)} characters are more than the {VRS['PN'].limit} of a PN component group")
        if name.count("^") >= PN_COMPONENTS:
            raise EncodeError(f"a Person Name has at most {PN_COMPONENTS} components, not {name.count('^') + 1}")


_CHECKS: dict[str, Callable[[str], None]] = {
    "DA": _check_date,
    "DT": _check_date_time,
    "IS": _check_integer,
    "LO": _check_single_line,
    "LT": _check_many_lines,
    "PN": _check_person_name,
    "SH": _check_single_line,
    "ST": _check_many_lines,
    "UC": _check_single_line,
    "UI": _check_uid,
    "UT": _check_many_lines,
}
