"""What differs between two configurations, as lines that can be typed again: ``set ...`` and ``delete ...``.

Applied in their order to the first, the lines give the second. Tables are told apart by their names; their order is
kept: what stands in the way of it is deleted and set again. Values of secret keys are masked.
"""

from __future__ import annotations

from agent.config.command_line import line, split
from agent.config.edit import Edited, add_table, delete, literal, same, set_value
from agent.config.key import Key, Section
from agent.config.key_path import find, is_set, value_of
from agent.config.kinds import KINDS
from agent.config.schema import MASK, SECTIONS
from agent.errors import AgentError, UsageError
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agent.config.key_path import Place

Document = dict[str, Any]


def commands(document: Document, *, masked: bool = True) -> list[str]:
    """Return the lines that make a whole configuration out of an empty one."""
    return difference({}, document, masked=masked)


def difference(old: Document, new: Document, *, masked: bool = True) -> list[str]:
    """Return the lines that make ``new`` out of ``old``; [] when they say the same."""
    lines: list[str] = []
    known = {section.name: section for section in SECTIONS}
    for name in [*known, *(name for name in {**old, **new} if name not in known)]:
        section = known.get(name)
        before, after = old.get(name), new.get(name)
        if same(before, after):
            continue
        if _is_rows(before) and _is_rows(after) and (before or after):
            lines += _rows(name, section, before or [], after or [], masked=masked)
        elif _is_table(before) and _is_table(after):
            lines += _table((name,), section, before, after, masked=masked)
        else:  # of another shape: it is refused anyway, but shown
            lines += [line(("delete", name))] if before is not None else []
            lines += [line(("set", name, literal(after)))] if after is not None else []
    return lines


def _is_rows(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(row, dict) for row in value))


def _is_table(value: object) -> bool:
    return value is None or isinstance(value, dict)


def _table(
    words: tuple[str, ...], section: Section | None, old: Document | None, new: Document | None, *, masked: bool
) -> Iterator[str]:
    before, after = old or {}, new or {}
    if before and not after:
        yield line(("delete", *words))
        return
    keys = {key.name: key for key in section.keys} if section is not None else {}
    for name in [*keys, *(name for name in {**before, **after} if name not in keys)]:
        key = keys.get(name)
        if name not in after:
            if name in before:
                yield line(("delete", *words, name))
        elif name not in before or not same(before[name], after[name]):
            hidden = masked and key is not None and key.secret
            yield line(("set", *words, name, MASK if hidden else word_of(after[name], key)))


def word_of(value: object, key: Key | None) -> str:
    """Return a value as it is typed."""
    if not isinstance(value, str):
        return literal(value)
    both = key is not None and {str, int} <= {*KINDS[key.kind].types}
    return literal(value) if both and (value.isdigit() or value[:1] == '"') else value


def _rows(
    name: str, section: Section | None, old: list[Document], new: list[Document], *, masked: bool
) -> Iterator[str]:
    before, after = list(map(_name_of, old)), list(map(_name_of, new))
    if None in before or None in after or len({*before}) < len(before) or len({*after}) < len(after):
        yield from _unnamed(name, section, old, new, masked=masked)
        return
    kept = _kept(before, after)
    for one in before:
        if one not in after[:kept]:
            yield line(("delete", name, str(one)))
    for at, (one, row) in enumerate(zip(after, new, strict=True)):
        was = old[before.index(one)] if at < kept else {"name": one}
        if row.keys() == {"name"} and at >= kept:
            yield line(("set", name, str(one)))
        yield from _table((name, str(one)), section, was, row, masked=masked)


def _unnamed(
    name: str, section: Section | None, old: list[Document], new: list[Document], *, masked: bool
) -> Iterator[str]:
    """Tables without a name, or two of one: all of them anew."""
    if old:
        yield line(("delete", name))
    for at, row in enumerate(new):
        if not row:
            yield line(("set", f"{name}[{at}]"))
        yield from _table((f"{name}[{at}]",), section, {}, row, masked=masked)


