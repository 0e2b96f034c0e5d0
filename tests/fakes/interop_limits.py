"""What a peer of the interoperability matrix cannot do, each with its proof in what the peer itself wrote or sent.

DCMTK at debug level writes the presentation contexts of each A-ASSOCIATE-RQ and, with results, of each A-ASSOCIATE-AC;
``negotiated`` reads both. A limit without its proof explains nothing, so that a reason ends with the peer's version
that it was true of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

DCMTK_NAMES: Final = {
    "explicit": "LittleEndianExplicit",
    "implicit": "LittleEndianImplicit",
    "rle": "RLELossless",
    "jpeg-ls": "JPEGLSLossless",
    "jpeg-lossless": "JPEGLossless:Non-hierarchical-1stOrderPrediction",
}
INSTANCES: Final = "SecondaryCaptureImageStorage"
COMMITMENT: Final = "StorageCommitmentPushModelSOPClass"
_CONTEXT = re.compile(r"Context ID:\s+(\d+) \(([^)]+)\)(.*?)(?=Context ID:|Requested Extended|\Z)", re.DOTALL)


class Tried(NamedTuple):
    """A cell that is not green: what was tried in it, what went wrong, and every word of the peer during its run."""

    what: str
    problem: str
    words: str


class Context(NamedTuple):
    """One presentation context in the log of a DCMTK program."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    result: str


class Limit(NamedTuple):
    """``cells``: a regular expression for the whole name."""

    cells: str
    why: str
    proof: Callable[[Tried], bool]


def negotiated(words: str) -> list[Context]:
    """Return every context that was proposed and answered, by DCMTK's names."""
    found = []
    proposed: dict[str, tuple[str, ...]] = {}
    for number, result, rest in _CONTEXT.findall(words):
        names = re.findall(r"=(\S+)", rest)
        if result == "Proposed":
            proposed[number] = tuple(names[1:])
        elif names:
            found.append(Context(names[0], proposed.get(number, ()), result))
    return found


def says(pattern: str) -> Callable[[Tried], bool]:
    """Prove by words of the peer."""
    return lambda tried: re.search(pattern, tried.words) is not None


def refuses(result: str, abstract_syntax: str = INSTANCES) -> Callable[[Tried], bool]:
    """Prove by the A-ASSOCIATE-AC: each context for what was tried has this result."""

    def proof(tried: Tried) -> bool:
        name = DCMTK_NAMES.get(tried.what)
        contexts = [one for one in negotiated(tried.words) if one.abstract_syntax == abstract_syntax]
        results = {one.result for one in contexts if name is None or name in one.transfer_syntaxes}
        return results == {result}

    return proof


def _converts(tried: Tried) -> bool:
    """Tell whether the requestor never puts Implicit VR first, and nothing changed but the transfer syntax."""
    contexts = [one.transfer_syntaxes for one in negotiated(tried.words)]
    implicit = DCMTK_NAMES["implicit"]
    always_behind = any(implicit in one for one in contexts) and all(one[0] != implicit for one in contexts)
    return always_behind and tried.problem == "sent in Implicit VR Little Endian, arrived in Explicit VR Little Endian"


_OTHER_SYNTAX = refuses("Transfer Syntaxes Not Supported")
_NO_SUCH_LENGTH = says(
    r"Invalid value for option --max-pdu \(underflow: 0\)|Maximum PDU length must be greater than 4096"
)

LIMITS: Final = (
    Limit(r"(SCU|SCP) (storesc|echoscu|dcm|Orthanc).* 0 .*", "has no maximum length of 0, which means no limit",
          _NO_SUCH_LENGTH),
    Limit(r"(SCU dcmqrscp|SCP dcmsend).* tls .*", "has no TLS", says(r"Unknown option \+tls")),
    Limit(r"SCU storescp \S+ \d+ (rle|jpeg.*)", "takes uncompressed instances only, unless started with +xa",
          _OTHER_SYNTAX),
    Limit(rf"SCU dcmrecv \S+ \d+ ({'|'.join(DCMTK_NAMES)})", "takes Verification only, unless given a profile with -xf",
          refuses("Abstract Syntax Not Supported")),
    Limit(r"SCU dcmqrscp \S+ \d+ (rle|jpeg.*)",
          "takes uncompressed instances only, unless an option names one more syntax",
          refuses("Abstract Syntax Not Supported")),
    Limit(r"SCP dcmsend\S* plain \d+ implicit", "proposes all that is uncompressed in one context, Explicit VR first",
          _converts),
    Limit(r"SCU (storescp|dcm).* commitment .*", "has no Storage Commitment",
          refuses("Abstract Syntax Not Supported", COMMITMENT)),
    Limit(r"SCP (storescu|echoscu|dcmsend) .* commitment .*", "has no Storage Commitment",
          says(r"(?s)\A(?!.*[Cc]ommitment).*\bDICOM\b")),
    Limit(r"SCU Orthanc .* commitment (same|next)", "reports on associations of its own only",
          says(r'Opening a DICOM SCU connection .* to AET "AGENT"')),
    Limit(r"SCP Orthanc .* commitment (same|next)", "releases right behind the answer to its question",
          says(r"(?s)N-ACTION RSP(?!.*N-EVENT-REPORT)")),
)  # fmt: skip
