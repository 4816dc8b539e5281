"""The place that the groups map: a synthetic frontier, its period and its hidden truth."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from affine import Affine
from jaxtyping import Float32

from rsedu.errors import InputError
from rsedu.scenes.grid import Grid
from rsedu.synthetic.frontier import NORTH_M, UTM, WEST_M, Frontier, Window

_SOURCE = "synthetic"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A frontier, its pixels, and the time between its first and its last scene.

    Attributes:
        seed: which frontier.
        size_m: side of the square, metres.
        gsd_m: side of a pixel, metres.
        since: decimal year; what was cut by then is no loss of the period.
        until: decimal year of the last scene.
    """

    seed: int
    size_m: float = 20_000.0
    gsd_m: float = 10.0
    since: float = 2020.5
    until: float = 2025.5

    def __post_init__(self) -> None:
        if not -np.inf < self.since < self.until < np.inf:
            raise InputError(
                f"The period {self.since:g} to {self.until:g} is empty: give two decimal years, "
                "the earlier one first."
            )
        if not 0 < self.gsd_m <= self.frontier.size_m:
            raise InputError(
                f"gsd_m is {self.gsd_m:g}; wanted metres above 0, up to the side of the place."
            )

    def __str__(self) -> str:
        return (
            f"place {self.seed}, {self.size_m / 1000:g} km, {self.since:g} to {self.until:g}, "
            f"{self.gsd_m:g} m"
        )

    @property
    def frontier(self) -> Frontier:
        """The synthetic world itself."""
        return Frontier(seed=self.seed, size_m=self.size_m)

    @property
    def grid(self) -> Grid:
        """Pixels of its scenes, its truth and its maps."""
        side = int(self.size_m / self.gsd_m + 1e-6)
        transform = Affine(self.gsd_m, 0, WEST_M, 0, -self.gsd_m, NORTH_M)
        return Grid(transform=transform, crs=UTM, shape=(side, side))

    def truth(self, window: Window | None = None) -> Float32[np.ndarray, "rows cols"]:
        """Decimal year in which each pixel's centre lost its forest; NaN for not in the period."""
        years = self.frontier.truth(date=self.until, gsd_m=self.gsd_m, window=window).years
        return np.where(years > self.since, years, np.float32(np.nan))

    def tags(self) -> dict[str, str]:
        """What a map's file says of its place."""
        facts = {field.name.upper(): f"{getattr(self, field.name):.12g}" for field in fields(self)}
        return {"SOURCE": _SOURCE, **facts}

    @staticmethod
    def facts(tags: Mapping[str, str]) -> dict[str, float]:
        """Read what a file's tags say of its place: nothing where the kit did not write them."""
        if tags.get("SOURCE") != _SOURCE:
            return {}
        tag_of = {field.name: field.name.upper() for field in fields(Place)}
        return {name: _number(tag, tags[tag]) for name, tag in tag_of.items() if tag in tags}


def _number(tag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (tag == "SEED" and number % 1):
        raise InputError(f"The file's tag {tag} is {text!r}; wanted a number.")
    return number


def known(metadata: Mapping[str, float], options: Mapping[str, float | None]) -> Place:
    """Put together what a file says of its place and options, of which None was left open."""
    wanted = {name: value for name, value in options.items() if value is not None}
    differ = [name for name in wanted if metadata.get(name, wanted[name]) != wanted[name]]
    if differ:
        name = differ[0]
        raise InputError(
            f"The map says of itself that its {name} is {metadata[name]:g}, but {wanted[name]:g} "
            "was asked for: leave the option away, or take the map of the other place."
        )
    facts: dict[str, Any] = {**metadata, **wanted}
    if "seed" not in facts:
        raise InputError("The map does not say which place it shows: add --place SEED.")
    return Place(**{**facts, "seed": int(facts["seed"])})
