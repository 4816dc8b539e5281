"""Grade many submissions, on the cores there are or on a cluster; what is done stays done."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Event
from typing import Any

import rsedu
from rsedu.errors import InputError, MissingExtraError
from rsedu.grade.grading import FORMAT, Job, Result, grade
from rsedu.io.files import write_atomically
from rsedu.io.progress_bar import progress_bar

_KEYS = {"file", "student", "lesson", "problem", "marks", "seconds", "memory_mb"}


@dataclass(frozen=True)
class Crew:
    """Who does the work.

    Attributes:
        executor: takes calls, in this process's threads or on a cluster.
        workers: how many it does at a time.
        task: grades one job; stops early where that can be asked for.
    """

    executor: Executor
    workers: int
    task: Callable[[Job], Result]


@contextmanager
def local(workers: int) -> Iterator[Crew]:
    """Threads of this process; each waits for a student's process, which does the work.

    Args:
        workers: how many at a time.
    """
    stop = Event()
    executor = ThreadPoolExecutor(workers)
    try:
        yield Crew(executor, workers, partial(grade, stop=stop))
    finally:
        stop.set()  # after Ctrl-C: do not wait for the slow ones
        executor.shutdown(cancel_futures=True)


@contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """The workers of a Dask cluster; they need rsedu, and get each submission's bytes.

    Args:
        address: of its scheduler, such as "tcp://10.0.0.5:8786".

    Raises:
        MissingExtraError: Dask is not installed.
        InputError: nothing answers at the address, or it has no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError(
            "Grading on a cluster needs Dask, which is not installed: pip install 'rsedu[cluster]'."
        ) from error
    try:
        # Dask has no annotations.
        client: Any = Client(address, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address} ({type(error).__name__}): start one with "
            "`dask scheduler`, and give its tcp:// address."
        ) from error
    with client:
        workers = sum(client.nthreads().values())
        if not workers:
            raise InputError(f"The cluster at {address} has no workers: start some, `dask worker`.")
        yield Crew(client.get_executor(pure=False), workers, grade)


@cache
def _code() -> str:
    """Digest of what decides about a result: a changed check makes old results worthless."""
    package = Path(rsedu.__file__).resolve().parent
    sources = [
        path
        for part in ("course", "grade", "lessons")
        for path in sorted((package / part).rglob("*.py"))
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


def digest(job: Job) -> str:
    """Name a job by all that its result depends on.

    Returns:
        64 hexadecimal digits.
    """
    about = [FORMAT, _code(), job.file, job.student, job.problem, job.namespace, job.share]
    about += [key.digest for key in job.keys]
    text = json.dumps([*about, sorted(vars(job.limits).items())])
    return hashlib.sha256(text.encode() + b"\0" + job.content).hexdigest()


def load(path: Path) -> Result | None:
    """Read a result of an earlier run; None where there is none, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(found, dict) and found.get("format") == FORMAT and found.keys() >= _KEYS
    return found if usable else None


def save(path: Path, result: Result) -> None:
    """Keep a result, whole or not at all."""
    text = json.dumps(result, indent=1, sort_keys=True) + "\n"
    write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))


def _lost(job: Job, error: BaseException) -> Result:
    text = f"The worker that graded it was lost ({type(error).__name__}): run the command again."
    about: dict[str, Any] = {"format": FORMAT, "file": job.file, "student": job.student}
    none = {"lesson": "", "marks": [], "seconds": 0.0, "memory_mb": 0.0, "final": False}
    return {**about, **none, "problem": text}


def _outcome(future: "Future[Result]", job: Job) -> Result:
    try:
        return future.result()
    except Exception as error:  # of the worker, not of the submission
        return _lost(job, error)


def _new(jobs: Iterable[Job], crew: Crew) -> Iterator[tuple[Job, Result]]:
    """Results as they come; never more jobs in memory than keep the workers busy."""
    waiting: dict[Future[Result], Job] = {}
    for job in jobs:
        waiting[crew.executor.submit(crew.task, job)] = job
        if len(waiting) >= 2 * crew.workers:
            yield from _ready(waiting)
    while waiting:
        yield from _ready(waiting)


def _ready(waiting: "dict[Future[Result], Job]") -> Iterator[tuple[Job, Result]]:
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        job = waiting.pop(future)
        yield job, _outcome(future, job)


def grade_all(
    makers: Sequence[Callable[[], Job]], crew: Crew, folder: Path, *, fresh: bool = False
) -> list[Result]:
    """Grade submissions; those that were graded before are not graded again.

    Args:
        makers: each reads one submission into a job, when its turn comes.
        crew: who does the work.
        folder: where results are kept, one file each, as soon as they are there.
        fresh: whether to grade all anew.

    Returns:
        Results by file name, whatever the order they came in.
    """
    results: list[Result] = []
    progress = progress_bar(total=len(makers), unit="submission", desc="Grading")

    def left() -> Iterator[Job]:
        for make in makers:
            job = make()
            before = None if fresh else load(folder / f"{digest(job)}.json")
            if before is None:
                yield job
            else:
                results.append(before)
                progress.update()

    with progress:
        for job, result in _new(left(), crew):
            if result["final"]:
                save(folder / f"{digest(job)}.json", result)
            results.append(result)
            progress.update()
    return sorted(results, key=lambda each: each["file"])
