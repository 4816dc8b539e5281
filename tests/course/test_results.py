"""Results are found by name, and say how to make them where they are not there."""

import json
from pathlib import Path

import pytest

from rsedu.course import results
from rsedu.errors import MissingDataError

REPOSITORY = Path(__file__).resolve().parents[2]


def test_results_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "folder", lambda: tmp_path)
    (tmp_path / "some.json").write_text(json.dumps({"command": "run", "runs": [1, 2]}))
    assert results.stored("some") == {"command": "run", "runs": [1, 2]}
    with pytest.raises(MissingDataError, match=r"there are: some\..*experiments/other\.py"):
        results.stored("other")


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("data/results/*.json")), ids=str)
def test_each_result_names_its_script_and_its_seeds(path: Path) -> None:
    found = json.loads(path.read_text())
    script = next(word for word in found["command"].split() if word.endswith(".py"))
    assert (REPOSITORY / script).is_file()
    assert len({run["seed"] for run in found["runs"]}) >= 5
    assert results.stored(path.stem) == found


def test_a_wheel_brings_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "__file__", str(tmp_path / "rsedu" / "lessons" / "results.py"))
    assert results.folder() == tmp_path / "data" / "results"
    (tmp_path / "rsedu" / "_results").mkdir(parents=True)
    assert results.folder() == tmp_path / "rsedu" / "_results"
