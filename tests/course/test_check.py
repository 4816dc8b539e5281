"""Verdicts: the states, their order, their texts, and what must not get out."""

import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import rsedu
from rsedu.course import check, progress, registry
from rsedu.course.call import Call
from rsedu.course.exercise import Exercise, Misconception, Verdict
from rsedu.errors import InputError
from rsedu.lessons.start_here.exercises import to_db

FIXED = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])


def _add_rows(x: np.ndarray) -> np.ndarray:
    return 2.0 * x + np.arange(x.shape[0])[:, None]


TOY = Exercise(
    id="toy",
    lesson="00",
    title="A toy",
    points=2,
    minutes=1,
    difficulty=1,
    reference=_add_rows,
    cases=(lambda: (FIXED.copy(),), lambda: (np.arange(20.0).reshape(4, 5) ** 2,)),
    misconceptions=(
        Misconception("columns", lambda x: 2.0 * x + np.arange(x.shape[1]), "You add columns."),
        Misconception("turned", lambda x: _add_rows(x).T, "You turn it."),
    ),
    limit_s=0.3,
)
NUMBER = Exercise(
    id="a_number",
    lesson="00",
    title="A number",
    points=1,
    minutes=1,
    difficulty=1,
    reference=4.4,
    tolerance=0.02,
    misconceptions=(Misconception("half", 2.2, "This is half of it."),),
)
CHOICE = Exercise(
    id="a_choice",
    lesson="00",
    title="A choice",
    points=1,
    minutes=1,
    difficulty=1,
    reference="C",
    choices=("A", "B", "C"),
    misconceptions=(Misconception("b", "B", "B would need clouds."),),
)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry._of_module
    monkeypatch.setattr(
        registry,
        "_of_module",
        lambda name: (*known(name), *((TOY, NUMBER, CHOICE) if name == "start_here" else ())),
    )


def _text(answer: object, id_: str = "toy") -> str:
    return check.render(check.evaluate(id_, answer))


def _stub(x: np.ndarray) -> np.ndarray:
    raise NotImplementedError


@pytest.mark.parametrize("answer", [_stub, None, ...], ids=["stub", "none", "dots"])
def test_not_started(answer: object) -> None:
    assert _text(answer).startswith("not started: A toy (2 points)\n  ")


def test_passed_says_how_much_was_tried() -> None:
    assert _text(lambda x: _add_rows(x)) == (
        "passed: A toy (2 points)\n  Right on 2 inputs, one of which this notebook does not show."
    )


def test_a_misconception_is_named_with_its_numbers() -> None:
    verdict = check.evaluate("toy", lambda x: 2.0 * x + np.arange(x.shape[1]))
    assert (verdict.state, verdict.diagnosis) == ("wrong value", "columns")
    assert verdict.lines == (
        "You add columns.",
        "In _add_rows(a numpy array of shape (2, 3)): at [0, 1] expected 4, got 5.",
    )


def test_a_misconception_is_named_where_the_shape_gives_it_away() -> None:
    verdict = check.evaluate("toy", lambda x: _add_rows(x).T)
    assert (verdict.state, verdict.diagnosis) == ("wrong kind", "turned")


def test_an_unknown_mistake_is_described_by_its_pattern() -> None:
    assert "Every value is 3 times what was expected." in _text(lambda x: 3 * _add_rows(x))
    assert "Every sign is flipped." in _text(lambda x: -_add_rows(x))
    assert "Every value is 0.5 too small." in _text(lambda x: _add_rows(x) - 0.5)
    assert "The order is reversed along axis 0." in _text(lambda x: _add_rows(x)[::-1])


def test_what_was_hard_coded_fails_on_the_unseen_input() -> None:
    def hard_coded(x: np.ndarray) -> np.ndarray:
        return 2.0 * x + np.minimum(np.arange(x.shape[0]), 1)[:, None]

    text = _text(hard_coded)
    assert "In _add_rows(a numpy array of shape (4, 5)): at [2, 0] expected 202, got 201." in text
    assert "The inputs before this one were right" in text


