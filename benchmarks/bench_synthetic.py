"""How fast is the synthetic frontier? Run by hand, here on two cores of a Linux machine:

OMP_NUM_THREADS=2 taskset -c 0,1 python benchmarks/bench_synthetic.py

Sentinel-2 and Sentinel-1 of one place, 1024 x 1024 px at 10 m, 12 + 2 bands. Every repeat is a
place not seen before, so that its geometry is drawn too; the first of all also makes the noise
fields. Processor seconds are printed beside the clock's, which says little on a busy machine.
"""

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable

from rsedu.synthetic.frontier import Frontier

SIZE_M = 10_240.0
DATE = 2023.5
MiB = 2**20
TARGET_S = 2.0

CASES: dict[str, Callable[[Frontier], object]] = {
    "12 + 2 bands": lambda place: (place.optical(date=DATE), place.radar(date=DATE)),
    "12 bands": lambda place: place.optical(date=DATE),
    "2 bands": lambda place: place.radar(date=DATE),
    "12 + 2 bands, clouds": lambda place: (
        place.optical(date=DATE, cloud_cover=0.3),
        place.radar(date=DATE),
    ),
    "truth": lambda place: place.truth(date=DATE),
}


def main() -> None:
    """Print one row per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    before = peak_bytes()
    clock_s, processor_s = seconds(CASES["12 + 2 bands"], seed=0)
    print(f"the very first place: {clock_s:.2f} s, of the processor {processor_s:.2f} s")
    print(f"peak memory: {peak_bytes() / MiB:.0f} MiB, {before / MiB:.0f} MiB after the imports")
    print(
        f"{'case':22}  median s  slowest s  processor s  (12 + 2 bands are to take {TARGET_S:g} s)"
    )
    for number, (name, case) in enumerate(CASES.items()):
        seeds = range(100 * (number + 1), 100 * (number + 1) + options.repeats)
        clock, processor = zip(*(seconds(case, seed=seed) for seed in seeds), strict=True)
        median, busy = statistics.median(clock), statistics.median(processor)
        print(f"{name:22}  {median:8.2f}  {max(clock):9.2f}  {busy:11.2f}")
    print(f"peak memory at the end: {peak_bytes() / MiB:.0f} MiB")


def seconds(case: Callable[[Frontier], object], *, seed: int) -> tuple[float, float]:
    """Return how long a new place takes, by the clock and summed over the processor's cores."""
    start = time.perf_counter(), time.process_time()
    case(Frontier(seed=seed, size_m=SIZE_M))
    return time.perf_counter() - start[0], time.process_time() - start[1]


def peak_bytes() -> int:
    """Return the most memory that this process has held so far; macOS counts in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
