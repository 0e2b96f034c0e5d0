"""The record of a real association says what the peer's own log says, and nothing about the patient."""

from __future__ import annotations

import json
import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes.peers import dcmtk_tls
from fakes.site import AGENT, Archive, Site, table

from agent.dataset.uid import RLE_LOSSLESS, US_MULTIFRAME
from agent.spool.flights import FOLDER, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.peers import Orthanc, Storescp

WAIT_S = 30.0
PATIENT = {"name": "DOE^JANE^FLIGHTY", "id": "PID-4711-X", "birth_date": "19800229"}
EXAM = {"accession_number": "ACC-2026-17"}
SOURCE = {
    "name": "probe", "uri": "pattern:us-rgb?rows=64&columns=64&rate_hz=30", "sop_class": "us-mf",
    "transfer_syntax": "rle", "clip_s": 0.2, "every_s": 0.3, "captures": 2,
}  # fmt: skip


def configure(site: Site, port: int, ae_title: str, **more: Any) -> None:
    destination = {"name": "pacs", "called_ae": ae_title, "port": port, **more}
    site.configure(destinations=[destination], sources=[SOURCE])
    site.config.write_text(site.config.read_text() + table("[patient]", PATIENT) + table("[exam]", EXAM))


def flights(site: Site, count: int = 1, *, stored: int = 2) -> list[dict[str, Any]]:
    """Wait for so many records, and so many answers in them."""
    until = time.monotonic() + WAIT_S
    while True:
        found = [json.loads(line) for line in read_lines(str(site.spool), "pacs")[1:]]
        answers = [row for one in found for row in one["rows"] if row[2] == "C-STORE-RSP"]
        if (len(found) >= count and len(answers) >= stored) or time.monotonic() > until:
            return found
        time.sleep(0.05)


def says_nothing_of_the_patient(site: Site, *texts: bytes) -> None:
    files = [path.read_bytes() for path in (site.spool / FOLDER).iterdir()]
    uids = [row.uid for row in site.rows()]
    assert files
    assert uids
    for text in (*files, *texts):
        for word in (*PATIENT.values(), "DOE", "JANE", *EXAM.values(), *uids):
            assert word.encode() not in text


@pytest.fixture
def site(tmp_path: Path) -> Any:
    made = Site(tmp_path / "site")
    yield made
    if made.agent is not None:
        made.stop()


def test_storescp_and_the_record_agree(site: Site, storescp: Callable[..., Storescp]) -> None:
    peer = storescp("-d", "+xr", "--max-pdu", "28672")
    configure(site, peer.port, "ANY", commitment=False)
    site.start()
    found = flights(site)
    site.stop()
    log = peer.process.log
    record = next(one for one in found if one["associated"])
    assert record["end"] == {"code": "", "text": ""}
    assert record["maximum_length"] == 28672
    version = re.search(r"Our Implementation Version Name: *(\S+)", log)
    assert version is not None
    assert record["implementation"][1] == version[1]
    answers = {(row[1], row[2][0]): row[3] for row in record["contexts"]}
    assert answers[US_MULTIFRAME, RLE_LOSSLESS] == 0
    assert [row[4] for row in record["contexts"] if row[3] == 0].count(RLE_LOSSLESS) == 1
    rows = [row for one in found for row in one["rows"]]
    stored = [row for row in rows if row[2] == "C-STORE-RSP"]
    assert [row[5] for row in stored] == [0, 0]
    sizes = [row[4] for row in rows if row[2] == "data set"]
    assert [size + size % 2 for size in sizes] == [size + size % 2 for size in data_set_bytes(peer)]
    kinds = [row[2] for row in record["rows"]]
    assert kinds[:3] == ["connected", 1, 2]
    assert kinds[-2:] == [5, 6]
    said = why(site, "--text", str(site.folder / "pacs.txt"))
    assert re.search(r"[12] C-STORE answered 0000, released", said)
    text = (site.folder / "pacs.txt").read_text()
    assert f"peer 28672\nimplementation of the peer: {' '.join(record['implementation'])}\n" in text
    assert re.search(r"> C-STORE-RQ, context \d+, Message ID 1, Ultrasound Multi-frame Image Storage\n", text)
    assert re.search(r"< C-STORE-RSP, context \d+, Message ID 1, Ultrasound .*, status 0000\n", text)
    says_nothing_of_the_patient(site, text.encode())