def test_shape_goes_before_values_and_finite_before_differences() -> None:
    assert "has shape (1, 3); wanted (2, 3)" in _text(lambda x: 9 * x[:1])

    def holes(x: np.ndarray) -> np.ndarray:
        y = -_add_rows(x)
        y[1, 2] = np.nan
        return y

    assert "1 of 6 values are NaN; the first is at [1, 2]." in _text(holes)


def test_an_error_shows_the_learners_own_line_only() -> None:
    def fails(x: np.ndarray) -> np.ndarray:
        return np.reshape(x, (17, 2))

    verdict = check.evaluate("toy", fails)
    assert verdict.state == "error"
    assert verdict.lines[0].startswith("ValueError: cannot reshape")
    assert len(verdict.lines) == 3
    assert verdict.lines[1].startswith("in fails, line ")
    assert verdict.lines[2] == "    return np.reshape(x, (17, 2))"


def _modifies(x: np.ndarray) -> np.ndarray:
    right = _add_rows(x)
    x *= 1.5
    return right


def test_a_modified_input_is_told_although_the_values_are_right() -> None:
    assert "Your function modifies its input" in _text(_modifies)


def test_the_inputs_handed_over_are_copies() -> None:
    before = FIXED.copy()
    _text(_modifies)
    assert (before == FIXED).all()


def test_the_number_of_arguments_is_told() -> None:
    assert "Your function takes (x, floor); wanted (x), in this order." in _text(lambda x, floor: x)


def _raise(error: BaseException) -> Any:
    def function(x: np.ndarray) -> np.ndarray:
        raise error

    return function


def _deep(x: np.ndarray) -> np.ndarray:
    return _deep(x)


def _endless(x: np.ndarray) -> np.ndarray:
    while True:
        try:
            x = x + 0
        except Exception:
            pass


