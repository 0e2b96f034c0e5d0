"""What the flight recorder kept of a destination, in words: a line for each association, or everything for a vendor.

The text for a vendor is no packet capture and does not pretend to be one: heads of PDUs, commands and statuses are what
was kept, so that nothing about a patient can be in it.
"""

from __future__ import annotations

from agent.app.term import count_text, printable, stamp_text
from agent.dataset.uid import uid_name
from agent.forward.profile import ENDING, usual_delay_s
from agent.link.expiry import expiry_text
from agent.link.flight import FIRST_ROWS, WAYS
from agent.link.user_identity import KINDS
from agent.spool.flights import facts_of, read_lines
from agent.typed import TYPE_CHECKING, Any, Final
from agent.ul.pdu import ABORT, COMMAND, DATA_TF, LAST
from agent.ul.reasons import ABORT_REASONS, CONTEXT_RESULTS, REJECT_REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Facts = dict[str, Any]

_LINE: Final = 2000  # a context with every transfer syntax there is
ALARM_S: Final = 7 * 86_400.0  # a change stays in ``status`` over a weekend and a holiday
SHOWN: Final = 5  # associations in the answer of ``why``
_KEYS: Final = {"associated", "at", "end", "left_out", "opened_by_us", "peer", "rows", "seconds", "times", "transport"}
_PDUS: Final = ("A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "A-ASSOCIATE-RJ", "P-DATA-TF", "A-RELEASE-RQ", "A-RELEASE-RP",
    "A-ABORT")  # fmt: skip
_HEAD: Final = """\
Associations with the destination '{name}', oldest first, as the flight recorder of modality-agent noted them.
What was kept: negotiation, heads of PDUs, commands and statuses, times. What was never kept: Data Sets, SOP Instance
UIDs, Error Comments, any word about a patient. This is no packet capture. Times of rows are milliseconds since the
connection was asked for; > is sent by modality-agent, < by the peer. The Data Set of a C-STORE-RQ is one row, written
when all of it was sent.
"""


def records(root: str, name: str) -> tuple[Facts, list[Facts]]:
    """Return the profile of a destination and its associations, oldest first; what cannot be read is left out."""
    found = [facts_of(line) for line in read_lines(root, name)]
    profile = found[0] if found else {}
    return profile, [one for one in found[1:] if one.keys() >= _KEYS]


# --- what it is known to be ------------------------------------------------------------------------


def profile_lines(profile: Facts) -> list[str]:
    """Say what the peer is known to be, and what has changed."""
    if not profile.get("seen"):
        return []
    told = [f"PDUs of {_length(profile['maximum_length'])} bytes", profile["implementation"], profile["version"]]
    told += [f"certificate until {profile['valid_until']}"] if profile["valid_until"] else []
    told += ["no Storage Commitment"] if profile.get("commits") is False else []
    told += [_reports(profile)] if profile.get("ways") else []
    return ["profile: " + ", ".join(text for text in told if text), *map(change_text, profile["changes"])]


def _reports(profile: Facts) -> str:
    ways = sorted(profile["ways"], key=lambda way: -profile["ways"][way])
    usual = usual_delay_s(profile)
    late = "" if usual is None else f", usually {usual:.1f} s after the question"
    return f"commitment reports {' or '.join(WAYS[way] for way in ways)}{late}"


def change_text(change: Facts) -> str:
    """Say one change and when it was noticed."""
    return f"  changed, noticed {stamp_text(change['at'])}: {change['text']}"


def alarms(root: str, name: str, now: float) -> list[str]:
    """Return what ``status`` says about a destination: changes of the last days, a certificate that ends soon."""
    profile, _ = records(root, name)
    ending = expiry_text(profile.get("valid_until", ""), now)
    found = [one for one in profile.get("changes", ()) if now - one["at"] < ALARM_S]
    found = [one for one in found if not (ending and one["text"].startswith(ENDING))]
    told = [f"noticed {stamp_text(one['at'])}: {one['text']}" for one in found]
    if ending:
        told.append(f"its certificate {ending}")
    return told


# --- a line for each -------------------------------------------------------------------------------


def last_lines(flights: Sequence[Facts]) -> list[str]:
    """Say of the last associations when they were and what came of them, the newest first."""
    if not flights:
        return []
    return ["last associations:", *(f"  {summary(one)}" for one in reversed(flights[-SHOWN:]))]


def summary(flight: Facts) -> str:
    """Say in one line what came of an association."""
    told = [_met(flight)] if flight["associated"] else []
    told += [f"{count_text(count, answer, answer)}" for answer, count in _answers(flight).items()]
    told.append(_ended(flight))
    again = flight["times"] - 1
    if again:
        told.append(f"and {count_text(again, 'time')} before that")
    side = "" if flight["opened_by_us"] else "opened by the peer, "
    told += [f"report {WAYS[way]}, {delay:.1f} s after the question" for way, delay, _ in flight.get("reports", ())]
    return f"{stamp_text(flight['at'])}, {flight['seconds']:.1f} s: {side}{', '.join(told)}"


def _met(flight: Facts) -> str:
    contexts = flight.get("contexts", [])
    taken = sum(1 for row in contexts if row[3] == 0)
    return f"{taken} of {count_text(len(contexts), 'context')} accepted"


