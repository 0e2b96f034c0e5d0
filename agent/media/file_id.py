r"""File IDs: how the files of a File-set are called (PS3.10 8.2, 8.5, 8.6).

One to eight components of one to eight characters out of ``A-Z``, ``0-9`` and underscore; no extension, no lower case.
Here a File ID is one text with the components divided by backslashes, as in (0004,1500): ``INST\000000\00000001``.
"""

from __future__ import annotations

import re

from agent.typed import Final

DICOMDIR: Final = "DICOMDIR"  # the File ID that every File-set has once
MAX_COMPONENTS: Final = 8
MAX_CHARACTERS: Final = 8
MAX_FILE_SET_ID: Final = 16  # characters (PS3.3 Table F.3-2)
_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")
_LABEL: Final = re.compile(r"[A-Z0-9_]{0,16}")


def fault_of(file_id: str) -> str:
    """What is wrong with a File ID, in words; empty: nothing."""
    components = file_id.split("\\")
    if not file_id:
        return "it is empty"
    if len(components) > MAX_COMPONENTS:
        return f"it has {len(components)} components, more than {MAX_COMPONENTS}"
    return next(filter(None, map(_component_fault, components)), "")


def _component_fault(component: str) -> str:
    if component in ("..", "."):
        return f"'{component}' leads out of the File-set or nowhere"
    if not component:
        return "a component is empty"
    if len(component) > MAX_CHARACTERS:
        return f"'{component}' has {len(component)} characters, more than {MAX_CHARACTERS}"
    if not _COMPONENT.fullmatch(component):
        wrong = sorted({character for character in component if not _COMPONENT.fullmatch(character)})
        return f"'{component}' has {' '.join(map(repr, wrong))}; only A-Z, 0-9 and _ may be there"
    return ""


def is_label(text: str) -> bool:
    """Whether a text is a File-set ID (PS3.10 8.5)."""
    return _LABEL.fullmatch(text) is not None


def label_of(text: str) -> str:
    """The nearest File-set ID to a text, such as an AE Title."""
    return re.sub("[^A-Z0-9_]", "_", text.upper())[:MAX_FILE_SET_ID]


def of_path(relative: str) -> str:
    """The File ID of a file by its path below the root of the File-set, divided by slashes (PS3.12 A)."""
    return relative.replace("/", "\\")


def path_of(file_id: str) -> str:
    """Where a file is below the root of the File-set; only for a File ID without fault."""
    return file_id.replace("\\", "/")
