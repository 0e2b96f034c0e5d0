"""The Module tables of PS3.3 as data that code can walk.

PS3.3 describes an IOD as a list of Modules with a usage (M mandatory, C conditional, U user option), and a Module as
a table of Attributes with a type (1, 1C, 2, 2C, 3). Tables include Macro tables at any depth, and so do Macros.
scripts/gen_modules.py writes all of them as one string per table into ``_generated_modules.py``; here a string becomes
a tree of :class:`Row` when it is first asked for. Included Macros stay references until a sequence really has items,
so walking an instance parses only the tables it uses, and a Macro that contains itself is no problem.

Nothing here knows a condition (conditions.py), a rule written as prose (rules.py) or a Data Set (modules.py).
"""

from __future__ import annotations

from agent.iod._generated_modules import EDITION, FUNCTIONAL_GROUPS, IODS, SOP_CLASSES, TABLES
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "EDITION",
    "SOP_CLASSES",
    "ModuleUse",
    "Row",
    "children",
    "functional_groups_of",
    "modules_of",
    "rows",
    "title",
]


class Row(NamedTuple):
    """One Attribute of a Module or Macro table, or an included Macro (``tag`` 0).

    ``table`` is where the row stands (``"C.7-11c"``): with the tag it names the row for conditions.
    ``enumerated`` closes the value set, ``defined`` only suggests it (PS3.5 section 3).
    """

    table: str
    tag: int
    type: str
    enumerated: tuple[str, ...]
    defined: tuple[str, ...]
    include: str
    children: tuple[Row, ...]


class ModuleUse(NamedTuple):
    """A Module of an IOD: its table, usage ``M`` ``C`` ``U`` and entity (P S R F E A I, patient to image)."""

    table: str
    usage: str
    entity: str


_rows: dict[str, tuple[Row, ...]] = {}
_uses: dict[str, tuple[ModuleUse, ...]] = {}


def title(table: str) -> str:
    """Name of a Module or Macro as the Standard prints it: ``title("C.7-1") == "Patient"``."""
    return TABLES[table].split("\n", 1)[0]


def modules_of(iod: str) -> tuple[ModuleUse, ...]:
    """Modules of an IOD (``"us"``, ``"us-mf"``, ``"dx"``, ``"cr"``, ``"sc"``) in the order of its table."""
    found = _uses.get(iod)
    if found is None:
        found = tuple(ModuleUse(*line.split(" ")) for line in IODS[iod].splitlines())
        _uses[iod] = found
    return found


def functional_groups_of(iod: str) -> tuple[str, ...]:
    """Tables of the Functional Group Macros of an IOD; none where it has no functional groups."""
    return tuple(FUNCTIONAL_GROUPS.get(iod, "").split())


def rows(table: str) -> Iterator[Row]:
    """Attribute rows of a table, included Macros of the same level expanded, children not."""
    return _expand(_parsed(table))


def children(row: Row) -> Iterator[Row]:
    """Attribute rows of the items of a sequence row."""
    return _expand(row.children)


def _expand(level: tuple[Row, ...]) -> Iterator[Row]:
    for row in level:
        if not row.include:
            yield row
        elif not row.children:
            yield from rows(row.include)
        else:  # what stands below an included Macro belongs to its last sequence
            *before, last = rows(row.include)
            yield from before
            yield last._replace(children=last.children + row.children)


def _parsed(table: str) -> tuple[Row, ...]:
    found = _rows.get(table)
    if found is None:
        found = _tree(table, TABLES[table].split("\n")[1:])
        _rows[table] = found
    return found


def _tree(table: str, lines: list[str]) -> tuple[Row, ...]:
    """Rows of one level; the lines below a row that are one mark deeper are its children."""
    level: list[Row] = []
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and lines[end].startswith(">"):
            end += 1
        level.append(_row(table, lines[at], [line[1:] for line in lines[at + 1 : end]]))
        at = end
    return tuple(level)


def _row(table: str, line: str, below: list[str]) -> Row:
    if line.startswith("+"):
        return Row(table, 0, "", (), (), line[1:], _tree(table, below))
    tag, kind, *rest = line.split(" ", 2)
    values = rest[0] if rest else ""
    terms = tuple(values[1:].split("\\")) if values else ()
    enumerated, defined = (terms, ()) if values.startswith("=") else ((), terms)
    return Row(table, int(tag, 16), kind, enumerated, defined, "", _tree(table, below))
