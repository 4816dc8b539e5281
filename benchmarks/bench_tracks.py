"""Seconds and peak memory of one whole place of 20 x 20 km, by windows.

Run by hand, one method a process, since memory is counted per process:
python benchmarks/bench_tracks.py A
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from rsedu.project.methods.baselines import (
    NdviDifference,
    PixelClassifier,
    PixelForest,
    RadarLogRatio,
)
from rsedu.project.methods.clicks import Clicked
from rsedu.project.methods.clouds import ThroughClouds
from rsedu.project.methods.features import Pixels
from rsedu.project.methods.one_example import OneExample, example_of
from rsedu.project.methods.scales import MixedGsd
from rsedu.project.place import Place
from rsedu.project.task import Task
from rsedu.project.windows import Method, run

METHODS: dict[str, Callable[[Task], Method]] = {
    "ndvi": lambda task: NdviDifference(),
    "radar": RadarLogRatio.fit,
    "forest": PixelForest.fit,
    "pixels": lambda task: PixelClassifier.fit(Pixels()),
    "A": lambda task: PixelClassifier.fit(MixedGsd.fit()),
    "B": lambda task: PixelClassifier.fit(ThroughClouds.fit()),
    "C": lambda task: Clicked.fit(task, minutes=20.0),
    "D": lambda task: OneExample.fit(example_of(task)),
}


def main() -> None:
    """Print one row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=list(METHODS))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--place", type=int, default=2000)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    task = Task(place=Place(seed=options.place))
    start = time.perf_counter()
    method = METHODS[options.method](task)
    fitted = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run(method, task, Path(folder) / "map.tif")
    mapped = time.perf_counter()
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{options.method}: fit {fitted - start:.0f} s, map with rendering {mapped - fitted:.0f} s,"
        f" peak {peak_gb:.2f} GB, {options.threads} threads"
    )


if __name__ == "__main__":
    main()
