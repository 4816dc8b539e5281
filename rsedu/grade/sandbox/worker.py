"""Worker: the process in which a student's code runs, `python -P -m rsedu.grade.sandbox.worker`.

It reads a job from its standard input, and answers on its standard output, a line of JSON for each
thing that happened. It judges nothing: whatever a student's code does to it, to rsedu's checks or
to numpy, it can only give other numbers than asked for.
"""

import ast
import copy
import ctypes
import json
import linecache
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from rsedu.course import check, registry
from rsedu.course.call import Call, call
from rsedu.course.exercise import Exercise
from rsedu.grade.reading.slicing import Cell, Statement, slice_for, statements
from rsedu.grade.sandbox.limits import Limits, restrain
from rsedu.grade.sandbox.seccomp import forbid_processes
from rsedu.grade.sandbox.wire import encode

Say = Callable[..., None]
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def _channel() -> Say:
    """Keep the standard output for answers; what a student's code writes goes to the other one."""
    file = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(event: str, exercise: str, **facts: Any) -> None:
        file.write(json.dumps({"event": event, "exercise": exercise, **facts}) + "\n")
        file.flush()

    return say


def _seed() -> None:
    random.seed(0)
    np.random.seed(0)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)


def _run(statement: Statement, cells: Sequence[Cell], scope: dict[str, Any]) -> None:
    """Run one statement under the name of its cell, so that a traceback can show its lines."""
    cell = cells[statement.cell]
    name = f"<cell {cell.id}>"
    lines = cell.source.splitlines(keepends=True)
    linecache.cache[name] = (len(cell.source), None, lines, name)
    module = ast.Module([statement.node], [])  # line numbers stay those of the cell
    exec(compile(module, name, "exec", dont_inherit=True), scope)


def _build(chosen: Sequence[Statement], cells: Sequence[Cell], limit_s: float) -> Call:
    """Run what an answer needs; the result is the notebook's names."""
    scope: dict[str, Any] = {"__name__": "__main__"}

    def build() -> dict[str, Any]:
        for statement in chosen:
            _run(statement, cells, scope)
        return scope

    return call(build, (), limit_s=limit_s)


def _called(
    exercise: Exercise, answer: Any, given: list[tuple[Any, ...]], job: dict[str, Any]
) -> Any:
    """Call an answer with every input; yields what happened, as JSON can carry it."""
    for number, inputs in enumerate(given):
        refused = check.signature_fault(exercise, answer, inputs)
        if refused:
            yield {"case": number, "refused": refused}
            continue
        used = copy.deepcopy(inputs)
        start = time.perf_counter()
        limit_s = min(exercise.limit_s, job["answer_s"])
        done = call(answer, used, limit_s=limit_s)
        spent_s = time.perf_counter() - start
        yield {
            "case": number,
            "result": encode(done.result),
            "inputs": [encode(each) for each in used],
            "not_started": done.not_started,
            "error": list(done.error),
            "printed": list(done.printed),
        }
        if spent_s >= limit_s:  # it will hang on the next input too
            return


def _answer(
    exercise: Exercise,
    chosen: Sequence[Statement],
    cells: Sequence[Cell],
    given: Any,
    job: dict[str, Any],
    say: Say,
) -> None:
    """Answer one exercise."""
    _seed()
    built = _build(chosen, cells, job["build_s"])
    if built.error or built.not_started:
        raised = built.error or ("NotImplementedError, outside the function.",)
        say("failed", exercise.id, lines=list(raised))
        return
    answer = built.result.get(exercise.id)
    if not exercise.is_function or not callable(answer):
        say("value", exercise.id, value=encode(answer))
        return
    for happened in _called(exercise, answer, given, job):
        say("case", exercise.id, **happened)


def _memory_mb() -> float:
    """Most memory so far, in 2^20 bytes; 0 where the system does not tell."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def work(job: dict[str, Any], say: Say) -> None:
    """Answer every exercise of a job.

    Args:
        job: as `rsedu.grade.grading` makes it.
        say: called with each event: "begun", then "broken" (a cell that is no Python), "missing"
            (no such name), "failed" (what the answer needs raises), "value", or "case" for each
            input; then "done".
    """
    wanted = [(registry.exercise(each["id"]), each["cell"]) for each in job["exercises"]]
    # All inputs are made before a student's code runs, which might change what makes them.
    given = {exercise.id: [case() for case in exercise.cases] for exercise, _ in wanted}
    cells = [Cell(each["id"], each["source"]) for each in job["cells"]]
    forbid_processes()
    restrain(Limits(**job["limits"]), started=job["started"])
    all_, broken = statements(cells)
    all_ = _guarded(all_, set(job["setup"]))
    for exercise, cell in wanted:
        say("begun", exercise.id)
        chosen = slice_for(all_, exercise.id, cell)
        if cell in broken:
            error = broken[cell]
            where = f"line {error.lineno} of the cell:" if error.lineno else "in this cell"
            lines = [f"SyntaxError: {error.msg}", where, f"    {(error.text or '').strip()}"]
            say("broken", exercise.id, lines=lines)
        elif not chosen:
            say("missing", exercise.id)
        else:
            _answer(exercise, chosen, cells, given[exercise.id], job, say)
        say("done", exercise.id, memory_mb=round(_memory_mb(), 1))


def _guarded(all_: list[Statement], setup: set[int]) -> list[Statement]:
    """The key's set-up (cell 0) wins over the student's copies of it, name by name."""
    names = {name for statement in all_ if statement.cell == 0 for name in statement.binds}
    return [
        statement
        for statement in all_
        if statement.cell not in setup or not statement.binds & names
    ]


def main() -> None:
    """Do the job that stands on the standard input."""
    with suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    job = json.loads(sys.stdin.buffer.read())
    sys.stdin.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    work(job, _channel())


if __name__ == "__main__":
    main()
