"""Our Storage and Verification SCP (the verb ``archive``) with requestors of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pydicom
from fakes.interop import MAXIMUM_LENGTHS, SYNTAXES, Bench, Found, Play, Run, arrived, each, run_peer
from fakes.interop_scu import tls_context
from fakes.peers import Orthanc, dcmtk_tls, need
from fakes.site import Archive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Store = Callable[[Run, Bench, Archive], Found]  # store every sample into the archive; what went wrong

_PROPOSE: Final = {"explicit": "-xe", "implicit": "-xi", "rle": "-xr", "jpeg-ls": "-xt", "jpeg-lossless": "-xs"}


def _with_archive(store: Store, tried: tuple[str, ...]) -> Play:
    def carry_out(run: Run, bench: Bench) -> Found:
        archive = Archive(bench.folder / "archive", tls=bench.tls(run))
        archive.start()
        try:
            problems = store(run, bench, archive)
            stored = {what: path for what, path in bench.samples.items() if what in tried}
            return problems | arrived(stored, dict(archive.index()), problems)
        finally:
            archive.stop()

    return tried, carry_out


def dcmtk_to(run: Run, bench: Bench, archive: Archive, program: str, *options: str) -> list[str]:
    """Return the command of a DCMTK requestor up to the files."""
    tls = dcmtk_tls(bench.ca, "agent") if run.tls else []
    limits = ["--max-pdu", run.way, *(["--max-send-pdu", run.way] if program != "echoscu" else [])]
    return [need(program), "--debug", *tls, *limits, *options, "-aec", archive.ae_title, "127.0.0.1", str(archive.port)]


def _storescu(*options: str) -> Store:
    def store(run: Run, bench: Bench, archive: Archive) -> Found:
        found = {}
        for what, path in bench.samples.items():
            command = dcmtk_to(run, bench, archive, "storescu", _PROPOSE[what], *options)
            found[what] = run_peer(bench.folder / "storescu.log", *command, path)
        return found

    return store


def _dcmsend(*options: str) -> Store:
    def store(run: Run, bench: Bench, archive: Archive) -> Found:
        command = dcmtk_to(run, bench, archive, "dcmsend", *options)
        said = run_peer(bench.folder / "dcmsend.log", *command, *bench.samples.values())
        return dict.fromkeys(bench.samples, said)

    return store


def _echoscu(run: Run, bench: Bench, archive: Archive) -> Found:
    return {"echo": run_peer(bench.folder / "echoscu.log", *dcmtk_to(run, bench, archive, "echoscu"))}


def modality(archive: Archive, *, tls: bool) -> Mapping[str, Any]:
    """Return what Orthanc should know of the archive."""
    return {"AET": archive.ae_title, "Host": "127.0.0.1", "Port": archive.port, "UseDicomTls": tls}


def _orthanc(run: Run, bench: Bench, archive: Archive) -> Found:
    orthanc = Orthanc(
        bench.folder / "orthanc", modalities={"bench": modality(archive, tls=run.tls)}, tls=bench.tls(run),
        more={"MaximumPduLength": int(run.way)},
    )  # fmt: skip
    found = {"echo": ""}
    try:
        orthanc.ask("/modalities/bench/echo", {})
        for path in bench.samples.values():
            orthanc.ask("/instances", path.read_bytes())
        identifiers = orthanc.get("/instances")
        job = orthanc.ask("/modalities/bench/store", {"Resources": identifiers, "Synchronous": True})
        assert job["FailedInstancesCount"] == 0, job
    finally:
        orthanc.stop()
    return found


def _pynetdicom(run: Run, bench: Bench, archive: Archive) -> Found:
    from pynetdicom import AE
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    files = {what: pydicom.dcmread(path) for what, path in bench.samples.items()}
    ae = AE("AGENT")
    ae.add_requested_context(Verification)
    for file in files.values():
        ae.add_requested_context(file.SOPClassUID, file.file_meta.TransferSyntaxUID)
    association = ae.associate(
        "127.0.0.1", archive.port, ae_title=archive.ae_title, max_pdu=int(run.way),
        tls_args=(tls_context(bench.ca, "agent", server=False), "127.0.0.1") if run.tls else None,
    )  # fmt: skip
    assert association.is_established
    answers = {"echo": association.send_c_echo()}
    answers |= {what: association.send_c_store(file) for what, file in files.items()}
    association.release()
    return {what: "" if answer.get("Status") == 0 else f"status {answer}" for what, answer in answers.items()}


PEERS: Final[dict[str, Play]] = {
    "echoscu": _with_archive(_echoscu, ("echo",)),
    "storescu": _with_archive(_storescu(), tuple(SYNTAXES)),
    "storescu+C": _with_archive(_storescu("+C"), tuple(SYNTAXES)),
    "dcmsend": _with_archive(_dcmsend(), tuple(SYNTAXES)),
    "dcmsend-dn": _with_archive(_dcmsend("-dn"), tuple(SYNTAXES)),
    "Orthanc": _with_archive(_orthanc, ("echo", *SYNTAXES)),
    "pynetdicom": _with_archive(_pynetdicom, ("echo", *SYNTAXES)),
}


def runs() -> list[tuple[Run, Play]]:
    """Return this half of the matrix."""
    return each("SCP", MAXIMUM_LENGTHS, PEERS)
