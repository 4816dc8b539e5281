"""PerSAM-F's two numbers: how much each of SAM's three masks counts.

Zhang et al. 2024, "Personalize Segment Anything Model with One Shot" (arXiv 2305.03048).
"""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional as F


def fit_mask_weights(
    logits: Float[Tensor, "3 rows cols"],
    truth: Float[Tensor, "rows cols"],
    *,
    steps: int = 1000,
    rate: float = 1e-3,
) -> Float32[np.ndarray, "3"]:
    """How much each of SAM's three masks counts, for one truth.

    ``M = w0 M0 + w1 M1 + w2 M2`` with ``w0 = 1 - w1 - w2``, from 1/3 each, by AdamW with a cosine;
    the loss is Dice plus focal.

    Args:
        logits: of the three masks.
        truth: share of each cell that is the object, 0 to 1.
        steps: of AdamW.
        rate: its largest step.

    Returns:
        (w0, w1, w2), which sum to 1.
    """
    base, *others = logits.detach().clone()
    away = torch.stack([other - base for other in others]).flatten(1)
    flat, target = base.flatten(), truth.flatten()
    weights = torch.full((2,), 1 / 3, requires_grad=True)
    optimizer = torch.optim.AdamW([weights], lr=rate, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        mixed = flat + weights @ away
        chance = mixed.sigmoid()
        dice = 1 - (2 * chance @ target + 1) / (chance.sum() + target.sum() + 1)
        entropy = F.binary_cross_entropy_with_logits(mixed, target, reduction="none")
        right = chance * target + (1 - chance) * (1 - target)
        alpha = 0.25 * target + 0.75 * (1 - target)
        loss = dice + (alpha * (1 - right) ** 2 * entropy).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    first, second = weights.detach().tolist()
    return np.array([1 - first - second, first, second], dtype=np.float32)
