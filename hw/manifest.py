"""What is frozen into the firmware: this folder, and the two modules that the agent has, too."""

# ruff: noqa: F821  the words of a manifest
module("main.py")
for name in ("board", "board_pico_w", "clock", "heart", "lights", "outbox", "panel", "trigger"):
    module(name + ".py")
for name in ("framing", "messages"):
    module(name + ".py", base_path="$(MPY_DIR)/../modality-agent/agent/panel")
