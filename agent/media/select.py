"""Parts of a Data Set by path: ``PatientID``, ``0010,0020``, ``00091002``, ``ReferencedSeriesSequence[0].Modality``.

A path is a chain of keywords or tags, joined by full stops; a number in brackets picks one item of a sequence, counted
from 0 as in our error messages, and without one every item is meant. What is not selected is left out, so that the
result is a Data Set again and looks like one.
"""

from __future__ import annotations

import re

from agent.dataset import dictionary
from agent.dataset.dataset import DataSet
from agent.dataset.values import Element
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?|([A-Za-z][A-Za-z0-9]*)")
_INDEX = re.compile(r"(.*)\[(\d{1,6})\]")
MAX_STEPS = 16  # as deep as sequences are read


class Step(NamedTuple):
    """One step of a path: an element, and the item of it that is meant (None: every one)."""

    tag: int
    item: int | None


def parse_path(text: str) -> tuple[Step, ...]:
    """A path from its text.

    Raises:
        ValueError: It is not one; the message says why.
    """
    steps = tuple(_step(part) for part in text.split("."))
    if len(steps) > MAX_STEPS:
        raise ValueError(f"a path has at most {MAX_STEPS} steps")
    return steps


def _step(text: str) -> Step:
    picked = _INDEX.fullmatch(text)
    name, item = (picked[1], int(picked[2])) if picked else (text, None)
    found = _STEP.fullmatch(name)
    if found is None:
        raise ValueError(f"'{name[:80]}' is neither a keyword nor a tag such as 0010,0020")
    if found[3] is None:
        return Step(int(found[1] + found[2], 16), item)
    try:
        return Step(dictionary.tag_for(found[3]), item)
    except KeyError:
        raise ValueError(f"'{found[3][:80]}' is not a keyword of PS3.6") from None


def selected(dataset: DataSet, paths: Sequence[tuple[Step, ...]]) -> DataSet:
    """The elements that any of the paths leads to; an item that one leads into keeps its place among those kept."""
    kept = DataSet()
    for tag in dataset.tags():
        rests = [path[1:] for path in paths if path[0].tag == tag]
        if not rests:
            continue
        stored = dataset.stored[tag]
        if isinstance(stored, Element) and stored.vr == "SQ":
            items = _items(dataset, tag, [path for path in paths if path[0].tag == tag])
            if items is None:
                continue
            stored = stored._replace(value=items)
        elif all(rests):
            continue
        kept.stored[tag] = stored
    return kept


def _items(dataset: DataSet, tag: int, paths: Sequence[tuple[Step, ...]]) -> list[DataSet] | None:
    """The items that paths lead to; None where they lead nowhere."""
    if any(len(path) == 1 and path[0].item is None for path in paths):
        return dataset.items_of(tag)
    kept = []
    for number, item in enumerate(dataset.items_of(tag)):
        here = [path[1:] for path in paths if path[0].item in (None, number)]
        part = item if not all(here) else selected(item, here) if here else DataSet()
        if len(part) or not all(here):
            kept.append(part)
    return kept or None
