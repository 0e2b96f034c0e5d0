#!/usr/bin/env python3
"""Write agent/media/_generated_records.py: Directory Records, their keys, and which SOP Class has which.

    scripts/gen_records.py --html DIR --tables DIR

``--html`` holds the pages of PS3.3 Annex F (``sect_F.*.html`` and ``chapter_F.html``, "chtml" edition): the keys of
each type of Directory Record (F.5) and which record may stand below which (Table F.4-1). ``--tables`` holds tables as
data, as for gen_modules.py: ``module_tables_2024c.json.gz`` for the Macros that the keys include, ``sops``, ``ciods``
and ``ciod_to_modules`` for the information entity of each SOP Class. F.5 says of every record whose entity it
describes; ``ENTITIES`` is that in short, ``SINGLE`` what it says of single IODs.

A key is ``[>...]GGGGEEEE type``; ``[>...]*`` are all Attributes of an item. Keys of type 3 are left out: what an
Application Profile asks for is told to ``dicomdir`` by whoever keeps the profile.
"""

from __future__ import annotations

import argparse
import html
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from gen_modules import load

EDITION, USAGE_EDITION = "2024c", "2024e"
TARGET = Path(__file__).resolve().parent.parent / "agent" / "media" / "_generated_records.py"
TABLE = re.compile(r'<a id="table_(F\.[45]-\d+)"[^>]*>.*?</table>', re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<t[dh]\b.*?</t[dh]>", re.DOTALL)
FLAT = {"10-12", "C.38.2-1"}  # Macros whose Attributes are keys themselves; others fill items
ENTITIES = {
    "Image": "IMAGE",
    "MR Spectroscopy": "SPECTROSCOPY",
    "Waveform": "WAVEFORM",
    "Presentation State": "PRESENTATION",
    "Raw Data": "RAW DATA",
    "Spatial Registration": "REGISTRATION",
    "Spatial Fiducials": "FIDUCIAL",
    "Surface": "SURFACE",
    "Tractography Results": "TRACT",
    "Real World Value Mapping": "VALUE MAP",
    "Stereometric Relationship": "STEREOMETRIC",
    "Measurements": "MEASUREMENT",
    "SR Document": "SR DOCUMENT",
    "Content Assessment Results": "ASSESSMENT",
    "Annotation": "ANNOTATION",
    "Encapsulated Document": "ENCAP DOC",
    "Dose": "RT DOSE",
    "Structure Set": "RT STRUCTURE SET",
    "Treatment Record": "RT TREAT RECORD",
    "Plan": "RT PLAN",
    "RT Physician Intent": "RADIOTHERAPY",
    "RT Segment Annotation": "RADIOTHERAPY",
    "RT Radiation Set": "RADIOTHERAPY",
    "RT Radiation": "RADIOTHERAPY",
    "RT Delivered Radiation": "RADIOTHERAPY",
    "RT Treatment Preparation": "RADIOTHERAPY",
    "Hanging Protocol": "HANGING PROTOCOL",
    "Color Palette": "PALETTE",
    "Implant Template": "IMPLANT",
    "Implant Assembly": "IMPLANT ASSY",
    "Implant Template Group": "IMPLANT GROUP",
    "Inventory": "INVENTORY",
}
SINGLE = {
    "Key Object Selection Document": "KEY OBJECT DOC",
    "Surface Scan Mesh": "SURFACE SCAN",
    "Surface Scan Point Cloud": "SURFACE SCAN",
    "RT Beams Delivery Instruction": "PLAN",
    "RT Brachy Application Setup Delivery Instruction": "PLAN",
    "RT Radiation Set Delivery Instruction": "RADIOTHERAPY",
    "RT Patient Position Acquisition Instruction": "RADIOTHERAPY",
}
# Classes of former editions that are still on old media: ultrasound, nuclear medicine, visible light.
RETIRED_IMAGES = ("1.1.3", "1.1.5", "1.1.6", "1.1.77.1", "1.1.77.2", "1.1.12.3")
NOT_IN_TABLE = {"SERIES": ("SURFACE SCAN",)}  # F.5.43 has it below a SERIES, Table F.4-1 forgot it
ROOT = "1.2.840.10008.5.1.4."
HEAD = f"""# PS3.3 {EDITION} Annex F (SOP Classes: {USAGE_EDITION}), written by scripts/gen_records.py; do not edit.
"""


def text_of(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def cells(table: str) -> list[list[str]]:
    return [[text_of(cell) for cell in CELL.findall(row)] for row in ROW.findall(table)]


def macro(name: str, depth: str, tables: dict[str, Any]) -> list[str]:
    """Keys of a Macro that is included flat: its own Attributes, whole items, nothing of type 3."""
    found = []
    for row in tables[f"table_{name}"]["rows"]:
        if row["d"] == 0 and "inc" in row:
            found += macro(row["inc"].removeprefix("table_"), depth, tables)
        elif row["d"] == 0 and row["y"] != "3":
            found.append(f"{depth}{row['t'].replace(',', '')} {row['y']}")
            if row["n"].endswith("Sequence"):
                found.append(f"{depth}>*")
    return found


def keys(rows: list[list[str]], tables: dict[str, Any]) -> list[str]:
    """The keys of one table; what is below a key of type 3 is left out with it."""
    found: list[str] = []
    left_out = -1
    for row in rows[1:]:
        depth = re.match(r">*", row[0])[0]  # type: ignore[index]  # it always matches
        if 0 <= left_out < len(depth):
            continue
        left_out = -1
        include = re.search(r"Include Table ([\w.-]+)", row[0])
        tag = re.fullmatch(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)", row[1]) if len(row) > 1 else None
        if include is not None:
            found += macro(include[1], depth, tables) if include[1] in FLAT else [f"{depth}*"]
        elif tag is not None and row[2] == "3":
            left_out = len(depth)
        elif tag is not None:
            found.append(f"{depth}{tag[1]}{tag[2]} {row[2]}")
    return found


def annex(folder: Path, tables: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Record type -> its keys; record type (empty: the root) -> types below it."""
    found = {m[1]: cells(m[0]) for path in folder.glob("*F*.html") for m in TABLE.finditer(path.read_text("utf-8"))}
    lower: dict[str, list[str]] = {}
    made: dict[str, list[str]] = {}
    for name, section, below in found["F.4-1"][1:]:
        kind = "" if name.startswith("(") else name
        lower[kind] = [each for each in re.split(r", ", below) if not each.startswith("(")]
        lower[kind] += NOT_IN_TABLE.get(kind, ())
        table = section.replace("F.5.", "F.5-")
        if table in found:
            made[kind] = keys(found[table], tables)
    return made, lower


def classes(folder: str) -> dict[str, list[str]]:
    """Record type -> its SOP Classes without the root that they share."""
    ids = {row["name"]: row["id"] for row in load(folder, "ciods.json")}
    entities: dict[str, set[str]] = {}
    for row in load(folder, "ciod_to_modules.json"):
        entities.setdefault(row["ciodId"], set()).add(row["informationEntity"])
    found: dict[str, list[str]] = {"IMAGE": list(RETIRED_IMAGES)}
    for row in load(folder, "sops.json"):
        kinds = {ENTITIES[each] for each in entities.get(ids.get(row["ciod"], ""), ()) if each in ENTITIES}
        kind = SINGLE.get(row["ciod"]) or (kinds.pop() if len(kinds) == 1 else "")
        if kind:
            found.setdefault(kind, []).append(row["id"].removeprefix(ROOT))
        else:
            print(f"no record: {row['name']}", file=sys.stderr)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, required=True)
    parser.add_argument("--tables", required=True)
    options = parser.parse_args()
    made, lower = annex(options.html, load(options.tables, "module_tables_2024c.json.gz"))
    out = [HEAD, f'EDITION = "{EDITION}"', f'ROOT = "{ROOT}"']
    out += ["# record type -> its keys: depth, tag and type; '*' is all that an item holds", "KEYS = {"]
    out += [f'    "{kind}": "{"|".join(rows)}",' for kind, rows in made.items()]
    out += ["}", "# record type ('' is the root) -> what may stand below it (Table F.4-1)", "LOWER = {"]
    out += [f'    "{kind}": "{"|".join(rows)}",' for kind, rows in lower.items() if rows != ["PRIVATE"]]
    out += ["}", "# record type -> SOP Classes, without their common root", "SOP_CLASSES = {"]
    out += [f'    "{kind}": "{" ".join(rows)}",' for kind, rows in classes(options.tables).items()]
    out += ["}"]
    command = [str(Path(sys.executable).with_name("ruff")), "format", "--stdin-filename", str(TARGET), "-"]
    text = subprocess.run(command, input="\n".join(out), text=True, check=True, capture_output=True).stdout
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
