"""The first program of the machine: the kernel's virtual video driver (vivid) is the grabber.

The kernel draws the same bars into every pixel format, so it is the judge of every conversion; it counts, drops, marks
and breaks as its own controls say.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from itertools import pairwise
from typing import Any

ORDER: dict[str, Any] = {}
WEBCAM, TV, HDMI = 0, 1, 3
DEVICE = "/dev/video0"
SMALL = "columns=320&rows=180"
VIDEO = 3  # luma has 219 steps and chroma 224, and the kernel rounds down: 191 comes as 188; another matrix is 20 away
BARS = [20 + 40 * bar for bar in range(8)]


def say(fact: dict[str, Any]) -> None:
    print(json.dumps({"vivid": fact}), flush=True)


# --- the driver -----------------------------------------------------------------------------------


def load(kind: int, *, planar: bool = False) -> None:
    """Load the driver with one input of a kind, once what needs it before is gone."""
    subprocess.run(["busybox", "rmmod", "vivid"], check=False, capture_output=True)
    given = {"n_devs": 1, "node_types": "0x1", "num_inputs": 1, "input_types": kind, "multiplanar": 2 if planar else 1}
    for path in ORDER["modules"]:
        words = [f"{name}={value}" for name, value in given.items()] if path.endswith("/vivid.ko") else []
        done = subprocess.run(["busybox", "insmod", path, *words], check=False, capture_output=True, text=True)
        if done.returncode and "File exists" not in done.stderr:
            raise RuntimeError(f"{path}: {done.stderr}")
    _wait(lambda: os.path.exists(DEVICE))
    control("osd_text_mode", 2)


def _wait(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("waited in vain")
        time.sleep(0.02)


def control(name: str, value: int = 0) -> None:
    from agent.native.v4l2 import Node

    with Node(DEVICE) as node:
        found = next(one for one in node.controls() if one.name == name)
        node.set_control(found, value)


def opened(query: str) -> Any:
    from agent.acquire.sources import open_source

    return open_source(f"v4l2:{DEVICE}?{query}").source


def taken(source: Any, count: int, hold_s: float = 0.0, at: Any = None) -> list[tuple[int, int, bytes]]:
    frames: list[tuple[int, int, bytes]] = []
    while len(frames) < count and not source.ended:
        if source.wait(5.0) and (frame := source.take()) is not None:
            frames.append((frame.number, frame.timestamp_ns, bytes(frame.data)))
            if at is not None:
                at(len(frames))
            if hold_s:
                time.sleep(hold_s)
            source.give_back(frame)
    return frames


def accounts(source: Any) -> dict[str, int]:
    c = source.counters()
    assert c.delivered + c.waiting + c.dropped + c.lost + c.damaged == c.last - c.first + 1, c
    return {
        name: getattr(c, name) for name in ("last", "delivered", "waiting", "dropped", "lost", "damaged", "restarts")
    }


def frames_of(query: str, count: int) -> tuple[list[tuple[int, int, bytes]], dict[str, int], Any]:
    with opened(query) as source:
        source.start()
        got = taken(source, count)
        source.stop()
        return got, accounts(source), source.description


# --- checks ---------------------------------------------------------------------------------------


def listing() -> dict[str, Any]:
    from agent.acquire.v4l2_offers import devices, offers

    (one,) = devices()
    told = offers(one["device"])
    usable = [each["format"] for each in told["formats"] if each["usable"]]
    assert {"GREY", "Y10", "Y12", "Y16", "Y16_BE", "YUYV", "UYVY", "RGB3", "BGR3", "NV12", "YU12"} <= {*usable}, usable
    return {"card": one["card"], "formats": len(told["formats"]), "usable": usable, "controls": len(told["controls"])}


def greys() -> dict[str, Any]:
    """The kernel's grey in 10, 12 and 16 bits is that of 8 bits, shifted."""
    (grey, *_), _, _ = frames_of(f"format=GREY&{SMALL}", 2)
    told = {}
    for name, shift in (("Y10", 2), ("Y12", 4), ("Y16", 8), ("Y16_BE", 8)):
        (frame, *_), _, description = frames_of(f"format={name}&{SMALL}", 2)
        samples = memoryview(frame[2]).cast("H")
        assert description.bits_stored == int(name[1:3])
        assert all(sample == value << shift for sample, value in zip(samples, grey[2], strict=True)), name
        told[name] = len(samples)
    return {"samples_equal": told, "values": len({*grey[2]})}


def colours() -> dict[str, Any]:
    """What we make of luma and chroma is what the kernel draws as RGB."""
    return _colours(("BGR3", "XR24", "YUYV", "UYVY", "NV12", "YU12", "BA81", "GBRG", "GRBG", "RGGB"))


