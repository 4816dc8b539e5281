"""What has been done so far: a small file in the working folder, and the cell that sums it up."""

import base64
import binascii
import json
import os
import zlib
from pathlib import Path
from typing import Any

from rsedu.course import registry
from rsedu.course.exercise import Exercise, State
from rsedu.errors import InputError
from rsedu.io.files import write_atomically
from rsedu.io.locks import locked

ENV = "RSEDU_PROGRESS"
STATES: tuple[State, ...] = ("not started", "error", "wrong kind", "wrong value", "passed")
_TOKEN = "rsedu-1-"

Record = dict[str, str]


def path() -> Path:
    """Where progress is kept: `.rsedu/` in the working folder, or where RSEDU_PROGRESS says."""
    return Path(os.environ.get(ENV) or ".rsedu") / "progress.json"


def _valid(content: Any) -> Record:
    """The states in a file's content; ValueError where it is something else."""
    if not isinstance(content, dict) or not isinstance(content.get("exercises"), dict):
        raise ValueError("not a progress file")
    found = {str(id_): state for id_, state in content["exercises"].items()}
    if not set(found.values()) <= set(STATES):
        raise ValueError("unknown state")
    return found


def _read() -> tuple[Record, str]:
    """The record, and a sentence where there was one that cannot be read."""
    try:
        return _valid(json.loads(path().read_text(encoding="utf-8"))), ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return {}, f"The progress file {path()} cannot be read ({type(error).__name__})"


def _write(record: Record) -> None:
    content = json.dumps({"version": 1, "exercises": dict(sorted(record.items()))}, indent=1)
    write_atomically(path(), lambda file: file.write_text(content + "\n", encoding="utf-8"))


def _merge(old: Record, new: Record) -> Record:
    """What has passed once stays passed; else the newer state counts."""
    kept = {id_ for id_, state in old.items() if state == "passed"}
    return old | {id_: state for id_, state in new.items() if id_ not in kept}


def _update(new: Record) -> str:
    """Merge into the file; a sentence where something was in the way."""
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        with locked(path().with_suffix(".lock")):
            old, problem = _read()
            if problem:
                aside = path().with_suffix(".unreadable.json")
                os.replace(path(), aside)
                problem = f"{problem}: it was set aside as {aside.name}, and a new one is begun."
            _write(_merge(old, new))
    except OSError as error:
        return (
            f"Progress cannot be saved in this folder ({error.strerror}); checks work all the same."
        )
    return problem


def note(id_: str, state: State) -> str:
    """Note the state of an exercise.

    Args:
        id_: of the exercise; an unknown one is not noted.
        state: what the check found.

    Returns:
        A sentence for the learner where progress cannot be saved or was unreadable, else nothing.
    """
    try:
        registry.exercise(id_)
    except InputError:
        return ""
    return _update({id_: state})


def _line(exercise: Exercise, state: str) -> str:
    unit = "point" if exercise.points == 1 else "points"
    return f"  {state:<13}{exercise.title} ({exercise.points} {unit})"


def _onwards(number: str) -> str:
    every = (*registry.lessons(), *registry.starters())
    later = [each for each in every if each.number > number and each.minutes]
    if not later:
        return "you are at the end of the kit"
    way = "choose a starter, such as" if later[0].is_starter else "go on with"
    return f"{way} {later[0].stem}"


def _next(todo: list[tuple[Exercise, str]], number: str) -> str:
    if not todo:
        return f"All done: {_onwards(number)}."
    # What was begun is nearest to being finished.
    first = next((pair for pair in todo if pair[1] != "not started"), todo[0])
    return f"Look at next: {first[0].title} ({first[1]}); run its cell again."


def summary(number: str) -> str:
    """Sum up one lesson.

    Args:
        number: of the lesson, such as "01".

    Returns:
        Lines of text: passed and points, each exercise with its state, what to look at next.

    Raises:
        InputError: there is no such lesson.
    """
    lesson = registry.lesson(number)
    found = registry.exercises(lesson.number)
    record, problem = _read()
    states = [(each, record.get(each.id, "not started")) for each in found]
    passed = [each for each, state in states if state == "passed"]
    points, total = (sum(each.points for each in some) for some in (passed, found))
    head = f"Lesson {lesson.number}: {len(passed)} of {len(found)} exercises passed"
    lines = [f"{head}, {points} of {total} points."]
    lines += [_line(each, state) for each, state in states]
    lines.append(_next([pair for pair in states if pair[1] != "passed"], lesson.number))
    return "\n".join([f"{problem}; run a check again to begin a new one.", *lines][not problem :])


def progress(number: str) -> None:
    """Print what has passed in a lesson, the points, and what to look at next.

    Args:
        number: of the lesson, such as "01".
    """
    print(summary(number))


def export() -> str:
    """Pack all progress into one line of text, to be kept where a session's files are lost.

    Returns:
        A token to hand to `load`; it holds ids and states, and nothing about you.
    """
    packed = zlib.compress(json.dumps(_read()[0], sort_keys=True).encode(), 9)
    return _TOKEN + base64.urlsafe_b64encode(packed).decode()


def load(token: str) -> None:
    """Bring progress back from a token; what has passed here or there counts as passed.

    Args:
        token: what `export` returned.

    Raises:
        InputError: the token is not whole, or no token.
    """
    try:
        packed = base64.b64decode(token.strip().removeprefix(_TOKEN), b"-_", validate=True)
        record = _valid({"exercises": json.loads(zlib.decompress(packed))})
    except (ValueError, binascii.Error, zlib.error) as error:
        raise InputError(
            f"This is no progress token ({len(token)} letters): wanted the whole line that "
            f"export() printed, beginning with {_TOKEN}; copy it again."
        ) from error
    problem = _update(record)
    if problem:
        print(problem)
