"""The command line ends with a sentence and a status, never with a traceback for a user's mistake."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent import errors
from agent.app import cli
from agent.app.verbs import VERBS, Verb

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("verb", VERBS, ids=[verb.name for verb in VERBS])
def test_each_verb_explains_itself(verb: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(verb.module)
    assert callable(module.run)
    assert cli.main([verb.name, "--help"]) == 0
    text = capsys.readouterr().out
    assert "examples:\n  modality-agent " in text
    assert "exit codes:" in text
    for status, _ in cli.exit_codes(verb):
        assert f"\n  {status:>3}  " in text


@pytest.mark.parametrize("verb", VERBS, ids=[verb.name for verb in VERBS])
def test_each_verb_names_the_errors_that_can_end_it(verb: Verb) -> None:
    for name in verb.errors:
        assert issubclass(getattr(errors, name.rstrip("*")), errors.AgentError)
    assert {0, 2} <= {status for status, _ in cli.exit_codes(verb)}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["nothing"], 2, "no verb 'nothing' [usage]"),
        (["captur"], 2, "no verb 'captur'; did you mean 'capture'? [usage]"),
        (
            ["config"],
            2,
            "one of check, show, schema, example, keys, set, delete, compare, commands, load, commit, confirm,",
        ),
        (["config", "check"], 2, "'config check' needs a configuration file"),
        (["config", "show", "a", "b"], 2, "nothing is known about 'b'"),
        (["config", "check", "/nonexistent.toml"], 10, "/nonexistent.toml: cannot be read: No such file or directory"),
    ],
)
def test_mistakes(words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("modality-agent: error: ")
    assert message in err
    assert "\n  hint: " in err


def test_an_error_is_json_too_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "check", "/nonexistent.toml", "--json"]) == 10
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "config"
    assert error["exit"] == 10
    assert error["hint"]


def test_config_check_lists_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("[agent]\nae = 1\n[spool]\npth = 1\n")
    assert cli.main(["config", "check", str(file)]) == 10
    err = capsys.readouterr().err
    assert f"{file}:2: agent.ae: unknown key" in err
    assert f"also: {file}:4: spool.pth: unknown key; did you mean 'path'?" in err


def test_config_show_schema_and_example(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(ROOT / "configs" / "agent.toml")
    assert cli.main(["config", "show", file]) == 0
    assert 'called_ae = "PACS"' in capsys.readouterr().out
    assert cli.main(["config", "show", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["destination"][0]["called_ae"] == "PACS"
    assert cli.main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["spool"]
    assert cli.main(["config", "example"]) == 0
    assert capsys.readouterr().out == (ROOT / "configs" / "agent.toml").read_text()
    assert cli.main(["config", "example", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["destination"][0]["called_ae"] == "PACS"


def test_config_check_has_notes_and_no_hint_at_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("")
    assert cli.main(["config", "check", str(file)]) == 0
    assert "note: no [[destination]]" in capsys.readouterr().out
    file.write_text("nothing = 1")
    assert cli.main(["config", "check", str(file)]) == 10
    assert "config check" not in capsys.readouterr().err


def test_capture_lists_what_it_can_make(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["capture", "--help"]) == 0
    out = capsys.readouterr().out
    assert "explicit|implicit|deflated|rle|jpeg-ls|jpeg-lossless|htj2k|jpeg-ls-near" in out


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), 130), (FileNotFoundError(2, "No such file or directory", "/x"), 3)],
)
def test_other_ends(
    error: BaseException, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_words: list[str]) -> int:
        raise error

    monkeypatch.setattr(cli, "_dispatch", fail)
    assert cli.main(["config"]) == status
    assert "Traceback" not in capsys.readouterr().err


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m agent config schema | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, cwd=ROOT, timeout=30)
    assert done.stderr == b""
    assert done.returncode in (0, cli.EXIT_BROKEN_PIPE)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert cli.main([]) == 0
    assert cli.main(["help"]) == 0
    out = capsys.readouterr().out
    for verb in VERBS:
        assert f"  {verb.name} " in out


def test_verb_modules_are_only_imported_by_the_table() -> None:
    tree = ast.parse((ROOT / "agent" / "app" / "cli.py").read_text())
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert not [name for name in names if name and "verb_" in name]


@pytest.mark.parametrize(
    ("words", "there", "not_there"),
    [
        (("queue", "list"), ("--state", "--after", "queue list --config"), ("LEVEL", "{urgent", "queue show 2.25")),
        (
            ("queue", "priority"),
            ("{urgent,normal,low}", "queue priority 2.25.77"),
            ("--state", "--limit", "queue list -"),
        ),
        (("tls", "show"), ("--config",), ("--same-key", "--kind", "tls request")),
        (("tls", "request"), ("--same-key", "--name", "tls request"), ("tls show",)),
        (("config", "schema"), ("--json", "config schema"), ("--no-files", "config check", "[FILE]")),
        (("config",), ("--no-files", "config check", "config schema"), ()),
    ],
)
def test_an_action_has_a_help_of_its_own(
    words: tuple[str, ...], there: tuple[str, ...], not_there: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: modality-agent {' '.join(words)} [-h]")
    assert [text for text in there if text not in out] == []
    assert [text for text in not_there if text in out] == []
