"""Which lessons and exercises there are; a lesson's module is imported when asked for."""

import difflib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from rsedu.course.exercise import Exercise
from rsedu.errors import InputError


@dataclass(frozen=True)
class Lesson:
    """One lesson of the course, or a starter: where a group goes on after a lesson.

    Attributes:
        number: two digits; a starter has its lesson's number and a letter.
        name: of the notebook after its number, and of the module of its exercises; a starter has
            none.
        question: its title.
        minutes: how long it takes; 0 where it is planned only.
    """

    number: str
    name: str
    question: str
    minutes: int = 0

    @property
    def stem(self) -> str:
        """Name of its source and its notebooks, without the ending."""
        return f"{self.number}_{self.name}"

    @property
    def is_starter(self) -> bool:
        """Whether it goes on from a lesson, and counts no exercises."""
        return not self.number.isdigit()


@cache
def _packages() -> tuple[ModuleType, ...]:
    """The lessons' folders, imported without their exercises, in the order of their numbers."""
    home = import_module("rsedu.lessons")
    found = [
        import_module(f"{home.__name__}.{entry.name}")
        for entry in iter_modules(home.__path__)
        if entry.ispkg
    ]
    return tuple(sorted(found, key=lambda package: package.LESSON.number))


def lessons() -> tuple[Lesson, ...]:
    """List the lessons by number: each is a folder of `rsedu.lessons`."""
    return tuple(package.LESSON for package in _packages())


def starters() -> tuple[Lesson, ...]:
    """List the starters, where groups go on after a lesson."""
    return tuple(each for package in _packages() for each in getattr(package, "STARTERS", ()))


def number_of(stem: str) -> str:
    """Number of the lesson that a source or a notebook is named after, such as "01" or "08b"."""
    return stem.partition("_")[0]


@cache
def _of_module(name: str) -> tuple[Exercise, ...]:
    """Exercises of one lesson."""
    return tuple(import_module(f"rsedu.lessons.{name}.exercises").EXERCISES)


def lesson(number: str | int) -> Lesson:
    """Find a lesson or a starter.

    Args:
        number: such as "01", 1 or "08b".

    Raises:
        InputError: there is no such lesson.
    """
    wanted = str(number).zfill(2)
    for each in (*lessons(), *starters()):
        if each.number == wanted:
            return each
    numbers = f"{lessons()[0].number} to {lessons()[-1].number}"
    raise InputError(f"There is no lesson {number!r}: wanted {numbers}, such as {numbers[:2]!r}.")


def exercises(number: str | None = None) -> tuple[Exercise, ...]:
    """List exercises in the order of the course.

    Args:
        number: of one lesson, or None for all; None imports every lesson's module. A starter has
            none.

    Raises:
        InputError: two exercises have one id, one stands in another lesson's module, or there is
            no such lesson.
    """
    wanted = lessons() if number is None else (lesson(number),)
    written = (each for each in wanted if not each.is_starter)
    found = tuple(exercise for each in written for exercise in _of_module(each.name))
    ids = [exercise.id for exercise in found]
    double = {name for name in ids if ids.count(name) > 1}
    if double:
        raise InputError(f"Two exercises are called {sorted(double)[0]!r}: rename one.")
    return found


def exercise(id_: str) -> Exercise:
    """Find an exercise, importing lessons in their order only until it is found.

    Args:
        id_: as `rsedu.check` is called with.

    Raises:
        InputError: no lesson has it; the message names the nearest id.
    """
    known = []
    for each in lessons():
        for candidate in _of_module(each.name):
            if candidate.id == id_:
                return candidate
            known.append(candidate.id)
    near = difflib.get_close_matches(str(id_), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
    raise InputError(f"There is no exercise called {id_!r}: {hint}")
