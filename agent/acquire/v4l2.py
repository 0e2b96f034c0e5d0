"""Agree with a Video4Linux2 device on what it will send: ``v4l2:/dev/video0?format=Y12&columns=640&rows=480``.

    input -> timings or standard of what comes in there -> controls that change the picture -> pixel format and size
          -> rate -> other controls -> buffers

Drivers give what is nearest to what was asked for and say so only to those who read it back. Nobody gets a picture of
another size or depth here than the configuration says: what was asked for and did not come is a ``DeviceError`` that
says what the device gave instead. What was not asked for stays as the device has it, but for a pixel format that cannot
be taken: then it is the first of the device's that can. Controls are set in the order of the URI, for some have no
effect before others; those that turn or mirror a picture before it is agreed on, the others behind it, for their limits
may follow from it. Another picture at the input is heard of from the moment that it is looked at. The device is free
again when its source is closed, so every capture agrees anew.
"""

from __future__ import annotations

from agent.config.nearest import close_to
from agent.errors import DeviceError
from agent.native.v4l2 import Control, Input, Node, Picture, PixelFormat, Size, control_name
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.source import SourceUri
    from agent.native.source import Source

CONTROL: Final = "control."
# Thirty frames/s are 29.97 to many devices; what differs more is another rate.
RATE_TOLERANCE: Final = 0.005
_BOOLEANS: Final = {"off": 0, "on": 1, "false": 0, "true": 1}
_ALL: Final = 12  # entries of a list in a message


def open_v4l2(uri: SourceUri) -> Source:
    """Open the device and agree; raises ``DeviceError``."""
    with Node(uri.what) as node:
        return _Negotiation(node, uri).run()


def size_said(size: Size) -> str:
    """A size in words."""
    columns, rows = size
    if columns[0] == columns[1] and rows[0] == rows[1]:
        return f"{columns[0]}x{rows[0]}"
    steps = f" in steps of {columns[2]}x{rows[2]}" if columns[2] > 1 or rows[2] > 1 else ""
    return f"{columns[0]}x{rows[0]} to {columns[1]}x{rows[1]}{steps}"


def rate_said(rate: tuple[float, float]) -> str:
    """A rate, or a range of them."""
    return f"{rate[0]:g}" if rate[0] == rate[1] else f"{rate[0]:g} to {rate[1]:g}"


