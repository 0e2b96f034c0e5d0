"""The interoperability matrix: our network code with programs we did not write, cell by cell, judged by what arrived.

A ``Run`` is one peer in one configuration; it has a cell for each thing tried in it. A cell is green when the instance
at the other side is the one that was sent, by pydicom (or the commitment report did what it says), explained when the
table ``LIMITS`` knows what the peer cannot do, and red otherwise: also when such a limit turns out not to be one, which
is why what a peer cannot do is tried all the same.
"""

from __future__ import annotations

import re
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import pydicom
from fakes.command import run_command
from fakes.foreign_instances import write_instances
from pydicom.uid import UID

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, JPEG_LOSSLESS_SV1, JPEG_LS_LOSSLESS, RLE_LOSSLESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

SYNTAXES: Final = {
    "explicit": EXPLICIT_VR_LE,
    "implicit": IMPLICIT_VR_LE,
    "rle": RLE_LOSSLESS,
    "jpeg-ls": JPEG_LS_LOSSLESS,
    "jpeg-lossless": JPEG_LOSSLESS_SV1,
}
MAXIMUM_LENGTHS: Final = ("4096", "16384", "131072", "0")  # of the peer; 16384 is what toolkits come with, 0 no limit
_PIXEL_BYTES: Final = 300_000  # more than two PDUs of the longest kind
_PEER_S: Final = 60.0

# Cells by name (a regular expression for all of it) -> what the peer cannot do.
LIMITS: Final = {
    r"(SCU|SCP) (storescp|storescu|dcm|Orthanc).* 0 .*": "takes maximum lengths from 4096 to 131072 only",
    r"SCU storescp \S+ \d+ (rle|jpeg.*)": "takes uncompressed instances only, unless started with +xa",
    rf"SCU dcmrecv \S+ \d+ ({'|'.join(SYNTAXES)})": "takes Verification only, unless given a profile with -xf",
    r"SCU dcmqrscp.* tls .*": "has no TLS",
    r"SCU dcmqrscp \S+ \d+ (rle|jpeg.*)": "takes uncompressed instances only, unless an option names one more syntax",
}


class Run(NamedTuple):
    """``role`` is ours; ``way`` is the maximum length of the peer, or how the report of a commitment comes."""

    role: str
    peer: str
    tls: bool
    way: str

    def name(self, what: str) -> str:
        """Name one cell."""
        return f"{self.role} {self.peer} {'tls' if self.tls else 'plain'} {self.way} {what}"


Found = dict[str, str]  # what was tried -> what went wrong with it, empty if nothing
Play = tuple[tuple[str, ...], "Callable[[Run, Bench], Found]"]  # what is tried, and how


class Bench(NamedTuple):
    """What every run needs: a folder of its own, a throw-away CA, and instances by transfer syntax."""

    folder: Path
    ca: Path
    samples: dict[str, Path]

    def tls(self, run: Run) -> Path | None:
        return self.ca if run.tls else None


class Cell(NamedTuple):
    """One verdict: ``green``, ``limit`` or ``red``, and why."""

    run: Run
    what: str
    verdict: str
    why: str

    @property
    def name(self) -> str:
        return self.run.name(self.what)


def judge(run: Run, what: str, problem: str) -> Cell:
    """Return the verdict on one cell."""
    limit = next((why for pattern, why in LIMITS.items() if re.fullmatch(pattern, run.name(what))), "")
    if limit:
        stale = f"worked, but the peer is said to be unable to: {limit}"
        return Cell(run, what, "limit", limit) if problem else Cell(run, what, "red", stale)
    return Cell(run, what, "red" if problem else "green", problem)


def play(runs: Iterable[tuple[Run, Play]], bench: Bench, only: Sequence[str] = ()) -> Iterator[Cell]:
    """Carry out every run that has a cell of whose name ``only`` are words, and judge those cells."""
    for number, (run, (tried, carry_out)) in enumerate(runs):
        wanted = [what for what in tried if set(only) <= set(run.name(what).split(" "))]
        if not wanted:
            continue
        folder = bench.folder / f"{number:03d}"
        folder.mkdir()
        try:
            found = carry_out(run, bench._replace(folder=folder))
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            found = dict.fromkeys(tried, f"{type(error).__name__}: {error}".strip())
        for what in wanted:
            yield judge(run, what, found.get(what, "was not tried"))


def samples(folder: Path) -> dict[str, Path]:
    """Make one instance of pydicom's in each transfer syntax, by our ``transcode``; pydicom sees the same pixels."""
    paths = write_instances(folder / "explicit", len(SYNTAXES), _PIXEL_BYTES)
    found = {}
    for (word, syntax), path in zip(SYNTAXES.items(), paths, strict=True):
        found[word] = path
        if word == "explicit":
            continue
        found[word] = folder / f"{word}.dcm"
        done = run_command("transcode", path, "--to", word, "-o", found[word])
        assert done.returncode == 0, done.stderr
        before, after = pydicom.dcmread(path), pydicom.dcmread(found[word])
        assert after.file_meta.TransferSyntaxUID == syntax
        assert (before.pixel_array == after.pixel_array).all()
    return found


def difference(sent: Path, got: Path) -> str:
    """Say what of an instance did not arrive as it was sent, by pydicom."""
    before, after = pydicom.dcmread(sent), pydicom.dcmread(got)
    was, now = (UID(one.file_meta.TransferSyntaxUID) for one in (before, after))
    if was != now:
        return f"sent in {was.name}, arrived in {now.name}"
    tags = {*before.keys(), *after.keys()}
    others = sorted(tag for tag in tags if tag not in before or tag not in after or before[tag] != after[tag])
    return f"arrived with another {', '.join(map(str, others))}" if others else ""


def arrived(sent: dict[str, Path], at: dict[str, Path], problems: Found) -> Found:
    """Compare what was sent with what there is ``at`` the receiver, by SOP Instance UID."""
    found = {}
    for word, path in sent.items():
        uid = pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID
        gone = "" if uid in at else "did not arrive"
        found[word] = problems.get(word, "") or gone or difference(path, at[uid])
    return found


def by_uid(paths: Iterable[Path]) -> dict[str, Path]:
    """Index files by SOP Instance UID."""
    return {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID): path for path in paths}


def run_peer(*command: object) -> str:
    """Run a program of others to its end; its last words when it fails."""
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, timeout=_PEER_S, check=False, stdin=subprocess.DEVNULL)
    said = (done.stdout + done.stderr).strip().splitlines() or [f"status {done.returncode}"]
    return said[-1] if done.returncode else ""


def each(role: str, ways: Sequence[str], peers: dict[str, Play]) -> list[tuple[Run, Play]]:
    """Return every run of one half of the matrix."""
    make = partial(Run, role)
    return [(make(peer, tls, way), how) for peer, how in peers.items() for tls in (False, True) for way in ways]
