"""Storage Commitment: Data Sets with pydicom as judge, and what an SCU does about each failure."""

from __future__ import annotations

from io import BytesIO

import pytest

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, STORAGE_COMMITMENT, US
from agent.dimse.message import NActionRequest, NEventReportRequest
from agent.errors import DecodeError
from agent.service import commitment
from agent.service.commitment import Failure, Reaction, Reference, Report, Request

A, B, C, D = (Reference(US, f"1.2.{number}") for number in range(4))
SYNTAXES = [IMPLICIT_VR_LE, EXPLICIT_VR_LE]


def judge(data: bytes, syntax: str):  # type: ignore[no-untyped-def]
    decode = pytest.importorskip("pynetdicom.dsutils").decode
    return decode(BytesIO(data), syntax == IMPLICIT_VR_LE, True)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_request(syntax: str) -> None:
    request = Request("1.9.8", (A, B))
    data = commitment.encode_request(request, syntax)
    assert commitment.decode_request(data, syntax) == request
    theirs = judge(data, syntax)
    assert theirs.TransactionUID == "1.9.8"
    assert [item.ReferencedSOPInstanceUID for item in theirs.ReferencedSOPSequence] == ["1.2.0", "1.2.1"]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    "report",
    [Report("1.9.8", (A, B)), Report("1.9.8", (A,), (Failure(B, 0x0112),)), Report("1.9.8", (), (Failure(A, 0x0110),))],
)
def test_a_report(report: Report, syntax: str) -> None:
    data = commitment.encode_report(report, syntax, retrieve_ae="ARCHIVE")
    assert commitment.decode_report(data, syntax) == report
    theirs = judge(data, syntax)
    assert ("ReferencedSOPSequence" in theirs) == bool(report.committed)
    assert ("FailedSOPSequence" in theirs) == bool(report.failed)
    assert theirs.RetrieveAETitle == "ARCHIVE"
    command = commitment.report_request(3, report)
    assert command.event_type_id == (2 if report.failed else 1)
    assert commitment.check_report(command) == 0


def test_pydicom_wrote_this_report() -> None:
    pydicom = pytest.importorskip("pydicom")
    theirs = pydicom.Dataset()
    theirs.TransactionUID = "1.9.8"
    item = pydicom.Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = US, "1.2.0"
    failed = pydicom.Dataset()
    failed.ReferencedSOPClassUID, failed.ReferencedSOPInstanceUID = US, "1.2.1"
    theirs.ReferencedSOPSequence, theirs.FailedSOPSequence = [item], [failed]
    data = pytest.importorskip("pynetdicom.dsutils").encode(theirs, True, True)
    # no Failure Reason: taken as a processing failure
    assert commitment.decode_report(data, IMPLICIT_VR_LE) == Report("1.9.8", (A,), (Failure(B, 0x0110),))


@pytest.mark.parametrize("data", [b"", b"\x08\0\x95\x11\4\0\0\0001.9", b"junk" * 5])
def test_what_is_no_request_or_report(data: bytes) -> None:
    for read in (commitment.decode_request, commitment.decode_report):
        with pytest.raises(DecodeError):
            read(data, IMPLICIT_VR_LE)


def test_a_request_without_instances_is_refused() -> None:
    data = commitment.encode_report(Report("1.9.8", ()), IMPLICIT_VR_LE)
    with pytest.raises(DecodeError, match="without instances"):
        commitment.decode_request(data, IMPLICIT_VR_LE)


def test_references_are_bounded() -> None:
    many = tuple(Reference("1.2", f"1.{number}") for number in range(10_001))
    data = commitment.encode_request(Request("1.9", many), EXPLICIT_VR_LE)
    with pytest.raises(DecodeError):
        commitment.decode_request(data, EXPLICIT_VR_LE)
    assert (
        len(
            commitment.decode_request(
                commitment.encode_request(Request("1.9", many[:-1]), EXPLICIT_VR_LE), EXPLICIT_VR_LE
            ).references
        )
        == 10_000
    )


def test_references_of_a_report_are_bounded_by_what_we_ask() -> None:
    most = tuple(Reference("1.2", f"1.{number}") for number in range(4 * commitment.REQUEST_REFERENCES))
    whole = commitment.encode_report(Report("1.9", most), EXPLICIT_VR_LE)
    assert len(commitment.decode_report(whole, EXPLICIT_VR_LE).committed) == len(most)
    more = commitment.encode_report(Report("1.9", (*most, most[0])), EXPLICIT_VR_LE)
    with pytest.raises(DecodeError, match="2001 references; 2000 are allowed"):
        commitment.decode_report(more, EXPLICIT_VR_LE)


def test_elements_of_a_report_are_bounded() -> None:
    others = b"".join(b"\x09\0" + number.to_bytes(2, "little") + b"SH\2\0A " for number in range(0x1000, 0x5000))
    with pytest.raises(DecodeError, match="more than 16000 elements"):
        commitment.decode_report(others, EXPLICIT_VR_LE)


def test_commands_are_judged_before_their_data_sets() -> None:
    good = commitment.action_request(5)
    assert commitment.check_action(good) == 0
    assert commitment.check_action(good._replace(sop_class_uid="1.2")) == 0x0118
    assert commitment.check_action(good._replace(sop_instance_uid="1.2")) == 0x0112
    assert commitment.check_action(good._replace(action_type_id=2)) == 0x0123
    report = NEventReportRequest(5, STORAGE_COMMITMENT, commitment.STORAGE_COMMITMENT_INSTANCE, 3)
    assert commitment.check_report(report) == 0x0113
    assert isinstance(good, NActionRequest)


def test_every_failure_reason_has_a_reaction() -> None:
    assert {reason: commitment.reaction(reason)[1] for reason in (0x110, 0x112, 0x119, 0x122, 0x131, 0x213, 0x999)} == {
        0x110: Reaction.ASK_AGAIN,
        0x112: Reaction.SEND_AGAIN,
        0x119: Reaction.HOLD,
        0x122: Reaction.HOLD,
        0x131: Reaction.ASK_AGAIN,
        0x213: Reaction.ASK_LATER,
        0x999: Reaction.ASK_AGAIN,
    }
