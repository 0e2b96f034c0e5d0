"""What is printed from the schema table: the commented example, a configuration in force, the JSON Schema."""

from __future__ import annotations

from agent.config.edit import literal
from agent.config.key import REQUIRED, Key, Section, Value
from agent.config.kinds import KINDS
from agent.config.schema import MASK, SECTIONS
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.settings import Settings

_HEAD: Final = """\
# modality-agent: every key with its default, printed by 'modality-agent config example'.
# A key that is left out has the value shown here. Relative paths count from the folder of this file.
"""
_TABLE_HEAD: Final = """\
# Every key

Printed by `modality-agent config keys`. `[[destination]] name` stands once in each `[[destination]]`; a key that is
left out has its default. What the keys do together is in `README.md` beside this file.

| key | type | default | what it is |
|---|---|---|---|"""


def example() -> str:
    """Return the text of ``configs/agent.toml``."""
    lines = [_HEAD]
    for section in SECTIONS:
        lines.append(f"# {section.help}")
        lines.append(_header(section))
        for key in section.keys:
            lines.append(f"# {key.help}{_remark(key)}")
            lines.append(f"{key.name} = {literal(_default(key))}")
        lines.append("")
    return "\n".join(lines)


def example_values() -> dict[str, Any]:
    """Return the example as plain values for ``--json``: the values of ``configs/agent.toml``."""
    result: dict[str, Any] = {}
    for section in SECTIONS:
        row = {key.name: _default(key) for key in section.keys}
        result[section.name] = [row] if section.repeated else row
    return result


def in_force(settings: Settings, *, masked: bool = True) -> str:
    """Return a configuration in force as TOML, defaults included; secrets are masked unless it is for a program."""
    lines: list[str] = []
    for section in SECTIONS:
        part = getattr(settings, section.name)
        for row in part if section.repeated else (part,):
            lines.append(_header(section))
            shown = _shown if masked else _plain
            lines += [f"{key.name} = {literal(shown(key, row))}" for key in section.keys]
            lines.append("")
    return "\n".join(lines)


def as_dict(settings: Settings) -> dict[str, Any]:
    """Return a configuration in force as plain values for ``--json``; secrets are masked."""
    result: dict[str, Any] = {}
    for section in SECTIONS:
        part = getattr(settings, section.name)
        rows = [{key.name: _shown(key, row) for key in section.keys} for row in (part if section.repeated else (part,))]
        result[section.name] = rows if section.repeated else rows[0]
    return result


def json_schema() -> dict[str, Any]:
    """Return the table as a JSON Schema (2020-12)."""
    properties: dict[str, Any] = {}
    for section in SECTIONS:
        table: dict[str, Any] = {
            "type": "object",
            "description": section.help,
            "additionalProperties": False,
            "properties": {key.name: _json_key(key) for key in section.keys},
        }
        required = [key.name for key in section.keys if key.default is REQUIRED]
        if required:
            table["required"] = required
        properties[section.name] = {"type": "array", "items": table} if section.repeated else table
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "modality-agent configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Every key for tables in documents: key path, type, default, help."""
    for section in SECTIONS:
        for key in section.keys:
            default = "required" if key.default is REQUIRED else literal(key.default)
            path = f"[[{section.name}]] {key.name}" if section.repeated else f"{section.name}.{key.name}"
            yield path, KINDS[key.kind].word, default, key.help + _remark(key)


def table() -> str:
    """Return ``configs/keys.md``."""
    lines = [_TABLE_HEAD]
    lines += [f"| `{path}` | {kind} | `{default}` | {_cell(text)} |" for path, kind, default, text in rows()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _header(section: Section) -> str:
    return f"[[{section.name}]]" if section.repeated else f"[{section.name}]"


def _default(key: Key) -> Value:
    return key.example if key.default is REQUIRED else key.default  # type: ignore[return-value]  # REQUIRED was ruled out


def _shown(key: Key, row: object) -> Value:
    value: Value = getattr(row, key.name)
    return MASK if key.secret and value else value


def _plain(key: Key, row: object) -> Value:
    value: Value = getattr(row, key.name)
    return value


def _remark(key: Key) -> str:
    parts = []
    if key.default is REQUIRED:
        parts.append("required")
    if key.choices:
        parts.append("one of " + " ".join(choice or '""' for choice in key.choices))
    if KINDS[key.kind].word in ("integer", "number"):
        parts.append(f"{key.low:.16g} to {key.high:.16g}{' ' + key.unit if key.unit else ''}")
    return f" ({'; '.join(parts)})" if parts else ""


def _json_key(key: Key) -> dict[str, Any]:
    kind = KINDS[key.kind]
    word: str | list[str] = [kind.word, "integer"] if kind.types == (str, int) else kind.word
    node: dict[str, Any] = {"type": word, "description": key.help}
    if key.default is not REQUIRED:
        node["default"] = key.default
    if key.choices:
        node["enum"] = list(key.choices)
    if kind.word in ("integer", "number"):
        node["minimum"], node["maximum"] = key.low, key.high
    elif key.high is not None:
        node["maxLength"] = int(key.high)
    if kind.word == "array":
        node["items"] = {"type": "string"}
    if key.unit:
        node["x-unit"] = key.unit
    if key.secret:
        node["writeOnly"] = True
    return node
