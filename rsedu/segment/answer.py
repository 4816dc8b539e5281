"""What comes back for a prompt: three masks, how good each is thought to be, and their logits."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from rsedu.scenes.grid import Grid


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Three masks for one prompt; for a click, often a part, an object, and what it belongs to.

    SAM's single mask comes alone, in the same form.

    Attributes:
        masks: (3, rows, cols) on the image's pixels.
        scores: (3,), the IoU with the truth that the model predicts, about 0 to 1.
        logits: (3, side, side) of the tile that the prompt is in, a quarter of the model's pixels
            along each side; one of them, as `Prompt.mask`, refines the answer. A logit above 0 is
            object.
        grid: place of the pixels; None for an image without one.
    """

    masks: Bool[np.ndarray, "masks rows cols"]
    scores: Float32[np.ndarray, "masks"]
    logits: Float32[np.ndarray, "masks side side"]
    grid: Grid | None = None

    @property
    def best(self) -> int:
        """Index of the mask with the highest predicted IoU."""
        return int(self.scores.argmax())

    @property
    def mask(self) -> Bool[np.ndarray, "rows cols"]:
        """The best mask."""
        chosen: np.ndarray = self.masks[self.best]
        return chosen