def _colours(names: tuple[str, ...]) -> dict[str, Any]:
    (rgb, *_), _, _ = frames_of(f"format=RGB3&{SMALL}", 2)
    wanted = [_pixel(rgb[2], column) for column in BARS]
    furthest = {}
    for name in names:
        (frame, *_), _, _ = frames_of(f"format={name}&{SMALL}", 2)
        found = [_pixel(frame[2], column) for column in BARS]
        furthest[name] = max(
            abs(a - b) for one, other in zip(found, wanted, strict=True) for a, b in zip(one, other, strict=True)
        )
        assert furthest[name] <= (VIDEO if name in ("YUYV", "UYVY", "NV12", "YU12", "NM12", "YM12") else 0), found
    return {"furthest": furthest, "bars": wanted}


def _pixel(frame: bytes, column: int) -> list[int]:
    at = (90 * 320 + column) * 3
    return [*frame[at : at + 3]]


def planar() -> dict[str, Any]:
    """Two and three memories to a frame."""
    load(WEBCAM, planar=True)
    return _colours(("BGR3", "YUYV", "NV12", "NM12", "YM12"))


def rates() -> dict[str, Any]:
    told = {}
    for query, wanted in (
        (f"{SMALL}&rate_hz=60", 60),
        (f"{SMALL}&rate_hz=15", 15),
        ("columns=640&rows=360&rate_hz=30", 30),
    ):
        got, counted, _ = frames_of(f"format=GREY&{query}", 31)
        period_ns = (got[-1][1] - got[0][1]) / (got[-1][0] - got[0][0])
        told[query] = {"hz": round(1e9 / period_ns, 3), **counted}
        assert abs(1e9 / period_ns - wanted) < 0.02 * wanted, told
    return told


def refused_rate() -> dict[str, Any]:
    from agent.errors import DeviceError

    try:
        opened("format=GREY&columns=640&rows=360&rate_hz=60").close()
    except DeviceError as error:
        return {"says": str(error)}
    raise AssertionError("640x360 has no 60 frames/s")


def dropped() -> dict[str, Any]:
    control("percentage_of_dropped_buffers", 20)
    try:
        got, counted, _ = frames_of(f"format=GREY&{SMALL}&rate_hz=60", 60)
    finally:
        control("percentage_of_dropped_buffers", 0)
    gaps = sum(two[0] - one[0] - 1 for one, two in pairwise(got))
    assert 0 < gaps <= counted["lost"], counted  # how many more: what the machine is too slow for
    return {**counted, "gaps": gaps, "frames": len(got)}


def marked() -> dict[str, Any]:
    with opened(f"format=GREY&{SMALL}&rate_hz=60") as source:
        source.start()
        got = taken(source, 40, at=lambda n: control("inject_v4l2_buf_flag_error") if n % 10 == 5 else None)
        source.stop()
        counted = accounts(source)
    assert counted["damaged"] == 4, counted
    return {**counted, "frames": len(got)}


def _ends(query: str, button: tuple[str, int]) -> tuple[str, int, dict[str, int]]:
    from agent.errors import DeviceError

    with opened(query) as source:
        source.start()
        frames = 0
        try:
            frames = len(taken(source, 10))
            control(*button)
            began = time.monotonic()
            frames += len(taken(source, 1000))
        except DeviceError as error:
            return f"{error} after {1000 * (time.monotonic() - began):.0f} ms", frames, accounts(source)
    raise AssertionError("it did not end")


def fatal() -> dict[str, Any]:
    says, _, counted = _ends(f"format=GREY&{SMALL}&rate_hz=60", ("inject_fatal_streaming_error", 0))
    assert "EIO" in says, says
    again, _, _ = frames_of(f"format=GREY&{SMALL}&rate_hz=60", 5)
    return {"says": says, **counted, "again": len(again)}


def slow() -> dict[str, Any]:
    """Who takes slowly costs the ring its frames; what the driver loses besides, the machine is too slow for."""
    with opened(f"format=GREY&{SMALL}&rate_hz=60") as source:
        source.start()
        taken(source, 20, hold_s=0.15)
        source.stop()
        counted = accounts(source)
    assert counted["dropped"] > 50, counted
    return counted


def busy() -> dict[str, Any]:
    from agent.errors import DeviceError

    with opened(f"format=GREY&{SMALL}") as source:
        source.start()
        taken(source, 2)
        try:
            opened(f"format=GREY&{SMALL}").close()
        except DeviceError as error:
            return {"says": str(error)}
    raise AssertionError("two have it")


