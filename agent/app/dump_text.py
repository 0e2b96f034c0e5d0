"""A Data Set as lines for people: tag, VR, length, name and value; items one step further in.

::

    (0008,0060) CS        2  Modality                    US
    (0008,1140) SQ           ReferencedImageSequence     1 item
      item 0
        (0008,1150) UI   26  ReferencedSOPClassUID       1.2.840.10008.5.1.4.1.1.6.1 (Ultrasound Image Storage)

A length is that of the value field in the file. A private element is named by its creator and what it is in the
creator's block. Text comes from a file that anybody may have written: what a terminal would obey is shown as an escape.
"""

from __future__ import annotations

from types import MappingProxyType

from agent.app.term import count_text, paint
from agent.dataset import dictionary
from agent.dataset.charset import DEFAULT
from agent.dataset.dataset import DataSet
from agent.dataset.tag import is_private, private_creator_of, tag_str
from agent.dataset.uid import uid_name
from agent.dataset.values import Element, Fragments, Raw, Reference, Value
from agent.dataset.vr import TEXT, VRS
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAME_WIDTH: Final = 34  # nine keywords of ten; longer ones push their value to the right
_STEP: Final = "  "
# What is shown of a value without --full: about one more line of a terminal.
_TEXT_CHARACTERS: Final = 120
_VALUES: Final = 16
_BYTES: Final = 16


def data_set_lines(
    dataset: DataSet, *, full: bool = False, behind: Mapping[int, Iterable[str]] = MappingProxyType({})
) -> Iterator[str]:
    """The lines of a Data Set; ``full`` shows values whole, ``behind`` adds lines behind elements of the root."""
    root = _elements(dataset, "", full=full, behind=behind)
    open_items: list[tuple[str, Iterator[str | tuple[DataSet, str]]]] = [("", root)]
    while open_items:  # a stack in place of recursion: nesting comes from the file
        indent, lines = open_items[-1]
        found = next(lines, None)
        if found is None:
            open_items.pop()
        elif isinstance(found, str):
            yield indent + found
        else:
            item, inner = found
            open_items.append((inner, _elements(item, inner, full=full)))


def _elements(
    dataset: DataSet, indent: str, *, full: bool, behind: Mapping[int, Iterable[str]] = MappingProxyType({})
) -> Iterator[str | tuple[DataSet, str]]:
    """The lines of one level, and the items that open the next."""
    for tag in dataset.tags():
        stored = dataset.stored[tag]
        value = _value_text(dataset, tag, full=full)
        length = str(_length(stored))
        head = f"{paint(tag_str(tag), 'dim')} {stored.vr[:2]} {length:>8}  {_name(dataset, tag):<{_NAME_WIDTH}}"
        yield f"{head} {value}".rstrip()
        if stored.vr == "SQ":
            for number, item in enumerate(dataset.items_of(tag)):
                yield f"{_STEP}item {number}"
                yield item, indent + 2 * _STEP
        for line in behind.get(tag, ()):
            yield _STEP + line


def _length(stored: Element | Raw) -> int | str:
    """The length of the value field as it was read; nothing where a delimiter or items say it."""
    if isinstance(stored, Raw):
        return len(stored.data)
    if isinstance(stored.value, Reference):
        return "" if stored.value.encapsulated else stored.value.length
    return len(stored.value) if isinstance(stored.value, bytes | bytearray | memoryview) else ""


def _name(dataset: DataSet, tag: int) -> str:
    keyword = dictionary.keyword_of(tag)
    if keyword is not None:
        return keyword
    if not is_private(tag):
        return "group length" if not tag & 0xFFFF else "?"
    owner = private_creator_of(tag)
    if not owner:
        return "private creator"
    creator = dataset.text(owner) if owner in dataset else ""
    return f"[{escaped(creator)}] xx{tag & 0xFF:02X}" if creator else "[no creator]"


def _value_text(dataset: DataSet, tag: int, *, full: bool) -> str:
    stored, value = dataset.stored[tag], dataset[tag]
    row = VRS.get(stored.vr)
    if stored.vr == "SQ":
        return count_text(len(dataset.items_of(tag)), "item")
    if isinstance(value, Reference):
        return f"{'encapsulated ' if value.encapsulated else ''}at byte {value.offset}"
    if isinstance(value, Fragments):
        return f"encapsulated, {count_text(len(value.fragments), 'fragment')}"
    if isinstance(value, bytes | bytearray | memoryview):
        return hex_text(bytes(value[: None if full else _BYTES + 1]), full=full)
    if row is not None and row.kind is TEXT and stored.vr != "UI":
        return _text(_as_written(stored) or "-", full=full)
    return _list(_words(stored.vr, value), full=full)


def _as_written(stored: Element | Raw) -> str:
    """Text with the spelling of the file: a DS of 1.50 is not 1.5."""
    if isinstance(stored, Raw):
        return (stored.charset if VRS[stored.vr].charset else DEFAULT).decode(stored.data).rstrip(" \0")
    value = stored.value
    return "\\".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


def _words(vr: str, value: Value) -> list[str]:
    values = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
    if vr == "AT":
        return [f"{tag_str(one)} {dictionary.keyword_of(one) or ''}".strip() for one in values if isinstance(one, int)]
    return [_uid(str(one)) if vr == "UI" else str(one) for one in values]


def _uid(uid: str) -> str:
    name = uid_name(uid)
    return escaped(uid) if name == uid else f"{uid} ({name})"


def _list(values: list[str], *, full: bool) -> str:
    if not values:
        return "-"
    if full or len(values) <= _VALUES:
        return "\\".join(values)
    return "\\".join(values[:_VALUES]) + f"\\... ({len(values)} values)"


def _text(text: str, *, full: bool) -> str:
    if full or len(text) <= _TEXT_CHARACTERS:
        return escaped(text)
    return f"{escaped(text[:_TEXT_CHARACTERS])}... ({len(text)} characters)"


def hex_text(data: bytes, *, full: bool) -> str:
    """Bytes in hexadecimal; of many the first."""
    if full or len(data) <= _BYTES:
        return data.hex(" ") or "-"
    return f"{data[:_BYTES].hex(' ')} ..."


def escaped(text: str) -> str:
    """Text with control characters and the like as escapes; nothing in it can move a cursor."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
