"""The daemon's end of ``panel update``: which firmware goes to the panel, and when not.

None goes while a source that a switch of the panel captures does so, or an order for one waits, and the panel restarts
at no such moment: its pedals do nothing for the second or two that takes. The way there is ``agent.panel.update``.
"""

from __future__ import annotations

import os

from agent.app.control import DESCRIPTORS
from agent.errors import InputError, NotFound, PanelRefused
from agent.panel import bundle
from agent.panel.image import IMAGE_LIMIT
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.runtime import Runtime
    from agent.panel.update import Image


def begin(runtime: Runtime, request: dict[str, Any], by: str) -> dict[str, Any]:
    """Begin it; the status tells how it goes on. Raises ``NotFound``, ``PanelRefused``, ``InputError``."""
    front = runtime.front
    if front is None or not runtime.settings.panel.port:
        raise NotFound("no front panel is configured", hint="[panel] port names its serial line.")
    if busy(runtime):
        raise PanelRefused("a source of the panel is capturing, or is about to", hint="Try again between two exams.")
    image = _image(request, front.facts())
    front.panel.update(image, downgrade=request.get("downgrade") is True, may_restart=lambda: not busy(runtime))
    what = f"firmware {image.version} ({image.digest.hex()[:16]}) goes to the panel: asked for by {by or 'somebody'}"
    runtime.journal.say("notice", "panel", what, always=True)
    return {"ok": True, "version": image.version, "size": len(image.data), "sha256": image.digest.hex()}


def busy(runtime: Runtime) -> bool:
    """Whether a press that is not heard now would be missed."""
    pressed = set(runtime.settings.panel._asdict().values())
    return any((one.counts.recording or one.pending) for name, one in runtime.recorders.items() if name in pressed)


def _image(request: dict[str, Any], facts: dict[str, Any]) -> Image:
    given = request.get(DESCRIPTORS, [])
    if not given:
        running = facts.get("running")
        if not running:
            raise PanelRefused("the panel has not said yet which board it is", hint="Is it there? See 'panel status'.")
        return bundle.shipped(running["board"])
    data = b""
    while len(data) <= IMAGE_LIMIT:
        part = os.read(given[0], IMAGE_LIMIT + 1 - len(data))
        if not part:
            return bundle.read(data, "the file")
        data += part
    raise InputError(f"the file is longer than any firmware of a panel: more than {IMAGE_LIMIT} bytes")
