"""The synthetic frontier is the same to the bit in whole and in parts, on every processor.

Other threads and processors are asked for in fresh processes: numpy, OpenBLAS and torch look at
them once, when they are loaded. Where a library has no code for another processor, it takes its own
again, and the test is weaker but no less true.
"""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

# Wide, high, one pixel, and across a seam between the strips that are rendered one by one.
SUSPECTS = """
import hashlib

import numpy as np

from rsedu.project.methods.features import spectrum
from rsedu.project.place import Place
from rsedu.project.task import Task
from rsedu.synthetic.frontier import Frontier

PARTS = [
    np.s_[2:5, 3:90], np.s_[1:80, 40:42], np.s_[9:10, 77:78], np.s_[60:70, 0:33], np.s_[0:90, 0:90]
]
place = Frontier(seed=7, size_m=1280.0)
suspects = {
    "task": lambda part: Task(place=Place(seed=7, size_m=1280.0)).read(part).optical[1],
    "spectrum": lambda part: spectrum(place.optical(date=2021.5, gsd_m=10, window=part).array),
    "shares": lambda part: place.truth(date=2021.5, gsd_m=7.5, window=part).fractions,
}
for gsd_m in (5.0, 7.0, 10.0, 12.5):
    now = {"date": 2021.5, "gsd_m": gsd_m}
    suspects |= {
        f"optical {gsd_m}": lambda part, now=now: place.optical(
            window=part, cloud_cover=0.4, **now
        ).array,
        f"radar {gsd_m}": lambda part, now=now: place.radar(window=part, **now).array,
    }
for name, of in suspects.items():
    whole = of(np.s_[0:100, 0:100])
    for part in PARTS:
        for values in (whole[(..., *part)], of(part)):
            print(name, part, hashlib.sha256(values.tobytes()).hexdigest())
"""


def suspects(**environment: str) -> list[str]:
    command = [sys.executable, "-c", SUSPECTS]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def here() -> list[str]:
    return suspects(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def test_a_part_has_the_bits_of_the_whole(here: list[str]) -> None:
    assert len(here) == 2 * 5 * 11
    assert here[::2] == here[1::2]


def test_two_threads_give_the_same_bits(here: list[str]) -> None:
    assert suspects(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2") == here


def test_an_older_processor_gives_the_same_bits(here: list[str]) -> None:
    found = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    may = np._core._multiarray_umath.__cpu_dispatch__  # type: ignore[attr-defined]
    older = {"NPY_DISABLE_CPU_FEATURES": " ".join(name for name in may if found[name])}
    if platform.machine().lower() in ("x86_64", "amd64"):
        older["OPENBLAS_CORETYPE"] = "Prescott"
    assert suspects(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", **older) == here
