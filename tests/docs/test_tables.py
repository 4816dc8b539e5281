"""Tables of results against numbers worked out by hand and by the experiments themselves."""

import re

import pytest

from rsedu.course import results
from rsedu.errors import InputError

RUNS = [
    {"seed": 0, "arm": "a", "ratio": 0.5, "score": {"near": 1.0, "far": [2, 4]}, "note": "x"},
    {"seed": 1, "arm": "a", "ratio": 0.5, "score": {"near": 3.0, "far": [2, 6]}, "note": "x"},
    {"seed": 0, "arm": "b", "ratio": 0.5, "score": {"near": 7.0, "far": [2, 8]}, "note": "x"},
]


def test_an_arm_is_what_was_set_and_its_numbers_are_by_seed(tables) -> None:
    found = tables.arms(RUNS)
    assert list(found) == ["arm a, ratio 0.5, note x", "arm b, ratio 0.5, note x"]
    first = found["arm a, ratio 0.5, note x"]
    assert first[("score", "near")] == [1.0, 3.0]
    assert first[("score", "far", "1")] == [4.0, 6.0]


def test_numbers_that_were_measured_under_the_name_of_a_setting_stay_measures(tables) -> None:
    found = tables.arms([{"seed": 0, "ratio": {"2": 0.5}}, {"seed": 1, "ratio": {"2": 0.6}}])
    assert found == {"": {("ratio", "2"): [0.5, 0.6]}}


def test_a_seed_that_counts_twice_is_refused(tables) -> None:
    with pytest.raises(InputError, match="Seed 0 is there twice for 'arm b"):
        tables.arms([*RUNS, RUNS[-1]])


def test_a_page_by_hand(tables) -> None:
    lines = tables.page("99_toy", {"command": "python toy.py", "steps": 3, "runs": RUNS}).split(
        "\n"
    )
    assert lines[0] == "# 99_toy" and "- **steps**: 3" in lines
    # Mean 2, deviation sqrt(2); t of 95 % with one degree of freedom is 12.706.
    assert "| near | 2 | -10.7 to 14.7 | 2 |" in lines
    assert "| far / 0 | 2 | the same in all | 2 |" in lines
    assert "| near | 7 | none: one seed | 1 |" in lines
    assert lines.count("### score") == 2


def test_what_stands_alone_shares_a_table_before_the_groups(tables) -> None:
    runs = [
        {"seed": seed, "a": {"b": 1.0 * seed}, "ha": 1234.5 + seed, "f1": 0.5} for seed in (0, 1)
    ]
    lines = tables.page("x", {"command": "python x.py", "runs": runs}).split("\n")
    alone, heading = lines.index("| f1 | 0.5 | the same in all | 2 |"), lines.index("### a")
    assert lines[alone - 1].startswith("| ha | 1235 | 1229 to 1241 | 2 |") and alone < heading


def test_intervals_are_those_that_the_experiment_noted(tables) -> None:
    """This experiment stores its own intervals: a second path to the same numbers."""
    stored = results.stored("06_sam")
    page = tables.page("06_sam", stored)
    for measure, (mean, low, high) in stored["mean, low and high of 95 %"].items():
        words = re.escape(measure.split(", ", 1)[-1])
        rows = re.findall(
            rf"^\| (?:all / )?{words} \| (\S+) \| (\S+) to (\S+) \| 5 \|$", page, re.M
        )
        near = [pytest.approx(value, rel=0.006, abs=5e-4) for value in (mean, low, high)]
        assert any([float(value) for value in row] == near for row in rows), (measure, rows)


def test_every_result_has_a_page(tables) -> None:
    for path in results.folder().glob("*.json"):
        assert tables.page(path.stem, results.stored(path.stem)).count("\n| ") > 10
