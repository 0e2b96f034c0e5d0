"""Write tests/vectors/module_tables.json.gz: the tables of our SOP Classes for a test that trusts nothing of ours.

    scripts/gen_oracle.py --tables DIR

DIR is that of gen_modules.py (its docstring names the files), and this is on purpose not built on it: the oracle in
tests/fakes/oracle.py walks what stands here, and a fault in our generator, tables or checker must not hide in it. Kept
per SOP Class: its Modules with their usage; per table: rows of depth, tag, type and enumerated values, or an included
table; per tag: the VR. Nothing is expanded, because a content tree contains itself.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "module_tables.json.gz"
EDITIONS = "PS3.3 2024c (tables), 2024e (usage of Modules), PS3.6 2024e (VR)"
SOP_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
    "1.2.840.10008.5.1.4.1.1.12.1",
    "1.2.840.10008.5.1.4.1.1.12.2",
    "1.2.840.10008.5.1.4.1.1.77.1.1",
    "1.2.840.10008.5.1.4.1.1.77.1.4",
    "1.2.840.10008.5.1.4.1.1.88.67",
    "1.2.840.10008.5.1.4.1.1.104.1",
    "1.2.840.10008.5.1.4.1.1.104.2",
)


def load(folder: Path, name: str) -> Any:
    path = folder / name
    data = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    return json.loads(data)


def reached(tables: dict[str, Any], start: list[str]) -> list[str]:
    """The tables named and all they include."""
    todo, seen = list(start), set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [row["inc"] for row in tables[name]["rows"] if "inc" in row]
    return sorted(seen)


def row_of(row: dict[str, Any]) -> list[Any]:
    if "inc" in row:
        return [row["d"], "", row["inc"], []]
    return [row["d"], row["t"].replace(",", "").upper(), row["y"] or "3", row.get("e", [])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True)
    folder = parser.parse_args().tables
    tables = load(folder, "module_tables_2024c.json.gz")
    anchors = {row["id"]: row["linkToStandard"].partition("#")[2] for row in load(folder, "modules.json")}
    ciods = {row["name"]: row["id"] for row in load(folder, "ciods.json")}
    usage = load(folder, "ciod_to_modules.json")
    classes = {}
    for sop in load(folder, "sops.json"):
        if sop["id"] in SOP_CLASSES:
            rows = [row for row in usage if row["ciodId"] == ciods[sop["ciod"]]]
            classes[sop["id"]] = [[anchors[row["moduleId"]], row["usage"]] for row in rows]
    wanted = reached(tables, [anchor for modules in classes.values() for anchor, _ in modules])
    kept = {name: [row_of(row) for row in tables[name]["rows"]] for name in wanted}
    tags = {row[1] for rows in kept.values() for row in rows if row[1]}
    vrs = {
        row["id"].upper(): row["valueRepresentation"]
        for row in load(folder, "attributes.json")
        if row["id"].upper() in tags
    }
    text = json.dumps(
        {"editions": EDITIONS, "sop_classes": classes, "tables": kept, "vrs": vrs},
        separators=(",", ":"),
        sort_keys=True,
    )
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(classes)} SOP Classes, {len(kept)} tables, {len(vrs)} attributes, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
