"""What Video4Linux2 devices are there, and what one offers, as plain values.

A device is named by its link in ``/dev/v4l/by-id``, which stays the same whatever else is plugged in, where there is
one. Looking changes nothing at a device, so one that is in use can be looked at, too.
"""

from __future__ import annotations

import os

from agent.acquire.v4l2 import rate_said, size_said
from agent.errors import DeviceError
from agent.native.v4l2 import Control, Node, Picture, PixelFormat, Size
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "/dev"
_BY_ID: Final = "v4l/by-id"


def devices(folder: str = FOLDER) -> list[dict[str, Any]]:
    """List the devices that give pictures, or cannot be opened (``problem``)."""
    links = _links(folder)
    found = []
    for name in sorted(_listed(folder), key=_number):
        path = f"{folder}/{name}"
        uri = f"v4l2:{links.get(os.path.realpath(path), path)}"
        try:
            with Node(path) as node:
                who = node.identity
        except DeviceError as error:
            found.append({"uri": uri, "device": path, "card": "", "driver": "", "bus": "", "problem": error.message})
            continue
        if who.captures and who.streams:
            names = {"card": who.card, "driver": who.driver, "bus": who.bus}
            found.append({"uri": uri, "device": path, **names, "problem": ""})
    return found


def offers(path: str) -> dict[str, Any]:
    """Everything that can be written into its URI, and what it is set to; raises ``DeviceError``."""
    with Node(path) as node:
        now, (rate_hz, settable) = node.picture(), node.rate()
        inputs = [*node.inputs()]
        return {
            "device": path,
            **node.identity._asdict(),
            "now": {"format": now.said.split()[0], "columns": now.columns, "rows": now.rows, "rate_hz": rate_hz},
            "rate_settable": settable,
            "input": node.input() if inputs else None,
            "inputs": [one._asdict() for one in inputs],
            "formats": [_format(node, one) for one in node.formats()],
            "controls": [_control(one) for one in node.controls()],
        }


def _format(node: Node, one: PixelFormat) -> dict[str, Any]:
    sizes = [
        {"size": size_said(size), **size._asdict(), "rates_hz": [*map(rate_said, node.rates(_largest(one, size)))]}
        for size in node.sizes(one.fourcc)
    ]
    return {"format": one.name, "described": one.described, "usable": one.usable, "sizes": sizes}


def _largest(one: PixelFormat, size: Size) -> Picture:
    return Picture(one.fourcc, size.columns[1], size.rows[1])


def _control(control: Control) -> dict[str, Any]:
    return {**control._asdict(), "choices": {str(value): name for value, name in control.choices.items()}}


def _listed(folder: str) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith("video") and name[5:].isdecimal():
            yield name


def _number(name: str) -> int:
    return int(name[5:])


def _links(folder: str) -> dict[str, str]:
    """Device -> its link."""
    by_id = f"{folder}/{_BY_ID}"
    try:
        names = sorted(os.listdir(by_id), reverse=True)  # the first of several wins
    except OSError:
        return {}
    return {os.path.realpath(f"{by_id}/{name}"): f"{by_id}/{name}" for name in names}
