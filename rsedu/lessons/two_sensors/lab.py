"""Pairs of radar and optical tiles, right and wrong ones: what lesson 05 measures with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange, reduce
from jaxtyping import Float, Float16, Float32, Int64
from torch import Tensor

from rsedu.errors import InputError
from rsedu.lessons.masked_autoencoders import lab
from rsedu.scenes import samples
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.tensors import normalise
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import FOREST

GSD_M = 10.0
PATCH_PX = 8
SIDE_PX = 64  # of a training tile: 640 m


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """One synthetic place at 10 m, seen by both sensors on one day.

    Attributes:
        optical: (12, rows, cols) standardised reflectance; half precision keeps memory small.
        radar: (2, rows, cols) standardised dB, VV and VH.
        shares: (8, rows / 8, cols / 8) share of each land cover class in each patch of 80 m.
        edges: (rows / 8, cols / 8) length of the forest's edge in each patch, km per square km.
    """

    optical: Float16[np.ndarray, "12 rows cols"]
    radar: Float16[np.ndarray, "2 rows cols"]
    shares: Float32[np.ndarray, "8 patch_rows patch_cols"]
    edges: Float[np.ndarray, "patch_rows patch_cols"]


def render_pair(seed: int, *, side_m: float = 10_240.0, cloud_cover: float = 0.0) -> World:
    """Render a world, at a date between 2006.5 and 2024.5 that follows from its seed.

    Args:
        seed: of the place.
        side_m: of the place in metres, a multiple of 640.
        cloud_cover: share of it under cloud, 0 to 1; radar does not see clouds.
    """
    place, date = Frontier(seed=seed, size_m=side_m), lab.date_of(seed)
    optical = place.optical(date=date, gsd_m=GSD_M, cloud_cover=cloud_cover)
    radar = place.radar(date=date, gsd_m=GSD_M)
    truth = place.truth(date=date, gsd_m=GSD_M)
    edges = lab.edge_density(truth.classes == FOREST, PATCH_PX)
    block = {"y": PATCH_PX, "x": PATCH_PX}
    shares = reduce(truth.fractions, "k (r y) (c x) -> k r c", "mean", **block)
    return World(
        optical=normalise(optical.array, S2_BANDS).astype(np.float16),
        radar=normalise(radar.array, S1_BANDS).astype(np.float16),
        shares=shares,
        edges=edges.reshape(shares.shape[1:]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """A `rsedu.training.sampler.Source` of radar and optical tiles cut anywhere from some worlds.

    What is drawn follows from the position in the run. With the defaults, both tiles of a pair
    show the same ground; the rest spoils that.

    Attributes:
        worlds: to cut from.
        seed: of the draws.
        side_px: side of a tile.
        shift_px: the radar tile lies so many pixels further along a random direction.
        wrong: share of pairs whose radar tile shows another place, 0 to 1.
        together: this many samples in a row come from within 320 m of one place; 1: from anywhere.
        count: samples in an epoch.
    """

    worlds: Sequence[World]
    seed: int = 0
    side_px: int = SIDE_PX
    shift_px: float = 0.0
    wrong: float = 0.0
    together: int = 1
    count: int = 1_000_000

    def __len__(self) -> int:
        return self.count

    def batch(
        self, indices: Int64[np.ndarray, "batch"], positions: Int64[np.ndarray, "batch"]
    ) -> Mapping[str, Tensor]:
        """Cut "radar" (B, 2, side, side) and "optical" (B, 12, side, side), turned alike."""
        drawn = [self._draw(int(position)) for position in positions]
        radar, optical = (np.stack(images) for images in zip(*drawn, strict=True))
        return {"radar": torch.from_numpy(radar), "optical": torch.from_numpy(optical)}

    def _draw(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng((self.seed, position))
        world, corner = self._anywhere(
            np.random.default_rng((self.seed, position // self.together))
        )
        if self.together > 1:
            corner = self._within(world, corner + generator.integers(-32, 33, size=2))
        optical = self._cut(world.optical, corner)
        angle = generator.uniform(0, 2 * np.pi)
        moved = np.round(self.shift_px * np.array([np.sin(angle), np.cos(angle)])).astype(int)
        if generator.random() < self.wrong:
            world, corner = self._anywhere(generator)
        radar = self._cut(world.radar, self._within(world, corner + moved))
        turns, mirrored = int(generator.integers(4)), generator.random() < 0.5
        return _turned(radar, turns, mirrored), _turned(optical, turns, mirrored)

    def _anywhere(self, generator: np.random.Generator) -> tuple[World, np.ndarray]:
        world = self.worlds[int(generator.integers(len(self.worlds)))]
        return world, generator.integers(0, world.optical.shape[-1] - self.side_px + 1, size=2)

    def _within(self, world: World, corner: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(corner, 0, world.optical.shape[-1] - self.side_px))

    def _cut(self, image: np.ndarray, corner: np.ndarray) -> np.ndarray:
        row, col = corner
        tile = image[:, row : row + self.side_px, col : col + self.side_px]
        return np.array(tile, dtype=np.float32)


def _turned(image: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    turned = np.rot90(image, turns, axes=(1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if mirrored else turned)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tiles:
    """Square places seen by both sensors.

    Attributes:
        radar: (N, 2, side, side) standardised dB.
        optical: (N, 12, side, side) standardised reflectance.
    """

    radar: Float32[Tensor, "tiles 2 side side"]
    optical: Float32[Tensor, "tiles 12 side side"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Places(Tiles):
    """Worlds cut into tiles side by side, row by row, and what is there.

    Attributes:
        shares: (N, 8, side / 8, side / 8) share of each class in each patch.
        edges: (N,) length of the forest's edge in each tile, km per square km.
    """

    shares: Float32[np.ndarray, "tiles 8 patch_rows patch_cols"]
    edges: Float[np.ndarray, "tiles"]

    @property
    def forest(self) -> Float32[np.ndarray, "tiles"]:
        """Share of forest in each tile, 0 to 1."""
        return np.asarray(self.shares[:, FOREST].mean(axis=(1, 2)))

    @property
    def patch_cover(self) -> Int64[np.ndarray, "tiles patches"]:
        """Commonest class of each patch, row by row, an index into `CLASSES`."""
        return np.asarray(rearrange(self.shares, "n k r c -> n (r c) k").argmax(axis=2))


def crop_pairs(worlds: Sequence[World], *, side_px: int = SIDE_PX) -> Places:
    """Cut worlds into tiles; what does not fill a tile is left away.

    Args:
        worlds: of `render_pair`.
        side_px: side of a tile, a multiple of 8.

    Raises:
        InputError: the side is no multiple of a patch.
    """
    if side_px <= 0 or side_px % PATCH_PX:
        raise InputError(f"side_px is {side_px}; wanted a multiple of {PATCH_PX}, a patch's side.")
    radar, optical = (
        torch.from_numpy(np.concatenate([lab.crop(image, side_px) for image in images]))
        for images in zip(*((world.radar, world.optical) for world in worlds), strict=True)
    )
    patches = side_px // PATCH_PX
    shares = np.concatenate([lab.crop(world.shares, patches) for world in worlds])
    edges = np.concatenate([lab.crop(world.edges[None], patches) for world in worlds])
    return Places(radar=radar, optical=optical, shares=shares, edges=edges.mean(axis=(1, 2, 3)))


def real(*, side_px: int) -> Tiles:
    """Cut the six real pairs of `samples.pairs` into tiles, pair by pair and row by row.

    Args:
        side_px: side of a tile in pixels of 10 m; a pair has 120.
    """
    radar, optical = (
        torch.cat([lab.cut(scene, side_px, bands=scene.bands) for scene in scenes])
        for scenes in zip(*((pair.radar, pair.optical) for pair in samples.pairs()), strict=True)
    )
    return Tiles(radar=radar, optical=optical)


def band_means(
    images: Float32[Tensor, "batch bands rows cols"],
) -> Float[np.ndarray, "batch bands"]:
    """Mean of each band: the features that cost nothing."""
    return np.asarray(reduce(images.numpy(), "n b y x -> n b", "mean"))
