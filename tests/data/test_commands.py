from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rsedu.cli import main
from rsedu.data import catalogue, store


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


@pytest.fixture(autouse=True)
def _small_set(web: Any, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    web.files["/set.zip"] = archive
    base = catalogue.SETS["eurosat-sar"]
    small = replace(base, name="small", address=f"{web.base}/set.zip", file="set.zip")
    monkeypatch.setitem(catalogue.SETS, "small", small)


def test_list_prints_the_catalogue() -> None:
    assert run("list").stdout == catalogue.render() + "\n"


def test_get_says_size_and_licence_before_and_the_citation_after() -> None:
    assert run("verify").stdout == "Nothing was fetched into .rsedu/data yet: rsedu data list.\n"
    result = run("get", "small", "--subset", "3", "--class", "River", "--seed", "1")
    assert result.exit_code == 0, result.output
    folder = Path(".rsedu/data/small/subset-3-seed1-River")
    assert result.stderr == "small: 922 MB, licence: MIT\n"
    assert result.stdout.startswith(f"In {folder}\nPlease cite: Y. Wang")
    assert len(list(folder.rglob("River_*.tif"))) == 3
    assert "recorded at its first download" in run("verify").stdout
    assert run("verify", "small").stdout == run("verify").stdout


def test_to_chooses_the_folder(tmp_path: Path) -> None:
    assert run("get", "small", "--to", tmp_path).exit_code == 0
    assert (tmp_path / "small" / "all" / "set").is_dir()
    assert run("verify", "small", "--to", tmp_path).exit_code == 0
    assert not Path(".rsedu").exists()


def test_torchgeo_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "get_torchgeo", lambda name, folder: folder / name)
    assert run("get", "torchgeo:UCMerced", "--to", "x").stdout == "In x/UCMerced\n"
    assert "not for torchgeo's" in run("get", "torchgeo:A", "--subset", "1").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["get", "none"], "There is no data set 'none'"),
        (["verify", "small"], "small is not in .rsedu/data"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2 and message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_draw_without_a_subset_is_refused() -> None:
    assert "add --subset N" in run("get", "small", "--seed", "1").stderr
