"""The daemon inside this process: what a stop and a reload do when the medium is slow or fails half-way."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pydicom
import pytest
from fakes.filesets import listed
from fakes.site import Site, table

from agent.acquire.frame_log import FrameLog
from agent.app import certificates, cli, keeper
from agent.app import rehearse as rehearse_module
from agent.app import runtime as runtime_module
from agent.app.journal import Journal
from agent.app.rehearse import rehearse_elsewhere
from agent.app.runtime import Runtime
from agent.config.load import load
from agent.config.settings import Settings
from agent.errors import CaptureWaiting, ConfigError, MediaError

SOURCE = {"name": "s0", "uri": "pattern:us-mono?rows=64&columns=64&rate_hz=100", "clip_frames": 2}


class Box:
    """A site whose agent is a ``Runtime``; the log is a file, as for a real one."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.log_path = folder / "agent.log"
        self._log = self.log_path.open("w")
        self.journal = Journal(self._log)
        self.runtime: Runtime | None = None

    def configure(self, patient: str, *sources: dict[str, object]) -> None:
        self.site.configure(destinations=[], sources=sources)
        text = self.site.config.read_text().replace("enabled = true", "enabled = false")
        self.site.config.write_text(text + table("[patient]", {"name": patient, "id": patient}))

    def start(self) -> Runtime:
        path = str(self.site.config)
        self.runtime = Runtime(path, load(path, files=True), self.journal)
        self.runtime.start()
        return self.runtime

    def wait(self, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + 20
        while not ready():
            assert time.monotonic() < until, self.log
            time.sleep(0.01)

    def rows_at_least(self, count: int) -> None:
        self.wait(lambda: len(self.site.rows()) >= count)

    @property
    def patients(self) -> list[str]:
        return [str(pydicom.dcmread(path).PatientName) for path in self.site.files()]

    @property
    def log(self) -> str:
        assert self.journal.flush(5)
        return self.log_path.read_text()

    def close(self) -> None:
        if self.runtime is not None:
            self.runtime.stop()
        self.journal.flush()
        self._log.close()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "box")
    yield made
    made.close()


def _trigger(runtime: Runtime, name: str = "s0") -> None:
    assert runtime.handle({"verb": "capture", "source": name}) == {"ok": True}


def _slow_medium(monkeypatch: pytest.MonkeyPatch, seconds: float) -> threading.Event:
    """Make the flush of a draft slow; the event says that one is under way."""
    real, begun = os.fsync, threading.Event()

    def fsync(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".part"):
            begun.set()
            time.sleep(seconds)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "fdatasync", fsync)
    return begun


def test_a_clip_is_sealed_however_slow_the_medium_is(box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runtime_module, "STOP_S", 0.2)
    _slow_medium(monkeypatch, 1.5)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        box.configure("ALPHA", {**SOURCE, "clip_frames": 0, "clip_s": 600.0})
        runtime = box.start()
        _trigger(runtime)
        box.wait(lambda: runtime.recorders["s0"].counts.recording)
        time.sleep(0.3)
        box.runtime = None
        assert runtime.stop()
        assert manager.recv(100) == b"STOPPING=1"
        assert manager.recv(100).startswith(b"EXTEND_TIMEOUT_USEC=")
    assert len(box.site.rows()) == len(box.site.files()) == 1
    assert "the agent waits until the clip is sealed" in box.log
    assert "ended by stop" in box.log


def test_a_clip_that_a_reload_ended_is_sealed_before_the_ledger_is_closed(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_module, "STOP_S", 0.2)
    begun = _slow_medium(monkeypatch, 1.5)
    box.configure("ALPHA", {**SOURCE, "clip_frames": 0, "clip_s": 600.0})
    runtime = box.start()
    _trigger(runtime)
    box.wait(lambda: runtime.recorders["s0"].counts.recording)
    time.sleep(0.3)
    box.configure("ALPHA")
    assert runtime.reload()
    assert begun.wait(60)
    box.runtime = None
    assert runtime.stop()
    assert len(box.site.rows()) == 1


