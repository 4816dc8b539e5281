"""The list of lessons, and looking exercises up without importing more than is needed."""

import subprocess
import sys

import pytest

from rsedu.course import registry
from rsedu.course.exercise import Exercise
from rsedu.errors import InputError


def test_lessons_are_numbered_in_order_and_named_once() -> None:
    numbers = [lesson.number for lesson in registry.lessons()]
    assert numbers == [f"{index:02d}" for index in range(len(numbers))]
    assert len({lesson.name for lesson in registry.lessons()}) == len(numbers)
    assert all(lesson.question.endswith("?") for lesson in registry.lessons())
    assert registry.lesson("01").stem == "01_sentinels"
    assert registry.lesson(1) is registry.lesson("01")


@pytest.mark.parametrize("number", ["99", "x", -1])
def test_an_unknown_lesson_says_which_there_are(number: str | int) -> None:
    with pytest.raises(InputError, match=f"wanted 00 to {registry.lessons()[-1].number}"):
        registry.lesson(number)


def test_an_unknown_exercise_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'to_db'"):
        registry.exercise("todb")
    with pytest.raises(InputError, match="there are to_db, "):
        registry.exercise("qqqqqqqq")


def test_a_starter_goes_on_from_a_lesson_and_counts_no_exercises() -> None:
    lessons = [lesson.number for lesson in registry.lessons()]
    numbers = [starter.number for starter in registry.starters()]
    assert numbers == ["08a", "08b", "08c", "08d"]
    for starter in registry.starters():
        assert starter.is_starter and starter.number[:2] in lessons
        assert registry.lesson(starter.number) is starter
        assert registry.exercises(starter.number) == ()
        assert registry.number_of(starter.stem) == starter.number
        assert starter.question.endswith("?") and starter.minutes
    assert not any(lesson.is_starter for lesson in registry.lessons())


def _with(monkeypatch: pytest.MonkeyPatch, found: tuple[Exercise, ...]) -> None:
    monkeypatch.setattr(registry, "_of_module", lambda name: found if name == "laplacian" else ())


def test_an_id_is_given_once_in_the_whole_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    one = registry.exercise("to_db")
    _with(monkeypatch, (one, one))
    with pytest.raises(InputError, match="Two exercises are called 'to_db'"):
        registry.exercises()


def test_finding_a_first_exercise_imports_no_later_lesson() -> None:
    program = (
        "import sys\n"
        "from rsedu.course import registry\n"
        "registry.exercise('to_db')\n"
        "assert 'rsedu.lessons.start_here.exercises' in sys.modules\n"
        "assert 'rsedu.lessons.sentinels.exercises' not in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
