"""Commands of the product one after the other in one process, which has the fake device preloaded: a start costs more
than a capture. Each line of stdin is a JSON list of words, each of stdout what became of it."""

from __future__ import annotations

import contextlib
import io
import json
import sys


class _Text(io.TextIOWrapper):
    """What a command writes; its bytes are asked for, too."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8", write_through=True)

    @property
    def text(self) -> str:
        return bytes(self.buffer.getvalue()).decode()  # type: ignore[attr-defined]


def main() -> None:
    from agent.app.cli import main as command

    for line in sys.stdin:
        out, err = _Text(), _Text()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command(json.loads(line))
        print(json.dumps([status, out.text, err.text]), flush=True)


if __name__ == "__main__":
    main()
