from __future__ import annotations

import pytest

from agent.iod import (
    _generated_modules,
    conditions,
    conditions_document,
    conditions_image,
    rules,
    rules_document,
    rules_image,
    tables,
)
from agent.iod.build import KINDS


def rows_at_all_depths(table: str) -> list[tables.Row]:
    found = []
    todo = [row for row in tables._parsed(table) if not row.include]
    while todo:
        row = todo.pop()
        found.append(row)
        todo.extend(child for child in row.children if not child.include)
    return found


def test_generated_file_names_its_edition_in_line_1() -> None:
    with open(_generated_modules.__file__, encoding="utf-8") as file:
        assert file.readline().startswith(f"# PS3.3 {tables.EDITION} ")


def test_every_include_resolves() -> None:
    for table in _generated_modules.TABLES:
        assert all(row.tag for row in tables.rows(table))
        assert tables.title(table)


def test_rows_are_parsed_with_type_values_and_depth() -> None:
    by_tag = {row.tag: row for row in tables.rows("C.8-70")}
    assert by_tag[0x00281040].type == "1"
    assert by_tag[0x00281040].enumerated == ("LIN", "LOG")
    assert by_tag[0x00281041].enumerated == ("1", "-1")
    assert [row.type for row in tables.children(by_tag[0x00283010])] == ["1", "3", "1"]
    assert 0x00080104 in {row.tag for row in tables.rows("8.8-1")}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_the_modules_that_no_instance_does_without(kind: str) -> None:
    uses = {use.table: use for use in tables.modules_of(KINDS[kind].iod)}
    for table in ("C.7-1", "C.7-3", "C.7-5a", "C.7-9", "C.7-11a", "C.12-1"):
        assert uses[table].usage == "M"


def test_conditions_and_rules_name_rows_that_exist() -> None:
    for (table, tag), condition in {**conditions.ROWS, **conditions_image.ROWS, **conditions_document.ROWS}.items():
        kinds = [row.type for row in rows_at_all_depths(table) if row.tag == tag]
        assert kinds, f"{table} has no {tag:08X}"
        assert set(kinds) <= ({"1C", "2C"} if condition.required else {"1C", "3"}), f"{table} {tag:08X} {kinds}"
        assert condition.text
    for iod, table in {**conditions.MODULES, **conditions_image.MODULES}:
        assert {use.table: use.usage for use in tables.modules_of(iod)}[table] == "C"
    for table, tag in [*conditions_document.MACROS, *conditions_image.EXEMPT]:
        assert tag in {row.tag for row in tables._parsed(table)}, f"{table} has no {tag:08X}"
    for table, tag in {**rules.VALUES, **rules_image.VALUES}:
        assert tag in {row.tag for row in rows_at_all_depths(table)}
    for rows in (rules.RULES, rules_image.RULES, rules_document.RULES):
        assert set(rows) <= set(_generated_modules.TABLES)
