"""The progress file: kept, merged, never half written, never in the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rsedu
from rsedu.course import progress, registry
from rsedu.errors import InputError


def _stored() -> dict[str, str]:
    found = json.loads(Path(".rsedu/progress.json").read_text(encoding="utf-8"))
    assert found["version"] == 1
    states: dict[str, str] = found["exercises"]
    return states


def test_a_state_is_kept_and_the_newer_one_counts() -> None:
    assert progress.note("to_db", "error") == ""
    assert progress.note("to_db", "wrong value") == ""
    assert _stored() == {"to_db": "wrong value"}


def test_what_has_passed_stays_passed() -> None:
    progress.note("to_db", "passed")
    progress.note("to_db", "not started")
    assert _stored() == {"to_db": "passed"}


def test_an_unknown_exercise_is_not_noted() -> None:
    assert progress.note("nobody", "passed") == ""
    assert not Path(".rsedu").exists()


def test_the_summary_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    rsedu.progress("00")
    assert capsys.readouterr().out == (
        "Lesson 00: 0 of 1 exercises passed, 0 of 1 points.\n"
        "  not started  Power in decibels (1 point)\n"
        "Look at next: Power in decibels (not started); run its cell again.\n"
    )
    progress.note("to_db", "passed")
    rsedu.progress("00")
    assert capsys.readouterr().out == (
        "Lesson 00: 1 of 1 exercises passed, 1 of 1 points.\n"
        "  passed       Power in decibels (1 point)\n"
        "All done: go on with 01_sentinels.\n"
    )


def test_what_was_begun_is_looked_at_before_what_was_not() -> None:
    first, *_, last = registry.exercises("01")
    progress.note(last.id, "wrong kind")
    assert f"Look at next: {last.title} (wrong kind)" in progress.summary("01")
    assert first.title in progress.summary("01")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"exercises": {"to_db": "great"}}', '{"exercises": 3}', "\0\xff"]
)
def test_a_corrupt_file_is_set_aside_with_one_sentence(content: str) -> None:
    path = Path(".rsedu/progress.json")
    path.parent.mkdir()
    path.write_bytes(content.encode("latin-1"))
    assert progress.summary("00").count("cannot be read") == 1
    said = progress.note("to_db", "passed")
    assert said.count("\n") == 0 and "set aside as progress.unreadable.json" in said
    assert _stored() == {"to_db": "passed"}
    assert Path(".rsedu/progress.unreadable.json").read_bytes() == content.encode("latin-1")
    assert progress.note("to_db", "passed") == ""


def test_a_folder_that_cannot_be_written_does_not_stop_the_lesson(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path(".rsedu").write_text("a file where the folder should be")
    rsedu.check("to_db", ...)
    out = capsys.readouterr().out
    assert out.startswith("not started: Power in decibels")
    assert "Progress cannot be saved in this folder" in out and "checks work all the same" in out


def test_the_folder_can_be_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(progress.ENV, str(tmp_path / "there"))
    progress.note("to_db", "passed")
    assert (tmp_path / "there" / "progress.json").is_file()
    assert not Path(".rsedu").exists()


def test_two_kernels_lose_nothing() -> None:
    ids = [exercise.id for exercise in registry.exercises("01")][:4]
    assert len(ids) == 4
    program = (
        "import sys\n"
        "from rsedu.course import progress, registry\n"
        "registry.exercise(sys.argv[1])\n"
        "sys.stdin.readline()\n"
        "assert all(not progress.note(sys.argv[1], s) for s in ['error'] * 25 + ['passed'])\n"
    )
    kernels = [
        subprocess.Popen([sys.executable, "-c", program, id_], stdin=subprocess.PIPE) for id_ in ids
    ]
    for kernel in kernels:
        assert kernel.stdin is not None
        kernel.stdin.write(b"go\n")
        kernel.stdin.close()
    assert [kernel.wait() for kernel in kernels] == [0] * 4
    assert _stored() == dict.fromkeys(ids, "passed")
    assert sorted(os.listdir(".rsedu")) == ["progress.json"]


def test_a_lock_that_was_left_behind_holds_nobody_up() -> None:
    Path(".rsedu").mkdir()
    Path(".rsedu/progress.lock").touch()
    assert progress.note("to_db", "passed") == ""
    assert _stored() == {"to_db": "passed"}


def test_a_file_of_the_first_version_is_still_read() -> None:
    Path(".rsedu").mkdir()
    old = '{"version": 1, "exercises": {"retired_exercise": "error", "to_db": "passed"}}'
    Path(".rsedu/progress.json").write_text(old)
    assert "1 of 1 exercises passed" in progress.summary("00")
    progress.note("ndvi", "error")
    assert _stored() == {"retired_exercise": "error", "to_db": "passed", "ndvi": "error"}


def test_progress_travels_as_one_line() -> None:
    progress.note("to_db", "passed")
    token = progress.export()
    assert "\n" not in token and len(token) < 200
    Path(".rsedu/progress.json").unlink()
    progress.note("to_db", "error")
    progress.load(f"  {token}\n")
    assert _stored() == {"to_db": "passed"}


@pytest.mark.parametrize("token", ["", "hello", "rsedu-1-", "rsedu-1-AAAA", "rsedu-1-eNqr"])
def test_a_broken_token_is_refused_and_nothing_is_lost(token: str) -> None:
    progress.note("to_db", "passed")
    with pytest.raises(InputError, match="no progress token"):
        progress.load(token)
    assert _stored() == {"to_db": "passed"}


def test_after_the_last_lesson_comes_a_starter(capsys: pytest.CaptureFixture[str]) -> None:
    last = registry.lessons()[-1].number
    for exercise in registry.exercises(last):
        progress.note(exercise.id, "passed")
    rsedu.progress(last)
    assert capsys.readouterr().out.endswith(
        f"All done: choose a starter, such as {registry.starters()[0].stem}.\n"
    )
