"""Storage Commitment Push Model, both sides, without I/O (PS3.4 Annex J).

The SCU asks with N-ACTION ("take custody of these"); 0000H means only that the question arrived. The verdict comes as
N-EVENT-REPORT, minutes or days later: on the same association, or on a new one that the SCP opens with the role
selection "requestor is SCP". Some SCPs propose both roles or none at all; their reports count just the same, because
what identifies a report is its Transaction UID.

What a report is worth is decided where the question was asked (``forward.settle``); nothing here deletes anything.

Data Sets are read with ``agent.dataset``, imported inside the functions: a process that only sends does without it.
"""

from __future__ import annotations

from enum import Enum

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
from agent.dimse import status
from agent.dimse.message import NActionRequest, NEventReportRequest
from agent.errors import DecodeError
from agent.service.proposal import Need
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.negotiate import Offer
from agent.ul.user import RoleSelection

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet

REQUEST_COMMITMENT = 1  # Action Type ID
ALL_COMMITTED = 1  # Event Type IDs
FAILURES_EXIST = 2

# References in one N-ACTION of ours: about 150 bytes each; an archive answers for all of them at once or not at all.
REQUEST_REFERENCES = 500

# References that we read in one request; with the 4 MiB of dimse.fragment the largest we can be made to keep.
REFERENCE_LIMIT = 10_000

# References that we read in one report, which answers a request of ours: an element costs 250 bytes, and a report
# may come from anybody.
REPORT_LIMIT = 4 * REQUEST_REFERENCES

NEED = Need(STORAGE_COMMITMENT, (EXPLICIT_VR_LE, IMPLICIT_VR_LE))
SCP_OFFER = Offer((EXPLICIT_VR_LE, IMPLICIT_VR_LE))  # we are the archive: the requestor is SCU
SCU_OFFER = Offer((EXPLICIT_VR_LE, IMPLICIT_VR_LE), requestor_scu=True, requestor_scp=True)  # reports come to us
SCP_ROLE = RoleSelection(STORAGE_COMMITMENT, scu=False, scp=True)  # what an SCP proposes to deliver a report

_TRANSACTION_UID = 0x00081195
_RETRIEVE_AE_TITLE = 0x00080054
_REFERENCED = 0x00081199
_FAILED = 0x00081198
_FAILURE_REASON = 0x00081197
_CLASS_UID = 0x00081150
_INSTANCE_UID = 0x00081155


class Reference(NamedTuple):
    """An instance whose custody is in question."""

    sop_class_uid: str
    sop_instance_uid: str


class Failure(NamedTuple):
    """An instance the SCP did not commit, and its Failure Reason."""

    reference: Reference
    reason: int


class Request(NamedTuple):
    """Action Information of an N-ACTION."""

    transaction_uid: str
    references: tuple[Reference, ...]


class Report(NamedTuple):
    """Event Information of an N-EVENT-REPORT."""

    transaction_uid: str
    committed: tuple[Reference, ...]
    failed: tuple[Failure, ...] = ()


class Reaction(Enum):
    """What the SCU does about an instance that was not committed."""

    ASK_AGAIN = "ask again"  # new transaction, soon
    ASK_LATER = "ask later"  # new transaction, after a wait
    SEND_AGAIN = "send again"  # store the instance once more, then ask
    HOLD = "hold"  # keep the local copy, tell the operator


# Failure Reason (0008,1197) -> meaning, reaction (PS3.3 C.14.1.1)
FAILURE_REASONS = {
    0x0110: ("processing failure", Reaction.ASK_AGAIN),
    0x0112: ("no such object instance", Reaction.SEND_AGAIN),
    0x0119: ("SOP Class and instance do not match", Reaction.HOLD),
    0x0122: ("SOP Class not supported", Reaction.HOLD),
    0x0131: ("duplicate Transaction UID", Reaction.ASK_AGAIN),
    0x0213: ("resource limitation", Reaction.ASK_LATER),
}


def reaction(reason: int) -> tuple[str, Reaction]:
    """Return (meaning, reaction) of a Failure Reason; one the Standard does not know is a processing failure."""
    return FAILURE_REASONS.get(reason, (f"failure reason {reason:04X}H", Reaction.ASK_AGAIN))


# --- the messages ------------------------------------------------------------------------------


def action_request(message_id: int) -> NActionRequest:
    """Return the command that asks for commitment."""
    return NActionRequest(message_id, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, REQUEST_COMMITMENT)


def report_request(message_id: int, report: Report) -> NEventReportRequest:
    """Return the command that delivers ``report``."""
    kind = FAILURES_EXIST if report.failed else ALL_COMMITTED
    return NEventReportRequest(message_id, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, kind)


