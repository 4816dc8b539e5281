"""Track B: what CROMA sees at every date, of the radar, of the optical images, or of both.

Radar comes at each date. The optical image of a date is the latest clear acquisition of each pixel,
so it ages under clouds: the joint encoder reads it beside a radar image that is never old.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from rsedu.models import weights
from rsedu.models.croma_pretraining import CromaTraining
from rsedu.project.methods.baselines import TRAIN_PLACES, Sample, labelled_windows, named, periods
from rsedu.project.methods.features import Pixels, Planes, means_before_and_after
from rsedu.project.methods.scales import Probe, patches_of, tokens
from rsedu.project.task import Stack
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.tensors import normalise

_TILE_PX = 64  # the side that the weights learnt on
_WORD = {"optical": "optical_tokens", "radar": "radar_tokens", "both": "joint_tokens"}


@cache
def _model() -> CromaTraining:
    model = weights.load("croma-tiny")
    assert isinstance(model, CromaTraining)
    return model


def latest_clear_composite(stack: Stack) -> Float32[np.ndarray, "dates 12 rows cols"]:
    """At each date the latest clear pixel, or the first one to come; NaN where there is none."""
    count = len(stack.dates)
    at = np.arange(count)[:, None, None]
    latest = np.maximum.accumulate(np.where(stack.clear, at, -1), axis=0)
    coming = np.minimum.accumulate(np.where(stack.clear, at, count)[::-1], axis=0)[::-1]
    chosen = np.where(latest >= 0, latest, np.minimum(coming, count - 1))
    latest_clear = np.take_along_axis(stack.optical, chosen[:, None], axis=0)
    return np.where(stack.clear.any(axis=0), latest_clear, np.float32(np.nan))


def tokens_of(stack: Stack, sensors: str) -> Float32[np.ndarray, "dates tokenrows tokencols dim"]:
    """CROMA's tokens at each date of a stack at 10 m; "both" are those of the joint encoder."""
    optical = np.nan_to_num(normalise(latest_clear_composite(stack), S2_BANDS))
    radar = normalise(stack.radar, S1_BANDS)
    images = {"radar": torch.from_numpy(radar), "optical": torch.from_numpy(optical)}
    wanted = [name for name in images if sensors in (name, "both")]

    def encode(*tiles: Tensor) -> Tensor:
        encoded: Tensor = _model().croma(**dict(zip(wanted, tiles, strict=True)))[_WORD[sensors]]
        return encoded

    return tokens(encode, *(images[name] for name in wanted), side_px=_TILE_PX)


def across(
    tokens_of_dates: Float32[np.ndarray, "dates tokenrows tokencols dim"],
) -> Float32[np.ndarray, "periods tokenrows tokencols both"]:
    """For each period the mean token of the dates before it, beside that of the dates after it."""
    return np.concatenate(means_before_and_after(tokens_of_dates), axis=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class ThroughClouds:
    """Describes pixels by what they are, and by what CROMA's tokens say of each period.

    Attributes:
        sensors: "optical", "radar" or "both", for CROMA and the pixels.
        probe: linear head on the tokens before and after a period.
    """

    sensors: str
    probe: Probe
    taught: str

    @property
    def name(self) -> str:
        """Which sensors, and where the head learnt."""
        return f"croma of {self.sensors}, head of {self.taught}"

    @classmethod
    def fit(cls, *, sensors: str = "both", places: Sequence[int] = TRAIN_PLACES) -> "ThroughClouds":
        """Learn a linear head on other places: was it lost in this period?"""
        Pixels(sensors=sensors)  # says what is wrong with the word
        probe = Probe.fit(*_lessons(sensors, places))
        return cls(sensors=sensors, probe=probe, taught=named(places))

    def __call__(self, stack: Stack) -> Planes:
        """Describe each pixel: `Pixels`, then the largest answer of all periods and their sum."""
        planes = self.read(stack)
        summary = np.stack([planes.max(axis=0), planes.sum(axis=0)])
        return np.concatenate([Pixels(sensors=self.sensors)(stack), summary])

    def read(self, stack: Stack) -> Float32[np.ndarray, "periods rows cols"]:
        """What the tokens alone say: about 1 where forest was lost in a period."""
        pairs = across(tokens_of(stack, self.sensors))
        return np.stack([self.probe.read(pair, stack.shape) for pair in pairs])


def _lesson(sample: Sample, sensors: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and targets of the patches of all periods of a sample."""
    pairs = across(tokens_of(sample.stack, sensors))
    number = periods(sample.years.ravel(), sample.stack.dates).reshape(sample.years.shape)
    numbers = range(1, len(pairs) + 1)
    targets = [patches_of((number == period).astype(np.float32)) for period in numbers]
    return pairs.reshape(-1, pairs.shape[-1]), np.concatenate(targets)


def _lessons(sensors: str, places: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Those of all samples; apart from the fit, so that the pieces are gone by then."""
    pieces = [_lesson(sample, sensors) for sample in labelled_windows(places)]
    features, targets = zip(*pieces, strict=True)
    return np.concatenate(features), np.concatenate(targets)
