"""The interoperability matrix: our network code with programs we did not write, cell by cell, judged by what arrived.

A ``Run`` is one peer in one configuration; it has a cell for each thing tried in it. A cell is green when the instance
at the other side is the one that was sent, by pydicom (or the commitment report did what it says), explained when the
table of ``interop_limits`` knows what the peer cannot do and the peer's own words prove it, and red otherwise. What a
peer cannot do is tried all the same, and red when it works.
"""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import pydicom
from fakes.command import run_command
from fakes.foreign_instances import write_instances
from fakes.interop_limits import LIMITS, Tried
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
OUR_LOGS: Final = ("archive.log", "agent.log")
_PIXEL_BYTES: Final = 300_000  # more than two PDUs of the longest kind
_PEER_S: Final = 60.0


class Run(NamedTuple):
    """``role`` is ours; ``way`` is the maximum length of the peer, or "commitment" or "listener"."""

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


def judge(run: Run, what: str, problem: str, words: str) -> Cell:
    """Return the verdict on one cell; ``words`` are those of the peer."""
    limits = [limit for limit in LIMITS if re.fullmatch(limit.cells, run.name(what))]
    if not problem:
        stale = [f"worked, but the peer is said to be unable to: {limit.why}" for limit in limits]
        return Cell(run, what, "red" if stale else "green", "; ".join(stale))
    for limit in limits:
        if limit.proof(Tried(what, problem, words)):
            return Cell(run, what, "limit", limit.why)
    unproven = "".join(f" (the peer does not show that it {limit.why})" for limit in limits)
    return Cell(run, what, "red", problem + unproven)


def play(runs: Iterable[tuple[Run, Play]], bench: Bench, only: Sequence[str] = (), *, jobs: int = 1) -> Iterator[Cell]:
    """Carry out the runs with a cell of whose name ``only`` are words, ``jobs`` at a time, and judge those cells."""

    def cells(number: int, run: Run, how: Play, wanted: list[str]) -> list[Cell]:
        folder = bench.folder / f"{number:03d}"
        folder.mkdir()
        tried, carry_out = how
        try:
            found = carry_out(run, bench._replace(folder=folder))
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            found = dict.fromkeys(tried, f"{type(error).__name__}: {error}".strip())
        judged = []
        for what in wanted:
            own = folder / what
            words = _words_of_peers(own if own.is_dir() else folder)
            judged.append(judge(run, what, found.get(what, "was not tried"), words))
        return judged

    with ThreadPoolExecutor(jobs) as pool:
        played = []
        for number, (run, how) in enumerate(runs):
            if wanted := [what for what in how[0] if set(only) <= set(run.name(what).split(" "))]:
                played.append(pool.submit(cells, number, run, how, wanted))
        for one in played:
            yield from one.result()


def _words_of_peers(folder: Path) -> str:
    logs = [path for path in sorted(folder.rglob("*.log")) if path.name not in OUR_LOGS]
    return "\n".join(path.read_text(errors="replace") for path in logs)


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
    tags = {*before.keys(), *after.keys()}
    others = sorted(tag for tag in tags if tag not in before or tag not in after or before[tag] != after[tag])
    problems = [f"arrived with another {tag}" for tag in others]
    if was != now:
        problems.append(f"sent in {was.name}, arrived in {now.name}")
    return ", ".join(problems)


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


def run_peer(log: Path, *command: object) -> str:
    """Run a program of others to its end, its words in ``log``; the last ones when it fails."""
    with log.open("ab") as out:
        done = subprocess.run(
            list(map(str, command)), stdout=out, stderr=out, timeout=_PEER_S, check=False, stdin=subprocess.DEVNULL
        )
    if not done.returncode:
        return ""
    said = log.read_text(errors="replace").strip().splitlines() or [f"status {done.returncode}"]
    return said[-1]


def each(role: str, ways: Sequence[str], peers: dict[str, Play]) -> list[tuple[Run, Play]]:
    """Return every run of one half of the matrix."""
    make = partial(Run, role)
    return [(make(peer, tls, way), how) for peer, how in peers.items() for tls in (False, True) for way in ways]
