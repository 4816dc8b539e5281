"""Limits are checked when they are made, and hold when they are set."""

import subprocess
import sys

import pytest

from rsedu.errors import InputError
from rsedu.grade.sandbox.limits import Limits

REFUSED = [
    ({"memory_mb": 0}, r"memory_mb is 0; wanted more than 0\."),
    ({"answer_s": float("nan")}, "answer_s is nan"),
    ({"answer_s": 60, "wall_s": 60}, "give the process more than the call"),
]


@pytest.mark.parametrize(("limits", "message"), REFUSED)
def test_what_is_no_limit_is_told(limits: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Limits(**limits)
    Limits(memory_mb=1, answer_s=59.9, wall_s=60)


def test_they_hold_in_a_real_process() -> None:
    script = """
from rsedu.grade.sandbox.limits import Limits, restrain
restrain(Limits(memory_mb=300, file_mb=1), started=10_000)
found = []
try:
    bytearray(260 * 2**20)  # less than the limit, more than four fifths of it
except MemoryError:
    found.append("memory")
try:
    with open("large", "wb", buffering=0) as file:
        for _ in range(3):
            file.write(bytes(2**20))
except OSError:
    found.append("file")
import resource
found.append(resource.getrlimit(resource.RLIMIT_CORE))
print(found)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "['memory', 'file', (0, 0)]\n", done.stderr
