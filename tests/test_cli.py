import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from rsedu import doctor
from rsedu.cli import main
from rsedu.doctor import Finding
from rsedu.errors import InputError

BROKEN = [Finding("torch", "missing", "no", "do")]


def test_doctor_prints_the_findings_and_succeeds() -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "  ok      JupyterLab " in result.output
    assert len(result.output.splitlines()) <= 24


@pytest.mark.parametrize(
    ("flags", "start", "end"),
    [
        ([], "  MISSING torch      no\n", "Needed and missing: torch.\n"),
        (
            ["--report"],
            "--- rsedu doctor report, format 1 ---\n",
            "\nmissing    torch\nverdict    the lessons cannot run\n--- end ---\n",
        ),
    ],
)
def test_doctor_fails_when_something_needed_is_missing(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], start: str, end: str
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: BROKEN)
    result = CliRunner().invoke(main, ["doctor", *flags])
    assert result.exit_code == 1
    assert result.output.startswith(start) and result.output.endswith(end)


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


def test_help_says_what_each_command_does() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, command in main.commands.items():
        assert (
            f"\n  {name} ".ljust(13) + command.get_short_help_str(40).rstrip(".") in result.output
        )


def test_every_command_is_the_one_of_its_module() -> None:
    with main.make_context("rsedu", ["doctor"]) as ctx:
        for name, listed in main.commands.items():
            _, command, rest = main.resolve_command(ctx, [name, "rest"])
            assert isinstance(command, click.Command) and rest == ["rest"]
            assert command.name == name and command.help
            assert (command is listed) == (name == "doctor")


def test_the_installed_command_is_this_group() -> None:
    command = [sys.executable, "-c", "from rsedu.cli import main; main()", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "version 0." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["pretrain", "--help"], 0, "Usage: rsedu pretrain [OPTIONS] {croma|croma-base|mae|sam|"),
        (["pretrian"], 2, "No such command"),
        (["pretrain", "mae", "--stepps", "3"], 2, "No such option"),
        (
            ["pretrain", "mae", "--data", "none"],
            2,
            "rsedu: --data none is no folder; give",
        ),
    ],
)
def test_a_command_speaks_for_itself(arguments: list[str], status: int, message: str) -> None:
    result = CliRunner().invoke(main, arguments, prog_name="rsedu")
    assert result.exit_code == status and message in result.output
