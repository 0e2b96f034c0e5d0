"""The interoperability matrix as Markdown: a row for each peer with and without TLS, and the limits below."""

from __future__ import annotations

import ssl
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from fakes.interop import MAXIMUM_LENGTHS
from fakes.peers import versions

if TYPE_CHECKING:
    from fakes.interop import Cell

COLUMNS: Final = {
    "echo": "Verification",
    "listener": "of `run`",
    "explicit": "Explicit VR",
    "implicit": "Implicit VR",
    "rle": "RLE",
    "jpeg-ls": "JPEG-LS",
    "jpeg-lossless": "JPEG Lossless",
    "same": "report: same association",
    "new": "a new one",
    "next": "the next one",
    "send": "`send --commit`",
}
_ROLES: Final = {
    "SCU": "We send and ask for commitment (`send`, `echo`, `run`) to these SCPs",
    "SCP": "We store and report (`archive`) and listen (`run`) for these SCUs",
}
_HEAD: Final = """# Interoperability

Made by `scripts/interop --markdown INTEROP.md` with every peer on loopback; nothing here is written by hand.

Each row stands for several runs: one for each maximum length of the peer ({lengths}, where 0
means no limit), and one for Storage Commitment, whose report comes on the association of the question, on a new one of
the SCP, or on the next one of the SCU. *yes*: what arrived is what was sent, by pydicom, or the commitment is known to
whoever asked for it. A number is a limit of the peer, which was tried all the same and shows in what the peer answered
or logged; *yes* with a number: the other runs are green. A program with an option is a row of its own.

{versions}

**{summary}**
"""


def document(cells: list[Cell]) -> str:
    """Return the whole page."""
    lengths = ", ".join(MAXIMUM_LENGTHS[:-1])
    head = _HEAD.format(lengths=f"{lengths} and {MAXIMUM_LENGTHS[-1]}", versions=used(), summary=summary(cells))
    return "\n".join([head, *table(cells)]) + "\n"


def table(cells: list[Cell]) -> list[str]:
    """Return the lines of both tables and of the limits."""
    limits = list(dict.fromkeys(cell.why for cell in cells if cell.verdict == "limit"))
    lines = []
    for role in dict.fromkeys(cell.run.role for cell in cells):
        mine = [cell for cell in cells if cell.run.role == role]
        columns = [what for what in COLUMNS if any(cell.what == what for cell in mine)]
        lines += [f"## {_ROLES[role]}", ""]
        lines += [
            f"| peer | TLS | {' | '.join(COLUMNS[what] for what in columns)} |",
            "|---" * (len(columns) + 2) + "|",
        ]
        for peer, tls in dict.fromkeys((cell.run.peer, cell.run.tls) for cell in mine):
            row = [cell for cell in mine if (cell.run.peer, cell.run.tls) == (peer, tls)]
            shown = [_mark([cell for cell in row if cell.what == what], limits) for what in columns]
            lines.append(f"| {shown_name(peer)} | {'yes' if tls else ''} | {' | '.join(shown)} |")
        lines.append("")
    lines += ["## Limits of peers", ""] if limits else []
    for number, why in enumerate(limits, 1):
        explained = [shown_name(cell.run.peer) for cell in cells if cell.why == why]
        lines.append(f"{number}. {why} ({', '.join(dict.fromkeys(explained))}; {len(explained)} cells)")
    return lines + [f"RED {cell.name}: {cell.why}" for cell in cells if cell.verdict == "red"]


def shown_name(peer: str) -> str:
    """Return a peer as one types it: the program, a space and its option."""
    return peer.replace("+", " +").replace("-", " -")


def _mark(cells: list[Cell], limits: list[str]) -> str:
    words = ["**NO**"] if any(cell.verdict == "red" for cell in cells) else []
    words += ["yes"] if any(cell.verdict == "green" for cell in cells) else []
    numbers = sorted({limits.index(cell.why) + 1 for cell in cells if cell.verdict == "limit"})
    return " ".join([*words, *(f"[{number}]" for number in numbers)])


def summary(cells: list[Cell]) -> str:
    """Return how many cells there are of each kind."""
    parts = []
    for role in dict.fromkeys(cell.run.role for cell in cells):
        counts = {word: sum((cell.run.role, cell.verdict) == (role, word) for cell in cells) for word in _VERDICTS}
        shown = ", ".join(f"{count} {_VERDICTS[word]}" for word, count in counts.items())
        parts.append(f"as {role} {sum(counts.values())} cells: {shown}")
    return "; ".join(parts)


_VERDICTS: Final = {"green": "green", "limit": "explained by a limit of the peer", "red": "red"}


def used() -> str:
    """Return what was run, with versions."""
    found = versions()
    peers = ", ".join(f"{name} {found[name]}" for name in ("DCMTK", "Orthanc", "pynetdicom"))
    python = ".".join(map(str, sys.version_info[:3]))
    openssl = " ".join(ssl.OPENSSL_VERSION.split()[:2])
    ours = f"modality-agent {version('modality-agent')} (Python {python}, {openssl})"
    return f"{ours} with {peers}; judged by pydicom {found['pydicom']}."
