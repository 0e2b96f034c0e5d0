"""What a value may look like: one row per kind of key.

A row says which TOML type carries the kind and which check its text must pass. A check returns the reason of a refusal
or an empty string. The rules for AE, SH, LO, PN, CS and DA come from PS3.5 6.2; text is held to printable characters
without backslash because every one of these values ends in an attribute or on a terminal.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.config.nearest import close_to
from agent.config.regions import region
from agent.config.source import parse_source
from agent.config.windows import spans
from agent.config.words import (
    LOSSLESS,
    MADE,
    TRANSFER_SYNTAX_WORDS,
    bits_per_s,
    transfer_syntax_uid,
    transfer_syntax_word,
)
from agent.dataset.uid import HTJ2K_LOSSLESS, is_valid_uid
from agent.errors import IodError
from agent.transcode.choose import AS_STORED, AUTO
from agent.typed import Final, NamedTuple


class Kind(NamedTuple):
    """``types``: the Python types ``tomllib`` gives; ``word``: for people and JSON Schema; ``check``: reason or ''.

    An array holds text, and each text of it is checked.
    """

    types: tuple[type, ...]
    word: str
    check: Callable[[str], str]


def _any(_text: str) -> str:
    return ""


def _text(text: str) -> str:
    if not text.isprintable():
        return "holds a control character"
    if "\\" in text:
        return "holds a backslash, which separates values in DICOM"
    return ""


def _ae(text: str) -> str:
    if not 1 <= len(text) <= 16:
        return "an AE Title has 1 to 16 characters"
    if not text.isascii() or _text(text):
        return "an AE Title has printable ASCII characters without backslash only"
    return "" if text.strip() == text else "an AE Title does not start or end with a space"


def _name(text: str) -> str:
    if 1 <= len(text) <= 32 and text.isascii() and text.replace("-", "").replace("_", "").isalnum():
        return ""
    return "a name has 1 to 32 letters, digits, '-' or '_'"


def _anatomy(text: str) -> str:
    from agent.iod import codes  # the table of PS3.16 is only needed where a region is named

    return _refusal(codes.anatomy, text) if text else ""


def _view(text: str) -> str:
    from agent.iod import codes

    return _refusal(codes.view, text) and _refusal(codes.ultrasound_view, text) if text else ""


def _view_modifier(text: str) -> str:
    from agent.iod import codes

    return _refusal(codes.view_modifier, text) if text else ""


def _image_type(text: str) -> str:
    values = text.split("/")
    if text and (len(values) < 2 or not all(map(_is_code_string, values))):
        return "an Image Type is two values or more like ORIGINAL/PRIMARY, of up to 16 of A-Z 0-9 space and _ each"
    return ""


def _is_code_string(text: str) -> bool:
    return (
        len(text) <= 16 and text.isascii() and text == text.upper() and text.replace("_", "").replace(" ", "").isalnum()
    )


def _lossy(text: str) -> str:
    for step in text.split(",") if text else ():
        ratio, _, method = step.strip().partition(" ")
        try:
            known = float(ratio) >= 1
        except ValueError:
            known = False
        if not known or not _is_code_string(method.strip()):
            return "a lossy step is RATIO METHOD, for example 12.5 ISO_10918_1"
    return ""


def _refusal(lookup: Callable[[str], object], text: str) -> str:
    try:
        lookup(text)
    except IodError as error:
        return error.message.partition(" at (")[0]
    return ""


def _orientation(text: str) -> str:
    parts = text.split("/")
    if text and (len(parts) != 2 or not all(part and set(part) <= set("RLAPHF") for part in parts)):
        return "an orientation is ROW/COLUMN in letters of R L A P H F, for example L/F"
    return ""


def _person(text: str) -> str:
    reason = _text(text)
    if reason:
        return reason
    if text.count("=") > 2 or any(group.count("^") > 4 for group in text.split("=")):
        return "a person name has up to five components parted by '^' in up to three groups parted by '='"
    return ""


_MONTH_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _date(text: str) -> str:
    if not text:
        return ""
    if len(text) == 8 and text.isascii() and text.isdigit():
        month, day = int(text[4:6]), int(text[6:])
        if 1 <= month <= 12 and 1 <= day <= _MONTH_DAYS[month - 1]:
            return ""
    return "a date is YYYYMMDD"


def _host(text: str) -> str:
    if text.count(":") == 1:
        return "a host is a name or an address, without port: the port is a key of its own"
    if 1 <= len(text) <= 253 and text.isascii() and all(c.isalnum() or c in ".-:%_" for c in text):
        return ""
    return "a host is a name or an address, without port"


def _path(text: str) -> str:
    return "" if text.isprintable() else "holds a control character"


def _bandwidth(text: str) -> str:
    try:
        bits_per_s(text)
    except ValueError as error:
        return str(error)
    return ""


def _window(text: str) -> str:
    try:
        spans([text])
    except ValueError as error:
        return str(error)
    return ""


def _region(text: str) -> str:
    try:
        region(text)
    except ValueError as error:
        return str(error) if text else ""
    return ""


def _source(text: str) -> str:
    try:
        parse_source(text)
    except ValueError as error:
        return str(error)
    return ""


def _syntax(text: str) -> str:
    if transfer_syntax_uid(text) == HTJ2K_LOSSLESS:
        from agent.native import htj2k

        return "" if htj2k.is_installed() else f"htj2k needs a library that is not here: {htj2k.HINT}"
    if text == AUTO or transfer_syntax_word(text) in MADE:
        return ""
    if text in TRANSFER_SYNTAX_WORDS or (text.startswith("1.2.840.10008.1.2") and is_valid_uid(text)):
        return f"this build cannot make instances in {transfer_syntax_word(text)}; available: {', '.join(MADE)}"
    return f"must be one of {', '.join(MADE)}, {AUTO} or a transfer syntax UID{close_to(text, (*MADE, AUTO))}"


def _sent_syntax(text: str) -> str:
    if text in (AS_STORED, AUTO) or transfer_syntax_word(text) in LOSSLESS:
        return ""
    close = close_to(text, (AS_STORED, AUTO, *LOSSLESS))
    return f"must be {AS_STORED}, {AUTO}, one of {', '.join(LOSSLESS)} or the UID of one{close}"


KINDS: Final[dict[str, Kind]] = {
    "ae": Kind((str,), "string", _ae),
    "anatomy": Kind((str,), "string", _anatomy),
    "bandwidth": Kind((str, int), "string", _bandwidth),
    "choice": Kind((str,), "string", _any),
    "date": Kind((str,), "string", _date),
    "host": Kind((str,), "string", _host),
    "image-type": Kind((str,), "string", _image_type),
    "integer": Kind((int,), "integer", _any),
    "lossy": Kind((str,), "string", _lossy),
    "name": Kind((str,), "string", _name),
    "number": Kind((int, float), "number", _any),
    "orientation": Kind((str,), "string", _orientation),
    "path": Kind((str,), "string", _path),
    "person": Kind((str,), "string", _person),
    "region": Kind((str,), "string", _region),
    "regions": Kind((list, tuple), "array", _region),
    "sent-syntax": Kind((str,), "string", _sent_syntax),
    "source": Kind((str,), "string", _source),
    "switch": Kind((bool,), "boolean", _any),
    "syntax": Kind((str,), "string", _syntax),
    "text": Kind((str,), "string", _text),
    "user": Kind((str,), "string", _path),
    "view": Kind((str,), "string", _view),
    "view-modifier": Kind((str,), "string", _view_modifier),
    "windows": Kind((list, tuple), "array", _window),
}
