"""Functional groups of multi-frame Secondary Capture (PS3.3 C.7.6.16, A.8.3.5, A.8.4.5, A.8.5.5).

A functional group is a Macro whose one sequence holds one item. It stands in the one item of Shared Functional Groups,
or in each item of Per-Frame Functional Groups, of which there is one for every frame; never in both. In these IODs the
Macros are those of a plane in space (measures, position, orientation), and each requires the other two. The rows of a
Macro are walked like those of any table, by the walk that modules.py hands over.
"""

from __future__ import annotations

from agent.dataset.tag import NUMBER_OF_FRAMES, tag_str
from agent.iod import tables
from agent.iod.conditions import first
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.dataset.dataset import DataSet
    from agent.iod.modules import Finding

    Walk = Callable[[Iterable[tables.Row], DataSet, DataSet, str, str], Iterator[Finding]]
    Place = tuple[int, ...]

SHARED, PER_FRAME = 0x52009229, 0x52009230


def walk(ds: DataSet, iod: str, walk_rows: Walk) -> Iterator[Finding]:
    """Findings of the rows of every Macro that is there."""
    for table in tables.functional_groups_of(iod):
        own = list(tables.rows(table))
        for sequence in (SHARED, PER_FRAME):
            for number, item in enumerate(ds.items_of(sequence), 1):
                if own[0].tag in item:
                    yield from walk_rows(own, item, ds, tables.title(table), f"{tag_str(sequence)}[{number}].")


def complaints(ds: DataSet, iod: str) -> Iterator[tuple[Place, str]]:
    """What is wrong with the frames that groups speak of, and with the groups that go together."""
    shared, frames = ds.items_of(SHARED), ds.items_of(PER_FRAME)
    count = first(ds, NUMBER_OF_FRAMES)
    if PER_FRAME in ds and isinstance(count, int) and len(frames) != count:
        yield (PER_FRAME,), f"needs one item per frame: {len(frames)} for {count} frames"
    groups = [next(tables.rows(table)).tag for table in tables.functional_groups_of(iod)]
    in_shared = [tag for tag in groups if any(tag in item for item in shared)]
    everywhere = [tag for tag in groups if frames and all(tag in item for item in frames)]
    somewhere = [tag for tag in groups if any(tag in item for item in (*shared, *frames))]
    for tag in groups:
        if tag in in_shared and any(tag in item for item in frames):
            yield (SHARED, 1, tag), "must not be in both Shared and Per-Frame Functional Groups"
        if somewhere and tag not in (*in_shared, *everywhere):
            yield (PER_FRAME if frames else SHARED, 1, tag), "is absent, and each group of a plane needs the others"
    for sequence in (SHARED, PER_FRAME):
        for number, item in enumerate(ds.items_of(sequence), 1):
            for tag in groups:
                if len(item.items_of(tag)) > 1:
                    yield (sequence, number, tag), f"has {len(item.items_of(tag))} items; one is allowed"
