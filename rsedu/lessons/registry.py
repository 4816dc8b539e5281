"""Which lessons and exercises there are; a lesson's module is imported when asked for."""

import difflib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from rsedu.errors import InputError
from rsedu.lessons.exercise import Exercise


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


LESSONS = (
    Lesson("00", "start_here", "Why go beyond vision and language?", 10),
    Lesson("01", "sentinels", "What do two satellites see of one place?", 45),
    Lesson("02", "masked_autoencoders", "What can be learnt from pixels without labels?", 60),
    Lesson("03", "gsd_encodings", "Does a model know how large a pixel is?", 50),
    Lesson("04", "laplacian", "Which detail belongs to which scale?", 60),
    Lesson("05", "two_sensors", "Can radar and optical images teach each other?", 60),
    Lesson("06", "prompting", "Can a click outline a clearing?", 50),
    Lesson("07", "one_example", "Is one example enough to find the others?", 50),
    Lesson("08", "forest_loss", "How much forest was lost, and when?", 60),
)
STARTERS = (
    Lesson("08a", "scale", "Do features at several pixel sizes find more?", 80),
    Lesson("08b", "clouds", "What do two sensors know when clouds hide one?", 80),
    Lesson("08c", "clicks", "How many hectares does a minute of clicking buy?", 80),
    Lesson("08d", "one_shot", "Does one example find the loss of a whole scene?", 80),
)


def number_of(stem: str) -> str:
    """Number of the lesson that a source or a notebook is named after, such as "01" or "08b"."""
    return stem.partition("_")[0]


@cache
def _of_module(name: str) -> tuple[Exercise, ...]:
    """Exercises of one lesson's module; none where the module is not written."""
    if find_spec(f"rsedu.lessons.{name}") is None:
        return ()
    return tuple(import_module(f"rsedu.lessons.{name}").EXERCISES)


def lesson(number: str | int) -> Lesson:
    """Find a lesson or a starter.

    Args:
        number: such as "01", 1 or "08b".

    Raises:
        InputError: there is no such lesson.
    """
    wanted = str(number).zfill(2)
    for each in (*LESSONS, *STARTERS):
        if each.number == wanted:
            return each
    numbers = f"{LESSONS[0].number} to {LESSONS[-1].number}"
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
    wanted = LESSONS if number is None else (lesson(number),)
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
    for each in LESSONS:
        for candidate in _of_module(each.name):
            if candidate.id == id_:
                return candidate
            known.append(candidate.id)
    near = difflib.get_close_matches(str(id_), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
    raise InputError(f"There is no exercise called {id_!r}: {hint}")
