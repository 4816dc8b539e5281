import json
import subprocess
import sys
from types import ModuleType

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


def _lend(monkeypatch: pytest.MonkeyPatch, name: str, function: object) -> None:
    """Put a stand-in where the command imports its function from."""
    module = ModuleType(f"rsedu.lessons.{name}")
    setattr(module, name, function)
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize(("flags", "status"), [([], 0), (["--check"], 1)])
def test_build_prints_what_it_did_and_check_fails_on_it(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], status: int
) -> None:
    asked: list[tuple[tuple[str, ...], bool]] = []

    def build(lessons: tuple[str, ...], *, check: bool) -> list[str]:
        asked.append((lessons, check))
        return ["notebooks/01_sentinels.ipynb"]

    _lend(monkeypatch, "build", build)
    result = CliRunner().invoke(main, ["build", "01", *flags])
    assert (result.exit_code, result.output) == (status, "notebooks/01_sentinels.ipynb\n")
    assert asked == [(("01",), bool(flags))]


def test_check_succeeds_in_silence_where_nothing_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    _lend(monkeypatch, "build", lambda lessons, check: [])
    result = CliRunner().invoke(main, ["build", "--check"])
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(("flags", "status"), [([], 0), (["--strict"], 1)])
def test_measure_prints_the_table_and_strict_fails_on_misses(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], status: int
) -> None:
    _lend(monkeypatch, "measure", lambda: ("a table", ["01: a cell of 40 lines"]))
    result = CliRunner().invoke(main, ["measure", *flags])
    assert (result.exit_code, result.output) == (status, "a table\n01: a cell of 40 lines\n")


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
