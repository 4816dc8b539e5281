"""Grade one submission: read it, run its answers in a process of their own, judge them."""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

import rsedu
from rsedu.course import registry
from rsedu.errors import InputError, RseduError
from rsedu.grade import judging, matching
from rsedu.grade.key import Key, find_key, other_lessons
from rsedu.grade.matching import Matched
from rsedu.grade.reading import submissions
from rsedu.grade.reading.submissions import CodeCell
from rsedu.grade.sandbox import bubblewrap, process
from rsedu.grade.sandbox.limits import Limits
from rsedu.grade.sandbox.process import Ended

FORMAT = "rsedu grade 1"
_MAX_LETTERS = 20_000  # of code, as it is shown; an answer of the kit has a twentieth
Result = dict[str, Any]
Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that is needed to grade one submission, on this machine or on another.

    Attributes:
        file: path below the submissions' folder, as it is shown.
        student: name of its author.
        content: bytes of the notebook.
        problem: why there are none; empty where there are.
        keys: the lessons' keys.
        limits: what its process may take.
        namespace: whether it gets a world of its own.
        share: what a wrong value of the right kind counts, 0 to 1.
        hidden: folders that its process must not see.
    """

    file: str
    student: str
    content: bytes
    problem: str
    keys: tuple[Key, ...]
    limits: Limits
    namespace: bool
    share: float
    hidden: tuple[Path, ...] = ()


@dataclass
class _Run:
    """What has come back so far of one submission, over several processes where one was stopped."""

    events: dict[str, list[Event]]
    stopped: dict[str, str] = field(default_factory=dict)
    memory_mb: float = 0.0


def _environment() -> dict[str, str]:
    """What a student's process knows of this machine: where Python is, and no more."""
    return {
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": "/tmp",
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path(rsedu.__file__).resolve().parent.parent),
        "RSEDU_DEVICE": "cpu",
        "TQDM_DISABLE": "1",
        "TZ": "UTC",
    }


def _started() -> int:
    """Processes and threads of this user, which Linux counts together."""
    count = 0
    for running in psutil.process_iter(["uids", "num_threads"]):
        uids = running.info["uids"]
        if uids is not None and uids.real == os.getuid():
            count += running.info["num_threads"] or 1
    return count


def _job_text(job: Job, key: Key, cells: Sequence[CodeCell], todo: Sequence[Matched]) -> bytes:
    """The process's standard input: cells, exercises, limits. Cell 0 is the key's set-up."""
    sources = [
        {"id": cell.id or str(number), "source": cell.source} for number, cell in enumerate(cells)
    ]
    settings = {
        "cells": [{"id": "set-up", "source": key.setup}, *sources],
        "setup": [number + 1 for number, cell in enumerate(cells) if cell.id == key.setup_cell],
        "exercises": [{"id": match.id, "cell": (match.number or 0) + 1} for match in todo],
        "answer_s": job.limits.answer_s,
        "build_s": job.limits.wall_s / 2,  # imports take long on a busy machine
        "limits": vars(job.limits),
        "started": _started(),
    }
    return json.dumps(settings).encode()


def _events(reply: bytes | bytearray, known: Collection[str]) -> list[Event]:
    """Lines of JSON; what is none was written by somebody else, and is left out."""
    events = []
    for line in bytes(reply).splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        name = event.get("exercise") if isinstance(event, dict) else None
        if isinstance(name, str) and name in known:
            events.append(event)
    return events


def _sentence(ended: Ended, limits: Limits) -> str:
    """Why a process did not get to its end."""
    reasons = {
        "time": f"it took more than {limits.wall_s:g} seconds; look for a loop that does not end",
        "memory": f"it took more than {limits.memory_mb} MB of memory",
        "processes": f"it started more than {limits.processes} processes or threads",
        "output": f"it wrote more than {limits.output_kb} kB",
        "reply": f"its answers have more than {limits.reply_mb} MB",
        "grader": "the grader was stopped",
    }
    if ended.stopped:
        return f"This answer was stopped: {reasons[ended.stopped]}."
    # bubblewrap tells a signal as shells do, by adding 128.
    ended_by = -ended.status if ended.status < 0 else ended.status - 128
    if ended_by > 0:
        return f"This answer ended the Python that ran it, by signal {ended_by}."
    return f"This answer ended the Python that ran it, with exit status {ended.status}."


