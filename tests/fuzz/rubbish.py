"""A million random bytes and a hundred thousand random command lines at the console; prints what it took.

    PYTHONPATH=tests python -m fuzz.rubbish --bytes 1000000 --lines 100000 --seed 1

``tests/console/test_rubbish.py`` does a hundredth of it. ``scripts/fuzz console`` looks on with coverage, for as long
as one likes.
"""

from __future__ import annotations

import argparse
import random
import time

from fuzz.of_console import PASSWORD, TOKENS, Bench

from agent.console.commands import COMMANDS
from agent.console.filters import HELP
from agent.console.words import quoted

_PIECE = 97


def any_bytes(count: int, chance: random.Random) -> float:
    """Send random bytes to a log-in; returns the longest that the console took for a piece, in s."""
    bench, longest = Bench(), 0.0
    try:
        for _ in range(0, count, _PIECE):
            begun = time.process_time()
            bench.turn(chance.randbytes(_PIECE), chance.randrange(256))
            longest = max(longest, time.process_time() - begun)
            if chance.randrange(8) == 0:
                bench._pass(chance.random() * 5)
        assert bench.session.user is None
    finally:
        bench.close()
    return longest


def any_lines(count: int, chance: random.Random, role: str = "viewer") -> tuple[float, int]:
    """Type random command lines behind the log-in; returns the longest time of one, and how many verbs were run."""
    bench, longest = Bench(role), 0.0
    try:
        for number in range(count):
            if bench.session.user is None:
                bench._pass(400.0)
                bench.turn(b"\x15\x03")
                bench.turn(f"anna\r{PASSWORD}\r".encode())
                bench._pass(2.0)
            if bench.session.user is None:
                continue
            assert bench.session.user.role == role
            begun = time.process_time()
            bench.turn(any_line(chance).encode("utf-8", "replace") + b"\r", number)
            longest = max(longest, time.process_time() - begun)
    finally:
        bench.close()
    return longest, bench.started


def any_line(chance: random.Random) -> str:
    """Return something like a command, or not at all."""
    kind = chance.randrange(5)
    if kind == 0:
        return "".join(chance.choice(TOKENS).decode("latin-1") for _ in range(chance.randrange(8)))
    if kind == 1:
        return "".join(chr(chance.choice((chance.randrange(32, 127), chance.randrange(0x2FF)))) for _ in range(30))
    command = chance.choice(COMMANDS)
    words = [word[: chance.randrange(1, len(word) + 1)] if chance.randrange(3) == 0 else word for word in command.words]
    for one in command.arguments:
        if chance.randrange(4):
            words += [one.name] * one.keyword
            words.append(quoted(chance.choice(("pacs", "2.25.1", "5", "-x", "--config=/etc/shadow", "a b", "|", "'"))))
    if chance.randrange(3) == 0:
        words += ["|", chance.choice(tuple(HELP)), chance.choice(("a*", "3", ""))]
    return " ".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    before = _resident_mib()
    took = any_bytes(given.bytes, chance)
    print(f"{given.bytes} bytes: longest piece {took * 1000:.1f} ms, memory {_resident_mib() - before:+.1f} MiB")
    for role in ("viewer", "technician", "admin"):
        before = _resident_mib()
        took, ran = any_lines(given.lines // 3, chance, role)
        more = f"{ran} verbs run, {_resident_mib() - before:+.1f} MiB"
        print(f"{given.lines // 3} lines as {role}: longest {took * 1000:.1f} ms, {more}")


def _resident_mib() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / (1 << 20)


if __name__ == "__main__":
    main()