class Hostile:
    """Breaks whoever looks at it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("hands off")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (_raise(SystemExit(3)), "error", "ends the program"),
        (_raise(MemoryError()), "error", "MemoryError"),
        (_raise(GeneratorExit()), "error", "GeneratorExit"),
        (_deep, "error", "RecursionError"),
        (_endless, "error", "stopped after 0.3 seconds"),
        (lambda x: None, "wrong kind", "is nothing (None)"),
        (lambda x: x.tolist(), "wrong kind", "is a list; wanted a numpy array"),
        (lambda x: Hostile(), "wrong kind", ""),
        (Hostile(), "wrong kind", ""),
        (FIXED, "wrong kind", "without parentheses"),
        (3, "wrong kind", "without parentheses"),
        (lambda x: x > 2, "wrong kind", "holds true or false (bool); wanted decimals"),
        (lambda x: x.astype(complex), "wrong kind", "complex128"),
    ],
    # Names without an address, the same in every process that collects them.
    ids=lambda value: value if type(value) is str else type(value).__name__,
)
def test_whatever_is_handed_in_gets_a_verdict(answer: object, state: str, words: str) -> None:
    verdict = check.evaluate("toy", answer)
    assert verdict.state == state, check.render(verdict)
    assert words in " ".join(verdict.lines)


def test_no_alarm_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    _text(_endless)
    _text(_add_rows)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def test_a_keyboard_interrupt_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        check.evaluate("toy", _raise(KeyboardInterrupt()))


def test_warnings_and_random_numbers_stay_inside() -> None:
    def noisy(x: np.ndarray) -> np.ndarray:
        np.random.rand(3)
        np.log(np.array([0.0]))  # a warning, and warnings are errors in this test run
        return _add_rows(x)

    state = np.random.get_state()[1].copy()
    assert check.evaluate("toy", noisy).passed
    assert (np.random.get_state()[1] == state).all()


def test_what_the_function_prints_is_shown_once_and_shortened(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def talks(x: np.ndarray) -> np.ndarray:
        for number in range(8):
            print("value", number, file=sys.stdout)
        return _add_rows(x)

    text = _text(talks)
    assert text.splitlines()[2] == "  Your function printed:"
    assert text.splitlines()[3] == "      value 0"
    assert text.splitlines()[-1] == "      ... and 3 lines more"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("answer", [4.4, np.float32(4.42), np.array(4.36), 4.4 + 1e-3])
def test_a_number_may_come_as_any_kind_of_number(answer: object) -> None:
    assert check.evaluate("a_number", answer).passed


def test_a_wrong_number_is_diagnosed_and_the_right_one_not_given_away() -> None:
    assert check.evaluate("a_number", 2.2).diagnosis == "half"
    assert _text(7, "a_number") == "wrong value: A number (1 point)\n  7 is not it: look again."
    assert check.evaluate("a_number", "4.4").state == "wrong kind"
    assert check.evaluate("a_number", float("nan")).state == "wrong value"
    assert "call it" in _text(lambda: 4.4, "a_number")


def test_a_choice_names_what_there_is_to_choose() -> None:
    assert check.evaluate("a_choice", "C").passed
    assert check.evaluate("a_choice", "B").diagnosis == "b"
    assert _text("D", "a_choice").endswith("You gave 'D'; choose one of 'A', 'B', 'C'.")
    assert _text("A", "a_choice").endswith("'A' is not it: look again.")
    assert check.evaluate("a_choice", FIXED).state == "wrong kind"


def test_an_unknown_exercise_is_a_verdict_with_the_nearest_name() -> None:
    assert "did you mean 'to_db'?" in _text(to_db, "to_dB")


def test_check_prints_records_and_returns_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert rsedu.check("to_db", to_db) is None  # type: ignore[func-returns-value]
    assert capsys.readouterr().out.startswith("passed: Power in decibels (1 point)\n")
    assert "\n  passed       Power in decibels (1 point)\n" in progress.summary("00")


def test_checkpoint_hands_back_what_passes_and_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mine = lambda power: to_db(power)  # noqa: E731
    assert rsedu.checkpoint("to_db", mine) is mine
    assert capsys.readouterr().out == ""


def test_checkpoint_hands_over_the_reference_in_one_line_uncounted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert rsedu.checkpoint("to_db", _stub) is to_db
    assert capsys.readouterr().out.count("\n") == 1
    assert not progress.path().exists()
    assert rsedu.checkpoint("a_number", ...) == 4.4


def test_checkpoint_of_an_unknown_exercise_stops() -> None:
    with pytest.raises(InputError, match="to_db"):
        rsedu.checkpoint("to_dbb", to_db)


def test_a_verdict_wraps_prose_and_leaves_code_alone() -> None:
    code = "    " + "x" * 100
    text = check.render(
        Verdict(state="error", title="T", points=1, lines=("word " * 40, code))
    ).splitlines()
    assert text[0] == "error: T (1 point)"
    assert max(map(len, text[1:-1])) <= 88
    assert text[-1] == f"  {code}"


def test_an_answer_in_numpy_loads_no_torch_and_leaves_python_random_alone() -> None:
    # In a process of its own: the type checker of the tests draws random numbers as well.
    program = (
        "import random, sys, rsedu, numpy as np\n"
        "before = random.getstate()\n"
        "rsedu.check('to_db', lambda p: 10 * np.log10(p) + 0 * random.random())\n"
        "assert random.getstate() == before\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_call_made_elsewhere_is_judged_as_one_made_here() -> None:
    for number, case in enumerate(TOY.cases):
        (x,) = case()
        assert check.judge_case(TOY, number, Call(result=_add_rows(x)), (x,)).passed
        found = check.judge_case(TOY, number, Call(result=_add_rows(x).T), (x,))
        assert (found.diagnosis, found.title, found.points) == ("turned", "A toy", 2)
        spoilt = check.judge_case(TOY, number, Call(result=_add_rows(x)), (x + 1,))
        assert "modifies its input" in spoilt.lines[0]
    assert check.judge_case(TOY, 0, Call(not_started=True), ()).state == "not started"
    assert check.judge_case(TOY, 0, Call(error=("Bang",)), ()).lines == ("Bang",)
