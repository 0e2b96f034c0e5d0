"""The conditions of Structured Report and Encapsulated Document Modules; conditions.py says what a condition is.

A content item carries what its Value Type says and nothing else: the Macros of C.18 are included by Table C.17-5 if and
only if the Value Type is theirs. ``MACROS`` holds that for the rows of such a Macro, whatever their type.

Sources: PS3.3 C.17.2, C.17.3, C.18, C.24.2.
"""

from __future__ import annotations

from agent.iod.conditions import Condition, equals, missing, present, root_equals

CDA = "1.2.840.10008.5.1.4.1.1.104.2"
VALUE_TYPE = 0x0040A040


def _typed(*names: str) -> Condition:
    return Condition(f"the Value Type is {' or '.join(names)}", equals(VALUE_TYPE, *names))


_content = Condition("a Content Sequence is present", present(0x0040A730))
_person = Condition("the observer is a person", equals(0x0040A084, "PSN"))
_device = Condition("the observer is a device", equals(0x0040A084, "DEV"))

ROWS: dict[tuple[str, int], Condition] = {
    ("C.17-5", 0x0040A043): Condition(
        "the Value Type is one that says something",
        equals(VALUE_TYPE, "TEXT", "NUM", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "TABLE", "PNAME"),
        otherwise=True,
    ),
    ("C.17-5", 0x0040A120): _typed("DATETIME"),
    ("C.17-5", 0x0040A121): _typed("DATE"),
    ("C.17-5", 0x0040A122): _typed("TIME"),
    ("C.17-5", 0x0040A123): _typed("PNAME"),
    ("C.17-5", 0x0040A124): _typed("UIDREF"),
    ("C.17-5", 0x0040A160): _typed("TEXT"),
    ("C.18.1-1", 0x0040A163): Condition("a Rational Numerator Value is present", present(0x0040A162)),
    ("C.18.1-1", 0x0040A301): Condition(
        "no value was measured",
        lambda item, _root: 0x0040A300 in item and not item.items_of(0x0040A300),
        otherwise=True,
    ),
    ("C.17-2", 0x0040A073): Condition("the document is verified", equals(0x0040A493, "VERIFIED")),
    ("C.17-3b", 0x0040A123): _person,
    ("C.17-3b", 0x00401101): _person,
    **{("C.17-3b", tag): _device for tag in (0x00080070, 0x00081010, 0x00081090, 0x00181002)},
    ("C.24-2", 0x0040A040): _content,
    ("C.24-2", 0x0040A050): _content,
    ("C.24-2", 0x0040E001): Condition("the document is CDA", root_equals(0x00080016, CDA)),
    ("C.18.7-1", 0x0040A138): Condition("no other temporal reference is given", missing(0x0040A132, 0x0040A13A)),
}

# Rows of included Macros -> when they apply (PS3.3 Table C.17-5).
MACROS: dict[tuple[str, int], Condition] = {
    ("C.18.1-1", 0x0040A300): _typed("NUM"),
    ("C.18.1-1", 0x0040A301): _typed("NUM"),
    ("C.18.2-1", 0x0040A168): _typed("CODE"),
    ("C.18.3-1", 0x00081199): _typed("COMPOSITE", "IMAGE", "WAVEFORM"),
    ("C.18.6-1", 0x00700022): _typed("SCOORD"),
    ("C.18.6-1", 0x00700023): _typed("SCOORD"),
    ("C.18.7-1", 0x0040A130): _typed("TCOORD"),
    **{("C.18.7-1", tag): _typed("TCOORD") for tag in (0x0040A132, 0x0040A138, 0x0040A13A)},
    ("C.18.8-1", 0x0040A050): _typed("CONTAINER"),
    ("C.18.8-1", 0x0040A504): _typed("CONTAINER"),
    ("C.18.9-1", 0x00700022): _typed("SCOORD3D"),
    ("C.18.9-1", 0x00700023): _typed("SCOORD3D"),
    ("C.18.9-1", 0x30060024): _typed("SCOORD3D"),
    ("C.18.10-1", 0x0040A801): _typed("TABLE"),
}
