"""Open an association: connect, shake hands, ask, and read the answer.

Raises what ``transport.connect`` and ``Driver`` raise, and ``AssociationRefused`` or ``AssociationRejected`` with the
peer's own reason; ``UserNotConfirmed`` where a confirmation of the user was asked for.
"""

from __future__ import annotations

import time

from agent.errors import AgentError, LinkClosed
from agent.link.driver import Driver
from agent.link.transport import connect, never
from agent.service.proposal import associate_request
from agent.typed import TYPE_CHECKING
from agent.ul.association import Association, Role
from agent.ul.pdu import AssociateAccept, AssociateReject
from agent.ul.reasons import reject_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.link.flight import Flight
    from agent.link.peer import Peer
    from agent.ul.items import PresentationContext
    from agent.ul.user import RoleSelection


def associate(
    peer: Peer,
    contexts: Sequence[PresentationContext],
    roles: Sequence[RoleSelection] = (),
    clock: Callable[[], float] = time.monotonic,
    cancelled: Callable[[], bool] = never,
    *,
    flight: Flight | None = None,
) -> Driver:
    """Return a driver whose association is established; ``driver.association.contexts`` says what was agreed.

    ``cancelled`` is asked about once a second whenever the driver waits; True ends the wait with ``LinkClosed``.
    ``flight`` notes what happens; it is ended here when there is no association, otherwise by ``Driver.ended``.
    """
    association = Association(Role.REQUESTOR, artim_s=peer.timeouts.artim_s)
    driver = None
    try:
        identity = None
        if peer.user is not None:  # most destinations want none, and pay for none
            from agent.link.user_identity import check_answer, explain_reject, identity_of

            identity = identity_of(peer.user, encrypted=peer.tls is not None)
        request = associate_request(
            peer.calling_ae, peer.called_ae, contexts, roles=roles, identity=identity, operations=peer.operations
        )
        association.send(request, clock())
        association.next_event()  # OpenTransport, which is what comes next
        driver = Driver(association, connect(peer, clock, cancelled), peer.timeouts, clock, peer.pace)
        if flight is not None:
            driver.record(flight)
        association.connected(clock())
        driver.flush()
        answer = driver.event("associate", clock() + peer.timeouts.associate_s)
        if isinstance(answer, AssociateReject):
            error = reject_error(answer)
            error.message = f"{peer}: {error.message}"
            if peer.user is not None:
                explain_reject(peer.user, error)
            raise error
        if not isinstance(answer, AssociateAccept):
            raise LinkClosed(f"{peer} closed the connection instead of answering the association request")
        if peer.user is not None:
            check_answer(peer.user, answer, str(peer))
    except AgentError as error:
        if driver is not None:
            driver.abort()
            if isinstance(error, LinkClosed) and peer.tls is None:
                error.hint = "It ended before it answered: is this a TLS port, or no DICOM port at all?"
        if flight is not None:
            flight.end(clock(), error)
        raise
    return driver
