"""Two Dask workers: calls, submissions and windows run there, with the same bytes as here."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import pytest

from rsedu.grade import batch
from rsedu.grade.grading import Job
from rsedu.grade.reports import tables
from rsedu.io import executor
from rsedu.project import windows
from rsedu.project.methods.baselines import RadarLogRatio
from rsedu.project.place import Place
from rsedu.project.task import Task
from tests.grade.conftest import answered

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as two:
        with executor.chosen(two.scheduler_address, None) as (pool, workers):
            assert workers == 2
            yield pool


def test_calls_come_back_with_their_items_and_errors(pool: Executor) -> None:
    done = dict(executor.as_finished(pool, math.sqrt, [1, 4, -1], ahead=2))
    assert (done[1].result(), done[4].result()) == (1, 2)
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        done[-1].result()


def test_submissions_give_the_same_bytes(
    pool: Executor, job: Callable[..., Job], tmp_path: Path
) -> None:
    contents = {"ana": answered(), "ben": answered(ndvi="import os\nos._exit(1)"), "cai": b"{"}
    makers = [partial(job, text, file=name, student=name) for name, text in contents.items()]
    there = batch.grade_all(makers, pool, tmp_path / "there", workers=2)
    with executor.local(2) as (threads, count):
        here = batch.grade_all(makers, threads, tmp_path / "here", workers=count)
    assert tables.grades(there) == tables.grades(here)
    assert tables.exercises(there) == tables.exercises(here)


def test_windows_give_the_same_bytes(pool: Executor, tmp_path: Path) -> None:
    task = Task(place=Place(seed=3, size_m=2000.0))
    maps = []
    for name, where in (("there", pool), ("here", None)):
        path = tmp_path / f"{name}.tif"
        windows.run(
            RadarLogRatio(fall_db=1.7),
            task,
            path,
            window_px=100,
            margin_px=10,
            progress=False,
            executor=where,
        )
        maps.append(path.read_bytes())
    assert maps[0] == maps[1]
