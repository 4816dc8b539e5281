import numpy as np

from rsedu.segment.answer import Prediction


def test_the_best_mask_is_the_one_with_the_highest_score() -> None:
    masks = np.zeros((3, 4, 5), dtype=bool)
    masks[1, 2, 3] = True
    answer = Prediction(
        masks=masks,
        scores=np.array([0.2, 0.9, 0.5], dtype=np.float32),
        logits=np.zeros((3, 8, 8), dtype=np.float32),
    )
    assert answer.best == 1
    assert answer.mask[2, 3] and answer.mask.sum() == 1
