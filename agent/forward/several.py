"""Several instances under way at once over one association, where the peer has granted a window for that."""

from __future__ import annotations

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from agent.forward.deliver import Delivery, Outcome
    from agent.forward.files import Instance


def until_over(
    delivery: Delivery, instances: Sequence[Instance], start: int, stop: int
) -> Generator[Outcome, None, tuple[int, bool]]:
    """Send over one association while it lasts; outcomes come in the order of the answers.

    Returns where the next association begins, and whether the peer answered. All that is under way when it ends has
    failed.
    """
    answered = False
    while True:
        while start < stop and not delivery.over and not delivery.outstanding.full:
            outcome = delivery.start(instances[start])
            start += 1
            if outcome is not None:
                yield outcome
        if delivery.outstanding:
            delivery.ahead.next = instances[start] if start < stop else None
            outcome = delivery.answer()
            answered = answered or outcome.status is not None
            yield outcome
        elif start == stop or delivery.over or not delivery.serve(0):
            return start, answered
