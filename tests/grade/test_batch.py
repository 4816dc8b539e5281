"""Many jobs: resumed, lost, in any order, on any number of workers, on a cluster."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from rsedu.errors import InputError, MissingExtraError
from rsedu.grade import batch
from rsedu.grade.batch import Crew
from rsedu.grade.grading import FORMAT, Job, Result
from rsedu.grade.reports import tables
from rsedu.grade.sandbox.limits import Limits
from tests.grade.conftest import answered

MakeJob = Callable[..., Job]
WRONG = "def ndvi(red, nir):\n    return nir - red\n"


def _result(job: Job, **more: Any) -> Result:
    about = {"format": FORMAT, "file": job.file, "student": job.student, "lesson": "01"}
    return {
        **about,
        "problem": "",
        "marks": [],
        "seconds": 1.0,
        "memory_mb": 1.0,
        "final": True,
        **more,
    }


class Counting:
    """A crew of two whose task notes what it was given."""

    def __init__(self, **more: Any) -> None:
        self.seen: list[str] = []
        self._more, self._lock = more, Lock()

    def task(self, job: Job) -> Result:
        with self._lock:
            self.seen.append(job.file)
        if job.file == "lost":
            raise OSError("gone")
        return _result(job, **self._more)

    @contextmanager
    def crew(self) -> Iterator[Crew]:
        with ThreadPoolExecutor(2) as executor:
            yield Crew(executor, 2, self.task)


def _makers(job: MakeJob, *names: str) -> list[Callable[[], Job]]:
    return [partial(job, b"x", file=name) for name in names]


def test_what_was_graded_is_not_graded_again(job: MakeJob, tmp_path: Path) -> None:
    work = Counting()
    with work.crew() as crew:
        first = batch.grade_all(_makers(job, "b", "a"), crew, tmp_path)
        again = batch.grade_all(_makers(job, "a", "b", "c"), crew, tmp_path)
        assert [each["file"] for each in first] == ["a", "b"]
        assert again[:2] == first
        assert sorted(work.seen) == ["a", "b", "c"]
        batch.grade_all(_makers(job, "a"), crew, tmp_path, fresh=True)
    assert sorted(work.seen) == ["a", "a", "b", "c"]


def test_a_half_written_result_is_made_anew(job: MakeJob, tmp_path: Path) -> None:
    work = Counting()
    with work.crew() as crew:
        batch.grade_all(_makers(job, "a"), crew, tmp_path)
        (path,) = tmp_path.iterdir()
        whole = path.read_text()
        for half in (whole[:50], "[]", "{}", "\xff"):
            path.write_text(half, encoding="latin-1")
            batch.grade_all(_makers(job, "a"), crew, tmp_path)
            assert path.read_text() == whole
    assert work.seen == ["a"] * 5


def test_a_lost_worker_is_told_and_tried_again_next_time(job: MakeJob, tmp_path: Path) -> None:
    work = Counting()
    with work.crew() as crew:
        for _ in range(2):
            results = batch.grade_all(_makers(job, "a", "lost"), crew, tmp_path)
            assert [each["problem"] for each in results] == [
                "",
                "The worker that graded it was lost (OSError): run the command again.",
            ]
    assert work.seen.count("lost") == 2 and work.seen.count("a") == 1


def test_what_is_not_final_is_not_kept(job: MakeJob, tmp_path: Path) -> None:
    with Counting(final=False).crew() as crew:
        batch.grade_all(_makers(job, "a"), crew, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_digest_knows_all_that_a_result_depends_on(job: MakeJob) -> None:
    one = job(b"x")
    others = [
        replace(one, content=b"y"),
        replace(one, student="ben"),
        replace(one, file="b"),
        replace(one, problem="a"),
        replace(one, share=0.5),
        replace(one, namespace=True),
        replace(one, limits=Limits()),
        replace(one, keys=one.keys[:1]),
    ]
    assert len({batch.digest(each) for each in (one, *others)}) == 9
    assert batch.digest(job(b"x")) == batch.digest(one)


def _class(job: MakeJob) -> list[Callable[[], Job]]:
    contents = {
        "ana": answered(),
        "ben": answered(ndvi=WRONG),
        "cai": answered(ndvi="import os\nos._exit(1)"),
        "dora": b"{",
    }
    return [partial(job, content, file=name, student=name) for name, content in contents.items()]


def _bytes(results: list[Result]) -> str:
    return tables.grades(results) + tables.exercises(results)


def test_any_number_of_workers_gives_the_same_bytes(job: MakeJob, tmp_path: Path) -> None:
    found = []
    for workers in (1, 3):
        with batch.local(workers) as crew:
            found.append(_bytes(batch.grade_all(_class(job), crew, tmp_path / str(workers))))
    alone = []
    for number, make in enumerate(_class(job)):
        with batch.local(1) as crew:
            alone += batch.grade_all([make], crew, tmp_path / f"alone-{number}")
    assert found[0] == found[1] == _bytes(alone)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_cluster_of_two_gives_the_same_bytes(job: MakeJob, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as two:
        with batch.cluster(two.scheduler_address) as crew:
            assert crew.workers == 2
            found = _bytes(batch.grade_all(_class(job), crew, tmp_path / "cluster"))
    with batch.local(2) as crew:
        assert found == _bytes(batch.grade_all(_class(job), crew, tmp_path / "local"))


def test_a_cluster_that_is_not_there_is_told() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="No Dask scheduler answers at nonsense"):
        with batch.cluster("nonsense://x"):
            pass


def test_missing_dask_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'rsedu\[cluster\]'"):
        with batch.cluster("tcp://127.0.0.1:1"):
            pass
