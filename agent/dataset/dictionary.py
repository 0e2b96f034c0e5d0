"""The data dictionary: tag to VR, VM and keyword, and keyword to tag (PS3.6 6 to 8).

Five thousand attributes as Python objects would cost 2 MiB and 10 ms at every start, though a session uses two hundred
of them. So the generated table stays one sorted text (0.2 MiB), loaded on the first question; a tag is found by
bisecting its lines, a keyword by searching, and answers are kept. Programs that only move files (``send``) never ask.

Unknown tags have an answer too: group lengths are UL, private creators LO, everything else UN (PS3.5 6.2.2, 7.8.1).
"""

from __future__ import annotations

from agent.dataset.tag import is_group_length, is_private, is_private_creator
from agent.typed import NamedTuple


class Entry(NamedTuple):
    """One line of the dictionary; ``vr`` may be a choice such as "US or SS" (see ``vr.choose``)."""

    vr: str
    vm: str
    keyword: str


_UNKNOWN = Entry("UN", "1-n", "")
_GROUP_LENGTH = Entry("UL", "1", "")
_PRIVATE_CREATOR = Entry("LO", "1", "")

# Standard answers only, so at most as many as the table has lines.
_entries: dict[int, Entry] = {}
_ONE = frozenset({"1", "1-n", "1-2", "1-3"})  # the VMs that most attributes have; one value is always allowed
_tags: dict[str, int] = {}


def entry(tag: int) -> Entry:
    """What the dictionary says about a tag; never fails."""
    known = _entries.get(tag)
    if known is not None:
        return known
    found = _find(tag)
    if found is not None:
        _entries[tag] = found
        return found
    if is_private_creator(tag):
        return _PRIVATE_CREATOR
    return _GROUP_LENGTH if is_group_length(tag) else _UNKNOWN


def vr_of(tag: int) -> str:
    """The VR of a tag, possibly a choice such as "US or SS"; "UN" where nothing is known."""
    return entry(tag).vr


def vm_of(tag: int) -> str:
    """The VM of a tag as the Standard writes it: "1", "1-n", "2-2n"."""
    return entry(tag).vm


def keyword_of(tag: int) -> str | None:
    """The keyword of a tag, or None."""
    return entry(tag).keyword or None


def tag_for(keyword: str) -> int:
    """The tag of a keyword; the first of its range for repeating groups.

    Raises:
        KeyError: PS3.6 has no such keyword.
    """
    tag = _tags.get(keyword)
    if tag is None:
        table = _table()
        at = table.find(f" {keyword} ") if keyword.isalnum() else -1
        fields = table[table.rfind("\n", 0, at) + 1 : at + 1 + len(keyword)].split(" ") if at > 0 else []
        if len(fields) != 3:  # "1" and "SS" are VM and VR of some line, but no keywords
            raise KeyError(f"{keyword!r} is not a keyword of PS3.6")
        tag = _tags[keyword] = int(fields[0].replace("X", "0"), 16)
    return tag


def vm_allows(vm: str, count: int) -> bool:
    """Whether so many values satisfy a VM such as "3", "1-8", "2-n" or "2-2n"; none always do (type 2)."""
    if count == 0 or (count == 1 and vm in _ONE):
        return True
    least, _, most = vm.partition("-")
    if not most:
        return count == int(least)
    if not most.endswith("n"):
        return int(least) <= count <= int(most)
    return count >= int(least) and count % int(most[:-1] or 1) == 0


def _table() -> str:
    from agent.dataset._generated_dictionary import TABLE

    return TABLE


def _find(tag: int) -> Entry | None:
    """Look up the exact tag, then the repeating groups and elements it may belong to."""
    if is_private(tag):
        return None
    digits = f"{tag:08X}"
    candidates = [digits]
    if digits[:2] in {"50", "60", "7F"} and not tag >> 16 & 1:  # curves, overlays, variable pixel data (PS3.5 7.6)
        candidates.append(f"{digits[:2]}XX{digits[4:]}")
    elif digits.startswith("002031"):
        candidates.append("002031XX")
    elif digits.startswith(("002804", "002808")):
        candidates.append(f"{digits[:6]}X{digits[7]}")
    elif digits.startswith("1000"):
        candidates.append(f"1000XXX{digits[7]}")
    elif digits.startswith("1010"):
        candidates.append("1010XXXX")
    return next((found for found in map(_line, candidates) if found), None)


def _line(key: str) -> Entry | None:
    """Bisect the lines of the table for the one that starts with the eight characters ``key``."""
    table = _table()
    low, high = 0, len(table) - 1  # both always at a line break
    while low < high:
        middle = table.rindex("\n", low, (low + high + 1) // 2 + 1) if high - low > 1 else low
        end = table.index("\n", middle + 1)
        found = table[middle + 1 : middle + 9]
        if found == key:
            _, vm, keyword, vr = table[middle + 1 : end].split(" ", 3)
            return Entry(vr, vm, "" if keyword == "-" else keyword)
        if found < key:
            low = end
        else:
            high = middle
    return None
