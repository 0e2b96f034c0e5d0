"""Two associations connected to each other, without a socket."""

from __future__ import annotations

import pytest
from fakes.associations import Pair, acceptance, drain, in_state, request, written

from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.ul import pdu
from agent.ul.association import Association, CloseTransport, Role, TransportLost
from agent.ul.machine import State
from agent.ul.reasons import abort_error, reject_error

STEPS = [0, 1, 7, 4096]
LAST_COMMAND = pdu.COMMAND | pdu.LAST


def command(data: bytes = b"ab") -> pdu.Fragment:
    return pdu.Fragment(1, LAST_COMMAND, data)


@pytest.mark.parametrize("step", STEPS)
def test_associate_exchange_and_release(step: int) -> None:
    pair = Pair(step)
    assert pair.requestor.state is pair.acceptor.state is State.STA6
    assert pair.requestor.contexts == pair.acceptor.contexts
    assert set(pair.requestor.contexts) == {1, 3}
    pair.requestor.send(command(b"question"), 0.0)
    assert pair.to_acceptor() == [command(b"question")]
    pair.acceptor.send(command(b"answer"), 0.0)
    assert pair.to_requestor() == [command(b"answer")]
    pair.requestor.send(pdu.ReleaseRequest(), 0.0)
    assert pair.to_acceptor() == [pdu.ReleaseRequest()]
    assert pair.acceptor.must_answer_release
    pair.acceptor.send(pdu.ReleaseResponse(), 5.0)
    assert pair.acceptor.deadline == 35.0
    assert pair.to_requestor() == [pdu.ReleaseResponse(), CloseTransport()]
    assert pair.requestor.over
    pair.acceptor.receive(b"", 6.0)
    assert drain(pair.acceptor) == []
    assert pair.acceptor.over
    assert pair.acceptor.deadline is None


def test_both_release_at_once() -> None:
    pair = Pair()
    pair.requestor.send(pdu.ReleaseRequest(), 0.0)
    pair.acceptor.send(pdu.ReleaseRequest(), 0.0)
    crossing = written(pair.acceptor)
    assert pair.to_acceptor() == [pdu.ReleaseRequest()]
    pair.requestor.receive(crossing, 0.0)
    assert drain(pair.requestor) == [pdu.ReleaseRequest()]
    assert pair.requestor.must_answer_release
    assert not pair.acceptor.must_answer_release
    pair.requestor.send(pdu.ReleaseResponse(), 0.0)
    assert pair.to_acceptor() == [pdu.ReleaseResponse()]
    assert pair.acceptor.must_answer_release
    pair.acceptor.send(pdu.ReleaseResponse(), 0.0)
    assert pair.to_requestor() == [pdu.ReleaseResponse(), CloseTransport()]


def test_the_acceptor_may_still_answer_before_it_releases() -> None:
    pair = Pair()
    pair.requestor.send(pdu.ReleaseRequest(), 0.0)
    pair.to_acceptor()
    pair.acceptor.send(command(), 0.0)
    assert pair.to_requestor() == [command()]
    assert pair.requestor.state is State.STA7


def test_data_behind_the_request_waits_for_our_answer() -> None:
    pair = Pair()
    acceptor = Association(Role.ACCEPTOR)
    acceptor.connected(0.0)
    acceptor.receive(pdu.encode(request()) + pdu.encode(command()), 0.0)
    event = acceptor.next_event()
    assert isinstance(event, pdu.AssociateRequest)
    acceptor.send(acceptance(event), 0.0)
    assert isinstance(acceptor.next_event(), pdu.Fragment)
    assert pair.requestor.state is State.STA6


# --- lengths ------------------------------------------------------------------------------------


def test_fragments_obey_the_peers_maximum_length() -> None:
    pair = Pair(maximum_length=16384, peer_maximum_length=1024)
    assert pair.requestor.fragment_bytes == 1018
    assert pair.acceptor.fragment_bytes == 16378
    pair.requestor.send(command(bytes(1018)), 0.0)
    assert len(written(pair.requestor)) == 6 + 1024
    for wrong in (bytes(1020), bytes(3), b""):
        one = Pair(peer_maximum_length=1024).requestor
        with pytest.raises(LocalProtocolError):
            one.send(command(wrong), 0.0)


def test_no_limit_means_our_own_cap() -> None:
    assert Pair(peer_maximum_length=0).requestor.fragment_bytes == 131066


def test_a_long_fragment_is_not_copied() -> None:
    pair = Pair(peer_maximum_length=0)
    data = bytes(100_000)
    pair.requestor.send(command(data), 0.0)
    assert pair.requestor.outgoing()[1] is data


def test_a_small_fragment_is_handed_on_as_a_view_of_what_was_received() -> None:
    pair = Pair()
    data = bytearray(pdu.encode(command(b"content")))[:-1] + b"!"
    pair.acceptor.receive(data, 0.0)
    event = pair.acceptor.next_event()
    assert isinstance(event, pdu.Fragment)
    assert isinstance(event.data, memoryview)
    assert event.data.obj is data


