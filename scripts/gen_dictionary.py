"""Write the data dictionary and the SOP Class names from the Standard's tables.

    scripts/gen_dictionary.py --tables DIR [--edition 2024e]

DIR holds ``attributes.json`` and ``sops.json`` (records with tag, keyword, VR, VM; name, id). The results,
``agent/dataset/_generated_dictionary.py`` and ``_generated_uids.py``, are committed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent / "agent" / "dataset"
HEAD = "# Made from the {edition} edition of {part} by scripts/gen_dictionary.py; do not edit.\n"

# PS3.6 prints these without a usable VR: items and delimiters have none, the others are empty retired rows.
SKIP_VR = {"", "See Note 2"}


def dictionary_lines(attributes: list[dict[str, Any]]) -> list[str]:
    """``GGGGEEEE VM Keyword VR`` per attribute, ordered by tag; X stands for any digit; "-" for no keyword."""
    lines = []
    for row in attributes:
        if row["valueRepresentation"] in SKIP_VR:
            continue
        tag = row["tag"].strip("()").replace(",", "").upper()
        vm = row["valueMultiplicity"].replace(" or 1", "")  # "1-n or 1" says no more than "1-n"
        lines.append(f"{tag} {vm} {row['keyword'] or '-'} {row['valueRepresentation']}")
    return sorted(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--edition", default="2024e")
    options = parser.parse_args()

    lines = dictionary_lines(json.loads((options.tables / "attributes.json").read_text()))
    text = HEAD.format(edition=options.edition, part="PS3.6 (Tables 6-1, 7-1, 8-1)")
    text += '# One line per attribute: tag, VM, keyword, VR; ordered by tag. Read by dictionary.py.\nTABLE = """\n'
    text += "\n".join(lines) + '\n"""\n'
    (PACKAGE / "_generated_dictionary.py").write_text(text)

    names = {row["id"]: row["name"] for row in json.loads((options.tables / "sops.json").read_text())}
    text = HEAD.format(edition=options.edition, part="PS3.4 (Table B.5-1)") + "SOP_CLASS_NAMES = {\n"
    text += "".join(f'    "{uid}": "{name}",\n' for uid, name in sorted(names.items())) + "}\n"
    (PACKAGE / "_generated_uids.py").write_text(text)
    print(f"{len(lines)} attributes, {len(names)} SOP Classes")


if __name__ == "__main__":
    main()
