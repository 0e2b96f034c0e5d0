"""A corpus in one file: thousands of inputs of some bytes would be as many files of the repository.

A size of two bytes, the lower first, stands in front of each input; native/fuzz/replay.c reads the same.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

NAME = "corpus.pack"
SIZE_MOST = 0xFFFF


def unpack(pack: bytes) -> list[bytes]:
    inputs = []
    while pack:
        size = int.from_bytes(pack[:2], "little")
        inputs.append(pack[2 : 2 + size])
        pack = pack[2 + size :]
    return inputs


def keep(program: str, folders: list[str], kept: str) -> tuple[int, int]:
    """Write the fewest inputs of the folders that reach what all of them reach; how many, and bytes of the pack."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [program, "-merge=1", "-max_len=8192", scratch, *folders]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        inputs = []
        for name in sorted(os.listdir(scratch)):
            with open(os.path.join(scratch, name), "rb") as file:
                inputs.append(file.read(SIZE_MOST))
    inputs.sort(key=lambda data: (len(data), data))
    pack = b"".join(len(data).to_bytes(2, "little") + data for data in inputs)
    os.makedirs(kept, exist_ok=True)
    with open(os.path.join(kept, NAME), "wb") as file:
        file.write(pack)
    return len(inputs), len(pack)
