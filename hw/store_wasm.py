"""The flash of the board of the tests: each change of a file is told to JavaScript, which may take the power away."""

import _pins
from store import File, Store


class SimulatedStore(Store):
    """Everything that a real one has."""

    def close(self, file: File, path: str) -> None:
        file.close()
        _pins.stored(path)

    def rename(self, old: str, new: str) -> None:
        super().rename(old, new)
        _pins.renamed(old, new)

    def remove(self, path: str) -> None:
        super().remove(path)
        _pins.removed(path)

    def make(self, folder: str) -> None:
        super().make(folder)
        _pins.made(folder)

    def free(self) -> int:
        return int(_pins.free())

    def guard(self, ms: int) -> None:
        _pins.guard(ms)

    def reset(self) -> None:
        _pins.reset()
