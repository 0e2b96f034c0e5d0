"""Storage Commitment in the interoperability matrix: the three ways in which a report can come, in both roles.

The report comes on the association of the question (``same``), on one that the SCP opens (``new``), or on the next one
that the SCU opens (``next``). As SCU it is the whole agent that asks, and a cell is green when its ledger says
committed for the instance, or ``send --commit`` in whichever way the peer has (``send``), by its exit status. As SCP it
is the bench archive that reports, and what a requestor of others then knows.
"""

from __future__ import annotations

import contextlib
import threading
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pydicom
from fakes.command import QUICK_SOURCE, run_command
from fakes.foreign_instances import write_instances
from fakes.interop import Bench, Found, Play, Run, each, run_peer
from fakes.interop_scp import modality
from fakes.interop_scu import TITLE, address, dcmtk, tls_context
from fakes.peers import Orthanc, need
from fakes.process import free_port
from fakes.reporting import send_report
from fakes.site import Archive, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pynetdicom.association import Association

WAYS: Final = ("same", "new", "next")
SCU_WAYS: Final = (*WAYS, "send")
COMMITMENT: Final = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
_NATIVE: Final = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
_END_S: Final = 20.0  # an association of the agent stays for 10 s behind a question
_ORTHANC_S: Final = {"same": 3.0, "new": _END_S, "next": 13.0}  # where it reports to nobody: what has to happen before


def _until(what: str, ready: Callable[[], Any], timeout_s: float = _END_S) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := ready()):
        assert time.monotonic() < deadline, f"no {what} within {timeout_s} s"
        time.sleep(0.02)
    return found


def _each_way(play: Callable[[Run, Bench, str], str], ways: tuple[str, ...]) -> Play:
    """Try the ways one after the other, each in a folder of its own."""

    def carry_out(run: Run, bench: Bench) -> Found:
        found = {}
        for way in ways:
            folder = bench.folder / way
            folder.mkdir()
            try:
                found[way] = play(run, bench._replace(folder=folder), way)
            except (AssertionError, OSError) as error:
                found[way] = f"{type(error).__name__}: {error}"
        return found

    return ways, carry_out


# --- our SCU: the agent ------------------------------------------------------------------------------


@contextlib.contextmanager
def _agent(run: Run, title: str, port: int, site: Site, report_s: float = _END_S) -> Iterator[None]:
    """Run the agent with one captured instance; it asks once and waits ``report_s`` for the report."""
    peer = {"name": "peer", "called_ae": title, "port": port, "tls": run.tls}
    rules = {"commitment_asks": 1, "commitment_timeout_s": report_s, "response_timeout_s": 5.0}
    source = {**QUICK_SOURCE, "transfer_syntax": "explicit"}
    site.configure(destinations=[{**peer, **rules}], sources=[source])
    site.start()
    try:
        yield
    finally:
        site.stop()


def _end_state(site: Site) -> str:
    """Wait for what becomes of the first instance; nothing for committed."""

    def ended() -> str:
        rows = site.rows()
        (state,) = rows[0].states.values() if rows else [""]
        refused = "does not offer Storage Commitment"
        return refused if refused in site.log() else state if state in ("committed", "unconfirmed") else ""

    state = str(_until("end of the question", ended, 2 * _END_S))
    return "" if state == "committed" else state


def _sent(run: Run, bench: Bench, title: str, port: int, *words: object) -> str:
    """Send one instance and have it committed, without spool and daemon; nothing when that went well."""
    paths = write_instances(bench.folder / "sent", 1, 20_480)
    commit = ["--ae", "AGENT", "--commit", "--commit-timeout", _END_S, *words]
    done = run_command("send", *address(run, bench, title, port), *commit, *paths)
    return f"status {done.returncode}: {done.stderr.strip()}" if done.returncode else ""


