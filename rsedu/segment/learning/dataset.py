"""Training tiles of the small SAM: the synthetic frontier with its objects, stored on disk."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional as F

from rsedu.io.files import settings_digest, stored_array, write_array
from rsedu.io.progress_bar import progress_bar
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.colours import stretch
from rsedu.segment.learning.objects import openings, plots
from rsedu.synthetic.frontier import Frontier

BANDS = (*S2_BANDS, *S1_BANDS)
CLASS, PLOT, OPENING = len(BANDS), len(BANDS) + 1, len(BANDS) + 2  # what follows the bands
GSDS_M = (2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0)
FIRST_DATE, LAST_DATE = 2005.0, 2026.0
WORLD_M = 7680.0
_TRIES = 4  # at finding a tile with something on it
_VERSION = 2  # of what is stored; raise it when that changes

#: Red, green, blue, and how often each triple is shown.
COMPOSITES = (
    (("B04", "B03", "B02"), 0.37),
    (("B08", "B04", "B03"), 0.38),
    (("B11", "B08", "B04"), 0.15),
    (("VV", "VH", "VV"), 0.10),
)


@dataclass(frozen=True, kw_only=True)
class PracticeTiles:
    """Square tiles of synthetic worlds, each at a GSD and a date of its own, with its objects.

    As a `training.sampler.Source` it hands out images of 256 px in random colours, cut, turned and
    changed in contrast at random, and the masks of some of their objects.

    Attributes:
        worlds: seeds.
        folder: where rendered tiles are kept, in a subfolder per setting.
        size_px: side of a stored tile.
        tiles_per_world: how many are cut from each.
        objects: masks handed out per image, the same object again where there are fewer.
        image_px: side of an image as handed out; masks have a quarter of it.
        seed: of places, dates and of what is random in a batch.
    """

    worlds: range
    folder: Path
    size_px: int = 128
    tiles_per_world: int = 12
    objects: int = 8
    image_px: int = 256
    seed: int = 0

    def __len__(self) -> int:
        return len(self.worlds) * self.tiles_per_world

    @property
    def store(self) -> Path:
        """The folder of these settings; other settings have another."""
        settings = asdict(self) | {"gsds": GSDS_M, "version": _VERSION}
        for name in ("folder", "worlds", "objects", "image_px"):
            del settings[name]
        return self.folder / settings_digest(settings)

    def prepare(self, *, progress: bool = False) -> None:
        """Render every world that is not on disk yet; can be stopped and called again.

        Where the folder can't be written, a `NotStoredWarning` says so, and worlds are rendered
        when they are needed.
        """
        missing = [world for world in self.worlds if not self._path(world).exists()]
        for world in progress_bar(missing, hidden=not (progress and missing), unit="world"):
            if not write_array(self._path(world), self._render(world)):
                return

    def tile(self, index: int) -> UInt8[np.ndarray, "layers rows cols"]:
        """Stored tile: bands stretched to 0 to 255, then class, number of plot, of opening."""
        world, number = divmod(index, self.tiles_per_world)
        return np.asarray(_opened(self, self.worlds[world])[number])

    def gsd_m(self, index: int) -> float:
        """Metres per pixel of a stored tile, the same for every world."""
        return GSDS_M[index % self.tiles_per_world % len(GSDS_M)]

    def batch(
        self, indices: Int64[np.ndarray, "batch"], positions: Int64[np.ndarray, "batch"]
    ) -> Mapping[str, Tensor]:
        """Fetch images, masks and classes.

        "images" (B, 3, S, S) float32, 0 to 255; "masks" (B, K, S/4, S/4) float32, share of each
        cell that is the object; "classes" (B, S/4, S/4) int64.
        """
        samples = [
            self._sample(self.tile(int(index)), np.random.default_rng((self.seed, int(position))))
            for index, position in zip(indices, positions, strict=True)
        ]
        names = ("images", "masks", "classes")
        return {name: torch.stack([s[at] for s in samples]) for at, name in enumerate(names)}

    def _path(self, world: int) -> Path:
        return self.store / f"{world}.npy"

    def _render(self, world: int) -> np.ndarray:
        """(tiles, layers, rows, cols) uint8."""
        place = Frontier(seed=world, size_m=WORLD_M)
        rng = np.random.default_rng((self.seed, world))
        gsds = [self.gsd_m(number) for number in range(self.tiles_per_world)]
        return np.stack([_cut(place, gsd_m, self.size_px, rng) for gsd_m in gsds])

    def _sample(self, tile: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Image, masks and classes of one tile, cut and turned at random."""
        cut = _turned(_cropped(tile, rng), rng)
        weights = [share for _, share in COMPOSITES]
        names = COMPOSITES[int(rng.choice(len(COMPOSITES), p=weights))][0]
        image = torch.from_numpy(cut[[BANDS.index(name) for name in names]].copy()).float()
        size = (self.image_px, self.image_px)
        image = F.interpolate(image[None], size=size, mode="bilinear", align_corners=False)[0]
        half = self.image_px // 2
        maps = torch.from_numpy(cut[len(BANDS) :].copy()).float()
        maps = F.interpolate(maps[None], size=(half, half), mode="nearest")[0]
        masks = F.avg_pool2d(_chosen(maps[1:], self.objects, rng), 2)
        return _contrasted(image, rng), masks, maps[0, ::2, ::2].long()


