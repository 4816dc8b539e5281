"""Verdicts and points from what came back; the table of wrong answers of lesson 01."""

import copy
import csv
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsedu.course import check, registry
from rsedu.course.exercise import Exercise
from rsedu.grade import judging
from rsedu.grade.judging import Event, Mark
from rsedu.grade.sandbox.wire import encode

NDVI = registry.exercise("ndvi")
TABLE = Path(__file__).with_name("wrong_answers.csv")


def _event(exercise: Exercise, answer: Any, number: int) -> Event:
    """What the child tells of one call, made here without it."""
    used = copy.deepcopy(exercise.cases[number]())
    told = {"event": "case", "case": number, "not_started": False, "error": [], "printed": []}
    with np.errstate(all="ignore"):
        result = encode(answer(*used))
    return {**told, "result": result, "inputs": [encode(each) for each in used]}


def _events(exercise: Exercise, answer: Any) -> list[Event]:
    return [_event(exercise, answer, number) for number in range(len(exercise.cases))]


def _mark(answer: Any, exercise: Exercise = NDVI, share: float = 0.25) -> Mark:
    return judging.mark_answer(exercise, _events(exercise, answer), share=share)


@pytest.fixture(scope="module")
def marks() -> dict[tuple[str, str], Mark]:
    """A mark of each wrong answer that the kit knows, by exercise and name."""
    return {
        (exercise.id, known.name): _mark(known.wrong, exercise)
        for exercise in registry.exercises()
        for known in exercise.misconceptions
    }


@pytest.mark.parametrize("exercise", registry.exercises(), ids=lambda each: each.id)
def test_marks_are_the_verdicts_of_the_notebook(
    exercise: Exercise, marks: dict[tuple[str, str], Mark]
) -> None:
    mark = _mark(exercise.reference, exercise)
    assert (mark.state, mark.earned, mark.alike) == ("passed", exercise.points, "")
    assert (mark.right, mark.inputs) == (len(exercise.cases), len(exercise.cases))
    for known in exercise.misconceptions:
        in_notebook = check.verdict_of(exercise, known.wrong)
        mark = marks[exercise.id, known.name]
        assert (mark.state, mark.diagnosis) == (in_notebook.state, in_notebook.diagnosis)
        assert mark.lines == in_notebook.lines
        assert 0 <= mark.earned < exercise.points


def test_the_wrong_answers_of_lesson_01_are_graded_as_in_their_table(
    marks: dict[tuple[str, str], Mark],
) -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        _, *wanted = list(csv.reader(file))
    lesson = {exercise.id for exercise in registry.exercises("01")}
    assert wanted == [
        [id_, name, mark.state, mark.diagnosis, f"{mark.right}", f"{mark.earned:.2f}"]
        for (id_, name), mark in marks.items()
        if id_ in lesson
    ]


def test_points_are_counted_by_input() -> None:
    first = NDVI.cases[0]()[0]

    def half(red: np.ndarray, nir: np.ndarray) -> Any:
        right = NDVI.reference(red, nir)
        return right if red.shape == first.shape else wrong(right)

    def wrong(right: np.ndarray) -> Any:
        return right + 1

    # Two inputs, two points: one right, and a quarter for the other's kind.
    assert (_mark(half).earned, _mark(half).right) == (1.25, 1)
    assert _mark(half, share=0.0).earned == 1.0
    assert _mark(half, share=1.0).earned == 2.0
    assert _mark(lambda red, nir: red + 1).earned == 0.5
    assert _mark(lambda red, nir: (red + 1)[:1]).earned == 0.0


def test_an_answer_that_spoils_its_input_is_found_out_here() -> None:
    def spoils(red: np.ndarray, nir: np.ndarray) -> Any:
        right = NDVI.reference(red, nir)
        red *= 2
        return right

    mark = _mark(spoils)
    assert mark.state == "wrong value" and "modifies its input" in mark.lines[0]