def _answers(flight: Facts) -> dict[str, int]:
    """Count the answers by kind and status, and what the peer asked us."""
    found: dict[str, int] = {}
    for row in flight["rows"]:
        side, what = row[1:3]
        if side != "<" or not isinstance(what, str):
            continue
        if what.endswith("-RSP"):
            key = f"{what.removesuffix('-RSP')} answered {row[5]:04X}"
        elif what.endswith("-RQ"):
            key = f"{what.removesuffix('-RQ')} of the peer"
        else:
            continue
        found[key] = found.get(key, 0) + 1
    return found


def _ended(flight: Facts) -> str:
    end = flight["end"]
    if not end["code"]:
        return "released"
    return f"{end['text'] or 'ended by an error'} [{end['code']}]"


# --- everything --------------------------------------------------------------------------------------


def capture_text(name: str, flights: Sequence[Facts]) -> str:
    """Return everything that was kept, for a vendor to read."""
    lines = _HEAD.format(name=name).splitlines()
    for number, flight in enumerate(flights, 1):
        lines += [f"--- association {number} of {len(flights)}", *_whole(flight), ""]
    return "".join(f"{printable(line, _LINE)}\n" for line in lines)


def _whole(flight: Facts) -> Iterator[str]:
    who = "modality-agent" if flight["opened_by_us"] else "the peer"
    yield f"began {stamp_text(flight['at'])}, took {flight['seconds']:.3f} s, opened by {who}; peer {flight['peer']}"
    if flight["times"] > 1:
        yield f"the last of {flight['times']} that failed in the same way"
    yield "transport: " + (", ".join(f"{key} {value}" for key, value in flight["transport"].items()) or "none")
    if "called_ae" in flight:
        yield f"calling AE {flight['calling_ae']}, called AE {flight['called_ae']}"
        if flight.get("operations", 1) != 1:
            yield f"operations at once: {flight['operations'] or 'any number'}"
        yield (f"maximum length: modality-agent {_length(flight['our_maximum_length'])}, "
               f"peer {_length(flight['maximum_length'])}")  # fmt: skip
        yield f"implementation of the peer: {' '.join(flight['implementation'] or ('unknown',))}"
        if "user" in flight:
            yield _user(*flight["user"])
        yield from (_context(*row) for row in flight["contexts"])
    for index, row in enumerate(flight["rows"]):
        if index == FIRST_ROWS and flight["left_out"]:
            yield f"  ... {count_text(flight['left_out'], 'row')} not kept ..."
        yield f"{row[0]:12.2f} {row[1]} {_row(*row[2:])}"
    yield f"end: {_ended(flight)}"


def _length(value: int | None) -> str:
    return "not said" if value is None else "any" if not value else str(value)


def _user(kind: int, asked: bool, confirmed: bool) -> str:  # noqa: FBT001 - a row of facts
    answer = "confirmed" if confirmed else "not confirmed" if asked else "no confirmation asked for"
    return f"user identity: {KINDS.get(kind, f'type {kind}')}, {answer}"


def _context(number: int, sop_class: str, syntaxes: Sequence[str], result: int | None, syntax: str) -> str:
    if result is None:
        answer = "no answer"
    elif result:
        answer = f"refused ({result}: {CONTEXT_RESULTS.get(result, 'reserved')})"
    else:
        answer = f"accepted in {_uid(syntax)}"
    return f"context {number:3}: {_uid(sop_class)} in {', '.join(_uid(one) for one in syntaxes)}: {answer}"


def _uid(uid: str) -> str:
    name = uid_name(uid)
    return uid if name == uid else f"{name} ({uid})"


def _row(what: int | str, *rest: Any) -> str:
    if what == "data set":
        return f"Data Set, {rest[1]} bytes in {rest[2]} P-DATA-TF, context {rest[0]}"
    if isinstance(what, str):
        return what if not rest else _command(what, *rest)
    if not 1 <= what <= len(_PDUS):
        return f"no PDU: it begins with {what:02X}H"
    text, numbers = f"{_PDUS[what - 1]}, {rest[0]} bytes", rest[1:]
    return f"{text}{_numbers(what, *numbers)}" if numbers else text


def _numbers(kind: int, *numbers: int) -> str:
    """Say what the numbers in the head of a P-DATA-TF, A-ASSOCIATE-RJ or A-ABORT mean."""
    if kind == DATA_TF:
        what = "Command Set" if numbers[1] & COMMAND else "Data Set"
        return f", context {numbers[0]}, {what}{', last' if numbers[1] & LAST else ''}"
    shown, source, reason = "/".join(map(str, numbers)), *numbers[1:]
    if kind == ABORT:
        return f" ({shown}): {ABORT_REASONS.get(reason, 'reserved reason') if source else 'by the application'}"
    return f" ({shown}): {REJECT_REASONS.get((source, reason), 'reserved reason')}"


def _command(what: str, context_id: int, message_id: int, status: int | None, sop_class: str) -> str:
    text = f"{what}, context {context_id}, Message ID {message_id}"
    if sop_class:
        text += f", {'another SOP Class' if sop_class == '?' else uid_name(sop_class)}"
    return text if status is None else f"{text}, status {status:04X}"
