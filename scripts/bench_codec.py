"""Compression, one core, beside every library that can be called from here, on the same pictures in the same run.

Each round runs every codec once on a picture (A B C A B C), a small picture as often as it takes to fill 20 ms, and
counts processor time, so that what else the machine does is not counted. Printed are megabytes of samples per CPU
second (median of the rounds), and the best peer's figure of that round set beside ours. What we encode, the peers
decode; what they encode, we decode and compare. memcpy is the limit. Callgrind's instructions per pixel, where valgrind
is there, do not depend on the machine's mood: they go into the JSON for the next run to be compared with.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import bench_images
from bench_callgrind import compare, instructions_per_pixel
from bench_codec_many import judge_many, measure_many
from bench_codec_peers import HTJ2K, JPEG_LOSSLESS, JPEG_LS, PEERS, RLE, Peer, charls_sizes, prepare
from bench_lib import OUT, SENDER_CPU, median, print_table

from agent.errors import AgentError
from agent.native import compress

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench_images import Picture

FILL_S = 0.02

OURS = "modality-agent"
NAMES = {JPEG_LS: "JPEG-LS", JPEG_LOSSLESS: "JPEG Lossless SV1", RLE: "RLE Lossless", HTJ2K: "HTJ2K (OpenJPH)"}
SIZE_ALLOWANCE = {JPEG_LS: 1.001, JPEG_LOSSLESS: 1.0, RLE: 1.01}
# Optimal tables are the same for every encoder that follows T.81 K.2; GDCM's come out some bytes longer or shorter.
SIZE_AGAINST = {JPEG_LOSSLESS: "libjpeg-turbo", RLE: "GDCM"}


class Bar(NamedTuple):
    """A ratio that the median over the pictures should reach; ``against`` is a part of the peers' names."""

    transfer_syntax: str
    work: str
    against: str
    wanted: float


BARS = (
    Bar(JPEG_LS, "encode", "CharLS", 2.5),
    Bar(JPEG_LS, "decode", "CharLS", 1.8),
    Bar(JPEG_LOSSLESS, "encode", "", 8.0),
    Bar(JPEG_LOSSLESS, "decode", "", 1.5),
    Bar(RLE, "encode", "", 5.0),
    Bar(RLE, "decode", "", 5.0),
)


class Rate(NamedTuple):
    """What one codec did with one picture."""

    transfer_syntax: str
    work: str
    picture: str
    codec: str
    mb_per_s: float
    ratio: float  # of compression; 0 where only decoding was timed
    bytes_saved_per_cpu_s: float


def main(rounds: int, *, quick: bool, only: str) -> int:
    """Time everything, print tables and bars, write bench-out/codec.json; 1 when a bar is missed."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {SENDER_CPU})
    peers = _installed()
    shown = bench_images.pictures(quick=quick)
    syntaxes = [uid for uid in NAMES if compress.is_available(uid) and only.lower() in NAMES[uid].lower()]
    rates: list[Rate] = []
    for picture in shown:
        rates.append(_memcpy(picture, rounds))
        for uid in syntaxes:
            rates += _time(picture, uid, [peer for peer in peers if peer.transfer_syntax == uid], rounds)
            if sys.stdout.isatty():
                print(f"\r{picture.name:20} {NAMES[uid]:20}", end="", flush=True)
    print("\r" + " " * 42 if sys.stdout.isatty() else "")
    for uid in syntaxes:
        for work in ("encode", "decode"):
            _print(rates, shown, uid, work)
    many = {NAMES[uid]: measure_many(uid, shown[0]) for uid in syntaxes}
    failures = _judge(rates, syntaxes, shown) + judge_many(many)
    ir = instructions_per_pixel([uid for uid in syntaxes if uid in compress.TRANSFER_SYNTAXES], shown)
    print("instructions per sample, and in the baseline")
    compare(ir, shown)
    OUT.mkdir(exist_ok=True)
    gains = {name: gain and gain._asdict() for name, gain in many.items()}
    report = {"rates": [rate._asdict() for rate in rates], "instructions_per_sample": ir, "encode_many": gains,
              "versions": _versions()}  # fmt: skip
    (OUT / "codec.json").write_text(json.dumps(report, indent=1))
    print(f"raw figures: {OUT / 'codec.json'}")
    return 1 if failures else 0


def _installed() -> list[Peer]:
    missing = sorted({peer.module for peer in PEERS if importlib.util.find_spec(peer.module) is None})
    if missing:
        print(f"not installed, so not compared: {', '.join(missing)}")
    return [peer for peer in PEERS if peer.module not in missing]


def _versions() -> dict[str, str]:
    names = ("imagecodecs", "pyjpegls", "python-gdcm", "pylibjpeg-rle", "numpy")
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


# --- timing ---------------------------------------------------------------------------------------


def _seconds(work: Callable[[], Any], times: int) -> float:
    prepare(work, times)
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times


def _once(work: Callable[[], Any]) -> Any:
    prepare(work, 1)
    return work()


def _rounds(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each, all taking turns."""
    times = {name: max(1, math.ceil(FILL_S / max(_seconds(work, 1), 1e-6))) for name, work in works.items()}
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(_seconds(work, times[name]))
    return {name: median(found) for name, found in taken.items()}


