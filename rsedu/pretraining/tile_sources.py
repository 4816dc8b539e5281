"""Sources of pre-training tiles: GeoTIFFs, any torch data set; turned, shrunk, renamed.

Each is a `training.sampler.Source` of *tiles*, as `synthetic.tiles.FrontierTiles` is: "optical"
(B, C, H, W) and, where there is radar, "radar" (B, 2, H, W), standardised, and "gsd" (B,), metres
per pixel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from rasterio.io import DatasetReader
from rasterio.windows import Window
from torch import Tensor

from rsedu.errors import InputError, MissingDataError
from rsedu.io.files import visible_files
from rsedu.io.progress_bar import progress_bar
from rsedu.io.raster_file import data_bands, open_raster, scale_tags
from rsedu.scenes.bands import S2_BANDS, S2_BRIGHTEST
from rsedu.scenes.grid import ground_size_m
from rsedu.scenes.reader import BandReader
from rsedu.scenes.tensors import as_tiles
from rsedu.training.sampler import Numbers, Source

_TRIES = 50  # windows drawn before those that fit are looked up


@dataclass(frozen=True)
class _Derived:
    """A source of tiles made of another's, sample by sample."""

    inner: Source

    def __len__(self) -> int:
        return len(self.inner)


@dataclass(frozen=True)
class RandomSymmetry(_Derived):
    """Any source of tiles, each turned and mirrored at random.

    The eight symmetries of a square, drawn from the sample's position in the run. North is lost;
    the shadow side and the radar's look side with it.
    """

    seed: int = 0

    def batch(self, indices: Numbers, positions: Numbers) -> Mapping[str, Tensor]:
        """Fetch turned tiles; every image of a sample is turned alike."""
        draws = (np.random.default_rng((self.seed, position)) for position in positions.tolist())
        turns = [int(draw.integers(8)) for draw in draws]
        tiles = dict(self.inner.batch(indices, positions))
        for name, value in tiles.items():
            if value.ndim == 4:
                turned = [_turn(image, turn) for image, turn in zip(value, turns, strict=True)]
                tiles[name] = torch.stack(turned)
        return tiles


def _turn(image: Tensor, turn: int) -> Tensor:
    turned = torch.rot90(image, turn % 4, dims=(1, 2))
    return turned.flip(2) if turn >= 4 else turned


@dataclass(frozen=True)
class SelectInputs(_Derived):
    """A source of tiles under the names of a model's arguments."""

    names: Mapping[str, str]  # argument of the model -> entry of the tile; the rest is left out

    def batch(self, indices: Numbers, positions: Numbers) -> Mapping[str, Tensor]:
        """Fetch tiles under their new names."""
        tiles = self.inner.batch(indices, positions)
        missing = sorted(set(self.names.values()) - set(tiles))
        if missing:
            raise InputError(
                f"The model needs {', '.join(missing)} and the data has {', '.join(tiles)}; "
                "choose another model or other data."
            )
        return {argument: tiles[name] for argument, name in self.names.items()}


@dataclass(frozen=True)
class Downsample(_Derived):
    """A source of tiles, area-averaged to coarser pixels.

    Radar tiles are in dB and averaged as such, about 2.5 dB below the mean of the power of
    single-look speckle: render radar at its GSD rather than shrink it.
    """

    factor: int  # pixels that become one along each side, which it divides; the GSD grows by it

    def batch(self, indices: Numbers, positions: Numbers) -> Mapping[str, Tensor]:
        """Fetch coarser tiles."""
        shrink, factor = torch.nn.functional.avg_pool2d, self.factor
        tiles = self.inner.batch(indices, positions).items()
        return {
            name: shrink(value, factor) if value.ndim == 4 else value * factor
            for name, value in tiles
        }


