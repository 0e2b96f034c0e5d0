"""Rules of the house that no linter knows: suppressions say why, documents are true, nothing names one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from agent.app.verbs import VERBS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "native/README.md", "configs/README.md", "hw/PROTOCOL.md")
SELF = "tests/unit/test_house_rules.py"


def tracked(*patterns: str) -> list[Path]:
    shown = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        pytest.skip("not a git checkout: nothing says which files are ours")
    return [ROOT / name for name in shown.stdout.split("\0") if name and (ROOT / name).is_file()]


def offences(pattern: str, paths: list[Path], *, allowed: str = r"(?!)") -> list[str]:
    found = []
    for path in paths:
        name = str(path.relative_to(ROOT))
        if name == SELF or "/vectors/" in name:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if re.search(pattern, line) and not re.search(allowed, line):
                found.append(f"{name}:{number}: {line.strip()[:120]}")
    return found


def test_every_suppression_says_why() -> None:
    bare = (
        r"#\s*noqa(:\s*[A-Z0-9, ]+)?\s*$|#\s*type:\s*ignore(\[[a-z-]+(,\s*[a-z-]+)*\])?\s*$|//\s*NOLINT(\([^)]*\))?\s*$"
    )
    assert offences(bare, tracked("agent/*.py", "hw/*.py", "scripts/*.py", "native/*.[ch]")) == []


def test_nothing_is_left_to_do() -> None:
    ours = tracked("agent/*", "hw/*", "native/*", "scripts/*")
    assert offences(r"\b(TODO|FIXME|XXX)\b|NotImplementedError", ours) == []


def test_nothing_names_one_machine() -> None:
    places = r"(^|[\s\"'=(])/(work|farm|root|home)/|files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian\.org"
    assert offences(places, tracked()) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_files_that_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    named = re.findall(r"`((?:agent|hw|native|scripts|tests|configs|\.ci)/[\w./-]*\w/?)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_readme_shows_every_verb() -> None:
    text = (ROOT / "README.md").read_text()
    assert [verb.name for verb in VERBS if f"modality-agent {verb.name}" not in text] == []


def test_architecture_names_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    packages = sorted(path.parent.name for path in ROOT.glob("agent/*/__init__.py"))
    assert [name for name in packages if not re.search(rf"\b{name}\b", text)] == []


def test_every_package_says_what_it_is() -> None:
    silent = [str(path) for path in ROOT.glob("agent/*/__init__.py") if '"""' not in path.read_text()]
    assert silent == []
