"""Checking an instance against its IOD: walk the Module tables, report every difference.

``check`` says for each Module of the IOD that is in use:

* a type 1 Attribute that is absent or empty, a type 2 Attribute that is absent;
* the same for 1C and 2C where conditions.py can decide the condition, and presence where the Standard forbids it;
* a value outside an enumerated set (error) or outside the defined terms (warning), from tables and rules.py;
* relations between Attributes that PS3.3 states in prose (rules.py);

in sequences at any depth, and for the whole Data Set whether VR and VM are those of PS3.6. A user-optional Module is
in use as soon as the instance has an Attribute that no other Module of this IOD has. Standard Attributes that no
Module has are allowed (Standard Extended SOP Class, PS3.2 3.11.3) but reported as a warning: usually a slip.

Pixel Data are not asked for: instances are checked before their pixels are appended (media.stream), so a caller that
has them says so with ``pixel_data=True``.
"""

from __future__ import annotations

from agent.dataset import dictionary
from agent.dataset.tag import NUMBER_OF_FRAMES, is_group_length, is_private, tag_str
from agent.iod import conditions, rules, tables
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agent.dataset.dataset import DataSet

ERROR, WARNING = "error", "warning"
PIXEL_DATA = 0x7FE00010
_REPEATING = 0x6000  # overlays: groups 6000 to 601E stand for one table (PS3.3 C.9.2)


class Finding(NamedTuple):
    """One difference between an instance and its tables.

    ``path`` leads to the Attribute (``(0018,6011)[1].(0018,6024)``, items from 1), ``module`` and ``table`` to the
    rule; ``type`` is that of the row, empty where the rule is about a value, and ``section`` is set where it is prose.
    No path: the file as a whole.
    """

    severity: str
    path: str
    tag: int
    module: str
    table: str
    type: str
    text: str
    section: str = ""

    @property
    def where(self) -> str:
        """The rule as one cites it: Module, part and table or section, type."""
        if not self.table:
            return self.module
        rule = f"Table {self.table}" if not self.section else self.section
        part = "" if rule.startswith("PS") else "PS3.3 "
        return f"{self.module} ({part}{rule}{f', type {self.type}' if self.type else ''})"

    def __str__(self) -> str:
        place = f"{self.path} {dictionary.keyword_of(self.tag) or '?'} " if self.path else ""
        return f"{self.severity}: {place}{self.text}: {self.where}"


