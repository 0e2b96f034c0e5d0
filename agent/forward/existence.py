"""Whether an archive lists an instance that it never committed: the last thing that can be asked (PS3.4 C.4.1).

The answer is evidence for a person, not custody: nothing is evicted because of it. One C-FIND for each instance; all
its answers together have one deadline and a limit, so that a peer that hangs, drips or floods costs ``LOOK_S``.
"""

from __future__ import annotations

from agent.dimse import status
from agent.dimse.message import CFindResponse
from agent.errors import DecodeError, RemoteProtocolError
from agent.service import query
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dimse.fragment import Received
    from agent.link.conversation import Conversation

LOOK_S: Final = 30.0  # for all answers of one question; images wait meanwhile


def lists(
    conversation: Conversation, context_id: int, transfer_syntax: str, place: query.Place, within_s: float = LOOK_S
) -> bool:
    """Ask whether the peer lists the instance at ``place``.

    Raises ``StatusError`` when it refuses to say, ``DecodeError`` or ``RemoteProtocolError`` for what is no answer, and
    what the link raises. Only after ``StatusError`` is the association good for more.
    """
    request = query.find_request(conversation.next_message_id())
    deadline = conversation.driver.now() + min(within_s, LOOK_S)
    found = others = 0

    def check(received: Received) -> CFindResponse:
        answer = received.message
        here = received.context_id == context_id
        if not (here and isinstance(answer, CFindResponse) and answer.message_id == request.message_id):
            raise RemoteProtocolError(f"{type(answer).__name__} where the C-FIND-RSP {request.message_id} is due")
        if found + others > query.ANSWER_LIMIT:
            raise RemoteProtocolError(f"more than {query.ANSWER_LIMIT} answers about one instance")
        return answer

    conversation.send(context_id, request, query.encode_identifier(place, transfer_syntax))
    while True:
        answer, data = conversation.reply(check, deadline)
        kind = status.status_class(answer.status)
        if kind is status.StatusClass.PENDING:
            same = query.decode_identifier(data or b"", transfer_syntax) == place.sop_instance_uid
            found, others = found + same, others + (not same)
        elif found or (answer.status == status.SUCCESS and not others):
            return bool(found)
        elif answer.status == status.SUCCESS:
            raise DecodeError("its answers are about other instances")
        else:
            raise status.status_error(status.Service.QUERY, answer.status, answer.comment)
