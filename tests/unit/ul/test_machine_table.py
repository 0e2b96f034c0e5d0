"""Table 9-10 against a second transcription (tests/vectors) and a third (pynetdicom's)."""

from __future__ import annotations

import pytest
from fakes.associations import table_rows

from agent.errors import LocalProtocolError
from agent.ul.machine import ACTIONS, TABLE, Event, State, step


def test_there_are_13_by_19_cells() -> None:
    assert len(table_rows()) == 13 * 19


@pytest.mark.parametrize("event", list(Event), ids=lambda event: event.name)
def test_each_cell(event: Event) -> None:
    for at, state, cell in table_rows():
        if at is not event:
            continue
        if not cell:
            with pytest.raises(LocalProtocolError, match=f"Sta{int(state)}"):
                step(state, event, requestor=True)
            continue
        name, _, states = cell.partition(" ")
        reached = [step(state, event, requestor=r, acceptable=a) for r in (True, False) for a in (True, False)]
        assert {action.name.split()[0] for action in reached} == {name}
        assert {action.next_state for action in reached} == {int(number) for number in states.split("|")}


def test_the_two_actions_that_need_more_than_the_state() -> None:
    assert step(State.STA2, Event.ASSOCIATE_RQ_RECEIVED, requestor=False).next_state is State.STA3
    assert step(State.STA2, Event.ASSOCIATE_RQ_RECEIVED, requestor=False, acceptable=False).next_state is State.STA13
    assert step(State.STA7, Event.RELEASE_RQ_RECEIVED, requestor=True).next_state is State.STA9
    assert step(State.STA7, Event.RELEASE_RQ_RECEIVED, requestor=False).next_state is State.STA10


def test_pynetdicom_transcribed_the_same_table() -> None:
    fsm = pytest.importorskip("pynetdicom.fsm")
    theirs = {(int(e[3:]), int(s[3:])): action.replace("_", "-") for (e, s), action in fsm.TRANSITION_TABLE.items()}
    ours = {(int(e), int(s)): action.name.split()[0] for (e, s), action in TABLE.items()}
    assert ours == theirs


def test_every_action_is_reachable() -> None:
    used = {action.name for action in TABLE.values()} | {"AE-6 refused", "AR-8 requestor"}
    assert used == set(ACTIONS)
