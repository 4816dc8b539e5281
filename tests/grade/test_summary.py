"""What a class has in common, counted by hand."""

from rsedu.grade import summary
from rsedu.grade.summary import Shared
from tests.grade.reports.test_tables import mark, result

NAMED = {"diagnosis": "mean", "alike": "aa", "lines": ["It is a mean."], "code": "x"}
ODD = {"alike": "bb", "lines": ["No."], "code": "y"}
CLASS = [
    result("ana", mark("ndvi", 0, "wrong value", **NAMED), mark("area", 2)),
    result("ben", mark("ndvi", 0, "wrong value", **ODD), mark("area", 0, "not started")),
    result("cai", mark("ndvi", 0, "wrong value", **ODD), mark("area", 0, "error", alike="cc")),
    result("ben", problem="broken", lesson=""),
]


def test_wrong_answers_are_grouped_the_largest_first() -> None:
    assert summary.shared(CLASS) == [
        Shared("01", "NDVI", "", "No.", ("ben", "cai"), "y"),
        Shared("01", "NDVI", "mean", "It is a mean.", ("ana",), "x"),
    ]


def test_one_student_twice_is_one() -> None:
    twice = [CLASS[1], CLASS[1]]
    assert summary.shared(twice) == []


def test_who_never_started_what() -> None:
    assert summary.never_started(CLASS) == {"ben": ["AREA"]}


def test_states_and_lessons_are_counted() -> None:
    assert summary.states(CLASS) == {"wrong value": 3, "passed": 1, "not started": 1, "error": 1}
    assert {number: len(found) for number, found in summary.lessons(CLASS).items()} == {"01": 3}


def test_the_best_of_each_student_and_lesson_counts() -> None:
    worse = result("ana", mark("ndvi", 1, "wrong value"), file="a.ipynb")
    best = result("ana", mark("ndvi", 2), file="b.ipynb")
    equal = result("ana", mark("ndvi", 2), file="c.ipynb")
    other = result("ana", mark("db", 0, "error"), lesson="00")
    broken = result("ana", problem="broken", lesson="")
    everything = [worse, best, equal, other, broken]
    assert summary.counted(everything) == [best, other]
    assert summary.also_handed_in(everything) == [worse, equal]
