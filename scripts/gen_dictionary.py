"""Write the data dictionary and the names of UIDs from the Standard's tables.

    scripts/gen_dictionary.py --tables DIR [--edition 2024e] [--uid-edition 2024c]

DIR holds ``attributes.json`` (records with tag, keyword, VR, VM), ``sops.json`` (name, id) and ``uids.json`` (uid and
name of PS3.6 Tables A-1 to A-4; of a Context Group the name is "CID n name"). The results,
``agent/dataset/_generated_dictionary.py`` and ``_generated_uids.py``, are committed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent / "agent" / "dataset"
HEAD = "# Made from the {edition} edition of {part} by scripts/gen_dictionary.py; do not edit.\n"

UID_ROOT = "1.2.840.10008."

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


def uid_lines(uids: list[dict[str, str]], sops: list[dict[str, str]]) -> list[str]:
    """``suffix name`` per UID of DICOM, ordered by the suffix behind its root; names of PS3.4 are the newer ones."""
    names = {row["uid"]: row["name"] for row in uids} | {row["id"]: row["name"] for row in sops}
    named = {uid: name.replace("\u2013", "-").strip() for uid, name in names.items() if uid.startswith(UID_ROOT)}
    return sorted(f"{uid.removeprefix(UID_ROOT)} {name}" for uid, name in named.items() if name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--edition", default="2024e")
    parser.add_argument("--uid-edition", default="2024c")
    options = parser.parse_args()

    lines = dictionary_lines(json.loads((options.tables / "attributes.json").read_text()))
    text = HEAD.format(edition=options.edition, part="PS3.6 (Tables 6-1, 7-1, 8-1)")
    text += '# One line per attribute: tag, VM, keyword, VR; ordered by tag. Read by dictionary.py.\nTABLE = """\n'
    text += "\n".join(lines) + '\n"""\n'
    (PACKAGE / "_generated_dictionary.py").write_text(text)

    uids, sops = (json.loads((options.tables / name).read_text()) for name in ("uids.json", "sops.json"))
    names = uid_lines(uids, sops)
    part = f"PS3.4 (Table B.5-1) and the {options.uid_edition} edition of PS3.6 (Tables A-1 to A-4)"
    text = HEAD.format(edition=options.edition, part=part)
    text += f"# One line per UID: what stands behind {UID_ROOT} and its name. Read by uid.py.\n"
    text += 'TABLE = """\n' + "\n".join(names) + '\n"""\n'
    (PACKAGE / "_generated_uids.py").write_text(text)
    print(f"{len(lines)} attributes, {len(names)} UIDs")


if __name__ == "__main__":
    main()
