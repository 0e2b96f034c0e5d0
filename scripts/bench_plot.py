"""Cost against length, both logarithmic: as text for a terminal and as an SVG file, without any library."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP = 760, 420, 70, 30
_COLOURS = ("#0b6e99", "#b3412f", "#3d7a3d", "#7a4fa3", "#a36f00", "#444444", "#c2185b")
_BAR = 40  # columns of a terminal for the longest


def as_text(curves: Mapping[str, Sequence[tuple[int, float]]], unit: str) -> str:
    """One bar for each point; its length is the logarithm of the cost."""
    low = min(cost for points in curves.values() for _, cost in points)
    high = max(cost for points in curves.values() for _, cost in points)
    lines = []
    for name, points in curves.items():
        lines.append(name)
        for length, cost in points:
            share = math.log(cost / low + 1) / math.log(high / low + 1)
            lines.append(f"  {length:>9,} rows  {cost:10.0f} {unit}  {'#' * max(1, round(_BAR * share))}")
    return "\n".join(lines)


def write_svg(path: Path, curves: Mapping[str, Sequence[tuple[int, float]]], title: str, unit: str) -> None:
    """Draw one line for each curve."""
    lengths = sorted({length for points in curves.values() for length, _ in points})
    costs = [cost for points in curves.values() for _, cost in points]
    decades = range(math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs))) + 1)
    right, bottom = WIDTH - 190, HEIGHT - 40

    def x(length: float) -> float:
        span = math.log10(lengths[-1] / lengths[0]) or 1.0
        return LEFT + (right - LEFT) * math.log10(length / lengths[0]) / span

    def y(cost: float) -> float:
        return bottom - (bottom - TOP) * (math.log10(cost) - decades[0]) / (decades[-1] - decades[0])

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">',
        "<style>text { font: 12px sans-serif }</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{LEFT}" y="18">{title}</text>',
    ]
    for power in decades:
        at = y(10.0**power)
        parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} {unit}</text>')
    parts += [f'<text x="{x(n):.1f}" y="{bottom + 18}" text-anchor="middle">{n:,}</text>' for n in lengths]
    for index, (name, points) in enumerate(curves.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        way = " ".join(f"{x(length):.1f},{y(cost):.1f}" for length, cost in points)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{right + 8}" y="{TOP + 16 * index + 8}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>", ""]))
