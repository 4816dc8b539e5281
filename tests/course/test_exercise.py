"""What holds for every exercise of every lesson: registering one is enough to have it tested."""

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nbformat import NotebookNode

from authoring.colab import Address
from authoring.source import exercise_id, pair
from rsedu.course import check, compare, registry
from rsedu.course.exercise import Exercise, Invariant, Misconception, Verdict
from rsedu.errors import InputError
from tests.lessons.oracles import ORACLES

REPOSITORY = Path(__file__).resolve().parents[2]
ALL = registry.exercises()
WRITTEN = [each for each in ALL if list(REPOSITORY.glob(f"solutions/{each.lesson}_*.py"))]
FUNCTIONS = [each for each in ALL if each.is_function]
WRONG = [(each, known) for each in ALL for known in each.misconceptions]


def _id(value: Any) -> str:
    return value.id if isinstance(value, Exercise) else str(value.name).replace(" ", "-")


every = pytest.mark.parametrize("exercise", ALL, ids=_id)


@cache
def _verdict(id_: str, known: str = "") -> Verdict:
    """What the reference gets, or the known wrong answer of that name; judged once for all."""
    exercise = registry.exercise(id_)
    answers = {one.name: one.wrong for one in exercise.misconceptions}
    return check.evaluate(id_, answers[known] if known else exercise.reference)


@every
def test_the_reference_agrees_with_its_oracle_and_both_pass(exercise: Exercise) -> None:
    oracle = ORACLES[exercise.id]
    if not exercise.is_function:
        assert compare.equal(exercise.reference, oracle, exercise.tolerance)
    for case in exercise.cases:
        assert compare.equal(exercise.reference(*case()), oracle(*case()), exercise.tolerance)
    for answer in (exercise.reference, oracle):
        verdict = check.evaluate(exercise.id, answer)
        assert verdict.passed, check.render(verdict)


def test_an_oracle_belongs_to_an_exercise() -> None:
    assert set(ORACLES) == {exercise.id for exercise in ALL}


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=_id)
def test_a_case_is_the_same_at_every_call_and_the_last_is_another(exercise: Exercise) -> None:
    for case in exercise.cases:
        assert compare.unchanged(case(), case())
    assert not compare.unchanged(exercise.cases[0](), exercise.cases[-1]())


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=_id)
def test_the_reference_leaves_its_inputs_alone(exercise: Exercise) -> None:
    for case in exercise.cases:
        given = case()
        exercise.reference(*given)
        assert compare.unchanged(given, case())


@pytest.mark.parametrize(("exercise", "known"), WRONG, ids=_id)
def test_a_known_wrong_answer_gets_its_own_message(
    exercise: Exercise, known: Misconception
) -> None:
    verdict = _verdict(exercise.id, known.name)
    assert verdict.state in ("wrong value", "wrong kind"), check.render(verdict)
    assert verdict.diagnosis == known.name, check.render(verdict)
    assert verdict.lines[0] == known.message


@every
def test_no_two_wrong_answers_share_a_message(exercise: Exercise) -> None:
    assert len({known.name for known in exercise.misconceptions}) == len(exercise.misconceptions)
    messages = [known.message for known in exercise.misconceptions]
    assert len(set(messages)) == len(messages) >= (1 if exercise.is_function else 0)
    assert all(message.endswith((".", "?")) for message in messages)


@every
def test_a_verdict_is_plain_and_narrow(exercise: Exercise) -> None:
    verdicts = [_verdict(exercise.id, known.name) for known in exercise.misconceptions]
    verdicts += [_verdict(exercise.id), *(check.evaluate(exercise.id, odd) for odd in (..., 1j))]
    for text in map(check.render, verdicts):
        assert max(map(len, text.splitlines())) <= 88
        assert "\x1b" not in text and "0x" not in text


def _cells(exercise: Exercise) -> Iterator[tuple[NotebookNode, NotebookNode]]:
    """The exercise's cell in the solution and in the students' notebook."""
    (source,) = REPOSITORY.glob(f"solutions/{exercise.lesson}_*.py")
    text = source.read_text(encoding="utf-8")
    made = pair(text, stem=source.stem, published=Address(), points={})
    for one, other in zip(made.solution.cells, made.student.cells, strict=True):
        if exercise_id(one) == exercise.id:
            yield one, other


def _answer(source: str, exercise: Exercise) -> object:
    """Run an exercise's cell, imports of its lesson first, and catch what it hands in."""
    (lesson,) = REPOSITORY.glob(f"solutions/{exercise.lesson}_*.py")
    lines = lesson.read_text(encoding="utf-8").splitlines()
    imports = "\n".join(line for line in lines if line.startswith(("import ", "from ")))
    scope: dict[str, Any] = {}
    exec(imports, scope)
    handed_in: list[object] = []

    class Kit:
        """Stands in for rsedu in the cell: it only takes the answer."""

        def check(self, id_: str, answer: object) -> None:
            if id_ == exercise.id:
                handed_in.append(answer)

        def checkpoint(self, id_: str, answer: object) -> object:
            return answer

        def __getattr__(self, name: str) -> Any:
            import rsedu

            return getattr(rsedu, name)

    scope["rsedu"] = Kit()
    exec(source, scope)
    (answer,) = handed_in
    return answer


@pytest.mark.parametrize("exercise", WRITTEN, ids=_id)
def test_the_solution_passes_and_the_stub_is_not_started(exercise: Exercise) -> None:
    ((solution, student),) = _cells(exercise)
    verdict = check.evaluate(exercise.id, _answer(solution.source, exercise))
    assert verdict.passed, check.render(verdict)
    assert check.evaluate(exercise.id, _answer(student.source, exercise)).state == "not started"


def test_every_written_lesson_has_exercises_and_every_exercise_its_lesson() -> None:
    for path in REPOSITORY.glob("solutions/[0-9][0-9]_*.py"):
        assert registry.exercises(path.stem[:2])
    assert all(each.lesson in {lesson.number for lesson in registry.lessons()} for each in ALL)
    for lesson in registry.lessons():
        assert all(each.lesson == lesson.number for each in registry.exercises(lesson.number))


def _toy(**changes: Any) -> Exercise:
    about: dict[str, Any] = {
        "id": "double",
        "lesson": "00",
        "title": "Twice",
        "points": 1,
        "minutes": 1,
        "difficulty": 1,
        "reference": lambda x: 2 * x,
        "cases": (lambda: (np.arange(3.0),), lambda: (np.arange(4.0),)),
    }
    return Exercise(**{**about, **changes})


@pytest.mark.parametrize(
    "changes",
    [{"id": "no name"}, {"difficulty": 4}, {"points": 0}, {"minutes": 0}, {"cases": ()}],
    ids=str,
)
def test_a_badly_declared_exercise_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        _toy(**changes)


def test_an_exercise_is_a_function_or_a_value() -> None:
    assert _toy().is_function
    assert not _toy(reference=3.0, cases=()).is_function


def test_an_invariant_is_named_before_the_values() -> None:
    exercise = _toy(invariants=(Invariant("the first is 0", lambda y, x: y[0] == 0),))
    verdict = check.verdict_of(exercise, lambda x: copy.copy(x) + 1.5)
    assert verdict.lines[0].startswith("This has to hold, and does not: the first is 0.")
