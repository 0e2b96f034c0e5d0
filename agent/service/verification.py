"""Verification: C-ECHO, as SCU and SCP (PS3.4 Annex A).

Every AE that accepts associations must answer it (PS3.2 7.1.1), so our commitment listener does.
"""

from __future__ import annotations

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, VERIFICATION
from agent.dimse.message import CEchoRequest, CEchoResponse
from agent.dimse.status import NO_SUCH_CLASS, SUCCESS
from agent.errors import RemoteProtocolError
from agent.service.proposal import Need
from agent.typed import TYPE_CHECKING
from agent.ul.negotiate import Offer

if TYPE_CHECKING:
    from agent.dimse.fragment import Received

NEED = Need(VERIFICATION, (IMPLICIT_VR_LE,))
OFFER = Offer((IMPLICIT_VR_LE, EXPLICIT_VR_LE))


def respond(request: CEchoRequest) -> CEchoResponse:
    """Answer a C-ECHO-RQ."""
    known = request.sop_class_uid == VERIFICATION
    return CEchoResponse(request.message_id, SUCCESS if known else NO_SUCH_CLASS)


def match(received: Received, *, message_id: int, context_id: int) -> CEchoResponse:
    """Return the C-ECHO-RSP of our request; RemoteProtocolError if it is anything else."""
    response = received.message
    if (
        not isinstance(response, CEchoResponse)
        or response.message_id != message_id
        or received.context_id != context_id
    ):
        raise RemoteProtocolError(
            f"expected C-ECHO-RSP {message_id} on context {context_id}, "
            f"got {type(response).__name__} {response.message_id} on context {received.context_id}"
        )
    return response
