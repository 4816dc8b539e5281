"""`rsedu new-lesson`: a lesson that builds and passes its tests, to be written over.

All is worked out before anything is written: a lesson is there as a whole, or not at all.
"""

import keyword
import re
from functools import partial
from pathlib import Path

from authoring.build import find_root
from rsedu.errors import InputError
from rsedu.io.files import write_atomically

TEMPLATE = Path(__file__).with_name("template")
REGISTRY = "rsedu/course/registry.py"
MISTAKES = "tests/browser/test_lessons.py"
PICTURE = "CONTRIBUTING.md"
README = "README.md"
_MAX_LINE = 100
_NUMBER = re.compile(r"\d\d")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_QUESTION = re.compile(r"[^\"\\|\n]+\?")
_ENTRY = re.compile(
    r"^    Lesson\(\"(\d\d)\", \"(\w+)\", \"([^\"]+)\"(?:, (\d+))?\),\n", re.MULTILINE
)
_MISTAKE = """\
    "{number}": {{
        "clear_mean_{number}": Mistake(wrong="return values.mean()", known="clouds counted"),
    }},
"""


def new_lesson(
    number: str, name: str, *, question: str | None = None, minutes: int = 45
) -> list[str]:
    """Write a lesson with one complete exercise, and enter it wherever lessons are listed.

    Args:
        number: two digits: the next one, or that of a lesson that is planned only.
        name: of the lesson and of its exercises' module, in small letters; a planned lesson has
            one already.
        question: its title; a planned lesson has one already.
        minutes: how long it takes.

    Returns:
        Lines to print: what was written and changed, then what to do next.

    Raises:
        InputError: number, name or question cannot be used, the lesson is written already, or a
            list of lessons is not where it was. Nothing is written then.
        MissingDataError: the working folder is in no checkout.
    """
    root = find_root()
    if minutes < 1:
        raise InputError(f"A lesson takes a minute or more; came {minutes}.")
    entries = _entries(_read(root, REGISTRY))
    question = _check(entries, number, name, question)
    words = {"number": number, "name": name, "question": question, "minutes": str(minutes)}
    words["seed"] = str(int(number) + 100)
    fresh = {
        f"solutions/{number}_{name}.py": _fill("lesson", words),
        f"rsedu/lessons/{name}.py": _fill("exercises", words),
        f"tests/lessons/{name}/oracles.py": _fill("oracles", words),
        f"tests/lessons/{name}/test_exercises.py": _fill("test", words),
    }
    for path in fresh:
        if (root / path).exists():
            raise InputError(f"{path} is there already: choose another name, or remove it first.")
    changed = {
        REGISTRY: _registered(_read(root, REGISTRY), words),
        MISTAKES: _mistaken(_read(root, MISTAKES), number),
        PICTURE: _drawn(_read(root, PICTURE), words),
        README: _listed(_read(root, README), words),
    }
    for path, text in (fresh | changed).items():
        write_atomically(root / path, partial(_write, text=text))
    return [
        *(f"wrote {path}" for path in fresh),
        *(f"entered it in {path}" for path in changed),
        f"next: python -m authoring build {number}, then write over the example.",
    ]


def _write(path: Path, *, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _read(root: Path, name: str) -> str:
    path = root / name
    if not path.is_file():
        raise InputError(f"{path} is not there: new-lesson works in a checkout of the repository.")
    return path.read_text(encoding="utf-8")


def _fill(template: str, words: dict[str, str]) -> str:
    text = (TEMPLATE / f"{template}.txt").read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"{{{{{word}}}}}", value)
    return text


def _entries(registry: str) -> dict[str, tuple[str, str, bool]]:
    """Name, question and whether it is written, of each lesson in the registry's source."""
    found = _ENTRY.findall(registry)
    return {number: (name, title, bool(minutes)) for number, name, title, minutes in found}


def _check(
    entries: dict[str, tuple[str, str, bool]], number: str, name: str, question: str | None
) -> str:
    """The lesson's question, once everything asked for fits."""
    if not entries:
        raise InputError(f"{REGISTRY} has no line like 'Lesson(\"00\", ...': put it back.")
    following = f"{max(map(int, entries)) + 1:02d}"
    known = entries.get(number)
    if known is None and (number != following or not _NUMBER.fullmatch(number)):
        raise InputError(f"{number!r} is not the next lesson: that is {following}.")
    if known and known[2]:
        raise InputError(f"Lesson {number} is {known[0]} and written; the next is {following}.")
    if known and known[0] != name:
        raise InputError(f"Lesson {number} is planned as {known[0]}; came {name!r}.")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InputError(
            f"{name!r} names no lesson: small letters, digits and _, as in two_sensors."
        )
    asked = question or (known[1] if known else "")
    if not _QUESTION.fullmatch(asked):
        raise InputError(
            f'{asked!r} is no title: give --question "...?", without quotes or | in it, and with '
            "a question mark at its end."
        )
    return asked


def _registered(text: str, words: dict[str, str]) -> str:
    """The registry with the lesson: in place of the planned one, or as the last."""
    line = '    Lesson("{number}", "{name}", "{question}", {minutes}),\n'.format(**words)
    if len(line) > _MAX_LINE + 1:
        over = len(line) - _MAX_LINE - 1
        raise InputError(f"The question is {over} letters too long for one line: shorten it.")
    planned = re.compile(rf'^    Lesson\("{words["number"]}", .*\n', re.MULTILINE)
    if planned.search(text):
        return planned.sub(lambda _: line, text, count=1)
    last = list(_ENTRY.finditer(text))[-1]
    return text[: last.end()] + line + text[last.end() :]


def _before(text: str, anchor: str, line: str, where: str) -> str:
    """The text with a line put before the first line that starts with the anchor."""
    found = re.search(rf"^{re.escape(anchor)}", text, flags=re.MULTILINE)
    if found is None:
        raise InputError(f"{where} has no line that starts with {anchor!r}: put it back.")
    return text[: found.start()] + line + text[found.start() :]


def _mistaken(text: str, number: str) -> str:
    """The browser tests with the example's wrong answer."""
    head, start, rest = text.partition("MISTAKES = {\n")
    if not start:
        raise InputError(f"{MISTAKES} has no line 'MISTAKES = {{': put it back.")
    return head + start + _before(rest, "}", _MISTAKE.format(number=number), MISTAKES)


def _drawn(text: str, words: dict[str, str]) -> str:
    """The picture of the house with the exercises' module."""
    line = f"    {words['name'] + '.py':<34}exercises of lesson {words['number']}\n"
    return _before(text, "    build.py ", line, PICTURE)


def _listed(text: str, words: dict[str, str]) -> str:
    """The table of lessons with the lesson: in place of the planned one, or as the last."""
    title = words["name"].replace("_", " ").capitalize()
    question = words["question"][0].lower() + words["question"][1:]
    link = f"[{title}](notebooks/{words['number']}_{words['name']}.ipynb): {question}"
    row = f"| {words['number']} | {link} | {words['minutes']} | three things to be able to do |\n"
    rows = list(re.finditer(r"^\| (\d\d) \|.*\n", text, flags=re.MULTILINE))
    if not rows:
        raise InputError(f"{README} has no table of lessons: put it back.")
    same = [found for found in rows if found[1] == words["number"]]
    start, end = same[0].span() if same else (rows[-1].end(),) * 2
    return text[:start] + row + text[end:]