def test_a_maximum_length_too_small_to_work_with_ends_it() -> None:
    requestor = in_state(State.STA5)
    requestor.receive(pdu.encode(acceptance(request(), maximum_length=1023)), 0.0)
    with pytest.raises(RemoteProtocolError, match="1023"):
        requestor.next_event()
    acceptor = in_state(State.STA2)
    acceptor.receive(pdu.encode(request(maximum_length=100)), 0.0)
    with pytest.raises(RemoteProtocolError, match="local limit exceeded"):
        acceptor.next_event()
    assert written(acceptor) == pdu.encode(pdu.AssociateReject(1, 3, 2))


def test_a_pdu_longer_than_we_take_ends_it() -> None:
    acceptor = in_state(State.STA6)
    acceptor.receive(b"\4\0\0\2\0\2", 0.0)
    with pytest.raises(RemoteProtocolError, match="131074 bytes"):
        acceptor.next_event()
    assert written(acceptor) == pdu.encode(pdu.Abort(2, 6))


# --- bulk Data Sets -----------------------------------------------------------------------------


def test_a_data_set_is_written_by_the_shell() -> None:
    pair = Pair()
    pair.requestor.send(pdu.Fragment(3, LAST_COMMAND, b"ab"), 0.0)
    size = pair.requestor.begin_data_set(3, 20_000)
    assert size == 16378
    with pytest.raises(LocalProtocolError, match="middle of a Data Set"):
        pair.requestor.send(command(), 0.0)


def test_sends_go_on_after_the_data_set() -> None:
    pair = Pair()
    for _ in range(3):
        pair.requestor.send(pdu.Fragment(3, LAST_COMMAND, b"ab"), 0.0)
        size = pair.requestor.begin_data_set(3, 20_000)
        head = written(pair.requestor)
        stream = pdu.encode(pdu.Fragment(3, 0, bytes(size))) + pdu.encode(
            pdu.Fragment(3, pdu.LAST, bytes(20_000 - size))
        )
        pair.acceptor.receive(head + stream, 0.0)
        pair.requestor.end_data_set()
        received = drain(pair.acceptor)
        assert [f.control for f in received if isinstance(f, pdu.Fragment)] == [3, 0, 2]


@pytest.mark.parametrize(("context", "total"), [(1, 100), (3, 101), (3, 0), (5, 100)])
def test_a_data_set_needs_its_command_and_an_even_length(context: int, total: int) -> None:
    one = Pair().requestor
    one.send(pdu.Fragment(3, LAST_COMMAND, b"ab"), 0.0)
    with pytest.raises(LocalProtocolError):
        one.begin_data_set(context, total)


def test_no_data_set_without_association_or_beginning() -> None:
    with pytest.raises(LocalProtocolError):
        in_state(State.STA7).begin_data_set(1, 2)
    with pytest.raises(LocalProtocolError):
        in_state(State.STA6).end_data_set()


def test_an_abort_cuts_through_a_data_set() -> None:
    pair = Pair()
    pair.requestor.send(pdu.Fragment(3, LAST_COMMAND, b"ab"), 0.0)
    pair.requestor.begin_data_set(3, 100)
    pair.requestor.outgoing()
    pair.requestor.send(pdu.Abort(), 0.0)
    assert pair.to_acceptor() == [pdu.Abort(0, 0), CloseTransport()]


def test_a_peer_that_aborts_in_a_data_set_leaves_nothing_to_raise() -> None:
    pair = Pair()
    pair.requestor.send(pdu.Fragment(3, LAST_COMMAND, b"ab"), 0.0)
    pair.requestor.begin_data_set(3, 100)
    pair.acceptor.abort(0.0)
    assert pair.to_requestor() == [pdu.Abort(0, 0), CloseTransport()]
    pair.requestor.end_data_set()
    pair.requestor.abort(0.0)


# --- ends ---------------------------------------------------------------------------------------


def test_a_lost_transport_is_told() -> None:
    for state in (State.STA5, State.STA6, State.STA4):
        one = in_state(state)
        one.receive(b"", 0.0)
        assert drain(one) == [TransportLost()]
        assert one.over


def test_what_arrived_before_the_end_is_still_told() -> None:
    one = in_state(State.STA6)
    one.receive(pdu.encode(command()), 0.0)
    one.receive(b"", 0.0)
    assert [type(event) for event in drain(one)] == [pdu.Fragment, TransportLost]


