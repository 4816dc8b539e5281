"""The builder on a small checkout of its own: round trip, drift, orphans, refusals."""

import json
from pathlib import Path

import pytest

from authoring import build
from authoring.source import read
from rsedu.errors import InputError, MissingDataError

SOURCE = '''\
# %% [markdown]
# # What is it?

# %%
import numpy as np
import rsedu

# %% rsedu={"id": "to_db"}
def to_db(power):
    """Convert."""
    ### BEGIN SOLUTION
    return 10 * np.log10(power)
    ### END SOLUTION


rsedu.check("to_db", to_db)
to_db = rsedu.checkpoint("to_db", to_db)

# %%
rsedu.progress("00")
'''
STEM = "00_start_here"


@pytest.fixture
def source() -> Path:
    for folder in ("solutions", "notebooks"):
        Path(folder).mkdir()
    path = Path(f"solutions/{STEM}.py")
    path.write_text(SOURCE)
    return path


def _fake_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the cells in place of running them."""

    def execute(notebook):  # type: ignore[no-untyped-def]
        code = (cell for cell in notebook.cells if cell.cell_type == "code")
        for count, cell in enumerate(code, start=1):
            cell["execution_count"] = count
        return notebook

    monkeypatch.setattr(build, "execute", execute)


@pytest.fixture
def built(source: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    _fake_run(monkeypatch)
    assert build.build() == [f"wrote solutions/{STEM}.ipynb", f"wrote notebooks/{STEM}.ipynb"]
    return source


@pytest.mark.lesson
def test_the_round_trip_is_clean_and_leaves_only_the_notebooks(source: Path) -> None:
    build.build([STEM])
    assert build.build(check=True) == []
    files = sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())
    assert files == [
        f"notebooks/{STEM}.ipynb",
        f"solutions/{STEM}.ipynb",
        f"solutions/{STEM}.py",
    ]
    solution = read(Path(f"solutions/{STEM}.ipynb"))
    assert solution.cells[3].outputs[0].text.startswith("passed: Power in decibels")
    assert solution.cells[4].outputs[0].text.startswith("Lesson 00: 1 of 1 exercises passed")
    first = Path(f"solutions/{STEM}.ipynb").read_bytes()
    build.build([STEM])
    assert Path(f"solutions/{STEM}.ipynb").read_bytes() == first


@pytest.mark.parametrize("name", ["00", STEM, f"solutions/{STEM}.py", f"notebooks/{STEM}.ipynb"])
def test_a_lesson_goes_by_many_names(name: str, source: Path) -> None:
    assert [path.name for path in build.sources([name])] == [source.name]


def test_an_unknown_lesson_names_those_there_are(source: Path) -> None:
    with pytest.raises(MissingDataError, match=STEM):
        build.build(["07"])


def test_the_root_is_found_from_below_and_missed_outside(
    source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = Path.cwd()
    monkeypatch.chdir("notebooks")
    assert build.find_root() == root
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingDataError, match="no checkout"):
        build.find_root()


def test_what_was_built_is_checked_clean(built: Path) -> None:
    assert build.build(check=True) == []


def test_a_changed_source_is_drift_in_both(built: Path) -> None:
    built.write_text(SOURCE.replace("# # What is it?", "# # What else is it?"))
    found = build.build(check=True)
    assert len(found) == 2 and all("is not what the source says" in line for line in found)
    assert build.build(["00"], check=True) == found


def test_an_edited_notebook_is_drift(built: Path) -> None:
    path = Path(f"notebooks/{STEM}.ipynb")
    path.write_text(path.read_text().replace("# What is it?", "# What is it now?"))
    (line,) = build.build(check=True)
    assert line.startswith(f"notebooks/{STEM}.ipynb: cell ")


def test_orphans_and_missing_notebooks_are_found(built: Path) -> None:
    Path("notebooks/03_lost.ipynb").write_text("{}")
    Path(f"solutions/{STEM}.ipynb").unlink()
    missing, orphan = build.build(check=True)
    assert missing.startswith(f"solutions/{STEM}.ipynb is missing")
    assert orphan.startswith("notebooks/03_lost.ipynb is an orphan")


def test_outputs_given_to_students_and_cells_never_run_are_found(built: Path) -> None:
    for folder, count in (("notebooks", 3), ("solutions", None)):
        path = Path(f"{folder}/{STEM}.ipynb")
        content = json.loads(path.read_text())
        content["cells"][2]["execution_count"] = count
        path.write_text(json.dumps(content))
    first, second = build.build(check=True)
    assert "was never run" in first and "holds outputs" in second


def test_a_leak_is_found_beside_the_drift_it_is(built: Path) -> None:
    path = Path(f"notebooks/{STEM}.ipynb")
    path.write_text(path.read_text().replace("raise NotImpl", "return 10 * np.log10(power)  # "))
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        cell["source"] = [line.split("  # edE")[0] for line in cell["source"]]
    path.write_text(json.dumps(content).replace("  # ementedError", ""))
    found = build.build(check=True)
    assert any("leaked: return 10 * np.log10(power)" in line for line in found), found


def test_a_dead_link_is_found(built: Path) -> None:
    built.write_text(
        SOURCE.replace("# # What is it?", "# # What is it?\n#\n# [next](99_gone.ipynb)")
    )
    found = build.build(check=True)
    assert sum("links to 99_gone.ipynb" in line for line in found) == 2


def test_nothing_is_written_where_something_is_wrong(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_run(monkeypatch)
    source.write_text(SOURCE.replace("# # What is it?", "# # What is it?\n#\n# ![](x.png)"))
    with pytest.raises(InputError, match=r"1 to mend in the lessons:\n00_start_here: .*alt"):
        build.build()
    assert not list(Path().rglob("*.ipynb"))


def test_a_broken_source_is_one_line_of_the_check(built: Path) -> None:
    built.write_text(SOURCE.replace("    ### END SOLUTION\n", ""))
    (line,) = build.build(check=True)
    assert line.startswith(f"{STEM}: ") and "never closed" in line


def test_a_lesson_is_named_as_the_registry_has_it(source: Path) -> None:
    source.rename("solutions/00_begin.py")
    (line,) = build.build(check=True)
    assert "lesson 00 is called 00_start_here" in line


def test_badges_come_from_the_one_address(built: Path) -> None:
    table = '[tool.rsedu]\nrepository = "https://github.com/a/b"\ntag = "v9"\n'
    Path("pyproject.toml").write_text(table)
    assert len(build.build(check=True)) == 2
    build.build()
    assert build.build(check=True) == []
    assert "github/a/b/blob/v9/notebooks" in Path(f"notebooks/{STEM}.ipynb").read_text()
