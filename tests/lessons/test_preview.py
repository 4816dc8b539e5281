"""The layout, and the two calls of JupyterLab; that it looks right is the browser's to say."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rsedu.errors import InputError, MissingDataError
from rsedu.lessons import preview

STEM = "01_sentinels"


@pytest.fixture
def checkout() -> Path:
    for folder, ending in (("solutions", "py"), ("solutions", "ipynb"), ("notebooks", "ipynb")):
        Path(folder).mkdir(exist_ok=True)
        Path(folder, f"{STEM}.{ending}").touch()
    return Path.cwd()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    """What is started, in place of starting it; layouts are read while they are there."""
    made: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if "import" in command:
            options["layout"] = json.loads(Path(command[-1]).read_text())
        made.append((command, options))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(preview.subprocess, "run", run)
    return made


def test_students_are_on_the_left_and_both_are_equally_wide() -> None:
    data = preview.workspace(["a.ipynb", "b.ipynb"], name="rsedu-01")["data"]
    dock = data["layout-restorer:data"]["main"]["dock"]
    assert dock["orientation"] == "horizontal" and dock["sizes"] == [0.5, 0.5]
    assert [area["widgets"] for area in dock["children"]] == [
        ["notebook:a.ipynb"],
        ["notebook:b.ipynb"],
    ]
    assert data["notebook:b.ipynb"]["data"]["path"] == "b.ipynb"


def test_jupyterlab_gets_the_layout_and_then_the_arguments(
    checkout: Path, calls: list[tuple[list[str], dict[str, Any]]]
) -> None:
    assert preview.preview("01", ["--no-browser"]) == 0
    (first, taken), (second, opened) = calls
    assert first[2:5] == ["jupyterlab", "workspaces", "import"]
    assert taken["layout"]["metadata"]["id"] == "rsedu-01"
    assert f"notebook:notebooks/{STEM}.ipynb" in taken["layout"]["data"]
    assert second[3:] == ["--LabApp.default_url=/lab/workspaces/rsedu-01", "--no-browser"]
    assert opened["cwd"] == checkout
    folder = taken["env"]["JUPYTERLAB_WORKSPACES_DIR"]
    assert folder == opened["env"]["JUPYTERLAB_WORKSPACES_DIR"]
    assert not Path(folder).exists(), "the layout stays behind"


def test_ctrl_c_is_a_good_end(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if "import" not in command:
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(preview.subprocess, "run", run)
    assert preview.preview("01") == 0


def test_a_layout_that_is_refused_is_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CompletedProcess([], 1, "", "no such format")
    monkeypatch.setattr(preview.subprocess, "run", lambda command, **options: refused)
    with pytest.raises(InputError, match="took no layout: no such format"):
        preview.preview("01")


@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_a_notebook_that_is_not_built_says_how(checkout: Path, folder: str) -> None:
    Path(folder, f"{STEM}.ipynb").unlink()
    with pytest.raises(MissingDataError, match=f"{folder}/{STEM}.ipynb .*rsedu build {STEM}"):
        preview.preview("01")
