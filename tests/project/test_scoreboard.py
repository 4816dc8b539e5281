import json
import os
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.project.scoreboard import (
    Board,
    Entry,
    chosen,
    clean,
    entry,
    ranks,
    read,
    render,
    submit,
)

FACTS: dict[str, Any] = {
    "place": "place 3, 2 km",
    "f1": 0.75,
    "date_error_years": 0.5,
    "boundary_bias_m": -3.25,
    "mapped_ha": 12.5,
    "estimated_ha": 14.0,
    "low_ha": 11.0,
    "high_ha": 17.0,
    "true_ha": 15.25,
    "more": "is left out",
}
NOW = datetime(2026, 5, 4, 13, 30, tzinfo=UTC)


def written(folder: Path, group: str = "Toucans", **changes: Any) -> Path:
    return submit(folder, entry(group, {**FACTS, **changes}, now=NOW))


def test_an_entry_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "board"
    written(folder, date_error_years=None, boundary_bias_m=None)
    board = read(folder)
    assert board.broken == ()
    (line,) = board.entries
    assert (line.group, line.place, line.f1) == ("Toucans", "place 3, 2 km", 0.75)
    assert line.date_error_years is line.boundary_bias_m is None
    assert (line.low_ha, line.high_ha, line.true_ha) == (11.0, 17.0, 15.25)
    assert datetime.fromisoformat(line.submitted) == NOW


def test_times_are_compared_in_utc(tmp_path: Path) -> None:
    for group, hours in (("east", 9), ("west", -3), ("here", 0)):
        moment = NOW.replace(tzinfo=timezone(timedelta(hours=hours)))
        submit(tmp_path, entry(group, FACTS, now=moment))
    path = written(tmp_path, "far")
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "submitted": "2026-05-04T20:00:00+09:00"}))  # at 11:00
    groups = [line.group for line in read(tmp_path).entries]
    assert groups == ["east", "far", "here", "west"]
    before = datetime.now(UTC)
    now = datetime.fromisoformat(entry("now", FACTS).submitted)
    assert before <= now <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("  Los  Tucanes\t2 ", "Los Tucanes 2"),
        ("A\x1b[31mB\x00\x7f", "A[31mB"),
        ("A\u202eB\u200b\ufeff", "AB"),
        ("line\nbreak\u2028more", "line break more"),
        ("Mu\u0308ller", "M\u00fcller"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("x" * 99, "x" * 40),
    ],
)
def test_a_name_is_cleaned(name: str, left: str) -> None:
    assert clean(name) == left


@given(st.text(max_size=80))
def test_whatever_the_name_it_prints_on_one_line_and_is_cleaned_once(name: str) -> None:
    try:
        found = clean(name)
    except InputError:
        return
    assert clean(found) == found
    assert len(found) <= 40
    assert not [letter for letter in found if unicodedata.category(letter)[0] == "C"]
    assert found.splitlines() == [found]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/root/x", "C:\\x", "..\\..\\x", "a/b", "con:x", ".hidden", "~a"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "board"
    path = written(folder, name)
    assert path.parent == folder
    assert [each.name for each in tmp_path.iterdir()] == ["board"]
    assert not set(path.name) & set("/\\:~") and not path.name.startswith(".")
    assert read(folder).entries[0].group == clean(name)


def test_two_of_one_group_at_one_moment_are_two(tmp_path: Path) -> None:
    assert written(tmp_path) != written(tmp_path)
    assert len(read(tmp_path).entries) == 2


_WRITER = """
import json, sys
from pathlib import Path
from rsedu.project.scoreboard import entry, submit
folder, group, facts = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(25):
    submit(folder, entry(group, {**facts, "f1": number / 100}))
"""


