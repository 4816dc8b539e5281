"""Track A: what Scale-MAE sees before and after, at several ground sample distances at once.

A patch of 8 pixels is 40 m wide at 5 m, 80 m at 10 m and 160 m at 20 m: the finer image has the
outlines, the coarser one the surroundings. Each image tells the encoder how large its pixels are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float32
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.nn import functional as F

from rsedu.models import weights
from rsedu.models.scalemae import ScaleMAE
from rsedu.project.methods.baselines import TRAIN_PLACES, labelled_windows, named
from rsedu.project.methods.features import Pixels, Planes, first_and_last_clear
from rsedu.project.task import Stack
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.tensors import normalise

GSDS_M = (5.0, 10.0, 20.0)
_TILE_PX = 128  # the side that the weights learnt on
PATCH_PX = 8  # of the kit's small encoders
_BATCH = 32  # tiles that go through an encoder together
_STRENGTH = 100.0  # of the penalty on the head's weights; the tokens are about 1 in size


def tokens(
    encode: Callable[..., Tensor],
    *images: Float32[Tensor, "images _ rows cols"],
    side_px: int,
) -> Float32[np.ndarray, "images tokenrows tokencols dim"]:
    """Run images of any size through an encoder, tile by tile.

    Args:
        encode: takes a batch of square tiles of each image, and gives (tiles, tokens, dim), row by
            row, without a class token.
        *images: (N, C, R, W) of one sensor each, standardised; grown at the south and east edge
            until whole tiles fill them.
        side_px: side of a tile, as the encoder learnt; whole patches.
    """
    count, _, rows, cols = images[0].shape
    down, over = -(-rows // side_px), -(-cols // side_px)
    pad = (0, over * side_px - cols, 0, down * side_px - rows)
    tiles = [
        rearrange(
            F.pad(image, pad, mode="replicate"),
            "n c (down y) (over x) -> (n down over) c y x",
            down=down,
            over=over,
        )
        for image in images
    ]
    with torch.inference_mode():
        encoded = [
            encode(*(sensor[start : start + _BATCH] for sensor in tiles))
            for start in range(0, len(tiles[0]), _BATCH)
        ]
    grid = rearrange(
        torch.cat(encoded),
        "(n down over) (y x) dim -> n (down y) (over x) dim",
        n=count,
        down=down,
        y=side_px // PATCH_PX,
    )
    needed = grid[:, : -(-rows // PATCH_PX), : -(-cols // PATCH_PX)]
    return np.asarray(needed.float().numpy(), dtype=np.float32)


def patches_of(plane: Float32[np.ndarray, "rows cols"]) -> Float32[np.ndarray, "patches pixels"]:
    """Pixels of each patch, row by row; the edge's pixels fill the last patches."""
    rows, cols = plane.shape
    filled = np.pad(plane, ((0, -rows % PATCH_PX), (0, -cols % PATCH_PX)), mode="edge")
    cut: np.ndarray = rearrange(
        filled, "(down y) (over x) -> (down over) (y x)", y=PATCH_PX, x=PATCH_PX
    )
    return cut


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """A ridge regression from a patch's tokens to each of its pixels."""

    head: Ridge

    @classmethod
    def fit(
        cls,
        features: Float32[np.ndarray, "patches dim"],
        targets: Float32[np.ndarray, "patches pixels"],
    ) -> "Probe":
        """Learn from patches: their tokens, and what their pixels are, as `patches_of` has them."""
        return cls(head=Ridge(alpha=_STRENGTH).fit(features, targets))

    def read(
        self, features: Float32[np.ndarray, "tokenrows tokencols dim"], shape: tuple[int, int]
    ) -> Float32[np.ndarray, "rows cols"]:
        """Turn the tokens of a window into its pixels, about 0 to 1; not clipped.

        The window may have fewer pixels than its patches.
        """
        flat = self.head.predict(rearrange(features, "down over dim -> (down over) dim"))
        plane = rearrange(
            flat, "(down over) (y x) -> (down y) (over x)", down=len(features), y=PATCH_PX
        )
        return np.asarray(plane[: shape[0], : shape[1]], dtype=np.float32)


