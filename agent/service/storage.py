"""Storage: which contexts to propose, which one an instance goes on, which answer counts (PS3.4 Annex B).

One presentation context per (SOP Class, transfer syntax): an acceptor takes only one syntax of a context, and we want
to know every one it takes. Uncompressed instances also bring a context with Implicit VR Little Endian, the default of
PS3.5 10.1, which every archive must take; compressed ones do not, because we do not decompress to send (promise P10).

An answer counts only if it is the C-STORE-RSP of this very request: same Message ID, same context, and if it names
an instance, this one (promise P3). Today's clients report a response on a context never negotiated as success.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent.dataset.uid import IMPLICIT_VR_LE, MAX_UID_BYTES, NATIVE_TRANSFER_SYNTAXES, is_valid_uid
from agent.dimse import status
from agent.dimse.message import CStoreResponse
from agent.errors import NoAcceptedContext, RemoteProtocolError
from agent.service.proposal import Need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent.dimse.fragment import Received
    from agent.dimse.message import CStoreRequest
    from agent.ul.negotiate import AgreedContext


class Choice(NamedTuple):
    """Where an instance goes; ``convert`` if it must be written in ``transfer_syntax`` first."""

    context_id: int
    transfer_syntax: str
    convert: bool


def needs(pairs: Iterable[tuple[str, str]], *, default: bool = True) -> list[Need]:
    """Return what to propose for (SOP Class UID, transfer syntax UID) pairs; exact contexts before default ones.

    ``default=False`` leaves the default contexts out, for a sender that cannot convert.
    """
    unique = list(dict.fromkeys(pairs))
    exact = [Need(sop_class, (syntax,)) for sop_class, syntax in unique]
    if not default:
        return exact
    fallback = [
        Need(sop_class, (IMPLICIT_VR_LE,)) for sop_class, syntax in unique if syntax in NATIVE_TRANSFER_SYNTAXES
    ]
    return list(dict.fromkeys(exact + fallback))


def choose(
    contexts: Mapping[int, AgreedContext], sop_class_uid: str, transfer_syntax: str, *, convertible: bool = False
) -> Choice:
    """Return the context for an instance: its own syntax, or, if ``convertible``, the default one.

    Raises NoAcceptedContext, which names the pair, when there is none.
    """
    default = None
    for context in contexts.values():
        if context.abstract_syntax != sop_class_uid or not context.requestor_scu:
            continue
        if context.transfer_syntax == transfer_syntax:
            return Choice(context.context_id, transfer_syntax, convert=False)
        if context.transfer_syntax == IMPLICIT_VR_LE:
            default = context
    if default is not None and convertible and transfer_syntax in NATIVE_TRANSFER_SYNTAXES:
        return Choice(default.context_id, IMPLICIT_VR_LE, convert=True)
    from agent.dataset.uid import uid_name

    raise NoAcceptedContext(
        f"the peer accepted no context for {uid_name(sop_class_uid)} in {uid_name(transfer_syntax)} "
        f"({sop_class_uid}, {transfer_syntax})"
    )


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
