"""A scoreboard that groups in one room share: a folder, and one small file per submission.

Nothing is ever changed in it, only added, under a name that nobody else draws; so no writer can
harm another, and there is no lock to be left behind. A file that is broken is named and left out.
"""

import json
import math
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.files import write_atomically

_NAME_LENGTH = 40
_PLACE_LENGTH = 80
_MOST_BYTES = 10_000
_FORMAT = "rsedu score 1"
_OPTIONAL = ("date_error_years", "boundary_bias_m")


def clean(name: str, *, longest: int = _NAME_LENGTH) -> str:
    """Return a name fit to be printed: one line, no control or invisible characters, not too long.

    Raises:
        InputError: nothing is left of it.
    """
    spaced = "".join(" " if letter.isspace() else letter for letter in name)
    composed = unicodedata.normalize("NFC", spaced)
    # Category C: control, format (which can turn the writing round), private, surrogates.
    shown = "".join(each for each in composed if unicodedata.category(each)[0] != "C")
    kept = " ".join(shown.split())[:longest].strip()
    if not any(letter.isalnum() for letter in kept):
        raise InputError(f"The name {name!r} has no letter and no digit: give the group another.")
    return kept


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One line of the scoreboard.

    Attributes:
        group: its name, as `clean` leaves it.
        place: what was mapped; only maps of one place are compared.
        submitted: when, ISO 8601 in UTC.
        f1: of change, 0 to 1.
        date_error_years: None where nothing was found.
        boundary_bias_m: metres, outwards above 0; None where nothing was found.
        mapped_ha: counted on the map.
        estimated_ha: from the sample.
        low_ha: lower end of its interval.
        high_ha: upper end.
        true_ha: of the truth.
    """

    group: str
    place: str
    submitted: str
    f1: float
    date_error_years: float | None
    boundary_bias_m: float | None
    mapped_ha: float
    estimated_ha: float
    low_ha: float
    high_ha: float
    true_ha: float


def submission(group: str, facts: Mapping[str, Any], *, now: datetime | None = None) -> Submission:
    """Make a line of the scoreboard.

    Args:
        group: its name, in any spelling.
        facts: of the score, see `rsedu.project.table.facts`.
        now: the time, with its zone; the clock's if None.

    Raises:
        InputError: the name is empty, or a number is missing or not finite.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return _checked({**facts, "group": group, "submitted": moment.isoformat()})


def submit(folder: Path, line: Submission) -> Path:
    """Add a submission to the scoreboard.

    Args:
        folder: of the scoreboard, made where it is missing.
        line: to add.

    Returns:
        The file that was written.

    Raises:
        BrokenDataError: the folder cannot be written to.
    """
    letters = (each if each.isascii() and each.isalnum() else "-" for each in line.group)
    path = folder / f"{''.join(letters)}-{uuid.uuid4().hex}.json"
    text = json.dumps({"format": _FORMAT, **asdict(line)}, indent=1, allow_nan=False) + "\n"
    try:
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise BrokenDataError(
            f"The scoreboard {folder} cannot be written to: choose a folder you may write in "
            f"({error})."
        ) from error
    return path


@dataclass(frozen=True, kw_only=True)
class Board:
    """What lies in a scoreboard's folder.

    Attributes:
        submissions: the oldest first.
        broken: name of the file and what is wrong with it, by name.
    """

    submissions: tuple[Submission, ...]
    broken: tuple[tuple[str, str], ...]


def read(folder: Path) -> Board:
    """Read every submission; what cannot be read is named and left out.

    Raises:
        MissingDataError: there is no such folder.
    """
    if not folder.is_dir():
        raise MissingDataError(
            f"There is no scoreboard {folder}: the first `rsedu score MAP --group NAME --board "
            f"{folder}` makes it."
        )
    lines, broken = [], []
    for path in sorted(folder.glob("*.json")):
        if path.name.startswith("."):  # of a file system, or of a writer that has not finished
            continue
        try:
            lines.append(_line(path))
        except (OSError, ValueError, OverflowError, RecursionError) as error:
            broken.append((path.name, str(error) or type(error).__name__))
    lines.sort(key=lambda line: (line.submitted, line.group))
    return Board(submissions=tuple(lines), broken=tuple(broken))


def _line(path: Path) -> Submission:
    if not path.is_file():
        raise InputError("no file")
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"larger than {_MOST_BYTES} bytes")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"no JSON ({error})") from error
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise InputError(f"not in the format {_FORMAT!r}")
    return _checked(found)


def _checked(found: Mapping[str, Any]) -> Submission:
    """A submission in which every number is one, whoever wrote the file."""
    values: dict[str, Any] = {}
    for field in fields(Submission):
        value = found.get(field.name)
        if field.type is str:
            if not isinstance(value, str):
                raise InputError(f"{field.name} is no text")
            longest = _NAME_LENGTH if field.name == "group" else _PLACE_LENGTH
            values[field.name] = clean(value, longest=longest)
        elif value is None and field.name in _OPTIONAL:
            values[field.name] = None
        else:
            values[field.name] = _number(field.name, value)
    if not 0 <= values["f1"] <= 1:
        raise InputError(f"f1 is {values['f1']:g}, and no share from 0 to 1")
    moment = datetime.fromisoformat(values["submitted"])
    if moment.tzinfo is None:
        raise InputError(f"submitted is {values['submitted']}, without a time zone")
    return Submission(**{**values, "submitted": moment.astimezone(UTC).isoformat()})


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is no number")
    number = float(value) if abs(value) < 1e12 else math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} is not finite or too large")
    return number
