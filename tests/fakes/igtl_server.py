"""A real OpenIGTLink server, pyigtl's, as a process of its own: sends numbered pictures to whoever connects.

    python igtl_server.py '{"shape": [480, 640], "rate_hz": 30}'

Prints ``listening on PORT`` first. ``port`` 0 means any; ``frames`` 0 means endless.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pyigtl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fakes.igtl import picture


def main() -> None:
    wanted = {"port": 0, "shape": [48, 64], "dtype": "uint8", "rate_hz": 30.0, "frames": 0, "device": "Probe"}
    wanted |= json.loads(sys.argv[1])
    server = pyigtl.OpenIGTLinkServer(port=wanted["port"], local_server=True)
    print(f"listening on {server.server_address[1]}", flush=True)
    pictures = [picture(number, tuple(wanted["shape"]), wanted["dtype"]) for number in range(32)]
    number, began = 0, 0.0
    while not wanted["frames"] or number < wanted["frames"]:
        if not server.is_connected():
            began = 0.0
            time.sleep(0.002)
            continue
        if not began:
            began, number = time.monotonic(), 0
        samples = pictures[number % len(pictures)].copy()
        samples.reshape(-1)[:2] = (number & 0xFF, number >> 8 & 0xFF)
        message = pyigtl.ImageMessage(
            samples[np.newaxis], device_name=wanted["device"], ijk_to_world_matrix=np.diag([0.2, 0.3, 1.0, 1.0])
        )
        server.send_message(message, wait=False)
        number += 1
        if wanted["rate_hz"]:
            time.sleep(max(0.0, began + number / wanted["rate_hz"] - time.monotonic()))
    time.sleep(1)
    server.stop()


if __name__ == "__main__":
    main()
