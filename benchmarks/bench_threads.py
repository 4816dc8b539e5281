"""What a busy neighbour costs: python benchmarks/bench_threads.py, on two cores that are idle.

A training step, a click, a product of matrices and a ridge fit with two threads: alone, and beside
a busy loop on one of the two cores, with threads that wait asleep (as `import rsedu` sets it) and
with threads that spin. Medians in seconds; beside the loop, at most 1.5 times one idle thread.
"""

import json
import os
import subprocess
import sys

WORK = """
import json, sys, time
import rsedu
import numpy as np, torch
from sklearn.linear_model import Ridge
from rsedu.models import MAE, MAEConfig
from rsedu.segment import sam
from rsedu.segment.prompt import Prompt

torch.set_num_threads(int(sys.argv[1]))
rng = np.random.default_rng(0)
model, images = MAE(MAEConfig(encoder="small")), torch.randn(16, 3, 64, 64)
embedded = sam.load("tiny", device="cpu").embed(rng.integers(0, 255, (128, 128, 3), dtype="uint8"))
left, rows = rng.normal(size=(1200, 1200)), rng.normal(size=(4000, 300))
work = {
    "step": lambda: model(images)["loss"].backward(),
    "click": lambda: embedded.predict(Prompt(points=((64.0, 64.0),))),
    "product": lambda: left @ left,
    "ridge": lambda: Ridge().fit(rows, rows[:, 0]),
}
medians = {}
for name, do in work.items():
    took = []
    for _ in range(7):
        start = time.perf_counter()
        do()
        took.append(time.perf_counter() - start)
    medians[name] = sorted(took[1:])[3]
print(json.dumps(medians))
"""


def measure(threads: int, *, busy: bool, policy: str) -> dict[str, float]:
    """Seconds of each kind of work on two cores, of which one may be busy."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    environment = {key: value for key, value in os.environ.items() if "_NUM_THREADS" not in key}
    environment |= {"OMP_WAIT_POLICY": policy, "OPENBLAS_NUM_THREADS": str(threads)}
    loop = subprocess.Popen(["taskset", "-c", str(cores[0]), sys.executable, "-c", "while 1: pass"])
    try:
        if not busy:
            loop.kill()
        done = subprocess.run(
            ["taskset", "-c", ",".join(map(str, cores)), sys.executable, "-c", WORK, str(threads)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        loop.kill()
        loop.wait()
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    base = measure(1, busy=False, policy="PASSIVE")
    print(f"{'':34}" + "".join(f"{name:>18}" for name in base))
    for threads, busy, policy in (
        (1, False, "PASSIVE"),
        (2, False, "ACTIVE"),
        (2, False, "PASSIVE"),
        (2, True, "ACTIVE"),
        (2, True, "PASSIVE"),
    ):
        took = measure(threads, busy=busy, policy=policy)
        cells = "".join(f"{took[name]:9.3f} ({took[name] / base[name]:4.2f} x)" for name in base)
        print(f"{threads} threads, {'busy' if busy else 'idle'}, {policy:8} {cells}")
