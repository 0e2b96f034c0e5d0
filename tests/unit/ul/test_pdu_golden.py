"""PDUs against bytes we did not make: worked examples and pynetdicom's encoder, in both directions."""

from __future__ import annotations

import pytest
from fakes.associations import golden

from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.ul import pdu
from agent.ul.buffer import ReceiveBuffer
from agent.ul.items import ContextResult, PresentationContext
from agent.ul.user import (
    AsyncWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    RoleSelection,
    UserIdentity,
    UserInformation,
)

US = "1.2.840.10008.5.1.4.1.1.6.1"
COMMITMENT = "1.2.840.10008.1.20.1"
SR = "1.2.840.10008.5.1.4.1.1.88."
PYNETDICOM = "1.2.826.0.1.3680043.9.3811.3.0.4"
CONTEXTS = (
    PresentationContext(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2",)),
    PresentationContext(3, US, ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5")),
    PresentationContext(255, COMMITMENT, ("1.2.840.10008.1.2",)),
)

MEANING: dict[str, list[pdu.Pdu]] = {
    "associate-rq_worked": [
        pdu.AssociateRequest(
            "ARCHIVE",
            "AGENT",
            (PresentationContext(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")),),
            UserInformation(16384, "2.25.1234", "AGENT_0_1"),
        )
    ],
    "associate-rq_pynetdicom": [
        pdu.AssociateRequest("ARCHIVE", "AGENT", CONTEXTS, UserInformation(16382, PYNETDICOM, "PYNETDICOM_304"))
    ],
    "associate-rq_every-sub-item_pynetdicom": [
        pdu.AssociateRequest(
            "ARCHIVE",
            "AGENT",
            CONTEXTS,
            UserInformation(
                maximum_length=16382,
                implementation_class_uid=PYNETDICOM,
                implementation_version_name="PYNETDICOM_304",
                window=AsyncWindow(5, 0),
                roles=(RoleSelection(COMMITMENT, scu=False, scp=True),),
                extended=(ExtendedNegotiation(US, b"\2\0\3\0\1\0"),),
                common_extended=(CommonExtendedNegotiation(SR + "22", "1.2.840.10008.4.2", (SR + "33", SR + "11")),),
                identity=UserIdentity(2, b"user", b"secret", response_requested=True),
            ),
        )
    ],
    "associate-ac_pynetdicom": [
        pdu.AssociateAccept(
            "ARCHIVE",
            "AGENT",
            (
                ContextResult(1, 0, "1.2.840.10008.1.2"),
                ContextResult(3, 4, "1.2.840.10008.1.2.1"),
                ContextResult(255, 3, "1.2.840.10008.1.2"),
            ),
            UserInformation(
                maximum_length=0,
                implementation_class_uid=PYNETDICOM,
                roles=(RoleSelection(COMMITMENT, scu=False, scp=True),),
                identity_response=b"ticket",
            ),
        )
    ],
    "associate-rj_pynetdicom": [pdu.AssociateReject(1, 1, 7)],
    "p-data-tf_two-values_pynetdicom": [
        pdu.Fragment(1, pdu.COMMAND | pdu.LAST, b"\0\0\0\0\4\0"),
        pdu.Fragment(1, pdu.LAST, b"\x08\0\5\0"),
    ],
    "release-rq_pynetdicom": [pdu.ReleaseRequest()],
    "release-rp_pynetdicom": [pdu.ReleaseResponse()],
    "abort_provider_pynetdicom": [pdu.Abort(2, 2)],
    "abort_user_pynetdicom": [pdu.Abort(0, 0)],
}


def read(data: bytes, step: int) -> tuple[list[pdu.Pdu], ReceiveBuffer]:
    """Read every PDU of ``data``, fed ``step`` bytes at a time."""
    buffer = ReceiveBuffer()
    found: list[pdu.Pdu] = []
    for at in range(0, len(data), step):
        buffer.append(data[at : at + step])
        while (one := buffer.next_pdu()) is not None:
            if one[0] == pdu.DATA_TF:
                found += [f._replace(data=bytes(f.data)) for f in pdu.decode_fragments(one[1])]
            else:
                found.append(pdu.decode(*one))
    return found, buffer


@pytest.mark.parametrize("name", MEANING)
def test_reads_the_golden_bytes_whole_bytewise_and_with_more_behind(name: str) -> None:
    data = golden()[name]
    assert read(data, len(data))[0] == MEANING[name]
    assert read(data, 1)[0] == MEANING[name]
    for step in (3, 7, 64, 1000):
        assert read(data * 3, step)[0] == MEANING[name] * 3
    found, buffer = read(data + data[:5], len(data) + 5)
    assert found == MEANING[name]
    assert buffer.in_pdu


@pytest.mark.parametrize("name", [name for name in MEANING if "two-values" not in name])
def test_writes_the_golden_bytes(name: str) -> None:
    (one,) = MEANING[name]
    encoded = pdu.encode(one)
    if "every-sub-item" in name:  # pynetdicom writes user sub-items in the order they were given
        assert sorted(encoded) == sorted(golden()[name])
    else:
        assert encoded == golden()[name]


def test_writes_the_worked_command() -> None:
    data = golden()["c-echo-rq_worked"]
    assert pdu.encode(pdu.Fragment(1, pdu.COMMAND | pdu.LAST, data[12:])) == data


def test_pynetdicom_reads_what_we_write() -> None:
    theirs = pytest.importorskip("pynetdicom.pdu")
    ours = MEANING["associate-rq_every-sub-item_pynetdicom"][0]
    parsed = theirs.A_ASSOCIATE_RQ()
    parsed.decode(pdu.encode(ours))
    assert parsed.called_ae_title.strip() == "ARCHIVE"
    assert [str(c.abstract_syntax) for c in parsed.presentation_context] == [c.abstract_syntax for c in CONTEXTS]
    kinds = [type(item).__name__ for item in parsed.user_information.user_data]
    assert len(kinds) == 8
    answer = MEANING["associate-ac_pynetdicom"][0]
    accepted = theirs.A_ASSOCIATE_AC()
    accepted.decode(pdu.encode(answer))
    assert [c.result for c in accepted.presentation_context] == [0, 4, 3]


# --- tolerant on receive ------------------------------------------------------------------------


def one(data: bytes) -> pdu.Pdu:
    return read(data, len(data))[0][0]


def test_padded_uids_unknown_items_and_any_order_are_read() -> None:
    request = bytearray(golden()["associate-rq_worked"])
    at = request.index(b"\x30\0\0\x11")
    padded = request[:at] + b"\x30\0\0\x12" + request[at + 4 : at + 21] + b"\0" + request[at + 21 :]
    padded[5] += 1
    padded[at - 5] += 1
    assert one(bytes(padded)) == MEANING["associate-rq_worked"][0]
    stranger = bytearray(golden()["associate-rq_worked"] + b"\x77\0\0\4junk")
    stranger[5] += 8
    assert one(bytes(stranger)) == MEANING["associate-rq_worked"][0]
    head, items = golden()["associate-rq_worked"][:74], golden()["associate-rq_worked"][74:]
    assert one(head + items[25 + 73 :] + items[: 25 + 73]) == MEANING["associate-rq_worked"][0]


def test_a_refused_result_may_lack_its_syntax() -> None:
    result = b"\x21\0\0\4\1\0\3\0"
    body = golden()["associate-ac_pynetdicom"][6:74] + result
    accept = pdu.decode(pdu.ASSOCIATE_AC, memoryview(body))
    assert isinstance(accept, pdu.AssociateAccept)
    assert accept.results == (ContextResult(1, 3, ""),)
    assert accept.user.maximum_length is None


def test_control_characters_of_a_peer_do_not_come_through() -> None:
    data = golden()["associate-rq_worked"].replace(b"AGENT     ", b"A\x1b[2JENT  ")
    request = one(data)
    assert isinstance(request, pdu.AssociateRequest)
    assert request.calling_ae == "A?[2JENT"


# --- what is refused ----------------------------------------------------------------------------

ITEMS = golden()["associate-rq_worked"][:74]


def associate(items: bytes) -> bytes:
    return b"\1\0" + (68 + len(items)).to_bytes(4) + ITEMS[6:] + items


BROKEN = {
    "item past the end": associate(b"\x10\0\0\x20short"),
    "half an item header": associate(b"\x10\0\0"),
    "no presentation context": associate(b""),
    "context without syntaxes": associate(b"\x20\0\0\4\1\0\0\0"),
    "context of three bytes": associate(b"\x20\0\0\3\1\0\0"),
    "even context identifier": golden()["associate-rq_worked"].replace(b"\x20\0\0\x45\1", b"\x20\0\0\x45\2"),
    "too many items": associate(b"\x77\0\0\0" * 300),
    "role selection cut": associate(b"\x50\0\0\6\x54\0\0\2\0\x09"),
    "maximum length of two bytes": associate(b"\x50\0\0\6\x51\0\0\2\0\x09"),
    "uid of 65 characters": associate(b"\x10\0\0\x41" + b"1" * 65),
    "unknown PDU": b"\x08\0\0\0\0\4\0\0\0\0",
    "4 GiB associate": b"\1\0\xff\xff\xff\xff",
    "4 GiB data": b"\4\0\xff\xff\xff\xff",
    "short associate": b"\1\0\0\0\0\x43",
    "release of 5 bytes": b"\5\0\0\0\0\5",
    "abort without body": b"\7\0\0\0\0\0",
    "empty P-DATA-TF": b"\4\0\0\0\0\0",
    "value of one byte": b"\4\0\0\0\0\6\0\0\0\1\1\3",
    "value past the end": b"\4\0\0\0\0\6\0\0\0\3\1\3",
    "stray bytes behind a value": b"\4\0\0\0\0\x0a\0\0\0\4\1\3ab\0\0",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bytes_raise_a_remote_error_whole_and_bytewise(name: str) -> None:
    for step in (len(BROKEN[name]), 1):
        with pytest.raises(RemoteProtocolError):
            read(BROKEN[name], step)


def test_a_hundred_thousand_items_are_refused_by_their_length() -> None:
    with pytest.raises(RemoteProtocolError, match="400068 bytes"):
        read(associate(b"\x77\0\0\0" * 100_000)[:100], 100)


def test_nothing_is_kept_of_a_length_alone() -> None:
    buffer = ReceiveBuffer()
    buffer.append(b"\1\0\0\3\xff\xff")
    assert buffer.next_pdu() is None
    assert buffer.in_pdu


def test_undrained_bytes_are_bounded() -> None:
    buffer = ReceiveBuffer()
    for _ in range(64):
        buffer.append(bytes(64 * 1024))
    with pytest.raises(LocalProtocolError, match="not drained"):
        buffer.append(bytes(64 * 1024))


# --- strict on send -----------------------------------------------------------------------------

BASE = MEANING["associate-rq_worked"][0]
assert isinstance(BASE, pdu.AssociateRequest)
UNSENDABLE = {
    "long title": BASE._replace(calling_ae="A" * 17),
    "empty title": BASE._replace(called_ae="  "),
    "backslash": BASE._replace(called_ae="A\\B"),
    "control character": BASE._replace(called_ae="A\tB"),
    "no context": BASE._replace(contexts=()),
    "129 contexts": BASE._replace(contexts=CONTEXTS * 43),
    "same identifier": BASE._replace(contexts=CONTEXTS[:1] * 2),
    "even identifier": BASE._replace(contexts=(PresentationContext(2, "1.2", ("1.2",)),)),
    "no syntax": BASE._replace(contexts=(PresentationContext(1, "1.2", ()),)),
    "not a UID": BASE._replace(contexts=(PresentationContext(1, "1.2", ("1.2 ",)),)),
    "long UID": BASE._replace(contexts=(PresentationContext(1, "1" * 65, ("1.2",)),)),
    "no maximum length": BASE._replace(user=UserInformation(None, "1.2")),
    "long version name": BASE._replace(user=UserInformation(0, "1.2", "A" * 17)),
    "passcode without its kind": BASE._replace(user=UserInformation(0, "1.2", identity=UserIdentity(1, b"a", b"b"))),
    "huge identity": BASE._replace(user=UserInformation(0, "1.2", identity=UserIdentity(4, bytes(65530)))),
}


@pytest.mark.parametrize("name", UNSENDABLE)
def test_what_the_standard_forbids_is_not_written(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        pdu.encode(UNSENDABLE[name])
