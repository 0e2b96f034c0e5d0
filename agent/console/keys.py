"""Bytes of a terminal become keys.

What people press reaches us through forty years of terminals: CR, LF, CR LF and CR NUL end a line, BS and DEL erase,
arrows are ``ESC [ A`` or ``ESC O A``, text is UTF-8. What nobody presses is *noise*: NUL, 8-bit bytes that are no
UTF-8, control characters without a meaning, text that cannot be printed. Noise is a key of its own, because whoever
edits a line must know that the line is no longer what a person typed.

XON and XOFF that come this far are dropped: the tty has acted on them, or has no flow control.
"""

from __future__ import annotations

from agent.typed import Final, NamedTuple

# The longest sequence of a real key is 6 bytes (ESC [ 1 ; 5 D).
SEQUENCE_LIMIT: Final = 12


class Key(NamedTuple):
    """One key: ``text`` with its character, or a name of the tables below."""

    name: str
    text: str = ""


NOISE: Final = Key("noise")
_ENTER: Final = Key("enter")
_CONTROLS: Final = {
    0x01: "home", 0x02: "left", 0x03: "interrupt", 0x04: "eof", 0x05: "end", 0x06: "right", 0x07: "cancel",
    0x08: "erase", 0x09: "tab", 0x0B: "kill-end", 0x0C: "redraw", 0x0E: "next", 0x10: "previous", 0x12: "search",
    0x15: "kill-line", 0x16: "quote", 0x17: "kill-word", 0x7F: "erase",
}  # fmt: skip
_IGNORED: Final = (0x11, 0x13)  # XON, XOFF
_SEQUENCES: Final = {
    b"A": "previous", b"B": "next", b"C": "right", b"D": "left", b"H": "home", b"F": "end",
    b"1~": "home", b"7~": "home", b"4~": "end", b"8~": "end", b"3~": "delete",
}  # fmt: skip


class Decoder:
    """Makes keys of bytes, however they are cut."""

    __slots__ = ("_after_cr", "_escape", "_need", "_part")

    def __init__(self) -> None:
        self._after_cr = False
        self._escape: bytearray | None = None
        self._part = bytearray()
        self._need = 0

    def feed(self, data: bytes) -> list[Key]:
        """Return the keys that ``data`` completes."""
        keys: list[Key] = []
        for byte in data:
            key = self._byte(byte, keys)
            if key is not None:
                keys.append(key)
        return keys

    def _byte(self, byte: int, keys: list[Key]) -> Key | None:
        after_cr, self._after_cr = self._after_cr, False
        if after_cr and byte in (0x0A, 0x00):
            return None
        if self._need:
            if byte & 0xC0 == 0x80:
                return self._continue(byte)
            self._need = 0
            keys.append(NOISE)
        if self._escape is not None:
            return self._sequence(byte, keys)
        if byte >= 0x80:
            return self._start(byte)
        if byte == 0x1B:
            self._escape = bytearray()
            return None
        return self._plain(byte)

    def _plain(self, byte: int) -> Key | None:
        if byte in (0x0D, 0x0A):
            self._after_cr = byte == 0x0D
            return _ENTER
        if byte in _IGNORED:
            return None
        if 0x20 <= byte < 0x7F:
            return Key("text", chr(byte))
        name = _CONTROLS.get(byte)
        return NOISE if name is None else Key(name)

    def _start(self, byte: int) -> Key | None:
        self._need = 1 if 0xC2 <= byte < 0xE0 else 2 if 0xE0 <= byte < 0xF0 else 3 if 0xF0 <= byte < 0xF5 else 0
        self._part = bytearray((byte,))
        return None if self._need else NOISE

    def _continue(self, byte: int) -> Key | None:
        self._part.append(byte)
        self._need -= 1
        if self._need:
            return None
        try:
            text = self._part.decode("utf-8")
        except UnicodeDecodeError:
            return NOISE
        return Key("text", text) if text.isprintable() else NOISE

    def _sequence(self, byte: int, keys: list[Key]) -> Key | None:
        """Take one byte of ``ESC [ ... final`` or ``ESC O final``; other things after ESC are what they are."""
        held = self._escape
        assert held is not None
        if not held and byte in b"[O":
            held.append(byte)
            return None
        if not held or not 0x20 <= byte < 0x7F:
            self._escape = None
            if held:
                keys.append(NOISE)
            if byte == 0x1B:
                self._escape = bytearray()
                return None
            return self._byte(byte, keys)
        held.append(byte)
        if held[:1] == b"O" or 0x40 <= byte < 0x7F:
            self._escape = None
            name = _SEQUENCES.get(bytes(held[1:]))
            return Key(name) if name else None  # a function key: no meaning here
        if len(held) > SEQUENCE_LIMIT:
            self._escape = None
            return NOISE
        return None
