"""``send --commit`` with archives we did not write: what it says of each file is what the archive said."""

from __future__ import annotations

import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pydicom
import pytest

pytest.importorskip("pynetdicom")

from fakes.command import QUICK_SOURCE, run_command
from fakes.foreign_instances import write_instances
from fakes.peers import Orthanc, make_bench_ca
from fakes.process import Process, free_port
from fakes.reporting import send_report
from fakes.site import AGENT, Site
from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.command import Answer

FILES = 3


class Play(NamedTuple):
    """How the archive commits: the way, the reason for the first instance (0: committed), and oddities."""

    way: str = "same"  # or new, next, never
    reason: int = 0
    action: int = 0  # status of the N-ACTION
    commits: bool = True  # offers commitment
    title: str = "ARCHIVE"  # of who reports


class Archive:
    """A pynetdicom archive."""

    def __init__(self, play: Play, port: int, ca: Path | None = None) -> None:
        self.play, self.report_port, self.ca = play, port, ca
        self.threads: list[threading.Thread] = []
        self.pending: list[Dataset] = []
        self.asked: list[str] = []
        self.statuses: list[int | None] = []  # answers to reports
        ae = AE("ARCHIVE")
        for context in AllStoragePresentationContexts[:100]:
            ae.add_supported_context(context.abstract_syntax)
        if play.commits:
            ae.add_supported_context(StorageCommitmentPushModel)
        handlers = [
            (evt.EVT_C_STORE, lambda _event: 0), (evt.EVT_N_ACTION, self._action), (evt.EVT_ESTABLISHED, self._next),
        ]  # fmt: skip
        self.server = ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=self._tls(ssl.Purpose.CLIENT_AUTH)
        )
        self.address = f"ARCHIVE@127.0.0.1:{self.server.server_address[1]}"

    def _tls(self, purpose: ssl.Purpose) -> ssl.SSLContext | None:
        if self.ca is None:
            return None
        context = ssl.create_default_context(purpose, cafile=str(self.ca / "ca.pem"))
        context.load_cert_chain(str(self.ca / "archive.pem"), str(self.ca / "archive.key"))
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _action(self, event: Any) -> tuple[int, None]:
        request = event.action_information
        self.asked.append(str(request.TransactionUID))
        if self.play.action:
            return self.play.action, None
        report = Dataset()
        report.TransactionUID = request.TransactionUID
        items = list(request.ReferencedSOPSequence)
        if self.play.reason:
            items[0].FailureReason = self.play.reason
            report.FailedSOPSequence, items = items[:1], items[1:]
        report.ReferencedSOPSequence = items
        work = {"same": (self._on, event.assoc, report), "new": (self._call, report)}.get(self.play.way)
        if work is not None:
            self._run(*work)
        elif self.play.way == "next":
            self.pending.append(report)
            self._run(self._leave, event.assoc)
        return 0, None

    def _run(self, work: Callable[..., None], *args: Any) -> None:
        self.threads.append(threading.Thread(target=work, args=args))
        self.threads[-1].start()

    def _leave(self, association: Any) -> None:
        time.sleep(0.1)
        association.abort()

    def _next(self, event: Any) -> None:
        while self.pending:
            self._run(self._on, event.assoc, self.pending.pop())

    def _on(self, association: Any, report: Dataset) -> None:
        self.statuses.append(send_report(association, report))

    def _call(self, report: Dataset) -> None:
        ae = AE(self.play.title)
        ae.add_requested_context(StorageCommitmentPushModel)
        role = build_role(StorageCommitmentPushModel, scu_role=False, scp_role=True)
        tls = self._tls(ssl.Purpose.SERVER_AUTH)
        association = ae.associate(
            "127.0.0.1", self.report_port, ae_title="BOX", ext_neg=[role], tls_args=tls and (tls, "localhost")
        )
        self._on(association, report)
        association.release()

    def close(self) -> None:
        for thread in self.threads:
            thread.join(10)
        self.server.shutdown()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_instances(tmp_path / "exam", FILES, 20_000)


@pytest.fixture
def archive() -> Iterator[Callable[..., Archive]]:
    made: list[Archive] = []

    def start(play: Play, port: int = 0, ca: Path | None = None) -> Archive:
        made.append(Archive(play, port, ca))
        return made[-1]

    yield start
    for one in made:
        one.close()


