"""Track A: what Scale-MAE sees before and after, at several ground sample distances at once.

A patch of 8 pixels is 40 m wide at 5 m, 80 m at 10 m and 160 m at 20 m: the finer image has the
outlines, the coarser one the surroundings. Each image tells the encoder how large its pixels are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional as F

from rsedu.models import weights
from rsedu.models.scalemae import ScaleMAE
from rsedu.project.methods.features import Pixels, Planes, first_and_last_clear
from rsedu.project.methods.pixel_classifier import TRAIN_PLACES, labelled_windows, named
from rsedu.project.methods.tokens import Probe, patches_of, tokens
from rsedu.project.task import Stack
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.tensors import normalise

GSDS_M = (5.0, 10.0, 20.0)
_TILE_PX = 128  # the side that the weights learnt on


@cache
def _model() -> ScaleMAE:
    model = weights.load("scalemae-tiny")
    assert isinstance(model, ScaleMAE)
    return model


def _encode(images: Tensor, *, gsd_m: float) -> Tensor:
    encoder = _model().encoder
    seen: Tensor = encoder(images, gsd_m)[:, encoder.prefix :]
    return seen


def resized(
    images: Float32[Tensor, "images bands rows cols"], gsd_m: float, wanted_m: float
) -> Float32[Tensor, "images bands newrows newcols"]:
    """Bring images to another ground sample distance: means if coarser, bilinear if finer."""
    rows, cols = (max(1, round(size * gsd_m / wanted_m)) for size in images.shape[-2:])
    if wanted_m > gsd_m:
        return F.interpolate(images, size=(rows, cols), mode="area")
    return F.interpolate(images, size=(rows, cols), mode="bilinear", align_corners=False)


def pairs(stack: Stack, gsd_m: float) -> Float32[np.ndarray, "tokenrows tokencols dim"]:
    """Tokens of the first clear look beside those of the last one, at one ground sample distance.

    Args:
        stack: at its own pixels.
        gsd_m: at which the encoder sees it, metres per pixel.
    """
    found = first_and_last_clear(stack)
    seen = np.stack([normalise(each, S2_BANDS) for each in (found.before, found.after)])
    images = resized(torch.from_numpy(np.nan_to_num(seen)), stack.gsd_m, gsd_m)
    before, after = tokens(partial(_encode, gsd_m=gsd_m), images, side_px=_TILE_PX)
    return np.concatenate([before, after], axis=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedGsd:
    """Describes pixels by what they are, and by what Scale-MAE's tokens say of them at each GSD.

    Attributes:
        probes: metres per pixel -> linear head on the tokens there.
        taught: where the heads learnt, in words.
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
        """Learn a linear head per ground sample distance on other places.

        Args:
            gsds_m: metres per pixel.
            places: seeds to learn on.
        """
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
        seen = pairs(sample.stack, gsd_m)
        lost = torch.from_numpy(np.isfinite(sample.years).astype(np.float32))[None, None]
        features.append(seen.reshape(-1, seen.shape[-1]))
        targets.append(patches_of(resized(lost, sample.stack.gsd_m, gsd_m)[0, 0].numpy()))
    return Probe.fit(np.concatenate(features), np.concatenate(targets))
