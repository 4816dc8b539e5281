import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from rsedu import doctor
from rsedu.cli import main
from rsedu.doctor import Finding
from rsedu.errors import InputError


def test_doctor_prints_the_findings_and_succeeds() -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "  ok      JupyterLab " in result.output
    assert len(result.output.splitlines()) <= 24


def test_doctor_fails_when_something_needed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("torch", "missing", "no", "do")])
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert result.output.endswith("Needed and missing: torch.\n")


def test_doctor_speaks_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("torch", "ok", "2.15", "")])
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.output) == [
        {"name": "torch", "state": "ok", "detail": "2.15", "remedy": ""}
    ]


def test_doctor_writes_a_report_and_keeps_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("torch", "missing", "no", "do")])
    result = CliRunner().invoke(main, ["doctor", "--report"])
    assert result.exit_code == 1
    assert result.output.startswith("--- rsedu doctor report, format 1 ---\n")
    assert result.output.endswith(
        "\nmissing    torch\nverdict    the lessons cannot run\n--- end ---\n"
    )


def test_an_error_of_the_kit_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> list[Finding]:
        raise InputError("this came, that was wanted, do so")

    monkeypatch.setattr(doctor, "examine", fail)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 2
    assert result.stderr == "rsedu: this came, that was wanted, do so\n"
    assert result.stdout == ""


def test_an_error_that_is_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: 1 / 0)
    assert isinstance(CliRunner().invoke(main, ["doctor"]).exception, ZeroDivisionError)


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in main.commands)


def test_the_installed_command_is_this_group() -> None:
    command = [sys.executable, "-c", "from rsedu.cli import main; main()", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "version 0." in result.stdout


def test_pretrain_hands_its_options_on() -> None:
    result = CliRunner().invoke(main, ["pretrain", "--help"])
    assert result.exit_code == 0
    assert "Usage: rsedu pretrain [OPTIONS] {croma|croma-base|mae|sam|scalemae}" in result.output
    assert "--minutes" in result.output


def test_pretrain_tells_a_wrong_option_and_a_wrong_folder() -> None:
    result = CliRunner().invoke(main, ["pretrain", "mae", "--stepps", "3"])
    assert result.exit_code == 2
    assert "No such option" in result.stderr
    result = CliRunner().invoke(main, ["pretrain", "mae", "--data", "nowhere"])
    assert result.exit_code == 2
    assert result.stderr.startswith("rsedu: --data nowhere is no folder; give frontier")
