from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.project.attempt import Attempt, attempt, compare
from rsedu.project.methods.baselines import RadarLogRatio
from rsedu.project.place import Place
from rsedu.project.score import score
from rsedu.project.task import Task


class Told:
    """Maps the truth itself, a pixel further east."""

    name = "told"

    def __init__(self, mapped: np.ndarray) -> None:
        self.mapped = mapped

    def map(self, stack: object) -> np.ndarray:
        return self.mapped


def test_an_attempt_is_mapped_written_and_scored(
    place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    task = Task(place=place)
    made = attempt("told so", Told(mapped), task, sample=300, progress=False)
    assert made.path == Path("afternoon/told-so_3_2km.tif")
    assert [each.name for each in Path("afternoon").iterdir()] == [made.path.name]
    np.testing.assert_array_equal(made.mapped, mapped)
    wanted = score(mapped, true, gsd_m=10.0, sample=300)
    assert made.score.f1 == wanted.f1
    assert made.score.matrix.tolist() == wanted.matrix.tolist()


def test_attempts_are_compared_in_lines(place: Place, mapped: np.ndarray, tmp_path: Path) -> None:
    task = Task(place=place)
    told = attempt("told", Told(mapped), task, folder=tmp_path, progress=False)
    radar = attempt("radar", RadarLogRatio(fall_db=1.7), task, folder=tmp_path, progress=False)
    head, *lines, truth = compare(told, radar).splitlines()
    assert [line.split()[0] for line in lines] == ["told", "radar"]
    assert head.split() == ["F1", "years", "outlines", "mapped", "estimated"]
    assert f"{told.score.f1:.2f}" in lines[0] and f"{told.score.mapped_ha:.0f} ha" in lines[0]
    assert truth.split() == ["truth", f"{told.score.true_ha:.0f}", "ha"]
    at = lines[0].index(f"{told.score.mapped_ha:.0f} ha")
    assert truth.index(f"{told.score.true_ha:.0f} ha") == at  # stands below what was mapped


@pytest.mark.parametrize("bias_m, shown", [(-0.04, "+0 m"), (-2.7, "-3 m"), (11.2, "+11 m")])
def test_outlines_are_compared_in_whole_metres(
    bias_m: float, shown: str, place: Place, true: np.ndarray, tmp_path: Path
) -> None:
    found = replace(score(true, true, gsd_m=place.gsd_m), boundary_bias_m=bias_m)
    made = Attempt(name="told", path=tmp_path, mapped=true, score=found)
    assert f" {shown} " in compare(made).splitlines()[1]


def test_nothing_is_not_compared() -> None:
    with pytest.raises(InputError, match="no attempt to compare: give one"):
        compare()


@pytest.mark.parametrize("name", ["", " ", "a/b", ".."])
def test_a_name_that_is_no_files_is_refused(name: str, place: Place, mapped: np.ndarray) -> None:
    with pytest.raises(InputError, match="is to become a file's"):
        attempt(name, Told(mapped), Task(place=place))


def test_what_is_not_defined_is_called_none(place: Place, true: np.ndarray, tmp_path: Path) -> None:
    nothing = np.full_like(true, np.nan)
    row, col = np.argwhere(~np.isfinite(true))[0]
    nothing[row, col : col + 2] = 2022.0
    made = attempt("none", Told(nothing), Task(place=place), folder=tmp_path, progress=False)
    assert compare(made).splitlines()[1].split()[:4] == ["none", "0.00", "none", "none"]
