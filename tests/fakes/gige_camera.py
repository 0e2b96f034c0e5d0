"""A GigE Vision camera of Aravis' own (``ArvGvFakeCamera``) at 127.0.0.1:3956, until it is ended.

    gige_camera.py SERIAL [PACKETS_LOST_PER_THOUSAND]

What it sends is not ours: ids, packets and pictures are made by the library. ``oracle`` says what its documentation and
its pictures say: a diagonal ramp that moves with the frame id.
"""

from __future__ import annotations

import ctypes
import signal
import sys


def main() -> None:
    serial, lost = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    library = ctypes.CDLL("libaravis-0.8.so.0")
    library.arv_gv_fake_camera_new.restype = ctypes.c_void_p
    library.arv_gv_fake_camera_new.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    camera = library.arv_gv_fake_camera_new(b"127.0.0.1", serial.encode())
    library.g_object_set.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.g_object_set(camera, b"gvsp-lost-ratio", ctypes.c_double(lost / 1000.0), None)
    library.arv_gv_fake_camera_is_running.argtypes = [ctypes.c_void_p]
    if not library.arv_gv_fake_camera_is_running(camera):
        raise SystemExit("the camera does not run: is port 3956 taken?")
    print("running", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
