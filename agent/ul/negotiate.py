"""What two sides agree on when an association begins (PS3.8 7.1.1, PS3.7 Annex D.3).

The acceptor's side is ``answer``: a policy and a request in, A-ASSOCIATE-AC or -RJ out. Both sides then read the same
pair of PDUs with ``agree``: which contexts exist, with which transfer syntax, and which roles each side may play.

Tolerances, each because peers do it: a result for a context nobody proposed is ignored; an accepted transfer syntax
nobody proposed makes that context refused; roles or windows the acceptor grants without an offer do not count; a class
that should come with role selection and does not is still accepted, with the default roles.
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.items import (
    ABSTRACT_SYNTAX_NOT_SUPPORTED,
    ACCEPTANCE,
    APPLICATION_CONTEXT_NAME,
    TRANSFER_SYNTAXES_NOT_SUPPORTED,
    ContextResult,
)
from agent.ul.limits import (
    MAXIMUM_LENGTH_BYTES,
    PEER_MAXIMUM_LENGTH_ABSENT_BYTES,
    PEER_MAXIMUM_LENGTH_CAP_BYTES,
)
from agent.ul.pdu import AssociateAccept, AssociateReject, AssociateRequest
from agent.ul.reasons import PERMANENT, SOURCE_USER
from agent.ul.user import AsyncWindow, RoleSelection, UserInformation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from agent.ul.items import PresentationContext
    from agent.ul.user import UserIdentity

_NAMED = (1, 2)  # User Identity Type: name, name and passcode
SYNCHRONOUS = AsyncWindow(1, 1)


class AgreedContext(NamedTuple):
    """A presentation context both sides may use; the roles are those of the association requestor."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    requestor_scu: bool = True
    requestor_scp: bool = False


class Offer(NamedTuple):
    """What an acceptor takes for one SOP Class: transfer syntaxes, best first, and roles the requestor may have.

    With ``requestor_chooses`` the first of the requestor's that is among them counts: toolkits put first what their
    instances are in, and whoever does not mind should not make them convert, or fail because they cannot.
    ``last_resort`` counts only where nothing else does, wherever it stands: what every requestor must propose (PS3.5
    10.1) is no wish.
    """

    transfer_syntaxes: tuple[str, ...]
    requestor_scu: bool = True
    requestor_scp: bool = False
    requestor_chooses: bool = False
    last_resort: str = ""


class Policy(NamedTuple):
    """How an acceptor answers: ``called_aes`` and ``calling_aes`` are exact titles, None = any."""

    offers: Mapping[str, Offer]
    implementation_class_uid: str
    implementation_version_name: str = ""
    called_aes: Collection[str] | None = None
    calling_aes: Collection[str] | None = None
    maximum_length: int = MAXIMUM_LENGTH_BYTES
    window: AsyncWindow | None = None


def answer(request: AssociateRequest, policy: Policy) -> AssociateAccept | AssociateReject:
    """Return the PDU that answers ``request``: titles and application context first, then context by context.

    An association in which no context is acceptable is still accepted, so that the requestor learns why of each.
    """
    if request.application_context != APPLICATION_CONTEXT_NAME:
        return AssociateReject(PERMANENT, SOURCE_USER, 2)
    if policy.called_aes is not None and request.called_ae not in policy.called_aes:
        return AssociateReject(PERMANENT, SOURCE_USER, 7)
    if policy.calling_aes is not None and request.calling_ae not in policy.calling_aes:
        return AssociateReject(PERMANENT, SOURCE_USER, 3)
    user = UserInformation(
        maximum_length=policy.maximum_length,
        implementation_class_uid=policy.implementation_class_uid,
        implementation_version_name=policy.implementation_version_name,
        window=_grant_window(request.user.window, policy.window),
        roles=_grant_roles(request, policy),
        identity_response=_confirm(request.user.identity),
    )
    results = tuple(_result(context, policy.offers.get(context.abstract_syntax)) for context in request.contexts)
    return AssociateAccept(request.called_ae, request.calling_ae, results, user, reserved=request.reserved)


def _confirm(identity: UserIdentity | None) -> bytes | None:
    """Confirm a user by name, with or without passcode, who asks for it (PS3.15 B.4: nothing needs to be verified).

    Other types prove themselves to a server that we do not have; they are accepted in silence (PS3.7 D.3.3.7.2).
    """
    asked = identity is not None and identity.response_requested and identity.kind in _NAMED
    return b"" if asked else None


