"""The listener of the agent (the verb ``run``), verified by requestors of others; its reports: ``interop_commit``."""

from __future__ import annotations

import urllib.error
from typing import TYPE_CHECKING, Final

from fakes.interop import Bench, Found, Play, Run, each, run_peer
from fakes.interop_scu import tls_context
from fakes.peers import Orthanc, dcmtk_tls, need
from fakes.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable

_TITLE: Final = "AGENT"
TRIED: Final = ("listener",)


def _with_agent(verify: Callable[[Run, Bench, int], str]) -> Play:
    def carry_out(run: Run, bench: Bench) -> Found:
        site = Site(bench.folder / "site", tls=bench.tls(run))
        site.configure(destinations=[])
        site.start()
        try:
            return {"listener": verify(run, bench, site.port)}
        finally:
            site.stop()

    return TRIED, carry_out


def _echoscu(run: Run, bench: Bench, port: int) -> str:
    tls = dcmtk_tls(bench.ca, "archive") if run.tls else []
    return run_peer(bench.folder / "echoscu.log", need("echoscu"), *tls, "-aec", _TITLE, "127.0.0.1", port)


def _orthanc(run: Run, bench: Bench, port: int) -> str:
    known = {"AET": _TITLE, "Host": "127.0.0.1", "Port": port, "UseDicomTls": run.tls}
    orthanc = Orthanc(bench.folder / "orthanc", modalities={"agent": known}, tls=bench.tls(run))
    try:
        orthanc.ask("/modalities/agent/echo", {})
    except urllib.error.HTTPError as error:
        return str(error)
    finally:
        orthanc.stop()
    return ""


def _pynetdicom(run: Run, bench: Bench, port: int) -> str:
    from pynetdicom import AE
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    ae = AE("PEER")
    ae.add_requested_context(Verification)
    tls = (tls_context(bench.ca, "archive", server=False), "127.0.0.1") if run.tls else None
    association = ae.associate("127.0.0.1", port, ae_title=_TITLE, tls_args=tls)
    assert association.is_established
    answer = association.send_c_echo()
    association.release()
    return "" if answer.get("Status") == 0 else f"status {answer}"


PEERS: Final[dict[str, Play]] = {
    "echoscu": _with_agent(_echoscu),
    "Orthanc": _with_agent(_orthanc),
    "pynetdicom": _with_agent(_pynetdicom),
}


def runs() -> list[tuple[Run, Play]]:
    """Return this part of the matrix."""
    return each("SCP", TRIED, PEERS)