def practice(worlds: range, folder: Path, seed: int) -> PracticeTiles:
    """Tiles to practise on; the first process of each machine renders what is missing."""
    tiles = PracticeTiles(worlds=worlds, folder=folder, seed=seed)
    if int(os.environ.get("LOCAL_RANK", 0)) == 0:
        tiles.prepare(progress=True)
    return tiles


@lru_cache(maxsize=128)  # each is an open file, of which some systems allow 256
def _opened(tiles: PracticeTiles, world: int) -> np.ndarray:
    return stored_array(tiles._path(world), partial(tiles._render, world))


def _cut(
    place: Frontier, gsd_m: float, size_px: int, rng: np.random.Generator
) -> UInt8[np.ndarray, "layers rows cols"]:
    """Render one tile, if possible one with two objects or more."""
    room = int(WORLD_M / gsd_m) - size_px
    for _ in range(_TRIES):
        top, left = (int(start) for start in rng.integers(0, room + 1, size=2))
        window = (slice(top, top + size_px), slice(left, left + size_px))
        date = float(rng.uniform(FIRST_DATE, LAST_DATE))
        classes = place.truth(date=date, gsd_m=gsd_m, window=window).classes
        numbers = plots(classes)
        if numbers.max() > 1:
            break
    optical = place.optical(date=date, gsd_m=gsd_m, window=window).array
    radar = place.radar(date=date, gsd_m=gsd_m, window=window).array
    planes = [stretch(band) for band in (*optical, *radar)]
    return np.stack([*planes, classes, numbers, openings(classes)])


def _cropped(tile: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square part of it, five eighths of the side at least."""
    whole = tile.shape[-1]
    side = int(rng.integers(5 * whole // 8, whole + 1))
    top, left = rng.integers(0, whole - side + 1, size=2)
    return tile[:, top : top + side, left : left + side]


def _turned(tile: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    turned = np.rot90(tile, int(rng.integers(4)), axes=(1, 2))
    return turned[:, :, ::-1] if rng.random() < 0.5 else turned


def _contrasted(image: Float[Tensor, "3 rows cols"], rng: np.random.Generator) -> Tensor:
    """Each colour with another exponent, all with a little noise."""
    exponents = torch.from_numpy(np.exp(rng.normal(0, 0.2, size=(3, 1, 1)))).float()
    noise = torch.from_numpy(rng.standard_normal(image.shape, dtype=np.float32))
    changed = 255 * (image / 255) ** exponents + float(rng.uniform(0, 8)) * noise
    return changed.clamp(0, 255)


def _chosen(
    maps: Float[Tensor, "2 rows cols"], count: int, rng: np.random.Generator
) -> Float[Tensor, "count rows cols"]:
    """Masks of some numbered objects: three plots to an opening; forest where there is none."""
    least, most = maps[0].numel() // 400, 0.6 * maps[0].numel()
    numbers_of = []  # by kind
    for numbers in maps:
        sizes = torch.bincount(numbers.long().ravel())
        sizes[0] = 0
        numbers_of.append([int(n) for n in torch.nonzero((sizes >= least) & (sizes <= most))])
    picks = []
    for _ in range(count):
        kind = int(rng.random() < 0.25)
        kind = kind if numbers_of[kind] else 1 - kind
        number = int(rng.choice(numbers_of[kind])) if numbers_of[kind] else 0
        picks.append((maps[kind if number else 0] == number).float())
    return torch.stack(picks)
