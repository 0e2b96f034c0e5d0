"""A dumb terminal: text, CR, LF, BS and BEL, and nothing else; whatever else it is sent is a fault."""

from __future__ import annotations


class Teletype:
    """Keeps whole rows and the row of the cursor."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.row: list[str] = []
        self.at = 0
        self.bells = 0
        self._held = b""

    def feed(self, data: bytes) -> None:
        data = self._held + data
        self._held = b""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                raise
            self._held = data[error.start :]
            text = data[: error.start].decode("utf-8")
        for char in text:
            self._char(char)

    def _char(self, char: str) -> None:
        if char == "\r":
            self.at = 0
        elif char == "\n":
            self.rows.append("".join(self.row).rstrip())
            self.row = [" "] * self.at
        elif char == "\b":
            self.at = max(self.at - 1, 0)
        elif char == "\a":
            self.bells += 1
        elif char.isprintable():
            self.row[self.at : self.at + 1] = [char]
            self.at += 1
        else:
            raise AssertionError(f"a dumb terminal cannot do {char!r}")

    @property
    def current(self) -> str:
        """The row of the cursor."""
        return "".join(self.row).rstrip()
