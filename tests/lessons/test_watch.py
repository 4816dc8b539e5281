"""Watching on a small checkout: what asks for a build, and that nothing ends it but Ctrl-C."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsedu.errors import MissingDataError
from rsedu.lessons import watch

STEM = "01_sentinels"


@pytest.fixture
def source() -> Path:
    Path("solutions").mkdir()
    path = Path.cwd() / "solutions" / f"{STEM}.py"
    path.write_text("import rsedu\nfrom rsedu.lessons import results\n")
    return path


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Builds that were asked for, in place of running them."""
    asked: list[str] = []
    monkeypatch.setattr(watch, "_build", lambda source: asked.append(source.stem) or "a line")
    return asked


def _save(path: Path, time: int) -> None:
    path.touch()
    os.utime(path, ns=(time, time))


def _watching(lines: Iterator[str]) -> str:
    first = next(lines)
    assert first.endswith("Ctrl-C ends it.")
    return first


def test_a_lesson_is_watched_with_its_exercises_and_what_they_import(source: Path) -> None:
    names = [path.name for path in watch.watched(source)]
    assert names == [f"{STEM}.py", "sentinels.py", "results.py", "speckle.py"]


def test_a_broken_source_is_watched_too(source: Path) -> None:
    source.write_text("def (\n")
    assert next(path.name for path in watch.watched(source)) == f"{STEM}.py"


def test_a_save_builds_once_and_a_save_during_a_build_builds_again(
    source: Path, built: list[str]
) -> None:
    looks: list[int] = []

    def pause(seconds: float) -> None:
        looks.append(len(looks))
        if looks[-1] == 2:
            _save(source, 10**18)

    lines = watch.watch(pause=pause)
    assert _watching(lines).startswith(f"Watching {STEM}:")
    assert next(lines) == f"{STEM}.py changed: building {STEM}"
    _save(source, 2 * 10**18)
    assert next(lines) == "a line"
    assert next(lines) == f"{STEM}.py changed: building {STEM}"
    assert next(lines) == "a line"
    assert built == [STEM, STEM] and looks == [0, 1, 2, 3]


def test_a_file_that_an_editor_replaces_is_waited_for(source: Path, built: list[str]) -> None:
    steps = iter([source.unlink, lambda: _save(source, 10**18)])
    lines = watch.watch([STEM], pause=lambda seconds: next(steps)())
    _watching(lines)
    assert next(lines).startswith(f"{STEM}.py changed")
    assert built == []


def test_a_lesson_that_is_not_there_is_named(source: Path) -> None:
    with pytest.raises(MissingDataError, match=STEM):
        next(watch.watch(["07"]))


def test_a_failed_build_is_a_line_and_watching_goes_on(source: Path) -> None:
    source.write_text("# %%\nno_title = 1\n")
    times = iter([10**18, 2 * 10**18])
    lines = watch.watch(pause=lambda seconds: _save(source, next(times)))
    _watching(lines)
    next(lines)
    assert "rsedu: 01_sentinels.py does not begin with a markdown cell" in next(lines)
    assert next(lines).startswith(f"{STEM}.py changed")
