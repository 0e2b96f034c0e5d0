"""What the two sides agree on."""

from __future__ import annotations

import pytest

from agent.ul import negotiate
from agent.ul.items import ContextResult, PresentationContext
from agent.ul.negotiate import AgreedContext, Offer, Policy
from agent.ul.pdu import AssociateAccept, AssociateReject, AssociateRequest
from agent.ul.user import AsyncWindow, RoleSelection, UserInformation

ECHO, US, COMMITMENT = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.1.20.1"
IMPLICIT, EXPLICIT, RLE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
USER = UserInformation(16384, "1.2.3")
POLICY = Policy({ECHO: Offer((IMPLICIT,)), US: Offer((EXPLICIT, IMPLICIT)), COMMITMENT: Offer((EXPLICIT,))}, "1.2.4")


def request(*contexts: tuple[int, str, tuple[str, ...]], **fields: object) -> AssociateRequest:
    proposed = tuple(PresentationContext(*context) for context in contexts)
    return AssociateRequest("ARCHIVE", "AGENT", proposed, USER)._replace(**fields)  # type: ignore[arg-type]


def accepted(asked: AssociateRequest, policy: Policy = POLICY) -> AssociateAccept:
    answered = negotiate.answer(asked, policy)
    assert isinstance(answered, AssociateAccept)
    return answered


def test_each_context_gets_its_own_result_in_order_of_our_preference() -> None:
    asked = request((1, US, (IMPLICIT, EXPLICIT)), (3, US, (RLE,)), (5, "1.9", (IMPLICIT,)), (7, ECHO, (IMPLICIT,)))
    results = accepted(asked).results
    assert [(r.context_id, r.result) for r in results] == [(1, 0), (3, 4), (5, 3), (7, 0)]
    assert results[0].transfer_syntax == EXPLICIT
    agreed = negotiate.agree(asked, accepted(asked))
    assert agreed == {1: AgreedContext(1, US, EXPLICIT), 7: AgreedContext(7, ECHO, IMPLICIT)}
    assert negotiate.refused(asked, accepted(asked)) == [(asked.contexts[1], 4), (asked.contexts[2], 3)]


@pytest.mark.parametrize(
    ("proposed", "chosen"),
    [
        ((RLE, EXPLICIT), RLE),
        ((EXPLICIT, RLE), EXPLICIT),
        (("1.9", RLE, IMPLICIT), RLE),
        ((IMPLICIT, EXPLICIT, RLE), EXPLICIT),
        ((IMPLICIT,), IMPLICIT),
        (("1.9", IMPLICIT), IMPLICIT),
    ],
)
def test_an_acceptor_that_takes_all_lets_the_requestor_choose(proposed: tuple[str, ...], chosen: str) -> None:
    """Its first choice is what its instances are in: another costs it a conversion, or the instance."""
    offer = Offer((IMPLICIT, EXPLICIT, RLE), requestor_chooses=True, last_resort=IMPLICIT)
    (result,) = accepted(request((1, US, proposed)), POLICY._replace(offers={US: offer})).results
    assert (result.result, result.transfer_syntax) == (0, chosen)


@pytest.mark.parametrize(
    ("fields", "policy", "reason"),
    [
        ({"application_context": "1.2"}, {}, 2),
        ({}, {"called_aes": {"OTHER"}}, 7),
        ({"called_ae": "archive"}, {"called_aes": {"ARCHIVE"}}, 7),
        ({}, {"calling_aes": {"OTHER"}}, 3),
    ],
)
def test_titles_and_application_context_reject_for_good(fields: dict, policy: dict, reason: int) -> None:  # type: ignore[type-arg]
    answered = negotiate.answer(request((1, ECHO, (IMPLICIT,)), **fields), POLICY._replace(**policy))
    assert answered == AssociateReject(1, 1, reason)


def test_the_answer_echoes_titles_and_reserved_bytes() -> None:
    answered = accepted(request((1, ECHO, (IMPLICIT,)), reserved=b"r" * 32))
    assert (answered.called_ae, answered.calling_ae, answered.reserved) == ("ARCHIVE", "AGENT", b"r" * 32)


