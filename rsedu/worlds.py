"""Tiles of the synthetic frontier at many pixel sizes, rendered once and kept on disk.

Every world is rendered at one fine GSD of its own and its coarser tiles are area averages of that,
which is what the frontier would render. So tiles cover a continuous range of GSDs at the cost of
one render per world.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from einops import reduce
from jaxtyping import Float32, Int64, Integer
from torch import Tensor
from tqdm.auto import tqdm

from rsedu.files import write_atomically
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.sources import as_tiles

#: Seeds of worlds. What is learnt on one range is judged on another; nothing else splits them.
TRAIN_WORLDS = range(1000, 2000)
VALIDATION_WORLDS = range(2000, 2100)
TEST_WORLDS = range(3000, 3100)

_BANDS = (*S2_BANDS, *S1_BANDS)
CLASS_COUNT = 8
_VERSION = 1  # of the rendering below; raise it when the pixels change


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """A square of a world on one grid.

    Attributes:
        reflectance: (12, H, W), surface reflectance in the order of S2_BANDS.
        power: (2, H, W), linear backscatter with speckle in the order of S1_BANDS.
        classes: (H, W), land cover, below CLASS_COUNT.
    """

    reflectance: Float32[np.ndarray, "bands rows cols"]
    power: Float32[np.ndarray, "polarisations rows cols"]
    classes: Integer[np.ndarray, "rows cols"]


def render(world: int, *, gsd_m: float, size_px: int) -> View:
    """Render a world from its north-west corner.

    Args:
        world: seed; it also chooses the day.
        gsd_m: metres per pixel.
        size_px: side of the square, pixels.
    """
    raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class TileSpec:
    """Where one tile lies in its world.

    Attributes:
        row: first row at the world's base GSD.
        col: first column, likewise.
        factor: base pixels that become one, along each side.
        gsd_m: metres per pixel of the tile.
    """

    row: int
    col: int
    factor: int
    gsd_m: float


@dataclass(frozen=True, kw_only=True)
class FrontierTiles:
    """Square tiles of synthetic worlds, each with a GSD of its own.

    Sample i is tile ``i % tiles_per_world`` of world ``worlds[i // tiles_per_world]``, always the
    same one. A world's base GSD is drawn log-uniformly from [gsd_m, 2 * gsd_m); each tile then
    takes 1, 2, 4 ... base pixels for one of its own, drawn evenly.

    Attributes:
        worlds: seeds, such as TRAIN_WORLDS.
        folder: where rendered worlds are kept, in a subfolder per setting.
        size_px: side of a tile.
        tiles_per_world: how many tiles are cut from each.
        gsd_m: finest GSD.
        octaves: the coarsest tiles have up to ``gsd_m * 2**octaves`` metres per pixel.
        seed: of the draws.
    """

    worlds: range
    folder: Path
    size_px: int = 128
    tiles_per_world: int = 12
    gsd_m: float = 2.5
    octaves: int = 4
    seed: int = 0

    def __len__(self) -> int:
        return len(self.worlds) * self.tiles_per_world

    @property
    def world_px(self) -> int:
        """Side of a rendered world in base pixels: that of one tile at the coarsest factor."""
        return int(self.size_px * 2 ** (self.octaves - 1))

    @property
    def store(self) -> Path:
        """The folder of these settings; other settings have another."""
        settings = {**asdict(self), "folder": None, "worlds": None, "version": _VERSION}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        return self.folder / digest[:12]

    def specs(self, world: int) -> list[TileSpec]:
        """Where the tiles of one world lie."""
        generator = np.random.default_rng((self.seed, world))
        base_m = self.gsd_m * 2.0 ** generator.uniform()
        specs = []
        for _ in range(self.tiles_per_world):
            factor = 2 ** int(generator.integers(self.octaves))
            row, col = generator.integers(0, self.world_px - self.size_px * factor + 1, size=2)
            specs.append(TileSpec(row=int(row), col=int(col), factor=factor, gsd_m=base_m * factor))
        return specs

    def prepare(self, *, progress: bool = False) -> None:
        """Render every world that is not on disk yet; can be stopped and called again."""
        missing = [world for world in self.worlds if not self._pixels_path(world).exists()]
        for world in tqdm(missing, disable=not progress, unit="world"):
            self._render(world)

    def batch(
        self, indices: Int64[np.ndarray, "batch"], positions: Int64[np.ndarray, "batch"]
    ) -> Mapping[str, Tensor]:
        """Fetch tiles; a world that is not on disk yet is rendered first."""
        places = [self._place(int(index)) for index in indices]
        tiles = [self._opened(self._pixels_path(world), world)[number] for world, number in places]
        gsds = [self.specs(world)[number].gsd_m for world, number in places]
        return as_tiles(np.stack(tiles).astype(np.float32), _BANDS, np.array(gsds))

    def cover(self, index: int) -> Float32[np.ndarray, "classes"]:
        """Share of each land cover class in one tile; the shares sum to 1."""
        world, number = self._place(index)
        shares: np.ndarray = self._opened(self._cover_path(world), world)[number]
        return np.array(shares)

    def _place(self, index: int) -> tuple[int, int]:
        """World and number of the tile within it."""
        return self.worlds[index // self.tiles_per_world], index % self.tiles_per_world

    def _pixels_path(self, world: int) -> Path:
        return self.store / f"{world}-pixels.npy"

    def _cover_path(self, world: int) -> Path:
        return self.store / f"{world}-cover.npy"

    def _opened(self, path: Path, world: int) -> np.ndarray:
        if not path.exists():
            self._render(world)
        mapped: np.ndarray = np.load(path, mmap_mode="r")
        return mapped

    def _render(self, world: int) -> None:
        """Write the tiles of a world, (tiles, bands, rows, cols) float16, and their cover."""
        specs = self.specs(world)
        view = render(world, gsd_m=specs[0].gsd_m / specs[0].factor, size_px=self.world_px)
        cuts = [_cut(view, spec, self.size_px) for spec in specs]
        _save(self._cover_path(world), np.stack([cover for _, cover in cuts]))
        # float16 keeps reflectance to 0.0002 and decibels to 0.01, and halves the disk.
        _save(self._pixels_path(world), np.stack([tile for tile, _ in cuts]).astype(np.float16))


def _cut(
    view: View, spec: TileSpec, size_px: int
) -> tuple[Float32[np.ndarray, "bands rows cols"], Float32[np.ndarray, "classes"]]:
    """One tile, reflectance and dB, and the shares of its classes."""
    rows = slice(spec.row, spec.row + size_px * spec.factor)
    cols = slice(spec.col, spec.col + size_px * spec.factor)
    square = np.concatenate([view.reflectance[:, rows, cols], view.power[:, rows, cols]])
    blocks = "bands (rows y) (cols x) -> bands rows cols"
    tile = reduce(square, blocks, "mean", y=spec.factor, x=spec.factor)
    tile[len(S2_BANDS) :] = 10 * np.log10(tile[len(S2_BANDS) :])  # power averages, dB does not
    counts = np.bincount(view.classes[rows, cols].ravel(), minlength=CLASS_COUNT)
    return tile.astype(np.float32), (counts / counts.sum()).astype(np.float32)


def _save(path: Path, array: np.ndarray) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # np.save would add a suffix to a path
            np.save(file, array)

    write_atomically(path, write)
