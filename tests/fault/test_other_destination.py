"""A destination delivers everything while another one is held up, in whatever phase, by a peer that does not go on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from fakes.misbehaviour.bench import Bench, Peers, make_certificates
from fakes.misbehaviour.beside import BAD_INSTANCES
from fakes.misbehaviour.line import HOLD_S, Line, accepted, raw_pdu
from fakes.misbehaviour.row import Row
from fakes.peers import start_storescp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INSTANCES = 100


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One process under test, whose good destination is DCMTK's storescp."""
    folder: Path = tmp_path_factory.mktemp("other")
    good = start_storescp(folder / "good", log=folder / "storescp.log", store=False)
    with Bench(folder, make_certificates(folder / "ca")) as made:
        made.order("good", port=good.port, instances=INSTANCES)
        yield made
    good.process.stop()


def _nothing(_line: Line) -> None:
    pass


def _half_an_answer(line: Line) -> None:
    line.say(accepted(line.request())[:50])


def _no_response(line: Line) -> None:
    line.accept()
    line.instance()


def _half_a_response(line: Line) -> None:
    _no_response(line)
    line.say(raw_pdu(4, b"\0", 100))


def _half_an_instance(line: Line) -> None:
    line.accept()
    line.exactly(100_000)


@pytest.mark.peer
@pytest.mark.parametrize("begin", [_nothing, _half_an_answer, _no_response, _half_a_response, _half_an_instance])
def test_all_is_delivered_meanwhile(bench: Bench, begin: Callable[[Line], None]) -> None:
    go_on = threading.Event()

    def play(line: Line) -> None:
        begin(line)
        assert go_on.wait(HOLD_S * 3)

    row = Row("holds", play, "", "", large=begin is _half_an_instance)
    with Peers(row, None) as peers:
        found = bench.order("beside", port=peers.port, tls=False, size=row.size, commit=False, patient=True)
        go_on.set()
        bench.order("leave")
    assert found["good"] == INSTANCES
    assert found["bad"] == {"active": BAD_INSTANCES}, "it was not held"
    assert not peers.problems
