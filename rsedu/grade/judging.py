"""Marks: a verdict and points, from what came back of a student's process.

The verdict is that of the first input which is wrong, as in the notebook. The points come from all
inputs: each is worth the same; a right one counts whole, a wrong value of the right kind (type,
shape, sort of number) by a share, anything else not at all.
"""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from rsedu.course import check, compare
from rsedu.course.call import Call
from rsedu.course.exercise import Exercise, Verdict
from rsedu.errors import BrokenDataError
from rsedu.grade.sandbox.wire import decode

KIND_SHARE = 0.25
_MAX_LINES = 12
_MAX_NUMBERS = 10_000
_MAX_LETTERS = 400
Event = dict[str, Any]
# A check turns away standard output, warnings and random generators of the whole process.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What one exercise earned, and why.

    Attributes:
        id: of the exercise.
        title: as learners read it.
        points: what it is worth.
        earned: 0 to points, two decimals.
        state: one of a verdict's five.
        diagnosis: name of the recognised misconception; empty where none was.
        lines: what to read, as in the notebook.
        right: how many inputs were answered rightly.
        inputs: how many there are.
        alike: equal for answers that are wrong in the same way; empty where there is nothing wrong.
        code: of the cell; empty where there is none.
        remark: what was odd about the cell; empty where nothing was.
    """

    id: str
    title: str
    points: int
    earned: float
    state: str
    diagnosis: str
    lines: tuple[str, ...]
    right: int
    inputs: int
    alike: str
    code: str = ""
    remark: str = ""


def _lines(sent: Any) -> tuple[str, ...]:
    """Sentences that a student's process sent: not too many, not too long."""
    if not isinstance(sent, list):
        raise BrokenDataError("no lines")
    return tuple(str(line)[:_MAX_LETTERS] for line in sent[:_MAX_LINES])


def _verdict(exercise: Exercise, state: Any, *lines: str) -> Verdict:
    return Verdict(state=state, title=exercise.title, points=exercise.points, lines=lines)


def _case(exercise: Exercise, event: Event) -> tuple[int, Verdict, Any]:
    """Verdict on one input, with its number and the answer."""
    number = event["case"]
    if not isinstance(number, int) or not 0 <= number < len(exercise.cases):
        raise BrokenDataError("no such input")
    if "refused" in event:
        return number, _verdict(exercise, "wrong kind", *_lines([event["refused"]])), None
    done = Call(
        result=decode(event["result"]),
        not_started=event["not_started"] is True,
        error=_lines(event["error"]),
        printed=_lines(event["printed"]),
    )
    inputs = tuple(map(decode, event["inputs"]))
    return number, check.judge_case(exercise, number, done, inputs), done.result


def _tampered(exercise: Exercise) -> Verdict:
    text = "The answer came back in no known form: its code wrote into the grader's own channel."
    return _verdict(exercise, "error", f"{text} Read it.")


def _cases(exercise: Exercise, events: Sequence[Event]) -> tuple[dict[int, Verdict], list[Any]]:
    """Verdicts by input, and the answers; an input that came twice keeps the worse."""
    verdicts: dict[int, Verdict] = {}
    answers = []
    for event in events:
        try:
            number, verdict, answer = _case(exercise, event)
        except Exception:  # whatever a stranger's process wrote, the batch goes on
            number, verdict, answer = 0, _tampered(exercise), None
        if number not in verdicts or verdicts[number].passed:
            verdicts[number] = verdict
        answers.append(answer)
    return verdicts, answers


def _rounded(value: Any) -> str:
    """An answer as text in which equal mistakes are equal, whatever the last digits."""
    parts = []
    for path, leaf, _ in compare.leaves(value, value):
        if compare.is_number(leaf) or hasattr(leaf, "shape"):
            array = compare.to_array(leaf)
            numbers = islice(array.flat, _MAX_NUMBERS)
            parts.append(f"{path}{array.shape}{[f'{number:.3g}' for number in numbers]}")
        else:
            parts.append(f"{path}{compare.short(leaf)}")
    return "|".join(parts)


