"""Grade many submissions, on the cores there are or on a cluster; what is done stays done."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from threading import Event
from typing import Any

import rsedu
from rsedu.grade.grading import FORMAT, Job, Result, grade
from rsedu.io.executor import as_finished
from rsedu.io.files import write_atomically
from rsedu.io.progress_bar import progress_bar

_KEYS = {"file", "student", "lesson", "problem", "marks", "seconds", "memory_mb"}


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
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(result, dict) and result.get("format") == FORMAT
    return result if usable and result.keys() >= _KEYS else None


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


def grade_all(
    makers: Sequence[Callable[[], Job]],
    executor: Executor,
    folder: Path,
    *,
    workers: int,
    fresh: bool = False,
) -> list[Result]:
    """Grade submissions; those that were graded before are not graded again.

    Args:
        makers: each reads one submission into a job, when its turn comes.
        executor: where they are graded, see `rsedu.io.executor`.
        folder: where results are kept, one file each, as soon as they are there.
        workers: how many the executor grades at a time.
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

    stop = Event()  # no event crosses to another machine
    call = partial(grade, stop=stop) if isinstance(executor, ThreadPoolExecutor) else grade
    try:
        with progress:
            for job, future in as_finished(executor, call, left(), ahead=2 * workers):
                result = _outcome(future, job)
                if result["final"]:
                    save(folder / f"{digest(job)}.json", result)
                results.append(result)
                progress.update()
    finally:
        stop.set()  # after Ctrl-C: do not wait for the slow ones
    return sorted(results, key=lambda result: result["file"])
