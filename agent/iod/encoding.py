"""How a Data Set is encoded, judged as it stands in the file (PS3.5 6.2, 7, 9, PS3.6).

``agent.dataset.decode`` reads what is wrong as long as its structure is sound; here every element is asked what the
decoder let pass: values against the rules of their VR (the same ones that bind what we write), lengths, padding,
characters that the Specific Character Set does not have, order, groups, private blocks, retired elements.

A value left in the file (``Reference``) is bulk data and judged by its length alone.
"""

from __future__ import annotations

from agent.dataset import dictionary
from agent.dataset.charset import REPLACEMENT, charset_for
from agent.dataset.rules import checked_text
from agent.dataset.tag import (
    SPECIFIC_CHARACTER_SET,
    TRAILING_PADDING,
    is_group_length,
    is_private,
    is_private_creator,
    private_creator_of,
    tag_str,
)
from agent.dataset.values import Raw
from agent.dataset.vr import NUMBER, TAG, TEXT, VRS
from agent.errors import EncodeError
from agent.iod.modules import ERROR, WARNING, Finding, levels
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dataset.dataset import DataSet

_META_GROUP = 0x0002
_COMMAND_GROUPS = frozenset({0x0000, _META_GROUP, 0x0006})
# Groups below the first of a Data Set, and those that PS3.5 7.1 keeps for itself.
_IMPOSSIBLE_GROUPS = frozenset({0x0001, 0x0003, 0x0005, 0x0007, 0xFFFF})
_BOTH_ENDS = frozenset({"AE", "CS", "DS", "IS"})  # spaces at both ends mean nothing (PS3.5 6.2)
_TRAILING = frozenset({"DT", "TM", "SH", "LO", "PN", "UC", "LT", "ST", "UT", "UR"})  # those at the end
_ROOTS = frozenset({"", "0", "1", "2"})  # of the tree of ISO 8824-1 (PS3.5 9); nothing before the dot is said elsewhere
_SHOWN_CHARACTERS = 40  # of a wrong value; a whole text helps nobody


def check_encoding(ds: DataSet, *, meta: bool = False) -> Iterator[Finding]:
    """Everything that is wrong with the encoding of a Data Set, at any depth; ``meta``: it is group 0002."""
    for item, prefix in levels(ds):
        yield from _order(item, prefix)
        for tag in item.tags():
            path = prefix + tag_str(tag)
            for severity, text, section in _place(item, tag, inside=bool(prefix), meta=meta):
                yield Finding(severity, path, tag, section, "", "", text)
            stored = item.stored[tag]
            if isinstance(stored, Raw):
                for text, section in _value(stored):
                    yield Finding(ERROR, path, tag, section, "", "", text)


# --- where an element stands --------------------------------------------------------------------


def _order(item: DataSet, prefix: str) -> Iterator[Finding]:
    """Tags ascend (PS3.5 7.1); the decoder keeps them as they came."""
    last = -1
    for tag in item.stored:
        if tag < last:
            text = f"stands behind {tag_str(last)}"
            yield Finding(ERROR, prefix + tag_str(tag), tag, "PS3.5 7.1", "", "", text)
            return
        last = tag


def _place(item: DataSet, tag: int, *, inside: bool, meta: bool) -> Iterator[tuple[str, str, str]]:
    group = tag >> 16
    if group != _META_GROUP if meta else group in _COMMAND_GROUPS:
        yield ERROR, "does not belong here", "PS3.10 7.1" if meta or group == _META_GROUP else "PS3.5 7.1"
    elif group in _IMPOSSIBLE_GROUPS:
        yield ERROR, "is in a group that nothing may use", "PS3.5 7.1"
    elif is_private(tag):
        yield from _private(item, tag)
    elif is_group_length(tag):
        if not meta:
            yield WARNING, "is a group length, which is retired", "PS3.5 7.2"
    elif tag == TRAILING_PADDING:
        return
    elif not dictionary.keyword_of(tag):
        yield WARNING, "is no element of the dictionary", "PS3.6 6"
    elif _is_retired(tag):
        yield WARNING, "is retired", "PS3.6 6"
    if inside and tag == SPECIFIC_CHARACTER_SET and not item.get(tag):
        yield WARNING, "is empty in an item", "PS3.5 7.5.3"


