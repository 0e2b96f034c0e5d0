"""An oracle of its own: the Module tables of PS3.3 walked over what pydicom reads, with nothing of ours in between.

The tables are data (tests/vectors/module_tables.json.gz, written by scripts/gen_oracle.py) and expanded here while an
instance is walked. A violation is a type 1 Attribute that is absent or empty, a type 2 Attribute that is absent, a type
1C Attribute that is empty, a value outside an enumeration, or a VR that is not the dictionary's, at any depth. The
conditions of 1C and 2C are not asked for: the tables do not hold them.

A Module that is not mandatory counts as used when the instance has an Attribute that no mandatory Module has and only
this one of the others.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydicom.dataset import Dataset

VECTOR = Path(__file__).resolve().parent.parent / "vectors" / "module_tables.json.gz"

# Type 1 in one Module and conditional in another of the same IOD, which wins: (SOP Classes, table, tag).
RELAXED = {
    # Frame Increment Pointer of a multi-frame SC with one frame (C.8.6.3)
    ("1.2.840.10008.5.1.4.1.1.7.", "table_C.7-14", "00280009"),
}
# Macros that Table C.17-5 includes if and only if the Value Type is theirs.
VALUE_TYPES = {
    "table_C.18.1-1": {"NUM"},
    "table_C.18.2-1": {"CODE"},
    "table_C.18.3-1": {"COMPOSITE"},
    "table_C.18.4-1": {"IMAGE"},
    "table_C.18.5-1": {"WAVEFORM"},
    "table_C.18.6-1": {"SCOORD"},
    "table_C.18.7-1": {"TCOORD"},
    "table_C.18.8-1": {"CONTAINER"},
    "table_C.18.9-1": {"SCOORD3D"},
    "table_C.18.10-1": {"TABLE"},
}


class Row(NamedTuple):
    """A row of a table and the rows below it."""

    table: str
    tag: str
    type: str
    values: list[str]
    children: list[Row]
    include: str


class Oracle:
    """Walks the tables of one edition."""

    def __init__(self) -> None:
        data = json.loads(gzip.decompress(VECTOR.read_bytes()))
        self.editions: str = data["editions"]
        self.sop_classes: dict[str, list[list[str]]] = data["sop_classes"]
        self._raw: dict[str, list[list[Any]]] = data["tables"]
        self._vrs: dict[str, str] = data["vrs"]
        self._trees: dict[str, list[Row]] = {}
        self.rows_walked = 0

    def violations(self, ds: Dataset) -> list[str]:
        """Everything wrong with an instance, as lines; it must be of a SOP Class that the tables have."""
        sop_class = str(ds.SOPClassUID)
        found: list[str] = []
        for table in self._used(ds, sop_class):
            found += self._level(self._tree(table), ds, sop_class, "")
        found += self._vr_of_all(ds, "")
        return sorted(set(found))

    # --- which Modules -------------------------------------------------------------------------

    def _used(self, ds: Dataset, sop_class: str) -> Iterator[str]:
        modules = self.sop_classes[sop_class]
        tags = {table: {row.tag for row in self._flat(self._tree(table), ds)} for table, _ in modules}
        here = {f"{int(element.tag):08X}" for element in ds}
        mandatory = set().union(*(tags[table] for table, usage in modules if usage == "M"))
        for table, usage in modules:
            others = set().union(*(tags[other] for other, how in modules if other != table and how != "M"))
            if usage == "M" or here & (tags[table] - mandatory - others):
                yield table

    # --- the walk ------------------------------------------------------------------------------

    def _level(self, rows: list[Row], ds: Dataset, sop_class: str, path: str) -> Iterator[str]:
        for row in self._flat(rows, ds):
            self.rows_walked += 1
            where = f"{path}({row.tag[:4]},{row.tag[4:]}) {row.table}"
            if "X" in row.tag:
                continue  # repeating groups: an overlay is never ours
            element = ds.get(int(row.tag, 16))
            if element is None:
                if row.type in {"1", "2"} and not self._relaxed(row, sop_class):
                    yield f"{where}: type {row.type} is absent"
                continue
            values = _values(element)
            if row.type in {"1", "1C"} and not values:
                yield f"{where}: type {row.type} is empty"
            for value in values:
                if row.values and not _is_one_of(value, row.values):
                    yield f"{where}: {value!r} is not one of {row.values}"
            if element.VR == "SQ":
                for number, item in enumerate(element.value, 1):
                    yield from self._level(row.children, item, sop_class, f"{path}({row.tag})[{number}].")

    def _relaxed(self, row: Row, sop_class: str) -> bool:
        return any(
            sop_class.startswith(prefix) and (row.table, row.tag) == (table, tag) for prefix, table, tag in RELAXED
        )

    def _vr_of_all(self, ds: Dataset, path: str) -> Iterator[str]:
        for element in ds:
            known = self._vrs.get(f"{int(element.tag):08X}")
            if known and element.VR not in known.split(" or "):
                yield f"{path}{element.tag}: VR {element.VR} is not {known}"
            if element.VR == "SQ":
                for number, item in enumerate(element.value, 1):
                    yield from self._vr_of_all(item, f"{path}{element.tag}[{number}].")

    # --- tables --------------------------------------------------------------------------------

    def _flat(self, rows: list[Row], ds: Dataset) -> Iterator[Row]:
        """Rows of one level with included tables in their place, as far as they apply to this item."""
        for row in rows:
            if not row.include:
                yield row
            elif row.include not in VALUE_TYPES or str(ds.get("ValueType", "")) in VALUE_TYPES[row.include]:
                yield from self._flat(self._tree(row.include), ds)

    def _tree(self, table: str) -> list[Row]:
        if table not in self._trees:
            level: list[Row] = []
            stack = [level]
            for depth, tag, kind, values in self._raw[table]:
                del stack[depth + 1 :]
                row = Row(table, tag, "" if not tag else kind, values, [], "" if tag else kind)
                stack[depth].append(row)
                stack.append(row.children)
            self._trees[table] = level
        return self._trees[table]


def _values(element: Any) -> list[Any]:
    if element.VR == "SQ":
        return [""] * len(element.value)
    if element.is_empty:
        return []
    found = list(element.value) if element.VM > 1 else [element.value]
    return [value for value in found if value != ""] or ([] if element.VM <= 1 else found)


def _is_one_of(value: Any, allowed: list[str]) -> bool:
    if isinstance(value, int | float):
        numbers = [float(int(term[:-1], 16)) if term.endswith("H") else float(term) for term in allowed]
        return float(value) in numbers
    return value == "" or str(value) in allowed
