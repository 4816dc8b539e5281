"""`python -m authoring`: what it prints, and when it fails."""

import pytest
from click.testing import CliRunner

from authoring import __main__ as commands


@pytest.mark.parametrize(
    ("flags", "lines", "status"),
    [
        ([], ["notebooks/01_sentinels.ipynb"], 0),
        (["--check"], ["notebooks/01_sentinels.ipynb"], 1),
        (["--check"], [], 0),
    ],
)
def test_build_prints_what_it_did_and_check_fails_on_it(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], lines: list[str], status: int
) -> None:
    calls: list[tuple[tuple[str, ...], bool]] = []

    def build(lessons: tuple[str, ...], *, check: bool) -> list[str]:
        calls.append((lessons, check))
        return lines

    monkeypatch.setattr(commands, "build_lessons", build)
    result = CliRunner().invoke(commands.main, ["build", "01", *flags])
    assert (result.exit_code, result.output.splitlines()) == (status, lines)
    assert calls == [(("01",), bool(flags))]


@pytest.mark.parametrize(("flags", "status"), [([], 0), (["--strict"], 1)])
def test_measure_prints_the_table_and_strict_fails_on_misses(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], status: int
) -> None:
    misses = ["01: a cell of 40 lines"]
    monkeypatch.setattr(commands, "measure_lessons", lambda: ("a table", misses))
    result = CliRunner().invoke(commands.main, ["measure", *flags])
    assert (result.exit_code, result.output) == (status, "a table\n01: a cell of 40 lines\n")
