"""Windows: covering a place once, going on after a stop."""

from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.project import changemap
from rsedu.project.place import Place
from rsedu.project.task import Stack, Task
from rsedu.project.windows import parts, run


class Dark:
    """Calls a pixel lost where VH is low at the first date; can be stopped."""

    name = "dark"

    def __init__(self, *, stop_after: int = 99) -> None:
        self.calls, self.stop_after = 0, stop_after

    def map(self, stack: Stack) -> np.ndarray:
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        return np.where(stack.radar[0, 1] < -18, 2021.0, np.nan).astype(np.float32)


def test_cores_cover_a_place_once_and_margins_stay_inside() -> None:
    seen = np.zeros((70, 45), dtype=int)
    for part in parts((70, 45), window_px=30, margin_px=8):
        seen[part.core] += 1
        inside = np.add.outer(np.arange(70) * 100, np.arange(45))[part.read][part.inside]
        assert inside[0, 0] == part.core[0].start * 100 + part.core[1].start
    assert (seen == 1).all()
    with pytest.raises(InputError, match="1 or more"):
        list(parts((5, 5), window_px=0, margin_px=0))


def test_a_stopped_run_goes_on_and_gives_the_map_of_one_window(place: Place) -> None:
    task, path = Task(place=place), Path("map.tif")
    with pytest.raises(KeyboardInterrupt):
        run(Dark(stop_after=2), task, path, window_px=100, margin_px=10, progress=False)
    assert not path.exists()
    again = Dark()
    run(again, task, path, window_px=100, margin_px=10, progress=False)
    assert again.calls == 2
    whole = Dark().map(task.read())
    assert np.array_equal(changemap.read(path, place), whole, equal_nan=True)
    assert not path.with_suffix(".windows").exists()
