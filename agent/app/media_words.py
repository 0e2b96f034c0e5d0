"""What ``media export`` says: of what would go, of what went, of what does not go and why, for people and as JSON."""

from __future__ import annotations

import os
import sys
from itertools import chain, islice

from agent.app.cli import Streamed, facts_of, print_json, report
from agent.app.term import count_text, paint, printable, size_text
from agent.errors import NotAllDone, NotFound
from agent.exchange.plan import volume_bytes
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.errors import AgentError
    from agent.exchange.carry import Made
    from agent.exchange.plan import Piece, Plan, Refusal
    from agent.exchange.shelf import Rows
    from agent.media.profile import Profile

_REFUSED: Final = (
    "The line of each says why. '--profile none' takes what a profile does not; what is too large wants a larger "
    "--volume-size."
)
_LINES: Final = 20  # refusals and notes shown; more are counted


def foreseen(found: Plan, profile: Profile, *, as_json: bool) -> int:
    """The end of a dry run."""
    if as_json:
        print_json(
            {
                "dry_run": True,
                "profile": profile.name,
                "volumes": [
                    {
                        "bytes": volume_bytes(volume),
                        "instances": Streamed(map(_piece, volume)),
                    }
                    for volume in found.volumes
                ],
                "refused": Streamed(refusal._asdict() for refusal in found.refused),
            }
        )
    else:
        for number, volume in enumerate(found.volumes, 1):
            copies = sum(bool(piece.decision.why) for piece in volume)
            of = f"medium {number} of {len(found.volumes)}: " if len(found.volumes) > 1 else ""
            made = f", {copies} of them as lossless copies" if copies else ""
            print(f"{of}{count_text(len(volume), 'instance')}{made}, about {size_text(volume_bytes(volume))}")
        _say_refused([found.refused])
    return status([found.refused], found.going)


def _piece(piece: Piece) -> dict[str, Any]:
    return {
        "sop_instance_uid": piece.holding.sop_instance_uid,
        "transfer_syntax_uid": piece.decision.syntax,
        "bytes": piece.decision.bytes,
        "why": piece.decision.why,
    }


def _say_refused(refused: Sequence[Rows[Refusal]]) -> None:
    for refusal in islice(chain.from_iterable(refused), _LINES):
        sys.stderr.write(f"modality-agent: {refusal.sop_instance_uid} does not go: {printable(refusal.why, 500)}\n")
    if (count := sum(map(len, refused))) > _LINES:
        sys.stderr.write(f"modality-agent: ... and {count - _LINES} more\n")


def status(refused: Sequence[Rows[Refusal]], gone: int) -> int:
    """0 when everything went; raises ``NotFound`` where there was nothing."""
    count = sum(map(len, refused))
    if not count:
        if not gone:
            raise NotFound("nothing of what was chosen is in the spool", hint="'queue list' shows what there is.")
        return 0
    text = f"{count} of {count_text(count + gone, 'instance')} cannot go on this medium"
    return report(NotAllDone(text, hint=_REFUSED))


def say(
    profile: Profile, made: Sequence[Made], refused: Sequence[Rows[Refusal]], notes: Iterable[str],
    error: AgentError | None = None, *, as_json: bool,
) -> None:  # fmt: skip
    """What was done; ``notes`` are those of the medium in front of those of each set."""
    told = chain(notes, *(one.outcome.notes for one in made))
    if as_json:
        print_json(
            {
                **({} if error is None else {"error": facts_of(error)}),
                "profile": profile.name,
                "media": [_facts(one) for one in made],
                "refused": Streamed(refusal._asdict() for refusal in chain.from_iterable(refused)),
                "notes": Streamed(told),
            }
        )
        return
    for note in islice(told, _LINES):
        sys.stderr.write(f"modality-agent: {printable(note, 500)}\n")
    if more := sum(1 for _ in told):
        sys.stderr.write(f"modality-agent: ... and {more} more notes, all of them with --json\n")
    _say_refused(refused)
    for one in made:
        outcome = one.outcome
        kept = f", {outcome.kept} of them were there already" if outcome.kept else ""
        print(f"{printable(one.path)}: {count_text(len(outcome.exported), 'instance')}{kept}, {size_text(one.bytes)}, "
              f"{profile.name}, File-set {outcome.label}")  # fmt: skip
        print("label: " + printable(" / ".join(outcome.label_text)))
        for why, count in outcome.copies.items():
            print(f"{count_text(count, 'lossless copy', 'lossless copies')}: {printable(why)}")
        print(paint(_safe(one), "green"))


def _safe(one: Made) -> str:
    compared = "every file was read back from the medium and compared"
    if one.unmounted:
        return f"{compared}; it is unmounted: safe to remove"
    if os.path.isdir(one.path):
        return f"{compared}: safe to remove, once it is unmounted"
    return f"{compared}: it may be burned, copied or sent"


def _facts(one: Made) -> dict[str, Any]:
    outcome = one.outcome
    return {
        "to": one.path,
        "label": outcome.label,
        "file_set_uid": outcome.file_set_uid,
        "bytes": one.bytes,
        "kept": outcome.kept,
        "copies": outcome.copies,
        "instances": Streamed(row._asdict() for row in outcome.exported),
        "label_text": outcome.label_text,
        "unmounted": one.unmounted,
        "safe_to_remove": True,
    }
