"""One bright square as an example, and a spy on every prompt that an embedded image is asked."""

from collections.abc import Callable

import numpy as np
import pytest

from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot import Reference, embed_example
from rsedu.segment.prompt import Prediction, Prompt
from rsedu.segment.sam import Segmenter
from rsedu.segment.tiles import Tile

Example = tuple[Embedded, Reference]


class Spied:
    """Keeps every prompt that an embedded image is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prompts: list[Prompt] = []
        self.singles: list[bool] = []
        self.models: list[object] = []
        self.answers: list[Prediction] = []
        original: Callable[..., Prediction] = Embedded.ask

        def ask(
            embedded: Embedded,
            tile: Tile,
            prompt: Prompt,
            *,
            model: object = None,
            single: bool = False,
        ) -> Prediction:
            answer = original(embedded, tile, prompt, model=model, single=single)
            self.prompts.append(prompt)
            self.singles.append(single)
            self.models.append(model)
            self.answers.append(answer)
            return answer

        monkeypatch.setattr(Embedded, "ask", ask)


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> Spied:
    return Spied(monkeypatch)


@pytest.fixture
def square() -> np.ndarray:
    mask = np.zeros((128, 128), dtype=bool)
    mask[30:70, 50:100] = True
    return mask


@pytest.fixture
def example(segmenter: Segmenter, image: np.ndarray, square: np.ndarray) -> Example:
    embedded = segmenter.embed(image)
    return embedded, embed_example(embedded, square)
