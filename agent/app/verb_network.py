"""``network``: interfaces, addresses, routes, name servers of this box; ``--check``: how far it is to each destination.

``--check`` connects to each destination and closes again, so that a wrong address, a firewall and a peer that is not
started are told from each other; whether DICOM is spoken there, ``selftest`` and ``echo`` tell. Exit status 20
where one cannot be reached.
"""

from __future__ import annotations

import socket
import time

from agent.app.cli import print_json
from agent.app.common import add_config, settings_of
from agent.app.network_facts import facts
from agent.app.term import printable, table
from agent.errors import ConnectFailed, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import DestinationSettings

DEFAULT_TIMEOUT_S: Final = 3.0
_AT_ONCE: Final = 16
# Error of connect(2) -> what it means to a person.
_MEANS: Final = {
    "ConnectionRefusedError": "the host is there, and nothing listens on this port: is the peer started?",
    "TimeoutError": "no answer at all: wrong address, host switched off, or a firewall that drops",
}
_UNREACHABLE: Final = "no way there: look at addresses, routes and cable of this box"


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add(
        "--check", switch=True, help="connect to each destination of the configuration, and say how long it took"
    )
    add_config(parser)
    parser.add("--timeout", read=float, default=DEFAULT_TIMEOUT_S, metavar="S",
               help=f"wait so long for each connection ({DEFAULT_TIMEOUT_S:g})")  # fmt: skip
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Print it."""
    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0")
    found = facts()
    if args.check:
        found["destinations"] = _checked(settings_of(args).destination, args.timeout)
    failed = [one for one in found.get("destinations", ()) if not one["reached"]]
    if args.json:
        print_json(found)
    else:
        _print(found)
    if failed:
        names = ", ".join(one["name"] for one in failed)
        raise ConnectFailed(f"not reached: {names}", hint="The line of each destination says what that means.")
    return 0


def _checked(rows: tuple[DestinationSettings, ...], within_s: float) -> list[dict[str, Any]]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda row: reach(row.name, row.host, row.port, within_s), rows))


def reach(name: str, host: str, port: int, within_s: float) -> dict[str, Any]:
    """Connect to one place and close again."""
    began = time.monotonic()
    told: dict[str, Any] = {"name": name, "host": host, "port": port, "reached": False, "address": "", "from": ""}
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return {**told, "ms": None, "says": f"the name '{host}' is not known: {why}"}
    told["address"] = places[0][4][0]
    resolved = time.monotonic()
    try:
        with socket.create_connection((host, port), within_s) as side:
            took = (time.monotonic() - resolved) * 1000
            told.update(reached=True, address=side.getpeername()[0])
            told["from"] = side.getsockname()[0]
    except OSError as error:
        means = _MEANS.get(type(error).__name__, f"{error.strerror or error}; {_UNREACHABLE}")
        return {**told, "ms": None, "says": means}
    lookup = (resolved - began) * 1000
    return {**told, "ms": round(took, 1), "says": f"reached in {took:.1f} ms" + (
        f", its name found in {lookup:.0f} ms" if host != told["address"] else "")}  # fmt: skip


def _print(found: dict[str, Any]) -> None:
    print(f"name: {printable(found['name'])}")
    for one in found["interfaces"]:
        print(f"{one['name']}: {_state(one)}")
        if one["addresses"]:
            print(f"  {', '.join(one['addresses'])}")
        errors = one["received_errors"] + one["sent_errors"]
        if errors:
            print(f"  {errors} errors on the line: look at the cable")
    if found["routes"]:
        rows = [(one["to"], one["gateway"] or "-", one["interface"]) for one in found["routes"]]
        print("\n".join(table(("to", "through", "interface"), rows)))
    else:
        print("routes: none, so that only neighbours can be reached")
    servers = ", ".join(found["name_servers"])
    print(f"name servers: {printable(servers) if servers else 'none, so that destinations need addresses'}")
    for one in found.get("destinations", ()):
        address = f" ({one['address']})" if one["address"] not in ("", one["host"]) else ""
        where = f"{one['host']}:{one['port']}{address}"
        print(f"{one['name']}: {where}\n  {printable(one['says'], 300)}")


def _state(one: dict[str, Any]) -> str:
    link = {True: "link is there", False: "no link: is the cable in?", None: ""}[one["link"]]
    speed = f"{one['speed_mbit_s']} Mbit/s {one['duplex']}" if one["speed_mbit_s"] else ""
    up = one["state"] if one["state"] != "unknown" else "up" if one["link"] else "unknown"
    mac = f"MAC {one['mac']}" if one["mac"].strip("0:") else ""
    return ", ".join(filter(None, (up, link if up != "down" or one["link"] is False else "", speed, mac)))
