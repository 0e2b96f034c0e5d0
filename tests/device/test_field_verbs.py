"""The verbs of a field technician on a whole site: self-test, test image, support bundle."""

from __future__ import annotations

import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.command import QUICK_SOURCE, run_command
from fakes.judges import dciodvfy_errors
from fakes.peers import need
from fakes.process import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.site import Archive, Site


def ask(site: Site, *words: object) -> Any:
    answer = run_command(*words, "--config", site.config)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer


def test_a_test_image_goes_the_way_of_every_image(site: Site, archive: Archive, to_archive: dict[str, Any]) -> None:
    other = {"name": "other", "called_ae": "OTHER", "port": free_port()}
    site.configure(destinations=[to_archive, other])
    passed = ask(site, "selftest", "archive", "tls", "spool")
    assert "echo archive: BENCH answers, and its certificate expires on" in " ".join(passed.stdout.split())
    direct = ask(site, "test", "send", "archive")  # no agent runs
    assert "no agent runs" in direct.stdout
    assert "has committed it" in direct.stdout
    site.start()
    queued = ask(site, "test", "send", "archive", "--json").json
    assert (queued["passed"], queued["through_queue"], queued["status"]) == (True, True, "0000")
    assert queued["committed_s"] >= queued["stored_s"] >= 0
    (row,) = site.rows()
    assert (row.uid, row.source, row.states) == (queued["sop_instance_uid"], "test", {"archive": "committed"})
    (_, path) = next(one for one in archive.index() if one[0] == row.uid)
    made = pydicom.dcmread(path)
    assert (made.PatientName, made.PatientID) == ("TEST^MODALITY-AGENT", "TEST-AGENT")
    assert (made.QualityControlSubject, made.QualityControlImage, made.BurnedInAnnotation) == ("YES", "YES", "NO")
    assert list(made.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert made.PatientSex == "O"
    assert "NOT A PATIENT" in made.StudyDescription
    need("dciodvfy")
    assert dciodvfy_errors(path) == []
    ask(site, "queue", "hold", "--destination", "archive")
    waits = run_command("test", "send", "archive", "--timeout", "1", "--config", site.config)
    assert (waits.returncode, "held by the operator" in waits.stderr) == (50, True)
    refused = run_command("test", "send", "other", "--timeout", "1", "--config", site.config)
    assert refused.returncode == 50
    assert "has not stored it within 1 s" in refused.stderr


def test_a_peer_that_does_not_know_us_is_told_apart(site: Site, tmp_path: Path) -> None:
    need("storescp")
    port = free_port()
    site.tls = None
    site.configure(destinations=[{"name": "pacs", "called_ae": "STORESCP", "port": port, "commitment": False}])
    failed = run_command("selftest", "pacs", "--config", site.config, "--json")
    assert failed.returncode == 52
    with subprocess.Popen(
        ["/usr/bin/storescp", "--output-directory", str(tmp_path), str(port)], stderr=subprocess.DEVNULL
    ) as scp:
        try:
            answer = run_command("test", "send", "pacs", "--config", site.config)
            for _ in range(20):
                if answer.returncode == 0:
                    break
                answer = run_command("test", "send", "pacs", "--config", site.config)
            assert "commitment is switched off" in answer.stdout, answer.stderr
        finally:
            scp.terminate()


SECRETS = (
    "SECRETKEY", "SECRET-PASSCODE", "call Ludmilla", "Ludmilla", "NOVAKOVA", "PID-778899", "ACC-445566", "19551231",
    "Hüftgelenk", "stick-of-novak",
)  # fmt: skip


def test_a_support_bundle_says_nothing_of_patients_and_opens_no_door(site: Site, tmp_path: Path) -> None:
    """Patients and secrets are planted wherever one can think of, and found nowhere."""
    site.tls = None
    password = tmp_path / "pass.txt"
    password.write_text("SECRET-PASSCODE-1\n")
    key = tmp_path / "me.key"
    key.write_text("-----BEGIN PRIVATE KEY-----\nSECRETKEYMATERIAL\n-----END PRIVATE KEY-----\n")
    who = {"user_identity": "passcode", "user_in_clear": True, "user_name": "ludmilla.novakova"}
    peer = {"name": "pacs", "called_ae": "PACS", "port": free_port(), **who, "user_file": str(password)}
    site.configure(destinations=[peer], sources=[{**QUICK_SOURCE, "uri": f"replay:{tmp_path}/NOVAKOVA.png"}])
    text = site.config.read_text() + (
        '# call Ludmilla NOVAKOVA, SECRET\n[patient]\nname = "NOVAKOVA^Ludmilla"\nid = "PID-778899"\n'
        'birth_date = "19551231"\n[exam]\naccession_number = "ACC-445566"\ndescription = "Hüftgelenk"\n'
    )
    tls = f'[tls]\nca_file = "{key}"\ncertificate_file = "{key}"\nkey_file = "{key}"\n'
    site.config.write_text(text + tls)
    site.spool.mkdir()
    (site.spool / "log").mkdir()
    (site.spool / "log/a").write_text(
        "2026-03-01T10:00:00+0000 error   to pacs: status A900H: no match (NOVAKOVA not known) [dimse.status]\n"
        "2026-03-01T10:00:01+0000 info    import: /media/stick-of-novak/1.dcm was taken in\n"
        "2026-03-01T10:00:02+0000 error   x: 'Ludmilla' PID-778899 SECRETKEYMATERIAL SECRET-PASSCODE-1\n"
        "-----BEGIN PRIVATE KEY-----\n"
    )
    (site.spool / "flight").mkdir()
    (site.spool / "flight/pacs").write_text('{"seen": true, "implementation": "Ludmilla"}\n')
    made = tmp_path / "bundle.tar.gz"
    answer = ask(site, "support", "-o", made)
    assert "no patient data, no keys, no passwords" in answer.stdout
    names = subprocess.run(["tar", "tzf", made], capture_output=True, text=True, check=True).stdout
    for name in ("README.txt", "config.toml", "status.json", "log.txt", "versions.txt", "network.json", "clock.txt"):
        assert f"modality-agent-support/{name}" in names
    with tarfile.open(made) as file:
        whole = {one.name: file.extractfile(one).read().decode() for one in file.getmembers()}  # type: ignore[union-attr]  # all are files
    for name, content in whole.items():
        for secret in SECRETS:
            assert secret.casefold() not in content.casefold(), (name, secret, content)
    assert 'called_ae = "PACS"' in whole["modality-agent-support/config.toml"]
    assert "status A900H" in whole["modality-agent-support/log.txt"]
    assert run_command("support", "-o", made, "--config", site.config).returncode == 3  # never replaced


@pytest.mark.parametrize("config", ["broken", "none"])
def test_a_bundle_is_made_of_whatever_is_there(tmp_path: Path, config: str) -> None:
    path = tmp_path / "agent.toml"
    if config == "broken":
        path.write_text('[agent]\nae_title = "NOVAKOVA^LUDMILLA"\n[nonsense]\nx = "Ludmilla"\n')
    made = tmp_path / "bundle.tar.gz"
    answer = run_command("support", "-o", made, "--config", path)
    assert answer.returncode == 0, answer.stderr
    with tarfile.open(made) as file:
        whole = "".join(file.extractfile(one).read().decode() for one in file.getmembers())  # type: ignore[union-attr]  # all are files
    assert "ludmilla" not in whole.casefold()
    assert "cannot be used" in whole
