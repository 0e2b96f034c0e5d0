"""The content tree of a Structured Report: items, their relationships, and templates as data (PS3.3 C.17.3, PS3.16).

A template of PS3.16 is a table, and here it is one: a row says how deep the item stands, how it relates to the one
above, its value type, its concept, and the name of the fact that fills it. ``fill`` walks the rows: a fact that is
there becomes an item, one that is not leaves no trace, unless the row is mandatory. A mandatory number that nobody
knows is said to be unknown in the way the Standard has for it (no Measured Value, a qualifier; C.18.1); any other
mandatory item without its fact is refused.

Numbers are ``Decimal``, because a dose is added up and compared. A number that a DS cannot hold in its sixteen
characters is rounded to them, and then the item carries it as a Floating Point Value too (C.18.1).
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod.codes import Code
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    Fact = Code | Decimal | str

DS_CHARACTERS: Final = 16
VALUE_UNKNOWN: Final = Code("114010", "DCM", "Value unknown")  # CID 42
MAX_DEPTH: Final = 8  # of a template; ours need three

_CONTAINS, _MODIFIES, _CONTEXT, _PROPERTY = "CONTAINS", "HAS CONCEPT MOD", "HAS OBS CONTEXT", "HAS PROPERTIES"
_RELATIONS: Final = {"c": _CONTAINS, "m": _MODIFIES, "o": _CONTEXT, "p": _PROPERTY}
_VALUES: Final = {"TEXT": "TextValue", "DATETIME": "DateTime", "UIDREF": "UID", "PNAME": "PersonName"}
# UCUM says "1" for what has no unit; all meanings but this are the unit itself (PS3.16 7.2.2).
_UNIT_MEANINGS: Final = {"1": "no units", "{pulse}/s": "pulses per second"}


class Item(NamedTuple):
    """One content item below the root: how it relates to its parent, what it is called, what it says."""

    relation: str
    type: str
    name: Code
    value: Fact | None = None
    unit: str = ""
    children: tuple[Item, ...] = ()


class Row(NamedTuple):
    """One row of a template; ``mandatory`` is that of its parent's being there."""

    depth: int
    relation: str
    type: str
    name: Code
    key: str
    unit: str
    mandatory: bool


def rows(table: str) -> tuple[Row, ...]:
    """Rows of a template written as ``[>...]relation|type|scheme:code|meaning|key[|unit][|M]``."""
    return tuple(_row(line) for line in table.splitlines())


def fill(template: tuple[Row, ...], facts: Mapping[str, Fact | None]) -> tuple[Item, ...]:
    """Items of a template from the facts that are known; a number that is None is written as unknown.

    A container is there when one of its items is. Raises ``IodError`` where a mandatory fact is missing.
    """
    items: list[Item] = []
    at = 0
    while at < len(template):
        end = at + 1
        while end < len(template) and template[end].depth > template[at].depth:
            end += 1
        item = _item(template[at], template[at + 1 : end], facts)
        if item is not None:
            items.append(item)
        at = end
    return tuple(items)


def container(name: Code, items: tuple[Item, ...], relation: str = _CONTAINS) -> Item:
    """A container of these items."""
    return Item(relation, "CONTAINER", name, children=items)


def root(name: Code, template: str, items: tuple[Item, ...]) -> DataSet:
    """Attributes of SR Document Content for a tree whose root container follows this template."""
    made = _encoded(Item("", "CONTAINER", name, children=items), 0)
    identification = DataSet()
    identification["MappingResource"] = "DCMR"
    identification["TemplateIdentifier"] = template
    made["ContentTemplateSequence"] = [identification]
    return made


def decimal_string(value: Decimal) -> tuple[str, bool]:
    """A number in at most sixteen characters, and whether that is exactly the number (PS3.5 6.2)."""
    if not value.is_finite():
        raise IodError(f"{value} is no number")
    for digits in range(min(len(value.as_tuple().digits), DS_CHARACTERS), 0, -1):
        rounded = Context(prec=digits, rounding=ROUND_HALF_EVEN).create_decimal(value).normalize()
        for text in (f"{rounded:f}", f"{rounded:E}".replace("E+", "E")):
            if len(text) <= DS_CHARACTERS:
                return text, rounded == value
    raise IodError(f"{value} does not fit a Decimal String")


# --- templates -------------------------------------------------------------------------------


def _row(line: str) -> Row:
    depth = len(line) - len(line.lstrip(">"))
    relation, kind, concept, meaning, key, *rest = line[depth:].split("|")
    scheme, _, value = concept.partition(":")
    mandatory = bool(rest) and rest[-1] == "M"
    unit = rest[0] if rest and rest[0] != "M" else ""
    return Row(depth, _RELATIONS[relation], kind, Code(value, scheme, meaning), key, unit, mandatory)


def _item(row: Row, below: tuple[Row, ...], facts: Mapping[str, Fact | None]) -> Item | None:
    value = facts.get(row.key) if row.key else None
    if row.type == "CONTAINER":
        known = any(line.key in facts for line in below)
        children = fill(below, facts) if known or row.mandatory else ()
        return Item(row.relation, row.type, row.name, children=children) if known or row.mandatory else None
    if value is None and not (row.type == "NUM" and (row.mandatory or row.key in facts)):
        if row.mandatory:
            raise IodError(f"{row.name.meaning} is not known ({row.key})", tag=0x0040A730)
        return None
    return Item(row.relation, row.type, row.name, value, row.unit, fill(below, facts))


# --- encoding --------------------------------------------------------------------------------


def _encoded(item: Item, depth: int) -> DataSet:
    """An item with those below it; as deep as the templates are, which are ours."""
    if depth > MAX_DEPTH:
        raise IodError(f"a content tree of more than {MAX_DEPTH} levels", tag=0x0040A730)
    made = DataSet()
    if item.relation:
        made["RelationshipType"] = item.relation
    made["ValueType"] = item.type
    made["ConceptNameCodeSequence"] = [item.name.item()]
    if item.type == "CONTAINER":
        made["ContinuityOfContent"] = "SEPARATE"
    elif item.type == "NUM":
        _number(made, item)
    elif isinstance(item.value, Code):
        made["ConceptCodeSequence"] = [item.value.item()]
    elif item.value is not None:
        made[_VALUES[item.type]] = str(item.value)
    if item.children:
        made["ContentSequence"] = [_encoded(child, depth + 1) for child in item.children]
    return made


def _number(made: DataSet, item: Item) -> None:
    if not isinstance(item.value, Decimal):
        made["MeasuredValueSequence"] = []
        made["NumericValueQualifierCodeSequence"] = [VALUE_UNKNOWN.item()]
        return
    measured = DataSet()
    text, exact = decimal_string(item.value)
    measured["NumericValue"] = text
    if not exact:
        measured["FloatingPointValue"] = float(item.value)
    measured["MeasurementUnitsCodeSequence"] = [
        Code(item.unit, "UCUM", _UNIT_MEANINGS.get(item.unit, item.unit)).item()
    ]
    made["MeasuredValueSequence"] = [measured]
