"""The pixel path, one core, beside numpy, and libswscale (through PyAV) and OpenCV where they are installed.

Each round runs everything once in turn; printed are megabytes of the source per CPU second, median of the rounds, and
how far the others' samples are from ours. numpy does the same arithmetic in 32-bit integers or floats, as one would
write it; its rate is the figure of a bench, not of a product, for it holds several copies of the frame. swscale and
OpenCV have coarser fixed point, on samples that are inside of the video range.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from bench_lib import OUT, SENDER_CPU, median, print_table

from agent.native import detector, table
from agent.native.convert import Plane, contiguous, convert, converted_bytes, demosaic, unpack, unpacked
from agent.native.frame import FrameDescription

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = Any
    Work = Callable[[], Any]

HD = (1080, 1920)
PANEL = (3072, 3072)
QUICK = (480, 640)
OURS = "modality-agent"


class Case(NamedTuple):
    """One kind of work: bytes of its source, what each does, and our samples to compare those of the others with."""

    name: str
    source_bytes: int
    works: dict[str, Work]
    ours: Callable[[], Array]


def main(rounds: int, *, quick: bool) -> int:
    """Time everything, print a table, write bench-out/pixels.json."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {SENDER_CPU})
    missing = [name for name in ("av", "cv2") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"not installed, so not compared: {', '.join(missing)}")
    hd, panel = (QUICK, QUICK) if quick else (HD, PANEL)
    cases = [*colours(hd, missing), bayer(hd, missing), *packed(panel), *panels(panel)]
    peers = list(dict.fromkeys(name for case in cases for name in case.works if name != OURS))
    rows, report = [], []
    for case in cases:
        rates = {name: case.source_bytes / taken / 1e6 for name, taken in _rounds(case.works, rounds).items()}
        ours = case.ours().astype(int)
        far = {name: _apart_by(ours, case.works[name]()) for name in rates if name != OURS}
        rows.append([case.name, f"{rates[OURS]:.0f}"])
        rows[-1] += [f"{rates[name]:.0f} ({far[name]})" if name in rates else "-" for name in peers]
        report.append({"work": case.name, "mb_per_s": rates, "most_apart": far})
    print("MB of the source per CPU second (the most that a sample is from ours)")
    print_table(["work", OURS, *peers], rows)
    OUT.mkdir(exist_ok=True)
    (OUT / "pixels.json").write_text(json.dumps(report, indent=1))
    return 0


def _apart_by(ours: Array, made: Any) -> int:
    theirs = made.to_ndarray() if hasattr(made, "to_ndarray") else made
    return int(np.abs(ours - theirs.reshape(ours.shape)).max())


