"""What peers that take some transfer syntaxes get of what is stored: the same pixels, in one that they take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fakes import masters
from fakes.link_bench import Bench
from fakes.peers import Orthanc, Storescp
from fakes.process import free_port
from fakes.slow_proxy import SlowProxy

from agent.app.cli import main
from agent.dataset.uid import (
    EXPLICIT_VR_LE,
    HTJ2K_LOSSLESS,
    IMPLICIT_VR_LE,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    RLE_LOSSLESS,
    US_MULTIFRAME,
)
from agent.spool.store import Spool
from agent.transcode.learn import recall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Storescp]

NATIVE = {EXPLICIT_VR_LE, IMPLICIT_VR_LE}
pytestmark = pytest.mark.peer


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def put(bench: Bench, path: Path) -> tuple[str, bytes]:
    sop_instance_uid, _, samples = masters.pixels(path)
    bench.spool.import_file(str(path))
    bench.spool.wake()
    return sop_instance_uid, samples


def answer(spool: Spool, sop_instance_uid: str) -> dict[str, str]:
    """The event in which the peer said that it has the instance."""
    receipt = spool.receipt(sop_instance_uid)
    assert receipt is not None
    (event,) = [event for event in receipt.events if event.kind == "stored"]
    return event.detail


def no_rubbish(bench: Bench) -> bool:
    return not list((bench.folder / "spool").rglob("*.part"))


@pytest.mark.parametrize(
    ("stored", "option", "taken"),
    [
        (JPEG_LS_LOSSLESS, "+x=", NATIVE),
        (RLE_LOSSLESS, "+xi", {IMPLICIT_VR_LE}),
        (EXPLICIT_VR_LE, "+xi", {IMPLICIT_VR_LE}),
        (JPEG_LS_LOSSLESS, "+xs", {*NATIVE, JPEG_LOSSLESS_SV1}),
        (JPEG_LOSSLESS_SV1, "+xr", {*NATIVE, RLE_LOSSLESS}),
        (JPEG_LS_LOSSLESS, "+xa", {JPEG_LS_LOSSLESS}),
        (HTJ2K_LOSSLESS, "+xs", {*NATIVE, JPEG_LOSSLESS_SV1}),
    ],
)
def test_peer_that_refuses_what_is_stored_gets_a_lossless_copy(
    storescp: Start, stored: str, option: str, taken: set[str], bench: Bench
) -> None:
    peer = storescp(option)
    wanted = dict(put(bench, masters.write(bench.folder, kind, stored)) for kind in ("us-mf", "dx", "xa"))
    bench.work(peer.port, commitment=False)
    bench.until(stored=3)
    got = [masters.pixels(path) for path in peer.files()]
    assert {uid: samples for uid, _, samples in got} == wanted
    for uid, syntax, _ in got:
        assert syntax in taken
        assert answer(bench.spool, uid)["sent_as"] == syntax
        assert ("copy_sha256" in answer(bench.spool, uid)) == (syntax != stored)
    assert no_rubbish(bench)


@pytest.mark.parametrize("only", [RLE_LOSSLESS, IMPLICIT_VR_LE, JPEG_LS_LOSSLESS])
def test_pynetdicom_that_takes_one_syntax(only: str, bench: Bench) -> None:
    from pynetdicom import AE, evt

    got: dict[str, tuple[str, bytes]] = {}

    def store(event: Any) -> int:
        found = event.dataset
        found.file_meta = event.file_meta
        got[str(found.SOPInstanceUID)] = (str(event.context.transfer_syntax), found.pixel_array.tobytes())
        return 0

    ae = AE("ARCHIVE")
    ae.add_supported_context(US_MULTIFRAME, [only])
    server = ae.start_server(("127.0.0.1", free_port()), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    try:
        wanted = [put(bench, masters.write(bench.folder, "us-mf", syntax)) for syntax in (EXPLICIT_VR_LE, RLE_LOSSLESS)]
        bench.work(server.socket.getsockname()[1], commitment=False)
        bench.until(stored=2)
    finally:
        server.shutdown()
    assert got == {uid: (only, samples) for uid, samples in wanted}


def test_orthanc_commits_a_copy_under_the_uid_of_the_master(bench: Bench) -> None:
    port = bench.listen()
    orthanc = Orthanc(
        bench.folder / "orthanc",
        modalities={"agent": {"AET": "AGENT", "Host": "127.0.0.1", "Port": port}},
        more={"AcceptedTransferSyntaxes": [EXPLICIT_VR_LE]},
    )
    try:
        bench.settler.destinations = {"ORTHANC": ("pacs",)}
        uid, samples = put(bench, masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS))
        bench.work(orthanc.port, called_ae="ORTHANC")
        bench.until(committed=1)
        path = bench.folder / "back.dcm"
        path.write_bytes(orthanc.file(uid))
    finally:
        orthanc.stop()
    assert masters.pixels(path) == (uid, EXPLICIT_VR_LE, samples)


def test_lossy_and_damaged_instances_are_held_and_others_go_on(storescp: Start, bench: Bench) -> None:
    peer = storescp("+x=")
    lossy = masters.write(bench.folder, "us-mf", EXPLICIT_VR_LE)
    lossy_uid = masters.pixels(lossy)[0]
    masters.call_it(lossy, JPEG_BASELINE)
    bench.spool.import_file(str(lossy))
    damaged = masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS)
    damaged_uid = masters.pixels(damaged)[0]
    masters.spoil_last_frame(damaged)
    bench.spool.import_file(str(damaged))
    uid, samples = put(bench, masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS, seed=5))
    bench.work(peer.port, commitment=False)
    bench.until(stored=1, held=2)
    assert [masters.pixels(path)[::2] for path in peer.files()] == [(uid, samples)]
    reasons = {row.sop_instance_uid: row.reason for row in bench.spool.rows(state="held")}
    assert "without loss" in reasons[lossy_uid]
    assert "no copy can be made" in reasons[damaged_uid]
    assert "frame 3" in reasons[damaged_uid]
    assert no_rubbish(bench)


@pytest.mark.parametrize("hurry_s", [2.0, 0.0])
def test_damaged_frame_goes_as_stored_where_the_peer_takes_it(
    storescp: Start, hurry_s: float, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.forward.outgoing.HURRY_S", hurry_s)
    peer = storescp("+xa")
    damaged = masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS)
    uid = masters.pixels(damaged)[0]
    masters.spoil_last_frame(damaged)
    bench.spool.import_file(str(damaged))
    worker = bench.work(peer.port, commitment=False, transfer_syntax=RLE_LOSSLESS)
    bench.until(stored=1)
    assert worker.health.failures == 0
    assert answer(bench.spool, uid)["sent_as"] == JPEG_LS_LOSSLESS
    assert "no copy can be made" in answer(bench.spool, uid)["why"]


def test_word_is_preferred_to_what_is_stored(storescp: Start, bench: Bench) -> None:
    peer = storescp("+xa")
    uid, samples = put(bench, masters.write(bench.folder, "dx", EXPLICIT_VR_LE))
    bench.work(peer.port, commitment=False, transfer_syntax=JPEG_LS_LOSSLESS)
    bench.until(stored=1)
    assert [masters.pixels(path) for path in peer.files()] == [(uid, JPEG_LS_LOSSLESS, samples)]


@pytest.mark.parametrize(("bytes_per_s", "expected"), [(1.5e6, JPEG_LS_LOSSLESS), (None, EXPLICIT_VR_LE)])
def test_slow_link_gets_jpeg_ls_and_a_fast_one_what_is_stored(
    storescp: Start, bytes_per_s: float | None, expected: str, bench: Bench
) -> None:
    peer = storescp("+xa")
    wanted = dict(
        put(bench, masters.write(bench.folder, "us-mf", EXPLICIT_VR_LE, rows=240, columns=320, seed=seed))
        for seed in range(4)
    )
    with SlowProxy(("127.0.0.1", peer.port), bytes_per_s or 1e12) as line:
        bench.work(line.port if bytes_per_s else peer.port, commitment=False, transfer_syntax="auto")
        bench.until(stored=4)
    got = {uid: (syntax, samples) for uid, syntax, samples in map(masters.pixels, peer.files())}
    assert {uid: samples for uid, (_, samples) in got.items()} == wanted
    syntaxes = [got[uid][0] for uid in wanted]
    # The first one measures the link; on a busy machine the way to a peer beside us may look slow for a moment.
    assert set(syntaxes[1:]) == {expected} if bytes_per_s else expected in syntaxes[1:]
    why = answer(bench.spool, list(wanted)[syntaxes.index(expected, 1)])["why"]
    assert ("to send at 1." if bytes_per_s else "as stored") in why


def test_long_copy_is_made_between_two_associations(
    storescp: Start, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.forward.outgoing.HURRY_S", 0.0)
    peer = storescp("+x=")
    wanted = dict(
        put(bench, masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS, rows=64, columns=64, seed=n))
        for n in range(3)
    )
    worker = bench.work(peer.port, commitment=False)
    bench.until(stored=3)
    assert {uid: samples for uid, _, samples in map(masters.pixels, peer.files())} == wanted
    assert worker.health.failures == 0
    assert no_rubbish(bench)
    receipts = [bench.spool.receipt(uid) for uid in wanted]
    assert all(receipt and sum(event.kind == "active" for event in receipt.events) == 1 for receipt in receipts)


def test_what_was_learned_comes_back_from_the_receipts(storescp: Start, bench: Bench) -> None:
    peer = storescp("+xs")
    put(bench, masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS))
    worker = bench.work(peer.port, commitment=False)
    bench.until(stored=1)
    answers = bench.spool.accepted("pacs")[US_MULTIFRAME]
    assert {syntax for syntax, taken in answers.items() if taken} == {*NATIVE, JPEG_LOSSLESS_SV1}
    bench.stop.set()
    bench.spool.wake()
    for thread in bench.threads:
        thread.join(10)
    before, again = worker.outgoing.known().link, recall(bench.spool, "pacs").link
    assert (again.seen, again.rate, again.wait_s) == (1, before.rate, before.wait_s)


def test_send_makes_copies_when_asked_to(
    storescp: Start,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    peer = storescp("+x=")
    damaged = masters.write(tmp_path, "us-mf", JPEG_LS_LOSSLESS)
    masters.spoil_last_frame(damaged)
    files = [masters.write(tmp_path, "us-mf", syntax) for syntax in (JPEG_LS_LOSSLESS, EXPLICIT_VR_LE)]
    words = ["send", "--to", f"ANY@127.0.0.1:{peer.port}"]
    assert main([*words, str(files[0])]) == 26
    assert main([*words, "--lossless-copy", *map(str, files), str(damaged)]) == 50
    out = capsys.readouterr().out
    assert re.search(r"stored 0000 as a lossless copy in (Explicit|Implicit) VR Little Endian", out)
    assert "frame 3" in out
    assert "2 of 3" in out
    wanted = {uid: samples for uid, _, samples in map(masters.pixels, files)}
    assert {uid: samples for uid, _, samples in map(masters.pixels, peer.files())} == wanted
    assert list(scratch.iterdir()) == []