def _pynetdicom_scp(run: Run, bench: Bench, way: str) -> str:
    from pynetdicom import AE, AllStoragePresentationContexts, build_role, evt

    asked: list[Any] = []

    def on_action(event: Any) -> tuple[int, None]:
        asked.append(event.action_information)
        return 0, None

    ae = AE(TITLE)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, _NATIVE)
    ae.add_supported_context(COMMITMENT, _NATIVE)
    ae.add_requested_context(COMMITMENT, _NATIVE)
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda _: 0), (evt.EVT_N_ACTION, on_action)],
        ssl_context=tls_context(bench.ca, "archive", server=True) if run.tls else None,
    )  # fmt: skip
    port = int(server.server_address[1])
    site = Site(bench.folder / "site", tls=bench.tls(run))

    def answer() -> None:
        _until("question", lambda: asked)
        _report(server.active_associations[0], asked[0])

    try:
        if way == "send":
            with ThreadPoolExecutor() as pool:
                reported = pool.submit(answer)
                return _sent(run, bench, TITLE, port) or str(reported.result() or "")
        with _agent(run, TITLE, port, site):
            if way == "same":
                answer()
                return _end_state(site)
            _until("question", lambda: asked)
            if way == "new":
                association = ae.associate(
                    "127.0.0.1", site.port, ae_title="AGENT",
                    ext_neg=[build_role(COMMITMENT, scu_role=False, scp_role=True)],
                    tls_args=(tls_context(bench.ca, "archive", server=False), "127.0.0.1") if run.tls else None,
                )  # fmt: skip
                assert association.is_established
                _report(association, asked[0])
                association.release()
            else:
                _until("release", lambda: not server.active_associations)
                assert run_command("trigger", "probe", "--config", site.config).returncode == 0
                _until("second question", lambda: len(asked) > 1)
                _report(server.active_associations[0], asked[0])
            return _end_state(site)
    finally:
        server.shutdown()


def _report(association: Association, question: pydicom.Dataset) -> None:
    """Report all that was asked for as committed; the agent answers when it is on disk."""
    report = pydicom.Dataset()
    report.TransactionUID = question.TransactionUID
    report.ReferencedSOPSequence = question.ReferencedSOPSequence
    assert send_report(association, report) == 0


def _orthanc_scp(run: Run, bench: Bench, way: str) -> str:
    """Let Orthanc report; where it should use an association of ours, it finds nobody on the port that it knows."""
    site = Site(bench.folder / "site", tls=bench.tls(run))
    port = site.port if way in ("new", "send") else free_port()
    known = {"AET": "AGENT", "Host": "127.0.0.1", "Port": port, "UseDicomTls": run.tls}
    orthanc = Orthanc(bench.folder / "orthanc", modalities={"agent": known}, tls=bench.tls(run))
    try:
        if way == "send":
            return _sent(run, bench, orthanc.aet, orthanc.port, "--listen", f"127.0.0.1:{port}")
        with _agent(run, orthanc.aet, orthanc.port, site, _ORTHANC_S[way]):
            if way == "next":
                orthanc.process.wait_for("Association Release with AET AGENT")
                assert run_command("trigger", "probe", "--config", site.config).returncode == 0
            return _end_state(site)
    finally:
        orthanc.stop()


def _dcmtk_scp(program: str, *options: str) -> Play:
    def carry_out(run: Run, bench: Bench) -> Found:
        site = Site(bench.folder / "site", tls=bench.tls(run))
        with dcmtk(program, *options, run=run, bench=bench) as receiver:
            sent = _sent(run, bench, TITLE, receiver.port)
            with _agent(run, TITLE, receiver.port, site):
                return {**dict.fromkeys(WAYS, _end_state(site)), "send": sent}

    return SCU_WAYS, carry_out


# --- our SCP: the bench archive ----------------------------------------------------------------------


@contextlib.contextmanager
def _archive(run: Run, bench: Bench, way: str, report_to: tuple[str, int]) -> Iterator[Archive]:
    tls = bench.tls(run)
    to = report_to if way == "new" else None
    archive = Archive(bench.folder / "archive", tls=tls, report_to=to, report=way)
    archive.start()
    try:
        yield archive
    finally:
        archive.stop()


