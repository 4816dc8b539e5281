import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rsedu.cli import main
from rsedu.project import change_map
from rsedu.project.place import Place
from rsedu.project.score import facts, render, score


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def map_file(tmp_path: Path, place: Place, mapped: np.ndarray) -> Path:
    return change_map.write(tmp_path / "map.tif", mapped, place)


def test_score_prints_the_table(
    map_file: Path, place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    result = run("score", map_file)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == render(score(mapped, true, gsd_m=10.0), place) + "\n"


def test_every_option_reaches_the_score(
    map_file: Path, place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    options = ("--sample", "300", "--allocation", "equal", "--seed", "9", "--json")
    result = run("score", map_file, *options, "--place", "3", "--size-m", "2000")
    assert result.exit_code == 0, result.output
    wanted = score(mapped, true, gsd_m=10.0, sample=300, how="equal", seed=9)
    assert json.loads(result.stdout) == json.loads(json.dumps(facts(wanted, place)))


def test_a_map_without_tags_is_told_its_place(
    tmp_path: Path, map_file: Path, mapped: np.ndarray
) -> None:
    import rasterio

    bare = tmp_path / "bare.tif"
    with rasterio.open(map_file) as source:
        values = source.read(1)
        profile = {**source.profile, "driver": "GTiff"}
    with rasterio.open(bare, "w", **profile) as file:
        file.write(values, 1)
    assert run("score", bare).stderr == (
        "rsedu: The map does not say which place it shows: add --place SEED.\n"
    )
    told = run("score", bare, "--place", "3", "--size-m", "2000", "--period", "2020.5", "2025.5")
    assert told.stdout == run("score", map_file).stdout
    later = run("score", bare, "--place", "3", "--size-m", "2000", "--period", "2022", "2025.5")
    assert later.exit_code == 2
    assert "outside the period of 2022 to 2025.5" in later.stderr


def test_the_figure_is_written_and_its_sentence_printed(tmp_path: Path, map_file: Path) -> None:
    picture = tmp_path / "score.png"
    result = run("score", map_file, "--figure", picture)
    assert result.exit_code == 0, result.output
    assert f"Figure {picture}: Loss of forest in truth" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_entry_appears_on_the_board(tmp_path: Path, map_file: Path) -> None:
    board = tmp_path / "board"
    first = run("score", map_file, "--group", "Los Tucanes", "--board", board, "--json")
    assert first.exit_code == 0, first.output
    f1 = json.loads(first.stdout)["f1"]
    assert first.stderr.startswith(f"Submitted: {board}")
    ranking = run("board", board)
    assert ranking.exit_code == 0
    assert ranking.stdout.startswith("place 3, 2 km, 2020.5 to 2025.5, 10 m (best of each group)")
    assert f"     1  Los Tucanes         {f1:.3f}" in ranking.stdout
    assert "(newest of each group)" in run("board", board, "--newest").stdout


def test_a_single_lost_pixel_is_scored_handed_in_and_reported(
    tmp_path: Path, place: Place, true: np.ndarray
) -> None:
    years = np.zeros_like(true)
    years[tuple(np.argwhere(np.isfinite(true))[-1])] = 2022.5
    path = change_map.write(tmp_path / "one.tif", years, place)
    options = ("--figure", tmp_path / "map.png", "--group", "One", "--board", tmp_path / "board")
    result = run("score", path, *options)
    assert result.exit_code == 0 and "no interval" in result.stdout
    assert " 0 ha on the map, none estimated (none), 15 ha in truth" in result.stdout
    assert run("board", tmp_path / "board").stdout.split()[-3:] == ["0", "none", "15"]
    result = run("report", path, "--group", "One", "--out", tmp_path / "one.html")
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert result.exit_code == 0 and "there is no estimate" in page and "nan " not in page


def test_whole_floats_are_remarked_on_beside_the_table(
    tmp_path: Path, place: Place, true: np.ndarray
) -> None:
    path = change_map.write(tmp_path / "whole.tif", np.ceil(true).clip(max=2025), place)
    result = run("score", path, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["recall"] == 1.0
    assert result.stderr.endswith("if calendar years are meant, write integers.\n")


def test_a_missing_map_and_a_missing_board_are_told() -> None:
    assert run("score", "none.tif").stderr.startswith("rsedu: There is no file none.tif")
    assert run("board", "none").stderr.startswith("rsedu: There is no scoreboard none")


def test_help_lists_the_options() -> None:
    result = run("score", "--help")
    assert result.stdout.startswith("Usage: rsedu score [OPTIONS] MAP.tif")
    assert "--allocation [equal|proportional|at_least]" in result.stdout
    assert run("board", "-h").stdout.startswith("Usage: rsedu board [OPTIONS] FOLDER")


@pytest.mark.parametrize(("did", "limits"), [("utf-8", "utf-8-sig"), ("utf-16", "utf-8")])
def test_report_writes_the_page_and_says_where(
    tmp_path: Path, map_file: Path, did: str, limits: str
) -> None:
    (tmp_path / "did.txt").write_bytes("We asked the radar.\r\n\r\nDé nuevo.".encode(did))
    (tmp_path / "not.txt").write_bytes("Single trees.".encode(limits))
    out = tmp_path / "report.html"
    options = ["--method", tmp_path / "did.txt", "--limits", tmp_path / "not.txt", "--track", "B"]
    result = run("report", map_file, "--group", "Los Tucanes", *options, "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"Report: {out} (to print it or save it as PDF, open it in a browser)\n"
    )
    text = out.read_text(encoding="utf-8")
    for words in (
        "Los Tucanes</strong> · B ·",
        "<p>We asked the radar.</p>\n<p>Dé nuevo.",
        "<p>Single trees.",
    ):
        assert words in text


def test_what_a_report_cuts_off_is_told_beside_it(
    tmp_path: Path, place: Place, true: np.ndarray
) -> None:
    path = change_map.write(tmp_path / "whole.tif", np.ceil(true).clip(max=2025), place)
    (tmp_path / "did.txt").write_text("a" * 901, encoding="utf-8")
    options = ["--method", tmp_path / "did.txt", "--track", "t" * 61]
    result = run("report", path, "--group", "a", *options)
    assert result.exit_code == 0 and Path("report.html").is_file()
    track, method, years = result.stderr.splitlines()
    assert track.startswith("The text track has 61 letters, and 60 fit on the page")
    assert method.startswith("The text method has 901 letters, and 900 fit on the page")
    assert years.endswith("if calendar years are meant, write integers.")


REFUSED = [
    (["score", "--group", "a"], "--group and --board go together"),
    (["score", "--board", "b"], "--group and --board go together"),
    (["score", "--group", "..", "--board", "b"], "has no letter and no digit"),
    (["score", "--figure", "score.tif"], "ends in .png, not score.tif"),
    (["score", "--place", "4"], "its seed is 3, but 4 was asked for"),
    (["score", "--sample", "3"], "A sample of 3 from strata"),
    (["report", "--group", ".."], "has no letter and no digit"),
    (["report", "--group", "a", "--out", "report.pdf"], "ends in .html, not report.pdf"),
    (["report", "--group", "a", "--method", "none.txt"], "none.txt is no text file that can be"),
    (["report", "--group", "a", "--place", "4"], "its seed is 3, but 4 was asked for"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_a_mistake_is_one_line_and_leaves_nothing(
    map_file: Path, arguments: list[str], message: str
) -> None:
    command, *options = arguments
    result = run(command, map_file, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("rsedu: ") and len(result.stderr.splitlines()) == 1
    assert message in result.stderr
    assert not list(Path.cwd().iterdir())
