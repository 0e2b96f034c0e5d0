"""Acquisition: frames at the pace of a device through ring, pixel path, encoder and spool, beside ffmpeg.

A file of raw frames is the device: it is replayed at the rate of a scanner or a detector, by us and by ffmpeg
(``-readrate 1``), and each makes the same lossless thing of it. We also correct or black out what the site wants, hash,
and make every frame durable on the way; ffmpeg syncs nothing. A frame that a device has and nobody takes in time is
lost, so the figure is the rate at which none was. Where the asked rate is too much, lower ones are tried until none is.
Latency is from the time stamp of a frame to the sync that made it durable: marks of a clip (agent/acquire/interim.py)
or, of a still, its seal.

A camera of GigE Vision stands beside Aravis' own viewer, on a network of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bench_lib import AGENT, DATA, OUT, ROOT, measure, median, print_table

WORKER = ROOT / "scripts" / "bench_tools" / "acquire_worker.py"
PYTHON = AGENT.parent / "python"
TRIES = 5
SLOWER = 0.9  # of what was stored in a second of a run that lost frames
IN_TIME = 1.05  # ffmpeg falls behind where it takes longer


class Case(NamedTuple):
    """What a device sends, what becomes of it, and the encoders that are tried on it (ours, ffmpeg's)."""

    name: str
    pattern: str
    rows: int
    columns: int
    samples: int
    bits: int
    rate_hz: float
    seconds: int
    looped: int  # frames of the file
    sop_class: str
    path: str  # keys of the pixel path
    pixel_format: str  # ffmpeg's name
    stills: bool = False

    @property
    def frame_bytes(self) -> int:
        return self.rows * self.columns * self.samples * self.bits // 8


SYNTAXES = {"explicit": "copy", "rle": "", "jpeg-ls": "jpegls"}  # what ffmpeg has for it
DETECTOR = 'offset_file = "{folder}/dark.raw"\ngain_file = "{folder}/gain.raw"\ndefects_file = "{folder}/defects.txt"'
FACTS = {
    "us-mf": "",
    "sc-mf-word": 'burned_in_annotation = "NO"',
    "dx": 'burned_in_annotation = "NO"\npatient_orientation = "L/F"\nview = "PA"\nanatomy = "CHEST"\nlaterality = "U"\n'
    'pixel_spacing_mm = 0.14\nintensity_relationship = "LIN"\nintensity_sign = 1\ndetector_type = "SCINTILLATOR"',
}
BLACKOUT = 'blackout = ["0,0,64,512"]'


def cases(*, quick: bool) -> list[Case]:
    hd, panel, seconds = ((480, 640), (1024, 1024), 3) if quick else ((1080, 1920), (3072, 3072), 10)
    return [
        Case("ultrasound, RGB", "us-rgb", *hd, 3, 8, 60, seconds, 30, "us-mf", BLACKOUT, "rgb24"),
        Case("detector, 16 bit", "dx16", *panel, 1, 16, 8, seconds, 8, "sc-mf-word", DETECTOR, "gray16le"),
        Case("detector, stills", "dx16", *panel, 1, 16, 8, seconds, 8, "dx", DETECTOR, "gray16le", stills=True),
    ]


def main(rounds: int, *, quick: bool) -> int:
    """Run everything, interleaved; print tables, write bench-out/acquire.json."""
    if shutil.which("ffmpeg") is None:
        raise SystemExit("bench acquire: ffmpeg is not installed; apt-get install ffmpeg")
    report: list[dict[str, Any]] = []
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="acquire-", dir=DATA) as scratch:
        folder = Path(scratch)
        for case in cases(quick=quick):
            _make_device(case, folder)
            rates = dict.fromkeys(SYNTAXES, case.rate_hz)
            found: dict[str, list[dict[str, Any]]] = {syntax: [] for syntax in SYNTAXES}
            peers: dict[str, list[dict[str, float]]] = {peer: [] for peer in SYNTAXES.values() if peer}
            for _ in range(rounds):
                for syntax, peer in SYNTAXES.items():
                    found[syntax].append(_ours(case, folder, syntax, rates))
                    if peer and not case.stills:
                        peers[peer].append(_ffmpeg(case, folder, peer))
            report.append({"case": case._asdict(), "ours": found, "ffmpeg": peers})
            _show(case, found, peers)
    if shutil.which("arv-camera-test-0.8"):
        report.append({"camera": _camera(rounds)})
    else:
        print("not compared with Aravis: arv-camera-test-0.8 is not installed (aravis-tools)")
    OUT.mkdir(exist_ok=True)
    (OUT / "acquire.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _worker(*words: str) -> dict[str, Any]:
    shown = subprocess.run([str(PYTHON), str(WORKER), *words], capture_output=True, text=True, check=False)
    if shown.returncode:
        raise SystemExit(f"bench acquire: {' '.join(words)} ended with {shown.returncode}:\n{shown.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def _make_device(case: Case, folder: Path) -> None:
    """Frames of the pattern, their sidecar, and what a detector is corrected with."""
    raw = folder / "frames.raw"
    uri = f"pattern:{case.pattern}?rows={case.rows}&columns={case.columns}&rate_hz=0"
    _worker("frames", uri, str(case.looped), str(raw))
    colour = 'samples_per_pixel = 3\nphotometric_interpretation = "RGB"\n' if case.samples == 3 else ""
    (folder / "frames.raw.toml").write_text(
        f"rows = {case.rows}\ncolumns = {case.columns}\nbits_allocated = {case.bits}\n{colour}"
    )
    rng = np.random.default_rng(7)
    size = (case.rows, case.columns)
    rng.integers(0, 64, size).astype("<u2").tofile(folder / "dark.raw")
    rng.integers(16_000, 16_800, size).astype("<u2").tofile(folder / "gain.raw")
    dead = rng.integers(0, min(size), (200, 2))
    (folder / "defects.txt").write_text("".join(f"{row} {column}\n" for row, column in dead))


# --- ours -----------------------------------------------------------------------------------------


def _ours(case: Case, folder: Path, syntax: str, rates: dict[str, float]) -> dict[str, Any]:
    """Capture at the rate that is still possible, as far as is known; at a lower one where frames were lost."""
    for _ in range(TRIES):
        rate = rates[syntax]
        found = {"rate_hz": rate, **_capture(case, folder, syntax, rate)}
        lost = found["dropped"] or (case.stills and found["frames"] / found["seconds"] < rate / IN_TIME)
        if not lost and found["ended_by"] in (["time"], ["frames"]):
            return found
        rates[syntax] = SLOWER * min(rate, found["frames"] / found["seconds"])
        lost = f"{found['dropped']} of {found['dropped'] + found['frames']} dropped"
        ended = ", ".join(found["ended_by"])
        print(f"{case.name}, {syntax}: {rate:.1f}/s is too much: {lost}, ended by {ended}", flush=True)
    return found


def _capture(case: Case, folder: Path, syntax: str, rate: float) -> dict[str, Any]:
    config = folder / "agent.toml"
    wanted = round(rate * case.seconds)
    how = f"every_s = {1 / rate}\ncaptures = {wanted}" if case.stills else f"clip_s = {case.seconds}"
    config.write_text(
        f'[spool]\npath = "{folder}/spool"\n[[source]]\nname = "device"\n'
        f'uri = "replay:{folder}/frames.raw?rate_hz={rate}&repeat=1"\nsop_class = "{case.sop_class}"\n'
        f'transfer_syntax = "{syntax}"\n{how}\n{FACTS[case.sop_class]}\n{case.path.format(folder=folder)}\n'
    )
    os.sync()  # what the run before wrote is not this one's to wait for
    try:
        return _worker("run", str(config), str(folder / "spool"))
    finally:
        shutil.rmtree(folder / "spool", ignore_errors=True)


# --- ffmpeg ---------------------------------------------------------------------------------------


def _ffmpeg(case: Case, folder: Path, codec: str) -> dict[str, float]:
    """Seconds and CPU seconds for the same frames at the asked rate."""
    out = folder / "ffmpeg.nut"
    os.sync()
    kind = ["-pix_fmt", case.pixel_format, "-s", f"{case.columns}x{case.rows}", "-framerate", f"{case.rate_hz:g}"]
    taken = measure(
        ["ffmpeg", "-v", "error", "-y", "-readrate", "1", "-stream_loop", "-1", "-f", "rawvideo", *kind,
         "-i", str(folder / "frames.raw"), "-t", str(case.seconds), "-c:v", codec, "-f", "nut", str(out)],
        cpu=None,
    )  # fmt: skip
    size = out.stat().st_size
    out.unlink()
    return {"seconds": taken.wall_s, "cpu_s": taken.cpu_s, "peak_kib": taken.peak_kib, "file_bytes": size}


# --- what is shown ---------------------------------------------------------------------------------


def _show(case: Case, found: dict[str, list[dict[str, Any]]], peers: dict[str, list[dict[str, float]]]) -> None:
    print(f"\n{case.name}: {case.columns} x {case.rows}, {case.samples * case.bits} bit at {case.rate_hz:g}/s, "
          f"{case.frame_bytes * case.rate_hz / 1e6:.0f} MB/s, {case.seconds} s")  # fmt: skip
    rows = [_row(case, syntax, runs) for syntax, runs in found.items()]
    for codec, taken in peers.items():
        if not taken:
            continue
        wall = median([run["seconds"] for run in taken])
        frames = case.rate_hz * case.seconds
        kept_up = "" if wall <= case.seconds * IN_TIME else f"falls behind: {frames / wall:.1f}/s"
        cpu = median([run["cpu_s"] for run in taken])
        rows.append([f"ffmpeg, {codec}", f"{case.rate_hz:g}", kept_up or "0", f"{cpu / wall:.2f}",
                     f"{1000 * cpu / frames:.1f}", "-", "-",
                     f"{median([run['peak_kib'] for run in taken]) / 1024:.0f}",
                     f"{frames * case.frame_bytes / median([run['file_bytes'] for run in taken]):.2f}"])  # fmt: skip
    print_table(
        ["", "frames/s", "dropped", "cores", "CPU ms/frame", "durable p50 s", "p99 s", "peak MiB", "ratio"], rows
    )
    print(flush=True)


def _row(case: Case, syntax: str, runs: list[dict[str, Any]]) -> list[str]:
    last = [run for run in runs if run["rate_hz"] == runs[-1]["rate_hz"]]
    took = sorted(second for run in last for second in run["durable_s"])
    p99 = took[min(len(took) - 1, int(0.99 * len(took)))] if took else float("nan")
    frames = median([run["frames"] for run in last])
    seconds = median([run["seconds"] for run in last])
    cpu = median([run["cpu_s"] for run in last])
    note = "" if last[-1]["rate_hz"] == case.rate_hz else f" (asked {case.rate_hz:g})"
    return [f"modality-agent, {syntax}", f"{last[-1]['rate_hz']:.1f}{note}", str(max(run["dropped"] for run in last)),
            f"{cpu / seconds:.2f}", f"{1000 * cpu / frames:.1f}",
            f"{statistics.median(took) if took else float('nan'):.2f}", f"{p99:.2f}",
            f"{max(run['peak_kib'] for run in last) / 1024:.0f}",
            f"{sum(run['native_bytes'] for run in last) / sum(run['file_bytes'] for run in last):.2f}"]  # fmt: skip


# --- a camera --------------------------------------------------------------------------------------


def _camera(rounds: int) -> dict[str, list[float]]:
    """CPU ms a frame of Aravis' own fake camera costs us, written as DICOM, and its viewer, which keeps nothing.

    The difference of a long and a short run, so that what starts and connects does not count.
    """
    from fakes.gige import ADDRESS, Lan

    wanted, short, rate = 80, 2, 15
    uri = f"gige:{ADDRESS}?format=Mono16&columns=1024&rows=1024&rate_hz={rate}&packet_bytes=8000"
    taken: dict[str, list[float]] = {"modality-agent, file included": [], "arv-camera-test": []}
    with tempfile.TemporaryDirectory(prefix="camera-") as scratch, Lan(Path(scratch)) as lan, lan.camera():

        def ours(frames: int) -> float:
            facts = ["--sop-class", "sc-mf-word", "--set", "burned_in_annotation=NO"]
            file = Path(scratch) / f"{frames}.dcm"
            words = [str(AGENT), "capture", "--source", uri, *facts, "--frames", str(frames), "-o", str(file)]
            used = measure(lan.command(*words), cpu=None).cpu_s
            file.unlink()
            return used

        def viewer(seconds: float) -> float:
            picture = ["-w", "1024", "-h", "1024", "-f", str(rate), "--features", "PixelFormat=Mono16"]
            words = ["arv-camera-test-0.8", "-a", "-i", "8000", "-j", "never", *picture, f"--duration={seconds:g}"]
            return measure(lan.command(*words), cpu=None).cpu_s

        for _ in range(rounds):
            taken["modality-agent, file included"].append(1000 * (ours(wanted) - ours(short)) / (wanted - short))
            taken["arv-camera-test"].append(1000 * (viewer(6) - viewer(1)) / (5 * rate))
    print(f"GigE Vision camera: 1024 x 1024, 16 bit at {rate}/s")
    print_table(["", "CPU ms/frame"], [[name, f"{median(found):.2f}"] for name, found in taken.items()])
    return taken
