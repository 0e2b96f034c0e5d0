"""``panel status|update|bundle``: what the front panel is, another firmware for it, and firmware as one file.

``update`` without a file takes the firmware that belongs to this agent. The running agent sends it (``panel_update``);
this process shows how far it is, and may be ended: the update goes on. Exit status 42 says that the panel goes on with
the firmware that it had.
"""

from __future__ import annotations

import os
import time

from agent.app.cli import print_json
from agent.app.common import add_spool, readable, spool_root
from agent.app.orders import who
from agent.app.term import Progress, printable, size_text, table
from agent.errors import FileError, LinkTimeout, NotFound, NotRunning, PanelRefused, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

DEFAULT_TIMEOUT_S: Final = 600.0
_LOOK_S: Final = 0.3
_LINE: Final = 200


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("status", "update", "bundle"), help="what to do")
    parser.add("file", amount="?", of=("update", "bundle"),
               help="update: a firmware; bundle: the folder of its modules (those of this agent)")  # fmt: skip
    parser.add("--downgrade", of=("update",), switch=True, help="update: also to an older one")
    parser.add("--timeout", of=("update",), read=float, default=DEFAULT_TIMEOUT_S, metavar="S",
               help=f"update: look on for so long ({DEFAULT_TIMEOUT_S:g}); it goes on by itself")  # fmt: skip
    parser.add("--board", of=("bundle",), default="pico_w", metavar="NAME", help="bundle: the board (pico_w)")
    parser.add("--version", of=("bundle",), default="", metavar="N.N.N", help="bundle: its version (that of panel.py)")
    parser.add("-o", "--output", of=("bundle",), metavar="FILE", help="bundle: where it goes")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Do it."""
    return {"status": _status, "update": _update, "bundle": _bundle}[args.action](args)


def _status(args: Arguments) -> int:
    facts = _facts(spool_root(args))
    if args.json:
        print_json(facts)
    else:
        print("\n".join(table(("", ""), _rows(facts))))
    return 0


def _rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    from agent.panel import bundle

    rows = [("port", facts["port"]), ("there", "yes" if facts["present"] else f"no: {facts['trouble']}")]
    running = facts.get("running")
    if "firmware" in facts:
        rows.append(("firmware", facts["firmware"]))
    if running:
        rows += [("board", running["board"]), ("runs from", "flash, as it was burnt in" if running["slot"] == "frozen"
                                               else f"slot {running['slot']}")]  # fmt: skip
        if running["outcome"] in ("crashed", "not_confirmed"):
            rows.append(("last update", f"was taken back: {running['outcome'].replace('_', ' ')}"))
        if running["board"] in bundle.BOARD_FILES:
            rows.append(("this agent's", bundle.shipped(running["board"]).version))
    if "firmware" in facts:
        warm = facts["temperature_c"]
        rows += [("serial", facts["serial"]), ("last reset", facts["last_reset"]),
                 ("temperature", "not known" if warm is None else f"{warm:.1f} degrees"),
                 ("watchdog", "armed" if "armed" in facts["flags"] else "not armed")]  # fmt: skip
    update = facts.get("update")
    if update:
        rows.append(("update", f"{update['version']}: {_state(update)}"))
    return [(name, printable(str(text), _LINE)) for name, text in rows]


def _state(update: dict[str, Any]) -> str:
    if update["failed"]:
        return f"failed: {update['failed']}"
    if update["phase"] == "ready":
        return "waits until nothing is captured, then the panel restarts"
    return f"{update['phase']}, {size_text(update['sent'])} of {size_text(update['size'])}"


def _update(args: Arguments) -> int:
    from agent.app.control import ask

    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0")
    root = spool_root(args)
    descriptors = [] if args.file is None else [_checked(args.file)]
    try:
        request = {"verb": "panel", "by": who(), "downgrade": args.downgrade}
        answer = ask(root, request, descriptors=descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    if answer is None:
        readable(root)
        raise NotRunning(f"no agent is running on {root}")
    update = _watched(root, time.monotonic() + args.timeout)
    if update["failed"]:
        raise PanelRefused(update["failed"])
    if args.json:
        print_json({**update, "sha256": answer["sha256"]})
    else:
        print(f"the panel runs firmware {update['version']}")
    return 0


def _checked(path: str) -> int:
    """Open a firmware; one that is damaged is told before anybody is asked."""
    from agent.panel import bundle
    from agent.panel.image import IMAGE_LIMIT

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FileError.of(path, error) from error
    try:
        with open(descriptor, "rb", closefd=False) as file:
            bundle.read(file.read(IMAGE_LIMIT + 1), path)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        os.close(descriptor)
        raise FileError.of(path, error) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _watched(root: str, until: float) -> dict[str, Any]:
    progress = Progress()
    try:
        while time.monotonic() < until:
            update: dict[str, Any] = _facts(root)["update"]
            if update["done"] or update["failed"]:
                return update
            progress.of(update["sent"], update["size"], _state(update))
            time.sleep(_LOOK_S)
    finally:
        progress.clear()
    raise LinkTimeout("the update is not done yet; it goes on", hint="'panel status' says how far it is.")


def _facts(root: str) -> dict[str, Any]:
    from agent.app.control import ask

    answer = ask(root, {"verb": "status"})
    if answer is None:
        readable(root)
        raise NotRunning(f"no agent is running on {root}")
    facts: dict[str, Any] | None = answer["panel"]
    if facts is None:
        raise NotFound("no front panel is configured", hint="[panel] port names its serial line.")
    return facts


def _bundle(args: Arguments) -> int:
    from agent.panel import bundle

    if args.output is None:
        raise UsageError("bundle: -o FILE says where it goes")
    image = bundle.gather(args.file or bundle.firmware_folder(), args.board, args.version)
    try:
        with open(args.output, "wb") as file:
            file.write(image.data)
    except OSError as error:
        raise FileError.of(args.output, error) from error
    names = [name for name, _, _ in image.manifest.files]
    facts = {"file": args.output, "version": image.version, "board": image.manifest.board, "size": len(image.data),
             "sha256": image.digest.hex(), "modules": names}  # fmt: skip
    if args.json:
        print_json(facts)
    else:
        text = f"{args.output}: firmware {image.version} for {image.manifest.board}, {size_text(len(image.data))}"
        print(f"{text}, {len(names)} modules, SHA-256 of its manifest {image.digest.hex()}")
    return 0