@cache
def _model() -> ScaleMAE:
    model = weights.load("scalemae-tiny")
    assert isinstance(model, ScaleMAE)
    return model


def _encode(images: Tensor, *, gsd_m: float) -> Tensor:
    encoder = _model().encoder
    tokens: Tensor = encoder(images, gsd_m)[:, encoder.prefix :]
    return tokens


def resized(
    images: Float32[Tensor, "images bands rows cols"], gsd_m: float, wanted_m: float
) -> Float32[Tensor, "images bands newrows newcols"]:
    """Bring images to another ground sample distance: means if coarser, bilinear if finer."""
    rows, cols = (max(1, round(size * gsd_m / wanted_m)) for size in images.shape[-2:])
    if wanted_m > gsd_m:
        return F.interpolate(images, size=(rows, cols), mode="area")
    return F.interpolate(images, size=(rows, cols), mode="bilinear", align_corners=False)


def pairs(stack: Stack, gsd_m: float) -> Float32[np.ndarray, "tokenrows tokencols dim"]:
    """Tokens of the first clear acquisition beside those of the last, both seen at `gsd_m`."""
    pair = first_and_last_clear(stack)
    optical = np.stack([normalise(date, S2_BANDS) for date in (pair.before, pair.after)])
    images = resized(torch.from_numpy(np.nan_to_num(optical)), stack.gsd_m, gsd_m)
    before, after = tokens(partial(_encode, gsd_m=gsd_m), images, side_px=_TILE_PX)
    return np.concatenate([before, after], axis=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedGsd:
    """Describes pixels by what they are, and by what Scale-MAE's tokens say of them at each GSD.

    Attributes:
        probes: metres per pixel -> linear head on the tokens there.
    """

    probes: Mapping[float, Probe]
    taught: str

    @property
    def name(self) -> str:
        """Which GSDs, and where the heads learnt."""
        gsds = ", ".join(f"{gsd_m:g}" for gsd_m in self.probes)
        return f"scale-mae at {gsds} m, heads of {self.taught}"

    @classmethod
    def fit(
        cls, *, gsds_m: Sequence[float] = GSDS_M, places: Sequence[int] = TRAIN_PLACES
    ) -> "MixedGsd":
        """Learn a linear head per ground sample distance, in metres, on other places."""
        probes = {gsd_m: _probe(gsd_m, places) for gsd_m in gsds_m}
        return cls(probes=probes, taught=named(places))

    def __call__(self, stack: Stack) -> Planes:
        """Describe each pixel: `Pixels()`, then one number for each GSD."""
        return np.concatenate([Pixels()(stack), self.read(stack)])

    def read(self, stack: Stack) -> Planes:
        """What the tokens alone say: about 1 where forest was lost, one plane for each GSD."""
        return np.stack([self._plane(stack, gsd_m) for gsd_m in self.probes])

    def _plane(self, stack: Stack, gsd_m: float) -> np.ndarray:
        rows, cols = (max(1, round(size * stack.gsd_m / gsd_m)) for size in stack.shape)
        plane = self.probes[gsd_m].read(pairs(stack, gsd_m), (rows, cols))
        image = torch.from_numpy(plane)[None, None]
        fine = F.interpolate(image, size=stack.shape, mode="bilinear", align_corners=False)
        return np.asarray(fine[0, 0].numpy())


def _probe(gsd_m: float, places: Sequence[int]) -> Probe:
    features, targets = [], []
    for sample in labelled_windows(places):
        pair = pairs(sample.stack, gsd_m)
        lost = torch.from_numpy(np.isfinite(sample.years).astype(np.float32))[None, None]
        features.append(pair.reshape(-1, pair.shape[-1]))
        targets.append(patches_of(resized(lost, sample.stack.gsd_m, gsd_m)[0, 0].numpy()))
    return Probe.fit(np.concatenate(features), np.concatenate(targets))
