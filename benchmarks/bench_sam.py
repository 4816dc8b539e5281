"""How long does a click take? Run by hand: python benchmarks/bench_sam.py --threads 2

Embedding the real scene of 300 x 300 px, the first prompt of a place (which may embed a closer
look), each further click there, and one decoding alone. Medians and 95th percentiles over
prompts at random places; weights and image don't change them.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from rsedu.scenes.colours import rgb
from rsedu.scenes.samples import clearing
from rsedu.segment.embedding import Embedded
from rsedu.segment.prompt import Prompt
from rsedu.segment.sam import load


def timed(action: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - start)


def told(name: str, milliseconds: list[float]) -> str:
    """One row."""
    worst = float(np.percentile(milliseconds, 95))
    return f"{name:36} {statistics.median(milliseconds):8.1f} {worst:8.1f}"


def prompts(embedded: Embedded, repeats: int) -> dict[str, list[float]]:
    """Times of prompts at random places."""
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        col, row = (float(at) for at in rng.integers(30, 270, size=2))
        click = Prompt(points=((col, row),))
        box = Prompt(box=(col - 12, row - 15, col + 12, row + 15))
        tile = embedded.around(click)
        inside = Prompt(points=((col - tile.left, row - tile.top),))
        second = click.click(col + 5, row, positive=False)
        for name, action in (
            ("first click", partial(embedded.predict, click)),
            ("second click", partial(embedded.predict, second)),
            ("box", partial(embedded.predict, box)),
            ("decoding alone", partial(embedded.ask, tile, inside)),
        ):
            found.setdefault(name, []).append(timed(action))
    return found


def main() -> None:
    """Print one row per step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    segmenter, image = load("tiny", device="cpu"), rgb(clearing())
    embedded = segmenter.embed(image)
    print(f"{options.threads} threads                             median ms  95 % ms")
    print(told("embedding 300 x 300", [timed(lambda: segmenter.embed(image)) for _ in range(9)]))
    for name, milliseconds in prompts(embedded, options.repeats).items():
        print(told(name, milliseconds))


if __name__ == "__main__":
    main()
