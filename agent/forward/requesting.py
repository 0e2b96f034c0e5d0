"""One request for commitment on an association: N-ACTION out, its answer in (PS3.4 J.3.2)."""

from __future__ import annotations

from agent.dimse import status
from agent.dimse.message import NActionResponse
from agent.errors import RemoteProtocolError
from agent.service import commitment
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dimse.fragment import Received
    from agent.forward.deliver import Delivery

NOT_OFFERED: Final = "the peer does not offer Storage Commitment"


def request(delivery: Delivery, context_id: int, wanted: commitment.Request) -> None:
    """Send one N-ACTION and read its answer; raises ``StatusError`` when it is refused, and what the link raises."""
    conversation = delivery.conversation
    command = commitment.action_request(conversation.next_message_id())
    syntax = conversation.driver.association.contexts[context_id].transfer_syntax

    def check(received: Received) -> NActionResponse:
        answer = received.message
        here = received.context_id == context_id
        if here and isinstance(answer, NActionResponse) and answer.message_id == command.message_id:
            return answer
        raise RemoteProtocolError(f"{type(answer).__name__} where the N-ACTION-RSP {command.message_id} is due")

    conversation.send(context_id, command, commitment.encode_request(wanted, syntax))
    answer = conversation.response(check, conversation.driver.now() + delivery.peer.timeouts.response_s)
    if answer.status:
        raise status.status_error(status.Service.COMMITMENT, answer.status, answer.comment)
