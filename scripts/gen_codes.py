"""Write agent/iod/_generated_codes.py from the context groups and Annex L of PS3.16.

    scripts/gen_codes.py --tables DIR

DIR holds ``context_groups_2024c.json``: objects with cid, name, version, ext (extensible or not) and rows, a row being
``[scheme, code, meaning]`` or ``[[included groups]]``; and ``body_part_examined_2024c.json``, Tables L-1 and L-5:
``[scheme, code, meaning, Body Part Examined term, paired Y N or null]``. Neither is in this repository; the result is.

An anatomic region is written once, with the groups that it is in as letters. Annex L knows some regions under another
code than the group does, so the meaning joins the two, and the code only where the meaning is not found. What
``PAIRED`` says goes before Annex L.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "agent" / "iod" / "_generated_codes.py"
EDITION = "2024c"

# Anatomic regions: letter -> group. CID 4 is the widest, so a region without a letter is in CID 4 alone.
REGIONS = {"X": 4009, "E": 4040, "V": 3010}
ALL_REGIONS = 4
# One code may have several meanings, and Annex L a term for each; the first of these groups decides.
ORDER = (4031, 4040, 3010, 4)
# Annex L has Chest under an older code. Kidney is printed as not paired; "unpaired" in an image of one kidney would
# mislead. Blank: nobody can say.
PAIRED = {"816094009": "N", "64033007": ""}
# Groups written as they are.
GROUPS = (
    5, 6, 7, 19, 20, 244, 3629, 4010, 4011, 4012, 4014, 4015, 7005, 7201, 7202, 7203, 10000, 10002, 10003, 10004, 10020,
    12030, 12035, 12226,
)  # fmt: skip

HEAD = """# PS3.16 {edition}: regions with Annex L, and context groups; written by scripts/gen_codes.py; do not edit.
from __future__ import annotations

EDITION = "{edition}"
"""


def flat(cid: int, groups: dict[int, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Rows of a group with those that it includes, each code once."""
    found: dict[str, tuple[str, str, str]] = {}
    todo, seen = [cid], set()
    while todo:
        number = todo.pop(0)
        if number in seen:
            continue
        seen.add(number)
        for row in groups[number]["rows"]:
            if isinstance(row[0], list):
                todo.extend(row[0])
            else:
                found.setdefault(row[1], (row[0], row[1], row[2]))
    return list(found.values())


def regions(groups: dict[int, dict[str, Any]], annex: list[list[Any]]) -> str:
    by_code = {row[1]: row for row in annex}
    by_meaning = {row[2].lower(): row for row in annex}
    member = {letter: {code for _, code, _ in flat(cid, groups)} for letter, cid in REGIONS.items()}
    lines = []
    preferred: dict[str, tuple[str, str, str]] = {}
    for cid in ORDER:
        for found in flat(cid, groups):
            preferred.setdefault(found[1], found)
    for scheme, code, meaning in (preferred[code] for _, code, _ in flat(ALL_REGIONS, groups)):
        row = by_meaning.get(meaning.lower()) or by_code.get(code)
        part, paired = (row[3] or "", row[4] or "") if row else ("", "")
        letters = "".join(letter for letter, codes in member.items() if code in codes)
        name = code if scheme == "SCT" else f"{scheme}:{code}"
        lines.append(f"{name}|{meaning}|{part}|{PAIRED.get(code, paired)}|{letters}\n")
    return "".join(sorted(lines, key=lambda line: line.split("|")[1].lower()))


def group(row: dict[str, Any], groups: dict[int, dict[str, Any]]) -> str:
    text = f"{row['name']}|{row['version']}|{row['ext']}\n"
    for scheme, code, meaning in flat(row["cid"], groups):
        text += f"{code if scheme == 'SCT' else f'{scheme}:{code}'}|{meaning}\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True)
    folder = parser.parse_args().tables
    groups = {row["cid"]: row for row in json.loads((folder / f"context_groups_{EDITION}.json").read_text())}
    annex = json.loads((folder / f"body_part_examined_{EDITION}.json").read_text())
    text = HEAD.format(edition=EDITION)
    text += "\n# CID 4: [scheme:]code|meaning|Body Part Examined|paired Y N|X: CID 4009, E: CID 4040, V: CID 3010\n"
    text += f'REGIONS = """\\\n{regions(groups, annex)}"""\n'
    text += "\n# CID -> name|version|extensible, then [scheme:]code|meaning; without a scheme it is SCT\n"
    text += "GROUPS: dict[int, str] = {\n"
    for cid in GROUPS:
        text += f'    {cid}: """\\\n{group(groups[cid], groups)}""",\n'
    TARGET.write_text(text + "}\n")
    print(f"{len(text)} characters in {len(GROUPS) + 1} tables")


if __name__ == "__main__":
    main()
