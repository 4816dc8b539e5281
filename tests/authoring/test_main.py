"""`python -m authoring`: what it prints, and with which status it ends."""

import pytest
from click.testing import CliRunner

import authoring.__main__ as commands


@pytest.mark.parametrize(
    ("lines", "flags", "status"),
    [(["wrote x"], [], 0), (["wrote x"], ["--check"], 1), ([], ["--check"], 0)],
    ids=["written", "what differs fails the check", "silent where nothing differs"],
)
def test_build(
    monkeypatch: pytest.MonkeyPatch, lines: list[str], flags: list[str], status: int
) -> None:
    calls: list[tuple[tuple[str, ...], bool]] = []

    def build(lessons: tuple[str, ...], *, check: bool) -> list[str]:
        calls.append((lessons, check))
        return lines

    monkeypatch.setattr(commands, "build_lessons", build)
    result = CliRunner().invoke(commands.main, ["build", "01", *flags])
    assert (result.exit_code, result.output) == (status, "".join(f"{one}\n" for one in lines))
    assert calls == [(("01",), bool(flags))]


@pytest.mark.parametrize(
    ("misses", "flags", "status"),
    [(["a miss"], [], 0), (["a miss"], ["--strict"], 1), ([], ["--strict"], 0)],
    ids=["only counted", "a miss fails", "no miss"],
)
def test_measure(
    monkeypatch: pytest.MonkeyPatch, misses: list[str], flags: list[str], status: int
) -> None:
    monkeypatch.setattr(commands, "measure_lessons", lambda: ("a table", misses))
    result = CliRunner().invoke(commands.main, ["measure", *flags])
    assert (result.exit_code, result.output) == (status, "\n".join(["a table", *misses, ""]))


def test_a_refused_lesson_is_one_line_and_status_2() -> None:
    result = CliRunner().invoke(commands.main, ["new", "99", "clouds", "--question", "Why?"])
    assert result.exit_code == 2
    assert result.stderr.startswith("rsedu: ") and result.stderr.count("\n") == 1
