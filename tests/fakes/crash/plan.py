"""What the servers are told: everything, or a sample that depends on a seed alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from fakes.crash.faults import FaultOrder
from fakes.crash.points import Order
from fakes.crash.shim import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

# Every point, and recovery behind each of them at every fifth call, at other ones behind the next.
WHOLE: Final = Order(pairs=1, pair_step=5)
# Every eighth point; behind every third of these, recovery at every sixteenth call.
SAMPLE: Final = Order(step=8, pairs=3, pair_step=16)
# Faults of a sample: so far apart, one kind for each scenario.
FAULT_STEP: Final = 18


def points(names: Sequence[str], *, sample: bool, seed: int, pair_step: int = WHOLE.pair_step) -> list[dict[str, Any]]:
    """One order for each scenario; a sample begins each of them somewhere else. ``pair_step`` 0: no pairs."""
    dice = random.Random(f"points {seed}")
    whole = WHOLE._replace(pair_step=pair_step) if pair_step else WHOLE._replace(pairs=0)
    how = [SAMPLE._replace(offset=dice.randint(1, SAMPLE.step)) if sample else whole for _ in names]
    return [{"scenario": name, "mode": "points", **order._asdict()} for name, order in zip(names, how, strict=True)]


def faults(names: Sequence[str], *, sample: bool, seed: int) -> list[dict[str, Any]]:
    """One order for each scenario; a sample has one kind of fault in each of them, once and for a while."""
    dice = random.Random(f"faults {seed}")
    kinds = [name for name in FAULTS for _ in range(len(names) // len(FAULTS) + 1)]
    dice.shuffle(kinds)
    orders = []
    for name, kind in zip(names, kinds, strict=False):
        order = FaultOrder()
        if sample:
            order = FaultOrder(((kind, "once"), (kind, "sticky")), FAULT_STEP, dice.randint(1, FAULT_STEP))
        orders.append({"scenario": name, "mode": "faults", **order._asdict()})
    return orders
