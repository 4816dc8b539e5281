"""Grade one submission: read it, run its answers in a process of their own, judge them."""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import rsedu
from rsedu.course import registry
from rsedu.errors import InputError, RseduError
from rsedu.grade import judging, matching
from rsedu.grade import key as key_of
from rsedu.grade.judging import Mark
from rsedu.grade.key import Key
from rsedu.grade.matching import Matched
from rsedu.grade.reading import submissions
from rsedu.grade.reading.submissions import CodeCell
from rsedu.grade.sandbox import bubblewrap
from rsedu.grade.sandbox import process as contain
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
        file: where it lies below the submissions' folder, as it is shown.
        student: whose it is.
        content: bytes of the notebook.
        problem: why there are none; empty where there are.
        keys: of the lessons.
        limits: of its process.
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
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids = process.info["uids"]
        if uids is not None and uids.real == os.getuid():
            count += process.info["num_threads"] or 1
    return count


def _job_text(job: Job, key: Key, cells: Sequence[CodeCell], todo: Sequence[Matched]) -> bytes:
    """What the process is told: cells, exercises, limits. Cell 0 is the key's set-up."""
    setup = [number + 1 for number, cell in enumerate(cells) if cell.id == key.setup_cell]
    told = {
        "cells": [{"id": "set-up", "source": key.setup}]
        + [
            {"id": cell.id or str(number), "source": cell.source}
            for number, cell in enumerate(cells)
        ],
        "setup": setup,
        "exercises": [{"id": each.id, "cell": (each.number or 0) + 1} for each in todo],
        "answer_s": job.limits.answer_s,
        "build_s": job.limits.wall_s / 2,  # imports take long on a busy machine
        "limits": vars(job.limits),
        "started": _started(),
    }
    return json.dumps(told).encode()


def _events(reply: bytes | bytearray, known: Collection[str]) -> list[Event]:
    """Lines of JSON; what is none was written by somebody else, and is left out."""
    found = []
    for line in bytes(reply).splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        name = event.get("exercise") if isinstance(event, dict) else None
        if isinstance(name, str) and name in known:
            found.append(event)
    return found


def _sentence(ended: Ended, limits: Limits) -> str:
    """Why a process did not get to its end."""
    said = {
        "time": f"it took more than {limits.wall_s:g} seconds; look for a loop that does not end",
        "memory": f"it took more than {limits.memory_mb} MB of memory",
        "processes": f"it started more than {limits.processes} processes or threads",
        "output": f"it wrote more than {limits.output_kb} kB",
        "reply": f"its answers have more than {limits.reply_mb} MB",
        "grader": "the grader was stopped",
    }
    if ended.stopped:
        return f"This answer was stopped: {said[ended.stopped]}."
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
        return contain.run(
            command,
            _job_text(job, key, cells, todo),
            folder=folder,
            environment=_environment(),
            limits=job.limits,
            stop=stop,
        )


def _run(
    job: Job, key: Key, cells: Sequence[CodeCell], matched: Sequence[Matched], stop: Any
) -> _Run:
    """Run the answers; one that stops its process is blamed only where it came first in it."""
    todo = [each for each in matched if each.number is not None]
    run = _Run({each.id: [] for each in todo})
    while todo:
        ended = _attempt(job, key, cells, todo, stop)
        run.memory_mb = max(run.memory_mb, ended.memory_mb)
        done = set()
        for event in _events(ended.reply, {each.id for each in todo}):
            run.events[event["exercise"]].append(event)
            run.memory_mb = max(run.memory_mb, _megabytes(event))
            if event.get("event") == "done":
                done.add(event["exercise"])
        left = [each for each in todo if each.id not in done]
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
    found = event.get("memory_mb")
    return found if isinstance(found, float) and 0 <= found < 1e6 else 0.0


def _missing(id_: str, remark: str) -> Mark:
    exercise = registry.exercise(id_)
    return Mark(
        id=id_,
        title=exercise.title,
        points=exercise.points,
        earned=0.0,
        state="not started",
        diagnosis="",
        lines=("There is no cell for it in the notebook.",),
        right=0,
        inputs=len(exercise.cases),
        alike="",
        remark=remark,
    )


def _marks(
    job: Job, cells: Sequence[CodeCell], matched: Sequence[Matched], run: _Run
) -> list[Result]:
    marks = []
    for each in matched:
        if each.number is None:
            marks.append(judging.as_dict(_missing(each.id, each.remark)))
            continue
        mark = judging.judge(
            registry.exercise(each.id),
            run.events[each.id],
            share=job.share,
            stopped=run.stopped.get(each.id, ""),
            names=matching.names(cells[each.number].source),
        )
        code = cells[each.number].source[:_MAX_LETTERS]
        marks.append({**judging.as_dict(mark), "code": code, "remark": each.remark})
    return marks


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
    key = key_of.match(job.keys, cells, Path(job.file).name)
    matched = matching.match(key, cells)
    run = _run(job, key, cells, matched, stop)
    return _result(
        job,
        key.lesson,
        "",
        remark=key_of.others(job.keys, key, cells),
        marks=_marks(job, cells, matched, run),
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
