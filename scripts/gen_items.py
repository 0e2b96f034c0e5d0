"""Write agent/iod/_generated_items.py and _generated_terms.py: what only the text of PS3.3 has, not its tables as data.

    scripts/gen_items.py --html DIR

DIR holds the pages of PS3.3 (``sect_*.html``, "chtml" edition). A row of a Module table says in its description that
only a single Item, or zero or one, may be there; the tables as data (gen_modules.py) do not carry descriptions, so this
one fact is taken from the pages. Only rows of tables that _generated_modules.py has are kept. The least number of Items
follows from the type (PS3.5 7.4): one for types 1 and 1C, none for the others.

The Defined Terms of Modality stand in a section (C.7.3.1.1.1), those that are retired behind a heading of their own.
"""

from __future__ import annotations

import argparse
import html
import re
import textwrap
from pathlib import Path

from agent.iod._generated_modules import TABLES

TARGET = Path(__file__).resolve().parent.parent / "agent" / "iod" / "_generated_items.py"
TERMS = TARGET.with_name("_generated_terms.py")
TERMS_HEAD = """# PS3.3 2024c C.7.3.1.1.1: Defined Terms of Modality, written by scripts/gen_items.py; do not edit.
"""
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


def modalities(page: str) -> list[str]:
    """Terms of the section that are not retired."""
    section = page.partition('id="sect_C.7.3.1.1.1"')[2].partition('id="sect_C.7.3.1.1.2"')[0]
    current = section.partition("Retired Defined Terms")[0]
    return sorted(text_of(term) for term in re.findall(r"<dt\b.*?</dt>", current, re.DOTALL))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, required=True)
    lines = {}
    terms: list[str] = []
    for path in sorted(parser.parse_args().html.glob("*.html")):
        page = path.read_text(encoding="utf-8")
        terms = terms or modalities(page)
        for match in TABLE.finditer(page):
            tags = rows(match[0]) if match[1] in TABLES else []
            if tags:
                lines[match[1]] = f"{match[1]} {' '.join(tags)}"
    TARGET.write_text(HEAD + 'ONE_ITEM = """\n' + "\n".join(lines[name] for name in sorted(lines)) + '\n"""\n')
    wrapped = "\n".join(textwrap.wrap(" ".join(terms), 116))
    TERMS.write_text(f'{TERMS_HEAD}MODALITIES = """\n{wrapped}\n"""\n')
    print(f"{len(terms)} modalities")
    print(f"{len(lines)} tables, {sum(line.count(' ') for line in lines.values())} sequences")


if __name__ == "__main__":
    main()
