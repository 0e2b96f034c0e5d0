"""Judges of a medium that said success and did nothing: what can still be promised then, and nothing more."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from fakes.spool_world import data_set, uid_from, uid_of

from agent.app.archive_store import ArchiveStore
from agent.errors import MediaError, SpoolDamaged
from agent.spool.states import Life

if TYPE_CHECKING:
    from fakes.spool_world import World

    from agent.spool.store import Spool

GONE = {"damaged", "lost"}


def at_spool(world: World, before: int) -> list[str]:
    """The start finds its way; the first ``before`` promises are kept; no altered byte is sent, whatever is left.

    A ledger whose damage shows at work says so; the start after that rebuilds it.
    """
    try:
        with suppress(SpoolDamaged):
            return _at_spool(world, before)
        return _at_spool(world, before)
    except Exception as error:  # noqa: BLE001 - as in points.seen
        return [f"the look at it ended with {type(error).__name__}: {error}"]


def _at_spool(world: World, before: int) -> list[str]:
    wrong = []
    promises = world.promises()
    early = {words[1]: words[2] for words in promises[:before] if words[0] == "captured"}
    vouched = {words[1] for words in promises if words[0] in {"vouched", "diverted"}}
    with world.open() as spool:
        for word, digest in early.items():
            state = _state(spool, word, digest)
            if state != "live" and not (word in vouched and state in {"evicted", "unknown", *GONE}):
                wrong.append(f"I1 {word} was captured before and is {state}")
        late = [words for words in promises[before:] if words[0] == "captured"]
        altered = [words[1] for words in late if _state(spool, words[1], words[2]) == "altered"]
        wrong += [f"I4 {word} has another digest than promised" for word in altered]
    with world.open() as spool:
        if not spool.report.clean:
            wrong.append(f"I6 the second recovery still found {spool.report}")
        with suppress(AssertionError):  # what it is to wait for may have been lied away, too
            world.finish(spool)
    captured = {words[1]: words[2] for words in promises if words[0] == "captured"}
    wrong += [
        f"I4 {words[2]} was sent with another content"
        for words in world.promises()
        if words[0] == "at" and captured.get(words[2], words[3]) != words[3]
    ]
    return wrong


def _state(spool: Spool, word: str, digest: str) -> str:
    """What the spool says of an instance once it has read its file again."""
    receipt = spool.receipt(uid_from(word))
    if receipt is None:
        return "unknown"
    if receipt.data_set_sha256 != digest:
        return "altered"
    if receipt.state != "live":
        return receipt.state
    return {Life.LIVE: "live", Life.DAMAGED: "damaged", Life.LOST: "lost"}.get(
        spool.examine_number(receipt.id), "evicted"
    )


def at_store(world: World, before: int) -> list[str]:
    """The bench archive never vouches for what it does not have byte for byte; without its index it does not start."""
    try:
        store = ArchiveStore(world.root)
    except MediaError as error:
        return [] if "index of the archive" in str(error) else [str(error)]
    try:
        known = {row.sop_instance_uid: row for row in store.rows()}
        wrong = []
        for number, digest in ((int(words[1]), words[2]) for words in world.promises()[:before] if words[0] == "kept"):
            row = known.get(uid_of(number))
            if row is None or not store.intact(row) or row.data_set_sha256 != digest:
                wrong.append(f"I1 {number} was kept before and is not there any more")
        right = {hashlib.sha256(data_set(number, size)).hexdigest() for number in range(1, 6) for size in (512, 20_000)}
        other = [row for row in known.values() if store.intact(row) and row.data_set_sha256 not in right]
        return wrong + [f"I4 {row.sop_instance_uid} is vouched for with another content" for row in other]
    finally:
        store.close()
