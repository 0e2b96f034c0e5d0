"""``source list``: devices that frames can come from; ``source show URI``: what one of them offers.

Looking for cameras sends a question into every network of the box; ``source list v4l2:`` does not.

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
    from agent.config.source import SourceUri

_KINDS: Final = ("v4l2", "gige")


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("list", "show"), help="the devices that are there, or what one of them offers")
    parser.add(
        "uri",
        amount="?",
        metavar="URI",
        help="the device to show (v4l2:/dev/video0, gige:ADDRESS); to list: v4l2: or gige: alone",
    )
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Look at devices; nothing is changed at any."""
    if args.action == "list":
        found = _devices(args.uri or "")
        if args.json:
            print_json({"devices": found})
        else:
            _print_devices(found)
        return 0
    uri = _device(args.uri)
    told = _offers(uri)
    if args.json:
        print_json(told)
    elif uri.scheme == "gige":
        _print_camera(told)
    else:
        _print_offers(told)
    return 0


def _devices(kind: str) -> list[dict[str, Any]]:
    kinds = [name for name in _KINDS if kind.partition(":")[0] in ("", name)]
    if not kinds:
        raise UsageError(f"'{kind}' is no kind of devices; there are {' and '.join(f'{name}:' for name in _KINDS)}")
    found = []
    if "v4l2" in kinds:
        from agent.acquire.v4l2_offers import devices

        found += devices()
    if "gige" in kinds:
        from agent.acquire.gige_offers import cameras

        found += cameras()
    return found


def _offers(uri: SourceUri) -> dict[str, Any]:
    if uri.scheme == "gige":
        from agent.acquire.gige_offers import offers as offers_of_camera

        return offers_of_camera(uri)
    from agent.acquire.v4l2_offers import offers

    return offers(uri.what)


def _device(uri: str | None) -> SourceUri:
    hint = "'modality-agent source list' shows the devices that are there."
    if not uri:
        raise UsageError("source show needs the URI of a device", hint=hint)
    try:
        parsed = parse_source(uri)
    except ValueError as error:
        raise UsageError(f"{error}", hint=hint) from None
    if parsed.scheme not in _KINDS:
        raise UsageError(f"'{uri}' is no device that could offer anything", hint=hint)
    return parsed


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


def _print_camera(told: dict[str, Any]) -> None:
    print(", ".join(printable(text) for text in told["about"].values()) or "it says nothing of itself")
    rows = [(f"{name}=", f"{one['value']:g}", one["said"]) for name, one in told["numbers"].items()]
    rows.insert(0, ("format=", told["format"] or "-", ", ".join(told["formats"])))
    rows += [(name, "-", ", ".join(words)) for name, words in told["choices"].items()]
    print("\n".join(table(("option", "now", "may be"), [tuple(map(printable, row)) for row in rows])))


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
