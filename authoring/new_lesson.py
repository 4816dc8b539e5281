"""`python -m authoring new`: a lesson that builds and passes its tests, to be written over.

All is worked out before anything is written: a lesson is there as a whole, or not at all.
"""

import keyword
import re
from pathlib import Path

from authoring.build import find_root
from rsedu.course import registry
from rsedu.errors import InputError

TEMPLATE = Path(__file__).with_name("template")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_QUESTION = re.compile(r"[^\"\\|\n]+\?")
_MAX_QUESTION = 60  # its line in the lesson's folder has 100 letters at most


def new_lesson(number: str, name: str, *, question: str, minutes: int = 45) -> list[str]:
    """Write a lesson with one complete exercise; its folder is enough for the kit to find it.

    Args:
        number: two digits, the next one.
        name: small letters, digits and _, as in two_sensors.
        question: title of the lesson.
        minutes: how long it takes.

    Returns:
        Lines to print: what was written, then what to do next.

    Raises:
        InputError: number, name or question cannot be used, or a file is there already. Nothing
            is written then.
        MissingDataError: the working folder is in no checkout.
    """
    root = find_root()
    _check(number, name, question, minutes)
    words = {"number": number, "name": name, "question": question, "minutes": str(minutes)}
    words["seed"] = str(int(number) + 100)
    files = {
        f"solutions/{number}_{name}.py": "lesson",
        f"rsedu/lessons/{name}/__init__.py": "package",
        f"rsedu/lessons/{name}/exercises.py": "exercises",
        f"tests/lessons/{name}/oracles.py": "oracles",
        f"tests/lessons/{name}/test_exercises.py": "test",
    }
    for path in files:
        if (root / path).exists():
            raise InputError(f"{path} is there already: choose another name, or remove it first.")
    for path, template in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(_fill(template, words), encoding="utf-8")
    return [
        *(f"wrote {path}" for path in files),
        f"next: python -m authoring build {number}, then write over the example, and give the "
        "lesson its row in README.md.",
    ]


def _fill(template: str, words: dict[str, str]) -> str:
    text = (TEMPLATE / f"{template}.txt").read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"{{{{{word}}}}}", value)
    return text


def _check(number: str, name: str, question: str, minutes: int) -> None:
    lessons = registry.lessons()
    following = f"{int(lessons[-1].number) + 1:02d}"
    if number != following:
        raise InputError(f"{number!r} is not the next lesson: that is {following}.")
    if name in {lesson.name for lesson in lessons}:
        raise InputError(f"{name!r} is taken by another lesson: choose another name.")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InputError(
            f"{name!r} names no lesson: small letters, digits and _, as in two_sensors."
        )
    if not _QUESTION.fullmatch(question):
        raise InputError(
            f'{question!r} is no title: give --question "...?", without quotes or | in it, and '
            "with a question mark at its end."
        )
    if len(question) > _MAX_QUESTION:
        raise InputError(f"The question has {len(question)} letters: {_MAX_QUESTION} at most.")
    if minutes < 1:
        raise InputError(f"A lesson takes a minute or more; came {minutes}.")