def _rounds(works: dict[str, Work], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(max(rounds, 3)):
        for name, work in works.items():
            begun = time.process_time()
            work()
            taken[name].append(max(time.process_time() - begun, 1e-6))
    return {name: median(found) for name, found in taken.items()}


# --- colour ---------------------------------------------------------------------------------------


def colours(size: tuple[int, int], missing: list[str]) -> list[Case]:
    rows, columns = size
    rng = np.random.default_rng(1)
    luma = rng.integers(16, 236, (rows, columns), dtype=np.uint8)
    chroma = rng.integers(16, 241, (rows // 2, columns), dtype=np.uint8)
    nv12 = np.vstack([luma, chroma])
    yuyv = np.stack([luma, rng.integers(16, 241, (rows, columns), dtype=np.uint8)], axis=2)
    rgb = rng.integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    found = []
    for data, layout in ((yuyv, "YUYV"), (nv12, "NV12")):
        works = _peers(data, layout, missing)
        found.append(_colour(f"{layout} to RGB, BT.601 video", data, layout, "bt601-video", "RGB", works, size))
    numpy_ybr: dict[str, Work] = {"numpy": lambda: _numpy_ybr(rgb)}
    found.append(_colour("RGB to YBR_FULL", rgb, "RGB24", "rgb", "YBR_FULL", numpy_ybr, size))
    swap: dict[str, Work] = {"numpy": lambda: np.ascontiguousarray(rgb[..., ::-1])}
    found.append(_colour("BGR to RGB", rgb, "BGR24", "rgb", "RGB", swap, size))
    return found


def bayer(size: tuple[int, int], missing: list[str]) -> Case:
    """A sensor with filters; OpenCV repeats the lines beside the edge, where we mirror: they are not compared."""
    raw: Array = np.random.default_rng(4).integers(0, 256, size, dtype=np.uint8)
    out = bytearray(3 * raw.size)
    works: dict[str, Work] = {OURS: lambda: demosaic(raw, "BayerRG8", *size, out)}
    if "cv2" not in missing:
        import cv2

        works["OpenCV"] = lambda: cv2.cvtColor(raw, cv2.COLOR_BayerRGGB2RGB)[1:-1, 1:-1]
    return Case(
        "BayerRG8 to RGB", raw.nbytes, works, lambda: np.frombuffer(out, np.uint8).reshape(*size, 3)[1:-1, 1:-1]
    )


def _peers(data: Array, layout: str, missing: list[str]) -> dict[str, Work]:
    works: dict[str, Work] = {"numpy": lambda: _numpy_rgb(*_apart(data, layout))}
    if "av" not in missing:
        works["swscale"] = _swscale(data, layout)
    if "cv2" not in missing:
        works["OpenCV"] = _opencv(data, layout)
    return works


def _colour(
    name: str, data: Array, layout: str, space: str, to: str, works: dict[str, Work], size: tuple[int, int]
) -> Case:
    out = bytearray(converted_bytes(to, *size))
    planes = contiguous(data, layout, *size) if layout == "NV12" else [Plane(data)]

    def work() -> None:
        convert(planes, layout, space, *size, out, to=to)

    return Case(name, data.nbytes, {OURS: work, **works}, lambda: np.frombuffer(out, np.uint8))


def _apart(data: Array, layout: str) -> tuple[Array, Array, Array]:
    if layout == "YUYV":
        return data[..., 0], data[:, ::2, 1].repeat(2, axis=1), data[:, 1::2, 1].repeat(2, axis=1)
    rows = len(data) * 2 // 3
    halves = data[rows:].reshape(rows // 2, -1, 2).repeat(2, axis=0).repeat(2, axis=1)
    return data[:rows], halves[..., 0], halves[..., 1]


def _numpy_rgb(y: Array, u: Array, v: Array) -> Array:
    y = (y.astype(np.float32) - 16) * np.float32(255 / 219)
    u = (u.astype(np.float32) - 128) * np.float32(255 / 224)
    v = (v.astype(np.float32) - 128) * np.float32(255 / 224)
    rgb = np.stack([y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u], axis=2)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def _numpy_ybr(rgb: Array) -> Array:
    r, g, b = (rgb[..., k].astype(np.int32) for k in range(3))
    rows = ((2990, 5870, 1140, 5000), (-1687, -3313, 5000, 1285000), (5000, -4187, -813, 1285000))
    planes = [np.minimum((i * r + j * g + k * b + add) // 10000, 255) for i, j, k, add in rows]
    return np.stack(planes, axis=2).astype(np.uint8)


def _swscale(data: Array, layout: str) -> Work:
    import av

    colours: Any = av.video.reformatter
    space, video, full = colours.Colorspace.ITU601, colours.ColorRange.MPEG, colours.ColorRange.JPEG
    frame = av.VideoFrame.from_ndarray(data, format="yuyv422" if layout == "YUYV" else "nv12")
    reformatter = colours.VideoReformatter()

    def work() -> Array:
        return reformatter.reformat(frame, format="rgb24", src_colorspace=space, dst_colorspace=space,
                                    src_color_range=video, dst_color_range=full, interpolation="POINT")  # fmt: skip

    return work


def _opencv(data: Array, layout: str) -> Work:
    import cv2

    cv2.setNumThreads(1)
    code = cv2.COLOR_YUV2RGB_YUYV if layout == "YUYV" else cv2.COLOR_YUV2RGB_NV12
    return lambda: cv2.cvtColor(data, code)


# --- grey -----------------------------------------------------------------------------------------


def packed(size: tuple[int, int]) -> list[Case]:
    """Formats of ten and twelve bits, random in every bit."""
    rng = np.random.default_rng(2)
    found = []
    works: dict[str, Callable[[Array], Array]] = {
        "Y16_BE": lambda data: data.view(">u2").astype("<u2"),
        "Mono10p": _numpy_10p,
        "Mono12p": _numpy_12p,
        "Mono12Packed": _numpy_12packed,
    }
    for name, work in works.items():
        description = unpacked(name, *size)
        bits = 16 if name == "Y16_BE" else description.bits_stored
        data = rng.integers(0, 256, size[0] * size[1] * bits // 8, dtype=np.uint8)
        found.append(_packed(name, data, bytearray(description.frame_bytes), work, size))
    return found


def _packed(name: str, data: Array, out: bytearray, work: Callable[[Array], Array], size: tuple[int, int]) -> Case:
    works: dict[str, Work] = {OURS: lambda: unpack(data, name, *size, out), "numpy": lambda: work(data)}
    return Case(f"{name} to 16 bits", data.nbytes, works, lambda: np.frombuffer(out, "<u2"))


def _numpy_10p(data: Array) -> Array:
    five = data.reshape(-1, 5).astype(np.uint16)
    four = [five[:, k] >> 2 * k | five[:, k + 1] << 8 - 2 * k for k in range(4)]
    return np.stack(four, axis=1) & 0x3FF


def _numpy_12p(data: Array) -> Array:
    three = data.reshape(-1, 3).astype(np.uint16)
    return np.stack([three[:, 0] | three[:, 1] << 8 & 0xFFF, three[:, 1] >> 4 | three[:, 2] << 4], axis=1)


def _numpy_12packed(data: Array) -> Array:
    three = data.reshape(-1, 3).astype(np.uint16)
    return np.stack([three[:, 0] << 4 | three[:, 1] & 0xF, three[:, 2] << 4 | three[:, 1] >> 4], axis=1)


def panels(size: tuple[int, int]) -> list[Case]:
    """A panel of 14 bits: its dark frame and gain, and a table."""
    rng = np.random.default_rng(3)
    d = FrameDescription(*size, 1, 16, 14, 13)
    frame: Array = rng.integers(0, 1 << 14, size, dtype=np.uint16)
    offset: Array = rng.integers(0, 1000, size, dtype=np.uint16)
    gain: Array = rng.integers(12000, 22000, size, dtype=np.uint16)
    out, small = bytearray(d.frame_bytes), bytearray(d.frame_bytes // 2)
    window = table.window(d, 8192, 6000)
    entries = np.frombuffer(window.entries, np.uint8)

    def corrected() -> Array:
        apart = frame.astype(np.int32) - offset
        scaled = (np.abs(apart) * gain + 8192) >> 14
        return np.clip(np.where(apart < 0, -scaled, scaled) + 100, 0, 16383).astype(np.uint16)

    flat: dict[str, Work] = {
        OURS: lambda: detector.correct(frame, d, out, offset=offset, gain=gain, pedestal=100), "numpy": corrected,
    }  # fmt: skip
    shown: dict[str, Work] = {OURS: lambda: table.apply(frame, d, window, small), "numpy": lambda: entries[frame]}
    return [
        Case("dark frame and gain, 14 bits", frame.nbytes, flat, lambda: np.frombuffer(out, "<u2")),
        Case("window to 8 bits", frame.nbytes, shown, lambda: np.frombuffer(small, np.uint8)),
    ]
