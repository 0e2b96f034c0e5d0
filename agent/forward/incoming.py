"""What a peer may want of us on an association that it opens: Verification, and to bring commitment reports."""

from __future__ import annotations

from agent.dataset.uid import STORAGE_COMMITMENT, VERIFICATION
from agent.link.listener import serve_requests
from agent.service import commitment, verification
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.forward.settle import Settler
    from agent.link.listener import Call

# A peer that opens an association and then says nothing is sent home after this.
IDLE_S: Final = 30.0
OFFERS: Final = {VERIFICATION: verification.OFFER, STORAGE_COMMITMENT: commitment.SCU_OFFER}


def serve_reports(call: Call, settler: Settler) -> None:
    """Take the reports that a peer brings on an association of its own."""
    contexts = call.conversation.driver.association.contexts
    told = () if call.flight is None else (call.flight.reported,)
    answer = settler.on_request(call.request.calling_ae, lambda number: contexts[number].transfer_syntax, *told)
    serve_requests(call, answer, IDLE_S)