def test_after_a_fault_of_the_peer_the_association_is_dead() -> None:
    pair = Pair()
    pair.requestor.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", 7.0)
    with pytest.raises(RemoteProtocolError, match="unknown type 48H"):
        pair.requestor.next_event()
    assert pair.requestor.state is State.STA13
    assert written(pair.requestor) == pdu.encode(pdu.Abort(2, 1))
    assert pair.requestor.deadline == 37.0
    with pytest.raises(LocalProtocolError, match="dead"):
        pair.requestor.send(command(), 8.0)
    pair.requestor.abort(8.0)
    pair.requestor.receive(b"more" * 1000, 8.0)
    assert drain(pair.requestor) == []
    assert written(pair.requestor) == b""
    pair.requestor.tick(36.9)
    assert not pair.requestor.over
    pair.requestor.tick(37.0)
    assert drain(pair.requestor) == [CloseTransport()]
    assert pair.requestor.over


def test_after_our_own_fault_only_an_abort_works() -> None:
    pair = Pair()
    with pytest.raises(LocalProtocolError, match="RELEASE_RESPONSE is not possible in Sta6"):
        pair.requestor.send(pdu.ReleaseResponse(), 0.0)
    with pytest.raises(LocalProtocolError, match="dead"):
        pair.requestor.send(command(), 0.0)
    pair.requestor.abort(0.0)
    assert pair.to_acceptor() == [pdu.Abort(0, 0), CloseTransport()]


def test_a_talkative_peer_gets_one_abort() -> None:
    one = in_state(State.STA6)
    one.receive(pdu.encode(request()) * 50, 0.0)
    with pytest.raises(RemoteProtocolError, match="ASSOCIATE_RQ_RECEIVED in Sta6"):
        one.next_event()
    assert drain(one) == []
    assert written(one) == pdu.encode(pdu.Abort(2, 2))


def test_data_on_a_context_that_was_not_agreed_ends_it() -> None:
    one = in_state(State.STA6)
    one.receive(pdu.encode(pdu.Fragment(77, LAST_COMMAND, b"ab")), 0.0)
    with pytest.raises(RemoteProtocolError, match="context 77"):
        one.next_event()


def test_protocol_version_is_judged_by_the_provider() -> None:
    one = in_state(State.STA2)
    one.receive(pdu.encode(request()._replace(version=2)), 0.0)
    with pytest.raises(RemoteProtocolError, match="protocol version"):
        one.next_event()
    assert written(one) == pdu.encode(pdu.AssociateReject(1, 2, 2))
    assert one.state is State.STA13


def test_an_acceptor_that_chose_another_application_context_is_left() -> None:
    one = in_state(State.STA5)
    one.receive(pdu.encode(acceptance(request())._replace(application_context="1.2.3")), 0.0)
    with pytest.raises(RemoteProtocolError, match="application context"):
        one.next_event()


def test_values_without_content_and_of_odd_length_are_taken() -> None:
    one = in_state(State.STA6)
    values = b"\0\0\0\2\1\1" + b"\0\0\0\5\1\3odd"
    one.receive(b"\4\0" + len(values).to_bytes(4) + values, 0.0)
    assert drain(one) == [pdu.Fragment(1, 1, b""), pdu.Fragment(1, 3, b"odd")]


def test_an_association_is_used_once() -> None:
    one = in_state(State.STA6)
    one.receive(b"", 0.0)
    drain(one)
    one.receive(b"late", 0.0)
    assert drain(one) == []
    with pytest.raises(LocalProtocolError, match="over"):
        one.send(request(), 0.0)


def test_an_acceptor_does_not_call() -> None:
    with pytest.raises(LocalProtocolError, match="acceptor"):
        Association(Role.ACCEPTOR).send(request(), 0.0)


def test_bad_content_changes_nothing_but_kills() -> None:
    one = Association(Role.REQUESTOR)
    with pytest.raises(LocalProtocolError, match="AE Title"):
        one.send(request()._replace(called_ae="A" * 17), 0.0)
    assert one.state is State.STA1
    assert one.error is not None


def test_a_pdu_in_the_making_is_visible_for_the_deadline() -> None:
    one = in_state(State.STA6)
    one.receive(pdu.encode(command())[:9], 0.0)
    assert one.next_event() is None
    assert one.receiving
    one.receive(pdu.encode(command())[9:], 0.0)
    assert one.next_event() is not None
    assert not one.receiving


@pytest.mark.parametrize(
    ("numbers", "code", "words"),
    [
        ((1, 1, 7), "association.rejected.permanent", "permanently by the application: called AE Title not recognized"),
        ((2, 3, 2), "association.rejected.transient", "for now by the upper layer: local limit exceeded (2/3/2)"),
        ((1, 3, 1), "association.rejected.transient", "temporary congestion"),
        ((9, 9, 9), "association.rejected.permanent", "unknown source: reserved reason (9/9/9)"),
    ],
)
def test_rejections_in_words(numbers: tuple[int, int, int], code: str, words: str) -> None:
    error = reject_error(pdu.AssociateReject(*numbers))
    assert error.code == code
    assert words in str(error)


def test_aborts_in_words() -> None:
    assert "application" in str(abort_error(pdu.Abort(0, 0)))
    assert "unexpected PDU (2/2)" in str(abort_error(pdu.Abort(2, 2)))
    assert "reserved reason" in str(abort_error(pdu.Abort(2, 99)))
