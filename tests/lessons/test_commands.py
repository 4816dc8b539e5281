from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rsedu.cli import main
from rsedu.lessons import commands, watch


def test_new_lesson_prints_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def new_lesson(number: str, name: str, **options: Any) -> list[str]:
        asked.append((number, name, options))
        return ["wrote a", "next: b"]

    monkeypatch.setattr(commands.scaffold, "new_lesson", new_lesson)
    arguments = ["new-lesson", "09", "clouds", "--question", "What?", "--minutes", "20"]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.output) == (0, "wrote a\nnext: b\n")
    assert asked == [("09", "clouds", {"question": "What?", "minutes": 20})]


def test_new_lesson_outside_of_a_checkout_is_one_line() -> None:
    result = CliRunner().invoke(main, ["new-lesson", "09", "clouds", "--question", "What?"])
    assert result.exit_code == 2
    assert result.stderr == (
        f"rsedu: {Path.cwd()} is in no checkout of rsedu: go to the folder of solutions/.\n"
    )


def test_preview_hands_on_what_is_jupyterlabs_and_ends_as_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(
        commands.side_by_side, "preview", lambda *given: asked.append(given) or len(asked)
    )
    result = CliRunner().invoke(main, ["preview", "03", "--no-browser", "--port=1"])
    assert (result.exit_code, asked) == (1, [("03", ("--no-browser", "--port=1"))])


def test_watching_prints_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(lessons: tuple[str, ...]) -> Any:
        yield f"Watching {lessons}"
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "watch", lines)
    result = CliRunner().invoke(main, ["build", "03", "--watch"])
    assert (result.exit_code, result.output) == (0, "Watching ('03',)\nStopped watching.\n")
