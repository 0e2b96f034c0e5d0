"""The Data Set: Data Elements by tag, in ascending order (PS3.5 7.1).

::

    ds = DataSet({"PatientName": "DOE^JANE", "Modality": "US"})
    ds["ImageType"] = ["ORIGINAL", "PRIMARY"]           # by keyword; VR from the dictionary
    ds.set(0x00091001, b"...", vr="OB")                 # private elements must name their VR
    ds["PatientID"], ds.get(0x00100020), "Rows" in ds   # values; see ``values`` for their types
    for element in ds: ...                              # Element(tag, vr, value), ascending

Values are checked when the Data Set is encoded, not when they are set: a half-built instance is a normal thing.
To change a list, set it again; a list that was got may be a copy. Only items of a sequence are shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.dataset import dictionary
from agent.dataset.tag import is_private, is_private_creator, tag_str
from agent.dataset.values import Element, Raw, Scalar, Unread, Value, parse, raw_of
from agent.errors import EncodeError
from agent.typed import Any, NamedTuple, TypeAlias, cast

Key: TypeAlias = "int | str"


class Form(NamedTuple):
    """How a Data Set stood in the bytes that it was read from; ``encode`` writes it like this again."""

    undefined: bool = False  # length of the item
    order: tuple[int, ...] | None = None  # of the tags, where they did not ascend


def as_tag(key: Key) -> int:
    """A tag from a tag or keyword; KeyError for an unknown keyword."""
    return key if isinstance(key, int) else dictionary.tag_for(key)


class DataSet:
    """A mapping from tag or keyword to value; iterates over its Data Elements in ascending order."""

    __slots__ = ("form", "held", "unread")

    def __init__(self, values: Mapping[Any, Value] | None = None) -> None:
        self.held: dict[int, Element | Raw | Unread] = {}  # for this file and the decoder; others see ``stored``
        self.unread = False  # whether some of them may be; only the decoder says so
        self.form: Form | None = None  # None: made here, so everything is as the Standard wants it
        for key, value in (values or {}).items():
            self.set(key, value)

    @property
    def stored(self) -> dict[int, Element | Raw]:
        """The elements as they are kept, bytes or values, in the order they came; for encoding and for checks."""
        if self.unread:
            for tag, found in self.held.items():
                if type(found) is tuple:
                    self.held[tag] = raw_of(tag, found)  # type: ignore[arg-type]  # as below
            self.unread = False
        return cast("dict[int, Element | Raw]", self.held)

    # --- reading ---------------------------------------------------------------------------

    def __getitem__(self, key: Key) -> Value:
        tag = key if isinstance(key, int) else dictionary.tag_for(key)
        found = self.held[tag]
        if type(found) is tuple:
            found = self.held[tag] = raw_of(tag, found)  # type: ignore[arg-type]  # mypy cannot tell it from a NamedTuple
        return parse(found) if isinstance(found, Raw) else found.value  # type: ignore[union-attr]  # as above

    def get(self, key: Key, default: Value = None) -> Value:
        """The value, or the default where the element is absent or empty."""
        tag = as_tag(key)
        value = self[tag] if tag in self.held else None
        return default if value is None else value

    def text(self, key: Key, default: str = "") -> str:
        """The value as one text, several values separated by a backslash; the default where absent or empty."""
        values = [str(value) for value in self.values_of(key)]
        return "\\".join(values) if values else default

    def values_of(self, key: Key) -> list[Scalar]:
        """The values of a text or number element as a list, whatever their number; no values: empty list."""
        value = self.get(key)
        if isinstance(value, str | int | float):
            return [value]
        return [v for v in value if isinstance(v, str | int | float)] if isinstance(value, list | tuple) else []

    def items_of(self, key: Key) -> list[DataSet]:
        """The items of a sequence; absent or not a sequence: empty list."""
        value = self.get(key)
        return [item for item in value if isinstance(item, DataSet)] if isinstance(value, list) else []

    def element(self, key: Key) -> Element:
        """The Data Element; KeyError where it is absent."""
        tag = as_tag(key)
        value = self[tag]
        return Element(tag, cast("Element | Raw", self.held[tag]).vr, value)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int | str) and as_tag(key) in self.held

    def __iter__(self) -> Iterator[Element]:
        for tag in sorted(self.held):
            yield self.element(tag)

    def __len__(self) -> int:
        return len(self.held)

    def tags(self) -> list[int]:
        """The tags, ascending."""
        return sorted(self.held)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DataSet):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        """Names the elements but no values: Data Sets are about patients, and repr ends up in logs."""
        return f"DataSet({len(self)}: {' '.join(map(tag_str, self.tags()[:8]))}{' ...' if len(self) > 8 else ''})"

    # --- changing --------------------------------------------------------------------------

    def __setitem__(self, key: Key, value: Value) -> None:
        self.set(key, value)

    def set(self, key: Key, value: Value, vr: str | None = None) -> None:
        """Set an element; the VR comes from the dictionary unless given.

        Raises:
            KeyError: Unknown keyword.
            EncodeError: A private element without a VR.
        """
        tag = as_tag(key)
        if vr is None:
            if is_private(tag) and not is_private_creator(tag):
                raise EncodeError("a private element needs an explicit VR", tag=tag)
            vr = dictionary.vr_of(tag)
        self.held[tag] = Element(tag, vr, list(value) if vr == "SQ" and isinstance(value, tuple) else value)

    def __delitem__(self, key: Key) -> None:
        del self.held[as_tag(key)]

    def update(self, other: DataSet | Mapping[Any, Value]) -> None:
        """Take over all elements of another Data Set (or mapping), replacing those of the same tag."""
        if isinstance(other, DataSet):
            self.stored.update(other.copy().stored)
        else:
            for key, value in other.items():
                self.set(key, value)

    def copy(self) -> DataSet:
        """A copy that shares no item with this Data Set."""
        taken = self.between(0, 1 << 32)
        taken.form = self.form
        return taken

    def between(self, first: int, end: int) -> DataSet:
        """A copy of the elements with ``first <= tag < end``."""
        taken = DataSet()
        taken.held = {tag: _unshared(found) for tag, found in self.stored.items() if first <= tag < end}
        return taken

    def shallow(self) -> DataSet:
        """A copy that shares the items, for who changes none of them."""
        taken = DataSet()
        taken.held, taken.form = dict(self.stored), self.form
        return taken


def _unshared(element: Element | Raw) -> Element | Raw:
    """The element with copies of its items."""
    if element.vr == "SQ" and isinstance(element, Element) and isinstance(element.value, list):
        items = [item.copy() if isinstance(item, DataSet) else item for item in element.value]
        return element._replace(value=items)
    return element
