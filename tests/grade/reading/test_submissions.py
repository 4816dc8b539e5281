"""What lies in a folder, and what a file has to be to be read."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from rsedu.errors import BrokenDataError, MissingDataError
from rsedu.grade.reading import submissions
from rsedu.grade.reading.submissions import CodeCell, Found


def _file(folder: Path, name: str, content: bytes = b"{}") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_student_is_a_folder_or_a_file(tmp_path: Path) -> None:
    for name in ("ana.ipynb", "ben_01_sentinels.ipynb", "cai/01_sentinels.ipynb", "cai/w2/x.ipynb"):
        _file(tmp_path, name)
    for name in ("notes.txt", ".hidden.ipynb", "cai/.ipynb_checkpoints/x.ipynb"):
        _file(tmp_path, name)
    _file(tmp_path, "01_sentinels.ipynb")
    assert [(each.file, each.student) for each in submissions.find(tmp_path)] == [
        ("01_sentinels.ipynb", "01_sentinels"),
        ("ana.ipynb", "ana"),
        ("ben_01_sentinels.ipynb", "ben"),
        ("cai/01_sentinels.ipynb", "cai"),
        ("cai/w2/x.ipynb", "cai"),
    ]


def test_links_are_named_and_not_followed(tmp_path: Path) -> None:
    _file(tmp_path, "elsewhere/secret.ipynb", b"secret")
    folder = tmp_path / "in"
    _file(folder, "ana.ipynb")
    (folder / "file.ipynb").symlink_to(tmp_path / "elsewhere" / "secret.ipynb")
    (folder / "folder").symlink_to(tmp_path / "elsewhere")
    found = {each.file: each for each in submissions.find(folder)}
    assert sorted(found) == ["ana.ipynb", "file.ipynb", "folder"]
    for name in ("file.ipynb", "folder"):
        assert "symbolic link" in found[name].problem
        assert submissions.read(found[name])[1] == b""


def test_a_link_put_in_a_files_place_is_not_followed_either(tmp_path: Path) -> None:
    _file(tmp_path, "ana.ipynb")
    (found,) = submissions.find(tmp_path)
    found.path.unlink()
    found.path.symlink_to("/etc/passwd")
    looked, content = submissions.read(found)
    assert (content, looked.problem[:17]) == (b"", "It cannot be read")


def test_pipes_and_absent_and_large_files_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ipynb")
    with (tmp_path / "large.ipynb").open("wb") as file:
        file.truncate(30_000_000)
    said = [submissions.read(each)[0].problem for each in submissions.find(tmp_path)]
    assert said == [
        "It has 30 MB, and 20 are read at most: clear its outputs and save again.",
        "It is no file, but a pipe or a device.",
    ]
    with (tmp_path / "large.ipynb").open("wb") as file:
        file.truncate(20_000_000)
    large, _ = submissions.find(tmp_path)
    read, content = submissions.read(large)
    assert (read.problem, len(content)) == ("", 20_000_000)
    gone = submissions.read(Found(tmp_path / "gone", "gone", "gone"))[0]
    assert gone.problem == "It cannot be read (No such file or directory)."


def test_an_empty_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="holds no notebook"):
        submissions.find(tmp_path)
    with pytest.raises(MissingDataError, match="There is no folder"):
        submissions.find(tmp_path / "none")


def test_what_cannot_be_read_or_lies_too_deep_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _file(tmp_path, "ana.ipynb")
    _file(tmp_path, "locked/x.ipynb")
    _file(tmp_path, "/".join(["deep"] * 40 + ["x.ipynb"]))
    look = submissions._look

    def guarded(folder: Path) -> Any:
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return look(folder)

    monkeypatch.setattr(submissions, "_look", guarded)
    said = {each.file.split("/")[0]: each.problem for each in submissions.find(tmp_path)}
    assert said == {
        "ana.ipynb": "",
        "deep": "It lies more than 30 folders deep: move it up.",
        "locked": "This folder cannot be read (Permission denied): ask for the right to.",
    }
    with pytest.raises(MissingDataError, match="cannot be read"):
        submissions.find(tmp_path / "locked")


def test_endings_in_capitals_count_and_other_files_are_listed(tmp_path: Path) -> None:
    for name in ("ANA.IPYNB", "ben.ipynb.txt", "cai/all.zip", ".hidden"):
        _file(tmp_path, name)
    assert [each.file for each in submissions.find(tmp_path)] == ["ANA.IPYNB"]
    assert submissions.others(tmp_path) == ["ben.ipynb.txt", "cai/all.zip"]


def _cells(*found: Any, **more: Any) -> list[CodeCell]:
    return submissions.cells(json.dumps({"cells": found, **more}).encode())


def test_code_cells_carry_what_they_can_be_known_by() -> None:
    about = {"rsedu": {"id": "ndvi", "points": 2}}
    shown = {"rsedu": {"id": "ndvi", "role": "demonstration"}}
    assert _cells(
        {"cell_type": "markdown", "source": ["### Exercise: NDVI\n", "Do."]},
        {"cell_type": "code", "id": "01-ndvi", "metadata": about, "source": ["a\n", "b"]},
        {"cell_type": "raw", "source": "c"},
        {"cell_type": "code", "metadata": shown, "source": "d\0"},
    ) == [
        CodeCell("01-ndvi", "ndvi", "Exercise: NDVI", "a\nb"),
        CodeCell("", "", "Exercise: NDVI", "d"),
    ]


@pytest.mark.parametrize(
    "odd",
    [None, 3, [], {}, {"cell_type": "code"}, {"cell_type": "code", "source": 3, "metadata": []}],
)
def test_odd_cells_are_empty_or_left_out(odd: Any) -> None:
    assert [cell.source for cell in _cells(odd)] in ([], [""])


CODE = {"cell_type": "code", "source": "x" * 1000}
REFUSED = [
    (b"{", "its JSON cannot be read"),
    (b"[]", "no notebook of format 4"),
    *(
        ({"cells": [], "metadata": {where: {name: "julia"}}}, "speaks julia; wanted Python")
        for where, name in (("kernelspec", "language"), ("language_info", "name"))
    ),
    ({"cells": [CODE] * 2001}, "It has 2001 cells; 2000 are read"),
    ({"cells": [CODE] * 1001}, "more than 1,000,000 letters"),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_what_is_no_notebook_to_grade_is_told(content: Any, message: str) -> None:
    with pytest.raises(BrokenDataError, match=message):
        submissions.cells(content if isinstance(content, bytes) else json.dumps(content).encode())


def test_python_and_what_just_fits_are_read() -> None:
    for metadata in ({"kernelspec": {"language": "python"}}, {"language_info": {"name": "Python"}}):
        assert _cells(metadata=metadata) == []
    assert len(_cells(*[{"cell_type": "code", "source": ""}] * 2000)) == 2000
    assert len(_cells(*[CODE] * 1000)) == 1000
