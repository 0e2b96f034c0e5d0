"""A file with a file system in it that can be put in any state, mounted, and taken away; here or in user-mode Linux."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fakes.uml import blocks
from fakes.uml.kernel import Loop, mount, unmount

if TYPE_CHECKING:
    from collections.abc import Iterator


class Medium:
    """One file and one mount point in ``folder``, which is memory."""

    def __init__(self, folder: str, kind: str, options: str = "") -> None:
        self.path, self.point = f"{folder}/medium", f"{folder}/mounted"
        self.kind, self.options = kind, options
        os.makedirs(self.point, exist_ok=True)

    def put(self, whole: bytes | bytearray) -> None:
        """Let the medium hold this."""
        blocks.store(self.path, whole)

    def get(self) -> bytes:
        """What it holds."""
        with open(self.path, "rb") as file:
            return file.read()

    @contextmanager
    def loop(self) -> Iterator[Loop]:
        """Its block device."""
        device = Loop(self.path)
        try:
            yield device
        finally:
            device.close()

    @contextmanager
    def mounted(self, device: str = "") -> Iterator[str]:
        """The mount point; ``device`` stands between the medium and its file system."""
        if device:
            mount(device, self.point, self.kind, self.options)
            try:
                yield self.point
            finally:
                if os.path.ismount(self.point):  # whoever was there may have unmounted it
                    unmount(self.point)
            return
        with self.loop() as loop, self.mounted(loop.device) as point:
            yield point
