import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rsedu.cli import main
from rsedu.datasets import fetch, registry
from rsedu.datasets.stac import query


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


@pytest.fixture(autouse=True)
def _small_set(web: Any, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    web.files["/set.zip"] = archive
    base = registry.SETS["eurosat-sar"]
    small = replace(base, name="small", address=f"{web.base}/set.zip", file="set.zip")
    monkeypatch.setitem(registry.SETS, "small", small)


def test_list_prints_the_catalogue() -> None:
    assert run("list").stdout == registry.render() + "\n"


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
    monkeypatch.setattr(fetch, "get_torchgeo", lambda name, folder: folder / name)
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


def _scene(stac: Any, request_: Any, *options: str | Path) -> Result:
    bbox = [str(edge) for edge in request_.bbox]
    asked = ["--bbox", *bbox, "--dates", request_.dates, "--catalogue", stac.catalogue.url]
    return run("scene", *asked, *options)


def test_scene_fetches_a_place_and_shows_the_bytes(stac: Any, request_: Any, folder: Path) -> None:
    result = _scene(stac, request_, "--to", folder)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        f"In {folder}",
        "optical: S2_CLEAR, 2023-07-01",
        "radar: S1_NEAR, 2023-07-01",
    ]
    read, whole = re.fullmatch(r"Read (\S+) MB of files of (\S+) MB\.", lines[3]).groups()  # type: ignore[union-attr]
    assert 0 < float(read) < float(whole)
    assert lines[4] == "Contains modified Copernicus Sentinel data 2023."
    assert "Read 0.00 MB" in _scene(stac, request_, "--to", folder).stdout


def test_a_dry_run_fetches_no_pixel(stac: Any, web: Any, request_: Any, folder: Path) -> None:
    result = _scene(stac, request_, "--to", folder, "--dry-run")
    assert result.stdout == ("2023-07-01   4 % cloud  S2_CLEAR\n2023-07-01       radar  S1_NEAR\n")
    assert not any(path.endswith(".tif") for path, _ in web.asked) and not folder.parent.exists()


def test_radar_can_be_left_away(
    stac: Any, request_: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = _scene(stac, request_, "--to", folder, "--no-radar")
    assert "radar:" not in result.stdout and not (folder / "radar.tif").exists()
    open_one = replace(stac.catalogue, radar="")
    monkeypatch.setitem(query.CATALOGUES, "earth-search", open_one)
    told = _scene(stac, request_, "--catalogue", "earth-search", "--dry-run")
    assert told.stderr == "earth-search has no radar that is open to all: optical only.\n"
    assert told.stdout == "2023-07-01   4 % cloud  S2_CLEAR\n"


def test_clouds_and_catalogues_that_cannot_be_are_one_line(stac: Any, request_: Any) -> None:
    cloudy = _scene(stac, request_, "--max-cloud", "1")
    assert cloudy.exit_code == 2 and "the clearest of 1 has 4 %" in cloudy.stderr
    local = _scene(stac, request_, "--catalogue", "file:///etc/passwd")
    assert local.exit_code == 2 and len(local.stderr.splitlines()) == 1
    assert "'file:///etc/passwd' is no address of the web" in local.stderr
    unknown = _scene(stac, request_, "--catalogue", "other")
    assert unknown.stderr == (
        "rsedu: There is no catalogue 'other'; wanted planetary, earth-search, or a URL.\n"
    )