class _Negotiation:
    """One device and what is asked of it."""

    def __init__(self, node: Node, uri: SourceUri) -> None:
        self._node = node
        self._uri = uri
        self._name = f"v4l2 {node.path}"

    def run(self) -> Source:
        if not self._node.identity.captures or not self._node.identity.streams:
            what = "gives no pictures" if not self._node.identity.captures else "cannot stream into mapped memory"
            raise self._failure(f"{self._node.identity.card} {what}", "A camera often has a second node that does.")
        seen_hz = self._input()
        self._controls(of_layout=True)
        picture = self._picture()
        rate_hz = self._rate(seen_hz, picture)
        self._controls(of_layout=False)
        return self._node.source(picture, rate_hz, self._uri.options["rate_hz"])

    def _failure(self, text: str, hint: str = "") -> DeviceError:
        return DeviceError(f"{self._name}: {text}", hint=hint or self._show)

    @property
    def _show(self) -> str:
        return f"'modality-agent source show v4l2:{self._node.path}' lists what it offers."

    # --- what comes in ----------------------------------------------------------------------------

    def _input(self) -> float:
        """Take the input, and follow what comes in there; its rate where it is digital video, else 0."""
        inputs = [*self._node.inputs()]
        wanted = self._uri.texts["input"]
        if wanted and not inputs:
            raise self._failure(f"it has no inputs to choose '{wanted}' of")
        if wanted:
            number = self._chosen(inputs, wanted).number
            if number != self._node.input():  # some look at their signal anew, and call it another one
                self._node.choose_input(number)
            inputs = [*self._node.inputs()]  # signals are seen at the input that is taken
        rate_hz = self._signal(inputs) if inputs else 0.0
        self._node.listen()  # not earlier: timings that we set ourselves are a change to some drivers
        return rate_hz

    def _signal(self, inputs: list[Input]) -> float:
        now = self._node.input()
        one = next((each for each in inputs if each.number == now), inputs[0])
        if one.no_signal:
            raise self._failure(
                f"no signal at its input '{one.name}'", "Is the cable in, and the unit at its other end on?"
            )
        if one.has_standards:
            self._node.follow_standard()
        return self._node.follow_timings() if one.has_timings else 0.0

    def _chosen(self, inputs: Sequence[Input], wanted: str) -> Input:
        for one in inputs:
            if wanted == str(one.number) or control_name(wanted) == control_name(one.name):
                return one
        names = [one.name for one in inputs]
        raise self._failure(f"it has no input '{wanted}'; it has {', '.join(names)}{close_to(wanted, names)}")

    # --- what it makes of it ----------------------------------------------------------------------

    def _picture(self) -> Picture:
        now = self._node.picture()
        fourcc = self._format(now)
        columns, rows = int(self._uri.options["columns"]), int(self._uri.options["rows"])
        wanted = now._replace(fourcc=fourcc, columns=columns or now.columns, rows=rows or now.rows)
        got = self._node.set_picture(wanted)
        asked = self._uri.texts["format"] or columns or rows
        if got.fourcc != fourcc or (columns and got.columns != columns) or (rows and got.rows != rows):
            sizes = [size_said(size) for size in self._node.sizes(fourcc)]
            offers = f"; it offers {_several(sizes)}" if got.fourcc == fourcc and sizes else ""
            raise self._failure(
                f"asked for {wanted.said}, it gives {got.said}{offers}", "" if asked else DeviceError.hint
            )
        return got

    def _format(self, now: Picture) -> int:
        """The pixel format to ask for."""
        formats = [*self._node.formats()]
        wanted = self._uri.texts["format"]
        usable = [one for one in formats if one.usable]
        if wanted:
            return self._wanted_format(formats, usable, wanted)
        if any(one.fourcc == now.fourcc for one in usable):
            return now.fourcc
        if not usable:
            has = _several([one.name for one in formats]) or "none"
            raise self._failure(f"none of its pixel formats can be taken: it has {has}")
        return usable[0].fourcc

    def _wanted_format(self, formats: Sequence[PixelFormat], usable: Sequence[PixelFormat], wanted: str) -> int:
        found = next((one for one in formats if one.name == wanted), None)
        if found in usable and found is not None:
            return found.fourcc
        names = [one.name for one in usable]
        what = f"its {wanted} cannot be taken" if found else f"it has no pixel format '{wanted}'"
        close = "" if found else close_to(wanted, names)
        raise self._failure(f"{what}; of what it has can be taken: {_several(names) or 'nothing'}{close}")

    def _rate(self, seen_hz: float, picture: Picture) -> float:
        """Frames/s; 0 where the device does not tell."""
        wanted = self._uri.options["rate_hz"]
        now, settable = self._node.rate()
        now = seen_hz or now
        if not wanted or (now and _same(now, wanted)):
            return now
        if not settable:
            if now:
                raise self._failure(f"asked for {wanted:g} frames/s, it sends {now:g} and cannot be told otherwise",
                           "Leave rate_hz away: it is the device that sets it.")  # fmt: skip
            return 0.0  # then it is the site that knows
        got, _ = self._node.rate(wanted)
        if not _same(got, wanted):
            rates = [rate_said(rate) for rate in self._node.rates(picture)]
            offers = f"; for {picture.said} it offers {_several(rates)}" if rates else ""
            raise self._failure(f"asked for {wanted:g} frames/s, it gives {got:g}{offers}")
        return got

    # --- controls ---------------------------------------------------------------------------------

    def _controls(self, *, of_layout: bool) -> None:
        wanted = {name[len(CONTROL) :]: text for name, text in self._uri.texts.items() if name.startswith(CONTROL)}
        if not wanted:
            return
        has = {control.name: control for control in self._node.controls()}
        for name, text in wanted.items():
            control = has.get(name)
            if control is None:
                raise self._failure(f"it has no control '{name}'{close_to(name, [*has])}")
            if control.layout == of_layout:
                self._control(control, text)

    def _control(self, control: Control, text: str) -> None:
        value = self._value(control, text)
        made = self._node.set_control(control, value)
        if made != value:
            raise self._failure(f"control '{control.name}': asked for {text}, it took {made}; {_range(control)}")

    def _value(self, control: Control, text: str) -> int:
        if control.read_only:
            raise self._failure(f"control '{control.name}' can only be read")
        if control.kind == "button":
            return 0
        named = {control_name(name): value for value, name in control.choices.items()}
        named |= _BOOLEANS if control.kind == "boolean" else {}
        value = named.get(control_name(text), _number(text))
        if value is None:
            close = close_to(text, [*named])
            raise self._failure(f"control '{control.name}' cannot be '{text}'; {_range(control)}{close}")
        if not control.minimum <= value <= control.maximum or (control.choices and value not in control.choices):
            raise self._failure(f"control '{control.name}' cannot be {text}; {_range(control)}")
        return value


def _same(one_hz: float, other_hz: float) -> bool:
    return abs(one_hz - other_hz) <= RATE_TOLERANCE * other_hz


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _several(words: Sequence[str]) -> str:
    return ", ".join([*words[:_ALL], *(["..."] if len(words) > _ALL else [])])


def _range(control: Control) -> str:
    if control.choices:
        return f"it is one of {_several([*map(control_name, control.choices.values())])}"
    step = f" in steps of {control.step}" if control.step > 1 else ""
    return f"it goes from {control.minimum} to {control.maximum}{step}"
