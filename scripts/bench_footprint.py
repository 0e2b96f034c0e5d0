"""Budgets of size, measured. Each number has its reason beside it; generated files (_generated_*) are exempt."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from bench_core import Budget, core_budgets

ROOT = Path(__file__).resolve().parents[1]

PYTHON_FILE_LINES = 450  # one idea a file; what is longer is two ideas
CATALOGUE = "agent/errors.py"  # one idea however many rows it has: what can fail, ten lines each
CATALOGUE_LINES = 720
PYTHON_FUNCTION_P90_LINES = 40  # nine of ten functions fit a screen
PYTHON_FUNCTION_LINES = 80  # and none needs two
C_FILE_LINES = 800
C_FUNCTION_LINES = 90
DEPENDENCIES = 2  # cffi, later pyserial; each one is something a site must patch for years
SEND_IMPORT_MIB = 18.0  # leaves 2 MiB of buffers below the 20 MiB bar of 'modality-agent send'
DAEMON_IMPORT_MIB = 21.5  # leaves 2.5 MiB of threads and ledger below the 24 MiB bar of the idle daemon


def is_generated(path: Path) -> bool:
    return path.name.startswith("_generated_")


def own_files(pattern: str, folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob(pattern)) if not is_generated(path)]


def longest(lengths: dict[str, int]) -> tuple[int, str]:
    name = max(lengths, key=lambda key: lengths[key], default="")
    return lengths.get(name, 0), name


def python_functions() -> dict[str, int]:
    """Lines of code of each function, without its docstring."""
    lengths = {}
    for path in own_files("*.py", "agent"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                first = node.body[0]
                has_docstring = ast.get_docstring(node) is not None
                spoken = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
                name = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                lengths[name] = (node.end_lineno or 0) - node.lineno + 1 - spoken
    return lengths


def c_functions() -> dict[str, int]:
    """Lines of each C function: clang-format puts its braces, and no others, on lines of their own in column 0."""
    lengths = {}
    for path in own_files("*.c", "native/src"):
        start = 0
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                lengths[f"{path.relative_to(ROOT)}:{start}"] = number - start + 1
                start = 0
    return lengths


def peak_mib(module: str) -> float:
    """Peak memory of an interpreter that imports one module (its own VmHWM: a parent's peak is not inherited)."""
    code = (
        f"import {module}; print([row for row in open('/proc/self/status') if row.startswith('VmHWM')][0].split()[1])"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(2):  # the first run may compile what has changed, which costs memory of its own
        shown = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=env
        )
    return int(shown.stdout) / 1024


def budgets() -> list[Budget]:
    files = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in own_files("*.py", "agent")}
    c_files = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in own_files("*.c", "native/src")
    }
    functions = python_functions()
    ordered = sorted(functions.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [
        Budget("list of errors, lines", files.pop(CATALOGUE), CATALOGUE_LINES, CATALOGUE),
        Budget("longest Python file, lines", *swap(longest(files), PYTHON_FILE_LINES)),
        Budget("Python functions, p90 lines", ordered[len(ordered) * 9 // 10], PYTHON_FUNCTION_P90_LINES),
        Budget("longest Python function, lines", *swap(longest(functions), PYTHON_FUNCTION_LINES)),
        Budget("longest C file, lines", *swap(longest(c_files), C_FILE_LINES)),
        Budget("longest C function, lines", *swap(longest(c_functions()), C_FUNCTION_LINES)),
        *core_budgets(),
        Budget("run-time dependencies", len(project["dependencies"]), DEPENDENCIES, ", ".join(project["dependencies"])),
        Budget("import for 'send', peak MiB", peak_mib("agent.app.cli, agent.app.verb_send, ssl"), SEND_IMPORT_MIB),
        Budget("import for 'run', peak MiB", peak_mib("agent.app.cli, agent.app.runtime, ssl"), DAEMON_IMPORT_MIB),
    ]


def swap(found: tuple[int, str], limit: float) -> tuple[float, float, str]:
    return found[0], limit, found[1]


def main() -> int:
    over = 0
    for budget in budgets():
        good = budget.measured <= budget.limit
        over += not good
        verdict = "ok" if good else "OVER"
        print(f"{budget.what:<34} {budget.measured:8.1f} of {budget.limit:6.0f}  {verdict:<5} {budget.where}")
    return 1 if over and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
