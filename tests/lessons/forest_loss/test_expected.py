import json
from pathlib import Path

import pytest

from rsedu.course import results
from rsedu.lessons.forest_loss import expected


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(results, "folder", lambda: tmp_path)
    return tmp_path


def test_without_results_it_says_what_to_run(folder: Path) -> None:
    _, line, foot, _ = expected.table("radar").splitlines()
    assert line == "radar   not measured yet: python experiments/08_tracks.py"
    assert foot.startswith("0 places")


def test_each_method_is_a_mean_with_its_interval(folder: Path) -> None:
    runs = [
        {
            "method": name,
            "clouds": clouds,
            "seed": seed,
            "f1": f1 + seed / 100,
            "date error, years": 0.25,
            "wrong, ha": 100.0 + 10 * seed,
        }
        for name, clouds, f1 in (("radar", "60", 0.5), ("A scale", "60", 0.7), ("radar", "80", 0.1))
        for seed in (1, 2, 3)
    ]
    (folder / "08_tracks.json").write_text(json.dumps({"runs": runs}))
    head, radar, scale, foot, _ = expected.table("radar", "A scale").splitlines()
    assert head.split() == ["F1", "years", "wrong", "ha"]
    # Student's t with 2 degrees of freedom: 4.303 * 0.01 / sqrt(3) = 0.0248.
    assert radar.split() == [
        *("radar", "0.52", "[0.50,", "0.54]", "0.25", "[0.25,", "0.25]"),
        *("120", "(110", "to", "130)"),
    ]
    assert scale.startswith("A scale") and " 0.72 [0.70, 0.74]" in scale
    assert foot == "3 places, 80 km2 of each, clouds over 60 % at four of six dates"
    assert "0.12 [0.10, 0.14]" in expected.table("radar", clouds="80")
    assert "B   not measured yet" in expected.table("B")
    assert "A scale   not measured yet" in expected.table("A scale", clouds="80")