def why(site: Site, *more: str) -> str:
    command = [AGENT, "why", "pacs", "--config", str(site.config), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def data_set_bytes(peer: Storescp) -> list[int]:
    """Bytes of Data Set in what storescp wrote, in the order in which it wrote them."""
    sizes = []
    for path in sorted(peer.files(), key=lambda one: one.stat().st_mtime_ns):
        data = path.read_bytes()
        group_length = int.from_bytes(data[140:144], "little")
        sizes.append(len(data) - 144 - group_length)
    return sizes


def test_orthanc_aborts_at_a_question_of_a_stranger_and_the_record_says_at_which(
    site: Site, orthanc: Callable[..., Orthanc]
) -> None:
    peer = orthanc()  # without us among its modalities: it stores, and aborts at an N-ACTION
    configure(site, peer.port, peer.aet)
    site.start()
    record = flights(site)[0]
    site.stop()
    assert record["associated"]
    assert record["end"]["code"] == "association.aborted"
    asked = [row[2] for row in record["rows"]].index("N-ACTION-RQ")
    assert 7 in [row[2] for row in record["rows"][asked:] if row[1] == "<"]  # A-ABORT
    said = why(site)
    assert re.search(r"C-STORE answered 0000, .*aborted the association.*\[association.aborted\]", said)
    says_nothing_of_the_patient(site)


def test_a_report_on_an_association_of_its_own_is_in_the_record(site: Site, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive", report_to=("AGENT", site.port))
    archive.start()
    configure(site, archive.port, archive.ae_title)
    site.start()
    until = time.monotonic() + WAIT_S
    while not site.all_in("committed", 2):
        assert time.monotonic() < until, site.log()
        time.sleep(0.05)
    site.stop()
    archive.stop()
    brought = [one for one in flights(site) if not one["opened_by_us"]]
    assert brought
    assert all([report[0] for report in one["reports"]] == ["new"] for one in brought)
    assert all(one["peer"] == "BENCH@127.0.0.1" for one in brought)
    said = why(site)
    assert "commitment reports on an association of its own" in said
    assert re.search(r"opened by the peer, .*N-EVENT-REPORT of the peer, .*report on an association of its own", said)
    text = site.folder / "pacs.txt"
    why(site, "--text", str(text))
    assert "< N-EVENT-REPORT-RQ, context" in text.read_text()
    assert "> N-EVENT-REPORT-RSP, context" in text.read_text()
    says_nothing_of_the_patient(site, text.read_bytes())


def test_the_certificate_of_a_peer_is_known_as_openssl_knows_it(
    tmp_path: Path, storescp: Callable[..., Storescp], bench_ca: Path
) -> None:
    site = Site(tmp_path / "tls", tls=bench_ca)
    peer = storescp(*dcmtk_tls(bench_ca, "archive"))
    configure(site, peer.port, "ANY", commitment=False, tls=True)
    site.start()
    found = flights(site)
    site.stop()
    command = ["openssl", "x509", "-in", str(bench_ca / "archive.pem"), "-noout", "-enddate", "-fingerprint", "-sha256"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    end = time.strptime(re.search(r"notAfter=(.*) GMT", shown)[1], "%b %d %H:%M:%S %Y")  # type: ignore[index]
    transport = found[0]["transport"]
    assert transport["valid_until"] == time.strftime("%Y-%m-%d %H:%M UTC", end)
    assert transport["certificate"].removeprefix("SHA-256 ").upper() in shown.replace(":", "")
    assert f"certificate until {transport['valid_until']}" in why(site)
    says_nothing_of_the_patient(site)