def _memcpy(picture: Picture, rounds: int) -> Rate:
    source = picture.array.tobytes()
    target = bytearray(len(source))

    def copy() -> None:
        target[:] = source

    taken = _rounds({"memcpy": copy}, rounds)["memcpy"]
    return Rate("", "copy", picture.name, "memcpy", len(source) / taken / 1e6, 0.0, 0.0)


def _time(picture: Picture, uid: str, peers: list[Peer], rounds: int) -> list[Rate]:
    raw = picture.array.tobytes()
    description = picture.description
    room = bytearray(compress.encode_bound(description, uid))
    frame = bytearray(len(raw))
    size = compress.encode(raw, uid, description=description, out=room)
    ours = bytes(room[:size])
    sizes = {OURS: size}

    def encode() -> None:
        compress.encode(raw, uid, description=description, out=room)

    def decode() -> None:
        compress.decode(ours, uid, description, out=frame)

    encoders: dict[str, Callable[[], Any]] = {OURS: encode}
    decoders: dict[str, Callable[[], Any]] = {OURS: decode}
    for peer in peers:
        try:
            work = peer.encode(picture)
            sizes[peer.name] = _size(_once(work))
            encoders[peer.name] = work
        except Exception:  # noqa: BLE001  (whatever a foreign library raises: it does not take this picture)
            pass
        try:
            undo = peer.decode(picture, ours)
            _once(undo)
            decoders[peer.name] = undo
        except Exception:  # noqa: BLE001  (as above)
            pass
    found = []
    for work_name, works in (("encode", encoders), ("decode", decoders)):
        for name, taken in _rounds(works, rounds).items():
            ratio = len(raw) / sizes[name] if work_name == "encode" else 0.0
            saved = (len(raw) - sizes[name]) / taken if work_name == "encode" else 0.0
            found.append(Rate(uid, work_name, picture.name, name, len(raw) / taken / 1e6, ratio, saved))
    decode()
    if bytes(frame) != raw:
        raise AgentError(f"{picture.name} came back different from {NAMES[uid]}")
    return found


def _size(coded: Any) -> int:
    return coded if isinstance(coded, int) else len(coded)


# --- the tables -----------------------------------------------------------------------------------


def _print(rates: list[Rate], shown: list[Picture], uid: str, work: str) -> None:
    chosen = [rate for rate in rates if rate.transfer_syntax == uid and rate.work == work]
    codecs = list(dict.fromkeys(rate.codec for rate in chosen))
    print(f"\n{NAMES[uid]}, {work}: MB per CPU second" + (", compression ratio, MB saved per CPU second (ours)"
                                                         if work == "encode" else ""))  # fmt: skip
    head = ["picture", "bits", "memcpy", *codecs, "x best peer"]
    rows = []
    for picture in shown:
        here = {rate.codec: rate for rate in chosen if rate.picture == picture.name}
        limit = next(rate for rate in rates if rate.picture == picture.name and rate.codec == "memcpy")
        cells = [_cell(here.get(codec), saved=codec == OURS) for codec in codecs]
        rows.append([picture.name, str(picture.bits), f"{limit.mb_per_s:.0f}", *cells, f"{_gain(here, ''):.2f}"])
    print_table(head, rows)


def _cell(rate: Rate | None, *, saved: bool) -> str:
    if rate is None:
        return "-"
    text = f"{rate.mb_per_s:.0f}"
    if rate.ratio:
        text += f" {rate.ratio:.2f}"
        if saved:
            text += f" {rate.bytes_saved_per_cpu_s / 1e6:.0f}"
    return text