def _private(item: DataSet, tag: int) -> Iterator[tuple[str, str, str]]:
    """A private element has a creator in its own Data Set (PS3.5 7.8.1)."""
    if is_group_length(tag):
        yield WARNING, "is a group length, which is retired", "PS3.5 7.2"
    elif is_private_creator(tag):
        if item.stored[tag].vr not in {"LO", "UN"}:
            yield ERROR, f"is a private creator with VR {item.stored[tag].vr}, not LO", "PS3.5 7.8.1"
        elif not item.get(tag):
            yield ERROR, "is a private creator without a name", "PS3.5 7.8.1"
        elif any(item.get(other) == item.get(tag) for other in item.tags() if _same_block_row(other, tag)):
            yield ERROR, "names a private creator twice", "PS3.5 7.8.1"
    else:
        owner = private_creator_of(tag)
        if not owner:
            yield ERROR, "is a private element that no block can hold", "PS3.5 7.8.1"
        elif not item.get(owner):
            yield ERROR, f"is a private element without its creator {tag_str(owner)}", "PS3.5 7.8.1"


def _same_block_row(other: int, tag: int) -> bool:
    return other < tag and other >> 16 == tag >> 16 and is_private_creator(other)


def _is_retired(tag: int) -> bool:
    from agent.iod._generated_retired import RETIRED

    return f" {tag:08X}" in RETIRED


# --- what a value says --------------------------------------------------------------------------


def _value(raw: Raw) -> Iterator[tuple[str, str]]:
    """Complaints about the bytes of one element, with the section that each breaks."""
    row = VRS.get(raw.vr)
    if len(raw.data) & 1:
        yield f"has an odd length of {len(raw.data)} bytes", "PS3.5 7.1.1"
    if row is None or not raw.data:
        return
    if row.kind is NUMBER or row.kind is TAG or (row.size > 1 and row.kind is not TEXT):
        if len(raw.data) % row.size:
            yield f"has {len(raw.data)} bytes, which is no multiple of {row.size}", f"PS3.5 6.2 {raw.vr}"
    elif row.kind is TEXT:
        yield from _text(raw)
        if raw.tag == SPECIFIC_CHARACTER_SET:
            yield from _character_sets(raw.data)


def _text(raw: Raw) -> Iterator[tuple[str, str]]:
    vr, row = raw.vr, VRS[raw.vr]
    section = f"PS3.5 6.2 {vr}"
    text = raw.charset.decode(raw.data, name=vr == "PN") if row.charset else raw.data.decode("ascii", "replace")
    if REPLACEMENT in text:
        terms = raw.charset.terms if row.charset else ""
        yield f"has bytes that are not in {terms or 'the default character repertoire'}", "PS3.5 6.1"
        return
    if vr != "UI" and "\0" in text:
        yield "has a NUL byte, and text is padded with a space", section
        text = text.rstrip("\0 ")
    values = text.split("\\") if row.multi else [text]
    for at, value in enumerate(values):
        complaint = _complaint(vr, value, last=at == len(values) - 1)
        if complaint:
            yield complaint, section


def _complaint(vr: str, value: str, *, last: bool) -> str:
    """What is wrong with one value; the pad character at the end of the field is none of it (PS3.5 6.4)."""
    if vr == "UI":
        plain = value.removesuffix("\0") if last else value
        if plain.partition(".")[0] not in _ROOTS and plain[:1].isdigit():
            return f"{plain!r} is no UID: roots are 0, 1 and 2"
    else:
        plain = value.removesuffix(" ") if last else value
        if vr in _TRAILING:
            plain = plain.rstrip(" ")
        limit = VRS[vr].limit
        if limit and vr in _BOTH_ENDS and len(plain) > limit:
            return f"has {len(plain)} characters, more than the {limit} of {vr}"
        if vr in _BOTH_ENDS and plain.strip(" "):
            plain = plain.strip(" ")
    try:
        checked_text(vr, plain)
    except EncodeError as error:
        return _short(error.message)
    return ""


def _short(message: str) -> str:
    if len(message) <= 3 * _SHOWN_CHARACTERS:
        return message
    return f"{message[:_SHOWN_CHARACTERS]}...{message[-2 * _SHOWN_CHARACTERS :]}"


def _character_sets(data: bytes) -> Iterator[tuple[str, str]]:
    """Defined terms, one set alone or extensions of ISO 2022 (PS3.3 C.12.1.1.2)."""
    terms = data.decode("ascii", "replace").strip(" \0")
    if charset_for(terms) is None:
        yield f"has {terms!r}, which is no character set of the Standard", "PS3.3 C.12.1.1.2"