def injected() -> dict[str, Any]:
    from agent.errors import DeviceError

    said = {}
    for name in ("inject_vidioc_reqbufs_error", "inject_vidioc_qbuf_error", "inject_vidioc_streamon_error"):
        control(name)
        try:
            with opened(f"format=GREY&{SMALL}&rate_hz=60") as source:
                source.start()
                taken(source, 3)
        except DeviceError as error:
            said[name] = str(error)
    assert len(said) == 3, said
    return said


def pulled() -> dict[str, Any]:
    says, _, counted = _ends(f"format=GREY&{SMALL}&rate_hz=60", ("disconnect", 0))
    assert "vanished" in says, says
    load(WEBCAM)
    again, _, _ = frames_of(f"format=GREY&{SMALL}&rate_hz=60", 5)
    return {"says": says, **counted, "again": len(again)}


def pulled_clip() -> dict[str, Any]:
    """The command keeps what it has; judged outside with pydicom."""
    import threading

    def pull() -> None:
        _wait(lambda: any(name.endswith(".part") and name not in before for name in os.listdir("/mnt")), 120)
        time.sleep(3)
        control("disconnect")

    before = os.listdir("/mnt")
    thread = threading.Thread(target=pull)
    thread.start()
    try:
        status = _command("capture", f"v4l2:{DEVICE}?format=Y12&{SMALL}&rate_hz=60", "sc-mf-word", "pulled.dcm", 2000)
    finally:
        thread.join()
    load(WEBCAM)
    again = _command("capture", f"v4l2:{DEVICE}?format=Y12&{SMALL}&rate_hz=60", "sc-mf-word", "again.dcm", 30)
    assert (status, again) == (41, 0), (status, again)
    return {"status": status, "again": again}


def _command(verb: str, uri: str, kind: str, name: str, frames: int) -> int:
    from agent.app.cli import main

    with suppress(FileNotFoundError):
        os.unlink(f"/mnt/{name}")
    words = ["--sop-class", kind, "--frames", str(frames), "-o", f"/mnt/{name}"]
    if kind != "us-mf":
        words += ["--set", "burned_in_annotation=NO"]
    return main([verb, "--source", uri, *words])


def signals() -> dict[str, Any]:
    """Digital video: its timings are followed; another picture ends the source, and the next one agrees anew."""
    load(HDMI)
    got, _, first = frames_of("format=GREY", 3)
    says, frames, counted = _ends("format=GREY", ("dv_timings", _other_timings()))
    assert "another size or kind" in says, says
    again, _, second = frames_of("format=GREY", 3)
    assert (first.columns, first.rows) != (second.columns, second.rows)
    control("dv_timings_signal_mode", 1)
    try:
        opened("format=GREY").close()
        raise AssertionError("there is no signal")
    except Exception as error:  # noqa: BLE001  whatever it is, it is told outside
        nothing = str(error)
    control("dv_timings_signal_mode", 0)
    sizes = [f"{one.columns}x{one.rows}" for one in (first, second)]
    return {"says": says, "sizes": sizes, "no_signal": nothing, "frames": [len(got), frames, len(again)], **counted}


def _other_timings() -> int:
    """Choose what comes in: the mode in which a control says it, and one of its timings."""
    from agent.native.v4l2 import Node

    with Node(DEVICE) as node:
        found = next(one for one in node.controls() if one.name == "dv_timings")
    wanted = next(value for value, name in found.choices.items() if name.startswith("720x480p"))
    control("dv_timings_signal_mode", 4)
    return wanted


def standards() -> dict[str, Any]:
    """Analogue video."""
    load(TV)
    try:
        got, _, description = frames_of("format=YUYV", 3)
    except Exception as error:  # noqa: BLE001  of a kind of video that may have no whole pictures
        return {"says": str(error)}
    return {"frames": len(got), "size": f"{description.columns}x{description.rows}"}


CHECKS = (listing, greys, colours, rates, refused_rate, dropped, marked, fatal, slow, busy, injected, pulled,
          pulled_clip, planar, signals, standards)  # fmt: skip


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        ORDER.update(json.load(file))
    sys.path[:] = [path for path in ORDER["path"] if path]
    load(WEBCAM)
    for check in CHECKS:
        if ORDER["only"] and check.__name__ not in ORDER["only"]:
            continue
        began = time.monotonic()
        try:
            fact = {"check": check.__name__, "passed": True, "told": check()}
        except BaseException:  # noqa: BLE001  whatever it is, it is told outside
            fact = {"check": check.__name__, "passed": False, "told": traceback.format_exc()}
        say({**fact, "seconds": round(time.monotonic() - began, 1)})
    say({"end": True})


if __name__ == "__main__":
    main()