def test_alike_are_answers_wrong_in_the_same_way() -> None:
    one = _mark(lambda red, nir: red * 3 + 2)
    same = _mark(lambda red, nir: 2 + red + red + red + 1e-7)
    other = _mark(lambda red, nir: red * 3 + 2.5)
    assert one.alike == same.alike != other.alike
    swapped = _mark(lambda red, nir: (red - nir) / (red + nir))
    assert swapped.diagnosis == "bands swapped" and len(swapped.alike) == 12


def _told(**more: Any) -> Event:
    return {"event": "case", "case": 0, "not_started": False, "error": [], "printed": [], **more}


@pytest.mark.parametrize(
    ("events", "state", "says"),
    [
        ([], "error", "ended before it had answered"),
        ([{"event": "begun"}, {"event": "done"}], "error", "ended before"),
        ([{"event": "missing"}], "not started", "Nothing in the notebook is called ndvi"),
        ([{"event": "failed", "lines": ["NameError: x"]}], "error", "NameError: x"),
        ([{"event": "broken", "lines": ["SyntaxError: no"]}], "error", "SyntaxError: no"),
        ([{"event": "failed", "lines": "x"}], "error", "in no known form"),
        ([{"event": "value", "value": encode(3.0)}], "wrong kind", "wanted the function itself"),
        ([{"event": "value", "value": encode(print)}], "wrong kind", ""),
        ([{"event": "value"}], "error", "in no known form"),
        ([_told(refused="Your function takes (a).")], "wrong kind", "takes (a)"),
        ([_told()], "error", "in no known form"),
        ([_told(case=9)], "error", "in no known form"),
        ([_told(case="0")], "error", "in no known form"),
        ([_told(result=encode(1), inputs=3)], "error", "in no known form"),
    ],
)
def test_whatever_a_process_tells_is_a_verdict(events: Any, state: str, says: str) -> None:
    mark = judging.mark_answer(NDVI, events, share=0.25)
    assert mark.state == state and mark.earned == 0
    assert says in " ".join(mark.lines)


RIGHT = [_event(NDVI, NDVI.reference, number) for number in range(2)]
WRONG = _event(NDVI, lambda red, nir: red + 1, 0)


@pytest.mark.parametrize("events", [[WRONG, *RIGHT], [*RIGHT, WRONG]], ids=["first", "last"])
def test_of_an_input_that_came_twice_the_worse_counts(events: list[Event]) -> None:
    mark = judging.mark_answer(NDVI, events, share=0.25)
    assert (mark.state, mark.right) == ("wrong value", 1)


def test_what_was_stopped_keeps_what_it_had_answered() -> None:
    mark = judging.mark_answer(NDVI, RIGHT[:1], share=0.25, stopped="It was stopped.")
    assert (mark.state, mark.lines, mark.earned) == ("error", ("It was stopped.",), 1.0)


def test_long_stories_are_cut() -> None:
    mark = judging.mark_answer(NDVI, [{"event": "failed", "lines": ["x" * 9999] * 99}], share=0.25)
    assert len(mark.lines) == 12 and len(mark.lines[0]) == 400


def test_an_answer_under_another_name_is_an_error_and_no_answer_is_not_started() -> None:
    gone = [{"event": "missing"}]
    mark = judging.mark_answer(NDVI, gone, share=0.0, names=("my_ndvi", "x"))
    text = "Nothing in the notebook is called ndvi; this cell defines my_ndvi, x: rename it."
    assert (mark.state, mark.lines) == ("error", (text,))
    for mark in (judging.mark_answer(NDVI, gone, share=0.0), judging.mark_missing(NDVI)):
        assert (mark.state, mark.earned, mark.alike) == ("not started", 0, "")


def test_only_one_thread_judges_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    happened = []

    def slow(*arguments: Any) -> None:
        happened.append("in")
        time.sleep(0.2)  # long enough for the other to come in, if it may
        happened.append("out")
        raise ValueError

    monkeypatch.setattr(judging, "_case", slow)
    with ThreadPoolExecutor(2) as pool:
        made = [
            pool.submit(judging.mark_answer, NDVI, [{"event": "case"}], share=0.0) for _ in "12"
        ]
    assert [each.result().state for each in made] == ["error", "error"]
    assert happened == ["in", "out", "in", "out"]
