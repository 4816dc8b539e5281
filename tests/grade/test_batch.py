"""Many jobs: resumed, lost, stopped, in any order, on any number of workers."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Lock

import pytest

from rsedu.grade import batch
from rsedu.grade.grading import FORMAT, Job, Result
from rsedu.grade.reports import tables
from rsedu.grade.sandbox.limits import Limits
from rsedu.io import executor
from tests.grade.conftest import answered

MakeJob = Callable[..., Job]
WRONG = "def ndvi(red, nir):\n    return nir - red\n"


class Fake:
    """Grades nothing, two at a time, and notes what it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor) -> None:
        self.graded: list[str] = []
        self.final = True
        self._lock, self._pool = Lock(), pool
        monkeypatch.setattr(batch, "grade", self._grade)

    def _grade(self, job: Job, stop: Event) -> Result:
        with self._lock:
            self.graded.append(job.file)
        if job.file == "lost":
            raise OSError("gone")
        if job.file == "slow":
            stop.wait(60)
        about = {"format": FORMAT, "file": job.file, "student": job.student, "lesson": "01"}
        rest = {"problem": "", "marks": [], "seconds": 1.0, "memory_mb": 1.0}
        return {**about, **rest, "final": self.final}

    def __call__(self, makers: list[Callable[[], Job]], folder: Path, **more: bool) -> list[Result]:
        return batch.grade_all(makers, self._pool, folder, workers=2, **more)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    with ThreadPoolExecutor(2) as pool:
        yield Fake(monkeypatch, pool)


def _makers(job: MakeJob, *names: str) -> list[Callable[[], Job]]:
    return [partial(job, b"x", file=name) for name in names]


def test_what_was_graded_is_not_graded_again(fake: Fake, job: MakeJob, tmp_path: Path) -> None:
    first = fake(_makers(job, "b", "a"), tmp_path)
    again = fake(_makers(job, "a", "b", "c"), tmp_path)
    assert [each["file"] for each in first] == ["a", "b"]
    assert again[:2] == first
    assert sorted(fake.graded) == ["a", "b", "c"]
    fake(_makers(job, "a"), tmp_path, fresh=True)
    assert sorted(fake.graded) == ["a", "a", "b", "c"]


def test_a_half_written_result_is_made_anew(fake: Fake, job: MakeJob, tmp_path: Path) -> None:
    fake(_makers(job, "a"), tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_text()
    for half in (whole[:50], "[]", "{}", "\xff"):
        path.write_text(half, encoding="latin-1")
        fake(_makers(job, "a"), tmp_path)
        assert path.read_text() == whole
    assert fake.graded == ["a"] * 5


def test_a_lost_worker_is_told_and_tried_again_next_time(
    fake: Fake, job: MakeJob, tmp_path: Path
) -> None:
    lost = "The worker that graded it was lost (OSError): run the command again."
    for _ in range(2):
        results = fake(_makers(job, "a", "lost"), tmp_path)
        assert [each["problem"] for each in results] == ["", lost]
    assert fake.graded.count("lost") == 2 and fake.graded.count("a") == 1


def test_what_is_not_final_is_not_kept(fake: Fake, job: MakeJob, tmp_path: Path) -> None:
    fake.final = False
    fake(_makers(job, "a"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_stops_the_slow_ones_and_keeps_what_is_done(
    fake: Fake, job: MakeJob, tmp_path: Path
) -> None:
    def interrupt() -> Job:
        deadline = time.monotonic() + 10
        while "slow" not in fake.graded and time.monotonic() < deadline:
            time.sleep(0.01)
        raise KeyboardInterrupt

    fake(_makers(job, "a"), tmp_path)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fake([*_makers(job, "a", "slow", "slow"), interrupt], tmp_path)
    fake(_makers(job, "a"), tmp_path)
    assert time.monotonic() - start < 30  # the slow ones would take 60 s
    assert fake.graded.count("a") == len(list(tmp_path.iterdir())) == 1


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
    makers, found = _class(job), []
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        with executor.local(workers) as (pool, count):
            found.append(_bytes(batch.grade_all(makers, pool, folder, workers=count)))
        # Each alone, by what was stored of it.
        alone = [result for make in makers if (result := _stored(folder, make()))]
        assert len(alone) == 4 and _bytes(alone) == found[-1]
    assert found[0] == found[1]


def _stored(folder: Path, job: Job) -> Result | None:
    return batch.load(folder / f"{batch.digest(job)}.json")
