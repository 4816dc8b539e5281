"""Windowed mapping of a large place: little memory, and what is done stays done."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from rsedu.errors import InputError
from rsedu.io.executor import as_finished
from rsedu.io.files import settings_digest, write_atomically
from rsedu.io.progress_bar import progress_bar
from rsedu.project import change_map
from rsedu.project.task import MARGIN_PX, Stack, Task
from rsedu.synthetic.frontier import Window

WINDOW_PX = 400


@runtime_checkable
class Method(Protocol):
    """What turns a stack into a map."""

    @property
    def name(self) -> str:
        """What tells it, and its settings, from others: windows of another name are not reused."""

    def map(self, stack: Stack) -> Float32[np.ndarray, "rows cols"]:
        """Decimal year of the loss of each pixel, NaN for none."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One window: rows and columns of the place that it answers for, and those that it reads."""

    core: Window
    read: Window

    @property
    def inside(self) -> Window:
        """The core within what is read."""
        rows, cols = (
            slice(core.start - read.start, core.stop - read.start)
            for core, read in zip(self.core, self.read, strict=True)
        )
        return rows, cols

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"r{self.core[0].start:05d}_c{self.core[1].start:05d}.npy"


def parts(shape: tuple[int, int], *, window_px: int, margin_px: int) -> Iterator[Part]:
    """Cut a place into windows, from the north-west, row by row; their cores cover it once.

    Args:
        shape: (rows, cols) of the place.
        window_px: side of a core; those at the east and south edge may be smaller.
        margin_px: read on all sides, as far as the place goes.
    """
    if window_px < 1 or margin_px < 0:
        raise InputError(
            f"window_px is {window_px}, margin_px {margin_px}; wanted 1 or more, and 0 or more."
        )
    for top in range(0, shape[0], window_px):
        for left in range(0, shape[1], window_px):
            rows = slice(top, min(top + window_px, shape[0]))
            cols = slice(left, min(left + window_px, shape[1]))
            read_rows, read_cols = (
                slice(max(core.start - margin_px, 0), min(core.stop + margin_px, size))
                for core, size in zip((rows, cols), shape, strict=True)
            )
            yield Part(core=(rows, cols), read=(read_rows, read_cols))


def _map(method: Method, task: Task, part: Part) -> Float32[np.ndarray, "rows cols"] | Exception:
    """Decimal years of one window's core, or the method's error: others are a lost worker's."""
    stack = task.read(part.read)
    try:
        years = method.map(stack)
        _check(method, stack, years, task)
    except Exception as error:
        return error
    return years[part.inside].astype(np.float32)


def run(
    method: Method,
    task: Task,
    path: Path,
    *,
    window_px: int = WINDOW_PX,
    margin_px: int = MARGIN_PX,
    progress: bool = True,
    executor: Executor | None = None,
) -> Path:
    """Map a whole place; stopped at any moment and called again, it goes on where it was.

    Finished windows are kept beside the map until it is whole. Those of another task, method or
    size of window are never taken for ours. A method that fails is going to be mended under the
    same name, so its windows are thrown away; an interrupt from the keyboard keeps them.

    Args:
        method: maps each window; with an executor it can be pickled.
        task: what is mapped.
        path: of the GeoTIFF, see `rsedu.project.change_map`.
        window_px: side of a window; memory grows with its square.
        margin_px: seen on all sides but not written; as far as the method looks.
        progress: whether to show a bar.
        executor: `rsedu.io.executor.local(4, processes=True)` or a `cluster`; None: here, one by
            one. Windows are drawn with rasterio, which is made for one thread at a time.

    Raises:
        InputError: the method gives something else than decimal years of the period in the shape of
            its stack, as floats, with NaN or 0 for no loss.
    """
    windows = list(parts(task.shape, window_px=window_px, margin_px=margin_px))
    settings = {"method": method.name, "task": asdict(task), "window": [window_px, margin_px]}
    folder = path.with_suffix(".windows") / settings_digest(settings)
    todo = [part for part in windows if not (folder / part.file).exists()]
    call = partial(_map, method, task)
    bar = progress_bar(total=len(windows), hidden=not progress, unit="window", desc=path.stem)
    with bar:
        bar.update(len(windows) - len(todo))
        for part, future in as_finished(executor, call, todo, ahead=len(todo) + 1):
            years = future.result()
            if isinstance(years, Exception):
                _forget(folder)
                raise years
            write_atomically(folder / part.file, partial(_save, years=years))
            bar.update()
    whole = np.full(task.shape, np.nan, dtype=np.float32)
    for part in windows:
        whole[part.core] = np.load(folder / part.file)
    change_map.write(path, whole, task.place)
    shutil.rmtree(folder.parent)
    return path


def _check(method: Method, stack: Stack, years: object, task: Task) -> None:
    """Refuse what would become a map that nobody meant, at the first window."""
    if not isinstance(years, np.ndarray) or years.shape != stack.shape:
        came = years.shape if isinstance(years, np.ndarray) else type(years).__name__
        raise InputError(
            f"The method {method.name!r} gives {came} for a window of {stack.shape} (rows, cols): "
            "return an array with one year for each pixel that it is shown."
        )
    if not np.issubdtype(years.dtype, np.floating):
        raise InputError(
            f"The method {method.name!r} gives {years.dtype}; wanted decimal years as float32, "
            "2021.5 for the middle of 2021, NaN for no loss."
        )
    lost = years[~np.isnan(years) & (years != 0)]
    change_map.check_period(
        f"What the method {method.name!r} gives", lost, task.place.since, task.place.until
    )


def _forget(folder: Path) -> None:
    """Remove the windows of a method that failed."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # missing, or it holds windows of others
        folder.parent.rmdir()


def _save(path: Path, years: np.ndarray) -> None:
    with path.open("wb") as file:  # by name, numpy would add an ending
        np.save(file, years)
