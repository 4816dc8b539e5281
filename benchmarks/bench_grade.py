"""How long do sixty submissions take, and how much memory? Run by hand, on two cores of Linux:

OMP_NUM_THREADS=1 taskset -c 0,1 python benchmarks/bench_grade.py --lesson 01

Sixty submissions of one lesson, drawn with a seed: for each exercise the solution (six in ten), one
of the known wrong answers (three in ten) or the stub; five of them also hold an answer that never
ends. They are graded with the default limits, then once more from what was kept.
"""

import argparse
import json
import random
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from click.testing import CliRunner

from rsedu.cli import main as rsedu
from rsedu.course import registry
from rsedu.course.exercise import Exercise

REPOSITORY = Path(__file__).resolve().parents[1]
ENDLESS = "def {id}(*inputs):\n    while True:\n        pass\n"
FIRST = "ana ben cai dora emil fay gus hana ivo jun kofi lena mika nour otto pia quin rosa sam tuva"


def source(exercise: Exercise, draw: random.Random, stub: str, solved: str) -> str:
    """Draw an answer to one exercise."""
    kind = draw.choices(("solved", "wrong", "stub"), (6, 3, 1))[0]
    if kind != "wrong":
        return solved if kind == "solved" else stub
    number = draw.randrange(len(exercise.misconceptions))
    return (
        "from rsedu.course import registry\n\n"
        f"{exercise.id} = registry.exercise({exercise.id!r}).misconceptions[{number}].wrong\n"
    )


def write(folder: Path, lesson: str, count: int, seed: int) -> None:
    """Write the class."""
    draw, stem = random.Random(seed), registry.lesson(lesson).stem
    asked = {each.id: each for each in registry.exercises(lesson)}
    stubs = json.loads((REPOSITORY / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8"))
    text = (REPOSITORY / "solutions" / f"{stem}.ipynb").read_text(encoding="utf-8")
    names = [f"{name}-{group}" for group in "abc" for name in FIRST.split()]
    for place, name in enumerate(names[:count]):
        notebook = json.loads(text)
        for cell, bare in zip(notebook["cells"], stubs["cells"], strict=True):
            about = cell["metadata"].get("rsedu", {})
            if "role" not in about and about.get("id") in asked:
                exercise = asked[about["id"]]
                cell["source"] = source(exercise, draw, bare["source"], cell["source"])
                if place % 12 == 3 and exercise is asked[sorted(asked)[0]]:
                    cell["source"] = ENDLESS.format(id=exercise.id)
        (folder / f"{name}_{stem}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def main() -> None:
    """Print seconds and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lesson", default="01")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder, out = Path(scratch, "in"), options.out or Path(scratch, "out")
        folder.mkdir()
        write(folder, options.lesson, options.count, options.seed)
        words = ["grade", str(folder), "--out", str(out), "--key", str(REPOSITORY / "solutions")]
        words += ["--workers", str(options.workers)]
        for name in ("graded", "resumed"):
            start = time.perf_counter()
            result = CliRunner().invoke(rsedu, words)
            print(f"{name}: {time.perf_counter() - start:.1f} s, {result.stdout.splitlines()[0]}")
        results = json.loads((out / "report.json").read_text(encoding="utf-8"))["results"]
    memory = [each["memory_mb"] for each in results]
    seconds = [each["seconds"] for each in results]
    print(f"a submission: median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s")
    print(f"its process: median {statistics.median(memory):.0f} MB, most {max(memory):.0f} MB")
    own = psutil.Process().memory_info().rss / 2**20
    print(f"the grader itself: {own:.0f} MB")


if __name__ == "__main__":
    main()
