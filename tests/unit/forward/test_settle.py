"""What a commitment report does to the spool, and how it is answered: nothing is answered 0000H that is not kept."""

from __future__ import annotations

from typing import Any

import pytest

from agent.dataset.uid import DX_PRESENTATION, EXPLICIT_VR_LE, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, US
from agent.dimse.message import CEchoRequest, NEventReportRequest
from agent.errors import SpoolFull
from agent.forward.settle import Settler
from agent.link.conversation import Incoming
from agent.service.commitment import Failure, Reference, Report, encode_report

A, B, C = (Reference(US, f"1.2.3.{number}") for number in (1, 2, 3))
TRANSACTION = "1.2.9"


class FakeSpool:
    """Knows one transaction of one destination, and every instance as ultrasound."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.lost: list[str] = []
        self.calls: list[tuple[str, list[str], list[tuple[str, int]], str, str]] = []

    def missed(self, transaction_uid: str) -> None:
        self.lost.append(transaction_uid)

    def sop_class(self, _uid: str) -> str:
        return US

    def transaction(self, transaction_uid: str) -> tuple[str, float] | None:
        return ("pacs", 1e9) if transaction_uid == TRANSACTION else None

    def settle(
        self, transaction: str, good: list[str], bad: list[tuple[str, int]], *, destination: str, peer: str
    ) -> bool:
        if self.full:
            raise SpoolFull("commit ledger.db: no space left on device")
        self.calls.append((transaction, good, bad, destination, peer))
        return True


def answer(spool: Any, report: Report, *, peer: str = "PACS", data: bytes | None = None) -> tuple[int, list[str]]:
    said: list[str] = []
    settler = Settler(spool, {"PACS": ("pacs",)}, lambda level, text: said.append(f"{level}: {text}"))
    event = 2 if report.failed else 1
    request = NEventReportRequest(7, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, event)
    content = encode_report(report, EXPLICIT_VR_LE) if data is None else data
    reply = settler.on_request(peer, lambda _context: EXPLICIT_VR_LE)(Incoming(1, request, content))
    assert reply.message.message_id == 7
    return reply.message.status, said


def test_everything_committed() -> None:
    spool = FakeSpool()
    assert answer(spool, Report(TRANSACTION, (A, B))) == (0x0000, [f"info: pacs: 2 instances committed, {TRANSACTION}"])
    assert spool.calls == [(TRANSACTION, [A.sop_instance_uid, B.sop_instance_uid], [], "pacs", "PACS")]


def test_the_worst_that_is_said_of_an_instance_counts() -> None:
    spool = FakeSpool()
    other_class = A._replace(sop_class_uid=DX_PRESENTATION)
    code, said = answer(spool, Report(TRANSACTION, (other_class, B, C), (Failure(B, 0x0112),)))
    assert code == 0x0000
    assert [text.partition(" committed")[0] for text in said] == [
        "info: pacs: 1 instance",
        "warning: pacs: 2 instances not",
    ]
    ((_, good, bad, _, _),) = spool.calls
    assert good == [C.sop_instance_uid]
    assert sorted(bad) == [(A.sop_instance_uid, 0x0119), (B.sop_instance_uid, 0x0112)]


@pytest.mark.parametrize(
    ("spool", "report", "peer", "status"),
    [
        (FakeSpool(), Report("1.2.8", (A,)), "PACS", 0x0110),  # not our transaction
        (FakeSpool(full=True), Report(TRANSACTION, (A,)), "PACS", 0x0110),  # cannot be kept: the SCP asks again
    ],
)
def test_what_is_not_kept_is_not_answered_with_success(
    spool: FakeSpool, report: Report, peer: str, status: int
) -> None:
    code, said = answer(spool, report, peer=peer)
    assert spool.lost == [TRANSACTION] * spool.full, "it is asked for again"
    assert code == status
    assert said
    assert spool.calls == []


def test_a_report_under_another_title_counts_and_is_said_once() -> None:
    spool, said, told = FakeSpool(), [], []
    settler = Settler(spool, {"PACS": ("pacs",)}, lambda level, text: said.append(f"{level}: {text}"))  # type: ignore[arg-type]  # a fake
    request = NEventReportRequest(7, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, 1)
    content = encode_report(Report(TRANSACTION, (A,)), EXPLICIT_VR_LE)
    answerer = settler.on_request("ROUTER", lambda _context: EXPLICIT_VR_LE, lambda *facts: told.append(facts))
    for _ in range(2):
        reply: Any = answerer(Incoming(1, request, content))
        assert reply.message.status == 0
    assert [call[1:] for call in spool.calls] == [([A.sop_instance_uid], [], "pacs", "ROUTER")] * 2
    assert [text for text in said if "ROUTER" in text] == [
        "notice: pacs: its commitment reports come from AE Title ROUTER"
    ]
    assert told == [("pacs", 1e9, "ROUTER")] * 2


def test_a_report_that_cannot_be_read() -> None:
    spool = FakeSpool()
    assert answer(spool, Report(TRANSACTION, (A,)), data=b"\x08\x00\x99\x11UI")[0] == 0x0115
    assert spool.calls == []


def test_other_requests_are_refused() -> None:
    settler = Settler(FakeSpool(), {}, lambda *_: None)  # type: ignore[arg-type]  # a fake
    reply = settler.on_request("PACS", lambda _context: EXPLICIT_VR_LE)(Incoming(1, CEchoRequest(3), None))
    assert reply.message.status != 0
