"""``source list``: devices that frames can come from; ``source show URI``: what one of them offers.

What is shown is what can be written behind the ``?`` of a source URI: pixel formats, sizes, rates, inputs, controls.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.term import printable, table
from agent.config.source import parse_source
from agent.errors import UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

_KINDS: Final = ("v4l2",)


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("list", "show"), help="the devices that are there, or what one of them offers")
    parser.add("uri", amount="?", metavar="URI", of=("show",), help="the device, for example v4l2:/dev/video0")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Look at devices; nothing is changed at any."""
    from agent.acquire.v4l2_offers import devices, offers

    if args.action == "list":
        found = devices()
        if args.json:
            print_json({"devices": found})
        else:
            _print_devices(found)
        return 0
    told = offers(_device(args.uri))
    if args.json:
        print_json(told)
    else:
        _print_offers(told)
    return 0


def _device(uri: str | None) -> str:
    hint = "'modality-agent source list' shows the devices that are there."
    if not uri:
        raise UsageError("source show needs the URI of a device", hint=hint)
    try:
        parsed = parse_source(uri)
    except ValueError as error:
        raise UsageError(f"{error}", hint=hint) from None
    if parsed.scheme not in _KINDS:
        raise UsageError(f"'{uri}' is no device that could offer anything", hint=hint)
    return parsed.what


def _print_devices(found: list[dict[str, Any]]) -> None:
    if not found:
        print("no device gives pictures here")
        return
    rows = [(one["uri"], one["card"] or "-", one["driver"] or "-", one["problem"] or one["bus"]) for one in found]
    print("\n".join(table(("source", "device", "driver", "where"), rows)))


def _print_offers(told: dict[str, Any]) -> None:
    now = told["now"]
    print(f"{printable(told['card'])}, driver {printable(told['driver'])} at {printable(told['bus'])}")
    rate = f"{now['rate_hz']:g} frames/s" if now["rate_hz"] else "rate not told"
    fixed = "" if told["rate_settable"] or not now["rate_hz"] else ", which cannot be set"
    print(f"set to: format={now['format']}&columns={now['columns']}&rows={now['rows']}, {rate}{fixed}")
    for one in told["inputs"]:
        taken = ", taken" if one["number"] == told["input"] else ""
        signal = ", no signal" if one["no_signal"] else ""
        print(f"input={one['number']}: {printable(one['name'])}{taken}{signal}")
    rows = []
    for one in told["formats"]:
        use = printable(one["described"]) if one["usable"] else f"{printable(one['described'])} (cannot be taken)"
        sizes = one["sizes"] or [{"size": "any", "rates_hz": []}]
        for at, size in enumerate(sizes):
            first = (one["format"], use) if at == 0 else ("", "")
            rows.append((*first, size["size"], ", ".join(size["rates_hz"]) or "-"))
    print("\n".join(table(("format", "", "columns x rows", "frames/s"), rows)))
    rows = [(f"control.{one['name']}", str(one["value"]), _limits(one)) for one in told["controls"]]
    if rows:
        print("\n".join(table(("control", "now", "may be"), rows)))


def _limits(one: dict[str, Any]) -> str:
    if one["kind"] == "button":
        return "button"
    if one["choices"]:
        words = ", ".join(f"{value} {name}" for value, name in one["choices"].items())
    else:
        step = f" in steps of {one['step']}" if one["step"] > 1 else ""
        words = f"{one['minimum']} to {one['maximum']}{step}"
    notes = [
        note for note, is_so in (("read only", one["read_only"]), ("without effect now", one["inactive"])) if is_so
    ]
    return ", ".join([words, *notes])
