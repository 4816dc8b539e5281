"""Check an answer: five states, each with a text that says what to do next.

`evaluate` is pure and never raises; `check` prints what it found and notes progress; `checkpoint`
makes sure that the lesson goes on.
"""

import copy
import inspect
import random
import sys
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rsedu.course import compare, progress, registry
from rsedu.course.call import Call, call
from rsedu.course.exercise import Exercise, State, Verdict
from rsedu.errors import InputError

WIDTH = 88


@dataclass(frozen=True)
class _Fault:
    """Why an answer does not pass, before anybody has looked for a known misconception."""

    state: State
    line: str
    numbers: str = ""


def evaluate(id_: str, answer: object) -> Verdict:
    """Judge an answer without printing or recording anything.

    Args:
        id_: of the exercise.
        answer: a function, or a value, as the exercise asks for.

    Returns:
        The verdict. Whatever the answer does (raise, exit, hang, print, change its inputs), this
        does not raise; only a KeyboardInterrupt passes through.
    """
    try:
        exercise = registry.exercise(id_)
    except InputError as error:
        return Verdict(state="error", title=str(id_), points=0, lines=(str(error),))
    return verdict_of(exercise, answer)


def verdict_of(exercise: Exercise, answer: object) -> Verdict:
    """Judge an answer to an exercise that may stand in no lesson; as `evaluate` otherwise."""
    with _quietly():
        try:
            judged = _function if exercise.is_function else _value
            found = judged(exercise, answer)
        except Exception as error:  # an answer may be an object that breaks whatever touches it
            name = type(error).__name__
            text = f"Your answer could not be looked at: {name}. Hand in a plain function or value."
            found = Verdict(state="wrong kind", title="", points=0, lines=(text,))
    return replace(found, title=exercise.title, points=exercise.points)


@contextmanager
def _quietly() -> Iterator[None]:
    """No warnings, and the learner's random generators as they were before."""
    python, legacy = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    tensors = torch.random.get_rng_state() if torch else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        if torch:
            torch.random.set_rng_state(tensors)


def _verdict(state: State, *lines: str, diagnosis: str | None = None) -> Verdict:
    kept = tuple(line for line in lines if line)
    return Verdict(state=state, title="", points=0, lines=kept, diagnosis=diagnosis)


def _value(exercise: Exercise, answer: object) -> Verdict:
    """Judge an answer that is a value."""
    if answer is None or answer is ...:
        return _verdict("not started", "Put your answer in place of the three dots.")
    if callable(answer) and not compare.is_tensor(answer):
        return _verdict("wrong kind", "This is a function; wanted its result: call it.")
    if exercise.choices and answer not in exercise.choices:
        named = ", ".join(map(repr, exercise.choices))
        return _verdict("wrong kind", f"You gave {compare.short(answer)}; choose one of {named}.")
    fault = _fault(exercise, answer, exercise.reference, ())
    if fault is None:
        return _verdict("passed")
    for known in exercise.misconceptions:
        if compare.equal(answer, known.wrong, exercise.tolerance):
            return _verdict(fault.state, known.message, diagnosis=known.name)
    # The expected value would be the answer itself: name only what came.
    if fault.state == "wrong value":
        return _verdict("wrong value", f"{compare.short(answer)} is not it: look again.")
    return _verdict(fault.state, fault.line)


def _function(exercise: Exercise, answer: object) -> Verdict:
    """Judge an answer that is a function, case by case."""
    if answer is None or answer is ...:
        return _verdict("not started", "Write the function, then run this cell again.")
    if not callable(answer):
        text = f"You handed in {compare.kind(answer)}; wanted the function itself:"
        return _verdict("wrong kind", f"{text} its name, without parentheses.")
    said: tuple[str, ...] = ()
    for number, case in enumerate(exercise.cases):
        given = case()
        problem = signature_fault(exercise, answer, given)
        if problem:
            return _verdict("wrong kind", problem)
        inputs = copy.deepcopy(given)
        done = call(answer, inputs, limit_s=exercise.limit_s)
        said = said or done.printed
        verdict = _judge_call(exercise, done, given, inputs, number=number)
        if verdict is not None:
            return replace(verdict, lines=(*verdict.lines, *said))
    text = f"Right on {len(exercise.cases)} inputs, one of which this notebook does not show."
    return _verdict("passed", text, *said)


def judge_case(exercise: Exercise, number: int, done: Call, inputs: tuple[Any, ...]) -> Verdict:
    """Judge one call of an answer that was made elsewhere, such as in a process of its own.

    Args:
        exercise: what was asked; a function.
        number: which of its cases was called, 0 for the first.
        done: what came of the call.
        inputs: the arguments as the call left them.

    Returns:
        What `verdict_of` says if this is the first case that is wrong; "passed" without lines
        where it is right.
    """
    given = exercise.cases[number]()
    with _quietly():
        found = _judge_call(exercise, done, given, inputs, number=number) or _verdict("passed")
    return replace(found, title=exercise.title, points=exercise.points)


