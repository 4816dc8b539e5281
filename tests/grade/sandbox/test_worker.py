"""The student's process itself: told a job, it tells what happened, line by line."""

import json
import subprocess
import sys
from typing import Any

from rsedu.grade.sandbox.limits import Limits
from rsedu.grade.sandbox.wire import decode

SETUP = "import math\nimport numpy as np"
ANSWER = "def to_db(power):\n    return 10 * np.log10(power)"


def _told(
    *sources: str, cell: int = 1, setup: tuple[int, ...] = (), **more: Any
) -> list[dict[str, Any]]:
    cells = [{"id": str(n), "source": source} for n, source in enumerate((SETUP, *sources))]
    job = {
        "cells": cells,
        "setup": list(setup),
        "exercises": [{"id": "to_db", "cell": cell}],
        "answer_s": 5.0,
        "build_s": 5.0,
        "limits": vars(Limits()),
        "started": 10_000,
        **more,
    }
    command = [sys.executable, "-P", "-m", "rsedu.grade.sandbox.worker"]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["begun", "done"]
    assert 10 < events[-1]["memory_mb"] < 1000
    return events[1:-1]


def test_each_input_is_answered() -> None:
    first, second = _told(ANSWER)
    assert (first["case"], second["case"]) == (0, 1)
    answer, (power,) = decode(first["result"]), map(decode, first["inputs"])
    assert power.tolist() == [1.0, 10.0, 100.0, 0.5]
    assert answer.round(6).tolist() == [0.0, 10.0, 20.0, -3.0103]


def test_the_setup_of_the_key_wins_over_the_students() -> None:
    fake = "class np:\n    log10 = None\nmy = 1"
    assert _told(fake, ANSWER, cell=2, setup=(1,))[0]["error"] == []
    # In another cell it is the student's own business; what they add to the set-up stays.
    assert "NoneType" in _told(fake, ANSWER, cell=2)[0]["error"][0]
    own = ANSWER.replace("10 *", "10 * my *")
    assert _told(fake, own, cell=2, setup=(1,))[0]["error"] == []


def test_what_goes_wrong_is_told_with_its_line() -> None:
    (broken,) = _told("def to_db(power):\n    return (")
    assert broken["event"] == "broken"
    assert broken["lines"][:2] == ["SyntaxError: '(' was never closed", "line 2 of the cell:"]
    (failed,) = _told("A = 1 / 0\n" + ANSWER.replace("10 *", "A *"))
    assert failed["event"] == "failed"
    assert failed["lines"] == [
        "ZeroDivisionError: division by zero",
        "in <module>, line 1 of the cell:",
        "    A = 1 / 0",
    ]
    assert _told("x = 1") == [{"event": "missing", "exercise": "to_db"}]
    (value,) = _told("to_db = 3")
    assert (value["event"], decode(value["value"])) == ("value", 3)
    assert "takes (power, base)" in _told("def to_db(power, base):\n    pass")[0]["refused"]


def test_stubs_prints_and_direct_writing_are_told_apart() -> None:
    assert _told("def to_db(power):\n    raise NotImplementedError")[0]["not_started"] is True
    body = 'import os\n    print("hello")\n    os.write(1, b"{}\\n")\n    return power'
    first, _ = _told(f"def to_db(power):\n    {body}")
    assert first["printed"] == ["Your function printed:", "    hello"]


def test_a_slow_answer_is_asked_once() -> None:
    slow = "def to_db(power):\n    while True:\n        pass"
    (only,) = _told(slow, answer_s=0.2)
    assert "stopped after 0.2 seconds" in only["error"][0]


def test_chance_is_seeded() -> None:
    source = "def to_db(power):\n    return np.random.random(3)"
    assert _told(source)[0]["result"] == _told(source)[0]["result"]
