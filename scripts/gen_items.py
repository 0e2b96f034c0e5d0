"""Write agent/iod/_generated_items.py: sequences that hold at most one item, from the text of PS3.3.

    scripts/gen_items.py --html DIR

DIR holds the pages of PS3.3 (``sect_*.html``, "chtml" edition). A row of a Module table says in its description that
only a single Item, or zero or one, may be there; the tables as data (gen_modules.py) do not carry descriptions, so this
one fact is taken from the pages. Only rows of tables that _generated_modules.py has are kept. The least number of Items
follows from the type (PS3.5 7.4): one for types 1 and 1C, none for the others.
"""

from __future__ import annotations

import argparse
import html
import re
from pathlib import Path

from agent.iod._generated_modules import TABLES

TARGET = Path(__file__).resolve().parent.parent / "agent" / "iod" / "_generated_items.py"
HEAD = """# PS3.3 2024c: sequences with at most one item, written by scripts/gen_items.py; do not edit.
# One line per table: its number, then tags. Only 'check' asks.
"""
TABLE = re.compile(r'<a id="table_([^"]+)"[^>]*>.*?</table>', re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<t[dh]\b.*?</t[dh]>", re.DOTALL)
ONE = re.compile(
    r"Only (a single|one) Item (single Item )?(shall be|is|may be)|Zero or one Item|A single Item shall be"
    r"|of a single Item whose",
    re.IGNORECASE,
)


def text_of(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def rows(table: str) -> list[str]:
    """Tags of the rows that allow one item; not those that the same table has again and allows more."""
    one: set[str] = set()
    more: set[str] = set()
    for row in ROW.findall(table):
        cells = [text_of(cell) for cell in CELL.findall(row)]
        tag = re.fullmatch(r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)", cells[1]) if len(cells) > 2 else None
        if tag is not None:
            (one if ONE.search(cells[-1]) else more).add((tag[1] + tag[2]).upper())
    return sorted(one - more)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, required=True)
    lines = {}
    for page in sorted(parser.parse_args().html.glob("*.html")):
        for match in TABLE.finditer(page.read_text(encoding="utf-8")):
            tags = rows(match[0]) if match[1] in TABLES else []
            if tags:
                lines[match[1]] = f"{match[1]} {' '.join(tags)}"
    TARGET.write_text(HEAD + 'ONE_ITEM = """\n' + "\n".join(lines[name] for name in sorted(lines)) + '\n"""\n')
    print(f"{len(lines)} tables, {sum(line.count(' ') for line in lines.values())} sequences")


if __name__ == "__main__":
    main()
