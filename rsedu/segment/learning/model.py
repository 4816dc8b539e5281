"""SAM training with a simulated user, who clicks, drags boxes and corrects.

After Kirillov et al. 2023, appendix A: the first prompt of an object is a click or a box, further
clicks are drawn from where the mask is wrong, with the last mask as a prompt; focal and Dice loss
20 to 1, mean squared error of the predicted IoU, and of the three masks only the best one learns.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from rsedu.segment.learning.losses import dice, focal, overlap
from rsedu.segment.simulated_user import boxes_of, corrections, jittered, points_in
from rsedu.segment.tiny_sam import TinySam, TinySamConfig
from rsedu.synthetic.land_cover import CLASSES

FOCAL_WEIGHT, CLASS_WEIGHT = 20.0, 1.0
DENSE_STEPS = 1500  # first the encoder alone learns classes; a decoder of blind features is slow
OTHERS = 0.05  # share of the loss that the two masks which are not best get, so that none dies
_PARTS = ("focal", "dice", "iou", "first", "last")
ROUNDS = (1, 2, 3)  # prompts per object in a step, drawn evenly


class Prompts(NamedTuple):
    """What the user has given so far, for K objects of one image.

    Points are (K, N, 2), (x, y) in pixels of the encoder's image; labels (K, N), 1 object and 0
    background; boxes (K, 4) left, top, right, bottom; masks (K, 1, H, W) logits of the last ones.
    """

    points: Tensor | None
    labels: Tensor | None
    boxes: Tensor | None
    masks: Tensor | None

    def corrected(self, point: Tensor, label: Tensor, masks: Tensor) -> "Prompts":
        """The same with one click more and the latest masks."""
        if self.points is None or self.labels is None:
            return self._replace(points=point[:, None], labels=label[:, None], masks=masks)
        return self._replace(
            points=torch.cat([self.points, point[:, None]], dim=1),
            labels=torch.cat([self.labels, label[:, None]], dim=1),
            masks=masks,
        )


def decode(
    sam: TinySam, embedding: Float[Tensor, "1 dim rows cols"], prompts: Prompts
) -> tuple[Float[Tensor, "objects masks h w"], Float[Tensor, "objects masks"]]:
    """All four masks of each object, and their predicted IoU; the first is the single mask."""
    given = None if prompts.points is None else (prompts.points, prompts.labels)
    sparse, dense = sam.prompt_encoder(points=given, boxes=prompts.boxes, masks=prompts.masks)
    masks, scores = sam.mask_decoder.predict_masks(
        image_embeddings=embedding,
        image_pe=sam.prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
    )
    return masks.float(), scores.float()


class SamTraining(nn.Module):
    """The small SAM with what only its training needs."""

    steps: Tensor

    def __init__(
        self, config: TinySamConfig | None = None, *, dense_steps: int = DENSE_STEPS
    ) -> None:
        """Make one with fresh weights that at first learns only the classes, for `dense_steps`."""
        super().__init__()
        self.dense_steps = dense_steps
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.sam = TinySam(config)
        # Each feature has to tell the class of its 4 x 4 cells: a lesson for every pixel at once,
        # where a mask teaches about one object.
        self.classify = nn.Conv2d(self.sam.config.dim, 16 * len(CLASSES), 1)

    def forward(
        self,
        images: Float[Tensor, "batch 3 rows cols"],
        masks: Float[Tensor, "batch objects h w"],
        classes: Int[Tensor, "batch h w"],
    ) -> dict[str, Tensor]:
        """Losses of one batch.

        Images are 0 to 255, masks the share of each cell that is the object, classes the index of
        the class in its middle.

        Returns:
            "loss", and for the curve "class", "focal", "dice", "iou" (mean squared error of the
            predicted one), and "first" and "last": mean true IoU of the best mask after the first
            prompt and after the last; all but "class" are NaN in the dense steps.
        """
        embeddings = self.sam.image_encoder(self.sam.preprocess(images))
        losses = {"class": self._class_loss(embeddings, classes)}
        self.steps += int(self.training)
        if self.training and self.steps <= self.dense_steps:
            unknown = dict.fromkeys(_PARTS, torch.tensor(torch.nan))
            return {"loss": CLASS_WEIGHT * losses["class"], **losses, **unknown}
        rounds = ROUNDS[int(torch.randint(len(ROUNDS), ()))]
        parts = [
            self._objects(embedding[None], truth, rounds)
            for embedding, truth in zip(embeddings, masks, strict=True)
        ]
        losses |= {name: torch.stack([part[name] for part in parts]).mean() for name in _PARTS}
        mask_loss = FOCAL_WEIGHT * losses["focal"] + losses["dice"] + losses["iou"]
        return {"loss": mask_loss + CLASS_WEIGHT * losses["class"], **losses}

    def _class_loss(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        cells = rearrange(self.classify(embeddings), "b (c y x) h w -> b c (h y) (w x)", y=4, x=4)
        return F.cross_entropy(cells.float(), classes)

    def _objects(self, embedding: Tensor, truth: Tensor, rounds: int) -> dict[str, Tensor]:
        """Several rounds of prompts for the objects of one image."""
        cell_px = self.sam.config.image_px / truth.shape[-1]
        prompts = _first(truth, cell_px, self.sam.config.image_px)
        by_round = []
        for _ in range(rounds):
            logits, scores = decode(self.sam, embedding, prompts)
            losses, best = _judged(logits, scores, truth)
            by_round.append(losses)
            point, label = corrections(best > 0, truth >= 0.5, cell_px=cell_px)
            prompts = prompts.corrected(point, label, best.detach()[:, None])
        means = {
            name: torch.stack([losses[name] for losses in by_round]).mean()
            for name in ("focal", "dice", "iou")
        }
        return {**means, "first": by_round[0]["best"], "last": by_round[-1]["best"]}


def _first(truth: Tensor, cell_px: float, image_px: int) -> Prompts:
    """A click for half of the images, a box for the others."""
    inside = truth >= 0.5
    inside |= truth == truth.amax(dim=(1, 2), keepdim=True)  # objects thinner than half a cell
    if torch.rand(()) < 0.5:
        labels = torch.ones(len(truth), 1, dtype=torch.int, device=truth.device)
        return Prompts(points_in(inside, cell_px=cell_px)[:, None], labels, None, None)
    tight = boxes_of(inside, cell_px=cell_px)
    return Prompts(None, None, jittered(tight, share=0.1, most_px=20, side_px=image_px), None)


def _judged(
    logits: Tensor, scores: Tensor, truth: Tensor
) -> tuple[dict[str, Tensor], Float[Tensor, "objects h w"]]:
    """Losses of four masks per object, and the logits of the one with the highest true score."""
    targets = truth[:, None].expand_as(logits)
    focals, dices = focal(logits, targets), dice(logits, targets)
    ious = overlap(logits, targets).detach()
    costs = (FOCAL_WEIGHT * focals + dices).detach()[:, 1:]
    least = costs.argmin(dim=1)
    chosen = F.one_hot(least, 3) * (1 - 1.5 * OTHERS) + OTHERS / 2
    weights = torch.cat([torch.ones_like(chosen[:, :1]), chosen], dim=1) / 2
    rows = torch.arange(len(logits), device=logits.device)
    return {
        "focal": (weights * focals).sum(dim=1).mean(),
        "dice": (weights * dices).sum(dim=1).mean(),
        "iou": F.mse_loss(scores, ious),
        "best": ious[rows, least + 1].mean(),
    }, logits[rows, least + 1]


def product(model: nn.Module) -> TinySam:
    """The Sam within its training module; the rest has done its work."""
    assert isinstance(model, SamTraining)
    return model.sam