ROLES = [  # proposed (scu, scp), offered (scu, scp), agreed (scu, scp); None: no role selection
    (None, (True, True), (True, False)),
    ((False, True), (True, True), (False, True)),
    ((True, True), (True, True), (True, True)),
    ((True, True), (False, True), (False, True)),
    ((False, True), (True, False), (False, False)),
    ((True, False), (True, True), (True, False)),
]


@pytest.mark.parametrize(("proposed", "offered", "agreed"), ROLES)
def test_role_selection(
    proposed: tuple[bool, bool] | None, offered: tuple[bool, bool], agreed: tuple[bool, bool]
) -> None:
    roles = () if proposed is None else (RoleSelection(COMMITMENT, *proposed),)
    asked = request((1, COMMITMENT, (EXPLICIT,)), user=USER._replace(roles=roles))
    answered = accepted(asked, POLICY._replace(offers={COMMITMENT: Offer((EXPLICIT,), *offered)}))
    assert len(answered.user.roles) == len(roles)
    context = negotiate.agree(asked, answered)[1]
    assert (context.requestor_scu, context.requestor_scp) == agreed


def test_a_peer_without_role_selection_keeps_the_default_roles() -> None:
    asked = request((1, COMMITMENT, (EXPLICIT,)), user=USER._replace(roles=(RoleSelection(COMMITMENT, False, True),)))
    answered = AssociateAccept("A", "B", (ContextResult(1, 0, EXPLICIT),), USER)
    assert negotiate.agree(asked, answered)[1] == AgreedContext(1, COMMITMENT, EXPLICIT, True, False)


def test_roles_nobody_proposed_do_not_count() -> None:
    asked = request((1, COMMITMENT, (EXPLICIT,)))
    granted = USER._replace(roles=(RoleSelection(COMMITMENT, True, True),))
    answered = AssociateAccept("A", "B", (ContextResult(1, 0, EXPLICIT),), granted)
    assert not negotiate.agree(asked, answered)[1].requestor_scp


def test_surprising_results_are_not_used() -> None:
    asked = request((1, US, (EXPLICIT,)), (3, ECHO, (IMPLICIT,)))
    results = (ContextResult(1, 0, RLE), ContextResult(99, 0, IMPLICIT))
    answered = AssociateAccept("A", "B", results, USER)
    assert negotiate.agree(asked, answered) == {}
    assert negotiate.refused(asked, answered) == [(asked.contexts[0], 4), (asked.contexts[1], 2)]


def test_a_transfer_syntax_that_is_no_uid_is_not_sent_back() -> None:
    answered = accepted(request((1, US, ("what?",))))
    assert answered.results == (ContextResult(1, 4, IMPLICIT),)


@pytest.mark.parametrize(
    ("said", "obeyed"), [(None, 16384), (0, 131072), (1024, 1024), (16382, 16382), (1 << 31, 131072), (1, 1)]
)
def test_the_maximum_length_we_obey(said: int | None, obeyed: int) -> None:
    assert negotiate.obeyed_maximum_length(UserInformation(said)) == obeyed


@pytest.mark.parametrize(
    ("offered", "ours", "agreed"),
    [
        (None, (5, 5), (1, 1)),
        ((3, 4), None, (1, 1)),
        ((3, 4), (2, 8), (2, 4)),
        ((0, 0), (8, 0), (8, 0)),
        ((3, 0), (0, 2), (3, 2)),
    ],
)
def test_asynchronous_window(
    offered: tuple[int, int] | None, ours: tuple[int, int] | None, agreed: tuple[int, int]
) -> None:
    asked = request((1, ECHO, (IMPLICIT,)), user=USER._replace(window=AsyncWindow(*offered) if offered else None))
    answered = accepted(asked, POLICY._replace(window=AsyncWindow(*ours) if ours else None))
    assert negotiate.agreed_window(asked, answered) == agreed
    assert (answered.user.window is None) == (offered is None or ours is None)


def test_an_acceptor_that_grants_more_than_was_offered_does_not_get_it() -> None:
    asked = request((1, ECHO, (IMPLICIT,)), user=USER._replace(window=AsyncWindow(2, 2)))
    answered = AssociateAccept("A", "B", (), USER._replace(window=AsyncWindow(9, 0)))
    assert negotiate.agreed_window(asked, answered) == (2, 2)
