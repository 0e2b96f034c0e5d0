"""Programs we did not write, which judge what we send: where they are, which version, how they are configured.

pynetdicom installs programs called ``storescp`` and ``storescu`` into the virtual environment; the ones meant here are
DCMTK's, so no virtual environment is searched, neither our own nor another one that stands in PATH.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import urllib.request
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from fakes.process import Process, free_port

from agent.app.bench_ca import issue, make_ca

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGES = {
    "storescp": "dcmtk", "storescu": "dcmtk", "echoscu": "dcmtk", "dcmsend": "dcmtk", "dcmdump": "dcmtk",
    "dcmrecv": "dcmtk", "dcmqrscp": "dcmtk",
    "dcmconv": "dcmtk", "dcmdrle": "dcmtk", "dcm2pnm": "dcmtk", "dcmdspfn": "dcmtk", "Orthanc": "orthanc",
    "dciodvfy": "dicom3tools",
    "gdcmdump": "libgdcm-tools", "gdcmraw": "libgdcm-tools", "gdcmconv": "libgdcm-tools", "openssl": "openssl",
    "opj_decompress": "libopenjp2-tools",
    "strace": "strace",
    "dcmmkdir": "dcmtk", "dcdirdmp": "dicom3tools", "dcentvfy": "dicom3tools", "gdcminfo": "libgdcm-tools",
    "mkfs.vfat": "dosfstools", "fsck.vfat": "dosfstools", "mcopy": "mtools", "mdir": "mtools",
    "isoinfo": "genisoimage", "rz": "lrzsz", "sz": "lrzsz", "rb": "lrzsz", "sb": "lrzsz", "rx": "lrzsz", "sx": "lrzsz",
    "mkfs.exfat": "exfatprogs", "fsck.exfat": "exfatprogs", "mount.exfat-fuse": "exfat-fuse",
}  # fmt: skip


def find_program(name: str) -> str | None:
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    folders = [folder for folder in path if not os.path.exists(os.path.join(folder, os.pardir, "pyvenv.cfg"))]
    return shutil.which(name, path=os.pathsep.join([*folders, "/usr/sbin", "/usr/local/sbin"]))


def need(name: str) -> str:
    """Return the path of a peer program; without it skip loudly, or fail where CI=true promises that it is there."""
    path = find_program(name)
    if path is not None:
        return path
    message = f"{name} is not installed (Debian package {PACKAGES.get(name, name)}); scripts/test says how to get it"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@functools.cache
def versions() -> dict[str, str]:
    """Versions of the judges, for the head of each run."""
    found = {}
    for name in ("pydicom", "pynetdicom", "hypothesis"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    for label, name, position in (("DCMTK", "storescp", 2), ("Orthanc", "Orthanc", 1), ("GDCM", "gdcmdump", 2)):
        path = find_program(name)
        found[label] = _version_word(path, position) if path else "missing"
    found["dciodvfy"] = "present" if find_program("dciodvfy") else "missing"
    return found


def _version_word(path: str, position: int) -> str:
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=20)
    words = (shown.stdout + shown.stderr).split("\n", 1)[0].split()
    return words[position].lstrip("v") if len(words) > position else "unknown"


class Storescp(NamedTuple):
    """A DCMTK storescp."""

    process: Process
    port: int
    folder: Path

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_file())


def start_storescp(
    folder: Path,
    *options: str,
    log: Path,
    store: bool = True,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Storescp:
    """Start it as it comes: default PDU sizes, Nagle on. ``store=False`` makes it drop what it receives."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    keep = ["--output-directory", str(folder), "+uf"] if store else ["--ignore"]
    process = Process([*prefix, need("storescp"), *keep, *options, str(port)], log, env=env)
    process.wait_listening(port)
    return Storescp(process, port, folder)


def make_bench_ca(folder: Path) -> Path:
    """Write ``ca.pem`` and, issued by it for this machine, ``agent`` and ``archive`` (``.pem`` and ``.key``)."""
    ca = make_ca(str(folder), "ca")
    for name in ("agent", "archive"):
        issue(str(folder), name, ca, hosts=("localhost", "127.0.0.1"))
    return folder


def dcmtk_tls(folder: Path, name: str) -> list[str]:
    """Return the DCMTK options for mutual TLS with the files of a bench CA (``ca.pem``, ``<name>.pem``, ``.key``)."""
    return ["+tls", str(folder / f"{name}.key"), str(folder / f"{name}.pem"), "+cf", str(folder / "ca.pem")]


class Orthanc:
    """An Orthanc with its store in one folder, reached by its REST interface."""

    def __init__(
        self,
        folder: Path,
        *,
        modalities: Mapping[str, Any] | None = None,
        tls: Path | None = None,
        prefix: Sequence[str] = (),
        more: Mapping[str, Any] | None = None,
        log: Sequence[str] = ("--verbose",),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.http_port = free_port(), free_port()
        self.aet = "ORTHANC"
        settings: dict[str, Any] = {
            "Name": "judge", "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "store"),
            "DicomAet": self.aet, "DicomPort": self.port, "HttpPort": self.http_port, "RemoteAccessAllowed": False,
            "DicomAlwaysAllowStore": True, "DicomAlwaysAllowEcho": True, "DicomModalities": dict(modalities or {}),
            "Plugins": [], "OverwriteInstances": False,
        }  # fmt: skip
        if tls is not None:
            settings |= {
                "DicomTlsEnabled": True, "DicomTlsCertificate": str(tls / "archive.pem"),
                "DicomTlsPrivateKey": str(tls / "archive.key"), "DicomTlsTrustedCertificates": str(tls / "ca.pem"),
                "DicomTlsRemoteCertificateRequired": True,
            }  # fmt: skip
        settings |= more or {}
        self.port = settings["DicomPort"]
        path = folder / "orthanc.json"
        path.write_text(json.dumps(settings, indent=1))
        self.process = Process([*prefix, need("Orthanc"), *log, str(path)], folder / "orthanc.log")
        self.process.wait_for("Orthanc has started")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=20) as answer:
            body = answer.read()
            return json.loads(body) if answer.headers.get_content_type() == "application/json" else body

    def file(self, sop_instance_uid: str) -> bytes:
        """Return the stored DICOM file of one instance (exactly one must carry this UID)."""
        (found,) = self._lookup(sop_instance_uid)
        body = self.get(f"/instances/{found}/file")
        assert isinstance(body, bytes)
        return body

    def has(self, sop_instance_uid: str) -> bool:
        """Tell whether an instance is stored."""
        return bool(self._lookup(sop_instance_uid))

    def ask(self, path: str, body: bytes | Mapping[str, Any], *, method: str = "POST") -> Any:
        """Send a body (a mapping as JSON) and return the answer, None for an empty one."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _lookup(self, uid: str) -> Sequence[str]:
        return [row["ID"] for row in self.ask("/tools/lookup", uid.encode()) if row["Type"] == "Instance"]

    def stop(self) -> None:
        self.process.stop()
