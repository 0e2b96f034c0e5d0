"""Storage: which contexts to propose, which one an instance goes on, which answer counts (PS3.4 Annex B).

One presentation context per (SOP Class, transfer syntax): an acceptor takes only one syntax of a context, and we want
to know every one it takes. First comes what instances are stored in; behind it what a lossless copy may be in, for a
peer that refuses that, or where a copy is cheaper to send (``agent.transcode.choose``, promise P10).

An answer counts only if it is the C-STORE-RSP of this very request: same Message ID, same context, and if it names
an instance, this one (promise P3). Today's clients report a response on a context never negotiated as success.
"""

from __future__ import annotations

from agent.dataset.uid import MAX_UID_BYTES, is_valid_uid
from agent.dimse import status
from agent.dimse.message import CStoreResponse
from agent.errors import RemoteProtocolError
from agent.service.proposal import Need
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.dimse.fragment import Received
    from agent.dimse.message import CStoreRequest
    from agent.ul.negotiate import AgreedContext


def needs(pairs: Iterable[tuple[str, str]]) -> list[Need]:
    """Return what to propose for (SOP Class UID, transfer syntax UID) pairs, in their order, each once."""
    return [Need(sop_class, (syntax,)) for sop_class, syntax in dict.fromkeys(pairs)]


def alternatives(pairs: Iterable[tuple[str, str]], syntaxes: Iterable[str]) -> list[Need]:
    """Return what copies may be in: every other of ``syntaxes`` for the SOP Classes of ``pairs``, in their order."""
    masters = dict.fromkeys(pairs)
    others = [(sop_class, syntax) for sop_class in dict.fromkeys(pair[0] for pair in masters) for syntax in syntaxes]
    return needs(pair for pair in others if pair not in masters)


def match(received: Received, *, message_id: int, context_id: int, sop_instance_uid: str) -> CStoreResponse:
    """Return the C-STORE-RSP of our request; RemoteProtocolError if it is anything else."""
    response = received.message
    if type(response) is not CStoreResponse:
        raise RemoteProtocolError(f"expected C-STORE-RSP {message_id}, got {type(response).__name__}")
    if response.message_id != message_id or received.context_id != context_id:
        raise RemoteProtocolError(
            f"expected C-STORE-RSP {message_id} on context {context_id}, "
            f"got {response.message_id} on context {received.context_id}"
        )
    if response.sop_instance_uid not in ("", sop_instance_uid):
        raise RemoteProtocolError(
            f"C-STORE-RSP {message_id} is about instance {response.sop_instance_uid}, not {sop_instance_uid}"
        )
    return response


def check(request: CStoreRequest, context: AgreedContext) -> int:
    """Return the status with which an SCP answers the command of a C-STORE; its Data Set is judged apart.

    A SOP Instance UID is judged here because peers put paths and commands into it; leading zeros pass, old devices
    make them.
    """
    if request.sop_class_uid != context.abstract_syntax or not context.requestor_scu:
        return status.CLASS_NOT_SUPPORTED
    parts = request.sop_instance_uid.split(".")
    if not is_valid_uid(".".join(part.lstrip("0") or part[:1] for part in parts)):
        return status.INVALID_INSTANCE
    return status.SUCCESS if len(request.sop_instance_uid) <= MAX_UID_BYTES else status.INVALID_INSTANCE
