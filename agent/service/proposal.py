"""What one association should be for: needs of the services in, A-ASSOCIATE-RQ out (PS3.8 7.1.1.13).

A need is a SOP Class with the transfer syntaxes that are good for it. Every need becomes one presentation context;
there are 128 identifiers, so needs past that number are left over for another association.
"""

from __future__ import annotations

from agent.dataset.uid import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.items import PresentationContext
from agent.ul.limits import CONTEXT_LIMIT, MAXIMUM_LENGTH_BYTES
from agent.ul.negotiate import Policy
from agent.ul.pdu import AssociateRequest
from agent.ul.user import AsyncWindow, UserInformation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from agent.ul.negotiate import Offer
    from agent.ul.user import RoleSelection, UserIdentity


class Need(NamedTuple):
    """One presentation context to propose."""

    sop_class_uid: str
    transfer_syntaxes: tuple[str, ...]


class Proposal(NamedTuple):
    """Contexts to propose, numbered 1, 3, 5..., and the needs that found no room."""

    contexts: tuple[PresentationContext, ...]
    left_over: tuple[Need, ...]


def propose(needs: Iterable[Need]) -> Proposal:
    """Number the needs, each once, in their order."""
    unique = tuple(dict.fromkeys(needs))
    contexts = tuple(PresentationContext(2 * i + 1, *need) for i, need in enumerate(unique[:CONTEXT_LIMIT]))
    return Proposal(contexts, unique[CONTEXT_LIMIT:])


def associate_request(
    calling_ae: str,
    called_ae: str,
    contexts: Iterable[PresentationContext],
    *,
    roles: Iterable[RoleSelection] = (),
    identity: UserIdentity | None = None,
    maximum_length: int = MAXIMUM_LENGTH_BYTES,
    operations: int = 1,
) -> AssociateRequest:
    """Return our A-ASSOCIATE-RQ; more than one of our ``operations`` at once wants a window (PS3.7 D.3.3.3)."""
    user = UserInformation(
        maximum_length=maximum_length,
        implementation_class_uid=IMPLEMENTATION_CLASS_UID,
        implementation_version_name=IMPLEMENTATION_VERSION_NAME,
        roles=tuple(roles),
        identity=identity,
        window=AsyncWindow(operations, 1) if operations > 1 else None,
    )
    return AssociateRequest(called_ae, calling_ae, tuple(contexts), user)


def acceptor_policy(
    offers: Mapping[str, Offer],
    *,
    called_aes: Collection[str] | None = None,
    calling_aes: Collection[str] | None = None,
    maximum_length: int = MAXIMUM_LENGTH_BYTES,
) -> Policy:
    """Return how our listener answers: ``offers`` by SOP Class, and the titles it knows (None = any)."""
    return Policy(
        offers=offers,
        implementation_class_uid=IMPLEMENTATION_CLASS_UID,
        implementation_version_name=IMPLEMENTATION_VERSION_NAME,
        called_aes=called_aes,
        calling_aes=calling_aes,
        maximum_length=maximum_length,
    )
