r"""Regular expressions that cannot hang a console: a line is looked at once, from left to right.

Python's ``re`` goes back to try again, and an expression of ten letters can keep it busy for years. Here all ways
through the expression are followed at the same time (K. Thompson, CACM 11(6), 1968), so that the time is bounded by
length of line times length of expression. There is what one types at a console: ``. [a-z] [^a-z] * + ? | ( ) ^ $`` and
``\d \w \s``; letters match without regard to case.
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

PATTERN_LIMIT: Final = 200
DEPTH_LIMIT: Final = 20
_SPECIAL: Final = frozenset(".[]*+?|()^$\\")
_REPEATS: Final = ("*", "+", "?")
_CLASSES: Final[dict[str, Callable[[str], bool]]] = {
    "d": str.isdecimal, "w": lambda c: c.isalnum() or c == "_", "s": str.isspace,
    "D": lambda c: not c.isdecimal(), "W": lambda c: not (c.isalnum() or c == "_"), "S": lambda c: not c.isspace(),
}  # fmt: skip


class _State(NamedTuple):
    kind: str  # char, split, begin, end, match
    takes: Callable[[str], bool] | None = None
    to: tuple[int, ...] = ()


class _Node(NamedTuple):
    kind: str  # char, begin, end, row, either, or the mark of a repeat
    parts: tuple[_Node, ...] = ()
    takes: Callable[[str], bool] | None = None


class Pattern:
    """One expression; raises ``ValueError`` that says what is wrong with it."""

    __slots__ = ("_at", "_depth", "_literal", "_start", "_states", "_text")

    def __init__(self, text: str) -> None:
        if len(text) > PATTERN_LIMIT:
            raise ValueError(f"it has more than {PATTERN_LIMIT} characters")
        self._text = text
        self._literal = None if _SPECIAL & set(text) else text.lower()
        self._states: list[_State] = [_State("match")]
        self._at = self._depth = 0
        self._start = 0
        if self._literal is None:
            tree = self._either()
            if self._at < len(text):
                raise ValueError("')' without '('")
            self._start = self._compile(tree, 0)

    def found_in(self, line: str) -> bool:
        """Whether it matches anywhere in ``line``."""
        line = line.lower()
        if self._literal is not None:
            return self._literal in line
        live: set[int] = set()
        for at in range(len(line) + 1):
            live = self._closure(live | {self._start}, at, len(line))
            if 0 in live:
                return True
            if at < len(line):
                live = {
                    state.to[0]
                    for state in map(self._states.__getitem__, live)
                    if state.takes is not None and state.takes(line[at])
                }
        return False

    def _closure(self, states: set[int], at: int, size: int) -> set[int]:
        found: set[int] = set()
        queue = list(states)
        while queue:
            index = queue.pop()
            if index in found:
                continue
            found.add(index)
            state = self._states[index]
            if state.kind == "split" or (state.kind == "begin" and at == 0) or (state.kind == "end" and at == size):
                queue += state.to
        return found

    def _compile(self, node: _Node, then: int) -> int:
        """Return the state that begins ``node`` and goes on to ``then``."""
        if node.kind == "row":
            for part in reversed(node.parts):
                then = self._compile(part, then)
            return then
        if node.kind == "either":
            return self._add(_State("split", None, tuple(self._compile(part, then) for part in node.parts)))
        if node.kind == "?":
            return self._add(_State("split", None, (self._compile(node.parts[0], then), then)))
        if node.kind in ("*", "+"):
            loop = self._add(_State("split"))
            inside = self._compile(node.parts[0], loop)
            self._states[loop] = _State("split", None, (inside, then))
            return inside if node.kind == "+" else loop
        return self._add(_State(node.kind, node.takes, (then,)))

    def _add(self, state: _State) -> int:
        self._states.append(state)
        return len(self._states) - 1

    # --- reading it ----------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _either(self) -> _Node:
        ways = [self._row()]
        while self._peek() == "|":
            self._at += 1
            ways.append(self._row())
        return ways[0] if len(ways) == 1 else _Node("either", tuple(ways))

    def _row(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            node = self._atom()
            if self._peek() in _REPEATS:
                node = _Node(self._peek(), (node,))
                self._at += 1
            parts.append(node)
        return _Node("row", tuple(parts))

    def _atom(self) -> _Node:
        char = self._peek()
        self._at += 1
        if char in _REPEATS:
            raise ValueError(f"'{char}' repeats nothing")
        if char == "(":
            return self._group()
        if char in ("^", "$"):
            return _Node("begin" if char == "^" else "end")
        return _Node("char", (), self._test(char))

    def _group(self) -> _Node:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise ValueError(f"more than {DEPTH_LIMIT} '(' within each other")
        node = self._either()
        if self._peek() != ")":
            raise ValueError("'(' without ')'")
        self._at += 1
        self._depth -= 1
        return node

    def _test(self, char: str) -> Callable[[str], bool]:
        if char == ".":
            return lambda _: True
        if char == "[":
            return self._set()
        if char == "\\":
            char = self._peek()
            if not char:
                raise ValueError("'\\' at the end")
            self._at += 1
            if char in _CLASSES:
                return _CLASSES[char]
        wanted = char.lower()
        return lambda c: c == wanted

    def _set(self) -> Callable[[str], bool]:
        end = self._text.find("]", self._at + (2 if self._peek() == "^" else 1))
        if end < 0:
            raise ValueError("'[' without ']'")
        inside = self._text[self._at : end].lower()
        self._at = end + 1
        wanted = not inside.startswith("^")
        inside = inside.removeprefix("^")
        spans: list[tuple[str, str]] = []
        at = 0
        while at < len(inside):
            span = inside[at + 1 : at + 2] == "-" and at + 2 < len(inside)
            spans.append((inside[at], inside[at + 2] if span else inside[at]))
            at += 3 if span else 1
        return lambda c: any(low <= c <= high for low, high in spans) is wanted
