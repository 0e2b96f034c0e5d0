"""Tell systemd (sd_notify(3)) without its library: one datagram to the socket named by NOTIFY_SOCKET."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(text: str) -> None:
    """Send ``text`` (``READY=1``, ``STOPPING=1``, ``RELOADING=1`` ...); nothing happens outside systemd."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    # The service manager is not our client: whatever is wrong with its socket must not stop the agent.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(text.encode(), name)