def check_action(message: NActionRequest) -> int:
    """Return the status with which an SCP answers the command of an N-ACTION; its Data Set is judged apart."""
    return _check(message, message.action_type_id == REQUEST_COMMITMENT, status.NO_SUCH_ACTION)


def check_report(message: NEventReportRequest) -> int:
    """Return the status with which an SCU answers the command of a report; its Data Set is judged apart."""
    known = message.event_type_id in (ALL_COMMITTED, FAILURES_EXIST)
    return _check(message, known, status.NO_SUCH_EVENT_TYPE)


def _check(message: NActionRequest | NEventReportRequest, known: bool, otherwise: int) -> int:  # noqa: FBT001 (private)
    if message.sop_class_uid != STORAGE_COMMITMENT:
        return status.NO_SUCH_CLASS
    if message.sop_instance_uid != STORAGE_COMMITMENT_INSTANCE:
        return status.NO_SUCH_INSTANCE
    return status.SUCCESS if known else otherwise


# --- their Data Sets ---------------------------------------------------------------------------


def encode_request(request: Request, transfer_syntax: str) -> bytes:
    """Return the Action Information; EncodeError if a UID is none."""
    from agent.dataset.encode import encode

    data_set = _new(request.transaction_uid)
    data_set.set(_REFERENCED, [_item(reference) for reference in request.references], "SQ")
    return encode(data_set, transfer_syntax)


def encode_report(report: Report, transfer_syntax: str, *, retrieve_ae: str = "") -> bytes:
    """Return the Event Information; an empty list is left out, as event type 2 demands."""
    from agent.dataset.encode import encode

    data_set = _new(report.transaction_uid)
    if retrieve_ae:
        data_set.set(_RETRIEVE_AE_TITLE, retrieve_ae, "AE")
    if report.committed:
        data_set.set(_REFERENCED, [_item(reference) for reference in report.committed], "SQ")
    if report.failed:
        items = [_item(failure.reference) for failure in report.failed]
        for item, failure in zip(items, report.failed, strict=True):
            item.set(_FAILURE_REASON, failure.reason, "US")
        data_set.set(_FAILED, items, "SQ")
    return encode(data_set, transfer_syntax)


def decode_request(data: bytes, transfer_syntax: str) -> Request:
    """Read Action Information; DecodeError if it is not a request for at least one instance."""
    data_set = _decode(data, transfer_syntax, REFERENCE_LIMIT)
    references = tuple(_reference(item) for item in data_set.items_of(_REFERENCED))
    if not references:
        raise DecodeError("commitment request without instances", tag=_REFERENCED)
    return Request(_transaction_uid(data_set), references)


def decode_report(data: bytes, transfer_syntax: str) -> Report:
    """Read Event Information of either event type; DecodeError if it is no report."""
    data_set = _decode(data, transfer_syntax, REPORT_LIMIT)
    committed = tuple(_reference(item) for item in data_set.items_of(_REFERENCED))
    failed = []
    for item in data_set.items_of(_FAILED):
        reason = item.get(_FAILURE_REASON)
        failed.append(Failure(_reference(item), reason if isinstance(reason, int) else status.PROCESSING_FAILURE))
    return Report(_transaction_uid(data_set), committed, tuple(failed))


def _new(transaction_uid: str) -> DataSet:
    from agent.dataset.dataset import DataSet

    data_set = DataSet()
    data_set.set(_TRANSACTION_UID, transaction_uid, "UI")
    return data_set


def _item(reference: Reference) -> DataSet:
    from agent.dataset.dataset import DataSet

    item = DataSet()
    item.set(_CLASS_UID, reference.sop_class_uid, "UI")
    item.set(_INSTANCE_UID, reference.sop_instance_uid, "UI")
    return item


def _decode(data: bytes, transfer_syntax: str, limit: int) -> DataSet:
    from agent.dataset.decode import Limits, decode

    limits = Limits(total_bytes=len(data), elements=8 * limit, depth=4)
    data_set = decode(data, transfer_syntax, limits=limits)
    count = len(data_set.items_of(_REFERENCED)) + len(data_set.items_of(_FAILED))
    if count > limit:
        raise DecodeError(f"{count} references; {limit} are allowed")
    return data_set


def _transaction_uid(data_set: DataSet) -> str:
    uid = data_set.text(_TRANSACTION_UID)
    if not uid:
        raise DecodeError("no Transaction UID", tag=_TRANSACTION_UID)
    return uid


def _reference(item: DataSet) -> Reference:
    reference = Reference(item.text(_CLASS_UID), item.text(_INSTANCE_UID))
    if not reference.sop_instance_uid:
        raise DecodeError("a reference without SOP Instance UID", tag=_INSTANCE_UID)
    return reference