def test_writers_and_a_reader_at_once_lose_nothing_and_see_nothing_broken(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    groups = ("a", "b", "b", "../b")
    command, pipe = [sys.executable, "-c", _WRITER, str(folder)], subprocess.PIPE
    writers = [
        subprocess.Popen([*command, group, json.dumps(FACTS)], stdin=pipe, stdout=pipe, text=True)
        for group in groups
    ]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    while any(writer.poll() is None for writer in writers):
        assert read(folder).broken == ()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    found = read(folder)
    assert found.broken == ()
    counted = [(line.group, line.f1) for line in found.entries]
    assert sorted(counted) == sorted((group, n / 100) for group in groups for n in range(25))
    assert len(list(folder.iterdir())) == 100  # no lock, no temporary file


def test_a_writer_that_died_half_way_leaves_no_trace_on_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)

    def die(*_: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(BrokenDataError, match=r"cannot be written to.*power cut"):
        written(tmp_path)
    monkeypatch.undo()
    # Killed outright, it cannot even clean up.
    (tmp_path / ".Toucans-1.json.77.tmp").write_text('{"format": "rse')
    (tmp_path / "._Toucans-1.json").write_bytes(b"\x00\x05\x16\x07")  # a Mac's companion file
    assert len(read(tmp_path).entries) == 1
    assert read(tmp_path).broken == ()


def test_broken_files_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    whole = json.loads(written(tmp_path).read_text())

    def but(**changes: Any) -> str:
        return json.dumps({**whole, **changes})

    cases: dict[str, tuple[str | bytes, str]] = {
        "empty": ("", "no JSON"),
        "cut": (but()[:50], "no JSON"),
        "list": ("[1, 2]", "not in the format"),
        "other": (but(format="other 2"), "not in the format 'rsedu score 1'"),
        "bytes": (b"\xff\xfe\x00", "no JSON"),
        "deep": ("[" * 9000, "recursion"),
        "large": (but(more="x" * 20_000), "larger than 10000 bytes"),
        "nan": (but(f1=float("nan")), "f1 is not finite"),
        "huge": (but(mapped_ha=10**400), "mapped_ha is not finite or too large"),
        "above": (but(f1=1.01), "f1 is 1.01, and no share"),
        "below": (but(f1=-0.01), "f1 is -0.01, and no share"),
        "text": (but(f1="0.9"), "f1 is no number"),
        "bool": (but(f1=True), "f1 is no number"),
        "null": (but(f1=None), "f1 is no number"),
        "group": (but(group=7), "group is no text"),
        "nobody": (but(group="\x00"), "has no letter and no digit"),
        "time": (but(submitted="yesterday"), "Invalid isoformat"),
        "early": (but(submitted="0001-01-01T00:00:00+14:00"), "out of range"),
        "naive": (but(submitted="2026-05-04T13:30:00"), "without a time zone"),
        "missing": (json.dumps({"format": whole["format"]}), "group is no text"),
    }
    for name, (text, _) in cases.items():
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / f"{name}.json").write_bytes(data)
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")  # to open it would wait for ever
    (tmp_path / "notes.txt").write_text("no submission")
    board = read(tmp_path)
    assert [line.group for line in board.entries] == ["Toucans"]
    reasons = dict(board.broken)
    assert sorted(reasons) == sorted(f"{name}.json" for name in (*cases, "folder", "pipe"))
    for name, (_, reason) in cases.items():
        assert reason in reasons[f"{name}.json"], name
    assert reasons["folder.json"] == reasons["pipe.json"] == "no file"


def test_a_name_is_cleaned_again_when_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, "group": "A\x1b[2J\nB", "place": "p\x07 1"}))
    (line,) = read(tmp_path).entries
    assert (line.group, line.place) == ("A[2J B", "p 1")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    *(
        (name, {}, "has no letter and no digit")
        for name in ("", "   ", "\n\x00", "../..", "\u202e", "-")
    ),
    ("Toucans", {"true_ha": None}, "true_ha is no number"),
    ("Toucans", {"f1": float("nan")}, "f1 is not finite"),
    ("Toucans", {"f1": 1.001}, "f1 is 1.001, and no share"),
    ("Toucans", {"f1": -0.001}, "f1 is -0.001, and no share"),
    ("Toucans", {"mapped_ha": 1e12}, "mapped_ha is not finite or too large"),
]


