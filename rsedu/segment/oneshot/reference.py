"""Reference embedding and cosine similarity: what an example looks like to SAM, what resembles it.

Zhang et al. 2024, "Personalize Segment Anything Model with One Shot" (arXiv 2305.03048).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Shaped
from torch import Tensor
from torch.nn import functional as F

from rsedu.errors import InputError
from rsedu.io.masks import as_mask
from rsedu.segment.embedding import Embedded
from rsedu.segment.prompt import Point, Prompt, box_of
from rsedu.segment.tiles import Tile

COVERED = 0.5  # share of a cell from which it belongs to the reference


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What is looked for: the mean embedding of the object's cells.

    `strongest` is the mean of that and of the largest value per channel, for PerSAM-F.
    """

    target: Float[Tensor, "dim"]
    strongest: Float[Tensor, "dim"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Match:
    """One object that resembles the reference.

    Attributes:
        mask: on the image's pixels.
        score: IoU with the truth that the model predicts.
        similarity: mean cosine similarity of the mask's pixels to the target, -1 to 1.
        peak: that of the pixel which was clicked.
    """

    mask: Bool[np.ndarray, "rows cols"]
    score: float
    similarity: float
    peak: float

    @property
    def confidence(self) -> float:
        """Similarity times predicted IoU: high where it is alike *and* has an outline."""
        return self.similarity * self.score


def _shares(embedded: Embedded, tile: Tile, mask: np.ndarray) -> Float[Tensor, "rows cols"]:
    """Share of each cell of a tile's embedding that a mask covers, 0 where there is padding."""
    side = embedded.model.image_encoder.img_size
    high, wide = embedded.predictor(tile).input_size
    plane = torch.from_numpy(mask.astype(np.float32))[None, None]
    scaled = F.interpolate(plane, size=(high, wide), mode="bilinear", align_corners=False)
    padded = F.pad(scaled, (0, side - wide, 0, side - high))
    rows, cols = embedded.features(tile).shape[-2:]
    return F.adaptive_avg_pool2d(padded, (rows, cols))[0, 0]


def tile_of(embedded: Embedded, mask: Shaped[np.ndarray, "rows cols"]) -> Tile:
    """The tile in which an example is looked at.

    It is the one round the middle of the mask's box if it holds all of the mask; else the one with
    most of its pixels, since a ring or an object in parts may have none in the middle.

    Raises:
        InputError: the mask is empty, has another shape than the image or other values than 0 and
            1, or 0 and 255.
    """
    mask = as_mask(mask)
    if mask.shape != embedded.shape:
        raise InputError(f"The mask has {mask.shape} (rows, cols), the image {embedded.shape}.")
    middle = embedded.around(Prompt(box=box_of(mask)))
    return max((middle, *embedded.tiles), key=lambda tile: int(mask[tile.window].sum()))


def embed_example(embedded: Embedded, mask: Shaped[np.ndarray, "rows cols"]) -> Reference:
    """Look at one example.

    Cells of which the mask covers half or more are averaged. (The published code asks whether the
    cell's centre is covered.) A mask smaller than that is averaged by its shares.

    Raises:
        InputError: as `tile_of`.
    """
    mask = as_mask(mask)
    tile = tile_of(embedded, mask)
    shares = _shares(embedded, tile, mask[tile.window]).to(embedded.model.device)
    whole = shares >= COVERED
    weights = whole.float() if whole.any() else shares
    features = embedded.features(tile)[0]
    mean = (features * weights).sum(dim=(1, 2)) / weights.sum()
    largest = features[:, weights > 0].amax(dim=1)
    return Reference(target=mean, strongest=(mean + largest) / 2)


def combined(references: Sequence[Reference]) -> Reference:
    """One reference out of several: every part is the mean."""
    if not references:
        raise InputError("There is no reference to combine; describe one example at least.")
    return Reference(
        target=torch.stack([one.target for one in references]).mean(dim=0),
        strongest=torch.stack([one.strongest for one in references]).mean(dim=0),
    )


def cosine_map(
    features: Float[Tensor, "dim rows cols"], target: Float[Tensor, "dim"]
) -> Float[Tensor, "rows cols"]:
    """Cosine of the angle between each cell's embedding and the target's, -1 to 1."""
    return torch.einsum("drc,d->rc", F.normalize(features, dim=0), F.normalize(target, dim=0))


def similarity(
    embedded: Embedded, target: Float[Tensor, "dim"], *, tile: Tile | None = None
) -> Float32[np.ndarray, "rows cols"]:
    """Map of how much each pixel of a tile (None: the only one) resembles a reference's target.

    (rows, cols) of the tile, cosines from -1 to 1, bilinear between cells.
    """
    tile = the_tile(embedded, tile)
    cells = cosine_map(embedded.features(tile)[0], target)[None, None]
    fine = F.interpolate(cells, scale_factor=4, mode="bilinear", align_corners=False)
    size = (tile.rows, tile.cols)
    whole = embedded.model.postprocess_masks(fine, embedded.predictor(tile).input_size, size)
    return np.asarray(whole[0, 0].float().cpu())


def similarity_map(
    embedded: Embedded, target: Float[Tensor, "dim"]
) -> Float32[np.ndarray, "rows cols"]:
    """`similarity` of every pixel of an image; where its tiles overlap, the largest."""
    largest = np.full(embedded.shape, -1.0, dtype=np.float32)
    for tile in embedded.tiles:
        here = similarity(embedded, target, tile=tile)
        largest[tile.window] = np.maximum(largest[tile.window], here)
    return largest


def resemblance(
    looks: Sequence[tuple[Embedded, Float[Tensor, "dim"]]], *, tile: Tile | None = None
) -> Float32[np.ndarray, "rows cols"]:
    """Mean similarity over several looks at the same pixels, each with a target of its own.

    A look is the same image in other bands: what only one of them takes for the target, the mean
    doesn't.

    They are images of one size, each with a target that was described in its bands. The map has
    the pixels of the tile (None: the only one), -1 to 1.
    """
    if len({embedded.shape for embedded, _ in looks}) != 1:
        raise InputError("Wanted one look or more, all of them at the same pixels.")
    maps = [similarity(embedded, target, tile=tile) for embedded, target in looks]
    return np.asarray(np.mean(maps, axis=0, dtype=np.float32))


def top(
    likeness: Float32[np.ndarray, "rows cols"], free: Bool[np.ndarray, "rows cols"] | None = None
) -> Point:
    """The most similar pixel, (col, row), of those that are free; None: of all."""
    masked = likeness if free is None else np.where(free, likeness, -np.inf)
    row, col = np.unravel_index(int(masked.argmax()), masked.shape)
    return float(col), float(row)


def mean_inside(likeness: Float32[np.ndarray, "rows cols"], mask: np.ndarray) -> float:
    """Mean similarity of a mask's pixels; -1 where it is empty."""
    return float(likeness[mask].mean()) if mask.any() else -1.0


def likelihood(cosine: Float[Tensor, "rows cols"]) -> Float[Tensor, "rows cols"]:
    """S' of PerSAM's guidance: ``sigmoid((S - mean) / deviation)`` over the cells, 0 to 1."""
    return torch.sigmoid((cosine - cosine.mean()) / cosine.std().clamp(min=1e-6))


def the_tile(embedded: Embedded, tile: Tile | None) -> Tile:
    """The tile that was named, or the only one."""
    if tile is None and len(embedded.tiles) > 1:
        raise InputError(
            f"This image has {len(embedded.tiles)} tiles: name one, or use find for all of them."
        )
    return embedded.tiles[0] if tile is None else tile