def signature_fault(exercise: Exercise, answer: Any, given: tuple[Any, ...]) -> str:
    """Say where the function cannot be called as the exercise calls it; empty where it can."""
    try:
        inspect.signature(answer).bind(*given)
    except TypeError:
        wanted = ", ".join(inspect.signature(exercise.reference).parameters)
        came = ", ".join(inspect.signature(answer).parameters)
        return f"Your function takes ({came}); wanted ({wanted}), in this order."
    except ValueError:
        pass  # a builtin without a signature: calling it will tell
    return ""


def _judge_call(
    exercise: Exercise, done: Call, given: tuple[Any, ...], inputs: tuple[Any, ...], *, number: int
) -> Verdict | None:
    """Judge one call; None where nothing is wrong with it."""
    if done.not_started:
        text = "Replace `raise NotImplementedError` with your answer, then run this cell again."
        return _verdict("not started", text)
    if done.error:
        return _verdict("error", *done.error)
    name = exercise.reference.__name__
    shown = f"{name}({', '.join(map(compare.short, given))})"
    if not compare.unchanged(inputs, given):
        text = "Your function modifies its input: whoever called it keeps a spoilt array."
        do = "Work on a copy, or write the result into something new (x = x * 2, not x *= 2)."
        return _verdict("wrong value", f"{text} {do}", f"Seen in {shown}.")
    expected = exercise.reference(*copy.deepcopy(given))
    fault = _fault(exercise, done.result, expected, given)
    if fault is None:
        return None
    numbers = f"In {shown}: {fault.numbers}." if fault.numbers else f"Seen in {shown}."
    for known in exercise.misconceptions:
        if _gives(known.wrong, given, done.result, exercise):
            return _verdict(fault.state, known.message, numbers, diagnosis=known.name)
    later = "The inputs before this one were right: what is different here?" if number else ""
    return _verdict(fault.state, fault.line, numbers, later)


def _gives(wrong: Any, given: tuple[Any, ...], result: Any, exercise: Exercise) -> bool:
    """Whether a known wrong function gives the learner's result."""
    done = call(wrong, copy.deepcopy(given), limit_s=exercise.limit_s)
    return not done.error and compare.equal(result, done.result, exercise.tolerance)


def _fault(exercise: Exercise, got: Any, expected: Any, given: tuple[Any, ...]) -> _Fault | None:
    """Kind, finite, invariants, values: the first that is wrong."""
    kind = compare.wrong_kind(got, expected, exact_dtype=exercise.exact_dtype)
    if kind:
        return _Fault("wrong kind", kind)
    holes = compare.not_finite(got, expected)
    if holes:
        return _Fault("wrong value", holes)
    numbers, pattern = compare.difference(got, expected, exercise.tolerance)
    for invariant in exercise.invariants:
        if not _holds(invariant.holds, got, given):
            broken = f"This has to hold, and does not: {invariant.says}. {pattern}".strip()
            return _Fault("wrong value", broken, numbers)
    if not numbers:
        return None
    return _Fault("wrong value", pattern or "The first value that differs is named below.", numbers)


def _holds(condition: Any, got: Any, given: tuple[Any, ...]) -> bool:
    try:
        return bool(condition(got, *copy.deepcopy(given)))
    except Exception:  # a condition written for right answers may stumble over a wrong one
        return False


def render(verdict: Verdict) -> str:
    """Write a verdict as plain text of at most 88 columns: the state in words comes first."""
    unit = "point" if verdict.points == 1 else "points"
    earned = f"{verdict.points} {unit}" if verdict.points else "no points"
    head = f"{verdict.state}: {verdict.title} ({earned})"
    body = [
        # Lines of the learner's own code keep their layout.
        line if line.startswith("    ") else textwrap.fill(line, WIDTH - 2)
        for line in verdict.lines
    ]
    return "\n".join([head, textwrap.indent("\n".join(body), "  ")]) if body else head


def check(id_: str, answer: object) -> None:
    """Check an answer, print what was found and note it in the progress file.

    Args:
        id_: of the exercise, such as "to_db".
        answer: your function or value.
    """
    verdict = evaluate(id_, answer)
    print(render(verdict))
    problem = progress.note(id_, verdict.state)
    if problem:
        print(problem)


def checkpoint(id_: str, answer: Any) -> Any:
    """Make sure that the lesson can go on.

    Args:
        id_: of the exercise.
        answer: your function or value.

    Returns:
        Your answer if it passes; else the reference, after one line that says so. The reference
        earns no points.

    Raises:
        InputError: there is no such exercise, so there is nothing to go on with.
    """
    exercise = registry.exercise(id_)
    if verdict_of(exercise, answer).passed:
        return answer
    print(f"Going on with the kit's own {id_}, which earns no points; yours can still be mended.")
    return copy.deepcopy(exercise.reference)
