"""What the network of this box is: interfaces, addresses, routes, name servers; from the kernel, without any command.

Addresses come over netlink (RTM_GETADDR, rtnetlink(7)), because /proc has the first IPv4 address only; the rest is
from /sys/class/net, /proc/net and /etc/resolv.conf. What cannot be read is left out.
"""

from __future__ import annotations

import os
import socket
import struct

from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYS: Final = "/sys/class/net"
_GETADDR, _DUMP, _DONE, _ERROR, _NEWADDR = 22, 0x301, 3, 2, 20
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr
_ADDRESS: Final = struct.Struct("=BBBBI")  # ifaddrmsg
_ATTRIBUTE: Final = struct.Struct("=HH")  # rtattr
_UP, _GATEWAY = 0x1, 0x2  # flags of a route
_ANSWER_BYTES: Final = 1 << 16
_ANSWERS: Final = 64
_SERVERS: Final = 8


def facts() -> dict[str, Any]:
    """Everything, as plain values."""
    addresses = addresses_of()
    return {
        "name": socket.gethostname(),
        "interfaces": [_interface(name, addresses) for name in sorted(_listed(_SYS))],
        "routes": [*routes4(_read("/proc/net/route")), *routes6(_read("/proc/net/ipv6_route"))],
        "name_servers": name_servers(_read("/etc/resolv.conf")),
    }


def _interface(name: str, addresses: dict[int, list[str]]) -> dict[str, Any]:
    def said(what: str) -> str:
        return _read(f"{_SYS}/{name}/{what}").strip()

    index, speed, carrier = said("ifindex"), said("speed"), said("carrier")
    number = int(speed) if speed.lstrip("-").isdecimal() else -1
    return {
        "name": name,
        "state": said("operstate"),
        "link": {"1": True, "0": False}.get(carrier),
        "speed_mbit_s": number if number > 0 else None,
        "duplex": said("duplex") if number > 0 else "",
        "mac": said("address"),
        "mtu": int(said("mtu") or 0),
        "addresses": addresses.get(int(index), []) if index.isdecimal() else [],
        "received_errors": int(said("statistics/rx_errors") or 0),
        "sent_errors": int(said("statistics/tx_errors") or 0),
    }


# --- addresses ---------------------------------------------------------------------------------------


def addresses_of() -> dict[int, list[str]]:
    """Addresses with the length of their network, by the number of the interface."""
    found: dict[int, list[str]] = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as side:
            side.settimeout(1.0)
            body = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
            side.send(_HEADER.pack(_HEADER.size + len(body), _GETADDR, _DUMP, 1, 0) + body)
            for _ in range(_ANSWERS):
                data = side.recv(_ANSWER_BYTES)
                if not _take(data, found):
                    break
    except OSError:
        return found
    return found


def _take(data: bytes, found: dict[int, list[str]]) -> bool:
    """Take the addresses of one answer; False at the end."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        if kind in (_DONE, _ERROR) or length < _HEADER.size:
            return False
        if kind == _NEWADDR:
            number, text = address(data[at + _HEADER.size : at + length])
            if text:
                found.setdefault(number, []).append(text)
        at += -(-length // 4) * 4
    return True


def address(message: bytes) -> tuple[int, str]:
    """Interface and address of one message; of a point-to-point link our own end."""
    family, prefix, _, _, number = _ADDRESS.unpack_from(message)
    values: dict[int, bytes] = {}
    at = _ADDRESS.size
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            break
        values[kind] = message[at + _ATTRIBUTE.size : at + length]
        at += -(-length // 4) * 4
    raw = values.get(_IFA_LOCAL) or values.get(_IFA_ADDRESS)
    if raw is None or family not in (socket.AF_INET, socket.AF_INET6):
        return number, ""
    try:
        return number, f"{socket.inet_ntop(family, raw)}/{prefix}"
    except ValueError:
        return number, ""


# --- routes and names ----------------------------------------------------------------------------------


def routes4(text: str) -> Iterator[dict[str, Any]]:
    """The IPv4 routes of /proc/net/route."""
    for line in text.splitlines()[1:]:
        parts = line.split()
        if len(parts) < 8 or not int(parts[3], 16) & _UP:
            continue
        gateway = _inet(parts[2]) if int(parts[3], 16) & _GATEWAY else ""
        length = bin(int(parts[7], 16)).count("1")
        to = "default" if not int(parts[1], 16) and not length else f"{_inet(parts[1])}/{length}"
        yield {"to": to, "gateway": gateway, "interface": parts[0], "metric": int(parts[6])}


def routes6(text: str) -> Iterator[dict[str, Any]]:
    """The IPv6 routes of /proc/net/ipv6_route that lead somewhere else than to this box."""
    for line in text.splitlines():
        parts = line.split()
        if len(parts) < 10 or not int(parts[8], 16) & _UP or parts[9] == "lo":
            continue
        length = int(parts[1], 16)
        if length == 128 or parts[0].startswith("ff"):  # an address of ours, multicast
            continue
        gateway = _inet6(parts[4]) if int(parts[8], 16) & _GATEWAY else ""
        to = "default" if not length else f"{_inet6(parts[0])}/{length}"
        yield {"to": to, "gateway": gateway, "interface": parts[9], "metric": int(parts[5], 16)}


def name_servers(text: str) -> list[str]:
    """The name servers of resolv.conf(5)."""
    lines = (line.split() for line in text.splitlines())
    return [parts[1] for parts in lines if len(parts) > 1 and parts[0] == "nameserver"][:_SERVERS]


def _inet(hexadecimal: str) -> str:
    return socket.inet_ntop(socket.AF_INET, struct.pack("=I", int(hexadecimal, 16)))


def _inet6(hexadecimal: str) -> str:
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(hexadecimal))


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_ANSWER_BYTES)
    except OSError:  # "carrier" of an interface that is down, a name space without /proc
        return ""
