"""What the pages in docs/ name is there: lessons, sections, exercises, results, files, commands."""

import re
from pathlib import Path

import pytest

from rsedu.cli import main
from rsedu.course import registry, results
from rsedu.evaluation.intervals import interval

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.glob("*.md"))
# Written by docs/site/assemble.py: that these links lead somewhere, Sphinx says.
MADE = {"api/index.md", "results/index.md"}
PLANS = [DOCS / "slides.md", DOCS / "facilitator.md"]
KNOWN = {each.id: each.lesson for each in registry.exercises()}


def _rows(page: Path) -> list[dict[str, str]]:
    """Every row of every table, by the names of its columns."""
    rows, names = [], None
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            names = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if names is None:
            names = cells
        elif not set(line) <= set("|-: "):
            rows.append(dict(zip(names, cells, strict=True)))
    return rows


TAUGHT = [(page, row) for page in PLANS for row in _rows(page) if "Lesson" in row]


def _name(value: object) -> str:
    return value.stem if isinstance(value, Path) else "-".join(value.values())[:40]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("page", "row"), TAUGHT, ids=_name)
def test_a_row_names_a_lesson_its_section_its_exercises_and_its_results(
    page: Path, row: dict[str, str]
) -> None:
    if not row["Lesson"]:
        return  # a break
    lesson = registry.lesson(row["Lesson"])
    text = " ".join(row.get(column, "") for column in ("Exercises", "Do", "Leave for later"))
    if registry.exercises(lesson.number):  # none while a lesson is planned
        for name in re.findall(r"`(\w+)`", text):
            assert KNOWN.get(name) == lesson.number, f"{name} is not of lesson {lesson.number}"
    for name in re.findall(r"`(\w+)`", row.get("Measured in", "")):
        assert (REPOSITORY / results.stored(name)["command"].split()[1]).is_file()
    path = REPOSITORY / "solutions" / f"{lesson.stem}.py"
    if row.get("Section") and path.is_file():
        source = path.read_text(encoding="utf-8")
        assert f"\n# ## {row['Section']}\n" in source


def test_every_lesson_every_result_and_every_exercise_has_its_slide() -> None:
    rows = _rows(DOCS / "slides.md")
    assert {row["Lesson"] for row in rows} == {lesson.number for lesson in registry.lessons()}
    text = (DOCS / "slides.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    lacking = set(KNOWN) - named
    assert not lacking, f"give each a slide: {sorted(lacking)}"
    stored = {path.stem for path in (REPOSITORY / "data" / "results").glob("*.json")}
    assert stored <= named


def test_what_gets_stuck_is_sent_to_an_exercise_of_the_lesson_it_names() -> None:
    found = re.findall(r"((?:`\w+`, )+)lesson (\d\d)", (DOCS / "facilitator.md").read_text("utf-8"))
    assert len(found) >= 6
    for names, number in found:
        if not registry.exercises(number):
            continue
        assert {KNOWN[name] for name in re.findall(r"`(\w+)`", names)} == {number}


def test_the_minutes_of_the_plan_add_up() -> None:
    rows = _rows(DOCS / "facilitator.md")
    timed = [row for row in rows if "Clock" in row]
    now = 13 * 60
    for row in timed:
        assert row["Clock"] == f"{now // 60}:{now % 60:02d}"
        now += int(row["Minutes"])
    assert now == 16 * 60
    assert sum(int(row["Minutes"]) for row in rows if "Leave for later" in row) == 180


def test_the_plan_keeps_the_clock_that_learners_read() -> None:
    brief = REPOSITORY / "solutions" / "08_forest_loss.py"
    if not brief.is_file():
        pytest.skip("lesson 08 is planned")
    clock = re.findall(r"^# \| (1[3-6]:\d\d) \|", brief.read_text("utf-8"), flags=re.MULTILINE)
    planned = {row["Clock"] for row in _rows(DOCS / "facilitator.md") if "Clock" in row}
    assert clock[-1] == "16:00" and set(clock[:-1]) <= planned


def test_quoted_intervals_are_those_that_were_measured() -> None:
    prompted = [run["true colour"]["all"] for run in results.stored("06_sam")["runs"]]
    absent = [run["absent"] for run in results.stored("07_oneshot")["runs"]]
    seeds = [
        [run[key] for run in prompted]
        for key in ("1 click", "1 click, best of three", "box", "5 clicks")
    ] + [[run[way]["rejected"] for run in absent] for way in ("1 example", "8 examples")]
    found = [interval(values) for values in seeds]
    measured = {f"{one.mean:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in found}
    quoted = re.findall(r"\d\.\d\d \[[^]]+\]", (DOCS / "slides.md").read_text(encoding="utf-8"))
    assert set(quoted) == measured


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_and_files_and_commands_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)[^)]*\)", text):
        made = target in MADE
        assert made or target.startswith("https://") or (DOCS / target).exists(), target
    for command in re.findall(r"`?rsedu ([a-z][a-z-]+)", text):
        assert command in main.commands, command