def test_sources_that_start_together_share_one_study(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.acquire import exam

    real = exam.Exam.__init__

    def slow(self: exam.Exam, *arguments: object) -> None:
        time.sleep(0.1)  # here the thread is preempted
        real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(exam.Exam, "__init__", slow)
    box.configure("ALPHA", *({**SOURCE, "name": f"s{n}", "every_s": 100.0, "captures": 1} for n in range(3)))
    box.start()
    box.rows_at_least(3)
    assert len({pydicom.dcmread(path).StudyInstanceUID for path in box.site.files()}) == 1


def test_a_reload_that_fails_half_way_keeps_the_patient(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.configure("ALPHA", SOURCE)
    runtime = box.start()

    def fail(_spool: object, _destinations: object) -> None:
        raise MediaError("write ledger.db: disk I/O error")

    box.configure("BETA", SOURCE, {**SOURCE, "name": "s1"})
    with monkeypatch.context() as patch:
        patch.setattr(type(runtime.spool), "configure", fail)
        assert not runtime.reload()
    assert "disk I/O error" in box.log
    assert "the old configuration stays in force" in box.log
    assert runtime.settings.patient.name == "ALPHA"
    assert list(runtime.recorders) == ["s0"]
    _trigger(runtime)
    box.rows_at_least(1)
    assert box.patients == ["ALPHA"]
    assert runtime.reload()
    _trigger(runtime)
    box.rows_at_least(2)
    assert box.patients == ["ALPHA", "BETA"]


def test_a_fault_in_a_reload_ends_nothing(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.configure("ALPHA", SOURCE)
    runtime = box.start()

    def fail(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError("surprise")

    with monkeypatch.context() as patch:
        patch.setattr("agent.config.load.load", fail)
        assert not runtime.reload()
    assert "fault of the agent: ZeroDivisionError: surprise; the old configuration stays in force" in box.log
    assert runtime.reload()


def _recording_and_asked_again(box: Box) -> Runtime:
    """A clip that has a frame and that only a stop ends, and a second trigger that waits behind it."""
    frames = str(box.log_path.with_name("frames"))
    box.configure("ALPHA", {**SOURCE, "clip_frames": 0, "clip_s": 600.0, "frame_digest_file": frames})
    running = threading.Event()
    with patch.object(FrameLog, "add", lambda *_: running.set()):
        runtime = box.start()
        _trigger(runtime)
        box.wait(running.is_set)
    _trigger(runtime)
    return runtime


def test_a_trigger_outlives_a_reload(box: Box) -> None:
    """The second trigger waits behind a clip when the reload comes; it is captured with what is configured then."""
    runtime = _recording_and_asked_again(box)
    box.configure("ALPHA", SOURCE)
    assert runtime.reload()
    box.rows_at_least(2)
    assert box.patients == ["ALPHA", "ALPHA"]
    assert "is not made" not in box.log


def test_a_trigger_of_one_patient_never_becomes_an_image_of_the_next(box: Box) -> None:
    runtime = _recording_and_asked_again(box)
    box.configure("BETA", {**SOURCE, "clip_frames": 0, "clip_s": 600.0})
    assert runtime.reload()
    box.rows_at_least(1)
    said = "a capture was asked for and is not made: patient or exam changed before it began"
    assert f"from s0: {said}" in box.log
    status = runtime.handle({"verb": "status"})["sources"]["s0"]
    assert (status["waiting"], status["recording"], status["lost"]) == (False, False, said)
    box.configure("BETA", SOURCE)
    assert runtime.reload()
    _trigger(runtime)
    box.rows_at_least(2)
    assert box.patients == ["ALPHA", "BETA"]
    assert runtime.handle({"verb": "status"})["sources"]["s0"]["lost"] == ""


def test_a_trigger_behind_a_waiting_one_is_refused(box: Box) -> None:
    runtime = _recording_and_asked_again(box)
    with pytest.raises(CaptureWaiting, match="a capture of s0 is already waiting; this one is not made"):
        _trigger(runtime)
    assert runtime.handle({"verb": "status"})["sources"]["s0"]["waiting"]
    box.configure("ALPHA", SOURCE)
    assert runtime.reload()
    box.rows_at_least(2)
    box.wait(lambda: not runtime.recorders["s0"].counts.recording)
    assert len(box.site.rows()) == 2


def test_a_clip_that_a_reload_cut_short_says_so(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = _recording_and_asked_again(box)
    box.configure("BETA", SOURCE)
    assert runtime.reload()
    box.rows_at_least(1)
    image = pydicom.dcmread(box.site.files()[0])
    ended = f"ended by stop/reload of the agent after {image.NumberOfFrames} frames"
    assert ended in box.log
    for verb in ("receipt", "why"):
        assert cli.main([verb, str(image.SOPInstanceUID), "--spool", str(runtime.spool.root)]) == 0
        assert ended in capsys.readouterr().out


def test_a_source_that_ends_before_the_clip_is_full_is_a_warning(box: Box, tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(256))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    box.configure("ALPHA", {**SOURCE, "uri": f"replay:{tmp_path}/clip.raw?rate_hz=0", "clip_frames": 5})
    runtime = box.start()
    _trigger(runtime)
    box.rows_at_least(1)
    box.wait(lambda: "captured" in box.log)
    assert "ended by source" in box.log
    assert "the source ended before the clip was full, after 1 of 5 frames" in box.log


def test_a_trigger_of_a_source_that_is_gone_is_said(box: Box) -> None:
    box.configure("ALPHA", {**SOURCE, "clip_frames": 0, "clip_s": 600.0})
    runtime = box.start()
    _trigger(runtime)
    box.wait(lambda: runtime.recorders["s0"].counts.recording)
    time.sleep(0.3)
    _trigger(runtime)
    box.configure("ALPHA")
    assert runtime.reload()
    assert "from s0: a capture was asked for and is not made: the source was removed" in box.log


def test_a_reload_refuses_a_source_that_could_make_nothing(box: Box) -> None:
    box.configure("FIRST^PATIENT", SOURCE)
    runtime = box.start()
    box.configure("SECOND^PATIENT", SOURCE | {"attributes_file": "none.json"})
    assert not runtime.reload()
    assert "source 's0'" in box.log
    assert "none.json: No such file" in box.log
    assert runtime.settings.patient.name == "FIRST^PATIENT"


def test_a_file_that_changes_while_it_is_read_is_not_taken(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that rehearses reads the file again: what it passed must be what comes into force."""
    box.configure("FIRST^PATIENT", SOURCE)
    runtime = box.start()
    box.configure("SECOND^PATIENT", SOURCE)

    def overtaken(path: str, settings: Settings) -> list[str]:
        box.configure("THIRD^PATIENT", SOURCE)
        return rehearse_elsewhere(path, settings)

    monkeypatch.setattr(runtime_module, "rehearse_elsewhere", overtaken)
    assert not runtime.reload()
    assert "changed while it was read" in box.log
    assert runtime.settings.patient.name == "FIRST^PATIENT"


def test_a_rehearsal_that_dies_is_said_and_stops_no_reload(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.configure("FIRST^PATIENT", SOURCE)
    runtime = box.start()
    box.configure("SECOND^PATIENT", SOURCE)
    monkeypatch.setattr(rehearse_module, "_ELSEWHERE", ("-c", "import os; os.abort()"))
    assert runtime.reload()
    assert "nobody knows what the sources lack" in box.log
    assert runtime.settings.patient.name == "SECOND^PATIENT"


def test_a_bad_source_is_heard_before_any_role_works(box: Box) -> None:
    box.configure("FIRST^PATIENT", SOURCE | {"attributes_file": "none.json", "every_s": 0.01})
    path = str(box.site.config)
    settings = load(path, files=False)
    box.runtime = Runtime(path, settings, box.journal)
    rehearsal = rehearse_module.Apart(path, settings)
    with pytest.raises(ConfigError, match=r"none\.json: No such file"):
        box.runtime.start(rehearsal.notes)
    assert box.runtime.supervisor.roles == {}
    assert box.site.rows() == []


def test_the_dicomdir_follows_while_the_agent_runs(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "FIRST_S", 0.05)
    monkeypatch.setattr(keeper, "LOOK_S", 0.05)
    box.configure("A", SOURCE | {"every_s": 1, "captures": 1})
    runtime = box.start()
    box.wait((box.site.spool / "DICOMDIR").exists)
    assert listed(box.site.spool / "DICOMDIR") == ["INST\\000000\\00000001"]
    assert runtime.status()["dicomdir"] == {"failures": 0, "reason": ""}


def test_the_end_of_certificates_is_told_every_day(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "KEEP_S", 0.02)
    monkeypatch.setattr(keeper, "TELL_S", 0.05)
    told = itertools.count()  # the log would count the same sentence instead of saying it
    monkeypatch.setattr(certificates, "ending", lambda *_: [f"end {next(told)}"])
    box.configure("A")
    vector = Path(__file__).parent.parent / "vectors/certificate.pem"
    box.site.config.write_text(box.site.config.read_text() + table("[tls]", {"ca_file": str(vector)}))
    box.start()
    box.wait(lambda: "warning tls: end 3" in box.log)