def send(where: str, *words: object) -> Answer:
    return run_command("send", "--to", where, "--ae", "BOX", "--commit", *words)


PLAYS = {
    "same": (Play(), 0, ""),
    "new": (Play("new"), 0, ""),
    "new, another title": (Play("new", title="ROUTER"), 0, ""),
    "next": (Play("next"), 0, ""),
    "part failure": (Play(reason=0x0112), 51, "0112 no such object instance"),
    "a reason of its own": (Play("new", reason=0xC123), 51, "C123"),
    "request refused": (Play(action=0x0213), 51, "the request was refused: status 0213H: resource limitation"),
    "not offered": (Play(commits=False), 51, "the peer does not offer Storage Commitment"),
    "never": (Play("never"), 51, "no report in 1 s"),
}


@pytest.mark.parametrize(("play", "status", "words"), PLAYS.values(), ids=PLAYS)
def test_what_is_said_is_what_the_archive_said(
    archive: Callable[..., Archive], files: list[Path], play: Play, status: int, words: str
) -> None:
    port = free_port()
    one = archive(play, port)
    listen = ["--listen", f"127.0.0.1:{port}"] if play.way == "new" else []
    wait = 1 if play.way == "never" else 20
    done = send(one.address, "--commit-timeout", wait, "--json", *listen, files[0].parent)
    assert done.returncode == status, done.stderr
    assert done.json["stored"] == FILES
    rows = {row["sop_instance_uid"]: row for row in done.json["files"]}
    assert set(rows) == {str(pydicom.dcmread(path).SOPInstanceUID) for path in files}
    good = [row for row in rows.values() if row["committed"]]
    bad = [row for row in rows.values() if not row["committed"]]
    assert len(good) == done.json["committed"] == (FILES if not status else FILES - 1 if play.reason else 0)
    assert all(row["commitment"] == "committed" and row["failure_reason"] is None for row in good)
    assert all(row["commitment"].startswith("not committed: ") and words in row["commitment"] for row in bad)
    assert [row["failure_reason"] for row in bad if play.reason] == ([f"{play.reason:04X}"] if play.reason else [])
    assert ("stored and not committed" in done.stderr) is bool(status)
    assert ("AE Title ROUTER" in done.stderr) is (play.title == "ROUTER")
    assert len(one.asked) <= 1
    assert set(one.statuses) <= {0}