@dataclass(frozen=True, kw_only=True)
class GeoTiffTiles:
    """Random windows of the GeoTIFFs in a folder, read as `scenes.reader` reads them.

    Each file's bands are named by their descriptions ("B02", "VV"); its place gives the side of a
    pixel on the ground. Only the window is read, and only windows that were observed wholly.

    Attributes:
        folder: searched with its subfolders for .tif and .tiff files; hidden ones are passed over.
        size_px: side of a tile.
        bands: names to read; every file must have them.
        windows_per_file: per epoch, fresh ones each time.
        scale: reflectance (or dB) = scale * stored value + offset, of files that declare no scale;
            floats below 2 are reflectance or dB already.
        offset: see `scale`.
        seed: of the windows.

    Raises:
        MissingDataError: no file.
        BrokenDataError: a file is cut off.
        InputError: a file lacks a band, is smaller than a tile, or has no window that was observed
            wholly. All files are looked at before the first batch.
    """

    folder: Path
    size_px: int
    bands: tuple[str, ...] = S2_BANDS
    windows_per_file: int = 64
    scale: float = 1.0
    offset: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.files:
            raise MissingDataError(
                f"There is no .tif or .tiff file in {self.folder}; give the folder of your scenes."
            )
        for path in progress_bar(self.files, desc="Looking at the scenes", unit="file", delay=2):
            self._window(path, 0, check=True)

    @cached_property  # listing a large folder at every step would cost more than reading
    def files(self) -> list[Path]:
        """The files, sorted by name, so that an index means the same on every machine."""
        return visible_files(self.folder, ".tif", ".tiff")

    def __len__(self) -> int:
        return len(self.files) * self.windows_per_file

    def batch(self, indices: Numbers, positions: Numbers) -> Mapping[str, Tensor]:
        """Fetch windows: the index chooses the file, the position the place within it."""
        windows = [
            self._window(self.files[int(index) // self.windows_per_file], int(position))
            for index, position in zip(indices, positions, strict=True)
        ]
        arrays, gsds = zip(*windows, strict=True)
        return as_tiles(np.stack(arrays), self.bands, np.array(gsds))

    def _window(
        self, path: Path, position: int, *, check: bool = False
    ) -> tuple[Float32[np.ndarray, "bands rows cols"], float]:
        """One window that was observed wholly, and the side of its pixels in metres."""
        generator = np.random.default_rng((self.seed, position))
        with open_raster(path) as file:
            reader = BandReader(
                source=file,
                numbers=_band_numbers(file, self.bands),
                names=self.bands,
                unit="reflectance" if set(self.bands) <= set(S2_BANDS) else "dn",
            )
            if check:  # the last pixel is what a file that was cut off lacks
                reader.read(Window(file.width - 1, file.height - 1, 1, 1))
            room = (file.height - self.size_px, file.width - self.size_px)
            if min(room) < 0:
                raise InputError(
                    f"{path} has {file.height} x {file.width} pixels, fewer than a tile's "
                    f"{self.size_px} x {self.size_px}; take a smaller tile or leave the file out."
                )
            for row, col in self._places(reader, room, generator):
                values, valid = reader.read(Window(col, row, self.size_px, self.size_px))
                if valid.all():
                    gsd_m = ground_size_m(file.transform, file.crs, col=col, row=row)
                    return self._physical(reader, values), gsd_m
        raise InputError(
            f"{path} has no window of {self.size_px} x {self.size_px} px that was observed wholly: "
            "leave the file out, or take smaller tiles."
        )

    def _places(
        self, reader: BandReader, room: tuple[int, int], generator: np.random.Generator
    ) -> Iterator[tuple[int, int]]:
        """Places to try: random ones and then, at the edge of a swath, one that is known to fit."""
        for _ in range(_TRIES):
            row, col = generator.integers((room[0] + 1, room[1] + 1))
            yield int(row), int(col)
        runs = self._observed(reader)
        if runs:
            row, first, last = runs[int(generator.integers(len(runs)))]
            yield row, int(generator.integers(first, last + 1))

    def _observed(self, reader: BandReader) -> list[tuple[int, int, int]]:
        """(row, first, last column) of windows' corners in strips of the file, found once."""
        path = Path(reader.source.name)
        if path not in self._runs:
            width, height, size = reader.source.width, reader.source.height, self.size_px
            found = []
            for row in range(0, height - size + 1, size):
                _, valid = reader.read(Window(0, row, width, size))
                holes = np.cumsum(np.concatenate([[0], ~valid.all(axis=0)]))
                fits = np.flatnonzero(holes[size:] == holes[:-size])
                for run in np.split(fits, np.flatnonzero(np.diff(fits) > 1) + 1):
                    if run.size:
                        found.append((row, int(run[0]), int(run[-1])))
            self._runs[path] = found
        return self._runs[path]

    @cached_property
    def _runs(self) -> dict[Path, list[tuple[int, int, int]]]:
        return {}

    def _physical(
        self, reader: BandReader, values: Float32[np.ndarray, "bands rows cols"]
    ) -> Float32[np.ndarray, "bands rows cols"]:
        kinds = {np.dtype(reader.source.dtypes[number - 1]).kind for number in reader.numbers}
        # Floats are reflectance or dB already, unless no reflectance can be as large.
        physical = kinds == {"f"} and values.mean(axis=(1, 2)).max() < S2_BRIGHTEST
        if physical or scale_tags(reader.source, reader.numbers) is not None:
            return values
        return values * np.float32(self.scale) + np.float32(self.offset)


def _band_numbers(file: DatasetReader, bands: Sequence[str]) -> list[int]:
    data_bands(file)  # refuses complex numbers
    names = list(file.descriptions)
    missing = [name for name in bands if name not in names]
    if missing:
        raise InputError(
            f"{file.name} has no band called {', '.join(missing)}; its bands are called {names}. "
            "Set the descriptions of the bands to names such as B02 or VV."
        )
    return [names.index(name) + 1 for name in bands]


@dataclass(frozen=True, kw_only=True)
class DatasetTiles:
    """Random crops of a torch data set whose samples are images, pairs, or dicts with "image".

    A model trains on EuroSAT by torchgeo in four lines::

        dataset = torchgeo.datasets.EuroSAT100("data", bands=S2_BANDS, download=True)
        tiles = DatasetTiles(dataset=dataset, bands=S2_BANDS, gsd_m=10.0, size_px=64, scale=1e-4)
        model = RECIPES["mae"].build()
        train(model, RECIPES["mae"].inputs_of(tiles, turn=True), TrainConfig(steps=1000))

    The data set has a length, and images of shape (C, H, W) by number; `bands` names the channels
    in their order (EuroSAT stores B8A last). Reflectance (or dB) = scale * value + offset.
    """

    dataset: Any
    bands: tuple[str, ...]
    gsd_m: float
    size_px: int  # side of a tile
    scale: float = 1.0
    offset: float = 0.0
    seed: int = 0  # of the crops

    def __len__(self) -> int:
        return len(self.dataset)

    def batch(self, indices: Numbers, positions: Numbers) -> Mapping[str, Tensor]:
        """Fetch crops; the position chooses the place within the image."""
        pairs = zip(indices.tolist(), positions.tolist(), strict=True)
        crops = np.stack([self._crop(index, position) for index, position in pairs])
        return as_tiles(crops, self.bands, np.full(len(crops), self.gsd_m))

    def _crop(self, index: int, position: int) -> Float32[np.ndarray, "bands rows cols"]:
        sample = self.dataset[index]
        if isinstance(sample, Mapping):
            sample = sample["image"]
        elif isinstance(sample, tuple | list):
            sample = sample[0]
        image = np.asarray(sample, dtype=np.float32)  # (C, H, W)
        if image.ndim != 3 or len(image) != len(self.bands) or min(image.shape[1:]) < self.size_px:
            raise InputError(
                f"Image {index} has the shape {image.shape}; wanted {len(self.bands)} bands "
                f"({', '.join(self.bands)}) and {self.size_px} pixels or more each way."
            )
        room = np.array(image.shape[1:]) - self.size_px
        row, col = np.random.default_rng((self.seed, position)).integers(room + 1)
        crop = image[:, row : row + self.size_px, col : col + self.size_px]
        return crop * np.float32(self.scale) + np.float32(self.offset)
