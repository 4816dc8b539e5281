"""What an exercise is: declared once, in the lesson's module, and used by checks and tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rsedu.errors import InputError

State = Literal["not started", "error", "wrong kind", "wrong value", "passed"]
Case = Callable[[], tuple[Any, ...]]


@dataclass(frozen=True)
class Misconception:
    """A known wrong answer and what to say about it.

    Attributes:
        name: a word or two, for the tests and for instructors.
        wrong: the function, or the value, that somebody with this idea hands in.
        message: one to three sentences that name the idea and point to the way out. The numbers
            that differ are added by the check.
    """

    name: str
    wrong: Any
    message: str


@dataclass(frozen=True)
class Invariant:
    """Something that holds for every right answer.

    Attributes:
        says: a sentence such as "an index of equal bands is 0".
        holds: called with the answer and then the inputs of the case; true where it holds.
    """

    says: str
    holds: Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: a function to write, or (without cases) a value to find.

    Attributes:
        id: what `rsedu.check` is called with; unique in the kit, a Python name.
        lesson: two digits, such as "01".
        title: what learners read.
        points: 1 or more.
        minutes: how long it takes.
        difficulty: 1 to 3.
        reference: the clear answer that `rsedu.checkpoint` hands over.
        cases: each makes the arguments of one call, the same ones at every call; first a fixed
            one with few numbers, last a seeded one of odd shape that the notebook does not show.
        invariants: what holds for every right answer, checked before the values.
        misconceptions: known wrong answers; the first that gives the learner's result is named.
        choices: for a value picked from a list, all of them.
        tolerance: allowed difference, relative to the largest expected value.
        exact_dtype: whether the dtype has to be the reference's own, and not only of its sort.
        limit_s: seconds after which an answer counts as hanging.
    """

    id: str
    lesson: str
    title: str
    points: int
    minutes: int
    difficulty: int
    reference: Any
    cases: Sequence[Case] = ()
    invariants: Sequence[Invariant] = ()
    misconceptions: Sequence[Misconception] = ()
    choices: Sequence[str] = ()
    tolerance: float = 1e-5
    exact_dtype: bool = False
    limit_s: float = 30.0

    def __post_init__(self) -> None:
        if not self.id.isidentifier():
            raise InputError(f"Exercise id {self.id!r} is no Python name: use letters and _.")
        if not 1 <= self.difficulty <= 3 or self.points < 1 or self.minutes < 1:
            raise InputError(
                f"{self.id}: difficulty {self.difficulty}, {self.points} points, {self.minutes} "
                "minutes; wanted difficulty 1 to 3, and at least one point and one minute."
            )
        if self.is_function and len(self.cases) < 2:
            raise InputError(
                f"{self.id}: {len(self.cases)} cases for a function; give a fixed and an unseen."
            )

    @property
    def is_function(self) -> bool:
        """Whether the answer is a function to call, and not a value."""
        return callable(self.reference)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check found.

    Attributes:
        state: one of the five.
        title: the exercise's.
        points: what the exercise is worth; they count only where it passed.
        lines: paragraphs to read, without line breaks where they may be wrapped.
        diagnosis: name of the misconception that was recognised, None where none was.
    """

    state: State
    title: str
    points: int
    lines: tuple[str, ...] = ()
    diagnosis: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.state == "passed"