def _alike(exercise: Exercise, verdict: Verdict, answers: Sequence[Any]) -> str:
    """Say by one word which answers are wrong in the same way.

    Args:
        exercise: what was asked.
        verdict: what the check says of the answer.
        answers: values given, input by input.

    Returns:
        12 hexadecimal digits: of the recognised misconception, else of the error, else of the
        numbers given, to three digits. Empty where it passed or was not started.
    """
    if verdict.state in ("passed", "not started"):
        return ""
    what = verdict.diagnosis or ""
    if not what and verdict.state == "error":
        what = verdict.lines[0] if verdict.lines else ""
    if not what:
        try:
            what = "\n".join(map(_rounded, answers))
        except Exception:  # an answer of no use has nothing to be rounded
            what = "\n".join(verdict.lines)
    text = f"{exercise.id}\n{verdict.state}\n{what}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _mark(exercise: Exercise, verdict: Verdict, *, earned: float, right: int, answers: Any) -> Mark:
    return Mark(
        id=exercise.id,
        title=exercise.title,
        points=exercise.points,
        earned=round(float(np.clip(earned, 0, exercise.points)), 2),
        state=verdict.state,
        diagnosis=verdict.diagnosis or "",
        lines=verdict.lines,
        right=right,
        inputs=len(exercise.cases),
        alike=_alike(exercise, verdict, answers),
    )


def _unfinished(exercise: Exercise, stopped: str) -> Verdict:
    text = stopped or "The process that ran it ended before it had answered."
    return _verdict(exercise, "error", text)


def _mark_cases(exercise: Exercise, events: Sequence[Event], share: float, stopped: str) -> Mark:
    verdicts, answers = _cases(exercise, events)
    wrong = [verdicts[number] for number in sorted(verdicts) if not verdicts[number].passed]
    right = len(verdicts) - len(wrong)
    # A value that is not finite, or that breaks an invariant, is a wrong value too.
    near = sum(verdict.state == "wrong value" for verdict in wrong)
    earned = exercise.points * (right + share * near) / len(exercise.cases)
    if wrong:
        verdict = wrong[0]
    elif len(verdicts) < len(exercise.cases):
        verdict = _unfinished(exercise, stopped)
    else:
        verdict = _verdict(exercise, "passed", f"Right on {len(exercise.cases)} inputs.")
    return _mark(exercise, verdict, earned=earned, right=right, answers=answers)


def mark_missing(exercise: Exercise) -> Mark:
    """Mark an exercise that the notebook has no cell for."""
    verdict = _verdict(exercise, "not started", "There is no cell for it in the notebook.")
    return _mark(exercise, verdict, earned=0, right=0, answers=())


def mark_answer(
    exercise: Exercise,
    events: Sequence[Event],
    *,
    share: float,
    stopped: str = "",
    names: Sequence[str] = (),
) -> Mark:
    """Mark one exercise by what came back of a student's process.

    Args:
        exercise: what was asked.
        events: lines of the process, see `rsedu.grade.sandbox.worker`; written by a stranger.
        share: what a wrong value of the right kind counts, 0 to 1.
        stopped: why the process did not get to the end; empty where it did.
        names: what the answer's cell defines.

    Returns:
        The mark; whatever the events hold, this does not raise.
    """
    with _ONE_AT_A_TIME:
        cases = [event for event in events if event.get("event") == "case"]
        if cases:
            return _mark_cases(exercise, cases, share, stopped)
        for event in events:
            try:
                verdict = _whole(exercise, event, names)
            except Exception:  # as in `_cases`
                verdict = _tampered(exercise)
            if verdict is not None:
                earned = exercise.points if verdict.passed else 0
                return _mark(exercise, verdict, earned=earned, right=0, answers=())
        verdict = _unfinished(exercise, stopped)
        return _mark(exercise, verdict, earned=0, right=0, answers=())


def _whole(exercise: Exercise, event: Event, names: Sequence[str]) -> Verdict | None:
    """A verdict on an answer that was never called; None for events that say nothing of it."""
    kind = event.get("event")
    if kind == "value":
        return check.verdict_of(exercise, decode(event["value"]))
    if kind in ("failed", "broken"):
        return _verdict(exercise, "error", *_lines(event["lines"]))
    if kind == "missing":
        text = f"Nothing in the notebook is called {exercise.id}"
        if names:  # begun, under another name
            defined = ", ".join(names[:_MAX_LINES])[:_MAX_LETTERS]
            return _verdict(exercise, "error", f"{text}; this cell defines {defined}: rename it.")
        return _verdict(exercise, "not started", f"{text}.")
    return None
