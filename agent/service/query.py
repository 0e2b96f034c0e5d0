"""Query, for the one question that the agent asks: does the archive list this instance (PS3.4 C.4.1, C.6.2).

Study Root, IMAGE level, all three keys as single values: what every SCP must be able to match (C.4.1.2.1). An answer
"pending" with the SOP Instance UID that was asked for says yes, "success" without any says no. Neither is custody: an
archive may list what it has not made safe, and not list what it will.
"""

from __future__ import annotations

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, STUDY_ROOT_FIND
from agent.dimse.message import CFindRequest
from agent.service.proposal import Need
from agent.typed import NamedTuple

NEED = Need(STUDY_ROOT_FIND, (EXPLICIT_VR_LE, IMPLICIT_VR_LE))

# One instance has one answer; an archive that has it twice may give two. More is another question's answer.
ANSWER_LIMIT = 16
IDENTIFIER_LIMIT_BYTES = 64 * 1024

_LEVEL = 0x00080052
_STUDY_UID = 0x0020000D
_SERIES_UID = 0x0020000E
_INSTANCE_UID = 0x00080018


class Place(NamedTuple):
    """Where an instance is in the Study Root model."""

    study_uid: str
    series_uid: str
    sop_instance_uid: str


def find_request(message_id: int) -> CFindRequest:
    """Return the command of the question."""
    return CFindRequest(message_id, STUDY_ROOT_FIND)


def encode_identifier(place: Place, transfer_syntax: str) -> bytes:
    """Return the Identifier that asks for one instance; EncodeError if a UID is none."""
    from agent.dataset.dataset import DataSet
    from agent.dataset.encode import encode

    data_set = DataSet()
    data_set.set(_LEVEL, "IMAGE", "CS")
    for tag, uid in zip((_STUDY_UID, _SERIES_UID, _INSTANCE_UID), place, strict=True):
        data_set.set(tag, uid, "UI")
    return encode(data_set, transfer_syntax)


def decode_identifier(data: bytes, transfer_syntax: str) -> str:
    """Return the SOP Instance UID that an answer names, empty without one; DecodeError if it cannot be read."""
    from agent.dataset.decode import Limits, decode
    from agent.errors import DecodeError

    if len(data) > IDENTIFIER_LIMIT_BYTES:
        raise DecodeError(f"an Identifier of {len(data)} bytes; {IDENTIFIER_LIMIT_BYTES} are allowed")
    limits = Limits(total_bytes=len(data), elements=1000, depth=4)
    return decode(data, transfer_syntax, limits=limits).text(_INSTANCE_UID)