@pytest.mark.parametrize(("group", "changes", "message"), REFUSED)
def test_what_is_no_entry_is_refused(group: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        entry(group, {**FACTS, **changes}, now=NOW)


@pytest.mark.parametrize("changes", [{"f1": 0.0}, {"f1": 1.0}, {"mapped_ha": 9.9e11}])
def test_the_ends_of_what_is_allowed_are_entries(changes: dict[str, Any]) -> None:
    assert vars(entry("a", {**FACTS, **changes}, now=NOW)).items() >= changes.items()


def test_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="There is no scoreboard"):
        read(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokenDataError, match="cannot be written to: choose a folder"):
        written(tmp_path / "file")


def line(group: str, f1: float, *, minute: int = 0, error: float | None = 0.5) -> Entry:
    facts = {**FACTS, "f1": f1, "date_error_years": error}
    return entry(group, facts, now=NOW.replace(minute=minute))


def test_each_groups_best_counts_or_its_newest() -> None:
    lines = [line("b", 0.9, minute=1), line("a", 0.7, minute=5)]
    lines += [line("b", 0.6, minute=9), line("a", 0.8, minute=2)]
    assert [(each.group, each.f1) for each in chosen(lines)] == [("b", 0.9), ("a", 0.8)]
    newest = chosen(lines, pick="newest")
    assert [(each.group, each.f1) for each in newest] == [("a", 0.7), ("b", 0.6)]


def test_of_equal_maps_the_earlier_counts_and_case_makes_no_group() -> None:
    (kept,) = chosen([line("Apes", 0.8, minute=7), line("APES", 0.8, minute=3)])
    assert kept.group == "APES"


def test_equal_f1_shares_a_rank_and_the_next_is_left_out() -> None:
    tied = [line("c", 0.8002, error=None), line("b", 0.7996, error=0.9), line("e", 0.8, error=0.1)]
    lines = chosen([line("d", 0.5), *tied, line("a", 0.9)])
    assert [each.group for each in lines] == ["a", "e", "b", "c", "d"]
    assert ranks(lines) == (1, 2, 2, 2, 5)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1), st.integers(0, 59))))
def test_the_order_they_came_in_makes_no_difference(entries: list[tuple[str, float, int]]) -> None:
    # One moment, one entry: who comes last at the same minute is not defined.
    lines = list({minute: line(g, f1, minute=minute) for g, f1, minute in entries}.values())
    assert chosen(lines) == chosen(lines[::-1])
    assert chosen(lines, pick="newest") == chosen(lines[::-1], pick="newest")
    found = chosen(lines)
    assert {each.group for each in found} == {each.group for each in lines}
    for each in found:
        rivals = [other.f1 for other in lines if other.group == each.group]
        assert round(each.f1, 3) == max(round(f1, 3) for f1 in rivals)


def test_places_have_tables_of_their_own_and_broken_files_are_named() -> None:
    other = replace(line("Los Tucanes", 0.25), place="place 4", date_error_years=None)
    other = replace(other, boundary_bias_m=None)
    board = Board(
        entries=(line("b", 0.75), line("a", 0.5), other),
        broken=(("x\x1b[2J.json", "no JSON (line 1\nof it)"),),
    )
    lines = render(board).splitlines()
    assert lines[0] == "place 3, 2 km (best of each group)"
    assert lines[1].split() == (
        "rank group F1 date error boundary mapped ha estimated ha truth".split()
    )
    assert lines[2].split() == "1 b 0.750 0.50 years -3.2 m 12 14 15".split()
    assert lines[3].split()[:3] == ["2", "a", "0.500"]
    assert lines[5] == "place 4 (best of each group)"
    assert lines[7].split()[:6] == ["1", "Los", "Tucanes", "0.250", "none", "none"]
    assert lines[9:] == ["Left out:", "  x?[2J.json: no JSON (line 1?of it)"]
    assert "(newest of each group)" in render(board, pick="newest")
    assert render(Board(entries=(), broken=())) == "No submission yet."
