"""Scoreboard of groups in one room: a shared folder with one small file per map handed in.

Nothing is ever changed in it, only added, under a name that nobody else draws; so no writer can
harm another, and there is no lock to be left behind. A file that is broken is named and left out.
"""

import json
import math
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.files import write_atomically
from rsedu.io.text_table import text_table

_NAME_LENGTH = 40
_PLACE_LENGTH = 80
_MOST_BYTES = 10_000
_FORMAT = "rsedu score 1"
_OPTIONAL = ("date_error_years", "boundary_bias_m", "estimated_ha", "low_ha", "high_ha")
_DIGITS = 3  # of F1 that are shown; groups that look equal are equal

#: Which of a group's entries counts: its highest F1 (the earlier of equals), or its last.
Pick = Literal["best", "newest"]


def clean(name: str, *, longest: int = _NAME_LENGTH) -> str:
    """Return a name fit to be printed: one line, no control or invisible characters, not too long.

    Raises:
        InputError: nothing is left of it.
    """
    spaced = "".join(" " if letter.isspace() else letter for letter in name)
    composed = unicodedata.normalize("NFC", spaced)
    # Category C: control, format (which can turn the writing round), private, surrogates.
    visible = "".join(letter for letter in composed if unicodedata.category(letter)[0] != "C")
    cleaned = " ".join(visible.split())[:longest].strip()
    if not any(letter.isalnum() for letter in cleaned):
        raise InputError(f"The name {name!r} has no letter and no digit: give the group another.")
    return cleaned


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the scoreboard: numbers as in `rsedu.project.score.facts`.

    Attributes:
        group: its name, as `clean` leaves it.
        place: what was mapped; only maps of one place are compared.
        submitted: when, ISO 8601 in UTC.
    """

    group: str
    place: str
    submitted: str
    f1: float
    date_error_years: float | None
    boundary_bias_m: float | None
    mapped_ha: float
    estimated_ha: float | None
    low_ha: float | None
    high_ha: float | None
    true_ha: float


def entry(group: str, facts: Mapping[str, Any], *, now: datetime | None = None) -> Entry:
    """Make an entry of a group's `rsedu.project.score.facts`, now if no time is given."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return _checked({**facts, "group": group, "submitted": moment.isoformat()})


def submit(folder: Path, line: Entry) -> Path:
    """Add an entry to the scoreboard's folder, made where it is missing; return its file."""
    letters = (letter if letter.isascii() and letter.isalnum() else "-" for letter in line.group)
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
    """What lies in a scoreboard's folder, the oldest first, and which files are broken by what."""

    entries: tuple[Entry, ...]
    broken: tuple[tuple[str, str], ...]


def read(folder: Path) -> Board:
    """Read every entry of a folder; what cannot be read is named and left out."""
    if not folder.is_dir():
        raise MissingDataError(
            f"There is no scoreboard {folder}: the first `rsedu score MAP --group NAME --board "
            f"{folder}` makes it."
        )
    entries, broken = [], []
    for path in sorted(folder.glob("*.json")):
        if path.name.startswith("."):  # of a file system, or of a writer that has not finished
            continue
        try:
            entries.append(_read(path))
        except (OSError, ValueError, OverflowError, RecursionError) as error:
            broken.append((path.name, str(error) or type(error).__name__))
    entries.sort(key=lambda line: (line.submitted, line.group))
    return Board(entries=tuple(entries), broken=tuple(broken))


def _read(path: Path) -> Entry:
    if not path.is_file():
        raise InputError("no file")
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"larger than {_MOST_BYTES} bytes")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"no JSON ({error})") from error
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise InputError(f"not in the format {_FORMAT!r}")
    return _checked(stored)


def _checked(stored: Mapping[str, Any]) -> Entry:
    """An entry in which every number is one, whoever wrote the file."""
    values: dict[str, Any] = {}
    for field in fields(Entry):
        value = stored.get(field.name)
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
    return Entry(**{**values, "submitted": moment.astimezone(UTC).isoformat()})


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is no number")
    number = float(value) if abs(value) < 1e12 else math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} is not finite or too large")
    return number


def _f1(line: Entry) -> float:
    return round(line.f1, _DIGITS)


def chosen(entries: Iterable[Entry], *, pick: Pick = "best") -> tuple[Entry, ...]:
    """Return the entry of each group that counts, the best first.

    Names that differ only in upper and lower case are one group. Groups of one F1, to three
    digits, stand in the order of their date errors, and share a rank. All are of one place.
    """
    counted: dict[str, Entry] = {}
    for line in sorted(entries, key=lambda line: line.submitted):
        group = line.group.casefold()
        if pick == "newest" or group not in counted or _f1(line) > _f1(counted[group]):
            counted[group] = line
    return tuple(sorted(counted.values(), key=_order))


def _order(line: Entry) -> tuple[float, bool, float, str]:
    error = line.date_error_years
    return -_f1(line), error is None, error or 0.0, line.group.casefold()


def ranks(entries: tuple[Entry, ...]) -> tuple[int, ...]:
    """Return the ranks of entries in order: equal F1 shares one, and the next is left out."""
    return tuple(1 + sum(_f1(other) > _f1(line) for other in entries) for line in entries)


def render(board: Board, *, pick: Pick = "best") -> str:
    """Return the ranking of each place as text, and which files were left out and why."""
    places = sorted({line.place for line in board.entries})
    parts = [_ranking(place, board.entries, pick) for place in places] or ["No submission yet."]
    if board.broken:
        lines = [f"  {name}: {reason}" for name, reason in board.broken]
        # One line for each, whatever the file is called and whatever is in it.
        clear = ("".join(c if c.isprintable() else "?" for c in line) for line in lines)
        parts.append("\n".join(("Left out:", *clear)))
    return "\n\n".join(parts)


def _ranking(place: str, entries: Iterable[Entry], pick: Pick) -> str:
    lines = chosen((line for line in entries if line.place == place), pick=pick)
    heads = ("F1", "date error", "boundary", "mapped ha", "estimated ha", "truth")
    rows = [["", "rank", "group", *heads]]
    for rank, line in zip(ranks(lines), lines, strict=True):
        error, bias = line.date_error_years, line.boundary_bias_m
        numbers = (
            f"{line.f1:.{_DIGITS}f}",
            "none" if error is None else f"{error:.2f} years",
            "none" if bias is None else f"{bias:+.1f} m",
            f"{line.mapped_ha:.0f}",
            "none" if line.estimated_ha is None else f"{line.estimated_ha:.0f}",
            f"{line.true_ha:.0f}",
        )
        rows.append(["", str(rank), line.group, *numbers])
    table = text_table(rows, align="<><>", widths=(0, 4, 5, *[12] * len(heads)))
    return f"{place} ({pick} of each group)\n{table}"
