"""Focal loss, soft Dice loss and IoU of masks as logits."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def focal(
    logits: Float[Tensor, "*objects rows cols"],
    targets: Float[Tensor, "*objects rows cols"],
    *,
    alpha: float = 0.5,
    gamma: float = 2.0,
) -> Float[Tensor, "*objects"]:
    """Focal loss (Lin et al. 2017), mean over the cells of each mask.

    ``-alpha_t (1 - p_t)^gamma log p_t``: cells that are right already hardly count.

    Targets are the share of each cell that is the object, 0 to 1; alpha is the object's weight.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    chance = logits.sigmoid()
    right = chance * targets + (1 - chance) * (1 - targets)
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    return (weight * (1 - right) ** gamma * entropy).mean(dim=(-2, -1))


def dice(
    logits: Float[Tensor, "*objects rows cols"], targets: Float[Tensor, "*objects rows cols"]
) -> Float[Tensor, "*objects"]:
    """One minus the soft Dice score of each mask, with 1 added above and below."""
    chance = logits.sigmoid()
    shared = (chance * targets).sum(dim=(-2, -1))
    both = chance.sum(dim=(-2, -1)) + targets.sum(dim=(-2, -1))
    return 1 - (2 * shared + 1) / (both + 1)


def overlap(
    logits: Float[Tensor, "*objects rows cols"], targets: Float[Tensor, "*objects rows cols"]
) -> Float[Tensor, "*objects"]:
    """IoU of each mask at logit 0 with the cells of which half or more is the object."""
    predicted, truth = logits > 0, targets >= 0.5
    shared = (predicted & truth).sum(dim=(-2, -1))
    either = (predicted | truth).sum(dim=(-2, -1))
    return shared / either.clamp(min=1)
