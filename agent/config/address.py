"""``HOST``, ``HOST:PORT`` and ``[IPv6 ADDRESS]:PORT``, as sources that are servers are named."""

from __future__ import annotations


def parse_address(text: str, default_port: int) -> tuple[str, int]:
    """Give host and port; raises ``ValueError`` with a sentence."""
    host, port = text, str(default_port)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"'{text}' is no address; an IPv6 address with a port is written [ADDRESS]:PORT")
        port = rest[1:] if rest else port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or any(letter.isspace() or letter == "/" for letter in host):
        raise ValueError(f"'{text}' is no address; write HOST or HOST:PORT")
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"'{port}' is no port; a port is a number from 1 to 65535")
    return host, int(port)