@pytest.mark.parametrize("way", ["same", "new"])
def test_with_tls_both_ways(
    archive: Callable[..., Archive], files: list[Path], tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    ca, port = make_bench_ca(tmp_path_factory.mktemp("ca")), free_port()
    one = archive(Play(way), port, ca)
    tls = ["--ca", ca / "ca.pem", "--cert", ca / "agent.pem", "--key", ca / "agent.key"]
    done = send(one.address, "--listen", f"127.0.0.1:{port}", "--json", *tls, *files)
    assert done.returncode == 0, done.stderr
    assert done.json["committed"] == FILES


def test_what_is_said_to_people(archive: Callable[..., Archive], files: list[Path]) -> None:
    one = archive(Play(reason=0x0213))
    done = send(one.address, files[0].parent / "*.dcm")  # no shell has expanded this
    assert done.returncode == 51
    (line,) = [line for line in done.stdout.splitlines() if "not committed" in line]
    assert any(line == f"{path}: not committed: 0213 resource limitation" for path in files)
    assert f"{FILES} of {FILES} files stored, {FILES - 1} instances committed, " in done.stdout
    assert "hint: Keep the files" in done.stderr


def test_what_is_not_stored_counts_more_than_what_is_not_committed(
    archive: Callable[..., Archive], files: list[Path]
) -> None:
    image = pydicom.dcmread(files[0])
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = "1.2.3.4"
    image.save_as(files[0])
    done = send(archive(Play(reason=0x0110)).address, "--json", *files)
    assert done.returncode == 50
    assert [row["committed"] for row in done.json["files"]].count(True) == FILES - 2
    (refused,) = [row for row in done.json["files"] if not row["stored"]]
    assert (refused["committed"], refused["commitment"]) == (False, "")


@pytest.mark.parametrize("parallel", [1, 3])
def test_orthanc_reports_on_an_association_of_its_own(tmp_path: Path, files: list[Path], parallel: int) -> None:
    port = free_port()
    modality = {"AET": "BOX", "Host": "127.0.0.1", "Port": port, "AllowStorageCommitment": True}
    orthanc = Orthanc(tmp_path / "orthanc", modalities={"box": modality})
    try:
        where = f"ORTHANC@127.0.0.1:{orthanc.port}"
        done = send(where, "--listen", port, "--json", "--parallel", parallel, *files)
        assert done.returncode == 0, done.stderr
        assert done.json["committed"] == FILES
        assert all(orthanc.has(row["sop_instance_uid"]) for row in done.json["files"])
        done = send(where, "--commit-timeout", 1, *files)  # nobody listens
        assert done.returncode == 51
        assert "no report in 1 s" in done.stderr
        assert "may report on an association of its own: '--listen PORT'" in done.stderr
    finally:
        orthanc.stop()


@pytest.mark.parametrize("way", ["new", "same"])
def test_the_listener_of_the_configuration(
    archive: Callable[..., Archive], files: list[Path], tmp_path: Path, way: str
) -> None:
    port = free_port()
    one = archive(Play(way), port)
    config = tmp_path / "agent.toml"
    at = one.server.server_address[1]
    listening = port if way == "new" else at  # taken, as by a running agent
    config.write_text(
        f'[agent]\nae_title = "BOX"\n[spool]\npath = "spool"\n[listener]\nenabled = true\nhost = "127.0.0.1"\n'
        f'port = {listening}\n[[destination]]\nname = "pacs"\ncalled_ae = "ARCHIVE"\nhost = "127.0.0.1"\nport = {at}\n'
    )
    done = run_command("send", "--to", "pacs", "--config", config, "--commit", "--commit-timeout", 20, *files)
    assert done.returncode == 0, done.stderr
    assert ("only a report on our own association will be seen" in done.stderr) is (way == "same")


def test_a_port_that_is_taken_is_said_before_anything_is_sent(
    archive: Callable[..., Archive], files: list[Path]
) -> None:
    one = archive(Play())
    taken = one.server.server_address[1]
    done = send(one.address, "--listen", f"127.0.0.1:{taken}", *files)
    assert done.returncode == 29
    assert done.stdout == ""


@pytest.mark.parametrize("words", [["--commit-timeout", "0"], ["--listen", "70000"], ["--listen", "host"]])
def test_options_that_make_no_sense(files: list[Path], words: list[str]) -> None:
    done = send("X@127.0.0.1:1", *words, *files)
    assert done.returncode == 2
    done = run_command("send", "--to", "X@127.0.0.1:1", "--listen", "11112", *files)
    assert done.returncode == 2
    assert "belong to --commit" in done.stderr


def test_the_daemon_without_a_listener_says_what_it_cannot_hear(tmp_path: Path) -> None:
    """Orthanc reports on an association of its own, to which nothing is open: log and ``why`` name the listener."""
    site = Site(tmp_path / "site")
    modality = {"AET": "AGENT", "Host": "127.0.0.1", "Port": free_port(), "AllowStorageCommitment": True}
    orthanc = Orthanc(tmp_path / "orthanc", modalities={"box": modality})
    try:
        to_orthanc = {"name": "orthanc", "called_ae": "ORTHANC", "port": orthanc.port, "commitment_timeout_s": 1.0,
                      "commitment_asks": 1}  # fmt: skip
        site.configure(destinations=[to_orthanc], sources=[QUICK_SOURCE])
        site.config.write_text(site.config.read_text().replace("enabled = true", "enabled = false"))
        agent = site.agent = Process([AGENT, "run", "--config", str(site.config)], tmp_path / "agent.log")
        agent.wait_for("an archive may report on an association of its own, and [listener] is off")
        agent.wait_until("the end of asking", lambda: site.all_in("unconfirmed", 1))
        for what in ("orthanc", site.rows()[0].uid):
            told = run_command("why", what, "--config", site.config).stdout
            assert "this box listens for none: set enabled = true in [listener]" in told, told
    finally:
        if site.agent is not None:
            site.stop()
        orthanc.stop()