def agree(request: AssociateRequest, accept: AssociateAccept) -> dict[int, AgreedContext]:
    """Return the usable contexts by identifier; the same for both sides."""
    proposed = {context.context_id: context for context in request.contexts}
    offered = {role.sop_class_uid: role for role in request.user.roles}
    granted = {role.sop_class_uid: role for role in accept.user.roles if role.sop_class_uid in offered}
    agreed: dict[int, AgreedContext] = {}
    for result in accept.results:
        context = proposed.get(result.context_id)
        if context is None or result.result != ACCEPTANCE or result.transfer_syntax not in context.transfer_syntaxes:
            continue
        scu, scp = True, False
        role = granted.get(context.abstract_syntax)
        if role is not None:
            offer = offered[context.abstract_syntax]
            scu, scp = offer.scu and role.scu, offer.scp and role.scp
        agreed[context.context_id] = AgreedContext(
            context.context_id, context.abstract_syntax, result.transfer_syntax, scu, scp
        )
    return agreed


def refused(request: AssociateRequest, accept: AssociateAccept) -> list[tuple[PresentationContext, int]]:
    """Return (proposed context, result) of every context that cannot be used; no answer counts as result 2."""
    agreed = agree(request, accept)
    results = {result.context_id: result.result or TRANSFER_SYNTAXES_NOT_SUPPORTED for result in accept.results}
    return [(c, results.get(c.context_id, 2)) for c in request.contexts if c.context_id not in agreed]


def agreed_window(request: AssociateRequest, accept: AssociateAccept) -> AsyncWindow:
    """Return how many operations the requestor may invoke and perform at once; (1, 1) unless both sides said more."""
    if request.user.window is None or accept.user.window is None:
        return SYNCHRONOUS
    return _grant_window(request.user.window, accept.user.window) or SYNCHRONOUS


def obeyed_maximum_length(user: UserInformation) -> int:
    """Return the P-DATA-TF length field that the peer who sent ``user`` may get: never 0, never above our own cap."""
    if user.maximum_length is None:
        return PEER_MAXIMUM_LENGTH_ABSENT_BYTES
    return min(user.maximum_length or PEER_MAXIMUM_LENGTH_CAP_BYTES, PEER_MAXIMUM_LENGTH_CAP_BYTES)


def _result(context: PresentationContext, offer: Offer | None) -> ContextResult:
    first = context.transfer_syntaxes[0]
    if offer is None:
        return ContextResult(context.context_id, ABSTRACT_SYNTAX_NOT_SUPPORTED, _echo(first))
    ours, theirs = offer.transfer_syntaxes, context.transfer_syntaxes
    best_first, others = (theirs, ours) if offer.requestor_chooses else (ours, theirs)
    for syntax in sorted(best_first, key=offer.last_resort.__eq__):
        if syntax in others:
            return ContextResult(context.context_id, ACCEPTANCE, syntax)
    return ContextResult(context.context_id, TRANSFER_SYNTAXES_NOT_SUPPORTED, _echo(first))


def _echo(syntax: str) -> str:
    """The syntax of a refused context is not significant; one that is no UID is not sent back."""
    return syntax if syntax and not syntax.strip("0123456789.") else "1.2.840.10008.1.2"


def _grant_roles(request: AssociateRequest, policy: Policy) -> tuple[RoleSelection, ...]:
    """Answer the role selection of every class we know; a role is granted only if it was proposed."""
    granted: dict[str, RoleSelection] = {}
    for role in request.user.roles:
        offer = policy.offers.get(role.sop_class_uid)
        if offer is not None and role.sop_class_uid not in granted:
            granted[role.sop_class_uid] = RoleSelection(
                role.sop_class_uid, role.scu and offer.requestor_scu, role.scp and offer.requestor_scp
            )
    return tuple(granted.values())


def _grant_window(offered: AsyncWindow | None, limit: AsyncWindow | None) -> AsyncWindow | None:
    if offered is None or limit is None:
        return None
    return AsyncWindow(_lesser(offered.invoked, limit.invoked), _lesser(offered.performed, limit.performed))


def _lesser(a: int, b: int) -> int:
    """The lesser of two operation counts, of which 0 means no limit."""
    return min(a, b) if a and b else a or b
