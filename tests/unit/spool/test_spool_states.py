"""The tables of states: whole, closed, and without a way to lose anything."""

from __future__ import annotations

import pytest
from fakes.spool_world import BOTH, capture

from agent.errors import SpoolError
from agent.spool.ledger import move
from agent.spool.states import FAILURE_REASONS, LIVES, MOVES, STATE_OF_WORD, WORDS, Event, Life, State
from agent.spool.store import Spool, prepare


def test_every_state_has_a_word_of_its_own():
    assert set(WORDS) == set(State) | set(Life)
    assert len(STATE_OF_WORD) == len(State)


def test_every_state_is_reached_and_committed_is_the_end():
    assert {to for _, to in MOVES.items()} == set(State)
    assert {to for (state, _), to in MOVES.items() if state is State.COMMITTED} == {State.COMMITTED}


def test_only_an_answer_leads_to_stored():
    ways = {(state, event) for (state, event), to in MOVES.items() if to is State.STORED and state is not State.STORED}
    back = {(State.AWAITING, Event.ASK_AGAIN), (State.AWAITING, Event.EXPIRE), (State.UNCONFIRMED, Event.REOPEN)}
    assert {event for _, event in ways - back} == {Event.ANSWER}


def test_only_an_evicting_instance_is_evicted_and_only_a_live_one_evicting():
    assert [cell for cell, to in LIVES.items() if to is Life.EVICTED] == [(Life.EVICTING, Event.GONE)]
    assert [cell for cell, to in LIVES.items() if to is Life.EVICTING] == [(Life.LIVE, Event.EVICT)]


def test_no_failure_reason_gives_up():
    for event in FAILURE_REASONS.values():
        assert MOVES[State.AWAITING, event] in {State.QUEUED, State.STORED, State.HELD}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_the_walker_knows_only_the_table(tmp_path_factory, state, event, one):
    spool = one

    def job(db):
        db.execute("UPDATE delivery SET state = ?", (int(state),))
        try:
            return move(db, 1, 1, event, at=0.0)
        except SpoolError as error:
            return error

    got = spool.ledger.write(job)
    if (state, event) in MOVES:
        assert got is MOVES[state, event]
    else:
        assert "impossible" in got.message


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    root = str(tmp_path_factory.mktemp("states") / "spool")
    prepare(root)
    with Spool.open(root, destinations=BOTH) as spool:
        capture(spool, 1)
        yield spool