def _attempt(
    job: Job, key: Key, cells: Sequence[CodeCell], todo: Sequence[Matched], stop: Any
) -> Ended:
    """Run one process on the exercises that are left."""
    command = [sys.executable, "-P", "-m", "rsedu.grade.sandbox.worker"]
    if job.namespace:
        command = bubblewrap.wrap(command, hidden=job.hidden)
    with tempfile.TemporaryDirectory(prefix="rsedu-grade-", ignore_cleanup_errors=True) as folder:
        return process.run(
            command,
            _job_text(job, key, cells, todo),
            folder=folder,
            environment=_environment(),
            limits=job.limits,
            stop=stop,
        )


def _run(
    job: Job, key: Key, cells: Sequence[CodeCell], matches: Sequence[Matched], stop: Any
) -> _Run:
    """Run the answers; one that stops its process is blamed only where it came first in it."""
    todo = [match for match in matches if match.number is not None]
    run = _Run({match.id: [] for match in todo})
    while todo:
        ended = _attempt(job, key, cells, todo, stop)
        run.memory_mb = max(run.memory_mb, ended.memory_mb)
        done = set()
        for event in _events(ended.reply, {match.id for match in todo}):
            run.events[event["exercise"]].append(event)
            run.memory_mb = max(run.memory_mb, _megabytes(event))
            if event.get("event") == "done":
                done.add(event["exercise"])
        left = [match for match in todo if match.id not in done]
        if ended.stopped == "grader":
            break
        if left and len(left) < len(todo):
            # Those before it may have used up time or memory: it is tried first in a new process.
            run.events[left[0].id].clear()
        elif left:
            run.stopped[left.pop(0).id] = _sentence(ended, job.limits)
        todo = left
    return run


def _megabytes(event: Event) -> float:
    number = event.get("memory_mb")
    return number if isinstance(number, float) and 0 <= number < 1e6 else 0.0


def _mark(job: Job, cells: Sequence[CodeCell], match: Matched, run: _Run) -> dict[str, Any]:
    exercise = registry.exercise(match.id)
    if match.number is None:
        mark = judging.mark_missing(exercise)
        return {**asdict(mark), "remark": match.remark}
    source = cells[match.number].source
    mark = judging.mark_answer(
        exercise,
        run.events[match.id],
        share=job.share,
        stopped=run.stopped.get(match.id, ""),
        names=matching.names(source),
    )
    return {**asdict(mark), "code": source[:_MAX_LETTERS], "remark": match.remark}


def _result(job: Job, lesson: str, problem: str, **more: Any) -> Result:
    empty: Result = {"marks": [], "seconds": 0.0, "memory_mb": 0.0, "final": True}
    about = {"format": FORMAT, "file": job.file, "student": job.student, "remark": ""}
    return {**about, "lesson": lesson, "problem": problem, **empty, **more}


def _grade(job: Job, stop: threading.Event | None) -> Result:
    start = time.monotonic()
    if job.problem:
        return _result(job, "", job.problem)
    if job.namespace and bubblewrap.missing():
        raise InputError(f"It was to be run in a namespace, and cannot: {bubblewrap.missing()}")
    cells = submissions.cells(job.content)
    key = find_key(job.keys, cells, Path(job.file).name)
    matches = matching.match(key, cells)
    run = _run(job, key, cells, matches, stop)
    return _result(
        job,
        key.lesson,
        "",
        remark=other_lessons(job.keys, key, cells),
        marks=[_mark(job, cells, match, run) for match in matches],
        seconds=round(time.monotonic() - start, 2),
        memory_mb=round(run.memory_mb, 1),
    )


def grade(job: Job, stop: threading.Event | None = None) -> Result:
    """Grade one submission.

    Args:
        job: what to grade, and how.
        stop: ends it when set; its result is then of no use.

    Returns:
        A dict that JSON can carry: "format", "file", "student", "lesson" (empty where it is not
        known), "problem" (a sentence where nothing could be graded), "remark" (what is odd),
        "marks" (one for each exercise of the lesson, see `rsedu.grade.judging.Mark`), "seconds",
        "memory_mb", "final" (False where another try may do better). Whatever the submission
        holds, this does not raise.
    """
    try:
        return _grade(job, stop)
    except RseduError as error:
        return _result(job, "", str(error))
    except Exception as error:  # one bad file never stops the batch
        text = f"The grader itself failed on it ({type(error).__name__}): look at it by hand."
        return _result(job, "", text, final=False)