def _gain(here: dict[str, Rate], against: str) -> float:
    """Our rate over that of the best peer; not a number where there is none."""
    others = [rate.mb_per_s for name, rate in here.items() if name != OURS and against in name]
    return here[OURS].mb_per_s / max(others) if others and OURS in here else float("nan")


def _judge(rates: list[Rate], syntaxes: list[str], shown: list[Picture]) -> int:
    failures = 0
    print()
    for bar in (bar for bar in BARS if bar.transfer_syntax in syntaxes):
        gains = {}
        for picture in shown:
            here = {
                rate.codec: rate
                for rate in rates
                if (rate.transfer_syntax, rate.work, rate.picture) == (bar.transfer_syntax, bar.work, picture.name)
            }
            if not math.isnan(_gain(here, bar.against)):
                gains[picture.name] = _gain(here, bar.against)
        if not gains:
            continue
        reached, slowest = median(list(gains.values())), min(gains, key=gains.__getitem__)
        met = reached >= bar.wanted and gains[slowest] >= 1
        failures += not met
        what = f"{NAMES[bar.transfer_syntax]} {bar.work}, x {bar.against or 'best peer'}"
        print(f"{'met   ' if met else 'MISSED'} {what}: {reached:.2f} (wanted {bar.wanted}); "
              f"least {gains[slowest]:.2f} on {slowest} (wanted 1)")  # fmt: skip
    for uid in syntaxes:
        if uid == JPEG_LS and importlib.util.find_spec("jpeg_ls") is not None:
            failures += _judge_interleaved(rates, shown)
        elif uid in SIZE_ALLOWANCE:
            failures += _judge_sizes(rates, uid)
    return failures


def _judge_interleaved(rates: list[Rate], shown: list[Picture]) -> int:
    """Our JPEG-LS files beside those of CharLS in our interleave mode, and what another mode would have saved."""
    ratios = {rate.picture: rate.ratio for rate in rates
              if (rate.transfer_syntax, rate.work, rate.codec) == (JPEG_LS, "encode", OURS)}  # fmt: skip
    worst: tuple[float, str] = (0.0, "")
    saved: list[str] = []
    for picture in shown:
        ours, sizes = picture.array.nbytes / ratios[picture.name], charls_sizes(picture)
        worst = max(worst, (ours / sizes["line"], picture.name))
        best = min(sizes, key=sizes.__getitem__)
        if sizes[best] < sizes["line"]:
            saved.append(f"{picture.name} {100 * (1 - sizes[best] / ours):.1f} % by {best}")
    met = worst[0] <= SIZE_ALLOWANCE[JPEG_LS]
    print(f"{'met   ' if met else 'MISSED'} {NAMES[JPEG_LS]} size, x CharLS, both by line: {worst[0]:.4f} on "
          f"{worst[1]} (wanted {SIZE_ALLOWANCE[JPEG_LS]})")  # fmt: skip
    print(f"       another interleave mode, which we do not write, is smaller on: {', '.join(saved) or 'none'}")
    return not met


def _judge_sizes(rates: list[Rate], uid: str) -> int:
    """Our files beside those of the peer that the bar names, and beside the smallest that any made."""
    against = SIZE_AGAINST[uid]
    worst, where = _most(rates, uid, against)
    most, there = _most(rates, uid, "")
    met = worst <= SIZE_ALLOWANCE[uid]
    print(f"{'met   ' if met else 'MISSED'} {NAMES[uid]} size, x {against}: {worst:.4f} on {where} "
          f"(wanted {SIZE_ALLOWANCE[uid]}); x smallest peer: {most:.4f} on {there}")  # fmt: skip
    return not met


def _most(rates: list[Rate], uid: str, against: str) -> tuple[float, str]:
    """The largest of our sizes over the smallest of such peers, and its picture."""
    found: tuple[float, str] = (0.0, "no picture")
    for picture in {rate.picture for rate in rates}:
        here = {rate.codec: rate.ratio for rate in rates if rate.picture == picture and rate.transfer_syntax == uid
                and rate.work == "encode"}  # fmt: skip
        others = [ratio for name, ratio in here.items() if name != OURS and against in name]
        if others and OURS in here:
            found = max(found, (max(others) / here[OURS], picture))
    return found
