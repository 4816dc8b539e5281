"""What a prompter asks of whatever segments: one method, any model."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from rsedu.errors import InputError
from rsedu.segment.prompt import Prompt
from rsedu.widget.state import OFFERED, State


@runtime_checkable
class Answer(Protocol):
    """What comes back for a prompt: three masks, from a part of the object to all around it."""

    @property
    def masks(self) -> np.ndarray:
        """(3, rows, cols) bool, on the scene's pixels."""

    @property
    def scores(self) -> Any:
        """(3,), the IoU with the truth that the segmenter predicts for each, about 0 to 1."""

    @property
    def best(self) -> int:
        """Index of the mask to show first."""


@runtime_checkable
class Segmenter(Protocol):
    """A scene that was looked at once, and can be prompted often."""

    def predict(self, prompt: Prompt, /) -> Answer:
        """Answer one prompt, without change to itself."""


def ask(segmenter: Segmenter, state: State, *, shape: tuple[int, int]) -> Answer:
    """Put a state's clicks and last box to a segmenter.

    Args:
        segmenter: whom to ask.
        state: with one step at least.
        shape: (rows, cols) of the scene.

    Raises:
        InputError: the masks are not three on the scene's pixels.
    """
    answer = segmenter.predict(
        Prompt(
            points=tuple((click.col, click.row) for click in state.clicks),
            labels=tuple(int(click.positive) for click in state.clicks),
            box=state.box.edges if state.box else None,
        )
    )
    if answer.masks.shape != (OFFERED, *shape):
        raise InputError(
            f"The segmenter gave masks of shape {answer.masks.shape}; this scene needs "
            f"{(OFFERED, *shape)}: embed the same scene that the prompter shows."
        )
    return answer
