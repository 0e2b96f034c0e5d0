"""What is frozen into the firmware: the port's own modules, this folder, and the modules that the agent has, too.

In ``ports/rp2`` of MicroPython: ``make BOARD=RPI_PICO_W FROZEN_MANIFEST=.../hw/manifest.py``.
"""

# ruff: noqa: F821  the words of a manifest
include("$(PORT_DIR)/boards/manifest.py")
for name in (
    "main", "slots", "store", "store_pico_w", "firmware", "board", "board_pico_w", "clock", "heart", "lights", "outbox",
    "panel", "trigger", "update",
):  # fmt: skip
    module(name + ".py")
for name in ("framing", "image", "messages"):
    module(name + ".py", base_path="../agent/panel")
