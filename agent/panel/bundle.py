"""Images of the panel's firmware: read from a file, or made of modules; the one that belongs to this agent is with it.

A file is an image as it goes over the line (``agent.panel.image``). Nothing in it is believed before each file was held
against its SHA-256. Who made it is not proven by that: whoever may run ``panel update`` may put what he likes on the
panel, as he may by its USB plug.
"""

from __future__ import annotations

import hashlib
import os
import re

import agent
from agent.errors import FileError, InputError
from agent.panel.image import IMAGE_LIMIT, MANIFEST_LIMIT, TITLE, allowed, parse
from agent.panel.messages import BOARDS, VERSION
from agent.panel.update import Image
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_END: Final = re.compile(rb"\n(end )([0-9a-f]{64})\n")
_HOW: Final = "'modality-agent panel bundle FOLDER -o FILE' makes one; without a file, this agent's own is taken."
# Modules of a board; what another board has is left out of its image.
BOARD_FILES: Final = {"pico_w": "board_pico_w.py", "simulated": "board_wasm.py"}
_SHARED: Final = ("framing.py", "messages.py", "image.py")
_VERSION: Final = re.compile(r"^FIRMWARE = \((\d+), (\d+), (\d+)\)$", re.MULTILINE)


def read(data: bytes, name: str) -> Image:
    """Check an image; raises ``InputError`` for what is none or is damaged. ``name`` is how the user knows it."""
    said = _END.search(data, 0, MANIFEST_LIMIT)
    if not data.startswith(TITLE.encode() + b"\n") or said is None:
        raise InputError(f"{name}: is no firmware of a panel", hint=_HOW)
    end = said.end()
    if hashlib.sha256(data[: said.start(1)]).hexdigest().encode() != said[2]:
        raise InputError(f"{name}: damaged: its manifest has another SHA-256 than it should", hint="Copy it again.")
    try:
        manifest = parse(data[:end])
    except ValueError as error:
        raise InputError(f"{name}: damaged: its manifest is not understood: {error}", hint=_HOW) from None
    if len(data) > IMAGE_LIMIT or end + manifest.size() != len(data):
        raise InputError(f"{name}: damaged: {len(data)} bytes, not {end + manifest.size()}", hint="Copy it again.")
    at = end
    for inside, size, digest in manifest.files:
        if hashlib.sha256(data[at : at + size]).digest() != digest:
            raise InputError(f"{name}: damaged: {inside} has another SHA-256 than it should", hint="Copy it again.")
        at += size
    return Image(data, manifest, end, hashlib.sha256(data[:end]).digest())


def make(files: Mapping[str, bytes], board: str, version: str, protocol: int = VERSION) -> Image:
    """Make an image of modules, by name; raises ``InputError`` for names or amounts that no panel takes."""
    lines = [TITLE, f"board {board}", f"version {version}", f"protocol {protocol}"]
    lines += [f"file {name} {len(data)} {hashlib.sha256(data).hexdigest()}" for name, data in sorted(files.items())]
    head = "\n".join([*lines, ""]).encode()
    head += f"end {hashlib.sha256(head).hexdigest()}\n".encode()
    return read(head + b"".join(data for _, data in sorted(files.items())), "the firmware that was made")


def shipped(board: str) -> Image:
    """The firmware of this agent for a board; raises ``InputError`` for a board that it has none for."""
    if board not in BOARD_FILES:
        known = ", ".join(sorted(BOARD_FILES))
        raise InputError(f"this agent has no firmware for the board '{board}'; it has: {known}")
    return gather(firmware_folder(), board)


def gather(folder: str, board: str, version: str = "") -> Image:
    """Make an image of the modules in a folder, and of those that both ends share where it has none of its own.

    The version is that of ``panel.py`` unless it is given, as it must be for modules that are compiled.
    """
    files = {}
    others = {name.removesuffix(".py") for word, name in BOARD_FILES.items() if word != board}
    try:
        names = sorted(os.listdir(folder))
        for name in names:
            stem = name.rpartition(".")[0]
            if allowed(name) and stem not in others and stem != "manifest":
                files[name] = _bytes(os.path.join(folder, name))
        for name in _SHARED:
            if name not in files and f"{name.removesuffix('.py')}.mpy" not in files:
                files[name] = _bytes(os.path.join(os.path.dirname(__file__), name))
    except OSError as error:
        raise FileError.of(folder, error) from error
    said = _VERSION.search(files.get("panel.py", b"").decode(errors="replace"))
    if not version and said is None:
        raise InputError(f"{folder}: no panel.py says which version this is", hint="Say it with --version N.N.N.")
    if board not in BOARDS[1:]:
        raise InputError(f"there is no board '{board}'; there are: {', '.join(BOARDS[1:])}")
    if "firmware" not in {name.rpartition(".")[0] for name in files}:
        raise InputError(f"{folder}: has no module 'firmware', with which a panel begins")
    return make(files, board, version or ".".join(said.groups() if said else ()))


def firmware_folder() -> str:
    """Return where the modules of the firmware are: in the package, or beside it in a source tree."""
    package = os.path.dirname(os.path.abspath(agent.__file__))
    beside = os.path.join(os.path.dirname(package), "hw")
    return beside if os.path.isfile(os.path.join(beside, "firmware.py")) else os.path.join(package, "hw.d")


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(IMAGE_LIMIT + 1)
