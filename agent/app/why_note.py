"""The sentence for the PACS team: what ``why`` ends with where something at the peer or on the way must be looked at.

It is one paragraph that can be read out on the telephone or pasted into a ticket: who asked whom, when, what came back
(with the numbers of the protocol), and what to check at the other end. There is no word about a patient in it and no
UID of an instance; an Error Comment of the peer stays out, because peers write names into it.
"""

from __future__ import annotations

import re
import socket

from agent.app.term import stamp_text
from agent.dimse.status import Service, explain
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.config.settings import Settings
    from agent.spool.receipt import Receipt

_CODE: Final = re.compile(r" \[([a-z_.]+)\]$")
# Words behind a status are the peer's.
_STATUS: Final = re.compile(r"^status [0-9A-F]{4}H.*", re.DOTALL)
# Errors whose text is ours, or numbers of the protocol; of any other the code alone is told.
_SAFE: Final = ("association.", "link.", "protocol")
NO_COMMITMENT: Final = "commitment"
# What was asked for, by the state of a delivery or the code of an error.
_ASKED: Final[Mapping[str, str]] = {
    "dimse.status": "sent an image with C-STORE to {peer}",
    NO_COMMITMENT: "asked {peer} for Storage Commitment",
    "": "asked {peer} for an association",
}
# Code of the error (the longest beginning that fits) -> what to check there.
CHECKS: Final[Mapping[str, str]] = {
    "association.rejected.permanent": "whether {ours} from {address} is registered as a calling AE Title, and whether "
    "{called} is the AE Title of this server",
    "association.rejected": "why it is busy: limits of associations, in all and for {ours}",
    "association.no_context": "whether this SOP Class, and one of the transfer syntaxes offered, is enabled for {ours}",
    "association.user": "whether the user identity of {ours} is known there",
    "association": "what its log says of the association of {ours} at that time",
    "link.connect": "whether the DICOM service runs on {host} and listens on port {port}, and whether a firewall lets "
    "{address} through",
    "link.timeout": "whether the DICOM service on {host} port {port} is stuck or overloaded, and what its log says of "
    "{ours} at that time",
    "link.closed": "what its log says of {ours} at that time, and whether something between us cuts connections",
    "link.tls": "whether port {port} is the TLS port, which CA it accepts, and whether our certificate is trusted",
    "dimse.status": "what its log says of the image that {ours} sent at that time",
    "protocol": "what its log says of {ours} at that time, and its version: it broke a rule of the protocol",
    NO_COMMITMENT: "whether Storage Commitment is enabled for {ours}, and whether its report can reach {ours} at "
    "{address}{port_of_ours}",
}


class Ours(NamedTuple):
    """Who we are to the destination."""

    ae_title: str
    address: str  # as far as it is known
    listens_on: int  # 0: nowhere


class Met(NamedTuple):
    """What came of it: a reason with its code in brackets, perhaps a status of C-STORE, and when (wall s)."""

    reason: str
    status: int | None = None
    at: float | None = None


def note(ours: Ours, peer: str, met: Met) -> str:
    """Return the paragraph, or '' where the peer has nothing to check."""
    found = _CODE.search(met.reason)
    code = NO_COMMITMENT if met.reason == NO_COMMITMENT else found.group(1) if found else ""
    check = next((CHECKS[key] for key in sorted(CHECKS, key=len, reverse=True) if code.startswith(key)), "")
    if not check or not code:
        return ""
    called, _, place = peer.partition("@")
    host, _, port = place.rpartition(":")
    words = {
        "ours": ours.ae_title, "address": ours.address or "our address", "called": called, "host": host.strip("[]"),
        "port": port, "peer": peer, "port_of_ours": f" port {ours.listens_on}" if ours.listens_on else "",
    }  # fmt: skip
    when = f"On {stamp_text(met.at)} " if met.at else ""
    where = f" ({ours.address})" if ours.address else ""
    asked = _ASKED.get(code, _ASKED[""]).format(**words)
    return (
        f"{when}our modality {ours.ae_title}{where} {asked}; {_result(code, met)}. "
        f"Please check {check.format(**words)}."
    )