def _pynetdicom_scu(run: Run, bench: Bench, way: str) -> str:
    from pynetdicom import AE, build_role, evt

    reports: list[pydicom.Dataset] = []
    answered = threading.Event()

    def on_report(event: Any) -> tuple[int, None]:
        reports.append(event.event_information)
        return 0, None

    def on_sent(event: Any) -> None:
        if reports and type(event.pdu).__name__ == "P_DATA_TF":
            answered.set()  # whoever releases before would overtake the answer

    (path,) = write_instances(bench.folder / "sent", 1, 20_480)
    instance = pydicom.dcmread(path)
    ae = AE("AGENT")
    ae.add_supported_context(COMMITMENT, _NATIVE, scu_role=False, scp_role=True)
    ae.add_requested_context(instance.SOPClassUID, instance.file_meta.TransferSyntaxUID)
    ae.add_requested_context(COMMITMENT, _NATIVE)
    handlers = [(evt.EVT_N_EVENT_REPORT, on_report), (evt.EVT_PDU_SENT, on_sent)]
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=handlers,
        ssl_context=tls_context(bench.ca, "agent", server=True) if run.tls else None,
    )  # fmt: skip

    @contextlib.contextmanager
    def association(archive: Archive) -> Iterator[Association]:
        opened = ae.associate(
            "127.0.0.1", archive.port, ae_title=archive.ae_title, evt_handlers=handlers,
            ext_neg=[build_role(COMMITMENT, scu_role=True)],
            tls_args=(tls_context(bench.ca, "agent", server=False), "127.0.0.1") if run.tls else None,
        )  # fmt: skip
        assert opened.is_established
        try:
            yield opened
            opened.release()
        finally:
            opened.abort()  # does nothing when it is released, and a release may hang when it is not there any more

    try:
        with _archive(run, bench, way, ("AGENT", int(server.server_address[1]))) as archive:
            with association(archive) as first:
                assert first.send_c_store(instance).Status == 0
                # Its reactor still sleeps from the C-STORE; woken later, it would take the answer of the N-ACTION.
                _until("reactor", lambda: not first._is_paused)
                _ask(first, instance)
                if way == "same":
                    _until("report", answered.is_set)
                elif way == "next":
                    assert not answered.wait(1.0)  # it must not come here
            if way == "next":
                with association(archive):
                    _until("report", answered.is_set)
            _until("report", answered.is_set)
    finally:
        server.shutdown()
    (report,) = reports
    assert report.TransactionUID == "2.25.2"
    assert [item.ReferencedSOPInstanceUID for item in report.ReferencedSOPSequence] == [instance.SOPInstanceUID]
    return ""


def _ask(association: Association, instance: pydicom.Dataset) -> None:
    item, question = pydicom.Dataset(), pydicom.Dataset()
    item.ReferencedSOPClassUID = instance.SOPClassUID
    item.ReferencedSOPInstanceUID = instance.SOPInstanceUID
    question.TransactionUID = "2.25.2"
    question.ReferencedSOPSequence = [item]
    answer, _ = association.send_n_action(question, 1, COMMITMENT, COMMITMENT_INSTANCE)
    assert answer.Status == 0, answer


def _orthanc_scu(run: Run, bench: Bench, way: str) -> str:
    """Have Orthanc ask by its REST interface, for "next" twice; what it then knows of the first question."""
    port = free_port()
    with _archive(run, bench, way, ("ORTHANC", port)) as archive:
        orthanc = Orthanc(
            bench.folder / "orthanc", modalities={"bench": modality(archive, tls=run.tls)}, tls=bench.tls(run),
            more={"DicomPort": port}, log=("--verbose", "--trace-dicom"),
        )  # fmt: skip
        try:
            (path,) = write_instances(bench.folder / "sent", 1, 20_480)
            orthanc.ask("/instances", path.read_bytes())
            what = {"Resources": orthanc.get("/instances")}
            orthanc.ask("/modalities/bench/store", {**what, "Synchronous": True})
            asked = orthanc.ask("/modalities/bench/storage-commitment", what)
            if way == "next":
                with contextlib.suppress(urllib.error.HTTPError):
                    orthanc.ask("/modalities/bench/storage-commitment", what)
            with contextlib.suppress(AssertionError):
                _until(
                    "report", lambda: orthanc.get(asked["Path"])["Status"] != "Pending", _END_S if way == "new" else 3.0
                )
            state = orthanc.get(asked["Path"])["Status"]
        finally:
            orthanc.stop()
    return "" if state == "Success" else str(state)


def _never_asks(program: str) -> Play:
    """Read what options it has."""

    def carry_out(_run: Run, bench: Bench) -> Found:
        run_peer(bench.folder / f"{program}.log", need(program), "--help")
        return dict.fromkeys(WAYS, "no option")

    return WAYS, carry_out


SCPS: Final[dict[str, Play]] = {
    "storescp+xa": _dcmtk_scp("storescp", "+xa"),
    "dcmrecv+xf": _dcmtk_scp("dcmrecv", "-xf", "/etc/dcmtk/storescp.cfg", "AllDICOM"),
    "dcmqrscp": _dcmtk_scp("dcmqrscp"),
    "Orthanc": _each_way(_orthanc_scp, SCU_WAYS),
    "pynetdicom": _each_way(_pynetdicom_scp, SCU_WAYS),
}
SCUS: Final[dict[str, Play]] = {
    **{program: _never_asks(program) for program in ("echoscu", "storescu", "dcmsend")},
    "Orthanc": _each_way(_orthanc_scu, WAYS),
    "pynetdicom": _each_way(_pynetdicom_scu, WAYS),
}


def runs() -> list[tuple[Run, Play]]:
    """Return this part of the matrix."""
    return [*each("SCU", ("commitment",), SCPS), *each("SCP", ("commitment",), SCUS)]
