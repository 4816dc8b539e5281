"""Windows: covering a place once, going on after a stop."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.io import executor
from rsedu.project import change_map
from rsedu.project.methods.baselines import RadarLogRatio
from rsedu.project.place import Place
from rsedu.project.task import Stack, Task
from rsedu.project.windows import parts, run


class Dark:
    """Calls a pixel lost where VH is low at the first date; can be stopped."""

    name = "dark"

    def __init__(self, *, stop_after: int = 99) -> None:
        self.calls, self.stop_after = 0, stop_after

    def map(self, stack: Stack) -> np.ndarray:
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        return np.where(stack.radar[0, 1] < -18, 2021.0, np.nan).astype(np.float32)


def test_cores_cover_a_place_once_and_margins_stay_inside() -> None:
    seen = np.zeros((70, 45), dtype=int)
    for part in parts((70, 45), window_px=30, margin_px=8):
        seen[part.core] += 1
        inside = np.add.outer(np.arange(70) * 100, np.arange(45))[part.read][part.inside]
        assert inside[0, 0] == part.core[0].start * 100 + part.core[1].start
    assert (seen == 1).all()
    with pytest.raises(InputError, match="1 or more"):
        list(parts((5, 5), window_px=0, margin_px=0))


def test_a_stopped_run_goes_on_and_gives_the_map_of_one_window(place: Place) -> None:
    task, path = Task(place=place), Path("map.tif")
    with pytest.raises(KeyboardInterrupt):
        run(Dark(stop_after=2), task, path, window_px=100, margin_px=10, progress=False)
    assert not path.exists()
    again = Dark()
    run(again, task, path, window_px=100, margin_px=10, progress=False)
    assert again.calls == 2
    whole = Dark().map(task.read())
    assert np.array_equal(change_map.read(path, place), whole, equal_nan=True)
    assert not path.with_suffix(".windows").exists()


def test_processes_give_the_same_bytes(place: Place) -> None:
    task, method = Task(place=place), RadarLogRatio(fall_db=1.7)
    run(method, task, Path("here.tif"), window_px=100, progress=False)
    with executor.local(2, processes=True) as (pool, _):
        run(method, task, Path("there.tif"), window_px=100, progress=False, executor=pool)
    assert Path("here.tif").read_bytes() == Path("there.tif").read_bytes()


class Answers:
    """Gives what a function makes of the stack's shape, and fails in one of its calls."""

    name = "answers"

    def __init__(self, give: Callable[[tuple[int, int]], object], *, fails_at: int = 99) -> None:
        self.give, self.fails_at, self.calls = give, fails_at, 0

    def map(self, stack: Stack) -> np.ndarray:
        self.calls += 1
        if self.calls == self.fails_at:
            raise IndexError("a bug")
        return self.give(stack.shape)  # type: ignore[return-value]


def constant(year: float) -> Callable[[tuple[int, int]], np.ndarray]:
    return lambda shape: np.full(shape, year, dtype=np.float32)


def small(
    method: Answers, place: Place, path: Path, executor: Executor | None = None
) -> np.ndarray:
    size = {"window_px": 100, "margin_px": 10}
    run(method, Task(place=place), path, **size, progress=False, executor=executor)
    return change_map.read(path, place)


def test_a_lost_worker_leaves_the_windows_that_are_done(place: Place) -> None:
    class Loses(ThreadPoolExecutor):
        def submit(self, *words: Any, **more: Any) -> Future[Any]:  # type: ignore[override]
            future = super().submit(*words, **more)
            future.exception()  # waits: those before it are done
            if words[1].core[0].start and words[1].core[1].start:
                future = Future()
                future.set_exception(OSError("lost"))
            return future

    method, path = Answers(constant(2021.25)), Path("map.tif")
    with Loses(1) as pool, pytest.raises(OSError, match="lost"):
        small(method, place, path, pool)
    (folder,) = path.with_suffix(".windows").iterdir()
    assert len(list(folder.iterdir())) == 3
    method.calls = 0
    assert (small(method, place, path) == 2021.25).all()
    assert method.calls == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_a_mended_method_maps_every_window_itself(place: Place, workers: int) -> None:
    path = Path("map.tif")
    with executor.local(1) as (pool, _), pytest.raises(IndexError):
        small(Answers(constant(2021.25), fails_at=3), place, path, pool if workers else None)
    assert not path.with_suffix(".windows").exists()
    assert (small(Answers(constant(2023.25)), place, path) == 2023.25).all()


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (lambda shape: np.full((shape[0] - 1, shape[1]), 2022.0), r"gives \(109, 110\) for"),
        (lambda shape: np.full((1, shape[1]), 2022.0), r"gives \(1, 110\) for a window of \(110"),
        (lambda shape: None, "gives NoneType"),
        (lambda shape: np.full(shape, 2022), "gives int64; wanted decimal years"),
        (constant(1999.0), "12100 pixels with years outside the period of 2020.5 to 2025.5"),
        (constant(np.inf), "outside the period"),
    ],
)
def test_an_answer_that_is_no_map_is_refused_at_once(
    place: Place, give: Callable[[tuple[int, int]], object], message: str
) -> None:
    method, path = Answers(give), Path("map.tif")
    with pytest.raises(InputError, match=message):
        small(method, place, path)
    assert method.calls == 1
    assert not path.with_suffix(".windows").exists()


def test_nought_is_no_loss(place: Place) -> None:
    def checks(shape: tuple[int, int]) -> np.ndarray:
        return np.where(np.indices(shape).sum(axis=0) % 2, 2022.5, 0.0)

    found = small(Answers(checks), place, Path("map.tif"))
    assert np.array_equal(np.nan_to_num(found), checks(place.grid.shape))