def check(ds: DataSet, *, pixel_data: bool = False) -> list[Finding]:
    """Compare an instance with the tables of its IOD; an empty list means that nothing was found.

    The IOD is the one of its SOP Class UID; without one, or with one we have no tables for, that is the only finding.
    """
    iod = tables.SOP_CLASSES.get(str(conditions.first(ds, 0x00080016)))
    if iod is None:
        text = "is not a SOP Class whose tables are known here"
        return [Finding(ERROR, tag_str(0x00080016), 0x00080016, "SOP Common", "C.12-1", "1", text)]
    _prepare(iod)
    found: dict[tuple[str, str], Finding] = {}
    for finding in _all(ds, iod, pixel_data=pixel_data):
        found.setdefault((finding.path, finding.text), finding)
    return list(found.values())


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that make the instance non-conformant."""
    return [finding for finding in findings if finding.severity == ERROR]


def complete(ds: DataSet, iod: str) -> None:
    """Add, empty, each type 2 Attribute that the Modules in use want and the instance lacks."""
    for use in in_use(ds, iod):
        for row in tables.rows(use.table):
            if row.tag not in ds and row.type in {"2", "2C"} and _required(row, ds, ds):
                ds[row.tag] = [] if dictionary.vr_of(row.tag) == "SQ" else None


def in_use(ds: DataSet, iod: str) -> list[tables.ModuleUse]:
    """Modules of the IOD that this instance has to satisfy."""
    _prepare(iod)
    own = _own_tags(iod)
    have = frozenset(map(_generic, ds.tags()))
    return [use for use in tables.modules_of(iod) if use.usage == "M" or _is_used(ds, iod, use, have & own[use.table])]


def tags_of(iod: str, entities: str) -> frozenset[int]:
    """Top-level tags of the Modules of these information entities (letters as in ``ModuleUse.entity``)."""
    return frozenset(
        row.tag for use in tables.modules_of(iod) if use.entity in entities for row in tables.rows(use.table)
    )


_DOCUMENTS = frozenset({"pdf", "cda", "rdsr"})
_FIRST_IMAGES = frozenset({"us", "us-mf", "cr", "dx"})  # all of theirs is in rules.py
_prepared: set[str] = set()


def _prepare(iod: str) -> None:
    """Bring in the conditions and rules that only this family of IODs has; a source makes one kind of image."""
    if iod in _prepared:
        return
    if iod in _DOCUMENTS:
        from agent.iod import conditions_document, rules_document

        conditions.ROWS.update(conditions_document.ROWS)
        conditions.MACROS.update(conditions_document.MACROS)
        rules.RULES.update(rules_document.RULES)
    elif iod not in _FIRST_IMAGES:
        from agent.iod import conditions_image, rules_image

        conditions.ROWS.update(conditions_image.ROWS)
        conditions.MODULES.update(conditions_image.MODULES)
        conditions.EXEMPT.update(conditions_image.EXEMPT)
        rules.RULES.update(rules_image.RULES)
        rules.VALUES.update(rules_image.VALUES)
    _prepared.add(iod)


# --- which Modules ---------------------------------------------------------------------------

_own: dict[str, dict[str, frozenset[int]]] = {}


def _own_tags(iod: str) -> dict[str, frozenset[int]]:
    """Table -> the tags that no other Module of this IOD has."""
    found = _own.get(iod)
    if found is None:
        seen: dict[int, list[str]] = {}
        for use in tables.modules_of(iod):
            for row in tables.rows(use.table):
                seen.setdefault(row.tag, []).append(use.table)
        found = {
            use.table: frozenset(tag for tag, where in seen.items() if set(where) == {use.table})
            for use in tables.modules_of(iod)
        }
        _own[iod] = found
    return found


def _is_used(ds: DataSet, iod: str, use: tables.ModuleUse, own: frozenset[int]) -> bool:
    condition = conditions.MODULES.get((iod, use.table)) or conditions.EVERYWHERE.get(use.table)
    return bool(own) or (condition is not None and bool(condition.holds(ds, ds)))


def _generic(tag: int) -> int:
    """Tag of the table row: overlay groups fold onto the first."""
    return (_REPEATING << 16) | (tag & 0xFFFF) if 0x6000 <= tag >> 16 <= 0x601E and not tag >> 16 & 1 else tag


def _actual(tag: int, item: DataSet) -> Iterator[int]:
    """Tags that a row stands for in this item."""
    if tag >> 16 != _REPEATING:
        yield tag
        return
    for group in sorted({element.tag >> 16 for element in item if _generic(element.tag) >> 16 == _REPEATING}):
        yield (group << 16) | (tag & 0xFFFF)


# --- the walk --------------------------------------------------------------------------------


def _all(ds: DataSet, iod: str, *, pixel_data: bool) -> Iterator[Finding]:
    for use in in_use(ds, iod):
        module = tables.title(use.table)
        for finding in _walk(tables.rows(use.table), ds, ds, module, ""):
            if pixel_data or finding.tag != PIXEL_DATA:
                yield finding
        for section, rule in rules.RULES.get(use.table, ()):
            for place, text in rule(ds):
                yield Finding(ERROR, *_path(place), module, use.table, "", text, section)
    if any(tag in ds for tag in _OPEN_SEQUENCES) and tables.functional_groups_of(iod):
        yield from _functional_groups(ds, iod)
    yield from _foreign(ds, iod)
    yield from _single(ds, iod)
    yield from representation(ds)


def _functional_groups(ds: DataSet, iod: str) -> Iterator[Finding]:
    from agent.iod import functional_groups

    yield from functional_groups.walk(ds, iod, _walk)
    table = "C.7.6.16-1"
    for place, text in functional_groups.complaints(ds, iod):
        yield Finding(ERROR, *_path(place), tables.title(table), table, "", text, "C.7.6.16")


def _walk(level: Iterable[tables.Row], item: DataSet, root: DataSet, module: str, prefix: str) -> Iterator[Finding]:
    for row in level:
        for tag in _actual(row.tag, item):
            path = prefix + tag_str(tag)
            severity, text = _presence(row, tag, item, root)
            if text:
                yield Finding(severity, path, tag, module, row.table, row.type, text)
            for severity, text in _vocabulary(row, conditions.values(item, tag)):
                yield Finding(severity, path, tag, module, row.table, "", text)
            if row.children:
                for number, child in enumerate(item.items_of(tag), 1):
                    yield from _walk(tables.children(row), child, root, module, f"{path}[{number}].")


def _required(row: tables.Row, item: DataSet, root: DataSet) -> bool | None:
    """Whether the row demands presence; None where we cannot know."""
    key = row.table, row.tag
    macro = conditions.MACROS.get(key)
    if macro is not None and not macro.holds(item, root):
        return False
    if row.type in {"1", "2"}:
        exempt = conditions.EXEMPT.get(key)
        return exempt is None or not exempt(item, root)
    condition = conditions.ROWS.get(key)
    if condition is None or (row.type == "3" and condition.required):
        return None
    holds = condition.holds(item, root)
    return None if holds and not condition.required else holds


def _presence(row: tables.Row, tag: int, item: DataSet, root: DataSet) -> tuple[str, str]:
    if row.type == "3" and (row.table, row.tag) not in conditions.ROWS:
        return ERROR, ""
    required = _required(row, item, root)
    key = row.table, row.tag
    condition = conditions.ROWS.get(key)
    if required is False or condition is None:
        condition = conditions.MACROS.get(key, condition)
    because = f" although {condition.text}" if condition is not None and row.type.endswith("C") else ""
    if tag not in item:
        return ERROR, f"is absent{because}" if required else ""
    if row.type.startswith("1") and not conditions.values(item, tag):
        return ERROR, f"is empty{because}" if required else "is empty"
    if required is False and condition is not None and not condition.otherwise:
        return ERROR, f"must not be present unless {condition.text}"
    return ERROR, ""


def _vocabulary(row: tables.Row, found: Iterable[object]) -> Iterator[tuple[str, str]]:
    closed = (row.enumerated, rules.VALUES.get((row.table, row.tag), ()))
    for value in found:
        if value == "":
            continue
        for allowed in closed:
            if allowed and not any(_same(value, term) for term in allowed):
                yield ERROR, f"has {value!r}, allowed are {', '.join(allowed)}"
        defined = row.defined or rules.DEFINED.get((row.table, row.tag), ())
        if defined and not any(_same(value, term) for term in defined):
            yield WARNING, f"has {value!r}, which is not a defined term"


def _same(value: object, term: str) -> bool:
    text = str(value).strip()
    if text == term:
        return True
    try:
        return float(text) == float(term) and not (text.isdigit() and len(text) > 1 and text.startswith("0"))
    except ValueError:
        return False


def _foreign(ds: DataSet, iod: str) -> Iterator[Finding]:
    known = tags_of(iod, "PSRFEAI")
    for element in ds:
        tag = element.tag
        if not (_generic(tag) in known or is_private(tag) or is_group_length(tag)):
            yield Finding(WARNING, tag_str(tag), tag, "no Module of this IOD", "", "", "is not part of the IOD")


def check_items(ds: DataSet) -> Iterator[Finding]:
    """Sequences with more than the one item they may have or with none, and Attributes in items that have no such row.

    The last are allowed in a Standard Extended SOP Class, and usually a slip. A sequence of type 3 may be empty, and
    then says what its absence says (PS3.5 7.4.5); readers that refuse it exist. Not part of ``check``, which judges
    what we build: there a composer cannot put anything in an item by accident.
    """
    iod = tables.SOP_CLASSES.get(str(conditions.first(ds, 0x00080016)))
    if iod is None:
        return
    stack = [(ds, "", _top(iod))]
    while stack:
        item, prefix, level = stack.pop()
        for tag in item.tags():
            found = level.get(_generic(tag), ())
            path = prefix + tag_str(tag)
            yield from _number_of_items(item, tag, found, path)
            if prefix and not (found or is_private(tag) or is_group_length(tag) or tag in _IN_ANY_ITEM):
                yield Finding(WARNING, path, tag, "no Module of this IOD", "", "", "is not part of such an item")
            if found and all(row.children for row in found) and tag not in _OPEN_SEQUENCES:
                below = _by_tag(row for each in found for row in tables.children(each))
                items = enumerate(item.items_of(tag), 1)
                stack += [(child, f"{path}[{number}].", below) for number, child in items]


def _number_of_items(item: DataSet, tag: int, found: Sequence[tables.Row], path: str) -> Iterator[Finding]:
    if not found or item.stored[tag].vr != "SQ":
        return
    count, table = len(item.items_of(tag)), found[0].table
    if not count and all(row.type == "3" for row in found):
        yield Finding(WARNING, path, tag, tables.title(table), table, "3", _NO_ITEMS, "PS3.5 7.4.5")
    if count > 1 and all(map(_one_item, found)):
        yield Finding(ERROR, path, tag, tables.title(table), table, "", f"has {count} items; one is allowed")


_tops: dict[str, dict[int, list[tables.Row]]] = {}


def _top(iod: str) -> dict[int, list[tables.Row]]:
    """Rows of all Modules of an IOD by their tag."""
    if iod not in _tops:
        _tops[iod] = _by_tag(row for use in tables.modules_of(iod) for row in tables.rows(use.table))
    return _tops[iod]


def _by_tag(level: Iterable[tables.Row]) -> dict[int, list[tables.Row]]:
    found: dict[int, list[tables.Row]] = {}
    for row in level:
        found.setdefault(row.tag, []).append(row)
    return found


_NO_ITEMS = "has no items, which says no more than its absence; some readers refuse it"


def _one_item(row: tables.Row) -> bool:
    from agent.iod._generated_items import ONE_ITEM

    line = ONE_ITEM.partition(f"\n{row.table} ")[2].partition("\n")[0]
    return f"{row.tag:08X}" in line.split(" ")


# Specific Character Set, and functional groups, whose Macros depend on the IOD (C.7.6.16).
_IN_ANY_ITEM = frozenset({0x00080005})
_OPEN_SEQUENCES = frozenset({0x52009229, 0x52009230})


def _single(ds: DataSet, iod: str) -> Iterator[Finding]:
    """An IOD without Multi-frame Module has one frame (C.7.6.6)."""
    count = conditions.first(ds, NUMBER_OF_FRAMES)
    if count not in {None, 1} and all(use.table != "C.7-14" for use in tables.modules_of(iod)):
        text = f"is {count!r}; this IOD has one frame"
        yield Finding(ERROR, tag_str(NUMBER_OF_FRAMES), NUMBER_OF_FRAMES, "PS3.3 C.7.6.6", "", "", text)


def representation(ds: DataSet) -> Iterator[Finding]:
    """VR and VM of every element at any depth against the dictionary (PS3.6 6)."""
    for item, prefix in levels(ds):
        for tag in item.tags():
            found = _entry(item, tag)
            if found:
                yield Finding(ERROR, prefix + tag_str(tag), tag, "PS3.6", "", "", found)


def levels(ds: DataSet) -> Iterator[tuple[DataSet, str]]:
    """The Data Set and every item in it with the path that leads there; a stack, because nesting comes from a file."""
    stack = [(ds, "")]
    while stack:
        item, prefix = stack.pop()
        yield item, prefix
        for tag in reversed(item.tags()):
            if item.stored[tag].vr == "SQ":
                inside = [(each, f"{prefix}{tag_str(tag)}[{n}].") for n, each in enumerate(item.items_of(tag), 1)]
                stack.extend(reversed(inside))


def _entry(item: DataSet, tag: int) -> str:
    """What is wrong with VR or VM of one element."""
    known, vr = dictionary.entry(tag), item.stored[tag].vr
    if not known.keyword:
        return ""
    if vr != known.vr and vr not in known.vr.split(" or "):
        return f"has VR {vr}, not {known.vr}"
    count = 0 if vr == "SQ" else len(conditions.values(item, tag))
    return "" if dictionary.vm_allows(known.vm, count) else f"has {count} values, VM is {known.vm}"


def _path(place: rules.Place) -> tuple[str, int]:
    """A place as it is printed, and the tag it ends with."""
    *way, tag = (place,) if isinstance(place, int) else place
    steps = [f"{tag_str(sequence)}[{number}]." for sequence, number in zip(way[::2], way[1::2], strict=True)]
    return "".join(steps) + tag_str(tag), tag
