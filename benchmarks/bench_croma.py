"""How fast is CROMA, and in how much memory? Run by hand, on two cores of a Linux machine:

OMP_NUM_THREADS=2 taskset -c 0,1 python benchmarks/bench_croma.py

The kit's model against the same model with attention as the published code writes it: all logits,
plus the bias, softmax, product. Base model at 120 px forward and backward, at 504 px forward. Each
case runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import torch
from torch import Tensor

from rsedu.blocks import attention
from rsedu.models.croma import Croma, CromaConfig

BASE = CromaConfig(dim=768, heads=16, optical_depth=12, radar_depth=6, joint_depth=6)
CASES = {"120 px, forward and backward": (120, True), "504 px, forward": (504, False)}
MiB = 2**20


def naive(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attention one operation at a time."""
    logits = torch.einsum("bhqd,bhkd->bhqk", query, key) * query.shape[-1] ** -0.5
    if bias is not None:
        logits = logits + bias
    return torch.einsum("bhqk,bhkd->bhqd", logits.softmax(dim=-1), value)


def main() -> None:
    """Print one row per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(*options.case, options.repeats)))
        return
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, base model, one place")
    print(
        f"{'case':30} {'naive s':>8} {'here s':>8} {'times':>6} {'naive MiB':>10} {'here MiB':>9}"
    )
    for name in CASES:
        taken, peaks = zip(*(child(name, how, options.repeats) for how in HOW), strict=True)
        print(
            f"{name:30} {taken[0]:8.2f} {taken[1]:8.2f} {taken[0] / taken[1]:6.2f} "
            f"{peaks[0]:10.0f} {peaks[1]:9.0f}"
        )


HOW = ("naive", "here")


def child(name: str, how: str, repeats: int) -> tuple[float, float]:
    """Measure one case in a new process: median seconds and peak MiB above the weights."""
    command = [sys.executable, __file__, "--repeats", str(repeats), "--case", name, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def measure(name: str, how: str, repeats: int) -> tuple[float, float]:
    """Return median seconds and the peak memory above that of the model at rest, MiB."""
    if how == "naive":
        attention.scaled_dot_product_attention = naive
    side, backward = CASES[name]
    torch.manual_seed(0)
    model = Croma(BASE)
    radar, optical = torch.randn(1, 2, side, side), torch.randn(1, 12, side, side)
    at_rest, taken = peak_bytes(), []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        with torch.set_grad_enabled(backward):
            out = model(radar=radar, optical=optical)
        if backward:
            model.zero_grad(set_to_none=True)
            out["joint_pooled"].square().mean().backward()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:]), (peak_bytes() - at_rest) / MiB


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
