"""Training tiles of the synthetic frontier at many pixel sizes, rendered once and stored."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64
from torch import Tensor

from rsedu.errors import InputError
from rsedu.io.files import read_array, settings_digest, write_array
from rsedu.io.progress_bar import progress_bar
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.tensors import as_tiles
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.random_fields import FINE_M

#: Seeds of worlds. What is learnt on one range is judged on another; nothing else splits them.
TRAIN_WORLDS = range(1000, 2000)
VALIDATION_WORLDS = range(2000, 2100)
TEST_WORLDS = range(3000, 3100)

#: About evenly spread over the octaves from 2.5 to 60 m, and each a whole number of cells.
GSDS_M = (2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0)
FIRST_DATE, LAST_DATE = 2005.0, 2026.0

_BANDS = (*S2_BANDS, *S1_BANDS)
_VERSION = 2  # of the pixels; raise it when they change


@dataclass(frozen=True, kw_only=True)
class TileSpec:
    """One tile of a world.

    Attributes:
        rows: pixels of the world at the tile's GSD, from the north.
        cols: pixels of the world at the tile's GSD, from the west.
        gsd_m: metres per pixel.
        date: decimal year.
    """

    rows: slice
    cols: slice
    gsd_m: float
    date: float


@dataclass(frozen=True, kw_only=True)
class FrontierTiles:
    """Square tiles of synthetic worlds under clear sky, each at a GSD and a date of its own.

    Sample i is tile ``i % tiles_per_world`` of world ``worlds[i // tiles_per_world]``, always the
    same one. GSDs are drawn evenly from the list, dates between 2005 and 2026, places evenly. A
    world is as large as one tile at the coarsest GSD.

    Attributes:
        worlds: seeds, such as TRAIN_WORLDS.
        folder: where rendered tiles are stored, in a subfolder per setting.
        size_px: side of a tile, pixels.
        tiles_per_world: how many tiles are cut from each.
        gsds_m: metres per pixel, multiples of 2.5.
        seed: decides on sizes, dates and places.

    Raises:
        InputError: a GSD is no multiple of 2.5 m.
    """

    worlds: range
    folder: Path
    size_px: int = 128
    tiles_per_world: int = 12
    gsds_m: tuple[float, ...] = GSDS_M
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = [gsd_m for gsd_m in self.gsds_m if gsd_m < FINE_M or gsd_m % FINE_M]
        if wrong or not self.gsds_m:
            raise InputError(f"gsds_m is {self.gsds_m}; wanted one or more multiples of 2.5 m.")

    def __len__(self) -> int:
        return len(self.worlds) * self.tiles_per_world

    @property
    def world_m(self) -> float:
        """Side of a world in metres, a multiple of 20."""
        side_m = self.size_px * max(self.gsds_m)
        return float(-(-side_m // 20) * 20)

    @property
    def store(self) -> Path:
        """The folder of these settings; other settings have another."""
        settings = {**asdict(self), "folder": None, "worlds": None, "version": _VERSION}
        return self.folder / settings_digest(settings)

    def specs(self, world: int) -> list[TileSpec]:
        """Where and when the tiles of one world are."""
        generator = np.random.default_rng((self.seed, world))
        specs = []
        for _ in range(self.tiles_per_world):
            gsd_m = float(generator.choice(self.gsds_m))
            room = int(self.world_m / gsd_m) - self.size_px
            top, left = (int(start) for start in generator.integers(0, room + 1, size=2))
            specs.append(
                TileSpec(
                    rows=slice(top, top + self.size_px),
                    cols=slice(left, left + self.size_px),
                    gsd_m=gsd_m,
                    date=float(generator.uniform(FIRST_DATE, LAST_DATE)),
                )
            )
        return specs

    def prepare(self, *, progress: bool = False, processes: int = 1) -> None:
        """Render every world that is not on disk yet; can be stopped and called again.

        Args:
            progress: show a bar.
            processes: that render side by side; a world takes about 2 s.

        Raises:
            InputError: the folder cannot be written.
        """
        missing = [world for world in self.worlds if not self._path(world, "pixels").exists()]
        hidden = not (progress and missing)
        with progress_bar(total=len(missing), hidden=hidden, unit="world", desc="rendering") as bar:
            if processes == 1 or len(missing) < 2:
                for world in missing:
                    self._render(world)
                    bar.update()
                return
            # Not forked: a fork would copy the locks of whatever threads torch has running.
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                for _ in pool.map(self._render, missing):
                    bar.update()

    def batch(
        self, indices: Int64[np.ndarray, "batch"], positions: Int64[np.ndarray, "batch"]
    ) -> Mapping[str, Tensor]:
        """Fetch tiles; a world that is not on disk yet is rendered first."""
        places = [self._place(int(index)) for index in indices]
        tiles = [self._stored(world, "pixels")[number] for world, number in places]
        gsds = [self._specs(world)[number].gsd_m for world, number in places]
        return as_tiles(np.stack(tiles).astype(np.float32), _BANDS, np.array(gsds))

    def cover(self, index: int) -> Float32[np.ndarray, "classes"]:
        """Share of each land cover class in one tile; the shares sum to 1."""
        world, number = self._place(index)
        return np.array(self._stored(world, "cover")[number])

    def _place(self, index: int) -> tuple[int, int]:
        """World and number of the tile within it."""
        return self.worlds[index // self.tiles_per_world], index % self.tiles_per_world

    @lru_cache(maxsize=4096)  # noqa: B019  # keyed by the settings, which are few
    def _specs(self, world: int) -> list[TileSpec]:
        return self.specs(world)

    def _path(self, world: int, kind: str) -> Path:
        return self.store / f"{world}-{kind}.npy"

    def _stored(self, world: int, kind: str) -> np.ndarray:
        """The tiles of a world, rendered where they are missing or damaged."""
        path = self._path(world, kind)
        stored = read_array(path)
        if stored is None:
            self._render(world)
            stored = np.lib.format.open_memmap(path, mode="r")
        return stored

    def _render(self, world: int) -> None:
        """Store the tiles of a world, (tiles, bands, rows, cols) float16, and their cover."""
        place = Frontier(seed=world, size_m=self.world_m)
        tiles, shares = zip(*(_cut(place, spec) for spec in self.specs(world)), strict=True)
        # float16 keeps reflectance to 0.0002 and decibels to 0.01, and halves the disk.
        arrays = {"cover": np.stack(shares), "pixels": np.stack(tiles).astype(np.float16)}
        for kind, array in arrays.items():
            if not write_array(self._path(world, kind), array):
                raise InputError(f"{self.store} cannot be written: choose another folder.")


def _cut(
    place: Frontier, spec: TileSpec
) -> tuple[Float32[np.ndarray, "bands rows cols"], Float32[np.ndarray, "classes"]]:
    """One tile, reflectance and dB, and the shares of its classes."""
    window = (spec.rows, spec.cols)
    optical = place.optical(date=spec.date, gsd_m=spec.gsd_m, window=window)
    radar = place.radar(date=spec.date, gsd_m=spec.gsd_m, window=window)
    truth = place.truth(date=spec.date, gsd_m=spec.gsd_m, window=window)
    shares = truth.fractions.mean(axis=(1, 2), dtype=np.float32)
    return np.concatenate([optical.array, radar.array]), shares
