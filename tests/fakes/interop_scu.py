"""Our Storage and Verification SCU (the verbs ``send`` and ``echo``) against receivers of others."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fakes.command import run_command
from fakes.interop import MAXIMUM_LENGTHS, SYNTAXES, Bench, Found, Play, Run, arrived, by_uid, each
from fakes.peers import Orthanc, dcmtk_tls, need
from fakes.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


TRIED: Final = ("echo", *SYNTAXES)
TITLE: Final = "ANY"


class Receiver(NamedTuple):
    """A peer that listens, and what it has by SOP Instance UID."""

    port: int
    received: Callable[[], dict[str, Path]]


def address(run: Run, bench: Bench, title: str, port: int) -> list[object]:
    """Return the options that name a peer to our verbs."""
    words: list[object] = ["--to", f"{title}@127.0.0.1:{port}"]
    if run.tls:
        words += ["--ca", bench.ca / "ca.pem", "--cert", bench.ca / "agent.pem", "--key", bench.ca / "agent.key"]
    return words


def send(run: Run, bench: Bench, receiver: Receiver) -> Found:
    """Verify the receiver and send it every sample on one association."""
    where = [*address(run, bench, TITLE, receiver.port), "--timeout", "20", "--json"]
    verified = run_command("echo", *where)
    sent = run_command("send", *where, *bench.samples.values())
    rows = {row["file"]: row for row in sent.json["files"]}
    answers = {word: rows[str(path)] for word, path in bench.samples.items()}
    problems = {word: "" if row["stored"] else row["meaning"] for word, row in answers.items()}
    return {
        "echo": "" if verified.returncode == 0 else verified.stderr.strip(),
        **arrived(bench.samples, receiver.received(), problems),
    }


@contextlib.contextmanager
def dcmtk(program: str, *options: str, run: Run, bench: Bench) -> Iterator[Receiver]:
    folder, port = bench.folder / "received", free_port()
    folder.mkdir()
    limit = ["--max-pdu", run.way] if run.way.isdigit() else []
    tls = dcmtk_tls(bench.ca, "archive") if run.tls else []
    command = [need(program), "--debug", *limit, *tls, *options, *_KEEP[program](folder), str(port)]
    with Process(command, bench.folder / f"{program}.log") as process:
        process.wait_listening(port)
        yield Receiver(port, lambda: by_uid(path for path in folder.iterdir() if path.name != "index.dat"))


def _database(folder: Path) -> list[str]:
    path = folder.parent / "dcmqrscp.cfg"
    path.write_text(
        "MaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{TITLE} {folder} RW (100, 1024mb) ANY\nAETable END\n"
    )
    return ["--config", str(path)]


_KEEP: Final[dict[str, Callable[[Path], list[str]]]] = {
    "storescp": lambda folder: ["+B", "--output-directory", str(folder)],
    "dcmrecv": lambda folder: ["+B", "--output-directory", str(folder)],
    "dcmqrscp": lambda folder: ["+B", *_database(folder)],
}


def _dcmtk(program: str, *options: str) -> Play:
    def carry_out(run: Run, bench: Bench) -> Found:
        with dcmtk(program, *options, run=run, bench=bench) as receiver:
            return send(run, bench, receiver)

    return TRIED, carry_out


def _orthanc(run: Run, bench: Bench) -> Found:
    orthanc = Orthanc(bench.folder / "orthanc", tls=bench.tls(run), more={"MaximumPduLength": int(run.way)})

    def received() -> dict[str, Path]:
        found = {}
        for uid in by_uid(bench.samples.values()):
            if orthanc.has(uid):
                found[uid] = bench.folder / uid
                found[uid].write_bytes(orthanc.file(uid))
        return found

    try:
        return send(run, bench, Receiver(orthanc.port, received))
    finally:
        orthanc.stop()


def tls_context(ca: Path, name: str, *, server: bool) -> ssl.SSLContext:
    """Return mutual TLS as Python comes with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(ca / f"{name}.pem", ca / f"{name}.key")
    context.load_verify_locations(ca / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _pynetdicom(run: Run, bench: Bench) -> Found:
    from pynetdicom import AE, AllStoragePresentationContexts, evt
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    folder = bench.folder / "received"
    folder.mkdir()

    longest = 0

    def on_pdu(event: Any) -> None:
        nonlocal longest
        longest = max(
            longest, int(getattr(event.pdu, "pdu_length", 0)) if type(event.pdu).__name__ == "P_DATA_TF" else 0
        )

    def on_store(event: Any) -> int:
        (folder / event.request.AffectedSOPInstanceUID).write_bytes(event.encoded_dataset())
        return 0

    ae = AE(TITLE)
    ae.maximum_pdu_size = int(run.way)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, list(SYNTAXES.values()))
    ae.add_supported_context(Verification)
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store), (evt.EVT_PDU_RECV, on_pdu)],
        ssl_context=tls_context(bench.ca, "archive", server=True) if run.tls else None,
    )  # fmt: skip
    try:
        found = send(run, bench, Receiver(int(server.server_address[1]), lambda: by_uid(folder.iterdir())))
    finally:
        server.shutdown()
    at_most = int(run.way) or 131_072  # our own bound where the peer has none
    assert at_most / 2 < longest <= at_most, f"the longest P-DATA-TF has {longest} bytes"
    return found


PEERS: Final[dict[str, Play]] = {
    "storescp": _dcmtk("storescp"),
    "storescp+xa": _dcmtk("storescp", "+xa"),
    "dcmrecv": _dcmtk("dcmrecv"),
    "dcmrecv+xf": _dcmtk("dcmrecv", "-xf", "/etc/dcmtk/storescp.cfg", "Default"),
    "dcmqrscp": _dcmtk("dcmqrscp"),
    "dcmqrscp+xr": (("rle",), _dcmtk("dcmqrscp", "+xr")[1]),
    "dcmqrscp+xt": (("jpeg-ls",), _dcmtk("dcmqrscp", "+xt")[1]),
    "dcmqrscp+xs": (("jpeg-lossless",), _dcmtk("dcmqrscp", "+xs")[1]),
    "Orthanc": (TRIED, _orthanc),
    "pynetdicom": (TRIED, _pynetdicom),
}


def runs() -> list[tuple[Run, Play]]:
    """Return this half of the matrix."""
    return each("SCU", MAXIMUM_LENGTHS, PEERS)