def _result(code: str, met: Met) -> str:
    if code == NO_COMMITMENT:
        return "no report that it has taken the images over has come"
    if met.status is not None and code == "dimse.status":
        return f"the answer was status {met.status:04X}H, {explain(Service.STORAGE, met.status).meaning}"
    if code.startswith(_SAFE):
        text = _CODE.sub("", met.reason)
        text = re.sub(r"^\S+@\S+: ", "", text)  # the peer, which is named already
        return f"it failed: {text}" if not _STATUS.match(text) else "it was refused"
    return f"it failed with {code}"


def address_towards(place: str) -> str:
    """Our address on the way to ``AET@HOST:PORT``, without a packet; '' where that needs a name server."""
    host, _, port = place.partition("@")[2].rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
        with socket.socket(family, socket.SOCK_DGRAM) as side:
            side.connect((host, int(port)))
            return str(side.getsockname()[0])
    except (OSError, ValueError):
        return ""


def ours_of(settings: Settings | None, answer: Mapping[str, Any], peer: str) -> Ours:
    """Who we are, by the running agent or else the configuration."""
    title = answer.get("ae_title") or (settings.agent.ae_title if settings else "this box")
    listener = answer.get("listener") if answer else None
    port = listener["port"] if listener else 0
    if not answer and settings is not None and settings.listener.enabled:
        port = settings.listener.port
    return Ours(title, address_towards(peer), port)


def of_destination(
    facts: Mapping[str, Any], flights: Sequence[Mapping[str, Any]], settings: Settings | None, answer: Mapping[str, Any]
) -> str:
    """The paragraph about a destination, from the facts of ``why``: the way first, then what waits the most for it."""
    link = facts["way"]
    peer = link["peer"] if link else _configured(settings, facts["destination"])
    at = last_failure(flights)
    met = [Met(link["reason"], None, at)] if link and link["failures"] else []
    met += [Met(row["reason"], row["status"], at) for row in facts["waiting"] if row["state"] in ("held", "deferred")]
    if not facts["commits"] or any(row["state"] == "unconfirmed" for row in facts["waiting"]):
        met.append(Met(NO_COMMITMENT))
    return _first(met, ours_of(settings, answer, peer), peer) if peer else ""


def of_instance(
    receipt: Receipt, rows: Sequence[Mapping[str, Any]], links: Mapping[str, Any], settings: Settings | None,
    answer: Mapping[str, Any],
) -> str:  # fmt: skip
    """The paragraph about an instance: of the first destination where something must be looked at."""
    for row, custody in zip(rows, receipt.deliveries, strict=True):
        link = links.get(custody.destination)
        peer = link["peer"] if link else _configured(settings, custody.destination) or custody.peer
        if row["done"] or not peer:
            continue
        met = [Met(link["reason"])] if link and link["failures"] else []
        if custody.state in ("held", "deferred"):
            times = [one.at for one in receipt.events if one.destination == custody.destination]
            met.insert(0, Met(custody.reason, custody.status, times[-1] if times else None))
        if custody.state == "unconfirmed":
            met.append(Met(NO_COMMITMENT, None, custody.answered_at))
        said = _first(met, ours_of(settings, answer, peer), peer)
        if said:
            return said
    return ""


def _first(met: Sequence[Met], ours: Ours, peer: str) -> str:
    return next((said for one in met if (said := note(ours, peer, one))), "")


def _configured(settings: Settings | None, name: str) -> str:
    rows = settings.destination if settings is not None else ()
    return next((f"{row.called_ae}@{row.host}:{row.port}" for row in rows if row.name == name), "")


def last_failure(flights: Sequence[Mapping[str, Any]]) -> float | None:
    """When the last association that ended badly began."""
    return next((one["at"] for one in reversed(flights) if one["end"]["code"]), None)