def _name_of(row: Document) -> str | None:
    """Return the name that words can say; None for a table without one."""
    name = row.get("name")
    return name if isinstance(name, str) and name and not set(name) & {".", "["} else None


def _kept(before: Sequence[object], after: Sequence[object]) -> int:
    """Return how many tables of ``after``, from the first on, come in the same order before."""
    rest = iter(before)
    kept = 0
    for one in after:
        if one not in rest:  # looks on from where it was
            break
        kept += 1
    return kept


# --- the way back --------------------------------------------------------------------------------


def set_words(text: str, document: Document, words: Sequence[str], value: str | None) -> Edited:
    """Set the key that ``words`` name, in a table that is made if there is none; without a key only the table."""
    place = find(words, document)
    _refuse_shape(place, document)
    if place.key is None:
        if place.row is None or value:
            raise UsageError(f"{' '.join(place.words)}: no key is named", hint="set SECTION [NAME] KEY VALUE")
        rows = document.get(place.section.name) or []
        if place.row < len(rows):
            return Edited(text, document)
    elif value is None:
        raise UsageError(f"{' '.join(place.words)}: no value is given", hint=place.key.help)
    new = value_of(place, value) if place.key is not None and value is not None else None
    edited = Edited(text, document)
    if place.row is not None and place.row == len(document.get(place.section.name) or []):
        if place.name:
            named = place._replace(key=next(key for key in place.section.keys if key.name == "name"))
            edited = set_value(text, document, named.path, value_of(named, place.name))
        else:
            edited = add_table(text, document, place.section.name)
    if place.key is None:
        return edited
    done = set_value(edited.text, edited.document, place.path, new)
    return done._replace(anew=done.anew or edited.anew)


def _refuse_shape(place: Place, document: Document) -> None:
    """A file may have anything where a section is to be; it is wrong, and it is still a file."""
    there = document.get(place.section.name)
    right = _is_rows(there) if place.section.repeated else _is_table(there)
    if not right:
        name = place.section.name
        raise UsageError(
            f"{name}: is of another shape in the file", hint=f"Correct it in an editor, or 'delete {name}'."
        )


def delete_words(text: str, document: Document, words: Sequence[str]) -> Edited:
    """Delete the key, the table or the section that ``words`` name."""
    place = find(words, document)
    if not is_set(words, document):
        what = f"{' '.join(place.words)}: is not set, so there is nothing to delete"
        raise UsageError(what, hint="'config commands' shows what is set.")
    return delete(text, document, place.path)


def apply(text: str, document: Document, lines: Iterable[str]) -> Edited:
    """Apply lines of ``set`` and ``delete``; empty ones and those after a ``#`` are passed over."""
    edited = Edited(text, document)
    for number, one in enumerate(lines, 1):
        if not one.strip() or one.lstrip().startswith("#"):
            continue
        try:
            words = split(one)
            if words[0] == "set" and len(words) > 1:
                done = _set_line(edited, words[1:])
            elif words[0] == "delete" and len(words) > 1:
                done = delete_words(edited.text, edited.document, words[1:])
            else:
                raise UsageError(f"'{words[0]}' is neither set nor delete", hint="set KEY VALUE, or delete KEY.")
        except AgentError as error:
            error.message = f"line {number}: {error.message}"
            raise
        edited = done._replace(anew=edited.anew or done.anew)
    return edited


def _set_line(edited: Edited, words: list[str]) -> Edited:
    only, value = divide(words, edited.document)
    return set_words(edited.text, edited.document, only, value)


def divide(words: Sequence[str], document: Document) -> tuple[Sequence[str], str | None]:
    """Part the words behind ``set`` into key and value; the value is everything behind the key."""
    for count in range(1, len(words)):
        place = find(words[:count], document)
        if place.key is not None:
            return words[:count], " ".join(words[count:])
    return words, None
