from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rsedu.project.ranking import chosen, ranks, render
from rsedu.project.scoreboard import Board, Submission

LINE = Submission(
    group="a",
    place="place 3",
    submitted="2026-05-04T13:30:00+00:00",
    f1=0.5,
    date_error_years=0.5,
    boundary_bias_m=-3.25,
    mapped_ha=1000.0,
    estimated_ha=1200.0,
    low_ha=1100.0,
    high_ha=1300.0,
    true_ha=1250.0,
)


def line(group: str, f1: float, *, minute: int = 0, error: float | None = 0.5) -> Submission:
    submitted = f"2026-05-04T13:{minute:02d}:00+00:00"
    return replace(LINE, group=group, f1=f1, submitted=submitted, date_error_years=error)


def test_each_groups_best_counts_or_its_newest() -> None:
    lines = [
        line("b", 0.9, minute=1),
        line("a", 0.7, minute=5),
        line("b", 0.6, minute=9),
        line("a", 0.8, minute=2),
    ]
    assert [(each.group, each.f1) for each in chosen(lines)] == [("b", 0.9), ("a", 0.8)]
    newest = chosen(lines, pick="newest")
    assert [(each.group, each.f1) for each in newest] == [("a", 0.7), ("b", 0.6)]


def test_of_equal_maps_the_earlier_counts_and_case_makes_no_group() -> None:
    (kept,) = chosen([line("Apes", 0.8, minute=7), line("APES", 0.8, minute=3)])
    assert kept.group == "APES"


def test_equal_f1_shares_a_rank_and_the_next_is_left_out() -> None:
    lines = chosen(
        [
            line("d", 0.5),
            line("c", 0.8002, error=None),
            line("b", 0.7996, error=0.9),
            line("a", 0.9),
            line("e", 0.8, error=0.1),
        ]
    )
    assert [each.group for each in lines] == ["a", "e", "b", "c", "d"]
    assert ranks(lines) == (1, 2, 2, 2, 5)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1), st.integers(0, 59))))
def test_the_order_they_came_in_makes_no_difference(entries: list[tuple[str, float, int]]) -> None:
    # One moment, one submission: who comes last at the same minute is not defined.
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
        submissions=(line("b", 0.75), line("a", 0.5), other),
        broken=(("x\x1b[2J.json", "no JSON (line 1\nof it)"),),
    )
    lines = render(board).splitlines()
    assert lines[0] == "place 3 (best of each group)"
    assert lines[1].split() == (
        "rank group F1 date error boundary mapped ha estimated ha truth".split()
    )
    assert lines[2].split() == "1 b 0.750 0.50 years -3.2 m 1000 1200 1250".split()
    assert lines[3].split()[:3] == ["2", "a", "0.500"]
    assert lines[5] == "place 4 (best of each group)"
    assert lines[7].split()[:6] == ["1", "Los", "Tucanes", "0.250", "none", "none"]
    assert lines[9:] == ["Left out:", "  x?[2J.json: no JSON (line 1?of it)"]
    assert "(newest of each group)" in render(board, pick="newest")


def test_an_empty_board_says_so() -> None:
    assert render(Board(submissions=(), broken=())) == "No submission yet."
